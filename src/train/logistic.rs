//! Logistic regression with penalties: the mean log loss over all training rows, to the precision of the published link.
//!
//! 1. With the first pass: means, deviations and label counts of all training rows, and a panel of at most 50,000 of them. On the panel the
//!    penalty is chosen and Newton's method converges.
//! 2. [`FULL_ROUNDS`] passes over all training rows, one Newton step each. Slopes are sums of x (y - p) at 2^-40, with p the published table of
//!    the integer predictor, so every engine has the same integers; what the table and the rounding of the inputs add to a slope is computed
//!    on the panel and taken off. Curvatures are sums of p (1 - p) x x' at 2^-20: they steer, they do not
//!    decide where the minimum is.
//!
//! Newton's error after a step is about C times the square of the error before. With steps s1 and s2 that C is s2 / s1^2, so s2 (s2 / s1)^2 is
//! left after the second; above [`ERROR_MAX`] the fit counts as not converged.
//!
//! Standard errors: (A^-1 H A^-1 / n)^1/2, H the curvature with the intercept at its best, A = H + strength I (le Cessie and van Houwelingen
//! 1992, Applied Statistics 41); without a penalty the inverse information.

use std::sync::Arc;

use super::card::{self, Fit};
use super::centred::{Centred, at};
use super::design::{Design, labels};
use super::factor::{Symmetric, dot};
use super::newton::{Local, Point};
use super::path::{self, Choice};
use super::sample::{Sample, Stuck};
use super::{Setting, Step, TrainError, integer};
use crate::audit::PathPoint;
use crate::demand::{Axis, Demand, Fixed, Limbs, Shape};
use crate::evidence::Released;
use crate::model;
use crate::plan::Plan;
use crate::plan::spec::ModelKind;
use crate::scalar::{Arithmetic, Expr, Predictor, Scalar};
use crate::statistic::MomentSums;

const MOMENTS: &str = "train/moments";
const PANEL: &str = "train/panel";
/// Newton steps over all training rows.
pub const FULL_ROUNDS: usize = 2;
/// Strengths on the path of every ratio.
pub const STRENGTHS: usize = 20;
/// Greatest error that Newton's method may leave, in units of the predictor per standard deviation of a feature.
const ERROR_MAX: f64 = 1e-6;
/// A step this small is at the resolution of the link's table.
const STEP_RESOLVED: f64 = 1e-7;

/// Where the Newton rounds stand.
pub struct Rounds<'a> {
    design: Design<'a>,
    deviations: Vec<f64>,
    choice: Choice,
    path: Vec<PathPoint>,
    rows: i64,
    skipped: i64,
    sample: Sample,
    /// The predictor the next round is taken at.
    predictor: Arc<Predictor>,
    steps: Vec<f64>,
}

/// Means, deviations and label counts of all training rows, and the panel.
pub fn demands(setting: &Setting, panel_rows: usize) -> Vec<Demand> {
    let plan = setting.plan;
    let Some(label) = &plan.label else { return Vec::new() };
    let by = vec![Axis::Truth { of: label.clone() }];
    let moments =
        Shape::Moments { by, of: fixed(plan), weights: Vec::new(), cross: Vec::new(), gram: true, limbs: Limbs::Two };
    let of = inputs(plan).into_iter().chain([outcome(label)]).collect();
    let panel =
        Shape::Panel { of, key: plan.key.clone(), salt: plan.salt("panel"), limit: panel_rows, distinct: false };
    let demand = |name: &str, shape| Demand { name: name.into(), rows: plan.part(0), shape };
    vec![demand(MOMENTS, moments), demand(PANEL, panel)]
}

/// Chooses the penalty and converges on the panel.
pub fn start<'a>(setting: &Setting<'a>, released: &Released) -> Result<Rounds<'a>, TrainError> {
    let Setting { plan, train } = *setting;
    let positive = plan.label.as_ref().map(|label| label.to_string()).ok_or_else(|| {
        TrainError::Failed(
            "a logistic model needs a label: give the column of role \"target\" positive = \"...\"".into(),
        )
    })?;
    let moments = released.moments(MOMENTS)?;
    let group = |keep: &dyn Fn(u32) -> bool| moments.total_where(|codes| codes.iter().all(|&code| keep(code)));
    let rows = |sums: &Option<MomentSums>| sums.as_ref().map_or((0, 0), |sums| (sums.n, sums.skipped));
    let (known, ones, unknown) = (group(&|code| code < 2), group(&|code| code == 1), group(&|code| code == 2));
    let skipped = rows(&known).1 + rows(&unknown).0 + rows(&unknown).1;
    let Some(all) = known.as_ref().and_then(|sums| Centred::of(sums, moments.scale_bits)) else {
        return Err(super::no_rows(skipped));
    };
    let positives = rows(&ones).0;
    let Some(ones) = ones.as_ref().and_then(|sums| Centred::of(sums, moments.scale_bits)).filter(|_| positives < all.n)
    else {
        return Err(one_class(&positive, positives, all.n));
    };
    let mut design = Design::of(&plan.features, train, &all, setting.is_penalised())?;
    let active = |k: usize| design.active[k];
    let size = design.size();
    let products =
        Symmetric::of(size, |k, l| all.products.get(active(k), active(l)) / (design.scale(k) * design.scale(l)));
    let slope =
        |k: usize| positives as f64 / all.n as f64 * (ones.mean[active(k)] - all.mean[active(k)]) / design.scale(k);
    let slope_max = (0..size).fold(0.0f64, |most, k| most.max(slope(k).abs()));
    let deviations: Vec<f64> = (0..size).map(|k| (products.get(k, k) / all.n as f64).sqrt()).collect();
    design.check_dependence(&products, all.n, setting.is_penalised())?;
    let sample = Sample::of(released.panel(PANEL)?, &design);
    if sample.positives() == 0 || sample.positives() == sample.rows() {
        return Err(rare(&positive, positives, all.n, sample.rows()));
    }
    let variances: Vec<f64> = deviations.iter().map(|deviation| deviation * deviation).collect();
    let candidates = path::candidates(train, slope_max, &variances, STRENGTHS);
    let (choice, path) = match path::is_chosen(train) {
        true => sample.choose(&candidates, train.folds, &deviations)?,
        false => (candidates[0], Vec::new()),
    };
    let point = sample
        .fit(&choice, &deviations)
        .map_err(|stuck| super::stuck(&stuck, &choice, leading(&stuck, &design, &deviations)))?;
    let predictor = rounded(&design, &point)?;
    Ok(Rounds { design, deviations, choice, path, rows: all.n, skipped, sample, predictor, steps: Vec::new() })
}

impl Rounds<'_> {
    /// The pass of the next round.
    pub fn collect(&self, plan: &Plan) -> Result<Step, TrainError> {
        let label = plan.label.as_ref().ok_or_else(|| TrainError::Failed("the label is gone from the plan".into()))?;
        let p = model::probability(&self.predictor, inputs(plan));
        let binary =
            |by, left: &Scalar, right: &Scalar| Expr::Arithmetic(by, Box::new(left.clone()), Box::new(right.clone()));
        let weight = binary(Arithmetic::Multiply, &p, &binary(Arithmetic::Subtract, &Scalar::number(1.0), &p));
        let error = binary(Arithmetic::Subtract, &outcome(label), &p);
        let shape = Shape::Moments {
            by: Vec::new(),
            of: fixed(plan),
            weights: vec![Fixed { of: weight, lower: -WEIGHT_MAX, upper: WEIGHT_MAX }],
            cross: vec![Fixed { of: error, lower: -1.0, upper: 1.0 }],
            gram: false,
            limbs: Limbs::Two,
        };
        let round = self.steps.len() + 1;
        let demand = Demand { name: name(round).into(), rows: plan.part(0), shape };
        Ok(Step::Collect { reason: reason(round), demands: vec![demand] })
    }

    /// Takes the round's step; the model after the last.
    pub fn step(&mut self, setting: &Setting, released: &Released) -> Result<Step, TrainError> {
        let moments = released.moments(&name(self.steps.len() + 1))?;
        let sums =
            moments.total_where(|_| true).filter(|sums| sums.n > 0).ok_or_else(|| super::no_rows(self.skipped))?;
        let mut local = self.local(&sums, moments.scale_bits);
        let (b, b0) = integer::floats(&self.predictor);
        let (b, b0) = self.design.on_scale(&b, b0);
        let before = Point { b, b0 };
        let (error0, error) = self.sample.table_error(&before, &self.predictor, &self.design);
        local.slope0 += error0;
        local.slope.iter_mut().zip(error).for_each(|(slope, error)| *slope += error);
        let weights = self.choice.weights();
        let after = local.step(&before, weights).map_err(|why| super::unsolved(&why, &self.choice))?;
        self.steps.push(before.distance(&after, &self.deviations));
        if self.steps.len() < FULL_ROUNDS {
            self.predictor = rounded(&self.design, &after)?;
            return self.collect(setting.plan);
        }
        let left = self.converged()?;
        let mut notes = self.notes(setting, left);
        let errors = self.errors(setting.plan, &local, &mut notes);
        let (choice, path, rows, skipped) = (self.choice, std::mem::take(&mut self.path), self.rows, self.skipped);
        let fit = Fit { choice, b: after.b, b0: after.b0, errors, path, rows, skipped, notes };
        Ok(Step::Done(Box::new(card::model(setting.plan, setting.train, &self.design, fit)?)))
    }

    /// Slopes and curvatures over all training rows, on the scale of the penalty.
    fn local(&self, sums: &MomentSums, bits: u32) -> Local {
        let design = &self.design;
        let n = sums.n as f64;
        let variables = design.features.len() + 1;
        let unit = 2f64.powi(-2 * bits as i32) / n;
        let slope = |i: usize| -(sums.cross[i] as f64) * unit;
        let weighted = |i: usize, j: usize| {
            let sum = sums.weighted[0][at(variables, i.min(j), i.max(j))] as f64;
            sum * 2f64.powi(-40) * WEIGHT_MAX / n
        };
        let column = |k: usize| design.active[k] + 1;
        let mean = |k: usize| design.mean(k);
        let curve = |k: usize, l: usize| {
            let (i, j) = (column(k), column(l));
            let sum = weighted(i, j) - mean(k) * weighted(0, j) - mean(l) * weighted(0, i)
                + mean(k) * mean(l) * weighted(0, 0);
            sum / (design.scale(k) * design.scale(l))
        };
        Local {
            slope0: slope(0),
            slope: (0..design.size()).map(|k| (slope(column(k)) - mean(k) * slope(0)) / design.scale(k)).collect(),
            curve00: weighted(0, 0),
            curve0: (0..design.size())
                .map(|k| (weighted(0, column(k)) - mean(k) * weighted(0, 0)) / design.scale(k))
                .collect(),
            curve: Symmetric::of(design.size(), curve),
        }
    }

    /// The error left after the last round, or why there is too much.
    fn converged(&self) -> Result<f64, TrainError> {
        let [.., first, last] = self.steps[..] else { return Err(TrainError::Failed("too few Newton rounds".into())) };
        let rate = if first > 0.0 { last / first } else { 0.0 };
        let left = if last <= STEP_RESOLVED { last } else { last * rate * rate };
        match left <= ERROR_MAX && (last <= STEP_RESOLVED || rate < 0.5) {
            true => Ok(left),
            false => Err(TrainError::Failed(format!(
                "not converged after {FULL_ROUNDS} Newton rounds over all training rows: the last moved the predictor by {last:.1e} per standard deviation of a feature, the one before by {first:.1e}; raise the strength, leave out features that nearly repeat each other, or narrow bounds far wider than the values"
            ))),
        }
    }

    fn notes(&self, setting: &Setting, left: f64) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.path.is_empty() {
            notes.push(format!(
                "The penalty has the least mean log loss of {} in {}-fold cross-validation over at most 20,000 training rows; standard errors do not cover this choice.",
                self.path.len(),
                setting.train.folds
            ));
        }
        notes.push(format!(
            "Newton's method converged on {} training rows, then took {FULL_ROUNDS} steps over all {}; the error left in the predictor per standard deviation of a feature is about {left:.0e}.",
            self.sample.rows(), self.rows
        ));
        notes
    }

    fn errors(&self, plan: &Plan, local: &Local, notes: &mut Vec<String>) -> Option<Vec<f64>> {
        if let Some(why) = super::no_errors(plan, &self.choice) {
            notes.push(why);
            return None;
        }
        let information = local.profiled();
        let factor = information.plus_diagonal(self.choice.strength).factor();
        if !factor.is_full() {
            notes.push("No standard errors: the curvature cannot be inverted.".into());
            return None;
        }
        notes.push(match self.choice.strength > 0.0 {
            true => "Standard errors are the sampling errors of the penalised estimator; they do not cover the bias that the penalty brings.".into(),
            false => "Standard errors come from the observed information.".into(),
        });
        let inverse = factor.inverse();
        let variance = |k: usize| dot(inverse.row(k), &information.times(inverse.row(k))) / self.rows as f64;
        Some((0..information.size).map(|k| variance(k).sqrt()).collect())
    }
}

/// Greatest weight p (1 - p).
const WEIGHT_MAX: f64 = 0.25;

/// Why a round over all training rows is made.
pub fn reason(round: usize) -> String {
    format!("Newton round {round} of {FULL_ROUNDS} over all training rows")
}

fn name(round: usize) -> String {
    format!("train/newton-{round}")
}

fn fixed(plan: &Plan) -> Vec<Fixed> {
    plan.features.iter().map(|feature| feature.fixed.clone()).collect()
}

pub fn inputs(plan: &Plan) -> Vec<Scalar> {
    plan.features.iter().map(|feature| feature.fixed.of.clone()).collect()
}

/// 1 or 0; missing where the label is.
pub fn outcome(label: &Scalar) -> Scalar {
    let no = Expr::Not(Box::new(label.clone()));
    Expr::Case(vec![(label.clone(), Scalar::number(1.0)), (no, Scalar::number(0.0))], None)
}

pub fn rounded(design: &Design, point: &Point) -> Result<Arc<Predictor>, TrainError> {
    let (b, b0) = design.on_bounds(&point.b, point.b0);
    let columns: Vec<Fixed> = design.features.iter().map(|feature| feature.fixed.clone()).collect();
    integer::rounded(ModelKind::Logistic, &columns, &b, b0).map(|(predictor, _)| Arc::new(predictor))
}

/// The feature with the largest term where Newton's method was still moving.
fn leading(stuck: &Stuck, design: &Design, deviations: &[f64]) -> Option<String> {
    let Stuck::Moving(_, point) = stuck else { return None };
    let term = |k: usize| point.b[k].abs() * deviations[k];
    let k = (0..design.size()).reduce(|a, b| if term(b) > term(a) { b } else { a })?;
    Some(labels(design.features, &[design.active[k]]))
}

fn one_class(positive: &str, positives: i64, rows: i64) -> TrainError {
    let (found, lacking) = if positives == 0 { ("false", "true") } else { ("true", "false") };
    TrainError::Failed(format!(
        "{positive} is {found} in all {rows} training rows and {lacking} in none: a model needs both; check positive, ingest.where and the split"
    ))
}

fn rare(positive: &str, positives: i64, rows: i64, sample: usize) -> TrainError {
    TrainError::Failed(format!(
        "{positive} is true in {positives} of {rows} training rows and the same in all {sample} rows that the fit starts on: too rare to fit; choose a more frequent outcome or more balanced rows"
    ))
}
