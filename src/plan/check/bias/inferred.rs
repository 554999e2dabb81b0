//! `[measure.inferred.NAME]`: cohorts known by probability.

use crate::plan::check::Checker;

pub(super) fn check(_checker: &mut Checker) {}
