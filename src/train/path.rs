//! Which penalties are tried, and which is taken.
//!
//! The path is that of scikit-learn: 100 strengths from the least that makes every coefficient zero, |X'y|_max / (n l1_ratio), down to a
//! thousandth of it, evenly on a log scale, for every ratio. A ridge has no such strength: it shrinks a direction of curvature d by
//! d / (d + strength), so its strengths run from a thousand times the mean curvature of the loss to a hundred-thousandth of it. The least
//! mean loss over the folds is taken; among equals the greater strength.

use super::quadratic::Weights;
use crate::audit::PathPoint;
use crate::plan::spec::{Penalty, Train};

/// Least over greatest strength.
const SPAN: f64 = 1e-3;
/// Below this ratio a penalty is taken for a ridge.
const RATIO_MIN: f64 = 1e-3;
/// Strengths of a ridge, in units of the mean curvature.
const RIDGE: (f64, f64) = (1e3, 1e-5);

/// The data a path is laid over.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// |X'y|_max / n: the greatest slope of the loss at zero.
    pub slope_max: f64,
    /// Mean of the diagonal of the loss's second derivative at zero.
    pub curvature: f64,
}

/// A penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    pub strength: f64,
    pub l1_ratio: f64,
}

impl Choice {
    pub fn weights(&self) -> Weights {
        Weights { absolute: self.strength * self.l1_ratio, square: self.strength * (1.0 - self.l1_ratio) }
    }
}

/// Whether a penalty is to be chosen by cross-validation.
pub fn is_chosen(train: &Train) -> bool {
    train.penalty != Penalty::None && (train.strength.is_none() || ratios(train).len() > 1)
}

/// The penalties to try, by ratio, strongest first; one when there is nothing to choose.
pub fn candidates(train: &Train, scale: Scale, strengths: usize) -> Vec<Choice> {
    if train.penalty == Penalty::None {
        return vec![Choice { strength: 0.0, l1_ratio: 0.0 }];
    }
    let mut all = Vec::new();
    for l1_ratio in ratios(train) {
        match train.strength {
            Some(strength) => all.push(Choice { strength, l1_ratio }),
            None => {
                let (greatest, span) = match l1_ratio < RATIO_MIN {
                    true => (scale.curvature * RIDGE.0, RIDGE.1 / RIDGE.0),
                    false => (scale.slope_max / l1_ratio, SPAN),
                };
                let share = |k: usize| k as f64 / (strengths - 1) as f64;
                all.extend((0..strengths).map(|k| Choice { strength: greatest * libm::pow(span, share(k)), l1_ratio }));
            }
        }
    }
    all
}

fn ratios(train: &Train) -> Vec<f64> {
    match train.penalty {
        Penalty::None | Penalty::Ridge => vec![0.0],
        Penalty::Lasso => vec![1.0],
        Penalty::ElasticNet if train.l1_ratios.is_empty() => vec![0.5],
        Penalty::ElasticNet => train.l1_ratios.clone(),
    }
}

/// The candidate of least mean loss, with the mean and its standard error of every candidate. `losses[candidate][fold]`.
pub fn least(candidates: &[Choice], losses: &[Vec<f64>]) -> (Option<Choice>, Vec<PathPoint>) {
    let point = |(choice, losses): (&Choice, &Vec<f64>)| {
        let folds = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / folds;
        let squares: f64 = losses.iter().map(|loss| (loss - mean) * (loss - mean)).sum();
        let loss_standard_error = (squares / (folds - 1.0) / folds).sqrt();
        PathPoint { l1_ratio: choice.l1_ratio, strength: choice.strength, loss_mean: mean, loss_standard_error }
    };
    let points: Vec<PathPoint> = candidates.iter().zip(losses).map(point).collect();
    let better = |a: &PathPoint, b: &PathPoint| {
        b.loss_mean < a.loss_mean || (b.loss_mean == a.loss_mean && b.strength > a.strength)
    };
    let best = points.iter().reduce(|a, b| if better(a, b) { b } else { a });
    (best.map(|best| Choice { strength: best.strength, l1_ratio: best.l1_ratio }), points)
}
