//! The cap on rows per unit, for batches: a first pass finds the smallest hashes of every unit within a memory limit, and the counting passes
//! ask it for the rows that stay.
//!
//! When the table outgrows the limit, half of the units are put off, by one more bit of their hash; every part that was put off has a pass of
//! its own, and may be halved again.

use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::Pass;
use super::program::{Key, Program, Values};
use crate::demand::{HASH_BITS, RowKey};
use crate::engine::EngineError;
use crate::engine::cap::too_large;
use crate::scalar::Vector;
use crate::scan::{Cap, Copies, Kept, Scan, Unit};

/// Bytes of a unit with one row at most: a slot of 33 in a table between 7/16 and 7/8 full, and the old table while it grows.
const UNIT_BYTES: u64 = 116;

/// Finds the rows that stay of the units over the cap, and the number of passes that took. `run` makes a pass and returns its rows.
pub fn find(
    scan: &Scan,
    cap: &Cap,
    mut run: impl FnMut(&Pass) -> Result<u64, EngineError>,
) -> Result<(Kept, u32), EngineError> {
    let (mut kept, mut passes) = (Kept::default(), 0);
    let mut open = vec![Part { bits: 0, low: 0 }];
    while let Some(part) = open.pop() {
        let bytes_max = cap.memory_bytes_max.saturating_sub(kept.bytes());
        let pass = Pass::of_units(scan, cap, |marks| Units::new(marks, cap.rows_max, part, bytes_max))?;
        let rows = run(&pass)?;
        if passes > 0 && rows != kept.rows() {
            return Err(EngineError::Changed);
        }
        kept.set_rows(rows);
        passes += 1;
        pass.finish_units().map_or(Ok(()), |units| units.finish(cap, &mut kept, &mut open))?;
    }
    Ok((kept, passes))
}

/// What tells units and rows apart.
pub struct Marks {
    unit: [Key; 2],
    row: Key,
}

impl Marks {
    pub fn new(program: &mut Program, scan: &Scan, cap: &Cap) -> Result<Marks, EngineError> {
        let unit = RowKey::Of(vec![cap.unit.clone()]);
        let [first, second] = cap.unit_salts();
        let unit = [program.hashed(scan, &unit, &first)?, program.hashed(scan, &unit, &second)?];
        Ok(Marks { unit, row: program.hashed(scan, &RowKey::Row, &cap.salt)? })
    }

    fn units(&self, columns: &[Vector], chosen: &[u32]) -> Vec<Unit> {
        let [first, second] = &self.unit;
        let pairs = first.hashes_of(columns, chosen).into_iter().zip(second.hashes_of(columns, chosen));
        pairs.map(|(first, second)| [first, second]).collect()
    }
}

/// The rows within the cap in one pass.
pub struct Within {
    marks: Marks,
    kept: Arc<Kept>,
    copies: Copies,
}

impl Within {
    pub fn new(program: &mut Program, scan: &Scan, cap: &Cap, kept: &Arc<Kept>) -> Result<Within, EngineError> {
        Ok(Within { marks: Marks::new(program, scan, cap)?, kept: kept.clone(), copies: kept.start() })
    }

    /// Takes the rows over the cap away. `stays` says of every row whether the filter keeps it.
    pub fn narrow(&self, columns: &[Vector], stays: &mut [bool]) {
        let chosen: Vec<u32> = (0..stays.len() as u32).filter(|&row| stays[row as usize]).collect();
        let units = self.marks.units(columns, &chosen);
        let limited = chosen.iter().zip(units).filter_map(|(&row, unit)| Some((row, self.kept.of(unit)?)));
        let (rows, limits): (Vec<u32>, Vec<_>) = limited.unzip();
        let hashes = self.marks.row.hashes_of(columns, &rows);
        for ((row, limit), hash) in rows.into_iter().zip(limits).zip(hashes) {
            stays[row as usize] = self.copies.take(limit, hash);
        }
    }
}

/// Units whose first hash ends in these bits.
#[derive(Clone, Copy)]
struct Part {
    bits: u32,
    low: u64,
}

impl Part {
    fn has(self, unit: Unit) -> bool {
        unit[0] & ((1 << self.bits) - 1) == self.low
    }

    /// Keeps one half and returns the other.
    fn halve(&mut self) -> Part {
        let other = Part { bits: self.bits + 1, low: self.low | 1 << self.bits };
        self.bits += 1;
        other
    }
}

/// The smallest hashes of the units of one part, with the table all threads share.
pub struct Units {
    marks: Marks,
    rows_max: usize,
    table: Mutex<Table>,
}

struct Table {
    units: HashMap<Unit, Smallest, foldhash::fast::FixedState>,
    part: Part,
    /// Parts that were put off.
    later: Vec<Part>,
    bytes: u64,
    bytes_max: u64,
    overfull: bool,
}

/// The smallest hashes of one unit. `over`: there were more rows than the cap.
enum Smallest {
    One { row: u64, over: bool },
    Some(Box<Several>),
}

struct Several {
    rows: BinaryHeap<u64>,
    over: bool,
}

impl Units {
    fn new(marks: Marks, rows_max: u32, part: Part, bytes_max: u64) -> Units {
        let (units, later) = (HashMap::default(), Vec::new());
        let table = Table { units, part, later, bytes: 0, bytes_max, overfull: false };
        Units { marks, rows_max: rows_max as usize, table: Mutex::new(table) }
    }

    pub fn add(&self, values: &Values, chosen: &[u32]) {
        let units = self.marks.units(&values.columns, chosen);
        let part = self.table.lock().unwrap_or_else(PoisonError::into_inner).part;
        let (rows, units): (Vec<u32>, Vec<Unit>) = chosen.iter().zip(units).filter(|(_, unit)| part.has(*unit)).unzip();
        let hashes = self.marks.row.hashes_of(&values.columns, &rows);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        for (unit, hash) in units.into_iter().zip(hashes) {
            table.add(unit, hash, self.rows_max);
        }
    }

    /// Adds the units over the cap and the parts that were put off; an error when they need more than the memory limit.
    fn finish(self, cap: &Cap, kept: &mut Kept, open: &mut Vec<Part>) -> Result<(), EngineError> {
        let table = self.table.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (unit, smallest) in table.units {
            let (rows, over) = match smallest {
                Smallest::One { row, over } => (vec![row], over),
                Smallest::Some(several) => (several.rows.into_vec(), several.over),
            };
            if over {
                kept.limit(unit, &rows[..rows.len().min(self.rows_max)]);
            }
            if kept.bytes() > cap.memory_bytes_max {
                return Err(too_large(cap));
            }
        }
        open.extend(table.later);
        if table.overfull { Err(too_large(cap)) } else { Ok(()) }
    }
}

impl Table {
    fn add(&mut self, unit: Unit, row: u64, rows_max: usize) {
        if self.overfull || !self.part.has(unit) {
            return;
        }
        match self.units.get_mut(&unit) {
            Some(smallest) => {
                let before = smallest.bytes();
                smallest.add(row, rows_max);
                self.bytes = self.bytes + smallest.bytes() - before;
            }
            None => {
                self.units.insert(unit, Smallest::One { row, over: rows_max == 0 });
                self.bytes += UNIT_BYTES;
            }
        }
        while self.bytes > self.bytes_max && !self.overfull {
            self.halve();
        }
    }

    /// Puts half of the units off; into a new table, as an emptied one does not get smaller.
    fn halve(&mut self) {
        let units = std::mem::take(&mut self.units);
        self.overfull = self.part.bits == HASH_BITS;
        self.bytes = 0;
        if self.overfull {
            return;
        }
        self.later.push(self.part.halve());
        self.units.reserve(units.keys().filter(|unit| self.part.has(**unit)).count());
        for (unit, smallest) in units.into_iter().filter(|(unit, _)| self.part.has(*unit)) {
            self.bytes += smallest.bytes();
            self.units.insert(unit, smallest);
        }
    }
}

impl Smallest {
    fn bytes(&self) -> u64 {
        match self {
            Smallest::One { .. } => UNIT_BYTES,
            // The box and the heap, each with what the allocator adds.
            Smallest::Some(several) => UNIT_BYTES + 64 + 8 * several.rows.capacity() as u64,
        }
    }

    fn add(&mut self, new: u64, rows_max: usize) {
        match self {
            Smallest::One { row, over } if rows_max <= 1 => (*row, *over) = (new.min(*row), true),
            Smallest::One { row, .. } => {
                *self = Smallest::Some(Box::new(Several { rows: BinaryHeap::from([*row, new]), over: false }));
            }
            Smallest::Some(several) if several.rows.len() < rows_max => several.rows.push(new),
            Smallest::Some(several) => {
                several.over = true;
                if let Some(mut greatest) = several.rows.peek_mut()
                    && new < *greatest
                {
                    *greatest = new;
                }
            }
        }
    }
}
