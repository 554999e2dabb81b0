//! `[[measure.regulation]]`: rules whose figures are printed.

use serde::{Deserialize, Serialize};

use crate::plan::spec::Level;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum Rule {
    #[serde(rename = "nyc-local-law-144")]
    LocalLaw144,
    #[serde(rename = "ugesp")]
    Ugesp,
    #[serde(rename = "us-lending")]
    Lending,
    #[serde(rename = "us-insurance")]
    Insurance,
    #[serde(rename = "eu-ai-act-article-10")]
    AiActArticle10,
}

impl Rule {
    /// As the pipeline file writes it.
    pub fn id(self) -> &'static str {
        match self {
            Rule::LocalLaw144 => "nyc-local-law-144",
            Rule::Ugesp => "ugesp",
            Rule::Lending => "us-lending",
            Rule::Insurance => "us-insurance",
            Rule::AiActArticle10 => "eu-ai-act-article-10",
        }
    }
}

/// Which rate of Local Law 144.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Share of a category that is selected.
    Selection,
    /// Share of a category with a score above the median of all.
    Scoring,
}

/// Which data a tool was audited on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DataKind {
    /// Of the tool's use.
    Historical,
    /// Other data.
    Test,
}

/// `[[measure.regulation]]`: one rule whose figures are printed. A rule adds the sets of columns, metrics and criteria it needs; what the pipeline
/// file says itself is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Regulation {
    pub rule: Rule,
    /// Employment: the protected column of sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// Employment: the protected column of race or ethnicity, as stated by the people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub race: Option<String>,
    /// Lending, the AI Act: sets of protected columns. Every set of `[measure]` when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub across: Vec<Vec<String>>,
    /// Local Law 144: selection or scoring. Selection where there is a decision when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Employment: a category below this share of all rows is left out of the ratios. 0.02 when absent; 0 leaves none out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded_below: Option<f64>,
    /// Local Law 144: the auditor's justification for leaving small categories out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusion_reason: Option<String>,
    /// Local Law 144: historical data of the tool's use, or test data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataKind>,
    /// Where the data come from and why these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
    /// Local Law 144: day of the bias audit, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_date: Option<String>,
    /// Local Law 144: day the tool was first distributed in the version audited, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_date: Option<String>,
    /// UGESP, lending: what a ratio below the screening value means for the exit code. `warn` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Level>,
    /// UGESP, lending: least ratio of selection rates. 0.8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<f64>,
    /// Insurance: the section `[measure.inferred.NAME]` with the probabilities of race.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inferred: Option<String>,
    /// Insurance: least difference of rates that counts, as a share. 0.05 when absent, the draft's five percentage points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_min: Option<f64>,
    /// Insurance: greatest p-value that counts. 0.05 when absent, the draft's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_max: Option<f64>,
    /// The AI Act: who handles the special categories of personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled_by: Option<String>,
    /// The AI Act: why other data do not serve to find and correct bias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub necessity: Option<String>,
    /// The AI Act: how the special categories are pseudonymised and kept from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safeguards: Option<String>,
    /// The AI Act: when the special categories are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
}

/// Share of all rows below which a category may be left out (6 RCNY 5-301; 29 CFR 1607.15 A).
pub const EXCLUDED_BELOW: f64 = 0.02;
/// Four fifths (29 CFR 1607.4 D).
pub const FOUR_FIFTHS: f64 = 0.8;
/// Of the draft testing regulation of Colorado.
pub const DRAFT: f64 = 0.05;

impl Regulation {
    pub fn excluded_below(&self) -> f64 {
        self.excluded_below.unwrap_or(EXCLUDED_BELOW)
    }

    pub fn screening(&self) -> f64 {
        self.screening.unwrap_or(FOUR_FIFTHS)
    }

    pub fn effect_min(&self) -> f64 {
        self.effect_min.unwrap_or(DRAFT)
    }

    pub fn p_max(&self) -> f64 {
        self.p_max.unwrap_or(DRAFT)
    }
}
