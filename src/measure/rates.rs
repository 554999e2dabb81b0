//! Shares of a confusion table, and figures that are no shares.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Group;
use crate::demand::hash;
use crate::estimate::{Sample, bootstrap_with_halves};
use crate::metric::{Composite, Confusion, Rate};
use crate::plan::Plan;

/// The rate of a cohort.
pub fn share(rate: &Rate, group: &Group, dependent: bool) -> Sample {
    match dependent {
        true => Sample::bucketed_share(&group.tables.iter().map(rate.of).collect::<Vec<_>>()),
        false => Sample::share(&(rate.of)(&group.total())),
    }
}

/// A figure of the four cells of known label and decision.
pub fn composite(composite: &Composite, group: &Group, plan: &Plan) -> Sample {
    let total = group.total();
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
    let seed = hash(&plan.salt("bootstrap"), format!("{}|{}", composite.card.id, group.cohort).as_bytes());
    let mut random = StdRng::seed_from_u64(seed);
    let replicates = bootstrap_with_halves(
        cells(&total).map(|cell| cell.n),
        &mut random,
        plan.spec.measure.replicates,
        composite.of,
    );
    Sample::bootstrapped(point, replicates, n, -1.0, 1.0)
}

/// TP, FP, FN, TN.
fn cells(table: &Confusion) -> [crate::statistic::Cell; 4] {
    [table.true_positive(), table.false_positive(), table.false_negative(), table.true_negative()]
}
