//! Treatment of alike rows, and of rows that differ in a protected column only.

use serde::Serialize;

use crate::audit::bias::individual as audit;
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::Caps;
use crate::report::view::said::{self, HOLE, Said, said};
use crate::report::view::words::{self, Shown};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub consistency: Vec<Consistency>,
    pub flips: Vec<Flip>,
    pub notes: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Consistency {
    pub id: String,
    pub name: String,
    pub said: Said,
    /// Columns that are left out of the sentence.
    pub said_more: String,
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
        notes: said::list(&of.notes, caps.texts, "report.json"),
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
    let first = vec![line(&text!("everyone"), &of.others), line(&text!("individual-with-itself"), &of.with_itself)];
    let (lines, more) = cohorts(first, &of.cohorts, caps);
    let is_label = of.of == "label";
    let columns = said::names(&columns);
    let sentence = match is_label {
        true => text!("individual-said-label", n = of.neighbours, columns = columns, scale = HOLE),
        false => text!("individual-said-decision", n = of.neighbours, columns = columns, scale = HOLE),
    };
    Consistency {
        id: format!("consistency-{}", of.of),
        name: if is_label { text!("individual-consistency-label") } else { text!("individual-consistency-decision") },
        said: Said::around(&sentence, &[said(&of.scale)]),
        said_more: left,
        lines,
        more,
    }
}

fn flip(of: &audit::Flip, at: usize, caps: &Caps) -> Flip {
    let (lines, more) = cohorts(vec![line(&text!("everyone"), &of.any)], &of.cohorts, caps);
    let direction = |of: &audit::Direction| Direction {
        name: text!("individual-from-to", from = words::name(&of.from), to = words::name(&of.to)),
        gains: Shown::figure(&of.gains),
        loses: Shown::figure(&of.loses),
    };
    Flip {
        id: format!("flip-{at}"),
        name: text!("individual-flip", name = words::name(&of.column)),
        lines,
        more,
        directions: of.directions.iter().take(caps.cohorts).map(direction).collect(),
        directions_more: words::more(of.directions.len(), caps.cohorts, "switches", "report.json"),
    }
}
