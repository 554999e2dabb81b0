//! `[measure.individual]`: treatment of alike rows.

use serde::{Deserialize, Serialize};

/// Most rows of which the nearest are looked for, each with each.
pub const INDIVIDUAL_ROWS_MAX: u32 = 20_000;
/// Most nearest rows.
pub const NEIGHBOURS_MAX: u32 = 100;
/// Most levels that a protected column is switched to.
pub const FLIP_LEVELS_MAX: usize = 20;

/// Whether rows that are alike are treated alike, and whether a decision depends on a protected column as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Individual {
    /// Nearest rows that a row is compared with.
    #[serde(default = "five")]
    pub neighbours: u32,
    /// Columns by which rows are alike. Features that are not protected when empty. A level is an indicator, 0 or 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    #[serde(default)]
    pub scale: Scale,
    /// Most rows; those of smallest hash are taken.
    #[serde(default = "five_thousand")]
    pub rows_max: u32,
    /// Protected columns whose value is switched to each of its levels, to see whether the decision of the model trained here changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flip: Vec<String>,
}

/// By what a number is divided before distances are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The width of its bounds; without bounds, of the range of the rows looked at.
    #[default]
    Bounds,
    /// Its standard deviation among the rows looked at.
    Deviation,
    /// Nothing.
    None,
}

fn five() -> u32 {
    5
}
fn five_thousand() -> u32 {
    5_000
}
