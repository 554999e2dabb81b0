//! `evenhand run PIPELINE`: the whole audit.

use std::io::IsTerminal;
#[cfg(feature = "schedule")]
use std::path::Path;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

#[cfg(feature = "schedule")]
use super::due::Asked;
use super::load::unfinished;
use super::log::{Log, Logged};
use super::{
    Loaded, Output, complaints, engine, load,
    progress::{grouped, progress},
};
use crate::audit::{Audit, ColumnFate, Data, Reading};
use crate::cohort::Cohort;
use crate::finding::{Finding, Outcome, Verdict};
use crate::report;
use crate::run::{Delivered, Pipeline, Request, deliver, deliver_locked};
use crate::world::{self, Clock, Entropy};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// Exit with 1 at the outcome WARN too.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// Exit with 0 whatever the outcome of a finished run.
    #[arg(long)]
    pub exit_zero: bool,
    /// Run only when [schedule] says the pipeline is due; else exit with 0, silently. A due time is run once: one that ends with 2 or 3 is not
    /// tried again before the next (`schedule check` finds it). While another run is at work: exit with 75, and it stays due.
    #[cfg(feature = "schedule")]
    #[arg(long)]
    pub due: bool,
    /// Append a log to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Warn,
}

/// Findings printed at most; the rest is in the report.
const PRINTED_MAX: usize = 10;

pub fn run(args: &Args, out: &Output) -> u8 {
    let loaded = match load(&args.pipeline) {
        Ok(loaded) => loaded,
        Err(failure) => return failure.print(out),
    };
    #[cfg(feature = "schedule")]
    let claimed = match args.due.then(|| super::due::ask(&loaded.spec, &loaded.folder, Clock::System)) {
        None => None,
        Some(Ok(Asked::Run(claimed))) => Some(claimed),
        Some(Ok(unclaimed @ (Asked::Wait(_) | Asked::Busy(_)))) => return left(unclaimed, &args.pipeline, out),
        Some(Err((code, why))) => {
            out.error(&format!("{}: {why}", args.pipeline.display()));
            return code;
        }
    };
    #[cfg(feature = "schedule")]
    let lock = claimed.as_ref().map(|claimed| &claimed.lock);
    #[cfg(not(feature = "schedule"))]
    let lock = None;
    let code = audit(args, &loaded, lock, out);
    #[cfg(feature = "schedule")]
    if let Some(claimed) = claimed {
        claimed.ended(code);
    }
    code
}

/// Nothing is run now: the exit code. A scheduler mails what is said, so only a person is told why.
#[cfg(feature = "schedule")]
fn left(asked: Asked, pipeline: &Path, out: &Output) -> u8 {
    let (code, why) = match asked {
        Asked::Busy(why) => (LOCKED, why),
        Asked::Wait(why) => (0, why),
        Asked::Run(_) => return 0,
    };
    if std::io::stderr().is_terminal() {
        out.note(&format!("{}: {why}", pipeline.display()));
    }
    code
}

/// Audits, under this lock where it is held already.
fn audit(args: &Args, loaded: &Loaded, lock: Option<&world::Lock>, out: &Output) -> u8 {
    if !out.quiet {
        complaints::print(&loaded.complaints, &loaded.files, &Output { format: super::Format::Human, ..*out });
    }
    let name = &loaded.spec.pipeline.name;
    let log = match Log::open(args.log_file.as_deref(), name, Clock::System) {
        Ok(log) => log,
        Err(e) => {
            return unfinished(
                out,
                &format!("the log cannot be opened: {e}; give --log-file a path that can be written"),
            );
        }
    };
    log.line("info", "run", json!({ "file": args.pipeline, "version": env!("CARGO_PKG_VERSION") }));
    let parse = |text: &str| crate::plan::expression::parse(text).map_err(|e| e.to_string());
    let (engine, engine_name) = engine();
    let progress = progress(out, std::io::stderr().is_terminal());
    let request = Request {
        pipeline: Pipeline { spec: &loaded.spec, spec_sha256: &loaded.sha256, folder: &loaded.folder, parse: &parse },
        engine: &*engine,
        engine_name,
        threads: world::threads(),
        clock: Clock::System,
        entropy: Entropy::System,
        progress: &Logged { to: &*progress, log: &log },
        fail_on_warn: args.fail_on == Some(FailOn::Warn),
    };
    let delivered = match lock {
        Some(lock) => deliver_locked(&request, lock),
        None => deliver(&request),
    };
    let delivered = match delivered {
        Ok(delivered) => delivered,
        Err(e) => {
            out.error(&format!("{}: {e}", args.pipeline.display()));
            log.line("error", "unfinished", json!({ "exit_code": e.exit_code(), "why": e.to_string() }));
            if e.exit_code() != LOCKED {
                textfile(loaded, &report::textfile_unfinished(name, e.exit_code()), out);
            }
            return e.exit_code();
        }
    };
    let code = if args.exit_zero { 0 } else { delivered.exit_code() };
    let summary_json = summary_json(&delivered);
    log.line("info", "done", summary_json.clone());
    textfile(loaded, &report::textfile(&delivered.audit, &delivered.record, delivered.exit_code()), out);
    match out.json() {
        true => out.result_json(&summary_json),
        false => out.result(&summary(&delivered)),
    }
    code
}

/// Another run is at work: what that one finds is what the metrics should say.
const LOCKED: u8 = 75;

/// Writes the metrics for a collector, where the pipeline file asks for them. The run is done: an error is told and changes nothing.
fn textfile(loaded: &Loaded, text: &str, out: &Output) {
    let Some(file) = loaded.spec.schedule.as_ref().and_then(|section| section.textfile.as_ref()) else { return };
    let place = loaded.folder.join(file);
    // The collector is another account than the one that runs.
    if let Err(e) = world::replace_public(&place, text.as_bytes()) {
        out.error(&format!("schedule.textfile: {e}"));
    }
}

/// Findings of this verdict that are criteria and not waived.
fn counted(findings: &[Finding], verdict: Verdict) -> usize {
    findings
        .iter()
        .filter(|finding| finding.gate.is_some() && finding.verdict == verdict && finding.waiver.is_none())
        .count()
}

fn counts(findings: &[Finding]) -> [(&'static str, usize); 5] {
    let waived = findings.iter().filter(|finding| finding.gate.is_some() && finding.waiver.is_some()).count();
    [
        ("met", counted(findings, Verdict::Met)),
        ("breached", counted(findings, Verdict::Breached)),
        ("undetermined", counted(findings, Verdict::Undetermined)),
        ("not measured", counted(findings, Verdict::NotMeasured)),
        ("waived", waived),
    ]
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "PASS",
        Outcome::Warn => "WARN",
        Outcome::Fail => "FAIL",
        Outcome::Inconclusive => "INCONCLUSIVE",
    }
}

/// The verdict in a few lines: what was found, where the report is.
pub fn summary(delivered: &Delivered) -> String {
    let (audit, record) = (&delivered.audit, &delivered.record);
    let counts = counts(&audit.findings);
    let judged: usize = counts.iter().map(|(_, n)| n).sum();
    let words: Vec<String> = counts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
    let words = if words.is_empty() { "no criterion, nothing was judged".to_string() } else { words.join(", ") };
    let mut lines = vec![format!("{}  {}: {judged} judged: {words}", word(audit.outcome), record.pipeline)];
    let open: Vec<&Finding> =
        audit.findings.iter().filter(|finding| finding.verdict != Verdict::Met && finding.waiver.is_none()).collect();
    for finding in open.iter().take(PRINTED_MAX) {
        let verdict = match finding.verdict {
            Verdict::Met => "met",
            Verdict::Breached => "breached",
            Verdict::Undetermined => "undetermined",
            Verdict::NotMeasured => "not measured",
        };
        let level = match finding.level {
            crate::plan::spec::Level::Deny => "deny",
            crate::plan::spec::Level::Warn => "warn",
        };
        let with = compared_with(audit, finding).map(|with| format!(", compared with {with}")).unwrap_or_default();
        lines.push(format!("  {verdict} ({level})  {}  {}{with}: {}", finding.code, finding.cohort, finding.reason));
    }
    if open.len() > PRINTED_MAX {
        lines.push(format!("  and {} more in evidence/findings.csv", open.len() - PRINTED_MAX));
    }
    // Noise makes some out of none.
    if audit.privacy.is_none() {
        lines.extend(outside(&audit.data));
    }
    for (promise, why) in delivered.exits().map(|exit| (exit.code, &exit.why)) {
        lines.push(format!("  exit {promise}: {why}"));
    }
    lines.push(format!("  report  {}", delivered.folder.join("report.html").display()));
    if let Some(key) = &record.signed_by {
        lines.push(format!("  signed  by the key {}", key.get(..16).unwrap_or(key)));
    }
    lines.join("\n")
}

/// The cohort a judged one was compared with.
fn compared_with<'a>(audit: &'a Audit, finding: &Finding) -> Option<&'a Cohort> {
    let gate = finding.gate.as_ref()?;
    let judged = |reading: &&Reading| {
        reading.metric == gate.metric && reading.across == gate.across && reading.cohort == finding.cohort
    };
    let mut contrasts = audit.readings.iter().filter(judged).filter_map(|reading| reading.contrast.as_ref());
    contrasts.find(|of| (Some(of.compare), Some(of.against)) == (gate.compare, gate.against))?.with.as_ref()
}

/// Columns with values outside their domain: those rows are in no cohort that is compared, or not in the model. A level spelled otherwise
/// than in the data is seen here first.
fn outside(data: &Data) -> Vec<String> {
    let outside = |column: &ColumnFate| column.outside.filter(|n| *n > 0 && !column.roles.is_empty());
    let mut columns: Vec<(i64, &str)> =
        data.columns.iter().filter_map(|column| Some((outside(column)?, &*column.name))).collect();
    columns.sort_by(|a, b| b.cmp(a));
    let line = |(n, name): &(i64, &str)| {
        let (n, kept) = (grouped(n.unsigned_abs()), grouped(data.rows_kept.unsigned_abs()));
        format!("  outside  {name}: {n} of {kept} rows have a value that is outside its levels or bounds")
    };
    columns.iter().take(PRINTED_MAX).map(line).collect()
}

fn summary_json(delivered: &Delivered) -> serde_json::Value {
    let (audit, record) = (&delivered.audit, &delivered.record);
    let counts: serde_json::Map<String, serde_json::Value> =
        counts(&audit.findings).iter().map(|(word, n)| (word.replace(' ', "-"), json!(n))).collect();
    json!({
        "pipeline": record.pipeline,
        "run_id": record.run_id,
        "outcome": audit.outcome,
        "exit_code": delivered.exit_code(),
        "undelivered": delivered.undelivered.as_ref().map(|exit| &exit.why),
        "criteria": counts,
        "folder": delivered.folder,
        "report": delivered.folder.join("report.html"),
        "passes_planned": record.passes_planned,
        "passes_run": record.passes_run,
        "signed_by": record.signed_by,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_with_values_outside_are_named_most_first() {
        let column = |name: &str, outside, roles: &[crate::schema::Role]| ColumnFate {
            name: name.into(),
            roles: roles.iter().copied().collect(),
            domain: crate::schema::Domain::Open,
            origin: crate::schema::Origin::Declared,
            derived: None,
            missing: Some(0),
            outside,
            malformed: Some(0),
        };
        let roles = [crate::schema::Role::Protected];
        let columns = vec![
            column("race", Some(7), &roles),
            column("sex", Some(10_771), &roles),
            column("age", Some(0), &roles),
            column("region", None, &roles),
            column("unused", Some(9), &[]),
        ];
        let data =
            Data { rows_read: 32_561, rows_kept: 32_561, rows_measured: 0, filter: None, columns, promises: vec![] };
        assert_eq!(
            outside(&data),
            [
                "  outside  sex: 10,771 of 32,561 rows have a value that is outside its levels or bounds",
                "  outside  race: 7 of 32,561 rows have a value that is outside its levels or bounds",
            ]
        );
    }
}
