//! Full-domain search: one level of each hierarchy for the whole file, so that every class that is not suppressed satisfies all criteria, at most
//! a share of the rows is suppressed, and the loss is the least there is.
//!
//! The combinations of levels form a lattice. What is known of one combination is carried to others (predictive tagging; Kohlmayer et al. 2012,
//! "Flash"; El Emam et al. 2009, "OLA"):
//!
//! - a condition that classes keep when they are merged, and that follows from the criteria: where it suppresses too much, it does so in every
//!   finer combination. k-anonymity, k-map and distinct diversity are such conditions themselves; entropy and recursive diversity imply one.
//!   Without suppression all criteria but delta-disclosure that skips absent values are;
//! - a lower bound of the loss of a combination and all coarser ones: where it exceeds the best loss found, none of them is looked at.
//!
//! Closeness, disclosure, likeness, alpha, entropy and recursive diversity are not monotone once rows may be suppressed: a suppressed class
//! that is merged with a kept one may spoil it. Then every combination that neither rule excludes is evaluated; the result is the optimum
//! all the same, for more work. [`Solution::evaluated`] tells how much.
//!
//! Closeness, disclosure and likeness compare a class with all rows, suppressed ones included. Whoever computes them from the file alone, where
//! these are left out, compares with a distribution that may differ by their share.
//!
//! A combination is evaluated on classes merged from those of a finer one already evaluated. Ties go to the lower sum of levels, then to the
//! lower level of the first quasi-identifier, the second and so on.

use std::sync::Arc;

use crate::deidentify::classes::{Classes, ModelError, Reference, check, key_parts};
use crate::deidentify::criteria::{Criterion, Monotone};
use crate::deidentify::hierarchy::Hierarchy;
use crate::deidentify::utility::{Losses, Objective};

/// Combinations of levels a search takes on.
pub const NODES_MAX: usize = 1 << 21;

/// Codes kept in merged classes to start from, besides the base classes.
const CODES_MAX: usize = 1 << 24;

/// What is asked of a full-domain search.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// One for each quasi-identifier, in the order of the table's axes.
    pub hierarchies: &'a [Hierarchy],
    pub criteria: &'a [Criterion],
    /// Share of the rows that may be suppressed, from 0 to 1.
    pub suppression_max: f64,
    pub objective: Objective,
}

/// The levels found, and how rows are written under them.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Level of each quasi-identifier.
    pub levels: Vec<usize>,
    /// The objective's loss.
    pub loss: f64,
    pub rows: u64,
    /// Rows in suppressed classes.
    pub suppressed: u64,
    /// The classes of the file, codes generalised, suppressed ones left out.
    pub classes: Classes,
    /// Combinations of levels there are.
    pub nodes: usize,
    /// Combinations whose classes were formed.
    pub evaluated: usize,
    /// What is written for every base code of each quasi-identifier.
    pub texts: Vec<Vec<Arc<str>>>,
    /// What a base code adds to the key of its class, by quasi-identifier.
    parts: Vec<Vec<u64>>,
    /// Keys of the classes that are kept, ascending.
    kept: Vec<u64>,
}

impl Solution {
    /// True when a row with these base codes is left out of the file. Codes that were in no class are.
    pub fn is_suppressed(&self, codes: &[u32]) -> bool {
        let mut key = 0;
        for (part, &code) in self.parts.iter().zip(codes) {
            match part.get(code as usize) {
                Some(part) => key += part,
                None => return true,
            }
        }
        codes.len() != self.parts.len() || self.kept.binary_search(&key).is_err()
    }

    /// What is written for the quasi-identifiers of a row with these base codes; none when the row is left out.
    pub fn written(&self, codes: &[u32]) -> Option<Vec<&Arc<str>>> {
        if self.is_suppressed(codes) {
            return None;
        }
        self.texts.iter().zip(codes).map(|(texts, &code)| texts.get(code as usize)).collect()
    }
}

impl Search<'_> {
    /// The combination of levels of least loss.
    pub fn run(&self, classes: &Classes) -> Result<Solution, ModelError> {
        check(classes, self.hierarchies)?;
        self.criteria.iter().try_for_each(|criterion| criterion.check(classes))?;
        if !(0.0..=1.0).contains(&self.suppression_max) {
            return Err(ModelError::Limit);
        }
        let mut walk = Walk::new(self, classes)?;
        walk.find_border();
        walk.evaluate_the_rest();
        let best = walk.best.ok_or(ModelError::Unreachable)?;
        let (levels, evaluated, nodes) = (walk.levels(best.node), walk.evaluated, walk.tags.len());
        let reference = classes.reference();
        let generalised = classes.generalised(self.hierarchies, &levels)?;
        let kept = generalised.retain(|class| self.keeps(class, &reference));
        let suppressed = classes.rows() - kept.rows();
        let all: Vec<Vec<Vec<u64>>> = key_parts(self.hierarchies);
        let parts: Vec<Vec<u64>> =
            all.into_iter().zip(&levels).map(|(mut part, &level)| part.swap_remove(level)).collect();
        let text =
            |(of, &level): (&Hierarchy, &usize)| (0..of.codes()).map(|code| of.text(level, code).clone()).collect();
        let mut solution = Solution {
            loss: best.value,
            rows: classes.rows(),
            suppressed,
            classes: kept,
            nodes,
            evaluated,
            texts: self.hierarchies.iter().zip(&levels).map(text).collect(),
            parts,
            kept: Vec::new(),
            levels,
        };
        solution.kept = solution.keys(self.hierarchies);
        Ok(solution)
    }

    /// True when a coarser combination satisfies all criteria, and suppresses no more, wherever a finer one does.
    pub fn is_monotone(&self, rows: u64) -> bool {
        self.criteria.iter().all(|criterion| match criterion.monotone() {
            Monotone::Suppressing => true,
            Monotone::Whole => self.limit(rows) == 0,
            Monotone::No => false,
        })
    }

    /// Rows that may be suppressed.
    fn limit(&self, rows: u64) -> u64 {
        ((self.suppression_max * rows as f64).floor() as u64).min(rows)
    }

    /// The loss at given levels, whatever is suppressed.
    #[cfg(test)]
    pub(super) fn loss_at(&self, classes: &Classes, levels: &[usize]) -> f64 {
        let search = Search { suppression_max: 1.0, ..*self };
        let mut walk = Walk::new(&search, classes).unwrap();
        let node = walk.strides.iter().zip(levels).map(|(stride, level)| stride * level).sum();
        walk.evaluate(node);
        walk.best.unwrap().value
    }

    fn keeps(&self, class: &crate::deidentify::classes::Class, reference: &Reference) -> bool {
        class.count > 0 && self.criteria.iter().all(|criterion| criterion.holds(class, reference))
    }
}

impl Solution {
    /// The keys of the kept classes, from their generalised codes.
    fn keys(&self, hierarchies: &[Hierarchy]) -> Vec<u64> {
        let radix = |at: usize| hierarchies[at + 1..].iter().fold(1u64, |radix, of| radix * u64::from(of.codes()));
        let radices: Vec<u64> = (0..hierarchies.len()).map(radix).collect();
        let key = |codes: &[u32]| codes.iter().zip(&radices).map(|(&code, radix)| u64::from(code) * radix).sum();
        let mut keys: Vec<u64> = self.classes.iter().map(|class| key(class.codes)).collect();
        keys.sort_unstable();
        keys
    }
}

/// The lasting condition suppresses too much here, and in every finer combination.
const FAILS: u8 = 1;
/// It does not, here and in every coarser combination.
const PASSES: u8 = 2;
const EVALUATED: u8 = 4;

#[derive(Debug, Clone, Copy)]
struct Best {
    rank: u128,
    height: usize,
    node: usize,
    value: f64,
}

/// A search under way. A node is the mixed-radix number of its levels, first quasi-identifier most significant.
struct Walk<'a> {
    search: &'a Search<'a>,
    reference: Reference,
    losses: Losses<'a>,
    /// Rows that may be suppressed.
    limit: u64,
    parts: Vec<Vec<Vec<u64>>>,
    tops: Vec<usize>,
    strides: Vec<usize>,
    tags: Vec<u8>,
    /// For objectives that need classes: the bound known at a node.
    bounds: Vec<u128>,
    base: Classes,
    /// Merged classes to start from, fewest first, with their levels.
    merged: Vec<(Vec<usize>, Classes)>,
    codes: usize,
    best: Option<Best>,
    evaluated: usize,
}

impl<'a> Walk<'a> {
    fn new(search: &'a Search<'a>, classes: &Classes) -> Result<Walk<'a>, ModelError> {
        let levels: Vec<usize> = search.hierarchies.iter().map(Hierarchy::levels).collect();
        let nodes = levels.iter().fold(1u128, |nodes, &levels| nodes.saturating_mul(levels as u128));
        if nodes > NODES_MAX as u128 {
            return Err(ModelError::Nodes { nodes, limit: NODES_MAX });
        }
        let strides: Vec<usize> = (0..levels.len()).map(|at| levels[at + 1..].iter().product()).collect();
        let rows = classes.rows();
        let k = search.criteria.iter().filter_map(|criterion| match criterion {
            Criterion::KAnonymity { k } | Criterion::AlphaK { k, .. } => Some(*k),
            _ => None,
        });
        Ok(Walk {
            search,
            reference: classes.reference(),
            losses: Losses::new(classes, search.hierarchies, k.max().unwrap_or(1)),
            limit: search.limit(rows),
            parts: key_parts(search.hierarchies),
            tops: levels.iter().map(|levels| levels - 1).collect(),
            strides,
            tags: vec![0; nodes as usize],
            bounds: vec![0; if search.objective.is_additive() { 0 } else { nodes as usize }],
            base: if search.criteria.iter().any(Criterion::reads_sensitive) { classes.clone() } else { classes.bare() },
            merged: Vec::new(),
            codes: 0,
            best: None,
            evaluated: 0,
        })
    }

    fn levels(&self, node: usize) -> Vec<usize> {
        self.strides.iter().zip(&self.tops).map(|(stride, top)| node / stride % (top + 1)).collect()
    }

    /// All nodes, lower sums of levels first.
    fn ascending(&self) -> Vec<(usize, usize)> {
        let mut nodes: Vec<(usize, usize)> =
            (0..self.tags.len()).map(|node| (self.levels(node).iter().sum(), node)).collect();
        nodes.sort_unstable();
        nodes
    }

    /// True when neither the node nor a coarser one can be better than the best.
    fn is_beyond(&mut self, node: usize, levels: &[usize]) -> bool {
        let Some(best) = self.best else { return false };
        let rank = match self.search.objective.is_additive() {
            true => self.losses.bound(self.search.objective, levels),
            false => {
                let finer = |at: usize| if levels[at] > 0 { self.bounds[node - self.strides[at]] } else { 0 };
                let most = (0..levels.len()).map(finer).fold(self.bounds[node], u128::max);
                self.bounds[node] = most;
                most
            }
        };
        (rank, levels.iter().sum::<usize>(), node) > (best.rank, best.height, best.node)
    }

    fn is_open(&mut self, node: usize) -> bool {
        let levels = self.levels(node);
        self.tags[node] == 0 && !self.is_beyond(node, &levels)
    }

    /// Tags every node that could still matter with whether the lasting condition holds there, by bisecting chains of coarser and coarser nodes.
    fn find_border(&mut self) {
        for (_, node) in self.ascending() {
            while self.is_open(node) {
                let chain = self.chain(node);
                let (mut low, mut high) = (0, chain.len());
                while low < high {
                    let middle = (low + high) / 2;
                    if self.evaluate(chain[middle]) {
                        self.tag(chain[middle], PASSES);
                        high = middle;
                    } else {
                        self.tag(chain[middle], FAILS);
                        low = middle + 1;
                    }
                }
            }
        }
    }

    /// From a node upwards, at each step to the open node of least granularity loss.
    fn chain(&mut self, from: usize) -> Vec<usize> {
        let (mut chain, mut node) = (vec![from], from);
        loop {
            let mut levels = self.levels(node);
            let mut next: Option<(u128, usize)> = None;
            for at in 0..levels.len() {
                if levels[at] == self.tops[at] || !self.is_open(node + self.strides[at]) {
                    continue;
                }
                levels[at] += 1;
                let step = (self.losses.granularity(&levels).rank, node + self.strides[at]);
                levels[at] -= 1;
                next = Some(next.map_or(step, |next| next.min(step)));
            }
            match next {
                Some((_, coarser)) => node = coarser,
                None => return chain,
            }
            chain.push(node);
        }
    }

    /// Evaluates the nodes that pass and could still be better, those of least bound first.
    fn evaluate_the_rest(&mut self) {
        let mut nodes: Vec<(u128, usize, usize)> = Vec::new();
        for (height, node) in self.ascending() {
            if self.tags[node] & (FAILS | EVALUATED) == 0 {
                nodes.push((self.losses.bound(self.search.objective, &self.levels(node)), height, node));
            }
        }
        nodes.sort_unstable();
        for (_, _, node) in nodes {
            let levels = self.levels(node);
            if !self.is_beyond(node, &levels) {
                self.evaluate(node);
            }
        }
    }

    /// Carries a tag to all finer or all coarser nodes that do not have it.
    fn tag(&mut self, node: usize, tag: u8) {
        let mut open = vec![node];
        self.tags[node] |= tag;
        while let Some(node) = open.pop() {
            let levels = self.levels(node);
            for (at, &level) in levels.iter().enumerate() {
                let next = match tag {
                    FAILS if level > 0 => node - self.strides[at],
                    PASSES if level < self.tops[at] => node + self.strides[at],
                    _ => continue,
                };
                if self.tags[next] & tag == 0 {
                    self.tags[next] |= tag;
                    open.push(next);
                }
            }
        }
    }

    /// Forms the classes of a node, takes it for the best if it is, and returns whether the lasting condition holds.
    fn evaluate(&mut self, node: usize) -> bool {
        let (levels, objective) = (self.levels(node), self.search.objective);
        let at: Vec<&[u64]> = self.parts.iter().zip(&levels).map(|(part, &level)| &part[level][..]).collect();
        let from = self.merged.iter().find(|(finer, _)| finer.iter().zip(&levels).all(|(a, b)| a <= b));
        let source = from.map_or(&self.base, |(_, classes)| classes);
        let merged = source.merged(&at);
        let halves = 2 * merged.len() <= source.len();
        let (mut outcome, mut lasting, mut squares, mut classes) = (self.losses.outcome(objective, &levels), 0, 0, 0);
        for class in merged.iter().filter(|class| class.count > 0) {
            let square = u128::from(class.count) * u128::from(class.count);
            squares += square;
            classes += 1;
            if self.search.keeps(&class, &self.reference) {
                outcome.kept += 1;
                outcome.squares += square;
                continue;
            }
            outcome.suppressed += class.count;
            let criteria = self.search.criteria.iter();
            let fails = |criterion: &Criterion| !criterion.lasting(&class, &self.reference, self.limit == 0);
            if criteria.clone().any(fails) {
                lasting += class.count;
            }
            for (at, rows) in outcome.by_value.iter_mut().enumerate() {
                rows[self.search.hierarchies[at].code(levels[at], class.codes[at]) as usize] += class.count;
            }
        }
        self.evaluated += 1;
        self.tags[node] |= EVALUATED;
        if let Some(bound) = self.bounds.get_mut(node) {
            *bound = (*bound).max(self.losses.bound_of(objective, &levels, squares, classes));
        }
        if outcome.suppressed <= self.limit {
            let loss = self.losses.loss(objective, &levels, &outcome);
            let found = Best { rank: loss.rank, height: levels.iter().sum(), node, value: loss.value };
            let better = |best: Best| (found.rank, found.height, node) < (best.rank, best.height, best.node);
            self.best = Some(self.best.filter(|best| !better(*best)).unwrap_or(found));
        }
        if halves {
            self.keep(levels, merged);
        }
        lasting <= self.limit
    }

    /// Keeps merged classes for coarser nodes to start from.
    fn keep(&mut self, levels: Vec<usize>, classes: Classes) {
        let codes = classes.len() * levels.len();
        if self.codes + codes <= CODES_MAX {
            self.codes += codes;
            let place = self.merged.partition_point(|(_, other)| other.len() <= classes.len());
            self.merged.insert(place, (levels, classes));
        }
    }
}

#[cfg(test)]
mod tests;
