//! Every record randomised by itself: what is written says little of what was there, whoever reads the file and whatever he knows.
//!
//! A column of m declared levels has m + 1 codes: its levels, and one for a missing value or one of no level. A number is moved to the nearest
//! point of its grid between its bounds; a missing one is taken as the middle, for a gap would tell. How a code is drawn is given from outside.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::ChaCha20Rng;

use super::{Levels, Transformed, coded};
use crate::scalar::{Kind, NO_TEXT, Vector, format_number};

/// What takes the place of a code; drawn anew for every record.
pub type Draw = Box<dyn Fn(i64, &mut ChaCha20Rng) -> i64 + Send + Sync>;

/// What the codes stand for.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    Levels(Vec<Arc<str>>),
    /// lower, lower + step, ..., and so many steps.
    Grid {
        lower: f64,
        step: f64,
        steps: i64,
    },
}

/// A column's domain, how its codes are drawn, and the randomness.
pub struct Randomiser {
    pub domain: Domain,
    pub draw: Draw,
    pub random: Mutex<ChaCha20Rng>,
}

impl Domain {
    fn of_text(&self, text: &str) -> i64 {
        match self {
            Domain::Levels(levels) => levels.iter().position(|level| **level == *text).unwrap_or(levels.len()) as i64,
            Domain::Grid { steps, .. } => steps / 2,
        }
    }

    fn of_number(&self, x: f64) -> i64 {
        match self {
            Domain::Levels(levels) if x.is_nan() => levels.len() as i64,
            Domain::Levels(_) => self.of_text(&format_number(x)),
            Domain::Grid { steps, .. } if x.is_nan() => steps / 2,
            // A number beyond the integers is beyond the bounds: the cast ends at the greatest integer.
            Domain::Grid { lower, step, steps } => (((x - lower) / step).round() as i64).clamp(0, *steps),
        }
    }

    /// The codes of rows of a column.
    fn codes(&self, column: &Vector, rows: &[u32]) -> Vec<i64> {
        let missing = self.of_number(f64::NAN);
        coded(column, rows, missing, &|x| self.of_number(x), &|text| self.of_text(text))
    }
}

impl Randomiser {
    /// The kind of value that results.
    pub fn kind(&self, of: Kind) -> Option<Kind> {
        match self.domain {
            Domain::Levels(_) => Some(Kind::Text),
            Domain::Grid { .. } => (of == Kind::Number).then_some(Kind::Number),
        }
    }

    /// Draws for the rows of a column. Nothing is counted: how many values were there, or changed, would tell.
    pub fn of(&self, column: &Vector, rows: &[u32]) -> Transformed {
        let codes = self.domain.codes(column, rows);
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drawn = codes.into_iter().map(|code| (self.draw)(code, &mut random));
        let column = match &self.domain {
            Domain::Grid { lower, step, .. } => {
                Vector::Number(drawn.map(|code| lower + step * code as f64 + 0.0).collect())
            }
            Domain::Levels(levels) => {
                let mut made = Levels::default();
                levels.iter().for_each(|level| _ = made.code(level));
                let code = |code: i64| u32::try_from(code).ok().filter(|code| (*code as usize) < levels.len());
                let codes = drawn.by_ref().map(|drawn| code(drawn).unwrap_or(NO_TEXT)).collect();
                Vector::Text { codes, levels: made.list.into() }
            }
        };
        Transformed { column, values: 0, changed: 0, refused: 0 }
    }
}
