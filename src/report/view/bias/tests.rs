//! Tests of equality of rates between cohorts, and what they do not show.

use serde::Serialize;

use crate::audit::bias::Tests;
use crate::audit::bias::tests::{Evidence, Read, TestedGap, TestedPair, TestedRate, TestedSet};
use crate::metric::RATES;
use crate::report::document::Report;
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub facts: Vec<Fact>,
    pub sets: Vec<Set>,
    pub sets_more: String,
    pub notes: Vec<String>,
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
    pub not_tested: Vec<String>,
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
    pub z: String,
    pub p: String,
    pub adjusted: String,
    pub statement: String,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let tests = report.bias.tests.as_ref()?;
    let sets = tests.sets.iter().take(caps.sets).enumerate().map(|(at, set)| of_set(at, set, tests, caps));
    let mut facts = vec![
        fact("Comparisons of cohorts", words::count(tests.family as i64)),
        fact("Tests of all cohorts of a set", words::count(tests.family_of_gaps as i64)),
        fact("Level after adjustment", words::figure(1.0 - tests.confidence)),
    ];
    if tests.dealings > 0 {
        facts.push(fact("Dealings of a permutation test, at least", words::count(tests.dealings.into())));
    }
    Some(Section {
        facts,
        sets: sets.collect(),
        sets_more: words::more(tests.sets.len(), caps.sets, "sets", "report.json"),
        notes: words::list(&tests.notes, caps.texts, "report.json"),
    })
}

fn of_set(at: usize, set: &TestedSet, tests: &Tests, caps: &Caps) -> Set {
    let mut pairs: Vec<(&TestedRate, &TestedPair)> =
        set.rates.iter().flat_map(|rate| rate.pairs.iter().map(move |pair| (rate, pair))).collect();
    // Where not all are shown, those of the smallest p-values are.
    let p = |pair: &TestedPair| pair.p.unwrap_or(f64::INFINITY);
    pairs.sort_by(|(_, a), (_, b)| p(a).total_cmp(&p(b)));
    let not_tested = set.rates.iter().filter_map(|rate| {
        rate.not_tested.as_ref().map(|why| format!("{}: {}.", name(&rate.metric), words::prose(why)))
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
    card.map_or_else(|| words::name(metric), |rate| rate.card.name.into())
}

/// A p-value; below a millionth with its power of ten.
fn probability(p: Option<f64>) -> String {
    match p {
        None => "none".into(),
        Some(p) if p < 1e-300 => "below 1e−300".into(),
        Some(p) => words::figure(p),
    }
}

fn adjusted(holm: Option<f64>, false_discoveries: Option<f64>) -> String {
    match holm.is_some() {
        true => format!("{}; {}", probability(holm), probability(false_discoveries)),
        false => "none".into(),
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
                format!("{} ({df} df), p {}", words::figure(statistic), probability(gap.chi_squared_p))
            }
            _ => "none: no variation".into(),
        },
        spread: Shown::figure(&gap.spread),
    }
}

fn of_pair(rate: &TestedRate, pair: &TestedPair, tests: &Tests) -> Pair {
    let with = rate.with.as_ref();
    let counts = |count: i64, n: i64| format!("{} of {}", words::count(count), words::count(n));
    Pair {
        rate: name(&rate.metric),
        cohort: words::name(&pair.cohort),
        with: with.map_or(String::new(), |with| {
            let why = if with.declared { "reference" } else { "highest" };
            format!("{} ({why})", words::name(&with.cohort))
        }),
        counts: match with {
            Some(with) => format!("{}; {}", counts(pair.count, pair.n), counts(with.count, with.n)),
            None => counts(pair.count, pair.n),
        },
        difference: Shown::figure(&pair.difference),
        ratio: Shown::figure(&pair.ratio),
        odds_ratio: match &pair.odds_ratio {
            Some(figure) => Shown::figure(figure),
            None => Shown::words("none", "rows are not independent"),
        },
        z: match (pair.z, pair.two_sd) {
            (Some(z), Some(beyond)) => {
                format!("{}, {} two SD", words::figure(z), if beyond { "beyond" } else { "within" })
            }
            _ => "none".into(),
        },
        p: tests_read(pair, tests.dependent),
        adjusted: adjusted(pair.holm, pair.benjamini_hochberg),
        statement: statement(pair, tests),
    }
}

/// Both p-values, the one to read first.
fn tests_read(pair: &TestedPair, dependent: bool) -> String {
    let (z, fisher) = (probability(pair.z_p), probability(pair.fisher_p));
    match (pair.method, dependent) {
        (_, true) => format!("z {z}"),
        (Read::Z, false) => format!("z {z} (Fisher {fisher})"),
        (Read::Fisher, false) => format!("Fisher {fisher} (z {z})"),
    }
}

fn statement(pair: &TestedPair, tests: &Tests) -> String {
    let margin = pair.margin.map(|margin| {
        format!(
            " A difference larger than {} points is excluded at {}.",
            words::figure(100.0 * margin),
            words::confidence(tests.confidence)
        )
    });
    let said = match pair.verdict {
        Evidence::Difference => "A difference remains after adjustment for all comparisons.".into(),
        Evidence::Insufficient => {
            format!("Insufficient evidence: {}.", pair.reason.as_deref().unwrap_or("too few rows"))
        }
        Evidence::NoneShown => "Not told from chance; a ratio beyond four fifths is outside the interval.".to_string(),
    };
    said + &margin.unwrap_or_default()
}
