//! `[measure.ranking]`: a score to rank by, and sizes of the top.

use crate::plan::check::Checker;
use crate::plan::spec::ModelKind;
use crate::schema::Role;

/// Most sizes of the top.
const TOPS_MAX: usize = 10;

pub(super) fn check(checker: &mut Checker) {
    let spec = checker.spec;
    let Some(ranking) = &spec.measure.ranking else { return };
    if spec.privacy.is_some() {
        let message = "a place in a list depends on the other rows: it has no form with noise";
        return checker.error(
            "not-private",
            &["measure", "ranking"],
            message,
            "leave out [measure.ranking] or [privacy]",
        );
    }
    let logistic = spec.train.as_ref().is_some_and(|train| train.model == ModelKind::Logistic);
    if !logistic && !spec.schema.values().any(|column| column.roles.contains(&Role::Score)) {
        let message = "there is no score to rank by";
        let remedy = "give a column the role \"score\", train a logistic model, or leave the section out";
        checker.error("no-score", &["measure", "ranking"], message, remedy);
    }
    if ranking.top.is_empty() || ranking.top.len() > TOPS_MAX {
        let message = format!("name between 1 and {TOPS_MAX} sizes of the top");
        checker.error("bad-top", &["measure", "ranking", "top"], message, "leave it out for the upper tenth");
    }
    for (i, top) in ranking.top.iter().enumerate() {
        let whole = *top >= 1.0 && *top <= 1e15 && top.fract() == 0.0;
        if !(whole || (*top > 0.0 && *top < 1.0)) {
            let message = format!("{top} is neither a share of the rows nor a number of them");
            let remedy = "write a number above 0 and below 1, or a whole number";
            checker.error("bad-top", &["measure", "ranking", "top", &i.to_string()], message, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    const CLEAN: &str = r#"
[pipeline]
name = "list"
[ingest]
path = "list.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.merit]
roles = ["score"]
[measure]
metrics = ["selection-at-k", "exposure"]
[measure.ranking]
top = [10, 0.25]
[[judge]]
metric = "exposure"
compare = "ratio"
against = "worst-pair"
at_least = 0.8
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("list.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect((from, to): (&str, &str), code: &str) {
        assert!(CLEAN.contains(from), "{from}");
        let found = complaints(&CLEAN.replacen(from, to, 1));
        let codes: Vec<&str> = found.iter().map(|complaint| complaint.code).collect();
        assert!(codes.contains(&code), "{found:?}");
        assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
    }

    #[test]
    fn each_complaint_has_its_code() {
        assert_eq!(complaints(CLEAN), []);
        expect(("[10, 0.25]", "[]"), "bad-top");
        expect(("[10, 0.25]", "[10.5]"), "bad-top");
        expect(("[10, 0.25]", "[0]"), "bad-top");
        expect(("[10, 0.25]", "[-1]"), "bad-top");
        expect(("\"score\"", "\"feature\""), "no-score");
        expect(("[[judge]]", "[privacy]\npopulation = \"people\"\nepsilon = 1\n[[judge]]"), "not-private");
    }
}
