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

mod noisy;

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
            writeln!(text, "[schema.{name}]\nroles = [\"{role}\"]\nas = \"number\"").unwrap();
            match target && train.contains("logistic") {
                true => text.push_str("positive = \"1\"\n"),
                false => writeln!(text, "bounds = [{lower:?}, {upper:?}]").unwrap(),
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
    run_with(csv, toml, panel_rows, &Learned::default())
}

fn run_with(
    csv: &str,
    toml: &str,
    panel_rows: Option<usize>,
    learned: &Learned,
) -> Result<(Model, Vec<String>), TrainError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), csv).unwrap();
    let plan = planned(toml, folder.path(), learned);
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

fn planned(toml: &str, folder: &std::path::Path, learned: &Learned) -> Plan {
    let spec: Spec = toml::from_str(toml).unwrap();
    let source = plan::source(&spec, folder, &|path| Ok(vec![path.to_path_buf()])).unwrap();
    Plan::of(&spec, "", source, &|_| Err("no expressions here".into()), learned).unwrap()
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
        (0..150).map(|i| (u128::from(crate::demand::hash("0:fold", format!("{i}").as_bytes())) * 4) >> 60).collect();
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

fn classification(folder: &std::path::Path) -> Table {
    let text = std::fs::read_to_string(folder.join("synth-classification/synth_classification.csv")).unwrap();
    let fields = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let fit = fields.filter(|f| f[1] == "ref" && f[0].parse::<u64>().unwrap() % 2 == 0);
    Table::new(
        &["x1", "x2", "x3", "x4", "y"],
        fit.map(|f| f[3..].iter().map(|x| x.parse().unwrap()).collect()).collect(),
    )
}

#[test]
fn logistic_models_are_those_of_scikit_learn_and_statsmodels() {
    let Some((golden, folder)) = golden(1) else { return };
    let table = classification(&folder);
    assert_eq!(table.rows.len(), 500);
    let (means, deviations): (Vec<f64>, Vec<f64>) =
        (0..4).map(|j| (mean(&table.column(j)), deviation(&table.column(j)))).unzip();
    let on_scale = |model: &Model| {
        let raw = values(model, &table);
        let shift: f64 = raw.iter().zip(&means).map(|(b, m)| b * m).sum();
        let b: Vec<f64> = raw.iter().zip(&deviations).map(|(b, sd)| b * sd).collect();
        [vec![model.card.intercept + shift], b].concat()
    };
    let group = &golden["logistic"];
    for (name, c) in [("l2_C1", 1.0), ("l2_C0.1", 0.1)] {
        let train = format!("model = \"logistic\"\npenalty = \"ridge\"\nstrength = {:?}", 1.0 / (c * 500.0));
        let ours = on_scale(&table.train(&train).unwrap());
        let theirs = [vec![group[name]["intercept"].as_f64().unwrap()], numbers(&group[name]["coef"])].concat();
        println!("{name}: {:.1e}", apart(&ours, &theirs));
        assert!(apart(&ours, &theirs) < 1e-7, "{name} {:e}", apart(&ours, &theirs));
    }
    let model = table.train("model = \"logistic\"\npenalty = \"none\"").unwrap();
    let theirs = numbers(&group["mle"]["params"]);
    println!("mle: {:.1e}", apart(&on_scale(&model), &theirs));
    assert!(apart(&on_scale(&model), &theirs) < 1e-7, "{:e}", apart(&on_scale(&model), &theirs));
    let ours: Vec<f64> = errors(&model, &table).iter().zip(&deviations).map(|(se, sd)| se * sd).collect();
    println!("mle: errors {:.1e}", apart(&ours, &numbers(&group["mle"]["se"])[1..]));
    assert!(apart(&ours, &numbers(&group["mle"]["se"])[1..]) < 1e-6);
}

/// Rows of a logistic model with known coefficients.
fn chances(seed: u64, n: usize) -> Table {
    let mut table = synthetic(seed, n, 3);
    let mut rng = StdRng::seed_from_u64(seed + 1);
    for row in &mut table.rows {
        let eta = 0.8 * row[0] - 0.3 * (row[1] - 3.0) - 0.4;
        row[3] = f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-eta).exp())));
    }
    table
}

#[test]
fn two_rounds_over_all_rows_make_up_for_a_small_panel() {
    let table = chances(11, 6_000);
    for train in [
        "penalty = \"none\"",
        "penalty = \"ridge\"\nstrength = 0.01",
        "penalty = \"elastic-net\"\nstrength = 0.02\nl1_ratios = [0.5]",
    ] {
        let toml = table.toml(&format!("model = \"logistic\"\n{train}"));
        let (whole, passes) = run(&table.csv(), &toml, None).unwrap();
        let (part, _) = run(&table.csv(), &toml, Some(3_000)).unwrap();
        assert_eq!(passes.len(), logistic::FULL_ROUNDS);
        let worst = apart(&values(&part, &table), &values(&whole, &table));
        println!("{train}: {worst:.1e}");
        assert!(worst > 0.0 && worst < 1e-6, "{train} {worst:e}");
        assert!(
            part.card.notes.iter().any(|note| note.contains("converged on 3000 training rows")),
            "{:?}",
            part.card.notes
        );
    }
}

/// At the elastic net's minimum the slope of the mean log loss, recomputed here on all rows, is balanced by the penalty.
#[test]
fn an_elastic_net_meets_the_conditions_of_its_minimum() {
    let table = chances(12, 800);
    let (strength, ratio) = (0.05, 0.6);
    let train = format!("model = \"logistic\"\nstrength = {strength:?}\nl1_ratios = [{ratio:?}]");
    let model = table.train(&train).unwrap();
    assert!(model.card.coefficients.iter().all(|coefficient| coefficient.standard_error.is_none()));
    let raw = values(&model, &table);
    assert!(raw[2] == 0.0 && raw[0] != 0.0, "{raw:?}");
    for j in 0..3 {
        let column = table.column(j);
        let (middle, sd) = (mean(&column), deviation(&column));
        let slopes: Vec<f64> = table
            .rows
            .iter()
            .map(|row| {
                let eta = model.card.intercept + raw.iter().zip(row).map(|(b, x)| b * x).sum::<f64>();
                (row[j] - middle) / sd * (1.0 / (1.0 + (-eta).exp()) - row[3])
            })
            .collect();
        let b = raw[j] * sd;
        let slope = mean(&slopes) + strength * (1.0 - ratio) * b;
        match b == 0.0 {
            true => assert!(slope.abs() <= strength * ratio),
            false => assert!((slope + strength * ratio * b.signum()).abs() < 1e-7, "{slope}"),
        }
    }
}

/// The optimum of a ridge is inside its path, whatever the unit of the target.
#[test]
fn a_ridge_is_chosen_whatever_the_unit_of_the_target() {
    let table = synthetic(9, 150, 4);
    let train = "model = \"linear\"\npenalty = \"ridge\"\nfolds = 4";
    let model = table.train(train).unwrap();
    let path = &model.card.path;
    let (first, last) = (&path[0], &path[linear::STRENGTHS - 1]);
    assert!((first.strength - 100.0).abs() < 1e-6 && (last.strength - 1e-4).abs() < 1e-12, "{first:?} {last:?}");
    assert!(model.card.strength < first.strength && model.card.strength > last.strength, "{}", model.card.strength);
    let best = path.iter().map(|point| point.loss_mean).fold(f64::MAX, f64::min);
    assert!(best < 0.5 * first.loss_mean && best <= last.loss_mean, "{best} {first:?} {last:?}");
    assert!(model.card.notes.iter().all(|note| !note.contains("least strength")));
    let logistic = chances(13, 600).train("model = \"logistic\"\npenalty = \"ridge\"\nfolds = 3").unwrap();
    let (path, strength) = (&logistic.card.path, logistic.card.strength);
    assert!((path[0].strength - 100.0).abs() < 1e-6 && strength < 1.0, "{strength} {path:?}");
    // A path that ends before the optimum says so.
    let steep = table.train("model = \"linear\"\nl1_ratios = [0.002]\nfolds = 4").unwrap();
    assert!(steep.card.notes.iter().any(|note| note.contains("least strength")), "{:?}", steep.card.notes);
}

#[test]
fn the_penalty_of_a_logistic_model_is_chosen_on_folds() {
    let table = chances(13, 600);
    let model = table.train("model = \"logistic\"\nl1_ratios = [0.2, 1.0]\nfolds = 3").unwrap();
    assert_eq!(model.card.path.len(), 2 * logistic::STRENGTHS);
    let best = model.card.path.iter().map(|point| point.loss_mean).fold(f64::MAX, f64::min);
    let taken = model
        .card
        .path
        .iter()
        .find(|p| p.strength == model.card.strength && p.l1_ratio == model.card.l1_ratio)
        .unwrap();
    assert_eq!(taken.loss_mean, best);
    // The strongest penalty leaves the share of positives: its loss is the entropy, about ln 2 here.
    let share = mean(&table.column(3));
    let entropy = -share * share.ln() - (1.0 - share) * (1.0 - share).ln();
    assert!((model.card.path[0].loss_mean - entropy).abs() < 0.02, "{} {entropy}", model.card.path[0].loss_mean);
    assert!(best < 0.95 * entropy);
}

#[test]
fn what_no_logistic_model_fits_is_named() {
    let table = chances(14, 200);
    let with_label = |of: &dyn Fn(&[f64]) -> f64| {
        let mut table = table.clone();
        table.rows.iter_mut().for_each(|row| row[3] = of(row));
        table
    };
    let none = "model = \"logistic\"\npenalty = \"none\"";
    let ridge = "model = \"logistic\"\npenalty = \"ridge\"\nstrength = 0.1";
    for train in [none, ridge] {
        let message = failure(with_label(&|_| 1.0).train(train));
        assert!(message.contains("(\"y\" = 1) is true in all 200 training rows and false in none"), "{message}");
        let message = failure(with_label(&|_| 0.0).train(train));
        assert!(message.contains("(\"y\" = 1) is false in all 200 training rows"), "{message}");
        assert!(failure(with_label(&|_| f64::NAN).train(train)).contains("all 200 training rows lack"));
    }
    let separated = with_label(&|row| f64::from(u8::from(row[0] > 0.5)));
    let message = failure(separated.train(none));
    assert!(message.contains("separate the classes") && message.contains("penalty"), "{message}");
    assert!(separated.train(ridge).is_ok());
    // One level of an indicator has one label only: separated in one direction.
    let mut partly = table.clone();
    partly.names.insert(0, "flag".into());
    partly.rows.iter_mut().enumerate().for_each(|(i, row)| {
        row.insert(0, f64::from(u8::from(i < 20)));
        row[4] = if i < 20 { 1.0 } else { row[4] };
    });
    let message = failure(partly.train(none));
    assert!(message.contains("separate the classes") && message.contains("flag"), "{message}");
    assert!(partly.train(ridge).is_ok());
}

#[test]
fn the_order_of_rows_changes_nothing() {
    for (table, train) in [
        (synthetic(21, 60, 3), "model = \"linear\"\nfolds = 3"),
        (chances(22, 1_500), "model = \"logistic\"\nfolds = 3"),
    ] {
        let mut other = table.clone();
        other.rows.reverse();
        other.rows.rotate_left(7);
        let toml = table.toml(train);
        let trained = |table: &Table| run(&table.csv(), &toml, Some(1_200)).unwrap().0;
        assert!(trained(&table) == trained(&other));
    }
}

#[test]
fn the_stated_gap_bounds_the_integer_predictor() {
    let mut table = synthetic(31, 80, 3);
    let train = "model = \"linear\"\npenalty = \"none\"";
    let mut rng = StdRng::seed_from_u64(32);
    for scale in [1e-6, 1.0, 1e9] {
        table.rows.iter_mut().for_each(|row| row[3] *= scale);
        let model = table.train(train).unwrap();
        let spread = deviation(&table.column(3));
        assert!(model.card.integer_gap_max < 1e-5 * spread, "{} {spread}", model.card.integer_gap_max);
        let mut worst = 0.0f64;
        for _ in 0..2_000 {
            let x: Vec<f64> = model.predictor.bounds.iter().map(|(a, b)| a + (b - a) * rng.random::<f64>()).collect();
            let float =
                model.card.intercept + model.card.coefficients.iter().zip(&x).map(|(c, x)| c.value * x).sum::<f64>();
            let exact = model.predictor.eta(&x) as f64 * 2f64.powi(-(model.predictor.bits as i32));
            worst = worst.max((float - exact).abs());
        }
        assert!(worst <= model.card.integer_gap_max, "{worst} {}", model.card.integer_gap_max);
        assert!(worst > 0.05 * model.card.integer_gap_max, "the bound is not far from what happens");
        table.rows.iter_mut().for_each(|row| row[3] /= scale);
    }
}

#[test]
fn a_threshold_is_the_least_predictor_that_reaches_it() {
    use crate::scalar::Link;
    for bits in [10, 44, 52] {
        // At 52 bits a predictor is between -2 and 2.
        for probability in if bits < 52 { &[0.001, 0.2, 0.5, 0.73, 0.999][..] } else { &[0.2, 0.5, 0.73] } {
            let probability = *probability;
            let eta = integer::threshold(probability, bits);
            assert!(Link::Sigmoid.value(eta as f64, bits) >= probability);
            assert!(Link::Sigmoid.value((eta - 1) as f64, bits) < probability);
        }
        assert_eq!(integer::threshold(0.0, bits), -(1 << 53));
    }
    assert_eq!(integer::threshold(0.5, 44), 0);
}

#[test]
fn rows_that_share_units_have_no_standard_errors_and_weights_are_refused() {
    let mut table = synthetic(41, 60, 2);
    table.names.insert(0, "u".into());
    table.rows.iter_mut().enumerate().for_each(|(i, row)| row.insert(0, (i / 3) as f64));
    let toml = table.toml("model = \"linear\"\npenalty = \"none\"");
    let as_role = |role: &str| toml.replacen("roles = [\"feature\"]", &format!("roles = [\"{role}\"]"), 1);
    let (model, _) = run(&table.csv(), &as_role("privacy-unit"), None).unwrap();
    assert!(model.card.coefficients.iter().all(|coefficient| coefficient.standard_error.is_none()));
    assert!(model.card.notes.iter().any(|note| note.contains("rows share units")));
    let refused = run(&table.csv(), &as_role("weight"), None).map(|(model, _)| model);
    assert!(failure(refused).contains("does not take weights"));
}

#[test]
fn levels_are_against_their_reference_and_rows_that_lack_something_are_counted() {
    let mut csv = String::from("region,sex,x,y\n");
    for i in 0..40 {
        let (region, x) = (["a", "b", "c"][i % 3], (i * 7 % 11) as f64);
        let y = 1.0 + 2.0 * x + [0.0, 3.0, 5.0][i % 3];
        writeln!(csv, "{region},{},{x},{y}", ["f", "m"][i % 2]).unwrap();
    }
    csv += "a,f,,9\nb,m,,9\nz,f,4,16\n,m,5,18\n";
    let toml = |region: &str| {
        format!(
            "[pipeline]\nname = \"t\"\n[ingest]\npath = \"t.csv\"\n[schema.region]\nroles = [\"feature\"]\nlevels = [\"a\", \"b\", \"c\"]\n{region}\n[schema.sex]\nroles = [\"protected\", \"feature\"]\nlevels = [\"f\", \"m\"]\n[schema.x]\nroles = [\"feature\"]\nbounds = [0.0, 10.0]\n[schema.y]\nroles = [\"target\"]\nbounds = [0.0, 30.0]\n[train]\nmodel = \"linear\"\npenalty = \"none\"\nsplit = {{ train = 1.0, calibration = 0.0, test = 0.0 }}\n"
        )
    };
    let table =
        |model: &Model| model.card.coefficients.iter().map(|c| (c.feature.clone(), c.value)).collect::<Vec<_>>();
    let is = |model: &Model, expected: &[(&str, f64)]| {
        let found = table(model);
        assert!(found.len() == expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-9), "{found:?}");
    };
    let (model, _) = run(&csv, &toml(""), None).unwrap();
    is(&model, &[("region = b", 3.0), ("region = c", 5.0), ("x", 2.0)]);
    assert_eq!((model.card.rows_train, model.card.rows_skipped), (40, 4));
    assert!((model.card.intercept - 1.0).abs() < 1e-9);
    assert!(model.card.notes.iter().any(|note| note.contains("against the reference level a")));
    let (model, _) = run(&csv, &toml("reference = \"b\""), None).unwrap();
    is(&model, &[("region = a", -3.0), ("region = c", 2.0), ("x", 2.0)]);
    // A level outside the declared ones and a missing one are replaced and marked alike: 16 = 1 + 2 x 4 + 7, 18 = 1 + 2 x 5 + 7.
    let mut learned = Learned::default();
    learned.fill.insert("region".into(), crate::scalar::Value::Text("a".into()));
    let (model, _) = run_with(&csv, &toml("missing = \"impute\""), None, &learned).unwrap();
    is(&model, &[("region = b", 3.0), ("region = c", 5.0), ("region is missing", 7.0), ("x", 2.0)]);
    assert_eq!((model.card.rows_train, model.card.rows_skipped), (42, 2));
}

/// Longley-like: neighbouring features, hardly apart. Loose solutions would pass unnoticed.
#[test]
fn nearly_dependent_features_meet_the_conditions_of_the_minimum() {
    let mut rng = StdRng::seed_from_u64(51);
    let columns: Vec<Vec<f64>> = {
        let base: Vec<f64> = (0..60).map(|_| rng.random::<f64>()).collect();
        (0..5).map(|j| base.iter().map(|x| x + 1e-4 * j as f64 * rng.random::<f64>()).collect()).collect()
    };
    let y: Vec<f64> = (0..60).map(|i| columns[0][i] - 0.5 * columns[3][i] + 0.1 * rng.random::<f64>()).collect();
    let centre = |x: &[f64]| x.iter().map(|v| (v - mean(x)) / deviation(x)).collect::<Vec<_>>();
    let (x, y): (Vec<Vec<f64>>, Vec<f64>) = (columns.iter().map(|x| centre(x)).collect(), centre(&y));
    let gram = factor::Symmetric::of(5, |i, j| factor::dot(&x[i], &x[j]) / 60.0);
    let quadratic = quadratic::Quadratic::new(gram, x.iter().map(|x| factor::dot(x, &y) / 60.0).collect());
    for (absolute, square) in [(1e-2, 0.0), (1e-4, 0.0), (1e-6, 1e-6), (0.0, 1e-6), (0.0, 0.0)] {
        let weights = quadratic::Weights { absolute, square };
        let b = quadratic.minimise(weights).unwrap();
        assert!(quadratic.violation(&b, weights) <= quadratic::VIOLATION_MAX, "{weights:?}");
        let moved: Vec<f64> = b.iter().map(|b| b * 1.001).collect();
        assert!(quadratic.violation(&moved, weights) > quadratic::VIOLATION_MAX, "{weights:?}");
    }
}
