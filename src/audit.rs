//! Everything a run found out: the content of `report.json`.
//!
//! A pure function of pipeline file, data and seed. Times, usage and identifiers of the run are in `run.json` ([`Record`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::budget::{Charge, Receipt};
use crate::cohort::Cohort;
use crate::estimate::Measured;
use crate::finding::{Finding, Outcome};
use crate::metric::{Against, Card, Comparison};
use crate::plan::spec::{Language, Neighbours};
use crate::schema::{Domain, Origin, Role};
use crate::world::Usage;

mod attacks;
pub mod bias;
pub mod changes;
mod coarsening;
pub mod history;
mod stated;

pub use attacks::{
    AttacksOnRows, Attempt, AttributeGuessed, DatasetAttacked, Exposed, Guessed, ModelAttacked, Recognised, RiskFound,
    Share,
};
pub use bias::Bias;
pub use changes::Changes;
pub use coarsening::{ClassCriterion, ClassRisk, Coarsening, QuasiIdentifier};
pub use history::{Past, Recurrence, Seen, Series, Since};
pub use stated::Stated;

/// Version of the layout of `report.json`; grows when a key changes its meaning or goes away.
pub const REPORT_VERSION: u32 = 1;

/// The content of `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Audit {
    /// Grows when a key changes its meaning or goes away. A reader that finds a later one knows nothing of this file.
    #[cfg_attr(feature = "cli", schemars(extend("const" = REPORT_VERSION)))]
    pub report_version: u32,
    pub generator: String,
    pub outcome: Outcome,
    pub pipeline: Identity,
    pub data: Data,
    /// Present under differential privacy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<PrivacyStatement>,
    /// Present when a model coarsens the columns of a de-identified dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coarsening: Option<Coarsening>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelCard>,
    pub cohorts: Vec<CohortTable>,
    pub readings: Vec<Reading>,
    #[serde(skip_serializing_if = "Bias::is_empty")]
    pub bias: Bias,
    pub findings: Vec<Finding>,
    pub metrics: Vec<Card>,
    pub method: Method,
    pub limitations: Vec<String>,
    pub receipts: Vec<Receipt>,
}

/// Which audit this is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Identity {
    pub name: String,
    pub title: String,
    pub owner: String,
    pub purpose: String,
    /// Of the page and of mails.
    #[serde(skip_serializing_if = "is_english")]
    pub language: Language,
    pub seed: u64,
    /// SHA-256 of the pipeline file, and of the policy file after it.
    pub spec_sha256: String,
    #[serde(default, skip_serializing_if = "Stated::is_empty")]
    pub stated: Stated,
}

fn is_english(language: &Language) -> bool {
    *language == Language::En
}

/// The rows and columns that were audited.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Data {
    /// Rows of the source.
    pub rows_read: i64,
    /// Rows the `where` keeps.
    pub rows_kept: i64,
    /// Rows the metrics are computed from: the test part when a model was trained here.
    pub rows_measured: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    pub columns: Vec<ColumnFate>,
    pub promises: Vec<Promise>,
}

/// What became of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ColumnFate {
    pub name: Arc<str>,
    pub roles: BTreeSet<Role>,
    pub domain: Domain,
    pub origin: Origin,
    /// Expression of a derived column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    /// Kept rows without a value; null when withheld.
    pub missing: Option<i64>,
    /// Kept rows with a value outside the levels or bounds; null when withheld.
    pub outside: Option<i64>,
    /// Kept rows with a field that is no value of the column's type; they count as missing too. Null when withheld.
    pub malformed: Option<i64>,
}

/// One clause of the data contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Promise {
    pub text: String,
    pub kept: bool,
}

/// What differential privacy claims of this report, for whom, and at what cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PrivacyStatement {
    /// Name of the people the rows are about.
    pub population: String,
    /// Column that says which rows are of one unit; every row is a unit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Arc<str>>,
    pub rows_per_unit_max: u32,
    pub neighbours: Neighbours,
    /// The claim of this run.
    pub epsilon: f64,
    pub delta: f64,
    /// What the ledger was charged.
    pub charge: Charge,
    /// Training and measuring look at different units, so that each may cost what is left after the contract.
    pub parallel: bool,
    /// Greatest chance of a right guess, at even odds, whether a unit is in the rows (which of two versions of its rows is there):
    /// (e^epsilon + delta) / (1 + e^epsilon), from the two error rates of any test (Kairouz, Oh and Viswanath 2015).
    pub guess_right_max: f64,
    /// Attacks on every release, on made-up neighbouring rows.
    pub rehearsals: Vec<Rehearsal>,
    pub checklist: Vec<ChecklistLine>,
}

/// The two-world test of one release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Rehearsal {
    pub statistic: Arc<str>,
    /// Releases drawn in each world.
    pub draws: u32,
    /// The claim that was tested.
    #[serde(deserialize_with = "or_nan")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub epsilon: f64,
    #[serde(deserialize_with = "or_nan")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub delta: f64,
    /// With the confidence stated, epsilon is at least this.
    #[serde(deserialize_with = "or_nan")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub epsilon_lower: f64,
    /// What a perfect attack could have shown with so many draws.
    #[serde(deserialize_with = "or_nan")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub epsilon_ceiling: f64,
    #[serde(deserialize_with = "or_nan")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub confidence: f64,
    pub falsified: bool,
    /// Why nothing was tried; the figures above are not numbers then, null in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tested: Option<String>,
}

/// A number; null, which JSON has in the place of what is none, is not a number.
fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// How one line of the checklist stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Pass,
    Warn,
    Unknown,
}

/// One line of the privacy checklist, after NIST SP 800-226 (2025).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ChecklistLine {
    pub number: u32,
    pub topic: String,
    pub standing: Standing,
    /// What was found.
    pub value: String,
}

/// The model that was trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ModelCard {
    pub kind: String,
    pub penalty: String,
    /// Strength of the penalty that was used.
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub strength: f64,
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub l1_ratio: f64,
    pub rows_train: i64,
    pub rows_skipped: i64,
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub intercept: f64,
    pub coefficients: Vec<Coefficient>,
    /// Cross-validated loss per penalty, when there was a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathPoint>,
    /// Greatest difference between the linear predictor in integers and in floating point, over the declared domain.
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub integer_gap_max: f64,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Coefficient {
    pub feature: String,
    /// In the target's unit (linear) or log odds (logistic) per unit of the feature.
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PathPoint {
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub l1_ratio: f64,
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub strength: f64,
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub loss_mean: f64,
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub loss_standard_error: f64,
}

/// Counts per cohort of one set of attributes. A suppressed count is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CohortTable {
    pub across: Vec<Arc<str>>,
    pub rows: Vec<CohortRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CohortRow {
    pub cohort: Cohort,
    /// False for unknown and outside: shown, not compared.
    pub compared: bool,
    pub n: Option<i64>,
    /// Rows with label 0, 1, unknown.
    pub labels: Option<[i64; 3]>,
    /// Rows with decision 0, 1, unknown.
    pub decisions: Option<[i64; 3]>,
    /// Rows by label (outer) and decision (inner).
    pub joint: Option<[[i64; 3]; 3]>,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Reading {
    pub metric: Arc<str>,
    /// Names of the attributes; empty for everyone together.
    pub across: Vec<Arc<str>>,
    pub cohort: Cohort,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<Contrast>,
    pub measured: Measured,
}

/// What a value was compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Contrast {
    pub compare: Comparison,
    pub against: Against,
    /// The other cohort, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<Cohort>,
    /// How many cohorts were left out because the rows in their denominator are too few for a verdict.
    #[serde(skip_serializing_if = "is_zero")]
    pub too_few: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// How the numbers were computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Method {
    pub confidence: f64,
    pub support_min: u64,
    pub suppress_below: u64,
    pub replicates: u32,
    /// Why rows are, or are not, treated as independent.
    pub dependence: String,
    pub intervals: Vec<String>,
    pub notes: Vec<String>,
    pub passes: Vec<String>,
}

/// Version of the layout of `run.json`.
pub const RUN_VERSION: u32 = 1;

/// What is not a function of the input: the content of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Record {
    /// Grows when a key changes its meaning or goes away. A reader that finds a later one knows nothing of this file.
    #[cfg_attr(feature = "cli", schemars(extend("const" = RUN_VERSION)))]
    pub run_version: u32,
    /// Start of the run in UTC and the first digits of the report's digest: `20260131T120000Z-1a2b3c4d`.
    pub run_id: String,
    pub pipeline: String,
    pub generator: String,
    pub outcome: Outcome,
    /// Every exit code that applies, the one returned first.
    pub exits: Vec<Exit>,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub finished_at: String,
    pub engine: String,
    pub threads: usize,
    /// Passes over the rows the plan lists.
    pub passes_planned: u32,
    /// Passes over the rows that were made.
    pub passes_run: u32,
    pub usage: Vec<Usage>,
    /// The run of the same pipeline before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// What differs from the last signed run, or from the run before where none is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Since when the open findings are open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub since: Vec<Since>,
    /// Judged values of the last runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Series>,
    /// Present under differential privacy. The public edition tells nothing of the rows but what was released: no durations (its end is its
    /// start), no usage, no digests of source files, the passes as planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<Edition>,
    /// SHA-256 of a secret salt and the digests of the source files, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment_sha256: Option<String>,
    /// The salt, in hexadecimal digits; internal edition only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment_salt: Option<String>,
    /// The ledger after this run was charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerState>,
    /// Every published value without its noise; internal edition only. Not covered by the claim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price: Vec<Reading>,
    /// How far attacks on the real rows got, where they were asked for; under differential privacy in the internal edition only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attacks: Option<AttacksOnRows>,
    /// Id of the key that signed the run folder: SHA-256 of its SubjectPublicKeyInfo, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Source files as they were read.
    pub inputs: Vec<FileDigest>,
    /// Files of the run folder but `run.json` and `report.html`.
    pub files: Vec<FileDigest>,
}

/// Who may read a run folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Edition {
    /// Anybody: covered by the claim.
    Public,
    /// Those who may see the rows: not covered by the claim.
    Internal,
}

/// What a population has spent, and the place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct LedgerState {
    pub population: String,
    /// Number and SHA-256 of the entry that charged this run.
    pub sequence: u64,
    pub head: String,
    /// Spent so far, in all and in the window, and what is granted.
    pub epsilon_spent: f64,
    pub epsilon_granted: f64,
    pub delta_granted: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_epsilon_spent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_epsilon_granted: Option<f64>,
}

/// A reason to exit with a code.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Exit {
    pub code: u8,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Previous {
    pub run_id: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct FileDigest {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}
