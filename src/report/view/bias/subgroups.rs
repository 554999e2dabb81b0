//! Search for combinations of columns where a model does worst.

use serde::Serialize;

use crate::report::document::Report;
use crate::report::view::Caps;

#[derive(Debug, Clone, Serialize)]
pub struct Section {}

/// None where the audit has nothing of it.
pub fn section(_report: &Report, _caps: &Caps) -> Option<Section> {
    None
}
