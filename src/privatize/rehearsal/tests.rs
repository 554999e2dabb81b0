//! Two-world tests of every release, through the whole path of a statistic, and of releases that are broken on purpose: each must be found.
//!
//! Draws: 100,000 a world unless said. A true claim is called falsified with a chance below 1e-6 a test; a break is found with a chance above
//! 1 - 1e-6 by its design (its epsilon or its support is far beyond the claim), and the seeds are fixed.

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1};

use super::super::sensitivity::{Sensitivity, Unit};
use super::super::threshold::Threshold;
use super::*;
use crate::budget::{Allocation, UNITS};
use crate::demand::{Axis, Fixed, Limbs, Rows, Shape};
use crate::evidence::Evidence;
use crate::measure::privacy::two_worlds::{Claim, Draws as Values, Range, Verdict, audit};
use crate::plan::spec::Neighbours;
use crate::run::judged;
use crate::scalar::Scalar;
use crate::statistic::{Bins, Cell, Histogram, Moments, Tally};

const DRAWS: u32 = 100_000;
/// Of a single test: the whole file makes fewer than a hundred.
const CONFIDENCE: f64 = 1.0 - 1e-8;

fn axis() -> Axis {
    Axis::Levels { of: Scalar::column("a"), levels: ["x".into()].into() }
}

fn table() -> Shape {
    Shape::Tally { axes: vec![axis()], weight: None }
}

fn tally(cells: &[(u32, i64)]) -> Statistic {
    let mut tally = Tally::new(vec![3]);
    cells.iter().for_each(|(code, n)| tally.add(&[*code], Cell::rows(*n)));
    Statistic::Tally(tally)
}

fn bins() -> Bins {
    Bins { lower: 0.0, upper: 1.0, count: 3 }
}

fn histogram(rows: i64) -> Statistic {
    let mut counts = Counts::default();
    counts.add_number(0.9, rows, Some(&bins()));
    Statistic::Histogram(Histogram { sizes: vec![3], bins: Some(bins()), groups: [(1, counts)].into() })
}

fn number() -> Fixed {
    Fixed { of: Scalar::column("x"), lower: -1.0, upper: 1.0 }
}

fn products(gram: bool) -> Shape {
    let cross = if gram { Vec::new() } else { vec![number()] };
    Shape::Moments { by: Vec::new(), of: vec![number()], weights: Vec::new(), cross, gram, limbs: Limbs::One }
}

/// Sums of so many rows of (1, 1), with one cross column of 1 where there is no gram.
fn sums(rows: i64, gram: bool) -> Statistic {
    let unit = i128::from(rows) << 40;
    let mut sums = MomentSums::new(2, 0, usize::from(!gram), gram);
    sums.n = rows;
    sums.gram.iter_mut().chain(&mut sums.cross).for_each(|sum| *sum = unit);
    Statistic::Moments(Moments { sizes: Vec::new(), scale_bits: 20, groups: [(0, sums)].into() })
}

fn unit(rows_max: u32) -> Unit {
    Unit { neighbours: Neighbours::AddRemove, rows_max }
}

fn guarded(statistic: Statistic) -> Guarded {
    Guarded::seal(Evidence { statistics: [("s".into(), statistic)].into() })
}

/// The whole path of an honest release.
fn honest(shape: Shape, worlds: [Statistic; 2], rows_max: u32, charge: Charge, seed: u64) -> Rehearsed {
    let allowance = Allowance::new(unit(rows_max), &[Allocation { statistic: "s".into(), charge }]);
    let demand = Demand { name: "s".into(), rows: Rows::Kept, shape };
    let [a, b] = worlds.map(guarded);
    let effort = Effort { draws_min: DRAWS, draws_max: DRAWS, noise_max: u64::MAX, numbers_max: u64::MAX };
    match allowance.rehearse(&demand, [&a, &b], effort, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap() {
        Outcome::Drawn(rehearsed) => rehearsed,
        other => panic!("{other:?}"),
    }
}

/// A release of a test's own.
fn broken(
    exact: [Statistic; 2],
    law: &Law,
    seed: u64,
    release: impl FnMut(usize, &mut ChaCha20Rng) -> Statistic,
) -> Rehearsed {
    let found =
        draw(&exact.map(|statistic| flat(&statistic)), law, DRAWS, release, &mut ChaCha20Rng::seed_from_u64(seed));
    found.of(&"s".into(), Charge::FREE)
}

/// Against a claim in epsilon or in rho.
fn is_falsified(rehearsed: &Rehearsed, claimed: Charge) -> bool {
    judged(rehearsed, claimed, 1e-5, CONFIDENCE).falsified
}

fn pure(epsilon: f64) -> Charge {
    Charge::pure((epsilon * UNITS as f64) as u64)
}

fn concentrated(rho: f64) -> Charge {
    Charge::concentrated((rho * UNITS as f64) as u64)
}

fn shapes() -> Vec<(&'static str, Shape, [Statistic; 2], u32)> {
    let binned = Shape::Histogram { by: vec![axis()], of: Scalar::column("x"), bins: Some(bins()) };
    vec![
        ("tally", table(), [tally(&[]), tally(&[(1, 1)])], 1),
        ("tally of three rows a unit", table(), [tally(&[(0, 7)]), tally(&[(0, 7), (1, 3)])], 3),
        ("histogram", binned, [histogram(0), histogram(2)], 2),
        ("products", products(true), [sums(0, true), sums(1, true)], 1),
        ("cross products", products(false), [sums(4, false), sums(6, false)], 2),
    ]
}

#[test]
fn no_release_is_falsified_and_each_spends_what_it_claims() {
    for (at, (name, shape, worlds, rows_max)) in shapes().into_iter().enumerate() {
        for charge in [pure(1.0), concentrated(0.1)] {
            let rehearsed = honest(shape.clone(), worlds.clone(), rows_max, charge, at as u64);
            let found = judged(&rehearsed, charge, 1e-5, CONFIDENCE);
            assert!(!found.falsified, "{name}: {found:?}");
            println!("{name}: claimed {:.3}, shown {:.3}", found.epsilon, found.epsilon_lower);
            // No more noise than the claim needs. A cut tells 2 / pi of what a small rho allows, so that less is shown of it.
            let least = if charge.epsilon.is_some() { 0.75 } else { 0.6 };
            assert!(found.epsilon_lower > least * found.epsilon, "{name}: {found:?}");
        }
    }
}

/// Discrete Gaussians of sigma 1 and less tell more than continuous ones: no true claim may be falsified for that.
#[test]
fn gaussian_claims_of_little_noise_hold() {
    for (at, rho) in [0.3, 0.5, 1.0, 2.0, 8.0].into_iter().enumerate() {
        for rows in [1, 3] {
            let worlds = [tally(&[]), tally(&[(1, rows)])];
            let rehearsed = honest(table(), worlds, rows as u32, concentrated(rho), 100 + at as u64);
            assert!(!is_falsified(&rehearsed, concentrated(rho)), "rho {rho}, {rows} rows");
        }
    }
}

#[test]
fn half_the_scale_is_found() {
    for (name, shape, worlds, rows_max) in shapes() {
        let rehearsed = honest(shape.clone(), worlds.clone(), rows_max, pure(2.0), 1);
        assert!(is_falsified(&rehearsed, pure(1.0)), "{name}, Laplace");
        // Half of sigma is four times rho.
        let rehearsed = honest(shape, worlds, rows_max, concentrated(4.0), 2);
        assert!(is_falsified(&rehearsed, concentrated(1.0)), "{name}, Gaussian");
    }
}

#[test]
fn a_missing_cap_on_the_rows_of_a_unit_is_found() {
    let rehearsed = honest(table(), [tally(&[]), tally(&[(1, 4)])], 1, pure(1.0), 3);
    assert!(is_falsified(&rehearsed, pure(1.0)));
}

#[test]
fn a_wrong_sensitivity_of_products_is_found() {
    // Noise for one product where the unit changes three.
    let single = Sensitivity { l1: 1u64.into(), l2_squared: 1u64.into() };
    let grid = Sensitivity { l1: single.l1 << 40, l2_squared: single.l2_squared << 80 };
    for charge in [pure(1.0), concentrated(0.5)] {
        let law = Law::of(&grid, charge).unwrap();
        let worlds = [sums(0, true), sums(1, true)];
        let rehearsed = broken(worlds.clone(), &law, 4, |world, random| {
            noised(&products(true), Some(worlds[world].clone()), &mut || law.draw(random))
        });
        assert!(is_falsified(&rehearsed, charge), "{law:?}");
    }
}

fn law(epsilon: f64) -> Law {
    Law::of(&Sensitivity { l1: 1u64.into(), l2_squared: 1u64.into() }, pure(epsilon)).unwrap()
}

/// The table of a world, with draws of a kind.
fn release(rows: i64, draw: &mut dyn FnMut() -> i128) -> Statistic {
    noised(&table(), Some(tally(&[(1, rows)])), draw)
}

#[test]
fn a_second_query_nobody_counted_is_found_and_so_is_a_second_rendering() {
    let law = law(1.0);
    let rehearsed = broken([release(0, &mut || 0), release(2, &mut || 0)], &law, 5, |world, random| {
        // Both answers added up: twice the truth.
        release(2 * world as i64, &mut || law.draw(random) + law.draw(random))
    });
    assert!(is_falsified(&rehearsed, pure(1.0)));
}

#[test]
fn empty_cells_left_out_are_found() {
    let law = law(1.0);
    let rehearsed = broken([tally(&[]), tally(&[(1, 1)])], &law, 6, |world, random| match world {
        0 => tally(&[]),
        _ => {
            let mut cell = Tally::new(vec![3]);
            cell.add(&[1], Cell::noisy(1 + law.draw(random) as i64));
            Statistic::Tally(cell)
        }
    });
    assert!(is_falsified(&rehearsed, pure(1.0)));
}

#[test]
fn noise_on_a_coarser_lattice_is_found() {
    // Sums of 2^-40, noise in whole steps of 2^-30: the residue is published.
    let coarse = Law::Laplace(super::super::noise::Scale::new(1 << 20, 1).unwrap());
    let fine = Law::Laplace(super::super::noise::Scale::new(1 << 30, 1).unwrap());
    let worlds = [1i64 << 29, (1 << 29) + 3];
    let exact = worlds.map(|rows| tally(&[(1, rows)]));
    let rehearsed = broken(exact, &fine, 7, |world, random| {
        noised(&table(), Some(tally(&[(1, worlds[world])])), &mut || coarse.draw(random) * 1024)
    });
    assert!(is_falsified(&rehearsed, pure(1.0)));
}

#[test]
fn noise_in_floating_point_is_found() {
    // Released are the bits below 1: y = count + noise as a multiple of 2^-58. One plus anything is a multiple of 2^-53 there.
    let law = Law::Laplace(super::super::noise::Scale::new(1 << 58, 1).unwrap());
    let exact = [0i64, 1].map(|count| tally(&[(1, count << 58)]));
    let rehearsed = broken(exact, &law, 8, |world, random| {
        let size: f64 = Exp1.sample(random);
        let noise = if random.next_u64() & 1 == 0 { size } else { -size };
        let released = (world as f64 + noise).clamp(-15.0, 15.0) * (1u64 << 58) as f64;
        tally(&[(0, 0), (1, released as i64), (2, 0)])
    });
    assert!(is_falsified(&rehearsed, pure(1.0)));
}

#[test]
fn a_threshold_that_keeps_one_more_is_found() {
    // A key of one row is kept where the noisy count reaches tau; the claim is that of a count above tau.
    let law = law(1.0);
    let rule = Threshold::new(law, 3, 1, 1);
    let strict = Threshold::new(law, 4, 1, 1);
    let keyed = |rows: i64, random: &mut ChaCha20Rng| {
        let mut cell = Tally::new(vec![3]);
        let kept = if rows == 0 { None } else { rule.noised(random, rows) };
        if let Some(n) = kept {
            cell.add(&[1], Cell::noisy(n as i64));
        }
        Statistic::Tally(cell)
    };
    let rehearsed = broken([tally(&[]), tally(&[(1, 1)])], &law, 9, |world, random| keyed(world as i64, random));
    let [a, b] = rehearsed.marked.each_ref().map(|values| Values::of(values));
    let verdict = |rule: &Threshold| {
        let claim = Claim { epsilon: 1.0, delta: rule.delta() };
        audit(&a, &b, claim, Range::new(rehearsed.truth[0], rehearsed.truth[1]), CONFIDENCE)
    };
    assert!(
        matches!(verdict(&strict), Verdict::ClaimFalsified { .. }),
        "{} kept, {} claimed",
        rule.delta(),
        strict.delta()
    );
    assert!(matches!(verdict(&rule), Verdict::NotFalsified { .. }));
}

#[test]
fn the_most_changed_number_is_marked() {
    let rehearsed = honest(table(), [tally(&[(0, 5), (1, 5)]), tally(&[(0, 5), (1, 6)])], 1, pure(1.0), 10);
    assert_eq!(rehearsed.truth, [5, 6]);
    assert_eq!((rehearsed.marked[0].len(), rehearsed.score[1].len()), (DRAWS as usize, DRAWS as usize));
    // The score of pure noise stays within the claim: 1024 units are one.
    assert!(rehearsed.score.iter().flatten().all(|score| score.abs() <= 1024));
}
