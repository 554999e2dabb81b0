//! A frontier: one point for each candidate, how far apart cohorts are by how good the decisions are, both with their intervals.

use std::fmt::Write;

use super::{Scale, escape};

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

/// The chart as SVG.
pub fn draw(chart: &Frontier) -> String {
    let (id, title) = (escape(&chart.id), escape(&chart.title));
    let mut svg = format!(
        "<svg role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{}</desc>",
        escape(&chart.description)
    );
    for (at, label) in &chart.x.ticks {
        let x = chart.across(*at);
        let _ = write!(svg, "<path class=\"k-grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>");
        let y = BOTTOM + 15.0;
        let _ = write!(
            svg,
            "<text class=\"k-tick\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
            escape(label)
        );
    }
    for (at, label) in &chart.y.ticks {
        let y = chart.down(*at);
        let _ = write!(svg, "<path class=\"k-grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
        let (x, y) = (LEFT - 6.0, y + 4.0);
        let _ =
            write!(svg, "<text class=\"k-tick\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", escape(label));
    }
    let middle = (LEFT + RIGHT) / 2.0;
    let _ = write!(
        svg,
        "<text class=\"k-label\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        BOTTOM + 36.0,
        escape(&chart.x_name)
    );
    let centre = (TOP + BOTTOM) / 2.0;
    let _ = write!(
        svg,
        "<text class=\"k-label\" x=\"12\" y=\"{centre}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {centre})\">{}</text>",
        escape(&chart.y_name)
    );
    chart.points.iter().for_each(|point| draw_point(&mut svg, chart, point));
    svg.push_str("</svg>");
    svg
}

fn draw_point(svg: &mut String, chart: &Frontier, point: &Point) {
    let (x, y) = (chart.across(point.x.point), chart.down(point.y.point));
    let (from, to) =
        (point.x.lower.map_or(LEFT, |end| chart.across(end)), point.x.upper.map_or(RIGHT, |end| chart.across(end)));
    let (low, high) =
        (point.y.lower.map_or(BOTTOM, |end| chart.down(end)), point.y.upper.map_or(TOP, |end| chart.down(end)));
    let class = if point.before { "k-all" } else { "k-dot" };
    let _ = write!(svg, "<g class=\"{class}\"><path d=\"M{from:.1} {y:.1}H{to:.1}M{x:.1} {low:.1}V{high:.1}\"/>");
    let _ = match point.before {
        true => write!(svg, "<path class=\"k-fill\" d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\"/>", y - 5.0),
        false => write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.2\"/>"),
    };
    let (x, y) = (x + 7.0, y - 6.0);
    let _ = write!(svg, "</g><text class=\"k-label\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(&point.number));
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
