//! The one page where the stages meet.
//!
//! ```text
//! learn? -> PASS 1: contract, profile, moments -> release -> train (further passes as planned) -> PASS 2: measure -> release -> judge
//! ```
//!
//! Without a model to train there is nothing between the two passes and they are one. [`audit`] is a pure function of the pipeline file, the
//! rows and the day; [`deliver`] adds the clock, the run folder and the store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::audit::{
    AttacksOnRows, Audit, Coarsening, Data, Identity, Method, PrivacyStatement, REPORT_VERSION, Reading, Rehearsal,
};
use crate::deidentify::classes::ModelError;
use crate::deidentify::dataset::DeidentifyError;
use crate::deidentify::model::Decision;
use crate::demand::Demand;
use crate::engine::{Engine, EngineError};
use crate::evidence::Released;
use crate::finding::{Finding, Outcome};
use crate::ingest::contract::{self, Profile};
use crate::ingest::paths::expand;
use crate::judge;
use crate::measure::privacy::undeclared;
use crate::measure::{self, Measurement, Subject};
use crate::model::Model;
use crate::plan::spec::{Do, ModelKind, Spec};
use crate::plan::{Learned, Parse, Plan, PlanError, learn};
use crate::privatize::ReleaseError;
use crate::scan::Source;
use crate::train::{self, Step, TrainError, Trainer};
use crate::world::{FileState, Meter};

mod attack;
mod coarsening;
mod median;
mod mitigation;
mod paying;
mod places;
mod randomise;
mod rehearsal;
mod rows;
mod stated;
mod statement;
use coarsening::Coarsener;
pub use paying::{Charged, Cost, PayError, Paying, cost};
pub use places::{ledger_path, plain, reports_folder};
#[cfg(test)]
pub(crate) use rehearsal::judged;
use rows::{Rows, purse, readable};

pub mod artefact;
#[cfg(all(feature = "html", feature = "store"))]
mod deliver;
pub mod notify;
pub mod pdf;
#[cfg(all(feature = "html", feature = "store"))]
pub use deliver::{ATTESTATION, DeliverError, Delivered, Request, deliver, deliver_locked, is_signed, lock};

/// A pipeline file that was read and checked.
pub struct Pipeline<'a> {
    pub spec: &'a Spec,
    /// SHA-256 of the pipeline file and the policy file after it.
    pub spec_sha256: &'a str,
    /// Folder of the pipeline file; paths in it are relative to that.
    pub folder: &'a Path,
    /// Reads an expression.
    pub parse: Parse<'a>,
}

/// One pass over the rows, as the plan lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassOf {
    pub name: String,
    pub reason: String,
}

/// Is told what is going on.
pub trait Progress {
    /// A pass begins. `of` is 0 while the number of passes is not known.
    fn pass(&self, name: &str, number: u32, of: u32);
    /// So many rows of the pass are read.
    fn rows(&self) -> &(dyn Fn(u64) + Sync);
    /// The pass is over; the number of its rows, where it may be told.
    fn done(&self, rows: Option<u64>);
}

/// What a run found out, and what it did for that.
pub struct Audited {
    pub audit: Audit,
    pub source: Source,
    pub model: Option<Model>,
    pub passes_planned: u32,
    pub passes_run: u32,
    /// Every reading without noise, for the internal edition; empty without differential privacy.
    pub price: Vec<Reading>,
    /// The files of the source as they were before the first pass and after the last.
    pub states: Vec<Option<FileState>>,
    /// Files that were read besides the source.
    pub others: Vec<PathBuf>,
    /// What the model of the de-identified dataset decided.
    pub decision: Option<Decision>,
    /// How far attacks on the real rows got; under differential privacy for the internal edition only.
    pub attacks: Option<AttacksOnRows>,
}

/// Why a run could not finish. None of it is the model's fault.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("train: {0}")]
    Train(#[from] TrainError),
    #[error("the data breaks its contract:\n{}", .0.iter().map(|promise| format!("  - {promise}")).collect::<Vec<_>>().join("\n"))]
    Contract(Vec<String>),
    #[error(transparent)]
    Pay(#[from] PayError),
    #[error("privatize: {0}")]
    Release(#[from] ReleaseError),
    #[error("deidentify.model: {0}")]
    Classes(#[from] ModelError),
    #[error(transparent)]
    Deidentify(#[from] DeidentifyError),
    #[error("the operating system gives no randomness: {0}")]
    Entropy(std::io::Error),
    #[error(
        "claim falsified: an attack on {0:?} with made-up rows shows more than its epsilon; nothing was charged or read, this is a defect of evenhand, please report it"
    )]
    Falsified(Arc<str>),
    #[error("mitigate.use: {remedy:?} cannot be put into effect: {why}; take the key out, or choose another")]
    Remedy { remedy: &'static str, why: String },
    #[error("a folder for temporary files is needed: {0}")]
    Scratch(std::io::Error),
    /// Under differential privacy a message about rows is withheld.
    #[error(
        "the rows could not be read; under differential privacy the reason is not told: take the section [privacy] out of a copy of the pipeline file and run that where only those who may see the rows see its messages"
    )]
    Unread,
    #[error(transparent)]
    Missing(#[from] crate::evidence::Missing),
    #[error(
        "the source changed while it was read: its files are not those the first pass began with; run again when nothing writes to it"
    )]
    Changed,
    #[error("{made} passes were made where {planned} were planned; this is a defect of evenhand, please report it")]
    Passes { planned: u32, made: u32 },
}

/// The passes over the rows that a pipeline will make. `learned` are the reasons of the pass before the plan.
pub fn passes(plan: &Plan) -> Vec<PassOf> {
    let pass = |name: &str, reason: String| PassOf { name: name.into(), reason };
    let mut passes = Vec::new();
    let learned = learn::reasons(&plan.spec);
    if plan.scan.cap.is_some() {
        passes.push(pass("cap", "rows per unit are capped".into()));
    }
    if !learned.is_empty() {
        passes.push(pass("learn", learned.join("; ")));
    }
    if plan.spec.train.is_none() {
        match mitigation::reason(plan) {
            Some(reason) => {
                passes.push(pass("contract and mitigate", reason.into()));
                passes.push(pass("measure", "cohorts, as they are and under every rule".into()));
            }
            None => passes
                .push(pass("contract and measure", "rows, columns, cohorts; no model stands between the two".into())),
        }
        passes.extend(median::pass(plan));
        passes.extend(coarsening::pass(&plan.spec));
        passes.extend(attack::pass(&plan.spec));
        return passes;
    }
    passes.push(pass("contract and train", "rows, columns, and the moments the model is made of".into()));
    passes.extend(train::passes(plan).into_iter().map(|reason| pass("train", reason)));
    passes.push(pass("measure", "cohorts under the trained model".into()));
    passes.extend(median::pass(plan));
    passes.extend(coarsening::pass(&plan.spec));
    passes.extend(attack::pass(&plan.spec));
    passes
}

/// The passes that write the de-identified dataset, after the audit.
pub fn dataset_passes(spec: &Spec) -> Vec<PassOf> {
    let Some(of) = &spec.deidentify else { return Vec::new() };
    let groups = of.columns.values().any(|rule| rule.by == Do::Microaggregate);
    let groups = groups.then(|| PassOf { name: "groups".into(), reason: "rows that are alike are grouped".into() });
    let dataset = PassOf { name: "dataset".into(), reason: format!("the rows, de-identified, as {}", of.output) };
    groups.into_iter().chain([dataset]).collect()
}

/// Runs every stage. `today` decides which waivers have ended.
pub fn audit(
    pipeline: &Pipeline,
    engine: &dyn Engine,
    today: Date,
    meter: &mut Meter,
    progress: &dyn Progress,
    paying: &mut Paying,
) -> Result<Audited, RunError> {
    let source = crate::plan::source(pipeline.spec, pipeline.folder, &|path| expand(path))?;
    let draw =
        |learned: &Learned| Plan::of(pipeline.spec, pipeline.spec_sha256, source.clone(), pipeline.parse, learned);
    let private = pipeline.spec.privacy.is_some();
    let coarsener = Coarsener::open(pipeline)?;
    let mut rows = Rows::new(engine, meter, progress, (private, &source.paths));
    let to_learn = learn::demands(pipeline.spec);
    declared(pipeline.spec)?;
    let plan = match to_learn.is_empty() {
        true => draw(&Learned::default())?,
        false => {
            let scan = crate::plan::scan(pipeline.spec, source.clone(), pipeline.parse)?;
            let released = rows.collect("learn", &scan, &to_learn)?;
            // The same scan, with what the pass of its cap found.
            Plan { scan, ..draw(&learn::learned(pipeline.spec, &released)?)? }
        }
    };
    let mut listed = rows.plan(passes(&plan));
    let classes = coarsener.demand(&plan)?;
    let paid = pay(&plan, engine, paying, &mut rows)?;
    let (profile, model, subject, mut released) = match plan.spec.train.is_some() {
        true => trained(&plan, &mut rows, classes)?,
        false => given(&plan, &mut rows, classes)?,
    };
    median::exact(&plan, &subject, &mut released, &mut rows, &mut listed)?;
    let decision = coarsener.decide(&plan, &released, &mut rows)?;
    let attacks = attack::attack(&plan, pipeline.folder, (model.as_ref(), decision.as_ref()), &mut rows);
    rows.whole()?;
    let mut measurement = measure::measure(&plan, &subject, &released)?;
    let (findings, outcome) = findings(&plan, engine, &released, &mut measurement, today)?;
    let price = match private {
        true => measure::measure(&plan, &subject, rows.unprotected.internal())?.readings,
        false => Vec::new(),
    };
    rows.meter.stage("measure and judge", 0);
    let (passes_planned, passes_run, states) = (rows.planned, rows.made, rows.states);
    let privacy = paid.and_then(|paid| statement::statement(&plan, &paid, paying.entropy));
    let parts = Parts {
        plan: &plan,
        privacy,
        coarsening: decision.as_ref().map(|decision| decision.coarsening.clone()),
        profile,
        model: model.as_ref(),
        measurement,
        findings,
        outcome,
        released: &released,
        passes: listed,
    };
    Ok(Audited {
        audit: parts.audit(),
        source,
        model,
        passes_planned,
        passes_run,
        price,
        states,
        others: coarsener.files(),
        decision,
        attacks,
    })
}

/// Under differential privacy all domains are declared.
fn declared(spec: &Spec) -> Result<(), PlanError> {
    match learn::reasons(spec).into_iter().next().filter(|_| spec.privacy.is_some()) {
        None => Ok(()),
        Some(reason) => {
            let message = format!("under differential privacy nothing is learned from the rows: {reason}");
            Err(PlanError { path: "privacy".into(), message })
        }
    }
}

/// What was paid, and what was tried before.
struct Paid {
    cost: Cost,
    charged: Charged,
    rehearsals: Vec<Rehearsal>,
}

/// Under differential privacy: looks whether the source is there and all can be released, attacks the plan, and only then pays.
fn pay(plan: &Plan, engine: &dyn Engine, paying: &mut Paying, rows: &mut Rows) -> Result<Option<Paid>, RunError> {
    let Some(cost) = cost(plan) else { return Ok(None) };
    readable(plan, engine)?;
    let rehearsals = rehearsal::rehearse(plan, engine, &cost)?;
    rows.meter.stage("rehearse", 0);
    let (purse, charged) = purse(plan, &cost, paying)?;
    rows.purse = Some(purse);
    Ok(Some(Paid { cost, charged, rehearsals }))
}

/// Findings of the criteria and of columns that look like identifiers; what only headers say is noted.
fn findings(
    plan: &Plan,
    engine: &dyn Engine,
    released: &Released,
    measurement: &mut Measurement,
    today: Date,
) -> Result<(Vec<Finding>, Outcome), RunError> {
    let (findings, _) = judge::judge(plan, &measurement.readings, today);
    let private = plan.spec.privacy.is_some();
    let columns = if private { Vec::new() } else { engine.describe(&plan.scan.source).unwrap_or_default() };
    let undeclared = undeclared::look(plan, released, &columns)?;
    measurement.notes.extend(undeclared.notes);
    let mut others = undeclared.findings;
    others.extend(measure::findings(&measurement.bias));
    Ok(judge::with(plan, findings, others))
}

/// Contract and measurement in one pass; in two where rules are chosen on scores.
fn given(
    plan: &Plan,
    rows: &mut Rows,
    classes: Option<Demand>,
) -> Result<(Profile, Option<Model>, Subject, Released), RunError> {
    if mitigation::reason(plan).is_some() {
        return mitigation::given(plan, rows, classes);
    }
    let subject = Subject::given(plan);
    let mut demands = contract::demands(plan);
    demands.extend(undeclared::demands(plan));
    demands.extend(measure::demands(plan, &subject));
    demands.extend(classes);
    let released = rows.collect("contract and measure", &plan.scan, &demands)?;
    Ok((kept(plan, &released)?, None, subject, released))
}

/// Contract, training with its passes, measurement.
fn trained(
    plan: &Plan,
    rows: &mut Rows,
    classes: Option<Demand>,
) -> Result<(Profile, Option<Model>, Subject, Released), RunError> {
    let mut trainer = Trainer::new(plan);
    let mut demands = contract::demands(plan);
    demands.extend(undeclared::demands(plan));
    demands.extend(trainer.demands());
    demands.extend(train::mitigate::demands(plan));
    demands.extend(classes);
    let mut released = rows.collect("contract and train", &plan.scan, &demands)?;
    let profile = kept(plan, &released)?;
    let model = loop {
        let step = trainer.step(&released)?;
        rows.meter.stage("train", 0);
        match step {
            Step::Done(model) => break *model,
            Step::Collect { demands, .. } => released.extend(rows.collect("train", &plan.scan, &demands)?),
        }
    };
    let (model, subject) = mitigation::audited(plan, Some(model), &released)?;
    released.extend(rows.collect("measure", &plan.scan, &measure::demands(plan, &subject))?);
    Ok((profile, model, subject, released))
}

/// The profile, when every promise was kept.
fn kept(plan: &Plan, released: &Released) -> Result<Profile, RunError> {
    let profile = contract::profile(plan, released)?;
    let broken: Vec<String> = profile.broken().map(|promise| promise.text.clone()).collect();
    if broken.is_empty() { Ok(profile) } else { Err(RunError::Contract(broken)) }
}

/// What is measured of a trained model.
fn subject(plan: &Plan, model: &Model) -> Subject {
    let given = Subject::given(plan);
    match model.kind {
        ModelKind::Linear => Subject { prediction: Some(model.prediction()), ..given },
        ModelKind::Logistic => {
            let log_loss = plan.label.as_ref().map(|label| model.log_loss(label));
            let score = measure::Score { of: model.score(), log_loss };
            Subject { decision: Some(model.decision()), score: Some(score), target: None, prediction: None, ..given }
        }
    }
}

/// What an audit is put together from.
struct Parts<'a> {
    plan: &'a Plan,
    privacy: Option<PrivacyStatement>,
    coarsening: Option<Coarsening>,
    profile: Profile,
    model: Option<&'a Model>,
    measurement: Measurement,
    findings: Vec<Finding>,
    outcome: Outcome,
    released: &'a Released,
    passes: Vec<PassOf>,
}

impl Parts<'_> {
    fn audit(self) -> Audit {
        let spec = &self.plan.spec;
        let limitations = self.limitations();
        let method = self.method();
        Audit {
            report_version: REPORT_VERSION,
            generator: concat!("evenhand ", env!("CARGO_PKG_VERSION")).into(),
            outcome: self.outcome,
            pipeline: Identity {
                name: spec.pipeline.name.clone(),
                title: spec.report.title.clone().unwrap_or_else(|| spec.pipeline.name.clone()),
                owner: spec.pipeline.owner.clone(),
                purpose: spec.pipeline.purpose.clone(),
                language: spec.report.language.unwrap_or_default(),
                seed: spec.pipeline.seed,
                spec_sha256: self.plan.spec_sha256.clone(),
                stated: stated::stated(spec),
            },
            data: Data {
                rows_read: self.profile.rows_read,
                rows_kept: self.profile.rows_kept,
                rows_measured: self.measurement.rows_measured,
                filter: spec.ingest.filter.clone(),
                columns: self.profile.columns,
                promises: self.profile.promises,
            },
            privacy: self.privacy,
            coarsening: self.coarsening,
            model: self.model.map(|model| model.card.clone()),
            cohorts: self.measurement.cohorts,
            readings: self.measurement.readings,
            bias: self.measurement.bias,
            findings: self.findings,
            metrics: self.measurement.metrics,
            method,
            limitations,
            receipts: self.released.receipts().to_vec(),
        }
    }

    fn method(&self) -> Method {
        let measure = &self.plan.spec.measure;
        let used: BTreeSet<_> = self
            .measurement
            .readings
            .iter()
            .filter_map(|reading| reading.measured.estimate())
            .map(|estimate| estimate.method)
            .collect();
        let dependence = match (self.plan.weight.is_some(), self.plan.dependent) {
            (_, true) if self.privacy.is_some() => {
                "Rows share units: few of a unit are used, and sampling variances are multiplied by how many that may be."
            }
            (true, _) => "Rows carry weights: intervals are those of the delete-a-bucket jackknife.",
            (false, true) => "Rows share units: intervals are those of the delete-a-bucket jackknife over units.",
            (false, false) => "Rows are treated as independent of one another: no unit and no weight is declared.",
        };
        Method {
            confidence: measure.confidence,
            support_min: measure.support_min,
            suppress_below: measure.suppress_below,
            replicates: measure.replicates,
            dependence: dependence.into(),
            intervals: used.into_iter().map(|method| method.describe().into()).collect(),
            notes: self.measurement.notes.clone(),
            passes: self
                .passes
                .iter()
                // Under differential privacy attacks and the dataset are in the internal edition only.
                .filter(|pass| self.privacy.is_none() || pass.name != attack::NAME)
                .chain(dataset_passes(&self.plan.spec).iter().filter(|_| self.privacy.is_none()))
                .map(|pass| format!("{}: {}", pass.name, pass.reason))
                .collect(),
        }
    }

    /// What a reader must not conclude and the rest of the audit does not say; the page adds what follows from it.
    fn limitations(&self) -> Vec<String> {
        let mut limits = vec![
            "The figures describe the rows that were audited. They say nothing about rows of another time, place or process."
                .to_string(),
        ];
        if self.profile.rows_undecided > 0 {
            limits.push(format!(
                "{} rows were left out because a missing value leaves the filter undecided.",
                self.profile.rows_undecided
            ));
        }
        if self.plan.spec.train.is_none() {
            limits.push("Given decisions, scores and predictions are taken as they are in the data.".into());
        }
        limits
    }
}

#[cfg(test)]
mod tests;
