//! How the findings of a run were judged: what two runs are compared by.

use std::collections::BTreeSet;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Store, StoreError, of_word};
use crate::finding::Judged;

impl Store {
    /// Code, cohort and verdict of every finding of a run.
    pub fn judged(&mut self, run_id: &str) -> Result<BTreeSet<Judged>, StoreError> {
        let query = sqlx::query("SELECT code, cohort, verdict FROM findings WHERE run_id = ?").bind(run_id);
        let rows = self.runtime.block_on(query.fetch_all(&mut self.connection));
        let judged = |row: &SqliteRow| {
            let verdict = of_word(row.try_get("verdict")?)?;
            Ok(Judged { code: row.try_get("code")?, cohort: row.try_get("cohort")?, verdict })
        };
        rows.and_then(|rows| rows.iter().map(judged).collect()).map_err(|e| StoreError::of(&self.path, &e))
    }
}
