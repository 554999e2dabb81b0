//! What the section says, what it cuts, and that it is absent without strata.

use super::*;
use crate::audit::bias::Figure;
use crate::audit::bias::strata::{ByStratum, Disparity as Found, Homogeneity, Stratum};

fn figure(point: f64) -> Figure {
    Figure::Estimated { point, lower: Some(point - 0.1), upper: Some(point + 0.1), n: 1234 }
}

fn found(cohorts: usize) -> Strata {
    let adjusted = |i: usize| Adjusted {
        cohort: format!("group {i}"),
        with: (i > 0).then(|| "group r".into()),
        strata_used: 2,
        strata_left_out: 1,
        rows_left_out: 17,
        crude: figure(-0.245),
        value: figure(0.5),
        other: figure(0.7),
        difference: figure(-0.2),
        odds_ratio: Figure::Undefined { reason: "one of its sums over the strata is zero".into() },
        rate_ratio: figure(0.7),
        rate_difference: figure(-0.2),
        tests: (i == 0).then_some(PooledTests {
            chi2: 210.385,
            p: 1.1e-47,
            chi2_corrected: 209.5,
            p_corrected: 1.7e-47,
            homogeneity: Some(Homogeneity { chi2: 24.8, p: 4.1e-6, chi2_tarone: 24.7, p_tarone: 4.2e-6, df: 2 }),
        }),
        no_tests: (i > 0).then(|| "rows share units".into()),
        by_stratum: vec![ByStratum { stratum: 1, value: figure(0.4), other: figure(0.6), difference: figure(-0.2) }],
    };
    Strata {
        across: vec!["race".into()],
        given: vec!["age".into(), "degree".into()],
        withheld: None,
        strata: vec![
            Stratum { levels: "young x F".into(), rows: 1000 },
            Stratum { levels: "old x M".into(), rows: 2345 },
        ],
        rows_unknown: 12,
        rates: vec![RateWithin { metric: "selection-rate".into(), cohorts: (0..cohorts).map(adjusted).collect() }],
        within: vec![Widest {
            metric: "selection-rate".into(),
            stratum: 0,
            too_few: 2,
            difference: figure(0.3),
            ratio: Figure::Suppressed,
        }],
        disparities: vec![Found {
            outcome: "decision".into(),
            cohort: "group 1".into(),
            strata_left_out: 0,
            value: figure(0.078),
        }],
    }
}

#[test]
fn figures_are_worded_and_what_is_left_out_is_said() {
    let names = |id: &str| id.to_string();
    let set = set(1, &found(3), &names, &Caps { cohorts: 2, values: 20, ..Caps::FULL });
    assert_eq!((set.name.as_str(), set.facts[0].text.as_str()), ("race", "age × degree"));
    assert_eq!(set.facts[2].text, "3,345");
    let rate = &set.rates[0];
    assert_eq!(rate.pooled[0].who, "group 0 against all others");
    assert_eq!(rate.pooled[1].who, "group 1 against group r");
    assert_eq!(rate.pooled[0].test, "χ² 210.4, p below 0.0001");
    assert_eq!(rate.pooled[1].test, "none");
    assert_eq!(rate.pooled_more, "And 1 more cohort, in report.json.");
    assert_eq!((rate.lines.len(), rate.lines_more.as_str()), (2, "And 1 more line, in report.json."));
    assert_eq!(rate.lines[0].stratum, "old x M");
    assert!(
        rate.notes[0].plain().contains("17 rows are in no pooled figure") && rate.notes[0].plain().contains("differ")
    );
    assert!(rate.notes[1].plain().contains("no test: rows share units"));
    assert_eq!(set.widest[0].stratum, "young x F (2 cohorts with too few rows)");
    assert_eq!(set.disparities[0].who, "group 1, by decision");
}

#[cfg(feature = "html")]
#[test]
fn the_section_is_on_the_page_and_absent_without_strata() {
    use crate::report::tests::sample::{PLAIN, sample};
    let (mut audit, record) = sample(&PLAIN, 0);
    // One figure of all cohorts of a set stands in the table of its set.
    let mut figure = audit.readings.iter().find(|reading| reading.across.len() == 1).unwrap().clone();
    (figure.metric, figure.cohort, figure.contrast) =
        ("bias-amplification".into(), crate::cohort::Cohort::everyone(), None);
    audit.readings.push(figure);
    let page = |audit: &crate::audit::Audit| {
        let report = crate::report::files(audit, None).unwrap().remove(0).1;
        crate::report::html(&report, &crate::report::run_json(&record).unwrap()).unwrap()
    };
    assert!(!page(&audit).contains("within-strata") && page(&audit).contains("all cohorts together"));
    audit.bias.strata = vec![found(2), Strata { withheld: Some("Counts are finer.".into()), ..found(0) }];
    let shown = page(&audit);
    for text in ["id=\"within-strata\"", "group 1 against group r", "χ² 210.4", "Withheld: Counts are finer.", "0.078"]
    {
        assert!(shown.contains(text), "{text}");
    }
}
