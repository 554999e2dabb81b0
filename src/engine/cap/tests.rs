//! Which rows stay, against a choice made here by sorting, and what the cap promises about units.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use crate::demand::{Axis, Demand, Fixed, Limbs, RowKey, Rows, Shape, hash};
use crate::engine::reference::Reference;
use crate::engine::{Engine, EngineError};
use crate::evidence::Released;
use crate::plan::spec::Format;
use crate::privatize::release;
use crate::scalar::{Expr, Order, Scalar};
use crate::scan::{Cap, Read, Reading, Scan, Source};
use crate::statistic::Bins;

const SALT: &str = "7:cap";
const UNITS: [&str; 5] = ["", "a", "b", "c", "d"];

/// A unit (empty: missing), a level and an integer.
type Row = (usize, bool, u8);

fn fields((unit, sex, income): Row) -> [String; 3] {
    [UNITS[unit].into(), if sex { "f" } else { "m" }.into(), income.to_string()]
}

/// The filter of [`scan`].
fn is_kept((_, _, income): Row) -> bool {
    income < 9
}

fn write(path: &Path, rows: impl IntoIterator<Item = Row>) {
    let lines: Vec<String> = rows.into_iter().map(|row| fields(row).join(",")).collect();
    std::fs::write(path, format!("unit,sex,income\n{}\n", lines.join("\n"))).unwrap();
}

fn scan(path: &Path, cap: Option<u32>) -> Scan {
    let read = |name: &str, by| Read { name: name.into(), column: name.into(), by };
    Scan {
        source: Source {
            paths: vec![path.into()],
            format: Format::Csv,
            delimiter: b',',
            decimal: '.',
            null_values: Vec::new(),
            hive: false,
        },
        reads: vec![read("unit", Reading::Text), read("sex", Reading::Text), read("income", Reading::Number)],
        derive: Vec::new(),
        keep: Some(Expr::Compare(Order::Less, Box::new(Scalar::column("income")), Box::new(Scalar::number(9.0)))),
        cap: cap.map(|rows_max| Cap::new(Scalar::column("unit"), rows_max, SALT.into(), 1 << 20)),
    }
}

/// The rows that stay, chosen by sorting the hashes of every unit.
fn staying(rows: &[Row], rows_max: u32) -> Vec<Row> {
    let mut units = BTreeMap::<usize, Vec<(u64, Row)>>::new();
    for &row in rows.iter().filter(|row| is_kept(**row) && row.0 > 0) {
        units.entry(row.0).or_default().push((hash(SALT, fields(row).join("\u{1f}").as_bytes()), row));
    }
    let least = |mut of: Vec<(u64, Row)>| {
        of.sort_unstable();
        of.into_iter().take(rows_max as usize).map(|(_, row)| row).collect::<Vec<_>>()
    };
    units.into_values().flat_map(least).collect()
}

fn levels(of: &str, levels: &[&str]) -> Axis {
    Axis::Levels { of: Scalar::column(of), levels: levels.iter().map(|level| Arc::from(*level)).collect() }
}

fn tally(name: &str, rows: Rows, axes: Vec<Axis>) -> Demand {
    Demand { name: name.into(), rows, shape: Shape::Tally { axes, weight: None } }
}

/// Every shape; `all` is of all rows.
fn demands() -> Vec<Demand> {
    let income = || Fixed { of: Scalar::column("income"), lower: 0.0, upper: 10.0 };
    let demand = |name: &str, shape| Demand { name: name.into(), rows: Rows::Kept, shape };
    let half = Axis::shares(RowKey::Row, "7:split".into(), &[0.5, 0.5]);
    let (by, of) = (vec![levels("sex", &["f", "m"])], Scalar::column("income"));
    let moments = Shape::Moments {
        by: by.clone(),
        of: vec![income()],
        weights: vec![],
        cross: vec![],
        gram: true,
        limbs: Limbs::One,
    };
    let (bins, memory_bytes_max) = (Some(Bins { lower: 0.0, upper: 10.0, count: 5 }), 1 << 20);
    vec![
        tally("units", Rows::Kept, vec![levels("unit", &UNITS[1..]), levels("sex", &["f", "m"])]),
        tally("part", Rows::Within { axis: half, codes: vec![1] }, vec![levels("unit", &UNITS[1..])]),
        demand("weighted", Shape::Tally { axes: by.clone(), weight: Some(of.clone()) }),
        demand("moments", moments),
        demand("histogram", Shape::Histogram { by, of: of.clone(), bins }),
        demand("classes", Shape::ClassSizes { of: vec![of.clone()], memory_bytes_max }),
        demand(
            "panel",
            Shape::Panel { of: vec![of], key: RowKey::Row, salt: "7:panel".into(), limit: 7, distinct: false },
        ),
    ]
}

fn all() -> Vec<Demand> {
    vec![tally("all", Rows::All, vec![levels("unit", &UNITS[1..])])]
}

fn collect(scan: &Scan, demands: &[Demand]) -> (Released, u32) {
    let collected = Reference.collect(scan, demands, &|_| ()).unwrap();
    (release(collected.evidence), collected.passes)
}

fn table() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0..UNITS.len(), any::<bool>(), 0..12u8), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// The evidence of a capped scan is that of a file with the staying rows alone; statistics of all rows do not change.
    #[test]
    fn the_rows_of_smallest_hash_stay(rows in table(), rows_max in 0u32..5, twice in any::<bool>()) {
        let rows: Vec<Row> = if twice { rows.iter().chain(&rows).copied().collect() } else { rows };
        let folder = tempfile::tempdir().unwrap();
        let (whole, rest) = (folder.path().join("w.csv"), folder.path().join("r.csv"));
        write(&whole, rows.clone());
        write(&rest, staying(&rows, rows_max));
        let capped = scan(&whole, Some(rows_max));
        prop_assert!(collect(&capped, &demands()).0 == collect(&scan(&rest, None), &demands()).0);
        prop_assert!(collect(&capped, &all()).0 == collect(&scan(&whole, None), &all()).0);
        write(&whole, rows.into_iter().rev());
        prop_assert!(collect(&scan(&whole, Some(rows_max)), &demands()).0 == collect(&capped, &demands()).0);
    }

    /// A unit has as many rows as fit and never more; a missing unit has none.
    #[test]
    fn no_unit_has_more_rows_than_the_cap(rows in table(), rows_max in 1u32..5) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        write(&path, rows.clone());
        let (released, _) = collect(&scan(&path, Some(rows_max)), &demands());
        let units = released.tally("units").unwrap();
        for unit in 1..UNITS.len() {
            let n = rows.iter().filter(|row| row.0 == unit && is_kept(**row)).count() as i64;
            let found = units.total_where(|codes| codes[0] as usize + 1 == unit).n;
            prop_assert_eq!(found, n.min(rows_max.into()));
        }
        prop_assert_eq!(units.total_where(|codes| codes[0] as usize >= UNITS.len() - 1).n, 0);
    }

    /// Without the rows of one unit the others have the same rows as before.
    #[test]
    fn a_unit_that_leaves_changes_nothing_of_the_others(rows in table(), rows_max in 1u32..5, gone in 1..UNITS.len()) {
        let folder = tempfile::tempdir().unwrap();
        let (with, without) = (folder.path().join("w.csv"), folder.path().join("o.csv"));
        write(&with, rows.clone());
        write(&without, rows.into_iter().filter(|row| row.0 != gone));
        let table = |path: &Path| {
            let mut table = collect(&scan(path, Some(rows_max)), &demands()).0.tally("units").unwrap().clone();
            let sizes = table.clone();
            table.cells.retain(|code, _| sizes.codes(*code)[0] as usize + 1 != gone);
            table
        };
        prop_assert_eq!(table(&with), table(&without));
    }
}

/// By the first digits of `printf '7:cap|a\x1fm\x1f1' | md5sum` and its like.
#[test]
fn the_hash_is_md5_of_the_salt_and_the_whole_row() {
    let digits = [(1u8, "a19b8d0f459455c"), (2, "ff1770eec2deb57"), (3, "53df00e4cb49213")];
    for (income, first) in digits {
        let key = fields((1, false, income)).join("\u{1f}");
        assert_eq!(hash(SALT, key.as_bytes()), u64::from_str_radix(first, 16).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    write(&path, digits.map(|(income, _)| (1, false, income)));
    let (released, _) = collect(&scan(&path, Some(1)), &demands());
    let least = digits.iter().min_by_key(|(_, first)| *first).unwrap().0;
    let sum = released.tally("weighted").unwrap().total().w;
    assert_eq!(sum, i128::from(least) << 20);
}

#[test]
fn a_scan_is_looked_through_once_and_its_clones_know() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    write(&path, (0..40).map(|i| (1 + i % 4, i % 3 == 0, (i % 7) as u8)));
    let (first, fresh) = (scan(&path, Some(2)), scan(&path, Some(2)));
    let clone = first.clone();
    let (a, passes) = collect(&first, &demands());
    assert_eq!(passes, 2);
    let (b, passes) = collect(&clone, &demands());
    assert_eq!(passes, 1);
    assert!(a == b);
    // What was found is no part of the description, and is not written.
    assert!(first == fresh && format!("{first:?}") == format!("{fresh:?}"));
    // Other rows, another cap: nothing was found for those.
    assert_eq!(collect(&Scan { keep: None, ..clone.clone() }, &demands()).1, 2);
    let mut other = clone.clone();
    other.cap.iter_mut().for_each(|cap| cap.rows_max = 3);
    assert_eq!(collect(&other, &demands()).1, 2);
    assert_eq!(collect(&clone, &demands()).1, 1);
    // A source that grew since.
    write(&path, (0..41).map(|i| (1 + i % 4, i % 3 == 0, (i % 7) as u8)));
    assert!(matches!(Reference.collect(&clone, &demands(), &|_| ()), Err(EngineError::Changed)));
}

#[test]
fn units_that_do_not_fit_are_refused_by_their_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    write(&path, (0..40).map(|i| (1 + i % 4, true, 1)));
    let mut scan = scan(&path, None);
    scan.cap = Some(Cap::new(Scalar::column("unit"), 1, SALT.into(), 100));
    let error = Reference.collect(&scan, &demands(), &|_| ()).err().unwrap().to_string();
    assert!(error.contains("rows per unit") && error.contains("memory_mib_max"), "{error}");
}
