//! Treatment of alike rows, and of rows that differ in a protected column only.

use serde::Serialize;

use crate::audit::bias::individual as audit;
use crate::report::document::Report;
use crate::report::view::Caps;
use crate::report::view::words::{self, Shown};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub consistency: Vec<Consistency>,
    pub flips: Vec<Flip>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Consistency {
    pub id: String,
    pub name: String,
    pub said: String,
    pub lines: Vec<Line>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub name: String,
    pub value: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Flip {
    pub id: String,
    pub name: String,
    pub lines: Vec<Line>,
    pub more: String,
    pub directions: Vec<Direction>,
    pub directions_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Direction {
    pub name: String,
    pub gains: Shown,
    pub loses: Shown,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let of = report.bias.individual.as_ref()?;
    Some(Section {
        consistency: of.consistency.iter().map(|of| consistency(of, caps)).collect(),
        flips: of.flips.iter().zip(1..).map(|(of, at)| flip(of, at, caps)).collect(),
        notes: words::list(&of.notes, caps.texts, "report.json"),
    })
}

fn line(name: &str, value: &crate::audit::bias::Figure) -> Line {
    Line { name: words::sentence(name), value: Shown::figure(value) }
}

fn cohorts(first: Vec<Line>, of: &[audit::OfCohort], caps: &Caps) -> (Vec<Line>, String) {
    let cohorts = of.iter().take(caps.cohorts).map(|of| line(&of.cohort, &of.value));
    let more = words::more(of.len(), caps.cohorts, "cohorts", "report.json");
    (first.into_iter().chain(cohorts).collect(), more)
}

fn consistency(of: &audit::Consistency, caps: &Caps) -> Consistency {
    let columns: Vec<String> = of.columns.iter().take(caps.columns).map(|name| words::name(name)).collect();
    let left = words::more(of.columns.len(), caps.columns, "columns", "report.json");
    let first = vec![
        line("everyone", &of.others),
        line("everyone, the row itself among its nearest (AIF360)", &of.with_itself),
    ];
    let (lines, more) = cohorts(first, &of.cohorts, caps);
    Consistency {
        id: format!("consistency-{}", of.of),
        name: format!("Consistency of the {}", words::name(&of.of)),
        said: format!(
            "1 minus the mean distance between the {} of a row and its mean over the {} nearest other rows; 1 where all alike rows are treated alike. Nearest by {}, in units of {}. {left}",
            words::name(&of.of),
            of.neighbours,
            columns.join(", "),
            words::sentence(&of.scale)
        )
        .trim()
        .into(),
        lines,
        more,
    }
}

fn flip(of: &audit::Flip, at: usize, caps: &Caps) -> Flip {
    let (lines, more) = cohorts(vec![line("everyone", &of.any)], &of.cohorts, caps);
    let direction = |of: &audit::Direction| Direction {
        name: words::sentence(&format!("{} to {}", of.from, of.to)),
        gains: Shown::figure(&of.gains),
        loses: Shown::figure(&of.loses),
    };
    Flip {
        id: format!("flip-{at}"),
        name: format!("Flip test of {}", words::name(&of.column)),
        lines,
        more,
        directions: of.directions.iter().take(caps.cohorts).map(direction).collect(),
        directions_more: words::more(of.directions.len(), caps.cohorts, "switches", "report.json"),
    }
}
