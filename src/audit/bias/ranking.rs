//! The list a score makes: who is at its top, and how visible.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Figure;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Ranking {
    /// Rows with a score.
    pub rows: Option<i64>,
    /// Sizes of the top, in rows; those beyond the list are the list.
    pub tops: Vec<Top>,
    pub sets: Vec<RankedSet>,
    /// More distinct scores than are kept: scores are in this many bins, and those of a bin count as equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bins: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Top {
    pub k: i64,
    /// Rows of the score at the cut, and the places left for them. Absent where counts are withheld.
    pub at_cut: Option<[i64; 2]>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RankedSet {
    pub across: Vec<Arc<str>>,
    pub cohorts: Vec<Ranked>,
    /// Normalised discounted cumulative Kullback-Leibler divergence of the tops of the list from the list; 0 where every top is made up like it.
    pub ndkl: Option<f64>,
    /// Among the first ranks, up to 10,000, those at which a cohort has fewer places than its share of the list rounded down.
    pub infeasible: Option<Infeasible>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Infeasible {
    pub ranks: i64,
    pub of: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Ranked {
    pub cohort: String,
    /// One per size of the top: share of the cohort that is in it.
    pub selected: Vec<Figure>,
    /// The same over that of all rows: how often the cohort is in the top, of how often it is in the list.
    pub ratio: Vec<Figure>,
    pub exposure: Figure,
}
