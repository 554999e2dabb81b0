//! What the report cannot say, read off the run itself, after what the run says of itself; and what its author says.

use super::Caps;
use super::gates::criteria;
use super::said::{self, Said};
use super::words;
use crate::audit::{Edition, PrivacyStatement};
use crate::budget::Mechanism;
use crate::finding::Verdict;
use crate::report::document::{Measured, Origin, Report, Run};
use crate::report::language::text;
use crate::schema::Role;

/// After the number of rows, in a sentence of the run.
const UNDECIDED: &str = " rows were left out because a missing value leaves the filter undecided.";

/// Sets of attributes whose cohorts are spoken of.
const SETS: usize = 24;

/// What the author says; not a word of it is the program's.
pub fn authored(report: &Report, caps: &Caps) -> Vec<String> {
    let stated = &report.pipeline.stated.limitations;
    let mut said: Vec<String> = stated.iter().take(caps.texts).map(|text| words::sentence(text)).collect();
    let left = words::more(stated.len(), caps.texts, "sentences", "report.json");
    said.extend((!left.is_empty()).then_some(left));
    said
}

pub fn limitations(report: &Report, run: &Run, caps: &Caps) -> Vec<Said> {
    let mut told = said::list(&report.limitations, caps.texts, "report.json");
    for (text, told) in report.limitations.iter().take(caps.texts).zip(&mut told) {
        if let Some(n) = text.strip_suffix(UNDECIDED).and_then(|n| n.parse::<u64>().ok()) {
            *told = Said::own(text!("limit-said-filter-undecided", n = n));
        }
    }
    let mut said: Vec<String> = Vec::new();
    said.extend(privacy(report, run));
    said.extend([deidentified(report, run), domains(report), unjudged(report)].into_iter().flatten());
    said.extend(cohorts(report));
    said.extend(readings(report));
    said.extend(rows(report));
    said.push(intervals(report));
    said.push(text!("limit-said-met"));
    told.extend(said.into_iter().map(Said::own));
    told
}

fn intervals(report: &Report) -> String {
    let confidence = words::confidence(report.method.confidence);
    match report.privacy {
        Some(_) => text!("limit-said-intervals-noise", confidence = confidence),
        None => text!("limit-said-intervals", confidence = confidence),
    }
}

fn privacy(report: &Report, run: &Run) -> Vec<String> {
    let exact = report.receipts.iter().all(|receipt| receipt.mechanism == Mechanism::Exact);
    match (&report.privacy, exact) {
        (Some(statement), _) => private(statement, report, run),
        (None, true) => vec![text!("limit-said-privacy-off")],
        (None, false) => vec![text!("limit-said-noise-no-claim")],
    }
}

fn private(statement: &PrivacyStatement, report: &Report, run: &Run) -> Vec<String> {
    let mut said = vec![match &statement.unit {
        Some(unit) => text!("limit-said-protects-unit", unit = words::name(unit)),
        None => text!("limit-said-protects-row"),
    }];
    if run.edition == Some(Edition::Internal) {
        said.push(text!("limit-said-internal"));
    }
    if report.model.is_none() {
        said.push(text!("limit-said-given-fixed"));
    }
    said.push(text!("limit-said-claims-add-up"));
    if statement.unit.is_some() {
        said.push(text!("limit-said-rows-per-unit", n = statement.rows_per_unit_max));
    }
    said
}

/// Whether the run de-identified rows, its columns can be linked, or both a claim and de-identification may be taken for one another.
fn deidentified(report: &Report, run: &Run) -> Option<String> {
    let dataset = run.files.iter().any(|file| file.name == "codebook.json");
    let linkable = report.data.columns.iter().any(|column| column.roles.contains(&Role::QuasiIdentifier));
    match (dataset, report.privacy.is_some() || linkable) {
        (true, _) => Some(text!("limit-said-dataset")),
        (false, true) => Some(text!("limit-said-deidentified")),
        (false, false) => None,
    }
}

/// Columns one sentence names.
const NAMED: usize = 12;

fn domains(report: &Report) -> Option<String> {
    let learned: Vec<String> = report
        .data
        .columns
        .iter()
        .filter(|column| column.origin == Origin::Learned)
        .map(|column| words::name(&column.name))
        .collect();
    let names = learned.iter().take(NAMED).cloned().collect::<Vec<_>>().join(&text!("list-comma"));
    match learned.len() {
        0 => None,
        n if n > NAMED => Some(text!("limit-said-learned-others", names = names)),
        _ => Some(text!("limit-said-learned", names = names)),
    }
}

fn unjudged(report: &Report) -> Option<String> {
    let criteria = criteria(report);
    if criteria.is_empty() {
        return Some(text!("limit-said-no-criterion"));
    }
    let n = criteria
        .iter()
        .filter(|criterion| {
            criterion.findings.iter().any(|f| matches!(f.verdict, Verdict::Undetermined | Verdict::NotMeasured))
        })
        .count();
    (n > 0).then(|| text!("limit-said-undecided", n = n))
}

/// A sentence on rows: with noise it says so.
fn noisy(key: &str, report: &Report) -> String {
    match report.privacy {
        Some(_) => format!("{key}-noise"),
        None => key.into(),
    }
}

fn cohorts(report: &Report) -> Vec<String> {
    let least = i64::try_from(report.method.support_min).unwrap_or(i64::MAX);
    let mut said = Vec::new();
    let tables: Vec<_> = report.cohorts.iter().filter(|table| !table.across.is_empty()).collect();
    for table in tables.iter().take(SETS) {
        let across = words::across(&table.across);
        let small = table.rows.iter().filter(|row| row.compared && row.n.is_some_and(|n| n < least)).count();
        if small > 0 {
            // Keys: limit-said-small, limit-said-small-noise.
            let key = noisy("small", report);
            said.push(text!(&format!("limit-said-{key}"), across = &across, n = small, least = least));
        }
        let aside =
            table.rows.iter().filter(|row| !row.compared).filter_map(|row| row.n).fold(0i64, i64::saturating_add);
        if aside > 0 {
            let key = noisy("aside", report);
            said.push(text!(&format!("limit-said-{key}"), across = &across, n = aside));
        }
    }
    let left = words::more(tables.len(), SETS, "sets-of-attributes", "evidence/cohorts.csv");
    said.extend((!left.is_empty()).then_some(left));
    said
}

fn readings(report: &Report) -> Vec<String> {
    let undefined =
        report.readings.iter().filter(|reading| matches!(reading.measured, Measured::Undefined { .. })).count();
    let suppressed = report.readings.iter().filter(|reading| matches!(reading.measured, Measured::Suppressed)).count();
    let mut said = Vec::new();
    if undefined > 0 {
        said.push(text!("limit-said-undefined", n = undefined));
    }
    if suppressed > 0 {
        said.push(text!("limit-said-suppressed", n = suppressed, below = report.method.suppress_below));
    }
    said
}

fn rows(report: &Report) -> Vec<String> {
    let data = &report.data;
    let mut said = Vec::new();
    if report.privacy.is_some() && data.filter.is_some() {
        said.push(text!("limit-said-filter-uncounted"));
    }
    if data.rows_kept < data.rows_read {
        said.push(text!("limit-said-filtered", n = data.rows_read.saturating_sub(data.rows_kept)));
    }
    let malformed = data.columns.iter().filter_map(|column| column.malformed).fold(0i64, i64::saturating_add);
    if malformed > 0 {
        let key = noisy("malformed", report);
        said.push(text!(&format!("limit-said-{key}"), n = malformed));
    }
    if let Some(model) = &report.model {
        said.push(text!("limit-said-trained-here"));
        if model.rows_skipped > 0 {
            let key = noisy("skipped", report);
            said.push(text!(&format!("limit-said-{key}"), n = model.rows_skipped));
        }
    }
    said
}
