//! evenhand turns a dataset and one TOML file into an audit report.
//!
//! Nouns are files, verbs are folders; imports point down (ARCHITECTURE.md draws them).

// nouns
pub mod cohort;
pub mod estimate;
pub mod metric;
pub mod scalar;
pub mod schema;

// verbs
pub mod demo;
pub mod measure;
pub mod plan;
pub mod train;
