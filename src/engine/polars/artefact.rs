//! Writes rows as Parquet, a row group for every window. Texts of polars' errors are not passed on: they may hold values.

use std::io::{self, Write};
use std::sync::Arc;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Float64Chunked, IntoColumn, NewChunkedArray, ParquetWriter,
    PlSmallStr, PolarsError, Schema, StringChunked,
};

use crate::scalar::{Kind, NO_TEXT, TRUTH_UNKNOWN, Vector};

/// A Parquet file in the making.
pub struct Parquet<W: Write> {
    writer: BatchedWriter<W>,
    columns: Vec<(Arc<str>, Kind)>,
}

fn plain(e: PolarsError) -> io::Error {
    match e {
        PolarsError::IO { error, .. } => io::Error::from(error.kind()),
        _ => io::Error::other("the dataset cannot be written as Parquet"),
    }
}

impl<W: Write> Parquet<W> {
    pub fn new(file: W, columns: &[(Arc<str>, Kind)]) -> io::Result<Parquet<W>> {
        let field = |(name, kind): &(Arc<str>, Kind)| {
            let kind = match kind {
                Kind::Truth => DataType::Boolean,
                Kind::Number => DataType::Float64,
                Kind::Text => DataType::String,
            };
            Field::new(PlSmallStr::from_str(name), kind)
        };
        let schema: Schema = columns.iter().map(field).collect();
        let writer = ParquetWriter::new(file).batched(&schema).map_err(plain)?;
        Ok(Parquet { writer, columns: columns.to_vec() })
    }

    /// Writes a row group.
    pub fn write(&mut self, columns: &[Vector], rows: usize) -> io::Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let of = |((name, kind), column): (&(Arc<str>, Kind), &Vector)| written(name, *kind, column, rows);
        let columns = self.columns.iter().zip(columns).map(of).collect();
        let frame = DataFrame::new(rows, columns).map_err(plain)?;
        self.writer.write_batch(&frame).map_err(plain)
    }

    pub fn finish(self) -> io::Result<()> {
        self.writer.finish().map(|_| ()).map_err(plain)
    }
}

/// A column of a kind; a vector of another kind has no value in any row.
fn written(name: &str, kind: Kind, column: &Vector, rows: usize) -> Column {
    let name = PlSmallStr::from_str(name);
    match kind {
        Kind::Number => {
            let values = (0..rows).map(|row| match column {
                Vector::Number(numbers) => numbers.get(row).copied().filter(|x| !x.is_nan()),
                _ => None,
            });
            Float64Chunked::from_iter_options(name, values).into_column()
        }
        Kind::Truth => {
            let values = (0..rows).map(|row| match column {
                Vector::Truth(truths) => truths.get(row).filter(|x| **x != TRUTH_UNKNOWN).map(|x| *x == 1),
                _ => None,
            });
            BooleanChunked::from_iter_options(name, values).into_column()
        }
        Kind::Text => {
            let values = (0..rows).map(|row| match column {
                Vector::Text { codes, levels } => match codes.get(row) {
                    Some(&code) if code != NO_TEXT => levels.get(code as usize).map(|text| &**text),
                    _ => None,
                },
                _ => None,
            });
            StringChunked::from_iter_options(name, values).into_column()
        }
    }
}
