//! Exact sums of products by matrix multiplication.
//!
//! A column at 2^-40 is two limbs, q = hi 2^20 + lo with 0 <= lo < 2^20 and |hi| <= 2^20; at 2^-20 it is hi alone. A product of two limbs is at
//! most 2^40, so the sum of 4,096 of them is at most 2^52 and every step of a multiplication in doubles is exact. Blocks are added up in i128.
//!
//! With a weight the product is floor((w hi_i + 2^19) / 2^20) hi_j for i <= j, as in the reference.

use std::collections::HashMap;

use super::program::{Program, Values};
use crate::demand::{Axis, Fixed, Limbs};
use crate::engine::EngineError;
use crate::scalar::{TRUTH_UNKNOWN, Vector, floor};
use crate::scan::Scan;
use crate::statistic::{MomentSums, Moments, Tally};

const LIMB: f64 = (1u64 << 20) as f64;
/// Below this many rows of a group, plain loops are faster.
const ROWS_MIN: usize = 16;

/// A moments demand bound to a program.
pub struct Plan {
    by: Vec<usize>,
    sizes: Vec<u32>,
    of: Vec<(usize, Fixed)>,
    weights: Vec<(usize, Fixed)>,
    cross: Vec<(usize, Fixed)>,
    limbs: Limbs,
}

/// Sums per group while rows come in.
#[derive(Default)]
pub struct Sums {
    groups: HashMap<u64, MomentSums>,
    block: Vec<f64>,
    product: Vec<f64>,
}

impl Plan {
    pub fn new(
        program: &mut Program,
        scan: &Scan,
        by: &[Axis],
        [of, weights, cross]: [&[Fixed]; 3],
        limbs: Limbs,
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
        Ok(Plan { by, sizes, of, weights, cross, limbs })
    }

    /// Adds the chosen rows of a batch of at most 4,096 rows.
    pub fn add(&self, sums: &mut Sums, values: &Values, chosen: &[u32]) {
        let bits = self.limbs.bits();
        let quantise = |list: &[(usize, Fixed)], bits| -> Vec<Vec<f64>> {
            list.iter().map(|(at, fixed)| quantised(&values.columns[*at], fixed, bits, values.rows)).collect()
        };
        let variables = quantise(&self.of, bits);
        let weights = quantise(&self.weights, 20);
        let cross = quantise(&self.cross, bits);
        // Not a number where a column lacks its value: the others are integers below 2^61, whose sums are finite.
        let mut whole = vec![0.0; values.rows];
        for column in variables.iter().chain(&weights).chain(&cross) {
            whole.iter_mut().zip(column).for_each(|(whole, x)| *whole += x);
        }
        let mut groups: HashMap<u64, Vec<u32>, foldhash::fast::FixedState> = HashMap::default();
        for &row in chosen {
            let code =
                self.by.iter().zip(&self.sizes).fold(0, |code, (&axis, &size)| {
                    code * u64::from(size) + u64::from(values.axis(axis)[row as usize])
                });
            let rows = groups.entry(code).or_default();
            match whole[row as usize].is_nan() {
                false => rows.push(row),
                true => self.group(sums, code).skipped += 1,
            }
        }
        for (code, rows) in groups {
            self.group(sums, code).n += rows.len() as i64;
            let block =
                Block { variables: &variables, weights: &weights, cross: &cross, rows: &rows, limbs: self.limbs };
            let Sums { groups, block: buffer, product } = &mut *sums;
            if let Some(group) = groups.get_mut(&code) {
                if rows.len() < ROWS_MIN { block.add_plainly(group) } else { block.add(group, buffer, product) }
            }
        }
    }

    fn group<'s>(&self, sums: &'s mut Sums, code: u64) -> &'s mut MomentSums {
        sums.groups
            .entry(code)
            .or_insert_with(|| MomentSums::new(self.of.len() + 1, self.weights.len(), self.cross.len()))
    }

    pub fn finish(&self, sums: Sums) -> Moments {
        debug_assert_eq!(Tally::new(self.sizes.clone()).sizes.len(), self.by.len());
        Moments { sizes: self.sizes.clone(), scale_bits: self.limbs.bits(), groups: sums.groups.into_iter().collect() }
    }
}

/// Integers at 2^-bits held in doubles; NaN where the value is missing. See `demand::Fixed`.
fn quantised(column: &Vector, fixed: &Fixed, bits: u32, rows: usize) -> Vec<f64> {
    if !fixed.has_width() {
        return vec![f64::NAN; rows];
    }
    let (lower, upper, unit) = (fixed.lower, fixed.upper, (1u64 << bits) as f64);
    let one = |value: f64| {
        let clamped = if value < lower { lower } else { value };
        let clamped = if clamped > upper { upper } else { clamped };
        floor(((clamped - lower) / (upper - lower) * 2.0 - 1.0) * unit + 0.5)
    };
    match column {
        Vector::Number(numbers) => numbers.iter().map(|&x| one(x)).collect(),
        Vector::Truth(truths) => {
            let table = [one(0.0), one(1.0), f64::NAN];
            truths.iter().map(|&truth| table[usize::from(truth.min(TRUTH_UNKNOWN))]).collect()
        }
        Vector::Text { .. } | Vector::Null(_) => vec![f64::NAN; rows],
    }
}

struct Block<'a> {
    variables: &'a [Vec<f64>],
    weights: &'a [Vec<f64>],
    cross: &'a [Vec<f64>],
    rows: &'a [u32],
    limbs: Limbs,
}

/// Where the limbs of a column are in a block of columns.
#[derive(Clone, Copy)]
struct Limb {
    hi: usize,
    lo: Option<usize>,
}

impl Block<'_> {
    fn add(&self, sums: &mut MomentSums, block: &mut Vec<f64>, product: &mut Vec<f64>) {
        block.clear();
        let m = self.rows.len();
        let constant = Limb { hi: 0, lo: None };
        block.resize(m, LIMB);
        let variables: Vec<Limb> =
            std::iter::once(constant).chain(self.variables.iter().map(|column| self.push(block, column))).collect();
        let cross: Vec<Limb> = self.cross.iter().map(|column| self.push(block, column)).collect();
        let columns = block.len() / m;
        product.clear();
        product.resize(columns * columns, 0.0);
        multiply(block, block, m, product);
        let at = |i: usize, j: usize| product[i * columns + j] as i128;
        let sum = |x: Limb, y: Limb| match self.limbs {
            Limbs::One => at(x.hi, y.hi),
            Limbs::Two => {
                let mixed = y.lo.map_or(0, |lo| at(x.hi, lo)) + x.lo.map_or(0, |lo| at(lo, y.hi));
                let low = x.lo.zip(y.lo).map_or(0, |(x, y)| at(x, y));
                (at(x.hi, y.hi) << 40) + (mixed << 20) + low
            }
        };
        let mut slot = 0;
        for (i, &x) in variables.iter().enumerate() {
            for &y in &variables[i..] {
                sums.gram[slot] += sum(x, y);
                slot += 1;
            }
            for (k, &c) in cross.iter().enumerate() {
                sums.cross[i * cross.len() + k] += sum(x, c);
            }
        }
        for (weight, sums) in self.weights.iter().zip(&mut sums.weighted) {
            self.add_weighted(weight, &variables, block, product, sums);
        }
    }

    fn add_weighted(
        &self,
        weight: &[f64],
        variables: &[Limb],
        block: &[f64],
        product: &mut Vec<f64>,
        sums: &mut [i128],
    ) {
        let (m, p) = (self.rows.len(), variables.len());
        let (mut left, mut right) = (Vec::with_capacity(m * p), Vec::with_capacity(m * p));
        for variable in variables {
            let column = &block[variable.hi * m..(variable.hi + 1) * m];
            right.extend_from_slice(column);
            left.extend(
                self.rows.iter().zip(column).map(|(&row, x)| floor((weight[row as usize] * x + LIMB / 2.0) / LIMB)),
            );
        }
        product.clear();
        product.resize(p * p, 0.0);
        multiply(&left, &right, m, product);
        let mut slot = 0;
        for i in 0..p {
            for j in i..p {
                sums[slot] += product[i * p + j] as i128;
                slot += 1;
            }
        }
    }

    /// Appends the limbs of a column. Columns without a low limb, such as indicators, get none.
    fn push(&self, block: &mut Vec<f64>, column: &[f64]) -> Limb {
        let m = self.rows.len();
        let hi = block.len() / m;
        let start = block.len();
        match m == column.len() {
            true => block.extend_from_slice(column),
            false => block.extend(self.rows.iter().map(|&row| column[row as usize])),
        }
        if self.limbs == Limbs::One {
            return Limb { hi, lo: None };
        }
        block.resize(start + 2 * m, 0.0);
        let (high, low) = block[start..].split_at_mut(m);
        for (high, low) in high.iter_mut().zip(&mut *low) {
            let whole = floor(*high / LIMB);
            *low = *high - whole * LIMB;
            *high = whole;
        }
        if low.iter().all(|&low| low == 0.0) {
            block.truncate(start + m);
            return Limb { hi, lo: None };
        }
        Limb { hi, lo: Some(hi + 1) }
    }

    fn add_plainly(&self, sums: &mut MomentSums) {
        let bits = self.limbs.bits();
        let mut variables = vec![1i128 << bits; self.variables.len() + 1];
        for &row in self.rows {
            for (slot, column) in variables[1..].iter_mut().zip(self.variables) {
                *slot = column[row as usize] as i128;
            }
            let mut at = 0;
            for i in 0..variables.len() {
                for j in i..variables.len() {
                    sums.gram[at] += variables[i] * variables[j];
                    for (weight, sums) in self.weights.iter().zip(&mut sums.weighted) {
                        let (x, y) = (variables[i] >> (bits - 20), variables[j] >> (bits - 20));
                        sums[at] += ((weight[row as usize] as i128 * x + (1 << 19)) >> 20) * y;
                    }
                    at += 1;
                }
                for (k, column) in self.cross.iter().enumerate() {
                    sums.cross[i * self.cross.len() + k] += variables[i] * column[row as usize] as i128;
                }
            }
        }
    }
}

/// Products of the columns of two blocks of m rows: out[i][j] = sum over rows of left_i right_j.
fn multiply(left: &[f64], right: &[f64], m: usize, out: &mut [f64]) {
    let (rows, columns) = (left.len() / m, right.len() / m);
    assert!(left.len() == rows * m && right.len() == columns * m && out.len() == rows * columns);
    // SAFETY: the assertion above holds every access of the three matrices within its slice: row i of `left` is left[i m .. (i + 1) m],
    // column j of `right` is right[j m .. (j + 1) m], and out[i][j] is out[i columns + j].
    unsafe {
        matrixmultiply::dgemm(
            rows,
            m,
            columns,
            1.0,
            left.as_ptr(),
            m as isize,
            1,
            right.as_ptr(),
            1,
            m as isize,
            0.0,
            out.as_mut_ptr(),
            columns as isize,
            1,
        );
    }
}
