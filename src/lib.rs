//! evenhand turns a dataset and one TOML file into an audit report.
//!
//! Nouns are files, verbs are folders; imports point down (ARCHITECTURE.md draws them).

// nouns
pub mod audit;
pub mod budget;
pub mod cohort;
pub mod demand;
pub mod estimate;
pub mod evidence;
pub mod finding;
pub mod metric;
pub mod scalar;
pub mod scan;
pub mod schema;
pub mod statistic;
pub mod world;

// verbs
pub mod demo;
pub mod engine;
pub mod ingest;
pub mod measure;
pub mod plan;
pub mod privatize;
pub mod train;
