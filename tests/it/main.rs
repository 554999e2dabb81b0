//! Tests of the whole: engines, files, the program. One binary; one module per question.

mod browser;
mod conformance;
#[cfg(feature = "schedule")]
mod cron;
#[cfg(feature = "seal")]
mod dataset;
mod documents;
mod input;
mod program;
