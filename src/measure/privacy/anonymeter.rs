//! Singling out, linkability and inference: the risks of a released file that the Article 29 Working Party named (WP216), measured by attacks on
//! the rows behind the file and on a control set of rows that were not used for it.
//!
//! What succeeds on the control set is knowledge about people in general; only the excess is a leak of the file (Giomi et al. 2023, "A unified
//! framework for quantifying privacy risk in synthetic data", PETS; definitions as in its implementation, Anonymeter):
//!
//! - rate of s successes in n guesses: (s + z^2 / 2) / (n + z^2), error z / (n + z^2) sqrt(s (n - s) / n + z^2 / 4) (Wilson);
//! - risk = (attack - control) / (1 - control), error by propagation, cut to 0 and 1 after the interval is formed.
//!
//! Rows are codes, one column of codes for each column of the file, the same code for the same value in all three files. A column that the file
//! generalises is coded as generalised in all three. Of an ordered column the codes are numbers. Attacks are drawn from a seed and do not
//! depend on anything else.

use std::collections::BTreeSet;

use rand::rngs::ChaCha20Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::estimate::normal;

mod neighbours;
mod predicate;

pub use neighbours::{inference, linkability};
pub use predicate::{singling_out, singling_out_by_one_column};

/// The code of a missing value: no number, equal to itself only.
pub const MISSING: u32 = u32::MAX;

/// The three files of an attack.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Rows the released file was made from.
    pub original: &'a [Vec<u32>],
    /// Rows of the same population that were not used for it.
    pub control: &'a [Vec<u32>],
    pub released: &'a [Vec<u32>],
    /// For each column: codes are numbers.
    pub ordered: &'a [bool],
}

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Guesses asked for.
    pub guesses: usize,
    pub confidence: f64,
    pub seed: u64,
}

/// Why an attack cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttackError {
    #[error("the {0} file has no rows: the attack needs an original, a control and a released file")]
    Empty(&'static str),
    #[error("row {row} of the {file} file has {found} columns, not {expected}")]
    Ragged { file: &'static str, row: usize, found: usize, expected: usize },
    #[error("column {0} of the attack is not in the files: name columns by position from 0")]
    NoColumn(usize),
    #[error("column {0} is named twice: columns of an attack must differ")]
    Repeated(usize),
    #[error("the attack names no column: give at least one for each part of it")]
    NoColumns,
    #[error("no neighbours: ask for at least one")]
    NoNeighbours,
}

/// Guesses of one attack on one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guesses {
    pub made: u64,
    pub right: u64,
}

/// A share with the half width of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub value: f64,
    pub error: f64,
}

/// What a reader must know beside the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The attack does no better than guessing without the file: it shows nothing about the risk.
    BaselineNotBeaten,
    /// The file allowed fewer guesses than were asked for; rates are of those made.
    FewerGuesses { asked: u64, made: u64 },
    /// No guess was made, so there is no rate.
    NoGuesses,
    /// Singling out compares files of equal size; the larger was cut to this many rows.
    CutTo { rows: u64 },
}

impl Warning {
    pub fn describe(self) -> String {
        match self {
            Warning::BaselineNotBeaten => {
                "The attack is right no more often than guesses without the file; a low risk may mean a weak attack."
                    .into()
            }
            Warning::FewerGuesses { asked, made } => {
                format!("The file allowed {made} guesses of {asked} asked for; rates are of those made.")
            }
            Warning::NoGuesses => "The file allowed no guess; there is no rate.".into(),
            Warning::CutTo { rows } => {
                format!(
                    "The original and the control file differ in size; {rows} rows drawn from the larger were used."
                )
            }
        }
    }
}

/// The risk of one attack. Rates are none where no guess was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
    /// Against rows behind the file.
    pub attack: Rate,
    /// Against rows that are not behind it.
    pub control: Rate,
    /// Guesses without the file, against rows behind it.
    pub baseline: Option<Rate>,
}

/// An attack and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attack {
    pub original: Guesses,
    pub control: Guesses,
    pub baseline: Guesses,
    /// None where no guess was made.
    pub risk: Option<Risk>,
    pub warnings: Vec<Warning>,
}

/// The success rate; none without guesses.
pub fn rate(guesses: Guesses, confidence: f64) -> Option<Rate> {
    if guesses.made == 0 {
        return None;
    }
    let (n, s) = (guesses.made as f64, guesses.right.min(guesses.made) as f64);
    let z = normal(confidence);
    let square = z * z;
    let value = (s + square / 2.0) / (n + square);
    let error = z / (n + square) * (s * (n - s) / n + square / 4.0).sqrt();
    Some(Rate { value, error })
}

/// The excess of the attack over the control, of what the control leaves; none without guesses on either.
pub fn risk(original: Guesses, control: Guesses, baseline: Guesses, confidence: f64) -> Option<Risk> {
    let (attack, control) = (rate(original, confidence)?, rate(control, confidence)?);
    // Below 1 for any number of guesses, unless the confidence is 0.
    let left = 1.0 - control.value;
    if left <= 0.0 {
        return None;
    }
    let value = (attack.value - control.value) / left;
    let error = (attack.error / left).hypot(control.error * (attack.value - 1.0) / (left * left));
    let cut = |share: f64| share.clamp(0.0, 1.0);
    Some(Risk {
        value: cut(value),
        lower: cut(value - error),
        upper: cut(value + error),
        attack,
        control,
        baseline: rate(baseline, confidence),
    })
}

/// Puts an attack together with its warnings.
fn attack(
    original: Guesses,
    control: Guesses,
    baseline: Guesses,
    effort: Effort,
    mut warnings: Vec<Warning>,
) -> Attack {
    let risk = risk(original, control, baseline, effort.confidence);
    let asked = effort.guesses as u64;
    let made = original.made.min(control.made);
    match made {
        0 => warnings.push(Warning::NoGuesses),
        made if made < asked => warnings.push(Warning::FewerGuesses { asked, made }),
        _ => {}
    }
    let beaten = |risk: &Risk| risk.baseline.is_none_or(|baseline| baseline.value < risk.attack.value);
    if risk.as_ref().is_some_and(|risk| !beaten(risk)) {
        warnings.push(Warning::BaselineNotBeaten);
    }
    Attack { original, control, baseline, risk, warnings }
}

impl Files<'_> {
    /// Rows in every file, as many columns in each row as there are kinds.
    fn check(&self) -> Result<(), AttackError> {
        let expected = self.ordered.len();
        if expected == 0 {
            return Err(AttackError::NoColumns);
        }
        for (file, rows) in [("original", self.original), ("control", self.control), ("released", self.released)] {
            if rows.is_empty() {
                return Err(AttackError::Empty(file));
            }
            if let Some(row) = rows.iter().position(|row| row.len() != expected) {
                return Err(AttackError::Ragged { file, row, found: rows[row].len(), expected });
            }
        }
        Ok(())
    }

    /// Columns that exist, each once.
    fn check_columns(&self, columns: &[usize]) -> Result<(), AttackError> {
        let mut seen = BTreeSet::new();
        for &column in columns {
            if column >= self.ordered.len() {
                return Err(AttackError::NoColumn(column));
            }
            if !seen.insert(column) {
                return Err(AttackError::Repeated(column));
            }
        }
        Ok(())
    }
}

/// The random choices of one part of an attack: parts do not disturb one another.
fn random(effort: Effort, part: u64) -> ChaCha20Rng {
    let mut random = ChaCha20Rng::seed_from_u64(effort.seed);
    random.set_stream(part);
    random
}

/// So many positions below n in a random order, each once; fewer where there are not as many.
fn some(n: usize, many: usize, random: &mut ChaCha20Rng) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..n).collect();
    positions.shuffle(random);
    positions.truncate(many);
    positions
}

/// One of the items; none of an empty slice.
fn one<'a, T>(items: &'a [T], random: &mut ChaCha20Rng) -> Option<&'a T> {
    (!items.is_empty()).then(|| &items[random.random_range(0..items.len())])
}

#[cfg(test)]
mod tests;
