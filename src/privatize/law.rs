//! The law of a statistic's noise: which distribution, at which scale.
//!
//! Laplace noise of scale D1 / epsilon is epsilon-differentially private, D1 being the sum of absolute changes of one unit (Dwork et al. 2006;
//! for integers Ghosh, Roughgarden and Sundararajan 2009). Gaussian noise of variance D2^2 / (2 rho) is rho-zero-concentrated, D2^2 being
//! the sum of squared changes; for integers in any number of coordinates Canonne, Kamath and Steinke 2020, theorem 4.

use num_bigint::BigUint;

use super::noise::{Law, Scale};
use super::sensitivity::Sensitivity;
use crate::budget::{Charge, Mechanism, UNITS};

/// Greatest parameter that is drawn from: a standard deviation of 2^60.
const PARAMETER_BITS: u64 = 120;

impl Law {
    /// Laplace noise where the charge is pure, else Gaussian. None when the charge is zero or the noise beyond what can be drawn.
    pub fn of(sensitivity: &Sensitivity, charge: Charge) -> Option<Law> {
        let units = BigUint::from(UNITS);
        match charge.epsilon {
            Some(epsilon) => rounded_up(&sensitivity.l1 * units, BigUint::from(epsilon)).map(Law::Laplace),
            None => rounded_up(&sensitivity.l2_squared * units, BigUint::from(charge.rho) * 2u32).map(Law::Gaussian),
        }
    }

    /// Logarithm of how much likelier a released number is in the second world than in the first, the numbers being these without noise.
    pub fn evidence(&self, released: i128, [first, second]: [i128; 2]) -> f64 {
        let (a, b) = (released.saturating_sub(first) as f64, released.saturating_sub(second) as f64);
        match self {
            Law::Laplace(scale) => (a.abs() - b.abs()) / scale.value(),
            Law::Gaussian(variance) => (a * a - b * b) / (2.0 * variance.value()),
        }
    }

    pub fn mechanism(&self) -> Mechanism {
        match self {
            Law::Laplace(_) => Mechanism::DiscreteLaplace,
            Law::Gaussian(_) => Mechanism::DiscreteGaussian,
        }
    }

    pub fn parameter(&self) -> String {
        match self {
            Law::Laplace(scale) => format!("scale {scale}"),
            Law::Gaussian(variance) => format!("sigma^2 {variance}"),
        }
    }

    /// The sensitivity the parameter was made of.
    pub fn sensitivity(&self, sensitivity: &Sensitivity) -> String {
        match self {
            Law::Laplace(_) => format!("L1 {}", sensitivity.l1),
            Law::Gaussian(_) => format!("L2 sqrt({})", sensitivity.l2_squared),
        }
    }
}

/// The fraction in lowest terms; the next whole number where its parts do not fit 128 bits.
fn rounded_up(numerator: BigUint, denominator: BigUint) -> Option<Scale> {
    let zero = BigUint::from(0u32);
    if denominator == zero || numerator == zero {
        return None;
    }
    let whole = (&numerator + &denominator - 1u32) / &denominator;
    if whole.bits() > PARAMETER_BITS {
        return None;
    }
    match (u128::try_from(&numerator), u128::try_from(&denominator)) {
        (Ok(numerator), Ok(denominator)) if numerator.leading_zeros() > 0 => Scale::new(numerator, denominator),
        _ => Scale::new(u128::try_from(&whole).ok()?, 1),
    }
}
