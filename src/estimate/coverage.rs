//! How often an interval holds the true value, computed from the probabilities of all outcomes and not simulated.
//!
//! Of one share every number of successes is an outcome, of two shares every pair. An interval is computed once for each outcome; for each
//! true value the probabilities of the outcomes whose interval holds it are added.

use super::probability::binomial;
use super::{Measured, Sample, contrast};
use crate::metric::{Against, Comparison};

/// True shares on a grid: 0.02, 0.04, ..., 0.98.
pub fn truths() -> impl Iterator<Item = f64> {
    (1..50).map(|i| f64::from(i) / 50.0)
}

/// Fewest successes and failures that are expected where coverage is held to a minimum.
pub const EXPECTED_MIN: f64 = 5.0;

/// True when so many successes and failures are expected.
pub fn is_expected(p: f64, n: u32) -> bool {
    f64::from(n) * p.min(1.0 - p) >= EXPECTED_MIN - 1e-9
}

/// Coverages at many true values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    pub points: u32,
    pub mean: f64,
    pub least: f64,
}

impl Coverage {
    /// None of no values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Coverage> {
        let (mut points, mut sum, mut least) = (0, 0.0, f64::INFINITY);
        for value in values {
            (points, sum, least) = (points + 1, sum + value, least.min(value));
        }
        (points > 0).then(|| Coverage { points, mean: sum / f64::from(points), least })
    }
}

/// An interval for x successes in n rows.
pub type OfShare<'a> = &'a dyn Fn((i64, i64)) -> (f64, f64);

/// An interval for two counts; none where the table has none, which covers nothing and is left out of the probabilities.
pub type OfPair<'a> = &'a dyn Fn((i64, i64), (i64, i64)) -> Option<(f64, f64)>;

/// Rounding in an interval's end is no miss.
const SLACK: f64 = 1e-11;

fn holds((lower, upper): (f64, f64), truth: f64) -> bool {
    let slack = SLACK * truth.abs().max(1.0);
    lower <= truth + slack && truth <= upper + slack
}

/// Probability that the interval of a share of n rows holds the truth, at each of these.
pub fn of_share(n: u32, truths: &[f64], interval: OfShare) -> Vec<f64> {
    let intervals: Vec<(f64, f64)> = (0..=n).map(|x| interval((i64::from(x), i64::from(n)))).collect();
    let covered = |&p: &f64| {
        let outcomes = binomial(n, p).into_iter().zip(&intervals);
        outcomes.filter(|(_, interval)| holds(**interval, p)).map(|(probability, _)| probability).sum()
    };
    truths.iter().map(covered).collect()
}

/// Outcomes rarer than this are not visited.
const RARE: f64 = 1e-12;

/// Probability that the interval of a comparison of shares of m and n rows holds the truth, at each pair of true shares. Outcomes without an
/// interval are left out, and the rest taken for all.
pub fn of_pair(
    (m, n): (u32, u32),
    truths: &[(f64, f64)],
    compare: impl Fn(f64, f64) -> f64,
    interval: OfPair,
) -> Vec<f64> {
    let wide = n as usize + 1;
    let pairs = (0..=m).flat_map(|x| (0..=n).map(move |y| (x, y)));
    let intervals: Vec<Option<(f64, f64)>> =
        pairs.map(|(x, y)| interval((x.into(), m.into()), (y.into(), n.into()))).collect();
    let covered = |&(p, q): &(f64, f64)| {
        let truth = compare(p, q);
        let (first, second) = (binomial(m, p), binomial(n, q));
        let (mut covered, mut all) = (0.0, 0.0);
        for (x, px) in first.iter().enumerate().filter(|(_, px)| **px > RARE) {
            for (y, py) in second.iter().enumerate().filter(|(_, py)| **py > RARE) {
                let Some(Some(interval)) = intervals.get(x * wide + y) else { continue };
                all += px * py;
                covered += if holds(*interval, truth) { px * py } else { 0.0 };
            }
        }
        covered / all
    };
    truths.iter().map(covered).collect()
}

/// What an interval covers over many truths, apart for those with enough expected successes and failures.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub interval: &'static str,
    pub rows: String,
    /// At least [`EXPECTED_MIN`] of each are expected, in both cohorts.
    pub expected: Option<Coverage>,
    pub fewer: Option<Coverage>,
}

/// Bounds at a confidence of 95 %: of the mean where enough are expected, of the least everywhere.
pub const MEAN: std::ops::RangeInclusive<f64> = 0.94..=0.965;
pub const LEAST: f64 = 0.92;

impl Line {
    fn of(interval: &'static str, rows: String, values: &[(bool, f64)]) -> Line {
        let part = |enough: bool| Coverage::of(values.iter().filter(|(is, _)| *is == enough).map(|(_, value)| *value));
        Line { interval, rows, expected: part(true), fewer: part(false) }
    }

    /// True when the bounds are kept.
    pub fn holds(&self) -> bool {
        let least = |coverage: Coverage| coverage.least >= LEAST;
        self.expected.is_none_or(|coverage| MEAN.contains(&coverage.mean) && least(coverage))
            && self.fewer.is_none_or(least)
    }

    /// A row of a Markdown table.
    pub fn text(&self) -> String {
        let part = |of: Option<Coverage>| match of {
            Some(Coverage { points, mean, least }) => format!("{points} | {mean:.4} | {least:.4}"),
            None => "0 | | ".into(),
        };
        format!("| {} | {} | {} | {} |", self.interval, self.rows, part(self.expected), part(self.fewer))
    }
}

/// Heading of the table of lines.
pub const HEADING: &str = "| interval | rows | truths, 5 expected | mean | least | truths, fewer | mean | least |\n|---|---|---|---|---|---|---|---|";

/// The interval that is used for a share, exactly, at these numbers of rows.
pub fn shares(rows: &[u32], confidence: f64) -> Vec<Line> {
    let truths: Vec<f64> = truths().collect();
    let interval = |(x, n): (i64, i64)| ends(&rows_of((x, n)).measure(confidence)).unwrap_or((0.0, 1.0));
    let line = |&n: &u32| {
        let covered = of_share(n, &truths, &interval).into_iter().zip(&truths);
        let values: Vec<(bool, f64)> = covered.map(|(covered, &p)| (is_expected(p, n), covered)).collect();
        Line::of("share", n.to_string(), &values)
    };
    rows.iter().map(line).collect()
}

/// The intervals that are used for a difference and a ratio with a reference, exactly, at these numbers of rows and every pair of these truths.
pub fn comparisons(rows: &[(u32, u32)], truths: &[f64], confidence: f64) -> Vec<Line> {
    let pairs: Vec<(f64, f64)> = truths.iter().flat_map(|&p| truths.iter().map(move |&q| (p, q))).collect();
    let line = |&(m, n): &(u32, u32), comparison: Comparison, name: &'static str| {
        let interval = |a: (i64, i64), b: (i64, i64)| {
            let two = [rows_of(a), rows_of(b)];
            let compared = contrast(comparison, Against::Reference, &two, &two[1], Some(1), confidence);
            compared.first().and_then(|compared| ends(&compared.measured))
        };
        let of = |p: f64, q: f64| if comparison == Comparison::Ratio { p / q } else { p - q };
        let covered = of_pair((m, n), &pairs, of, &interval).into_iter().zip(&pairs);
        let enough = |&(p, q): &(f64, f64)| is_expected(p, m) && is_expected(q, n);
        let values: Vec<(bool, f64)> = covered.map(|(covered, pair)| (enough(pair), covered)).collect();
        Line::of(name, format!("{m} and {n}"), &values)
    };
    let both = |rows| [line(rows, Comparison::Difference, "difference"), line(rows, Comparison::Ratio, "ratio")];
    rows.iter().flat_map(both).collect()
}

fn rows_of((x, n): (i64, i64)) -> Sample {
    Sample::Rows { p: x as f64 / n as f64, n }
}

/// An end that is not there is infinite.
fn ends(measured: &Measured) -> Option<(f64, f64)> {
    let interval = measured.estimate()?.interval;
    Some((interval.lower.unwrap_or(f64::NEG_INFINITY), interval.upper.unwrap_or(f64::INFINITY)))
}
