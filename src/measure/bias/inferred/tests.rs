//! Coverage of the difference of two levels that share every row.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::metric::Against;

/// A row: probability of the first level in 1/1024, selected or not.
fn drawn(random: &mut StdRng) -> (i128, u32) {
    let p: i128 = random.random_range(0..=1024);
    let selected = random.random::<f64>() < 0.5 - 0.2 * p as f64 / 1024.0;
    (p, u32::from(selected))
}

/// rate(first) = E[p (0.5 - 0.2 p)] / E[p], rate(second) the same with 1 - p; over p = 0, 1/1024, ..., 1.
fn truth() -> f64 {
    let (mut first, mut second) = ((0.0, 0.0), (0.0, 0.0));
    for p in (0..=1024).map(|p| f64::from(p) / 1024.0) {
        let y = 0.5 - 0.2 * p;
        first = (first.0 + p * y, first.1 + p);
        second = (second.0 + (1.0 - p) * y, second.1 + 1.0 - p);
    }
    first.0 / first.1 - second.0 / second.1
}

/// 1,000 sets of 1,000 rows at 95 %: by chance fewer than 916 or more than 984 cover with a probability below 1e-6.
#[test]
fn the_difference_of_levels_that_share_rows_is_covered() {
    let rate = RATES.iter().find(|rate| rate.card.id == "selection-rate").unwrap();
    let mut random = StdRng::seed_from_u64(20);
    let (truth, mut covered) = (truth(), 0);
    for _ in 0..1000 {
        let mut levels = vec![vec![Confusion::default(); BUCKETS as usize]; 2];
        for row in 0..1000 {
            let (p, selected) = drawn(&mut random);
            for (level, p) in [p, 1024 - p].into_iter().enumerate() {
                let w = p << 10;
                levels[level][row % BUCKETS as usize].add(2, selected, Cell { n: 1, w, ww: w * w, draws: 0 });
            }
        }
        let samples: Vec<Sample> = levels.iter().map(|tables| share(rate, tables)).collect();
        let nobody = Sample::None(Why::EmptyComparison);
        let compared = contrast(Comparison::Difference, Against::Reference, &samples, &nobody, Some(1), 0.95);
        let interval = compared[0].measured.estimate().unwrap().interval;
        covered += i32::from(interval.contains(truth));
    }
    assert!((916..=984).contains(&covered), "{covered} of 1000");
}

#[test]
fn few_buckets_or_no_weight_are_no_rate() {
    let rate = RATES.iter().find(|rate| rate.card.id == "selection-rate").unwrap();
    let mut tables = vec![Confusion::default(); BUCKETS as usize];
    assert_eq!(share(rate, &tables).measure(0.95), Measured::Undefined { why: Why::EmptyDenominator });
    for table in tables.iter_mut().take(19) {
        table.add(2, 1, Cell { n: 1, w: 1 << 20, ww: 1 << 40, draws: 0 });
    }
    assert_eq!(share(rate, &tables).measure(0.95), Measured::Undefined { why: Why::TooFewBuckets });
}
