//! What a stored run looks like to whoever shows it: the two JSON documents, read back.
//!
//! A report is rendered from `report.json` and `run.json` alone, so a run folder can be rendered again by a later program. These types
//! hold the keys a report shows. A key they do not know is left alone, one they need is asked for by name, and a document of a later
//! version is refused: a changed meaning must not be shown under an old heading.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use super::{ReportError, sha256};
use crate::audit::{
    AttacksOnRows, Bias, Changes, Coarsening, Edition, LedgerState, PrivacyStatement, REPORT_VERSION, RUN_VERSION,
    Series, Since, Stated,
};
use crate::budget::Receipt;
use crate::estimate::{Interval, Method as IntervalMethod, Why};
use crate::finding::{Outcome, Verdict};
use crate::metric::{Against, Comparison};
use crate::plan::spec::{Language, Level};
use crate::schema::Role;

/// Reads `report.json` and `run.json`, and makes sure that they are of one run.
pub fn pair(report_json: &[u8], run_json: &[u8]) -> Result<(Report, Run), ReportError> {
    let report: Report = read("report.json", "report_version", report_json, REPORT_VERSION)?;
    let run: Run = read("run.json", "run_version", run_json, RUN_VERSION)?;
    let digest = run.files.iter().find(|file| file.name == "report.json").map(|file| file.sha256.as_str());
    let same = run.pipeline == report.pipeline.name && run.outcome == report.outcome;
    match same && digest.is_none_or(|digest| digest == sha256(report_json)) {
        true => Ok((report, run)),
        false => Err(ReportError::Apart),
    }
}

fn read<T: DeserializeOwned>(
    file: &'static str,
    key: &'static str,
    bytes: &[u8],
    known: u32,
) -> Result<T, ReportError> {
    let unreadable = |e: serde_json::Error| ReportError::Unreadable { file, why: e.to_string() };
    let head: Head = serde_json::from_slice(bytes).map_err(unreadable)?;
    match head.report_version.or(head.run_version) {
        None => Err(ReportError::NoVersion { file, key }),
        Some(found) if found > u64::from(known) => Err(ReportError::Later { file, key, found, known }),
        Some(_) => serde_json::from_slice(bytes).map_err(unreadable),
    }
}

/// A number. JSON has none that is not finite and writes null for it.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The version of a document, read before anything else of it.
#[derive(Debug, Deserialize)]
struct Head {
    report_version: Option<u64>,
    run_version: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    pub report_version: u32,
    pub generator: String,
    pub outcome: Outcome,
    pub pipeline: Identity,
    pub data: Data,
    pub privacy: Option<PrivacyStatement>,
    pub coarsening: Option<Coarsening>,
    pub model: Option<Model>,
    pub cohorts: Vec<CohortTable>,
    pub readings: Vec<Reading>,
    #[serde(default)]
    pub bias: Bias,
    pub findings: Vec<Finding>,
    pub metrics: Vec<Card>,
    pub method: Method,
    pub limitations: Vec<String>,
    pub receipts: Vec<Receipt>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Identity {
    pub name: String,
    pub title: String,
    pub owner: String,
    pub purpose: String,
    #[serde(default)]
    pub language: Language,
    pub seed: u64,
    pub spec_sha256: String,
    #[serde(default)]
    pub stated: Stated,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Data {
    pub rows_read: i64,
    pub rows_kept: i64,
    pub rows_measured: i64,
    pub filter: Option<String>,
    pub columns: Vec<Column>,
    pub promises: Vec<Promise>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Column {
    pub name: String,
    pub roles: Vec<Role>,
    pub domain: Domain,
    pub origin: Origin,
    pub derived: Option<String>,
    pub missing: Option<i64>,
    pub outside: Option<i64>,
    pub malformed: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    Levels(Vec<String>),
    Bounds { lower: f64, upper: f64 },
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Declared,
    Learned,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Promise {
    pub text: String,
    pub kept: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Model {
    pub kind: String,
    pub penalty: String,
    #[serde(deserialize_with = "number")]
    pub strength: f64,
    #[serde(deserialize_with = "number")]
    pub l1_ratio: f64,
    pub rows_train: i64,
    pub rows_skipped: i64,
    #[serde(deserialize_with = "number")]
    pub intercept: f64,
    pub coefficients: Vec<Coefficient>,
    #[serde(default)]
    pub path: Vec<PathPoint>,
    #[serde(deserialize_with = "number")]
    pub integer_gap_max: f64,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Coefficient {
    pub feature: String,
    #[serde(deserialize_with = "number")]
    pub value: f64,
    pub standard_error: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PathPoint {
    #[serde(deserialize_with = "number")]
    pub l1_ratio: f64,
    #[serde(deserialize_with = "number")]
    pub strength: f64,
    #[serde(deserialize_with = "number")]
    pub loss_mean: f64,
    #[serde(deserialize_with = "number")]
    pub loss_standard_error: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CohortTable {
    pub across: Vec<String>,
    pub rows: Vec<CohortRow>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CohortRow {
    pub cohort: Cohort,
    pub compared: bool,
    pub n: Option<i64>,
    pub labels: Option<[i64; 3]>,
    pub decisions: Option<[i64; 3]>,
}

/// Pairs of attribute and level, in the order written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cohort {
    pub pairs: Vec<(String, String)>,
}

impl Cohort {
    /// Only the levels: `f`, `f x black`.
    pub fn levels(&self) -> String {
        match self.pairs.is_empty() {
            true => "everyone".into(),
            false => self.pairs.iter().map(|(_, level)| level.as_str()).collect::<Vec<_>>().join(" × "),
        }
    }
}

impl From<&Cohort> for crate::cohort::Cohort {
    fn from(cohort: &Cohort) -> crate::cohort::Cohort {
        let pair = |(name, level): &(String, String)| (name.as_str().into(), level.as_str().into());
        crate::cohort::Cohort { pairs: cohort.pairs.iter().map(pair).collect() }
    }
}

impl fmt::Display for Cohort {
    /// Attributes and levels: `sex = f, race = black`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pairs.is_empty() {
            return f.write_str("everyone");
        }
        let pairs: Vec<String> = self.pairs.iter().map(|(name, level)| format!("{name} = {level}")).collect();
        f.write_str(&pairs.join(", "))
    }
}

impl<'de> Deserialize<'de> for Cohort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cohort, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Cohort;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of attributes and levels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cohort, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Cohort { pairs })
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Reading {
    pub metric: String,
    pub across: Vec<String>,
    pub cohort: Cohort,
    pub contrast: Option<Contrast>,
    pub measured: Measured,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Contrast {
    pub compare: Comparison,
    pub against: Against,
    pub with: Option<Cohort>,
    #[serde(default)]
    pub too_few: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Measured {
    Estimated(Estimate),
    Undefined { why: Why },
    Suppressed,
}

impl Measured {
    /// The estimate, if its point is a finite number.
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            Measured::Estimated(estimate) => estimate.point.is_finite().then_some(estimate),
            Measured::Undefined { .. } | Measured::Suppressed => None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Estimate {
    #[serde(deserialize_with = "number")]
    pub point: f64,
    pub interval: Interval,
    pub support: Support,
    pub method: IntervalMethod,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Support {
    pub n: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Card {
    pub id: String,
    pub name: String,
    pub formula: String,
    pub hides: String,
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Gate {
    pub metric: String,
    pub compare: Option<Comparison>,
    pub against: Option<Against>,
    pub across: Vec<String>,
    pub at_most: Option<f64>,
    pub at_least: Option<f64>,
    pub level: Level,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    pub code: String,
    pub gate: Option<Gate>,
    pub cohort: Cohort,
    pub measured: Option<Measured>,
    pub judged_interval: Option<Interval>,
    pub verdict: Verdict,
    pub level: Level,
    pub reason: String,
    pub waiver: Option<Waiver>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Waiver {
    pub reason: String,
    pub until: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Method {
    pub confidence: f64,
    pub support_min: u64,
    pub suppress_below: u64,
    pub replicates: u32,
    pub dependence: String,
    pub intervals: Vec<String>,
    pub notes: Vec<String>,
    pub passes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    pub run_version: u32,
    pub run_id: String,
    pub pipeline: String,
    pub outcome: Outcome,
    pub exits: Vec<Exit>,
    pub started_at: String,
    pub finished_at: String,
    pub engine: String,
    pub threads: usize,
    pub passes_planned: u32,
    pub passes_run: u32,
    pub usage: Vec<Usage>,
    pub previous: Option<Previous>,
    pub changes: Option<Changes>,
    #[serde(default)]
    pub since: Vec<Since>,
    #[serde(default)]
    pub history: Vec<Series>,
    pub edition: Option<Edition>,
    pub commitment_sha256: Option<String>,
    pub commitment_salt: Option<String>,
    pub ledger: Option<LedgerState>,
    #[serde(default)]
    pub price: Vec<Reading>,
    pub attacks: Option<AttacksOnRows>,
    /// Identifier of the key that signed the run.
    pub signed_by: Option<String>,
    pub inputs: Vec<FileDigest>,
    pub files: Vec<FileDigest>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Exit {
    pub code: u8,
    pub why: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Usage {
    pub stage: String,
    pub wall_ms: u64,
    pub cpu_user_ms: u64,
    pub cpu_system_ms: u64,
    pub rss_anon_bytes: Option<u64>,
    pub read_bytes: Option<u64>,
    pub rows: u64,
    pub rows_per_second: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Previous {
    pub run_id: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FileDigest {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}
