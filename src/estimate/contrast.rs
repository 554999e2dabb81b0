//! Cohorts compared: differences and ratios, with intervals that hold for the pair that was picked.
//!
//! The worst pair is picked by looking at the data, and so is the highest cohort. Their intervals are therefore taken from intervals that
//! hold for all pairs at once, with the studentized range q(k) / sqrt(2) in place of the normal quantile. If every pairwise interval covers
//! (probability at least the confidence), the greatest difference lies between the greatest lower end and the greatest upper end.

mod everyone;

use super::critical::{normal, student, studentized_range};
use super::noise::{self, Cut, NoisyShare, Spread};
use super::proportion::{Limited, Proportion, mover_ratio, newcombe};
use super::sample::{Sample, jackknife_se};
use super::{Basis, Combined, Estimate, Interval, Measured, Method, Support, Why};
use crate::metric::{Against, Comparison};
use everyone::{Part, against_everyone};

/// One comparison: of which cohort, with which, and the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Position of the cohort; of the worst pair, the one of the smaller value.
    pub cohort: usize,
    /// Position of the other; none for everyone.
    pub with: Option<usize>,
    pub measured: Measured,
}

/// Compares cohorts. `everyone` is the value over all rows. `reference` is the position of the reference cohort.
///
/// Returns one result for the worst pair, else one for every cohort but the one compared with.
pub fn contrast(
    comparison: Comparison,
    against: Against,
    cohorts: &[Sample],
    everyone: &Sample,
    reference: Option<usize>,
    confidence: f64,
) -> Vec<Compared> {
    let valued: Vec<usize> = (0..cohorts.len()).filter(|&i| cohorts[i].point().is_some()).collect();
    let by_value =
        |a: &&usize, b: &&usize| cohorts[**a].point().unwrap_or(0.0).total_cmp(&cohorts[**b].point().unwrap_or(0.0));
    let highest = valued.iter().rev().max_by(by_value).copied();
    match against {
        Against::WorstPair => {
            let lowest = valued.iter().min_by(by_value).copied();
            match (lowest, highest, valued.len()) {
                (Some(lowest), Some(highest), 2..) => {
                    let lowest = if lowest == highest {
                        valued.iter().find(|&&i| i != highest).copied().unwrap_or(lowest)
                    } else {
                        lowest
                    };
                    let measured = worst_pair(comparison, cohorts, &valued, (lowest, highest), confidence);
                    vec![Compared { cohort: lowest, with: Some(highest), measured }]
                }
                _ => vec![Compared {
                    cohort: 0,
                    with: None,
                    measured: Measured::Undefined { why: Why::FewerThanTwoCohorts },
                }],
            }
        }
        Against::Highest => match highest {
            Some(highest) if valued.len() > 1 => each(cohorts.len(), Some(highest), |i| {
                pair(comparison, &cohorts[i], &cohorts[highest], Critical::Range(valued.len()), confidence)
            }),
            _ => each(cohorts.len(), None, |_| Measured::Undefined { why: Why::FewerThanTwoCohorts }),
        },
        Against::Reference => each(cohorts.len(), reference, |i| match reference {
            Some(reference) => pair(comparison, &cohorts[i], &cohorts[reference], Critical::Normal, confidence),
            None => Measured::Undefined { why: Why::NoReference },
        }),
        Against::Overall => {
            each(cohorts.len(), None, |i| against_everyone(comparison, &cohorts[i], everyone, confidence))
        }
    }
}

/// Difference of two values over its standard error, with the degrees of freedom of that; none where either has no value or no error.
pub fn difference_z(a: &Sample, b: &Sample) -> Option<(f64, Option<f64>)> {
    match ready(Comparison::Difference, a, b) {
        Ok((Pair::Error { value, se }, df)) if se > 0.0 => Some((value / se, df)),
        _ => None,
    }
}

fn each(cohorts: usize, with: Option<usize>, measure: impl Fn(usize) -> Measured) -> Vec<Compared> {
    (0..cohorts)
        .filter(|i| Some(*i) != with)
        .map(|cohort| Compared { cohort, with, measured: measure(cohort) })
        .collect()
}

/// Which critical value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Critical {
    /// Of one comparison fixed beforehand.
    Normal,
    /// Of all pairs of this many cohorts.
    Range(usize),
}

impl Critical {
    fn plain(self, confidence: f64) -> f64 {
        match self {
            Critical::Normal => normal(confidence),
            Critical::Range(k) => studentized_range(confidence, k) / std::f64::consts::SQRT_2,
        }
    }

    fn value(self, confidence: f64, df: Option<f64>) -> f64 {
        let z = self.plain(confidence);
        // The studentized range of finite df is taken as that of infinite df, scaled as t is to z. With 19 or more df it is within 2 %.
        df.map_or(z, |df| z * student(confidence, df) / normal(confidence))
    }

    /// Critical values under noise, each pair at the error rate it has without.
    fn cut(self, confidence: f64, df: Option<f64>) -> Cut {
        let factor = df.map_or(1.0, |df| student(confidence, df) / normal(confidence));
        Cut::of(self.plain(confidence), factor)
    }
}

/// Critical values of a comparison; those under noise are made when they are needed.
struct Values {
    z: f64,
    cut: Option<Cut>,
}

impl Values {
    /// The critical value of an error with this spread.
    fn at(&self, spread: Spread) -> f64 {
        self.cut.as_ref().map_or(self.z, |cut| cut.at(spread.tail()))
    }
}

/// Two cohorts, ready for an interval at any critical value.
#[derive(Debug, Clone, PartialEq)]
enum Pair {
    Shares {
        a: Proportion,
        b: Proportion,
    },
    /// Difference, or logarithm of the ratio, with its standard error.
    Error {
        value: f64,
        se: f64,
    },
    /// A ratio of zero to a positive value, with the standard error of the numerator over that value: it has no logarithm.
    Zero {
        se: f64,
    },
    Combined {
        a: Combined,
        b: Combined,
    },
    Noisy {
        a: NoisyShare,
        b: NoisyShare,
    },
    /// Difference, or logarithm of the ratio, of figures with noise.
    Spread {
        value: f64,
        spread: Spread,
    },
    /// A ratio of zero or less, which noise can lead to, to a positive value.
    NoisyZero {
        spread: Spread,
    },
}

/// What is compared. All pairs are formed when they are needed: a thousand cohorts have half a million.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    One(Pair),
    /// Greatest of the differences or least of the ratios of all ordered pairs of these cohorts.
    Worst(Vec<Sample>),
}

/// One comparison, or all pairs at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pairs {
    comparison: Comparison,
    critical: Critical,
    df: Option<f64>,
    source: Source,
    /// The cohort's share of everyone, when compared with everyone.
    part: Option<Part>,
}

impl Pairs {
    fn is_noisy(&self) -> bool {
        match &self.source {
            Source::One(pair) => {
                matches!(pair, Pair::Noisy { .. } | Pair::Spread { .. } | Pair::NoisyZero { .. })
            }
            Source::Worst(cohorts) => cohorts.iter().any(Sample::is_noisy),
        }
    }

    pub(super) fn interval(&self, confidence: f64) -> Interval {
        let cut = self.is_noisy().then(|| self.critical.cut(confidence, self.df));
        let values = &Values { z: self.critical.value(confidence, self.df), cut };
        let (lower, upper) = match &self.source {
            Source::One(pair) => pair.interval(self.comparison, values),
            Source::Worst(cohorts) => {
                let shares = limited(cohorts, values.z);
                let ends: Box<dyn Iterator<Item = (f64, f64)>> = match (&shares, self.comparison) {
                    (Some(shares), Comparison::Difference) => {
                        Box::new(ordered_pairs(shares, |share| share.p).map(|(a, b)| newcombe(*a, *b)))
                    }
                    (Some(shares), Comparison::Ratio) => {
                        let pairs = ordered_pairs(shares, |share| share.p).filter(|(_, b)| b.p != 0.0);
                        Box::new(pairs.map(|(a, b)| mover_ratio(*a, *b)))
                    }
                    (None, _) => {
                        let pairs =
                            ordered_pairs(cohorts, value).filter_map(|(a, b)| ready(self.comparison, a, b).ok());
                        Box::new(pairs.map(|(pair, _)| pair.interval(self.comparison, values)))
                    }
                };
                match self.comparison {
                    Comparison::Difference => ends
                        .fold((0.0f64, 0.0f64), |(lower, upper), (a, b)| (lower.max(a).max(-b), upper.max(b).max(-a))),
                    Comparison::Ratio => ends.fold((f64::INFINITY, 1.0f64), |(lower, upper), (a, b)| {
                        (lower.min(a).min(1.0 / b), upper.min(b).min(if a > 0.0 { 1.0 / a } else { f64::INFINITY }))
                    }),
                }
            }
        };
        let Some(part) = self.part else { return Interval::new(lower, upper) };
        let carried = (part.carry(self.comparison, lower), part.carry(self.comparison, upper));
        match &self.source {
            Source::One(pair) if part.se > 0.0 => part.widen(self.comparison, pair, carried, values.z),
            _ => Interval::new(carried.0, carried.1),
        }
    }
}

fn value(sample: &Sample) -> f64 {
    sample.point().unwrap_or(f64::NEG_INFINITY)
}

/// Every two, the one of the smaller value first: its ratio to the other is at most one, and defined unless both are zero.
fn ordered_pairs<'a, T>(all: &'a [T], value: impl Fn(&T) -> f64 + Copy + 'a) -> impl Iterator<Item = (&'a T, &'a T)> {
    let pair = move |a: &'a T, b: &'a T| if value(a) <= value(b) { (a, b) } else { (b, a) };
    all.iter().enumerate().flat_map(move |(at, a)| all[at + 1..].iter().map(move |b| pair(a, b)))
}

impl Pair {
    /// The point of a comparison of evidence with noise.
    fn noisy_point(&self, comparison: Comparison) -> f64 {
        match (self, comparison) {
            (Pair::Noisy { a, b }, Comparison::Difference) => (a.point() - b.point()).clamp(-1.0, 1.0),
            (Pair::Noisy { a, b }, Comparison::Ratio) => a.within().point() / b.within().point(),
            (Pair::Spread { value, .. }, Comparison::Difference) => *value,
            (Pair::Spread { value, .. }, Comparison::Ratio) => value.exp(),
            (Pair::Shares { .. } | Pair::Error { .. } | Pair::Zero { .. }, _) => 0.0,
            (Pair::Combined { .. } | Pair::NoisyZero { .. }, _) => 0.0,
        }
    }

    fn interval(&self, comparison: Comparison, values: &Values) -> (f64, f64) {
        let z = values.z;
        match (self, comparison) {
            (Pair::Shares { a, b }, Comparison::Difference) => newcombe(a.limited(z), b.limited(z)),
            (Pair::Shares { a, b }, Comparison::Ratio) => mover_ratio(a.limited(z), b.limited(z)),
            (Pair::Error { value, se }, Comparison::Difference) => (value - z * se, value + z * se),
            (Pair::Error { value, se }, Comparison::Ratio) => ((value - z * se).exp(), (value + z * se).exp()),
            (Pair::Zero { se }, _) => (0.0, z * se),
            (Pair::Combined { a, b }, Comparison::Difference) => a.difference(b, z),
            (Pair::Combined { a, b }, Comparison::Ratio) => a.ratio(b, z),
            (Pair::Noisy { a, b }, _) => match (&values.cut, comparison) {
                (None, Comparison::Difference) => (-1.0, 1.0),
                (None, Comparison::Ratio) => (0.0, f64::INFINITY),
                (Some(cut), Comparison::Difference) => noise::difference(a, b, cut),
                (Some(cut), Comparison::Ratio) => noise::ratio(a, b, cut),
            },
            (Pair::Spread { value, spread }, _) => {
                let half = values.at(*spread) * spread.variance.sqrt();
                match comparison {
                    Comparison::Difference => (value - half, value + half),
                    Comparison::Ratio => ((value - half).exp(), (value + half).exp()),
                }
            }
            (Pair::NoisyZero { spread }, _) => (0.0, values.at(*spread) * spread.variance.sqrt()),
        }
    }
}

/// Two samples as a pair; the degrees of freedom of the critical value with it.
fn ready(comparison: Comparison, a: &Sample, b: &Sample) -> Result<(Pair, Option<f64>), Why> {
    let (Some(x), Some(y)) = (a.point(), b.point()) else {
        return Err(match (a.point(), b) {
            (None, _) => a.why(),
            (_, Sample::None(Why::NoiseExceedsCohort)) => Why::NoiseExceedsCohort,
            _ => Why::EmptyComparison,
        });
    };
    if a.is_noisy() || b.is_noisy() {
        return noisy(comparison, a, b);
    }
    if comparison == Comparison::Ratio && y == 0.0 {
        return Err(Why::RatioToZero);
    }
    let shares = || Pair::Shares { a: proportion(a, x), b: proportion(b, y) };
    match (a, b) {
        (Sample::Rows { .. }, Sample::Rows { .. }) => Ok((shares(), None)),
        (Sample::Combined(a), Sample::Combined(b)) => Ok((Pair::Combined { a: *a, b: *b }, None)),
        (Sample::Buckets { left_out: u, filled: m, share, .. }, Sample::Buckets { left_out: v, filled: k, .. }) => {
            let df = Some(((*m).min(*k) - 1) as f64);
            let positive = |x: f64| x > 0.0;
            if comparison == Comparison::Ratio && !(positive(x) && u.iter().chain(v).copied().all(positive)) {
                return match (*share, x == 0.0 && positive(y)) {
                    (true, _) => Ok((shares(), df)),
                    (false, true) => Ok((Pair::Zero { se: jackknife_se(u, *m) / y }, df)),
                    (false, false) => Err(Why::RatioOfSigned),
                };
            }
            let of = |x: f64, y: f64| if comparison == Comparison::Ratio { (x / y).ln() } else { x - y };
            let deleted: Vec<f64> = u.iter().zip(v).map(|(&x, &y)| of(x, y)).collect();
            let se = jackknife_se(&deleted, (*m).max(*k));
            if se == 0.0 && *share {
                return Ok((shares(), df));
            }
            Ok((Pair::Error { value: of(x, y), se }, df))
        }
        _ => {
            let ((se_a, df_a), (se_b, df_b)) = (error_of(a), error_of(b));
            let df = df_a.zip(df_b).map(|(a, b)| a.min(b)).or(df_a).or(df_b);
            match comparison {
                Comparison::Difference => Ok((Pair::Error { value: x - y, se: se_a.hypot(se_b) }, df)),
                Comparison::Ratio if x > 0.0 && y > 0.0 => {
                    Ok((Pair::Error { value: (x / y).ln(), se: (se_a / x).hypot(se_b / y) }, df))
                }
                Comparison::Ratio if x == 0.0 && y > 0.0 => Ok((Pair::Zero { se: se_a / y }, df)),
                Comparison::Ratio => Err(Why::RatioOfSigned),
            }
        }
    }
}

/// A sample of this value as a share.
fn proportion(sample: &Sample, p: f64) -> Proportion {
    match sample {
        Sample::Rows { n, .. } => Proportion::counted(p, *n),
        other => Proportion::effective(p, other.n_effective()),
    }
}

/// Shares of rows with their limits, each computed once for all its pairs; none when one is no share of rows.
fn limited(cohorts: &[Sample], z: f64) -> Option<Vec<Limited>> {
    let of = |cohort: &Sample| match cohort {
        Sample::Rows { p, n } => Some(Proportion::counted(*p, *n).limited(z)),
        _ => None,
    };
    cohorts.iter().map(of).collect()
}

/// The value that a ratio is formed of: noise may have carried a share beyond 0 and 1.
fn within(sample: &Sample) -> f64 {
    match sample {
        Sample::Noisy(share) => share.within().point(),
        other => other.point().unwrap_or_default(),
    }
}

/// The same of evidence with noise.
fn noisy(comparison: Comparison, a: &Sample, b: &Sample) -> Result<(Pair, Option<f64>), Why> {
    if let (Sample::Noisy(a), Sample::Noisy(b)) = (a, b) {
        return match comparison {
            Comparison::Ratio if b.within().point() == 0.0 => Err(Why::RatioToZero),
            _ => Ok((Pair::Noisy { a: *a, b: *b }, None)),
        };
    }
    let (Sample::Figure(a), Sample::Figure(b)) = (a, b) else { return Err(Why::BiasedByNoise) };
    let (x, y, df) = (a.point, b.point, a.df.zip(b.df).map(|(a, b)| a.min(b)));
    match comparison {
        Comparison::Difference => Ok((Pair::Spread { value: x - y, spread: a.spread + b.spread }, df)),
        Comparison::Ratio if y == 0.0 => Err(Why::RatioToZero),
        Comparison::Ratio if y < 0.0 => Err(Why::RatioOfSigned),
        Comparison::Ratio if x <= 0.0 => Ok((Pair::NoisyZero { spread: a.spread.times(1.0 / y) }, df)),
        Comparison::Ratio => {
            let spread = a.spread.times(1.0 / x) + b.spread.times(1.0 / y);
            Ok((Pair::Spread { value: (x / y).ln(), spread }, df))
        }
    }
}

fn error_of(sample: &Sample) -> (f64, Option<f64>) {
    match sample {
        Sample::None(_) | Sample::Combined(_) | Sample::Noisy(_) | Sample::Figure(_) | Sample::Gaps(_) => (0.0, None),
        Sample::Rows { p, n } => ((p * (1.0 - p) / *n as f64).sqrt(), None),
        Sample::Error { se, df, .. } => (*se, *df),
        Sample::Buckets { left_out, filled, .. } => (jackknife_se(left_out, *filled), Some((*filled - 1) as f64)),
    }
}

fn method(pair: &Pair, comparison: Comparison, critical: Critical, sample: &Sample) -> Method {
    let one = critical == Critical::Normal;
    match (pair, sample, comparison) {
        (_, Sample::Buckets { .. }, _) if one => Method::Jackknife,
        (_, Sample::Buckets { .. }, _) => Method::SimultaneousJackknife,
        (Pair::Shares { a, b }, _, _) if a.is_few() || b.is_few() => match (comparison, one) {
            (Comparison::Difference, true) => Method::NewcombeExact,
            (Comparison::Difference, false) => Method::SimultaneousNewcombeExact,
            (Comparison::Ratio, true) => Method::MoverRExact,
            (Comparison::Ratio, false) => Method::SimultaneousMoverRExact,
        },
        (Pair::Shares { .. }, _, Comparison::Difference) if one => Method::Newcombe,
        (Pair::Shares { .. }, _, Comparison::Difference) => Method::SimultaneousNewcombe,
        (Pair::Shares { .. }, _, Comparison::Ratio) if one => Method::MoverR,
        (Pair::Shares { .. }, _, Comparison::Ratio) => Method::SimultaneousMoverR,
        (Pair::Combined { .. }, _, _) if one => Method::Mover,
        (Pair::Combined { .. }, _, _) => Method::SimultaneousMover,
        (Pair::Error { .. } | Pair::Zero { .. }, _, _) if one => Method::Student,
        (Pair::Error { .. } | Pair::Zero { .. }, _, _) => Method::Simultaneous,
        (Pair::Noisy { .. }, _, Comparison::Difference) if one => Method::NoisyNewcombe,
        (Pair::Noisy { .. }, _, Comparison::Difference) => Method::SimultaneousNoisyNewcombe,
        (Pair::Noisy { .. }, _, Comparison::Ratio) if one => Method::NoisyMoverR,
        (Pair::Noisy { .. }, _, Comparison::Ratio) => Method::SimultaneousNoisyMoverR,
        (Pair::Spread { .. } | Pair::NoisyZero { .. }, _, _) if one => Method::NoisyStudent,
        (Pair::Spread { .. } | Pair::NoisyZero { .. }, _, _) => Method::SimultaneousNoisy,
    }
}

fn support(a: &Sample, b: &Sample) -> Support {
    Support { n: a.n().min(b.n()), n_effective: a.n_effective().min(b.n_effective()) }
}

fn point(comparison: Comparison, a: &Sample, b: &Sample) -> f64 {
    let (x, y) = (a.point().unwrap_or_default(), b.point().unwrap_or_default());
    match comparison {
        Comparison::Difference if matches!((a, b), (Sample::Noisy(_), Sample::Noisy(_))) => (x - y).clamp(-1.0, 1.0),
        Comparison::Difference => x - y,
        Comparison::Ratio => within(a) / within(b),
    }
}

fn finish(point: f64, support: Support, method: Method, pairs: Pairs, confidence: f64) -> Measured {
    let interval = pairs.interval(confidence);
    Measured::Estimated(Estimate { point, interval, confidence, support, method, basis: Basis::Pairs(Box::new(pairs)) })
}

fn pair(comparison: Comparison, a: &Sample, b: &Sample, critical: Critical, confidence: f64) -> Measured {
    match ready(comparison, a, b) {
        Err(why) => Measured::Undefined { why },
        Ok((one, df)) => {
            let method = method(&one, comparison, critical, a);
            let pairs = Pairs { comparison, critical, df, source: Source::One(one), part: None };
            finish(point(comparison, a, b), support(a, b), method, pairs, confidence)
        }
    }
}

fn worst_pair(
    comparison: Comparison,
    cohorts: &[Sample],
    valued: &[usize],
    (lowest, highest): (usize, usize),
    confidence: f64,
) -> Measured {
    let critical = Critical::Range(valued.len());
    let (low, high) = (&cohorts[lowest], &cohorts[highest]);
    let chosen: Vec<Sample> = valued.iter().map(|&i| cohorts[i].without_replicates()).collect();
    let mut df: Option<f64> = None;
    for (a, b) in ordered_pairs(&chosen, value) {
        match ready(comparison, a, b) {
            Ok((_, pair_df)) => df = df.zip(pair_df).map(|(a, b)| a.min(b)).or(df).or(pair_df),
            // Two cohorts of zero have no ratio; the others have.
            Err(Why::RatioToZero) if within(high) != 0.0 => {}
            Err(why) => return Measured::Undefined { why },
        }
    }
    let value = match comparison {
        Comparison::Difference => point(comparison, high, low),
        Comparison::Ratio => point(comparison, low, high),
    };
    let method = match ready(comparison, low, high) {
        Ok((pair, _)) => method(&pair, comparison, critical, low),
        Err(why) => return Measured::Undefined { why },
    };
    let pairs = Pairs { comparison, critical, df, source: Source::Worst(chosen), part: None };
    finish(value, support(low, high), method, pairs, confidence)
}
