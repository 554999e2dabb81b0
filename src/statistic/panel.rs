//! A few rows, chosen by a keyed hash, for audits of single rows. Never leaves the process.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Ordered;
use crate::scalar::Value;

/// The `limit` rows of smallest keyed hash. No `Serialize`: rows stay inside the process.
#[derive(Clone, PartialEq, Default)]
pub struct Panel {
    limit: usize,
    rows: BTreeMap<(u64, Vec<Option<PanelValue>>), u32>,
    /// Sum of the counts.
    held: usize,
}

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
            Value::Text(text) => Some(PanelValue::Text(text.clone())),
        }
    }
}

impl Panel {
    pub fn new(limit: usize) -> Panel {
        Panel { limit, ..Panel::default() }
    }

    /// The rows by hash and values, with how often each occurs.
    pub fn rows(&self) -> impl Iterator<Item = (u64, &[Option<PanelValue>], u32)> {
        self.rows.iter().map(|((hash, row), n)| (*hash, &**row, *n))
    }

    /// Adds a row, and drops the one of the greatest hash when there are too many. Equal rows are counted.
    pub fn add(&mut self, hash: u64, row: Vec<Option<PanelValue>>, n: u32) {
        *self.rows.entry((hash, row)).or_default() += n;
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
