//! `[schema]`: roles that contradict one another, domains, values that must be among the levels, columns the source does not have.

use std::collections::BTreeSet;

use super::{Checker, Part, Severity, meant, quoted};
use crate::plan::read_as;
use crate::plan::spec::{ColumnSpec, ReadAs};
use crate::schema::Role;

/// Roles that exclude one another in one column, and why.
const CONTRADICTIONS: [(Role, Role, &str); 16] = [
    (Role::Identifier, Role::Feature, "a model that learns identifiers learns the rows by heart"),
    (Role::Identifier, Role::Protected, "every cohort would be one row"),
    (Role::Identifier, Role::Target, "an identifier is no outcome"),
    (Role::Identifier, Role::Prediction, "an identifier is no decision"),
    (Role::PrivacyUnit, Role::Feature, "a model that learns units learns the people by heart"),
    (Role::PrivacyUnit, Role::Protected, "every cohort would be one unit"),
    (Role::Target, Role::Feature, "a model that reads the outcome predicts nothing"),
    (Role::Target, Role::Prediction, "the decision would always agree with the outcome"),
    (Role::Target, Role::Score, "the score would be the outcome"),
    (Role::Prediction, Role::Feature, "the decision under audit is no input"),
    (Role::Prediction, Role::Score, "a score becomes a decision by a threshold: derive one from the other"),
    (Role::Score, Role::Feature, "the score under audit is no input"),
    (Role::Weight, Role::Feature, "a weight says how often a row counts"),
    (Role::Weight, Role::Target, "a weight says how often a row counts"),
    (Role::Weight, Role::Prediction, "a weight says how often a row counts"),
    (Role::Weight, Role::Protected, "a weight says how often a row counts"),
];

/// Most classes of an outcome.
const CLASSES_MAX: usize = 100;

/// Roles that one column may have at most.
const SINGLE: [Role; 6] = [Role::Target, Role::Prediction, Role::Score, Role::Weight, Role::PrivacyUnit, Role::Time];

pub(super) fn check(checker: &mut Checker) {
    for (name, column) in &checker.spec.schema {
        in_source(checker, name);
        roles(checker, name, column);
        domain(checker, name, column);
        kind(checker, name, column);
        positive(checker, name, column);
        shares(checker, name, column);
        protected(checker, name, column);
    }
    singles(checker);
    if !checker.spec.schema.values().any(|column| column.roles.contains(&Role::Protected)) {
        let remedy = "give a column the role \"protected\", for example sex or an age band";
        let message = "no column is protected: no cohorts are compared".to_string();
        checker.complain(Severity::Warning, "nothing-protected", &["schema"], Part::Key, message, Some(remedy.into()));
    }
}

/// A header read as one name that holds a separator: said once, instead of every column being said to be missing.
pub(super) fn separator(checker: &mut Checker) {
    let Some([only]) = checker.columns else { return };
    if checker.spec.schema.contains_key(&*only.name) {
        return;
    }
    let Some((_, written)) = SEPARATORS.iter().find(|(separator, _)| only.name.contains(*separator)) else { return };
    let at = if checker.spec.ingest.delimiter.is_some() { "delimiter" } else { "path" };
    let message = "the whole header line is read as one column: its names are separated by another character";
    checker.error("wrong-delimiter", &["ingest", at], message, format!("write delimiter = {written} under [ingest]"));
    checker.columns = None;
}

/// What separates fields in practice, and how TOML writes it.
const SEPARATORS: [(char, &str); 4] = [(';', "\";\""), ('\t', "\"\\t\""), ('|', "\"|\""), (',', "\",\"")];

fn in_source(checker: &mut Checker, name: &str) {
    let Some(columns) = checker.columns else { return };
    let derived = checker.spec.derive.contains_key(name);
    let there = columns.iter().any(|column| &*column.name == name);
    let path = ["schema", name];
    match (derived, there) {
        (false, false) => {
            let near = meant(name, columns.iter().map(|column| &*column.name));
            let all = || {
                format!(
                    "the source has: {}",
                    super::shortened(&columns.iter().map(|column| column.name.to_string()).collect::<Vec<_>>())
                )
            };
            let message = format!("the source has no column {name:?}");
            checker.complain(
                Severity::Error,
                "unknown-column",
                &path,
                Part::Key,
                message,
                Some(near.unwrap_or_else(all)),
            );
        }
        (true, true) => {
            let message = format!("the source has a column {name:?} too; the derived one takes its place");
            checker.complain(
                Severity::Warning,
                "derived-shadows",
                &["derive", name],
                Part::Key,
                message,
                Some("give the derived column a name of its own".into()),
            );
        }
        _ => {}
    }
}

fn roles(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    let has = |role| column.roles.contains(&role);
    let path = ["schema", name, "roles"];
    for (one, other, why) in CONTRADICTIONS {
        if has(one) && has(other) {
            checker.error(
                "contradictory-roles",
                &path,
                format!("{name} cannot be {one} and {other}: {why}"),
                "take one of them out",
            );
        }
    }
    if has(Role::Ignored) && column.roles.iter().any(|role| *role != Role::Ignored) {
        checker.error(
            "contradictory-roles",
            &path,
            format!("{name} cannot be ignored and have another role: nothing reads it"),
            "take one of them out",
        );
    }
}

fn singles(checker: &mut Checker) {
    for role in SINGLE {
        let names: Vec<&String> = checker
            .spec
            .schema
            .iter()
            .filter(|(_, column)| column.roles.contains(&role))
            .map(|(name, _)| name)
            .collect();
        for name in names.iter().skip(1) {
            let message = format!("{} and {name} are both the {role}; there is one at most", names[0]);
            checker.error(
                "role-twice",
                &["schema", name, "roles"],
                message,
                "give one of them the role \"ignored\", or none",
            );
        }
    }
}

fn domain(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    if column.levels.is_some() && column.bounds.is_some() {
        let remedy = "levels are for texts, bounds for numbers; to form bands of a number, derive a column with CASE";
        checker.error(
            "levels-and-bounds",
            &["schema", name, "bounds"],
            format!("{name} has both levels and bounds"),
            remedy,
        );
    }
    if let Some([lower, upper]) = column.bounds {
        if !((upper - lower).is_finite() && lower < upper) {
            let remedy = if lower > upper {
                format!("write [{upper}, {lower}]")
            } else {
                "write the least and the greatest possible number".into()
            };
            checker.error("bad-bounds", &["schema", name, "bounds"], "bounds must be finite and ascend", remedy);
        } else if column.roles.contains(&Role::Score) && (lower < 0.0 || upper > 1.0) {
            checker.error(
                "bad-bounds",
                &["schema", name, "bounds"],
                "a score is a probability: its bounds are within 0 and 1",
                "derive a column that divides by the greatest score",
            );
        }
    }
    let Some(levels) = &column.levels else { return };
    if levels.is_empty() {
        checker.error(
            "no-levels",
            &["schema", name, "levels"],
            "the list of levels is empty",
            "leave it out to have the levels learned in a pass of its own",
        );
    }
    for (i, level) in levels.iter().enumerate() {
        let path = ["schema", name, "levels", &i.to_string()];
        if levels[..i].contains(level) {
            checker.error("duplicate-level", &path, format!("the level {level:?} is there twice"), "take one out");
        }
        if level.is_empty() || checker.spec.ingest.null_values.contains(level) {
            let message = format!("{level:?} stands for a missing value and never becomes a level");
            checker.warning(
                "level-is-missing",
                &path,
                message,
                "take it out: missing is a level of its own; or take it out of null_values",
            );
        }
    }
    if let Some(reference) = &column.reference {
        checker.unknown_level(&["schema", name, "reference"], name, reference);
    }
}

/// Domain and type must agree.
fn kind(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    let read = read_as(column);
    if column.levels.is_some() && column.bounds.is_none() && read != ReadAs::Text {
        let remedy = "levels are compared as texts: write as = \"text\", and the levels as the file writes them";
        checker.error(
            "levels-need-text",
            &["schema", name, "levels"],
            format!("{name} is read as a {} and has levels", words(read)),
            remedy,
        );
    }
    if column.bounds.is_some() && column.levels.is_none() && read != ReadAs::Number {
        checker.error(
            "bounds-need-number",
            &["schema", name, "bounds"],
            format!("{name} is read as a {} and has bounds", words(read)),
            "write as = \"number\", or leave out bounds",
        );
    }
    if column.reference.is_some() && column.levels.is_none() && read != ReadAs::Text {
        checker.error(
            "reference-needs-levels",
            &["schema", name, "reference"],
            format!("{name} has a reference level and no levels"),
            "leave out reference",
        );
    }
    for role in [Role::Weight, Role::Score] {
        if column.roles.contains(&role) && read != ReadAs::Number {
            checker.error(
                "role-needs-number",
                &["schema", name, "as"],
                format!("a {role} must be a number"),
                "write as = \"number\"",
            );
        }
    }
}

fn words(read: ReadAs) -> &'static str {
    match read {
        ReadAs::Text => "text",
        ReadAs::Number => "number",
        ReadAs::Truth => "truth value",
    }
}

/// True for a target or prediction of more than two classes, none of them positive: both columns have the same ones, and no model is trained
/// on them. Each class is measured against the rest.
fn classes(checker: &Checker, column: &ColumnSpec) -> bool {
    let spec = checker.spec;
    let of = |role| spec.schema.values().find(|column| column.roles.contains(&role));
    let (Some(target), Some(prediction)) = (of(Role::Target), of(Role::Prediction)) else { return false };
    let levels = |column: &ColumnSpec| -> Option<BTreeSet<String>> {
        let levels = column.levels.as_ref().filter(|levels| levels.len() > 2 && levels.len() <= CLASSES_MAX)?;
        column.positive.is_none().then(|| levels.iter().cloned().collect())
    };
    let same = levels(target).is_some() && levels(target) == levels(prediction) && levels(column) == levels(target);
    same && spec.train.is_none() && spec.privacy.is_none()
}

/// A two-valued target or decision must say which of its values counts as 1.
fn positive(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    let read = read_as(column);
    let path = ["schema", name, "positive"];
    let outcome = [Role::Target, Role::Prediction].into_iter().find(|role| column.roles.contains(role));
    let Some(value) = &column.positive else {
        let Some(role) = outcome.filter(|_| read == ReadAs::Text && !classes(checker, column)) else { return };
        let example = column.levels.as_ref().and_then(|levels| levels.last()).map_or("yes", String::as_str);
        let message = format!("{name} is the {role}, and which of its values counts as 1 is not said");
        let remedy = format!(
            "write positive = {:?} (the favourable outcome), or bounds = [least, greatest] if it is a number",
            example
        );
        checker.error("missing-positive", &path, message, remedy);
        return;
    };
    if outcome.is_none() {
        checker.warning(
            "unused-key",
            &path,
            format!("{name} is neither target nor prediction: positive says nothing"),
            "leave it out",
        );
    }
    match read {
        ReadAs::Text => checker.unknown_level(&path, name, value),
        ReadAs::Number if crate::scalar::parse_number(value, '.').is_none() => {
            checker.error(
                "bad-positive",
                &path,
                format!("{name} is read as a number, and {value:?} is none"),
                "write a number in quotes",
            );
        }
        ReadAs::Truth if crate::scan::parse_truth(value).is_none() => {
            checker.error(
                "bad-positive",
                &path,
                format!("{name} is read as a truth value, and {value:?} is none"),
                "write \"true\" or \"false\"",
            );
        }
        _ => {}
    }
}

fn shares(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    for (key, share) in [("null_share_max", column.null_share_max), ("outside_share_max", column.outside_share_max)] {
        if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            checker.error("bad-share", &["schema", name, key], "a share is within 0 and 1", "5 percent is 0.05");
        }
    }
    if column.missing.is_some() && !column.roles.contains(&Role::Feature) {
        let message = format!("{name} is no feature: nothing is done about its missing values but counting them");
        checker.warning("unused-key", &["schema", name, "missing"], message, "leave it out");
    }
}

/// Cohorts are formed over levels.
fn protected(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    if !column.roles.contains(&Role::Protected) || column.levels.is_some() {
        return;
    }
    let path = ["schema", name];
    match read_as(column) {
        ReadAs::Number => {
            let band = quoted(&format!("{name}_band"));
            let remedy = format!(
                "derive bands and protect those, for example\n[derive]\n{band} = \"\"\"CASE WHEN \"{name}\" < 40 THEN 'under 40' ELSE '40 and over' END\"\"\""
            );
            let message = format!("{name} is a number, and cohorts are formed over levels");
            checker.complain(Severity::Error, "protected-needs-levels", &path, Part::Key, message, Some(remedy));
        }
        ReadAs::Truth => {
            let message = format!("{name} is a truth value, and cohorts are formed over levels");
            checker.complain(
                Severity::Error,
                "protected-needs-levels",
                &path,
                Part::Key,
                message,
                Some("write as = \"text\" and levels = [\"true\", \"false\"], as the file writes them".into()),
            );
        }
        ReadAs::Text => {
            let message = format!(
                "the levels of {name} are not declared: a pass over the data learns them, and cohorts may differ from run to run"
            );
            checker.complain(
                Severity::Warning,
                "learned-levels",
                &path,
                Part::Key,
                message,
                Some("write levels = [...]".into()),
            );
        }
    }
}
