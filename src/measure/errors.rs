//! Errors of numeric predictions, from the moments of e = target - prediction, |e|, e^2, y and y^2.
//!
//! Standard errors: of a mean, s / sqrt(n); of RMSE and R squared by the delta method on those moments (Serfling 1980, section 3.3). Noise adds
//! to the variance by the same method: with the gradient g of the means m, a sum j has the weight g_j / n and the number of rows
//! -sum of g_j m_j / n.

use std::collections::BTreeMap;

use super::Group;
use super::index::Index;
use crate::demand::{Axis, Fixed, Shape};
use crate::estimate::{Figure as Noisy, Method, Noise, NoisyMean, Sample, Spread, Why, is_known, normal};
use crate::evidence::{Missing, Released};
use crate::plan::{Numeric, Plan};
use crate::scalar::{Arithmetic, Expr, Function, Scalar};
use crate::statistic::{MomentSums, Moments, Tally};

/// Moments by cohort. Errors are kept within twice the width of the target's interval, squares within its square. Under differential privacy,
/// where noise is as wide as the interval, they are kept within its width: an error is greater only where a prediction is outside.
pub fn moments(plan: &Plan, by: Vec<Axis>, target: &Numeric, prediction: &Scalar) -> Shape {
    let range = bound(plan, target);
    let y = &target.of;
    let e = Expr::Arithmetic(Arithmetic::Subtract, Box::new(y.clone()), Box::new(prediction.clone()));
    let square = |x: &Scalar| Expr::Arithmetic(Arithmetic::Multiply, Box::new(x.clone()), Box::new(x.clone()));
    let centred = Expr::Arithmetic(Arithmetic::Subtract, Box::new(y.clone()), Box::new(Scalar::number(centre(target))));
    let half = (target.upper - target.lower) / 2.0;
    let of = vec![
        Fixed { of: e.clone(), lower: -range, upper: range },
        Fixed { of: Expr::Apply(Function::Abs, vec![e.clone()]), lower: -range, upper: range },
        Fixed { of: square(&e), lower: -range * range, upper: range * range },
        Fixed { of: centred.clone(), lower: -half, upper: half },
        Fixed { of: square(&centred), lower: -half * half, upper: half * half },
    ];
    let limbs = super::noise::limbs(plan);
    Shape::Moments { by, of, weights: Vec::new(), cross: Vec::new(), gram: true, limbs }
}

fn bound(plan: &Plan, target: &Numeric) -> f64 {
    let width = target.upper - target.lower;
    if plan.spec.privacy.is_some() { width } else { 2.0 * width }
}

fn centre(target: &Numeric) -> f64 {
    target.lower + (target.upper - target.lower) / 2.0
}

/// Means and covariances of the five columns.
struct Five {
    n: f64,
    mean: [f64; 5],
    covariance: [[f64; 5]; 5],
}

impl Five {
    fn of(sums: &MomentSums, bits: u32, scale: [f64; 5]) -> Option<Five> {
        (sums.n != 0).then(|| Five::over(sums.n as f64, sums, bits, scale))
    }

    fn over(n: f64, sums: &MomentSums, bits: u32, scale: [f64; 5]) -> Five {
        let at = |i: usize, j: usize| entry(sums, bits, i, j);
        let mut mean = [0.0; 5];
        for i in 0..5 {
            mean[i] = at(0, i + 1) / n * scale[i];
        }
        let mut covariance = [[0.0; 5]; 5];
        for i in 0..5 {
            for j in i..5 {
                let sum = at(i + 1, j + 1) * scale[i] * scale[j];
                covariance[i][j] = (sum - n * mean[i] * mean[j]) / (n - 1.0).max(1.0);
                covariance[j][i] = covariance[i][j];
            }
        }
        Five { n, mean, covariance }
    }

    /// Standard error of a function of the means with this gradient.
    fn se(&self, gradient: [f64; 5]) -> f64 {
        let mut variance = 0.0;
        for i in 0..5 {
            for j in 0..5 {
                variance += gradient[i] * gradient[j] * self.covariance[i][j];
            }
        }
        (variance.max(0.0) / self.n).sqrt()
    }

    /// The spread that noise gives to a function of the means with this gradient.
    fn noise(&self, gradient: [f64; 5], scale: [f64; 5], draws: f64, noise: &Noise) -> Spread {
        let rows: f64 = gradient.iter().zip(self.mean).map(|(g, mean)| g * mean).sum();
        let sums = gradient.iter().zip(scale).map(|(g, scale)| noise.part(draws, g * scale / self.n));
        sums.sum::<Spread>() + noise.part(draws, rows / self.n)
    }
}

/// Sum of the product of two variables, the constant first, in units of the columns' scales.
fn entry(sums: &MomentSums, bits: u32, i: usize, j: usize) -> f64 {
    sums.gram[i * 6 - i * (i + 1) / 2 + j] as f64 * (2.0f64).powi(-2 * bits as i32)
}

/// The value and its standard error; the sample says whether it is a mean over rows.
enum Figure {
    Mean(f64, f64),
    Other(f64, f64, f64, f64),
    Undefined(Why),
}

fn figure(id: &str, five: &Five, centre: f64) -> Figure {
    let root = (five.covariance[0][0] / five.n).max(0.0).sqrt();
    match id {
        "mean-absolute-error" => Figure::Mean(five.mean[1], five.se([0.0, 1.0, 0.0, 0.0, 0.0])),
        "mean-residual" => Figure::Mean(five.mean[0], root),
        "mean-squared-error" => Figure::Mean(five.mean[2], five.se([0.0, 0.0, 1.0, 0.0, 0.0])),
        "mean-target" => Figure::Mean(centre + five.mean[3], five.se([0.0, 0.0, 0.0, 1.0, 0.0])),
        "root-mean-squared-error" => {
            let rmse = five.mean[2].max(0.0).sqrt();
            Figure::Other(rmse, five.se(rmse_gradient(rmse)), 0.0, f64::INFINITY)
        }
        _ => {
            let spread = five.mean[4] - five.mean[3] * five.mean[3];
            if five.n < 2.0 {
                return Figure::Undefined(Why::TooFewRows);
            }
            if spread <= 1e-12 * five.mean[4].abs() {
                return Figure::Undefined(Why::NoVariation);
            }
            let ratio = five.mean[2] / spread;
            Figure::Other(1.0 - ratio, five.se(r_squared_gradient(five, spread)), f64::NEG_INFINITY, 1.0)
        }
    }
}

fn rmse_gradient(rmse: f64) -> [f64; 5] {
    [0.0, 0.0, if rmse > 0.0 { 0.5 / rmse } else { 0.0 }, 0.0, 0.0]
}

fn r_squared_gradient(five: &Five, spread: f64) -> [f64; 5] {
    let ratio = five.mean[2] / spread;
    [0.0, 0.0, -1.0 / spread, -2.0 * five.mean[3] * ratio / spread, ratio / spread]
}

/// Rows, and sums of powers of the residuals and predictions.
pub type Sums = (f64, [f64; 4]);

/// Released moments with the units of their columns.
pub struct Errors<'a> {
    moments: &'a Moments,
    index: Index,
    attributes: usize,
    dependent: bool,
    scale: [f64; 5],
    /// The middle of the target's interval, which its sums are about.
    centre: f64,
    /// In units of the sums of products.
    noise: Option<Noise>,
    confidence: f64,
}

impl<'a> Errors<'a> {
    pub fn of(plan: &Plan, released: &'a Released, target: &Numeric) -> Result<Errors<'a>, Missing> {
        let (range, half) = (bound(plan, target), (target.upper - target.lower) / 2.0);
        let scale = [range, range, range * range, half, half * half];
        let moments = released.moments("measure/error")?;
        let index = Index::of(plan, &moments.sizes, moments.groups.keys());
        let (attributes, dependent, confidence) = (plan.attributes.len(), plan.dependent, plan.spec.measure.confidence);
        let noise = super::noise::of_moments(plan, released, "measure/error", moments.scale_bits);
        let centre = centre(target);
        Ok(Errors { moments, index, attributes, dependent, scale, centre, noise, confidence })
    }

    /// Sums over a cohort; none without rows.
    fn total(&self, group: &Group) -> Option<MomentSums> {
        self.index.groups(group).iter().filter_map(|code| self.moments.groups.get(code)).fold(None, |total, sums| {
            match total {
                None => Some(sums.clone()),
                Some(mut total) => {
                    total.merge(sums);
                    Some(total)
                }
            }
        })
    }

    /// Rows of a cohort with a target and a prediction.
    pub fn rows(&self, group: &Group) -> i64 {
        self.total(group).map_or(0, |sums| sums.n)
    }

    /// Rows and the sums of the first four powers of the residual: of a cohort, and of its buckets where rows depend on each other.
    pub fn powers(&self, group: &Group) -> (Sums, Vec<Sums>) {
        let of = |sums: &MomentSums| {
            let at = |i: usize, j: usize| entry(sums, self.moments.scale_bits, i, j);
            let (e, square) = (self.scale[0], self.scale[2]);
            let powers = [at(0, 1) * e, at(1, 1) * e * e, at(1, 3) * e * square, at(3, 3) * square * square];
            (sums.n as f64, powers)
        };
        let whole = self.total(group).map_or((0.0, [0.0; 4]), |total| of(&total));
        let parts = if self.dependent { self.buckets(group).values().map(of).collect() } else { Vec::new() };
        (whole, parts)
    }

    /// The metric of a cohort.
    pub fn sample(&self, id: &str, group: &Group) -> Sample {
        let five = |sums: &MomentSums| Five::of(sums, self.moments.scale_bits, self.scale);
        let value = |sums: &MomentSums| match five(sums).map(|five| figure(id, &five, self.centre)) {
            Some(Figure::Mean(value, _) | Figure::Other(value, ..)) => Some(value),
            Some(Figure::Undefined(_)) | None => None,
        };
        let Some(total) = self.total(group) else {
            return Sample::None(Why::EmptyDenominator);
        };
        if let Some(noise) = &self.noise {
            return self.noisy(id, &total, self.index.groups(group).len() as f64, noise);
        }
        if self.dependent {
            let parts = self.buckets(group);
            let filled = parts.values().filter(|part| part.n > 0).count();
            let left_out = parts.values().map(|part| value(&minus(&total, part))).collect();
            return Sample::buckets(value(&total), left_out, filled, total.n);
        }
        match five(&total).map(|five| figure(id, &five, self.centre)) {
            None => Sample::None(Why::EmptyDenominator),
            Some(Figure::Undefined(why)) => Sample::None(why),
            Some(Figure::Mean(mean, se)) => Sample::mean(mean, se, total.n),
            Some(Figure::Other(..)) if total.n < 2 => Sample::None(Why::TooFewRows),
            Some(Figure::Other(point, se, lower, upper)) => {
                let (n, df, method) = (total.n, Some((total.n - 1) as f64), Method::Student);
                Sample::Error { point, se, n, df, lower, upper, method, replicates: None, mean: false }
            }
        }
    }

    /// The metric from sums with noise; every group of the cohort has brought a draw.
    fn noisy(&self, id: &str, sums: &MomentSums, draws: f64, noise: &Noise) -> Sample {
        let (bits, scale, noise) = (self.moments.scale_bits, self.scale, *noise);
        let n = entry(sums, bits, 0, 0);
        let mean = |j: usize| {
            let (sum, squares) = (entry(sums, bits, 0, j), entry(sums, bits, j, j));
            NoisyMean { n, sum, squares, draws, noise, scale: scale[j - 1] }.sample(self.confidence)
        };
        if !is_known(n, draws, &noise, self.confidence) {
            return Sample::None(noise.why_not(n));
        }
        let five = Five::over(n, sums, bits, scale);
        // A variance that noise could have made, or could have made vanish, is not known.
        let known = |value: f64, gradient| {
            let error = Spread::normal(five.se(gradient).powi(2)) + five.noise(gradient, scale, draws, &noise);
            !noise.is_any() || value > normal(self.confidence) * error.variance.sqrt()
        };
        let (point, gradient, lower, upper) = match id {
            "mean-absolute-error" => return mean(2),
            "mean-residual" => return mean(1),
            "root-mean-squared-error" if known(five.mean[2], [0.0, 0.0, 1.0, 0.0, 0.0]) => {
                let rmse = five.mean[2].max(0.0).sqrt();
                (rmse, rmse_gradient(rmse), 0.0, f64::INFINITY)
            }
            "r-squared" => {
                let spread = five.mean[4] - five.mean[3] * five.mean[3];
                if !noise.is_any() && spread <= 1e-12 * five.mean[4].abs() {
                    return Sample::None(Why::NoVariation);
                }
                if !known(spread, [0.0, 0.0, 0.0, -2.0 * five.mean[3], 1.0]) {
                    return Sample::None(Why::NoiseExceedsCohort);
                }
                (1.0 - five.mean[2] / spread, r_squared_gradient(&five, spread), f64::NEG_INFINITY, 1.0)
            }
            _ => return Sample::None(Why::NoiseExceedsCohort),
        };
        let sampling = Spread::normal(five.se(gradient).powi(2) * noise.design_effect);
        Sample::Figure(Noisy {
            point: point.min(upper),
            spread: sampling + five.noise(gradient, scale, draws, &noise),
            n: n.round() as i64,
            df: Some((n - 1.0).max(1.0)),
            lower,
            upper,
            method: Method::NoisyStudent,
            replicates: None,
            mean: None,
        })
    }

    fn buckets(&self, group: &Group) -> BTreeMap<u32, MomentSums> {
        let table = Tally::new(self.moments.sizes.clone());
        let mut parts: BTreeMap<u32, MomentSums> =
            (0..crate::estimate::BUCKETS).map(|bucket| (bucket, MomentSums::new(6, 0, 0, true))).collect();
        for code in self.index.groups(group) {
            let bucket = table.codes(*code)[self.attributes];
            if let (Some(part), Some(sums)) = (parts.get_mut(&bucket), self.moments.groups.get(code)) {
                part.merge(sums);
            }
        }
        parts
    }
}

fn minus(total: &MomentSums, part: &MomentSums) -> MomentSums {
    let mut left = total.clone();
    left.n -= part.n;
    for (sum, less) in left.gram.iter_mut().zip(&part.gram) {
        *sum -= less;
    }
    left
}
