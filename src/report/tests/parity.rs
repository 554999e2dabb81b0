//! The parity family on the page: figures of two cohorts have no value of one, and one of a set stands alone.

use super::page::page;
use super::sample::{PLAIN, sample_of};

const METRICS: &str = r#"["equalized-odds", "treatment-equality", "balance-positive-class", "demographic-disparity-mean", "class-imbalance"]"#;

#[test]
fn figures_of_two_cohorts_and_of_a_set() {
    let (audit, record) = sample_of(&PLAIN, 0, METRICS);
    let page = page(&audit, &record);
    for text in [
        "Equalized odds",
        "Treatment equality",
        "Balance for the positive class",
        "Mean demographic disparity",
        "Class imbalance",
        "of two cohorts",
        "all cohorts together",
        "Worst pair, difference",
        "Worst pair, ratio",
        "Bonferroni",
    ] {
        assert!(page.contains(text), "{text}");
    }
    // Every interval that was measured holds its point.
    let estimates = audit.readings.iter().filter_map(|reading| reading.measured.estimate());
    assert!(estimates.clone().count() > 50);
    assert!(estimates.into_iter().all(|estimate| estimate.interval.contains(estimate.point)));
}

#[test]
fn nothing_of_it_where_counts_are_withheld() {
    let (audit, _) = sample_of(&PLAIN, 1_000_000, METRICS);
    assert!(audit.readings.iter().all(|reading| reading.measured.estimate().is_none()));
    let with = |reading: &crate::audit::Reading| reading.contrast.as_ref().is_some_and(|of| of.with.is_some());
    let worst = |reading: &&crate::audit::Reading| {
        reading.contrast.as_ref().is_some_and(|of| of.against == crate::metric::Against::WorstPair)
    };
    assert!(audit.readings.iter().filter(worst).all(|reading| !with(reading)), "the worst pair is not named");
}
