//! Numeric predictions before and after on the same rows, from moments of the error after, both squared errors, the change and the
//! prediction after.
//!
//! Root mean squared errors: standard errors by the delta method; of their difference, with the covariance of the two squared errors on the
//! same rows (Serfling 1980, section 3.3). Rows that share units: the jackknife over buckets.

use std::collections::BTreeMap;

use super::super::Context;
use super::{One, declared, missing, worst};
use crate::audit::bias::Figure;
use crate::audit::bias::mitigation::{Effect, Outcome, Tried};
use crate::demand::{Axis, Fixed, Limbs, Shape};
use crate::estimate::{BUCKETS, Estimate, Method, Sample, Support};
use crate::evidence::Missing;
use crate::measure::suppression::Layer;
use crate::model::Candidate;
use crate::plan::Numeric;
use crate::plan::mitigated::Mitigated;
use crate::scalar::{Arithmetic, Expr, Scalar};
use crate::statistic::{MomentSums, Tally};

/// Squared error after, squared error before, change of the prediction, prediction after.
const COLUMNS: usize = 4;

pub fn moments(by: Vec<Axis>, target: &Numeric, before: &Scalar, after: &Scalar) -> Shape {
    let minus =
        |a: &Scalar, b: &Scalar| Expr::Arithmetic(Arithmetic::Subtract, Box::new(a.clone()), Box::new(b.clone()));
    let square = |x: Scalar| Expr::Arithmetic(Arithmetic::Multiply, Box::new(x.clone()), Box::new(x));
    let column = |of: Scalar, range: f64| Fixed { of, lower: -range, upper: range };
    let [width, squared] = ranges(target);
    let of = vec![
        column(square(minus(&target.of, after)), squared),
        column(square(minus(&target.of, before)), squared),
        column(minus(after, before), width),
        column(minus(after, &Scalar::number(centre(target))), width),
    ];
    Shape::Moments { by, of, weights: Vec::new(), cross: Vec::new(), gram: true, limbs: Limbs::Two }
}

/// Twice the width of the target's interval, and its square.
fn ranges(target: &Numeric) -> [f64; 2] {
    let width = 2.0 * (target.upper - target.lower);
    [width, width * width]
}

fn centre(target: &Numeric) -> f64 {
    target.lower + (target.upper - target.lower) / 2.0
}

/// Means and covariances of the columns, in their own units.
struct Means {
    n: i64,
    mean: [f64; COLUMNS],
    covariance: [[f64; COLUMNS]; COLUMNS],
}

impl Means {
    fn of(sums: &MomentSums, bits: u32, scale: [f64; COLUMNS]) -> Option<Means> {
        if sums.n <= 0 {
            return None;
        }
        let n = sums.n as f64;
        let variables = COLUMNS + 1;
        let at = |i: usize, j: usize| {
            let place = i * (2 * variables - i - 1) / 2 + j;
            sums.gram.get(place).map_or(0.0, |sum| *sum as f64 * 2f64.powi(-2 * bits as i32))
        };
        let mut means = Means { n: sums.n, mean: [0.0; COLUMNS], covariance: [[0.0; COLUMNS]; COLUMNS] };
        for i in 0..COLUMNS {
            means.mean[i] = at(0, i + 1) / n;
        }
        for i in 0..COLUMNS {
            for j in i..COLUMNS {
                let sum = (at(i + 1, j + 1) - n * means.mean[i] * means.mean[j]) / (n - 1.0).max(1.0);
                means.covariance[i][j] = sum * scale[i] * scale[j];
                means.covariance[j][i] = means.covariance[i][j];
            }
        }
        means.mean.iter_mut().zip(scale).for_each(|(mean, scale)| *mean *= scale);
        Some(means)
    }

    fn root(&self, i: usize) -> f64 {
        self.mean[i].max(0.0).sqrt()
    }

    /// Standard error of the root of a mean square, and of the difference of both.
    fn root_error(&self, i: usize) -> f64 {
        let slope = if self.root(i) > 0.0 { 0.5 / self.root(i) } else { 0.0 };
        (slope * slope * self.covariance[i][i] / self.n as f64).max(0.0).sqrt()
    }

    fn price_error(&self) -> f64 {
        let slope = |i: usize| if self.root(i) > 0.0 { 0.5 / self.root(i) } else { 0.0 };
        let (a, b) = (slope(0), slope(1));
        let of = &self.covariance;
        let variance = a * a * of[0][0] + b * b * of[1][1] - 2.0 * a * b * of[0][1];
        (variance / self.n as f64).max(0.0).sqrt()
    }

    /// Mean of a column with its error.
    fn sample(&self, i: usize, shift: f64) -> Sample {
        Sample::mean(self.mean[i] + shift, (self.covariance[i][i].max(0.0) / self.n as f64).sqrt(), self.n)
    }

    /// Mean prediction before: that after less the change.
    fn before(&self, shift: f64) -> Sample {
        let variance = self.covariance[3][3] + self.covariance[2][2] - 2.0 * self.covariance[2][3];
        let se = (variance.max(0.0) / self.n as f64).sqrt();
        Sample::mean(self.mean[3] - self.mean[2] + shift, se, self.n)
    }
}

/// Sums of every cohort; one, or one for each bucket of units.
type Parts = Vec<MomentSums>;

fn total(parts: &Parts) -> MomentSums {
    let mut sum = MomentSums::new(COLUMNS + 1, 0, 0, true);
    parts.iter().for_each(|part| sum.merge(part));
    sum
}

fn minus(total: &MomentSums, part: &MomentSums) -> MomentSums {
    let mut left = total.clone();
    left.n -= part.n;
    left.gram.iter_mut().zip(&part.gram).for_each(|(sum, less)| *sum -= less);
    left
}

/// The figures of a plan's predictions.
struct Reader<'c> {
    context: &'c Context<'c>,
    bits: u32,
    scale: [f64; COLUMNS],
    shift: f64,
}

impl Reader<'_> {
    fn means(&self, sums: &MomentSums) -> Option<Means> {
        Means::of(sums, self.bits, self.scale)
    }

    /// A figure of some rows; `own` where rows are independent, the jackknife of `value` where they are not.
    fn sample(&self, parts: &Parts, own: &dyn Fn(&Means) -> Sample, value: &dyn Fn(&Means) -> f64) -> Sample {
        let all = total(parts);
        let Some(means) = self.means(&all) else { return Sample::None(crate::estimate::Why::EmptyDenominator) };
        if !self.context.plan.dependent {
            return own(&means);
        }
        let filled = parts.iter().filter(|part| part.n > 0).count();
        let left_out = parts.iter().map(|part| Some(value(&self.means(&minus(&all, part))?)));
        Sample::buckets(Some(value(&means)), left_out.collect(), filled, all.n)
    }

    fn figure(&self, parts: &Parts, own: &dyn Fn(&Means) -> (f64, f64)) -> Figure {
        let confidence = self.context.plan.spec.measure.confidence;
        let all = total(parts);
        match self.means(&all) {
            Some(means) if !self.context.plan.dependent => {
                let (point, se) = own(&means);
                let (support, ends) =
                    (Support { n: all.n, n_effective: all.n as f64 }, (f64::NEG_INFINITY, f64::INFINITY));
                let df = Some((all.n - 1).max(1) as f64);
                let of = Estimate::with_error(point, (se, df), ends, support, Method::Student, confidence);
                Figure::new(of.point, of.interval, all.n)
            }
            _ => {
                let sample = self
                    .sample(parts, &|_| Sample::None(crate::estimate::Why::EmptyDenominator), &|means| own(means).0);
                Figure::of(&sample.measure(confidence))
            }
        }
    }
}

/// What a candidate does to the predictions of held-out rows.
pub fn tried(context: &Context, mitigated: &Mitigated, name: &str, candidate: &Candidate) -> Result<One, Missing> {
    let plan = context.plan;
    let moments = context.released.moments(name)?;
    let attributes = plan.across.get(mitigated.set).map_or(0, |set| set.attributes.len());
    let parts = if plan.dependent { BUCKETS as usize } else { 1 };
    let table = Tally::new(moments.sizes.clone());
    let empty = || vec![MomentSums::new(COLUMNS + 1, 0, 0, true); parts];
    let mut cohorts: BTreeMap<Vec<u32>, Parts> = BTreeMap::new();
    let mut all = empty();
    for (&code, sums) in &moments.groups {
        let codes = table.codes(code);
        let bucket = codes.get(attributes).map_or(0, |bucket| *bucket as usize);
        let cohort = codes[..attributes.min(codes.len())].to_vec();
        if let Some(slot) = cohorts.entry(cohort).or_insert_with(empty).get_mut(bucket) {
            slot.merge(sums);
        }
        if let Some(slot) = all.get_mut(bucket) {
            slot.merge(sums);
        }
    }
    let limit = plan.spec.measure.suppress_below as i64;
    let shown = |cohort: &Vec<u32>| context.protection.shows(Some(mitigated.set), cohort, Layer::Rows);
    let small = |parts: &Parts| (1..limit).contains(&total(parts).n);
    let hidden = limit > 1
        && (!context.protection.shows(None, &[], Layer::Rows)
            || cohorts.keys().any(|cohort| !shown(cohort))
            || cohorts.values().any(small));
    let target = plan.target.clone().unwrap_or(Numeric { of: Scalar::number(0.0), lower: 0.0, upper: 1.0 });
    let ([width, squared], shift) = (ranges(&target), centre(&target));
    let reader = Reader { context, bits: moments.scale_bits, scale: [squared, squared, width, width], shift };
    let cohorts = declared(context, mitigated, &cohorts);
    Ok(reader.one(candidate, &cohorts, &all, hidden))
}

impl Reader<'_> {
    fn one(&self, candidate: &Candidate, cohorts: &[(String, &Parts)], all: &Parts, hidden: bool) -> One {
        let (shift, confidence) = (self.shift, self.context.plan.spec.measure.confidence);
        let show = |figure: Figure| if hidden { Figure::Suppressed } else { figure };
        let before = |parts: &Parts| {
            self.sample(parts, &|means| means.before(shift), &|means| means.mean[3] - means.mean[2] + shift)
        };
        let after = |parts: &Parts| self.sample(parts, &|means| means.sample(3, shift), &|means| means.mean[3] + shift);
        let gap = |of: &dyn Fn(&Parts) -> Sample| {
            let samples = cohorts.iter().map(|(_, parts)| of(parts)).collect();
            show(worst(self.context, samples, &of(all), confidence))
        };
        let root = |i: usize| show(self.figure(all, &|means| (means.root(i), means.root_error(i))));
        let effect = |(name, parts): &(String, &Parts)| Effect {
            cohort: name.clone(),
            rows: (!hidden).then(|| total(parts).n),
            gain: None,
            lose: None,
            level: show(
                self.figure(parts, &|means| (means.mean[2], (means.covariance[2][2].max(0.0) / means.n as f64).sqrt())),
            ),
            true_positive: missing(),
            false_positive: missing(),
        };
        let tried = Tried {
            id: candidate.id.to_string(),
            reads_protected: candidate.remedy.reads_protected(),
            outcome: Outcome { quality: root(0), gaps: vec![gap(&after)] },
            price: show(self.figure(all, &|means| (means.root(0) - means.root(1), means.price_error()))),
            cohorts: cohorts.iter().map(effect).collect(),
            levelling_down: Vec::new(),
            made: candidate.made.clone(),
            settings: candidate.settings.clone(),
        };
        One { rows: total(all).n, before: Outcome { quality: root(1), gaps: vec![gap(&before)] }, tried }
    }
}
