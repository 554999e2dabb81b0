//! Where rows become evidence. Two methods; every engine returns equal integers for equal input.
//!
//! `reference` is plain loops over one row at a time: slow, short, and the oracle the others are tested against. `polars` streams
//! batches into columnar kernels on all cores, `memory` feeds them from columns a program holds.

use std::path::PathBuf;

use crate::demand::{Axis, Demand, Shape};
use crate::evidence::Guarded;
use crate::plan::spec::Format;
use crate::scan::{Scan, Source, SourceColumn};

mod cap;
#[cfg(feature = "polars")]
pub(crate) mod kernel;
#[cfg(feature = "polars")]
pub mod memory;
#[cfg(feature = "polars")]
pub mod polars;
pub mod reference;
pub mod rows;

#[cfg(feature = "polars")]
use kernel::BATCH_ROWS;

/// Looks at rows and returns only statistics.
pub trait Engine {
    /// The columns of a source, without reading its rows.
    fn describe(&self, source: &Source) -> Result<Vec<SourceColumn>, EngineError>;

    /// Computes all demanded statistics in one pass, more when a demand's memory limit asks for it. A cap on the rows per unit takes a pass
    /// before the first one over a scan and its clones (more within its own memory limit); engines over files make it once.
    /// `progress` is told the number of rows read so far, now and then.
    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Collected, EngineError>;
}

/// What a pass brought home.
pub struct Collected {
    pub evidence: Guarded,
    /// Times the source was read.
    pub passes: u32,
    /// Rows of the source, for the progress line and `run.json`; under differential privacy for the internal edition only.
    pub rows: u64,
}

/// Why rows could not be read. No message holds a cell's value.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("{}: cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{}: the file is empty; a header line with the column names is expected", path.display())]
    Empty { path: PathBuf },
    #[error("{}: not the declared format: {why}", path.display())]
    Format { path: PathBuf, why: String },
    #[error("{}, line {line}: {found} fields where the header has {expected}; check the delimiter and the quotes", path.display())]
    Ragged { path: PathBuf, line: u64, found: usize, expected: usize },
    #[error("{}: cannot be unpacked: {why}; it may be damaged or cut short", path.display())]
    Packed { path: PathBuf, why: String },
    #[error("{}: not UTF-8{}; convert it, for example: iconv -f latin1 -t utf-8", path.display(), at_line(*line))]
    NotUtf8 { path: PathBuf, line: Option<u64> },
    #[error("{}: the column {column:?} is not there{}", path.display(), nearest(near))]
    NoColumn { path: PathBuf, column: String, near: Vec<String> },
    #[error("{}: the column name {column:?} occurs twice; rename one", path.display())]
    TwiceNamed { path: PathBuf, column: String },
    #[error("{}: a field is longer than {limit_bytes} bytes; a quote may be open", path.display())]
    FieldTooLong { path: PathBuf, limit_bytes: usize },
    #[error("{0}")]
    Expression(String),
    #[error("the demand {demand} needs more than its {limit_bytes} bytes of memory; raise memory_mib_max")]
    Memory { demand: String, limit_bytes: u64 },
    #[error("this build reads CSV and TSV only; build with the feature `polars` for {0}")]
    Unsupported(&'static str),
    #[error("{0:?} cannot separate fields; an ASCII character other than a quote or a line break can")]
    Delimiter(char),
    #[error("the demand {0}: more cells than can be numbered; take an axis away or make it coarser")]
    Cells(String),
    #[error(
        "the source changed while it was read: two passes met different numbers of rows; run again when nothing writes to it"
    )]
    Changed,
    #[error("a worker stopped in the middle of a pass; this is a defect of evenhand, please report it")]
    Stopped,
}

impl EngineError {
    /// The kind of error, without what it says of the rows.
    pub fn code(&self) -> &'static str {
        match self {
            EngineError::Unreadable { .. } => "unreadable",
            EngineError::Empty { .. } => "empty",
            EngineError::Format { .. } => "format",
            EngineError::Ragged { .. } => "ragged",
            EngineError::Packed { .. } => "packed",
            EngineError::NotUtf8 { .. } => "not-utf-8",
            EngineError::NoColumn { .. } => "no-column",
            EngineError::TwiceNamed { .. } => "twice-named",
            EngineError::FieldTooLong { .. } => "field-too-long",
            EngineError::Expression(_) => "expression",
            EngineError::Memory { .. } => "memory",
            EngineError::Unsupported(_) => "unsupported",
            EngineError::Delimiter(_) => "delimiter",
            EngineError::Cells(_) => "cells",
            EngineError::Changed => "changed",
            EngineError::Stopped => "stopped",
        }
    }
}

/// Refuses a separator that is part of a character, a quote or a line break.
fn check_delimiter(source: &Source) -> Result<(), EngineError> {
    let delimiter = char::from(source.delimiter);
    match source.format {
        Format::Csv | Format::Tsv if !delimiter.is_ascii() || matches!(delimiter, '"' | '\n' | '\r' | '\0') => {
            Err(EngineError::Delimiter(delimiter))
        }
        Format::Csv | Format::Tsv | Format::Parquet | Format::Ndjson | Format::Ipc => Ok(()),
    }
}

/// Refuses tables with more cells than there are codes.
fn check_cells(demand: &Demand) -> Result<(), EngineError> {
    let by: &[Axis] = match &demand.shape {
        Shape::Tally { axes, .. } => axes,
        Shape::Moments { by, .. } | Shape::Histogram { by, .. } => by,
        Shape::ClassSizes { .. } | Shape::Panel { .. } => &[],
    };
    let cells = by.iter().try_fold(1u64, |cells, axis| cells.checked_mul(axis.size().into()));
    cells.map(|_| ()).ok_or_else(|| EngineError::Cells(demand.name.to_string()))
}

fn at_line(line: Option<u64>) -> String {
    line.map(|line| format!(" at line {line}")).unwrap_or_default()
}

fn nearest(names: &[String]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("; nearest: {}", names.join(", ")),
    }
}

/// The columns most like a name, at most three.
pub fn near(name: &str, columns: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    let mut scored: Vec<(f64, String)> = columns
        .map(|column| {
            (strsim::jaro_winkler(&name.to_lowercase(), &column.as_ref().to_lowercase()), column.as_ref().to_string())
        })
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.into_iter().take(3).map(|(_, column)| column).collect()
}
