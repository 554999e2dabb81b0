//! Choosing one of several candidates by noisy scores: the exponential mechanism, permute-and-flip, and quantiles by either.
//!
//! Scores are integers of a declared sensitivity D: what one privacy unit can change in any score. Candidate i comes up in proportion to
//! exp(epsilon s_i / (2 D)) (McSherry and Talwar 2007), or is the first in a random order to pass a trial of chance
//! exp(epsilon (s_i - s_max) / (2 D)) (McKenna and Sheldon 2020, *Permute-and-Flip*), which is never worse on average. Trials are decided by
//! integers; no floating point takes part.

use rand::Rng;

use crate::budget::{Charge, UNITS};
use crate::privatize::noise::chance::{below, bernoulli_exp};

#[cfg(test)]
mod tests;

/// How a candidate is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Exponential,
    PermuteAndFlip,
}

/// A choice that costs a pure epsilon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    choice: Choice,
    epsilon: u64,
    sensitivity: u64,
}

impl Selection {
    /// `epsilon` in units of 10^-12, `sensitivity` in units of the scores. None when the sensitivity is zero.
    pub fn new(choice: Choice, epsilon: u64, sensitivity: u64) -> Option<Selection> {
        (sensitivity > 0).then_some(Selection { choice, epsilon, sensitivity })
    }

    /// What one choice costs. rho is epsilon^2 / 8 for the exponential mechanism, whose log ratios lie in a range of width epsilon (Cesar and
    /// Rogers 2021, *Bounding, Concentrating, and Truncating*), and epsilon^2 / 2 for permute-and-flip, which has no such range (Bun and Steinke 2016).
    pub fn charge(&self) -> Charge {
        let part = match self.choice {
            Choice::Exponential => 8,
            Choice::PermuteAndFlip => 2,
        };
        let square = u128::from(self.epsilon) * u128::from(self.epsilon);
        let rho = square.div_ceil(part * u128::from(UNITS));
        Charge { rho: u64::try_from(rho).unwrap_or(u64::MAX), delta: 0, epsilon: Some(self.epsilon) }
    }

    /// The place of the chosen candidate; none without candidates.
    pub fn select(&self, random: &mut impl Rng, scores: &[i64]) -> Option<usize> {
        let best = *scores.iter().max()?;
        let mut left: Vec<usize> = (0..scores.len()).collect();
        loop {
            let drawn = below(random, left.len() as u128) as usize;
            let candidate = left[drawn];
            if self.passes(random, best.abs_diff(scores[candidate])) {
                return Some(candidate);
            }
            if self.choice == Choice::PermuteAndFlip {
                // Never empty: the best passes whenever it is drawn.
                left.swap_remove(drawn);
            }
        }
    }

    /// True with chance exp(-epsilon behind / (2 D)).
    fn passes(&self, random: &mut impl Rng, behind: u64) -> bool {
        let numerator = u128::from(self.epsilon) * u128::from(behind);
        bernoulli_exp(random, numerator, 2 * u128::from(self.sensitivity) * u128::from(UNITS))
    }
}

/// Which two datasets differ by one privacy unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// One has a unit more.
    AddRemove,
    /// A unit has other rows.
    ChangeOne,
}

/// A quantile to look for, numerator / denominator between 0 and 1, among declared candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantile {
    numerator: u32,
    denominator: u32,
}

impl Quantile {
    /// None when the fraction is not between 0 and 1.
    pub fn new(numerator: u32, denominator: u32) -> Option<Quantile> {
        (denominator > 0 && numerator <= denominator).then_some(Quantile { numerator, denominator })
    }

    /// The score of a candidate with this many rows below and above it: -|(b - a) below - a above| for a quantile a / b. It is zero for a
    /// candidate that splits the rows as asked for. Rows equal to the candidate count on neither side, so that a value many rows share can be chosen.
    pub fn score(&self, below: u64, above: u64) -> i64 {
        let (a, b) = (i128::from(self.numerator), i128::from(self.denominator));
        let off = ((b - a) * i128::from(below) - a * i128::from(above)).abs();
        // Stopping at the least integer brings scores nearer together, never further apart: the sensitivity still holds.
        i64::try_from(-off).unwrap_or(i64::MIN)
    }

    /// What a unit of so many rows can change in any score. A row that comes or goes is below or above a candidate, or equal to it:
    /// it changes the score by b - a, a or 0, at most max(a, b - a). A row that moves can change sides: b.
    pub fn sensitivity(&self, neighbours: Neighbours, rows_per_unit: u32) -> u64 {
        let row = match neighbours {
            Neighbours::AddRemove => self.numerator.max(self.denominator - self.numerator),
            Neighbours::ChangeOne => self.denominator,
        };
        u64::from(row) * u64::from(rows_per_unit)
    }

    /// Scores of candidates, from values in ascending order with their numbers of rows.
    pub fn scores(&self, values: &[(i64, u64)], candidates: &[i64]) -> Vec<i64> {
        let mut sums = vec![0u64];
        for (_, rows) in values {
            sums.push(sums[sums.len() - 1].saturating_add(*rows));
        }
        let all = sums[values.len()];
        let score = |candidate: &i64| {
            let below = sums[values.partition_point(|(value, _)| value < candidate)];
            let reached = sums[values.partition_point(|(value, _)| value <= candidate)];
            self.score(below, all.saturating_sub(reached))
        };
        candidates.iter().map(score).collect()
    }
}
