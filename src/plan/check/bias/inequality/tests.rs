//! Each complaint points at its words.

use crate::plan::check::{Complaint, Unparsed, check};
use crate::scalar::Scalar;

const CLEAN: &str = r#"
[pipeline]
name = "loans"
[ingest]
path = "loans.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
reference = "m"
[schema.branch]
levels = ["north", "south"]
[schema.repaid]
roles = ["target"]
levels = ["no", "yes"]
positive = "yes"
[schema.granted]
roles = ["prediction"]
levels = ["no", "yes"]
positive = "yes"
[measure]
metrics = ["bias-amplification", "selection-rate-given"]
given = ["branch"]
[[judge]]
metric = "bias-amplification"
at_most = 0.5
[[judge]]
metric = "selection-rate-given"
compare = "difference"
against = "reference"
at_least = -0.1
"#;

fn complaints(text: &str) -> Vec<Complaint> {
    let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
    check(("loans.toml", text), None, None, &parse).1
}

#[track_caller]
fn expect(from: &str, to: &str, code: &str, at: &str) {
    assert!(CLEAN.contains(from), "{from}");
    let text = CLEAN.replacen(from, to, 1);
    let found = complaints(&text);
    let shown: Vec<(&str, &str)> = found.iter().map(|c| (c.code, &text[c.at.clone()])).collect();
    assert_eq!(shown, [(code, at)], "{found:?}");
    assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
}

#[test]
fn each_complaint_points_at_its_words() {
    assert_eq!(complaints(CLEAN), []);
    let figure = "metric = \"bias-amplification\"\n";
    expect(
        figure,
        "metric = \"bias-amplification\"\ncompare = \"difference\"\nagainst = \"overall\"\n",
        "no-comparison",
        "\"difference\"",
    );
    expect(figure, "metric = \"bias-amplification\"\nacross = []\n", "no-comparison", "[]");
    expect("against = \"reference\"", "against = \"overall\"", "no-comparison", "\"selection-rate-given\"");
    expect("given = [\"branch\"]\n", "", "metric-not-measured", "\"selection-rate-given\"");
}
