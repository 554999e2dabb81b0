//! Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for what shows results of code scanning.
//!
//! A criterion is a rule, a finding a result: `fail` when breached, `review` when undetermined, `open` when not measured, `pass` when met.
//! Only a breach has a level (3.27.10): error for `deny`, warning for `warn`. A waiver is a suppression with its reason.

use serde_json::{Value, json};

use crate::finding::Verdict;
use crate::plan::spec::Level;
use crate::report::document::{Finding, Report, Run};
use crate::report::sha256;
use crate::report::view::Names;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Where results are looked at: code scanning shows nothing without a place in a file.
const PLACE: &str = "report.json";

pub fn sarif(report: &Report, run: &Run) -> String {
    let mut codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let names = Names::of(report);
    let rules: Vec<Value> = codes.iter().map(|code| rule(code, report)).collect();
    let results: Vec<Value> = report.findings.iter().map(|finding| result(finding, &codes, &names)).collect();
    let version = report.generator.rsplit(' ').next().unwrap_or_default();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "evenhand", "version": version, "semanticVersion": version, "rules": rules } },
            "automationDetails": { "id": format!("evenhand/{}/{}", run.pipeline, run.run_id) },
            "invocations": [{
                "executionSuccessful": true,
                "exitCode": run.exits.first().map_or(0, |exit| exit.code),
                "startTimeUtc": run.started_at,
                "endTimeUtc": run.finished_at,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    // A tree of JSON values has a text.
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn rule(code: &str, report: &Report) -> Value {
    let of = report.findings.iter().find(|finding| finding.code == code);
    let metric = of.and_then(|finding| finding.gate.as_ref()).map(|gate| gate.metric.as_str());
    let card = report.metrics.iter().find(|card| Some(card.id.as_str()) == metric);
    let short = card.map_or_else(|| code.to_string(), |card| card.name.clone());
    let mut rule = json!({ "id": code, "shortDescription": { "text": short } });
    if let Some(card) = card {
        rule["fullDescription"] = json!({ "text": card.formula });
        rule["help"] =
            json!({ "text": format!("{}. What it hides: {}. Source: {}.", card.formula, card.hides, card.source) });
    }
    rule
}

fn result(finding: &Finding, codes: &[&str], names: &Names) -> Value {
    let (kind, level) = match (finding.verdict, finding.level) {
        (Verdict::Breached, Level::Deny) => ("fail", "error"),
        (Verdict::Breached, Level::Warn) => ("fail", "warning"),
        (Verdict::Undetermined, _) => ("review", "none"),
        (Verdict::NotMeasured, _) => ("open", "none"),
        (Verdict::Met, _) => ("pass", "none"),
    };
    let cohort = finding.cohort.to_string();
    let limit = finding.gate.as_ref().map(|gate| (gate.at_most.map(f64::to_bits), gate.at_least.map(f64::to_bits)));
    let print = sha256(format!("{}\0{cohort}\0{limit:?}", finding.code).as_bytes());
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": codes.binary_search(&finding.code.as_str()).unwrap_or_default(),
        "kind": kind,
        "level": level,
        "message": { "text": message(finding, &cohort, names) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": PLACE }, "region": { "startLine": 1 } },
            "logicalLocations": [{ "name": cohort, "kind": "cohort" }],
        }],
        "partialFingerprints": { "evenhand/v1": print },
    });
    if let Some(waiver) = &finding.waiver {
        let text = format!("until {}: {}", waiver.until, waiver.reason);
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": text }]);
    }
    result
}

/// Which metric of whom, compared with whom, and why.
fn message(finding: &Finding, cohort: &str, names: &Names) -> String {
    let Some(gate) = &finding.gate else { return format!("{cohort}: {}", finding.reason) };
    let metric = names.metric(&gate.metric);
    let compared = gate.compare.map(|compare| format!(", {compare}")).unwrap_or_default();
    let with = names.other(gate, &finding.cohort).map(|other| format!(", compared with {other}")).unwrap_or_default();
    format!("{metric}{compared}, {cohort}{with}: {}", finding.reason)
}
