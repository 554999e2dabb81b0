//! `[measure.subgroups]`: the search for subgroups.

use crate::plan::check::Checker;

pub(super) fn check(_checker: &mut Checker) {}
