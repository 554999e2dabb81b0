//! Trials decided by integers: uniform below a bound, with a rational chance, and with the chance exp(-x) of a rational x.
//!
//! The exponential trial is algorithm 1 of Canonne, Kamath and Steinke (2020): for x <= 1 count trials of chance x / k, k = 1, 2, ..., until
//! one fails; the count of the failing one is odd with chance exp(-x). The chance x / k is two trials, x and 1 / k, so that no product
//! can overflow. Functions for integers of any size take the same decisions from the same random words as those for 128 bits.

use num_bigint::BigUint;
use rand::Rng;

/// Uniform on 0, ..., bound - 1; zero for a bound of zero. Draws again instead of folding, so that no value is more likely.
pub fn below(random: &mut impl Rng, bound: u128) -> u128 {
    if let Ok(bound) = u64::try_from(bound) {
        return u128::from(below_word(random, bound));
    }
    let unused = (bound - 1).leading_zeros();
    loop {
        let low = u128::from(random.next_u64());
        let drawn = (u128::from(random.next_u64()) << 64 | low) << unused >> unused;
        if drawn < bound {
            return drawn;
        }
    }
}

/// True with chance numerator / denominator, and always when that is 1 or more.
pub fn bernoulli(random: &mut impl Rng, numerator: u128, denominator: u128) -> bool {
    numerator >= denominator || below(random, denominator) < numerator
}

/// True with chance exp(-numerator / denominator).
pub fn bernoulli_exp(random: &mut impl Rng, mut numerator: u128, denominator: u128) -> bool {
    while numerator > denominator {
        if !alternating(random, |_| true) {
            return false;
        }
        numerator -= denominator;
    }
    alternating(random, |random| bernoulli(random, numerator, denominator))
}

/// [`bernoulli_exp`] for a fraction of any size.
pub fn bernoulli_exp_wide(random: &mut impl Rng, mut numerator: BigUint, denominator: &BigUint) -> bool {
    while numerator > *denominator {
        if !alternating(random, |_| true) {
            return false;
        }
        numerator -= denominator;
    }
    alternating(random, |random| numerator >= *denominator || below_wide(random, denominator) < numerator)
}

/// True with chance exp(-x), where `trial` is true with chance x <= 1.
fn alternating<R: Rng>(random: &mut R, mut trial: impl FnMut(&mut R) -> bool) -> bool {
    let mut k: u64 = 1;
    while (k == 1 || below_word(random, k) == 0) && trial(random) {
        k += 1;
    }
    k % 2 == 1
}

/// Lemire (2019), *Fast Random Integer Generation in an Interval*: the upper word of a product; draws again in the part that is not whole.
fn below_word(random: &mut impl Rng, bound: u64) -> u64 {
    let mut product = u128::from(random.next_u64()) * u128::from(bound);
    if (product as u64) < bound {
        let uneven = bound.wrapping_neg() % bound;
        while (product as u64) < uneven {
            product = u128::from(random.next_u64()) * u128::from(bound);
        }
    }
    (product >> 64) as u64
}

pub fn below_wide(random: &mut impl Rng, bound: &BigUint) -> BigUint {
    if let Ok(bound) = u128::try_from(bound) {
        return BigUint::from(below(random, bound));
    }
    let bits = (bound - 1u32).bits();
    loop {
        let words = (0..bits.div_ceil(32)).map(|_| random.next_u32());
        let drawn = BigUint::new(words.collect()) >> (bits.next_multiple_of(32) - bits);
        if drawn < *bound {
            return drawn;
        }
    }
}
