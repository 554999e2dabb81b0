//! Worked values, properties, and simulations of the coverage under noise.
//!
//! Monte Carlo error: a coverage of 95 % from 10,000 runs has a standard error of 0.22 %; the mean over the ten truths of one line of
//! 0.07 %.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Binomial, Distribution, StandardNormal};

use super::super::{Sample, Why, contrast, noisy_bootstrap, normal, student, wilson, within_width};
use super::*;
use crate::estimate::{Measured, NoisyMean};
use crate::metric::{Against, COMPOSITES, Comparison, Confusion, RATES};
use crate::statistic::Cell;

/// Noise on every cell.
#[derive(Debug, Clone, Copy)]
enum Law {
    /// Discrete Laplace noise of scale 1 / epsilon: the difference of two geometric numbers.
    Laplace(f64),
    /// Rounded Gaussian noise of this variance.
    Gaussian(f64),
}

impl Law {
    fn draw(&self, random: &mut StdRng) -> i64 {
        match *self {
            Law::Laplace(epsilon) => {
                let mut geometric = || ((1.0 - random.random::<f64>()).ln() / -epsilon).floor() as i64;
                geometric() - geometric()
            }
            Law::Gaussian(variance) => {
                let normal: f64 = StandardNormal.sample(random);
                (normal * variance.sqrt()).round() as i64
            }
        }
    }

    /// 2 q / (1 - q)^2 with q = exp(-epsilon).
    fn noise(&self) -> Noise {
        let (variance, laplace) = match *self {
            Law::Laplace(epsilon) => {
                let q = (-epsilon).exp();
                (2.0 * q / ((1.0 - q) * (1.0 - q)), true)
            }
            Law::Gaussian(variance) => (variance, false),
        };
        Noise { variance, laplace, design_effect: 1.0 }
    }
}

const METRICS: [&str; 3] = ["selection-rate", "true-positive-rate", "positive-predictive-value"];

/// A released table in which the metric has the truth p and n rows in its denominator, and the other cells as many rows as a table of lending.
fn released(metric: &str, n: u64, p: f64, law: &Law, random: &mut StdRng) -> Confusion {
    let yes = Binomial::new(n, p).unwrap().sample(random) as i64;
    let no = n as i64 - yes;
    let mut rows = [[n as i64 / 2, n as i64 / 3, 2], [n as i64 / 4, n as i64 / 4, 1], [3, 2, 4]];
    match metric {
        "selection-rate" => {
            for (decision, count) in [(1, yes), (0, no)] {
                let (first, second) = (count * 6 / 10, count * 3 / 10);
                (rows[0][decision], rows[1][decision], rows[2][decision]) = (first, second, count - first - second);
            }
        }
        "true-positive-rate" => (rows[1][1], rows[1][0]) = (yes, no),
        _ => (rows[1][1], rows[0][1]) = (yes, no),
    }
    let mut table = Confusion::default();
    for (label, row) in rows.iter().enumerate() {
        for (decision, &count) in row.iter().enumerate() {
            table.add(label as u32, decision as u32, Cell::noisy(count + law.draw(random)));
        }
    }
    table
}

fn sample(metric: &str, table: &Confusion, noise: &Noise) -> Sample {
    let rate = RATES.iter().find(|rate| rate.card.id == metric).unwrap();
    Sample::noisy_share(&(rate.of)(table), noise)
}

/// Runs that are shown, of those the ones that cover, and the sum of their widths.
#[derive(Default, Clone, Copy)]
struct Score {
    shown: f64,
    covered: f64,
    width: f64,
}

impl Score {
    fn add(&mut self, measured: &Measured, truth: f64) {
        if let Measured::Estimated(estimate) = measured {
            let interval = estimate.interval;
            self.shown += 1.0;
            self.covered += f64::from(u8::from(interval.contains(truth)));
            self.width += interval.upper.unwrap() - interval.lower.unwrap();
        }
    }

    fn coverage(&self) -> f64 {
        self.covered / self.shown.max(1.0)
    }
}

/// Runs of one truth.
const RUNS: u32 = 10_000;
/// The widest interval that is shown, as a share of the range: what a pipeline file has when it says nothing.
const WIDTH_MAX: f64 = 0.5;

/// Scores of a metric and of its difference between two cohorts, over ten truths.
fn scores(metric: &str, n: u64, law: &Law, random: &mut StdRng) -> [[Score; 10]; 2] {
    let noise = law.noise();
    let truth = |i: usize| 0.05 + 0.1 * (i % 10) as f64;
    let [mut values, mut differences] = [[Score::default(); 10]; 2];
    for (i, (value, apart)) in values.iter_mut().zip(&mut differences).enumerate() {
        let (p, q) = (truth(i), truth(i + 3));
        for _ in 0..RUNS {
            let mut cohort = |p| sample(metric, &released(metric, n, p, law, random), &noise).kept(0.95, WIDTH_MAX);
            let (a, b) = (cohort(p), cohort(q));
            value.add(&a.measure(0.95), p);
            let all = b.clone();
            let difference = contrast(Comparison::Difference, Against::Reference, &[a, b], &all, Some(1), 0.95);
            apart.add(&within_width(difference[0].measured.clone(), 2.0 * WIDTH_MAX), p - q);
        }
    }
    [values, differences]
}

/// The claim of this module. Where n epsilon is at least 30, the mean coverage of 95 % is within 94 and 98 % and no truth is below 92 %; below
/// that hardly anything is shown, or what is shown covers too.
///
/// The mean of a line has a standard error of 0.07 % and a single truth one of 0.22 %. Means lie at 94.6 % and above and the least single
/// coverage at 94 %, so a false alarm of a line is 5 standard errors away (below 1e-6), and seeds are fixed.
#[test]
fn coverage_of_sampling_and_noise() {
    println!("| metric | n | noise | shown | mean coverage | least | mean width |\n|---|---|---|---|---|---|---|");
    let laws = [0.1, 0.5, 1.0].map(Law::Laplace).into_iter().chain([Law::Gaussian(50.0)]);
    let cases: Vec<(usize, u64, Law)> =
        laws.flat_map(|law| [30, 100, 300, 3000].map(|n| (0..3).map(move |at| (at, n, law)))).flatten().collect();
    let lines: Vec<(usize, u64, Law, [[Score; 10]; 2])> = std::thread::scope(|scope| {
        let halves = cases.chunks(cases.len() / 2).map(|half| {
            scope.spawn(move || {
                let seed = |at: usize, n: u64| 1000 * at as u64 + n;
                let line = |&(at, n, law): &(usize, u64, Law)| {
                    (at, n, law, scores(METRICS[at], n, &law, &mut StdRng::seed_from_u64(seed(at, n))))
                };
                half.iter().map(line).collect::<Vec<_>>()
            })
        });
        halves.collect::<Vec<_>>().into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    for (at, n, law, scores) in lines {
        for (what, scores) in ["", ", difference"].iter().zip(scores) {
            let what = format!("{}{what} | {n} | {law:?}", METRICS[at]);
            let shown = scores.iter().map(|s| s.shown).sum::<f64>();
            let mean = scores.iter().map(|s| s.coverage()).sum::<f64>() / 10.0;
            let least = scores.iter().map(|s| s.coverage()).fold(1.0, f64::min);
            let width = scores.iter().map(|s| s.width).sum::<f64>() / shown.max(1.0);
            let shown = shown / f64::from(10 * RUNS);
            // Of a handful of runs there is no coverage.
            match shown < 0.01 {
                true => println!("| {what} | {shown:.3} | | | |"),
                false => println!("| {what} | {shown:.3} | {mean:.4} | {least:.4} | {width:.3} |"),
            }
            let epsilon = match law {
                Law::Laplace(epsilon) => epsilon,
                Law::Gaussian(variance) => (2.0 / variance).sqrt(),
            };
            if n as f64 * epsilon >= 29.9 {
                assert!(
                    least >= 0.92 && (0.94..=0.98).contains(&mean) && shown > 0.5,
                    "{what}: {mean} {least} {shown}"
                );
            }
            // What is seldom shown is shown by a chance that also moves it; even so it is seldom shown and wrong.
            let wrong = scores.iter().map(|s| (s.shown - s.covered) / f64::from(RUNS)).fold(0.0, f64::max);
            assert!(wrong <= 0.08, "{what}: shown and wrong in {wrong}");
        }
    }
}

/// Cohorts of equal rates must not look different, however heavy the tails of the noise. Of 6,000 runs 95 % have a standard error of 0.28 %:
/// 93.5 % is 5.3 of them below.
#[test]
fn equal_cohorts_under_noise() {
    let mut random = StdRng::seed_from_u64(21);
    let metric = "true-positive-rate";
    for (n, law) in
        [(200u64, Law::Laplace(1.0)), (300, Law::Laplace(0.1)), (1000, Law::Laplace(0.03)), (300, Law::Gaussian(200.0))]
    {
        for k in [2usize, 3, 5, 10] {
            let noise = law.noise();
            let runs = 6000;
            let mut covered = [0u32; 3];
            for _ in 0..runs {
                let cohorts: Vec<Sample> =
                    (0..k).map(|_| sample(metric, &released(metric, n, 0.3, &law, &mut random), &noise)).collect();
                let of = |comparison, against| contrast(comparison, against, &cohorts, &cohorts[0], None, 0.95);
                let holds = |value: f64, of: Vec<super::super::Compared>| {
                    of.iter().all(|of| of.measured.estimate().is_none_or(|of| of.interval.contains(value)))
                };
                covered[0] += u32::from(holds(0.0, of(Comparison::Difference, Against::WorstPair)));
                covered[1] += u32::from(holds(1.0, of(Comparison::Ratio, Against::WorstPair)));
                covered[2] += u32::from(holds(0.0, of(Comparison::Difference, Against::Highest)));
            }
            let covered = covered.map(|c| f64::from(c) / f64::from(runs));
            println!("{n} rows, {law:?}, {k} cohorts: {covered:?}");
            assert!(covered.iter().all(|covered| *covered >= 0.935), "{n} rows, {law:?}, {k} cohorts: {covered:?}");
        }
    }
}

/// Against everyone, of whom the cohort is a part, with the cohort's own noise in both; and the ratio of two cohorts.
#[test]
fn everyone_and_ratios_under_noise() {
    let mut random = StdRng::seed_from_u64(22);
    for (p, q, n, m, law) in [
        (0.35, 0.25, 300u64, 700u64, Law::Laplace(0.2)),
        (0.35, 0.25, 300, 700, Law::Laplace(1.0)),
        // The shares differ so much that the error of the cohort's share of everyone counts.
        (0.9, 0.2, 300, 300, Law::Laplace(0.1)),
        (0.2, 0.9, 300, 300, Law::Laplace(0.1)),
        (0.9, 0.2, 1000, 200, Law::Gaussian(200.0)),
    ] {
        let all = (p * n as f64 + q * m as f64) / (n + m) as f64;
        let noise = law.noise();
        let (runs, mut covered) = (4000u32, [0u32; 4]);
        for _ in 0..runs {
            let metric = "true-positive-rate";
            let (a, b) = (released(metric, n, p, &law, &mut random), released(metric, m, q, &law, &mut random));
            let mut both = a;
            for label in 0..3 {
                (0..3).for_each(|decision| both.cells[label][decision] += b.cells[label][decision]);
            }
            let everyone = sample(metric, &both, &noise);
            let cohorts = [sample(metric, &a, &noise), sample(metric, &b, &noise)];
            let of = |comparison, against| {
                contrast(comparison, against, &cohorts, &everyone, Some(1), 0.95)[0].measured.clone()
            };
            for (slot, (comparison, against, truth)) in covered.iter_mut().zip([
                (Comparison::Difference, Against::Overall, p - all),
                (Comparison::Ratio, Against::Overall, p / all),
                (Comparison::Difference, Against::Reference, p - q),
                (Comparison::Ratio, Against::Reference, p / q),
            ]) {
                // Undefined in few of 1,000 runs, where noise leaves no positive share to divide by.
                *slot += u32::from(of(comparison, against).estimate().is_none_or(|of| of.interval.contains(truth)));
            }
        }
        // 93 % is 5.8 standard errors below 95 %.
        println!("{p} of {n}, {q} of {m}, {law:?}: {covered:?} of {runs}");
        assert!(covered.iter().all(|&c| f64::from(c) >= 0.93 * f64::from(runs)), "{law:?}: {covered:?} of {runs}");
    }
}

/// Three equal rows per unit and the design effect 3.
#[test]
fn units_of_several_rows_under_noise() {
    let mut random = StdRng::seed_from_u64(23);
    let law = Law::Laplace(0.2);
    let noise = Noise { design_effect: 3.0, ..law.noise() };
    let (runs, mut with, mut without) = (4000u32, 0u32, 0u32);
    for _ in 0..runs {
        let yes = 3 * Binomial::new(100, 0.3).unwrap().sample(&mut random) as i64;
        let cell = |n: i64, random: &mut StdRng| Cell::noisy(n + law.draw(random));
        let numerator = cell(yes, &mut random);
        let share = Share { numerator, denominator: numerator + cell(300 - yes, &mut random) };
        let holds =
            |noise: &Noise| Sample::noisy_share(&share, noise).measure(0.95).estimate().unwrap().interval.contains(0.3);
        with += u32::from(holds(&noise));
        without += u32::from(holds(&law.noise()));
    }
    assert!(f64::from(with) >= 0.93 * f64::from(runs), "{with} of {runs}");
    assert!(f64::from(without) < 0.85 * f64::from(runs), "without the design effect {without} of {runs}");
}

/// Figures of the four cells. Of 500 runs 95 % have a standard error of 1 %, the mean over all 36 lines one of 0.16 %; where noise is as
/// large as the cells (50 true positives, noise of 14) the percentiles hold 90 %.
#[test]
fn the_bootstrap_of_noisy_cells_covers() {
    let mut random = StdRng::seed_from_u64(24);
    let laws =
        [(300u64, Law::Laplace(0.5)), (300, Law::Laplace(1.0)), (1000, Law::Laplace(0.1)), (1000, Law::Gaussian(50.0))];
    let mut all = Vec::new();
    for (n, law) in laws {
        for composite in &COMPOSITES {
            for p in [[0.25, 0.1, 0.15, 0.5], [0.05, 0.03, 0.05, 0.87], [0.45, 0.03, 0.02, 0.5]] {
                let truth = (composite.of)(p).unwrap();
                let lower = if composite.card.id == "matthews-correlation" { -1.0 } else { 0.0 };
                let mut score = Score::default();
                for _ in 0..500 {
                    let (mut left, mut rest) = (n, 1.0);
                    let cells = p.map(|share| {
                        let k = Binomial::new(left, f64::min(share / rest, 1.0)).unwrap().sample(&mut random);
                        left -= k;
                        rest -= share;
                        Cell::noisy(k as i64 + law.draw(&mut random))
                    });
                    let point = (composite.of)(cells.map(|cell| cell.n as f64));
                    let replicates = noisy_bootstrap(cells, &law.noise(), &mut random, 300, composite.of);
                    let sample = Sample::noisy_bootstrapped(point, replicates, 300, n as i64, (lower, 1.0));
                    score.add(&sample.kept(0.95, WIDTH_MAX * (1.0 - lower)).measure(0.95), truth);
                }
                let (coverage, width) = (score.coverage(), score.width / score.shown);
                println!(
                    "| {} {truth:.3} | {n} | {law:?} | {} | {coverage:.3} | {width:.3} |",
                    composite.card.id,
                    score.shown / 500.0
                );
                assert!(coverage >= 0.90, "{} of {n} rows, {law:?}: {coverage}", composite.card.id);
                all.push(coverage);
            }
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!((0.94..=0.98).contains(&mean), "{mean}");
}

/// Means of noisy sums, and against everyone. 93.2 % of 3,000 runs is 4.5 standard errors below 95 %.
#[test]
fn means_of_noisy_sums_cover() {
    let mut random = StdRng::seed_from_u64(25);
    for (n, variance) in [(100usize, 2.0f64), (300, 50.0), (1000, 800.0), (3000, 800.0)] {
        let law = Law::Laplace((2.0 / variance).sqrt());
        let (runs, mut covered, mut overall) = (3000u32, 0u32, 0u32);
        for _ in 0..runs {
            let mut part = |n: usize, power: i32| {
                let (mut sum, mut squares) = (0.0, 0.0);
                for _ in 0..n {
                    let z = random.random::<f64>().powi(power);
                    sum += z;
                    squares += z * z;
                }
                let mut noisy = |x: f64| x + law.draw(&mut random) as f64;
                let (n, sum, squares) = (noisy(n as f64), noisy(sum), noisy(squares));
                NoisyMean { n, sum, squares, draws: 1.0, noise: law.noise(), scale: 1.0 }
            };
            let (a, b) = (part(n, 2), part(n, 1));
            let all = NoisyMean { n: a.n + b.n, sum: a.sum + b.sum, squares: a.squares + b.squares, draws: 2.0, ..a };
            let (a, all) = (a.sample(0.95), all.sample(0.95));
            covered += u32::from(a.measure(0.95).estimate().is_some_and(|e| e.interval.contains(1.0 / 3.0)));
            let against = contrast(Comparison::Difference, Against::Overall, &[a], &all, None, 0.95);
            overall += u32::from(against[0].measured.estimate().is_some_and(|e| e.interval.contains(-1.0 / 12.0)));
        }
        let least = f64::from(covered.min(overall)) / f64::from(runs);
        assert!(least >= 0.932, "{n} rows, variance {variance}: {covered} and {overall} of {runs}");
    }
}

/// Tables of `tests/cases/noise.md`.
#[test]
fn worked_by_hand() {
    let text = include_str!("../../../tests/cases/noise.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.trim_end_matches(" |").split(" | ").collect()))
        .collect();
    let number = |text: &str| text.parse::<f64>().unwrap();
    let share = |a: i64, d: i64, variance: f64, design_effect: f64| {
        let noise = Noise { variance, laplace: false, design_effect };
        Sample::noisy_share(
            &Share { numerator: Cell::noisy(a), denominator: Cell::noisy(a) + Cell::noisy(d - a) },
            &noise,
        )
    };
    let same = |measured: &Measured, row: &[&str]| {
        let estimate = measured.estimate().unwrap();
        let found = [estimate.point, estimate.interval.lower.unwrap(), estimate.interval.upper.unwrap()];
        found.iter().zip(row).for_each(|(found, row)| assert!((found - number(row)).abs() < 1e-12, "{found} {row}"));
    };
    let mut compared = 0;
    for row in rows {
        if let Ok(a) = row[0].parse::<i64>() {
            let (d, variance, units) = (row[1].parse().unwrap(), number(row[2]), number(row[3]));
            same(&share(a, d, variance, units).measure(0.95), &row[4..]);
            compared += 1;
        } else if row[0] == "difference" || row[0] == "ratio" {
            let pair = [share(12, 40, 8.0, 1.0), share(30, 60, 8.0, 1.0)];
            let comparison = if row[0] == "ratio" { Comparison::Ratio } else { Comparison::Difference };
            same(&contrast(comparison, Against::Reference, &pair, &pair[0], Some(1), 0.95)[0].measured, &row[1..]);
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

/// Laplace tails: P(|X| > x) = exp(-sqrt(2) x / s). In between, the tail of the sum by numerical convolution.
#[test]
fn critical_values_of_the_sum_of_normal_and_laplace() {
    let cut = Cut::of(normal(0.95), 1.0);
    assert!((cut.at(1.0) - 20f64.ln() / std::f64::consts::SQRT_2).abs() < 1e-9 && cut.at(0.0) == normal(0.95));
    for (confidence, tail) in [(0.95, 0.3), (0.95, 0.7), (0.999, 0.5), (0.9999, 0.02), (0.6, 0.4)] {
        let x = Cut::of(normal(confidence), 1.0).at(tail);
        let (sigma, scale, step) = ((1.0 - tail).sqrt(), (tail / 2.0).sqrt(), 1e-4);
        // P(normal > x - y) over the Laplace density of y.
        let tail: f64 = (-200_000..200_000)
            .map(|i| (f64::from(i) + 0.5) * step)
            .map(|y| above((x - y) / sigma) * (-y.abs() / scale).exp() / (2.0 * scale) * step)
            .sum();
        assert!((2.0 * tail / (1.0 - confidence) - 1.0).abs() < 2e-3, "{confidence} {tail}: {x}");
    }
}

#[test]
fn noise_that_exceeds_the_cohort() {
    let noise = Law::Laplace(0.1).noise();
    let share = |a: i64, b: i64| Share { numerator: Cell::noisy(a), denominator: Cell::noisy(a) + Cell::noisy(b) };
    let undefined = Measured::Undefined { why: Why::NoiseExceedsCohort };
    assert_eq!(Sample::noisy_share(&share(-5, 3), &noise).measure(0.95), undefined);
    assert_eq!(Sample::noisy_share(&share(0, 0), &noise).measure(0.95), undefined);
    assert_eq!(Sample::noisy_share(&share(9, 12), &noise).measure(0.95), undefined, "the set has no end");
    let wide = Sample::noisy_share(&share(40, 40), &noise);
    assert!(wide.measure(0.95).estimate().is_some());
    assert_eq!(wide.clone().kept(0.95, 0.5).measure(0.95), undefined, "too wide");
    let sharp = Sample::noisy_share(&share(400, 400), &noise);
    let pair = [sharp.clone(), wide.kept(0.95, 0.5)];
    for (comparison, at) in [(Comparison::Difference, 0), (Comparison::Ratio, 1)] {
        let of = contrast(comparison, Against::Reference, &pair, &sharp, Some(1 - at), 0.95);
        assert_eq!(of[0].measured, undefined);
    }
    // Noise has carried it below 0: shown as 0, with the interval of 0.
    let below = Sample::noisy_share(&share(-30, 900), &noise).measure(0.95);
    let estimate = below.estimate().unwrap();
    assert!(estimate.point == 0.0 && estimate.interval.lower == Some(0.0) && estimate.interval.upper.unwrap() > 0.03);
}

proptest! {
    /// Without noise it is Wilson's interval; with more it is wider; the point is inside; another confidence is asked for later.
    #[test]
    fn the_score_interval_grows_with_noise(a in 0i64..200, b in 1i64..200, variance in 0.0f64..9.0, confidence in 0.6f64..0.999, laplace: bool) {
        let share = Share { numerator: Cell::noisy(a), denominator: Cell::noisy(a) + Cell::noisy(b) };
        let of = |variance: f64| Sample::noisy_share(&share, &Noise { variance, laplace, design_effect: 1.0 });
        let exact = wilson(a as f64 / (a + b) as f64, (a + b) as f64, normal(confidence));
        let none = of(0.0).measure(confidence).estimate().unwrap().interval;
        prop_assert!((none.lower.unwrap() - exact.lower.unwrap()).abs() < 1e-9 && (none.upper.unwrap() - exact.upper.unwrap()).abs() < 1e-9);
        if let Some(estimate) = of(variance).measure(confidence).estimate() {
            prop_assert!(estimate.interval.contains(estimate.point));
            prop_assert_eq!(&estimate.at(confidence), estimate);
            let (wide, narrow) = (estimate.at(0.9995).interval, estimate.interval);
            prop_assert!(wide.lower <= narrow.lower && wide.upper >= narrow.upper);
            if !laplace {
                prop_assert!(narrow.lower.unwrap() <= none.lower.unwrap() + 1e-9 && narrow.upper.unwrap() >= none.upper.unwrap() - 1e-9);
            }
        }
    }

    /// Every comparison contains its point, and swapping the two negates the difference.
    #[test]
    fn comparisons_of_noisy_shares(a in -9i64..60, b in 1i64..200, c in -9i64..60, d in 1i64..200, variance in 0.1f64..9.0, laplace: bool) {
        let noise = Noise { variance, laplace, design_effect: 2.0 };
        let share = |a: i64, b: i64| Share { numerator: Cell::noisy(a), denominator: Cell::noisy(a) + Cell::noisy(b) };
        let of = |a: i64, b: i64| Sample::noisy_share(&share(a, b), &noise);
        let (x, y, all) = (of(a, b), of(c, d), Sample::noisy_share(&(share(a, b) + share(c, d)), &noise));
        for comparison in [Comparison::Difference, Comparison::Ratio] {
            for against in [Against::WorstPair, Against::Highest, Against::Overall, Against::Reference] {
                for compared in contrast(comparison, against, &[x.clone(), y.clone()], &all, Some(0), 0.9) {
                    if let Some(estimate) = compared.measured.estimate() {
                        let (lower, upper) = (estimate.interval.lower.unwrap_or(-1e9), estimate.interval.upper.unwrap_or(1e9));
                        prop_assert!(lower - 1e-9 <= estimate.point && estimate.point <= upper + 1e-9, "{comparison} {against} {estimate:?}");
                        prop_assert!(estimate.method.is_noisy() && lower < upper, "{estimate:?}");
                        prop_assert_eq!(&estimate.at(0.9), estimate);
                    }
                }
            }
        }
        let difference = |pair: [Sample; 2]| contrast(Comparison::Difference, Against::Reference, &pair, &all, Some(1), 0.9)[0].measured.clone();
        if let (Some(forth), Some(back)) = (difference([x.clone(), y.clone()]).estimate(), difference([y, x]).estimate()) {
            prop_assert!((forth.interval.lower.unwrap() + back.interval.upper.unwrap()).abs() < 1e-9);
        }
    }
}

/// Half a million pairs of noisy cohorts, two ends each.
#[test]
fn the_worst_pair_of_a_thousand_noisy_cohorts() {
    let noise = Law::Laplace(0.5).noise();
    let share =
        |i: i64| Share { numerator: Cell::noisy(i % 7 + 40), denominator: Cell::noisy(i % 7 + 40) + Cell::noisy(90) };
    let cohorts: Vec<Sample> =
        (0..1000).map(|i| Sample::noisy_share(&share(i), &noise).kept(0.95, WIDTH_MAX)).collect();
    let worst = contrast(Comparison::Difference, Against::WorstPair, &cohorts, &cohorts[0], None, 0.95);
    let estimate = worst[0].measured.estimate().unwrap();
    assert!((estimate.point - (46.0 / 136.0 - 40.0 / 130.0)).abs() < 1e-12 && estimate.interval.contains(0.0));
}

#[test]
fn student_scales_the_critical_value() {
    let cut = Cut::of(normal(0.95), student(0.95, 30.0) / normal(0.95));
    assert!((cut.at(0.0) - student(0.95, 30.0)).abs() < 1e-12);
}
