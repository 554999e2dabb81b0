//! The indices between cohorts, and how often their intervals hold, at equality too.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};

use super::*;
use crate::estimate::bootstrap_with_halves;
use crate::metric::generalised_entropy;

#[test]
fn indices_are_those_of_the_means() {
    let means = [(0.75, 4.0), (1.0, 6.0), (1.2, 3.0)];
    let between = Between::of(&means).unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-14;
    let entropy = generalised_entropy(&means, 2.0).unwrap();
    assert!(near(between.point(Index::Entropy), entropy));
    assert!(near(between.point(Index::Variation), (2.0 * entropy).sqrt()));
    assert!(near(between.point(Index::Theil), generalised_entropy(&means, 1.0).unwrap()));
    assert_eq!(Between::of(&[(0.0, 4.0), (0.0, 1.0)]), None);
    assert_eq!(between.deviation(&means), Some(0.0));
}

#[test]
fn equal_means_have_an_interval_from_zero() {
    let support = Support { n: 8, n_effective: 8.0 };
    for index in [Index::Entropy, Index::Theil, Index::Variation] {
        let estimate = Between::of(&[(1.0, 4.0), (1.0, 4.0)]).unwrap().estimate(index, vec![0.1; 99], support, 0.95);
        assert_eq!((estimate.point, estimate.interval.lower), (0.0, Some(0.0)));
        assert!(estimate.interval.upper.unwrap() > 0.0);
    }
}

#[test]
fn a_confidence_beyond_the_replicates_has_no_upper_end() {
    let support = Support { n: 8, n_effective: 8.0 };
    for index in [Index::Entropy, Index::Theil, Index::Variation] {
        for cohorts in [[(1.0, 4.0), (1.5, 4.0)], [(1.0, 4.0), (1.0, 4.0)], [(0.0, 4.0), (1.5, 4.0)]] {
            let estimate = Between::of(&cohorts).unwrap().estimate(index, vec![0.1; 99], support, 0.95);
            assert!(estimate.interval.upper.unwrap() > estimate.point, "{index:?} {cohorts:?}");
            let beyond = estimate.at(0.9999).interval;
            assert_eq!((beyond.lower, beyond.upper), (Some(0.0), None), "{index:?} {cohorts:?}");
        }
    }
}

/// 400 runs of 200 replicates with a fixed seed: a law of 95 % falls below 90 % with a chance of 3e-5.
#[test]
fn indices_are_held_at_least_at_the_stated_rate() {
    let mut random = StdRng::seed_from_u64(22);
    // Rows of a cohort, and the chances of the benefits 0 and 2.
    let cases: [&[(u64, f64, f64)]; 3] = [
        &[(80, 0.2, 0.2); 4],
        &[(400, 0.2, 0.1), (100, 0.1, 0.3), (60, 0.2, 0.2)],
        &[(900, 0.1, 0.1), (300, 0.3, 0.1), (30, 0.1, 0.3)],
    ];
    for cohorts in cases {
        let truth: Vec<(f64, f64)> = cohorts.iter().map(|(n, none, two)| (1.0 - none + two, *n as f64)).collect();
        let truth = Between::of(&truth).unwrap();
        let mut held = [0; 3];
        for _ in 0..400 {
            let (mut means, mut drawn) = (Vec::new(), Vec::new());
            for (n, none, two) in cohorts {
                let zero = Binomial::new(*n, *none).unwrap().sample(&mut random);
                let more = Binomial::new(n - zero, two / (1.0 - none)).unwrap().sample(&mut random);
                let counts = [zero as i64, (n - zero - more) as i64, more as i64];
                let mean = |cells: [f64; 3]| Some((cells[1] + 2.0 * cells[2]) / *n as f64);
                means.push((mean(counts.map(|count| count as f64)).unwrap(), *n as f64));
                drawn.push(bootstrap_with_halves(counts, &mut random, 200, mean));
            }
            let between = Between::of(&means).unwrap();
            let deviations: Vec<f64> = (0..200)
                .filter_map(|at| {
                    let replicate: Vec<(f64, f64)> =
                        drawn.iter().zip(&means).map(|(drawn, (_, weight))| (drawn[at], *weight)).collect();
                    between.deviation(&replicate)
                })
                .collect();
            let support = Support { n: 1, n_effective: 1.0 };
            for (slot, index) in held.iter_mut().zip([Index::Entropy, Index::Theil, Index::Variation]) {
                let estimate = between.clone().estimate(index, deviations.clone(), support, 0.95);
                *slot += usize::from(estimate.interval.contains(truth.point(index)));
            }
        }
        println!("{cohorts:?}: {held:?} of 400");
        assert!(held.iter().all(|held| *held >= 360), "{cohorts:?}: {held:?}");
    }
}
