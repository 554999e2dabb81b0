//! Lower bounds on epsilon from attacks that were tried.
//!
//! | bound | from | source |
//! |---|---|---|
//! | share of successes | tails of the binomial distribution, each alpha/2 | Clopper and Pearson 1934, Biometrika 26 |
//! | epsilon, two worlds | ln((TPR - delta) / FPR) and ln((TNR - delta) / FNR), with the worse ends of two Clopper-Pearson intervals | Kairouz, Oh and Viswanath 2015, ICML, theorem 2.1 |
//! | mu of a Gaussian release | quantile(TPR) - quantile(FPR), the same ends | Nasr et al. 2023, USENIX Security |
//! | epsilon of mu at delta | delta = Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu), solved for eps | Balle and Wang 2018, ICML; Dong, Roth and Su 2022, JRSS B 84 |
//! | epsilon, one run | tail of right guesses under randomised response, plus what delta adds | Steinke, Nasr and Jagielski 2023, NeurIPS |
//!
//! Binomial probabilities are computed by the deviance form of Loader 2000 (relative error about 1e-14 at a million trials), tails by the continued
//! fraction of the incomplete beta function. Bisection ends on the side that makes a lower bound smaller.

use statrs::distribution::{ContinuousCDF, Normal};

/// Guesses of one event: said "in" for so many of the draws with the record, and for so many of the draws without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guesses {
    pub true_positives: u64,
    /// Draws with the record.
    pub draws_in: u64,
    pub false_positives: u64,
    /// Draws without the record.
    pub draws_out: u64,
}

impl Guesses {
    /// An attack that was never wrong.
    pub fn perfect(draws_in: u64, draws_out: u64) -> Guesses {
        Guesses { true_positives: draws_in, draws_in, false_positives: 0, draws_out }
    }
}

/// What two worlds prove.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Lower end of the true positive rate.
    pub tpr: f64,
    /// Upper end of the false positive rate.
    pub fpr: f64,
    /// Lower bound on epsilon at the given delta; 0 where nothing is proved.
    pub epsilon: f64,
    /// Lower bound on mu, for releases with Gaussian noise only; 0 where nothing is proved.
    pub mu: f64,
    /// True when the bound on epsilon comes from the event's complement.
    pub complement: bool,
}

/// Two-sided Clopper-Pearson interval of a share, error at most alpha; 0 and 1 without trials.
pub fn clopper_pearson(successes: u64, trials: u64, alpha: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (k, tail) = (successes.min(trials), tail_of(alpha) / 2.0);
    (lower_end(k, trials, tail), upper_end(k, trials, tail))
}

/// The lower bound of two worlds, with probability at least `confidence`.
///
/// Each of the two rates may be wrong with half of 1 - confidence.
pub fn two_worlds(guesses: Guesses, delta: f64, confidence: f64) -> Bound {
    let tail = tail_of(1.0 - confidence) / 2.0;
    let Guesses { true_positives, draws_in, false_positives, draws_out } = guesses;
    let tpr = if draws_in == 0 { 0.0 } else { lower_end(true_positives.min(draws_in), draws_in, tail) };
    let fpr = if draws_out == 0 { 1.0 } else { upper_end(false_positives.min(draws_out), draws_out, tail) };
    let (epsilon, complement) = region(tpr, fpr, delta);
    let mu = if tpr > 0.0 && fpr < 1.0 { (quantile(tpr) - quantile(fpr)).max(0.0) } else { 0.0 };
    Bound { tpr, fpr, epsilon, mu, complement }
}

/// The bound an attack that is never wrong would reach with as many draws: no attack can prove more.
pub fn ceiling(draws_in: u64, draws_out: u64, delta: f64, confidence: f64) -> Bound {
    two_worlds(Guesses::perfect(draws_in, draws_out), delta, confidence)
}

/// Least epsilon at which rates such as these are possible, and whether the complement of the event decides.
pub(super) fn region(tpr: f64, fpr: f64, delta: f64) -> (f64, bool) {
    let log_ratio = |more: f64, less: f64| match more - delta {
        rest if rest > 0.0 => (rest / less).ln(),
        _ => 0.0,
    };
    let (event, complement) = (log_ratio(tpr, fpr), log_ratio(1.0 - fpr, 1.0 - tpr));
    (event.max(complement).max(0.0), complement > event)
}

/// Above this mu the tails used below are too small for a float; a smaller mu gives a smaller epsilon, so the bound stays one.
const MU_MAX: f64 = 25.0;

/// Epsilon at delta of a release that is mu-Gaussian differentially private, and no less; 0 where delta alone covers it.
pub fn epsilon_of_mu(mu: f64, delta: f64) -> f64 {
    if !(mu > 0.0 && delta > 0.0 && delta < 1.0) {
        return if mu > 0.0 && delta <= 0.0 { f64::INFINITY } else { 0.0 };
    }
    let mu = mu.min(MU_MAX);
    let delta_at = |epsilon: f64| phi(mu / 2.0 - epsilon / mu) - epsilon.exp() * phi(-mu / 2.0 - epsilon / mu);
    if delta_at(0.0) <= delta {
        return 0.0;
    }
    let mut high = 1.0;
    while delta_at(high) > delta && high < 2000.0 {
        high *= 2.0;
    }
    bisect(0.0, high, |epsilon| delta_at(epsilon) > delta).0
}

/// A run with canaries, each put in or left out by a fair coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneRun {
    pub canaries: u64,
    /// Canaries the attacker guessed about; the others are passed over.
    pub guesses: u64,
    pub right: u64,
}

/// The largest epsilon for which so many right guesses have a probability below 1 - confidence; 0 where nothing is proved.
///
/// The work is proportional to the number of right guesses.
pub fn one_run(run: OneRun, delta: f64, confidence: f64) -> f64 {
    let alpha = tail_of(1.0 - confidence);
    let refuted = |epsilon: f64| probability_of_guesses(run, epsilon, delta) < alpha;
    if run.right == 0 || !refuted(0.0) {
        return 0.0;
    }
    let mut high = 1.0;
    while refuted(high) && high < 64.0 {
        high *= 2.0;
    }
    bisect(0.0, high, refuted).0
}

/// The bound of one run in which every guess was right.
pub fn one_run_ceiling(canaries: u64, guesses: u64, delta: f64, confidence: f64) -> f64 {
    one_run(OneRun { canaries, guesses, right: guesses }, delta, confidence)
}

/// Greatest probability of at least so many right guesses under (epsilon, delta): P(B >= v) + 2 m delta max_i P(v > B >= v - i) / i, B the right
/// guesses of r under randomised response, right with e^eps / (1 + e^eps).
fn probability_of_guesses(run: OneRun, epsilon: f64, delta: f64) -> f64 {
    let (r, v) = (run.guesses.min(run.canaries), run.right.min(run.guesses).min(run.canaries));
    let (p, q) = (1.0 / (1.0 + (-epsilon).exp()), 1.0 / (1.0 + epsilon.exp()));
    let (mut below, mut steepest) = (0.0, 0.0f64);
    for i in 1..=v {
        below += probability(v - i, r, p, q);
        steepest = steepest.max(below / i as f64);
        // No later term can be steeper: the sum stays below 1.
        if steepest * (i + 1) as f64 >= 1.0 {
            break;
        }
    }
    (at_least(v, r, p, q) + 2.0 * run.canaries as f64 * delta.max(0.0) * steepest).min(1.0)
}

/// A probability of error that is usable: above 0, at most 1.
fn tail_of(alpha: f64) -> f64 {
    if alpha > 0.0 { alpha.min(1.0) } else { f64::MIN_POSITIVE }
}

fn phi(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

fn quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The ends between which `holds` turns from true to false, as near as floats allow.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> (f64, f64) {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { low = middle } else { high = middle }
    }
    (low, high)
}

/// The ends between which a rising function crosses 0, as near as floats allow: inverse quadratic interpolation where it is safe, bisection where it
/// is not (Chandrupatla 1997, Advances in Engineering Software 28).
fn cross(low: f64, high: f64, f: impl Fn(f64) -> f64) -> (f64, f64) {
    let (mut x1, mut x2) = (low, high);
    let (mut f1, mut f2) = (f(low), f(high));
    let mut t = 0.5;
    for _ in 0..200 {
        let x = x1 + t * (x2 - x1);
        let fx = f(x);
        let (x3, f3) = if (fx > 0.0) == (f1 > 0.0) { (x1, f1) } else { (x2, f2) };
        if (fx > 0.0) != (f1 > 0.0) {
            (x2, f2) = (x1, f1);
        }
        (x1, f1) = (x, fx);
        let nearest = if f1.abs() < f2.abs() { x1 } else { x2 };
        let limit = f64::EPSILON * nearest.abs() / (x2 - x1).abs();
        // Equal ends make the limit infinite; an end at 0 makes it 0, and then bisection goes on.
        if limit.is_nan() || limit > 0.5 {
            break;
        }
        let (xi, ratio) = ((x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2));
        let safe = ratio < xi.sqrt() && 1.0 - ratio < (1.0 - xi).sqrt();
        t = match safe {
            true => f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2),
            false => 0.5,
        };
        t = if t.is_finite() { t.clamp(limit, 1.0 - limit) } else { 0.5 };
    }
    (x1.min(x2), x1.max(x2))
}

/// Largest p with P(X >= k) at most the tail.
fn lower_end(k: u64, n: u64, tail: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    cross(0.0, k as f64 / n as f64, |p| at_least(k, n, p, 1.0 - p).ln() - tail.ln()).0
}

/// Smallest p with P(X <= k) at most the tail.
fn upper_end(k: u64, n: u64, tail: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    cross(k as f64 / n as f64, 1.0, |p| tail.ln() - at_least(n - k, n, 1.0 - p, p).ln()).1
}

/// P(X >= k) of n trials with success p and failure q = 1 - p.
fn at_least(k: u64, n: u64, p: f64, q: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    if q <= 0.0 {
        return 1.0;
    }
    let (a, b) = (k as f64, (n - k) as f64 + 1.0);
    match p * (a + b + 2.0) < a + 1.0 {
        true => probability(k, n, p, q) * q * fraction(a, b, p),
        false => 1.0 - probability(n - k + 1, n, q, p) * p * fraction(b, a, q),
    }
    .clamp(0.0, 1.0)
}

/// The continued fraction of the incomplete beta function, evaluated as Lentz does.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let safe = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    // About the root of a + b steps are needed where x is near a / (a + b).
    let steps = 200 + (20.0 * (a + b).sqrt()) as u64;
    for step in 1..=steps {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / safe(1.0 + even * d);
        c = safe(1.0 + even / c);
        product *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / safe(1.0 + odd * d);
        c = safe(1.0 + odd / c);
        product *= c * d;
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    product
}

/// P(X = k) of n trials with success p and failure q = 1 - p (Loader 2000, "Fast and accurate computation of binomial probabilities").
fn probability(k: u64, n: u64, p: f64, q: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    let (k, n) = (k as f64, n as f64);
    // The smaller of p and q is known to more digits.
    let log = |p: f64, q: f64| if q < 0.5 { (-q).ln_1p() } else { p.ln() };
    if k == 0.0 {
        return if n == 0.0 { 1.0 } else { (n * log(q, p)).exp() };
    }
    if k == n {
        return (n * log(p, q)).exp();
    }
    let rest = n - k;
    let log = stirling_error(n) - stirling_error(k) - stirling_error(rest) - deviance(k, n * p) - deviance(rest, n * q);
    log.exp() * (n / (2.0 * std::f64::consts::PI * k * rest)).sqrt()
}

/// ln n! minus Stirling's formula.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        let factorial = (1..=n as u64).map(|i| i as f64).product::<f64>();
        return factorial.ln() - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * std::f64::consts::PI).ln();
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square) / square)
        / n
}

/// x ln(x / mean) + mean - x, without cancellation where x is near the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    if (x - mean).abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() + mean - x;
    }
    let v = (x - mean) / (x + mean);
    let (mut sum, mut term) = ((x - mean) * v, 2.0 * x * v);
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests;
