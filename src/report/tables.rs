//! The tables of a run for a spreadsheet: `evidence/*.csv`, RFC 4180, UTF-8.
//!
//! Nothing is left out: what the page of HTML only counts stands here. A number that is not there is an empty field, and the field
//! `status` says why. A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection).

use csv::{Terminator, Writer, WriterBuilder};
use serde::Serialize;

use crate::audit::{Audit, CohortRow, Contrast};
use crate::estimate::{Interval, Measured};
use crate::finding::Finding;
use crate::schema::Domain;

/// Every table: name within the run folder, content.
pub fn all(audit: &Audit) -> Vec<(String, Vec<u8>)> {
    vec![
        ("evidence/readings.csv".into(), readings(audit)),
        ("evidence/findings.csv".into(), findings(audit)),
        ("evidence/cohorts.csv".into(), cohorts(audit)),
        ("evidence/columns.csv".into(), columns(audit)),
    ]
}

/// One table being written. Writing to memory does not fail.
struct Table(Writer<Vec<u8>>);

impl Table {
    fn new(header: &[&str]) -> Table {
        let mut table = Table(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new()));
        table.row(header.iter().map(|name| Field::Text(name.to_string())).collect());
        table
    }

    fn row(&mut self, fields: Vec<Field>) {
        let _ = self.0.write_record(fields.iter().map(Field::text));
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
    }
}

enum Field {
    Text(String),
    Number(String),
    None,
}

impl Field {
    fn text(&self) -> String {
        match self {
            Field::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => format!("'{text}"),
            Field::Text(text) | Field::Number(text) => text.clone(),
            Field::None => String::new(),
        }
    }
}

fn text(value: impl ToString) -> Field {
    Field::Text(value.to_string())
}

/// The name of a variant as the JSON has it.
fn name(value: &impl Serialize) -> Field {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Field::Text(name),
        _ => Field::None,
    }
}

fn integer(value: i64) -> Field {
    Field::Number(value.to_string())
}

fn number(value: f64) -> Field {
    if value.is_finite() { Field::Number(value.to_string()) } else { Field::None }
}

fn or_none<T>(value: Option<T>, field: impl Fn(T) -> Field) -> Field {
    value.map_or(Field::None, field)
}

fn across(names: &[std::sync::Arc<str>]) -> Field {
    match names.is_empty() {
        true => text("everyone"),
        false => text(names.join(" x ")),
    }
}

fn status(measured: &Measured) -> [Field; 2] {
    match measured {
        Measured::Estimated(_) => [text("estimated"), Field::None],
        Measured::Undefined { why } => [text("undefined"), text(why.describe())],
        Measured::Suppressed => [text("suppressed"), Field::None],
    }
}

fn ends(interval: Option<Interval>) -> [Field; 2] {
    [or_none(interval.and_then(|i| i.lower), number), or_none(interval.and_then(|i| i.upper), number)]
}

fn readings(audit: &Audit) -> Vec<u8> {
    let mut table = Table::new(&[
        "metric",
        "across",
        "cohort",
        "compare",
        "against",
        "with",
        "status",
        "why",
        "point",
        "lower",
        "upper",
        "confidence",
        "n",
        "n_effective",
        "method",
    ]);
    for reading in &audit.readings {
        let contrast = reading.contrast.as_ref();
        let estimate = reading.measured.estimate();
        let mut row = vec![text(&reading.metric), across(&reading.across), text(&reading.cohort)];
        row.extend(compared(contrast));
        row.push(or_none(contrast.and_then(|contrast| contrast.with.as_ref()), text));
        row.extend(status(&reading.measured));
        row.push(or_none(estimate, |e| number(e.point)));
        row.extend(ends(estimate.map(|e| e.interval)));
        row.extend([
            or_none(estimate, |e| number(e.confidence)),
            or_none(estimate, |e| integer(e.support.n)),
            or_none(estimate, |e| number(e.support.n_effective)),
            or_none(estimate, |e| name(&e.method)),
        ]);
        table.row(row);
    }
    table.bytes()
}

fn compared(contrast: Option<&Contrast>) -> [Field; 2] {
    [or_none(contrast, |contrast| text(contrast.compare)), or_none(contrast, |contrast| text(contrast.against))]
}

fn findings(audit: &Audit) -> Vec<u8> {
    let mut table = Table::new(&[
        "code",
        "verdict",
        "level",
        "metric",
        "compare",
        "against",
        "across",
        "at_most",
        "at_least",
        "cohort",
        "status",
        "why",
        "point",
        "lower",
        "upper",
        "n",
        "judged_lower",
        "judged_upper",
        "reason",
        "waived_until",
        "waiver_reason",
        "id",
    ]);
    for finding in &audit.findings {
        table.row(finding_row(finding));
    }
    table.bytes()
}

fn finding_row(finding: &Finding) -> Vec<Field> {
    let gate = finding.gate.as_ref();
    let estimate = finding.measured.as_ref().and_then(Measured::estimate);
    let mut row = vec![text(&finding.code), name(&finding.verdict), name(&finding.level)];
    row.extend([
        or_none(gate, |gate| text(&gate.metric)),
        or_none(gate.and_then(|gate| gate.compare), text),
        or_none(gate.and_then(|gate| gate.against), text),
        or_none(gate, |gate| across(&gate.across)),
        or_none(gate.and_then(|gate| gate.at_most), number),
        or_none(gate.and_then(|gate| gate.at_least), number),
        text(&finding.cohort),
    ]);
    row.extend(finding.measured.as_ref().map_or([text("not measured"), Field::None], status));
    row.push(or_none(estimate, |e| number(e.point)));
    row.extend(ends(estimate.map(|e| e.interval)));
    row.push(or_none(estimate, |e| integer(e.support.n)));
    row.extend(ends(finding.judged_interval));
    let waiver = finding.waiver.as_ref();
    row.extend([text(&finding.reason), or_none(waiver, |w| text(&w.until)), or_none(waiver, |w| text(&w.reason))]);
    row.push(text(crate::finding::id(&finding.code, &finding.cohort)));
    row
}

fn cohorts(audit: &Audit) -> Vec<u8> {
    let mut header = vec!["across".to_string(), "cohort".into(), "compared".into(), "status".into(), "n".into()];
    let codes = ["0", "1", "unknown"];
    header.extend(codes.iter().map(|code| format!("label_{code}")));
    header.extend(codes.iter().map(|code| format!("decision_{code}")));
    header.extend(
        codes.iter().flat_map(|label| codes.iter().map(move |decision| format!("label_{label}_decision_{decision}"))),
    );
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for set in &audit.cohorts {
        for cohort in &set.rows {
            let mut row = vec![across(&set.across), text(&cohort.cohort), text(cohort.compared)];
            row.extend(counts(cohort));
            table.row(row);
        }
    }
    table.bytes()
}

fn counts(cohort: &CohortRow) -> Vec<Field> {
    let three =
        |counts: Option<[i64; 3]>| counts.map_or([Field::None, Field::None, Field::None], |counts| counts.map(integer));
    let mut row = vec![text(if cohort.n.is_some() { "counted" } else { "suppressed" }), or_none(cohort.n, integer)];
    row.extend(three(cohort.labels));
    row.extend(three(cohort.decisions));
    (0..3).for_each(|label| row.extend(three(cohort.joint.map(|joint| joint[label]))));
    row
}

fn columns(audit: &Audit) -> Vec<u8> {
    let mut table = Table::new(&["column", "roles", "domain", "origin", "derived", "missing", "outside", "malformed"]);
    for column in &audit.data.columns {
        let roles: Vec<&str> = column.roles.iter().map(|role| role.name()).collect();
        table.row(vec![
            text(&column.name),
            text(roles.join(", ")),
            text(domain(&column.domain)),
            name(&column.origin),
            or_none(column.derived.as_ref(), text),
            or_none(column.missing, integer),
            or_none(column.outside, integer),
            or_none(column.malformed, integer),
        ]);
    }
    table.bytes()
}

fn domain(domain: &Domain) -> String {
    match domain {
        Domain::Levels(levels) => levels.join(" | "),
        Domain::Bounds { lower, upper } => format!("{lower} to {upper}"),
        Domain::Open => "open".into(),
    }
}
