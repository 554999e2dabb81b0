//! Every metric there is, by sex, race and both, with all comparisons and 1,000 bootstrap replicates: how long counting takes, and measuring.

use evenhand::engine::Engine;
use evenhand::measure::{self, Subject};
use evenhand::privatize;
use evenhand::scalar::Vector;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::table::{memory, plan, texts};
use crate::{Setting, timed};

const COHORTS: &str = r#"
[pipeline]
name = "every"
[ingest]
path = "memory"
[schema]
sex = { roles = ["protected"], levels = ["F", "M"], reference = "M" }
race = { roles = ["protected"], levels = ["A", "B", "C", "D", "E"], reference = "A" }
"#;
const CLASSES: &str = r#"
label = { roles = ["target"], as = "number", positive = "1" }
decision = { roles = ["prediction"], as = "number", positive = "1" }
score = { roles = ["score"], bounds = [0, 1] }
"#;
const NUMBERS: &str = r#"
label = { roles = ["target"], bounds = [0, 100] }
decision = { roles = ["prediction"], bounds = [0, 100] }
"#;
const MEASURE: &str = r#"
[measure]
across = [["sex"], ["race"], ["sex", "race"]]
metrics = ["all"]
replicates = 1000
"#;

pub fn compare(setting: &Setting) {
    for (name, columns) in [("every metric of classification", CLASSES), ("every metric of regression", NUMBERS)] {
        one(setting, name, columns);
    }
}

fn one(setting: &Setting, name: &str, columns: &str) {
    let mut random = StdRng::seed_from_u64(7);
    let mut numbers: [Vec<f64>; 5] = Default::default();
    for _ in 0..setting.rows {
        let sex = f64::from(u8::from(random.random_bool(0.52)));
        let race = f64::from(random.random_range(0..5u32));
        let score = random.random_range(0.0..1.0f64);
        let label = f64::from(u8::from(random.random_bool(0.2 + 0.6 * score)));
        let decision = f64::from(u8::from(score + 0.05 * sex >= 0.5));
        let of_row = match columns == CLASSES {
            true => [sex, race, label, decision, score],
            false => [sex, race, 100.0 * score, (100.0 * score + 10.0 * label).min(100.0), score],
        };
        numbers.iter_mut().zip(of_row).for_each(|(column, value)| column.push(value));
    }
    let [sex, race, label, decision, score] = numbers;
    let vectors = [
        texts(&sex, &["F", "M"]),
        texts(&race, &["A", "B", "C", "D", "E"]),
        Vector::Number(label),
        Vector::Number(decision),
        Vector::Number(score),
    ];
    let names = ["sex", "race", "label", "decision", "score"].map(String::from);
    let engine = memory(setting.rows, names.into_iter().zip(vectors).collect());
    let plan = plan(&[COHORTS, columns, MEASURE].concat());
    let subject = Subject::given(&plan);
    let demands = measure::demands(&plan, &subject);
    let count = || privatize::release(engine.collect(&plan.scan, &demands, &|_| ()).unwrap().evidence);
    let (counting, released) = timed(setting.repeats, 1, count);
    let (measuring, found) = timed(setting.repeats, 1, || measure::measure(&plan, &subject, &released).unwrap());
    let least = |seconds: &[f64]| seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let (counting, measuring) = (least(&counting), least(&measuring));
    println!(
        "{name:38} {:>15}  counting {counting:.2}, measuring {measuring:.2}; {} metrics, {} readings, {} statistics of one pass",
        format!("{:.2}", counting + measuring),
        found.metrics.len(),
        found.readings.len(),
        demands.len()
    );
}
