//! The worked examples of `tests/cases/syntactic.md`, thresholds at their values, and what merging keeps.

use proptest::prelude::*;

use super::*;
use crate::deidentify::hierarchy::Hierarchy;
use crate::deidentify::lattice::Search;
use crate::deidentify::risk::{Risk, risk};
use crate::deidentify::utility::Objective;
use crate::statistic::{Cell, Tally};

const CASES: &str = include_str!("../../../tests/cases/syntactic.md");

/// The tables of a section: the fields of every row, heading first.
fn tables(section: &str) -> Vec<Vec<Vec<&str>>> {
    let mut tables: Vec<Vec<Vec<&str>>> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        if line.starts_with('|') && !line.starts_with("|---") {
            if !inside {
                tables.push(Vec::new());
            }
            tables.last_mut().unwrap().push(line.trim_matches('|').split('|').map(str::trim).collect());
        }
        inside = line.starts_with('|');
    }
    tables
}

fn code(text: &str) -> u32 {
    u32::from(["m", "old"].contains(&text))
}

/// Classes over sex (f, m), age (young, old) and illness (flu, cold, hiv), each axis with unknown and outside.
fn classes(rows: &[Vec<&str>]) -> Classes {
    let (mut sample, mut population) = (Tally::new(vec![4, 4, 5]), Tally::new(vec![4, 4]));
    for row in &rows[1..] {
        let key = [code(row[0]), code(row[1])];
        let counts: Vec<i64> = row[3..6].iter().map(|count| count.parse().unwrap()).collect();
        assert_eq!(counts.iter().sum::<i64>(), row[2].parse::<i64>().unwrap());
        for (value, &count) in counts.iter().enumerate() {
            sample.add(&[key[0], key[1], value as u32], Cell::rows(count));
        }
        population.add(&key, Cell::rows(row[6].parse().unwrap()));
    }
    Classes::of(&sample, 2).unwrap().with_population(&population).unwrap()
}

fn criterion(name: &str) -> Criterion {
    match name {
        "k-anonymity" => Criterion::KAnonymity { k: 1 },
        "k-map" => Criterion::KMap { k: 1 },
        "alpha" => Criterion::AlphaK { alpha: 1.0, k: 1 },
        "distinct-l" => Criterion::DistinctDiversity { l: 1 },
        "entropy-l" => Criterion::EntropyDiversity { l: 1.0 },
        "recursive-2" => Criterion::RecursiveDiversity { c: 1.0, l: 2 },
        "recursive-3" => Criterion::RecursiveDiversity { c: 1.0, l: 3 },
        "t-equal" => Criterion::Closeness { t: 1.0, distance: Distance::Equal },
        "t-ordered" => Criterion::Closeness { t: 1.0, distance: Distance::Ordered },
        "delta" => Criterion::DeltaDisclosure { delta: 1.0, absent: Absent::Refused },
        "delta-skipping" => Criterion::DeltaDisclosure { delta: 1.0, absent: Absent::Skipped },
        "basic-beta" => Criterion::BasicBeta { beta: 1.0 },
        "enhanced-beta" => Criterion::EnhancedBeta { beta: 1.0 },
        other => panic!("{other}"),
    }
}

/// The criterion with its parameter moved to a value, or beyond it to where it must no longer hold.
fn at(criterion: Criterion, value: f64, beyond: bool) -> Criterion {
    let (up, down) = if beyond { (value + 0.5, value - 1e-9) } else { (value, value + 1e-9) };
    let whole = up.ceil() as u64;
    match criterion {
        Criterion::KAnonymity { .. } => Criterion::KAnonymity { k: whole },
        Criterion::KMap { .. } => Criterion::KMap { k: whole },
        Criterion::DistinctDiversity { .. } => Criterion::DistinctDiversity { l: whole },
        Criterion::EntropyDiversity { .. } => Criterion::EntropyDiversity { l: up },
        Criterion::AlphaK { k, .. } => Criterion::AlphaK { alpha: down, k },
        Criterion::RecursiveDiversity { l, .. } => Criterion::RecursiveDiversity { c: down, l },
        Criterion::Closeness { distance, .. } => Criterion::Closeness { t: down, distance },
        Criterion::DeltaDisclosure { absent, .. } => Criterion::DeltaDisclosure { delta: down, absent },
        Criterion::BasicBeta { .. } => Criterion::BasicBeta { beta: down },
        Criterion::EnhancedBeta { .. } => Criterion::EnhancedBeta { beta: down },
    }
}

fn near(found: Option<f64>, written: &str, what: &str) {
    match written {
        "undefined" => assert_eq!(found, None, "{what}"),
        number => {
            let (found, number) = (found.expect(what), number.parse::<f64>().unwrap());
            assert!((found - number).abs() <= 1e-12 * number.abs().max(1e-3), "{what}: {found}, not {number}");
        }
    }
}

fn named(risk: &Risk, name: &str) -> Option<f64> {
    let journalist = risk.journalist.as_ref().unwrap();
    Some(match name {
        "prosecutor-max" => risk.prosecutor_max,
        "prosecutor-mean" => risk.prosecutor_mean,
        "prosecutor-class-mean" => risk.prosecutor_class_mean,
        "at-risk-0.3" => risk.at_risk[0],
        "at-risk-0.35" => risk.at_risk[1],
        "sample-uniques" => risk.sample_uniques,
        "journalist-max" => journalist.max,
        "journalist-mean" => journalist.mean,
        "journalist-at-risk-0.3" => journalist.at_risk[0],
        "population-uniques" => journalist.population_uniques,
        other => panic!("{other}"),
    })
}

#[test]
fn worked_by_hand() {
    let mut compared = 0;
    for section in CASES.split("\n## ").skip(1) {
        let tables = tables(section);
        let classes = classes(&tables[0]);
        let reference = classes.reference();
        for row in &tables[1][1..] {
            let attained = criterion(row[0]).attained(&classes, &reference);
            near(attained.value, row[2], row[0]);
            if let Some(value) = attained.value {
                assert!(at(criterion(row[0]), value, false).attained(&classes, &reference).holds, "{}", row[0]);
                assert!(!at(criterion(row[0]), value, true).attained(&classes, &reference).holds, "{}", row[0]);
            } else {
                assert!(!at(criterion(row[0]), 1e9, false).attained(&classes, &reference).holds, "{}", row[0]);
            }
            compared += 1;
        }
        let risk = risk(&classes, &[0.3, 0.35]).unwrap();
        for row in &tables[2][1..] {
            near(named(&risk, row[0]), row[2], row[0]);
            compared += 1;
        }
        for row in tables.get(3).into_iter().flat_map(|table| &table[1..]) {
            near(Some(loss(&classes, row[0], row[1].parse().unwrap())), row[3], row[0]);
            compared += 1;
        }
    }
    assert_eq!(compared, 13 + 10 + 8 + 12 + 8);
}

/// The loss when sex is suppressed: the age has one level only, so that nothing else is left to the search.
fn loss(classes: &Classes, objective: &str, k: u64) -> f64 {
    let text = |texts: [&str; 2]| texts.map(std::sync::Arc::from).to_vec();
    let hierarchies =
        [Hierarchy::identity("sex", &text(["f", "m"])), Hierarchy::identity("age", &text(["young", "old"]))];
    let all =
        [Objective::Granularity, Objective::Discernibility, Objective::AverageClassSize, Objective::NonUniformEntropy];
    let objective = all.into_iter().find(|all| objective == all.name().trim_end_matches(" loss")).unwrap();
    let criteria = [Criterion::KAnonymity { k }];
    let search = Search { hierarchies: &hierarchies, criteria: &criteria, suppression_max: 0.3, objective };
    search.loss_at(classes, &[1, 0])
}

#[test]
fn parameters_without_meaning_are_refused() {
    let classes = classes(&tables(CASES.split("\n## ").nth(1).unwrap())[0]);
    for wrong in [
        Criterion::KAnonymity { k: 0 },
        Criterion::KMap { k: 0 },
        Criterion::AlphaK { alpha: 0.0, k: 2 },
        Criterion::AlphaK { alpha: 1.1, k: 2 },
        Criterion::AlphaK { alpha: 0.5, k: 0 },
        Criterion::AlphaK { alpha: f64::NAN, k: 2 },
        Criterion::DistinctDiversity { l: 0 },
        Criterion::EntropyDiversity { l: 0.5 },
        Criterion::EntropyDiversity { l: f64::NAN },
        Criterion::RecursiveDiversity { c: 2.0, l: 1 },
        Criterion::RecursiveDiversity { c: 0.0, l: 2 },
        Criterion::Closeness { t: -0.1, distance: Distance::Equal },
        Criterion::Closeness { t: f64::NAN, distance: Distance::Equal },
        Criterion::DeltaDisclosure { delta: 0.0, absent: Absent::Refused },
        Criterion::BasicBeta { beta: f64::INFINITY },
        Criterion::EnhancedBeta { beta: 0.0 },
    ] {
        assert!(matches!(wrong.check(&classes), Err(ModelError::Criterion { .. })), "{wrong:?}");
    }
    let bare = Classes::of(&Tally { sizes: vec![3], cells: [(0, Cell::rows(2))].into() }, 1).unwrap();
    for lacking in [Criterion::KMap { k: 2 }, Criterion::DistinctDiversity { l: 2 }, criterion("t-equal")] {
        assert!(matches!(lacking.check(&bare), Err(ModelError::Criterion { .. })), "{lacking:?}");
    }
    assert_eq!(Criterion::KAnonymity { k: 3 }.check(&bare), Ok(()));
}

#[test]
fn rows_without_a_position_have_no_ordered_distance() {
    let mut tally = Tally::new(vec![3, 4]);
    for (cell, n) in [([0, 0], 2), ([0, 1], 2), ([0, 2], 1)] {
        tally.add(&cell, Cell::rows(n));
    }
    let classes = Classes::of(&tally, 1).unwrap();
    let reference = classes.reference();
    assert_eq!(criterion("t-ordered").attained(&classes, &reference), Attained { value: None, holds: false });
    assert_eq!(criterion("t-equal").attained(&classes, &reference).value, Some(0.0));
}

#[test]
fn a_uniform_class_of_l_values_has_entropy_l() {
    for l in 2..=60u32 {
        for rows in [1, 2, 3, 7, 1_000_003] {
            let mut tally = Tally::new(vec![3, l + 2]);
            (0..l).for_each(|value| tally.add(&[0, value], Cell::rows(rows)));
            let classes = Classes::of(&tally, 1).unwrap();
            let entropy = Criterion::EntropyDiversity { l: l.into() };
            assert!(entropy.attained(&classes, &classes.reference()).holds, "{l} values of {rows} rows");
        }
    }
}

proptest! {
    /// Two classes and their union: what `monotone` and `lasting` claim.
    #[test]
    fn merging_keeps_what_is_claimed(
        a in prop::collection::vec(0i64..5, 4),
        b in prop::collection::vec(0i64..5, 4),
        rest in prop::collection::vec(0i64..9, 4),
        k in 1u64..9, l in 2u64..4, share in 0.05f64..1.0, c in 0.3f64..4.0,
    ) {
        let mut tally = Tally::new(vec![5, 6]);
        for (class, counts) in [(0, &a), (1, &b), (2, &rest)] {
            for (value, &n) in counts.iter().enumerate() {
                tally.add(&[class, value as u32], Cell::rows(n));
            }
        }
        prop_assume!(a.iter().sum::<i64>() > 0 && b.iter().sum::<i64>() > 0);
        let classes = Classes::of(&tally, 1).unwrap();
        let reference = classes.reference();
        let both = classes.pooled(&(0..classes.len() as u32).map(|class| class.saturating_sub(1)).collect::<Vec<_>>(), classes.len() - 1);
        let [a, b, both] = [classes.class(0), classes.class(1), both.class(0)];
        for criterion in [
            Criterion::KAnonymity { k },
            Criterion::AlphaK { alpha: share, k },
            Criterion::DistinctDiversity { l },
            Criterion::EntropyDiversity { l: 1.0 + c / 2.0 },
            Criterion::RecursiveDiversity { c, l },
            Criterion::Closeness { t: share / 2.0, distance: Distance::Equal },
            Criterion::Closeness { t: share / 2.0, distance: Distance::Ordered },
            Criterion::DeltaDisclosure { delta: c, absent: Absent::Refused },
            Criterion::DeltaDisclosure { delta: c, absent: Absent::Skipped },
            Criterion::BasicBeta { beta: c },
            Criterion::EnhancedBeta { beta: c },
        ] {
            let holds = |class: &Class| criterion.holds(class, &reference);
            for whole in [false, true] {
                let lasting = |class: &Class| criterion.lasting(class, &reference, whole);
                for class in [&a, &b, &both] {
                    prop_assert!(!holds(class) || lasting(class), "{criterion:?} does not imply what lasts");
                }
                let before = if whole { lasting(&a) && lasting(&b) } else { lasting(&a) || lasting(&b) };
                prop_assert!(!before || lasting(&both), "{criterion:?} does not last");
            }
        }
    }
}
