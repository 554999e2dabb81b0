//! CPU seconds of evenhand beside those of Python libraries that do the same work, on the same bytes, one thread each, in one run.
//!
//! `EVENHAND_PEER_PYTHON` names a Python that has the libraries (`python3` when unset); without them there is no ratio.
//! `EVENHAND_BENCH_ROWS` sets the number of rows (1 million when unset), `EVENHAND_BENCH_REPEATS` how often each is measured (3).
//! That both find the same is asserted; how long it takes is only printed. Reading the table is not timed.

use std::path::PathBuf;

mod every;
mod fairness;
mod models;
mod table;

use table::Table;

/// How much is measured, and where the tables are.
pub struct Setting {
    pub rows: usize,
    pub repeats: usize,
    pub folder: PathBuf,
}

type Bench = fn(&Setting);

fn main() {
    let number = |name: &str, unset| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(unset);
    let folder = std::env::temp_dir().join("evenhand-bench");
    std::fs::create_dir_all(&folder).unwrap();
    let repeats = number("EVENHAND_BENCH_REPEATS", 3usize).max(1);
    let setting = Setting { rows: number("EVENHAND_BENCH_ROWS", 1_000_000), repeats, folder };
    println!("{} rows, 1 thread, {} times each; CPU seconds: least (median)", setting.rows, setting.repeats);
    println!("{:38} {:>15} {:>18} {:>8}", "", "evenhand", "peer", "ratio");
    let only = std::env::var("EVENHAND_BENCH_ONLY").unwrap_or_default();
    let benches: [(&str, Bench); 4] = [
        ("fairlearn", fairness::compare),
        ("every", every::compare),
        ("elastic-net", models::elastic_net),
        ("logistic", models::logistic),
    ];
    for (name, bench) in benches {
        if only.is_empty() || only == name {
            bench(&setting);
        }
    }
}

/// One line: both, and how many times the peer's CPU is evenhand's.
fn report(name: &str, ours: &[f64], peer: Option<&[f64]>, pip: &str) {
    let both = |seconds: &[f64]| {
        let mut seconds = seconds.to_vec();
        seconds.sort_by(f64::total_cmp);
        (seconds[0], seconds[seconds.len() / 2])
    };
    let (least, median) = both(ours);
    print!("{name:38} {:>15}", format!("{least:.3} ({median:.3})"));
    match peer.map(both) {
        Some((peer, peer_median)) => {
            let ratio = format!("{:.1} ({:.1})", peer / least, peer_median / median);
            println!(" {:>18} {ratio:>8}", format!("{peer:.2} ({peer_median:.2})"));
        }
        None => println!("  not installed: no ratio ({pip})"),
    }
}

/// CPU seconds of every repeat, and the last result. Short work is repeated within one measurement: the clock ticks in hundredths.
fn timed<T>(repeats: usize, within: usize, mut of: impl FnMut() -> T) -> (Vec<f64>, T) {
    let mut last = of();
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = cpu_seconds();
        for _ in 0..within {
            last = of();
        }
        seconds.push((cpu_seconds() - start) / within as f64);
    }
    (seconds, last)
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> = stat.rsplit(')').next().unwrap().split_whitespace().filter_map(|x| x.parse().ok()).collect();
    // After the state letter: user time is field 14 of the line, system time field 15, in hundredths of a second.
    (fields[10] + fields[11]) / 100.0
}

/// A peer that has taken so long is not run again.
const LONG_SECONDS: f64 = 60.0;

/// What a peer needed, and what it found the last time.
struct Peer {
    cpu_seconds: Vec<f64>,
    found: serde_json::Value,
}

/// Runs a task of `peer.py` as often as is asked for; none when the libraries are not installed.
fn peer(task: &str, table: &Table, setting: &Setting) -> Option<Peer> {
    let python = std::env::var("EVENHAND_PEER_PYTHON").unwrap_or_else(|_| "python3".into());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/peer.py");
    let mut peer = Peer { cpu_seconds: Vec::new(), found: serde_json::Value::Null };
    while peer.cpu_seconds.len() < setting.repeats && peer.cpu_seconds.iter().sum::<f64>() < LONG_SECONDS {
        let mut child = std::process::Command::new(&python);
        child.args([program, task, table.path.to_str().unwrap(), &table.rows.to_string()]);
        for threads in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            child.env(threads, "1");
        }
        // Settings of the machine that make the peer's linear algebra slower than it is.
        child.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
        let output = child.output().ok()?;
        match output.status.code() {
            Some(0) => {}
            Some(3) => return None,
            _ => panic!("{task}: {}", String::from_utf8_lossy(&output.stderr)),
        }
        let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        peer.cpu_seconds.push(line["cpu_seconds"].as_f64().unwrap());
        peer.found = line["found"].clone();
    }
    Some(peer)
}
