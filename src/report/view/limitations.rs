//! What the report cannot say, read off the run itself, after what the run says of itself.

use super::Caps;
use super::gates::criteria;
use super::words;
use crate::audit::{Edition, PrivacyStatement};
use crate::budget::Mechanism;
use crate::finding::Verdict;
use crate::report::document::{Measured, Origin, Report, Run};
use crate::schema::Role;

/// Sets of attributes whose cohorts are spoken of.
const SETS: usize = 24;

pub fn limitations(report: &Report, run: &Run, caps: &Caps) -> Vec<String> {
    let mut said: Vec<String> = words::list(&report.limitations, caps.texts, "report.json");
    said.extend(privacy(report, run));
    said.extend([deidentified(report, run), domains(report), unjudged(report)].into_iter().flatten());
    said.extend(cohorts(report));
    said.extend(readings(report));
    said.extend(rows(report));
    said.push(intervals(report));
    said.push("A criterion that is met says that this number, on these rows, is within its limit. It says nothing about numbers that were not measured, other rows, or how labels and decisions came about.".into());
    said
}

fn intervals(report: &Report) -> String {
    let covered = match report.privacy {
        Some(_) => "chance in sampling and the noise of the release",
        None => "chance in sampling",
    };
    format!(
        "Every interval holds {} by itself; of many intervals some miss. A breach is judged by intervals widened for the number of criteria. They cover {covered}. They do not cover bias: how rows came into the source or were left out of it, wrong labels, wrong measurements.",
        words::confidence(report.method.confidence)
    )
}

fn privacy(report: &Report, run: &Run) -> Vec<String> {
    let exact = report.receipts.iter().all(|receipt| receipt.mechanism == Mechanism::Exact);
    match (&report.privacy, exact) {
        (Some(statement), _) => private(statement, report, run),
        (None, true) => vec!["Differential privacy is off: every statistic was released by the mechanism exact, without noise. No differential-privacy claim holds for this report.".into()],
        (None, false) => vec!["Statistics have noise, but this report states no claim of differential privacy: none holds for it.".into()],
    }
}

fn private(statement: &PrivacyStatement, report: &Report, run: &Run) -> Vec<String> {
    let unit = match &statement.unit {
        Some(unit) => format!("all rows of one {}", words::name(unit)),
        None => "one row, and not a person with several rows".into(),
    };
    let mut said = vec![format!(
        "Differential privacy protects {unit}, against readers of what is published. It bounds what these rows add to what a reader learns. What is true of a group, and so likely of its members, is told, whatever the rows of one member."
    )];
    if run.edition == Some(Edition::Internal) {
        said.push(
            "This is the internal edition. It has values without noise, and no claim holds for whoever reads it."
                .into(),
        );
    }
    if report.model.is_none() {
        said.push("Given predictions, decisions and scores are taken as fixed attributes of a row: what a given model learned from other rows is not covered.".into());
    }
    said.push("Claims add up: who reads several reports on one population learns more than one of them tells. How long a draw takes is not hidden from somebody who watches the run.".into());
    if statement.unit.is_some() {
        said.push(format!(
            "Of a unit's rows at most {} are used: the figures describe the rows that were used, in which units of many rows weigh less than in the source.",
            statement.rows_per_unit_max
        ));
    }
    said
}

/// Whether the run de-identified rows, its columns can be linked, or both a claim and de-identification may be taken for one another.
fn deidentified(report: &Report, run: &Run) -> Option<String> {
    let dataset = run.files.iter().any(|file| file.name == "codebook.json");
    let linkable = report.data.columns.iter().any(|column| column.roles.contains(&Role::QuasiIdentifier));
    let what = match (dataset, report.privacy.is_some() || linkable) {
        (true, _) => "The de-identified dataset of this run",
        (false, true) => "De-identification, if the source or a copy of it went through any,",
        (false, false) => return None,
    };
    Some(format!(
        "{what} is not covered by a claim of differential privacy. k-anonymity, l-diversity, t-closeness, pseudonyms and the like limit attacks by the attributes they were set up for. What remains: who knows other attributes, or another file of the same people, may still single out, link or infer; several such files together may tell what one does not."
    ))
}

fn domains(report: &Report) -> Option<String> {
    let learned: Vec<String> = report
        .data
        .columns
        .iter()
        .filter(|column| column.origin == Origin::Learned)
        .map(|column| words::name(&column.name))
        .collect();
    let names = learned.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    let more = if learned.len() > 12 { ", and others" } else { "" };
    (!learned.is_empty()).then(|| {
        format!("Levels or bounds of {names}{more} were learned from the data, not declared: a value that should not occur is not noticed there.")
    })
}

fn unjudged(report: &Report) -> Option<String> {
    let criteria = criteria(report);
    if criteria.is_empty() {
        return Some("No criterion was judged. The measurements stand without a limit.".into());
    }
    let n = criteria
        .iter()
        .filter(|criterion| {
            criterion.findings.iter().any(|f| matches!(f.verdict, Verdict::Undetermined | Verdict::NotMeasured))
        })
        .count();
    (n > 0).then(|| {
        format!(
            "For {} the data did not decide at least one value; see the reasons there.",
            words::many(n, "criterion", "criteria")
        )
    })
}

fn cohorts(report: &Report) -> Vec<String> {
    let least = i64::try_from(report.method.support_min).unwrap_or(i64::MAX);
    let mut said = Vec::new();
    let noise = if report.privacy.is_some() { ", by a count with noise" } else { "" };
    let tables: Vec<_> = report.cohorts.iter().filter(|table| !table.across.is_empty()).collect();
    for table in tables.iter().take(SETS) {
        let across = words::across(&table.across);
        let small = table.rows.iter().filter(|row| row.compared && row.n.is_some_and(|n| n < least)).count();
        if small > 0 {
            said.push(format!(
                "Across {across}, {} fewer than {least} rows{noise}: their intervals are wide and no criterion is judged on them.",
                words::many(small, "cohort has", "cohorts have")
            ));
        }
        let aside: i64 = table.rows.iter().filter(|row| !row.compared).filter_map(|row| row.n).sum();
        if aside > 0 {
            said.push(format!(
                "Across {across}, {} of unknown or undeclared level{noise}: shown, and compared with nobody.",
                words::many(aside as usize, "row is", "rows are")
            ));
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
        said.push(format!(
            "{} undefined, each with its reason; undefined is not zero.",
            words::many(undefined, "value is", "values are")
        ));
    }
    if suppressed > 0 {
        said.push(format!(
            "{} withheld: a count below {} is behind them, or could be computed from them.",
            words::many(suppressed, "value is", "values are"),
            report.method.suppress_below
        ));
    }
    said
}

fn rows(report: &Report) -> Vec<String> {
    let data = &report.data;
    let noise = if report.privacy.is_some() { ", by a count with noise" } else { "" };
    let mut said = Vec::new();
    if report.privacy.is_some() && data.filter.is_some() {
        said.push("Rows the filter leaves out are not counted; nothing here is about them.".into());
    }
    if data.rows_kept < data.rows_read {
        said.push(format!(
            "{} left out by the filter; nothing here is about them.",
            words::many((data.rows_read - data.rows_kept) as usize, "row was", "rows were")
        ));
    }
    let malformed: i64 = data.columns.iter().filter_map(|column| column.malformed).sum();
    if malformed > 0 {
        said.push(format!(
            "{} no value of its column's type and counts as missing{noise}.",
            words::many(malformed as usize, "field is", "fields are each")
        ));
    }
    if let Some(model) = &report.model {
        said.push("The model was trained here, on rows of the same source; how it does on rows of another time or place is not measured.".into());
        if model.rows_skipped > 0 {
            said.push(format!(
                "{} left out of training because a feature was missing{noise}.",
                words::many(model.rows_skipped as usize, "row was", "rows were")
            ));
        }
    }
    said
}
