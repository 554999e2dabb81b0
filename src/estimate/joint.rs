//! Several estimates in one figure: the greatest of two differences, their mean, how far two distributions are apart.
//!
//! Each of the m estimates has its interval at the confidence 1 - (1 - confidence) / m, so all of them hold at once with at least the
//! confidence (Bonferroni), whatever depends on what. The figure's interval is the range of its values while every estimate is within its own.
//! It holds for a figure that was picked by looking at the data, and at equality, where percentiles of a maximum never reach 0. It is
//! conservative. A figure with an undefined part is undefined: `max(0, NaN)` is not 0.

use super::{Basis, Estimate, Interval, Measured, Method, Support, Why};

/// How estimates become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// The greatest absolute value of the differences.
    Greatest,
    /// The mean of the absolute values of the differences.
    Mean,
    /// The least of the ratios, each or its reciprocal, whichever is not above 1.
    Least,
    /// The mean of the same.
    MeanRatio,
    /// (r - 1) / (r + 1) of a ratio r of sizes.
    Imbalance,
    /// (1 - r) / (1 + r) of a ratio r of sizes that is not above 1.
    ImbalanceOfPair,
    /// Kullback-Leibler divergence of the first share from the second, as distributions over two values: sum of p ln(p / q).
    Divergence,
    /// The greatest divergence of any share from any other.
    GreatestDivergence,
}

/// The estimates behind a figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Joint {
    parts: Vec<Estimate>,
    join: Join,
}

/// Joins estimates; undefined when one of them is, or when there is none.
pub fn join(parts: &[Measured], join: Join, confidence: f64) -> Measured {
    let mut estimates = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Measured::Estimated(estimate) => estimates.push(estimate.clone()),
            Measured::Undefined { why } => return Measured::Undefined { why: *why },
            Measured::Suppressed => return Measured::Suppressed,
        }
    }
    let points: Vec<(f64, f64)> = estimates.iter().map(|estimate| (estimate.point, estimate.point)).collect();
    let (point, _) = join.range(&points);
    if estimates.is_empty() || !point.is_finite() {
        return Measured::Undefined { why: Why::RatioToZero };
    }
    let least = |of: fn(&Support) -> f64| estimates.iter().map(|part| of(&part.support)).fold(f64::INFINITY, f64::min);
    let support = Support {
        n: estimates.iter().map(|part| part.support.n).min().unwrap_or(0),
        n_effective: least(|support| support.n_effective),
    };
    let joint = Joint { parts: estimates, join };
    let interval = joint.interval(confidence, point);
    let basis = Basis::Joint(Box::new(joint));
    Measured::Estimated(Estimate { point, interval, confidence, support, method: Method::Joint, basis })
}

impl Joint {
    pub(super) fn interval(&self, confidence: f64, point: f64) -> Interval {
        let each = 1.0 - (1.0 - confidence) / self.parts.len().max(1) as f64;
        let ends = |part: &Estimate| {
            let Interval { lower, upper } = part.at(each).interval;
            (lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY))
        };
        let (lower, upper) = self.join.range(&self.parts.iter().map(ends).collect::<Vec<_>>());
        Interval::new(lower.min(point), upper.max(point))
    }
}

impl Join {
    /// Least and greatest value of the figure while each part is within its ends.
    fn range(self, ends: &[(f64, f64)]) -> (f64, f64) {
        let all = |fold: fn((f64, f64)) -> (f64, f64)| ends.iter().copied().map(fold).collect::<Vec<_>>();
        let first = || ends.first().copied().unwrap_or((f64::NAN, f64::NAN));
        let imbalance = |r: f64| if r.is_finite() { (r - 1.0) / (r + 1.0) } else { 1.0 };
        match self {
            Join::Greatest => extreme(&all(distance), f64::max, 0.0),
            Join::Least => extreme(&all(likeness), f64::min, 1.0),
            Join::Mean => mean(&all(distance)),
            Join::MeanRatio => mean(&all(likeness)),
            Join::Imbalance => (imbalance(first().0.max(0.0)), imbalance(first().1)),
            Join::ImbalanceOfPair => ((-imbalance(first().1)).max(0.0), -imbalance(first().0.max(0.0))),
            Join::Divergence => match ends {
                [p, q] => divergence(*p, *q),
                _ => (f64::NAN, f64::NAN),
            },
            Join::GreatestDivergence => {
                let others = |i: usize| ends.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, q)| *q);
                let pairs = ends.iter().enumerate().flat_map(|(i, p)| others(i).map(|q| divergence(*p, q)));
                extreme(&pairs.collect::<Vec<_>>(), f64::max, 0.0)
            }
        }
    }
}

fn extreme(ends: &[(f64, f64)], of: fn(f64, f64) -> f64, start: f64) -> (f64, f64) {
    ends.iter().fold((start, start), |(lower, upper), (a, b)| (of(lower, *a), of(upper, *b)))
}

fn mean(ends: &[(f64, f64)]) -> (f64, f64) {
    let n = ends.len() as f64;
    (ends.iter().map(|end| end.0).sum::<f64>() / n, ends.iter().map(|end| end.1).sum::<f64>() / n)
}

/// |d| for d within two ends.
fn distance((lower, upper): (f64, f64)) -> (f64, f64) {
    (lower.max(-upper).max(0.0), upper.max(-lower))
}

/// The lesser of r and 1/r for r within two ends, not negative.
fn likeness((lower, upper): (f64, f64)) -> (f64, f64) {
    let (lower, upper) = (lower.max(0.0), upper.max(0.0));
    let least = if upper > 0.0 { lower.min(1.0 / upper) } else { 0.0 };
    let greatest = if lower > 1.0 { 1.0 / lower } else { upper.min(1.0) };
    (least, greatest)
}

/// The divergence is convex in both shares, 0 where they are equal: its least value is at the nearest ends, its greatest at a corner.
fn divergence((l, u): (f64, f64), (m, v): (f64, f64)) -> (f64, f64) {
    let [l, u, m, v] = [l, u, m, v].map(|end| end.clamp(0.0, 1.0));
    let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    let of = |p: f64, q: f64| (term(p, q) + term(1.0 - p, 1.0 - q)).max(0.0);
    let least = match () {
        () if u < m => of(u, m),
        () if v < l => of(l, v),
        () => 0.0,
    };
    let corners = [of(l, m), of(l, v), of(u, m), of(u, v)];
    (least, corners.into_iter().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests;
