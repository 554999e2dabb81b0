//! The durable ledger of privacy: a charge is committed and synced before it returns, so that noise is drawn only for what is paid.
//!
//! Every method takes the write lock first (`BEGIN IMMEDIATE`), recomputes the whole chain, holds it against the head file beside the store
//! (`head`), and reads the clock only then: of two processes the one that enters first has the earlier time. Killed at any moment a process
//! leaves either no charge or a whole one. What cannot be told by this file alone, that it and its head file were both put back to an older
//! state, is told by heads known from elsewhere ([`Store::verify`]): keep the head of every report.

use rand::Rng;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use jiff::Timestamp;

use super::{Store, StoreError};
use crate::budget::Allocation;
use crate::budget::Charge;
use crate::budget::accounting::UNITS_MAX;
use crate::budget::ledger::{Account, Balance, Entry, Grant, Head, Kind, Missing, Window, chain, knows};
use crate::world::{Clock, Entropy};

mod error;
mod head;

pub use error::LedgerError;
use head::Beside;
pub use head::path_of as head_path;

/// Longest name of a population, in bytes.
const NAME_MAX: usize = 200;

/// A sound chain, and what stands beside it.
struct Book {
    entries: Vec<Entry>,
    beside: Beside,
}

impl Book {
    fn grant_of(&self, population: &str) -> Option<Grant> {
        Account::of(&self.entries, population).grant
    }

    /// Populations in order of their first entry.
    fn populations(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for entry in &self.entries {
            if !names.contains(&entry.population) {
                names.push(entry.population.clone());
            }
        }
        names
    }

    fn head(&self) -> Option<Head> {
        self.entries.last().map(Entry::head)
    }
}

impl Store {
    /// Sets the limits of a population. What was spent stays spent.
    ///
    /// # Errors
    /// A limit that is none, a clock behind the last entry, a ledger that does not hold.
    pub fn grant(&mut self, population: &str, grant: Grant, clock: Clock) -> Result<Entry, LedgerError> {
        name("population", population)?;
        if let Some(fault) = grant.fault() {
            return Err(LedgerError::Invalid(fault.into()));
        }
        let entry = self.locked(|store, book| {
            head::check(&store.path, &book.entries, &book.beside)?;
            let draft = store.draft(book, population, Kind::Grant, clock)?;
            store.append(book, Entry { grant: Some(grant), ..draft })
        })?;
        self.advance()?;
        Ok(entry)
    }

    /// Pays for a whole run before anything is drawn. When it returns the charge is on the disk.
    ///
    /// # Errors
    /// A charge that the grant does not allow, no grant, a clock behind the last entry, a ledger that does not hold or cannot be written.
    /// After any error nothing may be drawn.
    pub fn charge(
        &mut self,
        population: &str,
        pipeline: &str,
        charge: Charge,
        what: &[Allocation],
        clock: Clock,
    ) -> Result<Entry, LedgerError> {
        name("population", population)?;
        keepable(charge)?;
        let entry = self.locked(|store, book| {
            head::check(&store.path, &book.entries, &book.beside)?;
            let draft = store.draft(book, population, Kind::Charge, clock)?;
            let account = Account::of(&book.entries, population);
            let Some(grant) = account.grant else { return Err(store.no_grant(population)) };
            let refused = account.admit(grant, charge, draft.at);
            refused.map_err(|refusal| LedgerError::Refused { path: store.path.clone(), refusal })?;
            store.append(book, Entry { pipeline: pipeline.into(), what: what.to_vec(), charge, ..draft })
        })?;
        self.advance()?;
        Ok(entry)
    }

    /// Marks what a ledger lost as spent, and takes it into use again. `populations` empty: all of them. `known` is the latest head known
    /// from elsewhere. A ledger that was refused must have the loss of all its populations marked at once. That nothing is missing is
    /// accepted only from whoever knows the last head.
    ///
    /// # Errors
    /// Populations left out, a chain that does not hold, nothing known of the grant, a clock behind the last entry.
    pub fn restore(
        &mut self,
        populations: &[String],
        missing: Missing,
        reason: &str,
        known: Option<&Head>,
        clock: Clock,
    ) -> Result<Vec<Entry>, LedgerError> {
        if reason.trim().is_empty() {
            return Err(LedgerError::Invalid("a reason is needed: it stays in the ledger".into()));
        }
        let entries = self.locked(|store, book| {
            let refused = head::check(&store.path, &book.entries, &book.beside).err();
            let (all, ahead) = (book.populations(), ahead(&refused));
            let named = if populations.is_empty() { &all } else { populations };
            let left_out: Vec<&str> = all.iter().filter(|name| !named.contains(name)).map(String::as_str).collect();
            let unknown = known.is_some_and(|head| !knows(&book.entries, head));
            if (refused.is_some() || unknown) && !left_out.is_empty() {
                let why = format!("all populations may lack entries: name these too: {}", left_out.join(", "));
                return Err(LedgerError::Invalid(why));
            }
            if named.is_empty() {
                return Err(LedgerError::Invalid("the ledger has no population: name those it had".into()));
            }
            if missing == Missing::Nothing && (ahead.is_some() || known != book.head().as_ref()) {
                return Err(LedgerError::Invalid(
                    "that nothing is missing needs the head of the original, and it must be the last entry here".into(),
                ));
            }
            let lost = [ahead, known.cloned()].into_iter().flatten().max_by_key(|head| head.sequence);
            named.iter().map(|population| store.mark(book, population, missing, reason, lost.clone(), clock)).collect()
        })?;
        self.advance()?;
        Ok(entries)
    }

    /// How a population stands.
    ///
    /// # Errors
    /// No grant, a ledger that does not hold.
    pub fn balance(&mut self, population: &str, at: Timestamp) -> Result<Balance, LedgerError> {
        self.locked(|store, book| {
            head::check(&store.path, &book.entries, &book.beside)?;
            let account = Account::of(&book.entries, population);
            let grant = account.grant.ok_or_else(|| store.no_grant(population))?;
            Ok(account.balance(grant, at))
        })
    }

    /// Names of the populations, in order of their first entry.
    ///
    /// # Errors
    /// A ledger that does not hold.
    pub fn populations(&mut self) -> Result<Vec<String>, LedgerError> {
        self.locked(|store, book| {
            head::check(&store.path, &book.entries, &book.beside)?;
            Ok(book.populations())
        })
    }

    /// The last entries of a population, oldest first.
    ///
    /// # Errors
    /// A ledger that does not hold.
    pub fn entries(&mut self, population: &str, limit: usize) -> Result<Vec<Entry>, LedgerError> {
        self.locked(|store, book| {
            head::check(&store.path, &book.entries, &book.beside)?;
            let own = book.entries.iter().filter(|entry| entry.population == population);
            let own: Vec<&Entry> = own.collect();
            Ok(own.iter().skip(own.len().saturating_sub(limit)).map(|entry| (*entry).clone()).collect())
        })
    }

    /// Recomputes every hash, holds the chain against its head file and against heads known from elsewhere. The head; none of an empty ledger.
    ///
    /// # Errors
    /// A ledger that was edited, cut, put back to an older state or copied.
    pub fn verify(&mut self, known: &[Head]) -> Result<Option<Head>, LedgerError> {
        let head = self.locked(|store, book| {
            head::check(&store.path, &book.entries, &book.beside)?;
            if let Some(unknown) = known.iter().find(|head| !knows(&book.entries, head)) {
                let found = book.entries.len() as u64;
                return Err(LedgerError::RolledBack { path: store.path.clone(), found, known: unknown.clone() });
            }
            Ok(book.head())
        })?;
        self.advance()?;
        Ok(head)
    }

    fn no_grant(&self, population: &str) -> LedgerError {
        LedgerError::NoGrant { path: self.path.clone(), population: population.into() }
    }

    /// One restored cost.
    fn mark(
        &mut self,
        book: &mut Book,
        population: &str,
        missing: Missing,
        reason: &str,
        lost: Option<Head>,
        clock: Clock,
    ) -> Result<Entry, LedgerError> {
        name("population", population)?;
        let charge = missing.cost(book.grant_of(population)).ok_or_else(|| {
            LedgerError::Invalid(format!("what was granted to {population} is not known here: say what was spent"))
        })?;
        keepable(charge)?;
        let draft = self.draft(book, population, Kind::Restore, clock)?;
        self.append(book, Entry { charge, reason: Some(reason.into()), lost, ..draft })
    }

    /// An entry without content at the end of the chain. A new ledger gets its id, which is on the disk before its first entry is.
    fn draft(&mut self, book: &Book, population: &str, kind: Kind, clock: Clock) -> Result<Entry, LedgerError> {
        let at = clock.now();
        let last = book.entries.last();
        if let Some(last) = last.filter(|last| at < last.at) {
            return Err(LedgerError::Clock { path: self.path.clone(), now: at, last: last.at });
        }
        let previous = match (last, &book.beside) {
            (Some(last), _) => last.hash.clone(),
            (None, Beside::Head(beside)) => beside.ledger.clone(),
            (None, _) => {
                let id = id()?;
                head::write(&self.path, &id, Head { sequence: 0, hash: id.clone() })?;
                id
            }
        };
        Ok(Entry {
            sequence: book.entries.len() as u64 + 1,
            population: population.into(),
            kind,
            at,
            pipeline: String::new(),
            what: Vec::new(),
            reason: None,
            lost: None,
            charge: Charge::FREE,
            grant: None,
            previous,
            hash: String::new(),
        })
    }

    fn append(&mut self, book: &mut Book, entry: Entry) -> Result<Entry, LedgerError> {
        let entry = Entry { hash: entry.digest(), ..entry };
        let integer = |units: u64| i64::try_from(units).map_err(|_| LedgerError::Overflow("an amount"));
        let window = entry.grant.and_then(|grant| grant.window);
        let query = sqlx::query(
            "INSERT INTO ledger (sequence, population, kind, at, pipeline, what, reason, lost, rho, delta, epsilon, grant_epsilon, \
             grant_delta, window_days, window_epsilon, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(integer(entry.sequence)?).bind(&entry.population).bind(entry.kind.word());
        let query = query.bind(entry.at.to_string()).bind(&entry.pipeline).bind(entry.what_json());
        let query = query.bind(&entry.reason).bind(entry.lost.as_ref().map(Head::to_string));
        let query = query.bind(integer(entry.charge.rho)?).bind(integer(entry.charge.delta)?);
        let query = query.bind(entry.charge.epsilon.map(integer).transpose()?);
        let query = query.bind(entry.grant.map(|grant| integer(grant.epsilon)).transpose()?);
        let query = query.bind(entry.grant.map(|grant| integer(grant.delta)).transpose()?);
        let query = query.bind(window.map(|window| i64::from(window.days)));
        let query = query.bind(window.map(|window| integer(window.epsilon)).transpose()?);
        let query = query.bind(&entry.previous).bind(&entry.hash);
        let done = self.runtime.block_on(query.execute(&mut self.connection));
        done.map_err(|e| StoreError::of(&self.path, &e))?;
        book.entries.push(entry.clone());
        Ok(entry)
    }

    /// Brings the head file up to the last committed entry. Under the write lock, so that it never falls back. Fails after the commit: the
    /// charge is made and must not be spent.
    fn advance(&mut self) -> Result<(), LedgerError> {
        self.statement("BEGIN IMMEDIATE")?;
        let ends = sqlx::query(
            "SELECT (SELECT previous FROM ledger WHERE sequence = 1) AS id, sequence, hash FROM ledger ORDER BY sequence DESC LIMIT 1",
        );
        let last = self.runtime.block_on(ends.fetch_optional(&mut self.connection)).and_then(|row| {
            let ends = |row: SqliteRow| Ok((row.try_get("id")?, row.try_get("sequence")?, row.try_get("hash")?));
            row.map(ends).transpose()
        });
        let written =
            last.map_err(|e| LedgerError::Store(StoreError::of(&self.path, &e))).and_then(|last| match last {
                None => Ok(()),
                Some((id, sequence, hash)) => {
                    let (id, sequence): (String, i64) = (id, sequence);
                    head::write(&self.path, &id, Head { sequence: sequence.unsigned_abs(), hash })
                }
            });
        self.statement("ROLLBACK")?;
        written
    }

    /// Works on the chain under the write lock: all of it is committed, or nothing.
    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Store, &mut Book) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        self.statement("BEGIN IMMEDIATE")?;
        let mut done = self.book().and_then(|mut book| work(self, &mut book));
        if done.is_ok()
            && let Err(e) = self.statement("COMMIT")
        {
            done = Err(e);
        }
        if done.is_err() {
            // Fails when SQLite has rolled back already.
            let _ = self.statement("ROLLBACK");
        }
        done
    }

    /// The whole chain, every link checked.
    fn book(&mut self) -> Result<Book, LedgerError> {
        let rows = sqlx::query("SELECT * FROM ledger ORDER BY sequence").fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows).map_err(|e| StoreError::of(&self.path, &e))?;
        let broken = |sequence, why: String| LedgerError::Broken { path: self.path.clone(), sequence, why };
        let mut entries = Vec::with_capacity(rows.len());
        for (sequence, row) in (1..).zip(&rows) {
            let unread = |_: sqlx::Error| broken(sequence, "a field is not of its form".into());
            entries.push(entry_of(row).map_err(unread)?);
        }
        chain(&entries).map_err(|place| broken(place.sequence, place.why.into()))?;
        Ok(Book { entries, beside: head::read(&self.path)? })
    }

    fn statement(&mut self, sql: &'static str) -> Result<(), LedgerError> {
        let done = self.runtime.block_on(sqlx::query(sql).execute(&mut self.connection));
        done.map(|_| ()).map_err(|e| StoreError::of(&self.path, &e).into())
    }
}

/// The head that a refused ledger should have had and has not.
fn ahead(refused: &Option<LedgerError>) -> Option<Head> {
    match refused {
        Some(LedgerError::RolledBack { known, .. }) => Some(known.clone()),
        _ => None,
    }
}

fn name(what: &str, name: &str) -> Result<(), LedgerError> {
    let fault = match name {
        _ if name.trim().is_empty() => "is empty",
        _ if name.len() > NAME_MAX => "is longer than 200 bytes",
        _ if name.chars().any(char::is_control) => "has a control character",
        _ => return Ok(()),
    };
    Err(LedgerError::Invalid(format!("the name of the {what} {fault}")))
}

fn keepable(charge: Charge) -> Result<(), LedgerError> {
    for (what, units) in [("rho", charge.rho), ("delta", charge.delta), ("epsilon", charge.epsilon.unwrap_or(0))] {
        if units > UNITS_MAX {
            return Err(LedgerError::Overflow(what));
        }
    }
    Ok(())
}

/// 32 random bytes, hexadecimal.
fn id() -> Result<String, LedgerError> {
    let mut bytes = [0; 32];
    Entropy::System.generator().map_err(LedgerError::Entropy)?.fill_bytes(&mut bytes);
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A row as an entry; an error when a field has another form than the one it is written in.
fn entry_of(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let units = |column: &str| -> Result<Option<u64>, sqlx::Error> {
        let value: Option<i64> = row.try_get(column)?;
        value.map(|value| u64::try_from(value).map_err(decode)).transpose()
    };
    let some = |column: &str| units(column)?.ok_or_else(|| decode("no value"));
    let text = |column: &str| -> Result<String, sqlx::Error> { row.try_get(column) };
    let (at, what, lost): (String, String, Option<String>) = (text("at")?, text("what")?, row.try_get("lost")?);
    let window = match (units("window_days")?, units("window_epsilon")?) {
        (Some(days), Some(epsilon)) => Some(Window { days: u32::try_from(days).map_err(decode)?, epsilon }),
        (None, None) => None,
        _ => return Err(decode("half a window")),
    };
    let grant = match units("grant_epsilon")? {
        Some(epsilon) => Some(Grant { epsilon, delta: some("grant_delta")?, window }),
        None if window.is_some() || units("grant_delta")?.is_some() => return Err(decode("limits without a grant")),
        None => None,
    };
    let entry = Entry {
        sequence: some("sequence")?,
        population: text("population")?,
        kind: super::of_word(text("kind")?)?,
        at: at.parse().map_err(|e: jiff::Error| sqlx::Error::Decode(e.into()))?,
        pipeline: text("pipeline")?,
        what: serde_json::from_str(&what).map_err(decode)?,
        reason: row.try_get("reason")?,
        lost: lost.as_deref().map(|lost| lost.parse().map_err(|e: &str| decode(e))).transpose()?,
        charge: Charge { rho: some("rho")?, delta: some("delta")?, epsilon: units("epsilon")? },
        grant,
        previous: text("previous")?,
        hash: text("hash")?,
    };
    // The hash is of the entry: a field must have the one form that the entry gives it.
    if entry.at.to_string() != at || entry.what_json() != what {
        return Err(decode("not in its canonical form"));
    }
    Ok(entry)
}

fn decode(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(e.into())
}

#[cfg(test)]
mod tests;
