//! One Newton step of a mean loss with a penalty: a penalised quadratic, solved by linfa.
//!
//! Around (b0, b) the loss is g'd + 1/2 d'Hd. The intercept is not penalised and is eliminated: with c = H (b0, b) - g the other coefficients
//! minimise the quadratic of H_bb - h h' / h00 and c_b - h c0 / h00, and b0 = (c0 - h'b) / h00. With a penalty on absolute values this is
//! the proximal Newton step (Lee, Sun and Saunders 2014, SIAM Journal on Optimization 24).

use super::factor::{Symmetric, dot};
use super::quadratic::{Quadratic, Unsolved, Weights};

/// Coefficients on the scale of the penalty.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub b: Vec<f64>,
    /// The predictor where every feature is at its mean.
    pub b0: f64,
}

impl Point {
    /// The penalty's part of the objective.
    pub fn penalty(&self, weights: Weights) -> f64 {
        weights.absolute * self.b.iter().map(|b| b.abs()).sum::<f64>() + weights.square / 2.0 * dot(&self.b, &self.b)
    }

    /// Greatest change of a term of the predictor when its feature moves by its standard deviation.
    pub fn distance(&self, other: &Point, deviations: &[f64]) -> f64 {
        let terms = self.b.iter().zip(&other.b).zip(deviations).map(|((x, y), sd)| (x - y).abs() * sd);
        terms.fold((self.b0 - other.b0).abs(), |most, term| if term.is_nan() { f64::NAN } else { most.max(term) })
    }

    /// The point a share of the way to another.
    pub fn towards(&self, other: &Point, share: f64) -> Point {
        let between = |x: f64, y: f64| x + share * (y - x);
        Point { b: self.b.iter().zip(&other.b).map(|(&x, &y)| between(x, y)).collect(), b0: between(self.b0, other.b0) }
    }
}

/// Slopes and curvatures of a mean loss at a point; 0 is the intercept.
pub struct Local {
    pub slope0: f64,
    pub slope: Vec<f64>,
    pub curve00: f64,
    pub curve0: Vec<f64>,
    pub curve: Symmetric,
}

impl Local {
    /// Curvature of the coefficients with the intercept at its best.
    pub fn profiled(&self) -> Symmetric {
        let h = &self.curve0;
        Symmetric::of(h.len(), |i, j| self.curve.get(i, j) - h[i] * h[j] / self.curve00)
    }

    /// The minimum of the quadratic and the penalty.
    pub fn step(&self, at: &Point, weights: Weights) -> Result<Point, Unsolved> {
        if self.curve00.is_nan() || self.curve00 <= 0.0 {
            return Err(Unsolved::Singular);
        }
        let c0 = self.curve00 * at.b0 + dot(&self.curve0, &at.b) - self.slope0;
        let curved = self.curve.times(&at.b);
        let linear = (0..at.b.len()).map(|k| {
            let c = self.curve0[k] * at.b0 + curved[k] - self.slope[k];
            c - self.curve0[k] * c0 / self.curve00
        });
        let b = Quadratic::new(self.profiled(), linear.collect()).minimise(weights)?;
        let b0 = (c0 - dot(&self.curve0, &b)) / self.curve00;
        Ok(Point { b, b0 })
    }
}
