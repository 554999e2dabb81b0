//! `[mitigate]`: what can be done about a difference.

use serde::{Deserialize, Serialize};

/// A way of making decisions or predictions of cohorts more alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// One threshold per cohort: selection rates alike.
    DemographicParityThresholds,
    /// One threshold per cohort: true positive rates alike.
    EqualOpportunityThresholds,
    /// Two thresholds per cohort and a draw between them: true and false positive rates alike.
    EqualizedOdds,
    /// Scores near the threshold are decided by the cohort.
    RejectOption,
    /// The model is fitted again, with weights that make label and cohort independent.
    Reweighing,
    /// The model is fitted again, with labels nearest the decision changed until label rates are alike.
    Massaging,
    /// The model is fitted again, with a penalty on the covariance of its predictor with the cohorts.
    CovariancePenalty,
    /// The model is fitted again, to features without what is linear in the cohorts.
    CorrelationRemover,
    /// The model is fitted again, to numeric features of which the cohorts' quantiles are moved to their median.
    DisparateImpactRemover,
}

impl Remedy {
    pub const ALL: [Remedy; 9] = [
        Remedy::DemographicParityThresholds,
        Remedy::EqualOpportunityThresholds,
        Remedy::EqualizedOdds,
        Remedy::RejectOption,
        Remedy::Reweighing,
        Remedy::Massaging,
        Remedy::CovariancePenalty,
        Remedy::CorrelationRemover,
        Remedy::DisparateImpactRemover,
    ];

    pub fn id(self) -> &'static str {
        match self {
            Remedy::DemographicParityThresholds => "demographic-parity-thresholds",
            Remedy::EqualOpportunityThresholds => "equal-opportunity-thresholds",
            Remedy::EqualizedOdds => "equalized-odds",
            Remedy::RejectOption => "reject-option",
            Remedy::Reweighing => "reweighing",
            Remedy::Massaging => "massaging",
            Remedy::CovariancePenalty => "covariance-penalty",
            Remedy::CorrelationRemover => "correlation-remover",
            Remedy::DisparateImpactRemover => "disparate-impact-remover",
        }
    }

    /// True when decisions are made from scores, and the model stays as it is.
    pub fn is_of_decisions(self) -> bool {
        matches!(
            self,
            Remedy::DemographicParityThresholds
                | Remedy::EqualOpportunityThresholds
                | Remedy::EqualizedOdds
                | Remedy::RejectOption
        )
    }

    /// True when a linear model of a numeric target has it.
    pub fn is_of_predictions(self) -> bool {
        matches!(self, Remedy::CovariancePenalty | Remedy::CorrelationRemover)
    }

    /// True when the protected column is read for every new decision.
    pub fn reads_protected(self) -> bool {
        self.is_of_decisions() || matches!(self, Remedy::CorrelationRemover | Remedy::DisparateImpactRemover)
    }
}

/// `[mitigate]`: what can be done about a difference, tried on rows held out from every choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mitigate {
    /// The set of `[measure] across` whose cohorts are made more alike; its first when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub across: Vec<String>,
    /// What is tried. All that the columns and the model allow when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Remedy>,
    /// The one that is put into effect and audited in place of the model as it was trained. None when absent.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub used: Option<Remedy>,
    /// Strength of the covariance penalty that is put into effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Strengths of the covariance penalty that are tried. Four from weak to a covariance of nearly zero when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strengths: Vec<f64>,
    /// Share of the way that the disparate-impact remover moves quantiles, 0 to 1.
    #[serde(default = "whole")]
    pub repair: f64,
    /// A given score decides 1 when it is at least this, where no column of decisions is given.
    #[serde(default = "half")]
    pub threshold: f64,
}

fn whole() -> f64 {
    1.0
}
fn half() -> f64 {
    0.5
}

impl Default for Mitigate {
    fn default() -> Mitigate {
        Mitigate {
            across: Vec::new(),
            methods: Vec::new(),
            used: None,
            strength: None,
            strengths: Vec::new(),
            repair: whole(),
            threshold: half(),
        }
    }
}

impl Mitigate {
    /// What is to be tried.
    pub fn remedies(&self) -> Vec<Remedy> {
        let mut all = if self.methods.is_empty() { Remedy::ALL.to_vec() } else { self.methods.clone() };
        all.extend(self.used);
        all.sort();
        all.dedup();
        all
    }
}
