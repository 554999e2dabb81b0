//! Logistic regression from a fixed number of gradients with noise.
//!
//! 1. One release of the sums of products of (1, x) over the training rows that have a label: n, means, covariances and scales, with a floor f
//!    under the eigenvalues of the centred sums that holds them at the bound of their noise.
//! 2. `train.steps` releases of the gradient g = sum of (1, x)(y - p), p being the published table at the integer predictor. From zero each step
//!    minimises the quadratic of curvature F around the point, plus the penalty. How many, and what they cost, is fixed in the plan; there is no
//!    line search and no rule that stops early.
//! 3. The model is one last quadratic, which costs nothing: around the mean of the last points (all but three, at least half), with the mean of
//!    their gradients. To first order the noise of the points cancels and that of the mean gradient is left: k gradients of variance
//!    sigma^2 count as one of sigma^2 / k, and steps that had not arrived are made up for. More steps hardly cost accuracy.
//!
//! F = sum of w (1, x)(1, x)', w = p (1 - p), is not released; it follows from the noisy sums (`curvature`). At zero it is X'X / 4, the bound of
//! Boehning and Lindsay, under which no step overshoots. Where w is small a step moves far, and so does its noise: w counts as at least the
//! value at which the noise of one gradient moves the predictor by [`NOISE_MAX`] (root mean square over rows), and at least [`WEIGHT_MIN`]. With
//! little noise steps are those of Newton's method, with much those of the bound.
//!
//! Standard errors of the coefficients, intercept at its best: A^-1 (F/n + (sigma^2 / k) L L') A^-1 with F and A = F / n + strength I profiled over
//! the intercept and L the map from the noise of the gradient to the profiled slopes. There are none with a floor, nor where the least w raises E w by
//! more than a twentieth.

use std::sync::Arc;

use super::super::card::{self, Fit};
use super::super::design::Design;
use super::super::factor::Symmetric;
use super::super::newton::{Local, Point};
use super::super::path::{self, Choice};
use super::super::{Setting, Step, TrainError, integer, logistic, unsolved};
use super::curvature::Curvature;
use super::linear::sandwich;
use super::{FLOOR_HAS_NO_ERRORS, GRAM, Noisy, active, mechanism, no_errors, sigma};
use crate::demand::{Demand, Fixed, Limbs, Shape};
use crate::evidence::Released;
use crate::model;
use crate::plan::Plan;
use crate::plan::spec::Privacy;
use crate::scalar::{Arithmetic, Expr, Predictor, Scalar};

/// Least weight p (1 - p) in a curvature, and the greatest there is.
const WEIGHT_MIN: f64 = 0.01;
const WEIGHT_MAX: f64 = 0.25;
/// Root mean square over rows by which the noise of a gradient may move the predictor.
const NOISE_MAX: f64 = 0.5;
/// Points on the way, which the last quadratic leaves out.
const ON_THE_WAY: usize = 3;
/// Standard deviations of noise within which a class counts as absent.
const CLASS_MIN: f64 = 2.0;
/// The last quadratic moves the predictor by more than this per standard deviation of a feature where the steps had not arrived.
const ARRIVED: f64 = 0.5;

/// Where the steps stand.
pub struct Steps<'a> {
    design: Design<'a>,
    noisy: Noisy,
    curvature: Curvature,
    floor: f64,
    deviations: Vec<f64>,
    choice: Choice,
    /// The point the next gradient is taken at, and its integer predictor.
    at: Point,
    predictor: Arc<Predictor>,
    seen: Vec<Seen>,
}

/// A released gradient: the point it was taken at, and the mean slopes there.
struct Seen {
    at: Point,
    slope0: f64,
    slope: Vec<f64>,
}

/// The sums of products of (1, features) over the training rows with a label.
pub fn demands(setting: &Setting) -> Vec<Demand> {
    let plan = setting.plan;
    let Some(label) = &plan.label else { return Vec::new() };
    let mut of = super::fixed(plan);
    // A column that is missing where the label is leaves such rows out.
    let number = plan.features.iter().position(|feature| feature.block.is_none()).unwrap_or(0);
    if let Some(column) = of.get_mut(number) {
        let known = Expr::Not(Box::new(Expr::IsNull(Box::new(label.clone()))));
        column.of = Expr::Case(vec![(known, column.of.clone())], None);
    }
    vec![super::gram(plan, of)]
}

/// Passes after the first.
pub fn reasons(plan: &Plan) -> Vec<String> {
    let steps = plan.spec.train.as_ref().map_or(0, |train| train.steps);
    (1..=steps as usize).map(|step| reason(step, steps)).collect()
}

fn reason(step: usize, steps: u32) -> String {
    format!("gradient step {step} of {steps}: a charged release over all training rows")
}

fn name(step: usize) -> String {
    format!("train/step/{step}")
}

/// Takes the sums of products and stands at zero.
pub fn start<'a>(setting: &Setting<'a>, released: &Released) -> Result<Steps<'a>, TrainError> {
    let Setting { plan, train } = *setting;
    super::check(setting)?;
    if plan.label.is_none() {
        return Err(TrainError::Failed(
            "a logistic model needs a label: give the column of role \"target\" positive = \"...\"".into(),
        ));
    }
    if train.steps == 0 {
        return Err(TrainError::Failed("train.steps must be at least 1".into()));
    }
    let noisy = Noisy::of(released, plan.features.len())?;
    let (active, notes) = active(&noisy, &plan.features)?;
    let deviation = |j: usize| (noisy.product(j, j) / noisy.n).sqrt();
    let design = Design::noisy(&plan.features, train, active, noisy.mean.clone(), deviation, notes);
    let size = design.size();
    let (gram, floor) = noisy.centred(&design.active);
    let curvature = Curvature::of(&noisy, &design, &gram, floor);
    let deviations: Vec<f64> = (0..size).map(|k| deviation(design.active[k]) / design.scale(k)).collect();
    let variances: Vec<f64> = deviations.iter().map(|deviation| deviation * deviation).collect();
    let choice = path::candidates(train, 0.0, &variances, 1)[0];
    let at = Point { b: vec![0.0; size], b0: 0.0 };
    let predictor = logistic::rounded(&design, &at)?;
    Ok(Steps { design, noisy, curvature, floor, deviations, choice, at, predictor, seen: Vec::new() })
}

impl Steps<'_> {
    /// The pass of the next gradient.
    pub fn collect(&self, plan: &Plan) -> Result<Step, TrainError> {
        let label = plan.label.as_ref().ok_or_else(|| TrainError::Failed("the label is gone from the plan".into()))?;
        let p = model::probability(&self.predictor, logistic::inputs(plan));
        let error: Scalar = Expr::Arithmetic(Arithmetic::Subtract, Box::new(logistic::outcome(label)), Box::new(p));
        let shape = Shape::Moments {
            by: Vec::new(),
            of: super::fixed(plan),
            weights: Vec::new(),
            cross: vec![Fixed { of: error, lower: -1.0, upper: 1.0 }],
            gram: false,
            limbs: Limbs::One,
        };
        let step = self.seen.len() + 1;
        let steps = plan.spec.train.as_ref().map_or(0, |train| train.steps);
        let demand = Demand { name: name(step).into(), rows: plan.part(0), shape };
        Ok(Step::Collect { reason: reason(step, steps), demands: vec![demand] })
    }

    /// Takes a released gradient; the model after the last.
    pub fn step(&mut self, setting: &Setting, released: &Released) -> Result<Step, TrainError> {
        let privacy = super::check(setting)?;
        let seen = self.slopes(released)?;
        if self.seen.is_empty() {
            self.check_classes(setting.plan, &seen, self.noise(released, 1))?;
        }
        let least = self.least_weight(self.noise(released, self.seen.len() + 1));
        let local = Local { slope0: seen.slope0, slope: seen.slope.clone(), ..self.curvature.at(&seen.at, least) };
        let next = local.step(&seen.at, self.choice.weights()).map_err(|why| unsolved(&why, &self.choice))?;
        self.seen.push(seen);
        if self.seen.len() < setting.train.steps as usize {
            // The integer predictor is what the next gradient is taken at.
            self.predictor = logistic::rounded(&self.design, &next)?;
            let (b, b0) = integer::floats(&self.predictor);
            let (b, b0) = self.design.on_scale(&b, b0);
            self.at = Point { b, b0 };
            return self.collect(setting.plan);
        }
        self.finish(setting, privacy, released).map(|model| Step::Done(Box::new(model)))
    }

    /// Mean slopes at the point, on the scale of the penalty.
    fn slopes(&self, released: &Released) -> Result<Seen, TrainError> {
        let step = self.seen.len() + 1;
        let moments = released.moments(&name(step))?;
        let variables = self.design.features.len() + 1;
        let sums = moments.total_where(|_| true).filter(|sums| sums.cross.len() == variables);
        let sums = sums.ok_or_else(|| super::super::no_rows(0))?;
        let unit = 2f64.powi(-2 * moments.scale_bits as i32) / self.noisy.n;
        let slope = |i: usize| -(sums.cross[i] as f64) * unit;
        let design = &self.design;
        let of = |k: usize| (slope(design.active[k] + 1) - design.mean(k) * slope(0)) / design.scale(k);
        Ok(Seen { at: self.at.clone(), slope0: slope(0), slope: (0..design.size()).map(of).collect() })
    }

    /// Standard deviation of the noise in an entry of a step's gradient, in rows.
    fn noise(&self, released: &Released, step: usize) -> f64 {
        sigma(released, &name(step)) * unit()
    }

    /// The first gradient is that at probability 1/2: rows of label 1 less half of all.
    fn check_classes(&self, plan: &Plan, first: &Seen, noise: f64) -> Result<(), TrainError> {
        let n = self.noisy.n;
        let positives = n / 2.0 - first.slope0 * n;
        let deviation = (noise * noise + self.noisy.sigma * self.noisy.sigma / 4.0).sqrt();
        if positives > CLASS_MIN * deviation && n - positives > CLASS_MIN * deviation {
            return Ok(());
        }
        let positive = plan.label.as_ref().map(|label| label.to_string()).unwrap_or_default();
        Err(TrainError::Failed(format!(
            "{positive} is true in about {positives:.0} of {n:.0} training rows by the released sums, of which the noise has a standard deviation of {deviation:.1}: both classes are needed; use more rows, or a larger share of the budget for the model"
        )))
    }

    /// Covariance of the noise in the mean slopes of two features, that of an entry being 1 row.
    fn slope_noise(&self, k: usize, l: usize, of0: impl Fn(usize) -> f64) -> f64 {
        let own = if k == l { 1.0 / (self.design.scale(k) * self.design.scale(k)) } else { 0.0 };
        (own + of0(k) * of0(l)) / (self.noisy.n * self.noisy.n)
    }

    /// The weight at which noise of this standard deviation in a gradient moves the predictor by [`NOISE_MAX`]; at the weight 1 its variance
    /// over rows is that in the constant, and the trace of the inverse covariance times that in the slopes.
    fn least_weight(&self, noise: f64) -> f64 {
        let factor = self.curvature.covariance.factor();
        if noise <= 0.0 || !factor.is_full() {
            return WEIGHT_MIN;
        }
        let inverse = factor.inverse();
        let size = self.design.size();
        let of0 = |k: usize| self.design.mean(k) / self.design.scale(k);
        let row = |k: usize| (0..size).map(|l| inverse.get(k, l) * self.slope_noise(k, l, of0)).sum::<f64>();
        let at_one = (1.0 / (self.noisy.n * self.noisy.n) + (0..size).map(row).sum::<f64>()).max(0.0).sqrt();
        (noise * at_one / NOISE_MAX).clamp(WEIGHT_MIN, WEIGHT_MAX)
    }

    /// The mean of the last points and the quadratic around it, with the mean of their slopes.
    fn last(&self, count: usize, least: f64) -> (Point, Local) {
        let size = self.design.size();
        let seen = &self.seen[self.seen.len().saturating_sub(count)..];
        let mean = |of: &dyn Fn(&Seen) -> f64| seen.iter().map(of).sum::<f64>() / seen.len() as f64;
        let at = Point { b: (0..size).map(|k| mean(&|s| s.at.b[k])).collect(), b0: mean(&|s| s.at.b0) };
        let slope0 = mean(&|s| s.slope0);
        let slope = (0..size).map(|k| mean(&|s| s.slope[k])).collect();
        let local = Local { slope0, slope, ..self.curvature.at(&at, least) };
        (at, local)
    }

    fn finish(
        &mut self,
        setting: &Setting,
        privacy: &Privacy,
        released: &Released,
    ) -> Result<crate::model::Model, TrainError> {
        let steps = self.seen.len();
        let count = steps.saturating_sub(ON_THE_WAY).max(steps.div_ceil(2));
        let noise: f64 = (steps - count + 1..=steps).map(|step| self.noise(released, step)).map(|s| s * s).sum();
        let noise = (noise / (count * count) as f64).sqrt();
        let least = self.least_weight(noise);
        let (at, local) = self.last(count, least);
        let extreme = local.curve00 > 1.05 * self.curvature.at(&at, 0.0).curve00;
        let after = local.step(&at, self.choice.weights()).map_err(|why| unsolved(&why, &self.choice))?;
        let moved = at.distance(&after, &self.deviations);
        let mut notes = vec![
            mechanism(released, GRAM, "The sums of products of the features", unit()),
            mechanism(released, &name(steps), &format!("{steps} gradients"), unit()),
            format!(
                "From zero {steps} steps; the model is the minimum of a quadratic around the mean of the last {count} points, {moved:.2} away per standard deviation of a feature."
            ),
        ];
        if moved > ARRIVED {
            notes.push("The steps had not arrived, or the noise moves them as far: more train.steps, more rows or a larger share of the budget for the model bring the fit nearer to that without noise.".into());
        }
        if self.floor > 0.0 {
            notes.push(format!(
                "The features spread less than the noise in some directions: a ridge of {:.4e} rows on the declared bounds was added to the curvature and slows the steps there.",
                self.floor
            ));
        }
        let errors = match no_errors(setting, privacy, &self.choice) {
            Some(why) => Err(why),
            None if self.floor > 0.0 => Err(FLOOR_HAS_NO_ERRORS.into()),
            None if extreme => Err("No standard errors: for this noise too many probabilities are near 0 or 1, and the curvature there does not follow from the noisy sums.".into()),
            None => self.errors(&local, noise),
        };
        let errors = match errors {
            Ok(errors) => {
                notes.push("Standard errors cover sampling and the noise of the gradients, to first order, with a curvature that follows from the noisy sums; they do not cover the bias that the penalty brings.".into());
                Some(errors)
            }
            Err(why) => {
                notes.push(why);
                None
            }
        };
        let fit = Fit {
            choice: self.choice,
            b: after.b,
            b0: after.b0,
            errors,
            path: Vec::new(),
            rows: self.noisy.rows,
            skipped: 0,
            notes,
        };
        card::model(setting.plan, setting.train, &self.design, fit)
    }

    /// Standard errors on the scale of the penalty; `noise` is the standard deviation in an entry of the mean gradient, in rows.
    fn errors(&self, local: &Local, noise: f64) -> Result<Vec<f64>, String> {
        let (design, n) = (&self.design, self.noisy.n);
        let size = design.size();
        let information = local.profiled();
        let factor = information.plus_diagonal(self.choice.strength).factor();
        if !factor.is_full() {
            return Err("No standard errors: the curvature cannot be inverted.".into());
        }
        // L: the slope of feature k takes e_k / scale and the constant's e_0 with this weight.
        let of0 = |k: usize| design.mean(k) / design.scale(k) + local.curve0[k] / local.curve00;
        let middle =
            Symmetric::of(size, |k, l| information.get(k, l) / n + noise * noise * self.slope_noise(k, l, of0));
        let variance = sandwich(&factor.inverse(), &middle);
        Ok((0..size).map(|k| variance.get(k, k).max(0.0).sqrt()).collect())
    }
}

/// A unit of released sums, in rows.
fn unit() -> f64 {
    2f64.powi(-2 * Limbs::One.bits() as i32)
}
