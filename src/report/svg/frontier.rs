//! A frontier: one point for each candidate, how far apart cohorts are by how good the decisions are, both with their intervals.

use super::{Anchor, Canvas, MARKS, Mark, Scale, scrolled};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 506.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 252.0;

/// A number with its interval; an end that is not there runs to the edge.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub point: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// One point. `number` is what the table beside the chart calls it; the diamond is what nothing was done to.
#[derive(Debug, Clone)]
pub struct Point {
    pub number: String,
    pub x: Ends,
    pub y: Ends,
    pub before: bool,
}

#[derive(Debug, Clone)]
pub struct Frontier {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    pub description: String,
    pub x_name: String,
    pub y_name: String,
    pub x: Scale,
    pub y: Scale,
    pub points: Vec<Point>,
}

impl Frontier {
    fn across(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (RIGHT - LEFT)
    }

    fn down(&self, value: f64) -> f64 {
        BOTTOM - self.y.share(value) * (BOTTOM - TOP)
    }
}

/// Draws a frontier, in a region that scrolls.
pub fn draw(chart: &Frontier) -> String {
    scrolled(&svg(chart), &chart.title)
}

pub(super) fn svg(chart: &Frontier) -> String {
    let mut canvas = Canvas::new(&chart.id, &chart.title, &chart.description, (WIDTH, HEIGHT));
    for (at, label) in &chart.x.ticks {
        let x = chart.across(*at);
        canvas.path("k-grid", format_args!("M{x:.1} {TOP}V{BOTTOM}"));
        canvas.text("k-tick", (x, BOTTOM + 15.0), Anchor::Middle, label, 100.0);
    }
    for (at, label) in &chart.y.ticks {
        let y = chart.down(*at);
        canvas.path("k-grid", format_args!("M{LEFT} {y:.1}H{RIGHT}"));
        canvas.text("k-tick", (LEFT - 6.0, y + 4.0), Anchor::End, label, 40.0);
    }
    let middle = ((LEFT + RIGHT) / 2.0, BOTTOM + 36.0);
    canvas.text("k-label", middle, Anchor::Middle, &chart.x_name, RIGHT - LEFT);
    canvas.upward((12.0, (TOP + BOTTOM) / 2.0), &chart.y_name, BOTTOM - TOP);
    chart.points.iter().take(MARKS).for_each(|point| draw_point(&mut canvas, chart, point));
    canvas.finish()
}

fn draw_point(canvas: &mut Canvas, chart: &Frontier, point: &Point) {
    let (x, y) = (chart.across(point.x.point), chart.down(point.y.point));
    let (from, to) =
        (point.x.lower.map_or(LEFT, |end| chart.across(end)), point.x.upper.map_or(RIGHT, |end| chart.across(end)));
    let (low, high) =
        (point.y.lower.map_or(BOTTOM, |end| chart.down(end)), point.y.upper.map_or(TOP, |end| chart.down(end)));
    let (class, mark) = if point.before { ("k-all", Mark::Diamond) } else { ("k-dot", Mark::Dot) };
    canvas.put(format_args!("<g class=\"{class}\"><path d=\"M{from:.1} {y:.1}H{to:.1}M{x:.1} {low:.1}V{high:.1}\"/>"));
    canvas.shape(mark, x, y);
    canvas.put(format_args!("</g>"));
    // The number of a point at the right edge stands before it.
    let (at, anchor) = if x > RIGHT - 24.0 { (x - 7.0, Anchor::End) } else { (x + 7.0, Anchor::Start) };
    canvas.text("k-label", (at, (y - 6.0).max(12.0)), anchor, &point.number, 80.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_where_their_numbers_say_and_texts_are_escaped() {
        let scale = || Scale { lower: 0.0, upper: 1.0, ticks: vec![(0.0, "0".into()), (1.0, "1".into())] };
        let ends = |point: f64, lower: Option<f64>| Ends { point, lower, upper: Some(0.75) };
        let point = |before| Point { number: "<1>".into(), x: ends(0.5, Some(0.25)), y: ends(0.5, None), before };
        let svg = draw(&Frontier {
            id: "f".into(),
            title: "a & b".into(),
            description: "d".into(),
            x_name: "x".into(),
            y_name: "y".into(),
            x: scale(),
            y: scale(),
            points: vec![point(true), point(false)],
        });
        assert!(
            svg.contains("cx=\"282.0\" cy=\"133.0\"") && svg.contains("M170.0 133.0H394.0M282.0 252.0V73.5"),
            "{svg}"
        );
        assert!(svg.contains("&lt;1&gt;") && svg.contains("a &amp; b") && !svg.contains("NaN"));
    }
}
