//! The tool attacks its own plan: two neighbouring worlds of made-up rows go the whole way that rows go (cap, clamp, grid, sum, noise), many
//! times, and an attacker who knows both tries to tell them apart.
//!
//! The second world has one unit more, with more rows than the cap allows; of some candidate units, with values at and beyond the ends of
//! every domain, the one that changes a statistic most is taken for it. No row of the source is looked at, so nothing is charged. The draws
//! here are seeded: they protect nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::RunError;
use crate::audit::Rehearsal;
use crate::budget::{Charge, UNITS, accounting};
use crate::demand::Demand;
use crate::engine::Engine;
use crate::evidence::Guarded;
use crate::measure::privacy::bounds::{Bound, Guesses, ceiling, two_worlds};
use crate::measure::privacy::two_worlds::{Claim, Draws, Range, Verdict, audit};
use crate::plan::Plan;
use crate::plan::spec::Format;
use crate::privatize::rehearsal::Rehearsed;
use crate::privatize::{self, Allowance};
use crate::scan::{Cap, Scan, Source};
use crate::schema::{Domain, Role};
use crate::world::Scratch;

/// Numbers that are drawn for one statistic, in both worlds together.
const NUMBERS: u64 = 1_000_000;
const DRAWS_MAX: u64 = 50_000;
const DRAWS_MIN: u64 = 1_000;
/// Units that are tried.
const CANDIDATES: u32 = 24;
/// The chance that a true claim of a run is called falsified is at most one minus this.
const CONFIDENCE: f64 = 0.9999;
/// Delta of the claim of one Gaussian release, where the run declares none.
const DELTA: f64 = 1e-6;

/// Attacks every release of a plan once.
pub fn rehearse(
    plan: &Plan,
    engine: &dyn Engine,
    demands: &[Demand],
    allowance: &Allowance,
) -> Result<Vec<Rehearsal>, RunError> {
    let Some(privacy) = &plan.spec.privacy else { return Ok(Vec::new()) };
    let scratch = Scratch::new().map_err(RunError::Scratch)?;
    let mut worlds = vec![world(plan, engine, demands, &scratch, None)?];
    for candidate in 0..CANDIDATES {
        worlds.push(world(plan, engine, demands, &scratch, Some(candidate))?);
    }
    let demands = distinct(demands);
    let single = 1.0 - (1.0 - CONFIDENCE) / demands.len().max(1) as f64;
    let mut random = ChaCha20Rng::seed_from_u64(plan.spec.pipeline.seed);
    let mut rehearsals = Vec::new();
    for demand in demands {
        let at = (1..worlds.len()).max_by(|a, b| {
            let change = |at: usize| privatize::rehearsal::change(&worlds[0], &worlds[at], &demand.name);
            change(*a).total_cmp(&change(*b)).then(b.cmp(a))
        });
        let numbers = privatize::numbers(&demand.shape).unwrap_or(1).max(1);
        let draws = (NUMBERS / 2 / numbers).clamp(DRAWS_MIN, DRAWS_MAX) as u32;
        let pair = [&worlds[0], &worlds[at.unwrap_or(0)]];
        let rehearsed = allowance.rehearse(demand, pair, draws, &mut random)?;
        rehearsals.push(judged(&rehearsed, rehearsed.charge, privacy.delta, single));
    }
    Ok(rehearsals)
}

/// One demand of several that differ in their names and columns only: the steps of a model.
fn distinct(demands: &[Demand]) -> Vec<&Demand> {
    let mut seen = BTreeSet::new();
    let kind = |demand: &Demand| {
        demand.name.rsplit_once('/').filter(|(_, step)| step.parse::<u32>().is_ok()).map(|(kind, _)| kind.to_string())
    };
    demands.iter().filter(|demand| kind(demand).is_none_or(|kind| seen.insert(kind))).collect()
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

/// Evidence of a few units, and of one candidate more.
fn world(
    plan: &Plan,
    engine: &dyn Engine,
    demands: &[Demand],
    scratch: &Scratch,
    candidate: Option<u32>,
) -> Result<Guarded, RunError> {
    let columns: Vec<Arc<str>> =
        plan.scan.reads.iter().map(|read| read.column.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let rows_max = plan.spec.privacy.as_ref().map_or(1, |privacy| privacy.rows_per_unit_max);
    let mut rows: Vec<Vec<String>> = (0..4).map(|base| row(plan, &columns, &format!("base {base}"), base)).collect();
    if let Some(candidate) = candidate {
        let unit = format!("unit {candidate}");
        let copies = match plan.schema.with(Role::PrivacyUnit).next() {
            Some(_) => rows_max.saturating_add(3).min(1000),
            None => 1,
        };
        rows.extend((0..copies).map(|_| row(plan, &columns, &unit, candidate + 4)));
    }
    let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let lines: Vec<String> = std::iter::once(names).chain(rows).map(|fields| fields.join(",")).collect();
    let name = candidate.map_or("base.csv".into(), |candidate| format!("{candidate}.csv"));
    let path = scratch.write(&name, (lines.join("\n") + "\n").as_bytes()).map_err(RunError::Scratch)?;
    let source = Source {
        paths: vec![path],
        format: Format::Csv,
        delimiter: b',',
        decimal: '.',
        null_values: Vec::new(),
        hive: false,
    };
    let scan = Scan { source, cap: plan.scan.cap.as_ref().map(Cap::again), ..plan.scan.clone() };
    Ok(engine.collect(&scan, demands, &|_| {})?.evidence)
}

/// A row of a unit; the number decides which values of the domains it has.
fn row(plan: &Plan, columns: &[Arc<str>], unit: &str, number: u32) -> Vec<String> {
    let schema: BTreeMap<&str, &crate::schema::Column> =
        plan.schema.columns.iter().map(|column| (&*column.name, column)).collect();
    let value = |(at, name): (usize, &Arc<str>)| {
        // Each column takes its turns at a pace of its own, so that candidates differ in combinations.
        let turn = (number >> (at % 5)) as usize + number as usize / 7;
        let Some(column) = schema.get(&**name) else { return String::new() };
        if column.is(Role::PrivacyUnit) || column.is(Role::Identifier) {
            return quoted(unit);
        }
        match &column.domain {
            Domain::Levels(levels) if levels.is_empty() => String::new(),
            Domain::Levels(levels) => quoted(&levels[turn % levels.len()]),
            Domain::Bounds { lower, upper } => {
                let ends = [*upper, *lower, upper + (upper - lower) * 1e6, (lower + upper) / 2.0];
                crate::scalar::format_number(ends[turn % 4])
            }
            Domain::Open => match column.is(Role::Score) {
                true => ["1", "0", "0.5"][turn % 3].into(),
                false => written(plan, name, turn),
            },
        }
    };
    columns.iter().enumerate().map(value).collect()
}

/// A value of a column without a domain: its positive value, or a truth value.
fn written(plan: &Plan, name: &str, turn: usize) -> String {
    let positive = plan.spec.schema.get(name).and_then(|column| column.positive.clone());
    match (positive, turn % 2) {
        (Some(positive), 0) => quoted(&positive),
        (Some(_), _) => "0".into(),
        (None, 0) => "true".into(),
        (None, _) => "false".into(),
    }
}

/// A field of a CSV file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
