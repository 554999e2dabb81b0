//! `[[notify]]`: who is told of a run, when, and how.

use serde::{Deserialize, Serialize};

/// What a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum On {
    Fail,
    Warn,
    Inconclusive,
    Pass,
    /// PASS or WARN after FAIL or INCONCLUSIVE.
    Recovered,
    /// The outcome, or how a finding is judged, is not that of the run before.
    Changed,
    /// Every run.
    Always,
}

impl On {
    /// The word in the pipeline file.
    pub fn word(self) -> &'static str {
        match self {
            On::Fail => "fail",
            On::Warn => "warn",
            On::Inconclusive => "inconclusive",
            On::Pass => "pass",
            On::Recovered => "recovered",
            On::Changed => "changed",
            On::Always => "always",
        }
    }
}

/// The shape of what is posted to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// `message_version`, outcome, criteria, findings.
    #[default]
    Json,
    /// Incoming webhook of Slack.
    Slack,
    /// Adaptive card for a workflow of Teams.
    Teams,
}

/// What is attached to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    #[default]
    None,
    /// The report as a PDF, where the run has one.
    Pdf,
}

/// Which edition a notice is of. Without `[privacy]` both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    #[default]
    Public,
    Internal,
}

/// How long runs are collected before they are told of together. Days and weeks are those of UTC; a week begins on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Digest {
    Daily,
    Weekly,
}

/// One rule: either `mail` or `webhook_env`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Addresses, each of which gets a mail of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<String>,
    /// Environment variable that holds the URL of a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_env: Option<String>,
    /// Shape of what is posted to the webhook.
    #[serde(default)]
    pub body: Body,
    /// Environment variable of the secret that what is posted is signed with (HMAC-SHA-256).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_env: Option<String>,
    /// When to tell.
    #[serde(default = "on")]
    pub on: Vec<On>,
    #[serde(default)]
    pub attach: Attach,
    #[serde(default)]
    pub edition: Readers,
    /// Collects runs: the first run of a day or week tells of those since the last digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Days without a notice after which a run says that it is still running and that there is nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_days: Option<u32>,
}

fn on() -> Vec<On> {
    vec![On::Fail, On::Inconclusive, On::Recovered, On::Changed]
}
