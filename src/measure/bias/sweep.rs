//! Every parity at every threshold of a score: what the rates of cohorts, their differences and ratios would be were every row selected whose
//! score is at least the threshold. All of it is in the histogram of scores by label.
//!
//! Intervals are of one threshold each, all pairs of cohorts at once; none holds for a threshold that was picked because of what is seen here.

use super::Context;
use super::distances::curve::{Body, Curves, Spreads, median, quantile, total};
use super::distances::samples::{self, Tested};
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::sweep::{At, Curve, Sweep, Swept, Test, TwoSamples};
use crate::demand::Demand;
use crate::estimate::{BUCKETS, Sample, Share, contrast};
use crate::evidence::Missing;
use crate::measure::tables::{Group, Groups};
use crate::measure::{Subject, noise};
use crate::metric::{Against, Comparison};
use crate::plan::Plan;
use crate::statistic::Cell;

/// Thresholds, the decision's apart.
const THRESHOLDS: usize = 101;
/// Most cohorts of a set whose rates are kept, not only their gaps.
const COHORTS: usize = 50;
/// Thresholds with intervals: the deciles of the scores.
const DECILES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// The histogram of scores is demanded for the metrics of scores already.
pub fn demands(_plan: &Plan, _subject: &Subject) -> Vec<Demand> {
    Vec::new()
}

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<Sweep>, Missing> {
    let plan = context.plan;
    let Some(score) = context.subject.score.as_ref().filter(|_| plan.spec.privacy.is_none()) else { return Ok(None) };
    if context.cohorts.sets.is_empty() {
        return Ok(None);
    }
    let trained = plan.spec.train.as_ref().filter(|_| score.log_loss.is_some());
    let decided_at = trained.map(|train| train.threshold);
    let confidence = plan.spec.measure.confidence;
    let nothing = |why: &str| {
        let withheld = Some(why.into());
        Sweep { withheld, decided_at, confidence, thresholds: Vec::new(), sets: Vec::new() }
    };
    if plan.spec.measure.suppress_below > 1 {
        return Ok(Some(nothing(
            "counts below a limit are not published, and neighbouring thresholds differ by few rows",
        )));
    }
    let buckets = noise::buckets(plan).then_some(BUCKETS);
    let spreads = Spreads::of(plan, context.released.histogram("measure/score")?, true, buckets);
    if spreads.outside {
        return Ok(Some(nothing(
            "a score is below 0 or above 1, and more than 4,096 are distinct: those beyond are not told apart",
        )));
    }
    let everyone = spreads.body(&context.cohorts.everyone);
    let snap = |value: f64| spreads.bins.map_or(value, |bins| bins.ends(bins.code(value)).0);
    let thresholds = thresholds(&everyone, decided_at, &snap);
    if thresholds.is_empty() {
        return Ok(Some(nothing("no row has a score")));
    }
    // Nothing is withheld here: there is no limit of publication.
    let sets = &context.cohorts.sets;
    let sets = sets.iter().map(|groups| swept(plan, groups, &spreads, &everyone, &thresholds, &snap)).collect();
    Ok(Some(Sweep { withheld: None, decided_at, confidence, thresholds, sets }))
}

/// All scores where they are few, else evenly from the least to the greatest; ascending.
fn thresholds(everyone: &Body, decided_at: Option<f64>, snap: &dyn Fn(f64) -> f64) -> Vec<f64> {
    let all = &everyone.whole.all;
    let (Some((least, _)), Some((greatest, _))) = (all.first(), all.last()) else { return Vec::new() };
    let mut thresholds: Vec<f64> = match all.len() <= THRESHOLDS {
        true => all.iter().map(|(value, _)| snap(*value)).collect(),
        false => {
            let at = |i: usize| least + (greatest - least) * (i as f64 / (THRESHOLDS - 1) as f64);
            (0..THRESHOLDS).map(|i| snap(at(i))).collect()
        }
    };
    thresholds.extend(decided_at);
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    thresholds
}

/// Rows at or above a threshold.
fn above(points: &[(f64, f64)], threshold: f64) -> f64 {
    let from = points.partition_point(|(value, _)| *value < threshold);
    total(points.get(from..).unwrap_or(&[]))
}

/// The four rates as shares of rows.
fn shares(curves: &Curves, threshold: f64) -> [Share; 4] {
    let [negative, positive] = &curves.label;
    let (tp, fp) = (above(positive, threshold), above(negative, threshold));
    let share = |numerator: f64, denominator: f64| Share {
        numerator: Cell::rows(numerator as i64),
        denominator: Cell::rows(denominator as i64),
    };
    [
        share(above(&curves.all, threshold), total(&curves.all)),
        share(tp, total(positive)),
        share(fp, total(negative)),
        share(tp, tp + fp),
    ]
}

fn sample(body: &Body, threshold: f64, rate: usize) -> Sample {
    match body.parts.is_empty() {
        true => Sample::share(&shares(&body.whole, threshold)[rate]),
        false => {
            let parts: Vec<Share> = body.parts.iter().map(|part| shares(part, threshold)[rate]).collect();
            Sample::bucketed_share(&parts)
        }
    }
}

fn swept(
    plan: &Plan,
    groups: &Groups,
    spreads: &Spreads,
    everyone: &Body,
    thresholds: &[f64],
    snap: &dyn Fn(f64) -> f64,
) -> Swept {
    let compared: Vec<(&Group, Body)> =
        groups.groups.iter().filter(|group| group.compared).map(|group| (group, spreads.body(group))).collect();
    let least = plan.spec.measure.support_min as f64;
    let at: Vec<Vec<[Share; 4]>> = compared
        .iter()
        .map(|(_, body)| thresholds.iter().map(|&threshold| shares(&body.whole, threshold)).collect())
        .collect();
    let curve = |((group, body), at): (&(&Group, Body), &Vec<[Share; 4]>)| {
        let rates = (0..4).map(|rate| at.iter().map(|shares| shares[rate].value()).collect()).collect();
        Curve { cohort: group.cohort.levels(), n: total(&body.whole.all) as i64, rates }
    };
    let all: Vec<Curve> = compared.iter().zip(&at).map(curve).collect();
    // As in worst pairs elsewhere, cohorts with few rows in the denominator are not among the extremes.
    let gap = |rate: usize, threshold: usize| {
        let enough = |shares: &&[Share; 4]| shares[rate].denominator.n as f64 >= least;
        let of = || at.iter().filter_map(|shares| shares.get(threshold)).filter(enough);
        let values = || of().filter_map(|shares| shares[rate].value());
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        (values().count() >= 2).then_some((low, high))
    };
    let every = |of: &dyn Fn((f64, f64)) -> Option<f64>| -> Vec<Vec<Option<f64>>> {
        (0..4).map(|rate| (0..thresholds.len()).map(|at| gap(rate, at).and_then(of)).collect()).collect()
    };
    let differences = every(&|(low, high)| Some(high - low));
    let ratios = every(&|(low, high)| (high > 0.0).then(|| low / high));
    let equalised_odds = differences[1].iter().zip(&differences[2]).map(|(a, b)| Some(a.as_ref()?.max(*b.as_ref()?)));
    let equalised_odds = equalised_odds.collect();
    let four_fifths = runs(thresholds, &ratios[0]);
    let mut deciles: Vec<f64> = DECILES.iter().filter_map(|&q| quantile(&everyone.whole.all, q)).map(snap).collect();
    deciles.dedup();
    let bodies: Vec<&Body> =
        compared.iter().map(|(_, body)| body).filter(|body| total(&body.whole.all) >= least).collect();
    let at = deciles.iter().map(|&threshold| worst(plan, &bodies, everyone, threshold)).collect();
    Swept {
        across: groups.names.iter().map(ToString::to_string).collect(),
        differences,
        ratios,
        equalised_odds,
        four_fifths,
        at,
        tests: tests(groups, &compared),
        cohorts: if all.len() <= COHORTS { all } else { Vec::new() },
    }
}

/// Runs of thresholds at which four fifths are kept.
fn runs(thresholds: &[f64], ratios: &[Option<f64>]) -> Vec<(f64, f64)> {
    let mut runs: Vec<(f64, f64)> = Vec::new();
    let mut open = false;
    for (&threshold, ratio) in thresholds.iter().zip(ratios) {
        let kept = ratio.is_some_and(|ratio| ratio >= 0.8);
        match runs.last_mut().filter(|_| open) {
            Some(run) if kept => run.1 = threshold,
            _ if kept => runs.push((threshold, threshold)),
            _ => {}
        }
        open = kept;
    }
    runs
}

fn worst(plan: &Plan, bodies: &[&Body], everyone: &Body, threshold: f64) -> At {
    let figure = |compare: Comparison, rate: usize| {
        let enough = |sample: &Sample| sample.n() as u64 >= plan.spec.measure.support_min;
        let samples: Vec<Sample> = bodies.iter().map(|body| sample(body, threshold, rate)).filter(enough).collect();
        let all = sample(everyone, threshold, rate);
        let compared = contrast(compare, Against::WorstPair, &samples, &all, None, plan.spec.measure.confidence);
        compared.first().map_or(Figure::Suppressed, |compared| Figure::of(&compared.measured))
    };
    let figures = |compare: Comparison| (0..4).map(|rate| figure(compare, rate)).collect();
    At { threshold, differences: figures(Comparison::Difference), ratios: figures(Comparison::Ratio) }
}

/// Each cohort against the reference. Rows that depend on each other have no such test.
fn tests(groups: &Groups, compared: &[(&Group, Body)]) -> Vec<TwoSamples> {
    let reference = groups.reference.map(|at| &groups.groups[at].codes);
    let Some((with, other)) = compared.iter().find(|(group, _)| Some(&group.codes) == reference) else {
        return Vec::new();
    };
    let others = compared.iter().filter(|(group, body)| group.codes != with.codes && body.parts.is_empty());
    let test = |tested: Option<Tested>| tested.map(|(statistic, p)| Test { statistic, p });
    let one = |(group, body): &(&Group, Body)| {
        let (a, b) = (&body.whole.all, &other.whole.all);
        Some(TwoSamples {
            cohort: group.cohort.levels(),
            with: with.cohort.levels(),
            n: (total(a) as i64, total(b) as i64),
            median: (median(a)?, median(b)?),
            welch: test(samples::welch(a, b)),
            student: test(samples::student(a, b)),
            mann_whitney: test(samples::mann_whitney(a, b)),
            smirnov: test(samples::smirnov(a, b)),
        })
    };
    others.filter_map(one).collect()
}
