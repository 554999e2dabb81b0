//! Every parity at every threshold of a score.

use serde::{Deserialize, Serialize};

use super::Figure;

/// Rates and their gaps where rows with a score of at least a threshold are selected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Sweep {
    /// Why nothing is shown; then there are no thresholds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// The threshold at which decisions are taken, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<f64>,
    pub confidence: f64,
    pub thresholds: Vec<f64>,
    pub sets: Vec<Swept>,
}

/// The rates of a sweep, in the order of all lists of four.
pub const RATES: [&str; 4] =
    ["selection-rate", "true-positive-rate", "false-positive-rate", "positive-predictive-value"];

/// The cohorts of one set of attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Swept {
    pub across: Vec<String>,
    /// Left out where there are too many cohorts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<Curve>,
    /// For each rate: greatest less least at every threshold. None where fewer than two cohorts have a value.
    pub differences: Vec<Vec<Option<f64>>>,
    /// For each rate: least over greatest at every threshold.
    pub ratios: Vec<Vec<Option<f64>>>,
    /// The greater of the differences of true and false positive rates.
    pub equalised_odds: Vec<Option<f64>>,
    /// Runs of thresholds at which the ratio of selection rates is at least 0.8: first and last of each.
    pub four_fifths: Vec<(f64, f64)>,
    /// The worst pair with its interval at some of the thresholds.
    pub at: Vec<At>,
    /// Tests of the scores of each cohort against the reference cohort.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<TwoSamples>,
}

/// A cohort's rates at every threshold. None where the denominator is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Curve {
    pub cohort: String,
    pub n: i64,
    pub rates: Vec<Vec<Option<f64>>>,
}

/// Worst pairs at one threshold, for each rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct At {
    pub threshold: f64,
    pub differences: Vec<Figure>,
    pub ratios: Vec<Figure>,
}

/// A statistic and its two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Test {
    pub statistic: f64,
    pub p: f64,
}

/// The scores of two cohorts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TwoSamples {
    pub cohort: String,
    pub with: String,
    pub n: (i64, i64),
    pub median: (f64, f64),
    pub welch: Option<Test>,
    pub student: Option<Test>,
    pub mann_whitney: Option<Test>,
    pub smirnov: Option<Test>,
}
