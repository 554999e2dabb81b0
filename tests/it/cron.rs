//! Does the line for cron do what it says? The real Debian cron reads it, fires, and the run it starts is in the history.
//!
//! cron runs in a mount namespace of its own with its clock moved to just before a minute by libfaketime, so nothing on the machine changes and
//! nothing is waited for. The job itself sees the true clock, and nothing of the test's environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Ends cron when the test does.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts cron with this crontab; its clock stands three seconds before a full hour.
fn cron(folder: &Path, crontab: &str) -> Running {
    fs::write(folder.join("tab"), crontab).unwrap();
    let faketime = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|machine| PathBuf::from(format!("/usr/lib/{machine}/faketime/libfaketime.so.1")));
    let faketime = faketime.iter().find(|path| path.exists()).expect("apt-get install libfaketime");
    assert!(Path::new("/usr/sbin/cron").exists(), "apt-get install cron");
    let inside = format!(
        "set -e\nO=$(id -un); T=/var/spool/cron/crontabs\n\
         mount -t tmpfs none /var/spool; mkdir -p $T; cp '{}' \"$T/$O\"; chmod 600 \"$T/$O\"; chmod 1730 $T\n\
         mount -t tmpfs none /run; mount -t tmpfs none /etc/pam.d\n\
         for kind in auth account session; do echo \"$kind required pam_permit.so\"; done > /etc/pam.d/cron\n\
         cp /etc/pam.d/cron /etc/pam.d/other\n\
         export LD_PRELOAD='{}' FAKETIME='@2026-11-30 23:59:57' FAKETIME_DONT_FAKE_MONOTONIC=1\n\
         exec /usr/sbin/cron -f -L 15\n",
        folder.join("tab").display(),
        faketime.display()
    );
    fs::write(folder.join("inside.sh"), inside).unwrap();
    let child = Command::new("unshare")
        .args(["-m", "--propagation", "private", "--kill-child", "sh"])
        .arg(folder.join("inside.sh"))
        .stdin(Stdio::null())
        .stdout(fs::File::create(folder.join("cron.log")).unwrap())
        .stderr(fs::File::create(folder.join("cron.err")).unwrap())
        .spawn()
        .unwrap();
    Running(child)
}

fn waited<T>(what: &str, folder: &Path, mut find: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        if began.elapsed() > Duration::from_secs(90) {
            let logs = ["cron.log", "cron.err", "job.log"]
                .map(|name| fs::read_to_string(folder.join(name)).unwrap_or_default());
            panic!("{what}: {logs:?}");
        }
        sleep(Duration::from_millis(200));
    }
}

/// A pipeline with a schedule, in a folder with a name that a shell would trip over.
fn scheduled(folder: &Path) -> PathBuf {
    let house = folder.join("it's 100% here");
    fs::create_dir_all(house.join("data")).unwrap();
    fs::create_dir_all(house.join("metrics")).unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    fs::copy(from.join("data/hiring.csv"), house.join("data/hiring.csv")).unwrap();
    let text = fs::read_to_string(from.join("hiring.toml")).unwrap();
    let schedule =
        "\n[schedule]\ncron = \"* * * * *\"\ntime_zone = \"Asia/Kathmandu\"\ntextfile = \"metrics/hiring.prom\"\n";
    let file = house.join("hiring.toml");
    fs::write(&file, text + schedule).unwrap();
    file
}

fn evenhand(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_evenhand")).args(arguments).env_clear().current_dir("/").output().unwrap()
}

#[test]
fn cron_starts_the_printed_line_and_the_run_is_in_the_history() {
    if !Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n") {
        eprintln!("NOT TESTED: cron needs root: sudo -E cargo test --release --test it cron");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = scheduled(folder.path());
    let file = file.to_str().unwrap();
    // The first question only notes when the schedule was first asked about.
    let first = evenhand(&["run", "--due", file]);
    assert_eq!((first.status.code(), first.stdout.len(), first.stderr.len()), (Some(0), 0, 0), "{first:?}");
    let log = folder.path().join("job.log");
    let printed = evenhand(&["schedule", "print", "cron", "--log-file", log.to_str().unwrap(), file]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    let reports = folder.path().join("reports/hiring");
    let runs = || {
        let entries = fs::read_dir(&reports).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.join("report.html").exists()).collect::<Vec<_>>()
    };
    // A minute of the true clock must pass until a run is due.
    waited("a run is due", folder.path(), || {
        let next = evenhand(&["schedule", "check", "--format", "json", file]);
        (next.status.code() == Some(0)).then_some(())
    });
    let began = Instant::now();
    let minute = || jiff::Timestamp::now().as_second() / 60;
    let start = minute();
    while minute() == start && began.elapsed() < Duration::from_secs(61) {
        sleep(Duration::from_millis(200));
    }
    let running = cron(folder.path(), std::str::from_utf8(&printed.stdout).unwrap());
    waited("cron runs the pipeline", folder.path(), || runs().first().cloned());
    let ends = waited("the end of the run is logged", folder.path(), || {
        let log = fs::read_to_string(&log).ok()?;
        log.lines().find(|line| line.contains("\"event\":\"done\"")).map(str::to_string)
    });
    drop(running);
    assert!(ends.contains("\"outcome\":\"FAIL\""), "{ends}");
    let metrics = waited("metrics", folder.path(), || {
        fs::read_to_string(folder.path().join("it's 100% here/metrics/hiring.prom")).ok()
    });
    assert!(metrics.contains("evenhand_run_exit_code{pipeline=\"hiring\"} 1\n"), "{metrics}");
    assert!(metrics.contains("evenhand_run_outcome{pipeline=\"hiring\",outcome=\"fail\"} 1\n"), "{metrics}");
    let check = evenhand(&["schedule", "check", file]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.status.code() == Some(0) && said.contains("ended with exit code 1"), "{said}");
}
