//! Bounds and risks of attacks: worked by hand in `tests/cases/attacks.md`, and as SciPy, Anonymeter's formulas and the papers' code have them.

use evenhand::measure::privacy::anonymeter::{self, Guesses};
use evenhand::measure::privacy::bounds::{self, OneRun};
use evenhand::measure::privacy::membership::{self, Rows};
use serde_json::Value;

use crate::cases::tables;

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-3), "{what}: {found}, not {expected}");
}

fn numbers(row: &[&str]) -> Vec<f64> {
    row.iter().map(|field| field.parse().unwrap_or_else(|_| panic!("{field:?} is no number"))).collect()
}

fn two_worlds(tp: f64, draws_in: f64, fp: f64, draws_out: f64, delta: f64, confidence: f64) -> bounds::Bound {
    let guesses = bounds::Guesses {
        true_positives: tp as u64,
        draws_in: draws_in as u64,
        false_positives: fp as u64,
        draws_out: draws_out as u64,
    };
    bounds::two_worlds(guesses, delta, confidence)
}

fn one_run(canaries: f64, guesses: f64, right: f64, delta: f64, confidence: f64) -> f64 {
    let run = OneRun { canaries: canaries as u64, guesses: guesses as u64, right: right as u64 };
    bounds::one_run(run, delta, confidence)
}

fn risk(n: f64, original: f64, control: f64, confidence: f64) -> anonymeter::Risk {
    let guesses = |right: f64| Guesses { made: n as u64, right: right as u64 };
    anonymeter::risk(guesses(original), guesses(control), Guesses::default(), confidence).expect("guesses were made")
}

/// Leverage and error without itself of the row at x among (-1, 0), (0, 3), (1, 0).
fn left_out(penalty: f64, x: f64) -> Vec<f64> {
    let features = [-1.0, 0.0, 1.0].map(|x| vec![1.0, x]);
    let penalty = [0.0, penalty];
    let rows = Rows { features: &features, target: &[0.0, 3.0, 0.0], weights: &[1.0; 3], penalty: &penalty };
    let found = membership::linear(rows, &rows.factor().expect("a factor")).expect("rows that can be attacked");
    let at = features.iter().position(|row| row[1] == x).expect("a row at x");
    vec![found.leverage[at], found.outside[at]]
}

#[test]
fn attacks_worked_by_hand() {
    let all = tables(include_str!("../cases/attacks.md"));
    let mut compared = 0;
    for table in &all {
        for row in &table.rows {
            let written = numbers(row);
            let (found, expected) = match (table.section, written.as_slice()) {
                ("Clopper-Pearson", &[k, n, alpha, lower, upper]) => {
                    let ends = bounds::clopper_pearson(k as u64, n as u64, alpha);
                    (vec![ends.0, ends.1], vec![lower, upper])
                }
                ("Two worlds", &[tp, n, fp, m, delta, confidence, epsilon, mu]) => {
                    let bound = two_worlds(tp, n, fp, m, delta, confidence);
                    (vec![bound.epsilon, bound.mu], vec![epsilon, mu])
                }
                ("One run", &[canaries, guesses, right, delta, confidence, epsilon]) => {
                    (vec![one_run(canaries, guesses, right, delta, confidence)], vec![epsilon])
                }
                ("Risk of a released file", &[n, original, control, confidence, value, lower, upper]) => {
                    let risk = risk(n, original, control, confidence);
                    (vec![risk.value, risk.lower, risk.upper], vec![value, lower, upper])
                }
                ("A row left out", &[penalty, x, _, leverage, outside]) => {
                    (left_out(penalty, x), vec![leverage, outside])
                }
                other => panic!("a table of {other:?}"),
            };
            for (found, expected) in found.iter().zip(&expected) {
                near(*found, *expected, 1e-12, &format!("{}: {row:?}", table.section));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 35);
}

/// The rows of one part of the golden file; none without the reference data.
fn golden(part: &str) -> Vec<Value> {
    let Some(folder) = std::env::var_os("EVENHAND_REFERENCE_DATA") else { return Vec::new() };
    let path = std::path::PathBuf::from(folder).join("golden/privacy.json");
    let text = std::fs::read_to_string(path).expect("the golden file is there");
    let golden: Value = serde_json::from_str(&text).expect("the golden file is JSON");
    let rows = golden[part]["rows"].as_array().expect("rows").clone();
    assert!(rows.len() >= 5, "{part} has {} rows", rows.len());
    rows
}

fn at(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row} is no number"))
}

#[test]
fn intervals_of_scipy() {
    for row in golden("clopper_pearson") {
        let (lower, upper) = bounds::clopper_pearson(at(&row, "x") as u64, at(&row, "n") as u64, at(&row, "alpha"));
        near(lower, at(&row, "lo"), 1e-11, "lower");
        near(upper, at(&row, "hi"), 1e-11, "upper");
    }
}

#[test]
fn bounds_of_two_worlds() {
    for row in golden("epsilon_lower_bound_two_world") {
        let [tp, n, fp, m, delta, confidence] =
            ["tp", "n_in", "fp", "n_out", "delta", "confidence"].map(|key| at(&row, key));
        let bound = two_worlds(tp, n, fp, m, delta, confidence);
        near(bound.tpr, at(&row, "tpr_lo"), 1e-11, "TPR");
        near(bound.fpr, at(&row, "fpr_hi"), 1e-11, "FPR");
        near(bound.epsilon, at(&row, "eps_lb"), 1e-10, "epsilon");
        near(bound.mu, at(&row, "mu_lb"), 1e-10, "mu");
    }
}

/// The noise that is just enough for epsilon at delta has epsilon again, whatever the sensitivity.
#[test]
fn epsilon_of_the_analytic_gaussian() {
    for row in golden("gaussian_sigma") {
        let mu = at(&row, "l2_sensitivity") / at(&row, "sigma_analytic_mp");
        near(bounds::epsilon_of_mu(mu, at(&row, "delta")), at(&row, "epsilon"), 1e-6, "epsilon");
    }
}

#[test]
fn bounds_of_one_run() {
    for row in golden("epsilon_lower_bound_one_run") {
        let [m, r, v, delta, confidence] = ["m", "r", "v", "delta", "confidence"].map(|key| at(&row, key));
        near(one_run(m, r, v, delta, confidence), at(&row, "eps_lb"), 1e-8, "epsilon");
    }
}

#[test]
fn risks_of_anonymeter() {
    for row in golden("anonymeter_risk") {
        let risk = risk(at(&row, "n"), at(&row, "attack_success"), at(&row, "control_success"), 0.95);
        for (found, key) in [
            (risk.attack.value, "attack_rate"),
            (risk.attack.error, "attack_err"),
            (risk.control.value, "control_rate"),
            (risk.control.error, "control_err"),
            (risk.value, "risk"),
            (risk.lower, "lo"),
            (risk.upper, "hi"),
        ] {
            near(found, at(&row, key), 1e-11, key);
        }
    }
}
