//! The ports to what is outside the computation: time, usage, files. Nothing else in the crate asks the system for these.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

/// Tells the time. Tests hold it still.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    Fixed(Timestamp),
}

impl Clock {
    pub fn now(self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Fixed(at) => at,
        }
    }
}

/// Resources one stage used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    pub stage: String,
    pub wall_ms: u64,
    pub cpu_user_ms: u64,
    pub cpu_system_ms: u64,
    /// Private resident memory of the process at the end of the stage (RssAnon of /proc/self/status).
    pub rss_anon_bytes: Option<u64>,
    /// Bytes the process asked the storage layer for during the stage (rchar of /proc/self/io).
    pub read_bytes: Option<u64>,
    /// Rows looked at.
    pub rows: u64,
    pub rows_per_second: Option<u64>,
}

/// Measures stages.
pub struct Meter {
    at: Instant,
    cpu_ms: (u64, u64),
    read_bytes: Option<u64>,
    pub stages: Vec<Usage>,
}

impl Meter {
    pub fn start() -> Meter {
        Meter { at: Instant::now(), cpu_ms: cpu_ms(), read_bytes: read_bytes(), stages: Vec::new() }
    }

    /// Closes a stage and starts the next.
    pub fn stage(&mut self, name: &str, rows: u64) {
        let (cpu_ms, read_bytes, wall) = (cpu_ms(), read_bytes(), self.at.elapsed());
        let rate = (rows > 0 && wall.as_micros() > 0).then(|| (rows as f64 / wall.as_secs_f64()) as u64);
        self.stages.push(Usage {
            stage: name.into(),
            wall_ms: wall.as_millis() as u64,
            cpu_user_ms: cpu_ms.0.saturating_sub(self.cpu_ms.0),
            cpu_system_ms: cpu_ms.1.saturating_sub(self.cpu_ms.1),
            rss_anon_bytes: rss_anon_bytes(),
            read_bytes: read_bytes.zip(self.read_bytes).map(|(now, then)| now.saturating_sub(then)),
            rows,
            rows_per_second: rate,
        });
        (self.at, self.cpu_ms, self.read_bytes) = (Instant::now(), cpu_ms, read_bytes);
    }
}

/// User and system time of the process. One clock tick of Linux is 10 ms.
fn cpu_ms() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let field = |i: usize| after_name.split_whitespace().nth(i).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (field(11) * 10, field(12) * 10)
}

/// Private resident memory of the process.
pub fn rss_anon_bytes() -> Option<u64> {
    proc_field("/proc/self/status", "RssAnon:").map(|kib| kib * 1024)
}

fn read_bytes() -> Option<u64> {
    proc_field("/proc/self/io", "rchar:")
}

fn proc_field(path: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

/// Waits.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Number of threads to work with.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// An exclusive lock that ends with the process, however it ends.
pub struct Lock(#[expect(dead_code, reason = "holding the file holds the lock")] File);

/// Takes the lock of a folder; none when another process holds it.
pub fn lock(folder: &Path) -> io::Result<Option<Lock>> {
    fs::create_dir_all(folder)?;
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(e),
    }
}

/// Start of the names of folders that are being written.
const PARTIAL: &str = ".partial-";

/// Writes a new folder: beside, synced, then renamed into place. Fails if the folder is there. On failure nothing is left.
pub fn publish(parent: &Path, name: &str, files: &[(String, Vec<u8>)]) -> io::Result<PathBuf> {
    fs::create_dir_all(parent)?;
    let (partial, done) = (parent.join(format!("{PARTIAL}{name}")), parent.join(name));
    if done.exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", done.display())));
    }
    let written = write_folder(&partial, files).and_then(|()| fs::rename(&partial, &done));
    if let Err(e) = written {
        let _ = fs::remove_dir_all(&partial);
        return Err(e);
    }
    File::open(parent)?.sync_all()?;
    Ok(done)
}

fn write_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir(folder)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        write_synced(&path, bytes)?;
    }
    File::open(folder)?.sync_all()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Replaces a file: written beside, synced, renamed over.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!("{PARTIAL}{name}"));
    let _ = fs::remove_file(&beside);
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Removes what an interrupted run left half written. Call with the lock held.
pub fn sweep(parent: &Path) -> io::Result<u32> {
    let mut swept = 0;
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let files = vec![("report.json".to_string(), b"{}".to_vec()), ("evidence/a.csv".to_string(), b"a".to_vec())];
        let done = publish(parent.path(), "run-1", &files).unwrap();
        assert_eq!(fs::read(done.join("evidence/a.csv")).unwrap(), b"a");
        assert_eq!(publish(parent.path(), "run-1", &files).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let twice = vec![("a".to_string(), vec![]), ("a".to_string(), vec![])];
        assert!(publish(parent.path(), "run-2", &twice).is_err());
        let names: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["run-1"]);
    }

    #[test]
    fn the_lock_is_exclusive_and_ends_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        assert!(first.is_some());
        assert!(lock(folder.path()).unwrap().is_none());
        drop(first);
        assert!(lock(folder.path()).unwrap().is_some());
    }

    #[test]
    fn sweeping_removes_half_written_folders_only() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join(".partial-x")).unwrap();
        fs::create_dir(parent.path().join("run-1")).unwrap();
        assert_eq!(sweep(parent.path()).unwrap(), 1);
        assert!(parent.path().join("run-1").exists());
    }
}
