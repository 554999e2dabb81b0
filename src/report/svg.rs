//! Charts as inline SVG: forest plots, curves, frontiers, bars, gauges, sparklines.
//!
//! A chart is told numbers and finished texts; here they become coordinates, and nothing is computed. Every chart has `role="img"`, a title
//! and a description with ids of its own, no script and no style: classes are coloured by the page, and shape tells what colour tells.
//! Texts are escaped here, and cut where there is no room; the whole text is then the title of what is left. A chart that is not readable at
//! the width of a telephone stands in a region that scrolls ([`scrolled`]).

use std::fmt::{Arguments, Write};

#[allow(dead_code, reason = "shares of two runs, placed beside what changed")]
pub mod bars;
pub mod curves;
mod forest;
pub mod frontier;
pub mod gauge;
pub mod sparkline;

pub use curves::{Names as Axes, Plane, Track, sweep};
pub use forest::{Chart, Line, LineKind, Row, Size, Value, draw};

/// Most points, bars or rows of one chart.
const MARKS: usize = 200;
/// Most characters of a title of a text that was cut.
const TITLE_CHARS: usize = 200;
/// Size of the letters of a label, and of a tick.
const LETTER: f64 = 11.5;
const SMALL: f64 = 10.5;

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

/// Which end of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A chart while it is drawn.
struct Canvas(String);

impl Canvas {
    fn new(id: &str, title: &str, description: &str, (width, height): (f64, f64)) -> Canvas {
        let (id, title, description) = (escape(id), escape(title), escape(description));
        Canvas(format!(
            "<svg role=\"img\" viewBox=\"0 0 {width} {height}\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>"
        ))
    }

    fn put(&mut self, markup: Arguments) {
        // Writing to a text does not fail.
        let _ = self.0.write_fmt(markup);
    }

    fn path(&mut self, class: &str, d: Arguments) {
        self.put(format_args!("<path class=\"{class}\" d=\"{d}\"/>"));
    }

    fn rectangle(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let width = width.max(0.0);
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// A text in so much room.
    fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str, room: f64) {
        let size = if class == "k-label" || class == "k-words" { LETTER } else { SMALL };
        let fitted = fit(text, room / size);
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let whole = match fitted == text {
            true => String::new(),
            false => format!("<title>{}</title>", escape(&cut(text, TITLE_CHARS))),
        };
        let fitted = escape(&fitted);
        self.put(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\"{anchor}>{whole}{fitted}</text>"));
    }

    /// A text from bottom to top, its middle at a place.
    fn upward(&mut self, (x, y): (f64, f64), text: &str, room: f64) {
        let fitted = escape(&fit(text, room / LETTER));
        self.put(format_args!(
            "<text class=\"k-label\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90 {x} {y})\">{fitted}</text>"
        ));
    }

    /// The shape of a mark; the class of what it stands in colours it.
    fn shape(&mut self, mark: Mark, x: f64, y: f64) {
        match mark {
            Mark::Dot | Mark::Met | Mark::Ring => {
                self.put(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.2\"/>"))
            }
            Mark::Undetermined => {
                self.put(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.6\" stroke-dasharray=\"2.4 1.8\"/>"))
            }
            Mark::Diamond => self.path("k-fill", format_args!("M{x:.1} {:.1}l5 5l-5 5l-5 -5z", y - 5.0)),
            Mark::Breached => self.path("k-fill", format_args!("M{:.1} {:.1}h8.4v8.4h-8.4z", x - 4.2, y - 4.2)),
        }
    }

    fn finish(self) -> String {
        self.0 + "</svg>"
    }
}

/// A chart that is wider than a telephone, in a region that scrolls and that the keyboard reaches.
pub fn scrolled(svg: &str, label: &str) -> String {
    let label = escape(&cut(label, TITLE_CHARS));
    format!("<div class=\"scroll wide-chart\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\">{svg}</div>")
}

/// At most this many characters, the last one an ellipsis when some were cut.
pub fn cut(text: &str, chars: usize) -> String {
    match text.chars().count() <= chars {
        true => text.into(),
        false => text.chars().take(chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// As much of a text as this width has room for, in heights of its letters, and an ellipsis where some was cut.
fn fit(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.into();
    }
    let mut left = room - advance('…');
    let fits = |c: &char| {
        left -= advance(*c);
        left >= 0.0
    };
    let kept: String = text.chars().take_while(fits).collect();
    kept.trim_end().to_string() + "…"
}

/// Width of a text, in heights of its letters.
fn width(text: &str) -> f64 {
    text.chars().map(advance).sum()
}

/// Width of a letter in heights of letters, on the safe side: those of a wide sans serif; of a letter of another script twice that or more.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '(' | ')' | '[' | ']' => 0.38,
        'f' | 'r' | 't' | '-' | '/' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 1.0,
        'A'..='Z' | '×' | '=' | '−' | '<' | '>' | '+' => 0.78,
        ' '..='\u{24f}' => 0.62,
        '\u{370}'..='\u{10ff}' => 0.8,
        '\u{1f000}'.. => 1.5,
        _ => 1.15,
    }
}

/// Text that is no markup. What XML has no place for becomes a space; what turns the direction of the text beside it goes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
