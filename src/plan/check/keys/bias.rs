//! Keys of the sections about fairness.

use super::Kind::{List, Map, Number, Text, Truth, Whole, Word};
use super::{Key, U32, may, must};

pub const DATA: &[Key] =
    &[may("reference", Map(&Map(&Number))), may("product_of_margins", Truth), may("proxies", Truth)];
pub const RANKING: &[Key] = &[may("top", List(&Number))];
pub const SUBGROUPS: &[Key] = &[
    may(
        "of",
        List(&Word(&[
            "error",
            "false-positive",
            "false-negative",
            "not-selected",
            "selected",
            "absolute-error",
            "squared-error",
        ])),
    ),
    may("columns", List(&Text)),
    may("depth_max", Whole(U32)),
    may("rows_max", Whole(U32)),
    may("rows_min", Whole(U32)),
    may("alpha", Number),
];
pub const INDIVIDUAL: &[Key] = &[
    may("neighbours", Whole(U32)),
    may("columns", List(&Text)),
    may("scale", Word(&["bounds", "deviation", "none"])),
    may("rows_max", Whole(U32)),
    may("flip", List(&Text)),
];
pub const INFERRED: &[Key] =
    &[must("columns", Map(&Text)), may("reference", Text), may("method", Text), may("sum_wrong_share_max", Number)];
pub const REGULATION: &[Key] = &[
    must("rule", Word(&["nyc-local-law-144", "ugesp", "us-lending", "us-insurance", "eu-ai-act-article-10"])),
    may("sex", Text),
    may("race", Text),
    may("across", List(&List(&Text))),
    may("basis", Word(&["selection", "scoring"])),
    may("excluded_below", Number),
    may("exclusion_reason", Text),
    may("data", Word(&["historical", "test"])),
    may("data_source", Text),
    may("audit_date", Text),
    may("distribution_date", Text),
    may("gate", Word(&["warn", "deny"])),
    may("screening", Number),
    may("inferred", Text),
    may("effect_min", Number),
    may("p_max", Number),
    may("handled_by", Text),
    may("necessity", Text),
    may("safeguards", Text),
    may("deleted", Text),
];
pub const MITIGATE: &[Key] = &[
    may("across", List(&Text)),
    may("methods", List(&Word(REMEDIES))),
    may("use", Word(REMEDIES)),
    may("strength", Number),
    may("strengths", List(&Number)),
    may("repair", Number),
    may("threshold", Number),
];

const REMEDIES: &[&str] = &[
    "demographic-parity-thresholds",
    "equal-opportunity-thresholds",
    "equalized-odds",
    "reject-option",
    "reweighing",
    "massaging",
    "covariance-penalty",
    "correlation-remover",
    "disparate-impact-remover",
];
