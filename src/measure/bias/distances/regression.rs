//! Distances of predictions and residuals, mean predictions and targets, and the greatest loss of a cohort.

use super::curve::{Body, Spreads, quantile, total};
use super::deviations::{Norm, Of};
use super::means::{Powers, Spread, Unit, standardised};
use super::scores::{mean, means};
use super::{Bodies, Distance, Figures, Other, Place, method};
use crate::audit::Reading;
use crate::estimate::{BUCKETS, Estimate, Family, Measured, Method, Sample, Share, Support, Why};
use crate::evidence::Missing;
use crate::measure::bias::Context;
use crate::measure::errors::Errors;
use crate::measure::suppression::{Layer, Protection};
use crate::measure::{Group, emit, noise};
use crate::metric::{Card, Needs};
use crate::plan::Plan;
use crate::statistic::Cell;

const ABOVE: [(&str, f64); 3] =
    [("prediction-above-q50", 0.5), ("prediction-above-q80", 0.8), ("prediction-above-q90", 0.9)];
const OF_ERRORS: [&str; 2] = ["mean-target", "mean-squared-error"];
const WORST: [(&str, &str); 2] =
    [("bounded-group-loss", "mean-squared-error"), ("bounded-group-loss-absolute", "mean-absolute-error")];

pub fn measure(context: &Context, readings: &mut Vec<Reading>, notes: &mut Vec<String>) -> Result<(), Missing> {
    let cards = |needs: Needs| context.metrics.iter().filter(move |card| card.needs == needs);
    if cards(Needs::Prediction).next().is_some() {
        predictions(context, &cards(Needs::Prediction).collect::<Vec<_>>(), readings, notes)?;
    }
    let ours = |card: &&Card| {
        let residual = card.id.starts_with("residual-standardised-");
        residual || OF_ERRORS.contains(&card.id) || WORST.iter().any(|(id, _)| *id == card.id)
    };
    let of_errors: Vec<&Card> = cards(Needs::NumberAndPrediction).filter(ours).collect();
    match &context.subject.target {
        Some(target) if !of_errors.is_empty() => {
            let errors = Errors::of(context.plan, context.released, target)?;
            residuals(context, &of_errors, &errors, readings);
        }
        _ => {}
    }
    Ok(())
}

/// The rules of what may be shown of metrics that are of these rows of a cohort.
fn protect(context: &Context, rows: &dyn Fn(&Group) -> i64) -> Protection {
    let whole = |group: &Group| group.total().rows().n;
    match context.protection.discloses(context.cohorts, rows, &whole) {
        true => context.protection.without_all(),
        false => context.protection.clone(),
    }
}

fn predictions(
    context: &Context,
    cards: &[&Card],
    readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<(), Missing> {
    let plan = context.plan;
    let buckets = noise::buckets(plan).then_some(BUCKETS);
    let spreads = Spreads::of(plan, context.released.histogram("measure/prediction")?, false, buckets);
    let bodies = Bodies::of(context.cohorts, &spreads);
    let protection = &protect(context, &|group| total(&bodies.get(group).whole.all) as i64);
    let all = &bodies.everyone.whole.all;
    let shift = all.iter().map(|(value, n)| value * n).sum::<f64>() / total(all).max(1.0);
    for card in cards {
        let layer = Layer::of(card.needs);
        if let Some((_, share)) = ABOVE.iter().find(|(id, _)| *id == card.id) {
            let above = quantile(all, *share);
            let sample = |group: &Group| above_of(bodies.get(group), above);
            readings.extend(emit(plan, card, context.cohorts, protection, layer, &sample, None));
            continue;
        }
        if card.id == "mean-prediction" {
            let sample = |group: &Group| mean(bodies.get(group));
            readings.extend(emit(plan, card, context.cohorts, protection, layer, &sample, None));
            continue;
        }
        for set in 0..context.cohorts.sets.len() {
            let place = Place { context, protection, layer, set, id: card.id };
            let distance = |norm: Norm, upper: f64| Distance { of: Of::All, norm, upper };
            match card.id {
                "prediction-kolmogorov-smirnov" => distance(Norm::Greatest, 1.0).write(&place, &bodies, readings),
                "prediction-wasserstein" => distance(Norm::Area, f64::INFINITY).write(&place, &bodies, readings),
                "prediction-standardised-mean-difference-pooled" => {
                    means(&place, &bodies, Unit::Pooled, shift, readings)
                }
                _ => means(&place, &bodies, Unit::Overall, shift, readings),
            }
        }
    }
    notes.extend(binned(&spreads));
    Ok(())
}

fn binned(spreads: &Spreads) -> Option<String> {
    let bins = spreads.bins?;
    let width = (bins.upper - bins.lower) / f64::from(bins.count);
    Some(format!(
        "More than 4,096 distinct predictions: means, quantiles and distances of predictions are of {} bins from {} to {}, each prediction within {:.1e} of the middle of its bin; those outside are in the first and the last.",
        bins.count,
        bins.lower,
        bins.upper,
        width / 2.0
    ))
}

/// The share of a cohort above a value.
pub(super) fn above_of(body: &Body, above: Option<f64>) -> Sample {
    let n = total(&body.whole.all);
    let Some(above) = above.filter(|_| n > 0.0) else { return Sample::None(Why::EmptyDenominator) };
    let share = |points: &[(f64, f64)]| {
        let rows: f64 = points.iter().filter(|(value, _)| *value > above).map(|(_, n)| n).sum();
        Share { numerator: Cell::rows(rows as i64), denominator: Cell::rows(total(points) as i64) }
    };
    match body.parts.is_empty() {
        true => Sample::share(&share(&body.whole.all)),
        false => Sample::bucketed_share(&body.parts.iter().map(|part| share(&part.all)).collect::<Vec<_>>()),
    }
}

fn residuals(context: &Context, cards: &[&Card], errors: &Errors, readings: &mut Vec<Reading>) {
    let protection = &protect(context, &|group| errors.rows(group));
    for card in cards {
        let layer = Layer::of(card.needs);
        if OF_ERRORS.contains(&card.id) {
            let sample = |group: &Group| errors.sample(card.id, group);
            readings.extend(emit(context.plan, card, context.cohorts, protection, layer, &sample, None));
            continue;
        }
        for set in 0..context.cohorts.sets.len() {
            let place = Place { context, protection, layer, set, id: card.id };
            match WORST.iter().find(|(id, _)| *id == card.id) {
                Some((_, loss)) => readings.extend(greatest(&place, errors, loss)),
                None if card.id.ends_with("pooled") => differences(&place, errors, Unit::Pooled, readings),
                None => differences(&place, errors, Unit::Overall, readings),
            }
        }
    }
}

fn differences(place: &Place, errors: &Errors, unit: Unit, readings: &mut Vec<Reading>) {
    let Some(groups) = place.context.cohorts.sets.get(place.set) else { return };
    let spread = |group: &Group| {
        let of = |(n, sums): (f64, [f64; 4])| Powers { n, sums };
        let (whole, parts) = errors.powers(group);
        Spread { whole: of(whole), parts: parts.into_iter().map(of).collect() }
    };
    let everyone = spread(&place.context.cohorts.everyone);
    let of: Vec<Spread> = groups.groups.iter().map(spread).collect();
    let (rows, rest) = (|i: usize| of[i].whole.n, |i: usize| everyone.whole.n - of[i].whole.n);
    let one = |i: usize, other: Other| match other {
        Other::Group(j) => standardised(&of[i], &of[j], &everyone, unit),
        Other::Rest => standardised(&of[i], &everyone.without(&of[i]), &everyone, unit),
    };
    let method = method(!everyone.parts.is_empty(), Method::Student);
    Figures { rows: &rows, rest: &rest, of: &one, upper: f64::INFINITY, method }.write(place, readings);
}

/// The greatest loss of any cohort with enough rows. The interval holds all cohorts at once (Sidak 1967), so it covers which one is picked.
fn greatest(place: &Place, errors: &Errors, loss: &str) -> Option<Reading> {
    let plan: &Plan = place.context.plan;
    let groups = place.context.cohorts.sets.get(place.set)?;
    let compared: Vec<&Group> = groups.groups.iter().filter(|group| group.compared).collect();
    let shown = compared.iter().all(|group| place.protection.shows(Some(place.set), &group.codes, place.layer));
    let samples = compared.iter().map(|group| (*group, errors.sample(loss, group)));
    let enough = |sample: &Sample| u64::try_from(sample.n()).is_ok_and(|n| n >= plan.spec.measure.support_min);
    let confidence = plan.spec.measure.confidence;
    let mut figures = Vec::new();
    let mut df = Some(f64::INFINITY);
    let mut worst: Option<(f64, &Group, i64)> = None;
    let mut why = Why::EmptyDenominator;
    for (group, sample) in samples.filter(|(_, sample)| enough(sample)) {
        let (point, se, of) = match &sample {
            Sample::None(reason) => {
                why = *reason;
                continue;
            }
            _ => match error(&sample) {
                Some(error) => error,
                None => continue,
            },
        };
        figures.push((point, se));
        df = df.zip(of).map(|(a, b)| a.min(b)).or(of).or(df);
        if worst.is_none_or(|(most, ..)| point > most) {
            worst = Some((point, group, sample.n()));
        }
    }
    let (cohort, measured) = match worst {
        _ if !shown => (crate::cohort::Cohort::everyone(), Measured::Suppressed),
        None => (crate::cohort::Cohort::everyone(), Measured::Undefined { why }),
        Some((_, group, n)) => {
            let support = Support { n, n_effective: n as f64 };
            let joint = Family(figures.len());
            let df = df.filter(|df| df.is_finite());
            let estimate = Estimate::greatest(&figures, joint, df, f64::INFINITY, support, confidence);
            (group.cohort.clone(), Measured::Estimated(estimate))
        }
    };
    Some(Reading { metric: place.id.into(), across: groups.names.clone(), cohort, contrast: None, measured })
}

/// Point, standard error and degrees of freedom.
fn error(sample: &Sample) -> Option<(f64, f64, Option<f64>)> {
    match sample {
        Sample::Error { point, se, df, .. } => Some((*point, *se, *df)),
        Sample::Buckets { point, left_out, filled, .. } => {
            let buckets = *filled as f64;
            let variance: f64 = left_out.iter().map(|value| (value - point).powi(2)).sum();
            Some((*point, (variance * (buckets - 1.0) / buckets.max(1.0)).sqrt(), Some(buckets - 1.0)))
        }
        _ => None,
    }
}
