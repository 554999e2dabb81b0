//! Membership and attribute inference on a linear model, or on a logistic one by its last Newton round.
//!
//! Every row is compared with itself left out, exactly and without a refit: with A = X'WX + P (P a fixed penalty) and the leverage
//! h = w x'A^-1 x, the residual of a row under the model without it is e / (1 - h) (Sherman and Morrison 1950; Cook and Weisberg 1982, 2.2). A logistic
//! model at its minimum is the weighted least-squares fit of its working response, so its predictor without a row, one Newton step on, is
//! x'b - x'A^-1 x (y - p) / (1 - h) (Pregibon 1981, Annals of Statistics 9).
//!
//! - **Membership**: a loss below a threshold says "member" (Yeom et al. 2018, CSF). Members are the losses with the row, others those of the
//!   same rows left out. AUC with the variance of paired placements (Obuchowski 1997, Biometrics 53); true positives at a false positive rate with
//!   Clopper-Pearson intervals, given the threshold.
//! - **Exposure**: how much of a cohort is among the hundredth of rows with the largest leverage: those a model depends on most.
//! - **Attribute inference**: a sensitive level guessed from the other columns, the known target and the model, against the guess without the
//!   model (Yeom et al. 2018, section 4). The gain is (b - c) / n over rows only one of them has right; its interval joins two Clopper-Pearson
//!   intervals, each with half of the error.
//!
//! Work: rows x columns^2 for the leverages, a sort for the attack.

use super::bounds::clopper_pearson;
use crate::estimate::normal;

mod attribute;
mod factor;

pub use attribute::{Advantage, Attribute, attribute_inference, linear_likelihoods, logistic_likelihoods};
pub use factor::Factor;

/// Why a model cannot be attacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    #[error("no rows to attack: the training part is empty")]
    NoRows,
    #[error("{what} has {found} entries, not {expected}: give one for each row, or column")]
    Length { what: &'static str, found: usize, expected: usize },
    #[error("{what} of row {row} is not a finite number of the allowed range: leave the row out")]
    NotANumber { what: &'static str, row: usize },
    #[error("column {0} of the model is a combination of the others: leave it out or penalise it")]
    Dependent(usize),
}

/// Rows a model was fitted to. The column of ones of an intercept is a feature like the others.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub features: &'a [Vec<f64>],
    /// Of a logistic model 0 or 1.
    pub target: &'a [f64],
    /// Sampling weights, not negative.
    pub weights: &'a [f64],
    /// What the fit adds to the diagonal of X'WX, one for each feature; 0 without a penalty.
    pub penalty: &'a [f64],
}

/// Every row with and without itself.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaveOneOut {
    /// 0 to 1: how far a row draws its own prediction to itself.
    pub leverage: Vec<f64>,
    /// Prediction less target of a linear model, predictor of a logistic one: without the row. Infinite where the others do not determine the model.
    pub outside: Vec<f64>,
    /// Losses of the model with the row: squared error, or log loss.
    pub loss_in: Vec<f64>,
    /// Losses of the model without the row.
    pub loss_out: Vec<f64>,
}

/// With more leverage than this the other rows do not determine the model.
const LEVERAGE_MAX: f64 = 1.0 - 1e-9;

impl Rows<'_> {
    fn check(&self) -> Result<(), MembershipError> {
        let (n, columns) = (self.features.len(), self.penalty.len());
        if n == 0 {
            return Err(MembershipError::NoRows);
        }
        let length = |what, found, expected| match found == expected {
            true => Ok(()),
            false => Err(MembershipError::Length { what, found, expected }),
        };
        length("the target", self.target.len(), n)?;
        length("the weights", self.weights.len(), n)?;
        let number = |good: bool, what, row| match good {
            true => Ok(()),
            false => Err(MembershipError::NotANumber { what, row }),
        };
        for (row, features) in self.features.iter().enumerate() {
            length("a row of features", features.len(), columns)?;
            number(features.iter().all(|value| value.is_finite()), "a feature", row)?;
            number(self.target[row].is_finite(), "the target", row)?;
            number(self.weights[row].is_finite() && self.weights[row] >= 0.0, "the weight", row)?;
        }
        let bad = self.penalty.iter().position(|penalty| !(penalty.is_finite() && *penalty >= 0.0));
        number(bad.is_none(), "the penalty", bad.unwrap_or(0))
    }

    /// One coefficient and one column of the factor for each feature.
    fn check_model(&self, coefficients: &[f64], factor: &Factor) -> Result<(), MembershipError> {
        let (found, expected) = (coefficients.len(), self.penalty.len());
        if found != expected {
            return Err(MembershipError::Length { what: "the coefficients", found, expected });
        }
        factor.check(expected)
    }

    fn predictor(&self, coefficients: &[f64]) -> Result<Vec<f64>, MembershipError> {
        let (found, expected) = (coefficients.len(), self.penalty.len());
        if found != expected {
            return Err(MembershipError::Length { what: "the coefficients", found, expected });
        }
        let predictor: Vec<f64> = self.features.iter().map(|x| dot(x, coefficients)).collect();
        match predictor.iter().position(|predictor| !predictor.is_finite()) {
            Some(row) => Err(MembershipError::NotANumber { what: "the predictor", row }),
            None => Ok(predictor),
        }
    }

    /// A = X'WX + P of a linear model.
    pub fn factor(&self) -> Result<Factor, MembershipError> {
        self.check()?;
        Factor::of_rows(self.features, self.weights, self.penalty)
    }
}

/// A linear model: least squares with these weights and penalty, with the factor of its A.
pub fn linear(rows: Rows<'_>, factor: &Factor) -> Result<LeaveOneOut, MembershipError> {
    rows.check()?;
    factor.check(rows.penalty.len())?;
    let mut right = vec![0.0; rows.penalty.len()];
    for ((x, y), w) in rows.features.iter().zip(rows.target).zip(rows.weights) {
        right.iter_mut().zip(x).for_each(|(sum, x)| *sum += w * x * y);
    }
    linear_at(rows, &factor.solve(&right), factor)
}

/// A linear model at its coefficients, with the factor of the A it was fitted with. The rows may be some of those behind the factor. With a
/// penalty on absolute values A is of the columns that are not zero: the same formula holds while these and their signs stay.
pub fn linear_at(rows: Rows<'_>, coefficients: &[f64], factor: &Factor) -> Result<LeaveOneOut, MembershipError> {
    rows.check()?;
    rows.check_model(coefficients, factor)?;
    let mut result = LeaveOneOut::with_capacity(rows.target.len());
    for ((x, y), w) in rows.features.iter().zip(rows.target).zip(rows.weights) {
        let error = dot(x, coefficients) - y;
        let h = w * factor.length(x);
        let outside = if h > LEVERAGE_MAX { f64::INFINITY } else { error / (1.0 - h) };
        result.push(h, outside, error * error, outside * outside);
    }
    Ok(result)
}

/// A logistic model at its coefficients, which are the minimum of the weighted log loss and half the penalty times their squares.
pub fn logistic(rows: Rows<'_>, coefficients: &[f64]) -> Result<LeaveOneOut, MembershipError> {
    rows.check()?;
    let predictor = rows.predictor(coefficients)?;
    let weights: Vec<f64> = predictor.iter().zip(rows.weights).map(|(&t, w)| w * share(t) * share(-t)).collect();
    let factor = Factor::of_rows(rows.features, &weights, rows.penalty)?;
    logistic_at(rows, coefficients, &factor)
}

/// The same with the factor of A at these coefficients. The rows may be some of those behind the factor.
pub fn logistic_at(rows: Rows<'_>, coefficients: &[f64], factor: &Factor) -> Result<LeaveOneOut, MembershipError> {
    rows.check()?;
    let predictor = rows.predictor(coefficients)?;
    rows.check_model(coefficients, factor)?;
    if let Some(row) = rows.target.iter().position(|&y| y != 0.0 && y != 1.0) {
        return Err(MembershipError::NotANumber { what: "the target", row });
    }
    let mut result = LeaveOneOut::with_capacity(rows.target.len());
    for (i, x) in rows.features.iter().enumerate() {
        let (t, y, length) = (predictor[i], rows.target[i], factor.length(x));
        let h = rows.weights[i] * share(t) * share(-t) * length;
        let outside = match (h > LEVERAGE_MAX, y > 0.5) {
            // Alone with its outcome: without it nothing speaks for that outcome.
            (true, true) => f64::NEG_INFINITY,
            (true, false) => f64::INFINITY,
            (false, _) => t - length * rows.weights[i] * (y - share(t)) / (1.0 - h),
        };
        result.push(h, outside, log_loss(t, y), log_loss(outside, y));
    }
    Ok(result)
}

/// The probability at a predictor.
fn share(t: f64) -> f64 {
    1.0 / (1.0 + (-t).exp())
}

impl LeaveOneOut {
    fn with_capacity(n: usize) -> LeaveOneOut {
        let empty = || Vec::with_capacity(n);
        LeaveOneOut { leverage: empty(), outside: empty(), loss_in: empty(), loss_out: empty() }
    }

    fn push(&mut self, leverage: f64, outside: f64, loss_in: f64, loss_out: f64) {
        self.leverage.push(leverage);
        self.outside.push(outside);
        self.loss_in.push(loss_in);
        self.loss_out.push(loss_out);
    }
}

/// -ln P(y) at this predictor.
fn log_loss(predictor: f64, y: f64) -> f64 {
    let t = if y > 0.5 { -predictor } else { predictor };
    t.max(0.0) + (-t.abs()).exp().ln_1p()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// A share with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
}

/// What the attack recognises when it is wrong about few others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtRate {
    /// False positive rate that was allowed.
    pub allowed: f64,
    /// False positives there were.
    pub false_positives: u64,
    pub true_positives: u64,
    pub rate: Ends,
}

/// The threshold attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    pub rows: u64,
    /// Rows without which the model is not determined; they count as recognised.
    pub undetermined: u64,
    /// Probability that a member's loss is below another's, ties counted half; 0.5 is chance.
    pub auc: Ends,
    pub at: [AtRate; 2],
}

/// False positive rates at which the attack is reported.
pub const FALSE_POSITIVE_RATES: [f64; 2] = [0.001, 0.01];

/// The attack on all rows; none without rows.
pub fn membership(left_out: &LeaveOneOut, confidence: f64) -> Option<Membership> {
    let (members, others) = (&left_out.loss_in, &left_out.loss_out);
    let n = members.len().min(others.len());
    if n == 0 {
        return None;
    }
    let sorted = |losses: &[f64]| {
        let mut losses = losses[..n].to_vec();
        losses.sort_by(f64::total_cmp);
        losses
    };
    let (low, high) = (sorted(members), sorted(others));
    Some(Membership {
        rows: n as u64,
        undetermined: left_out.leverage.iter().filter(|leverage| **leverage > LEVERAGE_MAX).count() as u64,
        auc: auc(&members[..n], &others[..n], &low, &high, confidence),
        at: FALSE_POSITIVE_RATES.map(|allowed| at_rate(allowed, &low, &high, confidence)),
    })
}

/// Mean placement, and the variance of the sums of a row's two placements.
fn auc(members: &[f64], others: &[f64], low: &[f64], high: &[f64], confidence: f64) -> Ends {
    let n = members.len() as f64;
    // Share of the sorted losses below, ties half.
    let below = |sorted: &[f64], loss: f64| {
        let less = sorted.partition_point(|other| *other < loss);
        let equal = sorted[less..].partition_point(|other| *other <= loss);
        (less as f64 + equal as f64 / 2.0) / n
    };
    let placements: Vec<f64> =
        members.iter().zip(others).map(|(m, o)| 1.0 - below(high, *m) + below(low, *o)).collect();
    let value = placements.iter().sum::<f64>() / (2.0 * n);
    if value <= 0.0 || value >= 1.0 || n < 2.0 {
        let (lower, upper) = clopper_pearson((value * n).round() as u64, n as u64, 1.0 - confidence);
        return Ends { value, lower, upper };
    }
    let squares: f64 = placements.iter().map(|sum| (sum - 2.0 * value).powi(2)).sum();
    let half = normal(confidence) * (squares / (n * (n - 1.0))).sqrt();
    Ends { value, lower: (value - half).max(0.0), upper: (value + half).min(1.0) }
}

/// The largest threshold below which no more than the allowed share of the others lies.
fn at_rate(allowed: f64, low: &[f64], high: &[f64], confidence: f64) -> AtRate {
    let n = low.len();
    let most = (allowed * n as f64).floor() as usize;
    let below = |sorted: &[f64]| match high.get(most) {
        Some(threshold) => sorted.partition_point(|loss| loss < threshold),
        None => n,
    };
    let (true_positives, false_positives) = (below(low) as u64, below(high) as u64);
    let (lower, upper) = clopper_pearson(true_positives, n as u64, 1.0 - confidence);
    AtRate {
        allowed,
        false_positives,
        true_positives,
        rate: Ends { value: true_positives as f64 / n as f64, lower, upper },
    }
}

/// Share of the rows that count as most exposed.
pub const EXPOSED: f64 = 0.01;

/// A cohort among the rows with the largest leverage.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    pub cohort: u32,
    pub rows: u64,
    /// Its rows among the most exposed. Rows with the same leverage as the last of those count as well.
    pub exposed: u64,
    /// Of all exposed rows.
    pub share_of_exposed: f64,
    /// Of the cohort's rows; everyone has about [`EXPOSED`].
    pub share_of_cohort: Ends,
}

/// Who the most exposed rows are, by cohort in ascending order of code.
pub fn exposure(leverage: &[f64], cohorts: &[u32], confidence: f64) -> Result<Vec<Exposure>, MembershipError> {
    let n = leverage.len();
    if cohorts.len() != n {
        return Err(MembershipError::Length { what: "the cohorts", found: cohorts.len(), expected: n });
    }
    let mut sorted = leverage.to_vec();
    sorted.sort_by(|x, y| y.total_cmp(x));
    let many = (n as f64 * EXPOSED).ceil() as usize;
    let Some(&least) = many.checked_sub(1).and_then(|last| sorted.get(last)) else { return Ok(Vec::new()) };
    let mut counts = std::collections::BTreeMap::<u32, (u64, u64)>::new();
    for (&cohort, leverage) in cohorts.iter().zip(leverage) {
        let (rows, exposed) = counts.entry(cohort).or_insert((0, 0));
        *rows += 1;
        *exposed += u64::from(leverage.total_cmp(&least).is_ge());
    }
    let all: u64 = counts.values().map(|(_, exposed)| exposed).sum();
    let of = |(cohort, (rows, exposed)): (u32, (u64, u64))| {
        let (lower, upper) = clopper_pearson(exposed, rows, 1.0 - confidence);
        let share_of_cohort = Ends { value: exposed as f64 / rows as f64, lower, upper };
        Exposure { cohort, rows, exposed, share_of_exposed: exposed as f64 / all as f64, share_of_cohort }
    };
    Ok(counts.into_iter().map(of).collect())
}

#[cfg(test)]
mod tests;
