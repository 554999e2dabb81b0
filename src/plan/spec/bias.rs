//! The sections about fairness: one file each.

mod data;
mod individual;
mod inferred;
mod mitigate;
mod regulation;
mod subgroups;

pub use data::DataBias;
pub use individual::Individual;
pub use inferred::Inferred;
pub use mitigate::Mitigate;
pub use regulation::Regulation;
pub use subgroups::Subgroups;
