//! `[measure.inferred.NAME]`: names and columns of probabilities.

use crate::plan::check::{Checker, Part, Severity, quoted};
use crate::plan::read_as;
use crate::plan::spec::{Inferred, ReadAs};

pub(super) fn check(checker: &mut Checker) {
    let spec = checker.spec;
    for (name, of) in &spec.measure.inferred {
        let section = ["measure", "inferred", name];
        let key = |key: &'static str| ["measure", "inferred", name, key];
        if spec.privacy.is_some() {
            let message = "probabilities of cohorts have no noisy form";
            let remedy = "take the section out, or the section [privacy]";
            checker.complain(
                Severity::Error,
                "inferred-privacy",
                &section,
                Part::Key,
                message.into(),
                Some(remedy.into()),
            );
        }
        if spec.schema.contains_key(name) || spec.derive.contains_key(name) {
            let message =
                format!("{name} is the name of a column too: what is stated and what is inferred must not be mixed up");
            let remedy = format!("write for example [measure.inferred.{}]", quoted(&format!("{name}_inferred")));
            checker.complain(Severity::Error, "inferred-name", &section, Part::Key, message, Some(remedy));
        }
        columns(checker, name, of);
        if let Some(reference) = of.reference.as_ref().filter(|level| !of.columns.contains_key(*level)) {
            let message = format!("{reference:?} is no level of columns");
            checker.error("unknown-level", &key("reference"), message, "name one of the levels of columns");
        }
        if !(0.0..=1.0).contains(&of.sum_wrong_share_max) {
            checker.error("bad-share", &key("sum_wrong_share_max"), "a share is within 0 and 1", "leave it out for 0");
        }
    }
}

/// Most levels: each is a table of its own.
const LEVELS_MAX: usize = 50;

fn columns(checker: &mut Checker, name: &str, of: &Inferred) {
    let spec = checker.spec;
    let path = ["measure", "inferred", name, "columns"];
    if !(2..=LEVELS_MAX).contains(&of.columns.len()) {
        let message = format!("there are {} levels; between 2 and {LEVELS_MAX} can be compared", of.columns.len());
        let remedy = "write columns = { Level = \"column\", Other = \"column\" }";
        checker.error("inferred-levels", &path, message, remedy);
    }
    let mut seen = Vec::new();
    for (level, column) in &of.columns {
        let path = ["measure", "inferred", name, "columns", level];
        if seen.contains(&column) {
            checker.error(
                "column-twice",
                &path,
                format!("{column} stands for two levels"),
                "name a column for each level",
            );
        }
        seen.push(column);
        match spec.schema.get(column) {
            None if spec.derive.contains_key(column) => {}
            None => checker.unknown_column(&path, Part::Value, column),
            Some(written) if spec.derive.contains_key(column) || read_as(written) == ReadAs::Number => {}
            Some(_) => {
                let remedy = format!("write as = \"number\" under [schema.{}]", quoted(column));
                checker.error(
                    "not-a-number",
                    &path,
                    format!("{column} is read as text and a probability is a number"),
                    remedy,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::check::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    const CLEAN: &str = r#"
[pipeline]
name = "x"
[ingest]
path = "x.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.p_white]
bounds = [0, 1]
[schema.p_black]
as = "number"
[schema.note]
[schema.hired]
roles = ["prediction"]
positive = "yes"
[measure.inferred.race]
columns = { White = "p_white", Black = "p_black" }
reference = "White"
[[judge]]
metric = "selection-rate"
compare = "ratio"
against = "reference"
across = ["race"]
at_least = 0.8
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("x.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect(from: &str, to: &str, code: &str) {
        assert!(CLEAN.contains(from), "{from}");
        let found = complaints(&CLEAN.replacen(from, to, 1));
        assert_eq!(found.iter().map(|c| c.code).collect::<Vec<_>>(), [code], "{found:?}");
        assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
    }

    #[test]
    fn each_complaint_has_a_code() {
        assert_eq!(complaints(CLEAN), []);
        expect("\"p_black\" }", "\"p_blakc\" }", "unknown-column");
        expect("\"p_black\" }", "\"note\" }", "not-a-number");
        expect("\"p_black\" }", "\"p_white\" }", "column-twice");
        expect(", Black = \"p_black\" }", " }", "inferred-levels");
        expect("reference = \"White\"", "reference = \"Wight\"", "unknown-level");
        expect("reference = \"White\"", "", "no-reference");
        expect("reference = \"White\"", "reference = \"White\"\nsum_wrong_share_max = 1.5", "bad-share");
        expect("[schema.note]", "[schema.race]", "inferred-name");
    }
}
