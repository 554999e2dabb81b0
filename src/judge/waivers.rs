//! Breaches somebody accepted for a time: which findings they are for, and what is wrong with the waivers themselves.
//!
//! A waiver is for the findings of its criterion whose cohort has every level it names. It never hides a finding: the finding keeps its
//! verdict and shows the waiver. A waiver without a reason, with an end that is no date or has passed, does not count. Such a waiver,
//! and one whose cohort no finding has, is a finding of level `warn`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::{joined, place};
use crate::cohort::Cohort;
use crate::finding::{Finding, Verdict, Waived};
use crate::plan::spec::{Criterion, Level, Waiver};

/// Attaches the waivers of a criterion to its findings that are not met. Returns findings about the waivers.
pub fn apply(criterion: &Criterion, mut findings: Vec<&mut Finding>, today: Date) -> Vec<Finding> {
    let mut about = Vec::new();
    let mut waivers: Vec<&Waiver> = criterion.waive.iter().collect();
    // Of several for the same finding the one that holds longest is shown.
    waivers.sort_by(|a, b| (&b.until, &a.reason, &a.cohort).cmp(&(&a.until, &b.reason, &b.cohort)));
    for waiver in waivers {
        if let Some((kind, reason)) = defect(waiver, today) {
            about.push(finding(criterion, waiver, kind, reason));
            continue;
        }
        let mut matched = false;
        for finding in findings.iter_mut().filter(|finding| covers(waiver, &finding.cohort)) {
            matched = true;
            if finding.verdict != Verdict::Met && finding.waiver.is_none() {
                finding.waiver = Some(waived(waiver));
            }
        }
        if !matched {
            let reason = "The waiver matches no judged value: correct its cohort, or remove it.".into();
            about.push(finding(criterion, waiver, "unmatched", reason));
        }
    }
    about
}

/// Why a waiver does not count.
fn defect(waiver: &Waiver, today: Date) -> Option<(&'static str, String)> {
    if waiver.reason.trim().is_empty() {
        return Some(("invalid", "The waiver gives no reason and does not count.".into()));
    }
    match waiver.until.parse::<Date>() {
        Err(_) => Some(("invalid", "The waiver's end is no date YYYY-MM-DD, and it does not count.".into())),
        Ok(until) if until < today => {
            Some(("ended", format!("The waiver ended on {until} and does not count: mend the breach, or decide anew.")))
        }
        Ok(_) => None,
    }
}

fn covers(waiver: &Waiver, cohort: &Cohort) -> bool {
    let has = |(name, level): (&String, &String)| cohort.pairs.iter().any(|(n, l)| **n == **name && **l == **level);
    waiver.cohort.iter().all(has)
}

fn waived(waiver: &Waiver) -> Waived {
    let cohort: BTreeMap<Arc<str>, Arc<str>> =
        waiver.cohort.iter().map(|(name, level)| (name.as_str().into(), level.as_str().into())).collect();
    Waived { cohort, reason: waiver.reason.as_str().into(), until: waiver.until.as_str().into() }
}

fn finding(criterion: &Criterion, waiver: &Waiver, kind: &str, reason: String) -> Finding {
    let pairs = waiver.cohort.iter().map(|(name, level)| (name.as_str().into(), level.as_str().into()));
    Finding {
        code: format!("judge/waiver/{kind}/{}", place(criterion, &joined(criterion.across.as_deref()))).into(),
        gate: None,
        cohort: Cohort { pairs: pairs.collect() },
        measured: None,
        judged_interval: None,
        verdict: Verdict::NotMeasured,
        level: Level::Warn,
        reason: reason.into(),
        waiver: None,
    }
}
