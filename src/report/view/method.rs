//! How the numbers came about, what they cost, where everything came from, and what the words mean.

use std::collections::BTreeSet;

use serde::Serialize;

use super::said::{self, HOLE, Said, Told, said, told};
use super::words;
use super::{Caps, Fact, fact};
use crate::audit::Edition;
use crate::budget::Mechanism;
use crate::plan::spec::Language;
use crate::report::document::{FileDigest, Report, Run};
use crate::report::language::{current, text};

#[derive(Debug, Clone, Serialize)]
pub struct Method {
    pub facts: Vec<Told>,
    pub intervals: Vec<Said>,
    pub notes: Vec<Said>,
    pub passes: Vec<Said>,
}

pub fn method(report: &Report, run: &Run, caps: &Caps) -> Method {
    let method = &report.method;
    let suppressed = match method.suppress_below {
        0 if report.privacy.is_some() => text!("method-suppression-noise"),
        0 => text!("method-suppression-none"),
        below => text!("method-suppression-below", n = below),
    };
    let passes = text!("method-passes-made", planned = run.passes_planned, made = run.passes_run);
    let fact = |term: &str, of: String| told(Said::own(term), Said::own(of));
    let facts = vec![
        fact(&text!("method-confidence"), words::confidence(method.confidence)),
        fact(&text!("method-support-min"), words::count(method.support_min as i64)),
        fact(&text!("method-suppression"), suppressed),
        fact(&text!("method-replicates"), words::count(i64::from(method.replicates))),
        told(Said::own(text!("method-dependence")), said(&method.dependence)),
        fact(&text!("method-seed"), report.pipeline.seed.to_string()),
        fact(&text!("method-passes"), passes),
    ];
    let sentences = |texts: &[String]| said::list(texts, caps.texts, "report.json");
    let intervals = match current() {
        Language::En => {
            let mut said: Vec<Said> = sentences(&method.intervals);
            let used = used(report);
            said.extend(
                used.into_iter().filter(|used| !method.intervals.iter().any(|said| said == used)).map(said::said),
            );
            said
        }
        Language::ZhCn => super::reasons::intervals(report),
    };
    let mut passes: Vec<Said> = sentences(&method.passes);
    for (text, told) in method.passes.iter().take(caps.texts).zip(&mut passes) {
        *told = pass(text);
    }
    Method { facts, intervals, notes: sentences(&method.notes), passes }
}

/// `measure: cohorts under the trained model`: what a pass is called, and why it is made.
fn pass(text: &str) -> Said {
    let Some((name, why)) = text.split_once(": ") else { return said(text) };
    Said::around(&text!("method-pass", name = HOLE, why = HOLE), &[said(name), said(why)])
}

/// `pass 2: measure`, or the name of a stage that reads no rows.
fn stage(name: &str) -> Said {
    let read = name.strip_prefix("pass ").and_then(|rest| rest.split_once(": "));
    match read.and_then(|(n, of)| Some((n.parse::<u64>().ok()?, of))) {
        Some((n, of)) => Said::around(&text!("resources-pass", n = n, name = HOLE), &[said(of)]),
        None => said(name),
    }
}

/// The kinds of interval that occur in the report.
fn used(report: &Report) -> Vec<&'static str> {
    let methods: BTreeSet<_> = report
        .readings
        .iter()
        .filter_map(|reading| reading.measured.estimate())
        .map(|estimate| estimate.method)
        .collect();
    methods.into_iter().map(|method| method.describe()).collect()
}

#[derive(Debug, Clone, Serialize)]
pub struct Card {
    pub name: String,
    pub id: String,
    pub formula: String,
    pub hides: String,
    pub source: String,
}

pub fn cards(report: &Report, caps: &Caps) -> Vec<Card> {
    let card = |card: &crate::report::document::Card| {
        let (name, formula, hides) = super::reasons::card(card);
        Card {
            name: words::name(&name),
            id: words::name(&card.id),
            formula,
            hides,
            source: words::sentence(&card.source),
        }
    };
    report.metrics.iter().take(caps.texts).map(card).collect()
}

#[derive(Debug, Clone, Serialize)]
pub struct Resources {
    pub facts: Vec<Fact>,
    pub stages: Vec<Stage>,
    pub stages_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    pub name: Said,
    pub wall: String,
    pub user: String,
    pub system: String,
    pub memory: String,
    pub read: String,
    pub rows: String,
    pub rate: String,
}

pub fn resources(run: &Run, caps: &Caps) -> Resources {
    let unknown = || text!("resources-unknown");
    let most = caps.files;
    let stages: Vec<Stage> = run
        .usage
        .iter()
        .take(most)
        .map(|usage| Stage {
            name: stage(&usage.stage),
            wall: words::milliseconds(usage.wall_ms),
            user: words::milliseconds(usage.cpu_user_ms),
            system: words::milliseconds(usage.cpu_system_ms),
            memory: usage.rss_anon_bytes.map_or_else(unknown, words::bytes),
            read: usage.read_bytes.map_or_else(unknown, words::bytes),
            rows: if usage.rows == 0 { text!("resources-none") } else { words::count(usage.rows as i64) },
            rate: usage.rows_per_second.map_or_else(|| text!("resources-no-rows"), |rate| words::count(rate as i64)),
        })
        .collect();
    let engine = text!("resources-threads", engine = words::name(&run.engine), n = run.threads);
    if run.edition == Some(Edition::Public) {
        let facts =
            vec![fact(&text!("resources-public"), text!("not-told-public")), fact(&text!("resources-engine"), engine)];
        return Resources { facts, stages: Vec::new(), stages_more: String::new() };
    }
    let wall = run.usage.iter().fold(0u64, |sum, usage| sum.saturating_add(usage.wall_ms));
    let cpu = run
        .usage
        .iter()
        .fold(0u64, |sum, usage| sum.saturating_add(usage.cpu_user_ms).saturating_add(usage.cpu_system_ms));
    let memory = run.usage.iter().filter_map(|usage| usage.rss_anon_bytes).max();
    let facts = vec![
        fact(&text!("resources-wall"), words::milliseconds(wall)),
        fact(&text!("resources-cpu"), words::milliseconds(cpu)),
        fact(&text!("resources-memory"), memory.map_or_else(unknown, words::bytes)),
        fact(&text!("resources-engine"), engine),
    ];
    let stages_more = words::more(run.usage.len(), most, "stages", "run.json");
    Resources { facts, stages, stages_more }
}

#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    pub facts: Vec<Fact>,
    /// What to type in the folder that holds the run folders of the pipeline, and what it does; no line where there is nothing to type.
    pub commands: Vec<Command>,
    pub inputs: Vec<File>,
    pub inputs_more: String,
    /// Why there are no digests of source files.
    pub inputs_none: String,
    pub files: Vec<File>,
    pub files_more: String,
    pub receipts: Vec<Receipt>,
    pub receipts_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Command {
    pub what: String,
    pub line: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct File {
    pub name: String,
    /// What is in it.
    pub holds: String,
    pub bytes: String,
    pub sha256: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    pub statistic: String,
    pub shape: String,
    pub mechanism: String,
}

pub fn provenance(report: &Report, run: &Run, caps: &Caps) -> Provenance {
    let file = |file: &FileDigest| File {
        name: words::sentence(&file.name),
        holds: text!(&format!("holds-{}", holds(&file.name))),
        bytes: words::bytes(file.bytes),
        sha256: words::sentence(&file.sha256),
    };
    let version = |n: u32| text!("provenance-version", n = n);
    let facts = vec![
        fact(&text!("provenance-made-by"), words::name(&report.generator)),
        fact(&text!("provenance-layout-report"), version(report.report_version)),
        fact(&text!("provenance-layout-run"), version(run.run_version)),
        fact(&text!("provenance-seed"), report.pipeline.seed.to_string()),
        fact(&text!("provenance-started"), words::instant(&run.started_at)),
        fact(&text!("provenance-spec"), words::sentence(&report.pipeline.spec_sha256)),
    ];
    let id = words::name(&run.run_id);
    let verify = match &run.signed_by {
        Some(_) => Command { what: text!("provenance-verify"), line: format!("evenhand verify {id}") },
        None => Command { what: text!("provenance-not-signed"), line: String::new() },
    };
    let render = format!("evenhand report {id} --out report.html");
    let commands = vec![Command { what: text!("provenance-render"), line: render }, verify];
    let receipt = |receipt: &crate::budget::Receipt| Receipt {
        statistic: words::name(&receipt.statistic),
        shape: words::name(&receipt.shape),
        mechanism: match receipt.mechanism {
            Mechanism::Exact => text!("receipts-exact"),
            Mechanism::DiscreteLaplace => text!("receipts-laplace"),
            Mechanism::DiscreteGaussian => text!("receipts-gaussian"),
        },
    };
    Provenance {
        facts,
        commands,
        inputs: run.inputs.iter().take(caps.files).map(file).collect(),
        inputs_more: words::more(run.inputs.len(), caps.files, "source-files", "run.json"),
        inputs_none: inputs_none(run),
        files: run.files.iter().take(caps.files).map(file).collect(),
        files_more: words::more(run.files.len(), caps.files, "files", "run.json"),
        receipts: report.receipts.iter().take(caps.files).map(receipt).collect(),
        receipts_more: words::more(report.receipts.len(), caps.files, "receipts", "report.json"),
    }
}

fn holds(name: &str) -> &'static str {
    match name {
        "report.json" => "report",
        "evidence/readings.csv" => "readings",
        "evidence/findings.csv" => "findings",
        "evidence/cohorts.csv" => "cohorts",
        "evidence/columns.csv" => "columns",
        "model.json" => "model",
        "codebook.json" => "codebook",
        name if name.starts_with("templates/") => "template",
        name if name.starts_with("evidence/") => "evidence",
        _ => "other",
    }
}

fn inputs_none(run: &Run) -> String {
    match (run.edition, &run.commitment_sha256) {
        (Some(Edition::Public), Some(_)) => text!("provenance-inputs-public-committed"),
        (Some(Edition::Public), None) => text!("provenance-inputs-public"),
        (Some(Edition::Internal) | None, _) => text!("provenance-none"),
    }
}

/// Who prepared, reviewed and decides, and room to sign.
#[derive(Debug, Clone, Serialize)]
pub struct SignOff {
    /// Those who sign, each with room for date and signature.
    pub lines: Vec<Line>,
    /// By when it is decided.
    pub due: Line,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub term: String,
    /// As the pipeline file names it; empty: to be written by hand.
    pub text: String,
}

pub fn sign_off(report: &Report) -> SignOff {
    let stated = &report.pipeline.stated;
    let line =
        |term: String, text: &Option<String>| Line { term, text: text.as_deref().map(words::name).unwrap_or_default() };
    let due = stated.decide_by.as_deref().map(words::day);
    SignOff {
        lines: vec![
            line(text!("sign-off-prepared"), &stated.prepared_by),
            line(text!("sign-off-reviewed"), &stated.reviewed_by),
            line(text!("sign-off-decided"), &stated.decider),
        ],
        due: line(text!("sign-off-due"), &due),
    }
}
