//! The verdict with its reason, and the criteria.
//!
//! A criterion is one line of the pipeline file on one set of attributes; its verdict is the worst of the values it judged that no waiver
//! covers. It is evaluated when that is `met` or `breached`: the other two say that the data did not decide.

use serde::Serialize;

use super::findings::{cohort, ranked, severity, value, waived};
use super::said::{HOLE, Said, Told, said, told};
use super::words::{self, Badge, Shown};
use super::{Caps, Names};
use crate::finding::{Outcome, Verdict as Judged};
use crate::plan::spec::Level;
use crate::report::document::{Finding, Gate, Report, Run};
use crate::report::language::text;

/// What a reader signs, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Shape and colour: `pass`, `warn`, `fail`, `inconclusive`.
    pub kind: &'static str,
    pub word: String,
    /// The worst value with its interval and limit; empty where every criterion is met or waived.
    pub reason: String,
    /// How many criteria led to the verdict.
    pub sentence: String,
    /// `11 of 14 criteria evaluated`.
    pub evaluated: String,
    /// How many criteria stand in the way.
    pub blocking: String,
    pub counts: Vec<Count>,
    /// Who decides, the run before, exit codes.
    pub facts: Vec<Told>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Count {
    pub kind: &'static str,
    pub n: String,
    pub word: String,
}

/// Every criterion, the met ones too.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    pub rows: Vec<Row>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub badge: Badge,
    pub metric: String,
    /// `ratio to the highest cohort, across sex`.
    pub judged: String,
    pub limit: String,
    pub level: String,
    /// The value behind the verdict.
    pub value: Shown,
    /// `3 met, 1 breached`.
    pub tally: String,
    /// The cohort of that value, and why it is judged so or was not measured.
    pub because: String,
}

/// A criterion and the findings it led to.
pub struct Criterion<'a> {
    pub gate: &'a Gate,
    pub findings: Vec<&'a Finding>,
}

impl Criterion<'_> {
    /// The worst finding that no waiver covers; of waived ones the worst.
    pub fn worst(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .copied()
            .max_by_key(|finding| (!waived(finding), finding.verdict, std::cmp::Reverse(&finding.cohort)))
    }

    pub fn evaluated(&self) -> bool {
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

pub fn verdict(report: &Report, run: &Run, names: &Names) -> Verdict {
    let criteria = criteria(report);
    let worst = |criterion: &Criterion| criterion.worst().map(|worst| (worst.verdict, waived(worst)));
    let of = |verdict: Judged| criteria.iter().filter(|criterion| worst(criterion) == Some((verdict, false))).count();
    let covered = criteria.iter().filter(|criterion| worst(criterion).is_some_and(|(_, waived)| waived)).count();
    let evaluated = criteria.iter().filter(|criterion| criterion.evaluated()).count();
    let number = |kind: &'static str, n: usize| Count {
        kind,
        n: words::count(n as i64),
        word: text!(&format!("verdict-count-{kind}")),
    };
    let mut counts = vec![
        number("breached", of(Judged::Breached)),
        number("undetermined", of(Judged::Undetermined)),
        number("not-measured", of(Judged::NotMeasured)),
        number("met", of(Judged::Met)),
    ];
    if covered > 0 {
        counts.push(number("waived", covered));
    }
    let stands = |criterion: &&Criterion| {
        criterion.gate.level == Level::Deny
            && criterion.worst().is_some_and(|worst| worst.verdict != Judged::Met && !waived(worst))
    };
    Verdict {
        kind: kind(report.outcome),
        word: word(report.outcome),
        reason: reason(report, names),
        sentence: sentence(report, &criteria),
        evaluated: text!("criteria-evaluated", n = evaluated, of = criteria.len()),
        blocking: text!("verdict-blocking", n = criteria.iter().filter(stands).count()),
        counts,
        facts: facts(report, run),
    }
}

fn facts(report: &Report, run: &Run) -> Vec<Told> {
    let stated = &report.pipeline.stated;
    let decider = match (&stated.decider, &stated.decide_by) {
        (None, None) => text!("verdict-nobody-decides"),
        (Some(name), None) => words::name(name),
        (None, Some(day)) => text!("verdict-decides-by", day = words::name(&words::day(day))),
        (Some(name), Some(day)) => {
            text!("verdict-decides", name = words::name(name), day = words::name(&words::day(day)))
        }
    };
    let before = match &run.previous {
        Some(previous) => {
            text!("verdict-run-before-was", run = words::name(&previous.run_id), word = word(previous.outcome))
        }
        None => text!("verdict-no-run-before"),
    };
    let fact = |term: String, of: Said| told(Said::own(term), of);
    let mut facts =
        vec![fact(text!("verdict-decider"), Said::own(decider)), fact(text!("verdict-run-before"), Said::own(before))];
    for (i, exit) in run.exits.iter().take(8).enumerate() {
        let term = if i == 0 { text!("verdict-exit-code") } else { text!("verdict-exit-also") };
        let sentence = text!("verdict-exit", code = exit.code.to_string(), why = HOLE);
        facts.push(fact(term, Said::around(&sentence, &[said(&exit.why)])));
    }
    facts
}

fn kind(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Warn => "warn",
        Outcome::Fail => "fail",
        Outcome::Inconclusive => "inconclusive",
    }
}

pub fn word(outcome: Outcome) -> String {
    text!(&format!("outcome-{}", kind(outcome)))
}

/// The worst finding in one sentence.
fn reason(report: &Report, names: &Names) -> String {
    let ranked = ranked(report);
    let Some(worst) = ranked.into_iter().find(|finding| !waived(finding) && finding.verdict != Judged::Met) else {
        return String::new();
    };
    let Some(gate) = &worst.gate else {
        return words::capitalised(&words::prose(&worst.reason));
    };
    let metric = names.metric(&gate.metric);
    let judged = words::comparison(gate.compare, gate.against);
    let of = match gate.compare {
        Some(_) => text!("verdict-of-comparison", metric = metric, judged = judged),
        None => metric,
    };
    let (who, limit) = (cohort(worst, names), words::limit(gate));
    let shown = value(worst);
    if !shown.estimated {
        return text!("verdict-reason-not-measured", of = of, who = who, why = words::prose(&worst.reason));
    }
    // A breach is judged by the wider interval.
    let interval = match (&worst.judged_interval, worst.verdict) {
        (Some(judged), Judged::Breached) => words::interval(judged),
        _ => shown.interval,
    };
    let value = shown.point;
    match worst.verdict {
        Judged::Breached => {
            text!("verdict-reason-breached", of = of, who = who, value = value, interval = interval, limit = limit)
        }
        Judged::Undetermined | Judged::NotMeasured | Judged::Met => {
            text!("verdict-reason-undetermined", of = of, who = who, value = value, interval = interval, limit = limit)
        }
    }
}

/// Why this outcome.
pub fn sentence(report: &Report, criteria: &[Criterion]) -> String {
    if criteria.is_empty() {
        return text!("verdict-none");
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
    match report.outcome {
        Outcome::Fail => text!("verdict-fail", n = with(&[Judged::Breached], Level::Deny)),
        Outcome::Inconclusive => {
            text!("verdict-inconclusive", n = with(&[Judged::Undetermined, Judged::NotMeasured], Level::Deny))
        }
        Outcome::Warn => {
            let n = with(&[Judged::Breached, Judged::Undetermined, Judged::NotMeasured], Level::Warn);
            let notes = report.findings.iter().filter(|finding| finding.gate.is_none()).count();
            let denies = criteria.iter().any(|criterion| criterion.gate.level == Level::Deny);
            match (n, denies) {
                (0, true) => text!("verdict-notes", n = notes),
                (0, false) => text!("verdict-notes-no-deny", n = notes),
                (n, true) => text!("verdict-warn", n = n),
                (n, false) => text!("verdict-warn-no-deny", n = n),
            }
        }
        Outcome::Pass => text!("verdict-pass"),
    }
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
    // What a waiver covers is counted as waived, and as nothing else.
    let of =
        |verdict| criterion.findings.iter().filter(|finding| finding.verdict == verdict && !waived(finding)).count();
    let tallies = [
        ("breached", of(Judged::Breached)),
        ("undetermined", of(Judged::Undetermined)),
        ("not-measured", of(Judged::NotMeasured)),
        ("met", of(Judged::Met)),
        ("waived", criterion.findings.iter().filter(|finding| waived(finding)).count()),
    ];
    let tally: Vec<String> =
        tallies.iter().filter(|(_, n)| *n > 0).map(|(key, n)| text!(&format!("tally-{key}"), n = *n)).collect();
    let (judged, across) = (words::comparison(gate.compare, gate.against), words::across(&gate.across));
    Row {
        badge: words::badge(verdict, worst.is_some_and(waived)),
        metric: names.metric(&gate.metric),
        judged: match gate.across.is_empty() {
            true => text!("criteria-judged-everyone", judged = judged, across = across),
            false => text!("criteria-judged-across", judged = judged, across = across),
        },
        limit: words::limit(gate),
        level: text!("finding-level", level = words::level(gate.level)),
        value: worst.map_or_else(|| Shown::words(&text!("verdict-count-not-measured"), ""), value),
        tally: tally.join(&text!("list-comma")),
        because: worst
            .map(|worst| {
                text!("criteria-because", who = cohort(worst, names), why = super::reasons::reason(worst, report))
            })
            .unwrap_or_default(),
    }
}
