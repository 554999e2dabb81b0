//! `[measure.ranking]`: who is at the top of the list a score makes.

use serde::{Deserialize, Serialize};

/// `[measure.ranking]`: who is at the top of the list a score makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// How many rows count as the top: below 1 a share of the rows with a score, from 1 on a number of rows. The first one is judged.
    #[serde(default = "tenth")]
    pub top: Vec<f64>,
}

fn tenth() -> Vec<f64> {
    vec![0.1]
}

impl Default for Ranking {
    fn default() -> Ranking {
        Ranking { top: tenth() }
    }
}
