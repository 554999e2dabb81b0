//! Shares of a confusion table, and figures that are no shares.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Group;
use crate::demand::hash;
use crate::estimate::{Noise, Sample, Why, bootstrap_with_halves, noisy_bootstrap};
use crate::metric::{Composite, Confusion, Rate};
use crate::plan::Plan;

/// The rate of a cohort.
pub fn share(rate: &Rate, group: &Group, dependent: bool, noise: Option<&Noise>) -> Sample {
    if let Some(noise) = noise {
        return Sample::noisy_share(&(rate.of)(&group.total()), noise);
    }
    match dependent {
        true => Sample::bucketed_share(&group.tables.iter().map(rate.of).collect::<Vec<_>>()),
        false => Sample::share(&(rate.of)(&group.total())),
    }
}

/// A figure of the four cells of known label and decision.
pub fn composite(composite: &Composite, group: &Group, plan: &Plan, noise: Option<&Noise>) -> Sample {
    let total = group.total();
    if let Some(noise) = noise {
        return noisy(composite, group, plan, noise);
    }
    let weights = |table: &Confusion| cells(table).map(|cell| cell.w as f64);
    let n: i64 = cells(&total).iter().map(|cell| cell.n).sum();
    let point = (composite.of)(weights(&total));
    if plan.dependent {
        let all = weights(&total);
        let left_out = group.tables.iter().map(|table| {
            let part = weights(table);
            (composite.of)([0, 1, 2, 3].map(|i| all[i] - part[i]))
        });
        let filled = group.tables.iter().filter(|table| cells(table).iter().any(|cell| cell.n != 0)).count();
        return Sample::buckets(point, left_out.collect(), filled, n);
    }
    if point.is_none() {
        return Sample::bootstrapped(None, Vec::new(), n, 0.0, 1.0);
    }
    let mut random = random(composite, group, plan);
    let replicates = bootstrap_with_halves(
        cells(&total).map(|cell| cell.n),
        &mut random,
        plan.spec.measure.replicates,
        composite.of,
    );
    Sample::bootstrapped(point, replicates, n, -1.0, 1.0)
}

fn random(composite: &Composite, group: &Group, plan: &Plan) -> StdRng {
    StdRng::seed_from_u64(hash(&plan.salt("bootstrap"), format!("{}|{}", composite.card.id, group.cohort).as_bytes()))
}

fn noisy(composite: &Composite, group: &Group, plan: &Plan, noise: &Noise) -> Sample {
    let cells = cells(&group.total());
    let point = (composite.of)(cells.map(|cell| cell.n as f64));
    let n = cells.iter().map(|cell| cell.n).sum();
    let wanted = plan.spec.measure.replicates;
    let replicates = noisy_bootstrap(cells, noise, &mut random(composite, group, plan), wanted, composite.of);
    if point.is_none() && !noise.is_any() {
        return Sample::None(Why::EmptyDenominator);
    }
    let lower = if composite.card.id == "matthews-correlation" { -1.0 } else { 0.0 };
    match Sample::noisy_bootstrapped(point, replicates, wanted, n, (lower, 1.0)) {
        Sample::None(_) => Sample::None(noise.why_not(n as f64)),
        sample => sample,
    }
}

/// TP, FP, FN, TN.
fn cells(table: &Confusion) -> [crate::statistic::Cell; 4] {
    [table.true_positive(), table.false_positive(), table.false_negative(), table.true_negative()]
}
