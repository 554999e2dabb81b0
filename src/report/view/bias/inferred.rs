//! Cohorts known by probability, marked as inferred.

use serde::Serialize;

use crate::audit::bias::inferred::{Inferred, Metric};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::said::{self, HOLE, Said, said};
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
    pub not_measured: Said,
    pub levels: Vec<Level>,
    pub levels_more: String,
    pub metrics: Vec<Rate>,
    pub metrics_more: String,
    pub caveats: Vec<Said>,
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
    pub rows_more: String,
    pub worst: Shown,
    /// Of which two levels the greatest difference is; empty where there is none.
    pub worst_of: String,
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
    let rows = |n: Option<i64>| n.map_or_else(|| text!("withheld"), words::count);
    Attribute {
        id: format!("inferred-{}", i + 1),
        name: text!("inferred-name", name = words::name(&of.name)),
        facts: vec![
            fact(&text!("inferred-source"), words::or_words(&of.method, &text!("inferred-not-stated"))),
            fact(&text!("inferred-used"), rows(of.rows.used)),
            fact(&text!("inferred-missing"), rows(of.rows.missing)),
            fact(&text!("inferred-out-of-range"), rows(of.rows.out_of_range)),
            fact(&text!("inferred-sum-wrong"), rows(of.rows.sum_wrong)),
            fact(&text!("inferred-accepted"), words::figure(of.rows.sum_wrong_share_max)),
        ],
        not_measured: not_measured(&of.not_measured),
        levels: of.levels.iter().take(caps.cohorts).map(level).collect(),
        levels_more: words::more(of.levels.len(), caps.cohorts, "levels", "report.json"),
        metrics: of.metrics.iter().take(caps.texts).map(|metric| rate(metric, of, report, caps)).collect(),
        metrics_more: words::more(of.metrics.len(), caps.texts, "metrics", "report.json"),
        caveats: said::list(&of.caveats, caps.texts, "report.json"),
    }
}

fn not_measured(why: &str) -> Said {
    match why.trim().is_empty() {
        true => Said::default(),
        false => Said::around(&text!("inferred-not-measured", why = HOLE), &[said(why)]),
    }
}

/// The two levels that differ most.
fn worst_of(metric: &Metric, of: &Inferred) -> String {
    if metric.worst_pair.is_empty() {
        return String::new();
    }
    let pair = of.levels.iter().find_map(|one| {
        let other = metric.worst_pair.strip_prefix(one.level.as_str())?.strip_prefix(" and ")?;
        let known = of.levels.iter().any(|level| level.level == other);
        known.then(|| text!("inferred-pair", name = words::name(&one.level), with = words::name(other)))
    });
    text!("inferred-worst", name = pair.unwrap_or_else(|| words::name(&metric.worst_pair)))
}

fn level(of: &crate::audit::bias::inferred::Level) -> Level {
    let figure = |value: Option<f64>| value.map_or_else(|| text!("withheld"), words::figure);
    let name = words::name(&of.level);
    Level {
        name: if of.reference { text!("inferred-reference", name = name) } else { name },
        column: words::name(&of.column),
        expected: figure(of.expected),
        effective: figure(of.n_effective),
    }
}

fn rate(metric: &Metric, of: &Inferred, report: &Report, caps: &Caps) -> Rate {
    let card = report.metrics.iter().find(|card| card.id == metric.metric);
    let row = |(at, level): (usize, &crate::audit::bias::inferred::Level)| Row {
        level: words::name(&level.level),
        value: metric.values.get(at).map_or_else(|| Shown::words(&text!("undefined"), ""), Shown::figure),
        ratio: match metric.ratios.get(at) {
            Some(Some(figure)) => Shown::figure(figure),
            _ => Shown::words(&text!("inferred-highest"), ""),
        },
    };
    Rate {
        name: said::metric(&metric.metric, card.map_or(metric.metric.as_str(), |card| card.name.as_str())),
        rows: of.levels.iter().enumerate().take(caps.cohorts).map(row).collect(),
        rows_more: words::more(of.levels.len(), caps.cohorts, "levels", "report.json"),
        worst: Shown::figure(&metric.worst),
        worst_of: worst_of(metric, of),
    }
}
