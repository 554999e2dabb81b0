//! TOML -> Spec -> Plan.
#[cfg(feature = "sql")]
pub mod expression;
pub mod spec;
