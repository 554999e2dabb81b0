//! The data themselves: representation, missing values, proxies of protected columns.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataBias {}
