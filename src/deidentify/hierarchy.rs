//! Generalisation hierarchies: how the values of a quasi-identifier become coarser, level by level.
//!
//! Level 0 keeps every value, every further level merges values of the one before, the last is full suppression, written `*`. Unknown and
//! outside values keep codes of their own up to the last level. Values are written by the texts of a level, so a value outside the
//! declared levels is never written as it stood in the row.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cohort::{OUTSIDE, UNKNOWN};
use crate::deidentify::classes::ModelError;

/// The text of a fully suppressed value.
pub const SUPPRESSED: &str = "*";

/// The levels of generalisation of one quasi-identifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    name: Arc<str>,
    /// Declared levels; two codes follow them, unknown and outside.
    declared: u32,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// Generalised code of every base code.
    of: Vec<u32>,
    /// Text of every generalised code.
    texts: Vec<Arc<str>>,
    /// Declared levels under every generalised code, less one; at full suppression all of them, less one.
    spans: Vec<u32>,
}

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatePart {
    Month,
    Quarter,
    Year,
    Decade,
}

impl Hierarchy {
    /// Keep or suppress, nothing between.
    pub fn identity(name: &str, levels: &[Arc<str>]) -> Hierarchy {
        let mut hierarchy = Hierarchy { name: name.into(), declared: levels.len() as u32, steps: Vec::new() };
        hierarchy.push(levels);
        hierarchy.suppress();
        hierarchy
    }

    /// Given steps: for each the text of every declared level. A step may only merge what the one before told apart.
    pub fn steps(name: &str, levels: &[Arc<str>], steps: &[Vec<Arc<str>>]) -> Result<Hierarchy, ModelError> {
        let mut hierarchy = Hierarchy { name: name.into(), declared: levels.len() as u32, steps: Vec::new() };
        hierarchy.push(levels);
        for (at, step) in steps.iter().enumerate() {
            if step.len() != levels.len() {
                return Err(hierarchy.wrong("a step must have a text for every declared level"));
            }
            // A step that suppresses everything is the last level, which every hierarchy has.
            if step.iter().all(|text| &**text == SUPPRESSED) {
                continue;
            }
            hierarchy.push(step);
            if !hierarchy.is_nested() {
                return Err(ModelError::Nested { hierarchy: name.into(), step: at + 1 });
            }
        }
        hierarchy.suppress();
        Ok(hierarchy)
    }

    /// Intervals over levels in order: every step is the ascending list of positions at which a further interval begins.
    /// An interval is named by its first and last level, `[17, 20]`.
    pub fn cuts(name: &str, levels: &[Arc<str>], steps: &[Vec<usize>]) -> Result<Hierarchy, ModelError> {
        let step = |cuts: &Vec<usize>| {
            let mut texts = Vec::with_capacity(levels.len());
            let mut start = 0;
            for &end in cuts.iter().chain([&levels.len()]) {
                if end < start || end > levels.len() {
                    return None;
                }
                let text = range(levels, start, end);
                texts.extend((start..end).map(|_| text.clone()));
                start = end;
            }
            Some(texts)
        };
        let steps: Option<Vec<_>> = steps.iter().map(step).collect();
        let wrong = || Hierarchy::identity(name, levels).wrong("cuts must ascend and be positions of levels");
        Hierarchy::steps(name, levels, &steps.ok_or_else(wrong)?)
    }

    /// Intervals of so many levels each; a width must be a multiple of the one before.
    pub fn widths(name: &str, levels: &[Arc<str>], widths: &[usize]) -> Result<Hierarchy, ModelError> {
        if widths.contains(&0) {
            return Err(Hierarchy::identity(name, levels).wrong("a width must be at least 1"));
        }
        let cuts: Vec<Vec<usize>> =
            widths.iter().map(|&width| (width..levels.len()).step_by(width).collect()).collect();
        Hierarchy::cuts(name, levels, &cuts)
    }

    /// Hides characters from the end, so many at each step: `12345` becomes `1234*`, `123**`. Lengths stay visible.
    pub fn redacted(name: &str, levels: &[Arc<str>], hidden: &[usize]) -> Result<Hierarchy, ModelError> {
        let redact = |text: &str, hidden: usize| -> Arc<str> {
            let kept = text.chars().count().saturating_sub(hidden);
            text.chars().enumerate().map(|(at, c)| if at < kept { c } else { '*' }).collect::<String>().into()
        };
        Hierarchy::each(name, levels, hidden, |text, &hidden| redact(text, hidden))
    }

    /// Keeps so many first characters at each step: `12345` becomes `123*`, `12*`. Lengths are hidden with the rest.
    pub fn prefixes(name: &str, levels: &[Arc<str>], kept: &[usize]) -> Result<Hierarchy, ModelError> {
        let prefix = |text: &str, kept: usize| -> Arc<str> {
            match text.char_indices().nth(kept) {
                Some((end, _)) => format!("{}*", &text[..end]).into(),
                None => text.into(),
            }
        };
        Hierarchy::each(name, levels, kept, |text, &kept| prefix(text, kept))
    }

    /// Parts of dates written `yyyy-mm-dd`: `2024-03`, `2024-Q1`, `2024`, `2020s`.
    pub fn dates(name: &str, levels: &[Arc<str>], parts: &[DatePart]) -> Result<Hierarchy, ModelError> {
        if levels.iter().any(|text| text.parse::<jiff::civil::Date>().is_err()) {
            return Err(
                Hierarchy::identity(name, levels).wrong("every declared level must be a date written yyyy-mm-dd")
            );
        }
        Hierarchy::each(name, levels, parts, |text, &part| match text.parse::<jiff::civil::Date>() {
            Ok(date) => match part {
                DatePart::Month => format!("{:04}-{:02}", date.year(), date.month()),
                DatePart::Quarter => format!("{:04}-Q{}", date.year(), (date.month() + 2) / 3),
                DatePart::Year => format!("{:04}", date.year()),
                DatePart::Decade => format!("{:04}s", date.year().div_euclid(10) * 10),
            }
            .into(),
            Err(_) => SUPPRESSED.into(),
        })
    }

    /// A hierarchy table: lines `value;level1;level2;...`, one for every declared level, in any order.
    pub fn table(name: &str, levels: &[Arc<str>], text: &str) -> Result<Hierarchy, ModelError> {
        let wrong = |what: String| ModelError::Steps { hierarchy: name.into(), what };
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(text.as_bytes());
        let mut rows: HashMap<String, Vec<Arc<str>>> = HashMap::new();
        for (at, record) in reader.records().enumerate() {
            let line = at + 1;
            // The reader's own message may hold a value.
            let record = record.map_err(|_| wrong(format!("line {line} does not have as many fields as the first")))?;
            let mut fields = record.iter().map(|field| Arc::from(field.trim()));
            let value: Arc<str> = fields.next().unwrap_or_else(|| "".into());
            if rows.insert(value.to_string(), fields.collect()).is_some() {
                return Err(wrong(format!("line {line} has a value that an earlier line has")));
            }
        }
        let mut steps: Vec<Vec<Arc<str>>> = vec![Vec::new(); rows.values().next().map_or(0, Vec::len)];
        for (at, level) in levels.iter().enumerate() {
            let row = rows.get(&**level).ok_or_else(|| wrong(format!("declared level {} has no line", at + 1)))?;
            steps.iter_mut().zip(row).for_each(|(step, text)| step.push(text.clone()));
        }
        Hierarchy::steps(name, levels, &steps)
    }

    /// A text made from every level by each parameter.
    fn each<T>(
        name: &str,
        levels: &[Arc<str>],
        by: &[T],
        text: impl Fn(&str, &T) -> Arc<str>,
    ) -> Result<Hierarchy, ModelError> {
        let steps: Vec<Vec<Arc<str>>> =
            by.iter().map(|by| levels.iter().map(|level| text(level, by)).collect()).collect();
        Hierarchy::steps(name, levels, &steps)
    }

    /// Name of the quasi-identifier.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Base codes: the declared levels, unknown, outside.
    pub fn codes(&self) -> u32 {
        self.declared + 2
    }

    /// Declared levels.
    pub fn declared(&self) -> u32 {
        self.declared
    }

    /// Levels, keeping and suppressing included; at least 2.
    pub fn levels(&self) -> usize {
        self.steps.len()
    }

    /// The generalised code of a base code.
    pub fn code(&self, level: usize, base: u32) -> u32 {
        self.steps[level].of[base as usize]
    }

    /// Generalised codes at a level.
    pub fn generalised(&self, level: usize) -> usize {
        self.steps[level].texts.len()
    }

    /// What is written for a base code at a level.
    pub fn text(&self, level: usize, base: u32) -> &Arc<str> {
        &self.steps[level].texts[self.code(level, base) as usize]
    }

    /// Declared levels under a generalised code, less one: the numerator of its granularity loss.
    pub fn span(&self, level: usize, generalised: u32) -> u32 {
        self.steps[level].spans[generalised as usize]
    }

    /// The greatest span there is: the denominator of granularity loss.
    pub fn span_max(&self) -> u32 {
        self.declared.saturating_sub(1).max(1)
    }

    fn wrong(&self, what: &str) -> ModelError {
        ModelError::Steps { hierarchy: self.name.to_string(), what: what.into() }
    }

    /// Appends a level; equal texts become one code.
    fn push(&mut self, texts: &[Arc<str>]) {
        let mut step = Step { of: Vec::new(), texts: Vec::new(), spans: Vec::new() };
        let mut codes: HashMap<&str, u32> = HashMap::new();
        for text in texts {
            let code = *codes.entry(text).or_insert(step.texts.len() as u32);
            if code as usize == step.texts.len() {
                step.texts.push(text.clone());
                step.spans.push(0);
            } else {
                step.spans[code as usize] += 1;
            }
            step.of.push(code);
        }
        for own in [UNKNOWN, OUTSIDE] {
            step.of.push(step.texts.len() as u32);
            step.texts.push(own.into());
            step.spans.push(0);
        }
        self.steps.push(step);
    }

    /// Appends full suppression.
    fn suppress(&mut self) {
        let of = vec![0; self.codes() as usize];
        self.steps.push(Step { of, texts: vec![SUPPRESSED.into()], spans: vec![self.span_max()] });
    }

    /// True when the last level is a function of the one before.
    fn is_nested(&self) -> bool {
        let [.., finer, coarser] = self.steps.as_slice() else { return true };
        let mut image = vec![None; finer.texts.len()];
        finer.of.iter().zip(&coarser.of).all(|(&from, &to)| *image[from as usize].get_or_insert(to) == to)
    }
}

/// The name of the levels from `start` up to but without `end`.
pub(super) fn range(levels: &[Arc<str>], start: usize, end: usize) -> Arc<str> {
    match (levels.get(start), levels.get(end.wrapping_sub(1))) {
        (Some(first), Some(last)) if end > start + 1 => match (open(first), open(last)) {
            // Intervals [a, b) side by side are one.
            (Some((from, _)), Some((_, to))) => format!("[{from}, {to})").into(),
            _ => format!("[{first}, {last}]").into(),
        },
        (Some(first), _) => first.clone(),
        _ => SUPPRESSED.into(),
    }
}

/// The ends of an interval [a, b).
fn open(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('[')?.strip_suffix(')')?.split_once(", ")
}

#[cfg(test)]
mod tests;
