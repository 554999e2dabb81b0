//! The metrics of other tools by the names they have there, and what each is here.
//!
//! Fairlearn 0.15.0, AIF360 0.6.1 and Aequitas 1.1.0. A name says little: the same one stands for different numbers in different tools, so where
//! theirs differs a sentence says how. All three give points; here every one has an interval, and is undefined where a denominator is empty.

use std::fmt;

use serde::Serialize;

use super::{Against, Comparison};

/// A tool with metrics of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    Fairlearn,
    Aif360,
    Aequitas,
}

impl Peer {
    pub const ALL: [Peer; 3] = [Peer::Fairlearn, Peer::Aif360, Peer::Aequitas];

    /// The name in a heading, with the version that was read.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Fairlearn => "Fairlearn 0.15.0",
            Peer::Aif360 => "AIF360 0.6.1",
            Peer::Aequitas => "Aequitas 1.1.0",
        }
    }

    /// Its metrics.
    pub fn metrics(self) -> &'static [Counterpart] {
        match self {
            Peer::Fairlearn => FAIRLEARN,
            Peer::Aif360 => AIF360,
            Peer::Aequitas => AEQUITAS,
        }
    }
}

/// A metric of a peer and what it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counterpart {
    pub theirs: &'static str,
    pub ours: Ours,
    /// Where theirs differs; empty where it does not.
    pub differs: &'static str,
}

/// What a metric of a peer is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ours {
    /// The value of each cohort, and of everyone.
    Value {
        metric: &'static str,
    },
    /// A comparison.
    Comparison {
        metric: &'static str,
        compare: Comparison,
        against: Against,
    },
    /// Another part of the report, by its place in the pipeline file or in the report.
    Elsewhere {
        place: &'static str,
    },
    LeftOut {
        because: &'static str,
    },
}

impl Ours {
    /// The metric, where it is one.
    pub fn metric(&self) -> Option<&'static str> {
        match self {
            Ours::Value { metric } | Ours::Comparison { metric, .. } => Some(metric),
            Ours::Elsewhere { .. } | Ours::LeftOut { .. } => None,
        }
    }
}

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ours::Value { metric } => write!(f, "{metric}"),
            Ours::Comparison { metric, compare, against } => write!(f, "{metric}, {compare} against {against}"),
            Ours::Elsewhere { place } => write!(f, "{place}"),
            Ours::LeftOut { because } => write!(f, "left out: {because}"),
        }
    }
}

const fn value(theirs: &'static str, metric: &'static str, differs: &'static str) -> Counterpart {
    Counterpart { theirs, ours: Ours::Value { metric }, differs }
}

const fn compared(
    theirs: &'static str,
    metric: &'static str,
    compare: Comparison,
    against: Against,
    differs: &'static str,
) -> Counterpart {
    Counterpart { theirs, ours: Ours::Comparison { metric, compare, against }, differs }
}

const fn elsewhere(theirs: &'static str, place: &'static str, differs: &'static str) -> Counterpart {
    Counterpart { theirs, ours: Ours::Elsewhere { place }, differs }
}

const fn left_out(theirs: &'static str, because: &'static str) -> Counterpart {
    Counterpart { theirs, ours: Ours::LeftOut { because }, differs: "" }
}

const DIFFERENCE: Comparison = Comparison::Difference;
const RATIO: Comparison = Comparison::Ratio;
const PAIR: Against = Against::WorstPair;
const OTHER: Against = Against::Reference;

const ZERO: &str = "0 for a cohort without rows in the denominator; undefined here";
const TO_OVERALL: &str = "method = \"to_overall\" is the furthest cohort against overall";
const LOWEST: &str = "the lowest cohort, which the worst pair names; here every cohort's value is shown";
const HIGHEST: &str = "the highest cohort, which the worst pair names; here every cohort's value is shown";
const COUNTS: &str = "cohorts.csv: labels, decisions, both";

#[rustfmt::skip]
const FAIRLEARN: &[Counterpart] = &[
    elsewhere("MetricFrame.by_group, overall", "every metric: value of each cohort and of everyone", "any function of a table; here the metrics of the list"),
    elsewhere("MetricFrame.difference, ratio", "every metric: difference and ratio against worst-pair, highest, overall, reference", "between_groups is the worst pair; to_overall is the furthest cohort against overall"),
    elsewhere("MetricFrame.group_min, group_max", "every metric: worst pair, which names both cohorts", ""),
    elsewhere("MetricFrame control_features", "[measure] given", ""),
    elsewhere("MetricFrame n_boot, ci_quantiles", "the interval of every value", "percentiles of a bootstrapped maximum, which never hold 0 for three or more equal groups"),
    elsewhere("count", COUNTS, ""),
    value("true_positive_rate", "true-positive-rate", ZERO),
    value("true_negative_rate", "true-negative-rate", ZERO),
    value("false_positive_rate", "false-positive-rate", ZERO),
    value("false_negative_rate", "false-negative-rate", ZERO),
    value("selection_rate", "selection-rate", ""),
    value("mean_prediction", "mean-prediction", ""),
    compared("demographic_parity_difference", "selection-rate", DIFFERENCE, PAIR, TO_OVERALL),
    compared("demographic_parity_ratio", "selection-rate", RATIO, PAIR, TO_OVERALL),
    compared("equal_opportunity_difference", "true-positive-rate", DIFFERENCE, PAIR, TO_OVERALL),
    compared("equal_opportunity_ratio", "true-positive-rate", RATIO, PAIR, TO_OVERALL),
    compared("equalized_odds_difference", "equalized-odds", DIFFERENCE, PAIR, "a cohort without a label counts with a rate of 0; here it is in no pair"),
    compared("equalized_odds_ratio", "equalized-odds", RATIO, PAIR, "a cohort without a label makes it 0; here it is in no pair"),
    compared("equalized_odds_difference agg=\"mean\"", "equalized-odds-mean", DIFFERENCE, PAIR, "with to_overall the furthest cohort of each rate"),
    compared("equalized_odds_ratio agg=\"mean\"", "equalized-odds-mean", RATIO, PAIR, "with to_overall the furthest cohort of each rate"),
    compared("true_positive_rate_difference", "true-positive-rate", DIFFERENCE, PAIR, ZERO),
    compared("true_positive_rate_ratio", "true-positive-rate", RATIO, PAIR, ZERO),
    compared("true_negative_rate_difference", "true-negative-rate", DIFFERENCE, PAIR, ZERO),
    compared("true_negative_rate_ratio", "true-negative-rate", RATIO, PAIR, ZERO),
    compared("false_positive_rate_difference", "false-positive-rate", DIFFERENCE, PAIR, ZERO),
    compared("false_positive_rate_ratio", "false-positive-rate", RATIO, PAIR, ZERO),
    compared("false_negative_rate_difference", "false-negative-rate", DIFFERENCE, PAIR, ZERO),
    compared("false_negative_rate_ratio", "false-negative-rate", RATIO, PAIR, ZERO),
    compared("selection_rate_difference", "selection-rate", DIFFERENCE, PAIR, ""),
    compared("selection_rate_ratio", "selection-rate", RATIO, PAIR, ""),
    compared("accuracy_score_difference", "accuracy", DIFFERENCE, PAIR, ""),
    compared("accuracy_score_ratio", "accuracy", RATIO, PAIR, ""),
    compared("zero_one_loss_difference", "error-rate", DIFFERENCE, PAIR, ""),
    compared("zero_one_loss_ratio", "error-rate", RATIO, PAIR, ""),
    value("accuracy_score_group_min", "accuracy", LOWEST),
    value("balanced_accuracy_score_group_min", "balanced-accuracy", "the mean over the labels that occur; here both rates are needed"),
    value("precision_score_group_min", "positive-predictive-value", ZERO),
    value("recall_score_group_min", "true-positive-rate", ZERO),
    value("roc_auc_score_group_min", "roc-auc", LOWEST),
    value("r2_score_group_min", "r-squared", LOWEST),
    value("f1_score_group_min", "f1-score", ZERO),
    value("zero_one_loss_group_max", "error-rate", HIGHEST),
    value("mean_absolute_error_group_max", "mean-absolute-error", HIGHEST),
    value("mean_squared_error_group_max", "root-mean-squared-error", "its square"),
    value("log_loss_group_max", "log-loss", HIGHEST),
];

const BENEFITS: &str = "";
const PRIVILEGED: &str = "unprivileged with privileged: the privileged level is the reference";
const ONE_MINUS: &str = "1 minus this";
const ROWS_OUTSIDE: &str = "counts rows of neither group as benefit 0; here the split is over the cohorts";

#[rustfmt::skip]
const AIF360: &[Counterpart] = &[
    elsewhere("num_instances, num_positives, num_negatives", COUNTS, ""),
    elsewhere("num_true_positives, num_false_positives, num_false_negatives, num_true_negatives", COUNTS, ""),
    elsewhere("num_pred_positives, num_pred_negatives", COUNTS, ""),
    elsewhere("binary_confusion_matrix, performance_measures", COUNTS, ""),
    left_out("num_generalized_*, generalized_binary_confusion_matrix", "sums of scores; the generalized rates are the means that are compared"),
    value("base_rate", "prevalence", ""),
    compared("BinaryLabelDatasetMetric.disparate_impact", "prevalence", RATIO, OTHER, PRIVILEGED),
    compared("BinaryLabelDatasetMetric.statistical_parity_difference, mean_difference", "prevalence", DIFFERENCE, OTHER, PRIVILEGED),
    elsewhere("consistency, consistency_score", "[measure.individual]", "the nearest rows include the row itself"),
    value("smoothed_empirical_differential_fairness, smoothed_edf", "differential-fairness", "smoothed_edf smooths over the classes seen inside a cohort, so a cohort of one class is infinite"),
    elsewhere("rich_subgroup", "[measure.subgroups]", "the greatest gap over linear combinations of attributes; here over conjunctions, on held-out rows"),
    value("true_positive_rate", "true-positive-rate", ""),
    value("false_positive_rate", "false-positive-rate", ""),
    value("false_negative_rate", "false-negative-rate", ""),
    value("true_negative_rate", "true-negative-rate", ""),
    value("generalized_true_positive_rate", "balance-positive-class", ""),
    value("generalized_false_positive_rate, generalized_fpr", "balance-negative-class", ""),
    value("generalized_false_negative_rate, generalized_fnr", "balance-positive-class", ONE_MINUS),
    value("generalized_true_negative_rate", "balance-negative-class", ONE_MINUS),
    value("positive_predictive_value", "positive-predictive-value", "0 without a favourable decision; undefined here"),
    value("negative_predictive_value", "negative-predictive-value", ""),
    value("false_discovery_rate", "false-discovery-rate", "0 without a favourable decision; undefined here"),
    value("false_omission_rate", "false-omission-rate", ""),
    value("accuracy", "accuracy", ""),
    value("error_rate", "error-rate", ""),
    value("selection_rate", "selection-rate", ""),
    value("specificity_score, sensitivity_score", "true-negative-rate", "sensitivity is the true-positive-rate"),
    compared("true_positive_rate_difference, equal_opportunity_difference", "true-positive-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("false_positive_rate_difference, false_positive_rate_error", "false-positive-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("false_positive_rate_ratio", "false-positive-rate", RATIO, OTHER, PRIVILEGED),
    compared("false_negative_rate_difference, false_negative_rate_error", "false-negative-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("false_negative_rate_ratio", "false-negative-rate", RATIO, OTHER, PRIVILEGED),
    compared("false_omission_rate_difference", "false-omission-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("false_omission_rate_ratio", "false-omission-rate", RATIO, OTHER, PRIVILEGED),
    compared("false_discovery_rate_difference", "false-discovery-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("false_discovery_rate_ratio", "false-discovery-rate", RATIO, OTHER, PRIVILEGED),
    compared("error_rate_difference", "error-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("error_rate_ratio", "error-rate", RATIO, OTHER, PRIVILEGED),
    compared("disparate_impact, disparate_impact_ratio", "selection-rate", RATIO, OTHER, PRIVILEGED),
    compared("statistical_parity_difference", "selection-rate", DIFFERENCE, OTHER, PRIVILEGED),
    compared("average_odds_difference", "average-odds", DIFFERENCE, OTHER, PRIVILEGED),
    compared("average_abs_odds_difference, average_odds_error", "equalized-odds-mean", DIFFERENCE, OTHER, PRIVILEGED),
    compared("equalized_odds_difference", "equalized-odds", DIFFERENCE, OTHER, "0.0 where a rate is undefined, because max(0.0, nan) keeps 0.0; undefined here"),
    compared("generalized_equalized_odds_difference", "generalised-equalized-odds", DIFFERENCE, OTHER, PRIVILEGED),
    compared("average_predictive_value_difference", "average-predictive-value", DIFFERENCE, OTHER, PRIVILEGED),
    value("generalized_entropy_index, generalized_entropy_error", "generalised-entropy", "alpha = 0 divides by the mean once too often"),
    value("theil_index", "theil-index", BENEFITS),
    value("coefficient_of_variation", "coefficient-of-variation", BENEFITS),
    value("between_group_generalized_entropy_index, between_group_theil_index, between_group_coefficient_of_variation", "between-group-generalised-entropy", ROWS_OUTSIDE),
    value("between_all_groups_generalized_entropy_index, between_all_groups_theil_index, between_all_groups_coefficient_of_variation", "between-group-generalised-entropy", "Theil is alpha = 1, the coefficient of variation the root of twice alpha = 2"),
    value("between_group_generalized_entropy_error", "between-group-generalised-entropy", ""),
    value("differential_fairness_bias_amplification, df_bias_amplification", "bias-amplification", "of smoothed_edf it is infinite where that is"),
    value("smoothed_base_rate, smoothed_selection_rate", "differential-fairness", "the rates it is made of"),
    compared("class_imbalance", "class-imbalance", DIFFERENCE, OTHER, "of everyone who is not privileged with the privileged"),
    compared("kl_divergence of labels", "label-divergence", DIFFERENCE, OTHER, "P is the privileged group's distribution"),
    compared("kl_divergence of predictions", "decision-divergence", DIFFERENCE, OTHER, "P is the privileged group's distribution"),
    value("conditional_demographic_disparity", "demographic-disparity-mean", "the groups are those of the protected attribute; for strata see [measure] given"),
    compared("ot_distance", "score-wasserstein", DIFFERENCE, OTHER, "for any two distributions and cost; here of scores, cost the distance"),
    elsewhere("mdss_bias_score, MDSSClassificationMetric.score_groups, bias_scan", "[measure.subgroups]", "no control of chance; here on held-out rows"),
    elsewhere("difference, ratio, one_vs_rest, intersection", "every metric: comparisons; [measure] across", "any function of a table; here the metrics of the list"),
    elsewhere("infeasible_index", "[measure.ranking]", "one list; ranks where a cohort has fewer rows than its share, rounded down"),
    value("discounted_cum_gain", "exposure", "gain of an order; here how much of the order's attention each cohort has"),
];

const REFERENCE: &str = "reference chosen, largest, or of the least value; here declared, or the highest";
const POINT: &str = "true when the point is within 0.8 and 1.25; here [[judge]] at_least = 0.8 on the interval, and undetermined where that does not decide";
const BOTH: &str = "both within 0.8 and 1.25, false where one is undefined; here a criterion for each, not measured where it is undefined";

#[rustfmt::skip]
const AEQUITAS: &[Counterpart] = &[
    elsewhere("pp, pn, tp, fp, fn, tn, group_label_pos, group_label_neg, group_size, total_entities", COUNTS, "rows without a group are dropped; a cohort here"),
    value("tpr", "true-positive-rate", ""),
    value("tnr", "true-negative-rate", ""),
    value("fpr", "false-positive-rate", ""),
    value("fnr", "false-negative-rate", ""),
    value("for", "false-omission-rate", ""),
    value("fdr", "false-discovery-rate", ""),
    value("npv", "negative-predictive-value", ""),
    value("precision", "positive-predictive-value", ""),
    value("pprev", "selection-rate", ""),
    value("ppr", "share-of-selected", "called a rate there, and grows with the size of the group"),
    value("prev", "prevalence", ""),
    value("accuracy", "accuracy", ""),
    compared("tpr_disparity", "true-positive-rate", RATIO, OTHER, REFERENCE),
    compared("tnr_disparity", "true-negative-rate", RATIO, OTHER, REFERENCE),
    compared("fpr_disparity", "false-positive-rate", RATIO, OTHER, REFERENCE),
    compared("fnr_disparity", "false-negative-rate", RATIO, OTHER, REFERENCE),
    compared("for_disparity", "false-omission-rate", RATIO, OTHER, REFERENCE),
    compared("fdr_disparity", "false-discovery-rate", RATIO, OTHER, REFERENCE),
    compared("npv_disparity", "negative-predictive-value", RATIO, OTHER, REFERENCE),
    compared("precision_disparity", "positive-predictive-value", RATIO, OTHER, REFERENCE),
    compared("pprev_disparity", "selection-rate", RATIO, OTHER, REFERENCE),
    compared("ppr_disparity", "share-of-selected", RATIO, OTHER, REFERENCE),
    elsewhere("*_significance", "tests of equality of the rate", "a t-test on zeros and ones; its alpha is not the one that is given"),
    compared("Statistical Parity", "share-of-selected", RATIO, OTHER, "of ppr, so it depends on the size of the group; what others call by this name is Impact Parity"),
    compared("Impact Parity", "selection-rate", RATIO, OTHER, POINT),
    compared("TPR Parity", "true-positive-rate", RATIO, OTHER, POINT),
    compared("TNR Parity", "true-negative-rate", RATIO, OTHER, POINT),
    compared("FPR Parity", "false-positive-rate", RATIO, OTHER, POINT),
    compared("FNR Parity", "false-negative-rate", RATIO, OTHER, POINT),
    compared("FOR Parity", "false-omission-rate", RATIO, OTHER, POINT),
    compared("FDR Parity", "false-discovery-rate", RATIO, OTHER, POINT),
    compared("NPV Parity", "negative-predictive-value", RATIO, OTHER, POINT),
    compared("Precision Parity", "positive-predictive-value", RATIO, OTHER, POINT),
    compared("Equalized Odds", "equalized-odds", RATIO, OTHER, BOTH),
    elsewhere("TypeI Parity", "[[judge]] of false-discovery-rate and false-positive-rate", BOTH),
    elsewhere("TypeII Parity", "[[judge]] of false-omission-rate and false-negative-rate", BOTH),
    elsewhere("Unsupervised Fairness", "[[judge]] of share-of-selected and selection-rate", BOTH),
    elsewhere("Supervised Fairness, overall fairness", "the outcome of the run", BOTH),
];

/// What tools without a table here have that those three have not, and where it is.
#[rustfmt::skip]
pub const DISTINCT: &[(&str, &str, &str)] = &[
    ("OxonFair", "conditional use accuracy, treatment equality, thresholds for each group that meet any pair of metrics", "`conditional-use-accuracy`, `treatment-equality`; thresholds in [mitigate]. Its difference is the mean over pairs; here the worst pair"),
    ("HolisticAI", "disparities of regression and of multiclass, correlation and quantile differences", "distances of predictions and residuals, quantile disparities. Its abroca is a difference of areas; `abroca` here is the area between the curves"),
    ("LiFT", "permutation tests, Atkinson index, divergences from a reference distribution", "tests of equality, `atkinson-index`, representation against a given table"),
    ("Fairness Indicators", "rates at many thresholds, flip rates, slices of least size", "the section on every threshold, [measure.individual], `support_min` and `suppress_below`"),
    ("Responsible AI Toolbox", "error tree over features, bounds of rates", "[measure.subgroups], the interval of every value. Its bound of a difference is the widest of any pair"),
    ("SolasAI", "adverse impact ratio with tests, by quantile, in segments; residual standardised difference; Local Law 144; membership by probability", "`selection-rate` ratio, tests, [measure] given, distances, [[measure.regulation]], [measure.inferred]"),
];

#[cfg(test)]
mod tests;
