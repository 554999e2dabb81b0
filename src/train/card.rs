//! The model that comes out of a fit, and the card that says how it was made.

use super::TrainError;
use super::design::Design;
use super::integer;
use super::path::{self, Choice};
use crate::audit::{Coefficient, ModelCard, PathPoint};
use crate::demand::RowKey;
use crate::model::Model;
use crate::plan::Plan;
use crate::plan::spec::{ModelKind, Penalty, ReadAs, Train};
use crate::plan::{self, features::Feature};
use crate::schema::{Domain, Role};

/// What a fit found, on the scale of the penalty.
pub struct Fit {
    pub choice: Choice,
    /// Coefficients of the active features.
    pub b: Vec<f64>,
    /// The predictor at the mean of the training rows.
    pub b0: f64,
    /// Standard errors of `b`, where a formula holds.
    pub errors: Option<Vec<f64>>,
    pub path: Vec<PathPoint>,
    pub rows: i64,
    pub skipped: i64,
    /// How it was fitted, in sentences.
    pub notes: Vec<String>,
}

/// Rounds a fit to integers and writes its card.
pub fn model(plan: &Plan, train: &Train, design: &Design, fit: Fit) -> Result<Model, TrainError> {
    let (on_bounds, intercept) = design.on_bounds(&fit.b, fit.b0);
    if on_bounds.iter().any(|b| !b.is_finite()) || !intercept.is_finite() {
        return Err(TrainError::Failed(
            "a coefficient is no finite number; check the bounds of the features and of the target".into(),
        ));
    }
    let columns: Vec<_> = design.features.iter().map(|feature| feature.fixed.clone()).collect();
    let (predictor, integer_gap_max) = integer::rounded(train.model, &columns, &on_bounds, intercept)?;
    let threshold = match train.model {
        ModelKind::Logistic => integer::threshold(train.threshold, predictor.bits),
        ModelKind::Linear => 0,
    };
    let inputs = columns.into_iter().map(|column| column.of).collect();
    let card = card(plan, train, design, fit, (&on_bounds, intercept), integer_gap_max);
    Ok(Model { kind: train.model, predictor: predictor.into(), inputs, threshold, card })
}

fn card(
    plan: &Plan,
    train: &Train,
    design: &Design,
    fit: Fit,
    on_bounds: (&[f64], f64),
    integer_gap_max: f64,
) -> ModelCard {
    let (b, b0) = on_bounds;
    let value = |feature: &Feature, b: f64| b * 2.0 / (feature.fixed.upper - feature.fixed.lower);
    let middle = |feature: &Feature| (feature.fixed.lower + feature.fixed.upper) / 2.0;
    let error = |j: usize| {
        let k = design.active.iter().position(|&active| active == j)?;
        Some(fit.errors.as_ref()?.get(k)? * design.per_unit(k))
    };
    let coefficient = |(j, feature): (usize, &Feature)| Coefficient {
        feature: feature.label.clone(),
        value: value(feature, b[j]),
        standard_error: error(j),
    };
    let shift: f64 = design.features.iter().zip(b).map(|(feature, &b)| value(feature, b) * middle(feature)).sum();
    let mut notes = declared(plan, train);
    notes.extend(design.notes.iter().cloned());
    notes.extend(fit.notes);
    notes.extend(path::at_the_end(&fit.choice, &fit.path));
    ModelCard {
        kind: kind(train.model).into(),
        penalty: penalty(train.penalty).into(),
        strength: fit.choice.strength,
        l1_ratio: fit.choice.l1_ratio,
        rows_train: fit.rows,
        rows_skipped: fit.skipped,
        intercept: b0 - shift,
        coefficients: design.features.iter().enumerate().map(coefficient).collect(),
        path: fit.path,
        integer_gap_max,
        notes,
    }
}

fn kind(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Linear => "linear",
        ModelKind::Logistic => "logistic",
    }
}

fn penalty(penalty: Penalty) -> &'static str {
    match penalty {
        Penalty::None => "none",
        Penalty::Ridge => "ridge",
        Penalty::Lasso => "lasso",
        Penalty::ElasticNet => "elastic-net",
    }
}

/// What the pipeline file declares about the fit, in plain words.
fn declared(plan: &Plan, train: &Train) -> Vec<String> {
    let by = match (&plan.key, plan.schema.with(Role::PrivacyUnit).next()) {
        (RowKey::Of(_), Some(unit)) => format!("the unit {}", unit.name),
        (RowKey::Of(_), None) => "the declared key".into(),
        (RowKey::Row, _) => "the whole row".into(),
    };
    let split = &train.split;
    let mut notes = vec![format!(
        "Split by a hash of {by}: {} for training, {} for calibration, {} for the test.",
        percent(split.train),
        percent(split.calibration),
        percent(split.test)
    )];
    let loss = match train.model {
        ModelKind::Linear => "half the mean squared error",
        ModelKind::Logistic => "the mean log loss",
    };
    let scale = match train.standardise {
        true => "each divided by its standard deviation over the training rows",
        false => "each in its own unit",
    };
    notes.push(match train.penalty {
        Penalty::None => format!("The coefficients minimise {loss} over the training rows; nothing is penalised."),
        _ => format!(
            "The coefficients minimise {loss} + strength x (l1_ratio x sum of absolute coefficients + (1 - l1_ratio) / 2 x sum of squared coefficients). The penalty sees the features {scale}; the intercept is not penalised."
        ),
    });
    for column in plan.schema.with(Role::Feature) {
        let Some(written) = plan.spec.schema.get(&*column.name) else { continue };
        let used = plan.features.iter().any(|feature| feature.column == column.name);
        if let (true, Domain::Levels(levels), ReadAs::Text) = (used, &column.domain, plan::read_as(written)) {
            let reference = written.reference.as_deref().or(levels.first().map(|level| &**level)).unwrap_or_default();
            notes.push(format!("{}: one coefficient per level, against the reference level {reference}.", column.name));
        }
    }
    notes.push(
        "Numbers outside their bounds count as the nearest bound; a level outside the declared ones counts as missing."
            .into(),
    );
    notes
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 1e2)
}
