//! Cohorts compared within the strata of control columns.

use serde::Serialize;

use crate::audit::bias::strata::{Adjusted, PooledTests, RateWithin, Strata, Widest};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::said::{self, HOLE, Said, said};
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub sets: Vec<Set>,
    pub more: String,
}

/// One set of attributes.
#[derive(Debug, Clone, Serialize)]
pub struct Set {
    pub id: String,
    pub name: String,
    /// Why nothing is shown; empty where something is.
    pub withheld: Said,
    pub facts: Vec<Fact>,
    pub rates: Vec<Rate>,
    pub rates_more: String,
    pub disparities: Vec<Disparity>,
    pub disparities_more: String,
    pub widest: Vec<Pair>,
    pub widest_more: String,
}

/// One rate: pooled over the strata, and in each.
#[derive(Debug, Clone, Serialize)]
pub struct Rate {
    pub name: String,
    pub pooled: Vec<Pooled>,
    pub pooled_more: String,
    pub lines: Vec<Line>,
    pub lines_more: String,
    pub notes: Vec<Said>,
    pub notes_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Pooled {
    pub who: String,
    pub crude: Shown,
    pub difference: Shown,
    pub odds_ratio: Shown,
    /// `χ² 210.4, p 1.1e−47`.
    pub test: String,
    pub homogeneity: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub stratum: String,
    pub who: String,
    pub value: Shown,
    pub other: Shown,
    pub difference: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Disparity {
    pub who: String,
    pub value: Shown,
    pub strata: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    pub metric: String,
    pub stratum: String,
    pub difference: Shown,
    pub ratio: Shown,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let all = &report.bias.strata;
    let name = |id: &str| {
        let card = report.metrics.iter().find(|card| card.id == id);
        let known = || crate::metric::cards().into_iter().find(|card| card.id == id).map(|card| card.name.to_string());
        said::metric(id, &card.map(|card| card.name.clone()).or_else(known).unwrap_or_else(|| id.to_string()))
    };
    let sets = all.iter().take(caps.sets).enumerate().map(|(i, strata)| set(i + 1, strata, &name, caps));
    (!all.is_empty()).then(|| Section {
        sets: sets.collect(),
        more: words::more(all.len(), caps.sets, "sets-of-attributes", "report.json"),
    })
}

fn set(number: usize, strata: &Strata, name: &dyn Fn(&str) -> String, caps: &Caps) -> Set {
    let levels = |at: u32| strata.strata.get(at as usize).map_or(String::new(), |of| words::name(&of.levels));
    let rows: i64 = strata.strata.iter().map(|of| of.rows).sum();
    let widest = |pair: &Widest| Pair {
        metric: name(&pair.metric),
        stratum: match pair.too_few {
            0 => levels(pair.stratum),
            few => text!("strata-too-few", stratum = levels(pair.stratum), n = few),
        },
        difference: Shown::figure(&pair.difference),
        ratio: Shown::figure(&pair.ratio),
    };
    let most = (caps.values / 5).max(1);
    let mut facts = vec![fact(&text!("strata-control"), words::across(&strata.given))];
    if strata.withheld.is_none() {
        facts.push(fact(&text!("strata-with-rows"), words::count(strata.strata.len() as i64)));
        facts.push(fact(&text!("strata-rows"), words::count(rows)));
        facts.push(fact(&text!("strata-rows-unknown"), words::count(strata.rows_unknown)));
    }
    Set {
        id: format!("strata-{number}"),
        name: words::across(&strata.across),
        withheld: strata.withheld.as_deref().map(withheld).unwrap_or_default(),
        facts,
        rates: strata.rates.iter().take(caps.texts).map(|of| rate(of, name, &levels, caps)).collect(),
        rates_more: words::more(strata.rates.len(), caps.texts, "metrics", "report.json"),
        disparities: strata
            .disparities
            .iter()
            .take(caps.cohorts)
            .map(|of| Disparity {
                who: text!("strata-who-outcome", who = words::name(&of.cohort), outcome = words::name(&of.outcome)),
                value: Shown::figure(&of.value),
                strata: words::count(of.strata_left_out.into()),
            })
            .collect(),
        disparities_more: words::more(strata.disparities.len(), caps.cohorts, "cohorts", "report.json"),
        widest: strata.within.iter().take(most).map(widest).collect(),
        widest_more: words::more(strata.within.len(), most, "lines", "report.json"),
    }
}

fn withheld(why: &str) -> Said {
    Said::around(&text!("strata-withheld", why = HOLE), &[said(why)])
}

fn rate(of: &RateWithin, name: &dyn Fn(&str) -> String, levels: &dyn Fn(u32) -> String, caps: &Caps) -> Rate {
    let most = (caps.values / 10).max(1);
    let lines: Vec<Line> = of
        .cohorts
        .iter()
        .flat_map(|cohort| cohort.by_stratum.iter().map(move |line| (cohort, line)))
        .take(most)
        .map(|(cohort, line)| Line {
            stratum: levels(line.stratum),
            who: who(cohort),
            value: Shown::figure(&line.value),
            other: Shown::figure(&line.other),
            difference: Shown::figure(&line.difference),
        })
        .collect();
    let all: usize = of.cohorts.iter().map(|cohort| cohort.by_stratum.len()).sum();
    let notes: Vec<Said> = of.cohorts.iter().filter_map(note).collect();
    Rate {
        name: name(&of.metric),
        pooled: of.cohorts.iter().take(caps.cohorts).map(pooled).collect(),
        pooled_more: words::more(of.cohorts.len(), caps.cohorts, "cohorts", "report.json"),
        lines,
        lines_more: words::more(all, most, "lines", "report.json"),
        notes_more: words::more(notes.len(), caps.texts, "sentences", "report.json"),
        notes: notes.into_iter().take(caps.texts).collect(),
    }
}

fn who(cohort: &Adjusted) -> String {
    match &cohort.with {
        Some(with) => text!("strata-against", name = words::name(&cohort.cohort), with = words::name(with)),
        None => text!("strata-against-others", name = words::name(&cohort.cohort)),
    }
}

fn pooled(cohort: &Adjusted) -> Pooled {
    let test =
        |tests: &PooledTests| text!("strata-statistic", value = words::figure(tests.chi2), p = words::p_value(tests.p));
    let equal = |tests: &PooledTests| {
        let of = tests.homogeneity.as_ref()?;
        let (value, p) = (words::figure(of.chi2_tarone), words::p_value(of.p_tarone));
        Some(text!("strata-statistic-df", value = value, p = p, df = of.df))
    };
    Pooled {
        who: who(cohort),
        crude: Shown::figure(&cohort.crude),
        difference: Shown::figure(&cohort.difference),
        odds_ratio: Shown::figure(&cohort.odds_ratio),
        test: cohort.tests.as_ref().map_or_else(|| text!("none"), test),
        homogeneity: cohort.tests.as_ref().and_then(equal).unwrap_or_else(|| text!("none")),
    }
}

/// What a reader must know before the figures are used.
fn note(cohort: &Adjusted) -> Option<Said> {
    let mut clauses = Vec::new();
    if cohort.strata_left_out > 0 {
        let rows = words::count(cohort.rows_left_out);
        clauses.push(Said::own(text!("strata-note-left-out", n = cohort.strata_left_out, rows = rows)));
    }
    if let Some(reason) = &cohort.no_tests {
        clauses.push(Said::around(&text!("strata-note-no-test", why = HOLE), &[said(reason)]));
    }
    let homogeneity = cohort.tests.as_ref().and_then(|tests| tests.homogeneity.as_ref());
    if homogeneity.is_some_and(|of| of.p_tarone < 0.05) {
        clauses.push(Said::own(text!("strata-note-differ")));
    }
    let holes = vec![HOLE; clauses.len()].join(&text!("clauses-between"));
    (!clauses.is_empty()).then(|| Said::around(&text!("strata-note", who = who(cohort), said = holes), &clauses))
}

#[cfg(test)]
mod tests;
