//! Draws that are the same on every machine.

use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

/// A stream of draws.
pub struct Draw {
    random: ChaCha12Rng,
}

impl Draw {
    pub fn seeded(seed: u64) -> Draw {
        Draw { random: ChaCha12Rng::seed_from_u64(seed) }
    }

    /// Uniform on [0, 1), a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        self.random.random()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// One of the values, with these probabilities; the last takes what is left.
    pub fn pick<T: Copy, const N: usize>(&mut self, values: [(T, f64); N]) -> T {
        let mut left = self.uniform();
        let mut picked = values[0].0;
        for (value, probability) in values {
            picked = value;
            if left < probability {
                break;
            }
            left -= probability;
        }
        picked
    }

    /// Normal (Box and Muller 1958, Annals of Mathematical Statistics 29), always two uniforms.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        let angle = 2.0 * std::f64::consts::PI * v;
        mean + deviation * libm::sqrt(-2.0 * libm::log(u)) * libm::cos(angle)
    }

    /// Poisson by inversion, one uniform; at most 20.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let mut left = self.uniform();
        let (mut count, mut probability) = (0, libm::exp(-mean));
        while left >= probability && count < 20 {
            left -= probability;
            count += 1;
            probability *= mean / f64::from(count);
        }
        count
    }

    /// Six digits: one of six of the region, or one nobody else has, for one row in fifty.
    pub fn postcode(&mut self, region: u32, row: u64, singled_out: bool) -> u64 {
        let common = self.pick([(0, 0.3), (1, 0.2), (2, 0.2), (3, 0.1), (4, 0.1), (5, 0.1)]);
        let rare = self.chance(0.02);
        match rare && singled_out {
            true => own_postcode(row),
            false => u64::from(101_000 + region * 100_000 + common * 7),
        }
    }
}

/// Different for different rows: multiplication by a unit modulo a prime, then further digits.
fn own_postcode(row: u64) -> u64 {
    const PRIME: u64 = 399_989;
    600_000 + row % PRIME * 7_919 % PRIME + row / PRIME * 1_000_000
}

/// Standard logistic distribution function.
pub fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_postcodes_are_nobody_elses() {
        let codes: std::collections::BTreeSet<u64> = (1..500_000).map(own_postcode).collect();
        assert_eq!(codes.len(), 499_999);
    }

    #[test]
    fn draws_have_their_moments() {
        let mut draw = Draw::seeded(1);
        let n = 20_000;
        let normals: Vec<f64> = (0..n).map(|_| draw.normal(3.0, 2.0)).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let variance = normals.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
        let count = (0..n).map(|_| f64::from(draw.poisson(0.4))).sum::<f64>() / f64::from(n);
        let picked = (0..n).filter(|_| draw.pick([("a", 0.3), ("b", 0.7)]) == "a").count() as f64 / f64::from(n);
        // Four standard errors.
        assert!((mean - 3.0).abs() < 0.057 && (variance - 4.0).abs() < 0.16, "{mean} {variance}");
        assert!((count - 0.4).abs() < 0.018 && (picked - 0.3).abs() < 0.013, "{count} {picked}");
    }
}
