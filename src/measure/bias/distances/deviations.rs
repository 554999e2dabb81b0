//! How far the observed distributions of cohorts may be from the true ones, in the distance that is measured.
//!
//! A distance d is a norm of a difference of curves, so |d(F, G) - d(F0, G0)| is at most the norm of (F - F0) - (G - G0). Its law is drawn:
//!
//! - shares of values: F - F0 is sqrt(1/n) times a Brownian bridge at F (Donsker 1952), drawn on a grid of cells;
//! - ROC curves: rows of every cell are drawn from Poisson laws and the curve is made again;
//! - rows that depend on each other: buckets of units are drawn with replacement (Efron and Tibshirani 1993), the same for all cohorts.
//!
//! Cells are the distinct values, or [`CELLS`] of them where there are more, cut where a cell would hold too many rows or be too wide. Two
//! rows of the law of all cohorts together are added to each: a value that no row of a small cohort has is not impossible (as Agresti and
//! Coull 1998 do for shares). Between the ends of cells of several values a bridge can be farther than at the ends: 0.6 times the greatest
//! deviation of a cell is added to a greatest distance (the limit of the mean is 0.583, Chernoff 1965; Broadie, Glasserman and Kou 1997).

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Poisson, StandardNormal};

use super::curve::{Curves, Points, total};

/// Most cells of a grid; fewer where there are many cohorts or buckets.
const CELLS: usize = 256;
/// Points of the false positive rate at which ROC curves are compared.
const RATES: usize = 64;
/// Up to so many cohorts all pairs are looked at; of more, the sum of the deviations of two is at most sqrt(2) times the greatest scaled one.
const PAIRED: usize = 64;
/// Rows of the law of all cohorts that are added to each.
const ADDED: f64 = 2.0;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All rows.
    All,
    /// Rows of a label.
    Label(usize),
    /// Rows of label 0 against rows of label 1.
    Roc,
}

/// By what a difference of curves is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    Greatest,
    /// Integral over the values; over the false positive rate of ROC curves.
    Area,
}

impl Of {
    fn curves(self, curves: &Curves) -> Vec<&Points> {
        match self {
            Of::All => vec![&curves.all],
            Of::Label(label) => vec![&curves.label[label.min(1)]],
            Of::Roc => curves.label.iter().collect(),
        }
    }

    /// Rows behind it; of two labels, of the rarer one.
    pub fn rows(self, curves: &Curves) -> f64 {
        self.curves(curves).into_iter().map(|points| total(points)).fold(f64::INFINITY, f64::min)
    }
}

/// Cells of values: the greatest value of each.
struct Grid {
    ends: Vec<f64>,
    /// Cells hold several values.
    merged: bool,
    least: f64,
}

impl Grid {
    /// `pooled` is ascending.
    fn of(pooled: &[(f64, f64)], cells: usize) -> Grid {
        let least = pooled.first().map_or(0.0, |(value, _)| *value);
        if pooled.len() <= cells {
            return Grid { ends: pooled.iter().map(|(value, _)| *value).collect(), merged: false, least };
        }
        let greatest = pooled.last().map_or(0.0, |(value, _)| *value);
        let (rows, width) = (2.0 * total(pooled) / cells as f64, 2.0 * (greatest - least) / cells as f64);
        let (mut ends, mut held, mut from) = (Vec::new(), 0.0, least);
        for (at, &(value, n)) in pooled.iter().enumerate() {
            held += n;
            if held >= rows || value - from >= width || at + 1 == pooled.len() {
                ends.push(value);
                (held, from) = (0.0, value);
            }
        }
        Grid { ends, merged: true, least }
    }

    fn count(&self, points: &[(f64, f64)]) -> Vec<f64> {
        let mut cells = vec![0.0; self.ends.len()];
        for (value, n) in points {
            let at = self.ends.partition_point(|end| end < value);
            if let Some(cell) = cells.get_mut(at) {
                *cell += n;
            }
        }
        cells
    }

    /// The width of the values over which the share after each cell is as it is there.
    fn widths(&self) -> Vec<f64> {
        let end = |at: usize| self.ends.get(at).copied();
        let width = |at: usize| {
            let here = self.ends[at];
            let after = end(at + 1).map_or(0.0, |next| next - here);
            if !self.merged {
                return after;
            }
            let before = here - at.checked_sub(1).and_then(end).unwrap_or(self.least);
            (before + after) / 2.0
        };
        (0..self.ends.len()).map(width).collect()
    }
}

/// What is known of a cohort: shares of its rows by cell, one list per label of a ROC curve.
struct Law {
    rows: Vec<f64>,
    shares: Vec<Vec<f64>>,
    /// By bucket: rows by cell.
    parts: Vec<Vec<Vec<f64>>>,
    /// The curve that replicates deviate from.
    curve: Vec<f64>,
}

/// All cohorts of a comparison.
pub struct Deviations {
    laws: Vec<Law>,
    widths: Vec<f64>,
    norm: Norm,
    roc: bool,
    /// What is added to a greatest distance, in units of its scale.
    between: f64,
}

fn pooled(of: &[(&Curves, &[Curves])], at: usize, what: Of) -> Points {
    let mut all: Points = of.iter().flat_map(|(whole, _)| what.curves(whole)[at].iter().copied()).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    all
}

/// The scale of the deviations of a pair: that of a difference of means of values of deviation 1.
pub fn scale(m: f64, n: f64) -> f64 {
    (1.0 / m + 1.0 / n).sqrt()
}

impl Deviations {
    /// Cohorts with their parts by bucket; none of them is empty.
    pub fn of(of: &[(&Curves, &[Curves])], what: Of, norm: Norm) -> Deviations {
        let parts = of.iter().any(|(_, parts)| !parts.is_empty());
        let most = CELLS.min(16 * CELLS / of.len().max(1)).max(32);
        let cells = match (parts, what) {
            (true, _) => most.min(64),
            (false, Of::Roc) => most.min(128),
            (false, _) => most,
        };
        let curves = what.curves(&Curves::default()).len();
        // Both labels of a ROC curve are counted on one grid.
        let mut values: Points = (0..curves).flat_map(|at| pooled(of, at, what)).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        values.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let grid = Grid::of(&values, cells);
        let everyone: Vec<Vec<f64>> = (0..curves).map(|at| grid.count(&pooled(of, at, what))).collect();
        let law = |(whole, parts): &(&Curves, &[Curves])| {
            let counts: Vec<Vec<f64>> = what.curves(whole).into_iter().map(|points| grid.count(points)).collect();
            let rows: Vec<f64> = counts.iter().map(|cells| cells.iter().sum()).collect();
            let added = if parts.is_empty() { ADDED } else { 0.0 };
            let share = |at: usize| {
                let all: f64 = everyone[at].iter().sum();
                let cells = counts[at].iter().zip(&everyone[at]);
                cells.map(|(n, pooled)| (n + added * pooled / all.max(1.0)) / (rows[at] + added)).collect()
            };
            let shares: Vec<Vec<f64>> = (0..curves).map(share).collect();
            let of_part = |part: &Curves| what.curves(part).into_iter().map(|points| grid.count(points)).collect();
            let curve = curve(&shares, what == Of::Roc).unwrap_or_default();
            Law { rows, shares, parts: parts.iter().map(of_part).collect(), curve }
        };
        let greatest = everyone.iter().flat_map(|cells| {
            let all: f64 = cells.iter().sum();
            cells.iter().map(move |n| n / all.max(1.0))
        });
        let between =
            if grid.merged && norm == Norm::Greatest { 0.6 * greatest.fold(0.0, f64::max).sqrt() } else { 0.0 };
        let widths = if what == Of::Roc { vec![1.0 / RATES as f64; RATES] } else { grid.widths() };
        Deviations { laws: of.iter().map(law).collect(), widths, norm, roc: what == Of::Roc, between }
    }

    fn norm(&self, difference: impl Iterator<Item = f64>) -> f64 {
        match self.norm {
            Norm::Greatest => difference.fold(0.0, |greatest, x| greatest.max(x.abs())),
            Norm::Area => difference.zip(&self.widths).map(|(x, width)| x.abs() * width).sum(),
        }
    }

    /// For every replicate the greatest deviation of any pair, in units of its scale.
    pub fn draw(&self, random: &mut StdRng, replicates: u32) -> Vec<f64> {
        (0..replicates).map(|_| self.replicate(random)).collect()
    }

    fn replicate(&self, random: &mut StdRng) -> f64 {
        let buckets = self.laws.iter().map(|law| law.parts.len()).max().unwrap_or(0);
        let mut times = vec![0.0; buckets];
        for _ in 0..buckets {
            times[random.random_range(0..buckets)] += 1.0;
        }
        // A replicate without rows of a cohort tells nothing but that it may be anywhere.
        let Some(curves) =
            self.laws.iter().map(|law| law.replicate(random, &times, self.roc)).collect::<Option<Vec<Vec<f64>>>>()
        else {
            return f64::INFINITY;
        };
        let rows = |at: usize| self.laws[at].rows.iter().copied().fold(f64::INFINITY, f64::min);
        if curves.len() > PAIRED {
            let alone = curves.iter().enumerate().map(|(at, curve)| self.norm(curve.iter().copied()) * rows(at).sqrt());
            return std::f64::consts::SQRT_2 * alone.fold(0.0, f64::max) + self.between;
        }
        let mut greatest = 0.0f64;
        for (i, a) in curves.iter().enumerate() {
            for (j, b) in curves.iter().enumerate().skip(i + 1) {
                let norm = self.norm(a.iter().zip(b).map(|(a, b)| a - b));
                greatest = greatest.max(norm / scale(rows(i), rows(j)));
            }
        }
        greatest + self.between
    }
}

impl Law {
    /// How far a replicate is from the curve; none where it has no rows.
    fn replicate(&self, random: &mut StdRng, times: &[f64], roc: bool) -> Option<Vec<f64>> {
        if !self.parts.is_empty() {
            let mut cells: Vec<Vec<f64>> = self.shares.iter().map(|shares| vec![0.0; shares.len()]).collect();
            for (part, times) in self.parts.iter().zip(times).filter(|(_, times)| **times > 0.0) {
                for (sums, counts) in cells.iter_mut().zip(part) {
                    sums.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n * times);
                }
            }
            return Some(less(curve(&cells, roc)?, &self.curve));
        }
        if roc {
            let cells: Vec<Vec<f64>> = self
                .shares
                .iter()
                .zip(&self.rows)
                .map(|(shares, rows)| shares.iter().map(|share| rare(random, share * rows)).collect())
                .collect();
            return Some(less(curve(&cells, true)?, &self.curve));
        }
        let shares = self.shares.first()?;
        let steps: Vec<f64> = shares
            .iter()
            .map(|share| {
                let z: f64 = StandardNormal.sample(random);
                z * share.sqrt()
            })
            .collect();
        let end: f64 = steps.iter().sum();
        let root = self.rows.first().copied().unwrap_or(1.0).sqrt();
        let (mut walk, mut below) = (0.0, 0.0);
        let place = |(step, share): (&f64, &f64)| {
            walk += step;
            below += share;
            (walk - below * end) / root
        };
        Some(steps.iter().zip(shares).map(place).collect())
    }
}

fn rare(random: &mut StdRng, mean: f64) -> f64 {
    Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(random))
}

fn less(mut curve: Vec<f64>, from: &[f64]) -> Vec<f64> {
    curve.iter_mut().zip(from).for_each(|(x, from)| *x -= from);
    curve
}

/// Shares at or below every cell, or the ROC curve at evenly placed false positive rates; none without rows.
fn curve(cells: &[Vec<f64>], roc: bool) -> Option<Vec<f64>> {
    let totals: Vec<f64> = cells.iter().map(|cells| cells.iter().sum()).collect();
    if totals.iter().any(|total| *total <= 0.0) {
        return None;
    }
    match (roc, cells) {
        (true, [negative, positive]) => {
            let (mut from, mut to) = ((0.0, 0.0), (0.0, 0.0));
            let mut at = negative.len();
            let height = |rate: usize| {
                let u = (rate as f64 + 0.5) / RATES as f64;
                while to.0 < u && at > 0 {
                    at -= 1;
                    from = to;
                    to = (to.0 + negative[at] / totals[0], to.1 + positive[at] / totals[1]);
                }
                if to.0 > from.0 { from.1 + (to.1 - from.1) * ((u - from.0) / (to.0 - from.0)).min(1.0) } else { to.1 }
            };
            Some((0..RATES).map(height).collect())
        }
        (_, cells) => {
            let mut below = 0.0;
            let share = |n: &f64| {
                below += n / totals[0];
                below
            };
            Some(cells.first()?.iter().map(share).collect())
        }
    }
}
