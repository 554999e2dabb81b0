//! Keys nobody declared: a key is released when its noisy number of rows reaches a threshold.
//!
//! A key that only one unit has would give that unit away. Rule: keep when count + noise >= tau. With at most m rows of a unit per key and l0
//! keys per unit, the chance that any key of the unit alone is kept is
//!
//! delta = 1 - (1 - P(X >= tau - m))^l0, and for discrete Laplace noise P(X >= j) = q^j / (1 + q), q = exp(-1 / scale), j >= 0.
//!
//! The tail includes the threshold itself: taking P(X > tau - m), as some do for the rule `>=`, states a delta too small by a factor of up to
//! exp(1 / scale). This delta comes on top of what the noise of the counts costs.

use rand::Rng;
use statrs::function::erf::erfc;

use super::noise::Law;
use crate::budget::UNITS;

#[cfg(test)]
mod tests;

/// Above this sigma^2 a Gaussian tail is bounded by an integral, below it is summed.
const SUMMED_MAX: f64 = 1e6;
/// More than the rounding of a delta in floating point, as a share of it.
const ROUNDING: f64 = 1e-10;

/// A rule for keys that were not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    law: Law,
    tau: i64,
    rows_per_key: u32,
    keys_per_unit: u32,
}

impl Threshold {
    /// Noise of this law; `tau` in rows; at most `rows_per_key` rows of a unit in a key, and `keys_per_unit` keys of a unit.
    pub fn new(law: Law, tau: i64, rows_per_key: u32, keys_per_unit: u32) -> Threshold {
        Threshold { law, tau, rows_per_key, keys_per_unit }
    }

    /// The smallest threshold whose delta is at most this many units of 10^-12. None when no threshold within 2^62 is enough.
    pub fn smallest(law: Law, delta: u64, rows_per_key: u32, keys_per_unit: u32) -> Option<Threshold> {
        let rule = |tau| Threshold::new(law, tau, rows_per_key, keys_per_unit);
        let enough = |tau: &i64| rule(*tau).delta_units() <= delta;
        let least = i64::from(rows_per_key);
        let reach = (0..=62).map(|bits| least.saturating_add(1 << bits)).find(enough)?;
        // One below the rows of a unit, a tail of more than one half: nothing smaller is looked at.
        let (mut short, mut far) = (least - 1, reach);
        while far - short > 1 {
            let middle = short + (far - short) / 2;
            if enough(&middle) { far = middle } else { short = middle }
        }
        Some(rule(far))
    }

    /// The threshold, in rows.
    pub fn tau(&self) -> i64 {
        self.tau
    }

    /// The chance that a unit's own keys give it away.
    pub fn delta(&self) -> f64 {
        if self.keys_per_unit == 0 {
            return 0.0;
        }
        let tail = tail(&self.law, i128::from(self.tau) - i128::from(self.rows_per_key));
        -libm::expm1(f64::from(self.keys_per_unit) * libm::log1p(-tail))
    }

    /// Delta in units of 10^-12, rounded up; never zero where a key can be kept.
    pub fn delta_units(&self) -> u64 {
        let units = libm::ceil(self.delta() * (1.0 + ROUNDING) * UNITS as f64) as u64;
        units.max(u64::from(self.keys_per_unit > 0))
    }

    /// The noisy number of rows of a key, when the key is kept.
    pub fn noised(&self, random: &mut impl Rng, rows: i64) -> Option<i128> {
        let noisy = i128::from(rows).saturating_add(self.law.draw(random));
        (noisy >= i128::from(self.tau)).then_some(noisy)
    }
}

/// P(X >= j). For Gaussian noise of a sigma above a thousand an upper bound, off by less than one part in a thousand for j >= 1.
pub fn tail(law: &Law, j: i128) -> f64 {
    // Symmetry gives the other half: P(X >= j) = 1 - P(X >= 1 - j).
    let mirrored = j <= 0;
    let start = if mirrored { 1 - j } else { j } as f64;
    let above = match law {
        Law::Laplace(scale) => {
            let rate = 1.0 / scale.value();
            libm::exp(-rate * start) / (1.0 + libm::exp(-rate))
        }
        Law::Gaussian(variance) if variance.value() <= SUMMED_MAX => summed(variance.value(), start),
        // One minus an upper bound is none.
        Law::Gaussian(_) if mirrored => 0.0,
        Law::Gaussian(variance) => bounded(libm::sqrt(variance.value()), start),
    };
    if mirrored { 1.0 - above } else { above }
}

/// Sum of the masses from j on, over the sum of all.
fn summed(square: f64, j: f64) -> f64 {
    let density = |x: f64| libm::exp(-0.5 * x * x / square);
    // Forty sigma from the start: what is left out is below e^-800 of the sum.
    let steps = libm::ceil(40.0 * libm::sqrt(square)) as u32 + 2;
    let from = |start: f64| (0..steps).map(|step| density(start + f64::from(step))).rev().sum::<f64>();
    from(j) / (1.0 + 2.0 * from(1.0))
}

/// The density is convex beyond sigma, where a mass is at most the integral over the unit around it; nearer it falls, and a mass is at most the
/// integral over the unit before it. All masses sum to at least sigma sqrt(2 pi) (Poisson summation).
fn bounded(sigma: f64, j: f64) -> f64 {
    let from = if j - 0.5 >= sigma { j - 0.5 } else { j - 1.0 };
    0.5 * erfc(from / (sigma * std::f64::consts::SQRT_2))
}
