//! The worked examples, the search against brute force, and how often a search is right.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::held_out::fisher;
use super::rows::Column;
use super::*;

const CASES: &str = include_str!("../../../../tests/cases/subgroups.md");

/// The rows of the table under a heading, as numbers.
fn table(heading: &str) -> Vec<Vec<f64>> {
    let after = CASES.split(&format!("## {heading}\n")).nth(1).expect("a heading");
    let lines = after.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let fields = |line: &str| line.trim_matches('|').split('|').map(|field| field.trim().parse().unwrap()).collect();
    lines.skip(2).map(fields).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1e-3)
}

fn question(alpha: f64, rows_min: usize, kept_max: usize) -> Question {
    Question { alpha, rows_min, depth_max: 3, kept_max, counted_max: u64::MAX }
}

fn of_codes(codes: &[Vec<u32>], levels: u32) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (column, own) in codes.iter().enumerate() {
        for code in 0..levels {
            conditions.push(Condition { column, code, rows: Bits::of(own.len(), |row| own[row] == code) });
        }
    }
    conditions
}

#[test]
fn worked_examples() {
    let cases = table("The score");
    assert_eq!(cases.len(), 3);
    for row in cases {
        let [n, wrong, rows, own, alpha, score] = row[..] else { panic!() };
        let inside = |at: usize| (at as f64) < rows;
        let losses = (0..n as usize)
            .map(
                |at| if inside(at) { at as f64 } else { at as f64 - rows } < if inside(at) { own } else { wrong - own },
            )
            .map(|wrong| f64::from(u8::from(wrong)))
            .collect();
        let losses = Losses::of(losses);
        let conditions = vec![Condition { column: 0, code: 0, rows: Bits::of(n as usize, inside) }];
        let best = slices::search(&losses, &conditions, question(alpha, 1, 10)).slices;
        match score > 0.0 {
            true => assert!(near(best[0].score, score), "{}", best[0].score),
            false => assert_eq!(best, []),
        }
        let size = slices::Size { rows: rows as usize, loss: own, most: 1.0 };
        assert!(near(question(alpha, 1, 10).score(&losses, losses.total(), &size), score));
    }
    let cases = table("Fisher's tail");
    assert_eq!(cases.len(), 3);
    for row in cases {
        let [a, n, ones, all] = [0, 1, 2, 3].map(|at| row[at] as u64);
        assert!(near(fisher(a, n, ones, all), row[4]), "{row:?}");
    }
    let cases = table("Holm");
    let adjusted = holm(&cases.iter().map(|row| row[0]).collect::<Vec<_>>());
    assert_eq!(cases.len(), 3);
    assert!(adjusted.iter().zip(&cases).all(|(found, row)| near(*found, row[1])), "{adjusted:?}");
    let cases = table("The likelihood ratio");
    assert_eq!(cases.len(), 2);
    for row in cases {
        let found = likelihood_ratio((row[0] as usize, row[1]), (row[2] as usize, row[3]));
        assert!(near(found, row[4]), "{row:?}: {found}");
    }
}

/// Scores of all conjunctions of at most three conditions, each counted row by row.
fn brute_force(losses: &[f64], codes: &[Vec<u32>], levels: u32, alpha: f64, rows_min: usize) -> Vec<f64> {
    let choices = levels + 1;
    let (n, total) = (losses.len() as f64, losses.iter().sum::<f64>());
    let mut scores = Vec::new();
    for code in 0..choices.pow(codes.len() as u32) {
        let wanted: Vec<u32> = (0..codes.len() as u32).map(|at| code / choices.pow(at) % choices).collect();
        let depth = wanted.iter().filter(|&&code| code < levels).count();
        if depth == 0 || depth > 3 {
            continue;
        }
        let inside = |row: &usize| wanted.iter().zip(codes).all(|(&code, own)| code == levels || own[*row] == code);
        let rows: Vec<usize> = (0..losses.len()).filter(inside).collect();
        let (s, f) = (rows.len() as f64, rows.iter().map(|&row| losses[row]).sum::<f64>());
        let score = alpha * ((f / s) / (total / n) - 1.0) - (1.0 - alpha) * (n / s - 1.0);
        if rows.len() >= rows_min && score > 0.0 {
            scores.push(score);
        }
    }
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]
    /// Nothing is pruned that belongs on the list, whatever its length, for losses of 0 and 1 and for numbers.
    #[test]
    fn the_search_is_that_of_brute_force(
        seed in 0u64..1_000_000, n in 20usize..120, alpha in 0.5f64..1.0, rows_min in 1usize..12, kept in 1usize..40,
        numeric in any::<bool>(),
    ) {
        let mut random = StdRng::seed_from_u64(seed);
        let codes: Vec<Vec<u32>> = (0..4).map(|_| (0..n).map(|_| random.random_range(0..3)).collect()).collect();
        let loss = |random: &mut StdRng| match numeric {
            true => random.random::<f64>().powi(4) * 9.0,
            false => f64::from(u8::from(random.random_bool(0.2))),
        };
        let losses: Vec<f64> = (0..n).map(|_| loss(&mut random)).collect();
        let wanted = brute_force(&losses, &codes, 3, alpha, rows_min);
        let found = slices::search(&Losses::of(losses), &of_codes(&codes, 3), question(alpha, rows_min, kept));
        prop_assert!(found.complete);
        prop_assert_eq!(found.slices.len(), wanted.len().min(kept));
        for (slice, score) in found.slices.iter().zip(&wanted) {
            prop_assert!((slice.score - score).abs() < 1e-9, "{} {}", slice.score, score);
        }
    }
}

#[test]
fn a_short_list_is_found_without_counting_everything() {
    let mut random = StdRng::seed_from_u64(5);
    let codes: Vec<Vec<u32>> = (0..8).map(|_| (0..3000).map(|_| random.random_range(0..4)).collect()).collect();
    let share = |row: usize| if codes[0][row] == 1 && codes[3][row] == 2 { 0.6 } else { 0.1 };
    let losses: Vec<f64> = (0..3000).map(|row| f64::from(u8::from(random.random_bool(share(row))))).collect();
    let (losses, conditions) = (Losses::of(losses), of_codes(&codes, 4));
    let few = slices::search(&losses, &conditions, question(0.95, 30, 1));
    let all = slices::search(&losses, &conditions, question(0.95, 30, 1_000_000));
    assert_eq!(few.slices[0], all.slices[0]);
    assert!(10 * few.counted < 6 * all.counted, "{} of {}", few.counted, all.counted);
    let given_up = slices::search(&losses, &conditions, Question { counted_max: 10, ..question(0.95, 30, 1) });
    assert!(!given_up.complete);
}

/// What is planted: conditions on the first columns, and the share of errors in it and elsewhere.
struct World {
    rows: usize,
    columns: usize,
    levels: u32,
    depth: usize,
    inside: f64,
    outside: f64,
    /// Rows of one unit, which share columns and outcome.
    of_unit: usize,
}

fn draw(world: &World, seed: u64) -> Rows {
    let mut random = StdRng::seed_from_u64(seed);
    let mut codes = vec![Vec::new(); world.columns];
    let mut rows = Rows { columns: Vec::new(), searched: Vec::new(), bucket: Vec::new(), outcomes: Vec::new() };
    for _ in 0..world.rows / world.of_unit {
        let own: Vec<u32> = (0..world.columns).map(|_| random.random_range(0..world.levels)).collect();
        let planted = own.iter().take(world.depth).all(|&code| code == 1);
        let wrong = random.random_bool(if planted && world.depth > 0 { world.inside } else { world.outside });
        let (searched, bucket, label) = (random.random(), random.random_range(0..BUCKETS), random.random_bool(0.5));
        for _ in 0..world.of_unit {
            codes.iter_mut().zip(&own).for_each(|(codes, &code)| codes.push(code));
            rows.searched.push(searched);
            rows.bucket.push(bucket);
            let decision = Some(label != wrong);
            let target = Some(random.random::<f64>());
            let prediction = target.map(|target| target + random.random::<f64>() * if wrong { 2.0 } else { 1.0 });
            rows.outcomes.push(Outcomes { label: Some(label), decision, target, prediction });
        }
    }
    let column = |(at, codes): (usize, Vec<u32>)| Column {
        conditions: (0..world.levels).map(|level| format!("x{at} = {level}")).collect(),
        codes,
    };
    rows.columns = codes.into_iter().enumerate().map(column).collect();
    rows
}

fn searched(rows: &Rows, of: Loss, (limit, dependent): (usize, bool)) -> Search {
    let spec: Spec = toml::from_str("rows_min = 20").unwrap();
    let protocol = Protocol { confidence: 0.95, limit, dependent };
    Searched { protocol, spec: &spec, rows, of }.search()
}

const NOTHING: World = World { rows: 400, columns: 3, levels: 3, depth: 0, inside: 0.2, outside: 0.2, of_unit: 1 };

/// Runs in which something was reported.
fn alarms(world: &World, of: Loss, dependent: bool, runs: u64) -> usize {
    let found = |seed: &u64| !searched(&draw(world, *seed), of, (0, dependent)).found.is_empty();
    (0..runs).filter(found).count()
}

/// At most 1 in 20 runs; that so many more or more are counted where it is exactly that has a chance below 1e-6 (5 standard errors).
fn at_most_one_in_twenty(alarms: usize, runs: f64) -> bool {
    alarms as f64 <= 0.05 * runs + 5.0 * (0.05 * 0.95 * runs).sqrt()
}

#[test]
fn with_nothing_to_find_a_search_is_silent() {
    for (name, world, of, dependent, runs) in [
        ("errors", NOTHING, Loss::Error, false, 1000),
        ("false positives", World { rows: 800, ..NOTHING }, Loss::FalsePositive, false, 400),
        ("absolute errors", NOTHING, Loss::AbsoluteError, false, 400),
        ("errors of units of four rows", World { rows: 2400, of_unit: 4, ..NOTHING }, Loss::Error, true, 300),
    ] {
        let count = alarms(&world, of, dependent, runs);
        println!("{name}: {count} of {runs} runs report a subgroup where there is none");
        assert!(at_most_one_in_twenty(count, runs as f64), "{name}: {count} of {runs}");
    }
}

/// Were rows of units taken for independent, the same data would raise alarms far more often.
#[test]
fn units_are_not_taken_for_rows() {
    let world = World { rows: 2400, of_unit: 4, ..NOTHING };
    let (rows, units) = (alarms(&world, Loss::Error, false, 150), alarms(&world, Loss::Error, true, 150));
    println!("alarms of 150: {rows} by rows, {units} by units");
    assert!(rows > 30 && units < rows / 2, "{rows} {units}");
}

#[test]
fn what_is_planted_is_found() {
    for (depth, rows, found_min) in [(1, 2000, 95), (2, 4000, 95), (3, 8000, 90)] {
        let world = World { rows, columns: 5, levels: 3, depth, inside: 0.4, outside: 0.1, of_unit: 1 };
        let planted: Vec<String> = (0..depth).map(|at| format!("x{at} = 1")).collect();
        let (mut found, mut others) = (0, 0);
        for seed in 0..100 {
            let search = searched(&draw(&world, 1000 + seed), Loss::Error, (0, false));
            let is = |of: &Found| of.conditions == planted;
            found += usize::from(search.found.iter().any(is));
            others += search.found.iter().filter(|of| !is(of)).count();
        }
        println!("depth {depth}, {rows} rows: found in {found} of 100 runs, {others} others reported");
        assert!(found >= found_min, "depth {depth}: {found}");
        assert!(others <= 20, "depth {depth}: {others} besides the planted");
    }
}

#[test]
fn what_is_reported_reads_as_a_sentence_with_its_figures() {
    let world = World { rows: 4000, columns: 3, levels: 3, depth: 2, inside: 0.5, outside: 0.1, of_unit: 1 };
    let search = searched(&draw(&world, 3), Loss::Error, (0, false));
    let first = &search.found[0];
    assert_eq!(first.conditions, ["x0 = 1", "x1 = 1"]);
    assert!(first.sentence.starts_with("x0 = 1 and x1 = 1: ") && first.sentence.contains("on held-out rows; look at"));
    let (Figure::Estimated { point, n, .. }, Figure::Estimated { point: elsewhere, n: others, .. }) =
        (&first.inside, &first.outside)
    else {
        panic!()
    };
    assert_eq!(Some(n + others), search.rows_tested);
    let Figure::Estimated { point: difference, lower: Some(lower), .. } = first.difference else { panic!() };
    assert!((difference - (point - elsewhere)).abs() < 1e-12 && lower > 0.0);
    assert!(first.p_adjusted.unwrap() >= first.p.unwrap() && first.likelihood_ratio.unwrap() > 0.0);
    let found = findings(&Subgroups {
        columns: Vec::new(),
        depth_max: 3,
        alpha: 0.95,
        confidence: 0.95,
        searches: vec![search.clone()],
        notes: Vec::new(),
    });
    assert_eq!(
        (&*found[0].code, found[0].level, found[0].verdict),
        ("subgroup/error/x0 = 1 and x1 = 1", Level::Warn, Verdict::Breached)
    );
    assert!(found[0].measured.as_ref().is_some_and(|measured| measured.estimate().is_some()));
}

#[test]
fn small_counts_are_withheld() {
    let world = World { rows: 4000, columns: 3, levels: 3, depth: 2, inside: 0.5, outside: 0.1, of_unit: 1 };
    let rows = draw(&world, 3);
    let open = searched(&rows, Loss::Error, (0, false));
    let wide = searched(&rows, Loss::Error, (50, false));
    assert_eq!((wide.rows_searched, wide.rows_tested, wide.overall, wide.rows_min), (None, None, None, 100));
    assert!(open.found[0].p.is_some() && !wide.found.is_empty());
    // About 110 held-out rows of the subgroup are wrong and right together 220: each count reaches 50, none reaches 150.
    assert!(matches!(wide.found[0].inside, Figure::Estimated { .. }) && wide.found[0].score.is_none());
    let closed = searched(&rows, Loss::Error, (115, false));
    for found in &closed.found {
        assert_eq!((&found.inside, &found.difference, found.p), (&Figure::Suppressed, &Figure::Suppressed, None));
        assert!(found.sentence.contains("figures are withheld") && !found.sentence.contains('%'));
    }
    assert!(!closed.found.is_empty());
}

#[test]
fn hostile_rows_end_in_a_reason() {
    for (rows, levels) in [(0, 1), (1, 1), (39, 2)] {
        let search = searched(&draw(&World { rows, levels, ..NOTHING }, 1), Loss::Error, (0, false));
        assert!(search.not_searched.is_some(), "{rows}");
    }
    // One level, five hundred levels, no errors, nothing but errors.
    for (levels, share) in [(1, 0.2), (500, 0.2), (3, 0.0), (3, 1.0)] {
        let world = World { rows: 1000, levels, outside: share, ..NOTHING };
        for of in [Loss::Error, Loss::FalsePositive, Loss::NotSelected, Loss::SquaredError] {
            let search = searched(&draw(&world, 2), of, (0, false));
            assert!(search.not_searched.is_none() && search.found.is_empty(), "{levels} {share} {of:?}");
        }
    }
    let mut rows = draw(&NOTHING, 1);
    rows.outcomes.iter_mut().for_each(|row| *row = Outcomes { prediction: Some(f64::INFINITY), ..Outcomes::default() });
    assert!(searched(&rows, Loss::AbsoluteError, (0, false)).not_searched.is_some());
}

/// 100,000 rows, ten columns, three conditions.
#[test]
fn a_large_search_ends() {
    let rows = 100_000;
    let world = World { rows, columns: 10, levels: 5, depth: 2, inside: 0.3, outside: 0.1, of_unit: 1 };
    let drawn = draw(&world, 9);
    let search = searched(&drawn, Loss::Error, (0, false));
    println!("{rows} rows: {} combinations counted", search.counted);
    assert_eq!(search.found[0].conditions, ["x0 = 1", "x1 = 1"]);
    // Where size counts for nothing nearly every combination is counted.
    let spec: Spec = toml::from_str("rows_min = 20\nalpha = 1.0").unwrap();
    let protocol = Protocol { confidence: 0.95, limit: 0, dependent: false };
    let search = Searched { protocol, spec: &spec, rows: &drawn, of: Loss::Error }.search();
    println!("{rows} rows: {} combinations counted where size counts for nothing", search.counted);
    assert!(search.counted > 15_000 && search.found.iter().any(|found| found.conditions == ["x0 = 1", "x1 = 1"]));
}
