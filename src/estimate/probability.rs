//! Binomial and hypergeometric probabilities as logarithms, accurate in the far tails and for millions of rows.
//!
//! Logarithms of factorials of millions lose eight digits when they are subtracted. The saddle-point form does not subtract them: a binomial
//! probability is its deviance and the errors of Stirling's formula (Loader 2000, "Fast and accurate computation of binomial probabilities").

use std::f64::consts::PI;

/// ln n! - [n ln n - n + ln(2 pi n) / 2], n >= 1. Below 16 from the factorial itself, above by Stirling's series.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n * n.ln() - n + 0.5 * (2.0 * PI * n).ln());
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square) / square)
        / n
}

/// x ln(x / m) + m - x, without loss where x is near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() < 0.1 * (x + m) {
        // With v = (x - m) / (x + m): x ln(x / m) = 2 x (v + v^3/3 + v^5/5 + ...).
        let v = (x - m) / (x + m);
        let mut sum = (x - m) * v;
        let (mut power, mut j) = (2.0 * x * v, 1.0);
        loop {
            power *= v * v;
            let next = sum + power / (2.0 * j + 1.0);
            if next == sum || j > 1000.0 {
                return next;
            }
            (sum, j) = (next, j + 1.0);
        }
    }
    x * (x / m).ln() + m - x
}

/// Logarithm of the probability of x successes in n trials of probability p; q = 1 - p is given for its digits.
pub fn ln_binomial(x: f64, n: f64, (p, q): (f64, f64)) -> f64 {
    if x < 0.0 || x > n {
        return f64::NEG_INFINITY;
    }
    match (p <= 0.0, q <= 0.0) {
        (true, _) => return if x == 0.0 { 0.0 } else { f64::NEG_INFINITY },
        (_, true) => return if x == n { 0.0 } else { f64::NEG_INFINITY },
        _ => {}
    }
    // ln(1 - p) from whichever of the two has the digits.
    let power = |n: f64, p: f64, q: f64| if p < 0.5 { n * libm::log1p(-p) } else { n * q.ln() };
    if x == 0.0 {
        return power(n, p, q);
    }
    if x == n {
        return power(n, q, p);
    }
    let errors = stirling_error(n) - stirling_error(x) - stirling_error(n - x);
    errors - deviance(x, n * p) - deviance(n - x, n * q) + 0.5 * (n / (2.0 * PI * x * (n - x))).ln()
}

/// Probabilities of 0, ..., n successes in n trials of probability p.
pub fn binomial(n: u32, p: f64) -> Vec<f64> {
    (0..=n).map(|x| ln_binomial(f64::from(x), f64::from(n), (p, 1.0 - p)).exp()).collect()
}

/// Logarithm of the probability that of `drawn` rows out of `total`, of which `marked` are marked, x are marked.
pub fn ln_hypergeometric(x: f64, marked: f64, drawn: f64, total: f64) -> f64 {
    let (p, q) = (drawn / total, (total - drawn) / total);
    ln_binomial(x, marked, (p, q)) + ln_binomial(drawn - x, total - marked, (p, q)) - ln_binomial(drawn, total, (p, q))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-300), "{found}, not {expected}");
    }

    /// 5 of 10 at 0.3: 252 x 0.3^5 x 0.7^5. 2 of 5 drawn from 20 of which 8 are marked: C(8,2) C(12,3) / C(20,5) = 6160/15504.
    #[test]
    fn small_cases_by_hand() {
        near(ln_binomial(5.0, 10.0, (0.3, 0.7)).exp(), 252.0 * 0.3f64.powi(5) * 0.7f64.powi(5), 1e-13);
        near(ln_binomial(0.0, 10.0, (0.3, 0.7)).exp(), 0.7f64.powi(10), 1e-14);
        near(ln_hypergeometric(2.0, 8.0, 5.0, 20.0).exp(), 6160.0 / 15504.0, 1e-13);
        assert_eq!(ln_binomial(1.0, 3.0, (0.0, 1.0)), f64::NEG_INFINITY);
        assert_eq!(ln_hypergeometric(6.0, 8.0, 5.0, 20.0), f64::NEG_INFINITY);
    }

    /// The ratio of neighbours is a ratio of whole numbers, whatever their size.
    #[test]
    fn neighbours_of_ten_million_rows() {
        let (marked, drawn, total) = (2_500_000.0, 4_000_000.0, 10_000_000.0);
        for x in [999_000.0, 1_000_000.0, 1_000_001.0, 1_004_000.0, 1_200_000.0] {
            let ratio = (marked - x) * (drawn - x) / ((x + 1.0) * (total - marked - drawn + x + 1.0));
            let step = ln_hypergeometric(x + 1.0, marked, drawn, total) - ln_hypergeometric(x, marked, drawn, total);
            assert!((step - ratio.ln()).abs() < 2e-10, "{x}: {step} and {}", ratio.ln());
        }
        near(binomial(3000, 0.02).iter().sum(), 1.0, 1e-13);
        near(binomial(300, 0.98).iter().sum(), 1.0, 1e-13);
    }
}
