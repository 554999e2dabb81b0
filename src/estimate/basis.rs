//! What intervals are made of, so that they can be had at any confidence.

use super::between::Dispersion;
use super::contrast::Pairs;
use super::greatest::ends;
use super::joint::Joint;
use super::noise::Cut;
use super::proportion::Proportion;
use super::stratified::{self, Term};
use super::{Combined, Epsilon, Family, Figure, Gaps, Interval, NoisyShare, normal, student};

/// What an interval is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Basis {
    /// A share and the independent rows behind it; Student t with these degrees of freedom, normal without.
    Score {
        share: Proportion,
        df: Option<f64>,
    },
    /// Point and standard error, within bounds.
    Error {
        se: f64,
        df: Option<f64>,
        lower: f64,
        upper: f64,
    },
    /// Sorted replicates.
    Replicates(Vec<f64>),
    /// Sorted deviations of bootstrap replicates from what they are replicates of, in the distance that is measured; none for a distance
    /// that is known exactly.
    Deviations {
        sorted: Vec<f64>,
        /// Distances and their scales.
        pairs: Vec<(f64, f64)>,
        upper: f64,
    },
    /// Figures and their standard errors.
    Greatest {
        figures: Vec<(f64, f64)>,
        joint: Family,
        df: Option<f64>,
        upper: f64,
    },
    /// The limits of a combination of shares.
    Combined(Combined),
    /// Of this point, in another unit.
    Scaled {
        basis: Box<Basis>,
        point: f64,
        factor: f64,
    },
    Pairs(Box<Pairs>),
    Joint(Box<Joint>),
    Combination {
        terms: Vec<Term>,
        lower: f64,
        upper: f64,
    },
    Epsilon(Box<Epsilon>),
    Dispersion(Box<Dispersion>),
    NoisyShare(NoisyShare),
    NoisyFigure(Box<Figure>),
    Gaps(Gaps),
}

impl Basis {
    pub(super) fn interval(&self, confidence: f64, point: f64) -> Interval {
        match self {
            Basis::Score { share, df } => share.interval(quantile(confidence, *df)),
            Basis::Error { se, df, lower, upper } => {
                let half = quantile(confidence, *df) * se;
                Interval::new((point - half).max(*lower), (point + half).min(*upper))
            }
            Basis::Replicates(sorted) => {
                let (lower, upper) = percentiles(sorted, confidence);
                Interval::new(lower.min(point), upper.max(point))
            }
            Basis::Deviations { sorted, pairs, upper } => {
                let reach = upper_quantile(sorted, confidence);
                Interval::new(ends(pairs, -reach), ends(pairs, reach).min(*upper))
            }
            Basis::Greatest { figures, joint, df, upper } => {
                let reach = joint.critical(confidence, *df);
                Interval::new(ends(figures, -reach), ends(figures, reach).min(*upper))
            }
            Basis::Combined(combined) => {
                let (lower, upper) = combined.limits(normal(confidence));
                Interval::new(lower, upper)
            }
            Basis::Scaled { basis, point, factor } => {
                let inner = basis.interval(confidence, *point);
                Interval { lower: inner.lower.map(|end| end * factor), upper: inner.upper.map(|end| end * factor) }
            }
            Basis::Pairs(pairs) => pairs.interval(confidence),
            Basis::Joint(joint) => joint.interval(confidence, point),
            Basis::Combination { terms, lower, upper } => {
                let (low, high) = stratified::combination_limits(terms, normal(confidence));
                Interval::new(low.max(*lower), high.min(*upper))
            }
            Basis::Epsilon(epsilon) => epsilon.interval(confidence),
            Basis::Dispersion(dispersion) => dispersion.interval(confidence),
            Basis::NoisyShare(share) => {
                let (lower, upper) = share.interval(&Cut::of(normal(confidence), 1.0));
                Interval::new(lower, upper)
            }
            Basis::NoisyFigure(figure) => figure.interval(confidence),
            Basis::Gaps(gaps) => {
                let (lower, upper) = gaps.interval(confidence);
                Interval::new(lower, upper)
            }
        }
    }
}

/// The value that this share of the replicates does not exceed, rounded up to one of them; infinite where they are too few for the share.
pub(super) fn upper_quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * (sorted.len() + 1) as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
}

pub(super) fn quantile(confidence: f64, df: Option<f64>) -> f64 {
    match df {
        Some(df) => student(confidence, df),
        None => normal(confidence),
    }
}

/// Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996).
pub(super) fn percentiles(sorted: &[f64], confidence: f64) -> (f64, f64) {
    let at = |share: f64| {
        let position = share * (sorted.len() - 1) as f64;
        let (low, part) = (position.floor() as usize, position.fract());
        sorted[low] + part * (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low])
    };
    let tail = (1.0 - confidence) / 2.0;
    (at(tail), at(1.0 - tail))
}
