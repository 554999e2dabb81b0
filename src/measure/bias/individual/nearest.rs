//! The nearest rows of every row, and how far a value is from its mean over them.
//!
//! Distances are Euclidean. Of rows equally far away the one of smaller hash is nearer, so the result depends neither on the order of the
//! rows nor on the engine. Every pair is looked at.

use std::cmp::Ordering;

/// Points in the order of their hashes.
pub struct Points {
    dimensions: usize,
    at: Vec<f64>,
    buckets: Vec<u32>,
}

/// The nearest other rows of a row, nearest first: more than are needed, so that some may be left out.
pub struct Nearest {
    lists: Vec<Vec<u32>>,
    neighbours: usize,
}

/// Rows held beyond those needed: with 200 buckets a bucket rarely holds more of them.
const SPARE: usize = 24;

impl Points {
    pub fn new(dimensions: usize) -> Points {
        Points { dimensions, at: Vec::new(), buckets: Vec::new() }
    }

    /// Adds a point of so many dimensions.
    pub fn add(&mut self, point: &[f64], bucket: u32) {
        self.at.extend(point.iter().copied().chain(std::iter::repeat(0.0)).take(self.dimensions));
        self.buckets.push(bucket);
    }

    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    pub fn bucket(&self, row: usize) -> u32 {
        self.buckets.get(row).copied().unwrap_or_default()
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub fn point(&self, row: usize) -> &[f64] {
        let start = row.saturating_mul(self.dimensions);
        self.at.get(start..start.saturating_add(self.dimensions)).unwrap_or_default()
    }

    /// Squared distances of a row to all others for which this holds, nearest first, at most so many.
    fn list(&self, row: usize, most: usize, holds: impl Fn(usize) -> bool) -> Vec<u32> {
        let own = self.point(row);
        let mut far: Vec<(f64, u32)> = (0..self.len())
            .filter(|&other| other != row && holds(other))
            .map(|other| {
                let squares = own.iter().zip(self.point(other)).map(|(a, b)| (a - b) * (a - b));
                (squares.sum::<f64>(), other as u32)
            })
            .collect();
        let nearer = |a: &(f64, u32), b: &(f64, u32)| -> Ordering { a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)) };
        if most < far.len() {
            far.select_nth_unstable_by(most, nearer);
            far.truncate(most);
        }
        far.sort_by(nearer);
        far.into_iter().map(|(_, other)| other).collect()
    }

    pub fn nearest(&self, neighbours: usize) -> Nearest {
        let lists = (0..self.len()).map(|row| self.list(row, neighbours + SPARE, |_| true)).collect();
        Nearest { lists, neighbours }
    }
}

impl Nearest {
    /// Distance of every row's value from the mean over its nearest: the row itself and one fewer others, or the others alone.
    pub fn distances(&self, values: &[f64], itself: bool) -> Vec<Option<f64>> {
        (0..self.lists.len()).map(|row| self.distance(row, values, itself, self.list(row).iter().copied())).collect()
    }

    /// The same without the rows of one bucket, among which a row's nearest are others.
    pub fn without(
        &self,
        points: &Points,
        bucket: u32,
        values: &[f64],
        itself: bool,
        row: usize,
        whole: Option<f64>,
    ) -> Option<f64> {
        let needed = if itself { self.neighbours.saturating_sub(1) } else { self.neighbours };
        let list = self.list(row);
        let gone = |other: &u32| points.bucket(*other as usize) == bucket;
        if !list.iter().take(needed).any(gone) {
            return whole;
        }
        let left: Vec<u32> = list.iter().copied().filter(|other| !gone(other)).collect();
        let left = match left.len() >= needed || list.len() + 1 >= points.len() {
            true => left,
            false => points.list(row, needed, |other| points.bucket(other) != bucket),
        };
        self.distance(row, values, itself, left.into_iter())
    }

    /// Buckets of the rows that the distance of a row depends on.
    pub fn buckets(&self, points: &Points, row: usize) -> Vec<u32> {
        let list = self.list(row).iter().take(self.neighbours);
        let mut buckets: Vec<u32> = list.map(|&other| points.bucket(other as usize)).collect();
        buckets.sort_unstable();
        buckets.dedup();
        buckets
    }

    fn list(&self, row: usize) -> &[u32] {
        self.lists.get(row).map_or(&[], Vec::as_slice)
    }

    /// None with fewer rows than are needed.
    fn distance(&self, row: usize, values: &[f64], itself: bool, list: impl Iterator<Item = u32>) -> Option<f64> {
        let own = *values.get(row)?;
        let needed = if itself { self.neighbours.saturating_sub(1) } else { self.neighbours };
        let (mut sum, mut n) = if itself { (own, 1usize) } else { (0.0, 0) };
        for other in list.take(needed) {
            sum += values.get(other as usize)?;
            n += 1;
        }
        (n > 0 && n == self.neighbours).then(|| (own - sum / n as f64).abs())
    }
}
