//! What can be done about a difference, with its measured effect.

use serde::{Deserialize, Serialize};

use super::Figure;

/// Candidates beside the decisions or predictions as they were, on rows that no choice was made on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Mitigation {
    /// Protected columns of the cohorts.
    pub across: Vec<String>,
    pub confidence: f64,
    /// Rows that rules were chosen on, or models fitted to.
    pub rows_chosen_on: i64,
    pub rows_held_out: i64,
    /// `accuracy`, or `root-mean-squared-error`.
    pub quality: String,
    /// Names of the gaps, in the order of every candidate's.
    pub parities: Vec<String>,
    /// The one put into effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// Decisions or predictions without any remedy.
    pub before: Outcome,
    pub candidates: Vec<Tried>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_tried: Vec<NotTried>,
    /// What the figures say, in sentences.
    pub summary: Vec<String>,
    pub warnings: Vec<Statement>,
    pub notes: Vec<String>,
}

/// How good, and how far apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "MitigationOutcome"))]
pub struct Outcome {
    pub quality: Figure,
    /// Difference of the worst pair of cohorts, one for each parity.
    pub gaps: Vec<Figure>,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Tried {
    pub id: String,
    /// The protected column is read for every new decision.
    pub reads_protected: bool,
    pub outcome: Outcome,
    /// Quality less that of before, on the same rows.
    pub price: Figure,
    pub cohorts: Vec<Effect>,
    /// Where a gap closed because a cohort was lowered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levelling_down: Vec<String>,
    pub made: Vec<String>,
    /// Cohort, and the rule it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(String, String)>,
}

/// What changes for a cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Effect {
    pub cohort: String,
    pub rows: Option<i64>,
    /// Rows decided 1 that were decided 0, and the reverse.
    pub gain: Option<i64>,
    pub lose: Option<i64>,
    /// Change of the selection rate, or of the mean prediction.
    pub level: Figure,
    pub true_positive: Figure,
    pub false_positive: Figure,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct NotTried {
    pub remedy: String,
    pub why: String,
}

/// What a law or its makers say, as far as this program knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "MitigationStatement"))]
pub struct Statement {
    pub place: String,
    pub text: String,
    /// Month it was looked at.
    pub as_of: String,
    /// Primary text, secondary source, or general knowledge.
    pub source: String,
}
