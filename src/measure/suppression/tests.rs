//! An attacker who solves for what was withheld: everything published is a set of linear equations in the cells of the finest table; the
//! greatest and the least value of a withheld count under them (and no count below zero) are found by the simplex method.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::estimate::Measured;
use crate::evidence::{Evidence, Released};
use crate::measure::{Measurement, Subject, measure};
use crate::metric::{Confusion, RATES};
use crate::plan::spec::{Format, Spec};
use crate::scan::Source;
use crate::statistic::{Cell, Histogram, Moments, Statistic};

const LIMIT: i64 = 5;

#[test]
fn a_small_cell_hides_its_layer_and_what_would_give_it_away() {
    // sex, race, sex x race; the joint table of sex x race is not clean, that of sex is.
    let sets = vec![vec![], vec![0], vec![1], vec![0, 1]];
    let clean = vec![[true; 4], [true; 4], [true, true, false, false], [true, false, false, false]];
    let shown = choose(&sets, &clean);
    assert_eq!(shown, [[true; 4], [true; 4], [false; 4], [false; 4]]);
    let none = choose(&sets, &[[true; 4], [true, false, true, false], [true, true, true, false], [false; 4]]);
    assert_eq!(none[1], [true, false, false, false]);
    assert_eq!(none[3], [false; 4]);
    assert_eq!(choose(&sets, &[[true; 4]; 4]), [[true; 4]; 4]);
}

fn plan(across: &str) -> Plan {
    let text = format!(
        r#"
        [pipeline]
        name = "attack"
        [ingest]
        path = "a.csv"
        [schema.age]
        roles = ["protected"]
        levels = ["o", "y"]
        [schema.race]
        roles = ["protected"]
        levels = ["a", "b", "c"]
        [schema.sex]
        roles = ["protected"]
        levels = ["f", "m"]
        [schema.y]
        roles = ["target"]
        positive = "1"
        [schema.pred]
        roles = ["prediction"]
        positive = "1"
        [measure]
        across = {across}
        suppress_below = {LIMIT}
        replicates = 5
        "#
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let paths = vec!["a.csv".into()];
    let source =
        Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false };
    Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap()
}

fn published(plan: &Plan, table: &Tally) -> Measurement {
    let statistics = BTreeMap::from([("measure/table".into(), Statistic::Tally(table.clone()))]);
    let released = Released::new(Evidence { statistics }, Vec::new());
    measure(plan, &Subject::given(plan), &released).unwrap()
}

/// The codes of a cell: attributes, label, decision.
type Codes = Vec<u32>;

/// Equations in the cells of the finest table: coefficient per cell, and the sum.
struct Equations {
    cells: Vec<Codes>,
    rows: Vec<(Vec<i64>, f64)>,
}

impl Equations {
    fn add(&mut self, coefficient: impl Fn(&Codes) -> i64, sum: f64) {
        let row = (self.cells.iter().map(coefficient).collect(), sum);
        if !self.rows.contains(&row) {
            self.rows.push(row);
        }
    }
}

/// Positions of a set's attributes, by their names.
fn positions(plan: &Plan, names: &[std::sync::Arc<str>]) -> Vec<usize> {
    names.iter().map(|name| plan.attributes.iter().position(|attribute| attribute.name == *name).unwrap()).collect()
}

fn inside(plan: &Plan, set: &[usize], levels: &[(std::sync::Arc<str>, std::sync::Arc<str>)], codes: &Codes) -> bool {
    set.iter().zip(levels).all(|(&at, (_, level))| plan.attributes[at].level(codes[at]) == *level)
}

/// Everything published, as equations.
fn equations(plan: &Plan, table: &Tally, measurement: &Measurement) -> Equations {
    let every = Tally::new(table.sizes.clone());
    let count: u64 = table.sizes.iter().map(|&size| u64::from(size)).product();
    let mut all = Equations { cells: (0..count).map(|code| every.codes(code)).collect(), rows: Vec::new() };
    let labels = plan.attributes.len();
    all.add(|_| 1, measurement.rows_measured as f64);
    for published in &measurement.cohorts {
        let set = positions(plan, &published.across);
        for row in &published.rows {
            let of = |codes: &Codes| inside(plan, &set, &row.cohort.pairs, codes);
            row.n.iter().for_each(|n| all.add(|codes| of(codes).into(), *n as f64));
            for (value, n) in row.labels.iter().flatten().enumerate() {
                all.add(|codes| (of(codes) && codes[labels] == value as u32).into(), *n as f64);
            }
            for (value, n) in row.decisions.iter().flatten().enumerate() {
                all.add(|codes| (of(codes) && codes[labels + 1] == value as u32).into(), *n as f64);
            }
            for (label, joint) in row.joint.iter().flatten().enumerate() {
                for (decision, n) in joint.iter().enumerate() {
                    all.add(
                        |codes| (of(codes) && codes[labels..] == [label as u32, decision as u32]).into(),
                        *n as f64,
                    );
                }
            }
        }
    }
    for reading in &measurement.readings {
        let set = positions(plan, &reading.across);
        let (Measured::Estimated(estimate), Some(rate)) =
            (&reading.measured, RATES.iter().find(|rate| rate.card.id == &*reading.metric))
        else {
            continue;
        };
        if reading.contrast.is_some() {
            // Comparisons of cohorts whose counts are published add nothing; of others there must be none.
            let rows = measurement.cohorts.iter().find(|published| published.across == reading.across).unwrap();
            assert!(
                rows.rows.iter().all(|row| row.n.is_some() && shown(row, Layer::of(rate.card.needs))),
                "{reading:?}"
            );
            continue;
        }
        let share = |codes: &Codes| {
            let mut one = Confusion::default();
            one.add(codes[labels], codes[labels + 1], Cell::rows(1));
            (rate.of)(&one)
        };
        let of = |codes: &Codes| i64::from(inside(plan, &set, &reading.cohort.pairs, codes));
        all.add(|codes| of(codes) * share(codes).denominator.n, estimate.support.n as f64);
        all.add(|codes| of(codes) * share(codes).numerator.n, (estimate.point * estimate.support.n as f64).round());
    }
    all
}

fn shown(row: &crate::audit::CohortRow, layer: Layer) -> bool {
    match layer {
        Layer::Rows => row.n.is_some(),
        Layer::Labels => row.labels.is_some(),
        Layer::Decisions => row.decisions.is_some(),
        Layer::Joint => row.joint.is_some(),
    }
}

/// Least and greatest sum of some cells. Cells that no equation tells apart are one variable.
fn range(equations: &Equations, target: &dyn Fn(&Codes) -> bool) -> (f64, f64) {
    let mut groups: BTreeMap<Vec<i64>, (bool, bool)> = BTreeMap::new();
    for (at, codes) in equations.cells.iter().enumerate() {
        let column = equations.rows.iter().map(|(row, _)| row[at]).collect();
        let (any, all) = groups.entry(column).or_insert((false, true));
        *any |= target(codes);
        *all &= target(codes);
    }
    let columns: Vec<&Vec<i64>> = groups.keys().collect();
    let matrix: Vec<Vec<f64>> =
        (0..equations.rows.len()).map(|i| columns.iter().map(|column| column[i] as f64).collect()).collect();
    let sums: Vec<f64> = equations.rows.iter().map(|(_, sum)| *sum).collect();
    let greatest =
        maximum(&matrix, &sums, &groups.values().map(|(any, _)| f64::from(u8::from(*any))).collect::<Vec<_>>());
    let least =
        -maximum(&matrix, &sums, &groups.values().map(|(_, all)| -f64::from(u8::from(*all))).collect::<Vec<_>>());
    (least, greatest)
}

/// Greatest c x with A x = b, x >= 0, b >= 0: simplex in two phases, Bland's rule.
fn maximum(a: &[Vec<f64>], b: &[f64], c: &[f64]) -> f64 {
    let (m, n) = (a.len(), c.len());
    // Columns: variables, one artificial per row, the right-hand side.
    let mut tableau: Vec<Vec<f64>> = (0..m)
        .map(|i| a[i].iter().copied().chain((0..m).map(|j| f64::from(u8::from(i == j)))).chain([b[i]]).collect())
        .collect();
    let mut basis: Vec<usize> = (n..n + m).collect();
    let artificial: Vec<f64> = (0..n + m).map(|j| if j < n { 0.0 } else { -1.0 }).collect();
    assert!(
        pivot_to_optimum(&mut tableau, &mut basis, &artificial, n + m).abs() < 1e-6,
        "what was published has a solution"
    );
    for i in 0..m {
        if basis[i] >= n
            && let Some(j) = (0..n).find(|&j| tableau[i][j].abs() > 1e-7)
        {
            pivot(&mut tableau, &mut basis, i, j);
        }
    }
    let costs: Vec<f64> = c.iter().copied().chain(std::iter::repeat_n(0.0, m)).collect();
    pivot_to_optimum(&mut tableau, &mut basis, &costs, n)
}

fn pivot_to_optimum(tableau: &mut [Vec<f64>], basis: &mut [usize], costs: &[f64], columns: usize) -> f64 {
    let last = costs.len();
    loop {
        let reduced =
            |j: usize| costs[j] - basis.iter().zip(tableau.iter()).map(|(&k, row)| costs[k] * row[j]).sum::<f64>();
        let Some(enter) = (0..columns).find(|&j| !basis.contains(&j) && reduced(j) > 1e-7) else { break };
        let ratio = |i: usize| tableau[i][last] / tableau[i][enter];
        let rows = (0..basis.len()).filter(|&i| tableau[i][enter] > 1e-7);
        let leave = rows
            .min_by(|&i, &j| ratio(i).total_cmp(&ratio(j)).then(basis[i].cmp(&basis[j])))
            .expect("counts are bounded");
        pivot(tableau, basis, leave, enter);
    }
    basis.iter().zip(tableau.iter()).map(|(&k, row)| costs[k] * row[last]).sum()
}

fn pivot(tableau: &mut [Vec<f64>], basis: &mut [usize], leave: usize, enter: usize) {
    let scale = tableau[leave][enter];
    tableau[leave].iter_mut().for_each(|x| *x /= scale);
    let row = tableau[leave].clone();
    for (i, other) in tableau.iter_mut().enumerate() {
        let factor = other[enter];
        if i != leave && factor != 0.0 {
            other.iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
        }
    }
    basis[leave] = enter;
}

/// A table of which a share of the cells has rows, few of them few rows; with rows of unknown race, label and decision when `unknown`.
fn draw(plan: &Plan, random: &mut StdRng, filled: f64, small: f64, unknown: bool) -> Tally {
    let mut sizes: Vec<u32> = plan.attributes.iter().map(crate::cohort::Attribute::codes).collect();
    sizes.extend([3, 3]);
    let mut table = Tally::new(sizes.clone());
    for code in 0..sizes.iter().map(|&size| u64::from(size)).product() {
        let codes = table.codes(code);
        let outcome = sizes.len() - 2;
        let known = codes
            .iter()
            .zip(&sizes)
            .enumerate()
            .all(|(at, (&c, &size))| if at < outcome { c + 2 < size } else { c < 2 });
        let n = match (known, random.random_bool(if known { filled } else { 0.02 })) {
            (true, true) if random.random_bool(small) => random.random_range(1..LIMIT),
            (true, true) => random.random_range(LIMIT..3 * LIMIT),
            (false, true) if unknown => random.random_range(1..2 * LIMIT),
            _ => 0,
        };
        if n > 0 {
            table.add(&codes, Cell::rows(n));
        }
    }
    table
}

/// The counts of withheld tables that are small, each with the cells it is the sum of.
fn withheld(plan: &Plan, table: &Tally, measurement: &Measurement) -> Vec<(i64, Vec<(usize, u32)>)> {
    let labels = plan.attributes.len();
    let mut targets = Vec::new();
    for published in &measurement.cohorts {
        let set = positions(plan, &published.across);
        for (layer, more) in [
            (Layer::Rows, &[][..]),
            (Layer::Labels, &[labels]),
            (Layer::Decisions, &[labels + 1]),
            (Layer::Joint, &[labels, labels + 1]),
        ] {
            if published.rows.iter().all(|row| shown(row, layer)) {
                continue;
            }
            let axes: Vec<usize> = set.iter().chain(more).copied().collect();
            let margin = table.marginal(&axes);
            for (&code, cell) in margin.cells.iter().filter(|(_, cell)| 0 < cell.n && cell.n < LIMIT) {
                targets.push((cell.n, axes.iter().copied().zip(margin.codes(code)).collect()));
            }
        }
    }
    targets
}

#[test]
fn nothing_withheld_is_bounded_to_a_range_narrower_than_the_limit() {
    let mut random = StdRng::seed_from_u64(21);
    let (mut attacked, mut silent, mut open) = (0, 0, 0);
    for across in [
        r#"[["sex"], ["race"], ["sex", "race"]]"#,
        r#"[["sex", "race"]]"#,
        r#"[["sex"], ["age"]]"#,
        r#"[["race"], ["sex", "age"]]"#,
        r#"[["sex", "age"], ["race", "age"], ["sex", "race"]]"#,
    ] {
        let plan = plan(across);
        for trial in 0..60 {
            let (filled, small) = ([0.15, 0.4, 0.8, 1.0][trial % 4], [0.01, 0.03, 0.1][trial % 3]);
            let table = draw(&plan, &mut random, filled, small, trial % 5 == 0);
            if table.total().n < LIMIT {
                // The number of rows that were measured is published whatever it is.
                continue;
            }
            let measurement = published(&plan, &table);
            let targets = withheld(&plan, &table, &measurement);
            open += usize::from(targets.is_empty());
            silent += usize::from(measurement.cohorts[1..].iter().flat_map(|t| &t.rows).all(|row| row.n.is_none()));
            if targets.is_empty() {
                continue;
            }
            let equations = equations(&plan, &table, &measurement);
            for (n, cells) in targets.iter().step_by(targets.len().div_ceil(3).max(1)) {
                let (least, greatest) =
                    range(&equations, &|codes| cells.iter().all(|&(axis, code)| codes[axis] == code));
                assert!(
                    least <= *n as f64 + 1e-6 && *n as f64 <= greatest + 1e-6,
                    "the attack is right: {least} {n} {greatest}"
                );
                assert!(
                    greatest - least >= LIMIT as f64 - 1e-6,
                    "{across}: {n} is known to be from {least} to {greatest}"
                );
                attacked += 1;
            }
        }
    }
    assert!(
        attacked >= 200 && open >= 100 && silent <= 100,
        "{attacked} attacks, {open} tables without small counts, {silent} silent reports"
    );
}

/// The attack finds a cell that was hidden alone, beside the margins it can be subtracted from.
#[test]
fn the_attack_finds_a_cell_hidden_alone() {
    let cells: Vec<Codes> = (0..4).map(|i| vec![i / 2, i % 2]).collect();
    let mut equations = Equations { cells, rows: Vec::new() };
    let table = [[2, 40], [30, 50]];
    for i in 0..2u32 {
        equations.add(|codes| (codes[0] == i).into(), f64::from(table[i as usize][0] + table[i as usize][1]));
        equations.add(|codes| (codes[1] == i).into(), f64::from(table[0][i as usize] + table[1][i as usize]));
    }
    let (least, greatest) = range(&equations, &|codes| codes[..] == [0, 0]);
    assert!((least - 0.0).abs() < 1e-9 && (greatest - 32.0).abs() < 1e-9, "margins alone: {least} {greatest}");
    equations.add(|codes| (codes[..] == [1, 1]).into(), 50.0);
    let (least, greatest) = range(&equations, &|codes| codes[..] == [0, 0]);
    assert!((least - 2.0).abs() < 1e-9 && (greatest - 2.0).abs() < 1e-9, "with one more cell: {least} {greatest}");
}

/// Two cohorts of a hundred rows; a score is missing in a few rows of one of them.
#[test]
fn a_score_missing_in_few_rows_is_not_given_away() {
    let mut plan = plan(r#"[["sex"]]"#);
    plan.score = Some(crate::scalar::Scalar::column("s"));
    let scored = |missing: u32| {
        let mut table = Tally::new(vec![4, 3, 3]);
        let mut histogram = Histogram { sizes: vec![4, 3], bins: None, groups: BTreeMap::new() };
        for (sex, label, decision) in (0..8).map(|i| (i / 4, i / 2 % 2, i % 2)) {
            table.add(&[sex, label, decision], Cell::rows(25));
            let counts = histogram.groups.entry(u64::from(3 * sex + label)).or_default();
            let rows = 25 - if (sex, label, decision) == (0, 0, 0) { missing } else { 0 };
            (0..rows).for_each(|i| counts.add_number(f64::from(i % 10) / 10.0, 1, None));
        }
        let losses = Moments { sizes: vec![4], scale_bits: 40, groups: BTreeMap::new() };
        let statistics = [
            ("measure/table", Statistic::Tally(table)),
            ("measure/score", Statistic::Histogram(histogram)),
            ("measure/loss", Statistic::Moments(losses)),
        ];
        let statistics = statistics.into_iter().map(|(name, statistic)| (name.into(), statistic)).collect();
        let released = Released::new(Evidence { statistics }, Vec::new());
        let measurement = measure(&plan, &Subject::given(&plan), &released).unwrap();
        let of = |metric: &str| {
            measurement.readings.iter().filter(|r| &*r.metric == metric).all(|r| r.measured == Measured::Suppressed)
        };
        assert_eq!(measurement.notes.iter().any(|note| note.starts_with("Few rows have no score")), of("roc-auc"));
        (of("roc-auc"), of("accuracy"))
    };
    assert_eq!([0, 1, 4, 5].map(scored), [(false, false), (true, false), (true, false), (false, false)]);
}
