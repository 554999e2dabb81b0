//! The same run for other readers: Markdown for a pull request, SARIF 2.1.0 for code scanning, JUnit XML for a test report.
//!
//! Each is a pure function of `report.json` and `run.json`, as the page is.

use crate::plan::spec::Language;

use super::{Own, ReportError, document, html_with, language};

mod junit;
mod markdown;
mod sarif;

/// A form of a finished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Html,
    Markdown,
    Sarif,
    Junit,
}

impl Form {
    /// Name of its file in a run folder.
    pub fn file(self) -> &'static str {
        match self {
            Form::Html => "report.html",
            Form::Markdown => "summary.md",
            Form::Sarif => "findings.sarif",
            Form::Junit => "junit.xml",
        }
    }
}

/// Renders a form from the bytes of the two documents; the page with the templates of its pipeline.
pub fn form(form: Form, (report_json, run_json): (&[u8], &[u8]), own: &Own) -> Result<String, ReportError> {
    let (report, run) = match form {
        Form::Html => return html_with(report_json, run_json, own),
        _ => document::pair(report_json, run_json)?,
    };
    // What machines read is English.
    let language = if form == Form::Markdown { report.pipeline.language } else { Language::En };
    Ok(language::within(language, || match form {
        Form::Markdown => markdown::markdown(&report, &run),
        Form::Sarif => sarif::sarif(&report, &run),
        Form::Junit | Form::Html => junit::junit(&report, &run),
    }))
}

#[cfg(test)]
mod tests;
