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
            return Err(refused(&format!("it has {fields} field{}", if fields == 1 { "" } else { "s" })));
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
        let cron = parser.parse(pattern).map_err(|e| refused(&reason(pattern, &e.to_string())))?;
        let zone = zone(zone_name)?;
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

/// Errors: a name that is not in the IANA database.
pub fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::Zone(name.into()))
}

/// The fields with the numbers they go from and to.
const FIELDS: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7)];

/// Why a pattern of five fields was refused: the field whose number is out of its bounds, else the parser's words.
fn reason(pattern: &str, parser: &str) -> String {
    for (field, (name, min, max)) in pattern.split_whitespace().zip(FIELDS) {
        for part in field.split(',') {
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            // Nothing that has no digits is a number; one with too many is out of all bounds.
            let number = |text: &str| {
                let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
                digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
            };
            let ends: Vec<u32> = range.split('-').filter_map(number).collect();
            if let Some(out) = ends.iter().find(|n| !(min..=max).contains(*n)) {
                let out = if *out == u32::MAX { range.to_string() } else { out.to_string() };
                return format!("{out} is no {name}, which goes from {min} to {max}");
            }
            if let [from, to] = ends[..]
                && from > to
            {
                return format!("{range} in the {name} ends before it begins");
            }
            if step.and_then(number).is_some_and(|step| step == 0 || step > max) {
                return format!("the step of {part} in the {name} goes from 1 to {max}");
            }
        }
    }
    parser.trim_end_matches('.').into()
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
    /// Environment variables the pipeline reads.
    pub variables: &'a [&'a str],
    /// A PDF is made, by Chromium.
    pub pdf: bool,
}

impl Job<'_> {
    /// The file that sets the variables, and a comment that lists them; none when the pipeline reads none. A scheduler starts a job with an
    /// environment of its own, in which none of them is set.
    fn environment(&self) -> Option<(String, String)> {
        let words: Vec<String> = self.variables.iter().map(|name| plain(name)).collect();
        let path = format!("/etc/evenhand/{}.env", self.pipeline);
        let comment = format!(
            "# {} sets, one NAME=\"value\" a line, readable for the account only: {}\n",
            plain(&path),
            words.join(", ")
        );
        (!words.is_empty()).then_some((path, comment))
    }

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

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Characters of the name of an account (useradd(8)).
const ACCOUNT_MAX: usize = 32;

#[cfg(test)]
mod tests;
