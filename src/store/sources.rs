//! Which source files were read for which population.

use std::collections::BTreeSet;

use sqlx::{Connection, Row};

use super::{Store, StoreError};

impl Store {
    /// Notes that these files ([`crate::world::identity`]) are read for a population, and returns the other populations they were read for.
    pub fn note_sources(&mut self, population: &str, sources: &[String]) -> Result<Vec<String>, StoreError> {
        let connection = &mut self.connection;
        let noted = self.runtime.block_on(async {
            let mut others = BTreeSet::new();
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            for source in sources {
                let note = sqlx::query("INSERT OR IGNORE INTO ledger_sources (source, population) VALUES (?, ?)");
                note.bind(source).bind(population).execute(&mut *transaction).await?;
                let known = sqlx::query("SELECT population FROM ledger_sources WHERE source = ? AND population <> ?");
                for row in known.bind(source).bind(population).fetch_all(&mut *transaction).await? {
                    others.insert(row.try_get::<String, _>("population")?);
                }
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(others)
        });
        noted.map(|others| others.into_iter().collect()).map_err(|e| StoreError::of(&self.path, &e))
    }
}
