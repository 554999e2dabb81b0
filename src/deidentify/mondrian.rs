//! Strict Mondrian: regions of the quasi-identifiers' space, cut in two as long as both halves satisfy all criteria.
//!
//! LeFevre, DeWitt, Ramakrishnan 2006, over equivalence classes instead of rows. A region is cut on the quasi-identifier whose codes span the
//! largest part of its levels, at the median row; where that is not allowed, on the next. Ties: the quasi-identifier that comes first;
//! of the two cuts around the median row the one of more equal halves, then the lower. Codes are taken in the order of the declared levels,
//! with unknown and outside after them; a region that holds one of these and anything else is written `*`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::deidentify::classes::{Class, Classes, ModelError, Pool, Reference, check};
use crate::deidentify::criteria::Criterion;
use crate::deidentify::hierarchy::{Hierarchy, SUPPRESSED, range};

/// Regions, and how rows are written under them.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Least and greatest code of each quasi-identifier in every region.
    pub regions: Vec<Vec<(u32, u32)>>,
    /// One class for every region, in the same order. Their codes are those of one of the classes merged.
    pub classes: Classes,
    /// Mean over rows and quasi-identifiers of (codes spanned - 1) / (declared levels - 1); 1 where `*` is written.
    pub granularity: f64,
    /// What is written for each quasi-identifier in every region.
    texts: Vec<Vec<Arc<str>>>,
    /// The region of every class there was.
    places: BTreeMap<Vec<u32>, u32>,
}

impl Partition {
    /// What is written for the quasi-identifiers of a row with these base codes; none for codes that were in no class.
    pub fn written(&self, codes: &[u32]) -> Option<&[Arc<str>]> {
        self.places.get(codes).and_then(|&region| self.texts.get(region as usize)).map(Vec::as_slice)
    }
}

/// Cuts the classes into regions. `columns` give the declared levels, in order; their levels of generalisation are not used.
/// Nothing is suppressed: it is an error when all rows together do not satisfy the criteria.
pub fn mondrian(classes: &Classes, columns: &[Hierarchy], criteria: &[Criterion]) -> Result<Partition, ModelError> {
    check(classes, columns)?;
    criteria.iter().try_for_each(|criterion| criterion.check(classes))?;
    let work = Work { classes, columns, criteria, reference: classes.reference() };
    // The order of the codes is the only order: that of the table's cells.
    let mut all: Vec<u32> = (0..classes.len() as u32).collect();
    all.sort_unstable_by_key(|&class| classes.class(class as usize).codes);
    if !work.satisfies(&all) {
        return Err(ModelError::Unreachable);
    }
    let (mut open, mut done) = (vec![all], Vec::new());
    while let Some(region) = open.pop() {
        match work.halves(&region) {
            Some((low, high)) => open.extend([high, low]),
            None => done.push(region),
        }
    }
    Ok(work.partition(&done))
}

struct Work<'a> {
    classes: &'a Classes,
    columns: &'a [Hierarchy],
    criteria: &'a [Criterion],
    reference: Reference,
}

impl Work<'_> {
    fn class(&self, class: u32) -> Class<'_> {
        self.classes.class(class as usize)
    }

    /// Whether the classes, taken as one, satisfy all criteria.
    fn satisfies(&self, region: &[u32]) -> bool {
        let (mut pool, mut values) = (Pool::new(self.reference.counts.len() as u32), Vec::new());
        let (mut count, mut population) = (0u64, self.classes.has_population().then_some(0u64));
        for &class in region {
            let class = self.class(class);
            count = count.saturating_add(class.count);
            population = population.zip(class.population).map(|(sum, more)| sum.saturating_add(more));
            pool.add(class);
        }
        pool.drain(&mut values);
        let class = Class { codes: &[], count, population, sensitive: &values };
        count > 0 && self.criteria.iter().all(|criterion| criterion.holds(&class, &self.reference))
    }

    /// Least and greatest code of each quasi-identifier among the rows of the file.
    fn bounds(&self, region: &[u32]) -> Vec<(u32, u32)> {
        let mut bounds = vec![(u32::MAX, 0); self.columns.len()];
        for class in region.iter().map(|&class| self.class(class)).filter(|class| class.count > 0) {
            for (bound, &code) in bounds.iter_mut().zip(class.codes) {
                *bound = (bound.0.min(code), bound.1.max(code));
            }
        }
        bounds
    }

    /// The first cut allowed; none when the region stays whole.
    fn halves(&self, region: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
        let bounds = self.bounds(region);
        // Wider comes first: a / b > c / d exactly when a d > c b.
        let mut order: Vec<usize> = (0..bounds.len()).filter(|&at| bounds[at].1 > bounds[at].0).collect();
        let width = |at: usize| u64::from(bounds[at].1 - bounds[at].0);
        let most = |at: usize| u64::from(self.columns[at].codes() - 1);
        order.sort_by(|&a, &b| (width(b) * most(a)).cmp(&(width(a) * most(b))).then(a.cmp(&b)));
        order.into_iter().find_map(|at| {
            self.cuts(region, at).into_iter().find_map(|cut| {
                let (low, high): (Vec<u32>, Vec<u32>) =
                    region.iter().partition(|&&class| self.class(class).codes[at] <= cut);
                (self.satisfies(&low) && self.satisfies(&high)).then_some((low, high))
            })
        })
    }

    /// The codes after which the median row may be cut off, better first: that of the median row, and the one before.
    fn cuts(&self, region: &[u32], at: usize) -> Vec<u32> {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for class in region.iter().map(|&class| self.class(class)).filter(|class| class.count > 0) {
            let sum = counts.entry(class.codes[at]).or_default();
            *sum = sum.saturating_add(class.count);
        }
        let total: u64 = counts.values().sum();
        let (mut below, mut before, mut cuts) = (0u64, None, Vec::new());
        for (&code, &count) in &counts {
            let upto = below + count;
            if 2 * u128::from(upto) >= u128::from(total) {
                cuts.extend(before.map(|before| (below, before)));
                cuts.extend((upto < total).then_some((upto, code)));
                break;
            }
            (below, before) = (upto, Some(code));
        }
        cuts.sort_by_key(|&(low, code)| (Reverse(low.min(total - low)), code));
        cuts.into_iter().map(|(_, code)| code).collect()
    }

    fn partition(&self, regions: &[Vec<u32>]) -> Partition {
        let (mut group, mut places) = (vec![0; self.classes.len()], BTreeMap::new());
        for (at, region) in regions.iter().enumerate() {
            for &class in region {
                group[class as usize] = at as u32;
                if self.class(class).count > 0 {
                    places.insert(self.class(class).codes.to_vec(), at as u32);
                }
            }
        }
        let classes = self.classes.pooled(&group, regions.len());
        let bounds: Vec<_> = regions.iter().map(|region| self.bounds(region)).collect();
        let mut spans = vec![0u128; self.columns.len()];
        for (bounds, class) in bounds.iter().zip(classes.iter()) {
            for ((sum, of), &bound) in spans.iter_mut().zip(self.columns).zip(bounds) {
                *sum += u128::from(class.count) * u128::from(span(of, bound));
            }
        }
        let rows = self.classes.rows() as f64;
        let mean = spans.iter().zip(self.columns).map(|(&sum, of)| sum as f64 / (f64::from(of.span_max()) * rows));
        Partition {
            granularity: mean.sum::<f64>() / self.columns.len() as f64,
            texts: bounds
                .iter()
                .map(|bounds| self.columns.iter().zip(bounds).map(|(of, &bound)| text(of, bound)).collect())
                .collect(),
            regions: bounds,
            classes,
            places,
        }
    }
}

/// True when an interval of codes has a name of its own: one code, or declared levels only.
fn is_named(of: &Hierarchy, (least, greatest): (u32, u32)) -> bool {
    least == greatest || greatest < of.declared()
}

fn span(of: &Hierarchy, bound: (u32, u32)) -> u32 {
    if is_named(of, bound) { (bound.1 - bound.0).min(of.span_max()) } else { of.span_max() }
}

fn text(of: &Hierarchy, (least, greatest): (u32, u32)) -> Arc<str> {
    match is_named(of, (least, greatest)) {
        false => SUPPRESSED.into(),
        true if least == greatest => of.text(0, least).clone(),
        true => {
            let levels: Vec<Arc<str>> = (0..of.declared()).map(|code| of.text(0, code).clone()).collect();
            range(&levels, least as usize, greatest as usize + 1)
        }
    }
}

#[cfg(test)]
mod tests;
