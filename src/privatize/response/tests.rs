//! Randomised records against their chances, the goldens, and what the estimators recover. Bounds of six deviations are missed with 2e-9.

use proptest::prelude::*;

use super::*;
use crate::privatize::noise::tests::{cases, chance, golden, near, numbers, random};

fn units(epsilon: f64) -> u64 {
    (epsilon * UNITS as f64) as u64
}

fn response(levels: u32, epsilon: f64) -> Response {
    Response::new(levels, units(epsilon)).expect("two levels")
}

#[test]
fn estimates_by_hand() {
    for row in cases("Randomised response") {
        let published: Vec<u64> = numbers(row[1]).into_iter().map(|count| count as u64).collect();
        // epsilon = ln(ratio), which units of 10^-12 hold within 10^-12.
        let response = response(published.len() as u32, libm::log(numbers(row[0])[0]));
        let undone = response.undo(&published).expect("as many counts as levels");
        for ((undone, value), variance) in undone.iter().zip(numbers(row[3])).zip(numbers(row[4])) {
            assert!(
                (undone.value - value).abs() <= 1e-9 && (undone.variance - variance).abs() <= 1e-8,
                "{row:?}: {undone:?}"
            );
        }
    }
    let noised = Noised::new(0, 4, 4 * UNITS).expect("a range");
    for row in cases("Noise on numbers") {
        let published = [1, 5, 3, 7];
        let undone = if row[0] == "mean" { noised.mean(&published) } else { noised.spread(&published) };
        let undone = undone.expect("numbers");
        assert!(
            near(undone.value, numbers(row[2])[0]) && near(undone.variance, numbers(row[3])[0]),
            "{row:?}: {undone:?}"
        );
    }
}

#[test]
fn chances_are_those_of_the_goldens_and_never_above() {
    let Some(golden) = golden("randomized_response") else { return };
    let rows = golden["rows"].as_array().expect("rows");
    for row in rows {
        let (levels, epsilon) = (row["k"].as_u64().expect("k"), row["eps"].as_f64().expect("epsilon"));
        let expected = row["p_truth"].as_f64().expect("p");
        let (own, other) = response(levels as u32, epsilon).chances();
        // Units of 10^-12, and the rounding of this comparison.
        assert!(own <= expected + 1e-15 && own >= expected - 1e-12, "{row}: {own}");
        assert!((own + (levels - 1) as f64 * other - 1.0).abs() < 1e-15);
    }
    assert_eq!(rows.len(), 9);
}

#[test]
fn the_exponential_is_rounded_down_in_its_last_bit() {
    // The integer parts of 2^60 exp(epsilon), from fifty digits.
    for (epsilon, expected) in EXPONENTIALS {
        let found = exponential_below(units(epsilon), 60).expect("128 bits");
        assert!(found == expected || found + 1 == expected, "{epsilon}: {found}, not {expected}");
    }
}

/// Epsilon, and the integer part of 2^60 exp(epsilon).
const EXPONENTIALS: [(f64, u128); 5] = [
    (0.5, 1900846208092904393),
    (1.0, 3133965575612453542),
    (2.25, 10938614675766773158),
    (10.0, 25394786085319809155578),
    (40.0, 271380736004021241829532681578591160),
];

#[test]
fn a_million_responses_have_their_chances() {
    for (at, (levels, epsilon)) in [(2, 0.2), (2, 1.1), (3, 1.0), (10, 3.0), (7, 0.0)].into_iter().enumerate() {
        let (response, mut random) = (response(levels, epsilon), random(at as u64));
        let (own, other) = response.chances();
        for level in [0, levels / 2, levels - 1] {
            let mut counts = vec![0; levels as usize];
            for _ in 0..1_000_000 {
                counts[response.respond(&mut random, level).expect("a level") as usize] += 1;
            }
            let share = |told| if told == level { own } else { other };
            let expected: Vec<f64> = (0..levels).map(|told| share(told) * 1e6).collect();
            let p = chance(&counts, &expected);
            assert!(p > 1e-9, "{levels} levels, epsilon {epsilon}: {counts:?}");
        }
    }
}

#[test]
fn estimates_are_unbiased_and_their_variance_is_right() {
    let truth = [150u64, 90, 0, 60];
    let (response, mut random, runs) = (response(4, 1.0), random(9), 4000);
    let mut sums = [[0.0f64; 3]; 4];
    for _ in 0..runs {
        let mut published = [0; 4];
        for (level, rows) in truth.iter().enumerate() {
            for _ in 0..*rows {
                published[response.respond(&mut random, level as u32).expect("a level") as usize] += 1;
            }
        }
        for (sums, undone) in sums.iter_mut().zip(response.undo(&published).expect("counts")) {
            sums[0] += undone.value / f64::from(runs);
            sums[1] += undone.value * undone.value / f64::from(runs);
            sums[2] += undone.variance / f64::from(runs);
        }
    }
    for ([mean, square, stated], truth) in sums.into_iter().zip(truth) {
        let variance = square - mean * mean;
        assert!((mean - truth as f64).abs() <= 6.0 * (variance / f64::from(runs)).sqrt(), "{mean}, not {truth}");
        // Six deviations of a variance of 4,000 values are 0.134. Counts below zero are taken as zero, which adds 0.03 at most.
        assert!((stated / variance - 1.0).abs() <= 0.17, "{truth}: {stated}, not {variance}");
    }
}

#[test]
fn noise_on_numbers_is_undone() {
    let numbers: Vec<i64> = (0..400).map(|i| i * i % 41).collect();
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<i64>() as f64 / n;
    let spread = numbers.iter().map(|x| (*x as f64 - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let noised = Noised::new(0, 40, 2 * UNITS).expect("a range");
    assert!((noised.variance() - laplace_variance(&Scale::new(20, 1).expect("a scale"))).abs() < 1e-12);
    let (mut random, runs) = (random(10), 4000);
    let mut sums = [[0.0f64; 3]; 2];
    for _ in 0..runs {
        let published: Vec<i128> = numbers.iter().map(|number| noised.respond(&mut random, *number)).collect();
        for (sums, undone) in sums.iter_mut().zip([noised.mean(&published), noised.spread(&published)]) {
            let undone = undone.expect("numbers");
            sums[0] += undone.value / f64::from(runs);
            sums[1] += undone.value * undone.value / f64::from(runs);
            sums[2] += undone.variance / f64::from(runs);
        }
    }
    for ([found, square, stated], truth) in sums.into_iter().zip([mean, spread]) {
        let variance = square - found * found;
        assert!((found - truth).abs() <= 6.0 * (variance / f64::from(runs)).sqrt(), "{found}, not {truth}");
        assert!((stated / variance - 1.0).abs() <= 0.17, "{truth}: {stated}, not {variance}");
    }
}

#[test]
fn numbers_are_moved_into_their_range_and_noised_by_its_width() {
    let noised = Noised::new(10, 20, UNITS / 2).expect("a range");
    assert_eq!(noised.scale.map(|scale| scale.to_string()), Some("20/1".into()));
    for (inside, outside) in [(10, i64::MIN), (20, i64::MAX)] {
        let draw = |number| noised.respond(&mut random(3), number);
        assert_eq!(draw(inside), draw(outside));
    }
    let one_value = Noised::new(7, 7, UNITS).expect("a range");
    assert_eq!((one_value.respond(&mut random(1), 3), one_value.variance()), (7, 0.0));
}

#[test]
fn what_cannot_be_is_refused() {
    assert_eq!(Response::new(1, UNITS), None);
    assert_eq!(Response::new(2, Response::EPSILON_MAX + 1), None);
    assert_eq!(Noised::new(1, 0, UNITS).or(Noised::new(0, 1, 0)), None);
    let response = response(3, 1.0);
    assert_eq!(response.respond(&mut random(1), 3), None);
    assert_eq!(response.undo(&[1, 2]), None);
    assert_eq!(Response::new(3, 0).expect("levels").undo(&[1, 2, 3]), None);
    let noised = Noised::new(0, 1, UNITS).expect("a range");
    assert_eq!((noised.mean(&[]), noised.spread(&[5])), (None, None));
}

proptest! {
    #[test]
    fn no_range_and_no_epsilon_overflows(
        levels in 2..u32::MAX, epsilon in 0..=Response::EPSILON_MAX, bounds: (i64, i64), number: i64, seed: u64
    ) {
        let response = Response::new(levels, epsilon).expect("levels");
        let mut random = random(seed);
        prop_assert!(response.respond(&mut random, number as u32 % levels).expect("a level") < levels);
        let (own, other) = response.chances();
        prop_assert!(own >= other && other > 0.0 && libm::log(own / other) <= epsilon as f64 / UNITS as f64 + 1e-14);
        if let Some(noised) = Noised::new(bounds.0.min(bounds.1), bounds.0.max(bounds.1), epsilon) {
            let published: Vec<i128> = (0..3).map(|_| noised.respond(&mut random, number)).collect();
            prop_assert!(noised.mean(&published).expect("numbers").value.is_finite());
            prop_assert!(noised.spread(&published).expect("numbers").variance.is_finite());
        }
    }
}
