//! How the numbers came about, what they cost, where everything came from, and what the words mean.

use std::collections::BTreeSet;

use serde::Serialize;

use super::words;
use super::{Caps, Fact, fact};
use crate::audit::Edition;
use crate::budget::Mechanism;
use crate::plan::spec::Language;
use crate::report::document::{FileDigest, Report, Run};
use crate::report::language::current;

#[derive(Debug, Clone, Serialize)]
pub struct Method {
    pub facts: Vec<Fact>,
    pub intervals: Vec<String>,
    pub notes: Vec<String>,
    pub passes: Vec<String>,
}

pub fn method(report: &Report, run: &Run, caps: &Caps) -> Method {
    let method = &report.method;
    let suppressed = match method.suppress_below {
        0 if report.privacy.is_some() => "none; every count that is published has noise".into(),
        0 => "none; every count is shown".into(),
        below => format!("counts below {below}, and whatever would disclose them"),
    };
    let facts = vec![
        fact("Confidence", words::confidence(method.confidence)),
        fact("Least rows for a criterion", words::count(method.support_min as i64)),
        fact("Suppression", suppressed),
        fact("Bootstrap replicates", words::count(i64::from(method.replicates))),
        fact("Rows depend on one another", words::sentence(&method.dependence)),
        fact("Seed of splits and bootstrap", report.pipeline.seed.to_string()),
        fact("Passes over the rows", format!("{} planned, {} made", run.passes_planned, run.passes_run)),
    ];
    let sentences = |texts: &[String]| words::list(texts, caps.texts, "report.json");
    let intervals = match current() {
        Language::En => {
            let mut said: Vec<String> = sentences(&method.intervals);
            let used = used(report);
            said.extend(
                used.into_iter().filter(|used| !method.intervals.iter().any(|said| said == used)).map(str::to_string),
            );
            said
        }
        Language::ZhCn => super::reasons::intervals(report),
    };
    Method { facts, intervals, notes: sentences(&method.notes), passes: sentences(&method.passes) }
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
    pub name: String,
    pub wall: String,
    pub user: String,
    pub system: String,
    pub memory: String,
    pub read: String,
    pub rows: String,
    pub rate: String,
}

pub fn resources(run: &Run, caps: &Caps) -> Resources {
    let unknown = || String::from("not known here");
    let most = caps.files;
    let stages: Vec<Stage> = run
        .usage
        .iter()
        .take(most)
        .map(|usage| Stage {
            name: words::name(&usage.stage),
            wall: words::milliseconds(usage.wall_ms),
            user: words::milliseconds(usage.cpu_user_ms),
            system: words::milliseconds(usage.cpu_system_ms),
            memory: usage.rss_anon_bytes.map_or_else(unknown, words::bytes),
            read: usage.read_bytes.map_or_else(unknown, words::bytes),
            rows: if usage.rows == 0 { "none".into() } else { words::count(usage.rows as i64) },
            rate: usage.rows_per_second.map_or("no rows".into(), |rate| words::count(rate as i64)),
        })
        .collect();
    if run.edition == Some(Edition::Public) {
        let engine = format!("{}, {}", words::name(&run.engine), words::many(run.threads, "thread", "threads"));
        let facts = vec![fact("Time and memory", "not told in the public edition"), fact("Engine", engine)];
        return Resources { facts, stages: Vec::new(), stages_more: String::new() };
    }
    let wall: u64 = run.usage.iter().map(|usage| usage.wall_ms).sum();
    let cpu: u64 = run.usage.iter().map(|usage| usage.cpu_user_ms + usage.cpu_system_ms).sum();
    let memory = run.usage.iter().filter_map(|usage| usage.rss_anon_bytes).max();
    let facts = vec![
        fact("Wall time", words::milliseconds(wall)),
        fact("CPU time", words::milliseconds(cpu)),
        fact("Most private memory at the end of a stage", memory.map_or_else(unknown, words::bytes)),
        fact("Engine", format!("{}, {}", words::name(&run.engine), words::many(run.threads, "thread", "threads"))),
    ];
    let stages_more = words::more(run.usage.len(), most, "stages", "run.json");
    Resources { facts, stages, stages_more }
}

#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    pub facts: Vec<Fact>,
    pub inputs: Vec<File>,
    pub inputs_more: String,
    /// Why there are no digests of source files.
    pub inputs_none: &'static str,
    pub files: Vec<File>,
    pub files_more: String,
    pub receipts: Vec<Receipt>,
    pub receipts_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct File {
    pub name: String,
    pub bytes: String,
    pub sha256: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    pub statistic: String,
    pub shape: String,
    pub mechanism: &'static str,
}

pub fn provenance(report: &Report, run: &Run, caps: &Caps) -> Provenance {
    let file = |file: &FileDigest| File {
        name: words::sentence(&file.name),
        bytes: words::bytes(file.bytes),
        sha256: words::sentence(&file.sha256),
    };
    let facts = vec![
        fact("Made by", words::name(&report.generator)),
        fact("Layout of report.json", format!("version {}", report.report_version)),
        fact("Layout of run.json", format!("version {}", run.run_version)),
        fact("Seed", report.pipeline.seed.to_string()),
        fact("Started", words::instant(&run.started_at)),
        fact("SHA-256 of the pipeline file", words::sentence(&report.pipeline.spec_sha256)),
    ];
    let receipt = |receipt: &crate::budget::Receipt| Receipt {
        statistic: words::name(&receipt.statistic),
        shape: words::name(&receipt.shape),
        mechanism: match receipt.mechanism {
            Mechanism::Exact => "exact: no noise, no charge",
            Mechanism::DiscreteLaplace => "discrete Laplace noise, charged",
            Mechanism::DiscreteGaussian => "discrete Gaussian noise, charged",
        },
    };
    Provenance {
        facts,
        inputs: run.inputs.iter().take(caps.files).map(file).collect(),
        inputs_more: words::more(run.inputs.len(), caps.files, "source-files", "run.json"),
        inputs_none: inputs_none(run),
        files: run.files.iter().take(caps.files).map(file).collect(),
        files_more: words::more(run.files.len(), caps.files, "files", "run.json"),
        receipts: report.receipts.iter().take(caps.files).map(receipt).collect(),
        receipts_more: words::more(report.receipts.len(), caps.files, "receipts", "report.json"),
    }
}

fn inputs_none(run: &Run) -> &'static str {
    match (run.edition, &run.commitment_sha256) {
        (Some(Edition::Public), Some(_)) => {
            "Digests are left out of the public edition: one tells whoever has a file whether it is the one that was audited. The salted commitment in the section on privacy stands for them; the internal edition has the salt to check it by."
        }
        (Some(Edition::Public), None) => {
            "Digests are left out of the public edition: one tells whoever has a file whether it is the one that was audited."
        }
        (Some(Edition::Internal) | None, _) => "none is recorded",
    }
}
