//! The attack stage: one more pass over the rows, after training, for statistics of which nothing is released.
//!
//! Under differential privacy what comes of it is for the internal edition, so nothing is charged for it and the public edition cannot depend on
//! it: not by a number, nor by an error. Whatever cannot be attacked, or read again, is said in the place of the result; it never ends a run.

use std::path::Path;

use super::{PassOf, Rows};
use crate::audit::{AttacksOnRows, Attempt};
use crate::deidentify::model::Decision;
use crate::measure::privacy::trained;
use crate::model::Model;
use crate::plan::Plan;
use crate::plan::spec::{Attacks, Spec};
use crate::privatize::Unprotected;

mod dataset;

/// The name of the pass.
pub(super) const NAME: &str = "attack";

/// What is to be attacked, where something is.
fn asked(spec: &Spec) -> Option<&Attacks> {
    let asked = spec.attacks.as_ref().filter(|attacks| attacks.on_real_rows)?;
    (spec.train.is_some() || spec.deidentify.is_some()).then_some(asked)
}

/// The pass, where attacks on real rows are asked for.
pub(super) fn pass(spec: &Spec) -> Option<PassOf> {
    asked(spec)?;
    let of = match (&spec.train, &spec.deidentify) {
        (Some(_), Some(_)) => "the trained model and the de-identified dataset are attacked",
        (Some(_), None) => "the trained model is attacked",
        (None, _) => "the de-identified dataset is attacked",
    };
    Some(PassOf { name: NAME.into(), reason: format!("{of} with real rows; nothing of it is released") })
}

/// Makes the pass and the attacks. Paths of the pipeline file are relative to the folder.
pub(super) fn attack(
    plan: &Plan,
    folder: &Path,
    (model, decision): (Option<&Model>, Option<&Decision>),
    rows: &mut Rows,
) -> Option<AttacksOnRows> {
    let attacks = asked(&plan.spec)?;
    let mut demands = model.map(|model| trained::demands(plan, model, attacks)).unwrap_or_default();
    let rules = plan.spec.deidentify.as_ref().map(|of| dataset::rules(plan, of, folder, decision));
    if let Some(Ok(rules)) = &rules {
        demands.push(dataset::demand(plan, attacks, rules));
    }
    let evidence = rows.unreleased(NAME, plan, &demands);
    let evidence = || evidence.as_ref().map(Unprotected::internal).map_err(String::clone);
    let of_model = |model| trained::attack(plan, model, attacks, evidence()?);
    let of_dataset = |rules: Result<_, _>| dataset::attack(plan, &rules?, evidence()?);
    let found = AttacksOnRows {
        confidence: plan.spec.measure.confidence,
        model: model.map(|model| Attempt::of(of_model(model))),
        dataset: rules.map(|rules| Attempt::of(of_dataset(rules))),
    };
    rows.meter.stage(NAME, 0);
    Some(found)
}

#[cfg(test)]
mod tests;
