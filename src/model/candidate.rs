//! Another way of deciding or predicting, tried beside the audited one.

use std::sync::Arc;

use super::Model;
use crate::plan::spec::Remedy;
use crate::scalar::{Expr, Scalar};

/// One way, ready to be evaluated on every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Unique in a run: the remedy, with its strength where several are tried.
    pub id: Arc<str>,
    pub remedy: Remedy,
    pub rule: Rule,
    /// The model behind it, where one was fitted again.
    pub model: Option<Box<Model>>,
    /// How it was made, in sentences.
    pub made: Vec<String>,
    /// The rule of every cohort that has one of its own.
    pub settings: Vec<(String, String)>,
}

/// What it says of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// True, false or missing.
    Decision(Scalar),
    /// A position in `chances`, or missing; the row is decided 1 when the hash of its key, as a share of all hashes, is less than the chance.
    Lottery { plateau: Scalar, chances: Vec<f64> },
    /// A number in the target's unit.
    Prediction(Scalar),
}

impl Candidate {
    /// The decision of a row, where no draw is needed for it.
    pub fn decision(&self) -> Option<Scalar> {
        match &self.rule {
            Rule::Decision(of) => Some(of.clone()),
            Rule::Lottery { .. } | Rule::Prediction(_) => None,
        }
    }

    /// A decision by cohort: the first condition that is true chooses, else the given decision.
    pub fn by_cohort(rules: Vec<(Scalar, Scalar)>, otherwise: Scalar) -> Scalar {
        match rules.is_empty() {
            true => otherwise,
            false => Expr::Case(rules, Some(Box::new(otherwise))),
        }
    }
}

/// What was asked for and could not be tried, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTried {
    pub remedy: Remedy,
    pub why: String,
}
