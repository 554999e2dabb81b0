//! What the report cannot say, read off the run itself, after what the run says of itself.

use super::Caps;
use super::gates::criteria;
use super::words;
use crate::budget::Mechanism;
use crate::finding::Verdict;
use crate::report::document::{Measured, Origin, Report};

pub fn limitations(report: &Report, caps: &Caps) -> Vec<String> {
    let mut said: Vec<String> = report.limitations.iter().take(caps.texts).map(|text| words::sentence(text)).collect();
    said.extend([privacy(report), domains(report), unjudged(report)].into_iter().flatten());
    said.extend(cohorts(report));
    said.extend(readings(report));
    said.extend(rows(report));
    said.push(format!(
        "Every interval holds {} by itself; of many intervals some miss. A breach is judged by intervals widened for the number of criteria.",
        words::confidence(report.method.confidence)
    ));
    said.push("A criterion that is met says that this number, on these rows, is within its limit. It says nothing about numbers that were not measured, other rows, or how labels and decisions came about.".into());
    said
}

fn privacy(report: &Report) -> Option<String> {
    let exact = report.receipts.iter().all(|receipt| receipt.mechanism == Mechanism::Exact);
    Some(match exact {
        true => "Differential privacy is off: every statistic was released by the mechanism exact, without noise. No differential-privacy claim holds for this report.".into(),
        false => "Differential privacy protects one unit at a time, against readers of what is published. Given predictions, decisions and scores are taken as fixed attributes of a row: what a given model learned from other rows is not covered. How long a draw takes is not hidden from somebody who watches the run.".into(),
    })
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
    for table in report.cohorts.iter().filter(|table| !table.across.is_empty()).take(24) {
        let across = words::across(&table.across);
        let small = table.rows.iter().filter(|row| row.compared && row.n.is_some_and(|n| n < least)).count();
        if small > 0 {
            said.push(format!(
                "Across {across}, {} fewer than {least} rows: their intervals are wide and no criterion is judged on them.",
                words::many(small, "cohort has", "cohorts have")
            ));
        }
        let aside: i64 = table.rows.iter().filter(|row| !row.compared).filter_map(|row| row.n).sum();
        if aside > 0 {
            said.push(format!(
                "Across {across}, {} of unknown or undeclared level: shown, and compared with nobody.",
                words::many(aside as usize, "row is", "rows are")
            ));
        }
    }
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
    let mut said = Vec::new();
    if data.rows_kept < data.rows_read {
        said.push(format!(
            "{} left out by the filter; nothing here is about them.",
            words::many((data.rows_read - data.rows_kept) as usize, "row was", "rows were")
        ));
    }
    let malformed: i64 = data.columns.iter().filter_map(|column| column.malformed).sum();
    if malformed > 0 {
        said.push(format!(
            "{} no value of its column's type and counts as missing.",
            words::many(malformed as usize, "field is", "fields are each")
        ));
    }
    if let Some(model) = &report.model {
        said.push("The model was trained here, on rows of the same source; how it does on rows of another time or place is not measured.".into());
        if model.rows_skipped > 0 {
            said.push(format!(
                "{} left out of training because a feature was missing.",
                words::many(model.rows_skipped as usize, "row was", "rows were")
            ));
        }
    }
    said
}
