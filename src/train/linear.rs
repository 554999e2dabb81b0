//! Least squares with penalties, from moments of one pass.
//!
//! | penalty | standard errors | source |
//! |---|---|---|
//! | none | s2 G^-1, s2 = RSS / (n - p - 1) | |
//! | ridge | s2 A^-1 G A^-1, A = G + n strength I, s2 = RSS / (n - 1 - tr(A^-1 G)) | Hoerl and Kennard 1970, Technometrics 12 |
//! | with absolute values | none: no closed form covers the choice of the non-zero coefficients | Leeb and Poetscher 2008, Econometric Theory 24 |
//!
//! G are centred sums over the training rows. Cross-validation: a fold's model comes from the moments of the other folds, its loss (mean
//! squared error) from the fold's own moments. Features are scaled once, over all training rows; each fit has its own means.

use super::card::{self, Fit};
use super::centred::Centred;
use super::design::Design;
use super::factor::{Symmetric, dot};
use super::path::{self, Choice};
use super::quadratic::Quadratic;
use super::{Setting, TrainError};
use crate::audit::PathPoint;
use crate::demand::{Axis, Demand, Fixed, Limbs, Shape};
use crate::evidence::Released;
use crate::model::Model;
use crate::plan::{Numeric, Plan};
use crate::statistic::Moments;

const MOMENTS: &str = "train/moments";
/// Strengths on the path of every ratio.
pub const STRENGTHS: usize = 100;

/// The moments of features and target over the training rows, by fold when a penalty is chosen.
pub fn demands(setting: &Setting) -> Vec<Demand> {
    let plan = setting.plan;
    let Some(target) = &plan.target else { return Vec::new() };
    let mut of: Vec<Fixed> = plan.features.iter().map(|feature| feature.fixed.clone()).collect();
    of.push(Fixed { of: target.of.clone(), lower: target.lower, upper: target.upper });
    let by = match path::is_chosen(setting.train) {
        true => vec![Axis::buckets(plan.key.clone(), plan.salt("fold"), setting.train.folds.max(1))],
        false => Vec::new(),
    };
    let shape = Shape::Moments { by, of, weights: Vec::new(), cross: Vec::new(), gram: true, limbs: Limbs::Two };
    vec![Demand { name: MOMENTS.into(), rows: plan.part(0), shape }]
}

/// Fits the model.
pub fn fit(setting: &Setting, released: &Released) -> Result<Model, TrainError> {
    let Setting { plan, train } = *setting;
    let target = target(plan)?;
    let moments = released.moments(MOMENTS)?;
    let sums = moments.total_where(|_| true);
    let skipped = sums.as_ref().map_or(0, |sums| sums.skipped);
    let Some(all) = sums.and_then(|sums| Centred::of(&sums, moments.scale_bits)) else {
        return Err(super::no_rows(skipped));
    };
    let y = plan.features.len();
    if all.products.get(y, y) == 0.0 {
        let message = format!(
            "the target has the same value in all {} training rows, as far as its bounds tell values apart; there is nothing to explain: check the target, narrow its bounds",
            all.n
        );
        return Err(TrainError::Failed(message));
    }
    let mut design = Design::of(&plan.features, train, &all, setting.is_penalised())?;
    let scaled = Scaled::of(&all, &design, target);
    design.check_dependence(&scaled.gram, all.n, setting.is_penalised())?;
    let slope_max = scaled.cross.iter().fold(0.0f64, |most, c| most.max(c.abs())) / all.n as f64;
    let variances: Vec<f64> = (0..design.size()).map(|k| scaled.gram.get(k, k) / all.n as f64).collect();
    let candidates = path::candidates(train, slope_max, &variances, STRENGTHS);
    let (choice, path) = match path::is_chosen(train) {
        true => cross_validate(moments, &design, target, train.folds, &candidates)?,
        false => (candidates[0], Vec::new()),
    };
    let b = scaled.quadratic().minimise(choice.weights()).map_err(|why| super::unsolved(&why, &choice))?;
    let mut notes = Vec::new();
    if !path.is_empty() {
        notes.push(format!(
            "The penalty has the least mean squared error of {} in {}-fold cross-validation over the training rows; standard errors do not cover this choice.",
            path.len(),
            train.folds
        ));
    }
    let errors = errors(plan, &scaled, &choice, &b, &mut notes);
    let b0 = scaled.y_mean;
    card::model(plan, train, &design, Fit { choice, b, b0, errors, path, rows: all.n, skipped, notes })
}

pub fn target(plan: &Plan) -> Result<&Numeric, TrainError> {
    plan.target.as_ref().ok_or_else(|| {
        TrainError::Failed(
            "a linear model needs a numeric target: give the column of role \"target\" bounds = [least, greatest]"
                .into(),
        )
    })
}

/// Centred sums on the scale of the penalty; the target in its own unit.
struct Scaled {
    n: f64,
    gram: Symmetric,
    cross: Vec<f64>,
    square: f64,
    /// Means of the features in units of the scale, from the mean of all training rows.
    mean: Vec<f64>,
    y_mean: f64,
}

impl Scaled {
    fn of(moments: &Centred, design: &Design, target: &Numeric) -> Scaled {
        let y = design.features.len();
        let half = (target.upper - target.lower) / 2.0;
        let at = |k: usize| design.active[k];
        Scaled {
            n: moments.n as f64,
            gram: Symmetric::of(design.size(), |k, l| {
                moments.products.get(at(k), at(l)) / (design.scale(k) * design.scale(l))
            }),
            cross: (0..design.size()).map(|k| moments.products.get(at(k), y) * half / design.scale(k)).collect(),
            square: moments.products.get(y, y) * half * half,
            mean: (0..design.size()).map(|k| (moments.mean[at(k)] - design.mean(k)) / design.scale(k)).collect(),
            y_mean: target.lower + (moments.mean[y] + 1.0) * half,
        }
    }

    /// Half the mean squared error, up to a constant.
    fn quadratic(&self) -> Quadratic {
        let gram = Symmetric::of(self.gram.size, |k, l| self.gram.get(k, l) / self.n);
        Quadratic::new(gram, self.cross.iter().map(|c| c / self.n).collect())
    }

    /// Residual sum of squares about the means of these rows.
    fn residual(&self, b: &[f64]) -> f64 {
        (self.square - 2.0 * dot(b, &self.cross) + dot(b, &self.gram.times(b))).max(0.0)
    }

    /// Mean squared error over these rows of coefficients fitted to others.
    fn loss(&self, b: &[f64], fitted: &Scaled) -> f64 {
        let shift: f64 =
            b.iter().zip(self.mean.iter().zip(&fitted.mean)).map(|(b, (here, there))| b * (here - there)).sum();
        let offset = self.y_mean - fitted.y_mean - shift;
        self.residual(b) / self.n + offset * offset
    }
}

fn cross_validate(
    moments: &Moments,
    design: &Design,
    target: &Numeric,
    folds: u32,
    candidates: &[Choice],
) -> Result<(Choice, Vec<PathPoint>), TrainError> {
    let mut losses = vec![Vec::new(); candidates.len()];
    for fold in 0..folds {
        let part = |keep: &dyn Fn(&[u32]) -> bool| {
            let sums = moments.total_where(keep);
            sums.and_then(|sums| Centred::of(&sums, moments.scale_bits)).map(|sums| Scaled::of(&sums, design, target))
        };
        let (held_out, others) = (part(&|codes| codes == [fold]), part(&|codes| codes != [fold]));
        let (Some(held_out), Some(others)) = (held_out, others) else {
            return Err(super::empty_fold(fold, folds));
        };
        let quadratic = others.quadratic();
        for (choice, losses) in candidates.iter().zip(&mut losses) {
            let b = quadratic.minimise(choice.weights()).map_err(|why| super::unsolved(&why, choice))?;
            losses.push(held_out.loss(&b, &others));
        }
    }
    let (choice, path) = path::least(candidates, &losses);
    choice.map(|choice| (choice, path)).ok_or_else(|| TrainError::Failed("no penalty to choose from".into()))
}

/// Standard errors of the coefficients on the scale of the penalty.
fn errors(plan: &Plan, scaled: &Scaled, choice: &Choice, b: &[f64], notes: &mut Vec<String>) -> Option<Vec<f64>> {
    if let Some(why) = super::no_errors(plan, choice) {
        notes.push(why);
        return None;
    }
    let penalty = choice.strength * scaled.n;
    let factor = scaled.gram.plus_diagonal(penalty).factor();
    if !factor.is_full() {
        notes.push("No standard errors: the sums of the features cannot be inverted.".into());
        return None;
    }
    let inverse = factor.inverse();
    let size = scaled.gram.size;
    // tr(A^-1 G) = p - n strength tr(A^-1)
    let effective = size as f64 - penalty * (0..size).map(|k| inverse.get(k, k)).sum::<f64>();
    let freedom = scaled.n - 1.0 - effective;
    if freedom < 0.5 {
        notes.push("No standard errors: too few training rows for the number of coefficients.".into());
        return None;
    }
    let s2 = scaled.residual(b) / freedom;
    notes.push(match penalty > 0.0 {
        true => format!(
            "Standard errors are the sampling errors of the ridge estimator, with {effective:.2} effective degrees of freedom; they do not cover the bias that the penalty brings."
        ),
        false => format!("Standard errors of least squares with {freedom} degrees of freedom, for errors of equal variance."),
    });
    let variance = |k: usize| dot(inverse.row(k), &scaled.gram.times(inverse.row(k)));
    Some((0..size).map(|k| (s2 * variance(k)).sqrt()).collect())
}
