//! The log of a run for machines: one JSON object a line, appended to a file (`--log-file`). It holds names, codes and counts, no cell value.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::run::Progress;
use crate::world::Clock;

/// Where lines go; nowhere without a file.
pub struct Log {
    file: Option<Mutex<File>>,
    pipeline: String,
    clock: Clock,
}

impl Log {
    pub fn open(path: Option<&Path>, pipeline: &str, clock: Clock) -> io::Result<Log> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path).map(Mutex::new);
        Ok(Log { file: path.map(open).transpose()?, pipeline: pipeline.into(), clock })
    }

    /// Appends a line in one write, so that lines of two runs do not mix. A full disk must not end an audit.
    pub fn line(&self, level: &str, event: &str, of: Value) {
        let Some(file) = &self.file else { return };
        let at = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let line = json!({ "at": at, "level": level, "event": event, "pipeline": self.pipeline, "of": of });
        if let Ok(mut file) = file.lock() {
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// Progress that is logged too.
pub struct Logged<'a> {
    pub to: &'a dyn Progress,
    pub log: &'a Log,
}

impl Progress for Logged<'_> {
    fn pass(&self, name: &str, number: u32, of: u32) {
        self.log.line("info", "pass", json!({ "name": name, "number": number, "of": of }));
        self.to.pass(name, number, of);
    }

    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        self.to.rows()
    }

    fn done(&self, rows: Option<u64>) {
        self.log.line("info", "pass-done", json!({ "rows": rows }));
        self.to.done(rows);
    }
}
