//! Treatment of alike rows, and of rows that differ in a protected column only.

use serde::{Deserialize, Serialize};

use super::Figure;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Individual {
    /// Of the decision, and of the label.
    pub consistency: Vec<Consistency>,
    pub flips: Vec<Flip>,
    pub notes: Vec<String>,
}

/// 1 minus the mean distance of a row's value from the mean over its nearest rows (Zemel et al. 2013).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Consistency {
    /// `decision` or `label`.
    pub of: String,
    pub neighbours: u32,
    pub columns: Vec<String>,
    /// What distances are measured in.
    pub scale: String,
    /// Without the row itself among its nearest.
    pub others: Figure,
    /// With the row itself among its nearest, as AIF360 counts.
    pub with_itself: Figure,
    /// Without the row itself, by cohort; the nearest rows are of everyone.
    pub cohorts: Vec<OfCohort>,
}

/// A figure of a cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct OfCohort {
    /// `sex = f`.
    pub cohort: String,
    pub value: Figure,
}

/// A protected column switched, everything else held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Flip {
    pub column: String,
    /// The model reads the column, or one that is computed from it.
    pub is_input: bool,
    /// Share of rows whose decision changes when the column is switched to another of its levels.
    pub any: Figure,
    pub cohorts: Vec<OfCohort>,
    pub directions: Vec<Direction>,
}

/// Rows of one level, switched to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Direction {
    pub from: String,
    pub to: String,
    /// Share of the rows whose decision becomes positive, and whose decision becomes negative.
    pub gains: Figure,
    pub loses: Figure,
}
