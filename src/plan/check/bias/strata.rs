//! `[measure] given`: control columns.

use crate::plan::check::Checker;

pub(super) fn check(_checker: &mut Checker) {}
