//! The criteria as shapes: one mark for each, worst first. No text, so that no font is needed; shape says what colour says.

use std::fmt::Write;

use crate::report::view::mail::colour;

/// Most marks; what the picture leaves out is counted beside it.
const MARKS_MAX: usize = 100;
const WIDTH: f64 = 600.0;

/// The picture, 600 units wide, on white; empty without a mark.
pub fn marks(kinds: &[&str]) -> String {
    let shown = &kinds[..kinds.len().min(MARKS_MAX)];
    if shown.is_empty() {
        return String::new();
    }
    let cell = match shown.len() {
        ..=10 => 58.0,
        11..=14 => 42.0,
        _ => 30.0,
    };
    let columns = (WIDTH / cell).floor() as usize;
    let rows = shown.len().div_ceil(columns);
    let height = rows as f64 * cell;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\"><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>"
    );
    for (i, kind) in shown.iter().enumerate() {
        let x = cell * ((i % columns) as f64 + 0.42);
        let y = cell * ((i / columns) as f64 + 0.5);
        let _ = write!(svg, "<g transform=\"translate({x} {y}) scale({})\">{}</g>", cell * 0.38, shape(kind));
    }
    svg + "</svg>"
}

/// A mark within a circle of radius 1.
fn shape(kind: &str) -> String {
    let colour = colour(kind);
    let line = |points: &str, stroke: &str| {
        format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"0.24\" stroke-linecap=\"round\"/>"
        )
    };
    match kind {
        "breached" => format!(
            "<polygon points=\"-0.41,-1 0.41,-1 1,-0.41 1,0.41 0.41,1 -0.41,1 -1,0.41 -1,-0.41\" fill=\"{colour}\"/>{}{}",
            line("-0.4,-0.4 0.4,0.4", "#ffffff"),
            line("-0.4,0.4 0.4,-0.4", "#ffffff"),
        ),
        "met" => {
            format!("<circle r=\"1\" fill=\"{colour}\"/>{}", line("-0.45,0.02 -0.12,0.38 0.46,-0.34", "#ffffff"))
        }
        "undetermined" => format!(
            "<circle r=\"0.87\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"0.24\" stroke-dasharray=\"0.55 0.36\"/>"
        ),
        "waived" => format!(
            "<circle r=\"0.87\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"0.24\"/>{}",
            line("-0.55,0.55 0.55,-0.55", colour)
        ),
        _ => format!(
            "<rect x=\"-0.82\" y=\"-0.82\" width=\"1.64\" height=\"1.64\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"0.24\"/>{}",
            line("-0.35,0 0.35,0", colour)
        ),
    }
}
