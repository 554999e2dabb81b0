//! Where words go: results to stdout, everything else to stderr. A closed pipe ends the output, not the program.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::Format;
use crate::world;

/// How this run talks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub format: Format,
    pub quiet: bool,
    /// Colours on stderr: a terminal, and neither `NO_COLOR` nor a dumb one.
    pub colour: bool,
    /// stderr is the journal of systemd: lines begin with their priority (sd-daemon(3)).
    pub journal: bool,
}

impl Output {
    pub fn new(format: Format, quiet: bool) -> Output {
        let wanted = world::variable("NO_COLOR").is_none() && world::variable("TERM").is_none_or(|term| term != "dumb");
        let colour = wanted && io::stderr().is_terminal();
        Output { format, quiet, colour, journal: !colour && world::variable("JOURNAL_STREAM").is_some() }
    }

    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// The result, as a text.
    pub fn result(&self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let mut stdout = io::stdout().lock();
        let _ = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.write_all(end.as_bytes()))
            .and_then(|()| stdout.flush());
    }

    /// The result, as JSON.
    pub fn result_json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.result(&text),
            Err(e) => self.error(&format!("the result has no JSON form: {e}")),
        }
    }

    /// A remark; not with `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.lines(if self.journal { "<6>" } else { "" }, text);
        }
    }

    /// An error.
    pub fn error(&self, text: &str) {
        match (self.colour, self.journal) {
            (true, _) => self.plain(&format!("\u{1b}[1;31merror\u{1b}[0m: {text}")),
            (_, true) => self.lines("<3>", &format!("error: {text}")),
            _ => self.plain(&format!("error: {text}")),
        }
    }

    fn lines(&self, priority: &str, text: &str) {
        match priority {
            "" => self.plain(text),
            priority => text.lines().for_each(|line| self.plain(&format!("{priority}{line}"))),
        }
    }

    /// A text on stderr.
    pub fn plain(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
