//! What rules ask to be computed and printed: statements with date and source, numbers, and what a rule does not say.

use serde::Serialize;

use crate::audit::bias::regulation::{Cell, Regulation, Statement, Table};
use crate::report::document::Report;
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub rules: Vec<Rule>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    pub id: String,
    pub name: String,
    pub facts: Vec<Fact>,
    /// Why there are no numbers; empty where there are.
    pub not_measured: String,
    pub results: Vec<String>,
    pub tables: Vec<Shape>,
    pub statements: Vec<Line>,
    pub not_said: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shape {
    pub caption: String,
    pub headings: Vec<String>,
    pub rows: Vec<Row>,
    pub more: String,
    pub notes: Vec<String>,
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
    pub number: bool,
}

/// A statement and how well it is known.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub text: String,
    pub as_of: String,
    pub source: String,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let all = &report.bias.regulation;
    let rules: Vec<Rule> = all.iter().take(caps.sets).enumerate().map(|(i, view)| rule(i, view, caps)).collect();
    let more = words::more(all.len(), caps.sets, "rules", "report.json");
    (!rules.is_empty()).then_some(Section { rules, more })
}

fn rule(i: usize, view: &Regulation, caps: &Caps) -> Rule {
    let texts = |all: &[String]| words::list(all, caps.texts, "report.json");
    let results = texts(&view.results);
    Rule {
        id: format!("rule-{}", i + 1),
        name: words::sentence(&view.name),
        facts: view.facts.iter().map(|(term, text)| fact(term, words::sentence(text))).collect(),
        not_measured: words::prose(&view.not_measured),
        results,
        tables: view.tables.iter().take(caps.sets).map(|table| shape(table, view, caps)).collect(),
        statements: view.statements.iter().map(line).collect(),
        not_said: texts(&view.not_said),
    }
}

fn shape(table: &Table, view: &Regulation, caps: &Caps) -> Shape {
    let cells = |cells: &[Cell]| cells.iter().map(entry).collect();
    Shape {
        caption: format!("{}: {}", words::name(&view.rule), words::name(&table.title)),
        headings: table.headings.iter().map(|heading| words::name(heading)).collect(),
        rows: table
            .rows
            .iter()
            .take(caps.cohorts)
            .map(|row| Row { cohort: words::name(&row.cohort), cells: cells(&row.cells) })
            .collect(),
        more: words::more(table.rows.len(), caps.cohorts, "rows", "report.json"),
        notes: table.notes.iter().map(|note| words::prose(note)).collect(),
    }
}

fn entry(cell: &Cell) -> Entry {
    let text = |text: String, number| Entry { shown: None, text, number };
    match cell {
        Cell::Count { value } => text(words::count(*value), true),
        Cell::Number { value } => text(value.map_or("undefined".into(), words::figure), true),
        Cell::Figure { figure } => Entry { shown: Some(Shown::figure(figure)), text: String::new(), number: false },
        Cell::Words { text: written } => text(words::name(written), false),
    }
}

fn line(statement: &Statement) -> Line {
    Line {
        text: words::sentence(&statement.text),
        as_of: words::name(&statement.as_of),
        source: words::sentence(&format!("{} ({})", statement.source.describe(), statement.from)),
    }
}
