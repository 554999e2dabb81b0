//! The rows of a search: columns in codes, and which half a row is of.
//!
//! Numbers are cut at quantiles of the half that is searched, so that no cut depends on the half that is tested.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::demand::RowKey;
use crate::plan::Plan;
use crate::statistic::{Panel, PanelValue};

/// Bins of a number.
const BINS_MAX: usize = 5;
/// Characters of a level in a condition.
const NAME_CHARS: usize = 60;

/// The rows, by column.
pub struct Rows {
    pub columns: Vec<Column>,
    /// True for the half that is searched.
    pub searched: Vec<bool>,
    /// Bucket of the key, for the jackknife.
    pub bucket: Vec<u32>,
    pub outcomes: Vec<Outcomes>,
}

/// A column in codes, one a row.
pub struct Column {
    pub codes: Vec<u32>,
    /// Every code as a condition.
    pub conditions: Vec<String>,
}

/// What came out for a row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcomes {
    pub label: Option<bool>,
    pub decision: Option<bool>,
    pub target: Option<f64>,
    pub prediction: Option<f64>,
}

impl Rows {
    /// Rows of a panel of columns, then label, decision, target and prediction.
    ///
    /// Rows of one key are in one half. Where nothing tells rows apart, equal rows have one hash; each of them is then put in a half by a
    /// hash of its own.
    pub fn of(plan: &Plan, panel: &Panel, names: &[Arc<str>], buckets: u32) -> Rows {
        let mut values: Vec<Vec<Option<PanelValue>>> = vec![Vec::new(); names.len()];
        let mut rows = Rows { columns: Vec::new(), searched: Vec::new(), bucket: Vec::new(), outcomes: Vec::new() };
        let alike = plan.key == RowKey::Row;
        for (hash, row, n) in panel.rows() {
            for copy in 0..n {
                let coin = if alike { mix(hash.wrapping_add(u64::from(copy) << 32)) } else { mix(hash) };
                rows.searched.push(coin & 1 == 0);
                rows.bucket.push(((mix(hash ^ 0x5bd1) >> 8) % u64::from(buckets.max(1))) as u32);
                for (column, value) in values.iter_mut().zip(row) {
                    column.push(value.clone());
                }
                let last = |at: usize| row.get(names.len() + at).and_then(Option::as_ref);
                let (truth, number) = (|at| last(at).and_then(truth), |at| last(at).and_then(number));
                rows.outcomes.push(Outcomes {
                    label: truth(0),
                    decision: truth(1),
                    target: number(2),
                    prediction: number(3),
                });
            }
        }
        rows.columns = names.iter().zip(values).map(|(name, values)| column(name, &values, &rows.searched)).collect();
        rows
    }

    pub fn len(&self) -> usize {
        self.searched.len()
    }
}

/// Bits of a hash that have nothing to do with its size: the finaliser of splitmix64.
pub fn mix(hash: u64) -> u64 {
    let mut x = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn truth(value: &PanelValue) -> Option<bool> {
    match value {
        PanelValue::Truth(truth) => Some(*truth),
        PanelValue::Number(_) | PanelValue::Text(_) => None,
    }
}

pub fn number(value: &PanelValue) -> Option<f64> {
    match value {
        PanelValue::Number(number) => Some(number.number()),
        PanelValue::Truth(truth) => Some(f64::from(u8::from(*truth))),
        PanelValue::Text(_) => None,
    }
}

fn column(name: &Arc<str>, values: &[Option<PanelValue>], searched: &[bool]) -> Column {
    let numeric = values.iter().flatten().any(|value| matches!(value, PanelValue::Number(_)));
    if numeric {
        return bins(name, values, searched);
    }
    let mut seen: BTreeMap<Option<&PanelValue>, u32> = BTreeMap::new();
    for value in values {
        seen.entry(value.as_ref()).or_default();
    }
    seen.values_mut().zip(0..).for_each(|(code, at)| *code = at);
    let condition = |value: &Option<&PanelValue>| match value {
        None => format!("{name} unknown"),
        Some(PanelValue::Truth(truth)) => format!("{name} = {truth}"),
        Some(PanelValue::Text(text)) => format!("{name} = {}", text.chars().take(NAME_CHARS).collect::<String>()),
        Some(PanelValue::Number(number)) => format!("{name} = {}", number.number()),
    };
    let codes = values.iter().map(|value| seen.get(&value.as_ref()).copied().unwrap_or_default()).collect();
    Column { codes, conditions: seen.keys().map(condition).collect() }
}

/// At most five bins with about as many rows each; a number with as few values has a bin for each.
fn bins(name: &Arc<str>, values: &[Option<PanelValue>], searched: &[bool]) -> Column {
    let of = |value: &Option<PanelValue>| value.as_ref().and_then(number);
    let mut known: Vec<f64> =
        values.iter().zip(searched).filter(|(_, searched)| **searched).filter_map(|(value, _)| of(value)).collect();
    known.sort_by(f64::total_cmp);
    let mut distinct = known.clone();
    distinct.dedup();
    let mut edges: Vec<f64> = match distinct.len() <= BINS_MAX {
        true => distinct.iter().skip(1).copied().collect(),
        false => (1..BINS_MAX).filter_map(|i| known.get(known.len() * i / BINS_MAX)).copied().collect(),
    };
    edges.dedup();
    edges.retain(|edge| known.first().is_some_and(|least| edge > least));
    let code = |value: &Option<PanelValue>| match of(value) {
        Some(number) => edges.partition_point(|edge| *edge <= number) as u32,
        None => edges.len() as u32 + 1,
    };
    let mut conditions: Vec<String> = (0..=edges.len())
        .map(|at| match (at.checked_sub(1).and_then(|at| edges.get(at)), edges.get(at)) {
            (None, None) => format!("{name} known"),
            (None, Some(upper)) => format!("{name} below {upper}"),
            (Some(lower), Some(upper)) => format!("{name} from {lower} to below {upper}"),
            (Some(lower), None) => format!("{name} {lower} or more"),
        })
        .collect();
    conditions.push(format!("{name} unknown"));
    Column { codes: values.iter().map(code).collect(), conditions }
}
