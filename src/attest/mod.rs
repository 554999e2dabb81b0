//! Signed statements about a run folder: what was written, by the holder of which key, after which run.
//!
//! `attestation.dsse.json` is a DSSE envelope around an in-toto Statement whose subjects are all files of the folder; it names the
//! attestation of the pipeline's run before. What becomes known later (`signoff-0001.dsse.json`, `pdf.dsse.json`) is attested beside
//! it: each names the digest of the attestation it follows, and nothing that is there is changed. Beside each may lie a signature for
//! minisign. [`verify()`] needs the folder only, wherever it was copied to.
//!
//! A signature tells that the holder of a key wrote this. Whose key it is, the reader must know from elsewhere.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::audit::{FileDigest, Record};
use crate::world;

mod chain;
mod envelope;
mod key;
mod key_file;
mod later;
mod minisign;
mod statement;
mod verify;

pub use chain::{Chain, ChainEnd, Link, chain};
pub use key::{KeyError, KeyId, PrivateKey, PublicKey};
pub use key_file::{KeyFiles, private_key, private_key_of, public_key, write_keys};
pub use later::{LaterError, Review, add_file, sign_off};
pub use statement::{Decision, Fact, Previous, PreviousState};
pub use verify::{Attestation, Keys, Problem, ProblemKind, Signature, SignatureState, Verification, verify, verify_by};

/// The attestation of a run.
pub const NAME: &str = "attestation.dsse.json";
/// The record of a run, in its folder.
const RUN: &str = "run.json";
/// How the names of attestations end.
pub const SUFFIX: &str = ".dsse.json";
/// Bytes of an attestation at most; that of 10,000 files has about 2 MB.
const BYTES_MAX: u64 = 1 << 24;

/// Who signs, and how.
#[derive(Debug)]
pub struct Signer {
    pub key: PrivateKey,
    /// Write a signature for minisign too.
    pub minisign: bool,
}

/// Why an attestation was not written.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    #[error("the attestation has no JSON form: {0}")]
    Unwritable(#[from] serde_json::Error),
    #[error("{0}: a file of the run folder may not have the name of an attestation")]
    Name(String),
}

/// The attestation of a run: files to put into its folder, names and contents. `files` are all others of the folder.
pub fn run(
    signer: &Signer,
    record: &Record,
    (spec_sha256, report_version): (&str, u32),
    previous: Previous,
    files: &[FileDigest],
) -> Result<Vec<(String, Vec<u8>)>, AttestError> {
    if let Some(file) = files.iter().find(|file| is_attestation(&file.name)) {
        return Err(AttestError::Name(file.name.clone()));
    }
    let ledger = record.ledger.as_ref().map(|ledger| statement::Ledger {
        population: ledger.population.clone(),
        sequence: ledger.sequence,
        head: ledger.head.clone(),
    });
    let predicate = statement::Run {
        pipeline: record.pipeline.clone(),
        run_id: record.run_id.clone(),
        generator: record.generator.clone(),
        outcome: record.outcome,
        spec_sha256: spec_sha256.into(),
        report_version,
        edition: record.edition,
        ledger,
        previous,
        minisign: signer.minisign,
        signed_by: statement::SignedBy::of(&signer.key.public()),
    };
    let subjects = files.iter().map(|file| statement::Subject::of(&file.name, &file.sha256)).collect();
    let payload = statement::payload(statement::RUN, subjects, predicate)?;
    let comment = format!("evenhand: run {} of {}", record.run_id, record.pipeline);
    sealed(NAME, &payload, &comment, (&signer.key, signer.minisign))
}

/// What the next run says of the run before it, whose folder is or was in this one. An attestation that cannot be read is as good as
/// gone: that is no reason to lose the run. So is one that is not there although `run.json` names the key that signed, or cannot be read;
/// and where no run is recorded and folders of runs are here, what was recorded is gone.
pub fn previous(runs: &Path, run_id: Option<&str>) -> Previous {
    let of = |state, id: &str, sha256| Previous { state, run_id: Some(id.into()), sha256 };
    let Some(id) = run_id else {
        let left = world::folders_with(runs, RUN).unwrap_or_default();
        return match left.iter().rfind(|name| statement::is_part(name)) {
            Some(latest) => of(PreviousState::Missing, latest, None),
            None => Previous { state: PreviousState::First, run_id: None, sha256: None },
        };
    };
    if !statement::is_part(id) || !world::is_there(&runs.join(id)) {
        return of(PreviousState::Missing, id, None);
    }
    match world::read_at_most(&runs.join(id).join(NAME), BYTES_MAX) {
        Ok(Some(bytes)) => of(PreviousState::Signed, id, Some(sha256(&bytes))),
        Ok(None) if was_unsigned(&runs.join(id)) => of(PreviousState::Unsigned, id, None),
        Ok(None) | Err(_) => of(PreviousState::Missing, id, None),
    }
}

/// Whether a run says of itself that nobody signed it.
fn was_unsigned(folder: &Path) -> bool {
    let Ok(Some(bytes)) = world::read_at_most(&folder.join(RUN), BYTES_MAX) else { return false };
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(serde_json::Value::Object(run)) => run.get("signed_by").is_none_or(serde_json::Value::is_null),
        _ => false,
    }
}

/// True for the name of an attestation or of its signature for minisign.
pub fn is_attestation(name: &str) -> bool {
    let stem = name.strip_suffix(minisign::SUFFIX).unwrap_or(name);
    !name.contains('/') && !name.starts_with('.') && stem.ends_with(SUFFIX)
}

/// The files of an attestation, its signature for minisign first.
fn sealed(
    name: &str,
    payload: &[u8],
    comment: &str,
    (key, minisign): (&PrivateKey, bool),
) -> Result<Vec<(String, Vec<u8>)>, AttestError> {
    let envelope = envelope::seal(payload, key)?;
    let signature = minisign.then(|| minisign::sign(&envelope, comment, key));
    let beside = signature.map(|signature| (format!("{name}{}", minisign::SUFFIX), signature.into_bytes()));
    Ok(beside.into_iter().chain([(name.to_string(), envelope)]).collect())
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
