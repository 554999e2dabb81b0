//! `[measure.individual]`: treatment of alike rows.

use serde::{Deserialize, Serialize};

/// `[measure.individual]`: treatment of alike rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Individual {}
