//! Parity of classification: figures that compare more than one rate.
//!
//! Of three kinds: a figure of one cohort made of one or two shares ([`FIGURES`]), compared as any rate is; several comparisons of rates joined in
//! one ([`JOINED`]), which is a figure of two cohorts and has no value of one; and figures of sizes and of whole distributions.

use super::distances::is_between_two;
use super::{Against, Card, Comparison, Confusion, Needs, share};
use crate::estimate::{Combination, Join};

/// A figure of one cohort.
pub struct Figure {
    pub card: Card,
    pub of: fn(&Confusion) -> Combination,
}

/// Several comparisons of two cohorts in one figure.
pub struct Joined {
    pub card: Card,
    /// The metrics whose comparisons are joined.
    pub of: [&'static str; 2],
    /// How their differences are joined, and how their ratios.
    pub joins: (Join, Join),
}

const BERK: &str = "Berk et al. 2018, Fairness in criminal justice risk assessments (treatment equality)";
const SIMEL: &str =
    "Simel, Samsa and Matchar 1991, Likelihood ratios with confidence, Journal of Clinical Epidemiology 44";
const HARDT: &str = "Hardt, Price and Srebro 2016, Equality of opportunity in supervised learning (equalized odds)";
const KLEINBERG: &str =
    "Kleinberg, Mullainathan and Raghavan 2016, Inherent trade-offs in the fair determination of risk scores (balance)";
const BELLAMY: &str = "Bellamy et al. 2018, AI Fairness 360";
const DAS: &str =
    "Das et al. 2021, Fairness measures for machine learning in finance, Journal of Financial Data Science";
const KULLBACK: &str = "Kullback and Leibler 1951, On information and sufficiency";

/// Figures of one cohort that shares of its confusion table determine.
#[rustfmt::skip]
pub const FIGURES: [Figure; 5] = [
    Figure {
        card: Card { id: "treatment-equality", name: "Treatment equality", formula: "FN / FP", needs: Needs::LabelAndDecision,
            hides: "how many errors there are; moves with prevalence and threshold", source: BERK },
        of: |c| Combination::Odds(share(c.false_negative(), c.false_negative() + c.false_positive())),
    },
    Figure {
        card: Card { id: "positive-likelihood-ratio", name: "Positive likelihood ratio", formula: "true positive rate / false positive rate",
            needs: Needs::LabelAndDecision, hides: "prevalence, and with it what a decision 1 means for a row", source: SIMEL },
        of: |c| Combination::Quotient(share(c.true_positive(), c.label_known(1)), share(c.false_positive(), c.label_known(0))),
    },
    Figure {
        card: Card { id: "negative-likelihood-ratio", name: "Negative likelihood ratio", formula: "false negative rate / true negative rate",
            needs: Needs::LabelAndDecision, hides: "prevalence, and with it what a decision 0 means for a row", source: SIMEL },
        of: |c| Combination::Quotient(share(c.false_negative(), c.label_known(1)), share(c.true_negative(), c.label_known(0))),
    },
    Figure {
        card: Card { id: "average-odds", name: "Average odds", formula: "(true positive rate + false positive rate) / 2", needs: Needs::LabelAndDecision,
            hides: "differences of opposite sign, which cancel in its difference", source: BELLAMY },
        of: |c| Combination::Mean(share(c.true_positive(), c.label_known(1)), share(c.false_positive(), c.label_known(0))),
    },
    Figure {
        card: Card { id: "average-predictive-value", name: "Average predictive value", formula: "(positive predictive value + false omission rate) / 2",
            needs: Needs::LabelAndDecision, hides: "differences of opposite sign, which cancel in its difference", source: BELLAMY },
        of: |c| Combination::Mean(share(c.true_positive(), c.decision_known(1)), share(c.false_negative(), c.decision_known(0))),
    },
];

/// Figures of two cohorts.
#[rustfmt::skip]
pub const JOINED: [Joined; 4] = [
    Joined {
        card: Card { id: "equalized-odds", name: "Equalized odds",
            formula: "difference: greater of |difference of true positive rates| and |difference of false positive rates|; ratio: lesser of the two ratios",
            needs: Needs::LabelAndDecision, hides: "which of the two rates differs", source: HARDT },
        of: ["true-positive-rate", "false-positive-rate"], joins: (Join::Greatest, Join::Least),
    },
    Joined {
        card: Card { id: "equalized-odds-mean", name: "Equalized odds, mean",
            formula: "difference: mean of |difference of true positive rates| and |difference of false positive rates|, each of its own worst pair; ratio: mean of the two ratios",
            needs: Needs::LabelAndDecision, hides: "which of the two rates differs; one that does not halves the other", source: HARDT },
        of: ["true-positive-rate", "false-positive-rate"], joins: (Join::Mean, Join::MeanRatio),
    },
    Joined {
        card: Card { id: "conditional-use-accuracy", name: "Conditional use accuracy equality",
            formula: "difference: greater of |difference of positive predictive values| and |difference of negative predictive values|; ratio: lesser of the two ratios",
            needs: Needs::LabelAndDecision, hides: "which of the two values differs; moves with prevalence", source: BERK },
        of: ["positive-predictive-value", "negative-predictive-value"], joins: (Join::Greatest, Join::Least),
    },
    Joined {
        card: Card { id: "generalised-equalized-odds", name: "Generalised equalized odds",
            formula: "difference: greater of |difference of mean scores of label 1| and |difference of mean scores of label 0|; ratio: lesser of the two ratios",
            needs: Needs::LabelAndScore, hides: "which of the two means differs; the threshold that is used", source: KLEINBERG },
        of: [BALANCE[0].id, BALANCE[1].id], joins: (Join::Greatest, Join::Least),
    },
];

/// Mean scores of the rows of one label: 1, then 0.
#[rustfmt::skip]
pub const BALANCE: [Card; 2] = [
    Card { id: "balance-positive-class", name: "Balance for the positive class", formula: "mean score of rows with label 1",
        needs: Needs::LabelAndScore, hides: "how scores spread around their mean; rows with label 0", source: KLEINBERG },
    Card { id: "balance-negative-class", name: "Balance for the negative class", formula: "mean score of rows with label 0",
        needs: Needs::LabelAndScore, hides: "how scores spread around their mean; rows with label 1", source: KLEINBERG },
];

pub const SHARE_OF_SELECTED: Card = Card {
    id: "share-of-selected",
    name: "Share of all selected",
    formula: "rows of the cohort with decision 1 / all rows with decision 1",
    needs: Needs::Decision,
    hides: "the size of the cohort: a large cohort has a large share at the same selection rate",
    source: "Saleiro et al. 2018, Aequitas (predicted positive ratio)",
};

pub const DEMOGRAPHIC_DISPARITY: Card = Card {
    id: "demographic-disparity",
    name: "Demographic disparity",
    formula: "cohort's share of rows with decision 0 - cohort's share of rows with decision 1",
    needs: Needs::Decision,
    hides: "the size of the cohort: that of a small one is small",
    source: DAS,
};

pub const CONDITIONAL_DISPARITY: Card = Card {
    id: "demographic-disparity-mean",
    name: "Mean demographic disparity",
    formula: "sum over cohorts of (rows of the cohort / all rows) demographic disparity of the cohort",
    needs: Needs::Decision,
    hides: "disparities of opposite sign, which cancel: of cohorts of equal size it is always 0; it is conditional on nothing (within strata see [measure] given)",
    source: "AIF360 0.6.1, which calls it conditional demographic disparity",
};

pub const CLASS_IMBALANCE: Card = Card {
    id: "class-imbalance",
    name: "Class imbalance",
    formula: "(rows of the cohort - rows of the one it is compared with) / rows of both, of rows with a label; Das et al. subtract the other way round",
    needs: Needs::Label,
    hides: "what share of the population each cohort is",
    source: DAS,
};

/// Divergence of labels, and of decisions.
#[rustfmt::skip]
pub const DIVERGENCES: [Card; 2] = [
    Card { id: "label-divergence", name: "Divergence of labels", formula: "sum over labels y of P(y) ln(P(y) / Q(y)), P of the reference and Q of the cohort; of a pair the greater of the two directions",
        needs: Needs::Label, hides: "the direction of the difference; it grows with its square", source: KULLBACK },
    Card { id: "decision-divergence", name: "Divergence of decisions", formula: "sum over decisions d of P(d) ln(P(d) / Q(d)), P of the reference and Q of the cohort; of a pair the greater of the two directions",
        needs: Needs::Decision, hides: "the direction of the difference; it grows with its square", source: KULLBACK },
];

pub const PARITY: &[Card] = &[
    FIGURES[0].card,
    FIGURES[1].card,
    FIGURES[2].card,
    FIGURES[3].card,
    FIGURES[4].card,
    BALANCE[0],
    BALANCE[1],
    JOINED[0].card,
    JOINED[1].card,
    JOINED[2].card,
    JOINED[3].card,
    SHARE_OF_SELECTED,
    DEMOGRAPHIC_DISPARITY,
    CONDITIONAL_DISPARITY,
    CLASS_IMBALANCE,
    DIVERGENCES[0],
    DIVERGENCES[1],
];

/// How a value may be compared with what; none is the value itself.
pub type Compared = Option<(Comparison, Against)>;

const DIFFERENCE: Comparison = Comparison::Difference;
const RATIO: Comparison = Comparison::Ratio;

/// Of two cohorts, by differences and ratios.
const OF_TWO: &[Compared] = &[
    Some((DIFFERENCE, Against::WorstPair)),
    Some((RATIO, Against::WorstPair)),
    Some((DIFFERENCE, Against::Highest)),
    Some((RATIO, Against::Highest)),
    Some((DIFFERENCE, Against::Overall)),
    Some((RATIO, Against::Overall)),
    Some((DIFFERENCE, Against::Reference)),
    Some((RATIO, Against::Reference)),
];
/// Of two cohorts, neither of which is everyone.
const OF_PAIR: &[Compared] = &[Some((DIFFERENCE, Against::WorstPair)), Some((DIFFERENCE, Against::Reference))];
/// Shares of one total: a difference of them is no more than their sizes.
const OF_SHARES: &[Compared] =
    &[None, Some((RATIO, Against::WorstPair)), Some((RATIO, Against::Highest)), Some((RATIO, Against::Reference))];
/// How far two cohorts are apart; everyone is everyone else.
const OF_DISTANCE: &[Compared] = &[
    Some((DIFFERENCE, Against::WorstPair)),
    Some((DIFFERENCE, Against::Overall)),
    Some((DIFFERENCE, Against::Reference)),
];
/// A comparison in itself.
const OF_VALUE: &[Compared] = &[None];

/// The only forms in which a metric is measured; none when every comparison is.
pub fn forms(id: &str) -> Option<&'static [Compared]> {
    let is = |card: &Card| card.id == id;
    match () {
        () if JOINED.iter().any(|joined| is(&joined.card)) => Some(OF_TWO),
        () if is(&CLASS_IMBALANCE) || DIVERGENCES.iter().any(is) => Some(OF_PAIR),
        () if is(&SHARE_OF_SELECTED) => Some(OF_SHARES),
        () if is(&DEMOGRAPHIC_DISPARITY) || is(&CONDITIONAL_DISPARITY) => Some(OF_VALUE),
        () if is_between_two(id) => Some(OF_DISTANCE),
        () if id.starts_with("bounded-group-loss") => Some(OF_VALUE),
        () => None,
    }
}
