//! Exact sums of products by matrix multiplication.
//!
//! A column at 2^-40 is two limbs, q = hi 2^20 + lo with 0 <= lo < 2^20 and |hi| <= 2^20; at 2^-20 it is hi alone. A product of two limbs is at
//! most 2^40, so the sum of 4,096 of them is at most 2^52 and every step of a multiplication in doubles is exact. Blocks are added up in i128.
//!
//! With a weight the product is floor((w hi_i + 2^19) / 2^20) hi_j for i <= j, as in the reference.
//!
//! The chosen rows of a batch are arranged by group, so that a group is a range of every column. A row that lacks a value is zero in every
//! column, the constant included: it adds nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::program::{Program, Values};
use crate::demand::{Axis, Fixed, Limbs};
use crate::engine::EngineError;
use crate::scalar::{TRUTH_UNKNOWN, Vector, floor, wide};
use crate::scan::Scan;
use crate::statistic::{MomentSums, Moments, Tally};

const LIMB: f64 = (1u64 << 20) as f64;
/// Below this many rows of a group, plain loops are faster.
const ROWS_MIN: usize = 16;
/// Columns that a symmetric product is taken of at a time.
const PANEL: usize = 16;

/// A moments demand bound to a program.
pub struct Plan {
    by: Vec<usize>,
    sizes: Vec<u32>,
    of: Vec<(usize, Fixed)>,
    weights: Vec<(usize, Fixed)>,
    cross: Vec<(usize, Fixed)>,
    gram: bool,
    limbs: Limbs,
}

/// Sums per group while rows come in.
#[derive(Default)]
pub struct Sums {
    groups: HashMap<u64, MomentSums>,
    batch: Batch,
    product: Vec<f64>,
}

/// The columns of a batch, one after the other.
#[derive(Default)]
struct Batch {
    rows: usize,
    /// The constant and the variables.
    variables: Columns,
    cross: Columns,
    /// At 2^-20.
    weights: Columns,
    /// For every weight, the weighted high limbs of the variables.
    weighted: Vec<Vec<f64>>,
    /// Rows that lack a value; empty when none does.
    lacking: Vec<bool>,
    /// Values in the order of the groups, before they are quantised.
    values: Vec<f64>,
}

/// High limbs of all columns, then the low limbs of those that have any.
#[derive(Default)]
struct Columns {
    values: Vec<f64>,
    /// Where the low limb of a column is.
    low: Vec<Option<usize>>,
    count: usize,
}

/// Rows by group, and the code of every group with its range of them.
type Arranged<'c> = (Cow<'c, [u32]>, Vec<(u64, Range<usize>)>);

impl Plan {
    pub fn new(
        program: &mut Program,
        scan: &Scan,
        by: &[Axis],
        [of, weights, cross]: [&[Fixed]; 3],
        (gram, limbs): (bool, Limbs),
    ) -> Result<Plan, EngineError> {
        let mut bind = |columns: &[Fixed]| {
            columns
                .iter()
                .map(|fixed| Ok((program.column(scan, &fixed.of)?, fixed.clone())))
                .collect::<Result<Vec<_>, EngineError>>()
        };
        let (of, weights, cross) = (bind(of)?, bind(weights)?, bind(cross)?);
        let sizes = by.iter().map(Axis::size).collect();
        let by = by.iter().map(|axis| program.axis(scan, axis)).collect::<Result<_, _>>()?;
        Ok(Plan { by, sizes, of, weights, cross, gram, limbs })
    }

    /// Adds the chosen rows of a batch of at most 4,096 rows.
    pub fn add(&self, sums: &mut Sums, values: &Values, chosen: &[u32]) {
        if chosen.is_empty() {
            return;
        }
        let (order, groups) = self.arranged(values, chosen);
        let Sums { groups: totals, batch, product } = sums;
        batch.fill(self, values, &order);
        for (code, range) in groups {
            let total = totals
                .entry(code)
                .or_insert_with(|| MomentSums::new(self.of.len() + 1, self.weights.len(), self.cross.len(), self.gram));
            let lacking =
                batch.lacking.get(range.clone()).map_or(0, |lacks| lacks.iter().filter(|&&lacks| lacks).count());
            total.n += (range.len() - lacking) as i64;
            total.skipped += lacking as i64;
            match range.len() < ROWS_MIN {
                true => batch.add_plainly(total, range, self.limbs),
                false => batch.add(total, range, self.limbs, product),
            }
        }
    }

    /// The chosen rows by group, and every group's range of them.
    fn arranged<'c>(&self, values: &Values, chosen: &'c [u32]) -> Arranged<'c> {
        if self.by.is_empty() {
            return (Cow::Borrowed(chosen), vec![(0, 0..chosen.len())]);
        }
        let mut codes = vec![0; chosen.len()];
        for (&axis, &size) in self.by.iter().zip(&self.sizes) {
            let of = values.axis(axis);
            for (code, &row) in codes.iter_mut().zip(chosen) {
                *code = *code * u64::from(size) + u64::from(of[row as usize]);
            }
        }
        let mut slots: HashMap<u64, usize, foldhash::fast::FixedState> = HashMap::default();
        let mut groups: Vec<(u64, Vec<u32>)> = Vec::new();
        for (&code, &row) in codes.iter().zip(chosen) {
            let slot = *slots.entry(code).or_insert(groups.len());
            if slot == groups.len() {
                groups.push((code, Vec::new()));
            }
            groups[slot].1.push(row);
        }
        let (mut order, mut ranges) = (Vec::with_capacity(chosen.len()), Vec::with_capacity(groups.len()));
        for (code, rows) in groups {
            ranges.push((code, order.len()..order.len() + rows.len()));
            order.extend(rows);
        }
        (Cow::Owned(order), ranges)
    }

    pub fn finish(&self, sums: Sums) -> Moments {
        debug_assert_eq!(Tally::new(self.sizes.clone()).sizes.len(), self.by.len());
        Moments { sizes: self.sizes.clone(), scale_bits: self.limbs.bits(), groups: sums.groups.into_iter().collect() }
    }
}

impl Batch {
    fn fill(&mut self, plan: &Plan, values: &Values, order: &[u32]) {
        let rows = order.len();
        self.rows = rows;
        let Batch { variables, cross, weights, values: scratch, .. } = self;
        variables.start(1 + plan.of.len(), rows);
        variables.values[..rows].fill(LIMB);
        cross.start(plan.cross.len(), rows);
        weights.start(plan.weights.len(), rows);
        let mut read = |columns: &mut Columns, first: usize, list: &[(usize, Fixed)], limbs: Limbs| {
            let mut lacks = false;
            for (i, (at, fixed)) in list.iter().enumerate() {
                let column = chosen(&values.columns[*at], order, values.rows, scratch);
                lacks |= columns.push(first + i, column, fixed, limbs);
            }
            lacks
        };
        let lacks = [
            read(variables, 1, &plan.of, plan.limbs),
            read(cross, 0, &plan.cross, plan.limbs),
            read(weights, 0, &plan.weights, Limbs::One),
        ];
        self.lacking.clear();
        if lacks.contains(&true) {
            self.leave_out();
        }
        self.weighted.resize_with(plan.weights.len(), Vec::new);
        for (k, weighted) in self.weighted.iter_mut().enumerate() {
            weighted.resize((1 + plan.of.len()) * rows, 0.0);
            let weight = &self.weights.values[k * rows..(k + 1) * rows];
            for (out, hi) in weighted.chunks_exact_mut(rows).zip(self.variables.values.chunks_exact(rows)) {
                weigh(weight, hi, out);
            }
        }
    }

    /// Makes the rows that lack a value zero in every column.
    fn leave_out(&mut self) {
        let rows = self.rows;
        self.lacking.resize(rows, false);
        let columns = || [&self.variables, &self.cross, &self.weights].into_iter();
        for column in columns().flat_map(|columns| columns.values[..columns.count * rows].chunks_exact(rows)) {
            self.lacking.iter_mut().zip(column).for_each(|(lacks, x)| *lacks |= x.is_nan());
        }
        for columns in [&mut self.variables, &mut self.cross, &mut self.weights] {
            for column in columns.values[..columns.count * rows].chunks_exact_mut(rows) {
                column.iter_mut().zip(&self.lacking).filter(|(_, lacks)| **lacks).for_each(|(x, _)| *x = 0.0);
            }
        }
    }

    fn add(&self, sums: &mut MomentSums, range: Range<usize>, limbs: Limbs, product: &mut Vec<f64>) {
        let (stride, variables, cross) = (self.rows, &self.variables, &self.cross);
        let block = variables.values.as_slice();
        if !sums.gram.is_empty() {
            let count = variables.count;
            symmetric(block, block, stride, &range, count, product);
            let at = |i: usize, j: usize| product[i * count + j] as i64;
            let mut slot = 0;
            for i in 0..variables.low.len() {
                for j in i..variables.low.len() {
                    let (x, y) = (variables.low[i], variables.low[j]);
                    let mixed = y.map_or(0, |lo| at(i, lo)) + x.map_or(0, |lo| at(j, lo));
                    let low = x.zip(y).map_or(0, |(x, y)| at(x.min(y), x.max(y)));
                    sums.gram[slot] += whole(at(i, j), mixed, low, limbs);
                    slot += 1;
                }
            }
        }
        if cross.count > 0 {
            let count = cross.count;
            product.clear();
            for column in block[..variables.count * stride].chunks_exact(stride) {
                let other = |k: usize| &cross.values[k * stride..][range.clone()];
                product.extend((0..count).map(|k| sum_of_products(&column[range.clone()], other(k))));
            }
            let at = |i: usize, k: usize| product[i * count + k] as i64;
            for (i, x) in variables.low.iter().enumerate() {
                for (k, y) in cross.low.iter().enumerate() {
                    let mixed = y.map_or(0, |lo| at(i, lo)) + x.map_or(0, |lo| at(lo, k));
                    let low = x.zip(*y).map_or(0, |(x, y)| at(x, y));
                    sums.cross[i * cross.low.len() + k] += whole(at(i, k), mixed, low, limbs);
                }
            }
        }
        let count = variables.low.len();
        for (weighted, sums) in self.weighted.iter().zip(&mut sums.weighted) {
            symmetric(weighted, block, stride, &range, count, product);
            let mut slot = 0;
            for i in 0..count {
                for sum in &product[i * count + i..(i + 1) * count] {
                    sums[slot] += i128::from(*sum as i64);
                    slot += 1;
                }
            }
        }
    }

    fn add_plainly(&self, sums: &mut MomentSums, range: Range<usize>, limbs: Limbs) {
        let rows = self.rows;
        let variables = self.variables.low.len();
        for row in range.filter(|&row| self.lacking.get(row) != Some(&true)) {
            let one = |columns: &Columns, i: usize| i128::from(columns.integer(i, row, rows, limbs));
            let mut at = 0;
            for i in 0..variables {
                let x = one(&self.variables, i);
                for j in i..variables {
                    if !sums.gram.is_empty() {
                        sums.gram[at] += x * one(&self.variables, j);
                    }
                    for (weighted, sums) in self.weighted.iter().zip(&mut sums.weighted) {
                        let hi = self.variables.values[j * rows + row];
                        sums[at] += i128::from(weighted[i * rows + row] as i64) * i128::from(hi as i64);
                    }
                    at += 1;
                }
                for k in 0..self.cross.low.len() {
                    sums.cross[i * self.cross.low.len() + k] += x * one(&self.cross, k);
                }
            }
        }
    }
}

/// A sum of products from the sums of the products of its limbs.
fn whole(high: i64, mixed: i64, low: i64, limbs: Limbs) -> i128 {
    match limbs {
        Limbs::One => i128::from(high),
        Limbs::Two => (i128::from(high) << 40) + (i128::from(mixed) << 20) + i128::from(low),
    }
}

impl Columns {
    fn start(&mut self, columns: usize, rows: usize) {
        self.count = columns;
        self.low.clear();
        self.low.resize(columns, None);
        // Never shrinks: a batch writes all that it reads.
        let size = (2 * columns * rows).max(self.values.len());
        self.values.resize(size, 0.0);
    }

    /// Quantises a column; true when a row lacks its value. Columns without low limbs, such as indicators, get no column for them.
    fn push(&mut self, at: usize, column: &[f64], fixed: &Fixed, limbs: Limbs) -> bool {
        let rows = column.len();
        let (head, tail) = self.values.split_at_mut(self.count * rows);
        let high = &mut head[at * rows..(at + 1) * rows];
        if !fixed.has_width() {
            high.fill(f64::NAN);
            return true;
        }
        let bounds = (fixed.lower, fixed.upper);
        match limbs {
            Limbs::One => quantise_whole(column, bounds, high),
            Limbs::Two => {
                let (lacks, has_low) = quantise_limbs(column, bounds, high, &mut tail[..rows]);
                if has_low {
                    self.low[at] = Some(self.count);
                    self.count += 1;
                }
                lacks
            }
        }
    }

    /// The value of a row in its unit.
    fn integer(&self, column: usize, row: usize, rows: usize, limbs: Limbs) -> i64 {
        let at = |column: usize| self.values[column * rows + row] as i64;
        match limbs {
            Limbs::One => at(column),
            Limbs::Two => (at(column) << 20) + self.low[column].map_or(0, at),
        }
    }
}

/// The chosen rows of a column as numbers.
fn chosen<'c>(column: &'c Vector, order: &[u32], rows: usize, scratch: &'c mut Vec<f64>) -> &'c [f64] {
    scratch.clear();
    match column {
        // Ascending within the only group there is: all rows in their order.
        Vector::Number(numbers) if order.len() == rows && order.is_sorted() => return numbers,
        Vector::Number(numbers) => scratch.extend(order.iter().map(|&row| numbers[row as usize])),
        Vector::Truth(truths) => {
            let table = [0.0, 1.0, f64::NAN];
            scratch.extend(order.iter().map(|&row| table[usize::from(truths[row as usize].min(TRUTH_UNKNOWN))]));
        }
        Vector::Text { .. } | Vector::Null(_) => scratch.resize(order.len(), f64::NAN),
    }
    scratch
}

/// See `demand::Fixed`; NaN where the value is missing.
#[inline(always)]
fn quantised(value: f64, (lower, upper): (f64, f64), unit: f64) -> f64 {
    let clamped = if value < lower { lower } else { value };
    let clamped = if clamped > upper { upper } else { clamped };
    floor(((clamped - lower) / (upper - lower) * 2.0 - 1.0) * unit + 0.5)
}

wide! {
    /// Integers at 2^-20; true when one is missing.
    fn quantise_whole(column: &[f64], bounds: (f64, f64), out: &mut [f64]) -> bool {
        let mut lacks = 0;
        for (out, &x) in out.iter_mut().zip(column) {
            *out = quantised(x, bounds, LIMB);
            lacks |= u64::from(out.is_nan());
        }
        lacks != 0
    }
}

wide! {
    /// Integers at 2^-40 in two limbs. Whether one is missing, and whether a low limb is not zero.
    fn quantise_limbs(column: &[f64], bounds: (f64, f64), high: &mut [f64], low: &mut [f64]) -> (bool, bool) {
        let (mut lacks, mut bits) = (0, 0);
        for ((&x, high), low) in column.iter().zip(high).zip(low) {
            let whole = quantised(x, bounds, LIMB * LIMB);
            *high = floor(whole * (1.0 / LIMB));
            *low = whole - *high * LIMB;
            lacks |= u64::from(whole.is_nan());
            bits |= low.to_bits();
        }
        (lacks != 0, bits != 0)
    }
}

wide! {
    /// floor((w hi + 2^19) / 2^20)
    fn weigh(weight: &[f64], high: &[f64], out: &mut [f64]) {
        for ((&weight, &high), out) in weight.iter().zip(high).zip(out) {
            *out = floor((weight * high + LIMB / 2.0) * (1.0 / LIMB));
        }
    }
}

wide! {
    /// Every partial sum is an integer below 2^53, so their order does not show.
    fn sum_of_products(x: &[f64], y: &[f64]) -> f64 {
        const LANES: usize = 16;
        let mut sums = [0.0; LANES];
        let (mut left, mut right) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
        for (x, y) in (&mut left).zip(&mut right) {
            sums.iter_mut().zip(x.iter().zip(y)).for_each(|(sum, (x, y))| *sum += x * y);
        }
        let rest = left.remainder().iter().zip(right.remainder());
        sums.iter().sum::<f64>() + rest.map(|(x, y)| x * y).sum::<f64>()
    }
}

/// Upper triangle of the products of the first columns of two blocks: out[i][j] for i <= j; some elements below are written too.
fn symmetric(left: &[f64], right: &[f64], stride: usize, range: &Range<usize>, count: usize, out: &mut Vec<f64>) {
    out.clear();
    out.resize(count * count, 0.0);
    for first in (0..count).step_by(PANEL) {
        let end = (first + PANEL).min(count);
        multiply([left, right], stride, range, [first..end, first..count], &mut out[first * count + first..], count);
    }
}

/// Products of columns of two blocks, whose columns are `stride` apart, over a range of rows: out[i][j] = sum of left_i right_j, the rows of
/// out being `width` apart.
fn multiply(
    [left, right]: [&[f64]; 2],
    stride: usize,
    range: &Range<usize>,
    [of, by]: [Range<usize>; 2],
    out: &mut [f64],
    width: usize,
) {
    assert!(range.start <= range.end && range.end <= stride && of.end * stride <= left.len());
    assert!(by.end * stride <= right.len() && by.len() <= width && !of.is_empty() && !by.is_empty());
    assert!((of.len() - 1) * width + by.len() <= out.len());
    // SAFETY: the assertions above hold every access of the three matrices within its slice: element k of column i is at
    // (of.start + i) stride + range.start + k of `left` and likewise of `right`, and out[i][j] is out[i width + j].
    unsafe {
        matrixmultiply::dgemm(
            of.len(),
            range.len(),
            by.len(),
            1.0,
            left.as_ptr().add(of.start * stride + range.start),
            stride as isize,
            1,
            right.as_ptr().add(by.start * stride + range.start),
            1,
            stride as isize,
            0.0,
            out.as_mut_ptr(),
            width as isize,
            1,
        );
    }
}
