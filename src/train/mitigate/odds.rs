//! Equalized odds by a draw (Hardt, Price and Srebro 2016, NeurIPS): true and false positive rates that every cohort can have.
//!
//! Drawing between two cuts of a cohort reaches the line between their points, so a cohort reaches all below the upper hull of its points
//! (false positive rate, true positive rate), and drawing between that and a decision without regard to the score reaches what is between
//! the hull and the diagonal. The loss falls with the true positive rate, so at a false positive rate x the best that all can have is the
//! least of their hulls. That is concave and piecewise linear, and so is the loss on it: a corner is best. Corners are those of the hulls
//! and the places where two hulls cross.

use super::curve::Curve;

/// A corner of a hull: false positive rate, true positive rate, cut.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Corner {
    x: f64,
    y: f64,
    at: f64,
}

/// The chance of being selected below the lower cut, between the two, and from the upper one on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    pub lower: f64,
    pub upper: f64,
    pub chances: [f64; 3],
}

/// The rates that all cohorts are given, and how each comes to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Odds {
    pub false_positive: f64,
    pub true_positive: f64,
    pub draws: Vec<Draw>,
}

/// The rates of least loss; none where a cohort has one label only.
pub fn equalized(curves: &[Curve], threshold: f64) -> Option<Odds> {
    if curves.is_empty() || curves.iter().any(|curve| curve.positives == 0 || curve.negatives() == 0) {
        return None;
    }
    let hulls: Vec<Vec<Corner>> = curves.iter().map(hull).collect();
    let mut places: Vec<f64> = hulls.iter().flatten().map(|corner| corner.x).collect();
    for (i, one) in hulls.iter().enumerate() {
        hulls[i + 1..].iter().for_each(|other| places.extend(crossings(one, other)));
    }
    let (mut positives, mut negatives) = (0.0, 0.0);
    for curve in curves {
        positives += curve.positives as f64;
        negatives += curve.negatives() as f64;
    }
    let least = |x: f64| hulls.iter().map(|hull| height(hull, x)).fold(f64::INFINITY, f64::min);
    let loss = |x: f64| threshold * negatives * x + (1.0 - threshold) * positives * (1.0 - least(x));
    let x = places.into_iter().reduce(|a, b| if (loss(b), b) < (loss(a), a) { b } else { a })?;
    let y = least(x);
    Some(Odds { false_positive: x, true_positive: y, draws: hulls.iter().map(|hull| draw(hull, x, y)).collect() })
}

/// Upper hull of the points of all cuts, from (0, 0) to (1, 1).
fn hull(curve: &Curve) -> Vec<Corner> {
    let mut hull: Vec<Corner> = Vec::new();
    for cut in &curve.cuts {
        let corner = Corner { x: curve.false_positive(cut), y: curve.true_positive(cut), at: cut.at };
        while let [.., a, b] = hull[..] {
            // b is not above the line from a to the new corner.
            if (b.x - a.x) * (corner.y - a.y) >= (corner.x - a.x) * (b.y - a.y) {
                hull.pop();
            } else {
                break;
            }
        }
        hull.push(corner);
    }
    hull
}

/// The corners on both sides of a place, and the share of the way between them.
fn around(hull: &[Corner], x: f64) -> (Corner, Corner, f64) {
    let after = hull.partition_point(|corner| corner.x <= x);
    let last = hull.len() - 1;
    if after > last {
        return (hull[last.saturating_sub(1)], hull[last], 1.0);
    }
    let (a, b) = (hull[after.saturating_sub(1)], hull[after]);
    let share = if b.x > a.x { ((x - a.x) / (b.x - a.x)).clamp(0.0, 1.0) } else { 0.0 };
    (a, b, share)
}

fn height(hull: &[Corner], x: f64) -> f64 {
    let (a, b, share) = around(hull, x);
    a.y + share * (b.y - a.y)
}

/// Places where two hulls cross.
fn crossings(one: &[Corner], other: &[Corner]) -> Vec<f64> {
    let mut places: Vec<f64> = one.iter().chain(other).map(|corner| corner.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let above = |x: f64| height(one, x) - height(other, x);
    let mut found = Vec::new();
    for pair in places.windows(2) {
        // Within an interval both are straight; the left end of a step is taken from inside.
        let (a, b) = (above(pair[0]), above(pair[1]));
        if a * b < 0.0 {
            found.push(pair[0] + (pair[1] - pair[0]) * a / (a - b));
        }
    }
    found
}

/// How a cohort comes to (x, y).
fn draw(hull: &[Corner], x: f64, y: f64) -> Draw {
    let (a, b, share) = around(hull, x);
    let top = a.y + share * (b.y - a.y);
    // Chance that the score is not looked at; the decision is then 1 with chance x, which is on the diagonal.
    let blind = if top > x { ((top - y) / (top - x)).clamp(0.0, 1.0) } else { 0.0 };
    let chance = |seen: f64| ((1.0 - blind) * seen + blind * x).clamp(0.0, 1.0);
    Draw { lower: b.at, upper: a.at, chances: [chance(0.0), chance(share), chance(1.0)] }
}
