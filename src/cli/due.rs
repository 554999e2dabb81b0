//! `run --due`: whether a scheduled pipeline is due now, claimed so that two schedulers make one run of it.

use jiff::Timestamp;

use super::{UNFINISHED, USAGE};
use crate::plan::spec::Spec;
use crate::run::DeliverError;
use crate::schedule::{Due, Schedule};
use crate::store::{Claim, FILE, Store, StoreError};
use crate::world::{Clock, Lock};

/// What to do.
pub enum Asked {
    /// Run, and say afterwards how it ended.
    Run(Claimed),
    /// Nothing: why, in one sentence.
    Wait(String),
    /// A run is due, and another one is at work. The due time stays unclaimed: it is asked for again.
    Busy(String),
}

/// A due time that is this run's, and the lock it runs under. It is run once, however it ends; `schedule check` finds one that did not finish.
pub struct Claimed {
    pub lock: Lock,
    store: Store,
    pipeline: String,
    due_at: String,
}

impl Claimed {
    /// Notes how the run ended, then lets go of the lock. What cannot be noted is looked at by nobody but `schedule check`.
    pub fn ended(mut self, exit_code: u8) {
        let now = text(Clock::System.now());
        let _ = self.store.ended(&self.pipeline, &self.due_at, &now, exit_code);
        let _ = self.store.close();
    }
}

/// Asks whether the pipeline is due. Errors: the exit code and why.
pub fn ask(spec: &Spec, folder: &std::path::Path, clock: Clock) -> Result<Asked, (u8, String)> {
    let Some(section) = &spec.schedule else {
        return Err((USAGE, "--due needs a section [schedule] with cron = \"MINUTE HOUR DAY MONTH WEEKDAY\"".into()));
    };
    let schedule = Schedule::of(&section.cron, &section.time_zone).map_err(|e| (USAGE, e.to_string()))?;
    let place = crate::run::reports_folder(spec, folder).join(FILE);
    let failed = |e: StoreError| (UNFINISHED, e.to_string());
    let mut store = Store::open(&place).map_err(failed)?;
    let pipeline = &spec.pipeline.name;
    let now = clock.now();
    let last = store.last_occurrence(pipeline, &text(now)).map_err(failed)?;
    let seen = last.and_then(|last| last.due_at.parse::<Timestamp>().ok());
    let mut claim = |due_at: &str, missed: &[String], first| {
        let (pattern, time_zone) = (schedule.pattern(), schedule.zone_name());
        let claim = Claim { pipeline, pattern, time_zone, due_at, missed, first, now: &text(now) };
        store.claim_occurrence(&claim).map_err(failed)
    };
    let Some(seen) = seen else {
        // The time before the schedule was first asked about is nobody's; the next is owed.
        let before = schedule.last_until(now).unwrap_or(Timestamp::UNIX_EPOCH);
        claim(&text(before), &[], true)?;
        return Ok(Asked::Wait(waiting(&schedule, schedule.next_after(now))));
    };
    match schedule.due(seen, now) {
        Some(Due::Now { since, missed }) => {
            // The claim is made under the lock the run has: who cannot run claims nothing.
            let lock = match crate::run::lock(spec, folder) {
                Ok(lock) => lock,
                Err(e @ DeliverError::Locked(_)) => return Ok(Asked::Busy(e.to_string())),
                Err(e) => return Err((e.exit_code(), e.to_string())),
            };
            let due_at = text(since);
            let passed: Vec<String> = std::iter::successors(schedule.next_after(seen), |at| schedule.next_after(*at))
                .take(missed as usize)
                .map(text)
                .collect();
            match claim(&due_at, &passed, false)? {
                Some(due_at) => Ok(Asked::Run(Claimed { lock, store, pipeline: pipeline.clone(), due_at })),
                None => Ok(Asked::Wait(format!("the run due at {due_at} is another's"))),
            }
        }
        Some(Due::NotBefore(next)) => Ok(Asked::Wait(waiting(&schedule, Some(next)))),
        None => Ok(Asked::Wait(waiting(&schedule, None))),
    }
}

fn waiting(schedule: &Schedule, next: Option<Timestamp>) -> String {
    match next {
        Some(next) => format!("not due before {}", schedule.local(next)),
        None => "not due again".into(),
    }
}

/// To the second, UTC.
pub fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
