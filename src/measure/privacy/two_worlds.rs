//! Two worlds: integers released with a record and without it, and whether they may both come from a mechanism with the claimed epsilon and delta.
//!
//! The events that are tested are fixed before the draws are looked at: every cell of a declared range (one value, or a run of values where the
//! range is wide), everything from a cell upward, and the values most telling in the first half of the draws, tested on the second half alone. The
//! most telling are looked for among the values themselves, among the cells, and among remainders modulo powers of two, which show noise drawn
//! on a coarser lattice than the value. Each event is tested in both directions, and with it its complement. The error is shared among all tests
//! (Bonferroni), so a true claim is falsified with a probability of at most 1 - confidence.
//!
//! A claim that is not falsified is not proved. The ceiling says how much these draws could have proved.
//!
//! Work: sorting the distinct values, and two inversions of a binomial tail for each event that could still raise the bound.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::bounds::{self, Guesses};
use crate::estimate::{normal, wilson};

/// Released integers of one world: how often each occurred, in the first half of the draws and in the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draws {
    pub first: BTreeMap<i64, u64>,
    pub second: BTreeMap<i64, u64>,
}

impl Draws {
    /// Counts of values in the order they were drawn.
    pub fn of(values: &[i64]) -> Draws {
        let (first, second) = values.split_at(values.len() / 2);
        Draws { first: count(first), second: count(second) }
    }

    fn total(&self) -> u64 {
        sum(&self.first).saturating_add(sum(&self.second))
    }
}

fn count(values: &[i64]) -> BTreeMap<i64, u64> {
    let mut counts = BTreeMap::new();
    for &value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    counts
}

fn sum(counts: &BTreeMap<i64, u64>) -> u64 {
    counts.values().fold(0, |sum, &n| sum.saturating_add(n))
}

/// What the release is said to satisfy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    pub epsilon: f64,
    pub delta: f64,
}

/// Most cells a range is cut into.
pub const CELLS_MAX: u64 = 1024;
/// Remainders modulo 2, 4, ... 2^10.
const LATTICES: u32 = 10;
/// Fewest draws of the first half for a value to be among the telling ones.
const SEEN_MIN: u64 = 6;

/// The range of values that is looked at cell by cell, declared before anything is drawn. Values outside are in the outer tails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    lower: i64,
    width: u64,
    cells: u64,
}

impl Range {
    /// Both ends belong to the range; in either order.
    pub fn new(one: i64, other: i64) -> Range {
        let (lower, upper) = (one.min(other), one.max(other));
        let values = upper.abs_diff(lower).saturating_add(1);
        let width = values.div_ceil(CELLS_MAX);
        Range { lower, width, cells: values.div_ceil(width) }
    }

    /// Cell 0 is everything below, cell `cells + 1` everything above.
    fn cell(&self, value: i64) -> u64 {
        match value < self.lower {
            true => 0,
            false => (value.abs_diff(self.lower) / self.width).min(self.cells).saturating_add(1),
        }
    }

    /// The first value of a cell from 1 on.
    fn start(&self, cell: u64) -> i64 {
        self.lower.saturating_add_unsigned(cell.saturating_sub(1).saturating_mul(self.width))
    }

    /// Tests of the family: cells, tails, telling sets, each in both directions.
    pub fn tests(&self) -> u64 {
        2 * (self.cells + (self.cells + 1) + views(*self).len() as u64)
    }
}

/// How values are told apart when the telling ones are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Value,
    Cell(Range),
    /// Remainder modulo this power of two.
    Lattice(u32),
}

impl View {
    fn key(self, value: i64) -> i64 {
        match self {
            View::Value => value,
            View::Cell(range) => range.cell(value).min(i64::MAX as u64) as i64,
            View::Lattice(bits) => value & ((1i64 << bits) - 1),
        }
    }

    fn keys(self, counts: &BTreeMap<i64, u64>) -> BTreeMap<i64, u64> {
        let mut keys: BTreeMap<i64, u64> = BTreeMap::new();
        for (&value, &n) in counts {
            let sum = keys.entry(self.key(value)).or_insert(0);
            *sum = sum.saturating_add(n);
        }
        keys
    }
}

fn views(range: Range) -> Vec<View> {
    let mut views = vec![View::Value];
    views.extend((range.width > 1).then_some(View::Cell(range)));
    views.extend((1..=LATTICES).map(View::Lattice));
    views
}

/// What was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// From one value to another, both included.
    Between(i64, i64),
    AtLeast(i64),
    /// The values most telling in the first half of the draws.
    Telling(View),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    A,
    B,
}

/// An event and the world in which it is likelier than the claim allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub outcome: Outcome,
    /// The outcome did not occur.
    pub complement: bool,
    pub likelier_in: World,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.complement { "not " } else { "" };
        match self.outcome {
            Outcome::Between(from, to) if from == to => write!(f, "{not}the value {from}")?,
            Outcome::Between(from, to) => write!(f, "{not}a value from {from} to {to}")?,
            Outcome::AtLeast(from) => write!(f, "{not}a value of at least {from}")?,
            Outcome::Telling(View::Value) => write!(f, "{not}one of the values most telling in the first half")?,
            Outcome::Telling(View::Cell(range)) => {
                write!(f, "{not}in one of the runs of {} values most telling in the first half", range.width)?;
            }
            Outcome::Telling(View::Lattice(bits)) => {
                write!(f, "{not}one of the remainders modulo {} most telling in the first half", 1u64 << bits)?;
            }
        }
        write!(f, ", likelier in world {:?}", self.likelier_in)
    }
}

/// The outcome of an audit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The event proves an epsilon above the claimed one.
    ClaimFalsified { lower_bound: f64, event: Event },
    /// Nothing above the claimed epsilon was proved; a perfect attack on as many draws proves the ceiling.
    NotFalsified { lower_bound: f64, ceiling: f64 },
}

impl Verdict {
    /// The words of a report.
    pub fn words(&self) -> &'static str {
        match self {
            Verdict::ClaimFalsified { .. } => "claim falsified",
            Verdict::NotFalsified { .. } => "not falsified",
        }
    }

    /// The largest epsilon that was proved.
    pub fn lower_bound(&self) -> f64 {
        match self {
            Verdict::ClaimFalsified { lower_bound, .. } | Verdict::NotFalsified { lower_bound, .. } => *lower_bound,
        }
    }
}

/// Tests the claim on draws of two worlds that differ in one record.
///
/// A true claim is falsified with a probability of at most 1 - confidence. Without draws nothing is falsified and the ceiling is 0.
pub fn audit(a: &Draws, b: &Draws, claim: Claim, range: Range, confidence: f64) -> Verdict {
    // One minus the error of a single test.
    let single = 1.0 - (1.0 - confidence) / range.tests() as f64;
    let mut search = Search { delta: claim.delta, confidence: single, best: 0.0, event: None };
    let (all_a, all_b) = (a.total(), b.total());
    let (cells_a, cells_b) = (cells(a, range), cells(b, range));
    for (from, cells_from, all_from, cells_other, all_other) in
        [(World::A, &cells_a, all_a, &cells_b, all_b), (World::B, &cells_b, all_b, &cells_a, all_a)]
    {
        let (mut tail_from, mut tail_other) = (0u64, 0u64);
        for cell in (1..=range.cells + 1).rev() {
            let at = |cells: &BTreeMap<u64, u64>| cells.get(&cell).copied().unwrap_or(0);
            let (here_from, here_other) = (at(cells_from), at(cells_other));
            let guesses = |tp: u64, fp: u64| Guesses {
                true_positives: tp,
                draws_in: all_from,
                false_positives: fp,
                draws_out: all_other,
            };
            if cell <= range.cells {
                let end = range.start(cell).saturating_add_unsigned(range.width - 1);
                search.test(guesses(here_from, here_other), Outcome::Between(range.start(cell), end), from);
            }
            tail_from = tail_from.saturating_add(here_from);
            tail_other = tail_other.saturating_add(here_other);
            search.test(guesses(tail_from, tail_other), Outcome::AtLeast(range.start(cell)), from);
        }
    }
    for view in views(range) {
        for (from, one, other) in [(World::A, a, b), (World::B, b, a)] {
            let telling = telling(view, one, other, claim.delta, single);
            search.test(second_half(view, &telling, one, other), Outcome::Telling(view), from);
        }
    }
    match search.event {
        Some(event) if search.best > claim.epsilon => Verdict::ClaimFalsified { lower_bound: search.best, event },
        _ => Verdict::NotFalsified {
            lower_bound: search.best,
            ceiling: bounds::ceiling(all_a, all_b, claim.delta, single).epsilon,
        },
    }
}

/// Draws by cell, both halves.
fn cells(draws: &Draws, range: Range) -> BTreeMap<u64, u64> {
    let mut cells: BTreeMap<u64, u64> = BTreeMap::new();
    for (&value, &n) in draws.first.iter().chain(&draws.second) {
        let sum = cells.entry(range.cell(value)).or_insert(0);
        *sum = sum.saturating_add(n);
    }
    cells
}

/// The best bound so far.
struct Search {
    delta: f64,
    confidence: f64,
    best: f64,
    event: Option<Event>,
}

impl Search {
    fn test(&mut self, guesses: Guesses, outcome: Outcome, likelier_in: World) {
        if point(guesses, self.delta) <= self.best {
            return;
        }
        let bound = bounds::two_worlds(guesses, self.delta, self.confidence);
        if bound.epsilon > self.best {
            // The complement of an event is likelier in the other world.
            let likelier_in = match (bound.complement, likelier_in) {
                (false, world) => world,
                (true, World::A) => World::B,
                (true, World::B) => World::A,
            };
            self.best = bound.epsilon;
            self.event = Some(Event { outcome, complement: bound.complement, likelier_in });
        }
    }
}

/// The bound without sampling error, never below the one with it.
fn point(guesses: Guesses, delta: f64) -> f64 {
    let share = |k: u64, n: u64| if n == 0 { 0.0 } else { k as f64 / n as f64 };
    let tpr = share(guesses.true_positives, guesses.draws_in);
    bounds::region(tpr, share(guesses.false_positives, guesses.draws_out), delta).0
}

/// The keys with the largest ratio of the two worlds in the first half, as many as give the best bound there.
fn telling(view: View, one: &Draws, other: &Draws, delta: f64, confidence: f64) -> BTreeSet<i64> {
    let (ones, others) = (view.keys(&one.first), view.keys(&other.first));
    let keys: BTreeSet<i64> = ones.keys().chain(others.keys()).copied().collect();
    let at = |counts: &BTreeMap<i64, u64>, key: i64| counts.get(&key).copied().unwrap_or(0);
    let mut seen: Vec<(f64, i64, u64, u64)> = keys
        .into_iter()
        .map(|key| (key, at(&ones, key), at(&others, key)))
        .filter(|&(_, n, m)| n.saturating_add(m) >= SEEN_MIN)
        // Half a draw is added to both, so that a key seen in one world only is not certain.
        .map(|(key, n, m)| ((n as f64 + 0.5) / (m as f64 + 0.5), key, n, m))
        .collect();
    seen.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
    // Wilson limits choose quickly; the second half is judged by exact ones.
    let (z, draws_in, draws_out) = (normal(confidence), sum(&one.first), sum(&other.first));
    let limits = |k: u64, n: u64| wilson(k as f64 / n as f64, n as f64, z);
    let (mut best, mut largest, mut tp, mut fp) = (0, 0.0, 0u64, 0u64);
    for (i, &(_, _, n, m)) in seen.iter().enumerate() {
        tp = tp.saturating_add(n);
        fp = fp.saturating_add(m);
        let (tpr, fpr) = (limits(tp, draws_in).lower.unwrap_or(0.0), limits(fp, draws_out).upper.unwrap_or(1.0));
        let bound = bounds::region(tpr, fpr, delta).0;
        if bound > largest {
            (best, largest) = (i + 1, bound);
        }
    }
    seen[..best].iter().map(|&(_, key, ..)| key).collect()
}

/// How often one of the keys was drawn in the second half.
fn second_half(view: View, telling: &BTreeSet<i64>, one: &Draws, other: &Draws) -> Guesses {
    let hits = |draws: &Draws| {
        draws
            .second
            .iter()
            .filter(|(value, _)| telling.contains(&view.key(**value)))
            .fold(0u64, |sum, (_, &n)| sum.saturating_add(n))
    };
    Guesses {
        true_positives: hits(one),
        draws_in: sum(&one.second),
        false_positives: hits(other),
        draws_out: sum(&other.second),
    }
}

#[cfg(test)]
mod tests;
