//! What do the engines make of input that is damaged, extreme or of an unusual type? An error that says where, or the right integers; never
//! a panic, never a wait without end, never a cell's value in a message.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use evenhand::demand::{Axis, Demand, Fixed, Limbs, RowKey, Rows, Shape};
use evenhand::engine::memory::Memory;
use evenhand::engine::polars::Polars;
use evenhand::engine::reference::Reference;
use evenhand::engine::{Engine, EngineError};
use evenhand::evidence::Released;
use evenhand::plan::spec::Format;
use evenhand::privatize::release;
use evenhand::run::{Paying, Pipeline, Progress, audit};
use evenhand::scalar::{Scalar, Vector};
use evenhand::scan::{Read, Reading, Scan, Source};
use evenhand::statistic::{Bins, Spread};
use evenhand::world::Meter;
use polars::prelude::*;

mod extremes;

const ENGINE: Polars = Polars { threads: 2 };

/// A scan of these columns; a name with a colon is read from the column before it.
fn scan(paths: Vec<PathBuf>, format: Format, reads: &[(&str, Reading)]) -> Scan {
    let source = Source { paths, format, delimiter: b',', decimal: '.', null_values: vec![], hive: false };
    let read =
        |&(name, by): &(&str, Reading)| Read { name: name.into(), column: name.split(':').next().unwrap().into(), by };
    Scan { source, reads: reads.iter().map(read).collect(), derive: vec![], keep: None, cap: None }
}

fn demand(name: &str, shape: Shape) -> Demand {
    Demand { name: name.into(), rows: Rows::All, shape }
}

/// How often every value of every column occurs.
fn histograms(scan: &Scan) -> Vec<Demand> {
    let histogram =
        |name: &Arc<str>| demand(name, Shape::Histogram { by: vec![], of: Scalar::column(name), bins: None });
    scan.reads.iter().map(|read| histogram(&read.name)).collect()
}

fn collect(engine: &dyn Engine, scan: &Scan, demands: &[Demand]) -> Result<Released, EngineError> {
    Ok(release(engine.collect(scan, demands, &|_| ())?.evidence))
}

fn refused(engine: &dyn Engine, scan: &Scan, demands: &[Demand]) -> String {
    match collect(engine, scan, demands) {
        Ok(_) => panic!("it was read"),
        Err(e) => e.to_string(),
    }
}

/// What a column holds, in order: `value x times`; missing last.
fn held(released: &Released, column: &str) -> Vec<String> {
    let counts = released.histogram(column).unwrap().total_where(|_| true);
    let mut held = match counts.spread() {
        Spread::Numbers { counts } => counts.iter().map(|(x, n)| format!("{} x {n}", x.number())).collect(),
        Spread::Texts { counts } => counts.iter().map(|(text, n)| format!("{text} x {n}")).collect::<Vec<_>>(),
        Spread::Binned { .. } | Spread::TooManyTexts { .. } => panic!("few values"),
    };
    held.extend((counts.missing > 0).then(|| format!("missing x {}", counts.missing)));
    held
}

/// The result of a call that must end within a minute.
fn within_a_minute<T: Send + 'static>(of: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(of()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("it waits for ever, or panicked")
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn parquet(folder: &tempfile::TempDir, name: &str, mut frame: DataFrame) -> PathBuf {
    let path = file(folder, name, b"");
    ParquetWriter::new(std::fs::File::create(&path).unwrap())
        .with_row_group_size(Some(100))
        .finish(&mut frame)
        .unwrap();
    path
}

fn ipc(folder: &tempfile::TempDir, name: &str, mut frame: DataFrame) -> PathBuf {
    let path = file(folder, name, b"");
    IpcWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut frame).unwrap();
    path
}

/// A panic in a worker ends the pass with an error although the channel of chunks is full.
#[test]
fn a_worker_that_panics_ends_the_pass() {
    for (threads, format) in [(1, Format::Csv), (2, Format::Csv), (1, Format::Parquet)] {
        let why = within_a_minute(move || {
            let folder = tempfile::tempdir().unwrap();
            let path = match format {
                Format::Csv => file(&folder, "t.csv", &[b"a\n", &b"12345678\n".repeat(2_000_000)[..]].concat()),
                _ => parquet(&folder, "t.parquet", df!["a" => vec![1i64; 100_000]].unwrap()),
            };
            let scan = scan(vec![path], format, &[("a", Reading::Number)]);
            let done = Polars { threads }.collect(&scan, &histograms(&scan), &|_| panic!("planted"));
            done.err().map(|e| e.to_string())
        });
        assert!(why.as_ref().is_some_and(|why| why.contains("defect of evenhand")), "{threads} {format:?}: {why:?}");
    }
}

/// Every byte of a file may be wrong: the reading ends, with an error or with rows.
#[test]
fn damaged_columnar_files_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let n = 300usize;
    let frame = || {
        df![
            "a" => (0..n).map(|i| (i % 7 != 0).then_some(i as i64)).collect::<Vec<_>>(),
            "b" => (0..n).map(|i| (i % 5 != 0).then(|| format!("secret-{}", i % 9))).collect::<Vec<_>>(),
            "c" => (0..n).map(|i| i as f64 / 3.0).collect::<Vec<_>>(),
        ]
        .unwrap()
    };
    let reads = [("a", Reading::Number), ("a:text", Reading::Text), ("b", Reading::Text), ("c", Reading::Number)];
    for (format, path) in [
        (Format::Parquet, parquet(&folder, "good.parquet", frame())),
        (Format::Ipc, ipc(&folder, "good.arrow", frame())),
    ] {
        let good = std::fs::read(&path).unwrap();
        let (mut refusals, mut read) = (0, 0);
        for i in 0..400 {
            let mut bytes = good.clone();
            match i % 4 {
                0 => bytes.truncate(good.len() * i / 400),
                1 => bytes[good.len() * i / 400] ^= 0xff,
                2 => bytes[good.len() - 1 - i] ^= 1 << (i % 8),
                _ => bytes[good.len() * i / 400..].iter_mut().take(8).for_each(|byte| *byte = 0xff),
            }
            // A name of its own: polars may still map the file before, and a mapped file that shrinks ends the process.
            let bad = file(&folder, &format!("{i}"), &bytes);
            let scan = scan(vec![bad], format, &reads);
            match within_a_minute(move || collect(&ENGINE, &scan, &histograms(&scan))) {
                Ok(found) => {
                    let texts = held(&found, "b");
                    assert!(texts.iter().all(|text| std::str::from_utf8(text.as_bytes()).is_ok()), "{format:?} {i}");
                    read += 1;
                }
                Err(e) => {
                    assert!(!e.to_string().contains("secret"), "{e}");
                    refusals += 1;
                }
            }
        }
        assert!(refusals > 100 && read + refusals == 400, "{format:?}: {read} read, {refusals} refused");
    }
}

#[test]
fn texts_that_are_not_utf8_are_refused_in_columnar_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame = df!["b" => (0..50).map(|i| format!("secret of some length {i}")).collect::<Vec<_>>()].unwrap();
    let plain = file(&folder, "t.parquet", b"");
    let writer = ParquetWriter::new(std::fs::File::create(&plain).unwrap());
    writer.with_compression(ParquetCompression::Uncompressed).finish(&mut frame).unwrap();
    for (format, path) in [(Format::Parquet, plain), (Format::Ipc, ipc(&folder, "t.arrow", frame))] {
        let mut bytes = std::fs::read(&path).unwrap();
        let places: Vec<usize> = (0..bytes.len() - 9).filter(|&at| bytes[at..].starts_with(b"some leng")).collect();
        assert!(!places.is_empty());
        places.into_iter().for_each(|at| bytes[at] = 0xff);
        std::fs::write(&path, bytes).unwrap();
        let scan = scan(vec![path], format, &[("b", Reading::Text)]);
        let why = refused(&ENGINE, &scan, &histograms(&scan));
        assert!(why.contains("it may be damaged") && !why.contains("secret"), "{format:?}: {why}");
    }
}

#[test]
fn packed_files_cut_short_or_damaged_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        [b"a\n".to_vec(), (0..400_000u64).flat_map(|i| format!("{}\n", i * 7919 % 100_003).into_bytes()).collect()]
            .concat();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&text).unwrap();
    for (good, extension) in [(gz.finish().unwrap(), "gz"), (zstd::encode_all(&text[..], 1).unwrap(), "zst")] {
        let mut wrong = good.clone();
        wrong[good.len() - 6] ^= 0x5a;
        let garbage = [&good[..], b"more"].concat();
        for (name, bytes) in [
            ("cut", &good[..good.len() / 2]),
            ("stub", &good[..3]),
            ("wrong", &wrong),
            ("more", &garbage),
            ("none", b"a,b\n1,2\n"),
        ] {
            // The last bytes of gzip are a checksum; zstd has none unless it was asked for.
            if (name, extension) == ("wrong", "zst") {
                continue;
            }
            let scan = scan(
                vec![file(&folder, &format!("{name}.csv.{extension}"), bytes)],
                Format::Csv,
                &[("a", Reading::Number)],
            );
            let why = within_a_minute(move || refused(&ENGINE, &scan, &histograms(&scan)));
            assert!(why.contains("cannot be unpacked"), "{name}.{extension}: {why}");
        }
        let loud = file(&folder, &format!("LOUD.CSV.{}", extension.to_uppercase()), &good);
        let scan = scan(vec![loud], Format::Csv, &[("a", Reading::Number)]);
        assert_eq!(
            release(
                ENGINE
                    .collect(&scan, &[demand("n", Shape::Tally { axes: vec![], weight: None })], &|_| ())
                    .unwrap()
                    .evidence
            )
            .tally("n")
            .unwrap()
            .total()
            .n,
            400_000
        );
    }
}

#[test]
fn files_of_one_source_may_order_their_columns_differently_but_must_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let reads = [("a", Reading::Number), ("b", Reading::Text)];
    let csv = |name: &str, text: &str| file(&folder, name, text.as_bytes());
    let one = |a: &[i64], b: &[&str]| df!["a" => a, "b" => b].unwrap();
    let cases = [
        (Format::Csv, csv("1.csv", "a,b\n1,x\n"), csv("2.csv", "c,b,a\n9,y,2\n"), csv("3.csv", "a,c\n1,2\n")),
        (
            Format::Parquet,
            parquet(&folder, "1.parquet", one(&[1], &["x"])),
            parquet(&folder, "2.parquet", df!["c" => [9i64], "b" => ["y"], "a" => [2.0]].unwrap()),
            parquet(&folder, "3.parquet", df!["a" => [1i64], "c" => [2i64]].unwrap()),
        ),
        (
            Format::Ipc,
            ipc(&folder, "1.arrow", one(&[1], &["x"])),
            ipc(&folder, "2.arrow", df!["c" => [9i64], "b" => ["y"], "a" => [2.0]].unwrap()),
            ipc(&folder, "3.arrow", df!["a" => [1i64], "c" => [2i64]].unwrap()),
        ),
    ];
    for (format, first, second, third) in cases {
        let whole = scan(vec![first.clone(), second], format, &reads);
        let found = collect(&ENGINE, &whole, &histograms(&whole)).unwrap();
        assert_eq!(
            (held(&found, "a"), held(&found, "b")),
            (vec!["1 x 1".into(), "2 x 1".into()], vec!["x x 1".into(), "y x 1".into()]),
            "{format:?}"
        );
        let lacking = scan(vec![first, third.clone()], format, &reads);
        let why = refused(&ENGINE, &lacking, &histograms(&lacking));
        assert!(why.starts_with(third.to_str().unwrap()) && why.contains("the column \"b\" is not there"), "{why}");
    }
}

#[test]
fn ndjson_is_read_by_name_or_refused_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let reads = [("id", Reading::Text), ("x", Reading::Number), ("x:wrong", Reading::NoNumber), ("t", Reading::Truth)];
    let text = "{\"id\": 9007199254740993, \"x\": 1.5, \"t\": true}\r\n\r\n{\"t\": 0, \"x\": {\"deep\": [1]}, \"id\": 18446744073709551615}\r\n\
                {\"id\": \"a\", \"x\": \"-2e1\", \"t\": \"no\", \"other\": null}\r\n{\"id\": -9007199254740993, \"x\": null}";
    let good = scan(vec![file(&folder, "t.ndjson", text.as_bytes())], Format::Ndjson, &reads);
    let found = collect(&ENGINE, &good, &histograms(&good)).unwrap();
    assert_eq!(
        held(&found, "id"),
        ["-9007199254740993 x 1", "18446744073709551615 x 1", "9007199254740993 x 1", "a x 1"]
    );
    assert_eq!(held(&found, "x"), ["-20 x 1", "1.5 x 1", "missing x 2"]);
    assert_eq!(held(&found, "x:wrong"), ["0 x 2", "1 x 1", "missing x 1"]);
    assert_eq!(held(&found, "t"), ["0 x 2", "1 x 1", "missing x 1"]);
    for (line, why) in [
        ("[1, \"secret\"]", "line 2 is no JSON object"),
        ("{\"id\": \"secret\"", "line 2 is no JSON object"),
        ("{\"x\": 1e999}", "line 2 is no JSON object"),
        ("{\"x\": NaN}", "line 2 is no JSON object"),
        ("{\"x\": 1, \"id\": \"secret\", \"x\": 2}", "line 2 names a column twice"),
        (&"[".repeat(100_000), "line 2 is no JSON object"),
    ] {
        let bad = scan(
            vec![file(&folder, "bad.ndjson", format!("{{\"id\": 1, \"x\": 2, \"t\": 1}}\n{line}\n").as_bytes())],
            Format::Ndjson,
            &reads,
        );
        let message = refused(&ENGINE, &bad, &histograms(&bad));
        assert!(message.contains(why) && !message.contains("secret"), "{message}");
    }
    let lacking =
        scan(vec![file(&folder, "lacking.ndjson", b"{\"id\": 1, \"t\": 1, \"y\": 3}\n")], Format::Ndjson, &reads);
    assert!(refused(&ENGINE, &lacking, &histograms(&lacking)).contains("the column \"x\" is not there"));
}

/// Three rows of every type.
fn every_type() -> DataFrame {
    let of =
        |name: &str, values: &[Option<i64>], dtype: DataType| Column::new(name.into(), values).cast(&dtype).unwrap();
    let decimal = Column::new("decimal".into(), ["12345678901234567890.50", "-0.05", "3.00"])
        .cast(&DataType::Decimal(30, 2))
        .unwrap();
    let whole =
        Column::new("whole".into(), ["12345678901234567891", "-5", "0"]).cast(&DataType::Decimal(30, 0)).unwrap();
    let columns = vec![
        of("date", &[Some(0), Some(19_000), None], DataType::Int32).cast(&DataType::Date).unwrap(),
        of("at", &[Some(0), Some(1_500_000_000_000_001), None], DataType::Datetime(TimeUnit::Microseconds, None)),
        of("time", &[Some(0), Some(3_600_000_000_000), None], DataType::Time),
        Column::new("kind".into(), ["a", "b", "a"]).cast(&DataType::from_categories(Categories::global())).unwrap(),
        of("small", &[Some(-5), Some(1), None], DataType::Int8),
        of("great", &[Some(9_007_199_254_740_993), Some(0), None], DataType::Int64),
        Column::new("unsigned".into(), [u64::MAX, 1, 0]),
        Column::new("float".into(), [Some(f64::NAN), Some(f64::INFINITY), Some(-0.0)]),
        Column::full_null("null".into(), 3, &DataType::Null),
        decimal,
        whole,
    ];
    DataFrame::new(3, columns).unwrap()
}

/// Typed columns read as text, as number and as truth value.
#[test]
fn every_type_of_a_columnar_file_has_a_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let frame = every_type();
    let packed = file(&folder, "packed.arrow", b"");
    let writer = IpcWriter::new(std::fs::File::create(&packed).unwrap());
    writer.with_compression(Some(IpcCompression::ZSTD(Default::default()))).finish(&mut frame.clone()).unwrap();
    let texts = [
        ("date", vec!["1970-01-01 x 1", "2022-01-08 x 1", "missing x 1"]),
        ("at", vec!["1970-01-01 00:00:00.000000 x 1", "2017-07-14 02:40:00.000001 x 1", "missing x 1"]),
        ("time", vec!["00:00:00 x 1", "01:00:00 x 1", "missing x 1"]),
        ("kind", vec!["a x 2", "b x 1"]),
        ("small", vec!["-5 x 1", "1 x 1", "missing x 1"]),
        ("great", vec!["0 x 1", "9007199254740993 x 1", "missing x 1"]),
        ("unsigned", vec!["0 x 1", "1 x 1", "18446744073709551615 x 1"]),
        ("float", vec!["0 x 1", "missing x 2"]),
        ("null", vec!["missing x 3"]),
        ("decimal", vec!["-0.05 x 1", "12345678901234567890.5 x 1", "3 x 1"]),
        ("whole", vec!["-5 x 1", "0 x 1", "12345678901234567891 x 1"]),
    ];
    let numbers = [
        ("date", vec!["missing x 3"]),
        ("small", vec!["-5 x 1", "1 x 1", "missing x 1"]),
        ("great", vec!["0 x 1", "9007199254740992 x 1", "missing x 1"]),
        ("unsigned", vec!["0 x 1", "1 x 1", "18446744073709552000 x 1"]),
        ("float", vec!["0 x 1", "missing x 2"]),
        ("decimal", vec!["-0.05 x 1", "3 x 1", "12345678901234567000 x 1"]),
    ];
    for (format, path) in [
        (Format::Parquet, parquet(&folder, "t.parquet", frame.clone())),
        (Format::Ipc, ipc(&folder, "t.arrow", frame.clone())),
        (Format::Ipc, packed),
    ] {
        for (by, expected) in [(Reading::Text, &texts[..]), (Reading::Number, &numbers[..])] {
            let reads: Vec<_> = expected.iter().map(|(name, _)| (*name, by)).collect();
            let scan = scan(vec![path.clone()], format, &reads);
            let found = collect(&ENGINE, &scan, &histograms(&scan)).unwrap();
            for (name, values) in expected {
                assert_eq!(&held(&found, name), values, "{format:?} {name} {by:?}");
            }
        }
        let scan = scan(
            vec![path],
            format,
            &[
                ("float", Reading::NoNumber),
                ("date", Reading::NoNumber),
                ("small", Reading::Truth),
                ("small:wrong", Reading::NoTruth),
            ],
        );
        let found = collect(&ENGINE, &scan, &histograms(&scan)).unwrap();
        assert_eq!(held(&found, "float"), ["0 x 1", "1 x 2"]);
        assert_eq!(held(&found, "date"), ["1 x 2", "missing x 1"]);
        assert_eq!(held(&found, "small"), ["1 x 1", "missing x 2"]);
        assert_eq!(held(&found, "small:wrong"), ["0 x 1", "1 x 1", "missing x 1"]);
    }
}

/// The first defect in the order of the rows is the one named, also when the end of the file is defective too.
#[test]
fn an_open_quote_is_a_field_too_long_and_an_earlier_defect_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let open = [b"a,b\n1,2\n1,\"".to_vec(), b"secret 1,2\n".repeat(7 << 20)].concat();
    let both = [b"a,b\n1,2\n1\n".to_vec(), b"1,2\n".repeat(1 << 19), open[4..].to_vec()].concat();
    for (name, bytes, expected) in [
        ("open", open, "a field is longer than 67108864 bytes"),
        ("both", both, "line 3: 1 fields where the header has 2"),
    ] {
        let path = file(&folder, name, &bytes);
        let scan = scan(vec![path], Format::Csv, &[("a", Reading::Number)]);
        let (mine, oracle) =
            (refused(&ENGINE, &scan, &histograms(&scan)), refused(&Reference, &scan, &histograms(&scan)));
        assert!(mine.contains(expected) && !mine.contains("secret"), "{mine}");
        assert_eq!(mine, oracle);
    }
}

#[test]
fn a_folder_or_nothing_in_place_of_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Csv, Format::Ndjson, Format::Parquet, Format::Ipc] {
        for path in [folder.path().to_path_buf(), folder.path().join("gone")] {
            let scan = scan(vec![path], format, &[("a", Reading::Number)]);
            let why = within_a_minute(move || refused(&ENGINE, &scan, &histograms(&scan)));
            assert!(
                why.contains("cannot be read") && why.starts_with(folder.path().to_str().unwrap()),
                "{format:?}: {why}"
            );
        }
    }
    let scan = scan(vec![folder.path().into()], Format::Csv, &[("a", Reading::Number)]);
    assert!(refused(&Reference, &scan, &histograms(&scan)).contains("it is a folder"));
}

/// A separator that is no ASCII character would cut letters in two.
#[test]
fn a_separator_that_cannot_be_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "t.csv", "a\u{e9}b\nx\u{e9}y\n".as_bytes());
    for delimiter in [0xc3, 0xa9, b'"', b'\n', b'\r'] {
        let mut scan = scan(vec![path.clone()], Format::Csv, &[("a", Reading::Text)]);
        scan.source.delimiter = delimiter;
        for engine in [&ENGINE as &dyn Engine, &Reference] {
            assert!(refused(engine, &scan, &histograms(&scan)).contains("cannot separate fields"), "{delimiter}");
            assert!(engine.describe(&scan.source).is_err());
        }
    }
}

/// A file's path in a message is the path given.
#[test]
fn messages_name_the_file() {
    let path = Path::new("no/such/file.csv");
    let scan = scan(vec![path.into()], Format::Csv, &[("a", Reading::Text)]);
    for engine in [&ENGINE as &dyn Engine, &Reference] {
        assert!(refused(engine, &scan, &histograms(&scan)).starts_with("no/such/file.csv: cannot be read"));
    }
}

/// Writes to the file after every pass.
struct Restless(PathBuf);

impl Engine for Restless {
    fn describe(&self, source: &Source) -> Result<Vec<evenhand::scan::SourceColumn>, EngineError> {
        ENGINE.describe(source)
    }

    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<evenhand::engine::Collected, EngineError> {
        let collected = ENGINE.collect(scan, demands, progress)?;
        std::fs::OpenOptions::new().append(true).open(&self.0).unwrap().write_all(b"f,1,1\n").unwrap();
        Ok(collected)
    }
}

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| ()
    }
    fn done(&self, _: Option<u64>) {}
}

#[test]
fn a_source_that_changes_between_passes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path =
        file(&folder, "t.csv", ["sex,hired,wanted\n", &"f,1,1\nm,0,1\nm,1,0\nf,0,0\n".repeat(50)].concat().as_bytes());
    let text = "pipeline = { name = \"t\" }\ningest = { path = \"t.csv\" }\n[schema]\nsex = { roles = [\"protected\"] }\n\
                hired = { roles = [\"prediction\"], positive = \"1\" }\nwanted = { roles = [\"target\"], positive = \"1\" }\n";
    let spec = toml::from_str(text).unwrap();
    let parse = |text: &str| evenhand::plan::expression::parse(text).map_err(|e| e.message);
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse };
    let run = |engine: &dyn Engine| {
        audit(&pipeline, engine, jiff::civil::date(2026, 1, 1), &mut Meter::start(), &Silent, &mut Paying::nobody())
    };
    let calm = run(&ENGINE).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((calm.passes_planned, calm.passes_run), (2, 2));
    let why = run(&Restless(path)).err().unwrap().to_string();
    assert!(why.contains("the source changed while it was read"), "{why}");
}
