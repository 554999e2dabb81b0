//! Distances of scores, and the discrimination of cohorts against everyone else.

use super::curve::{Body, Spreads, total, without};
use super::deviations::{Norm, Of};
use super::means::{Powers, Signed, Spread, Unit, standardised};
use super::{BUCKETS_MIN, Bodies, Distance, Figures, Other, Place, method, signed};
use crate::audit::Reading;
use crate::estimate::{BUCKETS, Measured, Method, Sample, Why};
use crate::evidence::Missing;
use crate::measure::bias::Context;
use crate::measure::scores::{auc, placements};
use crate::measure::suppression::Layer;
use crate::measure::{Group, emit, noise};
use crate::metric::Card;

/// Distances by identifier.
const DISTANCES: [(&str, Of, Norm); 5] = [
    ("abroca", Of::Roc, Norm::Area),
    ("score-kolmogorov-smirnov", Of::All, Norm::Greatest),
    ("score-kolmogorov-smirnov-positive", Of::Label(1), Norm::Greatest),
    ("score-kolmogorov-smirnov-negative", Of::Label(0), Norm::Greatest),
    ("score-wasserstein", Of::All, Norm::Area),
];

const UNITS: [(&str, Unit); 2] = [
    ("score-standardised-mean-difference-pooled", Unit::Pooled),
    ("score-standardised-mean-difference-overall", Unit::Overall),
];

const VALUES: [&str; 3] = ["mean-score", "bpsn-auc", "bnsp-auc"];

pub fn measure(context: &Context, readings: &mut Vec<Reading>, notes: &mut Vec<String>) -> Result<(), Missing> {
    let plan = context.plan;
    let ours = |id: &str| {
        let distance = DISTANCES.iter().any(|(other, ..)| *other == id);
        distance || UNITS.iter().any(|(other, _)| *other == id) || VALUES.contains(&id) || id == "xauc-disparity"
    };
    let cards: Vec<&Card> = context.metrics.iter().filter(|card| ours(card.id)).collect();
    if cards.is_empty() {
        return Ok(());
    }
    let buckets = noise::buckets(plan).then_some(BUCKETS);
    let spreads = Spreads::of(plan, context.released.histogram("measure/score")?, true, buckets);
    let bodies = Bodies::of(context.cohorts, &spreads);
    let scored = |group: &Group| total(&bodies.get(group).whole.all) as i64;
    let labelled = |group: &Group| bodies.get(group).whole.label.iter().map(|points| total(points)).sum::<f64>() as i64;
    let (rows, known) =
        (|group: &Group| group.total().rows().n, |group: &Group| (group.total().label(0) + group.total().label(1)).n);
    let few = context.protection.discloses(context.cohorts, &scored, &rows)
        || context.protection.discloses(context.cohorts, &labelled, &known);
    let protection = &if few { context.protection.without_all() } else { context.protection.clone() };
    let unit = bodies.everyone.whole.all.iter().all(|(score, _)| (0.0..=1.0).contains(score));
    let shift = middle(&bodies.everyone);
    let from = readings.len();
    for card in cards {
        let layer = Layer::of(card.needs);
        if VALUES.contains(&card.id) {
            let sample = |group: &Group| value(card.id, bodies.get(group), &bodies.everyone);
            readings.extend(emit(plan, card, context.cohorts, protection, layer, &sample, None));
            continue;
        }
        for set in 0..context.cohorts.sets.len() {
            let place = Place { context, protection, layer, set, id: card.id };
            if let Some((_, of, norm)) = DISTANCES.iter().find(|(id, ..)| *id == card.id) {
                let upper = if *norm == Norm::Greatest || *of == Of::Roc || unit { 1.0 } else { f64::INFINITY };
                Distance { of: *of, norm: *norm, upper }.write(&place, &bodies, readings);
            } else if let Some((_, unit)) = UNITS.iter().find(|(id, _)| *id == card.id) {
                means(&place, &bodies, *unit, shift, readings);
            } else {
                disparity(&place, &bodies, readings);
            }
        }
    }
    if spreads.outside {
        readings.iter_mut().skip(from).for_each(withhold);
        notes.push("More than 4,096 distinct scores, and some are below 0 or above 1: such scores are not told apart, so distances of scores and what belongs to them are not measured.".into());
    } else {
        notes.extend(binned(&spreads, &bodies));
    }
    if few {
        notes.push("Few rows have no score; distances of scores would give that number away and are withheld.".into());
    }
    Ok(())
}

/// Scores beyond the bins have no value.
fn withhold(reading: &mut Reading) {
    if reading.measured.estimate().is_some() {
        reading.measured = Measured::Undefined { why: Why::ScoreNoProbability };
    }
}

fn binned(spreads: &Spreads, bodies: &Bodies) -> Option<String> {
    let bins = spreads.bins?;
    let width = (bins.upper - bins.lower) / f64::from(bins.count);
    let most = bodies.of.values().flat_map(|body| {
        let n = total(&body.whole.all).max(1.0);
        body.whole.all.iter().map(move |(_, rows)| rows / n)
    });
    Some(format!(
        "More than 4,096 distinct scores: distances are of {} bins. No printed Wasserstein distance is further than {width:.1e} from the exact one, no mean score than {:.1e}, and no Kolmogorov-Smirnov distance of all rows than {:.1e}.",
        bins.count,
        width / 2.0,
        most.fold(0.0, f64::max)
    ))
}

/// A metric of one cohort.
fn value(id: &str, body: &Body, everyone: &Body) -> Sample {
    let n = total(&body.whole.all);
    match id {
        "mean-score" => mean(body),
        _ if n == 0.0 => Sample::None(Why::EmptyDenominator),
        "bpsn-auc" => across(body, &everyone.without(body), total(&body.whole.label[0])),
        _ => across(&everyone.without(body), body, total(&body.whole.label[1])),
    }
}

/// The mean of all values of a cohort.
pub fn mean(body: &Body) -> Sample {
    let powers = |points: &[(f64, f64)]| Powers::of(points, 0.0);
    let whole = powers(&body.whole.all);
    if whole.n <= 0.0 {
        return Sample::None(Why::EmptyDenominator);
    }
    if body.parts.is_empty() {
        let about = Powers::of(&body.whole.all, whole.mean());
        return Sample::mean(whole.mean(), (about.sums[1] / (whole.n - 1.0).max(1.0) / whole.n).sqrt(), whole.n as i64);
    }
    let parts: Vec<Powers> = body.parts.iter().map(|part| powers(&part.all)).collect();
    let left_out = parts.iter().map(|part| (whole.n > part.n).then(|| (whole - *part).mean())).collect();
    let filled = parts.iter().filter(|part| part.n > 0.0).count();
    Sample::buckets(Some(whole.mean()), left_out, filled, whole.n as i64)
}

/// Area under the curve of the negatives of one cohort and the positives of another.
fn across(negative: &Body, positive: &Body, n: f64) -> Sample {
    let (below, above) = (&negative.whole.label[0], &positive.whole.label[1]);
    if below.is_empty() || above.is_empty() {
        let rest = total(&negative.whole.all) == 0.0 || total(&positive.whole.all) == 0.0;
        return Sample::None(if rest { Why::EmptyComparison } else { Why::OneClass });
    }
    let n = n as i64;
    if negative.parts.is_empty() {
        let Some((point, se)) = auc(below, above) else { return Sample::None(Why::OneClass) };
        let method = Method::DeLong;
        return Sample::Error { point, se, n, df: None, lower: 0.0, upper: 1.0, method, replicates: None, mean: false };
    }
    let area = |a: &[(f64, f64)], b: &[(f64, f64)]| auc(a, b).map(|(area, _)| area);
    let parts = || negative.parts.iter().zip(&positive.parts).map(|(a, b)| (&a.label[0], &b.label[1]));
    let left_out = parts().map(|(a, b)| area(&without(below, a), &without(above, b))).collect();
    let filled = parts().filter(|(a, b)| !a.is_empty() || !b.is_empty()).count();
    Sample::buckets(area(below, above), left_out, filled, n)
}

fn spread(body: &Body, shift: f64) -> Spread {
    let parts = body.parts.iter().map(|part| Powers::of(&part.all, shift)).collect();
    Spread { whole: Powers::of(&body.whole.all, shift), parts }
}

/// Scores by cohort, to be compared by their means.
pub struct Scored<'a> {
    spreads: Spreads<'a>,
    everyone: Spread,
    shift: f64,
    confidence: f64,
}

impl<'a> Scored<'a> {
    pub fn of(context: &Context<'a>) -> Result<Scored<'a>, Missing> {
        let plan = context.plan;
        let buckets = noise::buckets(plan).then_some(BUCKETS);
        let spreads = Spreads::of(plan, context.released.histogram("measure/score")?, true, buckets);
        let body = spreads.body(&context.cohorts.everyone);
        let shift = middle(&body);
        Ok(Scored { spreads, everyone: spread(&body, shift), shift, confidence: plan.spec.measure.confidence })
    }

    /// The standardised mean difference of two cohorts.
    pub fn difference(&self, a: &Group, b: &Group, unit: Unit) -> Measured {
        if self.spreads.outside {
            return Measured::Undefined { why: Why::ScoreNoProbability };
        }
        let of = |group: &Group| spread(&self.spreads.body(group), self.shift);
        let (a, b) = (of(a), of(b));
        let method = method(!self.everyone.parts.is_empty(), Method::Student);
        let rows = (a.whole.n, b.whole.n);
        signed(standardised(&a, &b, &self.everyone, unit), f64::INFINITY, rows, method, self.confidence)
    }

    /// True when there are more distinct scores than are kept, and the bins hold them.
    pub fn is_binned(&self) -> bool {
        self.spreads.bins.is_some() && !self.spreads.outside
    }
}

/// Mean of the scores; 0 without any.
fn middle(body: &Body) -> f64 {
    body.whole.all.iter().map(|(score, n)| score * n).sum::<f64>() / total(&body.whole.all).max(1.0)
}

/// Standardised mean differences of all values.
pub(super) fn means(place: &Place, bodies: &Bodies, unit: Unit, shift: f64, readings: &mut Vec<Reading>) {
    let of: Vec<Spread> = bodies.set(place.context, place.set).into_iter().map(|body| spread(body, shift)).collect();
    let everyone = spread(&bodies.everyone, shift);
    let (rows, rest) = (|i: usize| of[i].whole.n, |i: usize| everyone.whole.n - of[i].whole.n);
    let one = |i: usize, other: Other| match other {
        Other::Group(j) => standardised(&of[i], &of[j], &everyone, unit),
        Other::Rest => standardised(&of[i], &everyone.without(&of[i]), &everyone, unit),
    };
    let method = method(!everyone.parts.is_empty(), Method::Student);
    Figures { rows: &rows, rest: &rest, of: &one, upper: f64::INFINITY, method }.write(place, readings);
}

fn disparity(place: &Place, bodies: &Bodies, readings: &mut Vec<Reading>) {
    let of = bodies.set(place.context, place.set);
    let least = |body: &Body| Of::Roc.rows(&body.whole);
    let (rows, rest) = (|i: usize| least(of[i]), |i: usize| least(&bodies.everyone.without(of[i])));
    let one = |i: usize, other: Other| match other {
        Other::Group(j) => xauc(of[i], of[j]),
        Other::Rest => xauc(of[i], &bodies.everyone.without(of[i])),
    };
    let method = method(!bodies.everyone.parts.is_empty(), Method::DeLong);
    Figures { rows: &rows, rest: &rest, of: &one, upper: 1.0, method }.write(place, readings);
}

/// P(positive of a > negative of b) - P(positive of b > negative of a). The four samples are disjoint, so the variances add.
pub fn xauc(a: &Body, b: &Body) -> Result<Signed, Why> {
    let lacks = |body: &Body, why: Why| match total(&body.whole.all) > 0.0 {
        true => Why::OneClass,
        false => why,
    };
    let one_class = |body: &Body| body.whole.label.iter().any(|points| points.is_empty());
    if one_class(a) {
        return Err(lacks(a, Why::EmptyDenominator));
    }
    if one_class(b) {
        return Err(lacks(b, Why::EmptyComparison));
    }
    let ([a0, a1], [b0, b1]) = (&a.whole.label, &b.whole.label);
    let (Some((first, se)), Some((second, other))) = (auc(b0, a1), auc(a0, b1)) else { return Err(Why::OneClass) };
    let point = first - second;
    if a.parts.is_empty() {
        return Ok(Signed { point, se: se.hypot(other), df: None });
    }
    // What a row adds to the error of the point, by its score.
    let psi = |of: &[(f64, f64)], among: &[(f64, f64)], area: f64, sign: f64, positive: bool| -> Vec<(f64, f64)> {
        let size = total(of);
        let placed = placements(of, among, total(among));
        let one = |place: f64| if positive { place - area } else { 1.0 - place - area };
        of.iter().zip(placed).map(|((value, _), place)| (*value, sign * one(place) / size)).collect()
    };
    let of_a = [psi(a0, b1, second, -1.0, false), psi(a1, b0, first, 1.0, true)];
    let of_b = [psi(b0, a1, first, 1.0, false), psi(b1, a0, second, -1.0, true)];
    let sum = |psi: &[(f64, f64)], points: &[(f64, f64)]| -> f64 {
        let at = |value: f64| psi.binary_search_by(|(other, _)| other.total_cmp(&value)).map_or(0.0, |at| psi[at].1);
        points.iter().map(|(value, n)| n * at(*value)).sum()
    };
    let filled = a.parts.iter().zip(&b.parts).filter(|(a, b)| !a.all.is_empty() || !b.all.is_empty()).count();
    if filled < BUCKETS_MIN {
        return Err(Why::TooFewBuckets);
    }
    let of_bucket = a.parts.iter().zip(&b.parts).map(|(a, b)| {
        let labels = [0, 1].into_iter();
        labels.map(|label| sum(&of_a[label], &a.label[label]) + sum(&of_b[label], &b.label[label])).sum::<f64>()
    });
    let buckets = filled as f64;
    let variance = of_bucket.map(|sum| sum * sum).sum::<f64>() * buckets / (buckets - 1.0);
    // A sum of terms of size 1 / rows: below it are last digits.
    match variance.sqrt() > 16.0 * f64::EPSILON {
        true => Ok(Signed { point, se: variance.sqrt(), df: Some(buckets - 1.0) }),
        false => Err(Why::BucketsDoNotVary),
    }
}
