//! Control columns: their levels, and how many strata and cells they form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::spec::Spec;
use super::{CELLS_MAX, PlanError, error};
use crate::cohort::Attribute;
use crate::scalar::Kind;
use crate::schema::{Domain, Schema};

/// Most cells of cohorts by strata that one set of attributes may form. Every cell is a line of the audit.
pub const STRATA_CELLS_MAX: u64 = 5000;

/// The control columns in the order written.
pub(super) fn given(
    spec: &Spec,
    schema: &Schema,
    kinds: &BTreeMap<Arc<str>, Kind>,
) -> Result<Vec<Attribute>, PlanError> {
    let wrong = |message: String| Err(error("measure.given", message));
    let names = &spec.measure.given;
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        return wrong("names a column twice".into());
    }
    if spec.privacy.is_some() && !names.is_empty() {
        return wrong("a table of strata has no noisy form; leave it out, or the section [privacy]".into());
    }
    let mut given = Vec::new();
    for name in names {
        match kinds.get(name.as_str()) {
            Some(Kind::Text) => {}
            Some(kind) => {
                return wrong(format!(
                    "{name} is a {kind} and a control column must be text; derive a column of bands"
                ));
            }
            None => return wrong(format!("{name} is not read; declare it in [schema]")),
        }
        match schema.column(name).map(|column| &column.domain) {
            Some(Domain::Levels(levels)) => {
                given.push(Attribute { name: name.as_str().into(), levels: levels.clone() })
            }
            _ => return wrong(format!("{name} has no levels; declare them in [schema]")),
        }
    }
    Ok(given)
}

/// A set of attributes and the control columns form so many cells at most, and the table of both has codes of 64 bits.
pub(super) fn check_cells(
    across: &[Vec<String>],
    attributes: &[Attribute],
    given: &[Attribute],
) -> Result<(), PlanError> {
    if given.is_empty() {
        return Ok(());
    }
    let levels = |of: &Attribute| of.levels.len() as u64;
    let strata = given.iter().map(levels).fold(1u64, u64::saturating_mul);
    for set in across {
        let of_set = attributes.iter().filter(|attribute| set.iter().any(|name| **name == *attribute.name));
        let cells = of_set.map(levels).fold(strata, u64::saturating_mul);
        if cells > STRATA_CELLS_MAX {
            return Err(error(
                "measure.given",
                format!(
                    "{} within {strata} strata forms up to {cells} cells; at most {STRATA_CELLS_MAX} can be compared: leave a control column out, or derive coarser ones",
                    set.join(" x ")
                ),
            ));
        }
    }
    let outcomes = 9 * u64::from(crate::estimate::BUCKETS);
    let codes = attributes.iter().chain(given).map(|of| u64::from(of.codes())).fold(outcomes, u64::saturating_mul);
    match codes > CELLS_MAX {
        true => Err(error(
            "measure.given",
            "the protected and the control columns together form more cells than can be counted",
        )),
        false => Ok(()),
    }
}
