//! Forest plots: points with intervals on one scale, one row each, limits as lines with what they are beside them.

use super::{Anchor, Canvas, LETTER, MARKS, Mark, SMALL, Scale, width};

const ROW: f64 = 20.0;
const TOP: f64 = 8.0;
const AXIS: f64 = 22.0;
/// Height of a line's words above the plot.
const WORDS: f64 = 13.0;
/// From the labels to the plot, and from the plot to the right edge.
const GAP: f64 = 9.0;
const MARGIN: f64 = 14.0;
/// Narrowest room for labels.
const LABELS_MIN: f64 = 58.0;

/// How wide a chart is, in units that the page scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One of several side by side.
    Panel,
    /// One by itself.
    Single,
}

impl Size {
    fn width(self) -> f64 {
        match self {
            Size::Panel => 280.0,
            Size::Single => 520.0,
        }
    }

    /// Most room of a row's label; the table has the whole name.
    fn labels(self) -> f64 {
        match self {
            Size::Panel => 128.0,
            Size::Single => 205.0,
        }
    }
}

/// One row of a chart.
#[derive(Debug, Clone)]
pub struct Row {
    pub label: String,
    pub value: Value,
    pub mark: Mark,
}

#[derive(Debug, Clone)]
pub enum Value {
    /// An end that is not there runs to the edge.
    Interval { point: f64, lower: Option<f64>, upper: Option<f64> },
    /// Shown in place of a point.
    Words(String),
}

/// A line across all rows.
#[derive(Debug, Clone)]
pub struct Line {
    pub at: f64,
    pub kind: LineKind,
    /// What it is, written above it; nothing where it is empty.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Value of everyone, or no effect.
    Reference,
    /// Greatest acceptable value.
    AtMost,
    /// Least acceptable value.
    AtLeast,
}

/// A chart before it has coordinates.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Unique in the page.
    pub id: String,
    pub size: Size,
    pub title: String,
    pub description: String,
    pub scale: Scale,
    pub lines: Vec<Line>,
    /// Those after the first 200 are not drawn.
    pub rows: Vec<Row>,
}

impl Chart {
    /// Right edge of the labels: as far as the longest needs.
    fn labels(&self) -> f64 {
        let longest = self.rows.iter().map(|row| LETTER * width(&row.label)).fold(LABELS_MIN, f64::max);
        longest.min(self.size.labels())
    }

    pub(super) fn left(&self) -> f64 {
        self.labels() + GAP
    }

    pub(super) fn right(&self) -> f64 {
        self.size.width() - MARGIN
    }

    fn x(&self, value: f64) -> f64 {
        self.left() + (self.right() - self.left()) * self.scale.share(value)
    }

    fn named(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.words.is_empty())
    }

    fn top(&self) -> f64 {
        TOP + WORDS * self.named().count() as f64
    }

    fn bottom(&self) -> f64 {
        self.top() + ROW * self.rows.len().min(MARKS) as f64
    }
}

/// Draws a chart.
pub fn draw(chart: &Chart) -> String {
    let size = (chart.size.width(), chart.bottom() + AXIS);
    let mut canvas = Canvas::new(&chart.id, &chart.title, &chart.description, size);
    grid(&mut canvas, chart);
    for (i, row) in chart.rows.iter().take(MARKS).enumerate() {
        draw_row(&mut canvas, chart, row, chart.top() + ROW * (i as f64 + 0.5));
    }
    canvas.finish()
}

fn grid(canvas: &mut Canvas, chart: &Chart) {
    let (top, bottom, left, right) = (chart.top(), chart.bottom(), chart.left(), chart.right());
    for line in &chart.lines {
        let x = chart.x(line.at);
        let (from, to) = match line.kind {
            LineKind::Reference => continue,
            LineKind::AtMost => (x, right),
            LineKind::AtLeast => (left, x),
        };
        canvas.rectangle("k-beyond", (from, top), (to - from, bottom - top));
    }
    let longest = chart.scale.ticks.iter().map(|(_, label)| SMALL * width(label)).fold(1.0, f64::max);
    let fits = ((right - left) / (longest + 6.0)).floor().max(1.0) as usize;
    let every = chart.scale.ticks.len().div_ceil(fits).max(1);
    for (at, label) in chart.scale.ticks.iter().step_by(every) {
        let x = chart.x(*at);
        canvas.path("k-grid", format_args!("M{x:.1} {top}V{bottom:.1}"));
        // The last one ends where the picture ends.
        let half = SMALL * width(label) / 2.0;
        let x = x.min(right + MARGIN - half);
        canvas.text("k-tick", (x, bottom + 15.0), Anchor::Middle, label, right - left);
    }
    for line in chart.lines.iter().filter(|line| line.words.is_empty()) {
        line_at(canvas, chart, line, top - 6.0);
    }
    for (i, line) in chart.named().enumerate() {
        let y = WORDS * (i + 1) as f64;
        line_at(canvas, chart, line, y + 2.0);
        let wide = (SMALL * width(&line.words)).min(chart.size.width());
        let from = (chart.x(line.at) - wide / 2.0).clamp(0.0, chart.size.width() - wide);
        let class = if line.kind == LineKind::Reference { "k-tick" } else { "k-note" };
        canvas.text(class, (from, y - 1.5), Anchor::Start, &line.words, wide + 1.0);
    }
}

fn line_at(canvas: &mut Canvas, chart: &Chart, line: &Line, from: f64) {
    let class = if line.kind == LineKind::Reference { "k-base" } else { "k-limit" };
    canvas.path(class, format_args!("M{:.1} {from:.1}V{:.1}", chart.x(line.at), chart.bottom()));
}

fn draw_row(canvas: &mut Canvas, chart: &Chart, row: &Row, middle: f64) {
    let labels = chart.labels();
    canvas.text("k-label", (labels, middle + 4.0), Anchor::End, &row.label, labels);
    match &row.value {
        Value::Words(words) => {
            let from = chart.left() + 6.0;
            canvas.text("k-words", (from, middle + 4.0), Anchor::Start, words, chart.right() - from);
        }
        Value::Interval { point, lower, upper } => {
            let from = lower.map_or(chart.left(), |lower| chart.x(lower));
            let to = upper.map_or(chart.right(), |upper| chart.x(upper));
            let class = row.mark.class();
            canvas.put(format_args!("<g class=\"{class}\"><path d=\"M{from:.1} {middle}H{to:.1}\"/>"));
            canvas.shape(row.mark, chart.x(*point), middle);
            canvas.put(format_args!("</g>"));
        }
    }
}
