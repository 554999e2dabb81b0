//! A run with everything around it: the lock, the clock, the run folder, the history.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rand::Rng;

use super::artefact::{Artefact, ArtefactError};
use super::{
    Audited, Charged, PayError, Paying, Pipeline, Progress, RunError, audit, ledger_path, plain, reports_folder,
};
use crate::audit::{Audit, Edition, Exit, FileDigest, LedgerState, RUN_VERSION, Record};
use crate::budget::accounting::{UNITS_MAX, amount};
use crate::budget::ledger::{Balance, Entry, Spent};
use crate::budget::{Allocation, Charge};
use crate::engine::Engine;
use crate::finding::Outcome;
use crate::plan::spec::Spec;
use crate::report::{self, ReportError};
use crate::scan::{Scan, Source};
use crate::store::{FILE, RunRow, Store, StoreError};
use crate::world::{self, Clock, Entropy, Meter};

mod before;
mod folder;
mod post;
mod signing;

use before::Before;
pub use before::{ATTESTATION, is_signed};
use folder::{Editions, RunFolder};
pub use signing::SignError;
use signing::Signing;

/// What is run, and by what.
pub struct Request<'a> {
    pub pipeline: Pipeline<'a>,
    pub engine: &'a dyn Engine,
    pub engine_name: &'a str,
    pub threads: usize,
    pub clock: Clock,
    /// Where noise comes from; nothing a user can say fixes it.
    pub entropy: Entropy,
    pub progress: &'a dyn Progress,
    /// A run that ends in WARN exits with 1.
    pub fail_on_warn: bool,
}

/// A run whose folder is in place.
#[derive(Debug)]
pub struct Delivered {
    pub folder: PathBuf,
    pub audit: Audit,
    pub record: Record,
    /// Messages of the run that did not arrive. The run folder, which was there before them, does not say so; the store does.
    pub undelivered: Option<Exit>,
}

impl Delivered {
    /// The exit code: the first reason that applies, 0 without one.
    pub fn exit_code(&self) -> u8 {
        self.exits().next().map_or(0, |exit| exit.code)
    }
}

impl Delivered {
    /// Every reason not to exit with 0, the first that applies first.
    pub fn exits(&self) -> impl Iterator<Item = &Exit> {
        self.record.exits.iter().chain(&self.undelivered)
    }
}

/// Why no run folder was written.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    #[error("{}: another run of this pipeline is at work; try again when it has ended", .0.display())]
    Locked(PathBuf),
    #[error("report.templates: {0}; evenhand check shows all of it")]
    Templates(String),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("deidentify: {0}")]
    Dataset(#[from] ArtefactError),
    #[error("{0}")]
    Files(#[from] std::io::Error),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: the report is written, and the history could not be: {why}", folder.display())]
    History { folder: PathBuf, why: StoreError },
}

impl DeliverError {
    /// 75 while another run holds the lock, 2 for a pipeline file from which no plan follows, 4 when the budget refuses, else 3.
    pub fn exit_code(&self) -> u8 {
        match self {
            DeliverError::Locked(_) => 75,
            DeliverError::Run(RunError::Plan(_)) | DeliverError::Templates(_) => 2,
            DeliverError::Run(RunError::Pay(PayError::Refused(_))) => 4,
            _ => 3,
        }
    }
}

/// Runs a pipeline and writes its run folder. Nothing that is already there is changed; on failure no folder appears.
///
/// Under differential privacy there are two: the public edition in the pipeline's folder, and the internal one, which the claim does not cover,
/// in the folder `NAME.internal` beside it.
pub fn deliver(request: &Request) -> Result<Delivered, DeliverError> {
    let lock = lock(request.pipeline.spec, request.pipeline.folder)?;
    deliver_locked(request, &lock)
}

/// Takes the lock of a pipeline's folder: one run at a time.
pub fn lock(spec: &Spec, folder: &Path) -> Result<world::Lock, DeliverError> {
    let folder = plain(&reports_folder(spec, folder)).join(&spec.pipeline.name);
    world::lock(&folder)?.ok_or(DeliverError::Locked(folder))
}

/// The same as [`deliver`] for who holds the lock of the pipeline's folder already.
pub fn deliver_locked(request: &Request, _lock: &world::Lock) -> Result<Delivered, DeliverError> {
    let spec = request.pipeline.spec;
    let base = plain(&reports_folder(spec, request.pipeline.folder));
    let folder = base.join(&spec.pipeline.name);
    let internal = internal(&base, spec);
    world::sweep(&folder).and_then(|_| world::sweep(&internal))?;
    let (own, signing) = (own_templates(spec, request.pipeline.folder)?, Signing::open(&request.pipeline)?);
    let mut store = Store::open(&base.join(FILE))?;
    let (previous, last) = (store.latest(&spec.pipeline.name)?, before::last(&mut store, spec, &folder)?);
    let (started, mut meter) = (request.clock.now(), Meter::start());
    let today = started.to_zoned(jiff::tz::TimeZone::UTC).date();
    let scan = rows_of(&request.pipeline)?;
    let mut artefact = Artefact::open((spec, &scan), request.pipeline.folder, request.entropy)?;
    let (mut audited, ledger) = audited(request, &base, &scan.source, (today, &mut meter))?;
    if let (Some(artefact), Some(decision)) = (&mut artefact, audited.decision.take()) {
        artefact.decide(decision)?;
    }
    let mut files = report::files(&audited.audit, audited.model.as_ref())?;
    files.extend(own);
    // The dataset is de-identified, not differentially private: it is for the internal edition.
    let place = if spec.privacy.is_some() { &internal } else { &folder };
    let dataset_passes = artefact.as_ref().map_or(0, Artefact::passes);
    let dataset = artefact.map(|artefact| Dataset::write(&artefact, spec, place, request)).transpose()?;
    if let Some(dataset) = &dataset {
        meter.stage("dataset", dataset.rows);
    }
    let inputs = digests(&audited)?;
    meter.stage("digests and files", 0);
    let report_sha256 = report::digests(&files[..1]).remove(0).sha256;
    let run_id = free_id(&folder, &format!("{}-{}", started.strftime("%Y%m%dT%H%M%SZ"), &report_sha256[..8]));
    let record = Record {
        run_version: RUN_VERSION,
        run_id,
        pipeline: spec.pipeline.name.clone(),
        generator: audited.audit.generator.clone(),
        outcome: audited.audit.outcome,
        exits: exits(audited.audit.outcome, request.fail_on_warn),
        started_at: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        finished_at: request.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        engine: request.engine_name.into(),
        threads: request.threads,
        passes_planned: audited.passes_planned + dataset_passes,
        passes_run: audited.passes_run + dataset_passes,
        usage: meter.stages,
        previous,
        changes: None,
        since: Vec::new(),
        history: Vec::new(),
        edition: None,
        commitment_sha256: None,
        commitment_salt: None,
        ledger,
        price: Vec::new(),
        attacks: audited.attacks.clone().filter(|_| spec.privacy.is_none()),
        signed_by: signing.key_id(),
        inputs,
        files: report::digests(&files),
    };
    let record = before::standing(&mut store, &audited.audit, record)?;
    let editions = match spec.privacy.is_some() {
        false => {
            let record = with_dataset(before::changed(record, &files, &folder, last.as_ref()), &dataset);
            Editions { public: RunFolder::make(&folder, files, (record, &dataset), (spec, &signing))?, internal: None }
        }
        true => two(request, (&base, &signing), files, (record, last, &audited, &dataset))?,
    };
    finish(request, (&mut store, &base), editions, audited, (report_sha256, started))
}

/// Publishes a run and records it with its messages, which are finished before: the page as PDF takes longer than all that follows, and
/// a run that is published and not recorded would be told to nobody.
fn finish(
    request: &Request,
    (store, base): (&mut Store, &Path),
    editions: Editions,
    audited: Audited,
    (report_sha256, started): (String, Timestamp),
) -> Result<Delivered, DeliverError> {
    let row = row(&audited, &editions.public.record, report_sha256);
    let (letters, unmade) = post::letters(request, store, &editions);
    let folder = editions.publish(started)?;
    let record = editions.public.record;
    let queued = (&letters[..], request.clock.now());
    if let Err(why) = store.record_with(&row, &audited.audit.findings, &audited.audit.receipts, queued) {
        return Err(DeliverError::History { folder, why });
    }
    let undelivered = post::both(unmade, post::send(request, store, base, &record));
    Ok(Delivered { folder, audit: audited.audit, record, undelivered })
}

/// Runs every stage; the ledger is charged on the way.
fn audited(
    request: &Request,
    base: &Path,
    source: &Source,
    (today, meter): (Date, &mut Meter),
) -> Result<(Audited, Option<LedgerState>), DeliverError> {
    let mut ledger = None;
    let mut paying = Paying {
        charge: Box::new(|population, cost, parts| {
            let (state, charged) = charge(request, base, source, (population, cost, parts))?;
            ledger = Some(state);
            Ok(charged)
        }),
        entropy: request.entropy,
    };
    let audited = audit(&request.pipeline, request.engine, today, meter, request.progress, &mut paying)?;
    drop(paying);
    Ok((audited, ledger))
}

/// The templates of the pipeline's own, as files of the run. Tried out here, before anything is read or charged.
fn own_templates(spec: &Spec, folder: &Path) -> Result<Vec<(String, Vec<u8>)>, DeliverError> {
    let Some(written) = &spec.report.templates else { return Ok(Vec::new()) };
    let files = world::read_folder(&folder.join(written)).map_err(|e| DeliverError::Templates(e.to_string()))?;
    if let Some(wrong) = report::check_templates(written, &files).into_iter().next() {
        return Err(DeliverError::Templates(format!("{}: {}", wrong.file, wrong.message)));
    }
    let stored = |(name, bytes)| (format!("{}{name}", report::TEMPLATES_FOLDER), bytes);
    Ok(files.into_iter().map(stored).collect())
}

/// Where the internal edition is, which the claim does not cover.
fn internal(base: &Path, spec: &Spec) -> PathBuf {
    base.join(format!("{}.internal", spec.pipeline.name))
}

/// The rows a pipeline file names.
fn rows_of(pipeline: &Pipeline) -> Result<Scan, RunError> {
    let source = crate::plan::source(pipeline.spec, pipeline.folder, &|path| crate::ingest::paths::expand(path))?;
    Ok(crate::plan::scan(pipeline.spec, source, pipeline.parse)?)
}

/// The de-identified dataset, written and not yet in its run folder. Dropped before that, it is gone.
struct Dataset {
    name: String,
    place: PathBuf,
    codebook: Vec<u8>,
    digest: FileDigest,
    /// Rows that were looked at.
    rows: u64,
}

impl Dataset {
    fn write(artefact: &Artefact, spec: &Spec, folder: &Path, request: &Request) -> Result<Dataset, DeliverError> {
        if spec.privacy.is_some() {
            world::make_private_folder(folder)?;
        }
        let name = spec.deidentify.as_ref().map_or_else(String::new, |of| of.output.clone());
        let place = folder.join(format!("{}dataset-{name}", world::PARTIAL));
        let codebook = artefact.write(&place, request.threads, &|_| ()).map_err(|e| match e {
            // This pass reads columns that no other may have read.
            ArtefactError::Engine(_) | ArtefactError::Groups(_) | ArtefactError::TooManyRows
                if spec.privacy.is_some() =>
            {
                RunError::Unread.into()
            }
            e => DeliverError::from(e),
        })?;
        let (bytes, sha256) = world::sha256_file(&place)?;
        let rows = codebook.rows_written + codebook.rows_suppressed;
        let codebook = report::pretty("codebook.json", &codebook)?;
        let digest = FileDigest { name: name.clone(), bytes, sha256 };
        Ok(Dataset { name, place, codebook, digest, rows })
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // Moved into its folder it is not here any more.
        let _ = world::remove(&self.place);
    }
}

/// The record with the digests of the dataset and its codebook.
fn with_dataset(mut record: Record, dataset: &Option<Dataset>) -> Record {
    if let Some(dataset) = dataset {
        record.files.extend(report::digests(&[("codebook.json".into(), dataset.codebook.clone())]));
        record.files.push(dataset.digest.clone());
    }
    record
}

/// The two editions under differential privacy.
fn two(
    request: &Request,
    (base, signing): (&Path, &Signing),
    files: Vec<(String, Vec<u8>)>,
    (record, last, audited, dataset): (Record, Option<Before>, &Audited, &Option<Dataset>),
) -> Result<Editions, DeliverError> {
    let listed = audited.audit.method.passes.len() as u32;
    let mut salt = [0u8; 32];
    request.entropy.generator()?.fill_bytes(&mut salt);
    let digests: String = record.inputs.iter().map(|input| input.sha256.as_str()).collect();
    let commitment = report::sha256(&[&salt[..], digests.as_bytes()].concat());
    let internal = Record {
        edition: Some(Edition::Internal),
        commitment_sha256: Some(commitment.clone()),
        commitment_salt: Some(salt.iter().map(|byte| format!("{byte:02x}")).collect()),
        price: audited.price.clone(),
        attacks: audited.attacks.clone(),
        ..with_dataset(record.clone(), dataset)
    };
    let public = Record {
        edition: Some(Edition::Public),
        commitment_sha256: Some(commitment),
        finished_at: record.started_at.clone(),
        // How many more passes memory took depends on the rows.
        passes_planned: listed,
        passes_run: listed,
        usage: Vec::new(),
        inputs: Vec::new(),
        ..record
    };
    let spec = request.pipeline.spec;
    let folder = self::internal(base, spec);
    world::make_private_folder(&folder)?;
    // Each edition is compared with its own.
    let internal = before::changed(internal, &files, &folder, last.as_ref());
    let public_folder = base.join(&spec.pipeline.name);
    let public = before::changed(public, &files, &public_folder, last.as_ref());
    let internal = RunFolder::make(&folder, files.clone(), (internal, dataset), (spec, signing))?;
    let public = RunFolder::make(&public_folder, files, (public, &None), (spec, signing))?;
    Ok(Editions { public, internal: Some(internal) })
}

/// Charges the ledger of the population, and says where it stands.
fn charge(
    request: &Request,
    base: &Path,
    source: &Source,
    (population, cost, parts): (&str, Charge, &[Allocation]),
) -> Result<(LedgerState, Charged), PayError> {
    let spec = request.pipeline.spec;
    let path = ledger_path(spec, request.pipeline.folder, base);
    let failed = |e: &dyn std::fmt::Display| PayError::Failed(e.to_string());
    let mut store = Store::open(&path).map_err(|e| failed(&e))?;
    let entry =
        store.charge(population, &spec.pipeline.name, cost, parts, request.clock).map_err(|e| match e.exit_code() {
            4 => PayError::Refused(e.to_string()),
            _ => failed(&e),
        })?;
    let balance = store.balance(population, request.clock.now()).map_err(|e| failed(&e))?;
    let sources: Vec<String> = source.paths.iter().map(|path| world::identity(path)).collect();
    // The charge is made: a note that cannot be written does not end the run.
    let other_names = store.note_sources(population, &sources).unwrap_or_default();
    let _ = store.close();
    Ok((state(&entry, &balance), Charged { other_names }))
}

/// Where the ledger stands after a charge.
fn state(entry: &Entry, balance: &Balance) -> LedgerState {
    let window = balance.grant.window;
    let spent = |spent: &Spent| amount(spent.epsilon.unwrap_or(UNITS_MAX));
    LedgerState {
        population: balance.population.clone(),
        sequence: entry.sequence,
        head: entry.head().to_string(),
        epsilon_spent: spent(&balance.lifetime),
        epsilon_granted: amount(balance.grant.epsilon),
        delta_granted: amount(balance.grant.delta),
        window_days: window.map(|window| window.days),
        window_epsilon_spent: balance.window.as_ref().map(spent),
        window_epsilon_granted: window.map(|window| amount(window.epsilon)),
    }
}

/// The name with a number behind it when there is a run of this name.
fn free_id(folder: &std::path::Path, id: &str) -> String {
    let mut free = id.to_string();
    let mut number = 2;
    while folder.join(&free).exists() {
        free = format!("{id}-{number}");
        number += 1;
    }
    free
}

/// Digests of the source files, which are still those that were read.
fn digests(audited: &Audited) -> Result<Vec<FileDigest>, DeliverError> {
    let digest = |path: &PathBuf| {
        let (bytes, sha256) = world::sha256_file(path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(FileDigest { name, bytes, sha256 })
    };
    let paths = &audited.source.paths;
    let digests = paths.iter().chain(&audited.others).map(digest).collect::<Result<_, std::io::Error>>()?;
    if world::states(paths) == audited.states { Ok(digests) } else { Err(RunError::Changed.into()) }
}

fn exits(outcome: Outcome, fail_on_warn: bool) -> Vec<Exit> {
    let exit = |code, why: &str| vec![Exit { code, why: why.into() }];
    match (outcome, fail_on_warn) {
        (Outcome::Pass, _) | (Outcome::Warn, false) => Vec::new(),
        (Outcome::Warn, true) => exit(1, "a criterion of level warn is not met, and the run was asked to fail on that"),
        (Outcome::Fail, _) => exit(1, "a criterion of level deny is breached"),
        (Outcome::Inconclusive, _) => {
            exit(4, "a criterion of level deny is undetermined or not measured, or there is none")
        }
    }
}

fn row(audited: &Audited, record: &Record, report_sha256: String) -> RunRow {
    let data = &audited.audit.data;
    RunRow {
        run_id: record.run_id.clone(),
        pipeline: record.pipeline.clone(),
        started_at: record.started_at.clone(),
        finished_at: record.finished_at.clone(),
        outcome: record.outcome,
        exit_code: record.exits.first().map_or(0, |exit| exit.code),
        report_sha256,
        spec_sha256: audited.audit.pipeline.spec_sha256.clone(),
        folder: format!("{}/{}", record.pipeline, record.run_id),
        rows_read: data.rows_read,
        rows_kept: data.rows_kept,
        rows_measured: data.rows_measured,
    }
}
