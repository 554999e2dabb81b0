//! What is printed for a scheduler, and what is late.

use std::fs;

use super::*;
use crate::cli::Format;

const PIPELINE: &str = "[pipeline]\nname = \"p\"\n[ingest]\npath = \"x.csv\"\n[schema]\n\
    sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\n\
    hired = { roles = [\"prediction\"], levels = [\"0\", \"1\"], positive = \"1\" }\n\
    [report]\nfolder = \"reports\"\n[schedule]\ncron = \"0 3 * * *\"\nlate_after_min = 30\n";

const OUT: Output = Output { format: Format::Human, quiet: true, colour: false, journal: false };

fn pipeline(more: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.csv"), "sex,hired\nf,1\n").unwrap();
    let file = folder.path().join("p.toml");
    fs::write(&file, format!("{PIPELINE}{more}")).unwrap();
    (folder, file)
}

/// Prints into a folder: the exit code, and the files with their texts.
fn printed(scheduler: For, file: &Path, user: Option<&str>) -> (u8, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let args = Print {
        scheduler,
        pipeline: file.into(),
        program: Some("/usr/local/bin/evenhand".into()),
        user: user.map(String::from),
        log_file: None,
        out: Some(folder.path().into()),
    };
    let code = print(&args, &OUT).unwrap_or_else(|code| code);
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()));
    let mut named: Vec<_> = named.collect();
    named.sort();
    (code, named)
}

#[test]
fn files_have_names_their_schedulers_read() {
    let (_folder, file) = pipeline("");
    let names = |scheduler| printed(scheduler, &file, Some("audit")).1.into_iter().map(|(name, _)| name);
    // run-parts(8): cron reads names of letters, digits, _ and - only.
    assert_eq!(names(For::Cron).collect::<Vec<_>>(), ["evenhand-p"]);
    assert_eq!(names(For::Systemd).collect::<Vec<_>>(), ["evenhand-p.service", "evenhand-p.timer"]);
}

#[test]
fn an_account_is_one_word() {
    let (_folder, file) = pipeline("");
    let long = "a".repeat(33);
    for user in ["x\n* * * * * root touch /tmp/pwn", "", "a b", "-r", "1st", "a%", "é", &long, "root\n", "r\u{202e}"] {
        for scheduler in [For::Cron, For::Systemd] {
            assert_eq!(printed(scheduler, &file, Some(user)), (USAGE, Vec::new()), "{user:?}");
        }
    }
    for user in ["audit", "_audit", "A.b-c_1", &long[..32]] {
        let (code, files) = printed(For::Cron, &file, Some(user));
        assert!(code == 0 && files[0].1.lines().last().unwrap().starts_with(&format!("*/5 * * * * {user} /usr")));
    }
}

/// Claims the due time of a day; the end of its run, where it has one.
fn claim(file: &Path, due_at: &str, end: Option<u8>) {
    let mut store = Store::open(&file.with_file_name("reports").join(FILE)).unwrap();
    let claim = crate::store::Claim {
        pipeline: "p",
        pattern: "0 3 * * *",
        time_zone: "UTC",
        due_at,
        missed: &[],
        first: false,
        now: due_at,
    };
    assert_eq!(store.claim_occurrence(&claim).unwrap().as_deref(), Some(due_at));
    if let Some(code) = end {
        store.ended("p", due_at, due_at, code).unwrap();
    }
    store.close().unwrap();
}

fn late(file: &Path, now: &str) -> (bool, String) {
    let (loaded, schedule) = scheduled(file, &OUT).unwrap();
    let state = state(&loaded, &schedule, now.parse().unwrap()).unwrap();
    (state.late, state.says)
}

const DUE: &str = "2026-11-26T03:00:00Z";

#[test]
fn a_run_is_on_time_when_it_finished() {
    for (end, expected, words) in [
        (0, false, "ended with exit code 0"),
        (1, false, "ended with exit code 1"),
        (4, false, "ended with exit code 4"),
        (5, false, "ended with exit code 5"),
        (2, true, "exit code 2: the pipeline file is not right"),
        (3, true, "exit code 3: it did not finish"),
        (75, true, "exit code 75: another run was at work"),
        (101, true, "exit code 101: it did not finish"),
    ] {
        let (_folder, file) = pipeline("");
        claim(&file, DUE, Some(end));
        for now in ["2026-11-26T03:30:00Z", "2026-11-27T03:29:59Z"] {
            let (late, says) = late(&file, now);
            assert!(late == expected && says.contains(words), "{end} at {now}: {late} {says}");
        }
        // The next day's has not begun.
        assert!(late(&file, "2026-11-27T03:30:00Z").0, "{end}");
        // A later run that finished makes up for one that did not.
        claim(&file, "2026-11-27T03:00:00Z", Some(0));
        assert!(!late(&file, "2026-11-27T03:10:00Z").0, "{end}");
    }
}

#[test]
fn a_claim_without_an_end_is_at_work_as_long_as_the_lock_is_held() {
    let (folder, file) = pipeline("");
    claim(&file, "2026-11-25T03:00:00Z", Some(0));
    claim(&file, DUE, None);
    assert!(!late(&file, "2026-11-26T03:29:59Z").0);
    let (is_late, says) = late(&file, "2026-11-26T03:30:00Z");
    assert!(is_late && says.contains("ended from outside"), "{says}");
    let lock = world::lock(&folder.path().join("reports/p")).unwrap().unwrap();
    let (is_late, says) = late(&file, "2026-11-26T03:30:00Z");
    assert!(!is_late && says.contains("at work"), "{says}");
    drop(lock);
    assert!(late(&file, "2026-11-26T03:30:00Z").0);
}

#[test]
fn what_is_later_than_now_is_not_on_time() {
    let (_folder, file) = pipeline("");
    claim(&file, "2030-01-01T03:00:00Z", Some(0));
    let (is_late, says) = late(&file, "2026-11-26T03:30:00Z");
    assert!(is_late && says.contains("no run began since it was due"), "{says}");
}

#[test]
fn every_variable_a_pipeline_names_is_listed() {
    let more = "[smtp]\nhost = \"localhost\"\nuser = \"u\"\npassword_env = \"P1\"\nfrom = \"a@example.test\"\n\
        [sign]\nkey_env = \"P2\"\n[[notify]]\nwebhook_env = \"P3\"\nsecret_env = \"P4\"\n\
        [[notify]]\nmail = [\"b@example.test\"]\nattach = \"pdf\"\n\
        [deidentify]\noutput = \"o.csv\"\n[deidentify.columns]\nhired = { do = \"keep\" }\n\
        sex = { do = \"pseudonym\", key_env = \"P5\" }\n";
    let (_folder, file) = pipeline(more);
    for (scheduler, words) in
        [(For::Cron, ". /etc/evenhand/p.env;"), (For::Systemd, "EnvironmentFile=-/etc/evenhand/p.env\n")]
    {
        let (code, files) = printed(scheduler, &file, None);
        assert_eq!(code, 0);
        assert!(files[0].1.contains(": P1, P2, P3, P4, P5\n") && files[0].1.contains(words), "{}", files[0].1);
    }
    assert!(printed(For::Systemd, &file, None).1[0].1.contains("# Chromium"));
    let (_folder, file) = pipeline("");
    assert!(!printed(For::Cron, &file, None).1[0].1.contains(".env"));
}
