//! Tests of equality of rates between cohorts, and what they do not show.

use serde::Serialize;

use crate::audit::bias::Tests;
use crate::audit::bias::tests::{Evidence, Read, TestedGap, TestedPair, TestedRate, TestedSet};
use crate::metric::RATES;
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::said::{self, HOLE, Said, said};
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub facts: Vec<Fact>,
    pub sets: Vec<Set>,
    pub sets_more: String,
    pub notes: Vec<Said>,
}

/// The tests of one set of attributes.
#[derive(Debug, Clone, Serialize)]
pub struct Set {
    pub id: String,
    pub name: String,
    pub gaps: Vec<Gap>,
    pub pairs: Vec<Pair>,
    pub pairs_more: String,
    /// Rates that were not tested, and why.
    pub not_tested: Vec<Said>,
}

/// All cohorts at once.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    pub rate: String,
    pub cohorts: String,
    pub gap: String,
    pub permutation_p: String,
    pub adjusted: String,
    pub chi_squared: String,
    pub spread: Shown,
}

/// Two cohorts.
#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    pub rate: String,
    pub cohort: String,
    pub with: String,
    pub counts: String,
    pub difference: Shown,
    pub ratio: Shown,
    pub odds_ratio: Shown,
    /// The statistic, both p-values, those adjusted.
    pub read: String,
    pub statement: Said,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let tests = report.bias.tests.as_ref()?;
    let sets = tests.sets.iter().take(caps.sets).enumerate().map(|(at, set)| of_set(at, set, tests, caps));
    let mut facts = vec![
        fact(&text!("tests-comparisons"), words::count(tests.family as i64)),
        fact(&text!("tests-of-sets"), words::count(tests.family_of_gaps as i64)),
        fact(&text!("tests-level"), words::figure(1.0 - tests.confidence)),
    ];
    if tests.dealings > 0 {
        facts.push(fact(&text!("tests-dealings"), words::count(tests.dealings.into())));
    }
    Some(Section {
        facts,
        sets: sets.collect(),
        sets_more: words::more(tests.sets.len(), caps.sets, "sets", "report.json"),
        notes: said::list(&tests.notes, caps.texts, "report.json"),
    })
}

fn of_set(at: usize, set: &TestedSet, tests: &Tests, caps: &Caps) -> Set {
    let mut pairs: Vec<(&TestedRate, &TestedPair)> =
        set.rates.iter().flat_map(|rate| rate.pairs.iter().map(move |pair| (rate, pair))).collect();
    // Where not all are shown, those of the smallest p-values are.
    let p = |pair: &TestedPair| pair.p.unwrap_or(f64::INFINITY);
    pairs.sort_by(|(_, a), (_, b)| p(a).total_cmp(&p(b)));
    let not_tested = set.rates.iter().filter_map(|rate| {
        let why = said(rate.not_tested.as_ref()?);
        Some(Said::around(&text!("tests-not-tested", metric = name(&rate.metric), why = HOLE), &[why]))
    });
    Set {
        id: format!("tests-{at}"),
        name: words::across(&set.across),
        gaps: set.rates.iter().filter_map(|rate| rate.gap.as_ref().map(|gap| of_gap(rate, gap))).collect(),
        pairs_more: words::more(pairs.len(), caps.cohorts, "comparisons", "report.json"),
        pairs: pairs.into_iter().take(caps.cohorts).map(|(rate, pair)| of_pair(rate, pair, tests)).collect(),
        not_tested: not_tested.collect(),
    }
}

fn name(metric: &str) -> String {
    let card = RATES.iter().find(|rate| rate.card.id == metric);
    said::metric(metric, card.map_or(metric, |rate| rate.card.name))
}

fn probability(p: Option<f64>) -> String {
    p.map_or_else(|| text!("none"), words::p_value)
}

fn adjusted(holm: Option<f64>, false_discoveries: Option<f64>) -> String {
    match holm.is_some() {
        true => [holm, false_discoveries].map(probability).join(&text!("clauses-between")),
        false => text!("none"),
    }
}

fn of_gap(rate: &TestedRate, gap: &TestedGap) -> Gap {
    Gap {
        rate: name(&rate.metric),
        cohorts: words::count(gap.cohorts as i64),
        gap: words::figure(gap.gap),
        permutation_p: probability(Some(gap.permutation_p)),
        adjusted: adjusted(Some(gap.holm), Some(gap.benjamini_hochberg)),
        chi_squared: match (gap.chi_squared, gap.df) {
            (Some(statistic), Some(df)) => {
                let (value, p) = (words::figure(statistic), probability(gap.chi_squared_p));
                text!("tests-chi-squared", value = value, df = df, p = p)
            }
            _ => text!("tests-no-variation"),
        },
        spread: Shown::figure(&gap.spread),
    }
}

fn of_pair(rate: &TestedRate, pair: &TestedPair, tests: &Tests) -> Pair {
    let with = rate.with.as_ref();
    Pair {
        rate: name(&rate.metric),
        cohort: words::name(&pair.cohort),
        with: with.map_or(String::new(), |with| {
            let name = words::name(&with.cohort);
            match with.declared {
                true => text!("tests-with-reference", name = name),
                false => text!("tests-with-highest", name = name),
            }
        }),
        counts: match with {
            Some(with) => text!("tests-counts-two", count = pair.count, n = pair.n, others = with.count, of = with.n),
            None => text!("tests-counts", count = pair.count, n = pair.n),
        },
        difference: Shown::figure(&pair.difference),
        ratio: Shown::figure(&pair.ratio),
        odds_ratio: match &pair.odds_ratio {
            Some(figure) => Shown::figure(figure),
            None => Shown::words(&text!("none"), &text!("tests-dependent-rows")),
        },
        read: text!(
            "tests-said",
            z = statistic(pair),
            p = tests_read(pair, tests.dependent),
            adjusted = adjusted(pair.holm, pair.benjamini_hochberg)
        ),
        statement: statement(pair, tests),
    }
}

fn statistic(pair: &TestedPair) -> String {
    match (pair.z, pair.two_sd) {
        (Some(z), Some(true)) => text!("tests-z-beyond", z = words::figure(z)),
        (Some(z), Some(false)) => text!("tests-z-within", z = words::figure(z)),
        _ => text!("none"),
    }
}

/// Both p-values, the one to read first.
fn tests_read(pair: &TestedPair, dependent: bool) -> String {
    let (z, fisher) = (probability(pair.z_p), probability(pair.fisher_p));
    match (pair.method, dependent) {
        (_, true) => text!("tests-p-z", z = z),
        (Read::Z, false) => text!("tests-p-z-first", z = z, fisher = fisher),
        (Read::Fisher, false) => text!("tests-p-fisher-first", z = z, fisher = fisher),
    }
}

fn statement(pair: &TestedPair, tests: &Tests) -> Said {
    let first = match pair.verdict {
        Evidence::Difference => Said::own(text!("tests-said-difference")),
        Evidence::Insufficient => Said::around(&text!("tests-said-insufficient", why = HOLE), &[reason(pair)]),
        Evidence::NoneShown => Said::own(text!("tests-said-none-shown")),
    };
    let Some(margin) = pair.margin else { return first };
    let (points, confidence) = (words::figure(100.0 * margin), words::confidence(tests.confidence));
    let second = Said::own(text!("tests-said-margin", points = points, confidence = confidence));
    Said::around(&[HOLE, HOLE].join(&text!("sentences-between")), &[first, second])
}

/// Why evidence is insufficient.
fn reason(pair: &TestedPair) -> Said {
    let Some(reason) = &pair.reason else { return Said::own(text!("tests-too-few")) };
    let few = reason.strip_prefix("fewer than ").and_then(|rest| rest.strip_suffix(" rows"));
    match few.and_then(|n| n.parse::<u64>().ok()) {
        Some(n) => Said::own(text!("tests-reason-few", n = n)),
        None => said(reason),
    }
}
