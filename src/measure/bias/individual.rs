//! Treatment of alike rows, and of rows that differ in a protected column only.

use super::Context;
use crate::audit::{Reading, bias::Individual};
use crate::demand::Demand;
use crate::evidence::Missing;
use crate::measure::Subject;
use crate::plan::Plan;

pub fn demands(_plan: &Plan, _subject: &Subject) -> Vec<Demand> {
    Vec::new()
}

pub fn measure(
    _context: &Context,
    _readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<Individual>, Missing> {
    Ok(None)
}
