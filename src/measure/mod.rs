//! Metrics: pure functions of released evidence.
//!
//! One demand per kind of input, however many metrics: a contingency table of cohorts by label and decision, a histogram of scores, moments
//! of errors. Every metric yields a [`Sample`] per cohort; comparisons, intervals and suppression are then the same for all.

use std::sync::Arc;

use crate::audit::{Contrast, Reading};
use crate::cohort::Cohort;
use crate::demand::{Axis, Demand, Rows, Shape};
use crate::estimate::{BUCKETS, Compared, Measured, Sample, Why, contrast, within_width};
use crate::evidence::{Missing, Released};
use crate::metric::{
    ALL, Against, COMPOSITES, Card, Comparison, Needs, RATES, REGRESSIONS, SCORES, is_given, is_standard,
};
use crate::model::{Candidate, NotTried};
use crate::plan::{Numeric, Plan};
use crate::scalar::{Expr, Scalar, Value};

mod bias;
mod errors;
mod index;
mod noise;
pub mod privacy;
mod rates;
mod scores;
pub mod suppression;
mod tables;

pub use bias::{findings, median, ranks};
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
    /// Candidates of `[mitigate]`, tried beside what is measured.
    pub trial: Option<Trial>,
}

/// Other ways of deciding or predicting, and what they are held against.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The decision without a remedy.
    pub before: Option<Scalar>,
    /// The prediction without one.
    pub prediction: Option<Scalar>,
    pub candidates: Vec<Candidate>,
    pub not_tried: Vec<NotTried>,
    /// The candidate that is put into effect.
    pub used: Option<Arc<str>>,
    /// Rows that candidates were chosen on.
    pub rows: u64,
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
            trial: None,
        }
    }

    /// True when the columns a metric needs are there.
    pub fn has(&self, card: &Card) -> bool {
        match card.needs {
            Needs::Cohorts => true,
            Needs::Label => self.label.is_some(),
            Needs::Decision => self.decision.is_some(),
            Needs::LabelAndDecision => self.label.is_some() && self.decision.is_some(),
            Needs::LabelAndScore if card.id == "log-loss" => {
                self.label.is_some() && self.score.as_ref().is_some_and(|score| score.log_loss.is_some())
            }
            Needs::LabelAndScore => self.label.is_some() && self.score.is_some(),
            Needs::Score => self.score.is_some(),
            Needs::NumberAndPrediction => self.target.is_some() && self.prediction.is_some(),
            Needs::Prediction => self.prediction.is_some(),
        }
    }
}

/// Metrics of the pipeline that the subject allows.
pub fn measured(plan: &Plan, subject: &Subject) -> Vec<Card> {
    let wanted = &plan.spec.measure.metrics;
    let named = |id: &str| wanted.iter().any(|name| name == id);
    // Of the others there is no noisy form.
    let open = |id: &str| is_standard(id) || plan.spec.privacy.is_none();
    let given = |id: &str| !plan.given.is_empty() || !is_given(id);
    let asked = |id: &str| named(id) || (open(id) && (named(ALL) || (wanted.is_empty() && is_standard(id))));
    crate::metric::cards().into_iter().filter(|card| subject.has(card) && given(card.id) && asked(card.id)).collect()
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
    let dependent = noise::buckets(plan).then(buckets);
    let mut axes = by.clone();
    axes.extend([truth(&subject.label), truth(&subject.decision)]);
    axes.extend(dependent.clone());
    let table = Shape::Tally { axes, weight: plan.weight.clone() };
    let mut demands = vec![demand("measure/table", &rows, table)];
    // Distances of scores need no label; without one every row is of unknown label.
    let scored = |_: &&Score| subject.label.is_some() || plan.spec.privacy.is_none();
    if let Some(score) = subject.score.as_ref().filter(scored) {
        let mut axes = by.clone();
        axes.push(truth(&subject.label));
        axes.extend(dependent.clone());
        demands.push(demand("measure/score", &rows, scores::histogram(plan, axes, score)));
    }
    by.extend(dependent);
    if let (Some(score), Some(label)) = (&subject.score, &subject.label) {
        demands.push(demand("measure/loss", &rows, scores::losses(plan, by.clone(), score, label)));
    }
    if let (Some(target), Some(prediction)) = (&subject.target, &subject.prediction) {
        demands.push(demand("measure/error", &rows, errors::moments(plan, by, target, prediction)));
    }
    demands.extend(bias::demands(plan, subject));
    demands
}

fn demand(name: &str, rows: &Rows, shape: Shape) -> Demand {
    Demand { name: name.into(), rows: rows.clone(), shape }
}

/// What measuring yields.
pub struct Measurement {
    pub cohorts: Vec<crate::audit::CohortTable>,
    pub readings: Vec<Reading>,
    pub bias: crate::audit::Bias,
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
    let has = |cards: &[Card]| metrics.iter().any(|card| cards.iter().any(|other| other.id == card.id));
    let scores = has(&SCORES).then(|| scores::Scores::of(plan, released)).transpose()?;
    let errors = match &subject.target {
        Some(target) if has(&REGRESSIONS) => Some(errors::Errors::of(plan, released, target)?),
        _ => None,
    };
    let (all, none) = (protection.clone(), protection.without_all());
    let known = |group: &Group| {
        let total = group.total();
        (total.label(0) + total.label(1)).n
    };
    let gap = |rows: &dyn Fn(&Group) -> i64, whole: &dyn Fn(&Group) -> i64| protection.discloses(&cohorts, rows, whole);
    let for_scores =
        if scores.as_ref().is_some_and(|scores| gap(&|group| scores.rows(group), &known)) { &none } else { &all };
    let whole = |group: &Group| group.total().rows().n;
    let for_errors =
        if errors.as_ref().is_some_and(|errors| gap(&|group| errors.rows(group), &whole)) { &none } else { &all };
    let table_noise = noise::of(plan, released, "measure/table");
    let width_max = noise::width_max(plan, released);
    let mut readings = Vec::new();
    let mut notes = protection.notes().to_vec();
    for card in &metrics {
        let (id, layer) = (card.id, Layer::of(card.needs));
        let mut read = |protection: &Protection, sample: &dyn Fn(&Group) -> Sample| {
            readings.extend(emit(plan, card, &cohorts, protection, layer, sample, width_max));
        };
        if let Some(rate) = RATES.iter().find(|rate| rate.card.id == id) {
            read(&protection, &|group| rates::share(rate, group, plan.dependent, table_noise.as_ref()));
        } else if let Some(composite) = COMPOSITES.iter().find(|composite| composite.card.id == id) {
            read(&protection, &|group| rates::composite(composite, group, plan, table_noise.as_ref()));
        } else if let (true, Some(scores)) = (SCORES.iter().any(|score| score.id == id), &scores) {
            read(for_scores, &|group| scores.sample(id, group, plan));
            notes.extend(scores.notes(id, for_scores.shown(&cohorts, layer)));
        } else if let (true, Some(errors)) = (REGRESSIONS.iter().any(|card| card.id == id), &errors) {
            read(for_errors, &|group| errors.sample(id, group));
        }
    }
    if protection.withholds_more(&[for_scores, for_errors]) {
        notes.push("Few rows have no score or no numeric prediction; metrics of those would give that number away and are withheld.".into());
    }
    if plan.weight.is_some() && (scores.is_some() || errors.is_some()) {
        notes.push("Weights apply to rates and figures of the confusion table; metrics of scores and of numeric predictions count every row once.".into());
    }
    if readings.iter().any(|reading| reading.contrast.as_ref().is_some_and(|contrast| contrast.too_few > 0)) {
        let least = plan.spec.measure.support_min;
        notes.push(format!(
            "Cohorts with fewer than {least} rows in the denominator of a metric are in its tables and are neither in its worst pair nor compared with its highest."
        ));
    }
    let exceeds = |reading: &Reading| reading.measured == Measured::Undefined { why: Why::NoiseExceedsCohort };
    notes.extend(noise::notes(plan, readings.iter().any(exceeds)));
    let context =
        bias::Context { plan, subject, released, cohorts: &cohorts, protection: &protection, metrics: &metrics };
    let bias = context.measure(&mut readings, &mut notes)?;
    notes.sort();
    notes.dedup();
    let rows_measured = table.total().n;
    Ok(Measurement { cohorts: cohorts.tables(plan, &protection), readings, bias, metrics, notes, rows_measured })
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

/// A ratio of values that may be negative has no meaning.
const SIGNED: [&str; 3] = ["mean-residual", "r-squared", "matthews-correlation"];

/// The width of the range of a metric, by which intervals under noise are held. Log loss and R squared have no bound of use; theirs is 1.
fn range(plan: &Plan, id: &str) -> f64 {
    let target = plan.target.as_ref().map_or(1.0, |target| target.upper - target.lower);
    match id {
        "matthews-correlation" => 2.0,
        "mean-absolute-error" | "root-mean-squared-error" => target,
        "mean-residual" => 2.0 * target,
        _ => 1.0,
    }
}

/// One metric, while its readings are written.
struct Writer<'a> {
    plan: &'a Plan,
    metric: Arc<str>,
    cohorts: &'a Cohorts,
    protection: &'a Protection,
    layer: Layer,
    everyone: Sample,
    /// Widest interval of a value under noise.
    width_max: Option<f64>,
}

/// The readings of one metric: everyone, every cohort, every comparison.
fn emit(
    plan: &Plan,
    card: &Card,
    cohorts: &Cohorts,
    protection: &Protection,
    layer: Layer,
    sample: &dyn Fn(&Group) -> Sample,
    width_max: Option<f64>,
) -> Vec<Reading> {
    let width_max = width_max.map(|share| share * range(plan, card.id));
    let kept = |sample: Sample| match width_max {
        Some(width_max) => sample.kept(plan.spec.measure.confidence, width_max),
        None => sample,
    };
    let sample = &|group: &Group| kept(sample(group));
    let everyone = sample(&cohorts.everyone);
    let writer = Writer { plan, metric: card.id.into(), cohorts, protection, layer, everyone, width_max };
    let mut readings = vec![writer.value(None, &cohorts.everyone, &writer.everyone)];
    for (set, groups) in cohorts.sets.iter().enumerate() {
        let samples: Vec<Sample> = groups.groups.iter().map(sample).collect();
        readings
            .extend(groups.groups.iter().zip(&samples).map(|(group, sample)| writer.value(Some(set), group, sample)));
        CONTRASTS
            .iter()
            .for_each(|&(compare, against)| readings.extend(writer.comparisons(set, &samples, compare, against)));
    }
    readings
}

impl Writer<'_> {
    fn supports(&self, sample: &Sample) -> bool {
        u64::try_from(sample.n()).is_ok_and(|n| n >= self.plan.spec.measure.support_min)
    }

    fn reading(&self, set: Option<usize>, cohort: Cohort, contrast: Option<Contrast>, measured: Measured) -> Reading {
        let across = set.map_or(Vec::new(), |set| self.cohorts.sets[set].names.clone());
        Reading { metric: self.metric.clone(), across, cohort, contrast, measured }
    }

    fn value(&self, set: Option<usize>, group: &Group, sample: &Sample) -> Reading {
        let measured = match self.protection.shows(set, &group.codes, self.layer) {
            true => sample.measure(self.plan.spec.measure.confidence),
            false => Measured::Suppressed,
        };
        self.reading(set, group.cohort.clone(), None, measured)
    }

    /// Comparisons of the cohorts of declared levels. Which cohorts are the worst pair or the highest is withheld with the values.
    ///
    /// A cohort whose denominator is below the least a criterion needs is neither in the worst pair nor the highest: the extremes of small
    /// cohorts are chance. Who is left out depends on numbers of rows, not on outcomes, so the simultaneous intervals hold for the others.
    fn comparisons(&self, set: usize, samples: &[Sample], compare: Comparison, against: Against) -> Vec<Reading> {
        let groups = &self.cohorts.sets[set];
        let picks = matches!(against, Against::WorstPair | Against::Highest);
        let few = |i: usize| picks && samples[i].point().is_some() && !self.supports(&samples[i]);
        let (left_out, compared): (Vec<usize>, Vec<usize>) =
            (0..samples.len()).filter(|&i| groups.groups[i].compared).partition(|&i| few(i));
        let chosen: Vec<Sample> = compared.iter().map(|&i| samples[i].clone()).collect();
        let reference = groups.reference.and_then(|at| compared.iter().position(|&i| i == at));
        if against == Against::Reference && reference.is_none() {
            return Vec::new();
        }
        let shown = compared
            .iter()
            .chain(&left_out)
            .all(|&i| self.protection.shows(Some(set), &groups.groups[i].codes, self.layer))
            && (against != Against::Overall || self.protection.shows(None, &[], self.layer));
        let named = shown || matches!(against, Against::Overall | Against::Reference);
        let at = |i: usize| compared.get(i).filter(|_| named).map(|&i| groups.groups[i].cohort.clone());
        let too_few = if shown { left_out.len() as u32 } else { 0 };
        let write = |result: Compared| {
            let measured = match (shown, compare) {
                (false, _) => Measured::Suppressed,
                (true, Comparison::Ratio) if SIGNED.contains(&&*self.metric) => {
                    Measured::Undefined { why: Why::RatioOfSigned }
                }
                // Of a ratio the values decide: a wide one is no worse known for being far from 1.
                (true, Comparison::Difference) => match self.width_max {
                    Some(width_max) => within_width(result.measured, 2.0 * width_max),
                    None => result.measured,
                },
                (true, Comparison::Ratio) => result.measured,
            };
            // A worst pair that does not exist is nobody's.
            let nobody = against == Against::WorstPair && result.with.is_none();
            let cohort = at(result.cohort).filter(|_| !nobody).unwrap_or_else(Cohort::everyone);
            let contrast = Contrast { compare, against, with: result.with.and_then(at), too_few };
            self.reading(Some(set), cohort, Some(contrast), measured)
        };
        let confidence = self.plan.spec.measure.confidence;
        contrast(compare, against, &chosen, &self.everyone, reference, confidence).into_iter().map(write).collect()
    }
}
