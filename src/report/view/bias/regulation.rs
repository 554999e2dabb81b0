//! What rules ask to be computed and printed.

use serde::Serialize;

use crate::report::document::Report;
use crate::report::view::Caps;

#[derive(Debug, Clone, Serialize)]
pub struct Section {}

/// None where the audit has nothing of it.
pub fn section(_report: &Report, _caps: &Caps) -> Option<Section> {
    None
}
