//! Cohorts compared within the strata of control columns.
//!
//! One tally of attributes by control columns by label by decision. A stratum is a combination of declared levels; rows of other levels are
//! counted and in no stratum. Under a publication limit nothing of it is shown: strata are finer than the tables that are published, and a
//! pooled figure beside them may tell the count of a stratum. Rows that share units or have weights have no test that takes rows for
//! independent; their intervals are those of the jackknife.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Context;
use crate::audit::bias::strata::{Disparity, RateWithin, Stratum, Widest};
use crate::audit::{Contrast, Reading, bias::Figure, bias::Strata};
use crate::cohort::Cohort;
use crate::demand::{Axis, Demand, Shape};
use crate::estimate::{BUCKETS, Estimate, Measured, Sample, contrast};
use crate::evidence::Missing;
use crate::measure::tables::Groups;
use crate::measure::{Group, Subject, demand, never, rates};
use crate::metric::{Against, COMPOSITES, Comparison, Confusion, GIVEN, RATES, Rate};
use crate::plan::Plan;
use crate::scalar::Scalar;
use crate::statistic::Tally;

mod pool;

use pool::{Line, Pool};

const TABLE: &str = "measure/given";

pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    if plan.given.is_empty() || plan.spec.privacy.is_some() || (subject.label.is_none() && subject.decision.is_none()) {
        return Vec::new();
    }
    let levels = plan.attributes.iter().chain(&plan.given);
    let mut axes: Vec<Axis> =
        levels.map(|column| Axis::Levels { of: Scalar::column(&column.name), levels: column.levels.clone() }).collect();
    let truth = |of: &Option<Scalar>| Axis::Truth { of: of.clone().unwrap_or_else(never) };
    axes.extend([truth(&subject.label), truth(&subject.decision)]);
    axes.extend(plan.dependent.then(|| Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS)));
    let table = Shape::Tally { axes, weight: plan.weight.clone() };
    vec![demand(TABLE, &plan.part(Plan::TEST), table)]
}

pub fn measure(
    context: &Context,
    readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<Vec<Strata>, Missing> {
    let plan = context.plan;
    if demands(plan, context.subject).is_empty() {
        return Ok(Vec::new());
    }
    let table = context.released.tally(TABLE)?;
    let given: Vec<String> = plan.given.iter().map(|column| column.name.to_string()).collect();
    notes.push(
        "Within strata: standardised rates weigh every stratum by everyone's rows in the denominator of the rate; the weights are taken as known. Adjusting for a column that is itself a result of unequal treatment hides that treatment."
            .into(),
    );
    let withheld = (plan.spec.measure.suppress_below > 1).then(|| {
        "Counts of strata are finer than the tables that are published; under suppress_below nothing of them is shown."
            .to_string()
    });
    let mut all = Vec::new();
    for groups in &context.cohorts.sets {
        let across = groups.names.iter().map(|name| name.to_string()).collect();
        let mut strata = Strata { across, given: given.clone(), withheld: withheld.clone(), ..Strata::default() };
        let set = Set::of(plan, table, groups);
        if withheld.is_none() {
            strata.rows_unknown = set.rows_unknown;
            strata.strata = set.listed(plan);
            strata.rates = set.rates(context);
            strata.within = set.widest(context);
            strata.disparities = set.disparities(context);
        }
        set.readings(context, withheld.is_some(), readings);
        all.push(strata);
    }
    Ok(all)
}

/// Confusion tables by bucket; one bucket where rows are independent.
type Cells = BTreeMap<u32, Confusion>;

/// The table of one set of attributes.
struct Set<'a> {
    groups: &'a Groups,
    /// Codes of the control columns, and everyone's rows.
    strata: Vec<(Vec<u32>, Cells)>,
    /// By position of the cohort and of the stratum.
    cells: BTreeMap<(usize, usize), Cells>,
    rows_unknown: i64,
}

impl<'a> Set<'a> {
    fn of(plan: &Plan, table: &Tally, groups: &'a Groups) -> Set<'a> {
        let (attributes, given) = (plan.attributes.len(), plan.given.len());
        let places: BTreeMap<&[u32], usize> =
            groups.groups.iter().enumerate().map(|(at, group)| (group.codes.as_slice(), at)).collect();
        let of_set = groups.groups.first().map(|group| group.attributes.clone()).unwrap_or_default();
        let mut all: BTreeMap<Vec<u32>, (Cells, BTreeMap<usize, Cells>)> = BTreeMap::new();
        let mut rows_unknown = 0;
        for (&code, &cell) in &table.cells {
            let codes = table.codes(code);
            let at = |axis: usize| codes.get(axis).copied().unwrap_or_default();
            let stratum: Vec<u32> = (attributes..attributes + given).map(at).collect();
            if !plan.given.iter().zip(&stratum).all(|(column, &code)| column.is_declared(code)) {
                rows_unknown += cell.n;
                continue;
            }
            let (label, decision) = (at(attributes + given), at(attributes + given + 1));
            let bucket = at(attributes + given + 2);
            let entry = all.entry(stratum).or_default();
            entry.0.entry(bucket).or_default().add(label, decision, cell);
            let cohort: Vec<u32> = of_set.iter().map(|&attribute| at(attribute)).collect();
            if let Some(&place) = places.get(cohort.as_slice()) {
                entry.1.entry(place).or_default().entry(bucket).or_default().add(label, decision, cell);
            }
        }
        let (mut strata, mut cells) = (Vec::new(), BTreeMap::new());
        for (at, (codes, (everyone, cohorts))) in all.into_iter().enumerate() {
            strata.push((codes, everyone));
            cells.extend(cohorts.into_iter().map(|(cohort, of)| ((cohort, at), of)));
        }
        Set { groups, strata, cells, rows_unknown }
    }

    fn listed(&self, plan: &Plan) -> Vec<Stratum> {
        let line = |(codes, everyone): &(Vec<u32>, Cells)| Stratum {
            levels: plan
                .given
                .iter()
                .zip(codes)
                .map(|(column, &code)| column.level(code).to_string())
                .collect::<Vec<_>>()
                .join(" x "),
            rows: everyone.values().map(|table| table.rows().n).sum(),
        };
        self.strata.iter().map(line).collect()
    }

    /// Positions of the cohorts that are compared.
    fn compared(&self) -> impl Iterator<Item = usize> {
        (0..self.groups.groups.len()).filter(|&at| self.groups.groups.get(at).is_some_and(|group| group.compared))
    }

    /// The cohorts that a cohort is compared with: the reference, or all others. Empty for the reference itself.
    fn others(&self, cohort: usize) -> Vec<usize> {
        match self.groups.reference.filter(|&at| self.compared().any(|other| other == at)) {
            Some(reference) if reference == cohort => Vec::new(),
            Some(reference) => vec![reference],
            None => self.compared().filter(|&other| other != cohort).collect(),
        }
    }

    /// The tables of some cohorts together in one stratum.
    fn gathered(&self, cohorts: &[usize], stratum: usize) -> Cells {
        let mut sum = Cells::new();
        for &cohort in cohorts {
            for (&bucket, table) in self.cells.get(&(cohort, stratum)).into_iter().flatten() {
                let into: &mut Confusion = sum.entry(bucket).or_default();
                for (label, row) in table.cells.iter().enumerate() {
                    for (decision, cell) in row.iter().enumerate() {
                        into.add(label as u32, decision as u32, *cell);
                    }
                }
            }
        }
        sum
    }

    /// A rate of a cohort and of others in every stratum.
    fn pool(&self, rate: &Rate, cohort: usize, others: &[usize], dependent: bool) -> Pool {
        let lines = self.strata.iter().enumerate().map(|(at, (_, everyone))| {
            let shares = |of: &Cells| of.iter().map(|(&bucket, table)| (bucket, (rate.of)(table))).collect();
            let (own, other) = (self.gathered(&[cohort], at), self.gathered(others, at));
            let weight = |table: &Confusion| (rate.of)(table).denominator;
            let everyone = everyone.iter().map(|(&bucket, table)| (bucket, weight(table))).collect();
            Line { cohort: shares(&own), other: shares(&other), everyone }
        });
        Pool { lines: lines.collect(), dependent }
    }

    fn rates(&self, context: &Context) -> Vec<RateWithin> {
        let plan = context.plan;
        let named = |id: &str| context.metrics.iter().any(|card| card.id == id);
        let wanted = GIVEN.iter().filter(|(card, rate)| named(card.id) || named(rate));
        let within = wanted.filter_map(|(_, id)| {
            let rate = RATES.iter().find(|rate| rate.card.id == *id).filter(|rate| context.subject.has(&rate.card))?;
            let with = self.groups.reference.and_then(|at| self.groups.groups.get(at));
            let adjusted = |cohort: usize| {
                let others = self.others(cohort);
                let name = self.groups.groups.get(cohort)?.cohort.levels();
                if others.is_empty() {
                    return None;
                }
                let pool = self.pool(rate, cohort, &others, plan.dependent);
                Some(pool.adjusted(name, with.map(|group| group.cohort.levels()), plan.spec.measure.confidence))
            };
            Some(RateWithin { metric: id.to_string(), cohorts: self.compared().filter_map(adjusted).collect() })
        });
        within.collect()
    }

    /// Standardised differences to the reference cohort, as far as their metrics are measured.
    fn readings(&self, context: &Context, withheld: bool, readings: &mut Vec<Reading>) {
        let plan = context.plan;
        let Some(reference) = self.groups.reference.and_then(|at| self.groups.groups.get(at)) else { return };
        for (card, id) in GIVEN.iter().filter(|(card, _)| context.metrics.iter().any(|other| other.id == card.id)) {
            let Some(rate) = RATES.iter().find(|rate| rate.card.id == *id) else { continue };
            for cohort in self.compared() {
                let (others, group) = (self.others(cohort), self.groups.groups.get(cohort));
                let (false, Some(group)) = (others.is_empty(), group) else { continue };
                let measured = match withheld {
                    true => Measured::Suppressed,
                    false => self.pool(rate, cohort, &others, plan.dependent).difference(plan.spec.measure.confidence),
                };
                readings.push(Reading {
                    metric: card.id.into(),
                    across: self.groups.names.clone(),
                    cohort: group.cohort.clone(),
                    contrast: Some(Contrast {
                        compare: Comparison::Difference,
                        against: Against::Reference,
                        with: Some(reference.cohort.clone()),
                        too_few: 0,
                    }),
                    measured,
                });
            }
        }
    }

    /// The two cohorts that differ most, in every stratum.
    fn widest(&self, context: &Context) -> Vec<Widest> {
        let (plan, mut all) = (context.plan, Vec::new());
        let least = plan.spec.measure.support_min;
        for card in context.metrics {
            let rate = RATES.iter().find(|rate| rate.card.id == card.id);
            let composite = COMPOSITES.iter().find(|composite| composite.card.id == card.id);
            for stratum in 0..self.strata.len() {
                let sample = |cohort: usize| {
                    let group = self.group(plan, cohort, stratum)?;
                    match (rate, composite) {
                        (Some(rate), _) => Some(rates::share(rate, &group, plan.dependent, None)),
                        (None, Some(composite)) => Some(rates::composite(composite, &group, plan, None)),
                        (None, None) => None,
                    }
                };
                let samples: Vec<Sample> = self.compared().filter_map(sample).collect();
                if samples.is_empty() {
                    continue;
                }
                let few =
                    |sample: &Sample| sample.point().is_some() && u64::try_from(sample.n()).is_ok_and(|n| n < least);
                let too_few = samples.iter().filter(|sample| few(sample)).count() as u32;
                let kept: Vec<Sample> = samples.into_iter().filter(|sample| !few(sample)).collect();
                let figure = |compare| match compare {
                    Comparison::Ratio if card.id == "matthews-correlation" => {
                        Figure::Undefined { reason: crate::estimate::Why::RatioOfSigned.describe().into() }
                    }
                    _ => widest_pair(&kept, compare, plan.spec.measure.confidence),
                };
                let (difference, ratio) = (figure(Comparison::Difference), figure(Comparison::Ratio));
                all.push(Widest { metric: card.id.into(), stratum: stratum as u32, too_few, difference, ratio });
            }
        }
        all
    }

    /// A cohort within a stratum, as the metrics of cohorts take it; none without rows.
    fn group(&self, plan: &Plan, cohort: usize, stratum: usize) -> Option<Group> {
        let (group, cells) = (self.groups.groups.get(cohort)?, self.cells.get(&(cohort, stratum))?);
        let (codes, _) = self.strata.get(stratum)?;
        let pairs = plan.given.iter().zip(codes).map(|(column, &code)| (column.name.clone(), column.level(code)));
        let pairs: Vec<(Arc<str>, Arc<str>)> = group.cohort.pairs.iter().cloned().chain(pairs).collect();
        let buckets = if plan.dependent { BUCKETS } else { 1 };
        let tables = (0..buckets).map(|bucket| cells.get(&bucket).copied().unwrap_or_default()).collect();
        Some(Group { cohort: Cohort { pairs }, tables, ..group.clone() })
    }

    /// Conditional demographic disparity of every compared cohort, by decisions and by labels.
    fn disparities(&self, context: &Context) -> Vec<Disparity> {
        let by_decision = |table: &Confusion, outcome: usize| table.decision(outcome);
        let by_label = |table: &Confusion, outcome: usize| table.label(outcome);
        type Outcome<'o> = &'o dyn Fn(&Confusion, usize) -> crate::statistic::Cell;
        let outcomes: [(&str, bool, Outcome); 2] = [
            ("decision", context.subject.decision.is_some(), &by_decision),
            ("label", context.subject.label.is_some(), &by_label),
        ];
        let mut all = Vec::new();
        for (outcome, _, of) in outcomes.into_iter().filter(|(_, there, _)| *there) {
            let compared: Vec<usize> = self.compared().collect();
            let known: Vec<_> = (0..self.strata.len()).map(|at| self.gathered(&compared, at)).collect();
            for &cohort in &compared {
                let Some(group) = self.groups.groups.get(cohort) else { continue };
                let lines = self.strata.iter().enumerate().map(|(at, _)| {
                    let own = self.gathered(&[cohort], at);
                    // As without strata: shares of the rows of known cohorts.
                    let everyone = &known[at];
                    let empty = Confusion::default();
                    let share = |outcome: usize| {
                        let part = |bucket: &u32| of(own.get(bucket).unwrap_or(&empty), outcome);
                        let share = |(bucket, table): (&u32, &Confusion)| {
                            let (numerator, denominator) = (part(bucket), of(table, outcome));
                            (*bucket, crate::estimate::Share { numerator, denominator })
                        };
                        everyone.iter().map(share).collect()
                    };
                    let rows = everyone.iter().map(|(&bucket, table)| (bucket, of(table, 0) + of(table, 1))).collect();
                    Line { cohort: share(0), other: share(1), everyone: rows }
                });
                let pool = Pool { lines: lines.collect(), dependent: context.plan.dependent };
                all.push(Disparity {
                    outcome: outcome.into(),
                    cohort: group.cohort.levels(),
                    strata_left_out: pool.left_out().0,
                    value: Figure::of(&pool.difference(context.plan.spec.measure.confidence)),
                });
            }
        }
        all
    }
}

fn widest_pair(samples: &[Sample], compare: Comparison, confidence: f64) -> Figure {
    let none = Sample::None(crate::estimate::Why::FewerThanTwoCohorts);
    let found = contrast(compare, Against::WorstPair, samples, &none, None, confidence);
    let measured = found.first().map(|compared| &compared.measured);
    measured.map_or(Figure::Suppressed, Figure::of)
}

/// The difference of two shares.
fn difference(cohort: &Sample, other: &Sample, confidence: f64) -> Measured {
    let none = Sample::None(crate::estimate::Why::NoReference);
    let pair = [cohort.clone(), other.clone()];
    let found = contrast(Comparison::Difference, Against::Reference, &pair, &none, Some(1), confidence);
    let none = Measured::Undefined { why: crate::estimate::Why::EmptyComparison };
    found.into_iter().next().map_or(none, |compared| compared.measured)
}

/// An estimate with its point and ends exponentiated.
fn exponential(measured: &Measured) -> Figure {
    let of = |estimate: &Estimate| {
        let ends = estimate.interval;
        let interval = crate::estimate::Interval { lower: ends.lower.map(f64::exp), upper: ends.upper.map(f64::exp) };
        Figure::new(estimate.point.exp(), interval, estimate.support.n)
    };
    measured.estimate().map_or_else(|| Figure::of(measured), of)
}

#[cfg(test)]
mod tests;
