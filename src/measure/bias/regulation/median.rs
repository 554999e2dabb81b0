//! The exact median of all scores, and how many of a cohort are above it.
//!
//! A histogram is exact up to 4,096 distinct scores per group; beyond that it has bins. Then one pass more counts, by cohort, the scores below and
//! above the bins that hold the middle, and the scores within them one by one, in narrower bins again where there are too many. Rows with equal scores
//! at the median are not above it.

use std::collections::BTreeMap;

use super::{levels, ranks};
use crate::demand::{Axis, Demand, Shape};
use crate::evidence::{Missing, Released};
use crate::measure::Subject;
use crate::measure::tables::Group;
use crate::plan::Plan;
use crate::scalar::{Expr, Order, Scalar};
use crate::statistic::{Bins, Histogram, Ordered, Spread, Tally};

const INSIDE: &str = "measure/median";
const SIDES: &str = "measure/median-sides";
/// Bins within the bins of the middle.
const BINS: u32 = 4000;

/// An interval of scores, its upper end outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    lower: f64,
    upper: f64,
}

/// What the next pass must count for the median to be exact; none when it is, or when there is none. `last` is the window of the pass before.
pub fn next(
    plan: &Plan,
    subject: &Subject,
    released: &Released,
    last: Option<Window>,
) -> Result<Option<(Window, Vec<Demand>)>, Missing> {
    let Some(score) =
        subject.score.as_ref().filter(|_| ranks(plan, (subject.score.is_some(), subject.decision.is_some())))
    else {
        return Ok(None);
    };
    let (histogram, below) = match last {
        None => (whole(released)?, 0),
        Some(_) => (released.histogram(INSIDE)?, sides(released.tally(SIDES)?, &|_| true).0),
    };
    let total = match last {
        None => rows(histogram),
        Some(_) => sides(released.tally(SIDES)?, &|_| true).iter_sum(),
    };
    let Some(bins) = histogram.bins.filter(|_| is_binned(histogram) && total > 0) else { return Ok(None) };
    let Some(window) = narrowed(histogram, &bins, [middle(total).0 - below, middle(total).1 - below]) else {
        return Ok(None);
    };
    // A window that does not shrink holds neighbouring numbers only.
    if last.is_some_and(|last| window.upper - window.lower >= last.upper - last.lower) {
        return Ok(None);
    }
    Ok(Some((window, demands(plan, &score.of, window))))
}

/// Rows below, inside and above a window.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sides(i64, i64, i64);

impl Sides {
    fn iter_sum(self) -> i64 {
        self.0 + self.1 + self.2
    }
}

fn sides(tally: &Tally, keep: &dyn Fn(&[u32]) -> bool) -> Sides {
    let count = |side: u32| tally.total_where(|codes| codes.last() == Some(&side) && keep(codes)).n;
    Sides(count(0), count(1), count(2))
}

fn demands(plan: &Plan, score: &Scalar, window: Window) -> Vec<Demand> {
    let by: Vec<Axis> = plan.attributes.iter().map(levels).collect();
    let rows = plan.part(Plan::TEST);
    let end = |order, end| Expr::Compare(order, Box::new(score.clone()), Box::new(Scalar::number(end)));
    let inside = Expr::And(Box::new(end(Order::GreaterEqual, window.lower)), Box::new(end(Order::Less, window.upper)));
    let of = Expr::Case(vec![(inside, score.clone())], None);
    let bins = Some(Bins { lower: window.lower, upper: window.upper, count: BINS });
    let mut axes = by.clone();
    axes.push(Axis::Edges { of: score.clone(), edges: vec![window.lower, window.upper] });
    vec![
        Demand { name: INSIDE.into(), rows: rows.clone(), shape: Shape::Histogram { by, of, bins } },
        Demand { name: SIDES.into(), rows, shape: Shape::Tally { axes, weight: None } },
    ]
}

/// The histogram of all scores.
fn whole(released: &Released) -> Result<&Histogram, Missing> {
    released.histogram("measure/score")
}

fn is_binned(histogram: &Histogram) -> bool {
    histogram.groups.values().any(|counts| matches!(counts.spread(), Spread::Binned { .. }))
}

fn rows(histogram: &Histogram) -> i64 {
    let n = |spread: Spread| match spread {
        Spread::Numbers { counts } => counts.iter().map(|(_, n)| n).sum(),
        Spread::Binned { counts } => counts.iter().map(|(_, n)| n).sum(),
        Spread::Texts { .. } | Spread::TooManyTexts { .. } => 0,
    };
    histogram.groups.values().map(|counts| n(counts.spread())).sum::<i64>()
}

/// Positions of the two middle rows, from 0.
fn middle(rows: i64) -> (i64, i64) {
    ((rows - 1) / 2, rows / 2)
}

/// The bins that hold these positions, one wider to each side: edges and bins round each for themselves.
fn narrowed(histogram: &Histogram, bins: &Bins, positions: [i64; 2]) -> Option<Window> {
    let all = histogram.total_where(|_| true);
    let mut counts: BTreeMap<u32, i64> = BTreeMap::new();
    match all.spread() {
        Spread::Binned { counts: found } => counts.extend(found),
        // Some groups have bins, so all have.
        Spread::Numbers { .. } | Spread::Texts { .. } | Spread::TooManyTexts { .. } => return None,
    }
    let (least, greatest) = all.range?;
    let (mut sum, mut found) = (0, [None; 2]);
    for (code, n) in counts {
        for (slot, position) in found.iter_mut().zip(positions) {
            if slot.is_none() && position < sum + n {
                *slot = Some(code);
            }
        }
        sum += n;
    }
    let [first, last] = [found[0]?, found[1]?];
    let (lower, upper) = (bins.ends(first.saturating_sub(1)).0, bins.ends(last.saturating_add(1)).1);
    // The first and the last bin hold what is beyond the ends, and no score is beyond the range.
    let (least, greatest) = (least.number(), greatest.number().next_up());
    let lower = if first <= 1 { least } else { lower.max(least) };
    let upper = if last.saturating_add(2) >= bins.count { greatest } else { upper.min(greatest) };
    (lower < upper && (upper - lower).is_finite()).then_some(Window { lower, upper })
}

/// The median and where each score is.
pub struct Ranked<'a> {
    /// None when there is no score, or when it is not exact.
    pub median: Option<f64>,
    /// Rows with the median for a score.
    pub ties: i64,
    pub rows: i64,
    histogram: &'a Histogram,
    sides: Option<&'a Tally>,
}

impl<'a> Ranked<'a> {
    pub fn of(released: &'a Released) -> Result<Ranked<'a>, Missing> {
        let (histogram, sides_of) = match (released.histogram(INSIDE), released.tally(SIDES)) {
            (Ok(inside), Ok(sides)) => (inside, Some(sides)),
            _ => (whole(released)?, None),
        };
        let outside = sides_of.map_or(Sides::default(), |tally| sides(tally, &|_| true));
        let rows = if sides_of.is_some() { outside.iter_sum() } else { rows(histogram) };
        let exact = if is_binned(histogram) { None } else { Some(numbers(histogram, &|_| true)) };
        let at = |position: i64| exact.as_ref().and_then(|all| nth(all, position - outside.0));
        let (lower, upper) = middle(rows);
        let median = at(lower).zip(at(upper)).filter(|_| rows > 0).map(|(a, b)| a + (b - a) / 2.0);
        let ties = match (&exact, median) {
            (Some(all), Some(median)) => all.get(&Ordered::of(median)).copied().unwrap_or(0),
            _ => 0,
        };
        Ok(Ranked { median, ties, rows, histogram, sides: sides_of })
    }

    /// Rows of a cohort with a score, and how many of them are above the median.
    pub fn above(&self, group: &Group) -> Option<(i64, i64)> {
        let median = self.median?;
        let inside = numbers(self.histogram, &|codes| group.holds(codes));
        let outside = self.sides.map_or(Sides::default(), |tally| sides(tally, &|codes| group.holds(codes)));
        let more: i64 = inside.iter().filter(|(score, _)| score.number() > median).map(|(_, n)| n).sum();
        let n: i64 = inside.values().sum();
        Some((n + outside.0 + outside.2, more + outside.2))
    }
}

fn nth(all: &BTreeMap<Ordered, i64>, position: i64) -> Option<f64> {
    let mut sum = 0;
    all.iter()
        .find(|(_, n)| {
            sum += **n;
            position >= 0 && position < sum
        })
        .map(|(score, _)| score.number())
}

/// Every score of the groups with these codes; of groups without bins only.
fn numbers(histogram: &Histogram, keep: &dyn Fn(&[u32]) -> bool) -> BTreeMap<Ordered, i64> {
    let table = Tally::new(histogram.sizes.clone());
    let mut all = BTreeMap::new();
    for (&code, counts) in &histogram.groups {
        if let (true, Spread::Numbers { counts }) = (keep(&table.codes(code)), counts.spread()) {
            for (score, n) in counts {
                *all.entry(score).or_default() += n;
            }
        }
    }
    all
}
