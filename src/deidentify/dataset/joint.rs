//! Columns that a model coarsens together: the codes of a row decide what is written in all of them, or that the row is left out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::deidentify::transform::{coded, is_missing};
use crate::scalar::{Vector, format_number};

/// What is written for the codes of a row; none for a row that is left out.
pub type Written = Arc<dyn Fn(&[u32]) -> Option<Vec<Arc<str>>> + Send + Sync>;

/// What a model decides.
#[derive(Clone)]
pub struct Decided {
    /// The columns in the order of the codes.
    pub columns: Vec<(String, Coder)>,
    pub written: Written,
}

/// Added to how many widths a number is from the lower bound: 9.1 is 91 tenths, and its quotient by a tenth is less.
pub const NUDGE: f64 = 1e-9;

/// The code of a value: its level; then unknown, for a missing one; then outside, for one of no level.
#[derive(Debug, Clone, PartialEq)]
pub enum Coder {
    /// The level is the text of the value.
    Levels(HashMap<Arc<str>, u32>),
    /// The level is the number of the interval of a width, the first beginning at `lower`.
    Intervals { lower: f64, width: f64, count: u32 },
}

impl Coder {
    /// Levels in their order.
    pub fn levels(levels: &[Arc<str>]) -> Coder {
        Coder::Levels((0..).zip(levels).map(|(code, level)| (level.clone(), code)).collect())
    }

    fn count(&self) -> u32 {
        match self {
            Coder::Levels(levels) => levels.len() as u32,
            Coder::Intervals { count, .. } => *count,
        }
    }

    fn of_text(&self, text: &str) -> u32 {
        let outside = self.count() + 1;
        match self {
            Coder::Levels(levels) => levels.get(text).copied().unwrap_or(outside),
            Coder::Intervals { .. } => outside,
        }
    }

    fn of_number(&self, x: f64) -> u32 {
        match self {
            _ if x.is_nan() => self.count(),
            Coder::Levels(_) => self.of_text(&format_number(x)),
            // The same operations, in the same order, as in the expression the classes are counted by.
            Coder::Intervals { lower, width, count } => match ((x - lower) / width + NUDGE).floor() {
                at if !at.is_finite() => *count,
                at if at >= 0.0 && at < f64::from(*count) => at as u32,
                _ => count + 1,
            },
        }
    }

    /// The codes of rows of a column.
    fn codes(&self, column: &Vector, rows: &[u32]) -> Vec<u32> {
        coded(column, rows, self.count(), &|x| self.of_number(x), &|text| self.of_text(text))
    }
}

/// A model's columns in a dataset.
pub(super) struct Joint {
    /// Position of the column among the dataset's, and in a batch.
    pub places: Vec<(usize, usize)>,
    pub decided: Decided,
}

/// A batch under a model.
pub(super) struct Coarsened {
    /// In the order of the codes, as long as the rows that stay.
    pub columns: Vec<Vector>,
    /// Which of the rows stay.
    pub stays: Vec<u32>,
    /// By column: values there were, and values that are written in other words.
    pub counts: Vec<[u64; 2]>,
}

impl Joint {
    /// Writes the rows of a batch.
    pub fn apply(&self, batch: &[Vector], rows: &[u32]) -> Coarsened {
        let coders = self.decided.columns.iter().map(|(_, coder)| coder);
        let codes: Vec<Vec<u32>> =
            coders.zip(&self.places).map(|(coder, (_, at))| coder.codes(&batch[*at], rows)).collect();
        let mut known: HashMap<Vec<u32>, Option<usize>> = HashMap::new();
        let mut tuples: Vec<Vec<Arc<str>>> = Vec::new();
        let (mut stays, mut of) = (Vec::new(), Vec::new());
        let mut key = vec![0; codes.len()];
        for row in 0..rows.len() {
            key.iter_mut().zip(&codes).for_each(|(key, codes)| *key = codes[row]);
            let tuple = match known.get(&key) {
                Some(tuple) => *tuple,
                None => {
                    let tuple = (self.decided.written)(&key).filter(|texts| texts.len() == key.len()).map(|texts| {
                        tuples.push(texts);
                        tuples.len() - 1
                    });
                    known.insert(key.clone(), tuple);
                    tuple
                }
            };
            if let Some(tuple) = tuple {
                stays.push(row as u32);
                of.push(tuple);
            }
        }
        let columns: Vec<Vector> = (0..codes.len()).map(|at| texts(&tuples, &of, at)).collect();
        let from: Vec<u32> = stays.iter().map(|row| rows[*row as usize]).collect();
        let counts = self.places.iter().zip(&columns).map(|((_, at), column)| changes(&batch[*at], &from, column));
        let counts = counts.collect();
        Coarsened { columns, stays, counts }
    }
}

/// Values there were, and values that are written in other words.
fn changes(before: &Vector, rows: &[u32], after: &Vector) -> [u64; 2] {
    let Vector::Text { codes, levels } = after else { return [0, 0] };
    // What number, and what truth value, a written text is: once for each text, not for each row.
    let numbers: Vec<Option<f64>> = levels.iter().map(|text| text.parse().ok()).collect();
    let truths: Vec<Option<u8>> = levels.iter().map(|text| text.parse::<bool>().ok().map(u8::from)).collect();
    let same = |row: u32, code: u32| {
        let (row, code) = (row as usize, code as usize);
        match before {
            Vector::Number(of) => numbers[code] == Some(of[row]),
            Vector::Truth(of) => truths[code] == Some(of[row]),
            Vector::Text { codes: of, levels: texts } => texts[of[row] as usize] == levels[code],
            Vector::Null(_) => true,
        }
    };
    let there = || rows.iter().zip(codes).filter(|(row, _)| !is_missing(before, **row));
    [there().count() as u64, there().filter(|(row, code)| !same(**row, **code)).count() as u64]
}

/// One column of the tuples of rows.
fn texts(tuples: &[Vec<Arc<str>>], of: &[usize], at: usize) -> Vector {
    let (mut levels, mut codes): (Vec<Arc<str>>, HashMap<&str, u32>) = (Vec::new(), HashMap::new());
    let by_tuple: Vec<u32> = tuples
        .iter()
        .map(|tuple| {
            *codes.entry(&tuple[at]).or_insert_with(|| {
                levels.push(tuple[at].clone());
                levels.len() as u32 - 1
            })
        })
        .collect();
    Vector::Text { codes: of.iter().map(|tuple| by_tuple[*tuple]).collect(), levels: levels.into() }
}
