//! The panels that candidates are made on: features, label, cohort.

use crate::model::Model;
use crate::scalar::Link;
use crate::statistic::{Panel, PanelValue};

/// One row that lacks neither feature nor label.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As read: numbers, and indicators as 0 or 1. Of given scores only the score.
    pub values: Vec<f64>,
    pub label: bool,
    /// Position of its cohort; none where a level is unknown or not declared.
    pub cohort: Option<usize>,
}

/// Rows of a panel of values, then label, then position of the cohort.
pub fn seen(panel: &Panel) -> Vec<Seen> {
    let mut rows = Vec::new();
    for (_, values, n) in panel.rows() {
        let [values @ .., label, cohort] = values else { continue };
        let values: Option<Vec<f64>> = values.iter().map(|value| value.as_ref().and_then(number)).collect();
        let (Some(values), Some(label)) = (values, label.as_ref().and_then(number)) else { continue };
        let cohort = cohort.as_ref().and_then(number).map(|at| at as usize);
        let row = Seen { values, label: label > 0.5, cohort };
        rows.extend(std::iter::repeat_n(row, n as usize));
    }
    rows
}

fn number(value: &PanelValue) -> Option<f64> {
    match value {
        PanelValue::Number(number) => Some(number.number()),
        PanelValue::Truth(truth) => Some(f64::from(u8::from(*truth))),
        PanelValue::Text(_) => None,
    }
}

/// The published probability of a row under a model.
pub fn probability(model: &Model, values: &[f64]) -> f64 {
    Link::Sigmoid.value(model.predictor.eta(values) as f64, model.predictor.bits)
}

/// Scores and labels of every cohort.
pub fn by_cohort(rows: &[Seen], cohorts: usize, score: &dyn Fn(&[f64]) -> f64) -> Vec<Vec<(f64, bool)>> {
    let mut all = vec![Vec::new(); cohorts];
    for row in rows {
        if let Some(of) = row.cohort.and_then(|at| all.get_mut(at)) {
            of.push((score(&row.values), row.label));
        }
    }
    all
}
