//! `[measure.data]`: shares of a population for protected columns, whole and summing to 1; what is judged can be measured.

use std::collections::BTreeMap;

use crate::plan::check::{Checker, Part, quoted};
use crate::schema::Role;

/// How far the shares of a column may be from 1 in sum.
const SUM_TOLERANCE: f64 = 1e-6;

pub(super) fn check(checker: &mut Checker) {
    judged(checker);
    let spec = checker.spec;
    let Some(data) = &spec.measure.data else { return };
    if spec.privacy.is_some() {
        let message = "these figures are made of statistics that are not released with noise";
        return checker.error("not-private", &["measure", "data"], message, "leave out [measure.data] or [privacy]");
    }
    data.reference.iter().for_each(|(name, shares)| reference(checker, name, shares));
    if data.product_of_margins && data.reference.len() < 2 {
        let message = "a product of shares needs the shares of two protected columns or more";
        let remedy = "give the shares of another column, or leave product_of_margins out";
        checker.error("no-margins", &["measure", "data", "product_of_margins"], message, remedy);
    }
}

fn reference(checker: &mut Checker, name: &str, shares: &BTreeMap<String, f64>) {
    let path = ["measure", "data", "reference", name];
    if !checker.knows(name) {
        return checker.unknown_column(&path, Part::Key, name);
    }
    let column = checker.spec.schema.get(name);
    if column.is_none_or(|column| !column.roles.contains(&Role::Protected)) {
        let message = format!("{name} is no protected column: its levels are no cohorts");
        let remedy = format!("add the role \"protected\" to [schema.{}], or leave the shares out", quoted(name));
        return checker.error("not-protected", &path, message, remedy);
    }
    for (level, share) in shares {
        let path = [&path[..], &[level.as_str()]].concat();
        checker.unknown_level(&path, name, level);
        if !(share.is_finite() && *share > 0.0 && *share <= 1.0) {
            let message = format!("{share} is no share of a population");
            checker.error("bad-share", &path, message, "write a number above 0 and at most 1");
        }
    }
    let levels = column.and_then(|column| column.levels.as_ref());
    let left_out: Vec<&String> =
        levels.into_iter().flatten().filter(|level| !shares.contains_key(level.as_str())).collect();
    if let Some(first) = left_out.first() {
        let message = format!("{} of {name}'s levels have no share, {first:?} among them", left_out.len());
        return checker.error("incomplete-shares", &path, message, "give every level a share");
    }
    let sum: f64 = shares.values().sum();
    if shares.values().all(|share| share.is_finite()) && (sum - 1.0).abs() > SUM_TOLERANCE {
        let message = format!("the shares sum to {sum}");
        checker.error("shares-do-not-sum", &path, message, "make them sum to 1");
    }
}

/// Criteria of representation: of values, and with something to be compared with.
fn judged(checker: &mut Checker) {
    let spec = checker.spec;
    for (i, criterion) in spec.judge.iter().enumerate() {
        let i = i.to_string();
        if !crate::metric::DATA.iter().any(|card| card.id == criterion.metric) {
            continue;
        }
        if criterion.compare.is_some() {
            let message = "shares of the rows are not compared with one another";
            checker.error("no-comparison", &["judge", &i, "compare"], message, "leave compare and against out");
        }
        let references = spec.measure.data.as_ref().is_some_and(|data| !data.reference.is_empty());
        if criterion.metric == "representation-ratio" && !references {
            let message = "there are no shares of a population to compare with";
            let remedy = "write them under [measure.data.reference]";
            checker.error("no-reference-shares", &["judge", &i, "metric"], message, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    const CLEAN: &str = r#"
[pipeline]
name = "shares"
[ingest]
path = "shares.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.race]
roles = ["protected"]
levels = ["a", "b"]
[schema.age]
roles = ["feature"]
bounds = [16, 90]
[schema.paid]
roles = ["target"]
levels = ["no", "yes"]
positive = "yes"
[measure]
metrics = ["representation-ratio"]
[measure.data]
product_of_margins = true
[measure.data.reference]
sex = { f = 0.51, m = 0.49 }
race = { a = 0.6, b = 0.4 }
[[judge]]
metric = "representation-ratio"
at_least = 0.8
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("shares.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect((from, to): (&str, &str), code: &str, at: &str) {
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
        expect(("sex = {", "sexes = {"), "unknown-column", "sexes");
        expect(("sex = { f = 0.51, m = 0.49 }", "age = { f = 0.51, m = 0.49 }"), "not-protected", "age");
        expect(("f = 0.51, m = 0.49", "f = 0.51, m = 0.5"), "shares-do-not-sum", "sex");
        expect(("f = 0.51, m = 0.49", "f = 1.0"), "incomplete-shares", "sex");
        expect(("f = 0.51, m = 0.49", "f = 0.51, m = 0.4, x = 0.09"), "unknown-level", "0.09");
        expect(("f = 0.51, m = 0.49", "f = 1.0, m = 0.0"), "bad-share", "0.0");
        expect(
            ("at_least = 0.8", "compare = \"difference\"\nagainst = \"overall\"\nat_least = 0.8"),
            "no-comparison",
            "\"difference\"",
        );
        expect(("sex = { f = 0.51, m = 0.49 }\n", ""), "no-margins", "true");
        let nothing = "[measure.data.reference]\nsex = { f = 0.51, m = 0.49 }\nrace = { a = 0.6, b = 0.4 }\n";
        let text = CLEAN.replace(nothing, "").replace("product_of_margins = true", "");
        let found: Vec<&str> = complaints(&text).iter().map(|complaint| complaint.code).collect();
        assert_eq!(found, ["no-reference-shares"]);
    }

    #[test]
    fn under_differential_privacy_the_section_is_refused() {
        let text = CLEAN.replace("[[judge]]", "[privacy]\npopulation = \"people\"\nepsilon = 1\n[[judge]]");
        let found: Vec<&str> = complaints(&text).iter().map(|complaint| complaint.code).collect();
        assert!(found.contains(&"not-private"), "{found:?}");
    }
}
