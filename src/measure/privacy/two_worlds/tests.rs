//! Simulated audits: true claims, and releases broken on purpose.

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Discrete Laplace noise by its inverse distribution function: P(x) = (1 - q) / (1 + q) q^|x|, q = e^(-1/scale).
struct Laplace {
    /// P(X <= x), from -`half` on.
    cumulative: Vec<f64>,
    half: i64,
}

impl Laplace {
    fn new(scale: f64) -> Laplace {
        let q = (-1.0 / scale).exp();
        let half = (40.0 * scale).ceil() as i64;
        let mut sum = 0.0;
        let cumulative = (-half..=half)
            .map(|x| {
                sum += (1.0 - q) / (1.0 + q) * q.powi(x.abs() as i32);
                sum
            })
            .collect();
        Laplace { cumulative, half }
    }

    fn draw(&self, random: &mut ChaCha20Rng) -> i64 {
        let u: f64 = random.random();
        self.cumulative.partition_point(|&below| below <= u) as i64 - self.half
    }
}

fn draws(n: usize, mut release: impl FnMut() -> i64) -> Draws {
    Draws::of(&(0..n).map(|_| release()).collect::<Vec<_>>())
}

/// A count of 1 with the record and 0 without it, with noise.
fn counts(n: usize, noise: &Laplace, random: &mut ChaCha20Rng) -> (Draws, Draws) {
    (draws(n, || 1 + noise.draw(random)), draws(n, || noise.draw(random)))
}

fn pure(epsilon: f64) -> Claim {
    Claim { epsilon, delta: 0.0 }
}

/// Audits that falsify, of so many.
fn falsified(audits: usize, mut audit: impl FnMut() -> Verdict) -> usize {
    (0..audits).filter(|_| matches!(audit(), Verdict::ClaimFalsified { .. })).count()
}

/// Noise of the claimed scale: at most 5 % may be falsified, and the shared error makes it far fewer.
#[test]
fn true_claims_stand() {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    for epsilon in [0.25, 1.0, 3.0] {
        let noise = Laplace::new(1.0 / epsilon);
        let range = Range::new(-20, 21);
        let found = falsified(1000, || {
            let (a, b) = counts(10_000, &noise, &mut random);
            audit(&a, &b, pure(epsilon), range, 0.95)
        });
        assert!(found < 10, "{found} of 1,000 true claims of {epsilon} were falsified");
    }
}

#[test]
fn half_the_scale_is_caught() {
    let mut random = ChaCha20Rng::seed_from_u64(2);
    for epsilon in [0.25, 1.0, 3.0] {
        let noise = Laplace::new(0.5 / epsilon);
        let range = Range::new(-20, 21);
        let caught = falsified(200, || {
            let (a, b) = counts(100_000, &noise, &mut random);
            audit(&a, &b, pure(epsilon), range, 0.99)
        });
        assert!(caught >= 199, "{caught} of 200 at {epsilon}");
    }
}

/// A key with a count of 1 is released when the noisy count is at least 3; delta was computed for "more than 3". 0 stands for "not released".
#[test]
fn at_least_accounted_as_more_than_is_caught() {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    let noise = Laplace::new(1.0);
    let q = (-1.0f64).exp();
    // The noise is at least 2: q^2 / (1 + q); more than 2: q^3 / (1 + q).
    let (exact, wrong) = (q.powi(2) / (1.0 + q), q.powi(3) / (1.0 + q));
    let absent = draws(100_000, || 0);
    let range = Range::new(0, 20);
    let mut audits = |threshold: i64, delta: f64| {
        falsified(100, || {
            let present = draws(100_000, || Some(1 + noise.draw(&mut random)).filter(|&n| n >= threshold).unwrap_or(0));
            audit(&present, &absent, Claim { epsilon: 1.0, delta }, range, 0.99)
        })
    };
    assert_eq!(audits(3, wrong), 100);
    assert!(audits(3, exact) <= 1);
    assert!(audits(4, wrong) <= 1);
}

/// A value that cannot occur without the record.
#[test]
fn a_value_of_one_world_is_caught() {
    let mut random = ChaCha20Rng::seed_from_u64(4);
    let noise = Laplace::new(1.0);
    let cut = |n: i64| n.clamp(-7, 7);
    let clamped = |random: &mut ChaCha20Rng, centre: i64| centre + cut(noise.draw(random));
    let (a, b) = (draws(100_000, || clamped(&mut random, 1)), draws(100_000, || clamped(&mut random, 0)));
    let verdict = audit(&a, &b, pure(1.0), Range::new(-20, 20), 0.99);
    let Verdict::ClaimFalsified { lower_bound, event } = verdict else { panic!("{verdict:?}") };
    assert_eq!(verdict.words(), "claim falsified");
    assert!(lower_bound > 1.2, "{lower_bound}");
    // 8 occurs with the record only, -7 without it only.
    assert!(
        [
            Event { outcome: Outcome::Between(8, 8), complement: false, likelier_in: World::A },
            Event { outcome: Outcome::AtLeast(8), complement: false, likelier_in: World::A },
            Event { outcome: Outcome::Between(-7, -7), complement: false, likelier_in: World::B },
            Event { outcome: Outcome::AtLeast(-6), complement: true, likelier_in: World::B },
        ]
        .contains(&event),
        "{event}"
    );
}

/// Noise in steps of 8 leaves the last bits of the value.
#[test]
fn noise_on_a_coarse_lattice_is_caught() {
    let mut random = ChaCha20Rng::seed_from_u64(5);
    let noise = Laplace::new(500.0);
    let (a, b) =
        (draws(10_000, || 1003 + 8 * noise.draw(&mut random)), draws(10_000, || 1000 + 8 * noise.draw(&mut random)));
    let verdict = audit(&a, &b, pure(1.0), Range::new(-100_000, 100_000), 0.99);
    let Verdict::ClaimFalsified { event: Event { outcome: Outcome::Telling(View::Lattice(bits)), .. }, .. } = verdict
    else {
        panic!("{verdict:?}")
    };
    assert!(bits <= 3, "{bits}");
}

/// Two releases where one was charged; and noise whose scale is right for a wide range of values, cut into runs.
#[test]
fn wide_ranges_and_second_queries() {
    let mut random = ChaCha20Rng::seed_from_u64(6);
    let noise = Laplace::new(3000.0);
    let range = Range::new(-60_000, 60_000);
    let mut world = |value: i64, queries: i64| {
        draws(100_000, || (0..queries).map(|_| value + noise.draw(&mut random)).sum::<i64>() / queries)
    };
    let (once, other) = (world(3000, 1), world(0, 1));
    assert_eq!(audit(&once, &other, pure(1.0), range, 0.99).words(), "not falsified");
    let (twice, other) = (world(3000, 2), world(0, 2));
    assert_eq!(audit(&twice, &other, pure(1.0), range, 0.99).words(), "claim falsified");
}

#[test]
fn nothing_is_falsified_without_draws() {
    let verdict = audit(&Draws::default(), &Draws::default(), pure(0.0), Range::new(i64::MAX, i64::MIN), 0.95);
    assert_eq!(verdict, Verdict::NotFalsified { lower_bound: 0.0, ceiling: 0.0 });
    assert_eq!(verdict.words(), "not falsified");
}

#[test]
fn the_ends_of_the_integers_are_values_like_others() {
    let a = Draws::of(&[i64::MAX; 2000]);
    let b = Draws::of(&[i64::MIN; 2000]);
    for range in [Range::new(i64::MIN, i64::MAX), Range::new(0, 0), Range::new(i64::MAX, i64::MAX)] {
        let verdict = audit(&a, &b, pure(1.0), range, 0.95);
        assert_eq!(verdict.words(), "claim falsified", "{range:?}");
        // Every draw tells the worlds apart, so the bound is the ceiling.
        let single = 1.0 - 0.05 / range.tests() as f64;
        assert_eq!(verdict.lower_bound(), bounds::ceiling(2000, 2000, 0.0, single).epsilon);
    }
}

#[test]
fn cells_cover_the_range_once() {
    for (lower, upper) in [(-3, 4), (0, 1023), (0, 1024), (-5000, 70_000)] {
        let range = Range::new(upper, lower);
        assert!(range.cells <= CELLS_MAX);
        assert_eq!(range.cell(lower - 1), 0);
        assert_eq!(range.cell(lower), 1);
        assert!((range.cells..=range.cells + 1).contains(&range.cell(upper)) && range.cell(upper) == range.cells);
        for cell in 1..=range.cells {
            assert_eq!(range.cell(range.start(cell)), cell);
            assert_eq!(range.cell(range.start(cell) - 1), cell - 1);
        }
    }
}
