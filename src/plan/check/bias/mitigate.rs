//! `[mitigate]`: what can be done about a difference.

use crate::plan::check::{Checker, Part, Severity};
use crate::plan::spec::{Mitigate, ModelKind, Remedy};
use crate::schema::Role;

const ALL: &[&str] = &["mitigate"];

pub(super) fn check(checker: &mut Checker) {
    let Some(section) = checker.spec.mitigate.clone() else { return };
    if checker.spec.privacy.is_some() {
        let message = "nothing is mitigated under differential privacy: rules are chosen on single rows, and every candidate would be another release";
        key(
            checker,
            "mitigate-private",
            message,
            "take [mitigate] out, or [privacy] out of a copy that stays where the rows are",
        );
        return;
    }
    across(checker, &section);
    columns(checker, &section);
    in_use(checker, &section);
    numbers(checker, &section);
}

fn key(checker: &mut Checker, code: &'static str, message: impl Into<String>, remedy: impl Into<String>) {
    checker.complain(Severity::Error, code, ALL, Part::Key, message.into(), Some(remedy.into()));
}

fn across(checker: &mut Checker, section: &Mitigate) {
    let spec = checker.spec;
    let protected = |name: &String| spec.schema.get(name).is_some_and(|column| column.roles.contains(&Role::Protected));
    let measured = match (spec.measure.across.is_empty(), &section.across[..]) {
        (_, []) => true,
        (true, [one]) => protected(one),
        (true, _) => false,
        (false, set) => spec.measure.across.iter().any(|other| other[..] == *set),
    };
    if !measured {
        let message = format!("{} is no set of [measure] across", section.across.join(" x "));
        let remedy = "name one of its sets as it is written there, or add this one to it";
        checker.error("mitigate-across", &["mitigate", "across"], message, remedy);
    }
    if !spec.schema.values().any(|column| column.roles.contains(&Role::Protected)) {
        key(
            checker,
            "mitigate-nobody",
            "no column is protected, so there are no cohorts to make alike",
            "give a column the role \"protected\"",
        );
    }
}

/// What the remedies need: a model, or a label and a score.
fn columns(checker: &mut Checker, section: &Mitigate) {
    let spec = checker.spec;
    let has = |role: Role| spec.schema.values().any(|column| column.roles.contains(&role));
    let kind = spec.train.as_ref().map(|train| train.model);
    if kind.is_none() && !(has(Role::Target) && has(Role::Score)) {
        let message = "without a model there must be a target and a score: rules are chosen from scores and judged by the outcome";
        key(checker, "mitigate-columns", message, "give columns the roles \"target\" and \"score\", or train a model");
    }
    let fits = |remedy: Remedy| match kind {
        None => remedy.is_of_decisions(),
        Some(ModelKind::Linear) => remedy.is_of_predictions(),
        Some(ModelKind::Logistic) => true,
    };
    let why = match kind {
        None => "it fits a model again, and none is trained here",
        _ => "it is for decisions, and a linear model predicts a number",
    };
    for (at, remedy) in section.methods.iter().enumerate().filter(|(_, remedy)| !fits(**remedy)) {
        let at = at.to_string();
        let message = format!("{} cannot be tried: {why}", remedy.id());
        checker.error("mitigate-method", &["mitigate", "methods", &at], message, "take it out of the list");
    }
    if let Some(remedy) = section.used.filter(|remedy| !fits(*remedy)) {
        let message = format!("{} cannot be put into effect: {why}", remedy.id());
        checker.error("mitigate-method", &["mitigate", "use"], message, "choose another, or take the key out");
    }
    let calibration = spec.train.as_ref().map_or(1.0, |train| train.split.calibration);
    if kind == Some(ModelKind::Logistic)
        && calibration <= 0.0
        && section.remedies().iter().any(|remedy| remedy.is_of_decisions())
    {
        let message = "thresholds are chosen on the rows the model is fitted to: there is no calibration part";
        let remedy = "write for example train.split = { train = 0.5, calibration = 0.2, test = 0.3 }";
        checker.complain(
            Severity::Warning,
            "mitigate-calibration",
            ALL,
            Part::Key,
            message.into(),
            Some(remedy.into()),
        );
    }
}

/// What is put into effect.
fn in_use(checker: &mut Checker, section: &Mitigate) {
    let path = ["mitigate", "use"];
    match section.used {
        Some(Remedy::EqualizedOdds) => {
            let message = "a decision by a draw is tried and shown, and not put into effect";
            checker.error("mitigate-draw", &path, message, "choose another, or take the key out");
        }
        Some(Remedy::CovariancePenalty) if section.strength.is_none() => {
            let message = "the strength of the penalty that is to be used is not written";
            checker.error(
                "mitigate-strength",
                &path,
                message,
                "write mitigate.strength; a run without use shows what each strength does",
            );
        }
        _ => {}
    }
    if section.strength.is_some() && section.used != Some(Remedy::CovariancePenalty) {
        let message = "strength is that of the covariance penalty in use, and none is in use";
        checker.error(
            "mitigate-strength",
            &["mitigate", "strength"],
            message,
            "write use = \"covariance-penalty\", or strengths = [...] to try several",
        );
    }
    if section.used.is_some_and(|remedy| !remedy.is_of_decisions()) && checker.spec.attacks.is_some() {
        let message = "a model that was fitted again is not attacked: attacks are on the model as it was trained";
        checker.error("mitigate-attacks", &path, message, "take [attacks] or this key out");
    }
}

fn numbers(checker: &mut Checker, section: &Mitigate) {
    let positive = |strength: f64| strength.is_finite() && strength > 0.0;
    for (at, _) in section.strengths.iter().enumerate().filter(|(_, strength)| !positive(**strength)) {
        let at = at.to_string();
        checker.error(
            "mitigate-number",
            &["mitigate", "strengths", &at],
            "a strength must be above 0",
            "a strength of 0 is the model as it is",
        );
    }
    if section.strength.is_some_and(|strength| !positive(strength)) {
        checker.error(
            "mitigate-number",
            &["mitigate", "strength"],
            "a strength must be above 0",
            "write for example 10.0",
        );
    }
    for (name, value) in [("repair", section.repair), ("threshold", section.threshold)] {
        if !(0.0..=1.0).contains(&value) {
            let message = format!("{name} must be between 0 and 1");
            checker.error("mitigate-number", &["mitigate", name], message, "leave it out for its default");
        }
    }
}

#[cfg(test)]
mod tests;
