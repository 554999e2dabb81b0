//! A run and itself differ in nothing; the other way round everything is turned; points that move within their intervals are no change.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::audit::changes::{Difference, Unsaid};
use crate::report::tests::sample::{PLAIN, sample};
use crate::report::{pretty, run_json};

/// The documents of the sample run.
fn documents() -> (Value, Value) {
    static ONCE: std::sync::LazyLock<(Value, Value)> = std::sync::LazyLock::new(|| {
        let (audit, record) = sample(&PLAIN, 0);
        let value = |bytes: Vec<u8>| serde_json::from_slice(&bytes).unwrap();
        let mut run: Value = value(run_json(&record).unwrap());
        // Its digests are those of the report before it was changed.
        run["files"] = json!([]);
        (value(pretty("report.json", &audit).unwrap()), run)
    });
    ONCE.clone()
}

fn stored((report, run): &(Value, Value)) -> Stored {
    Stored::read(&serde_json::to_vec(report).unwrap(), &serde_json::to_vec(run).unwrap(), false).unwrap()
}

/// Changes one thing of a run; `at` chooses which, `to` how.
fn edit((report, run): &mut (Value, Value), kind: u8, at: usize, to: usize) {
    let one = |list: &Value| at % list.as_array().unwrap().len();
    let findings = one(&report["findings"]);
    match kind {
        0 => {
            report["findings"][findings]["verdict"] = json!(["met", "undetermined", "breached", "not-measured"][to % 4])
        }
        1 if report["findings"].as_array().unwrap().len() > 1 => {
            drop(report["findings"].as_array_mut().unwrap().remove(findings))
        }
        2 => report["findings"][findings]["gate"]["at_most"] = json!(to as f64 / 8.0),
        3 => report["findings"][findings]["waiver"] = json!({ "cohort": {}, "reason": "r", "until": "2027-01-01" }),
        4 => {
            let shift = to as f64 / 16.0;
            report["findings"][findings]["measured"] = json!({
                "status": "estimated", "point": 0.5 + shift, "interval": { "lower": 0.4 + shift, "upper": 0.6 + shift },
                "support": { "n": 100 }, "method": "wilson"
            });
        }
        5 => drop(report["data"]["columns"].as_array_mut().unwrap().pop()),
        6 if !report["data"]["columns"].as_array().unwrap().is_empty() => {
            report["data"]["columns"][0]["domain"] = json!({ "levels": ["a", format!("b{to}")] })
        }
        7 if report["model"].is_object() => report["model"]["coefficients"][at % 4]["value"] = json!(to as f64),
        8 => report["pipeline"]["spec_sha256"] = json!(format!("{to}")),
        9 => report["data"]["rows_kept"] = json!(to),
        10 => report["outcome"] = json!(["PASS", "WARN", "FAIL", "INCONCLUSIVE"][to % 4]),
        11 => report["model"] = Value::Null,
        12 => run["inputs"] = json!([{ "name": "a.csv", "bytes": 1, "sha256": format!("{to}") }]),
        13 => report["pipeline"]["name"] = json!(format!("p{to}")),
        14 => report["findings"][findings]["level"] = json!(["warn", "deny"][to % 2]),
        _ => report["method"]["confidence"] = json!(0.9 + (to % 9) as f64 / 100.0),
    }
    (run["outcome"], run["pipeline"]) = (report["outcome"].clone(), report["pipeline"]["name"].clone());
}

fn edited(edits: &[(u8, usize, usize)]) -> Stored {
    let mut documents = documents();
    edits.iter().for_each(|(kind, at, to)| edit(&mut documents, *kind, *at, *to));
    stored(&documents)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_run_and_itself_differ_in_nothing_and_the_other_way_round_all_is_turned(
        first in prop::collection::vec((0u8..16, 0usize..40, 0usize..12), 0..12),
        second in prop::collection::vec((0u8..16, 0usize..40, 0usize..12), 0..12),
        every_reading: bool,
        independent: bool,
    ) {
        let how = How { every_reading, independent };
        let (a, b) = (edited(&first), edited(&second));
        prop_assert!(compare(&a, &a, how).is_empty());
        let (there, back) = (compare(&a, &b, how), compare(&b, &a, how));
        prop_assert_eq!(&there.clone().turned(), &back);
        let open = |stored: &Stored| count(states(&stored.report).values().flatten().filter(|state| state.is_open()).count());
        let reopened = there.findings.waivers_ended.iter().filter(|of| of.after.as_ref().is_some_and(State::is_open));
        prop_assert_eq!(there.counts.new + there.counts.still + count(reopened.count()), open(&b));
        // What is written is read back.
        let text = serde_json::to_string(&there).unwrap();
        prop_assert_eq!(serde_json::from_str::<Changes>(&text).unwrap(), there);
    }
}

#[test]
fn every_kind_of_difference_is_found() {
    let before = documents();
    for kind in 0..16u8 {
        let mut after = documents();
        // Twice, so that one of them differs from what is there.
        edit(&mut after, kind, 3, 5);
        let one = compare(&stored(&before), &stored(&after), How::default()).is_empty();
        edit(&mut after, kind, 3, 6);
        let changes = compare(&stored(&before), &stored(&after), How::default());
        assert!(!one || !changes.is_empty(), "{kind}");
        assert!(changes.counts.same > 0);
    }
}

fn measured(documents: &mut (Value, Value), point: f64, half: f64, method: &str) {
    for (i, finding) in documents.0["findings"].as_array_mut().unwrap().iter_mut().enumerate() {
        // The first is compared with nothing, so that the data choose nothing.
        if i == 0 {
            finding["gate"] = json!({ "metric": "m", "across": ["sex"], "at_most": 0.1, "level": "deny" });
            finding["measured"] = json!({
                "status": "estimated", "point": point, "interval": { "lower": point - half, "upper": point + half },
                "support": { "n": 100 }, "method": method
            });
        }
    }
}

#[test]
fn points_that_move_are_no_change_while_the_intervals_meet() {
    let (mut a, mut b) = (documents(), documents());
    a.1["inputs"] = json!([]);
    let mut of = |to: f64, method: &str, independent: bool| {
        measured(&mut a, 0.5, 0.3, "wilson");
        measured(&mut b, to, 0.4, method);
        let changes = compare(&stored(&a), &stored(&b), How { independent, every_reading: false });
        let value = changes.values.into_iter().find(|value| value.what.metric == "m").unwrap();
        (value.movement, value.difference)
    };
    // The ends meet at 0.8.
    assert_eq!(of(1.2, "wilson", false), (Movement::Within, Difference::Unsaid { why: Unsaid::NotIndependent }));
    assert_eq!(of(1.3, "deviations", true), (Movement::Beyond, Difference::Unsaid { why: Unsaid::Method }));
    let (movement, difference) = of(1.3, "student", true);
    let Difference::Estimated { point, lower, upper } = difference else { panic!("{difference:?}") };
    // Half widths 0.3 and 0.4 in quadrature are 0.5.
    assert_eq!(movement, Movement::Beyond);
    assert!((point - 0.8).abs() < 1e-12 && (lower - 0.3).abs() < 1e-12 && (upper - 1.3).abs() < 1e-12);
    b.1["inputs"] = json!([{ "name": "x", "bytes": 1, "sha256": "s" }]);
    a.1["inputs"] = b.1["inputs"].clone();
    let changes = compare(&stored(&a), &stored(&b), How { independent: true, every_reading: false });
    let value = changes.values.iter().find(|value| value.what.metric == "m").unwrap();
    assert_eq!(value.difference, Difference::Unsaid { why: Unsaid::SameRows });
}

#[test]
fn a_finding_whose_limit_moved_is_the_same_finding_and_one_not_judged_any_more_is_not_fixed() {
    let before = documents();
    let at = before.0["findings"].as_array().unwrap().iter().position(|of| of["verdict"] == "breached").unwrap();
    let mut after = before.clone();
    after.0["findings"][at]["gate"]["at_least"] = json!(0.81);
    let moved = compare(&stored(&before), &stored(&after), How::default());
    assert_eq!((moved.counts.new, moved.counts.fixed, moved.counts.gone), (0, 0, 0));
    assert_eq!(moved.findings.still.iter().filter(|of| of.limit_moved()).count(), 1);
    assert!(!moved.is_empty() && !moved.is_worse());
    after.0["findings"][at]["verdict"] = json!("met");
    let loosened = compare(&stored(&before), &stored(&after), How::default());
    assert_eq!((loosened.counts.fixed, loosened.counts.fixed_by_limit, loosened.counts.new_by_limit), (1, 1, 0));
    assert_eq!(loosened.turned().counts.new_by_limit, 1);
    after.0["findings"][at]["verdict"] = json!("breached");
    after.0["findings"].as_array_mut().unwrap().remove(at);
    let gone = compare(&stored(&before), &stored(&after), How::default());
    assert_eq!((gone.counts.new, gone.counts.fixed, gone.counts.gone), (0, 0, 1));
    let back = compare(&stored(&after), &stored(&before), How::default());
    assert_eq!((back.counts.new, back.counts.fixed, back.counts.gone), (1, 0, 0));
    assert!(back.is_worse() && !gone.is_worse());
    let open = gone.counts.still;
    assert_eq!(gone.shortened(0).counts.still, open);
}
