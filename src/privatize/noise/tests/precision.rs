//! Why noise is integer: noise in floating point, added to a count, tells the count.
//!
//! Mironov (2012), *On Significance of the Least Significant Bits for Differential Privacy*; Haney, Desfontaines, Hartman, Shrestha and Hay
//! (2022), *Precision-based attacks and interval refining*. Within (-1/2, 1/2) the sum 1 + x is a multiple of 2^-53, because x lies in
//! (-3/2, -1/2), where floating-point numbers are; 0 + x is x, and most small x are no such multiple. Seeing one proves the count is 0.

use rand::rngs::ChaCha20Rng;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::{random, scale};
use crate::privatize::noise::{discrete_gaussian, discrete_laplace};

const DRAWS: usize = 100_000;

/// True for a release that a count of 1 cannot have.
fn proves_zero(released: f64) -> bool {
    let steps = released * 2f64.powi(53);
    released.abs() < 0.5 && steps != libm::trunc(steps)
}

/// Releases that prove the count is 0, of counts 0 and 1.
fn proofs(seed: u64, mut noise: impl FnMut(&mut ChaCha20Rng) -> f64) -> [usize; 2] {
    let mut random = random(seed);
    [0.0, 1.0].map(|count| (0..DRAWS).filter(|_| proves_zero(count + noise(&mut random))).count())
}

fn exponential(random: &mut ChaCha20Rng) -> f64 {
    Exp1.sample(random)
}

fn signed(random: &mut ChaCha20Rng) -> f64 {
    let size = exponential(random);
    if random.next_u64() & 1 == 0 { size } else { -size }
}

fn difference(random: &mut ChaCha20Rng) -> f64 {
    exponential(random) - exponential(random)
}

fn normal(random: &mut ChaCha20Rng) -> f64 {
    StandardNormal.sample(random)
}

fn inverse(random: &mut ChaCha20Rng) -> f64 {
    let uniform = random.random::<f64>() - 0.5;
    -uniform.signum() * libm::log(1.0 - 2.0 * uniform.abs())
}

#[test]
fn noise_in_floating_point_tells_the_count() {
    let laws: [fn(&mut ChaCha20Rng) -> f64; 4] = [signed, difference, normal, inverse];
    for (seed, noise) in laws.into_iter().enumerate() {
        let [zero, one] = proofs(seed as u64, noise);
        // Measured shares are 27.1, 13.7, 25.8 and 27.2 per cent: below 10 per cent they would be thirty deviations off.
        assert!(zero > DRAWS / 10, "law {seed}: {zero} of {DRAWS}");
        assert_eq!(one, 0, "law {seed}");
    }
}

#[test]
fn integer_noise_does_not() {
    let one = scale(1, 1);
    assert_eq!(proofs(0, |random| discrete_laplace(random, &one) as f64), [0, 0]);
    assert_eq!(proofs(1, |random| discrete_gaussian(random, &one) as f64), [0, 0]);
    // Every release of one count is a release of the other: the values seen are the same integers.
    let mut random = random(2);
    let seen = [0i128, 1].map(|count| {
        let mut seen = [false; 9];
        for _ in 0..DRAWS {
            if let Some(seen) =
                usize::try_from(count + discrete_laplace(&mut random, &one) + 4).ok().and_then(|at| seen.get_mut(at))
            {
                *seen = true;
            }
        }
        seen
    });
    assert_eq!(seen, [[true; 9]; 2]);
}
