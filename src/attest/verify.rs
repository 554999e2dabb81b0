//! Whether a folder is what was signed: every attestation in it, every file they cover, and everything they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::Serialize;

use super::key::PublicKey;
use super::statement::{Fact, SignedBy, Subject};
use super::{BYTES_MAX, NAME, SUFFIX, envelope, is_attestation, minisign, sha256, statement};
use crate::world::{self, Entry, Kind};

/// What was found out about a folder.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The run's first, then the later ones, each after the one it follows.
    pub attestations: Vec<Attestation>,
    /// Files that are as they were signed.
    pub files: usize,
    /// Everything that is wrong; empty when nothing is.
    pub problems: Vec<Problem>,
    /// SHA-256 of the run's attestation.
    pub sha256: Option<String>,
}

/// An attestation that could be read.
#[derive(Debug, Clone)]
pub struct Attestation {
    pub file: String,
    pub sha256: String,
    pub subjects: Vec<Subject>,
    pub fact: Fact,
    pub signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    pub key_id: String,
    pub state: SignatureState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Good under a key that was given.
    Good,
    /// Good under the key in the attestation. No key was given to compare it with.
    OwnKey,
    /// Good under the key in the attestation, which is none of the keys given.
    OtherKey,
    /// Of a key that is neither in the attestation nor given: not checked.
    UnknownKey,
    Bad,
}

/// Something that is wrong with a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    pub kind: ProblemKind,
    /// Relative to the folder.
    pub file: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// There is no attestation of the run.
    Unsigned,
    /// An attestation that cannot be read, or is not what its name says.
    Damaged,
    /// A signature that does not hold.
    Signature,
    /// Signed with another key than those given.
    Key,
    /// An attestation that does not follow the others of the folder.
    Chain,
    Changed,
    Missing,
    /// Covered by no attestation.
    Extra,
    Unreadable,
}

impl ProblemKind {
    pub fn word(self) -> &'static str {
        match self {
            ProblemKind::Unsigned => "unsigned",
            ProblemKind::Damaged => "damaged",
            ProblemKind::Signature => "signature",
            ProblemKind::Key => "key",
            ProblemKind::Chain => "chain",
            ProblemKind::Changed => "changed",
            ProblemKind::Missing => "missing",
            ProblemKind::Extra => "extra",
            ProblemKind::Unreadable => "unreadable",
        }
    }
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, file: &str, message: impl Into<String>) -> Problem {
        Problem { kind, file: file.into(), message: message.into() }
    }
}

impl Verification {
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }

    /// What the run's attestation says.
    pub fn run(&self) -> Option<&statement::Run> {
        self.attestations.iter().find_map(|attestation| match &attestation.fact {
            Fact::Run(run) => Some(run),
            _ => None,
        })
    }
}

/// The keys that may have signed.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    pub signers: &'a [PublicKey],
    /// Of sign-offs, and of nothing else. With none, the signers' are good for sign-offs too.
    pub reviewers: &'a [PublicKey],
}

impl<'a> Keys<'a> {
    fn of(self, fact: &Fact) -> &'a [PublicKey] {
        match fact {
            Fact::SignOff(_) if !self.reviewers.is_empty() => self.reviewers,
            _ => self.signers,
        }
    }
}

/// Checks a run folder. Without keys every signature is checked under the key its attestation brings, which tells that nothing was
/// changed since, and not who signed. With keys each attestation must be signed with one of them. That the last attestation was taken away
/// cannot be seen: nothing names it.
///
/// # Errors
/// When the folder cannot be read. All that is wrong in it is a problem, not an error.
pub fn verify_by(folder: &Path, keys: Keys) -> io::Result<Verification> {
    let entries = world::tree(folder)?;
    let mut problems = Vec::new();
    let mut read = Vec::new();
    for entry in entries.iter().filter(|entry| is_attestation(&entry.name) && entry.name.ends_with(SUFFIX)) {
        match attestation(folder, entry, keys) {
            Ok((attestation, found)) => {
                problems.extend(found);
                read.push(attestation);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !entries.iter().any(|entry| entry.name == NAME) {
        problems.push(Problem::new(ProblemKind::Unsigned, NAME, "the run is not signed, or its attestation is gone"));
    }
    let root = read.iter().find(|attestation| attestation.file == NAME).map(|root| root.sha256.clone());
    let attestations = in_order(read, &mut problems);
    let mut files = 0;
    // Under a first attestation that does not hold, whether files agree with it says nothing.
    let first = attestations.first().filter(|first| first.file == NAME);
    if first.is_some_and(|first| first.signatures.iter().all(|signature| signature.state != SignatureState::Bad)) {
        files = compare(folder, &entries, &attestations, &mut problems);
    }
    problems.sort();
    Ok(Verification { attestations, files, problems, sha256: root })
}

/// The same with one set of keys for everything.
pub fn verify(folder: &Path, keys: &[PublicKey]) -> io::Result<Verification> {
    verify_by(folder, Keys { signers: keys, reviewers: &[] })
}

/// Reads an attestation, and says what is wrong with its signatures.
fn attestation(folder: &Path, entry: &Entry, keys: Keys) -> Result<(Attestation, Vec<Problem>), Problem> {
    let file = &entry.name;
    let damaged = |why: String| Problem::new(ProblemKind::Damaged, file, why);
    if entry.kind != Kind::File {
        return Err(damaged("is a link, a folder or no file at all".into()));
    }
    let bytes = match world::read_at_most(&folder.join(file), BYTES_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(Problem::new(ProblemKind::Missing, file, "went away while it was read")),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => {
            return Err(damaged(format!("is longer than {BYTES_MAX} bytes: no attestation")));
        }
        Err(e) => return Err(Problem::new(ProblemKind::Unreadable, file, e.to_string())),
    };
    let opened = envelope::open(&bytes).map_err(|e| damaged(e.to_string()))?;
    let (subjects, fact) = statement::read(&opened.payload).map_err(|e| damaged(e.to_string()))?;
    if !is_named(file, &fact) {
        return Err(damaged("is an attestation of another kind than its name says".into()));
    }
    let key = PublicKey::of_pem(&fact.signed_by().public_key).map_err(|e| damaged(format!("the key in it {e}")))?;
    if SignedBy::of(&key) != *fact.signed_by() {
        return Err(damaged("the key id in it is not that of the key in it".into()));
    }
    let signatures = signatures(&opened, &key, keys.of(&fact));
    let mut problems = signature_problems(file, &signatures);
    if !signatures.iter().any(|signature| signature.key_id == key.id().as_str()) {
        problems.push(Problem::new(ProblemKind::Signature, file, "is not signed with the key it names"));
    }
    problems.extend(minisign_problem(folder, file, &bytes, (&key, fact.minisign())));
    Ok((Attestation { file: file.clone(), sha256: sha256(&bytes), subjects, fact, signatures }, problems))
}

/// Whether the kind of an attestation is the one of its name.
fn is_named(file: &str, fact: &Fact) -> bool {
    let stem = file.strip_suffix(SUFFIX).unwrap_or(file);
    let number = stem.strip_prefix("signoff-");
    let is_sign_off = number.is_some_and(|n| n.len() >= 4 && n.bytes().all(|byte| byte.is_ascii_digit()));
    match fact {
        Fact::Run(_) => file == NAME,
        Fact::SignOff(_) => is_sign_off,
        Fact::File(_) => file != NAME && !is_sign_off,
    }
}

fn signatures(opened: &envelope::Opened, own: &PublicKey, given: &[PublicKey]) -> Vec<Signature> {
    let message = envelope::pae(envelope::PAYLOAD_TYPE, &opened.payload);
    let state = |key_id: &str, signature: &[u8; 64]| {
        let given_key = given.iter().find(|key| key.id().as_str() == key_id);
        let own = Some(own).filter(|own| own.id().as_str() == key_id);
        match given_key.or(own) {
            None => SignatureState::UnknownKey,
            Some(key) if !key.verifies(&message, signature) => SignatureState::Bad,
            Some(_) if given_key.is_some() => SignatureState::Good,
            Some(_) if given.is_empty() => SignatureState::OwnKey,
            Some(_) => SignatureState::OtherKey,
        }
    };
    let signature = |(key_id, signature): &(String, [u8; 64])| Signature {
        key_id: key_id.clone(),
        state: state(key_id, signature),
    };
    opened.signatures.iter().map(signature).collect()
}

fn signature_problems(file: &str, signatures: &[Signature]) -> Vec<Problem> {
    let problem = |signature: &Signature| {
        let id: String = signature.key_id.chars().take(16).collect();
        let (kind, why) = match signature.state {
            SignatureState::Good | SignatureState::OwnKey => return None,
            SignatureState::OtherKey => {
                (ProblemKind::Key, format!("is signed with the key {id}, which is none of the keys given"))
            }
            SignatureState::UnknownKey => {
                (ProblemKind::Key, format!("has a signature of the key {id}, which is neither given nor in it"))
            }
            SignatureState::Bad => (ProblemKind::Signature, format!("the signature of the key {id} does not hold")),
        };
        Some(Problem::new(kind, file, why))
    };
    signatures.iter().filter_map(problem).collect()
}

/// What is wrong with the signature for minisign: there when announced, and good under the same key.
fn minisign_problem(folder: &Path, file: &str, bytes: &[u8], (key, said): (&PublicKey, bool)) -> Option<Problem> {
    let name = format!("{file}{}", minisign::SUFFIX);
    let problem = |kind, why: &str| Some(Problem::new(kind, &name, why));
    match (world::read_at_most(&folder.join(&name), minisign::BYTES_MAX), said) {
        (Ok(None), true) => problem(ProblemKind::Missing, "the attestation says that it is there"),
        (Ok(None), false) => None,
        (Ok(Some(_)), false) => problem(ProblemKind::Extra, "the attestation says nothing of it"),
        (Ok(Some(signature)), true) => {
            let holds =
                std::str::from_utf8(&signature).is_ok_and(|text| minisign::verified(bytes, text, key).is_some());
            if holds { None } else { problem(ProblemKind::Signature, "the signature for minisign does not hold") }
        }
        (Err(_), _) => problem(ProblemKind::Damaged, "is a link, a folder, too long or cannot be read"),
    }
}

/// The attestations, each after the one it follows. One that follows none of the folder, or the same as another, is a problem.
fn in_order(read: Vec<Attestation>, problems: &mut Vec<Problem>) -> Vec<Attestation> {
    let (mut ordered, mut left): (Vec<_>, Vec<_>) = read.into_iter().partition(|attestation| attestation.file == NAME);
    while let Some(last) = ordered.last() {
        let next = left.iter().position(|attestation| {
            let follows = attestation.fact.follows();
            follows.is_some_and(|follows| follows.name == last.file && follows.sha256 == last.sha256)
        });
        let Some(next) = next else { break };
        let next = left.remove(next);
        if let Some(root) = ordered.first().filter(|root| root.fact.run() != next.fact.run()) {
            let (pipeline, run) = root.fact.run();
            let why = format!("is about another run than {run} of {pipeline}");
            problems.push(Problem::new(ProblemKind::Chain, &next.file, why));
        }
        ordered.push(next);
    }
    for attestation in &left {
        let why = match attestation.fact.follows() {
            Some(of) => format!(
                "follows {}, which is not here as it was then, or is followed by another: an attestation was changed, taken away or put in",
                of.name
            ),
            None => "follows no attestation".into(),
        };
        problems.push(Problem::new(ProblemKind::Chain, &attestation.file, why));
    }
    ordered.extend(left);
    ordered
}

/// Compares the files of a folder with the subjects; how many agree.
fn compare(folder: &Path, entries: &[Entry], attestations: &[Attestation], problems: &mut Vec<Problem>) -> usize {
    let covered = covered(attestations, problems);
    let kinds: BTreeMap<&str, Kind> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
    let mut agree = 0;
    for (name, digest) in &covered {
        let problem = match kinds.get(name) {
            None => Problem::new(ProblemKind::Missing, name, "was signed and is not here"),
            Some(Kind::File) => match world::sha256_file(&folder.join(name)) {
                Ok((_, found)) if found == *digest => {
                    agree += 1;
                    continue;
                }
                Ok(_) => Problem::new(ProblemKind::Changed, name, "is not as it was signed: SHA-256 differs"),
                Err(e) => Problem::new(ProblemKind::Unreadable, name, e.to_string()),
            },
            Some(_) => Problem::new(ProblemKind::Changed, name, "was a file when it was signed and is none now"),
        };
        problems.push(problem);
    }
    problems.extend(entries.iter().filter_map(|entry| {
        let partner = entry.name.strip_suffix(minisign::SUFFIX).unwrap_or(&entry.name);
        let known = covered.contains_key(entry.name.as_str())
            // What is wrong with these is said where they are read.
            || (is_attestation(&entry.name) && kinds.contains_key(partner))
            || (entry.kind == Kind::Folder && within(entries, &entry.name));
        let why = match entry.kind {
            Kind::File => "no attestation covers it",
            Kind::Folder => "an empty folder that no attestation speaks of",
            Kind::Link => "a link; what it leads to is not looked at",
            Kind::Special => "neither a file nor a folder",
            Kind::Nameless => "no attestation covers it, and its name is not UTF-8",
        };
        (!known).then(|| Problem::new(ProblemKind::Extra, &entry.name, why))
    }));
    agree
}

/// Whether a folder has anything in it. Names like `a-b` sort between `a` and `a/b`.
fn within(entries: &[Entry], folder: &str) -> bool {
    let inside = format!("{folder}/");
    let from = entries.partition_point(|entry| entry.name < inside);
    entries.get(from).is_some_and(|entry| entry.name.starts_with(&inside))
}

/// Names and digests of all files that are attested. A sign-off covers no file: its subject is the run's attestation.
fn covered<'a>(attestations: &'a [Attestation], problems: &mut Vec<Problem>) -> BTreeMap<&'a str, &'a str> {
    let mut covered = BTreeMap::new();
    let root = attestations.iter().find(|attestation| attestation.file == NAME);
    // A signer that was not given is told apart from what is covered.
    let unsound = problems.iter().filter(|problem| problem.kind != ProblemKind::Key);
    let unsound: BTreeSet<String> = unsound.map(|problem| problem.file.clone()).collect();
    for attestation in attestations {
        // Of an attestation that does not hold, nothing is believed. The run's own is compared all the same, to say what differs.
        if attestation.file != NAME && unsound.contains(&attestation.file) {
            continue;
        }
        let mut subjects = attestation.subjects.iter().map(|of| (of.name.as_str(), of.digest.sha256.as_str()));
        let mut say = |why: &str| problems.push(Problem::new(ProblemKind::Chain, &attestation.file, why));
        if let Fact::SignOff(_) = attestation.fact {
            let own = root.map(|root| (root.file.as_str(), root.sha256.as_str()));
            if attestation.subjects.len() != 1 || subjects.next_back() != own {
                say("is about another attestation than the one of this run");
            }
            continue;
        }
        for (name, digest) in subjects {
            if covered.insert(name, digest).is_some_and(|other| other != digest) {
                say("speaks of a file that another attestation covers with another digest");
            }
        }
    }
    covered
}
