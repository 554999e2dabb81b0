//! `[privacy]`: under differential privacy nothing may be read off the rows but through charged noise, so everything else must be declared.

use super::{Checker, Part, Severity};
use crate::plan::spec::{ColumnSpec, Missing, ModelKind, Penalty, Privacy, ReadAs, Split};
use crate::plan::{missing, read_as};
use crate::schema::Role;

/// An epsilon above this protects hardly anybody: the odds of a guess may rise e^20-fold.
const EPSILON_MAX: f64 = 20.0;
/// Most cells of the table of cohorts by label and decision.
const CELLS_MAX: f64 = 400_000.0;

pub(super) fn check(checker: &mut Checker) {
    let Some(privacy) = &checker.spec.privacy else { return };
    cost(checker, privacy);
    delta(checker, privacy);
    unit(checker, privacy);
    division(checker, privacy);
    domains(checker);
    statistics(checker);
    training(checker);
}

fn cost(checker: &mut Checker, privacy: &Privacy) {
    if privacy.population.trim().is_empty() {
        let message = "names nobody; the ledger keeps what was spent under this name";
        checker.error("no-population", &["privacy", "population"], message, "name the people the rows are about");
    }
    let epsilon = privacy.epsilon;
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        let message = "epsilon must be more than 0: at 0 nothing can be said, below nothing is meant";
        checker.error("bad-epsilon", &["privacy", "epsilon"], message, "write a number such as 1.0");
    } else if epsilon < 1e-6 {
        let message = "an epsilon below one millionth gives nothing but noise";
        checker.error("bad-epsilon", &["privacy", "epsilon"], message, "write a number such as 1.0");
    } else if epsilon > EPSILON_MAX && !privacy.i_know {
        let message = format!("an epsilon above {EPSILON_MAX} protects hardly anybody");
        checker.error("bad-epsilon", &["privacy", "epsilon"], message, "lower it, or write i_know = true");
    } else if epsilon > 1e5 {
        let message = "an epsilon above 100,000 is no claim at all";
        checker.error("bad-epsilon", &["privacy", "epsilon"], message, "leave the section out instead");
    }
}

fn delta(checker: &mut Checker, privacy: &Privacy) {
    let path = &["privacy", "delta"];
    if !(0.0..1.0).contains(&privacy.delta) {
        return checker.error("bad-delta", path, "delta must be at least 0 and less than 1", "write 0 or, say, 1e-9");
    }
    match privacy.rows_at_least {
        _ if privacy.delta == 0.0 => {}
        None => checker.error(
            "bad-delta",
            path,
            "whether delta is small depends on the number of rows, and that is not to be read off the rows",
            "declare rows_at_least, a number of rows that is public",
        ),
        Some(rows) if privacy.delta >= 1.0 / rows.max(1) as f64 => checker.error(
            "bad-delta",
            path,
            format!(
                "with delta = {} a mechanism may publish whole rows: it must be less than one in {rows}",
                privacy.delta
            ),
            format!("write {:.1e} or less", 0.1 / rows.max(1) as f64),
        ),
        Some(rows) if privacy.delta > 0.1 / rows.max(1) as f64 => checker.warning(
            "large-delta",
            path,
            format!("delta is more than a tenth of one in {rows}"),
            format!("{:.1e} is usual", (rows.max(1) as f64).powf(-1.5)),
        ),
        Some(_) => {}
    }
}

fn unit(checker: &mut Checker, privacy: &Privacy) {
    let path = &["privacy", "rows_per_unit_max"];
    let declared = with(checker, Role::PrivacyUnit);
    if privacy.rows_per_unit_max == 0 {
        checker.error("bad-unit", path, "no unit could have a row", "leave it out for 1");
    }
    if declared.is_none() && privacy.rows_per_unit_max != 1 {
        let message = "no column says which rows are of one unit";
        checker.error("bad-unit", path, message, "give the person's or household's column the role \"privacy-unit\"");
    }
    if privacy.memory_mib_max == 0 {
        let message = "nothing can be counted in 0 MiB";
        checker.error("bad-memory", &["privacy", "memory_mib_max"], message, "leave it out for 256");
    }
    for (name, column) in &checker.spec.schema {
        if column.roles.contains(&Role::Identifier) && declared.is_none() {
            let message = format!(
                "{name} is an identifier and no column is the privacy unit: every row is taken for another person"
            );
            let remedy = "give it the role \"privacy-unit\" if a person may have several rows";
            checker.warning("row-is-unit", &["schema", name, "roles"], message, remedy);
        }
    }
}

fn division(checker: &mut Checker, privacy: &Privacy) {
    let shares = &privacy.shares;
    let all = [
        ("contract", shares.contract),
        ("train", shares.train),
        ("table", shares.table),
        ("scores", shares.scores),
        ("losses", shares.losses),
    ];
    for (name, share) in all {
        if !(share > 0.0 && share <= 1e6) {
            let path = ["privacy", "shares", name];
            checker.error("bad-share", &path, "a share must be more than 0", "leave it out for its default");
        }
    }
    if !(2..=4000).contains(&privacy.score_bins) {
        let message = "scores need between 2 and 4,000 bins";
        checker.error("bad-bins", &["privacy", "score_bins"], message, "leave it out for 32");
    }
    if !(privacy.interval_width_max > 0.0 && privacy.interval_width_max <= 1.0) {
        let message = "the widest interval is a share of the metric's range: more than 0, at most 1";
        checker.error("bad-width", &["privacy", "interval_width_max"], message, "leave it out for 0.5");
    }
}

/// Levels, bounds and replacement values may not be read off the rows.
fn domains(checker: &mut Checker) {
    for (name, column) in &checker.spec.schema {
        let has = |role| column.roles.contains(&role);
        let counted = has(Role::Protected) || (has(Role::Feature) && checker.spec.train.is_some());
        let number = (has(Role::Target) || has(Role::Prediction)) && column.positive.is_none();
        let declared = column.levels.is_some() || column.bounds.is_some() || read_as(column) == ReadAs::Truth;
        if (counted || number) && !declared && !has(Role::Ignored) {
            let message = format!("the domain of {name} would be learned from the rows, and is not protected then");
            checker.complain(
                Severity::Error,
                "undeclared-domain",
                &["schema", name],
                Part::Key,
                message,
                Some("declare levels = [...] or bounds = [least, greatest]".into()),
            );
        }
        if has(Role::Feature) && checker.spec.train.is_some() && missing(column) == Missing::Impute {
            let message = "the value that replaces a missing one would be learned from the rows";
            let remedy = "write missing = \"drop\", or replace it in [derive] by a declared value";
            checker.error("learned-value", &["schema", name, "missing"], message, remedy);
        }
        if has(Role::Weight) {
            let message = "the noise that hides a weighted row is not known yet";
            let remedy = "take the role \"weight\" off, or leave out [privacy]";
            checker.error("weighted-privacy", &["schema", name, "roles"], message, remedy);
        }
        if has(Role::Score) && column.bounds.is_some_and(|bounds| bounds != [0.0, 1.0]) {
            let message = "a score that is no probability may be a rank, which tells of other rows";
            let remedy = "give a score between 0 and 1, or leave out [privacy]";
            checker.error("ranked-score", &["schema", name], message, remedy);
        }
    }
}

/// What has no private mechanism, or no meaning under noise.
fn statistics(checker: &mut Checker) {
    let spec = checker.spec;
    if !spec.contract.unique_key.is_empty() {
        let message = "whether a key is unique depends on single rows; no noise hides that";
        let remedy = "check it in a pipeline without [privacy]; ingest.key tells rows apart for the split";
        checker.error("no-mechanism", &["contract", "unique_key"], message, remedy);
    }
    if spec.measure.suppress_below > 0 {
        let message = "noisy counts are not suppressed: the noise hides small cohorts";
        checker.error("needless-suppression", &["measure", "suppress_below"], message, "leave it out");
    }
    let sets: Vec<&String> = spec.measure.across.iter().flatten().collect();
    let used = |name: &String, column: &ColumnSpec| {
        column.roles.contains(&Role::Protected) && (sets.is_empty() || sets.contains(&name))
    };
    let cells: f64 = spec
        .schema
        .iter()
        .filter(|(name, column)| used(name, column))
        .map(|(_, column)| column.levels.as_ref().map_or(2, Vec::len) as f64 + 2.0)
        .product::<f64>()
        * 9.0;
    if cells > CELLS_MAX {
        let message = format!("the protected columns together form {cells:.0} cells, each of which needs noise");
        let remedy = "compare fewer protected columns, or coarser ones, in one pipeline";
        checker.error("too-many-cells", &["measure", "across"], message, remedy);
    }
}

fn training(checker: &mut Checker) {
    let Some(train) = &checker.spec.train else { return };
    if train.strength.is_none() {
        let message = "the penalty would be chosen by looking at the rows again";
        checker.complain(
            Severity::Error,
            "chosen-penalty",
            &["train"],
            Part::Key,
            message.into(),
            Some("write train.strength, say 0.01".into()),
        );
    }
    if train.model == ModelKind::Logistic && !matches!(train.penalty, Penalty::Ridge) {
        let message = "a private logistic model needs the penalty \"ridge\": its steps are those of a smooth function";
        checker.error("private-penalty", &["train", "penalty"], message, "write penalty = \"ridge\"");
    }
    if train.model == ModelKind::Logistic && !(1..=100).contains(&train.steps) {
        checker.error(
            "bad-steps",
            &["train", "steps"],
            "between 1 and 100 steps are made",
            "leave it out for the default",
        );
    }
    let Split { train: part, test, .. } = train.split;
    if part <= 0.0 || test <= 0.0 {
        let message = "both parts need rows";
        checker.error("bad-split", &["train", "split"], message, "leave it out for 0.6 and 0.4");
    }
}

fn with<'a>(checker: &Checker<'a>, role: Role) -> Option<(&'a String, &'a ColumnSpec)> {
    checker.spec.schema.iter().find(|(_, column)| column.roles.contains(&role))
}

#[cfg(test)]
mod tests;
