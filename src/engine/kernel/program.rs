//! Everything a pass needs of a batch, each thing once: distinct subexpressions, axis codes, key hashes, chosen rows.
//!
//! Demands share most of what they read (the same axes, the same predictor, the same split). Expressions are taken apart into nodes whose
//! arguments are columns, and equal nodes are one: a batch is evaluated node by node, in order.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::md5::hashes;
use super::units::Within;
use crate::demand::{Axis, HASH_BITS, RowKey, Rows};
use crate::engine::EngineError;
use crate::engine::reference::{names, typed};
use crate::scalar::{Bound, Expr, NO_TEXT, Scalar, TRUTH_UNKNOWN, Value, Vector, write_number};
use crate::scan::{Cap, Kept, Scan};

/// What is computed for every batch.
#[derive(Default)]
pub struct Program {
    reads: usize,
    /// Position of every name of the scan.
    names: HashMap<Arc<str>, usize>,
    /// Node i is column reads + i.
    nodes: Vec<Bound>,
    keys: Vec<Key>,
    axes: Vec<AxisOf>,
    choices: Vec<Choice>,
    keep: Option<usize>,
    within: Option<Within>,
    seen: HashMap<String, usize>,
}

/// Values of a row that are hashed together.
pub struct Key {
    salt: String,
    of: Vec<usize>,
}

enum AxisOf {
    Levels {
        of: usize,
        levels: Arc<[Arc<str>]>,
    },
    Truth {
        of: usize,
    },
    Edges {
        of: usize,
        edges: Vec<f64>,
    },
    Hash {
        key: usize,
        thresholds: Vec<u64>,
    },
    /// No hash reaches a threshold: a split without a second part.
    Zero,
}

enum Choice {
    All,
    Kept,
    Within { axis: usize, codes: Vec<u32> },
}

/// The results for one batch, at the positions the program handed out.
pub struct Values {
    pub rows: usize,
    pub columns: Vec<Vector>,
    hashes: Vec<Vec<u64>>,
    axes: Vec<Vec<u32>>,
    /// Chosen rows, ascending.
    choices: Vec<Vec<u32>>,
}

impl Program {
    /// Derived columns and the filter of a scan.
    pub fn new(scan: &Scan) -> Result<Program, EngineError> {
        names(scan)?;
        let mut program = Program { reads: scan.reads.len(), ..Program::default() };
        for (at, read) in scan.reads.iter().enumerate() {
            program.names.insert(read.name.clone(), at);
        }
        for (name, scalar) in &scan.derive {
            let at = program.column(scan, scalar)?;
            program.names.insert(name.clone(), at);
        }
        program.keep = scan.keep.as_ref().map(|keep| program.column(scan, keep)).transpose()?;
        Ok(program)
    }

    /// Position of an expression's column.
    pub fn column(&mut self, scan: &Scan, scalar: &Scalar) -> Result<usize, EngineError> {
        typed(scan, scalar)?;
        let wrong = |e: crate::scalar::TypeError| EngineError::Expression(format!("{scalar}: {e}"));
        let bound = scalar.bind(|name| self.names.get(name).copied()).map_err(wrong)?;
        Ok(self.node(bound))
    }

    fn node(&mut self, bound: Bound) -> usize {
        if let Expr::Column(at) = bound {
            return at;
        }
        let flat = bound.with_arguments(&mut |argument| match argument {
            Expr::Column(_) | Expr::Literal(_) => argument,
            deeper => Expr::Column(self.node(deeper)),
        });
        let next = self.reads + self.nodes.len();
        let at = *self.seen.entry(format!("node {flat:?}")).or_insert(next);
        if at == next {
            self.nodes.push(flat);
        }
        at
    }

    /// Position of the codes of an axis.
    pub fn axis(&mut self, scan: &Scan, axis: &Axis) -> Result<usize, EngineError> {
        let of = match axis {
            Axis::Levels { of, levels } => AxisOf::Levels { of: self.column(scan, of)?, levels: levels.clone() },
            Axis::Truth { of } => AxisOf::Truth { of: self.column(scan, of)? },
            Axis::Edges { of, edges } => AxisOf::Edges { of: self.column(scan, of)?, edges: edges.clone() },
            Axis::Hash { thresholds, .. } if thresholds.iter().all(|threshold| threshold >> HASH_BITS > 0) => {
                AxisOf::Zero
            }
            Axis::Hash { key, salt, thresholds } => {
                AxisOf::Hash { key: self.key(scan, key, salt)?, thresholds: thresholds.clone() }
            }
        };
        let text = match &of {
            AxisOf::Levels { of, levels } => text("levels", &(of, levels)),
            AxisOf::Truth { of } => text("truth", of),
            AxisOf::Edges { of, edges } => text("edges", &(of, edges)),
            AxisOf::Hash { key, thresholds } => text("hash", &(key, thresholds)),
            AxisOf::Zero => text("zero", &()),
        };
        Ok(intern(&mut self.seen, &mut self.axes, text, of))
    }

    /// Position of the hashes of a key.
    pub fn key(&mut self, scan: &Scan, key: &RowKey, salt: &str) -> Result<usize, EngineError> {
        let key = self.hashed(scan, key, salt)?;
        let text = text("key", &(salt, &key.of));
        Ok(intern(&mut self.seen, &mut self.keys, text, key))
    }

    /// A key whose hashes are asked for.
    pub fn hashed(&mut self, scan: &Scan, key: &RowKey, salt: &str) -> Result<Key, EngineError> {
        let of = match key {
            RowKey::Row => (0..self.reads).collect(),
            RowKey::Of(scalars) => {
                scalars.iter().map(|scalar| self.column(scan, scalar)).collect::<Result<Vec<_>, _>>()?
            }
        };
        Ok(Key { salt: salt.into(), of })
    }

    /// Rows over the cap are not kept.
    pub fn cap(&mut self, scan: &Scan, cap: &Cap, kept: &Arc<Kept>) -> Result<(), EngineError> {
        self.within = Some(Within::new(self, scan, cap, kept)?);
        Ok(())
    }

    /// Position of the rows a demand counts.
    pub fn choice(&mut self, scan: &Scan, rows: &Rows) -> Result<usize, EngineError> {
        let (text, choice) = match rows {
            Rows::All => (text("rows", &"all"), Choice::All),
            Rows::Kept => (text("rows", &"kept"), Choice::Kept),
            Rows::Within { axis, codes } => {
                let axis = self.axis(scan, axis)?;
                (text("rows", &(axis, codes)), Choice::Within { axis, codes: codes.clone() })
            }
        };
        Ok(intern(&mut self.seen, &mut self.choices, text, choice))
    }

    /// Evaluates a batch of the columns read.
    pub fn evaluate(&self, read: Vec<Vector>, rows: usize) -> Values {
        let mut columns = read;
        for node in &self.nodes {
            let column = node.evaluate_batch(&columns, rows).into_owned();
            columns.push(column);
        }
        let hashes: Vec<Vec<u64>> = self.keys.iter().map(|key| key.hashes(&columns, rows)).collect();
        let axes: Vec<Vec<u32>> = self.axes.iter().map(|axis| axis.codes(&columns, &hashes, rows)).collect();
        let kept = self.keep.map(|keep| &columns[keep]);
        let is_kept = |row: u32| match kept {
            None => true,
            Some(Vector::Truth(truths)) => truths[row as usize] == 1,
            Some(_) => false,
        };
        let within = self.within.as_ref().map(|within| {
            let mut stays: Vec<bool> = (0..rows as u32).map(is_kept).collect();
            within.narrow(&columns, &mut stays);
            stays
        });
        let is_kept = |row: u32| within.as_ref().map_or_else(|| is_kept(row), |stays| stays[row as usize]);
        let choose = |choice: &Choice| match choice {
            Choice::All => (0..rows as u32).collect(),
            Choice::Kept => (0..rows as u32).filter(|&row| is_kept(row)).collect(),
            Choice::Within { axis, codes } => {
                (0..rows as u32).filter(|&row| is_kept(row) && codes.contains(&axes[*axis][row as usize])).collect()
            }
        };
        let choices = self.choices.iter().map(choose).collect();
        Values { rows, columns, hashes, axes, choices }
    }
}

fn text(kind: &str, of: &dyn Debug) -> String {
    format!("{kind} {of:?}")
}

fn intern<T>(seen: &mut HashMap<String, usize>, list: &mut Vec<T>, text: String, of: T) -> usize {
    let at = *seen.entry(text).or_insert(list.len());
    if at == list.len() {
        list.push(of);
    }
    at
}

impl Values {
    pub fn axis(&self, at: usize) -> &[u32] {
        &self.axes[at]
    }

    pub fn hashes(&self, at: usize) -> &[u64] {
        &self.hashes[at]
    }

    pub fn choice(&self, at: usize) -> &[u32] {
        &self.choices[at]
    }

    /// The values of some columns in a row.
    pub fn row(&self, of: &[usize], row: u32) -> Vec<Value> {
        of.iter().map(|&at| self.columns[at].get(row as usize)).collect()
    }
}

impl Key {
    fn hashes(&self, columns: &[Vector], rows: usize) -> Vec<u64> {
        self.hashes_at(columns, rows, |i| i)
    }

    /// Hashes of some rows.
    pub fn hashes_of(&self, columns: &[Vector], chosen: &[u32]) -> Vec<u64> {
        self.hashes_at(columns, chosen.len(), |i| chosen[i] as usize)
    }

    fn hashes_at(&self, columns: &[Vector], rows: usize, row: impl Fn(usize) -> usize) -> Vec<u64> {
        if let [of] = self.of[..]
            && let Vector::Text { codes, levels } = &columns[of]
            && levels.len() < rows / 2
        {
            // Each text once.
            let text = |text: &mut String, at: usize| text.push_str(levels.get(at).map_or("\\N", |level| level));
            let of_texts = hashes(&self.salt, levels.len() + 1, text);
            let at = |code: u32| if code == NO_TEXT { levels.len() } else { code as usize };
            return (0..rows).map(|i| of_texts[at(codes[row(i)])]).collect();
        }
        let write = |text: &mut String, at: usize| {
            for (i, &of) in self.of.iter().enumerate() {
                if i > 0 {
                    text.push('\u{1f}');
                }
                write_key(text, &columns[of], row(at));
            }
        };
        hashes(&self.salt, rows, write)
    }
}

/// Appends one value of a key, as `reference::key_bytes` does.
fn write_key(text: &mut String, column: &Vector, row: usize) {
    match column {
        Vector::Number(numbers) if !numbers[row].is_nan() => write_number(text, numbers[row]),
        Vector::Truth(truths) if truths[row] != TRUTH_UNKNOWN => {
            text.push_str(if truths[row] == 1 { "true" } else { "false" })
        }
        Vector::Text { codes, levels } if codes[row] != NO_TEXT => text.push_str(&levels[codes[row] as usize]),
        Vector::Number(_) | Vector::Truth(_) | Vector::Text { .. } | Vector::Null(_) => text.push_str("\\N"),
    }
}

impl AxisOf {
    fn codes(&self, columns: &[Vector], hashes: &[Vec<u64>], rows: usize) -> Vec<u32> {
        match self {
            AxisOf::Levels { of, levels } => level_codes(&columns[*of], levels, rows),
            AxisOf::Truth { of } => match &columns[*of] {
                Vector::Truth(truths) => truths.iter().map(|&truth| u32::from(truth)).collect(),
                Vector::Number(_) | Vector::Text { .. } | Vector::Null(_) => vec![u32::from(TRUTH_UNKNOWN); rows],
            },
            AxisOf::Edges { of, edges } => match &columns[*of] {
                Vector::Number(numbers) => {
                    let unknown = edges.len() as u32 + 1;
                    let code =
                        |x: f64| if x.is_nan() { unknown } else { edges.partition_point(|edge| *edge <= x) as u32 };
                    numbers.iter().map(|&x| code(x)).collect()
                }
                Vector::Truth(_) | Vector::Text { .. } | Vector::Null(_) => vec![edges.len() as u32 + 1; rows],
            },
            AxisOf::Zero => vec![0; rows],
            AxisOf::Hash { key, thresholds } => hashes[*key]
                .iter()
                .map(|hash| thresholds.partition_point(|threshold| threshold <= hash) as u32)
                .collect(),
        }
    }
}

fn level_codes(column: &Vector, levels: &[Arc<str>], rows: usize) -> Vec<u32> {
    let (unknown, outside) = (levels.len() as u32, levels.len() as u32 + 1);
    match column {
        Vector::Text { codes, levels: found } => {
            let wanted: HashMap<&str, u32> =
                levels.iter().enumerate().rev().map(|(i, level)| (&**level, i as u32)).collect();
            let table: Vec<u32> = found.iter().map(|level| wanted.get(&**level).copied().unwrap_or(outside)).collect();
            codes.iter().map(|&code| if code == NO_TEXT { unknown } else { table[code as usize] }).collect()
        }
        Vector::Number(_) | Vector::Truth(_) | Vector::Null(_) => vec![unknown; rows],
    }
}
