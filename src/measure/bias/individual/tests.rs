//! The worked example, nearest rows against sorting, the interval's coverage, a level in the place of a column.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::consistency::Jackknife;
use super::flip::replaced;
use super::nearest::Points;
use crate::estimate::{Measured, Why};
use crate::scalar::{Expr, Order, Scalar};

/// The columns of the worked example: place, value, and the distances in three ways.
fn example() -> Vec<[Option<f64>; 5]> {
    let text = include_str!("../../../../tests/cases/individual.md");
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
    let row = |line: &str| {
        let fields: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        [0, 1, 3, 4, 5].map(|at| fields[at].parse().ok())
    };
    lines.map(row).collect()
}

fn points(places: &[Vec<f64>]) -> Points {
    let mut points = Points::new(places[0].len());
    places.iter().zip(0..).for_each(|(place, bucket)| points.add(place, bucket));
    points
}

fn point(measured: &Measured) -> f64 {
    measured.estimate().expect("an estimate").point
}

#[test]
fn worked_example() {
    let example = example();
    assert_eq!(example.len(), 5);
    let places: Vec<Vec<f64>> = example.iter().map(|row| vec![row[0].unwrap()]).collect();
    let values: Vec<f64> = example.iter().map(|row| row[1].unwrap()).collect();
    let points = points(&places);
    let nearest = points.nearest(2);
    let (others, itself) = (nearest.distances(&values, false), nearest.distances(&values, true));
    for (row, line) in example.iter().enumerate() {
        assert_eq!((others[row], itself[row]), (line[2], line[3]), "row {row}");
        if let Some(left) = line[4] {
            assert_eq!(nearest.without(&points, 3, &values, false, row, others[row]), Some(left), "row {row}");
        }
    }
    let mean = |of: &[Option<f64>]| 1.0 - of.iter().flatten().sum::<f64>() / 5.0;
    assert!((mean(&others) - 0.3).abs() < 1e-12 && (mean(&itself) - 0.6).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: proptest::test_runner::RngSeed::Fixed(3), ..ProptestConfig::default() })]
    /// Leaving a bucket out is the same as never having had its rows.
    #[test]
    fn a_bucket_left_out_is_gone(seed in 0u64..100_000, n in 12usize..60, k in 1usize..6, itself in any::<bool>()) {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut points, mut rest) = (Points::new(2), Points::new(2));
        let (mut values, mut left) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let place = [f64::from(random.random_range(0..5)), random.random::<f64>()];
            let (bucket, value) = (random.random_range(0..4), f64::from(random.random_range(0..2)));
            points.add(&place, bucket);
            values.push(value);
            if bucket != 2 {
                rest.add(&place, bucket);
                left.push(value);
            }
        }
        let nearest = points.nearest(k);
        let whole = nearest.distances(&values, itself);
        let kept: Vec<Option<f64>> = (0..n)
            .filter(|&row| points.bucket(row) != 2)
            .map(|row| nearest.without(&points, 2, &values, itself, row, whole[row]))
            .collect();
        prop_assert_eq!(kept, rest.nearest(k).distances(&left, itself));
    }
}

/// Rows on a plane; the value is 1 with a chance that rises along one axis. Buckets are drawn.
fn drawn(random: &mut StdRng, n: usize) -> (Points, Vec<f64>) {
    let mut points = Points::new(2);
    let mut values = Vec::new();
    for _ in 0..n {
        let place = [random.random::<f64>(), random.random::<f64>()];
        points.add(&place, random.random_range(0..200));
        let chance = 1.0 / (1.0 + libm::exp(-8.0 * (place[0] - 0.5)));
        values.push(f64::from(u8::from(random.random_bool(chance))));
    }
    (points, values)
}

/// Of 200 intervals of 95 % at least as many hold the mean as an interval of 95 % would with a chance of 1 - 1e-6 (five standard errors).
#[test]
fn the_interval_covers() {
    let mut random = StdRng::seed_from_u64(11);
    let (runs, mut points, mut held, mut width) = (200, Vec::new(), Vec::new(), 0.0);
    for _ in 0..runs {
        let (places, values) = drawn(&mut random, 200);
        let nearest = places.nearest(5);
        let measured = Jackknife::of(&places, &nearest, &values, false).measure(&|_| true, 0.95);
        points.push(point(&measured));
        let interval = measured.estimate().unwrap().interval;
        width += interval.upper.unwrap() - interval.lower.unwrap();
        held.push(interval);
    }
    let mean = points.iter().sum::<f64>() / f64::from(runs);
    let covered = held.iter().filter(|interval| interval.contains(mean)).count();
    println!("consistency: {covered} of {runs} intervals cover, mean width {:.4}", width / f64::from(runs));
    let least = 0.95 * f64::from(runs) - 5.0 * (0.05 * 0.95 * f64::from(runs)).sqrt();
    assert!(covered as f64 >= least, "{covered} of {runs}");
    // An interval that held everything would cover too.
    assert!(width / f64::from(runs) < 0.2, "{width}");
}

/// 2,000 rows in twenty dimensions.
#[test]
fn many_rows_end() {
    let mut random = StdRng::seed_from_u64(4);
    let (mut points, mut values) = (Points::new(20), Vec::new());
    for _ in 0..2000 {
        let place: Vec<f64> = (0..20).map(|_| random.random()).collect();
        points.add(&place, random.random_range(0..200));
        values.push(f64::from(random.random_range(0..2)));
    }
    let measured = Jackknife::of(&points, &points.nearest(5), &values, false).measure(&|_| true, 0.95);
    // A coin is 0.5 away from half of its five neighbours' mean, on average: 1 less E|y - mean of five coins| is one half.
    assert!(measured.estimate().unwrap().interval.contains(0.5), "{measured:?}");
}

#[test]
fn few_rows_have_no_value_and_alike_rows_have_no_interval() {
    let lone = points(&[vec![0.0], vec![1.0]]);
    assert_eq!(lone.nearest(5).distances(&[0.0, 1.0], false), [None, None]);
    let same: Vec<Vec<f64>> = (0..60).map(|_| vec![1.0, 2.0]).collect();
    let same = points(&same);
    let nearest = same.nearest(5);
    let measured = Jackknife::of(&same, &nearest, &[1.0; 60], false).measure(&|_| true, 0.95);
    assert_eq!(measured, Measured::Undefined { why: Why::BucketsDoNotVary });
    // As many rows alike as never fit a list of the nearest.
    let one = Points::new(0);
    assert_eq!(one.nearest(5).distances(&[], true), []);
}

#[test]
fn a_level_takes_the_place_of_a_column_and_of_what_is_computed_from_it() {
    let is = |column: &str, level: &str| {
        Expr::Compare(Order::Equal, Box::new(Scalar::column(column)), Box::new(Scalar::text(level)))
    };
    let derive: Vec<(std::sync::Arc<str>, Scalar)> = vec![
        ("woman".into(), is("sex", "f")),
        ("mother".into(), Expr::And(Box::new(Scalar::column("woman")), Box::new(is("parent", "yes")))),
        ("other".into(), is("parent", "no")),
    ];
    let decision = Expr::Or(Box::new(Scalar::column("mother")), Box::new(Scalar::column("other")));
    let switched = replaced(&derive, &decision, "sex", "m");
    let names: Vec<String> = switched.columns().iter().map(|name| name.to_string()).collect();
    assert_eq!(names, ["other", "parent"]);
    assert_eq!(replaced(&derive, &is("parent", "yes"), "sex", "m"), is("parent", "yes"));
}
