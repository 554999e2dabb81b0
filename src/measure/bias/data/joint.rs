//! How well all columns together tell the levels of a protected column: least squares, from moments by level and fold.
//!
//! The columns are numbers on their bounds, texts as one indicator per level but the first, and an indicator of a missing value; a missing
//! number stands at the middle of its bounds. For every level the indicator y is regressed on them over 8 of 20 folds: b = Sxx^-1 Sxy,
//! p = mean y + b'(x - mean x). On the other folds, sums of p and p^2 by level follow exactly from their moments: with c = (c0, b) they are
//! c'S_0 and c'Gc. Over these
//!
//! - R2 = 1 - sum (y - p)^2 / sum (y - m)^2, m the mean of y over the 8 folds (0 or less where nothing is told; for the whole column the
//!   sums are over its levels);
//! - AUC = Phi((m1 - m0) / sqrt(v1 + v0)), means and variances of p among rows of the level and of the others: exact where p is normal in
//!   both (Su and Liu 1993), and a figure of its first two moments otherwise.
//!
//! Intervals: jackknife over the 12 folds, Student t, for all levels at once (Bonferroni).

use std::sync::Arc;

use statrs::function::erf::erfc;

use super::super::Context;
use super::table::{self, FOLDS, FOLDS_LEARNED};
use super::{candidates, computed, kind};
use crate::audit::bias::Figure;
use crate::audit::bias::data::{Together, Told};
use crate::cohort::Attribute;
use crate::demand::{Axis, Demand, Fixed, Limbs, Shape};
use crate::estimate::{Interval, student};
use crate::evidence::Missing;
use crate::measure::suppression::Layer;
use crate::plan::Plan;
use crate::scalar::{Expr, Kind, Order, Scalar, Value};
use crate::schema::{Column, Domain};
use crate::statistic::{MomentSums, Tally};

/// Most sums of all groups of one protected column.
const SUMS_MAX: u64 = 1 << 21;
/// A variable with a smaller share of its variance left, given those before it, is a combination of them.
const DEPENDENT: f64 = 1e-9;

fn name(at: usize) -> String {
    format!("measure/proxies/{at}")
}

/// Columns of the regression for a protected column: none that is it, or computed from it, or it from them.
fn columns<'a>(plan: &'a Plan, attribute: &Attribute) -> Vec<&'a Column> {
    let other = |column: &&Column| column.name != attribute.name && !computed(plan, &column.name, &attribute.name);
    candidates(plan).into_iter().filter(other).collect()
}

fn variables(plan: &Plan, columns: &[&Column]) -> Vec<Fixed> {
    let mut all = Vec::new();
    let indicator = |is: Scalar| {
        let truth = |value| Expr::Literal(Value::Truth(value));
        Fixed { of: Expr::Case(vec![(is, truth(true))], Some(Box::new(truth(false)))), lower: -1.0, upper: 1.0 }
    };
    for column in columns {
        let of = Scalar::column(&column.name);
        match (&column.domain, kind(plan, column)) {
            (Domain::Bounds { lower, upper }, Some(Kind::Number)) => {
                let middle = Scalar::number(lower + (upper - lower) / 2.0);
                all.push(Fixed { of: Expr::Coalesce(vec![of.clone(), middle]), lower: *lower, upper: *upper });
            }
            (Domain::Levels(levels), Some(Kind::Text)) => {
                let is =
                    |level: &Arc<str>| Expr::Compare(Order::Equal, Box::new(of.clone()), Box::new(Scalar::text(level)));
                all.extend(levels.iter().skip(1).map(|level| indicator(is(level))));
            }
            _ => all.push(indicator(of.clone())),
        }
        all.push(indicator(Expr::IsNull(Box::new(of))));
    }
    all
}

fn sums(attribute: &Attribute, variables: usize) -> u64 {
    let size = variables as u64 + 1;
    u64::from(attribute.codes()) * u64::from(FOLDS) * (size * (size + 1) / 2)
}

pub fn demands(plan: &Plan) -> Vec<Demand> {
    let rows = plan.part(Plan::TEST);
    let demand = |(at, attribute): (usize, &Attribute)| {
        let of = variables(plan, &columns(plan, attribute));
        if of.is_empty() || sums(attribute, of.len()) > SUMS_MAX {
            return None;
        }
        let levels = attribute.levels.clone();
        let by = vec![Axis::Levels { of: Scalar::column(&attribute.name), levels }, super::proxies::folds(plan)];
        let (weights, cross) = (Vec::new(), Vec::new());
        let shape = Shape::Moments { by, of, weights, cross, gram: true, limbs: Limbs::Two };
        Some(Demand { name: name(at).into(), rows: rows.clone(), shape })
    };
    plan.attributes.iter().enumerate().filter_map(demand).collect()
}

pub fn measure(context: &Context, at: usize, levels: &[u32]) -> Result<Together, Missing> {
    let plan = context.plan;
    let attribute = &plan.attributes[at];
    let columns = columns(plan, attribute);
    let size = variables(plan, &columns).len();
    let names = columns.iter().map(|column| column.name.clone()).collect();
    let without = |reason: &str, columns| Together {
        reason: Some(reason.into()),
        columns,
        r_squared: Figure::Undefined { reason: reason.into() },
        levels: Vec::new(),
    };
    if size == 0 {
        return Ok(without("no column has levels or bounds", names));
    }
    if sums(attribute, size) > SUMS_MAX {
        return Ok(without("too many columns and levels for sums of products by level and fold", names));
    }
    if levels.len() < 2 {
        return Ok(without("fewer than two levels have enough rows", names));
    }
    if !shown(context, &attribute.name) {
        return Ok(without("counts of its levels are withheld", names));
    }
    let moments = context.released.moments(&name(at))?;
    let folds = Folds::of(&moments.groups, &moments.sizes, moments.scale_bits, levels, size + 1);
    let confidence = plan.spec.measure.confidence;
    let (r_squared, told) = folds.told(confidence);
    let levels = levels.iter().zip(told).map(|(&code, (auc, r_squared))| {
        let found = matches!(&auc, Figure::Estimated { lower: Some(lower), .. } if *lower > 0.5);
        Told { level: attribute.level(code), auc, r_squared, found }
    });
    Ok(Together { reason: None, columns: names, r_squared, levels: levels.collect() })
}

/// With a publication limit these are figures of sums over levels of at least that many rows, not of cells; they are shown where the levels
/// are counted in the open.
fn shown(context: &Context, attribute: &Arc<str>) -> bool {
    let sets = context.cohorts.sets.iter().enumerate();
    let mut own = sets.filter(|(_, groups)| groups.names.contains(attribute));
    context.plan.spec.measure.suppress_below <= 1
        || own.all(|(set, _)| context.protection.shows(Some(set), &[], Layer::Rows))
}

/// Sums of products as doubles, in units of 1: symmetric, variable 0 the constant.
#[derive(Clone)]
struct Sums {
    size: usize,
    values: Vec<f64>,
}

impl Sums {
    fn zero(size: usize) -> Sums {
        Sums { size, values: vec![0.0; size * size] }
    }

    fn of(sums: &MomentSums, bits: u32, size: usize) -> Sums {
        let unit = (2.0f64).powi(-2 * bits as i32);
        let mut all = Sums::zero(size);
        let mut products = sums.gram.iter();
        for i in 0..size {
            for j in i..size {
                let value = products.next().map_or(0.0, |&product| product as f64 * unit);
                all.values[i * size + j] = value;
                all.values[j * size + i] = value;
            }
        }
        all
    }

    fn add(&mut self, other: &Sums, sign: f64) {
        self.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += sign * value);
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.size + j]
    }

    fn n(&self) -> f64 {
        self.at(0, 0)
    }

    /// Rows, sum and sum of squares of the predictor c'(1, x).
    fn predicted(&self, c: &[f64]) -> [f64; 3] {
        let times = |i: usize| (0..self.size).map(|j| self.at(i, j) * c[j]).sum::<f64>();
        let squares: f64 = (0..self.size).map(|i| c[i] * times(i)).sum();
        [self.n(), times(0), squares.max(0.0)]
    }
}

/// Moments by level and fold.
struct Folds {
    size: usize,
    /// `parts[level][fold]`.
    parts: Vec<Vec<Sums>>,
}

/// Sums of p on rows that were not fitted on: of the level and of the others, and squared errors with and without the columns.
#[derive(Clone, Copy, Default)]
struct Held {
    own: [f64; 3],
    rest: [f64; 3],
    error: f64,
    alone: f64,
}

impl Held {
    fn add(&mut self, other: &Held, sign: f64) {
        for i in 0..3 {
            self.own[i] += sign * other.own[i];
            self.rest[i] += sign * other.rest[i];
        }
        self.error += sign * other.error;
        self.alone += sign * other.alone;
    }

    fn r_squared(&self) -> Option<f64> {
        (self.alone > 0.0).then(|| 1.0 - self.error / self.alone)
    }

    fn auc(&self) -> Option<f64> {
        let moments = |[n, sum, squares]: [f64; 3]| {
            let mean = sum / n;
            (n >= 2.0).then(|| (mean, ((squares - n * mean * mean) / (n - 1.0)).max(0.0)))
        };
        let ((m1, v1), (m0, v0)) = (moments(self.own)?, moments(self.rest)?);
        let spread = (v1 + v0).sqrt();
        // Rounding of the sums is no spread.
        match (spread > 1e-7, (m1 - m0).abs() > 1e-7) {
            (true, _) => Some(0.5 * erfc(-(m1 - m0) / spread / std::f64::consts::SQRT_2)),
            (false, true) => Some(if m1 > m0 { 1.0 } else { 0.0 }),
            (false, false) => Some(0.5),
        }
    }
}

impl Folds {
    fn of(
        groups: &std::collections::BTreeMap<u64, MomentSums>,
        sizes: &[u32],
        bits: u32,
        levels: &[u32],
        size: usize,
    ) -> Folds {
        let table = Tally::new(sizes.to_vec());
        let mut parts = vec![vec![Sums::zero(size); FOLDS as usize]; levels.len()];
        for (&code, sums) in groups {
            let codes = table.codes(code);
            let level = codes.first().and_then(|level| levels.iter().position(|other| other == level));
            let fold = codes.get(1).copied().unwrap_or(0) as usize;
            if let Some(part) = level.and_then(|level| parts.get_mut(level)?.get_mut(fold)) {
                part.add(&Sums::of(sums, bits, size), 1.0);
            }
        }
        Folds { size, parts }
    }

    /// R2 of the column, and AUC and R2 of every level.
    fn told(&self, confidence: f64) -> (Figure, Vec<(Figure, Figure)>) {
        let held = self.held().unwrap_or_default();
        let levels = self.parts.len();
        let rows = |level: usize| {
            self.parts.get(level).map_or(0.0, |folds| folds.iter().map(Sums::n).sum::<f64>()).round() as i64
        };
        let each = 1.0 - (1.0 - confidence) / levels.max(1) as f64;
        let of = |level: usize| {
            let folds: Vec<Held> = held.iter().filter_map(|fold| fold.get(level).copied()).collect();
            let auc = figure(&folds, Held::auc, (0.0, 1.0), each, rows(level));
            (auc, figure(&folds, Held::r_squared, (f64::NEG_INFINITY, 1.0), each, rows(level)))
        };
        let whole: Vec<Held> = held
            .iter()
            .map(|fold| {
                let mut sum = Held::default();
                fold.iter().for_each(|held| sum.add(held, 1.0));
                sum
            })
            .collect();
        let n = (0..levels).map(rows).sum();
        let all = figure(&whole, Held::r_squared, (f64::NEG_INFINITY, 1.0), confidence, n);
        (all, (0..levels).map(of).collect())
    }

    /// Fits on the first folds and evaluates on the others: for every fold with rows one for every level. None without rows to fit on.
    fn held(&self) -> Option<Vec<Vec<Held>>> {
        let sum = |folds: &mut dyn Iterator<Item = &Sums>| {
            let mut sum = Sums::zero(self.size);
            folds.for_each(|sums| sum.add(sums, 1.0));
            sum
        };
        let learned = FOLDS_LEARNED as usize;
        let others = sum(&mut self.parts.iter().flat_map(|folds| folds.iter().take(learned)));
        let n = others.n();
        if n < 1.5 {
            return None;
        }
        let mean: Vec<f64> = (0..self.size).map(|i| others.at(0, i) / n).collect();
        let solver = Solver::of(&others, &mean);
        // Share of the level and coefficients, one pair for every level.
        let fit = |folds: &Vec<Sums>| {
            let own = sum(&mut folds.iter().take(learned));
            let share = own.n() / n;
            let right: Vec<f64> = (1..self.size).map(|i| own.at(0, i) - own.n() * mean[i]).collect();
            let b = solver.solve(&right);
            let mut c = vec![share - b.iter().zip(&mean[1..]).map(|(b, mean)| b * mean).sum::<f64>()];
            c.extend(b);
            (share, c)
        };
        let fitted: Vec<(f64, Vec<f64>)> = self.parts.iter().map(fit).collect();
        let evaluate = |fold: usize| {
            let here = sum(&mut self.parts.iter().filter_map(|folds| folds.get(fold)));
            let of = |(folds, (share, c)): (&Vec<Sums>, &(f64, Vec<f64>))| {
                let [n1, s1, q1] = folds.get(fold).map_or([0.0; 3], |mine| mine.predicted(c));
                let [na, sa, qa] = here.predicted(c);
                let rest = [na - n1, sa - s1, (qa - q1).max(0.0)];
                let alone = n1 * (1.0 - share).powi(2) + (na - n1) * share * share;
                Held { own: [n1, s1, q1], rest, error: n1 - 2.0 * s1 + qa, alone }
            };
            (here.n() > 0.5).then(|| self.parts.iter().zip(&fitted).map(of).collect())
        };
        Some((learned..FOLDS as usize).filter_map(evaluate).collect())
    }
}

fn figure(
    folds: &[Held],
    of: impl Fn(&Held) -> Option<f64>,
    (least, most): (f64, f64),
    confidence: f64,
    n: i64,
) -> Figure {
    let mut all = Held::default();
    folds.iter().for_each(|fold| all.add(fold, 1.0));
    let left_out: Vec<Option<f64>> = folds
        .iter()
        .map(|fold| {
            let mut left = all;
            left.add(fold, -1.0);
            of(&left)
        })
        .collect();
    match (of(&all), table::jackknife(&left_out)) {
        (Some(point), Some((se, df))) => {
            let reach = student(confidence, df) * se;
            Figure::new(point, Interval::new((point - reach).max(least), (point + reach).min(most)), n)
        }
        _ => Figure::Undefined { reason: "too few rows".into() },
    }
}

/// Pivoted Cholesky factor of the centred sums of products; variables that are combinations of others get the coefficient 0.
struct Solver {
    order: Vec<usize>,
    rows: Vec<Vec<f64>>,
    size: usize,
}

impl Solver {
    fn of(sums: &Sums, mean: &[f64]) -> Solver {
        let size = sums.size - 1;
        let n = sums.n();
        let at = |i: usize, j: usize| sums.at(i + 1, j + 1) - n * mean[i + 1] * mean[j + 1];
        let own: Vec<f64> = (0..size).map(|i| at(i, i)).collect();
        // What rounding may have left of a variable that does not vary.
        let floor: Vec<f64> = (0..size).map(|i| 1e-12 * sums.at(i + 1, i + 1).abs()).collect();
        let mut left = own.clone();
        let mut waiting: Vec<usize> = (0..size).filter(|&i| own[i] > floor[i]).collect();
        let mut solver = Solver { order: Vec::new(), rows: Vec::new(), size };
        while let Some(place) = (0..waiting.len()).max_by(|&a, &b| {
            let share = |k: usize| left[waiting[k]] / own[waiting[k]];
            share(a).total_cmp(&share(b)).then(b.cmp(&a))
        }) {
            let pivot = waiting[place];
            if left[pivot] <= DEPENDENT * own[pivot] || left[pivot] <= floor[pivot] {
                break;
            }
            let root = left[pivot].sqrt();
            let mut row = vec![0.0; size];
            for &i in &waiting {
                let known: f64 = solver.rows.iter().map(|earlier| earlier[pivot] * earlier[i]).sum();
                row[i] = if i == pivot { root } else { (at(pivot, i) - known) / root };
                left[i] -= row[i] * row[i];
            }
            waiting.remove(place);
            solver.order.push(pivot);
            solver.rows.push(row);
        }
        solver
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut z: Vec<f64> = Vec::with_capacity(self.order.len());
        for (row, &pivot) in self.rows.iter().zip(&self.order) {
            let known: f64 = self.rows.iter().zip(&z).map(|(earlier, z)| earlier[pivot] * z).sum();
            z.push((right[pivot] - known) / row[pivot]);
        }
        let mut x = vec![0.0; self.size];
        for (k, (row, &pivot)) in self.rows.iter().zip(&self.order).enumerate().rev() {
            let known: f64 = self.order[k + 1..].iter().map(|&later| row[later] * x[later]).sum();
            x[pivot] = (z[k] - known) / row[pivot];
        }
        x
    }
}

#[cfg(test)]
pub fn area([own, rest]: [[f64; 3]; 2]) -> f64 {
    Held { own, rest, ..Held::default() }.auc().unwrap_or(f64::NAN)
}

/// Figures of rows drawn one by one: half of level 1, half of level 0.
#[cfg(test)]
pub fn simulated(
    rows: usize,
    columns: usize,
    random: &mut rand::rngs::StdRng,
    row: &dyn Fn(&mut rand::rngs::StdRng, u32) -> Vec<f64>,
) -> (Figure, Vec<(Figure, Figure)>) {
    use rand::RngExt;
    let size = columns + 1;
    let mut folds = Folds { size, parts: vec![vec![Sums::zero(size); FOLDS as usize]; 2] };
    for i in 0..rows {
        let level = (i % 2) as u32;
        let x: Vec<f64> = std::iter::once(1.0).chain(row(random, level)).collect();
        let part = &mut folds.parts[level as usize][random.random_range(0..FOLDS as usize)];
        for a in 0..size {
            for b in 0..size {
                part.values[a * size + b] += x[a] * x[b];
            }
        }
    }
    folds.told(0.95)
}
