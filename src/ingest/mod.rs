//! From files to rows: which files a source is, what a field means, what the data was promised to be.

#[cfg(feature = "polars")]
pub mod chunks;
pub mod contract;
pub mod csv;
pub mod field;
pub mod paths;
