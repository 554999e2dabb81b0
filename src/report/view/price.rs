//! What privacy cost the numbers: every published value and comparison beside the one without noise. Internal edition only.
//!
//! The values a criterion judges stand apart, before all others. A worst pair, or the highest cohort, may be another one without noise; both
//! are named then.

use std::collections::HashMap;

use serde::Serialize;

use super::charts::levels;
use super::gates::criteria;
use super::measures::COLUMNS;
use super::words::{self, Shown};
use super::{Caps, Names};
use crate::metric::{Against, Comparison};
use crate::report::document::{Cohort, Reading, Report, Run};
use crate::report::language::text;

#[derive(Debug, Clone, Serialize)]
pub struct Price {
    /// What the criteria judge.
    pub judged: Vec<Row>,
    /// `Price of 18 metrics`.
    pub title: String,
    pub metrics: Vec<Metric>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Metric {
    pub name: String,
    pub rows: Vec<Row>,
}

/// A value as published, and without noise.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub metric: String,
    /// `value`, or what is compared.
    pub what: String,
    pub cohort: String,
    pub with: Shown,
    pub without: Shown,
}

/// What tells one reading from another. A worst pair has no cohort of its own: noise may have made it of others.
type Key<'a> = (&'a str, &'a [String], Option<(Comparison, Against)>, Option<&'a Cohort>);

fn kind(reading: &Reading) -> Option<(Comparison, Against)> {
    reading.contrast.as_ref().map(|contrast| (contrast.compare, contrast.against))
}

fn key(reading: &Reading) -> Key<'_> {
    let kind = kind(reading);
    let cohort = Some(&reading.cohort).filter(|_| kind.is_none_or(|(_, against)| against != Against::WorstPair));
    (&reading.metric, &reading.across, kind, cohort)
}

/// None in the public edition.
pub fn price(report: &Report, run: &Run, names: &Names, caps: &Caps) -> Option<Price> {
    if report.privacy.is_none() || run.price.is_empty() {
        return None;
    }
    let exact: HashMap<Key, &Reading> = run.price.iter().map(|reading| (key(reading), reading)).collect();
    let most = caps.values / 2;
    let row = |reading: &Reading| row(reading, exact.get(&key(reading)).copied(), names);
    let criteria = criteria(report);
    let is_judged = |reading: &Reading| {
        criteria.iter().any(|criterion| {
            let gate = criterion.gate;
            gate.metric == reading.metric
                && gate.across == reading.across
                && gate.compare.zip(against(gate)) == kind(reading)
        })
    };
    let mut left = most;
    let mut all = 0;
    let mut take = |reading: &Reading| {
        all += 1;
        let shows = left > 0;
        left = left.saturating_sub(1);
        shows.then(|| row(reading))
    };
    let judged: Vec<Row> = report.readings.iter().filter(|reading| is_judged(reading)).filter_map(&mut take).collect();
    let mut metrics: Vec<Metric> = Vec::new();
    for readings in report.readings.chunk_by(|a, b| a.metric == b.metric) {
        let rows: Vec<Row> = shown(readings).filter_map(&mut take).collect();
        if let (Some(first), false) = (readings.first(), rows.is_empty()) {
            metrics.push(Metric { name: names.metric(&first.metric), rows });
        }
    }
    Some(Price {
        judged,
        title: text!("privacy-price-title", n = metrics.len()),
        metrics,
        more: words::more(all, most, "values", &text!("privacy-both-documents")),
    })
}

fn against(gate: &crate::report::document::Gate) -> Option<Against> {
    gate.compare.map(|_| gate.against.unwrap_or(Against::WorstPair))
}

/// Values, worst pairs, and the comparisons that have a column in the tables of values.
fn shown(readings: &[Reading]) -> impl Iterator<Item = &Reading> {
    let columns: Vec<(Comparison, Against)> = COLUMNS
        .into_iter()
        .filter_map(|line| line.iter().copied().find(|of| readings.iter().any(|reading| kind(reading) == Some(*of))))
        .collect();
    readings
        .iter()
        .filter(move |reading| kind(reading).is_none_or(|kind| kind.1 == Against::WorstPair || columns.contains(&kind)))
}

fn row(published: &Reading, exact: Option<&Reading>, names: &Names) -> Row {
    let kind = kind(published);
    let with = who(published);
    let without = exact.map(who).filter(|without| *without != with);
    Row {
        metric: names.metric(&published.metric),
        what: kind.map_or_else(|| text!("value"), |(compare, against)| words::comparison(Some(compare), Some(against))),
        cohort: match without {
            None => with,
            Some(without) => text!("privacy-price-other", with = with, without = without),
        },
        with: Shown::of(&published.measured),
        without: match (exact, kind) {
            (Some(reading), _) => Shown::of(&reading.measured),
            // Unknown and undeclared levels that do not occur are cohorts only where noise hides whether they do.
            (None, None) => Shown::words(&text!("undefined"), &text!("privacy-price-no-row")),
            (None, Some(_)) => Shown::words(&text!("measures-not-compared"), &text!("privacy-price-not-compared")),
        },
    }
}

/// The cohort, and the one it is compared with where that is picked by the values.
fn who(reading: &Reading) -> String {
    let with = reading.contrast.as_ref().and_then(|contrast| Some((contrast.against, contrast.with.as_ref()?)));
    let cohort = reading.cohort.to_string();
    match with {
        Some((Against::WorstPair, with)) => {
            words::name(&text!("measures-pair", one = levels(&reading.cohort), other = levels(with)))
        }
        Some((Against::Highest, with)) => {
            words::name(&text!("privacy-price-with", cohort = cohort, with = levels(with)))
        }
        None if kind(reading).is_some_and(|(_, against)| against == Against::WorstPair) => text!("measures-no-pair"),
        _ => words::name(&cohort),
    }
}
