//! The tool attacks its own plan: two neighbouring worlds of made-up rows go the whole way that rows go (cap, clamp, grid, sum, noise), many
//! times, and an attacker who knows both tries to tell them apart.
//!
//! The second world has one unit more (or other rows of one unit, where that is the claim), with more rows than the cap allows; of some candidate units, with values at and beyond the ends of
//! every domain, the one that changes a statistic most is taken for it. A statistic that none of them changes is not tested, and that is said.
//! No row of the source is looked at, so nothing is charged, and it is done before anything is. What is asked of the rows after the first pass
//! depends on a model: one is trained on made-up rows. The draws here are seeded: they protect nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::paying::{Cost, expected};
use super::rows::allowance;
use super::{RunError, subject};
use crate::audit::Rehearsal;
use crate::budget::{Charge, UNITS, accounting};
use crate::demand::Demand;
use crate::engine::Engine;
use crate::evidence::{Guarded, Released};
use crate::ingest::contract;
use crate::measure::privacy::bounds::{Bound, Guesses, ceiling, two_worlds};
use crate::measure::privacy::two_worlds::{Claim, Draws, Range, Verdict, audit};
use crate::measure::{self, Subject};
use crate::plan::Plan;
use crate::privatize::rehearsal::{Effort, Outcome, Rehearsed};
use crate::privatize::{self, Allowance, Purse};
use crate::train::{Step, Trainer};

mod world;

use world::{Maker, Which};

/// At most a few seconds of a core for each statistic.
const EFFORT: Effort = Effort { draws_min: 100, draws_max: 50_000, noise_max: 2_000_000, numbers_max: 40_000_000 };
/// Units that are tried.
const CANDIDATES: u32 = 32;
/// The chance that a true claim of a run is called falsified by the first draws is at most one minus this; it is called so only when other
/// draws agree.
const CONFIDENCE: f64 = 0.9999;
/// Delta of the claim of one Gaussian release, where the run declares none.
const DELTA: f64 = 1e-6;

/// Attacks every release of a plan once, before it is paid for.
///
/// # Errors
/// [`RunError::Release`] for what can never be released, [`RunError::Falsified`] when an attack shows more than a claim allows.
pub fn rehearse(plan: &Plan, engine: &dyn Engine, cost: &Cost) -> Result<Vec<Rehearsal>, RunError> {
    let Some(privacy) = &plan.spec.privacy else { return Ok(Vec::new()) };
    let allowance = allowance(privacy, cost);
    let maker = match Maker::new(plan).map_err(RunError::Scratch)? {
        Ok(maker) => maker,
        Err(why) => {
            allowance.check(&first_demands(plan))?;
            return Ok(kinds(cost).into_iter().map(|statistic| not_tested(statistic, why)).collect());
        }
    };
    let stage = Stage { plan, engine, maker, allowance };
    let demands = stage.demands()?;
    stage.allowance.check(&demands)?;
    let worlds = stage.worlds(&demands)?;
    let kinds = kinds(cost);
    let single = 1.0 - (1.0 - CONFIDENCE) / kinds.len().max(1) as f64;
    let attack = |statistic: Arc<str>| match demands.iter().find(|demand| demand.name == statistic) {
        Some(demand) => stage.attack(demand, &worlds, (privacy.delta, single)),
        None => Ok(not_tested(statistic, "training on made-up rows did not get that far")),
    };
    kinds.into_iter().map(attack).collect()
}

/// The demands of a run whose model is stood in for.
fn first_demands(plan: &Plan) -> Vec<Demand> {
    let mut demands = contract::demands(plan);
    demands.extend(Trainer::new(plan).demands());
    demands.extend(measure::demands(plan, &expected(plan)));
    demands
}

/// The names of what is released; of several that differ in a last number only, the steps of a model, the first.
fn kinds(cost: &Cost) -> Vec<Arc<str>> {
    let mut seen = BTreeSet::new();
    let kind = |name: &str| {
        name.rsplit_once('/').filter(|(_, step)| step.parse::<u32>().is_ok()).map(|(kind, _)| kind.to_string())
    };
    let names = cost.allocations.iter().map(|part| part.statistic.clone());
    names.filter(|name| kind(name).is_none_or(|kind| seen.insert(kind))).collect()
}

fn not_tested(statistic: Arc<str>, why: &str) -> Rehearsal {
    Rehearsal {
        statistic,
        draws: 0,
        epsilon: f64::NAN,
        delta: f64::NAN,
        epsilon_lower: f64::NAN,
        epsilon_ceiling: f64::NAN,
        confidence: f64::NAN,
        falsified: false,
        not_tested: Some(why.into()),
    }
}

/// Where a plan is rehearsed.
struct Stage<'a> {
    plan: &'a Plan,
    engine: &'a dyn Engine,
    maker: Maker<'a>,
    allowance: Allowance,
}

impl Stage<'_> {
    /// Evidence of made-up rows.
    fn world(&self, which: Which, demands: &[Demand]) -> Result<Guarded, RunError> {
        let scan = self.maker.scan(which).map_err(RunError::Scratch)?;
        Ok(self.engine.collect(&scan, demands, &|_| {})?.evidence)
    }

    /// Neighbouring worlds, one pair for every candidate.
    fn worlds(&self, demands: &[Demand]) -> Result<Vec<[Arc<Guarded>; 2]>, RunError> {
        let first = Arc::new(self.world(Which::Without(0), demands)?);
        let pair = |candidate: u32| {
            let without = match self.maker.changes {
                true => Arc::new(self.world(Which::Without(candidate), demands)?),
                false => first.clone(),
            };
            Ok([without, Arc::new(self.world(Which::With(candidate), demands)?)])
        };
        (0..CANDIDATES).map(pair).collect()
    }

    /// What a run asks of the rows. Where no model comes of made-up rows, one that says the same of everybody stands in for it.
    fn demands(&self) -> Result<Vec<Demand>, RunError> {
        if self.plan.spec.train.is_none() {
            let mut demands = contract::demands(self.plan);
            demands.extend(measure::demands(self.plan, &Subject::given(self.plan)));
            return Ok(demands);
        }
        self.allowance.check(&first_demands(self.plan))?;
        let mut purse = Purse::new(self.allowance.clone(), self.random(0));
        let mut trainer = Trainer::new(self.plan);
        let mut demands = trainer.demands();
        let mut released = self.released(&demands, &mut purse)?;
        let trained = loop {
            match trainer.step(&released) {
                Ok(Step::Done(model)) => break Some(*model),
                Ok(Step::Collect { demands: next, .. }) => {
                    released.extend(self.released(&next, &mut purse)?);
                    demands.extend(next);
                }
                Err(_) => break None,
            }
        };
        let subject = trained.map_or_else(|| expected(self.plan), |model| subject(self.plan, &model));
        demands.extend(contract::demands(self.plan));
        demands.extend(measure::demands(self.plan, &subject));
        Ok(demands)
    }

    fn released(&self, demands: &[Demand], purse: &mut Purse) -> Result<Released, RunError> {
        Ok(purse.release(self.world(Which::Training, demands)?, demands)?.0)
    }

    fn random(&self, stream: u64) -> ChaCha20Rng {
        let mut random = ChaCha20Rng::seed_from_u64(self.plan.spec.pipeline.seed);
        random.set_stream(stream);
        random
    }

    /// Attacks one release; when the claim seems false, once more with other draws.
    fn attack(
        &self,
        demand: &Demand,
        worlds: &[[Arc<Guarded>; 2]],
        (delta, single): (f64, f64),
    ) -> Result<Rehearsal, RunError> {
        let change = |at: usize| {
            let [without, with] = &worlds[at];
            privatize::rehearsal::change(without, with, &demand.name)
        };
        let most = (0..worlds.len()).max_by(|a, b| change(*a).total_cmp(&change(*b)).then(b.cmp(a)));
        let [without, with] = &worlds[most.unwrap_or(0)];
        let pair = [&**without, &**with];
        for stream in [1, 2] {
            match self.allowance.rehearse(demand, pair, EFFORT, &mut self.random(stream))? {
                Outcome::Unchanged => return Ok(not_tested(demand.name.clone(), "no made-up unit changes it")),
                Outcome::TooManyNumbers(numbers) => {
                    return Ok(not_tested(
                        demand.name.clone(),
                        &format!("{numbers} numbers are too many to draw often"),
                    ));
                }
                Outcome::Drawn(rehearsed) => {
                    let judged = judged(&rehearsed, rehearsed.charge, delta, single);
                    if !judged.falsified {
                        return Ok(judged);
                    }
                }
            }
        }
        Err(RunError::Falsified(demand.name.clone()))
    }
}

/// What the draws of one release show against a claim. `confidence` is that of this release.
///
/// A pure claim is tried on the marked number and on the score by every event of a family fixed beforehand. A concentrated one is tried by the
/// score alone, cut halfway between the worlds: rho-zCDP bounds the Renyi divergence of every order a of what the cut tells by rho a (Bun and
/// Steinke 2016, and data processing). Integers of small sigma tell a little more than a Gaussian of that sigma, so its curve is no bound.
pub(crate) fn judged(rehearsed: &Rehearsed, claimed: Charge, delta: f64, confidence: f64) -> Rehearsal {
    let draws = rehearsed.marked[0].len() as u32;
    let units = |n: u64| n as f64 / UNITS as f64;
    let (claim, lower, ceiling, falsified) = match claimed.epsilon {
        Some(epsilon) => {
            let claim = Claim { epsilon: units(epsilon), delta: 0.0 };
            let verdicts = verdicts(rehearsed, claim, 1.0 - (1.0 - confidence) / 2.0);
            let ceiling = verdicts.iter().map(|verdict| match verdict {
                Verdict::NotFalsified { ceiling, .. } => *ceiling,
                Verdict::ClaimFalsified { lower_bound, .. } => *lower_bound,
            });
            let lower = verdicts.iter().map(Verdict::lower_bound).fold(0.0, f64::max);
            let falsified = verdicts.iter().any(|verdict| matches!(verdict, Verdict::ClaimFalsified { .. }));
            (claim, lower, ceiling.fold(0.0, f64::max), falsified)
        }
        None => {
            let rho = units(claimed.rho);
            let delta = if delta > 0.0 { delta } else { DELTA };
            let cut = rehearsed.score_truth[0].midpoint(rehearsed.score_truth[1]);
            let above = |world: usize| rehearsed.score[world].iter().filter(|score| **score > cut).count() as u64;
            let guesses = Guesses {
                true_positives: above(1),
                draws_in: u64::from(draws),
                false_positives: above(0),
                draws_out: u64::from(draws),
            };
            let shown = rho_lower(&two_worlds(guesses, 0.0, confidence));
            let most = rho_lower(&ceiling(u64::from(draws), u64::from(draws), 0.0, confidence));
            let claim = Claim { epsilon: accounting::epsilon_of(rho, delta), delta };
            let epsilon = |rho: f64| if rho > 0.0 { accounting::epsilon_of(rho, delta) } else { 0.0 };
            (claim, epsilon(shown), epsilon(most), shown > rho)
        }
    };
    Rehearsal {
        statistic: rehearsed.statistic.clone(),
        draws,
        epsilon: claim.epsilon,
        delta: claim.delta,
        epsilon_lower: lower,
        epsilon_ceiling: ceiling,
        confidence,
        falsified,
        not_tested: None,
    }
}

/// The least rho that allows these rates: the greatest of D_a / a over orders a, D_a being the Renyi divergence of the two Bernoulli laws,
/// ln(t^a f^(1-a) + (1-t)^a (1-f)^(1-a)) / (a - 1), and their Kullback-Leibler divergence at a = 1.
fn rho_lower(bound: &Bound) -> f64 {
    let (t, f) = (bound.tpr.clamp(0.0, 1.0), bound.fpr.clamp(1e-300, 1.0 - 1e-16));
    if t <= f {
        return 0.0;
    }
    let log = |x: f64| if x > 0.0 { libm::log(x) } else { f64::NEG_INFINITY };
    let part = |p: f64, q: f64| if p > 0.0 { p * (log(p) - log(q)) } else { 0.0 };
    let first = part(t, f) + part(1.0 - t, 1.0 - f);
    let of = |a: f64| {
        let (x, y) = (a * log(t) + (1.0 - a) * log(f), a * log(1.0 - t) + (1.0 - a) * log(1.0 - f));
        let most = x.max(y);
        (most + libm::log(libm::exp(x - most) + libm::exp(y - most))) / (a - 1.0) / a
    };
    (1..=60).map(|i| of(1.0 + f64::from(i) / 4.0)).fold(first, f64::max)
}

/// The marked number and the score against a claim.
fn verdicts(rehearsed: &Rehearsed, claim: Claim, confidence: f64) -> [Verdict; 2] {
    let of = |values: &[Vec<i64>; 2], truth: [i64; 2]| {
        let [a, b] = values.each_ref().map(|values| Draws::of(values));
        audit(&a, &b, claim, Range::new(truth[0], truth[1]), confidence)
    };
    [of(&rehearsed.marked, rehearsed.truth), of(&rehearsed.score, rehearsed.score_truth)]
}

#[cfg(all(test, feature = "sql"))]
mod tests;
