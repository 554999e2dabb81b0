//! `[schedule]`: when the pipeline is due.

use serde::{Deserialize, Serialize};

/// When the pipeline is due, for `schedule print` and `run --due`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Minute, hour, day of month, month, day of week, as in crontab(5).
    pub cron: String,
    /// Time zone the fields are read in, of the IANA database.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// A run that has not begun so many minutes after it was due is late.
    #[serde(default = "late_after")]
    pub late_after_min: u32,
    /// File for the textfile collector of a Prometheus node exporter, written after every run; relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub textfile: Option<String>,
}

fn utc() -> String {
    "UTC".into()
}

fn late_after() -> u32 {
    60
}
