//! Cohorts known by probability.

use serde::{Deserialize, Serialize};

use super::Figure;

/// One attribute that is known by probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Inferred {
    /// As the pipeline file and the readings name it.
    pub name: String,
    /// Where the probabilities come from; empty when it is not stated.
    pub method: String,
    pub rows: Rows,
    /// Why nothing was measured; empty where it was.
    pub not_measured: String,
    pub levels: Vec<Level>,
    /// Of the metrics that were measured.
    pub metrics: Vec<Metric>,
    pub caveats: Vec<String>,
}

/// Rows by the state of their probabilities. None is withheld.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "InferredRows"))]
pub struct Rows {
    /// With probabilities within 0 and 1 that sum to one within 0.01.
    pub used: Option<i64>,
    /// A probability is missing: left out.
    pub missing: Option<i64>,
    /// A probability is below 0 or above 1: left out.
    pub out_of_range: Option<i64>,
    /// They sum to something else: left out.
    pub sum_wrong: Option<i64>,
    pub sum_wrong_share_max: f64,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "InferredLevel"))]
pub struct Level {
    pub level: String,
    /// Column of its probabilities.
    pub column: String,
    pub reference: bool,
    /// Sum of the probabilities, by sampling weight where there is one. None is withheld.
    pub expected: Option<f64>,
    /// (sum of weights)^2 / sum of squared weights.
    pub n_effective: Option<f64>,
}

/// One rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "InferredMetric"))]
pub struct Metric {
    pub metric: String,
    /// In the order of the levels.
    pub values: Vec<Figure>,
    /// Difference from and ratio to the highest of the levels that have enough rows.
    pub ratios: Vec<Option<Figure>>,
    /// Difference of the two levels that differ most.
    pub worst: Figure,
    pub worst_pair: String,
}
