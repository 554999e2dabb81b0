//! Criteria as JUnit XML, for what shows results of tests: a suite for the pipeline, a case for every judged value.
//!
//! A breach of level `deny` is a failure; one that is undetermined or not measured an error, for the run exits with 4; of level `warn`, or
//! waived, the case is skipped with its reason. XML 1.0 has no place for most control characters: they become spaces.

use std::fmt::Write;

use crate::finding::Verdict;
use crate::plan::spec::Level;
use crate::report::document::{Finding, Report, Run};

pub fn junit(report: &Report, run: &Run) -> String {
    let mut cases = String::new();
    let (mut failures, mut errors, mut skipped) = (0u32, 0u32, 0u32);
    for finding in &report.findings {
        let reason = escaped(&finding.reason);
        let name = escaped(&format!("{}{}", finding.cohort, limit(finding)));
        let _ = write!(cases, "    <testcase classname=\"{}\" name=\"{name}\"", escaped(&finding.code));
        let inner = match (finding.verdict, finding.level, &finding.waiver) {
            (Verdict::Met, ..) => String::new(),
            (verdict, _, Some(waiver)) => {
                skipped += 1;
                let text = escaped(&format!("waived until {}: {}", waiver.until, waiver.reason));
                format!("<skipped message=\"{}: {text}\"/>", word(verdict))
            }
            (verdict, Level::Warn, None) => {
                skipped += 1;
                format!("<skipped message=\"{} (warn): {reason}\"/>", word(verdict))
            }
            (Verdict::Breached, Level::Deny, None) => {
                failures += 1;
                format!("<failure type=\"breached\" message=\"{reason}\"/>")
            }
            (verdict, Level::Deny, None) => {
                errors += 1;
                format!("<error type=\"{}\" message=\"{reason}\"/>", word(verdict))
            }
        };
        match inner.is_empty() {
            true => cases.push_str("/>\n"),
            false => {
                let _ = writeln!(cases, ">{inner}</testcase>");
            }
        }
    }
    let tests = report.findings.len();
    let name = escaped(&report.pipeline.name);
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"evenhand\" {counts}>\n  \
         <testsuite name=\"{name}\" id=\"{}\" timestamp=\"{}\" {counts}>\n{cases}  </testsuite>\n</testsuites>\n",
        escaped(&run.run_id),
        escaped(run.started_at.trim_end_matches('Z')),
    )
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Breached => "breached",
        Verdict::Undetermined => "undetermined",
        Verdict::NotMeasured => "not-measured",
    }
}

/// Two criteria on one value differ by their limit.
fn limit(finding: &Finding) -> String {
    let Some(gate) = &finding.gate else { return String::new() };
    let part = |word: &str, limit: Option<f64>| limit.map(|limit| format!(" {word} {limit}")).unwrap_or_default();
    part("at least", gate.at_least) + &part("at most", gate.at_most)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
