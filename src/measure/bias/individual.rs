//! Treatment of alike rows, and of rows that differ in a protected column only.

use super::Context;
use crate::audit::{Reading, bias::Individual};
use crate::demand::Demand;
use crate::evidence::Missing;
use crate::measure::Subject;
use crate::plan::Plan;
use crate::plan::spec::Individual as Spec;

mod consistency;
mod flip;
mod nearest;

/// None under differential privacy: rows have no private form, and there is no charge for another table.
fn spec(plan: &Plan) -> Option<&Spec> {
    plan.spec.measure.individual.as_ref().filter(|_| plan.spec.privacy.is_none())
}

pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    let Some(spec) = spec(plan) else { return Vec::new() };
    let mut demands = consistency::demands(plan, subject, spec);
    demands.extend(flip::demands(plan, subject, spec));
    demands
}

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<Individual>, Missing> {
    let Some(spec) = spec(context.plan) else { return Ok(None) };
    let mut notes = Vec::new();
    let consistency = consistency::measure(context, spec, &mut notes)?;
    let flips = flip::measure(context, spec, &mut notes)?;
    if !flips.is_empty() {
        notes.push("The flip test switches one column and holds all others: what the column causes in others, and what stands for it in others, is not switched. It is not counterfactual fairness as Kusner et al. (2017) define it.".into());
    }
    Ok(Some(Individual { consistency, flips, notes }))
}

#[cfg(test)]
mod tests;
