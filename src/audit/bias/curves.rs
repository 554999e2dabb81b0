//! The ROC curve and the reliability curve of everyone together.

use serde::{Deserialize, Serialize};

use super::Figure;

/// Both curves of a score, with intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Curves {
    /// Why nothing is shown; then both lists are empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    pub confidence: f64,
    /// By falling threshold. Empty where all known labels are alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roc: Vec<Corner>,
    /// Bins of the score that have rows, ascending. Empty where a score is beyond 0 and 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reliability: Vec<Bin>,
}

/// Rates where rows with a score of at least the threshold are selected. Both intervals hold at once with the confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Corner {
    pub threshold: f64,
    pub false_positive_rate: Figure,
    pub true_positive_rate: Figure,
}

/// Rows with a score from `from`, below `to`; the last bin has its end too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub score_mean: f64,
    /// Share of rows of label 1. Its interval is of this bin alone.
    pub share: Figure,
}
