//! The limits of one share that intervals of shares and of their comparisons are made of.
//!
//! Wilson's, where at least [`FEW`] rows are successes and as many failures: computed over all outcomes they then cover between 92.7 % and
//! 97 % of the time at a confidence of 95 % (`tests/cases/coverage.md`). With fewer they can cover less. There the limits are the outer ones of
//! Wilson's and of the exact ones of Clopper and Pearson; what they cover is never less than either, so they are conservative. The rule looks
//! at the outcome; coverage was computed with it.

use super::Interval;
use super::limits::few;

/// Fewest successes and failures for the score interval alone.
pub const FEW: f64 = 5.0;

/// A share of rows, or of as many independent rows as would give the same error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Proportion {
    pub(super) p: f64,
    pub(super) n: f64,
    /// The rows were counted: p n is their number. Otherwise n is an effective number.
    pub(super) counted: bool,
}

/// A share with the limits of one critical value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limited {
    pub(super) p: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl Proportion {
    pub(super) fn counted(p: f64, n: i64) -> Proportion {
        Proportion { p, n: n as f64, counted: true }
    }

    pub(super) fn effective(p: f64, n: f64) -> Proportion {
        Proportion { p, n, counted: false }
    }

    /// True when exact limits are part of the interval.
    pub(super) fn is_few(&self) -> bool {
        let successes = (self.p * self.n).round();
        self.counted && successes.min(self.n - successes) < FEW
    }

    pub(super) fn limited(&self, z: f64) -> Limited {
        let (mut lower, mut upper) = wilson_limits(self.p, self.n, z);
        if self.is_few() {
            let (least, most) = few((self.p * self.n).round(), self.n, z);
            (lower, upper) = (lower.min(least), upper.max(most));
        }
        Limited { p: self.p, lower, upper }
    }

    pub(super) fn interval(&self, z: f64) -> Interval {
        let Limited { lower, upper, .. } = self.limited(z);
        Interval::new(lower, upper)
    }
}

/// Wilson score interval of a share p of n rows with the critical value z.
pub fn wilson(p: f64, n: f64, z: f64) -> Interval {
    let (lower, upper) = wilson_limits(p, n, z);
    Interval::new(lower, upper)
}

pub(super) fn wilson_limits(p: f64, n: f64, z: f64) -> (f64, f64) {
    let z2 = z * z;
    let centre = p + z2 / (2.0 * n);
    let half = z * ((p * (1.0 - p) + z2 / (4.0 * n)) / n).sqrt();
    let scale = 1.0 + z2 / n;
    let lower = if p <= 0.0 { 0.0 } else { ((centre - half) / scale).clamp(0.0, p) };
    let upper = if p >= 1.0 { 1.0 } else { ((centre + half) / scale).clamp(p, 1.0) };
    (lower, upper)
}

/// Newcombe 1998, method 10: d -/+ sqrt((p1 - l1)^2 + (u2 - p2)^2).
pub(super) fn newcombe(a: Limited, b: Limited) -> (f64, f64) {
    let d = a.p - b.p;
    let lower = d - ((a.p - a.lower).powi(2) + (b.upper - b.p).powi(2)).sqrt();
    let upper = d + ((a.upper - a.p).powi(2) + (b.p - b.lower).powi(2)).sqrt();
    (lower.max(-1.0), upper.min(1.0))
}

/// Donner and Zou 2012, equation 9, the lower end multiplied out so that nothing is divided by a difference that may vanish. The upper end is
/// infinite when the lower limit of the denominator is zero.
pub(super) fn mover_ratio(a: Limited, b: Limited) -> (f64, f64) {
    let (p1, p2) = (a.p, b.p);
    let root = |x: f64, y: f64| ((p1 * p2).powi(2) - x * y * (2.0 * p1 - x) * (2.0 * p2 - y)).max(0.0).sqrt();
    let lower = if a.lower > 0.0 { a.lower * (2.0 * p1 - a.lower) / (p1 * p2 + root(a.lower, b.upper)) } else { 0.0 };
    let upper = if b.lower > 0.0 {
        (p1 * p2 + root(a.upper, b.lower)) / (b.lower * (2.0 * p2 - b.lower))
    } else {
        f64::INFINITY
    };
    (lower, upper)
}
