//! Inequality of benefits, within and between cohorts.

use super::Card;

pub const INEQUALITY: &[Card] = &[];
