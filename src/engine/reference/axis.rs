//! The code of a row on an axis, and the bytes of its keys.

use super::bind;
use crate::demand::{Axis, RowKey, hash};
use crate::engine::EngineError;
use crate::scalar::{Bound, Value, format_number};
use crate::scan::Scan;

/// An axis bound to the positions of a row.
pub(super) struct BoundAxis<'a> {
    axis: &'a Axis,
    of: Option<Bound>,
    key: Option<BoundKey>,
}

impl<'a> BoundAxis<'a> {
    pub(super) fn new(scan: &Scan, axis: &'a Axis) -> Result<BoundAxis<'a>, EngineError> {
        Ok(match axis {
            Axis::Levels { of, .. } | Axis::Truth { of } | Axis::Edges { of, .. } => {
                BoundAxis { axis, of: Some(bind(scan, of)?), key: None }
            }
            Axis::Hash { key, .. } => BoundAxis { axis, of: None, key: Some(BoundKey::new(scan, key)?) },
        })
    }

    pub(super) fn code(&self, row: &[Value], reads: usize) -> u32 {
        let value = self.of.as_ref().map_or(Value::Null, |of| of.evaluate(row));
        match (self.axis, value) {
            (Axis::Levels { levels, .. }, Value::Text(text)) => {
                levels.iter().position(|level| *level == text).unwrap_or(levels.len() + 1) as u32
            }
            (Axis::Levels { levels, .. }, _) => levels.len() as u32,
            (Axis::Truth { .. }, Value::Truth(truth)) => u32::from(truth),
            (Axis::Truth { .. }, _) => 2,
            (Axis::Edges { edges, .. }, Value::Number(number)) => {
                edges.iter().filter(|edge| **edge <= number).count() as u32
            }
            (Axis::Edges { edges, .. }, _) => edges.len() as u32 + 1,
            (Axis::Hash { salt, thresholds, .. }, _) => {
                let bytes = self.key.as_ref().map(|key| key.bytes(row, reads)).unwrap_or_default();
                let hash = hash(salt, &bytes);
                thresholds.iter().filter(|threshold| **threshold <= hash).count() as u32
            }
        }
    }
}

/// What is hashed, bound to the positions of a row.
pub(super) struct BoundKey {
    /// None: the values read.
    of: Option<Vec<Bound>>,
}

impl BoundKey {
    pub(super) fn new(scan: &Scan, key: &RowKey) -> Result<BoundKey, EngineError> {
        let of = match key {
            RowKey::Of(scalars) => Some(scalars.iter().map(|scalar| bind(scan, scalar)).collect::<Result<_, _>>()?),
            RowKey::Row => None,
        };
        Ok(BoundKey { of })
    }

    pub(super) fn bytes(&self, row: &[Value], reads: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &self.of {
            Some(of) => key_bytes(&mut bytes, of.iter().map(|of| of.evaluate(row))),
            None => key_bytes(&mut bytes, row[..reads].iter().cloned()),
        }
        bytes
    }
}

/// Appends the texts of the values joined by U+001F; a missing value is `\N`.
pub(in crate::engine) fn key_bytes(bytes: &mut Vec<u8>, values: impl Iterator<Item = Value>) {
    for (i, value) in values.enumerate() {
        if i > 0 {
            bytes.push(0x1f);
        }
        append(bytes, &value);
    }
}

/// Appends the texts of the values, each with its length behind it: keys of different values are different.
pub(in crate::engine) fn class_bytes<'a>(bytes: &mut Vec<u8>, values: impl Iterator<Item = &'a Value>) {
    for value in values {
        let start = bytes.len();
        append(bytes, value);
        bytes.extend(((bytes.len() - start) as u64).to_le_bytes());
    }
}

fn append(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.extend(b"\\N"),
        Value::Truth(truth) => bytes.extend(if *truth { &b"true"[..] } else { b"false" }),
        Value::Number(number) => bytes.extend(format_number(*number).as_bytes()),
        Value::Text(text) => bytes.extend(text.as_bytes()),
    }
}
