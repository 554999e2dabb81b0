//! Figures made of one or two shares of rows: a mean, a difference, a quotient, odds.
//!
//! Their limits follow from those of the shares (`proportion`) at any critical value: square-and-add for a mean or a difference (MOVER; Zou and
//! Donner 2008, Statistics in Medicine 27), MOVER-R for a quotient (Donner and Zou 2012), and the limits themselves for odds, which rise with
//! the share. Two such figures are compared from their limits in the same way: the difference by square-and-add, the ratio by square-and-add
//! of the logarithms. Two parts of one total are not independent; given their sum the first is a binomial share of it, and the ratio is the
//! odds of that share.

use super::proportion::{Limited, Proportion, mover_ratio};
use super::{Share, Why};

/// A figure of shares of disjoint rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Combination {
    /// (a + b) / 2.
    Mean(Share, Share),
    /// a - b.
    Difference(Share, Share),
    /// a / b.
    Quotient(Share, Share),
    /// a / (1 - a).
    Odds(Share),
    /// A part of a total that is divided among all cohorts.
    Part(Share),
}

impl Combination {
    /// The value by weights.
    pub fn value(&self) -> Result<f64, Why> {
        let value = |share: &Share| share.value().ok_or(Why::EmptyDenominator);
        match self {
            Combination::Mean(a, b) => Ok((value(a)? + value(b)?) / 2.0),
            Combination::Difference(a, b) => Ok(value(a)? - value(b)?),
            Combination::Quotient(a, b) => divided(value(a)?, value(b)?),
            Combination::Odds(a) => {
                value(a)?;
                divided(a.numerator.w as f64, (a.denominator.w - a.numerator.w) as f64)
            }
            Combination::Part(a) => value(a),
        }
    }

    /// The rows behind the value: of two shares the fewer; of a part its own.
    pub fn n(&self) -> i64 {
        match self {
            Combination::Mean(a, b) | Combination::Difference(a, b) | Combination::Quotient(a, b) => {
                a.denominator.n.min(b.denominator.n)
            }
            Combination::Odds(a) => a.denominator.n,
            Combination::Part(a) => a.numerator.n,
        }
    }
}

fn divided(a: f64, b: f64) -> Result<f64, Why> {
    if b > 0.0 { Ok(a / b) } else { Err(Why::RatioToZero) }
}

fn odds(p: f64) -> f64 {
    if p < 1.0 { p / (1.0 - p) } else { f64::INFINITY }
}

/// A combination of shares of independent rows that has a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combined {
    pub point: f64,
    n: i64,
    kind: Kind,
    /// The shares and their rows. Of odds, and of a part, the second is not used.
    a: Proportion,
    b: Proportion,
    /// Rows of a part.
    count: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mean,
    Difference,
    Quotient,
    Odds,
    Part,
}

impl Combined {
    pub fn of(of: Combination) -> Result<Combined, Why> {
        let (kind, a, b) = match of {
            Combination::Mean(a, b) => (Kind::Mean, a, b),
            Combination::Difference(a, b) => (Kind::Difference, a, b),
            Combination::Quotient(a, b) => (Kind::Quotient, a, b),
            Combination::Odds(a) => (Kind::Odds, a, a),
            Combination::Part(a) => (Kind::Part, a, a),
        };
        let part = |share: Share| Proportion::counted(share.value().unwrap_or_default(), share.denominator.n);
        let count = a.numerator.n;
        Ok(Combined { point: of.value()?, n: of.n(), kind, a: part(a), b: part(b), count })
    }

    pub fn n(&self) -> i64 {
        self.n
    }

    /// Limits at a critical value.
    pub(super) fn limits(&self, z: f64) -> (f64, f64) {
        let Limited { p, lower, upper } = self.a.limited(z);
        let Limited { p: q, lower: l, upper: u } = self.b.limited(z);
        match self.kind {
            Kind::Mean => {
                let down = (p - lower).hypot(q - l) / 2.0;
                let up = (upper - p).hypot(u - q) / 2.0;
                ((self.point - down).max(0.0), (self.point + up).min(1.0))
            }
            Kind::Difference => {
                let (down, up) = ((p - lower).hypot(u - q), (upper - p).hypot(q - l));
                ((self.point - down).max(-1.0), (self.point + up).min(1.0))
            }
            Kind::Quotient => mover_ratio(self.a.limited(z), self.b.limited(z)),
            Kind::Odds => (odds(lower), odds(upper)),
            Kind::Part => (lower, upper),
        }
    }

    /// Limits of the difference of two independent figures.
    pub(super) fn difference(&self, other: &Combined, z: f64) -> (f64, f64) {
        let ((l, u), (m, v)) = (self.limits(z), other.limits(z));
        let d = self.point - other.point;
        (d - (self.point - l).hypot(v - other.point), d + (u - self.point).hypot(other.point - m))
    }

    /// Limits of the ratio of two positive figures, or of zero to a positive one.
    pub(super) fn ratio(&self, other: &Combined, z: f64) -> (f64, f64) {
        if (self.kind, other.kind) == (Kind::Part, Kind::Part) {
            let both = self.count + other.count;
            let Limited { lower, upper, .. } = Proportion::counted(self.count as f64 / both as f64, both).limited(z);
            return (odds(lower), odds(upper));
        }
        let ((l, u), (m, v)) = (self.limits(z), other.limits(z));
        if self.point <= 0.0 {
            let below = m * (2.0 * other.point - m);
            return (0.0, if below > 0.0 { u / below.sqrt() } else { f64::INFINITY });
        }
        let log = (self.point / other.point).ln();
        let (down, up) =
            ((self.point / l).ln().hypot((v / other.point).ln()), (u / self.point).ln().hypot((other.point / m).ln()));
        ((log - down).exp(), (log + up).exp())
    }
}
