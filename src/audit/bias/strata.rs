//! Cohorts compared within the strata of control columns.

use serde::{Deserialize, Serialize};

use super::Figure;

/// What was found in one set of attributes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Strata {
    pub across: Vec<String>,
    /// Control columns.
    pub given: Vec<String>,
    /// Why nothing of it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// Combinations of levels of the control columns that have rows.
    pub strata: Vec<Stratum>,
    /// Rows whose level of a control column is missing or none of its levels; they are in no stratum.
    pub rows_unknown: i64,
    pub rates: Vec<RateWithin>,
    pub within: Vec<Widest>,
    pub disparities: Vec<Disparity>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Stratum {
    pub levels: String,
    pub rows: i64,
}

/// One rate, and every cohort with the one it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RateWithin {
    pub metric: String,
    pub cohorts: Vec<Adjusted>,
}

/// One cohort compared with another within strata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Adjusted {
    pub cohort: String,
    /// The reference cohort; none for all other compared cohorts together.
    pub with: Option<String>,
    pub strata_used: u32,
    /// Strata in which one of the two has no row in its denominator.
    pub strata_left_out: u32,
    /// Rows of both cohorts' denominators in those.
    pub rows_left_out: i64,
    /// Difference without regard to strata.
    pub crude: Figure,
    /// Rates standardised to everyone's strata, and their difference.
    pub value: Figure,
    pub other: Figure,
    pub difference: Figure,
    /// Mantel and Haenszel's common odds ratio, ratio and difference of rates.
    pub odds_ratio: Figure,
    pub rate_ratio: Figure,
    pub rate_difference: Figure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<PooledTests>,
    /// Why there is no test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_tests: Option<String>,
    pub by_stratum: Vec<ByStratum>,
}

/// Tests of independent rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PooledTests {
    /// Cochran-Mantel-Haenszel: no difference in any stratum.
    pub chi2: f64,
    pub p: f64,
    /// The same with half a row taken off for continuity.
    pub chi2_corrected: f64,
    pub p_corrected: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homogeneity: Option<Homogeneity>,
}

/// Breslow and Day: equal odds ratios in all strata; with Tarone's correction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Homogeneity {
    pub chi2: f64,
    pub p: f64,
    pub chi2_tarone: f64,
    pub p_tarone: f64,
    pub df: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ByStratum {
    /// Position among the strata.
    pub stratum: u32,
    pub value: Figure,
    pub other: Figure,
    pub difference: Figure,
}

/// The two cohorts that differ most in a metric within one stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Widest {
    pub metric: String,
    pub stratum: u32,
    /// Cohorts with too few rows for a verdict; they are in no pair.
    pub too_few: u32,
    pub difference: Figure,
    pub ratio: Figure,
}

/// Conditional demographic disparity of a cohort: its share of those with outcome 0 minus its share of those with outcome 1, averaged over the
/// strata by their rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Disparity {
    /// `decision` or `label`.
    pub outcome: String,
    pub cohort: String,
    /// Strata in which only one outcome occurs.
    pub strata_left_out: u32,
    pub value: Figure,
}
