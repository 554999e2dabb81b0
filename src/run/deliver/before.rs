//! The run a new one is compared with: the last signed one, or the one before where none is signed.
//!
//! Reads one earlier `report.json` and `run.json`, however many runs there are. An earlier folder that is gone or damaged is said, and ends
//! no run.

use std::path::Path;

use crate::audit::changes::{Changes, RunOf, Unread};
use crate::audit::{Audit, Past, Record, Seen, Series};
use crate::finding::{Finding, Verdict};
use crate::plan::spec::Spec;
use crate::report::changes::{How, Stored, compare, unread};
use crate::report::{self, ReportError};
use crate::store::{RunRow, Store, StoreError};
use crate::world;

/// Name of the attestation in a run folder.
pub const ATTESTATION: &str = "attestation.dsse.json";
/// Runs whose folders are asked for an attestation.
const SIGNED_AMONG: u32 = 100;
/// Most findings and values a record lists; all are counted.
const LISTED_MAX: usize = 200;
/// Runs of a series, the new one with them, and most series.
const POINTS_MAX: u32 = 30;
const SERIES_MAX: usize = 12;

/// The run compared with, as the history has it.
pub struct Before {
    row: RunRow,
    signed: bool,
}

/// Whether a run folder is as it was signed, under the key it brings; that says nothing of who signed. A build without signatures cannot
/// tell.
pub fn is_signed(folder: &Path) -> bool {
    #[cfg(feature = "sign")]
    let signed = world::is_there(&folder.join(ATTESTATION))
        && crate::attest::verify(folder, &[]).is_ok_and(|found| found.holds());
    #[cfg(not(feature = "sign"))]
    let signed = {
        let _ = folder;
        false
    };
    signed
}

/// The last signed run, else the last one; none before the first.
pub fn last(store: &mut Store, spec: &Spec, folder: &Path) -> Result<Option<Before>, StoreError> {
    let mut rows = store.runs(&spec.pipeline.name, SIGNED_AMONG)?;
    let signed = rows.iter().position(|row| is_signed(&folder.join(&row.run_id)));
    let at = signed.unwrap_or(0);
    Ok((at < rows.len()).then(|| Before { row: rows.swap_remove(at), signed: signed.is_some() }))
}

/// The record with what differs from the run before, which lies beside the new folder.
pub fn changed(record: Record, files: &[(String, Vec<u8>)], folder: &Path, before: Option<&Before>) -> Record {
    let Some(before) = before else { return record };
    let changes = changes(&record, files, folder, before);
    Record { changes, ..record }
}

fn changes(record: &Record, files: &[(String, Vec<u8>)], folder: &Path, before: &Before) -> Option<Changes> {
    let report = &files.iter().find(|(name, _)| name == "report.json")?.1;
    let after = Stored::read(report, &report::run_json(record).ok()?, false).ok()?;
    let old = read(&folder.join(&before.row.run_id), before);
    let changes = match old {
        Ok(old) if old.of().run_id == before.row.run_id => compare(&old, &after, How::default()),
        Ok(_) => Changes::none(of(before), after.of(), Some(Unread::Damaged)),
        Err(why) => Changes::none(of(before), after.of(), Some(why)),
    };
    Some(changes.shortened(LISTED_MAX))
}

fn read(folder: &Path, before: &Before) -> Result<Stored, Unread> {
    let file = |name: &str| match world::read(&folder.join(name)) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Unread::Missing),
        Err(_) => Err(Unread::Damaged),
    };
    let (report, run) = (file("report.json")?, file("run.json")?);
    // A report that was changed since it was recorded is nothing to compare with, signed or not.
    if report::sha256(&report) != before.row.report_sha256 {
        return Err(Unread::Damaged);
    }
    Stored::read(&report, &run, before.signed).map_err(|e: ReportError| unread(&e))
}

/// What the history knows of a run.
fn of(before: &Before) -> RunOf {
    let row = &before.row;
    RunOf {
        run_id: row.run_id.clone(),
        pipeline: row.pipeline.clone(),
        started_at: row.started_at.clone(),
        outcome: row.outcome,
        signed: before.signed,
        generator: String::new(),
        report_version: 0,
    }
}

/// The record with how its findings stand in the history.
pub fn standing(store: &mut Store, audit: &Audit, record: Record) -> Result<Record, StoreError> {
    let now = Seen { run_id: record.run_id.clone(), started_at: record.started_at.clone() };
    let since = store.since(&record.pipeline, &audit.findings, &now)?;
    // The worst first: what no waiver covers, by verdict.
    let mut judged: Vec<&Finding> = audit.findings.iter().filter(|finding| finding.gate.is_some()).collect();
    judged.sort_by_key(|finding| {
        let open = finding.verdict != Verdict::Met && finding.waiver.is_none();
        (!open, std::cmp::Reverse((finding.level, finding.verdict)))
    });
    judged.truncate(SERIES_MAX);
    let mut history = store.past(&record.pipeline, &judged, POINTS_MAX - 1)?;
    for (series, finding) in history.iter_mut().zip(&judged) {
        series.points.push(point(finding, &now));
    }
    history.retain(|series: &Series| series.points.len() > 1);
    Ok(Record { since, history, ..record })
}

/// The value of this run.
fn point(finding: &Finding, now: &Seen) -> Past {
    let estimate = finding.measured.as_ref().and_then(crate::estimate::Measured::estimate);
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    Past {
        run_id: now.run_id.clone(),
        started_at: now.started_at.clone(),
        verdict: finding.verdict,
        point: estimate.and_then(|of| finite(Some(of.point))),
        lower: estimate.and_then(|of| finite(of.interval.lower)),
        upper: estimate.and_then(|of| finite(of.interval.upper)),
        at_most: finding.gate.as_ref().and_then(|gate| gate.at_most),
        at_least: finding.gate.as_ref().and_then(|gate| gate.at_least),
    }
}
