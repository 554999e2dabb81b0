//! A criterion applied to an estimate: what was judged, by which interval, with which verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cohort::Cohort;
use crate::estimate::{Interval, Measured};
use crate::metric::{Against, Comparison};
use crate::plan::spec::Level;

/// What the interval says about the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval is on the right side of the limit.
    Met,
    /// The limit is inside the interval, or the support is below the minimum.
    Undetermined,
    /// There is no estimate.
    NotMeasured,
    /// The whole interval, widened for the number of criteria, is on the wrong side.
    Breached,
}

/// One criterion, as the pipeline file has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Gate {
    pub metric: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Names of the attributes; empty is everyone together.
    pub across: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    pub level: Level,
}

/// An accepted breach.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Waived {
    pub cohort: BTreeMap<Arc<str>, Arc<str>>,
    pub reason: Arc<str>,
    /// Last day it holds, UTC.
    pub until: Arc<str>,
}

/// One judged value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Stable: kind of finding, metric, comparison and attributes, joined by slashes.
    pub code: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    pub cohort: Cohort,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// The interval a breach was judged by: widened so that all criteria together hold the confidence (Holm 1979).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged_interval: Option<Interval>,
    pub verdict: Verdict,
    pub level: Level,
    /// One sentence: why this verdict.
    pub reason: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waived>,
}

/// The short name of a finding: the same in every run in which the same criterion judges the same cohort. The first 32 bits of SHA-256
/// of code and cohort: among 1,000 findings two have the same with a chance of 1 in 8,600.
pub fn id(code: &str, cohort: &impl std::fmt::Display) -> String {
    let digest = Sha256::digest(format!("{code}\n{cohort}"));
    format!("F-{}", digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// What two runs are compared by: a finding and how it was judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judged {
    pub code: String,
    /// A JSON object of attributes and levels, attributes in the order of their names.
    pub cohort: String,
    pub verdict: Verdict,
}

/// The outcome of a run over all findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Every criterion is met, or waived.
    Pass,
    /// A criterion of level `warn` is not met.
    Warn,
    /// A criterion of level `deny` is breached.
    Fail,
    /// None is breached, and one of level `deny` is undetermined or not measured.
    Inconclusive,
}

impl Outcome {
    /// Exit code of a run that finished with this outcome.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Pass | Outcome::Warn => 0,
            Outcome::Fail => 1,
            Outcome::Inconclusive => 4,
        }
    }
}
