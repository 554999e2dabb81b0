//! `[mitigate]`: what can be done about a difference.

use serde::{Deserialize, Serialize};

/// `[mitigate]`: what can be done about a difference.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mitigate {}
