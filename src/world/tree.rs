//! What is in a folder that nobody vouches for: links are named and not followed, sizes and numbers have limits, nothing is overwritten.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Lock, at, sync_folder};

/// Entries of a folder at most.
const ENTRIES_MAX: usize = 200_000;
/// Folders within folders at most.
const DEPTH_MAX: usize = 32;

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    File,
    Folder,
    Link,
    /// A socket, a pipe, a device.
    Special,
    /// Its name is not UTF-8, and shown with marks in place of what is not.
    Nameless,
}

/// An entry of a folder: its name relative to the folder, with slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub name: String,
    pub kind: Kind,
}

/// Everything below a folder, in order of the names.
///
/// # Errors
/// When a folder cannot be read, and when there is more than 200,000 entries or 32 levels.
pub fn tree(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.to_path_buf(), String::new(), 0)];
    while let Some((path, within, depth)) = waiting.pop() {
        for entry in fs::read_dir(&path).map_err(|e| at(&path, e))? {
            let entry = entry.map_err(|e| at(&path, e))?;
            // The type of the entry, not of what a link leads to.
            let of = entry.file_type().map_err(|e| at(&entry.path(), e))?;
            let own = entry.file_name();
            let name = format!("{within}{}", own.to_string_lossy());
            let kind = match own.to_str() {
                None => Kind::Nameless,
                Some(_) if of.is_symlink() => Kind::Link,
                Some(_) if of.is_dir() => Kind::Folder,
                Some(_) if of.is_file() => Kind::File,
                Some(_) => Kind::Special,
            };
            if kind == Kind::Folder {
                waiting.push((entry.path(), format!("{name}/"), depth + 1));
            }
            if found.len() >= ENTRIES_MAX || depth >= DEPTH_MAX {
                let why = format!("more than {ENTRIES_MAX} entries or {DEPTH_MAX} levels: no run folder");
                return Err(at(folder, io::Error::new(io::ErrorKind::InvalidData, why)));
            }
            found.push(Entry { name, kind });
        }
    }
    found.sort();
    Ok(found)
}

/// Names of the folders in a folder that have a file of this name, in order; none when it is not there. Links and hidden folders are left
/// out.
pub fn folders_with(folder: &Path, file: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| at(folder, e))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| at(folder, e))?;
        let is_folder = entry.file_type().is_ok_and(|of| of.is_dir());
        match entry.file_name().into_string() {
            Ok(name) if is_folder && !name.starts_with('.') && is_there(&entry.path().join(file)) => names.push(name),
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}

/// The bytes of a file that is no link and not longer than this; none when nothing is there.
pub fn read_at_most(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let of = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        of => of.map_err(|e| at(path, e))?,
    };
    let refused = |why: String| Err(at(path, io::Error::new(io::ErrorKind::InvalidData, why)));
    if !of.is_file() {
        return refused("is no regular file".into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| at(path, e))?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| at(path, e))?;
    if bytes.len() as u64 > bytes_max {
        return refused(format!("is longer than {bytes_max} bytes"));
    }
    Ok(Some(bytes))
}

/// Writes a file that is not there yet, synced. `private`: only this account may read it.
///
/// # Errors
/// `AlreadyExists` when it is there; it is left as it is then. After another error nothing is left.
pub fn write_once(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = private;
    let mut file = options.open(path).map_err(|e| at(path, e))?;
    if let Err(e) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        let _ = fs::remove_file(path);
        return Err(at(path, e));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

/// Whether something of this name is there, be it a link to nowhere.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Takes the lock of a file that is there; none when another process holds it.
pub fn lock_there(path: &Path) -> io::Result<Option<Lock>> {
    let file = File::open(path).map_err(|e| at(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(at(path, e)),
    }
}

/// The folder of this name beside a folder; none when it is not there or is a link.
pub fn beside(folder: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    let whole = folder.canonicalize().map_err(|e| at(folder, e))?;
    let beside = whole.with_file_name(name);
    Ok(fs::symlink_metadata(&beside).is_ok_and(|of| of.is_dir()).then_some(beside))
}
