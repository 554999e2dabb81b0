//! Every value the peers gave on COMPAS, Adult, the synthetic set and the edge rows is looked at: it agrees with the one measured here, or it is in
//! the list of exceptions, each with its reason. A value that is in neither fails, and so does an exception that excuses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use evenhand::metric::{Against, COMPOSITES, Comparison, Needs, PARITY, RATES};
use serde_json::Value;

use crate::audit::{Audited, audit, point};
use crate::expressions::{CAUCASIAN, DEGREE, FIRST, FLAGGED, NOT_FLAGGED, WHITE, race};
use crate::golden::FAIRLEARN;
use crate::peers::{AEQUITAS, AIF360, CONTRASTS, DECILES, edge, recoded};
use crate::pipelines::{adult, compas, synth};
use crate::reference::reference;

const INEQUALITY: &str = "strata: compared there";
const DIFFERENTIAL: &str = "strata: compared there";
const ZERO: &str = "the peer has 0 for a rate without rows; here it is undefined";
const WITHOUT: &str =
    "the peer's zeros for rates without rows are among the values compared; here those cohorts are left out";
const ONE_OF_TWO: &str = "scikit-learn averages over the labels that occur; here the mean of two rates needs both";
const UNKNOWN: &str = "a part without rows makes the peer's answer false; here it is unknown";

/// Values that are not those measured here: task, place in it, and why. `*` stands for any text.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("*-aif360-*", "classification/*theil_index", INEQUALITY),
    ("*-aif360-*", "classification/*generalized_entropy_index*", INEQUALITY),
    ("*-aif360-*", "classification/coefficient_of_variation", INEQUALITY),
    ("*-aif360-*", "classification/differential_fairness_bias_amplification", DIFFERENTIAL),
    ("*-aif360-*", "dataset/smoothed_empirical_differential_fairness*", DIFFERENTIAL),
    ("synth-aif360-g", "dataset/consistency*", "nearest neighbours: measured of rows, not of the table"),
    ("compas-aif360-sklearn", "generalized_entropy_error*", INEQUALITY),
    ("compas-aif360-sklearn", "between_group_generalized_entropy_error*", INEQUALITY),
    (
        "compas-aif360-sklearn",
        "smoothed_edf*",
        "the peer smooths over the classes seen inside a cohort, so that a cohort of one class is infinite",
    ),
    ("compas-aif360-sklearn", "df_bias_amplification*", "as smoothed_edf"),
    ("compas-fairlearn-race-sex", "by_group/Native American|Female/fpr", ZERO),
    ("compas-fairlearn-race-sex", "by_group/Native American|Female/tnr", ZERO),
    ("compas-fairlearn-race-sex", "by_group/Native American|Female/npv", ZERO),
    ("compas-fairlearn-race-sex", "by_group/Asian|Female/ppv", ZERO),
    ("compas-fairlearn-race-sex", "by_group/Native American|Female/balanced_acc", ONE_OF_TWO),
    ("edge-fairlearn", "by_group/*/tpr", ZERO),
    ("edge-fairlearn", "by_group/*/fnr", ZERO),
    ("edge-fairlearn", "by_group/D/fpr", ZERO),
    ("edge-fairlearn", "by_group/D/tnr", ZERO),
    ("edge-fairlearn", "by_group/*/ppv", ZERO),
    ("edge-fairlearn", "by_group/D/npv", ZERO),
    ("edge-fairlearn", "by_group/E/f1", ZERO),
    ("edge-fairlearn", "by_group/*/balanced_acc", ONE_OF_TWO),
    ("*-fairlearn-race-sex", "*_between_groups/*", WITHOUT),
    ("*-fairlearn-race-sex", "*_to_overall/*", WITHOUT),
    ("*-fairlearn-race-sex", "group_m*/*", WITHOUT),
    ("edge-fairlearn", "*_between_groups/*", WITHOUT),
    ("edge-fairlearn", "*_to_overall/*", WITHOUT),
    ("edge-fairlearn", "group_m*/*", WITHOUT),
    ("edge-fairlearn", "fairlearn_scalars/*", WITHOUT),
    (
        "edge-aif360-B-vs-A",
        "classification/equalized_odds_difference",
        "max(0.0, nan) keeps 0.0 there; here a part without rows leaves it undefined",
    ),
    ("edge-aif360-C-vs-A", "classification/positive_predictive_value/unpriv", ZERO),
    ("edge-aif360-C-vs-A", "classification/false_discovery_rate/unpriv", ZERO),
    ("edge-aif360-C-vs-A", "classification/false_discovery_rate_*", ZERO),
    ("edge-aif360-C-vs-A", "classification/average_predictive_value_difference", ZERO),
    ("edge-aequitas", "*/fairness_tau0.8/*", UNKNOWN),
    ("edge-missing-sensitive", "fairlearn", "the peer refuses the data; here a missing group is a cohort of its own"),
    ("edge-missing-sensitive", "aif360", "as Fairlearn"),
];

/// Tasks whose values are looked at elsewhere, and where.
const ELSEWHERE: &[(&str, &str)] = &[
    ("compas-tests-race", "equality: every value"),
    ("compas-tests-sex", "as compas-tests-race"),
    ("adult-tests-sex", "as compas-tests-race"),
    ("adult-tests-race", "as compas-tests-race"),
    ("synth-tests-g", "as compas-tests-race"),
    ("compas-cmh-age", "strata: every value"),
    ("compas-auc", "golden"),
    ("synth-auc", "golden"),
    ("compas-calibration", "golden"),
    ("synth-calibration", "golden"),
    ("compas-ll144-selection", "regulation: every value"),
    ("compas-ll144-scoring", "regulation: every value"),
    ("compas-ll144-selection-unknowns", "regulation: every value"),
    ("adult-ll144-selection", "regulation: every value"),
    ("adult-ll144-scoring", "regulation: every value"),
    ("adult-label-rates", "golden"),
    ("synth-consistency", "individual: every value"),
    ("synth-gei", "strata: every value"),
    ("synth-score-dist", "distances: every value"),
    ("edge-rows", "the rows themselves"),
];

/// What is measured here in a place of a task.
#[derive(Debug)]
enum Ours {
    Number(Option<f64>),
    Truth(Option<bool>),
}

/// True when a text is of a form in which `*` stands for any text.
fn fits(form: &str, text: &str) -> bool {
    match form.split_once('*') {
        None => form == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            rest.is_empty() || text.char_indices().any(|(at, _)| fits(rest, &text[at..])) || fits(rest, "")
        }),
    }
}

/// The leaves of a value with their places.
fn leaves<'a>(value: &'a Value, place: Vec<&'a str>, found: &mut Vec<(Vec<&'a str>, &'a Value)>) {
    match value {
        Value::Object(of) => of.iter().for_each(|(key, value)| {
            let mut place = place.clone();
            place.push(key);
            leaves(value, place, found);
        }),
        Value::Array(of) => of.iter().for_each(|value| leaves(value, place.clone(), found)),
        _ => found.push((place, value)),
    }
}

fn agrees(golden: &Value, ours: &Ours, tolerance: f64) -> bool {
    match ours {
        Ours::Number(Some(ours)) => {
            golden.as_f64().is_some_and(|golden| (ours - golden).abs() <= tolerance * golden.abs().max(1e-3))
        }
        Ours::Truth(Some(ours)) => golden.as_bool() == Some(*ours),
        Ours::Number(None) | Ours::Truth(None) => golden.is_null(),
    }
}

/// What was looked at.
#[derive(Default)]
struct Walk {
    agreed: usize,
    excused: BTreeSet<usize>,
    places: usize,
    failed: Vec<String>,
    tasks: BTreeSet<String>,
}

impl Walk {
    fn task(&mut self, task: &Value, tolerance: f64, ours: &dyn Fn(&[&str]) -> Option<Ours>) {
        let id = task["id"].as_str().expect("id");
        self.tasks.insert(id.into());
        let mut found = Vec::new();
        leaves(&task["results"], Vec::new(), &mut found);
        assert!(!found.is_empty(), "{id}");
        for (place, golden) in found {
            let measured = ours(&place);
            if measured.as_ref().is_some_and(|ours| agrees(golden, ours, tolerance)) {
                self.agreed += 1;
                continue;
            }
            let place = place.join("/");
            let excuse = EXCEPTIONS.iter().position(|(task, form, _)| fits(task, id) && fits(form, &place));
            match excuse {
                Some(at) => {
                    self.excused.insert(at);
                    self.places += 1;
                }
                None => self.failed.push(format!("{id}: {place} is {golden} there and {measured:?} here")),
            }
        }
    }
}

/// The metrics of tables, and those of scores where there are any.
fn wanted(pipeline: &str, scores: bool) -> String {
    let family = PARITY.iter().filter(|card| scores || card.needs != Needs::LabelAndScore).map(|card| card.id);
    let rates = RATES.iter().map(|rate| rate.card.id).chain(COMPOSITES.iter().map(|composite| composite.card.id));
    let names: Vec<String> = rates.chain(family).map(|id| format!("{id:?}")).collect();
    pipeline.replace("[measure]", &format!("[measure]\nmetrics = [{}]", names.join(", ")))
}

fn number(value: Option<f64>) -> Option<Ours> {
    Some(Ours::Number(value))
}

/// A Fairlearn task: values, counts, comparisons read from the values, and its scalars from the readings that are named for them.
fn fairlearn(audited: &Audited, across: &[&str], cohorts: &[String], place: &[&str]) -> Option<Ours> {
    let name = |theirs: &str| FAIRLEARN.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours);
    let value = |metric: &str, cohort: &str| match metric {
        "count" => audited.cells(across, cohort).n.map(|n| n as f64),
        _ => point(audited.value(metric, across, cohort)),
    };
    let everyone = |metric: &str| match metric {
        "count" => audited.cells(&[], "everyone").n.map(|n| n as f64),
        _ => point(audited.everyone(metric)),
    };
    let metric = |theirs: &str| if theirs == "count" { Some("count") } else { name(theirs) };
    match place {
        ["overall", theirs] => number(everyone(metric(theirs)?)),
        ["by_group", cohort, theirs] => number(value(metric(theirs)?, cohort)),
        ["cells", cohort, cell] => {
            let row = audited.cells(across, cohort);
            let joint = row.joint?;
            let at = |label: usize, decision: usize| number(Some(joint[label][decision] as f64));
            match *cell {
                "n" => number(row.n.map(|n| n as f64)),
                "tp" => at(1, 1),
                "fp" => at(0, 1),
                "fn" => at(1, 0),
                "tn" => at(0, 0),
                _ => None,
            }
        }
        ["fairlearn_scalars", key] => scalar(audited, across, key),
        [kind, theirs] => {
            let id = metric(theirs)?;
            let values: Vec<f64> = cohorts.iter().filter_map(|cohort| value(id, cohort)).collect();
            let least = values.iter().copied().reduce(f64::min)?;
            let (greatest, all) = (values.iter().copied().reduce(f64::max)?, everyone(id)?);
            number(Some(match *kind {
                "group_min" => least,
                "group_max" => greatest,
                "difference_between_groups" | "difference" => greatest - least,
                "ratio_between_groups" | "ratio" => least / greatest,
                "difference_to_overall" => values.iter().map(|value| (value - all).abs()).fold(0.0, f64::max),
                "ratio_to_overall" => values.iter().map(|value| (value / all).min(all / value)).fold(1.0, f64::min),
                _ => return None,
            }))
        }
        _ => None,
    }
}

/// `equalized_odds_difference[between_groups,worst_case]` and its like.
fn scalar(audited: &Audited, across: &[&str], key: &str) -> Option<Ours> {
    let (name, how) = key.strip_suffix(']')?.split_once('[')?;
    let (name, compare) = match name.strip_suffix("_difference") {
        Some(name) => (name, Comparison::Difference),
        None => (name.strip_suffix("_ratio")?, Comparison::Ratio),
    };
    let (against, how) = how.split_once(',').unwrap_or((how, ""));
    let metric = match (name, how) {
        ("demographic_parity", _) => "selection-rate",
        ("equal_opportunity", _) => "true-positive-rate",
        ("equalized_odds", "worst_case") => "equalized-odds",
        ("equalized_odds", "mean") => "equalized-odds-mean",
        _ => return None,
    };
    let furthest = |metric: &str| {
        let each = audited.contrasts(metric, across, compare, Against::Overall).into_iter().filter_map(point);
        match compare {
            Comparison::Difference => each.map(f64::abs).reduce(f64::max),
            Comparison::Ratio => each.map(|ratio| ratio.min(1.0 / ratio)).reduce(f64::min),
        }
    };
    match against {
        "between_groups" => number(point(audited.contrast(metric, across, compare, Against::WorstPair, None))),
        // The mean of the furthest cohorts of each rate, not of one cohort.
        "to_overall" if how == "mean" => {
            number(Some((furthest("true-positive-rate")? + furthest("false-positive-rate")?) / 2.0))
        }
        "to_overall" => number(furthest(metric)),
        _ => None,
    }
}

fn fairlearn_task(walk: &mut Walk, audited: &Audited, task: &Value) {
    let across: Vec<&str> = match task["attributes"].as_array() {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => vec!["sex"],
    };
    let cohorts = task["results"]["by_group"].as_object().expect("cohorts").keys().cloned().collect::<Vec<_>>();
    let tolerance = if task["id"] == "adult-fairlearn-sex-weighted" { 1e-11 } else { 1e-12 };
    walk.task(task, tolerance, &|place| fairlearn(audited, &across, &cohorts, place));
}

/// Contrasts of AIF360 beyond one rate, unprivileged with privileged.
const JOINED: [(&str, &str); 5] = [
    ("average_odds_difference", "average-odds"),
    ("average_abs_odds_difference", "equalized-odds-mean"),
    ("average_odds_error", "equalized-odds-mean"),
    ("equalized_odds_difference", "equalized-odds"),
    ("average_predictive_value_difference", "average-predictive-value"),
];

fn aif360(
    audited: &Audited,
    across: &[&str],
    (unprivileged, privileged): (&str, &str),
    place: &[&str],
) -> Option<Ours> {
    let with = |metric: &str, compare| {
        point(audited.contrast(metric, across, compare, Against::Reference, Some(unprivileged)))
    };
    let of = |metric: &str, side: &str| match side {
        "all" => Some(point(audited.everyone(metric))),
        "priv" => Some(point(audited.value(metric, across, privileged))),
        "unpriv" => Some(point(audited.value(metric, across, unprivileged))),
        _ => None,
    };
    match place {
        ["dataset", "base_rate"] => number(of("prevalence", "all")?),
        ["dataset", "base_rate_priv"] => number(of("prevalence", "priv")?),
        ["dataset", "base_rate_unpriv"] => number(of("prevalence", "unpriv")?),
        ["dataset", "disparate_impact"] => number(with("prevalence", Comparison::Ratio)),
        ["dataset", "statistical_parity_difference"] => number(with("prevalence", Comparison::Difference)),
        ["classification", name, side] => {
            if let Some((_, metric)) = AIF360.iter().find(|(theirs, _)| theirs == name) {
                return number(of(metric, side)?);
            }
            let row = match *side {
                "all" => audited.cells(&[], "everyone"),
                "priv" => audited.cells(across, privileged),
                _ => audited.cells(across, unprivileged),
            };
            let joint = row.joint?;
            let count = match *name {
                "num_true_positives" => joint[1][1],
                "num_false_positives" => joint[0][1],
                "num_false_negatives" => joint[1][0],
                "num_true_negatives" => joint[0][0],
                _ => return None,
            };
            number(Some(count as f64))
        }
        ["classification", name] | [name] => {
            let name = if *name == "disparate_impact_ratio" { "disparate_impact" } else { name };
            if let Some((_, metric, compare)) = CONTRASTS.iter().find(|(theirs, ..)| *theirs == name) {
                return number(with(metric, *compare));
            }
            let (_, metric) = JOINED.iter().find(|(theirs, _)| *theirs == name)?;
            number(with(metric, Comparison::Difference))
        }
        _ => None,
    }
}

/// aif360.sklearn: everyone else with Caucasian, and figures of the races themselves.
fn sklearn(audited: &Audited, place: &[&str]) -> Option<Ours> {
    let [name] = place else { return None };
    let race = |metric: &str| {
        let with =
            audited.contrast(metric, &["race"], Comparison::Difference, Against::Reference, Some("African-American"));
        number(point(with))
    };
    match *name {
        "class_imbalance(label; AA+Caucasian rows only)" => race("class-imbalance"),
        "kl_divergence(label; AA+Caucasian rows only)" => race("label-divergence"),
        "kl_divergence(pred; AA+Caucasian rows only)" => race("decision-divergence"),
        "conditional_demographic_disparity(pred; race)" => {
            number(point(audited.value("demographic-disparity-mean", &["race"], "everyone")))
        }
        _ => aif360(audited, &["caucasian"], ("rest", "Caucasian"), place),
    }
}

/// Aequitas: counts, rates, disparities with the reference, and whether a disparity is within 0.8 and 1.25.
fn aequitas(audited: &Audited, task: &Value, place: &[&str]) -> Option<Ours> {
    let [name, kind, key] = place else { return None };
    let (attributes, cohort) = name.split_once('=')?;
    let across: Vec<&str> = attributes.split('_').collect();
    let metric = |theirs: &str| match theirs {
        "ppr" => Some("share-of-selected"),
        _ => AEQUITAS.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours),
    };
    let disparity = |theirs: &str| -> Option<Option<f64>> {
        let metric = metric(theirs)?;
        Some(match task["reference_groups"][attributes] == *cohort {
            true => point(audited.value(metric, &across, cohort)).filter(|value| *value != 0.0).map(|_| 1.0),
            false => point(audited.contrast(metric, &across, Comparison::Ratio, Against::Reference, Some(cohort))),
        })
    };
    let within = |theirs: &str| disparity(theirs).flatten().map(|ratio| (0.8..=1.25).contains(&ratio));
    let both = |a: &str, b: &str| match (within(a), within(b)) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    match (*kind, *key) {
        ("metrics", "tp" | "fp" | "fn" | "tn" | "pp" | "pn" | "group_size") => {
            let row = audited.cells(&across, cohort);
            let joint = row.joint?;
            let count = match *key {
                "tp" => joint[1][1],
                "fp" => joint[0][1],
                "fn" => joint[1][0],
                "tn" => joint[0][0],
                "pp" => row.decisions?[1],
                "pn" => row.decisions?[0],
                _ => row.n?,
            };
            number(Some(count as f64))
        }
        ("metrics", theirs) => number(point(audited.value(metric(theirs)?, &across, cohort))),
        ("disparity", theirs) => number(disparity(theirs.strip_suffix("_disparity")?)?),
        ("fairness_tau0.8", "Statistical Parity") => Some(Ours::Truth(within("ppr"))),
        ("fairness_tau0.8", "Impact Parity") => Some(Ours::Truth(within("pprev"))),
        ("fairness_tau0.8", "TypeI Parity") => Some(Ours::Truth(both("fdr", "fpr"))),
        ("fairness_tau0.8", "TypeII Parity") => Some(Ours::Truth(both("for", "fnr"))),
        ("fairness_tau0.8", "Equalized Odds") => Some(Ours::Truth(both("fpr", "tpr"))),
        ("fairness_tau0.8", "Unsupervised Fairness") => Some(Ours::Truth(both("ppr", "pprev"))),
        ("fairness_tau0.8", "Supervised Fairness") => {
            let of = [both("fdr", "fpr"), both("for", "fnr")];
            let unknown = if of.contains(&None) { None } else { Some(true) };
            Some(Ours::Truth(if of.contains(&Some(false)) { Some(false) } else { unknown }))
        }
        ("fairness_tau0.8", name) => Some(Ours::Truth(within(&name.strip_suffix(" Parity")?.to_lowercase()))),
        _ => None,
    }
}

fn on_compas(walk: &mut Walk) -> bool {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return false };
    let sets = r#"[["sex"], ["race"], ["age_cat"], ["race", "sex"]]"#;
    let flagged = |filter| wanted(&(compas(filter, FLAGGED, "1", sets, "") + DECILES), false);
    let audited = audit(&flagged(true), &data);
    for id in ["sex", "race", "age_cat", "race-sex"] {
        fairlearn_task(walk, &audited, &tasks[&format!("compas-fairlearn-{id}")]);
    }
    fairlearn_task(walk, &audit(&flagged(false), &data), &tasks["compas-unfiltered-fairlearn-race"]);
    let male = audit(&flagged(true).replace("reference = \"Female\"", "reference = \"Male\""), &data);
    let task = &tasks["compas-aequitas"];
    walk.task(task, 1e-12, &|place| aequitas(&male, task, place));
    let sets = r#"[["race"], ["sex"], ["race", "sex"], ["caucasian"]]"#;
    let pipeline = recoded(&compas(true, NOT_FLAGGED, "0", sets, ""), "caucasian", CAUCASIAN, "Caucasian") + DECILES;
    let audited = audit(&wanted(&pipeline, false), &data);
    for (id, across, pair) in [
        ("compas-aif360-race-AAvsCaucasian", &["race"][..], ("African-American", "Caucasian")),
        ("compas-aif360-race-restvsCaucasian", &["caucasian"], ("rest", "Caucasian")),
        ("compas-aif360-sex", &["sex"], ("Male", "Female")),
        ("compas-aif360-intersect", &["race", "sex"], ("African-American|Male", "Caucasian|Female")),
    ] {
        walk.task(&tasks[id], 1e-12, &|place| aif360(&audited, across, pair, place));
    }
    walk.task(&tasks["compas-aif360-sklearn"], 1e-12, &|place| sklearn(&audited, place));
    named(walk, &tasks);
    true
}

fn on_adult(walk: &mut Walk) {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let sets = r#"[["sex"], ["race"], ["race", "sex"], ["white"]]"#;
    let audited = audit(&wanted(&recoded(&adult(DEGREE, "", sets, ""), "white", WHITE, "White"), false), &data);
    for id in ["sex", "race", "race-sex"] {
        fairlearn_task(walk, &audited, &tasks[&format!("adult-fairlearn-{id}")]);
    }
    walk.task(&tasks["adult-aif360-sex"], 1e-12, &|place| aif360(&audited, &["sex"], ("Female", "Male"), place));
    walk.task(&tasks["adult-aif360-race"], 1e-12, &|place| aif360(&audited, &["white"], ("rest", "White"), place));
    let task = &tasks["adult-aequitas"];
    walk.task(task, 1e-12, &|place| aequitas(&audited, task, place));
    let weight = "[schema.fnlwgt]\nroles = [\"weight\"]";
    let weighted = audit(&adult(DEGREE, "", r#"[["sex"]]"#, weight), &data);
    fairlearn_task(walk, &weighted, &tasks["adult-fairlearn-sex-weighted"]);
    let task = &tasks["adult-fairlearn-sex-given-race"];
    let levels = task["results"]["difference"].as_object().expect("races").keys();
    let within: BTreeMap<&str, Audited> =
        levels.map(|level| (level.as_str(), audit(&adult(DEGREE, &race(level), r#"[["sex"]]"#, ""), &data))).collect();
    let sexes = ["Female".to_string(), "Male".to_string()];
    walk.task(task, 1e-12, &|place| match place {
        [kind, level, theirs] => fairlearn(within.get(level)?, &["sex"], &sexes, &[kind, theirs]),
        _ => None,
    });
    named(walk, &tasks);
}

fn on_synth_and_edge(walk: &mut Walk) {
    let Some((data, tasks)) = reference("synth-fair/synth_fair.csv", "synth") else { return };
    let pipeline = recoded(&(synth(r#"[["g"], ["h"], ["g", "h"], ["first"]]"#) + "[derive]\n"), "first", FIRST, "A");
    let audited = audit(&wanted(&pipeline, true), &data);
    for id in ["g", "h", "g-h"] {
        fairlearn_task(walk, &audited, &tasks[&format!("synth-fairlearn-{id}")]);
    }
    walk.task(&tasks["synth-aif360-g"], 1e-12, &|place| aif360(&audited, &["first"], ("rest", "A"), place));
    let task = &tasks["synth-aequitas"];
    walk.task(task, 1e-12, &|place| aequitas(&audited, task, place));
    named(walk, &tasks);
    let Some((_, tasks)) = reference("compas/compas.csv", "edge") else { return };
    let folder = tempfile::tempdir().unwrap();
    let rows = &tasks["edge-rows"]["results"];
    let audited = wanted_edge(folder.path(), rows, &[]);
    fairlearn_task(walk, &audited, &tasks["edge-fairlearn"]);
    for (id, unprivileged) in [("edge-aif360-B-vs-A", "B"), ("edge-aif360-C-vs-A", "C")] {
        walk.task(&tasks[id], 1e-12, &|place| aif360(&audited, &["g"], (unprivileged, "A"), place));
    }
    let task = &tasks["edge-aequitas"];
    walk.task(task, 1e-12, &|place| aequitas(&audited, task, place));
    let missing = wanted_edge(folder.path(), rows, &[0, 7]);
    walk.task(&tasks["edge-missing-sensitive"], 1e-12, &|place| match place {
        ["aequitas", cohort] => number(missing.cells(&["g"], cohort).n.map(|n| n as f64)),
        _ => None,
    });
    named(walk, &tasks);
}

fn wanted_edge(folder: &Path, rows: &Value, missing: &[usize]) -> Audited {
    edge(folder, rows, missing, &|pipeline| wanted(pipeline, false))
}

/// Every task of a file was walked, or is looked at elsewhere.
fn named(walk: &mut Walk, tasks: &BTreeMap<String, Value>) {
    for id in tasks.keys() {
        let elsewhere = ELSEWHERE.iter().any(|(task, _)| task == id);
        assert!(elsewhere != walk.tasks.contains(id), "{id} is walked and listed, or neither");
    }
}

#[test]
fn every_value_of_the_peers_agrees_or_is_excused() {
    let mut walk = Walk::default();
    if !on_compas(&mut walk) {
        return;
    }
    on_adult(&mut walk);
    on_synth_and_edge(&mut walk);
    println!("{} values agree, {} are excused by {} reasons", walk.agreed, walk.places, walk.excused.len());
    // Forms are wide where a cohort without rows runs through every comparison: how many places they excuse is held too.
    assert_eq!(walk.places, 168);
    assert!(walk.failed.is_empty(), "{} places:\n{}", walk.failed.len(), walk.failed.join("\n"));
    let idle: Vec<_> = (0..EXCEPTIONS.len()).filter(|at| !walk.excused.contains(at)).map(|at| EXCEPTIONS[at]).collect();
    assert!(idle.is_empty(), "excuse nothing: {idle:?}");
}

#[test]
fn a_wrong_value_is_found() {
    assert!(fits("a*/b*", "a1/b") && fits("*", "x") && !fits("a*b", "abc") && fits("a*c", "abc"));
    let golden = serde_json::json!({"id": "t", "results": {"x": {"y": 0.5, "z": null}}});
    let mut walk = Walk::default();
    walk.task(&golden, 1e-12, &|place| number((place[1] == "y").then_some(0.5)));
    assert_eq!((walk.agreed, walk.failed.len()), (2, 0));
    walk.task(&golden, 1e-12, &|place| number((place[1] == "y").then_some(0.5 + 1e-11)));
    assert_eq!((walk.agreed, walk.failed.len()), (3, 1));
    walk.task(&golden, 1e-12, &|_| None);
    assert_eq!((walk.agreed, walk.failed.len()), (3, 3));
}
