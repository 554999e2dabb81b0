//! `[measure.subgroups]`: the search for subgroups.

use serde::{Deserialize, Serialize};

/// Fewest and most rows that a search holds in memory.
pub const SUBGROUP_ROWS_MIN: u32 = 200;
pub const SUBGROUP_ROWS_MAX: u32 = 1_000_000;
/// Most conditions of a subgroup.
pub const DEPTH_MAX: u32 = 4;
/// Most columns that are combined.
pub const SUBGROUP_COLUMNS_MAX: usize = 40;

/// Searches one half of the rows of the measured part for subgroups that do worst, and tests what it finds on the other half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subgroups {
    /// What is searched for: each is a search of its own, with a chance of a false alarm of its own. Errors when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<Loss>,
    /// Columns whose levels are combined. Features and protected columns when empty. Numbers are cut at quantiles into at most five bins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Most conditions of a subgroup.
    #[serde(default = "three")]
    pub depth_max: u32,
    /// Most rows that are held; those of smallest hash are taken.
    #[serde(default = "hundred_thousand")]
    pub rows_max: u32,
    /// Fewest rows of a subgroup in the half that is searched. The greater of 30 and one in a hundred of that half when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_min: Option<u32>,
    /// Weight of the loss against the size of a subgroup in the score, between 0 and 1.
    #[serde(default = "ninety_five")]
    pub alpha: f64,
}

/// What is counted against a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The decision is not the label.
    Error,
    /// The decision is positive; among rows of negative label.
    FalsePositive,
    /// The decision is negative; among rows of positive label.
    FalseNegative,
    /// The decision is negative.
    NotSelected,
    /// The decision is positive.
    Selected,
    /// Distance of the prediction from the target.
    AbsoluteError,
    /// Its square.
    SquaredError,
}

impl Loss {
    /// Of the numbers of a regression.
    pub fn is_numeric(self) -> bool {
        matches!(self, Loss::AbsoluteError | Loss::SquaredError)
    }
}

fn three() -> u32 {
    3
}
fn hundred_thousand() -> u32 {
    100_000
}
fn ninety_five() -> f64 {
    0.95
}
