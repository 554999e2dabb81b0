//! `[measure.individual]`: treatment of alike rows.

use crate::plan::check::Checker;

pub(super) fn check(_checker: &mut Checker) {}
