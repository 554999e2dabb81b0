//! Inequality of benefits in and between cohorts; differential fairness of decisions and of labels.
//!
//! Indices of the benefits of a cohort are figures of its confusion table and are compared as those are. What is one figure of all cohorts of
//! a set is a reading of everyone across that set. Only rows of compared cohorts are in it: a row of an unknown level has a benefit of its own
//! and none of 0.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::Context;
use crate::audit::Reading;
use crate::cohort::Cohort;
use crate::demand::hash;
use crate::estimate::{BUCKETS_MIN, Between, Epsilon, Index, Measured, Sample, Support, Why, bootstrap_with_halves};
use crate::measure::suppression::Layer;
use crate::measure::tables::Groups;
use crate::measure::{Group, emit, rates};
use crate::metric::{Composite, Confusion, INEQUALITIES, OF_SETS, OfSet, RATES, benefits};
use crate::plan::Plan;

pub fn measure(context: &Context, readings: &mut Vec<Reading>) {
    let Context { plan, cohorts, protection, .. } = context;
    for card in context.metrics {
        if let Some(composite) = INEQUALITIES.iter().find(|composite| composite.card.id == card.id) {
            let sample = |group: &Group| index(composite, group, plan);
            readings.extend(emit(plan, card, cohorts, protection, Layer::Joint, &sample, None));
        }
        let Some((_, of)) = OF_SETS.iter().find(|(other, _)| other.id == card.id) else { continue };
        for (set, groups) in cohorts.sets.iter().enumerate() {
            let layers: &[Layer] = match of {
                OfSet::Decisions => &[Layer::Decisions],
                OfSet::Labels => &[Layer::Labels],
                OfSet::Amplification => &[Layer::Decisions, Layer::Labels],
                OfSet::BetweenEntropy | OfSet::BetweenTheil | OfSet::BetweenVariation => &[Layer::Joint],
            };
            let measured = match layers.iter().all(|layer| protection.shows(Some(set), &[], *layer)) {
                true => of_set(plan, *of, groups),
                false => Measured::Suppressed,
            };
            let (metric, across) = (card.id.into(), groups.names.clone());
            readings.push(Reading { metric, across, cohort: Cohort::everyone(), contrast: None, measured });
        }
    }
}

/// Weights of TP, FP, FN, TN.
fn cells(table: &Confusion) -> [f64; 4] {
    [table.true_positive(), table.false_positive(), table.false_negative(), table.true_negative()]
        .map(|cell| cell.w as f64)
}

/// Rows with a known label and decision.
fn rows(table: &Confusion) -> i64 {
    [table.true_positive(), table.false_positive(), table.false_negative(), table.true_negative()]
        .iter()
        .map(|cell| cell.n)
        .sum()
}

/// An index of the benefits of a cohort.
fn index(composite: &Composite, group: &Group, plan: &Plan) -> Sample {
    let total = group.total();
    let (n, point) = (rows(&total), (composite.of)(cells(&total)));
    if n > 0 && point.is_none() {
        return Sample::None(Why::BenefitOfZero);
    }
    if composite.card.id != "mean-log-deviation" || plan.dependent || point.is_none() {
        return rates::composite(composite, group, plan, None);
    }
    // Half a row of benefit 0 would leave nothing defined: replicates are those without any.
    let counts = [total.true_positive().n, total.false_positive().n, total.true_negative().n];
    let mut random = random(plan, &format!("{}|{}", composite.card.id, group.cohort));
    let of = |[tp, fp, tn]: [f64; 3]| (composite.of)([tp, fp, 0.0, tn]);
    let replicates = bootstrap_with_halves(counts, &mut random, plan.spec.measure.replicates, of);
    Sample::bootstrapped(point, replicates, n, 0.0, f64::INFINITY)
}

fn random(plan: &Plan, what: &str) -> StdRng {
    StdRng::seed_from_u64(hash(&plan.salt("bootstrap"), what.as_bytes()))
}

/// One figure of all compared cohorts.
fn of_set(plan: &Plan, of: OfSet, groups: &Groups) -> Measured {
    match of {
        OfSet::BetweenEntropy => between(plan, Index::Entropy, groups),
        OfSet::BetweenTheil => between(plan, Index::Theil, groups),
        OfSet::BetweenVariation => between(plan, Index::Variation, groups),
        OfSet::Decisions => epsilon(plan, groups, &["selection-rate"]),
        OfSet::Labels => epsilon(plan, groups, &["prevalence"]),
        OfSet::Amplification => epsilon(plan, groups, &["selection-rate", "prevalence"]),
    }
}

/// The mean benefit and the weight of a table.
fn mean(table: &Confusion) -> (f64, f64) {
    let benefits = benefits(cells(table));
    let weight: f64 = benefits.iter().map(|(_, weight)| weight).sum();
    (benefits.iter().map(|(benefit, weight)| benefit * weight).sum::<f64>() / weight, weight)
}

fn between(plan: &Plan, index: Index, groups: &Groups) -> Measured {
    let totals: Vec<(&Group, Confusion)> =
        groups.groups.iter().filter(|group| group.compared).map(|group| (group, group.total())).collect();
    let filled: Vec<&(&Group, Confusion)> = totals.iter().filter(|(_, total)| mean(total).1 > 0.0).collect();
    if filled.len() < 2 {
        return Measured::Undefined { why: Why::FewerThanTwoCohorts };
    }
    let means: Vec<(f64, f64)> = filled.iter().map(|(_, total)| mean(total)).collect();
    let Some(between) = Between::of(&means) else { return Measured::Undefined { why: Why::BenefitOfZero } };
    let mut random = random(plan, &format!("between|{}", groups.names.join("|")));
    let replicates = plan.spec.measure.replicates;
    let deviations = match plan.dependent {
        true => {
            let groups: Vec<&Group> = filled.iter().map(|(group, _)| *group).collect();
            match by_bucket(&groups, &means, &between, replicates, &mut random) {
                Some(deviations) => deviations,
                None => return Measured::Undefined { why: Why::TooFewBuckets },
            }
        }
        false => {
            let drawn: Vec<Vec<f64>> =
                filled.iter().map(|(_, total)| drawn_means(total, replicates, &mut random)).collect();
            let replicate = |at: usize| {
                let means: Vec<(f64, f64)> = drawn
                    .iter()
                    .zip(&means)
                    .map(|(drawn, (mean, weight))| (drawn.get(at).copied().unwrap_or(*mean), *weight))
                    .collect();
                between.deviation(&means)
            };
            (0..replicates as usize).filter_map(replicate).collect()
        }
    };
    let n = filled.iter().map(|(_, total)| rows(total)).sum();
    let support = Support { n, n_effective: n as f64 };
    Measured::Estimated(between.estimate(index, deviations, support, plan.spec.measure.confidence))
}

/// Mean benefits of tables drawn anew.
fn drawn_means(total: &Confusion, replicates: u32, random: &mut impl Rng) -> Vec<f64> {
    let right = total.true_positive().n + total.true_negative().n;
    let counts = [total.false_negative().n, right, total.false_positive().n];
    let n = counts.iter().sum::<i64>() as f64;
    bootstrap_with_halves(counts, random, replicates, |[_, one, two]| Some((one + 2.0 * two) / n))
}

/// Deviations of replicates that draw buckets of units anew; none with too few of them.
fn by_bucket(
    groups: &[&Group],
    means: &[(f64, f64)],
    between: &Between,
    replicates: u32,
    random: &mut impl Rng,
) -> Option<Vec<f64>> {
    let buckets = groups.iter().map(|group| group.tables.len()).min().filter(|buckets| *buckets > 0)?;
    let sums: Vec<Vec<(f64, f64)>> = groups
        .iter()
        .map(|group| {
            let of = |table: &Confusion| match mean(table) {
                (mean, weight) if weight > 0.0 => (mean * weight, weight),
                _ => (0.0, 0.0),
            };
            group.tables.iter().map(of).collect()
        })
        .collect();
    let filled = (0..buckets).filter(|&at| sums.iter().any(|of| of.get(at).is_some_and(|(_, weight)| *weight > 0.0)));
    if filled.count() < BUCKETS_MIN {
        return None;
    }
    let mut deviations = Vec::new();
    for _ in 0..replicates {
        let mut times = vec![0.0f64; buckets];
        for _ in 0..buckets {
            if let Some(slot) = times.get_mut(random.random_range(0..buckets)) {
                *slot += 1.0;
            }
        }
        let replicate: Vec<(f64, f64)> = sums
            .iter()
            .zip(means)
            .map(|(of, (mean, _))| {
                let (sum, weight) = of
                    .iter()
                    .zip(&times)
                    .fold((0.0, 0.0), |(sum, all), ((part, weight), times)| (sum + part * times, all + weight * times));
                if weight > 0.0 { (sum / weight, weight) } else { (*mean, 0.0) }
            })
            .collect();
        deviations.extend(between.deviation(&replicate));
    }
    Some(deviations)
}

/// Differential fairness of the outcome of a rate; of two rates the first minus the second.
fn epsilon(plan: &Plan, groups: &Groups, of: &[&str]) -> Measured {
    let mut samples = Vec::new();
    for id in of {
        let Some(rate) = RATES.iter().find(|rate| rate.card.id == *id) else { continue };
        let compared = groups.groups.iter().filter(|group| group.compared);
        let shares: Vec<Sample> = compared.map(|group| rates::share(rate, group, plan.dependent, None)).collect();
        if shares.iter().any(|sample| matches!(sample, Sample::None(Why::TooFewBuckets))) {
            return Measured::Undefined { why: Why::TooFewBuckets };
        }
        samples.push(shares);
    }
    let n = samples.iter().map(|shares| shares.iter().map(Sample::n).sum::<i64>()).min().unwrap_or_default();
    let epsilon = match samples.as_slice() {
        [of] => Epsilon::of(of),
        [of, minus] => Epsilon::difference(of, minus),
        _ => None,
    };
    match epsilon {
        Some(epsilon) => {
            let support = Support { n, n_effective: n as f64 };
            Measured::Estimated(epsilon.estimate(support, plan.spec.measure.confidence))
        }
        None => Measured::Undefined { why: Why::FewerThanTwoCohorts },
    }
}

#[cfg(test)]
mod tests;
