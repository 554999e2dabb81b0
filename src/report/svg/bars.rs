//! Shares before and after, side by side: one pair of bars for each level or bin. The first is an outline, the second is filled.

use super::{Anchor, Canvas, LETTER, MARKS, scrolled, width};

const WIDTH: f64 = 520.0;
const TOP: f64 = 24.0;
const BAR: f64 = 11.0;
const ROW: f64 = 30.0;
const LABELS: f64 = 170.0;
/// Room for the figure at the end of a bar.
const FIGURE: f64 = 70.0;

/// A level or bin. A value is a number of the scale and how it is written.
#[derive(Debug, Clone)]
pub struct Bin {
    pub label: String,
    pub before: (f64, String),
    pub after: (f64, String),
}

/// Bars before they have coordinates.
#[derive(Debug, Clone)]
pub struct Bars {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    pub description: String,
    /// What the outlined and the filled bars are.
    pub names: (String, String),
    /// Where a bar ends that takes all the room; it begins at zero.
    pub most: f64,
    /// Those after the first 100 are not drawn.
    pub bins: Vec<Bin>,
}

/// Draws bars, in a region that scrolls.
pub fn draw(bars: &Bars) -> String {
    scrolled(&svg(bars), &bars.title)
}

pub(super) fn svg(bars: &Bars) -> String {
    let bins = bars.bins.get(..MARKS / 2).unwrap_or(&bars.bins);
    let labels = bins.iter().map(|bin| LETTER * width(&bin.label)).fold(58.0, f64::max).min(LABELS);
    let left = labels + 9.0;
    let mut canvas =
        Canvas::new(&bars.id, &bars.title, &bars.description, (WIDTH, TOP + ROW * bins.len() as f64 + 6.0));
    let half = (WIDTH - left) / 2.0;
    for (i, (class, name)) in [("k-before", &bars.names.0), ("k-after", &bars.names.1)].into_iter().enumerate() {
        let from = left + half * i as f64;
        canvas.rectangle(class, (from, 4.0), (20.0, BAR));
        canvas.text("k-label", (from + 26.0, 14.0), Anchor::Start, name, half - 32.0);
    }
    for (i, bin) in bins.iter().enumerate() {
        let top = TOP + ROW * i as f64 + 2.0;
        canvas.text("k-label", (labels, top + BAR + 4.0), Anchor::End, &bin.label, labels);
        for (class, y, (value, words)) in [("k-before", top, &bin.before), ("k-after", top + BAR + 2.0, &bin.after)] {
            let share = if bars.most > 0.0 { value / bars.most } else { 0.0 };
            let long = (WIDTH - FIGURE - left) * if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
            canvas.rectangle(class, (left, y), (long, BAR));
            canvas.text("k-tick", (left + long + 5.0, y + 9.5), Anchor::Start, words, FIGURE - 6.0);
        }
    }
    canvas.path("k-grid", format_args!("M{left:.1} {TOP}V{:.1}", TOP + ROW * bins.len() as f64));
    canvas.finish()
}
