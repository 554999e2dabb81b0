//! The messages of a run: queued together with its record, then sent. What cannot be delivered does not change what was found.

use std::path::Path;

use super::Request;
use super::folder::Editions;
#[cfg(feature = "mail")]
use super::folder::RunFolder;
use crate::audit::{Exit, Record};
use crate::store::{Letter, Store};

/// The messages of a run, ready to be queued, and why some could not be made. The PDF they carry is printed here, of pages that are not
/// published yet.
#[cfg(feature = "mail")]
pub(super) fn letters(request: &Request, store: &mut Store, editions: &Editions) -> (Vec<Letter>, Option<Exit>) {
    if request.pipeline.spec.notify.is_empty() {
        return (Vec::new(), None);
    }
    match make(request, store, editions) {
        Ok((letters, failed)) if failed.is_empty() => (letters, None),
        Ok((letters, failed)) => {
            let why = format!("messages of this run that could not be made: {}: {}", failed.len(), first(&failed));
            (letters, Some(Exit { code: 5, why }))
        }
        Err(why) => (Vec::new(), Some(Exit { code: 5, why: format!("nobody was told of this run: {why}") })),
    }
}

/// The first reasons of many, each once.
#[cfg(feature = "mail")]
fn first(failed: &[String]) -> String {
    let different: std::collections::BTreeSet<&str> = failed.iter().map(String::as_str).collect();
    different.into_iter().take(5).collect::<Vec<_>>().join("; ")
}

/// One reason of two.
pub(super) fn both(one: Option<Exit>, other: Option<Exit>) -> Option<Exit> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Exit { why: format!("{}; {}", one.why, other.why), ..one }),
        (one, other) => one.or(other),
    }
}

/// Earlier runs that are looked at: a digest collects them, other rules compare with the last.
#[cfg(feature = "mail")]
const COLLECTED_MAX: u32 = 200;
/// Messages sent before that are looked at, for digests and heartbeats.
#[cfg(feature = "mail")]
const SENT_MAX: u32 = 500;

#[cfg(feature = "mail")]
fn make(request: &Request, store: &mut Store, editions: &Editions) -> Result<(Vec<Letter>, Vec<String>), String> {
    use crate::plan::spec::{Attach, Readers};
    use crate::run::notify::{Finished, parcels};
    use crate::run::pdf::pdf;

    let spec = request.pipeline.spec;
    let name = &spec.pipeline.name;
    let (public, internal) = (&editions.public, editions.internal.as_ref());
    let must = |file: &str| public.file(file).ok_or_else(|| format!("the run has no {file}"));
    let attached = |of: Readers| spec.notify.iter().any(|rule| rule.attach == Attach::Pdf && rule.edition == of);
    // Without a browser the mail says that there is none.
    let print = |of: &RunFolder| of.file("report.html").and_then(|page| pdf(page).ok());
    let of_internal = internal.filter(|_| attached(Readers::Internal));
    let of_public = attached(Readers::Public) || (attached(Readers::Internal) && of_internal.is_none());
    let printed = of_public.then(|| print(public)).flatten();
    let internal_printed = of_internal.and_then(print);
    let finished = Finished {
        report_json: must("report.json")?,
        run_json: must("run.json")?,
        internal_run_json: internal.and_then(|of| of.file("run.json")),
        pdf: printed.as_deref(),
        internal_pdf: internal_printed.as_deref(),
        from: spec.smtp.as_ref().map_or("", |smtp| &smtp.from),
        link: spec.report.link.as_deref(),
    };
    let digests = spec.notify.iter().any(|rule| rule.digest.is_some());
    let history = history(store, name, if digests { COLLECTED_MAX } else { 1 }).map_err(|e| e.to_string())?;
    let parcels = parcels(&spec.notify, &finished, &history).map_err(|e| e.to_string())?;
    Ok((parcels.made.iter().map(Letter::from).collect(), parcels.failed))
}

/// The runs before this one, and what was sent.
#[cfg(feature = "mail")]
fn history(
    store: &mut Store,
    pipeline: &str,
    runs_max: u32,
) -> Result<crate::run::notify::History, crate::store::StoreError> {
    use crate::report::mail::Past;
    use crate::run::notify::{Earlier, History, Sent};

    let day = |instant: &str| instant.get(..10).unwrap_or_default().to_string();
    let mut runs = Vec::new();
    for run in store.runs(pipeline, runs_max)? {
        let judged = store.judged(&run.run_id)?;
        let past = Past { day: day(&run.finished_at), run_id: run.run_id, outcome: run.outcome };
        runs.push(Earlier { run: past, judged });
    }
    let mut listed = store.undelivered(pipeline)?;
    listed.extend(store.delivered(pipeline, SENT_MAX)?);
    let sent = listed.into_iter().filter_map(|of| {
        // The day of the run: a run that begins before midnight may be queued after it.
        let day = day_of(&of.run_id).or_else(|| day(&of.queued_at).parse().ok())?;
        Some(Sent { key: of.key, to: of.recipient, day })
    });
    Ok(History { runs, sent: sent.collect() })
}

/// The day with which the id of a run begins: `20261125T013000Z-1a2b3c4d`.
#[cfg(feature = "mail")]
fn day_of(run_id: &str) -> Option<jiff::civil::Date> {
    let digits = run_id.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A build that cannot send makes none.
#[cfg(not(feature = "mail"))]
pub(super) fn letters(_request: &Request, _store: &mut Store, _editions: &Editions) -> (Vec<Letter>, Option<Exit>) {
    (Vec::new(), None)
}

/// Sends what is due. Something of this run that was not delivered, or an earlier message that was given up now, is a reason to exit with 5.
#[cfg(feature = "mail")]
pub(super) fn send(request: &Request, store: &mut Store, reports: &Path, record: &Record) -> Option<Exit> {
    use std::time::Duration;

    use crate::deliver::{Settings, flush};

    let spec = request.pipeline.spec;
    let settings = Settings {
        pipeline: &record.pipeline,
        folder: request.pipeline.folder,
        smtp: spec.smtp.as_ref(),
        webhook_ca_file: None,
        reports,
        all: false,
        patience: Duration::from_secs(10),
    };
    let failed = |why: String| Some(Exit { code: 5, why });
    let summary = match flush(store, &settings, request.clock, request.entropy) {
        Ok(summary) => summary,
        Err(e) => return failed(format!("what is queued was not sent: {e}")),
    };
    let open = match store.undelivered(&record.pipeline) {
        Ok(open) => open.iter().filter(|listed| listed.run_id == record.run_id).count(),
        Err(e) => return failed(format!("whether everything was delivered is not known: {e}")),
    };
    if open == 0 && summary.dead == 0 {
        return None;
    }
    let words = summary.reasons().into_iter().map(|(why, _)| format!("{}: {}", why.word(), why.text()));
    let words = words.collect::<Vec<_>>().join("; ");
    let why = match (open, words.is_empty()) {
        (0, _) => format!("messages of earlier runs were given up: {words}"),
        (n, true) => format!("messages of this run that are not delivered: {n}"),
        (n, false) => format!("messages of this run that are not delivered: {n}: {words}"),
    };
    failed(format!("{why}; they are listed by: evenhand send --list"))
}

/// A build that cannot send queues nothing.
#[cfg(not(feature = "mail"))]
pub(super) fn send(_request: &Request, _store: &mut Store, _reports: &Path, _record: &Record) -> Option<Exit> {
    None
}

#[cfg(all(test, feature = "mail"))]
mod tests {
    use super::*;

    #[test]
    fn a_run_tells_its_day() {
        let day = |text: &str| text.parse::<jiff::civil::Date>().ok();
        assert_eq!(day_of("20261125T235959Z-1a2b3c4d"), day("2026-11-25"));
        for other in ["", "run-1", "20261325T000000Z-1a2b3c4d", "2026112", "+0261125", "\u{661}\u{661}\u{661}\u{661}"] {
            assert_eq!(day_of(other), None, "{other}");
        }
    }
}
