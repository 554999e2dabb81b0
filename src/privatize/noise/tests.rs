//! Every bound on a statistic of draws is missed with a chance below 1e-8 by a correct sampler; seeds are fixed.

use num_bigint::BigUint;
use proptest::prelude::*;
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::chance::{below, below_wide, bernoulli_exp, bernoulli_exp_wide};
use super::*;

mod precision;

const DRAWS: usize = 1_000_000;

pub(in crate::privatize) fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(in crate::privatize) fn scale(numerator: u128, denominator: u128) -> Scale {
    Scale::new(numerator, denominator).expect("within bounds")
}

/// The goldens; none without the reference data.
pub(in crate::privatize) fn golden(name: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("EVENHAND_REFERENCE_DATA") else {
        println!("EVENHAND_REFERENCE_DATA is not set: a test against {name} was not run");
        return None;
    };
    let text = std::fs::read_to_string(format!("{folder}/golden/privacy.json")).expect("the goldens are there");
    let mut golden: Value = serde_json::from_str(&text).expect("JSON");
    Some(golden[name].take())
}

/// The rows of the table of worked examples under the heading that begins so.
pub(in crate::privatize) fn cases(heading: &str) -> Vec<Vec<&'static str>> {
    let text = include_str!("../../../tests/cases/mechanisms.md");
    let section = text.split("\n## ").find(|section| section.starts_with(heading)).expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<Vec<&str>> =
        rows.skip(1).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert!(!rows.is_empty(), "{heading}");
    rows
}

/// The numbers of a field, separated by spaces.
pub(in crate::privatize) fn numbers(field: &str) -> Vec<f64> {
    field.split(' ').map(|number| number.parse().expect("a number")).collect()
}

/// Equal to a literal of 15 decimals.
pub(in crate::privatize) fn near(found: f64, written: f64) -> bool {
    (found - written).abs() <= 2e-15 + 1e-14 * written.abs()
}

pub(in crate::privatize) fn fraction(field: &str) -> Scale {
    let (numerator, denominator) = field.split_once('/').expect("a fraction");
    scale(numerator.parse().expect("an integer"), denominator.parse().expect("an integer"))
}

/// Masses of 0, 1, 2, ... until what is left is below 1e-18, for unnormalised densities.
pub(in crate::privatize) fn masses(density: impl Fn(f64) -> f64) -> Vec<f64> {
    let densities: Vec<f64> = (0..).map(|x| density(f64::from(x))).take_while(|density| *density > 1e-18).collect();
    let all = 2.0 * densities.iter().sum::<f64>() - densities[0];
    densities.iter().map(|density| density / all).collect()
}

pub(in crate::privatize) fn laplace(scale: f64) -> Vec<f64> {
    masses(|x| libm::exp(-x / scale))
}

pub(in crate::privatize) fn gaussian(sigma: f64) -> Vec<f64> {
    masses(|x| libm::exp(-0.5 * x * x / (sigma * sigma)))
}

/// The chance of a chi-square as large as that of these counts; cells with fewer than 25 expected are put together.
pub(in crate::privatize) fn chance(counts: &[u64], expected: &[f64]) -> f64 {
    let (mut square, mut cells, mut rest) = (0.0, 0, (0.0, 0.0));
    for (count, expected) in counts.iter().zip(expected) {
        if *expected < 25.0 {
            rest = (rest.0 + *count as f64, rest.1 + expected);
        } else {
            square += (*count as f64 - expected).powi(2) / expected;
            cells += 1;
        }
    }
    if rest.1 >= 5.0 {
        square += (rest.0 - rest.1).powi(2) / rest.1;
        cells += 1;
    } else {
        assert!(rest.0 <= 60.0, "{} draws where {} are expected", rest.0, rest.1);
    }
    ChiSquared::new(f64::from(cells - 1)).expect("cells").sf(square)
}

/// The same of draws of a symmetric law with these masses.
fn fit(masses: &[f64], draws: usize, mut draw: impl FnMut() -> i128) -> f64 {
    let middle = masses.len() as i128 - 1;
    let mut counts = vec![0; masses.len() * 2 - 1];
    for _ in 0..draws {
        counts[(draw().clamp(-middle, middle) + middle) as usize] += 1;
    }
    let expected: Vec<f64> = (-middle..=middle).map(|x| masses[x.unsigned_abs() as usize] * draws as f64).collect();
    chance(&counts, &expected)
}

#[test]
fn the_laws_are_those_of_the_goldens() {
    let Some(golden) = golden("discrete_pmf") else { return };
    let mut compared = 0;
    for row in golden["laplace"].as_array().expect("rows") {
        compared += agree(row, &laplace(row["scale"].as_f64().expect("scale")), |n, d| laplace_variance(&scale(n, d)));
    }
    for row in golden["gaussian"].as_array().expect("rows") {
        let sigma = row["scale"].as_f64().expect("scale");
        compared += agree(row, &gaussian(sigma), |n, d| gaussian_variance(&scale(n * n, d * d)));
    }
    assert_eq!(compared, 8 * 9);
}

#[test]
fn variances_by_hand() {
    for row in cases("Variance") {
        let found = laplace_variance(&fraction(row[0]));
        assert!(near(found, numbers(row[2])[0]), "{row:?}: {found}");
    }
}

fn agree(row: &Value, masses: &[f64], variance: impl Fn(u128, u128) -> f64) -> usize {
    let pmf = row["pmf"].as_object().expect("pmf");
    for (x, mass) in pmf {
        let (x, mass): (usize, f64) = (x.parse().expect("x"), mass.as_f64().expect("mass"));
        let ours = masses.get(x).copied().unwrap_or(0.0);
        assert!((ours - mass).abs() <= 1e-13 * mass + 1e-17, "{row}: {x}: {ours}");
    }
    let expected = row["variance"].as_f64().expect("variance");
    let found = variance((row["scale"].as_f64().expect("scale") * 2.0) as u128, 2);
    assert!((found - expected).abs() <= 1e-14 * expected, "{row}: variance {found}");
    pmf.len() + 1
}

#[test]
fn a_million_draws_fit_the_law() {
    for (at, (numerator, denominator)) in [(1, 2), (1, 1), (5, 2), (10, 1), (7, 3)].into_iter().enumerate() {
        let value = numerator as f64 / denominator as f64;
        let mut random = random(at as u64);
        let laplace_scale = scale(numerator, denominator);
        let p = fit(&laplace(value), DRAWS, || discrete_laplace(&mut random, &laplace_scale));
        assert!(p > 1e-9, "laplace {value}: {p}");
        let variance = scale(numerator * numerator, denominator * denominator);
        let p = fit(&gaussian(value), DRAWS, || discrete_gaussian(&mut random, &variance));
        assert!(p > 1e-9, "gaussian {value}: {p}");
    }
}

#[test]
fn a_wrong_law_is_found() {
    let (mut random, wrong) = (random(11), scale(102, 100));
    assert!(fit(&laplace(1.0), DRAWS, || discrete_laplace(&mut random, &wrong)) < 1e-9);
    assert!(fit(&gaussian(1.0), DRAWS, || discrete_gaussian(&mut random, &wrong)) < 1e-9);
    // Zero with two signs.
    let one = scale(1, 1);
    let folded = |random: &mut ChaCha20Rng| {
        let size = geometric(random, &one) as i128;
        if random.next_u64() >> 63 == 1 { -size } else { size }
    };
    assert!(fit(&laplace(1.0), DRAWS, || folded(&mut random)) < 1e-9);
}

#[test]
fn uniform_below_a_bound_has_no_favourites() {
    let mut random = random(5);
    // Bounds just above a power of two: folding would favour the low values; the last is beyond one word.
    for bound in [1, 2, 3, 7, 10, (1 << 63) + (1 << 62), (1 << 64) + (1 << 63), u128::MAX / 3 * 2] {
        let cells = bound.min(12);
        let mut counts = vec![0; cells as usize];
        for _ in 0..200_000 {
            let drawn = below(&mut random, bound);
            assert!(drawn < bound);
            counts[(drawn / bound.div_ceil(cells)) as usize] += 1;
        }
        let width = bound.div_ceil(cells);
        let expected: Vec<f64> =
            (0..cells).map(|cell| (width.min(bound - cell * width)) as f64 / bound as f64 * 200_000.0).collect();
        if cells > 1 {
            let p = chance(&counts, &expected);
            assert!(p > 1e-9, "below {bound}: {p}");
        }
    }
    // Three quarters of 2^200.
    let bound = BigUint::from(3u32) << 198;
    let mut counts = [0; 3];
    for _ in 0..100_000 {
        let cell = below_wide(&mut random, &bound) >> 198;
        counts[usize::try_from(cell).expect("a small number")] += 1;
    }
    assert!(chance(&counts, &[100_000.0 / 3.0; 3]) > 1e-9);
}

#[test]
fn exponential_trials_have_their_chance() {
    let mut random = random(6);
    let trials = 400_000;
    for (numerator, denominator) in
        [(0u128, 1u128), (1, 1_000_000), (1, 3), (1, 1), (5, 2), (9, 1), (u128::MAX, u128::MAX)]
    {
        let expected = libm::exp(-(numerator as f64) / denominator as f64);
        // A common factor of 2^130 leads to integers of any size.
        let wide = [numerator, denominator].map(|part| BigUint::from(part) << 130u32);
        for wide in [None, Some(wide)] {
            let hits = (0..trials)
                .filter(|_| match &wide {
                    None => bernoulli_exp(&mut random, numerator, denominator),
                    Some([numerator, denominator]) => bernoulli_exp_wide(&mut random, numerator.clone(), denominator),
                })
                .count();
            let deviation = (trials as f64 * expected * (1.0 - expected)).sqrt();
            // Six deviations: 2e-9; the last term is for chances of a few hits.
            assert!(
                (hits as f64 - trials as f64 * expected).abs() <= 6.0 * deviation + 12.0,
                "{numerator}/{denominator}: {hits}"
            );
        }
    }
}

/// Draws of the Gaussian with every acceptance decided by integers of any size.
fn gaussian_wide(random: &mut impl Rng, variance: &Scale) -> i128 {
    let t = (variance.numerator / variance.denominator).isqrt() + 1;
    loop {
        let drawn = discrete_laplace(random, &scale(t, 1));
        let (numerator, denominator) = exponent_wide(drawn.unsigned_abs(), t, variance);
        if bernoulli_exp_wide(random, numerator, &denominator) {
            return drawn;
        }
    }
}

#[test]
fn wide_integers_draw_the_same_from_the_same_words() {
    for (numerator, denominator) in [(1, 7), (9, 4), (100, 1), (1_000_003, 999), (1 << 59, 3)] {
        let variance = scale(numerator, denominator);
        let (mut first, mut second) = (random(3), random(3));
        for _ in 0..20_000 {
            assert_eq!(discrete_gaussian(&mut first, &variance), gaussian_wide(&mut second, &variance));
        }
        assert_eq!(first.next_u64(), second.next_u64());
    }
}

#[test]
fn at_the_greatest_sigma_noise_is_exact_and_on_every_integer() {
    let (mut random, draws) = (random(8), 100_000);
    for gaussian in [true, false] {
        let scale = if gaussian { scale(Scale::GREATEST, 1) } else { scale(1 << 60, 1) };
        let (mut mean, mut square, mut fourth, mut low) = (0.0, 0.0, 0.0, [0u64; 16]);
        for _ in 0..draws {
            let drawn =
                if gaussian { discrete_gaussian(&mut random, &scale) } else { discrete_laplace(&mut random, &scale) };
            let x = drawn as f64 / (1u64 << 60) as f64;
            mean += x / draws as f64;
            square += x * x / draws as f64;
            fourth += x.powi(4) / draws as f64;
            low[drawn.rem_euclid(16) as usize] += 1;
        }
        // Variances of x, x^2 and x^4 of the normal law, and of the Laplace law of scale 1.
        let (of_x, of_square, (expected, of_fourth)) =
            if gaussian { (1.0, 2.0, (3.0, 96.0)) } else { (2.0, 20.0, (24.0, 40320.0 - 576.0)) };
        let root = f64::from(draws).sqrt();
        assert!(mean.abs() * root <= 6.0 * f64::sqrt(of_x), "mean {mean}");
        assert!((square - of_x).abs() * root <= 6.0 * f64::sqrt(of_square), "square {square}");
        assert!((fourth - expected).abs() * root <= 8.0 * f64::sqrt(of_fourth), "fourth {fourth}");
        let p = chance(&low, &[f64::from(draws) / 16.0; 16]);
        assert!(p > 1e-9, "the four lowest bits: {low:?}");
    }
}

#[test]
fn scales_are_reduced_and_bounded() {
    assert_eq!(scale(6, 4).to_string(), "3/2");
    assert_eq!((scale(6, 4).numerator(), scale(6, 4).denominator(), scale(6, 4).value()), (3, 2, 1.5));
    assert_eq!(scale(7, 7).to_string(), "1/1");
    for (numerator, denominator) in [(0, 1), (1, 0), (0, 0), (Scale::GREATEST + 1, 1), (u128::MAX, 1)] {
        assert_eq!(Scale::new(numerator, denominator), None);
    }
    assert!(Scale::new(u128::MAX, 256).is_some() && Scale::new(1, u128::MAX).is_some());
}

#[test]
fn variances_at_the_ends() {
    assert_eq!(laplace_variance(&scale(1, u128::MAX)), 0.0);
    assert_eq!(gaussian_variance(&scale(1, u128::MAX)), 0.0);
    // 2 b^2 - 1/6 for large scales.
    let large = laplace_variance(&scale(1 << 30, 1));
    assert!((large / (2f64.powi(61) - 1.0 / 6.0) - 1.0).abs() < 1e-15);
    // On both sides of where the sum ends.
    let below = gaussian_variance(&scale(3_999_999, 1_000_000));
    assert!((below - 3.999999).abs() < 1e-14, "{below}");
}

/// Fractions of every size, extremes included.
fn extreme() -> impl Strategy<Value = u128> {
    prop_oneof![
        (any::<u128>(), 0u32..128).prop_map(|(bits, shift)| bits >> shift),
        Just(u128::MAX),
        Just(1),
        Just(Scale::GREATEST)
    ]
}

proptest! {
    #[test]
    fn no_scale_overflows(numerator in extreme(), denominator in extreme(), seed: u64) {
        let Some(scale) = Scale::new(numerator, denominator) else { return Ok(()) };
        let mut random = random(seed);
        for _ in 0..4 {
            // e^-64 is the chance of a Laplace draw beyond; a Gaussian is further inside.
            let drawn = discrete_laplace(&mut random, &scale);
            prop_assert!(drawn.unsigned_abs() as f64 <= 64.0 * scale.value() + 1.0);
            let drawn = discrete_gaussian(&mut random, &scale);
            prop_assert!(drawn.unsigned_abs() as f64 <= 12.0 * scale.value().sqrt() + 1.0);
        }
        prop_assert!(laplace_variance(&scale).is_finite() && gaussian_variance(&scale).is_finite());
    }
}
