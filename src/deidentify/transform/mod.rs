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
    /// The text that takes the place of each text, of a missing value, and of one that is not listed; what has none becomes missing.
    Table { of: HashMap<Arc<str>, Arc<str>>, missing: Option<Arc<str>>, outside: Option<Arc<str>> },
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
    #[cfg(feature = "seal")]
    Pseudonym(key::Pseudonym),
    #[cfg(feature = "seal")]
    Token(Arc<Mutex<token::Tokens>>, String),
    #[cfg(feature = "seal")]
    FormatPreserving(key::FormatPreserving),
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
            Transformation::TopCode(_) | Transformation::BottomCode(_) | Transformation::Round(_) => {
                (of == Kind::Number).then_some(of)
            }
            Transformation::Generalise(Generalisation::Intervals { .. }) => (of == Kind::Number).then_some(Kind::Text),
            Transformation::Generalise(Generalisation::Table { .. }) | Transformation::Redact => Some(Kind::Text),
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
            Generalisation::Table { of, missing, outside } => {
                let by = &mut |text: &str| of.get(text).or(outside.as_ref()).map(|text| text.to_string());
                texts(column, rows, by, missing.as_deref())
            }
        }
    }
}

fn is_missing(column: &Vector, row: u32) -> bool {
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
    let mut seen: HashMap<u64, (u32, bool)> = HashMap::new();
    let mut codes = Vec::with_capacity(rows.len());
    let (mut values, mut changed, mut refused) = (0, 0, 0);
    let mut one = |key: u64, text: &dyn Fn() -> Arc<str>| {
        let (code, same) = *seen.entry(key).or_insert_with(|| {
            let text = text();
            match by(&text) {
                Some(other) => (made.code(&other), *other == *text),
                None => (NO_TEXT, false),
            }
        });
        values += 1;
        refused += u64::from(code == NO_TEXT);
        changed += u64::from(!same);
        code
    };
    // Codes of rows without a value are set when the levels are known.
    let mut empty = Vec::new();
    for (at, &row) in rows.iter().enumerate() {
        let row = row as usize;
        codes.push(match column {
            Vector::Text { codes, levels } if codes[row] != NO_TEXT => {
                one(u64::from(codes[row]), &|| levels[codes[row] as usize].clone())
            }
            Vector::Number(numbers) if !numbers[row].is_nan() => {
                one((numbers[row] + 0.0).to_bits(), &|| format_number(numbers[row]).into())
            }
            Vector::Truth(truths) if truths[row] != TRUTH_UNKNOWN => {
                one(u64::from(truths[row]), &|| if truths[row] == 1 { "true".into() } else { "false".into() })
            }
            _ => {
                empty.push(at);
                NO_TEXT
            }
        });
    }
    if let (Some(text), false) = (missing, empty.is_empty()) {
        let code = made.code(text);
        empty.into_iter().for_each(|at| codes[at] = code);
    }
    Transformed { column: Vector::Text { codes, levels: made.list.into() }, values, changed, refused }
}

#[cfg(feature = "seal")]
fn shifted(column: &Vector, units: &Vector, rows: &[u32], offset: &key::Offset) -> Transformed {
    let mut made = Levels::default();
    let mut days: HashMap<String, i64> = HashMap::new();
    let (mut values, mut changed, mut refused) = (0, 0, 0);
    let one = |row: &u32| {
        let Vector::Text { codes, levels } = column else { return NO_TEXT };
        let code = codes[*row as usize];
        if code == NO_TEXT {
            return NO_TEXT;
        }
        values += 1;
        changed += 1;
        let unit = match units.get(*row as usize) {
            crate::scalar::Value::Text(text) => Some(text.to_string()),
            crate::scalar::Value::Number(number) => Some(format_number(number)),
            crate::scalar::Value::Truth(truth) => Some(truth.to_string()),
            crate::scalar::Value::Null => None,
        };
        let by = unit.map(|unit| match days.get(&unit) {
            Some(by) => *by,
            None => {
                let by = offset.of(&unit);
                days.insert(unit, by);
                by
            }
        });
        let moved = by.and_then(|by| date::shifted(&levels[code as usize], by));
        refused += u64::from(moved.is_none());
        moved.map_or(NO_TEXT, |moved| made.code(&moved))
    };
    let codes = rows.iter().map(one).collect();
    Transformed { column: Vector::Text { codes, levels: made.list.into() }, values, changed, refused }
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
