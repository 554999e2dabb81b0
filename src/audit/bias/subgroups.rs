//! Search for combinations of columns where a model does worst.

use serde::{Deserialize, Serialize};

use super::Figure;
use crate::estimate::Measured;

/// What the searches found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Subgroups {
    /// Columns whose levels were combined.
    pub columns: Vec<String>,
    /// Most conditions of a subgroup.
    pub depth_max: u32,
    /// Weight of the loss against the size in the score.
    pub alpha: f64,
    /// With no true subgroup the chance that a search reports one is at most 1 minus this.
    pub confidence: f64,
    pub searches: Vec<Search>,
    pub notes: Vec<String>,
}

/// One search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Search {
    /// What is counted against a row, as the pipeline file names it.
    pub of: String,
    /// The same in words: `wrong`.
    pub what: String,
    /// A mean of numbers, not a share of rows.
    pub numeric: bool,
    /// Rows of the half that was searched and of the half that was tested; withheld where counts are.
    pub rows_searched: Option<i64>,
    pub rows_tested: Option<i64>,
    /// Fewest rows of a subgroup in the half that was searched.
    pub rows_min: i64,
    /// The mean loss of the half that was tested.
    pub overall: Option<Figure>,
    /// Combinations that were counted; the others cannot beat those that were kept.
    pub counted: u64,
    /// Subgroups that were tested.
    pub tested: u32,
    /// Those that held, worst first.
    pub found: Vec<Found>,
    /// Why nothing was searched.
    pub not_searched: Option<String>,
}

/// A subgroup that held on rows it was not found on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Found {
    /// `age from 25 to below 35` and the like.
    pub conditions: Vec<String>,
    /// Score of the search; withheld where counts are.
    pub score: Option<f64>,
    /// Held-out rows of the subgroup, and the share or mean of the loss in it and outside it.
    pub inside: Figure,
    pub outside: Figure,
    pub difference: Figure,
    /// Two-sided, before and after Holm's procedure over all that were tested; withheld with the figures.
    pub p: Option<f64>,
    pub p_adjusted: Option<f64>,
    /// Log-likelihood ratio of the subgroup against the overall share, on held-out rows (the scan statistic of one subgroup).
    pub likelihood_ratio: Option<f64>,
    pub sentence: String,
    /// The difference as it is judged; not in the file.
    #[serde(skip)]
    pub measured: Option<Measured>,
}
