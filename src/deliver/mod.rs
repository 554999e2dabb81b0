//! What is queued goes out: mails by SMTP, webhook calls by HTTPS, each once.
//!
//! An attempt is `sending` on the disk before it begins, so whatever ends the process leaves a message that is sent again. The one case in which
//! that can be the second time, the reply to the end of the text not seen, is recorded as `possibly twice`; the bytes and the Message-ID are the same.
//! Flushes of one pipeline exclude each other by a file lock; a message that is `sending` when the lock is taken is one whose process ended.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde::Serialize;

use crate::plan::spec;
use crate::store::{Claimed, End, Ending, Letter, Post, Store, StoreError};
use crate::world::{self, Clock, Deadline, Entropy};

mod failure;
mod files;
pub mod message;
mod parcel;
pub mod picture;
mod smtp;
mod tls;
mod webhook;
mod wire;

pub use failure::{Becomes, Failure, Stage, Why};
pub use files::files;
pub use parcel::{Kind, Parcel};
pub use webhook::signature;

/// What a flush needs to know.
pub struct Settings<'a> {
    /// Only messages of this pipeline.
    pub pipeline: &'a str,
    /// Folder of the pipeline file: files named in `[smtp]` are relative to it.
    pub folder: &'a Path,
    pub smtp: Option<&'a spec::Smtp>,
    /// Authorities trusted for webhooks; those of the system when absent.
    pub webhook_ca_file: Option<PathBuf>,
    /// Folder of the store: the lock is there.
    pub reports: &'a Path,
    /// Tries what is not due too.
    pub all: bool,
    /// How long another flush is waited for.
    pub patience: Duration,
}

/// What became of the messages a flush tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    pub sent: u32,
    /// Tried and waiting again.
    pub waiting: u32,
    /// Among those sent or waiting: sent once more than a reply was seen.
    pub possibly_twice: u32,
    /// Given up.
    pub dead: u32,
    /// Left behind by a process that ended while it sent.
    pub interrupted: u32,
    /// Why, and how often.
    pub why: BTreeMap<Why, u32>,
}

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    #[error("another flush of this pipeline is at work; what is queued stays queued: evenhand send --flush")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Files(#[from] io::Error),
}

impl FlushError {
    /// 75 while another flush is at work, else 3.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, FlushError::Busy) { 75 } else { 3 }
    }
}

/// First wait after a failure, doubled each time, and the longest.
const BACK_OFF: Duration = Duration::from_secs(60);
const BACK_OFF_MAX: Duration = Duration::from_secs(4 * 3600);

/// Wait where something here has to be mended: a password that is wrong is not tried again and again.
const CONFIGURATION_WAIT: Duration = Duration::from_secs(3600);

/// Hours after which a message is given up where no `[smtp]` says otherwise.
const GIVE_UP_AFTER_H: u32 = 72;

/// Tries every message of a pipeline that is due, each once, oldest first.
///
/// # Errors
/// Another flush at work, a store that cannot be written. What was not tried stays queued.
pub fn flush(store: &mut Store, settings: &Settings, clock: Clock, entropy: Entropy) -> Result<Summary, FlushError> {
    let mut summary = Summary::default();
    if !store.has_post(settings.pipeline)? {
        return Ok(summary);
    }
    let _lock = lock(settings)?;
    summary.interrupted = store.interrupted(settings.pipeline, clock.now())?;
    let mut office = Office::new(settings);
    let mut after = 0;
    while let Some(claimed) = store.claim(settings.pipeline, after, settings.all, clock.now())? {
        after = claimed.sequence;
        let tried = office.deliver(&claimed.letter, clock.now());
        let end = end(settings, &claimed, tried, (clock.now(), entropy))?;
        store.settle(&claimed.letter.key, &end, clock.now())?;
        summary.count(&end, tried);
    }
    office.close();
    Ok(summary)
}

impl Summary {
    fn count(&mut self, end: &End, tried: Result<(), Failure>) {
        match end.result {
            Ending::Sent => self.sent += 1,
            Ending::Dead => self.dead += 1,
            _ => self.waiting += 1,
        }
        if let Err(failure) = tried {
            *self.why.entry(failure.why).or_default() += 1;
            self.possibly_twice += u32::from(failure.becomes() == Becomes::Unseen);
        }
    }

    /// Reasons with what to do, the most frequent first.
    pub fn reasons(&self) -> Vec<(Why, u32)> {
        let mut reasons: Vec<(Why, u32)> = self.why.iter().map(|(why, n)| (*why, *n)).collect();
        reasons.sort_by_key(|(why, n)| (std::cmp::Reverse(*n), *why));
        reasons
    }
}

/// The lock of a pipeline's post; it ends with the process.
fn lock(settings: &Settings) -> Result<world::Lock, FlushError> {
    let known = settings.pipeline.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let name = if known { settings.pipeline } else { "other" };
    let path = settings.reports.join(format!(".post-{name}.lock"));
    let deadline = Deadline::after(settings.patience);
    loop {
        match world::lock_file(&path)? {
            Some(lock) => return Ok(lock),
            None if deadline.left().is_none() => return Err(FlushError::Busy),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// How an attempt ends for a message.
fn end(
    settings: &Settings,
    claimed: &Claimed,
    tried: Result<(), Failure>,
    (now, entropy): (Timestamp, Entropy),
) -> Result<End, FlushError> {
    let Err(failure) = tried else {
        return Ok(End::of(Ending::Sent, now));
    };
    let hours = settings.smtp.map_or(GIVE_UP_AFTER_H, |smtp| smtp.give_up_after_h);
    let old = now.duration_since(claimed.since) >= SignedDuration::from_hours(hours.into());
    let (result, why) = match failure.becomes() {
        Becomes::Dead => (Ending::Dead, failure.why),
        Becomes::Configuration => (Ending::Configuration, failure.why),
        Becomes::Later | Becomes::Unseen if old => (Ending::Dead, Why::GivenUp),
        Becomes::Unseen => (Ending::Unseen, failure.why),
        Becomes::Later => (Ending::Later, failure.why),
    };
    let wait = match result {
        Ending::Configuration => CONFIGURATION_WAIT,
        _ => back_off(claimed.attempts, entropy)?.max(failure.wait.unwrap_or_default()),
    };
    let next = now.checked_add(wait).unwrap_or(now);
    let doubt = failure.becomes() == Becomes::Unseen;
    Ok(End { result, stage: Some(failure.stage.word()), code: failure.code, why: Some(why.word()), doubt, next })
}

/// Doubles with every attempt, a quarter more or less: messages that failed together are not tried together.
fn back_off(attempts: u32, entropy: Entropy) -> io::Result<Duration> {
    let doubled = BACK_OFF.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(BACK_OFF_MAX);
    let permille: u32 = entropy.generator()?.random_range(750..=1250);
    Ok(doubled.saturating_mul(permille) / 1000)
}

/// Delivers message after message. One connection serves all mails; where none comes about, that holds for all of them.
struct Office<'a> {
    settings: &'a Settings<'a>,
    server: Option<Result<smtp::Server, Failure>>,
    session: Option<smtp::Session>,
    closed: Option<Failure>,
}

impl Office<'_> {
    fn new<'a>(settings: &'a Settings<'a>) -> Office<'a> {
        Office { settings, server: None, session: None, closed: None }
    }

    fn deliver(&mut self, letter: &Letter, now: Timestamp) -> Result<(), Failure> {
        match letter.post {
            Post::Mail => self.mail(letter),
            Post::Webhook => webhook::post(letter, self.settings.webhook_ca_file.as_deref(), now),
        }
    }

    fn mail(&mut self, letter: &Letter) -> Result<(), Failure> {
        if let Some(failure) = self.closed {
            return Err(failure);
        }
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.connect()?,
        };
        let sent = session.send(&letter.recipient, &letter.body);
        let usable = match &sent {
            Ok(()) => true,
            // A reply leaves the connection as it is; anything else leaves it in an unknown state.
            Err(failure) if failure.code.is_some_and(|code| code != 421) => session.reset().is_ok(),
            Err(failure) => {
                failure.stage == Stage::Settings || failure.why == Why::BadAddress || failure.why == Why::BadMessage
            }
        };
        if usable {
            self.session = Some(session);
        }
        sent
    }

    fn connect(&mut self) -> Result<smtp::Session, Failure> {
        let settings = self.settings;
        let server = self.server.get_or_insert_with(|| match settings.smtp {
            Some(of) => smtp::Server::new(of, settings.folder),
            None => Err(Failure::at(Stage::Settings, Why::NoSmtp)),
        });
        let opened = match server {
            Ok(server) => server.connect(),
            Err(failure) => Err(*failure),
        };
        self.closed = opened.as_ref().err().copied();
        opened
    }

    fn close(self) {
        if let Some(session) = self.session {
            session.close();
        }
    }
}

#[cfg(test)]
mod tests;
