//! Charts as inline SVG: points with intervals on one scale, one row each, limits as lines.
//!
//! A chart is told numbers and finished texts; here they become coordinates. Every chart has `role="img"`, a title and a description with
//! ids of its own, no script and no style: classes are coloured by the page, and shape tells what colour tells. Texts are escaped here.

use std::fmt::Write;

pub mod frontier;

const ROW: f64 = 20.0;
const TOP: f64 = 8.0;
const AXIS: f64 = 22.0;
/// From the labels to the plot, and from the plot to the right edge.
const GAP: f64 = 9.0;
const MARGIN: f64 = 14.0;
/// Width of a character of a label, on the safe side.
const CHARACTER: f64 = 6.4;
/// Characters of all tick labels together that fit below a panel.
const TICK_CHARS: usize = 24;

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

    /// Most characters of a row's label; the table has the whole name.
    fn label_chars(self) -> usize {
        match self {
            Size::Panel => 20,
            Size::Single => 32,
        }
    }
}

/// Outline of a point. Shape and colour say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A compared cohort, or a coefficient.
    Dot,
    /// Everyone together.
    Diamond,
    /// A cohort that is shown and not compared.
    Ring,
    Met,
    Breached,
    Undetermined,
}

impl Mark {
    fn class(self) -> &'static str {
        match self {
            Mark::Dot => "k-dot",
            Mark::Diamond => "k-all",
            Mark::Ring => "k-ring",
            Mark::Met => "k-met",
            Mark::Breached => "k-breached",
            Mark::Undetermined => "k-open",
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
    pub rows: Vec<Row>,
}

/// The numbers at both ends of the plot, and the marks between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    pub lower: f64,
    pub upper: f64,
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// A scale over all values, ended at round numbers: steps of 1, 2, 2.5 or 5 times a power of ten.
    pub fn over(values: impl Iterator<Item = f64>, label: &dyn Fn(f64) -> String) -> Scale {
        let (lower, upper) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lower, upper), value| (lower.min(value), upper.max(value)));
        let (lower, upper) = match lower < upper {
            true => (lower, upper),
            false if lower.is_finite() => (lower - 0.5 * lower.abs().max(1.0), lower + 0.5 * lower.abs().max(1.0)),
            false => (0.0, 1.0),
        };
        let rough = (upper / 4.0 - lower / 4.0).max(f64::MIN_POSITIVE);
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|step| step * power)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let (first, last) = ((lower / step).floor(), (upper / step).ceil());
        let ticks: Vec<(f64, String)> = (0..=8)
            .map(|i| (first + f64::from(i)) * step)
            .take_while(|tick| *tick <= (last + 0.5) * step)
            .map(|tick| (tick, label(tick)))
            .collect();
        Scale { lower: first * step, upper: last * step, ticks }
    }

    /// Place of a value on the scale, 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let share = (value - self.lower) / (self.upper - self.lower);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl Chart {
    /// Right edge of the labels: as far as the longest needs.
    fn labels(&self) -> f64 {
        let longest = self.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
        CHARACTER * longest.clamp(9, self.size.label_chars()) as f64
    }

    fn left(&self) -> f64 {
        self.labels() + GAP
    }

    fn right(&self) -> f64 {
        self.size.width() - MARGIN
    }

    fn x(&self, value: f64) -> f64 {
        self.left() + (self.right() - self.left()) * self.scale.share(value)
    }
}

/// Draws a chart.
pub fn draw(chart: &Chart) -> String {
    let bottom = TOP + ROW * chart.rows.len() as f64;
    let (width, height) = (chart.size.width(), bottom + AXIS);
    let mut svg = String::new();
    let id = escape(&chart.id);
    let _ = write!(
        svg,
        "<svg role=\"img\" viewBox=\"0 0 {width} {height}\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escape(&chart.title),
        escape(&chart.description)
    );
    grid(&mut svg, chart, bottom);
    for (i, row) in chart.rows.iter().enumerate() {
        let middle = TOP + ROW * (i as f64 + 0.5);
        draw_row(&mut svg, chart, row, middle);
    }
    svg.push_str("</svg>");
    svg
}

fn grid(svg: &mut String, chart: &Chart, bottom: f64) {
    for line in &chart.lines {
        let x = chart.x(line.at);
        let (from, to) = match line.kind {
            LineKind::Reference => continue,
            LineKind::AtMost => (x, chart.right()),
            LineKind::AtLeast => (chart.left(), x),
        };
        let _ = write!(
            svg,
            "<rect class=\"k-beyond\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            to - from,
            bottom - TOP
        );
    }
    let chars: usize = chart.scale.ticks.iter().map(|(_, label)| label.chars().count()).sum();
    let every = chars.div_ceil(TICK_CHARS).max(1);
    for (at, label) in chart.scale.ticks.iter().step_by(every) {
        let x = chart.x(*at);
        let _ = write!(svg, "<path class=\"k-grid\" d=\"M{x:.1} {TOP}V{bottom:.1}\"/>");
        let _ = write!(
            svg,
            "<text class=\"k-tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 15.0,
            escape(label)
        );
    }
    for line in &chart.lines {
        let x = chart.x(line.at);
        let class = if line.kind == LineKind::Reference { "k-base" } else { "k-limit" };
        let _ = write!(svg, "<path class=\"{class}\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/>", TOP - 6.0);
    }
}

fn draw_row(svg: &mut String, chart: &Chart, row: &Row, middle: f64) {
    let label = escape(&cut(&row.label, chart.size.label_chars()));
    let right = chart.labels();
    let _ = write!(
        svg,
        "<text class=\"k-label\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
        middle + 4.0
    );
    let class = row.mark.class();
    match &row.value {
        Value::Words(words) => {
            let _ = write!(
                svg,
                "<text class=\"k-words\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                chart.left() + 6.0,
                middle + 4.0,
                escape(words)
            );
        }
        Value::Interval { point, lower, upper } => {
            let from = lower.map_or(chart.left(), |lower| chart.x(lower));
            let to = upper.map_or(chart.right(), |upper| chart.x(upper));
            let _ = write!(svg, "<g class=\"{class}\"><path d=\"M{from:.1} {middle}H{to:.1}\"/>");
            svg.push_str(&shape(row.mark, chart.x(*point), middle));
            svg.push_str("</g>");
        }
    }
}

fn shape(mark: Mark, x: f64, y: f64) -> String {
    match mark {
        Mark::Dot | Mark::Met | Mark::Ring => format!("<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"4.2\"/>"),
        Mark::Undetermined => format!("<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"4.6\" stroke-dasharray=\"2.4 1.8\"/>"),
        Mark::Diamond => format!("<path class=\"k-fill\" d=\"M{x:.1} {}l5 5l-5 5l-5 -5z\"/>", y - 5.0),
        Mark::Breached => format!("<path class=\"k-fill\" d=\"M{:.1} {}h8.4v8.4h-8.4z\"/>", x - 4.2, y - 4.2),
    }
}

/// A line over a plane: where it is broken there is no value.
#[derive(Debug, Clone)]
pub struct Track {
    pub label: String,
    pub points: Vec<(f64, Option<f64>)>,
}

/// Lines over one scale, told apart by their dashes and named at their ends.
#[derive(Debug, Clone)]
pub struct Plane {
    pub id: String,
    pub title: String,
    pub description: String,
    pub across: Scale,
    pub up: Scale,
    pub tracks: Vec<Track>,
    /// A line from top to bottom.
    pub mark: Option<f64>,
}

const PLANE: (f64, f64) = (520.0, 220.0);
/// Dashes of the lines, in turn.
const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];

/// Draws lines over a plane.
pub fn plane(plane: &Plane) -> String {
    let (width, height) = PLANE;
    let (left, right, top, bottom) = (44.0, width - 150.0, TOP, height - AXIS);
    let x = |value: f64| left + (right - left) * plane.across.share(value);
    let y = |value: f64| bottom - (bottom - top) * plane.up.share(value);
    let id = escape(&plane.id);
    let mut svg = format!(
        "<svg role=\"img\" viewBox=\"0 0 {width} {height}\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escape(&plane.title),
        escape(&plane.description)
    );
    for (at, label) in &plane.across.ticks {
        let (x, label) = (x(*at), escape(label));
        let _ = write!(
            svg,
            "<path class=\"k-grid\" d=\"M{x:.1} {top}V{bottom:.1}\"/><text class=\"k-tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 15.0
        );
    }
    for (at, label) in &plane.up.ticks {
        let (y, label) = (y(*at), escape(label));
        let _ = write!(
            svg,
            "<path class=\"k-grid\" d=\"M{left} {y:.1}H{right:.1}\"/><text class=\"k-tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 5.0,
            y + 4.0
        );
    }
    if let Some(mark) = plane.mark {
        let _ = write!(svg, "<path class=\"k-base\" d=\"M{:.1} {top}V{bottom:.1}\"/>", x(mark));
    }
    for (i, track) in plane.tracks.iter().enumerate() {
        let dash = DASHES[i % DASHES.len()];
        let _ = write!(svg, "<path class=\"k-track\" stroke-dasharray=\"{dash}\" d=\"");
        let mut open = false;
        for (at, value) in &track.points {
            match value.filter(|value| value.is_finite()) {
                Some(value) => {
                    let _ = write!(svg, "{}{:.1} {:.1}", if open { "L" } else { "M" }, x(*at), y(value));
                    open = true;
                }
                None => open = false,
            }
        }
        let row = top + 12.0 + ROW * i as f64;
        let _ = write!(
            svg,
            "\"/><path class=\"k-track\" stroke-dasharray=\"{dash}\" d=\"M{:.1} {row:.1}H{:.1}\"/><text class=\"k-words\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            right + 8.0,
            right + 34.0,
            right + 38.0,
            row + 4.0,
            escape(&cut(&track.label, 18))
        );
    }
    svg.push_str("</svg>");
    svg
}

/// At most this many characters, the last one an ellipsis when some were cut.
pub fn cut(text: &str, chars: usize) -> String {
    match text.chars().count() <= chars {
        true => text.into(),
        false => text.chars().take(chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[(f64, Option<f64>, Option<f64>)], scale: Scale) -> String {
        let value = |(point, lower, upper): &(f64, Option<f64>, Option<f64>)| Value::Interval {
            point: *point,
            lower: *lower,
            upper: *upper,
        };
        let rows = values.iter().map(|v| Row { label: "a < b".into(), value: value(v), mark: Mark::Dot }).collect();
        let lines = vec![Line { at: 0.8, kind: LineKind::AtLeast }];
        draw(&Chart {
            id: "c".into(),
            size: Size::Panel,
            title: "t".into(),
            description: "d".into(),
            scale,
            lines,
            rows,
        })
    }

    fn numbers(svg: &str, before: &str) -> Vec<f64> {
        svg.split(before).skip(1).filter_map(|rest| rest.split(['\"', ' ', 'H', 'V']).next()?.parse().ok()).collect()
    }

    #[test]
    fn a_scale_ends_at_round_numbers_around_all_values() {
        let label = |x: f64| format!("{x:.2}");
        for (lower, upper) in [(0.0, 1.0), (0.13, 0.92), (-3.0, 17.0), (0.4, 0.4), (1e-9, 2e-9), (-4e5, 3e7)] {
            let scale = Scale::over([lower, upper].into_iter(), &label);
            assert!(
                scale.lower <= lower && upper <= scale.upper && scale.lower < scale.upper,
                "{lower} {upper}: {scale:?}"
            );
            assert!((2..=8).contains(&scale.ticks.len()), "{scale:?}");
        }
        assert_eq!(
            Scale::over([f64::NAN, f64::INFINITY].into_iter(), &label),
            Scale::over([0.0, 1.0].into_iter(), &label)
        );
        let extreme = chart(&[(0.0, None, Some(f64::MAX))], Scale::over([f64::MIN, f64::MAX].into_iter(), &label));
        assert!(!extreme.contains("NaN") && !extreme.contains("inf\""));
    }

    #[test]
    fn points_lie_on_their_intervals_and_ends_that_are_not_there_run_to_the_edge() {
        let scale = Scale { lower: 0.0, upper: 1.0, ticks: vec![(0.0, "0".into())] };
        let svg = chart(&[(0.5, Some(0.25), Some(0.75)), (0.5, None, None)], scale);
        let (left, right) = (9.0 * CHARACTER + GAP, Size::Panel.width() - MARGIN);
        let middle = (left + right) / 2.0;
        let points = numbers(&svg, "cx=\"");
        assert!(points.len() == 2 && points.iter().all(|x| (x - middle).abs() < 0.06), "{points:?}");
        let from = numbers(&svg, "<g class=\"k-dot\"><path d=\"M");
        assert!((from[0] - (left + 0.25 * (right - left))).abs() < 0.06 && (from[1] - left).abs() < 0.06, "{from:?}");
        assert!(svg.contains("a &lt; b") && svg.contains("k-limit") && svg.contains("role=\"img\""));
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
