//! What was found out about fairness beyond the readings of cohorts.

use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Measured};

pub mod classes;
pub mod curves;
pub mod data;
pub mod individual;
pub mod inferred;
pub mod mitigation;
pub mod ranking;
pub mod regulation;
pub mod strata;
pub mod subgroups;
pub mod sweep;
pub mod tests;

pub use classes::Classes;
pub use curves::Curves;
pub use data::DataBias;
pub use individual::Individual;
pub use inferred::Inferred;
pub use mitigation::Mitigation;
pub use ranking::Ranking;
pub use regulation::Regulation;
pub use strata::Strata;
pub use subgroups::Subgroups;
pub use sweep::Sweep;
pub use tests::Tests;

/// One field for each part; what was not asked for, or cannot be computed from the columns there are, is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Bias {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<Strata>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataBias>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranking: Option<Ranking>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classes>,
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

/// A figure with its interval, as it is published outside the readings. Points are finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Figure {
    Estimated {
        point: f64,
        /// An end that is not there is unbounded.
        lower: Option<f64>,
        upper: Option<f64>,
        /// Rows behind it; of a comparison, in the smaller cohort.
        n: i64,
    },
    Undefined {
        reason: String,
    },
    /// Withheld: a count behind it is below the publication limit, or would disclose one that is.
    Suppressed,
}

impl Figure {
    pub fn of(measured: &Measured) -> Figure {
        match measured {
            Measured::Estimated(estimate) => Figure::estimate(estimate),
            Measured::Undefined { why } => Figure::Undefined { reason: why.describe().into() },
            Measured::Suppressed => Figure::Suppressed,
        }
    }

    pub fn new(point: f64, interval: Interval, n: i64) -> Figure {
        match point.is_finite() {
            true => Figure::Estimated { point, lower: interval.lower, upper: interval.upper, n },
            false => Figure::Undefined { reason: "the value is no finite number".into() },
        }
    }

    fn estimate(estimate: &Estimate) -> Figure {
        Figure::new(estimate.point, estimate.interval, estimate.support.n)
    }

    pub fn point(&self) -> Option<f64> {
        match self {
            Figure::Estimated { point, .. } => Some(*point),
            Figure::Undefined { .. } | Figure::Suppressed => None,
        }
    }
}
