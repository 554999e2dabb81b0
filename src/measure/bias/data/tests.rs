//! Worked tables (`tests/cases/data.md`), properties, and simulations of what claims a rate of error.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use super::table::{self, FOLDS, Table};
use super::*;
use crate::audit::bias::Figure;
use crate::audit::bias::data::DataBias;
use crate::demand::{Axis, Shape};
use crate::evidence::{Evidence, Released};
use crate::measure::{Measurement, measure};
use crate::plan::spec::{Format, Spec};
use crate::scan::Source;
use crate::statistic::{Cell, Moments, Statistic, Tally};

fn plan(text: &str) -> Plan {
    let head = r#"
        [pipeline]
        name = "rows"
        [ingest]
        path = "a.csv"
        [schema.race]
        roles = ["protected"]
        levels = ["a", "b", "c"]
        [schema.x]
        roles = ["feature"]
        levels = ["p", "q", "r", "s"]
        [schema.z]
        roles = ["feature"]
        bounds = [-4, 4]
    "#;
    let spec: Spec = toml::from_str(&format!("{head}\n{text}")).unwrap();
    let paths = vec!["a.csv".into()];
    let source =
        Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false };
    Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap()
}

const REFERENCE: &str = "[measure.data.reference]\nrace = { a = 0.25, b = 0.5, c = 0.25 }";

/// Evidence of rows by race code, all values there, no column but race telling anything.
fn released(plan: &Plan, rows: &[i64], missing: &dyn Fn(&str, u32) -> i64) -> Released {
    let mut statistics: BTreeMap<Arc<str>, Statistic> = BTreeMap::new();
    for demand in crate::measure::demands(plan, &Subject::given(plan)) {
        let statistic = match &demand.shape {
            Shape::Tally { axes, .. } => {
                let mut tally = Tally::new(axes.iter().map(Axis::size).collect());
                for (code, &n) in rows.iter().enumerate() {
                    let code = code as u32;
                    let mut cell = |codes: &[u32], n: i64| {
                        let mut codes = codes.to_vec();
                        codes.resize(axes.len(), 0);
                        if n > 0 {
                            tally.add(&codes, Cell::rows(n));
                        }
                    };
                    match demand.name.strip_prefix("measure/missing/") {
                        Some(column) => {
                            let lacking = missing(column, code);
                            cell(&[code, 1], lacking);
                            cell(&[code, 0], n - lacking);
                        }
                        None => cell(&[code, 0], n),
                    }
                }
                Statistic::Tally(tally)
            }
            Shape::Moments { by, .. } => Statistic::Moments(Moments {
                sizes: by.iter().map(Axis::size).collect(),
                scale_bits: 40,
                groups: BTreeMap::new(),
            }),
            _ => panic!("{}", demand.name),
        };
        statistics.insert(demand.name.clone(), statistic);
    }
    Released::new(Evidence { statistics }, Vec::new())
}

fn measured(plan: &Plan, rows: &[i64], missing: &dyn Fn(&str, u32) -> i64) -> Measurement {
    measure(plan, &Subject::given(plan), &released(plan, rows, missing)).unwrap()
}

fn data(measurement: &Measurement) -> &DataBias {
    measurement.bias.data.as_ref().unwrap()
}

#[track_caller]
fn close(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} {expected}");
}

fn ends(figure: &Figure) -> (f64, f64, f64) {
    match figure {
        Figure::Estimated { point, lower, upper, .. } => (*point, lower.unwrap(), upper.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn representation_is_that_of_the_worked_case() {
    let plan = plan(&format!("[measure]\nmetrics = [\"all\"]\n{REFERENCE}"));
    // Race a, b, c, unknown, outside.
    let measurement = measured(&plan, &[30, 50, 20, 25, 0], &|_, _| 0);
    let representation = &data(&measurement).representation[0];
    let a = &representation.cohorts[0];
    let against = a.against.as_ref().unwrap();
    close(ends(&a.share).0, 0.3, 1e-15);
    let (ratio, lower, upper) = ends(&against.ratio);
    close(ratio, 1.2, 1e-15);
    close(lower, 0.875_795_411_797, 1e-11);
    close(upper, 1.583_394_185_334, 1e-11);
    close(ends(&against.difference).0, 0.05, 1e-15);
    close(ends(&representation.unknown).0, 0.2, 1e-15);
    let fit = representation.fit.as_ref().unwrap();
    close(fit.chi_squared.unwrap(), 2.0, 1e-12);
    close(fit.p.unwrap(), (-1.0f64).exp(), 1e-12);
    assert_eq!((fit.degrees, fit.drawn, representation.product), (2, false, false));
    let (total, low, high) = ends(&fit.total_variation);
    close(total, 0.05, 1e-12);
    assert!(low == 0.0 && high > 0.1, "{low} {high}");
    close(ends(&fit.infinity_norm).0, 0.05, 1e-12);
    close(fit.kullback_leibler.unwrap(), 0.010_067_756_78, 1e-10);
    close(fit.jensen_shannon.unwrap(), 0.002_529_694_97, 1e-10);
    close(fit.kullback_leibler_at_equality.unwrap(), 0.01, 1e-15);
    let reading = |id: &str| {
        let of = measurement.readings.iter().filter(|reading| *reading.metric == *id).collect::<Vec<_>>();
        let a = of.iter().find(|reading| reading.cohort.levels() == "a").unwrap();
        (of.len(), a.measured.estimate().unwrap().clone())
    };
    let (count, share) = reading("representation");
    assert_eq!((count, share.support.n), (4, 125), "a, b, c and the unknown, of all rows");
    close(share.point, 0.24, 1e-15);
    let (count, ratio) = reading("representation-ratio");
    assert_eq!(count, 3);
    let at = ratio.at(0.99).interval;
    assert!(at.lower < ratio.interval.lower && at.upper > ratio.interval.upper);
    let p: Vec<f64> =
        representation.cohorts.iter().map(|line| line.against.as_ref().unwrap().p_holm.unwrap()).collect();
    // z = +-.05 / sqrt(.25 x .75 / 100), p = .2482131, Holm: three times, twice, once.
    close(p[0], 3.0 * 0.248_213_078_989_923_2, 1e-9);
    assert_eq!(p[1], 1.0);
    assert_eq!(p[0], p[2]);
}

#[test]
fn without_a_population_there_are_shares_only() {
    let plan = plan("[measure.data]\nproxies = false");
    let measurement = measured(&plan, &[30, 50, 20, 0, 0], &|_, _| 0);
    let representation = &data(&measurement).representation[0];
    assert!(representation.fit.is_none() && representation.cohorts.iter().all(|line| line.against.is_none()));
    assert!(data(&measurement).proxies.is_empty());
    assert!(measurement.readings.iter().all(|reading| !reading.metric.starts_with("representation")));
    assert!(!demands(&plan, &Subject::default()).iter().any(|demand| demand.name.starts_with("measure/prox")));
}

#[test]
fn a_rare_level_is_tested_by_drawn_tables() {
    let plan = plan(&REFERENCE.replace("a = 0.25, b = 0.5", "a = 0.01, b = 0.74"));
    let measurement = measured(&plan, &[5, 70, 25, 0, 0], &|_, _| 0);
    let fit = data(&measurement).representation[0].fit.clone().unwrap();
    assert!(fit.drawn && fit.p.unwrap() < 0.02, "{fit:?}");
}

#[test]
fn missing_values_are_those_of_the_worked_case() {
    let plan = plan("[measure.data]\nproxies = false");
    let missing = |column: &str, code: u32| if column == "x" { [10, 4, 0, 0, 0][code as usize] } else { 0 };
    let measurement = measured(&plan, &[100, 100, 0, 7, 0], &missing);
    let data = data(&measurement);
    assert_eq!((data.missing.len(), data.complete), (1, 2));
    let x = &data.missing[0];
    let (gap, lower, upper) = ends(&x.worst_pair);
    close(gap, 0.06, 1e-15);
    assert!(lower == 0.0 && upper > 0.1, "{lower} {upper}");
    assert_eq!((x.most.as_deref(), x.least.as_deref()), (Some("a"), Some("b")));
    close(ends(&x.everyone).0, 14.0 / 207.0, 1e-15);
    close(x.p.unwrap(), independence::tail(2.764_976_958_525_345_5, 1), 1e-12);
    assert_eq!(x.p, x.p_adjusted);
    assert_eq!(x.cohorts.len(), 4, "the unknown are shown");
}

#[test]
fn below_the_publication_limit_nothing_is_shown_that_is_finer() {
    let text = "[measure]\nsuppress_below = 5\n[measure.data.reference]\nrace = { a = 0.25, b = 0.5, c = 0.25 }";
    let plan = plan(text);
    let missing = |column: &str, code: u32| if column == "x" { [10, 4, 0, 0, 0][code as usize] } else { 0 };
    let measurement = measured(&plan, &[100, 100, 90, 0, 0], &missing);
    let shown = data(&measurement);
    assert!(shown.representation[0].fit.as_ref().unwrap().chi_squared.is_some());
    let x = &shown.missing[0];
    assert!(x.cohorts.iter().all(|cohort| cohort.share == Figure::Suppressed));
    assert_eq!((&x.worst_pair, &x.everyone, x.p, &x.most), (&Figure::Suppressed, &Figure::Suppressed, None, &None));
    // Three rows of c: its count is withheld, and with it everything that is of its level.
    let measurement = measured(&plan, &[100, 100, 3, 0, 0], &missing);
    let hidden = data(&measurement);
    let text = serde_json::to_string(hidden).unwrap();
    assert!(!text.contains("\"estimated\""), "{text}");
    let fit = hidden.representation[0].fit.as_ref().unwrap();
    assert_eq!((fit.chi_squared, fit.kullback_leibler), (None, None));
}

#[test]
fn hostile_rows_have_reasons_and_no_panic() {
    let plan = plan(&format!("[measure]\nmetrics = [\"all\"]\n{REFERENCE}"));
    for rows in [[0; 5], [100, 0, 0, 0, 0], [0, 0, 0, 50, 0], [0, 0, 0, 0, 9], [1, 1, 1, 0, 0]] {
        let measurement = measured(&plan, &rows, &|_, code| rows[code as usize]);
        let data = data(&measurement);
        serde_json::to_string(data).unwrap();
        for proxies in &data.proxies {
            assert!(proxies.columns.iter().all(|column| !column.found));
            assert!(proxies.together.reason.is_some());
        }
    }
}

fn flat(cells: &[&[i64]]) -> Vec<Vec<i64>> {
    cells.iter().map(|row| row.to_vec()).collect()
}

#[test]
fn associations_are_those_of_the_worked_case() {
    let table = flat(&[&[70, 30], &[90, 10]]);
    let (v, u) = table::association(&table).unwrap();
    close(v, 0.240_343_819_38, 1e-10);
    close(u, 0.043_178_110_88, 1e-10);
    let tested = independence::independence(&table, &mut StdRng::seed_from_u64(1)).unwrap();
    close(tested.statistic, 12.5, 1e-12);
    let (h, df) = table::kruskal_wallis(&flat(&[&[2, 1], &[1, 2]])).unwrap();
    close(h, 5.0 / 9.0, 1e-12);
    assert_eq!(df, 1);
    close(table::correlation_ratio(&flat(&[&[2, 1], &[1, 2]]), &[0.0, 1.0]).unwrap(), 1.0 / 9.0, 1e-12);
    assert_eq!(table::association(&flat(&[&[5, 0], &[7, 0]])), None);
    assert_eq!(table::kruskal_wallis(&flat(&[&[5, 0], &[7, 0]])), None);
    assert_eq!(table::correlation_ratio(&flat(&[&[5, 0], &[7, 0]]), &[1.0, 2.0]), None);
}

proptest! {
    /// Figures stay within their ranges; the order of levels changes none.
    #[test]
    fn associations_keep_their_range(cells in proptest::collection::vec(proptest::collection::vec(0i64..40, 3), 2..5)) {
        let mut turned = cells.clone();
        turned.reverse();
        match (table::association(&cells), table::association(&turned)) {
            (Some((v, u)), Some((v2, u2))) => {
                prop_assert!((0.0..=1.0).contains(&v) && (0.0..=1.0).contains(&u));
                prop_assert!((v - v2).abs() < 1e-9 && (u - u2).abs() < 1e-9);
            }
            (a, b) => prop_assert_eq!(a, b),
        }
        let tested = independence::independence(&cells, &mut StdRng::seed_from_u64(7));
        prop_assert!(tested.is_none_or(|tested| (0.0..=1.0).contains(&tested.p) && tested.statistic >= 0.0));
    }

    /// Drawn counts keep their number; total variation of a distribution from itself is zero.
    #[test]
    fn drawn_counts_keep_their_number(n in 0u64..500, shares in proptest::collection::vec(0.01f64..1.0, 2..6)) {
        let sum: f64 = shares.iter().sum();
        let shares: Vec<f64> = shares.iter().map(|share| share / sum).collect();
        let drawn = independence::multinomial(n, &shares, &mut StdRng::seed_from_u64(n));
        prop_assert_eq!(drawn.iter().sum::<u64>(), n);
    }
}

/// A tally of level, code and fold of rows that are drawn one by one.
fn drawn(
    sizes: [u32; 2],
    folds: bool,
    rows: usize,
    random: &mut StdRng,
    row: &dyn Fn(&mut StdRng) -> (u32, u32),
) -> Tally {
    let mut tally = Tally::new(sizes.into_iter().chain(folds.then_some(FOLDS)).collect());
    for _ in 0..rows {
        let (level, code) = row(random);
        let fold = random.random_range(0..FOLDS);
        let codes: Vec<u32> = [level, code].into_iter().chain(folds.then_some(fold)).collect();
        tally.add(&codes, Cell::rows(1));
    }
    tally
}

fn level(random: &mut StdRng) -> u32 {
    [0, 0, 0, 0, 0, 1, 1, 1, 2, 2][random.random_range(0..10)]
}

/// Position of a normal number among 200 bins of [-4, 4].
fn bin(value: f64) -> u32 {
    ((value + 4.0) / 8.0 * 200.0).clamp(0.0, 199.0) as u32
}

fn normal(random: &mut StdRng) -> f64 {
    StandardNormal.sample(random)
}

/// Proxies of race with x and z drawn by a rule, without the joint figure.
fn proxies_of(
    plan: &Plan,
    rows: usize,
    random: &mut StdRng,
    x: &dyn Fn(&mut StdRng, u32) -> u32,
    z: &dyn Fn(&mut StdRng, u32) -> f64,
) -> Vec<crate::audit::bias::data::Proxy> {
    let mut released = released(plan, &[400, 240, 160, 0, 0], &|_, _| 0);
    let mut statistics = BTreeMap::new();
    for demand in proxies::demands(plan) {
        let Shape::Tally { axes, .. } = &demand.shape else { panic!() };
        let sizes = [axes[0].size(), axes[1].size()];
        let tally = drawn(sizes, axes.len() > 2, rows, random, &|random| {
            let level = level(random);
            (level, if demand.name.ends_with(".x") { x(random, level) } else { bin(z(random, level)) })
        });
        statistics.insert(demand.name.clone(), Statistic::Tally(tally));
    }
    released.extend(Released::new(Evidence { statistics }, Vec::new()));
    let measurement = measure(plan, &Subject::given(plan), &released).unwrap();
    measurement.bias.data.unwrap().proxies.remove(0).columns
}

/// 400 tables without a relation: the chance that any column is called a proxy is 5 %; of 400 a count above 42 has a chance below 1e-6, and
/// so have fewer than 359 intervals that hold one half. The same with rows that count as dependent, where p-values are those of the jackknife.
#[test]
fn columns_that_tell_nothing_stay_silent_at_the_stated_rate() {
    for (unit, most) in [("", 42), ("[schema.id]\nroles = [\"privacy-unit\"]", 42)] {
        let plan = plan(&format!("[measure.data]\n{unit}"));
        let mut random = StdRng::seed_from_u64(20);
        let (mut any, mut areas, mut inside) = (0, Vec::new(), 0);
        for _ in 0..400 {
            let columns = proxies_of(&plan, 800, &mut random, &|random, _| random.random_range(0..4), &|random, _| {
                normal(random)
            });
            any += usize::from(columns.iter().any(|column| column.found));
            let x = columns.iter().find(|column| !column.numeric).unwrap();
            let (area, lower, upper) = ends(&x.auc);
            areas.push(area);
            inside += usize::from(lower <= 0.5 && 0.5 <= upper);
        }
        assert!(any <= most, "{any} of 400");
        // All three levels hold one half at once with 95 %, the best of them too.
        assert!(inside >= 359, "{inside} of 400");
        println!("silent: any {any} inside {inside}");
    }
}

/// A text that differs by level, a number that is shifted: found each time, with intervals that hold the true area.
#[test]
fn planted_proxies_are_found_and_intervals_hold_their_areas() {
    let plan = plan("[measure.data]");
    let mut random = StdRng::seed_from_u64(21);
    // x = p with 70 % in level c, else 30 %: rest of the codes alike. AUC of c: .5 + (.7 - .3) / 2 = .7. z: shifted by 1 in c.
    let x = |random: &mut StdRng, level: u32| {
        let share = if level == 2 { 0.7 } else { 0.3 };
        if random.random::<f64>() < share { 0 } else { random.random_range(1..4) }
    };
    let z = |random: &mut StdRng, level: u32| normal(random) + if level == 2 { 1.0 } else { 0.0 };
    let area_z = 0.5 * statrs::function::erf::erfc(-0.5);
    let (mut hold_x, mut hold_z) = (0, 0);
    for _ in 0..200 {
        let columns = proxies_of(&plan, 800, &mut random, &x, &z);
        for column in &columns {
            assert!(column.found && column.level.as_deref() == Some("c"), "{column:?}");
            let (_, lower, upper) = ends(&column.auc);
            let truth = if column.numeric { area_z } else { 0.7 };
            let held = usize::from(lower - column.binning <= truth && truth <= upper + column.binning);
            if column.numeric { hold_z += held } else { hold_x += held }
        }
        assert_eq!(columns.iter().find(|column| column.numeric).unwrap().greater, Some(true));
    }
    println!("planted: {hold_x} {hold_z} of 200");
    // Of 95 % of 200, 174 or fewer have a chance below 1e-6.
    assert!(hold_x >= 175 && hold_z >= 175, "{hold_x} {hold_z}");
}

/// The figure of the worked case, and moments of drawn rows.
#[test]
fn together_columns_tell_what_their_moments_say() {
    close(joint::area([[100.0, 60.0, 36.0 + 0.04 * 99.0], [100.0, 40.0, 16.0 + 0.04 * 99.0]]), 0.760_249_94, 1e-8);
    let mut random = StdRng::seed_from_u64(22);
    let (mut held, mut loud, mut negative) = (0, 0, 0);
    for _ in 0..200 {
        // One column shifted by 1, three of noise; the truth is Phi(1 / sqrt 2).
        let (all, levels) = joint::simulated(1000, 4, &mut random, &|random, level| {
            (0..4).map(|i| normal(random) + if level == 1 && i == 0 { 1.0 } else { 0.0 }).collect()
        });
        let (_, lower, upper) = ends(&levels[0].0);
        held += usize::from(lower <= 0.760_25 && 0.760_25 <= upper);
        assert!(lower > 0.5 && ends(&all).1 > 0.0);
        let (all, levels) =
            joint::simulated(1000, 4, &mut random, &|random, _| (0..4).map(|_| normal(random)).collect());
        loud += usize::from(levels.iter().any(|(auc, _)| ends(auc).1 > 0.5));
        negative += usize::from(ends(&all).0 < 0.0);
    }
    println!("joint: held {held} loud {loud} negative {negative} of 200");
    // Of 95 % of 200 fewer than 173 have a chance below 1e-6, of 5 % more than 27.
    assert!(held >= 173, "{held}");
    assert!(loud <= 27, "{loud}");
    assert!(negative > 100, "{negative}");
}

#[test]
fn a_constant_and_a_repeated_column_change_nothing() {
    let mut random = StdRng::seed_from_u64(23);
    let draw = |random: &mut StdRng, level: u32| vec![normal(random) + f64::from(level), 0.25, 0.0];
    let (_, once) = joint::simulated(500, 3, &mut random, &draw);
    let mut random = StdRng::seed_from_u64(23);
    let twice = |random: &mut StdRng, level: u32| {
        let x = normal(random) + f64::from(level);
        vec![x, x, 0.5 * x - 0.25]
    };
    let (_, twice) = joint::simulated(500, 3, &mut random, &twice);
    close(ends(&once[0].0).0, ends(&twice[0].0).0, 1e-9);
}

/// Tables and counts drawn under equality: p-values below 5 % come up in at most 5 %, drawn ones too.
#[test]
fn p_values_keep_their_rate() {
    let mut random = StdRng::seed_from_u64(24);
    for share in [0.3, 0.01] {
        let mut rejected = 0;
        for _ in 0..1000 {
            let row = |n: u64, random: &mut StdRng| {
                independence::multinomial(n, &[share, 1.0 - share], random).iter().map(|&n| n as i64).collect()
            };
            let table: Vec<Vec<i64>> = [150, 80, 40].iter().map(|&n| row(n, &mut random)).collect();
            let tested = independence::independence(&table, &mut random);
            rejected += usize::from(tested.is_some_and(|tested| tested.p <= 0.05));
        }
        // 5 % of 1000 is 50; above 85 has a chance below 1e-6.
        assert!(rejected <= 85, "{share}: {rejected}");
        println!("rejected {rejected} of 1000 at {share}");
    }
}

#[test]
fn tables_take_rare_columns_together() {
    let cells = flat(&[&[50, 1, 2, 47], &[10, 0, 1, 9]]);
    assert_eq!(table::frequent(&cells), [1, 0, 0, 2]);
    assert_eq!(table::grouped(&cells, &[1, 0, 0, 2]), [[3, 50, 47], [1, 10, 9]]);
    assert_eq!(table::tenths(&flat(&[&[1; 20]]))[..4], [0, 0, 1, 1]);
    let tally = Tally::new(vec![5, 3, FOLDS]);
    assert_eq!(Table::of(&tally, &[0, 1], 2).flat(), [[0, 0], [0, 0]]);
}

/// Weighted rows: shares by weight, errors by the jackknife, Pearson's statistic over the mean design effect. With all weights equal and one
/// row in each bucket and level the figures are near those of independent rows.
#[test]
fn weights_and_buckets_reach_shares_and_tests() {
    let text = format!(
        "[schema.id]\nroles = [\"privacy-unit\"]\n[schema.w]\nroles = [\"weight\"]\n{REFERENCE}\n[measure]\nmetrics = [\"all\"]"
    );
    let plan =
        plan(&text.replace("[measure.data.reference]", "[measure.data]\nproxies = false\n[measure.data.reference]"));
    let mut released = released(&plan, &[0; 5], &|_, _| 0);
    let mut random = StdRng::seed_from_u64(40);
    let mut statistics = BTreeMap::new();
    let rows: Vec<(u32, u32, bool)> =
        (0..4000).map(|i| (level(&mut random), i % 200, random.random_range(0..20) == 0)).collect();
    for demand in crate::measure::demands(&plan, &Subject::given(&plan)) {
        let Shape::Tally { axes, .. } = &demand.shape else { panic!("{}", demand.name) };
        let mut tally = Tally::new(axes.iter().map(Axis::size).collect());
        for (level, bucket, lacking) in &rows {
            // Level a twice as heavy.
            let w = (1 << 20) * if *level == 0 { 2 } else { 1 };
            let cell = Cell { n: 1, w, ww: w * w, draws: 0 };
            match demand.name.starts_with("measure/missing/") {
                true => tally.add(&[*level, u32::from(*lacking), *bucket], cell),
                false => tally.add(&[*level, 2, 2, *bucket], cell),
            }
        }
        statistics.insert(demand.name.clone(), Statistic::Tally(tally));
    }
    released.extend(Released::new(Evidence { statistics }, Vec::new()));
    let measurement = measure(&plan, &Subject::given(&plan), &released).unwrap();
    let data = data(&measurement);
    let a = rows.iter().filter(|(level, ..)| *level == 0).count() as f64;
    let (share, lower, upper) = ends(&data.representation[0].cohorts[0].share);
    close(share, 2.0 * a / (a + 4000.0), 1e-12);
    assert!(upper - lower > 0.01 && upper - lower < 0.1, "{lower} {upper}");
    let fit = data.representation[0].fit.as_ref().unwrap();
    assert!(fit.kullback_leibler.is_some() && fit.kullback_leibler_at_equality.is_none(), "{fit:?}");
    let total = ends(&fit.total_variation);
    assert!(fit.p.unwrap() < 1e-6 && total.1 > 0.0 && total.2 < 1.0, "{fit:?}");
    // Nothing about missing values depends on the level.
    assert!(data.missing.iter().all(|values| values.p.unwrap() > 1e-4 && values.worst_pair.point().is_some()));
}

/// 500 levels, most of them rare: only the frequent are told from the rest, and what is too large is not computed and says so.
#[test]
fn five_hundred_levels_are_bounded() {
    let names: Vec<String> = (0..500).map(|i| format!("\"l{i}\"")).collect();
    let text = format!(
        "[pipeline]\nname = \"many\"\n[ingest]\npath = \"a.csv\"\n[schema.town]\nroles = [\"protected\"]\nlevels = [{0}]\n[schema.x]\nroles = [\"feature\"]\nlevels = [{0}]\n[schema.z]\nroles = [\"feature\"]\nbounds = [0, 1]\n[measure.data]",
        names.join(", ")
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let paths = vec!["a.csv".into()];
    let source =
        Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false };
    let plan = Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap();
    let rows: Vec<i64> = (0..502).map(|i| if i < 30 { 100 - i } else { 3 }).collect();
    let measurement = measured(&plan, &rows, &|_, _| 0);
    let data = data(&measurement);
    let town = &data.proxies[0];
    assert_eq!((town.levels.len(), town.levels_left_out), (20, 480));
    assert!(town.together.reason.as_ref().is_some_and(|reason| reason.contains("too many")), "{:?}", town.together);
    assert_eq!(data.representation[0].cohorts.len(), 500);
}
