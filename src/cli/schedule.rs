//! `evenhand schedule`: lines for cron, units for systemd, the next due times, and whether a run is late.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::due::text;
use super::{Loaded, Output, UNFINISHED, USAGE, load, load::unfinished};
use crate::schedule::{Job, Schedule, crontab, units};
use crate::store::{FILE, Store};
use crate::world::{self, Clock};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a crontab line, or a service and a timer for systemd.
    Print(Print),
    /// Print the next due times.
    Next(Next),
    /// Say whether runs are late; exit code 1 when one is.
    Check(Check),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    Cron,
    Systemd,
}

#[derive(Debug, clap::Args)]
struct Print {
    scheduler: For,
    pipeline: PathBuf,
    /// Path of the program; this one when absent.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Account the runs have: makes a line for /etc/cron.d, and User= of the service.
    #[arg(long)]
    user: Option<String>,
    /// File that runs append their log to, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Write evenhand-NAME.service and evenhand-NAME.timer (systemd), or evenhand-NAME (cron), into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Next {
    pipeline: PathBuf,
    #[arg(long, default_value_t = 5)]
    count: u32,
}

#[derive(Debug, clap::Args)]
struct Check {
    #[arg(required = true)]
    pipelines: Vec<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let done = match &args.what {
        What::Print(args) => print(args, out),
        What::Next(args) => next(args, out),
        What::Check(args) => check(args, out),
    };
    done.unwrap_or_else(|code| code)
}

/// A pipeline with its schedule; the exit code when it has none.
fn scheduled(path: &Path, out: &Output) -> Result<(Loaded, Schedule), u8> {
    let loaded = load(path).map_err(|failure| failure.print(out))?;
    let Some(section) = &loaded.spec.schedule else {
        out.error(&format!("{}: it has no section [schedule]; add one with cron = \"30 2 * * *\"", path.display()));
        return Err(USAGE);
    };
    let schedule = Schedule::of(&section.cron, &section.time_zone).map_err(|e| {
        out.error(&format!("{}: {e}", path.display()));
        USAGE
    })?;
    Ok((loaded, schedule))
}

fn print(args: &Print, out: &Output) -> Result<u8, u8> {
    let (loaded, schedule) = scheduled(&args.pipeline, out)?;
    let absolute = |path: &Path| absolute(path).inspect_err(|why| out.error(why)).map_err(|_| USAGE);
    let program = match &args.program {
        Some(program) => absolute(program)?,
        None => absolute(&world::program().map_err(|e| unfinished(out, &format!("the program's own path: {e}")))?)?,
    };
    let file = absolute(&args.pipeline)?;
    let reports = absolute(&crate::run::reports_folder(&loaded.spec, &loaded.folder))?;
    let log = args.log_file.as_deref().map(absolute).transpose()?;
    let mut writes = Vec::new();
    let textfile = loaded.spec.schedule.as_ref().and_then(|section| section.textfile.as_ref());
    let ledger = loaded.spec.privacy.as_ref().and_then(|privacy| privacy.ledger.as_ref());
    let elsewhere = textfile.into_iter().chain(ledger).map(|file| loaded.folder.join(file));
    for path in elsewhere.chain(args.log_file.clone()) {
        writes.push(absolute(path.parent().unwrap_or(&path))?);
    }
    let variables: Vec<&str> = loaded.spec.variables().into_iter().collect();
    let job = Job {
        pipeline: &loaded.spec.pipeline.name,
        program: &program,
        file: &file,
        reports: &reports,
        writes: &writes,
        log: log.as_deref(),
        user: args.user.as_deref(),
        variables: &variables,
        pdf: loaded.spec.mails_pdf(),
    };
    let wrong = |why: String| {
        out.error(&why);
        USAGE
    };
    let files = match args.scheduler {
        For::Cron => {
            let text = crontab(&schedule, &job).map_err(wrong)?;
            // cron of Debian reads no file of /etc/cron.d whose name has a dot.
            vec![(format!("evenhand-{}", job.pipeline), text)]
        }
        For::Systemd => {
            let units = units(&schedule, &job).map_err(wrong)?;
            vec![(format!("{}.service", units.name), units.service), (format!("{}.timer", units.name), units.timer)]
        }
    };
    let Some(folder) = &args.out else {
        let shown = |(name, text): &(String, String)| format!("# {name}\n{text}");
        out.result(&files.iter().map(shown).collect::<Vec<_>>().join("\n"));
        return Ok(0);
    };
    world::make_folder(folder).map_err(|e| unfinished(out, &e.to_string()))?;
    for (name, text) in &files {
        let place = folder.join(name);
        world::replace(&place, text.as_bytes()).map_err(|e| unfinished(out, &e.to_string()))?;
        out.note(&format!("{} is written", place.display()));
    }
    Ok(0)
}

/// A path that means the same in any working directory.
fn absolute(path: &Path) -> Result<String, String> {
    let full = std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let plain = crate::run::plain(&full);
    plain.to_str().map(String::from).ok_or_else(|| format!("{}: the path is not UTF-8; rename it", path.display()))
}

fn next(args: &Next, out: &Output) -> Result<u8, u8> {
    let (_, schedule) = scheduled(&args.pipeline, out)?;
    let now = Clock::System.now();
    let after = |at: &Timestamp| schedule.next_after(*at);
    let times: Vec<String> = std::iter::successors(Some(now), after)
        .skip(1)
        .take(args.count.min(1000) as usize)
        .map(|at| schedule.local(at).to_string())
        .collect();
    match out.json() {
        true => out.result_json(&times),
        false => out.result(&times.join("\n")),
    }
    Ok(0)
}

/// How a scheduled pipeline stands.
#[derive(Debug, Serialize)]
struct State {
    pipeline: String,
    late: bool,
    /// Due time the sentence is about, RFC 3339.
    due_at: String,
    says: String,
}

fn check(args: &Check, out: &Output) -> Result<u8, u8> {
    let mut states = Vec::new();
    for path in &args.pipelines {
        let (loaded, schedule) = scheduled(path, out)?;
        let state = state(&loaded, &schedule, Clock::System.now());
        states.push(state.map_err(|why| unfinished(out, &format!("{}: {why}", path.display())))?);
    }
    match out.json() {
        true => out.result_json(&states),
        false => {
            let line = |state: &State| {
                format!("{}  {}: {}", if state.late { "late   " } else { "on time" }, state.pipeline, state.says)
            };
            out.result(&states.iter().map(line).collect::<Vec<_>>().join("\n"));
        }
    }
    Ok(u8::from(states.iter().any(|state| state.late)))
}

/// Exit codes of a run that finished: passed, failed, not decided or refused by the budget, not delivered to all.
const FINISHED: [u8; 4] = [0, 1, 4, 5];

/// Looks at the last due time whose run must have begun by now. It is on time when a run of it or of a later one finished, is at work, or any
/// run that is in the history began since.
fn state(loaded: &Loaded, schedule: &Schedule, now: Timestamp) -> Result<State, String> {
    let spec = &loaded.spec;
    let late_after = spec.schedule.as_ref().map_or(0, |section| section.late_after_min);
    let horizon = now.checked_sub(i64::from(late_after).minutes()).unwrap_or(now);
    let pipeline = spec.pipeline.name.clone();
    let state = |late, due: Timestamp, says| State { pipeline: pipeline.clone(), late, due_at: text(due), says };
    let Some(due) = schedule.last_until(horizon) else {
        return Ok(state(false, now, "no run was due yet".into()));
    };
    let reports = crate::run::reports_folder(spec, &loaded.folder);
    let mut store = Store::open(&reports.join(FILE)).map_err(|e| e.to_string())?;
    let (from, until) = (text(due), text(now));
    let ended = store.last_ended(&pipeline, &from, &until).map_err(|e| e.to_string())?;
    let code = ended.as_ref().and_then(|ended| Some((&ended.due_at, ended.exit_code?)));
    if let Some((at, code)) = code.filter(|(_, code)| FINISHED.contains(code)) {
        return Ok(state(false, due, format!("the run due at {at} ended with exit code {code}")));
    }
    // A run after one that failed makes up for it.
    let since = code.map_or(&from, |(at, _)| at);
    if let Some(run_id) = store.begun(&pipeline, since, &until).map_err(|e| e.to_string())? {
        return Ok(state(false, due, format!("run {run_id} began since it was due")));
    }
    if let Some((at, code)) = code {
        return Ok(state(
            true,
            due,
            format!("the run due at {at} ended with exit code {code}: {}", unfinished_by(code)),
        ));
    }
    let seen = store.last_occurrence(&pipeline, &until).map_err(|e| e.to_string())?;
    let claimed = match seen.filter(|seen| seen.due_at.parse::<Timestamp>().is_ok_and(|at| at >= due)) {
        None => return Ok(state(true, due, format!("no run began since it was due at {}", schedule.local(due)))),
        Some(seen) if !seen.claimed => {
            return Ok(state(false, due, "no run is owed before the next due time".to_string()));
        }
        Some(seen) => seen,
    };
    match at_work(&reports.join(&pipeline)).map_err(|e| e.to_string())? {
        true => Ok(state(false, due, format!("the run due at {} is at work", claimed.due_at))),
        false => Ok(state(true, due, format!("the run due at {} was ended from outside", claimed.due_at))),
    }
}

/// Why a run with this exit code left no report.
fn unfinished_by(code: u8) -> &'static str {
    match code {
        USAGE => "the pipeline file is not right; evenhand check FILE says what is wrong",
        UNFINISHED => "it did not finish; its log or the journal says why, and evenhand run FILE makes up for it",
        75 => "another run was at work; evenhand run FILE makes up for it",
        _ => "it did not finish; evenhand run FILE makes up for it",
    }
}

/// Whether a run holds the lock of a pipeline's folder.
fn at_work(folder: &Path) -> std::io::Result<bool> {
    let lock = folder.join(".lock");
    Ok(world::is_there(&lock) && world::lock_there(&lock)?.is_none())
}

#[cfg(test)]
mod tests;
