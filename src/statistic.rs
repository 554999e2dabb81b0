//! The closed set of shapes evidence comes in. All of it is integers, so parts merge in any order to the same bits.
//!
//! - [`Tally`]: rows, weights and squared weights per cell of a contingency table.
//! - [`Moments`]: sums of products of fixed-point columns, per group.
//! - [`Histogram`]: how often each value occurs, exact up to [`DISTINCT_MAX`] values, else in declared bins.
//! - [`ClassSizes`]: how many equal rows there are of each multiplicity.
//! - [`Panel`]: the rows of smallest keyed hash. Never leaves the process.
//!
//! Merging is associative and commutative, with the empty statistic as its unit. A cell of a released statistic may be negative: noise is
//! added to counts, and the arithmetic here is signed for that reason.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod panel;
mod released;

pub use panel::{Panel, PanelValue};

/// One unit of a weight: weights are kept in multiples of 2^-20.
pub const WEIGHT_ONE: i128 = 1 << 20;

/// Most distinct values a histogram keeps exactly.
pub const DISTINCT_MAX: usize = 4096;

/// Rows, sum of weights, sum of squared weights. Without weights `w = n` and `ww = n`.
///
/// Weights are not negative, so a sum that stops at the greatest integer (129 rows of weight 10^12) is the same in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cell {
    pub n: i64,
    /// Sum of weights, in units of 2^-20 when there are weights.
    pub w: i128,
    /// Sum of squared weights, in units of 2^-40 when there are weights.
    pub ww: i128,
    /// Independent draws of noise in `n`: 0 as counted, 1 as released with noise, more in a sum of released cells.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub draws: u32,
}

fn is_zero(draws: &u32) -> bool {
    *draws == 0
}

impl Cell {
    /// A cell of unweighted rows.
    pub fn rows(n: i64) -> Cell {
        Cell { n, w: n.into(), ww: n.into(), draws: 0 }
    }
}

impl Add for Cell {
    type Output = Cell;
    fn add(self, other: Cell) -> Cell {
        Cell {
            n: self.n + other.n,
            w: self.w.saturating_add(other.w),
            ww: self.ww.saturating_add(other.ww),
            draws: self.draws + other.draws,
        }
    }
}

impl AddAssign for Cell {
    fn add_assign(&mut self, other: Cell) {
        *self = *self + other;
    }
}

/// Takes a part away from the sum that holds it.
impl std::ops::Sub for Cell {
    type Output = Cell;
    fn sub(self, other: Cell) -> Cell {
        Cell {
            n: self.n - other.n,
            w: self.w - other.w,
            ww: self.ww - other.ww,
            draws: self.draws.saturating_sub(other.draws),
        }
    }
}

impl std::iter::Sum for Cell {
    fn sum<I: Iterator<Item = Cell>>(cells: I) -> Cell {
        cells.fold(Cell::default(), Add::add)
    }
}

/// A contingency table. A cell's code is the mixed-radix number of its codes on the axes, first axis most significant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Number of codes on each axis.
    pub sizes: Vec<u32>,
    /// Cells with rows; the others are zero.
    pub cells: BTreeMap<u64, Cell>,
}

impl Tally {
    pub fn new(sizes: Vec<u32>) -> Tally {
        Tally { sizes, cells: BTreeMap::new() }
    }

    /// The cell's code. Every code must be less than its axis' size.
    pub fn code(&self, codes: &[u32]) -> u64 {
        debug_assert_eq!(codes.len(), self.sizes.len());
        codes.iter().zip(&self.sizes).fold(0, |code, (&c, &size)| code * u64::from(size) + u64::from(c))
    }

    /// The codes on each axis of a cell's code.
    pub fn codes(&self, mut code: u64) -> Vec<u32> {
        let mut codes = vec![0; self.sizes.len()];
        for (slot, &size) in codes.iter_mut().zip(&self.sizes).rev() {
            *slot = (code % u64::from(size)) as u32;
            code /= u64::from(size);
        }
        codes
    }

    pub fn get(&self, codes: &[u32]) -> Cell {
        self.cells.get(&self.code(codes)).copied().unwrap_or_default()
    }

    pub fn add(&mut self, codes: &[u32], cell: Cell) {
        let code = self.code(codes);
        *self.cells.entry(code).or_default() += cell;
    }

    pub fn total(&self) -> Cell {
        self.cells.values().copied().sum()
    }

    /// The table over some of the axes, in the order given, summed over the others.
    pub fn marginal(&self, axes: &[usize]) -> Tally {
        let mut sum = Tally::new(axes.iter().map(|&axis| self.sizes[axis]).collect());
        for (&code, &cell) in &self.cells {
            let codes = self.codes(code);
            sum.add(&axes.iter().map(|&axis| codes[axis]).collect::<Vec<_>>(), cell);
        }
        sum
    }

    /// The rows of which the codes satisfy a condition.
    pub fn total_where(&self, keep: impl Fn(&[u32]) -> bool) -> Cell {
        self.cells.iter().filter(|(code, _)| keep(&self.codes(**code))).map(|(_, cell)| *cell).sum()
    }

    fn merge(&mut self, other: Tally) {
        for (code, cell) in other.cells {
            *self.cells.entry(code).or_default() += cell;
        }
    }
}

/// Sums over the rows of one group. Variable 0 is the constant 1; then the columns in the order demanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MomentSums {
    /// Rows in the sums.
    pub n: i64,
    /// Rows left out because a column was missing.
    pub skipped: i64,
    /// Sums of products of the variables, upper triangle by rows, in units of 2^-(2 scale_bits). Empty when not demanded.
    pub gram: Vec<i128>,
    /// The same with each of the demanded weights, in units of 2^-40.
    pub weighted: Vec<Vec<i128>>,
    /// Sum of products of variable i and cross column k, at `i * cross columns + k`, in units of 2^-(2 scale_bits).
    pub cross: Vec<i128>,
}

impl MomentSums {
    pub fn new(variables: usize, weights: usize, cross: usize, gram: bool) -> MomentSums {
        let triangle = variables * (variables + 1) / 2;
        MomentSums {
            n: 0,
            skipped: 0,
            gram: vec![0; if gram { triangle } else { 0 }],
            weighted: vec![vec![0; triangle]; weights],
            cross: vec![0; variables * cross],
        }
    }

    /// Adds the sums of other rows.
    pub fn merge(&mut self, other: &MomentSums) {
        self.n += other.n;
        self.skipped += other.skipped;
        add_each(&mut self.gram, &other.gram);
        for (sums, more) in self.weighted.iter_mut().zip(&other.weighted) {
            add_each(sums, more);
        }
        add_each(&mut self.cross, &other.cross);
    }
}

fn add_each(sums: &mut [i128], more: &[i128]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Sums of products of fixed-point columns, per group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Moments {
    /// Number of codes on each grouping axis.
    pub sizes: Vec<u32>,
    /// 20 or 40: columns are multiples of 2^-scale_bits.
    pub scale_bits: u32,
    pub groups: BTreeMap<u64, MomentSums>,
}

impl Moments {
    fn merge(&mut self, other: Moments) {
        for (code, sums) in other.groups {
            match self.groups.get_mut(&code) {
                Some(mine) => mine.merge(&sums),
                None => {
                    self.groups.insert(code, sums);
                }
            }
        }
    }

    /// The sums over the groups whose codes satisfy a condition; none when no group does.
    pub fn total_where(&self, keep: impl Fn(&[u32]) -> bool) -> Option<MomentSums> {
        let table = Tally::new(self.sizes.clone());
        let mut total: Option<MomentSums> = None;
        for (&code, sums) in &self.groups {
            if keep(&table.codes(code)) {
                match &mut total {
                    Some(total) => total.merge(sums),
                    None => total = Some(sums.clone()),
                }
            }
        }
        total
    }
}

/// Equal bins over [lower, upper]; values beyond the ends are counted in the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bins {
    pub lower: f64,
    pub upper: f64,
    pub count: u32,
}

impl Bins {
    /// The bin of a value: floor((v - lower) / (upper - lower) * count), within 0 and count - 1.
    pub fn code(&self, value: f64) -> u32 {
        let position = ((value - self.lower) / (self.upper - self.lower) * f64::from(self.count)).floor();
        if position <= 0.0 {
            0
        } else if position >= f64::from(self.count) {
            self.count.saturating_sub(1)
        } else {
            position as u32
        }
    }

    /// Lower and upper end of a bin.
    pub fn ends(&self, code: u32) -> (f64, f64) {
        let width = (self.upper - self.lower) / f64::from(self.count);
        (self.lower + width * f64::from(code), self.lower + width * f64::from(code + 1))
    }
}

/// A number that orders and hashes: the IEEE bits, ordered as the number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordered(i64);

impl Ordered {
    /// The number must not be NaN; -0 is 0.
    pub fn of(value: f64) -> Ordered {
        let bits = (value + 0.0).to_bits() as i64;
        Ordered(if bits < 0 { !bits ^ i64::MIN } else { bits })
    }

    pub fn number(self) -> f64 {
        let bits = if self.0 < 0 { !(self.0 ^ i64::MIN) } else { self.0 };
        f64::from_bits(bits as u64)
    }
}

impl Serialize for Ordered {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number())
    }
}

/// How often each value of one group occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Spread {
    /// Every distinct number.
    Numbers { counts: Vec<(Ordered, i64)> },
    /// More than [`DISTINCT_MAX`] distinct numbers: rows per bin, ascending, empty bins left out.
    Binned { counts: Vec<(u32, i64)> },
    /// Every distinct text.
    Texts { counts: Vec<(Arc<str>, i64)> },
    /// More than [`DISTINCT_MAX`] distinct texts.
    TooManyTexts { n: i64 },
}

/// How often each value occurs, per group.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Histogram {
    pub sizes: Vec<u32>,
    pub bins: Option<Bins>,
    pub groups: BTreeMap<u64, Counts>,
}

/// Counts of the values of one group while they are collected and merged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Rows without a value.
    pub missing: i64,
    /// Least and greatest number.
    pub range: Option<(Ordered, Ordered)>,
    numbers: BTreeMap<Ordered, i64>,
    binned: Option<BTreeMap<u32, i64>>,
    texts: BTreeMap<Arc<str>, i64>,
    too_many_texts: Option<i64>,
}

impl Counts {
    /// Counts a number `n` times.
    pub fn add_number(&mut self, value: f64, n: i64, bins: Option<&Bins>) {
        self.widen(Ordered::of(value), Ordered::of(value));
        match (&mut self.binned, bins) {
            (Some(binned), Some(bins)) => *binned.entry(bins.code(value)).or_default() += n,
            (Some(_), None) => {}
            (None, _) => {
                *self.numbers.entry(Ordered::of(value)).or_default() += n;
                if self.numbers.len() > DISTINCT_MAX {
                    self.bin(bins);
                }
            }
        }
    }

    fn widen(&mut self, least: Ordered, greatest: Ordered) {
        let (lower, upper) = self.range.unwrap_or((least, greatest));
        self.range = Some((lower.min(least), upper.max(greatest)));
    }

    /// Counts a text `n` times.
    pub fn add_text(&mut self, value: &Arc<str>, n: i64) {
        if let Some(rows) = &mut self.too_many_texts {
            *rows += n;
            return;
        }
        match self.texts.get_mut(value) {
            Some(count) => *count += n,
            None => {
                self.texts.insert(value.clone(), n);
                if self.texts.len() > DISTINCT_MAX {
                    self.too_many_texts = Some(self.texts.values().sum());
                    self.texts.clear();
                }
            }
        }
    }

    /// Counts texts of which there are more than [`DISTINCT_MAX`] distinct ones.
    #[cfg(feature = "polars")]
    pub(crate) fn add_too_many_texts(&mut self, n: i64) {
        self.merge(&Counts { too_many_texts: Some(n), ..Counts::default() }, None);
    }

    /// Counts numbers of which there are more than [`DISTINCT_MAX`] distinct ones within a range: rows per bin, none without bins.
    #[cfg(feature = "polars")]
    pub(crate) fn add_binned(&mut self, binned: impl Iterator<Item = (u32, i64)>, (least, greatest): (f64, f64)) {
        let range = Some((Ordered::of(least), Ordered::of(greatest)));
        let binned = Some(binned.filter(|(_, n)| *n != 0).collect());
        self.merge(&Counts { range, binned, ..Counts::default() }, None);
    }

    /// What was counted.
    pub fn spread(&self) -> Spread {
        if let Some(n) = self.too_many_texts {
            return Spread::TooManyTexts { n };
        }
        if let Some(binned) = &self.binned {
            return Spread::Binned { counts: binned.iter().map(|(&code, &n)| (code, n)).collect() };
        }
        if !self.texts.is_empty() {
            return Spread::Texts { counts: self.texts.iter().map(|(text, &n)| (text.clone(), n)).collect() };
        }
        Spread::Numbers { counts: self.numbers.iter().map(|(&value, &n)| (value, n)).collect() }
    }

    fn bin(&mut self, bins: Option<&Bins>) {
        let mut binned = BTreeMap::new();
        if let Some(bins) = bins {
            for (value, n) in &self.numbers {
                *binned.entry(bins.code(value.number())).or_default() += n;
            }
        }
        self.numbers.clear();
        self.binned = Some(binned);
    }

    /// Adds the counts of other rows.
    pub fn merge(&mut self, other: &Counts, bins: Option<&Bins>) {
        self.missing += other.missing;
        if let Some((least, greatest)) = other.range {
            self.widen(least, greatest);
        }
        if other.binned.is_some() && self.binned.is_none() {
            self.bin(bins);
        }
        for (value, &n) in &other.numbers {
            self.add_number(value.number(), n, bins);
        }
        if let (Some(mine), Some(more)) = (&mut self.binned, &other.binned) {
            for (&code, n) in more {
                *mine.entry(code).or_default() += n;
            }
        }
        for (text, &n) in &other.texts {
            self.add_text(text, n);
        }
        if let Some(more) = other.too_many_texts {
            let mine = self.too_many_texts.unwrap_or_else(|| self.texts.values().sum());
            self.texts.clear();
            self.too_many_texts = Some(mine + more);
        }
    }
}

impl Histogram {
    fn merge(&mut self, other: Histogram) {
        for (code, counts) in other.groups {
            self.groups.entry(code).or_default().merge(&counts, self.bins.as_ref());
        }
    }

    /// The counts over the groups whose codes satisfy a condition.
    pub fn total_where(&self, keep: impl Fn(&[u32]) -> bool) -> Counts {
        let table = Tally::new(self.sizes.clone());
        let mut total = Counts::default();
        for (&code, counts) in &self.groups {
            if keep(&table.codes(code)) {
                total.merge(counts, self.bins.as_ref());
            }
        }
        total
    }
}

/// How many sets of equal rows there are of each size: `{1: 900, 2: 30}` is 900 rows that occur once and 30 that occur twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ClassSizes {
    pub classes: BTreeMap<u64, u64>,
    /// Rows with a missing value in one of the columns; they are in no class.
    pub missing: u64,
}

impl ClassSizes {
    /// Rows in classes of more than one row.
    pub fn repeated(&self) -> u64 {
        self.classes.iter().filter(|(size, _)| **size > 1).map(|(size, n)| size * n).sum()
    }

    fn merge(&mut self, other: ClassSizes) {
        self.missing += other.missing;
        for (size, n) in other.classes {
            *self.classes.entry(size).or_default() += n;
        }
    }
}

/// One statistic.
#[derive(Clone, PartialEq)]
pub enum Statistic {
    Tally(Tally),
    Moments(Moments),
    Histogram(Histogram),
    ClassSizes(ClassSizes),
    Panel(Panel),
}

impl Statistic {
    /// Adds the statistic of other rows of the same demand. False when the two answer different demands.
    pub fn merge(&mut self, other: Statistic) -> bool {
        match (self, other) {
            (Statistic::Tally(mine), Statistic::Tally(more)) => mine.merge(more),
            (Statistic::Moments(mine), Statistic::Moments(more)) => mine.merge(more),
            (Statistic::Histogram(mine), Statistic::Histogram(more)) => mine.merge(more),
            (Statistic::ClassSizes(mine), Statistic::ClassSizes(more)) => mine.merge(more),
            (Statistic::Panel(mine), Statistic::Panel(more)) => mine.merge(more),
            _ => return false,
        }
        true
    }
}
