//! A finished run as metrics for the textfile collector of a Prometheus node exporter.
//!
//! The text format of exposition 0.0.4. Under differential privacy durations and counts of rows are left out, as in the public edition.

use std::fmt::Write;

use crate::audit::{Audit, Edition, Record};
use crate::finding::{Outcome, Verdict};

/// The metrics of a run that finished.
pub fn textfile(audit: &Audit, record: &Record, exit_code: u8) -> String {
    let mut text = String::new();
    let pipeline = escaped(&record.pipeline);
    let mut gauge = |name: &str, help: &str, values: &[(String, String)]| {
        let _ = writeln!(text, "# HELP evenhand_{name} {help}\n# TYPE evenhand_{name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "evenhand_{name}{{pipeline=\"{pipeline}\"{labels}}} {value}");
        }
    };
    let one = |value: String| vec![(String::new(), value)];
    gauge("run_exit_code", "Exit code of the last run.", &one(exit_code.to_string()));
    let outcomes = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Inconclusive].map(|outcome| {
        let word = match outcome {
            Outcome::Pass => "pass",
            Outcome::Warn => "warn",
            Outcome::Fail => "fail",
            Outcome::Inconclusive => "inconclusive",
        };
        (format!(",outcome=\"{word}\""), u8::from(outcome == record.outcome).to_string())
    });
    gauge("run_outcome", "1 for the outcome of the last run.", &outcomes);
    let verdicts = [
        ("met", Verdict::Met),
        ("breached", Verdict::Breached),
        ("undetermined", Verdict::Undetermined),
        ("not-measured", Verdict::NotMeasured),
    ]
    .map(|(word, verdict)| {
        let open = audit.findings.iter().filter(|finding| finding.verdict == verdict && finding.waiver.is_none());
        (format!(",verdict=\"{word}\""), open.count().to_string())
    });
    gauge("findings", "Findings of the last run that no waiver covers, by verdict.", &verdicts);
    if let Some(at) = seconds(&record.finished_at) {
        gauge("run_finished_timestamp_seconds", "When the last run finished.", &one(at.to_string()));
    }
    if let (None | Some(Edition::Internal), Some(began), Some(at)) =
        (record.edition, seconds(&record.started_at), seconds(&record.finished_at))
    {
        gauge("run_duration_seconds", "Duration of the last run.", &one((at - began).to_string()));
        gauge("run_rows", "Rows the last run read.", &one(audit.data.rows_read.to_string()));
    }
    text
}

/// The metrics of a run that did not finish: when it was tried is the time of the file.
pub fn textfile_unfinished(pipeline: &str, exit_code: u8) -> String {
    format!(
        "# HELP evenhand_run_exit_code Exit code of the last run.\n# TYPE evenhand_run_exit_code gauge\n\
         evenhand_run_exit_code{{pipeline=\"{}\"}} {exit_code}\n",
        escaped(pipeline)
    )
}

fn seconds(instant: &str) -> Option<i64> {
    instant.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// A label value: backslash, quote and line feed are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
