//! Worked values, properties, and simulations of every coverage that is claimed.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Binomial, Distribution};

use super::proportion::Proportion;
use super::*;
use crate::metric::{Against, Comparison};

fn rows(k: i64, n: i64) -> Sample {
    Sample::share(&Share { numerator: Cell::rows(k), denominator: Cell::rows(n) })
}

fn ends(measured: &Measured) -> (f64, f64) {
    let interval = measured.estimate().unwrap().interval;
    (interval.lower.unwrap_or(f64::NEG_INFINITY), interval.upper.unwrap_or(f64::INFINITY))
}

/// Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10.
#[test]
fn newcombe_published_intervals() {
    for (a, m, b, n, lower, upper) in [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 10, 0.6075, 1.0),
        (0, 10, 0, 10, -0.2775, 0.2775),
    ] {
        let score = |x: i64, n: i64| Proportion::effective(x as f64 / n as f64, n as f64).limited(normal(0.95));
        let (low, high) = proportion::newcombe(score(a, m), score(b, n));
        assert!((low - lower).abs() < 6e-5 && (high - upper).abs() < 6e-5, "{low} {high}");
        // With fewer than five successes or failures the interval is wider.
        let (cohorts, all) = ([rows(a, m), rows(b, n)], rows(a + b, m + n));
        let result = contrast(Comparison::Difference, Against::Reference, &cohorts, &all, Some(1), 0.95);
        let (wide_low, wide_high) = ends(&result[0].measured);
        let few = [(a, m), (b, n)].iter().any(|(x, n)| (*x).min(n - x) < 5);
        assert_eq!(wide_high - wide_low > high - low + 1e-9, few);
        assert_eq!(
            result[0].measured.estimate().unwrap().method,
            if few { Method::NewcombeExact } else { Method::Newcombe }
        );
    }
}

/// Wilson 1927 as tabulated by Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3.
#[test]
fn wilson_published_intervals() {
    for (k, n, lower, upper) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let interval = wilson(k as f64 / n as f64, n as f64, normal(0.95));
        let (low, high) = (interval.lower.unwrap(), interval.upper.unwrap());
        assert!((low - lower).abs() < 6e-5 && (high - upper).abs() < 6e-5, "{low} {high}");
        let measured = rows(k, n).measure(0.95);
        if k >= 5 {
            assert_eq!(ends(&measured), (low, high));
            continue;
        }
        let (least, most) = limits::clopper_pearson((k, n), normal(0.95));
        let (found_low, found_high) = ends(&measured);
        assert!((found_low - least.min(low)).abs() < 1e-13 && (found_high - most.max(high)).abs() < 1e-13);
        assert_eq!(measured.estimate().unwrap().method, Method::ClopperPearson);
    }
}

#[test]
fn undefined_is_not_zero() {
    assert_eq!(rows(0, 0).measure(0.95), Measured::Undefined { why: Why::EmptyDenominator });
    let cohorts = [rows(1, 5), rows(0, 5), rows(0, 0)];
    let all = rows(1, 10);
    let ratio = contrast(Comparison::Ratio, Against::Reference, &cohorts, &all, Some(1), 0.95);
    assert_eq!(ratio[0].measured, Measured::Undefined { why: Why::RatioToZero });
    assert_eq!(ratio[1].measured, Measured::Undefined { why: Why::EmptyDenominator });
    let one = contrast(Comparison::Difference, Against::WorstPair, &cohorts[2..], &all, None, 0.95);
    assert_eq!(one[0].measured, Measured::Undefined { why: Why::FewerThanTwoCohorts });
}

/// F1 of zero over F1 of a half is zero, not undefined; its interval is that of the numerator.
#[test]
fn a_ratio_of_zero_to_a_positive_figure_is_zero() {
    let figure = |point: f64, se: f64| Sample::Error {
        point,
        se,
        n: 50,
        df: None,
        lower: 0.0,
        upper: 1.0,
        method: Method::Bootstrap,
        replicates: None,
        mean: false,
    };
    let cohorts = [figure(0.0, 0.01), figure(0.5, 0.05)];
    for against in [Against::WorstPair, Against::Reference] {
        let ratio = contrast(Comparison::Ratio, against, &cohorts, &cohorts[1], Some(1), 0.95);
        assert_eq!(ratio[0].measured.estimate().unwrap().point, 0.0);
        let (low, high) = ends(&ratio[0].measured);
        assert!(low == 0.0 && (high - 1.959_963_984_540_054 * 0.02).abs() < 1e-9, "{against}: {low} {high}");
    }
    let negative = [figure(-0.1, 0.01), figure(0.5, 0.05)];
    let ratio = contrast(Comparison::Ratio, Against::Reference, &negative, &cohorts[1], Some(1), 0.95);
    assert_eq!(ratio[0].measured, Measured::Undefined { why: Why::RatioOfSigned });
}

/// Cohorts of equal rates must not look different: the claim of simultaneous intervals.
#[test]
fn equal_cohorts_are_covered_in_the_worst_pair_and_against_the_highest() {
    let mut random = StdRng::seed_from_u64(11);
    let draw = Binomial::new(200, 0.3).unwrap();
    for k in [2usize, 3, 5, 10] {
        let runs = 2000;
        let (mut difference, mut ratio, mut highest) = (0, 0, 0);
        for _ in 0..runs {
            let counts: Vec<i64> = (0..k).map(|_| draw.sample(&mut random) as i64).collect();
            let cohorts: Vec<Sample> = counts.iter().map(|&c| rows(c, 200)).collect();
            let all = rows(counts.iter().sum(), 200 * k as i64);
            let worst =
                |comparison| contrast(comparison, Against::WorstPair, &cohorts, &all, None, 0.95)[0].measured.clone();
            difference += i32::from(ends(&worst(Comparison::Difference)).0 <= 0.0);
            ratio += i32::from(ends(&worst(Comparison::Ratio)).1 >= 1.0);
            let each = contrast(Comparison::Difference, Against::Highest, &cohorts, &all, None, 0.95);
            highest += i32::from(each.iter().all(|c| c.measured.estimate().unwrap().interval.contains(0.0)));
        }
        for (name, covered) in [("difference", difference), ("ratio", ratio), ("highest", highest)] {
            assert!(f64::from(covered) >= 0.935 * f64::from(runs), "{name} of {k} cohorts: {covered} of {runs}");
        }
    }
}

/// Against everyone, of whom the cohort is a part.
#[test]
fn the_difference_to_everyone_is_covered() {
    let mut random = StdRng::seed_from_u64(12);
    let (small, large) = (Binomial::new(120, 0.35).unwrap(), Binomial::new(280, 0.25).unwrap());
    let truth = 0.35 - (0.35 * 120.0 + 0.25 * 280.0) / 400.0;
    let truth_ratio = 0.35 / (0.35 * 0.3 + 0.25 * 0.7);
    let (mut covered, mut covered_ratio) = (0, 0);
    for _ in 0..4000 {
        let (a, b) = (small.sample(&mut random) as i64, large.sample(&mut random) as i64);
        let cohorts = [rows(a, 120), rows(b, 280)];
        let all = rows(a + b, 400);
        let result = contrast(Comparison::Difference, Against::Overall, &cohorts, &all, None, 0.95);
        covered += i32::from(result[0].measured.estimate().unwrap().interval.contains(truth));
        let result = contrast(Comparison::Ratio, Against::Overall, &cohorts, &all, None, 0.95);
        covered_ratio += i32::from(result[0].measured.estimate().unwrap().interval.contains(truth_ratio));
    }
    assert!((3760..=3880).contains(&covered), "{covered} of 4000");
    assert!((3760..=3880).contains(&covered_ratio), "{covered_ratio} of 4000");
}

/// Ten equal rows per unit: intervals that take rows for independent are far too narrow; the jackknife over units is not.
#[test]
fn rows_that_share_a_unit_need_the_jackknife() {
    let mut random = StdRng::seed_from_u64(13);
    let runs = 1500;
    let (mut jackknife, mut naive, mut difference) = (0, 0, 0);
    for _ in 0..runs {
        let mut draw = |p: f64, units: u32| {
            let mut buckets = vec![Share::default(); BUCKETS as usize];
            for _ in 0..units {
                let bucket = random.random_range(0..BUCKETS) as usize;
                let positive = i64::from(random.random_bool(p)) * 10;
                buckets[bucket] =
                    buckets[bucket] + Share { numerator: Cell::rows(positive), denominator: Cell::rows(10) };
            }
            buckets
        };
        let (a, b) = (draw(0.3, 400), draw(0.4, 300));
        let sample = Sample::bucketed_share(&a);
        jackknife += i32::from(sample.measure(0.95).estimate().unwrap().interval.contains(0.3));
        let total = a.iter().fold(Share::default(), |sum, &s| sum + s);
        naive += i32::from(Sample::share(&total).measure(0.95).estimate().unwrap().interval.contains(0.3));
        let cohorts = [sample, Sample::bucketed_share(&b)];
        let worst = contrast(Comparison::Difference, Against::WorstPair, &cohorts, &cohorts[0], None, 0.95);
        difference += i32::from(worst[0].measured.estimate().unwrap().interval.contains(0.1));
    }
    let share = |covered: i32| f64::from(covered) / f64::from(runs);
    assert!(share(jackknife) >= 0.93 && share(difference) >= 0.93, "{} {}", share(jackknife), share(difference));
    assert!(share(naive) < 0.6, "{}", share(naive));
}

/// F1 of a table of 400 rows: the percentile bootstrap of its cells.
#[test]
fn the_cell_bootstrap_covers() {
    let f1 = |[tp, fp, fn_, _]: [f64; 4]| (tp > 0.0).then(|| 2.0 * tp / (2.0 * tp + fp + fn_));
    let p = [0.25, 0.1, 0.15, 0.5];
    let truth = f1(p).unwrap();
    let mut random = StdRng::seed_from_u64(14);
    let mut covered = 0;
    for _ in 0..600 {
        let mut cells = [0i64; 4];
        for _ in 0..400 {
            let u: f64 = random.random();
            cells[p
                .iter()
                .scan(0.0, |sum, p| {
                    *sum += p;
                    Some(*sum)
                })
                .position(|sum| u < sum)
                .unwrap_or(3)] += 1;
        }
        let replicates = bootstrap(cells, &mut random, 400, f1);
        let point = f1(cells.map(|c| c as f64));
        let measured = Sample::bootstrapped(point, replicates, 400, 0.0, 1.0).measure(0.95);
        covered += i32::from(measured.estimate().unwrap().interval.contains(truth));
    }
    assert!(covered >= 555, "{covered} of 600");
}

/// F1 of 40 rows of which nearly all are decided rightly: drawn from the cells alone a table without errors has an interval of one point.
#[test]
fn half_a_row_in_every_cell_covers_at_the_end_of_the_range() {
    let f1 = |[tp, fp, fn_, _]: [f64; 4]| (tp + fp + fn_ > 0.0).then(|| 2.0 * tp / (2.0 * tp + fp + fn_));
    let p = [0.5, 0.02, 0.02, 0.46];
    let truth = f1(p).unwrap();
    let mut random = StdRng::seed_from_u64(15);
    let (mut plain, mut halves) = (0, 0);
    for _ in 0..600 {
        let mut cells = [0i64; 4];
        for _ in 0..40 {
            let u: f64 = random.random();
            cells[p
                .iter()
                .scan(0.0, |sum, p| {
                    *sum += p;
                    Some(*sum)
                })
                .position(|sum| u < sum)
                .unwrap_or(3)] += 1;
        }
        let point = f1(cells.map(|c| c as f64));
        let covers = |replicates| {
            Sample::bootstrapped(point, replicates, 40, 0.0, 1.0)
                .measure(0.95)
                .estimate()
                .unwrap()
                .interval
                .contains(truth)
        };
        plain += i32::from(covers(bootstrap(cells, &mut random, 300, f1)));
        halves += i32::from(covers(bootstrap_with_halves(cells, &mut random, 300, f1)));
    }
    assert!(halves >= 558 && plain < 540, "{halves} and {plain} of 600");
    let right = bootstrap_with_halves([15, 0, 0, 15], &mut random, 300, f1);
    let interval = Sample::bootstrapped(Some(1.0), right, 30, 0.0, 1.0).measure(0.95).estimate().unwrap().interval;
    assert!(interval.lower.unwrap() < 0.97 && interval.upper == Some(1.0), "{interval:?}");
}

/// A thousand cohorts: half a million pairs, none of them kept.
#[test]
fn the_worst_pair_of_a_thousand_cohorts() {
    let cohorts: Vec<Sample> = (0..1000).map(|i| rows(i % 7 + 1, 40)).collect();
    let all = rows(cohorts.len() as i64 * 4, 40_000);
    let worst = contrast(Comparison::Difference, Against::WorstPair, &cohorts, &all, None, 0.95);
    let (low, high) = ends(&worst[0].measured);
    assert!((worst[0].measured.estimate().unwrap().point - 0.15).abs() < 1e-12);
    assert!(low == 0.0 && high > 0.3, "seven values in a thousand cohorts of 40 rows tell nothing apart: {low} {high}");
    assert_eq!(contrast(Comparison::Ratio, Against::Highest, &cohorts, &all, None, 0.95).len(), 999);
}

proptest! {
    #[test]
    fn the_interval_holds_the_point_and_swapping_negates(a in 0i64..50, m in 1i64..50, b in 0i64..50, n in 1i64..50, confidence in 0.5f64..0.999) {
        let (a, b) = (a.min(m), b.min(n));
        let (x, y, all) = (rows(a, m), rows(b, n), rows(a + b, m + n));
        let of = |cohorts: &[Sample], comparison| contrast(comparison, Against::Reference, cohorts, &all, Some(1), confidence)[0].measured.clone();
        let forth = of(&[x.clone(), y.clone()], Comparison::Difference);
        let back = of(&[y.clone(), x.clone()], Comparison::Difference);
        let (low, high) = ends(&forth);
        let (back_low, back_high) = ends(&back);
        prop_assert!((low + back_high).abs() < 1e-12 && (high + back_low).abs() < 1e-12);
        prop_assert!(forth.estimate().unwrap().interval.contains(forth.estimate().unwrap().point));
        for comparison in [Comparison::Difference, Comparison::Ratio] {
            for against in [Against::WorstPair, Against::Highest, Against::Overall, Against::Reference] {
                for compared in contrast(comparison, against, &[x.clone(), y.clone()], &all, Some(0), confidence) {
                    if let Some(estimate) = compared.measured.estimate() {
                        let slack = Interval::new(ends(&compared.measured).0 - 1e-9, ends(&compared.measured).1 + 1e-9);
                        prop_assert!(slack.contains(estimate.point), "{comparison} {against} {estimate:?}");
                        prop_assert_eq!(estimate.at(confidence), estimate.clone());
                    }
                }
            }
        }
    }
}

/// Values that are the same without any bucket have no jackknife error; a share of 0 or 1 has its interval without it.
#[test]
fn buckets_that_do_not_vary_give_no_interval() {
    let of = |point: f64, left_out: f64| Sample::buckets(Some(point), vec![Some(left_out); 200], 200, 1000);
    for point in [0.0, 1.0, 0.1 + 0.2, -7e9, f64::MAX] {
        assert_eq!(of(point, point).measure(0.95), Measured::Undefined { why: Why::BucketsDoNotVary });
    }
    assert_eq!(of(0.1 + 0.2, 0.3), Sample::None(Why::BucketsDoNotVary));
    let mut left_out = vec![Some(2.0); 200];
    left_out[7] = Some(2.001);
    let measured = Sample::buckets(Some(2.0), left_out, 200, 1000).measure(0.95);
    let (lower, upper) = ends(&measured);
    assert!(lower < 2.0 && upper > 2.0);
    let share = Share { numerator: Cell::rows(5), denominator: Cell::rows(5) };
    let (lower, upper) = ends(&Sample::bucketed_share(&[share; 200]).measure(0.95));
    assert!(lower < 1.0 && upper >= 1.0 - 1e-12);
}
