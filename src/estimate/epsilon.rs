//! Differential fairness: how far apart the chances of an outcome are, in the worst case, on a logarithmic scale.
//!
//! epsilon = max over cohorts s, t and outcomes y of |ln P(y, s) - ln P(y, t)| (Foulds et al. 2020). The point is smoothed by a Dirichlet
//! prior of concentration 1 over the two declared outcomes, half a row each, also where a cohort shows one of them only.
//!
//! A maximum is biased upwards, so percentiles of a bootstrap never hold its value when cohorts are equal. The interval is that of all pairs
//! and both outcomes at once: every logarithm of a ratio has limits from the Wilson limits of its shares (MOVER), with the studentized range
//! of all cohorts in place of the normal quantile at half the error rate, one half for each outcome. Where all hold, the maximum is between
//! the greatest lower and the greatest upper limit. A cohort that shows one outcome only leaves the upper end unbounded. The difference of two
//! epsilons takes half of the error rate for each.

use super::proportion::wilson_limits;
use super::sample::Sample;
use super::{Basis, Estimate, Interval, Method, Support, normal, student, studentized_range};

/// For the section of methods.
pub(super) const METHOD: &str = "Logarithms of the ratios of all pairs of cohorts and both outcomes at once: limits from Wilson limits (MOVER), studentized range at half the error rate for each outcome.";

/// Half a row for each of the two outcomes.
const HALF: f64 = 0.5;

/// The cohorts of a set with the share of one outcome; of an amplification, decisions and labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Epsilon {
    of: Vec<Known>,
    minus: Option<Vec<Known>>,
    /// Student t with these degrees of freedom; normal without.
    df: Option<f64>,
}

/// What is known of one cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    smoothed: f64,
    p: f64,
    n_effective: f64,
}

fn known(samples: &[Sample]) -> Option<Vec<Known>> {
    let of = |sample: &Sample| {
        let (p, n) = (sample.point()?, sample.n() as f64);
        Some(Known { smoothed: (p * n + HALF) / (n + 2.0 * HALF), p, n_effective: sample.n_effective() })
    };
    let known: Vec<Known> = samples.iter().filter_map(of).collect();
    (known.len() > 1).then_some(known)
}

fn df(samples: &[Sample]) -> Option<f64> {
    let of = |sample: &Sample| match sample {
        Sample::Buckets { filled, .. } => Some((*filled - 1) as f64),
        _ => None,
    };
    samples.iter().filter_map(of).reduce(f64::min)
}

impl Epsilon {
    /// Shares of one outcome. None with fewer than two cohorts that have a value.
    pub fn of(samples: &[Sample]) -> Option<Epsilon> {
        Some(Epsilon { of: known(samples)?, minus: None, df: df(samples) })
    }

    /// The epsilon of some shares minus that of others.
    pub fn difference(of: &[Sample], minus: &[Sample]) -> Option<Epsilon> {
        let df = df(of).into_iter().chain(df(minus)).reduce(f64::min);
        Some(Epsilon { of: known(of)?, minus: Some(known(minus)?), df })
    }

    pub fn point(&self) -> f64 {
        point(&self.of) - self.minus.as_deref().map_or(0.0, point)
    }

    pub(super) fn interval(&self, confidence: f64) -> Interval {
        let half = 1.0 - (1.0 - confidence) / 2.0;
        let (lower, upper) = match &self.minus {
            None => limits(&self.of, confidence, self.df),
            Some(minus) => {
                let (of, minus) = (limits(&self.of, half, self.df), limits(minus, half, self.df));
                (of.0 - minus.1, of.1 - minus.0)
            }
        };
        Interval::new(lower, upper)
    }

    /// The value with its interval.
    pub fn estimate(self, support: Support, confidence: f64) -> Estimate {
        let (point, basis) = (self.point(), Basis::Epsilon(Box::new(self)));
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method: Method::SimultaneousLogRatios, basis }
    }
}

fn point(cohorts: &[Known]) -> f64 {
    let span = |of: &dyn Fn(f64) -> f64| {
        let logs = cohorts.iter().map(|known| of(known.smoothed).ln());
        logs.clone().fold(f64::NEG_INFINITY, f64::max) - logs.fold(f64::INFINITY, f64::min)
    };
    span(&|p| p).max(span(&|p| 1.0 - p))
}

/// Logarithms of a share and of its limits.
type Logs = (f64, f64, f64);

fn limits(cohorts: &[Known], confidence: f64, df: Option<f64>) -> (f64, f64) {
    let each = 1.0 - (1.0 - confidence) / 2.0;
    let z = studentized_range(each, cohorts.len()) / std::f64::consts::SQRT_2;
    let z = df.map_or(z, |df| z * student(each, df) / normal(each));
    let both = |known: &Known| {
        let (low, high) = wilson_limits(known.p, known.n_effective, z);
        let p = known.smoothed.clamp(low, high);
        let ones: Logs = (p.ln(), low.ln(), high.ln());
        let zeros: Logs = ((1.0 - p).ln(), (1.0 - high).ln(), (1.0 - low).ln());
        (ones, zeros)
    };
    let (ones, zeros): (Vec<Logs>, Vec<Logs>) = cohorts.iter().map(both).unzip();
    let (mut lower, mut upper) = (0.0f64, 0.0f64);
    for logs in [ones, zeros] {
        for (i, (p, p_low, p_high)) in logs.iter().enumerate() {
            for (q, q_low, q_high) in logs.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, other)| other) {
                lower = lower.max(p - q - (p - p_low).hypot(q_high - q));
                upper = upper.max(p - q + (p_high - p).hypot(q - q_low));
            }
        }
    }
    let point = point(cohorts);
    (lower.min(point), upper.max(point))
}

#[cfg(test)]
mod tests;
