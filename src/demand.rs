//! What a stage wants to know about the rows: a statistic, described before anything has run.
//!
//! A demand is data, not code: every engine renders the same description, and the plan prints it. Shapes are those of `statistic`.
//! Axes and columns are total functions of a row: every row has one code on every axis, unknown and outside included.
//!
//! Fixed point: a column declared on [lower, upper] is clamped to it, mapped to z = (v - lower) / (upper - lower) * 2 - 1 and rounded to
//! q = floor(z * 2^s + 0.5), s = 20 or 40. Every step is one IEEE operation, so every engine gets the same q. On an interval without a
//! positive finite width no value has a place: every row counts as missing.

use std::sync::Arc;

use md5::{Digest, Md5};

use crate::scalar::Scalar;
use crate::statistic::Bins;

/// Hashes are the first 15 hex digits of an MD5: 60 bits.
pub const HASH_BITS: u32 = 60;

/// One statistic over some of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Unique in a plan; evidence is found under it.
    pub name: Arc<str>,
    pub rows: Rows,
    pub shape: Shape,
}

/// Which rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// Every row of the source, also those the `where` leaves out.
    All,
    /// Rows the `where` keeps.
    Kept,
    /// Kept rows whose code on the axis is one of these.
    Within { axis: Axis, codes: Vec<u32> },
}

/// The shape of the statistic.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Tally {
        axes: Vec<Axis>,
        weight: Option<Scalar>,
    },
    /// Without `gram` there are only the weighted sums and those with the cross columns.
    Moments {
        by: Vec<Axis>,
        of: Vec<Fixed>,
        weights: Vec<Fixed>,
        cross: Vec<Fixed>,
        gram: bool,
        limbs: Limbs,
    },
    Histogram {
        by: Vec<Axis>,
        of: Scalar,
        bins: Option<Bins>,
    },
    ClassSizes {
        of: Vec<Scalar>,
        memory_bytes_max: u64,
    },
    Panel {
        of: Vec<Scalar>,
        key: RowKey,
        salt: String,
        limit: usize,
        /// Rows of equal hash and values count once.
        distinct: bool,
    },
}

/// How a row is given a code.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Position of the text among the levels; then unknown (missing); then outside (none of them).
    Levels { of: Scalar, levels: Arc<[Arc<str>]> },
    /// 0 false, 1 true, 2 unknown.
    Truth { of: Scalar },
    /// Number of edges not greater than the value; then unknown. Edges ascend.
    Edges { of: Scalar, edges: Vec<f64> },
    /// Number of thresholds not greater than the hash of the key.
    Hash { key: RowKey, salt: String, thresholds: Vec<u64> },
}

impl Axis {
    /// Number of codes.
    pub fn size(&self) -> u32 {
        match self {
            Axis::Levels { levels, .. } => levels.len() as u32 + 2,
            Axis::Truth { .. } => 3,
            Axis::Edges { edges, .. } => edges.len() as u32 + 2,
            Axis::Hash { thresholds, .. } => thresholds.len() as u32 + 1,
        }
    }

    /// An axis of equally likely buckets of the key's hash.
    pub fn buckets(key: RowKey, salt: String, count: u32) -> Axis {
        let share = |i: u32| ((u128::from(i) << HASH_BITS).div_ceil(u128::from(count))) as u64;
        Axis::Hash { key, salt, thresholds: (1..count).map(share).collect() }
    }

    /// An axis of buckets with these shares, which sum to 1; the last takes what is left.
    pub fn shares(key: RowKey, salt: String, shares: &[f64]) -> Axis {
        let mut sum = 0.0;
        let mut thresholds = Vec::new();
        for share in &shares[..shares.len().saturating_sub(1)] {
            sum += share;
            thresholds.push((sum.clamp(0.0, 1.0) * (1u64 << HASH_BITS) as f64) as u64);
        }
        Axis::Hash { key, salt, thresholds }
    }
}

/// What is hashed.
#[derive(Debug, Clone, PartialEq)]
pub enum RowKey {
    /// The values of these expressions.
    Of(Vec<Scalar>),
    /// The values of all columns read, in the order of the scan.
    Row,
}

/// First 15 hex digits of md5(salt '|' key) as a number. `key` is the texts of the values joined by U+001F, a missing value being `\N`.
pub fn hash(salt: &str, key: &[u8]) -> u64 {
    let mut md5 = Md5::new();
    md5.update(salt.as_bytes());
    md5.update(b"|");
    md5.update(key);
    let digest = md5.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first) >> (64 - HASH_BITS)
}

/// A number on a declared interval, in fixed point.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    pub of: Scalar,
    pub lower: f64,
    pub upper: f64,
}

impl Fixed {
    /// False for an interval on which no value has a place.
    pub fn has_width(&self) -> bool {
        let width = self.upper - self.lower;
        width > 0.0 && width < f64::INFINITY
    }

    /// The integer of a value at 2^-bits; see the heading.
    pub fn quantise(&self, value: f64, bits: u32) -> i64 {
        let clamped = if value < self.lower {
            self.lower
        } else if value > self.upper {
            self.upper
        } else {
            value
        };
        let z = (clamped - self.lower) / (self.upper - self.lower) * 2.0 - 1.0;
        (z * (1u64 << bits) as f64 + 0.5).floor() as i64
    }
}

/// Resolution of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limbs {
    /// 2^-20: the lattice that noise is added on.
    One,
    /// 2^-40: agrees with floating-point solvers to 1e-9.
    Two,
}

impl Limbs {
    pub fn bits(self) -> u32 {
        match self {
            Limbs::One => 20,
            Limbs::Two => 40,
        }
    }
}

impl Shape {
    /// Every expression the statistic reads.
    pub fn scalars(&self) -> Vec<&Scalar> {
        let mut all = Vec::new();
        match self {
            Shape::Tally { axes, weight } => {
                axes.iter().for_each(|axis| axis.scalars(&mut all));
                all.extend(weight);
            }
            Shape::Moments { by, of, weights, cross, .. } => {
                by.iter().for_each(|axis| axis.scalars(&mut all));
                all.extend(of.iter().chain(weights).chain(cross).map(|fixed| &fixed.of));
            }
            Shape::Histogram { by, of, .. } => {
                by.iter().for_each(|axis| axis.scalars(&mut all));
                all.push(of);
            }
            Shape::ClassSizes { of, .. } => all.extend(of),
            Shape::Panel { of, key, .. } => {
                all.extend(of);
                key.scalars(&mut all);
            }
        }
        all
    }
}

impl Demand {
    /// Every expression it reads.
    pub fn scalars(&self) -> Vec<&Scalar> {
        let mut all = self.shape.scalars();
        if let Rows::Within { axis, .. } = &self.rows {
            axis.scalars(&mut all);
        }
        all
    }

    /// True when it hashes all columns read.
    pub fn hashes_rows(&self) -> bool {
        let hashes = |axis: &Axis| matches!(axis, Axis::Hash { key: RowKey::Row, .. });
        let by = match &self.shape {
            Shape::Tally { axes: by, .. } | Shape::Moments { by, .. } | Shape::Histogram { by, .. } => {
                by.iter().any(hashes)
            }
            Shape::Panel { key, .. } => *key == RowKey::Row,
            Shape::ClassSizes { .. } => false,
        };
        by || matches!(&self.rows, Rows::Within { axis, .. } if hashes(axis))
    }
}

impl Axis {
    fn scalars<'a>(&'a self, all: &mut Vec<&'a Scalar>) {
        match self {
            Axis::Levels { of, .. } | Axis::Truth { of } | Axis::Edges { of, .. } => all.push(of),
            Axis::Hash { key, .. } => key.scalars(all),
        }
    }
}

impl RowKey {
    fn scalars<'a>(&'a self, all: &mut Vec<&'a Scalar>) {
        match self {
            RowKey::Of(scalars) => all.extend(scalars),
            RowKey::Row => {}
        }
    }
}
