//! Measured values of two runs side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::{How, Stored, figure, what};
use crate::audit::bias::Figure;
use crate::audit::changes::{Difference, Movement, Unsaid, ValueChange, What};
use crate::cohort::Cohort;
use crate::estimate::{Interval, Method};
use crate::metric::Against;
use crate::report::document::{Estimate, Measured, Report};

type Key = (What, Cohort);

/// A value, whether a criterion judges it, and the cohort it was compared with.
struct Value<'a> {
    measured: &'a Measured,
    judged: bool,
    with: Option<&'a crate::report::document::Cohort>,
}

/// Judged values and, when asked, all readings; what moved beyond both intervals first.
pub fn values(before: &Stored, after: &Stored, how: How) -> Vec<ValueChange> {
    let (old, new) = (all(&before.report, how), all(&after.report, how));
    let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
    let same_rows = same_rows(before, after);
    let other_confidence = before.report.method.confidence != after.report.method.confidence;
    let difference = |of: &Key, old: Option<&Value>, new: Option<&Value>| {
        let unsaid = |why| Difference::Unsaid { why };
        let estimate = |of: Option<&Value>| of.and_then(|of| of.measured.estimate().cloned());
        let (Some(old_estimate), Some(new_estimate)) = (estimate(old), estimate(new)) else {
            return unsaid(Unsaid::NoValue);
        };
        let with = |of: Option<&Value>| of.and_then(|of| of.with.cloned());
        if same_rows {
            unsaid(Unsaid::SameRows)
        } else if !how.independent {
            unsaid(Unsaid::NotIndependent)
        } else if other_confidence {
            unsaid(Unsaid::OtherConfidence)
        } else if chosen(&of.0) || with(old) != with(new) {
            unsaid(Unsaid::Chosen)
        } else {
            between(&old_estimate, &new_estimate)
        }
    };
    let change = |key: &&Key| {
        let (before, after) = (old.get(*key), new.get(*key));
        let figure_of = |value: Option<&Value>| value.map(|value| figure(value.measured));
        let figures = (figure_of(before), figure_of(after));
        ValueChange {
            what: key.0.clone(),
            cohort: key.1.clone(),
            judged: [before, after].iter().flatten().any(|value| value.judged),
            movement: movement(figures.0.as_ref(), figures.1.as_ref()),
            difference: difference(key, before, after),
            before: figures.0,
            after: figures.1,
        }
    };
    let mut changes: Vec<ValueChange> = keys.iter().map(change).collect();
    changes.sort_by_key(|change| (change.movement, !change.judged));
    changes
}

/// Values by what is measured, of whom.
fn all(report: &Report, how: How) -> BTreeMap<Key, Value<'_>> {
    let mut values = BTreeMap::new();
    for finding in &report.findings {
        let (Some(gate), Some(measured)) = (&finding.gate, &finding.measured) else { continue };
        values.insert(key(what(gate), &finding.cohort), Value { measured, judged: true, with: None });
    }
    for reading in &report.readings {
        let contrast = reading.contrast.as_ref();
        let what = What {
            metric: reading.metric.clone(),
            compare: contrast.map(|of| of.compare),
            against: contrast.map(|of| of.against),
            across: reading.across.clone(),
        };
        let with = contrast.and_then(|of| of.with.as_ref());
        match values.entry(key(what, &reading.cohort)) {
            std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().with = with,
            std::collections::btree_map::Entry::Vacant(place) if how.every_reading => {
                place.insert(Value { measured: &reading.measured, judged: false, with });
            }
            std::collections::btree_map::Entry::Vacant(_) => {}
        }
    }
    values
}

/// A comparison without a word on the other cohort is with the worst pair, as the readings have it.
fn key(what: What, cohort: &crate::report::document::Cohort) -> Key {
    let against = what.compare.map(|_| what.against.unwrap_or(Against::WorstPair));
    let cohort = if what.is_chosen() { Cohort::everyone() } else { Cohort::from(cohort) };
    (What { against, ..what }, cohort)
}

fn movement(before: Option<&Figure>, after: Option<&Figure>) -> Movement {
    let ends = |figure: Option<&Figure>| match figure {
        Some(Figure::Estimated { lower, upper, .. }) => Some(Interval { lower: *lower, upper: *upper }),
        _ => None,
    };
    match (ends(before), ends(after)) {
        _ if same(before, after) => Movement::Same,
        (Some(before), Some(after)) => {
            let below = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| a < b);
            match below(before.upper, after.lower) || below(after.upper, before.lower) {
                true => Movement::Beyond,
                false => Movement::Within,
            }
        }
        _ => Movement::Unsaid,
    }
}

/// Point and interval are the same; so are two values that are missing for the same reason.
fn same(before: Option<&Figure>, after: Option<&Figure>) -> bool {
    let bare = |figure: Option<&Figure>| match figure {
        Some(Figure::Estimated { point, lower, upper, .. }) => {
            Some(Figure::Estimated { point: *point, lower: *lower, upper: *upper, n: 0 })
        }
        other => other.cloned(),
    };
    before.is_some() && bare(before) == bare(after)
}

/// Both runs read a file with the same content.
fn same_rows(before: &Stored, after: &Stored) -> bool {
    let digests: BTreeSet<&str> = before.run.inputs.iter().map(|file| file.sha256.as_str()).collect();
    after.run.inputs.iter().any(|file| digests.contains(file.sha256.as_str()))
}

/// The data decide which cohorts are compared.
fn chosen(what: &What) -> bool {
    matches!(what.against, Some(Against::WorstPair | Against::Highest))
}

/// The interval of the difference of two independent estimates from their own intervals: the half widths on the side that matters, added in
/// quadrature (MOVER; Zou and Donner 2008). Each half width is taken as that of a normal estimate.
fn between(before: &Estimate, after: &Estimate) -> Difference {
    if !normal(before.method) || !normal(after.method) {
        return Difference::Unsaid { why: Unsaid::Method };
    }
    let ends = |of: &Estimate| Some((of.point - of.interval.lower?, of.interval.upper? - of.point));
    let (Some((below_before, above_before)), Some((below_after, above_after))) = (ends(before), ends(after)) else {
        return Difference::Unsaid { why: Unsaid::Unbounded };
    };
    let point = after.point - before.point;
    let lower = point - below_after.hypot(above_before);
    let upper = point + above_after.hypot(below_before);
    match [point, lower, upper].iter().all(|end| end.is_finite()) {
        true => Difference::Estimated { point, lower, upper },
        false => Difference::Unsaid { why: Unsaid::Unbounded },
    }
}

/// Intervals of one estimate at its own error rate; those of several at once, and those of distances, are wider than its error.
fn normal(method: Method) -> bool {
    matches!(
        method,
        Method::Wilson
            | Method::ClopperPearson
            | Method::Newcombe
            | Method::MoverR
            | Method::NewcombeExact
            | Method::MoverRExact
            | Method::Jackknife
            | Method::Bootstrap
            | Method::Student
            | Method::DeLong
            | Method::NoisyScore
            | Method::NoisyNewcombe
            | Method::NoisyMoverR
            | Method::NoisyBootstrap
            | Method::NoisyStudent
            | Method::NoisyDeLong
            | Method::Mover
            | Method::Delta
            | Method::WeightedShares
    )
}
