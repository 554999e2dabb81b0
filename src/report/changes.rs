//! Two stored runs compared: a pure function of their four documents.
//!
//! Findings are matched by code, cohort and limits; what is left is matched by code and cohort where only the limit or the level is another,
//! and said so. Under differential privacy both reports hold released numbers only, so nothing else is compared.

use std::collections::BTreeMap;

use super::ReportError;
use super::document::{self, Finding, Measured, Report, Run};
use crate::audit::bias::Figure;
use crate::audit::changes::{
    Changes, Counts, FindingChange, Findings, Limit, Movement, RunOf, State, Unread, What, count,
};
use crate::cohort::Cohort;

mod input;
mod values;

/// A run that was read back.
#[derive(Debug, Clone)]
pub struct Stored {
    report: Report,
    run: Run,
    signed: bool,
}

impl Stored {
    /// Reads `report.json` and `run.json` of one run. `signed` says whether their folder is as it was signed.
    pub fn read(report_json: &[u8], run_json: &[u8], signed: bool) -> Result<Stored, ReportError> {
        let (report, run) = document::pair(report_json, run_json)?;
        Ok(Stored { report, run, signed })
    }

    /// What identifies it.
    pub fn of(&self) -> RunOf {
        RunOf {
            run_id: self.run.run_id.clone(),
            pipeline: self.report.pipeline.name.clone(),
            started_at: self.run.started_at.clone(),
            outcome: self.report.outcome,
            signed: self.signed,
            generator: self.report.generator.clone(),
            report_version: self.report.report_version,
        }
    }
}

/// How two runs are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// Every reading, not only those a criterion judges.
    pub every_reading: bool,
    /// Whoever asks says that the rows of the two runs are of different units, so that differences may have an interval.
    pub independent: bool,
}

/// What differs from `before` in `after`.
pub fn compare(before: &Stored, after: &Stored, how: How) -> Changes {
    let findings = findings(&before.report, &after.report);
    let mut values = values::values(before, after, how);
    let of = |movement: Movement| count(values.iter().filter(|value| value.movement == movement).count());
    let [new, fixed, gone, still, waivers_gained, waivers_ended] = findings.lists().map(|list| count(list.len()));
    let [new_by_limit, fixed_by_limit] = findings.by_limit();
    let counts = Counts {
        new,
        fixed,
        new_by_limit,
        fixed_by_limit,
        gone,
        still,
        waivers_gained,
        waivers_ended,
        same: of(Movement::Same),
        within: of(Movement::Within),
        beyond: of(Movement::Beyond),
        unsaid: of(Movement::Unsaid),
    };
    values.retain(|value| value.movement != Movement::Same);
    Changes {
        counts,
        findings,
        values,
        criteria: input::criteria(&before.report, &after.report),
        spec_sha256: input::spec(&before.report, &after.report),
        settings: input::settings(&before.report, &after.report),
        columns: input::columns(&before.report, &after.report),
        model: input::model(before.report.model.as_ref(), after.report.model.as_ref()),
        data: input::data(before, after),
        budget: input::budget(before, after),
        ..Changes::none(before.of(), after.of(), None)
    }
}

/// Why a run folder could not be read, as far as anybody may be told.
pub fn unread(error: &ReportError) -> Unread {
    match error {
        ReportError::Later { .. } => Unread::Later,
        _ => Unread::Damaged,
    }
}

/// The figure of a stored value.
fn figure(measured: &Measured) -> Figure {
    match measured {
        Measured::Estimated(estimate) => Figure::new(estimate.point, estimate.interval, estimate.support.n),
        Measured::Undefined { why } => Figure::Undefined { reason: why.describe().into() },
        Measured::Suppressed => Figure::Suppressed,
    }
}

fn what(gate: &document::Gate) -> What {
    What { metric: gate.metric.clone(), compare: gate.compare, against: gate.against, across: gate.across.clone() }
}

fn limit(finding: &Finding) -> Limit {
    let gate = finding.gate.as_ref();
    Limit {
        level: finding.level,
        at_most: gate.and_then(|gate| gate.at_most),
        at_least: gate.and_then(|gate| gate.at_least),
    }
}

type Key = (String, Cohort, Option<What>);

/// States by limits, of findings with the same code and cohort.
fn states(report: &Report) -> BTreeMap<Key, Vec<State>> {
    let mut states: BTreeMap<Key, Vec<State>> = BTreeMap::new();
    for finding in &report.findings {
        let (what, cohort) = (finding.gate.as_ref().map(what), Cohort::from(&finding.cohort));
        let of = if what.as_ref().is_some_and(What::is_chosen) { Cohort::everyone() } else { cohort.clone() };
        states.entry((finding.code.clone(), of, what)).or_default().push(State {
            cohort,
            verdict: finding.verdict,
            waived: finding.waiver.is_some(),
            limit: limit(finding),
            value: finding.measured.as_ref().map(figure),
        });
    }
    states.values_mut().for_each(|states| states.sort_by_key(|state| (state.limit.bits(), state.verdict)));
    states
}

fn findings(before: &Report, after: &Report) -> Findings {
    let (mut before, mut after) = (states(before), states(after));
    let keys: std::collections::BTreeSet<Key> = before.keys().chain(after.keys()).cloned().collect();
    let mut found = Findings::default();
    for key in keys {
        let (mut old, mut new) = (before.remove(&key).unwrap_or_default(), after.remove(&key).unwrap_or_default());
        let mut pairs = Vec::new();
        old.retain(|state| match new.iter().position(|other| other.limit.bits() == state.limit.bits()) {
            Some(at) => {
                pairs.push((Some(state.clone()), Some(new.remove(at))));
                false
            }
            None => true,
        });
        // Only limits or levels are left to differ.
        let most = old.len().max(new.len());
        let (mut old, mut new) = (old.into_iter(), new.into_iter());
        pairs.extend((0..most).map(|_| (old.next(), new.next())));
        for (before, after) in pairs {
            let (code, _, what) = key.clone();
            place(FindingChange { code, what, before, after }, &mut found);
        }
    }
    for list in [
        &mut found.new,
        &mut found.fixed,
        &mut found.gone,
        &mut found.still,
        &mut found.waivers_gained,
        &mut found.waivers_ended,
    ] {
        list.sort_by(FindingChange::order);
    }
    found
}

/// Puts a finding into its list; one that is open in neither run and has no waiver is in none.
fn place(change: FindingChange, found: &mut Findings) {
    let open = |state: &Option<State>| state.as_ref().is_some_and(State::is_open);
    let waived = |state: &Option<State>| state.as_ref().is_some_and(State::is_waived);
    match (waived(&change.before), waived(&change.after)) {
        (false, true) => found.waivers_gained.push(change),
        (true, false) => found.waivers_ended.push(change),
        (true, true) => {}
        (false, false) => match (open(&change.before), open(&change.after)) {
            (false, true) => found.new.push(change),
            (true, true) => found.still.push(change),
            (true, false) if change.after.is_some() => found.fixed.push(change),
            (true, false) => found.gone.push(change),
            (false, false) => {}
        },
    }
}

#[cfg(test)]
mod tests;
