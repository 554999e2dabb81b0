//! `[measure.data]`: representation, missing values, proxies.

use serde::{Deserialize, Serialize};

/// `[measure.data]`: representation, missing values, proxies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DataBias {}
