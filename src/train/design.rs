//! The features as the penalty sees them: centred at the mean of the training rows, in units of their standard deviation or in their own.
//!
//! s = (z - mean) / scale with z in [-1, 1] on the declared bounds. scale is the standard deviation of z over the training rows (divisor n)
//! when features are standardised, else that of one unit of the feature.

use super::TrainError;
use super::centred::Centred;
use super::factor::Symmetric;
use crate::plan::features::Feature;
use crate::plan::spec::Train;
use crate::scalar::Expr;

/// A feature whose standard deviation is a smaller part of half its bounds is not seen by the integer predictor.
const DEVIATION_MIN: f64 = 1.0 / (1u64 << 20) as f64;

/// Features on the scale of the penalty.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    pub features: &'a [Feature],
    /// Positions of the features that vary over the training rows; the others have the coefficient 0.
    pub active: Vec<usize>,
    mean: Vec<f64>,
    scale: Vec<f64>,
    pub notes: Vec<String>,
}

impl<'a> Design<'a> {
    /// Means and scales from moments of which the first columns are the features.
    pub fn of(
        features: &'a [Feature],
        train: &Train,
        moments: &Centred,
        penalised: bool,
    ) -> Result<Design<'a>, TrainError> {
        let deviation = |j: usize| (moments.products.get(j, j) / moments.n as f64).sqrt();
        let constant: Vec<usize> = (0..features.len()).filter(|&j| deviation(j) == 0.0).collect();
        // An indicator of missing values of a feature that has none is no mistake of the author.
        let refused: Vec<usize> = constant
            .iter()
            .copied()
            .filter(|&j| !penalised && !matches!(features[j].fixed.of, Expr::IsNull(_)))
            .collect();
        if !refused.is_empty() {
            return Err(TrainError::Failed(format!(
                "the same value in all {} training rows: {}, as far as the bounds tell values apart; without a penalty such a feature has no coefficient: leave it out, narrow its bounds, or choose a penalty",
                moments.n,
                labels(features, &refused)
            )));
        }
        let unseen: Vec<usize> =
            (0..features.len()).filter(|&j| deviation(j) > 0.0 && deviation(j) < DEVIATION_MIN).collect();
        if !unseen.is_empty() {
            return Err(TrainError::Failed(format!(
                "bounds a million times wider than the spread of the values: {}; narrow the bounds in the schema",
                labels(features, &unseen)
            )));
        }
        let mut notes = Vec::new();
        if !constant.is_empty() {
            notes.push(format!(
                "The same value in all training rows, as far as the bounds tell values apart, so the coefficient is 0: {}.",
                labels(features, &constant)
            ));
        }
        let scale = |j: usize| match train.standardise {
            true => deviation(j),
            false => 2.0 / (features[j].fixed.upper - features[j].fixed.lower),
        };
        Ok(Design {
            features,
            active: (0..features.len()).filter(|j| !constant.contains(j)).collect(),
            mean: moments.mean[..features.len()].to_vec(),
            scale: (0..features.len()).map(scale).collect(),
            notes,
        })
    }

    /// The same from means and deviations that carry noise: nothing is told of single rows, and `active` was decided on released sums.
    pub fn noisy(
        features: &'a [Feature],
        train: &Train,
        active: Vec<usize>,
        mean: Vec<f64>,
        deviation: impl Fn(usize) -> f64,
        notes: Vec<String>,
    ) -> Design<'a> {
        let scale = |j: usize| match train.standardise && active.contains(&j) {
            true => deviation(j),
            false => 2.0 / (features[j].fixed.upper - features[j].fixed.lower),
        };
        let scale = (0..features.len()).map(scale).collect();
        Design { features, active, mean, scale, notes }
    }

    /// Number of coefficients that are estimated.
    pub fn size(&self) -> usize {
        self.active.len()
    }

    /// Refuses linear combinations where nothing is penalised; notes them otherwise. `products` are of the active features.
    pub fn check_dependence(&mut self, products: &Symmetric, rows: i64, penalised: bool) -> Result<(), TrainError> {
        let size = self.size();
        if !penalised && rows <= size as i64 {
            return Err(TrainError::Failed(format!(
                "{rows} training rows cannot determine {size} coefficients and an intercept: use more rows or fewer features, or choose a penalty"
            )));
        }
        let dependent: Vec<String> =
            products.factor().dependent().iter().map(|(j, made_of)| self.combination(*j, made_of)).collect();
        match (dependent.is_empty(), penalised) {
            (true, _) => {}
            (false, false) => {
                return Err(TrainError::Failed(format!(
                    "linear combinations of other features in the training rows: {}; their coefficients are not determined: leave them out, or choose a penalty",
                    dependent.join("; ")
                )));
            }
            (false, true) => self.notes.push(format!(
                "Linear combinations of other features in the training rows: {}. Only the penalty decides how their coefficients are shared.",
                dependent.join("; ")
            )),
        }
        Ok(())
    }

    /// A feature and those it is made of.
    fn combination(&self, j: usize, made_of: &[f64]) -> String {
        let largest = made_of.iter().fold(0.0f64, |most, weight| most.max(weight.abs()));
        let parts: Vec<usize> =
            (0..made_of.len()).filter(|&k| made_of[k].abs() > 1e-6 * largest).map(|k| self.active[k]).collect();
        format!("{} (of {})", self.features[self.active[j]].label, labels(self.features, &parts))
    }

    /// Mean of a column of z, by position among the active features.
    pub fn mean(&self, k: usize) -> f64 {
        self.mean[self.active[k]]
    }

    /// z per unit of the penalised scale, by position among the active features.
    pub fn scale(&self, k: usize) -> f64 {
        self.scale[self.active[k]]
    }

    /// Coefficients of z for every feature, and the intercept, from coefficients of the active s and the predictor at the mean.
    pub fn on_bounds(&self, b: &[f64], b0: f64) -> (Vec<f64>, f64) {
        let mut on_bounds = vec![0.0; self.features.len()];
        for (k, b) in b.iter().enumerate() {
            on_bounds[self.active[k]] = b / self.scale(k);
        }
        let shift: f64 = on_bounds.iter().zip(&self.mean).map(|(b, mean)| b * mean).sum();
        (on_bounds, b0 - shift)
    }

    /// The reverse of `on_bounds`.
    pub fn on_scale(&self, on_bounds: &[f64], intercept: f64) -> (Vec<f64>, f64) {
        let shift: f64 = on_bounds.iter().zip(&self.mean).map(|(b, mean)| b * mean).sum();
        ((0..self.size()).map(|k| on_bounds[self.active[k]] * self.scale(k)).collect(), intercept + shift)
    }

    /// Units of s in one unit of the feature, by position among the active features.
    pub fn per_unit(&self, k: usize) -> f64 {
        let fixed = &self.features[self.active[k]].fixed;
        2.0 / (fixed.upper - fixed.lower) / self.scale(k)
    }
}

/// Labels of features, the first ten by name.
pub fn labels(features: &[Feature], at: &[usize]) -> String {
    let names: Vec<&str> = at.iter().take(10).map(|&j| features[j].label.as_str()).collect();
    match at.len() > 10 {
        true => format!("{} and {} more", names.join(", "), at.len() - 10),
        false => names.join(", "),
    }
}
