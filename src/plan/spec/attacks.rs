//! `[attacks]`: whether a run attacks what it made with the very rows it was made of.

use serde::{Deserialize, Serialize};

/// Fewest and most rows of each kind that an attack holds in memory.
pub const ROWS_MIN: u32 = 1_000;
pub const ROWS_MAX: u32 = 200_000;

/// Attacks on real rows. Their results are about single rows: under differential privacy they are in the internal edition only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Attacks {
    /// Attacks the model that is trained here and the dataset that is de-identified here, in one more pass over the rows.
    #[serde(default)]
    pub on_real_rows: bool,
    /// Most rows that are attacked, and most rows of other people an attacker knows; those of smallest hash are taken.
    #[serde(default = "twenty_thousand")]
    pub rows_max: u32,
    /// A feature of the model with levels, which an attacker who knows the other features and the outcome tries to guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<String>,
}

fn twenty_thousand() -> u32 {
    20_000
}
