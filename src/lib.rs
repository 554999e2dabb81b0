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
pub mod model;
pub mod scalar;
pub mod scan;
#[cfg(feature = "schedule")]
pub mod schedule;
pub mod schema;
pub mod statistic;
pub mod world;

// verbs
#[cfg(feature = "sign")]
pub mod attest;
pub mod deidentify;
#[cfg(feature = "mail")]
pub mod deliver;
pub mod demo;
pub mod engine;
pub mod ingest;
pub mod judge;
pub mod measure;
pub mod plan;
pub mod privatize;
pub mod report;
#[cfg(feature = "store")]
pub mod store;
pub mod train;

// where they meet
#[cfg(feature = "cli")]
pub mod cli;
pub mod run;
