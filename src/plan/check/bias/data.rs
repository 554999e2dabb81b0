//! `[measure.data]`: representation, missing values, proxies.

use crate::plan::check::Checker;

pub(super) fn check(_checker: &mut Checker) {}
