//! What the intervals cover: the exact part against the table that is written down, the rest by a small simulation.
//!
//! `make validity` is the large one.

use evenhand::estimate::coverage::{HEADING, Line, comparisons, shares};
use evenhand::estimate::{Sample, bootstrap_with_halves};
use evenhand::metric::COMPOSITES;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};

fn lines() -> Vec<Line> {
    let coarse: Vec<f64> = (0..13).map(|i| 0.02 + 0.08 * f64::from(i)).collect();
    let mut lines = shares(&[30, 50, 100, 200, 500, 1000, 3000], 0.95);
    lines.extend(comparisons(&[(30, 30), (30, 100), (50, 50), (100, 100)], &coarse, 0.95));
    lines
}

#[test]
fn exact_coverage_is_as_written_and_within_its_bounds() {
    let lines = lines();
    let text = std::iter::once(HEADING.to_string()).chain(lines.iter().map(Line::text)).collect::<Vec<_>>().join("\n");
    let written = include_str!("../cases/coverage.md");
    assert!(written.trim_end().ends_with(&text), "the table is now:\n{text}");
    assert!(lines.iter().all(Line::holds));
    let planted = shares(&[30], 0.85);
    assert!(!planted.iter().all(Line::holds), "intervals of 85 % miss the bounds");
}

/// 600 runs of 400 rows: 543 are five standard errors below 95 % of them.
#[test]
fn figures_of_a_confusion_table_are_covered() {
    let p = [0.25, 0.1, 0.15, 0.5];
    for composite in &COMPOSITES {
        let truth = (composite.of)(p).expect("defined");
        let mut random = StdRng::seed_from_u64(31);
        let mut covered = 0;
        for _ in 0..600 {
            let (mut rows, mut left) = (400u64, 1.0);
            let cells = p.map(|share: f64| {
                let drawn = Binomial::new(rows, (share / left).clamp(0.0, 1.0)).expect("a share").sample(&mut random);
                (rows, left) = (rows - drawn, left - share);
                drawn as i64
            });
            let replicates = bootstrap_with_halves(cells, &mut random, 400, composite.of);
            let point = (composite.of)(cells.map(|cell| cell as f64));
            let measured = Sample::bootstrapped(point, replicates, 400, -1.0, 1.0).measure(0.95);
            covered += i32::from(measured.estimate().expect("a figure").interval.contains(truth));
        }
        assert!(covered >= 543, "{}: {covered} of 600", composite.card.id);
    }
}
