//! Keys of the sections about fairness.

use super::Key;

pub const DATA: &[Key] = &[];
pub const SUBGROUPS: &[Key] = &[];
pub const INDIVIDUAL: &[Key] = &[];
pub const INFERRED: &[Key] = &[];
pub const REGULATION: &[Key] = &[];
pub const MITIGATE: &[Key] = &[];
