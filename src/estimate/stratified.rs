//! Two cohorts compared within strata: pooled tests, pooled ratios and differences, standardised rates. Pure functions of tables.
//!
//! A stratum is a table of two cohorts by two outcomes; n1 and n2 are the rows of the cohorts, m1 those with the outcome, N all. Strata where
//! a cohort has no row tell nothing about the difference and must be left out before.
//!
//! | what | formula | source |
//! |---|---|---|
//! | test | (sum of a - n1 m1 / N)^2 / sum of n1 n2 m1 m2 / (N^2 (N - 1)) | Cochran 1954, Biometrics 10; Mantel and Haenszel 1959, JNCI 22 |
//! | odds ratio | sum of ad / N over sum of bc / N | Mantel and Haenszel 1959; variance: Robins, Breslow and Greenland 1986, Biometrics 42 |
//! | ratio, difference of rates | sums of a n2 / N, c n1 / N | Greenland and Robins 1985, Biometrics 41; variance of the difference: Sato 1989, Biometrics 45 |
//! | equality of odds ratios | sum of (a - e)^2 / v | Breslow and Day 1980; correction: Tarone 1985, Biometrika 72 |
//! | weighted sum of shares | MOVER from Wilson limits, no shorter than a normal interval | Zou, Huang and Zhang 2009, Computational Statistics and Data Analysis 53; the least length: own derivation |

use statrs::function::gamma::checked_gamma_ur;

use super::proportion::wilson_limits;
use super::{Basis, Estimate, Interval, Method, Support, normal};

/// For the section of methods.
pub(super) const METHOD: &str = "Weighted sum of independent shares, its limits from the Wilson limits of every share (MOVER; Zou, Huang and Zhang 2009), over several strata no shorter than a normal interval of at least the true variance; the weights are taken as known.";

/// One stratum: rows of a cohort with (a) and without (b) the outcome, of the other with (c) and without (d).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoByTwo {
    pub a: f64,
    pub b: f64,
    pub c: f64,
    pub d: f64,
}

impl TwoByTwo {
    pub fn cohort(&self) -> f64 {
        self.a + self.b
    }
    pub fn other(&self) -> f64 {
        self.c + self.d
    }
    pub fn all(&self) -> f64 {
        self.cohort() + self.other()
    }
    /// Rows with the outcome.
    fn with(&self) -> f64 {
        self.a + self.c
    }
    fn without(&self) -> f64 {
        self.b + self.d
    }
    /// Rows expected in `a` when both cohorts have the same rate.
    fn expected(&self) -> f64 {
        self.cohort() * self.with() / self.all()
    }
}

/// A statistic and the chance of one at least as large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    pub chi2: f64,
    pub p: f64,
    pub df: f64,
}

/// P(X >= chi2) with df degrees of freedom.
pub fn chi2_tail(chi2: f64, df: f64) -> f64 {
    if df == 1.0 {
        return libm::erfc((chi2.max(0.0) / 2.0).sqrt());
    }
    match checked_gamma_ur(df / 2.0, chi2 / 2.0) {
        Ok(p) if chi2 > 0.0 => p,
        _ => 1.0,
    }
}

fn test(chi2: f64, df: f64) -> Test {
    Test { chi2, p: chi2_tail(chi2, df), df }
}

/// The Cochran-Mantel-Haenszel test that the common odds ratio is 1; with the correction for continuity half a row is taken from the
/// distance. None where no stratum has both outcomes.
pub fn cochran_mantel_haenszel(strata: &[TwoByTwo], corrected: bool) -> Option<Test> {
    let variance = |t: &TwoByTwo| {
        let n = t.all();
        if n > 1.0 { t.cohort() * t.other() * t.with() * t.without() / (n * n * (n - 1.0)) } else { 0.0 }
    };
    let sum: f64 = strata.iter().map(variance).sum();
    let distance = strata.iter().map(|t| t.a - t.expected()).sum::<f64>().abs();
    let distance = if corrected { (distance - 0.5).max(0.0) } else { distance };
    (sum > 0.0).then(|| test(distance * distance / sum, 1.0))
}

/// A ratio and the standard error of its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PooledRatio {
    pub ratio: f64,
    pub se_log: f64,
}

impl PooledRatio {
    pub fn interval(&self, confidence: f64) -> Interval {
        let half = normal(confidence) * self.se_log;
        Interval::new(self.ratio * (-half).exp(), self.ratio * half.exp())
    }
}

fn sums<const K: usize>(strata: &[TwoByTwo], of: impl Fn(&TwoByTwo) -> [f64; K]) -> [f64; K] {
    strata.iter().fold([0.0; K], |mut sums, table| {
        sums.iter_mut().zip(of(table)).for_each(|(sum, term)| *sum += term);
        sums
    })
}

/// The common odds ratio. None where a sum is zero: the ratio is then 0 or infinite and has no logarithm.
pub fn odds_ratio(strata: &[TwoByTwo]) -> Option<PooledRatio> {
    let [r, s, pr, mixed, qs] = sums(strata, |t| {
        let n = t.all();
        let (r, s) = (t.a * t.d / n, t.b * t.c / n);
        let (p, q) = ((t.a + t.d) / n, (t.b + t.c) / n);
        [r, s, p * r, p * s + q * r, q * s]
    });
    (r > 0.0 && s > 0.0).then(|| {
        let variance = pr / (2.0 * r * r) + mixed / (2.0 * r * s) + qs / (2.0 * s * s);
        PooledRatio { ratio: r / s, se_log: variance.sqrt() }
    })
}

/// The common ratio of rates.
pub fn risk_ratio(strata: &[TwoByTwo]) -> Option<PooledRatio> {
    let [r, s, spread] = sums(strata, |t| {
        let n = t.all();
        let spread = (t.cohort() * t.other() * t.with() - t.a * t.c * n) / (n * n);
        [t.a * t.other() / n, t.c * t.cohort() / n, spread]
    });
    (r > 0.0 && s > 0.0).then(|| PooledRatio { ratio: r / s, se_log: (spread / (r * s)).max(0.0).sqrt() })
}

/// The common difference of rates and its standard error (Sato 1989, valid for few large and for many small strata).
pub fn risk_difference(strata: &[TwoByTwo]) -> Option<(f64, f64)> {
    let [r, s, weight, p, q] = sums(strata, |t| {
        let (n, n1, n2) = (t.all(), t.cohort(), t.other());
        let p = (n1 * n1 * t.c - n2 * n2 * t.a + n1 * n2 * (n2 - n1) / 2.0) / (n * n);
        let q = (t.a * (n2 - t.c) + t.c * (n1 - t.a)) / (2.0 * n);
        [t.a * n2 / n, t.c * n1 / n, n1 * n2 / n, p, q]
    });
    (weight > 0.0).then(|| {
        let difference = (r - s) / weight;
        (difference, (difference * p + q).max(0.0).sqrt() / weight)
    })
}

/// Whether the odds ratios of the strata are equal: Breslow and Day's statistic, and with Tarone's correction. None where fewer than two
/// strata have both outcomes, or where there is no common odds ratio.
pub fn breslow_day(strata: &[TwoByTwo]) -> Option<(Test, Test)> {
    let ratio = odds_ratio(strata)?.ratio;
    let both: Vec<&TwoByTwo> = strata.iter().filter(|t| t.with() > 0.0 && t.without() > 0.0).collect();
    let df = both.len().checked_sub(1).filter(|df| *df > 0)? as f64;
    let (mut chi2, mut off, mut spread) = (0.0, 0.0, 0.0);
    for table in both {
        let (expected, variance) = fitted(table, ratio);
        chi2 += (table.a - expected).powi(2) / variance;
        off += table.a - expected;
        spread += variance;
    }
    let tarone = (chi2 - off * off / spread).max(0.0);
    chi2.is_finite().then(|| (test(chi2, df), test(tarone, df)))
}

/// The value of `a` at which a table with these margins has this odds ratio, and its variance: the root of
/// e (n2 - m1 + e) = ratio (n1 - e) (m1 - e) that leaves no cell negative.
fn fitted(table: &TwoByTwo, ratio: f64) -> (f64, f64) {
    let (n1, n2, m1) = (table.cohort(), table.other(), table.with());
    let (least, most) = ((m1 - n2).max(0.0), n1.min(m1));
    let square = ratio - 1.0;
    let linear = ratio * (n1 + m1) + n2 - m1;
    let constant = ratio * n1 * m1;
    // The smaller root, written so that nothing cancels where the ratio is near 1.
    let expected = 2.0 * constant / (linear + (linear * linear - 4.0 * square * constant).max(0.0).sqrt());
    let e = expected.clamp(least, most);
    let variance = 1.0 / (1.0 / e + 1.0 / (n1 - e) + 1.0 / (m1 - e) + 1.0 / (n2 - m1 + e));
    (e, variance)
}

/// A share of independent rows in a weighted sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// May be negative.
    pub weight: f64,
    pub p: f64,
    /// Independent rows.
    pub n: f64,
}

/// A weighted sum of shares.
pub fn combination(terms: &[Term]) -> f64 {
    terms.iter().map(|term| term.weight * term.p).sum()
}

/// Terms of one stratum.
const PAIR: usize = 2;

/// The variance of a share, estimated so that its mean is never below p (1 - p) / n: (x + 1)(n - x + 1) has the mean n (n - 1) p (1 - p) +
/// n + 1, and the factor makes that enough at p = 1/2, hence everywhere.
fn variance_at_least(p: f64, n: f64) -> f64 {
    let x = p * n;
    (x + 1.0) * (n - x + 1.0) / ((n * n + 3.0 * n + 4.0) * n)
}

/// Its limits: the distances of the point from the Wilson limits of every share, added in squares. Wilson limits of few rows lie inward of the
/// point's own spread, and over many small strata that adds up: beyond one stratum no side is shorter than a normal interval whose variance
/// is on average at least the true one.
pub(super) fn combination_limits(terms: &[Term], z: f64) -> (f64, f64) {
    let (mut below, mut above) = (0.0, 0.0);
    for Term { weight, p, n } in terms {
        let (low, high) = wilson_limits(*p, *n, z);
        let (down, up) = ((p - low) * weight, (high - p) * weight);
        let (down, up) = if *weight < 0.0 { (-up, -down) } else { (down, up) };
        below += down * down;
        above += up * up;
    }
    if terms.len() > PAIR {
        let least = z * z * terms.iter().map(|of| of.weight * of.weight * variance_at_least(of.p, of.n)).sum::<f64>();
        (below, above) = (below.max(least), above.max(least));
    }
    let point = combination(terms);
    (point - below.sqrt(), point + above.sqrt())
}

impl Estimate {
    /// A weighted sum of independent shares within these bounds. Weights are taken as known.
    pub fn combination(terms: Vec<Term>, (lower, upper): (f64, f64), support: Support, confidence: f64) -> Estimate {
        let point = combination(&terms);
        let basis = Basis::Combination { terms, lower, upper };
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method: Method::WeightedShares, basis }
    }
}

#[cfg(test)]
mod tests;
