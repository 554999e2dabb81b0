//! What a run tells while it works: a bar per pass on a terminal, plain lines elsewhere, nothing with `--quiet`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;
use crate::run::Progress;

/// The progress of this run.
pub fn progress(out: &Output, terminal: bool) -> Box<dyn Progress> {
    match (out.quiet, terminal) {
        (true, _) => Box::new(Lines { out: *out, speaks: false }),
        (false, false) => Box::new(Lines { out: *out, speaks: true }),
        (false, true) => Box::new(Bar::new(out.colour)),
    }
}

struct Lines {
    out: Output,
    speaks: bool,
}

impl Progress for Lines {
    fn pass(&self, name: &str, number: u32, of: u32) {
        if self.speaks {
            self.out.note(&title(name, number, of));
        }
    }

    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| ()
    }

    fn done(&self, rows: Option<u64>) {
        if let Some(rows) = rows.filter(|_| self.speaks) {
            self.out.note(&format!("  {} rows", grouped(rows)));
        }
    }
}

/// The number of passes is not known before the pass that learns domains.
fn title(name: &str, number: u32, of: u32) -> String {
    if of < number { format!("pass {number}: {name}") } else { format!("pass {number} of {of}: {name}") }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

struct Bar {
    bar: ProgressBar,
    /// Rows of the pass before; the length of the next.
    length: AtomicU64,
    tell: Box<dyn Fn(u64) + Sync>,
}

impl Bar {
    fn new(colour: bool) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style(None, colour));
        let told = bar.clone();
        Bar { bar, length: AtomicU64::new(0), tell: Box::new(move |rows| told.set_position(rows)) }
    }
}

fn style(length: Option<u64>, colour: bool) -> ProgressStyle {
    let bar = if colour { "{bar:24.cyan}" } else { "{bar:24}" };
    let template = match length {
        Some(_) => format!("{{msg:32}} {bar} {{human_pos}} of {{human_len}} rows, {{per_sec}}, {{eta}} left"),
        None => "{msg:32} {spinner} {human_pos} rows, {per_sec}, {elapsed}".to_string(),
    };
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bar {
    fn pass(&self, name: &str, number: u32, of: u32) {
        let length = Some(self.length.load(Ordering::Relaxed)).filter(|length| *length > 0);
        self.bar.reset();
        self.bar.set_style(style(length, true));
        match length {
            Some(length) => self.bar.set_length(length),
            None => self.bar.unset_length(),
        }
        self.bar.set_message(title(name, number, of));
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &self.tell
    }

    fn done(&self, rows: Option<u64>) {
        self.length.store(rows.unwrap_or(0), Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_named_once_it_is_known() {
        assert_eq!(title("learn", 1, 0), "pass 1: learn");
        assert_eq!(title("measure", 5, 5), "pass 5 of 5: measure");
    }

    #[test]
    fn digits_stand_in_groups() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
    }
}
