//! New York City Local Law 144 of 2021 and its rule, 6 RCNY 5-300 to 5-304.
//!
//! selection rate(c) = selected in c / all in c; scoring rate(c) = rows of c with a score strictly above the median of all scores / all in c;
//! impact ratio(c) = rate(c) / rate of the category with the highest rate. In three tables, of sex, race or ethnicity, and both, each with a highest
//! rate of its own. Categories below 2 % of all rows may be left out: they have no ratio and are not the highest. All in c are all rows of c, those
//! without a decision or a score included.

use super::median::Ranked;
use super::{background, blank, compared, fact, figure, secondary, sets, stated, title};
use crate::audit::bias::regulation::{Cell, Row, Table};
use crate::audit::bias::{Figure, Regulation};
use crate::estimate::{Sample, Share};
use crate::evidence::Missing;
use crate::measure::bias::Context;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::metric::{Against, Comparison};
use crate::plan::spec::{self, Basis, DataKind};
use crate::statistic;

/// True when the rates are those of scores.
pub fn is_scoring(rule: &spec::Regulation, has_decision: bool) -> bool {
    match rule.basis {
        Some(basis) => basis == Basis::Scoring,
        None => !has_decision,
    }
}

pub fn view(context: &Context, rule: &spec::Regulation) -> Result<Regulation, Missing> {
    let scoring = is_scoring(rule, context.subject.decision.is_some());
    let mut view = blank(rule, "New York City Local Law 144 (6 RCNY 5-300 to 5-304)");
    describe(&mut view, rule);
    if context.plan.weight.is_some() {
        view.not_measured =
            "rows carry sampling weights, and the rule counts applicants: take the role \"weight\" off in a pipeline for this rule".into();
        return Ok(view);
    }
    let ranked = match (scoring, &context.subject.score) {
        (true, Some(_)) => Some(Ranked::of(context.released)?),
        (true, None) => {
            view.not_measured = "there is no score".into();
            return Ok(view);
        }
        (false, _) if context.subject.decision.is_none() => {
            view.not_measured = "there is no decision".into();
            return Ok(view);
        }
        (false, _) => None,
    };
    if ranked.is_some() && limited(context) {
        view.not_measured =
            "withheld: with a publication limit the median, and the rows above it beside the decisions, could tell of few rows".into();
        return Ok(view);
    }
    if let Some(ranked) = &ranked {
        match ranked.median {
            Some(median) => view.results.push(format!(
                "Median of all {} scores, rows of unknown category included: {median}. Rows with exactly this score: {}; they are not above it.",
                ranked.rows, ranked.ties
            )),
            None => {
                view.not_measured = "the median is not exact: there is no score, or a score is not finite".into();
                return Ok(view);
            }
        }
    }
    let measured = sets(context, rule);
    if limited(context) && !measured.iter().all(|(set, groups)| may_show(context, *set, groups, ranked.as_ref())) {
        view.not_measured =
            "withheld: a count of these tables is below the publication limit, or would disclose one".into();
        return Ok(view);
    }
    for (_, groups) in measured {
        view.tables.push(table(context, rule, groups, ranked.as_ref()));
    }
    Ok(view)
}

pub(super) fn limited(context: &Context) -> bool {
    context.plan.spec.measure.suppress_below > 1
}

/// No count of the table is small, and nothing of the set is withheld elsewhere.
fn may_show(context: &Context, set: usize, groups: &Groups, ranked: Option<&Ranked>) -> bool {
    let limit = i64::try_from(context.plan.spec.measure.suppress_below).unwrap_or(i64::MAX);
    let small = |n: i64| 0 < n && n < limit;
    groups.groups.iter().all(|group| {
        let (all, number, unknown) = numbers(group, ranked);
        context.protection.shows(Some(set), &group.codes, Layer::Joint)
            && ![all, number, unknown, all - number - unknown].into_iter().any(small)
    })
}

/// All rows of a category, those selected or above the median, and those without a decision or a score.
fn numbers(group: &Group, ranked: Option<&Ranked>) -> (i64, i64, i64) {
    let total = group.total();
    let all = total.rows().n;
    match ranked {
        None => (all, total.decision(1).n, total.decision(2).n),
        Some(ranked) => {
            let (scored, above) = ranked.above(group).unwrap_or_default();
            (all, above, all - scored)
        }
    }
}

/// The rate as a sample. Above the median there are no buckets: rows that share units have no interval there.
fn sample(context: &Context, group: &Group, ranked: Option<&Ranked>) -> Sample {
    if let (None, true) = (ranked, context.plan.dependent) {
        let shares: Vec<Share> = group
            .tables
            .iter()
            .map(|table| Share { numerator: table.decision(1), denominator: table.rows() })
            .collect();
        return Sample::bucketed_share(&shares);
    }
    let (all, number, _) = numbers(group, ranked);
    Sample::share(&Share { numerator: statistic::Cell::rows(number), denominator: statistic::Cell::rows(all) })
}

fn table(context: &Context, rule: &spec::Regulation, groups: &Groups, ranked: Option<&Ranked>) -> Table {
    let all: i64 = context.cohorts.everyone.total().rows().n;
    let number = if ranked.is_some() { "Above the median" } else { "Selected" };
    let rate = if ranked.is_some() { "Scoring rate" } else { "Selection rate" };
    let headings = ["Applicants", "Share of all", number, rate, "Impact ratio", "In the ratios"];
    let share = |group: &Group| group.total().rows().n as f64 / all.max(1) as f64;
    let counted = |group: &&Group| group.compared && group.total().rows().n > 0;
    let categories: Vec<&Group> = groups.groups.iter().filter(counted).collect();
    let (kept, small): (Vec<&Group>, Vec<&Group>) =
        categories.iter().partition(|group| share(group) >= rule.excluded_below());
    let samples: Vec<Sample> = kept.iter().map(|group| sample(context, group, ranked)).collect();
    let ratios = compared(context, &samples, (Comparison::Ratio, Against::Highest), None);
    let alone = ranked.is_some() && context.plan.dependent;
    let row = |group: &Group, ratio: Cell, words: &str| {
        let (n, number, _) = numbers(group, ranked);
        let rate = match alone {
            true => Cell::number((n > 0).then(|| number as f64 / n as f64)),
            false => figure(context, &sample(context, group, ranked)),
        };
        let cells = vec![
            Cell::Count { value: n },
            Cell::number(Some(share(group))),
            Cell::Count { value: number },
            rate,
            ratio,
            Cell::words(words),
        ];
        Row { cohort: group.cohort.levels(), cells }
    };
    let mut rows = Vec::new();
    for ((group, ratio), sample) in kept.iter().zip(&ratios).zip(&samples) {
        let is_highest = ratio.is_none() || samples.len() == 1;
        let ratio = match ratio {
            // The highest against itself.
            _ if is_highest => Cell::number(sample.point().filter(|rate| *rate > 0.0).map(|_| 1.0)),
            Some(measured) if alone => Cell::number(measured.estimate().map(|estimate| estimate.point)),
            Some(measured) => Cell::Figure { figure: Figure::of(measured) },
            None => Cell::number(None),
        };
        rows.push(row(group, ratio, "yes"));
    }
    rows.extend(small.iter().map(|group| row(group, Cell::words("none"), "no: below the share")));
    Table {
        title: title(groups),
        headings: headings.map(String::from).to_vec(),
        rows,
        notes: notes(rule, groups, &small, ranked),
    }
}

fn notes(rule: &spec::Regulation, groups: &Groups, small: &[&Group], ranked: Option<&Ranked>) -> Vec<String> {
    let unknown: i64 = groups.groups.iter().filter(|group| !group.compared).map(|group| group.total().rows().n).sum();
    let mut notes = vec![format!(
        "Assessed and not in the table because a category is unknown or outside the levels: {unknown} rows."
    )];
    if !small.is_empty() {
        notes.push(format!(
            "Left out of the ratios because they are below {} of all rows: {}. Justification of the auditor: {}.",
            rule.excluded_below(),
            small.iter().map(|group| group.cohort.levels()).collect::<Vec<_>>().join(", "),
            stated(&rule.exclusion_reason).trim_end_matches('.')
        ));
    }
    let without: i64 = groups.groups.iter().map(|group| numbers(group, ranked).2).sum();
    if ranked.is_some() {
        notes.push("Intervals take the median as given: it is that of these rows.".into());
    }
    if without > 0 {
        let what = if ranked.is_some() { "score" } else { "decision" };
        notes.push(format!(
            "{without} rows have no {what}: they are applicants, and neither selected nor above the median."
        ));
    }
    notes
}

fn describe(view: &mut Regulation, rule: &spec::Regulation) {
    let data = rule.data.map(|data| match data {
        DataKind::Historical => "historical data of the tool's use".to_string(),
        DataKind::Test => "test data".to_string(),
    });
    view.facts = vec![
        fact("Data", &data),
        fact("Source and explanation of the data", &rule.data_source),
        fact("Date of the bias audit", &rule.audit_date),
        fact("Distribution date of the tool", &rule.distribution_date),
        (
            "Categories below this share of all rows are left out of the ratios".into(),
            rule.excluded_below().to_string(),
        ),
    ];
    let from = "text of the final rule as quoted by third parties";
    view.statements = vec![
        secondary(
            "The rule asks for selection rates or scoring rates, and impact ratios against the category with the highest rate, for sex, for race or ethnicity, and for both together.",
            from,
        ),
        secondary("A scoring rate is the share of a category with a score above the median score of the sample.", from),
        secondary(
            "A category below 2 % of the data may be left out of the ratios; its number of applicants, its rate and the auditor's justification are then printed.",
            from,
        ),
        secondary(
            "The summary of results states how many people were assessed whose category is unknown, the source and explanation of the data, and the distribution date of the tool.",
            from,
        ),
        secondary(
            "An audit is used for at most one year. Historical data are the rule; test data are used where history is too small, with an explanation.",
            from,
        ),
        background("Categories may not be inferred or imputed."),
    ];
    view.not_said = [
        "The law has no threshold: no ratio here passes or fails it. Four fifths is a figure of the Uniform Guidelines, another text.",
        "The law does not ask for intervals; those beside the rates are added. Small categories have wide ones.",
        "The law does not say whether the median is of all rows or of those of known category, nor what the 2 % is a share of. Here both are of all rows assessed, unknown included, and a category left out is not the highest rate.",
        "The law does not ask whether those selected were suitable: no label is used.",
    ]
    .map(String::from)
    .to_vec();
}
