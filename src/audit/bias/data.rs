//! The data themselves: representation, missing values, proxies of protected columns.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Figure;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct DataBias {
    /// One per set of attributes.
    pub representation: Vec<Representation>,
    /// The columns whose missing values differ most between cohorts first; those without a missing value are left out.
    pub missing: Vec<MissingValues>,
    /// Columns without a missing value.
    pub complete: u32,
    /// One per attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<Proxies>,
    /// Columns that were not looked at, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Shares of the rows of one set of attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Representation {
    pub across: Vec<Arc<str>>,
    pub cohorts: Vec<Represented>,
    /// Rows of unknown cohort or outside the levels, of all rows.
    pub unknown: Figure,
    /// Where a population is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// The expected shares are products of those of the columns.
    #[serde(default)]
    pub product: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Represented {
    pub cohort: String,
    /// Of the rows of known cohort.
    pub share: Figure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<AgainstPopulation>,
}

/// A share compared with that of the population, which counts as known without error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AgainstPopulation {
    pub expected: f64,
    pub difference: Figure,
    pub ratio: Figure,
    /// Of equality with the expected share, adjusted by Holm over the cohorts of the set. Absent where the share is withheld.
    pub p_holm: Option<f64>,
}

/// How far the shares are from those of the population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Fit {
    /// Pearson's statistic; corrected to first order where rows share units or carry weights. Absent where the shares are withheld.
    pub chi_squared: Option<f64>,
    pub degrees: u32,
    pub p: Option<f64>,
    /// p is that of random tables, because an expected number of rows is below 5.
    pub drawn: bool,
    /// Half the sum of the absolute differences.
    pub total_variation: Figure,
    /// Greatest absolute difference.
    pub infinity_norm: Figure,
    /// Of the shares from those of the population, in nats.
    pub kullback_leibler: Option<f64>,
    pub jensen_shannon: Option<f64>,
    /// What the Kullback-Leibler divergence is on average when the shares are equal: (cohorts - 1) / (2 rows).
    pub kullback_leibler_at_equality: Option<f64>,
}

/// Missing values of one column by the cohorts of one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct MissingValues {
    pub column: Arc<str>,
    pub across: Vec<Arc<str>>,
    /// Share missing among all rows.
    pub everyone: Figure,
    pub cohorts: Vec<MissingShare>,
    /// Greatest minus least share; the interval holds for all pairs at once.
    pub worst_pair: Figure,
    pub most: Option<String>,
    pub least: Option<String>,
    /// Of independence of cohort and missing value.
    pub p: Option<f64>,
    /// Adjusted over columns and sets (Benjamini and Hochberg 1995).
    pub p_adjusted: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct MissingShare {
    pub cohort: String,
    pub share: Figure,
}

/// Columns that tell the levels of a protected column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Proxies {
    pub attribute: Arc<str>,
    /// Levels that are told from the rest: those with enough rows.
    pub levels: Vec<Arc<str>>,
    /// Levels with too few rows, or beyond the greatest number of levels looked at.
    pub levels_left_out: u32,
    /// Each column alone, the strongest first.
    pub columns: Vec<Proxy>,
    pub together: Together,
}

/// How one column tells a protected column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Proxy {
    pub column: Arc<str>,
    pub numeric: bool,
    /// The protected column is computed from it, or it from the protected column.
    pub computed: bool,
    /// The level it tells best: the one with the greatest lower end of the interval.
    pub level: Option<Arc<str>>,
    /// Chance that of two rows, one of this level and one of another, the column puts the right one first. The interval holds for all levels
    /// at once.
    pub auc: Figure,
    /// Of a number: whether greater values speak for the level.
    pub greater: Option<bool>,
    /// Half the share of pairs in the same bin of a number: the value without bins is at most this far away.
    pub binning: f64,
    /// Share of a number's variance that lies between the levels.
    pub r_squared: Option<f64>,
    /// Bias-corrected.
    pub cramers_v: Option<f64>,
    /// Share of the protected column's entropy that is known once the column is, corrected for its size by chance.
    pub uncertainty: Option<f64>,
    /// Of independence of the two columns.
    pub p: Option<f64>,
    /// Adjusted over all columns and protected columns (Benjamini and Hochberg 1995).
    pub p_adjusted: Option<f64>,
    pub found: bool,
}

/// How all columns together tell a protected column, on rows that were not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Together {
    /// Why it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub columns: Vec<Arc<str>>,
    /// 1 - squared error / squared error of the level's share alone, over all levels.
    pub r_squared: Figure,
    pub levels: Vec<Told>,
}

/// How one level is told from the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Told {
    pub level: Arc<str>,
    pub auc: Figure,
    pub r_squared: Figure,
    pub found: bool,
}
