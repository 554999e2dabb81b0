//! `[sign]`: the key that signs a run folder.

use serde::{Deserialize, Serialize};

/// The private Ed25519 key that attests every file of a run folder. Exactly one of `key_file` and `key_env`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// File that holds the key in PEM, relative to the pipeline file. `evenhand keygen` makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// In place of `key_file`: name of an environment variable that holds the key in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Write a signature that `minisign -V` checks, too.
    #[serde(default = "yes")]
    pub minisign: bool,
}

fn yes() -> bool {
    true
}
