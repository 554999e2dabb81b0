//! Batches of columns to statistics: every demand of a pass at once, each thread with sums of its own.
//!
//! All sums are integers, so the order in which batches come and threads end does not show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::demand::{Demand, Rows, Shape};
use crate::engine::{EngineError, check_cells};
use crate::evidence::Evidence;
use crate::scalar::{Scalar, Vector};
use crate::scan::{Cap, Kept, Scan};
use crate::statistic::Statistic;

mod classes;
mod counts;
mod md5;
mod moments;
mod panel;
mod program;
mod units;

use classes::Classes;
use counts::{Cells, Groups, HistogramPlan, TallyPlan};
use panel::{PanelPlan, Smallest};
pub use program::Program;
pub use units::find;
use units::{Marks, Units};

/// Rows of a batch at most: block products of that many rows are exact in doubles.
pub const BATCH_ROWS: usize = 4096;

/// All demands of a pass over a scan.
pub struct Pass {
    program: Program,
    counters: Vec<Counter>,
}

struct Counter {
    name: Arc<str>,
    choice: usize,
    shape: Bound,
}

enum Bound {
    Tally(TallyPlan),
    Moments(moments::Plan),
    Histogram(HistogramPlan),
    Classes(Classes),
    Panel(PanelPlan),
    Units(Units),
}

/// What one thread has counted.
pub struct Sums(Vec<Sum>);

enum Sum {
    Tally(Cells),
    Moments(Box<moments::Sums>),
    Histogram(Groups),
    /// In the table all threads share.
    Shared,
    Panel(Smallest),
}

/// Parts of class-size demands that are still to be counted: name, and part of how many.
pub type Parts = BTreeMap<Arc<str>, (u128, u128)>;

/// The scan without the columns that nothing reads in this pass: neither a demand nor an expression of the scan. A cap hashes whole rows.
pub fn needed(scan: &Scan, demands: &[Demand]) -> Scan {
    let mut needed = scan.clone();
    if scan.cap.is_none() && !demands.iter().any(Demand::hashes_rows) {
        let own = scan.derive.iter().map(|(_, scalar)| scalar).chain(&scan.keep);
        let names: BTreeSet<Arc<str>> =
            demands.iter().flat_map(Demand::scalars).chain(own).flat_map(Scalar::columns).collect();
        needed.reads.retain(|read| names.contains(&read.name));
    }
    needed
}

impl Pass {
    /// Binds the demands to the rows within the limits. `parts` names the part of a class-sizes demand that is counted; without an entry it is
    /// the first.
    pub fn new(
        scan: &Scan,
        demands: &[Demand],
        parts: &Parts,
        limits: Option<(&Cap, &Arc<Kept>)>,
    ) -> Result<Pass, EngineError> {
        let mut program = Program::new(scan)?;
        limits.map_or(Ok(()), |(cap, kept)| program.cap(scan, cap, kept))?;
        let counters = demands
            .iter()
            .map(|demand| {
                check_cells(demand)?;
                let choice = program.choice(scan, &demand.rows)?;
                let part = parts.get(&demand.name).copied().unwrap_or((0, 1));
                Ok(Counter { name: demand.name.clone(), choice, shape: bind(&mut program, scan, &demand.shape, part)? })
            })
            .collect::<Result<_, EngineError>>()?;
        Ok(Pass { program, counters })
    }

    /// A pass that looks at the units of the rows that the filter keeps, and counts nothing.
    fn of_units(scan: &Scan, cap: &Cap, units: impl FnOnce(Marks) -> Units) -> Result<Pass, EngineError> {
        let mut program = Program::new(scan)?;
        let choice = program.choice(scan, &Rows::Kept)?;
        let shape = Bound::Units(units(Marks::new(&mut program, scan, cap)?));
        Ok(Pass { program, counters: vec![Counter { name: "rows per unit".into(), choice, shape }] })
    }

    fn finish_units(self) -> Option<Units> {
        self.counters.into_iter().find_map(|counter| match counter.shape {
            Bound::Units(units) => Some(units),
            _ => None,
        })
    }

    pub fn start(&self) -> Sums {
        let sum = |counter: &Counter| match &counter.shape {
            Bound::Tally(plan) => Sum::Tally(plan.start()),
            Bound::Moments(_) => Sum::Moments(Box::default()),
            Bound::Histogram(_) => Sum::Histogram(Groups::default()),
            Bound::Classes(_) | Bound::Units(_) => Sum::Shared,
            Bound::Panel(_) => Sum::Panel(Smallest::default()),
        };
        Sums(self.counters.iter().map(sum).collect())
    }

    /// Counts a batch of at most [`BATCH_ROWS`] rows.
    pub fn add(&self, sums: &mut Sums, read: Vec<Vector>, rows: usize) {
        debug_assert!(rows <= BATCH_ROWS);
        let values = self.program.evaluate(read, rows);
        for (counter, sum) in self.counters.iter().zip(&mut sums.0) {
            let chosen = values.choice(counter.choice);
            match (&counter.shape, sum) {
                (Bound::Tally(plan), Sum::Tally(cells)) => plan.add(cells, &values, chosen),
                (Bound::Moments(plan), Sum::Moments(sums)) => plan.add(sums, &values, chosen),
                (Bound::Histogram(plan), Sum::Histogram(groups)) => plan.add(groups, &values, chosen),
                (Bound::Classes(classes), _) => classes.add(&values, chosen),
                (Bound::Units(units), _) => units.add(&values, chosen),
                (Bound::Panel(plan), Sum::Panel(smallest)) => plan.add(smallest, &values, chosen),
                _ => {}
            }
        }
    }

    /// Merges what the threads counted. Also returns the parts of class-size demands that need passes of their own.
    pub fn finish(self, threads: Vec<Sums>) -> Result<(Evidence, Parts), EngineError> {
        let mut columns: Vec<Vec<Sum>> = self.counters.iter().map(|_| Vec::new()).collect();
        for Sums(sums) in threads {
            for (column, sum) in columns.iter_mut().zip(sums) {
                column.push(sum);
            }
        }
        let (mut evidence, mut parts) = (Evidence::default(), Parts::new());
        for (counter, sums) in self.counters.into_iter().zip(columns) {
            let mut merged: Option<Statistic> = None;
            if let Bound::Classes(classes) = counter.shape {
                let (sizes, count) = classes.finish(&counter.name)?;
                if count > 1 {
                    parts.insert(counter.name.clone(), (0, count));
                }
                merged = Some(Statistic::ClassSizes(sizes));
            } else {
                for sum in sums {
                    let statistic = match (&counter.shape, sum) {
                        (Bound::Tally(plan), Sum::Tally(cells)) => Statistic::Tally(plan.finish(cells)),
                        (Bound::Moments(plan), Sum::Moments(sums)) => Statistic::Moments(plan.finish(*sums)),
                        (Bound::Histogram(plan), Sum::Histogram(groups)) => Statistic::Histogram(plan.finish(groups)),
                        (Bound::Panel(plan), Sum::Panel(smallest)) => Statistic::Panel(plan.finish(smallest)),
                        _ => continue,
                    };
                    match &mut merged {
                        None => merged = Some(statistic),
                        Some(merged) => {
                            merged.merge(statistic);
                        }
                    }
                }
            }
            evidence.statistics.extend(merged.map(|statistic| (counter.name, statistic)));
        }
        Ok((evidence, parts))
    }
}

fn bind(program: &mut Program, scan: &Scan, shape: &Shape, part: (u128, u128)) -> Result<Bound, EngineError> {
    Ok(match shape {
        Shape::Tally { axes, weight } => Bound::Tally(TallyPlan::new(program, scan, axes, weight.as_ref())?),
        Shape::Moments { by, of, weights, cross, gram, limbs } => {
            Bound::Moments(moments::Plan::new(program, scan, by, [of, weights, cross], (*gram, *limbs))?)
        }
        Shape::Histogram { by, of, bins } => Bound::Histogram(HistogramPlan::new(program, scan, by, of, *bins)?),
        Shape::ClassSizes { of, memory_bytes_max } => {
            Bound::Classes(Classes::new(program, scan, of, *memory_bytes_max, part)?)
        }
        Shape::Panel { of, key, salt, limit, distinct } => {
            Bound::Panel(PanelPlan::new(program, scan, of, (key, salt), (*limit, *distinct))?)
        }
    })
}
