//! How a de-identified dataset was coarsened.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plan::spec::SearchBy;

/// How the columns of a de-identified dataset were coarsened, and what an outsider can do before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Coarsening {
    pub search: SearchBy,
    pub quasi_identifiers: Vec<QuasiIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<Arc<str>>,
    pub criteria: Vec<ClassCriterion>,
    pub rows: u64,
    pub rows_suppressed: u64,
    pub suppression_max: f64,
    /// What was minimised, and its value.
    pub objective: String,
    pub loss: f64,
    /// Combinations of levels there are (regions, for Mondrian), and how many were looked at.
    pub combinations: u64,
    pub evaluated: u64,
    /// Risks above which rows are counted.
    pub risk_at: Vec<f64>,
    /// Of the classes at the finest level of every column.
    pub before: Option<ClassRisk>,
    /// Absent when no row is left.
    pub after: Option<ClassRisk>,
}

/// A column an outsider may know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct QuasiIdentifier {
    pub name: Arc<str>,
    /// 0 is the finest, `levels` less one is `*`; absent where regions have values of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    pub levels: u32,
}

/// A criterion, and its value for the worst class of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ClassCriterion {
    pub name: String,
    pub asked: String,
    pub attained: Option<f64>,
    pub holds: bool,
}

/// Risk of re-identification by class sizes: `deidentify/risk.rs` has the definitions. Null where `suppress_below` withholds a count of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ClassRisk {
    pub rows: u64,
    pub classes: u64,
    pub class_min: Option<u64>,
    pub class_max: Option<u64>,
    pub prosecutor_max: Option<f64>,
    /// Mean over rows of 1 / class size.
    pub marketer: f64,
    /// Share of rows above each of `risk_at`.
    pub at_risk: Vec<Option<f64>>,
    /// Share of rows alone in their class.
    pub uniques: Option<f64>,
    /// Greatest 1 / rows of the population in a class, and its mean over rows; absent without a population.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journalist_max: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journalist_mean: Option<f64>,
}
