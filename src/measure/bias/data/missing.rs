//! Missing values of every column that has a role, by cohort.
//!
//! Shares with their intervals, the worst pair with an interval that holds for all pairs at once, and a test of independence of cohort and
//! missing value: Pearson's chi-squared over the known cohorts; where rows share units or carry weights the least p of every cohort against
//! the others, by the bucket jackknife, times the number of cohorts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::Context;
use super::{COLUMNS_MAX, independence, named, table};
use crate::audit::bias::Figure;
use crate::audit::bias::data::{MissingShare, MissingValues};
use crate::demand::{Axis, Demand, Shape, hash};
use crate::estimate::equality::benjamini_hochberg;
use crate::estimate::{BUCKETS, Sample, Share, contrast};
use crate::evidence::Missing;
use crate::measure::noise;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::metric::{Against, Comparison};
use crate::plan::Plan;
use crate::scalar::{Expr, Scalar};
use crate::schema::{Column, Role};
use crate::statistic::{Cell, Tally};

/// Columns with a role, those that only tell rows or people apart left out.
fn columns(plan: &Plan) -> Vec<&Column> {
    let apart = [Role::Identifier, Role::PrivacyUnit, Role::Ignored];
    let kinds = crate::plan::kinds(&plan.scan).unwrap_or_default();
    let with_role = |column: &&Column| {
        !column.roles.is_empty() && !apart.iter().any(|role| column.is(*role)) && kinds.contains_key(&column.name)
    };
    plan.schema.columns.iter().filter(with_role).collect()
}

fn name(column: &Column) -> String {
    format!("measure/missing/{}", column.name)
}

pub fn demands(plan: &Plan) -> Vec<Demand> {
    let rows = plan.part(Plan::TEST);
    let by: Vec<Axis> = plan
        .attributes
        .iter()
        .map(|attribute| Axis::Levels { of: Scalar::column(&attribute.name), levels: attribute.levels.clone() })
        .collect();
    let buckets = noise::buckets(plan).then(|| Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS));
    let demand = |column: &Column| {
        let mut axes = by.clone();
        axes.push(Axis::Truth { of: Expr::IsNull(Box::new(Scalar::column(&column.name))) });
        axes.extend(buckets.clone());
        let shape = Shape::Tally { axes, weight: plan.weight.clone() };
        Demand { name: name(column).into(), rows: rows.clone(), shape }
    };
    columns(plan).into_iter().take(COLUMNS_MAX).map(demand).collect()
}

/// Columns whose missing values were not counted.
pub fn left_out(plan: &Plan) -> Vec<String> {
    let more: Vec<Arc<str>> = columns(plan).iter().skip(COLUMNS_MAX).map(|column| column.name.clone()).collect();
    let text = || format!("Missing values are counted for {COLUMNS_MAX} columns; not for {}.", named(&more));
    (!more.is_empty()).then(text).into_iter().collect()
}

/// Rows of a cohort by bucket: missing, and all.
#[derive(Clone)]
struct Counts {
    missing: Vec<Cell>,
    all: Vec<Cell>,
}

impl Counts {
    fn empty(buckets: usize) -> Counts {
        Counts { missing: vec![Cell::default(); buckets], all: vec![Cell::default(); buckets] }
    }

    fn add(&mut self, missing: bool, bucket: usize, cell: Cell) {
        let into = |cells: &mut Vec<Cell>| {
            if let Some(slot) = cells.get_mut(bucket) {
                *slot += cell;
            }
        };
        into(&mut self.all);
        if missing {
            into(&mut self.missing);
        }
    }

    fn total(&self) -> (i64, i64) {
        let sum = |cells: &[Cell]| cells.iter().map(|cell| cell.n).sum();
        (sum(&self.missing), sum(&self.all))
    }

    fn sample(&self, dependent: bool) -> Sample {
        let parts = self.missing.iter().zip(&self.all);
        let shares: Vec<Share> = parts.map(|(&numerator, &denominator)| Share { numerator, denominator }).collect();
        match dependent {
            true => Sample::bucketed_share(&shares),
            false => Sample::share(&shares.iter().fold(Share::default(), |sum, &share| sum + share)),
        }
    }
}

/// One column with its counts by set and cohort.
struct Counted<'a> {
    column: &'a Column,
    everyone: Counts,
    /// Per set; none for a set with the column among its attributes.
    sets: Vec<Option<BTreeMap<Vec<u32>, Counts>>>,
}

/// The columns with missing values, and the number of those without.
pub fn measure(context: &Context) -> Result<(Vec<MissingValues>, u32), Missing> {
    let plan = context.plan;
    let mut complete = 0;
    let mut found = Vec::new();
    for column in columns(plan).into_iter().take(COLUMNS_MAX) {
        let counted = counted(plan, column, context.released.tally(&name(column))?);
        if counted.everyone.total().0 == 0 {
            complete += 1;
            continue;
        }
        let shown = shown(context, &counted);
        for (set, counts) in counted.sets.iter().enumerate() {
            if let (Some(counts), Some(groups)) = (counts, context.cohorts.sets.get(set)) {
                found.push(of_set(context, &counted, (groups, counts), shown));
            }
        }
    }
    let tested: Vec<f64> = found.iter().filter_map(|values| values.p).collect();
    let mut adjusted = benjamini_hochberg(&tested).into_iter();
    for values in found.iter_mut().filter(|values| values.p.is_some()) {
        values.p_adjusted = adjusted.next();
    }
    let size = |values: &MissingValues| values.worst_pair.point().unwrap_or(-1.0);
    found.sort_by(|a, b| size(b).total_cmp(&size(a)));
    Ok((found, complete))
}

fn counted<'a>(plan: &Plan, column: &'a Column, tally: &Tally) -> Counted<'a> {
    let buckets = if noise::buckets(plan) { BUCKETS as usize } else { 1 };
    let attributes = plan.attributes.len();
    let mut everyone = Counts::empty(buckets);
    let mut sets: Vec<Option<BTreeMap<Vec<u32>, Counts>>> = plan
        .across
        .iter()
        .map(|across| {
            let own = across.attributes.iter().any(|&at| plan.attributes[at].name == column.name);
            (!own).then(BTreeMap::new)
        })
        .collect();
    for (&code, &cell) in &tally.cells {
        let codes = tally.codes(code);
        let (Some(&missing), bucket) = (codes.get(attributes), codes.get(attributes + 1).copied().unwrap_or(0)) else {
            continue;
        };
        let (missing, bucket) = (missing == 1, bucket as usize);
        everyone.add(missing, bucket, cell);
        for (across, counts) in plan.across.iter().zip(&mut sets) {
            if let Some(counts) = counts {
                let cohort = across.attributes.iter().map(|&at| codes[at]).collect();
                counts.entry(cohort).or_insert_with(|| Counts::empty(buckets)).add(missing, bucket, cell);
            }
        }
    }
    Counted { column, everyone, sets }
}

/// With a publication limit a column is shown whole or not at all: where every count of its tables is 0 or at least the limit, missing or
/// not, and no other table is withheld that these could narrow.
fn shown(context: &Context, counted: &Counted) -> bool {
    let limit = context.plan.spec.measure.suppress_below as i64;
    if limit <= 1 {
        return true;
    }
    let small = |n: i64| 0 < n && n < limit;
    let clean = |counts: &Counts| {
        let (missing, all) = counts.total();
        !small(missing) && !small(all - missing)
    };
    let layers = [Layer::Rows, Layer::Labels, Layer::Decisions, Layer::Joint];
    let sets = std::iter::once(None).chain((0..context.cohorts.sets.len()).map(Some));
    let mut others = sets.flat_map(|set| layers.map(|layer| (set, layer)));
    clean(&counted.everyone)
        && counted.sets.iter().flatten().flat_map(BTreeMap::values).all(clean)
        && others.all(|(set, layer)| context.protection.shows(set, &[], layer))
}

fn of_set(
    context: &Context,
    counted: &Counted,
    (groups, counts): (&Groups, &BTreeMap<Vec<u32>, Counts>),
    shown: bool,
) -> MissingValues {
    let plan = context.plan;
    let (confidence, dependent) = (plan.spec.measure.confidence, noise::buckets(plan));
    let buckets = counted.everyone.all.len();
    let of = |group: &Group| counts.get(&group.codes).cloned().unwrap_or_else(|| Counts::empty(buckets));
    let figure = |sample: &Sample| match shown {
        true => Figure::of(&sample.measure(confidence)),
        false => Figure::Suppressed,
    };
    let everyone = counted.everyone.sample(dependent);
    let cohorts: Vec<(&Group, Counts, Sample)> = groups
        .groups
        .iter()
        .map(|group| {
            let counts = of(group);
            let sample = counts.sample(dependent);
            (group, counts, sample)
        })
        .collect();
    let enough = |sample: &Sample| u64::try_from(sample.n()).is_ok_and(|n| n >= plan.spec.measure.support_min);
    let compared: Vec<_> = cohorts.iter().filter(|(group, _, sample)| group.compared && enough(sample)).collect();
    let samples: Vec<Sample> = compared.iter().map(|(_, _, sample)| sample.clone()).collect();
    let worst =
        contrast(Comparison::Difference, Against::WorstPair, &samples, &everyone, None, confidence).into_iter().next();
    let name = |at: Option<usize>| {
        at.and_then(|at| compared.get(at)).filter(|_| shown).map(|(group, ..)| group.cohort.levels())
    };
    let worst_pair = match (&worst, shown) {
        (_, false) => Figure::Suppressed,
        (Some(worst), true) => Figure::of(&worst.measured),
        (None, true) => Figure::Undefined { reason: "fewer than two cohorts have a value".into() },
    };
    let with = worst.as_ref().and_then(|worst| worst.with);
    let seed = hash(&plan.salt("missing"), format!("{}|{}", counted.column.name, groups.names.join("|")).as_bytes());
    let parts: Vec<&Counts> = compared.iter().map(|(_, counts, _)| counts).collect();
    let p = match dependent {
        true => by_buckets(&parts),
        false => by_counts(&parts, seed),
    };
    MissingValues {
        column: counted.column.name.clone(),
        across: groups.names.clone(),
        everyone: figure(&everyone),
        cohorts: cohorts
            .iter()
            .map(|(group, _, sample)| MissingShare { cohort: group.cohort.levels(), share: figure(sample) })
            .collect(),
        worst_pair,
        most: name(with),
        least: name(worst.filter(|worst| worst.with.is_some()).map(|worst| worst.cohort)),
        p: p.filter(|_| shown),
        p_adjusted: None,
    }
}

fn by_counts(cohorts: &[&Counts], seed: u64) -> Option<f64> {
    let row = |counts: &&Counts| {
        let (missing, all) = counts.total();
        vec![missing, all - missing]
    };
    let table: Vec<Vec<i64>> = cohorts.iter().map(row).collect();
    independence::independence(&table, &mut StdRng::seed_from_u64(seed)).map(|tested| tested.p)
}

/// Weight of the rows by bucket: missing, and all.
type Weights = (Vec<f64>, Vec<f64>);

/// Every cohort against the others, with one bucket left out in turn.
fn by_buckets(cohorts: &[&Counts]) -> Option<f64> {
    let weights = |cells: &[Cell]| cells.iter().map(|cell| cell.w as f64).collect::<Vec<f64>>();
    let parts: Vec<Weights> = cohorts.iter().map(|counts| (weights(&counts.missing), weights(&counts.all))).collect();
    let buckets = parts.first()?.0.len();
    let sums = |of: &dyn Fn(&Weights) -> Vec<f64>| {
        let mut sums = vec![0.0; buckets];
        parts.iter().for_each(|part| sums.iter_mut().zip(of(part)).for_each(|(sum, w)| *sum += w));
        sums
    };
    let everyone = (sums(&|part| part.0.clone()), sums(&|part| part.1.clone()));
    let least = parts.iter().filter_map(|own| p_of(own, &everyone)).fold(f64::INFINITY, f64::min);
    (parts.len() > 1 && least.is_finite()).then(|| (least * parts.len() as f64).min(1.0))
}

/// p of a cohort's share being that of the others.
fn p_of(own: &Weights, everyone: &Weights) -> Option<f64> {
    let total = |of: &[f64]| of.iter().sum::<f64>();
    let (missing, all) = (total(&own.0), total(&own.1));
    let (missing_all, all_all) = (total(&everyone.0), total(&everyone.1));
    let gap = |[m, a, whole_m, whole_a]: [f64; 4]| {
        let (m, a, whole_m, whole_a) = (missing - m, all - a, missing_all - whole_m, all_all - whole_a);
        (a > 0.0 && whole_a > a).then(|| m / a - (whole_m - m) / (whole_a - a))
    };
    let without = |at: usize| gap([own.0[at], own.1[at], everyone.0[at], everyone.1[at]]);
    let (se, df) = table::jackknife(&(0..own.0.len()).map(without).collect::<Vec<_>>())?;
    let value = gap([0.0; 4])?;
    (se > 0.0).then(|| independence::student_tail(value / se, df))
}
