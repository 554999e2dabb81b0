//! Insurance in the United States: quantitative tests over inferred race.
//!
//! Rates weigh every row by the probability of the level (see `measure::bias::inferred`). Each level against the reference: adverse impact ratio,
//! marginal effect, odds ratio of denial, and the p-value of the difference: Student t of the delete-a-bucket jackknife, both levels without the
//! same bucket. A level is marked where the difference is at least the effect and the p-value below the limit; both limits are a draft's.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{background, blank, compared, fact, figure, secondary};
use crate::audit::bias::Figure;
use crate::audit::bias::Regulation;
use crate::audit::bias::regulation::{Cell, Row, Table};
use crate::estimate::{Interval, Measured, Sample};
use crate::evidence::Missing;
use crate::measure::bias::Context;
use crate::measure::bias::inferred::Attribute;
use crate::metric::{Against, Comparison, RATES};
use crate::plan::spec;

pub fn view(context: &Context, rule: &spec::Regulation) -> Result<Regulation, Missing> {
    let mut view = blank(rule, "Insurance in the United States (Colorado SB21-169, New York Circular Letter 2024-7)");
    describe(&mut view, rule);
    let section = rule.inferred.as_ref().and_then(|name| Some((name, context.plan.spec.measure.inferred.get(name)?)));
    let Some((name, of)) = section else {
        view.not_measured =
            "no section [measure.inferred.NAME] is named: these tests need probabilities of race".into();
        return Ok(view);
    };
    if context.subject.decision.is_none() {
        view.not_measured = "there is no decision".into();
        return Ok(view);
    }
    let attribute = Attribute::of(context, name, of)?;
    view.not_measured = match (attribute.not_measured(), attribute.is_shown(), attribute.reference()) {
        (Some(why), ..) => why,
        (None, false, _) => "withheld, because a count is below the publication limit".into(),
        (None, true, None) => format!("[measure.inferred.{name}] names no reference level"),
        (None, true, Some(reference)) => {
            view.tables.push(table(context, rule, (name, &attribute), reference, &mut view.results));
            String::new()
        }
    };
    Ok(view)
}

fn table(
    context: &Context,
    rule: &spec::Regulation,
    (name, attribute): (&str, &Attribute),
    reference: usize,
    results: &mut Vec<String>,
) -> Table {
    let levels = attribute.names();
    let rate = RATES.iter().find(|rate| rate.card.id == "selection-rate");
    let nothing = Sample::None(crate::estimate::Why::EmptyDenominator);
    let sample = |level| rate.map_or(nothing.clone(), |rate| attribute.sample(rate, level));
    let samples: Vec<Sample> = (0..levels.len()).map(sample).collect();
    let against = |compare| compared(context, &samples, (compare, Against::Reference), Some(reference));
    let (ratios, differences) = (against(Comparison::Ratio), against(Comparison::Difference));
    let mut rows = Vec::new();
    for (at, level) in levels.iter().enumerate() {
        let mut cells = vec![figure(context, &samples[at])];
        if at == reference {
            cells.extend((0..5).map(|_| Cell::words("reference")));
        } else {
            let p = p_value(&samples[at], &samples[reference]);
            let difference = differences.get(at).and_then(Option::as_ref).and_then(Measured::estimate);
            let effect = difference.map(|estimate| -estimate.point);
            let marked = effect.zip(p).map(|(effect, p)| effect >= rule.effect_min() && p < rule.p_max());
            cells.extend([
                Cell::Figure { figure: ratios.get(at).and_then(Option::as_ref).map_or(undefined(), Figure::of) },
                Cell::Figure {
                    figure: difference.map_or(undefined(), |estimate| {
                        let turned = |end: Option<f64>| end.map(|end| -100.0 * end);
                        let Interval { lower, upper } = estimate.interval;
                        let interval = Interval { lower: turned(upper), upper: turned(lower) };
                        Figure::new(-100.0 * estimate.point, interval, estimate.support.n)
                    }),
                },
                Cell::number(denial_odds(samples[at].point(), samples[reference].point())),
                Cell::number(p),
                Cell::words(marked.map_or("undefined", |marked| if marked { "yes" } else { "no" })),
            ]);
            if marked == Some(true) {
                results.push(format!(
                    "{level} (inferred): approved less often than {} by {:.1} percentage points (limit of the draft: {:.1}), with p below {}. The draft would then look at each variable; the next step is which columns carry the difference.",
                    levels[reference],
                    100.0 * effect.unwrap_or_default(),
                    100.0 * rule.effect_min(),
                    rule.p_max()
                ));
            }
        }
        rows.push(Row { cohort: (*level).into(), cells });
    }
    let headings = [
        "Approval rate",
        "AIR to the reference",
        "Marginal effect, percentage points",
        "Odds ratio of denial",
        "p-value",
        "Beyond the draft's limits",
    ];
    let notes = vec![
        "Membership is inferred: every row counts for each level by its probability.".into(),
        "The p-value is of Student's t with the jackknife's error.".into(),
    ];
    Table { title: format!("{name} (inferred)"), headings: headings.map(String::from).to_vec(), rows, notes }
}

fn undefined() -> Figure {
    Figure::Undefined { reason: "a rate has no value".into() }
}

/// Odds of denial of a level over those of the reference.
fn denial_odds(level: Option<f64>, reference: Option<f64>) -> Option<f64> {
    let odds = |p: f64| (p > 0.0 && p < 1.0).then(|| (1.0 - p) / p);
    Some(odds(level?)? / odds(reference?)?)
}

/// Two-sided p-value of the difference of two rates over the same buckets.
pub fn p_value(a: &Sample, b: &Sample) -> Option<f64> {
    let (
        Sample::Buckets { point: p, left_out: u, filled: m, .. },
        Sample::Buckets { point: q, left_out: v, filled: k, .. },
    ) = (a, b)
    else {
        return None;
    };
    let gaps: Vec<f64> = u.iter().zip(v).map(|(u, v)| u - v).collect();
    let filled = (*m).max(*k) as f64;
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let se = (gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() * (filled - 1.0) / filled).sqrt();
    let df = (*m).min(*k) as f64 - 1.0;
    let t = StudentsT::new(0.0, 1.0, df).ok()?;
    (se > 0.0).then(|| 2.0 * t.sf(((p - q) / se).abs()))
}

fn describe(view: &mut Regulation, rule: &spec::Regulation) {
    view.facts = vec![
        fact("Probabilities of race", &rule.inferred),
        ("Least difference that counts (draft)".into(), format!("{} percentage points", 100.0 * rule.effect_min())),
        ("p-value below which a difference counts (draft)".into(), rule.p_max().to_string()),
        fact("Source and explanation of the data", &rule.data_source),
    ];
    view.statements = vec![
        secondary(
            "Colorado (SB21-169, Regulation 10-1-1): governance duties for life insurers since 14 November 2023, for private auto and health since 15 October 2025.",
            "law firms' pages",
        ),
        secondary(
            "Colorado's regulation on quantitative testing is a draft of September 2023: race estimated by BIFSG, approvals by logistic and premiums by linear regression; a difference of at least 5 percentage points (5 % of premium) with p below 0.05 leads to tests variable by variable. The numbers are a draft's.",
            "law firms' and consultants' pages on the draft",
        ),
        secondary(
            "Bulletin B-10.004 (18 October 2024): the testing rules are not adopted; insurers describe what they did.",
            "third-party pages",
        ),
        background(
            "New York, Circular Letter 2024-7 (11 July 2024), names as examples: adverse impact ratios, denial odds ratios, marginal effects, standardised mean differences, z and t tests, and drivers of disparity; every external data source is looked at as a proxy.",
        ),
    ];
    view.not_said = [
        "The draft asks for regressions with control variables. Here rates are compared as they are, without controls.",
        "The draft's regression of premiums, with its limit of 5 %, is not made. An odds ratio of denial here is a point without an interval.",
        "No text in force sets these limits. A level that is not marked is not thereby equal.",
        "The error of the inference is in no interval and in no p-value.",
        "Inferred race is for tests of portfolios. It says nothing about one person.",
    ]
    .map(String::from)
    .to_vec();
}
