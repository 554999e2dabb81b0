//! The outbox: mails and webhook calls until they are delivered, and every attempt.
//!
//! A message is `queued`, `sending` while an attempt is made, then `sent`, `dead` or `queued` again. Each step is one transaction that takes
//! the write lock first and is synced before it returns, so a message is `sending` on the disk before its first byte leaves. Whoever finds one in
//! that state without an attempt being made finds one whose result nobody saw ([`Store::interrupted`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Store, StoreError, of_word, word};

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Post {
    Mail,
    Webhook,
}

/// A message to one recipient, as it is queued.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    pub pipeline: String,
    pub run_id: String,
    pub post: Post,
    /// Unique: the same key is the same message.
    pub key: String,
    pub recipient: String,
    pub secret: Option<String>,
    pub body: Vec<u8>,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Queued,
    Sending,
    Sent,
    Dead,
}

/// A message with where it stands, without its text. For whoever asks for the list, not for logs: it holds an address.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub key: String,
    pub pipeline: String,
    pub run_id: String,
    pub kind: Post,
    pub recipient: String,
    pub queued_at: String,
    pub state: Standing,
    pub attempts: u32,
    pub next_at: String,
    pub possibly_twice: bool,
    pub last_error: Option<String>,
}

/// A message that is being sent.
pub struct Claimed {
    pub letter: Letter,
    pub sequence: i64,
    /// Attempts made, this one included.
    pub attempts: u32,
    /// Since when it has been waiting.
    pub since: Timestamp,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Sent,
    /// Not delivered; tried again later.
    Later,
    /// The reply was not seen; tried again later, perhaps for the second time.
    Unseen,
    /// Something here has to be mended first; tried again later.
    Configuration,
    /// Given up.
    Dead,
    /// The process ended before the result was known.
    Interrupted,
    /// A person has it tried again.
    Retried,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    pub at: String,
    pub result: Ending,
    pub stage: Option<String>,
    pub code: Option<u16>,
    pub why: Option<String>,
}

/// The end of an attempt, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub result: Ending,
    pub stage: Option<&'static str>,
    pub code: Option<u16>,
    pub why: Option<&'static str>,
    /// The reply was not seen: the message may have arrived.
    pub doubt: bool,
    /// When it is tried again.
    pub next: Timestamp,
}

impl End {
    /// An end that needs no more words.
    pub fn of(result: Ending, next: Timestamp) -> End {
        End { result, stage: None, code: None, why: None, doubt: false, next }
    }
}

impl Store {
    /// Queues messages: all of them or none. One that is queued already is left as it is.
    ///
    /// # Errors
    /// Also when a key is there with another message.
    pub fn queue(&mut self, letters: &[Letter], now: Timestamp) -> Result<(), StoreError> {
        self.transaction(async |connection| queue(connection, letters, now).await)
    }

    /// Marks the next message that is due as being sent, and gives it out. `after` is the sequence of the last one given out, 0 at first;
    /// `all` gives out those that are not due too.
    pub fn claim(
        &mut self,
        pipeline: &str,
        after: i64,
        all: bool,
        now: Timestamp,
    ) -> Result<Option<Claimed>, StoreError> {
        self.transaction(async |connection| claim(connection, (pipeline, after, all), now).await)
    }

    /// Records how an attempt ended.
    pub fn settle(&mut self, key: &str, end: &End, now: Timestamp) -> Result<(), StoreError> {
        self.transaction(async |connection| settle(connection, key, end, now).await)
    }

    /// Puts back what a process left behind while it was being sent, as possibly sent, and says how many. Call only where no attempt is
    /// being made.
    pub fn interrupted(&mut self, pipeline: &str, now: Timestamp) -> Result<u32, StoreError> {
        self.transaction(async |connection| {
            let left = sqlx::query("SELECT key FROM outbox WHERE pipeline = ? AND state = 'sending'");
            let left = left.bind(pipeline).fetch_all(&mut *connection).await?;
            for row in &left {
                let end = End::of(Ending::Interrupted, now);
                settle(connection, row.try_get("key")?, &end, now).await?;
            }
            Ok(u32::try_from(left.len()).unwrap_or(u32::MAX))
        })
    }

    /// Has a message that was given up, or waits, tried at the next flush. False when there is none of this key that could be.
    pub fn retry(&mut self, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.transaction(async |connection| {
            let there = sqlx::query("SELECT 1 FROM outbox WHERE key = ? AND state IN ('queued', 'dead')");
            if there.bind(key).fetch_optional(&mut *connection).await?.is_none() {
                return Ok(false);
            }
            let end = End::of(Ending::Retried, now);
            settle(connection, key, &end, now).await.map(|()| true)
        })
    }

    /// Messages of a pipeline that are not delivered: waiting, being sent, or given up. Oldest first.
    pub fn undelivered(&mut self, pipeline: &str) -> Result<Vec<Listed>, StoreError> {
        self.listed(pipeline, "not-sent", u32::MAX)
    }

    /// The last messages of a pipeline that were delivered, latest first.
    pub fn delivered(&mut self, pipeline: &str, limit: u32) -> Result<Vec<Listed>, StoreError> {
        self.listed(pipeline, "sent", limit)
    }

    fn listed(&mut self, pipeline: &str, which: &str, limit: u32) -> Result<Vec<Listed>, StoreError> {
        let query = sqlx::query(
            "SELECT key, pipeline, run_id, kind, recipient, queued_at, state, attempts, next_at, possibly_twice, last_error FROM outbox \
             WHERE pipeline = ?1 AND (state = 'sent') = (?2 = 'sent') \
             ORDER BY CASE ?2 WHEN 'sent' THEN -sequence ELSE sequence END LIMIT ?3",
        );
        let query = query.bind(pipeline).bind(which).bind(limit);
        let rows = self.runtime.block_on(query.fetch_all(&mut self.connection));
        rows.and_then(|rows| rows.iter().map(listed_of).collect()).map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Messages of a pipeline that wait or were given up, with their texts, oldest first.
    pub fn letters(&mut self, pipeline: &str) -> Result<Vec<Letter>, StoreError> {
        let query = sqlx::query("SELECT * FROM outbox WHERE pipeline = ? AND state <> 'sent' ORDER BY sequence");
        let rows = self.runtime.block_on(query.bind(pipeline).fetch_all(&mut self.connection));
        rows.and_then(|rows| rows.iter().map(letter_of).collect()).map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Every attempt to deliver a message, in order.
    pub fn attempts(&mut self, key: &str) -> Result<Vec<Attempt>, StoreError> {
        let query =
            sqlx::query("SELECT at, result, stage, code, why FROM outbox_attempts WHERE key = ? ORDER BY number");
        let rows = self.runtime.block_on(query.bind(key).fetch_all(&mut self.connection));
        rows.and_then(|rows| rows.iter().map(attempt_of).collect()).map_err(|e| StoreError::of(&self.path, &e))
    }

    /// Whether anything of a pipeline waits or was left behind.
    pub fn has_post(&mut self, pipeline: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM outbox WHERE pipeline = ? AND state IN ('queued', 'sending') LIMIT 1");
        let row = self.runtime.block_on(query.bind(pipeline).fetch_optional(&mut self.connection));
        row.map(|row| row.is_some()).map_err(|e| StoreError::of(&self.path, &e))
    }

    /// One transaction, begun and ended by statements: sqlx loses count of one that SQLite itself rolled back.
    fn transaction<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let connection = &mut self.connection;
        let done = self.runtime.block_on(async {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
            let mut done = work(&mut *connection).await;
            if done.is_ok()
                && let Err(e) = sqlx::query("COMMIT").execute(&mut *connection).await
            {
                done = Err(e);
            }
            if done.is_err() {
                // Fails when SQLite has rolled back already.
                let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
            }
            done
        });
        done.map_err(|e| StoreError::of(&self.path, &e))
    }
}

/// Queues messages within a transaction.
pub(super) async fn queue(
    connection: &mut SqliteConnection,
    letters: &[Letter],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let now = text(now);
    for letter in letters {
        let known = sqlx::query("SELECT * FROM outbox WHERE key = ?").bind(&letter.key);
        if let Some(row) = known.fetch_optional(&mut *connection).await? {
            // The key says that it is the same message: where it is not, one of the two would be lost.
            match letter_of(&row)? == *letter {
                true => continue,
                false => return Err(sqlx::Error::Encode("another message has its id already".into())),
            }
        }
        let query = sqlx::query(
            "INSERT INTO outbox (key, sequence, pipeline, run_id, kind, recipient, secret, body, queued_at, next_at, since) \
             VALUES (?1, (SELECT coalesce(max(sequence), 0) + 1 FROM outbox), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8)",
        );
        let query = query.bind(&letter.key).bind(&letter.pipeline).bind(&letter.run_id).bind(word(&letter.post)?);
        let query = query.bind(&letter.recipient).bind(&letter.secret).bind(&letter.body).bind(&now);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn claim(
    connection: &mut SqliteConnection,
    (pipeline, after, all): (&str, i64, bool),
    now: Timestamp,
) -> Result<Option<Claimed>, sqlx::Error> {
    let query = sqlx::query(
        "SELECT * FROM outbox WHERE pipeline = ? AND state = 'queued' AND sequence > ? AND (? OR next_at <= ?) ORDER BY sequence LIMIT 1",
    );
    let query = query.bind(pipeline).bind(after).bind(all).bind(text(now));
    let Some(row) = query.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let letter = letter_of(&row)?;
    let mark = sqlx::query("UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE key = ?");
    mark.bind(&letter.key).execute(&mut *connection).await?;
    let attempts: u32 = row.try_get("attempts")?;
    let since: String = row.try_get("since")?;
    let since = since.parse().map_err(|e: jiff::Error| sqlx::Error::Decode(e.into()))?;
    Ok(Some(Claimed { letter, sequence: row.try_get("sequence")?, attempts: attempts.saturating_add(1), since }))
}

async fn settle(connection: &mut SqliteConnection, key: &str, end: &End, now: Timestamp) -> Result<(), sqlx::Error> {
    let state = match end.result {
        Ending::Sent => Standing::Sent,
        Ending::Dead => Standing::Dead,
        _ => Standing::Queued,
    };
    let doubt = end.doubt || matches!(end.result, Ending::Unseen | Ending::Interrupted);
    let query = sqlx::query(
        "UPDATE outbox SET state = ?, next_at = ?, possibly_twice = possibly_twice OR ?, \
         since = CASE WHEN ?4 THEN ?5 ELSE since END, last_error = CASE WHEN ?4 THEN last_error ELSE ?6 END WHERE key = ?7",
    );
    let error = match (end.why, end.code, end.result) {
        (Some(why), Some(code), _) => Some(format!("{why} ({code})")),
        (Some(why), None, _) => Some(why.to_string()),
        (None, _, Ending::Interrupted) => Some("interrupted".to_string()),
        (None, ..) => None,
    };
    let query = query.bind(word(&state)?).bind(text(end.next)).bind(doubt).bind(end.result == Ending::Retried);
    query.bind(text(now)).bind(error).bind(key).execute(&mut *connection).await?;
    let query = sqlx::query(
        "INSERT INTO outbox_attempts (key, number, at, result, stage, code, why) \
         VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM outbox_attempts WHERE key = ?1), ?2, ?3, ?4, ?5, ?6)",
    );
    let query = query.bind(key).bind(text(now)).bind(word(&end.result)?).bind(end.stage).bind(end.code).bind(end.why);
    query.execute(&mut *connection).await?;
    Ok(())
}

/// Whole seconds, of one length: texts are in the order of their moments.
fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn letter_of(row: &SqliteRow) -> Result<Letter, sqlx::Error> {
    Ok(Letter {
        pipeline: row.try_get("pipeline")?,
        run_id: row.try_get("run_id")?,
        post: of_word(row.try_get("kind")?)?,
        key: row.try_get("key")?,
        recipient: row.try_get("recipient")?,
        secret: row.try_get("secret")?,
        body: row.try_get("body")?,
    })
}

fn listed_of(row: &SqliteRow) -> Result<Listed, sqlx::Error> {
    Ok(Listed {
        key: row.try_get("key")?,
        pipeline: row.try_get("pipeline")?,
        run_id: row.try_get("run_id")?,
        kind: of_word(row.try_get("kind")?)?,
        recipient: row.try_get("recipient")?,
        queued_at: row.try_get("queued_at")?,
        state: of_word(row.try_get("state")?)?,
        attempts: row.try_get("attempts")?,
        next_at: row.try_get("next_at")?,
        possibly_twice: row.try_get("possibly_twice")?,
        last_error: row.try_get("last_error")?,
    })
}

fn attempt_of(row: &SqliteRow) -> Result<Attempt, sqlx::Error> {
    Ok(Attempt {
        at: row.try_get("at")?,
        result: of_word(row.try_get("result")?)?,
        stage: row.try_get("stage")?,
        code: row.try_get("code")?,
        why: row.try_get("why")?,
    })
}

#[cfg(test)]
mod tests;
