//! Due times asked for at fixed times, beside a lock that is held and a clock that was wrong.

use super::*;
use crate::plan::check;

const PIPELINE: &str = "[pipeline]\nname = \"p\"\n[ingest]\npath = \"x.csv\"\n[schema]\n\
    sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\n\
    hired = { roles = [\"prediction\"], levels = [\"0\", \"1\"], positive = \"1\" }\n\
    [report]\nfolder = \"reports\"\n[schedule]\ncron = \"0 3 * * *\"\n";

fn spec() -> Spec {
    check::check(("p.toml", PIPELINE), None, None, &check::sql).0.unwrap()
}

fn asked(folder: &std::path::Path, at: &str) -> Result<Asked, (u8, String)> {
    ask(&spec(), folder, Clock::Fixed(at.parse().unwrap()))
}

/// The due time that is claimed at this time; none when there is nothing to do.
fn claimed(folder: &std::path::Path, at: &str) -> Option<String> {
    match asked(folder, at).unwrap() {
        Asked::Run(claimed) => Some(claimed.due_at.clone()),
        Asked::Wait(_) => None,
        Asked::Busy(why) => panic!("{why}"),
    }
}

#[test]
fn a_due_time_is_claimed_only_under_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(claimed(folder, "2026-11-25T12:00:00Z"), None);
    let other = crate::run::lock(&spec(), folder).unwrap();
    for at in ["2026-11-26T03:00:00Z", "2026-11-26T03:05:00Z"] {
        assert!(matches!(asked(folder, at), Ok(Asked::Busy(why)) if why.contains("another run")));
    }
    drop(other);
    let Ok(Asked::Run(mine)) = asked(folder, "2026-11-26T03:10:00Z") else { panic!("it stayed due") };
    assert_eq!(mine.due_at, "2026-11-26T03:00:00Z");
    assert!(crate::run::lock(&spec(), folder).is_err(), "the lock is held until the end is noted");
    mine.ended(3);
    assert!(crate::run::lock(&spec(), folder).is_ok());
    // A run that did not finish is not tried again.
    assert_eq!(claimed(folder, "2026-11-26T03:15:00Z"), None);
}

#[test]
fn a_clock_that_was_wrong_once_silences_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(claimed(folder, "2026-11-25T12:00:00Z"), None);
    // Years ahead: due times up to then are noted as missed.
    assert_eq!(claimed(folder, "2028-01-01T12:00:00Z").as_deref(), Some("2028-01-01T03:00:00Z"));
    assert_eq!(claimed(folder, "2026-11-25T12:05:00Z"), None);
    for day in ["2026-11-26", "2026-11-27"] {
        assert_eq!(claimed(folder, &format!("{day}T02:59:59Z")), None);
        let at = format!("{day}T03:00:01Z");
        assert_eq!(claimed(folder, &at), Some(format!("{day}T03:00:00.0Z")), "due as if nothing had been noted");
        assert_eq!(claimed(folder, &at), None, "and once");
        assert_eq!(claimed(folder, &format!("{day}T23:00:00Z")), None);
    }
    // A step back of some seconds makes no second run.
    assert_eq!(claimed(folder, "2029-01-01T03:00:05Z").as_deref(), Some("2029-01-01T03:00:00Z"));
    assert_eq!(claimed(folder, "2029-01-01T03:00:01Z"), None);
    assert_eq!(claimed(folder, "2029-01-01T02:59:58Z"), None);
    assert_eq!(claimed(folder, "2029-01-01T03:00:00Z"), None);
}

#[test]
fn a_store_that_cannot_be_opened_is_no_fault_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("reports")).unwrap();
    std::fs::write(folder.path().join("reports").join(FILE), "this is no store of runs".repeat(100)).unwrap();
    let (code, why) = asked(folder.path(), "2026-11-25T12:00:00Z").map(|_| ()).unwrap_err();
    assert!(code == UNFINISHED && why.contains(FILE), "{code} {why}");
}
