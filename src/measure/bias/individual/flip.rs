//! The flip test: a protected column is switched to another level, everything else is held, and the model decides again.
//!
//! The decision of the model trained here is an expression over the columns of a row; with a level in the place of the column, and of what is
//! computed from it, it is the decision of the row with that level. Both are counted in the pass that measures. This is not counterfactual
//! fairness as Kusner et al. (2017) define it: what the column causes in others, and what stands for it in others, is not switched. A model
//! that does not read the column never changes its decision, whatever proxies it reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::Context;
use crate::audit::bias::Figure;
use crate::audit::bias::individual::{Direction, Flip, OfCohort};
use crate::cohort::Attribute;
use crate::demand::{Axis, Demand, Shape};
use crate::estimate::{BUCKETS, Sample, Share};
use crate::evidence::Missing;
use crate::measure::{Subject, demand};
use crate::plan::spec::{FLIP_LEVELS_MAX, Individual as Spec};
use crate::plan::{Plan, computed_from};
use crate::scalar::{Expr, Scalar};
use crate::statistic::{Cell, Tally};

/// The decision with a level in the place of a column and of what is computed from it.
pub fn replaced(derive: &[(Arc<str>, Scalar)], decision: &Scalar, column: &str, level: &str) -> Scalar {
    let mut by: BTreeMap<Arc<str>, Scalar> = BTreeMap::from([(Arc::from(column), Scalar::text(level))]);
    for (name, of) in derive {
        if !by.contains_key(name) && of.columns().iter().any(|read| by.contains_key(read)) {
            let of = of.clone().replaced(&|read| by.get(read).cloned());
            by.insert(name.clone(), of);
        }
    }
    decision.clone().replaced(&|read| by.get(read).cloned())
}

/// The model reads the column, or one that is computed from it.
fn is_input(plan: &Plan, decision: &Scalar, column: &str) -> bool {
    let derived: Vec<_> = plan.scan.derive.iter().map(|(name, of)| (name.clone(), of.columns())).collect();
    !decision.columns().is_disjoint(&computed_from(column, &derived))
}

fn name(column: &str, at: usize) -> String {
    format!("measure/flip/{column}/{at}")
}

/// What can be switched: the attribute, and the decision of the model trained here.
fn switches<'a>(plan: &'a Plan, subject: &'a Subject, spec: &'a Spec) -> Vec<(&'a Attribute, &'a Scalar)> {
    let trained = plan.spec.train.is_some();
    let Some(decision) = subject.decision.as_ref().filter(|_| trained) else { return Vec::new() };
    let of = |column: &String| plan.attributes.iter().find(|attribute| *attribute.name == **column);
    let small = |attribute: &&Attribute| attribute.levels.len() <= FLIP_LEVELS_MAX;
    spec.flip.iter().filter_map(of).filter(small).map(|attribute| (attribute, decision)).collect()
}

/// For every level: cohorts by decision, by decision with that level, and by whether any level changes it.
pub fn demands(plan: &Plan, subject: &Subject, spec: &Spec) -> Vec<Demand> {
    let mut demands = Vec::new();
    for (attribute, decision) in switches(plan, subject, spec) {
        if !is_input(plan, decision, &attribute.name) {
            continue;
        }
        let with: Vec<Scalar> = attribute
            .levels
            .iter()
            .map(|level| replaced(&plan.scan.derive, decision, &attribute.name, level))
            .collect();
        let differs = |with: &Scalar| {
            Expr::Compare(crate::scalar::Order::NotEqual, Box::new(decision.clone()), Box::new(with.clone()))
        };
        let any = with.iter().map(differs).reduce(|a, b| Expr::Or(Box::new(a), Box::new(b)));
        let truth = |of: Scalar| Axis::Truth { of };
        for (at, of) in with.into_iter().chain(any).enumerate() {
            let mut axes: Vec<Axis> = plan
                .attributes
                .iter()
                .map(|attribute| Axis::Levels { of: Scalar::column(&attribute.name), levels: attribute.levels.clone() })
                .collect();
            axes.extend([truth(decision.clone()), truth(of)]);
            if plan.dependent {
                axes.push(Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS));
            }
            let shape = Shape::Tally { axes, weight: plan.weight.clone() };
            demands.push(demand(&name(&attribute.name, at), &plan.part(Plan::TEST), shape));
        }
    }
    demands
}

pub fn measure(context: &Context, spec: &Spec, notes: &mut Vec<String>) -> Result<Vec<Flip>, Missing> {
    let (plan, subject) = (context.plan, context.subject);
    if !spec.flip.is_empty() && (plan.spec.train.is_none() || subject.decision.is_none()) {
        let why = match plan.spec.train.is_none() {
            true => "given decisions cannot be made again for a row with another level; a model trained here can",
            false => "the model predicts numbers and decides nothing",
        };
        notes.push(format!("The flip test was not made: {why}."));
        return Ok(Vec::new());
    }
    let mut flips = Vec::new();
    for (attribute, decision) in switches(plan, subject, spec) {
        flips.push(match is_input(plan, decision, &attribute.name) {
            true => flip(context, attribute)?,
            false => Flip {
                column: attribute.name.to_string(),
                is_input: false,
                any: Figure::Undefined {
                    reason:
                        "the model does not read the column, so its decision cannot change; proxies are not switched"
                            .into(),
                },
                cohorts: Vec::new(),
                directions: Vec::new(),
            },
        });
    }
    Ok(flips)
}

/// Cells of one tally that hold, as shares.
struct Counted<'a> {
    context: &'a Context<'a>,
    tally: &'a Tally,
}

impl Counted<'_> {
    /// Cells of the second kind among those of the first; codes are the attributes', the decision and the other.
    fn figure(&self, of: &dyn Fn(&[u32]) -> bool, among: &dyn Fn(&[u32]) -> bool) -> Figure {
        let plan = self.context.plan;
        let outcomes = plan.attributes.len();
        let mut shares = vec![Share::default(); if plan.dependent { BUCKETS as usize } else { 1 }];
        for (&code, &cell) in &self.tally.cells {
            let codes = self.tally.codes(code);
            let bucket = codes.get(outcomes + 2).map_or(0, |&bucket| bucket as usize);
            if let Some(share) = shares.get_mut(bucket).filter(|_| among(&codes)) {
                share.denominator += cell;
                share.numerator += if of(&codes) { cell } else { Cell::default() };
            }
        }
        let limit = plan.spec.measure.suppress_below as i64;
        let total = shares.iter().fold(Share::default(), |sum, &share| sum + share);
        let small = |n: i64| limit > 1 && 0 < n && n < limit;
        if small(total.numerator.n) || small(total.denominator.n - total.numerator.n) {
            return Figure::Suppressed;
        }
        let sample = match plan.dependent {
            true => Sample::bucketed_share(&shares),
            false => Sample::share(&total),
        };
        Figure::of(&sample.measure(plan.spec.measure.confidence))
    }
}

fn flip(context: &Context, attribute: &Attribute) -> Result<Flip, Missing> {
    let plan = context.plan;
    let outcomes = plan.attributes.len();
    let own = plan.attributes.iter().position(|other| other.name == attribute.name).unwrap_or_default();
    // Totals less what is shown would give a withheld figure back: with a limit none is shown.
    let hidden = plan.spec.measure.suppress_below > 1;
    let any = Counted { context, tally: context.released.tally(&name(&attribute.name, attribute.levels.len()))? };
    let known = |codes: &[u32]| codes.get(outcomes + 1).is_some_and(|&any| any < 2);
    let changed = |codes: &[u32]| codes.get(outcomes + 1) == Some(&1);
    let shown = |figure: Figure| if hidden { Figure::Suppressed } else { figure };
    let mut cohorts = Vec::new();
    for groups in &context.cohorts.sets {
        for group in groups.groups.iter().filter(|group| group.compared) {
            let value = any.figure(&changed, &|codes| known(codes) && group.holds(codes));
            cohorts.push(OfCohort { cohort: group.cohort.to_string(), value: shown(value) });
        }
    }
    let mut directions = Vec::new();
    for (to, to_level) in attribute.levels.iter().enumerate() {
        let tally = Counted { context, tally: context.released.tally(&name(&attribute.name, to))? };
        for (from, from_level) in attribute.levels.iter().enumerate().filter(|(from, _)| *from != to) {
            let among = |codes: &[u32]| {
                codes.get(own) == Some(&(from as u32)) && codes.iter().skip(outcomes).take(2).all(|&code| code < 2)
            };
            let turns = |before: u32| {
                let of = move |codes: &[u32]| codes.get(outcomes..outcomes + 2) == Some(&[before, 1 - before]);
                shown(tally.figure(&of, &among))
            };
            directions.push(Direction {
                from: from_level.to_string(),
                to: to_level.to_string(),
                gains: turns(0),
                loses: turns(1),
            });
        }
    }
    Ok(Flip {
        column: attribute.name.to_string(),
        is_input: true,
        any: shown(any.figure(&changed, &known)),
        cohorts,
        directions,
    })
}
