//! Charts of a set of attributes: the values of every metric by cohort, and what the criteria judged.

use std::collections::HashMap;

use serde::Serialize;

use super::gates::Criterion;
use super::measures::Place;
use super::words;
use crate::estimate::Interval;
use crate::finding::Verdict;
use crate::metric::{Comparison, REGRESSIONS};
use crate::report::document::{Cohort, CohortTable, Finding, Measured, Reading};
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
    let more = words::more(panels.len(), most, "metrics-without-a-chart", "the table below");
    panels.truncate(most);
    let shares = panels.iter().filter(|panel| panel.is_share()).flat_map(Panel::ends);
    let shared = Scale::over(shares.chain([0.0]), &words::tick);
    let left = cohorts.len().saturating_sub(place.caps.chart_rows);
    let note =
        if left > 0 { format!("{} more in the table.", words::many(left, "cohort", "cohorts")) } else { String::new() };
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
            everyone: everyone.map(|reading| row("everyone", &reading.measured, Mark::Diamond)),
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
            svg::Value::Interval { point, .. } => Some(Line { at: point, kind: LineKind::Reference }),
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

/// The levels as a chart has room for them.
fn label(cohort: &Cohort) -> String {
    cohort.levels().replace(crate::cohort::OUTSIDE, "(outside)")
}

fn mark(cohort: &Cohort) -> Mark {
    let outside = |level: &str| level == crate::cohort::UNKNOWN || level == crate::cohort::OUTSIDE;
    if cohort.pairs.iter().any(|(_, level)| outside(level)) { Mark::Ring } else { Mark::Dot }
}

fn row(label: &str, measured: &Measured, mark: Mark) -> svg::Row {
    let value = match (measured, measured.estimate()) {
        (_, Some(e)) => svg::Value::Interval { point: e.point, lower: e.interval.lower, upper: e.interval.upper },
        (Measured::Suppressed, None) => svg::Value::Words("suppressed".into()),
        (Measured::Estimated(_) | Measured::Undefined { .. }, None) => svg::Value::Words("undefined".into()),
    };
    svg::Row { label: label.into(), value, mark }
}

/// The chart in words, for who cannot see it. The table has every row.
fn describe(rows: &[svg::Row]) -> String {
    let said: Vec<String> =
        rows.iter().take(6).map(|row| format!("{} {}", words::name(&row.label), said(&row.value))).collect();
    let left = rows.len().saturating_sub(6);
    let more = if left > 0 { format!("; and {left} more in the table") } else { String::new() };
    format!("{}{more}.", said.join("; "))
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
    let draw = |(i, criterion): (usize, &&Criterion)| judged_chart(format!("g{}-{i}", place.number), criterion, place);
    (here.iter().take(most).enumerate().map(draw).collect(), more)
}

fn judged_chart(id: String, criterion: &Criterion, place: &Place) -> Drawn {
    let gate = criterion.gate;
    let mut findings = criterion.findings.clone();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    let left = findings.len().saturating_sub(place.caps.chart_rows);
    findings.truncate(place.caps.chart_rows);
    let rows: Vec<svg::Row> = findings.iter().map(|finding| judged_row(finding)).collect();
    let lines = limits(criterion);
    let scale = Scale::over(rows.iter().flat_map(ends).chain(lines.iter().map(|line| line.at)), &words::tick);
    let heading = format!("{}: {}", place.names.metric(&gate.metric), words::comparison(gate.compare, gate.against));
    let description = format!("Limit: {}. {}", words::limit(gate), describe(&rows));
    let more = if left > 0 {
        format!(" {} more in the findings.", words::many(left, "cohort", "cohorts"))
    } else {
        String::new()
    };
    let note = format!("Limit: {}, level {}.{more}", words::limit(gate), words::level(gate.level));
    let chart = Chart { id, size: Size::Panel, title: heading.clone(), description, scale, lines, rows };
    Drawn { heading, note, svg: svg::draw(&chart) }
}

fn judged_row(finding: &Finding) -> svg::Row {
    let label = if finding.cohort.pairs.is_empty() { "worst pair".into() } else { label(&finding.cohort) };
    match &finding.measured {
        Some(measured) => row(&label, measured, judged_mark(finding.verdict)),
        None => svg::Row { label, value: svg::Value::Words("not measured".into()), mark: Mark::Ring },
    }
}

fn limits(criterion: &Criterion) -> Vec<Line> {
    let most = criterion.gate.at_most.map(|at| Line { at, kind: LineKind::AtMost });
    let least = criterion.gate.at_least.map(|at| Line { at, kind: LineKind::AtLeast });
    let none = criterion.gate.compare.map(|compare| match compare {
        Comparison::Difference => 0.0,
        Comparison::Ratio => 1.0,
    });
    let base = none.map(|at| Line { at, kind: LineKind::Reference });
    most.into_iter().chain(least).chain(base).collect()
}

fn judged_mark(verdict: Verdict) -> Mark {
    match verdict {
        Verdict::Met => Mark::Met,
        Verdict::Breached => Mark::Breached,
        Verdict::Undetermined | Verdict::NotMeasured => Mark::Undetermined,
    }
}
