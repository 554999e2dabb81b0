//! The history of runs: an SQLite file beside the run folders, opened with any SQLite tool.
//!
//! One row per finished run, its findings, its receipts. Append-only: triggers refuse to change, delete or replace a row. A run is recorded in one
//! transaction that takes the write lock first (`BEGIN IMMEDIATE`), is synced (`synchronous = FULL`), and waits up to 10 s for another writer.
//! The interface is synchronous: a runtime on the calling thread is private to the store, so no method may be called from within a runtime.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection, Row};
use tokio::runtime::Runtime;

use crate::audit::Previous;
use crate::budget::Receipt;
use crate::cohort::Cohort;
use crate::finding::{Finding, Outcome};
use crate::world;

mod error;
mod history;
mod judged;
mod ledger;
mod occurrences;
mod outbox;
mod sources;

pub use error::StoreError;
pub use history::{Line, Tally};
pub use ledger::{LedgerError, head_path};
pub use occurrences::{Claim, Occurrence};
pub use outbox::{Attempt, Claimed, End, Ending, Letter, Listed, Post, Standing};

/// Name of the store in the folder of run folders.
pub const FILE: &str = "evenhand.db";

/// An open store.
pub struct Store {
    path: PathBuf,
    runtime: Runtime,
    connection: SqliteConnection,
}

/// One finished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub run_id: String,
    pub pipeline: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub finished_at: String,
    pub outcome: Outcome,
    pub exit_code: u8,
    pub report_sha256: String,
    pub spec_sha256: String,
    /// Run folder, relative to the folder of the store.
    pub folder: String,
    pub rows_read: i64,
    pub rows_kept: i64,
    pub rows_measured: i64,
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("src/store/migrations");

impl Store {
    /// Opens the store; makes the folder and the file when they are not there, and brings the schema up to date.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let cannot = |why: String| StoreError::CannotOpen { path: path.into(), why };
        if let Some(folder) = path.parent() {
            world::make_folder(folder).map_err(StoreError::Folder)?;
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| cannot(e.to_string()))?;
        let connection = runtime.block_on(connect(path))?;
        Ok(Store { path: path.into(), runtime, connection })
    }

    /// Records a finished run: all of it or nothing.
    pub fn record(&mut self, run: &RunRow, findings: &[Finding], receipts: &[Receipt]) -> Result<(), StoreError> {
        self.record_with(run, findings, receipts, (&[], Timestamp::UNIX_EPOCH))
    }

    /// Records a finished run and queues its messages: all of it or nothing.
    pub fn record_with(
        &mut self,
        run: &RunRow,
        findings: &[Finding],
        receipts: &[Receipt],
        post: (&[Letter], Timestamp),
    ) -> Result<(), StoreError> {
        let written = self.runtime.block_on(record(&mut self.connection, run, findings, receipts, post));
        written.map_err(|e| match &e {
            sqlx::Error::Database(database) if database.message() == "the run is recorded already" => {
                StoreError::Recorded { path: self.path.clone(), run_id: run.run_id.clone() }
            }
            _ => StoreError::of(&self.path, &e),
        })
    }

    /// The last recorded run of a pipeline.
    pub fn latest(&mut self, pipeline: &str) -> Result<Option<Previous>, StoreError> {
        let runs = self.runs(pipeline, 1)?;
        Ok(runs.into_iter().next().map(|run| Previous { run_id: run.run_id, outcome: run.outcome }))
    }

    /// The last recorded runs of a pipeline, latest first.
    pub fn runs(&mut self, pipeline: &str, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let query = sqlx::query(
            "SELECT run_id, pipeline, started_at, finished_at, outcome, exit_code, report_sha256, spec_sha256, folder, \
             rows_read, rows_kept, rows_measured FROM runs WHERE pipeline = ? ORDER BY sequence DESC LIMIT ?",
        );
        let rows = self.runtime.block_on(query.bind(pipeline).bind(limit).fetch_all(&mut self.connection));
        let runs = rows.and_then(|rows| rows.iter().map(run_of).collect());
        runs.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// SHA-256 of the `report.json` of a run, as it was when the run was recorded.
    pub fn report_sha256(&mut self, run_id: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT report_sha256 FROM runs WHERE run_id = ?").bind(run_id);
        let digest = self.runtime.block_on(query.fetch_optional(&mut self.connection));
        digest.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Closes the store, which folds the write-ahead log into the file. Without it nothing is lost.
    pub fn close(self) -> Result<(), StoreError> {
        self.runtime.block_on(self.connection.close()).map_err(|e| StoreError::of(&self.path, &e))
    }
}

/// Of two connections that turn a new file to write-ahead logging at once, SQLite refuses one without waiting, whatever its busy timeout: it
/// tries again, for 10 s in all at most.
const CONNECT_TRIES: u32 = 100;
const CONNECT_WAIT: Duration = Duration::from_millis(80);

async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(CONNECT_WAIT);
    let failed = |e: sqlx::Error| StoreError::of(path, &e);
    let mut tries = 1;
    let mut connection = loop {
        match SqliteConnection::connect_with(&options).await.map_err(failed) {
            Ok(connection) => break connection,
            Err(StoreError::Busy { .. }) if tries < CONNECT_TRIES => std::thread::sleep(CONNECT_WAIT / 4),
            Err(e) => return Err(e),
        }
        tries += 1;
    };
    sqlx::query("PRAGMA busy_timeout = 10000").execute(&mut connection).await.map_err(failed)?;
    // Two first runs at once: the second waits, then finds the schema there.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    MIGRATIONS.run(&mut *transaction).await.map_err(|e| StoreError::of_migration(path, &e))?;
    transaction.commit().await.map_err(failed)?;
    Ok(connection)
}

/// The transaction is begun and ended by statements: sqlx loses count of one that SQLite itself rolled back.
async fn record(
    connection: &mut SqliteConnection,
    run: &RunRow,
    findings: &[Finding],
    receipts: &[Receipt],
    (letters, now): (&[Letter], Timestamp),
) -> Result<(), sqlx::Error> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let mut done = insert(connection, run, findings, receipts).await;
    if done.is_ok() {
        done = outbox::queue(connection, letters, now).await;
    }
    if done.is_ok() {
        done = sqlx::query("COMMIT").execute(&mut *connection).await.map(|_| ());
    }
    if done.is_err() {
        // Fails when SQLite has rolled back already.
        let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
    }
    done
}

async fn insert(
    connection: &mut SqliteConnection,
    run: &RunRow,
    findings: &[Finding],
    receipts: &[Receipt],
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO runs (sequence, run_id, pipeline, started_at, finished_at, outcome, exit_code, report_sha256, spec_sha256, \
         folder, rows_read, rows_kept, rows_measured) \
         VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM runs), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let query = query.bind(&run.run_id).bind(&run.pipeline).bind(&run.started_at).bind(&run.finished_at);
    let query = query.bind(word(&run.outcome)?).bind(run.exit_code).bind(&run.report_sha256).bind(&run.spec_sha256);
    let query = query.bind(&run.folder).bind(run.rows_read).bind(run.rows_kept).bind(run.rows_measured);
    query.execute(&mut *connection).await?;
    for (position, finding) in (0i64..).zip(findings) {
        let query = sqlx::query(
            "INSERT INTO findings (run_id, position, code, cohort, verdict, level, waived) VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(&run.run_id).bind(position).bind(&*finding.code).bind(cohort_json(&finding.cohort)?);
        let query = query.bind(word(&finding.verdict)?).bind(word(&finding.level)?).bind(finding.waiver.is_some());
        query.execute(&mut *connection).await?;
    }
    for (position, receipt) in (0i64..).zip(receipts) {
        let query =
            sqlx::query("INSERT INTO receipts (run_id, position, statistic, shape, mechanism) VALUES (?, ?, ?, ?, ?)");
        let query = query.bind(&run.run_id).bind(position).bind(&*receipt.statistic).bind(&*receipt.shape);
        query.bind(word(&receipt.mechanism)?).execute(&mut *connection).await?;
    }
    history::insert(connection, run, findings).await
}

fn run_of(row: &SqliteRow) -> Result<RunRow, sqlx::Error> {
    Ok(RunRow {
        run_id: row.try_get("run_id")?,
        pipeline: row.try_get("pipeline")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        outcome: of_word(row.try_get("outcome")?)?,
        exit_code: row.try_get("exit_code")?,
        report_sha256: row.try_get("report_sha256")?,
        spec_sha256: row.try_get("spec_sha256")?,
        folder: row.try_get("folder")?,
        rows_read: row.try_get("rows_read")?,
        rows_kept: row.try_get("rows_kept")?,
        rows_measured: row.try_get("rows_measured")?,
    })
}

/// The word that stands for a value in `report.json`.
fn word<T: Serialize>(value: &T) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(sqlx::Error::Encode(format!("{other} is no word").into())),
        Err(e) => Err(sqlx::Error::Encode(e.into())),
    }
}

fn of_word<T: DeserializeOwned>(word: String) -> Result<T, sqlx::Error> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|e| sqlx::Error::Decode(e.into()))
}

/// The cohort as a JSON object, attributes in order of their names.
fn cohort_json(cohort: &Cohort) -> Result<String, sqlx::Error> {
    let pairs: BTreeMap<&str, &str> = cohort.pairs.iter().map(|(name, level)| (&**name, &**level)).collect();
    serde_json::to_string(&pairs).map_err(|e| sqlx::Error::Encode(e.into()))
}

#[cfg(test)]
mod tests;
