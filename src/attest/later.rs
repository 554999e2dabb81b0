//! What becomes known after a run: a reviewer's decision, a file made of it. Attested beside what is there, which stays as it is.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::key::PrivateKey;
use super::statement::{self, Decision, File, Follows, SignOff, SignedBy, Subject};
use super::verify::{ProblemKind, verify};
use super::{AttestError, NAME, SUFFIX, is_attestation, minisign, sealed, sha256};
use crate::world::{self, PARTIAL};

/// What a reviewer decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub reviewer: String,
    pub decision: Decision,
    /// Of a conditional decision, at least one; of another, none.
    pub conditions: Vec<String>,
}

/// Characters of a name or condition at most.
const TEXT_MAX: usize = 2_000;
const CONDITIONS_MAX: usize = 100;

/// Why nothing was attested. The folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum LaterError {
    #[error(
        "the run is not signed, so there is nothing to follow; sign runs with a section [sign] in the pipeline file"
    )]
    Unsigned,
    #[error("the folder is not as it was signed ({0}); see what differs with: evenhand verify RUN")]
    NotAsSigned(String),
    #[error("another attestation is being written here; try again")]
    Busy,
    #[error("{0}")]
    Text(String),
    #[error("a conditional decision needs at least one condition, an approved or rejected one has none")]
    Conditions,
    #[error("{0} is attested already")]
    Attested(String),
    #[error(transparent)]
    Attest(#[from] AttestError),
    #[error(transparent)]
    Files(#[from] io::Error),
}

/// Attests a review of a run as `signoff-0001.dsse.json`, or with the next number; the path.
pub fn sign_off(folder: &Path, key: &PrivateKey, review: &Review, at: Timestamp) -> Result<PathBuf, LaterError> {
    let texts = review.conditions.iter().map(|text| ("a condition", text));
    for (what, text) in std::iter::once(("the reviewer's name", &review.reviewer)).chain(texts) {
        if text.trim().is_empty() || text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
            return Err(LaterError::Text(format!("{what} is one line of 1 to {TEXT_MAX} characters")));
        }
    }
    if (review.decision == Decision::Conditional) == review.conditions.is_empty()
        || review.conditions.len() > CONDITIONS_MAX
    {
        return Err(LaterError::Conditions);
    }
    let _lock = lock(folder)?;
    let name =
        (1..=9999u32).map(|n| format!("signoff-{n:04}{SUFFIX}")).find(|name| !world::is_there(&folder.join(name)));
    let name = name.ok_or_else(|| LaterError::Attested("signoff-9999".into()))?;
    let last = last(folder, &name, None)?;
    let predicate = SignOff {
        pipeline: last.pipeline.clone(),
        run_id: last.run_id.clone(),
        reviewer: review.reviewer.clone(),
        decision: review.decision,
        conditions: review.conditions.clone(),
        signed_at: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        follows: last.follows.clone(),
        minisign: last.minisign,
        signed_by: SignedBy::of(&key.public()),
    };
    let subjects = vec![Subject::of(NAME, &last.root_sha256)];
    let payload = statement::payload(statement::SIGN_OFF, subjects, predicate).map_err(AttestError::from)?;
    write(folder, &name, &payload, key, &last)
}

/// Puts a file that was made of a run into its folder and attests it: `report.pdf` as `pdf.dsse.json`, by its ending. The path of the
/// attestation. A file of this name that nothing covers yet, left by a try that was cut short, is replaced.
pub fn add_file(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    key: &PrivateKey,
    at: Timestamp,
) -> Result<PathBuf, LaterError> {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let plain = !ending.is_empty() && ending.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !statement::is_part(name) || is_attestation(name) || !plain {
        return Err(LaterError::Text(format!("{name:?} is no name for a file of a run folder, like report.pdf")));
    }
    let attestation = format!("{ending}{SUFFIX}");
    let _lock = lock(folder)?;
    if attestation == NAME || world::is_there(&folder.join(&attestation)) {
        return Err(LaterError::Attested(name.into()));
    }
    let last = last(folder, &attestation, Some(name))?;
    if last.covered.iter().any(|covered| covered == name) {
        return Err(LaterError::Attested(name.into()));
    }
    world::replace(&folder.join(name), bytes)?;
    let predicate = File {
        pipeline: last.pipeline.clone(),
        run_id: last.run_id.clone(),
        signed_at: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        follows: last.follows.clone(),
        minisign: last.minisign,
        signed_by: SignedBy::of(&key.public()),
    };
    let subjects = vec![Subject::of(name, &sha256(bytes))];
    let payload = statement::payload(statement::FILE, subjects, predicate).map_err(AttestError::from)?;
    write(folder, &attestation, &payload, key, &last)
}

/// Where the next attestation goes.
struct Last {
    pipeline: String,
    run_id: String,
    root_sha256: String,
    follows: Follows,
    minisign: bool,
    /// Files that are attested.
    covered: Vec<String>,
}

fn lock(folder: &Path) -> Result<world::Lock, LaterError> {
    match world::lock_there(&folder.join(NAME)) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(LaterError::Busy),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(LaterError::Unsigned),
        Err(e) => Err(e.into()),
    }
}

/// The last attestation of a folder that is as it was signed, but for what a try that was cut short has left of the next.
fn last(folder: &Path, next: &str, file: Option<&str>) -> Result<Last, LaterError> {
    let found = verify(folder, &[])?;
    let beside = format!("{next}{}", minisign::SUFFIX);
    let mut left: Vec<String> = [next, &beside].iter().map(|name| format!("{PARTIAL}{name}")).collect();
    left.extend(file.map(Into::into));
    left.extend(file.map(|name| format!("{PARTIAL}{name}")));
    left.push(beside);
    let own = |kind, name: &String| kind == ProblemKind::Extra && left.contains(name);
    if let Some(problem) = found.problems.iter().find(|problem| !own(problem.kind, &problem.file)) {
        return Err(LaterError::NotAsSigned(format!("{}: {}", problem.kind.word(), problem.message)));
    }
    let (Some(run), Some(last)) = (found.run(), found.attestations.last()) else { return Err(LaterError::Unsigned) };
    Ok(Last {
        pipeline: run.pipeline.clone(),
        run_id: run.run_id.clone(),
        root_sha256: found.sha256.clone().unwrap_or_default(),
        follows: Follows { name: last.file.clone(), sha256: last.sha256.clone() },
        minisign: run.minisign,
        covered: found.attestations.iter().flat_map(|of| of.subjects.iter().map(|of| of.name.clone())).collect(),
    })
}

/// Writes an attestation, its signature for minisign first: the attestation is what makes it count.
fn write(folder: &Path, name: &str, payload: &[u8], key: &PrivateKey, last: &Last) -> Result<PathBuf, LaterError> {
    let what = name.strip_suffix(SUFFIX).unwrap_or(name);
    let comment = format!("evenhand: {what} of run {} of {}", last.run_id, last.pipeline);
    for (name, bytes) in sealed(name, payload, &comment, (key, last.minisign))? {
        world::replace(&folder.join(name), &bytes)?;
    }
    Ok(folder.join(name))
}
