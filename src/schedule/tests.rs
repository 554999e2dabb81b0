//! Times against hand-counted ones at changes of the clock, and against systemd's own reading of the calendar events.

use std::process::Command;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(pattern: &str, zone: &str) -> Schedule {
    Schedule::of(pattern, zone).unwrap()
}

fn times(schedule: &Schedule, from: &str, n: usize) -> Vec<String> {
    let next = |at: &Timestamp| schedule.next_after(*at);
    std::iter::successors(Some(at(from)), next).skip(1).take(n).map(|at| at.to_string()).collect()
}

#[test]
fn a_due_time_survives_changes_of_the_clock() {
    // Berlin: 2026-03-29 02:00 becomes 03:00 (01:00 UTC), 2026-10-25 03:00 becomes 02:00 (01:00 UTC).
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(
        times(&berlin, "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        times(&berlin, "2026-10-24T12:00:00Z", 3),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"]
    );
    let kathmandu = schedule("0 6 * * 1-5", "Asia/Kathmandu");
    assert_eq!(times(&kathmandu, "2026-11-27T12:00:00Z", 2), ["2026-11-30T00:15:00Z", "2026-12-01T00:15:00Z"]);
}

#[test]
fn a_missed_run_is_due_once_and_the_others_are_counted() {
    let daily = schedule("0 3 * * *", "UTC");
    let seen = at("2026-11-20T03:00:00Z");
    let next = Some(Due::NotBefore(at("2026-11-21T03:00:00Z")));
    assert_eq!(daily.due(seen, at("2026-11-20T03:00:00Z")), next);
    assert_eq!(daily.due(seen, at("2026-11-21T02:59:59Z")), next);
    let now = |since: &str, missed| Some(Due::Now { since: at(since), missed });
    assert_eq!(daily.due(seen, at("2026-11-21T03:00:00Z")), now("2026-11-21T03:00:00Z", 0));
    assert_eq!(daily.due(seen, at("2026-11-25T12:00:00Z")), now("2026-11-25T03:00:00Z", 4));
    assert_eq!(
        schedule("* * * * *", "UTC").due(seen, at("2026-11-25T12:00:00Z")),
        now("2026-11-25T12:00:00Z", MISSED_MAX)
    );
}

#[test]
fn what_is_no_schedule_is_refused_with_the_reason() {
    for (pattern, part) in [
        ("", "it has 0 fields"),
        ("* * * *", "it has 4 fields"),
        ("0 0 * * * *", "it has 6 fields"),
        ("@daily", "it has 1 field"),
        ("0 0 L * *", "\"L\" is no name"),
        ("0 0 15W * *", "\"W\" is no name"),
        ("0 0 * * 5#2", "'#' does not belong"),
        ("0 0 ? * *", "'?' does not belong"),
        ("60 0 * * *", ": 60 is no minute, which goes from 0 to 59"),
        ("0 24 * * *", "24 is no hour, which goes from 0 to 23"),
        ("0 0 0 * *", "0 is no day of month, which goes from 1 to 31"),
        ("0 0 * 1-13 *", "13 is no month, which goes from 1 to 12"),
        ("0 0 * * 1,8", "8 is no day of week, which goes from 0 to 7"),
        ("99999999999 0 * * *", "99999999999 is no minute"),
        ("*/0 * * * *", "the step of */0 in the minute goes from 1 to 59"),
        ("5-1 * * * *", "5-1 in the minute ends before it begins"),
        ("0 0 30 2 *", "never due"),
        ("% 0 * * *", "'%' does not belong"),
    ] {
        let error = Schedule::of(pattern, "UTC").unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("Component"), "{pattern:?}: {error}");
        assert!(!error.contains("1 fields"), "{error}");
    }
    for zone in ["", "Europe/Nowhere", "CET6CEST", "../../etc/passwd", "+01:00"] {
        assert_eq!(Schedule::of("0 0 * * *", zone).unwrap_err(), ScheduleError::Zone(zone.into()));
    }
    assert!(Schedule::of("0 0 29 2 1", "UTC").is_ok());
}

const JOB: Job = Job {
    pipeline: "lending",
    program: "/usr/local/bin/evenhand",
    file: "/etc/evenhand/100% sure/it's.toml",
    reports: "/var/lib/evenhand/reports",
    writes: &[],
    log: None,
    user: None,
    variables: &[],
    pdf: false,
};

#[test]
fn a_crontab_line_asks_whether_it_is_due() {
    let text = crontab(&schedule("30 2 * * *", "Europe/Berlin"), &JOB).unwrap();
    let line = text.lines().last().unwrap();
    assert_eq!(
        line,
        r"*/5 * * * * /usr/local/bin/evenhand --quiet run --due '/etc/evenhand/100\% sure/it'\''s.toml' >/dev/null"
    );
    let minutely =
        crontab(&schedule("7 2 * * *", "UTC"), &Job { user: Some("audit"), log: Some("/var/log/e.log"), ..JOB });
    assert!(
        minutely
            .unwrap()
            .lines()
            .last()
            .unwrap()
            .starts_with("*/1 * * * * audit /usr/local/bin/evenhand --quiet run --due --log-file /var/log/e.log '")
    );
    assert!(crontab(&schedule("0 0 * * *", "UTC"), &Job { file: "/a\nb.toml", ..JOB }).is_err());
}

#[test]
fn a_calendar_event_says_what_the_pattern_says() {
    let calendars = |pattern: &str| calendars(&schedule(pattern, "Europe/Berlin"));
    assert_eq!(calendars("30 2 * * *"), ["*-*-* 02:30:00 Europe/Berlin"]);
    assert_eq!(calendars("*/20 9-17 * * mon-fri"), ["Mon,Tue,Wed,Thu,Fri *-*-* 09..17:00,20,40:00 Europe/Berlin"]);
    assert_eq!(calendars("0 0 1,15 * 7"), ["*-*-01,15 00:00:00 Europe/Berlin", "Sun *-*-* 00:00:00 Europe/Berlin"]);
    assert_eq!(calendars("5,6,7,9 1,2 28-31 1-3,12 *"), ["*-01..03,12-28..31 01,02:05..07,09:00 Europe/Berlin"]);
}

/// systemd reads the events; the times it will elapse at are those of the pattern. A clock that jumps is left out: systemd skips the hour.
#[test]
fn systemd_means_the_same_times() {
    for (pattern, zone) in [
        ("30 2 * * *", "UTC"),
        ("*/20 9-17 * * mon-fri", "Asia/Shanghai"),
        ("0 0 1,15 * *", "America/New_York"),
        ("17 4 29 2 *", "UTC"),
        ("0 12 * 6-8 sun", "Asia/Kathmandu"),
    ] {
        let schedule = schedule(pattern, zone);
        let [event] = &calendars(&schedule)[..] else { panic!("{pattern}") };
        let base = "2026-06-01 00:00:00 UTC";
        let said = Command::new("systemd-analyze")
            .args(["calendar", "--iterations=5", &format!("--base-time={base}"), event])
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .output()
            .expect("systemd-analyze is needed: apt-get install systemd");
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.success(), "{event}: {}", String::from_utf8_lossy(&said.stderr));
        let marks = ["Next elapse:", "Iter. #", "Iteration #"];
        let elapses: Vec<String> = text
            .lines()
            .filter(|line| marks.iter().any(|mark| line.trim_start().starts_with(mark)))
            .filter_map(|line| {
                let words: Vec<&str> = line.split_once(": ")?.1.split_whitespace().collect();
                Some(format!("{}T{}Z", words.get(1)?, words.get(2)?))
            })
            .collect();
        assert_eq!(elapses, times(&schedule, "2026-05-31T23:59:59Z", elapses.len()), "{event}\n{text}");
        assert!(elapses.len() >= 5, "{text}");
    }
}

/// The units of a job whose paths have all that means something in a unit, which systemd has no complaint about.
fn verified(job: &Job) -> Units {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("evenhand $1 5%n $HOME");
    std::fs::copy("/bin/true", &program).unwrap();
    let job = Job { program: program.to_str().unwrap(), ..job.clone() };
    let units = units(&schedule("*/20 9-17 * * mon-fri", "Europe/Berlin"), &job).unwrap();
    let paths = [("service", &units.service), ("timer", &units.timer)].map(|(kind, text)| {
        let path = folder.path().join(format!("{}.{kind}", units.name));
        std::fs::write(&path, text).unwrap();
        path
    });
    let said = Command::new("systemd-analyze").arg("verify").args(&paths).output().expect("systemd-analyze is needed");
    let complaints = String::from_utf8_lossy(&said.stderr).into_owned();
    // Other units of the machine may be complained about; ours are named.
    let ours: Vec<&str> = complaints.lines().filter(|line| line.contains(&units.name)).collect();
    assert!(ours.is_empty(), "{ours:?}");
    units
}

#[test]
fn the_units_pass_the_verification_of_systemd() {
    let units = verified(&Job {
        log: Some("/var/log/evenhand $lending.jsonl"),
        user: Some("root"),
        writes: &["/var/lib/node $exporter".to_string()],
        ..JOB
    });
    let service = &units.service;
    assert!(service.contains("ReadWritePaths=/var/lib/evenhand/reports \"/var/lib/node $exporter\"\n"), "{service}");
    // systemd puts variables into the words after the first.
    assert!(service.contains(" run --log-file \"/var/log/evenhand $$lending.jsonl\" "), "{service}");
    assert!(service.contains("/evenhand $1 5%%n $HOME\" run "), "{service}");
    assert!(service.contains("RestrictNamespaces=yes\n") && service.contains("~@privileged @resources\n"), "{service}");
    for program in ["/a'b", "/a\"b", "/a\\b", "/a\nb"] {
        assert!(super::units(&schedule("0 3 * * *", "UTC"), &Job { program, ..JOB }).is_err(), "{program:?}");
    }
    assert!(!service.contains("EnvironmentFile") && !service.contains("Chromium"), "{service}");
}

#[test]
fn chromium_may_make_its_sandbox() {
    let service = verified(&Job { pdf: true, ..JOB }).service;
    assert!(!service.contains("RestrictNamespaces") && !service.contains("~@"), "{service}");
    assert!(
        service.contains("# Chromium") && service.contains("SystemCallFilter=@system-service chroot\n"),
        "{service}"
    );
    // The rest is as strict as without it.
    let others = |text: &str| text.lines().filter(|line| !line.starts_with('#') && !line.contains("Filter=")).count();
    assert_eq!(others(&service), others(&verified(&JOB).service) - 1, "{service}");
}

#[test]
fn variables_come_from_a_file() {
    let job = Job { variables: &["HOOK_URL", "SMTP_PASSWORD"], ..JOB };
    let listed = "# /etc/evenhand/lending.env sets, one NAME=\"value\" a line, readable for the account only: HOOK_URL, SMTP_PASSWORD\n";
    let service = verified(&job).service;
    assert!(service.contains(&format!("{listed}EnvironmentFile=-/etc/evenhand/lending.env\n")), "{service}");
    let daily = schedule("0 3 * * *", "UTC");
    let text = crontab(&daily, &job).unwrap();
    assert!(text.contains(listed), "{text}");
    // What /bin/sh makes of the line, with the file elsewhere.
    let folder = tempfile::tempdir().unwrap();
    let (program, set) = (folder.path().join("evenhand"), folder.path().join("set.env"));
    std::fs::write(&program, "#!/bin/sh\nprintf '%s|%s' \"$HOOK_URL\" \"$SMTP_PASSWORD\" >&2\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let text = crontab(&daily, &Job { program: program.to_str().unwrap(), ..job.clone() }).unwrap();
    let line = text.lines().last().unwrap().strip_prefix("*/5 * * * * ").unwrap();
    let line = line.replace("/etc/evenhand/lending.env", set.to_str().unwrap());
    let said = || {
        let said = Command::new("/bin/sh").args(["-c", &line]).env_clear().output().unwrap();
        (said.status.success(), String::from_utf8_lossy(&said.stderr).into_owned())
    };
    assert_eq!(said(), (true, "|".into()), "without the file the audit is made");
    std::fs::write(&set, "HOOK_URL=\"https://h.example/a b\"\nSMTP_PASSWORD=\"p\"\n").unwrap();
    assert_eq!(said(), (true, "https://h.example/a b|p".into()));
    // A name of a pipeline that was never checked.
    let text = crontab(&daily, &Job { pipeline: "a b'; rm %", ..job.clone() }).unwrap();
    assert!(text.contains(r". '/etc/evenhand/a b'\''; rm \%.env'; "), "{text}");
    assert!(crontab(&daily, &Job { pipeline: "a\nb", ..job }).is_err());
}
