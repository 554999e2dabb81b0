//! Ten rates with all comparisons: evenhand by sex, race and both with 1,000 bootstrap replicates, Fairlearn's `MetricFrame` by both only, with 10.

use evenhand::engine::Engine;
use evenhand::measure::{self, Measurement, Subject};
use evenhand::privatize;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::table::{Table, memory, plan, texts};
use crate::{Setting, peer, report, timed};

const SEXES: [&str; 2] = ["F", "M"];
const RACES: [&str; 5] = ["A", "B", "C", "D", "E"];

const PIPELINE: &str = r#"
[pipeline]
name = "fairness"
[ingest]
path = "memory"
[schema]
sex = { roles = ["protected"], levels = ["F", "M"], reference = "M" }
race = { roles = ["protected"], levels = ["A", "B", "C", "D", "E"], reference = "A" }
label = { roles = ["target"], as = "number", positive = "1" }
decision = { roles = ["prediction"], as = "number", positive = "1" }
[measure]
across = [["sex"], ["race"], ["sex", "race"]]
metrics = ["selection-rate", "true-positive-rate", "false-positive-rate", "true-negative-rate", "false-negative-rate",
    "positive-predictive-value", "accuracy", "error-rate", "f1-score", "balanced-accuracy"]
replicates = 1000
"#;

pub fn compare(setting: &Setting) {
    let table = Table::write(&setting.folder, "fairness.bin", &columns(setting.rows));
    let [sex, race, label, decision] = table.read().try_into().unwrap();
    let names = ["sex", "race", "label", "decision"].map(String::from);
    let vectors = [
        texts(&sex, &SEXES),
        texts(&race, &RACES),
        evenhand::scalar::Vector::Number(label),
        evenhand::scalar::Vector::Number(decision),
    ];
    let engine = memory(table.rows, names.into_iter().zip(vectors).collect());
    let (seconds, measurement) = timed(setting.repeats, 10, || {
        let plan = plan(PIPELINE);
        let subject = Subject::given(&plan);
        let collected = engine.collect(&plan.scan, &measure::demands(&plan, &subject), &|_| ()).unwrap();
        measure::measure(&plan, &subject, &privatize::release(collected.evidence)).unwrap()
    });
    let peer = peer("fairlearn", &table, setting);
    if let Some(peer) = &peer {
        same(&measurement, &peer.found);
    }
    let pip = "pip install fairlearn==0.15.0 'pandas<3' scikit-learn==1.9.1";
    report("ten rates x sex, race, sex x race", &seconds, peer.as_ref().map(|peer| &*peer.cpu_seconds), pip);
}

/// Sex and race as codes, label, decision. Groups differ in their outcomes and sizes.
fn columns(rows: usize) -> [Vec<f64>; 4] {
    let mut random = StdRng::seed_from_u64(7);
    let mut columns: [Vec<f64>; 4] = Default::default();
    for _ in 0..rows {
        let sex = usize::from(random.random_bool(0.52));
        let share = random.random_range(0.0..1.0f64);
        let race = [0.60, 0.78, 0.90, 0.97].iter().filter(|edge| **edge <= share).count();
        let shift = 0.05 * sex as f64 + [0.0, -0.08, 0.0, 0.0, -0.12][race];
        let label = f64::from(u8::from(random.random_bool(0.4 + shift)));
        let decision = f64::from(u8::from(0.25 * label + 0.5 * random.random_range(0.0..1.0f64) + shift >= 0.4));
        for (column, value) in columns.iter_mut().zip([sex as f64, race as f64, label, decision]) {
            column.push(value);
        }
    }
    columns
}

/// Every rate of every cohort of sex and race, within rounding.
fn same(measurement: &Measurement, found: &serde_json::Value) {
    let mut compared = 0;
    for reading in &measurement.readings {
        let levels: Vec<&str> = reading.cohort.pairs.iter().map(|(_, level)| &**level).collect();
        if reading.contrast.is_some() || levels.len() < 2 {
            continue;
        }
        let theirs =
            found.get(levels.join(" ")).or(found.get(levels.iter().rev().copied().collect::<Vec<_>>().join(" ")));
        let Some(theirs) = theirs.and_then(|cohort| cohort[&*reading.metric].as_f64()) else { continue };
        let ours = reading.measured.estimate().unwrap().point;
        assert!((ours - theirs).abs() < 1e-12, "{} {}: {ours} and {theirs}", reading.metric, reading.cohort);
        compared += 1;
    }
    assert_eq!(compared, 10 * SEXES.len() * RACES.len());
}
