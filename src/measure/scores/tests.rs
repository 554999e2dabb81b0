//! Exact values by brute force over the rows, against what binned scores give and the bound that is printed.

use rand::{RngExt, SeedableRng};

use super::*;
use crate::evidence::Evidence;
use crate::measure::Cohorts;
use crate::plan::spec::{Format, Spec};
use crate::scan::Source;
use crate::statistic::{Cell, Statistic};

fn plan(unit: bool) -> Plan {
    let unit = if unit { "schema.id.roles = [\"privacy-unit\"]" } else { "" };
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"a.csv\"\nschema.y.roles = [\"target\"]\nschema.y.positive = \"1\"\n\
         schema.s.roles = [\"score\"]\nmeasure.replicates = 50\n{unit}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let paths = vec!["a.csv".into()];
    let source =
        Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false };
    Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap()
}

/// Rows of label, score and bucket as an engine would release them. There are no attributes.
fn released(plan: &Plan, rows: &[(u32, f64, u32)]) -> Released {
    let mut sizes = vec![3, 3];
    let buckets = plan.dependent.then_some(BUCKETS);
    sizes.extend(buckets);
    let (mut table, mut histogram) =
        (Tally::new(sizes.clone()), Histogram { bins: Some(BINS), ..Histogram::default() });
    histogram.sizes = std::iter::once(3).chain(buckets).collect();
    let by = Tally::new(histogram.sizes.clone());
    for &(label, score, bucket) in rows {
        let bucket = buckets.map(|_| bucket);
        table.add(&[label, 2].into_iter().chain(bucket).collect::<Vec<_>>(), Cell::rows(1));
        let code = by.code(&std::iter::once(label).chain(bucket).collect::<Vec<_>>());
        histogram.groups.entry(code).or_default().add_number(score, 1, Some(&BINS));
    }
    let moments = Moments { sizes: buckets.into_iter().collect(), scale_bits: 40, groups: BTreeMap::new() };
    let statistics = [
        ("measure/table", Statistic::Tally(table)),
        ("measure/score", Statistic::Histogram(histogram)),
        ("measure/loss", Statistic::Moments(moments)),
    ];
    Released::new(
        Evidence { statistics: statistics.into_iter().map(|(name, of)| (name.into(), of)).collect() },
        Vec::new(),
    )
}

fn everyone(plan: &Plan, released: &Released) -> Group {
    Cohorts::of(plan, released.tally("measure/table").unwrap()).everyone
}

fn draw(seed: u64, negatives: usize, positives: usize) -> Vec<(u32, f64, u32)> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut row = |label: u32| {
        let score: f64 = random.random::<f64>().powf(if label == 1 { 0.7 } else { 1.2 });
        (label, score, random.random_range(0..BUCKETS))
    };
    (0..negatives).map(|_| 0).chain((0..positives).map(|_| 1)).map(&mut row).collect()
}

fn exact_auc(rows: &[(u32, f64, u32)]) -> f64 {
    let of = |label| rows.iter().filter(move |row| row.0 == label).map(|row| row.1);
    let wins: f64 = of(1)
        .map(|p| {
            of(0)
                .map(|n| {
                    if p > n {
                        1.0
                    } else if p == n {
                        0.5
                    } else {
                        0.0
                    }
                })
                .sum::<f64>()
        })
        .sum();
    wins / (of(0).count() * of(1).count()) as f64
}

fn exact_calibration(rows: &[(u32, f64, u32)]) -> f64 {
    let gap = |bin: usize| {
        rows.iter()
            .filter(|row| ((row.1 * 10.0) as usize).min(9) == bin)
            .map(|row| row.1 - f64::from(row.0))
            .sum::<f64>()
    };
    (0..10).map(|bin| gap(bin).abs()).sum::<f64>() / rows.len() as f64
}

fn bound(note: &str, before: &str, after: &str) -> f64 {
    note.split(before).nth(1).unwrap().split(after).next().unwrap().trim().parse().unwrap()
}

/// One label binned and the other not is the case in which bins were once compared with exact values.
#[test]
fn the_printed_bound_contains_the_exact_value() {
    for (negatives, positives) in [(9000, 300), (300, 9000), (6000, 6000), (400, 300)] {
        let (plan, rows) = (plan(false), draw(31, negatives, positives));
        let released = released(&plan, &rows);
        let (scores, group) = (Scores::of(&plan, &released).unwrap(), everyone(&plan, &released));
        let value = |id| scores.sample(id, &group, &plan).point().unwrap();
        let notes = |id| scores.notes(id, std::iter::once(&group));
        let (auc, calibration) = (
            (value("roc-auc") - exact_auc(&rows)).abs(),
            (value("calibration-error") - exact_calibration(&rows)).abs(),
        );
        if negatives.max(positives) > 4096 {
            assert!(
                auc > 0.0 && auc <= bound(&notes("roc-auc")[0], "further than ", " from"),
                "{auc} {:?}",
                notes("roc-auc")
            );
            assert!(calibration <= bound(&notes("calibration-error")[0], "within ", " of the exact"), "{calibration}");
        } else {
            assert!(auc < 1e-12 && calibration < 1e-12 && notes("roc-auc").is_empty(), "{auc} {calibration}");
        }
        assert_eq!(scores.rows(&group), (negatives + positives) as i64);
    }
}

/// Left-out buckets are taken from the same bins as the whole: an error of zero would be certainty out of nothing.
#[test]
fn the_jackknife_of_binned_scores_has_an_error() {
    let width = |plan: &Plan, rows: &[(u32, f64, u32)]| {
        let released = released(plan, rows);
        let (scores, group) = (Scores::of(plan, &released).unwrap(), everyone(plan, &released));
        let interval = scores.sample("roc-auc", &group, plan).measure(0.95).estimate().unwrap().interval;
        interval.upper.unwrap() - interval.lower.unwrap()
    };
    let rows = draw(32, 6000, 5000);
    let (jackknife, delong) = (width(&plan(true), &rows), width(&plan(false), &rows));
    assert!((jackknife / delong - 1.0).abs() < 0.2, "{jackknife} {delong}");
}

#[test]
fn a_score_beyond_one_is_no_probability() {
    let plan = plan(false);
    let released = released(&plan, &[(0, 1.0, 0), (1, 3.0, 0), (0, 2.0, 0), (1, 9.0, 0)]);
    let (scores, group) = (Scores::of(&plan, &released).unwrap(), everyone(&plan, &released));
    assert_eq!(scores.sample("roc-auc", &group, &plan).point(), Some(1.0));
    for id in ["brier-score", "calibration-error"] {
        assert_eq!(scores.sample(id, &group, &plan), Sample::None(Why::ScoreNoProbability), "{id}");
    }
}

/// Labels that a score separates leave no variance of placements; the interval is that of so many rows all the same.
#[test]
fn an_area_of_one_is_not_known_exactly() {
    let (negative, positive) = (vec![(0.1, 30.0)], vec![(0.9, 30.0)]);
    let (area, se) = auc(&negative, &positive).unwrap();
    assert_eq!(area, 1.0);
    // The score limit: (1 - t)^2 = z^2 V(t), worked backwards from the standard error.
    let z = crate::estimate::normal(0.95);
    let t = 1.0 - z * se;
    let more = 29.0;
    let v = t * (1.0 - t) * (1.0 + more * ((1.0 - t) / (2.0 - t) + t / (1.0 + t))) / 900.0;
    assert!((z * z * v - (1.0 - t).powi(2)).abs() < 1e-9 && t > 0.85 && t < 0.95, "{t}");
    assert_eq!(auc(&[(0.1, 30.0), (0.5, 10.0)], &[(0.5, 10.0), (0.9, 5.0)]).map(|(_, se)| se > 0.0), Some(true));
}
