//! Metrics: pure functions of released evidence.
//!
//! One demand per kind of input, however many metrics: a contingency table of cohorts by label and decision, a histogram of scores, moments
//! of errors. Every metric yields a [`Sample`] per cohort; comparisons, intervals and suppression are then the same for all.

use std::sync::Arc;

use crate::audit::{Contrast, Reading};
use crate::cohort::Cohort;
use crate::demand::{Axis, Demand, Rows, Shape};
use crate::estimate::{BUCKETS, Measured, Sample, Why, contrast};
use crate::evidence::{Missing, Released};
use crate::metric::{Against, COMPOSITES, Card, Comparison, Needs, RATES, REGRESSIONS, SCORES};
use crate::plan::{Numeric, Plan};
use crate::scalar::{Expr, Scalar, Value};

mod errors;
mod rates;
mod scores;
pub mod suppression;
mod tables;

pub use tables::{Cohorts, Group};

use suppression::{Layer, Protection};

/// What is measured: columns of the source, or of a model that was trained.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    pub label: Option<Scalar>,
    pub decision: Option<Scalar>,
    pub score: Option<Score>,
    pub target: Option<Numeric>,
    pub prediction: Option<Scalar>,
}

/// A score between 0 and 1.
#[derive(Debug, Clone)]
pub struct Score {
    pub of: Scalar,
    /// Log loss of a row, where the plan has an integer table for it.
    pub log_loss: Option<Scalar>,
}

impl Subject {
    /// The given columns.
    pub fn given(plan: &Plan) -> Subject {
        Subject {
            label: plan.label.clone(),
            decision: plan.decision.clone(),
            score: plan.score.clone().map(|of| Score { of, log_loss: None }),
            target: plan.target.clone(),
            prediction: plan.prediction.clone(),
        }
    }

    /// True when the columns a metric needs are there.
    pub fn has(&self, card: &Card) -> bool {
        match card.needs {
            Needs::Label => self.label.is_some(),
            Needs::Decision => self.decision.is_some(),
            Needs::LabelAndDecision => self.label.is_some() && self.decision.is_some(),
            Needs::LabelAndScore if card.id == "log-loss" => {
                self.label.is_some() && self.score.as_ref().is_some_and(|score| score.log_loss.is_some())
            }
            Needs::LabelAndScore => self.label.is_some() && self.score.is_some(),
            Needs::NumberAndPrediction => self.target.is_some() && self.prediction.is_some(),
        }
    }
}

/// Metrics of the pipeline that the subject allows.
pub fn measured(plan: &Plan, subject: &Subject) -> Vec<Card> {
    let wanted = &plan.spec.measure.metrics;
    let all = crate::metric::cards();
    all.into_iter().filter(|card| subject.has(card) && (wanted.is_empty() || wanted.iter().any(|id| id == card.id))).collect()
}

/// A truth value that is always missing: the axis of a column that is not there.
fn never() -> Scalar {
    Expr::Case(vec![(Expr::Literal(Value::Truth(false)), Expr::Literal(Value::Truth(true)))], None)
}

/// The statistics all metrics are computed from.
pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    let rows = plan.part(Plan::TEST);
    let mut by: Vec<Axis> = plan
        .attributes
        .iter()
        .map(|attribute| Axis::Levels { of: Scalar::column(&attribute.name), levels: attribute.levels.clone() })
        .collect();
    let buckets = || Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS);
    let truth = |of: &Option<Scalar>| Axis::Truth { of: of.clone().unwrap_or_else(never) };
    let dependent = plan.dependent.then(buckets);
    let mut axes = by.clone();
    axes.extend([truth(&subject.label), truth(&subject.decision)]);
    axes.extend(dependent.clone());
    let table = Shape::Tally { axes, weight: plan.weight.clone() };
    let mut demands = vec![demand("measure/table", &rows, table)];
    if let (Some(score), Some(_)) = (&subject.score, &subject.label) {
        let mut axes = by.clone();
        axes.push(truth(&subject.label));
        axes.extend(dependent.clone());
        demands.push(demand("measure/score", &rows, scores::histogram(axes, score)));
    }
    by.extend(dependent);
    if let (Some(score), Some(label)) = (&subject.score, &subject.label) {
        demands.push(demand("measure/loss", &rows, scores::losses(by.clone(), score, label)));
    }
    if let (Some(target), Some(prediction)) = (&subject.target, &subject.prediction) {
        demands.push(demand("measure/error", &rows, errors::moments(by, target, prediction)));
    }
    demands
}

fn demand(name: &str, rows: &Rows, shape: Shape) -> Demand {
    Demand { name: name.into(), rows: rows.clone(), shape }
}

/// What measuring yields.
pub struct Measurement {
    pub cohorts: Vec<crate::audit::CohortTable>,
    pub readings: Vec<Reading>,
    pub metrics: Vec<Card>,
    pub notes: Vec<String>,
    pub rows_measured: i64,
}

/// Computes every metric for every cohort and every comparison.
pub fn measure(plan: &Plan, subject: &Subject, released: &Released) -> Result<Measurement, Missing> {
    let table = released.tally("measure/table")?;
    let cohorts = Cohorts::of(plan, table);
    let protection = Protection::of(plan, table);
    let metrics = measured(plan, subject);
    let mut readings = Vec::new();
    let mut notes = protection.notes().to_vec();
    for card in &metrics {
        let id = card.id;
        if let Some(rate) = RATES.iter().find(|rate| rate.card.id == id) {
            let layer = Layer::of(card.needs);
            readings.extend(emit(plan, card, &cohorts, &protection, layer, &|group| rates::share(rate, group, plan.dependent)));
        } else if let Some(composite) = COMPOSITES.iter().find(|composite| composite.card.id == id) {
            let sample = |group: &Group| rates::composite(composite, group, plan);
            readings.extend(emit(plan, card, &cohorts, &protection, Layer::Joint, &sample));
        } else if SCORES.iter().any(|score| score.id == id) {
            let scores = scores::Scores::of(plan, released)?;
            notes.extend(scores.notes(id));
            readings.extend(emit(plan, card, &cohorts, &protection, Layer::Joint, &|group| scores.sample(id, group, plan)));
        } else if REGRESSIONS.iter().any(|regression| regression.id == id) {
            if let Some(target) = &subject.target {
                let errors = errors::Errors::of(plan, released, target)?;
                readings.extend(emit(plan, card, &cohorts, &protection, Layer::Rows, &|group| errors.sample(id, group)));
            }
        }
    }
    notes.sort();
    notes.dedup();
    let rows_measured = table.total().n;
    Ok(Measurement { cohorts: cohorts.tables(plan, &protection), readings, metrics, notes, rows_measured })
}

/// Comparisons that are published for every metric.
const CONTRASTS: [(Comparison, Against); 8] = [
    (Comparison::Difference, Against::WorstPair),
    (Comparison::Ratio, Against::WorstPair),
    (Comparison::Difference, Against::Highest),
    (Comparison::Ratio, Against::Highest),
    (Comparison::Difference, Against::Overall),
    (Comparison::Ratio, Against::Overall),
    (Comparison::Difference, Against::Reference),
    (Comparison::Ratio, Against::Reference),
];

/// The readings of one metric: everyone, every cohort, every comparison.
fn emit(
    plan: &Plan,
    card: &Card,
    cohorts: &Cohorts,
    protection: &Protection,
    layer: Layer,
    sample: &dyn Fn(&Group) -> Sample,
) -> Vec<Reading> {
    let confidence = plan.spec.measure.confidence;
    let metric: Arc<str> = card.id.into();
    let everyone = sample(&cohorts.everyone);
    let reading = |across: &[Arc<str>], cohort: &Cohort, contrast: Option<Contrast>, measured: Measured| Reading {
        metric: metric.clone(),
        across: across.to_vec(),
        cohort: cohort.clone(),
        contrast,
        measured,
    };
    let shown = |set: Option<usize>, group: &Group, measured: Measured| match protection.shows(set, &group.codes, layer) {
        true => measured,
        false => Measured::Suppressed,
    };
    let mut readings = vec![reading(&[], &Cohort::everyone(), None, shown(None, &cohorts.everyone, everyone.measure(confidence)))];
    for (set, groups) in cohorts.sets.iter().enumerate() {
        let samples: Vec<Sample> = groups.groups.iter().map(sample).collect();
        for (group, sample) in groups.groups.iter().zip(&samples) {
            readings.push(reading(&groups.names, &group.cohort, None, shown(Some(set), group, sample.measure(confidence))));
        }
        let compared: Vec<usize> = (0..samples.len()).filter(|&i| groups.groups[i].compared).collect();
        let chosen: Vec<Sample> = compared.iter().map(|&i| samples[i].clone()).collect();
        let reference = groups.reference.and_then(|at| compared.iter().position(|&i| i == at));
        for (compare, against) in CONTRASTS {
            if against == Against::Reference && reference.is_none() {
                continue;
            }
            let signed = card.id == "mean-residual" || card.id == "r-squared" || card.id == "matthews-correlation";
            for result in contrast(compare, against, &chosen, &everyone, reference, confidence) {
                let measured = match (signed, compare) {
                    (true, Comparison::Ratio) => Measured::Undefined { why: Why::RatioOfSigned },
                    _ => result.measured,
                };
                let at = |i: usize| compared.get(i).map(|&i| &groups.groups[i]);
                let (group, other) = (at(result.cohort), result.with.and_then(at));
                let all_shown = match against {
                    Against::WorstPair | Against::Highest => {
                        compared.iter().all(|&i| protection.shows(Some(set), &groups.groups[i].codes, layer))
                    }
                    Against::Overall | Against::Reference => group
                        .into_iter()
                        .chain(other)
                        .all(|group| protection.shows(Some(set), &group.codes, layer)),
                };
                let measured = if all_shown { measured } else { Measured::Suppressed };
                let hidden = measured == Measured::Suppressed && against != Against::Overall && against != Against::Reference;
                let name = |group: Option<&Group>| group.filter(|_| !hidden).map(|group| group.cohort.clone());
                let cohort = name(group).unwrap_or_else(Cohort::everyone);
                let contrast = Contrast { compare, against, with: name(other) };
                readings.push(reading(&groups.names, &cohort, Some(contrast), measured));
            }
        }
    }
    readings
}
