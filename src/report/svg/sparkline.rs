//! A value over past runs: a small line with intervals, the last run a diamond, the limit a line with its words.

use super::{Anchor, Canvas, Line, LineKind, Mark, Scale};

const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 74.0;
const LEFT: f64 = 8.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 66.0;
/// Room for the last value.
const FIGURE: f64 = 62.0;
/// Most runs: the last ones.
const RUNS: usize = 30;

/// A run. Where it has no value the line is broken; an end that is not there runs to the edge.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    pub value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

#[derive(Debug, Clone)]
pub struct Sparkline {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    pub description: String,
    pub scale: Scale,
    /// Oldest first; of more than 30 the last.
    pub runs: Vec<Past>,
    pub limits: Vec<Line>,
    /// The last value as it is written.
    pub last: String,
}

/// The line as SVG.
pub fn draw(spark: &Sparkline) -> String {
    let mut canvas = Canvas::new(&spark.id, &spark.title, &spark.description, (WIDTH, HEIGHT));
    let right = WIDTH - FIGURE;
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * spark.scale.share(value);
    let runs = spark.runs.get(spark.runs.len().saturating_sub(RUNS)..).unwrap_or_default();
    let step = (right - LEFT) / (runs.len().saturating_sub(1).max(1)) as f64;
    let x = |i: usize| if runs.len() == 1 { right } else { LEFT + step * i as f64 };
    // Words of several limits share the width.
    let room = WIDTH / spark.limits.len().max(1) as f64;
    for (i, line) in spark.limits.iter().enumerate() {
        let at = y(line.at);
        let (top, bottom) = match line.kind {
            LineKind::Reference => (at, at),
            LineKind::AtMost => (TOP - 4.0, at),
            LineKind::AtLeast => (at, BOTTOM + 4.0),
        };
        canvas.rectangle("k-beyond", (0.0, top), (right + 8.0, bottom - top));
        let class = if line.kind == LineKind::Reference { "k-base" } else { "k-limit" };
        canvas.path(class, format_args!("M0 {at:.1}H{:.1}", right + 8.0));
        canvas.text("k-note", (room * i as f64, 9.0), Anchor::Start, &line.words, room - 6.0);
    }
    let mut line = String::new();
    let mut open = false;
    for (i, run) in runs.iter().enumerate() {
        let value = run.value.filter(|value| value.is_finite());
        if let Some(value) = value {
            line += &format!("{}{:.1} {:.1}", if open { "L" } else { "M" }, x(i), y(value));
            let (low, high) = (run.lower.map_or(BOTTOM, y), run.upper.map_or(TOP, y));
            canvas.path("k-whisker", format_args!("M{:.1} {low:.1}V{high:.1}", x(i)));
        }
        open = value.is_some();
    }
    if !line.is_empty() {
        canvas.path("k-track", format_args!("{line}"));
    }
    if let Some((i, value)) = runs.iter().enumerate().rev().find_map(|(i, run)| Some((i, run.value?))) {
        canvas.put(format_args!("<g class=\"k-all\">"));
        canvas.shape(Mark::Diamond, x(i), y(value));
        canvas.put(format_args!("</g>"));
        canvas.text("k-label", (right + 11.0, y(value) + 4.0), Anchor::Start, &spark.last, FIGURE - 11.0);
    }
    canvas.finish()
}
