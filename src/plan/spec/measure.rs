//! `[measure]`: what is measured, across which cohorts, with which confidence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bias::{DataBias, Individual, Inferred, Ranking, Regulation, Subgroups};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Sets of protected columns whose combinations are compared. Each protected column alone when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub across: Vec<Vec<String>>,
    /// Identifiers of metrics (`evenhand metrics` lists them). The standard ones the columns allow when empty; `all` is every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    #[serde(default = "ninety_five")]
    pub confidence: f64,
    /// Fewest rows in a denominator for a criterion to be judged.
    #[serde(default = "thirty")]
    pub support_min: u64,
    /// Counts below this are not published, nor whatever would disclose them. 0: everything is shown.
    #[serde(default)]
    pub suppress_below: u64,
    /// Replicates of the cell bootstrap.
    #[serde(default = "thousand")]
    pub replicates: u32,
    /// Control columns: cohorts are compared also within each combination of their levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// Representation, missing values by cohort, proxies of protected columns. Not looked at when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataBias>,
    /// Who is at the top of the list a score makes. Not looked at when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranking: Option<Ranking>,
    /// Search for combinations of columns where errors are most. Not made when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroups: Option<Subgroups>,
    /// Treatment of rows that are alike. Not looked at when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual: Option<Individual>,
    /// Protected attributes known by probability: name = columns of probabilities.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inferred: BTreeMap<String, Inferred>,
    /// Rules whose figures are computed and printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regulation: Vec<Regulation>,
}

fn ninety_five() -> f64 {
    0.95
}
fn thirty() -> u64 {
    30
}
fn thousand() -> u32 {
    1000
}

impl Default for Measure {
    fn default() -> Measure {
        Measure {
            across: Vec::new(),
            metrics: Vec::new(),
            confidence: ninety_five(),
            support_min: thirty(),
            suppress_below: 0,
            replicates: thousand(),
            given: Vec::new(),
            data: None,
            ranking: None,
            subgroups: None,
            individual: None,
            inferred: BTreeMap::new(),
            regulation: Vec::new(),
        }
    }
}
