//! `evenhand diff A B`: what differs between two stored runs.
//!
//! Exit codes: 0, 2 a run that cannot be read; with `--exit-code` 1 where something got worse.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::stored::{NotFound, Place, read};
use super::table::{Look, Table, visible};
use super::{Output, USAGE};
use crate::audit::bias::Figure;
use crate::audit::changes::{
    Changes, Difference, FindingChange, Limit, Movement, Pair, RunOf, State, Unsaid, ValueChange, What,
};
use crate::finding::{Outcome, Verdict};
use crate::plan::spec::Level;
use crate::report::changes::{How, compare};

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "evenhand diff [OPTIONS] RUN_FOLDER RUN_FOLDER\n       evenhand diff [OPTIONS] PIPELINE [RUN [RUN]]"
)]
pub struct Args {
    /// Two run folders; or a pipeline (its file, or the folder of its runs) and the runs `latest`, `latest~1` or by id.
    #[arg(num_args = 1..=3, required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// Compare every reading, not only those a criterion judges.
    #[arg(long)]
    pub readings: bool,
    /// The rows of the two runs are of different units: give differences an interval where that can be said.
    #[arg(long)]
    pub independent: bool,
    /// Show every row of every table.
    #[arg(long)]
    pub all: bool,
    /// Exit with 1 where something got worse: outcome, verdict, a new finding, a waiver that ended.
    #[arg(long)]
    pub exit_code: bool,
}

/// Rows of a table without `--all`.
const ROWS_MAX: usize = 20;

pub fn run(args: &Args, out: &Output) -> u8 {
    let found = folders(&args.runs).and_then(|(before, after)| Ok((read(&before)?, read(&after)?)));
    let (before, after) = match found {
        Ok(found) => found,
        Err(NotFound::Pipeline(failure)) => return failure.print(out),
        Err(NotFound::Said(why)) => {
            out.error(&visible(&why));
            return USAGE;
        }
    };
    let changes = compare(&before, &after, How { every_reading: args.readings, independent: args.independent });
    match out.json() {
        true => out.result_json(&json(&changes)),
        false => out.result(&text(&changes, if args.all { usize::MAX } else { ROWS_MAX }, &Look::now())),
    }
    u8::from(args.exit_code && changes.is_worse())
}

/// The folders of the two runs, the earlier first.
fn folders(runs: &[String]) -> Result<(PathBuf, PathBuf), NotFound> {
    let is_run = |path: &str| Path::new(path).join("run.json").exists() || Path::new(path).join("report.json").exists();
    match runs {
        [one] => of_pipeline(one, "latest~1", "latest"),
        [one, other] if is_run(one) || Path::new(other).is_dir() => Ok((one.into(), other.into())),
        [one, other] => of_pipeline(one, other, "latest"),
        [pipeline, one, other] => of_pipeline(pipeline, one, other),
        _ => Err("name two runs".to_string().into()),
    }
}

fn of_pipeline(pipeline: &str, before: &str, after: &str) -> Result<(PathBuf, PathBuf), NotFound> {
    let place = Place::of(Path::new(pipeline))?;
    Ok((place.run(before)?, place.run(after)?))
}

fn json(changes: &Changes) -> Value {
    let mut value = serde_json::to_value(changes).unwrap_or(Value::Null);
    if let Some(object) = value.as_object_mut() {
        object.insert("worse".into(), changes.is_worse().into());
        object.insert("equal".into(), changes.is_empty().into());
    }
    value
}

/// All of it as text for a terminal.
pub fn text(changes: &Changes, most: usize, look: &Look) -> String {
    let mut parts = vec![heading(changes, look)];
    let counts = &changes.counts;
    parts.push(look.bold(&format!(
        "findings  {} new, {} fixed, {} still open, {} not judged any more, {} waivers gained, {} ended",
        counts.new, counts.fixed, counts.still, counts.gone, counts.waivers_gained, counts.waivers_ended
    )));
    if counts.new_by_limit + counts.fixed_by_limit > 0 {
        parts.push(format!(
            "          by another limit or level than before: {} of the new, {} of the fixed",
            counts.new_by_limit, counts.fixed_by_limit
        ));
    }
    parts.extend(table(findings(changes), most, look));
    parts.push(look.bold(&format!(
        "values  {} moved beyond both intervals, {} within the intervals, {} the same, {} cannot be said",
        counts.beyond, counts.within, counts.same, counts.unsaid
    )));
    parts.extend(table(values(changes), most, look));
    for (name, rows) in input(changes) {
        if !rows.is_empty() {
            parts.push(look.bold(name));
            let mut of = Table::new(&["what", "before", "after"]);
            rows.iter().for_each(|[name, before, after]| of.row(&[name, before, after]));
            parts.extend(table(of, most, look));
        }
    }
    parts.join("\n")
}

fn heading(changes: &Changes, look: &Look) -> String {
    let side = |name: &str, run: &RunOf| {
        let signed = if run.signed { ", signed" } else { "" };
        let (pipeline, id, at) = (visible(&run.pipeline), visible(&run.run_id), visible(&run.started_at));
        format!("  {name}  {}  {pipeline}  {id}  {at}{signed}", outcome(run.outcome))
    };
    let mut lines = vec![side("before", &changes.before), side("after ", &changes.after)];
    let mut say = |what: &str| lines.push(format!("  {what}"));
    if changes.is_empty() {
        say("no difference was found");
    }
    if changes.before.pipeline != changes.after.pipeline {
        say("the two runs are of pipelines with different names");
    }
    if changes.before.report_version != changes.after.report_version {
        say("the two reports have different layouts; what only one of them holds is not compared");
    }
    if changes.spec_sha256.is_some() && changes.settings.is_empty() && changes.criteria.is_empty() {
        say("the pipeline file or its policy differs in something a report does not record");
    }
    if !changes.data.files_told {
        say("whether the source files are the same is not told in the public edition");
    }
    lines.insert(0, look.bold("runs"));
    lines.join("\n")
}

/// The table with so many rows, and how many more there are.
fn table(mut table: Table, most: usize, look: &Look) -> Vec<String> {
    let left = table.rows.len().saturating_sub(most);
    table.rows.truncate(most);
    let mut parts = Vec::new();
    if !table.rows.is_empty() {
        parts.push(table.text(look));
    }
    if left > 0 {
        parts.push(format!("  and {left} more; --all shows them"));
    }
    parts
}

fn findings(changes: &Changes) -> Table {
    let found = &changes.findings;
    let lists = [
        ("new", &found.new),
        ("fixed", &found.fixed),
        ("not judged", &found.gone),
        ("waiver gained", &found.waivers_gained),
        ("waiver ended", &found.waivers_ended),
        ("still", &found.still),
    ];
    let mut table = Table::new(&["finding", "status", "cohort", "before", "after", "remark"]);
    for (status, list) in lists {
        for of in list {
            table.row(&[
                &of.code,
                status,
                &of.cohort().to_string(),
                &state(of.before.as_ref()),
                &state(of.after.as_ref()),
                remark(of),
            ]);
        }
    }
    table
}

fn remark(of: &FindingChange) -> &'static str {
    match (of.limit_moved(), of.verdict_changed()) {
        (true, _) => "another limit or level",
        (false, true) => "another verdict",
        (false, false) => "",
    }
}

fn state(state: Option<&State>) -> String {
    let Some(state) = state else { return "-".into() };
    let word = match state.verdict {
        _ if state.is_waived() => "waived",
        Verdict::Met => "met",
        Verdict::Undetermined => "undetermined",
        Verdict::NotMeasured => "not measured",
        Verdict::Breached => "breached",
    };
    match &state.value {
        Some(value) => format!("{word} {}", figure(Some(value))),
        None => word.into(),
    }
}

fn values(changes: &Changes) -> Table {
    let mut table = Table::new(&["value", "across", "cohort", "before", "after", "movement", "difference"]);
    for of in &changes.values {
        let movement = match of.movement {
            Movement::Beyond => "moved beyond both intervals",
            Movement::Within => "within the intervals",
            Movement::Same => "the same",
            Movement::Unsaid => "cannot be said",
        };
        let across = if of.what.across.is_empty() { "everyone".into() } else { of.what.across.join(" x ") };
        let (before, after) = (figure(of.before.as_ref()), figure(of.after.as_ref()));
        let cohort = if of.what.is_chosen() { "those that differ most".into() } else { of.cohort.to_string() };
        table.row(&[&what(&of.what), &across, &cohort, &before, &after, movement, &difference(of)]);
    }
    table
}

/// Metric and comparison.
fn what(of: &What) -> String {
    match (of.compare, of.against) {
        (None, _) => of.metric.clone(),
        (Some(compare), None) => format!("{} {compare}", of.metric),
        (Some(compare), Some(against)) => format!("{} {compare}, {against}", of.metric),
    }
}

fn difference(of: &ValueChange) -> String {
    match &of.difference {
        Difference::Estimated { point, lower, upper } => {
            format!("{} [{}, {}], normal", number(*point), number(*lower), number(*upper))
        }
        Difference::Unsaid { why } => match why {
            Unsaid::NotIndependent => "cannot be said: see --independent",
            Unsaid::SameRows => "cannot be said: the same rows",
            Unsaid::NoValue => "",
            Unsaid::Unbounded => "cannot be said: unbounded",
            Unsaid::OtherConfidence => "cannot be said: other confidence",
            Unsaid::Chosen => "cannot be said: cohorts chosen by the data",
            Unsaid::Method => "cannot be said: interval not of one estimate",
        }
        .into(),
    }
}

fn figure(of: Option<&Figure>) -> String {
    let end = |end: &Option<f64>| end.map_or_else(|| "unbounded".into(), number);
    match of {
        None => "-".into(),
        Some(Figure::Estimated { point, lower, upper, .. }) => {
            format!("{} [{}, {}]", number(*point), end(lower), end(upper))
        }
        Some(Figure::Undefined { reason }) => format!("undefined: {reason}"),
        Some(Figure::Suppressed) => "suppressed".into(),
    }
}

/// Three decimals; more digits where they would all be zero.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(0.0005..1e9).contains(&size) => format!("{value:.2e}"),
        _ => format!("{value:.3}"),
    }
}

pub fn limit(at_most: Option<f64>, at_least: Option<f64>) -> String {
    match (at_most, at_least) {
        (Some(most), Some(least)) => format!("{} to {}", number(least), number(most)),
        (Some(most), None) => format!("at most {}", number(most)),
        (None, Some(least)) => format!("at least {}", number(least)),
        (None, None) => "no limit".into(),
    }
}

pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "PASS",
        Outcome::Warn => "WARN",
        Outcome::Fail => "FAIL",
        Outcome::Inconclusive => "INCONCLUSIVE",
    }
}

type Rows = Vec<[String; 3]>;

/// What went into the runs, by kind.
fn input(changes: &Changes) -> Vec<(&'static str, Rows)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let settings = changes.settings.iter().map(|of| [of.name.clone(), text(&of.before), text(&of.after)]);
    let mut spec: Rows = settings.collect();
    if let Some(sha) = &changes.spec_sha256 {
        let short = |sha: &str| sha.chars().take(12).collect::<String>();
        spec.insert(0, ["SHA-256 of file and policy".into(), short(&sha.before), short(&sha.after)]);
    }
    let (before, after) = (&changes.before, &changes.after);
    if before.generator != after.generator {
        spec.insert(0, ["program".into(), before.generator.clone(), after.generator.clone()]);
    }
    vec![
        ("criteria", criteria(changes)),
        ("pipeline file and program", spec),
        ("columns", columns(changes)),
        ("data", data(changes)),
        ("model", model(changes)),
        ("privacy budget", budget(changes)),
    ]
}

fn criteria(changes: &Changes) -> Rows {
    let side = |side: &Option<Limit>| match side {
        None => "-".to_string(),
        Some(of) => {
            let level = if of.level == Level::Deny { "deny" } else { "warn" };
            format!("{} ({level})", limit(of.at_most, of.at_least))
        }
    };
    let criterion = |of: &crate::audit::changes::CriterionChange| {
        let across =
            if of.what.across.is_empty() { String::new() } else { format!(" across {}", of.what.across.join(" x ")) };
        [format!("{}{across}", what(&of.what)), side(&of.before), side(&of.after)]
    };
    changes.criteria.iter().map(criterion).collect()
}

fn columns(changes: &Changes) -> Rows {
    let mut rows = Vec::new();
    for of in &changes.columns {
        let mut add =
            |what: &str, before: String, after: String| rows.push([format!("{}{what}", of.name), before, after]);
        if of.there.before != of.there.after {
            let there = |there: bool| if there { "there".to_string() } else { "-".into() };
            add("", there(of.there.before), there(of.there.after));
        }
        if let Some(Pair { before, after }) = &of.roles {
            let list =
                |roles: &[crate::schema::Role]| roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
            add(": roles", list(before), list(after));
        }
        if !of.levels_added.is_empty() || !of.levels_removed.is_empty() {
            add(": levels removed, added", of.levels_removed.join(", "), of.levels_added.join(", "));
        }
        if let Some(Pair { before, after }) = &of.domain {
            add(": domain", before.clone(), after.clone());
        }
        if let Some(Pair { before, after }) = &of.origin {
            add(": domain is", format!("{before:?}").to_lowercase(), format!("{after:?}").to_lowercase());
        }
        if let Some(Pair { before, after }) = &of.derived {
            add(": expression", before.clone().unwrap_or_default(), after.clone().unwrap_or_default());
        }
    }
    rows
}

fn data(changes: &Changes) -> Rows {
    let data = &changes.data;
    let counts = [("rows read", data.rows_read), ("rows kept", data.rows_kept), ("rows measured", data.rows_measured)];
    let row = |(name, pair): (&str, Option<Pair<i64>>)| {
        pair.map(|pair| [name.to_string(), pair.before.to_string(), pair.after.to_string()])
    };
    let sha = |sha: &Option<String>| sha.as_ref().map_or("-".into(), |sha| sha.chars().take(12).collect::<String>());
    let file = |of: &crate::audit::changes::FileChange| [of.name.clone(), sha(&of.before), sha(&of.after)];
    counts.into_iter().filter_map(row).chain(data.files.iter().map(file)).collect()
}

fn model(changes: &Changes) -> Rows {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let figure = |value: Option<f64>| value.map_or("-".into(), number);
    let facts = changes.model.facts.iter().map(|of| [of.name.clone(), text(&of.before), text(&of.after)]);
    let coefficients = changes.model.coefficients.iter().map(|of| {
        let name = of.feature.clone().unwrap_or_else(|| "(intercept)".into());
        [name, figure(of.before), figure(of.after)]
    });
    facts.chain(coefficients).collect()
}

fn budget(changes: &Changes) -> Rows {
    let Some(of) = &changes.budget else { return Vec::new() };
    let row = |name: &str, pair: &Pair<Option<f64>>| {
        // Every digit: a cost that was rounded looks smaller than it is.
        let text = |value: Option<f64>| value.map_or("-".to_string(), |value| value.to_string());
        [name.to_string(), text(pair.before), text(pair.after)]
    };
    let figures =
        [("epsilon", &of.epsilon), ("delta", &of.delta), ("epsilon spent", &of.spent), ("epsilon left", &of.left)];
    figures.into_iter().filter(|(_, pair)| pair.before != pair.after).map(|(name, pair)| row(name, pair)).collect()
}

#[cfg(test)]
mod tests;
