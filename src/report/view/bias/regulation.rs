//! What rules ask to be computed and printed: statements with date and source, numbers, and what a rule does not say.

use serde::Serialize;

use crate::audit::bias::regulation::{Cell, Regulation, Source, Statement, Table};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::Caps;
use crate::report::view::said::{self, HOLE, Said, Told, said, told};
use crate::report::view::words::{self, Shown};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub rules: Vec<Rule>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    pub id: String,
    pub name: String,
    pub facts: Vec<Told>,
    /// Why there are no numbers; empty where there are.
    pub not_measured: Said,
    pub results: Vec<Said>,
    pub tables: Vec<Shape>,
    pub tables_more: String,
    pub statements: Vec<Line>,
    pub statements_more: String,
    pub not_said: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shape {
    pub caption: String,
    pub headings: Vec<String>,
    pub rows: Vec<Row>,
    pub more: String,
    pub notes: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub cohort: String,
    pub cells: Vec<Entry>,
}

/// One cell: a figure with its interval, or a text.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    pub shown: Option<Shown>,
    pub text: String,
    /// Of a number, or of few words.
    pub class: &'static str,
}

/// A statement and how well it is known.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub text: Said,
    pub as_of: String,
    pub source: Said,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let all = &report.bias.regulation;
    let rules: Vec<Rule> = all.iter().take(caps.sets).enumerate().map(|(i, view)| rule(i, view, caps)).collect();
    let more = words::more(all.len(), caps.sets, "rules", "report.json");
    (!rules.is_empty()).then_some(Section { rules, more })
}

fn rule(i: usize, view: &Regulation, caps: &Caps) -> Rule {
    let texts = |all: &[String]| said::list(all, caps.texts, "report.json");
    Rule {
        id: format!("rule-{}", i + 1),
        name: said::translated(&view.name).unwrap_or_else(|| words::sentence(&view.name)),
        facts: view.facts.iter().map(|(term, text)| told(said(term), stated(text))).collect(),
        not_measured: not_measured(&view.not_measured),
        results: texts(&view.results),
        tables: view.tables.iter().take(caps.sets).map(|table| shape(table, view, caps)).collect(),
        tables_more: words::more(view.tables.len(), caps.sets, "sets-of-attributes", "report.json"),
        statements: view.statements.iter().take(caps.texts).map(line).collect(),
        statements_more: words::more(view.statements.len(), caps.texts, "lines", "report.json"),
        not_said: texts(&view.not_said),
    }
}

fn not_measured(why: &str) -> Said {
    match why.trim().is_empty() {
        true => Said::default(),
        false => Said::around(&text!("regulation-not-measured", why = HOLE), &[said(why)]),
    }
}

/// What the pipeline file states, in its own words, or what this program puts there.
fn stated(text: &str) -> Said {
    let share = text.strip_prefix("the test part only, a share of ").and_then(|rest| rest.split_once(" of the rows; "));
    let points = text.strip_suffix(" percentage points").filter(|number| number.parse::<f64>().is_ok());
    Said::own(match (share, points, said::translated(text)) {
        (.., Some(known)) => known,
        (Some((share, _)), ..) => text!("regulation-test-part", share = words::name(share)),
        (_, Some(points), _) => text!("regulation-points", value = points),
        _ => words::sentence(text),
    })
}

/// `sex × race`, or `race (inferred)`.
fn titled(title: &str) -> String {
    match title.strip_suffix(" (inferred)") {
        Some(name) => text!("inferred-name", name = words::name(name)),
        None => words::name(title),
    }
}

fn shape(table: &Table, view: &Regulation, caps: &Caps) -> Shape {
    let cells = |cells: &[Cell]| cells.iter().map(entry).collect();
    Shape {
        caption: text!("regulation-table", rule = words::name(&view.rule), name = titled(&table.title)),
        headings: table.headings.iter().map(|heading| said::term(heading)).collect(),
        rows: table
            .rows
            .iter()
            .take(caps.cohorts)
            .map(|row| Row { cohort: words::name(&row.cohort), cells: cells(&row.cells) })
            .collect(),
        more: words::more(table.rows.len(), caps.cohorts, "rows", "report.json"),
        notes: said::list(&table.notes, caps.texts, "report.json"),
    }
}

fn entry(cell: &Cell) -> Entry {
    let text = |text: String, class| Entry { shown: None, text, class };
    match cell {
        Cell::Count { value } => text(words::count(*value), "num"),
        Cell::Number { value } => text(value.map_or_else(|| text!("undefined"), words::figure), "num"),
        Cell::Figure { figure } => Entry { shown: Some(Shown::figure(figure)), text: String::new(), class: "" },
        Cell::Words { text: written } => text(said::term(written), "short"),
    }
}

fn line(statement: &Statement) -> Line {
    let source = match statement.source {
        Source::Secondary => text!("regulation-secondary", from = HOLE),
        Source::Background => text!("regulation-background", from = HOLE),
    };
    Line {
        text: said(&statement.text),
        as_of: words::name(&statement.as_of),
        source: Said::around(&source, &[said(&statement.from)]),
    }
}
