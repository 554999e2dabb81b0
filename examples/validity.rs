//! What the intervals cover: exactly where all outcomes can be listed, else by 10,000 simulations a point. Ends with 1 on a miss.
//!
//! `make validity` runs it; `tests/cases/coverage.md` holds a smaller part, kept by a test.

use std::process::ExitCode;

use evenhand::estimate::coverage::{HEADING, LEAST, Line, MEAN, comparisons, shares, truths};
use evenhand::estimate::{Measured, Sample, bootstrap_with_halves, contrast};
use evenhand::metric::{Against, COMPOSITES, Comparison};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};

const CONFIDENCE: f64 = 0.95;
const RUNS: u32 = 10_000;
const REPLICATES: u32 = 1000;

fn holds(measured: &Measured, truth: f64) -> bool {
    measured.estimate().is_some_and(|estimate| estimate.interval.contains(truth))
}

fn exact() -> bool {
    println!("{HEADING}");
    let all: Vec<f64> = truths().collect();
    let mut lines = shares(&[30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000, 2000, 3000], CONFIDENCE);
    let rows = [(30, 30), (30, 60), (30, 100), (50, 50), (50, 300), (100, 100), (100, 200), (200, 200), (300, 300)];
    lines.extend(comparisons(&rows, &all, CONFIDENCE));
    lines.iter().for_each(|line| println!("{}", line.text()));
    lines.iter().all(Line::holds)
}

fn share_of(n: u64, p: f64, random: &mut StdRng) -> Sample {
    let x = Binomial::new(n, p).map_or(0, |binomial| binomial.sample(random));
    Sample::Rows { p: x as f64 / n as f64, n: n as i64 }
}

/// The greatest difference and the least ratio of k cohorts, of equal rates and of rates that differ, of equal sizes and of unequal ones.
fn worst_pairs() -> bool {
    println!("\n| worst pair of | sizes | rates | difference | ratio |\n|---|---|---|---|---|");
    let mut kept = true;
    for k in [2usize, 3, 5, 10] {
        for unequal in [false, true] {
            for step in [0.0, 0.02] {
                let sizes: Vec<u64> = (0..k).map(|i| if unequal { 60 + 90 * i as u64 } else { 200 }).collect();
                let rates: Vec<f64> = (0..k).map(|i| 0.3 + step * i as f64).collect();
                let highest = 0.3 + step * (k - 1) as f64;
                let mut random = StdRng::seed_from_u64(100 + k as u64);
                let (mut difference, mut ratio) = (0, 0);
                for _ in 0..RUNS {
                    let cohorts: Vec<Sample> =
                        sizes.iter().zip(&rates).map(|(&n, &p)| share_of(n, p, &mut random)).collect();
                    let worst = |comparison| {
                        let compared =
                            contrast(comparison, Against::WorstPair, &cohorts, &cohorts[0], None, CONFIDENCE);
                        compared[0].measured.clone()
                    };
                    difference += u32::from(holds(&worst(Comparison::Difference), highest - 0.3));
                    ratio += u32::from(holds(&worst(Comparison::Ratio), 0.3 / highest));
                }
                let share = |covered: u32| f64::from(covered) / f64::from(RUNS);
                let (difference, ratio) = (share(difference), share(ratio));
                let (size, rate) =
                    (if unequal { "unequal" } else { "200" }, if step > 0.0 { "unequal" } else { "0.3" });
                println!("| {k} | {size} | {rate} | {difference:.4} | {ratio:.4} |");
                kept &= difference.min(ratio) >= *MEAN.start();
            }
        }
    }
    kept
}

/// Cells of a table of n rows.
fn cells(p: [f64; 4], n: u64, random: &mut StdRng) -> [i64; 4] {
    let (mut rows, mut left) = (n, 1.0);
    p.map(|share| {
        let drawn = Binomial::new(rows, (share / left).clamp(0.0, 1.0)).map_or(0, |b| b.sample(random));
        (rows, left) = (rows - drawn, left - share);
        drawn as i64
    })
}

/// F1, balanced accuracy and Matthews correlation by the bootstrap of their cells.
fn composites() -> bool {
    println!("\n| figure | rows | prevalence | TPR | FPR | coverage |\n|---|---|---|---|---|---|");
    let mut kept = true;
    for composite in &COMPOSITES {
        let mut all = Vec::new();
        for (n, prevalence, tpr, fpr) in [
            (100, 0.3, 0.8, 0.3),
            (100, 0.5, 0.5, 0.3),
            (300, 0.8, 0.2, 0.1),
            (1000, 0.1, 0.2, 0.3),
            (1000, 0.5, 0.95, 0.02),
        ] {
            let p = [
                prevalence * tpr,
                (1.0 - prevalence) * fpr,
                prevalence * (1.0 - tpr),
                (1.0 - prevalence) * (1.0 - fpr),
            ];
            let truth = (composite.of)(p).unwrap_or_default();
            let mut random = StdRng::seed_from_u64(200);
            let covered = (0..RUNS).filter(|_| {
                let cells = cells(p, n, &mut random);
                let point = (composite.of)(cells.map(|cell| cell as f64));
                let replicates = bootstrap_with_halves(cells, &mut random, REPLICATES, composite.of);
                holds(&Sample::bootstrapped(point, replicates, n as i64, -1.0, 1.0).measure(CONFIDENCE), truth)
            });
            let covered = covered.count() as f64 / f64::from(RUNS);
            println!("| {} | {n} | {prevalence} | {tpr} | {fpr} | {covered:.4} |", composite.card.name);
            all.push(covered);
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        println!("| {} | | | | mean | {mean:.4} |", composite.card.name);
        kept &= MEAN.contains(&mean) && all.iter().all(|&covered| covered >= LEAST);
    }
    kept
}

fn main() -> ExitCode {
    let kept = [exact(), worst_pairs(), composites()];
    match kept.iter().all(|kept| *kept) {
        true => ExitCode::SUCCESS,
        false => {
            eprintln!("a bound is missed: exact, worst pair, composites kept: {kept:?}");
            ExitCode::FAILURE
        }
    }
}
