//! Readings of metrics that are of two cohorts only: the worst pair, each cohort with everyone else, each with the reference cohort.

use crate::audit::{Contrast, Reading};
use crate::cohort::Cohort;
use crate::estimate::{Measured, Why};
use crate::measure::bias::Context;
use crate::measure::suppression::{Layer, Protection};
use crate::measure::tables::Groups;
use crate::metric::{Against, Comparison};

/// With whom a cohort is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Another cohort of the set.
    Group(usize),
    /// Everyone who is not in the cohort.
    Rest,
}

/// The worst pair: positions among the cohorts of the set, and its value.
pub struct Worst {
    pub cohort: usize,
    pub with: usize,
    pub measured: Measured,
}

/// One metric of the cohorts of one set.
pub struct Pairwise<'f> {
    pub id: &'static str,
    pub layer: Layer,
    /// Rows behind the metric of a cohort.
    pub rows: &'f dyn Fn(usize) -> f64,
    pub one: &'f dyn Fn(usize, Other) -> Measured,
    /// Of cohorts that have rows.
    pub worst: &'f dyn Fn(&[usize]) -> Option<Worst>,
}

/// Most cohorts of which distances are resampled: the work grows with the number of their pairs.
const COHORTS_MAX: usize = 100;

/// Adds the readings of a metric of one set.
///
/// As elsewhere, a cohort with fewer rows than a criterion needs is in no worst pair, and which cohorts are the worst pair is withheld with the
/// value.
pub fn write(context: &Context, protection: &Protection, set: usize, metric: &Pairwise, readings: &mut Vec<Reading>) {
    let Some(groups) = context.cohorts.sets.get(set) else { return };
    let shows = |i: usize| protection.shows(Some(set), &groups.groups[i].codes, metric.layer);
    let compared: Vec<usize> = (0..groups.groups.len()).filter(|&i| groups.groups[i].compared).collect();
    let shown = compared.iter().all(|&i| shows(i));
    let rest_shown = shown && protection.shows(None, &[], metric.layer);
    let reading = |cohort: Cohort, against: Against, with: Option<Cohort>, too_few: u32, measured: Measured| Reading {
        metric: metric.id.into(),
        across: groups.names.clone(),
        cohort,
        contrast: Some(Contrast { compare: Comparison::Difference, against, with, too_few }),
        measured,
    };
    let named = |i: usize| groups.groups[i].cohort.clone();
    if compared.len() > COHORTS_MAX {
        let why = Measured::Undefined { why: Why::TooManyCohorts };
        readings.push(reading(Cohort::everyone(), Against::WorstPair, None, 0, why));
        return;
    }
    let (worst, too_few) = if shown { worst(context, groups, &compared, metric) } else { (None, 0) };
    readings.push(match worst {
        _ if !shown => reading(Cohort::everyone(), Against::WorstPair, None, 0, Measured::Suppressed),
        Some(worst) => {
            reading(named(worst.cohort), Against::WorstPair, Some(named(worst.with)), too_few, worst.measured)
        }
        None => {
            let why = Measured::Undefined { why: Why::FewerThanTwoCohorts };
            reading(Cohort::everyone(), Against::WorstPair, None, too_few, why)
        }
    });
    for &i in &compared {
        let measured = if rest_shown { (metric.one)(i, Other::Rest) } else { Measured::Suppressed };
        readings.push(reading(named(i), Against::Overall, None, 0, measured));
    }
    let Some(reference) = groups.reference.filter(|reference| compared.contains(reference)) else { return };
    for &i in compared.iter().filter(|&&i| i != reference) {
        let measured = if shown { (metric.one)(i, Other::Group(reference)) } else { Measured::Suppressed };
        readings.push(reading(named(i), Against::Reference, Some(named(reference)), 0, measured));
    }
}

/// The worst pair of cohorts with enough rows, and how many have some and not enough.
fn worst(context: &Context, groups: &Groups, compared: &[usize], metric: &Pairwise) -> (Option<Worst>, u32) {
    let least = context.plan.spec.measure.support_min as f64;
    let enough: Vec<usize> = compared.iter().copied().filter(|&i| (metric.rows)(i) >= least.max(1.0)).collect();
    let too_few = compared.iter().filter(|&&i| (metric.rows)(i) > 0.0 && !enough.contains(&i)).count();
    debug_assert!(groups.groups.len() >= compared.len());
    let worst = if enough.len() < 2 { None } else { (metric.worst)(&enough) };
    (worst, u32::try_from(too_few).unwrap_or(u32::MAX))
}
