//! Randomising each record by itself: levels by randomised response, numbers by noise on a grid, and the estimators that undo it.
//!
//! Levels (Warner 1965 for two; Kairouz, Bonawitz and Ramage 2016 for k): the record tells its level with chance p, and each other level with
//! chance q; p / q is at most exp(epsilon). Chances are fractions of integers, and exp(epsilon) is rounded down, so that the epsilon
//! spent is never above the one declared. Numbers: discrete Laplace noise of scale (upper - lower) / epsilon, in steps of the grid.

use num_bigint::BigUint;
use rand::Rng;

use super::noise::chance::below;
use super::noise::{Scale, discrete_laplace, laplace_variance};
use crate::budget::UNITS;

#[cfg(test)]
mod tests;

/// An estimate from randomised records. `variance` is that of randomising alone: who is in the data is taken as given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Undone {
    pub value: f64,
    pub variance: f64,
}

/// Randomised response over levels 0, ..., levels - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    levels: u64,
    /// Weights of the own level and of each other one.
    own: u128,
    other: u128,
}

impl Response {
    /// Greatest epsilon: above it a record is as good as told, and weights would leave 128 bits.
    pub const EPSILON_MAX: u64 = 40 * UNITS;
    /// Bits of the weight of another level: exp(epsilon) is rounded down to a multiple of 2^-60.
    const BITS: u32 = 60;

    /// `epsilon` in units of 10^-12. None for fewer than two levels, or an epsilon above [`Response::EPSILON_MAX`].
    pub fn new(levels: u32, epsilon: u64) -> Option<Response> {
        if levels < 2 || epsilon > Response::EPSILON_MAX {
            return None;
        }
        let own = exponential_below(epsilon, Response::BITS)?;
        Some(Response { levels: levels.into(), own, other: 1 << Response::BITS })
    }

    /// Chances of the own level and of each other one.
    pub fn chances(&self) -> (f64, f64) {
        let all = self.own as f64 + (self.levels - 1) as f64 * self.other as f64;
        (self.own as f64 / all, self.other as f64 / all)
    }

    /// What is published for a record of this level; none for a level that is not declared.
    pub fn respond(&self, random: &mut impl Rng, level: u32) -> Option<u32> {
        let level = u64::from(level);
        if level >= self.levels {
            return None;
        }
        let drawn = below(random, self.own + u128::from(self.levels - 1) * self.other);
        let told = match drawn.checked_sub(self.own) {
            None => level,
            // The others in order, the own level left out.
            Some(beyond) => {
                let place = u64::try_from(beyond / self.other).ok()?;
                place + u64::from(place >= level)
            }
        };
        u32::try_from(told).ok()
    }

    /// Numbers of records by level, from the numbers published by level: (published - n q) / (p - q). Unbiased, so it can be below zero.
    /// Variance: (n_j p (1 - p) + (n - n_j) q (1 - q)) / (p - q)^2 at the estimated n_j. None for other than the declared levels, or
    /// without chances that differ.
    pub fn undo(&self, published: &[u64]) -> Option<Vec<Undone>> {
        let (p, q) = self.chances();
        // The weights tell whether the chances differ; their floating-point difference loses nothing but its last bits.
        let gap = (self.own - self.other) as f64 / self.other as f64 * q;
        if published.len() as u64 != self.levels || gap <= 0.0 {
            return None;
        }
        let all: f64 = published.iter().map(|count| *count as f64).sum();
        let undone = |count: &u64| {
            let value = (*count as f64 - all * q) / gap;
            let held = value.clamp(0.0, all);
            Undone { value, variance: (held * p * (1.0 - p) + (all - held) * q * (1.0 - q)) / (gap * gap) }
        };
        Some(published.iter().map(undone).collect())
    }
}

/// Noise on numbers of a declared range, in steps of their grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noised {
    lower: i64,
    upper: i64,
    scale: Option<Scale>,
}

impl Noised {
    /// `epsilon` in units of 10^-12. None when the bounds are the wrong way round, epsilon is zero, or the scale is above [`Scale::GREATEST`].
    pub fn new(lower: i64, upper: i64, epsilon: u64) -> Option<Noised> {
        if lower > upper || epsilon == 0 {
            return None;
        }
        // A range of one value tells nothing and needs no noise.
        let scale = match upper.abs_diff(lower) {
            0 => None,
            width => Some(Scale::new(u128::from(width) * u128::from(UNITS), epsilon.into())?),
        };
        Some(Noised { lower, upper, scale })
    }

    /// What is published for a number; it is moved into the range first.
    pub fn respond(&self, random: &mut impl Rng, number: i64) -> i128 {
        let noise = self.scale.map_or(0, |scale| discrete_laplace(random, &scale));
        i128::from(number.clamp(self.lower, self.upper)).saturating_add(noise)
    }

    /// Variance of the noise in one published number.
    pub fn variance(&self) -> f64 {
        self.scale.as_ref().map_or(0.0, laplace_variance)
    }

    /// Mean of the numbers: that of the published ones, with the variance of noise / n. None without numbers.
    pub fn mean(&self, published: &[i128]) -> Option<Undone> {
        let n = published.len() as f64;
        let value = self.centre(published)?;
        Some(Undone { value, variance: self.variance() / n })
    }

    /// Variance of the numbers (divisor n - 1): that of the published ones less that of the noise. Unbiased, so it can be below zero. None for
    /// fewer than two numbers. Its own variance is that of the noise: 4 s^2 v / (n - 1) + (k + 2 v^2 / (n - 1)) / n with s^2 the estimate, v the
    /// variance of the noise and k that of its square.
    pub fn spread(&self, published: &[i128]) -> Option<Undone> {
        let centre = self.centre(published)?;
        let n = published.len() as f64;
        if published.len() < 2 {
            return None;
        }
        let squares: f64 = published.iter().map(|number| (*number as f64 - centre).powi(2)).sum();
        let noise = self.variance();
        let value = squares / (n - 1.0) - noise;
        // The fourth moment of discrete Laplace noise of variance v is 6 v^2 + v.
        let of_square = 5.0 * noise * noise + noise;
        let variance = 4.0 * value.max(0.0) * noise / (n - 1.0) + (of_square + 2.0 * noise * noise / (n - 1.0)) / n;
        Some(Undone { value, variance })
    }

    fn centre(&self, published: &[i128]) -> Option<f64> {
        let first = *published.first()?;
        // Around the first number: sums of large numbers that differ little keep their digits.
        let off: f64 = published.iter().map(|number| number.saturating_sub(first) as f64).sum();
        Some(first as f64 + off / published.len() as f64)
    }
}

/// An integer at most 2^bits exp(epsilon), and nearer than one part in 2^bits: the series, every term rounded down.
fn exponential_below(epsilon: u64, bits: u32) -> Option<u128> {
    const GUARD: u32 = 64;
    let (mut term, mut sum) = (BigUint::from(1u32) << (bits + GUARD), BigUint::from(0u32));
    let mut place: u64 = 0;
    while term != BigUint::from(0u32) {
        sum += &term;
        place += 1;
        term = term * epsilon / (u128::from(UNITS) * u128::from(place));
    }
    u128::try_from(sum >> GUARD).ok()
}
