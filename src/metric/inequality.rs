//! Inequality of benefits, within and between cohorts; differential fairness; figures adjusted for control columns.
//!
//! The benefit of a row is decision - label + 1 (Speicher et al. 2018): 0 where label 1 is denied, 1 where the decision is right, 2 where
//! label 0 is granted. Every index is a function of how many rows have each benefit. The numbers of rows are weights, so the same
//! functions serve cohorts (values are their mean benefits) and rows.

use super::{Card, Composite, Needs};

const SPEICHER: &str = "Speicher et al. 2018, A unified approach to quantifying algorithmic unfairness, KDD";
const FOULDS: &str = "Foulds, Islam, Keya and Pan 2020, An intersectional definition of fairness, ICDE";
const MISTAKES: &str = "which cohort the mistakes fall on; an accurate decision is equal whatever the labels say";

/// Generalised entropy of values with weights; none without weight, with a mean of zero, or where a value of zero has no logarithm.
///
/// alpha 1: mean of r ln r, with 0 ln 0 = 0 (Theil). alpha 0: mean of -ln r. Else mean of (r^alpha - 1) / (alpha (alpha - 1)). r is the
/// value divided by the mean (Shorrocks 1980, Econometrica 48).
pub fn generalised_entropy(values: &[(f64, f64)], alpha: f64) -> Option<f64> {
    let all: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mean = values.iter().map(|(value, weight)| value * weight).sum::<f64>() / all;
    if !(all > 0.0 && mean > 0.0) {
        return None;
    }
    let average = |of: &dyn Fn(f64) -> f64| {
        let filled = values.iter().filter(|(_, weight)| *weight > 0.0);
        filled.map(|(value, weight)| weight * of(value / mean)).sum::<f64>() / all
    };
    // The mean of r is 1: a multiple of r - 1 may be taken from every term, and nothing cancels near equality.
    let index = if alpha == 1.0 {
        average(&|r| if r > 0.0 { r * r.ln() - (r - 1.0) } else { 1.0 })
    } else if alpha == 0.0 {
        average(&|r| (r - 1.0) - r.ln())
    } else if alpha == 2.0 {
        average(&|r| (r - 1.0) * (r - 1.0)) / 2.0
    } else {
        average(&|r| (r.powf(alpha) - 1.0) - alpha * (r - 1.0)) / (alpha * (alpha - 1.0))
    };
    index.is_finite().then_some(index.max(0.0))
}

/// 1 - (mean of value^(1 - epsilon))^(1 / (1 - epsilon)) / mean, for epsilon in (0, 1) (Atkinson 1970, Journal of Economic Theory 2).
pub fn atkinson(values: &[(f64, f64)], epsilon: f64) -> Option<f64> {
    let all: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mean = values.iter().map(|(value, weight)| value * weight).sum::<f64>() / all;
    let power = 1.0 - epsilon;
    let powers = values.iter().map(|(value, weight)| value.powf(power) * weight).sum::<f64>() / all;
    (all > 0.0 && mean > 0.0).then(|| (1.0 - powers.powf(1.0 / power) / mean).clamp(0.0, 1.0))
}

/// Benefits and the rows that have them, of TP, FP, FN, TN.
pub fn benefits([tp, fp, fn_, tn]: [f64; 4]) -> [(f64, f64); 3] {
    [(0.0, fn_), (1.0, tp + tn), (2.0, fp)]
}

/// Epsilon of Atkinson's index.
pub const ATKINSON_EPSILON: f64 = 0.5;

/// What a figure of a set of attributes is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfSet {
    /// Generalised entropy of the cohorts' mean benefits, alpha 2.
    BetweenEntropy,
    /// The same, alpha 1.
    BetweenTheil,
    /// sqrt(2 of the first).
    BetweenVariation,
    /// Epsilon of the decisions.
    Decisions,
    /// Epsilon of the labels.
    Labels,
    /// The first minus the second.
    Amplification,
}

const fn joint(
    id: &'static str,
    name: &'static str,
    formula: &'static str,
    hides: &'static str,
    source: &'static str,
) -> Card {
    Card { id, name, formula, hides, source, needs: Needs::LabelAndDecision }
}

const GENERALISED_ENTROPY: Card = joint(
    "generalised-entropy",
    "Generalised entropy of benefits",
    "mean of ((b / mean b)^2 - 1) / 2, b = decision - label + 1",
    MISTAKES,
    SPEICHER,
);
const THEIL: Card = joint(
    "theil-index",
    "Theil index of benefits",
    "mean of (b / mean b) ln(b / mean b), 0 ln 0 = 0, b = decision - label + 1",
    MISTAKES,
    SPEICHER,
);
const LOG_DEVIATION: Card = joint(
    "mean-log-deviation",
    "Mean log deviation of benefits",
    "mean of -ln(b / mean b), b = decision - label + 1; undefined where a benefit is 0",
    MISTAKES,
    SPEICHER,
);
const VARIATION: Card = joint(
    "coefficient-of-variation",
    "Coefficient of variation of benefits",
    "sqrt(2 x generalised entropy), b = decision - label + 1",
    MISTAKES,
    SPEICHER,
);
const ATKINSON: Card = joint(
    "atkinson-index",
    "Atkinson index of benefits",
    "1 - (mean of sqrt(b))^2 / mean b (epsilon 0.5), b = decision - label + 1",
    MISTAKES,
    "Atkinson 1970, On the measurement of inequality, Journal of Economic Theory 2",
);
const BETWEEN: &str = "inequality inside the cohorts, which is most of it; means that agree for opposite reasons";
const BETWEEN_ENTROPY: Card = joint(
    "between-group-generalised-entropy",
    "Generalised entropy between cohorts",
    "generalised entropy after every row of a compared cohort has the cohort's mean benefit",
    BETWEEN,
    SPEICHER,
);
const BETWEEN_THEIL: Card = joint(
    "between-group-theil-index",
    "Theil index between cohorts",
    "Theil index after every row of a compared cohort has the cohort's mean benefit",
    BETWEEN,
    SPEICHER,
);
const BETWEEN_VARIATION: Card = joint(
    "between-group-coefficient-of-variation",
    "Coefficient of variation between cohorts",
    "sqrt(2 x generalised entropy between cohorts)",
    BETWEEN,
    SPEICHER,
);
const EPSILON: &str = "max over cohorts s, t and outcomes y of |ln P(y, s) - ln P(y, t)|, P(y, s) = (rows of s with y + 1/2) / (rows of s + 1)";
const EPSILON_HIDES: &str =
    "which two cohorts it is about; grows with the number of cohorts, and small cohorts make its interval unbounded";
const DECISIONS: Card = Card {
    id: "differential-fairness",
    name: "Differential fairness of decisions",
    formula: EPSILON,
    hides: EPSILON_HIDES,
    source: FOULDS,
    needs: Needs::Decision,
};
const LABELS: Card = Card {
    id: "label-differential-fairness",
    name: "Differential fairness of labels",
    formula: EPSILON,
    hides: EPSILON_HIDES,
    source: FOULDS,
    needs: Needs::Label,
};
const AMPLIFICATION: Card = joint(
    "bias-amplification",
    "Bias amplification",
    "differential fairness of decisions minus that of labels",
    "that labels may be no better than decisions; the two maxima may be of different cohorts",
    FOULDS,
);

/// Indices of the benefits of a cohort. Arguments: TP, FP, FN, TN.
pub const INEQUALITIES: [Composite; 5] = [
    Composite { card: GENERALISED_ENTROPY, of: |cells| generalised_entropy(&benefits(cells), 2.0) },
    Composite { card: THEIL, of: |cells| generalised_entropy(&benefits(cells), 1.0) },
    Composite { card: LOG_DEVIATION, of: |cells| generalised_entropy(&benefits(cells), 0.0) },
    Composite { card: VARIATION, of: |cells| generalised_entropy(&benefits(cells), 2.0).map(|e| (2.0 * e).sqrt()) },
    Composite { card: ATKINSON, of: |cells| atkinson(&benefits(cells), ATKINSON_EPSILON) },
];

/// Figures of all cohorts of a set together.
pub const OF_SETS: [(Card, OfSet); 6] = [
    (BETWEEN_ENTROPY, OfSet::BetweenEntropy),
    (BETWEEN_THEIL, OfSet::BetweenTheil),
    (BETWEEN_VARIATION, OfSet::BetweenVariation),
    (DECISIONS, OfSet::Decisions),
    (LABELS, OfSet::Labels),
    (AMPLIFICATION, OfSet::Amplification),
];

const ADJUSTED: &str = "differences that have opposite signs in the strata; whether a control column is itself a result of unequal treatment";
const STANDARD: &str =
    "Miettinen 1972, Standardization of risk ratios, American Journal of Epidemiology 96 (direct standardisation)";

const fn given(id: &'static str, name: &'static str, formula: &'static str, needs: Needs) -> Card {
    Card { id, name, formula, hides: ADJUSTED, source: STANDARD, needs }
}

/// Rates standardised to everyone's strata, and the identifier of each rate.
#[rustfmt::skip]
pub const GIVEN: [(Card, &str); 5] = [
    (given("selection-rate-given", "Selection rate within strata",
        "sum over strata of (everyone's share of rows with a decision) x (cohort's - reference's selection rate)", Needs::Decision), "selection-rate"),
    (given("prevalence-given", "Prevalence within strata",
        "sum over strata of (everyone's share of rows with a label) x (cohort's - reference's prevalence)", Needs::Label), "prevalence"),
    (given("true-positive-rate-given", "True positive rate within strata",
        "sum over strata of (everyone's share of rows with label 1) x (cohort's - reference's true positive rate)", Needs::LabelAndDecision), "true-positive-rate"),
    (given("false-positive-rate-given", "False positive rate within strata",
        "sum over strata of (everyone's share of rows with label 0) x (cohort's - reference's false positive rate)", Needs::LabelAndDecision), "false-positive-rate"),
    (given("positive-predictive-value-given", "Positive predictive value within strata",
        "sum over strata of (everyone's share of rows with decision 1) x (cohort's - reference's positive predictive value)", Needs::LabelAndDecision), "positive-predictive-value"),
];

/// Cards of all of them.
pub const INEQUALITY: &[Card] = &[
    GENERALISED_ENTROPY,
    THEIL,
    LOG_DEVIATION,
    VARIATION,
    ATKINSON,
    BETWEEN_ENTROPY,
    BETWEEN_THEIL,
    BETWEEN_VARIATION,
    DECISIONS,
    LABELS,
    AMPLIFICATION,
    GIVEN[0].0,
    GIVEN[1].0,
    GIVEN[2].0,
    GIVEN[3].0,
    GIVEN[4].0,
];

/// True for one figure of all cohorts of a set together.
pub fn is_of_a_set(id: &str) -> bool {
    OF_SETS.iter().any(|(card, _)| card.id == id)
}

/// True for a rate compared within the strata of control columns.
pub fn is_given(id: &str) -> bool {
    GIVEN.iter().any(|(card, _)| card.id == id)
}

#[cfg(test)]
mod tests;
