//! `[measure.data]`: representation, missing values, proxies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `[measure.data]`: representation, missing values, proxies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DataBias {
    /// Shares of a population by protected column and level: the shares of the rows are compared with them. Every level has one, and those
    /// of a column sum to 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, BTreeMap<String, f64>>,
    /// Compare combinations of protected columns with the product of their shares, as if the columns were independent in the population.
    #[serde(default)]
    pub product_of_margins: bool,
    /// Look for columns that tell the levels of a protected column.
    #[serde(default = "yes")]
    pub proxies: bool,
}

fn yes() -> bool {
    true
}

impl Default for DataBias {
    fn default() -> DataBias {
        DataBias { reference: BTreeMap::new(), product_of_margins: false, proxies: true }
    }
}
