//! How findings and judged values stand in the history of a pipeline.

use serde::{Deserialize, Serialize};

use crate::cohort::Cohort;
use crate::finding::Verdict;
use crate::plan::spec::Level;

/// When something was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Seen {
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
}

/// How an open finding stands in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Recurrence {
    /// Never open before.
    New,
    /// Open in the run before too.
    Still,
    /// Open once, not in the run before, and now again.
    Again,
}

/// Since when a finding is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Since {
    pub code: String,
    pub cohort: Cohort,
    pub level: Level,
    pub standing: Recurrence,
    /// The first run in which it was open.
    pub first_seen: Seen,
    /// The first of the runs in a row, up to this one, in which it was open.
    pub open_since: Seen,
}

/// A judged value over the last runs, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Series {
    pub code: String,
    pub cohort: Cohort,
    pub metric: String,
    pub points: Vec<Past>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Past {
    pub run_id: String,
    pub started_at: String,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
}
