//! Outcomes of more than two classes: each class against the rest.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Figure;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Classes {
    /// Columns of the true and of the decided class.
    pub target: Arc<str>,
    pub prediction: Arc<str>,
    pub sets: Vec<ClassSet>,
}

/// Every class by the cohorts of one set of attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ClassSet {
    pub across: Vec<Arc<str>>,
    /// The cohort that selection rates are divided by; without one each class has its own: the cohort of the highest rate.
    pub reference: Option<String>,
    pub classes: Vec<Class>,
    /// Mean recall of the classes, by cohort; its worst pair.
    pub macro_recall: Vec<(String, Figure)>,
    pub macro_recall_worst: Figure,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Class {
    pub class: Arc<str>,
    pub cohorts: Vec<ClassCohort>,
    /// Greatest minus least, for all pairs at once.
    pub selection_worst: Figure,
    pub recall_worst: Figure,
    pub precision_worst: Figure,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ClassCohort {
    pub cohort: String,
    /// Rows decided to be of the class, of those with a decision.
    pub selection: Figure,
    /// The same over that of the reference or of the highest cohort (categorical adverse impact ratio). None for that cohort.
    pub ratio: Option<Figure>,
    /// Of the rows of the class, those decided to be of it.
    pub recall: Figure,
    /// Of the rows decided to be of the class, those that are.
    pub precision: Figure,
}
