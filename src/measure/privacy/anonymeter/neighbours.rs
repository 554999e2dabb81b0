//! Linkability and inference: what the nearest released rows tell about a person of whom some columns are known.
//!
//! Distance is Gower's (1971, Biometrics 27): for a number the difference over the column's range in the released file, at most 1; for any other value 0 if
//! equal and 1 if not; a missing value is 1 away from every value. Distances are whole multiples of 2^-32 and do not depend on the order of
//! columns. Of rows at the same distance those that come first in one random order of the released file are nearer, for both sides of a link.
//!
//! Work of either attack: guesses x released rows x columns, for each of the two files.

use super::{Attack, AttackError, Effort, Files, Guesses, MISSING, attack, one, random, some};

/// The distance 1.
const UNIT: u64 = 1 << 32;

/// Released rows in a random order, with the ranges of their columns.
struct Released<'a> {
    rows: Vec<&'a Vec<u32>>,
    ordered: &'a [bool],
    ranges: Vec<u32>,
}

impl<'a> Released<'a> {
    fn of(files: Files<'a>, effort: Effort) -> Released<'a> {
        let order = some(files.released.len(), files.released.len(), &mut random(effort, 0));
        let range = |column: usize| {
            let numbers = || files.released.iter().map(|row| row[column]).filter(|&value| value != MISSING);
            numbers().max().unwrap_or(0) - numbers().min().unwrap_or(0)
        };
        Released {
            rows: order.into_iter().map(|position| &files.released[position]).collect(),
            ordered: files.ordered,
            ranges: (0..files.ordered.len()).map(range).collect(),
        }
    }

    fn distance(&self, columns: &[usize], row: &[u32], other: &[u32]) -> u64 {
        let apart = |&column: &usize| match (row[column], other[column]) {
            (MISSING, MISSING) => UNIT,
            (a, b) if a == b => 0,
            (MISSING, _) | (_, MISSING) => UNIT,
            (a, b) if self.ordered[column] && self.ranges[column] > 0 => {
                ((u64::from(a.abs_diff(b)) << 32) / u64::from(self.ranges[column])).min(UNIT)
            }
            _ => UNIT,
        };
        columns.iter().map(apart).fold(0, u64::saturating_add)
    }

    /// Positions of the k nearest rows.
    fn nearest(&self, columns: &[usize], row: &[u32], k: usize) -> Vec<usize> {
        let distances = self.rows.iter().enumerate();
        let mut near: Vec<(u64, usize)> =
            distances.map(|(position, other)| (self.distance(columns, row, other), position)).collect();
        if k < near.len() {
            near.select_nth_unstable(k);
            near.truncate(k);
        }
        near.into_iter().map(|(_, position)| position).collect()
    }
}

/// Linkability: someone has two sets of columns of the same people and no key to join them by. A link is found when one released row is among
/// the nearest of both. The baseline takes released rows at random.
pub fn linkability(
    files: Files<'_>,
    left: &[usize],
    right: &[usize],
    neighbours: usize,
    effort: Effort,
) -> Result<Attack, AttackError> {
    files.check()?;
    files.check_columns(&[left, right].concat())?;
    if left.is_empty() || right.is_empty() {
        return Err(AttackError::NoColumns);
    }
    if neighbours == 0 {
        return Err(AttackError::NoNeighbours);
    }
    let released = Released::of(files, effort);
    let meet = |one: &[usize], other: &[usize]| one.iter().any(|position| other.contains(position));
    let linked =
        |row: &Vec<u32>| meet(&released.nearest(left, row, neighbours), &released.nearest(right, row, neighbours));
    let original = guesses(files.original, effort, 1, linked);
    let control = guesses(files.control, effort, 2, linked);
    let mut by_chance = random(effort, 3);
    let mut draw = || some(released.rows.len(), neighbours, &mut by_chance);
    let hits = (0..original.made).filter(|_| meet(&draw(), &draw())).count() as u64;
    Ok(attack(original, control, Guesses { made: original.made, right: hits }, effort, Vec::new()))
}

/// Inference: someone knows some columns of a person and guesses another by the nearest released row. Right is a guess that is equal, or of a
/// number no further than the tolerance, in codes. Rows whose secret is missing are not attacked. The baseline takes the secret of a random
/// released row.
pub fn inference(
    files: Files<'_>,
    secret: usize,
    known: &[usize],
    tolerance: u32,
    effort: Effort,
) -> Result<Attack, AttackError> {
    files.check()?;
    files.check_columns(&[&[secret], known].concat())?;
    if known.is_empty() {
        return Err(AttackError::NoColumns);
    }
    let released = Released::of(files, effort);
    let right = |row: &Vec<u32>, guess: Option<u32>| match (row[secret], guess) {
        (_, None | Some(MISSING)) => false,
        (truth, Some(guess)) if files.ordered[secret] => truth.abs_diff(guess) <= tolerance,
        (truth, Some(guess)) => truth == guess,
    };
    let nearest =
        |row: &Vec<u32>| released.nearest(known, row, 1).first().map(|&position| released.rows[position][secret]);
    let has_secret = |row: &&Vec<u32>| row[secret] != MISSING;
    let behind: Vec<&Vec<u32>> = files.original.iter().filter(has_secret).collect();
    let others: Vec<&Vec<u32>> = files.control.iter().filter(has_secret).collect();
    let original = guesses(&behind, effort, 1, |row| right(row, nearest(row)));
    let control = guesses(&others, effort, 2, |row| right(row, nearest(row)));
    let mut by_chance = random(effort, 3);
    let baseline =
        guesses(&behind, effort, 1, |row| right(row, one(&released.rows, &mut by_chance).map(|other| other[secret])));
    Ok(attack(original, control, baseline, effort, Vec::new()))
}

/// Attacks rows drawn from a file, each at most once.
fn guesses<T>(rows: &[T], effort: Effort, part: u64, mut right: impl FnMut(&T) -> bool) -> Guesses {
    let chosen = some(rows.len(), effort.guesses, &mut random(effort, part));
    let hits = chosen.iter().filter(|position| right(&rows[**position])).count();
    Guesses { made: chosen.len() as u64, right: hits as u64 }
}
