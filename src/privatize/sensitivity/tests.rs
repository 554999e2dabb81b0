//! The map against brute force: every set of rows one unit can have in a small world, every statistic, counted by the reference engine.

use num_bigint::{BigInt, BigUint};

use super::*;
use crate::demand::{Axis, Demand, Limbs, Rows};
use crate::engine::Engine;
use crate::engine::reference::Reference;
use crate::plan::spec::Format;
use crate::scan::{Read, Reading, Scan, Source};
use crate::statistic::{Bins, Statistic};

/// Values of the columns: a level, a number beyond, at and within [-1, 1], a truth value.
const LEVELS: [&str; 3] = ["a", "b", "c"];
const NUMBERS: [&str; 3] = ["-7", "0.3", "1"];

fn rows() -> Vec<String> {
    let pairs = LEVELS.iter().flat_map(|level| NUMBERS.iter().map(move |number| format!("{level},{number}")));
    pairs.collect()
}

/// Multisets of at most `most` of the rows.
fn multisets(most: u32) -> Vec<Vec<String>> {
    let rows = rows();
    let mut all = vec![Vec::new()];
    let mut last: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..most {
        let longer = |set: &Vec<usize>| {
            let from = set.last().copied().unwrap_or(0);
            (from..rows.len()).map(|next| [set.clone(), vec![next]].concat()).collect::<Vec<_>>()
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().map(|set| set.iter().map(|&at| rows[at].clone()).collect::<Vec<_>>()));
    }
    all
}

fn fixed(of: Scalar, lower: f64, upper: f64) -> Fixed {
    Fixed { of, lower, upper }
}

fn is(level: &str) -> Scalar {
    Expr::Compare(Order::Equal, Box::new(Scalar::column("level")), Box::new(Scalar::text(level)))
}

fn shapes() -> Vec<(&'static str, Shape)> {
    let level =
        || Axis::Levels { of: Scalar::column("level"), levels: LEVELS[..2].iter().map(|l| (*l).into()).collect() };
    let number = || Scalar::column("number");
    let moments = |of: Vec<Fixed>, cross: Vec<Fixed>, by: Vec<Axis>, gram| Shape::Moments {
        by,
        of,
        weights: Vec::new(),
        cross,
        gram,
        limbs: Limbs::One,
    };
    let indicators = || vec![fixed(is("b"), -1.0, 1.0), fixed(is("c"), -1.0, 1.0)];
    let with_number = || [indicators(), vec![fixed(number(), -1.0, 1.0)]].concat();
    vec![
        ("tally", Shape::Tally { axes: vec![level(), Axis::Edges { of: number(), edges: vec![0.0] }], weight: None }),
        ("count", Shape::Tally { axes: Vec::new(), weight: None }),
        (
            "histogram",
            Shape::Histogram { by: vec![level()], of: number(), bins: Some(Bins { lower: 0.0, upper: 1.0, count: 4 }) },
        ),
        ("number", moments(vec![fixed(number(), -1.0, 1.0)], Vec::new(), vec![level()], true)),
        ("indicators", moments(with_number(), Vec::new(), Vec::new(), true)),
        // Indicators on [0, 1] are -1 or 1 in fixed point: none of them is zero.
        ("signed", moments(vec![fixed(is("b"), 0.0, 1.0), fixed(is("c"), 0.0, 1.0)], Vec::new(), Vec::new(), true)),
        ("cross", moments(with_number(), vec![fixed(number(), -1.0, 1.0)], Vec::new(), false)),
        ("both", moments(indicators(), vec![fixed(number(), -1.0, 1.0); 2], vec![level()], true)),
        ("twice", moments(vec![fixed(is("b"), -1.0, 1.0), fixed(is("b"), -1.0, 1.0)], Vec::new(), Vec::new(), true)),
    ]
}

/// Every number of every statistic, of cells that may be empty too.
fn counted(rows: &[String], demands: &[Demand], folder: &std::path::Path) -> Vec<Vec<(u64, usize, i128)>> {
    let path = folder.join("world.csv");
    std::fs::write(&path, format!("level,number\n{}\n", rows.join("\n"))).unwrap();
    let read = |name: &str, by| Read { name: name.into(), column: name.into(), by };
    let scan = Scan {
        source: Source {
            paths: vec![path],
            format: Format::Csv,
            delimiter: b',',
            decimal: '.',
            null_values: Vec::new(),
            hive: false,
        },
        reads: vec![read("level", Reading::Text), read("number", Reading::Number)],
        derive: Vec::new(),
        keep: None,
        cap: None,
    };
    let evidence = Reference.collect(&scan, demands, &|_| {}).unwrap().evidence.open();
    let numbers = |statistic: &Statistic| match statistic {
        Statistic::Tally(tally) => tally.cells.iter().map(|(&code, cell)| (code, 0, i128::from(cell.n))).collect(),
        Statistic::Histogram(histogram) => histogram
            .groups
            .iter()
            .flat_map(|(&code, counts)| {
                let bins = super::super::binned(counts, &histogram.bins.unwrap());
                bins.into_iter().map(move |(bin, n)| (code, bin as usize, i128::from(n)))
            })
            .collect(),
        Statistic::Moments(moments) => moments
            .groups
            .iter()
            .flat_map(|(&code, sums)| {
                let all = sums.gram.iter().chain(&sums.cross).copied().collect::<Vec<_>>();
                all.into_iter().enumerate().map(move |(at, sum)| (code, at, sum))
            })
            .collect(),
        _ => Vec::new(),
    };
    demands.iter().map(|demand| numbers(&evidence.statistics[&demand.name])).collect()
}

type Numbers = std::collections::BTreeMap<(u64, usize), BigInt>;

fn changes(a: &[(u64, usize, i128)], b: &[(u64, usize, i128)]) -> (BigUint, BigUint) {
    let mut differences = Numbers::new();
    for (sign, numbers) in [(1, a), (-1, b)] {
        for &(code, at, n) in numbers {
            *differences.entry((code, at)).or_default() += BigInt::from(n) * sign;
        }
    }
    let l1 = differences.values().map(|d| d.magnitude().clone()).sum();
    let l2 = differences.values().map(|d| d.magnitude() * d.magnitude()).sum();
    (l1, l2)
}

/// Greatest change any unit can make, and whether a bound is reached.
#[test]
fn no_unit_changes_more_than_the_map_says_and_some_unit_changes_as_much() {
    let folder = tempfile::tempdir().unwrap();
    let shapes = shapes();
    let demand =
        |(name, shape): &(&str, Shape)| Demand { name: (*name).into(), rows: Rows::Kept, shape: shape.clone() };
    let demands: Vec<Demand> = shapes.iter().map(demand).collect();
    for rows_max in [1, 2] {
        let worlds: Vec<_> = multisets(rows_max).iter().map(|rows| counted(rows, &demands, folder.path())).collect();
        for (at, (name, shape)) in shapes.iter().enumerate() {
            let of = |neighbours| of(shape, Unit { neighbours, rows_max }).unwrap();
            let alone = worlds.iter().map(|world| changes(&world[at], &[]));
            let (l1, l2) = alone.fold(Default::default(), greatest);
            let (bound, change) = (of(Neighbours::AddRemove), of(Neighbours::ChangeOne));
            assert_eq!((&l1, &l2), (&bound.l1, &bound.l2_squared), "{name}: {rows_max} rows are reached exactly");
            let pairs = worlds.iter().flat_map(|a| worlds.iter().map(move |b| changes(&a[at], &b[at])));
            let (l1, l2) = pairs.fold(Default::default(), greatest);
            assert!(l1 <= change.l1 && l2 <= change.l2_squared, "{name}: {l1} {l2} beyond {change:?}");
            if matches!(shape, Shape::Tally { axes, .. } if !axes.is_empty()) {
                assert_eq!((l1, l2), (change.l1, change.l2_squared), "{name}: replaced rows reach the bound");
            }
        }
    }
}

fn greatest(most: (BigUint, BigUint), (l1, l2): (BigUint, BigUint)) -> (BigUint, BigUint) {
    (most.0.max(l1), most.1.max(l2))
}

#[test]
fn what_has_no_mechanism_has_no_sensitivity() {
    let unit = Unit { neighbours: Neighbours::AddRemove, rows_max: 1 };
    let number = Scalar::column("number");
    let weighted = Shape::Tally { axes: Vec::new(), weight: Some(number.clone()) };
    let exact = Shape::Histogram { by: Vec::new(), of: number.clone(), bins: None };
    let classes = Shape::ClassSizes { of: vec![number.clone()], memory_bytes_max: 1 };
    let panel = Shape::Panel {
        of: vec![number],
        key: crate::demand::RowKey::Row,
        salt: String::new(),
        limit: 1,
        distinct: false,
    };
    for shape in [weighted, exact, classes, panel] {
        assert_eq!(of(&shape, unit), None);
    }
}

/// By pencil (tests/cases/sensitivity.md): 3 numbers and the constant, two rows a unit.
#[test]
fn the_worked_case() {
    let columns = (0..3).map(|i| fixed(Scalar::column(&format!("x{i}")), 0.0, 10.0)).collect();
    let shape = Shape::Moments {
        by: Vec::new(),
        of: columns,
        weights: Vec::new(),
        cross: Vec::new(),
        gram: true,
        limbs: Limbs::One,
    };
    let found = of(&shape, Unit { neighbours: Neighbours::AddRemove, rows_max: 2 }).unwrap();
    assert_eq!(found.l1, BigUint::from(20u64) << 40);
    assert_eq!(found.l2_squared, BigUint::from(40u64) << 80);
}
