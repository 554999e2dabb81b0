//! A number with what is known about its error: the point, the interval, the support.
//!
//! A value that cannot be computed is [`Measured::Undefined`] with a reason, one that must not be shown [`Measured::Suppressed`]; neither is
//! ever a zero. Every estimate keeps what its interval was made of, so a judge can ask for it [`at`](Estimate::at) another confidence.
//!
//! | what | interval | source |
//! |---|---|---|
//! | share of independent rows | Wilson score | Wilson 1927, JASA 22; Brown, Cai and DasGupta 2001 |
//! | share of fewer than 5 successes or failures | the outer limits of Wilson and Clopper-Pearson; in comparisons too | Clopper and Pearson 1934, Biometrika 26 |
//! | difference of two shares | hybrid score | Newcombe 1998, Statistics in Medicine 17, method 10 |
//! | ratio of two shares | MOVER-R on Wilson limits | Donner and Zou 2012, Statistical Methods in Medical Research 21 |
//! | worst pair, or against the highest | the same for all pairs at once | Tukey-Kramer; Hochberg and Tamhane 1987, chapter 3 |
//! | rows that share units or have weights | delete-a-bucket jackknife, Student t | Shao and Tu 1995; Korn and Graubard 1998 |
//! | figure of a confusion table | multinomial bootstrap of its cells, percentiles | Efron and Tibshirani 1993, chapter 13 |
//! | mean | Student t | |
//! | mean, quotient or odds of shares | from the Wilson limits of the shares | see `combination` |
//! | figure of several comparisons | each at its part of the error rate | see `joint` |
//! | share of counts with noise | score with noise variance | see `noise`; comparisons by the same hybrids |
//! | other figures of evidence with noise | delta method or bootstrap, with a term for the noise | see `figure` |

use serde::{Deserialize, Serialize};

mod basis;
mod between;
mod combination;
mod contrast;
pub mod coverage;
mod critical;
mod epsilon;
pub mod equality;
mod figure;
pub mod gap;
mod greatest;
mod joint;
pub mod limits;
mod method;
mod noise;
pub mod probability;
mod proportion;
mod sample;
pub mod stratified;

pub use between::{Between, Index};
pub use combination::{Combination, Combined};
pub use contrast::{Compared, contrast, difference_z};
pub use critical::{normal, student, student_p_two_sided, studentized_range};
pub use epsilon::Epsilon;
pub use figure::{Figure, Gaps, NoisyMean, is_known, within_width};
pub use greatest::Family;
pub use joint::{Join, join};
pub use method::Method;
pub use noise::{Noise, NoisyShare, Spread};
pub use proportion::{FEW, wilson};
pub use sample::{BUCKETS, Sample, bootstrap, bootstrap_with_halves, noisy_bootstrap};

use crate::statistic::Cell;
use basis::{Basis, percentiles, quantile, upper_quantile};
use greatest::binding;

/// Fewest buckets with rows for a jackknife.
pub const BUCKETS_MIN: usize = 20;

/// A share of rows: numerator out of denominator. The only place where 0/0 is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    pub numerator: Cell,
    pub denominator: Cell,
}

impl Share {
    /// By weights; none for an empty denominator.
    pub fn value(&self) -> Option<f64> {
        (self.denominator.w > 0).then(|| self.numerator.w as f64 / self.denominator.w as f64)
    }
}

impl std::ops::Sub for Share {
    type Output = Share;
    fn sub(self, other: Share) -> Share {
        Share { numerator: self.numerator - other.numerator, denominator: self.denominator - other.denominator }
    }
}

impl std::ops::Add for Share {
    type Output = Share;
    fn add(self, other: Share) -> Share {
        Share { numerator: self.numerator + other.numerator, denominator: self.denominator + other.denominator }
    }
}

/// A confidence interval. An end that is not there is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Interval {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl Interval {
    pub fn new(lower: f64, upper: f64) -> Interval {
        Interval { lower: lower.is_finite().then_some(lower), upper: upper.is_finite().then_some(upper) }
    }

    pub fn contains(&self, value: f64) -> bool {
        self.lower.is_none_or(|lower| lower <= value) && self.upper.is_none_or(|upper| value <= upper)
    }
}

/// How much data is behind an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Support {
    /// Rows in the denominator; of a comparison, in the smaller one.
    pub n: i64,
    /// Independent rows that would give the same error (Kish 1965 for weights; from the jackknife for units).
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub n_effective: f64,
}

/// A number, its interval and its support.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Estimate {
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub point: f64,
    pub interval: Interval,
    pub confidence: f64,
    pub support: Support,
    pub method: Method,
    #[serde(skip)]
    basis: Basis,
}

impl Estimate {
    /// A distance d(F, G) of two cohorts that satisfies the triangle inequality, with the distances of bootstrap replicates (F*, G*) from
    /// (F, G): |d(F, G) - d(F0, G0)| is at most d of the difference, whose distribution they follow. The interval is the point plus and minus
    /// their quantile: it covers at least the confidence, at equality too, where percentiles of the distance itself never hold 0.
    pub fn distance(point: f64, mut deviations: Vec<f64>, upper: f64, support: Support, confidence: f64) -> Estimate {
        deviations.sort_by(f64::total_cmp);
        let basis = Basis::Deviations { sorted: deviations, pairs: vec![(point, 1.0)], upper };
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method: Method::Deviations, basis }
    }

    /// The greatest of the distances of several pairs of cohorts, each with its scale, and the replicates' greatest deviation of any pair in
    /// units of its scale. With the quantile q of those all distances are within q times their scale at once, and so is their greatest within
    /// the greatest lower and the greatest upper end.
    pub fn distances(
        pairs: &[(f64, f64)],
        mut deviations: Vec<f64>,
        upper: f64,
        support: Support,
        confidence: f64,
    ) -> Estimate {
        deviations.sort_by(f64::total_cmp);
        let point = pairs.iter().map(|(d, _)| *d).fold(0.0, f64::max);
        let basis = Basis::Deviations { sorted: deviations, pairs: binding(pairs), upper };
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method: Method::Deviations, basis }
    }

    /// The greatest of several figures, each with its standard error, all held at once; not below 0.
    pub fn greatest(
        figures: &[(f64, f64)],
        joint: Family,
        df: Option<f64>,
        upper: f64,
        support: Support,
        confidence: f64,
    ) -> Estimate {
        let point = figures.iter().map(|(d, _)| *d).fold(0.0, f64::max);
        let basis = Basis::Greatest { figures: binding(figures), joint, df, upper };
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method: Method::Simultaneous, basis }
    }

    /// A figure with a standard error within [lower, upper]; Student t with these degrees of freedom, normal without.
    pub fn with_error(
        point: f64,
        (se, df): (f64, Option<f64>),
        (lower, upper): (f64, f64),
        support: Support,
        method: Method,
        confidence: f64,
    ) -> Estimate {
        let basis = Basis::Error { se, df, lower, upper };
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method, basis }
    }

    /// A value that is known: of a cohort compared with itself.
    pub fn known(point: f64, support: Support, confidence: f64) -> Estimate {
        Estimate::with_error(point, (0.0, None), (point, point), support, Method::Joint, confidence)
    }

    /// The same estimate in another unit: times a positive number that is known.
    pub fn times(&self, factor: f64) -> Estimate {
        let basis = Basis::Scaled { basis: Box::new(self.basis.clone()), point: self.point, factor };
        let point = self.point * factor;
        let interval = basis.interval(self.confidence, point);
        Estimate { point, interval, basis, ..self.clone() }
    }

    /// The same estimate with an interval of another confidence.
    pub fn at(&self, confidence: f64) -> Estimate {
        let interval = self.basis.interval(confidence, self.point);
        Estimate { interval, confidence, ..self.clone() }
    }
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    EmptyDenominator,
    NoWeight,
    EmptyComparison,
    FewerThanTwoCohorts,
    TooManyCohorts,
    RatioToZero,
    RatioOfSigned,
    NoReference,
    OneClass,
    TooFewBuckets,
    BucketsDoNotVary,
    TooFewRows,
    NotAMixture,
    NoVariation,
    ScoreNoProbability,
    NoiseExceedsCohort,
    BiasedByNoise,
    BenefitOfZero,
}

impl Why {
    pub fn describe(self) -> &'static str {
        match self {
            Why::EmptyDenominator => "no row is in the denominator",
            Why::NoWeight => "the rows in the denominator have no weight",
            Why::EmptyComparison => "the cohort compared with has no row in its denominator",
            Why::FewerThanTwoCohorts => "fewer than two cohorts have a value",
            Why::TooManyCohorts => "more than 100 cohorts are compared: distances between so many are not resampled",
            Why::RatioToZero => "the value compared with is zero",
            Why::RatioOfSigned => "a ratio of values that may be negative has no meaning",
            Why::NoReference => "no reference level is declared for every attribute",
            Why::OneClass => "only one of the two labels occurs",
            Why::TooFewBuckets => "fewer than 20 buckets of units have rows",
            Why::BucketsDoNotVary => {
                "the value is the same without any one bucket of units: the buckets do not vary and give it no interval"
            }
            Why::TooFewRows => "fewer than two rows",
            Why::NotAMixture => "the value of everyone is no average of the cohorts' values",
            Why::NoVariation => "the target does not vary",
            Why::ScoreNoProbability => "a score is below 0 or above 1",
            Why::NoiseExceedsCohort => "the noise exceeds the cohort",
            Why::BenefitOfZero => "a benefit is zero and has no logarithm, or all are",
            Why::BiasedByNoise => "noise biases the values compared, by amounts that differ",
        }
    }
}

/// The outcome of measuring.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Measured {
    Estimated(Estimate),
    Undefined {
        why: Why,
    },
    /// Withheld: a count behind it is below the publication limit, or would disclose one that is.
    Suppressed,
}

impl Measured {
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            Measured::Estimated(estimate) => Some(estimate),
            Measured::Undefined { .. } | Measured::Suppressed => None,
        }
    }
}

#[cfg(test)]
mod tests;
