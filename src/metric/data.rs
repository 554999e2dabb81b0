//! Shares of the rows.

use super::{Card, Needs};

#[rustfmt::skip]
pub const DATA: &[Card] = &[
    Card { id: "representation", name: "Representation", formula: "rows of the cohort / all rows, unknown ones included", needs: Needs::Cohorts,
        hides: "whether the rows that are there are like those who are not", source: "Vasudevan and Kenthapadi 2020, LiFT (dataset distribution)" },
    Card { id: "representation-ratio", name: "Representation ratio",
        formula: "(rows of the cohort / rows of known cohort) / share of the cohort in the given population", needs: Needs::Cohorts,
        hides: "whether the given population is the right one; the given shares count as known without error",
        source: "Geyik, Ambler and Kenthapadi 2019, Fairness-aware ranking (skew, without the logarithm)" },
];
