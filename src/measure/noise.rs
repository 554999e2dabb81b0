//! The noise of released evidence, as estimates need it.

use crate::budget::Mechanism;
use crate::demand::Limbs;
use crate::estimate::Noise;
use crate::evidence::Released;
use crate::plan::Plan;

/// The noise of a statistic. None without differential privacy; with it rows of a unit are bounded by the plan, also where a statistic was
/// released as counted.
pub fn of(plan: &Plan, released: &Released, statistic: &str) -> Option<Noise> {
    let privacy = plan.spec.privacy.as_ref()?;
    let receipt = released.receipts().iter().rfind(|receipt| *receipt.statistic == *statistic);
    let variance = receipt.and_then(|receipt| receipt.noise.as_ref()).map_or(0.0, |noise| noise.variance.max(0.0));
    let laplace = receipt.is_some_and(|receipt| receipt.mechanism == Mechanism::DiscreteLaplace);
    Some(Noise { variance, laplace, design_effect: f64::from(privacy.rows_per_unit_max.max(1)) })
}

/// The same of moments with this resolution, in units of products of the columns.
pub fn of_moments(plan: &Plan, released: &Released, statistic: &str, bits: u32) -> Option<Noise> {
    let noise = of(plan, released, statistic)?;
    Some(Noise { variance: noise.variance * (2.0f64).powi(-4 * bits as i32), ..noise })
}

/// Widest interval of a value, as a share of the range of its metric. None of evidence as it was counted: what few rows leave open is said by the
/// interval.
pub fn width_max(plan: &Plan, released: &Released) -> Option<f64> {
    let noisy = released.receipts().iter().any(|receipt| receipt.noise.is_some());
    plan.spec.privacy.as_ref().filter(|_| noisy).map(|privacy| privacy.interval_width_max)
}

/// Noise is added on the coarse lattice.
pub fn limbs(plan: &Plan) -> Limbs {
    if plan.spec.privacy.is_some() { Limbs::One } else { Limbs::Two }
}

/// True when intervals are those of the jackknife over buckets of units: under differential privacy buckets would cost budget, and the rows
/// of a unit are bounded instead.
pub fn buckets(plan: &Plan) -> bool {
    plan.dependent && plan.spec.privacy.is_none()
}

/// What a reader must know about evidence with noise.
pub fn notes(plan: &Plan, exceeded: bool) -> Vec<String> {
    let Some(privacy) = &plan.spec.privacy else { return Vec::new() };
    let mut notes = vec![
        "Intervals cover sampling and the noise of the release together. Counts carry noise and may be negative; differences are formed before values are kept within their range.".to_owned(),
    ];
    if privacy.rows_per_unit_max > 1 {
        notes.push(format!(
            "A unit has at most {0} rows: sampling variances are multiplied by {0}, the greatest design effect (Kish 1965).",
            privacy.rows_per_unit_max
        ));
    }
    if exceeded {
        notes.push(format!(
            "Where the interval could be wider than {} of the range of its metric there is no value, because the noise exceeds the cohort; such cohorts are in no comparison.",
            privacy.interval_width_max
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
