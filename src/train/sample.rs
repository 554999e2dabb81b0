//! A logistic model on a sample of training rows: Newton's method to convergence, and the choice of the penalty.
//!
//! Rows are those of smallest keyed hash, so the sample is the same on every engine; a row's fold is its hash modulo the number of folds, so
//! rows of one unit are in one fold. A step that does not lower the objective is halved: Newton's method cannot diverge here.

use super::TrainError;
use super::design::Design;
use super::factor::{Symmetric, dot};
use super::newton::{Local, Point};
use super::path::{self, Choice};
use super::quadratic::Unsolved;
use crate::audit::PathPoint;
use crate::demand::Limbs;
use crate::scalar::{Link, Predictor};
use crate::statistic::{Panel, PanelValue};

/// Rows on which the penalty is chosen.
const CHOICE_ROWS: usize = 20_000;
/// Steps to convergence: a separated sample still moves by about one unit after as many.
const STEPS_MAX: usize = 30;
/// Size of the last step, in units of the predictor per standard deviation; the error left is about its square.
const STEP_FIT: f64 = 1e-8;
const STEP_CHOICE: f64 = 1e-4;

/// Rows on the scale of the penalty.
pub struct Sample {
    size: usize,
    x: Vec<f64>,
    /// Inputs of the integer predictor.
    q: Vec<i64>,
    y: Vec<bool>,
    hash: Vec<u64>,
}

/// Why Newton's method gave no point.
#[derive(Debug, Clone, PartialEq)]
pub enum Stuck {
    Unsolved(Unsolved),
    /// Still moving by this much; the point reached.
    Moving(f64, Point),
}

impl Sample {
    /// The rows of a panel of features and label that lack nothing.
    pub fn of(panel: &Panel, design: &Design) -> Sample {
        let mut sample = Sample { size: design.size(), x: Vec::new(), q: Vec::new(), y: Vec::new(), hash: Vec::new() };
        for (hash, values, n) in panel.rows() {
            let numbers: Option<Vec<f64>> = values.iter().map(|value| value.as_ref().and_then(number)).collect();
            let Some(numbers) = numbers else { continue };
            let Some((label, features)) = numbers.split_last() else { continue };
            for _ in 0..n {
                for k in 0..design.size() {
                    let j = design.active[k];
                    let fixed = &design.features[j].fixed;
                    let z = fixed.quantise(features[j], Limbs::Two.bits()) as f64 / (1u64 << Limbs::Two.bits()) as f64;
                    sample.x.push((z - design.mean(k)) / design.scale(k));
                    sample.q.push(fixed.quantise(features[j], Limbs::One.bits()));
                }
                sample.y.push(*label > 0.5);
                sample.hash.push(hash);
            }
        }
        sample
    }

    pub fn rows(&self) -> usize {
        self.y.len()
    }

    /// Rows of label 1.
    pub fn positives(&self) -> usize {
        self.y.iter().filter(|y| **y).count()
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.size..(i + 1) * self.size]
    }

    /// Minimises the mean log loss and the penalty over all rows.
    pub fn fit(&self, choice: &Choice, deviations: &[f64]) -> Result<Point, Stuck> {
        let all: Vec<usize> = (0..self.rows()).collect();
        let share = self.positives() as f64 / self.rows() as f64;
        let start = Point { b: vec![0.0; self.size], b0: libm::log(share / (1.0 - share)) };
        self.newton(&all, choice, start, deviations, STEP_FIT)
    }

    /// The penalty of least mean log loss over the folds.
    pub fn choose(
        &self,
        candidates: &[Choice],
        folds: u32,
        deviations: &[f64],
    ) -> Result<(Choice, Vec<PathPoint>), TrainError> {
        let mut losses = vec![Vec::new(); candidates.len()];
        for fold in 0..folds {
            let first = 0..self.rows().min(CHOICE_ROWS);
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                first.partition(|&i| self.hash[i] % u64::from(folds) == u64::from(fold));
            let positives = outside.iter().filter(|&&i| self.y[i]).count();
            if inside.is_empty() || positives == 0 || positives == outside.len() {
                return Err(super::empty_fold(fold, folds));
            }
            let share = positives as f64 / outside.len() as f64;
            let start = Point { b: vec![0.0; self.size], b0: libm::log(share / (1.0 - share)) };
            let mut at = start.clone();
            let mut ratio = f64::NAN;
            for (choice, losses) in candidates.iter().zip(&mut losses) {
                // Along the path of a ratio every fit starts at the one before.
                if choice.l1_ratio != ratio {
                    (at, ratio) = (start.clone(), choice.l1_ratio);
                }
                at = self
                    .newton(&outside, choice, at, deviations, STEP_CHOICE)
                    .map_err(|stuck| super::stuck(&stuck, choice, None))?;
                losses.push(self.loss(&inside, &at));
            }
        }
        let (choice, path) = path::least(candidates, &losses);
        choice.map(|choice| (choice, path)).ok_or_else(|| TrainError::Failed("no penalty to choose from".into()))
    }

    /// Mean slopes of the exact probability at a point less those of the published table at its integer predictor: the constant's, then
    /// the features'.
    pub fn table_error(&self, at: &Point, predictor: &Predictor, design: &Design) -> (f64, Vec<f64>) {
        let coefficients: Vec<i64> = design.active.iter().map(|&j| predictor.coefficients[j]).collect();
        let (mut error0, mut error) = (0.0, vec![0.0; self.size]);
        for i in 0..self.rows() {
            let (x, q) = (self.row(i), &self.q[i * self.size..(i + 1) * self.size]);
            let eta = coefficients.iter().zip(q).fold(predictor.intercept, |eta, (c, q)| eta + c * q);
            let exact = 1.0 / (1.0 + libm::exp(-(at.b0 + dot(x, &at.b))));
            let e = exact - Link::Sigmoid.value(eta as f64, predictor.bits);
            error0 += e;
            error.iter_mut().zip(x).for_each(|(sum, x)| *sum += e * x);
        }
        let n = self.rows() as f64;
        (error0 / n, error.iter().map(|sum| sum / n).collect())
    }

    fn newton(
        &self,
        rows: &[usize],
        choice: &Choice,
        start: Point,
        deviations: &[f64],
        last: f64,
    ) -> Result<Point, Stuck> {
        let weights = choice.weights();
        let mut at = start;
        let mut objective = self.loss(rows, &at) + at.penalty(weights);
        let mut moved = f64::INFINITY;
        for _ in 0..STEPS_MAX {
            let mut next = self.local(rows, &at).step(&at, weights).map_err(Stuck::Unsolved)?;
            moved = at.distance(&next, deviations);
            let mut reached = self.loss(rows, &next) + next.penalty(weights);
            // Below this the objective's own rounding decides.
            let rounding = 1e-13 * objective.abs();
            let mut halvings = 0;
            while (reached.is_nan() || reached > objective + rounding) && halvings < 40 {
                next = at.towards(&next, 0.5);
                reached = self.loss(rows, &next) + next.penalty(weights);
                halvings += 1;
            }
            (at, objective) = (next, reached);
            if moved <= last {
                return Ok(at);
            }
        }
        Err(Stuck::Moving(moved, at))
    }

    /// Mean log loss over some rows.
    fn loss(&self, rows: &[usize], at: &Point) -> f64 {
        let of = |&i: &usize| {
            let eta = at.b0 + dot(self.row(i), &at.b);
            let wrong = if self.y[i] { -eta } else { eta };
            wrong.max(0.0) + libm::log1p(libm::exp(-wrong.abs()))
        };
        rows.iter().map(of).sum::<f64>() / rows.len() as f64
    }

    /// Slopes and curvatures of the mean log loss over some rows.
    fn local(&self, rows: &[usize], at: &Point) -> Local {
        let (size, n) = (self.size, rows.len() as f64);
        let (mut slope0, mut slope, mut curve00, mut curve0) = (0.0, vec![0.0; size], 0.0, vec![0.0; size]);
        let mut curve = vec![0.0; size * size];
        for &i in rows {
            let x = self.row(i);
            let p = 1.0 / (1.0 + libm::exp(-(at.b0 + dot(x, &at.b))));
            let (error, weight) = (p - f64::from(u8::from(self.y[i])), p * (1.0 - p));
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
        Local {
            slope0: slope0 / n,
            slope: slope.iter().map(|sum| sum / n).collect(),
            curve00: curve00 / n,
            curve0: curve0.iter().map(|sum| sum / n).collect(),
            curve: Symmetric::of(size, |k, l| curve[k * size + l] / n),
        }
    }
}

fn number(value: &PanelValue) -> Option<f64> {
    match value {
        PanelValue::Number(number) => Some(number.number()),
        PanelValue::Truth(truth) => Some(f64::from(u8::from(*truth))),
        PanelValue::Text(_) => None,
    }
}
