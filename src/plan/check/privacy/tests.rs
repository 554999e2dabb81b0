//! One case per complaint, with the characters it points at.

use super::super::{Complaint, Unparsed, check};
use crate::scalar::Scalar;

/// A private pipeline that trains, without a complaint.
const CLEAN: &str = r#"
[pipeline]
name = "loans"
[ingest]
path = "loans.csv"
[schema.person]
roles = ["privacy-unit"]
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.age]
roles = ["feature"]
bounds = [16, 90]
[schema.paid]
roles = ["target"]
positive = "yes"
levels = ["no", "yes"]
[privacy]
population = "people"
epsilon = 1.0
delta = 1e-9
rows_at_least = 1000
rows_per_unit_max = 2
memory_mib_max = 64
score_bins = 16
interval_width_max = 0.4
[privacy.shares]
contract = 2
[train]
model = "logistic"
penalty = "ridge"
strength = 0.1
steps = 4
split = { train = 0.5, calibration = 0.0, test = 0.5 }
[[judge]]
metric = "selection-rate"
compare = "ratio"
against = "worst-pair"
at_least = 0.8
"#;

fn complaints(text: &str) -> Vec<Complaint> {
    let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::text(text)) };
    check(("loans.toml", text), None, None, &parse).1
}

#[track_caller]
fn expect(from: &str, to: &str, code: &str, at: &str) {
    assert!(CLEAN.contains(from), "{from}");
    let text = CLEAN.replacen(from, to, 1);
    let found = complaints(&text);
    let shown: Vec<(&str, &str)> = found.iter().map(|c| (c.code, &text[c.at.clone()])).collect();
    assert!(shown.contains(&(code, at)), "{code} at {at}: {shown:?}");
}

#[test]
fn a_declared_pipeline_has_no_complaint() {
    assert_eq!(complaints(CLEAN), []);
}

#[test]
fn cost_and_delta() {
    for epsilon in ["0", "-1.0", "1e-7", "20.5", "inf", "nan"] {
        expect("epsilon = 1.0", &format!("epsilon = {epsilon}"), "bad-epsilon", epsilon);
    }
    expect("epsilon = 1.0", "i_know = true\nepsilon = 2e5", "bad-epsilon", "2e5");
    assert_eq!(complaints(&CLEAN.replace("epsilon = 1.0", "i_know = true\nepsilon = 30.0")), []);
    expect("\"people\"", "\" \"", "no-population", "\" \"");
    expect("delta = 1e-9", "delta = -0.1", "bad-delta", "-0.1");
    expect("delta = 1e-9", "delta = 1.0", "bad-delta", "1.0");
    expect("delta = 1e-9", "delta = 0.001", "bad-delta", "0.001");
    expect("delta = 1e-9", "delta = 0.0005", "large-delta", "0.0005");
    expect("rows_at_least = 1000\n", "", "bad-delta", "1e-9");
}

#[test]
fn unit_and_division() {
    expect("rows_per_unit_max = 2", "rows_per_unit_max = 0", "bad-unit", "0");
    expect("roles = [\"privacy-unit\"]", "roles = [\"identifier\"]", "bad-unit", "2");
    expect("memory_mib_max = 64", "memory_mib_max = 0", "bad-memory", "0");
    expect("contract = 2", "contract = 0", "bad-share", "0");
    expect("score_bins = 16", "score_bins = 1", "bad-bins", "1");
    expect("interval_width_max = 0.4", "interval_width_max = 1.5", "bad-width", "1.5");
    let alone = CLEAN.replace("rows_per_unit_max = 2\n", "").replace("\"privacy-unit\"", "\"identifier\"");
    let found = complaints(&alone);
    assert_eq!(found.iter().map(|c| c.code).collect::<Vec<_>>(), ["row-is-unit"]);
}

#[test]
fn what_would_be_read_off_the_rows() {
    expect("levels = [\"f\", \"m\"]\n", "", "undeclared-domain", "sex");
    expect("bounds = [16, 90]\n", "as = \"number\"\n", "undeclared-domain", "age");
    expect("bounds = [16, 90]\n", "bounds = [16, 90]\nmissing = \"impute\"\n", "learned-value", "\"impute\"");
    expect(
        "roles = [\"feature\"]",
        "roles = [\"feature\", \"weight\"]",
        "weighted-privacy",
        "[\"feature\", \"weight\"]",
    );
    expect("[privacy]\n", "[contract]\nunique_key = [\"person\"]\n[privacy]\n", "no-mechanism", "[\"person\"]");
    expect("[privacy]\n", "[measure]\nsuppress_below = 5\n[privacy]\n", "needless-suppression", "5");
}

#[test]
fn training() {
    expect("strength = 0.1\n", "", "chosen-penalty", "train");
    expect("\"ridge\"", "\"lasso\"", "private-penalty", "\"lasso\"");
    expect("steps = 4", "steps = 0", "bad-steps", "0");
    expect("steps = 4", "steps = 101", "bad-steps", "101");
}
