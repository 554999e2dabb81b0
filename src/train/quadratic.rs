//! Penalised quadratics, solved by linfa on pseudo-rows.
//!
//! min over b of 1/2 b'Gb - c'b + l1 |b|_1 + l2/2 |b|^2. With G = R'R and z = R^-T c this is 1/2 |z - Rb|^2 up to a constant, so the r rows of
//! sqrt(r) R and sqrt(r) z, with linfa's 1/(2 rows) in front, have the same minimum as all rows of the data.
//!
//! - l1 = 0: linfa's least squares (QR) on the rows of R and of sqrt(l2) I. Its elastic net never meets its stop rule there.
//! - l1 > 0: linfa's elastic net (coordinate descent); then the equations on the non-zero coefficients are solved, which carries the result
//!   to rounding where features are nearly dependent and coordinate descent creeps. The conditions of the minimum (Karush, Kuhn, Tucker) are
//!   checked here: linfa reports no failure.
//!
//! c is scaled to largest element 1 first: linfa treats coefficients below 2e-16 as zero.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use super::factor::{Factor, Symmetric};

/// Greatest violation of the conditions of the minimum, relative to the largest element of c.
pub const VIOLATION_MAX: f64 = 1e-9;

/// Tolerances of linfa's duality gap with the sweeps allowed, tried in turn until the conditions hold.
const TOLERANCES: [(f64, u32); 4] = [(1e-4, 200), (1e-7, 2_000), (1e-10, 20_000), (1e-14, 200_000)];

/// Weights of the absolute values and of half the squares of the coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    pub absolute: f64,
    pub square: f64,
}

/// Why there is no minimum.
#[derive(Debug, Clone, PartialEq)]
pub enum Unsolved {
    /// The variables depend on each other and nothing is penalised.
    Singular,
    /// A sum is NaN or infinite.
    NotFinite,
    /// The conditions of the minimum are violated by this much.
    NotConverged(f64),
    /// linfa said no.
    Refused(String),
}

/// 1/2 b'Gb - c'b, factored once for all penalties.
pub struct Quadratic {
    pub gram: Symmetric,
    pub linear: Vec<f64>,
    factor: Factor,
    scale: f64,
    z: Vec<f64>,
}

impl Quadratic {
    pub fn new(gram: Symmetric, linear: Vec<f64>) -> Quadratic {
        let factor = gram.factor();
        let largest = linear.iter().fold(0.0f64, |most, c| most.max(c.abs()));
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let z = factor.forward(&linear.iter().map(|c| c / scale).collect::<Vec<_>>());
        Quadratic { gram, linear, factor, scale, z }
    }

    pub fn is_singular(&self) -> bool {
        !self.factor.is_full()
    }

    /// The coefficients of the minimum.
    pub fn minimise(&self, weights: Weights) -> Result<Vec<f64>, Unsolved> {
        if !(self.linear.iter().all(|c| c.is_finite())
            && self.gram.times(&vec![1.0; self.gram.size]).iter().all(|g| g.is_finite()))
        {
            return Err(Unsolved::NotFinite);
        }
        let zero = vec![0.0; self.gram.size];
        if self.gram.size == 0 || self.violation(&zero, weights) == 0.0 {
            return Ok(zero);
        }
        if weights.absolute > 0.0 { self.elastic_net(weights) } else { self.least_squares(weights.square) }
    }

    /// Greatest violation of the conditions of the minimum, relative to the largest element of c.
    pub fn violation(&self, b: &[f64], weights: Weights) -> f64 {
        let slope = self.gram.times(b);
        let of = |j: usize| {
            let slope = slope[j] - self.linear[j] + weights.square * b[j];
            match b[j] == 0.0 {
                true => (slope.abs() - weights.absolute).max(0.0),
                false => (slope + weights.absolute * b[j].signum()).abs(),
            }
        };
        let worst = (0..b.len()).map(of).fold(0.0, |worst: f64, v| if v.is_nan() { f64::NAN } else { worst.max(v) });
        worst / self.scale
    }

    fn least_squares(&self, square: f64) -> Result<Vec<f64>, Unsolved> {
        if self.is_singular() && square <= 0.0 {
            return Err(Unsolved::Singular);
        }
        let (rows, size) = (self.factor.rows.len(), self.gram.size);
        let ridge = if square > 0.0 { size } else { 0 };
        let x = Array2::from_shape_fn((rows + ridge, size), |(i, j)| match i < rows {
            true => self.factor.rows[i][j],
            false => {
                if i - rows == j {
                    square.sqrt()
                } else {
                    0.0
                }
            }
        });
        let y = Array1::from_shape_fn(rows + ridge, |i| self.z.get(i).copied().unwrap_or(0.0));
        let fit = LinearRegression::new().with_intercept(false).fit(&Dataset::new(x, y));
        let fit = fit.map_err(|e| Unsolved::Refused(e.to_string()))?;
        self.checked(fit.params().iter().map(|b| b * self.scale).collect(), Weights { absolute: 0.0, square })
    }

    fn elastic_net(&self, weights: Weights) -> Result<Vec<f64>, Unsolved> {
        let rows = self.factor.rows.len();
        let root = (rows as f64).sqrt();
        // By columns: coordinate descent reads one at a time.
        let x = Array2::from_shape_fn((rows, self.gram.size).f(), |(i, j)| root * self.factor.rows[i][j]);
        let y = Array1::from_shape_fn(rows, |i| root * self.z[i]);
        let data = Dataset::new(x, y);
        // Scaling c by 1/s scales the minimum by 1/s when l1 is scaled too.
        let absolute = weights.absolute / self.scale;
        let penalty = absolute + weights.square;
        let mut last = Err(Unsolved::NotConverged(f64::NAN));
        for (tolerance, sweeps) in TOLERANCES {
            let fit = ElasticNet::params()
                .with_intercept(false)
                .penalty(penalty)
                .l1_ratio(absolute / penalty)
                .tolerance(tolerance)
                .max_iterations(sweeps)
                .fit(&data)
                .map_err(|e| Unsolved::Refused(e.to_string()))?;
            let found: Vec<f64> = fit.hyperplane().iter().map(|b| b * self.scale).collect();
            last = self.checked(self.sharpened(found, weights), weights);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Carries a point to the minimum to rounding: solves the equations on the non-zero coefficients with their signs, stops where one of
    /// them meets zero and lets it go, and takes in the zero whose condition is violated most, until none is (an active-set method; Osborne,
    /// Presnell and Turlach 2000, IMA Journal of Numerical Analysis 20). Keeps what violates less.
    fn sharpened(&self, found: Vec<f64>, weights: Weights) -> Vec<f64> {
        let mut at = found.clone();
        let mut signs: Vec<f64> = at.iter().map(|b| if *b == 0.0 { 0.0 } else { b.signum() }).collect();
        for _ in 0..4 * at.len() + 8 {
            let Some(target) = self.with_signs(&signs, weights) else { break };
            let crossing = |j: usize| (target[j] * signs[j] < 0.0).then(|| (at[j] / (at[j] - target[j]), j));
            let first = (0..at.len()).filter_map(crossing).reduce(|a, b| if b.0 < a.0 { b } else { a });
            if let Some((share, out)) = first {
                at.iter_mut().zip(&target).for_each(|(at, target)| *at += share * (target - *at));
                (at[out], signs[out]) = (0.0, 0.0);
                continue;
            }
            at = target;
            let slope: Vec<f64> = self.gram.times(&at).iter().zip(&self.linear).map(|(g, c)| g - c).collect();
            let excess = |j: usize| if signs[j] == 0.0 { slope[j].abs() - weights.absolute } else { 0.0 };
            let worst = (0..at.len()).reduce(|a, b| if excess(b) > excess(a) { b } else { a });
            let Some(worst) = worst.filter(|&j| excess(j) > 1e-3 * VIOLATION_MAX * self.scale) else { break };
            signs[worst] = -slope[worst].signum();
        }
        if self.violation(&at, weights) <= self.violation(&found, weights) { at } else { found }
    }

    /// The coefficients that solve the equations of these signs; zero where the sign is. None where they are singular.
    fn with_signs(&self, signs: &[f64], weights: Weights) -> Option<Vec<f64>> {
        let active: Vec<usize> = (0..signs.len()).filter(|&j| signs[j] != 0.0).collect();
        let factor = self.gram.part(&active).plus_diagonal(weights.square).factor();
        let right: Vec<f64> = active.iter().map(|&j| self.linear[j] - weights.absolute * signs[j]).collect();
        let mut b = vec![0.0; signs.len()];
        for (&j, value) in active.iter().zip(factor.is_full().then(|| factor.solve(&right))?) {
            b[j] = value;
        }
        Some(b)
    }

    fn checked(&self, b: Vec<f64>, weights: Weights) -> Result<Vec<f64>, Unsolved> {
        let violation = self.violation(&b, weights);
        if violation <= VIOLATION_MAX { Ok(b) } else { Err(Unsolved::NotConverged(violation)) }
    }
}
