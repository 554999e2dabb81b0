//! AIF360 and Aequitas on the same data, and what the peers return where there is nothing to return.
//!
//! A value that is undefined here must be undefined whatever the peer returns. Those places are collected by the tests and must be exactly
//! those of [`PLACES`], which DESIGN.md explains.

use std::path::Path;

use evenhand::metric::{Against, Comparison};
use serde_json::Value;

use crate::audit::{Audited, audit, point};
use crate::expressions::{CAUCASIAN, DEGREE, FIRST, FLAGGED, NOT_FLAGGED, WHITE};
use crate::golden::fairlearn;
use crate::pipelines::{adult, compas, synth};
use crate::reference::{Task, reference};

const EXACT: f64 = 1e-12;

/// Where a peer has a number for no rows, on the 15 rows made for it.
#[rustfmt::skip]
const PLACES: [&str; 18] = [
    "edge-fairlearn: tpr of B: 0.0", "edge-fairlearn: tpr of E: 0.0",
    "edge-fairlearn: fpr of D: 0.0",
    "edge-fairlearn: fnr of B: 0.0", "edge-fairlearn: fnr of E: 0.0",
    "edge-fairlearn: tnr of D: 0.0",
    "edge-fairlearn: ppv of C: 0.0", "edge-fairlearn: ppv of E: 0.0",
    "edge-fairlearn: npv of D: 0.0",
    "edge-fairlearn: f1 of E: 0.0",
    "edge-fairlearn: balanced_acc of B: 0.6666666666666666", "edge-fairlearn: balanced_acc of D: 1.0",
    "edge-fairlearn: balanced_acc of E: 1.0",
    "edge-aif360-B-vs-A: equalized_odds_difference: 0.0",
    "edge-aif360-C-vs-A: positive_predictive_value of unpriv: 0.0",
    "edge-aif360-C-vs-A: false_discovery_rate of unpriv: 0.0",
    "edge-aif360-C-vs-A: false_discovery_rate_difference: -0.3333333333333333",
    "edge-aif360-C-vs-A: false_discovery_rate_ratio: 0.0",
];

/// AIF360's rates.
pub const AIF360: [(&str, &str); 11] = [
    ("true_positive_rate", "true-positive-rate"),
    ("false_positive_rate", "false-positive-rate"),
    ("false_negative_rate", "false-negative-rate"),
    ("true_negative_rate", "true-negative-rate"),
    ("positive_predictive_value", "positive-predictive-value"),
    ("negative_predictive_value", "negative-predictive-value"),
    ("false_discovery_rate", "false-discovery-rate"),
    ("false_omission_rate", "false-omission-rate"),
    ("accuracy", "accuracy"),
    ("error_rate", "error-rate"),
    ("selection_rate", "selection-rate"),
];

/// AIF360's contrasts that are one comparison of one rate, unprivileged with privileged.
pub const CONTRASTS: [(&str, &str, Comparison); 13] = [
    ("disparate_impact", "selection-rate", Comparison::Ratio),
    ("statistical_parity_difference", "selection-rate", Comparison::Difference),
    ("equal_opportunity_difference", "true-positive-rate", Comparison::Difference),
    ("error_rate_difference", "error-rate", Comparison::Difference),
    ("error_rate_ratio", "error-rate", Comparison::Ratio),
    ("false_positive_rate_difference", "false-positive-rate", Comparison::Difference),
    ("false_positive_rate_ratio", "false-positive-rate", Comparison::Ratio),
    ("false_negative_rate_difference", "false-negative-rate", Comparison::Difference),
    ("false_negative_rate_ratio", "false-negative-rate", Comparison::Ratio),
    ("false_omission_rate_difference", "false-omission-rate", Comparison::Difference),
    ("false_omission_rate_ratio", "false-omission-rate", Comparison::Ratio),
    ("false_discovery_rate_difference", "false-discovery-rate", Comparison::Difference),
    ("false_discovery_rate_ratio", "false-discovery-rate", Comparison::Ratio),
];

/// Aequitas' rates.
pub const AEQUITAS: [(&str, &str); 11] = [
    ("tpr", "true-positive-rate"),
    ("tnr", "true-negative-rate"),
    ("for", "false-omission-rate"),
    ("fdr", "false-discovery-rate"),
    ("fpr", "false-positive-rate"),
    ("fnr", "false-negative-rate"),
    ("npv", "negative-predictive-value"),
    ("precision", "positive-predictive-value"),
    ("pprev", "selection-rate"),
    ("prev", "prevalence"),
    ("accuracy", "accuracy"),
];

/// Notes a place where the peer returns a number, infinity included.
fn number_for_nothing(places: &mut Vec<String>, id: &str, what: &str, golden: &Value) {
    if !golden.is_null() {
        places.push(format!("{id}: {what}: {golden}"));
    }
}

/// The privileged cohort is the reference of the attribute, the unprivileged one another of its cohorts.
fn aif360(audited: &Audited, json: &Value, across: &[&str], unprivileged: &str, privileged: &str) -> Vec<String> {
    let id = json["id"].as_str().expect("id");
    let (mut task, mut places) = (Task::new(id), Vec::new());
    let results = &json["results"]["classification"];
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let of = |metric: &str, side: &str| match side {
        "all" => audited.everyone(metric).clone(),
        "priv" => audited.value(metric, across, privileged).clone(),
        _ => audited.value(metric, across, unprivileged).clone(),
    };
    for (side, cohort) in [("all", "everyone"), ("priv", privileged), ("unpriv", unprivileged)] {
        let joint = audited.cells(if side == "all" { &[] } else { across }, cohort).joint.expect("shown");
        for (ours, key) in [(joint[1][1], "positives"), (joint[0][0], "negatives")] {
            task.count(ours, &results[format!("num_true_{key}")][side], key);
        }
        for (ours, key) in [(joint[0][1], "positives"), (joint[1][0], "negatives")] {
            task.count(ours, &results[format!("num_false_{key}")][side], key);
        }
        for (theirs, ours) in AIF360 {
            let (golden, what) = (&results[theirs][side], format!("{theirs} of {side}"));
            let measured = point(&of(ours, side));
            let predictive = ["positive_predictive_value", "false_discovery_rate"].contains(&theirs)
                && joint[0][1] + joint[1][1] == 0;
            if golden.is_null() || predictive {
                task.undefined(measured, &what);
                number_for_nothing(&mut places, id, &what, golden);
            } else {
                task.near(measured, number(golden), EXACT, &what);
            }
        }
    }
    let compare = |metric: &str, compare| {
        point(audited.contrast(metric, across, compare, Against::Reference, Some(unprivileged)))
    };
    for (theirs, metric, comparison) in CONTRASTS {
        let (golden, measured) = (&results[theirs], compare(metric, comparison));
        let no_rate = [of(metric, "priv"), of(metric, "unpriv")].iter().any(|rate| point(rate).is_none());
        if golden.is_null() || no_rate {
            task.undefined(measured, theirs);
            number_for_nothing(&mut places, id, theirs, golden);
        } else {
            task.near(measured, number(golden), EXACT, theirs);
        }
    }
    let (tpr, fpr) =
        (compare("true-positive-rate", Comparison::Difference), compare("false-positive-rate", Comparison::Difference));
    let odds = tpr.zip(fpr).map(|(tpr, fpr)| ((tpr + fpr) / 2.0, tpr.abs().max(fpr.abs())));
    for (theirs, ours) in
        [("average_odds_difference", odds.map(|o| o.0)), ("equalized_odds_difference", odds.map(|o| o.1))]
    {
        match ours {
            Some(_) => task.near(ours, number(&results[theirs]), EXACT, theirs),
            None => number_for_nothing(&mut places, id, theirs, &results[theirs]),
        }
    }
    let (labels, prevalence) = (&json["results"]["dataset"], |compare| {
        point(audited.contrast("prevalence", across, compare, Against::Reference, Some(unprivileged)))
    });
    task.near(point(audited.everyone("prevalence")), number(&labels["base_rate"]), EXACT, "base_rate");
    task.near(
        prevalence(Comparison::Difference),
        number(&labels["statistical_parity_difference"]),
        EXACT,
        "difference of labels",
    );
    task.near(prevalence(Comparison::Ratio), number(&labels["disparate_impact"]), EXACT, "ratio of labels");
    places
}

/// Metrics and disparities of every cohort. Aequitas joins an intersection's name by `_` and its levels by `|`.
fn aequitas(audited: &Audited, json: &Value) -> Vec<String> {
    let id = json["id"].as_str().expect("id");
    let (mut task, mut places) = (Task::new(id), Vec::new());
    for (name, golden) in json["results"].as_object().expect("cohorts") {
        let (attributes, cohort) = name.split_once('=').expect("attribute=level");
        let across: Vec<&str> = attributes.split('_').collect();
        let row = audited.cells(&across, cohort);
        let joint = row.joint.expect("shown");
        let counts = [
            ("tp", joint[1][1]),
            ("fp", joint[0][1]),
            ("fn", joint[1][0]),
            ("tn", joint[0][0]),
            ("group_size", row.n.unwrap_or(-1)),
        ];
        for (key, ours) in counts {
            task.count(ours, &golden["metrics"][key], name);
        }
        let is_reference = json["reference_groups"][attributes] == *cohort;
        for (theirs, ours) in AEQUITAS {
            let (value, what) = (&golden["metrics"][theirs], format!("{theirs} of {name}"));
            let measured = point(audited.value(ours, &across, cohort));
            match value.as_f64() {
                Some(value) => task.near(measured, value, EXACT, &what),
                None => task.undefined(measured, &what),
            }
            let disparity = &golden["disparity"][format!("{theirs}_disparity")];
            if is_reference || theirs == "accuracy" || theirs == "prev" {
                continue;
            }
            let ratio = point(audited.contrast(ours, &across, Comparison::Ratio, Against::Reference, Some(cohort)));
            match disparity.as_f64() {
                Some(disparity) => task.near(ratio, disparity, EXACT, &format!("disparity of {what}")),
                None => {
                    task.undefined(ratio, &format!("disparity of {what}"));
                    number_for_nothing(&mut places, id, &format!("disparity of {what}"), disparity);
                }
            }
        }
    }
    places
}

/// COMPAS with another attribute in place of race.
pub fn recoded(pipeline: &str, name: &str, text: &str, reference: &str) -> String {
    format!("{pipeline}{name} = \"{text}\"\n[schema.{name}]\nroles = [\"protected\"]\nreference = \"{reference}\"\n")
}

pub const DECILES: &str = "\n[schema.decile_score]\nas = \"number\"\n";

#[test]
fn compas_by_aif360_and_aequitas() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let sets = r#"[["race"], ["sex"], ["race", "sex"], ["caucasian"]]"#;
    let pipeline = recoded(&compas(true, NOT_FLAGGED, "0", sets, ""), "caucasian", CAUCASIAN, "Caucasian") + DECILES;
    let audited = audit(&pipeline, &data);
    for (id, across, unprivileged, privileged) in [
        ("compas-aif360-race-AAvsCaucasian", &["race"][..], "African-American", "Caucasian"),
        ("compas-aif360-race-restvsCaucasian", &["caucasian"], "rest", "Caucasian"),
        ("compas-aif360-sex", &["sex"], "Male", "Female"),
        ("compas-aif360-intersect", &["race", "sex"], "African-American|Male", "Caucasian|Female"),
    ] {
        assert!(aif360(&audited, &tasks[id], across, unprivileged, privileged).is_empty());
    }
    let sets = r#"[["race"], ["sex"], ["race", "sex"]]"#;
    let flagged =
        (compas(true, FLAGGED, "1", sets, "") + DECILES).replace("reference = \"Female\"", "reference = \"Male\"");
    assert!(aequitas(&audit(&flagged, &data), &tasks["compas-aequitas"]).is_empty());
}

#[test]
fn adult_and_synth_by_aif360_and_aequitas() {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let pipeline = recoded(&adult(DEGREE, "", r#"[["sex"], ["race"], ["white"]]"#, ""), "white", WHITE, "White");
    let audited = audit(&pipeline, &data);
    assert!(aif360(&audited, &tasks["adult-aif360-sex"], &["sex"], "Female", "Male").is_empty());
    assert!(aif360(&audited, &tasks["adult-aif360-race"], &["white"], "rest", "White").is_empty());
    assert!(aequitas(&audited, &tasks["adult-aequitas"]).is_empty());
    let folder = data.parent().and_then(Path::parent).expect("data");
    let synth_data = folder.join("synth-fair/synth_fair.csv");
    let golden = std::fs::read_to_string(folder.parent().unwrap().join("golden/fairness-synth.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let task = |id: &str| golden["tasks"].as_array().unwrap().iter().find(|task| task["id"] == id).unwrap();
    let pipeline = recoded(&(synth(r#"[["g"], ["h"], ["first"]]"#) + "[derive]\n"), "first", FIRST, "A");
    let audited = audit(&pipeline, &synth_data);
    assert!(aif360(&audited, task("synth-aif360-g"), &["first"], "rest", "A").is_empty());
    assert!(aequitas(&audited, task("synth-aequitas")).is_empty());
}

/// The 15 rows on which the peers fall into their gaps, with chosen rows' group missing.
pub fn edge(folder: &Path, rows: &Value, missing: &[usize], change: &dyn Fn(&str) -> String) -> Audited {
    let mut text = "g,y,pred\n".to_string();
    for (i, row) in rows.as_array().expect("rows").iter().enumerate() {
        let group = if missing.contains(&i) { "" } else { row[0].as_str().expect("a group") };
        text += &format!("{group},{},{}\n", row[1], row[2]);
    }
    let path = folder.join("edge.csv");
    std::fs::write(&path, text).unwrap();
    let pipeline = r#"
        [pipeline]
        name = "edge"
        [ingest]
        path = "edge.csv"
        [schema.g]
        roles = ["protected"]
        reference = "A"
        [schema.y]
        roles = ["target"]
        positive = "1"
        [schema.pred]
        roles = ["prediction"]
        positive = "1"
        [measure]
        replicates = 50
        support_min = 1
    "#;
    audit(&change(pipeline), &path)
}

#[test]
fn where_the_peers_have_a_number_for_nothing() {
    let Some((_, tasks)) = reference("compas/compas.csv", "edge") else { return };
    let folder = tempfile::tempdir().unwrap();
    let rows = &tasks["edge-rows"]["results"];
    let audited = edge(folder.path(), rows, &[], &str::to_owned);
    let mut places = fairlearn(&audited, &tasks["edge-fairlearn"]);
    places.extend(aif360(&audited, &tasks["edge-aif360-B-vs-A"], &["g"], "B", "A"));
    places.extend(aif360(&audited, &tasks["edge-aif360-C-vs-A"], &["g"], "C", "A"));
    places.extend(aequitas(&audited, &tasks["edge-aequitas"]));
    assert_eq!(places, PLACES);
    // A missing group is a cohort of its own: nobody is refused, nobody is dropped.
    let audited = edge(folder.path(), rows, &[0, 7], &str::to_owned);
    for (cohort, n) in [("A", 5), ("B", 2), ("C", 3), ("D", 1), ("E", 2), ("(unknown)", 2)] {
        assert_eq!(audited.cells(&["g"], cohort).n, Some(n), "{cohort}");
    }
    assert_eq!(audited.cells(&[], "everyone").n, Some(15));
    assert!(!audited.cells(&["g"], "(unknown)").compared);
    let dropped: i64 = tasks["edge-missing-sensitive"]["results"]["aequitas"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_i64)
        .sum();
    assert_eq!(dropped, 13);
}
