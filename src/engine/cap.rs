//! A scan with a cap on the rows per unit, made ready for the passes that count: which rows stay is found first, once per scan.

use std::sync::Arc;

use super::EngineError;
use crate::scan::{Cap, Kept, Scan};

/// What the counting passes go by.
pub struct Capped {
    /// Rows without a unit are left out by its filter. It has a cap only if some unit is over it.
    pub scan: Scan,
    kept: Option<Arc<Kept>>,
    /// Passes that were made to find it.
    pub passes: u32,
}

impl Capped {
    /// Takes what an earlier pass over the scan found; else `find` makes the pass, and it is remembered.
    pub fn once(
        scan: &Scan,
        find: impl FnOnce(&Scan, &Cap) -> Result<(Kept, u32), EngineError>,
    ) -> Result<Capped, EngineError> {
        if let Some(kept) = scan.cap.as_ref().and_then(|cap| cap.found(scan)) {
            return Ok(Capped::new(scan, kept, 0));
        }
        let capped = Capped::now(scan, find)?;
        if let (Some(cap), Some(kept)) = (&scan.cap, &capped.kept) {
            cap.remember(scan, kept);
        }
        Ok(capped)
    }

    /// Makes the pass and remembers nothing: for rows that the scan does not name.
    pub fn now(
        scan: &Scan,
        find: impl FnOnce(&Scan, &Cap) -> Result<(Kept, u32), EngineError>,
    ) -> Result<Capped, EngineError> {
        let Some(cap) = &scan.cap else { return Ok(Capped { scan: scan.clone(), kept: None, passes: 0 }) };
        let (kept, passes) = find(&scan.with_units(), cap)?;
        Ok(Capped::new(scan, Arc::new(kept), passes))
    }

    fn new(scan: &Scan, kept: Arc<Kept>, passes: u32) -> Capped {
        let mut scan = scan.with_units();
        if kept.is_empty() {
            scan.cap = None;
        }
        Capped { scan, kept: Some(kept), passes }
    }

    /// The cap and the rows that stay of the units over it; none when no unit is.
    pub fn limits(&self) -> Option<(&Cap, &Arc<Kept>)> {
        self.scan.cap.as_ref().zip(self.kept.as_ref())
    }

    /// Fails when a later pass met another number of rows: which rows stay was then found for a source that is no more.
    pub fn check(&self, rows: u64) -> Result<(), EngineError> {
        match self.kept.as_ref().is_none_or(|kept| kept.rows() == rows) {
            true => Ok(()),
            false => Err(EngineError::Changed),
        }
    }
}

/// The rows of the units over the cap need more memory than they may have.
pub fn too_large(cap: &Cap) -> EngineError {
    EngineError::Memory { demand: "rows per unit".into(), limit_bytes: cap.memory_bytes_max }
}

#[cfg(test)]
mod tests;
