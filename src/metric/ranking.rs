//! Selection and exposure in a ranking.

use super::{Card, Needs};

#[rustfmt::skip]
pub const RANKING: &[Card] = &[
    Card { id: "selection-at-k", name: "Selection among the top",
        formula: "rows of the cohort among the k of highest score / its rows with a score; rows of equal score share the places left", needs: Needs::Score,
        hides: "whether those at the top merit it; what is below the cut", source: "Geyik, Ambler and Kenthapadi 2019, Fairness-aware ranking" },
    Card { id: "exposure", name: "Exposure", formula: "mean of 1 / log2(1 + rank) over the cohort / the same over all rows; equal scores share their ranks", needs: Needs::Score,
        hides: "merit; the law of attention is an assumption, and the first ranks weigh most", source: "Singh and Joachims 2018, Fairness of exposure in rankings" },
];
