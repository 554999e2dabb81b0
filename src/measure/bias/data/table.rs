//! Counts of a protected column by the codes of another, and by fold; figures of such tables.
//!
//! Bias-corrected Cramer's V (Bergsma 2013): f = max(0, X2/n - (k-1)(r-1)/(n-1)), k' = k - (k-1)^2/(n-1), r' alike,
//! V = sqrt(f / min(k'-1, r'-1)). Uncertainty coefficient (Theil 1970): (I - (k-1)(r-1)/(2n)) / H with the mutual information I, its
//! expectation by chance taken away (Miller 1955), and the entropy H of the protected column.

use crate::statistic::Tally;

/// Parts of the rows. What is learned is learned on the first of them and evaluated on the others: learning on all but one in turn and
/// averaging gives figures that hang together, and calls one in ten columns that tell nothing a proxy.
pub const FOLDS: u32 = 20;
pub const FOLDS_LEARNED: u32 = 8;

/// Rows by level, code and fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// `cells[level][code][fold]`.
    pub cells: Vec<Vec<Vec<i64>>>,
}

impl Table {
    /// Of a tally of level, code and, where there is one, fold: these levels, and the first codes.
    pub fn of(tally: &Tally, levels: &[u32], codes: usize) -> Table {
        let mut cells = vec![vec![vec![0; FOLDS as usize]; codes]; levels.len()];
        for (&at, cell) in &tally.cells {
            let place = tally.codes(at);
            let level = place.first().and_then(|level| levels.iter().position(|other| other == level));
            let (code, fold) = (place.get(1).copied().unwrap_or(0), place.get(2).copied().unwrap_or(0));
            let slot = level.and_then(|level| cells.get_mut(level)?.get_mut(code as usize)?.get_mut(fold as usize));
            if let Some(slot) = slot {
                *slot += cell.n;
            }
        }
        Table { cells }
    }

    /// Rows by code and fold: of the level, and of the others.
    pub fn against(&self, level: usize) -> [Vec<Vec<i64>>; 2] {
        let codes = self.cells.first().map_or(0, Vec::len);
        let mut rest = vec![vec![0; FOLDS as usize]; codes];
        for (i, cells) in self.cells.iter().enumerate().filter(|(i, _)| *i != level) {
            debug_assert_ne!(i, level);
            for (sum, folds) in rest.iter_mut().zip(cells) {
                sum.iter_mut().zip(folds).for_each(|(sum, n)| *sum += n);
            }
        }
        [self.cells.get(level).cloned().unwrap_or_default(), rest]
    }

    /// Rows by level and code.
    pub fn flat(&self) -> Vec<Vec<i64>> {
        self.cells.iter().map(|codes| codes.iter().map(|folds| folds.iter().sum()).collect()).collect()
    }
}

/// Columns of a table in groups: `of` gives the group of a column.
pub fn grouped(table: &[Vec<i64>], of: &[usize]) -> Vec<Vec<i64>> {
    let size = of.iter().max().map_or(0, |most| most + 1);
    let gather = |row: &Vec<i64>| {
        let mut sums = vec![0; size];
        row.iter().zip(of).for_each(|(n, &group)| sums[group] += n);
        sums
    };
    table.iter().map(gather).collect()
}

/// Ascending codes in at most ten groups of about equal size.
pub fn tenths(table: &[Vec<i64>]) -> Vec<usize> {
    let columns = columns(table);
    let n: i64 = columns.iter().sum();
    let mut before = 0;
    columns
        .iter()
        .map(|&count| {
            let middle = (2 * before + count).max(0) as f64 / (2 * n.max(1)) as f64;
            before += count;
            ((middle * 10.0) as usize).min(9)
        })
        .collect()
}

/// Rare columns put together, so that the least frequent row expects 5 in each: frequent ones stay as they are.
pub fn frequent(table: &[Vec<i64>]) -> Vec<usize> {
    let columns = columns(table);
    let n: i64 = columns.iter().sum();
    let rows: Vec<i64> = table.iter().map(|row| row.iter().sum()).filter(|n| *n > 0).collect();
    let least = rows.iter().min().copied().unwrap_or(0);
    let rare = |count: i64| (count as f64) * (least as f64) < 5.0 * n as f64;
    let mut next = 1;
    columns
        .iter()
        .map(|&count| match rare(count) {
            true => 0,
            false => {
                next += 1;
                next - 1
            }
        })
        .collect()
}

fn columns(table: &[Vec<i64>]) -> Vec<i64> {
    let width = table.iter().map(Vec::len).max().unwrap_or(0);
    (0..width).map(|j| table.iter().filter_map(|row| row.get(j)).sum()).collect()
}

/// Bias-corrected Cramer's V, and the uncertainty coefficient of the rows given the columns.
pub fn association(table: &[Vec<i64>]) -> Option<(f64, f64)> {
    let columns: Vec<f64> = columns(table).into_iter().map(|n| n as f64).collect();
    let rows: Vec<f64> = table.iter().map(|row| row.iter().sum::<i64>() as f64).collect();
    let n: f64 = rows.iter().sum();
    let (k, r) = (filled(&rows), filled(&columns));
    if k < 2.0 || r < 2.0 || n < 2.0 {
        return None;
    }
    let (mut chi_squared, mut information) = (0.0, 0.0);
    for (row, &a) in table.iter().zip(&rows) {
        for (&cell, &b) in row.iter().zip(&columns).filter(|(_, b)| a > 0.0 && **b > 0.0) {
            let (cell, expected) = (cell as f64, a * b / n);
            chi_squared += (cell - expected).powi(2) / expected;
            information += if cell > 0.0 { cell / n * (cell / expected).ln() } else { 0.0 };
        }
    }
    let entropy: f64 = rows.iter().filter(|a| **a > 0.0).map(|a| -a / n * (a / n).ln()).sum();
    let corrected = (chi_squared / n - (k - 1.0) * (r - 1.0) / (n - 1.0)).max(0.0);
    let size = |m: f64| m - (m - 1.0).powi(2) / (n - 1.0) - 1.0;
    let v = (corrected / size(k).min(size(r))).sqrt().min(1.0);
    let u = ((information - (k - 1.0) * (r - 1.0) / (2.0 * n)) / entropy).clamp(0.0, 1.0);
    (v.is_finite() && u.is_finite()).then_some((v, u))
}

fn filled(counts: &[f64]) -> f64 {
    counts.iter().filter(|n| **n > 0.0).count() as f64
}

/// Kruskal-Wallis statistic of ascending codes by row, ties corrected; chi-squared with rows - 1 degrees of freedom. None without variation.
pub fn kruskal_wallis(table: &[Vec<i64>]) -> Option<(f64, u32)> {
    let columns: Vec<f64> = columns(table).into_iter().map(|n| n as f64).collect();
    let n: f64 = columns.iter().sum();
    let mut before = 0.0;
    let ranks: Vec<f64> = columns
        .iter()
        .map(|count| {
            let rank = before + (count + 1.0) / 2.0;
            before += count;
            rank
        })
        .collect();
    let ties: f64 = columns.iter().map(|t| t * t * t - t).sum();
    let correction = 1.0 - ties / (n * n * n - n);
    let mut groups = 0;
    let mut sum = 0.0;
    for row in table {
        let size = row.iter().sum::<i64>() as f64;
        if size > 0.0 {
            groups += 1;
            let total: f64 = row.iter().zip(&ranks).map(|(&n, rank)| n as f64 * rank).sum();
            sum += (total / size - (n + 1.0) / 2.0).powi(2) * size;
        }
    }
    let statistic = 12.0 / (n * (n + 1.0)) * sum / correction;
    (groups > 1 && correction > 0.0 && statistic.is_finite()).then_some((statistic, groups - 1))
}

/// Share of the variance of a number that lies between the rows (correlation ratio squared).
pub fn correlation_ratio(table: &[Vec<i64>], values: &[f64]) -> Option<f64> {
    let moments = |row: &[i64]| {
        row.iter().zip(values).fold([0.0; 3], |[n, sum, squares], (&count, value)| {
            let count = count as f64;
            [n + count, sum + count * value, squares + count * value * value]
        })
    };
    let each: Vec<[f64; 3]> = table.iter().map(|row| moments(row)).filter(|[n, ..]| *n > 0.0).collect();
    let all = each.iter().fold([0.0; 3], |sum, part| [sum[0] + part[0], sum[1] + part[1], sum[2] + part[2]]);
    let mean = all[1] / all[0];
    let total = all[2] - all[0] * mean * mean;
    let between: f64 = each.iter().map(|[n, sum, _]| n * (sum / n - mean).powi(2)).sum();
    (each.len() > 1 && total > 1e-12 * all[2].abs()).then(|| (between / total).clamp(0.0, 1.0))
}

/// Standard error of a figure from its values with one fold left out, and the folds that had rows (Shao and Tu 1995, 2.3). None with fewer
/// than two of them.
pub fn jackknife(left_out: &[Option<f64>]) -> Option<(f64, f64)> {
    let values: Vec<f64> = left_out.iter().flatten().copied().collect();
    let m = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / m;
    let se = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() * (m - 1.0) / m).sqrt();
    Some((se, m - 1.0))
}
