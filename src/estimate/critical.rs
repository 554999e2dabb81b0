//! Critical values: normal, Student t, studentized range.
//!
//! The last two are found by bisection. They are pure functions asked for the same few arguments again and again, so values found once are
//! kept for the life of the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::erf::erfc;

/// Values found before, by the bits of the confidence and of the other argument.
type Found = Mutex<BTreeMap<(u64, u64), f64>>;

fn once(found: &Found, confidence: f64, other: u64, find: impl FnOnce() -> f64) -> f64 {
    let key = (confidence.to_bits(), other);
    let known = found.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    known.unwrap_or_else(|| {
        let value = find();
        found.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
        value
    })
}

/// Two-sided normal quantile: P(|Z| <= z) = confidence.
pub fn normal(confidence: f64) -> f64 {
    let tail = (1.0 - confidence) / 2.0;
    -Normal::standard().inverse_cdf(tail)
}

/// Two-sided Student t quantile with df degrees of freedom.
pub fn student(confidence: f64, df: f64) -> f64 {
    static FOUND: Found = Mutex::new(BTreeMap::new());
    once(&FOUND, confidence, df.to_bits(), || find_student(confidence, df))
}

/// P(|T| >= |t|) of a Student t with df degrees of freedom.
pub fn student_p_two_sided(t: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df.max(1.0)).map_or(1.0, |distribution| (2.0 * distribution.sf(t.abs())).min(1.0))
}

fn find_student(confidence: f64, df: f64) -> f64 {
    let tail = (1.0 - confidence) / 2.0;
    match StudentsT::new(0.0, 1.0, df.max(1.0)) {
        Ok(t) => {
            let (mut low, mut high) = (0.0, 1.0);
            while t.sf(high) > tail && high < 1e9 {
                high *= 2.0;
            }
            for _ in 0..100 {
                let middle = 0.5 * (low + high);
                if t.sf(middle) > tail { low = middle } else { high = middle }
            }
            0.5 * (low + high)
        }
        Err(_) => normal(confidence),
    }
}

fn phi(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

const STEP: f64 = 0.125;
const NODES: i32 = 72;

/// P(range of k independent standard normals <= q) = k int phi(z) [Phi(z) - Phi(z - q)]^(k-1) dz, by the trapezoid rule, whose error for
/// such integrands is below 1e-12 at this step.
fn range_cdf(q: f64, k: usize) -> f64 {
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let term = |i: i32| {
        let z = f64::from(i) * STEP;
        density(z) * (phi(z) - phi(z - q)).powi(k as i32 - 1)
    };
    (-NODES..=NODES).map(term).sum::<f64>() * STEP * k as f64
}

/// Quantile of the studentized range of k normals with infinite degrees of freedom (Tukey). For k = 2 it is sqrt(2) times the normal quantile.
pub fn studentized_range(confidence: f64, k: usize) -> f64 {
    static FOUND: Found = Mutex::new(BTreeMap::new());
    match k {
        0..=2 => std::f64::consts::SQRT_2 * normal(confidence),
        _ => once(&FOUND, confidence, k as u64, || find_studentized_range(confidence, k)),
    }
}

fn find_studentized_range(confidence: f64, k: usize) -> f64 {
    let tail = (1.0 - confidence) / (k * (k - 1)) as f64;
    let (mut low, mut high) = (
        std::f64::consts::SQRT_2 * normal(confidence),
        -std::f64::consts::SQRT_2 * Normal::standard().inverse_cdf(tail),
    );
    for _ in 0..48 {
        let middle = 0.5 * (low + high);
        if range_cdf(middle, k) < confidence { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of the studentized range: Harter 1960, Annals of Mathematical Statistics 31.
    #[test]
    fn published_quantiles() {
        for (confidence, k, expected) in [
            (0.95, 2, 2.7718),
            (0.95, 3, 3.3145),
            (0.95, 5, 3.8577),
            (0.95, 10, 4.4741),
            (0.99, 3, 4.1203),
            (0.95, 20, 5.0117),
        ] {
            assert!(
                (studentized_range(confidence, k) - expected).abs() < 1e-4,
                "{k}: {}",
                studentized_range(confidence, k)
            );
        }
        assert!((normal(0.95) - 1.959_963_984_540_054).abs() < 1e-13);
        assert!((student(0.95, 199.0) - 1.971_956_544_249_395).abs() < 1e-9, "{}", student(0.95, 199.0));
    }
}
