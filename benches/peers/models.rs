//! Training on 20 features: elastic-net cross-validation and logistic regression, beside scikit-learn.

use std::fmt::Write as _;

use evenhand::demand::{Axis, hash};
use evenhand::engine::Engine;
use evenhand::engine::memory::Memory;
use evenhand::model::Model;
use evenhand::plan::Plan;
use evenhand::privatize;
use evenhand::scalar::Vector;
use evenhand::train::{Step, Trainer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::table::{Table, memory, plan};
use crate::{Setting, peer, report, timed};

const FEATURES: usize = 20;
const FOLDS: u32 = 5;
const PIP: &str = "pip install scikit-learn==1.9.1";

/// Five folds, four ratios, a hundred penalties: evenhand's folds on both sides, the same penalty chosen.
pub fn elastic_net(setting: &Setting) {
    let mut columns = columns(setting.rows);
    let target = "target = { roles = [\"target\"], bounds = BOUNDS }";
    let train = "model = \"linear\"\npenalty = \"elastic-net\"\nl1_ratios = [0.1, 0.5, 0.9, 1.0]\nfolds = 5";
    let pipeline = pipeline(&columns, &target.replace("BOUNDS", &bounds(&columns[FEATURES])), train);
    let folds = folds(&plan(&pipeline), setting.rows);
    columns.push(folds);
    let table = Table::write(&setting.folder, "elastic-net.bin", &columns);
    let engine = in_memory(&table);
    let (seconds, model) = timed(setting.repeats, 1, || fit(&plan(&pipeline), &engine));
    let peer = peer("elastic-net", &table, setting);
    report("elastic net, 5 folds x 4 x 100", &seconds, peer.as_ref().map(|peer| &*peer.cpu_seconds), PIP);
    if let Some(peer) = &peer {
        let (strength, ratio) = (peer.found["strength"].as_f64().unwrap(), peer.found["l1_ratio"].as_f64().unwrap());
        assert_eq!(model.card.l1_ratio, ratio);
        assert!((model.card.strength / strength - 1.0).abs() < 1e-9, "{} and {strength}", model.card.strength);
        println!("    both choose l1_ratio {ratio}, strength {strength:.6}; {}", differences(&model, &peer.found));
    }
}

/// Ridge of strength 1 / rows beside the mean loss: panel and two full rounds, beside newton-cholesky.
pub fn logistic(setting: &Setting) {
    let mut columns = columns(setting.rows);
    let label = "label = { roles = [\"target\"], as = \"number\", positive = \"1\" }";
    let train = format!("model = \"logistic\"\npenalty = \"ridge\"\nstrength = {}", 1.0 / setting.rows as f64);
    let pipeline = pipeline(&columns, label, &train);
    columns.push(vec![0.0; setting.rows]);
    let table = Table::write(&setting.folder, "logistic.bin", &columns);
    let engine = in_memory(&table);
    let (seconds, model) = timed(setting.repeats, 1, || fit(&plan(&pipeline), &engine));
    let peer = peer("logistic", &table, setting);
    report("logistic, ridge", &seconds, peer.as_ref().map(|peer| &*peer.cpu_seconds), PIP);
    if let Some(peer) = &peer {
        println!("    newton-cholesky took {} rounds; {}", peer.found["rounds"], differences(&model, &peer.found));
    }
}

fn fit(plan: &Plan, engine: &Memory) -> Model {
    let mut trainer = Trainer::new(plan);
    let mut demands = trainer.demands();
    loop {
        let collected = engine.collect(&plan.scan, &demands, &|_| ()).unwrap();
        match trainer.step(&privatize::release(collected.evidence)).unwrap() {
            Step::Done(model) => return *model,
            Step::Collect { demands: next, .. } => demands = next,
        }
    }
}

/// Features that are correlated and differ in mean and scale, then a numeric target and a label.
fn columns(rows: usize) -> Vec<Vec<f64>> {
    let mut random = StdRng::seed_from_u64(42);
    let mut columns: Vec<Vec<_>> = (0..FEATURES + 2).map(|_| Vec::with_capacity(rows)).collect();
    let normal = |random: &mut StdRng| -> f64 { StandardNormal.sample(random) };
    for _ in 0..rows {
        let common = 0.6 * normal(&mut random);
        let mut linear = 0.0;
        for (j, column) in columns[..FEATURES].iter_mut().enumerate() {
            let own = common + normal(&mut random);
            linear += if j % 3 == 0 { 0.0 } else { (1.7 * j as f64).cos() * own };
            column.push(own * (1.0 + 0.1 * j as f64) + j as f64 - 3.0);
        }
        columns[FEATURES].push(5.0 + linear + normal(&mut random));
        let label = random.random_bool(1.0 / (1.0 + (0.7 - 0.5 * linear).exp()));
        columns[FEATURES + 1].push(f64::from(u8::from(label)));
    }
    columns
}

fn bounds(column: &[f64]) -> String {
    let (least, greatest) = column.iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
    format!("[{:.1}, {:.1}]", least.floor(), greatest.ceil())
}

fn pipeline(columns: &[Vec<f64>], target: &str, train: &str) -> String {
    let mut text =
        String::from("[pipeline]\nname = \"models\"\n[ingest]\npath = \"memory\"\nkey = [\"id\"]\n[schema]\n");
    writeln!(text, "id = {{ roles = [\"identifier\"], as = \"number\" }}\n{target}").unwrap();
    for (j, column) in columns[..FEATURES].iter().enumerate() {
        writeln!(text, "x{j:02} = {{ roles = [\"feature\"], bounds = {} }}", bounds(column)).unwrap();
    }
    writeln!(text, "[train]\n{train}\nstandardise = false\nsplit = {{ train = 1.0, calibration = 0.0, test = 0.0 }}")
        .unwrap();
    text
}

/// The fold of every row by evenhand's hash.
fn folds(plan: &Plan, rows: usize) -> Vec<f64> {
    let salt = plan.salt("fold");
    let Axis::Hash { thresholds, .. } = Axis::buckets(plan.key.clone(), salt.clone(), FOLDS) else { unreachable!() };
    let fold = |row: usize| {
        let hash = hash(&salt, row.to_string().as_bytes());
        thresholds.iter().filter(|threshold| **threshold <= hash).count() as f64
    };
    (0..rows).map(fold).collect()
}

fn in_memory(table: &Table) -> Memory {
    let mut columns = table.read();
    columns.pop();
    let names = (0..FEATURES).map(|j| format!("x{j:02}")).chain(["target".into(), "label".into()]);
    let mut named: Vec<(String, Vector)> = names.zip(columns.into_iter().map(Vector::Number)).collect();
    named.push(("id".into(), Vector::Number((0..table.rows).map(|row| row as f64).collect())));
    memory(table.rows, named)
}

/// The greatest difference of the coefficients and that of the intercept.
fn differences(model: &Model, found: &serde_json::Value) -> String {
    let theirs: Vec<f64> = found["coefficients"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    let ours = model.card.coefficients.iter().map(|coefficient| coefficient.value);
    let greatest = ours.zip(&theirs).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
    format!(
        "greatest difference of coefficients {greatest:.1e}, of the intercept {:.1e}",
        (model.card.intercept - theirs[FEATURES]).abs()
    )
}
