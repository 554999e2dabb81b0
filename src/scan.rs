//! Which rows are looked at, and how their values are read. A description: nothing has run.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::plan::spec::Format;
use crate::scalar::{Kind, Scalar};

mod cap;
pub use cap::Cap;
pub(crate) use cap::{Copies, Kept, Unit};

/// The rows of an audit.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    pub source: Source,
    /// Columns of the source, in the order of a row.
    pub reads: Vec<Read>,
    /// Computed columns; each may use the reads and the ones before it.
    pub derive: Vec<(Arc<str>, Scalar)>,
    /// Only rows for which this is true; all rows when absent.
    pub keep: Option<Scalar>,
    /// Most rows of one unit among those; no limit when absent.
    pub cap: Option<Cap>,
}

/// Files of one format.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// In the order they are read. All have the same columns.
    pub paths: Vec<PathBuf>,
    pub format: Format,
    /// Field separator of delimited text.
    pub delimiter: u8,
    /// Decimal mark of delimited text.
    pub decimal: char,
    /// Texts that stand for a missing value, besides the empty field.
    pub null_values: Vec<String>,
    /// Folder whose sub-folders `name=value` are columns.
    pub hive: bool,
}

/// One column of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Name in expressions.
    pub name: Arc<str>,
    /// Name in the source.
    pub column: Arc<str>,
    pub by: Reading,
}

/// What is made of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The text; a number of a typed source is written by `format_number`.
    Text,
    /// The number; missing when the field is none, NaN or infinite.
    Number,
    /// true, false, 1, 0, yes, no in any case; missing otherwise.
    Truth,
    /// True when a field is there and is no finite number.
    NoNumber,
    /// True when a field is there and is no truth value.
    NoTruth,
}

impl Reading {
    /// The kind of value that results.
    pub fn kind(self) -> Kind {
        match self {
            Reading::Text => Kind::Text,
            Reading::Number => Kind::Number,
            Reading::Truth | Reading::NoNumber | Reading::NoTruth => Kind::Truth,
        }
    }
}

/// The truth value a text stands for.
pub fn parse_truth(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("1") || is("yes") {
        Some(true)
    } else if is("false") || is("0") || is("no") {
        Some(false)
    } else {
        None
    }
}

/// A column of a source as the engine found it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceColumn {
    pub name: Arc<str>,
    /// Type in the words of the source.
    pub kind: String,
}
