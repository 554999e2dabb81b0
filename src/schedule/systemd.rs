//! Units for systemd: a service that runs the pipeline once, and the timer that starts it (systemd.service(5), systemd.timer(5), systemd.time(7)).
//!
//! systemd knows time zones and makes up for a missed run itself (`Persistent`). A day in cron matches by day of month or by weekday where both
//! are restricted; one `OnCalendar` means both, so there are two then.

use super::{Job, Schedule};

/// The two files, by the name they are installed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    pub name: String,
    pub service: String,
    pub timer: String,
}

/// What the service may still do: read everything, write its folders, talk to the network for mail.
const HARDENING: &str = "\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
UMask=0077
";

const CALLS: &str = "\
RestrictNamespaces=yes
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
";

/// Chromium makes namespaces, a root of its own and limits for the processes that read the page; without these calls it is killed.
const CALLS_PDF: &str = "\
# Chromium, which makes the PDF, shuts itself in: that takes namespaces, chroot and the calls of @privileged and @resources.
SystemCallFilter=@system-service chroot
";

/// The units of a pipeline. Errors: a path with a control character or a program with a quote, a user that is no account.
pub fn units(schedule: &Schedule, job: &Job) -> Result<Units, String> {
    if job.program.contains(['"', '\'', '\\']) {
        return Err(format!(
            "{:?}: systemd starts no program with a quote or a backslash in its path; rename it",
            job.program
        ));
    }
    let mut command = vec![quoted(job.program)?, "run".into()];
    if let Some(log) = job.log {
        command.extend(["--log-file".into(), argument(log)?]);
    }
    command.push(argument(job.file)?);
    let environment =
        job.environment().map(|(path, comment)| format!("{comment}EnvironmentFile=-{}\n", specifiers(&path)));
    let environment = environment.unwrap_or_default();
    let calls = if job.pdf { CALLS_PDF } else { CALLS };
    let mut writes = vec![quoted(job.reports)?];
    for path in job.writes {
        writes.push(quoted(path)?);
    }
    let user = job.account()?.map(|user| format!("User={user}\n")).unwrap_or_default();
    let service = format!(
        "[Unit]\nDescription=evenhand audit {}\nAfter=network-online.target\nWants=network-online.target\n\n\
         [Service]\nType=oneshot\n{user}ExecStart={}\nWorkingDirectory=/\nEnvironment=LANG=C.UTF-8 TZ=UTC\n{environment}\
         # A run at work is left alone.\nSuccessExitStatus=75\nTimeoutStartSec=infinity\nNice=10\n# These folders must be there before the first start.\nReadWritePaths={}\n{HARDENING}{calls}",
        specifiers(job.pipeline),
        command.join(" "),
        writes.join(" "),
    );
    let calendars: String = calendars(schedule).iter().map(|calendar| format!("OnCalendar={calendar}\n")).collect();
    let timer = format!(
        "[Unit]\nDescription=evenhand audit {}, {} {}\n\n\
         [Timer]\n{calendars}Persistent=true\nRandomizedDelaySec=60\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n",
        specifiers(job.pipeline),
        schedule.pattern(),
        schedule.zone_name(),
    );
    Ok(Units { name: format!("evenhand-{}", job.pipeline), service, timer })
}

/// The pattern as calendar events, which elapse at the same times together.
pub fn calendars(schedule: &Schedule) -> Vec<String> {
    let [minutes, hours, days, months, weekdays] = schedule.fields();
    let zone = schedule.zone_name();
    let time = format!("{}:{}:00", numbers(&hours, 0, 23), numbers(&minutes, 0, 59));
    let months = numbers(&months, 1, 12);
    let pattern = &schedule.cron.pattern;
    let weekday_names = (!pattern.is_dow_wildcard()).then(|| {
        // Monday first, as systemd has it.
        let mut of: Vec<u16> = weekdays.iter().map(|day| (day + 6) % 7).collect();
        of.sort_unstable();
        of.iter().map(|day| WEEKDAYS[usize::from(*day) % 7]).collect::<Vec<_>>().join(",")
    });
    let by_day = format!("*-{months}-{} {time} {zone}", numbers(&days, 1, 31));
    match (weekday_names, pattern.is_dom_wildcard()) {
        (None, _) => vec![by_day],
        (Some(names), true) => vec![format!("{names} *-{months}-* {time} {zone}")],
        (Some(names), false) => vec![by_day, format!("{names} *-{months}-* {time} {zone}")],
    }
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `*` when all of a range are there, else the numbers, runs of three or more as `a..b`.
fn numbers(of: &[u16], first: u16, last: u16) -> String {
    if of.len() == usize::from(last - first) + 1 {
        return "*".into();
    }
    let mut parts = Vec::new();
    let mut rest = of;
    while let [start, ..] = rest {
        let run = rest.iter().zip(*start..).take_while(|(number, expected)| *number == expected).count();
        match run {
            0..=2 => {
                parts.push(format!("{start:02}"));
                rest = &rest[1..];
            }
            run => {
                parts.push(format!("{start:02}..{:02}", rest[run - 1]));
                rest = &rest[run..];
            }
        }
    }
    parts.join(",")
}

/// A word of a command line after the first: systemd puts variables there, so `$` is written twice.
fn argument(word: &str) -> Result<String, String> {
    quoted(&word.replace('$', "$$"))
}

/// A word in a unit: quoted, with `%` as itself. `$` is itself in paths and in the first word of a command line.
fn quoted(word: &str) -> Result<String, String> {
    if word.chars().any(char::is_control) {
        return Err(format!("{word:?} has a control character, which no unit can hold; rename it"));
    }
    let word = specifiers(word);
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=%$".contains(c);
    match !word.is_empty() && word.chars().all(safe) {
        true => Ok(word),
        false => Ok(format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))),
    }
}

/// `%` begins a specifier everywhere in a unit.
fn specifiers(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect::<String>().replace('%', "%%")
}
