//! `[measure.inferred.NAME]`: cohorts known by probability.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `[measure.inferred.NAME]`: cohorts known by probability, such as BISG gives. Rates of a level weigh every row by its probability. NAME is used
/// in `[[judge]] across`; it is no name of a column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Inferred {
    /// The column of probabilities of each level.
    pub columns: BTreeMap<String, String>,
    /// Level the others are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where the probabilities come from, for the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Greatest share of rows whose probabilities are not within 0 and 1 or do not sum to one; beyond it nothing is measured.
    #[serde(default)]
    pub sum_wrong_share_max: f64,
}
