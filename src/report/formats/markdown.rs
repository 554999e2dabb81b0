//! A summary in Markdown (GitHub's dialect) for a pull request: the verdict, the criteria, what is not met.

use crate::report::document::{Report, Run};
use crate::report::language::text;
use crate::report::sha256;
use crate::report::view::{self, Caps, Names};

/// Findings listed; a comment on a pull request holds 65,536 characters.
const FINDINGS_MAX: usize = 20;

pub fn markdown(report: &Report, run: &Run) -> String {
    let names = Names::of(report);
    let caps = Caps { findings: FINDINGS_MAX, ..Caps::FULL };
    let verdict = view::verdict(report, run, &names);
    let findings = view::findings(report, &view::Beside { names: &names, report, run, sets: &[] }, &caps);
    let mut lines = vec![
        format!("## {}: {}", plain(&verdict.word), plain(&view::title(report))),
        String::new(),
        plain(&verdict.sentence),
        String::new(),
        plain(&verdict.evaluated),
        String::new(),
    ];
    if !findings.open.is_empty() {
        let heads = ["verdict", "finding", "measured", "limit"].map(|head| text!(&format!("markdown-{head}")));
        lines.push(format!("| {} |", heads.join(" | ")));
        lines.push("|---|---|---|---|".into());
        for card in &findings.open {
            let title = [&card.title, &card.cohort].map(|text| plain(text)).join("<br>");
            let value = format!("{} {}", plain(&card.value.point), plain(&card.value.interval));
            lines.push(format!(
                "| {} ({}) | {title} | {} | {} |",
                plain(&card.badge.word),
                plain(&card.level),
                value.trim(),
                plain(&card.limit)
            ));
        }
        lines.push(String::new());
    }
    if !findings.more.is_empty() {
        lines.extend([plain(&findings.more), String::new()]);
    }
    lines.push(text!("markdown-run", id = plain(&run.run_id), digest = sha256_of(run)));
    lines.join("\n") + "\n"
}

/// Of report.json, as the run recorded it.
fn sha256_of(run: &Run) -> String {
    let file = run.files.iter().find(|file| file.name == "report.json");
    file.map_or_else(|| sha256(b""), |file| file.sha256.clone())
}

/// A text that Markdown and HTML take for nothing else, on one line; a name after @ is nobody's account.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '@' => plain.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' => plain.extend(['\\', c]),
            // An override of direction would reach beyond its cell.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
