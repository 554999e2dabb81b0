//! A table both read: doubles, one column after the other, in a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand::engine::memory::Memory;
use evenhand::plan::expression::parse;
use evenhand::plan::spec::{Format, Spec};
use evenhand::plan::{Learned, Plan};
use evenhand::scalar::Vector;
use evenhand::scan::Source;

pub struct Table {
    pub path: PathBuf,
    pub rows: usize,
}

impl Table {
    pub fn write(folder: &Path, name: &str, columns: &[Vec<f64>]) -> Table {
        let path = folder.join(name);
        let bytes: Vec<u8> = columns.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        fs::write(&path, bytes).unwrap();
        Table { path, rows: columns[0].len() }
    }

    pub fn read(&self) -> Vec<Vec<f64>> {
        let bytes = fs::read(&self.path).unwrap();
        let number = |eight: &[u8]| f64::from_le_bytes(eight.try_into().unwrap());
        bytes.chunks(8 * self.rows).map(|column| column.chunks(8).map(number).collect()).collect()
    }
}

/// The plan of a pipeline file over columns in memory.
pub fn plan(text: &str) -> Plan {
    let spec: Spec = toml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let source = Source {
        paths: Vec::new(),
        format: Format::Csv,
        delimiter: b',',
        decimal: '.',
        null_values: Vec::new(),
        hive: false,
    };
    Plan::of(&spec, "", source, &|text| parse(text).map_err(|e| e.message), &Learned::default()).unwrap()
}

/// Named columns for one thread.
pub fn memory(rows: usize, columns: Vec<(String, Vector)>) -> Memory {
    Memory { columns: columns.into_iter().map(|(name, column)| (name.into(), column)).collect(), rows, threads: 1 }
}

/// A text column from codes.
pub fn texts(codes: &[f64], levels: &[&str]) -> Vector {
    let levels: Vec<Arc<str>> = levels.iter().map(|&level| level.into()).collect();
    Vector::Text { codes: codes.iter().map(|&code| code as u32).collect(), levels: levels.into() }
}
