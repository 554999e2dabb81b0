//! Paired changes, gaps and draws by pencil and by enumeration.

use super::paired::bonett_price;
use super::*;
use crate::estimate::normal;
use crate::statistic::Cell;

#[test]
fn a_paired_change_is_that_of_the_pencil() {
    let mut paired = Paired::default();
    for (label, before, after, n) in [(1, 0, 1, 12), (0, 1, 0, 4), (1, 1, 1, 40), (0, 0, 0, 44)] {
        paired.add(label, before, after, Cell::rows(n));
    }
    let Figure::Estimated { point, lower, upper, n } = change(&[paired], Change::Selection, 0.95) else { panic!() };
    assert_eq!((point, n), (0.08, 100));
    assert!(
        (lower.unwrap() + 0.0016588854).abs() < 1e-9 && (upper.unwrap() - 0.1585216305).abs() < 1e-9,
        "{lower:?} {upper:?}"
    );
    // Of label 1 twelve of 52 gain, of label 0 four of 48 lose; all sixteen changes are to the better.
    assert_eq!(change(&[paired], Change::TruePositive, 0.95).point(), Some(12.0 / 52.0));
    assert_eq!(change(&[paired], Change::FalsePositive, 0.95).point(), Some(-4.0 / 48.0));
    assert_eq!(change(&[paired], Change::Accuracy, 0.95).point(), Some(0.16));
    assert!(change(&[Paired::default()], Change::Selection, 0.95).point().is_none());
}

/// Chance of every pair of counts, and with it the coverage of the interval, without drawing.
fn coverage(n: i64, p: f64, q: f64) -> f64 {
    let factorials: Vec<f64> = (0..=n)
        .scan(0.0, |sum, i| {
            *sum += if i > 0 { libm::log(i as f64) } else { 0.0 };
            Some(*sum)
        })
        .collect();
    let mut covered = 0.0;
    for gain in 0..=n {
        for lose in 0..=n - gain {
            let rest = n - gain - lose;
            let ways = factorials[n as usize]
                - factorials[gain as usize]
                - factorials[lose as usize]
                - factorials[rest as usize];
            let term = |count: i64, share: f64| if count == 0 { 0.0 } else { count as f64 * libm::log(share) };
            let chance = libm::exp(ways + term(gain, p) + term(lose, q) + term(rest, 1.0 - p - q));
            if bonett_price(gain, lose, n, normal(0.95)).contains(p - q) {
                covered += chance;
            }
        }
    }
    covered
}

#[test]
fn intervals_of_paired_changes_cover_by_enumeration() {
    let mut all = Vec::new();
    for n in [30, 100, 200] {
        for (p, q) in [(0.02, 0.02), (0.05, 0.01), (0.1, 0.1), (0.2, 0.02), (0.3, 0.25), (0.15, 0.05)] {
            let covered = coverage(n, p, q);
            assert!(covered >= 0.92, "{n} {p} {q}: {covered}");
            all.push(covered);
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!((0.94..=0.985).contains(&mean), "{mean}");
}

#[test]
fn a_draw_decides_by_its_chance_and_a_hash_on_the_edge_is_decided_0() {
    let chances = [0.0, 0.25, 1.0, 0.25];
    let thresholds = draws(&chances);
    assert_eq!(thresholds, [0, 1 << (HASH_BITS - 2), 1 << HASH_BITS]);
    let places = places(&chances);
    let code = |hash: u64| thresholds.iter().filter(|&&threshold| threshold <= hash).count() as u32;
    for (plateau, chance) in chances.iter().enumerate() {
        for hash in [0, 1, (1 << (HASH_BITS - 2)) - 1, 1 << (HASH_BITS - 2), (1 << HASH_BITS) - 1] {
            let wanted = u32::from(hash < draw(*chance));
            assert_eq!(decided(&places, plateau as u32, code(hash)), wanted, "{chance} {hash}");
        }
    }
    // A row without a score has no decision.
    assert_eq!(decided(&places, 4, 0), 2);
}

#[test]
fn lowering_all_is_named() {
    let figure = |point: f64| Figure::new(point, Interval::new(point - 0.01, point + 0.01), 100);
    let outcome = |gap: f64| Outcome { quality: figure(0.8), gaps: vec![figure(gap), figure(gap), figure(gap)] };
    let effect = |cohort: &str, level: f64, true_positive: f64| Effect {
        cohort: cohort.into(),
        rows: Some(100),
        gain: None,
        lose: None,
        level: figure(level),
        true_positive: figure(true_positive),
        false_positive: figure(0.0),
    };
    let effects = [effect("f", 0.0, 0.02), effect("m", -0.1, -0.1)];
    let said = statements::levelling_down(&outcome(0.2), &outcome(0.05), &effects);
    assert!(said.len() == 1 && said[0].contains("selection rates") && said[0].contains("m -0.100"), "{said:?}");
    assert!(statements::levelling_down(&outcome(0.05), &outcome(0.2), &effects).is_empty());
    // A gap, or a fall, within its interval is no change.
    assert!(statements::levelling_down(&outcome(0.2), &outcome(0.185), &effects).is_empty());
    let little = [effect("f", 0.0, 0.02), effect("m", -0.009, -0.1)];
    assert!(statements::levelling_down(&outcome(0.2), &outcome(0.05), &little).is_empty());
    let unbounded = Figure::Estimated { point: -0.1, lower: None, upper: None, n: 100 };
    let unknown = [effect("f", 0.0, 0.02), Effect { level: unbounded, ..effect("m", -0.1, -0.1) }];
    assert!(statements::levelling_down(&outcome(0.2), &outcome(0.05), &unknown).is_empty());
}
