//! What rules ask to be computed and printed.
//!
//! Every rule has a form of its own, so what it prints is a list of tables with headings; a cell says what kind of number it holds.

use serde::{Deserialize, Serialize};

use super::Figure;

/// The view of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Regulation {
    /// As the pipeline file names it.
    pub rule: String,
    pub name: String,
    /// What the pipeline file states about the audit: term and text; a text that is not there is "not stated".
    pub facts: Vec<(String, String)>,
    /// What the rule says, with date and kind of source.
    pub statements: Vec<Statement>,
    /// What the rule does not say.
    pub not_said: Vec<String>,
    pub tables: Vec<Table>,
    /// What the numbers come to.
    pub results: Vec<String>,
    /// Why there are no numbers; empty where there are.
    pub not_measured: String,
}

/// Something that is so in one place at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "RegulationStatement"))]
pub struct Statement {
    pub text: String,
    /// As of when it was read.
    pub as_of: String,
    pub source: Source,
    /// Where it was read.
    pub from: String,
}

/// How well a statement is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "RegulationSource"))]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A page about the text, or a copy of it; the official text was not read.
    Secondary,
    /// General knowledge of the field; no text was read.
    Background,
}

impl Source {
    pub fn describe(self) -> &'static str {
        match self {
            Source::Secondary => {
                "secondary source: a page about the text or a copy of it, not the official publication"
            }
            Source::Background => "background knowledge of the field, not checked against the text",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "RegulationTable"))]
pub struct Table {
    pub title: String,
    /// Headings after that of the cohort.
    pub headings: Vec<String>,
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "RegulationRow"))]
pub struct Row {
    pub cohort: String,
    pub cells: Vec<Cell>,
}

impl Table {
    /// The cell of a cohort under a heading.
    pub fn cell(&self, cohort: &str, heading: &str) -> Option<&Cell> {
        let at = self.headings.iter().position(|other| other == heading)?;
        self.rows.iter().find(|row| row.cohort == cohort)?.cells.get(at)
    }
}

/// One entry of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "RegulationCell"))]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Cell {
    Count {
        value: i64,
    },
    /// A number without an interval; none is undefined.
    Number {
        value: Option<f64>,
    },
    Figure {
        figure: Figure,
    },
    Words {
        text: String,
    },
}

impl Cell {
    pub fn number(value: Option<f64>) -> Cell {
        Cell::Number { value: value.filter(|value| value.is_finite()) }
    }

    pub fn words(text: impl Into<String>) -> Cell {
        Cell::Words { text: text.into() }
    }

    /// The number it holds.
    pub fn value(&self) -> Option<f64> {
        match self {
            Cell::Count { value } => Some(*value as f64),
            Cell::Number { value } => *value,
            Cell::Figure { figure } => figure.point(),
            Cell::Words { .. } => None,
        }
    }
}
