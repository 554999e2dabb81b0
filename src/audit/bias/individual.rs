//! Treatment of alike rows, and of rows that differ in a protected column only.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Individual {}
