//! Parquet and Arrow IPC: polars' streamed frames to batches of columns.
//!
//! Polars maps the files into memory: one that another program cuts short while it is read ends the process with the signal SIGBUS. Such files are
//! best replaced by renaming a new one over them.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use polars::prelude::{
    Column, DataFrame, DataType, Engine, HiveOptions, IdxSize, IpcScanOptions, LazyFrame, ParquetReader, PlRefPath,
    PlanCallback, PolarsError, ScanArgsParquet, Schema, SerReader, UnifiedScanArgs, col,
};

use super::columns::{Field, by_column};
use crate::engine::{BATCH_ROWS, EngineError, near};
use crate::plan::spec::Format;
use crate::scalar::{Vector, format_number};
use crate::scan::{Scan, Source};

/// Rows of a frame asked of polars.
const FRAME_ROWS: usize = 4 * BATCH_ROWS;
/// Rows of a Parquet file that polars reads at a time, about: it decodes row groups ahead, several at once and whole.
const RANGE_ROWS: usize = 32 * BATCH_ROWS;

fn scan_file(path: &Path, source: &Source) -> Result<LazyFrame, EngineError> {
    let unreadable = |why: String| EngineError::Unreadable { path: path.into(), why };
    let meta = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?;
    if meta.is_dir() {
        return Err(unreadable("it is a folder".into()));
    }
    if meta.is_file() && meta.len() == 0 {
        return Err(EngineError::Empty { path: path.into() });
    }
    let text = path.to_str().ok_or_else(|| unreadable("the name is not UTF-8; rename the file".into()))?;
    // Folders of partitions are read by the rules of `ingest::paths`, for every format.
    let (path_of, hive_options) = (PlRefPath::new(text), HiveOptions::new_disabled());
    let scan = match source.format {
        Format::Parquet => {
            LazyFrame::scan_parquet(path_of, ScanArgsParquet { glob: false, hive_options, ..Default::default() })
        }
        _ => LazyFrame::scan_ipc(
            path_of,
            IpcScanOptions::default(),
            UnifiedScanArgs { glob: false, hive_options, ..Default::default() },
        ),
    };
    scan.map_err(|e| refused(path, source, &e))
}

/// An error of polars without its text, which may hold cell values.
fn refused(path: &Path, source: &Source, e: &PolarsError) -> EngineError {
    match e {
        PolarsError::IO { error, .. } if error.kind() != std::io::ErrorKind::Other => {
            EngineError::Unreadable { path: path.into(), why: error.kind().to_string() }
        }
        _ => damaged(path, source),
    }
}

fn damaged(path: &Path, source: &Source) -> EngineError {
    let name = if source.format == Format::Parquet { "Parquet" } else { "Arrow IPC" };
    EngineError::Format {
        path: path.into(),
        why: format!("polars cannot read it as {name}; it may be damaged or of another format"),
    }
}

/// Polars' readers panic over some damaged files.
fn caught<T>(path: &Path, source: &Source, read: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(path, source)))
}

/// Columns and types of a file.
pub fn schema(path: &Path, source: &Source) -> Result<Arc<Schema>, EngineError> {
    caught(path, source, || scan_file(path, source)?.collect_schema().map_err(|e| refused(path, source, &e)))
}

/// Streams the needed columns of a scan; all must be there. `send` returns false to stop.
pub fn stream(
    scan: &Scan,
    needed: &Scan,
    path: &Path,
    partitions: &[(String, String)],
    send: impl Fn(DataFrame) -> bool + Send + Sync + 'static,
) -> Result<(), EngineError> {
    let schema = schema(path, &scan.source)?;
    let mut columns = Vec::new();
    for (name, _) in by_column(&scan.reads) {
        if partitions.iter().any(|(partition, _)| **partition == *name) {
            continue;
        }
        if !schema.contains(&name) {
            let near = near(&name, schema.iter_names().map(|name| name.as_str()));
            return Err(EngineError::NoColumn { path: path.into(), column: name.to_string(), near });
        }
        if needed.reads.iter().any(|read| read.column == name) {
            columns.push(col(&*name));
        }
    }
    if columns.is_empty() {
        columns.extend(schema.iter_names().take(1).map(|name| col(name.as_str())));
    }
    let (send, stopped) = (Arc::new(send), Arc::new(AtomicBool::new(false)));
    caught(path, &scan.source, || {
        let ranges = match scan.source.format {
            Format::Parquet => ranges(&row_groups(path, &scan.source)?),
            _ => vec![None],
        };
        let all = scan_file(path, &scan.source)?.select(columns);
        for range in ranges {
            let rows = match range {
                Some((start, rows)) => all.clone().slice(start as i64, rows as IdxSize),
                None => all.clone(),
            };
            let (send, stop) = (send.clone(), stopped.clone());
            let hand_on = move |frame: DataFrame| {
                let goes_on = send(frame);
                stop.fetch_or(!goes_on, Ordering::Relaxed);
                Ok(!goes_on)
            };
            rows.sink_batches(PlanCallback::new(hand_on), false, NonZeroUsize::new(FRAME_ROWS))
                .and_then(|frames| frames.collect_with_engine(Engine::Streaming))
                .map_err(|e| refused(path, &scan.source, &e))?;
            if stopped.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(())
    })
}

/// Rows of every row group of a Parquet file.
fn row_groups(path: &Path, source: &Source) -> Result<Vec<usize>, EngineError> {
    let file =
        std::fs::File::open(path).map_err(|e| EngineError::Unreadable { path: path.into(), why: e.to_string() })?;
    let mut reader = ParquetReader::new(file);
    let metadata = reader.get_metadata().map_err(|e| refused(path, source, &e))?;
    Ok(metadata.row_groups.iter().map(|group| group.num_rows()).collect())
}

/// First row and number of rows of the ranges read one after another: whole row groups, or even parts of a large one.
fn ranges(row_groups: &[usize]) -> Vec<Option<(usize, usize)>> {
    let mut ranges = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for &group in row_groups {
        if rows > 0 && rows + group > RANGE_ROWS {
            ranges.push(Some((start, rows)));
            (start, rows) = (start + rows, 0);
        }
        rows += group;
        while rows > RANGE_ROWS {
            let part = rows.div_ceil(rows.div_ceil(RANGE_ROWS));
            ranges.push(Some((start, part)));
            (start, rows) = (start + part, rows - part);
        }
    }
    if rows > 0 {
        ranges.push(Some((start, rows)));
    }
    ranges
}

/// Hands a frame on in batches.
pub fn batches(
    scan: &Scan,
    path: &Path,
    frame: &DataFrame,
    partitions: &[(String, String)],
    batch: &mut dyn FnMut(Vec<Vector>, usize) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut fields: Vec<(Arc<str>, Field)> =
        by_column(&scan.reads).into_iter().map(|(name, readings)| (name, Field::new(readings.into_iter()))).collect();
    let mut start = 0;
    while start < frame.height() {
        let rows = BATCH_ROWS.min(frame.height() - start);
        let mut columns = vec![Vector::Null(rows); scan.reads.len()];
        for (name, field) in &mut fields {
            match partitions.iter().rfind(|(partition, _)| **partition == **name) {
                Some((_, value)) => (0..rows).for_each(|_| field.push(Some(value), &scan.source)),
                None => match frame.column(name) {
                    Ok(column) => caught(path, &scan.source, || {
                        push(field, &column.slice(start as i64, rows), &scan.source);
                        Ok(())
                    })?,
                    Err(_) => (0..rows).for_each(|_| field.push(None, &scan.source)),
                },
            }
            field.take(&mut columns);
        }
        batch(columns, rows)?;
        start += rows;
    }
    Ok(())
}

/// Appends a column. A truth value read as a number is 1 or 0; a number read as a truth value is true for 1 and false for 0; dates and times
/// are texts; a list or structure is there but no value of any kind.
fn push(field: &mut Field, column: &Column, source: &Source) {
    let none = |field: &mut Field| {
        for null in column.is_null().iter() {
            field.push_number(null != Some(true), None);
            field.push_truth(null != Some(true), None);
            field.push_text(None);
        }
    };
    match column.dtype() {
        DataType::Boolean => match column.bool() {
            Ok(truths) => truths.iter().for_each(|truth| push_truth(field, truth)),
            Err(_) => none(field),
        },
        dtype if (dtype.is_integer() || dtype.is_decimal()) && field.reads_texts() => {
            match (column.cast(&DataType::String), column.cast(&DataType::Float64)) {
                (Ok(texts), Ok(numbers)) => match (texts.str(), numbers.f64()) {
                    (Ok(texts), Ok(numbers)) => {
                        texts.iter().for_each(|text| field.push_text(text.map(without_zeros)));
                        numbers.iter().for_each(|number| push_number(field, number));
                    }
                    _ => none(field),
                },
                _ => none(field),
            }
        }
        dtype if dtype.is_numeric() => match column.cast(&DataType::Float64) {
            Ok(cast) => match cast.f64() {
                Ok(numbers) => numbers.iter().for_each(|number| {
                    push_number(field, number);
                    if field.reads_texts() {
                        field.push_text(number.filter(|x| x.is_finite()).map(format_number).as_deref());
                    }
                }),
                Err(_) => none(field),
            },
            Err(_) => none(field),
        },
        DataType::List(_) | DataType::Struct(_) | DataType::Binary => none(field),
        _ => match column.cast(&DataType::String) {
            Ok(cast) => match cast.str() {
                Ok(texts) => texts.iter().for_each(|text| field.push(text, source)),
                Err(_) => none(field),
            },
            Err(_) => none(field),
        },
    }
}

/// A decimal as `format_number` writes it, with all its digits.
fn without_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

fn push_number(field: &mut Field, number: Option<f64>) {
    let finite = number.filter(|x| x.is_finite()).map(|x| x + 0.0);
    field.push_number(number.is_some(), finite);
    if field.reads_truths() {
        let truth = finite.and_then(|x| if x == 1.0 { Some(true) } else { (x == 0.0).then_some(false) });
        field.push_truth(number.is_some(), truth);
    }
}

fn push_truth(field: &mut Field, truth: Option<bool>) {
    if field.reads_numbers() {
        field.push_number(truth.is_some(), truth.map(|truth| f64::from(u8::from(truth))));
    }
    field.push_truth(truth.is_some(), truth);
    field.push_text(truth.map(|truth| if truth { "true" } else { "false" }));
}
