//! Criteria applied to readings: findings, waivers, and the outcome of the run.

use jiff::civil::Date;

use crate::audit::Reading;
use crate::finding::{Finding, Outcome};
use crate::plan::Plan;

/// Judges every criterion. `today` decides which waivers have ended.
pub fn judge(_plan: &Plan, _readings: &[Reading], _today: Date) -> (Vec<Finding>, Outcome) {
    (Vec::new(), Outcome::Inconclusive)
}
