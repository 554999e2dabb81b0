//! The model that was trained here, attacked with the rows it was trained on.
//!
//! With q the features in fixed point on their bounds, m integers near their means, x = (1, q - m) and n the training rows, the fit minimises the
//! loss plus half of b'Pb, P_jj = n strength (1 - l1_ratio) scale_j^2 (`train::card` has the objective), and A = X'WX + P. A comes from sums over
//! all training rows; rows that are attacked are those of smallest hash, all of them where they are no more than `attacks.rows_max`. Sums of
//! weighted products are at 2^-20: where every training row is attacked A of a logistic model is summed from the rows instead.
//!
//! With a penalty on absolute values A is of the features with a coefficient, and a row is left out while these and their signs stay. The strength,
//! the scaling and the choice of the penalty stay as they were.
//!
//! Attribute inference: rows of the test part are people an attacker may know. Every other one tells how levels and the other features go together
//! (numbers in four parts of their bounds); the rest are attacked like those that were trained on, and show what the model tells of anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::membership::{
    self, Advantage, Attribute, Ends, Factor, LeaveOneOut, MembershipError, attribute_inference, linear_likelihoods,
    logistic_likelihoods,
};
use crate::audit::{Attempt, AttributeGuessed, Exposed, Guessed, ModelAttacked, Recognised, Share};
use crate::demand::{Demand, Fixed, Limbs, Rows, Shape};
use crate::evidence::Released;
use crate::model::Model;
use crate::plan::Plan;
use crate::plan::features::Feature;
use crate::plan::spec::{Attacks, ModelKind};
use crate::scalar::{Arithmetic, Expr, Order, Scalar, Value};
use crate::schema::Domain;
use crate::statistic::{Bins, MomentSums, Panel, PanelValue};

const MOMENTS: &str = "attack/moments";
const MEMBERS: &str = "attack/members";
const OTHERS: &str = "attack/others";
/// Greatest weight p (1 - p) of a logistic model.
const WEIGHT_MAX: f64 = 0.25;
/// Parts of a number's bounds that an attacker tells apart.
const PARTS: u32 = 4;
const BITS: u32 = 40;

/// Sums over the training rows, the training rows of smallest hash and, to guess a level, those of the test part.
pub fn demands(plan: &Plan, model: &Model, attacks: &Attacks) -> Vec<Demand> {
    let Some(outcome) = outcome(plan, model.kind) else { return Vec::new() };
    let weights = match model.kind {
        ModelKind::Linear => Vec::new(),
        ModelKind::Logistic => vec![Fixed { of: weight(model), lower: -WEIGHT_MAX, upper: WEIGHT_MAX }],
    };
    let features = || plan.features.iter().map(|feature| feature.fixed.clone());
    let of = features().chain([outcome.clone()]).collect();
    let moments = Shape::Moments { by: Vec::new(), of, weights, cross: Vec::new(), gram: true, limbs: Limbs::Two };
    let limit = attacks.rows_max as usize;
    let sensitive = attacks.sensitive.iter().map(|name| Scalar::column(name));
    let known: Vec<Scalar> = features().map(|fixed| fixed.of).chain([outcome.of]).chain(sensitive).collect();
    let cohorts = plan.attributes.iter().map(|attribute| Scalar::column(&attribute.name));
    let panel = |of| Shape::Panel { of, key: plan.key.clone(), salt: plan.salt("attack"), limit, distinct: false };
    let demand = |name: &str, rows: Rows, shape| Demand { name: name.into(), rows, shape };
    let mut demands = vec![
        demand(MOMENTS, plan.part(0), moments),
        demand(MEMBERS, plan.part(0), panel(known.iter().cloned().chain(cohorts).collect())),
    ];
    if attacks.sensitive.is_some() {
        demands.push(demand(OTHERS, plan.part(Plan::TEST), panel(known)));
    }
    demands
}

/// The target, or 1 and 0 for the label.
fn outcome(plan: &Plan, kind: ModelKind) -> Option<Fixed> {
    match kind {
        ModelKind::Linear => {
            plan.target.as_ref().map(|target| Fixed { of: target.of.clone(), lower: target.lower, upper: target.upper })
        }
        ModelKind::Logistic => plan.label.as_ref().map(|label| Fixed { of: label.clone(), lower: 0.0, upper: 1.0 }),
    }
}

/// p (1 - p) by the published table.
fn weight(model: &Model) -> Scalar {
    let both = |by, left: Scalar, right: Scalar| Expr::Arithmetic(by, Box::new(left), Box::new(right));
    both(Arithmetic::Multiply, model.score(), both(Arithmetic::Subtract, Scalar::number(1.0), model.score()))
}

/// A model, and what its attackers know.
struct Target<'a> {
    plan: &'a Plan,
    model: &'a Model,
    /// Coefficients of the features on [-1, 1], and the intercept.
    b: Vec<f64>,
    b0: f64,
    /// Integers near the means of the features, in units of 2^-40.
    middle: Vec<i128>,
    /// Positions of the features that A is of.
    active: Vec<usize>,
    /// For the intercept and the active features.
    penalty: Vec<f64>,
}

/// Rows of a panel that lack neither a feature nor the outcome.
#[derive(Default)]
struct Known {
    features: Vec<Vec<f64>>,
    outcome: Vec<f64>,
    /// What follows in the panel: the sensitive column where one is named, the protected ones of members.
    texts: Vec<Vec<Option<Arc<str>>>>,
}

/// Attacks the model; the reason where it cannot be.
pub fn attack(plan: &Plan, model: &Model, attacks: &Attacks, evidence: &Released) -> Result<ModelAttacked, String> {
    let moments = evidence.moments(MOMENTS).map_err(|e| e.to_string())?;
    let sums = moments.total_where(|_| true).filter(|sums| sums.n > 0);
    let sums = sums.ok_or("no training row has all features and the outcome")?;
    let variables = plan.features.len() + 2;
    if sums.gram.len() != variables * (variables + 1) / 2 || model.predictor.coefficients.len() != plan.features.len() {
        return Err("the sums, or the model, are not of the features in the plan".into());
    }
    let panel = |name| evidence.panel(name).map_err(|e| e.to_string()).map(|panel| Known::of(panel, plan));
    let members = panel(MEMBERS)?;
    let target = Target::of(plan, model, &sums);
    let left_out = target.left_out(&members, &sums).map_err(|why| target.worded(&why))?;
    let confidence = plan.spec.measure.confidence;
    let found = membership::membership(&left_out, confidence).ok_or("no row was attacked")?;
    let attribute = attacks.sensitive.as_ref().map(|name| {
        let mean = left_out.loss_in.iter().sum::<f64>() / left_out.loss_in.len().max(1) as f64;
        Attempt::of(panel(OTHERS).and_then(|others| target.guessed(name, &members, &others, mean.sqrt())))
    });
    let recognised = |at: &membership::AtRate| Recognised {
        false_positives_max: at.allowed,
        false_positives: at.false_positives,
        true_positive_rate: share(at.rate),
    };
    Ok(ModelAttacked {
        rows_trained: sums.n.unsigned_abs(),
        rows_attacked: found.rows,
        undetermined: found.undetermined,
        auc: share(found.auc),
        at: found.at.iter().map(recognised).collect(),
        exposure: target.exposure(&members, &left_out, usize::from(attacks.sensitive.is_some()))?,
        attribute,
        notes: target.notes(found.rows, sums.n.unsigned_abs()),
    })
}

impl Known {
    fn of(panel: &Panel, plan: &Plan) -> Known {
        let mut known = Known::default();
        for (_, values, n) in panel.rows() {
            let (numbers, texts) = values.split_at((plan.features.len() + 1).min(values.len()));
            let numbers: Option<Vec<f64>> = numbers.iter().map(|value| value.as_ref().and_then(number)).collect();
            let Some(mut features) = numbers else { continue };
            let Some(outcome) = features.pop() else { continue };
            let texts: Vec<_> = texts.iter().map(text).collect();
            for _ in 0..n {
                known.features.push(features.clone());
                known.outcome.push(outcome);
                known.texts.push(texts.clone());
            }
        }
        known
    }
}

fn number(value: &PanelValue) -> Option<f64> {
    match value {
        PanelValue::Number(number) => Some(number.number()),
        PanelValue::Truth(truth) => Some(f64::from(u8::from(*truth))),
        PanelValue::Text(_) => None,
    }
}

fn text(value: &Option<PanelValue>) -> Option<Arc<str>> {
    match value {
        Some(PanelValue::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn share(ends: Ends) -> Share {
    Share { value: ends.value, lower: ends.lower, upper: ends.upper }
}

/// Position of (i, j) in an upper triangle by rows.
fn at(variables: usize, i: usize, j: usize) -> usize {
    let (i, j) = (i.min(j), i.max(j));
    i * (2 * variables - i - 1) / 2 + j
}

impl<'a> Target<'a> {
    fn of(plan: &'a Plan, model: &'a Model, sums: &MomentSums) -> Target<'a> {
        let (b, b0) = model.predictor.floats();
        let features = &plan.features;
        let (n, variables) = (i128::from(sums.n), features.len() + 2);
        let sum = |j: usize| sums.gram[at(variables, 0, j + 1)] >> BITS;
        let middle: Vec<i128> = (0..features.len()).map(|j| (2 * sum(j) + n).div_euclid(2 * n)).collect();
        let deviation = |j: usize| {
            let rest = (sum(j) - n * middle[j]) as f64 / n as f64;
            let square = sums.gram[at(variables, j + 1, j + 1)] - 2 * middle[j] * sum(j) + n * middle[j] * middle[j];
            (square as f64 / n as f64 - rest * rest).max(0.0).sqrt() * 2f64.powi(-(BITS as i32))
        };
        let card = &model.card;
        let chosen = card.strength * card.l1_ratio > 0.0 || plan.spec.privacy.is_some();
        let is_active = |&j: &usize| if chosen { b[j] != 0.0 } else { deviation(j) > 0.0 };
        let active: Vec<usize> = (0..features.len()).filter(is_active).collect();
        let standardise = plan.spec.train.as_ref().is_none_or(|train| train.standardise);
        let scale = |j: usize| match standardise {
            true => deviation(j),
            false => 2.0 / (features[j].fixed.upper - features[j].fixed.lower),
        };
        let strength = card.strength * (1.0 - card.l1_ratio) * card.rows_train.max(0) as f64;
        let penalty = std::iter::once(0.0).chain(active.iter().map(|&j| strength * scale(j) * scale(j))).collect();
        Target { plan, model, b, b0, middle, active, penalty }
    }

    fn features(&self) -> &[Feature] {
        &self.plan.features
    }

    /// Every row with and without itself.
    fn left_out(&self, known: &Known, sums: &MomentSums) -> Result<LeaveOneOut, MembershipError> {
        let unit = 2f64.powi(-(BITS as i32));
        let column = |values: &[f64], j: usize| {
            let q = i128::from(self.features()[j].fixed.quantise(values[j], BITS));
            (q - self.middle[j]) as f64 * unit
        };
        let row = |values: &Vec<f64>| {
            std::iter::once(1.0).chain(self.active.iter().map(|&j| column(values, j))).collect::<Vec<f64>>()
        };
        let features: Vec<Vec<f64>> = known.features.iter().map(row).collect();
        let weights = vec![1.0; features.len()];
        let rows =
            membership::Rows { features: &features, target: &known.outcome, weights: &weights, penalty: &self.penalty };
        let shift: f64 = self.b.iter().zip(&self.middle).map(|(b, middle)| b * (*middle as f64 * unit)).sum();
        let coefficients: Vec<f64> =
            std::iter::once(self.b0 + shift).chain(self.active.iter().map(|&j| self.b[j])).collect();
        match self.model.kind {
            ModelKind::Linear => membership::linear_at(rows, &coefficients, &self.factor(sums)?),
            ModelKind::Logistic if features.len() as i64 == sums.n => membership::logistic(rows, &coefficients),
            ModelKind::Logistic => membership::logistic_at(rows, &coefficients, &self.factor(sums)?),
        }
    }

    /// A from the sums over all training rows.
    fn factor(&self, sums: &MomentSums) -> Result<Factor, MembershipError> {
        let variables = self.features().len() + 2;
        let unit = 2f64.powi(-(BITS as i32));
        let exact = |i: usize, j: usize| sums.gram[at(variables, i, j)];
        let middle = |i: usize| if i == 0 { 0 } else { self.middle[i - 1] };
        // (q_i - m_i)(q_j - m_j) summed; the constant has no middle.
        let linear = |i: usize, j: usize| {
            let (n, first) = (i128::from(sums.n), |k: usize| exact(0, k) >> BITS);
            let sum = exact(i, j) - middle(i) * first(j) - middle(j) * first(i) + n * middle(i) * middle(j);
            sum as f64 * unit * unit
        };
        let logistic = |i: usize, j: usize| {
            let of = |i: usize, j: usize| {
                sums.weighted.first().map_or(0.0, |sums| sums[at(variables, i, j)] as f64 * unit * WEIGHT_MAX)
            };
            let m = |i: usize| middle(i) as f64 * unit;
            of(i, j) - m(i) * of(0, j) - m(j) * of(0, i) + m(i) * m(j) * of(0, 0)
        };
        let columns: Vec<usize> = std::iter::once(0).chain(self.active.iter().map(|j| j + 1)).collect();
        let entry = |k: usize, l: usize| {
            let sum = match self.model.kind {
                ModelKind::Linear => linear(columns[k], columns[l]),
                ModelKind::Logistic => logistic(columns[k], columns[l]),
            };
            sum + if k == l { self.penalty[k] } else { 0.0 }
        };
        let matrix: Vec<Vec<f64>> = (0..columns.len()).map(|k| (0..=k).map(|l| entry(k, l)).collect()).collect();
        Factor::of(&matrix)
    }

    /// Why it cannot be attacked, with the feature's name.
    fn worded(&self, why: &MembershipError) -> String {
        match why {
            MembershipError::Dependent(at) => {
                let feature = at.checked_sub(1).and_then(|k| self.active.get(k)).map(|&j| &*self.features()[j].label);
                format!(
                    "{} is a combination of the other features, or nearly, and nothing penalises it",
                    feature.unwrap_or("the intercept")
                )
            }
            other => other.to_string(),
        }
    }

    /// Cohorts of the single protected attributes; withheld with other small counts.
    fn exposure(&self, known: &Known, left_out: &LeaveOneOut, first: usize) -> Result<Vec<Exposed>, String> {
        let mut all = Vec::new();
        if self.plan.spec.measure.suppress_below > 0 {
            return Ok(all);
        }
        for (at, attribute) in self.plan.attributes.iter().enumerate() {
            let level =
                |texts: &Vec<Option<Arc<str>>>| code(texts.get(first + at).cloned().flatten(), &attribute.levels);
            let codes: Vec<u32> = known.texts.iter().map(level).collect();
            let found = membership::exposure(&left_out.leverage, &codes, self.plan.spec.measure.confidence);
            all.extend(found.map_err(|e| e.to_string())?.into_iter().map(|found| Exposed {
                attribute: attribute.name.clone(),
                level: attribute.level(found.cohort),
                rows: found.rows,
                exposed: found.exposed,
                share_of_exposed: found.share_of_exposed,
                share_of_cohort: share(found.share_of_cohort),
            }));
        }
        Ok(all)
    }

    /// What holds of these numbers, in sentences.
    fn notes(&self, attacked: u64, trained: u64) -> Vec<String> {
        let card = &self.model.card;
        let (spec, signs) = (&self.plan.spec, card.strength * card.l1_ratio > 0.0);
        let mut notes = vec![match (spec.privacy.is_some(), self.model.kind) {
            (true, _) => "The model was trained with noise: a row is left out to first order, with the noise as it was. A ridge that was added against the noise is not taken into account, so rows may look more exposed than they are.".to_string(),
            (false, ModelKind::Linear) if signs => "Every row is left out as by a fit of the same features without it; strength, scaling and choice of the penalty stay as they were.".into(),
            (false, ModelKind::Linear) => "Every row is left out exactly, as by a fit without it; strength, scaling and choice of the penalty stay as they were.".into(),
            (false, ModelKind::Logistic) => "Every row is left out by the last Newton round without it; strength, scaling and choice of the penalty stay as they were.".into(),
        }];
        if signs {
            notes.push("The penalty is on absolute values: rows are left out as if the features with a coefficient, and their signs, stayed.".into());
        }
        if attacked < trained {
            notes.push(format!(
                "Of a sample of {attacked} rows of smallest hash among {trained} training rows; the curvature of the fit is that of all of them."
            ));
        }
        if self.plan.dependent {
            notes.push("Rows share units or carry weights; they were attacked one by one, and intervals are those of independent rows: they are too narrow, and a unit with several rows is easier to recognise.".into());
        }
        if spec.measure.suppress_below > 0 {
            notes.push(format!(
                "Exposure by cohort is withheld, as all counts below {} are.",
                spec.measure.suppress_below
            ));
        }
        notes
    }

    /// The level of a column, of rows that were trained on and of rows that were not.
    fn guessed(&self, name: &str, members: &Known, others: &Known, deviation: f64) -> Result<AttributeGuessed, String> {
        let Some(Domain::Levels(levels)) = self.plan.schema.column(name).map(|column| &column.domain) else {
            return Err(format!("{name} has no levels"));
        };
        let derived: Vec<_> =
            self.plan.scan.derive.iter().map(|(name, scalar)| (name.clone(), scalar.columns())).collect();
        let computed = crate::plan::computed_from(name, &derived);
        if let Some(other) =
            self.features().iter().find(|other| *other.column != *name && computed.contains(&other.column))
        {
            return Err(format!("the feature {} is computed from {name}", other.label));
        }
        if self.features().iter().all(|feature| *feature.column != *name) {
            return Err(format!("{name} is no input of the model"));
        }
        let guesser = Guesser { target: self, name, levels, deviation };
        let mut codes = BTreeMap::new();
        let mut rows = |known: &Known, keep: &dyn Fn(usize) -> bool| guesser.rows(known, keep, &mut codes);
        let (known, tried, members) =
            (rows(others, &|i| i % 2 == 0), rows(others, &|i| i % 2 == 1), rows(members, &|_| true));
        let outside: Vec<(u32, u32)> = known.others.iter().copied().zip(known.truth.iter().copied()).collect();
        let attack = |rows: &Guessing| {
            let attribute = Attribute {
                levels: levels.len() as u32,
                truth: &rows.truth,
                others: &rows.others,
                likelihood: &rows.likelihood,
                outside: &outside,
            };
            attribute_inference(attribute, self.plan.spec.measure.confidence).map(guesses).map_err(|e| e.to_string())
        };
        Ok(AttributeGuessed {
            column: name.into(),
            levels: levels.len() as u32,
            rows_known: outside.len() as u64,
            members: attack(&members)?,
            others: attack(&tried).ok(),
        })
    }
}

fn guesses(found: Advantage) -> Guessed {
    Guessed {
        rows: found.rows,
        right_with: found.right_with,
        right_without: found.right_without,
        gain: share(found.gain),
    }
}

/// Position among the levels; then missing; then outside.
fn code(text: Option<Arc<str>>, levels: &[Arc<str>]) -> u32 {
    let position = text.as_ref().map(|text| levels.iter().position(|level| level == text));
    match position {
        Some(Some(at)) => at as u32,
        None => levels.len() as u32,
        Some(None) => levels.len() as u32 + 1,
    }
}

/// Who guesses the level of one column.
struct Guesser<'a> {
    target: &'a Target<'a>,
    name: &'a str,
    levels: &'a [Arc<str>],
    /// Of the residuals of a linear model.
    deviation: f64,
}

/// Rows as a guesser sees them.
#[derive(Default)]
struct Guessing {
    truth: Vec<u32>,
    others: Vec<u32>,
    likelihood: Vec<f64>,
}

impl Guesser<'_> {
    /// Rows with a level; `codes` numbers combinations of the other features.
    fn rows(&self, known: &Known, keep: &dyn Fn(usize) -> bool, codes: &mut BTreeMap<Vec<u32>, u32>) -> Guessing {
        let mut rows = Guessing::default();
        let put_in: Vec<f64> = self.levels.iter().map(|level| self.put_in(level)).collect();
        for (i, values) in known.features.iter().enumerate().filter(|(i, _)| keep(*i)) {
            let truth = code(known.texts[i].first().cloned().flatten(), self.levels);
            if truth as usize >= self.levels.len() {
                continue;
            }
            let next = codes.len() as u32;
            rows.truth.push(truth);
            rows.others.push(*codes.entry(self.others(values)).or_insert(next));
            let rest: f64 = self.target.b0 + self.of_others().map(|j| self.term(j, values[j])).sum::<f64>();
            let predictors: Vec<f64> = put_in.iter().map(|level| rest + level).collect();
            rows.likelihood.extend(match self.target.model.kind {
                ModelKind::Linear => linear_likelihoods(&predictors, known.outcome[i], self.deviation),
                ModelKind::Logistic => logistic_likelihoods(&predictors, known.outcome[i] > 0.5),
            });
        }
        rows
    }

    fn of_others(&self) -> impl Iterator<Item = usize> {
        let features = self.target.features();
        (0..features.len()).filter(|&j| *features[j].column != *self.name)
    }

    /// What the other features are, as far as an attacker tells them apart.
    fn others(&self, values: &[f64]) -> Vec<u32> {
        let part = |j: usize| {
            let fixed = &self.target.features()[j].fixed;
            Bins { lower: fixed.lower, upper: fixed.upper, count: PARTS }.code(values[j])
        };
        self.of_others().map(part).collect()
    }

    /// What a feature adds to the predictor.
    fn term(&self, j: usize, value: f64) -> f64 {
        let q = self.target.features()[j].fixed.quantise(value, BITS);
        self.target.b[j] * (q as f64 * 2f64.powi(-(BITS as i32)))
    }

    /// What the column adds with a level put in.
    fn put_in(&self, level: &str) -> f64 {
        let features = self.target.features();
        let own = (0..features.len()).filter(|&j| *features[j].column == *self.name);
        own.map(|j| self.term(j, f64::from(u8::from(is_level(&features[j].fixed.of, level))))).sum()
    }
}

/// Whether an indicator is that of a level; that of missing values is of none.
fn is_level(of: &Scalar, level: &str) -> bool {
    match of {
        Expr::Compare(Order::Equal, _, right) => {
            matches!(&**right, Expr::Literal(Value::Text(text)) if **text == *level)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
