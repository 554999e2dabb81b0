//! Figures of noisy evidence that are no shares: a point, the spread of its error, and what its interval is made of.
//!
//! The variance is the sampling variance, times the design effect, and by the delta method that of every draw of noise. The critical value is
//! that of the sum of a normal and a Laplace variable (see `noise`).

use super::noise::{Cut, Noise, Spread};
use super::{Interval, Measured, Method, Sample, Why, normal, percentiles, student};

/// A figure with the spread of its error.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub point: f64,
    pub spread: Spread,
    pub n: i64,
    /// Student t with these degrees of freedom; normal without.
    pub df: Option<f64>,
    pub lower: f64,
    pub upper: f64,
    pub method: Method,
    /// Sorted bootstrap replicates, where the own interval is made of their percentiles.
    pub replicates: Option<Vec<f64>>,
    /// What it is the mean of, where the value of everyone is the average of the cohorts' values.
    pub mean: Option<NoisyMean>,
}

impl Figure {
    pub(super) fn interval(&self, confidence: f64) -> Interval {
        if let Some(replicates) = &self.replicates {
            let (low, high) = percentiles(replicates, confidence);
            let (lower, upper) = (low.min(self.point), high.max(self.point));
            return Interval::new(lower.max(self.lower), upper.min(self.upper));
        }
        let factor = self.df.map_or(1.0, |df| student(confidence, df) / normal(confidence));
        let half = Cut::of(normal(confidence), factor).at(self.spread.tail()) * self.spread.variance.sqrt();
        Interval::new((self.point - half).max(self.lower), (self.point + half).min(self.upper))
    }
}

/// Sums of a column over rows, each with noise of its own, in the column's unit divided by `scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisyMean {
    pub n: f64,
    pub sum: f64,
    pub squares: f64,
    /// Draws of noise in each of the three.
    pub draws: f64,
    pub noise: Noise,
    pub scale: f64,
}

impl NoisyMean {
    /// The mean as a sample. With the true mean m the residual sum - m n has the variance D n s^2 + (1 + m^2) draws v.
    pub fn sample(&self, confidence: f64) -> Sample {
        if !is_known(self.n, self.draws, &self.noise, confidence) {
            return Sample::None(self.noise.why_not(self.n));
        }
        let mean = self.sum / self.n;
        let variance = (self.squares / self.n - mean * mean).max(0.0) * self.noise.design_effect * self.n;
        let noise = self.noise.part(self.draws, 1.0) + self.noise.part(self.draws, mean);
        Sample::Figure(Figure {
            point: mean * self.scale,
            spread: (Spread::normal(variance) + noise).times(self.scale / self.n),
            n: self.n.round() as i64,
            df: Some((self.n - 1.0).max(1.0)),
            lower: f64::NEG_INFINITY,
            upper: f64::INFINITY,
            method: Method::NoisyStudent,
            replicates: None,
            mean: Some(*self),
        })
    }

    /// The rows of the whole outside a part.
    pub(super) fn minus(&self, part: &NoisyMean) -> NoisyMean {
        NoisyMean {
            n: self.n - part.n,
            sum: self.sum - part.sum,
            squares: self.squares - part.squares,
            draws: (self.draws - part.draws).max(0.0),
            ..*self
        }
    }
}

/// True when a noisy number of rows is told from none (Fieller 1954: only then has a quotient by it an interval), and at least two.
pub fn is_known(n: f64, draws: f64, noise: &Noise, confidence: f64) -> bool {
    let reach = normal(confidence) * noise.part(draws, 1.0).variance.sqrt();
    n >= 2.0 && n > reach
}

/// Gaps of the bins of a calibration error, each with its spread.
///
/// The noise biases absolute gaps upwards, so no point and error make an interval. Every gap and the number of rows is within its limits with
/// a probability of at least 1 - (1 - confidence) / (bins + 1), hence all of them with at least the confidence (Bonferroni), and then
/// sum max(0, |gap| - h) / (n + h0) - e <= error <= sum (|gap| + h) / (n - h0) + e. A score is known up to half the width of a bin, e.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaps {
    /// Sum of score minus label in each bin.
    pub gaps: Vec<(f64, Spread)>,
    pub rows: (f64, Spread),
    /// Half the width of a bin of scores.
    pub rounding: f64,
}

impl Gaps {
    pub fn point(&self) -> f64 {
        (self.gaps.iter().map(|(gap, _)| gap.abs()).sum::<f64>() / self.rows.0).min(1.0)
    }

    pub(super) fn interval(&self, confidence: f64) -> (f64, f64) {
        let each = 1.0 - (1.0 - confidence) / (self.gaps.len() + 1) as f64;
        let cut = Cut::of(normal(each), 1.0);
        let half = |spread: &Spread| cut.at(spread.tail()) * spread.variance.sqrt();
        let lower: f64 = self.gaps.iter().map(|(gap, spread)| (gap.abs() - half(spread)).max(0.0)).sum();
        let upper: f64 = self.gaps.iter().map(|(gap, spread)| gap.abs() + half(spread)).sum();
        let (rows, reach) = (self.rows.0, half(&self.rows.1));
        let lower = (lower / (rows + reach) - self.rounding).clamp(0.0, 1.0);
        let upper = if rows > reach { (upper / (rows - reach) + self.rounding).min(1.0) } else { 1.0 };
        (lower, upper.max(lower))
    }
}

/// A noisy estimate with an interval wider than this is no estimate.
pub fn within_width(measured: Measured, width_max: f64) -> Measured {
    let wide = measured.estimate().is_some_and(|estimate| {
        let width = estimate.interval.upper.zip(estimate.interval.lower).map(|(upper, lower)| upper - lower);
        estimate.method.is_noisy() && width.is_none_or(|width| width > width_max)
    });
    if wide { Measured::Undefined { why: Why::NoiseExceedsCohort } } else { measured }
}
