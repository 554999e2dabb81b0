//! What a release costs in privacy, and the proof that it was paid.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How evidence was made publishable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// As counted, without noise. No differential-privacy claim holds for what is computed from it.
    Exact,
}

/// One statistic that passed the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Receipt {
    /// Name of the demand.
    pub statistic: Arc<str>,
    pub shape: Arc<str>,
    pub mechanism: Mechanism,
}
