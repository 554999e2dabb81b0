//! Quality of scores between 0 and 1: discrimination, calibration, losses.
//!
//! Histograms are exact up to 4,096 distinct scores per cohort and label; beyond that scores are binned, values within a bin count as ties, and
//! the printed bound contains the exact value. Scores that are compared are either all exact or all binned.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::index::Index;
use super::{Group, Score};
use crate::demand::{Axis, Fixed, Shape, hash};
use crate::estimate::{BUCKETS, Method, Noise, Sample, Why, bootstrap, normal};
use crate::evidence::{Missing, Released};
use crate::plan::Plan;
use crate::plan::spec::Privacy;
use crate::scalar::{Arithmetic, Expr, Scalar};
use crate::statistic::{Bins, Counts, Histogram, MomentSums, Moments, Spread, Tally};

/// Bins of scores where there are too many distinct ones: a multiple of the bins of the calibration error, so that none lies in two of those.
pub(super) const BINS: Bins = Bins { lower: 0.0, upper: 1.0, count: 4000 };
/// Bins of the calibration error.
const CALIBRATION_BINS: usize = 10;
/// Greatest log loss of a row: that of a predictor at the end of the link's table.
const LOG_LOSS_MAX: f64 = 64.0;

/// Scores by cohort and label.
pub fn histogram(plan: &Plan, by: Vec<Axis>, score: &Score) -> Shape {
    let noisy = |privacy: &Privacy| Bins { count: privacy.score_bins.max(1), ..BINS };
    Shape::Histogram { by, of: score.of.clone(), bins: Some(plan.spec.privacy.as_ref().map_or(BINS, noisy)) }
}

/// Losses by cohort. Column 1 is the squared error, column 2 the log loss.
pub fn losses(plan: &Plan, by: Vec<Axis>, score: &Score, label: &Scalar) -> Shape {
    let y = Expr::Case(
        vec![(label.clone(), Scalar::number(1.0)), (Expr::Not(Box::new(label.clone())), Scalar::number(0.0))],
        None,
    );
    let e = Expr::Arithmetic(Arithmetic::Subtract, Box::new(score.of.clone()), Box::new(y));
    let square = Expr::Arithmetic(Arithmetic::Multiply, Box::new(e.clone()), Box::new(e));
    let mut of = vec![Fixed { of: square, lower: -1.0, upper: 1.0 }];
    if let Some(log_loss) = &score.log_loss {
        of.push(Fixed { of: log_loss.clone(), lower: -LOG_LOSS_MAX, upper: LOG_LOSS_MAX });
    }
    let limbs = super::noise::limbs(plan);
    Shape::Moments { by, of, weights: Vec::new(), cross: Vec::new(), gram: true, limbs }
}

/// Released evidence about scores.
pub struct Scores<'a> {
    histogram: &'a Histogram,
    losses: &'a Moments,
    index: Index,
    losses_index: Index,
    attributes: usize,
    /// Every score is between 0 and 1.
    probabilities: bool,
    /// Of the histogram, and of the losses in units of products of the columns.
    noise: Option<(Noise, Noise)>,
}

/// Scores of the rows of one label: value and count, ascending.
type Points = Vec<(f64, f64)>;

impl<'a> Scores<'a> {
    pub fn of(plan: &Plan, released: &'a Released) -> Result<Scores<'a>, Missing> {
        let (histogram, losses) = (released.histogram("measure/score")?, released.moments("measure/loss")?);
        let within = |counts: &Counts| {
            counts.range.is_none_or(|(least, greatest)| least.number() >= 0.0 && greatest.number() <= 1.0)
        };
        Ok(Scores {
            histogram,
            losses,
            index: Index::of(plan, &histogram.sizes, histogram.groups.keys()),
            losses_index: Index::of(plan, &losses.sizes, losses.groups.keys()),
            attributes: plan.attributes.len(),
            probabilities: histogram.groups.values().all(within),
            noise: super::noise::of(plan, released, "measure/score").zip(super::noise::of_moments(
                plan,
                released,
                "measure/loss",
                losses.scale_bits,
            )),
        })
    }

    /// What a reader must know about a metric of these scores, over the cohorts that are shown.
    pub fn notes<'g>(&self, id: &str, shown: impl Iterator<Item = &'g Group>) -> Vec<String> {
        if self.noise.is_some() {
            return self.noisy_notes(id, shown);
        }
        match id {
            "roc-auc" => {
                let binned = shown.map(|group| self.points(group)).filter(|(_, binned)| *binned);
                let bound = binned.map(|([negative, positive], _)| tie_bound(&negative, &positive)).reduce(f64::max);
                let text = |bound| {
                    format!(
                        "More than 4,096 distinct scores: binned in {} bins. No printed area under the ROC curve is further than {bound:.2e} from the exact one.",
                        BINS.count
                    )
                };
                bound.map(text).into_iter().collect()
            }
            "calibration-error" => {
                let binned = shown.map(|group| self.points(group)).any(|(_, binned)| binned);
                let text = || {
                    format!(
                        "More than 4,096 distinct scores: a printed calibration error is within {:.1e} of the exact one.",
                        0.5 / f64::from(BINS.count)
                    )
                };
                binned.then(text).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The metric of a cohort.
    pub fn sample(&self, id: &str, group: &Group, plan: &Plan) -> Sample {
        if let Some((counts, losses)) = &self.noise {
            return self.noisy(id, group, plan.spec.measure.confidence, counts, losses);
        }
        match id {
            "roc-auc" => self.ranked(group, plan, |negative, positive| auc(negative, positive).map(|(auc, _)| auc)),
            _ if !self.probabilities => Sample::None(Why::ScoreNoProbability),
            "brier-score" => self.loss(group, 1, 1.0, plan),
            "log-loss" => self.loss(group, 2, LOG_LOSS_MAX, plan),
            _ => self.calibration(group, plan),
        }
    }

    /// Mean score of the rows of one label.
    pub fn mean(&self, group: &Group, label: usize, plan: &Plan) -> Sample {
        let (points, binned) = self.points(group);
        let Some(all) = points.get(label) else { return Sample::None(Why::EmptyDenominator) };
        if binned && !self.probabilities {
            return Sample::None(Why::ScoreNoProbability);
        }
        let n = total(all);
        let sum = |points: &[(f64, f64)], of: &dyn Fn(f64) -> f64| -> f64 {
            points.iter().map(|(score, n)| n * of(*score)).sum()
        };
        let of = |points: &[(f64, f64)]| {
            let n = total(points);
            (n > 0.0).then(|| sum(points, &|score| score) / n)
        };
        let Some(mean) = of(all) else { return Sample::None(Why::EmptyDenominator) };
        if plan.dependent {
            let parts = self.buckets(group, binned);
            let filled = parts.iter().filter(|part| !part[label].is_empty()).count();
            let left_out = parts.iter().map(|part| of(&without(all, &part[label]))).collect();
            return Sample::buckets(Some(mean), left_out, filled, n as i64);
        }
        let variance = sum(all, &|score| (score - mean) * (score - mean)) / (n - 1.0).max(1.0);
        Sample::mean(mean, (variance / n).sqrt(), n as i64)
    }

    /// True when scores of a cohort are binned, so that a mean of them is known up to half the width of a bin.
    pub fn rounding(&self, group: &Group) -> Option<f64> {
        self.points(group).1.then(|| 0.5 / f64::from(BINS.count))
    }

    /// Rows of a cohort with a label and a score.
    pub fn rows(&self, group: &Group) -> i64 {
        let ([negative, positive], _) = self.points(group);
        (total(&negative) + total(&positive)) as i64
    }

    fn counts(&self, group: &Group, label: u32) -> Counts {
        let table = Tally::new(self.histogram.sizes.clone());
        let mut total = Counts::default();
        for code in self.index.groups(group) {
            if table.codes(*code)[self.attributes] == label
                && let Some(counts) = self.histogram.groups.get(code)
            {
                total.merge(counts, self.histogram.bins.as_ref());
            }
        }
        total
    }

    /// Scores of a cohort by label, negative first; all exact or all binned.
    fn points(&self, group: &Group) -> ([Points; 2], bool) {
        let spreads = [0, 1].map(|label| self.counts(group, label).spread());
        let binned = spreads.iter().any(|spread| matches!(spread, Spread::Binned { .. }));
        (spreads.map(|spread| points(spread, binned)), binned)
    }

    /// Scores of a cohort per bucket of units, binned as those of the whole cohort are.
    fn buckets(&self, group: &Group, binned: bool) -> Vec<[Points; 2]> {
        let table = Tally::new(self.histogram.sizes.clone());
        let mut parts = vec![[Vec::new(), Vec::new()]; BUCKETS as usize];
        for code in self.index.groups(group) {
            let codes = table.codes(*code);
            let (label, bucket) = (codes[self.attributes] as usize, codes[self.attributes + 1] as usize);
            if let (Some(counts), 0..2) = (self.histogram.groups.get(code), label) {
                parts[bucket][label].extend(points(counts.spread(), binned));
            }
        }
        parts
    }

    fn ranked(&self, group: &Group, plan: &Plan, of: impl Fn(&[(f64, f64)], &[(f64, f64)]) -> Option<f64>) -> Sample {
        let ([negative, positive], binned) = self.points(group);
        let n = (total(&negative) + total(&positive)) as i64;
        if negative.is_empty() || positive.is_empty() {
            return Sample::None(if n == 0 { Why::EmptyDenominator } else { Why::OneClass });
        }
        if plan.dependent {
            return self.jackknife(group, n, [&negative, &positive], binned, of);
        }
        match auc(&negative, &positive) {
            None => Sample::None(Why::OneClass),
            Some((point, se)) => {
                let method = Method::DeLong;
                Sample::Error { point, se, n, df: None, lower: 0.0, upper: 1.0, method, replicates: None, mean: false }
            }
        }
    }

    fn jackknife(
        &self,
        group: &Group,
        n: i64,
        all: [&[(f64, f64)]; 2],
        binned: bool,
        of: impl Fn(&[(f64, f64)], &[(f64, f64)]) -> Option<f64>,
    ) -> Sample {
        let parts = self.buckets(group, binned);
        let filled = parts.iter().filter(|part| !part[0].is_empty() || !part[1].is_empty()).count();
        let left_out = parts.iter().map(|part| of(&without(all[0], &part[0]), &without(all[1], &part[1]))).collect();
        Sample::buckets(of(all[0], all[1]), left_out, filled, n)
    }

    fn calibration(&self, group: &Group, plan: &Plan) -> Sample {
        let ([negative, positive], binned) = self.points(group);
        let n = (total(&negative) + total(&positive)) as i64;
        let point = calibration(&negative, &positive);
        if plan.dependent {
            return self.jackknife(group, n, [&negative, &positive], binned, calibration);
        }
        let (cells, means) = calibration_cells(&negative, &positive);
        let seed = hash(&plan.salt("bootstrap"), format!("calibration-error|{}", group.cohort).as_bytes());
        let mut random = StdRng::seed_from_u64(seed);
        let of = |cells: [f64; 2 * CALIBRATION_BINS]| calibration_of(&cells, &means);
        let replicates = bootstrap(cells.map(|n| n as i64), &mut random, plan.spec.measure.replicates, of);
        Sample::bootstrapped(point, replicates, n, 0.0, 1.0)
    }

    fn loss(&self, group: &Group, column: usize, scale: f64, plan: &Plan) -> Sample {
        let unit = (2.0f64).powi(-2 * self.losses.scale_bits as i32);
        let table = Tally::new(self.losses.sizes.clone());
        let mut parts: BTreeMap<u32, MomentSums> = BTreeMap::new();
        let mut sum: Option<MomentSums> = None;
        for code in self.losses_index.groups(group) {
            let Some(sums) = self.losses.groups.get(code) else { continue };
            if plan.dependent {
                let bucket = table.codes(*code)[self.attributes];
                parts.entry(bucket).and_modify(|part| part.merge(sums)).or_insert_with(|| sums.clone());
            }
            match &mut sum {
                Some(sum) => sum.merge(sums),
                None => sum = Some(sums.clone()),
            }
        }
        let Some(sums) = sum.filter(|sums| sums.n > 0) else { return Sample::None(Why::EmptyDenominator) };
        let width = if sums.gram.len() == 6 { 3 } else { 2 };
        let at = |sums: &MomentSums, i: usize, j: usize| sums.gram[i * width - i * (i + 1) / 2 + j] as f64 * unit;
        let n = sums.n as f64;
        let mean = at(&sums, 0, column) / n * scale;
        if plan.dependent {
            let left_out = |part: &MomentSums| {
                let rest = n - part.n as f64;
                (rest > 0.0).then(|| (at(&sums, 0, column) - at(part, 0, column)) / rest * scale)
            };
            let mut values: Vec<Option<f64>> = parts.values().map(left_out).collect();
            let filled = values.len();
            values.resize(BUCKETS as usize, Some(mean));
            return Sample::buckets(Some(mean), values, filled, sums.n);
        }
        let variance = (at(&sums, column, column) * scale * scale - n * mean * mean).max(0.0) / (n - 1.0).max(1.0);
        Sample::mean(mean, (variance / n).sqrt(), sums.n)
    }
}

/// Value and count, ascending; the middle of its bin for each value when binned.
fn points(spread: Spread, binned: bool) -> Points {
    let middle = |code| (BINS.ends(code).0 + BINS.ends(code).1) / 2.0;
    match spread {
        Spread::Numbers { counts } if binned => {
            let mut bins: BTreeMap<u32, i64> = BTreeMap::new();
            for (value, n) in counts {
                *bins.entry(BINS.code(value.number())).or_default() += n;
            }
            bins.into_iter().map(|(code, n)| (middle(code), n as f64)).collect()
        }
        Spread::Numbers { counts } => counts.into_iter().map(|(value, n)| (value.number(), n as f64)).collect(),
        Spread::Binned { counts } => counts.into_iter().map(|(code, n)| (middle(code), n as f64)).collect(),
        Spread::Texts { .. } | Spread::TooManyTexts { .. } => Vec::new(),
    }
}

fn total(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(_, n)| n).sum()
}

/// The points without those of a part.
fn without(all: &[(f64, f64)], part: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut left = all.to_vec();
    for (value, n) in part {
        if let Ok(at) = left.binary_search_by(|(other, _)| other.total_cmp(value)) {
            left[at].1 -= n;
        }
    }
    left.retain(|(_, n)| *n > 0.0);
    left
}

/// Area under the ROC curve with ties counted half, and its standard error by DeLong's placements, near 0 and 1 at least that of a score
/// interval.
pub fn auc(negative: &[(f64, f64)], positive: &[(f64, f64)]) -> Option<(f64, f64)> {
    let (m, n) = (total(positive), total(negative));
    if m == 0.0 || n == 0.0 {
        return None;
    }
    let moments = |of: &[(f64, f64)], among: &[(f64, f64)], size: f64| {
        let of = of.iter().zip(placements(of, among, size));
        of.fold((0.0, 0.0), |(sum, squares), ((_, count), placement)| {
            (sum + count * placement, squares + count * placement * placement)
        })
    };
    let variance = |(sum, squares): (f64, f64), count: f64| {
        if count < 2.0 { 0.25 } else { (squares - sum * sum / count).max(0.0) / (count - 1.0) / count }
    };
    let (of_positive, of_negative) = (moments(positive, negative, n), moments(negative, positive, m));
    let (area, se) = (of_positive.0 / m, (variance(of_positive, m) + variance(of_negative, n)).sqrt());
    Some((area, if (area - 0.5).abs() > NEAR_END { se.max(se_near_end(area, m, n)) } else { se }))
}

/// Distance of an area from one half beyond which placements hardly vary and their variance is too small: 0 where labels are separated.
const NEAR_END: f64 = 0.4;

/// A standard error for areas near 0 and 1: the greater distance of the area from the score limits at 95 %, over the normal quantile. The
/// limits t solve |t - A| = z sqrt(V(t)) with the variance of Hanley and McNeil 1982 in its symmetric form (Newcombe 2006, Statistics in
/// Medicine 25, method 5): V(t) = t (1 - t) (1 + N ((1 - t) / (2 - t) + t / (1 + t))) / (m n), N = (m + n) / 2 - 1.
fn se_near_end(area: f64, m: f64, n: f64) -> f64 {
    let z = normal(0.95);
    let more = (m + n) / 2.0 - 1.0;
    let variance = |t: f64| t * (1.0 - t) * (1.0 + more * ((1.0 - t) / (2.0 - t) + t / (1.0 + t))) / (m * n);
    let beyond = |t: f64| (t - area).abs() > z * variance(t).max(0.0).sqrt();
    let limit = |end: f64| {
        let (mut inside, mut outside) = (area, end);
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            if beyond(middle) { outside = middle } else { inside = middle }
        }
        (inside - area).abs()
    };
    limit(0.0).max(limit(1.0)) / z
}

/// Placement of every value among others: the share of those below it plus half the share equal to it.
pub fn placements(of: &[(f64, f64)], among: &[(f64, f64)], size: f64) -> Vec<f64> {
    let (mut below, mut at) = (0.0, 0);
    let place = |(value, _): &(f64, f64)| {
        while at < among.len() && among[at].0 < *value {
            below += among[at].1;
            at += 1;
        }
        let equal = if at < among.len() && among[at].0 == *value { among[at].1 } else { 0.0 };
        (below + equal / 2.0) / size
    };
    of.iter().map(place).collect()
}

/// Half the share of pairs that fall into one bin: the exact area is at most this far away.
fn tie_bound(negative: &[(f64, f64)], positive: &[(f64, f64)]) -> f64 {
    let ties: f64 = positive
        .iter()
        .map(|(value, count)| {
            negative.binary_search_by(|(other, _)| other.total_cmp(value)).map_or(0.0, |at| count * negative[at].1)
        })
        .sum();
    0.5 * ties / (total(negative) * total(positive)).max(1.0)
}

/// Rows by bin and label (negative first), and the mean score of each bin.
fn calibration_cells(
    negative: &[(f64, f64)],
    positive: &[(f64, f64)],
) -> ([f64; 2 * CALIBRATION_BINS], [f64; CALIBRATION_BINS]) {
    let (mut cells, mut sums) = ([0.0; 2 * CALIBRATION_BINS], [0.0; CALIBRATION_BINS]);
    for (label, points) in [negative, positive].into_iter().enumerate() {
        for (score, n) in points {
            let bin = ((score * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1);
            cells[2 * bin + label] += n;
            sums[bin] += score * n;
        }
    }
    for (bin, sum) in sums.iter_mut().enumerate() {
        let n = cells[2 * bin] + cells[2 * bin + 1];
        *sum = if n > 0.0 { *sum / n } else { 0.0 };
    }
    (cells, sums)
}

fn calibration_of(cells: &[f64; 2 * CALIBRATION_BINS], means: &[f64; CALIBRATION_BINS]) -> Option<f64> {
    let all: f64 = cells.iter().sum();
    let error = |(bin, mean): (usize, &f64)| {
        let n = cells[2 * bin] + cells[2 * bin + 1];
        if n > 0.0 { (mean * n - cells[2 * bin + 1]).abs() } else { 0.0 }
    };
    (all > 0.0).then(|| means.iter().enumerate().map(error).sum::<f64>() / all)
}

fn calibration(negative: &[(f64, f64)], positive: &[(f64, f64)]) -> Option<f64> {
    let (cells, means) = calibration_cells(negative, positive);
    calibration_of(&cells, &means)
}

mod signed;

#[cfg(test)]
mod tests;
