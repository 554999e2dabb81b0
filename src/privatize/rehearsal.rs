//! The same release drawn again and again in two neighbouring worlds that were made up: what an attacker would see who knows both.
//!
//! Two numbers are looked at. The *marked* number is the one the unit changes most, as released. The *score* is the logarithm of the likelihood
//! ratio of the two worlds over all numbers (Neyman and Pearson 1933: no other figure tells them better apart), in units of 2^-10.
//! A number that is not there is [`ABSENT`]: that it is there or not may tell the worlds apart too.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::ChaCha20Rng;

use super::noise::Law;
use super::{Allowance, NUMBERS_MAX, ReleaseError, noised, numbers, sensitivity, word};
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

impl Allowance {
    /// Releases a demand of both worlds many times, with what is set aside for it. The worlds are made up, so that nothing is paid.
    ///
    /// # Errors
    /// As for a release.
    pub fn rehearse(
        &self,
        demand: &Demand,
        worlds: [&Guarded; 2],
        draws: u32,
        random: &mut ChaCha20Rng,
    ) -> Result<Rehearsed, ReleaseError> {
        let name = &demand.name;
        let charge = *self.allocations.get(name).ok_or_else(|| ReleaseError::NotSetAside(name.clone()))?;
        let sensitivity = sensitivity::of(&demand.shape, self.unit)
            .ok_or_else(|| ReleaseError::NoMechanism(name.clone(), word(&demand.shape)))?;
        let law = Law::of(&sensitivity, charge).ok_or_else(|| ReleaseError::TooMuchNoise(name.clone()))?;
        if numbers(&demand.shape).is_none_or(|numbers| numbers > NUMBERS_MAX) {
            return Err(ReleaseError::TooManyNumbers(name.clone()));
        }
        let counted = worlds.map(|world| world.look().statistics.get(name).cloned());
        let release = |statistic: &Option<Statistic>, random: &mut ChaCha20Rng| {
            noised(&demand.shape, statistic.clone(), &mut || law.draw(random))
        };
        let exact = counted.clone().map(|statistic| noised(&demand.shape, statistic, &mut || 0));
        Ok(draw(&exact, &law, draws, |world, random| release(&counted[world], random), random).of(name, charge))
    }
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
    exact: &[Statistic; 2],
    law: &Law,
    draws: u32,
    mut release: impl FnMut(usize, &mut ChaCha20Rng) -> Statistic,
    random: &mut ChaCha20Rng,
) -> Draws {
    let exact = exact.each_ref().map(flat);
    let changed: Vec<usize> =
        (0..exact[0].len()).filter(|&at| exact[0][at] != exact[1].get(at).copied().flatten()).collect();
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
                let spread = histogram.groups.get(&code).map(|counts| counts.spread());
                let counts = match spread {
                    Some(Spread::Binned { counts }) => counts,
                    _ => Vec::new(),
                };
                let find = move |bin| counts.iter().find(|(code, _)| *code == bin).map(|(_, n)| i128::from(*n));
                (0..bins).map(find).collect::<Vec<_>>()
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
