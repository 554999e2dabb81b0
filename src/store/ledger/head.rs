//! The head file beside a ledger, `<ledger>.head`: what the ledger must contain at least, and which file it is.
//!
//! It is written before the first entry (head 0, the id of the ledger) and after every commit, under the write lock of the store. A process
//! killed in between leaves a head that is behind, which the next one brings up to date; never one that is ahead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use crate::budget::ledger::{Entry, Head};
use crate::world;

/// The content of a head file, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeadFile {
    /// Id of the ledger.
    pub ledger: String,
    /// Number and hash of an entry; 0 and the id before the first.
    pub head: Head,
    /// The ledger's file: its number in the file system, which a copy does not share. Absent where there is none.
    pub file: Option<u64>,
}

/// What stands beside a ledger.
pub enum Beside {
    Nothing,
    Damaged,
    Head(HeadFile),
}

/// Path of the head file.
pub fn path_of(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_os_string();
    name.push(".head");
    name.into()
}

/// The number of a file in its file system.
pub fn file_number(ledger: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(ledger).ok().map(|file| file.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = ledger;
        None
    }
}

pub fn read(ledger: &Path) -> Result<Beside, LedgerError> {
    let path = path_of(ledger);
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_or(Beside::Damaged, Beside::Head)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Beside::Nothing),
        Err(why) => Err(LedgerError::HeadFile { path, why }),
    }
}

/// Writes the head file where it differs; the store's write lock is held.
pub fn write(ledger: &Path, id: &str, head: Head) -> Result<(), LedgerError> {
    let path = path_of(ledger);
    let content = HeadFile { ledger: id.into(), head, file: file_number(ledger) };
    if matches!(read(ledger), Ok(Beside::Head(there)) if there == content) {
        return Ok(());
    }
    let written = serde_json::to_vec(&content).map_err(io::Error::other);
    written.and_then(|bytes| world::replace(&path, &bytes)).map_err(|why| LedgerError::HeadFile { path, why })
}

/// Holds a sound chain against what stands beside it.
pub fn check(ledger: &Path, entries: &[Entry], beside: &Beside) -> Result<(), LedgerError> {
    let copied = |why| Err(LedgerError::Copied { path: ledger.into(), why });
    let (first, beside) = match (entries.first(), beside) {
        (None, Beside::Nothing) => return Ok(()),
        (_, Beside::Damaged) => return copied("its head file is damaged"),
        (Some(_), Beside::Nothing) => return copied("its head file is not beside it"),
        (first, Beside::Head(beside)) => (first, beside),
    };
    let known = &beside.head;
    let rolled_back =
        LedgerError::RolledBack { path: ledger.into(), found: entries.len() as u64, known: known.clone() };
    let Some(first) = first else {
        return if known.sequence == 0 { Ok(()) } else { Err(rolled_back) };
    };
    if beside.ledger != first.previous {
        return copied("the head file beside it is that of another ledger");
    }
    let index = usize::try_from(known.sequence).unwrap_or(usize::MAX);
    let hash = match index.checked_sub(1) {
        None => Some(&first.previous),
        Some(last) => entries.get(last).map(|entry| &entry.hash),
    };
    if hash != Some(&known.hash) {
        return Err(rolled_back);
    }
    if beside.file != file_number(ledger) {
        return copied("the file is not the one the ledger was written to");
    }
    Ok(())
}
