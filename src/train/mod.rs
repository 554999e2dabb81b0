//! The regression core: linear and logistic models with penalties, from moments; linfa solves every penalised quadratic.
//!
//! Linear: one pass of moments, whatever the number of penalties and folds. Logistic: the same pass brings a panel of training rows, on which
//! the penalty is chosen and Newton's method converges; a fixed number of Newton rounds over all training rows follows, one pass each.
//! Under differential privacy both are fitted to noisy sums (`private`).
//! Nothing is trained in silence on data it cannot be trained on: one class, separation, dependence and failure to converge are errors.

use crate::demand::Demand;
use crate::evidence::{Missing, Released};
use crate::model::Model;
use crate::plan::Plan;
use crate::plan::spec::{ModelKind, Penalty, Train};

mod card;
mod centred;
mod design;
mod factor;
mod integer;
mod linear;
mod logistic;
pub mod mitigate;
mod newton;
mod path;
pub mod private;
mod projection;
mod quadratic;
mod sample;
#[cfg(test)]
mod tests;

use path::Choice;
use quadratic::Unsolved;
use sample::Stuck;

/// What training asks for next.
pub enum Step {
    /// Another pass over the rows.
    Collect {
        reason: String,
        demands: Vec<Demand>,
    },
    Done(Box<Model>),
}

/// Why no model came out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Missing(#[from] Missing),
}

/// Most training rows on which a logistic model starts.
const PANEL_ROWS: usize = 50_000;

/// The plan and its section `[train]`.
#[derive(Clone, Copy)]
struct Setting<'a> {
    plan: &'a Plan,
    train: &'a Train,
}

impl Setting<'_> {
    fn is_penalised(&self) -> bool {
        self.train.penalty != Penalty::None && self.train.strength != Some(0.0)
    }
}

/// Fits the model of a plan, pass by pass.
pub struct Trainer<'a> {
    plan: &'a Plan,
    panel_rows: usize,
    rounds: Option<logistic::Rounds<'a>>,
    steps: Option<private::logistic::Steps<'a>>,
}

impl<'a> Trainer<'a> {
    pub fn new(plan: &'a Plan) -> Trainer<'a> {
        Trainer { plan, panel_rows: PANEL_ROWS, rounds: None, steps: None }
    }

    /// Statistics of the pass before the model.
    pub fn demands(&self) -> Vec<Demand> {
        let Some(train) = &self.plan.spec.train else { return Vec::new() };
        let setting = Setting { plan: self.plan, train };
        match (train.model, self.plan.spec.privacy.is_some()) {
            (ModelKind::Linear, false) => linear::demands(&setting),
            (ModelKind::Logistic, false) => logistic::demands(&setting, self.panel_rows),
            (ModelKind::Linear, true) => private::linear::demands(&setting),
            (ModelKind::Logistic, true) => private::logistic::demands(&setting),
        }
    }

    /// Takes what the passes so far released, the last one under its own names; asks for the next or returns the model.
    pub fn step(&mut self, released: &Released) -> Result<Step, TrainError> {
        let Some(train) = &self.plan.spec.train else {
            return Err(TrainError::Failed("the pipeline file has no section [train]".into()));
        };
        let setting = Setting { plan: self.plan, train };
        check(&setting)?;
        match (train.model, self.plan.spec.privacy.is_some()) {
            (ModelKind::Linear, false) => Ok(Step::Done(Box::new(linear::fit(&setting, released)?))),
            (ModelKind::Logistic, false) => match &mut self.rounds {
                Some(rounds) => rounds.step(&setting, released),
                None => self.rounds.insert(logistic::start(&setting, released)?).collect(self.plan),
            },
            (ModelKind::Linear, true) => Ok(Step::Done(Box::new(private::linear::fit(&setting, released)?))),
            (ModelKind::Logistic, true) => match &mut self.steps {
                Some(steps) => steps.step(&setting, released),
                None => self.steps.insert(private::logistic::start(&setting, released)?).collect(self.plan),
            },
        }
    }
}

/// Passes over the rows that training adds after the first, each with its reason.
pub fn passes(plan: &Plan) -> Vec<String> {
    match plan.spec.train.as_ref().map(|train| (train.model, plan.spec.privacy.is_some())) {
        Some((ModelKind::Logistic, true)) => private::logistic::reasons(plan),
        Some((ModelKind::Logistic, false)) => (1..=logistic::FULL_ROUNDS).map(logistic::reason).collect(),
        Some((ModelKind::Linear, _)) | None => Vec::new(),
    }
}

/// What no model can be trained with.
fn check(setting: &Setting) -> Result<(), TrainError> {
    let failed = |message: &str| Err(TrainError::Failed(message.into()));
    let train = setting.train;
    if setting.plan.weight.is_some() {
        return failed(
            "training does not take weights yet: take the role \"weight\" from the column, or audit given predictions",
        );
    }
    if train.strength.is_some_and(|strength| !strength.is_finite() || strength < 0.0) {
        return failed("train.strength must be a number of at least 0");
    }
    if train.l1_ratios.iter().any(|ratio| !(0.0..=1.0).contains(ratio)) {
        return failed("train.l1_ratios must be between 0 and 1");
    }
    if path::is_chosen(train) && train.folds < 2 {
        return failed("train.folds must be at least 2 to choose a penalty; or write train.strength");
    }
    Ok(())
}

fn no_rows(skipped: i64) -> TrainError {
    TrainError::Failed(match skipped {
        0 => "no row is in the training part: check ingest.where and train.split".into(),
        _ => format!(
            "all {skipped} training rows lack a feature or the target: declare missing = \"impute\", check levels and null_values, or leave the column out"
        ),
    })
}

fn empty_fold(fold: u32, folds: u32) -> TrainError {
    TrainError::Failed(format!(
        "fold {} of {folds} has no training rows, or all of them: use fewer train.folds, or write train.strength",
        fold + 1
    ))
}

fn unsolved(why: &Unsolved, choice: &Choice) -> TrainError {
    let at = format!("at strength {:.3e} and l1_ratio {}", choice.strength, choice.l1_ratio);
    TrainError::Failed(match why {
        Unsolved::Singular => {
            "the features are linear combinations of each other and nothing is penalised: choose a penalty".into()
        }
        Unsolved::NotFinite => "a sum of products is no finite number: check the bounds of features and target".into(),
        Unsolved::NotConverged(violation) => format!(
            "the fit {at} did not converge: the conditions of the minimum are violated by {violation:.1e} of the largest slope; raise the strength, or leave out features that nearly repeat each other"
        ),
        Unsolved::Refused(message) => format!("the fit {at} failed: {message}"),
    })
}

/// Why Newton's method gave no model; `leading` is the feature with the largest term.
fn stuck(why: &Stuck, choice: &Choice, leading: Option<String>) -> TrainError {
    let state = match why {
        Stuck::Moving(moved, _) => format!("the coefficients still move by {moved:.1e} per standard deviation"),
        Stuck::Unsolved(Unsolved::Singular) => "the curvature vanishes".into(),
        Stuck::Unsolved(other) => return unsolved(other, choice),
    };
    let feature = leading.map(|label| format!(", most for {label}")).unwrap_or_default();
    TrainError::Failed(match choice.strength > 0.0 {
        true => {
            format!("Newton's method does not converge: {state}{feature}; raise the strength ({:.1e})", choice.strength)
        }
        false => format!(
            "the features separate the classes, or nearly: {state}{feature}, so no finite coefficients fit best; choose a penalty or leave the feature out"
        ),
    })
}

/// Why there are no standard errors, when there are none.
fn no_errors(plan: &Plan, choice: &Choice) -> Option<String> {
    if plan.dependent {
        return Some("No standard errors: rows share units, and errors of independent rows would be too small.".into());
    }
    (choice.weights().absolute > 0.0).then(|| ABSOLUTE_HAS_NO_ERRORS.into())
}

const ABSOLUTE_HAS_NO_ERRORS: &str = "No standard errors: with a penalty on absolute values no closed form covers the choice of the non-zero coefficients; those of least squares would be too small.";
