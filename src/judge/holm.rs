//! Which limits are breached when many are judged at once (Holm 1979, Scandinavian Journal of Statistics 6).
//!
//! With m values judged and r of them already breached, the interval of each of the others is taken at confidence 1 - alpha / (m - r); those
//! wholly beyond their limits are breached, and the step is repeated until none is added. A value's p is 1 minus the greatest confidence at
//! which its interval excludes the limit, so this is Holm's step-down: sorted by p, the i-th is rejected while p <= alpha / (m - i + 1).
//! Steps over sets do not depend on the order of values, ties included. Holm needs no assumption on how the values depend on one another.
//!
//! The family is every value a criterion asked for, also those without an estimate or with too few rows: its size must not depend on what
//! was found.

use super::limit::Limit;
use crate::estimate::{Estimate, Interval, Method};

/// What the procedure said about one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub breached: bool,
    /// At the confidence of the step in which it was breached, else of the last step.
    pub interval: Interval,
    /// False when the interval is made of too few bootstrap replicates for that confidence; such a value is never breached.
    pub resolved: bool,
}

/// Steps down over the values. None is a value that cannot be judged.
pub fn step_down(
    tested: &[Option<(&Estimate, Limit)>],
    family: usize,
    confidence: f64,
    replicates: u32,
) -> Vec<Option<Judged>> {
    let alpha = 1.0 - confidence;
    let mut judged: Vec<Option<Judged>> = vec![None; tested.len()];
    loop {
        let breached = judged.iter().flatten().filter(|judged| judged.breached).count();
        let left = family.saturating_sub(breached).max(1);
        // Not 1 - alpha when one is left: that is another number in the last digit than the confidence of the printed interval.
        let step = if left == 1 { confidence } else { 1.0 - alpha / left as f64 };
        let mut added = false;
        for (slot, tested) in judged.iter_mut().zip(tested) {
            let (Some((estimate, limit)), false) = (tested, slot.is_some_and(|judged| judged.breached)) else {
                continue;
            };
            let interval = estimate.at(step).interval;
            let resolved = is_resolved(estimate, alpha / left as f64, replicates);
            let breached = resolved && limit.is_broken_by(&interval);
            added |= breached;
            *slot = Some(Judged { breached, interval, resolved });
        }
        if !added {
            return judged;
        }
    }
}

/// True when a tail holds at least one replicate, for intervals made of them: half of alpha at each end, or all of it where the interval is
/// made of deviations, which are not signed.
fn is_resolved(estimate: &Estimate, alpha: f64, replicates: u32) -> bool {
    let replicates = f64::from(replicates);
    match estimate.method {
        Method::Bootstrap | Method::NoisyBootstrap => alpha / 2.0 * replicates >= 1.0,
        Method::Deviations | Method::Dispersion => alpha * replicates >= 1.0,
        _ => true,
    }
}
