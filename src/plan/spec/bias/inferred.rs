//! `[measure.inferred.NAME]`: cohorts known by probability.

use serde::{Deserialize, Serialize};

/// `[measure.inferred.NAME]`: cohorts known by probability.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Inferred {}
