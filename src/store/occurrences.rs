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

/// Rows that a clock wrote which was wrong by more than an hour, for they were seen in what is the future now. A step of a clock that is
/// set right all the time is shorter.
const AHEAD: &str = "seen_at > strftime('%Y-%m-%dT%H:%M:%SZ', ?, '+1 hour')";

impl Store {
    /// The due time of a pipeline that was seen to last, claimed or missed. What is later than `now` is left out: a clock that was wrong
    /// once must not silence the pipeline until then.
    pub fn last_occurrence(&mut self, pipeline: &str, now: &str) -> Result<Option<Occurrence>, StoreError> {
        self.occurrence(pipeline, ("", now), false)
    }

    /// The last due time from `from` to `now` whose run has ended.
    pub fn last_ended(&mut self, pipeline: &str, from: &str, now: &str) -> Result<Option<Occurrence>, StoreError> {
        self.occurrence(pipeline, (from, now), true)
    }

    fn occurrence(
        &mut self,
        pipeline: &str,
        (from, now): (&str, &str),
        ended: bool,
    ) -> Result<Option<Occurrence>, StoreError> {
        let text = format!(
            "SELECT due_at, state, exit_code FROM occurrences LEFT JOIN occurrence_ends USING (pipeline, due_at) \
             WHERE pipeline = ? AND due_at >= ? AND due_at <= ? AND NOT {AHEAD} AND (exit_code IS NOT NULL OR NOT ?) \
             ORDER BY due_at DESC LIMIT 1",
        );
        // Without its Z it is before the same second with a fraction, too.
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(pipeline).bind(from.trim_end_matches('Z'));
        let query = query.bind(now).bind(now).bind(ended);
        let row = self.runtime.block_on(query.fetch_optional(&mut self.connection));
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

    /// The last run in the history that began from `from` to `now`.
    pub fn begun(&mut self, pipeline: &str, from: &str, now: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query(
            "SELECT run_id FROM runs WHERE pipeline = ? AND started_at >= ? AND started_at <= ? \
             ORDER BY started_at DESC LIMIT 1",
        );
        let query = query.bind(pipeline).bind(from.trim_end_matches('Z')).bind(now);
        let row = self.runtime.block_on(query.fetch_optional(&mut self.connection));
        let read = row.and_then(|row| row.map(|row| row.try_get("run_id")).transpose());
        read.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Claims a due time, and notes those missed before it. The name the claim has, to end it by; none when another has claimed it.
    ///
    /// Rows stay as they are. A due time that a wrong clock has noted is claimed under the same time written with a fraction.
    pub fn claim_occurrence(&mut self, claim: &Claim) -> Result<Option<String>, StoreError> {
        let connection = &mut self.connection;
        let again = format!("{}.0Z", claim.due_at.trim_end_matches('Z'));
        let claimed = self.runtime.block_on(async {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let text = format!("SELECT 1 FROM occurrences WHERE pipeline = ? AND due_at = ? AND {AHEAD}");
            let noted = sqlx::query(sqlx::AssertSqlSafe(text)).bind(claim.pipeline).bind(claim.due_at).bind(claim.now);
            let wrong = noted.fetch_optional(&mut *transaction).await?.is_some();
            let due_at = if wrong { &again } else { claim.due_at };
            let missed = claim.missed.iter().map(|due_at| (due_at.as_str(), "missed"));
            let state = if claim.first { "first" } else { "claimed" };
            let mut claimed = false;
            for (due_at, state) in missed.chain([(due_at, state)]) {
                let note = sqlx::query(
                    "INSERT OR IGNORE INTO occurrences (pipeline, due_at, pattern, time_zone, state, seen_at) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                );
                let note = note.bind(claim.pipeline).bind(due_at).bind(claim.pattern).bind(claim.time_zone);
                let done = note.bind(state).bind(claim.now).execute(&mut *transaction).await?;
                claimed = done.rows_affected() == 1;
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(claimed.then(|| due_at.to_string()))
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
