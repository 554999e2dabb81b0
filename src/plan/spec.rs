//! The pipeline file as written: one section per stage, kebab-case values, units in key names.
//!
//! These types hold what the author wrote and the defaults of what was left out. Whether it makes sense together is the business
//! of `check`; what follows from it is the business of the plan. Sections: `[pipeline]` who and why, `[ingest]` which rows,
//! `[derive]` computed columns, `[schema]` what each column is for, `[contract]` what the data promised, `[privacy]` differential privacy, `[deidentify]` the dataset that leaves the house, `[train]` the model, `[attacks]` whether both are attacked with real rows,
//! `[measure]` what is measured, `[[judge]]` which values are acceptable, `[report]` how it is shown, `[schedule]` when it is due, `[sign]` who vouches for it,
//! `[smtp]` who hands mails over, `[[notify]]` who is told.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::metric::{Against, Comparison};
use crate::schema::Role;

mod attacks;
mod bias;
mod deidentify;
mod measure;
mod notify;
mod report;
mod schedule;
mod sign;
mod smtp;

pub use attacks::{Attacks, ROWS_MAX, ROWS_MIN};
pub use bias::*;
pub use deidentify::{ClassModel, ColumnRule, DatePart, Deidentify, Do, LossOf, Profile, SearchBy};
pub use measure::Measure;
pub use notify::{Attach, Body, Digest, Notify, On, Readers};
pub use report::{Format as ReportFormat, Language, Report};
pub use schedule::Schedule;
pub use sign::Sign;
pub use smtp::{Encryption, Smtp, is_address, mailbox};

/// One pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Path of a file that shares `[[judge]]`, `[report]`, `[[notify]]` and `[smtp]`, relative to this one. One level deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    pub pipeline: Pipeline,
    pub ingest: Ingest,
    /// Computed columns: name = SQL scalar expression. May use columns of the source and earlier derived columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub derive: BTreeMap<String, String>,
    /// Every column that is read, and what it is for.
    pub schema: BTreeMap<String, ColumnSpec>,
    #[serde(default)]
    pub contract: Contract,
    /// Differential privacy. Off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// The de-identified dataset. Not written when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deidentify: Option<Deidentify>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Train>,
    /// Attacks on real rows. None when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attacks: Option<Attacks>,
    #[serde(default)]
    pub measure: Measure,
    /// What can be done about differences, tried out on held-out rows. Not tried when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigate: Option<Mitigate>,
    /// The criteria the run is judged by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judge: Vec<Criterion>,
    #[serde(default)]
    pub report: Report,
    /// When the pipeline is due. Whenever it is started when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The key that signs the run folder. Not signed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Sign>,
    /// Who hands mails over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp: Option<Smtp>,
    /// Who is told of a run. Nobody when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
}

impl Spec {
    /// Names of the environment variables the pipeline reads, each once.
    pub fn variables(&self) -> BTreeSet<&str> {
        let rules = self.notify.iter().flat_map(|rule| [&rule.webhook_env, &rule.secret_env]);
        let columns = self.deidentify.iter().flat_map(|section| section.columns.values());
        let keys = columns.flat_map(|column| [&column.key_env, &column.passphrase_env]);
        let password = self.smtp.iter().map(|smtp| &smtp.password_env);
        let named = rules.chain(keys).chain(password).chain(self.sign.iter().map(|sign| &sign.key_env));
        named.flatten().map(String::as_str).collect()
    }

    /// Whether the report is attached to a mail as a PDF.
    pub fn mails_pdf(&self) -> bool {
        self.notify.iter().any(|rule| rule.attach == Attach::Pdf)
    }
}

/// Who runs this audit, on what, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Names the run folder: lower-case letters, digits, hyphens.
    pub name: String,
    /// Who answers for this audit.
    #[serde(default)]
    pub owner: String,
    /// What the model or process is used for.
    #[serde(default)]
    pub purpose: String,
    /// Public seed of the split, the folds and the bootstrap.
    #[serde(default)]
    pub seed: u64,
}

/// File format of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Csv,
    Tsv,
    Parquet,
    Ndjson,
    Ipc,
}

/// Where the rows come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    /// File, glob or folder (hive partitions), relative to the pipeline file.
    pub path: String,
    /// Taken from the extension when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Field separator of delimited text. Comma for CSV, tab for TSV when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Decimal mark of numbers in delimited text.
    #[serde(default = "point")]
    pub decimal: char,
    /// Texts that stand for a missing value, besides the empty field.
    #[serde(default)]
    pub null_values: Vec<String>,
    /// Columns that tell rows apart: what splits and folds hash when no column is the privacy unit. `contract.unique_key` when absent, the
    /// whole row without either. That they do tell rows apart is checked by `contract.unique_key` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Rows for which this SQL expression is not true are left out and counted.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}

fn point() -> char {
    '.'
}

/// What to do with a missing value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The run stops: the contract says there is none.
    Refuse,
    /// The row is left out of training and scoring, and counted.
    #[default]
    Drop,
    /// The mean (number) or mode (text, truth value) of all kept rows, the test part included, and an indicator column.
    Impute,
}

/// Type a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadAs {
    Text,
    Number,
    Truth,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// What it is for; several are possible. Empty: available to expressions only.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Closed list of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<String>>,
    /// Least and greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<[f64; 2]>,
    /// Read as this type; otherwise number with `bounds`, text with `levels` or without either.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub read_as: Option<ReadAs>,
    /// The value of a target or prediction that counts as 1 (favourable, predicted positive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// Level that the others are compared with: `against = "reference"`, and the left-out level of a one-hot feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Policy for missing values of a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// Contract: greatest share of missing values, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_share_max: Option<f64>,
    /// Contract: greatest share of values outside the levels or bounds, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_share_max: Option<f64>,
}

/// What the data was promised to be. A broken promise ends the run (exit 3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Least number of rows after `where`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_min: Option<u64>,
    /// Columns that together identify a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique_key: Vec<String>,
    /// Memory for the uniqueness check, MiB; beyond it further passes are made.
    #[serde(default = "memory")]
    pub memory_mib_max: u64,
}

fn memory() -> u64 {
    256
}

impl Default for Contract {
    fn default() -> Contract {
        Contract { rows_min: None, unique_key: Vec::new(), memory_mib_max: memory() }
    }
}

/// Which datasets are neighbours: what differential privacy makes indistinguishable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Neighbours {
    /// All rows of one unit are there, or not.
    #[default]
    AddRemove,
    /// All rows of one unit are replaced by others.
    ChangeOne,
}

/// How the budget of a run is divided: weights of its stages, in any unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Rows, missing and outside values.
    #[serde(default = "one")]
    pub contract: f64,
    /// The trained model.
    #[serde(default = "four")]
    pub train: f64,
    /// Cohorts by label and decision.
    #[serde(default = "four")]
    pub table: f64,
    /// Scores by cohort and label.
    #[serde(default = "two")]
    pub scores: f64,
    /// Losses and errors by cohort.
    #[serde(default = "one")]
    pub losses: f64,
}

fn one() -> f64 {
    1.0
}
fn two() -> f64 {
    2.0
}
fn four() -> f64 {
    4.0
}

impl Default for Shares {
    fn default() -> Shares {
        Shares { contract: one(), train: four(), table: four(), scores: two(), losses: one() }
    }
}

/// Differential privacy: who is protected, what a run may cost, how it is divided. What a population may cost in all is granted in the
/// ledger (`evenhand budget grant`), not here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Name of the people the rows are about. Every audit of the same people spends the same budget.
    pub population: String,
    /// Cost of one run.
    pub epsilon: f64,
    /// Probability left out of the claim. 0: pure differential privacy, Laplace noise; more: Gaussian noise.
    #[serde(default)]
    pub delta: f64,
    #[serde(default)]
    pub neighbours: Neighbours,
    /// Most rows of one unit; the rows of smallest hash are kept.
    #[serde(default = "one_row")]
    pub rows_per_unit_max: u32,
    /// A number of rows that is public: delta must be less than one in this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_at_least: Option<u64>,
    #[serde(default)]
    pub shares: Shares,
    /// Bins of a score.
    #[serde(default = "thirty_two")]
    pub score_bins: u32,
    /// Widest interval of a noisy estimate that is shown, as a share of the range of its metric.
    #[serde(default = "half")]
    pub interval_width_max: f64,
    /// Path of the ledger, relative to the pipeline file. The store beside the run folders when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// Memory for the rows per unit, MiB; beyond it further passes are made.
    #[serde(default = "memory")]
    pub memory_mib_max: u64,
    /// Accepts an epsilon above 20, which protects hardly anybody.
    #[serde(default)]
    pub i_know: bool,
}

fn one_row() -> u32 {
    1
}
fn thirty_two() -> u32 {
    32
}

/// Family of the trained model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    Linear,
    Logistic,
}

/// The penalty on the coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    None,
    Ridge,
    Lasso,
    #[default]
    ElasticNet,
}

/// The audited model, trained here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Train {
    pub model: ModelKind,
    #[serde(default)]
    pub penalty: Penalty,
    /// Strength of the penalty (alpha of scikit-learn's ElasticNet, loss averaged over rows). Cross-validated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Share of the absolute-value part of an elastic net; several are cross-validated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub l1_ratios: Vec<f64>,
    #[serde(default = "five")]
    pub folds: u32,
    /// Scale features to unit variance before the penalty is applied.
    #[serde(default = "yes")]
    pub standardise: bool,
    /// Protected columns are no features, whatever their roles say, unless this is true.
    #[serde(default)]
    pub protected_features: bool,
    /// A logistic model decides 1 when the probability is at least this.
    #[serde(default = "half")]
    pub threshold: f64,
    /// Differential privacy: gradient steps of a logistic model, each a charged release.
    #[serde(default = "steps")]
    pub steps: u32,
    #[serde(default)]
    pub split: Split,
}

fn steps() -> u32 {
    8
}

fn five() -> u32 {
    5
}
fn yes() -> bool {
    true
}
fn half() -> f64 {
    0.5
}

/// Shares of the rows, by a public hash of the unit, the key or the row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Split {
    pub train: f64,
    pub calibration: f64,
    pub test: f64,
}

impl Default for Split {
    fn default() -> Split {
        Split { train: 0.6, calibration: 0.0, test: 0.4 }
    }
}

/// What a breach means for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Warn,
    #[default]
    Deny,
}

/// One acceptance criterion. Exactly one of `at_most` and `at_least`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    pub metric: String,
    /// Judge a comparison of cohorts; the value itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Comparison>,
    /// What each cohort is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Which set of attributes; every set of `[measure]` when absent. `[]` is everyone together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub across: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default)]
    pub level: Level,
    /// Exceptions, each with a reason and an end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waive: Vec<Waiver>,
}

/// A breach that somebody accepted for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The cohort it is for: attribute = level. Every cohort when empty.
    #[serde(default)]
    pub cohort: BTreeMap<String, String>,
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`, UTC.
    pub until: String,
}
