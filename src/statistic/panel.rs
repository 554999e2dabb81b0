//! A few rows, chosen by a keyed hash, for audits of single rows. Never leaves the process.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Ordered;
use crate::scalar::Value;

/// The `limit` rows of smallest keyed hash. No `Serialize`: rows stay inside the process.
#[derive(Clone, PartialEq, Default)]
pub struct Panel {
    limit: usize,
    /// Equal rows count once.
    distinct: bool,
    rows: BTreeMap<(u64, Vec<Option<PanelValue>>), u32>,
    /// Sum of the counts.
    held: usize,
}

/// Longest text in a panel, in bytes: a longer one is cut, so that a panel of long texts stays small.
pub const TEXT_BYTES_MAX: usize = 1024;

/// A value in a panel, ordered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PanelValue {
    Truth(bool),
    Number(Ordered),
    Text(Arc<str>),
}

impl PanelValue {
    pub fn of(value: &Value) -> Option<PanelValue> {
        match value {
            Value::Null => None,
            Value::Truth(truth) => Some(PanelValue::Truth(*truth)),
            Value::Number(number) => Some(PanelValue::Number(Ordered::of(*number))),
            Value::Text(text) if text.len() <= TEXT_BYTES_MAX => Some(PanelValue::Text(text.clone())),
            Value::Text(text) => {
                let end = (0..=TEXT_BYTES_MAX).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
                Some(PanelValue::Text(text[..end].into()))
            }
        }
    }
}

impl Panel {
    pub fn new(limit: usize) -> Panel {
        Panel { limit, ..Panel::default() }
    }

    /// A panel in which equal rows count once.
    pub fn distinct(limit: usize) -> Panel {
        Panel { limit, distinct: true, ..Panel::default() }
    }

    /// The rows by hash and values, with how often each occurs.
    pub fn rows(&self) -> impl Iterator<Item = (u64, &[Option<PanelValue>], u32)> {
        self.rows.iter().map(|((hash, row), n)| (*hash, &**row, *n))
    }

    /// Adds a row, and drops the one of the greatest hash when there are too many. Equal rows are counted, or count once.
    pub fn add(&mut self, hash: u64, row: Vec<Option<PanelValue>>, n: u32) {
        let count = self.rows.entry((hash, row)).or_default();
        let n = if self.distinct { 1 - *count } else { n };
        *count += n;
        self.held += n as usize;
        while self.held > self.limit {
            let Some(mut last) = self.rows.last_entry() else { break };
            match *last.get() {
                1 => {
                    last.remove();
                }
                n => *last.get_mut() = n - 1,
            }
            self.held -= 1;
        }
    }

    pub(super) fn merge(&mut self, other: Panel) {
        for ((hash, row), n) in other.rows {
            self.add(hash, row, n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        for (text, kept) in
            [("a".repeat(1024), 1024), ("a".repeat(1025), 1024), ("é".repeat(513), 1024), ("汉".repeat(500), 1023)]
        {
            let Some(PanelValue::Text(found)) = PanelValue::of(&Value::Text(text.as_str().into())) else { panic!() };
            assert_eq!((found.len(), text.starts_with(&*found)), (kept, true));
        }
    }

    #[test]
    fn equal_rows_count_once_where_they_are_told_to() {
        let row = |n: f64| vec![PanelValue::of(&Value::Number(n))];
        let (mut all, mut once) = (Panel::new(3), Panel::distinct(3));
        for (hash, n) in [(5, 2), (1, 1), (5, 1), (1, 1), (9, 1), (7, 1)] {
            all.add(hash, row(hash as f64), n);
            once.add(hash, row(hash as f64), n);
        }
        let of = |panel: &Panel| panel.rows().map(|(hash, _, n)| (hash, n)).collect::<Vec<_>>();
        assert_eq!((of(&all), of(&once)), (vec![(1, 2), (5, 1)], vec![(1, 1), (5, 1), (7, 1)]));
        let mut parts = Panel::distinct(3);
        parts.add(2, row(2.0), 1);
        parts.merge(once);
        assert_eq!(of(&parts), [(1, 1), (2, 1), (5, 1)]);
    }
}
