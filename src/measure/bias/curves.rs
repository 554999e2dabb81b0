//! The ROC curve and the reliability curve of everyone together, from the histogram of scores by label that the metrics of scores have.
//!
//! A point of the ROC curve has an interval for each of its rates, each at 1 - (1 - confidence) / 2, so that the rectangle of both holds its
//! true point with the confidence (Bonferroni); it is of one threshold, and of no threshold picked because of what is seen here. A bin of the
//! reliability curve is a share of rows with an interval of its own. The bins are those of the calibration error.

use super::Context;
use super::distances::curve::{Body, Curves as Rows, Spreads, quantile, total};
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::curves::{Bin, Corner, Curves};
use crate::estimate::{BUCKETS, Sample, Share};
use crate::evidence::Missing;
use crate::measure::noise;
use crate::statistic::Cell;

/// Points of the ROC curve where there are more distinct scores: at quantiles of the scores of all rows.
const POINTS: usize = 40;
/// Bins of the calibration error.
const BINS: usize = 10;

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<Curves>, Missing> {
    let (plan, subject) = (context.plan, context.subject);
    if plan.spec.privacy.is_some() || subject.score.is_none() || subject.label.is_none() {
        return Ok(None);
    }
    let confidence = plan.spec.measure.confidence;
    if plan.spec.measure.suppress_below > 1 {
        let why = "counts below a limit are not published, and neighbouring points differ by few rows";
        return Ok(Some(Curves { withheld: Some(why.into()), confidence, roc: Vec::new(), reliability: Vec::new() }));
    }
    let buckets = noise::buckets(plan).then_some(BUCKETS);
    let spreads = Spreads::of(plan, context.released.histogram("measure/score")?, true, buckets);
    let everyone = spreads.body(&context.cohorts.everyone);
    let snap = |value: f64| spreads.bins.map_or(value, |bins| bins.ends(bins.code(value)).0);
    let known = Known::of(everyone);
    let curves = Curves {
        withheld: None,
        confidence,
        roc: known.roc(&snap, confidence),
        reliability: known.reliability(confidence),
    };
    Ok((total(&known.all) > 0.0).then_some(curves))
}

/// Rows of known label with a score.
struct Known {
    all: Vec<(f64, f64)>,
    body: Body,
}

impl Known {
    fn of(body: Body) -> Known {
        let mut all = body.whole.label.concat();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        Known { all, body }
    }

    fn roc(&self, snap: &dyn Fn(f64) -> f64, confidence: f64) -> Vec<Corner> {
        if self.body.whole.label.iter().any(|points| points.is_empty()) {
            return Vec::new();
        }
        let mut thresholds: Vec<f64> = self.all.iter().map(|(value, _)| *value).collect();
        thresholds.dedup();
        if thresholds.len() > POINTS {
            let at = |i: usize| quantile(&self.all, i as f64 / POINTS as f64);
            thresholds = (0..=POINTS).filter_map(at).collect();
        }
        thresholds = thresholds.into_iter().map(snap).collect();
        thresholds.dedup();
        let each = 1.0 - (1.0 - confidence) / 2.0;
        let rate = |label: usize, threshold: f64| {
            let share = |rows: &Rows| share(within(&rows.label[label], threshold, None), total(&rows.label[label]));
            Figure::of(&self.sample(&share).measure(each))
        };
        let corner = |threshold: f64| Corner {
            threshold,
            false_positive_rate: rate(0, threshold),
            true_positive_rate: rate(1, threshold),
        };
        thresholds.into_iter().rev().map(corner).collect()
    }

    fn reliability(&self, confidence: f64) -> Vec<Bin> {
        if self.all.iter().any(|(value, _)| !(0.0..=1.0).contains(value)) {
            return Vec::new();
        }
        let bin = |i: usize| {
            let (from, to) = (i as f64 / BINS as f64, (i + 1) as f64 / BINS as f64);
            let end = (i + 1 < BINS).then_some(to);
            let rows = |points: &[(f64, f64)]| within(points, from, end);
            let n = rows(&self.all);
            let inside = |value: f64| value >= from && end.is_none_or(|end| value < end);
            let sum: f64 = self.all.iter().filter(|(value, _)| inside(*value)).map(|(value, n)| value * n).sum();
            let of = |part: &Rows| {
                let positive = rows(&part.label[1]);
                share(positive, positive + rows(&part.label[0]))
            };
            let share = Figure::of(&self.sample(&of).measure(confidence));
            (n > 0.0).then(|| Bin { from, to, score_mean: sum / n, share })
        };
        (0..BINS).filter_map(bin).collect()
    }

    fn sample(&self, of: &dyn Fn(&Rows) -> Share) -> Sample {
        match self.body.parts.is_empty() {
            true => Sample::share(&of(&self.body.whole)),
            false => Sample::bucketed_share(&self.body.parts.iter().map(of).collect::<Vec<_>>()),
        }
    }
}

/// Rows from a value on, below another.
fn within(points: &[(f64, f64)], from: f64, to: Option<f64>) -> f64 {
    let first = points.partition_point(|(value, _)| *value < from);
    let last = to.map_or(points.len(), |to| points.partition_point(|(value, _)| *value < to));
    total(points.get(first..last).unwrap_or_default())
}

fn share(numerator: f64, denominator: f64) -> Share {
    Share { numerator: Cell::rows(numerator as i64), denominator: Cell::rows(denominator as i64) }
}

#[cfg(test)]
mod tests;
