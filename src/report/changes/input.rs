//! What went into two runs: criteria, keys of the pipeline file, columns, model, data, budget.

use std::collections::{BTreeMap, BTreeSet};

use super::{Stored, limit, what};
use crate::audit::Edition;
use crate::audit::changes::{
    Budget, CoefficientChange, ColumnChange, CriterionChange, DataChange, FileChange, Limit, ModelChange, Pair,
    Setting, What, count,
};
use crate::report::document::{self, Column, Domain, Model, Report};
use crate::schema::{Origin, Role};

/// Criteria that are in one report only, and those with another limit or level.
pub fn criteria(before: &Report, after: &Report) -> Vec<CriterionChange> {
    let limits = |report: &Report| {
        let mut limits: BTreeMap<What, Vec<Limit>> = BTreeMap::new();
        for finding in &report.findings {
            let Some(gate) = &finding.gate else { continue };
            let (limits, of) = (limits.entry(what(gate)).or_default(), limit(finding));
            if !limits.contains(&of) {
                limits.push(of);
            }
        }
        limits.values_mut().for_each(|limits| limits.sort_by_key(Limit::bits));
        limits
    };
    let (mut before, mut after) = (limits(before), limits(after));
    let all: BTreeSet<What> = before.keys().chain(after.keys()).cloned().collect();
    let mut changes = Vec::new();
    for what in all {
        let (mut old, mut new) = (before.remove(&what).unwrap_or_default(), after.remove(&what).unwrap_or_default());
        let both: Vec<Limit> = old.iter().copied().filter(|of| new.contains(of)).collect();
        old.retain(|of| !both.contains(of));
        new.retain(|of| !both.contains(of));
        for i in 0..old.len().max(new.len()) {
            let (before, after) = (old.get(i).copied(), new.get(i).copied());
            changes.push(CriterionChange { what: what.clone(), before, after });
        }
    }
    changes
}

pub fn spec(before: &Report, after: &Report) -> Option<Pair<String>> {
    Pair::differing(before.pipeline.spec_sha256.clone(), after.pipeline.spec_sha256.clone())
}

/// A key and its value, where there is one.
type Named<'a> = (&'a str, Option<String>);

/// Settings that differ.
fn differing(before: Vec<Named>, after: Vec<Named>) -> Vec<Setting> {
    let setting = |((name, before), (_, after)): (Named, Named)| {
        (before != after).then(|| Setting { name: name.into(), before, after })
    };
    before.into_iter().zip(after).filter_map(setting).collect()
}

/// Keys of the pipeline file that a report records, criteria apart.
pub fn settings(before: &Report, after: &Report) -> Vec<Setting> {
    let of = |report: &Report| {
        let (of, method, privacy) = (&report.pipeline, &report.method, report.privacy.as_ref());
        let language = serde_json::to_value(of.language).ok().and_then(|word| word.as_str().map(String::from));
        let neighbours = |of: &crate::audit::PrivacyStatement| {
            serde_json::to_value(of.neighbours).ok().and_then(|word| word.as_str().map(String::from))
        };
        vec![
            ("report.title", Some(of.title.clone())),
            ("report.language", language),
            ("pipeline.owner", Some(of.owner.clone())),
            ("pipeline.purpose", Some(of.purpose.clone())),
            ("pipeline.seed", Some(of.seed.to_string())),
            ("ingest.where", report.data.filter.clone()),
            ("measure.confidence", Some(method.confidence.to_string())),
            ("measure.support_min", Some(method.support_min.to_string())),
            ("measure.suppress_below", Some(method.suppress_below.to_string())),
            ("measure.replicates", Some(method.replicates.to_string())),
            ("privacy.rows_per_unit_max", privacy.map(|of| of.rows_per_unit_max.to_string())),
            ("privacy.neighbours", privacy.and_then(neighbours)),
        ]
    };
    differing(of(before), of(after))
}

/// Columns that are in one report only or are declared otherwise.
pub fn columns(before: &Report, after: &Report) -> Vec<ColumnChange> {
    let by_name = |report: &'_ Report| -> BTreeMap<String, Column> {
        report.data.columns.iter().map(|column| (column.name.clone(), column.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter_map(|name| column(name, before.get(name), after.get(name))).collect()
}

fn column(name: &str, before: Option<&Column>, after: Option<&Column>) -> Option<ColumnChange> {
    let there = Pair { before: before.is_some(), after: after.is_some() };
    let whole = ColumnChange {
        name: name.into(),
        there,
        roles: None,
        levels_added: Vec::new(),
        levels_removed: Vec::new(),
        domain: None,
        origin: None,
        derived: None,
    };
    let (Some(before), Some(after)) = (before, after) else { return Some(whole) };
    let roles = |column: &Column| column.roles.iter().copied().collect::<BTreeSet<Role>>().into_iter().collect();
    let levels = |column: &Column| match &column.domain {
        Domain::Levels(levels) => levels.iter().cloned().collect::<BTreeSet<String>>(),
        _ => BTreeSet::new(),
    };
    let origin = |column: &Column| match column.origin {
        document::Origin::Declared => Origin::Declared,
        document::Origin::Learned => Origin::Learned,
    };
    let (old, new) = (levels(before), levels(after));
    let change = ColumnChange {
        roles: Pair::differing(roles(before), roles(after)),
        levels_added: new.difference(&old).cloned().collect(),
        levels_removed: old.difference(&new).cloned().collect(),
        domain: Pair::differing(domain(&before.domain), domain(&after.domain)),
        origin: Pair::differing(origin(before), origin(after)),
        derived: Pair::differing(before.derived.clone(), after.derived.clone()),
        ..whole.clone()
    };
    (change != whole).then_some(change)
}

/// Kind and bounds; levels are compared one by one.
fn domain(domain: &Domain) -> String {
    match domain {
        Domain::Levels(_) => "levels".into(),
        Domain::Bounds { lower, upper } => format!("[{lower}, {upper}]"),
        Domain::Open => "open".into(),
    }
}

pub fn model(before: Option<&Model>, after: Option<&Model>) -> ModelChange {
    let facts = |model: Option<&Model>| {
        vec![
            ("kind", model.map(|model| model.kind.clone())),
            ("penalty", model.map(|model| model.penalty.clone())),
            ("strength", model.map(|model| model.strength.to_string())),
            ("l1_ratio", model.map(|model| model.l1_ratio.to_string())),
            ("rows_train", model.map(|model| model.rows_train.to_string())),
        ]
    };
    let values = |model: Option<&Model>| {
        let mut values: BTreeMap<Option<String>, f64> = BTreeMap::new();
        if let Some(model) = model {
            values.insert(None, model.intercept);
            values.extend(model.coefficients.iter().map(|of| (Some(of.feature.clone()), of.value)));
        }
        values.retain(|_, value| value.is_finite());
        values
    };
    let (old, new) = (values(before), values(after));
    let features: BTreeSet<&Option<String>> = old.keys().chain(new.keys()).collect();
    let all = features.len();
    let change = |feature: &Option<String>| {
        let (before, after) = (old.get(feature).copied(), new.get(feature).copied());
        (before != after).then(|| CoefficientChange { feature: feature.clone(), before, after })
    };
    let coefficients: Vec<CoefficientChange> = features.into_iter().filter_map(change).collect();
    let coefficients_same = count(all.saturating_sub(coefficients.len()));
    ModelChange { facts: differing(facts(before), facts(after)), coefficients, coefficients_same }
}

pub fn data(before: &Stored, after: &Stored) -> DataChange {
    let (old, new) = (&before.report.data, &after.report.data);
    // The public edition tells no digest of the source.
    let told = |stored: &Stored| stored.run.edition != Some(Edition::Public);
    let files_told = told(before) && told(after);
    DataChange {
        rows_read: Pair::differing(old.rows_read, new.rows_read),
        rows_kept: Pair::differing(old.rows_kept, new.rows_kept),
        rows_measured: Pair::differing(old.rows_measured, new.rows_measured),
        files: if files_told { files(before, after) } else { Vec::new() },
        files_told,
    }
}

fn files(before: &Stored, after: &Stored) -> Vec<FileChange> {
    let digests = |stored: &Stored| {
        let mut digests: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in &stored.run.inputs {
            digests.entry(file.name.clone()).or_default().push(file.sha256.clone());
        }
        digests.values_mut().for_each(|digests| digests.sort());
        digests
    };
    let (mut before, mut after) = (digests(before), digests(after));
    let names: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    let mut changes = Vec::new();
    for name in names {
        let (mut old, mut new) = (before.remove(&name).unwrap_or_default(), after.remove(&name).unwrap_or_default());
        // Files of one name in several folders.
        old.retain(|digest| match new.iter().position(|other| other == digest) {
            Some(at) => {
                new.remove(at);
                false
            }
            None => true,
        });
        for i in 0..old.len().max(new.len()) {
            let (before, after) = (old.get(i).cloned(), new.get(i).cloned());
            changes.push(FileChange { name: name.clone(), before, after });
        }
    }
    changes
}

/// Absent where neither run has differential privacy.
pub fn budget(before: &Stored, after: &Stored) -> Option<Budget> {
    let pair = |of: &dyn Fn(&Stored) -> Option<f64>| Pair { before: of(before), after: of(after) };
    let population = |stored: &Stored| stored.report.privacy.as_ref().map(|of| of.population.clone());
    let finite = |value: f64| value.is_finite().then_some(value);
    let population = Pair { before: population(before), after: population(after) };
    (population.before.is_some() || population.after.is_some()).then(|| Budget {
        population,
        epsilon: pair(&|stored| stored.report.privacy.as_ref().and_then(|of| finite(of.epsilon))),
        delta: pair(&|stored| stored.report.privacy.as_ref().and_then(|of| finite(of.delta))),
        spent: pair(&|stored| stored.run.ledger.as_ref().and_then(|of| finite(of.epsilon_spent))),
        left: pair(&|stored| {
            stored.run.ledger.as_ref().and_then(|of| finite((of.epsilon_granted - of.epsilon_spent).max(0.0)))
        }),
    })
}
