//! `evenhand history PIPELINE`: how the last runs ended, and how a judged value went. No run folder is opened.
//!
//! Exit codes: 0, 2 usage or no history, 3 a store that cannot be read.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::diff::{limit, number, outcome};
use super::load::unfinished;
use super::stored::{NotFound, Place};
use super::table::{Look, Table, sparkline, visible};
use super::{Output, USAGE};
use crate::audit::{Past, Series};
use crate::store::Line;

/// Version of the JSON this verb prints.
const HISTORY_VERSION: u32 = 1;
/// Values of a sparkline.
const SPARK_MAX: usize = 60;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file, or the folder of its runs.
    pub pipeline: PathBuf,
    /// How many runs, the latest first.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// How the judged values of a metric went.
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Only across these attributes: `sex`, `sex,race`, or `everyone`.
    #[arg(long, value_name = "NAMES", requires = "metric")]
    pub across: Option<String>,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let opened = Place::of(&args.pipeline).and_then(|place| Ok((place.store()?, place)));
    let (mut store, place) = match opened {
        Ok(opened) => opened,
        Err(NotFound::Pipeline(failure)) => return failure.print(out),
        Err(NotFound::Said(why)) => {
            out.error(&visible(&why));
            return USAGE;
        }
    };
    let lines = match store.lines(&place.name, args.limit) {
        Ok(lines) => lines,
        Err(e) => return unfinished(out, &e.to_string()),
    };
    let across = args.across.as_deref().map(|names| match names {
        "everyone" => Vec::new(),
        names => names.split(',').map(|name| name.trim().to_string()).collect::<Vec<_>>(),
    });
    let series = args.metric.as_ref().map(|metric| store.series(&place.name, metric, across.as_deref(), args.limit));
    let series = match series.transpose() {
        Ok(series) => series,
        Err(e) => return unfinished(out, &e.to_string()),
    };
    let runs: Vec<(Line, bool)> =
        lines.into_iter().map(|line| (line.clone(), place.base.join(&line.run.folder).is_dir())).collect();
    match out.json() {
        true => out.result_json(&as_json(&place.name, &runs, series.as_deref())),
        false => out.result(&text(&place.name, &runs, series.as_deref(), &Look::now())),
    }
    0
}

fn as_json(pipeline: &str, runs: &[(Line, bool)], series: Option<&[Series]>) -> Value {
    let run = |(line, there): &(Line, bool)| {
        let of = &line.run;
        let delivery: serde_json::Map<String, Value> =
            line.delivery.iter().map(|(state, n)| (state.clone(), json!(n))).collect();
        json!({
            "run_id": of.run_id, "started_at": of.started_at, "finished_at": of.finished_at, "outcome": of.outcome,
            "exit_code": of.exit_code, "criteria": line.counts, "delivery": delivery, "folder": of.folder,
            "folder_there": there, "report_sha256": of.report_sha256, "spec_sha256": of.spec_sha256,
        })
    };
    let mut value = json!({
        "history_version": HISTORY_VERSION, "pipeline": pipeline, "runs": runs.iter().map(run).collect::<Vec<_>>(),
    });
    if let (Some(series), Some(object)) = (series, value.as_object_mut()) {
        object.insert("series".into(), json!(series));
    }
    value
}

/// The runs as a table, and a line for each series.
pub fn text(pipeline: &str, runs: &[(Line, bool)], series: Option<&[Series]>, look: &Look) -> String {
    if runs.is_empty() {
        return format!("no run of {} is recorded", visible(pipeline));
    }
    let mut table = Table::new(&[
        "run",
        "started",
        "outcome",
        "met",
        "breached",
        "undetermined",
        "not measured",
        "waived",
        "delivery",
        "folder",
    ]);
    for (line, there) in runs {
        let count = |of: fn(&crate::store::Tally) -> i64| {
            line.counts.as_ref().map_or("-".into(), |counts| of(counts).to_string())
        };
        let delivery: Vec<String> = line.delivery.iter().map(|(state, n)| format!("{n} {state}")).collect();
        table.row(&[
            &line.run.run_id,
            &line.run.started_at,
            outcome(line.run.outcome),
            &count(|of| of.met),
            &count(|of| of.breached),
            &count(|of| of.undetermined),
            &count(|of| of.not_measured),
            &count(|of| of.waived),
            &delivery.join(", "),
            if *there { "there" } else { "gone" },
        ]);
    }
    let mut parts = vec![table.text(look)];
    match series {
        None => {}
        Some([]) => parts.push(
            "  no value of this metric is recorded in these runs; a value is recorded where a criterion judges it"
                .into(),
        ),
        Some(series) => parts.extend(series.iter().map(|series| spark(series, look))),
    }
    parts.join("\n")
}

/// Two lines: what it is, and how it went, oldest first.
fn spark(series: &Series, look: &Look) -> String {
    let skipped = series.points.len().saturating_sub(SPARK_MAX);
    let points: Vec<&Past> = series.points.iter().skip(skipped).collect();
    let values: Vec<Option<f64>> = points.iter().map(|past| past.point).collect();
    let name = look.bold(&format!("{}  {}", visible(&series.code), visible(&series.cohort.to_string())));
    let last = match points.last() {
        None => String::new(),
        Some(last) => {
            let end = |end: Option<f64>| end.map_or_else(|| "unbounded".into(), number);
            let value = match last.point {
                None => "no estimate".to_string(),
                Some(point) => format!("{} [{}, {}]", number(point), end(last.lower), end(last.upper)),
            };
            format!("now {value}, limit {}", limit(last.at_most, last.at_least))
        }
    };
    let known = values.iter().flatten().copied();
    let range = match (known.clone().reduce(f64::min), known.reduce(f64::max)) {
        (Some(least), Some(most)) => format!("{} to {}", number(least), number(most)),
        _ => "no estimate".into(),
    };
    format!("{name}\n  |{}|  {range}  {last}", sparkline(&values, look))
}
