//! Equivalence classes: rows that agree on every quasi-identifier, with the counts of the sensitive attribute in each.
//!
//! They come from one [`Tally`] over the quasi-identifiers and the sensitive attribute; no algorithm of this folder looks at rows.
//! Coarser classes are merged from finer ones, and all counts are integers, so the order of merging does not show.

use crate::deidentify::hierarchy::Hierarchy;
use crate::statistic::Tally;

/// Why a model cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    #[error("the table has {axes} axes, which are not {quasi} quasi-identifiers and at most one sensitive attribute")]
    Axes { axes: usize, quasi: usize },
    #[error("the table has more cells than a 64-bit code tells apart: leave out or coarsen a quasi-identifier")]
    Cells,
    #[error("the table has a negative count: classes are formed from exact counts, not from released ones")]
    Negative,
    #[error("the table has no rows")]
    Empty,
    #[error("the table has more than 2^53 rows")]
    Rows,
    #[error("the population's axes differ from the quasi-identifiers': use the same columns and levels for both")]
    Population,
    #[error("a class has more rows than its population: the population must hold the sample")]
    Sample,
    #[error(
        "quasi-identifier {position} has {codes} codes and its hierarchy has {levels}: use the levels of the table"
    )]
    Hierarchy { position: usize, codes: u32, levels: u32 },
    #[error("{hierarchy}, step {step}: two levels that agreed before no longer agree; a step may only merge")]
    Nested { hierarchy: String, step: usize },
    #[error("{hierarchy}: {what}")]
    Steps { hierarchy: String, what: String },
    #[error("{criterion}: {what}")]
    Criterion { criterion: &'static str, what: &'static str },
    #[error("the suppression limit must be a share from 0 to 1")]
    Limit,
    #[error("the hierarchies span {nodes} combinations of levels, more than {limit}: use fewer steps, or Mondrian")]
    Nodes { nodes: u128, limit: usize },
    #[error("no combination of levels satisfies the criteria within the suppression limit, full suppression included")]
    Unreachable,
    #[error("every row would be left out: allow less suppression, or coarser values")]
    NothingLeft,
    #[error("column {column}, row {row}: not a finite number of magnitude up to 1e100")]
    Value { column: usize, row: usize },
    #[error("microaggregation needs columns of the same length, at least k rows, and k of at least 1")]
    Groups,
}

/// Equivalence classes. A class with rows in the population only has a count of zero and is in no criterion.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Classes {
    /// Codes of each quasi-identifier.
    sizes: Vec<u32>,
    /// Codes of the sensitive attribute; zero without one.
    sensitive: u32,
    /// Codes of the quasi-identifiers, class after class.
    codes: Vec<u32>,
    counts: Vec<u64>,
    /// Rows in the population, or empty without one.
    population: Vec<u64>,
    /// Where the sensitive values of each class begin in `values`; empty without a sensitive attribute.
    starts: Vec<usize>,
    /// Sensitive codes, ascending within a class, and their counts.
    values: Vec<(u32, u64)>,
}

/// One class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class<'a> {
    pub codes: &'a [u32],
    /// Rows.
    pub count: u64,
    /// Rows of the population that agree with these.
    pub population: Option<u64>,
    /// Codes of the sensitive attribute that occur, ascending, and their counts.
    pub sensitive: &'a [(u32, u64)],
}

/// How the sensitive attribute is distributed over all rows. Closeness, disclosure and likeness compare classes with it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reference {
    /// Rows of each code: the declared levels, unknown, outside.
    pub counts: Vec<u64>,
    pub rows: u64,
}

/// More rows than this are refused: sums of products of counts stay within 128 bits, and counts are exact as numbers.
const ROWS_MAX: u64 = 1 << 53;

/// Refers to a slot that is free.
const FREE: u32 = u32::MAX;

impl Classes {
    /// The classes of a table whose first `quasi` axes are the quasi-identifiers and whose last, if there is one more, is the sensitive attribute.
    pub fn of(tally: &Tally, quasi: usize) -> Result<Classes, ModelError> {
        let axes = tally.sizes.len();
        if quasi == 0 || !(axes == quasi || axes == quasi + 1) {
            return Err(ModelError::Axes { axes, quasi });
        }
        if tally.sizes.iter().try_fold(1u64, |cells, &size| cells.checked_mul(size.into())).is_none() {
            return Err(ModelError::Cells);
        }
        let sensitive = tally.sizes.get(quasi).copied().unwrap_or(0);
        let mut classes = Classes { sizes: tally.sizes[..quasi].to_vec(), sensitive, ..Classes::default() };
        let (mut last, bare) = (None, Tally::new(classes.sizes.clone()));
        for (&code, cell) in tally.cells.iter().filter(|(_, cell)| cell.n != 0) {
            let count = u64::try_from(cell.n).map_err(|_| ModelError::Negative)?;
            let (class, value) = match sensitive {
                0 => (code, 0),
                size => (code / u64::from(size), (code % u64::from(size)) as u32),
            };
            // Cells ascend and the sensitive axis is the least significant: cells of one class stand together.
            if last != Some(class) {
                last = Some(class);
                classes.codes.extend(bare.codes(class));
                classes.counts.push(0);
                classes.starts.push(classes.values.len());
            }
            if let Some(sum) = classes.counts.last_mut() {
                *sum = sum.saturating_add(count);
            }
            if sensitive > 0 {
                classes.values.push((value, count));
            }
        }
        if sensitive == 0 {
            classes.starts.clear();
        } else {
            classes.starts.push(classes.values.len());
        }
        match classes.rows() {
            0 => Err(ModelError::Empty),
            rows if rows > ROWS_MAX => Err(ModelError::Rows),
            _ => Ok(classes),
        }
    }

    /// The same classes with the rows of the population that agree with each; the population is a table over the quasi-identifiers.
    pub fn with_population(&self, population: &Tally) -> Result<Classes, ModelError> {
        if population.sizes != self.sizes {
            return Err(ModelError::Population);
        }
        let mut classes = self.clone();
        classes.population = vec![0; self.len()];
        let place: std::collections::BTreeMap<u64, usize> =
            (0..self.len()).map(|class| (population.code(self.codes(class)), class)).collect();
        for (&code, cell) in population.cells.iter().filter(|(_, cell)| cell.n != 0) {
            let rows = u64::try_from(cell.n).map_err(|_| ModelError::Negative)?;
            match place.get(&code) {
                Some(&class) => classes.population[class] = rows,
                None => {
                    classes.codes.extend(population.codes(code));
                    classes.counts.push(0);
                    classes.population.push(rows);
                    classes.starts.extend((self.sensitive > 0).then_some(classes.values.len()));
                }
            }
        }
        if classes.population.iter().fold(0, |sum: u64, &rows| sum.saturating_add(rows)) > ROWS_MAX {
            return Err(ModelError::Rows);
        }
        if classes.iter().any(|class| class.population.is_some_and(|rows| rows < class.count)) {
            return Err(ModelError::Sample);
        }
        Ok(classes)
    }

    /// Number of classes, those with rows in the population only included.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Codes of each quasi-identifier.
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// Rows in all classes.
    pub fn rows(&self) -> u64 {
        self.counts.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    pub fn has_sensitive(&self) -> bool {
        self.sensitive > 0
    }

    pub fn has_population(&self) -> bool {
        !self.population.is_empty()
    }

    fn codes(&self, class: usize) -> &[u32] {
        let width = self.sizes.len();
        &self.codes[class * width..(class + 1) * width]
    }

    /// One class by its position.
    pub fn class(&self, class: usize) -> Class<'_> {
        Class {
            codes: self.codes(class),
            count: self.counts[class],
            population: self.population.get(class).copied(),
            sensitive: match self.starts.get(class..class + 2) {
                Some(ends) => &self.values[ends[0]..ends[1]],
                None => &[],
            },
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Class<'_>> {
        (0..self.len()).map(|class| self.class(class))
    }

    /// The distribution of the sensitive attribute over these classes.
    pub fn reference(&self) -> Reference {
        let mut counts = vec![0u64; self.sensitive as usize];
        for &(value, count) in &self.values {
            counts[value as usize] = counts[value as usize].saturating_add(count);
        }
        Reference { counts, rows: self.rows() }
    }

    /// The classes without their sensitive counts.
    pub(super) fn bare(&self) -> Classes {
        Classes { sensitive: 0, starts: Vec::new(), values: Vec::new(), ..self.clone() }
    }

    /// Merges classes with equal sums of `parts[quasi-identifier][code]`; a merged class keeps the codes of its first member.
    pub(super) fn merged(&self, parts: &[&[u64]]) -> Classes {
        let (group, first) = self.grouped(parts);
        let mut merged = Classes { sizes: self.sizes.clone(), sensitive: self.sensitive, ..Classes::default() };
        merged.codes.reserve(first.len() * self.sizes.len());
        first.iter().for_each(|&class| merged.codes.extend_from_slice(self.codes(class as usize)));
        let sum = |of: &[u64]| {
            let mut sums = vec![0u64; first.len()];
            for (&group, &count) in group.iter().zip(of) {
                sums[group as usize] = sums[group as usize].saturating_add(count);
            }
            sums
        };
        merged.counts = sum(&self.counts);
        merged.population = if self.population.is_empty() { Vec::new() } else { sum(&self.population) };
        if self.sensitive > 0 {
            self.gather(&group, first.len(), &mut merged);
        }
        merged
    }

    /// The group of every class, and the first class of every group, by open addressing on the key.
    fn grouped(&self, parts: &[&[u64]]) -> (Vec<u32>, Vec<u32>) {
        let mask = (2 * self.len()).next_power_of_two().max(2) - 1;
        let (mut slots, mut keys, mut first) = (vec![FREE; mask + 1], Vec::new(), Vec::new());
        let mut group = Vec::with_capacity(self.len());
        for (class, codes) in self.codes.chunks_exact(self.sizes.len()).enumerate() {
            let key = codes.iter().zip(parts).fold(0u64, |key, (&code, part)| key + part[code as usize]);
            let mut slot = mix(key) as usize & mask;
            group.push(loop {
                match slots[slot] {
                    FREE => {
                        slots[slot] = keys.len() as u32;
                        keys.push(key);
                        first.push(class as u32);
                        break slots[slot];
                    }
                    found if keys[found as usize] == key => break found,
                    _ => slot = (slot + 1) & mask,
                }
            });
        }
        (group, first)
    }

    /// Sums the sensitive counts of the members of each group.
    fn gather(&self, group: &[u32], groups: usize, merged: &mut Classes) {
        let mut next = vec![0usize; groups + 1];
        group.iter().for_each(|&group| next[group as usize + 1] += 1);
        (0..groups).for_each(|group| next[group + 1] += next[group]);
        let (ends, mut members) = (next.clone(), vec![0u32; group.len()]);
        for (class, &group) in group.iter().enumerate() {
            members[next[group as usize]] = class as u32;
            next[group as usize] += 1;
        }
        let mut pool = Pool::new(self.sensitive);
        for group in 0..groups {
            merged.starts.push(merged.values.len());
            members[ends[group]..ends[group + 1]].iter().for_each(|&class| pool.add(self.class(class as usize)));
            pool.drain(&mut merged.values);
        }
        merged.starts.push(merged.values.len());
    }

    /// The classes after generalisation to a level of each hierarchy. Their codes are those of the generalised values.
    pub fn generalised(&self, hierarchies: &[Hierarchy], levels: &[usize]) -> Result<Classes, ModelError> {
        check(self, hierarchies)?;
        let parts = key_parts(hierarchies);
        let at: Vec<&[u64]> =
            parts.iter().zip(levels).map(|(part, &level)| &part[level.min(part.len() - 1)][..]).collect();
        let mut merged = self.merged(&at);
        let width = merged.sizes.len();
        for (at, code) in merged.codes.iter_mut().enumerate() {
            *code = hierarchies[at % width].code(levels[at % width], *code);
        }
        Ok(merged)
    }

    /// Only the classes that satisfy a condition.
    pub fn retain(&self, keep: impl Fn(&Class) -> bool) -> Classes {
        let mut kept = Classes { sizes: self.sizes.clone(), sensitive: self.sensitive, ..Classes::default() };
        for class in self.iter().filter(|class| keep(class)) {
            kept.codes.extend_from_slice(class.codes);
            kept.counts.push(class.count);
            kept.population.extend(class.population);
            if self.sensitive > 0 {
                kept.starts.push(kept.values.len());
                kept.values.extend_from_slice(class.sensitive);
            }
        }
        kept.starts.extend((self.sensitive > 0).then_some(kept.values.len()));
        kept
    }

    /// The classes pooled by a group for each, groups numbered from zero; a pooled class has the codes of its first member.
    pub(super) fn pooled(&self, group: &[u32], groups: usize) -> Classes {
        let mut merged = Classes { sizes: self.sizes.clone(), sensitive: self.sensitive, ..Classes::default() };
        let mut first = vec![None; groups];
        merged.counts = vec![0; groups];
        merged.population = vec![0; if self.population.is_empty() { 0 } else { groups }];
        for (class, &group) in group.iter().enumerate() {
            let group = group as usize;
            first[group].get_or_insert(class);
            merged.counts[group] = merged.counts[group].saturating_add(self.counts[class]);
            if let Some(sum) = merged.population.get_mut(group) {
                *sum = sum.saturating_add(self.population[class]);
            }
        }
        first.iter().flatten().for_each(|&class| merged.codes.extend_from_slice(self.codes(class)));
        if self.sensitive > 0 {
            self.gather(group, groups, &mut merged);
        }
        merged
    }
}

/// Sums of the sensitive counts of several classes.
pub(super) struct Pool {
    counts: Vec<u64>,
    touched: Vec<u32>,
}

impl Pool {
    pub(super) fn new(codes: u32) -> Pool {
        Pool { counts: vec![0; codes as usize], touched: Vec::new() }
    }

    pub(super) fn add(&mut self, class: Class) {
        for &(value, count) in class.sensitive {
            let sum = &mut self.counts[value as usize];
            if *sum == 0 {
                self.touched.push(value);
            }
            *sum = sum.saturating_add(count);
        }
    }

    /// Moves the sums to the end of a list, codes ascending.
    pub(super) fn drain(&mut self, values: &mut Vec<(u32, u64)>) {
        self.touched.sort_unstable();
        for value in self.touched.drain(..) {
            values.push((value, std::mem::take(&mut self.counts[value as usize])));
        }
    }
}

/// Spreads a key over 64 bits: both halves of its product with an odd constant.
fn mix(key: u64) -> u64 {
    let product = u128::from(key ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    (product as u64) ^ (product >> 64) as u64
}

/// For every hierarchy and level, what a base code adds to the key of a generalised class: mixed radix, first most significant.
pub(super) fn key_parts(hierarchies: &[Hierarchy]) -> Vec<Vec<Vec<u64>>> {
    let mut radix = 1u64;
    let mut parts: Vec<Vec<Vec<u64>>> = Vec::new();
    for hierarchy in hierarchies.iter().rev() {
        let part = |level| (0..hierarchy.codes()).map(|code| u64::from(hierarchy.code(level, code)) * radix).collect();
        parts.push((0..hierarchy.levels()).map(part).collect());
        radix = radix.saturating_mul(u64::from(hierarchy.codes()));
    }
    parts.reverse();
    parts
}

/// An error when the hierarchies are not those of the quasi-identifiers.
pub(super) fn check(classes: &Classes, hierarchies: &[Hierarchy]) -> Result<(), ModelError> {
    if classes.is_empty() || classes.rows() == 0 {
        return Err(ModelError::Empty);
    }
    if classes.sizes.len() != hierarchies.len() {
        return Err(ModelError::Axes { axes: classes.sizes.len(), quasi: hierarchies.len() });
    }
    for (position, (&codes, hierarchy)) in classes.sizes.iter().zip(hierarchies).enumerate() {
        if codes != hierarchy.codes() {
            return Err(ModelError::Hierarchy { position, codes, levels: hierarchy.codes() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
