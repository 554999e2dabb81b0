//! Tests of equality of rates between cohorts, and what they do not show.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tests {}
