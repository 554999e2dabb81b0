//! Cohorts within strata and inequality of benefits: worked by hand in `tests/cases`, and as statsmodels, Fairlearn and AIF360 have them.

use std::collections::BTreeMap;
use std::io::Write;

use evenhand::audit::bias::Figure;
use evenhand::audit::bias::strata::{Adjusted, Strata};
use evenhand::estimate::stratified::{TwoByTwo, odds_ratio, risk_difference, risk_ratio};
use evenhand::metric::{Against, Comparison, benefits, generalised_entropy};
use serde_json::Value;

use crate::audit::{Audited, audit, point};
use crate::cases::tables;
use crate::expressions::{DEGREE, NOT_FLAGGED, WHITE};
use crate::golden::FAIRLEARN;
use crate::pipelines::{adult, compas, scored, synth};
use crate::reference::{Task, reference};

const EXACT: f64 = 1e-12;
const TEST: f64 = 1e-9;

/// Rows as a CSV file: levels of g and s, label and decision, and how often.
fn file(rows: &[(&str, &str, u8, u8, usize)]) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    let mut text = "g,s,y,d\n".to_string();
    for (g, s, y, d, n) in rows {
        text.push_str(&format!("{g},{s},{y},{d}\n").repeat(*n));
    }
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// A pipeline over such a file; `more` goes to `[measure]`.
fn pipeline(more: &str) -> String {
    format!(
        r#"
        [pipeline]
        name = "worked"
        [ingest]
        path = "worked.csv"
        [schema.g]
        roles = ["protected"]
        levels = ["a", "b"]
        reference = "b"
        [schema.s]
        levels = ["low", "high"]
        [schema.y]
        roles = ["target"]
        positive = "1"
        [schema.d]
        roles = ["prediction"]
        positive = "1"
        [measure]
        support_min = 1
        replicates = 50
        {more}
        "#
    )
}

fn adjusted<'a>(strata: &'a Strata, metric: &str, cohort: &str) -> &'a Adjusted {
    let rate = strata.rates.iter().find(|rate| rate.metric == metric).expect("the rate");
    rate.cohorts.iter().find(|of| of.cohort == cohort).expect("the cohort")
}

fn near(found: f64, written: f64, what: &str) {
    assert!((found - written).abs() <= EXACT * written.abs().max(1e-3), "{what} is {found}, not {written}");
}

fn worked(text: &str) -> BTreeMap<&str, f64> {
    let table = tables(text).into_iter().find(|table| table.columns.last() == Some(&"value")).expect("the figures");
    table.rows.iter().filter_map(|row| Some((row[0], row.last()?.parse().ok()?))).collect()
}

#[test]
fn strata_worked_by_hand() {
    let text = include_str!("../cases/strata.md");
    let figures = worked(text);
    assert_eq!(figures.len(), 19);
    let cells = &tables(text)[0].rows;
    let mut rows = Vec::new();
    for row in cells {
        let count = |at: usize| row[at].parse::<usize>().unwrap();
        rows.extend([(row[1], row[0], 1, 1, count(2)), (row[1], row[0], 1, 0, count(3))]);
    }
    let file = file(&rows);
    let audited =
        audit(&pipeline("given = [\"s\"]\nmetrics = [\"selection-rate\", \"selection-rate-given\"]"), file.path());
    let strata = &audited.measurement.bias.strata[0];
    assert_eq!((strata.strata.len(), strata.rows_unknown, strata.rates.len()), (2, 0, 1));
    let of = adjusted(strata, "selection-rate", "a");
    let tests = of.tests.as_ref().expect("tests");
    let homogeneity = tests.homogeneity.as_ref().expect("two strata");
    let two = |at: usize| {
        let count = |row: usize, column: usize| cells[row][column].parse::<f64>().unwrap();
        TwoByTwo { a: count(at, 2), b: count(at, 3), c: count(at + 1, 2), d: count(at + 1, 3) }
    };
    let two = [two(0), two(2)];
    let figure = |figure: &Figure| figure.point().expect("a figure");
    let disparity = |cohort: &str| {
        let found = strata.disparities.iter().find(|of| of.outcome == "decision" && of.cohort == cohort);
        figure(&found.expect("a disparity").value)
    };
    let found = [
        ("crude difference", figure(&of.crude)),
        ("standardised rate of a", figure(&of.value)),
        ("standardised rate of b", figure(&of.other)),
        ("standardised difference", figure(&of.difference)),
        ("cmh", tests.chi2),
        ("cmh p", tests.p),
        ("cmh corrected", tests.chi2_corrected),
        ("cmh corrected p", tests.p_corrected),
        ("odds ratio", figure(&of.odds_ratio)),
        ("odds ratio se of log", odds_ratio(&two).unwrap().se_log),
        ("rate ratio", figure(&of.rate_ratio)),
        ("rate ratio se of log", risk_ratio(&two).unwrap().se_log),
        ("rate difference", figure(&of.rate_difference)),
        ("rate difference se", risk_difference(&two).unwrap().1),
        ("breslow-day", homogeneity.chi2),
        ("breslow-day p", homogeneity.p),
        ("tarone", homogeneity.chi2_tarone),
        ("disparity of a", disparity("a")),
        ("disparity of b", disparity("b")),
    ];
    for (name, value) in found {
        near(value, figures[name], name);
    }
    let given = audited.contrast("selection-rate-given", &["g"], Comparison::Difference, Against::Reference, Some("a"));
    near(point(given).unwrap(), figures["standardised difference"], "the reading");
}

#[test]
fn inequality_worked_by_hand() {
    let text = include_str!("../cases/inequality.md");
    let mut rows = Vec::new();
    for row in &tables(text)[0].rows {
        let count = |at: usize| row[at].parse::<usize>().unwrap();
        let cohort = row[0];
        rows.extend([
            (cohort, "low", 1, 1, count(1)),
            (cohort, "low", 0, 1, count(2)),
            (cohort, "low", 1, 0, count(3)),
            (cohort, "low", 0, 0, count(4)),
        ]);
    }
    let ids: Vec<&str> = tables(text)[1].rows.iter().map(|row| row[0]).collect();
    assert_eq!(ids.len(), 11);
    let metrics = format!("metrics = {ids:?}");
    let audited = audit(&pipeline(&metrics), file(&rows).path());
    let check = |audited: &Audited, id: &str, written: &str| {
        let set = id.contains("group") || id.contains("fairness") || id == "bias-amplification";
        let across: &[&str] = if set { &["g"] } else { &[] };
        let found = point(audited.value(id, across, "everyone"));
        match written {
            "undefined" => assert_eq!(found, None, "{id}"),
            number => near(found.expect("a value"), number.parse().unwrap(), id),
        }
    };
    for row in &tables(text)[1].rows {
        check(&audited, row[0], row[2]);
    }
    // Rows of an unknown cohort change everyone and nothing between the cohorts.
    rows.push(("", "low", 1, 0, 7));
    let with_unknown = audit(&pipeline(&metrics), file(&rows).path());
    for row in tables(text)[1].rows.iter().filter(|row| row[0].contains("group") || row[0].contains("fairness")) {
        check(&with_unknown, row[0], row[2]);
    }
    assert!(point(with_unknown.everyone("generalised-entropy")) > point(audited.everyone("generalised-entropy")));
}

#[test]
fn a_control_column_that_explains_everything_leaves_no_difference() {
    // Within each stratum the rates are equal; the cohorts are spread over the strata unequally.
    let rows = [("a", "low", 30, 90), ("a", "high", 60, 20), ("b", "low", 10, 30), ("b", "high", 150, 50)];
    let both = rows.map(|(g, s, with, without)| [(g, s, 1, 1, with), (g, s, 1, 0, without)]).concat();
    let audited = audit(&pipeline("given = [\"s\"]"), file(&both).path());
    let of = adjusted(&audited.measurement.bias.strata[0], "selection-rate", "a");
    assert!(of.crude.point().unwrap() < -0.2);
    assert!(of.difference.point().unwrap().abs() < 1e-12);
    assert!((of.odds_ratio.point().unwrap() - 1.0).abs() < 1e-12);
    assert!(of.tests.as_ref().unwrap().p > 0.999);
}

#[test]
fn strata_without_a_cohort_and_unknown_levels_are_counted_and_limits_withhold_all() {
    let rows = [
        ("a", "low", 1, 1, 6),
        ("a", "low", 1, 0, 4),
        ("b", "high", 1, 1, 3),
        ("b", "low", 1, 0, 2),
        ("a", "", 1, 1, 5),
    ];
    let file = file(&rows);
    let audited = audit(&pipeline("given = [\"s\"]"), file.path());
    let strata = &audited.measurement.bias.strata[0];
    assert_eq!(strata.rows_unknown, 5);
    let of = adjusted(strata, "selection-rate", "a");
    assert_eq!((of.strata_used, of.strata_left_out, of.rows_left_out), (1, 1, 3));
    let suppressed = audit(
        &pipeline("given = [\"s\"]\nsuppress_below = 5\nmetrics = [\"selection-rate-given\", \"selection-rate\"]"),
        file.path(),
    );
    let strata = &suppressed.measurement.bias.strata[0];
    assert!(
        strata.withheld.is_some() && strata.strata.is_empty() && strata.rates.is_empty() && strata.rows_unknown == 0
    );
    let given = suppressed.contrast("selection-rate-given", &["g"], Comparison::Difference, Against::Reference, None);
    assert_eq!(*given, evenhand::estimate::Measured::Suppressed);
}

#[test]
fn mantel_haenszel_of_compas_within_ages_as_statsmodels_has_it() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let json = &tasks["compas-cmh-age"]["results"];
    let text = compas(true, NOT_FLAGGED, "0", "[[\"race\"]]", "given = [\"age_cat\"]\nmetrics = [\"selection-rate\"]");
    let audited = audit(
        &scored(&text, "decile_score").replace("[schema.age_cat]\n        roles = [\"protected\"]", "[schema.age_cat]"),
        &data,
    );
    let strata = &audited.measurement.bias.strata[0];
    let mut task = Task::new("compas-cmh-age");
    let of = adjusted(strata, "selection-rate", "African-American");
    let number = |key: &str| json[key].as_f64().expect("a number");
    let levels: Vec<&str> = strata.strata.iter().map(|of| of.levels.as_str()).collect();
    assert_eq!(Value::from(levels), json["strata"]);
    for (line, table) in of.by_stratum.iter().zip(json["tables"].as_array().unwrap()) {
        let cell = |i: usize, j: usize| table[i][j].as_f64().unwrap();
        for (figure, at, what) in [(&line.value, 0, "rate"), (&line.other, 1, "rate of the other")] {
            task.near(figure.point(), cell(at, 0) / (cell(at, 0) + cell(at, 1)), EXACT, what);
        }
    }
    let tests = of.tests.as_ref().expect("tests");
    let homogeneity = tests.homogeneity.as_ref().expect("three strata");
    for (found, key) in [
        (tests.chi2, "cmh_chi2"),
        (tests.chi2_corrected, "cmh_chi2_cc"),
        (homogeneity.chi2, "breslow_day_chi2"),
        (homogeneity.p, "breslow_day_p"),
    ] {
        task.near(Some(found), number(key), TEST, key);
    }
    for (found, key) in [(tests.p, "cmh_p"), (tests.p_corrected, "cmh_p_cc")] {
        task.near(Some(found / number(key)), 1.0, TEST, key);
    }
    task.near(of.odds_ratio.point(), number("mh_common_or"), EXACT, "odds ratio");
    task.near(of.rate_ratio.point(), number("mh_rr"), EXACT, "rate ratio");
    let Figure::Estimated { lower, upper, .. } = &of.odds_ratio else { panic!("no odds ratio") };
    for (end, at) in [(lower, 0), (upper, 1)] {
        task.near(*end, json["mh_or_ci95"][at].as_f64().unwrap(), TEST, "end of the odds ratio");
    }
}

#[test]
fn adult_within_races_as_fairlearn_has_it() {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let json = &tasks["adult-fairlearn-sex-given-race"]["results"];
    let text = adult(DEGREE, "", "[[\"sex\"]]", "").replace("support_min = 1", "support_min = 1\ngiven = [\"race\"]");
    let audited = audit(&text, &data);
    let strata = &audited.measurement.bias.strata[0];
    let mut task = Task::new("adult-fairlearn-sex-given-race");
    for (at, stratum) in strata.strata.iter().enumerate() {
        for (theirs, ours) in FAIRLEARN {
            let found = strata.within.iter().find(|of| of.metric == ours && of.stratum as usize == at).unwrap();
            for (key, figure) in [("difference", &found.difference), ("ratio", &found.ratio)] {
                let golden = json[key][&stratum.levels][theirs].as_f64().unwrap();
                task.near(figure.point(), golden, EXACT, &format!("{key} of {theirs} in {}", stratum.levels));
            }
        }
    }
    assert_eq!(strata.strata.len(), json["difference"].as_object().unwrap().len());
}

const METRICS: &str = "metrics = [\"generalised-entropy\", \"theil-index\", \"coefficient-of-variation\", \"between-group-generalised-entropy\", \"between-group-theil-index\", \"differential-fairness\", \"label-differential-fairness\", \"bias-amplification\"]";

/// What AIF360 calls each, and where ours is read.
fn aif360(audited: &Audited, across: &[&str], json: &Value) {
    let mut task = Task::new(json["id"].as_str().unwrap());
    let (whole, dataset) = (&json["results"]["classification"], &json["results"]["dataset"]);
    for (theirs, ours) in [
        ("theil_index", "theil-index"),
        ("generalized_entropy_index", "generalised-entropy"),
        ("coefficient_of_variation", "coefficient-of-variation"),
    ] {
        task.near(point(audited.everyone(ours)), whole[theirs].as_f64().unwrap(), EXACT, theirs);
    }
    let of_set = |id: &str| point(audited.value(id, across, "everyone"));
    for (theirs, ours) in [
        ("between_all_groups_theil_index", "between-group-theil-index"),
        ("between_all_groups_generalized_entropy_index", "between-group-generalised-entropy"),
        ("differential_fairness_bias_amplification", "bias-amplification"),
    ] {
        task.near(of_set(ours), whole[theirs].as_f64().unwrap(), EXACT, theirs);
    }
    let epsilon = dataset["smoothed_empirical_differential_fairness[c=1]"].as_f64().unwrap();
    task.near(of_set("label-differential-fairness"), epsilon, EXACT, "epsilon of labels");
    let joint = audited.cells(&[], "everyone").joint.unwrap();
    let cells = [joint[1][1], joint[0][1], joint[1][0], joint[0][0]].map(|n| n as f64);
    for alpha in ["0.5", "3"] {
        let found = generalised_entropy(&benefits(cells), alpha.parse().unwrap());
        let key = format!("generalized_entropy_index[alpha={alpha}]");
        task.near(found, whole[&key].as_f64().unwrap(), EXACT, &key);
    }
}

#[test]
fn inequality_of_compas_as_aif360_has_it() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let text = compas(true, NOT_FLAGGED, "0", "[[\"race\", \"sex\"], [\"race\"]]", METRICS);
    let audited = audit(&scored(&text, "decile_score"), &data);
    for id in ["race-AAvsCaucasian", "race-restvsCaucasian", "sex", "intersect"] {
        aif360(&audited, &["race", "sex"], &tasks[&format!("compas-aif360-{id}")]);
    }
    let json = &tasks["compas-aif360-sklearn"]["results"];
    let mut task = Task::new("compas-aif360-sklearn");
    let between = point(audited.value("between-group-generalised-entropy", &["race"], "everyone"));
    let golden = json["between_group_generalized_entropy_error(race)"].as_f64().unwrap();
    task.near(between, golden, EXACT, "between races");
    // It smooths by the classes seen inside a cohort; here by those that are declared.
    assert_eq!(json["smoothed_edf(pred; race x sex; c=1)"], "inf");
    assert!(point(audited.value("differential-fairness", &["race", "sex"], "everyone")).unwrap() < 3.0);
    // Its between-group index of two groups takes the rows of the others for rows of benefit 0.
    let theirs = &tasks["compas-aif360-race-AAvsCaucasian"]["results"]["classification"]["between_group_theil_index"];
    assert!(theirs.as_f64().unwrap() > 0.15);
}

#[test]
fn inequality_of_adult_and_of_the_synthetic_set_as_aif360_has_it() {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let text = adult(DEGREE, "", "[[\"sex\", \"white\"]]", "[schema.white]\nroles = [\"protected\"]\n")
        .replace("support_min = 1", &format!("support_min = 1\n{METRICS}"))
        .replace("[derive]", &format!("[derive]\nwhite = \"{WHITE}\""));
    let audited = audit(&text, &data);
    for id in ["adult-aif360-sex", "adult-aif360-race"] {
        aif360(&audited, &["sex", "white"], &tasks[id]);
    }
    let Some((data, tasks)) = reference("synth-fair/synth_fair.csv", "synth") else { return };
    let text = synth("[[\"g\", \"h\"]]").replace("support_min = 1", &format!("support_min = 1\n{METRICS}"));
    let audited = audit(&text, &data);
    aif360(&audited, &["g", "h"], &tasks["synth-aif360-g"]);
    let joint = audited.cells(&[], "everyone").joint.unwrap();
    let cells = [joint[1][1], joint[0][1], joint[1][0], joint[0][0]].map(|n| n as f64);
    let mut task = Task::new("synth-gei");
    for alpha in ["2", "3", "0.5"] {
        let key = format!("GEI[alpha={alpha}] mathematically (Speicher)");
        let golden = tasks["synth-gei"]["results"][&key].as_f64().unwrap();
        task.near(generalised_entropy(&benefits(cells), alpha.parse().unwrap()), golden, EXACT, &key);
    }
}
