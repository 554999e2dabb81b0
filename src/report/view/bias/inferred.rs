//! Cohorts known by probability, marked as inferred.

use serde::Serialize;

use crate::audit::bias::inferred::{Inferred, Metric};
use crate::report::document::Report;
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub attributes: Vec<Attribute>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Attribute {
    pub id: String,
    pub name: String,
    pub facts: Vec<Fact>,
    /// Why nothing was measured; empty where it was.
    pub not_measured: String,
    pub levels: Vec<Level>,
    pub metrics: Vec<Rate>,
    pub metrics_more: String,
    pub caveats: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Level {
    pub name: String,
    pub column: String,
    pub expected: String,
    pub effective: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Rate {
    pub name: String,
    pub rows: Vec<Row>,
    pub worst: Shown,
    pub worst_pair: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub level: String,
    pub value: Shown,
    pub ratio: Shown,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let all = &report.bias.inferred;
    let attributes: Vec<Attribute> =
        all.iter().take(caps.sets).enumerate().map(|(i, of)| attribute(i, of, report, caps)).collect();
    let more = words::more(all.len(), caps.sets, "attributes", "report.json");
    (!attributes.is_empty()).then_some(Section { attributes, more })
}

fn attribute(i: usize, of: &Inferred, report: &Report, caps: &Caps) -> Attribute {
    let rows = |n: Option<i64>| n.map_or("withheld".into(), words::count);
    Attribute {
        id: format!("inferred-{}", i + 1),
        name: format!("{} (inferred)", words::name(&of.name)),
        facts: vec![
            fact("Source of the probabilities", words::or_words(&of.method, "not stated in the pipeline file")),
            fact("Rows used", rows(of.rows.used)),
            fact("Left out: a probability is missing", rows(of.rows.missing)),
            fact("Left out: a probability is below 0 or above 1", rows(of.rows.out_of_range)),
            fact("Left out: the sum is not one", rows(of.rows.sum_wrong)),
            fact("Accepted share of the last two", words::figure(of.rows.sum_wrong_share_max)),
        ],
        not_measured: words::prose(&of.not_measured),
        levels: of.levels.iter().take(caps.cohorts).map(level).collect(),
        metrics: of.metrics.iter().take(caps.texts).map(|metric| rate(metric, of, report, caps)).collect(),
        metrics_more: words::more(of.metrics.len(), caps.texts, "metrics", "report.json"),
        caveats: of.caveats.iter().map(|text| words::sentence(text)).collect(),
    }
}

fn level(of: &crate::audit::bias::inferred::Level) -> Level {
    let figure = |value: Option<f64>| value.map_or("withheld".into(), words::figure);
    let reference = if of.reference { ", the reference" } else { "" };
    Level {
        name: format!("{}{reference}", words::name(&of.level)),
        column: words::name(&of.column),
        expected: figure(of.expected),
        effective: figure(of.n_effective),
    }
}

fn rate(metric: &Metric, of: &Inferred, report: &Report, caps: &Caps) -> Rate {
    let card = report.metrics.iter().find(|card| card.id == metric.metric);
    let row = |(at, level): (usize, &crate::audit::bias::inferred::Level)| Row {
        level: words::name(&level.level),
        value: metric.values.get(at).map_or(Shown::words("undefined", ""), Shown::figure),
        ratio: match metric.ratios.get(at) {
            Some(Some(figure)) => Shown::figure(figure),
            _ => Shown::words("the highest, or too few rows", ""),
        },
    };
    Rate {
        name: words::name(card.map_or(metric.metric.as_str(), |card| card.name.as_str())),
        rows: of.levels.iter().enumerate().take(caps.cohorts).map(row).collect(),
        worst: Shown::figure(&metric.worst),
        worst_pair: words::name(&metric.worst_pair),
    }
}
