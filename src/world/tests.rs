//! Run folders appear whole or not at all: names in use, a full disk, a killed process.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

fn files(names: &[&str], bytes: usize) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| (name.to_string(), vec![b'x'; bytes])).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// This test again, in a process of its own, with an environment variable set.
fn again(test: &str, variable: &str, value: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("world::tests::{test}")]).env(variable, value).stdout(Stdio::null());
    command
}

#[test]
fn a_folder_appears_whole_or_not_at_all() {
    let parent = tempfile::tempdir().unwrap();
    let parent = parent.path().join("reports/lending");
    let run = files(&["report.json", "evidence/a.csv", "evidence/deep/b.csv"], 3);
    let done = publish(&parent, "run-1", &run).unwrap();
    assert_eq!(fs::read(done.join("evidence/deep/b.csv")).unwrap(), b"xxx");
    assert_eq!(publish(&parent, "run-1", &run).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert!(publish(&parent, "run-2", &files(&["a", "a"], 0)).is_err());
    for outside in ["../b", "/tmp/evenhand-b", "a/../../b"] {
        assert_eq!(publish(&parent, "run-2", &files(&[outside], 0)).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
    assert_eq!(names(&parent), ["run-1"]);
}

#[test]
fn a_folder_another_process_is_writing_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join(".partial-run-1")).unwrap();
    let refused = publish(parent.path(), "run-1", &files(&["a"], 1)).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(names(parent.path()), [".partial-run-1"]);
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
fn sweeping_removes_what_is_half_written_only() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir_all(parent.path().join(".partial-x/evidence")).unwrap();
    fs::write(parent.path().join(".partial-x/evidence/a.csv"), "a").unwrap();
    fs::write(parent.path().join(".partial-index.html"), "a").unwrap();
    fs::create_dir_all(parent.path().join("run-1")).unwrap();
    std::os::unix::fs::symlink("run-1", parent.path().join(".partial-link")).unwrap();
    assert_eq!(sweep(parent.path()).unwrap(), 3);
    assert_eq!(names(parent.path()), ["run-1"]);
    assert_eq!(sweep(&parent.path().join("none")).unwrap(), 0);
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(folder.path().join(".partial-report.html"), "left by a killed process").unwrap();
    replace(&path, b"one").unwrap();
    replace(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    fs::create_dir(folder.path().join("taken")).unwrap();
    assert!(replace(&folder.path().join("taken"), b"x").is_err());
    assert_eq!(names(folder.path()), ["report.html", "taken"]);
}

#[test]
fn the_digest_of_a_file_is_that_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "abc").unwrap();
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256_file(&path).unwrap(), (3, abc.to_string()));
    // FIPS 180-2, appendix B.3: a million times the letter a.
    fs::write(&path, vec![b'a'; 1_000_000]).unwrap();
    let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_eq!(sha256_file(&path).unwrap(), (1_000_000, million.to_string()));
    assert!(sha256_file(&folder.path().join("none")).unwrap_err().to_string().contains("none: "));
}

/// A file system of its own that holds this many KiB; gone at the end of the test.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None, with a line to say so, where this account may not mount.
    pub(crate) fn mount(at: &Path, kib: u32) -> Option<SmallDisk> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "none"]).arg(at).stderr(Stdio::null());
        let mounted = command.status().is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("this account may not mount a file system: a full disk is shown by limits of the process alone");
        }
        mounted.then(|| SmallDisk(at.into()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What a disk (or a limit on file sizes) that refuses 200 KiB does to run folders.
fn refused(parent: &Path) -> io::Error {
    publish(parent, "run-1", &files(&["report.json", "evidence/a.csv"], 1000)).unwrap();
    let refused = publish(parent, "run-2", &files(&["report.json", "evidence/a.csv"], 200 << 10)).unwrap_err();
    let html = parent.join("run-1/report.json");
    replace(&html, &[b'y'; 200 << 10]).unwrap_err();
    assert_eq!(names(parent), ["run-1"]);
    assert_eq!(names(&parent.join("run-1")), ["evidence", "report.json"]);
    assert_eq!(fs::read(&html).unwrap(), [b'x'; 1000]);
    publish(parent, "run-3", &files(&["report.json"], 1000)).unwrap();
    refused
}

const LIMITED: &str = "EVENHAND_FOLDER_OF_LIMITED_CHILD";

/// On a file system of 64 KiB where one can be mounted; and in a process that may not write files beyond 32 KiB, everywhere.
#[test]
fn a_full_disk_leaves_nothing_half_written_and_old_folders_intact() {
    if let Some(folder) = std::env::var_os(LIMITED) {
        let kind = refused(Path::new(&folder)).kind();
        assert_eq!(kind, io::ErrorKind::FileTooLarge);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    if let Some(_disk) = SmallDisk::mount(folder.path(), 64) {
        let error = refused(folder.path());
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().ends_with("the disk is full; free some space and run again"), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let child = again("a_full_disk_leaves_nothing_half_written_and_old_folders_intact", LIMITED, folder.path());
    let mut limited = Command::new("sh");
    // The limit counts blocks of 512 bytes, 1,024 in some shells. The signal is ignored, so the write fails instead.
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\""])
        .arg(child.get_program())
        .args(child.get_args());
    let status = limited.env(LIMITED, folder.path()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    assert_eq!(names(folder.path()), ["run-1", "run-3"]);
}

const KILLED: &str = "EVENHAND_FOLDER_OF_KILLED_CHILD";

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_killed_before_the_rename_leaves_what_the_next_run_sweeps() {
    let run = files(&["report.json", "evidence/a.csv"], 1000);
    if let Some(folder) = std::env::var_os(KILLED) {
        let folder = Path::new(&folder);
        let _lock = lock(folder).unwrap().unwrap();
        let partial = folder.join(".partial-run-2");
        fs::create_dir(&partial).unwrap();
        write_files(&partial, &run).unwrap();
        fs::write(folder.join("ready"), "").unwrap();
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let parent = tempfile::tempdir().unwrap();
    let parent = parent.path();
    publish(parent, "run-1", &run).unwrap();
    let child = again("a_process_killed_before_the_rename_leaves_what_the_next_run_sweeps", KILLED, parent);
    let mut child = Killed({ child }.spawn().unwrap());
    while !parent.join("ready").exists() {
        assert!(child.0.try_wait().unwrap().is_none(), "the child ended early");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(lock(parent).unwrap().is_none());
    drop(child);
    assert_eq!(names(parent), [".lock", ".partial-run-2", "ready", "run-1"]);
    let _lock = lock(parent).unwrap().unwrap();
    assert_eq!(sweep(parent).unwrap(), 1);
    publish(parent, "run-2", &run).unwrap();
    assert_eq!(names(parent), [".lock", "ready", "run-1", "run-2"]);
    assert_eq!(names(&parent.join("run-1/evidence")), ["a.csv"]);
}

#[cfg(unix)]
#[test]
fn a_file_for_others_is_readable_and_what_is_beside_it_has_no_such_ending() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("p.prom");
    // One that only its owner reads is replaced by one that all do.
    fs::write(&place, "old").unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(folder.path().join(".p.prom.partial"), "left by one that was killed").unwrap();
    replace_public(&place, b"new").unwrap();
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o644);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!((fs::read(&place).unwrap(), names), (b"new".to_vec(), vec!["p.prom".into()]));
    // A folder in the place of the file beside makes the writing fail: so that is its name, and not one that ends in .prom.
    fs::create_dir(folder.path().join(".p.prom.partial")).unwrap();
    assert!(replace_public(&place, b"newer").is_err());
    assert_eq!(fs::read(&place).unwrap(), b"new");
}
