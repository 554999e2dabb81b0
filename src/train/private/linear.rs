//! Least squares with penalties from sums of products with noise, one release.
//!
//! With C = T S T' the centred noisy sums over features x and target y, f the floor and P the penalty times n,
//!
//! b minimises 1/2 b'(C_xx + f I) b - b'C_xy + penalty,   f = max(0, (1 + |m|^2) norm - least eigenvalue of C_xx)
//!
//! where norm bounds the noise of the sums (`projection`). Without a floor noise in a direction in which features hardly spread would be
//! divided by nearly nothing. f is an isotropic ridge on the declared bounds; it is zero when the spread exceeds the noise, and the card says
//! which.
//!
//! Standard errors, to first order, with A = C_xx + P I and a = (-b, 1) on (x, y):
//!
//! var b = A^-1 (s2 C_xx + U) A^-1,   U = T_x cov(E d) T_x',   d = T'a,   cov(E d) = sigma^2 (|d|^2 I + d d' - diag(d^2)):
//!
//! sampling error, and the noise in what the normal equations say. The residual sum of squares a'C a is too small because b follows the noise;
//! 2 tr(A^-1 U) - tr(A^-1 C_xx A^-1 U) is added back. s2 is that over n - 1 - tr(A^-1 C_xx). There are no standard errors when it is not positive,
//! and none with a floor, of which no interval covers the bias.

use super::super::card::{self, Fit};
use super::super::design::Design;
use super::super::factor::{Symmetric, dot};
use super::super::path::{self, Choice};
use super::super::quadratic::Quadratic;
use super::super::{Setting, TrainError, linear, unsolved};
use super::{FLOOR_HAS_NO_ERRORS, GRAM, Noisy, active, mechanism, no_errors};
use crate::demand::{Demand, Fixed};
use crate::evidence::Released;
use crate::model::Model;

/// The sums of products of (1, features, target).
pub fn demands(setting: &Setting) -> Vec<Demand> {
    let plan = setting.plan;
    let Some(target) = &plan.target else { return Vec::new() };
    let target = Fixed { of: target.of.clone(), lower: target.lower, upper: target.upper };
    vec![super::gram(plan, super::fixed(plan).into_iter().chain([target]).collect())]
}

/// Fits the model.
pub fn fit(setting: &Setting, released: &Released) -> Result<Model, TrainError> {
    let Setting { plan, train } = *setting;
    let privacy = super::check(setting)?;
    let target = linear::target(plan)?;
    let y = plan.features.len();
    let noisy = Noisy::of(released, y + 1)?;
    if !noisy.spread(y + 1).contains(&y) {
        return Err(TrainError::Failed(
            "the spread of the target is within the noise of the released sums: use more rows, narrower bounds of the target, or a larger share of the budget for the model".into(),
        ));
    }
    let (active, notes) = active(&noisy, &plan.features)?;
    let deviation = |j: usize| (noisy.product(j, j) / noisy.n).sqrt();
    let mean = noisy.mean[..y].to_vec();
    let design = Design::noisy(&plan.features, train, active, mean, deviation, notes);
    let normal = Normal::of(&noisy, &design, y);
    let half = (target.upper - target.lower) / 2.0;
    let size = design.size();
    let quadratic = {
        let scale = |k: usize, l: usize| design.scale(k) * design.scale(l) * noisy.n;
        let gram = Symmetric::of(size, |k, l| normal.floored.get(k, l) / scale(k, l));
        let linear = (0..size).map(|k| normal.cross[k] * half / (design.scale(k) * noisy.n)).collect();
        Quadratic::new(gram, linear)
    };
    let variances: Vec<f64> = (0..size).map(|k| quadratic.gram.get(k, k)).collect();
    let slope_max = quadratic.linear.iter().fold(0.0f64, |most, c| most.max(c.abs()));
    let choice = path::candidates(train, slope_max, &variances, 1)[0];
    let b = quadratic.minimise(choice.weights()).map_err(|why| unsolved(&why, &choice))?;
    let unit = 2f64.powi(-2 * crate::demand::Limbs::One.bits() as i32);
    let mut notes = vec![mechanism(released, GRAM, "The sums of products of the features and the target", unit)];
    notes.push(normal.note());
    let errors = match no_errors(setting, privacy, &choice) {
        Some(why) => Err(why),
        None => normal.errors(&noisy, &design, &choice, &b, half),
    };
    let errors = match errors {
        Ok(errors) => {
            notes.push("Standard errors cover sampling and the noise, to first order; they do not cover the bias that a penalty brings.".into());
            Some(errors)
        }
        Err(why) => {
            notes.push(why);
            None
        }
    };
    let b0 = target.lower + (noisy.mean[y] + 1.0) * half;
    let fit = Fit { choice, b, b0, errors, path: Vec::new(), rows: noisy.rows, skipped: 0, notes };
    card::model(plan, train, &design, fit)
}

/// The normal equations of the active features on their bounds, with y on its own.
struct Normal {
    gram: Symmetric,
    cross: Vec<f64>,
    square: f64,
    floor: f64,
    floored: Symmetric,
    y: usize,
}

impl Normal {
    fn of(noisy: &Noisy, design: &Design, y: usize) -> Normal {
        let at = &design.active;
        let (gram, floor) = noisy.centred(at);
        let cross = at.iter().map(|&j| noisy.product(j, y)).collect();
        Normal { floored: gram.plus_diagonal(floor), gram, cross, square: noisy.product(y, y), floor, y }
    }

    fn note(&self) -> String {
        match self.floor > 0.0 {
            true => format!(
                "The sums have directions in which the features spread less than the noise: a ridge of {:.4e} rows on the declared bounds holds the least eigenvalue at the bound of the noise, and draws coefficients towards zero.",
                self.floor
            ),
            false => {
                "The features spread more than the noise in every direction: no ridge was added against the noise."
                    .into()
            }
        }
    }

    /// Standard errors of the coefficients on the scale of the penalty, or why there are none.
    fn errors(
        &self,
        noisy: &Noisy,
        design: &Design,
        choice: &Choice,
        b: &[f64],
        half: f64,
    ) -> Result<Vec<f64>, String> {
        if self.floor > 0.0 {
            return Err(FLOOR_HAS_NO_ERRORS.into());
        }
        let size = self.gram.size;
        let on_bounds: Vec<f64> = (0..size).map(|k| b[k] / (design.scale(k) * half)).collect();
        let penalty = |k: usize| choice.strength * noisy.n * design.scale(k) * design.scale(k);
        let penalised = Symmetric::of(size, |k, l| self.floored.get(k, l) + if k == l { penalty(k) } else { 0.0 });
        let factor = penalised.factor();
        if !factor.is_full() {
            return Err("No standard errors: the sums of the features cannot be inverted.".into());
        }
        let inverse = factor.inverse();
        let noise = self.noise(noisy, design, &on_bounds);
        let trace = |matrix: &Symmetric| (0..size).map(|k| dot(inverse.row(k), matrix.row(k))).sum::<f64>();
        // inverse gram inverse, of which the trace with the noise is what the fit took from the residuals.
        let twice = sandwich(&inverse, &self.gram);
        let followed = 2.0 * trace(&noise) - (0..size).map(|k| dot(twice.row(k), noise.row(k))).sum::<f64>();
        let residual = self.square - 2.0 * dot(&on_bounds, &self.cross) + dot(&on_bounds, &self.gram.times(&on_bounds));
        let freedom = noisy.n - 1.0 - trace(&self.gram);
        let s2 = (residual + followed) / freedom;
        if freedom < 0.5 || s2.is_nan() || s2 <= 0.0 {
            return Err("No standard errors: the noise hides how far the target is from its prediction.".into());
        }
        let middle = Symmetric::of(size, |k, l| s2 * self.gram.get(k, l) + noise.get(k, l));
        let variance = sandwich(&inverse, &middle);
        Ok((0..size).map(|k| half * design.scale(k) * variance.get(k, k).max(0.0).sqrt()).collect())
    }

    /// Covariance of the noise in the normal equations at these coefficients.
    fn noise(&self, noisy: &Noisy, design: &Design, b: &[f64]) -> Symmetric {
        let mean = |k: usize| noisy.mean[design.active[k]];
        let d0 = (0..b.len()).map(|k| mean(k) * b[k]).sum::<f64>() - noisy.mean[self.y];
        let length = d0 * d0 + dot(b, b) + 1.0;
        let variance = noisy.sigma * noisy.sigma;
        // d of feature k is -b[k].
        let entry = |k: usize, l: usize| {
            let own = if k == l { length } else { b[k] * b[l] };
            own + mean(k) * b[l] * d0 + mean(l) * b[k] * d0 + mean(k) * mean(l) * length
        };
        Symmetric::of(b.len(), |k, l| variance * entry(k, l))
    }
}

/// outer inner outer.
pub(super) fn sandwich(outer: &Symmetric, inner: &Symmetric) -> Symmetric {
    let right: Vec<Vec<f64>> = (0..outer.size).map(|k| inner.times(outer.row(k))).collect();
    Symmetric::of(outer.size, |k, l| dot(outer.row(k), &right[l]))
}
