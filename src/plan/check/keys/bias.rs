//! Keys of the sections about fairness.

use super::Kind::{List, Map, Number, Truth};
use super::{Key, may};

pub const DATA: &[Key] =
    &[may("reference", Map(&Map(&Number))), may("product_of_margins", Truth), may("proxies", Truth)];
pub const RANKING: &[Key] = &[may("top", List(&Number))];
pub const SUBGROUPS: &[Key] = &[];
pub const INDIVIDUAL: &[Key] = &[];
pub const INFERRED: &[Key] = &[];
pub const REGULATION: &[Key] = &[];
pub const MITIGATE: &[Key] = &[];
