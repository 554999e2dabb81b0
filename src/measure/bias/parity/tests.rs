//! The standard error of the conditional disparity by simulation, and its edges.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};

use super::*;

#[test]
fn edges_of_the_conditional_disparity() {
    assert_eq!(conditional_disparity(&[]), None);
    assert_eq!(conditional_disparity(&[[3.0, 0.0], [4.0, 0.0]]), None);
    let (point, se) = conditional_disparity(&[[3.0, 5.0], [3.0, 5.0]]).unwrap();
    assert!(point.abs() < 1e-15 && se.abs() < 1e-15, "cohorts of equal size cancel: {point} {se}");
}

/// Multinomial tables: 95 % intervals hold the truth in at least 92.5 % of 2,000 runs.
#[test]
fn the_conditional_disparity_is_covered() {
    let mut random = StdRng::seed_from_u64(44);
    let shares = [[0.10, 0.40], [0.20, 0.15], [0.10, 0.05]];
    let (truth, _) = conditional_disparity(&shares).unwrap();
    let runs = 2000;
    let mut held = 0;
    for _ in 0..runs {
        let (mut left, mut total) = (400u64, 1.0);
        let mut cells = shares;
        for (cell, p) in cells.iter_mut().flatten().zip(shares.into_iter().flatten()) {
            let n = Binomial::new(left, (p / total).min(1.0)).unwrap().sample(&mut random);
            *cell = n as f64;
            left -= n;
            total -= p;
        }
        let (point, se) = conditional_disparity(&cells).unwrap();
        held += i32::from((point - truth).abs() <= 1.959_963_984_540_054 * se);
    }
    assert!((1850..=1960).contains(&held), "{held} of {runs}");
}
