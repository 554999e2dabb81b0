//! Standardised mean differences from the sums of the first four powers, with their errors by the delta method.
//!
//! A row contributes psi(x) = c0 + c1 x + c2 x^2 to the error of d, so the variance is the sum of psi^2 over the rows of the cohort, of the
//! other and, where the deviation is that of everyone, of the rest. Of rows that depend on each other it is the sum over buckets of units of
//! the squared sum of psi. For normal values and the pooled deviation it is that of Hedges and Olkin 1985, chapter 5.

use crate::estimate::{BUCKETS_MIN, Why};

/// Rows, and the sums of the first four powers of their values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Powers {
    pub n: f64,
    pub sums: [f64; 4],
}

impl Powers {
    /// Of values and their rows, less a shift that keeps the sums small.
    pub fn of(points: &[(f64, f64)], shift: f64) -> Powers {
        let mut powers = Powers::default();
        for (value, n) in points {
            let x = value - shift;
            powers.n += n;
            let mut power = *n;
            for sum in &mut powers.sums {
                power *= x;
                *sum += power;
            }
        }
        powers
    }

    pub fn mean(&self) -> f64 {
        self.sums[0] / self.n
    }

    /// Variance with n.
    pub fn variance(&self) -> f64 {
        (self.sums[1] / self.n - self.mean() * self.mean()).max(0.0)
    }
}

impl std::ops::Sub for Powers {
    type Output = Powers;
    fn sub(self, other: Powers) -> Powers {
        let mut sums = self.sums;
        sums.iter_mut().zip(other.sums).for_each(|(sum, less)| *sum -= less);
        Powers { n: self.n - other.n, sums }
    }
}

/// A cohort, and its parts by bucket of units.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    pub whole: Powers,
    pub parts: Vec<Powers>,
}

impl Spread {
    pub fn without(&self, part: &Spread) -> Spread {
        let parts = self.parts.iter().zip(&part.parts).map(|(whole, part)| *whole - *part).collect();
        Spread { whole: self.whole - part.whole, parts }
    }
}

/// By what the difference of the means is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The pooled deviation within the two cohorts, variances with n - 1 (Cohen 1988).
    Pooled,
    /// The deviation of the values of everyone, variance with n.
    Overall,
}

/// A signed figure of two cohorts and its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signed {
    pub point: f64,
    pub se: f64,
    pub df: Option<f64>,
}

/// psi of a row: c0 + c1 x + c2 x^2.
type Psi = [f64; 3];

/// Sum of psi, and of its square, over rows.
fn sum(psi: &Psi, of: &Powers) -> f64 {
    psi[0] * of.n + psi[1] * of.sums[0] + psi[2] * of.sums[1]
}

fn squares(psi: &Psi, of: &Powers) -> f64 {
    let [c0, c1, c2] = *psi;
    let [s1, s2, s3, s4] = of.sums;
    c0 * c0 * of.n + 2.0 * c0 * c1 * s1 + (c1 * c1 + 2.0 * c0 * c2) * s2 + 2.0 * c1 * c2 * s3 + c2 * c2 * s4
}

/// a (x - m)^2 + b (x - m) + c as a polynomial in x.
fn about(m: f64, a: f64, b: f64, c: f64) -> Psi {
    [a * m * m - b * m + c, b - 2.0 * a * m, a]
}

/// The standardised difference of the means of two disjoint cohorts of everyone.
pub fn standardised(a: &Spread, b: &Spread, everyone: &Spread, unit: Unit) -> Result<Signed, Why> {
    let (x, y) = (&a.whole, &b.whole);
    if x.n <= 0.0 {
        return Err(Why::EmptyDenominator);
    }
    if y.n <= 0.0 {
        return Err(Why::EmptyComparison);
    }
    if x.n < 2.0 || y.n < 2.0 {
        return Err(Why::TooFewRows);
    }
    let ddof = |of: &Powers| of.variance() * of.n / (of.n - 1.0);
    let rows = x.n + y.n - 2.0;
    let (share_x, share_y) = ((x.n - 1.0) / rows, (y.n - 1.0) / rows);
    let all = &everyone.whole;
    let variance = match unit {
        Unit::Pooled => share_x * ddof(x) + share_y * ddof(y),
        Unit::Overall => all.variance(),
    };
    let size = if all.n > 0.0 { all.sums[1].abs() / all.n } else { 0.0 };
    if !variance.is_finite() || variance <= 1e-13 * size || variance <= 0.0 {
        return Err(Why::NoVariation);
    }
    let deviation = variance.sqrt();
    let point = (x.mean() - y.mean()) / deviation;
    let half = point / (2.0 * variance);
    let (psi_x, psi_y, psi_rest) = match unit {
        Unit::Pooled => {
            let psi = |of: &Powers, sign: f64, share: f64| {
                let scale = half * share / of.n;
                about(of.mean(), -scale, sign / (of.n * deviation), scale * of.variance())
            };
            (psi(x, 1.0, share_x), psi(y, -1.0, share_y), [0.0; 3])
        }
        Unit::Overall => {
            let rest = about(all.mean(), -half / all.n, 0.0, half * variance / all.n);
            let psi = |of: &Powers, sign: f64| {
                let [c0, c1, c2] = about(of.mean(), 0.0, sign / (of.n * deviation), 0.0);
                [c0 + rest[0], c1 + rest[1], c2 + rest[2]]
            };
            (psi(x, 1.0), psi(y, -1.0), rest)
        }
    };
    if !a.parts.is_empty() {
        let others = |at: usize| match everyone.parts.get(at) {
            Some(all) => *all - a.parts[at] - b.parts.get(at).copied().unwrap_or_default(),
            None => Powers::default(),
        };
        let of_bucket = |at: usize| {
            let y = b.parts.get(at).copied().unwrap_or_default();
            sum(&psi_x, &a.parts[at]) + sum(&psi_y, &y) + sum(&psi_rest, &others(at))
        };
        let filled = |parts: &[Powers]| parts.iter().filter(|part| part.n > 0.0).count();
        let filled = filled(&a.parts).min(filled(&b.parts));
        if filled < BUCKETS_MIN {
            return Err(Why::TooFewBuckets);
        }
        let buckets = filled as f64;
        let variance: f64 = (0..a.parts.len()).map(|at| of_bucket(at).powi(2)).sum();
        let se = (variance * buckets / (buckets - 1.0)).sqrt();
        return Ok(Signed { point, se, df: Some(buckets - 1.0) });
    }
    let of = |psi: &Psi, of: &Powers| squares(psi, of).max(0.0) * of.n / (of.n - 1.0).max(1.0);
    let others = *all - *x - *y;
    let variance =
        of(&psi_x, x) + of(&psi_y, y) + if unit == Unit::Overall { squares(&psi_rest, &others).max(0.0) } else { 0.0 };
    Ok(Signed { point, se: variance.sqrt(), df: Some(rows) })
}
