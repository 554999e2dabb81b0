//! Charts of a set of attributes: the values of every metric by cohort, and what the criteria judged.

use std::collections::HashMap;

use serde::Serialize;

use super::gates::Criterion;
use super::measures::Place;
use super::words;
use crate::estimate::Interval;
use crate::finding::Verdict;
use crate::metric::{Comparison, REGRESSIONS};
use crate::report::document::{Cohort, CohortTable, Finding, Gate, Measured, Reading};
use crate::report::language::text;
use crate::report::svg::{self, Chart, Line, LineKind, Mark, Scale, Size};

#[derive(Debug, Clone, Serialize)]
pub struct Drawn {
    pub heading: String,
    pub note: String,
    pub svg: String,
}

/// One chart per metric with an estimate for a cohort, and how many have none for want of room. Those of shares have one scale.
pub fn values(of: &[(&str, &[&Reading])], cohorts: &[&Cohort], place: &Place) -> (Vec<Drawn>, String) {
    let mut panels: Vec<Panel> = of
        .iter()
        .map(|(metric, readings)| Panel::of(metric, readings, cohorts, place))
        .filter(|panel| panel.cohorts.iter().any(|row| !ends(row).is_empty()))
        .collect();
    let most = (place.caps.charts / place.of).max(1);
    let more = words::more(panels.len(), most, "metrics-without-a-chart", &text!("measures-the-table-below"));
    panels.truncate(most);
    let shares = panels.iter().filter(|panel| panel.is_share()).flat_map(Panel::ends);
    let shared = Scale::over(shares.chain([0.0]), &words::tick);
    let left = cohorts.len().saturating_sub(place.caps.chart_rows);
    let note = if left > 0 { text!("measures-more-in-table", n = left) } else { String::new() };
    let draw = |(i, panel): (usize, &Panel)| {
        let scale = if panel.is_share() { shared.clone() } else { Scale::over(panel.ends().into_iter(), &words::tick) };
        Drawn { note: note.clone(), ..panel.draw(format!("c{}-{i}", place.number), scale, place) }
    };
    (panels.iter().enumerate().map(draw).collect(), more)
}

/// The rows of one metric, before their scale is known.
struct Panel<'a> {
    metric: &'a str,
    everyone: Option<svg::Row>,
    cohorts: Vec<svg::Row>,
}

impl<'a> Panel<'a> {
    fn of(metric: &'a str, readings: &[&Reading], cohorts: &[&Cohort], place: &Place) -> Panel<'a> {
        let values: HashMap<&Cohort, &Measured> = readings
            .iter()
            .filter(|reading| reading.contrast.is_none())
            .map(|reading| (&reading.cohort, &reading.measured))
            .collect();
        let everyone = place.everyone.iter().find(|reading| reading.metric == metric);
        let of_cohort = |cohort: &&Cohort| Some(row(&label(cohort), values.get(*cohort)?, mark(cohort)));
        Panel {
            metric,
            everyone: everyone.map(|reading| row(&text!("measures-everyone"), &reading.measured, Mark::Diamond)),
            cohorts: cohorts.iter().take(place.caps.chart_rows).filter_map(of_cohort).collect(),
        }
    }

    fn rows(&self) -> Vec<svg::Row> {
        self.everyone.iter().chain(&self.cohorts).cloned().collect()
    }

    fn ends(&self) -> Vec<f64> {
        self.rows().iter().flat_map(ends).collect()
    }

    fn is_share(&self) -> bool {
        let regression = REGRESSIONS.iter().any(|card| card.id == self.metric);
        !regression && self.ends().iter().all(|x| (0.0..=1.0).contains(x))
    }

    fn draw(&self, id: String, scale: Scale, place: &Place) -> Drawn {
        let rows = self.rows();
        let base = self.everyone.as_ref().and_then(|row| match row.value {
            svg::Value::Interval { point, .. } => {
                Some(Line { at: point, kind: LineKind::Reference, words: String::new() })
            }
            svg::Value::Words(_) => None,
        });
        let title = place.names.metric(self.metric);
        let (description, lines) = (describe(&rows), base.into_iter().collect());
        let chart = Chart { id, size: Size::Panel, title: title.clone(), description, scale, lines, rows };
        Drawn { heading: title, note: String::new(), svg: svg::draw(&chart) }
    }
}

/// The numbers a row needs a scale for.
fn ends(row: &svg::Row) -> Vec<f64> {
    match row.value {
        svg::Value::Interval { point, lower, upper } => [Some(point), lower, upper].into_iter().flatten().collect(),
        svg::Value::Words(_) => Vec::new(),
    }
}

/// The levels, and of rows without a declared one what they are.
pub fn levels(cohort: &Cohort) -> String {
    said_levels(cohort, &text!("measures-outside-levels"))
}

fn said_levels(cohort: &Cohort, outside: &str) -> String {
    let said = |level: &str| match level {
        crate::cohort::UNKNOWN => text!("measures-unknown"),
        crate::cohort::OUTSIDE => outside.into(),
        level => level.into(),
    };
    match cohort.pairs.is_empty() {
        true => text!("measures-everyone"),
        false => cohort.pairs.iter().map(|(_, level)| said(level)).collect::<Vec<_>>().join(" × "),
    }
}

/// The levels as a chart has room for them.
fn label(cohort: &Cohort) -> String {
    said_levels(cohort, &text!("measures-outside"))
}

fn mark(cohort: &Cohort) -> Mark {
    let outside = |level: &str| level == crate::cohort::UNKNOWN || level == crate::cohort::OUTSIDE;
    if cohort.pairs.iter().any(|(_, level)| outside(level)) { Mark::Ring } else { Mark::Dot }
}

fn row(label: &str, measured: &Measured, mark: Mark) -> svg::Row {
    let value = match (measured, measured.estimate()) {
        (_, Some(e)) => svg::Value::Interval { point: e.point, lower: e.interval.lower, upper: e.interval.upper },
        (Measured::Suppressed, None) => svg::Value::Words(text!("suppressed")),
        (Measured::Estimated(_) | Measured::Undefined { .. }, None) => svg::Value::Words(text!("undefined")),
    };
    svg::Row { label: label.into(), value, mark }
}

/// The chart in words, for who cannot see it. The table has every row.
fn describe(rows: &[svg::Row]) -> String {
    let said = rows.iter().take(SAID).map(|row| format!("{} {}", words::name(&row.label), said(&row.value)));
    let list = listed(said);
    match rows.len().saturating_sub(SAID) {
        0 => text!("measures-description", list = list),
        left => text!("measures-description-cut", list = list, n = left),
    }
}

/// Rows that a description says.
const SAID: usize = 6;

/// Parts of a sentence one after another.
pub fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.reduce(|list, part| text!("measures-list", list = list, part = part)).unwrap_or_default()
}

fn said(value: &svg::Value) -> String {
    match value {
        svg::Value::Words(words) => words.clone(),
        svg::Value::Interval { point, lower, upper } => {
            let interval = Interval { lower: *lower, upper: *upper };
            format!("{} {}", words::figure(*point), words::interval(&interval))
        }
    }
}

/// One chart per criterion on this set that has an estimate: the judged values and the limit.
pub fn judged(table: &CohortTable, criteria: &[Criterion], place: &Place) -> (Vec<Drawn>, String) {
    let here: Vec<&Criterion> = criteria
        .iter()
        .filter(|criterion| criterion.gate.across == table.across)
        .filter(|criterion| criterion.findings.iter().any(|finding| !ends(&judged_row(finding)).is_empty()))
        .collect();
    let most = (place.caps.charts / place.of).max(1);
    let more = words::more(here.len(), most, "criteria-without-a-chart", "evidence/findings.csv");
    let here: Vec<Judged> = here.iter().take(most).map(|criterion| Judged::of(criterion, place)).collect();
    let draw = |(i, judged): (usize, &Judged)| {
        // Comparisons of one kind have one scale, so that they can be compared by eye.
        let alike = here.iter().filter(|other| other.is_share && other.gate.compare == judged.gate.compare);
        let values: Vec<f64> = match judged.is_share {
            true => alike.flat_map(Judged::values).collect(),
            false => judged.values(),
        };
        judged.draw(format!("g{}-{i}", place.number), Scale::over(values.into_iter(), &words::tick), place)
    };
    (here.iter().enumerate().map(draw).collect(), more)
}

/// What one criterion judged, before its scale is known.
struct Judged<'a> {
    gate: &'a Gate,
    rows: Vec<svg::Row>,
    lines: Vec<Line>,
    /// Rows that are in the findings only.
    left: usize,
    /// A value, or a comparison of values, of a metric that is a share.
    is_share: bool,
}

impl<'a> Judged<'a> {
    fn of(criterion: &Criterion<'a>, place: &Place) -> Judged<'a> {
        let gate = criterion.gate;
        let mut findings = criterion.findings.clone();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        let left = findings.len().saturating_sub(place.caps.chart_rows);
        findings.truncate(place.caps.chart_rows);
        let rows: Vec<svg::Row> = findings.iter().map(|finding| judged_row(finding)).collect();
        let far = |x: f64| x.abs() > 2.0;
        let is_share = !REGRESSIONS.iter().any(|card| card.id == gate.metric) && !rows.iter().flat_map(ends).any(far);
        Judged { gate, rows, lines: limits(criterion), left, is_share }
    }

    fn values(&self) -> Vec<f64> {
        self.rows.iter().flat_map(ends).chain(self.lines.iter().map(|line| line.at)).collect()
    }

    fn draw(&self, id: String, scale: Scale, place: &Place) -> Drawn {
        let gate = self.gate;
        let compared = words::comparison(gate.compare, gate.against);
        let heading = text!("measures-judged-heading", metric = place.names.metric(&gate.metric), compared = compared);
        let (limit, level) = (words::limit(gate), words::level(gate.level));
        let description = text!("measures-judged-description", limit = &limit, rows = describe(&self.rows));
        let note = match self.left {
            0 => text!("measures-judged-note", limit = limit, level = level),
            left => text!("measures-judged-note-cut", limit = limit, level = level, n = left),
        };
        let (lines, rows, title) = (self.lines.clone(), self.rows.clone(), heading.clone());
        let chart = Chart { id, size: Size::Panel, title, description, scale, lines, rows };
        Drawn { heading, note, svg: svg::draw(&chart) }
    }
}

fn judged_row(finding: &Finding) -> svg::Row {
    let label = if finding.cohort.pairs.is_empty() { text!("measures-worst-pair") } else { label(&finding.cohort) };
    match &finding.measured {
        Some(measured) => row(&label, measured, judged_mark(finding.verdict)),
        None => svg::Row { label, value: svg::Value::Words(text!("measures-not-measured")), mark: Mark::Ring },
    }
}

fn limits(criterion: &Criterion) -> Vec<Line> {
    let most = criterion.gate.at_most.map(|at| Line {
        at,
        kind: LineKind::AtMost,
        words: text!("limit-at-most", most = words::tick(at)),
    });
    let least = criterion.gate.at_least.map(|at| Line {
        at,
        kind: LineKind::AtLeast,
        words: text!("limit-at-least", least = words::tick(at)),
    });
    let none = criterion.gate.compare.map(|compare| match compare {
        Comparison::Difference => 0.0,
        Comparison::Ratio => 1.0,
    });
    let base = none.map(|at| Line { at, kind: LineKind::Reference, words: String::new() });
    most.into_iter().chain(least).chain(base).collect()
}

fn judged_mark(verdict: Verdict) -> Mark {
    match verdict {
        Verdict::Met => Mark::Met,
        Verdict::Breached => Mark::Breached,
        Verdict::Undetermined | Verdict::NotMeasured => Mark::Undetermined,
    }
}
