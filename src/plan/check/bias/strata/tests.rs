//! Each complaint points at its words.

use crate::plan::check::{Complaint, Unparsed, check};
use crate::scalar::Scalar;

const CLEAN: &str = r#"
[pipeline]
name = "loans"
[ingest]
path = "loans.csv"
[derive]
band = "age"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.race]
roles = ["protected"]
levels = ["x", "y"]
[schema.age]
bounds = [16, 90]
[schema.branch]
levels = ["north", "south"]
[schema.repaid]
roles = ["target"]
levels = ["no", "yes"]
positive = "yes"
[measure]
across = [["sex"]]
given = ["branch", "race"]
[[judge]]
metric = "prevalence"
at_most = 0.5
"#;

fn complaints(text: &str) -> Vec<Complaint> {
    // A derived column is the column its text names.
    let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
    check(("loans.toml", text), None, None, &parse).1
}

#[track_caller]
fn expect(from: &str, to: &str, code: &str, at: &str) {
    assert!(CLEAN.contains(from), "{from}");
    let text = CLEAN.replacen(from, to, 1);
    let found = complaints(&text);
    let shown: Vec<(&str, &str, &str)> =
        found.iter().map(|c| (c.code, &text[c.at.clone()], c.message.as_str())).collect();
    assert_eq!(shown.iter().map(|(code, at, _)| (*code, *at)).collect::<Vec<_>>(), [(code, at)], "{shown:?}");
    assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
}

#[test]
fn each_complaint_points_at_its_words() {
    assert_eq!(complaints(CLEAN), []);
    let given = "given = [\"branch\", \"race\"]";
    let with = |name: &str| format!("given = [{name}]");
    expect(given, &with("\"brunch\""), "unknown-column", "\"brunch\"");
    expect(given, &with("\"branch\", \"branch\""), "given-twice", "\"branch\"");
    expect(given, &with("\"sex\""), "given-is-compared", "\"sex\"");
    expect(given, &with("\"repaid\""), "given-is-no-control", "\"repaid\"");
    expect(given, &with("\"age\""), "given-needs-levels", "\"age\"");
    expect(given, &with("\"band\""), "given-needs-levels", "\"band\"");
    expect("[schema.branch]\nlevels = [\"north\", \"south\"]", "[schema.branch]", "learned-levels", "branch");
    let many: Vec<String> = (0..1300).map(|level| format!("\"{level}\"")).collect();
    let many = format!("levels = [{}]", many.join(", "));
    expect("levels = [\"north\", \"south\"]", &many, "too-many-cells", "[\"branch\", \"race\"]");
}

#[test]
fn without_sets_every_protected_column_is_compared() {
    let text = CLEAN.replace("across = [[\"sex\"]]\n", "");
    let found: Vec<&str> = complaints(&text).iter().map(|complaint| complaint.code).collect();
    assert_eq!(found, ["given-is-compared"]);
}

#[test]
fn under_differential_privacy_there_are_no_strata() {
    let text = CLEAN.to_string() + "[privacy]\npopulation = \"loans\"\nepsilon = 1.0\n";
    let found: Vec<Complaint> = complaints(&text).into_iter().filter(|c| c.code == "no-mechanism").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(&text[found[0].at.clone()], "[\"branch\", \"race\"]");
}
