//! Statistics as a release with noise leaves them.

use super::{Bins, Cell, Counts, Ordered};

impl Cell {
    /// A count with one draw of noise in it.
    pub fn noisy(n: i64) -> Cell {
        Cell { draws: 1, ..Cell::rows(n) }
    }
}

impl Counts {
    /// Rows per bin as they are released: counts may be negative or zero, and nothing is known of the values but their bins.
    pub fn of_bins(bins: &Bins, counts: impl Iterator<Item = (u32, i64)>) -> Counts {
        let range = Some((Ordered::of(bins.lower), Ordered::of(bins.upper)));
        Counts { range, binned: Some(counts.collect()), ..Counts::default() }
    }
}
