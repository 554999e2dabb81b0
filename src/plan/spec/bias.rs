//! The sections about fairness: one file each.

mod data;
mod individual;
mod inferred;
mod mitigate;
mod ranking;
mod regulation;
mod subgroups;

pub use data::DataBias;
pub use individual::{FLIP_LEVELS_MAX, INDIVIDUAL_ROWS_MAX, Individual, NEIGHBOURS_MAX, Scale};
pub use inferred::Inferred;
pub use mitigate::{Mitigate, Remedy};
pub use ranking::Ranking;
pub use regulation::{Basis, DataKind, Regulation, Rule};
pub use subgroups::{DEPTH_MAX, Loss, SUBGROUP_COLUMNS_MAX, SUBGROUP_ROWS_MAX, SUBGROUP_ROWS_MIN, Subgroups};
