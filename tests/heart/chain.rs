//! The metrics of a trained model, from golden coefficients to figures, against scikit-learn.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand::engine::{Engine, reference::Reference};
use evenhand::estimate::Measured;
use evenhand::measure::{Score, Subject, demands, measure};
use evenhand::model::probability;
use evenhand::plan::spec::Spec;
use evenhand::plan::{self, Learned, Plan};
use evenhand::privatize::release;
use evenhand::scalar::{Arithmetic, Expr, Link, Order, Predictor, Scalar};
use serde_json::Value;

use crate::audit::{Audited, audit, ends, point};
use crate::expressions::tree;
use crate::reference::{Task, values};

/// Bits of the predictors built here; the sums of their coefficients leave room for them.
const BITS: u32 = 42;
/// Normal quantile of a two-sided interval at 95 %.
const Z: f64 = 1.959_963_984_540_054;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// A table of numbers and texts by column.
struct Table {
    columns: BTreeMap<String, Vec<String>>,
}

impl Table {
    fn read(path: &Path) -> Table {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header = reader.headers().unwrap().clone();
        let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in reader.records() {
            let record = record.unwrap();
            for (name, field) in header.iter().zip(record.iter()) {
                columns.entry(name.into()).or_default().push(field.into());
            }
        }
        Table { columns }
    }

    fn number(&self, column: &str, row: usize) -> f64 {
        self.columns[column][row].parse().unwrap()
    }

    fn rows(&self) -> usize {
        self.columns.values().next().map_or(0, Vec::len)
    }
}

/// A linear predictor in the features' units: coefficients of standardised features, their means and deviations (ddof 0).
struct Line {
    intercept: f64,
    coefficients: Vec<f64>,
    features: Vec<String>,
    bounds: Vec<(f64, f64)>,
}

impl Line {
    fn of(table: &Table, features: &[&str], fit: &[usize], intercept: f64, standardised: &[f64]) -> Line {
        let (mut coefficients, mut bounds, mut left) = (Vec::new(), Vec::new(), intercept);
        for (feature, b) in features.iter().zip(standardised) {
            let fitted: Vec<f64> = fit.iter().map(|&row| table.number(feature, row)).collect();
            let n = fitted.len() as f64;
            let mean = fitted.iter().sum::<f64>() / n;
            let deviation = (fitted.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
            let all = (0..table.rows()).map(|row| table.number(feature, row));
            bounds.push(all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, u), x| (l.min(x), u.max(x))));
            coefficients.push(b / deviation);
            left -= b / deviation * mean;
        }
        Line { intercept: left, coefficients, features: features.iter().map(|f| f.to_string()).collect(), bounds }
    }

    fn at(&self, table: &Table, row: usize) -> f64 {
        let terms = self.features.iter().zip(&self.coefficients).map(|(name, b)| b * table.number(name, row));
        self.intercept + terms.sum::<f64>()
    }

    /// The same in integers: coefficients of inputs scaled to [-1, 1] on their bounds.
    fn predictor(&self) -> (Arc<Predictor>, Vec<Scalar>) {
        let (mut coefficients, mut intercept) = (Vec::new(), self.intercept);
        for (b, (lower, upper)) in self.coefficients.iter().zip(&self.bounds) {
            coefficients.push((b * (upper - lower) / 2.0 * 2f64.powi(BITS as i32 - 20)).round() as i64);
            intercept += b * (upper + lower) / 2.0;
        }
        let intercept = (intercept * 2f64.powi(BITS as i32)).round() as i64;
        let predictor = Predictor { bounds: self.bounds.clone(), coefficients, intercept, bits: BITS };
        (Arc::new(predictor), self.features.iter().map(|name| Scalar::column(name)).collect())
    }

    /// Greatest difference of the integer predictor: half a unit of an input per coefficient, and the rounding of the coefficients.
    fn gap(&self) -> f64 {
        let half = |((lower, upper), b): (&(f64, f64), &f64)| (b * (upper - lower) / 2.0).abs() * 2f64.powi(-21);
        self.bounds.iter().zip(&self.coefficients).map(half).sum::<f64>() * 1.01 + 1e-9
    }
}

/// Measures what a predictor gives on the rows of a file.
fn measured(pipeline: &str, data: &Path, subject: impl Fn(&Plan) -> Subject) -> Audited {
    let spec: Spec = toml::from_str(pipeline).unwrap();
    let source = plan::source(&spec, Path::new("/"), &|_| Ok(vec![data.to_path_buf()])).unwrap();
    let plan = Plan::of(&spec, "", source, &tree, &Learned::default()).unwrap();
    let subject = subject(&plan);
    let collected = Reference.collect(&plan.scan, &demands(&plan, &subject), &|_| {}).unwrap();
    Audited { measurement: measure(&plan, &subject, &release(collected.evidence)).unwrap() }
}

const CLASSES: &str = r#"
    [pipeline]
    name = "classes"
    [ingest]
    path = "rows.csv"
    [schema]
    group = { roles = ["protected"], levels = ["a", "b"] }
    y = { roles = ["target"], positive = "1" }
    x1 = { bounds = [-2.061262, 5.375268] }
    x2 = { bounds = [-10.187786, 4.491147] }
    x3 = { bounds = [-7.246839, 27.950108] }
    x4 = { bounds = [0, 1] }
    probability = { roles = ["score"] }
    [measure]
    replicates = 50
"#;

/// The rows the golden model was not fitted to, with their probabilities: reference rows of odd number.
fn classes(data: &Path, values: &Value, folder: &Path) -> (PathBuf, Line) {
    let mut table = Table::read(data);
    let is = |table: &Table, row: usize, odd: bool| {
        table.columns["part"][row] == "ref" && (table.columns["id"][row].parse::<u64>().unwrap() % 2 == 1) == odd
    };
    let reference: Vec<usize> = (0..table.rows()).filter(|&row| table.columns["part"][row] == "ref").collect();
    table.columns.values_mut().for_each(|column| *column = reference.iter().map(|&row| column[row].clone()).collect());
    let [fit, rest] =
        [false, true].map(|odd| (0..table.rows()).filter(|&row| is(&table, row, odd)).collect::<Vec<_>>());
    let golden = &values["logistic"]["l2_C1"];
    let names = ["x1", "x2", "x3", "x4"];
    let line = Line::of(&table, &names, &fit, number(&golden["intercept"]), &numbers(&golden["coef"]));
    let path = folder.join("rows.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(file, "group,y,x1,x2,x3,x4,probability").unwrap();
    for &row in &rest {
        let of = |name: &str| table.columns[name][row].clone();
        let p = 1.0 / (1.0 + (-line.at(&table, row)).exp());
        let x = names.map(of).join(",");
        writeln!(file, "{},{},{x},{p}", of("group"), of("y")).unwrap();
    }
    for (row, golden) in rest.iter().zip(numbers(&values["classif_eval"]["probs_first5"])) {
        assert!((1.0 / (1.0 + (-line.at(&table, *row)).exp()) - golden).abs() < 1e-12);
    }
    (path, line)
}

/// Half the width of a 95 % interval in normal quantiles.
fn standard_error(measured: &Measured) -> Option<f64> {
    let interval = ends(measured);
    Some((interval.upper? - interval.lower?) / 2.0 / Z)
}

fn classified(audited: &Audited, golden: &Value, task: &mut Task, tolerance: [f64; 2]) {
    let [rank, sum] = tolerance;
    let of = |metric: &str| audited.everyone(metric);
    task.near(point(of("roc-auc")), number(&golden["roc_auc"]), rank, "area");
    task.near(standard_error(of("roc-auc")), number(&golden["auc_delong_se"]), rank, "its standard error");
    task.within(point(of("brier-score")), number(&golden["brier"]), sum, "Brier score");
    task.within(point(of("calibration-error")), number(&golden["ece_width10"]), sum, "calibration error");
    task.near(point(of("prevalence")), number(&golden["base_rate"]), 1e-12, "prevalence");
    for group in ["a", "b"] {
        let (golden, of) = (&golden[format!("group_{group}")], |metric| audited.value(metric, &["group"], group));
        task.near(point(of("roc-auc")), number(&golden["auc"]), rank, group);
        task.within(point(of("brier-score")), number(&golden["brier"]), sum, group);
        task.near(point(of("prevalence")), number(&golden["base_rate"]), 1e-12, group);
        task.count(of("roc-auc").estimate().map_or(-1, |estimate| estimate.support.n), &golden["n"], group);
    }
}

#[test]
fn probabilities_by_scikit_learn() {
    let Some((data, values)) = values("synth-classification/synth_classification.csv") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (path, line) = classes(&data, &values, folder.path());
    let golden = &values["classif_eval"];
    classified(&audit(CLASSES, &path), golden, &mut Task::new("given probabilities"), [1e-12, 1e-9]);
    let (predictor, inputs) = line.predictor();
    let eta = Expr::Predictor(predictor.clone(), inputs.clone());
    let audited = measured(CLASSES, &path, |plan| {
        let label = plan.label.clone().unwrap();
        let softplus = |eta| Expr::Link(Link::Softplus, BITS, Box::new(eta));
        let negative = softplus(Expr::Negate(Box::new(eta.clone())));
        let loss =
            Expr::Case(vec![(label.clone(), negative), (Expr::Not(Box::new(label)), softplus(eta.clone()))], None);
        let score = Score { of: probability(&predictor, inputs.clone()), log_loss: Some(loss) };
        let decision = Expr::Compare(Order::GreaterEqual, Box::new(eta.clone()), Box::new(Scalar::number(0.0)));
        Subject { score: Some(score), decision: Some(decision), ..Subject::given(plan) }
    });
    let mut task = Task::new("integer predictor and link");
    classified(&audited, golden, &mut task, [1e-12, 1e-7]);
    task.within(point(audited.everyone("log-loss")), number(&golden["log_loss"]), 1e-7, "log loss");
    let joint = audited.cells(&[], "everyone").joint.unwrap();
    for (ours, key) in [(joint[1][1], "tp"), (joint[0][1], "fp"), (joint[1][0], "fn"), (joint[0][0], "tn")] {
        task.count(ours, &golden["confusion_0.5"][key], key);
    }
    task.near(point(audited.everyone("matthews-correlation")), number(&golden["mcc"]), 1e-12, "mcc");
}

const FEATURES: [&str; 10] = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"];

const NUMBERS: &str = r#"
    [pipeline]
    name = "numbers"
    [ingest]
    path = "rows.csv"
    [schema]
    age = { as = "number" }
    sex = { as = "number" }
    bmi = { as = "number" }
    bp = { as = "number" }
    s1 = { as = "number" }
    s2 = { as = "number" }
    s3 = { as = "number" }
    s4 = { as = "number" }
    s5 = { as = "number" }
    s6 = { as = "number" }
    target = { roles = ["target"], bounds = [25, 346] }
    predicted = { roles = ["prediction"], bounds = [25, 346] }
"#;

#[test]
fn predictions_by_scikit_learn() {
    let Some((data, values)) = values("diabetes/diabetes.csv") else { return };
    let (table, golden) = (Table::read(&data), &values["diabetes_holdout"]);
    let rows = |wanted: fn(usize) -> bool| (0..table.rows()).filter(|&row| wanted(row % 5)).collect::<Vec<_>>();
    let (fit, test) = (rows(|of| of < 3), rows(|of| of == 4));
    let line = Line::of(&table, &FEATURES, &fit, number(&golden["intercept"]), &numbers(&golden["coef"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(file, "{},target,predicted", FEATURES.join(",")).unwrap();
    let mut residual = 0.0;
    for &row in &test {
        let of = |name: &str| table.columns[name][row].clone();
        residual += (table.number("target", row) - line.at(&table, row)) / test.len() as f64;
        writeln!(file, "{},{},{}", FEATURES.map(of).join(","), of("target"), line.at(&table, row)).unwrap();
    }
    let check = |audited: &Audited, task: &mut Task, tolerance: f64| {
        let of = |metric: &str| point(audited.everyone(metric));
        task.near(of("r-squared"), number(&golden["r2"]), tolerance, "R squared");
        task.near(of("root-mean-squared-error"), number(&golden["rmse"]), tolerance, "RMSE");
        task.near(of("mean-absolute-error"), number(&golden["mae"]), tolerance, "MAE");
        task.near(of("mean-residual"), residual, tolerance, "mean residual");
    };
    let given = measured(NUMBERS, &path, Subject::given);
    check(&given, &mut Task::new("given predictions"), 1e-9);
    let (predictor, inputs) = line.predictor();
    let unit = Scalar::number(2f64.powi(-(BITS as i32)));
    let eta = Expr::Predictor(predictor, inputs);
    let prediction = Expr::Arithmetic(Arithmetic::Multiply, Box::new(eta), Box::new(unit));
    let scored =
        measured(NUMBERS, &path, |plan| Subject { prediction: Some(prediction.clone()), ..Subject::given(plan) });
    check(&scored, &mut Task::new("integer predictor"), line.gap());
    assert!(line.gap() < 5e-4, "{}", line.gap());
}
