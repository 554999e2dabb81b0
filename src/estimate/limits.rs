//! Confidence limits of one share, and of the difference, ratio and odds ratio of two, from counts.
//!
//! | function | interval | source |
//! |---|---|---|
//! | [`clopper_pearson`] | exact: each end leaves at most half the error | Clopper and Pearson 1934, Biometrika 26 |
//! | [`jeffreys`] | quantiles of the posterior under Beta(1/2, 1/2) | Brown, Cai and DasGupta 2001, Statistical Science 16 |
//! | [`difference`] | score test inverted, variance times N/(N-1) | Miettinen and Nurminen 1985, Statistics in Medicine 4 |
//! | [`ratio`] | the same for the ratio | the same |
//! | [`odds_ratio`] | the same for the odds ratio: Cornfield's limits without correction | the same; Cornfield 1956 |
//! | [`katz`] | normal limits of the logarithm of the ratio | Katz et al. 1978, Biometrics 34 |
//!
//! Counts are successes and rows, 0 <= x <= n and n > 0. The limits are made for a critical value z: an exact one leaves P(|Z| > z).
//! Score limits exist for every table, those with empty cells too.

use super::equality::Counts;
use super::probability::ln_binomial;
use super::proportion::wilson_limits;

/// Halvings of a bracket: 2^-60 of its width is left.
const HALVINGS: usize = 60;

/// The place where a function that holds below and not above changes.
fn halve(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Half the error that a two-sided critical value leaves.
fn tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// P(X <= x) of n rows with share p = 1 - q: the shorter sum of terms from its largest, or one minus the other.
fn at_most(x: i64, n: i64, (p, q): (f64, f64)) -> f64 {
    if x >= n {
        return 1.0;
    }
    let all = n as f64;
    let term = |x: i64| ln_binomial(x as f64, all, (p, q)).exp();
    let sum = |from: i64, down: bool| {
        let (mut k, mut next, mut sum) = (from as f64, term(from), 0.0);
        while next > 1e-18 * sum && next > 0.0 {
            sum += next;
            next *= if down { k / (all - k + 1.0) * (q / p) } else { (all - k) / (k + 1.0) * (p / q) };
            k += if down { -1.0 } else { 1.0 };
        }
        sum
    };
    if (x as f64) < all * p { sum(x, true) } else { 1.0 - sum(x + 1, false) }
}

/// Exact limits: the shares at which x or more, or x or fewer, have the probability of one tail.
pub fn clopper_pearson((x, n): Counts, z: f64) -> (f64, f64) {
    let (tail, p) = (tail(z), x as f64 / n as f64);
    let lower = if x <= 0 { 0.0 } else { halve(0.0, p, |p| at_most(n - x, n, (1.0 - p, p)) < tail) };
    let upper = if x >= n { 1.0 } else { halve(p, 1.0, |p| at_most(x, n, (p, 1.0 - p)) > tail) };
    (lower, upper)
}

/// Exact limits of a share of few successes or few failures out of n: the same as [`clopper_pearson`], in a few steps.
pub fn few(x: f64, n: f64, z: f64) -> (f64, f64) {
    if x > n - x {
        let (lower, upper) = few_successes(n - x, n, z);
        return (1.0 - upper, 1.0 - lower);
    }
    few_successes(x, n, z)
}

fn few_successes(x: f64, n: f64, z: f64) -> (f64, f64) {
    let (tail, (low, high)) = (tail(z), wilson_limits(x / n, n, z));
    let upper = if x >= n { 1.0 } else { solve(high, (x / n, 1.0), |p| few_at_most(x, n, p, tail)) };
    // P(X >= x) = tail is P(X <= x - 1) = 1 - tail.
    let lower = if x <= 0.0 { 0.0 } else { solve(low, (0.0, x / n), |p| few_at_most(x - 1.0, n, p, 1.0 - tail)) };
    (lower, upper)
}

/// P(X <= x) - wanted and its slope in p, -n P(n - 1 rows have x).
fn few_at_most(x: f64, n: f64, p: f64, wanted: f64) -> (f64, f64) {
    let mut term = (n * libm::log1p(-p)).exp();
    let (mut sum, mut k) = (term, 0.0);
    while k < x {
        term *= (n - k) / (k + 1.0) * (p / (1.0 - p));
        sum += term;
        k += 1.0;
    }
    (sum - wanted, -(n - x) * term / (1.0 - p))
}

/// The zero of a falling function within a bracket: Newton's steps, a halving where one leaves it.
fn solve(start: f64, (mut low, mut high): (f64, f64), of: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut p = start.clamp(low, high);
    for _ in 0..HALVINGS {
        let (value, slope) = of(p);
        if value > 0.0 {
            low = p
        } else {
            high = p
        }
        let mut next = p - value / slope;
        if !(low < next && next < high) {
            next = 0.5 * (low + high);
        }
        if (next - p).abs() <= 1e-16 * p {
            return next;
        }
        p = next;
    }
    p
}

/// Quantiles of Beta(x + 1/2, n - x + 1/2); 0 and 1 at the ends of the range.
pub fn jeffreys((x, n): Counts, z: f64) -> (f64, f64) {
    let (a, b, tail) = (x as f64 + 0.5, (n - x) as f64 + 0.5, tail(z));
    let below = |p: f64| statrs::function::beta::checked_beta_reg(a, b, p).unwrap_or(0.5);
    let above = |p: f64| statrs::function::beta::checked_beta_reg(b, a, 1.0 - p).unwrap_or(0.5);
    let lower = if x <= 0 { 0.0 } else { halve(0.0, 1.0, |p| below(p) < tail) };
    let upper = if x >= n { 1.0 } else { halve(0.0, 1.0, |p| above(p) > tail) };
    (lower, upper)
}

/// Normal limits of the logarithm of the ratio of the first to the second. None when either has no success.
pub fn katz((x1, n1): Counts, (x2, n2): Counts, z: f64) -> Option<(f64, f64)> {
    let [a, m, b, n] = [x1, n1, x2, n2].map(|count| count as f64);
    let ratio = (a / m) / (b / n);
    let half = z * (1.0 / a - 1.0 / m + 1.0 / b - 1.0 / n).max(0.0).sqrt();
    (x1 > 0 && x2 > 0).then(|| (ratio * (-half).exp(), ratio * half.exp()))
}

/// Two cohorts, for score tests.
#[derive(Debug, Clone, Copy)]
struct Table {
    x1: f64,
    n1: f64,
    x2: f64,
    n2: f64,
}

impl Table {
    fn of((x1, n1): Counts, (x2, n2): Counts) -> Table {
        let [x1, n1, x2, n2] = [x1, n1, x2, n2].map(|count| count as f64);
        Table { x1, n1, x2, n2 }
    }

    /// N / (N - 1), of Miettinen and Nurminen.
    fn correction(&self) -> f64 {
        let n = self.n1 + self.n2;
        n / (n - 1.0).max(1.0)
    }

    /// (difference of the shares - delta) over its standard error at the most likely shares p and p + delta.
    fn score_difference(&self, delta: f64) -> f64 {
        let (low, high) = ((-delta).max(0.0), (1.0 - delta).min(1.0));
        let p = self.likeliest_second(delta).clamp(low, high);
        let first = (p + delta).clamp(0.0, 1.0);
        let variance = self.correction() * (first * (1.0 - first) / self.n1 + p * (1.0 - p) / self.n2);
        signed((self.x1 / self.n1 - self.x2 / self.n2) - delta, variance)
    }

    /// The most likely share of the second: the root of the likelihood's cubic between max(0, -delta) and min(1, 1 - delta), by its trigonometric
    /// form (Miettinen and Nurminen 1985, appendix). The factor of delta in the third coefficient is n2.
    fn likeliest_second(&self, delta: f64) -> f64 {
        let Table { x1, n1, x2, n2 } = *self;
        let n = n1 + n2;
        let b = ((n1 + 2.0 * n2) * delta - n - x1 - x2) / n;
        let c = ((n2 * delta - n - 2.0 * x2) * delta + x1 + x2) / n;
        let d = x2 * delta * (1.0 - delta) / n;
        let third = b / 3.0;
        let v = third.powi(3) - b * c / 6.0 + 0.5 * d;
        let u = (third * third - c / 3.0).max(0.0).sqrt().copysign(v);
        let cosine = if u == 0.0 { 0.0 } else { (v / u.powi(3)).clamp(-1.0, 1.0) };
        let mut p = 2.0 * u * ((std::f64::consts::PI + cosine.acos()) / 3.0).cos() - third;
        // The arc cosine loses half the digits near a double root; two steps of Newton's method bring them back.
        for _ in 0..2 {
            let slope = (3.0 * p + 2.0 * b) * p + c;
            if slope.abs() > 1e-9 {
                p -= (((p + b) * p + c) * p + d) / slope;
            }
        }
        p
    }

    /// (p1 - theta p2) over its standard error at the most likely shares theta p and p.
    fn score_ratio(&self, theta: f64) -> f64 {
        let Table { x1, n1, x2, n2 } = *self;
        let (a, b, c) = ((n1 + n2) * theta, n1 * theta + x1 + n2 + x2 * theta, x1 + x2);
        let p = (2.0 * c / (b + (b * b - 4.0 * a * c).max(0.0).sqrt())).clamp(0.0, (1.0 / theta).min(1.0));
        let first = (theta * p).clamp(0.0, 1.0);
        let variance = self.correction() * (first * (1.0 - first) / n1 + theta * theta * p * (1.0 - p) / n2);
        signed(x1 / n1 - theta * (x2 / n2), variance)
    }

    /// Score of the first count at the most likely cells of this odds ratio; above 1 with the cohorts exchanged.
    fn score_odds(&self, odds: f64) -> f64 {
        let Table { x1, n1, x2, n2 } = *self;
        let exchanged = Table { x1: x2, n1: n2, x2: x1, n2: n1 };
        if odds > 1.0 { -exchanged.score_odds_below(1.0 / odds) } else { self.score_odds_below(odds) }
    }

    /// The expected successes e of the first solve e (n2 - x + e) = odds (n1 - e) (x - e), x the successes of both; their variance is one over
    /// the sum of the reciprocals of the four cells. Nothing is subtracted that may be nearly equal.
    fn score_odds_below(&self, odds: f64) -> f64 {
        let Table { x1, n1, x2, n2 } = *self;
        let all = x1 + x2;
        let (a, b, c) = (1.0 - odds, n2 - all + odds * (n1 + all), odds * n1 * all);
        let root = (b * b + 4.0 * a * c).max(0.0).sqrt();
        let e = if b >= 0.0 { 2.0 * c / (b + root) } else { (root - b) / (2.0 * a) };
        let (failures, others) = ((n1 - e).max(0.0), (all - e).max(0.0));
        let last = odds * failures * others / e;
        let distance = if b >= 0.0 { x1 - e } else { (n2 - x2) - last };
        signed(distance, self.correction() / (1.0 / e + 1.0 / failures + 1.0 / others + 1.0 / last))
    }
}

/// A distance in standard errors; zero for zero over zero.
fn signed(distance: f64, variance: f64) -> f64 {
    match (distance == 0.0, variance > 0.0) {
        (true, _) => 0.0,
        (false, true) => distance / variance.sqrt(),
        (false, false) => f64::INFINITY.copysign(distance),
    }
}

/// Score limits of the first share minus the second.
pub fn difference(a: Counts, b: Counts, z: f64) -> (f64, f64) {
    let table = Table::of(a, b);
    let point = table.x1 / table.n1 - table.x2 / table.n2;
    let lower = halve(-1.0, point, |delta| table.score_difference(delta) > z);
    let upper = halve(point, 1.0, |delta| table.score_difference(delta) > -z);
    (lower, upper)
}

/// Score limits of the first share over the second; an upper end that is not there is infinite. (0, infinite) when neither has a success.
pub fn ratio(a: Counts, b: Counts, z: f64) -> (f64, f64) {
    let table = Table::of(a, b);
    let point = (table.x1 / table.n1) / (table.x2 / table.n2);
    positive(point, (table.x1 > 0.0, table.x2 > 0.0), z, |theta| table.score_ratio(theta))
}

/// Score limits of the odds of the first over the odds of the second. (0, infinite) when no row of both, or every row, is a success.
pub fn odds_ratio(a: Counts, b: Counts, z: f64) -> (f64, f64) {
    let table = Table::of(a, b);
    let failures = (table.n1 - table.x1, table.n2 - table.x2);
    let point = (table.x1 * failures.1) / (table.x2 * failures.0);
    let ends = (table.x1 > 0.0 && failures.1 > 0.0, table.x2 > 0.0 && failures.0 > 0.0);
    positive(point, ends, z, |odds| table.score_odds(odds))
}

/// Limits of a positive figure on its logarithm. `ends` says whether the lower is above zero and the upper finite.
fn positive(point: f64, ends: (bool, bool), z: f64, score: impl Fn(f64) -> f64) -> (f64, f64) {
    const FAR: f64 = 46.0;
    let middle = match ends {
        (false, false) => return (0.0, f64::INFINITY),
        (true, true) => point.ln(),
        (false, true) => -FAR,
        (true, false) => FAR,
    };
    let lower = if ends.0 { halve(-FAR, middle, |log| score(log.exp()) > z).exp() } else { 0.0 };
    let upper = if ends.1 { halve(middle, FAR, |log| score(log.exp()) > -z).exp() } else { f64::INFINITY };
    (lower, upper)
}

#[cfg(test)]
mod tests;
