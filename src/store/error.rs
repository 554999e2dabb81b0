//! Why the store could not be read or written: which file, what, what to do.
//!
//! Codes are those of SQLite (<https://www.sqlite.org/rescode.html>); the last byte is the kind of error. A message quotes SQLite's own text, never
//! a stored value.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the store cannot be made; the error has the path.
    #[error("{0}")]
    Folder(std::io::Error),
    #[error("{}: the store cannot be opened: {why}; make the folder and the file writable for the account that runs evenhand", path.display())]
    CannotOpen { path: PathBuf, why: String },
    #[error("{}: the store is read-only; make the folder and the file writable for the account that runs evenhand", path.display())]
    ReadOnly { path: PathBuf },
    #[error(
        "{}: is no store, or is damaged: {why}; put a copy back, or move it away: a new one begins empty, and the run folders keep every report",
        path.display()
    )]
    Damaged { path: PathBuf, why: String },
    #[error(
        "{}: the store was written by a newer evenhand (its schema {version} is not known here); use that version or a later one",
        path.display()
    )]
    Newer { path: PathBuf, version: i64 },
    #[error("{}: schema {version} of the store is not the one this evenhand would make; use the release that made it", path.display())]
    OtherSchema { path: PathBuf, version: i64 },
    #[error("{}: the disk is full; nothing of this run is recorded: free some space and run again", path.display())]
    Full { path: PathBuf },
    #[error("{}: the store cannot be read or written: {why}; the disk may be full, failing or gone", path.display())]
    Unreachable { path: PathBuf, why: String },
    #[error("{}: another process has held the store for 10 s; wait for it to finish, or end it", path.display())]
    Busy { path: PathBuf },
    #[error("{}: the run {run_id} is recorded already; a record is never changed", path.display())]
    Recorded { path: PathBuf, run_id: String },
    #[error("{}: {why}", path.display())]
    Other { path: PathBuf, why: String },
}

impl StoreError {
    /// What an error of the database means.
    pub(super) fn of(path: &Path, error: &sqlx::Error) -> StoreError {
        let path = path.to_path_buf();
        let sqlx::Error::Database(database) = error else {
            return StoreError::Other { path, why: error.to_string() };
        };
        let why = database.message().to_string();
        match database.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
            Some(5 | 6) => StoreError::Busy { path },
            Some(8) => StoreError::ReadOnly { path },
            Some(10) => StoreError::Unreachable { path, why },
            Some(11 | 26) => StoreError::Damaged { path, why },
            Some(13) => StoreError::Full { path },
            Some(14) => StoreError::CannotOpen { path, why },
            _ => StoreError::Other { path, why },
        }
    }

    /// What an error of the migrations means.
    pub(super) fn of_migration(path: &Path, error: &MigrateError) -> StoreError {
        let path_buf = path.to_path_buf();
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => StoreError::of(path, error),
            MigrateError::VersionMissing(version) => StoreError::Newer { path: path_buf, version: *version },
            MigrateError::VersionMismatch(version) => StoreError::OtherSchema { path: path_buf, version: *version },
            other => StoreError::Other { path: path_buf, why: other.to_string() },
        }
    }
}
