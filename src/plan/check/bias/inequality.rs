//! Criteria about figures that have one comparison only, or none.

use crate::metric::{Against, Comparison, is_given, is_of_a_set};
use crate::plan::check::Checker;

pub(super) fn check(checker: &mut Checker) {
    let spec = checker.spec;
    for (i, metric) in spec.measure.metrics.iter().enumerate() {
        if is_given(metric) && spec.measure.given.is_empty() {
            let at = i.to_string();
            let message = format!("{metric} needs control columns");
            let remedy = "write given = [...] under [measure], or take the metric out";
            checker.error("metric-not-measured", &["measure", "metrics", &at], message, remedy);
        }
    }
    for (i, criterion) in spec.judge.iter().enumerate() {
        let at = i.to_string();
        let (compare, against, id) = (criterion.compare, criterion.against, &criterion.metric);
        if is_of_a_set(id) && compare.is_some() {
            let message = format!("{id} is one figure of all cohorts of a set: there is nothing to compare it with");
            checker.error("no-comparison", &["judge", &at, "compare"], message, "leave out compare and against");
        } else if is_of_a_set(id) && criterion.across.as_ref().is_some_and(Vec::is_empty) {
            let message = format!("{id} is a figure of a set of attributes, and everyone together is none");
            checker.error("no-comparison", &["judge", &at, "across"], message, "name a set of across");
        }
        if is_given(id) && (compare, against) != (Some(Comparison::Difference), Some(Against::Reference)) {
            let message = format!("{id} is compared in one way only");
            let remedy = "write compare = \"difference\" and against = \"reference\"";
            checker.error("no-comparison", &["judge", &at, "metric"], message, remedy);
        }
    }
}

#[cfg(test)]
mod tests;
