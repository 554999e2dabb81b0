//! Closed forms, sums of exact probabilities, coverage by exact enumeration, and what must not break.

use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;

fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs().max(1e-300), "{found} is not {expected}");
}

/// Without a success the upper end is 1 - (alpha/2)^(1/n); with nothing but successes the lower end is (alpha/2)^(1/n).
#[test]
fn ends_without_failures_are_powers() {
    for n in [1u64, 2, 10, 1_000, 100_000, 1_000_000] {
        for alpha in [0.5, 0.05, 1e-6, 1e-12] {
            let root = ((alpha / 2.0f64).ln() / n as f64).exp();
            let (low, high) = clopper_pearson(0, n, alpha);
            assert_eq!(low, 0.0);
            near(high, -((alpha / 2.0f64).ln() / n as f64).exp_m1(), 1e-9);
            let (low, high) = clopper_pearson(n, n, alpha);
            near(low, root, 1e-12);
            assert_eq!(high, 1.0);
        }
    }
}

/// Tails as ratios of whole numbers: success with probability a / 16.
#[test]
fn tails_agree_with_exact_sums() {
    for n in [1u64, 2, 7, 30, 200, 1000] {
        for a in [1u32, 5, 8, 13, 15] {
            let powers = |base: u32| {
                let mut powers = vec![BigUint::from(1u8)];
                (0..n as usize).for_each(|i| powers.push(&powers[i] * base));
                powers
            };
            let (wins, losses) = (powers(a), powers(16 - a));
            let mut choose = BigUint::from(1u8);
            let mut terms = Vec::new();
            for k in 0..=n {
                terms.push(&choose * &wins[k as usize] * &losses[(n - k) as usize]);
                choose = choose * (n - k) / (k + 1);
            }
            // 53 bits of a quotient whose whole is a power of two.
            let float = |x: &BigUint| {
                let shift = x.bits().saturating_sub(60);
                let top: u64 = (x >> shift).try_into().unwrap();
                top as f64 * 2f64.powi(shift as i32 - 4 * n as i32)
            };
            let mut above = BigUint::ZERO;
            for k in (0..=n).rev() {
                above += &terms[k as usize];
                let p = f64::from(a) / 16.0;
                // The scale 2^(-4n) leaves the floats' range for many trials; only what is in range is compared.
                if above.bits() + 900 > 4 * n {
                    near(at_least(k, n, p, 1.0 - p), float(&above), 2e-12);
                    if terms[k as usize].bits() + 900 > 4 * n {
                        near(probability(k, n, p, 1.0 - p), float(&terms[k as usize]), 2e-12);
                    }
                }
            }
        }
    }
}

/// For every p the interval misses it with at most alpha / 2 on either side: all outcomes are enumerated.
#[test]
fn intervals_cover_at_least_as_claimed() {
    for n in [1u64, 5, 20, 60] {
        for alpha in [0.05, 0.2] {
            let intervals: Vec<(f64, f64)> = (0..=n).map(|k| clopper_pearson(k, n, alpha)).collect();
            for step in 1..200 {
                let p = f64::from(step) / 200.0;
                let mass = |miss: &dyn Fn(&(f64, f64)) -> bool| -> f64 {
                    let missed = (0..=n).filter(|&k| miss(&intervals[k as usize]));
                    missed.map(|k| probability(k, n, p, 1.0 - p)).sum()
                };
                assert!(mass(&|&(low, _)| p < low) <= alpha / 2.0 + 1e-12);
                assert!(mass(&|&(_, high)| p > high) <= alpha / 2.0 + 1e-12);
            }
        }
    }
}

/// The ends solve their equations at large numbers too.
#[test]
fn ends_solve_their_equations_at_a_million_trials() {
    for (k, n) in [(1u64, 1_000_000u64), (3_000, 1_000_000), (500_000, 1_000_000), (999_990, 1_000_000), (77, 100_000)]
    {
        let (low, high) = clopper_pearson(k, n, 1e-4);
        near(at_least(k, n, low, 1.0 - low), 5e-5, 1e-6);
        near(at_least(n - k, n, 1.0 - high, high), 5e-5, 1e-6);
        let share = k as f64 / n as f64;
        assert!(low < share && share < high);
    }
}

#[test]
fn epsilon_of_mu_solves_its_equation() {
    for mu in [0.05, 0.2367, 1.0, 3.0, 8.0, 20.0] {
        for delta in [1e-2, 1e-6, 1e-12] {
            let epsilon = epsilon_of_mu(mu, delta);
            if epsilon > 0.0 {
                let back = phi(mu / 2.0 - epsilon / mu) - epsilon.exp() * phi(-mu / 2.0 - epsilon / mu);
                near(back, delta, 1e-6);
            } else {
                assert!(2.0 * phi(mu / 2.0) - 1.0 <= delta);
            }
        }
    }
    assert_eq!(epsilon_of_mu(0.0, 1e-6), 0.0);
    assert_eq!(epsilon_of_mu(1.0, 0.0), f64::INFINITY);
    assert_eq!(epsilon_of_mu(f64::NAN, 1e-6), 0.0);
    assert_eq!(epsilon_of_mu(1e9, 1e-6), epsilon_of_mu(MU_MAX, 1e-6));
}

/// With one guess of one canary the tail is e^eps / (1 + e^eps), and with delta 0 the bound is ln((1 - alpha) ... ) solved by hand.
#[test]
fn one_right_guess_proves_little() {
    let once = |confidence| one_run(OneRun { canaries: 1, guesses: 1, right: 1 }, 0.0, confidence);
    assert_eq!(once(0.95), 0.0);
    // Right with probability e^eps / (1 + e^eps) < 0.75 means eps < ln 3.
    near(once(0.25), 3f64.ln(), 1e-12);
    // Five right guesses of five: p^5 < 0.05, so eps < ln(p / (1 - p)) with p = 0.05^(1/5).
    let p = 0.05f64.powf(0.2);
    near(one_run(OneRun { canaries: 9, guesses: 5, right: 5 }, 0.0, 0.95), (p / (1.0 - p)).ln(), 1e-12);
}

/// Delta adds 2 m delta max(P(v > B >= v - i) / i): two right guesses of two, by hand.
#[test]
fn what_delta_adds_to_one_run() {
    let run = OneRun { canaries: 10, guesses: 2, right: 2 };
    let epsilon = 3f64.ln();
    // B is 2, 1, 0 with 9/16, 6/16, 1/16; the steepest is 6/16 at i = 1.
    near(probability_of_guesses(run, epsilon, 0.001), 9.0 / 16.0 + 20.0 * 0.001 * 6.0 / 16.0, 1e-14);
    let run = OneRun { right: 1, ..run };
    near(probability_of_guesses(run, epsilon, 0.001), 15.0 / 16.0 + 20.0 * 0.001 / 16.0, 1e-14);
    assert!(one_run(OneRun { canaries: 1000, guesses: 200, right: 195 }, 1e-3, 0.95) < 2.89);
}

proptest! {
    #[test]
    fn more_evidence_never_lowers_a_bound(n in 2u64..3000, k in 0u64..3000, m in 0u64..3000, delta in 0.0..0.1f64) {
        let (k, m) = (k % n, m % n);
        let guesses = Guesses { true_positives: k, draws_in: n, false_positives: m, draws_out: n };
        let bound = two_worlds(guesses, delta, 0.95);
        let more = two_worlds(Guesses { true_positives: k + 1, ..guesses }, delta, 0.95);
        prop_assert!(more.epsilon >= bound.epsilon && more.mu >= bound.mu);
        let surer = two_worlds(guesses, delta, 0.99);
        prop_assert!(surer.epsilon <= bound.epsilon && surer.mu <= bound.mu);
        prop_assert!(two_worlds(guesses, delta + 0.01, 0.95).epsilon <= bound.epsilon);
        let most = ceiling(n, n, delta, 0.95);
        prop_assert!(bound.epsilon <= most.epsilon && bound.mu <= most.mu);
        let run = OneRun { canaries: n, guesses: n, right: k };
        let (one, next) = (one_run(run, 1e-6, 0.95), one_run(OneRun { right: k + 1, ..run }, 1e-6, 0.95));
        prop_assert!(next >= one - 1e-9 && next <= one_run_ceiling(n, n, 1e-6, 0.95) + 1e-9);
    }

    #[test]
    fn no_input_breaks_a_bound(
        k in any::<u64>(), n in 0u64..2_000_000, m in any::<u64>(), delta in any::<f64>(), confidence in any::<f64>()
    ) {
        let (low, high) = clopper_pearson(k, n, confidence);
        prop_assert!((0.0..=1.0).contains(&low) && (low..=1.0).contains(&high));
        let bound = two_worlds(Guesses { true_positives: k, draws_in: n, false_positives: m, draws_out: n }, delta, confidence);
        prop_assert!(bound.epsilon >= 0.0 && bound.mu >= 0.0);
        let n = n % 5000;
        let run = OneRun { canaries: n, guesses: k, right: m };
        prop_assert!(one_run(run, delta, confidence) >= 0.0);
        prop_assert!(epsilon_of_mu(confidence, delta) >= 0.0);
    }
}
