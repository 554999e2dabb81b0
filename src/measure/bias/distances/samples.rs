//! Tests of two samples of values: Welch and Student, Mann and Whitney, Smirnov. All are of independent rows and two-sided.
//!
//! Mann and Whitney 1947 with the normal law, half a rank taken off, ties as in Lehmann 1975, section 1.4. Smirnov's test counts paths (Hodges
//! 1958, Arkiv foer Matematik 3) up to [`PATHS`] pairs of rows, without a difference of nearly equal numbers; beyond it is his limit of 1939. Ties
//! make it larger than it is.

use statrs::function::beta::beta_reg;

use super::curve::{Points, kolmogorov_smirnov, total};
use super::means::Powers;
use crate::measure::scores::placements;

/// Most pairs of rows for which paths are counted.
const PATHS: f64 = 1e6;

/// A statistic and its p-value.
pub type Tested = (f64, f64);

/// Student's t: with the degrees of freedom the share of its law that is as far out.
fn two_sided(t: f64, df: f64) -> Option<f64> {
    let x = df / (df + t * t);
    (df > 0.0 && x.is_finite()).then(|| beta_reg(df / 2.0, 0.5, x.clamp(0.0, 1.0)))
}

fn moments(a: &Points, b: &Points) -> Option<[(f64, f64, f64); 2]> {
    let of = |points: &Points| {
        let mean = Powers::of(points, 0.0).mean();
        let about = Powers::of(points, mean);
        (about.n, mean, about.sums[1] / (about.n - 1.0))
    };
    (total(a) >= 2.0 && total(b) >= 2.0).then(|| [of(a), of(b)])
}

/// Difference of means, unequal variances (Welch 1947).
pub fn welch(a: &Points, b: &Points) -> Option<Tested> {
    let [(m, x, u), (n, y, v)] = moments(a, b)?;
    let (u, v) = (u / m, v / n);
    if u + v <= 0.0 {
        return None;
    }
    let t = (x - y) / (u + v).sqrt();
    let df = (u + v).powi(2) / (u * u / (m - 1.0) + v * v / (n - 1.0));
    two_sided(t, df).map(|p| (t, p))
}

/// Difference of means, equal variances (Student 1908).
pub fn student(a: &Points, b: &Points) -> Option<Tested> {
    let [(m, x, u), (n, y, v)] = moments(a, b)?;
    let pooled = ((m - 1.0) * u + (n - 1.0) * v) / (m + n - 2.0);
    if pooled <= 0.0 {
        return None;
    }
    let t = (x - y) / (pooled * (1.0 / m + 1.0 / n)).sqrt();
    two_sided(t, m + n - 2.0).map(|p| (t, p))
}

/// U: pairs in which the value of a is greater, equal ones half.
pub fn mann_whitney(a: &Points, b: &Points) -> Option<Tested> {
    let (m, n) = (total(a), total(b));
    if m <= 0.0 || n <= 0.0 {
        return None;
    }
    let placed = placements(a, b, 1.0);
    let u: f64 = a.iter().zip(placed).map(|((_, rows), below)| rows * below).sum();
    let mut all = [a.as_slice(), b.as_slice()].concat();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let ties = all.chunk_by(|x, y| x.0 == y.0).map(|equal| equal.iter().map(|(_, n)| n).sum::<f64>());
    let ties: f64 = ties.map(|t| t * t * t - t).sum();
    let rows = m + n;
    let variance = m * n / 12.0 * (rows + 1.0 - ties / (rows * (rows - 1.0)));
    if variance <= 0.0 {
        return None;
    }
    let z = ((u - m * n / 2.0).abs() - 0.5) / variance.sqrt();
    Some((u, libm::erfc(z / std::f64::consts::SQRT_2).min(1.0)))
}

/// The greatest difference of shares, and how often as great a one comes about by chance.
pub fn smirnov(a: &Points, b: &Points) -> Option<Tested> {
    let d = kolmogorov_smirnov(a, b)?;
    let (m, n) = (total(a), total(b));
    let p = if m * n <= PATHS { paths(d, m as usize, n as usize) } else { limit(d * (m * n / (m + n)).sqrt()) };
    Some((d, p))
}

/// The share of paths that go as far from the diagonal as d.
fn paths(d: f64, m: usize, n: usize) -> f64 {
    let far = (d * (m * n) as f64).round() as usize;
    let touches = |i: usize, j: usize| (i * n).abs_diff(j * m) >= far;
    let mut row = vec![0.0f64; n + 1];
    for i in 0..=m {
        for j in 0..=n {
            row[j] = if touches(i, j) {
                1.0
            } else {
                let from_i = if i > 0 { i as f64 * row[j] } else { 0.0 };
                let from_j = if j > 0 { j as f64 * row[j - 1] } else { 0.0 };
                (from_i + from_j) / ((i + j) as f64).max(1.0)
            };
        }
    }
    row[n].min(1.0)
}

/// 2 sum over k of (-1)^(k - 1) exp(-2 k^2 x^2); for small x it is 1.
fn limit(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| f64::from(1 - 2 * ((k - 1) % 2)) * (-2.0 * f64::from(k * k) * x * x).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}
