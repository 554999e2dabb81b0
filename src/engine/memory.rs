//! Columns that are in memory already: simulated data, or a table a program holds.

use std::borrow::Cow;
use std::sync::Arc;

use super::cap::Capped;
use super::kernel::{BATCH_ROWS, Parts, Pass, Sums, find, needed};
use super::{Collected, Engine, EngineError};
use crate::demand::Demand;
use crate::evidence::Guarded;
use crate::scalar::{Kind, TRUTH_UNKNOWN, Value, Vector, parse_number};
use crate::scan::{Reading, Scan, Source, SourceColumn, parse_truth};

/// Named columns of equal length. The source of a scan is not looked at.
pub struct Memory {
    pub columns: Vec<(Arc<str>, Vector)>,
    pub rows: usize,
    pub threads: usize,
}

impl Engine for Memory {
    fn describe(&self, _: &Source) -> Result<Vec<SourceColumn>, EngineError> {
        let kind = |vector: &Vector| match vector {
            Vector::Number(_) => Kind::Number.to_string(),
            Vector::Truth(_) => Kind::Truth.to_string(),
            Vector::Text { .. } => Kind::Text.to_string(),
            Vector::Null(_) => "missing".into(),
        };
        Ok(self.columns.iter().map(|(name, vector)| SourceColumn { name: name.clone(), kind: kind(vector) }).collect())
    }

    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Collected, EngineError> {
        let uneven = self.columns.iter().find(|(_, column)| length(column) != self.rows);
        if let Some((name, column)) = uneven {
            let why = format!("the column {name:?} holds {} rows where {} are expected", length(column), self.rows);
            return Err(EngineError::Format { path: "memory".into(), why });
        }
        scan.reads.iter().try_for_each(|read| self.column(&read.column).map(drop))?;
        // Another table may stand behind the same scan: what was found is not remembered.
        let capped =
            Capped::now(scan, |scan, cap| find(scan, cap, |pass| self.pass(scan, pass).map(|_| self.rows as u64)))?;
        let needed = needed(&capped.scan, demands);
        let pass = Pass::new(&needed, demands, &Parts::new(), capped.limits())?;
        let sums = self.pass(&needed, &pass)?;
        progress(self.rows as u64);
        let (evidence, parts) = pass.finish(sums)?;
        match parts.into_keys().next() {
            Some(demand) => Err(EngineError::Expression(format!(
                "{demand}: the columns are in memory and the classes do not fit beside them; raise memory_mib_max"
            ))),
            None => {
                let (evidence, rows) = (Guarded::seal(evidence), self.rows as u64);
                Ok(Collected { evidence, passes: capped.passes + 1, rows })
            }
        }
    }
}

impl Memory {
    /// Sends all rows through a pass. Returns what the threads counted.
    fn pass(&self, scan: &Scan, pass: &Pass) -> Result<Vec<Sums>, EngineError> {
        let read = scan.reads.iter().map(|read| self.read(&read.column, read.by)).collect::<Result<Vec<_>, _>>()?;
        let threads = self.threads.max(1);
        let share = self.rows.div_ceil(BATCH_ROWS).div_ceil(threads) * BATCH_ROWS;
        let (pass, read) = (&pass, &read);
        let work = |thread: usize| {
            let mut sums = pass.start();
            let (mut from, end) = ((thread * share).min(self.rows), ((thread + 1) * share).min(self.rows));
            while from < end {
                let to = (from + BATCH_ROWS).min(end);
                pass.add(&mut sums, read.iter().map(|column| part(column, from, to)).collect(), to - from);
                from = to;
            }
            sums
        };
        let sums = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).collect::<Vec<Sums>>()
        });
        if sums.len() < threads { Err(EngineError::Stopped) } else { Ok(sums) }
    }

    fn column(&self, name: &str) -> Result<&Vector, EngineError> {
        let column = self.columns.iter().find(|(column, _)| **column == *name).map(|(_, vector)| vector);
        column.ok_or_else(|| {
            let near = super::near(name, self.columns.iter().map(|(name, _)| name));
            EngineError::NoColumn { path: "memory".into(), column: name.into(), near }
        })
    }

    fn read(&self, name: &str, by: Reading) -> Result<Cow<'_, Vector>, EngineError> {
        let column = self.column(name)?;
        Ok(match (column, by) {
            (Vector::Number(_), Reading::Number)
            | (Vector::Text { .. }, Reading::Text)
            | (Vector::Truth(_), Reading::Truth) => Cow::Borrowed(column),
            (Vector::Number(numbers), Reading::NoNumber) => {
                let wrong = |x: &f64| if x.is_nan() { TRUTH_UNKNOWN } else { u8::from(x.is_infinite()) };
                Cow::Owned(Vector::Truth(numbers.iter().map(wrong).collect()))
            }
            _ => Cow::Owned(Vector::of(
                (0..self.rows).map(|row| reading(column.get(row), by)).collect::<Vec<_>>().into_iter(),
            )),
        })
    }
}

/// A value read in another way, as the readers of files do.
fn reading(value: Value, by: Reading) -> Value {
    let number = match &value {
        Value::Null => return Value::Null,
        Value::Truth(truth) => Some(f64::from(u8::from(*truth))),
        Value::Number(number) => Some(number + 0.0).filter(|x| x.is_finite()),
        Value::Text(text) => parse_number(text, '.'),
    };
    let truth = match &value {
        Value::Text(text) => parse_truth(text),
        _ => number.and_then(|x| if x == 1.0 { Some(true) } else { (x == 0.0).then_some(false) }),
    };
    match by {
        Reading::Text => match value {
            Value::Truth(truth) => Value::Text(if truth { "true" } else { "false" }.into()),
            Value::Number(_) => number.map_or(Value::Null, |x| Value::Text(crate::scalar::format_number(x).into())),
            other => other,
        },
        Reading::Number => number.map_or(Value::Null, Value::Number),
        Reading::Truth => truth.map_or(Value::Null, Value::Truth),
        Reading::NoNumber => Value::Truth(number.is_none()),
        Reading::NoTruth => Value::Truth(truth.is_none()),
    }
}

fn length(column: &Vector) -> usize {
    match column {
        Vector::Number(numbers) => numbers.len(),
        Vector::Truth(truths) => truths.len(),
        Vector::Text { codes, .. } => codes.len(),
        Vector::Null(rows) => *rows,
    }
}

/// Rows of a column. Numbers are read as the readers of files do: infinity is missing, -0 is 0.
fn part(column: &Vector, from: usize, to: usize) -> Vector {
    match column {
        Vector::Number(numbers) => {
            let plain = |&x: &f64| if x.is_finite() { x + 0.0 } else { f64::NAN };
            Vector::Number(numbers[from..to].iter().map(plain).collect())
        }
        Vector::Truth(truths) => Vector::Truth(truths[from..to].to_vec()),
        Vector::Text { codes, levels } => Vector::Text { codes: codes[from..to].to_vec(), levels: levels.clone() },
        Vector::Null(_) => Vector::Null(to - from),
    }
}
