//! `[attacks]`: something there to attack, so many rows, and a column whose level the model could give away.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Checker, Parse, Part, Severity};
use crate::plan::spec::{Attacks, ROWS_MAX, ROWS_MIN};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker, parse: Parse) {
    let Some(attacks) = &checker.spec.attacks else { return };
    let spec = checker.spec;
    if attacks.on_real_rows && spec.train.is_none() && spec.deidentify.is_none() {
        let message = "no model is trained here and no dataset is de-identified here: there is nothing to attack";
        let remedy = "add [train] or [deidentify], or leave [attacks] out";
        checker.error("nothing-to-attack", &["attacks", "on_real_rows"], message, remedy);
    }
    if !(ROWS_MIN..=ROWS_MAX).contains(&attacks.rows_max) {
        let message = "an attack holds between 1,000 and 200,000 rows in memory";
        checker.error("bad-rows-max", &["attacks", "rows_max"], message, "leave it out for 20,000");
    }
    if let Some(name) = &attacks.sensitive {
        sensitive(checker, attacks, name, parse);
    }
}

fn sensitive(checker: &mut Checker, attacks: &Attacks, name: &str, parse: Parse) {
    let path = ["attacks", "sensitive"];
    let spec = checker.spec;
    if !attacks.on_real_rows {
        let message = "nothing is attacked, so its level is not guessed";
        checker.warning("unused-key", &path, message, "write on_real_rows = true, or leave it out");
    }
    let Some(column) = spec.schema.get(name) else {
        return checker.unknown_column(&path, Part::Value, name);
    };
    let Some(train) = &spec.train else {
        let message = "no model is trained here that could give its level away";
        return checker.error("no-model-to-attack", &path, message, "add [train], or leave sensitive out");
    };
    let has = |role| column.roles.contains(&role);
    if !has(Role::Feature) || (has(Role::Protected) && !train.protected_features) {
        let message = format!("{name} is no input of the model: the model gives nothing of it away");
        let remedy = match has(Role::Feature) {
            true => "write protected_features = true under [train], or name another column",
            false => "name a column with the role \"feature\"",
        };
        return checker.error("no-input", &path, message, remedy);
    }
    if column.levels.as_ref().is_none_or(|levels| levels.len() < 2) {
        let message = format!("{name} has no levels to guess among");
        let remedy = format!("declare two levels or more under [schema.{}]", super::quoted(name));
        return checker.error("no-levels", &path, message, remedy);
    }
    // What is wrong with an expression is said elsewhere.
    let reads = |text: &String| parse(text).map(|scalar| scalar.columns()).unwrap_or_default();
    let derived: Vec<(Arc<str>, BTreeSet<Arc<str>>)> =
        spec.derive.iter().map(|(name, text)| (Arc::from(name.as_str()), reads(text))).collect();
    for other in crate::plan::computed_from(name, &derived).iter().filter(|other| ***other != *name) {
        if spec.schema.get(&**other).is_some_and(|column| column.roles.contains(&Role::Feature)) {
            let message = format!("{other} is a feature computed from {name}: who knows the one knows of the other");
            let remedy = format!("take the role \"feature\" off {other}, or name another column");
            checker.complain(Severity::Error, "computed-feature", &path, Part::Value, message, Some(remedy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    /// A pipeline whose model is attacked, without a complaint.
    const CLEAN: &str = r#"
[pipeline]
name = "premium"
[ingest]
path = "premium.csv"
[derive]
zone = "region"
[schema.sex]
roles = ["protected", "feature"]
levels = ["f", "m"]
[schema.region]
roles = ["feature", "sensitive"]
levels = ["north", "south"]
[schema.zone]
roles = []
[schema.age]
roles = ["feature"]
bounds = [16, 90]
[schema.paid]
roles = ["target"]
bounds = [0, 1000]
[train]
model = "linear"
[attacks]
on_real_rows = true
rows_max = 5000
sensitive = "region"
[[judge]]
metric = "mean-residual"
compare = "difference"
against = "overall"
at_most = 10
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        // A derived column is the column its text names.
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("premium.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect(changes: &[(&str, &str)], code: &str, at: &str) {
        let mut text = CLEAN.to_string();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let found = complaints(&text);
        let shown: Vec<(&str, &str, &str)> =
            found.iter().map(|c| (c.code, &text[c.at.clone()], c.message.as_str())).collect();
        assert_eq!(shown.iter().map(|(code, at, _)| (*code, *at)).collect::<Vec<_>>(), [(code, at)], "{shown:?}");
        assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
    }

    #[test]
    fn each_complaint_points_at_its_words() {
        assert_eq!(complaints(CLEAN), []);
        assert_eq!(
            complaints(&CLEAN.replace("on_real_rows = true\nrows_max = 5000\nsensitive = \"region\"\n", "")),
            []
        );
        for rows in ["999", "200001", "0"] {
            expect(&[("5000", rows)], "bad-rows-max", rows);
        }
        let named = |name: &str| format!("sensitive = {name}");
        let from = "sensitive = \"region\"";
        expect(&[(from, &named("\"regoin\""))], "unknown-column", "\"regoin\"");
        expect(&[(from, &named("\"zone\""))], "no-input", "\"zone\"");
        expect(&[(from, &named("\"paid\""))], "no-input", "\"paid\"");
        expect(&[(from, &named("\"sex\""))], "no-input", "\"sex\"");
        let allowed =
            CLEAN.replace(from, &named("\"sex\"")).replace("\"linear\"", "\"linear\"\nprotected_features = true");
        assert_eq!(complaints(&allowed), []);
        expect(&[(from, &named("\"age\""))], "no-levels", "\"age\"");
        expect(&[("[\"north\", \"south\"]", "[\"north\"]")], "no-levels", "\"region\"");
        let feature = ("[schema.zone]\nroles = []", "[schema.zone]\nroles = [\"feature\"]\nlevels = [\"a\", \"b\"]");
        expect(&[feature], "computed-feature", "\"region\"");
        expect(&[("on_real_rows = true", "on_real_rows = false")], "unused-key", "\"region\"");
    }

    #[test]
    fn without_a_model_or_a_dataset_there_is_nothing_to_attack() {
        let given = CLEAN
            .replace("[train]\nmodel = \"linear\"\n", "")
            .replace("sensitive = \"region\"\n", "")
            .replace("[schema.age]", "[schema.guess]\nroles = [\"prediction\"]\nbounds = [0, 1000]\n[schema.age]");
        let found: Vec<&str> = complaints(&given).iter().map(|complaint| complaint.code).collect();
        assert_eq!(found, ["nothing-to-attack"]);
        let dataset = "[deidentify]\noutput = \"out.csv\"\n[deidentify.columns]\nregion = { do = \"keep\" }\n[attacks]";
        assert_eq!(complaints(&given.replace("[attacks]", dataset)), []);
        let named = given.replace("[attacks]", dataset).replace("rows_max", "sensitive = \"region\"\nrows_max");
        let found: Vec<&str> = complaints(&named).iter().map(|complaint| complaint.code).collect();
        assert_eq!(found, ["no-model-to-attack"]);
    }
}
