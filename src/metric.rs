//! What can be measured: a card for every metric, and the rates of a confusion table as a table of one line each.
//!
//! A card states the formula, what the number hides, and the source of the definition. README's table and `evenhand metrics` are made from
//! the cards. A rate is a [`Share`] of rows: 0/0, weights, intervals and suppression are settled there, once for all rates.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::estimate::Share;
use crate::statistic::Cell;

mod data;
mod distances;
mod inequality;
pub mod parity;
pub mod peers;
mod ranking;

pub use data::DATA;
pub use distances::{DISTANCES, is_distance};
pub use inequality::{
    ATKINSON_EPSILON, GIVEN, INEQUALITIES, INEQUALITY, OF_SETS, OfSet, atkinson, benefits, generalised_entropy,
    is_given, is_of_a_set,
};
pub use parity::{PARITY, forms};
pub use ranking::RANKING;

/// How two cohorts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// One minus the other.
    Difference,
    /// One divided by the other.
    Ratio,
}

/// What a cohort is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The two cohorts that differ most: greatest minus least, or least divided by greatest.
    WorstPair,
    /// Each cohort with the one of the greatest value.
    Highest,
    /// Each cohort with everybody.
    Overall,
    /// Each cohort with the declared reference level.
    Reference,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Difference => "difference",
            Comparison::Ratio => "ratio",
        })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Against::WorstPair => "worst-pair",
            Against::Highest => "highest",
            Against::Overall => "overall",
            Against::Reference => "reference",
        })
    }
}

/// What a metric says and does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Card {
    /// Stable identifier, used in pipeline files and reports.
    pub id: &'static str,
    /// Name in a heading.
    pub name: &'static str,
    /// Formula in words and symbols.
    pub formula: &'static str,
    /// What the number does not show.
    pub hides: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// What the pipeline must have for it.
    pub needs: Needs,
}

/// The columns a metric reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// Nothing but the protected columns.
    Cohorts,
    /// A two-valued target.
    Label,
    /// A two-valued decision.
    Decision,
    /// Both of them.
    LabelAndDecision,
    /// A two-valued target and a score between 0 and 1.
    LabelAndScore,
    /// A score, whatever its labels.
    Score,
    /// A numeric target and a numeric prediction.
    NumberAndPrediction,
    /// A numeric prediction, whatever its target.
    Prediction,
}

/// Rows by true label and decision, each 0, 1 or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// `cells[label][decision]`.
    pub cells: [[Cell; 3]; 3],
}

impl Confusion {
    pub fn add(&mut self, label: u32, decision: u32, cell: Cell) {
        self.cells[label as usize % 3][decision as usize % 3] += cell;
    }

    /// Label 1, decision 1.
    pub fn true_positive(&self) -> Cell {
        self.cells[1][1]
    }
    /// Label 0, decision 1.
    pub fn false_positive(&self) -> Cell {
        self.cells[0][1]
    }
    /// Label 1, decision 0.
    pub fn false_negative(&self) -> Cell {
        self.cells[1][0]
    }
    /// Label 0, decision 0.
    pub fn true_negative(&self) -> Cell {
        self.cells[0][0]
    }
    /// Rows with this label, whatever the decision.
    pub fn label(&self, label: usize) -> Cell {
        self.cells[label].iter().copied().sum()
    }
    /// Rows with this decision, whatever the label.
    pub fn decision(&self, decision: usize) -> Cell {
        self.cells.iter().map(|row| row[decision]).sum()
    }
    /// Rows with this label and a known decision.
    pub fn label_known(&self, label: usize) -> Cell {
        self.cells[label][0] + self.cells[label][1]
    }
    /// Rows with this decision and a known label.
    pub fn decision_known(&self, decision: usize) -> Cell {
        self.cells[0][decision] + self.cells[1][decision]
    }
    /// The rows that are not in a part.
    pub fn without(&self, part: &Confusion) -> Confusion {
        let mut rest = *self;
        for (row, other) in rest.cells.iter_mut().zip(&part.cells) {
            for (cell, less) in row.iter_mut().zip(other) {
                *cell = *cell - *less;
            }
        }
        rest
    }
    /// All rows, unknown label and decision included.
    pub fn rows(&self) -> Cell {
        self.cells.iter().flatten().copied().sum()
    }
}

/// A share of rows that a confusion table determines.
pub struct Rate {
    pub card: Card,
    pub of: fn(&Confusion) -> Share,
}

fn share(numerator: Cell, denominator: Cell) -> Share {
    Share { numerator, denominator }
}

const SOURCE: &str = "Fawcett 2006, An introduction to ROC analysis, Pattern Recognition Letters 27";
const HARDT: &str = "Hardt, Price and Srebro 2016, Equality of opportunity in supervised learning";

macro_rules! rate {
    ($id:literal, $name:literal, $formula:literal, $needs:ident, $hides:literal, $source:expr, $of:expr) => {
        Rate {
            card: Card {
                id: $id,
                name: $name,
                formula: $formula,
                hides: $hides,
                source: $source,
                needs: Needs::$needs,
            },
            of: $of,
        }
    };
}

/// Every rate. A new one is one line here and one worked case.
#[rustfmt::skip]
pub const RATES: [Rate; 12] = [
    rate!("selection-rate", "Selection rate", "rows with decision 1 / rows with a decision", Decision,
        "whether those selected merit it; equal rates can hide opposite errors", "Dwork et al. 2012, Fairness through awareness (statistical parity)",
        |c| share(c.decision(1), c.decision(0) + c.decision(1))),
    rate!("prevalence", "Prevalence", "rows with label 1 / rows with a label", Label,
        "how the label came about; a biased label looks like a difference between people", SOURCE,
        |c| share(c.label(1), c.label(0) + c.label(1))),
    rate!("true-positive-rate", "True positive rate", "TP / (TP + FN)", LabelAndDecision,
        "errors among rows with label 0", HARDT,
        |c| share(c.true_positive(), c.true_positive() + c.false_negative())),
    rate!("false-positive-rate", "False positive rate", "FP / (FP + TN)", LabelAndDecision,
        "errors among rows with label 1", HARDT,
        |c| share(c.false_positive(), c.false_positive() + c.true_negative())),
    rate!("true-negative-rate", "True negative rate", "TN / (FP + TN)", LabelAndDecision,
        "errors among rows with label 1", SOURCE,
        |c| share(c.true_negative(), c.false_positive() + c.true_negative())),
    rate!("false-negative-rate", "False negative rate", "FN / (TP + FN)", LabelAndDecision,
        "errors among rows with label 0", SOURCE,
        |c| share(c.false_negative(), c.true_positive() + c.false_negative())),
    rate!("positive-predictive-value", "Positive predictive value", "TP / (TP + FP)", LabelAndDecision,
        "who is never selected; moves with prevalence", "Chouldechova 2017, Fair prediction with disparate impact (predictive parity)",
        |c| share(c.true_positive(), c.true_positive() + c.false_positive())),
    rate!("negative-predictive-value", "Negative predictive value", "TN / (TN + FN)", LabelAndDecision,
        "who is always selected; moves with prevalence", SOURCE,
        |c| share(c.true_negative(), c.true_negative() + c.false_negative())),
    rate!("false-discovery-rate", "False discovery rate", "FP / (TP + FP)", LabelAndDecision,
        "who is never selected; moves with prevalence", SOURCE,
        |c| share(c.false_positive(), c.true_positive() + c.false_positive())),
    rate!("false-omission-rate", "False omission rate", "FN / (TN + FN)", LabelAndDecision,
        "who is always selected; moves with prevalence", SOURCE,
        |c| share(c.false_negative(), c.true_negative() + c.false_negative())),
    rate!("accuracy", "Accuracy", "(TP + TN) / (TP + FP + FN + TN)", LabelAndDecision,
        "which kind of error is made; high when one label is rare", SOURCE,
        |c| share(c.true_positive() + c.true_negative(),
            c.true_positive() + c.true_negative() + c.false_positive() + c.false_negative())),
    rate!("error-rate", "Error rate", "(FP + FN) / (TP + FP + FN + TN)", LabelAndDecision,
        "which kind of error is made; low when one label is rare", SOURCE,
        |c| share(c.false_positive() + c.false_negative(),
            c.true_positive() + c.true_negative() + c.false_positive() + c.false_negative())),
];

/// A figure of a confusion table that is no share of rows. Arguments: TP, FP, FN, TN. None where it is undefined.
pub struct Composite {
    pub card: Card,
    pub of: fn([f64; 4]) -> Option<f64>,
}

fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

/// Every composite.
#[rustfmt::skip]
pub const COMPOSITES: [Composite; 3] = [
    Composite {
        card: Card { id: "f1-score", name: "F1 score", formula: "2 TP / (2 TP + FP + FN)", needs: Needs::LabelAndDecision,
            hides: "true negatives; moves with prevalence", source: "van Rijsbergen 1979, Information retrieval, chapter 7" },
        of: |[tp, fp, fn_, _]| ratio(2.0 * tp, 2.0 * tp + fp + fn_),
    },
    Composite {
        card: Card { id: "balanced-accuracy", name: "Balanced accuracy", formula: "(TP / (TP + FN) + TN / (TN + FP)) / 2", needs: Needs::LabelAndDecision,
            hides: "which of the two error rates is the higher", source: "Brodersen et al. 2010, The balanced accuracy and its posterior distribution" },
        of: |[tp, fp, fn_, tn]| Some((ratio(tp, tp + fn_)? + ratio(tn, tn + fp)?) / 2.0),
    },
    Composite {
        card: Card { id: "matthews-correlation", name: "Matthews correlation",
            formula: "(TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN))", needs: Needs::LabelAndDecision,
            hides: "which kind of error is made", source: "Matthews 1975, Biochimica et Biophysica Acta 405" },
        of: |[tp, fp, fn_, tn]| ratio(tp * tn - fp * fn_, ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt()),
    },
];

/// Cards of what is computed from scores.
#[rustfmt::skip]
pub const SCORES: [Card; 4] = [
    Card { id: "roc-auc", name: "Area under the ROC curve", formula: "P(score of a row with label 1 > score of a row with label 0) + P(equal) / 2",
        needs: Needs::LabelAndScore, hides: "the threshold that is used; calibration", source: "Hanley and McNeil 1982, Radiology 143; interval: DeLong et al. 1988, Biometrics 44" },
    Card { id: "brier-score", name: "Brier score", formula: "mean of (score - label)^2", needs: Needs::LabelAndScore,
        hides: "whether calibration or discrimination fails", source: "Brier 1950, Monthly Weather Review 78" },
    Card { id: "log-loss", name: "Log loss", formula: "mean of -ln(score given to the true label)", needs: Needs::LabelAndScore,
        hides: "whether calibration or discrimination fails; one row can dominate", source: "Good 1952, Rational decisions" },
    Card { id: "calibration-error", name: "Calibration error", formula: "sum over 10 equal score bins of (rows / all rows) |mean score - share with label 1|",
        needs: Needs::LabelAndScore, hides: "errors that cancel within a bin; biased upwards in small cohorts", source: "Naeini, Cooper and Hauskrecht 2015 (ECE, equal-width bins)" },
];

/// Cards of what is computed from numeric predictions.
#[rustfmt::skip]
pub const REGRESSIONS: [Card; 4] = [
    Card { id: "mean-absolute-error", name: "Mean absolute error", formula: "mean of |target - prediction|", needs: Needs::NumberAndPrediction,
        hides: "the direction of the error; a few large errors", source: "Willmott and Matsuura 2005, Climate Research 30" },
    Card { id: "root-mean-squared-error", name: "Root mean squared error", formula: "sqrt(mean of (target - prediction)^2)", needs: Needs::NumberAndPrediction,
        hides: "the direction of the error; dominated by large errors", source: "Willmott and Matsuura 2005, Climate Research 30" },
    Card { id: "r-squared", name: "R squared", formula: "1 - sum of (target - prediction)^2 / sum of (target - mean target)^2", needs: Needs::NumberAndPrediction,
        hides: "the size of the error in the target's unit; differs between cohorts of different spread", source: "Wright 1921, Correlation and causation" },
    Card { id: "mean-residual", name: "Mean residual", formula: "mean of (target - prediction)", needs: Needs::NumberAndPrediction,
        hides: "errors that cancel within a cohort", source: "Calders et al. 2013, Controlling attribute effect in linear regression" },
];

/// All cards, in the order of the documentation.
pub fn cards() -> Vec<Card> {
    let others = [PARITY, INEQUALITY, DISTANCES, RANKING, DATA].concat();
    standard().chain(others).collect()
}

/// Metrics that are measured when the pipeline file names none. The others are measured when they are named, or with `metrics = ["all"]`.
fn standard() -> impl Iterator<Item = Card> {
    let rates = RATES.iter().map(|rate| rate.card);
    rates.chain(COMPOSITES.iter().map(|composite| composite.card)).chain(SCORES).chain(REGRESSIONS)
}

/// True for a metric that is measured when the pipeline file names none.
pub fn is_standard(id: &str) -> bool {
    standard().any(|card| card.id == id)
}

/// The word in `metrics` that stands for every one.
pub const ALL: &str = "all";
