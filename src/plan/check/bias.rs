//! The sections about fairness: what is wrong with each, one file each.

use super::Checker;

mod data;
mod individual;
mod inequality;
mod inferred;
mod mitigate;
mod ranking;
mod regulation;
mod strata;
mod subgroups;

pub(super) fn check(checker: &mut Checker) {
    strata::check(checker);
    inequality::check(checker);
    data::check(checker);
    ranking::check(checker);
    subgroups::check(checker);
    individual::check(checker);
    inferred::check(checker);
    regulation::check(checker);
    mitigate::check(checker);
}
