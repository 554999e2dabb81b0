//! The messages of a run: queued together with its record, then sent. What cannot be delivered does not change what was found.

use std::path::Path;

use super::Request;
use crate::audit::{Exit, Record};
use crate::store::{Letter, Store};

/// The messages of a run, ready to be queued.
pub(super) fn letters(_request: &Request, _record: &Record) -> Vec<Letter> {
    Vec::new()
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
