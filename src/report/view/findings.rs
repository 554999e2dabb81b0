//! Findings: every judged value as a card, the most severe first, with its short name, its standing among runs, and what to look at next.

use std::collections::HashMap;

use serde::Serialize;

use super::words::{self, Badge, Shown};
use super::{Caps, Link, Names, changes};
use crate::finding::{self, Verdict as Judged};
use crate::plan::spec::Level;
use crate::report::document::{Cohort, Finding, Report, Run};
use crate::report::language::text;

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
    /// The same in every run: `F-3f9a07c1`.
    pub id: String,
    /// Where the page has it.
    pub anchor: String,
    pub badge: Badge,
    /// False for a note: a finding about the pipeline file, such as a waiver that ended.
    pub judged_by_gate: bool,
    pub level: String,
    /// New, or since which run; empty where the runs before are not known.
    pub status: String,
    pub title: String,
    pub cohort: String,
    pub code: String,
    pub value: Shown,
    /// The interval a breach is judged by; empty where it is no breach.
    pub judged: String,
    pub limit: String,
    pub reason: String,
    pub waiver: String,
    /// What to look at next; empty when it is met.
    pub action: String,
    /// The set of attributes it is about, below Measurements.
    pub link: Option<Link>,
}

/// What findings are shown beside: names, the runs before, the sets on the page.
pub struct Beside<'a> {
    pub names: &'a Names<'a>,
    pub report: &'a Report,
    pub run: &'a Run,
    pub sets: &'a [Link],
}

/// A waiver covers what is not met.
pub fn waived(finding: &Finding) -> bool {
    finding.waiver.is_some() && finding.verdict != Judged::Met
}

/// Most severe first: what no waiver covers, then level, then verdict.
pub fn severity(finding: &Finding) -> (u8, u8, u8) {
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

/// By severity; of one severity in the order of the criteria, and of one criterion the value farthest beyond its limit first.
pub fn ranked(report: &Report) -> Vec<&Finding> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    for finding in &report.findings {
        let next = order.len();
        order.entry(&finding.code).or_insert(next);
    }
    let place = |finding: &Finding| order.get(finding.code.as_str()).copied().unwrap_or(usize::MAX);
    let mut ranked: Vec<&Finding> = report.findings.iter().collect();
    ranked.sort_by(|a, b| {
        let by_criterion = (severity(a), place(a)).cmp(&(severity(b), place(b)));
        by_criterion.then_with(|| beyond(b).total_cmp(&beyond(a)))
    });
    ranked
}

/// How far the value is beyond its limit; negative within it, least without a value.
fn beyond(finding: &Finding) -> f64 {
    let point = finding.measured.as_ref().and_then(|measured| measured.estimate()).map(|estimate| estimate.point);
    let (Some(point), Some(gate)) = (point, &finding.gate) else { return f64::NEG_INFINITY };
    let above = gate.at_most.map_or(f64::NEG_INFINITY, |most| point - most);
    let below = gate.at_least.map_or(f64::NEG_INFINITY, |least| least - point);
    above.max(below)
}

pub fn findings(report: &Report, beside: &Beside, caps: &Caps) -> Findings {
    let mut sorted = ranked(report);
    let left = sorted.len().saturating_sub(caps.findings);
    sorted.truncate(caps.findings);
    let (mut open, mut waived, mut met) = (Vec::new(), Vec::new(), Vec::new());
    for (i, finding) in sorted.into_iter().enumerate() {
        let card = card(finding, i + 1, beside);
        match severity(finding).0 {
            3 => waived.push(card),
            4 => met.push(card),
            _ => open.push(card),
        }
    }
    let intro = match (report.findings.is_empty(), open.is_empty()) {
        (true, _) => text!("findings-none"),
        (false, true) => text!("findings-none-open"),
        (false, false) => text!("findings-open"),
    };
    let more = match left {
        0 => String::new(),
        left => text!("findings-more", n = caps.findings, left = left),
    };
    Findings { intro, open, waived, met, more }
}

fn card(finding: &Finding, number: usize, beside: &Beside) -> Card {
    let names = beside.names;
    let (title, limit) = match &finding.gate {
        Some(gate) => {
            let (metric, judged) = (names.metric(&gate.metric), words::comparison(gate.compare, gate.against));
            let title = match gate.compare {
                Some(_) => text!("finding-title", metric = metric, judged = judged),
                None => metric,
            };
            (title, words::limit(gate))
        }
        None => (on_what(&finding.code), text!("limit-none")),
    };
    let id = finding::id(&finding.code, &finding.cohort);
    let waiver = finding.waiver.as_ref().map(|waiver| {
        let until = words::name(&words::day(&waiver.until));
        text!("finding-waiver", until = until, reason = words::sentence(&waiver.reason))
    });
    Card {
        badge: match finding.gate {
            Some(_) => words::badge(finding.verdict, waived(finding)),
            None => Badge::new("warn", text!("badge-note")),
        },
        judged_by_gate: finding.gate.is_some(),
        level: text!("finding-level", level = words::level(finding.level)),
        status: changes::standing(beside.run, finding),
        id,
        anchor: format!("finding-{number}"),
        title,
        cohort: cohort(finding, names),
        code: words::name(&finding.code),
        value: value(finding),
        judged: match finding.verdict {
            Judged::Breached => finding.judged_interval.as_ref().map(words::interval).unwrap_or_default(),
            Judged::Met | Judged::Undetermined | Judged::NotMeasured => String::new(),
        },
        limit,
        reason: super::reasons::reason(finding, beside.report),
        waiver: waiver.unwrap_or_default(),
        action: action(finding),
        link: link(finding, beside.sets),
    }
}

/// What to look at next.
fn action(finding: &Finding) -> String {
    if waived(finding) {
        return text!("action-waived");
    }
    let Some(gate) = &finding.gate else {
        return match finding.code.split('/').next() {
            Some("undeclared-identifier") => text!("action-identifier"),
            Some("subgroup") => text!("action-subgroup"),
            _ => text!("action-note"),
        };
    };
    match (finding.verdict, gate.compare.is_some()) {
        (Judged::Breached, true) => text!("action-breached-comparison"),
        (Judged::Breached, false) => text!("action-breached-value"),
        (Judged::Undetermined, _) => text!("action-undetermined"),
        (Judged::NotMeasured, _) => text!("action-not-measured"),
        (Judged::Met, _) => String::new(),
    }
}

fn link(finding: &Finding, sets: &[Link]) -> Option<Link> {
    let across = words::across(&finding.gate.as_ref()?.across);
    sets.iter().find(|set| set.name == across).cloned()
}

/// What a finding without a criterion is about.
fn on_what(code: &str) -> String {
    match code.split('/').next() {
        Some("undeclared-identifier") => text!("finding-on-column"),
        Some("subgroup") => text!("finding-on-subgroup"),
        Some("rule") => text!("finding-on-rule"),
        Some("inferred") => text!("finding-on-membership"),
        _ => text!("finding-on-file"),
    }
}

/// Attributes and levels, in the language of the page.
fn who(cohort: &Cohort) -> String {
    match cohort.pairs.is_empty() {
        true => text!("finding-everyone"),
        false => words::name(&cohort.to_string()),
    }
}

pub fn cohort(finding: &Finding, names: &Names) -> String {
    let Some(gate) = &finding.gate else {
        return if finding.cohort.pairs.is_empty() { String::new() } else { who(&finding.cohort) };
    };
    if finding.cohort.pairs.is_empty() && !gate.across.is_empty() {
        return text!("finding-across", name = words::across(&gate.across));
    }
    let who = who(&finding.cohort);
    match names.other(gate, &finding.cohort) {
        Some(other) if other.pairs.is_empty() => {
            text!("finding-compared-with", who = who, other = text!("finding-everyone"))
        }
        Some(other) => text!("finding-compared-with", who = who, other = words::name(&other.levels())),
        None => who,
    }
}

pub fn value(finding: &Finding) -> Shown {
    match &finding.measured {
        Some(measured) => Shown::of(measured),
        None => Shown::words(&text!("verdict-count-not-measured"), ""),
    }
}
