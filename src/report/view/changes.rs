//! What differs from the last signed run, or from the run before where none is signed; and how open findings stand in the history.

use serde::Serialize;

use super::words::{self, Badge, Shown};
use super::{Caps, Names, gates};
use crate::audit::bias::Figure;
use crate::audit::changes::{Changes, Difference, FindingChange, Limit, Movement, State, Unread, Unsaid, What};
use crate::audit::{Past, Recurrence, Since};
use crate::estimate::Interval;
use crate::finding::Verdict;
use crate::report::document::{Finding, Gate, Run};
use crate::report::language::text;
use crate::report::svg;

mod input;

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// `1 new, 0 fixed, 3 still open since the run ... of ...`.
    pub line: String,
    pub intro: String,
    /// Empty where nothing could be compared.
    pub groups: Vec<Group>,
    pub values: Vec<Value>,
    pub values_note: String,
    pub values_more: String,
    pub tables: Vec<input::Table>,
    pub notes: Vec<String>,
}

/// Findings of one kind: new, fixed and so on.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub heading: String,
    pub rows: Vec<Row>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub title: String,
    pub code: String,
    pub cohort: String,
    pub before: Cell,
    pub after: Cell,
    pub note: String,
}

/// A finding in one of the two runs.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    pub badge: Option<Badge>,
    pub value: Option<Shown>,
    /// The limit; the words where it was not judged.
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Value {
    pub title: String,
    pub across: String,
    pub cohort: String,
    pub before: Shown,
    pub after: Shown,
    pub word: String,
}

/// A judged value over the last runs, as a line and as a table.
#[derive(Debug, Clone, Serialize)]
pub struct History {
    pub heading: String,
    pub note: String,
    pub svg: String,
    /// Latest first.
    pub runs: Vec<PastRun>,
}

#[derive(Debug, Clone, Serialize)]
pub struct PastRun {
    pub run: String,
    pub finding: Badge,
    /// The value and its interval; the words where there is none.
    pub value: String,
    pub limit: String,
}

pub fn section(run: &Run, names: &Names, caps: &Caps) -> Option<Section> {
    let changes = run.changes.as_ref()?;
    if let Some(why) = changes.unread {
        let why = match why {
            Unread::Missing => text!("changes-unread-missing"),
            Unread::Damaged => text!("changes-unread-damaged"),
            Unread::Later => text!("changes-unread-later"),
        };
        let line = text!("changes-unread", run = words::name(&changes.before.run_id), why = why);
        return Some(Section {
            intro: line.clone(),
            line,
            groups: Vec::new(),
            values: Vec::new(),
            values_note: String::new(),
            values_more: String::new(),
            tables: Vec::new(),
            notes: Vec::new(),
        });
    }
    let shown = changes.values.len().min(caps.texts);
    let compared = changes.counts.beyond.saturating_add(changes.counts.within).saturating_add(changes.counts.unsaid);
    Some(Section {
        line: line(changes),
        intro: intro(changes),
        groups: groups(changes, names, caps),
        values: changes.values.iter().take(shown).map(|of| value(of, names)).collect(),
        values_note: match changes.values.iter().any(|of| of.difference == Difference::Unsaid { why: Unsaid::SameRows })
        {
            true => text!("changes-values-note-same-rows", n = changes.counts.same),
            false => text!("changes-values-note", n = changes.counts.same),
        },
        values_more: more(compared as usize, shown),
        tables: input::tables(changes, names, caps),
        notes: notes(changes),
    })
}

/// What of a list is not shown.
fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        left => text!("changes-more", n = left),
    }
}

fn line(changes: &Changes) -> String {
    let counts = &changes.counts;
    let (run, when) = (words::name(&changes.before.run_id), words::instant(&changes.before.started_at));
    let (new, fixed, still) = (counts.new, counts.fixed, counts.still);
    let line = match changes.before.signed {
        true => text!("changes-line-signed", new = new, fixed = fixed, still = still, run = run, when = when),
        false => text!("changes-line", new = new, fixed = fixed, still = still, run = run, when = when),
    };
    // Nothing is mended by a limit that moved.
    match (counts.new_by_limit, counts.fixed_by_limit) {
        (0, 0) => line,
        (new, fixed) => line + &text!("changes-by-limit", new = new, fixed = fixed),
    }
}

fn intro(changes: &Changes) -> String {
    match changes.before.signed {
        true => text!("changes-intro-signed"),
        false => text!("changes-intro"),
    }
}

fn notes(changes: &Changes) -> Vec<String> {
    let mut notes = Vec::new();
    if changes.is_empty() {
        notes.push(text!("changes-none"));
    }
    if changes.before.pipeline != changes.after.pipeline {
        notes.push(text!("changes-other-pipeline"));
    }
    if changes.before.report_version != changes.after.report_version {
        notes.push(text!("changes-other-version"));
    }
    if changes.spec_sha256.is_some() && changes.settings.is_empty() && changes.criteria.is_empty() {
        notes.push(text!("changes-spec-otherwise"));
    }
    if !changes.data.files_told {
        notes.push(text!("changes-files-not-told"));
    }
    notes
}

fn groups(changes: &Changes, names: &Names, caps: &Caps) -> Vec<Group> {
    let (found, counts) = (&changes.findings, &changes.counts);
    let all = [
        (text!("changes-new"), &found.new, counts.new),
        (text!("changes-fixed"), &found.fixed, counts.fixed),
        (text!("changes-gone"), &found.gone, counts.gone),
        (text!("changes-still"), &found.still, counts.still),
        (text!("changes-waivers-gained"), &found.waivers_gained, counts.waivers_gained),
        (text!("changes-waivers-ended"), &found.waivers_ended, counts.waivers_ended),
    ];
    let group = |(heading, list, n): (String, &Vec<FindingChange>, u32)| {
        let rows: Vec<Row> = list.iter().take(caps.texts).map(|of| row(of, names)).collect();
        Group { heading, more: more(n as usize, rows.len()), rows }
    };
    all.into_iter().filter(|(.., n)| *n > 0).map(group).collect()
}

fn row(of: &FindingChange, names: &Names) -> Row {
    let note = if of.limit_moved() {
        text!("changes-limit-moved")
    } else if of.verdict_changed() && of.after.as_ref().is_none_or(|after| after.verdict != Verdict::Met) {
        text!("changes-verdict-changed")
    } else {
        String::new()
    };
    Row {
        title: of.what.as_ref().map_or_else(|| text!("changes-note"), |what| title(what, names)),
        code: words::name(&of.code),
        cohort: words::name(&of.cohort().to_string()),
        before: cell(of.before.as_ref()),
        after: cell(of.after.as_ref()),
        note,
    }
}

fn cell(state: Option<&State>) -> Cell {
    match state {
        None => Cell { badge: None, value: None, text: text!("changes-not-judged") },
        Some(state) => Cell {
            badge: Some(words::badge(state.verdict, state.is_waived())),
            value: state.value.as_ref().map(Shown::figure),
            text: limit(&state.limit),
        },
    }
}

/// The limit as the criteria have it; nothing for a note.
fn limit(limit: &Limit) -> String {
    match (limit.at_most, limit.at_least) {
        (None, None) => String::new(),
        (at_most, at_least) => words::limit(&Gate {
            metric: String::new(),
            compare: None,
            against: None,
            across: Vec::new(),
            at_most,
            at_least,
            level: limit.level,
        }),
    }
}

/// Metric and comparison.
fn title(what: &What, names: &Names) -> String {
    let metric = names.metric(&what.metric);
    match what.compare {
        None => metric,
        Some(_) => {
            text!("changes-judged", metric = metric, comparison = words::comparison(what.compare, what.against))
        }
    }
}

fn value(of: &crate::audit::changes::ValueChange, names: &Names) -> Value {
    let shown = |figure: &Option<Figure>| match figure {
        Some(figure) => Shown::figure(figure),
        None => Shown::words(&text!("changes-not-measured"), ""),
    };
    Value {
        title: title(&of.what, names),
        across: words::across(&of.what.across),
        cohort: match of.what.is_chosen() {
            true => text!("changes-chosen"),
            false => words::name(&of.cohort.to_string()),
        },
        before: shown(&of.before),
        after: shown(&of.after),
        word: match of.movement {
            Movement::Beyond => text!("changes-beyond"),
            Movement::Within => text!("changes-within"),
            Movement::Same => text!("changes-same"),
            Movement::Unsaid => text!("changes-unsaid"),
        },
    }
}

/// How an open finding stands in the history: `new`, `open since ...`; nothing where it is not known.
pub fn standing(run: &Run, finding: &Finding) -> String {
    let cohort = crate::cohort::Cohort::from(&finding.cohort);
    let same = |since: &&Since| since.code == finding.code && since.level == finding.level && since.cohort == cohort;
    let Some(since) = run.since.iter().find(same) else { return String::new() };
    let of = |seen: &crate::audit::Seen| words::instant(&seen.started_at);
    match since.standing {
        Recurrence::New => text!("changes-standing-new"),
        Recurrence::Still => {
            text!("changes-standing-still", when = of(&since.open_since), run = words::name(&since.open_since.run_id))
        }
        Recurrence::Again => {
            text!("changes-standing-again", when = of(&since.first_seen), run = words::name(&since.first_seen.run_id))
        }
    }
}

/// Judged values over the last runs; a single run is no history.
pub fn history(run: &Run, names: &Names, caps: &Caps) -> Vec<History> {
    let series = run.history.iter().filter(|of| of.points.len() > 1).take(caps.charts);
    series.enumerate().map(|(i, of)| past(i, of, names)).collect()
}

/// Runs of one line.
const RUNS: usize = 30;

fn past(number: usize, of: &crate::audit::Series, names: &Names) -> History {
    let points = of.points.get(of.points.len().saturating_sub(RUNS)..).unwrap_or_default();
    let heading = names.metric(&of.metric);
    let cohort = words::name(&of.cohort.to_string());
    let last = points.last().and_then(|last| last.point);
    let limit = |of: &Past| {
        let gate = |at_most, at_least| match (at_most, at_least) {
            (None, None) => text!("limit-none"),
            (Some(most), None) => text!("limit-at-most", most = words::figure(most)),
            (None, Some(least)) => text!("limit-at-least", least = words::figure(least)),
            (Some(most), Some(least)) => {
                text!("limit-between", least = words::figure(least), most = words::figure(most))
            }
        };
        gate(of.at_most, of.at_least)
    };
    let line = |at: f64, kind, words: String| svg::Line { at, kind, words };
    let limits: Vec<svg::Line> = points
        .last()
        .into_iter()
        .flat_map(|last| {
            let most =
                last.at_most.map(|at| line(at, svg::LineKind::AtMost, text!("limit-at-most", most = words::tick(at))));
            let least = last
                .at_least
                .map(|at| line(at, svg::LineKind::AtLeast, text!("limit-at-least", least = words::tick(at))));
            most.into_iter().chain(least)
        })
        .collect();
    let values = points.iter().flat_map(|point| [point.point, point.lower, point.upper]).flatten();
    let spark = svg::sparkline::Sparkline {
        id: format!("history-{number}"),
        title: text!("changes-history-title", metric = heading.as_str(), who = cohort.as_str(), n = points.len()),
        description: text!("changes-history-table-below"),
        scale: svg::Scale::over(values.chain(limits.iter().map(|line| line.at)), &words::tick),
        runs: points
            .iter()
            .map(|of| svg::sparkline::Past { value: of.point, lower: of.lower, upper: of.upper })
            .collect(),
        limits,
        last: last.map_or_else(|| text!("undefined"), words::figure),
    };
    let run = |of: &Past| PastRun {
        run: words::name(&of.run_id),
        finding: words::badge(of.verdict, false),
        value: match of.point {
            None => text!("undefined"),
            Some(point) => {
                let interval = words::interval(&Interval { lower: of.lower, upper: of.upper });
                format!("{} {interval}", words::figure(point))
            }
        },
        limit: limit(of),
    };
    History { heading, note: cohort, svg: svg::sparkline::draw(&spark), runs: points.iter().rev().map(run).collect() }
}

/// The word of an outcome.
fn outcome(of: crate::finding::Outcome) -> String {
    gates::word(of)
}
