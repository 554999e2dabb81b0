//! Values of a cohort and how often each occurs, and distances between two of them.
//!
//! With the shares F and G of values up to t: Kolmogorov-Smirnov is the greatest |F - G|, Wasserstein (of order 1) the integral of |F - G|
//! over t (Vallender 1974). The area between ROC curves (Gardner, Brooks and Baker 2019) is exact: both curves are linear between their
//! corners, so the integral is one of trapezoids and triangles.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::measure::Group;
use crate::measure::index::Index;
use crate::plan::Plan;
use crate::statistic::{Bins, Histogram, Ordered, Spread, Tally};

/// Value and rows, ascending.
pub type Points = Vec<(f64, f64)>;

/// Values of all rows of a cohort, and of those of label 0 and 1.
#[derive(Debug, Clone, Default)]
pub struct Curves {
    pub all: Points,
    pub label: [Points; 2],
}

/// A cohort, and its parts by bucket of units where rows depend on each other.
#[derive(Debug, Clone, Default)]
pub struct Body {
    pub whole: Curves,
    pub parts: Vec<Curves>,
}

/// A histogram whose axes are the attributes, labels where it has them, and buckets where rows depend on each other.
pub struct Spreads<'a> {
    histogram: &'a Histogram,
    index: Index,
    attributes: usize,
    labelled: bool,
    /// Number of buckets.
    buckets: Option<u32>,
    /// More distinct values than are kept: all are binned.
    pub bins: Option<Bins>,
    /// Binned, and a value is beyond the bins: those of the first and the last bin are not near its middle.
    pub outside: bool,
}

type Count = BTreeMap<Ordered, f64>;

impl<'a> Spreads<'a> {
    pub fn of(plan: &Plan, histogram: &'a Histogram, labelled: bool, buckets: Option<u32>) -> Spreads<'a> {
        let binned = matches!(histogram.total_where(|_| true).spread(), Spread::Binned { .. });
        Spreads {
            histogram,
            index: Index::of(plan, &histogram.sizes, histogram.groups.keys()),
            attributes: plan.attributes.len(),
            labelled,
            buckets,
            bins: histogram.bins.filter(|_| binned),
            outside: binned && is_outside(histogram),
        }
    }

    pub fn body(&self, group: &Group) -> Body {
        let table = Tally::new(self.histogram.sizes.clone());
        let mut whole: [Count; 3] = Default::default();
        let mut parts: Vec<[Count; 3]> = vec![Default::default(); self.buckets.unwrap_or(0) as usize];
        for code in self.index.groups(group) {
            let Some(counts) = self.histogram.groups.get(code) else { continue };
            let codes = table.codes(*code);
            let label = if self.labelled { codes.get(self.attributes).copied().unwrap_or(2) as usize } else { 2 };
            let bucket = codes.get(self.attributes + usize::from(self.labelled)).map(|&bucket| bucket as usize);
            let points = points(counts.spread(), self.bins.as_ref(), self.histogram.bins.as_ref());
            let add = |to: &mut [Count; 3]| {
                for &(value, n) in &points {
                    let value = Ordered::of(value);
                    *to[2].entry(value).or_default() += n;
                    if label < 2 {
                        *to[label].entry(value).or_default() += n;
                    }
                }
            };
            add(&mut whole);
            if let Some(part) = bucket.filter(|_| self.buckets.is_some()).and_then(|bucket| parts.get_mut(bucket)) {
                add(part);
            }
        }
        Body { whole: curves(whole), parts: parts.into_iter().map(curves).collect() }
    }
}

/// True when a value is beyond the bins.
pub fn is_outside(histogram: &Histogram) -> bool {
    let beyond = |bins: &Bins, (least, greatest): (Ordered, Ordered)| {
        least.number() < bins.lower || greatest.number() > bins.upper
    };
    let ranges = || histogram.groups.values().filter_map(|counts| counts.range);
    histogram.bins.as_ref().is_some_and(|bins| ranges().any(|range| beyond(bins, range)))
}

fn curves([negative, positive, all]: [Count; 3]) -> Curves {
    let list = |count: Count| count.into_iter().map(|(value, n)| (value.number(), n)).collect();
    Curves { all: list(all), label: [list(negative), list(positive)] }
}

/// Every value, or the middle of its bin.
fn points(spread: Spread, bins: Option<&Bins>, declared: Option<&Bins>) -> Points {
    let middle = |bins: &Bins, code| (bins.ends(code).0 + bins.ends(code).1) / 2.0;
    let place = |value: f64| bins.map_or(value, |bins| middle(bins, bins.code(value)));
    match spread {
        Spread::Numbers { counts } => counts.into_iter().map(|(value, n)| (place(value.number()), n as f64)).collect(),
        Spread::Binned { counts } => declared
            .map_or(Vec::new(), |bins| counts.into_iter().map(|(code, n)| (middle(bins, code), n as f64)).collect()),
        Spread::Texts { .. } | Spread::TooManyTexts { .. } => Vec::new(),
    }
}

pub fn total(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(_, n)| n).sum()
}

/// The rows of a whole that are not in a part of it.
pub fn without(whole: &[(f64, f64)], part: &[(f64, f64)]) -> Points {
    let mut left = whole.to_vec();
    for (value, n) in part {
        if let Ok(at) = left.binary_search_by(|(other, _)| other.total_cmp(value)) {
            left[at].1 -= n;
        }
    }
    left.retain(|(_, n)| *n > 0.0);
    left
}

impl Curves {
    pub fn without(&self, part: &Curves) -> Curves {
        let label = [0, 1].map(|label| without(&self.label[label], &part.label[label]));
        Curves { all: without(&self.all, &part.all), label }
    }
}

impl Body {
    /// Everyone else, where this is everyone.
    pub fn without(&self, part: &Body) -> Body {
        let parts = self.parts.iter().zip(&part.parts).map(|(whole, part)| whole.without(part)).collect();
        Body { whole: self.whole.without(&part.whole), parts }
    }
}

/// Calls with |F - G| after every value and the distance to the next value, 0 after the last.
fn walk(a: &[(f64, f64)], b: &[(f64, f64)], mut visit: impl FnMut(f64, f64)) {
    let (m, n) = (total(a), total(b));
    let (mut i, mut j, mut below_a, mut below_b) = (0, 0, 0.0, 0.0);
    let next = |i: usize, j: usize| match (a.get(i), b.get(j)) {
        (Some((x, _)), Some((y, _))) => Some(x.min(*y)),
        (Some((x, _)), None) => Some(*x),
        (None, y) => y.map(|(y, _)| *y),
    };
    while let Some(value) = next(i, j) {
        if let Some((_, rows)) = a.get(i).filter(|(x, _)| *x == value) {
            below_a += rows;
            i += 1;
        }
        if let Some((_, rows)) = b.get(j).filter(|(y, _)| *y == value) {
            below_b += rows;
            j += 1;
        }
        visit((below_a / m - below_b / n).abs(), next(i, j).map_or(0.0, |next| next - value));
    }
}

/// None where one of them has no row.
pub fn kolmogorov_smirnov(a: &[(f64, f64)], b: &[(f64, f64)]) -> Option<f64> {
    let mut greatest = 0.0f64;
    walk(a, b, |gap, _| greatest = greatest.max(gap));
    (!a.is_empty() && !b.is_empty()).then_some(greatest)
}

/// None where one of them has no row.
pub fn wasserstein(a: &[(f64, f64)], b: &[(f64, f64)]) -> Option<f64> {
    let mut sum = 0.0;
    walk(a, b, |gap, width| sum += gap * width);
    (!a.is_empty() && !b.is_empty()).then_some(sum)
}

/// The least value with at least this share of the rows at or below it.
pub fn quantile(points: &[(f64, f64)], share: f64) -> Option<f64> {
    let wanted = share * total(points);
    let mut below = 0.0;
    let reached = |&&(_, n): &&(f64, f64)| {
        below += n;
        below >= wanted - 1e-9
    };
    points.iter().find(reached).or(points.last()).map(|(value, _)| *value)
}

/// The middle value, or the mean of both middle values.
pub fn median(points: &[(f64, f64)]) -> Option<f64> {
    let half = total(points) / 2.0;
    let mut below = 0.0;
    let mut lower = None;
    for &(value, n) in points {
        if let Some(lower) = lower {
            return Some((lower + value) / 2.0);
        }
        below += n;
        match below.total_cmp(&half) {
            Ordering::Greater => return Some(value),
            Ordering::Equal => lower = Some(value),
            Ordering::Less => {}
        }
    }
    lower
}

/// Corners of the ROC curve of negatives and positives, from (0, 0) to (1, 1); rows of one score are one step.
pub fn roc(negative: &[(f64, f64)], positive: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (m, n) = (total(negative), total(positive));
    let mut corners = vec![(0.0, 0.0)];
    let (mut i, mut j) = (negative.len(), positive.len());
    let (mut above_negative, mut above_positive) = (0.0, 0.0);
    while i > 0 || j > 0 {
        let at = |points: &[(f64, f64)], i: usize| i.checked_sub(1).and_then(|i| points.get(i)).map(|(x, _)| *x);
        let value = at(negative, i).unwrap_or(f64::NEG_INFINITY).max(at(positive, j).unwrap_or(f64::NEG_INFINITY));
        if at(negative, i) == Some(value) {
            i -= 1;
            above_negative += negative[i].1;
        }
        if at(positive, j) == Some(value) {
            j -= 1;
            above_positive += positive[j].1;
        }
        corners.push((above_negative / m, above_positive / n));
    }
    corners
}

/// Height of a curve with these corners just right of u, and its slope until the next corner.
fn height(corners: &[(f64, f64)], at: &mut usize, u: f64) -> f64 {
    while *at + 2 < corners.len() && corners[*at + 1].0 <= u {
        *at += 1;
    }
    let ((x, y), (next_x, next_y)) = (corners[*at], corners[*at + 1]);
    if next_x > x { y + (next_y - y) * ((u - x) / (next_x - x)).clamp(0.0, 1.0) } else { next_y }
}

/// Height just left of the end of the segment in which the last [`height`] was.
fn height_left(corners: &[(f64, f64)], at: usize, u: f64) -> f64 {
    let ((x, y), (next_x, next_y)) = (corners[at], corners[at + 1]);
    if next_x > x { y + (next_y - y) * ((u - x) / (next_x - x)).clamp(0.0, 1.0) } else { next_y }
}

/// Area between two ROC curves. None where one of the labels is missing.
pub fn abroca(a: &[Points; 2], b: &[Points; 2]) -> Option<f64> {
    if a.iter().chain(b).any(|points| points.is_empty()) {
        return None;
    }
    let (a, b) = (roc(&a[0], &a[1]), roc(&b[0], &b[1]));
    let mut at: Vec<f64> = a.iter().chain(&b).map(|(x, _)| *x).collect();
    at.sort_by(f64::total_cmp);
    at.dedup();
    let (mut i, mut j, mut area) = (0, 0, 0.0);
    for ends in at.windows(2) {
        let (u, v) = (ends[0], ends[1]);
        let left = height(&a, &mut i, u) - height(&b, &mut j, u);
        let right = height_left(&a, i, v) - height_left(&b, j, v);
        area += (v - u) * crossing(left, right);
    }
    Some(area)
}

/// Mean of |x| where x goes evenly from one end to the other.
fn crossing(left: f64, right: f64) -> f64 {
    match left * right < 0.0 {
        true => (left * left + right * right) / (2.0 * (left.abs() + right.abs())),
        false => (left + right).abs() / 2.0,
    }
}
