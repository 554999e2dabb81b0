//! The model that was trained: what was fitted, its coefficients with their error, the penalties that were tried.
//!
//! A coefficient's interval is point and standard error with the normal quantile (Wald); where training gives no standard error, none is made up.

use serde::Serialize;

use super::charts::listed;
use super::said::{self, Said};
use super::words;
use super::{Caps, Fact, fact};
use crate::estimate::{Interval, normal};
use crate::report::document::{Coefficient, Model as Card, PathPoint, Report};
use crate::report::language::text;
use crate::report::svg::curves::{self, Axis, Curve, Curves, Spot};
use crate::report::svg::{self, Chart, Line, LineKind, Mark, Scale, Size, scrolled};

#[derive(Debug, Clone, Serialize)]
pub struct Model {
    pub facts: Vec<Fact>,
    pub coefficients: Vec<Row>,
    pub coefficients_more: String,
    pub chart: String,
    pub chart_note: String,
    pub path: Vec<Point>,
    pub path_note: String,
    /// Loss by strength of the penalty; empty where fewer than two were tried.
    pub path_chart: String,
    pub notes: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub feature: String,
    pub value: String,
    pub error: String,
    pub interval: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Point {
    pub strength: String,
    pub l1_ratio: String,
    pub loss: String,
    pub chosen: bool,
}

/// Points of the path that are shown.
const PATH_ROWS: usize = 10;
/// Coefficients that a description says.
const SAID: usize = 3;
/// Curves of the path that are drawn.
const CURVES: usize = 8;

pub fn model(card: &Card, report: &Report, caps: &Caps) -> Model {
    let confidence = report.method.confidence;
    let rows = |exact: String, noisy: String, n: i64| match report.privacy {
        Some(_) => fact(&noisy, words::count(n)),
        None => fact(&exact, words::count(n)),
    };
    let facts = vec![
        fact(&text!("model-kind"), kind(&card.kind)),
        fact(&text!("model-penalty"), penalty(&card.penalty)),
        fact(&text!("model-strength"), words::figure(card.strength)),
        fact(&text!("model-absolute-share"), words::figure(card.l1_ratio)),
        rows(text!("model-rows-trained"), text!("model-rows-trained-noisy"), card.rows_train),
        rows(text!("model-rows-left-out"), text!("model-rows-left-out-noisy"), card.rows_skipped),
        fact(&text!("model-intercept"), text!("model-intercept-value", value = words::figure(card.intercept))),
        fact(&text!("model-gap"), words::figure(card.integer_gap_max)),
    ];
    let mut sorted: Vec<&Coefficient> = card.coefficients.iter().collect();
    sorted.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()).then_with(|| a.feature.cmp(&b.feature)));
    let charted: Vec<&Coefficient> = sorted.iter().copied().take(caps.chart_rows).collect();
    Model {
        facts,
        coefficients: sorted.iter().take(caps.coefficients).map(|coefficient| row(coefficient, confidence)).collect(),
        coefficients_more: words::more(sorted.len(), caps.coefficients, "smaller-coefficients", "report.json"),
        chart: if charted.is_empty() { String::new() } else { chart(&charted, confidence) },
        chart_note: chart_note(card, &charted),
        path: path(card),
        path_note: path_note(card),
        path_chart: path_chart(card),
        notes: said::list(&card.notes, caps.texts, "report.json"),
    }
}

fn kind(kind: &str) -> String {
    match kind {
        "logistic" => text!("model-logistic"),
        "linear" => text!("model-linear"),
        other => words::name(other),
    }
}

fn penalty(penalty: &str) -> String {
    match penalty {
        "none" => text!("model-penalty-none"),
        "ridge" => text!("model-penalty-ridge"),
        "lasso" => text!("model-penalty-lasso"),
        "elastic-net" => text!("model-penalty-elastic-net"),
        other => words::name(other),
    }
}

fn interval(coefficient: &Coefficient, confidence: f64) -> Option<Interval> {
    let half = normal(confidence) * coefficient.standard_error?;
    Some(Interval::new(coefficient.value - half, coefficient.value + half))
}

/// The name of a feature; that of an indicator of missing values in the language of the page.
fn feature(name: &str) -> String {
    match name.strip_suffix(" is missing") {
        Some(column) => text!("model-feature-missing", name = words::name(column)),
        None => words::name(name),
    }
}

fn row(coefficient: &Coefficient, confidence: f64) -> Row {
    let interval = interval(coefficient, confidence);
    Row {
        feature: feature(&coefficient.feature),
        value: words::figure(coefficient.value),
        error: coefficient.standard_error.map_or_else(|| text!("model-no-error"), words::figure),
        interval: interval.as_ref().map_or_else(|| text!("model-no-interval"), words::interval),
    }
}

fn chart_note(card: &Card, charted: &[&Coefficient]) -> String {
    let n = charted.len();
    let cut = n < card.coefficients.len();
    let note = match (card.kind == "logistic", cut) {
        (true, true) => text!("model-note-log-odds-cut", n = n),
        (true, false) => text!("model-note-log-odds"),
        (false, true) => text!("model-note-unit-cut", n = n),
        (false, false) => text!("model-note-unit"),
    };
    match charted.iter().any(|coefficient| coefficient.standard_error.is_none()) {
        true => text!("measures-sentences", first = note, then = text!("model-note-ring")),
        false => note,
    }
}

fn chart(coefficients: &[&Coefficient], confidence: f64) -> String {
    let rows: Vec<svg::Row> = coefficients
        .iter()
        .map(|coefficient| {
            let ends = interval(coefficient, confidence).unwrap_or(Interval::new(coefficient.value, coefficient.value));
            let value = svg::Value::Interval { point: coefficient.value, lower: ends.lower, upper: ends.upper };
            let mark = if coefficient.standard_error.is_some() { Mark::Dot } else { Mark::Ring };
            svg::Row { label: feature(&coefficient.feature), value, mark }
        })
        .collect();
    let values = coefficients.iter().flat_map(|coefficient| {
        let ends = interval(coefficient, confidence);
        [Some(coefficient.value), ends.and_then(|ends| ends.lower), ends.and_then(|ends| ends.upper)]
            .into_iter()
            .flatten()
    });
    let scale = Scale::over(values.chain([0.0]), &words::tick);
    let largest = coefficients.iter().take(SAID);
    let largest = listed(largest.map(|c| format!("{} {}", feature(&c.feature), words::figure(c.value))));
    let lines = vec![Line { at: 0.0, kind: LineKind::Reference, words: String::new() }];
    let svg = svg::draw(&Chart {
        id: "coefficients".into(),
        size: Size::Single,
        title: text!("model-coefficients"),
        description: text!("model-largest", list = largest),
        scale,
        lines,
        rows,
    });
    scrolled(&svg, &text!("model-coefficients-chart"))
}

fn path(card: &Card) -> Vec<Point> {
    let point = |point: &&PathPoint| Point {
        strength: words::figure(point.strength),
        l1_ratio: words::figure(point.l1_ratio),
        loss: text!(
            "model-loss",
            mean = words::figure(point.loss_mean),
            error = words::figure(point.loss_standard_error)
        ),
        chosen: is_chosen(point, card),
    };
    best(card).iter().take(PATH_ROWS).map(point).collect()
}

/// Penalties by their loss, the least first.
fn best(card: &Card) -> Vec<&PathPoint> {
    let mut sorted: Vec<_> = card.path.iter().collect();
    sorted.sort_by(|a, b| a.loss_mean.total_cmp(&b.loss_mean));
    sorted
}

fn is_chosen(point: &PathPoint, card: &Card) -> bool {
    point.strength == card.strength && point.l1_ratio == card.l1_ratio
}

fn path_note(card: &Card) -> String {
    match card.path.len() {
        0 => text!("model-penalty-given"),
        n => text!("model-penalties-tried", n = n, shown = n.min(PATH_ROWS)),
    }
}

/// The cross-validated loss by strength of the penalty, strengths by their power of ten; one curve for each absolute-value share.
fn path_chart(card: &Card) -> String {
    let known = |point: &&PathPoint| point.strength > 0.0 && point.loss_mean.is_finite();
    let mut points: Vec<&PathPoint> = card.path.iter().filter(known).collect();
    if points.len() < 2 {
        return String::new();
    }
    points.sort_by(|a, b| a.l1_ratio.total_cmp(&b.l1_ratio).then(a.strength.total_cmp(&b.strength)));
    let ends = |point: &PathPoint| {
        let error = Some(point.loss_standard_error).filter(|error| error.is_finite());
        error.map(|error| (point.loss_mean - error, point.loss_mean + error))
    };
    let spot = |point: &&PathPoint| Spot {
        x: point.strength.log10(),
        y: Some(point.loss_mean),
        lower: ends(point).map(|ends| ends.0),
        upper: ends(point).map(|ends| ends.1),
    };
    let curve = |points: &[&PathPoint]| Curve {
        label: points.first().map_or_else(String::new, |of| text!("model-share", share = words::tick(of.l1_ratio))),
        spots: points.iter().map(spot).collect(),
        dots: true,
        band: Vec::new(),
    };
    let all: Vec<&[&PathPoint]> = points.chunk_by(|a, b| a.l1_ratio == b.l1_ratio).collect();
    let values = points.iter().flat_map(|point| ends(point).map_or([point.loss_mean; 2], |ends| [ends.0, ends.1]));
    let power = |at: f64| words::tick(10f64.powf(at));
    let across = Scale::over(points.iter().map(|point| point.strength.log10()), &power);
    let least = best(card).first().map_or_else(String::new, |point| {
        text!("model-path-description", loss = words::figure(point.loss_mean), strength = words::figure(point.strength))
    });
    let used = points.iter().find(|point| is_chosen(point, card));
    curves::draw(&Curves {
        id: "path".into(),
        title: text!("model-path-chart"),
        description: least,
        is_square: false,
        across: Axis { name: text!("model-path-strength"), scale: across },
        up: Axis { name: text!("model-path-loss"), scale: Scale::over(values, &words::tick) },
        curves: all.iter().take(CURVES).map(|points| curve(points)).collect(),
        diagonal: false,
        mark: used.map(|point| (point.strength.log10(), text!("model-used"))),
    })
}
