//! What a run under differential privacy costs, how that is divided, and who pays.
//!
//! A part of the budget goes to the contract, by its share among the shares of the stages that run. Where a model is trained here, the rows of
//! the training part and those of the test part are different units (the split hashes the unit): by parallel composition (McSherry 2009) each of
//! the two may cost all that is left. Without a model, measuring may.

use crate::budget::{Allocation, Charge, UNITS, accounting};
use crate::ingest::contract;
use crate::measure::{self, Score, Subject};
use crate::plan::Plan;
use crate::plan::spec::{ModelKind, Privacy};
use crate::scalar::Scalar;
use crate::train::Trainer;
use crate::world::Entropy;

/// Who pays, and where the noise comes from.
pub struct Paying<'a> {
    /// Charges the ledger for all of a run, before anything is drawn.
    pub charge: Box<Till<'a>>,
    pub entropy: Entropy,
}

/// Takes the population, the cost of the run and its parts.
pub type Till<'a> = dyn FnMut(&str, Charge, &[Allocation]) -> Result<Charged, PayError> + 'a;

/// What whoever paid knows of the population.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charged {
    /// Other names under which files of the same source were charged.
    pub other_names: Vec<String>,
}

impl Paying<'_> {
    /// Pays nothing: for pipelines without differential privacy.
    pub fn nobody() -> Paying<'static> {
        let why = "no ledger is open for a pipeline with the section [privacy]";
        Paying { charge: Box::new(|_, _, _| Err(PayError::Failed(why.into()))), entropy: Entropy::System }
    }
}

/// Why nothing was charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// The budget does not allow it: exit code 4.
    #[error("{0}")]
    Refused(String),
    /// The ledger could not be asked or written.
    #[error("{0}")]
    Failed(String),
}

/// The cost of a run and its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    pub total: Charge,
    pub allocations: Vec<Allocation>,
    /// Training and measuring look at different units.
    pub parallel: bool,
}

/// What the releases of a plan cost. None without differential privacy.
pub fn cost(plan: &Plan) -> Option<Cost> {
    let privacy = plan.spec.privacy.as_ref()?;
    let shares = &privacy.shares;
    let contract: Vec<String> = contract::demands(plan).iter().map(|demand| demand.name.to_string()).collect();
    let training = training(plan);
    let measuring: Vec<(String, f64)> = measure::demands(plan, &expected(plan))
        .iter()
        .map(|demand| {
            let share = match &*demand.name {
                "measure/table" => shares.table,
                "measure/score" => shares.scores,
                _ => shares.losses,
            };
            (demand.name.to_string(), share)
        })
        .collect();
    let parallel = !training.is_empty();
    let sum = |parts: &[(String, f64)]| parts.iter().map(|(_, share)| share).sum::<f64>();
    let all = shares.contract + sum(&measuring) + if parallel { shares.train } else { 0.0 };
    let first = shares.contract / all;
    let unit = Unit::of(privacy);
    let divide = |parts: &[(String, f64)], whole: f64| -> Vec<Allocation> {
        let of_one = |(name, share): &(String, f64)| Allocation {
            statistic: name.as_str().into(),
            charge: unit.part(whole * share / sum(parts)),
        };
        parts.iter().map(of_one).collect()
    };
    let contract = divide(&contract.into_iter().map(|name| (name, 1.0)).collect::<Vec<_>>(), first);
    let (training, measuring) = (divide(&training, 1.0 - first), divide(&measuring, 1.0 - first));
    let total = |parts: &[Allocation]| parts.iter().fold(Charge::FREE, |sum, part| sum.plus(part.charge));
    let charge = total(&contract).plus(greater(total(&training), total(&measuring)));
    let allocations = contract.into_iter().chain(training).chain(measuring).collect();
    Some(Cost { total: charge, allocations, parallel })
}

/// The cost of the dearer of two, in every respect.
fn greater(a: Charge, b: Charge) -> Charge {
    Charge {
        rho: a.rho.max(b.rho),
        delta: a.delta.max(b.delta),
        epsilon: a.epsilon.zip(b.epsilon).map(|(a, b)| a.max(b)),
    }
}

/// The budget of a run, in the unit of its mechanism.
enum Unit {
    Epsilon(f64),
    Rho(f64),
}

impl Unit {
    fn of(privacy: &Privacy) -> Unit {
        match privacy.delta > 0.0 {
            true => Unit::Rho(accounting::rho_of(privacy.epsilon, privacy.delta)),
            false => Unit::Epsilon(privacy.epsilon),
        }
    }

    /// A part of it, rounded down.
    fn part(&self, share: f64) -> Charge {
        let units = |whole: f64| (whole * share * UNITS as f64).floor().max(0.0) as u64;
        match self {
            Unit::Epsilon(epsilon) => Charge::pure(units(*epsilon)),
            Unit::Rho(rho) => Charge::concentrated(units(*rho)),
        }
    }
}

/// Share of the training budget that goes to the products of the features of a logistic model; the steps share the rest.
const GRAM_SHARE: f64 = 0.25;

/// Releases of training with their shares.
fn training(plan: &Plan) -> Vec<(String, f64)> {
    let Some(train) = &plan.spec.train else { return Vec::new() };
    let first: Vec<String> = Trainer::new(plan).demands().iter().map(|demand| demand.name.to_string()).collect();
    match train.model {
        ModelKind::Linear => first.into_iter().map(|name| (name, 1.0)).collect(),
        ModelKind::Logistic => {
            let steps = (1..=train.steps).map(|step| format!("train/step/{step}"));
            let share = (1.0 - GRAM_SHARE) / f64::from(train.steps);
            first.into_iter().map(|name| (name, GRAM_SHARE)).chain(steps.map(|name| (name, share))).collect()
        }
    }
}

/// A subject with the columns of the one that will be measured; a model that is not trained yet is stood in for.
pub(super) fn expected(plan: &Plan) -> Subject {
    let given = Subject::given(plan);
    let any = || Scalar::number(0.0);
    match plan.spec.train.as_ref().map(|train| train.model) {
        None => given,
        Some(ModelKind::Linear) => Subject { prediction: Some(any()), ..given },
        Some(ModelKind::Logistic) => {
            let score = Score { of: any(), log_loss: Some(any()) };
            Subject { decision: None, score: Some(score), target: None, prediction: None, ..given }
        }
    }
}

#[cfg(test)]
mod tests;
