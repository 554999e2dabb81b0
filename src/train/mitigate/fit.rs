//! Logistic models fitted again on a panel: rows with weights, and penalties on the covariance of the predictor with the cohorts.
//!
//! Minimised is sum of w loss / sum of w + penalty of the model + strength / 2 x sum over cohorts of cov(cohort, predictor)^2, where the
//! covariance is that over the rows (Zafar, Valera, Gomez Rodriguez and Gummadi 2017, AISTATS, bound it; Calders, Karim, Kamiran, Ali and
//! Zhang 2013, ICDM, for least squares). It is linear in the coefficients, so the term adds strength v v' to the curvature.

use crate::train::factor::{Symmetric, dot};
use crate::train::newton::{Local, Point};
use crate::train::quadratic::{Unsolved, Weights};

/// Steps of Newton's method.
const STEPS_MAX: usize = 60;
/// Size of the last step, in units of the predictor.
const STEP_LAST: f64 = 1e-9;

/// A penalty on covariances: its strength, and the covariance of every column with every cohort.
#[derive(Debug, Clone, Default)]
pub struct Covariance {
    pub strength: f64,
    pub with: Vec<Vec<f64>>,
}

impl Covariance {
    fn penalty(&self, b: &[f64]) -> f64 {
        self.strength / 2.0 * self.with.iter().map(|v| dot(v, b).powi(2)).sum::<f64>()
    }

    /// Adds what the penalty does to slopes and curvatures.
    fn add(&self, local: Local, b: &[f64]) -> Local {
        let slope = local
            .slope
            .iter()
            .enumerate()
            .map(|(k, slope)| slope + self.strength * self.with.iter().map(|v| dot(v, b) * v[k]).sum::<f64>());
        let slope = slope.collect();
        Local { slope, curve: self.curve(&local.curve), ..local }
    }

    /// A curvature with that of the penalty.
    pub fn curve(&self, curve: &Symmetric) -> Symmetric {
        let more = |k: usize, l: usize| self.strength * self.with.iter().map(|v| v[k] * v[l]).sum::<f64>();
        Symmetric::of(curve.size, |k, l| curve.get(k, l) + more(k, l))
    }
}

/// Rows to fit to: columns side by side, labels, weights.
pub struct Rows {
    pub size: usize,
    pub x: Vec<f64>,
    pub y: Vec<bool>,
    pub w: Vec<f64>,
}

impl Rows {
    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.size..(i + 1) * self.size]
    }

    fn weight(&self) -> f64 {
        self.w.iter().sum()
    }

    /// The coefficients of least loss. None where a label does not occur, or Newton's method does not come to rest.
    pub fn fit(&self, weights: Weights, covariance: &Covariance) -> Result<Point, String> {
        let all = self.weight();
        let share = self.y.iter().zip(&self.w).filter(|(y, _)| **y).map(|(_, w)| w).sum::<f64>() / all;
        if !(share > 0.0 && share < 1.0) {
            return Err("only one of the two labels occurs in the rows it is fitted to".into());
        }
        let mut at = Point { b: vec![0.0; self.size], b0: libm::log(share / (1.0 - share)) };
        let of = |at: &Point| self.loss(at) + at.penalty(weights) + covariance.penalty(&at.b);
        let ones = vec![1.0; self.size];
        let mut objective = of(&at);
        for _ in 0..STEPS_MAX {
            let local = covariance.add(self.local(&at), &at.b);
            let mut next = local.step(&at, weights).map_err(|why| match why {
                Unsolved::Singular => "the features are linear combinations of each other".to_string(),
                other => format!("no step of Newton's method was found ({other:?})"),
            })?;
            let mut reached = of(&next);
            let mut halvings = 0;
            while (reached.is_nan() || reached > objective + 1e-13 * objective.abs()) && halvings < 40 {
                next = at.towards(&next, 0.5);
                reached = of(&next);
                halvings += 1;
            }
            let moved = at.distance(&next, &ones);
            (at, objective) = (next, reached);
            if moved <= STEP_LAST * (1.0 + at.b0.abs()) || halvings == 40 {
                return Ok(at);
            }
        }
        Err("Newton's method does not come to rest: the features separate the classes, or nearly".into())
    }

    fn loss(&self, at: &Point) -> f64 {
        let of = |i: usize| {
            let eta = at.b0 + dot(self.row(i), &at.b);
            let wrong = if self.y[i] { -eta } else { eta };
            self.w[i] * (wrong.max(0.0) + libm::log1p(libm::exp(-wrong.abs())))
        };
        (0..self.y.len()).map(of).sum::<f64>() / self.weight()
    }

    /// Slopes and curvatures of the mean loss.
    pub fn local(&self, at: &Point) -> Local {
        let (size, n) = (self.size, self.weight());
        let (mut slope0, mut slope, mut curve00, mut curve0) = (0.0, vec![0.0; size], 0.0, vec![0.0; size]);
        let mut curve = vec![0.0; size * size];
        for i in 0..self.y.len() {
            let x = self.row(i);
            let p = 1.0 / (1.0 + libm::exp(-(at.b0 + dot(x, &at.b))));
            let error = self.w[i] * (p - f64::from(u8::from(self.y[i])));
            let weight = self.w[i] * p * (1.0 - p);
            slope0 += error;
            curve00 += weight;
            for k in 0..size {
                slope[k] += error * x[k];
                let weighted = weight * x[k];
                curve0[k] += weighted;
                for (sum, other) in curve[k * size + k..(k + 1) * size].iter_mut().zip(&x[k..]) {
                    *sum += weighted * other;
                }
            }
        }
        let mean = |sums: Vec<f64>| sums.iter().map(|sum| sum / n).collect();
        Local {
            slope0: slope0 / n,
            slope: mean(slope),
            curve00: curve00 / n,
            curve0: mean(curve0),
            curve: Symmetric::of(size, |k, l| curve[k * size + l] / n),
        }
    }
}

/// The strengths that are tried where none are written: they leave about three quarters, a half, a quarter and nearly nothing of the
/// covariance. Along its own direction v, a penalty divides the covariance by about 1 + strength x v'H^-1 v, H being the curvature.
pub fn strengths(curvature: &Symmetric, ridge: f64, with: &[Vec<f64>]) -> Vec<f64> {
    let factor = curvature.plus_diagonal(ridge).factor();
    let reach = |v: &Vec<f64>| if factor.is_full() { dot(v, &factor.solve(v)) } else { dot(v, v) };
    let reach = with.iter().map(reach).fold(0.0, f64::max);
    match reach > 0.0 && reach.is_finite() {
        true => [1.0 / 3.0, 1.0, 3.0, 1e7].map(|times| times / reach).to_vec(),
        false => Vec::new(),
    }
}
