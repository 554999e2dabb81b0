//! Rules and models against brute force, pencil and planted data.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::curve::{Curve, Cut, NOBODY, alike, gap, reject_option};
use super::fit::{Covariance, Rows, strengths};
use super::odds::equalized;
use super::refit::{massaging, weights};
use super::repair::{maps, quantiles};
use super::rows::Seen;
use crate::demand::Fixed;
use crate::plan::features::Feature;
use crate::plan::mitigated::Mitigated;
use crate::scalar::Scalar;
use crate::train::factor::dot;
use crate::train::quadratic::Weights;

const CASES: &str = include_str!("../../../tests/cases/mitigation.md");

fn pencil() -> [Curve; 2] {
    let a = vec![(0.9, true), (0.7, true), (0.4, false), (0.2, false)];
    let b = vec![(0.6, true), (0.5, false), (0.3, true), (0.1, false)];
    [Curve::of(a), Curve::of(b)]
}

#[test]
fn weights_and_changed_labels_are_those_of_the_pencil() {
    let last = |cell: &str| -> f64 { cell.split('=').next_back().unwrap().trim().parse().unwrap() };
    let rows: Vec<Vec<String>> = CASES
        .lines()
        .filter(|line| line.starts_with("| f ") || line.starts_with("| m "))
        .map(|line| line.split('|').map(|cell| cell.trim().to_string()).collect())
        .collect();
    assert_eq!(rows.len(), 2);
    let table: Vec<[u64; 2]> = rows.iter().map(|row| [row[2].parse().unwrap(), row[3].parse().unwrap()]).collect();
    let (found, changes) = (weights(&table), massaging(&table));
    for (i, row) in rows.iter().enumerate() {
        for (weight, cell) in found[i].iter().zip(&row[4..6]) {
            assert!((weight - last(cell)).abs() <= 1e-15 * weight, "{weight} {cell}");
        }
        assert_eq!(changes[i] as f64, last(&row[6]));
    }
    // Independent: nothing to weigh, nothing to change.
    let independent = [[30, 60], [10, 20], [5, 10], [0, 0]];
    assert_eq!(weights(&independent), [[1.0; 2]; 4]);
    assert_eq!(massaging(&independent), [0; 4]);
}

#[test]
fn thresholds_and_draws_are_those_of_the_pencil() {
    let curves = pencil();
    let at = |cuts: &[Cut]| cuts.iter().map(|cut| cut.at).collect::<Vec<_>>();
    assert_eq!(at(&alike(&curves, &Curve::true_positive, 0.5)), [0.7, 0.3]);
    assert_eq!(at(&alike(&curves, &Curve::selection, 0.5)), [0.9, 0.6]);
    let odds = equalized(&curves, 0.5).unwrap();
    assert_eq!((odds.false_positive, odds.true_positive), (0.0, 0.5));
    assert_eq!((odds.draws[1].upper, odds.draws[1].chances[2], odds.draws[1].chances[0]), (0.6, 1.0, 0.0));
    assert_eq!((odds.draws[0].upper, odds.draws[0].chances), (0.7, [0.0, 0.0, 0.5]));
}

fn random(random: &mut StdRng, rows: usize, grid: u32) -> Curve {
    let lift = random.random_range(0.0..0.6);
    let one = |random: &mut StdRng| {
        let label = random.random_bool(0.4);
        let score = random.random_range(0.0..1.0) * 0.6 + if label { lift } else { 0.0 };
        ((score * f64::from(grid)).floor() / f64::from(grid), label)
    };
    Curve::of((0..rows).map(|_| one(random)).chain([(0.5, true), (0.5, false)]).collect())
}

#[test]
fn thresholds_lose_no_more_than_the_best_exact_ones_by_enumeration() {
    let mut rng = StdRng::seed_from_u64(11);
    for round in 0..60 {
        let curves: Vec<Curve> = (0..3).map(|_| random(&mut rng, 6 + round % 7, 8)).collect();
        let threshold = [0.5, 0.3, 0.8][round % 3];
        for rate in [Curve::selection, Curve::true_positive] {
            let chosen = alike(&curves, &rate, threshold);
            let loss = |cuts: &[Cut]| -> f64 { curves.iter().zip(cuts).map(|(c, cut)| c.loss(cut, threshold)).sum() };
            let mut best = f64::INFINITY;
            for a in &curves[0].cuts {
                for b in &curves[1].cuts {
                    for c in &curves[2].cuts {
                        let cuts = [*a, *b, *c];
                        if gap(curves.iter().zip(&cuts).map(|(curve, cut)| rate(curve, cut))) == 0.0 {
                            best = best.min(loss(&cuts));
                        }
                    }
                }
            }
            assert!(loss(&chosen) <= best + 1e-12, "{} {best}", loss(&chosen));
            // Some goal has every chosen cut among its nearest.
            let goals = curves.iter().flat_map(|curve| curve.cuts.iter().map(|cut| rate(curve, cut)));
            let nearest = |goal: f64| {
                curves.iter().zip(&chosen).all(|(curve, cut)| {
                    let reach = (rate(curve, cut) - goal).abs();
                    curve.cuts.iter().all(|other| reach <= (rate(curve, other) - goal).abs() + 1e-15)
                })
            };
            assert!(goals.into_iter().any(nearest));
        }
    }
}

/// Height of the convex hull of a cohort's points at x: the greatest chord, whatever its ends.
fn chord(curve: &Curve, x: f64) -> f64 {
    let points: Vec<(f64, f64)> =
        curve.cuts.iter().map(|cut| (curve.false_positive(cut), curve.true_positive(cut))).collect();
    let mut most = f64::NEG_INFINITY;
    for a in &points {
        for b in &points {
            if a.0 <= x && x <= b.0 {
                let share = if b.0 > a.0 { (x - a.0) / (b.0 - a.0) } else { 0.0 };
                most = most.max(a.1 + share * (b.1 - a.1)).max(if b.0 == x { b.1 } else { 0.0 });
            }
        }
    }
    most
}

#[test]
fn equalized_odds_are_reached_and_no_linear_programme_does_better() {
    let mut rng = StdRng::seed_from_u64(5);
    for round in 0..40 {
        let curves: Vec<Curve> = (0..2 + round % 3).map(|_| random(&mut rng, 12 + round, 12)).collect();
        let threshold = [0.5, 0.2, 0.7][round % 3];
        let odds = equalized(&curves, threshold).unwrap();
        let positives: f64 = curves.iter().map(|curve| curve.positives as f64).sum();
        let negatives: f64 = curves.iter().map(|curve| curve.negatives() as f64).sum();
        let loss = |x: f64, y: f64| threshold * negatives * x + (1.0 - threshold) * positives * (1.0 - y);
        let least = |x: f64| curves.iter().map(|curve| chord(curve, x)).fold(f64::INFINITY, f64::min);
        let ours = loss(odds.false_positive, odds.true_positive);
        assert!(odds.true_positive <= least(odds.false_positive) + 1e-12);
        // The programme over x and y, y below every chord of every cohort: its optimum is at most a step of the grid away.
        for step in 0..=2000 {
            let x = f64::from(step) / 2000.0;
            assert!(ours <= loss(x, least(x)) + 1e-9, "{round}: {ours} {}", loss(x, least(x)));
        }
        for (curve, draw) in curves.iter().zip(&odds.draws) {
            let chance = |score: f64| draw.chances[usize::from(score >= draw.lower) + usize::from(score >= draw.upper)];
            let (mut right, mut wrong) = (0.0, 0.0);
            for pair in curve.cuts.windows(2) {
                let positives = (pair[1].right - pair[0].right) as f64;
                right += chance(pair[1].at) * positives;
                wrong += chance(pair[1].at) * ((pair[1].selected - pair[0].selected) as f64 - positives);
            }
            let reached = (wrong / curve.negatives() as f64, right / curve.positives as f64);
            let apart = (reached.0 - odds.false_positive).abs().max((reached.1 - odds.true_positive).abs());
            assert!(apart < 1e-12, "{round}: {reached:?} {odds:?}");
        }
    }
    assert_eq!(equalized(&[Curve::of(vec![(0.5, true)]), pencil()[0].clone()], 0.5), None);
}

#[test]
fn the_reject_option_leaves_the_least_gap_of_its_margins() {
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..20 {
        let curves: Vec<Curve> = (0..2).map(|_| random(&mut rng, 60, 40)).collect();
        let (margin, cuts) = reject_option(&curves, 0.5);
        let left = gap(curves.iter().zip(&cuts).map(|(curve, cut)| curve.selection(cut)));
        let before = gap(curves.iter().map(|curve| curve.selection(&curve.at(0.5))));
        assert!(left <= before && (0.0..=0.5).contains(&margin), "{left} {before}");
    }
    assert_eq!(pencil()[0].at(0.5).selected, 2);
    assert_eq!(pencil()[0].at(0.95).selected, 0);
    assert_eq!(pencil()[0].at(-1.0).selected, 4);
    assert_eq!(pencil()[0].cuts[0].at, NOBODY);
}

/// Rows of three columns, the first shifted by the cohort, and the covariance of every column with the cohort.
fn planted(seed: u64, n: usize) -> (Rows, Vec<Vec<f64>>, Vec<bool>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut x, mut y, mut cohort) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..n {
        let of = rng.random_bool(0.4);
        let row: [f64; 3] =
            std::array::from_fn(|k| rng.random_range(-1.7..1.7) + if of && k < 2 { 0.8 - 0.5 * k as f64 } else { 0.0 });
        let eta = 0.9 * row[0] - 0.6 * row[1] + 0.4 * row[2] - 0.2;
        y.push(rng.random_bool(1.0 / (1.0 + libm::exp(-eta))));
        x.extend(row);
        cohort.push(of);
    }
    let share = cohort.iter().filter(|of| **of).count() as f64 / n as f64;
    let mut v = vec![0.0; 3];
    for (i, of) in cohort.iter().enumerate() {
        let a = f64::from(u8::from(*of)) - share;
        (0..3).for_each(|k| v[k] += a * x[3 * i + k] / n as f64);
    }
    (Rows { size: 3, x, y, w: vec![1.0; n] }, vec![v], cohort)
}

const NOTHING: Weights = Weights { absolute: 0.0, square: 0.0 };

#[test]
fn along_the_path_of_the_penalty_the_covariance_falls_to_nothing_and_the_loss_rises() {
    let (rows, with, _) = planted(2, 4000);
    let free = rows.fit(NOTHING, &Covariance::default()).unwrap();
    let path = strengths(&rows.local(&free).profiled(), 0.0, &with);
    assert_eq!(path.len(), 4);
    let mut left = vec![dot(&with[0], &free.b).abs()];
    let mut shares = Vec::new();
    for strength in &path {
        let at = rows.fit(NOTHING, &Covariance { strength: *strength, with: with.clone() }).unwrap();
        left.push(dot(&with[0], &at.b).abs());
        shares.push(left[left.len() - 1] / left[0]);
    }
    assert!(left.windows(2).all(|pair| pair[1] < pair[0]), "{left:?}");
    assert!(left[4] < 1e-6, "{left:?}");
    for (share, said) in shares.iter().zip([0.75, 0.5, 0.25]) {
        assert!((share - said).abs() < 0.05, "{shares:?}");
    }
}

#[test]
fn weights_of_one_change_nothing_and_whole_weights_are_rows_repeated() {
    let (mut rows, _, _) = planted(4, 600);
    let plain = rows.fit(NOTHING, &Covariance::default()).unwrap();
    rows.w = vec![2.5; 600];
    let same = rows.fit(NOTHING, &Covariance::default()).unwrap();
    assert!(plain.distance(&same, &[1.0; 3]) < 1e-9);
    rows.w = (0..600).map(|i| f64::from(i % 3)).collect();
    let weighed = rows.fit(NOTHING, &Covariance::default()).unwrap();
    let repeat: Vec<usize> = (0..600).flat_map(|i| std::iter::repeat_n(i, i % 3)).collect();
    let repeated = Rows {
        size: 3,
        x: repeat.iter().flat_map(|&i| rows.x[3 * i..3 * i + 3].to_vec()).collect(),
        y: repeat.iter().map(|&i| rows.y[i]).collect(),
        w: vec![1.0; repeat.len()],
    };
    assert!(repeated.fit(NOTHING, &Covariance::default()).unwrap().distance(&weighed, &[1.0; 3]) < 1e-9);
    rows.y = vec![true; 600];
    assert!(rows.fit(NOTHING, &Covariance::default()).is_err());
}

#[test]
fn repaired_quantiles_are_those_of_the_median_cohort() {
    let cohort = |shift: f64, n: usize| -> Vec<f64> { (0..n).map(|i| i as f64 / (n - 1) as f64 + shift).collect() };
    let values = [cohort(0.0, 101), cohort(2.0, 201), cohort(5.0, 51), Vec::new()];
    let found = maps(&values, 1.0);
    assert!(found[3].is_none());
    for (map, own) in found.iter().flatten().zip(&values) {
        for x in own {
            // The median cohort starts at 2.
            let place = x - own[0];
            assert!((map.value(*x) - (2.0 + place)).abs() < 1e-12);
        }
    }
    let half = maps(&values, 0.5);
    assert!((half[0].as_ref().unwrap().value(0.25) - 1.25).abs() < 1e-12);
    // One value only: a single knot, and beyond it a shift.
    let single = maps(&[vec![3.0; 9], vec![5.0; 9]], 1.0);
    assert_eq!((single[0].as_ref().unwrap().value(3.0), single[1].as_ref().unwrap().value(7.0)), (4.0, 6.0));
}

/// Differences of such values are infinite. They are moved within the bounds of the feature, and maps of them come to an end.
#[test]
fn values_of_any_size_are_repaired_within_their_bounds() {
    let wide = |n: usize| -> Vec<f64> { (0..n).map(|i| if i % 2 == 0 { -1e308 } else { 1e308 }).collect() };
    assert_eq!(maps(&[wide(7), wide(50), vec![0.0; 3]], 1.0).iter().flatten().count(), 3);
    let fixed = Fixed { of: Scalar::column("x"), lower: 0.0, upper: 10.0 };
    let features = [Feature { label: "x".into(), column: "x".into(), fixed, block: None }];
    let conditions = vec![Scalar::number(1.0), Scalar::number(0.0)];
    let cohorts = vec![crate::cohort::Cohort::everyone(), crate::cohort::Cohort::everyone()];
    let mitigated = Mitigated { set: 0, names: Vec::new(), cohorts, conditions };
    let row = |(i, x): (usize, f64)| Seen { values: vec![x], label: i % 3 == 0, cohort: Some(i % 2) };
    let values = wide(80).into_iter().chain((0..80).map(|i| f64::from(i % 11)));
    let rows: Vec<Seen> = values.enumerate().map(row).collect();
    let repaired = quantiles(&features, &mitigated, &rows, 1.0).unwrap();
    assert_eq!(repaired.values.len(), rows.len());
    assert!(repaired.values.iter().flatten().all(|x| (-10.0..=20.0).contains(x)), "{:?}", repaired.values);
}
