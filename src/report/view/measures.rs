//! Values by cohort: for everyone, and per set of attributes counts, charts, values with their comparisons, and what a criterion judged.

use std::collections::HashMap;

use serde::Serialize;

use super::charts::{self, Drawn, levels};
use super::gates::{Criterion, criteria};
use super::scores::{Scores, scores};
use super::words::{self, Shown};
use super::{Caps, Names};
use crate::metric::{Against, Comparison, is_given, is_of_a_set};
use crate::report::document::{Cohort, CohortTable, Contrast, Domain, Measured, Reading, Report};
use crate::report::language::text;
use crate::schema::Role;

#[derive(Debug, Clone, Serialize)]
pub struct Measures {
    /// What numbers of rows are.
    pub counts_caption: String,
    pub everyone: Vec<Overall>,
    pub everyone_more: String,
    /// Curves of the score.
    pub scores: Option<Scores>,
    pub sets: Vec<Set>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Overall {
    pub metric: String,
    pub value: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Set {
    pub id: String,
    pub across: String,
    pub counts: Vec<Counts>,
    pub counts_more: String,
    pub charts: Vec<Drawn>,
    /// Metrics without a chart.
    pub charts_more: String,
    pub judged: Vec<Drawn>,
    pub judged_more: String,
    /// Headings of the comparisons.
    pub compared: Vec<String>,
    /// Columns of the table of values, and those beside a worst pair's value.
    pub span: String,
    pub rest: String,
    /// `Values and comparisons of 18 metrics`.
    pub metrics_title: String,
    pub metrics: Vec<Metric>,
    pub metrics_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Counts {
    pub cohort: String,
    pub compared: bool,
    pub n: String,
    pub share: String,
    pub labels: String,
    pub decisions: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Metric {
    pub name: String,
    pub rows: Vec<Value>,
    /// Comparisons of the two cohorts that differ most.
    pub pairs: Vec<Pair>,
    /// Why values are undefined or suppressed, each reason once.
    pub reasons: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Value {
    pub cohort: String,
    pub value: Shown,
    pub comparisons: Vec<Shown>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    pub what: String,
    pub who: String,
    pub value: Shown,
}

/// Comparisons that have a column of their own: of each line the first that occurs.
pub const COLUMNS: [&[(Comparison, Against)]; 2] = [
    &[(Comparison::Difference, Against::Overall)],
    &[(Comparison::Ratio, Against::Reference), (Comparison::Ratio, Against::Highest)],
];

pub fn measures(report: &Report, names: &Names, caps: &Caps) -> Measures {
    let all: HashMap<&[String], Vec<&Reading>> = report.readings.iter().fold(HashMap::new(), |mut all, reading| {
        all.entry(reading.across.as_slice()).or_insert_with(Vec::new).push(reading);
        all
    });
    let readings = |across: &[String]| all.get(across).map(Vec::as_slice).unwrap_or_default();
    let everyone: Vec<&Reading> = readings(&[]).iter().copied().filter(|reading| reading.contrast.is_none()).collect();
    let tables: Vec<&CohortTable> = report.cohorts.iter().filter(|table| !table.across.is_empty()).collect();
    let shown = &tables[..tables.len().min(caps.sets)];
    let criteria = criteria(report);
    let sets = shown.iter().enumerate().map(|(i, table)| {
        let place = Place {
            number: i + 1,
            of: shown.len().max(1),
            caps,
            names,
            everyone: &everyone,
            total: report.data.rows_measured,
            numbers: numbers(report),
        };
        set(table, readings(&table.across), &criteria, &place)
    });
    Measures {
        counts_caption: match report.privacy {
            Some(_) => text!("measures-counts-caption-noisy"),
            None => text!("measures-counts-caption"),
        },
        sets: sets.collect(),
        scores: scores(report),
        everyone: everyone
            .iter()
            .take(caps.texts)
            .map(|reading| Overall { metric: names.metric(&reading.metric), value: Shown::of(&reading.measured) })
            .collect(),
        everyone_more: words::more(everyone.len(), caps.texts, "metrics", "evidence/readings.csv"),
        more: words::more(tables.len(), caps.sets, "sets-of-attributes", "evidence/readings.csv"),
    }
}

/// What a set of attributes needs of the rest of the report.
pub struct Place<'a> {
    pub number: usize,
    /// Number of sets that are shown.
    pub of: usize,
    pub caps: &'a Caps,
    pub names: &'a Names<'a>,
    pub everyone: &'a [&'a Reading],
    pub total: i64,
    /// The outcome, and the prediction, are numbers: there is nothing to count as 0 or 1.
    pub numbers: [bool; 2],
}

/// Which of outcome and prediction is a number.
fn numbers(report: &Report) -> [bool; 2] {
    let bounded = |role: Role| {
        let mut columns = report.data.columns.iter().filter(|column| column.roles.contains(&role));
        columns.any(|column| matches!(column.domain, Domain::Bounds { .. }))
    };
    let linear = report.model.as_ref().is_some_and(|model| model.kind == "linear");
    [bounded(Role::Target), bounded(Role::Prediction) || linear]
}

fn set(table: &CohortTable, readings: &[&Reading], criteria: &[Criterion], place: &Place) -> Set {
    // Readings of one metric stand together.
    let mut of: Vec<(&str, &[&Reading])> = readings
        .chunk_by(|a, b| a.metric == b.metric)
        .filter_map(|readings| Some((readings.first()?.metric.as_str(), readings)))
        // Their section is that of strata.
        .filter(|(id, _)| !is_given(id))
        .collect();
    let left_out = words::more(of.len(), place.caps.texts, "metrics", "evidence/readings.csv");
    of.truncate(place.caps.texts);
    let cohorts = greatest(table, place.caps.cohorts);
    let rows_max = (place.caps.values / (place.of * of.len().max(1))).clamp(1, place.caps.cohorts);
    let with_values = &cohorts[..cohorts.len().min(rows_max)];
    let columns = columns(readings);
    let of_cohorts: Vec<(&str, &[&Reading])> = of.iter().copied().filter(|(id, _)| !is_of_a_set(id)).collect();
    let (charts, charts_more) = charts::values(&of_cohorts, with_values, place);
    let (judged, judged_more) = charts::judged(table, criteria, place);
    Set {
        id: format!("set-{}", place.number),
        across: words::across(&table.across),
        counts: counts(table, &cohorts, place),
        counts_more: more(table.rows.len(), cohorts.len(), "evidence/cohorts.csv"),
        charts,
        charts_more,
        judged,
        judged_more,
        compared: columns
            .iter()
            .map(|(compare, against)| words::capitalised(&words::comparison(Some(*compare), Some(*against))))
            .collect(),
        span: (columns.len() + 3).to_string(),
        rest: columns.len().max(1).to_string(),
        metrics_title: text!("measures-metrics-title", n = of.len()),
        metrics: of.iter().map(|(id, readings)| metric(id, readings, with_values, &columns, place)).collect(),
        metrics_more: [more(table.rows.len(), with_values.len(), "evidence/readings.csv"), left_out]
            .into_iter()
            .filter(|text| !text.is_empty())
            .reduce(|first, then| text!("measures-sentences", first = first, then = then))
            .unwrap_or_default(),
    }
}

fn more(all: usize, shown: usize, file: &str) -> String {
    match all - shown {
        0 => String::new(),
        left => text!("measures-most-rows", n = shown, left = left, file = file),
    }
}

/// The cohorts of most rows, in the order of the table. A suppressed count sorts last.
fn greatest(table: &CohortTable, most: usize) -> Vec<&Cohort> {
    let mut order: Vec<usize> = (0..table.rows.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(table.rows[i].n.unwrap_or(-1)), i));
    order.truncate(most);
    order.sort_unstable();
    order.into_iter().map(|i| &table.rows[i].cohort).collect()
}

fn counts(table: &CohortTable, shown: &[&Cohort], place: &Place) -> Vec<Counts> {
    let triple = |counts: &Option<[i64; 3]>, number: bool| match counts {
        _ if number => text!("measures-numbers"),
        Some(counts) => counts.map(words::count).join(" / "),
        None => text!("suppressed"),
    };
    let known: std::collections::HashSet<&Cohort> = shown.iter().copied().collect();
    let rows = table.rows.iter().filter(|row| known.contains(&row.cohort));
    rows.map(|row| Counts {
        cohort: words::name(&levels(&row.cohort)),
        compared: row.compared,
        n: row.n.map_or_else(|| text!("suppressed"), words::count),
        share: row.n.map_or_else(|| text!("suppressed"), |n| words::percent(n, place.total)),
        labels: triple(&row.labels, place.numbers[0]),
        decisions: triple(&row.decisions, place.numbers[1]),
    })
    .collect()
}

fn columns(readings: &[&Reading]) -> Vec<(Comparison, Against)> {
    let occurs = |(compare, against): &(Comparison, Against)| {
        readings.iter().any(|r| r.contrast.as_ref().is_some_and(|c| c.compare == *compare && c.against == *against))
    };
    COLUMNS.into_iter().filter_map(|line| line.iter().copied().find(occurs)).collect()
}

fn metric(
    id: &str,
    readings: &[&Reading],
    cohorts: &[&Cohort],
    columns: &[(Comparison, Against)],
    place: &Place,
) -> Metric {
    let values: HashMap<&Cohort, &Measured> = readings
        .iter()
        .filter(|reading| reading.contrast.is_none())
        .map(|reading| (&reading.cohort, &reading.measured))
        .collect();
    let mut comparisons: HashMap<(Comparison, Against, &Cohort), &Reading> = HashMap::new();
    for reading in readings {
        if let Some(contrast) = &reading.contrast {
            comparisons.insert((contrast.compare, contrast.against, &reading.cohort), reading);
        }
    }
    let mut reasons: Vec<String> = Vec::new();
    let mut say = |mut shown: Shown| {
        let why = std::mem::take(&mut shown.why);
        let reason = text!("measures-reason", point = &shown.point, why = &why);
        if !shown.estimated && !why.is_empty() && !reasons.contains(&reason) {
            reasons.push(reason);
        }
        shown
    };
    let mut rows = Vec::new();
    // A figure of two cohorts has no value of one, and one of a whole set no value of a cohort.
    let whole = values.get(&Cohort::default()).filter(|_| values.len() == 1);
    let absent = if values.is_empty() { text!("measures-of-two-cohorts") } else { text!("measures-not-measured") };
    for cohort in cohorts.iter().filter(|_| whole.is_none()) {
        let value = say(values.get(*cohort).map_or_else(|| Shown::words(&absent, ""), |measured| Shown::of(measured)));
        let compared =
            |(compare, against): &(Comparison, Against)| match comparisons.get(&(*compare, *against, *cohort)) {
                Some(reading) => say(Shown::of(&reading.measured)),
                None => Shown::words(&uncompared(readings, *against, cohort), ""),
            };
        let comparisons = columns.iter().map(compared).collect();
        rows.push(Value { cohort: words::name(&levels(cohort)), value, comparisons });
    }
    if let Some(whole) = whole {
        let comparisons = columns.iter().map(|_| Shown::words(&text!("measures-not-compared"), "")).collect();
        rows.push(Value { cohort: text!("measures-all-cohorts"), value: say(Shown::of(whole)), comparisons });
    }
    let pairs = readings.iter().filter_map(|reading| pair(reading.contrast.as_ref()?, reading));
    let pairs = pairs.map(|pair| Pair { value: say(pair.value), ..pair }).collect();
    Metric {
        name: place.names.metric(id),
        rows,
        pairs,
        reasons: reasons.iter().map(|reason| words::capitalised(reason)).collect(),
    }
}

/// Why a cohort has no comparison: the others are compared with it, or it is compared with nobody.
fn uncompared(readings: &[&Reading], against: Against, cohort: &Cohort) -> String {
    let with = |reading: &&Reading| {
        reading.contrast.as_ref().is_some_and(|c| c.against == against && c.with.as_ref() == Some(cohort))
    };
    match against {
        Against::Reference if readings.iter().any(with) => text!("measures-is-reference"),
        Against::Highest if readings.iter().any(with) => text!("measures-is-highest"),
        _ => text!("measures-not-compared"),
    }
}

fn pair(contrast: &Contrast, reading: &Reading) -> Option<Pair> {
    let who = match &contrast.with {
        Some(with) => words::name(&text!("measures-pair", one = levels(&reading.cohort), other = levels(with))),
        None => text!("measures-no-pair"),
    };
    let compare = match contrast.compare {
        Comparison::Difference => text!("measures-difference"),
        Comparison::Ratio => text!("measures-ratio"),
    };
    let what = match contrast.too_few {
        0 => text!("measures-worst", compare = compare),
        n => text!("measures-worst-left-out", compare = compare, n = n),
    };
    (contrast.against == Against::WorstPair).then(|| Pair { what, who, value: Shown::of(&reading.measured) })
}
