//! Costs of many releases: by pencil (`tests/cases/accounting.md`), against recorded values, by enumeration, and as laws.

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

#[test]
fn the_pencil_agrees() {
    let cases = rows("Several pure releases");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let [epsilon, times, delta, together] = case[..] else { panic!("four numbers") };
        let found = by_loss(&[(Release::Pure { epsilon }, times as u32)], delta);
        // Cut off is a millionth of delta.
        assert!((found.epsilon - together).abs() < 1e-5, "{found:?} is not {together}");
    }
}

/// A table of recorded values; none without the reference data.
fn golden(table: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("EVENHAND_REFERENCE_DATA") else {
        println!("EVENHAND_REFERENCE_DATA is not set: test not run");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("golden/privacy.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    Some(all[table].clone())
}

fn at(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

/// The orders that the recorded values are the least of.
fn recorded_orders() -> impl Iterator<Item = f64> {
    (1..100).map(|i| 1.0 + f64::from(i) / 10.0).chain((11..64).map(f64::from)).chain([128.0, 256.0, 512.0, 1024.0])
}

fn recorded_renyi(releases: &[(Release, u32)], delta: f64) -> f64 {
    recorded_orders().map(|order| renyi_epsilon(releases, delta, order)).fold(f64::INFINITY, f64::min)
}

#[test]
fn equal_releases_cost_what_is_recorded() {
    let Some(table) = golden("composition") else { return };
    let tolerance = at(&table, "tolerance_pld");
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 24);
    for row in rows {
        let delta = at(row, "delta");
        let release = match row["kind"].as_str() {
            Some("gaussian") => Release::Gaussian { ratio: 1.0 / at(row, "sigma") },
            _ => Release::Laplace { ratio: 1.0 / at(row, "scale") },
        };
        let releases = [(release, at(row, "k") as u32)];
        let (renyi, loss) = (recorded_renyi(&releases, delta), by_loss(&releases, delta));
        let recorded = at(row, "eps_rdp");
        assert!((renyi - recorded).abs() <= 1e-9 * recorded, "{row}: {renyi}");
        assert!(by_renyi(&releases, delta) <= renyi * (1.0 + 1e-12), "{row}: the best order is no worse");
        assert!((loss.epsilon - at(row, "eps_pld")).abs() <= tolerance, "{row}: {loss:?}");
        assert!(loss.error <= 1e-4 * loss.epsilon + 1e-5, "{row}: {loss:?}");
        if let Some(exact) = row["eps_exact"].as_f64() {
            assert!(loss.epsilon >= exact && loss.epsilon - exact <= loss.error + 1e-5 * exact, "{row}: {loss:?}");
        }
    }
}

#[test]
fn a_mixture_costs_what_is_recorded() {
    let Some(table) = golden("composition_mixed") else { return };
    let gaussian = (Release::Gaussian { ratio: 1.0 / 8.0 }, 3);
    let releases = [(Release::Laplace { ratio: 0.1 }, 1), gaussian, (Release::Laplace { ratio: 0.25 }, 5)];
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let (delta, recorded) = (at(row, "delta"), at(row, "eps_rdp"));
        let (renyi, loss) = (recorded_renyi(&releases, delta), by_loss(&releases, delta));
        assert!((renyi - recorded).abs() <= 1e-9 * recorded, "{row}: {renyi}");
        assert!((loss.epsilon - at(row, "eps_pld")).abs() <= 2e-3, "{row}: {loss:?}");
    }
}

/// delta(t) of several integer releases by listing every outcome of both worlds.
fn listed(weights: &dyn Fn(i64) -> f64, reach: i64, sensitivity: i64, times: u32, t: f64) -> f64 {
    let whole: f64 = (-reach..=reach).map(weights).sum();
    let one: Vec<(f64, f64)> =
        (-reach..=reach + sensitivity).map(|x| (weights(x - sensitivity) / whole, weights(x) / whole)).collect();
    let mut all = vec![(1.0, 1.0)];
    for _ in 0..times {
        all = all.iter().flat_map(|(p, q)| one.iter().map(move |(a, b)| (p * a, q * b))).collect();
    }
    all.iter().map(|(p, q)| (p - t.exp() * q).max(0.0)).sum()
}

#[test]
fn integer_releases_cost_what_their_outcomes_say() {
    type Weights = Box<dyn Fn(i64) -> f64>;
    let gaussian: Weights = Box::new(|x| (-(x * x) as f64 / (2.0 * 1.5 * 1.5)).exp());
    let laplace: Weights = Box::new(|x| (-x.abs() as f64 / 1.2).exp());
    let cases: [(Release, Weights, i64); 2] = [
        (Release::DiscreteGaussian { sigma: 1.5, sensitivity: 2 }, gaussian, 2),
        (Release::DiscreteLaplace { scale: 1.2, sensitivity: 3 }, laplace, 3),
    ];
    for (release, weights, sensitivity) in cases {
        for (times, delta) in [(1, 1e-3), (2, 1e-2)] {
            let found = by_loss(&[(release, times)], delta);
            let exact = |t: f64| listed(&weights, 60, sensitivity, times, t);
            assert!(exact(found.epsilon) <= delta * (1.0 + 1e-5), "{release:?} {times}: {found:?}");
            let below = found.epsilon - found.error - 1e-3;
            assert!(exact(below) > delta, "{release:?} {times}: {found:?} is not tight");
            let renyi = by_renyi(&[(release, times)], delta);
            assert!(renyi * (1.0 + 1e-6) >= found.epsilon - found.error, "{release:?} {times}: {found:?} {renyi}");
        }
    }
}

/// A count that changes by one, with Laplace noise, is randomised response; of finer units it is the continuous law.
#[test]
fn integer_noise_lies_between_response_and_continuous_noise() {
    for (delta, times) in [(1e-6, 1), (1e-6, 30), (1e-3, 5)] {
        let by = |release| by_loss(&[(release, times)], delta).epsilon;
        let response = by(Release::Pure { epsilon: 0.4 });
        assert!((by(Release::DiscreteLaplace { scale: 2.5, sensitivity: 1 }) - response).abs() < 1e-9 * response);
        let (fine, continuous) =
            (by(Release::DiscreteLaplace { scale: 2500.0, sensitivity: 1000 }), by(Release::Laplace { ratio: 0.4 }));
        assert!((fine - continuous).abs() < 2e-3 * continuous && continuous <= response, "{fine} {continuous}");
        let (fine, continuous) =
            (by(Release::DiscreteGaussian { sigma: 2500.0, sensitivity: 1000 }), by(Release::Gaussian { ratio: 0.4 }));
        assert!((fine - continuous).abs() < 1e-3 * continuous, "{fine} {continuous}");
    }
}

#[test]
fn ends() {
    let pure = (Release::Pure { epsilon: 0.5 }, 3);
    assert_eq!(by_loss(&[pure], 0.0), Bound { epsilon: 1.5, error: 0.0 });
    assert_eq!(by_loss(&[(Release::Gaussian { ratio: 1.0 }, 1)], 0.0).epsilon, f64::INFINITY);
    assert_eq!(by_loss(&[], 1e-6).epsilon, 0.0);
    assert_eq!(by_loss(&[(Release::Gaussian { ratio: 0.0 }, 4)], 1e-6).epsilon, 0.0);
    assert_eq!(by_renyi(&[pure], 0.0), f64::INFINITY);
    let large = by_loss(&[(Release::Gaussian { ratio: 1e-4 }, 1), (Release::Pure { epsilon: 30.0 }, 1)], 1e-9);
    assert!(large.epsilon <= 30.1 && large.epsilon > 29.9, "{large:?}");
}

fn release() -> impl Strategy<Value = (Release, u32)> {
    let one = prop_oneof![
        (0.02f64..1.5).prop_map(|ratio| Release::Gaussian { ratio }),
        (0.02f64..1.5).prop_map(|ratio| Release::Laplace { ratio }),
        (0.02f64..1.5).prop_map(|epsilon| Release::Pure { epsilon }),
        (0.7f64..20.0, 1u32..4).prop_map(|(scale, sensitivity)| Release::DiscreteLaplace { scale, sensitivity }),
        (0.7f64..20.0, 1u32..4).prop_map(|(sigma, sensitivity)| Release::DiscreteGaussian { sigma, sensitivity }),
    ];
    (one, 1u32..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// The losses are within what the divergences and the sum of the parts allow, whatever the order; a further release costs no less.
    #[test]
    fn losses_cost_no_more_than_divergences(
        mut releases in prop::collection::vec(release(), 1..4),
        more in release(),
        exponent in 3i32..10,
    ) {
        let delta = 10f64.powi(-exponent);
        let found = by_loss(&releases, delta);
        let parts: f64 = releases.iter().map(|one| by_loss(&[*one], delta / 4.0).epsilon).sum();
        prop_assert!(found.epsilon <= parts + found.error + 1e-5, "{:?} {}", found, parts);
        prop_assert!(found.epsilon <= by_renyi(&releases, delta), "{:?}", found);
        let turned = { releases.reverse(); by_loss(&releases, delta) };
        prop_assert!((turned.epsilon - found.epsilon).abs() <= 1e-4 * found.epsilon + 1e-9, "{:?} {:?}", turned, found);
        releases.push(more);
        let longer = by_loss(&releases, delta);
        prop_assert!(longer.epsilon + longer.error >= found.epsilon - found.error, "{:?} {:?}", longer, found);
    }
}
