//! Distances between the scores, predictions and errors of two cohorts.

use super::Card;

pub const DISTANCES: &[Card] = &[];
