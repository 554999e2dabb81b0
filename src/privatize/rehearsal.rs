//! The same release drawn again and again in two neighbouring worlds that were made up: what an attacker would see who knows both.
//!
//! Two numbers are looked at. The *marked* number is the one the unit changes most, as released. The *score* is the logarithm of the likelihood
//! ratio of the two worlds over all numbers (Neyman and Pearson 1933: no other figure tells them better apart), in units of 2^-10.
//! A number that is not there is [`ABSENT`]: that it is there or not may tell the worlds apart too. Noise is drawn for the numbers in which the
//! worlds differ; the others are the same in both and tell nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::rngs::ChaCha20Rng;

use super::noise::Law;
use super::{Allowance, ReleaseError, law_of, noised};
use crate::budget::Charge;
use crate::demand::Demand;
use crate::evidence::Guarded;
use crate::statistic::{Counts, MomentSums, Spread, Statistic};

/// Stands for a number that was not released.
pub const ABSENT: i64 = i64::MIN;

/// Draws of one statistic in both worlds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    pub statistic: Arc<str>,
    pub charge: Charge,
    /// What the marked number is in each world, before noise.
    pub truth: [i64; 2],
    pub marked: [Vec<i64>; 2],
    /// What the score is, about, in each world.
    pub score_truth: [i64; 2],
    pub score: [Vec<i64>; 2],
}

/// What came of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Drawn(Rehearsed),
    /// The worlds do not differ in the statistic: an attack would show nothing, whatever the noise.
    Unchanged,
    /// Too many numbers for a few draws.
    TooManyNumbers(u64),
}

/// How much a rehearsal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Releases in each world.
    pub draws_min: u32,
    pub draws_max: u32,
    /// Integers of noise, in both worlds together.
    pub noise_max: u64,
    /// Numbers that are released, in both worlds together.
    pub numbers_max: u64,
}

impl Effort {
    /// Draws of a statistic of so many numbers, of which so many differ.
    fn draws(&self, numbers: u64, changed: u64) -> Option<u32> {
        let most = |all: u64, of: u64| all / 2 / of.max(1);
        let draws = most(self.noise_max, changed).min(most(self.numbers_max, numbers)).min(self.draws_max.into());
        (draws >= self.draws_min.into()).then_some(draws as u32)
    }
}

impl Allowance {
    /// Releases a demand of both worlds many times, with what is set aside for it. The worlds are made up, so that nothing is paid.
    ///
    /// # Errors
    /// As for a release.
    pub fn rehearse(
        &self,
        demand: &Demand,
        worlds: [&Guarded; 2],
        effort: Effort,
        random: &mut ChaCha20Rng,
    ) -> Result<Outcome, ReleaseError> {
        let name = &demand.name;
        let charge = self.of(name)?;
        let (law, _) = law_of(&demand.shape, name, self.unit, charge)?;
        let counted = worlds.map(|world| world.look().statistics.get(name).cloned());
        let exact = counted.clone().map(|statistic| flat(&noised(&demand.shape, statistic, &mut || 0)));
        let changed = changed(&exact);
        if changed.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let numbers = exact[0].len() as u64;
        let Some(draws) = effort.draws(numbers, changed.len() as u64) else {
            return Ok(Outcome::TooManyNumbers(numbers));
        };
        let differs: BTreeSet<usize> = changed.into_iter().collect();
        let release = |world: usize, random: &mut ChaCha20Rng| {
            let mut places = 0..;
            let noise = &mut || match places.next().is_some_and(|place| differs.contains(&place)) {
                true => law.draw(random),
                false => 0,
            };
            noised(&demand.shape, counted[world].clone(), noise)
        };
        Ok(Outcome::Drawn(draw(&exact, &law, draws, release, random).of(name, charge)))
    }
}

/// Places in which two worlds differ.
fn changed(exact: &[Vec<Option<i128>>; 2]) -> Vec<usize> {
    (0..exact[0].len()).filter(|&at| exact[0][at] != exact[1].get(at).copied().flatten()).collect()
}

/// How much two worlds differ in a statistic: the sum of absolute changes.
pub fn change(first: &Guarded, second: &Guarded, name: &str) -> f64 {
    let numbers = |world: &Guarded| world.look().statistics.get(name).map(keyed).unwrap_or_default();
    let (mut a, b) = (numbers(first), numbers(second));
    b.into_iter().for_each(|(key, n)| *a.entry(key).or_default() -= n);
    a.values().map(|difference| difference.unsigned_abs() as f64).sum()
}

/// Numbers by group and place.
fn keyed(statistic: &Statistic) -> BTreeMap<(u64, u64), i128> {
    match statistic {
        Statistic::Tally(tally) => tally.cells.iter().map(|(&code, cell)| ((code, 0), cell.n.into())).collect(),
        Statistic::Histogram(histogram) => {
            let value = |counts: &Counts| match counts.spread() {
                Spread::Numbers { counts } => {
                    counts.iter().map(|(value, n)| (value.number().to_bits(), i128::from(*n))).collect::<Vec<_>>()
                }
                Spread::Binned { counts } => counts.iter().map(|(bin, n)| (u64::from(*bin), i128::from(*n))).collect(),
                Spread::Texts { .. } | Spread::TooManyTexts { .. } => Vec::new(),
            };
            let group = |(&code, counts): (&u64, &Counts)| {
                value(counts).into_iter().map(|(at, n)| ((code, at), n)).collect::<Vec<_>>()
            };
            histogram.groups.iter().flat_map(group).collect()
        }
        Statistic::Moments(moments) => {
            let group = |(&code, sums): (&u64, &MomentSums)| {
                let all = sums.gram.iter().chain(&sums.cross).copied();
                (0..).zip(all).map(|(at, n)| ((code, at), n)).collect::<Vec<_>>()
            };
            moments.groups.iter().flat_map(group).collect()
        }
        Statistic::ClassSizes(_) | Statistic::Panel(_) => BTreeMap::new(),
    }
}

/// Draws without their name.
struct Draws {
    truth: [i64; 2],
    marked: [Vec<i64>; 2],
    score_truth: [i64; 2],
    score: [Vec<i64>; 2],
}

impl Draws {
    fn of(self, statistic: &Arc<str>, charge: Charge) -> Rehearsed {
        let Draws { truth, marked, score_truth, score } = self;
        Rehearsed { statistic: statistic.clone(), charge, truth, marked, score_truth, score }
    }
}

/// Draws both worlds by a release. `exact` are their numbers without noise, over the whole domain.
fn draw(
    exact: &[Vec<Option<i128>>; 2],
    law: &Law,
    draws: u32,
    mut release: impl FnMut(usize, &mut ChaCha20Rng) -> Statistic,
    random: &mut ChaCha20Rng,
) -> Draws {
    let changed = changed(exact);
    let difference = |at: &usize| number(&exact[1], *at).abs_diff(number(&exact[0], *at));
    let mark = changed.iter().copied().reduce(|a, b| if difference(&b) > difference(&a) { b } else { a }).unwrap_or(0);
    let score = |numbers: &[Option<i128>]| -> i64 {
        let one = |&at: &usize| law.evidence(number(numbers, at), [number(&exact[0], at), number(&exact[1], at)]);
        (changed.iter().map(one).sum::<f64>() * 1024.0).round() as i64
    };
    let narrow = |n: Option<i128>| n.map_or(ABSENT, |n| n.clamp(i128::from(i64::MIN) + 1, i128::from(i64::MAX)) as i64);
    let mut found = Draws {
        truth: [0, 1].map(|world| narrow(exact[world].get(mark).copied().flatten())),
        marked: [Vec::new(), Vec::new()],
        score_truth: [0, 1].map(|world| score(&exact[world])),
        score: [Vec::new(), Vec::new()],
    };
    for _ in 0..draws {
        for world in 0..2 {
            let numbers = flat(&release(world, random));
            found.marked[world].push(narrow(numbers.get(mark).copied().flatten()));
            found.score[world].push(score(&numbers));
        }
    }
    found
}

fn number(numbers: &[Option<i128>], at: usize) -> i128 {
    numbers.get(at).copied().flatten().unwrap_or(0)
}

/// All numbers of a released statistic, in the order of its domain; none where a cell is not there.
fn flat(statistic: &Statistic) -> Vec<Option<i128>> {
    match statistic {
        Statistic::Tally(tally) => {
            super::domain(&tally.sizes).map(|code| tally.cells.get(&code).map(|cell| cell.n.into())).collect()
        }
        Statistic::Histogram(histogram) => {
            let bins = histogram.bins.map_or(0, |bins| bins.count);
            let of = |code: u64| {
                let mut numbers = vec![None; bins as usize];
                if let Some(Spread::Binned { counts }) = histogram.groups.get(&code).map(|counts| counts.spread()) {
                    for (bin, n) in counts {
                        numbers[bin as usize] = Some(n.into());
                    }
                }
                numbers
            };
            super::domain(&histogram.sizes).flat_map(of).collect()
        }
        Statistic::Moments(moments) => moments
            .groups
            .values()
            .flat_map(|sums| sums.gram.iter().chain(&sums.cross).copied().map(Some).collect::<Vec<_>>())
            .collect(),
        Statistic::ClassSizes(_) | Statistic::Panel(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
