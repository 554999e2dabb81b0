//! A release with noise through every metric, and coverage of errors of numeric predictions.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::audit::Reading;
use crate::budget::{Charge, Noise as Added, Receipt};
use crate::demand::{Axis, Shape};
use crate::estimate::{Measured, Why};
use crate::evidence::Evidence;
use crate::measure::{Measurement, Subject, demands, errors::Errors, measure};
use crate::metric::{Against, Comparison};
use crate::plan::spec::{Format, Spec};
use crate::scan::Source;
use crate::statistic::{Bins, Cell, Counts, Histogram, MomentSums, Moments, Statistic, Tally};

const PRIVACY: &str = "privacy = { population = \"p\", epsilon = 1.0, rows_per_unit_max = 2 }";
const LABELS: &str = "schema.y = { roles = [\"target\"], positive = \"1\" }\nschema.d = { roles = [\"prediction\"], positive = \"1\" }\n\
                      schema.s = { roles = [\"score\"] }";
const NUMBERS: &str = "schema.y = { roles = [\"target\"], bounds = [0.0, 10.0] }\nschema.d = { roles = [\"prediction\"], bounds = [0.0, 10.0] }";

fn plan(privacy: &str, columns: &str) -> Plan {
    let text = format!(
        "{privacy}\npipeline.name = \"p\"\ningest.path = \"a.csv\"\nschema.id.roles = [\"privacy-unit\"]\n{columns}\n\
         schema.sex = {{ roles = [\"protected\"], levels = [\"f\", \"m\"], reference = \"m\" }}\n\
         measure = {{ across = [[\"sex\"]], replicates = 100 }}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let paths = vec!["a.csv".into()];
    let source =
        Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false };
    Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap()
}

fn receipt(statistic: &str, mechanism: Mechanism, variance: Option<f64>) -> Receipt {
    let added =
        |variance| Added { parameter: "1".into(), variance, sensitivity: "1".into(), numbers: 1, charge: Charge::FREE };
    Receipt { statistic: statistic.into(), shape: "x".into(), mechanism, noise: variance.map(added) }
}

/// Rounded Laplace noise of this variance.
fn laplace(variance: f64, random: &mut StdRng) -> f64 {
    let mut exponential = || -(1.0 - random.random::<f64>()).ln();
    ((exponential() - exponential()) * (variance / 2.0).sqrt()).round()
}

/// 1,000 women, 3,000 men, nobody of unknown or other sex.
fn released(variance: Option<f64>) -> Released {
    let mut random = StdRng::seed_from_u64(41);
    let mut noise = |n: f64| n as i64 + variance.map_or(0, |variance| laplace(variance, &mut random) as i64);
    let cell = |n: i64| Cell { draws: u32::from(variance.is_some()), ..Cell::rows(n) };
    let bins = Bins { lower: 0.0, upper: 1.0, count: 32 };
    let (mut table, mut histogram) =
        (Tally::new(vec![4, 3, 3]), Histogram { sizes: vec![4, 3], bins: Some(bins), groups: BTreeMap::new() });
    let mut moments = Moments { sizes: vec![4], scale_bits: 20, groups: BTreeMap::new() };
    for (sex, rows) in [(0u32, 1000.0), (1, 3000.0), (2, 0.0), (3, 0.0)] {
        let shares =
            [[0.4, 0.1 + 0.05 * f64::from(sex), 0.0], [0.15, 0.3 - 0.05 * f64::from(sex), 0.02], [0.01, 0.02, 0.0]];
        for (label, row) in shares.iter().enumerate() {
            for (decision, share) in row.iter().enumerate() {
                table.add(&[sex, label as u32, decision as u32], cell(noise((rows * share).round())));
            }
            let total = rows * row.iter().sum::<f64>();
            // Scores of label 1 rise over the bins, those of label 0 fall.
            let share = |bin: u32| {
                let x = (f64::from(bin) + 0.5) / 32.0;
                if label == 1 { 2.0 * x / 32.0 } else { 2.0 * (1.0 - x) / 32.0 }
            };
            let counts: Vec<(u32, i64)> = (0..32).map(|bin| (bin, noise((total * share(bin)).round()))).collect();
            histogram.groups.insert(u64::from(sex * 3) + label as u64, Counts::of_bins(&bins, counts.into_iter()));
        }
        let mut sums = MomentSums::new(2, 0, 0, true);
        let unit = (1u64 << 40) as f64;
        for (sum, mean) in sums.gram.iter_mut().zip([1.0, 0.2, 0.06]) {
            *sum = i128::from(noise(rows * mean)) * unit as i128;
        }
        sums.n = (sums.gram[0] >> 40) as i64;
        moments.groups.insert(u64::from(sex), sums);
    }
    let statistics = [
        ("measure/table", Statistic::Tally(table)),
        ("measure/score", Statistic::Histogram(histogram)),
        ("measure/loss", Statistic::Moments(moments)),
    ];
    let statistics = statistics.into_iter().map(|(name, of)| (name.into(), of)).collect();
    let unit = (2.0f64).powi(80);
    let mechanism = if variance.is_some() { Mechanism::DiscreteLaplace } else { Mechanism::Exact };
    let receipts = [("measure/table", 1.0), ("measure/score", 1.0), ("measure/loss", unit)]
        .map(|(name, unit)| receipt(name, mechanism, variance.map(|variance| variance * unit)));
    Released::new(Evidence { statistics }, receipts.into())
}

fn run(plan: &Plan, released: &Released) -> Measurement {
    measure(plan, &Subject::given(plan), released).unwrap()
}

#[test]
fn demands_under_privacy_have_no_buckets_and_coarse_bins() {
    let plan = plan(PRIVACY, LABELS);
    assert!(plan.dependent);
    let all = demands(&plan, &Subject::given(&plan));
    assert_eq!(all.len(), 3);
    for demand in &all {
        let by = match &demand.shape {
            Shape::Tally { axes, .. } => axes,
            Shape::Histogram { by, bins, .. } => {
                assert_eq!(bins.map(|bins| bins.count), Some(32));
                by
            }
            Shape::Moments { by, limbs, .. } => {
                assert_eq!(*limbs, Limbs::One);
                by
            }
            other => panic!("{other:?}"),
        };
        assert!(!by.iter().any(|axis| matches!(axis, Axis::Hash { .. })), "{}", demand.name);
    }
}

#[test]
fn every_metric_of_a_noisy_release() {
    let (plan, released) = (plan(PRIVACY, LABELS), released(Some(8.0)));
    let measured = run(&plan, &released);
    assert_eq!(measured.rows_measured, released.tally("measure/table").unwrap().total().n);
    for reading in &measured.readings {
        match &reading.measured {
            Measured::Estimated(estimate) => assert!(estimate.method.is_noisy(), "{reading:?}"),
            Measured::Undefined { .. } => {}
            Measured::Suppressed => panic!("{reading:?}"),
        }
    }
    let of = |metric: &str, level: &str| {
        let cohort = |reading: &&Reading| {
            *reading.metric == *metric
                && reading.contrast.is_none()
                && reading.cohort.pairs.iter().any(|(_, of)| **of == *level)
        };
        measured.readings.iter().find(cohort).unwrap().measured.clone()
    };
    let metrics = [
        "selection-rate",
        "true-positive-rate",
        "f1-score",
        "matthews-correlation",
        "roc-auc",
        "brier-score",
        "calibration-error",
    ];
    for metric in metrics {
        assert!(of(metric, "m").estimate().is_some(), "{metric}: {:?}", of(metric, "m"));
        assert_eq!(of(metric, "(unknown)"), Measured::Undefined { why: Why::NoiseExceedsCohort }, "{metric}");
    }
    let area = of("roc-auc", "m").estimate().unwrap().clone();
    // P(X > Y) of densities 2x and 2 (1 - y) is 5/6; bins of 1/32 change it by less than 0.001.
    assert!((area.point - 5.0 / 6.0).abs() < 0.02 && area.interval.contains(5.0 / 6.0), "{area:?}");
    let worst = measured.readings.iter().find(|reading| {
        let of = reading.contrast.as_ref().map(|of| (of.compare, of.against));
        &*reading.metric == "selection-rate" && of == Some((Comparison::Difference, Against::WorstPair))
    });
    assert!(worst.unwrap().measured.estimate().unwrap().interval.contains(0.0));
    let notes = measured.notes.join(" ");
    for words in ["sampling and the noise", "at most 2 rows", "the noise exceeds the cohort", "32 bins", "8 score bins"]
    {
        assert!(notes.contains(words), "{words}: {notes}");
    }
}

/// What was counted, read under the plan of a private run: the value without noise. No value of it is undefined for noise that it has not, nor for the
/// width that noise is held to.
#[test]
fn evidence_as_it_was_counted_has_its_own_values_and_reasons() {
    let narrow = PRIVACY.replace(" }", ", interval_width_max = 0.001 }");
    let (plan, released) = (plan(&narrow, LABELS), released(None));
    let readings = run(&plan, &released).readings;
    let noise = [Why::NoiseExceedsCohort, Why::BiasedByNoise].map(|why| Measured::Undefined { why });
    for reading in &readings {
        assert!(!noise.contains(&reading.measured), "{reading:?}");
    }
    let of = |metric: &str, level: &str, contrast: Option<(Comparison, Against)>| {
        let found = readings.iter().find(|reading| {
            *reading.metric == *metric
                && reading.contrast.as_ref().map(|of| (of.compare, of.against)) == contrast
                && reading.cohort.pairs.iter().any(|(_, of)| **of == *level)
        });
        found.unwrap().measured.clone()
    };
    for metric in ["selection-rate", "f1-score", "roc-auc", "brier-score", "calibration-error"] {
        assert_eq!(of(metric, "(unknown)", None), Measured::Undefined { why: Why::EmptyDenominator }, "{metric}");
        assert!(of(metric, "f", None).estimate().is_some(), "{metric}");
    }
    // By pencil, of 3,000 men: in each eighth of the scores the sum of score minus label over its four bins, absolute, over the rows.
    let share = |label: u32, x: f64| if label == 1 { 2.0 * x / 32.0 } else { 2.0 * (1.0 - x) / 32.0 };
    let rows = |bin: u32, label: u32| {
        let x = (f64::from(bin) + 0.5) / 32.0;
        (3000.0 * [0.55, 0.42][label as usize] * share(label, x)).round()
    };
    let gap = |bin: u32| {
        let x = (f64::from(bin) + 0.5) / 32.0;
        x * rows(bin, 0) + (x - 1.0) * rows(bin, 1)
    };
    let all: f64 = (0..32).map(|bin| rows(bin, 0) + rows(bin, 1)).sum();
    let expected = (0..8).map(|eighth| (4 * eighth..4 * eighth + 4).map(gap).sum::<f64>().abs()).sum::<f64>() / all;
    let error = of("calibration-error", "m", None).estimate().unwrap().clone();
    assert!((error.point - expected).abs() < 1e-12 && error.interval.contains(expected), "{error:?} {expected}");
    let other = of("calibration-error", "f", None).estimate().unwrap().point;
    let difference = of("calibration-error", "f", Some((Comparison::Difference, Against::Reference)));
    assert!((difference.estimate().unwrap().point - (other - error.point)).abs() < 1e-12);
}

/// Without noise the intervals of noisy shares are those of Wilson and Newcombe.
#[test]
fn a_release_without_noise_has_the_same_intervals() {
    let one_row = PRIVACY.replace("rows_per_unit_max = 2", "interval_width_max = 5.0");
    let released = released(None);
    let shares = |plan: &Plan| {
        let plan = Plan { dependent: false, ..plan.clone() };
        let readings = run(&plan, &released).readings;
        let share = |reading: &Reading| crate::metric::RATES.iter().any(|rate| rate.card.id == &*reading.metric);
        readings.into_iter().filter(share).collect::<Vec<_>>()
    };
    let (with, without) = (shares(&plan(&one_row, LABELS)), shares(&plan("", LABELS)));
    assert_eq!(with.len(), without.len());
    let mut compared = 0;
    for (a, b) in with.iter().zip(&without) {
        if let (Some(x), Some(y)) = (a.measured.estimate(), b.measured.estimate()) {
            let close = |x: Option<f64>, y: Option<f64>| (x.unwrap_or(9e9) - y.unwrap_or(9e9)).abs() < 1e-9;
            assert!((x.point - y.point).abs() < 1e-12, "{a:?} {b:?}");
            assert!(
                close(x.interval.lower, y.interval.lower) && close(x.interval.upper, y.interval.upper),
                "{a:?} {b:?}"
            );
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

/// Errors of 3,000 predictions with noise in every sum. 92.5 % of 800 runs is 3.3 standard errors below 95 %.
#[test]
fn errors_under_noise_cover() {
    let plan = plan(&PRIVACY.replace("rows_per_unit_max = 2", "rows_per_unit_max = 1"), NUMBERS);
    let target = plan.target.clone().unwrap();
    let mut random = StdRng::seed_from_u64(42);
    let (runs, rows, variance) = (800u32, 3000, 2.0f64);
    let unit = (1u64 << 40) as f64;
    let truths = [
        ("mean-residual", 0.0),
        ("mean-absolute-error", (2.0 / std::f64::consts::PI).sqrt()),
        ("root-mean-squared-error", 1.0),
        ("r-squared", 1.0 - 12.0 / 100.0),
    ];
    let mut covered = [0u32; 4];
    for _ in 0..runs {
        let mut sums = [0.0; 21];
        for _ in 0..rows {
            let (y, e): (f64, f64) = (10.0 * random.random::<f64>(), StandardNormal.sample(&mut random));
            let z = [1.0, e / 10.0, e.abs() / 10.0, e * e / 100.0, (y - 5.0) / 5.0, ((y - 5.0) / 5.0).powi(2)];
            let mut at = 0;
            for i in 0..6 {
                for j in i..6 {
                    sums[at] += z[i] * z[j];
                    at += 1;
                }
            }
        }
        let mut total = MomentSums::new(6, 0, 0, true);
        for (sum, exact) in total.gram.iter_mut().zip(sums) {
            let noise = laplace(variance * 1e12, &mut random) / 1e6;
            *sum = ((exact + noise) * unit) as i128;
        }
        total.n = (total.gram[0] >> 40) as i64;
        let moments = Moments { sizes: vec![4], scale_bits: 20, groups: [(0, total)].into() };
        let statistics = [("measure/error".into(), Statistic::Moments(moments))].into();
        let receipts = vec![receipt("measure/error", Mechanism::DiscreteLaplace, Some(variance * unit * unit))];
        let released = Released::new(Evidence { statistics }, receipts);
        let errors = Errors::of(&plan, &released, &target).unwrap();
        let table = Tally::new(vec![4, 3, 3]);
        let group = crate::measure::Cohorts::of(&plan, &table).everyone;
        for (slot, (metric, truth)) in covered.iter_mut().zip(truths) {
            let measured = errors.sample(metric, &group).measure(0.95);
            let estimate = measured.estimate().unwrap_or_else(|| panic!("{metric}: {measured:?}"));
            *slot += u32::from(estimate.interval.contains(truth));
        }
    }
    println!("errors: {covered:?} of {runs}");
    assert!(covered.iter().all(|&c| f64::from(c) >= 0.925 * f64::from(runs)), "{covered:?} of {runs}");
}
