//! Every name of the peers is there once, and what it is here exists in the form that is named.

use super::*;
use crate::metric::{cards, forms};

#[test]
fn what_it_is_here_exists() {
    let cards = cards();
    for counterpart in Peer::ALL.into_iter().flat_map(Peer::metrics) {
        let Some(id) = counterpart.ours.metric() else { continue };
        assert!(cards.iter().any(|card| card.id == id), "{}: {id}", counterpart.theirs);
        let form = match counterpart.ours {
            Ours::Comparison { compare, against, .. } => Some((compare, against)),
            _ => None,
        };
        assert!(forms(id).is_none_or(|forms| forms.contains(&form)), "{}: {id} {form:?}", counterpart.theirs);
    }
}

#[test]
fn every_name_is_there_once() {
    for (peer, least) in [(Peer::Fairlearn, 40), (Peer::Aif360, 60), (Peer::Aequitas, 38)] {
        let mut names: Vec<&str> = peer.metrics().iter().flat_map(|of| of.theirs.split(", ")).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{}", peer.name());
        assert!(peer.metrics().len() >= least, "{}: {}", peer.name(), peer.metrics().len());
    }
}

/// The keys of the reference data, which the peers wrote themselves.
#[test]
fn the_names_of_the_reference_data_are_there() {
    let theirs = |peer: Peer| peer.metrics().iter().map(|of| of.theirs).collect::<Vec<_>>().join(", ");
    let (aif360, aequitas) = (theirs(Peer::Aif360), theirs(Peer::Aequitas));
    for name in [
        "num_true_positives",
        "true_positive_rate",
        "false_omission_rate",
        "selection_rate",
        "disparate_impact",
        "statistical_parity_difference",
        "equal_opportunity_difference",
        "average_odds_difference",
        "average_abs_odds_difference",
        "equalized_odds_difference",
        "average_predictive_value_difference",
        "error_rate_ratio",
        "false_discovery_rate_ratio",
        "theil_index",
        "generalized_entropy_index",
        "coefficient_of_variation",
        "between_group_theil_index",
        "between_all_groups_theil_index",
        "between_all_groups_generalized_entropy_index",
        "differential_fairness_bias_amplification",
        "smoothed_empirical_differential_fairness",
        "consistency",
        "class_imbalance",
        "kl_divergence",
        "conditional_demographic_disparity",
        "smoothed_edf",
        "generalized_entropy_error",
        "average_odds_error",
    ] {
        assert!(
            aif360.split(", ").any(|theirs| theirs.split(' ').next() == Some(name) || theirs.ends_with(name)),
            "{name}"
        );
    }
    for name in [
        "tpr",
        "ppr",
        "pprev",
        "prev",
        "group_size",
        "ppr_disparity",
        "for_disparity",
        "Statistical Parity",
        "Impact Parity",
        "TypeI Parity",
        "TypeII Parity",
        "Equalized Odds",
        "Unsupervised Fairness",
        "Supervised Fairness",
    ] {
        assert!(aequitas.split(", ").any(|theirs| theirs == name), "{name}");
    }
}
