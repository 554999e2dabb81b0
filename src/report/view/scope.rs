//! Which rows and columns were audited, and what of them was not.

use serde::Serialize;

use super::words;
use super::{Caps, Fact, fact};
use crate::report::document::{Column, Domain, Origin, Report};

#[derive(Debug, Clone, Serialize)]
pub struct Scope {
    pub rows: Vec<Fact>,
    /// What the counts of the columns are.
    pub columns_caption: &'static str,
    pub columns: Vec<Row>,
    pub columns_more: String,
    /// How promises are judged; empty without noise.
    pub promises_note: &'static str,
    pub promises: Vec<Promise>,
    pub promises_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub name: String,
    pub roles: String,
    pub domain: String,
    pub origin: &'static str,
    pub derived: String,
    pub missing: String,
    pub outside: String,
    pub malformed: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Promise {
    pub text: String,
    pub kept: bool,
}

pub fn scope(report: &Report, caps: &Caps) -> Scope {
    let data = &report.data;
    let filter = match &data.filter {
        Some(filter) => words::sentence(filter),
        None => "none; every row of the source is kept".into(),
    };
    let rows = match &report.privacy {
        Some(_) => vec![
            fact("Rows kept, with noise", words::count(data.rows_kept)),
            fact("Rows measured, with noise", words::count(data.rows_measured)),
            fact("Filter", filter),
        ],
        None => vec![
            fact("Rows read", words::count(data.rows_read)),
            fact(
                "Rows kept",
                format!(
                    "{} ({} of those read)",
                    words::count(data.rows_kept),
                    words::percent(data.rows_kept, data.rows_read)
                ),
            ),
            fact(
                "Rows measured",
                format!(
                    "{} ({} of those kept)",
                    words::count(data.rows_measured),
                    words::percent(data.rows_measured, data.rows_kept)
                ),
            ),
            fact("Filter", filter),
        ],
    };
    let private = report.privacy.is_some();
    let columns = data.columns.iter().take(caps.columns).map(|column| row(column, data.rows_kept, private)).collect();
    let promise =
        |promise: &crate::report::document::Promise| Promise { text: words::prose(&promise.text), kept: promise.kept };
    Scope {
        rows,
        columns_caption: match private {
            true => {
                "Columns that were read, and what they are for. Missing, outside and malformed count rows kept, with noise: a count may be below 0. Only columns with a promise are counted, because every count costs budget."
            }
            false => "Columns that were read, and what they are for. Missing, outside and malformed count rows kept.",
        },
        columns,
        columns_more: words::more(data.columns.len(), caps.columns, "columns", "evidence/columns.csv"),
        promises_note: match private {
            true => {
                "Promises are judged on counts with noise. A promise is broken only when the counts break it by more than the slack that is stated with it: one that the rows break by less may be called kept."
            }
            false => "",
        },
        promises: data.promises.iter().take(caps.texts).map(promise).collect(),
        promises_more: words::more(data.promises.len(), caps.texts, "clauses", "report.json"),
    }
}

fn row(column: &Column, kept: i64, private: bool) -> Row {
    let share = |n: Option<i64>| match n {
        None if private => "not published".into(),
        None => "withheld".into(),
        Some(0) => "0".into(),
        Some(n) => format!("{} ({})", words::count(n), words::percent(n, kept)),
    };
    let roles: Vec<&str> = column.roles.iter().map(|role| role.name()).collect();
    Row {
        name: words::name(&column.name),
        roles: if roles.is_empty() { "none".into() } else { roles.join(", ") },
        domain: domain(&column.domain),
        origin: match (&column.domain, column.origin) {
            (Domain::Open, Origin::Learned) => "learned from the data, and not told",
            (Domain::Open, Origin::Declared) => "not declared",
            (_, Origin::Declared) => "declared",
            (_, Origin::Learned) => "learned from the data",
        },
        derived: column.derived.as_deref().map(words::sentence).unwrap_or_default(),
        missing: share(column.missing),
        outside: share(column.outside),
        malformed: share(column.malformed),
    }
}

fn domain(domain: &Domain) -> String {
    match domain {
        Domain::Open => "open".into(),
        Domain::Bounds { lower, upper } => format!("{} to {}", words::tick(*lower), words::tick(*upper)),
        Domain::Levels(levels) => {
            let shown: Vec<String> = levels.iter().take(8).map(|level| words::name(level)).collect();
            let left = levels.len().saturating_sub(8);
            let more = if left > 0 { format!(", and {left} more") } else { String::new() };
            format!("{}{more}", shown.join(", "))
        }
    }
}
