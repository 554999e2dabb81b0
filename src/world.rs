//! The ports to what is outside the computation: time, usage, files. Nothing else in the crate asks the system for these.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Instant, SystemTime};

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::{ChaCha20Rng, SysRng};
use serde::Serialize;
use sha2::{Digest, Sha256};

mod program;
mod scratch;
mod tree;
pub use program::{Deadline, is_root, program, wait};
pub use scratch::Scratch;
pub use tree::{Entry, Kind, beside, folders_with, is_there, lock_there, read_at_most, tree, write_once};

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

/// Draws randomness that nobody can predict. Tests fix it; nothing a user can say does, and a report of a run with fixed entropy says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entropy {
    System,
    /// For tests: what is drawn protects nobody.
    Fixed(u64),
}

impl Entropy {
    /// A generator: ChaCha20 seeded by the operating system.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn generator(self) -> io::Result<ChaCha20Rng> {
        match self {
            Entropy::System => ChaCha20Rng::try_from_rng(&mut SysRng).map_err(io::Error::other),
            Entropy::Fixed(seed) => Ok(ChaCha20Rng::seed_from_u64(seed)),
        }
    }
}

/// Resources one stage used.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
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

/// An environment variable that is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Number of threads to work with.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// An exclusive lock that ends with the process, however it ends.
pub struct Lock(#[expect(dead_code, reason = "holding the file holds the lock")] File);

/// Takes the lock of a folder; none when another process holds it.
pub fn lock(folder: &Path) -> io::Result<Option<Lock>> {
    make_folder(folder)?;
    lock_file(&folder.join(".lock"))
}

/// Takes the lock that a file stands for; none when another process holds it.
pub fn lock_file(path: &Path) -> io::Result<Option<Lock>> {
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(|e| at(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(at(path, e)),
    }
}

/// Start of the names of folders and files that are being written.
pub const PARTIAL: &str = ".partial-";

/// Writes a new folder: beside, synced, then renamed into place. Fails if the folder is there. Until the rename a failure leaves nothing;
/// a process that is killed leaves a folder for `sweep`. File names are relative, with slashes.
pub fn publish(parent: &Path, name: &str, files: &[(String, Vec<u8>)]) -> io::Result<PathBuf> {
    publish_with(parent, name, files, &[])
}

/// The same with files that are on the disk already, in the same file system: they are moved in.
pub fn publish_with(
    parent: &Path,
    name: &str,
    files: &[(String, Vec<u8>)],
    moved: &[(String, PathBuf)],
) -> io::Result<PathBuf> {
    make_folder(parent)?;
    let (partial, done) = (parent.join(format!("{PARTIAL}{name}")), parent.join(name));
    if done.exists() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{}: the folder is there already", done.display()),
        ));
    }
    fs::create_dir(&partial).map_err(|e| at(&partial, e))?;
    let move_in = |(name, from): &(String, PathBuf)| fs::rename(from, partial.join(name)).map_err(|e| at(from, e));
    let written = write_files(&partial, files)
        .and_then(|()| moved.iter().try_for_each(move_in))
        .and_then(|()| if moved.is_empty() { Ok(()) } else { sync_folder(&partial) })
        .and_then(|()| fs::rename(&partial, &done).map_err(|e| at(&done, e)));
    if let Err(e) = written {
        let _ = fs::remove_dir_all(&partial);
        return Err(e);
    }
    sync_folder(parent)?;
    Ok(done)
}

/// Files of a folder that is there and empty; all of it synced.
fn write_files(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let mut folders = BTreeSet::from([folder.to_path_buf()]);
    for (name, bytes) in files {
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name}: is no name within the folder")));
        }
        let path = folder.join(name);
        let above = path.ancestors().skip(1).take_while(|above| *above != folder).map(Path::to_path_buf);
        folders.extend(above);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| at(parent, e))?;
        }
        write_synced(&path, bytes)?;
    }
    folders.iter().rev().try_for_each(|folder| sync_folder(folder))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| at(path, e))
}

/// Makes a folder and those above it; a new name is synced in the folder that holds it.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    fs::create_dir_all(folder).map_err(|e| at(folder, e))?;
    for made in missing {
        match made.parent() {
            Some(above) if !above.as_os_str().is_empty() => sync_folder(above)?,
            _ => sync_folder(Path::new("."))?,
        }
    }
    Ok(())
}

/// Makes a folder that only this account may read. One that is there is left as it is.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| at(folder, e))
}

/// Dates a new folder, all in it, and the folder it was put into: when each was written tells how long a run took.
pub fn date(folder: &Path, moment: Timestamp) -> io::Result<()> {
    date_all(folder, moment)?;
    match folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        Some(above) => date_one(above, moment),
        None => Ok(()),
    }
}

fn date_all(folder: &Path, moment: Timestamp) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| at(folder, e))? {
        let path = entry.map_err(|e| at(folder, e))?.path();
        if path.is_dir() { date_all(&path, moment)? } else { date_one(&path, moment)? }
    }
    date_one(folder, moment)
}

fn date_one(path: &Path, moment: Timestamp) -> io::Result<()> {
    File::open(path).and_then(|file| file.set_modified(moment.into())).map_err(|e| at(path, e))
}

/// Makes the names in a folder survive a loss of power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| at(folder, e))
}

/// The error with the path, and the remedy where there is one.
fn at(path: &Path, e: io::Error) -> io::Error {
    let why = match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; free some space and run again".to_string()
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{e}; make the folder writable for the account that runs evenhand")
        }
        _ => e.to_string(),
    };
    io::Error::new(e.kind(), format!("{}: {why}", path.display()))
}

/// The bytes of a file; none when it is not there.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(at(path, e)),
    }
}

/// Most files of a folder that is read whole, and most bytes of one that are read.
const FILES_MAX: usize = 64;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The files of a folder by name, its folders and hidden files left out. A file is read up to 1 MiB.
pub fn read_folder(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| at(folder, e))? {
        let path = entry.map_err(|e| at(folder, e))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || !path.is_file() {
            continue;
        }
        if files.len() == FILES_MAX {
            let why = format!("{}: it has more than {FILES_MAX} files", folder.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(|e| at(&path, e))?;
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|e| at(&path, e))?;
        files.push((name, bytes));
    }
    files.sort();
    Ok(files)
}

/// A file that was just made.
pub type NewFile = File;

/// A file that is written beside its place, and is there only when all of it is. Dropped before that, nothing is left.
pub struct Beside {
    /// Where it is written.
    pub path: PathBuf,
    done: PathBuf,
    placed: bool,
}

impl Beside {
    /// A new file for a place. What a killed run left there is removed: the lock of the folder is held.
    pub fn create(place: &Path) -> io::Result<(Beside, NewFile)> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let path = place.with_file_name(format!("{PARTIAL}{name}"));
        let _ = fs::remove_file(&path);
        let file = File::create_new(&path).map_err(|e| at(&path, e))?;
        Ok((Beside { path, done: place.into(), placed: false }, file))
    }

    /// Syncs the file and renames it into its place.
    pub fn place(mut self) -> io::Result<()> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|e| at(&self.path, e))?;
        fs::rename(&self.path, &self.done).map_err(|e| at(&self.done, e))?;
        self.placed = true;
        match self.done.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
            _ => sync_folder(Path::new(".")),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file could be replaced: makes an empty one beside it, and takes it away.
pub fn try_beside(path: &Path) -> io::Result<()> {
    Beside::create(path).map(drop)
}

/// Removes a file that may be gone already.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(at(path, e)),
        _ => Ok(()),
    }
}

/// Replaces a file: written beside, synced, renamed over.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    replace_by(path, &path.with_file_name(format!("{PARTIAL}{name}")), || Ok(()), bytes)
}

/// Replaces a file that other accounts read, whatever the umask. What is written beside it has another ending: who collects files of an
/// ending does not see it.
pub fn replace_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.partial"));
    let open = || {
        #[cfg(unix)]
        fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .map_err(|e| at(&beside, e))?;
        Ok(())
    };
    replace_by(path, &beside, open, bytes)
}

fn replace_by(path: &Path, beside: &Path, open: impl Fn() -> io::Result<()>, bytes: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(beside);
    let renamed = || fs::rename(beside, path).map_err(|e| at(path, e));
    let written = write_synced(beside, bytes).and_then(|()| open()).and_then(|()| renamed());
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

/// Removes what an interrupted run left half written, and says how many. Call with the lock held.
pub fn sweep(parent: &Path) -> io::Result<u32> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(at(parent, e)),
    };
    let mut swept = 0;
    for entry in entries {
        let entry = entry.map_err(|e| at(parent, e))?;
        if !entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let removed = match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.map_err(|e| at(&path, e))?;
        swept += 1;
    }
    Ok(swept)
}

/// What tells whether a file was written to or replaced: where it lies, its length, when it was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    place: (u64, u64),
    bytes: u64,
    modified: Option<SystemTime>,
}

/// The states of files; none for one that cannot be asked.
pub fn states(paths: &[PathBuf]) -> Vec<Option<FileState>> {
    let state = |path: &PathBuf| {
        let of = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let place = (std::os::unix::fs::MetadataExt::dev(&of), std::os::unix::fs::MetadataExt::ino(&of));
        #[cfg(not(unix))]
        let place = (0, 0);
        Some(FileState { place, bytes: of.len(), modified: of.modified().ok() })
    };
    paths.iter().map(state).collect()
}

/// SHA-256 of a file's path without links: the same for one file whatever is in it.
pub fn identity(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.into());
    hex(&Sha256::digest(whole.as_os_str().as_encoded_bytes()))
}

/// Length in bytes and SHA-256 of a file, read in pieces.
pub fn sha256_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path).map_err(|e| at(path, e))?;
    let (mut sha, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((bytes, hex(&sha.finalize()))),
            Ok(n) => {
                sha.update(&piece[..n]);
                bytes += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(at(path, e)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests;
