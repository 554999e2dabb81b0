//! Linear models fitted again from moments: the covariance penalty exactly, and features without what is linear in the cohorts.
//!
//! The first pass brings the sums of products of features and target, and of both with the indicators of the cohorts. With centred sums G, c
//! and v_g = cov(cohort g, features) the penalised minimum is that of 1/2 b'(G/n + strength sum v_g v_g') b - b'c/n and the penalty of the
//! model (Calders, Karim, Kamiran, Ali and Zhang 2013, ICDM). Sums of residuals about cohort means are G less n_g times the products of the
//! cohorts' means.

use super::fit::{Covariance, strengths};
use super::refit::{Fitted, with_indicators};
use super::repair;
use crate::demand::{Demand, Fixed, Limbs, Shape};
use crate::evidence::Released;
use crate::model::Model;
use crate::plan::mitigated::Mitigated;
use crate::plan::spec::Train;
use crate::plan::{Numeric, Plan};
use crate::train::card::{self, Fit};
use crate::train::centred::{Centred, at};
use crate::train::design::Design;
use crate::train::factor::{Symmetric, dot};
use crate::train::newton::Point;
use crate::train::path::Choice;
use crate::train::quadratic::Quadratic;

const MOMENTS: &str = "mitigate/moments";

/// Sums of products over the training rows, also with the indicators of the cohorts.
pub fn demand(plan: &Plan, target: &Numeric, mitigated: &Mitigated) -> Demand {
    let mut of: Vec<Fixed> = plan.features.iter().map(|feature| feature.fixed.clone()).collect();
    of.push(Fixed { of: target.of.clone(), lower: target.lower, upper: target.upper });
    let indicator = |at: usize| Some(Fixed { of: mitigated.indicator(at)?, lower: 0.0, upper: 1.0 });
    let cross = (0..mitigated.cohorts.len()).filter_map(indicator).collect();
    let shape = Shape::Moments { by: Vec::new(), of, weights: Vec::new(), cross, gram: true, limbs: Limbs::Two };
    Demand { name: MOMENTS.into(), rows: plan.part(0), shape }
}

/// Sums on the scale of the penalty; divided by the number of rows.
pub struct Sums<'a> {
    plan: &'a Plan,
    train: &'a Train,
    mitigated: &'a Mitigated,
    choice: Choice,
    design: Design<'a>,
    n: i64,
    gram: Symmetric,
    cross: Vec<f64>,
    target_mean: f64,
    /// Share of every cohort, means of features and target in it, from the means of all.
    cohorts: Vec<(f64, Vec<f64>, f64)>,
}

impl<'a> Sums<'a> {
    pub fn of(
        plan: &'a Plan,
        train: &'a Train,
        mitigated: &'a Mitigated,
        model: &Model,
        released: &Released,
    ) -> Result<Sums<'a>, String> {
        let moments = released.moments(MOMENTS).map_err(|e| e.to_string())?;
        let target = plan.target.as_ref().ok_or("there is no numeric target")?;
        let sums = moments.total_where(|_| true).ok_or("there are no training rows")?;
        let all = Centred::of(&sums, moments.scale_bits).ok_or("there are no training rows")?;
        let design = Design::of(&plan.features, train, &all, true).map_err(|e| e.to_string())?;
        let (y, half, n) = (plan.features.len(), (target.upper - target.lower) / 2.0, all.n as f64);
        let column = |k: usize| design.active[k];
        let size = design.size();
        let gram = Symmetric::of(size, |k, l| {
            all.products.get(column(k), column(l)) / (design.scale(k) * design.scale(l)) / n
        });
        let cross = (0..size).map(|k| all.products.get(column(k), y) * half / design.scale(k) / n).collect();
        let (variables, width) = (y + 2, mitigated.cohorts.len());
        let unit = 2f64.powi(-2 * moments.scale_bits as i32);
        // An indicator on [0, 1] is summed as 2 a - 1.
        let with =
            |i: usize, g: usize| (sums.cross[i * width + g] + sums.gram[at(variables, 0, i)]) as f64 * unit / 2.0;
        let cohort = |g: usize| {
            let rows = with(0, g);
            let mean = |i: usize, centre: f64| if rows > 0.0 { with(i, g) / rows - centre } else { 0.0 };
            let features = (0..size).map(|k| mean(column(k) + 1, design.mean(k)) / design.scale(k)).collect();
            (rows / n, features, mean(y + 1, all.mean[y]) * half)
        };
        let cohorts = (0..width).map(cohort).collect();
        let choice = Choice { strength: model.card.strength, l1_ratio: model.card.l1_ratio };
        let target_mean = target.lower + (all.mean[y] + 1.0) * half;
        Ok(Sums { plan, train, mitigated, choice, design, n: all.n, gram, cross, target_mean, cohorts })
    }

    fn model(&self, design: &Design, point: Point, note: String) -> Fitted {
        let made = vec![note, format!("Fitted on {} training rows.", self.n)];
        let (choice, rows, notes) = (self.choice, self.n, made.clone());
        let fit = Fit { choice, b: point.b, b0: point.b0, errors: None, path: Vec::new(), rows, skipped: 0, notes };
        let model = card::model(self.plan, self.train, design, fit).map_err(|e| e.to_string())?;
        Ok((model, made))
    }

    /// Covariance of the columns with the indicator of every cohort: its share times how far its means are from those of all.
    fn covariances(&self) -> Vec<Vec<f64>> {
        self.cohorts.iter().map(|(share, means, _)| means.iter().map(|mean| share * mean).collect()).collect()
    }

    fn minimum(&self, gram: Symmetric, cross: Vec<f64>) -> Result<Vec<f64>, String> {
        let found = Quadratic::new(gram, cross).minimise(self.choice.weights());
        found.map_err(|why| crate::train::unsolved(&why, &self.choice).to_string())
    }

    /// Models along the strengths of the penalty, with the covariance each leaves.
    pub fn penalised(&self, wanted: &[f64]) -> Vec<(f64, f64, Fitted)> {
        let with = self.covariances();
        let chosen = match wanted.is_empty() {
            false => wanted.to_vec(),
            true => strengths(&self.gram, self.choice.weights().square, &with),
        };
        let one = |strength: f64| {
            let covariance = Covariance { strength, with: with.clone() };
            let b = match self.minimum(covariance.curve(&self.gram), self.cross.clone()) {
                Ok(b) => b,
                Err(why) => return (strength, f64::NAN, Err(why)),
            };
            let left = with.iter().map(|v| dot(v, &b).abs()).fold(0.0, f64::max);
            let note = format!(
                "A penalty of strength {} on the squared covariances of prediction and cohort leaves a covariance of at most {left:.1e} in the training rows (Calders et al. 2013).",
                super::rounded(strength)
            );
            (strength, left, self.model(&self.design, Point { b, b0: self.target_mean }, note))
        };
        chosen.into_iter().map(one).collect()
    }

    /// A model of what is left of the features when the cohort's mean is taken off.
    pub fn decorrelated(&self) -> Fitted {
        let gram = Symmetric::of(self.gram.size, |k, l| {
            self.gram.get(k, l) - self.cohorts.iter().map(|(share, means, _)| share * means[k] * means[l]).sum::<f64>()
        });
        let taken = |k: usize| self.cohorts.iter().map(|(share, means, y)| share * means[k] * y).sum::<f64>();
        let cross = self.cross.iter().enumerate().map(|(k, c)| c - taken(k)).collect();
        let b = self.minimum(gram, cross)?;
        let means: Vec<Vec<f64>> = self.cohorts.iter().map(|(_, means, _)| means.clone()).collect();
        let features = with_indicators(&self.plan.features, self.mitigated);
        let point = Point { b, b0: self.target_mean };
        let (wide, point) = repair::widened(&features, self.train, &self.design, point, &means);
        self.model(&wide, point, repair::DECORRELATED.into())
    }
}
