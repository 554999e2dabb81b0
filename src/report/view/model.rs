//! The model that was trained: what was fitted, its coefficients with their error, the penalties that were tried.
//!
//! A coefficient's interval is point and standard error with the normal quantile (Wald); where training gives no standard error, none is made up.

use serde::Serialize;

use super::words;
use super::{Caps, Fact, fact};
use crate::estimate::{Interval, normal};
use crate::report::document::{Coefficient, Model as Card, Report};
use crate::report::svg::{self, Chart, Line, LineKind, Mark, Scale, Size};

#[derive(Debug, Clone, Serialize)]
pub struct Model {
    pub facts: Vec<Fact>,
    pub coefficients: Vec<Row>,
    pub coefficients_more: String,
    pub chart: String,
    pub chart_note: String,
    pub path: Vec<Point>,
    pub path_note: String,
    pub notes: Vec<String>,
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
const NO_ERROR: &str = "no standard error";

pub fn model(card: &Card, report: &Report, caps: &Caps) -> Model {
    let confidence = report.method.confidence;
    let rows = |term: &str, n: i64| match report.privacy {
        Some(_) => fact(&format!("{term}, with noise"), words::count(n)),
        None => fact(term, words::count(n)),
    };
    let facts = vec![
        fact("Kind", words::name(&card.kind)),
        fact("Penalty", words::name(&card.penalty)),
        fact("Strength", words::figure(card.strength)),
        fact("Absolute-value share", words::figure(card.l1_ratio)),
        rows("Rows trained on", card.rows_train),
        rows("Rows left out of training", card.rows_skipped),
        fact("Intercept", format!("{} ({NO_ERROR} is computed)", words::figure(card.intercept))),
        fact("Greatest gap between integer and float predictor", words::figure(card.integer_gap_max)),
    ];
    let mut sorted: Vec<&Coefficient> = card.coefficients.iter().collect();
    sorted.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()).then_with(|| a.feature.cmp(&b.feature)));
    let charted: Vec<&Coefficient> = sorted.iter().copied().take(caps.chart_rows).collect();
    Model {
        facts,
        coefficients: sorted.iter().take(caps.coefficients).map(|coefficient| row(coefficient, confidence)).collect(),
        coefficients_more: words::more(sorted.len(), caps.coefficients, "smaller-coefficients", "report.json"),
        chart: if charted.is_empty() { String::new() } else { chart(&charted, confidence) },
        chart_note: chart_note(card, charted.len()),
        path: path(card),
        path_note: path_note(card),
        notes: words::list(&card.notes, caps.texts, "report.json"),
    }
}

fn interval(coefficient: &Coefficient, confidence: f64) -> Option<Interval> {
    let half = normal(confidence) * coefficient.standard_error?;
    Some(Interval::new(coefficient.value - half, coefficient.value + half))
}

fn row(coefficient: &Coefficient, confidence: f64) -> Row {
    Row {
        feature: words::name(&coefficient.feature),
        value: words::figure(coefficient.value),
        error: coefficient.standard_error.map_or(NO_ERROR.into(), words::figure),
        interval: interval(coefficient, confidence).as_ref().map_or("no interval".into(), words::interval),
    }
}

fn chart_note(card: &Card, charted: usize) -> String {
    let unit = if card.kind == "logistic" { "Log odds" } else { "Unit of the target" };
    let which = match charted < card.coefficients.len() {
        true => format!("The {charted} greatest. "),
        false => String::new(),
    };
    format!("{which}{unit} per unit of the feature. Sizes compare only where units do.")
}

fn chart(coefficients: &[&Coefficient], confidence: f64) -> String {
    let interval = |coefficient: &Coefficient| interval(coefficient, confidence);
    let rows: Vec<svg::Row> = coefficients
        .iter()
        .map(|coefficient| {
            let ends = interval(coefficient).unwrap_or(Interval::new(coefficient.value, coefficient.value));
            let value = svg::Value::Interval { point: coefficient.value, lower: ends.lower, upper: ends.upper };
            let mark = if coefficient.standard_error.is_some() { Mark::Dot } else { Mark::Ring };
            svg::Row { label: coefficient.feature.clone(), value, mark }
        })
        .collect();
    let values = coefficients.iter().flat_map(|coefficient| {
        let ends = interval(coefficient);
        [Some(coefficient.value), ends.and_then(|ends| ends.lower), ends.and_then(|ends| ends.upper)]
            .into_iter()
            .flatten()
    });
    let scale = Scale::over(values.chain([0.0]), &words::tick);
    let largest =
        coefficients.iter().take(3).map(|c| format!("{} {}", words::name(&c.feature), words::figure(c.value)));
    let description = format!("Largest in size: {}. The table has all.", largest.collect::<Vec<_>>().join("; "));
    let lines = vec![Line { at: 0.0, kind: LineKind::Reference }];
    svg::draw(&Chart {
        id: "coefficients".into(),
        size: Size::Single,
        title: "Coefficients".into(),
        description,
        scale,
        lines,
        rows,
    })
}

fn path(card: &Card) -> Vec<Point> {
    let mut sorted: Vec<_> = card.path.iter().collect();
    sorted.sort_by(|a, b| a.loss_mean.total_cmp(&b.loss_mean));
    let point = |point: &&crate::report::document::PathPoint| Point {
        strength: words::figure(point.strength),
        l1_ratio: words::figure(point.l1_ratio),
        loss: format!(
            "{} (standard error {})",
            words::figure(point.loss_mean),
            words::figure(point.loss_standard_error)
        ),
        chosen: point.strength == card.strength && point.l1_ratio == card.l1_ratio,
    };
    sorted.iter().take(PATH_ROWS).map(point).collect()
}

fn path_note(card: &Card) -> String {
    match card.path.len() {
        0 => "The penalty was given in the pipeline file; none was chosen by cross-validation.".into(),
        n => format!(
            "{} cross-validated; the {} of least mean loss:",
            words::many(n, "penalty was", "penalties were"),
            words::count(n.min(PATH_ROWS) as i64)
        ),
    }
}
