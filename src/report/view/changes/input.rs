//! What went into the two runs, side by side: file, data, criteria, columns, model, budget.

use serde::Serialize;

use super::{limit, more, outcome, title};
use crate::audit::changes::{Budget, Changes, ColumnChange, CriterionChange, Limit, Pair, Setting};
use crate::report::language::text;
use crate::report::view::words;
use crate::report::view::{Caps, Names};

#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub caption: String,
    pub rows: Vec<Row>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub name: String,
    pub before: String,
    pub after: String,
}

fn row(name: impl Into<String>, before: impl Into<String>, after: impl Into<String>) -> Row {
    Row { name: name.into(), before: before.into(), after: after.into() }
}

/// Tables with a row, in the order of the page.
pub fn tables(changes: &Changes, names: &Names, caps: &Caps) -> Vec<Table> {
    let all = [
        (text!("changes-caption-run"), run(changes), caps.texts),
        (
            text!("changes-caption-criteria"),
            changes.criteria.iter().map(|of| criterion(of, names)).collect(),
            caps.gates,
        ),
        (text!("changes-caption-settings"), changes.settings.iter().map(setting).collect(), caps.texts),
        (text!("changes-caption-columns"), changes.columns.iter().flat_map(column).collect(), caps.columns),
        (text!("changes-caption-data"), data(changes), caps.files),
        (text!("changes-caption-model"), model(changes), caps.coefficients),
        (text!("changes-caption-budget"), changes.budget.as_ref().map(budget).unwrap_or_default(), caps.texts),
    ];
    let table = |(caption, mut rows, most): (String, Vec<Row>, usize)| {
        let all = rows.len();
        rows.truncate(most);
        Table { caption, more: more(all, rows.len()), rows }
    };
    all.into_iter().filter(|(_, rows, _)| !rows.is_empty()).map(table).collect()
}

fn run(changes: &Changes) -> Vec<Row> {
    let (before, after) = (&changes.before, &changes.after);
    let mut rows = vec![row(text!("changes-outcome"), outcome(before.outcome), outcome(after.outcome))];
    if before.pipeline != after.pipeline {
        rows.push(row(text!("changes-pipeline"), words::name(&before.pipeline), words::name(&after.pipeline)));
    }
    if before.generator != after.generator {
        rows.push(row(text!("changes-program"), words::name(&before.generator), words::name(&after.generator)));
    }
    if before.report_version != after.report_version {
        let version = |n: u32| words::count(i64::from(n));
        rows.push(row(text!("changes-layout"), version(before.report_version), version(after.report_version)));
    }
    if let Some(sha) = &changes.spec_sha256 {
        rows.push(row(text!("changes-spec"), digest(&sha.before), digest(&sha.after)));
    }
    rows
}

/// The first digits of a digest; all of them are in the documents.
fn digest(sha: &str) -> String {
    words::name(&sha.chars().take(12).collect::<String>())
}

fn or_none(text: Option<&String>) -> String {
    text.map_or_else(|| text!("changes-absent"), |text| words::or_words(text, &text!("changes-absent")))
}

fn setting(of: &Setting) -> Row {
    row(words::name(&of.name), or_none(of.before.as_ref()), or_none(of.after.as_ref()))
}

fn criterion(of: &CriterionChange, names: &Names) -> Row {
    let side = |side: &Option<Limit>| match side {
        None => text!("changes-absent"),
        Some(of) => text!("changes-limit", limit = limit(of), level = words::level(of.level)),
    };
    let name = text!("changes-criterion", judged = title(&of.what, names), across = words::across(&of.what.across));
    row(name, side(&of.before), side(&of.after))
}

fn column(of: &ColumnChange) -> Vec<Row> {
    let name = words::name(&of.name);
    let there = |there: bool| if there { text!("changes-there") } else { text!("changes-absent") };
    if of.there.before != of.there.after {
        return vec![row(name, there(of.there.before), there(of.there.after))];
    }
    let mut rows = Vec::new();
    let mut add = |what: String, before: String, after: String| rows.push(row(what, before, after));
    if let Some(roles) = &of.roles {
        let list = |roles: &[crate::schema::Role]| {
            let words: Vec<String> = roles.iter().map(ToString::to_string).collect();
            or_none(Some(&words.join(", ")))
        };
        add(text!("changes-roles", name = &name), list(&roles.before), list(&roles.after));
    }
    if !of.levels_added.is_empty() || !of.levels_removed.is_empty() {
        let list = |levels: &[String]| or_none(Some(&levels.join(", ")));
        add(text!("changes-levels", name = &name), list(&of.levels_removed), list(&of.levels_added));
    }
    if let Some(domain) = &of.domain {
        add(text!("changes-domain", name = &name), words::sentence(&domain.before), words::sentence(&domain.after));
    }
    if let Some(origin) = &of.origin {
        let word = |of: crate::schema::Origin| match of {
            crate::schema::Origin::Declared => text!("changes-declared"),
            crate::schema::Origin::Learned => text!("changes-learned"),
        };
        add(text!("changes-origin", name = &name), word(origin.before), word(origin.after));
    }
    if let Some(derived) = &of.derived {
        add(text!("changes-derived", name = &name), or_none(derived.before.as_ref()), or_none(derived.after.as_ref()));
    }
    rows
}

fn data(changes: &Changes) -> Vec<Row> {
    let data = &changes.data;
    let rows = [
        (text!("changes-rows-read"), &data.rows_read),
        (text!("changes-rows-kept"), &data.rows_kept),
        (text!("changes-rows-measured"), &data.rows_measured),
    ];
    let counted = |(name, pair): (String, &Option<Pair<i64>>)| {
        pair.map(|pair| row(name, words::count(pair.before), words::count(pair.after)))
    };
    let sha = |sha: &Option<String>| sha.as_deref().map_or_else(|| text!("changes-absent"), digest);
    let file = |of: &crate::audit::changes::FileChange| row(words::name(&of.name), sha(&of.before), sha(&of.after));
    rows.into_iter().filter_map(counted).chain(data.files.iter().map(file)).collect()
}

fn model(changes: &Changes) -> Vec<Row> {
    let fact = |of: &Setting| row(words::name(&of.name), or_none(of.before.as_ref()), or_none(of.after.as_ref()));
    let figure = |value: Option<f64>| value.map_or_else(|| text!("changes-absent"), words::figure);
    let coefficients = changes.model.coefficients.iter().map(|of| {
        let name = of.feature.as_ref().map_or_else(|| text!("changes-intercept"), |name| words::name(name));
        row(name, figure(of.before), figure(of.after))
    });
    changes.model.facts.iter().map(fact).chain(coefficients).collect()
}

fn budget(of: &Budget) -> Vec<Row> {
    let cost = |value: Option<f64>| value.map_or_else(|| text!("changes-absent"), words::cost);
    let delta = |value: Option<f64>| value.map_or_else(|| text!("changes-absent"), words::delta);
    let mut rows = vec![
        row(text!("changes-epsilon"), cost(of.epsilon.before), cost(of.epsilon.after)),
        row(text!("changes-delta"), delta(of.delta.before), delta(of.delta.after)),
        row(text!("changes-spent"), cost(of.spent.before), cost(of.spent.after)),
        row(text!("changes-left"), cost(of.left.before), cost(of.left.after)),
    ];
    if of.population.before != of.population.after {
        let name = |of: &Option<String>| or_none(of.as_ref());
        rows.insert(0, row(text!("changes-population"), name(&of.population.before), name(&of.population.after)));
    }
    rows
}
