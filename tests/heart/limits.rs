//! The largest pipelines that are not refused, measured from end to end.

use std::fmt::Write;

use evenhand::metric::{Against, Comparison};

use crate::audit::{audit, ends, point};

/// Rows of `levels` levels with a label, a decision, a score and a unit; nothing differs between the levels.
fn rows(levels: usize, per_level: usize) -> String {
    let mut text = "zip,y,pred,s,id\n".to_string();
    for i in 0..levels * per_level {
        let at = i / levels;
        writeln!(text, "z{:04},{},{},0.{},{i}", i % levels, at % 2, at / 2 % 2, at % 10).unwrap();
    }
    text
}

/// Pairwise comparisons over units need the 200 left-out values of both cohorts, so that part has fewer cohorts.
#[test]
fn a_thousand_cohorts_and_two_hundred_of_units() {
    let folder = tempfile::tempdir().unwrap();
    let run = |levels: usize, more: &str| {
        let path = folder.path().join("zip.csv");
        std::fs::write(&path, rows(levels, 40)).unwrap();
        let names: Vec<String> = (0..levels).map(|i| format!("\"z{i:04}\"")).collect();
        let pipeline = format!(
            r#"
            [pipeline]
            name = "limits"
            [ingest]
            path = "zip.csv"
            [schema.zip]
            roles = ["protected"]
            levels = [{}]
            [schema.y]
            roles = ["target"]
            positive = "1"
            [schema.pred]
            roles = ["prediction"]
            positive = "1"
            [schema.s]
            roles = ["score"]
            [measure]
            metrics = ["selection-rate", "roc-auc"]
            {more}
            "#,
            names.join(", ")
        );
        audit(&pipeline, &path)
    };
    let independent = run(1000, "");
    let worst = independent.contrast("selection-rate", &["zip"], Comparison::Difference, Against::WorstPair, None);
    assert_eq!(point(worst), Some(0.0));
    assert!(ends(worst).upper.unwrap() > 0.3, "forty rows each do not show that a thousand cohorts are equal");
    assert_eq!(independent.cells(&["zip"], "z0999").n, Some(40));
    let dependent = run(200, "[schema.id]\nroles = [\"privacy-unit\"]");
    assert_eq!(point(dependent.everyone("roc-auc")), point(run(200, "").everyone("roc-auc")));
    assert!(dependent.everyone("selection-rate").estimate().unwrap().support.n_effective > 0.0);
}
