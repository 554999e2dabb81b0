//! Laws of pooled statistics, and how often intervals of standardised differences hold.

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};

use super::*;

fn table() -> impl Strategy<Value = TwoByTwo> {
    (1u32..60, 1u32..60, 1u32..60, 1u32..60).prop_map(|(a, b, c, d)| TwoByTwo {
        a: a.into(),
        b: b.into(),
        c: c.into(),
        d: d.into(),
    })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

#[test]
fn the_variance_is_on_average_at_least_the_true_one() {
    for n in [1u64, 2, 3, 6, 20, 100] {
        for p in [0.0f64, 0.01, 0.1, 0.3, 0.5, 0.8, 1.0] {
            // Exactly, over all outcomes.
            let mut choose = 1.0;
            let mut mean = 0.0;
            for x in 0..=n {
                let chance = choose * p.powi(x as i32) * (1.0 - p).powi((n - x) as i32);
                mean += chance * variance_at_least(x as f64 / n as f64, n as f64);
                choose *= (n - x) as f64 / (x + 1) as f64;
            }
            assert!(mean >= p * (1.0 - p) / n as f64 * (1.0 - 1e-12), "{n} {p}");
        }
    }
}

proptest! {
    #[test]
    fn one_stratum_is_the_plain_table(t in table()) {
        let n = t.all();
        // Pearson's chi-squared, N (ad - bc)^2 over the product of the margins.
        let pearson = n * (t.a * t.d - t.b * t.c).powi(2) / (t.cohort() * t.other() * t.with() * t.without());
        let cmh = cochran_mantel_haenszel(&[t], false).unwrap();
        prop_assert!(near(cmh.chi2, (n - 1.0) / n * pearson));
        prop_assert!(cochran_mantel_haenszel(&[t], true).unwrap().chi2 <= cmh.chi2);
        let odds = odds_ratio(&[t]).unwrap();
        prop_assert!(near(odds.ratio, t.a * t.d / (t.b * t.c)));
        // Woolf's variance of the logarithm.
        prop_assert!(near(odds.se_log, (1.0 / t.a + 1.0 / t.b + 1.0 / t.c + 1.0 / t.d).sqrt()));
        let (p, q) = (t.a / t.cohort(), t.c / t.other());
        let ratio = risk_ratio(&[t]).unwrap();
        prop_assert!(near(ratio.ratio, p / q));
        prop_assert!(near(ratio.se_log, ((1.0 - p) / t.a + (1.0 - q) / t.c).sqrt()));
        prop_assert!(near(risk_difference(&[t]).unwrap().0, p - q));
        prop_assert_eq!(breslow_day(&[t]), None);
    }

    #[test]
    fn cohorts_exchanged_mirror_everything(strata in prop::collection::vec(table(), 2..6)) {
        let swapped: Vec<TwoByTwo> = strata.iter().map(|t| TwoByTwo { a: t.c, b: t.d, c: t.a, d: t.b }).collect();
        let plain = |of: &[TwoByTwo]| cochran_mantel_haenszel(of, false).unwrap().chi2;
        prop_assert!(near(plain(&strata), plain(&swapped)));
        let (one, two) = (odds_ratio(&strata).unwrap(), odds_ratio(&swapped).unwrap());
        prop_assert!(near(one.ratio * two.ratio, 1.0) && near(one.se_log, two.se_log));
        let (one, two) = (risk_difference(&strata).unwrap(), risk_difference(&swapped).unwrap());
        prop_assert!(near(one.0, -two.0) && near(one.1, two.1));
        let (one, two) = (breslow_day(&strata).unwrap(), breslow_day(&swapped).unwrap());
        prop_assert!(near(one.0.chi2, two.0.chi2) && near(one.1.chi2, two.1.chi2));
        prop_assert!(one.1.chi2 <= one.0.chi2);
    }

    #[test]
    fn limits_hold_the_point_and_grow_with_confidence(
        terms in prop::collection::vec((-1.0f64..1.0, 0u32..20, 1u32..20), 1..8)
    ) {
        let terms: Vec<Term> = terms
            .into_iter()
            .map(|(weight, x, n)| Term { weight, p: f64::from(x.min(n)) / f64::from(n), n: n.into() })
            .collect();
        let point = combination(&terms);
        let (narrow, wide) = (combination_limits(&terms, 1.0), combination_limits(&terms, 2.0));
        prop_assert!(wide.0 <= narrow.0 && narrow.0 <= point && point <= narrow.1 && narrow.1 <= wide.1);
    }
}

#[test]
fn one_share_has_its_wilson_limits_and_two_those_of_newcombe() {
    let one = Term { weight: 1.0, p: 0.3, n: 40.0 };
    assert_eq!(combination_limits(&[one], 1.96), wilson_limits(0.3, 40.0, 1.96));
    let ((l1, u1), (l2, u2)) = (wilson_limits(0.3, 40.0, 1.96), wilson_limits(0.6, 25.0, 1.96));
    let limits = combination_limits(&[one, Term { weight: -1.0, p: 0.6, n: 25.0 }], 1.96);
    assert!(near(limits.0, -0.3 - (0.3 - l1).hypot(u2 - 0.6)) && near(limits.1, -0.3 + (u1 - 0.3).hypot(0.6 - l2)));
}

#[test]
fn degenerate_strata_have_no_statistic() {
    let t = |a, b, c, d| TwoByTwo { a, b, c, d };
    for strata in [vec![], vec![t(3.0, 0.0, 2.0, 0.0)], vec![t(0.0, 3.0, 0.0, 2.0)]] {
        assert_eq!(cochran_mantel_haenszel(&strata, false), None);
        assert_eq!(odds_ratio(&strata), None);
        assert_eq!(breslow_day(&strata), None);
    }
    assert_eq!(odds_ratio(&[t(3.0, 0.0, 1.0, 2.0)]), None);
    assert_eq!(risk_ratio(&[t(0.0, 2.0, 1.0, 2.0)]), None);
}

#[test]
fn tails_are_those_of_the_tables() {
    // Two-sided 5 % points: 3.841458820694124 at 1 degree of freedom, 5.991464547107979 at 2, 18.307038053275146 at 10.
    for (chi2, df) in [(3.841458820694124, 1.0), (5.991464547107979, 2.0), (18.307038053275146, 10.0)] {
        assert!((chi2_tail(chi2, df) - 0.05).abs() < 1e-12, "{df}");
    }
    assert_eq!((chi2_tail(0.0, 3.0), chi2_tail(-1.0, 1.0)), (1.0, 1.0));
}

/// How often intervals hold, of so many tables drawn. The seed is fixed; a law that truly covers 95 % falls below 93 % of 2,000 with a
/// chance of 3e-5, and the seed was not chosen.
#[test]
fn standardised_differences_and_pooled_ratios_hold_at_the_stated_rate() {
    let mut random = StdRng::seed_from_u64(20);
    let runs = 2000;
    // Rows of the cohort and of the other, rates, in few large and in many small strata; at equality, near 0, apart.
    let few = [(80u64, 60u64, 0.2, 0.2), (40, 90, 0.5, 0.5), (30, 30, 0.7, 0.7)];
    let apart = [(80, 60, 0.2, 0.35), (40, 90, 0.5, 0.66), (30, 30, 0.7, 0.82)];
    let rare = [(80, 60, 0.02, 0.02), (40, 90, 0.05, 0.05), (30, 30, 0.04, 0.04)];
    let many: Vec<(u64, u64, f64, f64)> =
        (0..30).map(|i| (6, 9, 0.1 + 0.02 * f64::from(i), 0.1 + 0.02 * f64::from(i))).collect();
    let pairs: Vec<(u64, u64, f64, f64)> =
        (0..60).map(|i| (1, 1, 0.2 + 0.01 * f64::from(i), 0.2 + 0.01 * f64::from(i))).collect();
    for (name, strata, least, most) in [
        ("few", few.to_vec(), 0.935, 0.975),
        ("apart", apart.to_vec(), 0.935, 0.975),
        ("rare", rare.to_vec(), 0.935, 0.995),
        ("many", many, 0.935, 0.985),
        ("pairs", pairs, 0.935, 0.985),
    ] {
        let all: f64 = strata.iter().map(|(n, m, ..)| (n + m) as f64).sum();
        let weight = |(n, m, ..): &(u64, u64, f64, f64)| (n + m) as f64 / all;
        let truth: f64 = strata.iter().map(|of| weight(of) * (of.2 - of.3)).sum();
        let equal = strata.iter().all(|of| of.2 == of.3);
        let (mut held, mut pooled, mut differences, mut alarms) = (0, 0, 0, 0);
        for _ in 0..runs {
            let mut draw = |n: u64, p: f64| Binomial::new(n, p).unwrap().sample(&mut random) as f64;
            let tables: Vec<TwoByTwo> = strata
                .iter()
                .map(|(n, m, p, q)| {
                    let (a, c) = (draw(*n, *p), draw(*m, *q));
                    TwoByTwo { a, b: *n as f64 - a, c, d: *m as f64 - c }
                })
                .collect();
            let terms: Vec<Term> = tables
                .iter()
                .zip(&strata)
                .flat_map(|(t, of)| {
                    let own = Term { weight: weight(of), p: t.a / t.cohort(), n: t.cohort() };
                    [own, Term { weight: -weight(of), p: t.c / t.other(), n: t.other() }]
                })
                .collect();
            let (lower, upper) = combination_limits(&terms, normal(0.95));
            held += usize::from(lower <= truth && truth <= upper);
            if equal {
                let ratio = odds_ratio(&tables).map(|of| of.interval(0.95).contains(1.0));
                pooled += usize::from(ratio.unwrap_or(true));
                let (d, se) = risk_difference(&tables).unwrap();
                differences += usize::from(d.abs() <= normal(0.95) * se || se == 0.0);
                alarms += usize::from(cochran_mantel_haenszel(&tables, false).is_some_and(|test| test.p < 0.05));
            }
        }
        let share = |n: usize| n as f64 / f64::from(runs);
        println!(
            "{name}: standardised {} odds ratio {} difference {} test {}",
            share(held),
            share(pooled),
            share(differences),
            share(alarms)
        );
        assert!((least..=most).contains(&share(held)), "{name}: {}", share(held));
        if equal {
            assert!(share(pooled) >= 0.93 && share(differences) >= 0.93, "{name}");
            assert!(share(alarms) <= 0.07, "{name}");
        }
    }
}
