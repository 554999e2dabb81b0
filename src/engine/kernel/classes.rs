//! Class sizes within a memory limit, by hash partitions and further passes.
//!
//! A key is its 128-bit MD5; two keys of one hash would be counted as one class (chance below 1e-18 at 10^10 rows). When the table outgrows
//! the limit, only the hashes that are 0 modulo a doubled number are kept; the others are counted in passes of their own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use md5::{Digest, Md5};

use super::program::{Program, Values};
use crate::engine::EngineError;
use crate::engine::reference::class_bytes;
use crate::scalar::{Scalar, Value};
use crate::scan::Scan;
use crate::statistic::ClassSizes;

/// Bytes of one entry of the table, empty slots included.
const ENTRY_BYTES: u64 = 64;

/// A class-sizes demand bound to a program, with the table all threads share.
pub struct Classes {
    of: Vec<usize>,
    entries_max: usize,
    table: Mutex<Table>,
}

struct Table {
    counts: HashMap<u128, u64, foldhash::fast::FixedState>,
    /// Hashes that are `part` modulo `parts` are counted.
    part: u128,
    parts: u128,
    missing: u64,
    overfull: bool,
}

impl Classes {
    /// Counts the keys of one part; the first pass has part 0 of 1.
    pub fn new(
        program: &mut Program,
        scan: &Scan,
        of: &[Scalar],
        memory_bytes_max: u64,
        (part, parts): (u128, u128),
    ) -> Result<Classes, EngineError> {
        let of = of.iter().map(|scalar| program.column(scan, scalar)).collect::<Result<_, _>>()?;
        let table = Table { counts: HashMap::default(), part, parts, missing: 0, overfull: false };
        Ok(Classes { of, entries_max: (memory_bytes_max / ENTRY_BYTES).max(1) as usize, table: Mutex::new(table) })
    }

    pub fn add(&self, values: &Values, chosen: &[u32]) {
        let (mut hashes, mut missing) = (Vec::with_capacity(chosen.len()), 0);
        let mut bytes = Vec::with_capacity(64);
        for &row in chosen {
            let key = values.row(&self.of, row);
            if key.contains(&Value::Null) {
                missing += 1;
                continue;
            }
            bytes.clear();
            class_bytes(&mut bytes, key.iter());
            hashes.push(u128::from_be_bytes(Md5::digest(&bytes).into()));
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.missing += missing;
        for hash in hashes {
            table.count(hash, self.entries_max);
        }
    }

    /// The classes of this part, and the number of parts there are; an error when a later part still outgrew the limit.
    pub fn finish(self, demand: &str) -> Result<(ClassSizes, u128), EngineError> {
        let table = self.table.into_inner().unwrap_or_else(PoisonError::into_inner);
        if table.overfull {
            return Err(EngineError::Memory {
                demand: demand.into(),
                limit_bytes: self.entries_max as u64 * ENTRY_BYTES,
            });
        }
        let mut sizes =
            ClassSizes { missing: if table.part == 0 { table.missing } else { 0 }, ..ClassSizes::default() };
        for n in table.counts.into_values() {
            *sizes.classes.entry(n).or_default() += 1;
        }
        Ok((sizes, table.parts))
    }
}

impl Table {
    fn count(&mut self, hash: u128, entries_max: usize) {
        if hash % self.parts != self.part || self.overfull {
            return;
        }
        *self.counts.entry(hash).or_default() += 1;
        while self.counts.len() > entries_max {
            if self.part > 0 && self.counts.len() > 2 * entries_max {
                self.overfull = true;
                self.counts.clear();
                return;
            }
            if self.part > 0 {
                return;
            }
            self.parts *= 2;
            let parts = self.parts;
            self.counts.retain(|hash, _| hash % parts == 0);
        }
    }
}
