//! The list a score makes, highest first: who is among its top, and how visible each cohort is.
//!
//! Rows of equal score share their places: with r places left for m of them each counts r/m, and each has the mean of what their ranks bring
//! (the expectation over random order). With N rows of a score, those of a bin are equal.
//!
//! - selection at k: rows of the cohort in the top k / its rows. The cut counts as fixed: rows are then independent draws, and intervals are
//!   those of a share (Wilson; comparisons as of shares). Where cohorts are alike at the cut they are wider than they had to be.
//! - exposure: mean of v(rank) = 1 / log2(1 + rank) over the cohort over that of all rows (Singh and Joachims 2018); ranks count as fixed,
//!   Student t; jackknife over buckets where rows share units.
//! - NDKL = sum over i of v(i) KL(top i, list) / sum of v(i) (Geyik et al. 2019): each of the first 1,000 ranks, then blocks of a hundredth.
//! - infeasible ranks (Yang and Stoyanovich 2017): those up to 10,000 with fewer rows of a cohort than floor(i share).

use std::collections::BTreeMap;

use super::Context;
use super::distances::curve::is_outside;
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::ranking::{Infeasible, Ranked, RankedSet, Ranking, Top};
use crate::estimate::{BUCKETS, BUCKETS_MIN, Sample, Why, contrast};
use crate::evidence::{Missing, Released};
use crate::measure::index::Index;
use crate::measure::suppression::{Layer, Protection};
use crate::measure::tables::{Group, Groups};
use crate::measure::{emit, noise};
use crate::metric::{Against, Comparison, RANKING};
use crate::plan::Plan;
use crate::statistic::{Bins, Counts, Histogram, Ordered, Spread, Tally};

/// Ranks that are looked at one by one.
const SINGLE: i64 = 1000;
/// Most ranks that are asked whether a cohort is short.
const INFEASIBLE_MAX: i64 = 10_000;

/// True for a pipeline with the section, or with one of its metrics.
fn asked(plan: &Plan) -> bool {
    let measure = &plan.spec.measure;
    let named = |name: &String| name == crate::metric::ALL || RANKING.iter().any(|card| card.id == name);
    plan.spec.privacy.is_none() && (measure.ranking.is_some() || measure.metrics.iter().any(named))
}

pub fn measure(
    context: &Context,
    readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<Option<Ranking>, Missing> {
    let plan = context.plan;
    if !asked(plan) || context.subject.score.is_none() {
        return Ok(None);
    }
    let list = List::of(plan, context.released)?;
    let wanted = plan.spec.measure.ranking.clone().unwrap_or_default();
    let placed = !list.outside;
    let tops: Vec<Cut> = wanted.top.iter().map(|&top| list.cut(top)).collect();
    let protection = if hides(context) { context.protection.without_all() } else { context.protection.clone() };
    for card in context.metrics.iter().filter(|card| RANKING.iter().any(|ranking| ranking.id == card.id)) {
        let sample = |group: &Group| match (card.id, tops.first()) {
            ("selection-at-k", Some(cut)) => list.selected(group, cut),
            _ => list.exposure(group),
        };
        readings.extend(emit(plan, card, context.cohorts, &protection, Layer::Joint, &sample, None));
    }
    if list.outside {
        notes.push("More than 4,096 distinct scores, and some are below 0 or above 1: such scores are not told apart, so places in the list are not measured.".into());
    } else if list.binned {
        notes.push(format!(
            "More than 4,096 distinct scores: for places in the list they are in {} bins, and those of a bin count as equal.",
            list.bins.map_or(0, |bins| bins.count)
        ));
    }
    if plan.weight.is_some() {
        notes.push("Places in a list count every row once, whatever its weight.".into());
    }
    if plan.spec.measure.ranking.is_none() {
        return Ok(None);
    }
    let everyone = protection.shows(None, &[], Layer::Joint);
    let sets = context.cohorts.sets.iter().enumerate();
    Ok(Some(Ranking {
        rows: everyone.then_some(list.n),
        tops: tops.iter().map(|cut| cut.top(everyone && placed)).collect(),
        sets: sets.map(|(set, groups)| of_set(context, &protection, &list, (set, groups), &tops)).collect(),
        bins: list.bins.filter(|_| list.binned).map(|bins| bins.count),
    }))
}

/// With a publication limit all of it is withheld: two tops, or a top and the decisions, may differ in few rows.
fn hides(context: &Context) -> bool {
    context.plan.spec.measure.suppress_below > 1
}

fn of_set(
    context: &Context,
    protection: &Protection,
    list: &List,
    (set, groups): (usize, &Groups),
    tops: &[Cut],
) -> RankedSet {
    let confidence = context.plan.spec.measure.confidence;
    let shown = groups.groups.iter().all(|group| protection.shows(Some(set), &group.codes, Layer::Joint));
    let figure = |measured: &crate::estimate::Measured| if shown { Figure::of(measured) } else { Figure::Suppressed };
    let everyone = &context.cohorts.everyone;
    let compared: Vec<&Group> = groups.groups.iter().filter(|group| group.compared).collect();
    let against = |of: &dyn Fn(&Group) -> Sample| -> Vec<Figure> {
        let samples: Vec<Sample> = compared.iter().map(|group| of(group)).collect();
        let all = contrast(Comparison::Ratio, Against::Overall, &samples, &of(everyone), None, confidence);
        all.iter().map(|compared| figure(&compared.measured)).collect()
    };
    let ratios: Vec<Vec<Figure>> = tops.iter().map(|cut| against(&|group| list.selected(group, cut))).collect();
    let ranked = |(i, group): (usize, &&Group)| Ranked {
        cohort: group.cohort.levels(),
        selected: tops.iter().map(|cut| figure(&list.selected(group, cut).measure(confidence))).collect(),
        ratio: ratios.iter().filter_map(|of| of.get(i).cloned()).collect(),
        exposure: figure(&list.exposure(group).measure(confidence)),
    };
    let cohorts: Vec<Vec<f64>> = compared.iter().map(|group| list.counts(group)).collect();
    let made_up = MadeUp::of(&cohorts).filter(|_| shown && !list.outside);
    RankedSet {
        across: groups.names.clone(),
        cohorts: compared.iter().enumerate().map(ranked).collect(),
        ndkl: made_up.as_ref().map(MadeUp::ndkl),
        infeasible: made_up.as_ref().map(MadeUp::infeasible),
    }
}

/// The places above a cut.
struct Cut {
    k: i64,
    /// Position of the value at the cut.
    at: usize,
    /// Places left for the rows of that value, and those rows.
    left: i64,
    equal: i64,
}

impl Cut {
    fn top(&self, shown: bool) -> Top {
        Top { k: self.k, at_cut: shown.then_some([self.equal, self.left]) }
    }
}

/// The list, by value, the highest first.
struct List<'a> {
    histogram: &'a Histogram,
    index: Index,
    attributes: usize,
    /// Position of the bucket among the axes, where there are buckets.
    bucket: Option<usize>,
    bins: Option<Bins>,
    binned: bool,
    /// Binned, and a score is below 0 or above 1: those beyond have no places of their own.
    outside: bool,
    /// Place of every value.
    places: BTreeMap<Ordered, usize>,
    /// Rows of every value.
    rows: Vec<i64>,
    /// Mean of 1 / log2(1 + rank) over the ranks of every value.
    exposure: Vec<f64>,
    n: i64,
}

impl<'a> List<'a> {
    /// From the scores by cohort and label.
    fn of(plan: &Plan, released: &'a Released) -> Result<List<'a>, Missing> {
        let histogram = released.histogram("measure/score")?;
        let binned = histogram.groups.values().any(|counts| matches!(counts.spread(), Spread::Binned { .. }));
        let attributes = plan.attributes.len();
        let bucket = noise::buckets(plan).then_some(attributes + 1);
        let mut list = List {
            histogram,
            index: Index::of(plan, &histogram.sizes, histogram.groups.keys()),
            attributes,
            bucket,
            bins: histogram.bins,
            binned,
            outside: binned && is_outside(histogram),
            places: BTreeMap::new(),
            rows: Vec::new(),
            exposure: Vec::new(),
            n: 0,
        };
        let mut counts: BTreeMap<Ordered, i64> = BTreeMap::new();
        for group in histogram.groups.values() {
            list.values(group, &mut |value, n| *counts.entry(value).or_default() += n);
        }
        for (place, (value, rows)) in counts.into_iter().rev().enumerate() {
            list.places.insert(value, place);
            list.exposure.push(exposure(list.n, list.n + rows) / rows.max(1) as f64);
            list.rows.push(rows);
            list.n += rows;
        }
        Ok(list)
    }

    /// Values of a group and how often they occur; of a bin its number where any group is binned.
    fn values(&self, counts: &Counts, add: &mut dyn FnMut(Ordered, i64)) {
        match (counts.spread(), self.bins.filter(|_| self.binned)) {
            (Spread::Numbers { counts }, None) => counts.into_iter().for_each(|(value, n)| add(value, n)),
            (Spread::Numbers { counts }, Some(bins)) => {
                counts.into_iter().for_each(|(value, n)| add(Ordered::of(f64::from(bins.code(value.number()))), n))
            }
            (Spread::Binned { counts }, _) => {
                counts.into_iter().for_each(|(code, n)| add(Ordered::of(f64::from(code)), n))
            }
            (Spread::Texts { .. } | Spread::TooManyTexts { .. }, _) => {}
        }
    }

    /// Rows of a cohort at every place.
    fn counts(&self, group: &Group) -> Vec<f64> {
        let mut rows = vec![0.0; self.rows.len()];
        for code in self.index.groups(group) {
            if let Some(counts) = self.histogram.groups.get(code) {
                self.values(counts, &mut |value, n| self.add(&mut rows, value, n));
            }
        }
        rows
    }

    fn add(&self, rows: &mut [f64], value: Ordered, n: i64) {
        if let Some(slot) = self.places.get(&value).and_then(|&place| rows.get_mut(place)) {
            *slot += n as f64;
        }
    }

    /// The same by bucket.
    fn by_bucket(&self, group: &Group) -> Vec<Vec<f64>> {
        let table = Tally::new(self.histogram.sizes.clone());
        let mut parts = vec![Vec::new(); BUCKETS as usize];
        for code in self.index.groups(group) {
            let bucket = self.bucket.and_then(|at| table.codes(*code).get(at).copied()).unwrap_or(0);
            let (Some(part), Some(counts)) = (parts.get_mut(bucket as usize), self.histogram.groups.get(code)) else {
                continue;
            };
            part.resize(self.rows.len(), 0.0);
            self.values(counts, &mut |value, n| self.add(part, value, n));
        }
        debug_assert!(self.bucket.is_none_or(|at| at >= self.attributes));
        parts
    }

    fn cut(&self, top: f64) -> Cut {
        let wanted = if top < 1.0 { (top * self.n as f64).round().max(1.0) } else { top };
        let k = (wanted.min(self.n as f64) as i64).max(0);
        let mut left = k;
        for (at, &equal) in self.rows.iter().enumerate() {
            if left <= equal {
                return Cut { k, at, left, equal };
            }
            left -= equal;
        }
        Cut { k, at: self.rows.len(), left: 0, equal: 0 }
    }

    fn selected(&self, group: &Group, cut: &Cut) -> Sample {
        if self.outside {
            return Sample::None(Why::ScoreNoProbability);
        }
        let counts = self.counts(group);
        let (taken, rows) = (in_top(&counts, cut), counts.iter().sum::<f64>());
        if rows <= 0.0 {
            return Sample::None(Why::EmptyDenominator);
        }
        let p = (taken / rows).clamp(0.0, 1.0);
        if self.bucket.is_none() {
            return Sample::Rows { p, n: rows as i64 };
        }
        let parts = self.by_bucket(group);
        let filled = parts.iter().filter(|part| !part.is_empty()).count();
        let without = |part: &Vec<f64>| {
            let left = rows - part.iter().sum::<f64>();
            (left > 0.0).then(|| ((taken - in_top(part, cut)) / left).clamp(0.0, 1.0))
        };
        if filled < BUCKETS_MIN {
            return Sample::None(Why::TooFewBuckets);
        }
        let n = rows as i64;
        match parts.iter().map(without).collect::<Option<Vec<f64>>>() {
            Some(left_out) => Sample::Buckets { point: p, left_out, filled, n, n_effective: rows, share: true },
            None => Sample::None(Why::TooFewBuckets),
        }
    }

    fn exposure(&self, group: &Group) -> Sample {
        if self.outside {
            return Sample::None(Why::ScoreNoProbability);
        }
        let all: f64 = self.rows.iter().zip(&self.exposure).map(|(&n, v)| n as f64 * v).sum();
        let unit = all / self.n.max(1) as f64;
        let sums = |counts: &[f64]| {
            counts.iter().zip(&self.exposure).fold([0.0; 3], |[n, sum, squares], (count, v)| {
                let v = v / unit;
                [n + count, sum + count * v, squares + count * v * v]
            })
        };
        let [n, sum, squares] = sums(&self.counts(group));
        if n <= 0.0 {
            return Sample::None(Why::EmptyDenominator);
        }
        let mean = sum / n;
        if self.bucket.is_none() {
            let variance = (squares - n * mean * mean).max(0.0) / (n - 1.0).max(1.0);
            return Sample::mean(mean, (variance / n).sqrt(), n as i64);
        }
        let parts = self.by_bucket(group);
        let filled = parts.iter().filter(|part| !part.is_empty()).count();
        let without = |part: &Vec<f64>| {
            let [less, part, _] = sums(part);
            (n > less).then(|| (sum - part) / (n - less))
        };
        Sample::buckets(Some(mean), parts.iter().map(without).collect(), filled, n as i64)
    }
}

fn in_top(counts: &[f64], cut: &Cut) -> f64 {
    let above: f64 = counts.iter().take(cut.at).sum();
    let share = if cut.equal > 0 { cut.left as f64 / cut.equal as f64 } else { 0.0 };
    above + counts.get(cut.at).map_or(0.0, |n| n * share)
}

fn visible(rank: f64) -> f64 {
    1.0 / (1.0 + rank).log2()
}

/// Sum of 1 / log2(1 + rank) over the ranks after `from` up to `to`. From rank 4,096 on by Simpson's rule over blocks of an eighth: the
/// error is below 1e-7 of the sum.
fn exposure(from: i64, to: i64) -> f64 {
    let single = to.min(from.max(4096));
    let mut sum: f64 = (from..single).map(|before| visible((before + 1) as f64)).sum();
    let mut at = single;
    while at < to {
        let next = to.min(at + (at / 8).max(1));
        let (a, b) = (at as f64 + 0.5, next as f64 + 0.5);
        sum += (b - a) / 6.0 * (visible(a) + 4.0 * visible((a + b) / 2.0) + visible(b));
        at = next;
    }
    sum
}

/// What the tops of the list are made up of: rows of every cohort up to every place.
struct MadeUp {
    /// `cohorts[c][place]`.
    cohorts: Vec<Vec<f64>>,
    shares: Vec<f64>,
    n: i64,
}

impl MadeUp {
    fn of(cohorts: &[Vec<f64>]) -> Option<MadeUp> {
        let sizes: Vec<f64> = cohorts.iter().map(|counts| counts.iter().sum()).collect();
        let n: f64 = sizes.iter().sum();
        let filled: Vec<usize> = (0..sizes.len()).filter(|&i| sizes[i] > 0.0).collect();
        let shares = filled.iter().map(|&i| sizes[i] / n).collect();
        let cohorts: Vec<Vec<f64>> = filled.iter().map(|&i| cohorts[i].clone()).collect();
        (filled.len() > 1).then_some(MadeUp { cohorts, shares, n: n as i64 })
    }

    /// Shows the expected rows of every cohort among the first i, for ascending i.
    fn each(&self, ranks: impl Iterator<Item = i64>, mut show: impl FnMut(i64, &[f64])) {
        let at = |place: usize| self.cohorts.iter().map(|counts| counts[place]).sum::<f64>();
        let (mut place, mut before, places) = (0, 0.0, self.cohorts.first().map_or(0, Vec::len));
        let mut above = vec![0.0; self.cohorts.len()];
        for i in ranks {
            while place + 1 < places && before + at(place) < i as f64 {
                before += at(place);
                above.iter_mut().zip(&self.cohorts).for_each(|(sum, counts)| *sum += counts[place]);
                place += 1;
            }
            let share = if at(place) > 0.0 { ((i as f64 - before) / at(place)).min(1.0) } else { 0.0 };
            let top: Vec<f64> =
                above.iter().zip(&self.cohorts).map(|(sum, counts)| sum + counts[place] * share).collect();
            show(i, &top);
        }
    }

    fn ndkl(&self) -> f64 {
        // Last rank of every block.
        let blocks = std::iter::successors(Some(1i64), |&i| {
            (i < self.n).then(|| if i < SINGLE { i + 1 } else { self.n.min(i + i / 100) })
        });
        let (mut sum, mut all, mut last) = (0.0, 0.0, 0);
        self.each(blocks, |i, top| {
            let divergence: f64 = top
                .iter()
                .zip(&self.shares)
                .filter(|(rows, _)| **rows > 0.0)
                .map(|(rows, share)| rows / i as f64 * (rows / i as f64 / share).ln())
                .sum();
            let weight = exposure(last, i);
            sum += weight * divergence.max(0.0);
            all += weight;
            last = i;
        });
        if all > 0.0 { sum / all } else { 0.0 }
    }

    fn infeasible(&self) -> Infeasible {
        let of = self.n.min(INFEASIBLE_MAX);
        let mut ranks = 0;
        self.each(1..=of, |i, top| {
            let short = |(rows, share): (&f64, &f64)| *rows < (share * i as f64 + 1e-9).floor() - 1e-9;
            ranks += i64::from(top.iter().zip(&self.shares).any(short));
        });
        Infeasible { ranks, of }
    }
}

#[cfg(test)]
mod tests;
