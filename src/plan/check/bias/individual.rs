//! `[measure.individual]`: treatment of alike rows.

use crate::plan::check::{Checker, Part};
use crate::plan::spec::{FLIP_LEVELS_MAX, INDIVIDUAL_ROWS_MAX, Individual, ModelKind, NEIGHBOURS_MAX};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker) {
    let Some(section) = &checker.spec.measure.individual else { return };
    if checker.spec.privacy.is_some() {
        let message = "under differential privacy no rows are held and compared with one another";
        return checker.error("individual-reads-rows", &["measure", "individual"], message, "take the section out");
    }
    for (at, name) in section.columns.iter().enumerate() {
        let at = at.to_string();
        let path = ["measure", "individual", "columns", at.as_str()];
        let column = checker.spec.schema.get(name);
        let roles = column.map(|column| column.roles.as_slice()).unwrap_or_default();
        if !checker.knows(name) {
            checker.unknown_column(&path, Part::Value, name);
        } else if [Role::Identifier, Role::PrivacyUnit, Role::Ignored].iter().any(|role| roles.contains(role)) {
            let message = format!("{name} identifies rows or is not read; it makes no two rows alike");
            checker.error("no-distance", &path, message, "take it out of the list");
        }
    }
    if !(1..=NEIGHBOURS_MAX).contains(&section.neighbours) {
        let message = format!("a row is compared with 1 to {NEIGHBOURS_MAX} others");
        checker.error("bad-neighbours", &["measure", "individual", "neighbours"], message, "leave it out for 5");
    }
    if !(100..=INDIVIDUAL_ROWS_MAX).contains(&section.rows_max) {
        let message = "each row is compared with each: 100 to 20,000 rows";
        checker.error("bad-rows-max", &["measure", "individual", "rows_max"], message, "leave it out for 5,000");
    }
    flip(checker, section);
}

/// Protected columns of a model trained here that decides.
fn flip(checker: &mut Checker, section: &Individual) {
    let spec = checker.spec;
    let decides = spec.train.as_ref().is_some_and(|train| train.model == ModelKind::Logistic);
    if !section.flip.is_empty() && !decides {
        let message = "no model that decides is trained here: a given decision cannot be made again with another level";
        let remedy = "leave flip out, or train a logistic model with [train]";
        return checker.error("nothing-to-switch", &["measure", "individual", "flip"], message, remedy);
    }
    for (at, name) in section.flip.iter().enumerate() {
        let at = at.to_string();
        let path = ["measure", "individual", "flip", at.as_str()];
        let column = spec.schema.get(name);
        let levels = column.and_then(|column| column.levels.as_ref()).map_or(0, Vec::len);
        let in_across = spec.measure.across.is_empty() || spec.measure.across.iter().flatten().any(|of| of == name);
        if !checker.knows(name) {
            checker.unknown_column(&path, Part::Value, name);
        } else if column.is_none_or(|column| !column.roles.contains(&Role::Protected)) || !in_across {
            let message = format!("{name} is no protected column that is compared");
            let remedy = "give it the role \"protected\", and name it in [measure] across where that is written";
            checker.error("not-protected", &path, message, remedy);
        } else if levels > FLIP_LEVELS_MAX {
            let message = format!("{name} has {levels} levels; a column is switched to at most {FLIP_LEVELS_MAX}");
            checker.error("too-many-levels", &path, message, "derive a column of coarser levels");
        }
    }
}
