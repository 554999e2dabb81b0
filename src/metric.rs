//! What can be measured: identifiers, comparisons and the cards that README and `evenhand metrics` are made of.

use std::fmt;

use serde::{Deserialize, Serialize};

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
