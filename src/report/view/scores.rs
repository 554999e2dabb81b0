//! The ROC curve and the reliability curve, each with a table of the same figures.

use serde::Serialize;

use super::charts::{Drawn, listed};
use super::words::{self, Shown};
use crate::audit::bias::Figure;
use crate::audit::bias::curves::{Bin, Corner, Curves as Found};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::svg::Scale;
use crate::report::svg::curves::{self, Axis, Curve, Curves, Spot};

#[derive(Debug, Clone, Serialize)]
pub struct Scores {
    /// Why nothing is shown; empty otherwise.
    pub withheld: String,
    pub charts: Vec<Drawn>,
    pub corners: Vec<Threshold>,
    pub bins: Vec<Share>,
}

/// Both rates at a threshold.
#[derive(Debug, Clone, Serialize)]
pub struct Threshold {
    pub threshold: String,
    pub false_positive: Shown,
    pub true_positive: Shown,
}

/// The share of label 1 in a bin of the score.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub bin: String,
    pub mean: String,
    pub share: Shown,
}

/// Points that a description says.
const SAID: usize = 5;

/// None where the audit has no such curves.
pub fn scores(report: &Report) -> Option<Scores> {
    let found = report.bias.curves.as_ref()?;
    let charts = [roc(found), reliability(found)].into_iter().flatten().collect();
    let corner = |corner: &Corner| Threshold {
        threshold: words::figure(corner.threshold),
        false_positive: Shown::figure(&corner.false_positive_rate),
        true_positive: Shown::figure(&corner.true_positive_rate),
    };
    let bin = |bin: &Bin| Share {
        bin: text!("measures-bin", from = words::tick(bin.from), to = words::tick(bin.to)),
        mean: words::figure(bin.score_mean),
        share: Shown::figure(&bin.share),
    };
    Some(Scores {
        withheld: found.withheld.as_deref().map(words::sentence).unwrap_or_default(),
        charts,
        corners: found.roc.iter().map(corner).collect(),
        bins: found.reliability.iter().map(bin).collect(),
    })
}

/// Point and ends; an open end of a share is that of all shares.
fn ends(figure: &Figure) -> Option<(f64, f64, f64)> {
    match figure {
        Figure::Estimated { point, lower, upper, .. } => Some((*point, lower.unwrap_or(0.0), upper.unwrap_or(1.0))),
        Figure::Undefined { .. } | Figure::Suppressed => None,
    }
}

/// Some of the points, evenly.
fn some<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(SAID).max(1))
}

fn axis(name: String) -> Axis {
    Axis { name, scale: Scale::over([0.0, 1.0].into_iter(), &words::tick) }
}

fn roc(found: &Found) -> Option<Drawn> {
    let points: Vec<_> =
        found.roc.iter().filter_map(|at| ends(&at.false_positive_rate).zip(ends(&at.true_positive_rate))).collect();
    if points.is_empty() {
        return None;
    }
    let spot = |x: f64, y: f64| Spot { x, y: Some(y), lower: None, upper: None };
    // Where nobody is selected both rates are 0.
    let spots = std::iter::once(spot(0.0, 0.0)).chain(points.iter().map(|(x, y)| spot(x.0, y.0)));
    // The lower edge joins the corners of the rectangles of both intervals at the right below, the upper edge those at the left above.
    let band = points.iter().map(|(x, y)| [(x.2, y.1), (x.1, y.2)]).collect();
    let said = some(&found.roc).map(|at| {
        let point = |figure: &Figure| figure.point().map_or_else(|| text!("undefined"), words::figure);
        let (x, y) = (point(&at.false_positive_rate), point(&at.true_positive_rate));
        text!("measures-roc-point", threshold = words::figure(at.threshold), x = x, y = y)
    });
    let title = text!("measures-roc");
    let svg = curves::draw(&Curves {
        id: "roc".into(),
        title: title.clone(),
        description: text!("measures-curve-description", list = listed(said)),
        is_square: true,
        across: axis(text!("measures-false-positive-rate")),
        up: axis(text!("measures-true-positive-rate")),
        curves: vec![Curve { label: String::new(), spots: spots.collect(), dots: false, band }],
        diagonal: true,
        mark: None,
    });
    let note = text!("measures-roc-note", confidence = words::confidence(found.confidence));
    Some(Drawn { heading: title, note, svg })
}

fn reliability(found: &Found) -> Option<Drawn> {
    let bins: Vec<(&Bin, (f64, f64, f64))> =
        found.reliability.iter().filter_map(|bin| Some((bin, ends(&bin.share)?))).collect();
    if bins.is_empty() {
        return None;
    }
    let spot = |(bin, of): &(&Bin, (f64, f64, f64))| Spot {
        x: bin.score_mean,
        y: Some(of.0),
        lower: Some(of.1),
        upper: Some(of.2),
    };
    let band = bins.iter().map(|(bin, of)| [(bin.score_mean, of.1), (bin.score_mean, of.2)]).collect();
    let said = some(&bins).map(|(bin, of)| {
        text!("measures-reliability-point", mean = words::figure(bin.score_mean), share = words::figure(of.0))
    });
    let title = text!("measures-reliability");
    let svg = curves::draw(&Curves {
        id: "reliability".into(),
        title: title.clone(),
        description: text!("measures-curve-description", list = listed(said)),
        is_square: true,
        across: axis(text!("measures-mean-score")),
        up: axis(text!("measures-share-positive")),
        curves: vec![Curve { label: String::new(), spots: bins.iter().map(spot).collect(), dots: true, band }],
        diagonal: true,
        mark: None,
    });
    let note = text!("measures-reliability-note", confidence = words::confidence(found.confidence));
    Some(Drawn { heading: title, note, svg })
}
