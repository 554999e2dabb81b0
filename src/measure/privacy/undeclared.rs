//! Columns that look like identifiers and are not declared as such.
//!
//! Looked at are the columns of the source that are read as texts and that nobody has accounted for: without the roles identifier and
//! privacy-unit, without levels declared by hand, and not transformed by `[deidentify]`. Of every such column the [`TEXTS_MAX`] different texts
//! of smallest keyed hash among the kept rows are looked at: all of a column with fewer, a random part of the different texts of any other. The
//! share that matches is of different texts, not of rows: a text that stands for a missing value does not hide the others.
//!
//! A column of which [`Suspicion::is_finding`] holds is a finding of level `warn`. A header alone is a note. Under differential privacy nothing is
//! looked at: a share of texts would be one more release. No text leaves this module.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::identifiers::{Detector, Looks, Suspicion, by_header};
use crate::cohort::Cohort;
use crate::demand::{Demand, RowKey, Rows, Shape};
use crate::estimate::{Measured, Sample, Share};
use crate::evidence::{Missing, Released};
use crate::finding::{Finding, Verdict};
use crate::plan::Plan;
use crate::plan::spec::{Do, Level};
use crate::scalar::Scalar;
use crate::scan::{Reading, SourceColumn};
use crate::schema::{Column, Domain, Origin, Role};
use crate::statistic::{Cell, PanelValue};

/// Different texts of a column that are looked at. With as many, a share of 12 % is told from the 10 % that the strictest detectors ask for.
pub const TEXTS_MAX: usize = 2048;

/// Columns named in one note.
const NAMES_MAX: usize = 12;

/// Some texts of every column that is looked at. None under differential privacy.
pub fn demands(plan: &Plan) -> Vec<Demand> {
    let demand = |column: &Column| {
        let of = vec![Scalar::column(&column.name)];
        let (key, salt) = (RowKey::Of(of.clone()), plan.salt("texts"));
        let shape = Shape::Panel { of, key, salt, limit: TEXTS_MAX, distinct: true };
        Demand { name: name(&column.name), rows: Rows::Kept, shape }
    };
    looked_at(plan).map(demand).collect()
}

/// What the columns look like, and what a reader should know of that.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Undeclared {
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
}

/// Looks at the texts and at the headers. `source` are all columns of the source, also those that are not read, as far as they are
/// known.
///
/// # Errors
/// When a statistic of [`demands`] was not collected.
pub fn look(plan: &Plan, released: &Released, source: &[SourceColumn]) -> Result<Undeclared, Missing> {
    if plan.spec.privacy.is_some() {
        let note = "Columns were not searched for undeclared identifiers: under differential privacy a share of texts would be one more release.";
        return Ok(Undeclared { findings: Vec::new(), notes: vec![note.into()] });
    }
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    for column in looked_at(plan) {
        let looks = looks(released, &column.name)?;
        let suspicions = looks.suspicions(&column.name).into_iter().filter(Suspicion::is_finding).collect::<Vec<_>>();
        findings.extend(finding(plan, &suspicions));
    }
    let found: BTreeSet<Arc<str>> = findings.iter().map(|finding| finding.code.clone()).collect();
    let by_name = |name: &Arc<str>| by_header(name).map(|detector| (name.clone(), detector));
    let open = |name: &&Arc<str>| !found.contains(&code(name));
    let read = plan.schema.columns.iter().filter(|column| is_open(plan, column)).map(|column| &column.name);
    let declared: Vec<_> = read.filter(open).filter_map(by_name).collect();
    let unread: Vec<_> = source
        .iter()
        .map(|column| &column.name)
        .filter(|name| plan.schema.column(name).is_none())
        .filter_map(by_name)
        .collect();
    if !declared.is_empty() {
        notes.push(format!(
            "Columns whose header is that of an identifier, though their texts are not known as such: {}. If they identify anybody, give them the role identifier.",
            listed(&declared)
        ));
    }
    if !unread.is_empty() {
        notes.push(format!(
            "Columns of the source whose header is that of an identifier and that the pipeline file does not name: {}. They were not read.",
            listed(&unread)
        ));
    }
    Ok(Undeclared { findings, notes })
}

fn name(column: &str) -> Arc<str> {
    format!("privacy/texts/{column}").into()
}

fn code(column: &str) -> Arc<str> {
    format!("undeclared-identifier/{column}").into()
}

/// Columns whose texts are looked at, in file order.
fn looked_at(plan: &Plan) -> impl Iterator<Item = &Column> {
    let is_text =
        |column: &Column| plan.scan.reads.iter().any(|read| read.name == column.name && read.by == Reading::Text);
    let public = plan.spec.privacy.is_none();
    plan.schema.columns.iter().filter(move |column| public && is_text(column) && is_open(plan, column))
}

/// Nobody has said what is in the column, or that it identifies.
fn is_open(plan: &Plan, column: &Column) -> bool {
    let declared = [Role::Identifier, Role::PrivacyUnit, Role::Ignored].iter().any(|role| column.is(*role));
    let listed = matches!(column.domain, Domain::Levels(_)) && column.origin == Origin::Declared;
    let rule = plan.spec.deidentify.as_ref().and_then(|of| of.columns.get(&*column.name));
    let transformed = rule.is_some_and(|rule| rule.by != Do::Keep);
    let derived = plan.spec.derive.contains_key(&*column.name);
    !(declared || listed || transformed || derived)
}

/// Counts of the texts of a column.
fn looks(released: &Released, column: &str) -> Result<Looks, Missing> {
    let mut looks = Looks::default();
    for (_, row, _) in released.panel(&name(column))?.rows() {
        if let [Some(PanelValue::Text(text))] = row {
            looks.look(text);
        }
    }
    Ok(looks)
}

/// One finding of a column, by the detector with the most matches.
fn finding(plan: &Plan, suspicions: &[Suspicion]) -> Option<Finding> {
    let (first, others) = suspicions.split_first()?;
    let measured = measured(plan, first);
    let how_many = match &measured {
        Measured::Estimated(estimate) => {
            let percent = |share: f64| format!("{:.1} %", 100.0 * share);
            let end = |end: Option<f64>, without: f64| percent(end.unwrap_or(without));
            format!(
                "{} of the {} different texts looked at ({} to {} with confidence {})",
                percent(estimate.point),
                first.looked_at,
                end(estimate.interval.lower, 0.0),
                end(estimate.interval.upper, 1.0),
                estimate.confidence
            )
        }
        Measured::Undefined { .. } | Measured::Suppressed => {
            "a share of its texts that is withheld, as a count behind it is small".into()
        }
    };
    let also = match others.iter().map(|other| other.detector.name()).collect::<Vec<_>>() {
        names if names.is_empty() => String::new(),
        names => format!(" Some texts have the form of: {}.", names.join(", ")),
    };
    let header = match by_header(&first.column) {
        Some(detector) if detector == first.detector => " The header says the same.",
        _ => "",
    };
    Some(Finding {
        code: code(&first.column),
        gate: None,
        cohort: Cohort::everyone(),
        measured: Some(measured),
        judged_interval: None,
        // The whole interval of the share is above what the form needs.
        verdict: Verdict::Breached,
        level: Level::Warn,
        reason: format!(
            "The column {} has no role of an identifier and has the form of: {}, in {how_many}.{header}{also} Give it the role identifier or ignored, transform it in [deidentify], or list its levels if they are harmless.",
            first.column,
            first.detector.name()
        )
        .into(),
        waiver: None,
    })
}

/// The share of matching texts; withheld where the number of those that match, or of those that do not, is small: every text has a row.
fn measured(plan: &Plan, suspicion: &Suspicion) -> Measured {
    let limit = i64::try_from(plan.spec.measure.suppress_below).unwrap_or(i64::MAX);
    let small = |n: i64| limit > 1 && 0 < n && n < limit;
    if small(suspicion.matched) || small(suspicion.looked_at.saturating_sub(suspicion.matched)) {
        return Measured::Suppressed;
    }
    let share = Share { numerator: Cell::rows(suspicion.matched), denominator: Cell::rows(suspicion.looked_at) };
    Sample::share(&share).measure(super::identifiers::CONFIDENCE)
}

fn listed(columns: &[(Arc<str>, Detector)]) -> String {
    let named: Vec<String> =
        columns.iter().take(NAMES_MAX).map(|(name, detector)| format!("{name} ({})", detector.name())).collect();
    match columns.len().saturating_sub(NAMES_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests;
