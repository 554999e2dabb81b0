//! Cohorts known by probability: rates that weigh every row by the probability of the level.
//!
//! rate(r) = sum of p_ir y_i / sum of p_ir over the rows in the denominator, p_ir the probability that row i belongs to r, times the sampling weight
//! where there is one. The rows behind it are counted by Kish: (sum p)^2 / sum p^2. All levels share the same rows, so intervals are those of the
//! delete-a-bucket jackknife, and two levels are compared with the same bucket taken out of both.
//!
//! The rate is not that of the true members: its error is the covariance of outcome and true membership among rows of equal probability, divided
//! by the share of the level (Chen, Kallus, Mao, Svacha and Udell 2019, Fairness under unawareness, FAT* 2019). Cutting probabilities at a threshold
//! adds an error of its own (the same paper) and is not offered.

use std::sync::Arc;

use super::Context;
use crate::audit::bias::Figure;
use crate::audit::bias::inferred::{Inferred, Level, Metric, Rows as RowCounts};
use crate::audit::{Contrast, Reading};
use crate::cohort::Cohort;
use crate::demand::{Axis, Demand, Shape};
use crate::estimate::{BUCKETS, BUCKETS_MIN, Measured, Sample, Share, Why, contrast};
use crate::evidence::Missing;
use crate::measure::{Subject, never};
use crate::metric::{Against, Comparison, Confusion, RATES, Rate};
use crate::plan::{Plan, spec};
use crate::scalar::{Arithmetic, Expr, Order, Scalar};
use crate::statistic::{Cell, Tally};

/// How far a sum of probabilities may be from one.
pub const SUM_SLACK: f64 = 0.01;

/// Greatest units of a weight per unit: weights are kept in multiples of 2^-20.
const WEIGHT_BITS: u32 = 20;

pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    if plan.spec.privacy.is_some() {
        return Vec::new();
    }
    let rows = plan.part(Plan::TEST);
    let truth = |of: &Option<Scalar>| Axis::Truth { of: of.clone().unwrap_or_else(never) };
    let mut demands = Vec::new();
    for (name, of) in &plan.spec.measure.inferred {
        let state = [Axis::Truth { of: within(of) }, Axis::Truth { of: sums_to_one(of) }];
        let shape = Shape::Tally { axes: state.to_vec(), weight: None };
        demands.push(Demand { name: rows_name(name), rows: rows.clone(), shape });
        for (at, column) in of.columns.values().enumerate() {
            let p = Scalar::column(column);
            let weight = match &plan.weight {
                Some(weight) => Expr::Arithmetic(Arithmetic::Multiply, Box::new(p), Box::new(weight.clone())),
                None => p,
            };
            let used = Expr::And(Box::new(within(of)), Box::new(sums_to_one(of)));
            let axes = vec![
                Axis::Truth { of: used },
                truth(&subject.label),
                truth(&subject.decision),
                Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS),
            ];
            let shape = Shape::Tally { axes, weight: Some(weight) };
            demands.push(Demand { name: level_name(name, at), rows: rows.clone(), shape });
        }
    }
    demands
}

fn rows_name(name: &str) -> Arc<str> {
    format!("measure/inferred/{name}").into()
}

fn level_name(name: &str, at: usize) -> Arc<str> {
    format!("measure/inferred/{name}/{at}").into()
}

fn compare(order: Order, a: Scalar, b: f64) -> Scalar {
    Expr::Compare(order, Box::new(a), Box::new(Scalar::number(b)))
}

fn and(all: impl Iterator<Item = Scalar>) -> Scalar {
    all.reduce(|a, b| Expr::And(Box::new(a), Box::new(b))).unwrap_or_else(never)
}

/// Every probability is within 0 and 1; missing when one is missing and none is out of range.
fn within(of: &spec::Inferred) -> Scalar {
    and(of.columns.values().flat_map(|column| {
        [(Order::GreaterEqual, 0.0), (Order::LessEqual, 1.0)]
            .map(|(order, end)| compare(order, Scalar::column(column), end))
    }))
}

fn sums_to_one(of: &spec::Inferred) -> Scalar {
    let add = |a, b| Expr::Arithmetic(Arithmetic::Add, Box::new(a), Box::new(b));
    let sum = of.columns.values().map(|column| Scalar::column(column)).reduce(add).unwrap_or_else(never);
    // A sum in floating point may miss the end by its rounding.
    let slack = SUM_SLACK + 1e-12;
    and([(Order::GreaterEqual, 1.0 - slack), (Order::LessEqual, 1.0 + slack)]
        .into_iter()
        .map(|(order, end)| compare(order, sum.clone(), end)))
}

pub fn measure(
    context: &Context,
    readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<Vec<Inferred>, Missing> {
    let plan = context.plan;
    if plan.spec.privacy.is_some() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for (name, of) in &plan.spec.measure.inferred {
        all.push(Attribute::of(context, name, of)?.measure(context, readings));
    }
    if !all.is_empty() {
        notes.push(
            "Membership of the cohorts marked inferred is a probability: their rates weigh rows by it, and their intervals cover sampling, not the error of the inference.".into(),
        );
    }
    Ok(all)
}

/// One attribute and what was counted of it.
pub(super) struct Attribute<'a> {
    name: &'a str,
    of: &'a spec::Inferred,
    rows: [i64; 4],
    /// One per bucket, per level.
    levels: Vec<Vec<Confusion>>,
    /// Everybody with valid probabilities.
    everyone: Vec<Confusion>,
    shown: bool,
}

impl<'a> Attribute<'a> {
    pub(super) fn of(context: &Context, name: &'a str, of: &'a spec::Inferred) -> Result<Attribute<'a>, Missing> {
        let state = context.released.tally(&rows_name(name))?;
        let count = |keep: &dyn Fn(u32, u32) -> bool| state.total_where(|codes| keep(codes[0], codes[1])).n;
        let rows = [
            count(&|within, sum| within == 1 && sum == 1),
            count(&|within, sum| within != 0 && (within == 2 || sum == 2)),
            count(&|within, _| within == 0),
            count(&|within, sum| within == 1 && sum == 0),
        ];
        let mut levels = Vec::new();
        for at in 0..of.columns.len() {
            levels.push(tables(context.released.tally(&level_name(name, at))?));
        }
        let mut everyone = vec![Confusion::default(); BUCKETS as usize];
        for table in &levels {
            for (sum, part) in everyone.iter_mut().zip(table) {
                add(sum, part);
            }
        }
        let limit = i64::try_from(context.plan.spec.measure.suppress_below).unwrap_or(i64::MAX);
        // The rows without probabilities are the difference of these tables and the others, so with a limit nothing is shown.
        let shown = limit <= 1;
        Ok(Attribute { name, of, rows, levels, everyone, shown })
    }

    /// Why nothing can be said.
    pub(super) fn not_measured(&self) -> Option<String> {
        let all: i64 = self.rows.iter().sum();
        let wrong = self.rows[2] + self.rows[3];
        let most = self.of.sum_wrong_share_max;
        if all == 0 {
            return Some("there are no rows".into());
        }
        if !self.shown {
            return Some(
                "withheld: with a publication limit these figures and those of all rows would tell few rows apart"
                    .into(),
            );
        }
        if wrong as f64 > most * all as f64 {
            return Some(format!(
                "{wrong} of {all} rows have probabilities outside 0 and 1 or that do not sum to one within {SUM_SLACK}; a share of at most {most} is accepted (sum_wrong_share_max)"
            ));
        }
        (self.rows[0] == 0).then(|| "no row has all probabilities".into())
    }

    pub(super) fn sample(&self, rate: &Rate, level: usize) -> Sample {
        self.levels.get(level).map_or(Sample::None(Why::EmptyDenominator), |tables| share(rate, tables))
    }

    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    pub(super) fn names(&self) -> Vec<&'a str> {
        self.of.columns.keys().map(String::as_str).collect()
    }

    pub(super) fn reference(&self) -> Option<usize> {
        let reference = self.of.reference.as_ref()?;
        self.of.columns.keys().position(|level| level == reference)
    }

    fn cohort(&self, level: usize) -> Cohort {
        let name = format!("{} (inferred)", self.name).into();
        let level = self.names().get(level).copied().unwrap_or_default().into();
        Cohort { pairs: vec![(name, level)] }
    }

    fn measure(&self, context: &Context, readings: &mut Vec<Reading>) -> Inferred {
        let not_measured = self.not_measured();
        let mut metrics = Vec::new();
        if not_measured.is_none() {
            for card in context.metrics {
                if let Some(rate) = RATES.iter().find(|rate| rate.card.id == card.id) {
                    metrics.push(self.metric(context, rate, readings));
                }
            }
        }
        let of_rows = |n: i64| self.shown.then_some(n);
        Inferred {
            name: self.name.into(),
            method: self.of.method.clone().unwrap_or_default(),
            rows: RowCounts {
                used: of_rows(self.rows[0]),
                missing: of_rows(self.rows[1]),
                out_of_range: of_rows(self.rows[2]),
                sum_wrong: of_rows(self.rows[3]),
                sum_wrong_share_max: self.of.sum_wrong_share_max,
            },
            levels: if not_measured.is_some() { Vec::new() } else { self.described() },
            not_measured: not_measured.unwrap_or_default(),
            metrics,
            caveats: CAVEATS.map(String::from).to_vec(),
        }
    }

    fn described(&self) -> Vec<Level> {
        let unit = f64::from(1u32 << WEIGHT_BITS);
        let level = |(at, (level, column)): (usize, (&String, &String))| {
            let rows = total(&self.levels[at]).rows();
            let shown = |value: f64| self.shown.then_some(value);
            Level {
                level: level.clone(),
                column: column.clone(),
                reference: self.reference() == Some(at),
                expected: shown(rows.w as f64 / unit),
                n_effective: (rows.ww > 0).then(|| rows.w as f64 * rows.w as f64 / rows.ww as f64).and_then(shown),
            }
        };
        self.of.columns.iter().enumerate().map(level).collect()
    }

    /// The readings of one rate, and what the section shows of them.
    fn metric(&self, context: &Context, rate: &Rate, readings: &mut Vec<Reading>) -> Metric {
        let confidence = context.plan.spec.measure.confidence;
        let samples: Vec<Sample> = self.levels.iter().map(|tables| share(rate, tables)).collect();
        let values: Vec<Measured> = samples.iter().map(|sample| self.published(sample.measure(confidence))).collect();
        let value = |(at, value): (usize, &Measured)| self.reading(rate, self.cohort(at), None, value.clone());
        readings.extend(values.iter().enumerate().map(value));
        let mut metric = Metric {
            metric: rate.card.id.into(),
            values: values.iter().map(Figure::of).collect(),
            ratios: vec![None; samples.len()],
            worst: Figure::Suppressed,
            worst_pair: String::new(),
        };
        let everyone = share(rate, &self.everyone);
        for against in [Against::WorstPair, Against::Highest, Against::Overall, Against::Reference] {
            for compare in [Comparison::Difference, Comparison::Ratio] {
                let compared = self.compared(context, &samples, &everyone, compare, against);
                for (level, contrast, measured) in compared {
                    let figure = Figure::of(&measured);
                    let cohort = level.filter(|_| self.shown).map_or_else(Cohort::everyone, |at| self.cohort(at));
                    match (against, compare, level) {
                        (Against::WorstPair, Comparison::Difference, _) => {
                            let other = contrast.with.as_ref().map(Cohort::levels);
                            metric.worst_pair =
                                other.map_or(String::new(), |other| format!("{} and {other}", cohort.levels()));
                            metric.worst = figure;
                        }
                        (Against::Highest, Comparison::Ratio, Some(at)) => {
                            if let Some(slot) = metric.ratios.get_mut(at) {
                                *slot = Some(figure);
                            }
                        }
                        _ => {}
                    }
                    readings.push(self.reading(rate, cohort, Some(contrast), measured));
                }
            }
        }
        metric
    }

    fn published(&self, measured: Measured) -> Measured {
        if self.shown { measured } else { Measured::Suppressed }
    }

    fn reading(&self, rate: &Rate, cohort: Cohort, contrast: Option<Contrast>, measured: Measured) -> Reading {
        Reading { metric: rate.card.id.into(), across: vec![self.name.into()], cohort, contrast, measured }
    }

    /// The comparisons of one kind: the level, who it is compared with, the result. Levels with few rows are in no worst pair and not the highest.
    fn compared(
        &self,
        context: &Context,
        samples: &[Sample],
        everyone: &Sample,
        compare: Comparison,
        against: Against,
    ) -> Vec<(Option<usize>, Contrast, Measured)> {
        let measure = &context.plan.spec.measure;
        let least = i64::try_from(measure.support_min).unwrap_or(i64::MAX);
        let picks = matches!(against, Against::WorstPair | Against::Highest);
        let few = |at: &usize| picks && samples[*at].point().is_some() && samples[*at].n() < least;
        let kept: Vec<usize> = (0..samples.len()).filter(|at| !few(at)).collect();
        let chosen: Vec<Sample> = kept.iter().map(|&at| samples[at].clone()).collect();
        let reference = self.reference().and_then(|level| kept.iter().position(|&at| at == level));
        if against == Against::Reference && reference.is_none() {
            return Vec::new();
        }
        let level = |at: usize| kept.get(at).copied();
        let too_few = if self.shown { (samples.len() - kept.len()) as u32 } else { 0 };
        contrast(compare, against, &chosen, everyone, reference, measure.confidence)
            .into_iter()
            .map(|of| {
                // A worst pair that does not exist is nobody's.
                let nobody = against == Against::WorstPair && of.with.is_none();
                let with = of.with.and_then(level).filter(|_| self.shown).map(|at| self.cohort(at));
                let contrast = Contrast { compare, against, with, too_few };
                (level(of.cohort).filter(|_| !nobody), contrast, self.published(of.measured))
            })
            .collect()
    }
}

const CAVEATS: [&str; 4] = [
    "A rate here weighs every row by the probability of the level. It differs from the rate of the true members by the covariance of outcome and true membership among rows of equal probability, divided by the share of the level (Chen et al. 2019). Where a group's outcome is worse than its probabilities explain, the difference shown is smaller than the true one.",
    "The intervals cover sampling of rows, not the error of the probabilities.",
    "Probabilities are not cut at a threshold: that leaves out rows and moves rates in a direction nobody knows (Chen et al. 2019).",
    "New York City Local Law 144 does not admit inferred categories; its view does not use them.",
];

/// One table per bucket from a tally by state, label, decision and bucket.
fn tables(tally: &Tally) -> Vec<Confusion> {
    let mut tables = vec![Confusion::default(); BUCKETS as usize];
    for (&code, &cell) in &tally.cells {
        if let [1, label, decision, bucket] = tally.codes(code)[..]
            && let Some(table) = tables.get_mut(bucket as usize)
        {
            table.add(label, decision, cell);
        }
    }
    tables
}

fn add(sum: &mut Confusion, part: &Confusion) {
    for (row, more) in sum.cells.iter_mut().zip(&part.cells) {
        for (cell, more) in row.iter_mut().zip(more) {
            *cell += *more;
        }
    }
}

fn total(tables: &[Confusion]) -> Confusion {
    tables.iter().fold(Confusion::default(), |mut sum, part| {
        add(&mut sum, part);
        sum
    })
}

/// A rate from one table per bucket. Its rows are the sum of the probabilities in the denominator: who is in it by a thousandth is no row.
fn share(rate: &Rate, tables: &[Confusion]) -> Sample {
    let shares: Vec<Share> = tables.iter().map(rate.of).collect();
    let all = shares.iter().fold(Share::default(), |sum, &share| sum + share);
    let Some(point) = all.value() else { return Sample::None(Why::EmptyDenominator) };
    let filled = shares.iter().filter(|share| share.denominator.w != 0).count();
    let left_out: Option<Vec<f64>> = shares.iter().map(|share| (all - *share).value()).collect();
    let Some(left_out) = left_out.filter(|_| filled >= BUCKETS_MIN) else { return Sample::None(Why::TooFewBuckets) };
    let Cell { w, ww, .. } = all.denominator;
    let n = i64::try_from(w >> WEIGHT_BITS).unwrap_or(i64::MAX);
    let n_effective = if ww > 0 { w as f64 * w as f64 / ww as f64 } else { 0.0 };
    Sample::Buckets { point, left_out, filled, n, n_effective, share: true }
}

#[cfg(test)]
mod tests;
