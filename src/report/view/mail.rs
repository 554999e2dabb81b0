//! A mail as finished texts: the verdict, three numbers, the three most severe findings, what changed, where the report is.
//!
//! Every text is of one line and without control or direction characters, because the plain form of a mail escapes nothing.

use serde::Serialize;

use super::findings::{severity, waived};
use super::gates::{self, Criterion};
use super::words::{self, Badge, Shown};
use super::{Caps, Names, changes, count};
use crate::audit::Edition;
use crate::finding::{Outcome, Verdict};
use crate::plan::spec::{Level, On};
use crate::report::document::{Finding, Report, Run};
use crate::report::language::text;

/// Findings of a mail, and runs of a digest.
const FINDINGS_MAX: usize = 3;
const RUNS_MAX: usize = 14;
/// Characters of the longest sentence from outside: a line on a small screen.
const LINE_CHARS: usize = 240;
const TITLE_CHARS: usize = 100;

/// Why a mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Of this run.
    Run,
    /// Of the runs since the last digest, this one the last of them.
    Digest { runs: Vec<Past> },
    /// Nothing was sent for a while; the day of the last mail.
    Quiet { since: Option<String> },
}

/// A run before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub run_id: String,
    pub outcome: Outcome,
    /// ISO 8601.
    pub day: String,
}

/// What a mail says besides the two documents of its run.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    pub notice: Notice,
    /// What the rule is for.
    pub on: &'a [On],
    /// Address below which the run folders can be read.
    pub link: Option<&'a str>,
    /// A PDF was asked for, and whether it is there.
    pub pdf: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
pub struct MailView {
    pub lang: String,
    pub subject: String,
    /// Colour and word of the outcome.
    pub verdict: Badge,
    pub colour: &'static str,
    pub title: String,
    /// Why this outcome, in one sentence; shown beside the subject by mail programs.
    pub sentence: String,
    /// Why a mail without news is sent; empty otherwise.
    pub quiet: String,
    pub counts: Counts,
    pub tiles: Vec<Tile>,
    pub findings: Vec<Line>,
    /// How many findings are not in the mail.
    pub more: String,
    /// Runs of a digest, the latest first.
    pub runs: Vec<Line>,
    pub runs_more: String,
    pub changed: String,
    /// What the picture shows; empty where there is none.
    pub alt: String,
    /// The same with the shapes it has.
    pub legend: String,
    pub marks: Vec<&'static str>,
    /// Where the report is; empty when nowhere is known.
    pub link: String,
    pub pdf: String,
    pub edition: String,
    pub run_id: String,
    pub sha256: String,
    pub why: String,
    pub stop: String,
}

/// A number with its unit.
#[derive(Debug, Clone, Serialize)]
pub struct Tile {
    pub value: String,
    pub label: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub badge: Badge,
    pub colour: &'static str,
    pub text: String,
}

/// Says everything a mail says.
pub fn mail(report: &Report, run: &Run, sha256: &str, frame: &Frame) -> MailView {
    let criteria = gates::criteria(report);
    let (kind, word) = outcome(report.outcome);
    let title = if report.pipeline.title.trim().is_empty() { &report.pipeline.name } else { &report.pipeline.title };
    let (findings, more) = findings(report);
    let (runs, runs_more) = runs(&frame.notice);
    let (alt, legend) = tally(&criteria);
    MailView {
        lang: text!("page-lang"),
        subject: subject(report, run, &criteria, frame),
        verdict: Badge::new(kind, text!(&format!("mail-outcome-{kind}"), word = word)),
        colour: colour(kind),
        title: crate::report::svg::cut(&line(title), TITLE_CHARS),
        sentence: gates::sentence(report, &criteria),
        quiet: quiet(&frame.notice),
        counts: counts(&criteria),
        tiles: tiles(run, &criteria),
        findings,
        more,
        runs,
        runs_more,
        changed: changed(report, run),
        alt,
        legend,
        marks: marks(&criteria),
        link: frame.link.map(|base| link(base, run)).unwrap_or_default(),
        pdf: match frame.pdf {
            None => String::new(),
            Some(true) => text!("mail-pdf"),
            Some(false) => text!("mail-no-pdf"),
        },
        edition: match run.edition {
            None => String::new(),
            Some(Edition::Public) => text!("mail-edition-public"),
            Some(Edition::Internal) => text!("mail-edition-internal"),
        },
        run_id: line(&run.run_id),
        sha256: sha256.into(),
        why: text!("mail-why-you", name = line(&report.pipeline.name), on = on(frame.on)),
        stop: match report.pipeline.owner.trim().is_empty() {
            true => text!("mail-stop"),
            false => text!("mail-stop-owner", name = name(&report.pipeline.owner)),
        },
    }
}

/// A text from outside as one line: no control characters, no line or paragraph separators, no characters that turn the direction.
pub fn line(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let space = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let plain: String =
        text.chars().filter(|c| !turns(*c)).map(|c| if space(c) { ' ' } else { c }).take(LINE_CHARS * 4).collect();
    crate::report::svg::cut(plain.trim(), LINE_CHARS)
}

fn name(text: &str) -> String {
    words::name(&line(text))
}

/// Kind and word of an outcome. The word is the same in every language: mail programs sort by it.
pub fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Pass => ("pass", "PASS"),
        Outcome::Warn => ("warn", "WARN"),
        Outcome::Fail => ("fail", "FAIL"),
        Outcome::Inconclusive => ("inconclusive", "INCONCLUSIVE"),
    }
}

/// Of a verdict or outcome; at least 4.5:1 on white, apart also for eyes that do not tell red from green.
pub fn colour(kind: &str) -> &'static str {
    match kind {
        "fail" | "breached" => "#6e0b14",
        "warn" => "#8f5500",
        "pass" | "met" => "#0b6bb8",
        _ => "#666666",
    }
}

/// What a mail counts of the criteria.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Counts {
    pub all: usize,
    pub evaluated: usize,
    /// Of level deny, neither met nor waived.
    pub blocking: usize,
    /// The same of level warn.
    pub warnings: usize,
}

pub fn counts(criteria: &[Criterion]) -> Counts {
    Counts {
        all: criteria.len(),
        evaluated: criteria.iter().filter(|criterion| criterion.evaluated()).count(),
        blocking: open(criteria, Level::Deny),
        warnings: open(criteria, Level::Warn),
    }
}

/// Criteria of a level that are not met and that no waiver covers.
fn open(criteria: &[Criterion], level: Level) -> usize {
    let open = |criterion: &&Criterion| {
        criterion.gate.level == level
            && criterion.worst().is_none_or(|worst| worst.verdict != Verdict::Met && !waived(worst))
    };
    criteria.iter().filter(open).count()
}

fn subject(report: &Report, run: &Run, criteria: &[Criterion], frame: &Frame) -> String {
    let notes = report.findings.iter().filter(|finding| finding.gate.is_none()).count();
    let Counts { all, evaluated, blocking, warnings } = counts(criteria);
    let mut parts = Vec::new();
    match &frame.notice {
        Notice::Run => {
            parts.extend((blocking > 0).then(|| text!("mail-blocking", n = blocking)));
            parts.extend((warnings > 0).then(|| text!("mail-warnings", n = warnings)));
            parts.extend((notes > 0 && report.outcome == Outcome::Warn).then(|| text!("mail-notes", n = notes)));
            if parts.is_empty() {
                parts.push(text!("criteria-evaluated", n = evaluated, of = all));
            }
        }
        Notice::Digest { runs } => {
            let bad = |past: &&Past| matches!(past.outcome, Outcome::Fail | Outcome::Inconclusive);
            parts.push(text!("mail-digest", n = runs.len(), of = runs.iter().filter(bad).count()));
        }
        Notice::Quiet { .. } => parts.push(text!("mail-nothing-new")),
    }
    let listed = parts.into_iter().reduce(|first, rest| text!("mail-list", first = first, rest = rest));
    text!(
        "mail-subject",
        word = outcome(report.outcome).1,
        name = name(&report.pipeline.name),
        value = listed.unwrap_or_default(),
        day = name(run.finished_at.get(..10).unwrap_or_default()),
    )
}

fn quiet(notice: &Notice) -> String {
    match notice {
        Notice::Quiet { since: Some(day) } => text!("mail-quiet-since", day = words::day(&line(day))),
        Notice::Quiet { since: None } => text!("mail-quiet"),
        Notice::Run | Notice::Digest { .. } => String::new(),
    }
}

fn tiles(run: &Run, criteria: &[Criterion]) -> Vec<Tile> {
    let Counts { all, evaluated, blocking, .. } = counts(criteria);
    let of = |n: usize| count(i64::try_from(n).unwrap_or(i64::MAX));
    let mut tiles = vec![
        Tile { value: format!("{} / {}", of(evaluated), of(all)), label: text!("mail-tile-evaluated") },
        Tile { value: of(blocking), label: text!("mail-tile-blocking") },
    ];
    if let Some(ledger) = &run.ledger {
        let (spent, granted) = (ledger.epsilon_spent, ledger.epsilon_granted);
        // Rounded down: a budget never looks larger than it is.
        let left = ((granted - spent).max(0.0) * 1e4).floor() / 1e4;
        tiles.push(Tile { value: format!("{left}"), label: text!("mail-tile-budget", granted = format!("{granted}")) });
    }
    tiles
}

/// Findings that are not met and that no waiver covers, most severe first.
fn unmet(report: &Report) -> Vec<&Finding> {
    let mut unmet: Vec<&Finding> = report.findings.iter().filter(|f| f.verdict != Verdict::Met && !waived(f)).collect();
    unmet.sort_by_key(|finding| severity(finding));
    unmet
}

/// Those that a mail has room for.
pub fn shown(report: &Report) -> impl Iterator<Item = &Finding> {
    unmet(report).into_iter().take(FINDINGS_MAX)
}

fn findings(report: &Report) -> (Vec<Line>, String) {
    let names = Names::of(report);
    let more = match unmet(report).len().saturating_sub(FINDINGS_MAX) {
        0 => String::new(),
        n => text!("mail-more", n = n),
    };
    (shown(report).map(|finding| of(finding, &names)).collect(), more)
}

fn of(finding: &Finding, names: &Names) -> Line {
    let Some(gate) = &finding.gate else {
        let badge = Badge::new("warn", text!("badge-note"));
        return Line { badge, colour: colour("warn"), text: line(&words::capitalised(&words::prose(&finding.reason))) };
    };
    let metric = name(&names.metric(&gate.metric));
    let what = match gate.compare {
        Some(_) => text!("mail-compared", name = metric, value = words::comparison(gate.compare, gate.against)),
        None => metric,
    };
    let value = finding.measured.as_ref().map(Shown::of);
    let value = match value {
        // An interval is not broken over two lines.
        Some(shown) if shown.estimated => format!("{} {}", shown.point, shown.interval.replace(' ', "\u{a0}")),
        Some(shown) => shown.point,
        None => text!("mail-not-measured"),
    };
    let badge = words::badge(finding.verdict, false);
    let text =
        text!("mail-finding", what = what, who = who(finding, names), value = value, limit = words::limit(gate),);
    Line { colour: colour(badge.kind), badge, text }
}

/// The cohort a finding is about.
fn who(finding: &Finding, names: &Names) -> String {
    let across = finding.gate.as_ref().map(|gate| gate.across.join(" × ")).unwrap_or_default();
    let levels = finding.cohort.pairs.iter().map(|(attribute, level)| format!("{attribute} = {level}"));
    let cohort = name(&levels.collect::<Vec<_>>().join(", "));
    let other = finding.gate.as_ref().and_then(|gate| names.other(gate, &finding.cohort));
    match (finding.cohort.pairs.is_empty(), across.is_empty(), other) {
        (true, true, _) => text!("everyone-together"),
        (true, false, _) => text!("mail-across", name = name(&across)),
        (false, _, Some(other)) if !other.pairs.is_empty() => {
            text!("mail-compared-with", name = cohort, value = name(&other.levels()))
        }
        (false, ..) => cohort,
    }
}

fn runs(notice: &Notice) -> (Vec<Line>, String) {
    let Notice::Digest { runs } = notice else { return (Vec::new(), String::new()) };
    let of = |past: &Past| {
        let (kind, word) = outcome(past.outcome);
        let text = text!("mail-digest-run", day = words::day(&line(&past.day)), run = name(&past.run_id));
        Line { badge: Badge::new(kind, word.into()), colour: colour(kind), text }
    };
    let more = match runs.len().saturating_sub(RUNS_MAX) {
        0 => String::new(),
        n => text!("mail-more-runs", n = n),
    };
    (runs.iter().take(RUNS_MAX).map(of).collect(), more)
}

/// How the run before ended; new, fixed and still open findings where they are known.
fn changed(report: &Report, run: &Run) -> String {
    let outcomes = match &run.previous {
        None => text!("mail-first"),
        Some(before) if before.outcome == report.outcome => {
            text!("mail-as-before", run = name(&before.run_id), was = gates::word(before.outcome))
        }
        Some(before) => text!(
            "mail-before",
            run = name(&before.run_id),
            was = gates::word(before.outcome),
            now = gates::word(report.outcome),
        ),
    };
    match changes::section(run, &Names::of(report), &Caps::FULL) {
        None => outcomes,
        Some(section) => text!("mail-list-of-two", first = outcomes, rest = section.line),
    }
}

/// The verdict of every criterion, worst first.
fn marks(criteria: &[Criterion]) -> Vec<&'static str> {
    let mut worst: Vec<&Finding> = criteria.iter().filter_map(Criterion::worst).collect();
    worst.sort_by_key(|finding| severity(finding));
    worst.iter().map(|finding| words::badge(finding.verdict, waived(finding)).kind).collect()
}

/// How many criteria have each verdict: without shapes, and with those of the picture. Empty without a criterion.
fn tally(criteria: &[Criterion]) -> (String, String) {
    let marks = marks(criteria);
    if marks.is_empty() {
        return (String::new(), String::new());
    }
    let of = |kind: &str| marks.iter().filter(|mark| **mark == kind).count();
    let (breached, undetermined, unmeasured) = (of("breached"), of("undetermined"), of("not-measured"));
    let (met, waived) = (of("met"), of("waived"));
    let alt = text!(
        "mail-alt",
        breached = breached,
        undetermined = undetermined,
        unmeasured = unmeasured,
        met = met,
        waived = waived,
    );
    let legend = text!(
        "mail-marks",
        breached = breached,
        undetermined = undetermined,
        unmeasured = unmeasured,
        met = met,
        waived = waived,
    );
    (alt, legend)
}

fn on(on: &[On]) -> String {
    on.iter().map(|on| on.word()).collect::<Vec<_>>().join(", ")
}

/// `BASE/PIPELINE/RUN/report.html`; empty for a base that is no address of the web.
fn link(base: &str, run: &Run) -> String {
    let base = line(base);
    if !(base.starts_with("https://") || base.starts_with("http://")) {
        return String::new();
    }
    let internal = if run.edition == Some(Edition::Internal) { ".internal" } else { "" };
    let folder = format!("{}{internal}", run.pipeline);
    format!("{}/{}/{}/report.html", base.trim_end_matches('/'), encoded(&folder), encoded(&run.run_id))
}

/// A part of a path in a URL (RFC 3986, section 2.3): unreserved characters as they are.
fn encoded(part: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    part.bytes().map(byte).collect()
}
