//! `[schedule]`: a pattern that is one, a zone that is known, a run that is not late before it can have begun.

use super::Checker;
use crate::schedule::{Schedule, zone};

/// Minutes within which cron and systemd start a run that is due.
const LATE_AFTER_MIN_MIN: u32 = 10;

pub(super) fn check(checker: &mut Checker) {
    let Some(section) = &checker.spec.schedule else { return };
    // Both are told at once.
    if let Err(e) = zone(&section.time_zone) {
        let remedy = "write a name such as \"Europe/Berlin\" or \"Asia/Shanghai\"; leave it out for UTC";
        checker.error("unknown-time-zone", &["schedule", "time_zone"], e.to_string(), remedy);
    }
    if let Err(e) = Schedule::of(&section.cron, "UTC") {
        let remedy = "write five fields, such as \"30 2 * * 1-5\" for 02:30 on weekdays";
        checker.error("bad-schedule", &["schedule", "cron"], e.to_string(), remedy);
    }
    if section.late_after_min < LATE_AFTER_MIN_MIN {
        let message = format!("a run that is due may begin some minutes later; {LATE_AFTER_MIN_MIN} are the least");
        checker.error("bad-late-after", &["schedule", "late_after_min"], message, "leave it out for 60");
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::check::{Complaint, check};

    const CLEAN: &str = "[pipeline]\nname = \"p\"\n[ingest]\npath = \"x.csv\"\n[schema]\n\
        sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\n\
        hired = { roles = [\"prediction\"], levels = [\"0\", \"1\"], positive = \"1\" }\n\
        [schedule]\ncron = \"30 2 * * 1-5\"\ntime_zone = \"Europe/Berlin\"\nlate_after_min = 30\n";

    fn complaints(text: &str) -> Vec<Complaint> {
        check(("p.toml", text), None, None, &crate::plan::check::sql).1
    }

    #[test]
    fn each_complaint_points_at_its_words() {
        let before: Vec<&str> = complaints(CLEAN).iter().map(|complaint| complaint.code).collect();
        for (from, to, code) in [
            ("30 2 * * 1-5", "30 2 * *", "bad-schedule"),
            ("30 2 * * 1-5", "0 0 31 2 *", "bad-schedule"),
            ("Europe/Berlin", "Europe/Nowhere", "unknown-time-zone"),
            ("= 30", "= 5", "bad-late-after"),
        ] {
            let text = CLEAN.replace(from, to);
            let found = complaints(&text);
            let mine =
                found.iter().find(|complaint| complaint.code == code).unwrap_or_else(|| panic!("{code}: {found:?}"));
            assert!(text[mine.at.clone()].contains(to.trim_start_matches("= ")), "{mine:?}");
            assert_eq!(found.len(), before.len() + 1, "{found:?}");
        }
        let both = complaints(&CLEAN.replace("30 2 * * 1-5", "60 2 * * *").replace("Europe/Berlin", "Europe/Nowhere"));
        for code in ["bad-schedule", "unknown-time-zone"] {
            assert!(both.iter().any(|complaint| complaint.code == code), "{code}: {both:?}");
        }
    }
}
