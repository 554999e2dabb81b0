//! Does the line for cron do what it says? The real Debian cron reads it, fires, the run it starts is in the history, and its mail is in the
//! mailbox of a real mail server.
//!
//! cron runs in a mount namespace of its own with its clock moved to just before a minute by libfaketime, so nothing on the machine changes and
//! nothing is waited for. The job itself sees the true clock, and nothing of the test's environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mail_parser::{MessageParser, MimeHeaders};

#[path = "../heart/post/ground.rs"]
mod ground;
use ground::{Certificates, Chasquid};

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

/// A pipeline with a schedule and somebody to tell, in a folder with a name that a shell would trip over.
fn scheduled(folder: &Path, port: u16) -> PathBuf {
    let house = folder.join("it's 100% here");
    fs::create_dir_all(house.join("data")).unwrap();
    fs::create_dir_all(house.join("metrics")).unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    fs::copy(from.join("data/hiring.csv"), house.join("data/hiring.csv")).unwrap();
    let text = fs::read_to_string(from.join("hiring.toml")).unwrap();
    let schedule =
        "\n[schedule]\ncron = \"* * * * *\"\ntime_zone = \"Asia/Kathmandu\"\ntextfile = \"metrics/hiring.prom\"\n";
    fs::write(house.join("password"), "s3cret\n").unwrap();
    fs::copy(Certificates::usual().ca(), house.join("ca.pem")).unwrap();
    let post = format!(
        "\n[smtp]\nhost = \"localhost\"\nport = {port}\nuser = \"auditor@example.test\"\npassword_file = \"password\"\n\
         ca_file = \"ca.pem\"\nfrom = \"审计 <auditor@example.test>\"\n[[notify]]\nmail = [\"compliance@example.test\"]\n"
    );
    let text = text.replace("\n[report]\n", "\n[report]\nlanguage = \"zh-CN\"\n");
    let file = house.join("hiring.toml");
    fs::write(&file, text + schedule + &post).unwrap();
    file
}

fn evenhand(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_evenhand")).args(arguments).env_clear().current_dir("/").output().unwrap()
}

#[test]
fn cron_starts_the_printed_line_and_the_mail_of_its_run_arrives() {
    if !Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n") {
        eprintln!("NOT TESTED: cron needs root: sudo -E cargo test --release --test it cron");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Chasquid::start();
    let file = scheduled(folder.path(), server.submission);
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
    arrived(&server.inbox("compliance", 1)[0]);
    let listed = evenhand(&["send", "--list", file]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("sent"), "{listed:?}");
}

/// The mail as the server has it: who, about what, the same in text and HTML, with its picture.
fn arrived(bytes: &[u8]) {
    let mail = MessageParser::default().parse(bytes).unwrap();
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("审计"), Some("auditor@example.test")));
    let subject = mail.subject().unwrap();
    assert!(subject.starts_with('[') && subject.contains("hiring"), "{subject}");
    let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    assert!(text.contains("报告") && html.contains("lang=\"zh-Hans\""), "{text}");
    let picture = mail.attachments().find(|part| part.content_id().is_some()).unwrap();
    assert!(
        picture.contents().starts_with(b"\x89PNG") && html.contains(&format!("cid:{}", picture.content_id().unwrap()))
    );
    // Loopback says so: it came in by an authenticated and encrypted session.
    assert!(mail.header_raw("Received").unwrap_or_default().contains("ESMTPSA"), "{:?}", mail.header_raw("Received"));
}
