//! What costs add up to, and what noise a cost buys: zero-concentrated and pure differential privacy, converted both ways.
//!
//! - rho and a share delta give epsilon = min over a > 1 of a rho + ln(1 / (a delta)) / (a - 1) + ln(1 - 1/a), never below 0
//!   (Canonne, Kamath and Steinke 2020, proposition 12).
//! - pure epsilon gives rho = epsilon tanh(epsilon / 2) (Bun and Steinke 2016, proposition 3.3, in its closed form).
//! - Gaussian noise of deviation sigma on sensitivity D is (epsilon, delta)-private when, with m = D / sigma,
//!   Phi(m/2 - epsilon/m) - e^epsilon Phi(-m/2 - epsilon/m) <= delta (Balle and Wang 2018, theorem 8).
//!
//! Every result is rounded to the safe side by a stated multiple of the unit roundoff. Logarithms and exponentials are those of `libm`: the
//! same on every machine.

use super::{Charge, UNITS};

/// Unit roundoff times two.
const EPS: f64 = f64::EPSILON;

/// Relative error allowed to each of the three terms of the conversion: eight roundings of two units each.
const CONVERSION_SLACK: f64 = 16.0 * EPS;

/// The least epsilon that a cost of `rho` has at `delta`, rounded up: the sum of the sizes of its terms times 16 units of roundoff is added.
/// Any a > 1 gives a valid epsilon, so a search that stops early costs tightness and not validity. Infinite without a delta, or when an
/// argument is no cost; 0 when delta is 1 or more.
pub fn epsilon_of(rho: f64, delta: f64) -> f64 {
    if rho == 0.0 && delta >= 0.0 || delta >= 1.0 && rho >= 0.0 {
        return 0.0;
    }
    let costs = rho > 0.0 && rho.is_finite() && delta > 0.0;
    if !costs {
        return f64::INFINITY;
    }
    let l = -libm::log(delta);
    let t = best(rho, l);
    let terms = [(1.0 + t) * rho, (l - libm::log1p(t)) / t, -libm::log1p(1.0 / t)];
    let sizes = terms[0] + (l + libm::log1p(t)) / t - terms[2];
    (terms.iter().sum::<f64>() + CONVERSION_SLACK * sizes).max(0.0)
}

/// The t = a - 1 at which the conversion is least. Its derivative is rho - (l - ln(1 + t)) / t^2, so t is the one root of
/// rho t^2 + ln(1 + t) = l, which grows with t. Halving an interval of ln t 64 times leaves less than 2^-53 of it.
fn best(rho: f64, l: f64) -> f64 {
    let above = |t: f64| rho * t * t + libm::log1p(t) > l;
    let (mut low, mut high) = (-700.0, 700.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        match above(libm::exp(middle)) {
            true => high = middle,
            false => low = middle,
        }
    }
    libm::exp(low)
}

/// The greatest rho whose epsilon at `delta` is at most `epsilon`, rounded down: what [`epsilon_of`] accepts. 0 when nothing is left.
pub fn rho_of(epsilon: f64, delta: f64) -> f64 {
    let affords = |rho: f64| epsilon_of(rho, delta) <= epsilon;
    if !(epsilon >= 0.0 && delta > 0.0 && delta < 1.0 && epsilon.is_finite()) {
        return 0.0;
    }
    let mut beyond = epsilon.max(1.0);
    while affords(beyond) {
        beyond *= 2.0;
    }
    // The bits of positive numbers are in the order of the numbers.
    let (mut low, mut high) = (0, beyond.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match affords(f64::from_bits(middle)) {
            true => low = middle,
            false => high = middle,
        }
    }
    f64::from_bits(low)
}

/// The rho of pure `epsilon`: epsilon tanh(epsilon / 2), rounded up by four units of roundoff.
pub fn rho_of_pure(epsilon: f64) -> f64 {
    epsilon * libm::tanh(0.5 * epsilon) * (1.0 + 4.0 * EPS)
}

/// The textbook epsilon of `rho` at `delta`, rho + 2 sqrt(rho ln(1 / delta)) (Bun and Steinke 2016, proposition 1.3). For comparison in
/// print; nothing is charged by it.
pub fn loose_epsilon_of(rho: f64, delta: f64) -> f64 {
    rho + 2.0 * libm::sqrt(-rho * libm::log(delta))
}

/// The least deviation of Gaussian noise that makes `sensitivity` (epsilon, delta)-private, rounded up. Infinite where there is none.
pub fn gaussian_sigma(epsilon: f64, delta: f64, sensitivity: f64) -> f64 {
    if delta >= 1.0 || sensitivity == 0.0 {
        return 0.0;
    }
    let within = |m: f64| gaussian_delta(epsilon, m) <= delta;
    let (mut low, mut high) = (1e-100f64.to_bits(), 1e100f64.to_bits());
    if !(epsilon >= 0.0 && delta > 0.0 && sensitivity > 0.0 && within(f64::from_bits(low))) {
        return f64::INFINITY;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match within(f64::from_bits(middle)) {
            true => low = middle,
            false => high = middle,
        }
    }
    sensitivity / f64::from_bits(low) * (1.0 + 4.0 * EPS)
}

/// Relative error allowed to a scaled error function.
const TAIL_SLACK: f64 = 64.0 * EPS;

/// The delta of Gaussian noise at `epsilon`, rounded up; `m` is sensitivity over deviation. With x = m/2 - epsilon/m and
/// y = m/2 + epsilon/m, e^epsilon Phi(-y) = exp(-x^2/2) erfcx(y / sqrt 2) / 2: no power of e overflows.
pub(super) fn gaussian_delta(epsilon: f64, m: f64) -> f64 {
    let (x, y) = (0.5 * m - epsilon / m, 0.5 * m + epsilon / m);
    let weight = 0.5 * libm::exp(-0.5 * x * x);
    let root = std::f64::consts::FRAC_1_SQRT_2;
    let (more, less) = (1.0 + TAIL_SLACK, 1.0 - TAIL_SLACK);
    if x > 0.0 {
        return 0.5 * libm::erfc(-x * root) * more - weight * erfcx(y * root) * less;
    }
    let rounding = 1.0 + 8.0 * EPS * (1.0 + y * y);
    weight * rounding * (erfcx(-x * root) * more - erfcx(y * root) * less)
}

/// exp(z^2) erfc(z) for z >= 0. From 5 on by the continued fraction of Laplace: 1 / (z + (1/2) / (z + (2/2) / (z + (3/2) / ...))) over
/// the root of pi.
fn erfcx(z: f64) -> f64 {
    if z < 5.0 {
        return libm::exp(z * z) * libm::erfc(z);
    }
    let tail = (1..=60).rev().fold(z, |tail, k| z + 0.5 * f64::from(k) / tail);
    0.5 * std::f64::consts::FRAC_2_SQRT_PI / tail
}

/// Units of 10^-12 that are at least this much. None when it is no cost or more than an integer of the store holds.
pub fn units_up(cost: f64) -> Option<u64> {
    units(cost).map(|(units, below)| units + u64::from(below)).filter(|units| *units <= UNITS_MAX)
}

/// Units of 10^-12 that are at most this much. None when it is no cost or more than an integer of the store holds.
pub fn units_down(cost: f64) -> Option<u64> {
    units(cost).map(|(units, _)| units)
}

/// Greatest number of units that the ledger keeps: its integers are signed.
pub const UNITS_MAX: u64 = i64::MAX as u64;

/// Whole units, and whether something is left over. A product within its own rounding of an integer is that integer: 0.3 is 3 10^11 units.
fn units(cost: f64) -> Option<(u64, bool)> {
    let scaled = cost * UNITS as f64;
    if !(0.0..UNITS_MAX as f64).contains(&scaled) {
        return None;
    }
    let nearest = libm::round(scaled);
    if (scaled - nearest).abs() <= 2.0 * EPS * scaled {
        return Some((nearest as u64, false));
    }
    Some((libm::floor(scaled) as u64, true))
}

/// So many units as a number, of at most one rounding.
pub fn amount(units: u64) -> f64 {
    units as f64 / UNITS as f64
}

/// So many units as a decimal number, exactly.
pub fn written(units: u64) -> String {
    let text = format!("{}.{:012}", units / UNITS, units % UNITS);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A number of units, at least as great: two roundings are made good.
fn amount_up(units: u64) -> f64 {
    amount(units) * (1.0 + 2.0 * EPS)
}

impl Charge {
    /// The cost of a pure release of so many units of epsilon.
    pub fn pure(epsilon_units: u64) -> Charge {
        let rho = units_up(rho_of_pure(amount_up(epsilon_units))).unwrap_or(u64::MAX);
        Charge { rho, delta: 0, epsilon: Some(epsilon_units) }
    }

    /// The cost of a release of so many units of rho.
    pub fn concentrated(rho_units: u64) -> Charge {
        match rho_units {
            0 => Charge::FREE,
            rho => Charge { rho, delta: 0, epsilon: None },
        }
    }

    /// The least epsilon, in units rounded up, that can be claimed when so many units of delta may be left out of the claim. None when
    /// no epsilon can be.
    pub fn epsilon_within(self, delta: u64) -> Option<u64> {
        let rest = delta.checked_sub(self.delta)?;
        let concentrated = match self.rho {
            u64::MAX => None,
            rho => units_up(epsilon_of(amount_up(rho), amount(rest) * (1.0 - 2.0 * EPS))),
        };
        let pure = self.epsilon.filter(|epsilon| *epsilon <= UNITS_MAX);
        concentrated.into_iter().chain(pure).min()
    }
}

#[cfg(test)]
mod tests;
