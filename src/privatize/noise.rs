//! Integer noise: discrete Laplace and discrete Gaussian, drawn exactly.
//!
//! The methods are those of Canonne, Kamath and Steinke (2020), *The Discrete Gaussian for Differential Privacy*, algorithms 1 to 3:
//! Bernoulli trials with rational or exponential chances, decided by integers. No floating point takes part in a draw. Where a product
//! leaves 128 bits the same trial is decided by integers of any size, from the same random words.
//!
//! The law is exact for any fraction up to 2^120 (a Gaussian sigma of 2^60). A draw beyond the greatest i128 stops there: for Laplace noise
//! at the greatest scale that has a chance of e^-128. How long a draw takes depends on its size (Jin, McMurtry, Rubinstein and Ohrimenko
//! 2022): times of single draws are not to be published.

use std::fmt;

use num_bigint::BigUint;
use rand::Rng;

pub(in crate::privatize) mod chance;
#[cfg(test)]
pub(in crate::privatize) mod tests;

use chance::{below, bernoulli_exp, bernoulli_exp_wide};

/// A positive fraction: the scale of Laplace noise, or the variance of Gaussian noise before rounding to integers (sigma^2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    numerator: u128,
    denominator: u128,
}

impl Scale {
    /// Greatest whole part of a scale: sigma^2 for a sigma of 2^60.
    pub const GREATEST: u128 = 1 << 120;

    /// The fraction in lowest terms. None when it is zero, has no denominator, or its whole part is above [`Scale::GREATEST`].
    pub fn new(numerator: u128, denominator: u128) -> Option<Scale> {
        let whole = numerator.checked_div(denominator)?;
        if numerator == 0 || whole > Scale::GREATEST {
            return None;
        }
        let divisor = greatest_divisor(numerator, denominator);
        Some(Scale { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    pub fn numerator(&self) -> u128 {
        self.numerator
    }

    pub fn denominator(&self) -> u128 {
        self.denominator
    }

    /// The fraction in floating point, for what is said about noise; never for drawing it.
    pub fn value(&self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// The law of a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Of this scale.
    Laplace(Scale),
    /// Of this sigma^2.
    Gaussian(Scale),
}

impl Law {
    pub fn draw(&self, random: &mut impl Rng) -> i128 {
        match self {
            Law::Laplace(scale) => discrete_laplace(random, scale),
            Law::Gaussian(variance) => discrete_gaussian(random, variance),
        }
    }

    /// Variance of a draw.
    pub fn variance(&self) -> f64 {
        match self {
            Law::Laplace(scale) => laplace_variance(scale),
            Law::Gaussian(variance) => gaussian_variance(variance),
        }
    }
}

/// An integer x with P(x) proportional to exp(-|x| / scale).
pub fn discrete_laplace(random: &mut impl Rng, scale: &Scale) -> i128 {
    loop {
        let size = i128::try_from(geometric(random, scale)).unwrap_or(i128::MAX);
        let negative = random.next_u64() >> 63 == 1;
        // Zero has one sign: with two it would come up twice as often as its share.
        if !(negative && size == 0) {
            return if negative { -size } else { size };
        }
    }
}

/// An integer x with P(x) proportional to exp(-x^2 / (2 variance)).
pub fn discrete_gaussian(random: &mut impl Rng, variance: &Scale) -> i128 {
    // Any t gives the exact law; one near sigma rejects least.
    let t = (variance.numerator / variance.denominator).isqrt() + 1;
    let proposal = Scale { numerator: t, denominator: 1 };
    loop {
        let drawn = discrete_laplace(random, &proposal);
        if kept(random, drawn.unsigned_abs(), t, variance) {
            return drawn;
        }
    }
}

/// Variance of discrete Laplace noise: 2 q / (1 - q)^2 with q = exp(-1 / scale), which is 1 / (2 sinh^2(1 / (2 scale))).
pub fn laplace_variance(scale: &Scale) -> f64 {
    let root = libm::sinh(0.5 / scale.value());
    0.5 / (root * root)
}

/// Variance of discrete Gaussian noise. Above a sigma of 2 it differs from sigma^2 by less than one part in 10^30.
pub fn gaussian_variance(variance: &Scale) -> f64 {
    let square = variance.value();
    if square >= 4.0 {
        return square;
    }
    let (mut mass, mut moment) = (1.0, 0.0);
    // 80 is forty sigma at least: what is left out is below e^-800.
    for x in 1..=80 {
        let x = f64::from(x);
        let density = 2.0 * libm::exp(-0.5 * x * x / square);
        mass += density;
        moment += x * x * density;
    }
    moment / mass
}

fn greatest_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// An integer y >= 0 with P(y) proportional to exp(-y / scale), in a few trials whatever the scale: u + numerator v, divided by the
/// denominator and rounded down, with u uniform below the numerator, kept by exp(-u / numerator), and v geometric with e^-1.
fn geometric(random: &mut impl Rng, scale: &Scale) -> u128 {
    let (numerator, denominator) = (scale.numerator, scale.denominator);
    let rest = loop {
        let rest = below(random, numerator);
        if bernoulli_exp(random, rest, numerator) {
            break rest;
        }
    };
    let mut whole: u128 = 0;
    while bernoulli_exp(random, 1, 1) {
        whole += 1;
    }
    match whole.checked_mul(numerator).and_then(|product| product.checked_add(rest)) {
        Some(sum) if denominator == 1 => sum,
        Some(sum) => sum / denominator,
        None => {
            let sum = BigUint::from(whole) * numerator + rest;
            u128::try_from(sum / denominator).unwrap_or(u128::MAX)
        }
    }
}

/// Whether a proposal of this size is kept: with chance exp(-(size - sigma^2 / t)^2 / (2 sigma^2)).
fn kept(random: &mut impl Rng, size: u128, t: u128, variance: &Scale) -> bool {
    match exponent(size, t, variance) {
        Some((numerator, denominator)) => bernoulli_exp(random, numerator, denominator),
        None => {
            let (numerator, denominator) = exponent_wide(size, t, variance);
            bernoulli_exp_wide(random, numerator, &denominator)
        }
    }
}

/// (size t d - n)^2 / (2 n d t^2) for sigma^2 = n / d, where both fit 128 bits.
fn exponent(size: u128, t: u128, variance: &Scale) -> Option<(u128, u128)> {
    let (n, d) = (variance.numerator, variance.denominator);
    let distance = size.checked_mul(t)?.checked_mul(d)?.abs_diff(n);
    let denominator = t.checked_mul(t)?.checked_mul(d)?.checked_mul(n)?.checked_mul(2)?;
    Some((distance.checked_mul(distance)?, denominator))
}

/// The same fraction of any size.
fn exponent_wide(size: u128, t: u128, variance: &Scale) -> (BigUint, BigUint) {
    let (n, d) = (BigUint::from(variance.numerator), variance.denominator);
    let reached = BigUint::from(size) * t * d;
    let distance = if reached > n { reached - &n } else { &n - reached };
    (&distance * &distance, n * d * t * t * 2u32)
}
