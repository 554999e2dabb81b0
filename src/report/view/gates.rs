//! Verdict, findings and criteria.
//!
//! A criterion is one line of the pipeline file on one set of attributes; its verdict is the worst of the values it judged that no waiver
//! covers. It is evaluated when that is `met` or `breached`: the other two say that the data did not decide.

use serde::Serialize;

use super::words::{self, Badge, Shown};
use super::{Caps, Fact, Names, fact};
use crate::finding::{Outcome, Verdict as Judged};
use crate::plan::spec::Level;
use crate::report::document::{Finding, Gate, Report, Run};
use crate::report::language::text;

#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub kind: &'static str,
    pub word: &'static str,
    pub sentence: String,
    /// `11 of 14 criteria evaluated`.
    pub evaluated: String,
    pub counts: Vec<Count>,
    pub facts: Vec<Fact>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Count {
    pub kind: &'static str,
    pub n: String,
    pub word: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    pub intro: String,
    /// Findings that are not met, most severe first.
    pub open: Vec<Card>,
    pub waived: Vec<Card>,
    pub met: Vec<Card>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Card {
    pub badge: Badge,
    /// False for a note: a finding about the pipeline file, such as a waiver that ended.
    pub judged_by_gate: bool,
    pub level: String,
    pub title: String,
    pub cohort: String,
    pub code: String,
    pub value: Shown,
    pub judged: String,
    pub limit: String,
    pub reason: String,
    pub waiver: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    pub rows: Vec<Row>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub badge: Badge,
    pub metric: String,
    pub judged: String,
    pub across: String,
    pub limit: String,
    pub level: String,
    /// The cohort and value behind the verdict.
    pub cohort: String,
    pub value: Shown,
    /// `3 met, 1 breached`.
    pub tally: String,
    pub reason: String,
}

/// A criterion and the findings it led to.
pub struct Criterion<'a> {
    pub gate: &'a Gate,
    pub findings: Vec<&'a Finding>,
}

impl Criterion<'_> {
    /// The worst finding that no waiver covers; of waived ones the worst.
    fn worst(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .copied()
            .max_by_key(|finding| (!waived(finding), finding.verdict, std::cmp::Reverse(&finding.cohort)))
    }

    fn evaluated(&self) -> bool {
        self.worst().is_some_and(|worst| matches!(worst.verdict, Judged::Met | Judged::Breached))
    }
}

/// Criteria in the order of their first finding.
pub fn criteria(report: &Report) -> Vec<Criterion<'_>> {
    let mut criteria: Vec<Criterion> = Vec::new();
    let mut known: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for finding in &report.findings {
        let Some(gate) = &finding.gate else { continue };
        let at = *known.entry(format!("{gate:?}")).or_insert_with(|| {
            criteria.push(Criterion { gate, findings: Vec::new() });
            criteria.len() - 1
        });
        criteria[at].findings.push(finding);
    }
    criteria
}

pub fn verdict(report: &Report, run: &Run) -> Verdict {
    let criteria = criteria(report);
    let (kind, word) = outcome(report.outcome);
    let worst = |criterion: &Criterion| criterion.worst().map(|worst| (worst.verdict, waived(worst)));
    let of = |verdict: Judged| criteria.iter().filter(|criterion| worst(criterion) == Some((verdict, false))).count();
    let covered = criteria.iter().filter(|criterion| worst(criterion).is_some_and(|(_, waived)| waived)).count();
    let evaluated = criteria.iter().filter(|criterion| criterion.evaluated()).count();
    let number = |kind, n: usize, word| Count { kind, n: words::count(n as i64), word };
    let mut counts = vec![
        number("breached", of(Judged::Breached), "breached"),
        number("undetermined", of(Judged::Undetermined), "undetermined"),
        number("not-measured", of(Judged::NotMeasured), "not measured"),
        number("met", of(Judged::Met), "met"),
    ];
    if covered > 0 {
        counts.push(number("waived", covered, "waived"));
    }
    Verdict {
        kind,
        word,
        sentence: sentence(report, &criteria),
        evaluated: text!("criteria-evaluated", n = evaluated, of = criteria.len()),
        counts,
        facts: outcome_facts(run),
    }
}

fn outcome_facts(run: &Run) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.push(match &run.previous {
        Some(previous) => {
            fact("Run before", format!("{} ({})", words::name(&previous.run_id), outcome(previous.outcome).1))
        }
        None => fact("Run before", "none of this pipeline is known"),
    });
    for (i, exit) in run.exits.iter().take(8).enumerate() {
        let term = if i == 0 { "Exit code" } else { "Also applies" };
        facts.push(fact(term, format!("{}: {}", exit.code, words::sentence(&exit.why))));
    }
    facts
}

fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Pass => ("pass", "PASS"),
        Outcome::Warn => ("warn", "WARN"),
        Outcome::Fail => ("fail", "FAIL"),
        Outcome::Inconclusive => ("inconclusive", "INCONCLUSIVE"),
    }
}

fn sentence(report: &Report, criteria: &[Criterion]) -> String {
    if criteria.is_empty() {
        return "No criterion was judged, so nothing was tested against a limit.".into();
    }
    let with = |verdicts: &[Judged], level: Level| {
        criteria
            .iter()
            .filter(|criterion| criterion.gate.level == level)
            .filter(|criterion| {
                criterion.findings.iter().any(|finding| !waived(finding) && verdicts.contains(&finding.verdict))
            })
            .count()
    };
    let phrase = |n: usize, level: &str| {
        format!("{} of level {level} {}", words::many(n, "criterion", "criteria"), if n == 1 { "is" } else { "are" })
    };
    match report.outcome {
        Outcome::Fail => format!("{} breached.", phrase(with(&[Judged::Breached], Level::Deny), "deny")),
        Outcome::Inconclusive => {
            let n = with(&[Judged::Undetermined, Judged::NotMeasured], Level::Deny);
            format!("{} undetermined or not measured; none is breached.", phrase(n, "deny"))
        }
        Outcome::Warn => {
            let n = with(&[Judged::Breached, Judged::Undetermined, Judged::NotMeasured], Level::Warn);
            let notes = report.findings.iter().filter(|finding| finding.gate.is_none()).count();
            let what = match n {
                0 => format!("{} below to read", words::many(notes, "note is", "notes are")),
                n => format!("{} not met", phrase(n, "warn")),
            };
            match criteria.iter().any(|criterion| criterion.gate.level == Level::Deny) {
                true => format!("{what}; every criterion of level deny is met or waived."),
                false => format!("{what}; there is no criterion of level deny."),
            }
        }
        Outcome::Pass => "Every criterion is met or waived, by the whole of its interval.".into(),
    }
}

/// A waiver covers what is not met.
fn waived(finding: &Finding) -> bool {
    finding.waiver.is_some() && finding.verdict != Judged::Met
}

/// Most severe first: what no waiver covers, then verdict, then level.
fn severity(finding: &Finding) -> (u8, u8, u8) {
    let verdict = match finding.verdict {
        Judged::Breached => 0,
        Judged::Undetermined => 1,
        Judged::NotMeasured => 2,
        Judged::Met => 4,
    };
    let level = u8::from(finding.level == Level::Warn);
    (
        if waived(finding) {
            3
        } else if verdict == 4 {
            4
        } else {
            level
        },
        verdict,
        level,
    )
}

pub fn findings(report: &Report, names: &Names, caps: &Caps) -> Findings {
    let mut sorted: Vec<&Finding> = report.findings.iter().collect();
    sorted.sort_by_key(|finding| severity(finding));
    let left = sorted.len().saturating_sub(caps.findings);
    sorted.truncate(caps.findings);
    let (mut open, mut waived, mut met) = (Vec::new(), Vec::new(), Vec::new());
    for finding in sorted {
        match severity(finding).0 {
            3 => waived.push(card(finding, names, report)),
            4 => met.push(card(finding, names, report)),
            _ => open.push(card(finding, names, report)),
        }
    }
    let total = report.findings.len();
    let intro = match (total, open.is_empty()) {
        (0, _) => "There is no finding: nothing was judged.".into(),
        (_, true) => "No criterion is breached, undetermined or not measured, except where a waiver covers it.".into(),
        (_, false) => {
            "What no waiver covers, most severe first. A value is judged by its whole interval, never by its point."
                .into()
        }
    };
    let more = match left {
        0 => String::new(),
        left => format!(
            "{} shown, the most severe; {} more in evidence/findings.csv.",
            words::many(caps.findings, "finding is", "findings are"),
            words::count(left as i64)
        ),
    };
    Findings { intro, open, waived, met, more }
}

fn card(finding: &Finding, names: &Names, report: &Report) -> Card {
    let (title, limit) = match &finding.gate {
        Some(gate) => {
            let judged = words::comparison(gate.compare, gate.against);
            let title = match gate.compare {
                Some(_) => format!("{}: {judged}", names.metric(&gate.metric)),
                None => names.metric(&gate.metric),
            };
            (title, words::limit(gate))
        }
        None => (on_what(&finding.code).into(), "no limit".into()),
    };
    let waiver = finding
        .waiver
        .as_ref()
        .map(|w| format!("Waived until {}: {}", words::name(&w.until), words::sentence(&w.reason)));
    Card {
        badge: match finding.gate {
            Some(_) => words::badge(finding.verdict, waived(finding)),
            None => Badge::new("warn", text!("badge-note")),
        },
        judged_by_gate: finding.gate.is_some(),
        level: words::level(finding.level),
        title,
        cohort: cohort(finding, names),
        code: words::name(&finding.code),
        value: value(finding),
        judged: finding.judged_interval.as_ref().map(words::interval).unwrap_or_default(),
        limit,
        reason: super::reasons::reason(finding, report),
        waiver: waiver.unwrap_or_default(),
    }
}

/// What a finding without a criterion is about.
fn on_what(code: &str) -> &'static str {
    match code.split('/').next() {
        Some("undeclared-identifier") => "On a column of the data",
        Some("subgroup") => "On a subgroup of the rows",
        Some("rule") => "On a rule",
        Some("inferred") => "On membership by probability",
        _ => "On the pipeline file",
    }
}

fn cohort(finding: &Finding, names: &Names) -> String {
    let Some(gate) = &finding.gate else {
        let pairs = &finding.cohort.pairs;
        return if pairs.is_empty() { String::new() } else { words::name(&finding.cohort.to_string()) };
    };
    if finding.cohort.pairs.is_empty() && !gate.across.is_empty() {
        return format!("across {}", words::across(&gate.across));
    }
    let cohort = words::name(&finding.cohort.to_string());
    match names.other(gate, &finding.cohort) {
        Some(other) => format!("{cohort}, compared with {}", words::name(&other.levels())),
        None => cohort,
    }
}

fn value(finding: &Finding) -> Shown {
    finding.measured.as_ref().map_or_else(|| Shown::words("not measured", ""), Shown::of)
}

pub fn matrix(report: &Report, names: &Names, caps: &Caps) -> Matrix {
    let mut criteria = criteria(report);
    criteria.sort_by_key(|criterion| criterion.worst().map(severity));
    let rows = criteria.iter().take(caps.gates).map(|criterion| row(criterion, names, report)).collect();
    let more = words::more(criteria.len(), caps.gates, "criteria", "evidence/findings.csv");
    Matrix { rows, more }
}

fn row(criterion: &Criterion, names: &Names, report: &Report) -> Row {
    let gate = criterion.gate;
    let worst = criterion.worst();
    let verdict = worst.map_or(Judged::NotMeasured, |worst| worst.verdict);
    let covered = criterion.findings.iter().filter(|finding| waived(finding)).count();
    let of = |verdict| criterion.findings.iter().filter(|finding| finding.verdict == verdict).count();
    let words_of = [
        (of(Judged::Breached), "breached"),
        (of(Judged::Undetermined), "undetermined"),
        (of(Judged::NotMeasured), "not measured"),
        (of(Judged::Met), "met"),
        (covered, "waived"),
    ];
    let tally: Vec<String> = words_of
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", words::count(*n as i64)))
        .collect();
    Row {
        badge: words::badge(verdict, worst.is_some_and(waived)),
        metric: names.metric(&gate.metric),
        judged: words::comparison(gate.compare, gate.against),
        across: words::across(&gate.across),
        limit: words::limit(gate),
        level: words::level(gate.level),
        cohort: worst.map(|worst| cohort(worst, names)).unwrap_or_default(),
        value: worst.map_or_else(|| Shown::words("not measured", ""), value),
        tally: tally.join(", "),
        reason: worst.map(|worst| super::reasons::reason(worst, report)).unwrap_or_default(),
    }
}
