//! The numbers of Fairlearn, scikit-learn, SciPy and statsmodels on COMPAS, Adult and a synthetic set, reproduced.
//!
//! Counts are equal; rates, comparisons and intervals agree within 1e-12, sums over rows within 1e-9, weighted rates within 1e-11. Fairlearn
//! gives zero for a rate without rows; here it is undefined, and comparisons are expected over the cohorts that have a value.

use std::collections::BTreeMap;

use evenhand::metric::{Against, Comparison};
use serde_json::Value;

use crate::audit::{Audited, audit, ends, point};
use crate::expressions::{ABOVE_TEN, ABOVE_THE_MEDIAN, DEGREE, FLAGGED, NOT_FLAGGED, PROBABILITY, race};
use crate::pipelines::{adult, compas, scored, synth};
use crate::reference::{Task, reference};

const EXACT: f64 = 1e-12;

/// Fairlearn's name of a metric, and ours.
pub const FAIRLEARN: [(&str, &str); 10] = [
    ("sel", "selection-rate"),
    ("tpr", "true-positive-rate"),
    ("fpr", "false-positive-rate"),
    ("fnr", "false-negative-rate"),
    ("tnr", "true-negative-rate"),
    ("acc", "accuracy"),
    ("ppv", "positive-predictive-value"),
    ("npv", "negative-predictive-value"),
    ("f1", "f1-score"),
    ("balanced_acc", "balanced-accuracy"),
];

/// Where Fairlearn has a number for no rows on COMPAS. DESIGN.md explains them.
const PLACES: [&str; 5] = [
    "compas-fairlearn-race-sex: fpr of Native American|Female: 0.0",
    "compas-fairlearn-race-sex: tnr of Native American|Female: 0.0",
    "compas-fairlearn-race-sex: ppv of Asian|Female: 0.0",
    "compas-fairlearn-race-sex: npv of Native American|Female: 0.0",
    "compas-fairlearn-race-sex: balanced_acc of Native American|Female: 1.0",
];

/// True when the figure has rows to be computed from.
fn defined(metric: &str, cells: &Value) -> bool {
    let at = |key: &str| cells[key].as_i64().expect("a count");
    let (tp, fp, fn_, tn) = (at("tp"), at("fp"), at("fn"), at("tn"));
    match metric {
        "tpr" | "fnr" => tp + fn_ > 0,
        "fpr" | "tnr" => fp + tn > 0,
        "ppv" => tp + fp > 0,
        "npv" => tn + fn_ > 0,
        "f1" => 2 * tp + fp + fn_ > 0,
        "balanced_acc" => tp + fn_ > 0 && fp + tn > 0,
        _ => at("n") > 0,
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Everything a Fairlearn task holds. Returns the places where Fairlearn has a number and there is none.
pub fn fairlearn(audited: &Audited, json: &Value) -> Vec<String> {
    let mut task = Task::new(json["id"].as_str().expect("id"));
    let across: Vec<&str> =
        json["attributes"].as_array().expect("attributes").iter().filter_map(Value::as_str).collect();
    let results = &json["results"];
    let cells = results["cells"].as_object().expect("cells");
    task.count(audited.cells(&[], "everyone").n.unwrap_or(-1), &json["n"], "rows");
    for (group, golden) in cells {
        let row = audited.cells(&across, group);
        let joint = row.joint.expect("nothing is suppressed");
        for (ours, key) in [
            (row.n.unwrap_or(-1), "n"),
            (joint[1][1], "tp"),
            (joint[0][1], "fp"),
            (joint[1][0], "fn"),
            (joint[0][0], "tn"),
        ] {
            task.count(ours, &golden[key], &format!("{key} of {group}"));
        }
    }
    let (mut places, mut undefined) = (Vec::new(), false);
    for (theirs, ours) in FAIRLEARN {
        let overall = number(&results["overall"][theirs]);
        task.near(point(audited.everyone(ours)), overall, EXACT, theirs);
        let mut values = Vec::new();
        for (group, golden) in cells {
            let (what, by_group) = (format!("{theirs} of {group}"), &results["by_group"][group][theirs]);
            let measured = point(audited.value(ours, &across, group));
            if defined(theirs, golden) {
                task.near(measured, number(by_group), EXACT, &what);
                values.push(number(by_group));
            } else {
                task.undefined(measured, &what);
                if !by_group.is_null() {
                    places.push(format!("{}: {what}: {by_group}", task.name()));
                }
            }
        }
        let all = values.len() == cells.len();
        undefined |= !all;
        comparisons(audited, &mut task, (results, &across), (theirs, ours), (&values, overall, all));
    }
    if !undefined {
        equalised_odds(audited, &mut task, &results["fairlearn_scalars"], &across);
    }
    places
}

/// Comparisons of one metric. `values` are those of the cohorts that have one; `all` when every cohort has.
fn comparisons(
    audited: &Audited,
    task: &mut Task,
    (results, across): (&Value, &[&str]),
    (theirs, ours): (&str, &str),
    (values, overall, all): (&[f64], f64, bool),
) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let worst = |compare| point(audited.contrast(ours, across, compare, Against::WorstPair, None));
    let mut check = |key: &str, measured: Option<f64>, expected: f64| {
        let what = format!("{key} of {theirs}");
        if all {
            task.near(Some(expected), number(&results[key][theirs]), EXACT, &what);
        }
        task.near(measured, expected, EXACT, &what);
    };
    check("difference_between_groups", worst(Comparison::Difference), greatest - least);
    if greatest > 0.0 {
        check("ratio_between_groups", worst(Comparison::Ratio), least / greatest);
    }
    let to_overall = |compare| audited.contrasts(ours, across, compare, Against::Overall);
    let differences: Vec<f64> = to_overall(Comparison::Difference).into_iter().filter_map(point).collect();
    let ratios: Vec<f64> = to_overall(Comparison::Ratio).into_iter().filter_map(point).collect();
    if theirs == "f1" || theirs == "balanced_acc" {
        // The value of everyone is no average of the cohorts' values: there is no interval, hence no number.
        assert!(differences.is_empty() && ratios.is_empty(), "{theirs} has a difference to everyone");
        return;
    }
    let expected = values.iter().map(|value| (value - overall).abs()).fold(0.0, f64::max);
    check("difference_to_overall", differences.iter().map(|d| d.abs()).reduce(f64::max), expected);
    let expected = values.iter().map(|value| (value / overall).min(overall / value)).fold(f64::INFINITY, f64::min);
    check("ratio_to_overall", ratios.iter().map(|r| r.min(1.0 / r)).reduce(f64::min), expected);
}

/// Combinations of the comparisons of two rates that Fairlearn names.
fn equalised_odds(audited: &Audited, task: &mut Task, scalars: &Value, across: &[&str]) {
    let worst =
        |metric, compare| point(audited.contrast(metric, across, compare, Against::WorstPair, None)).expect("defined");
    for (compare, name) in [(Comparison::Difference, "difference"), (Comparison::Ratio, "ratio")] {
        let (tpr, fpr) = (worst("true-positive-rate", compare), worst("false-positive-rate", compare));
        let extreme = if compare == Comparison::Difference { tpr.max(fpr) } else { tpr.min(fpr) };
        for (ours, how) in [(extreme, "worst_case"), ((tpr + fpr) / 2.0, "mean")] {
            let key = format!("equalized_odds_{name}[between_groups,{how}]");
            task.near(Some(ours), number(&scalars[&key]), EXACT, &key);
        }
        let key = format!("demographic_parity_{name}[between_groups]");
        task.near(Some(worst("selection-rate", compare)), number(&scalars[&key]), EXACT, &key);
    }
}

#[test]
fn compas_by_fairlearn() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let sets = r#"[["sex"], ["race"], ["age_cat"], ["race", "sex"]]"#;
    let audited = audit(&scored(&compas(true, FLAGGED, "1", sets, ""), "decile_score"), &data);
    let mut places = Vec::new();
    for id in ["compas-fairlearn-sex", "compas-fairlearn-race", "compas-fairlearn-age_cat", "compas-fairlearn-race-sex"]
    {
        places.extend(fairlearn(&audited, &tasks[id]));
    }
    assert_eq!(places, PLACES);
    let unfiltered = audit(&scored(&compas(false, FLAGGED, "1", r#"[["race"]]"#, ""), "decile_score"), &data);
    assert!(fairlearn(&unfiltered, &tasks["compas-unfiltered-fairlearn-race"]).is_empty());
    areas(&audited, &tasks["compas-auc"], &["race", "sex"]);
}

/// Areas under the ROC curve, exact up to 4,096 distinct scores.
fn areas(audited: &Audited, json: &Value, attributes: &[&str]) {
    let mut task = Task::new(json["id"].as_str().expect("id"));
    task.near(point(audited.everyone("roc-auc")), number(&json["results"]["overall"]), EXACT, "everyone");
    for attribute in attributes {
        for (cohort, golden) in json["results"][attribute].as_object().expect("cohorts") {
            let measured = audited.value("roc-auc", &[attribute], cohort);
            task.near(point(measured), number(&golden["auc"]), EXACT, cohort);
            task.count(measured.estimate().map_or(-1, |estimate| estimate.support.n), &golden["n"], cohort);
        }
    }
}

#[test]
fn compas_calibration_and_published_intervals() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let sets = r#"[["sex"], ["race"]]"#;
    let audited = audit(&scored(&compas(true, NOT_FLAGGED, "1", sets, ""), PROBABILITY), &data);
    let json = &tasks["compas-calibration"];
    for attribute in ["race", "sex"] {
        calibration(&audited, &json["results"][attribute], attribute);
    }
    intervals(&audited, &tasks["compas-tests-race"], "race");
    intervals(&audited, &tasks["compas-tests-sex"], "sex");
}

fn calibration(audited: &Audited, results: &Value, attribute: &str) {
    let mut task = Task::new(&format!("calibration by {attribute}"));
    for (cohort, golden) in results.as_object().expect("cohorts") {
        let of = |metric| match cohort.as_str() {
            "__all__" => audited.everyone(metric),
            cohort => audited.value(metric, &[attribute], cohort),
        };
        task.near(point(of("brier-score")), number(&golden["brier"]), 1e-9, cohort);
        task.near(point(of("calibration-error")), number(&golden["ece10"]), EXACT, cohort);
        task.count(of("brier-score").estimate().map_or(-1, |estimate| estimate.support.n), &golden["n"], cohort);
    }
}

/// The two ends of an interval, and how near ours must be: of few successes or failures the outer ends of Wilson's and the exact one.
fn expected(golden: &Value) -> ([f64; 2], f64) {
    let ends = |key: &str| [&golden[key][0], &golden[key][1]].map(number);
    let score = ends("wilson95");
    let (successes, n) = (golden["favourable"].as_i64().expect("count"), golden["n"].as_i64().expect("count"));
    if successes.min(n - successes) >= 5 {
        return (score, EXACT);
    }
    let exact = ends("clopper_pearson95");
    ([score[0].min(exact[0]), score[1].max(exact[1])], 1e-9)
}

/// Wilson and Newcombe intervals, and impact ratios against the reference and the highest, by SciPy and statsmodels.
fn intervals(audited: &Audited, json: &Value, attribute: &str) {
    let mut task = Task::new(json["id"].as_str().expect("id"));
    let across = [attribute];
    let selection = |cohort: &str| audited.value("selection-rate", &across, cohort);
    let reference = json["reference_group"].as_str().expect("reference");
    let mut groups: BTreeMap<&str, &Value> =
        json["results"].as_object().expect("groups").iter().map(|(name, golden)| (name.as_str(), golden)).collect();
    groups.insert(reference, &json["reference"]);
    for (group, golden) in groups {
        let decisions = audited.cells(&across, group).decisions.expect("shown");
        task.count(decisions[1], &golden["favourable"], group);
        task.count(decisions[0] + decisions[1], &golden["n"], group);
        task.near(point(selection(group)), number(&golden["rate"]), EXACT, group);
        let both = |interval: &evenhand::estimate::Interval| [interval.lower, interval.upper];
        let (limits, tolerance) = expected(golden);
        for (ours, theirs) in both(&ends(selection(group))).into_iter().zip(limits) {
            task.near(ours, theirs, tolerance, &format!("end of {group}"));
        }
        if group == reference {
            continue;
        }
        let against = |compare, against| audited.contrast("selection-rate", &across, compare, against, Some(group));
        let difference = against(Comparison::Difference, Against::Reference);
        task.near(point(difference), -number(&golden["rate_difference_ref_minus_group"]), EXACT, group);
        let of_scores = [0, 1].map(|end| number(&golden["newcombe_diff95(group-ref)"][end]));
        let newcombe = match tolerance == EXACT {
            true => of_scores,
            false => {
                let rates = [golden, &json["reference"]].map(|golden| number(&golden["rate"]));
                let ([l, u], [l_ref, u_ref]) = (limits, expected(&json["reference"]).0);
                let d = rates[0] - rates[1];
                [d - (rates[0] - l).hypot(u_ref - rates[1]), d + (u - rates[0]).hypot(rates[1] - l_ref)]
            }
        };
        for (ours, theirs) in both(&ends(difference)).into_iter().zip(newcombe) {
            task.near(ours, theirs, tolerance, &format!("Newcombe end of {group}"));
        }
        task.near(point(against(Comparison::Ratio, Against::Reference)), number(&golden["AIR_vs_ref"]), EXACT, group);
        if Some(group) != json["highest_rate_group"].as_str() {
            let ratio = point(against(Comparison::Ratio, Against::Highest));
            task.near(ratio, number(&golden["AIR_vs_highest_rate_group"]), EXACT, group);
        }
    }
}

/// Applicants, selected and impact ratios of NYC Local Law 144. Cohorts under 2 % of all rows have no ratio there and one here.
fn local_law_144(audited: &Audited, json: &Value) {
    let mut task = Task::new(json["id"].as_str().expect("id"));
    let results = &json["results"];
    for (key, across) in [("sex", &["sex"][..]), ("race", &["race"]), ("intersectional", &["race", "sex"])] {
        let unknown: i64 = audited
            .measurement
            .cohorts
            .iter()
            .filter(|table| table.across.iter().map(|n| &**n).eq(across.iter().copied()))
            .flat_map(|table| &table.rows)
            .filter(|row| !row.compared)
            .filter_map(|row| row.n)
            .sum();
        task.count(unknown, &results["unknown"][key], "unknown");
        let groups = results[key].as_object().expect("groups");
        let highest = groups
            .values()
            .filter(|g| g["excluded_under_2pct"] == false)
            .map(|g| number(&g["rate"]))
            .fold(0.0, f64::max);
        for (group, golden) in groups {
            let row = audited.cells(across, group);
            task.count(row.n.unwrap_or(-1), &golden["applicants"], group);
            task.count(row.decisions.expect("shown")[1], &golden["number"], group);
            let rate = point(audited.value("selection-rate", across, group));
            task.near(rate, number(&golden["rate"]), EXACT, group);
            if !golden["impact_ratio"].is_null() {
                task.near(rate.map(|rate| rate / highest), number(&golden["impact_ratio"]), EXACT, group);
            }
        }
    }
}

#[test]
fn compas_by_local_law_144_and_in_strata() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let sets = r#"[["sex"], ["race"], ["race", "sex"], ["age_cat", "race"]]"#;
    let selection = audit(&scored(&compas(true, NOT_FLAGGED, "1", sets, ""), "decile_score"), &data);
    local_law_144(&selection, &tasks["compas-ll144-selection"]);
    local_law_144(
        &audit(&scored(&compas(true, ABOVE_THE_MEDIAN, "1", sets, ""), "decile_score"), &data),
        &tasks["compas-ll144-scoring"],
    );
    let folder = tempfile::tempdir().unwrap();
    let unknown = folder.path().join("compas.csv");
    with_unknowns(&data, &unknown);
    let audited = audit(&scored(&compas(true, NOT_FLAGGED, "1", sets, ""), "decile_score"), &unknown);
    local_law_144(&audited, &tasks["compas-ll144-selection-unknowns"]);
    // The tables of the Cochran-Mantel-Haenszel task: favourable and not, by race within a band of age.
    let json = &tasks["compas-cmh-age"]["results"];
    let mut task = Task::new("compas-cmh-age (tables)");
    for (stratum, table) in json["strata"].as_array().unwrap().iter().zip(json["tables"].as_array().unwrap()) {
        for (row, race) in ["African-American", "Caucasian"].iter().enumerate() {
            let decisions = selection
                .cells(&["age_cat", "race"], &format!("{}|{race}", stratum.as_str().unwrap()))
                .decisions
                .unwrap();
            task.count(decisions[1], &table[row][0], race);
            task.count(decisions[0], &table[row][1], race);
        }
    }
}

/// COMPAS with the race of every 50th and the sex of every 70th kept row missing, as the golden's description says.
pub fn with_unknowns(from: &std::path::Path, to: &std::path::Path) {
    let mut reader = csv::Reader::from_path(from).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let [days, recid, degree, text, sex, race] =
        ["days_b_screening_arrest", "is_recid", "c_charge_degree", "score_text", "sex", "race"].map(at);
    let mut writer = csv::Writer::from_path(to).unwrap();
    writer.write_record(&header).unwrap();
    let mut kept = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let near = record[days].parse::<f64>().is_ok_and(|days| (-30.0..=30.0).contains(&days));
        let mut fields: Vec<&str> = record.iter().collect();
        if near && &record[recid] != "-1" && &record[degree] != "O" && &record[text] != "N/A" {
            if kept % 50 == 0 {
                fields[race] = "";
            }
            if kept % 70 == 0 {
                fields[sex] = "";
            }
            kept += 1;
        }
        writer.write_record(&fields).unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn adult_by_fairlearn_and_local_law_144() {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let sets = r#"[["sex"], ["race"], ["race", "sex"]]"#;
    let audited = audit(&adult(DEGREE, "", sets, ""), &data);
    for id in ["adult-fairlearn-sex", "adult-fairlearn-race", "adult-fairlearn-race-sex"] {
        assert!(fairlearn(&audited, &tasks[id]).is_empty());
    }
    intervals(&audited, &tasks["adult-tests-sex"], "sex");
    intervals(&audited, &tasks["adult-tests-race"], "race");
    local_law_144(&audited, &tasks["adult-ll144-selection"]);
    local_law_144(&audit(&adult(ABOVE_TEN, "", sets, ""), &data), &tasks["adult-ll144-scoring"]);
    let (results, mut task) = (&tasks["adult-label-rates"]["results"], Task::new("adult-label-rates"));
    task.near(point(audited.everyone("prevalence")), number(&results["overall"]), EXACT, "everyone");
    for (key, across) in [("sex", &["sex"][..]), ("race", &["race"]), ("race+sex", &["race", "sex"])] {
        for (cohort, golden) in results[key].as_object().unwrap() {
            task.near(point(audited.value("prevalence", across, cohort)), number(golden), EXACT, cohort);
        }
    }
}

#[test]
fn adult_weighted_and_within_a_race() {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let weight = "[schema.fnlwgt]\nroles = [\"weight\"]";
    let audited = audit(&adult(DEGREE, "", r#"[["sex"]]"#, weight), &data);
    let (results, mut task) =
        (&tasks["adult-fairlearn-sex-weighted"]["results"], Task::new("adult-fairlearn-sex-weighted"));
    for (theirs, ours) in FAIRLEARN.into_iter().filter(|(theirs, _)| ["sel", "tpr", "fpr", "acc"].contains(theirs)) {
        task.near(point(audited.everyone(ours)), number(&results["overall"][theirs]), 1e-11, theirs);
        for sex in ["Female", "Male"] {
            task.near(
                point(audited.value(ours, &["sex"], sex)),
                number(&results["by_group"][sex][theirs]),
                1e-11,
                theirs,
            );
        }
        for (compare, key) in [(Comparison::Difference, "difference"), (Comparison::Ratio, "ratio")] {
            let worst = audited.contrast(ours, &["sex"], compare, Against::WorstPair, None);
            task.near(point(worst), number(&results[key][theirs]), 1e-11, theirs);
        }
    }
    let results = &tasks["adult-fairlearn-sex-given-race"]["results"];
    let mut task = Task::new("adult-fairlearn-sex-given-race");
    for (level, golden) in results["difference"].as_object().unwrap() {
        let audited = audit(&adult(DEGREE, &race(level), r#"[["sex"]]"#, ""), &data);
        for (theirs, ours) in FAIRLEARN {
            let worst = |compare| point(audited.contrast(ours, &["sex"], compare, Against::WorstPair, None));
            task.near(worst(Comparison::Difference), number(&golden[theirs]), EXACT, theirs);
            task.near(worst(Comparison::Ratio), number(&results["ratio"][level][theirs]), EXACT, theirs);
        }
    }
}

#[test]
fn synth_by_fairlearn_and_scikit_learn() {
    let Some((data, tasks)) = reference("synth-fair/synth_fair.csv", "synth") else { return };
    let audited = audit(&synth(r#"[["g"], ["h"], ["g", "h"]]"#), &data);
    for id in ["synth-fairlearn-g", "synth-fairlearn-h", "synth-fairlearn-g-h"] {
        assert!(fairlearn(&audited, &tasks[id]).is_empty());
    }
    areas(&audited, &tasks["synth-auc"], &["g", "h"]);
    calibration(&audited, &tasks["synth-calibration"]["results"], "g");
    intervals(&audited, &tasks["synth-tests-g"], "g");
}
