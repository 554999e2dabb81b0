//! Shares of counts that carry noise: intervals that cover sampling and noise together.
//!
//! Of a released table the numerator a is a sum of ka cells and the denominator d one of kd, the same ka among them; every cell has noise of
//! its own of variance v. With the true share p the residual a - p d has mean 0 and variance
//!
//! V(p) = D n p (1 - p) + (1 - p)^2 ka v + p^2 (kd - ka) v,
//!
//! n being taken as d and D the design effect: a unit has at most D rows, so D bounds the variance over that of independent rows (Kish 1965,
//! Survey sampling, chapter 5). The interval holds the p that this score test does not reject: (a - p d)^2 <= c^2 V(p), a quadratic in p. At
//! v = 0 and D = 1 it is the interval of Wilson 1927. Own derivation; Kao and Reiter 2025 (arXiv 2511.02227) compare other intervals.
//!
//! Limits may lie outside 0 and 1, where noise has carried the estimate; beyond the ends the variance is that at the end. Differences need
//! them so: an estimate kept at 0 is biased upwards. A limit of one share that is shown is kept within 0 and 1.
//!
//! Laplace noise has heavier tails than a normal law. The critical value c is the quantile of the sum of a normal and a Laplace variable with
//! the variance and the fourth cumulant of the residual: exact for one draw of noise, or none, and wide in the far tail for several. With
//! t the Laplace part's share of the variance, t = sqrt(sum of squared variances of the draws) / V.

use std::collections::BTreeMap;
use std::f64::consts::FRAC_1_SQRT_2;
use std::sync::{Arc, Mutex, PoisonError};

use statrs::function::erf::erfc;

use super::{Share, Why};

/// What a release did to each of its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Variance of one draw.
    pub variance: f64,
    /// True for Laplace noise, false for Gaussian.
    pub laplace: bool,
    /// Most rows of one unit: sampling variances are multiplied by it.
    pub design_effect: f64,
}

impl Noise {
    /// False for numbers as they were counted.
    pub fn is_any(&self) -> bool {
        self.variance > 0.0
    }

    /// Why so many rows have no value: the noise, or, of rows as they were counted, that they are none or too few.
    pub fn why_not(&self, rows: f64) -> Why {
        match (self.is_any(), rows < 1.0) {
            (true, _) => Why::NoiseExceedsCohort,
            (false, true) => Why::EmptyDenominator,
            (false, false) => Why::TooFewRows,
        }
    }

    /// Variance of a draw with this weight, and the square of it where it counts as Laplace noise.
    pub(crate) fn part(&self, draws: f64, weight: f64) -> Spread {
        let one = weight * weight * self.variance;
        Spread { variance: draws * one, fourth: if self.laplace { draws * one * one } else { 0.0 } }
    }
}

/// Variance of a residual, and the sum of squared variances of its draws of Laplace noise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    pub variance: f64,
    pub fourth: f64,
}

impl Spread {
    /// A variance without Laplace noise.
    pub(crate) fn normal(variance: f64) -> Spread {
        Spread { variance, fourth: 0.0 }
    }

    /// The spread of the variable times a constant.
    pub(crate) fn times(self, factor: f64) -> Spread {
        let square = factor * factor;
        Spread { variance: self.variance * square, fourth: self.fourth * square * square }
    }

    /// The Laplace part's share of the variance.
    pub(crate) fn tail(self) -> f64 {
        if self.variance > 0.0 { (self.fourth.sqrt() / self.variance).min(1.0) } else { 0.0 }
    }
}

impl std::ops::Add for Spread {
    type Output = Spread;
    fn add(self, other: Spread) -> Spread {
        Spread { variance: self.variance + other.variance, fourth: self.fourth + other.fourth }
    }
}

impl std::iter::Sum for Spread {
    fn sum<I: Iterator<Item = Spread>>(parts: I) -> Spread {
        parts.fold(Spread::default(), std::ops::Add::add)
    }
}

/// Critical values by the Laplace part's share of the variance.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    normal: f64,
    factor: f64,
    table: Arc<[f64]>,
}

/// Steps of the table of critical values; between them they are interpolated, within 2e-4.
const STEPS: usize = 128;

/// Tables found before, by the bits of the normal critical value.
static FOUND: Mutex<BTreeMap<u64, Arc<[f64]>>> = Mutex::new(BTreeMap::new());

impl Cut {
    /// From the critical value of a normal law; `factor` multiplies all of them (Student t over normal).
    pub(super) fn of(normal: f64, factor: f64) -> Cut {
        let known = FOUND.lock().unwrap_or_else(PoisonError::into_inner).get(&normal.to_bits()).cloned();
        let table = known.unwrap_or_else(|| {
            let table: Arc<[f64]> = (0..=STEPS).map(|step| quantile(normal, step as f64 / STEPS as f64)).collect();
            FOUND.lock().unwrap_or_else(PoisonError::into_inner).insert(normal.to_bits(), table.clone());
            table
        });
        Cut { normal, factor, table }
    }

    /// The critical value at a Laplace part of this share.
    pub(super) fn at(&self, tail: f64) -> f64 {
        let position = tail.clamp(0.0, 1.0) * STEPS as f64;
        let step = (position as usize).min(STEPS - 1);
        let (low, high) = (self.table[step], self.table[step + 1]);
        (low + (position - step as f64) * (high - low)) * self.factor
    }

    /// The critical value that belongs to the spread it leads to: c = c(t(limit(c))). It varies little, so few rounds settle it.
    fn settle(&self, spread: impl Fn(f64) -> Spread) -> f64 {
        (0..ROUNDS).fold(self.normal * self.factor, |c, _| self.at(spread(c).tail()))
    }
}

const ROUNDS: usize = 4;

/// Upper tail of a standard normal law.
fn above(x: f64) -> f64 {
    0.5 * erfc(x * FRAC_1_SQRT_2)
}

/// P(X > x), x >= 0, for the sum of a normal variable of variance 1 - t and a Laplace variable of variance t (Reed 2006, The normal-Laplace
/// distribution). The share must not be below 0.0015: there the exponential overflows.
fn tail_above(x: f64, t: f64) -> f64 {
    let (sigma, scale) = ((1.0 - t).sqrt(), (t / 2.0).sqrt());
    if sigma == 0.0 {
        return 0.5 * (-x / scale).exp();
    }
    let (at, shift) = (x / sigma, sigma / scale);
    let left = (0.5 * shift * shift - x / scale).exp() * above(shift - at);
    let right = (0.5 * shift * shift + x / scale).exp() * above(shift + at);
    above(at) + 0.5 * (left - right)
}

/// The x that the sum exceeds as often as a normal variable exceeds z.
fn quantile(z: f64, t: f64) -> f64 {
    if t <= 0.0 {
        return z;
    }
    let wanted = above(z);
    let (mut low, mut high) = (0.0, 1.0);
    while tail_above(high, t) > wanted && high < 1e3 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if tail_above(middle, t) > wanted { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// A share of noisy counts; the denominator is positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisyShare {
    numerator: f64,
    denominator: f64,
    /// Draws of noise in the numerator, and in the rest of the denominator.
    draws: (f64, f64),
    noise: Noise,
}

impl NoisyShare {
    /// None when the noise has left no denominator.
    pub fn of(share: &Share, noise: &Noise) -> Option<NoisyShare> {
        let (a, d) = (share.numerator, share.denominator);
        let draws = (f64::from(a.draws), f64::from(d.draws.saturating_sub(a.draws)));
        let share = NoisyShare { numerator: a.n as f64, denominator: d.n as f64, draws, noise: *noise };
        (d.n > 0).then_some(share)
    }

    /// What is left of it without a part of its rows.
    pub(super) fn minus(&self, part: &NoisyShare) -> Option<NoisyShare> {
        let left = NoisyShare {
            numerator: self.numerator - part.numerator,
            denominator: self.denominator - part.denominator,
            draws: ((self.draws.0 - part.draws.0).max(0.0), (self.draws.1 - part.draws.1).max(0.0)),
            noise: self.noise,
        };
        (left.denominator > 0.0).then_some(left)
    }

    /// The numerator within 0 and the denominator.
    pub(super) fn within(&self) -> NoisyShare {
        NoisyShare { numerator: self.numerator.clamp(0.0, self.denominator), ..*self }
    }

    /// As released: below 0 or above 1 where noise has carried it.
    pub(super) fn point(&self) -> f64 {
        self.numerator / self.denominator
    }

    pub(super) fn n(&self) -> i64 {
        self.denominator as i64
    }

    /// Rows in the denominator and the draws of noise in that number.
    pub(super) fn rows(&self) -> (f64, f64) {
        (self.denominator, self.draws.0 + self.draws.1)
    }

    pub(super) fn noise(&self) -> &Noise {
        &self.noise
    }

    /// Independent rows, counted exactly, that would give the same error, at the share (a + 1) / (d + 2).
    pub(super) fn n_effective(&self) -> f64 {
        let p = (self.within().numerator + 1.0) / (self.denominator + 2.0);
        let rows = p * (1.0 - p) * self.denominator * self.denominator / self.residual(p).variance;
        rows.min(self.denominator)
    }

    /// The spread of the residual a - p d; beyond 0 and 1 that of the end.
    fn residual(&self, p: f64) -> Spread {
        let p = p.clamp(0.0, 1.0);
        let sampling = Spread::normal(self.noise.design_effect * self.denominator * p * (1.0 - p));
        sampling + self.noise.part(self.draws.0, 1.0 - p) + self.noise.part(self.draws.1, p)
    }

    /// The spread of the estimate when p is the true share.
    pub(super) fn spread(&self, p: f64) -> Spread {
        self.residual(p).times(1.0 / self.denominator)
    }

    /// The coefficients of L p^2 - 2 M p + K <= 0.
    fn quadratic(&self, c: f64) -> (f64, f64, f64) {
        let (a, d, c2) = (self.numerator, self.denominator, c * c);
        let (first, second) = (self.draws.0 * self.noise.variance, self.draws.1 * self.noise.variance);
        let rows = self.noise.design_effect * d;
        (d * d + c2 * (rows - first - second), a * d + c2 * (0.5 * rows - first), a * a - c2 * first)
    }

    /// True when the noise leaves both ends of the interval within reach.
    pub(super) fn is_bounded(&self, c: f64) -> bool {
        self.quadratic(c).0 > 0.0
    }

    /// The ends of the set; `sign` is -1 for the lower and 1 for the upper one.
    fn limit(&self, c: f64, sign: f64) -> f64 {
        let (a, d) = (self.numerator, self.denominator);
        let reach = |p: f64| sign * c * self.residual(p).variance.sqrt();
        if a + reach(0.0) < 0.0 {
            return (a + reach(0.0)) / d;
        }
        if a + reach(1.0) > d {
            return (a + reach(1.0)) / d;
        }
        let (square, middle, rest) = self.quadratic(c);
        if square <= 0.0 {
            return sign * f64::INFINITY;
        }
        (middle + sign * (middle * middle - square * rest).max(0.0).sqrt()) / square
    }

    /// The greatest width an interval can have at this denominator, ends not cut off. It depends on the number of rows and not on the
    /// outcome: what is shown must not be chosen by what it says.
    pub(super) fn width_max(&self, cut: &Cut) -> f64 {
        if !self.is_bounded(cut.at(0.0).max(cut.at(1.0))) {
            return f64::INFINITY;
        }
        let width = |numerator: f64| {
            let share = NoisyShare { numerator, ..*self };
            let c = cut.at(share.residual(share.point()).tail());
            share.limit(c, 1.0) - share.limit(c, -1.0)
        };
        [0.0, 0.5, 1.0].into_iter().map(|share| width(share * self.denominator)).fold(0.0, f64::max)
    }

    /// The interval of the share. The numerator is taken within its range: an estimate below 0 has the interval of 0, never a narrower one.
    pub(super) fn interval(&self, cut: &Cut) -> (f64, f64) {
        let share = self.within();
        let end = |sign: f64| share.limit(cut.settle(|c| share.residual(share.limit(c, sign))), sign);
        (end(-1.0).clamp(0.0, 1.0), end(1.0).clamp(0.0, 1.0))
    }
}

/// Newcombe's hybrid of the limits of two noisy shares; the critical value is that of the difference.
pub(super) fn difference(a: &NoisyShare, b: &NoisyShare, cut: &Cut) -> (f64, f64) {
    let (p, q) = (a.point(), b.point());
    let end = |sign: f64| {
        let ends = |c: f64| (a.limit(c, sign), b.limit(c, -sign));
        let spread = |c: f64| {
            let (x, y) = ends(c);
            a.spread(x) + b.spread(y)
        };
        let (x, y) = ends(cut.settle(spread));
        // A difference that noise has carried beyond 1 has the interval of 1, never a narrower one.
        ((p - q).clamp(-1.0, 1.0) + sign * (x - p).hypot(y - q)).clamp(-1.0, 1.0)
    };
    (end(-1.0), end(1.0))
}

/// Donner and Zou's MOVER-R of two noisy shares, the second positive; infinite where the second may be zero.
pub(super) fn ratio(a: &NoisyShare, b: &NoisyShare, cut: &Cut) -> (f64, f64) {
    let (a, b) = (a.within(), b.within());
    let (p, q) = (a.point(), b.point());
    // The contrast is p - R q.
    let weight = if q > 0.0 { p / q } else { 0.0 };
    let end = |sign: f64| {
        let ends = |c: f64| (a.limit(c, sign), b.limit(c, -sign));
        let spread = |c: f64| {
            let (x, y) = ends(c);
            a.spread(x) + b.spread(y).times(weight)
        };
        let (x, y) = ends(cut.settle(spread));
        let root = ((p * q).powi(2) - x * y * (2.0 * p - x) * (2.0 * q - y)).max(0.0).sqrt();
        match sign < 0.0 {
            true if x > 0.0 => (x * (2.0 * p - x) / (p * q + root)).max(0.0),
            true => 0.0,
            false if y > 0.0 => (p * q + root) / (y * (2.0 * q - y)),
            false => f64::INFINITY,
        }
    };
    (end(-1.0), end(1.0))
}

#[cfg(test)]
mod tests;
