//! `[[measure.regulation]]`: rules whose figures are printed.

use crate::plan::check::Checker;

pub(super) fn check(_checker: &mut Checker) {}
