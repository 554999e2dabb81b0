//! `[measure.subgroups]`: the search for subgroups.

use serde::{Deserialize, Serialize};

/// `[measure.subgroups]`: the search for subgroups.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subgroups {}
