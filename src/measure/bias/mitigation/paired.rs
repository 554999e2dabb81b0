//! Decisions before and after on the same rows.
//!
//! A change of a share is (rows that gain - rows that lose) / rows. Its interval is that of Bonett and Price 2012 (Journal of Educational and
//! Behavioral Statistics 37): with p = (gain + 1) / (n + 2) and q = (lose + 1) / (n + 2), p - q -/+ z ((p + q - (p - q)^2) / (n + 2))^1/2. Rows
//! that share units or have weights: the jackknife over buckets of units.

use crate::audit::bias::Figure;
use crate::estimate::{Interval, Sample, Share, normal};
use crate::metric::{Confusion, Rate};
use crate::statistic::Cell;

/// Rows by label, decision before and decision after, each 0, 1 or unknown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Paired {
    pub cells: [[[Cell; 3]; 3]; 3],
}

impl Paired {
    pub fn add(&mut self, label: u32, before: u32, after: u32, cell: Cell) {
        self.cells[label as usize % 3][before as usize % 3][after as usize % 3] += cell;
    }

    pub fn merge(&mut self, other: &Paired) {
        for label in 0..3 {
            for before in 0..3 {
                for after in 0..3 {
                    self.cells[label][before][after] += other.cells[label][before][after];
                }
            }
        }
    }

    /// The table of label and decision, before or after.
    pub fn confusion(&self, after: bool) -> Confusion {
        let mut table = Confusion::default();
        for (label, rows) in self.cells.iter().enumerate() {
            for (first, cells) in rows.iter().enumerate() {
                for (second, cell) in cells.iter().enumerate() {
                    table.add(label as u32, if after { second } else { first } as u32, *cell);
                }
            }
        }
        table
    }

    pub fn rows(&self) -> Cell {
        self.confusion(false).rows()
    }

    /// The rows whose decision changes: from 0 to 1, and from 1 to 0.
    pub fn changed(&self, labels: &[usize]) -> (Cell, Cell) {
        let sum = |before: usize, after: usize| labels.iter().map(|&label| self.cells[label][before][after]).sum();
        (sum(0, 1), sum(1, 0))
    }

    /// Rows with a decision before and after.
    fn decided(&self, labels: &[usize]) -> Cell {
        let both =
            |label: usize| self.cells[label][..2].iter().flat_map(|cells| cells[..2].iter().copied()).sum::<Cell>();
        labels.iter().map(|&label| both(label)).sum()
    }
}

/// Which change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Selection,
    TruePositive,
    FalsePositive,
    Accuracy,
}

impl Change {
    /// Rows that gain, rows that lose, rows.
    fn of(self, paired: &Paired) -> [Cell; 3] {
        let over = |labels: &[usize]| {
            let (gain, lose) = paired.changed(labels);
            [gain, lose, paired.decided(labels)]
        };
        match self {
            Change::Selection => over(&[0, 1, 2]),
            Change::TruePositive => over(&[1]),
            Change::FalsePositive => over(&[0]),
            Change::Accuracy => {
                let ([to, from, ones], [up, down, zeros]) = (over(&[1]), over(&[0]));
                [to + down, from + up, ones + zeros]
            }
        }
    }
}

/// The change with its interval; one table, or one for each bucket of units.
pub fn change(tables: &[Paired], of: Change, confidence: f64) -> Figure {
    let parts: Vec<[Cell; 3]> = tables.iter().map(|table| of.of(table)).collect();
    let [gain, lose, rows] = parts.iter().fold([Cell::default(); 3], |mut sums, part| {
        sums.iter_mut().zip(part).for_each(|(sum, cell)| *sum += *cell);
        sums
    });
    if rows.w <= 0 {
        return Figure::Undefined { reason: "no row is in the denominator".into() };
    }
    let value = |gain: Cell, lose: Cell, rows: Cell| (gain.w - lose.w) as f64 / rows.w as f64;
    let point = value(gain, lose, rows);
    if let [_] = tables {
        return Figure::new(point, bonett_price(gain.n, lose.n, rows.n, normal(confidence)), rows.n);
    }
    let filled = parts.iter().filter(|part| part[2].n != 0).count();
    if gain.n + lose.n == 0 {
        let few = filled as i64;
        return Figure::new(point, bonett_price(0, 0, few, normal(confidence)), rows.n);
    }
    let left_out = parts.iter().map(|part| {
        let rest = rows - part[2];
        (rest.w > 0).then(|| value(gain - part[0], lose - part[1], rest))
    });
    Figure::of(&Sample::buckets(Some(point), left_out.collect(), filled, rows.n).measure(confidence))
}

/// The interval of the heading.
pub fn bonett_price(gain: i64, lose: i64, n: i64, z: f64) -> Interval {
    let n = n as f64 + 2.0;
    let (p, q) = ((gain as f64 + 1.0) / n, (lose as f64 + 1.0) / n);
    let half = z * ((p + q - (p - q) * (p - q)).max(0.0) / n).sqrt();
    Interval::new((p - q - half).max(-1.0), (p - q + half).min(1.0))
}

/// A rate before or after.
pub fn rate(tables: &[Paired], rate: &Rate, after: bool) -> Sample {
    let shares: Vec<Share> = tables.iter().map(|table| (rate.of)(&table.confusion(after))).collect();
    match &shares[..] {
        [share] => Sample::share(share),
        _ => Sample::bucketed_share(&shares),
    }
}
