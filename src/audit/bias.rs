//! What was found out about fairness beyond the readings of cohorts.

use serde::{Deserialize, Serialize};

pub mod data;
pub mod individual;
pub mod inferred;
pub mod mitigation;
pub mod regulation;
pub mod strata;
pub mod subgroups;
pub mod sweep;
pub mod tests;

pub use data::DataBias;
pub use individual::Individual;
pub use inferred::Inferred;
pub use mitigation::Mitigation;
pub use regulation::Regulation;
pub use strata::Strata;
pub use subgroups::Subgroups;
pub use sweep::Sweep;
pub use tests::Tests;

/// One field for each part; what was not asked for, or cannot be computed from the columns there are, is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bias {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<Strata>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataBias>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroups: Option<Subgroups>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual: Option<Individual>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inferred: Vec<Inferred>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regulation: Vec<Regulation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<Mitigation>,
}

impl Bias {
    pub fn is_empty(&self) -> bool {
        *self == Bias::default()
    }
}
