//! The mail of a run: subject, HTML, plain text and a picture, from the two documents of a run.
//!
//! Pure: the same documents and the same frame give the same texts. The HTML is one table of 600 px for mail programs that know neither style
//! sheets nor flow; the plain text says the same facts. `deliver` makes a message of it.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{self, Report, Run};
use super::view::mail::{MailView, mail};
use super::{ReportError, html, language, sha256};
use crate::audit::Edition;
use crate::finding::{Judged, Outcome};
use crate::plan::spec::Body;

mod hook;
mod marks;

pub use super::view::mail::{Frame, Notice, Past};

/// The two documents of a run.
pub struct Documents {
    report: Report,
    run: Run,
    sha256: String,
}

/// A mail before it is a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub subject: String,
    pub html: String,
    pub text: String,
    /// SVG without text, 600 units wide; empty where there is nothing to draw.
    pub picture: String,
}

/// The picture in the HTML: its place in the message.
pub const PICTURE_ID: &str = "criteria";

/// Largest HTML: mail programs cut longer ones.
pub const BYTES_MAX: usize = 30_000;

impl Documents {
    pub fn read(report_json: &[u8], run_json: &[u8]) -> Result<Documents, ReportError> {
        let (report, run) = document::pair(report_json, run_json)?;
        Ok(Documents { report, run, sha256: sha256(report_json) })
    }

    pub fn pipeline(&self) -> &str {
        &self.run.pipeline
    }

    pub fn run_id(&self) -> &str {
        &self.run.run_id
    }

    /// RFC 3339, UTC.
    pub fn finished_at(&self) -> &str {
        &self.run.finished_at
    }

    pub fn outcome(&self) -> Outcome {
        self.report.outcome
    }

    pub fn edition(&self) -> Option<Edition> {
        self.run.edition
    }

    /// How every finding was judged.
    pub fn judged(&self) -> BTreeSet<Judged> {
        let judged = |finding: &document::Finding| {
            let pairs: BTreeMap<&str, &str> =
                finding.cohort.pairs.iter().map(|(name, level)| (name.as_str(), level.as_str())).collect();
            let cohort = serde_json::to_string(&pairs).unwrap_or_default();
            Judged { code: finding.code.clone(), cohort, verdict: finding.verdict }
        };
        self.report.findings.iter().map(judged).collect()
    }

    /// The mail, in the language of the pipeline.
    pub fn mail(&self, frame: &Frame) -> Result<Mail, ReportError> {
        self.within(|| {
            let view = self.view(frame);
            Ok(Mail {
                html: html::mail("mail.html", &view)?,
                text: html::mail("mail.txt", &view)?,
                picture: marks::marks(&view.marks),
                subject: view.subject,
            })
        })
    }

    /// What is posted to a webhook, in the language of the pipeline.
    pub fn hook(&self, body: Body, frame: &Frame) -> Result<Vec<u8>, ReportError> {
        let said = self.within(|| match body {
            Body::Json => hook::json(&self.report, &self.run, &self.view(frame), frame),
            Body::Slack => hook::slack(&self.view(frame)),
            Body::Teams => hook::teams(&self.view(frame)),
        });
        super::pretty("the body of a webhook", &said)
    }

    fn view(&self, frame: &Frame) -> MailView {
        mail(&self.report, &self.run, &self.sha256, frame)
    }

    fn within<T>(&self, make: impl FnOnce() -> T) -> T {
        language::within(self.report.pipeline.language, make)
    }
}

#[cfg(test)]
mod tests;
