//! Do all engines return the same integers, whatever the order of rows, the files, the format and the number of threads?
//!
//! Evidence cannot be looked into from outside, so released statistics are compared: every shape, every axis, missing and foreign values.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand::demand::{Axis, Demand, Fixed, Limbs, RowKey, Rows, Shape};
use evenhand::engine::polars::Polars;
use evenhand::engine::reference::Reference;
use evenhand::engine::{Engine, EngineError};
use evenhand::evidence::Released;
use evenhand::plan::expression::parse;
use evenhand::plan::spec::Format;
use evenhand::privatize::release;
use evenhand::scalar::{Link, Predictor, Scalar};
use evenhand::scan::{Read, Reading, Scan, Source};
use evenhand::statistic::Bins;
use polars::prelude::*;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

mod caps;

/// One row of the test table: every kind of value, missing ones included.
#[derive(Clone, Debug)]
struct Row {
    sex: Option<&'static str>,
    age: Option<f64>,
    income: Option<f64>,
    label: Option<bool>,
    id: u32,
    note: String,
}

fn rows(n: usize, seed: u64) -> Vec<Row> {
    let mut random = StdRng::seed_from_u64(seed);
    let notes = ["plain", "with, comma", "two\nlines", "a \"quoted\" word", "汉字", "", " x "];
    (0..n)
        .map(|i| Row {
            sex: [Some("f"), Some("m"), Some("x"), None][random.random_range(0..4)],
            age: random.random_bool(0.95).then(|| f64::from(random.random_range(10..95))),
            income: random.random_bool(0.9).then(|| random.random_range(-5e3..2e5f64)),
            label: random.random_bool(0.97).then(|| random.random_bool(0.3)),
            id: (i as u32) % (n as u32 * 9 / 10).max(1),
            note: notes[random.random_range(0..notes.len())].into(),
        })
        .collect()
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn csv_text(rows: &[Row]) -> String {
    let mut out = String::from("sex,age,income,label,id,note\n");
    for row in rows {
        let note = if row.note.contains([',', '"', '\n']) {
            format!("\"{}\"", row.note.replace('"', "\"\""))
        } else {
            row.note.clone()
        };
        let fields = [text(row.sex), text(row.age), text(row.income), text(row.label), row.id.to_string(), note];
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

fn frame(rows: &[Row]) -> DataFrame {
    let id: Vec<i64> = rows.iter().map(|r| i64::from(r.id)).collect();
    df![
        "sex" => rows.iter().map(|r| r.sex).collect::<Vec<_>>(),
        "age" => rows.iter().map(|r| r.age).collect::<Vec<_>>(),
        "income" => rows.iter().map(|r| r.income).collect::<Vec<_>>(),
        "label" => rows.iter().map(|r| r.label).collect::<Vec<_>>(),
        "id" => id,
        "note" => rows.iter().map(|r| r.note.clone()).collect::<Vec<_>>(),
    ]
    .unwrap()
}

fn write(path: &Path, rows: &[Row]) {
    let bytes = |text: &str| std::fs::write(path, text).unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "csv" => bytes(&csv_text(rows)),
        "ndjson" => {
            let line = |r: &Row| {
                let value = serde_json::json!({"sex": r.sex, "age": r.age, "income": r.income, "label": r.label, "id": r.id, "note": r.note});
                value.to_string() + "\n"
            };
            bytes(&rows.iter().map(line).collect::<String>());
        }
        "parquet" => {
            ParquetWriter::new(std::fs::File::create(path).unwrap())
                .with_row_group_size(Some(1000))
                .finish(&mut frame(rows))
                .unwrap();
        }
        _ => IpcWriter::new(std::fs::File::create(path).unwrap()).finish(&mut frame(rows)).unwrap(),
    }
}

fn scan(paths: Vec<PathBuf>, format: Format) -> Scan {
    let read = |name: &str, column: &str, by| Read { name: name.into(), column: column.into(), by };
    let reads = vec![
        read("sex", "sex", Reading::Text),
        read("age", "age", Reading::Number),
        read("age is malformed", "age", Reading::NoNumber),
        read("income", "income", Reading::Number),
        read("label", "label", Reading::Truth),
        read("id", "id", Reading::Text),
        read("note", "note", Reading::Text),
    ];
    let derive = vec![
        (
            Arc::from("band"),
            parse(
                "CASE WHEN age < 30 THEN 'young' WHEN age < 60 THEN 'middle' WHEN age IS NULL THEN NULL ELSE 'old' END",
            )
            .unwrap(),
        ),
        (Arc::from("rich"), parse("income > 90000 OR note LIKE 'p%'").unwrap()),
    ];
    let source = Source { paths, format, delimiter: b',', decimal: '.', null_values: vec!["x".into()], hive: false };
    Scan { source, reads, derive, keep: Some(parse("age IS NULL OR age >= 18").unwrap()), cap: None }
}

fn demands() -> Vec<Demand> {
    let column = Scalar::column;
    let levels = |of: &str, levels: &[&str]| Axis::Levels {
        of: column(of),
        levels: levels.iter().map(|l| Arc::from(*l)).collect(),
    };
    let fixed = |text: &str, lower, upper| Fixed { of: parse(text).unwrap(), lower, upper };
    let panel = |of: &[&str], limit| {
        let of: Vec<Scalar> = of.iter().map(|name| column(name)).collect();
        Shape::Panel { of: of.clone(), key: RowKey::Of(of), salt: "7:texts".into(), limit, distinct: true }
    };
    let predictor = Predictor {
        bounds: vec![(18.0, 90.0), (0.0, 150_000.0)],
        coefficients: vec![1 << 23, -(1 << 22)],
        intercept: 12345,
        bits: 44,
    };
    let eta = evenhand::scalar::Expr::Predictor(predictor.into(), vec![column("age"), column("income")]);
    let score = evenhand::scalar::Expr::Link(Link::Sigmoid, 44, Box::new(eta));
    let y = parse("CASE WHEN label THEN 1 WHEN NOT label THEN 0 END").unwrap();
    let residual = evenhand::scalar::Expr::Arithmetic(
        evenhand::scalar::Arithmetic::Subtract,
        Box::new(y),
        Box::new(score.clone()),
    );
    let key = || RowKey::Of(vec![column("id")]);
    let split = Axis::shares(key(), "7:split".into(), &[0.6, 0.1, 0.3]);
    let train = Rows::Within { axis: split.clone(), codes: vec![0, 2] };
    let of = || {
        vec![
            fixed("age", 18.0, 90.0),
            fixed("income", 0.0, 150_000.0),
            fixed("rich", 0.0, 1.0),
            fixed("sex = 'f'", 0.0, 1.0),
        ]
    };
    let demand = |name: &str, rows: Rows, shape| Demand { name: name.into(), rows, shape };
    let axes = vec![
        levels("sex", &["f", "m"]),
        levels("band", &["young", "middle", "old"]),
        Axis::Truth { of: column("label") },
    ];
    let edges = Axis::Edges { of: column("age"), edges: vec![20.0, 40.0, 60.5] };
    let row_buckets = Axis::buckets(RowKey::Row, "7:bucket".into(), 20);
    vec![
        demand("table", Rows::Kept, Shape::Tally { axes: axes.clone(), weight: None }),
        demand("weighted", Rows::Kept, Shape::Tally { axes: axes[..2].to_vec(), weight: Some(column("income")) }),
        demand(
            "all",
            Rows::All,
            Shape::Tally {
                axes: vec![edges, Axis::Truth { of: column("age is malformed") }, row_buckets],
                weight: None,
            },
        ),
        demand(
            "gram",
            train.clone(),
            Shape::Moments { by: vec![], of: of(), weights: vec![], cross: vec![], gram: true, limbs: Limbs::Two },
        ),
        demand(
            "newton",
            train.clone(),
            Shape::Moments {
                by: vec![axes[0].clone()],
                of: of(),
                weights: vec![Fixed { of: score.clone(), lower: -1.0, upper: 1.0 }],
                cross: vec![Fixed { of: residual, lower: -1.0, upper: 1.0 }],
                gram: false,
                limbs: Limbs::Two,
            },
        ),
        demand(
            "coarse",
            Rows::Kept,
            Shape::Moments {
                by: vec![split],
                of: of(),
                weights: vec![fixed("income", 0.0, 1e6)],
                cross: vec![],
                gram: true,
                limbs: Limbs::One,
            },
        ),
        demand(
            "scores",
            Rows::Kept,
            Shape::Histogram {
                by: vec![axes[2].clone()],
                of: score,
                bins: Some(Bins { lower: 0.0, upper: 1.0, count: 64 }),
            },
        ),
        demand("notes", Rows::Kept, Shape::Histogram { by: vec![], of: column("note"), bins: None }),
        demand("ids", Rows::All, Shape::Histogram { by: vec![], of: column("id"), bins: None }),
        demand("classes", Rows::All, Shape::ClassSizes { of: vec![column("id")], memory_bytes_max: 1 << 24 }),
        demand(
            "people",
            Rows::Kept,
            Shape::ClassSizes { of: vec![column("sex"), column("age")], memory_bytes_max: 1 << 24 },
        ),
        demand(
            "panel",
            Rows::Kept,
            Shape::Panel {
                of: vec![column("age"), column("note")],
                key: RowKey::Row,
                salt: "7:panel".into(),
                limit: 200,
                distinct: false,
            },
        ),
        demand("few texts", Rows::Kept, panel(&["note"], 4)),
        demand("many texts", Rows::Kept, panel(&["id"], 100)),
        demand("pairs", Rows::All, panel(&["sex", "note"], 20)),
    ]
}

fn collect(engine: &dyn Engine, scan: &Scan, demands: &[Demand]) -> Result<Released, EngineError> {
    Ok(release(engine.collect(scan, demands, &|_| ())?.evidence))
}

fn reference(rows: &[Row], demands: &[Demand]) -> Released {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    write(&path, rows);
    collect(&Reference, &scan(vec![path], Format::Csv), demands).unwrap()
}

fn same(left: &Released, right: &Released, what: &str) {
    for demand in demands() {
        let name = &*demand.name;
        if let (Ok(a), Ok(b)) = (left.tally(name), right.tally(name)) {
            assert_eq!(a, b, "{what}: {name}");
        }
        if let (Ok(a), Ok(b)) = (left.moments(name), right.moments(name)) {
            assert_eq!(a, b, "{what}: {name}");
        }
        if let (Ok(a), Ok(b)) = (left.histogram(name), right.histogram(name)) {
            assert_eq!(a, b, "{what}: {name}");
        }
        if let (Ok(a), Ok(b)) = (left.class_sizes(name), right.class_sizes(name)) {
            assert_eq!(a, b, "{what}: {name}");
        }
    }
    assert!(left == right, "{what}: panels differ, or a statistic is missing");
}

#[test]
fn formats_order_files_and_threads_change_nothing() {
    let rows = rows(9_000, 1);
    let demands = demands();
    let oracle = reference(&rows, &demands);
    assert!(oracle.tally("table").unwrap().total().n > 5_000);
    assert!(oracle.moments("gram").unwrap().groups[&0].skipped > 100);
    let folder = tempfile::tempdir().unwrap();
    let mut backwards = rows.clone();
    backwards.reverse();
    for (format, extension) in
        [(Format::Csv, "csv"), (Format::Parquet, "parquet"), (Format::Ndjson, "ndjson"), (Format::Ipc, "arrow")]
    {
        let (whole, reversed) =
            (folder.path().join(format!("w.{extension}")), folder.path().join(format!("r.{extension}")));
        write(&whole, &rows);
        write(&reversed, &backwards);
        let parts: Vec<PathBuf> = rows
            .chunks(2_500)
            .enumerate()
            .map(|(i, part)| {
                let path = folder.path().join(format!("p{i}.{extension}"));
                write(&path, part);
                path
            })
            .collect();
        for (threads, paths) in [(1, vec![whole.clone()]), (3, vec![whole]), (2, vec![reversed]), (2, parts)] {
            let what = format!("{extension}, {threads} threads, {} files", paths.len());
            same(&collect(&Polars { threads }, &scan(paths, format), &demands).unwrap(), &oracle, &what);
        }
    }
}

/// A folder's name is a column, before a column of the same name in the file, in text and typed formats; a name that a path must encode is
/// decoded, and the value that stands for a missing one is missing. Without `hive` a folder's name means nothing.
#[test]
fn folders_of_partitions_are_columns_on_every_engine() {
    let rows = rows(4_000, 5);
    let folder = tempfile::tempdir().unwrap();
    let named = |value: Option<&str>| value.unwrap_or("__HIVE_DEFAULT_PARTITION__").to_string();
    let paths = |extension: &str, whole: bool| -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for sex in [Some("f"), Some("m"), Some("x"), None] {
            for odd in ["a b/c", "plain"] {
                let part: Vec<Row> = rows
                    .iter()
                    .filter(|row| row.sex == sex && (row.id % 2 == 1) == (odd == "plain"))
                    .cloned()
                    .collect();
                let below = folder.path().join(extension).join(format!("{whole}")).join(format!("sex={}", named(sex)));
                let below = below.join(format!("odd%20one={}", odd.replace(' ', "%20").replace('/', "%2F")));
                std::fs::create_dir_all(&below).unwrap();
                let path = below.join(format!("t.{extension}"));
                // In the file itself the column says something else, or is not there.
                let other: Vec<Row> = part.iter().map(|row| Row { sex: Some("wrong"), ..row.clone() }).collect();
                write(&path, &other);
                if !whole && extension == "parquet" {
                    ParquetWriter::new(std::fs::File::create(&path).unwrap())
                        .finish(&mut frame(&part).drop("sex").unwrap())
                        .unwrap();
                }
                if !whole && extension == "csv" {
                    std::fs::write(&path, csv_text(&other).replacen("sex,", "gender,", 1)).unwrap();
                }
                paths.push(path);
            }
        }
        paths
    };
    let with = |paths: Vec<PathBuf>, format, hive| {
        let mut scan = scan(paths, format);
        scan.source.hive = hive;
        scan.reads.push(Read {
            name: "odd one".into(),
            column: if hive { "odd one" } else { "sex" }.into(),
            by: Reading::Text,
        });
        scan
    };
    let mut demands = demands();
    let levels: Vec<Arc<str>> = vec!["a b/c".into(), "plain".into()];
    let odd = Axis::Levels { of: Scalar::column("odd one"), levels: levels.into() };
    demands.push(Demand { name: "odd".into(), rows: Rows::All, shape: Shape::Tally { axes: vec![odd], weight: None } });
    let oracle = collect(&Reference, &with(paths("csv", true), Format::Csv, true), &demands).unwrap();
    let plain = reference(&rows, &self::demands());
    for name in ["table", "weighted"] {
        assert_eq!(oracle.tally(name).unwrap(), plain.tally(name).unwrap(), "{name}");
    }
    assert_eq!(oracle.tally("odd").unwrap().get(&[1]).n, rows.iter().filter(|row| row.id % 2 == 1).count() as i64);
    for (format, extension) in
        [(Format::Csv, "csv"), (Format::Parquet, "parquet"), (Format::Ndjson, "ndjson"), (Format::Ipc, "arrow")]
    {
        for whole in [true, false] {
            let paths = paths(extension, whole);
            let found = collect(&Polars { threads: 2 }, &with(paths.clone(), format, true), &demands).unwrap();
            same(&found, &oracle, &format!("{extension}, the column in the file: {whole}"));
            if whole {
                let flat = collect(&Polars { threads: 2 }, &with(paths, format, false), &demands).unwrap();
                assert_eq!(flat.tally("odd").unwrap().get(&[3]).n, rows.len() as i64, "{extension}");
            }
        }
        let described: Vec<String> = Polars { threads: 1 }
            .describe(&with(paths(extension, false), format, true).source)
            .unwrap()
            .iter()
            .map(|c| c.name.to_string())
            .collect();
        assert_eq!(described.iter().filter(|name| **name == "sex").count(), 1, "{described:?}");
        assert!(described.contains(&"odd one".to_string()), "{described:?}");
    }
}

#[test]
fn packed_files_read_like_plain_ones() {
    let rows = rows(3_000, 2);
    let demands = demands();
    let oracle = reference(&rows, &demands);
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("t.csv");
    write(&plain, &rows);
    for (tool, extension) in [("gzip", "gz"), ("zstd", "zst")] {
        let path = folder.path().join(format!("t.csv.{extension}"));
        let out = std::process::Command::new(tool)
            .arg("-kc")
            .arg(&plain)
            .output()
            .expect("gzip and zstd are installed by tests/needs.sh");
        std::fs::write(&path, out.stdout).unwrap();
        same(&collect(&Polars { threads: 2 }, &scan(vec![path], Format::Csv), &demands).unwrap(), &oracle, extension);
    }
}

#[test]
fn a_small_memory_takes_more_passes_and_gives_the_same_classes() {
    let rows = rows(9_000, 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    write(&path, &rows);
    let demand = |memory_bytes_max| {
        vec![Demand {
            name: "classes".into(),
            rows: Rows::All,
            shape: Shape::ClassSizes { of: vec![Scalar::column("id")], memory_bytes_max },
        }]
    };
    let scan = scan(vec![path], Format::Csv);
    let engine = Polars { threads: 2 };
    let roomy = engine.collect(&scan, &demand(1 << 24), &|_| ()).unwrap();
    assert_eq!(roomy.passes, 1);
    let tight = engine.collect(&scan, &demand(1 << 17), &|_| ()).unwrap();
    assert_eq!(tight.passes, 4);
    assert!(
        release(roomy.evidence).class_sizes("classes").unwrap()
            == release(tight.evidence).class_sizes("classes").unwrap()
    );
}

#[test]
fn a_defect_is_named_at_the_same_line_by_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let mut good = csv_text(&rows(40_000, 4)).into_bytes();
    good.extend(b"f,30,1,true,9,ok\n");
    let with = |tail: &[u8]| [&good[..], tail, b"f,1,2\n"].concat();
    for (name, bytes) in [
        ("ragged", with(b"")),
        ("not-utf8", with(b"f,30,1,true,9,\xff\xfe\n")),
        ("carriage", with(b"f,30,1,true,9,a\rf,1\r")),
        ("empty", Vec::new()),
        ("binary", b"\x00\x01\x02,\x03\n\x00\n".to_vec()),
        ("twice", b"sex,sex\nf,m\n".to_vec()),
        ("no-column", b"sex,age\nf,30\n".to_vec()),
        ("quote", [&good[..], b"\"open\nf,1\n"].concat()),
    ] {
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, bytes).unwrap();
        let scan = scan(vec![path], Format::Csv);
        let message = |engine: &dyn Engine| match collect(engine, &scan, &demands()) {
            Ok(_) => panic!("{name} was read"),
            Err(e) => e.to_string(),
        };
        assert_eq!(message(&Polars { threads: 2 }), message(&Reference), "{name}");
    }
}

#[test]
fn damaged_parquet_is_refused_without_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    for (bytes, part) in
        [(Vec::new(), "empty"), (b"PAR1 secret-value PAR1".to_vec(), "Parquet"), (b"a,b\n1,2\n".to_vec(), "Parquet")]
    {
        std::fs::write(&path, bytes).unwrap();
        let error = collect(&Polars { threads: 2 }, &scan(vec![path.clone()], Format::Parquet), &demands())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(part) && !error.contains("secret"), "{error}");
    }
}

/// Both engines read the same rows, or name the same defect.
fn agree(scan: &Scan, demands: &[Demand]) -> Result<(), TestCaseError> {
    match (collect(&Polars { threads: 2 }, scan, demands), collect(&Reference, scan, demands)) {
        (Ok(a), Ok(b)) => same(&a, &b, "text"),
        (Err(a), Err(b)) => prop_assert_eq!(a.to_string(), b.to_string()),
        (a, b) => prop_assert!(
            false,
            "one engine read it: {:?} {:?}",
            a.err().map(|e| e.to_string()),
            b.err().map(|e| e.to_string())
        ),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Any text, whatever separates its fields.
    #[test]
    fn any_text_means_the_same(body in "[fmx1,\"\n\r. -]{0,60}", by in 0usize..4) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let delimiter = [",", ".", " ", "-"][by];
        let header = ["sex", "age", "income", "label", "id", "note"].join(delimiter);
        std::fs::write(&path, format!("{header}\n{body}")).unwrap();
        let mut scan = scan(vec![path], Format::Csv);
        (scan.source.delimiter, scan.source.decimal) = (delimiter.as_bytes()[0], if by == 1 { ',' } else { '.' });
        agree(&scan, &demands())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Text of several chunks: records lie across their borders, and a defect is at a line far down.
    #[test]
    fn any_long_text_means_the_same(
        row in proptest::collection::vec("[a1 ]{0,3}|\"[,\n\r]{0,4}\"\"\"|\r?\n", 6),
        fill in "[f,1\"\n\r]{0,12}",
        times in 30_000usize..60_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let row = row.join(",").replace(",\n", "\n").replace("\n,", "\n");
        let whole = format!("f,20,1.5,true,7,\"a \n \"\"b\"\", c\"\r\n{}", "m,,-2,no,8,plain words of some length\n".repeat(times % 7));
        std::fs::write(&path, format!("sex,age,income,label,id,note\n{}{row}\n{}{fill}", whole.repeat(times / 7 * 2), whole.repeat(9))).unwrap();
        let demands: Vec<Demand> = demands().into_iter().filter(|demand| ["table", "notes", "all"].contains(&&*demand.name)).collect();
        agree(&scan(vec![path], Format::Csv), &demands)?;
    }
}
