//! Worked values, and the exact distribution as an oracle.

use proptest::prelude::*;

use super::*;

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found}, not {expected}");
}

/// Fisher's tea: 3 and 1 of 4 by 4: P = (1 + 16 + 16 + 1) / 70; 4 and 0: 2 / 70.
#[test]
fn the_lady_tasting_tea() {
    near(fisher_two_sided([[3, 1], [1, 3]]).unwrap(), 34.0 / 70.0, 1e-14);
    near(fisher_two_sided([[4, 0], [0, 4]]).unwrap(), 2.0 / 70.0, 1e-14);
    assert_eq!(fisher_two_sided([[2, 2], [2, 2]]), Some(1.0));
    assert_eq!(fisher_two_sided([[0, 0], [3, 4]]), Some(1.0));
    assert_eq!(fisher_two_sided([[0, 0], [0, 0]]), Some(1.0));
    assert_eq!(fisher_two_sided([[0, 5], [0, 4]]), Some(1.0));
    assert_eq!(fisher_two_sided([[-1, 5], [0, 4]]), None);
}

/// 48 of 80 and 44 of 120: P = 0.46, z = (0.6 - 0.3666...) / sqrt(0.46 x 0.54 (1/80 + 1/120)); chi-squared is its square.
#[test]
fn z_and_chi_squared_of_two_cohorts() {
    let (a, b) = ((48, 80), (44, 120));
    let z = pooled_z(a, b).unwrap();
    near(z, (0.6 - 44.0 / 120.0) / (0.46f64 * 0.54 * (1.0 / 80.0 + 1.0 / 120.0)).sqrt(), 1e-14);
    let chi = chi_squared(&[[48, 32], [44, 76]]).unwrap();
    near(chi.statistic, z * z, 1e-13);
    assert_eq!(chi.df, 1);
    near(chi.p, normal_p_two_sided(z), 1e-12);
    assert_eq!(two_sd(a, b), Some(true));
    near(shortfall(b, a).unwrap(), 0.46 * 120.0 - 44.0, 1e-14);
    assert_eq!(flip_one_reverses((9, 20), (10, 20)), Some(true));
    assert_eq!(flip_one_reverses((8, 20), (10, 20)), Some(false));
    for (a, b) in [((0, 0), (1, 2)), ((0, 3), (0, 4)), ((3, 3), (4, 4))] {
        assert_eq!((pooled_z(a, b), two_sd(a, b)), (None, None));
    }
    assert_eq!(chi_squared(&[[1, 2]]), None);
    assert_eq!(chi_squared(&[[0, 2], [0, 3]]), None);
    assert_eq!(chi_squared(&[[1, 2], [0, 0], [2, 2]]).map(|chi| chi.df), Some(1));
}

/// Tables of chi-squared (Fisher and Yates): upper 5 % points; e^-y for two degrees, e^-y (1 + y) for four.
#[test]
fn tails_of_chi_squared() {
    for (df, x) in [
        (1, 3.841_458_820_694_124),
        (2, 5.991_464_547_107_979),
        (3, 7.814_727_903_251_178),
        (10, 18.307_038_053_275_15),
    ] {
        near(chi_squared_p(x, df), 0.05, 1e-12);
    }
    near(chi_squared_p(500.0, 2), (-250.0f64).exp(), 1e-12);
    near(chi_squared_p(8.0, 4), (-4.0f64).exp() * 5.0, 1e-13);
    assert!((chi_squared_p(999.0, 999) - 0.494).abs() < 0.001);
    assert_eq!(chi_squared_p(0.0, 3), 1.0);
}

/// Holm 1979 and Benjamini and Hochberg 1995 by hand.
#[test]
fn adjusted_by_hand() {
    let p = [0.01, 0.04, 0.03, 0.005];
    let close = |found: Vec<f64>, expected: [f64; 4]| {
        found.iter().zip(expected).for_each(|(&found, expected)| near(found, expected, 1e-14));
    };
    close(holm(&p), [0.03, 0.06, 0.06, 0.02]);
    close(benjamini_hochberg(&p), [0.02, 0.04, 0.04, 0.02]);
    assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
}

/// Ten million rows take a moment; near the mode z and Fisher agree.
#[test]
fn fisher_of_ten_million_rows() {
    let p = fisher_two_sided([[2_000_000, 3_000_000], [1_998_000, 3_002_000]]).unwrap();
    let z = pooled_z((2_000_000, 5_000_000), (1_998_000, 5_000_000)).unwrap();
    near(p, normal_p_two_sided(z), 5e-3);
    let extreme = fisher_two_sided([[3_000_000, 2_000_000], [2_000_000, 3_000_000]]).unwrap();
    assert_eq!(extreme, 0.0, "below the smallest number there is");
}

proptest! {
    /// Against the whole distribution, added up with whole numbers.
    #[test]
    fn fisher_is_the_sum_over_all_tables(a in 0i64..12, b in 0i64..12, c in 0i64..12, d in 0i64..12) {
        let choose = |n: i64, k: i64| (0..k).fold(1u128, |all, i| all * (n - i) as u128 / (i + 1) as u128);
        let (row, other, column) = (a + b, c + d, a + c);
        let ways = |x: i64| if x > row || column - x > other || x < 0 || x > column { 0 } else { choose(row, x) * choose(other, column - x) };
        let (observed, all): (u128, u128) = (ways(a), (0..=column).map(ways).sum());
        let within: u128 = (0..=column).map(ways).filter(|&w| w <= observed).sum();
        let expected = within as f64 / all as f64;
        let found = fisher_two_sided([[a, b], [c, d]]).unwrap();
        prop_assert!((found - expected).abs() <= 1e-11 * expected, "{} and {}", found, expected);
        prop_assert_eq!(fisher_two_sided([[c, d], [a, b]]).map(|p| (p * 1e10).round()), Some((found * 1e10).round()));
    }

    #[test]
    fn adjusted_values_are_ordered_and_no_smaller(p in proptest::collection::vec(0.0f64..1.0, 1..20)) {
        for adjusted in [holm(&p), benjamini_hochberg(&p)] {
            for i in 0..p.len() {
                prop_assert!(adjusted[i] >= p[i] - 1e-15 && adjusted[i] <= 1.0);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
                }
            }
        }
        prop_assert!(holm(&p).iter().zip(benjamini_hochberg(&p)).all(|(h, b)| *h >= b - 1e-15));
    }
}
