//! Columns of a batch, built field by field, with the meaning of `ingest::field`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ingest::field::is_null;
use crate::scalar::{NO_TEXT, TRUTH_UNKNOWN, Vector, parse_number};
use crate::scan::{Read, Reading, Source, parse_truth};

/// Distinct texts a dictionary keeps from batch to batch.
const KEPT_MAX: usize = 1024;

/// The columns read from one column of the source, in the making.
pub struct Field {
    numbers: Vec<(usize, Vec<f64>)>,
    no_numbers: Vec<(usize, Vec<u8>)>,
    truths: Vec<(usize, Vec<u8>)>,
    no_truths: Vec<(usize, Vec<u8>)>,
    texts: Vec<(usize, Texts)>,
}

impl Field {
    /// `reads` are positions among the scan's reads and how each is read.
    pub fn new(reads: impl Iterator<Item = (usize, Reading)>) -> Field {
        let (numbers, texts) = (Vec::new(), Vec::new());
        let mut field = Field { numbers, no_numbers: Vec::new(), truths: Vec::new(), no_truths: Vec::new(), texts };
        for (at, by) in reads {
            match by {
                Reading::Text => field.texts.push((at, Texts::default())),
                Reading::Number => field.numbers.push((at, Vec::new())),
                Reading::NoNumber => field.no_numbers.push((at, Vec::new())),
                Reading::Truth => field.truths.push((at, Vec::new())),
                Reading::NoTruth => field.no_truths.push((at, Vec::new())),
            }
        }
        field
    }

    /// Appends a field; none is missing.
    pub fn push(&mut self, text: Option<&str>, source: &Source) {
        let text = text.filter(|text| !is_null(text, source));
        if !self.numbers.is_empty() || !self.no_numbers.is_empty() {
            let number = text.and_then(|text| parse_number(text, source.decimal));
            self.push_number(text.is_some(), number);
        }
        if !self.truths.is_empty() || !self.no_truths.is_empty() {
            self.push_truth(text.is_some(), text.and_then(parse_truth));
        }
        for (_, texts) in &mut self.texts {
            texts.push(text);
        }
    }

    /// Appends the numeric readings of a field that is there or not, and a number or not.
    pub fn push_number(&mut self, there: bool, number: Option<f64>) {
        for (_, numbers) in &mut self.numbers {
            numbers.push(number.unwrap_or(f64::NAN));
        }
        for (_, wrong) in &mut self.no_numbers {
            wrong.push(if there { u8::from(number.is_none()) } else { TRUTH_UNKNOWN });
        }
    }

    /// Appends the truth readings of a field that is there or not, and a truth value or not.
    pub fn push_truth(&mut self, there: bool, truth: Option<bool>) {
        for (_, truths) in &mut self.truths {
            truths.push(truth.map_or(TRUTH_UNKNOWN, u8::from));
        }
        for (_, wrong) in &mut self.no_truths {
            wrong.push(if there { u8::from(truth.is_none()) } else { TRUTH_UNKNOWN });
        }
    }

    /// Appends the text readings of a field.
    pub fn push_text(&mut self, text: Option<&str>) {
        for (_, texts) in &mut self.texts {
            texts.push(text);
        }
    }

    pub fn reads_numbers(&self) -> bool {
        !self.numbers.is_empty() || !self.no_numbers.is_empty()
    }

    pub fn reads_truths(&self) -> bool {
        !self.truths.is_empty() || !self.no_truths.is_empty()
    }

    pub fn reads_texts(&self) -> bool {
        !self.texts.is_empty()
    }

    /// Moves what was appended into the columns of a batch.
    pub fn take(&mut self, columns: &mut [Vector]) {
        for (at, numbers) in &mut self.numbers {
            columns[*at] = Vector::Number(std::mem::take(numbers));
        }
        for (at, truths) in self.no_numbers.iter_mut().chain(&mut self.truths).chain(&mut self.no_truths) {
            columns[*at] = Vector::Truth(std::mem::take(truths));
        }
        for (at, texts) in &mut self.texts {
            columns[*at] = texts.take();
        }
    }
}

/// A column of the source, and the positions among the reads and the readings of those that read it.
pub type ColumnReads = (Arc<str>, Vec<(usize, Reading)>);

/// The reads of a scan grouped by the source column they read.
pub fn by_column(reads: &[Read]) -> Vec<ColumnReads> {
    let mut columns: Vec<ColumnReads> = Vec::new();
    for (at, read) in reads.iter().enumerate() {
        match columns.iter_mut().find(|(name, _)| *name == read.column) {
            Some((_, readings)) => readings.push((at, read.by)),
            None => columns.push((read.column.clone(), vec![(at, read.by)])),
        }
    }
    columns
}

/// A text column with its dictionary.
#[derive(Default)]
struct Texts {
    codes: Vec<u32>,
    known: HashMap<Arc<str>, u32, foldhash::fast::FixedState>,
    levels: Vec<Arc<str>>,
    shared: Option<Arc<[Arc<str>]>>,
    last: u32,
}

impl Texts {
    fn push(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            self.codes.push(NO_TEXT);
            return;
        };
        if self.levels.get(self.last as usize).is_none_or(|level| **level != *text) {
            self.last = match self.known.get(text) {
                Some(&code) => code,
                None => {
                    let (level, code) = (Arc::<str>::from(text), self.levels.len() as u32);
                    self.known.insert(level.clone(), code);
                    self.levels.push(level);
                    code
                }
            };
        }
        self.codes.push(self.last);
    }

    fn take(&mut self) -> Vector {
        if self.shared.as_ref().is_none_or(|shared| shared.len() != self.levels.len()) {
            self.shared = Some(self.levels.as_slice().into());
        }
        let levels = self.shared.clone().unwrap_or_default();
        let codes = std::mem::take(&mut self.codes);
        if self.levels.len() > KEPT_MAX {
            (self.known, self.levels, self.shared, self.last) = Default::default();
        }
        Vector::Text { codes, levels }
    }
}
