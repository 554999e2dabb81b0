//! Curves over a plane: rates by threshold, ROC and reliability with their bands, losses by penalty. Told apart by their dashes.

use super::{Anchor, Canvas, MARKS, SMALL, Scale, scrolled, width};

const WIDTH: f64 = 520.0;
const TOP: f64 = 8.0;
/// Room for the names of curves at the right.
const NAMES: f64 = 150.0;
const MARGIN: f64 = 16.0;
const ROW: f64 = 20.0;
/// Dashes of the lines, in turn.
const DASHES: [&str; 4] = ["none", "7 3", "2 3", "9 3 2 3"];

/// What an axis has, and its scale.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Nothing is written where it is empty.
    pub name: String,
    pub scale: Scale,
}

/// A place on a curve. Where it has no height the line is broken.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    pub x: f64,
    pub y: Option<f64>,
    /// Ends of an interval up and down; a bar where both are there.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

#[derive(Debug, Clone, Default)]
pub struct Curve {
    /// Written at the right where there are several.
    pub label: String,
    pub spots: Vec<Spot>,
    /// A dot at every spot.
    pub dots: bool,
    /// The two sides of a band: places on its lower and its upper edge.
    pub band: Vec<[(f64, f64); 2]>,
}

/// Curves before they have coordinates.
#[derive(Debug, Clone)]
pub struct Curves {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    pub description: String,
    /// As high as it is wide, or nearly.
    pub is_square: bool,
    pub across: Axis,
    pub up: Axis,
    pub curves: Vec<Curve>,
    /// From corner to corner.
    pub diagonal: bool,
    /// A line from top to bottom, and what it is.
    pub mark: Option<(f64, String)>,
}

impl Curves {
    fn height(&self) -> f64 {
        if self.is_square { 430.0 } else { 250.0 }
    }

    fn left(&self) -> f64 {
        if self.up.name.is_empty() { 48.0 } else { 66.0 }
    }

    fn right(&self) -> f64 {
        if self.curves.len() > 1 { WIDTH - NAMES } else { WIDTH - MARGIN }
    }

    fn top(&self) -> f64 {
        if self.mark.as_ref().is_some_and(|(_, words)| !words.is_empty()) { TOP + 14.0 } else { TOP }
    }

    fn bottom(&self) -> f64 {
        self.height() - if self.across.name.is_empty() { 24.0 } else { 44.0 }
    }

    fn x(&self, value: f64) -> f64 {
        self.left() + (self.right() - self.left()) * self.across.scale.share(value)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom() - (self.bottom() - self.top()) * self.up.scale.share(value)
    }
}

/// Draws curves, in a region that scrolls.
pub fn draw(curves: &Curves) -> String {
    scrolled(&svg(curves), &curves.title)
}

pub(super) fn svg(curves: &Curves) -> String {
    let size = (WIDTH, curves.height());
    let mut canvas = Canvas::new(&curves.id, &curves.title, &curves.description, size);
    axes(&mut canvas, curves);
    if curves.diagonal {
        let (left, bottom, right, top) = (curves.left(), curves.bottom(), curves.right(), curves.top());
        canvas.path("k-base", format_args!("M{left:.1} {bottom:.1}L{right:.1} {top:.1}"));
    }
    if let Some((at, words)) = &curves.mark {
        let x = curves.x(*at);
        canvas.path("k-base", format_args!("M{x:.1} {:.1}V{:.1}", curves.top(), curves.bottom()));
        let wide = (SMALL * width(words)).min(WIDTH);
        let from = (x - wide / 2.0).clamp(0.0, WIDTH - wide);
        canvas.text("k-tick", (from, TOP + 6.0), Anchor::Start, words, wide + 1.0);
    }
    curves.curves.iter().for_each(|curve| band(&mut canvas, curves, curve));
    for (i, curve) in curves.curves.iter().enumerate() {
        draw_curve(&mut canvas, curves, curve, i);
    }
    canvas.finish()
}

fn axes(canvas: &mut Canvas, curves: &Curves) {
    let (left, right, top, bottom) = (curves.left(), curves.right(), curves.top(), curves.bottom());
    let ticks = &curves.across.scale.ticks;
    let longest = ticks.iter().map(|(_, label)| SMALL * width(label)).fold(1.0, f64::max);
    let fits = ((right - left) / (longest + 6.0)).floor().max(1.0) as usize;
    for (at, label) in ticks.iter().step_by(ticks.len().div_ceil(fits).max(1)) {
        let x = curves.x(*at);
        canvas.path("k-grid", format_args!("M{x:.1} {top}V{bottom:.1}"));
        canvas.text("k-tick", (x, bottom + 15.0), Anchor::Middle, label, right - left);
    }
    for (at, label) in &curves.up.scale.ticks {
        let y = curves.y(*at);
        canvas.path("k-grid", format_args!("M{left} {y:.1}H{right:.1}"));
        canvas.text("k-tick", (left - 5.0, y + 4.0), Anchor::End, label, 44.0);
    }
    let middle = ((left + right) / 2.0, curves.height() - 6.0);
    if !curves.across.name.is_empty() {
        canvas.text("k-label", middle, Anchor::Middle, &curves.across.name, right - left);
    }
    if !curves.up.name.is_empty() {
        canvas.upward((13.0, (top + bottom) / 2.0), &curves.up.name, bottom - top);
    }
}

fn band(canvas: &mut Canvas, curves: &Curves, curve: &Curve) {
    let there = |[(a, b), (c, d)]: &&[(f64, f64); 2]| [a, b, c, d].iter().all(|value| value.is_finite());
    let sides: Vec<_> = curve.band.iter().filter(there).take(MARKS).collect();
    if sides.len() < 2 {
        return;
    }
    let lower = sides.iter().map(|[lower, _]| lower);
    let upper = sides.iter().rev().map(|[_, upper]| upper);
    let places = lower.chain(upper).map(|(x, y)| format!("{:.1} {:.1}", curves.x(*x), curves.y(*y)));
    canvas.path("k-band", format_args!("M{}z", places.collect::<Vec<_>>().join("L")));
}

fn draw_curve(canvas: &mut Canvas, curves: &Curves, curve: &Curve, number: usize) {
    let dash = DASHES[number % DASHES.len()];
    let every = curve.spots.len().div_ceil(MARKS).max(1);
    let last = curve.spots.len().saturating_sub(1);
    let spots = || curve.spots.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last).map(|(_, spot)| spot);
    let mut line = String::new();
    let mut open = false;
    for spot in spots() {
        let place = spot.y.filter(|y| y.is_finite()).map(|y| (curves.x(spot.x), curves.y(y)));
        if let Some((x, y)) = place {
            line += &format!("{}{x:.1} {y:.1}", if open { "L" } else { "M" });
        }
        open = place.is_some();
    }
    if !line.is_empty() {
        canvas.put(format_args!("<path class=\"k-track\" stroke-dasharray=\"{dash}\" d=\"{line}\"/>"));
    }
    for spot in spots().filter(|_| curve.dots) {
        let Some(y) = spot.y.filter(|y| y.is_finite()) else { continue };
        let x = curves.x(spot.x);
        canvas.put(format_args!("<g class=\"k-dot\">"));
        if let Some((lower, upper)) = spot.lower.zip(spot.upper) {
            canvas.put(format_args!("<path d=\"M{x:.1} {:.1}V{:.1}\"/>", curves.y(lower), curves.y(upper)));
        }
        let y = curves.y(y);
        canvas.put(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\"/></g>"));
    }
    if curves.curves.len() > 1 {
        let (row, right) = (curves.top() + 12.0 + ROW * number as f64, curves.right());
        canvas.put(format_args!(
            "<path class=\"k-track\" stroke-dasharray=\"{dash}\" d=\"M{:.1} {row:.1}H{:.1}\"/>",
            right + 8.0,
            right + 34.0
        ));
        canvas.text("k-words", (right + 38.0, row + 4.0), Anchor::Start, &curve.label, NAMES - 42.0);
    }
}

/// A line over a plane: where it is broken there is no value.
#[derive(Debug, Clone)]
pub struct Track {
    pub label: String,
    pub points: Vec<(f64, Option<f64>)>,
}

/// Lines over one scale.
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

/// What the axes of a plane have, and what the line from top to bottom is; nothing is written where one is empty.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub across: String,
    pub up: String,
    pub mark: String,
}

/// Draws rates, or their gaps, by threshold.
pub fn sweep(plane: &Plane, names: &Names) -> String {
    let spot = |(x, y): &(f64, Option<f64>)| Spot { x: *x, y: *y, lower: None, upper: None };
    let curve = |track: &Track| Curve {
        label: track.label.clone(),
        spots: track.points.iter().map(spot).collect(),
        ..Curve::default()
    };
    let axis = |name: &str, scale: &Scale| Axis { name: name.into(), scale: scale.clone() };
    draw(&Curves {
        id: plane.id.clone(),
        title: plane.title.clone(),
        description: plane.description.clone(),
        is_square: false,
        across: axis(&names.across, &plane.across),
        up: axis(&names.up, &plane.up),
        curves: plane.tracks.iter().map(curve).collect(),
        diagonal: false,
        mark: plane.mark.map(|at| (at, names.mark.clone())),
    })
}
