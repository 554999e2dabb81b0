//! Fairness beyond the rates: what compares more than single rates of cohorts.
//!
//! Each part has a file: its statistics, and what is made of them. Readings go to the readings of all metrics and can be judged; what is no
//! reading of a cohort has a place of its own in the audit.

use super::{Cohorts, Protection, Subject};
use crate::audit::{Bias, Reading};
use crate::cohort::Cohort;
use crate::demand::Demand;
use crate::evidence::{Missing, Released};
use crate::finding::{Finding, Verdict};
use crate::metric::Card;
use crate::plan::Plan;
use crate::plan::spec::Level;

mod classes;
mod curves;
mod data;
mod distances;
mod individual;
mod inequality;
mod inferred;
mod mitigation;
mod parity;
mod ranking;
mod regulation;
mod strata;
mod subgroups;
mod sweep;
mod tests;

pub use regulation::{median, ranks};

/// What the parts are computed from.
pub struct Context<'a> {
    pub plan: &'a Plan,
    pub subject: &'a Subject,
    pub released: &'a Released,
    pub cohorts: &'a Cohorts,
    pub protection: &'a Protection,
    /// The metrics that are measured.
    pub metrics: &'a [Card],
}

/// Findings that no criterion led to: subgroups that hold on held-out rows, and what was asked for and could not be measured.
pub fn findings(bias: &Bias) -> Vec<Finding> {
    let rules = bias.regulation.iter().map(|view| (format!("rule/{}", view.rule), view.not_measured.as_str()));
    let inferred = bias.inferred.iter().map(|of| (format!("inferred/{}", of.name), of.not_measured.as_str()));
    let absent = rules.chain(inferred).filter(|(_, why)| !why.is_empty()).map(|(code, why)| not_measured(&code, why));
    bias.subgroups.iter().flat_map(subgroups::findings).chain(absent).collect()
}

/// Nothing is passed by not being measured.
fn not_measured(code: &str, why: &str) -> Finding {
    Finding {
        code: code.into(),
        gate: None,
        cohort: Cohort::everyone(),
        measured: None,
        judged_interval: None,
        verdict: Verdict::NotMeasured,
        level: Level::Warn,
        reason: format!("Not measured: {}.", why.trim_end_matches('.')).into(),
        waiver: None,
    }
}

/// The statistics of all parts.
pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    let parts = [
        distances::demands,
        strata::demands,
        tests::demands,
        sweep::demands,
        data::demands,
        classes::demands,
        subgroups::demands,
        individual::demands,
        inferred::demands,
        mitigation::demands,
    ];
    parts.into_iter().flat_map(|demands| demands(plan, subject)).collect()
}

impl Context<'_> {
    /// Computes every part. Adds readings, and notes for the section of methods.
    pub fn measure(&self, readings: &mut Vec<Reading>, notes: &mut Vec<String>) -> Result<Bias, Missing> {
        parity::measure(self, readings, notes)?;
        inequality::measure(self, readings);
        distances::measure(self, readings, notes)?;
        Ok(Bias {
            strata: strata::measure(self, readings, notes)?,
            tests: tests::measure(self, readings, notes)?,
            curves: curves::measure(self, readings, notes)?,
            sweep: sweep::measure(self, readings, notes)?,
            data: data::measure(self, readings, notes)?,
            ranking: ranking::measure(self, readings, notes)?,
            classes: classes::measure(self, readings, notes)?,
            subgroups: subgroups::measure(self, readings, notes)?,
            individual: individual::measure(self, readings, notes)?,
            inferred: inferred::measure(self, readings, notes)?,
            regulation: regulation::measure(self, readings, notes)?,
            mitigation: mitigation::measure(self, readings, notes)?,
        })
    }
}
