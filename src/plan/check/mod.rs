//! Everything that is wrong with a pipeline file, at once: what, where, and what to do.
//!
//! The file is read three times over: its syntax; its keys against the tables of `keys`; what it says, section by section. What the
//! second reading finds is mended where it can be, so that the third goes on, and nothing is complained about twice. Codes are stable.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::policy::{self, Policy};
use super::regulation;
use super::spec::{Ingest, Spec};
use crate::scalar::Scalar;
use crate::scan::SourceColumn;

mod attacks;
mod bias;
mod coarsening;
mod columns;
mod deidentify;
mod document;
mod expressions;
mod gates;
mod keys;
mod notify;
mod privacy;
mod report;
#[cfg(feature = "schedule")]
mod schedule;
mod secrets;
mod sign;
mod smtp;
mod stages;

use document::Document;

pub use notify::variables_of;
pub use stages::proposed_name;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing runs until it is mended.
    Error,
    /// It runs, and probably not as meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// Stable, in kebab case.
    pub code: &'static str,
    pub severity: Severity,
    pub file: String,
    /// Bytes of the file.
    pub at: Range<usize>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Complaint {
    pub fn error(
        code: &'static str,
        file: &str,
        at: Range<usize>,
        message: String,
        remedy: Option<String>,
    ) -> Complaint {
        Complaint { code, severity: Severity::Error, file: file.into(), at, message, remedy }
    }
}

/// Why a text is no expression, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unparsed {
    pub message: String,
    pub at: Range<usize>,
    pub remedy: Option<String>,
}

/// Reads an expression.
pub type Parse<'a> = &'a dyn Fn(&str) -> Result<Scalar, Unparsed>;

/// Reads an SQL expression.
#[cfg(feature = "sql")]
pub fn sql(text: &str) -> Result<Scalar, Unparsed> {
    super::expression::parse(text).map_err(|e| Unparsed { message: e.message, at: e.at, remedy: e.remedy })
}

/// A file's name, as messages show it, and its text.
pub type File<'a> = (&'a str, &'a str);

/// Checks a pipeline file and its policy file. `columns` are those of the source, where it can be opened. The pipeline comes back with
/// its policy merged in unless there is an error.
pub fn check(
    file: File,
    policy: Option<File>,
    columns: Option<&[SourceColumn]>,
    parse: Parse,
) -> (Option<Spec>, Vec<Complaint>) {
    let mut complaints = Vec::new();
    let document = read(file, keys::PIPELINE_FILE, &mut complaints);
    let policy = policy.and_then(|file| read(file, keys::POLICY_FILE, &mut complaints));
    let Some(document) = document else { return (None, complaints) };
    let spec: Option<Spec> = typed(&document, &mut complaints);
    let shared: Option<Policy> = policy.as_ref().and_then(|document| typed(document, &mut complaints));
    let Some(mut spec) = spec else { return (None, complaints) };
    let (own, own_rules) = (spec.judge.len(), spec.notify.len());
    policy::merge(&mut spec, shared.unwrap_or_default());
    spec = regulation::expand(&spec);
    let mut checker =
        Checker { spec: &spec, own, own_rules, document: &document, policy: policy.as_ref(), columns, complaints };
    stages::check(&mut checker);
    privacy::check(&mut checker);
    columns::separator(&mut checker);
    columns::check(&mut checker);
    expressions::check(&mut checker, parse);
    gates::check(&mut checker);
    bias::check(&mut checker);
    deidentify::check(&mut checker, parse);
    attacks::check(&mut checker, parse);
    notify::check(&mut checker);
    report::check(&mut checker);
    #[cfg(feature = "schedule")]
    schedule::check(&mut checker);
    sign::check(&mut checker);
    smtp::check(&mut checker);
    let mut complaints = checker.complaints;
    complaints.sort_by_key(|complaint| (complaint.file != file.0, complaint.at.start));
    complaints.dedup();
    let wrong = complaints.iter().any(|complaint| complaint.severity == Severity::Error);
    ((!wrong).then_some(spec), complaints)
}

/// Syntax errors named at most: in a file that is no TOML every line is one.
const SYNTAX_MAX: usize = 10;

/// The policy file a pipeline file names, and where.
pub fn policy_of(text: &str) -> Option<(String, Range<usize>)> {
    let document = Document::parse("", text).ok()?;
    let value = document.root.get("policy")?;
    Some((value.get_ref().as_str()?.to_string(), value.span()))
}

/// Where the rows of a pipeline come from, and where that is written; also of a file that has other faults.
pub fn ingest_of(text: &str) -> Option<(Ingest, Range<usize>)> {
    #[derive(Deserialize)]
    struct Only {
        ingest: Ingest,
    }
    let ingest = toml::from_str::<Only>(text).ok()?.ingest;
    let document = Document::parse("", text).ok()?;
    Some((ingest, document.value_at(&["ingest", "path"])))
}

/// Where a pipeline or policy file names a folder of templates.
pub fn templates_of(text: &str) -> Option<Range<usize>> {
    let document = Document::parse("", text).ok()?;
    document.root.get("report")?.get_ref().as_table()?.get("templates").map(|value| value.span())
}

/// The file for metrics a pipeline file names, and where.
pub fn textfile_of(text: &str) -> Option<(String, Range<usize>)> {
    let document = Document::parse("", text).ok()?;
    let value = document.value(&["schedule", "textfile"])?;
    Some((value.get_ref().as_str()?.to_string(), value.span()))
}

fn read<'a>(
    (file, text): File<'a>,
    keys: &'static [keys::Key],
    complaints: &mut Vec<Complaint>,
) -> Option<Document<'a>> {
    match Document::parse(file, text) {
        Ok(mut document) => {
            complaints.extend(keys::walk(&mut document, keys));
            complaints.extend(secrets::check(&document));
            Some(document)
        }
        Err(errors) => {
            let remedy = "texts need quotes, lists brackets, and a key may occur once per section";
            let left = errors.len().saturating_sub(SYNTAX_MAX);
            let complaint = |(i, e): (usize, document::Unreadable)| {
                let more = if left > 0 && i + 1 == SYNTAX_MAX {
                    format!("; {left} more are not shown")
                } else {
                    String::new()
                };
                Complaint::error(
                    "syntax",
                    file,
                    e.at,
                    format!("not TOML: {}", e.message),
                    Some(format!("{remedy}{more}")),
                )
            };
            complaints.extend(errors.into_iter().take(SYNTAX_MAX).enumerate().map(complaint));
            None
        }
    }
}

/// The typed form of a mended document. An error here is one that the tables of keys do not know.
fn typed<T: for<'de> Deserialize<'de>>(document: &Document, complaints: &mut Vec<Complaint>) -> Option<T> {
    let root = Spanned::new(0..document.text.len(), document.root.clone());
    match T::deserialize(toml::de::Deserializer::from(root)) {
        Ok(typed) => Some(typed),
        Err(e) => {
            let at = e.span().unwrap_or(0..0);
            complaints.push(Complaint::error("wrong-type", document.file, at, e.message().to_string(), None));
            None
        }
    }
}

/// What the stages of a check share.
struct Checker<'a> {
    spec: &'a Spec,
    /// Number of criteria of the pipeline file; those after are the policy's.
    own: usize,
    /// The same of rules on who is told.
    own_rules: usize,
    document: &'a Document<'a>,
    policy: Option<&'a Document<'a>>,
    columns: Option<&'a [SourceColumn]>,
    complaints: Vec<Complaint>,
}

/// What of a path is pointed at.
#[derive(Debug, Clone)]
enum Part {
    Key,
    Value,
    /// Bytes inside a text value.
    Inside(Range<usize>),
}

impl Checker<'_> {
    fn error(&mut self, code: &'static str, path: &[&str], message: impl Into<String>, remedy: impl Into<String>) {
        self.complain(Severity::Error, code, path, Part::Value, message.into(), Some(remedy.into()));
    }

    fn warning(&mut self, code: &'static str, path: &[&str], message: impl Into<String>, remedy: impl Into<String>) {
        self.complain(Severity::Warning, code, path, Part::Value, message.into(), Some(remedy.into()));
    }

    fn complain(
        &mut self,
        severity: Severity,
        code: &'static str,
        path: &[&str],
        part: Part,
        message: String,
        remedy: Option<String>,
    ) {
        let Some((document, path)) = self.place(path) else { return };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if document.is_faulty(&path) {
            return;
        }
        let at = match part {
            Part::Key => document.key_at(&path),
            Part::Value => document.value_at(&path),
            Part::Inside(bytes) => document.inside(&path, bytes),
        };
        let complaint = Complaint { code, severity, file: document.file.into(), at, message, remedy };
        self.complaints.push(complaint);
    }

    /// The document of a path: criteria and rules after the pipeline's own are the policy's, and so is a section the pipeline leaves out.
    fn place(&self, path: &[&str]) -> Option<(&Document<'_>, Vec<String>)> {
        let mut path: Vec<String> = path.iter().map(|step| step.to_string()).collect();
        let own = match path.first().map(String::as_str) {
            Some("smtp") if !self.document.root.contains_key("smtp") => return Some((self.policy?, path)),
            Some("judge") => Some(self.own),
            Some("notify") => Some(self.own_rules),
            _ => None,
        };
        let position = path.get(1).and_then(|step| step.parse::<usize>().ok());
        match position.zip(own).and_then(|(at, own)| at.checked_sub(own)) {
            Some(at) => {
                path[1] = at.to_string();
                Some((self.policy?, path))
            }
            None => Some((self.document, path)),
        }
    }

    /// True for a column that is read or derived.
    fn knows(&self, name: &str) -> bool {
        self.spec.schema.contains_key(name) || self.spec.derive.contains_key(name)
    }

    /// Complains about a name that is no column.
    fn unknown_column(&mut self, path: &[&str], part: Part, name: &str) {
        let known = self.spec.schema.keys().chain(self.spec.derive.keys());
        let in_source = self.columns.is_some_and(|columns| columns.iter().any(|column| &*column.name == name));
        let remedy = match in_source {
            true => Some(format!("the source has it: add [schema.{}]", quoted(name))),
            false => meant(name, known.map(String::as_str)),
        };
        self.complain(
            Severity::Error,
            "unknown-column",
            path,
            part,
            format!("there is no column {name:?} in [schema] or [derive]"),
            remedy,
        );
    }

    /// Complains about a level that is not declared.
    fn unknown_level(&mut self, path: &[&str], column: &str, level: &str) {
        let Some(levels) = self.spec.schema.get(column).and_then(|column| column.levels.as_ref()) else { return };
        if levels.iter().any(|other| other == level) {
            return;
        }
        let remedy = meant(level, levels.iter().map(String::as_str))
            .unwrap_or_else(|| format!("its levels: {}", shortened(levels)));
        self.error("unknown-level", path, format!("{level:?} is no level of {column}"), remedy);
    }
}

/// A key as TOML writes it.
pub(super) fn quoted(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_string() } else { basic(name) }
}

/// A text as a TOML string of one line.
pub(super) fn basic(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            c if c.is_control() => written.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => written.push(c),
        }
    }
    written + "\""
}

fn shortened(names: &[String]) -> String {
    let shown = names.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}

/// "did you mean" with the nearest names.
fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = near(name, known);
    let quoted: Vec<String> = near.iter().take(3).map(|near| format!("{near:?}")).collect();
    (!quoted.is_empty()).then(|| format!("did you mean {}?", quoted.join(" or ")))
}

/// The name most likely meant.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    near(name, known).into_iter().next()
}

/// Names like a name, the nearest first.
fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let short: String = name.chars().take(60).collect::<String>().to_lowercase();
    let score = |known: &'n str| (strsim::jaro_winkler(&short, &known.to_lowercase()), known);
    let mut scored: Vec<(f64, &str)> = known.map(score).filter(|(score, _)| *score > 0.8).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests;
