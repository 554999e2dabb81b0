//! `[deidentify.model]`: criteria that have a meaning, columns they are about, steps that merge.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Checker, Parse, Severity};
use crate::plan::spec::{ClassModel, ColumnRule, DatePart, Deidentify, Do, LossOf, ReadAs, SearchBy};
use crate::plan::{computed_from, read_as};
use crate::schema::Role;

const MODEL: [&str; 2] = ["deidentify", "model"];

pub(super) fn check(checker: &mut Checker, section: &Deidentify, parse: Parse) {
    let columns: Vec<(&String, &ColumnRule)> =
        section.columns.iter().filter(|(_, rule)| rule.by == Do::Model).collect();
    columns.iter().for_each(|(name, rule)| steps(checker, name, rule));
    let Some(model) = &section.model else {
        if let Some((name, _)) = columns.first() {
            let message = "no model says how coarse the column must be";
            let remedy = "write [deidentify.model] with k_anonymity = 5, or another word for the column";
            checker.error("no-model", &["deidentify", "columns", name, "do"], message, remedy);
        }
        return;
    };
    if checker.spec.privacy.is_some() {
        let message = "under differential privacy nothing is decided by counts without noise";
        let remedy = "take the section out and choose levels yourself, with do = \"generalise\"";
        checker.error("model-reads-rows", &MODEL, message, remedy);
    }
    if columns.is_empty() {
        let remedy = "give the columns an outsider may know do = \"model\"";
        checker.error("no-model-column", &MODEL, "the model has no column to coarsen", remedy);
    }
    criteria(checker, model);
    sensitive(checker, section, model);
    population(checker, model, &columns);
    search(checker, model, &columns);
    people(checker);
    known(checker, section, parse);
}

/// Criteria count rows.
fn people(checker: &mut Checker) {
    if checker.spec.schema.values().any(|column| column.roles.contains(&Role::PrivacyUnit)) {
        let message =
            "a column of units is declared, and classes are counted in rows: a class of 5 rows can be one person";
        let remedy = "give the model one row a person; if it has that already, take the role privacy-unit off";
        checker.error("rows-not-people", &MODEL, message, remedy);
    }
}

/// What an outsider may know is coarsened, or is not in the file: beside it, and computed from it, it would tell rows of a class apart.
fn known(checker: &mut Checker, section: &Deidentify, parse: Parse) {
    let written = |name: &String| {
        section.columns.get(name).map(|rule| rule.by).filter(|by| {
            !matches!(by, Do::Model | Do::Drop | Do::Redact | Do::Token | Do::Pseudonym | Do::FormatPreserving)
        })
    };
    // What is wrong with an expression is said elsewhere.
    let columns = |text: &String| parse(text).map(|scalar| scalar.columns()).unwrap_or_default();
    let reads: Vec<(Arc<str>, BTreeSet<Arc<str>>)> =
        checker.spec.derive.iter().map(|(name, text)| (Arc::from(name.as_str()), columns(text))).collect();
    let modelled: Vec<&String> =
        section.columns.iter().filter(|(_, rule)| rule.by == Do::Model).map(|(name, _)| name).collect();
    let names: Vec<String> = section.columns.keys().cloned().collect();
    for name in names {
        let Some(by) = written(&name) else { continue };
        let is_quasi =
            checker.spec.schema.get(&name).is_some_and(|column| column.roles.contains(&Role::QuasiIdentifier));
        let family = |of: &str| computed_from(of, &reads);
        let of_model =
            modelled.iter().find(|model| family(model).contains(&*name) || family(&name).contains(model.as_str()));
        let why = match (is_quasi, of_model) {
            (true, _) => {
                format!("{name} is a quasi-identifier, and {} writes it beside the model's classes", by.name())
            }
            (false, Some(model)) => {
                format!("{name} and {model}, which the model coarsens, are computed from one another")
            }
            (false, None) => continue,
        };
        let message = format!("{why}: rows of one class can be told apart by it");
        let remedy = "write do = \"model\" or \"drop\", or take the role off";
        checker.error("beside-the-model", &["deidentify", "columns", &name, "do"], message, remedy);
    }
}

fn criteria(checker: &mut Checker, model: &ClassModel) {
    let about = about_sensitive(model);
    if model.k_anonymity.is_none() && model.k_map.is_none() && about.is_empty() {
        checker.error("no-criterion", &MODEL, "the model demands nothing", "for example k_anonymity = 5");
    }
    if model.k_anonymity == Some(1) {
        let path = ["deidentify", "model", "k_anonymity"];
        checker.warning("no-criterion", &path, "every class has at least 1 row", "for example k_anonymity = 5");
    }
    let positive = |x: f64| x > 0.0 && x.is_finite();
    let share = |x: f64| (0.0..=1.0).contains(&x);
    let wrong = [
        ("k_anonymity", model.k_anonymity == Some(0), "a class has at least 1 row"),
        ("k_map", model.k_map == Some(0), "a class has at least 1 person of the population"),
        ("alpha", model.alpha.is_some_and(|x| !share(x) || x == 0.0), "alpha is more than 0 and at most 1"),
        ("distinct_diversity", model.distinct_diversity == Some(0), "l is at least 1"),
        ("entropy_diversity", model.entropy_diversity.is_some_and(|x| !x.is_finite() || x < 1.0), "l is at least 1"),
        (
            "recursive_diversity",
            model.recursive_diversity.is_some_and(|(c, l)| !positive(c) || l < 2),
            "c is more than 0 and l at least 2",
        ),
        ("closeness", model.closeness.is_some_and(|x| !share(x)), "t is from 0 to 1"),
        ("ordered_closeness", model.ordered_closeness.is_some_and(|x| !share(x)), "t is from 0 to 1"),
        ("delta_disclosure", model.delta_disclosure.is_some_and(|x| !positive(x)), "delta is more than 0"),
        ("basic_beta", model.basic_beta.is_some_and(|x| !positive(x)), "beta is more than 0"),
        ("enhanced_beta", model.enhanced_beta.is_some_and(|x| !positive(x)), "beta is more than 0"),
        ("suppression_max", !share(model.suppression_max), "the share is from 0 to 1"),
        ("risk_at", model.risk_at.iter().any(|x| !share(*x)), "risks are from 0 to 1"),
    ];
    for (key, is_wrong, message) in wrong {
        if is_wrong {
            let remedy = "see pipelines/TEMPLATE.toml for a usual value";
            checker.error("bad-parameter", &["deidentify", "model", key], message, remedy);
        }
    }
}

/// Criteria that read the sensitive column.
fn about_sensitive(model: &ClassModel) -> Vec<&'static str> {
    [
        ("alpha", model.alpha.is_some()),
        ("distinct_diversity", model.distinct_diversity.is_some()),
        ("entropy_diversity", model.entropy_diversity.is_some()),
        ("recursive_diversity", model.recursive_diversity.is_some()),
        ("closeness", model.closeness.is_some()),
        ("ordered_closeness", model.ordered_closeness.is_some()),
        ("delta_disclosure", model.delta_disclosure.is_some()),
        ("basic_beta", model.basic_beta.is_some()),
        ("enhanced_beta", model.enhanced_beta.is_some()),
    ]
    .into_iter()
    .filter_map(|(key, is_written)| is_written.then_some(key))
    .collect()
}

fn sensitive(checker: &mut Checker, section: &Deidentify, model: &ClassModel) {
    let about = about_sensitive(model);
    let path = ["deidentify", "model", "sensitive"];
    let Some(name) = &model.sensitive else {
        if let Some(key) = about.first() {
            let message = format!("{key} is about a sensitive column, and none is named");
            checker.error("no-sensitive", &["deidentify", "model", key], message, "write sensitive = \"...\"");
        }
        return;
    };
    let Some(column) = checker.spec.schema.get(name) else {
        return checker.unknown_column(&path, super::Part::Value, name);
    };
    if about.is_empty() {
        let message = "no criterion reads the sensitive column";
        checker.warning("unused-parameter", &path, message, "for example distinct_diversity = 2");
    }
    if read_as(column) == ReadAs::Number {
        let message = format!("{name} is read as numbers, and the criteria count levels");
        checker.error("wrong-kind", &path, message, "derive a column of levels and name that");
    }
    match section.columns.get(name).map(|rule| rule.by) {
        Some(Do::Model) => {
            let message = format!("{name} cannot be both what an outsider knows and what he must not learn");
            checker.error("sensitive-coarsened", &path, message, "give it the word keep or drop");
        }
        None | Some(Do::Keep | Do::Drop) => {}
        Some(by) => {
            let message =
                format!("the criteria count the levels of {name} as they are, and {} writes others", by.name());
            let remedy = "derive the column that is to be written, name that as sensitive, and keep it";
            checker.error("sensitive-transformed", &path, message, remedy);
        }
    }
}

/// The population is read by the names of the columns: none of them can be computed.
fn population(checker: &mut Checker, model: &ClassModel, columns: &[(&String, &ColumnRule)]) {
    let Some(_) = &model.population else {
        if model.k_map.is_some() {
            let message = "the classes of a population are asked for, and no file of it is named";
            let path = ["deidentify", "model", "k_map"];
            checker.error("no-population", &path, message, "write population = \"...\", or k_anonymity");
        }
        return;
    };
    for (name, _) in columns.iter().filter(|(name, _)| checker.spec.derive.contains_key(*name)).collect::<Vec<_>>() {
        let message = format!("{name} is computed, and the population file is read as it is");
        let remedy = "have the column in both files, or leave the population out";
        checker.error("computed-column", &["deidentify", "columns", name, "do"], message, remedy);
    }
}

fn search(checker: &mut Checker, model: &ClassModel, columns: &[(&String, &ColumnRule)]) {
    if model.search == SearchBy::Lattice {
        return;
    }
    for (name, rule) in columns {
        for (key, is_written) in [
            ("prefixes", rule.prefixes.is_some()),
            ("dates", rule.dates.is_some()),
            ("hierarchy", rule.hierarchy.is_some()),
            ("widths", rule.widths.as_ref().is_some_and(|widths| widths.len() > 1)),
        ] {
            if is_written {
                let message = match key {
                    "widths" => "mondrian makes regions of intervals of the first width, and uses no other",
                    _ => "mondrian makes regions of declared levels, and knows no steps",
                };
                let path = ["deidentify", "columns", name, key];
                checker.error("unused-parameter", &path, message, "take it out, or use the lattice");
            }
        }
        // The ends of a region would be values of single rows.
        let declared =
            checker.spec.schema.get(*name).is_none_or(|column| column.levels.is_some() || rule.widths.is_some());
        if !declared && checker.spec.schema.get(*name).is_some_and(|column| read_as(column) == ReadAs::Text) {
            let message =
                "mondrian writes the first and last level of a region, and those of this column are read off the rows";
            let remedy = "declare levels, or use the lattice";
            checker.error("no-domain", &["deidentify", "columns", name], message, remedy);
        }
    }
    for (key, is_written) in
        [("suppression_max", model.suppression_max > 0.0), ("objective", model.objective != LossOf::Granularity)]
    {
        if is_written {
            let message = format!("{key} says nothing about mondrian, which suppresses no row and cuts at medians");
            checker.warning(
                "unused-parameter",
                &["deidentify", "model", key],
                message,
                "take it out, or use the lattice",
            );
        }
    }
}

/// Steps go from fine to coarse, and numbers have some.
fn steps(checker: &mut Checker, name: &str, rule: &ColumnRule) {
    if let Some(column) = checker.spec.schema.get(name)
        && read_as(column) == ReadAs::Number
    {
        let path = ["deidentify", "columns", name];
        if rule.widths.is_none() {
            let message = format!("{name} is a number, and the model is not told how to coarsen it");
            checker.error("missing-parameter", &path, message, "for example widths = [5, 10, 20]");
        } else if column.bounds.is_none() {
            let message = "intervals begin at the lower bound, and one read off the rows would be the value of a row";
            checker.error("no-domain", &path, message, format!("write bounds under [schema.{}]", super::quoted(name)));
        }
    }
    let mut wrong = |key: &str, is_wrong: bool, message: &str, remedy: &str| {
        if is_wrong {
            checker.complain(
                Severity::Error,
                "bad-parameter",
                &["deidentify", "columns", name, key],
                super::Part::Value,
                message.into(),
                Some(remedy.into()),
            );
        }
    };
    let multiples = |of: &Vec<f64>| {
        let fits = |pair: &[f64]| {
            let times = (pair[1] / pair[0]).round();
            times >= 2.0 && (times * pair[0] - pair[1]).abs() <= 1e-9 * pair[1]
        };
        !of.is_empty() && of.iter().all(|width| *width > 0.0 && width.is_finite()) && of.windows(2).all(fits)
    };
    let message = "widths are more than 0, and each is a multiple of the one before";
    wrong("widths", rule.widths.as_ref().is_some_and(|of| !multiples(of)), message, "for example widths = [5, 10, 20]");
    let falling = |of: &Vec<u32>| !of.is_empty() && !of.contains(&0) && of.windows(2).all(|pair| pair[0] > pair[1]);
    let message = "prefixes are numbers of characters of at least 1, most first";
    wrong("prefixes", rule.prefixes.as_ref().is_some_and(|of| !falling(of)), message, "for example prefixes = [3, 2]");
    let coarser = |of: &Vec<DatePart>| !of.is_empty() && of.windows(2).all(|pair| pair[0] < pair[1]);
    let message = "parts of dates go from fine to coarse";
    let remedy = "for example dates = [\"month\", \"year\"]";
    wrong("dates", rule.dates.as_ref().is_some_and(|of| !coarser(of)), message, remedy);
}
