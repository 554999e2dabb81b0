//! Choices against their exact probabilities in small worlds, and those probabilities against the epsilon that is charged.

use proptest::prelude::*;

use super::*;
use crate::privatize::noise::tests::{cases, chance, near, numbers, random};

const BOTH: [Choice; 2] = [Choice::Exponential, Choice::PermuteAndFlip];

/// Epsilon as it is charged.
fn units(epsilon: f64) -> u64 {
    (epsilon * UNITS as f64) as u64
}

/// Probabilities of the candidates, by summing over every order in which permute-and-flip can try them.
fn probabilities(selection: &Selection, scores: &[i64]) -> Vec<f64> {
    let best = *scores.iter().max().expect("candidates");
    let rate = selection.epsilon as f64 / UNITS as f64 / (2.0 * selection.sensitivity as f64);
    let passes: Vec<f64> = scores.iter().map(|score| libm::exp(-rate * (best - score) as f64)).collect();
    match selection.choice {
        Choice::Exponential => {
            let all: f64 = passes.iter().sum();
            passes.iter().map(|pass| pass / all).collect()
        }
        Choice::PermuteAndFlip => {
            let mut found = vec![0.0; scores.len()];
            orders(&passes, &mut (0..scores.len()).collect(), 1.0, &mut found);
            found
        }
    }
}

fn orders(passes: &[f64], left: &mut Vec<usize>, weight: f64, found: &mut [f64]) {
    let share = weight / left.len() as f64;
    for at in 0..left.len() {
        let candidate = left.remove(at);
        found[candidate] += share * passes[candidate];
        if passes[candidate] < 1.0 {
            orders(passes, left, share * (1.0 - passes[candidate]), found);
        }
        left.insert(at, candidate);
    }
}

#[test]
fn probabilities_of_two_candidates_by_hand() {
    for row in cases("Choosing") {
        let choice = if row[2] == "exponential" { Choice::Exponential } else { Choice::PermuteAndFlip };
        let selection = Selection::new(choice, UNITS, 1).expect("a sensitivity");
        let worse = probabilities(&selection, &[0, -row[0].parse::<i64>().expect("an integer")])[1];
        assert!(near(worse, numbers(row[3])[0]), "{row:?}: {worse}");
    }
}

#[test]
fn a_million_choices_have_their_probabilities() {
    let worlds: [(&[i64], u64, f64); 5] = [
        (&[0, -2], 1, 1.0),
        (&[5, 5, 5], 1, 3.0),
        (&[0, -1, -2, -3, -4], 1, 0.5),
        (&[-70, 30, 0, 29], 20, 2.0),
        (&[i64::MIN, i64::MAX, i64::MAX - 1], u64::MAX / 3, 4.0),
    ];
    for (at, (scores, sensitivity, epsilon)) in worlds.into_iter().enumerate() {
        for choice in BOTH {
            let selection = Selection::new(choice, units(epsilon), sensitivity).expect("a sensitivity");
            let mut random = random(at as u64);
            let mut counts = vec![0; scores.len()];
            for _ in 0..1_000_000 {
                counts[selection.select(&mut random, scores).expect("a candidate")] += 1;
            }
            let exact: Vec<f64> = match at {
                // Differences of scores leave i64: the ratio of the ends is 2^64 / (2^65 / 3).
                4 => probabilities(
                    &Selection::new(choice, units(epsilon), 20_000).expect("a sensitivity"),
                    &[-60_000, 0, 0],
                ),
                _ => probabilities(&selection, scores),
            };
            let expected: Vec<f64> = exact.iter().map(|p| p * 1e6).collect();
            let p = chance(&counts, &expected);
            assert!(p > 1e-9, "{choice:?} of {scores:?}: {counts:?}, {expected:?}");
        }
    }
}

#[test]
fn neighbours_differ_by_epsilon_at_most_and_the_bound_is_reached() {
    let mut greatest = [0.0f64; 2];
    for (choice, greatest) in BOTH.into_iter().zip(&mut greatest) {
        let selection = Selection::new(choice, units(1.5), 2).expect("a sensitivity");
        for base in 0..6i64.pow(4) {
            let scores = [base % 6, base / 6 % 6, base / 36 % 6, base / 216 % 6].map(|score| score * 40);
            let before = probabilities(&selection, &scores);
            for change in 0..3i64.pow(4) {
                let by = [change % 3, change / 3 % 3, change / 9 % 3, change / 27].map(|by| (by - 1) * 2);
                let after = probabilities(&selection, &std::array::from_fn::<_, 4, _>(|i| scores[i] + by[i]));
                for (before, after) in before.iter().zip(&after) {
                    *greatest = greatest.max((before / after).ln().abs());
                }
            }
        }
    }
    for greatest in greatest {
        assert!(greatest <= 1.5 + 1e-12, "{greatest}");
        assert!(greatest > 1.499, "{greatest}: epsilon is paid and not used");
    }
}

#[test]
fn permute_and_flip_is_nearer_to_the_best() {
    let scores = [0, -1, -3, -3, -7];
    let shortfall = |choice| -> f64 {
        let selection = Selection::new(choice, UNITS, 1).expect("a sensitivity");
        probabilities(&selection, &scores).iter().zip(scores).map(|(p, score)| -p * score as f64).sum()
    };
    assert!(shortfall(Choice::PermuteAndFlip) < shortfall(Choice::Exponential));
}

#[test]
fn charges_are_rounded_up_and_told_apart() {
    let charge = |choice, epsilon| Selection::new(choice, epsilon, 1).expect("a sensitivity").charge();
    assert_eq!(charge(Choice::Exponential, UNITS), Charge { rho: UNITS / 8, delta: 0, epsilon: Some(UNITS) });
    assert_eq!(charge(Choice::PermuteAndFlip, UNITS), Charge { rho: UNITS / 2, delta: 0, epsilon: Some(UNITS) });
    assert_eq!(charge(Choice::PermuteAndFlip, 1), Charge { rho: 1, delta: 0, epsilon: Some(1) });
    assert_eq!(charge(Choice::Exponential, u64::MAX).rho, u64::MAX);
}

#[test]
fn no_candidates_no_sensitivity_no_epsilon() {
    assert_eq!(Selection::new(Choice::Exponential, UNITS, 0), None);
    assert_eq!(Quantile::new(1, 0).or(Quantile::new(3, 2)), None);
    let mut random = random(1);
    for choice in BOTH {
        let selection = Selection::new(choice, 0, 1).expect("a sensitivity");
        assert_eq!(selection.select(&mut random, &[]), None);
        let mut counts = [0; 3];
        for _ in 0..30_000 {
            counts[selection.select(&mut random, &[0, 100, i64::MIN]).expect("a candidate")] += 1;
        }
        assert!(chance(&counts, &[10_000.0; 3]) > 1e-9, "{counts:?}");
    }
}

/// Values with their numbers of rows.
fn counted(rows: &[i64]) -> Vec<(i64, u64)> {
    let mut values: Vec<(i64, u64)> = Vec::new();
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    for row in rows {
        match values.last_mut() {
            Some((value, count)) if *value == row => *count += 1,
            _ => values.push((row, 1)),
        }
    }
    values
}

#[test]
fn quantile_scores_by_hand() {
    for row in cases("Scores") {
        let (numerator, denominator) = row[0].split_once('/').expect("a fraction");
        let quantile = Quantile::new(numerator.parse().expect("an integer"), denominator.parse().expect("an integer"));
        let quantile = quantile.expect("a fraction");
        let rows: Vec<i64> = numbers(row[1]).into_iter().map(|row| row as i64).collect();
        let [candidate, below, above, score] = [2, 3, 4, 5].map(|at| row[at].parse::<i64>().expect("an integer"));
        assert_eq!(quantile.score(below as u64, above as u64), score, "{row:?}");
        // In any order of the candidates.
        assert_eq!(quantile.scores(&counted(&rows), &[100, candidate, 0])[1], score, "{row:?}");
    }
    let high = Quantile::new(9, 10).expect("a fraction");
    assert_eq!(high.scores(&[], &[3]), [0]);
    assert_eq!(high.score(u64::MAX, 0), i64::MIN);
}

#[test]
fn quantile_sensitivity_is_what_small_worlds_show() {
    for (numerator, denominator) in [(1, 2), (1, 4), (9, 10), (0, 1), (1, 1)] {
        let quantile = Quantile::new(numerator, denominator).expect("a fraction");
        let candidates = [0, 1, 2, 3];
        let scores = |rows: &[i64]| quantile.scores(&counted(rows), &candidates);
        let mut greatest = [0, 0];
        let mut compare = |at: usize, one: &[i64], other: &[i64]| {
            for (one, other) in one.iter().zip(other) {
                greatest[at] = greatest[at].max(one.abs_diff(*other));
            }
        };
        for size in 0..5u32 {
            for world in 0..4i64.pow(size) {
                let mut rows: Vec<i64> = (0..size).map(|place| world / 4i64.pow(place) % 4).collect();
                let before = scores(&rows);
                for value in 0..4 {
                    rows.push(value);
                    compare(0, &before, &scores(&rows));
                    rows.pop();
                    if let Some(first) = rows.first().copied() {
                        rows[0] = value;
                        compare(1, &before, &scores(&rows));
                        rows[0] = first;
                    }
                }
            }
        }
        let stated = [Neighbours::AddRemove, Neighbours::ChangeOne].map(|relation| quantile.sensitivity(relation, 1));
        assert_eq!(greatest, stated, "{numerator}/{denominator}");
    }
    let median = Quantile::new(1, 2).expect("a fraction");
    assert_eq!(median.sensitivity(Neighbours::ChangeOne, 7), 14);
}

#[test]
fn a_noisy_quantile_is_near_the_quantile() {
    let values: Vec<(i64, u64)> = (0..1000).map(|value| (value, 1)).collect();
    let candidates: Vec<i64> = (0..100).map(|place| place * 10).collect();
    let quantile = Quantile::new(3, 4).expect("a fraction");
    let sensitivity = quantile.sensitivity(Neighbours::AddRemove, 1);
    let scores = quantile.scores(&values, &candidates);
    let mut random = random(4);
    for choice in BOTH {
        let selection = Selection::new(choice, UNITS, sensitivity).expect("a sensitivity");
        for _ in 0..2000 {
            let chosen = candidates[selection.select(&mut random, &scores).expect("a candidate")];
            // 60 away is a score of -240, hence a chance below e^-40 of any one choice.
            assert!((chosen - 750).abs() <= 60, "{chosen}");
        }
    }
}

proptest! {
    #[test]
    fn a_choice_is_always_made(scores in prop::collection::vec(any::<i64>(), 1..30), epsilon: u64, sensitivity in 1..u64::MAX, seed: u64) {
        for choice in BOTH {
            let selection = Selection::new(choice, epsilon, sensitivity).expect("a sensitivity");
            prop_assert!(selection.select(&mut random(seed), &scores).expect("a candidate") < scores.len());
        }
    }
}
