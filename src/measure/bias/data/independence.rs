//! Tests of a contingency table of counts: Pearson's chi-squared statistic.
//!
//! Its p-value is that of the chi-squared distribution where every expected count is at least 5, else that of random tables with the same
//! margins (of the same number of rows, for a given distribution): drawn until 10 of them are as far from expectation, 19,999 at most
//! (Besag and Clifford 1991, Sequential Monte Carlo p-values).

use rand::Rng;
use rand_distr::{Binomial, Distribution, Hypergeometric};
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

/// Cochran's rule.
const EXPECTED_MIN: f64 = 5.0;
const EXCEEDANCES: u32 = 10;
const TABLES_MAX: u32 = 19_999;
/// Fewer tables where they are large: so many cells are drawn at most.
const CELLS_MAX: u32 = 4_000_000;
/// Statistics closer than this count as equal: they are sums in another order.
const TIE: f64 = 1e-9;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    pub statistic: f64,
    pub degrees: u32,
    pub p: f64,
    /// By random tables.
    pub drawn: bool,
}

/// Independence of rows and columns. None where fewer than two rows or columns have a count.
pub fn independence(table: &[Vec<i64>], random: &mut impl Rng) -> Option<Tested> {
    let count = |n: i64| n.max(0) as u64;
    let rows: Vec<Vec<u64>> = table.iter().map(|row| row.iter().map(|&n| count(n)).collect()).collect();
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |j: usize| rows.iter().filter_map(|row| row.get(j)).sum::<u64>();
    let filled: Vec<usize> = (0..width).filter(|&j| column(j) > 0).collect();
    let rows: Vec<Vec<u64>> = rows
        .iter()
        .filter(|row| row.iter().sum::<u64>() > 0)
        .map(|row| filled.iter().map(|&j| row.get(j).copied().unwrap_or(0)).collect())
        .collect();
    if rows.len() < 2 || filled.len() < 2 {
        return None;
    }
    let of_rows: Vec<u64> = rows.iter().map(|row| row.iter().sum()).collect();
    let of_columns: Vec<u64> = filled.iter().map(|&j| column(j)).collect();
    let n = of_rows.iter().sum::<u64>() as f64;
    let expected: Vec<Vec<f64>> =
        of_rows.iter().map(|&r| of_columns.iter().map(|&c| r as f64 * c as f64 / n).collect()).collect();
    let statistic =
        |rows: &[Vec<u64>]| -> f64 { rows.iter().zip(&expected).map(|(row, expected)| distance(row, expected)).sum() };
    let observed = statistic(&rows);
    let degrees = ((rows.len() - 1) * (filled.len() - 1)) as u32;
    let least = expected.iter().flatten().fold(f64::INFINITY, |least, &e| least.min(e));
    if least >= EXPECTED_MIN {
        return Some(Tested { statistic: observed, degrees, p: tail(observed, degrees), drawn: false });
    }
    let p = sequential(observed, rows.len() * filled.len(), || statistic(&drawn(&of_rows, &of_columns, random)));
    Some(Tested { statistic: observed, degrees, p, drawn: true })
}

/// Counts against the shares of a distribution, which sum to 1. None with fewer than two classes, or without rows.
pub fn fit(counts: &[u64], shares: &[f64], random: &mut impl Rng) -> Option<Tested> {
    let n: u64 = counts.iter().sum();
    if counts.len() < 2 || counts.len() != shares.len() || n == 0 || shares.iter().any(|share| *share <= 0.0) {
        return None;
    }
    let expected: Vec<f64> = shares.iter().map(|share| share * n as f64).collect();
    let observed = distance(counts, &expected);
    let degrees = (counts.len() - 1) as u32;
    if expected.iter().all(|&e| e >= EXPECTED_MIN) {
        return Some(Tested { statistic: observed, degrees, p: tail(observed, degrees), drawn: false });
    }
    let p = sequential(observed, counts.len(), || distance(&multinomial(n, shares, random), &expected));
    Some(Tested { statistic: observed, degrees, p, drawn: true })
}

fn distance(counts: &[u64], expected: &[f64]) -> f64 {
    counts.iter().zip(expected).map(|(&n, &e)| (n as f64 - e).powi(2) / e).sum()
}

/// P(chi-squared with so many degrees of freedom >= statistic).
pub fn tail(statistic: f64, degrees: u32) -> f64 {
    match ChiSquared::new(f64::from(degrees)) {
        Ok(law) => law.sf(statistic.max(0.0)).clamp(0.0, 1.0),
        Err(_) => 1.0,
    }
}

/// P(|Student t| >= |t|).
pub fn student_tail(t: f64, df: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, df.max(1.0)) {
        Ok(law) => (2.0 * law.sf(t.abs())).clamp(0.0, 1.0),
        Err(_) => 1.0,
    }
}

/// h / l when h tables as far were drawn after l draws; (g + 1) / (draws + 1) when fewer were.
fn sequential(observed: f64, cells: usize, mut draw: impl FnMut() -> f64) -> f64 {
    let most = (CELLS_MAX / u32::try_from(cells.max(1)).unwrap_or(u32::MAX)).clamp(999, TABLES_MAX);
    let mut exceeded = 0;
    for drawn in 1..=most {
        if draw() >= observed * (1.0 - TIE) - TIE {
            exceeded += 1;
            if exceeded == EXCEEDANCES {
                return f64::from(EXCEEDANCES) / f64::from(drawn);
            }
        }
    }
    f64::from(exceeded + 1) / f64::from(most + 1)
}

/// A table with these margins: every row is drawn without replacement from what is left of the columns.
fn drawn(of_rows: &[u64], of_columns: &[u64], random: &mut impl Rng) -> Vec<Vec<u64>> {
    let mut left = of_columns.to_vec();
    let row = |&size: &u64| {
        let mut among = left.iter().sum::<u64>();
        let mut wanted = size;
        left.iter_mut()
            .map(|column| {
                let there = *column;
                let taken = match Hypergeometric::new(among, there, wanted) {
                    Ok(law) => law.sample(random).min(there).min(wanted),
                    Err(_) => 0,
                };
                among -= there;
                wanted -= taken;
                *column -= taken;
                taken
            })
            .collect()
    };
    of_rows.iter().map(row).collect()
}

/// So many rows by these shares.
pub fn multinomial(n: u64, shares: &[f64], random: &mut impl Rng) -> Vec<u64> {
    let (mut rows, mut left) = (n, shares.iter().sum::<f64>());
    let last = shares.len().saturating_sub(1);
    let draw = |(i, &share): (usize, &f64)| {
        let taken = match Binomial::new(rows, (share / left).clamp(0.0, 1.0)) {
            Ok(_) if i == last => rows,
            Ok(law) => law.sample(random).min(rows),
            Err(_) => 0,
        };
        rows -= taken;
        left -= share;
        taken
    };
    shares.iter().enumerate().map(draw).collect()
}
