//! Conversions: by pencil (`tests/cases/accounting.md`), against recorded values of multiple-precision arithmetic, and as laws.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Rows of numbers below a heading.
fn rows(heading: &str) -> Vec<Vec<f64>> {
    let text = include_str!("../../../tests/cases/accounting.md");
    let section = text.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().parse().unwrap()).collect()).collect()
}

/// Literals have 15 decimals.
fn agrees(found: f64, written: f64) {
    assert!((found - written).abs() <= 2e-14 * written.abs().max(1.0), "{found} is not {written}");
}

#[test]
fn the_pencil_agrees() {
    let (concentrated, pure, gaussian) = (rows("rho to epsilon"), rows("pure to rho"), rows("Gaussian"));
    assert_eq!((concentrated.len(), pure.len(), gaussian.len()), (3, 2, 2));
    for row in concentrated {
        agrees(epsilon_of(row[0], row[1]), row[2]);
        let rho = rho_of(row[2], row[1]);
        assert!((rho - row[0]).abs() < 1e-13 * row[0], "{rho}");
    }
    pure.iter().for_each(|row| agrees(rho_of_pure(row[0]), row[1]));
    // The difference of two tails, each with its slack.
    gaussian.iter().for_each(|row| just_above(gaussian_sigma(row[0], row[1], row[2]) * (1.0 + 2e-15), row[3], 1e-13));
}

/// The rows of one table of recorded values; none without the reference data.
fn golden(table: &str) -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("EVENHAND_REFERENCE_DATA") else {
        println!("EVENHAND_REFERENCE_DATA is not set: test not run");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("golden/privacy.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    Some(all[table]["rows"].as_array().unwrap().clone())
}

fn at(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

/// Never below the recorded optimum, and above it by no more than the stated share.
fn just_above(found: f64, optimum: f64, share: f64) {
    assert!(found >= optimum && found <= optimum * (1.0 + share), "{found} is not just above {optimum}");
}

#[test]
fn rho_to_epsilon_is_the_recorded_optimum() {
    let Some(rows) = golden("zcdp_to_approxdp") else { return };
    assert!(rows.len() >= 15);
    for row in rows {
        let (rho, delta) = (at(&row, "rho"), at(&row, "delta"));
        let found = epsilon_of(rho, delta);
        just_above(found, at(&row, "eps_cks20_mp"), 2e-14);
        assert!(found > at(&row, "eps_exact_gaussian"), "no conversion of rho alone beats the exact law");
        agrees(loose_epsilon_of(rho, delta), at(&row, "eps_bs16"));
        assert!(found < loose_epsilon_of(rho, delta));
    }
}

#[test]
fn pure_to_rho_and_back_are_the_recorded_values() {
    let Some(rows) = golden("pure_to_zcdp") else { return };
    for row in &rows {
        let epsilon = at(row, "epsilon");
        just_above(rho_of_pure(epsilon) * (1.0 + EPS), at(row, "rho_tight"), 1e-14);
        assert!(rho_of_pure(epsilon) < at(row, "rho_simple"));
    }
    let Some(rows) = golden("budget_zcdp_from_eps_delta") else { return };
    for row in &rows {
        let (found, recorded) = (rho_of(at(row, "epsilon"), at(row, "delta")), at(row, "rho"));
        assert!((found - recorded).abs() <= at(row, "tolerance") * recorded, "{found} is not {recorded}");
    }
}

#[test]
fn gaussian_noise_is_as_small_as_recorded() {
    let Some(rows) = golden("gaussian_sigma") else { return };
    assert!(rows.len() >= 9);
    for row in rows {
        let found = gaussian_sigma(at(&row, "epsilon"), at(&row, "delta"), at(&row, "l2_sensitivity"));
        let recorded = at(&row, "sigma_analytic_mp");
        assert!(found >= recorded * (1.0 - 1e-14) && found <= recorded * (1.0 + 1e-10), "{found} is not {recorded}");
    }
}

#[test]
fn extremes_are_finite_and_arguments_that_are_no_costs_cost_everything() {
    for rho in [1e-300, 1e-12, 1e-6, 1.0, 1e6, 1e300] {
        for delta in [1e-300, 1e-100, 1e-9, 0.5, 1.0 - 1e-15] {
            let epsilon = epsilon_of(rho, delta);
            assert!(epsilon.is_finite() && epsilon >= 0.0, "{rho} {delta}: {epsilon}");
        }
    }
    for (rho, delta) in [(1.0, 0.0), (f64::NAN, 0.1), (1.0, f64::NAN), (-1.0, 0.1), (f64::INFINITY, 0.1), (1.0, -0.1)] {
        assert_eq!(epsilon_of(rho, delta), f64::INFINITY, "{rho} {delta}");
    }
    assert_eq!((epsilon_of(0.0, 0.0), epsilon_of(3.0, 1.0)), (0.0, 0.0));
    for (epsilon, delta) in
        [(1.0, 0.0), (f64::NAN, 0.1), (1.0, f64::NAN), (-1.0, 0.1), (f64::INFINITY, 0.1), (1.0, 1.0)]
    {
        assert_eq!(rho_of(epsilon, delta), 0.0, "{epsilon} {delta}");
    }
    for (epsilon, delta) in [(1.0, 0.0), (f64::NAN, 0.1), (1.0, f64::NAN), (-1.0, 0.1)] {
        assert_eq!(gaussian_sigma(epsilon, delta, 1.0), f64::INFINITY, "{epsilon} {delta}");
    }
    assert_eq!((gaussian_sigma(1.0, 0.1, 0.0), gaussian_sigma(1.0, 1.0, 1.0)), (0.0, 0.0));
    assert_eq!(gaussian_sigma(1.0, 0.1, f64::NAN), f64::INFINITY);
}

#[test]
fn units_are_those_written_and_rounded_to_the_side_asked_for() {
    for (cost, units) in [(0.3, 300_000_000_000), (1e-6, 1_000_000), (1e-12, 1), (20.0, 20_000_000_000_000), (0.0, 0)] {
        assert_eq!((units_up(cost), units_down(cost)), (Some(units), Some(units)), "{cost}");
    }
    assert_eq!((units_up(1.5e-12), units_down(1.5e-12)), (Some(2), Some(1)));
    assert_eq!((units_up(1e-300), units_down(1e-300)), (Some(1), Some(0)));
    for cost in [-1e-12, f64::NAN, f64::INFINITY, 9.3e6] {
        assert_eq!((units_up(cost), units_down(cost)), (None, None), "{cost}");
    }
}

#[test]
fn charges_know_what_they_cost() {
    assert_eq!(Charge::pure(0), Charge::FREE);
    assert_eq!(Charge::concentrated(0), Charge::FREE);
    // 1 tanh(1/2) = 0.46211715726000975...
    assert_eq!(Charge::pure(UNITS), Charge { rho: 462_117_157_261, delta: 0, epsilon: Some(UNITS) });
    assert_eq!(Charge::pure(1).rho, 1);
    assert_eq!(Charge::pure(u64::MAX).epsilon_within(UNITS - 1), None);
    assert_eq!(Charge::concentrated(u64::MAX).epsilon_within(UNITS - 1), None);
    // A pure cost needs no delta; a Gaussian one does; what is in delta must fit.
    assert_eq!(Charge::pure(UNITS).epsilon_within(0), Some(UNITS));
    assert_eq!(Charge::concentrated(1).epsilon_within(0), None);
    let leaky = Charge { delta: 5, ..Charge::pure(UNITS) };
    assert_eq!((leaky.epsilon_within(4), leaky.epsilon_within(5)), (None, Some(UNITS)));
    // Ten pure releases of 0.1 are cheaper when they are counted as concentrated and there is a delta.
    let ten = (0..10).fold(Charge::FREE, |sum, _| sum.plus(Charge::pure(UNITS / 10)));
    assert_eq!(ten.epsilon_within(0), Some(UNITS));
    let many = (0..100).fold(Charge::FREE, |sum, _| sum.plus(Charge::pure(UNITS / 10)));
    assert!(many.epsilon_within(1_000_000).unwrap() < 6 * UNITS);
}

fn costs() -> impl Strategy<Value = f64> {
    (-27.6f64..13.8).prop_map(libm::exp)
}

fn deltas() -> impl Strategy<Value = f64> {
    (-690.0f64..-0.7).prop_map(libm::exp)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: proptest::test_runner::RngSeed::Fixed(20), ..ProptestConfig::default() })]

    #[test]
    fn epsilon_grows_with_rho_and_falls_with_delta(rho in costs(), delta in deltas(), more in 1.0001f64..100.0) {
        let epsilon = epsilon_of(rho, delta);
        prop_assert!(epsilon_of(rho * more, delta) >= epsilon);
        prop_assert!(epsilon_of(rho, (delta * more).min(0.5)) <= epsilon);
        prop_assert!(epsilon <= loose_epsilon_of(rho, delta) * (1.0 + 1e-14));
    }

    /// No other order of the divergence gives less: the search found the least.
    #[test]
    fn no_order_gives_less(rho in costs(), delta in deltas(), ln_t in -20.0f64..20.0) {
        let t = libm::exp(ln_t);
        let other = (1.0 + t) * rho + (-libm::log(delta) - libm::log1p(t)) / t - libm::log1p(1.0 / t);
        prop_assert!(epsilon_of(rho, delta) <= other.max(0.0) + 1e-13 * (1.0 + other.abs() - libm::log(delta) / t + rho));
    }

    #[test]
    fn round_trips_stay_on_the_safe_side(rho in costs(), delta in deltas()) {
        let epsilon = epsilon_of(rho, delta);
        let back = rho_of(epsilon, delta);
        // Lost is what the rounding of the terms is worth in rho; epsilon grows by 1 + t where rho grows by 1.
        let l = -libm::log(delta);
        let t = best(rho, l);
        let lost = 8.0 * EPS * ((1.0 + t) * rho + 2.0 * l / t + libm::log1p(1.0 / t)) / (1.0 + t);
        prop_assert!(back >= rho - lost, "{} {} {}", back, rho, lost);
        if epsilon > 0.0 {
            prop_assert!(epsilon_of(back, delta) <= epsilon);
            prop_assert!(epsilon_of(back * (1.0 + 1e-9), delta) > epsilon);
        }
    }

    #[test]
    fn pure_costs_grow_and_lie_between_their_bounds(epsilon in costs(), more in 1.0001f64..10.0) {
        let rho = rho_of_pure(epsilon);
        prop_assert!(rho_of_pure(epsilon * more) > rho);
        prop_assert!(rho <= (0.5 * epsilon * epsilon).min(epsilon) * (1.0 + 1e-14));
    }

    /// Rounding: the cost in units is never less than the cost.
    #[test]
    fn charges_are_rounded_up(epsilon in 1u64..30_000_000_000_000, delta in 1u64..500_000_000_000) {
        let charge = Charge::pure(epsilon);
        prop_assert!(charge.rho as f64 >= rho_of_pure(epsilon as f64 / 1e12) * 1e12 * (1.0 - 2e-15));
        let alone = Charge::concentrated(charge.rho);
        let claimed = alone.epsilon_within(delta).unwrap();
        prop_assert!(claimed as f64 >= epsilon_of(amount(charge.rho), amount(delta)) * 1e12 * (1.0 - 2e-15));
    }

    #[test]
    fn gaussian_noise_keeps_its_word(epsilon in (-7.0f64..3.0).prop_map(libm::exp), delta in (-60.0f64..-0.7).prop_map(libm::exp)) {
        let sigma = gaussian_sigma(epsilon, delta, 1.0);
        // The rounding of the two tails, which the slack covers, differs from place to place.
        prop_assert!(gaussian_delta(epsilon, 1.0 / sigma) <= delta * (1.0 + 1e-8));
        prop_assert!(gaussian_delta(epsilon, 1.0001 / sigma) > delta);
        prop_assert!((gaussian_sigma(epsilon, delta, 7.0) / sigma - 7.0).abs() < 1e-13);
        // The law of one Gaussian is cheaper than what its rho can prove.
        prop_assert!(epsilon_of(0.5 / (sigma * sigma), delta) >= epsilon * (1.0 - 1e-9));
    }
}
