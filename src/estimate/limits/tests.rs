//! Published intervals, the equations the limits solve, and tables with empty cells.

use proptest::prelude::*;

use super::*;
use crate::estimate::normal;

/// Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 6 (Miettinen and Nurminen): 56/70 less 48/80.
#[test]
fn a_published_score_interval() {
    let (lower, upper) = difference((56, 70), (48, 80), normal(0.95));
    assert!((lower - 0.0528).abs() < 6e-5 && (upper - 0.3382).abs() < 6e-5, "{lower} {upper}");
}

/// None of 10: the exact upper limit is 1 - 0.025^(1/10), that of all is its mirror.
#[test]
fn exact_limits_by_hand() {
    let z = normal(0.95);
    let (lower, upper) = clopper_pearson((0, 10), z);
    assert!(lower == 0.0 && (upper - (1.0 - 0.025f64.powf(0.1))).abs() < 1e-14, "{upper}");
    let (lower, upper) = clopper_pearson((10, 10), z);
    assert!(upper == 1.0 && (lower - 0.025f64.powf(0.1)).abs() < 1e-14, "{lower}");
    let (lower, upper) = few(0.0, 1e7, z);
    assert!(lower == 0.0 && (upper * 1e7 + 0.025f64.ln()).abs() < 1e-5, "a Poisson count of none: {upper}");
}

#[test]
fn what_has_no_limits() {
    assert_eq!(katz((0, 5), (2, 5), 1.96), None);
    assert_eq!(ratio((0, 5), (0, 5), 1.96), (0.0, f64::INFINITY));
    assert_eq!(odds_ratio((5, 5), (5, 5), 1.96), (0.0, f64::INFINITY));
    let (lower, upper) = ratio((3, 5), (0, 5), 1.96);
    assert!(lower > 0.0 && upper == f64::INFINITY);
}

proptest! {
    /// Every table, those with empty cells too: the ends hold the point, exchange changes sign or inverts, a wider z is wider.
    #[test]
    fn score_limits_of_every_table(a in 0i64..40, m in 1i64..40, b in 0i64..40, n in 1i64..40, z in 0.5f64..4.0) {
        let (first, second) = ((a.min(m), m), (b.min(n), n));
        let (p, q) = (first.0 as f64 / m as f64, second.0 as f64 / n as f64);
        let ((l, u), (back_l, back_u)) = (difference(first, second, z), difference(second, first, z));
        prop_assert!((-1.0..=p - q + 1e-12).contains(&l) && (p - q - 1e-12..=1.0).contains(&u), "{} {}", l, u);
        prop_assert!((l + back_u).abs() < 1e-8 && (u + back_l).abs() < 1e-8, "{} {} {} {}", l, u, back_l, back_u);
        let wider = difference(first, second, z + 0.5);
        prop_assert!(wider.0 <= l + 1e-12 && wider.1 >= u - 1e-12);
        for (of, back, point) in [
            (ratio(first, second, z), ratio(second, first, z), p / q),
            (odds_ratio(first, second, z), odds_ratio(second, first, z), p * (1.0 - q) / (q * (1.0 - p))),
        ] {
            prop_assert!(of.0 >= 0.0 && of.0 <= of.1);
            prop_assert!(!point.is_finite() || (of.0 <= point * (1.0 + 1e-9) && point <= of.1 * (1.0 + 1e-9)), "{:?} {}", of, point);
            let inverse = |x: f64, y: f64| (x * y - 1.0).abs() < 1e-7 || (x == 0.0 && y == f64::INFINITY) || (y == 0.0 && x == f64::INFINITY);
            prop_assert!(inverse(of.0, back.1) && inverse(of.1, back.0), "{:?} {:?}", of, back);
        }
    }

    /// The steps of Newton's method and the halvings find the same limits; Jeffreys' are within them.
    #[test]
    fn few_successes_have_the_exact_limits(x in 0i64..5, n in 5i64..3000, failures in any::<bool>(), z in 1.0f64..4.0) {
        let x = if failures { n - x } else { x };
        let (exact, found, inner) = (clopper_pearson((x, n), z), few(x as f64, n as f64, z), jeffreys((x, n), z));
        prop_assert!((exact.0 - found.0).abs() < 1e-12 && (exact.1 - found.1).abs() < 1e-12, "{:?} {:?}", exact, found);
        prop_assert!(exact.0 <= inner.0 + 1e-12 && inner.1 <= exact.1 + 1e-12, "{:?} {:?}", exact, inner);
    }
}
