//! A whole run against one streamed polars group-by over the same columns, each in a process of its own: wall and CPU seconds, private memory.
//!
//! `EVENHAND_BENCH_ROWS` sets the number of rows (10 million when unset); `EVENHAND_BENCH=noise` measures noise only. Prints ratios; nothing here
//! passes or fails.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use evenhand::engine::polars::Polars;
use evenhand::plan::expression::parse;
use evenhand::plan::spec::Spec;
use evenhand::privatize::noise::{Scale, discrete_gaussian, discrete_laplace};
use evenhand::run::{Paying, Pipeline, Progress, audit};
use evenhand::world::{Meter, rss_anon_bytes, threads};
use polars::prelude::*;
use rand::rngs::{ChaCha20Rng, StdRng};
use rand::{RngExt, SeedableRng};

const SEXES: [&str; 2] = ["f", "m"];
const RACES: [&str; 4] = ["asian", "black", "latino", "white"];
const REGIONS: [&str; 5] = ["north", "south", "east", "west", "centre"];

struct Quiet;

impl Progress for Quiet {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| ()
    }
    fn done(&self, _: Option<u64>) {}
}

fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or("").split_whitespace().filter_map(|x| x.parse().ok()).collect();
    // After the state letter: user time is field 14 of the line, system time field 15, in hundredths of a second.
    (fields[10] + fields[11]) / 100.0
}

/// Wall and CPU seconds, and the greatest private memory seen, in MiB.
fn measure(of: impl FnOnce()) -> (f64, f64, f64) {
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let watched = done.clone();
    let watcher = std::thread::spawn(move || {
        let mut most = 0;
        while !watched.load(std::sync::atomic::Ordering::Relaxed) {
            most = most.max(rss_anon_bytes().unwrap_or(0));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        most
    });
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    of();
    let seconds = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    (seconds.0, seconds.1, watcher.join().unwrap_or(0) as f64 / 1048576.0)
}

/// Twelve columns, one million rows at a time.
fn frame(rows: usize, first: usize) -> DataFrame {
    let mut random = StdRng::seed_from_u64(first as u64 + 1);
    let id: Vec<i64> = (first..first + rows).map(|i| i as i64).collect();
    let pick = |random: &mut StdRng, of: &[&'static str]| of[random.random_range(0..of.len())];
    let sex: Vec<&str> = (0..rows).map(|_| pick(&mut random, &SEXES)).collect();
    let race: Vec<&str> = (0..rows).map(|_| pick(&mut random, &RACES)).collect();
    let region: Vec<&str> = (0..rows).map(|_| pick(&mut random, &REGIONS)).collect();
    let age: Vec<i64> = (0..rows).map(|_| random.random_range(18..90)).collect();
    let years: Vec<i64> = (0..rows).map(|_| random.random_range(0..40)).collect();
    let income: Vec<f64> = (0..rows).map(|_| (random.random_range(1e4..1e5f64) * 100.0).round() / 100.0).collect();
    let debt: Vec<f64> = (0..rows).map(|_| (random.random_range(0.0..1.0f64) * 1e4).round() / 1e4).collect();
    let score: Vec<f64> = (0..rows).map(|_| (random.random_range(0.0..1.0f64) * 1e6).round() / 1e6).collect();
    let label: Vec<i64> = score.iter().map(|&score| i64::from(random.random_bool(score))).collect();
    let pred: Vec<i64> = score.iter().map(|&score| i64::from(score > 0.6)).collect();
    let amount: Vec<f64> = (0..rows)
        .map(|i| (1e3 + 0.2 * income[i] - 4e3 * debt[i] + random.random_range(-2e3..2e3f64)).round())
        .collect();
    df!["id" => id, "sex" => sex, "race" => race, "region" => region, "age" => age, "years" => years, "income" => income,
        "debt" => debt, "score" => score, "label" => label, "pred" => pred, "amount" => amount]
    .unwrap()
}

fn write(folder: &Path, rows: usize) -> (PathBuf, PathBuf) {
    let (csv, parquet) = (folder.join(format!("bench-{rows}.csv")), folder.join(format!("bench-{rows}.parquet")));
    if csv.exists() && parquet.exists() {
        return (csv, parquet);
    }
    let mut text = BufWriter::new(File::create(&csv).unwrap());
    let mut batched =
        ParquetWriter::new(File::create(&parquet).unwrap()).batched(&frame(1, 0).schema().clone()).unwrap();
    for first in (0..rows).step_by(1_000_000) {
        let mut part = frame(1_000_000.min(rows - first), first);
        CsvWriter::new(&mut text).include_header(first == 0).finish(&mut part).unwrap();
        batched.write_batch(&part).unwrap();
    }
    batched.finish().unwrap();
    text.flush().unwrap();
    (csv, parquet)
}

fn group_by(path: &Path) {
    let path = PlRefPath::new(path.to_str().unwrap());
    let scan = match path.as_str().ends_with(".csv") {
        true => LazyCsvReader::new(path).with_has_header(true).finish().unwrap(),
        false => LazyFrame::scan_parquet(path, Default::default()).unwrap(),
    };
    let sums = ["age", "years", "label", "pred"].map(|name| col(name).cast(DataType::Int64).sum());
    let floats = ["income", "debt", "score", "amount"].map(|name| col(name).sum());
    let all: Vec<Expr> = std::iter::once(len().alias("n")).chain(sums).chain(floats).collect();
    let groups = scan.group_by([col("sex"), col("race"), col("region")]).agg(all);
    let found = groups.collect_with_engine(Engine::Streaming).unwrap().unwrap_single();
    assert_eq!(found.height(), 40);
}

fn spec(path: &Path, model: &str) -> Spec {
    let mut text = format!(
        "[pipeline]\nname = \"bench\"\n[ingest]\npath = {:?}\nkey = [\"id\"]\n[schema]\nsex = {{ roles = [\"protected\"], levels = [\"f\", \"m\"] }}\n\
         race = {{ roles = [\"protected\"], levels = [\"asian\", \"black\", \"latino\", \"white\"] }}\n\
         id = {{ roles = [\"identifier\"], as = \"number\" }}\n",
        path.to_str().unwrap()
    );
    let feature = |name: &str, bounds: &str| format!("{name} = {{ roles = [\"feature\"], bounds = {bounds} }}\n");
    let features = [
        feature("age", "[18, 90]"),
        feature("years", "[0, 40]"),
        feature("income", "[10000, 100000]"),
        feature("debt", "[0, 1]"),
        "region = { roles = [\"feature\"], levels = [\"north\", \"south\", \"east\", \"west\", \"centre\"] }\n".into(),
    ]
    .concat();
    let measure = "[measure]\nacross = [[\"sex\"], [\"race\"], [\"sex\", \"race\"]]\n";
    let train = |kind: &str| {
        format!(
            "[train]\nmodel = \"{kind}\"\npenalty = \"elastic-net\"\nstrength = 0.001\nl1_ratios = [0.5]\n{measure}"
        )
    };
    let target = "label = { roles = [\"target\"], as = \"number\", positive = \"1\" }\n";
    match model {
        "given" => write!(
            text,
            "{features}{target}pred = {{ roles = [\"prediction\"], as = \"number\", positive = \"1\" }}\nscore = {{ roles = [\"score\"], bounds = [0, 1] }}\n{measure}"
        ),
        "linear" => write!(text, "{features}amount = {{ roles = [\"target\"], bounds = [0, 25000] }}\n{}", train("linear")),
        _ => write!(text, "{features}{target}{}", train("logistic")),
    }
    .unwrap();
    toml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// One case in this process: wall and CPU seconds, MiB, and why it failed.
fn case(path: &Path, model: &str) -> String {
    if model == "group-by" {
        group_by(path);
        let (wall, cpu, mib) = measure(|| group_by(path));
        return format!("{wall} {cpu} {mib} ");
    }
    let spec = spec(path, model);
    let engine = Polars { threads: threads() };
    let parse = |text: &str| parse(text).map_err(|e| e.message);
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: Path::new("/"), parse: &parse };
    let today = jiff::civil::date(2026, 1, 1);
    let mut failed = String::new();
    let (wall, cpu, mib) =
        measure(|| match audit(&pipeline, &engine, today, &mut Meter::start(), &Quiet, &mut Paying::nobody()) {
            Ok(audited) => assert_eq!(audited.passes_planned, audited.passes_run),
            Err(e) => failed = e.to_string(),
        });
    format!("{wall} {cpu} {mib} {failed}")
}

/// The case in a process of its own, so that no memory of the one before is counted.
fn apart(path: &Path, model: &str) -> ([f64; 3], String) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.env(CASE, model).env(CASE_PATH, path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut parts = text.splitn(4, ' ');
    let numbers = std::array::from_fn(|_| parts.next().and_then(|part| part.parse().ok()).unwrap_or(f64::NAN));
    (numbers, parts.next().unwrap_or("ended without a result").into())
}

const CASE: &str = "EVENHAND_BENCH_CASE";
const CASE_PATH: &str = "EVENHAND_BENCH_CASE_PATH";

/// Draws of integer noise per second on one core, beside what is recorded for another library (OpenDP 0.16: 4.4 to 5.5 us a Laplace draw, 9 to
/// 13 us a Gaussian one).
fn noise() {
    const DRAWS: u32 = 2_000_000;
    let mut random = ChaCha20Rng::seed_from_u64(1);
    println!("integer noise, million draws a second on one core (peer: Laplace 0.18 to 0.23, Gaussian 0.08 to 0.11)");
    for scale in [1u128, 10, 1000, 1 << 40] {
        let scale = Scale::new(scale, 1).unwrap();
        let variance = Scale::new(scale.numerator() * scale.numerator(), 1).unwrap();
        let rate = |draw: &mut dyn FnMut() -> i128| {
            let start = Instant::now();
            let sum = (0..DRAWS).fold(0i128, |sum, _| sum.wrapping_add(std::hint::black_box(draw())));
            std::hint::black_box(sum);
            f64::from(DRAWS) / start.elapsed().as_secs_f64() / 1e6
        };
        let laplace = rate(&mut || discrete_laplace(&mut random, &scale));
        let gaussian = rate(&mut || discrete_gaussian(&mut random, &variance));
        println!("scale or sigma {:14}: Laplace {laplace:6.2}, Gaussian {gaussian:6.2}", scale.numerator());
    }
}

fn main() {
    if std::env::var("EVENHAND_BENCH").is_ok_and(|part| part == "noise") {
        return noise();
    }
    if let (Ok(model), Ok(path)) = (std::env::var(CASE), std::env::var(CASE_PATH)) {
        print!("{}", case(Path::new(&path), &model));
        return;
    }
    let rows = std::env::var("EVENHAND_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    let folder = std::env::temp_dir().join("evenhand-bench");
    fs::create_dir_all(&folder).unwrap();
    let (csv, parquet) = write(&folder, rows);
    println!("{rows} rows, 12 columns, {} threads; ratios of wall and of CPU seconds", threads());
    println!("{:8} {:10} {:>8} {:>8} {:>9} {:>7} {:>7}", "source", "run", "wall s", "CPU s", "MiB", "wall", "CPU");
    for path in [&parquet, &csv] {
        let kind = path.extension().unwrap().to_str().unwrap();
        let ([wall, cpu, mib], _) = apart(path, "group-by");
        println!("{kind:8} {:10} {wall:8.2} {cpu:8.2} {mib:9.0} {:>7} {:>7}", "group-by", 1, 1);
        for model in ["given", "linear", "logistic"] {
            let (run, failed) = apart(path, model);
            let ratios = format!("{:7.1} {:7.1} {failed}", run[0] / wall, run[1] / cpu);
            println!("{kind:8} {model:10} {:8.2} {:8.2} {:9.0} {ratios}", run[0], run[1], run[2]);
        }
    }
}
