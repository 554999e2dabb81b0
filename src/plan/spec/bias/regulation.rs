//! `[[measure.regulation]]`: rules whose figures are printed.

use serde::{Deserialize, Serialize};

/// `[[measure.regulation]]`: rules whose figures are printed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Regulation {}
