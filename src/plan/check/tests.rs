//! One case per complaint, with the characters it points at; several at once; no input panics.

use proptest::prelude::*;

use super::*;
use crate::plan::spec::{ColumnSpec, Missing, ReadAs};
use crate::schema::Role;

/// A pipeline without a complaint.
const CLEAN: &str = r#"
[pipeline]
name = "hiring"

[ingest]
path = "hiring.csv"
null_values = ["?"]

[derive]
age_band = "CASE WHEN age < 40 THEN 'under 40' ELSE '40 and over' END"

[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
reference = "m"

[schema.age]
bounds = [16, 90]

[schema.age_band]
roles = ["protected"]
levels = ["under 40", "40 and over"]

[schema.hired]
roles = ["prediction"]
positive = "yes"
levels = ["no", "yes"]

[schema.good]
roles = ["target"]
as = "truth"

[[judge]]
metric = "selection-rate"
compare = "ratio"
against = "worst-pair"
at_least = 0.8
"#;

/// A pipeline that trains, without a complaint.
const TRAINED: &str = r#"
[pipeline]
name = "premium"

[ingest]
path = "premium.csv"

[schema.sex]
roles = ["protected", "feature"]
levels = ["f", "m"]

[schema.age]
roles = ["feature"]
bounds = [16, 90]

[schema.paid]
roles = ["target"]
bounds = [0, 1000]

[train]
model = "linear"

[[judge]]
metric = "mean-residual"
compare = "difference"
against = "overall"
at_most = 10
"#;

fn parse(text: &str) -> Result<Scalar, Unparsed> {
    #[cfg(feature = "sql")]
    return sql(text);
    #[cfg(not(feature = "sql"))]
    return Ok(Scalar::text(text));
}

fn complaints(text: &str) -> Vec<Complaint> {
    check(("hiring.toml", text), None, None, &parse).1
}

fn source(names: &[&str]) -> Vec<SourceColumn> {
    names.iter().map(|name| SourceColumn { name: (*name).into(), kind: "text".into() }).collect()
}

/// Replaces part of a text and expects one complaint of this code at these characters.
#[track_caller]
fn expect(base: &str, from: &str, to: &str, code: &str, at: &str) {
    assert!(base.contains(from), "{from}");
    let text = base.replacen(from, to, 1);
    let found = complaints(&text);
    let shown: Vec<(&str, &str, &str)> =
        found.iter().map(|c| (c.code, &text[c.at.clone()], c.message.as_str())).collect();
    assert_eq!(shown.iter().map(|(code, at, _)| (*code, *at)).collect::<Vec<_>>(), [(code, at)], "{shown:?}");
}

#[test]
fn clean_files_have_no_complaint() {
    assert_eq!(complaints(CLEAN), []);
    assert_eq!(complaints(TRAINED), []);
    let columns = source(&["sex", "age", "hired", "good", "other"]);
    let (spec, found) = check(("hiring.toml", CLEAN), None, Some(&columns), &parse);
    assert_eq!((spec.unwrap(), found), (toml::from_str(CLEAN).unwrap(), vec![]));
}

#[test]
fn keys() {
    expect(CLEAN, "levels = [\"f\"", "lvels = [\"f\"", "unknown-key", "lvels");
    expect(CLEAN, "[[judge]]", "[[jugde]]", "unknown-key", "jugde");
    expect(CLEAN, "name = \"hiring\"", "name = 3", "wrong-type", "3");
    expect(CLEAN, "bounds = [16, 90]", "bounds = [16, 90, 100]", "wrong-type", "[16, 90, 100]");
    expect(CLEAN, "at_least = 0.8", "at_least = \"0.8\"", "wrong-type", "\"0.8\"");
    expect(CLEAN, "name = \"hiring\"", "name = \"hiring\"\nseed = -1", "wrong-type", "-1");
    expect(CLEAN, "name = \"hiring\"", "", "missing-key", "pipeline");
    expect(CLEAN, "metric = \"selection-rate\"", "", "missing-key", "[[judge]]");
    expect(CLEAN, "\"worst-pair\"", "\"worst-pear\"", "unknown-value", "\"worst-pear\"");
    expect(CLEAN, "[\"prediction\"]", "[\"predicton\"]", "unknown-value", "\"predicton\"");
    let whole = complaints("[pipeline]\nname = \"x\"\n");
    assert_eq!(whole.iter().filter(|c| c.code == "missing-key").count(), 2, "{whole:?}");
    let syntax = complaints("[pipeline\nname = \"x\"\n");
    assert!(syntax.iter().all(|c| c.code == "syntax") && !syntax.is_empty());
    let meant = complaints(&CLEAN.replace("against =", "agianst ="));
    assert_eq!(meant[0].remedy.as_deref(), Some("did you mean `against`?"));
}

#[test]
fn what_is_said_of_the_report() {
    let with = |line: &str| format!("{CLEAN}\n[report]\n{line}\n");
    let one = |line: &str, code: &str, at: &str| expect(&with("title = \"x\""), "title = \"x\"", line, code, at);
    one("decider = \"a\"\ndecide_by = \"31.12.2026\"", "bad-date", "\"31.12.2026\"");
    one("decide_by = \"2026-12-31\"", "no-decider", "\"2026-12-31\"");
    one("brand = \" \"", "empty-text", "\" \"");
    one("prepared_by = \"a\"\nreviewed_by = \"a\"", "same-reviewer", "\"a\"");
    one("limitations = [\"a\", \"\"]", "empty-text", "\"\"");
    let long = format!("\"{}\"", "x".repeat(61));
    one(&format!("decider = {long}"), "long-text", &long);
    assert_eq!(complaints(&with("decider = \"a\"\ndecide_by = \"2026-12-31\"\nlimitations = [\"b\"]")), []);
}

#[test]
fn stages() {
    expect(CLEAN, "\"hiring\"", "\"Hiring 2\"", "bad-name", "\"Hiring 2\"");
    expect(CLEAN, "path = \"hiring.csv\"", "path = \"\"", "empty-path", "\"\"");
    expect(CLEAN, "null_values", "delimiter = \"é\"\nnull_values", "bad-delimiter", "\"é\"");
    expect(CLEAN, "null_values", "decimal = \",\"\nnull_values", "bad-decimal", "\",\"");
    expect(CLEAN, "[ingest]", "[ingest]\nkey = [\"sexx\"]", "unknown-column", "\"sexx\"");
    expect(CLEAN, "[[judge]]", "[contract]\nunique_key = [\"sexx\"]\n[[judge]]", "unknown-column", "\"sexx\"");
    expect(CLEAN, "[[judge]]", "[contract]\nmemory_mib_max = 0\n[[judge]]", "bad-memory", "0");
    expect(CLEAN, "[[judge]]", "[measure]\nconfidence = 95\n[[judge]]", "bad-confidence", "95");
    expect(CLEAN, "[[judge]]", "[measure]\nreplicates = 1\n[[judge]]", "bad-replicates", "1");
}

#[test]
fn training() {
    expect(TRAINED, "[\"feature\"]", "[]", "no-features", "train");
    expect(TRAINED, "[\"target\"]", "[\"sensitive\"]", "no-target", "train");
    expect(TRAINED, "[schema.age]", "[schema.w]\nroles = [\"weight\"]\n\n[schema.age]", "weighted-training", "train");
    let without = TRAINED.replace("[[judge]]\nmetric = \"mean-residual\"", "[[judge]]\nmetric = \"selection-rate\"");
    let logistic = without.replace("\"linear\"", "\"logistic\"").replace("at_most = 10", "at_most = 0.1");
    expect(&logistic, "roles = [\"target\"]", "roles = [\"target\"]", "logistic-needs-two-values", "\"logistic\"");
    expect(TRAINED, "bounds = [0, 1000]", "bounds = [0, 1000]\npositive = \"1\"", "linear-needs-number", "\"linear\"");
    expect(TRAINED, "model = \"linear\"", "model = \"linear\"\nstrength = -1.0", "bad-strength", "-1.0");
    expect(TRAINED, "model = \"linear\"", "model = \"linear\"\nl1_ratios = [0.5, 2]", "bad-l1-ratio", "2");
    expect(
        TRAINED,
        "model = \"linear\"",
        "model = \"linear\"\npenalty = \"ridge\"\nl1_ratios = [0.5]",
        "unused-key",
        "[0.5]",
    );
    expect(TRAINED, "model = \"linear\"", "model = \"linear\"\nfolds = 1", "bad-folds", "1");
    expect(TRAINED, "model = \"linear\"", "model = \"linear\"\nthreshold = 1.5", "bad-threshold", "1.5");
    expect(
        TRAINED,
        "model = \"linear\"",
        "model = \"linear\"\nsplit = { train = 0.6, calibration = 0.2, test = 0.1 }",
        "bad-split",
        "split",
    );
    expect(
        TRAINED,
        "model = \"linear\"",
        "model = \"linear\"\nsplit = { train = 1, calibration = 0, test = 0 }",
        "bad-split",
        "split",
    );
    expect(
        TRAINED,
        "[train]",
        "[schema.given]\nroles = [\"prediction\"]\nbounds = [0, 1]\n[train]",
        "given-and-trained",
        "[\"prediction\"]",
    );
}

#[test]
fn columns_and_roles() {
    expect(CLEAN, "[\"target\"]", "[\"target\", \"feature\"]", "contradictory-roles", "[\"target\", \"feature\"]");
    expect(
        CLEAN,
        "bounds = [16, 90]",
        "roles = [\"identifier\", \"feature\"]\nbounds = [16, 90]",
        "contradictory-roles",
        "[\"identifier\", \"feature\"]",
    );
    expect(
        CLEAN,
        "roles = [\"target\"]",
        "roles = [\"target\", \"ignored\"]",
        "contradictory-roles",
        "[\"target\", \"ignored\"]",
    );
    expect(
        CLEAN,
        "[schema.age]",
        "[schema.b]\nroles = [\"target\"]\npositive = \"x\"\n[schema.age]",
        "role-twice",
        "[\"target\"]",
    );
    expect(
        CLEAN,
        "levels = [\"f\", \"m\"]",
        "levels = [\"f\", \"m\"]\nbounds = [0, 1]\nas = \"text\"",
        "levels-and-bounds",
        "[0, 1]",
    );
    expect(CLEAN, "[16, 90]", "[90, 16]", "bad-bounds", "[90, 16]");
    expect(CLEAN, "[16, 90]", "[0, inf]", "bad-bounds", "[0, inf]");
    expect(CLEAN, "[\"f\", \"m\"]", "[\"f\", \"m\", \"f\"]", "duplicate-level", "\"f\"");
    expect(CLEAN, "[\"f\", \"m\"]", "[\"f\", \"m\", \"?\"]", "level-is-missing", "\"?\"");
    expect(CLEAN, "reference = \"m\"", "reference = \"male\"", "unknown-level", "\"male\"");
    expect(CLEAN, "positive = \"yes\"", "positive = \"ye\"", "unknown-level", "\"ye\"");
    expect(CLEAN, "positive = \"yes\"\n", "", "missing-positive", "hired");
    expect(CLEAN, "as = \"truth\"", "as = \"truth\"\npositive = \"maybe\"", "bad-positive", "\"maybe\"");
    expect(CLEAN, "bounds = [16, 90]", "bounds = [16, 90]\nnull_share_max = 5", "bad-share", "5");
    expect(CLEAN, "bounds = [16, 90]", "bounds = [16, 90]\nmissing = \"drop\"", "unused-key", "\"drop\"");
    expect(CLEAN, "bounds = [16, 90]", "bounds = [16, 90]\nroles = [\"protected\"]", "protected-needs-levels", "age");
    expect(CLEAN, "levels = [\"under 40\", \"40 and over\"]", "", "learned-levels", "age_band");
    expect(
        CLEAN,
        "levels = [\"f\", \"m\"]",
        "as = \"number\"\nlevels = [\"f\", \"m\"]",
        "levels-need-text",
        "[\"f\", \"m\"]",
    );
    expect(CLEAN, "levels = [\"under 40\", \"40 and over\"]", "levels = []", "no-levels", "[]");
    expect(CLEAN, "bounds = [16, 90]", "bounds = [16, 90]\nreference = \"16\"", "reference-needs-levels", "\"16\"");
    expect(
        CLEAN,
        "[schema.age]",
        "[schema.w]\nroles = [\"weight\"]\nas = \"text\"\n[schema.age]",
        "role-needs-number",
        "\"text\"",
    );
    expect(
        CLEAN,
        "[schema.age]",
        "[schema.x]\nas = \"text\"\nbounds = [0, 1]\n[schema.age]",
        "bounds-need-number",
        "[0, 1]",
    );
    expect(
        CLEAN,
        "[schema.age]",
        "[schema.s]\nroles = [\"score\"]\nbounds = [0, 10]\n[schema.age]",
        "bad-bounds",
        "[0, 10]",
    );
    let none = complaints(&CLEAN.replace("[\"protected\"]", "[]"));
    assert!(none.iter().any(|c| c.code == "nothing-protected" && c.severity == Severity::Warning));
}

#[test]
fn columns_of_the_source() {
    let columns = source(&["sex", "ages", "hired", "good", "age_band"]);
    let (spec, found) = check(("f", CLEAN), None, Some(&columns), &parse);
    assert!(spec.is_none());
    let shown: Vec<(&str, &str)> = found.iter().map(|c| (c.code, &CLEAN[c.at.clone()])).collect();
    assert_eq!(shown, [("derived-shadows", "age_band"), ("unknown-column", "age")]);
    assert_eq!(found[1].remedy.as_deref(), Some("did you mean \"ages\" or \"age_band\"?"));
}

#[test]
fn a_header_read_as_one_name_is_said_once() {
    for (header, written, remedy) in [
        ("sex;age;hired;good", "\"hiring.csv\"", "write delimiter = \";\" under [ingest]"),
        ("sex\tage\thired\tgood", "\"hiring.csv\"", "write delimiter = \"\\t\" under [ingest]"),
        ("sex|age", "\"hiring.csv\"", "write delimiter = \"|\" under [ingest]"),
    ] {
        let (_, found) = check(("f", CLEAN), None, Some(&source(&[header])), &parse);
        let shown: Vec<_> = found.iter().map(|c| (c.code, &CLEAN[c.at.clone()], c.remedy.as_deref())).collect();
        assert_eq!(shown, [("wrong-delimiter", written, Some(remedy))]);
    }
    let given = CLEAN.replace("path =", "delimiter = \";\"\npath =");
    let (_, found) = check(("f", &given), None, Some(&source(&["sex,age"])), &parse);
    assert_eq!(
        found.iter().map(|c| (c.code, &given[c.at.clone()])).collect::<Vec<_>>(),
        [("wrong-delimiter", "\";\"")]
    );
    // One column without a separator in its name is one column.
    let (_, found) = check(("f", CLEAN), None, Some(&source(&["sex"])), &parse);
    assert!(found.iter().all(|c| c.code == "unknown-column") && found.len() == 3, "{found:?}");
}

#[test]
fn of_many_syntax_errors_the_first_are_named() {
    let text = "1,2,3\n".repeat(1000);
    let found = complaints(&text);
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|c| c.code == "syntax"));
    assert!(found[9].remedy.as_deref().is_some_and(|remedy| remedy.contains("990 more")), "{found:?}");
}

#[test]
#[cfg(feature = "sql")]
fn expressions() {
    expect(CLEAN, "CASE WHEN age <", "CASE WHEN agge <", "unknown-column", "agge");
    expect(
        CLEAN,
        "age_band = \"CASE WHEN age < 40",
        "age_band = \"CASE WHEN LEAST(age, 1) < 40",
        "expression",
        "LEAST(age, 1",
    );
    expect(
        CLEAN,
        "age < 40",
        "sex < 40",
        "expression-type",
        "\"CASE WHEN sex < 40 THEN 'under 40' ELSE '40 and over' END\"",
    );
    expect(CLEAN, "null_values", "where = \"age + 1\"\nnull_values", "expression-type", "\"age + 1\"");
    expect(CLEAN, "null_values", "where = \"aeg > 1\"\nnull_values", "unknown-column", "aeg");
    expect(
        CLEAN,
        "CASE WHEN age <",
        "CASE WHEN age_band <",
        "derive-cycle",
        "\"CASE WHEN age_band < 40 THEN 'under 40' ELSE '40 and over' END\"",
    );
    expect(
        CLEAN,
        "'under 40' ELSE '40 and over'",
        "1 ELSE 2",
        "derived-kind",
        "\"CASE WHEN age < 40 THEN 1 ELSE 2 END\"",
    );
}

#[test]
fn gates() {
    expect(CLEAN, "\"selection-rate\"", "\"selection-rte\"", "unknown-metric", "\"selection-rte\"");
    expect(CLEAN, "\"selection-rate\"", "\"roc-auc\"", "metric-not-measured", "\"roc-auc\"");
    expect(
        CLEAN,
        "[[judge]]",
        "[measure]\nmetrics = [\"accuracy\"]\n[[judge]]",
        "metric-not-measured",
        "\"selection-rate\"",
    );
    expect(
        CLEAN,
        "[[judge]]",
        "[measure]\nmetrics = [\"selection-rate\", \"acuracy\"]\n[[judge]]",
        "unknown-metric",
        "\"acuracy\"",
    );
    expect(CLEAN, "against = \"worst-pair\"\n", "", "compare-without-against", "\"ratio\"");
    expect(CLEAN, "compare = \"ratio\"\n", "", "against-without-compare", "\"worst-pair\"");
    expect(CLEAN, "at_least = 0.8", "", "no-limit", "[[judge]]");
    expect(CLEAN, "at_least = 0.8", "at_least = 0.8\nat_most = 1.2", "two-limits", "0.8");
    expect(CLEAN, "at_least = 0.8", "at_least = nan", "bad-limit", "nan");
    expect(CLEAN, "compare = \"ratio\"\nagainst = \"worst-pair\"\nat_least = 0.8", "at_least = 80", "bad-limit", "80");
}

#[test]
fn gates_over_cohorts() {
    expect(CLEAN, "\"worst-pair\"", "\"reference\"", "no-reference", "\"reference\"");
    expect(CLEAN, "at_least = 0.8", "at_least = 0.8\nacross = []", "compare-with-nobody", "[]");
    expect(
        CLEAN,
        "at_least = 0.8",
        "at_least = 0.8\nacross = [\"sex\", \"age_band\"]",
        "across-not-measured",
        "[\"sex\", \"age_band\"]",
    );
    expect(CLEAN, "at_least = 0.8", "at_least = 0.8\nacross = [\"sx\"]", "unknown-column", "\"sx\"");
    expect(CLEAN, "[[judge]]", "[measure]\nacross = [[\"sex\"], [\"age\"]]\n[[judge]]", "not-protected", "\"age\"");
    expect(CLEAN, "[[judge]]", "[measure]\nacross = [[\"sex\"], [\"sex\"]]\n[[judge]]", "across-twice", "[\"sex\"]");
    expect(CLEAN, "[[judge]]", "[measure]\nacross = [[\"sex\"], []]\n[[judge]]", "empty-across", "[]");
    expect(TRAINED, "\"difference\"", "\"ratio\"", "ratio-of-signed", "\"ratio\"");
    forms_of_figures_of_two_cohorts();
    let judged = |compare: &str, against: &str, limit: &str| {
        CLEAN.replace("\"ratio\"", compare).replace("\"worst-pair\"", against).replace("at_least = 0.8", limit)
    };
    for (compare, against, limit, at) in [
        ("\"difference\"", "\"highest\"", "at_most = 0.1", "0.1"),
        ("\"difference\"", "\"worst-pair\"", "at_least = 0.0", "0.0"),
        ("\"ratio\"", "\"worst-pair\"", "at_most = 1.25", "1.25"),
        ("\"ratio\"", "\"highest\"", "at_most = 1.0", "1.0"),
    ] {
        let text = judged(compare, against, limit);
        expect(&text, "hiring", "hiring", "always-met", at);
    }
    for (compare, against, limit) in [
        ("\"difference\"", "\"highest\"", "at_least = -0.1"),
        ("\"difference\"", "\"worst-pair\"", "at_most = 0.1"),
        ("\"difference\"", "\"overall\"", "at_most = 0.1"),
        ("\"ratio\"", "\"reference\"", "at_most = 1.25\nacross = [\"sex\"]"),
    ] {
        assert_eq!(complaints(&judged(compare, against, limit)), [], "{compare} {against} {limit}");
    }
    let none = CLEAN.split("[[judge]]").next().unwrap();
    let found = complaints(none);
    assert_eq!((found[0].code, found[0].severity), ("no-criteria", Severity::Warning));
    assert!(found[0].remedy.as_deref().is_some_and(|remedy| remedy.contains("selection-rate")));
    let numeric = complaints(TRAINED.split("[[judge]]").next().unwrap());
    assert!(numeric.iter().any(|c| c.code == "no-criteria" && c.remedy.as_deref().unwrap().contains("mean-residual")));
}

/// A figure of two cohorts is judged in the forms in which it is measured.
fn forms_of_figures_of_two_cohorts() {
    let odds = CLEAN
        .replace("metric = \"selection-rate\"", "metric = \"equalized-odds\"")
        .replace("[[judge]]", "[measure]\nmetrics = [\"all\"]\n[[judge]]");
    assert_eq!(complaints(&odds).iter().filter(|of| of.severity == Severity::Error).count(), 0, "{odds}");
    expect(&odds, "compare = \"ratio\"\nagainst = \"worst-pair\"\n", "", "form-not-measured", "\"equalized-odds\"");
    expect(&odds, "at_least = 0.8", "at_most = 1.0", "always-met", "1.0");
    let difference = odds.replace("\"ratio\"", "\"difference\"").replace("\"worst-pair\"", "\"overall\"");
    let highest = difference.replace("\"overall\"", "\"highest\"").replace("at_least = 0.8", "at_most = 0.1");
    assert_eq!(complaints(&highest).len(), 0, "a distance from the highest is not negative");
    expect(&difference, "at_least = 0.8", "at_least = 0.0", "always-met", "0.0");
    expect(&difference, "at_least = 0.8", "at_most = 8.0", "bad-limit", "8.0");
    let disparity = odds.replace("equalized-odds", "demographic-disparity");
    expect(&disparity, "judge", "judge", "form-not-measured", "\"ratio\"");
    let shares = odds.replace("equalized-odds", "share-of-selected");
    expect(&shares, "\"ratio\"", "\"difference\"", "form-not-measured", "\"difference\"");
    let imbalance = odds.replace("equalized-odds", "class-imbalance");
    expect(&imbalance, "judge", "judge", "form-not-measured", "\"ratio\"");
}

#[test]
fn waivers() {
    let waived = |waiver: &str| CLEAN.replace("at_least = 0.8", &format!("at_least = 0.8\nwaive = [{waiver}]"));
    let clean = waived("{ cohort = { sex = \"f\" }, reason = \"board, 2026-03\", until = \"2027-06-30\" }");
    assert_eq!(complaints(&clean), []);
    expect(&clean, "board, 2026-03", " ", "waiver-without-reason", "\" \"");
    expect(&clean, "2027-06-30", "June 2027", "waiver-date", "\"June 2027\"");
    expect(&clean, "2027-06-30", "2027-02-30", "waiver-date", "\"2027-02-30\"");
    expect(&clean, "\"f\" }", "\"female\" }", "unknown-level", "\"female\"");
    expect(&clean, "{ sex =", "{ sx =", "unknown-column", "sx");
    expect(&clean, "{ sex = \"f\" }", "{ age = \"20\" }", "not-protected", "age");
}

#[test]
fn secrets_are_named_and_not_repeated() {
    for (written, at) in [
        ("smtp_password = \"hunter2 hunter2\"", "\"hunter2 hunter2\""),
        ("owner = \"ghp_0123456789abcdefghij\"", "\"ghp_0123456789abcdefghij\""),
        ("purpose = \"postgres://user:hunter2@host/db\"", "\"postgres://user:hunter2@host/db\""),
    ] {
        let text = CLEAN.replace("name = \"hiring\"", &format!("name = \"hiring\"\n{written}"));
        expect(&text, "hiring", "hiring", "literal-secret", at);
        let found = complaints(&text);
        assert!(!format!("{}{:?}", found[0].message, found[0].remedy).contains("hunter2"), "{found:?}");
    }
}

#[test]
fn all_complaints_come_at_once_and_none_because_of_another() {
    let text = CLEAN
        .replace("name = \"hiring\"", "name = 1")
        .replace("levels = [\"f\", \"m\"]", "levls = [\"f\", \"m\"]")
        .replace("positive = \"yes\"", "positive = true")
        .replace("[16, 90]", "[90, 16]")
        .replace("at_least", "at_leest");
    let found = complaints(&text);
    assert_eq!(
        found.iter().map(|c| c.code).collect::<Vec<_>>(),
        ["wrong-type", "unknown-key", "bad-bounds", "wrong-type", "unknown-key"],
        "{found:#?}"
    );
}

#[test]
fn a_policy_adds_criteria_and_is_complained_about_by_its_name() {
    let policy = "[[judge]]\nmetric = \"accuracy\"\nat_least = 0.7\n[report]\ntitle = \"Fair hiring\"\n";
    let (spec, found) = check(("hiring.toml", CLEAN), Some(("policy.toml", policy)), None, &parse);
    assert_eq!(found, []);
    let spec = spec.unwrap();
    assert_eq!(
        (spec.judge.len(), spec.judge[1].metric.as_str(), spec.report.title.as_deref()),
        (2, "accuracy", Some("Fair hiring"))
    );
    let wrong = policy.replace("accuracy", "acuracy").replace("[report]", "[ingest]\npath = \"a\"\n[report]");
    let (spec, found) = check(("hiring.toml", CLEAN), Some(("policy.toml", &wrong)), None, &parse);
    assert!(spec.is_none());
    let shown: Vec<(&str, &str, &str)> =
        found.iter().map(|c| (c.file.as_str(), c.code, &wrong[c.at.clone()])).collect();
    assert_eq!(shown, [("policy.toml", "unknown-metric", "\"acuracy\""), ("policy.toml", "unknown-key", "ingest")]);
    let nested = check(("hiring.toml", CLEAN), Some(("policy.toml", "policy = \"more.toml\"")), None, &parse).1;
    assert!(nested[0].message.contains("no policy of its own"));
    assert_eq!(policy_of("policy = \"policy.toml\"\n[pipeline]"), Some(("policy.toml".into(), 9..22)));
}

/// A pipeline that writes a de-identified dataset, without a complaint.
fn deidentified(profile: &str, columns: &str) -> String {
    let schema = "[schema.name]\nroles = [\"identifier\"]\n[schema.zip]\nroles = [\"quasi-identifier\"]\n[schema.visit]\n[schema.note]\n[schema.gone]\nroles = [\"ignored\"]\n[schema.sex]";
    let section = format!("[deidentify]\n{profile}output = \"out.csv\"\n[deidentify.columns]\n{columns}\n[[judge]]");
    CLEAN.replace("[schema.sex]", schema).replace("[[judge]]", &section)
}

#[test]
fn deidentification() {
    let key = "key_env = \"K\"";
    let all = format!(
        "name = {{ do = \"pseudonym\", {key} }}\nzip = {{ do = \"generalise\", digits = 3 }}\nage = {{ do = \"top-code\", at = 90 }}\n\
         visit = {{ do = \"date-shift\", days_max = 9, unit = \"name\", {key} }}\nnote = {{ do = \"mask\", keep_last = 2 }}\nsex = {{ do = \"keep\" }}\n\
         gone = {{ do = \"drop\" }}"
    );
    let clean = deidentified("", &all);
    assert_eq!(complaints(&clean), []);
    let swap = |from: &str, to: &str, code: &str, at: &str| expect(&clean, from, to, code, at);
    swap("output = \"out.csv\"", "output = \"a/out.csv\"", "bad-output", "\"a/out.csv\"");
    swap("output = \"out.csv\"", "output = \"out.xlsx\"", "bad-output", "\"out.xlsx\"");
    swap("\nnote = {", "\nnite = {", "unknown-column", "nite");
    swap("do = \"mask\"", "do = \"maks\"", "unknown-value", "\"maks\"");
    swap("gone = { do = \"drop\" }", "gone = { do = \"redact\" }", "ignored-column", "gone");
    swap("unit = \"name\"", "unit = \"nobody\"", "unknown-column", "\"nobody\"");
    swap("digits = 3", "digits = 0", "bad-parameter", "0");
    swap(", at = 90", "", "missing-parameter", "age");
    swap("keep_last = 2", "keep_last = 2, at = 3", "unused-parameter", "3");
    swap("keep_last = 2", "keep_last = 2, pattern = \"*#\"", "unused-parameter", "2");
    swap("digits = 3", "digits = 3, date = \"year\"", "too-many-parameters", "\"year\"");
    swap("digits = 3", "digits = 3, level = 2", "unused-parameter", "2");
    swap("digits = 3", "digits = 3, restricted = [\"36\"]", "bad-parameter", "[\"36\"]");
    swap("days_max = 9", "days_max = 0", "bad-parameter", "0");
    swap("do = \"top-code\", at = 90", "do = \"mask\"", "wrong-kind", "\"mask\"");
    swap("do = \"mask\", keep_last = 2", "do = \"round\", to = 5", "wrong-kind", "\"round\"");
    let kept = complaints(&clean.replace(&format!("do = \"pseudonym\", {key}"), "do = \"keep\""));
    assert_eq!((kept.len(), kept[0].code, kept[0].severity), (1, "identifier-shown", Severity::Warning));
    let none = deidentified("", "sex = { do = \"drop\" }");
    assert_eq!(complaints(&none)[0].code, "nothing-left");
}

#[test]
fn models_of_classes() {
    let columns = "age = { do = \"model\", widths = [5, 10] }\nzip = { do = \"model\", prefixes = [3, 2] }\nvisit = { do = \"model\", dates = [\"month\", \"year\"] }\nsex = { do = \"keep\" }";
    let model =
        "[deidentify.model]\nsensitive = \"sex\"\nk_anonymity = 5\ndistinct_diversity = 2\nsuppression_max = 0.1\n";
    let clean = deidentified("", columns).replace("[deidentify.columns]", &format!("{model}[deidentify.columns]"));
    assert_eq!(complaints(&clean), []);
    let swap = |from: &str, to: &str, code: &str, at: &str| expect(&clean, from, to, code, at);
    swap("k_anonymity = 5", "k_anonymity = 0", "bad-parameter", "0");
    swap("k_anonymity = 5", "k_anonymity = 1", "no-criterion", "1");
    swap("suppression_max = 0.1", "suppression_max = 1.5", "bad-parameter", "1.5");
    swap("suppression_max = 0.1", "closeness = 2.0", "bad-parameter", "2.0");
    swap("suppression_max = 0.1", "recursive_diversity = [3.0, 1]", "bad-parameter", "[3.0, 1]");
    swap("suppression_max = 0.1", "risk_at = [5]", "bad-parameter", "[5]");
    swap("suppression_max = 0.1", "k = 5", "unknown-key", "k");
    swap("suppression_max = 0.1", "search = \"lattices\"", "unknown-value", "\"lattices\"");
    swap("sensitive = \"sex\"", "sensitive = \"sax\"", "unknown-column", "\"sax\"");
    swap("sensitive = \"sex\"\n", "", "no-sensitive", "2");
    swap("widths = [5, 10]", "widths = [5, 12]", "bad-parameter", "[5, 12]");
    swap("widths = [5, 10]", "widths = [0]", "bad-parameter", "[0]");
    swap("prefixes = [3, 2]", "prefixes = [2, 3]", "bad-parameter", "[2, 3]");
    swap("prefixes = [3, 2]", "prefixes = [3], hierarchy = \"z.csv\"", "too-many-parameters", "[3]");
    swap("prefixes = [3, 2]", "widths = [3]", "wrong-kind", "\"model\"");
    swap("[\"month\", \"year\"]", "[\"year\", \"month\"]", "bad-parameter", "[\"year\", \"month\"]");
    let codes = |text: &str| complaints(text).iter().map(|of| of.code).collect::<Vec<_>>();
    assert_eq!(codes(&deidentified("", columns)), ["no-model"]);
    let kept = deidentified("", "sex = { do = \"keep\" }");
    let kept = kept.replace("[deidentify.columns]", &format!("{model}[deidentify.columns]"));
    assert_eq!(codes(&kept), ["no-model-column"]);
    let nothing = clean.replace("k_anonymity = 5\ndistinct_diversity = 2\n", "").replace("sensitive = \"sex\"\n", "");
    assert_eq!(codes(&nothing), ["no-criterion"]);
    let both = clean.replace("sex = { do = \"keep\" }", "sex = { do = \"model\" }");
    assert_eq!(codes(&both), ["sensitive-coarsened"]);
    let age = clean.replace("sensitive = \"sex\"", "sensitive = \"age\"");
    assert_eq!(codes(&age), ["wrong-kind", "sensitive-coarsened"]);
    let regions = clean.replace("suppression_max = 0.1", "search = \"mondrian\"");
    assert_eq!(codes(&regions), ["unused-parameter", "no-domain", "unused-parameter", "no-domain", "unused-parameter"]);
    let columns = "age = { do = \"model\", widths = [5] }\nsex = { do = \"model\" }";
    let regions = deidentified("", columns).replace(
        "[deidentify.columns]",
        "[deidentify.model]\nk_anonymity = 5\nsearch = \"mondrian\"\n[deidentify.columns]",
    );
    assert_eq!(codes(&regions), [""; 0]);
    assert_eq!(
        codes(&regions.replace("k_anonymity = 5", "k_anonymity = 5\nsuppression_max = 0.1")),
        ["unused-parameter"]
    );
    let beside = |column: &str| codes(&regions.replace("sex = { do = \"model\" }", column));
    assert_eq!(beside("zip = { do = \"keep\" }"), ["beside-the-model"], "a quasi-identifier");
    assert_eq!(beside("zip = { do = \"redact\" }"), [""; 0]);
    // Without expressions nobody knows what is computed from what.
    let found: &[&str] = if cfg!(feature = "sql") { &["beside-the-model"] } else { &[] };
    assert_eq!(beside("age_band = { do = \"keep\" }"), found, "computed from the age");
    let copy = regions
        .replace("age = { do = \"model\", widths = [5] }", "age_band = { do = \"model\" }\nage = { do = \"keep\" }");
    assert_eq!(codes(&copy), found, "what the band is computed from");
    assert_eq!(codes(&regions.replace(", widths = [5]", "")), ["missing-parameter"]);
    assert_eq!(codes(&regions.replace("bounds = [16, 90]", "as = \"number\"")), ["no-domain"]);
    assert_eq!(codes(&regions.replace("roles = [\"identifier\"]", "roles = [\"privacy-unit\"]")), ["rows-not-people"]);
    let ill = regions
        .replace("sex = { do = \"model\" }", "sex = { do = \"mask\" }")
        .replace("k_anonymity", "sensitive = \"sex\"\ndistinct_diversity");
    assert_eq!(codes(&ill), ["sensitive-transformed"]);
}

#[test]
fn randomised_columns() {
    let clean = deidentified(
        "",
        "age = { do = \"randomise\", epsilon = 1.0, to = 5 }\nsex = { do = \"randomise\", epsilon = 0.5 }",
    );
    assert_eq!(complaints(&clean), []);
    let swap = |from: &str, to: &str, code: &str, at: &str| expect(&clean, from, to, code, at);
    swap("epsilon = 1.0", "epsilon = 0", "bad-parameter", "0");
    swap("epsilon = 1.0", "epsilon = 41", "bad-parameter", "41");
    swap("epsilon = 1.0", "epsilon = 8.0", "weak-epsilon", "8.0");
    swap(", to = 5", "", "missing-parameter", "age");
    swap("to = 5", "to = 500", "bad-parameter", "500");
    swap("epsilon = 0.5", "epsilon = 0.5, to = 1", "unused-parameter", "1");
    swap(", epsilon = 0.5", "", "missing-parameter", "sex");
    swap("sex = { do", "zip = { do", "no-domain", "zip");
}

#[test]
fn grouped_columns() {
    let clean = deidentified("", "age = { do = \"microaggregate\", k = 5 }\nsex = { do = \"keep\" }");
    assert_eq!(complaints(&clean), []);
    let swap = |from: &str, to: &str, code: &str, at: &str| expect(&clean, from, to, code, at);
    swap("k = 5", "k = 1", "bad-parameter", "1");
    swap(", k = 5", "", "missing-parameter", "age");
    swap("sex = { do = \"keep\" }", "sex = { do = \"microaggregate\", k = 5 }", "wrong-kind", "\"microaggregate\"");
    let model = "[deidentify.model]\nk_anonymity = 5\n[deidentify.columns]";
    let both = clean.replace("[deidentify.columns]", model).replace("do = \"keep\"", "do = \"model\"");
    assert_eq!(complaints(&both)[0].code, "grouped-with-model");
}

/// What the rules of a profile forbid or demand, one at a time.
#[test]
fn profiles() {
    let found = |profile: &str, columns: &str| {
        let complaints = complaints(&deidentified(&format!("profile = \"{profile}\"\n"), columns));
        complaints.iter().map(|c| (c.code, c.severity)).collect::<Vec<_>>()
    };
    let error = |code| vec![(code, Severity::Error)];
    let warning = |code| vec![(code, Severity::Warning)];
    let (key, table) = ("key_env = \"K\"", "table_file = \"t.age\", passphrase_env = \"P\"");
    let hipaa = |columns: &str| found("hipaa-safe-harbor", columns);
    assert_eq!(hipaa(&format!("name = {{ do = \"token\", {table} }}")), []);
    assert_eq!(hipaa(&format!("name = {{ do = \"pseudonym\", {key} }}")), error("derived-code"));
    assert_eq!(
        hipaa(&format!("name = {{ do = \"format-preserving\", alphabet = \"ab\", {key} }}")),
        error("derived-code")
    );
    assert_eq!(hipaa("name = { do = \"mask\", keep_last = 4 }"), error("identifier-shown"));
    assert_eq!(hipaa("name = { do = \"mask\" }"), []);
    let shift = format!("visit = {{ do = \"date-shift\", days_max = 9, unit = \"name\", {key} }}");
    assert_eq!(hipaa(&shift), error("date-below-year"));
    assert_eq!(hipaa("visit = { do = \"generalise\", date = \"month\" }"), error("date-below-year"));
    assert_eq!(hipaa("visit = { do = \"generalise\", date = \"year\" }"), []);
    assert_eq!(hipaa("zip = { do = \"generalise\", digits = 4 }"), error("place-too-small"));
    assert_eq!(hipaa("zip = { do = \"generalise\", digits = 3 }"), error("restricted-missing"));
    assert_eq!(hipaa("zip = { do = \"generalise\", digits = 3, restricted = [\"036\"] }"), []);
    assert_eq!(hipaa("zip = { do = \"keep\" }"), warning("looks-identifying"));
    assert_eq!(hipaa("age = { do = \"top-code\", at = 95 }"), error("age-too-high"));
    assert_eq!(hipaa("age = { do = \"top-code\", at = 90 }"), []);
    let gdpr = |columns: &str| found("gdpr-pseudonymisation", columns);
    assert_eq!(gdpr(&format!("name = {{ do = \"pseudonym\", {key} }}")), error("domain-missing"));
    assert_eq!(gdpr(&format!("name = {{ do = \"pseudonym\", domain = \"p\", {key} }}")), []);
    assert_eq!(
        gdpr("name = { do = \"pseudonym\", domain = \"p\", key_file = \"../reports/key\" }"),
        error("not-kept-apart")
    );
    assert_eq!(gdpr("name = { do = \"keep\" }"), error("identifier-shown"));
    assert_eq!(found("gb-t-37964", "zip = { do = \"keep\" }"), warning("quasi-identifier-kept"));
    assert_eq!(found("gb-t-37964", "name = { do = \"mask\", keep_first = 1 }"), warning("identifier-shown"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", toml in "([a-z\\[\\]\"'=,.{}\n0-9 -]|judge|schema|roles|\\[\\[judge\\]\\]\n|metric = |levels = ){0,60}") {
        for text in [text, toml] {
            for complaint in check(("f", &text), Some(("p", &text)), None, &parse).1 {
                prop_assert!(text.get(complaint.at.clone()).is_some(), "{complaint:?}");
            }
        }
    }

    /// Any value in any place of a clean file: a complaint or none, each inside the file.
    #[test]
    fn no_change_panics(at in 0..CLEAN.len(), end in 0..40usize, value in "(nan|-1|\"\"|\\[\\]|\\{\\}|true|1979-05-27|'x'|\\[\\[1\\]\\]|)") {
        let mut text = CLEAN.to_string();
        text.replace_range(at..(at + end).min(CLEAN.len()), &value);
        for complaint in check(("f", &text), None, None, &parse).1 {
            prop_assert!(text.get(complaint.at.clone()).is_some(), "{complaint:?}");
        }
    }
}

/// Columns of every kind, in every combination that can be written down.
fn any_column() -> impl Strategy<Value = ColumnSpec> {
    let roles = prop::collection::btree_set(prop::sample::select(Role::ALL.to_vec()), 0..3);
    let levels = prop::option::of(Just(vec!["0".to_string(), "1".to_string()]));
    let bounds = prop::option::of(Just([0.0, 1.0]));
    let read_as = prop::option::of(prop::sample::select(vec![ReadAs::Text, ReadAs::Number, ReadAs::Truth]));
    let missing = prop::option::of(prop::sample::select(vec![Missing::Drop, Missing::Impute]));
    let word = || prop::option::of(prop::sample::select(vec!["0".to_string(), "1".to_string(), "x".to_string()]));
    (roles, levels, bounds, read_as, missing, word(), word()).prop_map(
        |(roles, levels, bounds, read_as, missing, positive, reference)| {
            let roles = roles.into_iter().collect();
            ColumnSpec {
                roles,
                levels,
                bounds,
                read_as,
                positive,
                reference,
                missing,
                null_share_max: None,
                outside_share_max: None,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A plan follows from whatever the check lets through.
    #[test]
    fn what_is_checked_can_be_planned(columns in prop::collection::vec(any_column(), 1..5), model in prop::option::of(prop::sample::select(vec!["linear", "logistic"])), protected in any::<bool>()) {
        let mut spec: Spec = toml::from_str("[pipeline]\nname = \"x\"\n[ingest]\npath = \"x.csv\"\n[schema]\n").unwrap();
        spec.schema = columns.into_iter().enumerate().map(|(i, column)| (format!("c{i}"), column)).collect();
        let train = format!("model = \"{}\"\nprotected_features = {protected}", model.unwrap_or_default());
        spec.train = model.map(|_| toml::from_str(&train).unwrap());
        let text = toml::to_string(&spec).unwrap();
        let (checked, complaints) = check(("f", &text), None, None, &parse);
        prop_assert_eq!(checked.is_none(), complaints.iter().any(|complaint| complaint.severity == Severity::Error));
        if let Some(checked) = checked {
            prop_assert_eq!(&checked, &spec);
            let (stand_in, _) = crate::plan::describe::unlearned(&spec);
            let source = crate::scan::Source { paths: vec!["x.csv".into()], format: crate::plan::spec::Format::Csv, delimiter: b',', decimal: '.', null_values: vec![], hive: false };
            let plan = crate::plan::Plan::of(&spec, "", source, &|_| Err("none".into()), &stand_in);
            prop_assert!(plan.is_ok(), "{:?}\n{text}", plan.err());
        }
    }
}

#[test]
fn deep_files_end() {
    for text in [
        format!("a = {}", "[".repeat(50_000)),
        format!("a = {}{}", "[".repeat(500), "]".repeat(500)),
        format!("{} = 1", vec!["a"; 20_000].join(".")),
    ] {
        assert!(!complaints(&text).is_empty());
    }
}

#[test]
fn outcomes_of_the_same_classes_need_no_positive_value() {
    let classes = CLEAN
        .replace("positive = \"yes\"\nlevels = [\"no\", \"yes\"]", "levels = [\"no\", \"later\", \"yes\"]")
        .replace("as = \"truth\"", "levels = [\"yes\", \"no\", \"later\"]");
    let codes = |text: &str| complaints(text).into_iter().map(|complaint| complaint.code).collect::<Vec<_>>();
    assert_eq!(codes(&classes), ["metric-not-measured"], "rates of a decision are not measured");
    let classes = classes.replace("[[judge]]\nmetric = \"selection-rate\"", "[[judge]]\nmetric = \"representation\"");
    let classes = classes.replace("compare = \"ratio\"\nagainst = \"worst-pair\"\n", "");
    let classes = classes.replace("[[judge]]", "[measure]\nmetrics = [\"representation\"]\n[[judge]]");
    assert_eq!(codes(&classes), Vec::<&str>::new());
    let other = classes.replace("[\"yes\", \"no\", \"later\"]", "[\"yes\", \"no\", \"never\"]");
    assert_eq!(codes(&other), ["missing-positive", "missing-positive"]);
    let two = classes.replace("\"later\", ", "").replace(", \"later\"", "");
    assert_eq!(codes(&two), ["missing-positive", "missing-positive"]);
}
