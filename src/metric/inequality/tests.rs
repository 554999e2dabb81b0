//! Laws of the indices.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn counts() -> impl Strategy<Value = [f64; 3]> {
    prop::array::uniform3(0u32..40).prop_map(|n| n.map(f64::from))
}

fn values([zero, one, two]: [f64; 3]) -> [(f64, f64); 3] {
    [(0.0, zero), (1.0, one), (2.0, two)]
}

proptest! {
    /// Total = within + between, for every alpha: within is the sum of (rows / all) (mean / mean of all)^alpha times a cohort's own index.
    #[test]
    fn within_and_between_are_the_whole(cohorts in prop::collection::vec(counts(), 1..6), alpha in 0usize..4) {
        let alpha = [0.5, 1.0, 2.0, 3.0][alpha];
        let cohorts: Vec<_> = cohorts.into_iter().map(values).filter(|of| of[1].1 + of[2].1 > 0.0).collect();
        prop_assume!(!cohorts.is_empty());
        let all: Vec<(f64, f64)> = cohorts.concat();
        let rows = |of: &[(f64, f64)]| of.iter().map(|(_, n)| n).sum::<f64>();
        let mean = |of: &[(f64, f64)]| of.iter().map(|(value, n)| value * n).sum::<f64>() / rows(of);
        let means: Vec<(f64, f64)> = cohorts.iter().map(|of| (mean(of), rows(of))).collect();
        let part = |of: &[(f64, f64); 3]| {
            rows(of) / rows(&all) * (mean(of) / mean(&all)).powf(alpha) * generalised_entropy(of, alpha).unwrap()
        };
        let within: f64 = cohorts.iter().map(part).sum();
        let between = generalised_entropy(&means, alpha).unwrap();
        let whole = generalised_entropy(&all, alpha).unwrap();
        prop_assert!((within + between - whole).abs() < 1e-12 * whole.max(1.0), "{} + {} is not {}", within, between, whole);
    }

    #[test]
    fn indices_do_not_depend_on_the_unit(of in counts(), unit in 0.1f64..10.0) {
        prop_assume!(of[1] + of[2] > 0.0);
        let (plain, scaled) = (values(of), values(of).map(|(value, n)| (value * unit, n)));
        for alpha in [0.5, 1.0, 2.0, 3.0] {
            let (a, b) = (generalised_entropy(&plain, alpha).unwrap(), generalised_entropy(&scaled, alpha).unwrap());
            prop_assert!((a - b).abs() < 1e-9 && a >= 0.0);
        }
        let (a, b) = (atkinson(&plain, 0.5).unwrap(), atkinson(&scaled, 0.5).unwrap());
        prop_assert!((a - b).abs() < 1e-9 && (0.0..=1.0).contains(&a));
    }
}

#[test]
fn equal_benefits_have_no_inequality_and_no_benefit_has_no_index() {
    for composite in &INEQUALITIES {
        assert_eq!((composite.of)([5.0, 0.0, 0.0, 7.0]), Some(0.0), "{}", composite.card.id);
        assert_eq!((composite.of)([0.0, 0.0, 3.0, 0.0]), None, "{}", composite.card.id);
        assert_eq!((composite.of)([0.0; 4]), None, "{}", composite.card.id);
    }
    // One row without a benefit: no logarithm of it.
    assert_eq!(generalised_entropy(&[(0.0, 1.0), (1.0, 1.0)], 0.0), None);
    assert_eq!(generalised_entropy(&[(0.0, 0.0), (1.0, 1.0)], 0.0), Some(0.0));
    // ln 2 for half of the rows without benefit.
    assert!((generalised_entropy(&[(0.0, 1.0), (1.0, 1.0)], 1.0).unwrap() - 2.0f64.ln()).abs() < 1e-15);
}

#[test]
fn every_card_is_listed_once() {
    let ids: BTreeSet<&str> = INEQUALITY.iter().map(|card| card.id).collect();
    assert_eq!(ids.len(), INEQUALITY.len());
    let all = INEQUALITIES
        .iter()
        .map(|of| of.card.id)
        .chain(OF_SETS.iter().map(|of| of.0.id))
        .chain(GIVEN.iter().map(|of| of.0.id));
    assert_eq!(all.collect::<BTreeSet<_>>(), ids);
    assert!(is_of_a_set("bias-amplification") && !is_of_a_set("theil-index") && is_given("prevalence-given"));
    for (card, rate) in GIVEN {
        assert_eq!(card.id, format!("{rate}-given"));
        assert!(crate::metric::RATES.iter().any(|of| of.card.id == rate && of.card.needs == card.needs));
    }
}
