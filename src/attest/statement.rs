//! What is attested: an in-toto Statement (version 1) about files, with one of three predicates of our own.
//!
//! `run`: a run and the files of its folder. `signoff`: what a reviewer decided about it. `file`: a file that was made of it later.
//! A predicate of another version is another type, and refused: its meaning is not known here.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::envelope::place;
use super::key::PublicKey;
use crate::audit::Edition;
use crate::finding::Outcome;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The types name meanings; nothing is ever fetched from them, and by RFC 6761 nothing can be.
pub const RUN: &str = "https://evenhand.invalid/attestation/run/v1";
pub const SIGN_OFF: &str = "https://evenhand.invalid/attestation/signoff/v1";
pub const FILE: &str = "https://evenhand.invalid/attestation/file/v1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    pub of: String,
    pub subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    pub predicate: P,
}

/// A file and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Relative to the run folder, with slashes.
    pub name: String,
    pub digest: Sha256Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sha256Digest {
    /// In hexadecimal digits.
    pub sha256: String,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub pipeline: String,
    pub run_id: String,
    pub generator: String,
    pub outcome: Outcome,
    pub spec_sha256: String,
    pub report_version: u32,
    /// Under differential privacy: which of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<Edition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    pub previous: Previous,
    /// A signature in the form of minisign lies beside this attestation.
    pub minisign: bool,
    pub signed_by: SignedBy,
}

/// Head of the ledger after the run was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub population: String,
    pub sequence: u64,
    pub head: String,
}

/// The run of the same pipeline and edition before this one, and SHA-256 of its attestation when it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    pub state: PreviousState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviousState {
    /// There was none.
    First,
    Signed,
    /// Its folder has no attestation, and says that it had none.
    Unsigned,
    /// Its folder is gone, or its attestation is, or that cannot be read; or no run is recorded, and this one lies there.
    Missing,
}

/// The key that signed. That it is in the statement makes the folder checkable by itself, and proves nothing of who holds the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBy {
    pub key_id: String,
    /// PEM.
    pub public_key: String,
}

/// What a reviewer decided. Its subject is the run's attestation, which stands for every file of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    pub pipeline: String,
    pub run_id: String,
    pub reviewer: String,
    pub decision: Decision,
    /// What must be done, of a conditional decision.
    pub conditions: Vec<String>,
    /// RFC 3339, UTC.
    pub signed_at: String,
    pub follows: Follows,
    pub minisign: bool,
    pub signed_by: SignedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Approved,
    Rejected,
    Conditional,
}

impl Decision {
    pub fn word(self) -> &'static str {
        match self {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
            Decision::Conditional => "conditional",
        }
    }
}

/// A file made of a run later. It is the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub pipeline: String,
    pub run_id: String,
    /// RFC 3339, UTC.
    pub signed_at: String,
    pub follows: Follows,
    pub minisign: bool,
    pub signed_by: SignedBy,
}

/// The attestation of the same folder before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follows {
    pub name: String,
    pub sha256: String,
}

/// A predicate.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    Run(Run),
    SignOff(SignOff),
    File(File),
}

impl Fact {
    pub fn signed_by(&self) -> &SignedBy {
        match self {
            Fact::Run(of) => &of.signed_by,
            Fact::SignOff(of) => &of.signed_by,
            Fact::File(of) => &of.signed_by,
        }
    }

    pub fn follows(&self) -> Option<&Follows> {
        match self {
            Fact::Run(_) => None,
            Fact::SignOff(of) => Some(&of.follows),
            Fact::File(of) => Some(&of.follows),
        }
    }

    /// Pipeline and run.
    pub fn run(&self) -> (&str, &str) {
        match self {
            Fact::Run(of) => (&of.pipeline, &of.run_id),
            Fact::SignOff(of) => (&of.pipeline, &of.run_id),
            Fact::File(of) => (&of.pipeline, &of.run_id),
        }
    }

    pub fn minisign(&self) -> bool {
        match self {
            Fact::Run(of) => of.minisign,
            Fact::SignOff(of) => of.minisign,
            Fact::File(of) => of.minisign,
        }
    }
}

impl SignedBy {
    pub fn of(key: &PublicKey) -> SignedBy {
        SignedBy { key_id: key.id().to_string(), public_key: key.pem() }
    }
}

impl Subject {
    pub fn of(name: &str, sha256: &str) -> Subject {
        Subject { name: name.into(), digest: Sha256Digest { sha256: sha256.into() } }
    }
}

/// Why bytes are no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    #[error("its payload is no in-toto statement: {0}")]
    NotJson(String),
    #[error("its payload is no in-toto statement of version 1")]
    NotStatement,
    #[error(
        "it says something that this program does not know; verify it with the evenhand that made it, or a later one"
    )]
    NotKnown,
    #[error("a name among its subjects leads out of the folder, is an attestation or is no name")]
    Name,
    #[error("its subjects are not in order, or one is twice there")]
    Order,
    #[error("a digest in it is not 64 lower-case hexadecimal digits")]
    Digest,
    #[error("what it says of the run before is not complete")]
    Previous,
    #[error("it is for a decision with conditions and has none, or the other way round")]
    Conditions,
}

/// The payload for subjects, which are sorted here, and a predicate.
pub fn payload<P: Serialize>(of: &str, mut subject: Vec<Subject>, predicate: P) -> Result<Vec<u8>, serde_json::Error> {
    subject.sort_by(|a, b| a.name.cmp(&b.name));
    serde_json::to_vec(&Statement { of: STATEMENT.into(), subject, predicate_type: of.into(), predicate })
}

/// Reads a payload.
pub fn read(payload: &[u8]) -> Result<(Vec<Subject>, Fact), StatementError> {
    let head: Statement<IgnoredAny> = typed(payload)?;
    if head.of != STATEMENT {
        return Err(StatementError::NotStatement);
    }
    let fact = match head.predicate_type.as_str() {
        RUN => Fact::Run(typed::<Statement<Run>>(payload)?.predicate),
        SIGN_OFF => Fact::SignOff(typed::<Statement<SignOff>>(payload)?.predicate),
        FILE => Fact::File(typed::<Statement<File>>(payload)?.predicate),
        _ => return Err(StatementError::NotKnown),
    };
    subjects(&head.subject, matches!(fact, Fact::SignOff(_)))?;
    let follows = fact.follows().map(|follows| follows.sha256.as_str());
    match &fact {
        Fact::Run(run) => previous(&run.previous)?,
        Fact::SignOff(of) if (of.decision == Decision::Conditional) == of.conditions.is_empty() => {
            return Err(StatementError::Conditions);
        }
        _ => {}
    }
    if !follows.is_none_or(is_sha256) {
        return Err(StatementError::Digest);
    }
    Ok((head.subject, fact))
}

fn typed<T: DeserializeOwned>(payload: &[u8]) -> Result<T, StatementError> {
    serde_json::from_slice(payload).map_err(|e| StatementError::NotJson(place(&e)))
}

/// Only a sign-off is about an attestation.
fn subjects(subjects: &[Subject], of_attestation: bool) -> Result<(), StatementError> {
    for subject in subjects {
        if !is_name(&subject.name) || super::is_attestation(&subject.name) != of_attestation {
            return Err(StatementError::Name);
        }
        if !is_sha256(&subject.digest.sha256) {
            return Err(StatementError::Digest);
        }
    }
    match subjects.is_sorted_by(|a, b| a.name < b.name) {
        true => Ok(()),
        false => Err(StatementError::Order),
    }
}

fn previous(previous: &Previous) -> Result<(), StatementError> {
    let named = previous.run_id.as_deref().map(is_part);
    match (previous.state, named, previous.sha256.as_deref().map(is_sha256)) {
        (PreviousState::First, None, None)
        | (PreviousState::Signed, Some(true), Some(true))
        | (PreviousState::Unsigned | PreviousState::Missing, Some(true), None) => Ok(()),
        _ => Err(StatementError::Previous),
    }
}

/// A name within a folder: parts with slashes between, none of which leads elsewhere.
fn is_name(name: &str) -> bool {
    name.split('/').all(is_part)
}

/// The name of one file or folder.
pub fn is_part(part: &str) -> bool {
    let plain = |c: char| c != '/' && c != '\\' && c != '\0';
    !part.is_empty() && part.len() <= 255 && part != "." && part != ".." && part.chars().all(plain)
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests;
