//! Data nobody would want to audit: every run ends in an error that says what to do, or in a report without a number that is none.

use std::fmt::Write;

use evenhand::demand;
use evenhand::estimate::{Measured, Why};
use evenhand::finding::Outcome;
use evenhand::metric::Against;
use evenhand::run::Audited;
use serde_json::Value;

use crate::shipped::run;

/// Decisions and labels that are given.
const GIVEN: &str = r#"
    pipeline = { name = "given" }
    ingest = { path = "rows.csv" }
    [schema]
    sex = { roles = ["protected"], levels = ["f", "m"], reference = "m" }
    y = { roles = ["target"], levels = ["no", "yes"], positive = "yes" }
    d = { roles = ["prediction"], levels = ["no", "yes"], positive = "yes" }
    score = { roles = ["score"] }
    [measure]
    replicates = 50
    [[judge]]
    metric = "selection-rate"
    compare = "ratio"
    against = "worst-pair"
    at_least = 0.8
"#;

/// A model that is trained; `linear` or `logistic`, and a penalty.
fn trained(model: &str, penalty: &str) -> String {
    let target = match model {
        "linear" => r#"{ roles = ["target"], bounds = [-10, 10] }"#,
        _ => r#"{ roles = ["target"], levels = ["no", "yes"], positive = "yes" }"#,
    };
    let (metric, limit) =
        if model == "linear" { ("mean-residual", "at_most = 1") } else { ("selection-rate", "at_most = 0.5") };
    format!(
        r#"
        pipeline = {{ name = "trained" }}
        ingest = {{ path = "rows.csv" }}
        [schema]
        sex = {{ roles = ["protected"], levels = ["f", "m"], reference = "m" }}
        x1 = {{ roles = ["feature"], bounds = [-1, 1] }}
        x2 = {{ roles = ["feature"], bounds = [-1, 1] }}
        y = {target}
        [train]
        model = "{model}"
        penalty = "{penalty}"
        strength = {strength}
        [measure]
        replicates = 50
        [[judge]]
        metric = "{metric}"
        compare = "difference"
        against = "worst-pair"
        {limit}
        "#,
        strength = if penalty == "none" { "0.0" } else { "0.01" },
    )
}

/// Rows for [`GIVEN`]: as many of each sex, half labelled and half decided yes.
fn given(rows: usize) -> Vec<[String; 4]> {
    let yes = |of: bool| if of { "yes" } else { "no" }.to_string();
    let row = |i: usize| {
        let sex = if i.is_multiple_of(2) { "f" } else { "m" };
        [sex.to_string(), yes(i % 4 < 2), yes(i % 8 < 4), format!("{}", (i % 10) as f64 / 10.0)]
    };
    (0..rows).map(row).collect()
}

/// Rows for a trained model: two features that are unlike, and a target that depends on the first.
fn learnable(model: &str, rows: usize) -> Vec<[String; 4]> {
    let row = |i: usize| {
        let (x1, x2) = (((i * 37) % 101) as f64 / 50.0 - 1.0, ((i * 53) % 97) as f64 / 48.5 - 1.0);
        let y = match model {
            "linear" => format!("{:.3}", 2.0 * x1 + ((i * 29) % 11) as f64 / 11.0),
            _ => if x1 + ((i * 29) % 11) as f64 / 5.0 - 1.0 > 0.0 { "yes" } else { "no" }.to_string(),
        };
        [if i.is_multiple_of(2) { "f" } else { "m" }.to_string(), format!("{x1:.4}"), format!("{x2:.4}"), y]
    };
    (0..rows).map(row).collect()
}

fn csv(header: &str, rows: &[[String; 4]]) -> String {
    let mut text = format!("{header}\n");
    rows.iter().for_each(|row| writeln!(text, "{}", row.join(",")).unwrap());
    text
}

const OF_GIVEN: &str = "sex,y,d,score";
const OF_TRAINED: &str = "sex,x1,x2,y";

/// Runs an audit; the report holds no number that is none.
fn audited(pipeline: &str, data: &str) -> Result<Audited, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.csv"), data).unwrap();
    let spec = toml::from_str(pipeline).unwrap_or_else(|e| panic!("{e}\n{pipeline}"));
    let audited = run(&spec, folder.path()).map_err(|e| e.to_string())?;
    let report = serde_json::to_value(&audited.audit).unwrap();
    let mut nulls = Vec::new();
    walk(&report, "", &mut nulls);
    let counts = if spec.measure.suppress_below > 0 {
        &["n", "labels", "decisions", "joint", "missing", "outside", "malformed"][..]
    } else {
        &[]
    };
    let open = |path: &&String| {
        let key = path.rsplit('.').next().unwrap_or_default();
        // Rates of no rows, at a threshold of a score; tests of too few rows.
        let of_sweep = path.starts_with(".bias.sweep.sets");
        // An end of an interval that is open.
        !["lower", "upper"].contains(&key) && !counts.contains(&key) && !of_sweep
    };
    assert_eq!(nulls.iter().filter(open).collect::<Vec<_>>(), Vec::<&String>::new());
    Ok(audited)
}

/// Paths of nulls: what serde_json writes for a number that is none.
fn walk(value: &Value, path: &str, nulls: &mut Vec<String>) {
    match value {
        Value::Null => nulls.push(path.into()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| walk(item, &format!("{path}[{i}]"), nulls))
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| walk(item, &format!("{path}.{key}"), nulls)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a run must end in.
enum End {
    /// An error with this in it.
    Refused(&'static str),
    /// A report of this outcome with this among the notes of the model.
    Report(Outcome, &'static str),
}

use End::{Refused, Report};

const PASS: End = Report(Outcome::Pass, "");
const INCONCLUSIVE: End = Report(Outcome::Inconclusive, "");

fn check(name: &str, pipeline: &str, data: &str, end: End) {
    match (audited(pipeline, data), end) {
        (Err(found), Refused(text)) => assert!(found.contains(text), "{name}: {found}"),
        (Ok(found), Report(outcome, note)) => {
            assert_eq!(found.audit.outcome, outcome, "{name}: {:?}", found.audit.findings);
            let notes = found.audit.model.map(|model| model.notes).unwrap_or_default();
            assert!(note.is_empty() || notes.iter().any(|of| of.contains(note)), "{name}: {notes:?}");
        }
        (Err(found), Report(..)) => panic!("{name}: {found}"),
        (Ok(found), Refused(text)) => panic!("{name}: {:?}, and no {text}", found.audit.outcome),
    }
}

/// Rows with one column written anew.
fn with(mut rows: Vec<[String; 4]>, column: usize, of: impl Fn(usize, &str) -> String) -> Vec<[String; 4]> {
    rows.iter_mut().enumerate().for_each(|(i, row)| row[column] = of(i, &row[column]));
    rows
}

fn gone(_: usize, _: &str) -> String {
    String::new()
}

const KEPT: &str = "path = \"rows.csv\"";

#[test]
fn rows_that_are_none() {
    let undecided = KEPT.to_string() + ", where = \"y = 'no'\"";
    let none = KEPT.to_string() + ", where = \"sex = 'x'\"";
    let fine = csv(OF_GIVEN, &given(400));
    check("as it should be", GIVEN, &fine, PASS);
    check("empty", GIVEN, "", Refused("the file is empty; a header line"));
    check("a line end", GIVEN, "\n", Refused("the file is empty; a header line"));
    check("header only", GIVEN, &format!("{OF_GIVEN}\n"), INCONCLUSIVE);
    check("semicolons", GIVEN, &fine.replace(',', ";"), Refused("the column \"d\" is not there"));
    check("where keeps none", &GIVEN.replace(KEPT, &none), &fine, INCONCLUSIVE);
    let unlabelled = csv(OF_GIVEN, &with(given(400), 1, gone));
    check("where is undecided", &GIVEN.replace(KEPT, &undecided), &unlabelled, INCONCLUSIVE);
    check("one row", GIVEN, &csv(OF_GIVEN, &given(1)), INCONCLUSIVE);
    check("two rows", GIVEN, &csv(OF_GIVEN, &given(2)), INCONCLUSIVE);
    for model in ["linear", "logistic"] {
        let pipeline = trained(model, "ridge");
        check("empty", &pipeline, "", Refused("the file is empty; a header line"));
        check("header only", &pipeline, &format!("{OF_TRAINED}\n"), Refused("check ingest.where and train.split"));
        let fine = csv(OF_TRAINED, &learnable(model, 600));
        check("where keeps none", &pipeline.replace(KEPT, &none), &fine, Refused("check ingest.where and train.split"));
        let chosen = pipeline.replace("strength = 0.01", "");
        let few = csv(OF_TRAINED, &learnable(model, 3));
        assert!(audited(&chosen, &few).is_err_and(|why| why.starts_with("train: ")), "{model}: three rows");
    }
}

#[test]
fn labels_decisions_and_scores_that_are_none() {
    let of = |column: usize, value: &dyn Fn(usize, &str) -> String| csv(OF_GIVEN, &with(given(400), column, value));
    check("no labels", GIVEN, &of(1, &gone), PASS);
    check("some labels", GIVEN, &of(1, &|i, y| if i % 3 == 0 { String::new() } else { y.into() }), PASS);
    check("one class", GIVEN, &of(1, &|_, _| "yes".into()), PASS);
    check("no decisions", GIVEN, &of(2, &gone), INCONCLUSIVE);
    check("some decisions", GIVEN, &of(2, &|i, d| if i.is_multiple_of(5) { String::new() } else { d.into() }), PASS);
    let numbers = ["NaN", "inf", "-inf", "1e999", "0.5", "-0", "", "x"];
    check("scores", GIVEN, &of(3, &|i, _| numbers[i % 8].into()), PASS);
    check("no score", GIVEN, &of(3, &|_, _| "NaN".into()), PASS);
    check("scores of any size", GIVEN, &of(3, &|i, _| format!("{}e300", i % 7)), PASS);
    let weights = GIVEN.replace("[\"score\"]", "[\"weight\"]");
    check("weights of 0", &weights, &of(3, &|_, _| "0".into()), INCONCLUSIVE);
    check("weights", &weights, &of(3, &|i, _| ["NaN", "2", "inf", "1e300"][i % 4].into()), INCONCLUSIVE);
    let negative = of(3, &|i, _| ["1", "-1"][i % 2].into());
    check("weights below 0", &weights, &negative, Refused("outside the levels or bounds"));
    let unit = GIVEN.replace("[\"score\"]", "[\"privacy-unit\"]");
    check("one unit", &unit, &of(3, &|_, _| "u".into()), INCONCLUSIVE);
    check("no unit", &unit, &of(3, &gone), INCONCLUSIVE);
}

#[test]
fn cohorts_of_one_row_and_of_ten_thousand_levels() {
    let one = |i: usize, _: &str| if i == 0 { "f" } else { "m" }.to_string();
    check("a cohort of one row", GIVEN, &csv(OF_GIVEN, &with(given(400), 0, one)), INCONCLUSIVE);
    check("no cohort", GIVEN, &csv(OF_GIVEN, &with(given(400), 0, gone)), INCONCLUSIVE);
    let learned = GIVEN.replace("[\"protected\"], levels = [\"f\", \"m\"], reference = \"m\"", "[\"protected\"]");
    let levels = |many: usize| csv(OF_GIVEN, &with(given(10_000), 0, |i, _| format!("v{}", i % many)));
    check("10,000 levels", &learned, &levels(10_000), Refused("declare levels or derive a coarser column"));
    check("500 levels", &learned, &levels(500), Refused("declare levels or derive a coarser column"));
    check(
        "no level",
        &learned,
        &csv(OF_GIVEN, &with(given(40), 0, gone)),
        Refused("has no value in any row: leave it out"),
    );
    for model in ["linear", "logistic"] {
        let pipeline = trained(model, "ridge");
        let rows = with(learnable(model, 600), 0, one);
        check("a cohort of one row", &pipeline, &csv(OF_TRAINED, &rows), INCONCLUSIVE);
        let text =
            pipeline.replace("x2 = { roles = [\"feature\"], bounds = [-1, 1] }", "x2 = { roles = [\"feature\"] }");
        let rows = with(learnable(model, 10_000), 2, |i, _| format!("v{i}"));
        check("10,000 levels", &text, &csv(OF_TRAINED, &rows), Refused("declare levels or derive a coarser column"));
    }
}

#[test]
fn features_that_say_nothing() {
    for (model, penalty) in [("linear", "none"), ("linear", "ridge"), ("logistic", "none"), ("logistic", "lasso")] {
        let (pipeline, of) = (trained(model, penalty), || learnable(model, 600));
        let either = |refused, note| if penalty == "none" { Refused(refused) } else { Report(Outcome::Pass, note) };
        check("as it should be", &pipeline, &csv(OF_TRAINED, &of()), PASS);
        let constant = csv(OF_TRAINED, &with(of(), 2, |_, _| "0.25".into()));
        check("constant", &pipeline, &constant, either("leave it out", "so the coefficient is 0: x2"));
        let mut twice = of();
        twice.iter_mut().for_each(|row| row[2] = row[1].clone());
        let end = either("leave them out, or choose a penalty", "Only the penalty decides");
        check("twice the same", &pipeline, &csv(OF_TRAINED, &twice), end);
        let none = csv(OF_TRAINED, &with(of(), 2, gone));
        let policy = |policy: &str| {
            let written = format!("x2 = {{ roles = [\"feature\"], missing = \"{policy}\",");
            pipeline.replace("x2 = { roles = [\"feature\"],", &written)
        };
        check("no value", &pipeline, &none, Refused("leave the column out"));
        check("no value, refused", &policy("refuse"), &none, Refused("600 of 600 rows have no value"));
        check("no value, replaced", &policy("impute"), &none, Refused("has no value in any row"));
        let numbers = |i: usize, x: &str| ["NaN", "inf", "-inf", x, x][i % 5].to_string();
        check("no finite number", &pipeline, &csv(OF_TRAINED, &with(of(), 2, numbers)), PASS);
        for width in ["1e6", "1e9", "1e15", "1e300"] {
            let wide = format!("x1 = {{ roles = [\"feature\"], bounds = [-{width}, {width}]");
            let wide = pipeline.replace("x1 = { roles = [\"feature\"], bounds = [-1, 1]", &wide);
            let end = match (width, penalty) {
                ("1e6" | "1e9", _) => Refused("narrow the bounds in the schema"),
                (_, "none") => Refused("narrow its bounds"),
                _ => Report(Outcome::Pass, "as far as the bounds tell values apart"),
            };
            check(width, &wide, &csv(OF_TRAINED, &of()), end);
        }
    }
}

#[test]
fn targets_that_say_nothing() {
    for model in ["linear", "logistic"] {
        let (pipeline, of) = (trained(model, "ridge"), || learnable(model, 600));
        check("no target", &pipeline, &csv(OF_TRAINED, &with(of(), 3, gone)), Refused("lack a feature or the target"));
        let (one, why) = if model == "linear" { ("1", "nothing to explain") } else { ("yes", "a model needs both") };
        check("one target", &pipeline, &csv(OF_TRAINED, &with(of(), 3, |_, _| one.into())), Refused(why));
        let numbers = |i: usize, y: &str| if i.is_multiple_of(5) { "NaN".into() } else { y.to_string() };
        check("no finite number", &pipeline, &csv(OF_TRAINED, &with(of(), 3, numbers)), PASS);
    }
    let wide = trained("linear", "ridge").replace("bounds = [-10, 10]", "bounds = [-1e15, 1e15]");
    check("wide", &wide, &csv(OF_TRAINED, &learnable("linear", 600)), Refused("narrow its bounds"));
}

/// Both classes in the training part, one in the test part.
#[test]
fn a_test_part_of_one_class() {
    let pipeline = trained("logistic", "ridge").replace(KEPT, "path = \"rows.csv\", key = [\"id\"]");
    let pipeline = pipeline.replace("sex = {", "id = { roles = [\"identifier\"] }\n        sex = {");
    let mut text = format!("id,{OF_TRAINED}\n");
    for (i, row) in learnable("logistic", 600).iter().enumerate() {
        let tested = demand::hash("0:split", i.to_string().as_bytes()) as f64 / 2f64.powi(60) >= 0.6;
        let y = if tested { "yes" } else { &row[3] };
        writeln!(text, "{i},{},{},{},{y}", row[0], row[1], row[2]).unwrap();
    }
    let audit = audited(&pipeline, &text).unwrap().audit;
    let everyone = |metric: &str| {
        let of = audit.readings.iter().find(|r| *r.metric == *metric && r.across.is_empty() && r.contrast.is_none());
        of.unwrap_or_else(|| panic!("no {metric}")).measured.clone()
    };
    assert_eq!(everyone("roc-auc"), Measured::Undefined { why: Why::OneClass });
    assert_eq!(everyone("false-positive-rate"), Measured::Undefined { why: Why::EmptyDenominator });
    assert_eq!(everyone("prevalence").estimate().map(|of| of.point), Some(1.0));
    assert!(everyone("brier-score").estimate().is_some());
}

/// Of two cohorts with enough rows and one with a few, the worst pair are the two, and who was left out is said.
#[test]
fn a_small_cohort_is_not_the_worst_pair() {
    let pipeline = GIVEN.replace("[\"f\", \"m\"]", "[\"f\", \"m\", \"x\"]");
    let rows = with(given(400), 0, |i, sex| if i < 20 { "x".into() } else { sex.into() });
    // Nobody of the small cohort is decided for.
    let rows = with(rows, 2, |i, d| if i < 20 { "no".into() } else { d.into() });
    let audit = audited(&pipeline, &csv(OF_GIVEN, &rows)).unwrap().audit;
    let worst = audit.readings.iter().find(|reading| {
        let contrast = reading.contrast.as_ref();
        *reading.metric == *"selection-rate" && contrast.is_some_and(|of| of.against == Against::WorstPair)
    });
    let contrast = worst.and_then(|reading| reading.contrast.as_ref()).unwrap();
    assert_eq!(contrast.too_few, 1);
    assert!(worst.unwrap().cohort.levels() != "x" && contrast.with.as_ref().unwrap().levels() != "x");
    assert_eq!(audit.outcome, Outcome::Pass);
    assert!(
        audit.findings[0].reason.ends_with("Cohorts left out, with fewer than 30 rows: 1."),
        "{:?}",
        audit.findings
    );
    assert!(audit.method.notes.iter().any(|note| note.starts_with("Cohorts with fewer than 30 rows")));
    let table = audit.cohorts.iter().find(|table| !table.across.is_empty()).unwrap();
    assert!(table.rows.iter().any(|row| row.cohort.levels() == "x" && row.n == Some(20)));
    // Where every cohort may be judged nobody is left out.
    let all =
        audited(&pipeline.replace("replicates = 50", "replicates = 50\n    support_min = 1"), &csv(OF_GIVEN, &rows));
    let all = all.unwrap().audit;
    assert_eq!(all.outcome, Outcome::Fail);
    assert!(all.readings.iter().all(|reading| reading.contrast.as_ref().is_none_or(|of| of.too_few == 0)));
}
