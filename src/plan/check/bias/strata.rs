//! `[measure] given`: control columns.

use crate::plan::check::{Checker, Part, Severity, quoted};
use crate::plan::read_as;
use crate::plan::spec::ReadAs;
use crate::plan::strata::STRATA_CELLS_MAX;
use crate::schema::Role;

/// Roles of columns within which nothing is compared.
const NO_CONTROL: [Role; 7] =
    [Role::Target, Role::Prediction, Role::Score, Role::Weight, Role::PrivacyUnit, Role::Identifier, Role::Ignored];

pub(super) fn check(checker: &mut Checker) {
    let spec = checker.spec;
    let names = &spec.measure.given;
    if names.is_empty() {
        return;
    }
    if spec.privacy.is_some() {
        let message = "a table of strata has no noisy form";
        checker.error("no-mechanism", &["measure", "given"], message, "leave it out, or the section [privacy]");
        return;
    }
    for (i, name) in names.iter().enumerate() {
        let at = i.to_string();
        let path = ["measure", "given", at.as_str()];
        if names[..i].contains(name) {
            checker.error("given-twice", &path, format!("{name} is there twice"), "take one out");
            continue;
        }
        column(checker, &path, name);
    }
    cells(checker);
}

/// One control column: there, a text with levels, and not itself compared or an outcome.
fn column(checker: &mut Checker, path: &[&str], name: &str) {
    let spec = checker.spec;
    let Some(column) = spec.schema.get(name) else {
        match spec.derive.contains_key(name) {
            true => {
                let message = format!("the derived column {name:?} has no section in [schema], and strata need levels");
                let remedy = format!("add [schema.{}] with levels = [...]", quoted(name));
                checker.error("given-needs-levels", path, message, remedy);
            }
            false => checker.unknown_column(path, Part::Value, name),
        }
        return;
    };
    let protected = |column: &crate::plan::spec::ColumnSpec| column.roles.contains(&Role::Protected);
    let compared = match spec.measure.across.is_empty() {
        true => protected(column),
        false => spec.measure.across.iter().flatten().any(|other| other == name),
    };
    if compared {
        let message = format!("{name} is compared, and within its own levels there is nothing to compare");
        let remedy = "take it out of given, or name sets without it: across = [...]";
        checker.error("given-is-compared", path, message, remedy);
    }
    if let Some(role) = NO_CONTROL.into_iter().find(|role| column.roles.contains(role)) {
        let message = format!("{name} is {role} and no control column");
        checker.error("given-is-no-control", path, message, "name a column of circumstances that explain the outcome");
    } else if column.bounds.is_some() || read_as(column) != ReadAs::Text {
        let band = quoted(&format!("{name}_band"));
        let remedy = format!(
            "derive bands, for example\n[derive]\n{band} = \"\"\"CASE WHEN \"{name}\" < 40 THEN 'under 40' ELSE '40 and over' END\"\"\""
        );
        checker.error(
            "given-needs-levels",
            path,
            format!("{name} is no text, and strata are formed over levels"),
            remedy,
        );
    } else if column.levels.is_none() && !protected(column) {
        let message = format!(
            "the levels of {name} are not declared: a pass over the data learns them, and strata may differ from run to run"
        );
        let path = ["schema", name];
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

/// With declared levels the number of cells is known before anything is read.
fn cells(checker: &mut Checker) {
    let spec = checker.spec;
    let levels = |name: &String| {
        let column = spec.schema.get(name);
        column.and_then(|column| column.levels.as_ref()).map_or(1, |levels| levels.len() as u64)
    };
    let strata = spec.measure.given.iter().map(levels).fold(1, u64::saturating_mul);
    let alone = || {
        let protected = spec.schema.iter().filter(|(_, column)| column.roles.contains(&Role::Protected));
        protected.map(|(name, _)| vec![name.clone()]).collect::<Vec<_>>()
    };
    let sets = if spec.measure.across.is_empty() { alone() } else { spec.measure.across.clone() };
    let cells = |set: &Vec<String>| set.iter().map(levels).fold(strata, u64::saturating_mul);
    let Some(set) = sets.iter().find(|set| cells(set) > STRATA_CELLS_MAX) else { return };
    let message = format!(
        "{} within {strata} strata forms {} cells; at most {STRATA_CELLS_MAX} can be compared",
        set.join(" x "),
        cells(set)
    );
    let remedy = "leave a control column out, or derive coarser ones";
    checker.error("too-many-cells", &["measure", "given"], message, remedy);
}

#[cfg(test)]
mod tests;
