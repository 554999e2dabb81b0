//! Rows themselves, for a dataset that is written: the one way by which they leave an engine.
//!
//! Rows that the scan keeps come in their order, in batches of the asked columns. `map` may run on several threads at once; `take` is called in
//! the order of the rows and returns false to stop. It holds a bounded number of batches.

use std::sync::Arc;

use super::EngineError;
use crate::scalar::{Kind, Vector};
use crate::scan::Scan;

/// The kinds of the columns of a scan: what is read, then what is derived.
pub fn kinds(scan: &Scan) -> Result<Vec<(Arc<str>, Kind)>, EngineError> {
    super::reference::names(scan)
}

/// Streams rows with the engine of this build. Returns how many there are in the source.
///
/// # Errors
/// Those of reading. What `map` and `take` meet is theirs to remember.
pub fn stream<T: Send>(
    scan: &Scan,
    columns: &[Arc<str>],
    threads: usize,
    map: &(dyn Fn(&[Vector], &[u32]) -> T + Sync),
    take: &mut dyn FnMut(T) -> bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<u64, EngineError> {
    #[cfg(feature = "polars")]
    return super::polars::rows::stream(scan, columns, threads, map, take, progress);
    #[cfg(not(feature = "polars"))]
    {
        let _ = threads;
        plain(scan, columns, map, take, progress)
    }
}

/// The same by plain loops, for CSV and TSV: what the other is tested against.
pub fn plain<T>(
    scan: &Scan,
    columns: &[Arc<str>],
    map: &(dyn Fn(&[Vector], &[u32]) -> T + Sync),
    take: &mut dyn FnMut(T) -> bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<u64, EngineError> {
    super::reference::rows(scan, columns, map, take, progress)
}
