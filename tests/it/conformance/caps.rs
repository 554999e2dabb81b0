//! The cap on rows per unit: the same rows stay on every engine, in any order, from any files, within any memory.

use evenhand::engine::memory::Memory;
use evenhand::scalar::{Value, Vector};
use evenhand::scan::Cap;

use super::*;

const ROOMY: u64 = 1 << 24;

/// Units of 1 to 9 rows in turn, and then one of 400 rows and one of 300 equal ones. Every fifth row is the one before it once more.
fn crowd(n: usize, seed: u64) -> Vec<Row> {
    let mut rows = rows(n, seed);
    let (mut unit, mut left) = (0, 1);
    for row in &mut rows {
        row.id = unit;
        left -= 1;
        if left == 0 {
            (unit, left) = (unit + 1, (unit + 1) % 9 + 1);
        }
    }
    for i in (5..n).step_by(5) {
        if rows[i].id == rows[i - 1].id {
            rows[i] = rows[i - 1].clone();
        }
    }
    for row in rows.iter_mut().take(400) {
        row.id = 1_000_000;
    }
    let one = Row { id: 1_000_001, age: Some(40.0), ..rows[401].clone() };
    rows.extend(std::iter::repeat_n(one, 300));
    rows
}

/// The unit is the id; the ids of two units are missing.
fn capped(paths: Vec<PathBuf>, format: Format, rows_max: u32, memory_bytes_max: u64) -> Scan {
    let unit = parse("CASE WHEN id = '7' OR id = '8' THEN NULL ELSE id END").unwrap();
    let mut scan = scan(paths, format);
    scan.cap = Some(Cap::new(unit, rows_max, "7:cap".into(), memory_bytes_max));
    scan
}

fn file(folder: &tempfile::TempDir, name: &str, rows: &[Row]) -> PathBuf {
    let path = folder.path().join(name);
    write(&path, rows);
    path
}

/// Rows per unit, for all units there are.
fn per_unit(rows: &[Row]) -> Demand {
    let mut ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let levels = ids.iter().map(|id| Arc::from(id.to_string())).collect();
    let axes = vec![Axis::Levels { of: Scalar::column("id"), levels }];
    Demand { name: "per unit".into(), rows: Rows::Kept, shape: Shape::Tally { axes, weight: None } }
}

#[test]
fn the_same_rows_stay_in_any_format_order_files_and_threads() {
    let rows = crowd(6_000, 11);
    let (mut demands, folder) = (demands(), tempfile::tempdir().unwrap());
    demands.push(per_unit(&rows));
    let mut backwards = rows.clone();
    backwards.reverse();
    let csv = file(&folder, "oracle.csv", &rows);
    let free = collect(&Reference, &scan(vec![csv.clone()], Format::Csv), &demands).unwrap();
    for rows_max in [0, 1, 3, 300, 1_000] {
        let oracle = collect(&Reference, &capped(vec![csv.clone()], Format::Csv, rows_max, ROOMY), &demands).unwrap();
        let per_unit = oracle.tally("per unit").unwrap();
        assert!(per_unit.cells.values().all(|cell| cell.n <= i64::from(rows_max)), "{rows_max}");
        let free = free.tally("per unit").unwrap();
        let stay = |unit: &u64| free.cells[unit].n.min(rows_max.into());
        let here = per_unit.cells.keys().map(stay).sum::<i64>();
        assert_eq!(per_unit.total().n, here, "as many rows as fit, {rows_max}");
        for (format, extension) in [(Format::Csv, "csv"), (Format::Parquet, "parquet"), (Format::Ndjson, "ndjson")] {
            let whole = file(&folder, &format!("w.{extension}"), &rows);
            let reversed = file(&folder, &format!("r.{extension}"), &backwards);
            let part = |(i, part): (usize, &[Row])| file(&folder, &format!("p{i}.{extension}"), part);
            let parts: Vec<PathBuf> = rows.chunks(1_700).enumerate().map(part).collect();
            for (threads, paths) in [(1, vec![whole.clone()]), (3, vec![whole]), (2, vec![reversed]), (2, parts)] {
                let what = format!("{extension}, {threads} threads, {} files, cap {rows_max}", paths.len());
                let scan = capped(paths, format, rows_max, ROOMY);
                let found = Polars { threads }.collect(&scan, &demands, &|_| ()).unwrap();
                assert_eq!(found.passes, 2, "{what}");
                same(&release(found.evidence), &oracle, &what);
                let again = Polars { threads }.collect(&scan, &demands[..3], &|_| ()).unwrap();
                assert_eq!(again.passes, 1, "{what}");
                assert_eq!(release(again.evidence).tally("table").unwrap(), oracle.tally("table").unwrap(), "{what}");
            }
        }
    }
}

#[test]
fn a_small_memory_takes_more_passes_and_keeps_the_same_rows() {
    let rows = crowd(9_000, 12);
    let (demands, folder) = (demands(), tempfile::tempdir().unwrap());
    let path = file(&folder, "t.csv", &rows);
    // Nine rows at most: two units are over.
    let with = |rows_max, bytes| capped(vec![path.clone()], Format::Csv, rows_max, bytes);
    let oracle = collect(&Reference, &with(9, ROOMY), &demands).unwrap();
    let mut passes = Vec::new();
    for bytes in [ROOMY, 1 << 17, 1 << 15, 1 << 13] {
        let found = Polars { threads: 2 }.collect(&with(9, bytes), &demands, &|_| ()).unwrap();
        same(&release(found.evidence), &oracle, &format!("{bytes} bytes"));
        passes.push(found.passes);
    }
    // 1,700 units of about 200 bytes: a table of 340,000 bytes.
    assert!(passes[0] == 2 && passes.is_sorted_by(|a, b| a < b) && passes[3] > 40, "{passes:?}");
    // A unit alone that does not fit, and more units over the cap than can be held.
    for (rows_max, bytes) in [(9, 0), (9, 200), (1, 1 << 15)] {
        let error = Polars { threads: 2 }.collect(&with(rows_max, bytes), &demands, &|_| ()).err().unwrap().to_string();
        assert!(error.contains("rows per unit") && error.contains("memory_mib_max"), "{error}");
    }
}

#[test]
fn a_memory_for_classes_and_one_for_units_do_not_disturb_each_other() {
    let rows = crowd(4_000, 13);
    let folder = tempfile::tempdir().unwrap();
    let scan = |bytes| capped(vec![file(&folder, "t.csv", &rows)], Format::Csv, 2, bytes);
    let classes = |memory_bytes_max| {
        let shape = Shape::ClassSizes { of: vec![Scalar::column("id"), Scalar::column("note")], memory_bytes_max };
        vec![Demand { name: "classes".into(), rows: Rows::Kept, shape }]
    };
    let oracle = collect(&Reference, &scan(ROOMY), &classes(ROOMY)).unwrap();
    let found = Polars { threads: 2 }.collect(&scan(1 << 17), &classes(1 << 15), &|_| ()).unwrap();
    assert!(found.passes > 3, "{}", found.passes);
    assert!(release(found.evidence) == oracle);
}

#[test]
fn a_source_that_grew_after_its_rows_were_chosen_is_refused() {
    let rows = crowd(2_000, 14);
    let folder = tempfile::tempdir().unwrap();
    let scan = capped(vec![file(&folder, "t.csv", &rows)], Format::Csv, 2, ROOMY);
    let engine = Polars { threads: 2 };
    collect(&engine, &scan, &demands()).unwrap();
    file(&folder, "t.csv", &rows[1..]);
    assert!(matches!(collect(&engine, &scan, &demands()), Err(EngineError::Changed)));
}

/// Columns in memory have the rows that a file of them has; another table behind the same scan has its own.
#[test]
fn columns_in_memory_keep_the_rows_a_file_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let text = |value: &str| if value.is_empty() { Value::Null } else { Value::Text(value.into()) };
    let number = |value: Option<f64>| value.map_or(Value::Null, Value::Number);
    let mut scans = [capped(vec![], Format::Csv, 3, ROOMY), capped(vec![], Format::Csv, 3, 1 << 17)];
    for scan in &mut scans {
        scan.reads.retain(|read| ["sex", "age", "income", "id"].contains(&&*read.name));
        scan.derive.clear();
    }
    let of = |names: &[&str]| names.iter().map(|name| Scalar::column(name)).collect::<Vec<_>>();
    let shape = |of| Shape::Panel { of, key: RowKey::Row, salt: "7:panel".into(), limit: 900, distinct: false };
    let panel = Demand { name: "panel".into(), rows: Rows::Kept, shape: shape(of(&["sex", "age", "id"])) };
    for seed in [15, 16] {
        let rows = crowd(5_000, seed);
        let demands = vec![per_unit(&rows), panel.clone()];
        let column = |of: &dyn Fn(&Row) -> Value| Vector::of(rows.iter().map(of).collect::<Vec<_>>().into_iter());
        let columns = vec![
            ("sex".into(), column(&|row| text(row.sex.filter(|sex| *sex != "x").unwrap_or_default()))),
            ("age".into(), column(&|row| number(row.age))),
            ("income".into(), column(&|row| number(row.income))),
            ("id".into(), column(&|row| text(&row.id.to_string()))),
        ];
        let memory = Memory { columns, rows: rows.len(), threads: 2 };
        let mut on_file = scans[0].clone();
        on_file.source.paths = vec![file(&folder, &format!("t{seed}.csv"), &rows)];
        let oracle = collect(&Reference, &on_file, &demands).unwrap();
        for scan in &scans {
            assert!(collect(&memory, scan, &demands).unwrap() == oracle, "seed {seed}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]
    /// Small worlds, small caps, small memories.
    #[test]
    fn any_world_keeps_the_same_rows(
        units in proptest::collection::vec(0u32..12, 1..120),
        rows_max in 0u32..5,
        threads in 1usize..4,
        bytes in 3_000u64..6_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = rows(units.len(), 17);
        for (i, (row, unit)) in rows.iter_mut().zip(&units).enumerate() {
            (row.id, row.income) = (*unit, Some(f64::from(i as u32 % 4)));
            (row.sex, row.label, row.note) = (Some("f"), None, String::new());
        }
        let scan = |bytes| capped(vec![file(&folder, "t.csv", &rows)], Format::Csv, rows_max, bytes);
        let found = collect(&Polars { threads }, &scan(bytes), &demands()).unwrap();
        same(&found, &collect(&Reference, &scan(ROOMY), &demands()).unwrap(), "a small world");
    }
}
