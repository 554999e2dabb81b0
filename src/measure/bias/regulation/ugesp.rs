//! Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D.
//!
//! Each cohort against the one of the highest selection rate: four fifths, two standard deviations or Fisher's exact test, the flip of one person, the
//! shortfall. Cohorts below 2 % of all rows are shown and neither compared nor the highest.

use super::{background, blank, compared, fact, figure, rate, secondary, sets, title};
use crate::audit::bias::regulation::{Cell, Row, Table};
use crate::audit::bias::{Figure, Regulation};
use crate::estimate::Sample;
use crate::estimate::equality::{Counts, fisher_two_sided, flip_one_reverses, normal_p_two_sided, pooled_z, shortfall};
use crate::measure::bias::Context;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::metric::{Against, Comparison};
use crate::plan::spec;

/// Fewest rows of both cohorts, and fewest expected selections and rejections of each, for the rule of two standard deviations.
const ROWS_MIN: i64 = 30;
const EXPECTED_MIN: f64 = 5.0;
/// Greatest p-value that counts as significant.
const P_MAX: f64 = 0.05;

pub fn view(context: &Context, rule: &spec::Regulation) -> Regulation {
    let mut view = blank(rule, "Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4 D)");
    describe(&mut view, rule);
    if context.subject.decision.is_none() {
        view.not_measured = "there is no decision".into();
        return view;
    }
    if context.plan.dependent {
        view.not_measured =
            "rows carry weights or share units, and the tests of this view count people: audit one row for each person"
                .into();
        return view;
    }
    for (set, groups) in sets(context, rule) {
        let shown =
            groups.groups.iter().all(|group| context.protection.shows(Some(set), &group.codes, Layer::Decisions));
        if shown {
            view.tables.push(table(context, rule, groups, &mut view.results));
        } else {
            view.results.push(format!("{}: withheld, because a count is below the publication limit.", title(groups)));
        }
    }
    view
}

/// Selected, and all with a decision.
pub fn counts(group: &Group) -> Counts {
    let total = group.total();
    (total.decision(1).n, total.decision(0).n + total.decision(1).n)
}

/// How a cohort stands against the highest.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    pub z: Option<f64>,
    pub p: Option<f64>,
    pub exact: bool,
    pub significant: Option<bool>,
    pub flips: Option<bool>,
    pub shortfall: Option<f64>,
}

/// The rule of two standard deviations; Fisher's exact test where rows or expected selections are few.
pub fn tested(cohort: Counts, highest: Counts) -> Tested {
    let (n, x) = (cohort.1 + highest.1, cohort.0 + highest.0);
    let expected = |rows: i64, of: i64| rows as f64 * of as f64 / n.max(1) as f64;
    let few = [cohort.1, highest.1].iter().any(|&rows| expected(rows, x).min(expected(rows, n - x)) < EXPECTED_MIN);
    let exact = n < ROWS_MIN || few;
    let z = pooled_z(cohort, highest);
    let table = [cohort, highest].map(|(selected, rows)| [selected, rows - selected]);
    let p = if exact { fisher_two_sided(table) } else { z.map(normal_p_two_sided) };
    let significant = if exact { p.map(|p| p <= P_MAX) } else { z.map(|z| z.abs() > 2.0) };
    let (flips, shortfall) = (flip_one_reverses(cohort, highest), shortfall(cohort, highest));
    Tested { z, p, exact, significant, flips, shortfall }
}

const HEADINGS: [&str; 10] = [
    "Applicants",
    "Selected",
    "Selection rate",
    "Ratio to the highest",
    "Below the limit",
    "Standard deviations",
    "p-value",
    "Test",
    "One person turns it",
    "Shortfall in people",
];

fn table(context: &Context, rule: &spec::Regulation, groups: &Groups, results: &mut Vec<String>) -> Table {
    let all = context.cohorts.everyone.total().rows().n.max(1) as f64;
    let large = |group: &&&Group| group.total().rows().n as f64 / all >= rule.excluded_below();
    let known: Vec<&Group> = groups.groups.iter().filter(|group| group.compared && counts(group).1 > 0).collect();
    let kept: Vec<&Group> = known.iter().filter(large).copied().collect();
    let sample = |group: &Group| rate(context, "selection-rate", group);
    let samples: Vec<Sample> = kept.iter().filter_map(|group| sample(group)).collect();
    let ratios = compared(context, &samples, (Comparison::Ratio, Against::Highest), None);
    let highest = ratios.iter().position(Option::is_none).filter(|_| samples.len() > 1);
    let highest = highest.and_then(|at| kept.get(at)).copied();
    let row = |group: &&Group| {
        let (selected, n) = counts(group);
        let mut cells = vec![
            Cell::Count { value: n },
            Cell::Count { value: selected },
            sample(group).map_or(Cell::words("undefined"), |sample| figure(context, &sample)),
        ];
        let at = kept.iter().position(|other| other.codes == group.codes);
        cells.extend(match (at.and_then(|at| ratios.get(at)), highest) {
            (Some(Some(measured)), Some(highest)) => {
                beside(rule, counts(group), counts(highest), &Figure::of(measured))
            }
            (Some(None), Some(_)) => words("the highest"),
            (None, _) => words("below the share"),
            _ => words("nobody to compare with"),
        });
        Row { cohort: group.cohort.levels(), cells }
    };
    let rows: Vec<Row> = known.iter().map(row).collect();
    for group in &kept {
        let at = kept.iter().position(|other| other.codes == group.codes);
        if let (Some(Some(Some(measured))), Some(highest)) = (at.map(|at| ratios.get(at)), highest) {
            results.push(sentence(rule, groups, (group, highest), measured.estimate().map(|estimate| estimate.point)));
        }
    }
    let unknown: i64 = groups.groups.iter().filter(|group| !group.compared).map(|group| group.total().rows().n).sum();
    let notes = vec![
        format!("Rows of unknown category, in no comparison: {unknown}. Rows without a decision are not counted."),
        format!("Shown and not compared are cohorts below {} of all rows.", rule.excluded_below()),
        format!(
            "The criterion of the run is judged by intervals and compares every cohort of {} rows or more, those below the share too.",
            context.plan.spec.measure.support_min
        ),
        format!(
            "Fisher's exact test, two-sided, stands where both cohorts have fewer than {ROWS_MIN} rows together or an expected number below {EXPECTED_MIN}; else the pooled z, of which the guide value is 2."
        ),
    ];
    Table { title: title(groups), headings: HEADINGS.map(String::from).to_vec(), rows, notes }
}

/// The cells of a cohort that is not compared.
fn words(why: &str) -> Vec<Cell> {
    let none = (1..HEADINGS.len() - 3).map(|_| Cell::words(""));
    std::iter::once(Cell::words(why)).chain(none).collect()
}

fn beside(rule: &spec::Regulation, cohort: Counts, highest: Counts, ratio: &Figure) -> Vec<Cell> {
    let tested = tested(cohort, highest);
    let yes = |truth: Option<bool>| Cell::words(truth.map_or("undefined", |truth| if truth { "yes" } else { "no" }));
    vec![
        Cell::Figure { figure: ratio.clone() },
        yes(ratio.point().map(|ratio| ratio < rule.screening())),
        Cell::number(tested.z),
        Cell::number(tested.p),
        Cell::words(if tested.exact { "Fisher" } else { "pooled z" }),
        yes(tested.flips),
        Cell::number(tested.shortfall),
    ]
}

/// Both kinds of significance in one sentence.
fn sentence(
    rule: &spec::Regulation,
    groups: &Groups,
    (group, highest): (&Group, &Group),
    ratio: Option<f64>,
) -> String {
    let tested = tested(counts(group), counts(highest));
    let (name, other) = (group.cohort.levels(), highest.cohort.levels());
    let Some(ratio) = ratio else {
        return format!("{}: {name} against {other}: the ratio is undefined.", title(groups));
    };
    let statistical = match (tested.significant, tested.exact) {
        (None, _) => "the difference has no test".to_string(),
        (Some(true), exact) => format!("the difference is beyond chance by {}", test_name(exact)),
        (Some(false), exact) => format!("the difference is not beyond chance by {}", test_name(exact)),
    };
    let practical = match (ratio < rule.screening(), tested.flips) {
        (true, Some(true)) => "the ratio is below the limit, and one person more or fewer would turn the order",
        (true, _) => "the ratio is below the limit, and one person more or fewer would not turn the order",
        (false, _) => "the ratio is not below the limit",
    };
    format!(
        "{}: {name} against {other}: ratio {ratio:.3}, limit {}; in practical terms {practical}; statistically, {statistical}. The guidelines look at both.",
        title(groups),
        rule.screening()
    )
}

fn test_name(exact: bool) -> &'static str {
    if exact { "Fisher's exact test (0.05)" } else { "the rule of two standard deviations" }
}

fn describe(view: &mut Regulation, rule: &spec::Regulation) {
    view.facts = vec![
        fact("Source and explanation of the data", &rule.data_source),
        ("Screening value of the ratio".into(), rule.screening().to_string()),
        ("Cohorts below this share of all rows are not compared".into(), rule.excluded_below().to_string()),
    ];
    let law = "29 CFR 1607.4, copies at law.cornell.edu and the Government Publishing Office's archive";
    view.statements = vec![
        secondary(
            "A selection rate below four fifths of the highest group's rate is generally regarded as evidence of adverse impact.",
            law,
        ),
        secondary(
            "Smaller differences may count where they are significant in both statistical and practical terms; larger ones may not where they rest on small numbers and are not significant.",
            law,
        ),
        secondary(
            "Where moving one person would turn the direction of the difference, agencies do not generally act (questions and answers, number 21).",
            law,
        ),
        secondary(
            "Two standard deviations of the pooled rate is the usual test (Hazelwood 1977); with fewer than 30 rows or expected selections below 5 the exact test stands in for it.",
            "third-party pages on the practice of the OFCCP",
        ),
        background(
            "No separate determination is asked for groups below 2 % of the labour force or workforce (1607.15 A).",
        ),
    ];
    view.not_said = [
        "Four fifths is a guide of agencies for employment in the United States. Elsewhere, and for other decisions, it is screening at most.",
        "A ratio of four fifths or more does not end the question, and one below it is no finding of discrimination: validity of the procedure and its alternatives are looked at next, and are not in these numbers.",
        "The reference is the highest rate, not a designated majority.",
        "The share here is of rows of the data, not of a labour market. Pools of several jobs or years have to be looked at apart, or tested in strata.",
    ]
    .map(String::from)
    .to_vec();
}
