//! The gap between the highest and the lowest of several shares: whether it is more than chance makes, and how far apart the shares are
//! without what chance adds.
//!
//! The gap is never below zero and grows with the number of cohorts though all be equal. Two figures of the same counts do not:
//!
//! - a permutation test: with the rows dealt anew to cohorts of the same sizes, how often is the gap at least as large? The counts of such a
//!   dealing are drawn from the multivariate hypergeometric distribution, one cohort after another; no row is touched. p = (b + 1) / (B + 1)
//!   for b of B dealings (Phipson and Smyth 2010), which is never too small.
//! - the standard deviation between cohorts less sampling: S^2 = sum (p_j - mean p)^2 / (k - 1) has the expected value sigma^2 + mean v_j, with
//!   v_j = p_j (1 - p_j) / (n_j - 1) the estimated variance of sampling, so sigma^2 is estimated by S^2 - mean v_j, not below 0 (Lum, Zhang and
//!   Bower 2022, De-biasing "bias" measurement). Its interval inverts Q(t) = sum w_j (p_j - weighted mean)^2, w_j = 1 / (v_j + t), whose
//!   distribution at t = sigma^2 is chi-squared with k - 1 degrees of freedom (Q-profile; Viechtbauer 2007, Statistics in Medicine 26). The upper
//!   end is at least the mean error of sampling: a smaller spread cannot be told from none.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Hypergeometric};

use super::equality::{Counts, chi_squared_p};
use super::probability::ln_hypergeometric;

/// Greatest share minus least; none for fewer than two cohorts with rows.
pub fn gap(cohorts: &[Counts]) -> Option<f64> {
    let shares = cohorts.iter().filter(|(_, n)| *n > 0).map(|(x, n)| *x as f64 / *n as f64);
    let (count, least, most) = shares
        .fold((0, f64::INFINITY, f64::NEG_INFINITY), |(count, least, most), p| (count + 1, p.min(least), p.max(most)));
    (count > 1).then_some(most - least)
}

/// p of the gap by so many dealings. None for fewer than two cohorts with rows, or a count that is none.
pub fn permutation_p(cohorts: &[Counts], draws: u32, random: &mut impl Rng) -> Option<f64> {
    if cohorts.iter().any(|(x, n)| *x < 0 || x > n) {
        return None;
    }
    let observed = gap(cohorts)?;
    let sum = |of: fn(&Counts) -> i64| cohorts.iter().map(of).try_fold(0u64, |sum, n| sum.checked_add(n as u64));
    let (marked, total) = (sum(|(x, _)| *x)?, sum(|(_, n)| *n)?);
    let mut beyond = 0u32;
    let mut dealt = cohorts.to_vec();
    for _ in 0..draws {
        let (mut left, mut rows) = (marked, total);
        for (x, n) in &mut dealt {
            let drawn = draw((rows, left, *n as u64), random);
            *x = drawn as i64;
            (left, rows) = (left - drawn, rows - *n as u64);
        }
        beyond += u32::from(gap(&dealt).is_some_and(|gap| gap >= observed - 1e-12));
    }
    Some(f64::from(beyond + 1) / f64::from(draws + 1))
}

/// Below this mode a hypergeometric number is found by adding up probabilities from zero.
const MODE_MIN: f64 = 10.0;

/// Marked rows among `drawn` out of `total`, of which `marked` are marked.
fn draw((total, marked, drawn): (u64, u64, u64), random: &mut impl Rng) -> u64 {
    // The rarer kind in the smaller part; the others follow.
    let (rare, few) = (marked.min(total - marked), drawn.min(total - drawn));
    let mode = ((rare + 1) as f64 * (few + 1) as f64 / (total + 2) as f64).floor();
    if mode >= MODE_MIN
        && let Ok(distribution) = Hypergeometric::new(total, marked, drawn)
    {
        let least = (marked + drawn).saturating_sub(total);
        return distribution.sample(random).clamp(least, marked.min(drawn));
    }
    let x = added_up((total as f64, rare as f64, few as f64), random.random()) as u64;
    let of_rare = if drawn == few { x } else { rare - x };
    if rare == marked { of_rare } else { drawn - of_rare }
}

fn added_up((total, rare, few): (f64, f64, f64), u: f64) -> f64 {
    let (mut x, most) = (0.0, rare.min(few));
    let mut term = if most > 0.0 { ln_hypergeometric(0.0, rare, few, total).exp() } else { 1.0 };
    let mut sum = term;
    while sum < u && x < most && term > 0.0 {
        term *= (rare - x) * (few - x) / ((x + 1.0) * (total - rare - few + x + 1.0));
        sum += term;
        x += 1.0;
    }
    x
}

/// The standard deviation of shares between cohorts, less sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Between {
    pub deviation: f64,
    pub lower: f64,
    pub upper: f64,
    /// Estimated variance between cohorts before it is cut at 0: its expected value is the true one.
    pub variance: f64,
}

/// From cohorts of at least two rows each; none for fewer than two of them.
pub fn between(cohorts: &[Counts], confidence: f64) -> Option<Between> {
    let cohorts: Vec<(f64, f64)> =
        cohorts.iter().filter(|(_, n)| *n > 1).map(|(x, n)| (*x as f64 / *n as f64, *n as f64)).collect();
    if cohorts.len() < 2 {
        return None;
    }
    let k = cohorts.len() as f64;
    let mean = cohorts.iter().map(|(p, _)| p).sum::<f64>() / k;
    let spread = cohorts.iter().map(|(p, _)| (p - mean).powi(2)).sum::<f64>() / (k - 1.0);
    let sampling = cohorts.iter().map(|(p, n)| p * (1.0 - p) / (n - 1.0)).sum::<f64>() / k;
    let variance = spread - sampling;
    // A share of 0 or 1 has no estimated variance; half a success and half a failure are added for the weights.
    let known: Vec<(f64, f64)> = cohorts
        .iter()
        .map(|(p, n)| {
            let q = (p * n + 0.5) / (n + 1.0);
            (*p, q * (1.0 - q) / n)
        })
        .collect();
    let df = cohorts.len() as u32 - 1;
    let tail = 0.5 * (1.0 - confidence);
    let lower = variance_at(&known, df, tail).max(0.0).sqrt();
    let floor = (known.iter().map(|(_, v)| v).sum::<f64>() / k).sqrt();
    let upper = variance_at(&known, df, 1.0 - tail).max(0.0).sqrt().max(floor);
    let deviation = variance.max(0.0).sqrt();
    // Shares are within 0 and 1, so their deviation is at most one half.
    Some(Between { deviation, lower: lower.min(deviation), upper: upper.min(0.5).max(deviation), variance })
}

/// The variance between cohorts at which Q leaves this probability beyond it; 0 when it leaves more at 0.
fn variance_at(cohorts: &[(f64, f64)], df: u32, beyond: f64) -> f64 {
    let p = |t: f64| {
        let weights = cohorts.iter().map(|(_, v)| 1.0 / (v + t));
        let (sum, all) = cohorts.iter().zip(weights.clone()).fold((0.0, 0.0), |(s, w), ((p, _), x)| (s + x * p, w + x));
        let centre = sum / all;
        chi_squared_p(cohorts.iter().zip(weights).map(|((p, _), w)| w * (p - centre).powi(2)).sum(), df)
    };
    if p(0.0) >= beyond {
        return 0.0;
    }
    // Q falls as the variance grows, so p rises. Shares differ by at most 1; a thousand is beyond every end.
    let (mut low, mut high) = (0.0, 1000.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if p(middle) < beyond { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use rand_distr::Binomial;

    use super::*;

    /// 2 of 4, 0 of 4: of the 70 dealings of two marked among eight, both in one cohort 6 + 6 of 28 pairs: p = 12/28.
    #[test]
    fn a_gap_by_hand() {
        let cohorts = [(2, 4), (0, 4)];
        assert_eq!(gap(&cohorts), Some(0.5));
        assert_eq!(gap(&[(1, 2), (0, 0)]), None);
        let p = permutation_p(&cohorts, 20_000, &mut StdRng::seed_from_u64(1)).unwrap();
        // Standard error 0.0035: five of them.
        assert!((p - 12.0 / 28.0).abs() < 0.0175, "{p}");
        assert_eq!(permutation_p(&[(0, 4), (0, 5)], 99, &mut StdRng::seed_from_u64(1)), Some(1.0));
        assert_eq!(permutation_p(&[(3, 2), (0, 5)], 99, &mut StdRng::seed_from_u64(1)), None);
        assert_eq!(permutation_p(&[(3, 3)], 99, &mut StdRng::seed_from_u64(1)), None);
    }

    /// Draws have the mean and variance of the distribution, by either way and with the kinds and parts exchanged.
    #[test]
    fn hypergeometric_draws() {
        let mut random = StdRng::seed_from_u64(2);
        for (total, marked, drawn) in
            [(50, 5, 20), (50, 45, 20), (50, 5, 40), (50, 45, 40), (100_000, 30, 900), (5000, 2000, 700)]
        {
            let runs = 20_000;
            let draws: Vec<f64> = (0..runs).map(|_| draw((total, marked, drawn), &mut random) as f64).collect();
            let (n, k, m) = (total as f64, marked as f64, drawn as f64);
            let (mean, variance) = (m * k / n, m * k / n * (1.0 - k / n) * (n - m) / (n - 1.0));
            let found = draws.iter().sum::<f64>() / runs as f64;
            let spread = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / runs as f64;
            assert!(
                (found - mean).abs() < 5.5 * (variance / runs as f64).sqrt(),
                "{total} {marked} {drawn}: {found}, not {mean}"
            );
            assert!((spread / variance - 1.0).abs() < 0.08, "{total} {marked} {drawn}: {spread}, not {variance}");
        }
    }

    /// Two cohorts, 3 of 10 and 7 of 10: S^2 = 0.08, v = 0.21/9, so sigma^2 = 0.08 - 0.02333.
    #[test]
    fn the_spread_between_by_hand() {
        let found = between(&[(3, 10), (7, 10)], 0.95).unwrap();
        assert!((found.variance - (0.08 - 0.21 / 9.0)).abs() < 1e-14);
        assert!((found.deviation - found.variance.sqrt()).abs() < 1e-14);
        assert_eq!(between(&[(5, 10), (5, 10)], 0.95).unwrap().deviation, 0.0);
        assert_eq!(between(&[(5, 10), (1, 1)], 0.95), None);
        let none = between(&[(0, 30), (0, 30)], 0.95).unwrap();
        assert!(none.deviation == 0.0 && none.lower == 0.0 && none.upper > 0.0);
    }

    /// Equal cohorts: p at or below u has a chance of at most u; the corrected variance is 0 on average; its interval holds 0. Unequal: the
    /// corrected variance is the true one on average. 4 standard errors of the simulation are allowed.
    #[test]
    fn equal_cohorts_have_uniform_p_and_no_spread() {
        let mut random = StdRng::seed_from_u64(3);
        for (sizes, rates) in [
            (vec![60i64; 3], vec![0.3; 3]),
            (vec![40, 200, 90, 60, 300], vec![0.5; 5]),
            (vec![100; 3], vec![0.3, 0.4, 0.6]),
        ] {
            let k = rates.len() as f64;
            let mean = rates.iter().sum::<f64>() / k;
            let truth = rates.iter().map(|p: &f64| (p - mean).powi(2)).sum::<f64>() / (k - 1.0);
            let runs = 1000;
            let (mut low, mut half, mut sum, mut squares, mut covered) = (0, 0, 0.0, 0.0, 0);
            for _ in 0..runs {
                let draw = |(n, p): (&i64, &f64), random: &mut StdRng| {
                    (Binomial::new(*n as u64, *p).unwrap().sample(random) as i64, *n)
                };
                let cohorts: Vec<Counts> = sizes.iter().zip(&rates).map(|pair| draw(pair, &mut random)).collect();
                let p = permutation_p(&cohorts, 199, &mut random).unwrap();
                (low, half) = (low + i32::from(p <= 0.05), half + i32::from(p <= 0.5));
                let found = between(&cohorts, 0.95).unwrap();
                (sum, squares) = (sum + found.variance, squares + found.variance * found.variance);
                covered += i32::from(found.lower * found.lower <= truth && truth <= found.upper * found.upper);
            }
            let runs = f64::from(runs);
            let average = sum / runs;
            let error = ((squares / runs - average * average) / runs).sqrt();
            assert!((average - truth).abs() < 4.0 * error, "{average} +- {error}, not {truth}");
            assert!(f64::from(covered) >= 0.935 * runs, "{covered}");
            match truth > 0.0 {
                false => assert!(low <= 78 && half <= 563, "{low} and {half}"),
                true => assert!(low > 900, "{low}"),
            }
        }
    }
}
