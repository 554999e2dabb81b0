//! The most rows of one unit (a person, a household) that may be counted.
//!
//! Differential privacy for units hides what one unit changes, and the noise is made for a unit of at most `rows_max` rows: no more of them may
//! enter a statistic, however many there are in the source.
//!
//! Which rows stay follows from the rows of the unit alone: those of smallest hash of all values read, salted. A row of the other units changes
//! nothing about it, and neither do the order of the rows, the files or the threads. Rows of equal values have equal hashes and stand for one
//! another: so many of them stay as still fit. Two different rows of one unit with one hash (60 bits) would stand for one another too; the cap
//! holds all the same.
//!
//! A row without a unit is left out. Taken for a unit of its own, a person whose name is missing in all its rows would have no cap.
//!
//! A unit is known by 120 bits of its hash. Two units of one hash would share a cap (chance below 1e-16 at 10^10 units).

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::Scan;
use crate::scalar::{Expr, Scalar};

/// At most so many rows of one unit. Rows over the cap are as if the `where` left them out.
#[derive(Clone)]
pub struct Cap {
    /// Whose rows belong together.
    pub unit: Scalar,
    pub rows_max: u32,
    /// Of the hash that chooses among the rows of a unit.
    pub salt: String,
    /// For the table of units; beyond it further passes are made.
    pub memory_bytes_max: u64,
    /// What the first pass found, and of which scan; shared by clones.
    found: Arc<OnceLock<(Scan, Arc<Kept>)>>,
}

impl Cap {
    pub fn new(unit: Scalar, rows_max: u32, salt: String, memory_bytes_max: u64) -> Cap {
        Cap { unit, rows_max, salt, memory_bytes_max, found: Arc::default() }
    }

    /// The same cap, of rows that were not looked at yet.
    pub fn again(&self) -> Cap {
        Cap { found: Arc::default(), ..self.clone() }
    }

    /// Salts of the two hashes of a unit.
    pub fn unit_salts(&self) -> [String; 2] {
        [1, 2].map(|part| format!("{}:unit:{part}", self.salt))
    }

    /// What an earlier pass over this scan found. A scan that was changed since has nothing found.
    pub(crate) fn found(&self, scan: &Scan) -> Option<Arc<Kept>> {
        self.found.get().filter(|(of, _)| of == scan).map(|(_, kept)| kept.clone())
    }

    /// Keeps what was found for further passes over the scan. The rows of a source are taken to stay as they are.
    pub(crate) fn remember(&self, scan: &Scan, kept: &Arc<Kept>) {
        // A cap of its own, which remembers nothing: else the memory would hold itself.
        let cap = scan.cap.as_ref().map(|cap| Cap { found: Arc::default(), ..cap.clone() });
        // Another thread may have been first, with the same result.
        let _ = self.found.set((Scan { cap, ..scan.clone() }, kept.clone()));
    }
}

/// What was found is no part of the description.
impl PartialEq for Cap {
    fn eq(&self, other: &Cap) -> bool {
        (&self.unit, self.rows_max, &self.salt, self.memory_bytes_max)
            == (&other.unit, other.rows_max, &other.salt, other.memory_bytes_max)
    }
}

/// Without what was found: it follows from the rows.
impl fmt::Debug for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cap")
            .field("unit", &self.unit)
            .field("rows_max", &self.rows_max)
            .field("salt", &self.salt)
            .field("memory_bytes_max", &self.memory_bytes_max)
            .finish_non_exhaustive()
    }
}

impl Scan {
    /// The scan without the rows that have no unit; itself when there is no cap.
    pub fn with_units(&self) -> Scan {
        let mut scan = self.clone();
        if let Some(cap) = &self.cap {
            let there = Expr::Not(Box::new(Expr::IsNull(Box::new(cap.unit.clone()))));
            scan.keep = Some(match scan.keep.take() {
                None => there,
                Some(keep) => Expr::And(Box::new(keep), Box::new(there)),
            });
        }
        scan
    }
}

/// The hashes of a unit under both salts.
pub type Unit = [u64; 2];

/// Which rows stay of the units over the cap. Not to be shown, written or compared: it follows from the rows and no noise is on it.
#[derive(Default)]
pub struct Kept {
    limits: HashMap<Unit, Limit>,
    /// Rows that stay at the greatest hash of every limited unit.
    copies: Vec<u32>,
    /// Rows of the source, kept or not.
    rows: u64,
}

/// What stays of one unit: every row of a smaller hash than the greatest, and some copies of that.
#[derive(Clone, Copy)]
pub struct Limit {
    greatest: u64,
    at: usize,
}

impl Kept {
    /// Bytes a limited unit takes at most: a slot of 33 in a table between 7/16 and 7/8 full, the old table while it grows, and two counters.
    const UNIT_BYTES: u64 = 124;

    /// Limits a unit to these rows, the hashes of those that stay.
    pub fn limit(&mut self, unit: Unit, stay: &[u64]) {
        let greatest = stay.iter().copied().max().unwrap_or(0);
        let copies = stay.iter().filter(|hash| **hash == greatest).count();
        self.limits.insert(unit, Limit { greatest, at: self.copies.len() });
        self.copies.push(u32::try_from(copies).unwrap_or(u32::MAX));
    }

    /// Rows of the source in the pass that found this.
    pub fn set_rows(&mut self, rows: u64) {
        self.rows = rows;
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// True when no unit is over the cap.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Memory it takes, at most.
    pub fn bytes(&self) -> u64 {
        (self.limits.len() as u64).saturating_mul(Kept::UNIT_BYTES)
    }

    /// The limit of a unit over the cap.
    pub fn of(&self, unit: Unit) -> Option<Limit> {
        self.limits.get(&unit).copied()
    }

    /// Counters for one pass.
    pub fn start(&self) -> Copies {
        Copies(self.copies.iter().map(|&copies| AtomicU32::new(copies)).collect())
    }
}

/// Copies that may still stay in a pass, for all its threads.
pub struct Copies(Vec<AtomicU32>);

impl Copies {
    /// True when a row of this hash stays; to be asked once for every row of the unit.
    pub fn take(&self, limit: Limit, hash: u64) -> bool {
        if hash != limit.greatest {
            return hash < limit.greatest;
        }
        let left = |copies: &AtomicU32| {
            copies.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        };
        self.0.get(limit.at).is_some_and(left)
    }
}
