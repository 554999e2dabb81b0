//! Which penalties are tried, and which is taken.
//!
//! The path is that of scikit-learn: 100 strengths from the least that makes every coefficient zero, |X'y|_max / (n l1_ratio), down to a
//! thousandth of it, evenly on a log scale, for every ratio. A ridge has no such strength. It divides the coefficient along a direction of
//! variance v by 1 + strength / v (Hastie, Tibshirani and Friedman 2009, section 3.4.1), whatever the target's unit, so its path goes from a
//! hundred times the mean variance of the features, as the penalty sees them, to a ten-thousandth of it. The least mean loss over the folds
//! is taken; among equals the greater strength.

use super::quadratic::Weights;
use crate::audit::PathPoint;
use crate::plan::spec::{Penalty, Train};

/// Least over greatest strength.
const SPAN: f64 = 1e-3;
/// Below this ratio a penalty is taken for a ridge.
const RATIO_MIN: f64 = 1e-3;
/// Greatest strength of a ridge over the mean variance of the features.
const RIDGE_GREATEST: f64 = 1e2;
/// Least over greatest strength of a ridge.
const RIDGE_SPAN: f64 = 1e-6;

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

/// The penalties to try, by ratio, strongest first; one when there is nothing to choose. `slope_max` is |X'y|_max / n, `variances` are those
/// of the features as the penalty sees them.
pub fn candidates(train: &Train, slope_max: f64, variances: &[f64], strengths: usize) -> Vec<Choice> {
    if train.penalty == Penalty::None {
        return vec![Choice { strength: 0.0, l1_ratio: 0.0 }];
    }
    let mut all = Vec::new();
    for l1_ratio in ratios(train) {
        match train.strength {
            Some(strength) => all.push(Choice { strength, l1_ratio }),
            None => {
                let mean = variances.iter().sum::<f64>() / variances.len().max(1) as f64;
                let (greatest, span) = match l1_ratio < RATIO_MIN {
                    true => (RIDGE_GREATEST * mean, RIDGE_SPAN),
                    false => (slope_max / l1_ratio, SPAN),
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

/// What a reader must know of a choice at the end of its path.
pub fn at_the_end(choice: &Choice, path: &[PathPoint]) -> Option<String> {
    let mut others = path.iter().filter(|point| point.l1_ratio == choice.l1_ratio);
    (path.len() > 1 && others.all(|point| point.strength >= choice.strength)).then(|| {
        format!(
            "The least strength that was tried, {:.2e}, is the one taken: a smaller one may fit better; write train.strength to try one.",
            choice.strength
        )
    })
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
