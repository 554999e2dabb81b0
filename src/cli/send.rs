//! `evenhand send`: mails and webhook calls that wait. Sends them, lists them, has one tried again, or writes them to a folder.
//!
//! Exit codes: 0 nothing waits, 2 usage or pipeline file, 3 a store that cannot be read, 5 something was not delivered, 75 another flush is at work.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Loaded, Output, UNFINISHED, USAGE, load};
use crate::deliver::{self, FlushError, Settings, Summary, Why, flush};
use crate::run::reports_folder;
use crate::store::{self, Listed, Post, Standing, Store, StoreError};
use crate::world::{Clock, Entropy};

/// Something is stored and not delivered.
const UNDELIVERED: u8 = 5;

/// Delivered messages listed of each pipeline.
const SENT_MAX: u32 = 10;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["flush", "list", "retry", "dry_run"])))]
pub struct Args {
    /// The pipeline files; those of the folder `pipelines` here when absent.
    pub pipelines: Vec<PathBuf>,
    /// Send what is due.
    #[arg(long)]
    pub flush: bool,
    /// With --flush: send what is not due yet too.
    #[arg(long, requires = "flush")]
    pub all: bool,
    /// List what waits, what was given up and why, and what was sent last.
    #[arg(long)]
    pub list: bool,
    /// Have one message that was given up, or waits, sent by the next flush.
    #[arg(long, value_name = "KEY")]
    pub retry: Option<String>,
    /// Write what waits as .eml and .json files, and send nothing.
    #[arg(long, value_name = "DIR")]
    pub dry_run: Option<PathBuf>,
}

/// A pipeline and its store, where there is one.
struct Place {
    loaded: Loaded,
    reports: PathBuf,
    store: Option<Store>,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let (mut places, mut codes) = match places(args, out) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let mut results = Vec::new();
    let mut found = args.retry.is_none();
    for place in &mut places {
        let name = place.loaded.spec.pipeline.name.clone();
        let Some(store) = &mut place.store else { continue };
        let done = match (&args.retry, &args.dry_run) {
            (Some(key), _) => retry(store, &name, key).map(|done| done.inspect(|_| found = true)),
            (None, Some(folder)) => dry_run(store, &name, folder).map(Some),
            (None, None) if args.list => list(store, &name).map(Some),
            (None, None) => send(&place.loaded, &place.reports, store, args.all).map(Some),
        };
        match done {
            Ok(Some((code, text, value))) => {
                codes.push(code);
                results.push((text, value));
            }
            Ok(None) => {}
            Err((code, why)) => {
                out.error(&format!("{name}: {why}"));
                codes.push(code);
            }
        }
    }
    if !found {
        out.error("none of these pipelines has such a message waiting or given up; evenhand send --list has the keys");
        codes.push(USAGE);
    }
    match out.json() {
        true => out.result_json(&results.into_iter().map(|(_, value)| value).collect::<Value>()),
        false if results.is_empty() && codes.is_empty() => out.note("nothing was ever queued"),
        false => out.result(&results.iter().map(|(text, _)| text.as_str()).collect::<String>()),
    }
    // The order of the exit codes.
    [75, USAGE, UNFINISHED, UNDELIVERED].into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}

/// The pipelines that are named, each with its store.
fn places(args: &Args, out: &Output) -> Result<(Vec<Place>, Vec<u8>), u8> {
    let named = !args.pipelines.is_empty();
    let paths = if named { args.pipelines.clone() } else { here() };
    if paths.is_empty() {
        out.error("name a pipeline file: there is no folder `pipelines` with one here");
        return Err(USAGE);
    }
    let (mut places, mut codes) = (Vec::new(), Vec::new());
    for path in paths {
        let loaded = match load(&path) {
            Ok(loaded) => loaded,
            Err(failure) if named => {
                codes.push(failure.print(out));
                continue;
            }
            Err(_) => {
                out.note(&format!("{}: is left out, it cannot be read; evenhand check says why", path.display()));
                continue;
            }
        };
        let reports = reports_folder(&loaded.spec, &loaded.folder);
        let file = reports.join(store::FILE);
        let store = match file.exists().then(|| Store::open(&file)).transpose() {
            Ok(store) => store,
            Err(e) => {
                out.error(&e.to_string());
                codes.push(UNFINISHED);
                continue;
            }
        };
        places.push(Place { loaded, reports, store });
    }
    Ok((places, codes))
}

/// The pipeline files of the folder `pipelines`, in order of their names.
fn here() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("pipelines").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    // The template names no data of its own.
    paths.retain(|path| path.file_name().is_some_and(|name| name != "TEMPLATE.toml"));
    paths.sort();
    paths
}

/// Exit code, text, and the same as JSON.
type Told = (u8, String, Value);
type Done = Result<Told, (u8, String)>;

fn failed(e: StoreError) -> (u8, String) {
    (UNFINISHED, e.to_string())
}

fn send(loaded: &Loaded, reports: &Path, store: &mut Store, all: bool) -> Done {
    let name = &loaded.spec.pipeline.name;
    let settings = Settings {
        pipeline: name,
        folder: &loaded.folder,
        smtp: loaded.spec.smtp.as_ref(),
        webhook_ca_file: None,
        reports,
        all,
        patience: Duration::from_secs(10),
    };
    let summary = flush(store, &settings, Clock::System, Entropy::System)
        .map_err(|e: FlushError| (e.exit_code(), e.to_string()))?;
    let waits = store.undelivered(name).map_err(failed)?.iter().filter(|of| of.state != Standing::Dead).count();
    let code = if waits > 0 || summary.dead > 0 { UNDELIVERED } else { 0 };
    let value = json!({"pipeline": name, "flush": summary, "waiting": waits});
    Ok((code, flushed(name, &summary, waits), value))
}

fn flushed(name: &str, summary: &Summary, waits: usize) -> String {
    let mut text = format!("{name}: {} sent, {waits} waiting, {} given up", summary.sent, summary.dead);
    if summary.possibly_twice + summary.interrupted > 0 {
        let _ = write!(text, "; possibly delivered twice: {}", summary.possibly_twice + summary.interrupted);
    }
    text.push('\n');
    for (why, n) in summary.reasons() {
        let _ = writeln!(text, "  {n} x {}: {}", why.word(), why.text());
    }
    text
}

fn list(store: &mut Store, name: &str) -> Done {
    let open = store.undelivered(name).map_err(failed)?;
    let sent = store.delivered(name, SENT_MAX).map_err(failed)?;
    let mut text = format!("{name}: {} not delivered\n", open.len());
    for listed in open.iter().chain(&sent) {
        line(&mut text, listed);
    }
    let value = json!({"pipeline": name, "undelivered": open, "sent": sent});
    Ok((0, text, value))
}

fn line(text: &mut String, of: &Listed) {
    let state = match of.state {
        Standing::Queued => "queued ",
        Standing::Sending => "sending",
        Standing::Sent => "sent   ",
        Standing::Dead => "dead   ",
    };
    let kind = match of.kind {
        Post::Mail => "mail to",
        Post::Webhook => "call of",
    };
    let next = if of.state == Standing::Queued { format!(", next {}", of.next_at) } else { String::new() };
    let twice = if of.possibly_twice { "  possibly twice" } else { "" };
    let attempts = load::counted(of.attempts as usize, "attempt");
    let _ = writeln!(
        text,
        "  {state}  {}  {kind} {}  run {}, {attempts}{next}{twice}",
        shown(&of.key),
        shown(&of.recipient),
        shown(&of.run_id)
    );
    if let Some(error) = of.last_error.as_ref().filter(|_| of.state != Standing::Sent) {
        let meaning = Why::of_word(error).map(|why| format!(": {}", why.text())).unwrap_or_default();
        let _ = writeln!(text, "           {}{meaning}", shown(error));
    }
}

/// A stored text on one line of a terminal.
fn shown(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn retry(store: &mut Store, name: &str, key: &str) -> Result<Option<Told>, (u8, String)> {
    let here = store.undelivered(name).map_err(failed)?.iter().any(|listed| listed.key == key);
    if !here || !store.retry(key, Clock::System.now()).map_err(failed)? {
        return Ok(None);
    }
    let text = format!("{name}: {} is sent by the next flush: evenhand send --flush\n", shown(key));
    Ok(Some((0, text, json!({"pipeline": name, "retried": key}))))
}

fn dry_run(store: &mut Store, name: &str, folder: &Path) -> Done {
    let letters = store.letters(name).map_err(failed)?;
    let files = deliver::files(&letters);
    let mut text = format!("{name}: {} written to {}, nothing was sent\n", files.len(), folder.display());
    for (file, bytes) in &files {
        let path = folder.join(file);
        let written = crate::world::make_folder(folder).and_then(|()| crate::world::replace(&path, bytes));
        written.map_err(|e| (UNFINISHED, e.to_string()))?;
        let _ = writeln!(text, "  {}", path.display());
    }
    let names: Vec<&String> = files.iter().map(|(file, _)| file).collect();
    Ok((0, text, json!({"pipeline": name, "folder": folder, "files": names})))
}
