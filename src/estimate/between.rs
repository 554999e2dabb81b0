//! Inequality between cohorts: indices of the cohorts' means, with intervals that hold at equality too.
//!
//! With shares s of the rows and v = mean of a cohort / mean of all - 1, the coefficient of variation between cohorts is the length of v,
//! |v| = sqrt(sum of s v^2). By the triangle inequality ||v| - |v0|| is at most |v - v0|, whose distribution bootstrap replicates |v* - v|
//! follow: the interval is the point plus and minus their quantile. It covers at least the confidence; percentiles of |v*| never hold 0.
//! The generalised entropy (alpha 2) is |v|^2 / 2, which is monotone. The Theil index is increasing in the length along the direction of v;
//! its interval is that of the length along the direction observed, exact to the second order in v.

use super::{Basis, Estimate, Interval, Method, Support, upper_quantile};

/// For the section of methods.
pub(super) const METHOD: &str = "Index of the cohorts' means: point plus and minus a quantile of how far bootstrap replicates of the means are from them, in the norm the index is made of (triangle inequality; holds at equality too).";

/// Which index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    Entropy,
    Theil,
    Variation,
}

/// Shares of the rows and relative deviations of the means, one for each cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    cohorts: Vec<(f64, f64)>,
}

/// An index and sorted deviations of replicates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dispersion {
    between: Between,
    index: Index,
    sorted: Vec<f64>,
}

/// Means relative to the mean of all, minus 1.
fn relative(cohorts: &[(f64, f64)]) -> Option<Vec<f64>> {
    let weight: f64 = cohorts.iter().map(|(_, weight)| weight).sum();
    let mean = cohorts.iter().map(|(mean, weight)| mean * weight).sum::<f64>() / weight;
    (weight > 0.0 && mean > 0.0).then(|| cohorts.iter().map(|(of, _)| of / mean - 1.0).collect())
}

impl Between {
    /// Means and weights of cohorts with rows; none where the mean of all is zero.
    pub fn of(cohorts: &[(f64, f64)]) -> Option<Between> {
        let weight: f64 = cohorts.iter().map(|(_, weight)| weight).sum();
        let relative = relative(cohorts)?;
        Some(Between { cohorts: cohorts.iter().zip(relative).map(|((_, of), v)| (of / weight, v)).collect() })
    }

    fn length(&self) -> f64 {
        self.cohorts.iter().map(|(share, v)| share * v * v).sum::<f64>().sqrt()
    }

    /// How far the means and weights of a replicate are from these.
    pub fn deviation(&self, replicate: &[(f64, f64)]) -> Option<f64> {
        let squares = self.cohorts.iter().zip(relative(replicate)?).map(|((share, v), w)| share * (w - v) * (w - v));
        Some(squares.sum::<f64>().sqrt())
    }

    /// The index when all deviations are multiplied by a factor; unbounded with it.
    fn at(&self, index: Index, factor: f64) -> f64 {
        if factor.is_infinite() {
            return f64::INFINITY;
        }
        let square = |factor: f64| self.cohorts.iter().map(|(share, v)| share * (factor * v).powi(2)).sum::<f64>();
        match index {
            Index::Entropy => square(factor) / 2.0,
            Index::Variation => square(factor).sqrt(),
            Index::Theil => {
                let term = |r: f64| if r > 0.0 { r * r.ln() - (r - 1.0) } else { 1.0 };
                self.cohorts.iter().map(|(share, v)| share * term(1.0 + factor * v)).sum::<f64>().max(0.0)
            }
        }
    }

    pub fn point(&self, index: Index) -> f64 {
        self.at(index, 1.0)
    }

    /// The index with its interval.
    pub fn estimate(self, index: Index, mut deviations: Vec<f64>, support: Support, confidence: f64) -> Estimate {
        deviations.sort_by(f64::total_cmp);
        let point = self.point(index);
        let basis = Basis::Dispersion(Box::new(Dispersion { between: self, index, sorted: deviations }));
        let interval = basis.interval(confidence, point);
        Estimate { point, interval, confidence, support, method: Method::Dispersion, basis }
    }
}

impl Dispersion {
    pub(super) fn interval(&self, confidence: f64) -> Interval {
        let (length, reach) = (self.between.length(), upper_quantile(&self.sorted, confidence));
        let ends = [(length - reach).max(0.0), length + reach];
        let [lower, upper] = ends.map(|end| match (length > 0.0, self.index) {
            (true, index) => self.between.at(index, end / length),
            (false, Index::Variation) => end,
            (false, _) => end * end / 2.0,
        });
        Interval::new(lower, upper)
    }
}

#[cfg(test)]
mod tests;
