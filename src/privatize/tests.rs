//! The door: every number of the whole domain has noise of its own, paid for once.

use rand::SeedableRng;

use super::*;
use crate::budget::UNITS;
use crate::demand::{Axis, Fixed, Limbs, Rows};
use crate::plan::spec::Neighbours;
use crate::scalar::Scalar;

const UNIT: Unit = Unit { neighbours: Neighbours::AddRemove, rows_max: 1 };

fn axis() -> Axis {
    Axis::Levels { of: Scalar::column("a"), levels: ["x".into(), "y".into()].into() }
}

fn demand(name: &str, shape: Shape) -> Demand {
    Demand { name: name.into(), rows: Rows::Kept, shape }
}

fn purse(names: &[&str], charge: Charge, seed: u64) -> Purse {
    let allocation = |name: &&str| Allocation { statistic: (*name).into(), charge };
    let allowance = Allowance::new(UNIT, &names.iter().map(allocation).collect::<Vec<_>>());
    Purse::new(allowance, ChaCha20Rng::seed_from_u64(seed))
}

fn sealed(statistics: Vec<(&str, Statistic)>) -> Guarded {
    Guarded::seal(Evidence { statistics: statistics.into_iter().map(|(name, s)| (name.into(), s)).collect() })
}

fn table() -> Demand {
    demand("table", Shape::Tally { axes: vec![axis(), axis()], weight: None })
}

fn counted() -> Statistic {
    let mut tally = Tally::new(vec![4, 4]);
    tally.add(&[0, 1], Cell::rows(100));
    Statistic::Tally(tally)
}

#[test]
fn every_cell_of_the_domain_has_noise_of_its_own_empty_ones_too() {
    let mut nonzero = 0;
    for seed in 0..200 {
        let mut purse = purse(&["table"], Charge::pure(UNITS), seed);
        let released = purse.release(sealed(vec![("table", counted())]), &[table()]).unwrap().0;
        let tally = released.tally("table").unwrap();
        assert_eq!(tally.cells.len(), 16);
        assert!(tally.cells.values().all(|cell| cell.draws == 1 && cell.w == i128::from(cell.n) && cell.ww == cell.w));
        nonzero += tally.cells.iter().filter(|(code, cell)| **code != 1 && cell.n != 0).count();
        let noise = released.noise("table").unwrap();
        assert_eq!((noise.parameter.as_str(), noise.numbers), ("scale 1/1", 16));
        assert!((noise.variance - laplace_variance_of_one()).abs() < 1e-12);
    }
    // P(0) of scale 1 is 0.4621: of 3,000 empty cells 1,614 are expected to change, standard deviation 27.
    assert!((1430..1800).contains(&nonzero), "{nonzero}");
}

/// 2 q / (1 - q)^2 with q = 1/e.
fn laplace_variance_of_one() -> f64 {
    let q = (-1.0f64).exp();
    2.0 * q / ((1.0 - q) * (1.0 - q))
}

#[test]
fn what_was_not_counted_is_released_as_zeros_with_noise() {
    let mut purse = purse(&["table"], Charge::pure(UNITS), 1);
    let released = purse.release(sealed(Vec::new()), &[table()]).unwrap().0;
    assert_eq!(released.tally("table").unwrap().cells.len(), 16);
}

#[test]
fn a_statistic_is_paid_for_once() {
    let mut purse = purse(&["table"], Charge::pure(UNITS), 1);
    let evidence = || sealed(vec![("table", counted())]);
    assert!(purse.release(evidence(), &[table()]).is_ok());
    let again = purse.release(evidence(), &[table()]).err();
    assert_eq!(again, Some(ReleaseError::NotSetAside("table".into())), "a second rendering would be a second query");
    let other = demand("other", Shape::Tally { axes: Vec::new(), weight: None });
    assert_eq!(purse.release(evidence(), &[other]).err(), Some(ReleaseError::NotSetAside("other".into())));
}

#[test]
fn rows_and_classes_stay_behind_the_door() {
    let classes = demand("key", Shape::ClassSizes { of: vec![Scalar::column("a")], memory_bytes_max: 1 });
    let found = purse(&["key"], Charge::pure(UNITS), 1).release(sealed(Vec::new()), &[classes]).err();
    assert_eq!(found, Some(ReleaseError::NoMechanism("key".into(), "class-sizes")));
}

#[test]
fn a_free_release_and_one_beyond_all_noise_are_refused() {
    for charge in [Charge::FREE, Charge { rho: 0, delta: 0, epsilon: None }] {
        let found = purse(&["table"], charge, 1).release(sealed(Vec::new()), &[table()]).err();
        assert_eq!(found, Some(ReleaseError::TooMuchNoise("table".into())));
    }
    let column = Fixed { of: Scalar::column("a"), lower: 0.0, upper: 1.0 };
    let of = vec![column; 3000];
    let shape =
        Shape::Moments { by: Vec::new(), of, weights: Vec::new(), cross: Vec::new(), gram: true, limbs: Limbs::Two };
    let found = purse(&["m"], Charge::concentrated(1), 1).release(sealed(Vec::new()), &[demand("m", shape)]).err();
    assert_eq!(found, Some(ReleaseError::TooMuchNoise("m".into())));
}

#[test]
fn bins_and_products_have_noise_too() {
    let histogram = demand(
        "h",
        Shape::Histogram {
            by: vec![axis()],
            of: Scalar::column("a"),
            bins: Some(Bins { lower: 0.0, upper: 1.0, count: 8 }),
        },
    );
    let column = || Fixed { of: Scalar::column("a"), lower: 0.0, upper: 1.0 };
    let moments = demand(
        "m",
        Shape::Moments {
            by: vec![axis()],
            of: vec![column()],
            weights: Vec::new(),
            cross: vec![column()],
            gram: true,
            limbs: Limbs::One,
        },
    );
    let mut counts = Counts::default();
    (0..50).for_each(|i| counts.add_number(f64::from(i) / 50.0, 1, None));
    let mut sums = MomentSums::new(2, 0, 1, true);
    (sums.n, sums.skipped, sums.gram[0]) = (1000, 7, 1000 << 40);
    let evidence = sealed(vec![
        ("h", Statistic::Histogram(Histogram { sizes: vec![4], groups: [(0, counts)].into(), bins: None })),
        ("m", Statistic::Moments(Moments { sizes: vec![4], scale_bits: 20, groups: [(2, sums)].into() })),
    ]);
    let released =
        purse(&["h", "m"], Charge::concentrated(UNITS / 2), 3).release(evidence, &[histogram, moments]).unwrap().0;
    let h = released.histogram("h").unwrap();
    assert_eq!(h.groups.len(), 4);
    for counts in h.groups.values() {
        assert_eq!(counts.missing, 0);
        assert!(matches!(counts.spread(), Spread::Binned { counts } if counts.len() == 8));
    }
    let total: i64 = match h.groups[&0].spread() {
        Spread::Binned { counts } => counts.iter().map(|(_, n)| n).sum(),
        _ => 0,
    };
    // Eight draws of variance 1: within six standard deviations.
    assert!((total - 50).abs() <= 17, "{total}");
    let m = released.moments("m").unwrap();
    assert_eq!(m.groups.len(), 4);
    for (code, sums) in &m.groups {
        assert_eq!((sums.gram.len(), sums.cross.len(), sums.skipped), (3, 2, 0));
        let expected = if *code == 2 { 1000 } else { 0 };
        // K = 2, C = 1: L2^2 = 5 x 2^80, rho = 1/2: sigma = sqrt(5) rows.
        assert!((sums.n - expected).abs() <= 14, "{code}: {}", sums.n);
        assert_ne!(sums.gram[0] % (1 << 40), 0, "noise is finer than a row");
    }
    let variance = released.noise("m").unwrap().variance;
    assert!((variance / (5.0 * 2f64.powi(80)) - 1.0).abs() < 1e-9, "{variance}");
}
