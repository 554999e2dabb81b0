//! Selection and exposure in a ranking, and classes of more than two.

use super::Card;

pub const RANKING: &[Card] = &[];
