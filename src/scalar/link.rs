//! The logistic link in integers: one published table, the same bits on every machine.
//!
//! The argument is an integer in units of 2^-bits. The function is tabulated at the multiples of 2^-10 on [-32, 32] in units of 2^-40 and
//! interpolated linearly in integers, rounding down. Beyond the ends it is constant (sigmoid) or continues with slope 0 or 1 (softplus).
//! Error of the sigmoid: h^2/8 max|f''| = (2^-10)^2 / 8 x 0.0962 = 1.2e-8, of softplus (2^-10)^2 / 8 x 0.25 = 3.0e-8, and 2^-39 of rounding.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Values are in units of 2^-40.
pub const VALUE_BITS: u32 = 40;
const STEP_BITS: u32 = 10;
const END: i64 = 32;
const KNOTS: usize = (2 * END as usize) << STEP_BITS;

/// Stated bound of the error of [`Link::Sigmoid`] and [`Link::Softplus`].
pub const ERROR_MAX: f64 = 3.2e-8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// 1 / (1 + exp(-eta))
    Sigmoid,
    /// ln(1 + exp(eta)): the log loss of label 0; that of label 1 is softplus(-eta).
    Softplus,
}

static SIGMOID: LazyLock<Vec<i64>> = LazyLock::new(|| table(|x| 1.0 / (1.0 + libm::exp(-x))));
static SOFTPLUS: LazyLock<Vec<i64>> =
    LazyLock::new(|| table(|x| if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }));

fn table(of: impl Fn(f64) -> f64) -> Vec<i64> {
    let x = |i: usize| i as f64 / f64::from(1 << STEP_BITS) - END as f64;
    (0..=KNOTS).map(|i| libm::round(of(x(i)) * (1u64 << VALUE_BITS) as f64) as i64).collect()
}

impl Link {
    /// The value in units of 2^-40 of an argument in units of 2^-bits, 10 <= bits <= 52, |argument| < 2^53.
    pub fn units(self, argument: i64, bits: u32) -> i64 {
        let table: &[i64] = match self {
            Link::Sigmoid => &SIGMOID,
            Link::Softplus => &SOFTPLUS,
        };
        let end = END << bits;
        if argument <= -end {
            return table[0];
        }
        if argument >= end {
            let beyond = i128::from(argument - end) << VALUE_BITS >> bits;
            return table[KNOTS] + if self == Link::Softplus { beyond as i64 } else { 0 };
        }
        let (fine, from_start) = (bits - STEP_BITS, argument + end);
        let (knot, rest) = ((from_start >> fine) as usize, from_start & ((1 << fine) - 1));
        let rise = i128::from(table[knot + 1] - table[knot]);
        table[knot] + ((rise * i128::from(rest)) >> fine) as i64
    }

    /// The value of an integer argument held in a double.
    pub fn value(self, argument: f64, bits: u32) -> f64 {
        self.units(argument as i64, bits) as f64 / (1u64 << VALUE_BITS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_error_holds_and_the_sigmoid_never_falls() {
        let bits = 44;
        let (mut worst, mut last) = (0.0f64, 0);
        for i in -700_000..=700_000i64 {
            let argument = i * ((1 << bits) / 20_000) + i % 977;
            let x = argument as f64 / (1u64 << bits) as f64;
            let exact = 1.0 / (1.0 + (-x).exp());
            let units = Link::Sigmoid.units(argument, bits);
            worst = worst.max((Link::Sigmoid.value(argument as f64, bits) - exact).abs());
            let softplus = x.max(0.0) + (-x.abs()).exp().ln_1p();
            worst = worst.max((Link::Softplus.value(argument as f64, bits) - softplus).abs());
            assert!(units >= last || i % 977 == 0, "{x}");
            last = units;
        }
        assert!(worst < ERROR_MAX, "{worst}");
        assert!(worst > 1e-9, "the test sees the interpolation");
    }
}
