//! The sections about fairness: one file each.

mod data;
mod individual;
mod inferred;
mod mitigate;
mod ranking;
mod regulation;
mod subgroups;

pub use data::DataBias;
pub use individual::Individual;
pub use inferred::Inferred;
pub use mitigate::Mitigate;
pub use ranking::Ranking;
pub use regulation::Regulation;
pub use subgroups::Subgroups;
