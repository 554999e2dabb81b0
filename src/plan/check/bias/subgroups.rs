//! `[measure.subgroups]`: the search for subgroups.

use crate::plan::check::{Checker, Part};
use crate::plan::spec::{DEPTH_MAX, Loss, SUBGROUP_COLUMNS_MAX, SUBGROUP_ROWS_MAX, SUBGROUP_ROWS_MIN, Subgroups};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker) {
    let Some(section) = &checker.spec.measure.subgroups else { return };
    let at = ["measure", "subgroups"];
    if checker.spec.privacy.is_some() {
        let message = "under differential privacy no rows are held and searched: which subgroup is worst says something about single rows";
        let remedy = "take the section out, and name the cohorts to compare in [measure] across";
        return checker.error("subgroups-read-rows", &at, message, remedy);
    }
    columns(checker, section);
    losses(checker, section);
    let path = |key: &'static str| ["measure", "subgroups", key];
    if !(SUBGROUP_ROWS_MIN..=SUBGROUP_ROWS_MAX).contains(&section.rows_max) {
        let message = "a search holds between 200 and 1,000,000 rows in memory";
        checker.error("bad-rows-max", &path("rows_max"), message, "leave it out for 100,000");
    }
    if !(1..=DEPTH_MAX).contains(&section.depth_max) {
        let message = format!("a subgroup has between 1 and {DEPTH_MAX} conditions");
        checker.error("bad-depth", &path("depth_max"), message, "leave it out for 3");
    }
    if section.rows_min.is_some_and(|rows| rows < 2) {
        let message = "a subgroup of fewer than 2 rows is a row";
        checker.error("bad-rows-min", &path("rows_min"), message, "leave it out for 30, or one in a hundred");
    }
    if !(section.alpha > 0.0 && section.alpha <= 1.0) {
        let message = "alpha is more than 0 and at most 1: at 0 only the size would count";
        checker.error("bad-alpha", &path("alpha"), message, "leave it out for 0.95");
    }
}

fn columns(checker: &mut Checker, section: &Subgroups) {
    let path = ["measure", "subgroups", "columns"];
    let has = |name: &str, role| checker.spec.schema.get(name).is_some_and(|column| column.roles.contains(&role));
    let identifies = |name: &str| {
        [Role::Identifier, Role::PrivacyUnit, Role::Ignored].into_iter().find(|&role| has(name, role)).is_some()
    };
    let wrong: Vec<String> = section.columns.iter().filter(|name| identifies(name)).cloned().collect();
    let used = checker.spec.schema.keys().filter(|name| has(name, Role::Feature) || has(name, Role::Protected)).count();
    let several = section.columns.len().max(if section.columns.is_empty() { used } else { 0 });
    for (at, name) in section.columns.iter().enumerate() {
        let at = at.to_string();
        let path = ["measure", "subgroups", "columns", at.as_str()];
        if !checker.knows(name) {
            checker.unknown_column(&path, Part::Value, name);
        } else if wrong.contains(name) {
            let message = format!("{name} identifies rows or is not read; a subgroup of it would name somebody");
            checker.error("no-subgroup-column", &path, message, "take it out of the list");
        }
    }
    if several == 0 {
        let message = "no column is a feature or protected: there is nothing to combine";
        checker.error("no-subgroup-column", &["measure", "subgroups"], message, "name some in columns");
    } else if several > SUBGROUP_COLUMNS_MAX {
        let message =
            format!("{several} columns have too many combinations; at most {SUBGROUP_COLUMNS_MAX} are searched");
        let path: &[&str] = if section.columns.is_empty() { &["measure", "subgroups"] } else { &path };
        checker.error("too-many-columns", path, message, "name the columns that matter most in columns");
    }
}

/// A search needs the columns its loss is made of.
fn losses(checker: &mut Checker, section: &Subgroups) {
    let spec = checker.spec;
    let has = |role| spec.schema.values().any(|column| column.roles.contains(&role));
    let numbers = match &spec.train {
        Some(train) => train.model == crate::plan::spec::ModelKind::Linear,
        None => spec.schema.values().any(|column| column.roles.contains(&Role::Prediction) && column.bounds.is_some()),
    };
    let made = has(Role::Prediction) || spec.train.is_some();
    for (at, loss) in section.of.iter().enumerate() {
        let at = at.to_string();
        let path = ["measure", "subgroups", "of", at.as_str()];
        let labelled = !matches!(loss, Loss::NotSelected | Loss::Selected);
        if loss.is_numeric() != numbers || !made || (labelled && !has(Role::Target)) {
            let message = "the columns this is made of are not there, or are of another kind";
            let remedy = "for a regression write absolute-error or squared-error; for decisions error, false-positive, false-negative, not-selected or selected; all but the last two need a target";
            checker.error("no-loss", &path, message, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::check::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    const CLEAN: &str = r#"
[pipeline]
name = "lending"
[ingest]
path = "lending.csv"
[schema.id]
roles = ["identifier"]
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.age]
roles = ["feature"]
bounds = [16, 90]
[schema.paid]
roles = ["target"]
positive = "yes"
[schema.granted]
roles = ["prediction"]
positive = "yes"
[measure.subgroups]
of = ["error", "not-selected"]
columns = ["sex", "age"]
depth_max = 3
rows_max = 5000
rows_min = 40
alpha = 0.9
[measure.individual]
neighbours = 5
columns = ["age"]
scale = "bounds"
rows_max = 4000
[[judge]]
metric = "selection-rate"
compare = "difference"
against = "overall"
at_most = 0.1
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("lending.toml", text), None, None, &parse).1
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
        expect("\"sex\", \"age\"", "\"sex\", \"agee\"", "unknown-column", "\"agee\"");
        expect("\"sex\", \"age\"", "\"sex\", \"id\"", "no-subgroup-column", "\"id\"");
        expect("\"not-selected\"", "\"absolute-error\"", "no-loss", "\"absolute-error\"");
        expect("depth_max = 3", "depth_max = 5", "bad-depth", "5");
        expect("depth_max = 3", "depth_max = 0", "bad-depth", "0");
        expect("rows_max = 5000", "rows_max = 199", "bad-rows-max", "199");
        expect("rows_min = 40", "rows_min = 1", "bad-rows-min", "1");
        expect("alpha = 0.9", "alpha = 0.0", "bad-alpha", "0.0");
        expect("alpha = 0.9", "alpha = nan", "bad-alpha", "nan");
        let of = CLEAN.replace("[\"sex\", \"age\"]\ndepth", "[]\ndepth").replace("\"feature\"", "");
        let of = of
            .replace("\"protected\"", "")
            .replace("against = \"overall\"\n", "")
            .replace("compare = \"difference\"\n", "");
        assert!(complaints(&of).iter().any(|complaint| complaint.code == "no-subgroup-column"));
    }

    #[test]
    fn too_many_columns_are_refused() {
        let many: String =
            (0..41).map(|i| format!("[schema.x{i}]\nroles = [\"feature\"]\nbounds = [0, 1]\n")).collect();
        let text =
            CLEAN.replace("columns = [\"sex\", \"age\"]\n", "").replace("[schema.id]", &format!("{many}[schema.id]"));
        let found: Vec<&str> = complaints(&text).iter().map(|complaint| complaint.code).collect();
        assert_eq!(found, ["too-many-columns"]);
    }

    #[test]
    fn under_differential_privacy_no_rows_are_held() {
        let private = format!("{CLEAN}\n[privacy]\npopulation = \"people\"\nepsilon = 1.0\n");
        let found: Vec<&str> = complaints(&private).iter().map(|complaint| complaint.code).collect();
        assert!(found.contains(&"subgroups-read-rows") && found.contains(&"individual-reads-rows"), "{found:?}");
    }

    #[test]
    fn what_is_wrong_with_alike_rows_is_said() {
        expect("columns = [\"age\"]", "columns = [\"agee\"]", "unknown-column", "\"agee\"");
        expect("columns = [\"age\"]", "columns = [\"id\"]", "no-distance", "\"id\"");
        expect("neighbours = 5", "neighbours = 0", "bad-neighbours", "0");
        expect("neighbours = 5", "neighbours = 101", "bad-neighbours", "101");
        expect("rows_max = 4000", "rows_max = 20001", "bad-rows-max", "20001");
        expect("rows_max = 4000", "rows_max = 4000\nflip = [\"sex\"]", "nothing-to-switch", "[\"sex\"]");
        let trained = CLEAN
            .replace("[schema.granted]\nroles = [\"prediction\"]\npositive = \"yes\"\n", "")
            .replace("[measure.subgroups]", "[train]\nmodel = \"logistic\"\n[measure.subgroups]");
        let flip =
            |of: &str| complaints(&trained.replace("rows_max = 4000", &format!("rows_max = 4000\nflip = [\"{of}\"]")));
        assert_eq!(flip("sex"), []);
        assert_eq!(flip("age").iter().map(|c| c.code).collect::<Vec<_>>(), ["not-protected"]);
        assert_eq!(flip("sxe").iter().map(|c| c.code).collect::<Vec<_>>(), ["unknown-column"]);
    }
}
