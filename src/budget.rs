//! What a release costs in privacy, how its noise was drawn, and the proof that it was paid.
//!
//! Costs are kept in integers of 10^-12, rounded up: sums are exact and the same everywhere. A cost has two faces. `epsilon` is there while
//! every part is pure differential privacy; `rho` (zero-concentrated differential privacy, Bun and Steinke 2016) is always there and adds up
//! over releases of any kind; `delta` is what has no rho, such as a threshold that may let a key through.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub mod accounting;
pub mod composition;
pub mod ledger;

/// Units in one: costs are multiples of 10^-12.
pub const UNITS: u64 = 1_000_000_000_000;

/// A cost in units of 10^-12. Adding never wraps: it stops at the greatest integer, which nothing can afford.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Charge {
    pub rho: u64,
    pub delta: u64,
    /// None when a part is not pure.
    pub epsilon: Option<u64>,
}

impl Charge {
    /// Costs nothing.
    pub const FREE: Charge = Charge { rho: 0, delta: 0, epsilon: Some(0) };

    /// The cost of both, one after the other.
    pub fn plus(self, other: Charge) -> Charge {
        Charge {
            rho: self.rho.saturating_add(other.rho),
            delta: self.delta.saturating_add(other.delta),
            epsilon: self.epsilon.zip(other.epsilon).map(|(a, b)| a.saturating_add(b)),
        }
    }
}

/// What is set aside for one statistic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// Name of the demand.
    pub statistic: Arc<str>,
    pub charge: Charge,
}

/// How evidence was made publishable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// As counted, without noise. No differential-privacy claim holds for what is computed from it.
    Exact,
    /// Integer noise with P(x) proportional to exp(-|x| / scale).
    DiscreteLaplace,
    /// Integer noise with P(x) proportional to exp(-x^2 / (2 sigma^2)).
    DiscreteGaussian,
}

/// The noise of one released statistic. Every number of it has noise of its own of this law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Noise {
    /// The scale of Laplace noise or sigma^2 of Gaussian noise, as a fraction in the statistic's own units.
    pub parameter: String,
    /// Variance of the noise in one number, in the statistic's own units squared.
    pub variance: f64,
    /// What one privacy unit can change, in the statistic's own units: sum of absolute changes, or root of the sum of their squares.
    pub sensitivity: String,
    /// Numbers that were released.
    pub numbers: u64,
    pub charge: Charge,
}

/// One statistic that passed the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Receipt {
    /// Name of the demand.
    pub statistic: Arc<str>,
    pub shape: Arc<str>,
    pub mechanism: Mechanism,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
}
