//! What rules ask to be computed and printed: one file each.
//!
//! A view prints numbers and what the rule does with them, with the date a statement was read and how well it is known. It says what the rule does
//! not say, and never that a rule is kept. Cohorts, metrics and criteria a rule needs are added to the plan (`plan::regulation`).

use super::Context;
use crate::audit::bias::Regulation;
use crate::audit::bias::regulation::{Cell, Source, Statement};
use crate::audit::{Reading, bias::Figure};
use crate::demand::Axis;
use crate::estimate::{Measured, Sample, contrast};
use crate::evidence::Missing;
use crate::measure::tables::{Group, Groups};
use crate::metric::{Against, Comparison, RATES};
use crate::plan::spec::{self, Rule};
use crate::plan::{Plan, regulation};
use crate::scalar::Scalar;

mod eu;
mod insurance;
mod lending;
mod ll144;
pub mod median;
mod ugesp;

/// True when a rule needs the median of all scores: of a subject with or without a score and a decision.
pub fn ranks(plan: &Plan, (score, decision): (bool, bool)) -> bool {
    let is_scoring = |rule: &spec::Regulation| rule.rule == Rule::LocalLaw144 && ll144::is_scoring(rule, decision);
    plan.spec.privacy.is_none() && score && plan.spec.measure.regulation.iter().any(is_scoring)
}

fn levels(attribute: &crate::cohort::Attribute) -> Axis {
    Axis::Levels { of: Scalar::column(&attribute.name), levels: attribute.levels.clone() }
}

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<Vec<Regulation>, Missing> {
    let plan = context.plan;
    if plan.spec.privacy.is_some() {
        return Ok(Vec::new());
    }
    let mut views = Vec::new();
    for rule in &plan.spec.measure.regulation {
        views.push(match rule.rule {
            Rule::LocalLaw144 => ll144::view(context, rule)?,
            Rule::Ugesp => ugesp::view(context, rule),
            Rule::Lending => lending::view(context, rule)?,
            Rule::Insurance => insurance::view(context, rule)?,
            Rule::AiActArticle10 => eu::view(context, rule),
        });
    }
    if let Some(train) = &plan.spec.train {
        let rows = format!(
            "the test part only, a share of {} of the rows; those the model was made of are not in these figures",
            train.split.test
        );
        views.iter_mut().for_each(|view| view.facts.push(("Rows".into(), rows.clone())));
    }
    if !views.is_empty() {
        notes.push("Views of rules print what a rule asks to be computed, as it was read at the date beside each statement. They are no legal advice, and no number here shows that a rule is kept.".into());
    }
    Ok(views)
}

fn blank(rule: &spec::Regulation, name: &str) -> Regulation {
    Regulation {
        rule: rule.rule.id().into(),
        name: name.into(),
        facts: Vec::new(),
        statements: Vec::new(),
        not_said: Vec::new(),
        tables: Vec::new(),
        results: Vec::new(),
        not_measured: String::new(),
    }
}

fn secondary(text: &str, from: &str) -> Statement {
    Statement { text: text.into(), as_of: READ.into(), source: Source::Secondary, from: from.into() }
}

fn background(text: &str) -> Statement {
    Statement { text: text.into(), as_of: READ.into(), source: Source::Background, from: "general knowledge".into() }
}

/// Day the sources were read.
const READ: &str = "2026-11-23";

fn stated(text: &Option<String>) -> String {
    match text.as_deref().map(str::trim) {
        Some(text) if !text.is_empty() => text.into(),
        _ => "not stated".into(),
    }
}

/// A fact the pipeline file states.
fn fact(term: &str, text: &Option<String>) -> (String, String) {
    (term.into(), stated(text))
}

/// The measured set of these columns, with its position.
fn set<'a>(context: &'a Context, names: &[String]) -> Option<(usize, &'a Groups)> {
    context.cohorts.sets.iter().enumerate().find(|(_, groups)| regulation::same(&groups.names, names))
}

/// The sets a rule names; every set when it names none.
fn sets<'a>(context: &'a Context, rule: &spec::Regulation) -> Vec<(usize, &'a Groups)> {
    let named = regulation::wanted(rule);
    match named.is_empty() {
        true => context.cohorts.sets.iter().enumerate().collect(),
        false => named.iter().filter_map(|names| set(context, names)).collect(),
    }
}

fn title(groups: &Groups) -> String {
    groups.names.join(" × ")
}

/// The sample of a rate of the table, by its identifier.
fn rate(context: &Context, id: &str, group: &Group) -> Option<Sample> {
    let rate = RATES.iter().find(|rate| rate.card.id == id)?;
    Some(crate::measure::rates::share(rate, group, context.plan.dependent, None))
}

fn figure(context: &Context, sample: &Sample) -> Cell {
    Cell::Figure { figure: Figure::of(&sample.measure(context.plan.spec.measure.confidence)) }
}

/// Every sample compared; in the place of the one compared with there is none.
fn compared(
    context: &Context,
    samples: &[Sample],
    (compare, against): (Comparison, Against),
    reference: Option<usize>,
) -> Vec<Option<Measured>> {
    let confidence = context.plan.spec.measure.confidence;
    let nobody = Sample::None(crate::estimate::Why::EmptyComparison);
    let mut all = vec![None; samples.len()];
    for of in contrast(compare, against, samples, &nobody, reference, confidence) {
        if let Some(slot) = all.get_mut(of.cohort) {
            *slot = Some(of.measured);
        }
    }
    all
}

#[cfg(test)]
mod tests;
