//! Models against scikit-learn and statsmodels, against fits to all rows, and on data nothing can be trained on.

use std::fmt::Write as _;
use std::path::PathBuf;

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_elasticnet::ElasticNet;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::engine::Engine;
use crate::engine::reference::Reference;
use crate::plan::{self, Learned, spec::Spec};
use crate::privatize::release;

/// A table with a header; what a test trains on.
#[derive(Clone)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Table {
    fn new(names: &[&str], rows: Vec<Vec<f64>>) -> Table {
        Table { names: names.iter().map(|name| name.to_string()).collect(), rows }
    }

    fn column(&self, j: usize) -> Vec<f64> {
        self.rows.iter().map(|row| row[j]).collect()
    }

    fn bounds(&self, j: usize) -> (f64, f64) {
        let column = self.column(j);
        let (least, most) = column.iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
        (least, if most > least { most } else { least + 1.0 })
    }

    fn csv(&self) -> String {
        let mut text = self.names.join(",");
        for row in &self.rows {
            let fields: Vec<String> =
                row.iter().map(|x| if x.is_nan() { String::new() } else { format!("{x}") }).collect();
            write!(text, "\n{}", fields.join(",")).unwrap();
        }
        text + "\n"
    }

    /// A pipeline file: every column but the last is a feature on its own range, the last the target. A column `id` is the key.
    fn toml(&self, train: &str) -> String {
        let last = self.names.len() - 1;
        let mut text = String::from("[pipeline]\nname = \"t\"\n[ingest]\npath = \"t.csv\"\n");
        for (j, name) in self.names.iter().enumerate() {
            if name == "id" {
                text.push_str("[schema.id]\n[contract]\nunique_key = [\"id\"]\n");
                continue;
            }
            let (lower, upper) = self.bounds(j);
            let target = j == last;
            let role = if target { "target" } else { "feature" };
            write!(text, "[schema.{name}]\nroles = [\"{role}\"]\nas = \"number\"\n").unwrap();
            match target && train.contains("logistic") {
                true => text.push_str("positive = \"1\"\n"),
                false => write!(text, "bounds = [{lower:?}, {upper:?}]\n").unwrap(),
            }
        }
        text + "[train]\nsplit = { train = 1.0, calibration = 0.0, test = 0.0 }\n" + train
    }

    fn train(&self, train: &str) -> Result<Model, TrainError> {
        run(&self.csv(), &self.toml(train), None).map(|(model, _)| model)
    }
}

/// Trains over a text of CSV and returns the passes made after the first.
fn run(csv: &str, toml: &str, panel_rows: Option<usize>) -> Result<(Model, Vec<String>), TrainError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), csv).unwrap();
    let plan = planned(toml, folder.path());
    let mut trainer = Trainer::new(&plan);
    if let Some(rows) = panel_rows {
        trainer.panel_rows = rows;
    }
    let collect = |demands: &[Demand]| release(Reference.collect(&plan.scan, demands, &|_| ()).unwrap().evidence);
    let mut released = collect(&trainer.demands());
    let mut reasons = Vec::new();
    loop {
        match trainer.step(&released)? {
            Step::Collect { reason, demands } => {
                reasons.push(reason);
                released.extend(collect(&demands));
            }
            Step::Done(model) => {
                assert_eq!(reasons, passes(&plan), "passes run are those of the plan");
                return Ok((*model, reasons));
            }
        }
    }
}

fn planned(toml: &str, folder: &std::path::Path) -> Plan {
    let spec: Spec = toml::from_str(toml).unwrap();
    let source = plan::source(&spec, folder, &|path| Ok(vec![path.to_path_buf()])).unwrap();
    Plan::of(&spec, "", source, &|_| Err("no expressions here".into()), &Learned::default()).unwrap()
}

fn failure(result: Result<Model, TrainError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

/// Coefficients in the order of the table's columns; the model has them by name.
fn coefficients<'m>(model: &'m Model, table: &'m Table) -> impl Iterator<Item = &'m crate::audit::Coefficient> {
    let find = |name: &String| model.card.coefficients.iter().find(|coefficient| coefficient.feature == *name);
    table.names.iter().filter_map(find)
}

fn values(model: &Model, table: &Table) -> Vec<f64> {
    coefficients(model, table).map(|coefficient| coefficient.value).collect()
}

fn errors(model: &Model, table: &Table) -> Vec<f64> {
    coefficients(model, table).map(|coefficient| coefficient.standard_error.unwrap()).collect()
}

/// Greatest difference relative to the largest value.
fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(1e-300f64, |most, x| most.max(x.abs()));
    ours.iter().zip(theirs).fold(0.0, |worst: f64, (x, y)| worst.max((x - y).abs())) / largest
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn deviation(x: &[f64]) -> f64 {
    let middle = mean(x);
    (x.iter().map(|x| (x - middle) * (x - middle)).sum::<f64>() / x.len() as f64).sqrt()
}

/// The golden file and the folder of the tables; none, with one line, where they are not installed.
fn golden(tests: usize) -> Option<(serde_json::Value, PathBuf)> {
    let Ok(folder) = std::env::var("EVENHAND_REFERENCE_DATA") else {
        println!("EVENHAND_REFERENCE_DATA is not set: {tests} test not run");
        return None;
    };
    let folder = PathBuf::from(folder);
    let text = std::fs::read_to_string(folder.join("golden/reliability.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    Some((all["values"].clone(), folder.join("data")))
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn diabetes(folder: &std::path::Path) -> Table {
    let text = std::fs::read_to_string(folder.join("diabetes/diabetes.csv")).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    Table::new(&names, lines.map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect())
}

#[test]
fn linear_models_are_those_of_scikit_learn() {
    let Some((golden, folder)) = golden(1) else { return };
    let table = diabetes(&folder);
    let n = table.rows.len() as f64;
    let group = &golden["diabetes"];
    let deviations = numbers(&group["x_sd_ddof0"]);
    let mut tried = 0;
    for (name, value) in group.as_object().unwrap() {
        if value.get("coef").is_none() {
            continue;
        }
        let after =
            |key: &str| name.split(key).nth(1).map(|text| text.split('_').next().unwrap().parse::<f64>().unwrap());
        let train = if let Some(alpha) = after("ridge_std_alpha") {
            format!("penalty = \"ridge\"\nstrength = {:?}", alpha / n)
        } else if let Some(alpha) = after("lasso_std_alpha") {
            format!("penalty = \"lasso\"\nstrength = {alpha:?}")
        } else if let (Some(alpha), Some(ratio)) = (after("_alpha"), after("_l1")) {
            let standardise = name.starts_with("enet_std");
            format!(
                "penalty = \"elastic-net\"\nstrength = {alpha:?}\nl1_ratios = [{ratio:?}]\nstandardise = {standardise}"
            )
        } else {
            continue;
        };
        let model = table.train(&format!("model = \"linear\"\n{train}")).unwrap();
        let raw = name.starts_with("enet_raw");
        let ours: Vec<f64> =
            values(&model, &table).iter().zip(&deviations).map(|(b, sd)| if raw { *b } else { b * sd }).collect();
        let theirs = numbers(&value["coef"]);
        let worst = apart(&ours, &theirs);
        println!("{name}: {worst:.1e}");
        assert!(worst < 1e-9, "{name} {worst:e}");
        let zeros = |b: &[f64]| b.iter().map(|b| *b == 0.0).collect::<Vec<_>>();
        assert_eq!(zeros(&ours), zeros(&theirs), "{name}");
        if raw {
            assert!((model.card.intercept / value["intercept"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        }
        tried += 1;
    }
    assert_eq!(tried, 10);
}

#[test]
fn least_squares_and_ridge_errors_are_those_of_statsmodels() {
    let Some((golden, folder)) = golden(1) else { return };
    let table = diabetes(&folder);
    let ols = table.train("model = \"linear\"\npenalty = \"none\"").unwrap();
    let group = &golden["diabetes_ols"];
    let coefficients = [vec![ols.card.intercept], values(&ols, &table)].concat();
    for (ours, theirs) in coefficients.iter().zip(numbers(&group["coef"])) {
        assert!((ours / theirs - 1.0).abs() < 1e-9, "{ours} {theirs}");
    }
    let worst = errors(&ols, &table)
        .iter()
        .zip(&numbers(&group["se"])[1..])
        .fold(0.0, |w: f64, (x, y)| w.max((x / y - 1.0).abs()));
    println!("least squares: coefficients {:.1e}, errors {worst:.1e}", apart(&coefficients, &numbers(&group["coef"])));
    assert!(worst < 1e-9, "{worst:e}");

    let ridge =
        table.train(&format!("model = \"linear\"\npenalty = \"ridge\"\nstrength = {:?}", 10.0 / 442.0)).unwrap();
    let group = &golden["diabetes_ridge10"];
    let deviations = numbers(&golden["diabetes"]["x_sd_ddof0"]);
    let ours: Vec<f64> = errors(&ridge, &table).iter().zip(&deviations).map(|(se, sd)| se * sd).collect();
    println!("ridge: errors {:.1e}", apart(&ours, &numbers(&group["se"])));
    assert!(apart(&ours, &numbers(&group["se"])) < 1e-9);
    let edf = format!("{:.2} effective", group["effective_df"].as_f64().unwrap());
    assert!(ridge.card.notes.iter().any(|note| note.contains(&edf)), "{edf}");
}

/// Rows with correlated features, one of which has no effect.
fn synthetic(seed: u64, n: usize, p: usize) -> Table {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut noise = move || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let row = |_| {
        let common = noise();
        let x: Vec<f64> = (0..p).map(|j| 3.0 * j as f64 + (1.0 + j as f64) * (noise() + 0.6 * common)).collect();
        let y = x.iter().enumerate().map(|(j, x)| x * if j == 1 { 0.0 } else { 1.0 / (1.0 + j as f64) }).sum::<f64>();
        [x, vec![y + 2.0 * noise()]].concat()
    };
    let rows: Vec<Vec<f64>> = (0..n).map(row).collect();
    let names: Vec<String> = (0..p).map(|j| format!("x{j}")).chain(["y".into()]).collect();
    Table { names, rows }
}

/// All rows, standardised and centred, as linfa takes them.
fn standardised(table: &Table) -> (Array2<f64>, Array1<f64>, Vec<f64>) {
    let p = table.names.len() - 1;
    let columns: Vec<Vec<f64>> = (0..=p).map(|j| table.column(j)).collect();
    let deviations: Vec<f64> = columns.iter().map(|column| deviation(column)).collect();
    let x = Array2::from_shape_fn((table.rows.len(), p), |(i, j)| (columns[j][i] - mean(&columns[j])) / deviations[j]);
    let y = Array1::from_iter(columns[p].iter().map(|y| y - mean(&columns[p])));
    (x, y, deviations)
}

#[test]
fn pseudo_rows_give_the_fit_of_all_rows() {
    let table = synthetic(5, 300, 6);
    let (x, y, deviations) = standardised(&table);
    let data = Dataset::new(x, y);
    for (strength, ratio) in [(0.1, 0.5), (0.5, 0.5), (0.05, 1.0), (0.3, 1.0), (2.0, 0.2)] {
        let full = ElasticNet::params()
            .with_intercept(false)
            .penalty(strength)
            .l1_ratio(ratio)
            .tolerance(1e-14)
            .max_iterations(50_000);
        let full = full.fit(&data).unwrap();
        let train = format!("model = \"linear\"\nstrength = {strength:?}\nl1_ratios = [{ratio:?}]");
        let ours: Vec<f64> =
            values(&table.train(&train).unwrap(), &table).iter().zip(&deviations).map(|(b, sd)| b * sd).collect();
        assert!(apart(&ours, full.hyperplane().as_slice().unwrap()) < 1e-9, "{strength} {ratio}");
    }
    let full = LinearRegression::new().with_intercept(false).fit(&data).unwrap();
    let ours = values(&table.train("model = \"linear\"\npenalty = \"none\"").unwrap(), &table);
    let ours: Vec<f64> = ours.iter().zip(&deviations).map(|(b, sd)| b * sd).collect();
    assert!(apart(&ours, full.params().as_slice().unwrap()) < 1e-9);
}

/// Cross-validation on rows, every fold fitted by linfa with many sweeps: the same losses and the same choice.
#[test]
fn cross_validation_from_moments_is_that_on_rows() {
    let table = synthetic(9, 150, 4);
    let (x, y, deviations) = standardised(&table);
    let mut keyed = table.clone();
    keyed.names.insert(0, "id".into());
    keyed.rows.iter_mut().enumerate().for_each(|(i, row)| row.insert(0, i as f64));
    let model = keyed.train("model = \"linear\"\nl1_ratios = [0.3, 1.0]\nfolds = 4").unwrap();
    assert_eq!(model.card.path.len(), 2 * linear::STRENGTHS);
    let folds: Vec<u128> =
        (0..150).map(|i| u128::from(crate::demand::hash("0:fold", format!("{i}").as_bytes())) * 4 >> 60).collect();
    let mut best = (f64::MAX, 0.0, 0.0);
    for point in &model.card.path {
        let losses: Vec<f64> =
            (0..4).map(|fold| held_out(&x, &y, &folds, fold, point.strength, point.l1_ratio)).collect();
        let loss = mean(&losses);
        assert!((point.loss_mean / loss - 1.0).abs() < 1e-9, "{} {loss}", point.loss_mean);
        let error = deviation(&losses) / 3f64.sqrt();
        assert!((point.loss_standard_error / error - 1.0).abs() < 1e-7);
        if loss < best.0 {
            best = (loss, point.strength, point.l1_ratio);
        }
    }
    assert_eq!((model.card.strength, model.card.l1_ratio), (best.1, best.2));
    // scikit-learn's path: from the strength that makes all coefficients zero to a thousandth of it.
    let slope = x.t().dot(&y).iter().fold(0.0f64, |most, s| most.max(s.abs())) / 150.0;
    for (at, ratio) in [(0, 0.3), (linear::STRENGTHS, 1.0)] {
        assert!((model.card.path[at].strength / (slope / ratio) - 1.0).abs() < 1e-9);
        assert!((model.card.path[at + linear::STRENGTHS - 1].strength / (slope / ratio) - 1e-3).abs() < 1e-12);
    }
    // Refitted to all training rows.
    let train = format!("model = \"linear\"\nstrength = {:?}\nl1_ratios = [{:?}]", best.1, best.2);
    assert_eq!(values(&table.train(&train).unwrap(), &table), values(&model, &table));
    assert_eq!(deviations.len(), 5);
}

/// Mean squared error over a fold of the elastic net of the other rows.
fn held_out(x: &Array2<f64>, y: &Array1<f64>, folds: &[u128], fold: u128, strength: f64, ratio: f64) -> f64 {
    let (outside, inside): (Vec<usize>, Vec<usize>) = (0..folds.len()).partition(|&i| folds[i] != fold);
    let (x_fit, y_fit) = (x.select(ndarray::Axis(0), &outside), y.select(ndarray::Axis(0), &outside));
    let (x_mean, y_mean) = (x_fit.mean_axis(ndarray::Axis(0)).unwrap(), y_fit.mean().unwrap());
    let data = Dataset::new(&x_fit - &x_mean, &y_fit - y_mean);
    let fit = ElasticNet::params()
        .with_intercept(false)
        .penalty(strength)
        .l1_ratio(ratio)
        .tolerance(1e-13)
        .max_iterations(5_000);
    let fit = fit.fit(&data).unwrap();
    let errors = inside.iter().map(|&i| y[i] - y_mean - (&x.row(i) - &x_mean).dot(fit.hyperplane()));
    errors.map(|e| e * e).sum::<f64>() / inside.len() as f64
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let table = synthetic(3, 40, 3);
    let with = |of: &dyn Fn(&[f64]) -> f64| {
        let mut table = table.clone();
        table.names.insert(0, "again".into());
        table.rows.iter_mut().for_each(|row| row.insert(0, of(row)));
        table
    };
    let ols = "model = \"linear\"\npenalty = \"none\"";
    let ridge = "model = \"linear\"\npenalty = \"ridge\"\nstrength = 0.1";
    let lasso = "model = \"linear\"\npenalty = \"lasso\"\nstrength = 0.1";
    for (made, named) in [(with(&|row| row[1]), "x1"), (with(&|row| 2.0 * row[0] - row[2]), "x2")] {
        let message = failure(made.train(ols));
        assert!(message.contains("again") && message.contains(named) && message.contains("penalty"), "{message}");
        for penalised in [ridge, lasso] {
            let model = made.train(penalised).unwrap();
            assert!(
                model.card.notes.iter().any(|note| note.contains("again") && note.contains(named)),
                "{:?}",
                model.card.notes
            );
        }
    }
    let constant = with(&|_| 7.0);
    assert!(failure(constant.train(ols)).contains("the same value in all 40 training rows: again"));
    let model = constant.train(ridge).unwrap();
    assert_eq!(values(&model, &constant)[0], 0.0);
    assert!(model.card.notes.iter().any(|note| note.contains("again")));
    assert!(apart(&values(&model, &constant)[1..], &values(&table.train(ridge).unwrap(), &table)) < 1e-12);
    assert!(failure(with(&|_| f64::NAN).train(ridge)).contains("all 40 training rows lack"));
    let few = Table { names: table.names.clone(), rows: table.rows[..3].to_vec() };
    assert!(failure(few.train(ols)).contains("3 training rows cannot determine 3"), "{}", failure(few.train(ols)));
    assert!(values(&few.train(ridge).unwrap(), &few).iter().all(|b| b.is_finite()));
    let one = Table { names: table.names.clone(), rows: table.rows[..1].to_vec() };
    assert!(failure(one.train(ridge)).contains("nothing to explain"));
    let none = Table { names: table.names.clone(), rows: Vec::new() };
    assert!(
        failure(run(&none.csv(), &table.toml(ridge), None).map(|(model, _)| model))
            .contains("no row is in the training part")
    );
    let wide = table.toml(ridge).replace(
        "[schema.x0]\nroles = [\"feature\"]\nas = \"number\"\nbounds = [",
        "[schema.x0]\nroles = [\"feature\"]\nas = \"number\"\nbounds = [-1e9, 1e9] #",
    );
    assert!(
        failure(run(&table.csv(), &wide, None).map(|(model, _)| model))
            .contains("wider than the spread of the values: x0")
    );
}
