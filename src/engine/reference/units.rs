//! The cap on rows per unit, in plain loops: the hashes of all rows of every unit, sorted.

use std::collections::HashMap;

use super::{BoundKey, bind, each_row, key_bytes};
use crate::demand::{RowKey, hash};
use crate::engine::EngineError;
use crate::engine::cap::too_large;
use crate::scalar::{Bound, Value};
use crate::scan::{Cap, Copies, Kept, Scan, Unit};

/// Bytes of the table per unit with its first row, and for a further row.
const UNIT_BYTES: u64 = 192;
const ROW_BYTES: u64 = 16;

/// What tells units and rows apart.
struct Marks {
    unit: Bound,
    unit_salts: [String; 2],
    row: BoundKey,
    salt: String,
}

impl Marks {
    fn new(scan: &Scan, cap: &Cap) -> Result<Marks, EngineError> {
        let (unit, row) = (bind(scan, &cap.unit)?, BoundKey::new(scan, &RowKey::Row)?);
        Ok(Marks { unit, unit_salts: cap.unit_salts(), row, salt: cap.salt.clone() })
    }

    fn unit(&self, row: &[Value]) -> Unit {
        let mut key = Vec::new();
        key_bytes(&mut key, [self.unit.evaluate(row)].into_iter());
        [hash(&self.unit_salts[0], &key), hash(&self.unit_salts[1], &key)]
    }

    fn hash(&self, row: &[Value], reads: usize) -> u64 {
        hash(&self.salt, &self.row.bytes(row, reads))
    }
}

/// The rows within the cap in one pass.
pub struct Within<'a> {
    marks: Marks,
    kept: &'a Kept,
    copies: Copies,
}

impl<'a> Within<'a> {
    pub fn new(scan: &Scan, cap: &Cap, kept: &'a Kept) -> Result<Within<'a>, EngineError> {
        Ok(Within { marks: Marks::new(scan, cap)?, kept, copies: kept.start() })
    }

    /// True when a row that the filter keeps is within the cap; to be asked once for every such row.
    pub fn stays(&self, row: &[Value], reads: usize) -> bool {
        let limit = self.kept.of(self.marks.unit(row));
        limit.is_none_or(|limit| self.copies.take(limit, self.marks.hash(row, reads)))
    }
}

/// One pass over the rows: the hashes that stay of every unit with more rows than the cap.
pub fn find(scan: &Scan, cap: &Cap, progress: &(dyn Fn(u64) + Sync)) -> Result<(Kept, u32), EngineError> {
    let marks = Marks::new(scan, cap)?;
    let (mut units, mut bytes) = (HashMap::<Unit, Vec<u64>>::new(), 0);
    let rows = each_row(scan, progress, |row, kept| {
        if kept {
            let hashes = units.entry(marks.unit(row)).or_default();
            bytes += if hashes.is_empty() { UNIT_BYTES } else { ROW_BYTES };
            hashes.push(marks.hash(row, scan.reads.len()));
        }
        if bytes > cap.memory_bytes_max { Err(too_large(cap)) } else { Ok(()) }
    })?;
    let mut kept = Kept::default();
    kept.set_rows(rows);
    for (unit, mut hashes) in units {
        if hashes.len() > cap.rows_max as usize {
            hashes.sort_unstable();
            hashes.truncate(cap.rows_max as usize);
            kept.limit(unit, &hashes);
        }
    }
    if kept.bytes() > cap.memory_bytes_max { Err(too_large(cap)) } else { Ok((kept, 1)) }
}
