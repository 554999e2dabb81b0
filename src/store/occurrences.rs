//! Which due times of a scheduled pipeline were seen to, and how those runs ended.

use sqlx::{Connection, Row};

use super::{Store, StoreError};

/// The due time that was seen to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// RFC 3339, UTC.
    pub due_at: String,
    /// False where no run was owed.
    pub claimed: bool,
    /// Exit code of its run; none while it is at work, or when it was ended from outside.
    pub exit_code: Option<u8>,
}

/// A due time to be claimed.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    pub pipeline: &'a str,
    pub pattern: &'a str,
    pub time_zone: &'a str,
    pub due_at: &'a str,
    /// Due times before it for which there was no run; `due_at` is one for which none is owed when `first`.
    pub missed: &'a [String],
    pub first: bool,
    pub now: &'a str,
}

impl Store {
    /// The due time of a pipeline that was seen to last, claimed or missed.
    pub fn last_occurrence(&mut self, pipeline: &str) -> Result<Option<Occurrence>, StoreError> {
        let query = sqlx::query(
            "SELECT due_at, state, exit_code FROM occurrences LEFT JOIN occurrence_ends USING (pipeline, due_at) \
             WHERE pipeline = ? ORDER BY due_at DESC LIMIT 1",
        );
        let row = self.runtime.block_on(query.bind(pipeline).fetch_optional(&mut self.connection));
        let read = row.and_then(|row| {
            let of = |row: sqlx::sqlite::SqliteRow| {
                Ok(Occurrence {
                    due_at: row.try_get("due_at")?,
                    claimed: row.try_get::<String, _>("state")? == "claimed",
                    exit_code: row.try_get("exit_code")?,
                })
            };
            row.map(of).transpose()
        });
        read.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Claims a due time, and notes those missed before it. False when another has claimed it.
    pub fn claim_occurrence(&mut self, claim: &Claim) -> Result<bool, StoreError> {
        let connection = &mut self.connection;
        let claimed = self.runtime.block_on(async {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let missed = claim.missed.iter().map(|due_at| (due_at.as_str(), "missed"));
            let state = if claim.first { "first" } else { "claimed" };
            let mut claimed = false;
            for (due_at, state) in missed.chain([(claim.due_at, state)]) {
                let note = sqlx::query(
                    "INSERT OR IGNORE INTO occurrences (pipeline, due_at, pattern, time_zone, state, seen_at) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                );
                let note = note.bind(claim.pipeline).bind(due_at).bind(claim.pattern).bind(claim.time_zone);
                let done = note.bind(state).bind(claim.now).execute(&mut *transaction).await?;
                claimed = done.rows_affected() == 1;
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(claimed)
        });
        claimed.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Notes how the run of a claimed due time ended.
    pub fn ended(&mut self, pipeline: &str, due_at: &str, now: &str, exit_code: u8) -> Result<(), StoreError> {
        let note = sqlx::query(
            "INSERT OR IGNORE INTO occurrence_ends (pipeline, due_at, ended_at, exit_code) VALUES (?, ?, ?, ?)",
        );
        let note = note.bind(pipeline).bind(due_at).bind(now).bind(exit_code);
        let done = self.runtime.block_on(note.execute(&mut self.connection));
        done.map(|_| ()).map_err(|e| StoreError::of(&self.path, &e))
    }
}
