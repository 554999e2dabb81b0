//! Lending in the United States: adverse impact ratio, marginal effect, odds ratio, standardised mean difference of scores.
//!
//! AIR = favourable rate of the cohort / that of the reference; marginal effect = reference minus cohort, in percentage points;
//! odds ratio = p (1 - q) / ((1 - p) q), its interval from the logarithm (Woolf 1955; the bucket jackknife where rows share units or carry weights).
//! Standardised mean differences are those of `distances`: with s of all scores, divisor n, and pooled within the two (Cohen's d).

use super::ll144::limited;
use super::{background, blank, compared, fact, figure, rate, secondary, sets, title};
use crate::audit::bias::regulation::{Cell, Row, Table};
use crate::audit::bias::{Figure, Regulation};
use crate::estimate::{Interval, Measured, Sample, normal};
use crate::evidence::Missing;
use crate::measure::bias::Context;
use crate::measure::bias::distances::means::Unit;
use crate::measure::bias::distances::scores::Scored;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::metric::{Against, Comparison, Confusion};
use crate::plan::spec;

pub fn view(context: &Context, rule: &spec::Regulation) -> Result<Regulation, Missing> {
    let mut view = blank(rule, "Credit in the United States (ECOA and Regulation B, FHA, states)");
    describe(&mut view, rule);
    if context.subject.decision.is_none() {
        view.not_measured = "there is no decision".into();
        return Ok(view);
    }
    let scores = scores(context)?;
    for (set, groups) in sets(context, rule) {
        let shown = groups.groups.iter().all(|group| context.protection.shows(Some(set), &group.codes, Layer::Joint));
        match (groups.reference, shown) {
            (_, false) => view
                .results
                .push(format!("{}: withheld, because a count is below the publication limit.", title(groups))),
            (None, true) => {
                view.results.push(format!("{}: not compared, because there is no reference level.", title(groups)))
            }
            (Some(reference), true) => view.tables.push(table(context, groups, reference, scores.as_ref())),
        }
    }
    if scores.is_none() {
        let why = if limited(context) { "With a publication limit" } else { "Without a score" };
        view.results.push(format!("{why} standardised mean differences are not computed."));
    }
    Ok(view)
}

/// Scores by cohort. Rows with a score are fewer than rows: with a publication limit their difference would be told.
fn scores<'a>(context: &Context<'a>) -> Result<Option<Scored<'a>>, Missing> {
    match context.subject.score.is_some() && !limited(context) {
        true => Ok(Some(Scored::of(context)?)),
        false => Ok(None),
    }
}

fn table(context: &Context, groups: &Groups, reference: usize, scores: Option<&Scored>) -> Table {
    let known: Vec<&Group> = groups.groups.iter().filter(|group| group.compared).collect();
    let reference = groups.groups.get(reference);
    let at = known.iter().position(|group| reference.is_some_and(|reference| reference.codes == group.codes));
    let samples: Vec<Sample> = known.iter().filter_map(|group| rate(context, "selection-rate", group)).collect();
    let against = |compare| compared(context, &samples, (compare, Against::Reference), at);
    let (ratios, differences) = (against(Comparison::Ratio), against(Comparison::Difference));
    let mut rows = Vec::new();
    for (i, group) in known.iter().enumerate() {
        let total = group.total();
        let mut cells = vec![
            Cell::Count { value: total.decision(0).n + total.decision(1).n },
            samples.get(i).map_or(Cell::words("undefined"), |sample| figure(context, sample)),
        ];
        match (at.and_then(|at| known.get(at)), Some(i) == at) {
            (Some(reference), false) => {
                cells.push(measured(ratios.get(i)));
                cells.push(points(differences.get(i)));
                cells.push(Cell::Figure { figure: odds_ratio(context, group, reference) });
                cells.extend(match scores {
                    Some(scores) => standardised(scores, group, reference),
                    None => [Cell::words("no score"), Cell::words("no score")],
                });
            }
            _ => cells.extend((0..5).map(|_| Cell::words("reference"))),
        }
        rows.push(Row { cohort: group.cohort.levels(), cells });
    }
    let headings = [
        "Decisions",
        "Favourable rate",
        "AIR to the reference",
        "Marginal effect, percentage points",
        "Odds ratio",
        "SMD, s of all scores",
        "SMD, s within the two (Cohen's d)",
    ];
    let mut notes =
        vec!["The marginal effect is reference minus cohort: above 0 the cohort is less often favoured.".into()];
    if scores.is_some_and(Scored::is_binned) {
        notes.push(
            "More than 4,096 distinct scores: means are those of bin middles, within half a bin of the exact ones."
                .into(),
        );
    }
    if context.plan.weight.is_some() && scores.is_some() {
        notes.push("Standardised mean differences count every row once, whatever its weight.".into());
    }
    Table { title: title(groups), headings: headings.map(String::from).to_vec(), rows, notes }
}

fn measured(of: Option<&Option<Measured>>) -> Cell {
    match of {
        Some(Some(measured)) => Cell::Figure { figure: Figure::of(measured) },
        _ => Cell::words("undefined"),
    }
}

/// Reference minus cohort in percentage points.
fn points(of: Option<&Option<Measured>>) -> Cell {
    let Some(Some(Measured::Estimated(estimate))) = of else { return measured(of) };
    let turned = |end: Option<f64>| end.map(|end| -100.0 * end);
    let interval = Interval { lower: turned(estimate.interval.upper), upper: turned(estimate.interval.lower) };
    Cell::Figure { figure: Figure::new(-100.0 * estimate.point, interval, estimate.support.n) }
}

/// Favoured and not, of the cohort and of the reference, by weight.
fn cells(cohort: &Confusion, reference: &Confusion) -> [f64; 4] {
    [cohort.decision(1), cohort.decision(0), reference.decision(1), reference.decision(0)].map(|cell| cell.w as f64)
}

fn log_odds([a, b, c, d]: [f64; 4]) -> Option<f64> {
    [a, b, c, d].iter().all(|&n| n > 0.0).then(|| (a * d / (b * c)).ln())
}

fn odds_ratio(context: &Context, cohort: &Group, reference: &Group) -> Figure {
    let confidence = context.plan.spec.measure.confidence;
    let (a, b) = (cohort.total(), reference.total());
    let all = cells(&a, &b);
    let Some(point) = log_odds(all) else {
        return Figure::Undefined { reason: "one of the four counts is 0".into() };
    };
    let n = (a.decision(0) + a.decision(1)).n.min((b.decision(0) + b.decision(1)).n);
    let exp =
        |interval: &Interval| Interval { lower: interval.lower.map(f64::exp), upper: interval.upper.map(f64::exp) };
    if !context.plan.dependent {
        let half = normal(confidence) * all.iter().map(|n| 1.0 / n).sum::<f64>().sqrt();
        return Figure::new(point.exp(), exp(&Interval::new(point - half, point + half)), n);
    }
    let pairs = || cohort.tables.iter().zip(&reference.tables);
    let left_out = pairs().map(|(a, b)| {
        let part = cells(a, b);
        log_odds([0, 1, 2, 3].map(|i| all[i] - part[i]))
    });
    let filled = pairs().filter(|(a, b)| cells(a, b).iter().any(|&n| n != 0.0)).count();
    match Sample::buckets(Some(point), left_out.collect(), filled, n).measure(confidence) {
        Measured::Estimated(estimate) => Figure::new(point.exp(), exp(&estimate.interval), n),
        other => Figure::of(&other),
    }
}

/// Both standardised mean differences.
fn standardised(scores: &Scored, a: &Group, b: &Group) -> [Cell; 2] {
    [Unit::Overall, Unit::Pooled].map(|unit| Cell::Figure { figure: Figure::of(&scores.difference(a, b, unit)) })
}

fn describe(view: &mut Regulation, rule: &spec::Regulation) {
    view.facts = vec![
        fact("Source and explanation of the data", &rule.data_source),
        ("Screening value of the ratio".into(), rule.screening().to_string()),
    ];
    view.statements = vec![
        secondary(
            "A final rule of the CFPB of 22 April 2026, effective 21 July 2026, takes the effects test (disparate impact) out of Regulation B; neutral criteria then matter there as intentional proxies.",
            "law firms' pages on FR 2026-07804",
        ),
        secondary(
            "The OCC (Bulletin 2025-16) and the FDIC have taken disparate impact out of their examinations.",
            "law firms' pages",
        ),
        secondary(
            "Disparate impact goes on under the Fair Housing Act, in New Jersey (codified December 2025), Massachusetts, New York and California, and in private suits.",
            "law firms' pages",
        ),
        secondary(
            "0.80 is borrowed from the guidelines for employment and was never put into law for lending; 0.90 is used in the field as a stricter line. Both are screening.",
            "third-party pages",
        ),
        background(
            "A standardised mean difference of 0.30 is a common line of the industry; Cohen's 0.2, 0.5 and 0.8 are called small, medium and large.",
        ),
    ];
    view.not_said = [
        "None of these laws has a threshold for any of these numbers. A value beyond a screening line says where to look, not what was found.",
        "The numbers do not say whether a criterion serves a business need, nor whether another would serve it with a smaller difference: both are asked next.",
        "Which of these laws apply depends on the product, the lender and the state. This view does not decide it.",
        "Two conventions of the standardised mean difference are in use and give different numbers; both are printed under their names.",
        "Reasons for adverse actions are not looked at here.",
    ]
    .map(String::from)
    .to_vec();
}
