//! A cohort compared with everyone, who contains it.
//!
//! With f the cohort's share of the rows, p - p(all) = (1 - f) (p - p(rest)) and p / p(all) = r / (f r + 1 - f) with r = p / p(rest). Both
//! rise with p - p(rest) and r, so the ends carry over. With noise f has an error of its own, which widens the interval.

use super::{Critical, Pair, Pairs, Source, finish, method, pair, point, proportion, ready, support, within};
use crate::estimate::noise::{Noise, NoisyShare};
use crate::estimate::{Figure, Interval, Measured, Method, Sample, Why, normal};
use crate::metric::Comparison;

pub(super) fn against_everyone(
    comparison: Comparison,
    cohort: &Sample,
    everyone: &Sample,
    confidence: f64,
) -> Measured {
    match (cohort, everyone) {
        (Sample::Buckets { .. }, Sample::Buckets { .. }) => {
            pair(comparison, cohort, everyone, Critical::Normal, confidence)
        }
        _ => match rest(cohort, everyone, confidence) {
            Err(why) => Measured::Undefined { why },
            Ok((rest, part)) => against_rest(comparison, cohort, everyone, &rest, part, confidence),
        },
    }
}

/// The cohort's share of everyone, with the standard error that noise gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    share: f64,
    pub(super) se: f64,
}

impl Part {
    /// The share n / (n + m) of numbers of rows with these draws of noise, by the delta method.
    fn noisy((n, draws): (f64, f64), (m, others): (f64, f64), noise: &Noise) -> Part {
        let all = n + m;
        let variance = noise.part(draws, m).variance + noise.part(others, n).variance;
        Part { share: n / all, se: variance.sqrt() / (all * all) }
    }

    /// From the difference from the rest, or the ratio to it, to that of everyone.
    pub(super) fn carry(self, comparison: Comparison, of_rest: f64) -> f64 {
        match comparison {
            Comparison::Difference => of_rest * (1.0 - self.share),
            Comparison::Ratio if of_rest.is_finite() => of_rest / (self.share * of_rest + 1.0 - self.share),
            Comparison::Ratio => 1.0 / self.share,
        }
    }

    /// How far the error of the share moves a value that has been carried over.
    fn error(self, comparison: Comparison, of_rest: f64) -> f64 {
        let slope = match comparison {
            Comparison::Difference => of_rest,
            Comparison::Ratio => of_rest * (of_rest - 1.0) / (self.share * of_rest + 1.0 - self.share).powi(2),
        };
        if slope.is_finite() { slope.abs() * self.se } else { 0.0 }
    }

    /// An interval that was carried over, with the error of the share itself: the two errors are taken as independent (root of the sum of
    /// squares).
    pub(super) fn widen(self, comparison: Comparison, pair: &Pair, (lower, upper): (f64, f64), z: f64) -> Interval {
        let of_rest = pair.noisy_point(comparison);
        let (value, error) = (self.carry(comparison, of_rest), z * self.error(comparison, of_rest));
        let (lower, upper) = (value - (value - lower).hypot(error), value + (upper - value).hypot(error));
        match comparison {
            Comparison::Difference => Interval::new(lower, upper),
            Comparison::Ratio => Interval::new(lower.max(0.0), upper),
        }
    }
}

fn against_rest(
    comparison: Comparison,
    cohort: &Sample,
    everyone: &Sample,
    rest: &Sample,
    part: Part,
    confidence: f64,
) -> Measured {
    if comparison == Comparison::Ratio && within(everyone) == 0.0 {
        return Measured::Undefined { why: Why::RatioToZero };
    }
    // With noise in it the point too comes from the rest, so that it is kept within its range as the interval is.
    let value = match (rest, comparison) {
        (Sample::Noisy(_), _) => part.carry(comparison, point(comparison, cohort, rest)),
        _ => point(comparison, cohort, everyone),
    };
    match ready(comparison, cohort, rest) {
        // The rest is all zero and the cohort is not: the ratio to everyone is at its greatest, 1 / f.
        Err(Why::RatioToZero) => {
            let (a, b) = (proportion(cohort, cohort.point().unwrap_or_default()), proportion(rest, 0.0));
            let (one, method) = match (cohort, rest) {
                (Sample::Noisy(a), Sample::Noisy(b)) => (Pair::Noisy { a: *a, b: *b }, Method::NoisyMoverR),
                (Sample::Figure(_), _) => return Measured::Undefined { why: Why::RatioToZero },
                _ if a.is_few() || b.is_few() => (Pair::Shares { a, b }, Method::MoverRExact),
                _ => (Pair::Shares { a, b }, Method::MoverR),
            };
            let (critical, df, part) = (Critical::Normal, None, Some(part));
            let pairs = Pairs { comparison, critical, df, source: Source::One(one), part };
            finish(value, support(cohort, rest), method, pairs, confidence)
        }
        Err(why) => Measured::Undefined { why },
        Ok((one, df)) => {
            let method = method(&one, comparison, Critical::Normal, cohort);
            let pairs =
                Pairs { comparison, critical: Critical::Normal, df, source: Source::One(one), part: Some(part) };
            finish(value, support(cohort, rest), method, pairs, confidence)
        }
    }
}

/// The rows of everyone outside the cohort, and the cohort's share of everyone.
fn rest(cohort: &Sample, everyone: &Sample, confidence: f64) -> Result<(Sample, Part), Why> {
    match (cohort, everyone) {
        (Sample::None(why), _) => Err(*why),
        (_, Sample::None(Why::NoiseExceedsCohort)) => Err(Why::NoiseExceedsCohort),
        (_, Sample::None(_)) => Err(Why::EmptyComparison),
        (Sample::Noisy(cohort), Sample::Noisy(everyone)) => {
            let known = |rest: &NoisyShare| rest.is_bounded(normal(confidence));
            let why = if cohort.noise().is_any() { Why::NoiseExceedsCohort } else { Why::EmptyComparison };
            let rest = everyone.minus(cohort).filter(known).ok_or(why)?;
            Ok((Sample::Noisy(rest), Part::noisy(cohort.rows(), rest.rows(), cohort.noise())))
        }
        (Sample::Figure(Figure { mean: Some(part), .. }), Sample::Figure(Figure { mean: Some(all), .. })) => {
            let left = all.minus(part);
            match left.sample(confidence) {
                Sample::None(why) => Err(why),
                rest => Ok((rest, Part::noisy((part.n, part.draws), (left.n, left.draws), &part.noise))),
            }
        }
        (Sample::Rows { p, n }, Sample::Rows { p: p_all, n: n_all }) => {
            let n_rest = n_all - n;
            if n_rest <= 0 {
                return Err(Why::EmptyComparison);
            }
            let count = (p_all * *n_all as f64).round() - (p * *n as f64).round();
            let part = Part { share: *n as f64 / *n_all as f64, se: 0.0 };
            Ok((Sample::Rows { p: (count / n_rest as f64).clamp(0.0, 1.0), n: n_rest }, part))
        }
        (
            Sample::Error { point, se, n, mean: true, .. },
            Sample::Error { point: m_all, se: se_all, n: n_all, mean: true, .. },
        ) => {
            let n_rest = n_all - n;
            if n_rest <= 1 {
                return Err(Why::EmptyComparison);
            }
            let (size, all, left) = (*n as f64, *n_all as f64, n_rest as f64);
            let squares = |mean: f64, se: f64, n: f64| se * se * n * (n - 1.0) + n * mean * mean;
            let mean = (all * m_all - size * point) / left;
            let spread = (squares(*m_all, *se_all, all) - squares(*point, *se, size) - left * mean * mean).max(0.0);
            Ok((Sample::mean(mean, (spread / (left - 1.0) / left).sqrt(), n_rest), Part { share: size / all, se: 0.0 }))
        }
        _ => Err(Why::NotAMixture),
    }
}
