//! Singling out: guesses that exactly one person has a combination of values.
//!
//! Guesses are made from the released file alone and hold if exactly one row of the attacked file fits. By one column: values that occur once in
//! the released file, and of an ordered column everything up to its least and from its greatest value. By several: a random released row and
//! random columns; of an ordered column on the row's side of the released median; kept if the row is the only released one that fits.
//!
//! How likely one row fits by chance depends on the number of rows, so the original and the control file are cut to the same size.
//!
//! Work: tries x released rows x columns to find the guesses, at most [`TRIES`] tries a guess, then guesses x rows x columns; a file is left at the
//! second row that fits.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use rand::seq::SliceRandom;

use super::{Attack, AttackError, Effort, Files, Guesses, MISSING, Warning, attack, one, random, some};

/// Most tries to find a guess.
pub const TRIES: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Equal,
    AtMost,
    AtLeast,
}

/// A condition on one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Condition {
    column: usize,
    side: Side,
    value: u32,
}

impl Condition {
    fn holds(&self, row: &[u32]) -> bool {
        let value = row[self.column];
        match self.side {
            Side::Equal => value == self.value,
            Side::AtMost => value <= self.value && value != MISSING,
            Side::AtLeast => value >= self.value && value != MISSING,
        }
    }
}

/// All conditions of a guess, sorted by column.
type Predicate = Vec<Condition>;

fn fits(predicate: &Predicate, row: &[u32]) -> bool {
    predicate.iter().all(|condition| condition.holds(row))
}

/// True when exactly one row fits.
fn singles_out<'a>(predicate: &Predicate, rows: impl Iterator<Item = &'a Vec<u32>>) -> bool {
    rows.filter(|row| fits(predicate, row)).take(2).count() == 1
}

/// Singling out by one column.
pub fn singling_out_by_one_column(files: Files<'_>, effort: Effort) -> Result<Attack, AttackError> {
    files.check()?;
    let mut predicates = Vec::new();
    for (column, &ordered) in files.ordered.iter().enumerate() {
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for row in files.released {
            let count = counts.entry(row[column]).or_insert(0);
            *count = count.saturating_add(1);
        }
        let once = counts.iter().filter(|(_, count)| **count == 1);
        predicates.extend(once.map(|(&value, _)| vec![Condition { column, side: Side::Equal, value }]));
        let mut numbers = counts.keys().filter(|value| ordered && **value != MISSING);
        if let Some(&least) = numbers.next() {
            let greatest = numbers.next_back().copied().unwrap_or(least);
            predicates.push(vec![Condition { column, side: Side::AtMost, value: least }]);
            predicates.push(vec![Condition { column, side: Side::AtLeast, value: greatest }]);
        }
    }
    predicates.shuffle(&mut random(effort, 0));
    predicates.truncate(effort.guesses);
    Ok(judge(files, &predicates, 1, effort))
}

/// Singling out by this many columns together.
pub fn singling_out(files: Files<'_>, columns: usize, effort: Effort) -> Result<Attack, AttackError> {
    files.check()?;
    if columns == 0 {
        return Err(AttackError::NoColumns);
    }
    let columns = columns.min(files.ordered.len());
    let medians: Vec<u32> = (0..files.ordered.len()).map(|column| median(files, column)).collect();
    let mut random = random(effort, 0);
    let (mut predicates, mut seen) = (Vec::new(), BTreeSet::new());
    for _ in 0..effort.guesses.saturating_mul(TRIES) {
        if predicates.len() >= effort.guesses {
            break;
        }
        let Some(row) = one(files.released, &mut random) else { break };
        let mut chosen = some(files.ordered.len(), columns, &mut random);
        chosen.sort_unstable();
        let condition = |&column: &usize| {
            let value = row[column];
            let side = match files.ordered[column] && value != MISSING {
                false => Side::Equal,
                true if value >= medians[column] => Side::AtLeast,
                true => Side::AtMost,
            };
            Condition { column, side, value }
        };
        let predicate: Predicate = chosen.iter().map(condition).collect();
        if seen.insert(predicate.clone()) && singles_out(&predicate, files.released.iter()) {
            predicates.push(predicate);
        }
    }
    Ok(judge(files, &predicates, columns, effort))
}

/// The median of an ordered column of the released file.
fn median(files: Files<'_>, column: usize) -> u32 {
    let mut values: Vec<u32> = files.released.iter().map(|row| row[column]).filter(|&value| value != MISSING).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// Tries the guesses on both files, and as many made without looking at whole rows.
fn judge(files: Files<'_>, predicates: &[Predicate], columns: usize, effort: Effort) -> Attack {
    let rows = files.original.len().min(files.control.len());
    let mut warnings = Vec::new();
    if files.original.len() != files.control.len() {
        warnings.push(Warning::CutTo { rows: rows as u64 });
    }
    let cut = |all: &[Vec<u32>], part: u64| match all.len() == rows {
        true => (0..rows).collect(),
        false => some(all.len(), rows, &mut random(effort, part)),
    };
    let (original, control) = (cut(files.original, 1), cut(files.control, 2));
    let mut by_chance = random(effort, 3);
    let blind: Vec<Predicate> = predicates.iter().map(|_| guess(files, columns, &mut by_chance)).collect();
    let right = |predicates: &[Predicate], all: &[Vec<u32>], positions: &[usize]| Guesses {
        made: predicates.len() as u64,
        right: predicates
            .iter()
            .filter(|predicate| singles_out(predicate, positions.iter().map(|&position| &all[position])))
            .count() as u64,
    };
    attack(
        right(predicates, files.original, &original),
        right(predicates, files.control, &control),
        right(&blind, files.original, &original),
        effort,
        warnings,
    )
}

/// A guess of random columns, sides and values: each value is one that the column takes, not values of one row.
fn guess(files: Files<'_>, columns: usize, random: &mut ChaCha20Rng) -> Predicate {
    let chosen = some(files.ordered.len(), columns, random);
    let condition = |column: usize| {
        let value = one(files.released, random).map_or(MISSING, |row| row[column]);
        let side = match files.ordered[column] && value != MISSING {
            false => Side::Equal,
            true if random.random() => Side::AtLeast,
            true => Side::AtMost,
        };
        Condition { column, side, value }
    };
    chosen.into_iter().map(condition).collect()
}
