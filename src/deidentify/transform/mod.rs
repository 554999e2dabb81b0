//! What is done to the values of one column: one variant, one function, one law that a property test holds.
//!
//! A value that a transformation is not for (a text that is no date, a number too large to tell intervals apart, fewer than a million texts of
//! a form) becomes missing and is counted. It never stays as it is.

use std::collections::HashMap;
use std::sync::Arc;
#[cfg(feature = "seal")]
use std::sync::{Mutex, PoisonError};

use crate::plan::spec::DatePart;
use crate::scalar::{Kind, NO_TEXT, TRUTH_UNKNOWN, Vector, format_number};

pub mod date;
#[cfg(feature = "seal")]
pub mod key;
pub mod randomise;
#[cfg(feature = "seal")]
pub mod token;
pub mod value;

/// A coarser value for every value.
#[derive(Debug, Clone, PartialEq)]
pub enum Generalisation {
    /// Intervals of a number.
    Intervals { origin: f64, width: f64 },
    /// A part of a date.
    Date(DatePart),
    /// Leading digits; the restricted beginnings become zeros.
    Digits { digits: usize, restricted: Vec<String> },
    /// The text that takes the place of each text; one that is not listed becomes missing.
    Table(HashMap<Arc<str>, Arc<str>>),
}

/// What is done to a column.
pub enum Transformation {
    Keep,
    Redact,
    Mask(value::Mask),
    Generalise(Generalisation),
    TopCode(f64),
    BottomCode(f64),
    Round(f64),
    Randomise(Box<randomise::Randomiser>),
    /// Filled in by whoever has the groups; empty until then.
    Grouped,
    #[cfg(feature = "seal")]
    Pseudonym(key::Pseudonym),
    #[cfg(feature = "seal")]
    Token(Arc<Mutex<token::Tokens>>, String),
    #[cfg(feature = "seal")]
    FormatPreserving(Box<key::FormatPreserving>),
    /// The dates of a row move with the unit, whose column is at this position.
    #[cfg(feature = "seal")]
    DateShift(key::Offset, usize),
}

/// A column of the dataset that is written, and what became of its values.
pub struct Transformed {
    pub column: Vector,
    /// Values there were.
    pub values: u64,
    /// Values that became others.
    pub changed: u64,
    /// Values that the transformation was not for, and that are missing now.
    pub refused: u64,
}

impl Transformation {
    /// The kind of value that results of a column of this kind; none when it is not for such a column.
    pub fn kind(&self, of: Kind) -> Option<Kind> {
        match self {
            Transformation::Keep => Some(of),
            Transformation::Randomise(by) => by.kind(of),
            Transformation::Grouped => (of == Kind::Number).then_some(of),
            Transformation::TopCode(_) | Transformation::BottomCode(_) | Transformation::Round(_) => {
                (of == Kind::Number).then_some(of)
            }
            Transformation::Generalise(Generalisation::Intervals { .. }) => (of == Kind::Number).then_some(Kind::Text),
            Transformation::Generalise(Generalisation::Table(_)) | Transformation::Redact => Some(Kind::Text),
            Transformation::Generalise(_) | Transformation::Mask(_) => (of == Kind::Text).then_some(Kind::Text),
            #[cfg(feature = "seal")]
            Transformation::Pseudonym(_) | Transformation::Token(..) => Some(Kind::Text),
            #[cfg(feature = "seal")]
            Transformation::FormatPreserving(_) | Transformation::DateShift(..) => {
                (of == Kind::Text).then_some(Kind::Text)
            }
        }
    }

    /// Transforms the column at a position of a batch, in the rows that are kept.
    pub fn of(&self, columns: &[Vector], at: usize, rows: &[u32]) -> Transformed {
        let column = &columns[at];
        match self {
            Transformation::Keep => kept(column, rows),
            Transformation::Randomise(by) => by.of(column, rows),
            Transformation::Grouped => {
                Transformed { column: Vector::Null(rows.len()), values: 0, changed: 0, refused: 0 }
            }
            Transformation::Redact => {
                let values = rows.iter().filter(|row| !is_missing(column, **row)).count() as u64;
                Transformed { column: Vector::Null(rows.len()), values, changed: values, refused: 0 }
            }
            Transformation::TopCode(limit) => numbers(column, rows, &|x| Some(if x > *limit { *limit } else { x })),
            Transformation::BottomCode(limit) => numbers(column, rows, &|x| Some(if x < *limit { *limit } else { x })),
            Transformation::Round(to) => numbers(column, rows, &|x| value::round(x, *to)),
            Transformation::Mask(mask) => texts(column, rows, &mut |text| mask.of(text), None),
            Transformation::Generalise(by) => by.of(column, rows),
            #[cfg(feature = "seal")]
            Transformation::Pseudonym(by) => texts(column, rows, &mut |text| Some(by.of(text)), None),
            #[cfg(feature = "seal")]
            Transformation::Token(tokens, domain) => {
                let mut tokens = tokens.lock().unwrap_or_else(PoisonError::into_inner);
                texts(column, rows, &mut |text| Some(tokens.of(domain, text)), None)
            }
            #[cfg(feature = "seal")]
            Transformation::FormatPreserving(by) => texts(column, rows, &mut |text| by.of(text), None),
            #[cfg(feature = "seal")]
            Transformation::DateShift(offset, unit) => shifted(column, &columns[*unit], rows, offset),
        }
    }
}

impl Generalisation {
    fn of(&self, column: &Vector, rows: &[u32]) -> Transformed {
        match self {
            Generalisation::Intervals { origin, width } => {
                texts(column, rows, &mut |text| value::interval(text.parse().ok()?, *origin, *width), None)
            }
            Generalisation::Date(part) => texts(column, rows, &mut |text| date::part(text, *part), None),
            Generalisation::Digits { digits, restricted } => {
                texts(column, rows, &mut |text| value::leading_digits(text, *digits, restricted), None)
            }
            Generalisation::Table(of) => {
                texts(column, rows, &mut |text| of.get(text).map(|text| text.to_string()), None)
            }
        }
    }
}

/// The codes of rows of a column, by what a number or a text has; a truth value has that of its word.
pub(super) fn coded<T: Copy>(
    column: &Vector,
    rows: &[u32],
    missing: T,
    of_number: &dyn Fn(f64) -> T,
    of_text: &dyn Fn(&str) -> T,
) -> Vec<T> {
    match column {
        Vector::Number(numbers) => rows.iter().map(|row| of_number(numbers[*row as usize])).collect(),
        Vector::Truth(truths) => {
            let of = [of_text("false"), of_text("true")];
            let code = |row: &u32| match truths[*row as usize] {
                TRUTH_UNKNOWN => missing,
                truth => of[usize::from(truth)],
            };
            rows.iter().map(code).collect()
        }
        Vector::Text { codes, levels } => {
            let of: Vec<T> = levels.iter().map(|level| of_text(level)).collect();
            let code = |row: &u32| match codes[*row as usize] {
                NO_TEXT => missing,
                code => of[code as usize],
            };
            rows.iter().map(code).collect()
        }
        Vector::Null(_) => vec![missing; rows.len()],
    }
}

pub(super) fn is_missing(column: &Vector, row: u32) -> bool {
    match column {
        Vector::Number(numbers) => numbers[row as usize].is_nan(),
        Vector::Truth(truths) => truths[row as usize] == TRUTH_UNKNOWN,
        Vector::Text { codes, .. } => codes[row as usize] == NO_TEXT,
        Vector::Null(_) => true,
    }
}

/// The kept rows of a column.
fn kept(column: &Vector, rows: &[u32]) -> Transformed {
    let values = rows.iter().filter(|row| !is_missing(column, **row)).count() as u64;
    let column = match column {
        Vector::Number(numbers) => Vector::Number(rows.iter().map(|row| numbers[*row as usize]).collect()),
        Vector::Truth(truths) => Vector::Truth(rows.iter().map(|row| truths[*row as usize]).collect()),
        Vector::Text { codes, levels } => {
            Vector::Text { codes: rows.iter().map(|row| codes[*row as usize]).collect(), levels: levels.clone() }
        }
        Vector::Null(_) => Vector::Null(rows.len()),
    };
    Transformed { column, values, changed: 0, refused: 0 }
}

fn numbers(column: &Vector, rows: &[u32], by: &dyn Fn(f64) -> Option<f64>) -> Transformed {
    let Vector::Number(numbers) = column else {
        let column = Vector::Number(vec![f64::NAN; rows.len()]);
        return Transformed { column, values: 0, changed: 0, refused: 0 };
    };
    let (mut values, mut changed, mut refused) = (0, 0, 0);
    let mut one = |row: &u32| {
        let x = numbers[*row as usize];
        if x.is_nan() {
            return x;
        }
        values += 1;
        let made = by(x);
        refused += u64::from(made.is_none());
        changed += u64::from(made != Some(x));
        made.unwrap_or(f64::NAN)
    };
    let column = Vector::Number(rows.iter().map(&mut one).collect());
    Transformed { column, values, changed, refused }
}

/// Transforms the text of every value; of equal values once.
fn texts(
    column: &Vector,
    rows: &[u32],
    by: &mut dyn FnMut(&str) -> Option<String>,
    missing: Option<&str>,
) -> Transformed {
    let mut made = Levels::default();
    let mut one = |text: &str| match by(text) {
        Some(other) => (made.code(&other), other == text),
        None => (NO_TEXT, false),
    };
    // Of the texts of a batch those that occur in a kept row are transformed, each once.
    let mut by_code: Vec<Option<(u32, bool)>> = match column {
        Vector::Text { levels, .. } => vec![None; levels.len()],
        Vector::Truth(_) => vec![None; 2],
        Vector::Number(_) | Vector::Null(_) => Vec::new(),
    };
    let mut by_number: HashMap<u64, (u32, bool)> = HashMap::new();
    let (mut codes, mut empty) = (Vec::with_capacity(rows.len()), Vec::new());
    let (mut values, mut changed, mut refused) = (0, 0, 0);
    for (at, &row) in rows.iter().enumerate() {
        let row = row as usize;
        let done = match column {
            Vector::Text { codes, levels } if codes[row] != NO_TEXT => {
                let code = codes[row] as usize;
                Some(*by_code[code].get_or_insert_with(|| one(&levels[code])))
            }
            Vector::Truth(truths) if truths[row] != TRUTH_UNKNOWN => {
                let truth = truths[row] == 1;
                Some(*by_code[usize::from(truth)].get_or_insert_with(|| one(if truth { "true" } else { "false" })))
            }
            Vector::Number(numbers) if !numbers[row].is_nan() => {
                let number = numbers[row] + 0.0;
                Some(*by_number.entry(number.to_bits()).or_insert_with(|| one(&format_number(number))))
            }
            _ => None,
        };
        if done.is_none() {
            empty.push(at);
        } else {
            values += 1;
        }
        let (code, same) = done.unwrap_or((NO_TEXT, true));
        refused += u64::from(code == NO_TEXT && done.is_some());
        changed += u64::from(!same);
        codes.push(code);
    }
    if let (Some(text), false) = (missing, empty.is_empty()) {
        let code = made.code(text);
        empty.into_iter().for_each(|at| codes[at] = code);
    }
    Transformed { column: Vector::Text { codes, levels: made.list.into() }, values, changed, refused }
}

/// Moves dates by the days of their unit. A date without a unit, or a text that is no date, is removed.
#[cfg(feature = "seal")]
fn shifted(column: &Vector, units: &Vector, rows: &[u32], offset: &key::Offset) -> Transformed {
    // The days of every unit that occurs, by its code, as a text: what the pseudonym of a number sees too.
    let days = texts(units, rows, &mut |unit| Some(offset.of(unit).to_string()), None).column;
    let mut made = Levels::default();
    let mut known: HashMap<(u32, u32), u32> = HashMap::new();
    let (mut values, mut refused) = (0, 0);
    let (Vector::Text { codes, levels }, Vector::Text { codes: by, levels: days }) = (column, &days) else {
        return Transformed { column: Vector::Null(rows.len()), values, changed: values, refused };
    };
    let one = |(row, by): (&u32, &u32)| {
        let code = codes[*row as usize];
        if code == NO_TEXT {
            return NO_TEXT;
        }
        values += 1;
        let moved = *known.entry((code, *by)).or_insert_with(|| {
            let by = days.get(*by as usize).and_then(|days| days.parse().ok());
            let moved = by.and_then(|by| date::shifted(&levels[code as usize], by));
            moved.map_or(NO_TEXT, |moved| made.code(&moved))
        });
        refused += u64::from(moved == NO_TEXT);
        moved
    };
    let codes = rows.iter().zip(by).map(one).collect();
    Transformed { column: Vector::Text { codes, levels: made.list.into() }, values, changed: values, refused }
}

/// Distinct texts in the order they came.
#[derive(Default)]
struct Levels {
    codes: HashMap<Arc<str>, u32>,
    list: Vec<Arc<str>>,
}

impl Levels {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let (text, code) = (Arc::<str>::from(text), self.list.len() as u32);
        self.codes.insert(text.clone(), code);
        self.list.push(text);
        code
    }
}
