//! Candidates of `[mitigate]` on held-out rows: how good they are, how far apart cohorts are, who gains and who loses.
//!
//! Every candidate is an expression of the row and is counted by one more table of the same pass: cohorts by label, by the decision before
//! and by the decision after. Selection among them was made on other rows.
//!
//! Gaps are differences of the worst pair of cohorts with simultaneous intervals. The gap of equalized odds is the greater of those of true
//! and false positive rates; both hold at once at half the error each, so the greater lies between the greater of the lower and the greater
//! of the upper ends (Bonferroni).

use std::collections::BTreeMap;

use super::Context;
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::mitigation::{Effect, Mitigation, NotTried, Outcome, Tried};
use crate::demand::{Axis, Demand, HASH_BITS, Shape};
use crate::estimate::{BUCKETS, Interval, Measured, Sample, contrast};
use crate::evidence::Missing;
use crate::measure::suppression::Layer;
use crate::measure::{Subject, Trial};
use crate::metric::{Against, Comparison, RATES, Rate};
use crate::model::{Candidate, Rule};
use crate::plan::Plan;
use crate::plan::mitigated::Mitigated;
use crate::statistic::Tally;

mod paired;
mod predictions;
mod statements;
#[cfg(test)]
mod tests;

use paired::{Change, Paired, change, rate};

pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    let (Some(trial), Some((_, mitigated))) = (&subject.trial, plan.mitigated()) else { return Vec::new() };
    let tables = trial.candidates.iter().enumerate();
    tables.filter_map(|(i, candidate)| demand(plan, subject, trial, &mitigated, i, candidate)).collect()
}

fn name(i: usize) -> String {
    format!("mitigate/tried/{i}")
}

fn demand(
    plan: &Plan,
    subject: &Subject,
    trial: &Trial,
    mitigated: &Mitigated,
    i: usize,
    candidate: &Candidate,
) -> Option<Demand> {
    let set = plan.across.get(mitigated.set)?;
    let mut axes: Vec<Axis> = set
        .attributes
        .iter()
        .filter_map(|&at| plan.attributes.get(at))
        .map(|of| Axis::Levels { of: crate::scalar::Scalar::column(&of.name), levels: of.levels.clone() })
        .collect();
    let buckets = plan.dependent.then(|| Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS));
    let shape = match &candidate.rule {
        Rule::Prediction(prediction) => {
            axes.extend(buckets);
            predictions::moments(axes, plan.target.as_ref()?, trial.prediction.as_ref()?, prediction)
        }
        Rule::Decision(decision) => {
            axes.push(Axis::Truth { of: subject.label.clone().or(plan.label.clone())? });
            axes.push(Axis::Truth { of: trial.before.clone()? });
            axes.push(Axis::Truth { of: decision.clone() });
            axes.extend(buckets);
            Shape::Tally { axes, weight: plan.weight.clone() }
        }
        Rule::Lottery { plateau, chances } => {
            axes.push(Axis::Truth { of: subject.label.clone().or(plan.label.clone())? });
            axes.push(Axis::Truth { of: trial.before.clone()? });
            let edges = (1..chances.len()).map(|k| k as f64 - 0.5).collect();
            axes.push(Axis::Edges { of: plateau.clone(), edges });
            axes.push(Axis::Hash { key: plan.key.clone(), salt: plan.salt("lottery"), thresholds: draws(chances) });
            axes.extend(buckets);
            Shape::Tally { axes, weight: plan.weight.clone() }
        }
    };
    Some(Demand { name: name(i).into(), rows: plan.held_out(), shape })
}

/// The least hash of a chance: less is a decision of 1.
fn draw(chance: f64) -> u64 {
    (chance.clamp(0.0, 1.0) * (1u64 << HASH_BITS) as f64) as u64
}

/// The hashes at which some decision changes.
fn draws(chances: &[f64]) -> Vec<u64> {
    let mut all: Vec<u64> = chances.iter().map(|&chance| draw(chance)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The tables of every cohort: one, or one for each bucket of units.
type Tables = BTreeMap<Vec<u32>, Vec<Paired>>;

/// Rows by cohort, label and decisions. A draw is decided here: its table has the hash.
fn tables(tally: &Tally, attributes: usize, rule: &Rule, dependent: bool) -> Tables {
    let mut tables = Tables::new();
    let places = match rule {
        Rule::Lottery { chances, .. } => places(chances),
        Rule::Decision(_) | Rule::Prediction(_) => Vec::new(),
    };
    let parts = if dependent { BUCKETS as usize } else { 1 };
    for (&code, &cell) in &tally.cells {
        let codes = tally.codes(code);
        let (cohort, rest) = codes.split_at(attributes.min(codes.len()));
        let (label, before, after, bucket) = match (rule, rest) {
            (Rule::Lottery { .. }, &[label, before, plateau, hash, ref bucket @ ..]) => {
                (label, before, decided(&places, plateau, hash), bucket)
            }
            (_, &[label, before, after, ref bucket @ ..]) => (label, before, after, bucket),
            _ => continue,
        };
        let slots = tables.entry(cohort.to_vec()).or_insert_with(|| vec![Paired::default(); parts]);
        let at = bucket.first().map_or(0, |bucket| *bucket as usize);
        if let Some(slot) = slots.get_mut(at) {
            slot.add(label, before, after, cell);
        }
    }
    tables
}

/// Position of every chance among the hashes at which some decision changes.
fn places(chances: &[f64]) -> Vec<u32> {
    let all = draws(chances);
    chances.iter().map(|&chance| all.partition_point(|&other| other < draw(chance)) as u32).collect()
}

/// The decision of a draw: 1 where the hash is below the chance of the plateau; unknown for a row of no plateau.
fn decided(places: &[u32], plateau: u32, hash: u32) -> u32 {
    places.get(plateau as usize).map_or(2, |place| u32::from(hash <= *place))
}

/// The rates whose gaps are shown.
const PARITIES: [&str; 3] = ["selection-rate", "true-positive-rate", "equalized-odds"];

fn by_id(id: &str) -> Option<&'static Rate> {
    RATES.iter().find(|rate| rate.card.id == id)
}

/// Computes effects and what is said of them.
pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<Option<Mitigation>, Missing> {
    let plan = context.plan;
    let (Some(trial), Some(section)) = (&context.subject.trial, &plan.spec.mitigate) else { return Ok(None) };
    let mitigated = plan.mitigated().map(|(_, mitigated)| mitigated);
    let across = match &mitigated {
        Some(mitigated) => mitigated.names.iter().map(|name| name.to_string()).collect(),
        None => section.across.clone(),
    };
    let found = match &mitigated {
        Some(mitigated) => found(context, mitigated, &trial.candidates)?,
        None => Found::default(),
    };
    let predictions = plan.mitigates_predictions();
    let nothing = || Outcome { quality: missing(), gaps: Vec::new() };
    let parities: Vec<String> = match predictions {
        true => vec!["mean-prediction".into()],
        false => PARITIES.map(String::from).to_vec(),
    };
    let not_tried = trial.not_tried.iter().map(|not| NotTried { remedy: not.remedy.id().into(), why: not.why.clone() });
    if let Some(used) = &trial.used {
        notes.push(format!("The decisions or predictions audited here are those under the remedy {used}; those without it are in the section on mitigation."));
        if plan.spec.train.is_none() {
            notes.push("Half of the audited rows are those that the thresholds in use were chosen on; the section on mitigation has the other half alone.".into());
        }
    }
    let before = found.before.unwrap_or_else(nothing);
    Ok(Some(Mitigation {
        across,
        confidence: plan.spec.measure.confidence,
        rows_chosen_on: i64::try_from(trial.rows).unwrap_or(i64::MAX),
        rows_held_out: found.rows,
        quality: if predictions { "root-mean-squared-error" } else { "accuracy" }.into(),
        summary: statements::summary(&parities, &before, &found.tried),
        warnings: statements::warnings(&found.tried),
        notes: statements::notes(plan, &found.tried),
        parities,
        used: trial.used.as_ref().map(|used| used.to_string()),
        before,
        candidates: found.tried,
        not_tried: not_tried.collect(),
    }))
}

#[derive(Default)]
struct Found {
    rows: i64,
    before: Option<Outcome>,
    tried: Vec<Tried>,
}

/// Every candidate on the held-out rows.
fn found(context: &Context, mitigated: &Mitigated, candidates: &[Candidate]) -> Result<Found, Missing> {
    let plan = context.plan;
    let attributes = plan.across.get(mitigated.set).map_or(0, |set| set.attributes.len());
    let of_decisions = |(i, candidate): (usize, &Candidate)| match &candidate.rule {
        Rule::Prediction(_) => Ok(Tables::new()),
        rule => Ok(tables(context.released.tally(&name(i))?, attributes, rule, plan.dependent)),
    };
    let all = candidates.iter().enumerate().map(of_decisions).collect::<Result<Vec<Tables>, Missing>>()?;
    let hidden = withheld(context, mitigated, &all);
    let mut found = Found::default();
    for (i, (candidate, tables)) in candidates.iter().zip(&all).enumerate() {
        let mut one = match &candidate.rule {
            Rule::Prediction(_) => predictions::tried(context, mitigated, &name(i), candidate)?,
            _ => decisions(context, mitigated, tables, candidate, hidden),
        };
        // What is told of a choice counts rows that were not looked through for small numbers.
        if plan.spec.measure.suppress_below > 1 {
            one.tried.settings = Vec::new();
            one.tried.made = vec!["How it was chosen is withheld: small counts are not published.".into()];
        }
        found.rows = one.rows;
        found.before.get_or_insert(one.before);
        found.tried.push(one.tried);
    }
    Ok(found)
}

fn missing() -> Figure {
    Figure::Undefined { reason: "nothing was tried".into() }
}

/// One candidate and the outcome before it.
struct One {
    rows: i64,
    before: Outcome,
    tried: Tried,
}

/// True when some published count would be small, or a difference of two of them, or when the cohorts may not be shown at all.
///
/// Compared are the cells of cohort, label, decision before and after with zero, with those of every other candidate, and, where half of the
/// rows are held out, their margins with the tables of all rows.
fn withheld(context: &Context, mitigated: &Mitigated, all: &[Tables]) -> bool {
    let limit = context.plan.spec.measure.suppress_below as i64;
    if limit <= 1 {
        return false;
    }
    let small = |n: i64| n != 0 && n.abs() < limit;
    let cells =
        |tables: &Vec<Paired>| total(tables).cells.as_flattened().as_flattened().iter().map(|cell| cell.n).collect();
    let cells: Vec<BTreeMap<&Vec<u32>, Vec<i64>>> =
        all.iter().map(|tables| tables.iter().map(|(cohort, of)| (cohort, cells(of))).collect()).collect();
    let few = cells.iter().flat_map(|of| of.values()).flatten().any(|n| small(*n));
    let near = |one: &BTreeMap<&Vec<u32>, Vec<i64>>, other: &BTreeMap<&Vec<u32>, Vec<i64>>| {
        one.iter().any(|(cohort, a)| other.get(cohort).is_some_and(|b| a.iter().zip(b).any(|(a, b)| small(a - b))))
    };
    let alike = cells.iter().enumerate().any(|(i, one)| cells[i + 1..].iter().any(|other| near(one, other)));
    let hidden = |cohort: &Vec<u32>| !context.protection.shows(Some(mitigated.set), cohort, Layer::Joint);
    !context.protection.shows(None, &[], Layer::Joint)
        || all.iter().flat_map(|tables| tables.keys()).any(hidden)
        || few
        || alike
        || (context.plan.spec.train.is_none()
            && all.iter().any(|tables| leaves_few(context, mitigated, tables, &small)))
}

/// True when the held-out rows leave few of all rows of some cohort, label and decision.
fn leaves_few(context: &Context, mitigated: &Mitigated, tables: &Tables, small: &dyn Fn(i64) -> bool) -> bool {
    let Some(groups) = context.cohorts.sets.get(mitigated.set) else { return true };
    groups.groups.iter().any(|group| {
        let whole = group.total();
        let held = tables.get(&group.codes).map(|tables| total(tables)).unwrap_or_default();
        [false, true].into_iter().any(|after| {
            let part = held.confusion(after);
            let joint = (0..9).any(|at| small(whole.cells[at / 3][at % 3].n - part.cells[at / 3][at % 3].n));
            let margins = (0..3).any(|at| {
                small(whole.label(at).n - part.label(at).n) || small(whole.decision(at).n - part.decision(at).n)
            });
            joint || margins || small(whole.rows().n - part.rows().n)
        })
    })
}

fn total(tables: &[Paired]) -> Paired {
    tables.iter().fold(Paired::default(), |mut sum, table| {
        sum.merge(table);
        sum
    })
}

/// The tables of all cohorts together.
fn everyone(tables: &Tables, parts: usize) -> Vec<Paired> {
    let mut all = vec![Paired::default(); parts];
    for cohort in tables.values() {
        all.iter_mut().zip(cohort).for_each(|(sum, table)| sum.merge(table));
    }
    all
}

fn decisions(context: &Context, mitigated: &Mitigated, tables: &Tables, candidate: &Candidate, hidden: bool) -> One {
    let plan = context.plan;
    let all = everyone(tables, if plan.dependent { BUCKETS as usize } else { 1 });
    let confidence = plan.spec.measure.confidence;
    let show = |figure: Figure| if hidden { Figure::Suppressed } else { figure };
    let cohorts = declared(context, mitigated, tables);
    let outcome = |after: bool| {
        let gap = |id: &str, confidence: f64| {
            by_id(id).map_or_else(missing, |rate| gap(context, &cohorts, &all, rate, after, confidence))
        };
        let both = 1.0 - (1.0 - confidence) / 2.0;
        let odds = greater(&gap("true-positive-rate", both), &gap("false-positive-rate", both));
        let quality = by_id("accuracy")
            .map_or_else(missing, |accuracy| Figure::of(&rate(&all, accuracy, after).measure(confidence)));
        let gaps = vec![gap(PARITIES[0], confidence), gap(PARITIES[1], confidence), odds];
        Outcome { quality: show(quality), gaps: gaps.into_iter().map(show).collect() }
    };
    let effect = |(name, tables): &(String, &Vec<Paired>)| {
        let of = total(tables);
        let (gain, lose) = of.changed(&[0, 1, 2]);
        Effect {
            cohort: name.clone(),
            rows: (!hidden).then_some(of.rows().n),
            gain: (!hidden).then_some(gain.n),
            lose: (!hidden).then_some(lose.n),
            level: show(change(tables, Change::Selection, confidence)),
            true_positive: show(change(tables, Change::TruePositive, confidence)),
            false_positive: show(change(tables, Change::FalsePositive, confidence)),
        }
    };
    let (before, after) = (outcome(false), outcome(true));
    let effects: Vec<Effect> = cohorts.iter().map(effect).collect();
    let tried = Tried {
        id: candidate.id.to_string(),
        reads_protected: candidate.remedy.reads_protected(),
        levelling_down: statements::levelling_down(&before, &after, &effects),
        outcome: after,
        price: show(change(&all, Change::Accuracy, confidence)),
        cohorts: effects,
        made: candidate.made.clone(),
        settings: candidate.settings.clone(),
    };
    One { rows: total(&all).rows().n, before, tried }
}

/// Cohorts of declared levels with rows, by name, in the order of their codes.
fn declared<'t, T>(
    context: &Context,
    mitigated: &Mitigated,
    tables: &'t BTreeMap<Vec<u32>, T>,
) -> Vec<(String, &'t T)> {
    let Some(set) = context.plan.across.get(mitigated.set) else { return Vec::new() };
    let attributes: Vec<_> = set.attributes.iter().filter_map(|&at| context.plan.attributes.get(at)).collect();
    let known = |codes: &Vec<u32>| attributes.iter().zip(codes).all(|(of, &code)| of.is_declared(code));
    let name = |codes: &Vec<u32>| {
        let levels: Vec<String> = attributes.iter().zip(codes).map(|(of, &code)| of.level(code).to_string()).collect();
        levels.join(" x ")
    };
    tables.iter().filter(|(codes, _)| known(codes)).map(|(codes, of)| (name(codes), of)).collect()
}

/// Difference of the worst pair among the cohorts with enough rows.
fn worst(context: &Context, samples: Vec<Sample>, everyone: &Sample, confidence: f64) -> Figure {
    let least = context.plan.spec.measure.support_min as i64;
    let enough: Vec<Sample> = samples.into_iter().filter(|sample| sample.n() >= least).collect();
    let compared = contrast(Comparison::Difference, Against::WorstPair, &enough, everyone, None, confidence);
    let measured = compared.first().map(|pair| &pair.measured);
    Figure::of(measured.unwrap_or(&Measured::Undefined { why: crate::estimate::Why::FewerThanTwoCohorts }))
}

fn gap(
    context: &Context,
    cohorts: &[(String, &Vec<Paired>)],
    all: &[Paired],
    of: &Rate,
    after: bool,
    confidence: f64,
) -> Figure {
    let samples = cohorts.iter().map(|(_, tables)| rate(tables, of, after)).collect();
    worst(context, samples, &rate(all, of, after), confidence)
}

/// The greater of two figures, between the greater of their lower and the greater of their upper ends.
fn greater(one: &Figure, other: &Figure) -> Figure {
    match (one, other) {
        (Figure::Estimated { point, lower, upper, n }, Figure::Estimated { point: p, lower: l, upper: u, n: m }) => {
            let ends = Interval {
                lower: lower.zip(*l).map(|(a, b)| a.max(b)).or(*lower).or(*l),
                upper: upper.zip(*u).map(|(a, b)| a.max(b)),
            };
            Figure::new(point.max(*p), ends, *n.min(m))
        }
        (Figure::Estimated { .. }, other) => other.clone(),
        (one, _) => one.clone(),
    }
}
