//! The one door: guarded evidence goes in, released evidence and receipts come out.
//!
//! [`release`] adds nothing and charges nothing, and its receipts say so. [`Purse::release`] adds integer noise to every number of every cell
//! of the whole domain, empty ones included, at a scale that follows from the demand ([`sensitivity`]) and from what was set aside for the
//! statistic. A purse is filled once, after the ledger was charged for all of it; what is taken out for a statistic is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::ChaCha20Rng;

use crate::budget::{Allocation, Charge, Mechanism, Noise, Receipt};
use crate::demand::{Demand, Shape};
use crate::evidence::{Evidence, Guarded, Released};
use crate::statistic::{Bins, Cell, Counts, Histogram, MomentSums, Moments, Spread, Statistic, Tally};

mod law;
pub mod noise;
pub mod rehearsal;
pub mod response;
pub mod select;
pub mod sensitivity;
pub mod threshold;

use noise::Law;
use sensitivity::{Sensitivity, Unit};

/// Most numbers one statistic may be released as.
pub const NUMBERS_MAX: u64 = 4_000_000;

/// Releases evidence with the mechanism `Exact`: nothing is added and nothing is charged, and every receipt says so.
pub fn release(guarded: Guarded) -> Released {
    let evidence = guarded.open();
    let receipts = evidence
        .statistics
        .iter()
        .map(|(name, statistic)| Receipt {
            statistic: name.clone(),
            shape: shape(statistic).into(),
            mechanism: Mechanism::Exact,
            noise: None,
        })
        .collect();
    Released::new(evidence, receipts)
}

/// Why evidence stays behind the door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error(
        "nothing was set aside for {0:?}, or it was released before; this is a defect of evenhand, please report it"
    )]
    NotSetAside(Arc<str>),
    #[error("{0:?} is a {1}, for which no differentially private mechanism is known")]
    NoMechanism(Arc<str>, &'static str),
    #[error("{0:?} has more than {NUMBERS_MAX} numbers; compare fewer cohorts in one pipeline")]
    TooManyNumbers(Arc<str>),
    #[error("the noise {0:?} needs is beyond what can be drawn; lower rows_per_unit_max, or raise epsilon")]
    TooMuchNoise(Arc<str>),
}

/// What was counted, without noise: for the internal edition, never for the public one. It is read as released evidence is, and no audit is made
/// of it.
pub struct Unprotected(Released);

impl Unprotected {
    pub fn none() -> Unprotected {
        Unprotected(Released::default())
    }

    /// Evidence of which nothing will be released: nothing is charged for it.
    pub fn of(guarded: Guarded) -> Unprotected {
        Unprotected(Released::new(guarded.open(), Vec::new()))
    }

    pub fn extend(&mut self, other: Unprotected) {
        self.0.extend(other.0);
    }

    /// For figures marked "not covered by the claim".
    pub fn internal(&self) -> &Released {
        &self.0
    }
}

/// What is set aside for each statistic, and who is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    unit: Unit,
    allocations: BTreeMap<Arc<str>, Charge>,
}

impl Allowance {
    pub fn new(unit: Unit, allocations: &[Allocation]) -> Allowance {
        let allocations =
            allocations.iter().map(|allocation| (allocation.statistic.clone(), allocation.charge)).collect();
        Allowance { unit, allocations }
    }

    /// What is set aside for a statistic.
    fn of(&self, statistic: &Arc<str>) -> Result<Charge, ReleaseError> {
        self.allocations.get(statistic).copied().ok_or_else(|| ReleaseError::NotSetAside(statistic.clone()))
    }

    /// Whether each of these can be released.
    ///
    /// # Errors
    /// Those the release would meet: they are known before anything is paid or read.
    pub fn check(&self, demands: &[Demand]) -> Result<(), ReleaseError> {
        demands.iter().try_for_each(|demand| planned(demand, self.unit, self.of(&demand.name)?).map(drop))
    }
}

/// What was paid for and not yet spent, and the noise it is spent on.
pub struct Purse {
    allowance: Allowance,
    random: ChaCha20Rng,
}

impl Purse {
    /// Call after the ledger was charged for all of it.
    pub fn new(allowance: Allowance, random: ChaCha20Rng) -> Purse {
        Purse { allowance, random }
    }

    /// Releases each statistic once, with the noise of its demand.
    ///
    /// # Errors
    /// When nothing is set aside for a statistic, and where no noise can be drawn. Nothing is released then.
    pub fn release(&mut self, guarded: Guarded, demands: &[Demand]) -> Result<(Released, Unprotected), ReleaseError> {
        let (mut evidence, mut receipts) = (Evidence::default(), Vec::new());
        let counted = guarded.open();
        let unprotected = Unprotected(Released::new(counted.clone(), Vec::new()));
        let mut waiting = counted.statistics;
        for demand in demands {
            let name = &demand.name;
            let charge = self.allowance.of(name)?;
            self.allowance.allocations.remove(name);
            let (law, sensitivity) = law_of(&demand.shape, name, self.allowance.unit, charge)?;
            let counted = waiting.remove(name);
            let noisy = noised(&demand.shape, counted, &mut || law.draw(&mut self.random));
            evidence.statistics.insert(name.clone(), noisy);
            receipts.push(Receipt {
                statistic: name.clone(),
                shape: word(&demand.shape).into(),
                mechanism: law.mechanism(),
                noise: Some(noise(&demand.shape, &law, &sensitivity, charge)),
            });
        }
        Ok((Released::new(evidence, receipts), unprotected))
    }
}

/// The noise a demand would be released with, for a plan.
///
/// # Errors
/// Those the release would meet.
pub fn planned(demand: &Demand, unit: Unit, charge: Charge) -> Result<Noise, ReleaseError> {
    let (law, sensitivity) = law_of(&demand.shape, &demand.name, unit, charge)?;
    Ok(noise(&demand.shape, &law, &sensitivity, charge))
}

fn noise(shape: &Shape, law: &Law, sensitivity: &Sensitivity, charge: Charge) -> Noise {
    Noise {
        parameter: law.parameter(),
        variance: law.variance(),
        sensitivity: law.sensitivity(sensitivity),
        numbers: numbers(shape).unwrap_or_default(),
        charge,
    }
}

/// The noise of every number of a shape.
fn law_of(shape: &Shape, name: &Arc<str>, unit: Unit, charge: Charge) -> Result<(Law, Sensitivity), ReleaseError> {
    let sensitivity =
        sensitivity::of(shape, unit).ok_or_else(|| ReleaseError::NoMechanism(name.clone(), word(shape)))?;
    let law = Law::of(&sensitivity, charge).ok_or_else(|| ReleaseError::TooMuchNoise(name.clone()))?;
    if numbers(shape).is_none_or(|numbers| numbers > NUMBERS_MAX) {
        return Err(ReleaseError::TooManyNumbers(name.clone()));
    }
    Ok((law, sensitivity))
}

/// How many numbers a shape is released as; none when it cannot be, or when they cannot be counted.
pub fn numbers(shape: &Shape) -> Option<u64> {
    let cells = |axes: &[crate::demand::Axis]| {
        axes.iter().try_fold(1u64, |cells, axis| cells.checked_mul(u64::from(axis.size())))
    };
    match shape {
        Shape::Tally { axes, .. } => cells(axes),
        Shape::Histogram { by, bins, .. } => cells(by)?.checked_mul(u64::from(bins.as_ref()?.count)),
        Shape::Moments { by, of, cross, gram, .. } => {
            let variables = of.len() as u64 + 1;
            let products = if *gram { variables * (variables + 1) / 2 } else { 0 };
            cells(by)?.checked_mul(products + variables * cross.len() as u64)
        }
        Shape::ClassSizes { .. } | Shape::Panel { .. } => None,
    }
}

/// The statistic over its whole domain, with a draw added to every number. What was not counted is zero.
fn noised(shape: &Shape, counted: Option<Statistic>, draw: &mut dyn FnMut() -> i128) -> Statistic {
    match shape {
        Shape::Tally { axes, .. } => {
            let sizes: Vec<u32> = axes.iter().map(|axis| axis.size()).collect();
            let tally = match counted {
                Some(Statistic::Tally(tally)) => tally,
                _ => Tally::new(sizes.clone()),
            };
            let cells = domain(&sizes)
                .map(|code| {
                    let n = tally.cells.get(&code).map_or(0, |cell| cell.n);
                    (code, Cell::noisy(add(n, draw())))
                })
                .collect();
            Statistic::Tally(Tally { sizes, cells })
        }
        Shape::Histogram { by, bins, .. } => {
            let sizes: Vec<u32> = by.iter().map(|axis| axis.size()).collect();
            let bins = bins.unwrap_or(Bins { lower: 0.0, upper: 1.0, count: 1 });
            let histogram = match counted {
                Some(Statistic::Histogram(histogram)) => histogram,
                _ => Histogram::default(),
            };
            let mut group = |code: u64| {
                let counts = histogram.groups.get(&code).map(|counts| binned(counts, &bins)).unwrap_or_default();
                let noisy =
                    (0..bins.count).map(|bin| (bin, add(counts.get(&bin).copied().unwrap_or_default(), draw())));
                (code, Counts::of_bins(&bins, noisy))
            };
            Statistic::Histogram(Histogram {
                groups: domain(&sizes).map(&mut group).collect(),
                sizes,
                bins: Some(bins),
            })
        }
        Shape::Moments { by, of, cross, gram, limbs, .. } => {
            let sizes: Vec<u32> = by.iter().map(|axis| axis.size()).collect();
            let moments = match counted {
                Some(Statistic::Moments(moments)) => moments,
                _ => Moments::default(),
            };
            let bits = limbs.bits();
            let empty = MomentSums::new(of.len() + 1, 0, cross.len(), *gram);
            let mut group = |code: u64| (code, products(moments.groups.get(&code).unwrap_or(&empty), bits, draw));
            Statistic::Moments(Moments { groups: domain(&sizes).map(&mut group).collect(), sizes, scale_bits: bits })
        }
        // `numbers` has none for these: they do not get here.
        Shape::ClassSizes { .. } | Shape::Panel { .. } => Statistic::Tally(Tally::default()),
    }
}

/// Every cell's code.
fn domain(sizes: &[u32]) -> std::ops::Range<u64> {
    0..sizes.iter().map(|size| u64::from(*size)).product()
}

fn add(n: i64, noise: i128) -> i64 {
    let sum = i128::from(n).saturating_add(noise);
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN / 4 } else { i64::MAX / 4 }).clamp(i64::MIN / 4, i64::MAX / 4)
}

/// Rows per bin, whether the values were kept one by one or binned.
fn binned(counts: &Counts, bins: &Bins) -> BTreeMap<u32, i64> {
    let mut of = BTreeMap::new();
    match counts.spread() {
        Spread::Numbers { counts } => {
            counts.iter().for_each(|(value, n)| *of.entry(bins.code(value.number())).or_default() += n)
        }
        Spread::Binned { counts } => of.extend(counts),
        // Only numbers have bins; texts are missing there.
        Spread::Texts { .. } | Spread::TooManyTexts { .. } => {}
    }
    of
}

/// Sums with noise in every one. The number of rows is read off the noisy sum of the constant; rows left out are not released.
fn products(sums: &MomentSums, bits: u32, draw: &mut dyn FnMut() -> i128) -> MomentSums {
    let mut noisy = |sums: &[i128]| sums.iter().map(|sum| sum.saturating_add(draw())).collect::<Vec<i128>>();
    let (gram, cross) = (noisy(&sums.gram), noisy(&sums.cross));
    let half = 1i128 << (2 * bits - 1);
    let rows = gram.first().map_or(0, |constant| constant.saturating_add(half) >> (2 * bits));
    let n = i64::try_from(rows).unwrap_or(if rows < 0 { i64::MIN / 4 } else { i64::MAX / 4 });
    MomentSums { n, skipped: 0, gram, weighted: Vec::new(), cross }
}

fn word(shape: &Shape) -> &'static str {
    match shape {
        Shape::Tally { .. } => "tally",
        Shape::Moments { .. } => "moments",
        Shape::Histogram { .. } => "histogram",
        Shape::ClassSizes { .. } => "class-sizes",
        Shape::Panel { .. } => "panel",
    }
}

fn shape(statistic: &Statistic) -> &'static str {
    match statistic {
        Statistic::Tally(_) => "tally",
        Statistic::Moments(_) => "moments",
        Statistic::Histogram(_) => "histogram",
        Statistic::ClassSizes(_) => "class-sizes",
        Statistic::Panel(_) => "panel",
    }
}

#[cfg(test)]
mod tests;
