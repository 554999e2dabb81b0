//! Tests of equality of rates between cohorts, and what they do not show.

use serde::{Deserialize, Serialize};

use super::Figure;

/// All tests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Tests {
    pub confidence: f64,
    /// Comparisons of two cohorts with a p-value, over all sets and rates: the family of their adjusted p-values.
    pub family: usize,
    /// Tests of all cohorts of a set at once: the family of theirs.
    pub family_of_gaps: usize,
    /// Dealings of a permutation test; the least of those made.
    pub dealings: u32,
    /// Rows share units or carry weights: z comes from the jackknife, and tests that count rows are not made.
    pub dependent: bool,
    pub sets: Vec<TestedSet>,
    pub notes: Vec<String>,
}

/// The tests of one set of attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TestedSet {
    pub across: Vec<String>,
    pub rates: Vec<TestedRate>,
}

/// The tests of one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TestedRate {
    pub metric: String,
    /// Why nothing is tested: withheld, or fewer than two cohorts have a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tested: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<TestedGap>,
    /// The cohort the others are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<TestedWith>,
    pub pairs: Vec<TestedPair>,
}

/// The cohort the others are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TestedWith {
    pub cohort: String,
    /// Declared as reference; otherwise the one of the highest rate, picked by the data.
    pub declared: bool,
    pub count: i64,
    pub n: i64,
}

/// All cohorts of enough rows at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TestedGap {
    pub cohorts: usize,
    /// Greatest rate minus least.
    pub gap: f64,
    pub dealings: u32,
    pub permutation_p: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chi_squared: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub df: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chi_squared_p: Option<f64>,
    /// Of the permutation p-values of all sets and rates.
    pub holm: f64,
    pub benjamini_hochberg: f64,
    /// Standard deviation between the cohorts, less sampling.
    pub spread: Figure,
}

/// Which p-value is the one to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    Z,
    /// Fewer than 30 rows together, or an expected count below 5.
    Fisher,
}

/// What a comparison says about equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A difference remains after adjustment for the whole family.
    Difference,
    /// Too few rows, or the interval of the ratio holds both 1 and the four-fifths limit, or leaves 1 out only before adjustment.
    Insufficient,
    /// No difference remains, and one as large as the four-fifths limit is outside the interval.
    NoneShown,
}

/// One cohort compared with another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TestedPair {
    pub cohort: String,
    pub count: i64,
    pub n: i64,
    pub difference: Figure,
    pub ratio: Figure,
    /// The difference with score limits (Miettinen and Nurminen 1985), beside the hybrid ones of `difference`; not of dependent rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_difference: Option<Figure>,
    /// With score limits (the same); not of dependent rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odds_ratio: Option<Figure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_p: Option<f64>,
    /// True beyond two standard deviations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_sd: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fisher_p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chi_squared: Option<f64>,
    pub method: Read,
    /// The p-value to read; times the number of pairs where the cohort compared with was picked by the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holm: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benjamini_hochberg: Option<f64>,
    /// A difference larger than this, in either direction, is excluded (two one-sided tests at 1 - confidence).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    pub verdict: Evidence,
    /// Why evidence is insufficient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
