//! Worked examples, brute force over pairs and fine grids, properties of distances, and simulated coverage.

use proptest::prelude::*;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::curve::{Points, abroca, kolmogorov_smirnov, median, quantile, roc, total, wasserstein};
use super::means::{Powers, Spread, Unit, standardised};
use super::scores::xauc;
use super::*;
use crate::estimate::normal;

const CASES: &str = include_str!("../../../../tests/cases/distances.md");

fn case(name: &str) -> f64 {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
    let row = CASES.lines().map(cells).find(|cells| cells.get(1).is_some_and(|cell| cell == name)).expect(name);
    row[3].parse().expect("a number")
}

fn points(values: &[f64]) -> Points {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut points: Points = Vec::new();
    for value in sorted {
        match points.last_mut() {
            Some((last, n)) if *last == value => *n += 1.0,
            _ => points.push((value, 1.0)),
        }
    }
    points
}

fn body(negative: &[f64], positive: &[f64]) -> Body {
    let all = points(&[negative, positive].concat());
    Body { whole: Curves { all, label: [points(negative), points(positive)] }, parts: Vec::new() }
}

fn spread(values: &Points) -> Spread {
    Spread { whole: Powers::of(values, 0.45), parts: Vec::new() }
}

#[test]
fn figures_by_pencil() {
    let (a, c) = (body(&[0.2, 0.4], &[0.6, 0.8]), body(&[0.1, 0.5], &[0.3, 0.7]));
    let near = |ours: Option<f64>, name: &str| {
        let ours = ours.expect(name);
        assert!((ours - case(name)).abs() < 1e-14, "{name}: {ours}");
    };
    near(kolmogorov_smirnov(&a.whole.all, &c.whole.all), "kolmogorov-smirnov");
    near(kolmogorov_smirnov(&a.whole.label[1], &c.whole.label[1]), "kolmogorov-smirnov-positive");
    near(kolmogorov_smirnov(&a.whole.label[0], &c.whole.label[0]), "kolmogorov-smirnov-negative");
    near(wasserstein(&a.whole.all, &c.whole.all), "wasserstein");
    near(abroca(&a.whole.label, &c.whole.label), "abroca");
    near(xauc(&a, &c).ok().map(|signed| signed.point), "xauc-disparity");
    near(median(&a.whole.all), "median-a");
    let everyone = points(&[0.2, 0.4, 0.6, 0.8, 0.1, 0.5, 0.3, 0.7]);
    for (unit, name) in [(Unit::Pooled, "pooled"), (Unit::Overall, "overall")] {
        let signed = standardised(&spread(&a.whole.all), &spread(&c.whole.all), &spread(&everyone), unit);
        near(signed.ok().map(|signed| signed.point), name);
    }
}

fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

#[test]
fn areas_and_shares_are_those_of_brute_force() {
    let mut random = random(11);
    for _ in 0..20 {
        // Twelve values: many ties.
        let mut draw = |n: usize| (0..n).map(|_| f64::from(random.random_range(0..12u32)) / 12.0).collect::<Vec<f64>>();
        let (a0, a1, b0, b1) = (draw(17), draw(9), draw(13), draw(21));
        let (a, b) = (body(&a0, &a1), body(&b0, &b1));
        let at = |corners: &[(f64, f64)], u: f64| {
            let next = corners.iter().position(|(x, _)| *x >= u).expect("the last is 1");
            let ((x, y), (p, q)) = (corners[next - 1], corners[next]);
            y + (q - y) * (u - x) / (p - x)
        };
        let (of_a, of_b) = (roc(&a.whole.label[0], &a.whole.label[1]), roc(&b.whole.label[0], &b.whole.label[1]));
        let steps = 20_000;
        let middle = |i: u32| (f64::from(i) + 0.5) / f64::from(steps);
        let brute: f64 =
            (0..steps).map(|i| (at(&of_a, middle(i)) - at(&of_b, middle(i))).abs()).sum::<f64>() / f64::from(steps);
        let exact = abroca(&a.whole.label, &b.whole.label).unwrap();
        // Curves have no steps inside cells of the grid but at 30 corners, each of which errs by at most one cell.
        assert!((exact - brute).abs() < 30.0 / f64::from(steps), "{exact} {brute}");
        let pairs = |positive: &[f64], negative: &[f64]| {
            let half = |x: f64, y: f64| {
                if x > y {
                    1.0
                } else if x == y {
                    0.5
                } else {
                    0.0
                }
            };
            let sum: f64 = positive.iter().flat_map(|x| negative.iter().map(move |y| half(*x, *y))).sum();
            sum / (positive.len() * negative.len()) as f64
        };
        let ours = xauc(&a, &b).unwrap().point;
        assert!((ours - (pairs(&a1, &b0) - pairs(&b1, &a0))).abs() < 1e-12);
        let share = |values: &[f64], t: f64| values.iter().filter(|x| **x <= t).count() as f64 / values.len() as f64;
        let brute = (0..12u32)
            .map(|t| (share(&a0, f64::from(t) / 12.0) - share(&b0, f64::from(t) / 12.0)).abs())
            .fold(0.0, f64::max);
        assert!((kolmogorov_smirnov(&a.whole.label[0], &b.whole.label[0]).unwrap() - brute).abs() < 1e-12);
    }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec((0..40u32).prop_map(|x| f64::from(x) / 40.0), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn distances_are_distances(a in values(), b in values(), c in values(), d in values(), e in values(), f in values()) {
        let [x, y, z] = [points(&a), points(&b), points(&c)];
        let curves = [[x.clone(), points(&d)], [y.clone(), points(&e)], [z.clone(), points(&f)]];
        for of in [kolmogorov_smirnov, wasserstein] {
            prop_assert_eq!(of(&x, &x), Some(0.0));
            let (xy, yz, xz) = (of(&x, &y).unwrap(), of(&y, &z).unwrap(), of(&x, &z).unwrap());
            prop_assert!((xy - of(&y, &x).unwrap()).abs() < 1e-12);
            prop_assert!(xz <= xy + yz + 1e-12 && xy <= 1.0 + 1e-12);
        }
        let of = |i: usize, j: usize| abroca(&curves[i], &curves[j]).unwrap();
        prop_assert!(of(0, 0) < 1e-15 && (of(0, 1) - of(1, 0)).abs() < 1e-12);
        prop_assert!(of(0, 2) <= of(0, 1) + of(1, 2) + 1e-12 && of(0, 1) <= 1.0);
        // At least the difference of the areas, to which it is equal where the curves do not cross.
        let area = |i: usize| crate::measure::scores::auc(&curves[i][0], &curves[i][1]).unwrap().0;
        prop_assert!(of(0, 1) >= (area(0) - area(1)).abs() - 1e-12);
    }

    #[test]
    fn a_shift_is_as_far_as_it_shifts(a in values(), by in 0..100u32) {
        let by = f64::from(by) / 100.0;
        let moved: Vec<f64> = a.iter().map(|x| x + by).collect();
        prop_assert!((wasserstein(&points(&a), &points(&moved)).unwrap() - by).abs() < 1e-12);
        let q = quantile(&points(&a), 0.8).unwrap();
        let below = a.iter().filter(|x| **x <= q).count() as f64;
        prop_assert!(below >= 0.8 * a.len() as f64 - 1e-9);
    }
}

fn phi(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

fn normals(random: &mut StdRng, n: usize, mean: f64) -> Vec<f64> {
    (0..n).map(|_| mean + Distribution::<f64>::sample(&StandardNormal, random)).collect()
}

/// Share of simulated intervals that hold the true distance of the greatest pair.
fn coverage(
    (of, norm): (Of, Norm),
    truth: f64,
    runs: u32,
    mut draw: impl FnMut(&mut StdRng) -> Vec<Body>,
    seed: u64,
) -> f64 {
    let distance = Distance { of, norm, upper: f64::INFINITY };
    let mut random = random(seed);
    let mut held = 0;
    for _ in 0..runs {
        let bodies = draw(&mut random);
        let rows = |i: usize| of.rows(&bodies[i].whole);
        let mut pairs = Vec::new();
        for i in 0..bodies.len() {
            for j in i + 1..bodies.len() {
                let d = distance.between(&bodies[i].whole, &bodies[j].whole).unwrap();
                pairs.push((d, scale(rows(i), rows(j))));
            }
        }
        let laws: Vec<(&Curves, &[Curves])> = bodies.iter().map(|body| (&body.whole, body.parts.as_slice())).collect();
        let deviations = Deviations::of(&laws, of, norm).draw(&mut random, 199);
        let estimate = Estimate::distances(&pairs, deviations, f64::INFINITY, support(rows(0), rows(1)), 0.95);
        held += u32::from(estimate.interval.contains(truth));
    }
    f64::from(held) / f64::from(runs)
}

const RUNS: u32 = 200;

/// Binomial: where 0.95 of all intervals hold, fewer than 0.865 of 200 do with a chance of 2e-6, and those of distances hold more often.
const LEAST: f64 = 0.865;

#[test]
fn intervals_of_distances_cover_at_equality_and_beyond() {
    let plain = |n: usize, means: &'static [f64]| {
        move |random: &mut StdRng| means.iter().map(|m| body(&normals(random, n, *m), &[])).collect::<Vec<_>>()
    };
    let kind = |norm| (Of::All, norm);
    let (ks, area) = (kind(Norm::Greatest), kind(Norm::Area));
    let far = 2.0 * phi(0.25) - 1.0;
    let cases = [
        ("KS equal", coverage(ks, 0.0, RUNS, plain(30, &[0.0, 0.0]), 100)),
        ("KS far", coverage(ks, far, RUNS, plain(30, &[0.0, 0.5]), 110)),
        ("KS of four", coverage(ks, 0.0, RUNS, plain(30, &[0.0; 4]), 120)),
        ("W equal", coverage(area, 0.0, RUNS, plain(30, &[0.0, 0.0]), 130)),
        ("W far", coverage(area, 0.5, RUNS, plain(30, &[0.0, 0.5]), 140)),
        ("W of four", coverage(area, 0.5, RUNS, plain(30, &[0.0, 0.0, 0.25, 0.5]), 150)),
    ];
    for (name, share) in cases {
        println!("{name}, n = 30: {share:.3}");
        assert!(share >= LEAST, "{name}: {share}");
    }
}

/// `make validity` sets 10,000 runs.
#[test]
fn intervals_of_distances_cover_in_more_runs() {
    let runs: u32 = std::env::var("EVENHAND_VALIDITY_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    // Five standard deviations of a share of so many runs: a chance below 1e-6 a point.
    let least = 0.95 - 5.0 * (0.95 * 0.05 / f64::from(runs)).sqrt();
    let plain = |n: usize, means: &'static [f64]| {
        move |random: &mut StdRng| means.iter().map(|m| body(&normals(random, n, *m), &[])).collect::<Vec<_>>()
    };
    let far = 2.0 * phi(0.25) - 1.0;
    for n in [30, 300, 3000] {
        for (norm, truth) in [(Norm::Greatest, far), (Norm::Area, 0.5)] {
            let equal = coverage((Of::All, norm), 0.0, runs, plain(n, &[0.0, 0.0]), 200);
            let four = coverage((Of::All, norm), 0.0, runs, plain(n, &[0.0; 4]), 201);
            let apart = coverage((Of::All, norm), truth, runs, plain(n, &[0.0, 0.5]), 202);
            println!("{norm:?}, n = {n}: equal {equal:.3}, four equal {four:.3}, apart {apart:.3}");
            assert!(equal.min(four).min(apart) >= least, "{norm:?} {n}: {equal} {four} {apart}");
        }
    }
}

#[test]
fn intervals_of_few_values_and_of_areas_between_curves_cover() {
    // Ten values, as deciles have.
    let few = |random: &mut StdRng| -> Vec<f64> { (0..40).map(|_| f64::from(random.random_range(0..10u32))).collect() };
    let draw = |random: &mut StdRng| vec![body(&few(random), &[]), body(&few(random), &[])];
    let share = coverage((Of::All, Norm::Greatest), 0.0, RUNS, draw, 7);
    println!("KS of ten values: {share:.3}");
    assert!(share >= LEAST, "{share}");
    // A value that one row of fifty has.
    let rare =
        |random: &mut StdRng| -> Vec<f64> { (0..60).map(|_| f64::from(u8::from(random.random_bool(0.02)))).collect() };
    let draw = |random: &mut StdRng| vec![body(&rare(random), &[]), body(&rare(random), &[])];
    let share = coverage((Of::All, Norm::Greatest), 0.0, RUNS, draw, 8);
    println!("KS of a rare value: {share:.3}");
    assert!(share >= LEAST, "{share}");
    for (shift, seed) in [(1.0, 21), (0.3, 22)] {
        let truth = phi(1.0 / 2f64.sqrt()) - phi(shift / 2f64.sqrt());
        let draw = move |random: &mut StdRng| {
            let mut of = |mean| body(&normals(random, 30, 0.0), &normals(random, 30, mean));
            vec![of(1.0), of(shift)]
        };
        let share = coverage((Of::Roc, Norm::Area), truth, RUNS, draw, seed);
        println!("ABROCA {truth:.3}, 30 rows of each label: {share:.3}");
        assert!(share >= LEAST, "{share}");
    }
}

#[test]
fn errors_of_standardised_differences_cover_where_values_are_skew() {
    let mut random = random(31);
    for (m, n) in [(30, 60), (300, 100)] {
        // Squares of normals: skewed, of means 1 and 1.5, variances 2 and 4.5.
        let (d_pooled, rest) =
            (-0.5 / ((f64::from(m - 1) * 2.0 + f64::from(n - 1) * 4.5) / f64::from(m + n - 2)).sqrt(), 40);
        let (p, q) = (f64::from(m) / f64::from(m + n + rest), f64::from(n) / f64::from(m + n + rest));
        let r = 1.0 - p - q;
        let mean = p + 1.5 * q + r;
        let variance = p * 3.0 + q * (4.5 + 2.25) + r * 3.0 - mean * mean;
        for (unit, truth) in [(Unit::Pooled, d_pooled), (Unit::Overall, -0.5 / variance.sqrt())] {
            let (runs, mut held) = (400, 0);
            for _ in 0..runs {
                let mut of = |n: i32, scale: f64| {
                    let values = normals(&mut random, n as usize, 0.0);
                    values.into_iter().map(|z| scale * z * z).collect::<Vec<f64>>()
                };
                let (a, b, c) = (of(m, 1.0), of(n, 1.5), of(rest, 1.0));
                let all = points(&[a.clone(), b.clone(), c].concat());
                let signed = standardised(&spread(&points(&a)), &spread(&points(&b)), &spread(&all), unit).unwrap();
                held += u32::from((signed.point - truth).abs() <= normal(0.95) * signed.se);
            }
            let share = f64::from(held) / f64::from(runs);
            println!("{unit:?}, n = {m} and {n}: {share:.3}");
            // Deviation of the share of 400 runs 0.011 at 0.95; skewness costs small samples some of it.
            assert!(share > 0.88, "{share}");
        }
    }
}

#[test]
fn the_error_of_a_pooled_difference_of_normal_values_is_that_of_hedges_and_olkin() {
    let mut random = random(41);
    let (a, b) = (points(&normals(&mut random, 20_000, 0.4)), points(&normals(&mut random, 10_000, 0.0)));
    let signed = standardised(&spread(&a), &spread(&b), &spread(&a), Unit::Pooled).unwrap();
    let (m, n, d) = (total(&a), total(&b), signed.point);
    let known = ((m + n) / (m * n) + d * d / (2.0 * (m + n))).sqrt();
    assert!((signed.se / known - 1.0).abs() < 0.01, "{} {known}", signed.se);
}

#[test]
fn what_has_no_rows_or_no_variation_is_undefined() {
    let (some, none) = (body(&[0.1, 0.2], &[0.3, 0.4]), body(&[], &[]));
    let distance = Distance { of: Of::All, norm: Norm::Area, upper: 1.0 };
    assert_eq!(distance.lacks(&none, true), Some(Why::EmptyComparison));
    assert_eq!(distance.lacks(&body(&[0.1], &[]), false), Some(Why::TooFewRows));
    let roc = Distance { of: Of::Roc, norm: Norm::Area, upper: 1.0 };
    assert_eq!(roc.lacks(&body(&[0.1, 0.2], &[]), false), Some(Why::OneClass));
    assert_eq!(roc.lacks(&some, false), None);
    assert_eq!(xauc(&some, &none), Err(Why::EmptyComparison));
    let flat = spread(&points(&[0.5, 0.5]));
    assert_eq!(standardised(&flat, &flat, &flat, Unit::Pooled), Err(Why::NoVariation));
    assert_eq!(wasserstein(&points(&[1.0]), &[]), None);
}

/// A share of dependent rows is kept within 0 and 1, and at the ends of its range it has an interval.
#[test]
fn shares_above_a_value_are_shares_where_rows_share_units() {
    let cohort = |values: &dyn Fn(usize) -> f64| {
        let parts: Vec<Vec<f64>> = (0..BUCKETS as usize).map(|bucket| vec![values(bucket); 3]).collect();
        let curves = |values: &[f64]| Curves { all: points(values), ..Curves::default() };
        Body { whole: curves(&parts.concat()), parts: parts.iter().map(|part| curves(part)).collect() }
    };
    for (of, point) in [(0, 0.0), (1, 0.005), (100, 0.5), (199, 0.995), (200, 1.0)] {
        let body = cohort(&|bucket| if bucket < of { 2.0 } else { 0.0 });
        let sample = regression::above_of(&body, Some(1.0));
        let measured = sample.measure(0.95);
        let estimate = measured.estimate().unwrap();
        let (lower, upper) = (estimate.interval.lower.unwrap(), estimate.interval.upper.unwrap());
        assert!((estimate.point - point).abs() < 1e-12, "{of}");
        assert!(lower >= 0.0 && upper <= 1.0 && upper - lower > 0.01, "{of}: {lower} {upper}");
        // A row of one bucket tells nothing new of the others in it.
        assert!(estimate.support.n == 600 && estimate.support.n_effective <= 201.0, "{:?}", estimate.support);
    }
}

/// Scores that tell the labels apart without fail have areas of 1 in every bucket.
#[test]
fn discrimination_that_is_alike_in_all_buckets_has_no_interval() {
    let cohort = |last: f64| {
        let curves = |negative: &[f64], positive: &[f64]| body(negative, positive).whole;
        let last = |bucket: u32| if bucket == 0 { last } else { 0.9 };
        let parts: Vec<Curves> = (0..BUCKETS).map(|bucket| curves(&[0.1], &[last(bucket)])).collect();
        let positive: Vec<f64> = (0..BUCKETS).map(last).collect();
        Body { whole: curves(&vec![0.1; BUCKETS as usize], &positive), parts }
    };
    assert_eq!(xauc(&cohort(0.9), &cohort(0.9)), Err(Why::BucketsDoNotVary));
    assert!(xauc(&cohort(0.05), &cohort(0.9)).unwrap().se > 0.0);
}

/// Rows of one unit have one value: without buckets the interval would be too narrow by the square root of the unit's rows.
#[test]
fn intervals_of_rows_that_share_units_cover() {
    let cohort = |random: &mut StdRng| {
        let units: Vec<(usize, f64)> =
            normals(random, 120, 0.0).into_iter().map(|z| (random.random_range(0..BUCKETS as usize), z)).collect();
        let mut parts = vec![Vec::new(); BUCKETS as usize];
        units.iter().for_each(|(bucket, z)| parts[*bucket].extend([*z; 4]));
        let curves = |values: &[f64]| Curves { all: points(values), label: [points(values), Vec::new()] };
        Body { whole: curves(&parts.concat()), parts: parts.iter().map(|part| curves(part)).collect() }
    };
    let draw = |random: &mut StdRng| vec![cohort(random), cohort(random)];
    let share = coverage((Of::All, Norm::Greatest), 0.0, 60, draw, 51);
    println!("KS of units: {share:.3}");
    // Of 60 runs fewer than 0.78 hold with a chance of 1e-6.
    assert!(share >= 0.78, "{share}");
}
