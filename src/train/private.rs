//! Training under differential privacy: what is fitted is the noisy sums, and nothing else of the rows is looked at.
//!
//! - Linear: the sums of products of (1, x, y), released once. Centred, projected, with a floor under the eigenvalues (`linear`).
//! - Logistic: the sums of products of (1, x), released once, and a fixed number of gradients (`logistic`).
//!
//! Every entry has independent noise of one known variance. Whatever follows from the released sums costs nothing more, so means, deviations,
//! floors, penalties and standard errors come from them. Related: AdaSSP (Wang 2018, arXiv 1803.02596), which divides its budget over three
//! releases, the least eigenvalue being one of them; here the eigenvalue is read off the noisy matrix.
//!
//! With m the means of the noisy sums, centring is T S T', T = (-m, I), so the noise in a centred sum is T E T', to first order.

use super::factor::{Symmetric, dot};
use super::{Setting, TrainError, centred, projection};
use crate::budget::{Mechanism, Receipt};
use crate::demand::{Demand, Fixed, Limbs, Shape};
use crate::evidence::Released;
use crate::plan::Plan;
use crate::plan::features::Feature;
use crate::plan::spec::Privacy;

mod curvature;
pub(super) mod linear;
pub(super) mod logistic;

pub use crate::plan::features::norm_squared_max;

/// Name of the released sums of products.
pub const GRAM: &str = "train/gram";

/// A feature that spreads less than this many standard deviations of the noise in its own sum of squares has the coefficient 0.
const SPREAD_MIN: f64 = 2.0;
/// Training rows by the noisy count, in standard deviations of its noise, below which nothing is fitted.
const ROWS_MIN: f64 = 4.0;

const FLOOR_HAS_NO_ERRORS: &str =
    "No standard errors: a ridge was added against the noise, and no interval covers the bias it brings.";

/// The demand for sums of products over the training rows.
fn gram(plan: &Plan, of: Vec<Fixed>) -> Demand {
    let shape =
        Shape::Moments { by: Vec::new(), of, weights: Vec::new(), cross: Vec::new(), gram: true, limbs: Limbs::One };
    Demand { name: GRAM.into(), rows: plan.part(0), shape }
}

fn fixed(plan: &Plan) -> Vec<Fixed> {
    plan.features.iter().map(|feature| feature.fixed.clone()).collect()
}

/// What a private fit cannot do without.
fn check<'a>(setting: &Setting<'a>) -> Result<&'a Privacy, TrainError> {
    if super::path::is_chosen(setting.train) {
        return Err(TrainError::Failed(
            "under [privacy] a penalty cannot be chosen by cross-validation: write train.strength and at most one of train.l1_ratios".into(),
        ));
    }
    let privacy = setting.plan.spec.privacy.as_ref();
    privacy.ok_or_else(|| TrainError::Failed("the pipeline file has no section [privacy]".into()))
}

/// Sums of products of (1, columns) with noise, without negative eigenvalues, in units of 1.
struct Noisy {
    /// Rows, by the noisy count.
    n: f64,
    sums: Symmetric,
    mean: Vec<f64>,
    /// Standard deviation of the noise in one entry.
    sigma: f64,
    /// Rows as they were released.
    rows: i64,
}

impl Noisy {
    /// The sums of this many columns, released under [`GRAM`].
    fn of(released: &Released, columns: usize) -> Result<Noisy, TrainError> {
        let moments = released.moments(GRAM)?;
        let Some(sums) = moments.total_where(|_| true) else { return Err(super::no_rows(0)) };
        let variables = columns + 1;
        let unit = 2f64.powi(-2 * moments.scale_bits as i32);
        if sums.gram.len() != variables * (variables + 1) / 2 {
            return Err(TrainError::Failed("the released sums are not those of the features in the plan".into()));
        }
        let sigma = sigma(released, GRAM) * unit;
        let noisy = Symmetric::of(variables, |i, j| sums.gram[centred::at(variables, i, j)] as f64 * unit);
        let n = noisy.get(0, 0);
        if n.is_nan() || n <= ROWS_MIN * sigma || n <= variables as f64 {
            return Err(TrainError::Failed(format!(
                "about {} training rows by the noisy count, which has a standard deviation of {sigma:.1}: too few for {columns} columns; use more rows, fewer features, or a larger share of the budget for the model",
                sums.n
            )));
        }
        let kept = projection::positive(&noisy);
        let n = kept.get(0, 0);
        let mean = (0..columns).map(|j| kept.get(0, j + 1) / n).collect();
        Ok(Noisy { n, sums: kept, mean, sigma, rows: sums.n })
    }

    /// The centred sum of products of two columns.
    fn product(&self, i: usize, j: usize) -> f64 {
        self.sums.get(i + 1, j + 1) - self.sums.get(0, i + 1) * self.sums.get(0, j + 1) / self.n
    }

    /// Standard deviation of the noise in a column's centred sum of squares: that of E_jj - 2 m E_0j + m^2 E_00.
    fn product_noise(&self, j: usize) -> f64 {
        let square = self.mean[j] * self.mean[j];
        self.sigma * (1.0 + 4.0 * square + square * square).sqrt()
    }

    /// Columns among the first of which the spread is more than noise.
    fn spread(&self, columns: usize) -> Vec<usize> {
        (0..columns).filter(|&j| self.product(j, j) > SPREAD_MIN * self.product_noise(j)).collect()
    }

    /// The centred sums of products of these columns, and what the least eigenvalue lacks to reach the bound of the noise in them:
    /// (1 + |m|^2) times that of the noise in the sums, |T|^2 being 1 + |m|^2.
    fn centred(&self, columns: &[usize]) -> (Symmetric, f64) {
        let mean: Vec<f64> = columns.iter().map(|&j| self.mean[j]).collect();
        let norm = (1.0 + dot(&mean, &mean)) * projection::noise_norm(columns.len() + 1, self.sigma);
        let gram = Symmetric::of(columns.len(), |k, l| self.product(columns[k], columns[l]));
        let floor = projection::ridge(&gram, norm);
        (gram, floor)
    }
}

/// Standard deviation of the noise in one number, in the statistic's own units; 0 when it was released as counted.
fn sigma(released: &Released, name: &str) -> f64 {
    released.noise(name).map_or(0.0, |noise| noise.variance.max(0.0).sqrt())
}

/// The features a fit uses, with a note on those it leaves out.
fn active(noisy: &Noisy, features: &[Feature]) -> Result<(Vec<usize>, Vec<String>), TrainError> {
    let active = noisy.spread(features.len());
    let left: Vec<usize> = (0..features.len()).filter(|j| !active.contains(j)).collect();
    let labels = super::design::labels(features, &left);
    if active.is_empty() {
        return Err(TrainError::Failed(format!(
            "no feature spreads more than the noise in the released sums: {labels}; use more rows, narrower bounds, or a larger share of the budget for the model"
        )));
    }
    let note = format!("The spread is within the noise of the released sums, so the coefficient is 0: {labels}.");
    Ok((active, if left.is_empty() { Vec::new() } else { vec![note] }))
}

/// How a statistic was released, in a sentence.
fn mechanism(released: &Released, name: &str, what: &str, unit: f64) -> String {
    let receipt = |receipt: &&Receipt| *receipt.statistic == *name;
    let by = match released.receipts().iter().rev().find(receipt).map(|receipt| receipt.mechanism) {
        Some(Mechanism::DiscreteGaussian) => "discrete Gaussian noise",
        Some(Mechanism::DiscreteLaplace) => "discrete Laplace noise",
        Some(Mechanism::Exact) | None => return format!("{what} were released without noise."),
    };
    format!(
        "{what} were released with {by} of standard deviation {:.4} rows in every entry.",
        sigma(released, name) * unit
    )
}

/// Why there are no standard errors, when there are none. Rows are capped per unit before anything is summed: with one row per unit they are
/// independent.
fn no_errors(setting: &Setting, privacy: &Privacy, choice: &super::Choice) -> Option<String> {
    if setting.plan.dependent && privacy.rows_per_unit_max <= 1 {
        let absolute = choice.weights().absolute > 0.0;
        return absolute.then(|| super::ABSOLUTE_HAS_NO_ERRORS.into());
    }
    super::no_errors(setting.plan, choice)
}
