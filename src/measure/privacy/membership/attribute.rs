//! Attribute inference: does the model help to guess a sensitive level of someone whose other columns and outcome are known?
//!
//! Without the model the guess is the level most frequent among other people with the same other columns. With it each level's frequency is
//! multiplied by how likely the model finds the known outcome with that level put in. Frequencies come from people outside the attacked rows, one added to
//! every level; the lowest of equal levels is guessed.

use std::collections::BTreeMap;

use super::super::bounds::clopper_pearson;
use super::{Ends, MembershipError, log_loss};

/// What is known of the rows under attack and of other people.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    /// Number of levels of the sensitive column; codes are below it.
    pub levels: u32,
    /// The level of each row under attack.
    pub truth: &'a [u32],
    /// A code of all its other columns together.
    pub others: &'a [u32],
    /// Log likelihood of its outcome with each level put in, row by row.
    pub likelihood: &'a [f64],
    /// Code of the other columns, and level, of people outside.
    pub outside: &'a [(u32, u32)],
}

/// How much more often the guess is right with the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Advantage {
    pub rows: u64,
    pub right_with: u64,
    pub right_without: u64,
    /// Right with the model only.
    pub gained: u64,
    /// Right without it only.
    pub lost: u64,
    /// (gained - lost) / rows.
    pub gain: Ends,
}

/// Log likelihoods of a known number under predictions with each level put in, errors normal with the model's residual deviation; up to a constant.
pub fn linear_likelihoods(predictions: &[f64], known: f64, deviation: f64) -> Vec<f64> {
    let scaled = |prediction: &f64| (prediction - known) / deviation.max(f64::MIN_POSITIVE);
    predictions.iter().map(|prediction| -scaled(prediction).powi(2) / 2.0).collect()
}

/// Log likelihoods of a known outcome under predictors (log odds) with each level put in.
pub fn logistic_likelihoods(predictors: &[f64], outcome: bool) -> Vec<f64> {
    predictors.iter().map(|&predictor| -log_loss(predictor, f64::from(u8::from(outcome)))).collect()
}

/// The gain of the guess with the model over the one without it.
pub fn attribute_inference(attack: Attribute<'_>, confidence: f64) -> Result<Advantage, MembershipError> {
    attack.check()?;
    let levels = attack.levels as usize;
    let mut frequencies: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut everyone = vec![1u64; levels];
    for &(others, level) in attack.outside {
        frequencies.entry(others).or_insert_with(|| vec![1; levels])[level as usize] += 1;
        everyone[level as usize] += 1;
    }
    let (mut both, mut gained, mut lost) = (0, 0, 0);
    for (row, (&truth, others)) in attack.truth.iter().zip(attack.others).enumerate() {
        let counts = frequencies.get(others).unwrap_or(&everyone);
        let prior = |level: usize| (counts[level] as f64).ln();
        let likelihood = &attack.likelihood[row * levels..(row + 1) * levels];
        let without = largest(levels, prior) == truth as usize;
        let with = largest(levels, |level| prior(level) + likelihood[level]) == truth as usize;
        match (with, without) {
            (true, true) => both += 1,
            (true, false) => gained += 1,
            (false, true) => lost += 1,
            (false, false) => {}
        }
    }
    let rows = attack.truth.len() as u64;
    let half = (1.0 - confidence) / 2.0;
    let ((gained_low, gained_high), (lost_low, lost_high)) =
        (clopper_pearson(gained, rows, half), clopper_pearson(lost, rows, half));
    let value = (gained as f64 - lost as f64) / rows as f64;
    let gain = Ends { value, lower: gained_low - lost_high, upper: gained_high - lost_low };
    Ok(Advantage { rows, right_with: both + gained, right_without: both + lost, gained, lost, gain })
}

/// The first of the levels with the largest value.
fn largest(levels: usize, of: impl Fn(usize) -> f64) -> usize {
    (0..levels).reduce(|best, level| if of(level) > of(best) { level } else { best }).unwrap_or(0)
}

impl Attribute<'_> {
    fn check(&self) -> Result<(), MembershipError> {
        let (n, levels) = (self.truth.len(), self.levels as usize);
        if n == 0 || levels == 0 {
            return Err(MembershipError::NoRows);
        }
        let length = |what, found, expected| match found == expected {
            true => Ok(()),
            false => Err(MembershipError::Length { what, found, expected }),
        };
        length("the other columns", self.others.len(), n)?;
        length("the likelihood", self.likelihood.len(), n.saturating_mul(levels))?;
        let unknown = self.truth.iter().position(|&level| level >= self.levels);
        let unknown = unknown.or_else(|| self.outside.iter().position(|&(_, level)| level >= self.levels));
        let nan = || self.likelihood.iter().position(|value| value.is_nan()).map(|at| at / levels);
        match (unknown, nan()) {
            (Some(row), _) => Err(MembershipError::NotANumber { what: "the level", row }),
            (_, Some(row)) => Err(MembershipError::NotANumber { what: "the likelihood", row }),
            _ => Ok(()),
        }
    }
}
