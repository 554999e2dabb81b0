//! Every parity at every threshold of a score.

use serde::Serialize;

use crate::audit::bias::sweep::{At, Sweep, Swept, Test, TwoSamples};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::svg::{self, Plane, Scale, Track};
use crate::report::view::charts::Drawn;
use crate::report::view::said::{HOLE, Said, said};
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// Why nothing is shown; empty otherwise.
    pub withheld: Said,
    pub facts: Vec<Fact>,
    pub sets: Vec<Set>,
    pub sets_more: String,
}

/// One set of attributes.
#[derive(Debug, Clone, Serialize)]
pub struct Set {
    pub id: String,
    pub name: String,
    /// What the ratio of selection rates does, in a sentence.
    pub four_fifths: String,
    pub charts: Vec<Drawn>,
    pub rows: Vec<Row>,
    pub rows_more: String,
    pub tests: Vec<Tested>,
    pub tests_more: String,
}

/// Worst pairs at one threshold.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub threshold: String,
    pub ratio: Shown,
    pub differences: Vec<Shown>,
}

/// Scores of a cohort against those of the reference.
#[derive(Debug, Clone, Serialize)]
pub struct Tested {
    pub name: String,
    pub rows: String,
    pub medians: String,
    pub values: Vec<String>,
}

/// Runs of thresholds that are named.
const RUNS: usize = 5;
const NAMES: [&str; 4] = ["selection-rate", "true-positives", "false-positives", "predictive-value"];

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let sweep = report.bias.sweep.as_ref()?;
    let mut facts = vec![
        fact(&text!("sweep-thresholds"), words::count(sweep.thresholds.len() as i64)),
        fact(&text!("sweep-confidence"), words::confidence(sweep.confidence)),
    ];
    if let Some(at) = sweep.decided_at {
        facts.push(fact(&text!("sweep-decided-at"), words::figure(at)));
    }
    let sets = sweep.sets.iter().take(caps.sets).enumerate().map(|(i, swept)| set(i, swept, sweep, caps)).collect();
    Some(Section {
        withheld: sweep.withheld.as_deref().map(not_shown).unwrap_or_default(),
        facts,
        sets,
        sets_more: words::more(sweep.sets.len(), caps.sets, "sets-of-cohorts", "report.json"),
    })
}

fn not_shown(why: &str) -> Said {
    Said::around(&text!("sweep-not-shown", why = HOLE), &[said(why)])
}

fn set(number: usize, swept: &Swept, sweep: &Sweep, caps: &Caps) -> Set {
    let charts = if number < caps.charts { charts(number, swept, sweep) } else { Vec::new() };
    Set {
        id: format!("thresholds-{number}"),
        name: words::across(&swept.across),
        four_fifths: four_fifths(swept, sweep),
        charts,
        rows: swept.at.iter().take(caps.cohorts).map(row).collect(),
        rows_more: words::more(swept.at.len(), caps.cohorts, "lines", "report.json"),
        tests: swept.tests.iter().take(caps.cohorts).map(tested).collect(),
        tests_more: words::more(swept.tests.len(), caps.cohorts, "cohorts", "report.json"),
    }
}

fn four_fifths(swept: &Swept, sweep: &Sweep) -> String {
    let known = swept.ratios.first().is_some_and(|ratios| ratios.iter().any(Option::is_some));
    let span = |(from, to): &(f64, f64)| match from == to {
        true => words::figure(*from),
        false => text!("sweep-span", from = words::figure(*from), to = words::figure(*to)),
    };
    let spans: Vec<String> = swept.four_fifths.iter().take(RUNS).map(span).collect();
    let left = words::more(swept.four_fifths.len(), RUNS, "runs", "report.json");
    match (known, spans.is_empty()) {
        (false, _) => text!("sweep-unknown"),
        (true, true) => text!("sweep-at-none", n = sweep.thresholds.len()),
        (true, false) => {
            let said = text!("sweep-four-fifths", spans = spans.join(&text!("clauses-between")));
            [said, left].join(&text!("sentences-between")).trim_end().into()
        }
    }
}

fn charts(number: usize, swept: &Swept, sweep: &Sweep) -> Vec<Drawn> {
    let across = Scale::over(sweep.thresholds.iter().copied(), &words::tick);
    let up = Scale::over([0.0, 1.0].into_iter(), &words::tick);
    let track = |(name, values): (&str, &Vec<Option<f64>>)| Track {
        label: text!(&format!("sweep-track-{name}")),
        points: sweep.thresholds.iter().copied().zip(values.iter().copied()).collect(),
    };
    let draw = |heading: String, id: &str, values: &[Vec<Option<f64>>]| {
        let tracks: Vec<Track> = NAMES.into_iter().zip(values).map(track).collect();
        // The worst value: of a difference the greatest, of a ratio the least.
        let worst = |track: &Track| {
            let known = track.points.iter().filter_map(|(at, value)| value.map(|value| (value, *at)));
            let (name, said) = (&track.label, |(value, at)| (words::figure(value), words::figure(at)));
            if id == "ratio" {
                let (value, at) = said(known.min_by(|a, b| a.0.total_cmp(&b.0))?);
                return Some(text!("sweep-least", name = name, value = value, at = at));
            }
            let (value, at) = said(known.max_by(|a, b| a.0.total_cmp(&b.0))?);
            Some(text!("sweep-greatest", name = name, value = value, at = at))
        };
        let description: Vec<String> = tracks.iter().filter_map(worst).collect();
        let across_names = words::across(&swept.across);
        let plane = Plane {
            id: format!("t{number}-{id}"),
            title: text!("sweep-chart-title", heading = &heading, across = across_names),
            description: text!("sweep-described", said = description.join(&text!("clauses-between"))),
            across: across.clone(),
            up: up.clone(),
            tracks,
            mark: sweep.decided_at,
        };
        let names = svg::Axes {
            across: text!("sweep-axis-threshold"),
            up: if id == "ratio" { text!("sweep-axis-ratio") } else { text!("sweep-axis-difference") },
            mark: sweep.decided_at.map_or_else(String::new, |at| text!("sweep-mark", at = words::figure(at))),
        };
        Drawn { heading, note: String::new(), svg: svg::sweep(&plane, &names) }
    };
    vec![
        draw(text!("sweep-difference-by-threshold"), "difference", &swept.differences),
        draw(text!("sweep-ratio-by-threshold"), "ratio", &swept.ratios),
    ]
}

fn row(at: &At) -> Row {
    Row {
        threshold: words::figure(at.threshold),
        ratio: at.ratios.first().map_or_else(|| Shown::words(&text!("undefined"), ""), Shown::figure),
        differences: at.differences.iter().map(Shown::figure).collect(),
    }
}

fn tested(of: &TwoSamples) -> Tested {
    let value = |test: &Option<Test>| match test {
        Some(test) => text!("sweep-p", value = words::figure(test.statistic), p = words::p_value(test.p)),
        None => text!("undefined"),
    };
    Tested {
        name: text!("sweep-cohorts", cohort = words::name(&of.cohort), with = words::name(&of.with)),
        rows: text!("sweep-two", first = of.n.0, second = of.n.1),
        medians: text!("sweep-two", first = words::figure(of.median.0), second = words::figure(of.median.1)),
        values: [&of.welch, &of.mann_whitney, &of.smirnov].map(value).into(),
    }
}
