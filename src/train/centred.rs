//! From integer sums to means and centred sums of products, without cancellation.
//!
//! With S the sums, m the integer nearest to S / n and d = S - n m, the centred sum of products is
//! (sum q q' - m S' - S m' + n m m') - d d' / n. All but the last term is exact in integers, and |d| <= n / 2 units.

use super::factor::Symmetric;
use crate::statistic::MomentSums;

/// Means and centred sums of products of the columns, in units of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Centred {
    pub n: i64,
    pub mean: Vec<f64>,
    pub products: Symmetric,
}

impl Centred {
    /// None without rows.
    pub fn of(sums: &MomentSums, bits: u32) -> Option<Centred> {
        if sums.n <= 0 {
            return None;
        }
        let variables = variables(sums.gram.len());
        let n = i128::from(sums.n);
        let sum = |i: usize| sums.gram[at(variables, 0, i + 1)] >> bits;
        let middle = |i: usize| (2 * sum(i) + n).div_euclid(2 * n);
        let rest = |i: usize| (sum(i) - n * middle(i)) as f64;
        let unit = 2f64.powi(-(bits as i32));
        let product = |i: usize, j: usize| {
            let whole = sums.gram[at(variables, i + 1, j + 1)] - middle(i) * sum(j) - sum(i) * middle(j)
                + n * middle(i) * middle(j);
            (whole as f64 - rest(i) * rest(j) / n as f64) * unit * unit
        };
        let columns = variables - 1;
        let mean = (0..columns).map(|i| (middle(i) as f64 + rest(i) / n as f64) * unit).collect();
        Some(Centred { n: sums.n, mean, products: Symmetric::of(columns, product) })
    }
}

/// Position of (i, j), i <= j, in an upper triangle by rows.
pub fn at(variables: usize, i: usize, j: usize) -> usize {
    i * (2 * variables - i - 1) / 2 + j
}

/// Number of variables of a triangle of this length.
fn variables(length: usize) -> usize {
    (((8 * length + 1) as f64).sqrt() as usize - 1) / 2
}
