//! Shares of the rows by cohort, and how far they are from those of a given population.
//!
//! Of a set with given shares q and k known cohorts, p being shares of the n rows of known cohort: ratio p/q, difference p - q, each on the
//! interval of p (q counts as known); X2 = n sum (p - q)^2 / q with k - 1 degrees of freedom; total variation sum |p - q| / 2; infinity norm
//! max |p - q|; Kullback-Leibler sum p ln(p/q); Jensen-Shannon (KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2 (names of LiFT, Vasudevan and
//! Kenthapadi 2020). Weighted or dependent rows: X2 / d, d = sum (p/q)(1 - p) deff / (k - 1) (Rao and Scott 1981, first order).

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::Context;
use super::independence;
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::data::{AgainstPopulation, Fit, Representation, Represented};
use crate::demand::hash;
use crate::estimate::equality::holm;
use crate::estimate::{Estimate, Interval, Measured, Sample, Share, Support, normal, student};
use crate::measure::noise;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::statistic::Cell;

/// Values for every cohort; nothing is compared: shares of one whole are not independent of one another.
pub fn readings(context: &Context, readings: &mut Vec<Reading>) {
    let asked = |id: &str| context.metrics.iter().any(|card| card.id == id);
    let plan = context.plan;
    let confidence = plan.spec.measure.confidence;
    for (set, groups) in context.cohorts.sets.iter().enumerate() {
        let expected = expected(context, groups);
        let known = known(groups);
        for (i, group) in groups.groups.iter().enumerate() {
            let shown = context.protection.shows(Some(set), &group.codes, Layer::Rows);
            let mut write = |id: &str, measured: Measured| {
                let measured = if shown { measured } else { Measured::Suppressed };
                let (across, cohort) = (groups.names.clone(), group.cohort.clone());
                readings.push(Reading { metric: Arc::from(id), across, cohort, contrast: None, measured });
            };
            if asked("representation") {
                let all = rows(&context.cohorts.everyone);
                let width = noise::width_max(plan, context.released).unwrap_or(f64::INFINITY);
                write("representation", share(context, group, &all).kept(confidence, width).measure(confidence));
            }
            let expected = expected.as_ref().and_then(|expected| expected.get(i).copied().flatten());
            if let (true, Some(expected)) = (asked("representation-ratio"), expected) {
                write("representation-ratio", scaled(share(context, group, &known).measure(confidence), expected));
            }
        }
    }
}

fn scaled(measured: Measured, expected: f64) -> Measured {
    match measured {
        Measured::Estimated(estimate) => Measured::Estimated(estimate.times(1.0 / expected)),
        other => other,
    }
}

/// Rows of a cohort, one cell per bucket.
fn rows(group: &Group) -> Vec<Cell> {
    group.tables.iter().map(|table| table.rows()).collect()
}

/// Rows of the cohorts of declared levels.
fn known(groups: &Groups) -> Vec<Cell> {
    let mut sum: Vec<Cell> = Vec::new();
    for group in groups.groups.iter().filter(|group| group.compared) {
        let cells = rows(group);
        sum.resize(cells.len().max(sum.len()), Cell::default());
        sum.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell);
    }
    sum
}

fn share(context: &Context, group: &Group, whole: &[Cell]) -> Sample {
    let parts: Vec<Share> =
        rows(group).into_iter().zip(whole).map(|(numerator, &denominator)| Share { numerator, denominator }).collect();
    let total = || parts.iter().fold(Share::default(), |sum, &part| sum + part);
    if let Some(noise) = noise::of(context.plan, context.released, "measure/table") {
        return Sample::noisy_share(&total(), &noise);
    }
    match context.plan.dependent {
        true => Sample::bucketed_share(&parts),
        false => Sample::share(&total()),
    }
}

/// Expected share of every cohort of a set; none where no population is given for it. Cohorts of unknown level have none.
fn expected(context: &Context, groups: &Groups) -> Option<Vec<Option<f64>>> {
    let data = context.plan.spec.measure.data.as_ref()?;
    let shares: Vec<_> = groups.names.iter().map(|name| data.reference.get(&**name)).collect::<Option<_>>()?;
    if shares.len() > 1 && !data.product_of_margins {
        return None;
    }
    let of = |group: &Group| -> Option<f64> {
        let factors = group.cohort.pairs.iter().zip(&shares).map(|((_, level), shares)| shares.get(&**level).copied());
        factors.product::<Option<f64>>().filter(|share| group.compared && *share > 0.0)
    };
    Some(groups.groups.iter().map(of).collect())
}

pub fn measure(context: &Context) -> Vec<Representation> {
    let sets = context.cohorts.sets.iter().enumerate();
    sets.map(|(set, groups)| of_set(context, set, groups)).collect()
}

fn of_set(context: &Context, set: usize, groups: &Groups) -> Representation {
    let confidence = context.plan.spec.measure.confidence;
    let shown = groups.groups.iter().all(|group| context.protection.shows(Some(set), &group.codes, Layer::Rows));
    let figure = |measured: &Measured| if shown { Figure::of(measured) } else { Figure::Suppressed };
    let whole = known(groups);
    let expected = expected(context, groups);
    let compared: Vec<(&Group, Sample)> = groups
        .groups
        .iter()
        .filter(|group| group.compared)
        .map(|group| (group, share(context, group, &whole)))
        .collect();
    let of = |group: &Group| {
        let at = groups.groups.iter().position(|other| other.codes == group.codes)?;
        expected.as_ref()?.get(at).copied().flatten()
    };
    let p: Vec<Option<f64>> = compared
        .iter()
        .map(|(group, sample)| of(group).and_then(|expected| equal(sample, expected, context)))
        .collect();
    let adjusted = holm(&p.iter().map(|p| p.unwrap_or(1.0)).collect::<Vec<_>>());
    let lines = compared.iter().zip(p.iter().zip(adjusted)).map(|((group, sample), (p, adjusted))| {
        let measured = sample.measure(confidence);
        let against = of(group).map(|expected| AgainstPopulation {
            expected,
            difference: if shown { minus(&measured, expected) } else { Figure::Suppressed },
            ratio: figure(&scaled(measured.clone(), expected)),
            p_holm: p.map(|_| adjusted).filter(|_| shown),
        });
        Represented { cohort: group.cohort.levels(), share: figure(&measured), against }
    });
    let (all, mut unknown) = (rows(&context.cohorts.everyone), rows(&context.cohorts.everyone));
    unknown.iter_mut().zip(&whole).for_each(|(left, known)| *left = *left - *known);
    let parts = unknown.iter().zip(&all).map(|(&numerator, &denominator)| Share { numerator, denominator });
    let unknown = match context.plan.dependent {
        true => Sample::bucketed_share(&parts.collect::<Vec<_>>()),
        false => Sample::share(&parts.fold(Share::default(), |sum, part| sum + part)),
    };
    let shares: Option<Vec<f64>> = compared.iter().map(|(group, _)| of(group)).collect();
    Representation {
        across: groups.names.clone(),
        cohorts: lines.collect(),
        unknown: figure(&unknown.measure(confidence)),
        fit: shares.filter(|shares| shares.len() > 1).map(|shares| fit(context, groups, &compared, &shares, shown)),
        product: groups.names.len() > 1 && expected.is_some(),
    }
}

fn minus(measured: &Measured, expected: f64) -> Figure {
    match measured.estimate() {
        Some(estimate) => {
            let Interval { lower, upper } = estimate.interval;
            let moved = Interval { lower: lower.map(|end| end - expected), upper: upper.map(|end| end - expected) };
            Figure::new(estimate.point - expected, moved, estimate.support.n)
        }
        None => Figure::of(measured),
    }
}

/// p of equality with an expected share: score test with the effective number of rows.
fn equal(sample: &Sample, expected: f64, context: &Context) -> Option<f64> {
    let measured = sample.measure(context.plan.spec.measure.confidence);
    let estimate = measured.estimate()?;
    let variance = expected * (1.0 - expected) / estimate.support.n_effective;
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let z = (estimate.point - expected) / variance.sqrt();
    Some(independence::tail(z * z, 1))
}

fn fit(context: &Context, groups: &Groups, compared: &[(&Group, Sample)], shares: &[f64], shown: bool) -> Fit {
    let measure = &context.plan.spec.measure;
    let seed = hash(&context.plan.salt("representation"), groups.names.join("|").as_bytes());
    let mut random = StdRng::seed_from_u64(seed);
    // A product over the cohorts with rows may sum to less than 1: what has no row is a class too.
    let rest = 1.0 - shares.iter().sum::<f64>();
    let (mut q, mut counts): (Vec<f64>, Vec<u64>) =
        compared.iter().zip(shares).map(|((group, _), &share)| (share, count(group))).unzip();
    let mut p: Vec<f64> = compared.iter().map(|(_, sample)| sample.point().unwrap_or(0.0)).collect();
    if rest > 1e-6 {
        q.push(rest);
        counts.push(0);
        p.push(0.0);
    }
    let n: u64 = counts.iter().sum();
    let degrees = (q.len() - 1) as u32;
    let tested = match context.plan.dependent {
        true => corrected(compared, &q, &p, n),
        false => independence::fit(&counts, &q, &mut random),
    }
    .filter(|_| shown);
    let gaps = |p: &[f64], q: &[f64]| -> (f64, f64) {
        let gaps = p.iter().zip(q).map(|(p, q)| (p - q).abs());
        (gaps.clone().sum::<f64>() / 2.0, gaps.fold(0.0, f64::max))
    };
    let (total, greatest) = gaps(&p, &q);
    let support = Support { n: n as i64, n_effective: n as f64 };
    let draw = |random: &mut StdRng| {
        let drawn = independence::multinomial(n, &p, random);
        gaps(&drawn.iter().map(|&rows| rows as f64 / n.max(1) as f64).collect::<Vec<_>>(), &p)
    };
    let figure = |point: f64, deviations: &dyn Fn(&(f64, f64)) -> f64, drawn: &[(f64, f64)]| {
        if !shown || n == 0 {
            return if shown { undefined() } else { Figure::Suppressed };
        }
        let interval = match context.plan.dependent {
            true => together(compared, measure.confidence, point),
            false => {
                let deviations = drawn.iter().map(deviations).collect();
                Estimate::distance(point, deviations, 1.0, support, measure.confidence).interval
            }
        };
        Figure::new(point, interval, n as i64)
    };
    let drawn: Vec<(f64, f64)> = match context.plan.dependent || n == 0 {
        true => Vec::new(),
        false => (0..measure.replicates).map(|_| draw(&mut random)).collect(),
    };
    let middle: Vec<f64> = p.iter().zip(&q).map(|(p, q)| (p + q) / 2.0).collect();
    let some = |value: f64| (shown && n > 0 && value.is_finite()).then_some(value);
    Fit {
        chi_squared: tested.map(|tested| tested.statistic),
        degrees,
        p: tested.map(|tested| tested.p),
        drawn: tested.is_some_and(|tested| tested.drawn),
        total_variation: figure(total, &|deviation| deviation.0, &drawn),
        infinity_norm: figure(greatest, &|deviation| deviation.1, &drawn),
        kullback_leibler: some(divergence(&p, &q)),
        jensen_shannon: some((divergence(&p, &middle) + divergence(&q, &middle)) / 2.0),
        // Of independent rows only.
        kullback_leibler_at_equality: some(f64::from(degrees) / (2.0 * n as f64)).filter(|_| !context.plan.dependent),
    }
}

fn undefined() -> Figure {
    Figure::Undefined { reason: "no row is in the denominator".into() }
}

fn count(group: &Group) -> u64 {
    rows(group).into_iter().map(|cell| cell.n.max(0) as u64).sum()
}

/// sum p ln(p/q).
fn divergence(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * (p / q).ln()).sum()
}

/// Pearson's statistic over the mean design effect.
fn corrected(compared: &[(&Group, Sample)], q: &[f64], p: &[f64], n: u64) -> Option<independence::Tested> {
    let degrees = (q.len() - 1) as u32;
    let mut effect = 0.0;
    for ((_, sample), q) in compared.iter().zip(q) {
        let measured = sample.measure(0.95);
        let estimate = measured.estimate()?;
        let deff = n as f64 / estimate.support.n_effective;
        effect += estimate.point / q * (1.0 - estimate.point) * deff;
    }
    let effect = effect / f64::from(degrees);
    if effect.is_nan() || effect <= 0.0 {
        return None;
    }
    let statistic = p.iter().zip(q).map(|(p, q)| (p - q).powi(2) / q).sum::<f64>() * n as f64 / effect;
    Some(independence::Tested { statistic, degrees, p: independence::tail(statistic, degrees), drawn: false })
}

/// Dependent rows: every share within its limits at once (Bonferroni), so both distances within half the sum of their half-widths.
fn together(compared: &[(&Group, Sample)], confidence: f64, point: f64) -> Interval {
    let each = 1.0 - (1.0 - confidence) / compared.len().max(1) as f64;
    // Deviations of shares sum to 0: none exceeds half the sum of all.
    let reach: f64 = compared
        .iter()
        .map(|(_, sample)| match sample {
            Sample::Buckets { point, filled, .. } => {
                let n = sample.measure(confidence).estimate().map_or(0.0, |estimate| estimate.support.n_effective);
                let critical = if *filled > 1 { student(each, (*filled - 1) as f64) } else { normal(each) };
                critical * (point * (1.0 - point) / n).sqrt()
            }
            _ => f64::INFINITY,
        })
        .sum::<f64>()
        / 2.0;
    match reach.is_finite() {
        true => Interval::new((point - reach).max(0.0), (point + reach).min(1.0)),
        false => Interval { lower: None, upper: None },
    }
}
