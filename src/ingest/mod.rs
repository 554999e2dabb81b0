//! From files to rows: which files a source is, and what a field means.

pub mod csv;
pub mod field;
