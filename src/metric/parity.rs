//! Parity of classification: figures that compare more than one rate.

use super::Card;

pub const PARITY: &[Card] = &[];
