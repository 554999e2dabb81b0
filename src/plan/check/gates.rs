//! `[measure]` and `[[judge]]`: metrics that do not exist or are not measured, comparisons without sense, limits, waivers.

use jiff::civil::Date;

use super::{Checker, Part, Severity, meant};
use crate::metric::parity::{DIVERGENCES, JOINED};
use crate::metric::{ALL, Against, Card, Comparison, Needs, RATES, cards, forms, is_distance, is_standard};
use crate::plan::read_as;
use crate::plan::spec::{Criterion, Inferred, ModelKind, ReadAs};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker) {
    let cards = cards();
    across(checker);
    metrics(checker, &cards);
    for (i, criterion) in checker.spec.judge.iter().enumerate() {
        let i = i.to_string();
        metric(checker, &i, criterion, &cards);
        comparison(checker, &i, criterion);
        form(checker, &i, criterion);
        limits(checker, &i, criterion);
        always_met(checker, &i, criterion);
        sets(checker, &i, criterion);
        waivers(checker, &i, criterion);
    }
    if checker.spec.judge.is_empty() {
        let numeric = checker.spec.schema.values().any(|column| {
            (column.roles.contains(&Role::Target) || column.roles.contains(&Role::Prediction))
                && read_as(column) == ReadAs::Number
        });
        let example = match numeric {
            true => {
                "metric = \"mean-residual\"\ncompare = \"difference\"\nagainst = \"worst-pair\"\nat_most = 1.0  # in the target's unit"
            }
            false => "metric = \"selection-rate\"\ncompare = \"ratio\"\nagainst = \"worst-pair\"\nat_least = 0.8",
        };
        let remedy = format!("add for example\n[[judge]]\n{example}");
        let message = "there is no [[judge]]: nothing will be judged and the outcome will be INCONCLUSIVE".to_string();
        checker.complain(Severity::Warning, "no-criteria", &["pipeline"], Part::Key, message, Some(remedy));
    }
}

/// Sets of attributes that are compared.
fn measured_sets(checker: &Checker) -> Vec<Vec<String>> {
    let spec = checker.spec;
    match spec.measure.across.is_empty() {
        true => spec
            .schema
            .iter()
            .filter(|(_, column)| column.roles.contains(&Role::Protected))
            .map(|(name, _)| vec![name.clone()])
            .collect(),
        false => spec.measure.across.clone(),
    }
}

fn across(checker: &mut Checker) {
    let sets = &checker.spec.measure.across;
    for (i, set) in sets.iter().enumerate() {
        let at = i.to_string();
        if set.is_empty() {
            checker.error(
                "empty-across",
                &["measure", "across", &at],
                "a set of attributes is empty",
                "everyone together is always measured: take it out",
            );
        }
        if sets[..i].iter().any(|other| same_set(other, set)) {
            checker.error(
                "across-twice",
                &["measure", "across", &at],
                "this set of attributes is there twice",
                "take one out",
            );
        }
        for (j, name) in set.iter().enumerate() {
            let path = ["measure", "across", &at, &j.to_string()];
            match checker.spec.schema.get(name) {
                None => checker.unknown_column(&path, Part::Value, name),
                Some(column) if !column.roles.contains(&Role::Protected) => {
                    checker.error(
                        "not-protected",
                        &path,
                        format!("{name} is no protected column"),
                        format!("give it the role \"protected\" in [schema.{}]", super::quoted(name)),
                    );
                }
                Some(_) if set[..j].contains(name) => {
                    checker.error("across-twice", &path, format!("{name} is there twice"), "take one out")
                }
                Some(_) => {}
            }
        }
    }
}

/// The set of one attribute that is known by probability.
fn inferred<'c>(checker: &'c Checker, set: &[String]) -> Option<&'c Inferred> {
    match set {
        [name] => checker.spec.measure.inferred.get(name),
        _ => None,
    }
}

fn same_set(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().all(|name| b.contains(name))
}

fn metrics(checker: &mut Checker, cards: &[Card]) {
    for (i, id) in checker.spec.measure.metrics.iter().enumerate() {
        let path = ["measure", "metrics", &i.to_string()];
        match cards.iter().find(|card| card.id == id) {
            None if id == ALL => {}
            None => unknown_metric(checker, &path, id, cards),
            Some(card) => {
                if checker.spec.privacy.is_some() && !is_standard(id) {
                    checker.error(
                        "metric-not-measured",
                        &path,
                        format!("{id} has no noisy form"),
                        "take the metric out, or the section [privacy]",
                    );
                } else if let Some(lacks) = lacks(checker, card) {
                    checker.error(
                        "metric-not-measured",
                        &path,
                        format!("{id} needs {lacks}"),
                        "add it, or take the metric out",
                    );
                }
            }
        }
    }
}

fn unknown_metric(checker: &mut Checker, path: &[&str], id: &str, cards: &[Card]) {
    let remedy = meant(id, cards.iter().map(|card| card.id)).unwrap_or_else(|| "`evenhand metrics` lists them".into());
    checker.error("unknown-metric", path, format!("there is no metric {id:?}"), remedy);
}

fn metric(checker: &mut Checker, i: &str, criterion: &Criterion, cards: &[Card]) {
    let path = ["judge", i, "metric"];
    let id = &criterion.metric;
    let Some(card) = cards.iter().find(|card| card.id == id) else {
        return unknown_metric(checker, &path, id, cards);
    };
    let chosen = &checker.spec.measure.metrics;
    let named = chosen.contains(id) || chosen.iter().any(|name| name == ALL);
    if checker.spec.privacy.is_some() && !is_standard(id) {
        checker.error(
            "metric-not-measured",
            &path,
            format!("{id} is judged and has no noisy form"),
            "take the criterion out, or the section [privacy]",
        );
    } else if !named && (!chosen.is_empty() || !is_standard(id)) {
        checker.error(
            "metric-not-measured",
            &path,
            format!("{id} is judged and not among the metrics of [measure]"),
            format!("add {id:?} to metrics"),
        );
    } else if let Some(lacks) = lacks(checker, card) {
        checker.error(
            "metric-not-measured",
            &path,
            format!("{id} is judged and not measured: it needs {lacks}"),
            "add it, or take the criterion out",
        );
    }
}

/// What a metric needs and the pipeline does not have.
fn lacks(checker: &Checker, card: &Card) -> Option<&'static str> {
    let spec = checker.spec;
    let column = |role| spec.schema.values().find(|column| column.roles.contains(&role));
    let model = spec.train.as_ref().map(|train| train.model);
    let logistic = model == Some(ModelKind::Logistic);
    // A text without a positive value is complained about as such.
    let two_valued = |role| {
        column(role).is_some_and(|column| {
            let classes = column.levels.as_ref().is_some_and(|levels| levels.len() > 2);
            column.positive.is_some() || (read_as(column) != ReadAs::Number && !classes)
        })
    };
    let numeric =
        |role| column(role).is_some_and(|column| column.positive.is_none() && read_as(column) == ReadAs::Number);
    // A model whose target does not fit is complained about as such.
    let (label, linear) = (two_valued(Role::Target) || logistic, model == Some(ModelKind::Linear));
    let decision = logistic || two_valued(Role::Prediction);
    let score = logistic || (column(Role::Score).is_some() && card.id != "log-loss");
    let (no_label, no_decision) = (
        "a two-valued target (role \"target\" with positive)",
        "a decision (role \"prediction\" with positive, or a logistic model)",
    );
    match card.needs {
        Needs::Label | Needs::LabelAndDecision | Needs::LabelAndScore if !label => Some(no_label),
        Needs::Decision | Needs::LabelAndDecision if !decision => Some(no_decision),
        Needs::LabelAndScore if !score && card.id == "log-loss" => Some("a logistic model trained here"),
        Needs::LabelAndScore | Needs::Score if !score => Some("a score (role \"score\", or a logistic model)"),
        Needs::NumberAndPrediction if !numeric(Role::Target) && !linear => {
            Some("a numeric target (role \"target\" with bounds)")
        }
        Needs::NumberAndPrediction | Needs::Prediction if !numeric(Role::Prediction) && !linear => {
            Some("a numeric prediction (role \"prediction\" with bounds, or a linear model)")
        }
        _ => None,
    }
}

fn comparison(checker: &mut Checker, i: &str, criterion: &Criterion) {
    match (criterion.compare, criterion.against) {
        (Some(_), None) => {
            let remedy = "add against = \"worst-pair\", \"highest\", \"overall\" or \"reference\"";
            checker.error(
                "compare-without-against",
                &["judge", i, "compare"],
                "compare does not say with what",
                remedy,
            );
        }
        (None, Some(_)) => {
            checker.error(
                "against-without-compare",
                &["judge", i, "against"],
                "against does not say how to compare",
                "add compare = \"difference\" or \"ratio\"",
            );
        }
        (Some(compare), Some(against)) => {
            if criterion.across.as_ref().is_some_and(Vec::is_empty) {
                checker.error(
                    "compare-with-nobody",
                    &["judge", i, "across"],
                    "everyone together has nobody to be compared with",
                    "name attributes, or leave out compare and against",
                );
            }
            if compare == Comparison::Ratio
                && ["mean-residual", "r-squared", "matthews-correlation"].contains(&criterion.metric.as_str())
            {
                checker.error(
                    "ratio-of-signed",
                    &["judge", i, "compare"],
                    "a ratio of values that may be negative has no meaning",
                    "write compare = \"difference\"",
                );
            }
            if against == Against::Reference {
                references(checker, i, criterion);
            }
        }
        (None, None) => {}
    }
}

/// A figure of two cohorts has no value of one, and not every metric has every comparison.
fn form(checker: &mut Checker, i: &str, criterion: &Criterion) {
    if criterion.compare.is_some() != criterion.against.is_some() {
        return;
    }
    let (form, id) = (criterion.compare.zip(criterion.against), criterion.metric.as_str());
    let Some(forms) = forms(id).filter(|forms| !forms.contains(&form)) else { return };
    let written = |form: &Option<(Comparison, Against)>| match form {
        Some((compare, against)) => format!("compare = \"{compare}\" with against = \"{against}\""),
        None => "neither compare nor against".to_owned(),
    };
    let (key, message) = match form {
        None => ("metric", format!("{id} is a figure of two cohorts: one of them has no value")),
        Some((compare, against)) => ("compare", format!("{id} is not measured as {compare} against {against}")),
    };
    let remedy = format!("write {}", forms.iter().map(written).collect::<Vec<_>>().join(", or "));
    checker.error("form-not-measured", &["judge", i, key], message, remedy);
}

/// True for figures that are never negative in any comparison.
fn is_never_negative(id: &str) -> bool {
    is_distance(id) || JOINED.iter().any(|joined| joined.card.id == id) || DIVERGENCES.iter().any(|card| card.id == id)
}

/// Every attribute that is compared with a reference must have one.
fn references(checker: &mut Checker, i: &str, criterion: &Criterion) {
    let sets = criterion.across.clone().map_or_else(|| measured_sets(checker), |set| vec![set]);
    if let [set] = &sets[..]
        && let Some(of) = inferred(checker, set)
    {
        if of.reference.is_none() {
            let message = format!("{} has no reference level to compare with", set.join(" x "));
            let remedy = format!("write reference = \"...\" under [measure.inferred.{}]", super::quoted(&set.join("")));
            checker.error("no-reference", &["judge", i, "against"], message, remedy);
        }
        return;
    }
    let mut names: Vec<String> = sets.into_iter().flatten().collect();
    names.sort();
    names.dedup();
    for name in names {
        if checker.spec.schema.get(&name).is_some_and(|column| column.reference.is_none()) {
            let message = format!("{name} has no reference level to compare with");
            checker.error(
                "no-reference",
                &["judge", i, "against"],
                message,
                format!("write reference = \"...\" under [schema.{}]", super::quoted(&name)),
            );
        }
    }
}

fn limits(checker: &mut Checker, i: &str, criterion: &Criterion) {
    let limit = match (criterion.at_most, criterion.at_least) {
        (Some(limit), None) => ("at_most", limit),
        (None, Some(limit)) => ("at_least", limit),
        (None, None) => {
            let either = ["at_most", "at_least"].iter().any(|key| {
                checker.place(&["judge", i, key]).is_some_and(|(document, path)| {
                    document.is_faulty(&path.iter().map(String::as_str).collect::<Vec<_>>())
                })
            });
            if !either {
                let remedy = "add at_most = ... or at_least = ...";
                checker.complain(
                    Severity::Error,
                    "no-limit",
                    &["judge", i],
                    Part::Key,
                    "the criterion has no limit".into(),
                    Some(remedy.into()),
                );
            }
            return;
        }
        (Some(_), Some(_)) => {
            checker.error("two-limits", &["judge", i, "at_least"], "a criterion has one limit", "write two criteria");
            return;
        }
    };
    let path = ["judge", i, limit.0];
    let joined = |needs: Needs| JOINED.iter().any(|of| of.card.id == criterion.metric && of.card.needs == needs);
    let share = RATES.iter().any(|rate| rate.card.id == criterion.metric) || joined(Needs::LabelAndDecision);
    // Rates, and the difference of a worst pair, are shares; other differences have a sign.
    let signed = criterion.compare == Some(Comparison::Difference)
        && criterion.against != Some(Against::WorstPair)
        && !is_distance(&criterion.metric);
    let least = if signed { -1.0 } else { 0.0 };
    if !limit.1.is_finite() {
        checker.error("bad-limit", &path, "the limit must be a finite number", "write a number");
    } else if share && !(least..=1.0).contains(&limit.1) && criterion.compare != Some(Comparison::Ratio) {
        let remedy = if limit.1 > 1.0 && limit.1 <= 100.0 {
            format!("{} percent is {}", limit.1, limit.1 / 100.0)
        } else {
            format!("write a number within {least} and 1")
        };
        checker.error(
            "bad-limit",
            &path,
            format!("what is judged is within {least} and 1: this limit decides nothing"),
            remedy,
        );
    } else if criterion.compare == Some(Comparison::Ratio) && limit.1 < 0.0 {
        checker.error(
            "bad-limit",
            &path,
            "a ratio is never negative: this limit decides nothing",
            "write a number of 0 or more",
        );
    }
}

/// Differences are cohort minus other, so against the highest they are never above 0, and between the worst pair never below it; both
/// ratios are never above 1. A limit beyond that is met by any data.
fn always_met(checker: &mut Checker, i: &str, criterion: &Criterion) {
    use Against::{Highest, WorstPair};
    use Comparison::{Difference, Ratio};
    let (Some(compare), Some(against)) = (criterion.compare, criterion.against) else { return };
    let distance = is_never_negative(&criterion.metric);
    let (key, message, remedy) = match (compare, against, criterion.at_most, criterion.at_least) {
        (Difference, _, None, Some(least)) if distance && least <= 0.0 => (
            "at_least",
            "a distance of two cohorts is never below 0: this limit is always met",
            format!("write at_most = {}", least.abs()),
        ),
        (Ratio, _, Some(most), None) if distance && most >= 1.0 => (
            "at_most",
            "the lesser of two ratios is never above 1: this limit is always met",
            format!("write at_least = {:.3}", 1.0 / most),
        ),
        (Difference, Highest, Some(most), None) if !distance && most >= 0.0 => (
            "at_most",
            "a cohort minus the highest is never above 0: this limit is always met",
            format!("write at_least = -{most}"),
        ),
        (Difference, WorstPair, None, Some(least)) if least <= 0.0 => (
            "at_least",
            "greatest minus least is never below 0: this limit is always met",
            format!("write at_most = {}", least.abs()),
        ),
        (Ratio, Highest | WorstPair, Some(most), None) if most >= 1.0 => (
            "at_most",
            "a ratio to the highest is never above 1: this limit is always met",
            format!("write at_least = {:.3}", 1.0 / most),
        ),
        _ => return,
    };
    checker.error("always-met", &["judge", i, key], message, remedy);
}

/// A criterion's attributes must be among the sets that are measured.
fn sets(checker: &mut Checker, i: &str, criterion: &Criterion) {
    let Some(set) = criterion.across.as_ref().filter(|set| !set.is_empty()) else { return };
    if inferred(checker, set).is_some() {
        return;
    }
    let mut known = true;
    for (j, name) in set.iter().enumerate() {
        if !checker.spec.schema.contains_key(name) {
            checker.unknown_column(&["judge", i, "across", &j.to_string()], Part::Value, name);
            known = false;
        }
    }
    let measured = measured_sets(checker);
    if known && !measured.iter().any(|other| same_set(other, set)) {
        let written =
            |set: &[String]| format!("[{}]", set.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "));
        let sets = measured.iter().map(|set| written(set)).collect::<Vec<_>>().join(", ");
        let message = format!("{} is judged and not measured", set.join(" x "));
        checker.error(
            "across-not-measured",
            &["judge", i, "across"],
            message,
            format!("write under [measure]: across = [{}]", [sets, written(set)].join(", ").trim_start_matches(", ")),
        );
    }
}

fn waivers(checker: &mut Checker, i: &str, criterion: &Criterion) {
    for (j, waiver) in criterion.waive.iter().enumerate() {
        let j = j.to_string();
        if waiver.reason.trim().is_empty() {
            checker.error(
                "waiver-without-reason",
                &["judge", i, "waive", &j, "reason"],
                "a waiver needs a reason",
                "say who accepted the breach and why",
            );
        }
        if waiver.until.parse::<Date>().is_err() || waiver.until.len() != 10 {
            checker.error(
                "waiver-date",
                &["judge", i, "waive", &j, "until"],
                "the last day of a waiver is written YYYY-MM-DD",
                "for example \"2027-06-30\"",
            );
        }
        for (name, level) in &waiver.cohort {
            let path = ["judge", i, "waive", &j, "cohort", name];
            let inferred = name.strip_suffix(" (inferred)").and_then(|name| checker.spec.measure.inferred.get(name));
            match checker.spec.schema.get(name) {
                None if inferred.is_some_and(|of| of.columns.contains_key(level)) => {}
                None => checker.unknown_column(&path, Part::Key, name),
                Some(column) if !column.roles.contains(&Role::Protected) => {
                    checker.complain(
                        Severity::Error,
                        "not-protected",
                        &path,
                        Part::Key,
                        format!("{name} is no protected column: it forms no cohort"),
                        None,
                    );
                }
                Some(_) => checker.unknown_level(&path, name, level),
            }
        }
    }
}
