//! Consistency: whether rows that are alike are treated alike.
//!
//! ```text
//! 1 - mean over rows i of | y_i - mean of y over the k nearest rows of i |
//! ```
//!
//! Zemel et al. 2013 (ICML), section 5. Whether a row is one of its own nearest is left open there. AIF360 counts it, which leaves k - 1
//! others and makes k = 1 always 1; the figure compared here is the one without the row itself, and the other is given beside it.
//!
//! The distances of two rows depend on one another where the rows are near. The interval is that of the delete-a-bucket jackknife, buckets
//! of the key's hash, with the nearest rows found anew: buckets are independent, and the jackknife variance of a symmetric function of
//! independent parts is on average not too small (Efron and Stein 1981, Annals of Statistics 9).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::Context;
use super::super::subgroups::{mix, number};
use super::nearest::{Nearest, Points};
use crate::audit::bias::Figure;
use crate::audit::bias::individual::{Consistency, OfCohort};
use crate::cohort::Cohort;
use crate::demand::{Demand, RowKey, Shape};
use crate::estimate::{BUCKETS, Measured, Sample};
use crate::evidence::Missing;
use crate::measure::suppression::Layer;
use crate::measure::{Subject, demand, never};
use crate::plan::Plan;
use crate::plan::spec::{Individual as Spec, Scale};
use crate::scalar::Scalar;
use crate::schema::{Domain, Role};
use crate::statistic::{Panel, PanelValue};

const NAME: &str = "measure/individual";
/// Most indicators of a column whose levels are not declared.
const LEVELS_MAX: usize = 100;

/// The columns by which rows are alike.
pub fn columns(plan: &Plan, spec: &Spec) -> Vec<Arc<str>> {
    if !spec.columns.is_empty() {
        return spec.columns.iter().map(|name| Arc::from(name.as_str())).collect();
    }
    let features = plan.schema.columns.iter().filter(|column| column.is(Role::Feature));
    features.filter(|column| !column.is(Role::Protected)).map(|column| column.name.clone()).collect()
}

/// Some rows: columns, attributes, decision, label.
pub fn demands(plan: &Plan, subject: &Subject, spec: &Spec) -> Vec<Demand> {
    let names = columns(plan, spec);
    if names.is_empty() || (subject.decision.is_none() && subject.label.is_none()) {
        return Vec::new();
    }
    let attributes = plan.attributes.iter().map(|attribute| &attribute.name);
    let mut of: Vec<Scalar> = names.iter().chain(attributes).map(|name| Scalar::column(name)).collect();
    of.extend([&subject.decision, &subject.label].map(|of| of.clone().unwrap_or_else(never)));
    let (key, salt, limit) = (plan.key.clone(), plan.salt("individual"), spec.rows_max as usize);
    vec![demand(NAME, &plan.part(Plan::TEST), Shape::Panel { of, key, salt, limit, distinct: false })]
}

/// Rows of a panel that lack no column.
struct Rows {
    points: Points,
    /// Levels of every attribute.
    cohorts: Vec<Vec<Option<Arc<str>>>>,
    /// Decision and label.
    values: [Vec<Option<bool>>; 2],
    lacking: usize,
}

pub fn measure(context: &Context, spec: &Spec, notes: &mut Vec<String>) -> Result<Vec<Consistency>, Missing> {
    let plan = context.plan;
    let names = columns(plan, spec);
    if demands(plan, context.subject, spec).is_empty() {
        let why = match names.is_empty() {
            true => {
                "Consistency was not measured: no column is a feature without being protected; name some in columns."
            }
            false => "Consistency was not measured: it compares decisions or labels, and there is neither.",
        };
        notes.push(why.into());
        return Ok(Vec::new());
    }
    let panel = context.released.panel(NAME)?;
    let held: usize = panel.rows().map(|(_, _, n)| n as usize).sum();
    let repeated: usize = panel.rows().map(|(_, _, n)| n as usize - 1).sum();
    if plan.key == RowKey::Row && held == spec.rows_max as usize && 100 * repeated > held {
        notes.push("Consistency was not measured: many rows are equal and no column tells them apart, so a part of them is no sample: write [ingest] key, or a greater rows_max.".into());
        return Ok(Vec::new());
    }
    let rows = rows(plan, spec, panel, &names);
    if held == spec.rows_max as usize {
        notes.push(format!(
            "Consistency is that of {held} rows, those of smallest hash: with more rows the nearest are nearer."
        ));
    }
    if rows.lacking > 0 && plan.spec.measure.suppress_below <= 1 {
        notes.push(format!("{} rows lack a column of those compared by and are not in the consistency.", rows.lacking));
    }
    if plan.dependent {
        notes.push("Of the consistency every row counts once, whatever its weight, and rows of one unit may be nearest to one another.".into());
    }
    if plan.spec.measure.suppress_below > 1 {
        notes.push("Consistency is withheld where counts below a limit are: it is a sum over single rows, and there is no table that would hold it within the limit.".into());
    }
    let of = ["decision", "label"].into_iter().zip(&rows.values);
    let known = of.filter(|(_, values)| values.iter().any(Option::is_some));
    Ok(known.map(|(of, values)| consistency(context, spec, &names, of, &rows, values)).collect())
}

fn rows(plan: &Plan, spec: &Spec, panel: &Panel, names: &[Arc<str>]) -> Rows {
    let axes: Vec<Dimension> =
        names.iter().enumerate().map(|(at, name)| axis(plan, spec.scale, panel, at, name)).collect();
    let dimensions = axes.iter().map(Dimension::size).sum();
    let attributes = plan.attributes.len();
    let mut rows = Rows {
        points: Points::new(dimensions),
        cohorts: vec![Vec::new(); attributes],
        values: [Vec::new(), Vec::new()],
        lacking: 0,
    };
    for (hash, row, n) in panel.rows() {
        let mut point = Some(Vec::with_capacity(dimensions));
        for (axis, value) in axes.iter().zip(row) {
            point = point.and_then(|mut point| axis.place(value.as_ref()?, &mut point).then_some(point));
        }
        let Some(point) = point else {
            rows.lacking += n as usize;
            continue;
        };
        for _ in 0..n {
            rows.points.add(&point, (mix(hash) % u64::from(BUCKETS)) as u32);
            for (levels, value) in rows.cohorts.iter_mut().zip(row.iter().skip(names.len())) {
                levels.push(match value {
                    Some(PanelValue::Text(text)) => Some(text.clone()),
                    _ => None,
                });
            }
            for (at, values) in rows.values.iter_mut().enumerate() {
                values.push(match row.get(names.len() + attributes + at) {
                    Some(Some(PanelValue::Truth(truth))) => Some(*truth),
                    _ => None,
                });
            }
        }
    }
    rows
}

/// A column as dimensions of a point.
enum Dimension {
    /// Divided by this.
    Number(f64),
    /// An indicator for each of these.
    Levels(BTreeMap<Arc<str>, usize>),
}

impl Dimension {
    fn size(&self) -> usize {
        match self {
            Dimension::Number(_) => 1,
            Dimension::Levels(levels) => levels.len(),
        }
    }

    /// False for a value that has no place.
    fn place(&self, value: &PanelValue, point: &mut Vec<f64>) -> bool {
        match (self, value) {
            (Dimension::Number(unit), value) => number(value).map(|number| point.push(number / unit)).is_some(),
            (Dimension::Levels(levels), PanelValue::Text(text)) => {
                let own = levels.get(text).copied();
                point.extend((0..levels.len()).map(|at| if Some(at) == own { 1.0 } else { 0.0 }));
                true
            }
            (Dimension::Levels(_), _) => false,
        }
    }
}

fn axis(plan: &Plan, scale: Scale, panel: &Panel, at: usize, name: &str) -> Dimension {
    let values = || panel.rows().filter_map(|(_, row, n)| Some((row.get(at)?.as_ref()?, n)));
    let domain = plan.schema.column(name).map(|column| &column.domain);
    if values().any(|(value, _)| matches!(value, PanelValue::Text(_))) {
        let mut levels: Vec<Arc<str>> = match domain {
            Some(Domain::Levels(levels)) => levels.to_vec(),
            _ => {
                let mut counts: BTreeMap<Arc<str>, u32> = BTreeMap::new();
                for (value, n) in values() {
                    if let PanelValue::Text(text) = value {
                        *counts.entry(text.clone()).or_default() += n;
                    }
                }
                let mut counts: Vec<_> = counts.into_iter().collect();
                counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                counts.into_iter().map(|(level, _)| level).collect()
            }
        };
        levels.truncate(LEVELS_MAX);
        return Dimension::Levels(levels.into_iter().zip(0..).collect());
    }
    let numbers = || values().filter_map(|(value, n)| Some((number(value)?, f64::from(n))));
    let range = || {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (least, most) = numbers().fold(ends, |(least, most), (x, _)| (least.min(x), most.max(x)));
        most - least
    };
    let unit = match (scale, domain) {
        (Scale::None, _) => 1.0,
        (Scale::Bounds, Some(Domain::Bounds { lower, upper })) => upper - lower,
        (Scale::Bounds, _) => range(),
        (Scale::Deviation, _) => {
            let n: f64 = numbers().map(|(_, n)| n).sum();
            let mean = numbers().map(|(x, n)| x * n).sum::<f64>() / n;
            (numbers().map(|(x, w)| w * (x - mean) * (x - mean)).sum::<f64>() / n).sqrt()
        }
    };
    Dimension::Number(if unit.is_finite() && unit > 0.0 { unit } else { 1.0 })
}

fn consistency(
    context: &Context,
    spec: &Spec,
    names: &[Arc<str>],
    of: &str,
    rows: &Rows,
    values: &[Option<bool>],
) -> Consistency {
    let known: Vec<usize> = (0..values.len()).filter(|&row| values.get(row).is_some_and(Option::is_some)).collect();
    let mut points = Points::new(rows.points.dimensions());
    known.iter().for_each(|&row| points.add(rows.points.point(row), rows.points.bucket(row)));
    let values: Vec<f64> =
        known.iter().map(|&row| f64::from(u8::from(values.get(row).copied().flatten() == Some(true)))).collect();
    let nearest = points.nearest(spec.neighbours as usize);
    let layer = if of == "label" { Layer::Labels } else { Layer::Decisions };
    let figure = |itself: bool| Jackknife::of(&points, &nearest, &values, itself);
    let (others, with_itself) = (figure(false), figure(true));
    let confidence = context.plan.spec.measure.confidence;
    let shown = |set: Option<usize>, codes: &[u32], jackknife: &Jackknife, of: &dyn Fn(usize) -> bool| match context
        .protection
        .shows(set, codes, layer)
        && context.plan.spec.measure.suppress_below <= 1
    {
        true => Figure::of(&jackknife.measure(of, confidence)),
        false => Figure::Suppressed,
    };
    let mut cohorts = Vec::new();
    for (set, groups) in context.cohorts.sets.iter().enumerate() {
        for group in groups.groups.iter().filter(|group| group.compared) {
            let holds = |at: usize| known.get(at).is_some_and(|&row| rows.is_of(row, group, context));
            let value = shown(Some(set), &group.codes, &others, &holds);
            cohorts.push(OfCohort { cohort: text(&group.cohort), value });
        }
    }
    Consistency {
        of: of.into(),
        neighbours: spec.neighbours,
        columns: names.iter().map(|name| name.to_string()).collect(),
        scale: match spec.scale {
            Scale::Bounds => "the width of the bounds",
            Scale::Deviation => "the standard deviation",
            Scale::None => "the unit of each column",
        }
        .into(),
        others: shown(None, &[], &others, &|_| true),
        with_itself: shown(None, &[], &with_itself, &|_| true),
        cohorts,
    }
}

fn text(cohort: &Cohort) -> String {
    cohort.to_string()
}

impl Rows {
    fn is_of(&self, row: usize, group: &crate::measure::Group, context: &Context) -> bool {
        group.attributes.iter().zip(&group.codes).all(|(&attribute, &code)| {
            let level = self.cohorts.get(attribute).and_then(|levels| levels.get(row)).cloned().flatten();
            let wanted = context.plan.attributes.get(attribute).and_then(|of| of.levels.get(code as usize));
            level.as_ref() == wanted
        })
    }
}

/// Distances of all rows, and of all that a bucket leaves.
pub struct Jackknife {
    buckets: Vec<u32>,
    whole: Vec<Option<f64>>,
    /// Of every bucket: the rows whose distance changes without it.
    changed: Vec<Vec<(usize, Option<f64>)>>,
}

impl Jackknife {
    pub fn of(points: &Points, nearest: &Nearest, values: &[f64], itself: bool) -> Jackknife {
        let whole = nearest.distances(values, itself);
        let mut changed = vec![Vec::new(); BUCKETS as usize];
        for (row, &of_row) in whole.iter().enumerate() {
            for bucket in nearest.buckets(points, row) {
                if bucket != points.bucket(row) {
                    let value = nearest.without(points, bucket, values, itself, row, of_row);
                    changed.get_mut(bucket as usize).into_iter().for_each(|of| of.push((row, value)));
                }
            }
        }
        let buckets = (0..points.len()).map(|row| points.bucket(row)).collect();
        Jackknife { buckets, whole, changed }
    }

    /// 1 minus the mean distance of these rows.
    pub fn measure(&self, of: &dyn Fn(usize) -> bool, confidence: f64) -> Measured {
        let own: Vec<bool> = (0..self.whole.len()).map(of).collect();
        let is_own = |row: usize| own.get(row) == Some(&true);
        let (mut sums, mut counts) = (vec![0.0; self.changed.len()], vec![0i64; self.changed.len()]);
        let (mut sum, mut n) = (0.0, 0i64);
        for (row, distance) in self.whole.iter().enumerate().filter(|(row, _)| is_own(*row)) {
            let Some(distance) = distance else { continue };
            let at = self.buckets.get(row).copied().unwrap_or_default() as usize;
            sum += distance;
            n += 1;
            sums.get_mut(at).into_iter().for_each(|sum| *sum += distance);
            counts.get_mut(at).into_iter().for_each(|n| *n += 1);
        }
        let point = (n > 0).then(|| 1.0 - sum / n as f64);
        let left_out = self.changed.iter().enumerate().map(|(bucket, changed)| {
            let (mut left, mut rows) = (sum - sums[bucket], n - counts[bucket]);
            for (row, now) in changed.iter().filter(|(row, _)| is_own(*row)) {
                let before = self.whole.get(*row).copied().flatten();
                left += now.unwrap_or_default() - before.unwrap_or_default();
                rows += i64::from(now.is_some()) - i64::from(before.is_some());
            }
            (rows > 0).then(|| 1.0 - left / rows as f64)
        });
        let filled = counts.iter().filter(|n| **n > 0).count();
        let left_out = left_out.collect();
        within(Sample::buckets(point, left_out, filled, n).measure(confidence))
    }
}

/// The interval cut at 0 and 1.
fn within(measured: Measured) -> Measured {
    match measured {
        Measured::Estimated(mut estimate) => {
            estimate.interval.lower = estimate.interval.lower.map(|end| end.clamp(0.0, 1.0));
            estimate.interval.upper = estimate.interval.upper.map(|end| end.clamp(0.0, 1.0));
            Measured::Estimated(estimate)
        }
        other => other,
    }
}
