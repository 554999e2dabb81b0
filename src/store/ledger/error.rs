//! Why the ledger refuses: what is wrong, where, what to do. No message holds a value of the data.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::budget::ledger::{Head, Refusal};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {refusal}", path.display())]
    Refused { path: PathBuf, refusal: Box<Refusal> },
    #[error(
        "{}: nothing is granted to the population {population}; grant a budget: evenhand budget grant --ledger {} --population {population} \
         --epsilon EPSILON --delta DELTA",
        path.display(),
        path.display()
    )]
    NoGrant { path: PathBuf, population: String },
    #[error(
        "{}: the clock went backwards: it shows {now}, and the last entry of the ledger is of {last}; set the clock right, nothing is charged before",
        path.display()
    )]
    Clock { path: PathBuf, now: Timestamp, last: Timestamp },
    #[error(
        "{}: entry {sequence} of the ledger does not hold: {why}; put the last good copy of the file back, then mark what it lacks as spent: \
         evenhand budget restore",
        path.display()
    )]
    Broken { path: PathBuf, sequence: u64, why: String },
    #[error(
        "{}: the ledger is older than it was: it has {found} entries and does not contain the head {known}; put the latest copy back, or mark \
         what is missing as spent: evenhand budget restore",
        path.display()
    )]
    RolledBack { path: PathBuf, found: u64, known: Head },
    #[error(
        "{}: the ledger is a copy, or was moved: {why}; spend from the original, or mark what was spent elsewhere: evenhand budget restore",
        path.display()
    )]
    Copied { path: PathBuf, why: &'static str },
    #[error("{}: the head of the ledger cannot be read or written: {why}; what is charged stays charged, nothing may be released", path.display())]
    HeadFile { path: PathBuf, why: std::io::Error },
    #[error("{0} is more than the ledger can keep (9,223,372 at most); ask for less")]
    Overflow(&'static str),
    #[error("{0}")]
    Invalid(String),
    #[error("the operating system has no randomness for the id of a new ledger: {0}")]
    Entropy(std::io::Error),
}

impl LedgerError {
    /// 4 for a charge that the budget does not allow, 2 for what was asked wrongly, else 3.
    pub fn exit_code(&self) -> u8 {
        match self {
            LedgerError::Refused { .. } | LedgerError::NoGrant { .. } => 4,
            LedgerError::Invalid(_) | LedgerError::Overflow(_) => 2,
            _ => 3,
        }
    }
}
