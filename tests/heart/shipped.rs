//! The pipelines that ship, from the files to the outcome their comments state.

use std::path::{Path, PathBuf};

use evenhand::engine::reference::Reference;
use evenhand::finding::{Outcome, Verdict};
use evenhand::plan::expression;
use evenhand::plan::spec::Spec;
use evenhand::run::{self, Audited, Paying, Pipeline, Progress, RunError};
use evenhand::world::{Entropy, Meter};

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

/// Every stage of a pipeline whose file is in this folder.
pub fn run(spec: &Spec, folder: &Path) -> Result<Audited, RunError> {
    paid(spec, folder, &mut Paying::nobody())
}

fn paid(spec: &Spec, folder: &Path, paying: &mut Paying) -> Result<Audited, RunError> {
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    let pipeline = Pipeline { spec, spec_sha256: "", folder, parse: &parse };
    let today = jiff::civil::date(2026, 1, 1);
    run::audit(&pipeline, &Reference, today, &mut Meter::start(), &Silent, paying)
}

/// A pipeline file that ships.
pub fn spec(name: &str) -> Spec {
    let text = std::fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    toml::from_str(&text).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines")
}

/// Code, cohort and verdict of what is not met; the cohort of a worst pair is whoever is lower.
fn open(audited: &Audited) -> Vec<String> {
    let findings = audited.audit.findings.iter().filter(|finding| finding.verdict != Verdict::Met);
    let text = |f: &evenhand::finding::Finding| {
        let waived = if f.waiver.is_some() { ", waived" } else { "" };
        format!("{} {}: {:?}{waived}", f.code, f.cohort.levels(), f.verdict)
    };
    findings.map(text).collect()
}

fn fails_on(name: &str, breached: &[&str], undecided: &[&str]) {
    let spec = spec(name);
    let (first, second) = (run(&spec, &folder()).unwrap(), run(&spec, &folder()).unwrap());
    let bytes = |audited: &Audited| serde_json::to_vec(&audited.audit).unwrap();
    assert!(bytes(&first) == bytes(&second), "{name}: two runs give different reports");
    assert_eq!(first.passes_planned, first.passes_run);
    assert_eq!(first.audit.method.passes.len(), first.passes_run as usize);
    assert_eq!(first.audit.outcome, Outcome::Fail);
    let open = open(&first);
    let (found, others): (Vec<_>, Vec<_>) = open.iter().map(String::as_str).partition(|of| of.ends_with(": Breached"));
    assert_eq!(found, breached, "{name}");
    assert_eq!(others, undecided, "{name}");
}

#[test]
fn lending_fails_on_black_applicants() {
    fails_on(
        "lending",
        &[
            "judge/selection-rate/ratio-reference/race Black: Breached",
            "judge/true-positive-rate/ratio-reference/race Black: Breached",
        ],
        &[
            "judge/true-positive-rate/ratio-reference/race Asian: Undetermined",
            "judge/selection-rate/ratio-reference/sex-x-race female x Black: Undetermined",
            "judge/selection-rate/ratio-reference/sex-x-race female x Native American: Undetermined",
            "judge/selection-rate/ratio-reference/sex-x-race male x Black: Undetermined",
            "judge/selection-rate/ratio-reference/sex-x-race male x Native American: Undetermined",
            "judge/selection-rate/ratio-reference/race Native American: Undetermined, waived",
            "judge/true-positive-rate/ratio-reference/race Native American: Undetermined, waived",
        ],
    );
}

#[test]
fn hiring_fails_on_women() {
    fails_on(
        "hiring",
        &[
            "judge/selection-rate/ratio-highest/sex female: Breached",
            "judge/true-positive-rate/difference-worst-pair/sex female: Breached",
        ],
        &["black", "hispanic", "other"]
            .map(|of| format!("judge/selection-rate/ratio-highest/ethnicity {of}: Undetermined"))
            .each_ref()
            .map(String::as_str),
    );
}

/// Nothing is denied: four fifths warns, and Local Law 144 has no limit.
#[test]
fn hiring_nyc_warns_on_women() {
    let audited = run(&spec("hiring-nyc"), &folder()).unwrap();
    assert_eq!(audited.audit.outcome, Outcome::Warn);
    let open = open(&audited);
    let breached: Vec<&String> = open.iter().filter(|of| of.ends_with(": Breached")).collect();
    assert_eq!(breached, ["judge/selection-rate/ratio-highest/sex female: Breached"]);
    let views = &audited.audit.bias.regulation;
    assert_eq!(views.iter().map(|view| view.rule.as_str()).collect::<Vec<_>>(), ["nyc-local-law-144", "ugesp"]);
    assert!(views.iter().all(|view| view.not_measured.is_empty() && view.tables.len() == 3));
    assert_eq!((audited.passes_planned, audited.passes_run), (1, 1));
}

#[test]
fn premium_fails_on_drivers_born_in_africa() {
    fails_on(
        "premium",
        &["judge/mean-residual/difference-reference/birthplace africa: Breached"],
        &["judge/mean-residual/difference-reference/birthplace oceania: Undetermined, waived"],
    );
}

/// The gap that is planted shows through the noise: whatever it is. The ratio is 0.7, its interval is about 0.12 to each
/// side, and the limit is 0.9.
#[test]
fn lending_dp_fails_on_black_applicants_whatever_the_noise() {
    let spec = spec("lending-dp");
    let (mut breached, mut reports) = (0, Vec::new());
    for seed in [1, 1, 2, 3] {
        let mut paying = Paying { charge: Box::new(|_, _, _| Ok(Default::default())), entropy: Entropy::Fixed(seed) };
        let audited = paid(&spec, &folder(), &mut paying).unwrap();
        let black = "judge/prevalence/ratio-reference/race Black: Breached";
        breached += usize::from(open(&audited).iter().any(|of| of == black));
        assert_eq!((audited.passes_planned, audited.passes_run), (11, 11));
        assert!(audited.audit.receipts.iter().all(|receipt| receipt.noise.is_some()));
        reports.push(serde_json::to_vec(&audited.audit).unwrap());
    }
    assert_eq!(breached, 4);
    assert!(reports[0] == reports[1], "the same noise gives the same report");
    assert!(reports[1] != reports[2] && reports[2] != reports[3], "other noise gives another");
}

/// A metric is a function of evidence that is there already: one metric or all of them, the rows are read as often.
#[test]
fn a_metric_adds_no_pass() {
    for (name, one) in [("lending", "accuracy"), ("hiring", "selection-rate"), ("premium", "mean-residual")] {
        let mut few = spec(name);
        few.measure.metrics = vec![one.to_string()];
        few.judge.clear();
        if let Some(train) = &mut few.train {
            train.strength = Some(0.01);
        }
        let mut all = few.clone();
        all.measure.metrics.clear();
        let (few, all) = (run(&few, &folder()).unwrap(), run(&all, &folder()).unwrap());
        assert_eq!((few.audit.metrics.len(), few.passes_run), (1, all.passes_run), "{name}");
        assert!(all.audit.metrics.len() > 1, "{name}");
    }
}

#[test]
fn clinic_deid_passes_and_coarsens() {
    let audited = run(&spec("clinic-deid"), &folder()).unwrap();
    assert_eq!(audited.audit.outcome, Outcome::Pass);
    let coarsening = audited.audit.coarsening.unwrap();
    let (before, after) = (coarsening.before.unwrap(), coarsening.after.unwrap());
    assert!(before.uniques > Some(0.5) && before.class_min == Some(1), "{before:?}");
    assert!(after.class_min >= Some(5) && after.uniques == Some(0.0), "{after:?}");
    assert!(coarsening.rows_suppressed * 20 <= coarsening.rows);
    assert!(coarsening.quasi_identifiers.iter().any(|of| of.level.is_some_and(|level| level + 1 < of.levels)));
}
