//! Who is told of a run, and the finished parcels.
//!
//! [`told`] is a pure function of a rule, the run, the runs before it, what was sent before and the day; [`parcels`] makes one parcel for each
//! recipient. Nothing is sent here.
#![cfg(feature = "mail")]

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, Unit, tz::TimeZone};

use crate::audit::Edition;
use crate::deliver::message::{self, Letter, MessageError};
use crate::deliver::{Kind, Parcel};

use crate::deliver::picture::{PictureError, png};
use crate::finding::{Judged, Outcome};
use crate::plan::spec::{Attach, Digest, Notify, On, Readers};
use crate::report::ReportError;
use crate::report::mail::{Documents, Frame, Mail, Notice, PICTURE_ID, Past};

/// A finished run as it is told of.
#[derive(Debug, Clone)]
pub struct Finished<'a> {
    pub report_json: &'a [u8],
    /// Of the public edition, where there are two.
    pub run_json: &'a [u8],
    /// Of the internal edition, where there is one.
    pub internal_run_json: Option<&'a [u8]>,
    /// The report as a PDF, of the public edition and of the internal one.
    pub pdf: Option<&'a [u8]>,
    pub internal_pdf: Option<&'a [u8]>,
    /// Who mails are from: `Name <address>` or an address.
    pub from: &'a str,
    /// Address below which the run folders can be read.
    pub link: Option<&'a str>,
}

/// What is known of earlier runs of the pipeline.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The runs before this one, the latest first.
    pub runs: Vec<Earlier>,
    pub sent: Vec<Sent>,
}

/// An earlier run and how its findings were judged.
#[derive(Debug, Clone)]
pub struct Earlier {
    pub run: Past,
    pub judged: BTreeSet<Judged>,
}

/// A parcel that was made before.
#[derive(Debug, Clone)]
pub struct Sent {
    pub key: String,
    pub to: String,
    pub day: Date,
}

/// Why a parcel could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// A run beside the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub outcome: Outcome,
    pub before: Option<Outcome>,
    /// The outcome, or how a finding is judged, is not that of the run before.
    pub changed: bool,
}

impl Standing {
    /// True when one of these words is true of the run.
    pub fn is(&self, on: &[On]) -> bool {
        let bad = |outcome| matches!(outcome, Outcome::Fail | Outcome::Inconclusive);
        on.iter().any(|on| match on {
            On::Fail => self.outcome == Outcome::Fail,
            On::Warn => self.outcome == Outcome::Warn,
            On::Inconclusive => self.outcome == Outcome::Inconclusive,
            On::Pass => self.outcome == Outcome::Pass,
            On::Recovered => self.before.is_some_and(bad) && !bad(self.outcome),
            On::Changed => self.changed,
            On::Always => true,
        })
    }
}

/// What a rule says to a recipient after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Nothing,
    /// This run.
    Run,
    /// The runs since the last digest.
    Digest,
    /// That there is nothing new.
    Quiet,
}

/// Days on which a recipient was written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Last {
    pub any: Option<Date>,
    pub digest: Option<Date>,
}

/// Applies a rule. `collected` are the runs since the last digest, this one with them.
pub fn told(rule: &Notify, collected: &[Standing], last: Last, today: Date) -> Told {
    let now = collected.first().is_some_and(|run| run.is(&rule.on));
    let any = collected.iter().any(|run| run.is(&rule.on));
    match rule.digest {
        None if now => return Told::Run,
        Some(digest) if any && due(digest, last.digest, today) => return Told::Digest,
        _ => {}
    }
    // What is collected is no silence: it is told when the day comes.
    let silent = rule.digest.is_none() || !any;
    match rule.heartbeat_days {
        Some(days) if silent && last.any.is_none_or(|day| between(day, today) >= i64::from(days)) => Told::Quiet,
        _ => Told::Nothing,
    }
}

/// A day, or a week from Monday, in which there was no digest yet.
fn due(digest: Digest, last: Option<Date>, today: Date) -> bool {
    let Some(last) = last else { return true };
    match digest {
        Digest::Daily => last < today,
        Digest::Weekly => monday(last) < monday(today),
    }
}

fn monday(day: Date) -> Date {
    let days = i64::from(day.weekday().since(Weekday::Monday));
    day.checked_sub(jiff::Span::new().days(days)).unwrap_or(day)
}

fn between(from: Date, to: Date) -> i64 {
    from.until((Unit::Day, to)).map_or(0, |span| span.get_days().into())
}

/// The parcels of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parcels {
    pub made: Vec<Parcel>,
    /// Why one could not be made, with the rule it is of. No address is in it.
    pub failed: Vec<String>,
}

/// What rules make of a run: one parcel for each recipient, the same ones each time. One that cannot be made keeps no other back.
///
/// # Errors
/// When the run cannot be read.
pub fn parcels(rules: &[Notify], finished: &Finished, history: &History) -> Result<Parcels, NotifyError> {
    let public = Documents::read(finished.report_json, finished.run_json)?;
    let internal = finished.internal_run_json.map(|run| Documents::read(finished.report_json, run)).transpose()?;
    let mut keys = BTreeSet::new();
    let mut parcels = Parcels::default();
    for (n, rule) in rules.iter().enumerate() {
        let (documents, pdf) = match (rule.edition, &internal) {
            (Readers::Internal, Some(internal)) => (internal, finished.internal_pdf),
            _ => (&public, finished.pdf),
        };
        let telling = Telling { rule, documents, finished, history, pdf: pdf.filter(|_| rule.attach == Attach::Pdf) };
        for to in rule.mail.iter().chain(&rule.webhook_env) {
            match telling.parcel(to) {
                Ok(Some(parcel)) if keys.insert(parcel.key.clone()) => parcels.made.push(parcel),
                Ok(_) => {}
                Err(why) => parcels.failed.push(format!("notify[{n}]: {why}")),
            }
        }
    }
    Ok(parcels)
}

/// What a message is about, as its key keeps it.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Run,
    Digest,
    Quiet,
}

/// A rule applied to a run.
struct Telling<'a> {
    rule: &'a Notify,
    documents: &'a Documents,
    finished: &'a Finished<'a>,
    history: &'a History,
    pdf: Option<&'a [u8]>,
}

impl Telling<'_> {
    fn parcel(&self, to: &str) -> Result<Option<Parcel>, NotifyError> {
        let today = self.today()?;
        let mut sent: Vec<&Sent> = self.history.sent.iter().filter(|sent| sent.to.eq_ignore_ascii_case(to)).collect();
        sent.sort_by_key(|sent| sent.day);
        // What another rule sent to the same address is no digest of this one, and no sign of life for its edition.
        let words = [Kept::Run, Kept::Digest, Kept::Quiet].map(|kept| self.about(kept));
        sent.retain(|sent| words.iter().any(|word| message::about(&sent.key) == word));
        let digest = sent.iter().rev().find(|sent| message::about(&sent.key) == words[1]);
        let last = Last { any: sent.last().map(|sent| sent.day), digest: digest.map(|sent| sent.day) };
        let since = self.since(digest.copied(), today);
        let notice = match told(self.rule, &self.standings(since), last, today) {
            Told::Nothing => return Ok(None),
            Told::Run => Notice::Run,
            Told::Digest => Notice::Digest { runs: self.collected(since) },
            Told::Quiet => Notice::Quiet { since: last.any.map(|day| day.to_string()) },
        };
        self.made(to, notice).map(Some)
    }

    /// The word a message has in its key: what it is about, how often this rule sends such, and of which edition it is.
    fn about(&self, kept: Kept) -> String {
        let word = match (kept, self.rule.digest) {
            (Kept::Run, _) => String::new(),
            (Kept::Digest, Some(Digest::Weekly)) => "digest-weekly".into(),
            (Kept::Digest, _) => "digest-daily".into(),
            (Kept::Quiet, _) => format!("quiet-{}", self.rule.heartbeat_days.unwrap_or_default()),
        };
        match (self.documents.edition(), word.is_empty()) {
            (Some(Edition::Internal), true) => "internal".into(),
            (Some(Edition::Internal), false) => format!("{word}-internal"),
            _ => word,
        }
    }

    /// The day of the run, UTC.
    fn today(&self) -> Result<Date, NotifyError> {
        let at = self.documents.finished_at();
        let at: Timestamp = at.parse().map_err(|_| MessageError::Date(at.into()))?;
        Ok(at.to_zoned(TimeZone::UTC).date())
    }

    /// How many earlier runs no digest told of yet. Without a digest before, those of the last day or week.
    fn since(&self, digest: Option<&Sent>, today: Date) -> usize {
        let runs = &self.history.runs;
        let days = match self.rule.digest {
            None => return 0,
            Some(Digest::Daily) => 1,
            Some(Digest::Weekly) => 7,
        };
        let told = |earlier: &Earlier| match digest {
            Some(sent) => sent.key.starts_with(&format!("{}.", earlier.run.run_id)),
            None => earlier.run.day.parse::<Date>().is_ok_and(|day| between(day, today) >= days),
        };
        runs.iter().position(told).unwrap_or(runs.len())
    }

    /// This run and as many before it, the latest first.
    fn standings(&self, since: usize) -> Vec<Standing> {
        let now = (self.documents.outcome(), self.documents.judged());
        let earlier = self.history.runs.iter().map(|earlier| (earlier.run.outcome, earlier.judged.clone()));
        let all: Vec<(Outcome, BTreeSet<Judged>)> = std::iter::once(now).chain(earlier.take(since + 1)).collect();
        let standing = |i: usize| {
            let (outcome, judged) = &all[i];
            let before = all.get(i + 1);
            Standing {
                outcome: *outcome,
                before: before.map(|before| before.0),
                changed: before.is_some_and(|before| before.0 != *outcome || before.1 != *judged),
            }
        };
        (0..all.len().min(since + 1)).map(standing).collect()
    }

    fn collected(&self, since: usize) -> Vec<Past> {
        let now = Past {
            run_id: self.documents.run_id().into(),
            outcome: self.documents.outcome(),
            day: self.documents.finished_at().get(..10).unwrap_or_default().into(),
        };
        let earlier = self.history.runs.iter().take(since).map(|earlier| earlier.run.clone());
        std::iter::once(now).chain(earlier).collect()
    }

    fn made(&self, to: &str, notice: Notice) -> Result<Parcel, NotifyError> {
        let about = &self.about(match &notice {
            Notice::Run => Kept::Run,
            Notice::Digest { .. } => Kept::Digest,
            Notice::Quiet { .. } => Kept::Quiet,
        });
        let frame = Frame {
            notice,
            on: &self.rule.on,
            link: self.finished.link,
            pdf: (self.rule.attach == Attach::Pdf).then_some(self.pdf.is_some()),
        };
        let documents = self.documents;
        let (kind, secret, (key, body)) = match self.rule.webhook_env.as_deref() == Some(to) {
            true => {
                let key = message::key(documents.run_id(), about, &format!("{to} {:?}", self.rule.body));
                (Kind::Webhook, self.rule.secret_env.clone(), (key, documents.hook(self.rule.body, &frame)?))
            }
            false => (Kind::Mail, None, letter(documents, &frame, about, (self.finished.from, to), self.pdf)?.1),
        };
        let (pipeline, run_id) = (documents.pipeline().into(), documents.run_id().into());
        Ok(Parcel { pipeline, run_id, kind, key, to: to.into(), secret, body })
    }
}

/// A mail, its Message-ID and its bytes.
pub fn letter(
    documents: &Documents,
    frame: &Frame,
    about: &str,
    (from, to): (&str, &str),
    pdf: Option<&[u8]>,
) -> Result<(Mail, (String, Vec<u8>)), NotifyError> {
    let mail = documents.mail(frame)?;
    let picture = if mail.picture.is_empty() { None } else { Some(png(&mail.picture)?) };
    let name = format!("{}-{}.pdf", documents.pipeline(), documents.run_id());
    let made = message::message(&Letter {
        from,
        to,
        pipeline: documents.pipeline(),
        run_id: documents.run_id(),
        about,
        date: documents.finished_at(),
        subject: &mail.subject,
        text: &mail.text,
        html: &mail.html,
        png: picture.as_deref().map(|png| (PICTURE_ID, png)),
        pdf: pdf.map(|pdf| (name.as_str(), pdf)),
    })?;
    Ok((mail, made))
}

#[cfg(test)]
mod tests;
