//! How well each column alone tells the levels of a protected column.
//!
//! A number: area under the ROC curve of its values, in 200 equal bins of its bounds, in the direction that is above one half. A text: the
//! curve of its levels in the order of their rates, learned on 8 of 20 folds and evaluated on the others, so that it is one half on average
//! where nothing is told. Intervals: DeLong's, or the jackknife over folds with Student t where rows share units; for all levels of the
//! protected column at once (Bonferroni). Tests: Pearson's chi-squared, of a number in ten groups and Kruskal-Wallis as well,
//! the smaller p twice; where rows share units the least p of the levels by the jackknife, times their number. Rows without a value of either
//! column are left out.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::Context;
use super::table::{self, FOLDS, FOLDS_LEARNED, Table};
use super::{COLUMNS_MAX, candidates, computed, independence, joint, kind, named};
use crate::audit::bias::Figure;
use crate::audit::bias::data::{Proxies, Proxy};
use crate::cohort::Attribute;
use crate::demand::{Axis, Demand, Shape, hash};
use crate::estimate::equality::benjamini_hochberg;
use crate::estimate::{Interval, normal, student};
use crate::evidence::Missing;
use crate::measure::scores;
use crate::measure::suppression::Layer;
use crate::plan::Plan;
use crate::scalar::{Kind, Scalar};
use crate::schema::{Column, Domain};
use crate::statistic::Tally;

/// Bins of a number.
const BINS: u32 = 200;
/// Most levels of a protected column that are told from the rest, the most frequent first.
const LEVELS_MAX: usize = 20;
/// Most cells of all tables together.
const CELLS_MAX: u64 = 1 << 23;

/// One column with one protected column.
struct Pairing<'a> {
    name: String,
    attribute: &'a Attribute,
    column: &'a Column,
    axis: Axis,
    numeric: bool,
    folds: bool,
}

impl Pairing<'_> {
    /// Codes of values.
    fn codes(&self) -> u32 {
        match &self.axis {
            // A level that is not declared is a value too: the last code, after the missing ones.
            Axis::Levels { levels, .. } => levels.len() as u32 + 2,
            other => other.size() - 1,
        }
    }

    /// The code of a missing value.
    fn missing(&self) -> u32 {
        match &self.axis {
            Axis::Levels { levels, .. } => levels.len() as u32,
            other => other.size() - 1,
        }
    }

    fn size(&self) -> u64 {
        let folds = if self.folds { FOLDS } else { 1 };
        u64::from(self.attribute.codes()) * u64::from(self.axis.size()) * u64::from(folds)
    }
}

/// Edges that ascend, whatever the bounds.
fn edges(lower: f64, upper: f64) -> Vec<f64> {
    let at = |i: u32| lower + (upper - lower) * (f64::from(i) / f64::from(BINS));
    let mut edges: Vec<f64> = (1..BINS).map(at).collect();
    edges.dedup();
    edges
}

fn axis(plan: &Plan, column: &Column) -> Option<(Axis, bool)> {
    let of = Scalar::column(&column.name);
    match (&column.domain, kind(plan, column)?) {
        (Domain::Bounds { lower, upper }, Kind::Number) => {
            Some((Axis::Edges { of, edges: edges(*lower, *upper) }, true))
        }
        (Domain::Levels(levels), Kind::Text) => Some((Axis::Levels { of, levels: levels.clone() }, false)),
        (_, Kind::Truth) => Some((Axis::Truth { of }, false)),
        _ => None,
    }
}

/// What is looked at, and the columns that are not because they are too many.
fn pairings(plan: &Plan) -> (Vec<Pairing<'_>>, Vec<Arc<str>>) {
    let (mut all, mut left_out, mut cells) = (Vec::new(), Vec::new(), 0u64);
    for (i, column) in candidates(plan).into_iter().enumerate() {
        let own = |attribute: &&Attribute| attribute.name != column.name;
        let of: Vec<Pairing> = plan
            .attributes
            .iter()
            .enumerate()
            .filter(|(_, attribute)| own(attribute))
            .filter_map(|(at, attribute)| {
                let (axis, numeric) = axis(plan, column)?;
                let name = format!("measure/proxy/{at}.{}", column.name);
                Some(Pairing { name, attribute, column, axis, numeric, folds: !numeric || plan.dependent })
            })
            .collect();
        cells = of.iter().map(Pairing::size).fold(cells, u64::saturating_add);
        match i < COLUMNS_MAX && cells <= CELLS_MAX {
            true => all.extend(of),
            false => left_out.push(column.name.clone()),
        }
    }
    (all, left_out)
}

pub fn demands(plan: &Plan) -> Vec<Demand> {
    let rows = plan.part(Plan::TEST);
    let demand = |pairing: Pairing| {
        let levels = pairing.attribute.levels.clone();
        let mut axes = vec![Axis::Levels { of: Scalar::column(&pairing.attribute.name), levels }, pairing.axis];
        axes.extend(pairing.folds.then(|| folds(plan)));
        Demand { name: pairing.name.into(), rows: rows.clone(), shape: Shape::Tally { axes, weight: None } }
    };
    pairings(plan).0.into_iter().map(demand).collect()
}

/// The folds: by the unit or the key.
pub fn folds(plan: &Plan) -> Axis {
    Axis::buckets(plan.key.clone(), plan.salt("proxy"), FOLDS)
}

/// Columns that were not tried.
pub fn left_out(plan: &Plan) -> Vec<String> {
    let more = pairings(plan).1;
    let text = || format!("Too many columns to try as proxies: not tried are {}.", named(&more));
    (!more.is_empty()).then(text).into_iter().collect()
}

/// Codes of the levels that are told from the rest, the most frequent first, and how many are left out.
pub fn levels(context: &Context, attribute: &Attribute, rows: &[i64]) -> (Vec<u32>, u32) {
    let measure = &context.plan.spec.measure;
    let least = measure.support_min.max(measure.suppress_below).max(2);
    let enough = |code: &u32| rows.get(*code as usize).is_some_and(|&n| u64::try_from(n).is_ok_and(|n| n >= least));
    let mut levels: Vec<u32> = (0..attribute.levels.len() as u32).filter(enough).collect();
    levels.sort_by_key(|&code| std::cmp::Reverse(rows[code as usize]));
    levels.truncate(LEVELS_MAX);
    let left_out = attribute.levels.len() - levels.len();
    (levels, left_out as u32)
}

/// Rows of every code of an attribute.
fn rows(context: &Context, at: usize) -> Result<Vec<i64>, Missing> {
    let table = context.released.tally("measure/table")?.marginal(&[at]);
    Ok((0..context.plan.attributes[at].codes()).map(|code| table.get(&[code]).n).collect())
}

pub fn measure(context: &Context) -> Result<Vec<Proxies>, Missing> {
    let plan = context.plan;
    let (pairings, _) = pairings(plan);
    let mut all = Vec::new();
    for (at, attribute) in plan.attributes.iter().enumerate() {
        let (codes, levels_left_out) = levels(context, attribute, &rows(context, at)?);
        let mut columns = Vec::new();
        for pairing in pairings.iter().filter(|pairing| pairing.attribute.name == attribute.name) {
            columns.push(of_column(context, pairing, &codes, context.released.tally(&pairing.name)?));
        }
        let together = joint::measure(context, at, &codes)?;
        let levels = codes.iter().map(|&code| attribute.level(code)).collect();
        all.push(Proxies { attribute: attribute.name.clone(), levels, levels_left_out, columns, together });
    }
    adjust(&mut all, 1.0 - plan.spec.measure.confidence);
    Ok(all)
}

/// Adjusts the p-values of all columns together, says which are found, and sorts by strength.
fn adjust(all: &mut [Proxies], error: f64) {
    let mut columns: Vec<&mut Proxy> =
        all.iter_mut().flat_map(|proxies| &mut proxies.columns).filter(|column| column.p.is_some()).collect();
    let p: Vec<f64> = columns.iter().filter_map(|column| column.p).collect();
    for (column, adjusted) in columns.iter_mut().zip(benjamini_hochberg(&p)) {
        column.p_adjusted = Some(adjusted);
        column.found = adjusted <= error;
    }
    let strength = |column: &Proxy| match &column.auc {
        Figure::Estimated { lower, point, .. } => lower.unwrap_or(*point),
        Figure::Undefined { .. } | Figure::Suppressed => -1.0,
    };
    for proxies in all {
        proxies.columns.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then_with(|| a.column.cmp(&b.column)));
    }
}

fn of_column(context: &Context, pairing: &Pairing, levels: &[u32], tally: &Tally) -> Proxy {
    let plan = context.plan;
    let empty = Proxy {
        column: pairing.column.name.clone(),
        numeric: pairing.numeric,
        computed: computed(plan, &pairing.column.name, &pairing.attribute.name),
        level: None,
        auc: Figure::Suppressed,
        greater: None,
        binning: 0.0,
        r_squared: None,
        cramers_v: None,
        uncertainty: None,
        p: None,
        p_adjusted: None,
        found: false,
    };
    if !shown(context, pairing, tally) {
        return empty;
    }
    let mut table = Table::of(tally, levels, pairing.codes() as usize);
    let code = pairing.missing() as usize;
    let empty_code = |level: &mut Vec<Vec<i64>>| level.get_mut(code).into_iter().for_each(|folds| folds.fill(0));
    table.cells.iter_mut().for_each(empty_code);
    let flat = table.flat();
    let groups = if pairing.numeric { table::tenths(&flat) } else { (0..flat.first().map_or(0, Vec::len)).collect() };
    let association = table::association(&table::grouped(&flat, &groups));
    let told: Vec<Option<Told>> = (0..levels.len()).map(|level| tell(plan, pairing, &table, level)).collect();
    let best = told
        .iter()
        .enumerate()
        .filter_map(|(level, told)| Some((level, told.as_ref()?)))
        .max_by(|a, b| a.1.lower.total_cmp(&b.1.lower).then(b.0.cmp(&a.0)));
    let p = match plan.dependent {
        true => least(&told),
        false => of_counts(plan, pairing, &flat),
    };
    let undefined = || Figure::Undefined { reason: "fewer than two levels have rows with a value".into() };
    Proxy {
        level: best.map(|(level, _)| pairing.attribute.level(levels[level])),
        auc: best
            .map_or_else(undefined, |(_, told)| Figure::new(told.auc, Interval::new(told.lower, told.upper), told.n)),
        greater: best.and_then(|(_, told)| told.greater),
        binning: best.map_or(0.0, |(_, told)| told.binning),
        r_squared: middles(pairing).and_then(|middles| table::correlation_ratio(&flat, &middles)),
        cramers_v: association.map(|(v, _)| v),
        uncertainty: association.map(|(_, u)| u),
        p,
        ..empty
    }
}

/// With a publication limit: where every count of the table is 0 or at least the limit (of a number, of the levels with and without a
/// value), and the levels are counted in the open.
fn shown(context: &Context, pairing: &Pairing, tally: &Tally) -> bool {
    let limit = context.plan.spec.measure.suppress_below as i64;
    if limit <= 1 {
        return true;
    }
    let table = tally.marginal(&[0, 1]);
    let small = |n: i64| 0 < n && n < limit;
    let missing = pairing.missing();
    let clean = match pairing.numeric {
        true => (0..pairing.attribute.codes()).all(|level| {
            let without = table.get(&[level, missing]).n;
            let all = table.total_where(|codes| codes[0] == level).n;
            !small(without) && !small(all - without)
        }),
        false => table.cells.values().all(|cell| !small(cell.n)),
    };
    let sets = context.cohorts.sets.iter().enumerate();
    let mut own = sets.filter(|(_, groups)| groups.names.contains(&pairing.attribute.name));
    clean && own.all(|(set, _)| context.protection.shows(Some(set), &[], Layer::Rows))
}

/// Middle of every bin of a number.
fn middles(pairing: &Pairing) -> Option<Vec<f64>> {
    let (Axis::Edges { edges, .. }, Domain::Bounds { lower, upper }) = (&pairing.axis, &pairing.column.domain) else {
        return None;
    };
    let ends: Vec<f64> = std::iter::once(*lower).chain(edges.iter().copied()).chain([*upper]).collect();
    // On the scale of the bounds: the ratio is the same, and no square overflows.
    let middle = |pair: &[f64]| ((pair[0] - lower) + (pair[1] - lower)) / (2.0 * (upper - lower));
    Some(ends.windows(2).map(middle).chain([0.0]).collect())
}

/// One level told from the rest.
struct Told {
    auc: f64,
    lower: f64,
    upper: f64,
    n: i64,
    greater: Option<bool>,
    binning: f64,
    /// Of one half, by the jackknife.
    p: Option<f64>,
}

fn tell(plan: &Plan, pairing: &Pairing, table: &Table, level: usize) -> Option<Told> {
    let confidence = 1.0 - (1.0 - plan.spec.measure.confidence) / table.cells.len().max(1) as f64;
    let [own, rest] = table.against(level);
    let all = |of: &[Vec<i64>]| of.iter().flatten().sum::<i64>();
    let n = all(&own).min(all(&rest));
    if n < 2 {
        return None;
    }
    match pairing.numeric {
        false => {
            let told = held_out(plan.dependent, &own, &rest, confidence)?;
            // The best order of the levels has an area of one half or more: below it the order learned is worth nothing, and that is all.
            Some(Told { upper: told.upper.max(0.5), ..told })
        }
        true => {
            let points = |of: &[Vec<i64>], without: Option<usize>| -> Vec<(f64, f64)> {
                let count = |folds: &Vec<i64>| {
                    let kept = folds.iter().enumerate().filter(|(fold, _)| Some(*fold) != without);
                    kept.map(|(_, n)| n).sum::<i64>() as f64
                };
                let points = of.iter().enumerate().map(|(code, folds)| (code as f64, count(folds)));
                points.filter(|(_, n)| *n > 0.0).collect()
            };
            let area = |without| scores::auc(&points(&rest, without), &points(&own, without));
            let (auc, se) = area(None)?;
            let greater = auc >= 0.5;
            let turned = |auc: f64| if greater { auc } else { 1.0 - auc };
            let binning = ties(&points(&own, None), &points(&rest, None)) / 2.0;
            if plan.dependent {
                let left_out: Vec<Option<f64>> =
                    (0..FOLDS as usize).map(|fold| area(Some(fold)).map(|(auc, _)| turned(auc))).collect();
                return Some(jackknifed(turned(auc), &left_out, (confidence, n), Some(greater), binning));
            }
            let reach = normal(confidence) * se;
            let (lower, upper) = ((turned(auc) - reach).max(0.0), (turned(auc) + reach).min(1.0));
            Some(Told { auc: turned(auc), lower, upper, n, greater: Some(greater), binning, p: None })
        }
    }
}

/// Share of the pairs that are in one bin.
fn ties(own: &[(f64, f64)], rest: &[(f64, f64)]) -> f64 {
    let total = |points: &[(f64, f64)]| points.iter().map(|(_, n)| n).sum::<f64>();
    let equal = |code: f64| rest.iter().find(|(other, _)| *other == code).map_or(0.0, |(_, n)| *n);
    own.iter().map(|(code, n)| n * equal(*code)).sum::<f64>() / (total(own) * total(rest)).max(1.0)
}

fn jackknifed(
    auc: f64,
    left_out: &[Option<f64>],
    (confidence, n): (f64, i64),
    greater: Option<bool>,
    binning: f64,
) -> Told {
    let (lower, upper, p) = match table::jackknife(left_out) {
        None => (0.0, 1.0, None),
        Some((se, df)) => {
            let reach = student(confidence, df) * se;
            let p = (se > 0.0).then(|| if auc > 0.5 { independence::student_tail((auc - 0.5) / se, df) } else { 1.0 });
            ((auc - reach).max(0.0), (auc + reach).min(1.0), p)
        }
    };
    Told { auc, lower, upper, n, greater, binning, p }
}

/// Area of the codes on the folds that were not learned on, in the order of their rates on those that were.
fn held_out(dependent: bool, own: &[Vec<i64>], rest: &[Vec<i64>], confidence: f64) -> Option<Told> {
    let learned = FOLDS_LEARNED as usize;
    let before = |folds: &Vec<i64>| folds.iter().take(learned).sum::<i64>() as f64;
    let sums = own.iter().zip(rest).fold((0.0, 0.0), |sum, (a, b)| (sum.0 + before(a), sum.1 + before(a) + before(b)));
    let everyone = if sums.1 > 0.0 { sums.0 / sums.1 } else { 0.0 };
    // A code that was not learned has the rate of everyone.
    let rate = |(a, b): (&Vec<i64>, &Vec<i64>)| {
        let n = before(a) + before(b);
        if n > 0.0 { before(a) / n } else { everyone }
    };
    let rates: Vec<f64> = own.iter().zip(rest).map(rate).collect();
    let mut order: Vec<usize> = (0..rates.len()).collect();
    order.sort_by(|&a, &b| rates[a].total_cmp(&rates[b]));
    let points = |of: &[Vec<i64>], without: Option<usize>| {
        let kept = |(fold, _): &(usize, &i64)| *fold >= learned && Some(*fold) != without;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for &code in &order {
            let n = of.get(code).map_or(0, |folds| folds.iter().enumerate().filter(kept).map(|(_, n)| n).sum::<i64>());
            match points.last_mut().filter(|(rate, _)| *rate == rates[code]) {
                Some((_, sum)) => *sum += n as f64,
                None => points.push((rates[code], n as f64)),
            }
        }
        points.retain(|(_, n)| *n > 0.0);
        points
    };
    let area = |without| scores::auc(&points(rest, without), &points(own, without));
    let (auc, se) = area(None)?;
    let total = |of: &[Vec<i64>]| points(of, None).iter().map(|(_, n)| n).sum::<f64>() as i64;
    let n = total(own).min(total(rest));
    if dependent {
        let left_out: Vec<Option<f64>> =
            (learned..FOLDS as usize).map(|fold| area(Some(fold)).map(|(auc, _)| auc)).collect();
        return Some(jackknifed(auc, &left_out, (confidence, n), None, 0.0));
    }
    let reach = normal(confidence) * se;
    let (lower, upper) = ((auc - reach).max(0.0), (auc + reach).min(1.0));
    Some(Told { auc, lower, upper, n, greater: None, binning: 0.0, p: None })
}

/// The least p of the levels, times their number.
fn least(told: &[Option<Told>]) -> Option<f64> {
    let p: Vec<f64> = told.iter().flatten().filter_map(|told| told.p).collect();
    let least = p.iter().copied().reduce(f64::min)?;
    Some((least * p.len() as f64).min(1.0))
}

/// Independence of the two columns, of independent rows.
fn of_counts(plan: &Plan, pairing: &Pairing, flat: &[Vec<i64>]) -> Option<f64> {
    let mut random = StdRng::seed_from_u64(hash(&plan.salt("proxies"), pairing.name.as_bytes()));
    if !pairing.numeric {
        let table = table::grouped(flat, &table::frequent(flat));
        return independence::independence(&table, &mut random).map(|tested| tested.p);
    }
    let groups = independence::independence(&table::grouped(flat, &table::tenths(flat)), &mut random)?.p;
    let ranks = table::kruskal_wallis(flat).map_or(1.0, |(statistic, df)| independence::tail(statistic, df));
    Some((2.0 * groups.min(ranks)).min(1.0))
}
