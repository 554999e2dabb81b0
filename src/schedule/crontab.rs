//! A line for crontab(5).
//!
//! cron knows one time zone, that of the machine, and Debian's cron takes `CRON_TZ` for a variable of the job. So the line does not hold the
//! pattern: it asks every five minutes whether the pipeline is due in its own zone (`run --due`), which is also what makes up for a run
//! missed while the machine was off. Nothing is printed when it is not.

use super::{Job, Schedule, plain};

/// Minutes between two questions.
const EVERY_MIN: u32 = 5;

/// The text to put into a crontab; with a user it is for /etc/cron.d. Errors: a path with a control character, a user that is no account.
pub fn crontab(schedule: &Schedule, job: &Job) -> Result<String, String> {
    let minutes = step(schedule);
    let mut command = vec![quoted(job.program)?, "--quiet".into(), "run".into(), "--due".into()];
    if let Some(log) = job.log {
        command.extend(["--log-file".into(), quoted(log)?]);
    }
    command.push(quoted(job.file)?);
    // cron mails what is printed: the result is in the report and in its own mail, errors remain.
    command.push(">/dev/null".into());
    let (mut variables, mut set) = (String::new(), String::new());
    if let Some((path, comment)) = job.environment() {
        let path = quoted(&path)?;
        // A file that is not there sets nothing: the audit is made all the same, and says what it could not do.
        (variables, set) = (comment, format!("set -a; [ ! -e {path} ] || . {path}; set +a; "));
    }
    let user = job.account()?.map(|user| format!("{user} ")).unwrap_or_default();
    Ok(format!(
        "# {} is due at {} ({}): minute hour day month weekday.\n\
         # cron asks every {minutes} min; evenhand knows the time zone and whether a run was missed. A run at work is left alone (exit 75).\n\
         {variables}SHELL=/bin/sh\nPATH=/usr/bin:/bin\nLANG=C.UTF-8\n\
         */{minutes} * * * * {user}{set}{}\n",
        plain(job.pipeline),
        schedule.pattern(),
        schedule.zone_name(),
        command.join(" "),
    ))
}

/// A pattern that is due more often is asked for every minute.
fn step(schedule: &Schedule) -> u32 {
    let [minutes, ..] = schedule.fields();
    if minutes.iter().all(|minute| u32::from(*minute) % EVERY_MIN == 0) { EVERY_MIN } else { 1 }
}

/// A word for /bin/sh within a crontab: cron turns % into the end of the line, and a line cannot be continued.
fn quoted(word: &str) -> Result<String, String> {
    if word.chars().any(char::is_control) {
        return Err(format!("{word:?} has a control character, which no crontab can hold; rename it"));
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=".contains(c);
    match !word.is_empty() && word.chars().all(safe) {
        true => Ok(word.into()),
        false => Ok(format!("'{}'", word.replace('\'', "'\\''").replace('%', "\\%"))),
    }
}
