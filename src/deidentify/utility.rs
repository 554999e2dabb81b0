//! What generalisation costs: the objectives a search minimises.
//!
//! n rows, S of them suppressed, classes E without the suppressed ones, d quasi-identifiers, f(v) the rows that had value v before:
//!
//! - granularity (NCP, ILoss): mean over rows and quasi-identifiers of (levels under the written value - 1) / (declared levels - 1); 1 when
//!   suppressed (Xu et al. 2006, Iyengar 2002);
//! - discernibility: sum of |E|^2, plus S n (Bayardo, Agrawal 2005);
//! - average class size: n / (classes k), the suppressed rows being one class (LeFevre, DeWitt, Ramakrishnan 2006);
//! - non-uniform entropy, in bits: sum over rows and quasi-identifiers of log2(f(written value) / f(v)) (De Waal, Willenborg 1999); the written
//!   value of a suppressed row has f = n.

use crate::deidentify::classes::Classes;
use crate::deidentify::hierarchy::Hierarchy;

/// What a search minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    Granularity,
    Discernibility,
    AverageClassSize,
    NonUniformEntropy,
}

impl Objective {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Objective::Granularity => "granularity loss",
            Objective::Discernibility => "discernibility",
            Objective::AverageClassSize => "average class size",
            Objective::NonUniformEntropy => "non-uniform entropy",
        }
    }

    /// True when the loss without suppression follows from the levels alone.
    pub(super) fn is_additive(self) -> bool {
        matches!(self, Objective::Granularity | Objective::NonUniformEntropy)
    }
}

/// A loss as it is reported, and as it is ordered: exact where it is an integer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Loss {
    pub value: f64,
    pub rank: u128,
}

impl Loss {
    /// Bits of entropy are ordered in steps of 2^-30: sums of equal terms in other orders differ in their last digits.
    fn bits(value: f64) -> Loss {
        Loss { value, rank: (value.max(0.0) * f64::from(1u32 << 30)).round() as u128 }
    }
}

/// Rows of a file after suppression.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outcome {
    pub suppressed: u64,
    /// Classes that are kept, and the sum of their squared sizes.
    pub kept: u64,
    pub squares: u128,
    /// Suppressed rows by generalised value of each quasi-identifier; empty unless the objective reads them.
    pub by_value: Vec<Vec<u64>>,
}

/// What the objectives need to know of the rows before generalisation.
pub(super) struct Losses<'a> {
    hierarchies: &'a [Hierarchy],
    rows: u64,
    k: u64,
    /// Rows of each generalised value, by quasi-identifier and level.
    frequencies: Vec<Vec<Vec<u64>>>,
    /// Least common multiple of the greatest spans, so that granularity is ordered exactly. Below 2^64, as the code of a cell is.
    denominator: u128,
    /// Sum of spans over all rows, by quasi-identifier and level.
    spans: Vec<Vec<u128>>,
    /// Entropy in bits over all rows, by quasi-identifier and level.
    entropies: Vec<Vec<f64>>,
}

impl<'a> Losses<'a> {
    pub fn new(classes: &Classes, hierarchies: &'a [Hierarchy], k: u64) -> Losses<'a> {
        let mut base: Vec<Vec<u64>> = hierarchies.iter().map(|of| vec![0; of.codes() as usize]).collect();
        for class in classes.iter() {
            for (counts, &code) in base.iter_mut().zip(class.codes) {
                counts[code as usize] = counts[code as usize].saturating_add(class.count);
            }
        }
        let mut losses = Losses {
            hierarchies,
            rows: classes.rows(),
            k: k.max(1),
            denominator: hierarchies.iter().fold(1, |all, of| lcm(all, u128::from(of.span_max()))),
            frequencies: Vec::new(),
            spans: Vec::new(),
            entropies: Vec::new(),
        };
        for (of, base) in hierarchies.iter().zip(&base) {
            let frequencies: Vec<Vec<u64>> = (0..of.levels()).map(|level| frequency(of, level, base)).collect();
            losses.spans.push(frequencies.iter().enumerate().map(|(level, counts)| spans(of, level, counts)).collect());
            // Rounding must not make a coarser level look finer.
            let mut most = 0.0f64;
            losses.entropies.push(
                (0..of.levels())
                    .map(|level| {
                        most =
                            most.max(bits(base.iter().enumerate().filter(|(_, own)| **own > 0).map(|(code, &own)| {
                                (own, frequencies[level][of.code(level, code as u32) as usize], own)
                            })));
                        most
                    })
                    .collect(),
            );
            losses.frequencies.push(frequencies);
        }
        losses
    }

    /// Room for the suppressed rows of a file at these levels.
    pub fn outcome(&self, objective: Objective, levels: &[usize]) -> Outcome {
        let by_value = match objective.is_additive() {
            true => self.hierarchies.iter().zip(levels).map(|(of, &level)| vec![0; of.generalised(level)]).collect(),
            false => Vec::new(),
        };
        Outcome { by_value, ..Outcome::default() }
    }

    /// Granularity loss without suppression: at most that of any coarser file, suppression included.
    pub fn granularity(&self, levels: &[usize]) -> Loss {
        self.granularity_of(levels, |_| 0)
    }

    fn granularity_of(&self, levels: &[usize], more: impl Fn(usize) -> u128) -> Loss {
        let (mut rank, mut value) = (0u128, 0.0);
        for (at, of) in self.hierarchies.iter().enumerate() {
            let (sum, most) = (self.spans[at][levels[at]] + more(at), u128::from(of.span_max()));
            rank = rank.saturating_add(sum.saturating_mul(self.denominator / most));
            value += sum as f64 / (most * u128::from(self.rows)) as f64;
        }
        Loss { value: value / self.hierarchies.len() as f64, rank }
    }

    fn entropy_of(&self, levels: &[usize], more: impl Fn(usize) -> f64) -> Loss {
        Loss::bits((0..levels.len()).map(|at| self.entropies[at][levels[at]] + more(at)).sum())
    }

    /// The least loss of a file at these levels or coarser, as far as the levels alone tell.
    pub fn bound(&self, objective: Objective, levels: &[usize]) -> u128 {
        match objective {
            Objective::Granularity => self.granularity(levels).rank,
            Objective::NonUniformEntropy => self.entropy_of(levels, |_| 0.0).rank,
            Objective::Discernibility | Objective::AverageClassSize => 0,
        }
    }

    /// The least loss of a file at these levels or coarser, its classes known: `squares` and `classes` are of all of them.
    pub fn bound_of(&self, objective: Objective, levels: &[usize], squares: u128, classes: u64) -> u128 {
        match objective {
            Objective::Discernibility => squares,
            // A suppressed class is one of them, and all of them together count as one.
            Objective::AverageClassSize => self.average(classes).rank,
            _ => self.bound(objective, levels),
        }
    }

    /// The loss of a file at these levels.
    pub fn loss(&self, objective: Objective, levels: &[usize], outcome: &Outcome) -> Loss {
        let suppressed = |at: usize| outcome.by_value.get(at).into_iter().flatten().enumerate();
        match objective {
            Objective::Granularity => self.granularity_of(levels, |at| {
                let of = &self.hierarchies[at];
                let more = |(value, &rows): (usize, &u64)| {
                    u128::from(rows) * u128::from(of.span_max().saturating_sub(of.span(levels[at], value as u32)))
                };
                suppressed(at).map(more).sum()
            }),
            Objective::NonUniformEntropy => self.entropy_of(levels, |at| {
                let own = &self.frequencies[at][levels[at]];
                bits(suppressed(at).filter(|(_, rows)| **rows > 0).map(|(value, &rows)| (own[value], self.rows, rows)))
            }),
            Objective::Discernibility => {
                let sum = outcome.squares.saturating_add(u128::from(outcome.suppressed) * u128::from(self.rows));
                Loss { value: sum as f64, rank: sum }
            }
            Objective::AverageClassSize => self.average(outcome.kept + u64::from(outcome.suppressed > 0)),
        }
    }

    fn average(&self, classes: u64) -> Loss {
        let value = self.rows as f64 / (classes.max(1) as f64 * self.k as f64);
        Loss { value, rank: u128::from(u64::MAX - classes) }
    }
}

fn lcm(a: u128, b: u128) -> u128 {
    let (mut divisor, mut rest) = (a, b);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    a / divisor.max(1) * b
}

/// Rows of each generalised value.
fn frequency(of: &Hierarchy, level: usize, base: &[u64]) -> Vec<u64> {
    let mut counts = vec![0u64; of.generalised(level)];
    for (code, &rows) in base.iter().enumerate() {
        let slot = &mut counts[of.code(level, code as u32) as usize];
        *slot = slot.saturating_add(rows);
    }
    counts
}

fn spans(of: &Hierarchy, level: usize, counts: &[u64]) -> u128 {
    counts.iter().enumerate().map(|(value, &rows)| u128::from(rows) * u128::from(of.span(level, value as u32))).sum()
}

/// Sum of rows x log2(written / own) over (own, written, rows), in the order of the terms' size: the order of the levels does not show.
fn bits(terms: impl Iterator<Item = (u64, u64, u64)>) -> f64 {
    let mut terms: Vec<f64> =
        terms.map(|(own, written, rows)| rows as f64 * (written as f64 / own as f64).log2()).collect();
    terms.sort_unstable_by(f64::total_cmp);
    terms.into_iter().sum()
}
