//! How far attacks on the real rows got. Never part of `report.json` of a run under differential privacy: they are about single rows.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// Attacks on what a run made, with the rows it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AttacksOnRows {
    /// Of every interval.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub confidence: f64,
    /// The model that was trained here; none where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Attempt<ModelAttacked>>,
    /// The dataset that was de-identified here; none where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Attempt<DatasetAttacked>>,
}

/// An attack that was made, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "Attempt{T}"))]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Attempt<T> {
    Attacked(T),
    NotAttacked { reason: String },
}

impl<T> Attempt<T> {
    pub fn of(result: Result<T, String>) -> Attempt<T> {
        match result {
            Ok(attacked) => Attempt::Attacked(attacked),
            Err(reason) => Attempt::NotAttacked { reason },
        }
    }
}

/// A share, or a difference of shares, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Share {
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub value: f64,
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub lower: f64,
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub upper: f64,
}

/// A number. JSON has none that is not finite and writes null for it.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The trained model under attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ModelAttacked {
    /// Training rows without a missing value.
    pub rows_trained: u64,
    /// Of these, the rows of smallest hash that were attacked.
    pub rows_attacked: u64,
    /// Attacked rows without which the model is not determined; they count as recognised.
    pub undetermined: u64,
    /// Probability that the loss of a row that was trained on is below that of one that was not; 0.5 is a coin's.
    pub auc: Share,
    pub at: Vec<Recognised>,
    /// Cohorts of the single protected attributes among the rows the model depends on most; empty where it was withheld.
    pub exposure: Vec<Exposed>,
    /// The level of the sensitive column; none where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Attempt<AttributeGuessed>>,
    /// What a row left out means here, and what holds only nearly.
    pub notes: Vec<String>,
}

/// What is recognised where few others may be taken for members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Recognised {
    /// Share of the others that may be taken for members.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub false_positives_max: f64,
    pub false_positives: u64,
    /// Share of the members that are recognised.
    pub true_positive_rate: Share,
}

/// One cohort among the rows of the largest leverage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Exposed {
    pub attribute: Arc<str>,
    pub level: Arc<str>,
    pub rows: u64,
    /// Its rows among the hundredth of largest leverage.
    pub exposed: u64,
    /// Of all rows of that hundredth.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub share_of_exposed: f64,
    /// Of the cohort's rows; one in a hundred of everyone.
    pub share_of_cohort: Share,
}

/// A level guessed from the other features, the outcome and the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AttributeGuessed {
    pub column: Arc<str>,
    pub levels: u32,
    /// Rows of other people from whom the attacker knows how levels and other features go together.
    pub rows_known: u64,
    /// Of rows that were trained on.
    pub members: Guessed,
    /// Of rows that were not; none where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Guessed>,
}

/// Guesses with and without the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Guessed {
    pub rows: u64,
    pub right_with: u64,
    pub right_without: u64,
    /// (right with the model only - right without it only) / rows.
    pub gain: Share,
}

/// The de-identified dataset under attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct DatasetAttacked {
    /// Rows behind the file that was attacked, and as many that are not behind it.
    pub rows_original: u64,
    pub rows_control: u64,
    pub risks: Vec<RiskFound>,
    pub notes: Vec<String>,
}

/// The risk of one attack on a released file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RiskFound {
    pub attack: String,
    /// Guesses about rows behind the file, and how many were right.
    pub guesses: u64,
    pub right: u64,
    /// Guesses about rows that are not behind it, and how many were right.
    pub control_guesses: u64,
    pub right_control: u64,
    /// What the attack gets beyond the control, of what the control leaves; none where no guess was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<Share>,
    pub warnings: Vec<String>,
}
