//! The parity family: worked by hand, judged, withheld, by the jackknife, and where a part is undefined.

use std::path::Path;

use evenhand::audit::Reading;
use evenhand::estimate::{Measured, Method, Why};
use evenhand::metric::{Against, Comparison, PARITY};

use crate::audit::{Audited, audit, ends, point};
use crate::cases::{Table, tables};

/// Rows of `label, decision, score` as often as the four cells of each cohort say.
fn csv(cells: &[(&str, [usize; 4])], folder: &Path, unit: bool) -> std::path::PathBuf {
    let kinds = [("1", "1", "0.9"), ("0", "1", "0.6"), ("1", "0", "0.4"), ("0", "0", "0.2")];
    let mut text = String::from(if unit { "g,y,d,s,w,id\n" } else { "g,y,d,s\n" });
    for (cohort, counts) in cells {
        for ((label, decision, score), &n) in kinds.iter().zip(counts) {
            for i in 0..n {
                let weight = if unit { format!(",{},{}", 1 + i % 3, text.len()) } else { String::new() };
                text += &format!("{cohort},{label},{decision},{score}{weight}\n");
            }
        }
    }
    let path = folder.join("rows.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn pipeline(measure: &str, more: &str) -> String {
    format!(
        r#"
        [pipeline]
        name = "parity"
        [ingest]
        path = "rows.csv"
        [schema.g]
        roles = ["protected"]
        reference = "A"
        [schema.y]
        roles = ["target"]
        positive = "1"
        [schema.d]
        roles = ["prediction"]
        positive = "1"
        [schema.s]
        roles = ["score"]
        {more}
        [measure]
        metrics = ["all"]
        replicates = 50
        {measure}
        "#
    )
}

fn audited(cells: &[(&str, [usize; 4])], measure: &str) -> Audited {
    let folder = tempfile::tempdir().unwrap();
    audit(&pipeline(measure, ""), &csv(cells, folder.path(), false))
}

const CELLS: [(&str, [usize; 4]); 3] = [("A", [30, 10, 20, 40]), ("B", [12, 18, 8, 22]), ("C", [8, 4, 12, 36])];

fn of<'a>(audited: &'a Audited, metric: &str) -> Vec<&'a Reading> {
    audited.measurement.readings.iter().filter(|reading| *reading.metric == *metric).collect()
}

/// The reading a row of the worked table is about.
fn reading<'a>(audited: &'a Audited, row: &[&str]) -> &'a Reading {
    let wanted = |reading: &&&Reading| {
        let contrast = reading.contrast.as_ref();
        let (compare, against) = (
            contrast.map_or(String::new(), |contrast| contrast.compare.to_string()),
            contrast.map_or(String::new(), |contrast| contrast.against.to_string()),
        );
        let with = contrast.and_then(|contrast| contrast.with.as_ref()).map_or("".into(), |with| with.levels());
        (compare.as_str(), against.as_str()) == (row[3], row[4])
            && !reading.across.is_empty()
            && (row[1].is_empty() || reading.cohort.levels() == row[1])
            && (row[2].is_empty() || with == row[2])
    };
    let readings = of(audited, row[0]);
    let found: Vec<_> = readings.iter().filter(wanted).collect();
    assert_eq!(found.len(), 1, "{row:?}");
    found[0]
}

#[test]
fn worked_by_hand() {
    let all = tables(include_str!("../cases/parity.md"));
    let [cells, Table { rows, .. }] = all.as_slice() else { panic!("two tables") };
    for (row, (cohort, counts)) in cells.rows.iter().zip(CELLS) {
        assert_eq!(row[0], cohort);
        assert_eq!(row[1..], counts.map(|n| n.to_string()).each_ref().map(String::as_str));
    }
    let audited = audited(&CELLS, "support_min = 1");
    for row in rows {
        let reading = reading(&audited, row);
        let interval = ends(&reading.measured);
        for (found, written) in [point(&reading.measured), interval.lower, interval.upper].into_iter().zip(&row[5..]) {
            if written.is_empty() {
                continue;
            }
            let (found, written): (f64, f64) = (found.unwrap_or(f64::NAN), written.parse().unwrap());
            // The studentized range is right to ten digits.
            let tolerance = if row[4] == "worst-pair" { 1e-9 } else { 1e-12 };
            assert!((found - written).abs() <= tolerance * written.abs().max(1e-1), "{row:?}: {found}");
        }
    }
    let named: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(named, PARITY.iter().map(|card| card.id).collect(), "every metric has a worked value");
    assert!(rows.len() > 80);
}

/// Fairlearn names the lowest and the highest cohort `group_min` and `group_max`: the worst pair names both.
#[test]
fn the_worst_pair_names_the_lowest_and_the_highest() {
    let audited = audited(&CELLS, "support_min = 1");
    let row = ["selection-rate", "", "", "difference", "worst-pair"];
    let worst = reading(&audited, &row);
    let with = worst.contrast.as_ref().and_then(|contrast| contrast.with.as_ref()).expect("a pair");
    assert_eq!((worst.cohort.levels().as_str(), with.levels().as_str()), ("C", "B"));
    let value = |cohort: &str| point(audited.value("selection-rate", &["g"], cohort)).unwrap();
    assert_eq!((value("C"), value("B")), (0.2, 0.5));
    // The pair of the rate that differs most.
    let odds = reading(&audited, &["equalized-odds", "", "", "difference", "worst-pair"]);
    assert_eq!(
        (odds.cohort.levels().as_str(), odds.contrast.as_ref().unwrap().with.as_ref().unwrap().levels().as_str()),
        ("C", "B")
    );
}

/// B has no row of label 1: max(0, NaN) is not 0.
#[test]
fn an_undefined_part_leaves_the_figure_undefined() {
    let cells = [("A", [30, 10, 20, 40]), ("B", [0, 20, 0, 40]), ("C", [8, 4, 12, 36])];
    let audited = audited(&cells, "support_min = 1");
    for metric in ["equalized-odds", "equalized-odds-mean"] {
        for compare in ["difference", "ratio"] {
            let reading = reading(&audited, &[metric, "B", "A", compare, "reference"]);
            assert_eq!(reading.measured, Measured::Undefined { why: Why::EmptyDenominator }, "{metric}");
        }
        // The worst pair is of the cohorts for which both rates have a value.
        let worst = reading(&audited, &[metric, "", "", "difference", "worst-pair"]);
        let expected = if metric == "equalized-odds" { 0.2 } else { 0.15 };
        assert!((point(&worst.measured).unwrap() - expected).abs() < 1e-12);
    }
    let divergence = reading(&audited, &["label-divergence", "B", "A", "difference", "reference"]);
    assert_eq!(divergence.measured, Measured::Undefined { why: Why::RatioToZero });
    let ratio = reading(&audited, &["positive-likelihood-ratio", "B", "", "", ""]);
    assert_eq!(ratio.measured, Measured::Undefined { why: Why::EmptyDenominator });
}

/// Few rows in one part leave a cohort out of the worst pair, and the reading says how many were.
#[test]
fn a_cohort_of_few_rows_is_in_no_worst_pair() {
    let audited = audited(&CELLS, "support_min = 30");
    let worst = reading(&audited, &["equalized-odds", "", "", "difference", "worst-pair"]);
    assert_eq!(worst.contrast.as_ref().unwrap().too_few, 2);
    assert_eq!(worst.measured, Measured::Undefined { why: Why::FewerThanTwoCohorts });
    let reference = reading(&audited, &["equalized-odds", "B", "A", "difference", "reference"]);
    assert_eq!(point(&reference.measured), Some(0.25));
}

#[test]
fn what_is_withheld_stays_withheld() {
    let audited = audited(&CELLS, "support_min = 1\nsuppress_below = 10");
    for card in PARITY {
        let joint = !["share-of-selected", "demographic-disparity", "demographic-disparity-mean", "class-imbalance"]
            .contains(&card.id)
            && !card.id.ends_with("divergence");
        for reading in of(&audited, card.id).into_iter().filter(|reading| !reading.across.is_empty() && joint) {
            assert_eq!(reading.measured, Measured::Suppressed, "{}", card.id);
            let worst = reading.contrast.as_ref().filter(|contrast| contrast.against == Against::WorstPair);
            assert!(worst.is_none_or(|contrast| contrast.with.is_none() && contrast.too_few == 0));
        }
    }
}

/// With weights every interval is the jackknife's, alone or as a part.
#[test]
fn weights_lead_to_the_jackknife() {
    let folder = tempfile::tempdir().unwrap();
    let data = csv(&CELLS.map(|(cohort, cells)| (cohort, cells.map(|n| 4 * n))), folder.path(), true);
    let audited = audit(&pipeline("support_min = 1", "[schema.w]\nroles = [\"weight\"]\n[schema.id]"), &data);
    for card in PARITY {
        let readings = of(&audited, card.id);
        assert!(readings.iter().any(|reading| reading.measured.estimate().is_some()), "{} has no value", card.id);
        for estimate in readings.iter().filter_map(|reading| reading.measured.estimate()) {
            let method = estimate.method;
            assert!(
                matches!(method, Method::Jackknife | Method::SimultaneousJackknife | Method::Joint),
                "{}: {method:?}",
                card.id
            );
            assert!(estimate.interval.contains(estimate.point), "{}", card.id);
        }
    }
    // Weights 1, 2, 3 in turn: of A's 120 true positives 240, of its 80 false negatives 159.
    let odds = point(audited.value("treatment-equality", &["g"], "A")).unwrap();
    let weight = |n: usize| (0..n).map(|i| 1 + i % 3).sum::<usize>() as f64;
    assert!((odds - weight(80) / weight(40)).abs() < 1e-12);
    let worst = audited.contrast("equalized-odds", &["g"], Comparison::Difference, Against::WorstPair, None);
    assert!(
        (point(worst).unwrap() - (weight(72) / (weight(72) + weight(88)) - weight(16) / (weight(16) + weight(144))))
            .abs()
            < 1e-12
    );
}
