//! Criteria applied to readings: findings, waivers, and the outcome of the run.
//!
//! A criterion judges every reading of its metric and comparison, in each of its sets of attributes; a set without such a reading is a
//! finding too, because nothing is met by not being measured. Verdicts are those of intervals, never of points:
//!
//! - *breached*: the interval is wholly beyond the limit, at the confidence of Holm's procedure over all values judged in the run
//!   (`holm`). With every criterion truly met, the chance that any is called breached is at most 1 - confidence.
//! - *met*: the interval at the pipeline's confidence is wholly on the right side. It is not widened: a run passes only if *every* criterion
//!   is met, so by the intersection-union principle (Berger 1982, Technometrics 24) a run with a criterion that is truly not met passes with
//!   a chance of at most 1 - confidence, however many criteria there are. The confidence of a single `met` is its own.
//! - *undetermined*: neither, or the support is below the minimum. *Not measured*: there is no estimate.
//!
//! Ends of two-sided intervals are used for one-sided limits. The chance of a wrong verdict is then about half of the stated one, and the
//! verdict of a single criterion is the one a reader sees in the printed interval.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use crate::audit::Reading;
use crate::cohort::Cohort;
use crate::estimate::{Estimate, Interval, Measured};
use crate::finding::{Finding, Gate, Outcome, Verdict};
use crate::plan::Plan;
use crate::plan::spec::{Criterion, Level};

mod holm;
mod limit;
mod waivers;

use holm::Judged;
use limit::Limit;

/// Judges every criterion. `today` decides which waivers have ended.
pub fn judge(plan: &Plan, readings: &[Reading], today: Date) -> (Vec<Finding>, Outcome) {
    let cases: Vec<Case> =
        plan.spec.judge.iter().enumerate().flat_map(|(at, criterion)| cases(plan, at, criterion, readings)).collect();
    let confidence = plan.spec.measure.confidence;
    let tested: Vec<Option<(&Estimate, Limit)>> = cases.iter().map(|case| case.tested(plan)).collect();
    let family = cases.iter().filter(|case| case.reading.is_some()).count();
    let judged = holm::step_down(&tested, family, confidence, plan.spec.measure.replicates);
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    for (case, judged) in cases.iter().zip(judged) {
        findings.push((case.at, case.finding(plan, judged, family)));
    }
    let mut all = Vec::new();
    for (at, criterion) in plan.spec.judge.iter().enumerate() {
        let own = findings.iter_mut().filter(|(of, _)| *of == at).map(|(_, finding)| finding).collect();
        all.extend(waivers::apply(criterion, own, today));
    }
    all.extend(findings.into_iter().map(|(_, finding)| finding));
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    let outcome = outcome(&all, plan.spec.judge.is_empty());
    (all, outcome)
}

/// Adds findings that no criterion led to, and the outcome of all.
pub fn with(plan: &Plan, mut findings: Vec<Finding>, others: Vec<Finding>) -> (Vec<Finding>, Outcome) {
    findings.extend(others);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    let outcome = outcome(&findings, plan.spec.judge.is_empty());
    (findings, outcome)
}

/// One value to be judged, or one set of attributes in which there is none.
struct Case<'a> {
    /// Position among the criteria.
    at: usize,
    criterion: &'a Criterion,
    gate: Gate,
    reading: Option<&'a Reading>,
}

/// What a criterion judges: in every set it applies to, the readings of its metric and comparison.
fn cases<'a>(plan: &Plan, at: usize, criterion: &'a Criterion, readings: &'a [Reading]) -> Vec<Case<'a>> {
    let applies = match &criterion.across {
        Some(set) => {
            let set: Vec<Arc<str>> = set.iter().map(|name| name.as_str().into()).collect();
            // In the plan's order of attributes, so that a code does not depend on how the criterion writes them.
            vec![sets(plan).into_iter().find(|of_plan| same(of_plan, &set)).unwrap_or(set)]
        }
        None => sets(plan),
    };
    if applies.is_empty() {
        return vec![Case { at, criterion, gate: gate(criterion, &[]), reading: None }];
    }
    let mut cases = Vec::new();
    for set in applies {
        let case = |reading| Case { at, criterion, gate: gate(criterion, &set), reading };
        let matching = |reading: &&Reading| {
            let contrast = reading.contrast.as_ref();
            *reading.metric == *criterion.metric
                && same(&reading.across, &set)
                && (contrast.map(|c| c.compare), contrast.map(|c| c.against)) == (criterion.compare, criterion.against)
        };
        let before = cases.len();
        cases.extend(readings.iter().filter(matching).map(|reading| case(Some(reading))));
        if cases.len() == before {
            cases.push(case(None));
        }
    }
    cases
}

/// Every set of the plan, by the names of its attributes.
fn sets(plan: &Plan) -> Vec<Vec<Arc<str>>> {
    let mut seen = BTreeSet::new();
    let name = |&attribute: &usize| plan.attributes.get(attribute).map(|attribute| attribute.name.clone());
    let sets = plan.across.iter().map(|across| across.attributes.iter().filter_map(name).collect::<Vec<_>>());
    sets.filter(|set| seen.insert(set.iter().cloned().collect::<BTreeSet<_>>())).collect()
}

fn same(a: &[Arc<str>], b: &[Arc<str>]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

fn gate(criterion: &Criterion, across: &[Arc<str>]) -> Gate {
    Gate {
        metric: criterion.metric.as_str().into(),
        compare: criterion.compare,
        against: criterion.against,
        across: across.to_vec(),
        at_most: criterion.at_most,
        at_least: criterion.at_least,
        level: criterion.level,
    }
}

/// `selection-rate/ratio-highest/sex-x-race`, the part of a code that names what is judged.
fn place(criterion: &Criterion, across: &str) -> String {
    let of = match (criterion.compare, criterion.against) {
        (Some(compare), Some(against)) => format!("{compare}-{against}"),
        (Some(compare), None) => compare.to_string(),
        (None, Some(against)) => against.to_string(),
        (None, None) => "value".into(),
    };
    format!("{}/{of}/{across}", criterion.metric)
}

/// `sex-x-race`, `everyone`, and `every-set` for a criterion that names none.
fn joined(across: Option<&[impl AsRef<str>]>) -> String {
    match across {
        None => "every-set".into(),
        Some([]) => "everyone".into(),
        Some(names) => names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("-x-"),
    }
}

impl Case<'_> {
    /// The estimate and the limit, where there is enough to judge by.
    fn tested(&self, plan: &Plan) -> Option<(&Estimate, Limit)> {
        let estimate = self.reading?.measured.estimate()?;
        supported(estimate, plan).then_some((estimate, Limit::of(self.criterion)?))
    }

    fn finding(&self, plan: &Plan, judged: Option<Judged>, family: usize) -> Finding {
        let (verdict, mut reason) = match (self.reading, Limit::of(self.criterion), judged) {
            (None, ..) => (Verdict::NotMeasured, self.absent(plan)),
            (_, None, _) => {
                (Verdict::NotMeasured, "The criterion has no limit, or two: write at_most or at_least.".into())
            }
            (Some(reading), Some(limit), judged) => match &reading.measured {
                Measured::Undefined { why } => (Verdict::NotMeasured, format!("Undefined: {}.", why.describe())),
                Measured::Suppressed => {
                    (Verdict::NotMeasured, "Withheld: a count behind it is too small to publish.".into())
                }
                Measured::Estimated(estimate) => verdict(plan, estimate, limit, judged, family),
            },
        };
        let too_few = self.reading.and_then(|reading| reading.contrast.as_ref()).map_or(0, |of| of.too_few);
        if too_few > 0 {
            let least = plan.spec.measure.support_min;
            reason += &format!(" Cohorts left out, with fewer than {least} rows: {too_few}.");
        }
        let across = if self.criterion.across.is_none() && self.gate.across.is_empty() {
            None
        } else {
            Some(&*self.gate.across)
        };
        Finding {
            code: format!("judge/{}", place(self.criterion, &joined(across))).into(),
            gate: Some(self.gate.clone()),
            cohort: self.reading.map_or_else(Cohort::everyone, |reading| reading.cohort.clone()),
            measured: self.reading.map(|reading| reading.measured.clone()),
            judged_interval: judged.map(|judged| judged.interval),
            verdict,
            level: self.gate.level,
            reason: reason.into(),
            waiver: None,
        }
    }

    /// Why there is no reading.
    fn absent(&self, plan: &Plan) -> String {
        let Criterion { metric, compare, against, .. } = self.criterion;
        let across = &self.gate.across;
        if compare.is_some() != against.is_some() {
            return "No value was judged: compare and against are needed together.".into();
        }
        if self.criterion.across.is_none() && across.is_empty() {
            return "No value was judged: there is no set of protected columns; for everyone together write across = [].".into();
        }
        if across.is_empty() && compare.is_some() {
            return "No value was judged: everyone together has no cohort to compare with.".into();
        }
        if let [name] = &across[..]
            && plan.spec.measure.inferred.contains_key(&**name)
        {
            return format!("No value was judged: {name} (inferred) was not measured; its section says why.");
        }
        if !across.is_empty() && !sets(plan).iter().any(|set| same(set, across)) {
            return format!("No value was judged: {} is no set of [measure] across.", across.join(" x "));
        }
        match against {
            Some(against) => {
                format!("No value was judged: {metric} was not measured here, or not compared against {against}.")
            }
            None => format!("No value was judged: {metric} was not measured here."),
        }
    }
}

fn supported(estimate: &Estimate, plan: &Plan) -> bool {
    u64::try_from(estimate.support.n).is_ok_and(|n| n >= plan.spec.measure.support_min)
}

/// The verdict of an estimate and one sentence with its numbers.
fn verdict(plan: &Plan, estimate: &Estimate, limit: Limit, judged: Option<Judged>, family: usize) -> (Verdict, String) {
    let Some(judged) = judged else {
        let (n, least) = (estimate.support.n, plan.spec.measure.support_min);
        return (Verdict::Undetermined, format!("{n} rows are fewer than the {least} that a verdict needs."));
    };
    // The interval that is printed beside the point.
    let own = estimate.interval;
    let shown = |interval: &Interval| format!("{} {}", limit::number(estimate.point), limit::interval(interval));
    let beyond = limit.beyond();
    let together = if family > 1 {
        format!("; the interval is the one for {family} values judged together")
    } else {
        String::new()
    };
    if judged.breached {
        return (Verdict::Breached, format!("{} is {beyond} {limit}{together}.", shown(&judged.interval)));
    }
    if limit.is_met_by(&own) {
        return (Verdict::Met, format!("{} is {} {limit}.", shown(&own), limit.words()));
    }
    let reason = match (limit.is_broken_by(&own), judged.resolved) {
        (false, _) => format!("{limit} is inside {}.", shown(&own)),
        (true, true) => {
            let widened = limit::interval(&judged.interval);
            format!(
                "{} is {beyond} {limit}, but {limit} is inside {widened}, the interval for {family} values judged together.",
                shown(&own)
            )
        }
        (true, false) => {
            let replicates = plan.spec.measure.replicates;
            format!(
                "{} is {beyond} {limit}, but {replicates} replicates are too few for {family} values judged together.",
                shown(&own)
            )
        }
    };
    (Verdict::Undetermined, reason)
}

/// Most severe first: open before waived before met, deny before warn, breached before not measured before undetermined; then by name.
fn order(finding: &Finding) -> impl Ord + '_ {
    let rank = match (finding.verdict, &finding.waiver) {
        (Verdict::Met, _) => 2,
        (_, Some(_)) => 1,
        (_, None) => 0,
    };
    let limit = |at: fn(&Gate) -> Option<f64>| finding.gate.as_ref().and_then(at).map(|limit| limit.to_bits());
    let limits = (limit(|gate| gate.at_most), limit(|gate| gate.at_least));
    (rank, Reverse(finding.level), Reverse(finding.verdict), &finding.code, &finding.cohort, limits, &finding.reason)
}

/// What the findings add up to.
fn outcome(findings: &[Finding], nothing_asked: bool) -> Outcome {
    let open = |level: Level| {
        findings.iter().filter(move |f| f.level == level && f.waiver.is_none() && f.verdict != Verdict::Met)
    };
    if open(Level::Deny).any(|finding| finding.verdict == Verdict::Breached) {
        return Outcome::Fail;
    }
    if nothing_asked || open(Level::Deny).next().is_some() {
        return Outcome::Inconclusive;
    }
    if open(Level::Warn).next().is_some() { Outcome::Warn } else { Outcome::Pass }
}

#[cfg(test)]
mod tests;
