//! The sections on the data and on the list: what is on the page, and that what is left out is counted.

use super::page::page;
use super::sample::{PLAIN, sample};
use crate::audit::bias::classes::{Class, ClassCohort, ClassSet, Classes};
use crate::audit::bias::data::{
    AgainstPopulation, DataBias, Fit, MissingShare, MissingValues, Proxies, Proxy, Representation, Represented,
    Together, Told,
};
use crate::audit::bias::ranking::{Infeasible, Ranked, RankedSet, Ranking, Top};
use crate::audit::bias::{Bias, Figure};
use crate::report::{files, html, run_json};

fn figure(point: f64) -> Figure {
    Figure::Estimated { point, lower: Some(point - 0.02), upper: Some(point + 0.02), n: 120 }
}

pub fn representation() -> Representation {
    let against =
        AgainstPopulation { expected: 0.25, difference: figure(-0.05), ratio: figure(0.8), p_holm: Some(0.000_01) };
    let cohorts = (0..130).map(|i| Represented {
        cohort: format!("level {i}"),
        share: figure(0.2),
        against: Some(against.clone()),
    });
    let fit = Fit {
        chi_squared: Some(25.2),
        degrees: 129,
        p: Some(0.04),
        drawn: true,
        total_variation: figure(0.11),
        infinity_norm: Figure::Suppressed,
        kullback_leibler: Some(0.02),
        jensen_shannon: None,
        kullback_leibler_at_equality: Some(0.001),
    };
    Representation {
        across: vec!["race".into()],
        cohorts: cohorts.collect(),
        unknown: figure(0.04),
        fit: Some(fit),
        product: false,
    }
}

pub fn missing() -> MissingValues {
    MissingValues {
        column: "income".into(),
        across: vec!["race".into()],
        everyone: figure(0.07),
        cohorts: vec![MissingShare { cohort: "black".into(), share: figure(0.12) }],
        worst_pair: figure(0.09),
        most: Some("black".into()),
        least: Some("white".into()),
        p: Some(0.0002),
        p_adjusted: Some(0.0008),
    }
}

pub fn proxies() -> Proxies {
    let region = Proxy {
        column: "region".into(),
        numeric: false,
        computed: false,
        level: Some("Black".into()),
        auc: figure(0.71),
        greater: None,
        binning: 0.0,
        r_squared: None,
        cramers_v: Some(0.33),
        uncertainty: Some(0.1),
        p: Some(1e-12),
        p_adjusted: Some(1e-11),
        found: true,
    };
    let quiet = Proxy {
        column: "amount".into(),
        numeric: true,
        greater: Some(false),
        p: None,
        p_adjusted: None,
        found: false,
        auc: Figure::Suppressed,
        ..region.clone()
    };
    let told = Told { level: "Black".into(), auc: figure(0.75), r_squared: figure(0.2), found: true };
    let together = Together {
        reason: None,
        columns: vec!["region".into(), "amount".into()],
        r_squared: figure(0.1),
        levels: vec![told],
    };
    Proxies {
        attribute: "race".into(),
        levels: vec!["Black".into()],
        levels_left_out: 2,
        columns: vec![region, quiet],
        together,
    }
}

pub fn ranking() -> Ranking {
    let ranked = Ranked {
        cohort: "women".into(),
        selected: vec![figure(0.08)],
        ratio: vec![figure(0.76)],
        exposure: figure(0.93),
    };
    let set = RankedSet {
        across: vec!["sex".into()],
        cohorts: vec![ranked],
        ndkl: Some(0.012),
        infeasible: Some(Infeasible { ranks: 40, of: 1000 }),
    };
    Ranking { rows: Some(1000), tops: vec![Top { k: 100, at_cut: Some([7, 3]) }], sets: vec![set], bins: Some(4000) }
}

pub fn classes() -> Classes {
    let cohort = |name: &str, ratio| ClassCohort {
        cohort: name.into(),
        selection: figure(0.3),
        ratio,
        recall: figure(0.6),
        precision: Figure::Undefined { reason: "no row is in the denominator".into() },
    };
    let class = Class {
        class: "later".into(),
        cohorts: vec![cohort("women", Some(figure(0.77))), cohort("men", None)],
        selection_worst: figure(0.06),
        recall_worst: figure(0.05),
        precision_worst: Figure::Suppressed,
    };
    let set = ClassSet {
        across: vec!["sex".into()],
        reference: None,
        classes: vec![class; 60],
        macro_recall: vec![("women".into(), figure(0.61))],
        macro_recall_worst: figure(0.04),
    };
    Classes { target: "grade".into(), prediction: "decided grade".into(), sets: vec![set] }
}

#[test]
fn figures_stand_with_their_intervals_and_what_to_look_at_next() {
    let (mut audit, record) = sample(&PLAIN, 0);
    audit.bias = Bias {
        data: Some(DataBias {
            representation: vec![representation()],
            missing: vec![missing()],
            complete: 3,
            proxies: vec![proxies()],
            left_out: vec!["Too many columns to try as proxies: not tried are x1 and 4 more.".into()],
        }),
        ranking: Some(ranking()),
        classes: Some(classes()),
        ..audit.bias
    };
    let report = files(&audit, None).unwrap().remove(0).1;
    let page = html(&report, &run_json(&record).unwrap()).unwrap();
    for text in [
        "region tells race = Black with AUC 0.710 [0.690, 0.730]. Take it out and compare, or say what it is needed for.",
        "income lacks values more often in black than in white, by 0.090 [0.070, 0.110] of the rows",
        "level 0: 0.200 [0.180, 0.220] of the rows of known race, 0.250 of the population given; ratio 0.800",
        "And 30 more cohorts, in report.json.",
        "And 125 more sentences, in report.json.",
        "3 columns more lack no value.",
        "2 levels have too few rows",
        "suppressed",
        "7 rows of equal score share 3 places",
        "40 of the first 1,000",
        "not tried are x1",
        "Each class of grade as decided in decided grade",
        "ratio to the cohort of the highest rate",
        "And 20 more lines, in report.json.",
    ] {
        assert!(page.contains(text), "{text}");
    }
    for id in ["data", "ranking", "classes"] {
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
}

#[test]
fn nothing_is_said_of_what_was_not_asked_for() {
    let (audit, record) = sample(&PLAIN, 0);
    let page = page(&audit, &record);
    assert!(!page.contains("id=\"data\"") && !page.contains("id=\"ranking\""));
}
