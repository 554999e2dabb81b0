//! `[report]`: a day that is one, a reviewer who is somebody else, texts that say something, a name that fits above the heading.

use jiff::civil::Date;

use super::Checker;

/// Longest name of a house and of a person or office.
const NAME_CHARS: usize = 60;

pub(super) fn check(checker: &mut Checker) {
    let report = &checker.spec.report;
    if let Some(day) = &report.decide_by {
        let path = ["report", "decide_by"];
        if day.len() != 10 || day.parse::<Date>().is_err() {
            let message = format!("{day:?} is no day");
            checker.error("bad-date", &path, message, "write it as YYYY-MM-DD, for example \"2026-12-31\"");
        } else if report.decider.is_none() {
            let message = "a day to decide by, and nobody who decides";
            checker.warning("no-decider", &path, message, "name who decides: decider = \"...\"");
        }
    }
    let names = [
        ("decider", &report.decider),
        ("prepared_by", &report.prepared_by),
        ("reviewed_by", &report.reviewed_by),
        ("brand", &report.brand),
    ];
    for (key, name) in names {
        let Some(name) = name else { continue };
        let path = ["report", key];
        if name.trim().is_empty() {
            checker.error("empty-text", &path, format!("`report.{key}` is empty"), "name somebody, or leave it out");
        } else if name.chars().count() > NAME_CHARS {
            let message = format!("`report.{key}` has more than {NAME_CHARS} characters; the page would cut it");
            checker.error("long-text", &path, message, "shorten it");
        }
    }
    if report.reviewed_by.is_some() && report.reviewed_by == report.prepared_by {
        let message = "who prepared the report also reviewed it: that is no independent review";
        checker.warning("same-reviewer", &["report", "reviewed_by"], message, "name somebody else, or leave it out");
    }
    for (i, text) in report.limitations.iter().enumerate().filter(|(_, text)| text.trim().is_empty()) {
        let path = ["report", "limitations", &i.to_string()];
        checker.error(
            "empty-text",
            &path,
            format!("limitation {} is empty: {text:?}", i + 1),
            "say it, or leave it out",
        );
    }
}
