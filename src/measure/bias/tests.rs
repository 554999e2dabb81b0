//! Tests of equality of rates between cohorts, and what they do not show.
//!
//! All of it is made of the counts of the contingency table. Every cohort is compared with the declared reference, or with the one of the
//! highest rate; all cohorts together by a permutation test of the gap and chi-squared. P-values are adjusted over all sets and rates. A
//! comparison that shows no difference says how large a one it excludes, and one that could be either is said to be insufficient.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Context;
use crate::audit::{
    Reading,
    bias::{
        Figure, Tests,
        tests::{Evidence, Read, TestedGap, TestedPair, TestedRate, TestedSet, TestedWith},
    },
};
use crate::demand::{Demand, hash};
use crate::estimate::equality::{
    Counts, benjamini_hochberg, chi_squared, fisher_two_sided, holm, normal_p_two_sided, pooled_z,
};
use crate::estimate::{
    Interval, Measured, Sample, contrast, difference_z, gap, limits, normal, student_p_two_sided, studentized_range,
};
use crate::evidence::Missing;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::measure::{Subject, rates};
use crate::metric::{Against, Comparison, RATES, Rate};
use crate::plan::Plan;

/// The rates that are tested; the others are one minus one of these.
const TESTED: [&str; 7] = [
    "selection-rate",
    "true-positive-rate",
    "false-positive-rate",
    "positive-predictive-value",
    "negative-predictive-value",
    "accuracy",
    "prevalence",
];

/// Below these Fisher's p is read and not z.
const ROWS_MIN: i64 = 30;
const EXPECTED_MIN: f64 = 5.0;

/// The four-fifths limit of the Uniform Guidelines: a screening limit.
const FOUR_FIFTHS: f64 = 0.8;

/// Most draws of one permutation test, and fewest.
const DRAWS_MAX: u32 = 100_000;
const DRAWS_MIN: u32 = 99;

pub fn demands(_plan: &Plan, _subject: &Subject) -> Vec<Demand> {
    Vec::new()
}

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    notes: &mut Vec<String>,
) -> Result<Option<Tests>, Missing> {
    let rates: Vec<&Rate> = TESTED
        .iter()
        .filter(|id| context.metrics.iter().any(|card| card.id == **id))
        .filter_map(|id| RATES.iter().find(|rate| rate.card.id == *id))
        .collect();
    let plan = context.plan;
    if plan.spec.privacy.is_some() || rates.is_empty() || context.cohorts.sets.is_empty() {
        return Ok(None);
    }
    let sets = context.cohorts.sets.iter().enumerate().map(|(at, groups)| TestedSet {
        across: groups.names.iter().map(|name| name.to_string()).collect(),
        rates: rates.iter().map(|rate| tested(context, at, groups, rate)).collect(),
    });
    let mut tests = Tests {
        confidence: plan.spec.measure.confidence,
        family: 0,
        family_of_gaps: 0,
        dealings: 0,
        dependent: plan.dependent,
        sets: sets.collect(),
        notes: said(plan),
    };
    adjust(&mut tests);
    notes.push(format!(
        "Tests of equality: {} comparisons of cohorts and {} tests of all cohorts of a set at once were made; p-values are adjusted over each family by Holm (1979) and by Benjamini and Hochberg (1995).",
        tests.family, tests.family_of_gaps
    ));
    Ok(Some(tests))
}

fn said(plan: &Plan) -> Vec<String> {
    let least = plan.spec.measure.support_min;
    let mut notes = vec![
        format!(
            "Cohorts with fewer than {least} rows in the denominator of a rate are compared, and left out of the test of all cohorts and of the highest rate."
        ),
        "A large p-value is no evidence of equality: read the margin, the difference beyond which one is excluded."
            .into(),
    ];
    if plan.dependent {
        notes.push("Rows share units or carry weights. z and its p-value are those of the jackknife over units; Fisher's test, chi-squared and the permutation test take rows for independent and are not made.".into());
    }
    notes
}

/// One cohort that is compared.
struct Member<'a> {
    group: &'a Group,
    sample: Sample,
    counts: Counts,
}

fn member<'a>(plan: &Plan, group: &'a Group, rate: &Rate) -> Member<'a> {
    let share = (rate.of)(&group.total());
    let sample = rates::share(rate, group, plan.dependent, None);
    Member { group, sample, counts: (share.numerator.n, share.denominator.n) }
}

fn tested(context: &Context, set: usize, groups: &Groups, rate: &Rate) -> TestedRate {
    let plan = context.plan;
    let none = |why: &str| TestedRate {
        metric: rate.card.id.into(),
        not_tested: Some(why.into()),
        gap: None,
        with: None,
        pairs: Vec::new(),
    };
    let compared: Vec<&Group> = groups.groups.iter().filter(|group| group.compared).collect();
    let layer = Layer::of(rate.card.needs);
    if !compared.iter().all(|group| context.protection.shows(Some(set), &group.codes, layer)) {
        return none("withheld, because a count behind it is below the publication limit or would disclose one");
    }
    let members: Vec<Member> = compared
        .into_iter()
        .map(|group| member(plan, group, rate))
        .filter(|member| member.sample.point().is_some())
        .collect();
    let reference = groups.reference.and_then(|at| groups.groups.get(at)).map(|group| &group.codes);
    let declared = members.iter().position(|member| Some(&member.group.codes) == reference);
    let Some(with) = declared.or_else(|| highest(&members, plan)).filter(|_| members.len() > 1) else {
        return none("fewer than two cohorts have a value and enough rows");
    };
    let across = format!("{}|{}", rate.card.id, groups.names.join("|"));
    TestedRate {
        metric: rate.card.id.into(),
        not_tested: None,
        gap: all_at_once(plan, &members, &across),
        with: Some(TestedWith {
            cohort: members[with].group.cohort.to_string(),
            declared: declared.is_some(),
            count: members[with].counts.0,
            n: members[with].counts.1,
        }),
        pairs: pairs(plan, &members, with, declared.is_some()),
    }
}

fn has_support(plan: &Plan, n: i64) -> bool {
    u64::try_from(n).is_ok_and(|n| n >= plan.spec.measure.support_min)
}

/// The cohort of the highest rate among those of enough rows.
fn highest(members: &[Member], plan: &Plan) -> Option<usize> {
    let value = |at: &usize| members[*at].sample.point().unwrap_or(f64::NEG_INFINITY);
    let enough = (0..members.len()).filter(|&at| has_support(plan, members[at].counts.1));
    enough.rev().max_by(|a, b| value(a).total_cmp(&value(b)))
}

/// The tests of all cohorts of enough rows. Not of dependent rows.
fn all_at_once(plan: &Plan, members: &[Member], salt: &str) -> Option<TestedGap> {
    let counts: Vec<Counts> =
        members.iter().map(|member| member.counts).filter(|(_, n)| has_support(plan, *n)).collect();
    if plan.dependent || counts.len() < 2 {
        return None;
    }
    // As many as let the least possible p stay below the level after Holm's adjustment over all gaps.
    let family = (TESTED.len() * plan.across.len().max(1)) as f64;
    let needed = (2.0 * family / (1.0 - plan.spec.measure.confidence)).ceil().min(f64::from(DRAWS_MAX)) as u32;
    let dealings = plan.spec.measure.replicates.max(needed).min(DRAWS_MAX / counts.len() as u32).max(DRAWS_MIN);
    let mut random = StdRng::seed_from_u64(hash(&plan.salt("permutation"), salt.as_bytes()));
    let table: Vec<[i64; 2]> = counts.iter().map(|(x, n)| [*x, n - x]).collect();
    let chi = chi_squared(&table);
    let spread = gap::between(&counts, plan.spec.measure.confidence);
    let n = counts.iter().map(|(_, n)| *n).min().unwrap_or_default();
    Some(TestedGap {
        cohorts: counts.len(),
        gap: gap::gap(&counts)?,
        dealings,
        permutation_p: gap::permutation_p(&counts, dealings, &mut random)?,
        chi_squared: chi.map(|chi| chi.statistic),
        df: chi.map(|chi| chi.df),
        chi_squared_p: chi.map(|chi| chi.p),
        holm: 1.0,
        benjamini_hochberg: 1.0,
        spread: match spread {
            Some(spread) => Figure::new(spread.deviation, Interval::new(spread.lower, spread.upper), n),
            None => Figure::Undefined { reason: "fewer than two cohorts have two rows".into() },
        },
    })
}

/// Every other cohort against one.
fn pairs(plan: &Plan, members: &[Member], with: usize, declared: bool) -> Vec<TestedPair> {
    let confidence = plan.spec.measure.confidence;
    // The one of the highest rate was picked by the data: intervals hold for all pairs at once.
    let against = if declared { Against::Reference } else { Against::Highest };
    let eligible: Vec<usize> = match declared {
        true => (0..members.len()).collect(),
        false => (0..members.len()).filter(|&at| has_support(plan, members[at].counts.1)).collect(),
    };
    let samples: Vec<Sample> = eligible.iter().map(|&at| members[at].sample.clone()).collect();
    let reference = eligible.iter().position(|&at| at == with);
    let of = |comparison| contrast(comparison, against, &samples, &samples[0], reference, confidence);
    let (differences, ratios) = (of(Comparison::Difference), of(Comparison::Ratio));
    let times = if declared { 1.0 } else { (samples.len() * (samples.len() - 1)) as f64 / 2.0 };
    let z = match declared {
        true => normal(confidence),
        false => studentized_range(confidence, samples.len()) / std::f64::consts::SQRT_2,
    };
    let compared = differences.iter().zip(&ratios).filter_map(|(difference, ratio)| {
        let at = *eligible.get(difference.cohort)?;
        Some(pair(plan, (&members[at], &members[with]), (&difference.measured, &ratio.measured), (times, z)))
    });
    let few = (0..members.len()).filter(|at| !eligible.contains(at)).map(|at| {
        let two = [members[at].sample.clone(), members[with].sample.clone()];
        let of = |comparison| contrast(comparison, Against::Reference, &two, &two[1], Some(1), confidence);
        let (difference, ratio) = (of(Comparison::Difference), of(Comparison::Ratio));
        let first = |mut all: Vec<crate::estimate::Compared>| all.swap_remove(0).measured;
        pair(plan, (&members[at], &members[with]), (&first(difference), &first(ratio)), (times, z))
    });
    compared.chain(few).collect()
}

fn pair(
    plan: &Plan,
    (one, other): (&Member, &Member),
    (difference, ratio): (&Measured, &Measured),
    (times, critical): (f64, f64),
) -> TestedPair {
    let (a, b) = (one.counts, other.counts);
    let table = [[a.0, a.1 - a.0], [b.0, b.1 - b.0]];
    let counted = !plan.dependent;
    let (z, z_p) = match counted {
        true => (pooled_z(a, b), pooled_z(a, b).map(normal_p_two_sided)),
        false => {
            let z = difference_z(&one.sample, &other.sample);
            let p = z.map(|(z, df)| df.map_or_else(|| normal_p_two_sided(z), |df| student_p_two_sided(z, df)));
            (z.map(|(z, _)| z), p)
        }
    };
    let fisher_p = fisher_two_sided(table).filter(|_| counted);
    let method = if counted && (z.is_none() || is_small(a, b)) { Read::Fisher } else { Read::Z };
    let p = if method == Read::Fisher { fisher_p } else { z_p };
    let (verdict, reason) = evidence(plan, (a.1, b.1), ratio);
    TestedPair {
        cohort: one.group.cohort.to_string(),
        count: a.0,
        n: a.1,
        difference: Figure::of(difference),
        ratio: Figure::of(ratio),
        score_difference: counted.then(|| score_difference(a, b, critical)),
        odds_ratio: counted.then(|| odds_ratio(a, b, critical)),
        z,
        z_p,
        two_sd: z.map(|z| z.abs() > 2.0),
        fisher_p,
        chi_squared: chi_squared(&table).filter(|_| counted).map(|chi| chi.statistic),
        method,
        p: p.map(|p| (p * times).min(1.0)),
        holm: None,
        benjamini_hochberg: None,
        margin: margin(plan, difference),
        verdict,
        reason,
    }
}

fn score_difference(a: Counts, b: Counts, z: f64) -> Figure {
    let (lower, upper) = limits::difference(a, b, z);
    Figure::new(a.0 as f64 / a.1 as f64 - b.0 as f64 / b.1 as f64, Interval::new(lower, upper), a.1.min(b.1))
}

fn odds_ratio(a: Counts, b: Counts, z: f64) -> Figure {
    let odds = |(x, n): Counts| x as f64 / (n - x) as f64;
    let (lower, upper) = limits::odds_ratio(a, b, z);
    Figure::new(odds(a) / odds(b), Interval::new(lower, upper), a.1.min(b.1))
}

/// True when z is no test to rely on: few rows together, or an expected count below five.
fn is_small(a: Counts, b: Counts) -> bool {
    let rows = (a.1 as f64, b.1 as f64);
    let all = rows.0 + rows.1;
    let successes = a.0 as f64 + b.0 as f64;
    let least = rows.0.min(rows.1) * successes.min(all - successes) / all;
    a.1.saturating_add(b.1) < ROWS_MIN || least < EXPECTED_MIN
}

/// The smallest margin within which both one-sided tests of equivalence succeed: the further end of the interval of confidence 1 - 2 alpha.
fn margin(plan: &Plan, difference: &Measured) -> Option<f64> {
    let estimate = difference.estimate()?;
    let interval = estimate.at((2.0 * plan.spec.measure.confidence - 1.0).max(0.5)).interval;
    let (lower, upper) = (interval.lower?, interval.upper?);
    Some(lower.abs().max(upper.abs()))
}

/// Before adjustment: what too few rows or a wide interval leave open.
fn evidence(plan: &Plan, (n, m): (i64, i64), ratio: &Measured) -> (Evidence, Option<String>) {
    let least = plan.spec.measure.support_min;
    if !has_support(plan, n.min(m)) {
        return (Evidence::Insufficient, Some(format!("fewer than {least} rows")));
    }
    match ratio.estimate() {
        None => (Evidence::Insufficient, Some("the ratio is undefined".into())),
        Some(estimate) => {
            let holds = |value: f64| estimate.interval.contains(value);
            let limit = holds(FOUR_FIFTHS) || holds(1.0 / FOUR_FIFTHS);
            match (holds(1.0), limit) {
                (true, true) => {
                    let why = "the interval of the ratio holds both 1 and a limit of four fifths";
                    (Evidence::Insufficient, Some(why.into()))
                }
                // Adjusted for all comparisons it may still be chance.
                (false, _) => {
                    let why =
                        "the interval of this ratio alone leaves 1 out, and after adjustment chance is not excluded";
                    (Evidence::Insufficient, Some(why.into()))
                }
                (true, false) => (Evidence::NoneShown, None),
            }
        }
    }
}

/// Adjusted p-values over all sets and rates, and the evidence that remains.
fn adjust(tests: &mut Tests) {
    let level = 1.0 - tests.confidence;
    let rates = || tests.sets.iter().flat_map(|set| &set.rates);
    let p: Vec<f64> = rates().flat_map(|rate| &rate.pairs).filter_map(|pair| pair.p).collect();
    let of_gaps: Vec<f64> = rates().filter_map(|rate| rate.gap.as_ref()).map(|gap| gap.permutation_p).collect();
    tests.dealings = rates().filter_map(|rate| rate.gap.as_ref()).map(|gap| gap.dealings).min().unwrap_or_default();
    (tests.family, tests.family_of_gaps) = (p.len(), of_gaps.len());
    let mut adjusted = holm(&p).into_iter().zip(benjamini_hochberg(&p));
    let mut gaps = holm(&of_gaps).into_iter().zip(benjamini_hochberg(&of_gaps));
    for rate in tests.sets.iter_mut().flat_map(|set| &mut set.rates) {
        if let Some(gap) = &mut rate.gap {
            (gap.holm, gap.benjamini_hochberg) = gaps.next().unwrap_or((1.0, 1.0));
        }
        for pair in rate.pairs.iter_mut().filter(|pair| pair.p.is_some()) {
            let Some((holm, false_discoveries)) = adjusted.next() else { continue };
            (pair.holm, pair.benjamini_hochberg) = (Some(holm), Some(false_discoveries));
            let too_few = pair.reason.as_deref().is_some_and(|reason| reason.starts_with("fewer"));
            if holm <= level && !too_few {
                (pair.verdict, pair.reason) = (Evidence::Difference, None);
            }
        }
    }
}

#[cfg(test)]
mod cases;
