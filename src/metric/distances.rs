//! Distances between the scores, predictions and errors of two cohorts, and what is compared with them.

use super::{Card, Needs};

/// Smirnov's statistic.
const KS: &str = "Smirnov 1948, Annals of Mathematical Statistics 19; as a measure of parity: Agarwal, Dudik and Wu 2019, Fair regression";
const WASSERSTEIN: &str = "Vallender 1974, Theory of Probability and its Applications 18; as a measure of parity: Jiang et al. 2020, Wasserstein fair classification";
const COHEN: &str = "Cohen 1988, Statistical power analysis; error: delta method on the moments (Hedges and Olkin 1985 for normal values)";
const NUANCED: &str = "Borkan et al. 2019, Nuanced metrics for measuring unintended bias; error: DeLong et al. 1988";

macro_rules! card {
    ($id:literal, $name:literal, $needs:ident, $formula:literal, $hides:literal, $source:expr) => {
        Card { id: $id, name: $name, formula: $formula, hides: $hides, source: $source, needs: Needs::$needs }
    };
}

#[rustfmt::skip]
pub const DISTANCES: &[Card] = &[
    card!("mean-score", "Mean score", Score, "mean of the scores",
        "where in the range of the score cohorts differ", "Feldman et al. 2015, Certifying and removing disparate impact"),
    card!("bpsn-auc", "AUC, background positive and subgroup negative", LabelAndScore,
        "P(score of a row of everyone else with label 1 > score of a row of the cohort with label 0) + P(equal) / 2",
        "order within the cohort; low where the cohort's negatives have high scores. Of two cohorts it is one half of xAUC", NUANCED),
    card!("bnsp-auc", "AUC, background negative and subgroup positive", LabelAndScore,
        "P(score of a row of the cohort with label 1 > score of a row of everyone else with label 0) + P(equal) / 2",
        "order within the cohort; low where the cohort's positives have low scores. It is xAUC of the cohort against everyone else", NUANCED),
    card!("xauc-disparity", "xAUC disparity", LabelAndScore,
        "P(positive of the cohort > negative of the other) - P(positive of the other > negative of the cohort), equal counted half; of the worst pair its size",
        "order within each cohort; the threshold that is used", "Kallus and Zhou 2019, The fairness of risk scores beyond classification: bipartite ranking and the xAUC metric"),
    card!("abroca", "Area between ROC curves", LabelAndScore,
        "integral over false positive rates from 0 to 1 of |ROC of the cohort - ROC of the other|, curves linear through ties",
        "which cohort is served worse, and at which threshold. It is no difference of areas: curves that cross differ and may have one area",
        "Gardner, Brooks and Baker 2019, Evaluating the fairness of predictive student models through slicing analysis"),
    card!("score-kolmogorov-smirnov", "Kolmogorov-Smirnov distance of scores", Score,
        "greatest |share of the cohort with a score of at most t - the same share of the other| over t: the greatest difference of selection rates of any threshold",
        "at which threshold the difference is, and whether labels explain it", KS),
    card!("score-kolmogorov-smirnov-positive", "Kolmogorov-Smirnov distance of scores, label 1", LabelAndScore,
        "the Kolmogorov-Smirnov distance among rows with label 1: the greatest difference of true positive rates of any threshold",
        "rows with label 0", KS),
    card!("score-kolmogorov-smirnov-negative", "Kolmogorov-Smirnov distance of scores, label 0", LabelAndScore,
        "the Kolmogorov-Smirnov distance among rows with label 0: the greatest difference of false positive rates of any threshold",
        "rows with label 1", KS),
    card!("score-wasserstein", "Wasserstein distance of scores", Score,
        "integral over t of |share of the cohort with a score of at most t - the same share of the other|: the mean difference of selection rates where thresholds are drawn evenly from 0 to 1",
        "which cohort has the higher scores, and whether labels explain it", WASSERSTEIN),
    card!("score-standardised-mean-difference-pooled", "Standardised mean difference of scores, pooled", Score,
        "(mean of the cohort - mean of the other) / sqrt(((n1 - 1) s1^2 + (n2 - 1) s2^2) / (n1 + n2 - 2)), variances with n - 1; of the worst pair its size",
        "differences of shape; the size in the score's unit. Other tools divide by the deviation of all scores under the same name", COHEN),
    card!("score-standardised-mean-difference-overall", "Standardised mean difference of scores, all scores", Score,
        "(mean of the cohort - mean of the other) / standard deviation of the scores of everyone, variance with n; of the worst pair its size",
        "differences of shape; the size in the score's unit. Cohen's d divides by the pooled deviation within the two cohorts", COHEN),
    card!("mean-prediction", "Mean prediction", Prediction, "mean of the predictions",
        "whether targets differ as much", "Calders et al. 2013, Controlling attribute effect in linear regression"),
    card!("mean-target", "Mean target", NumberAndPrediction, "mean of the targets of rows with a prediction",
        "how the target came about; what was predicted", "Calders et al. 2013, Controlling attribute effect in linear regression"),
    card!("mean-squared-error", "Mean squared error", NumberAndPrediction, "mean of (target - prediction)^2",
        "the direction of the error; dominated by large errors", "Agarwal, Dudik and Wu 2019, Fair regression"),
    card!("bounded-group-loss", "Bounded group loss, squared", NumberAndPrediction, "greatest mean of (target - prediction)^2 of any cohort",
        "the direction of the error, and every cohort but the worst", "Agarwal, Dudik and Wu 2019, Fair regression"),
    card!("bounded-group-loss-absolute", "Bounded group loss, absolute", NumberAndPrediction, "greatest mean of |target - prediction| of any cohort",
        "the direction of the error, and every cohort but the worst", "Agarwal, Dudik and Wu 2019, Fair regression"),
    card!("residual-standardised-mean-difference-pooled", "Standardised mean difference of residuals, pooled", NumberAndPrediction,
        "(mean residual of the cohort - mean residual of the other) / pooled deviation within the two (n - 1); residual = target - prediction; of the worst pair its size",
        "errors that cancel within a cohort", COHEN),
    card!("residual-standardised-mean-difference-overall", "Standardised mean difference of residuals, all residuals", NumberAndPrediction,
        "(mean residual of the cohort - mean residual of the other) / standard deviation of the residuals of everyone (n); of the worst pair its size",
        "errors that cancel within a cohort", COHEN),
    card!("prediction-standardised-mean-difference-pooled", "Standardised mean difference of predictions, pooled", Prediction,
        "(mean prediction of the cohort - mean prediction of the other) / pooled deviation within the two (n - 1); of the worst pair its size",
        "whether targets differ as much", COHEN),
    card!("prediction-standardised-mean-difference-overall", "Standardised mean difference of predictions, all predictions", Prediction,
        "(mean prediction of the cohort - mean prediction of the other) / standard deviation of the predictions of everyone (n); of the worst pair its size",
        "whether targets differ as much", COHEN),
    card!("prediction-kolmogorov-smirnov", "Kolmogorov-Smirnov distance of predictions", Prediction,
        "greatest |share of the cohort with a prediction of at most t - the same share of the other| over t",
        "at which prediction the difference is, and whether targets differ as much", KS),
    card!("prediction-wasserstein", "Wasserstein distance of predictions", Prediction,
        "integral over t of |share of the cohort with a prediction of at most t - the same share of the other|, in the prediction's unit",
        "which cohort has the higher predictions, and whether targets differ as much", WASSERSTEIN),
    card!("prediction-above-q50", "Share above the median prediction", Prediction, "rows with a prediction above the 0.5-quantile of all predictions / rows with a prediction",
        "how far above; the quantile is taken as known", "HolisticAI, statistical parity of regression at quantile 0.5, which in its release 1.0.14 is computed at 0.8"),
    card!("prediction-above-q80", "Share above the 0.8-quantile of predictions", Prediction, "rows with a prediction above the 0.8-quantile of all predictions / rows with a prediction",
        "how far above; the quantile is taken as known", "HolisticAI, statistical parity of regression at a quantile"),
    card!("prediction-above-q90", "Share above the 0.9-quantile of predictions", Prediction, "rows with a prediction above the 0.9-quantile of all predictions / rows with a prediction",
        "how far above; the quantile is taken as known", "HolisticAI, statistical parity of regression at a quantile"),
];

/// True for figures of two cohorts, which a single one does not have.
pub fn is_between_two(id: &str) -> bool {
    is_distance(id) || id == "xauc-disparity" || id.contains("-standardised-mean-difference-")
}

/// True for distances, which are never negative.
pub fn is_distance(id: &str) -> bool {
    id == "abroca" || id.contains("-kolmogorov-smirnov") || id.ends_with("-wasserstein")
}
