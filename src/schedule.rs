//! When a pipeline is due: a cron pattern of five fields in a time zone.
//!
//! The fields are those of crontab(5): minute, hour, day of month, month, day of week; a day matches when either of the last two restricted
//! ones does. A time that a change of the clock leaves out is due at the first instant after it; one that comes twice is due at the first.
//! Extensions of the pattern (`L`, `W`, `#`, seconds, `@daily`) are refused: neither cron nor systemd would mean the same by them.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

mod crontab;
mod systemd;

pub use crontab::crontab;
pub use systemd::{Units, calendars, units};

/// A pattern in a zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    /// Name of the zone in the IANA database.
    zone_name: String,
    pattern: String,
}

/// Why a pattern is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("{0:?} is no cron pattern of five fields (minute hour day month weekday): {1}")]
    Pattern(String, String),
    #[error("{0:?} is no time zone of the IANA database, such as \"Europe/Berlin\"")]
    Zone(String),
    #[error("{0:?} is never due: no such day comes within eight years")]
    Never(String),
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A run is due: the time it was due, and how many due times before that were missed.
    Now { since: Timestamp, missed: u32 },
    /// Nothing is, until this time.
    NotBefore(Timestamp),
}

/// Leap days are eight years apart at most: 2096 to 2104.
const NEVER_AFTER_YEARS: i64 = 9;
/// Missed times that are counted; a longer silence needs no more digits.
const MISSED_MAX: u32 = 1000;

impl Schedule {
    /// Errors: a pattern or zone that is none, a pattern no day matches.
    pub fn of(pattern: &str, zone_name: &str) -> Result<Schedule, ScheduleError> {
        let refused = |why: &str| ScheduleError::Pattern(pattern.into(), why.into());
        let fields = pattern.split_whitespace().count();
        if fields != 5 {
            return Err(refused(&format!("it has {fields} fields")));
        }
        let known = |word: &str| NAMES.contains(&word.to_ascii_uppercase().as_str());
        let words = pattern.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        if let Some(word) = words.into_iter().find(|word| !known(word)) {
            return Err(refused(&format!("{word:?} is no name of a month or weekday")));
        }
        if let Some(sign) = pattern.chars().find(|c| !c.is_ascii_alphanumeric() && !" \t*,-/".contains(*c)) {
            return Err(refused(&format!("{sign:?} does not belong in it")));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(pattern).map_err(|e| refused(&e.to_string()))?;
        let zone = TimeZone::get(zone_name).map_err(|_| ScheduleError::Zone(zone_name.into()))?;
        let pattern = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
        let schedule = Schedule { cron, zone, zone_name: zone_name.into(), pattern };
        match schedule.next_after(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never(schedule.pattern)),
        }
    }

    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// An instant as the clocks of the zone show it.
    pub fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// The first due time after an instant.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let from = self.local(at);
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        let last = from.checked_add(NEVER_AFTER_YEARS.years()).ok()?;
        (next <= last).then(|| next.timestamp())
    }

    /// The last due time up to an instant, itself included.
    pub fn last_until(&self, at: Timestamp) -> Option<Timestamp> {
        // Backwards the search is over the same times as forwards; a clock that is put back has no second meaning here.
        self.cron.find_previous_occurrence(&self.local(at), true).ok().map(|last| last.timestamp())
    }

    /// What is due now, when the last due time that was seen to is `seen`. A pipeline that was never run is due at its next time, not at the
    /// one before it was written.
    pub fn due(&self, seen: Timestamp, now: Timestamp) -> Option<Due> {
        let last = self.last_until(now).filter(|last| *last > seen);
        let Some(since) = last else { return self.next_after(now).map(Due::NotBefore) };
        let (mut missed, mut at) = (0, seen);
        while missed < MISSED_MAX {
            match self.next_after(at).filter(|next| *next < since) {
                Some(next) => (missed, at) = (missed + 1, next),
                None => break,
            }
        }
        Some(Due::Now { since, missed })
    }

    /// Minutes, hours, days, months, weekdays that match, ascending; Sunday is 0.
    fn fields(&self) -> [Vec<u16>; 5] {
        let pattern = &self.cron.pattern;
        let mut weekdays: Vec<u16> = pattern.days_of_week.values().into_iter().map(|day| day % 7).collect();
        weekdays.sort_unstable();
        weekdays.dedup();
        [pattern.minutes.values(), pattern.hours.values(), pattern.days.values(), pattern.months.values(), weekdays]
    }
}

const NAMES: [&str; 19] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC", "SUN", "MON", "TUE", "WED",
    "THU", "FRI", "SAT",
];

/// What is printed for a scheduler.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// Name of the pipeline.
    pub pipeline: &'a str,
    /// Absolute paths.
    pub program: &'a str,
    pub file: &'a str,
    /// Folder of run folders, which the job writes to.
    pub reports: &'a str,
    /// Other folders it writes to: of a ledger elsewhere, of metrics for a collector.
    pub writes: &'a [String],
    /// File for the log, beside the journal.
    pub log: Option<&'a str>,
    /// Account it runs as; that of the crontab when absent.
    pub user: Option<&'a str>,
}

impl Job<'_> {
    /// The account. Errors: one that is no name of an account, and so could be more than one word or line of the file.
    fn account(&self) -> Result<Option<&str>, String> {
        let inner = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        match self.user {
            Some(user) if user.len() > ACCOUNT_MAX || !user.starts_with(first) || !user.chars().all(inner) => {
                Err(format!(
                    "--user {user:?} is no name of an account: write 1 to {ACCOUNT_MAX} letters, digits, _ . and -, \
                     a letter or _ first"
                ))
            }
            user => Ok(user),
        }
    }
}

/// Characters of the name of an account (useradd(8)).
const ACCOUNT_MAX: usize = 32;

#[cfg(test)]
mod tests;
