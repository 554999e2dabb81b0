//! `[pipeline]`, `[ingest]`, `[contract]`, `[train]` and the numbers of `[measure]`.

use super::{Checker, Part, Severity};
use crate::plan::spec::{ModelKind, Penalty, ReadAs};
use crate::plan::{read_as, spec::ColumnSpec};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker) {
    pipeline(checker);
    ingest(checker);
    contract(checker);
    train(checker);
    measure(checker);
}

fn pipeline(checker: &mut Checker) {
    let name = &checker.spec.pipeline.name;
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let path = ["pipeline", "name"];
    if name.is_empty() || !plain || name.starts_with('-') || name.len() > 64 {
        let message = "the name must be 1 to 64 lower-case letters, digits and hyphens, and begin with no hyphen: it names the run folder";
        checker.error("bad-name", &path, message, format!("for example {:?}", proposed_name(name)));
    }
}

/// A legal name like the given one.
pub fn proposed_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().take(64).map(plain).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "lending".into() } else { name.into() }
}

fn ingest(checker: &mut Checker) {
    let ingest = &checker.spec.ingest;
    if ingest.path.is_empty() {
        checker.error(
            "empty-path",
            &["ingest", "path"],
            "the path is empty",
            "write the path of the data, relative to this file",
        );
    }
    if let Some(delimiter) = ingest.delimiter.filter(|c| !c.is_ascii() || matches!(c, '"' | '\n' | '\r' | '\0')) {
        let message = format!("{delimiter:?} cannot separate fields");
        checker.error(
            "bad-delimiter",
            &["ingest", "delimiter"],
            message,
            "write one ASCII character, for example \";\" or \"\\t\"",
        );
    }
    if !matches!(ingest.decimal, '.' | ',') {
        checker.error(
            "bad-decimal",
            &["ingest", "decimal"],
            "the decimal mark must be \".\" or \",\"",
            "leave it out for a point",
        );
    } else if ingest.decimal == ',' && ingest.delimiter.unwrap_or(',') == ',' && !tab(checker) {
        let remedy = "write delimiter = \";\", or whatever separates the fields";
        checker.error(
            "bad-decimal",
            &["ingest", "decimal"],
            "the comma both separates fields and marks decimals",
            remedy,
        );
    }
}

fn tab(checker: &Checker) -> bool {
    let ingest = &checker.spec.ingest;
    let format = ingest.format.or_else(|| crate::plan::format_of(ingest.path.as_ref()));
    format.is_some_and(|format| format != crate::plan::spec::Format::Csv)
}

fn contract(checker: &mut Checker) {
    let spec = checker.spec;
    for (section, key, names) in
        [("contract", "unique_key", &spec.contract.unique_key), ("ingest", "key", &spec.ingest.key)]
    {
        for (i, name) in names.iter().enumerate() {
            if !checker.knows(name) {
                checker.unknown_column(&[section, key, &i.to_string()], Part::Value, name);
            }
        }
    }
    if checker.spec.contract.memory_mib_max == 0 {
        checker.error(
            "bad-memory",
            &["contract", "memory_mib_max"],
            "nothing can be compared in 0 MiB",
            "leave it out for 256",
        );
    }
}

fn columns_with<'a>(checker: &Checker<'a>, role: Role) -> Vec<(&'a String, &'a ColumnSpec)> {
    checker.spec.schema.iter().filter(|(_, column)| column.roles.contains(&role)).collect()
}

fn train(checker: &mut Checker) {
    let Some(train) = &checker.spec.train else { return };
    let features = columns_with(checker, Role::Feature);
    let usable = features
        .iter()
        .filter(|(_, column)| train.protected_features || !column.roles.contains(&Role::Protected))
        .count();
    if features.is_empty() {
        let remedy = "give the inputs of the model the role \"feature\"";
        checker.complain(
            Severity::Error,
            "no-features",
            &["train"],
            Part::Key,
            "a model is trained, and no column is a feature".into(),
            Some(remedy.into()),
        );
    } else if usable == 0 {
        let remedy = "add a feature that is not protected, or write protected_features = true";
        checker.complain(
            Severity::Error,
            "no-features",
            &["train"],
            Part::Key,
            "every feature is protected, and protected columns are left out".into(),
            Some(remedy.into()),
        );
    }
    if let Some((name, _)) = columns_with(checker, Role::Weight).first() {
        let remedy = format!("take the role \"weight\" from {name}, or audit given decisions without [train]");
        let message = format!("{name} is a sampling weight, and training does not take weights");
        checker.complain(Severity::Error, "weighted-training", &["train"], Part::Key, message, Some(remedy));
    }
    match columns_with(checker, Role::Target).first() {
        None => {
            let remedy = "give the outcome the role \"target\"";
            checker.complain(
                Severity::Error,
                "no-target",
                &["train"],
                Part::Key,
                "a model is trained, and no column is the target".into(),
                Some(remedy.into()),
            );
        }
        Some((name, column)) => target(checker, name, column),
    }
    for role in [Role::Prediction, Role::Score] {
        for (name, _) in columns_with(checker, role) {
            let message =
                format!("{name} is a {role}, and a model is trained here: what is audited is the trained model");
            checker.warning(
                "given-and-trained",
                &["schema", name, "roles"],
                message,
                "leave out [train] to audit the given column, or give it the role \"ignored\"",
            );
        }
    }
    penalty(checker);
    split(checker);
}

fn target(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    let Some(train) = &checker.spec.train else { return };
    let two_valued = column.positive.is_some() || read_as(column) == ReadAs::Truth;
    let numeric = read_as(column) == ReadAs::Number;
    let path = ["train", "model"];
    match train.model {
        ModelKind::Logistic if !two_valued && numeric => {
            let message = format!("a logistic model needs a two-valued target, and {name} is a number");
            checker.error(
                "logistic-needs-two-values",
                &path,
                message,
                format!("write positive = \"1\" under [schema.{}], or model = \"linear\"", super::quoted(name)),
            );
        }
        ModelKind::Linear if !numeric || two_valued => {
            let message = format!("a linear model needs a numeric target, and {name} is none");
            checker.error(
                "linear-needs-number",
                &path,
                message,
                format!(
                    "write bounds = [least, greatest] under [schema.{}], or model = \"logistic\"",
                    super::quoted(name)
                ),
            );
        }
        _ => {}
    }
}

fn penalty(checker: &mut Checker) {
    let Some(train) = &checker.spec.train else { return };
    if let Some(strength) = train.strength {
        if !(strength >= 0.0 && strength.is_finite()) {
            checker.error(
                "bad-strength",
                &["train", "strength"],
                "the strength of the penalty must be 0 or more",
                "leave it out to have it cross-validated",
            );
        } else if train.penalty == Penalty::None && strength > 0.0 {
            checker.warning(
                "unused-key",
                &["train", "strength"],
                "there is no penalty for it to be the strength of",
                "leave out penalty = \"none\"",
            );
        }
    }
    for (i, ratio) in train.l1_ratios.iter().enumerate() {
        if !(0.0..=1.0).contains(ratio) {
            let path = ["train", "l1_ratios", &i.to_string()];
            checker.error(
                "bad-l1-ratio",
                &path,
                "the share of the absolute-value part must be within 0 and 1",
                "0 is ridge, 1 is lasso",
            );
        }
    }
    if !train.l1_ratios.is_empty() && train.penalty != Penalty::ElasticNet {
        checker.warning(
            "unused-key",
            &["train", "l1_ratios"],
            "only an elastic net has ratios",
            "write penalty = \"elastic-net\"",
        );
    }
    if train.folds < 2 {
        checker.error("bad-folds", &["train", "folds"], "cross-validation needs 2 folds or more", "leave it out for 5");
    }
    if !(train.threshold > 0.0 && train.threshold < 1.0) {
        checker.error(
            "bad-threshold",
            &["train", "threshold"],
            "the threshold is a probability between 0 and 1, ends excluded",
            "leave it out for 0.5",
        );
    }
}

fn split(checker: &mut Checker) {
    let Some(train) = &checker.spec.train else { return };
    let parts = [train.split.train, train.split.calibration, train.split.test];
    let path = ["train", "split"];
    if parts.iter().any(|part| !(0.0..=1.0).contains(part)) || (parts.iter().sum::<f64>() - 1.0).abs() > 1e-9 {
        let message = "the shares of train, calibration and test must be 0 or more and sum to 1";
        checker.error(
            "bad-split",
            &path,
            message,
            "for example split = { train = 0.6, calibration = 0.0, test = 0.4 }",
        );
    } else if train.split.train <= 0.0 || train.split.test <= 0.0 {
        checker.error(
            "bad-split",
            &path,
            "nothing is left to train on, or to measure on",
            "give train and test a share above 0",
        );
    }
}

fn measure(checker: &mut Checker) {
    let measure = &checker.spec.measure;
    if !(measure.confidence > 0.0 && measure.confidence < 1.0) {
        let remedy = if measure.confidence > 1.0 && measure.confidence < 100.0 {
            format!("write {}", measure.confidence / 100.0)
        } else {
            "leave it out for 0.95".into()
        };
        checker.error(
            "bad-confidence",
            &["measure", "confidence"],
            "the confidence must be between 0 and 1, ends excluded",
            remedy,
        );
    }
    if measure.replicates < 100 {
        checker.error(
            "bad-replicates",
            &["measure", "replicates"],
            "percentiles need 100 replicates or more",
            "leave it out for 1000",
        );
    }
}
