//! `evenhand doctor [PIPELINE]`: what this machine has, what is missing, and the command that mends it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::{Loaded, Output, UNFINISHED, load};
use crate::world::{self, Clock};

/// Free space below which a report may not fit.
const FREE_MIB_MIN: u64 = 200;
/// No clock that is right shows an earlier time.
const BUILT_AFTER: &str = "2026-01-01T00:00:00Z";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also look at what this pipeline needs.
    pipeline: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Good,
    /// A run works without it.
    Poor,
    /// A run fails.
    Missing,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Item {
    name: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

fn item(name: &'static str, state: State, found: impl Into<String>, mend: Option<String>) -> Item {
    Item { name, state, found: found.into(), mend: mend.filter(|_| state != State::Good) }
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let loaded = args.pipeline.as_deref().map(|path| (path, load(path)));
    let mut items = vec![threads(), clock(Clock::System)];
    let folder = match &loaded {
        Some((_, Ok(loaded))) => loaded.folder.join(loaded.spec.report.folder.as_deref().unwrap_or("../reports")),
        _ => PathBuf::from("reports"),
    };
    items.push(writable(&folder));
    items.push(space(&folder));
    if let Some((path, loaded)) = &loaded {
        items.extend(pipeline(path, loaded.as_ref().ok()));
    }
    match out.json() {
        true => out.result_json(&items),
        false => out.result(&items.iter().map(line).collect::<String>()),
    }
    let missing = items.iter().any(|item| item.state == State::Missing);
    if missing { UNFINISHED } else { 0 }
}

fn line(item: &Item) -> String {
    let state = match item.state {
        State::Good => "good   ",
        State::Poor => "poor   ",
        State::Missing => "missing",
    };
    let mend = item.mend.as_ref().map_or(String::new(), |mend| format!("\n           mend: {mend}"));
    format!("{state}  {}: {}{mend}\n", item.name, item.found)
}

fn threads() -> Item {
    let threads = world::threads();
    item("threads", State::Good, threads.to_string(), None)
}

fn clock(clock: Clock) -> Item {
    let now = clock.now();
    let sane = BUILT_AFTER.parse::<jiff::Timestamp>().is_ok_and(|built| now >= built);
    let state = if sane { State::Good } else { State::Missing };
    let now = now.strftime("%Y-%m-%d %H:%M UTC").to_string();
    item("clock", state, now, Some("set the clock, for example: timedatectl set-ntp true; waivers end by date".into()))
}

/// A probe file is made and removed in the folder, or in the nearest folder above it that exists.
fn writable(folder: &Path) -> Item {
    let there = nearest(folder);
    let probe = there.join(format!(".evenhand-probe-{}", std::process::id()));
    let made = std::fs::File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe));
    let shown = folder.display();
    match made {
        Ok(()) => item("reports folder", State::Good, format!("{shown} can be written"), None),
        Err(e) => {
            let mend = format!("mkdir -p {shown} && chmod u+w {shown}, or write folder = \"...\" under [report]");
            item("reports folder", State::Missing, format!("{shown} cannot be written: {e}"), Some(mend))
        }
    }
}

fn nearest(folder: &Path) -> PathBuf {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    whole.ancestors().find(|path| path.is_dir()).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// POSIX `df` tells the free space; the standard library does not.
fn space(folder: &Path) -> Item {
    let output = Command::new("df").arg("-Pk").arg(nearest(folder)).output();
    let free = output.ok().and_then(|output| free_mib(&String::from_utf8_lossy(&output.stdout)));
    let mend = Some("remove old run folders, or write folder = \"...\" under [report]".to_string());
    match free {
        None => item("free disk space", State::Poor, "unknown: df does not run", Some("install coreutils".into())),
        Some(free) => {
            let state = if free < FREE_MIB_MIN { State::Missing } else { State::Good };
            item("free disk space", state, format!("{free} MiB; {FREE_MIB_MIN} are needed"), mend)
        }
    }
}

/// The fourth field of the second line, in KiB.
fn free_mib(df: &str) -> Option<u64> {
    let kib: u64 = df.lines().nth(1)?.split_whitespace().rev().nth(2)?.parse().ok()?;
    Some(kib / 1024)
}

fn pipeline(path: &Path, loaded: Option<&Loaded>) -> Vec<Item> {
    let shown = path.display();
    let Some(loaded) = loaded else {
        return vec![item(
            "pipeline",
            State::Missing,
            format!("{shown} has errors"),
            Some(format!("evenhand check {shown}")),
        )];
    };
    let data = match &loaded.source {
        Ok(source) => item("data", State::Good, format!("{} file(s) can be read", source.paths.len()), None),
        Err(why) => {
            let mend = "put the data there, or correct path under [ingest]; synthetic data: evenhand demo-data lending --out FILE";
            item("data", State::Missing, why.clone(), Some(mend.into()))
        }
    };
    vec![item("pipeline", State::Good, format!("{shown} has no errors"), None), data]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_a_command() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(writable(&file.path().join("reports")).state, State::Good);
        assert_eq!(
            free_mib("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a b 100 1 2048 1% /\n"),
            Some(2)
        );
        let old = clock(Clock::Fixed("1970-01-02T00:00:00Z".parse().unwrap()));
        assert!(old.state == State::Missing && line(&old).contains("mend: set the clock"));
        let items = pipeline(Path::new("/nowhere/p.toml"), None);
        assert_eq!(items[0].mend.as_deref(), Some("evenhand check /nowhere/p.toml"));
    }
}
