//! The sections about fairness beyond the tables of values: one file each.

pub mod classes;
pub mod data;
pub mod individual;
pub mod inferred;
pub mod mitigation;
pub mod ranking;
pub mod regulation;
pub mod strata;
pub mod subgroups;
pub mod sweep;
pub mod tests;
