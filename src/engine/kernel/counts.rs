//! Tallies and histograms of a batch.

use std::collections::HashMap;
use std::sync::Arc;

use super::program::{Program, Values};
use crate::demand::Axis;
use crate::engine::EngineError;
use crate::engine::reference::weighted;
use crate::scalar::{NO_TEXT, Scalar, TRUTH_UNKNOWN, Vector};
use crate::scan::Scan;
use crate::statistic::{Bins, Cell, Counts, DISTINCT_MAX, Histogram, Tally};

/// Tables up to this many cells are held as an array.
const DENSE_MAX: u64 = 1 << 18;

/// Axes bound to a program.
pub struct Axes {
    at: Vec<usize>,
    sizes: Vec<u32>,
}

impl Axes {
    pub fn new(program: &mut Program, scan: &Scan, axes: &[Axis]) -> Result<Axes, EngineError> {
        let at = axes.iter().map(|axis| program.axis(scan, axis)).collect::<Result<_, _>>()?;
        Ok(Axes { at, sizes: axes.iter().map(Axis::size).collect() })
    }

    /// Number of cells, as far as it fits.
    fn cells(&self) -> u64 {
        self.sizes.iter().fold(1, |cells: u64, &size| cells.saturating_mul(size.into()))
    }

    /// The code of every chosen row.
    fn codes(&self, values: &Values, chosen: &[u32]) -> Vec<u64> {
        let mut codes = vec![0u64; chosen.len()];
        for (&axis, &size) in self.at.iter().zip(&self.sizes) {
            let of = values.axis(axis);
            for (code, &row) in codes.iter_mut().zip(chosen) {
                *code = *code * u64::from(size) + u64::from(of[row as usize]);
            }
        }
        codes
    }
}

/// A tally demand bound to a program.
pub struct TallyPlan {
    axes: Axes,
    weight: Option<usize>,
}

/// Cells while rows come in.
pub enum Cells {
    Dense(Vec<i64>),
    Sparse(HashMap<u64, Cell>),
}

impl TallyPlan {
    pub fn new(
        program: &mut Program,
        scan: &Scan,
        axes: &[Axis],
        weight: Option<&Scalar>,
    ) -> Result<TallyPlan, EngineError> {
        let axes = Axes::new(program, scan, axes)?;
        Ok(TallyPlan { axes, weight: weight.map(|weight| program.column(scan, weight)).transpose()? })
    }

    pub fn start(&self) -> Cells {
        match self.weight.is_none() && self.axes.cells() <= DENSE_MAX {
            true => Cells::Dense(vec![0; self.axes.cells() as usize]),
            false => Cells::Sparse(HashMap::new()),
        }
    }

    pub fn add(&self, cells: &mut Cells, values: &Values, chosen: &[u32]) {
        let codes = self.axes.codes(values, chosen);
        match cells {
            Cells::Dense(counts) => codes.iter().for_each(|&code| counts[code as usize] += 1),
            Cells::Sparse(cells) => {
                for (&code, &row) in codes.iter().zip(chosen) {
                    let cell = match self.weight {
                        None => Cell::rows(1),
                        Some(weight) => weighted(&values.columns[weight].get(row as usize)),
                    };
                    *cells.entry(code).or_default() += cell;
                }
            }
        }
    }

    pub fn finish(&self, cells: Cells) -> Tally {
        let mut tally = Tally::new(self.axes.sizes.clone());
        match cells {
            Cells::Dense(counts) => {
                let filled = counts.iter().enumerate().filter(|(_, n)| **n != 0);
                tally.cells.extend(filled.map(|(code, &n)| (code as u64, Cell::rows(n))));
            }
            Cells::Sparse(cells) => tally.cells.extend(cells),
        }
        tally
    }
}

/// A histogram demand bound to a program.
pub struct HistogramPlan {
    axes: Axes,
    of: usize,
    bins: Option<Bins>,
}

/// Groups while rows come in.
pub type Groups = HashMap<u64, Group, foldhash::fast::FixedState>;

/// Counts of one group. Numbers are kept by their bits until there are too many, then in bins.
#[derive(Default)]
pub struct Group {
    missing: i64,
    range: Option<(f64, f64)>,
    numbers: HashMap<u64, i64, foldhash::fast::FixedState>,
    binned: Option<Vec<i64>>,
    texts: HashMap<Arc<str>, i64>,
    too_many_texts: Option<i64>,
}

impl HistogramPlan {
    pub fn new(
        program: &mut Program,
        scan: &Scan,
        by: &[Axis],
        of: &Scalar,
        bins: Option<Bins>,
    ) -> Result<HistogramPlan, EngineError> {
        Ok(HistogramPlan { axes: Axes::new(program, scan, by)?, of: program.column(scan, of)?, bins })
    }

    pub fn add(&self, groups: &mut Groups, values: &Values, chosen: &[u32]) {
        let codes = self.axes.codes(values, chosen);
        let column = &values.columns[self.of];
        for (&code, &row) in codes.iter().zip(chosen) {
            self.count(groups.entry(code).or_default(), column, row as usize);
        }
    }

    fn count(&self, group: &mut Group, column: &Vector, row: usize) {
        match column {
            Vector::Number(numbers) if numbers[row].is_nan() => group.missing += 1,
            Vector::Number(numbers) => group.add_number(numbers[row], self.bins.as_ref()),
            Vector::Truth(truths) if truths[row] == TRUTH_UNKNOWN => group.missing += 1,
            Vector::Truth(truths) => group.add_number(f64::from(truths[row]), self.bins.as_ref()),
            Vector::Text { codes, .. } if codes[row] == NO_TEXT => group.missing += 1,
            Vector::Text { codes, levels } => group.add_text(&levels[codes[row] as usize]),
            Vector::Null(_) => group.missing += 1,
        }
    }

    pub fn finish(&self, groups: Groups) -> Histogram {
        let counts = |(code, group): (u64, Group)| (code, group.counts(self.bins.as_ref()));
        Histogram { sizes: self.axes.sizes.clone(), bins: self.bins, groups: groups.into_iter().map(counts).collect() }
    }
}

impl Group {
    fn add_number(&mut self, value: f64, bins: Option<&Bins>) {
        let (least, greatest) = self.range.unwrap_or((value, value));
        self.range = Some((if value < least { value } else { least }, if value > greatest { value } else { greatest }));
        match (&mut self.binned, bins) {
            (Some(binned), Some(bins)) => binned[bins.code(value) as usize] += 1,
            (Some(_), None) => {}
            (None, _) => {
                // -0 is 0.
                *self.numbers.entry((value + 0.0).to_bits()).or_default() += 1;
                if self.numbers.len() > DISTINCT_MAX {
                    self.bin(bins);
                }
            }
        }
    }

    fn bin(&mut self, bins: Option<&Bins>) {
        let mut binned = vec![0; bins.map_or(0, |bins| bins.count.max(1) as usize)];
        if let Some(bins) = bins {
            for (value, n) in &self.numbers {
                binned[bins.code(f64::from_bits(*value)) as usize] += n;
            }
        }
        self.numbers.clear();
        self.binned = Some(binned);
    }

    fn add_text(&mut self, text: &Arc<str>) {
        if let Some(rows) = &mut self.too_many_texts {
            *rows += 1;
            return;
        }
        match self.texts.get_mut(text) {
            Some(count) => *count += 1,
            None => {
                self.texts.insert(text.clone(), 1);
                if self.texts.len() > DISTINCT_MAX {
                    self.too_many_texts = Some(self.texts.values().sum());
                    self.texts.clear();
                }
            }
        }
    }

    fn counts(self, bins: Option<&Bins>) -> Counts {
        let mut counts = Counts::default();
        counts.missing = self.missing;
        for (value, n) in self.numbers {
            counts.add_number(f64::from_bits(value), n, bins);
        }
        for (text, n) in self.texts {
            counts.add_text(&text, n);
        }
        if let Some(n) = self.too_many_texts {
            counts.add_too_many_texts(n);
        }
        if let (Some(binned), Some(range)) = (self.binned, self.range) {
            counts.add_binned(binned.iter().enumerate().map(|(code, &n)| (code as u32, n)), range);
        }
        counts
    }
}
