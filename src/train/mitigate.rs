//! What can be done about a difference: rules for decisions by cohort, and models fitted again under constraints.
//!
//! Everything is chosen on rows that the effects are not measured on, from panels of at most 50,000 rows that the first pass brings; a linear
//! model from moments of the same pass. For a model that is trained here no pass is added.

use std::sync::Arc;

use crate::demand::{Demand, Rows as Which, Shape};
use crate::evidence::{Missing, Released};
use crate::model::{Candidate, Model, NotTried, Rule};
use crate::plan::Plan;
use crate::plan::mitigated::{COHORTS_MAX, Mitigated};
use crate::plan::spec::{Mitigate, ModelKind, Remedy};
use crate::scalar::{Expr, Order, Scalar};

mod curve;
mod decisions;
mod fit;
mod linear;
mod odds;
mod refit;
mod repair;
mod rows;
#[cfg(test)]
mod tests;

use decisions::Scores;
use refit::{Fitted, Panel};

const TRAIN: &str = "mitigate/train";
const CALIBRATION: &str = "mitigate/calibration";
/// Most rows of a panel.
const ROWS_MAX: usize = 50_000;

/// The statistics that candidates are made from; those of the first pass.
pub fn demands(plan: &Plan) -> Vec<Demand> {
    let Some((section, mitigated)) = plan.mitigated() else { return Vec::new() };
    let kind = plan.spec.train.as_ref().map(|train| train.model);
    if kind == Some(ModelKind::Linear) {
        return plan.target.iter().map(|target| linear::demand(plan, target, &mitigated)).collect();
    }
    let Some(label) = &plan.label else { return Vec::new() };
    let panel = |name: &str, rows: Which, of: Vec<Scalar>| {
        let of = of.into_iter().chain([super::logistic::outcome(label), mitigated.index()]).collect();
        let (key, salt) = (plan.key.clone(), plan.salt("panel"));
        let shape = Shape::Panel { of, key, salt, limit: ROWS_MAX, distinct: false };
        Demand { name: name.into(), rows, shape }
    };
    match kind {
        None => {
            let score = plan.score.iter().cloned();
            score.map(|score| panel(CALIBRATION, plan.mitigation_rows(), vec![score])).collect()
        }
        Some(_) => {
            let mut demands = Vec::new();
            let remedies = section.remedies();
            let inputs = super::logistic::inputs(plan);
            if remedies.iter().any(|remedy| !remedy.is_of_decisions()) {
                demands.push(panel(TRAIN, plan.part(0), inputs.clone()));
            }
            if remedies.iter().any(|remedy| remedy.is_of_decisions()) {
                demands.push(panel(CALIBRATION, plan.mitigation_rows(), inputs));
            }
            demands
        }
    }
}

/// Candidates, and what could not be tried.
#[derive(Debug, Clone, Default)]
pub struct Made {
    pub candidates: Vec<Candidate>,
    pub not_tried: Vec<NotTried>,
    /// Rows that rules were chosen on, and where there are such, rows that models were fitted to.
    pub rows: u64,
}

/// Makes every candidate. `model` is the one that was trained, where one was.
pub fn candidates(plan: &Plan, model: Option<&Model>, released: &Released) -> Result<Made, Missing> {
    let mut made = Made::default();
    let Some(section) = &plan.spec.mitigate else { return Ok(made) };
    let Some((_, mitigated)) = plan.mitigated() else {
        let why = format!("no set of protected columns of at most {COHORTS_MAX} cohorts is measured under that name");
        made.not_tried = section.remedies().into_iter().map(|remedy| NotTried { remedy, why: why.clone() }).collect();
        return Ok(made);
    };
    let predictions = plan.mitigates_predictions();
    let possible = |remedy: &Remedy| match (predictions, model) {
        (true, _) => remedy.is_of_predictions(),
        (false, Some(_)) => true,
        (false, None) => remedy.is_of_decisions(),
    };
    let (possible, others): (Vec<Remedy>, Vec<Remedy>) = section.remedies().into_iter().partition(possible);
    let why = match predictions {
        true => "it is for decisions, and the model predicts a number",
        false => "it fits a model again, and none is trained here",
    };
    let others = others.into_iter().filter(|remedy| section.methods.contains(remedy));
    made.not_tried.extend(others.map(|remedy| NotTried { remedy, why: why.into() }));
    match model {
        Some(model) if predictions => of_moments(plan, section, &mitigated, model, released, &possible, &mut made),
        _ => of_panels(plan, section, &mitigated, model, released, &possible, &mut made)?,
    }
    Ok(made)
}

/// Adds a model that was fitted again, or why there is none.
fn add(made: &mut Made, remedy: Remedy, id: &str, fitted: Fitted, settings: Vec<(String, String)>) {
    match fitted {
        Err(why) => made.not_tried.push(NotTried { remedy, why }),
        Ok((model, sentences)) => {
            let rule = match model.kind {
                ModelKind::Linear => Rule::Prediction(model.prediction()),
                ModelKind::Logistic => Rule::Decision(model.decision()),
            };
            let id: Arc<str> = id.into();
            made.candidates.push(Candidate {
                id,
                remedy,
                rule,
                model: Some(Box::new(model)),
                made: sentences,
                settings,
            });
        }
    }
}

/// The strengths that are tried; the one in use is among them.
fn strengths(section: &Mitigate) -> Vec<f64> {
    match (section.strengths.is_empty(), section.strength) {
        (true, None) => Vec::new(),
        _ => {
            let mut all: Vec<f64> = section.strengths.iter().copied().chain(section.strength).collect();
            all.sort_by(f64::total_cmp);
            all.dedup();
            all
        }
    }
}

/// The name of a covariance penalty of this strength.
pub fn penalty_id(strength: f64) -> String {
    format!("{} {}", Remedy::CovariancePenalty.id(), rounded(strength))
}

/// Four digits, with an exponent where there would be many zeros.
fn rounded(strength: f64) -> String {
    let text = format!("{strength:.3e}");
    match text.parse::<f64>() {
        Ok(value) if (1e-4..1e6).contains(&value) => value.to_string(),
        _ => text,
    }
}

fn of_moments(
    plan: &Plan,
    section: &Mitigate,
    mitigated: &Mitigated,
    model: &Model,
    released: &Released,
    possible: &[Remedy],
    made: &mut Made,
) {
    let Some(train) = &plan.spec.train else { return };
    let sums = match linear::Sums::of(plan, train, mitigated, model, released) {
        Ok(sums) => sums,
        Err(why) => {
            made.not_tried.extend(possible.iter().map(|&remedy| NotTried { remedy, why: why.clone() }));
            return;
        }
    };
    made.rows = u64::try_from(model.card.rows_train).unwrap_or(0);
    for &remedy in possible {
        match remedy {
            Remedy::CovariancePenalty => {
                for (strength, _, fitted) in sums.penalised(&strengths(section)) {
                    add(made, remedy, &penalty_id(strength), fitted, Vec::new());
                }
            }
            _ => add(made, remedy, remedy.id(), sums.decorrelated(), Vec::new()),
        }
    }
}

fn of_panels(
    plan: &Plan,
    section: &Mitigate,
    mitigated: &Mitigated,
    model: Option<&Model>,
    released: &Released,
    possible: &[Remedy],
    made: &mut Made,
) -> Result<(), Missing> {
    let cohorts = mitigated.cohorts.len();
    let scores = match (model, &plan.score) {
        (Some(model), _) => Some((model.score(), model.decision())),
        (None, Some(score)) => Some((score.clone(), decided(plan, section, score))),
        (None, None) => None,
    };
    let threshold = plan.spec.train.as_ref().map_or(section.threshold, |train| train.threshold);
    if let (Some((score, before)), true) = (scores, possible.iter().any(|remedy| remedy.is_of_decisions())) {
        let seen = rows::seen(released.panel(CALIBRATION)?);
        made.rows = seen.len() as u64;
        let of = |values: &[f64]| match model {
            Some(model) => rows::probability(model, values),
            None => values.first().copied().unwrap_or(0.0),
        };
        let curves = rows::by_cohort(&seen, cohorts, &of).into_iter().map(curve::Curve::of).collect();
        let support_min = plan.spec.measure.support_min;
        let scores = Scores { mitigated, curves, score, before, threshold, support_min };
        for &remedy in possible.iter().filter(|remedy| remedy.is_of_decisions()) {
            match scores.candidate(remedy) {
                Ok(candidate) => made.candidates.push(candidate),
                Err(not_tried) => made.not_tried.push(not_tried),
            }
        }
    }
    let (Some(model), Some(train)) = (model, &plan.spec.train) else { return Ok(()) };
    if possible.iter().all(|remedy| remedy.is_of_decisions()) {
        return Ok(());
    }
    let seen = rows::seen(released.panel(TRAIN)?);
    made.rows = made.rows.max(seen.len() as u64);
    let panel = Panel { plan, train, mitigated, model, rows: &seen };
    possible.iter().for_each(|&remedy| refitted(&panel, section, remedy, made));
    Ok(())
}

fn refitted(panel: &Panel, section: &Mitigate, remedy: Remedy, made: &mut Made) {
    let one = |made: &mut Made, (fitted, settings): (Fitted, Vec<(String, String)>)| {
        add(made, remedy, remedy.id(), fitted, settings);
    };
    match remedy {
        Remedy::Reweighing => one(made, panel.reweighed()),
        Remedy::Massaging => one(made, panel.massaged()),
        Remedy::CorrelationRemover => one(made, (panel.decorrelated(), Vec::new())),
        Remedy::DisparateImpactRemover => one(made, (panel.repaired(section.repair), Vec::new())),
        Remedy::CovariancePenalty => match panel.penalised(&strengths(section)) {
            Err(why) => made.not_tried.push(NotTried { remedy, why }),
            Ok(path) => path
                .into_iter()
                .for_each(|(strength, _, fitted)| add(made, remedy, &penalty_id(strength), fitted, Vec::new())),
        },
        _ => {}
    }
}

/// The decision that is given, else that of the threshold.
pub fn decided(plan: &Plan, section: &Mitigate, score: &Scalar) -> Scalar {
    plan.decision.clone().unwrap_or_else(|| {
        let threshold = Box::new(Scalar::number(section.threshold));
        Expr::Compare(Order::GreaterEqual, Box::new(score.clone()), threshold)
    })
}
