//! Metrics: pure functions of released evidence.
pub mod suppression;
