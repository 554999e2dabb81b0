//! The data themselves: representation, missing values, proxies of protected columns.
//!
//! Everything is of the rows that are measured. Weights apply to shares; proxies count every row once.

use std::sync::Arc;

use super::Context;
use crate::audit::{Reading, bias::DataBias};
use crate::demand::Demand;
use crate::evidence::Missing;
use crate::measure::Subject;
use crate::plan::Plan;
use crate::scalar::Kind;
use crate::schema::{Column, Domain, Role};

mod independence;
mod joint;
mod missing;
mod proxies;
mod representation;
mod table;

/// Most columns whose missing values are counted, and most that are tried as proxies.
const COLUMNS_MAX: usize = 200;

pub fn demands(plan: &Plan, _subject: &Subject) -> Vec<Demand> {
    let Some(data) = plan.spec.measure.data.as_ref().filter(|_| plan.spec.privacy.is_none()) else {
        return Vec::new();
    };
    let mut demands = missing::demands(plan);
    if data.proxies {
        demands.extend(proxies::demands(plan));
        demands.extend(joint::demands(plan));
    }
    demands
}

pub fn measure(
    context: &Context,
    readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<DataBias>, Missing> {
    representation::readings(context, readings);
    let Some(data) = context.plan.spec.measure.data.as_ref().filter(|_| context.plan.spec.privacy.is_none()) else {
        return Ok(None);
    };
    let (missing, complete) = missing::measure(context)?;
    let proxies = if data.proxies { proxies::measure(context)? } else { Vec::new() };
    let mut left_out = missing::left_out(context.plan);
    if data.proxies {
        left_out.extend(proxies::left_out(context.plan));
    }
    Ok(Some(DataBias { representation: representation::measure(context), missing, complete, proxies, left_out }))
}

/// Names for a sentence, the first of them and how many more.
fn named(columns: &[Arc<str>]) -> String {
    let shown = columns.iter().take(5).map(|name| &**name).collect::<Vec<_>>().join(", ");
    match columns.len() {
        0..=5 => shown,
        all => format!("{shown} and {} more", all - 5),
    }
}

/// What a column holds, where it is read.
fn kind(plan: &Plan, column: &Column) -> Option<Kind> {
    crate::plan::kinds(&plan.scan).ok()?.get(&column.name).copied()
}

/// Columns that may tell a protected column: the features; without any the other columns that are inputs of nothing, outcomes aside.
fn candidates(plan: &Plan) -> Vec<&Column> {
    let with_domain = |column: &&Column| match (kind(plan, column), &column.domain) {
        (Some(Kind::Text), Domain::Levels(levels)) => !levels.is_empty(),
        (Some(Kind::Number), Domain::Bounds { lower, upper }) => upper > lower && (upper - lower).is_finite(),
        (Some(Kind::Truth), _) => true,
        _ => false,
    };
    let features: Vec<&Column> = plan.schema.with(Role::Feature).collect();
    let never = [
        Role::Identifier,
        Role::PrivacyUnit,
        Role::Protected,
        Role::Target,
        Role::Prediction,
        Role::Score,
        Role::Weight,
        Role::Ignored,
    ];
    match features.is_empty() {
        false => features.into_iter().filter(with_domain).collect(),
        true => {
            let others = plan.schema.columns.iter().filter(|column| !never.iter().any(|role| column.is(*role)));
            others.filter(with_domain).collect()
        }
    }
}

/// True when one of the columns is computed from the other.
fn computed(plan: &Plan, one: &str, other: &str) -> bool {
    let derived: Vec<_> = plan.scan.derive.iter().map(|(name, scalar)| (name.clone(), scalar.columns())).collect();
    let from = |column: &str, name: &str| crate::plan::computed_from(column, &derived).contains(name);
    one != other && (from(one, other) || from(other, one))
}

#[cfg(test)]
mod tests;
