//! Cohorts compared within the strata of control columns.

use serde::Serialize;

use crate::audit::bias::strata::{Adjusted, PooledTests, RateWithin, Strata, Widest};
use crate::report::document::Report;
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
    pub withheld: String,
    pub facts: Vec<Fact>,
    pub rates: Vec<Rate>,
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
    pub notes: Vec<String>,
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
        words::name(&card.map(|card| card.name.clone()).or_else(known).unwrap_or_else(|| id.to_string()))
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
            few => format!(
                "{} ({} with too few rows)",
                levels(pair.stratum),
                words::many(few as usize, "cohort", "cohorts")
            ),
        },
        difference: Shown::figure(&pair.difference),
        ratio: Shown::figure(&pair.ratio),
    };
    let most = (caps.values / 5).max(1);
    let mut facts = vec![fact("Control columns", words::across(&strata.given))];
    if strata.withheld.is_none() {
        facts.push(fact("Strata with rows", words::count(strata.strata.len() as i64)));
        facts.push(fact("Rows in strata", words::count(rows)));
        facts.push(fact("Rows without a level of a control column", words::count(strata.rows_unknown)));
    }
    Set {
        id: format!("strata-{number}"),
        name: words::across(&strata.across),
        withheld: strata.withheld.as_deref().map(words::prose).unwrap_or_default(),
        facts,
        rates: strata.rates.iter().map(|of| rate(of, name, &levels, caps)).collect(),
        disparities: strata
            .disparities
            .iter()
            .take(caps.cohorts)
            .map(|of| Disparity {
                who: format!("{}, by {}", words::name(&of.cohort), words::name(&of.outcome)),
                value: Shown::figure(&of.value),
                strata: words::count(of.strata_left_out.into()),
            })
            .collect(),
        disparities_more: words::more(strata.disparities.len(), caps.cohorts, "cohorts", "report.json"),
        widest: strata.within.iter().take(most).map(widest).collect(),
        widest_more: words::more(strata.within.len(), most, "lines", "report.json"),
    }
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
    Rate {
        name: name(&of.metric),
        pooled: of.cohorts.iter().take(caps.cohorts).map(pooled).collect(),
        pooled_more: words::more(of.cohorts.len(), caps.cohorts, "cohorts", "report.json"),
        lines,
        lines_more: words::more(all, most, "lines", "report.json"),
        notes: of.cohorts.iter().take(caps.texts.min(caps.cohorts)).filter_map(note).collect(),
    }
}

fn who(cohort: &Adjusted) -> String {
    match &cohort.with {
        Some(with) => format!("{} against {}", words::name(&cohort.cohort), words::name(with)),
        None => format!("{} against all others", words::name(&cohort.cohort)),
    }
}

fn pooled(cohort: &Adjusted) -> Pooled {
    let test = |tests: &PooledTests| statistic(tests.chi2, tests.p);
    let equal = |tests: &PooledTests| {
        tests.homogeneity.as_ref().map(|of| format!("{}, {} df", statistic(of.chi2_tarone, of.p_tarone), of.df))
    };
    Pooled {
        who: who(cohort),
        crude: Shown::figure(&cohort.crude),
        difference: Shown::figure(&cohort.difference),
        odds_ratio: Shown::figure(&cohort.odds_ratio),
        test: cohort.tests.as_ref().map_or("none".into(), test),
        homogeneity: cohort.tests.as_ref().and_then(equal).unwrap_or_else(|| "none".into()),
    }
}

fn statistic(chi2: f64, p: f64) -> String {
    format!("χ² {}, p {}", words::figure(chi2), words::figure(p))
}

/// What a reader must know before the figures are used.
fn note(cohort: &Adjusted) -> Option<String> {
    let mut said = Vec::new();
    if cohort.strata_left_out > 0 {
        said.push(format!(
            "{} without a row of one of the two in the denominator: {} rows are in no pooled figure",
            words::many(cohort.strata_left_out as usize, "stratum", "strata"),
            words::count(cohort.rows_left_out)
        ));
    }
    if let Some(reason) = &cohort.no_tests {
        said.push(format!("no test: {}", words::prose(reason)));
    }
    let differs =
        cohort.tests.as_ref().and_then(|tests| tests.homogeneity.as_ref()).is_some_and(|of| of.p_tarone < 0.05);
    if differs {
        said.push(
            "the odds ratios of the strata differ (p below 0.05): look at the strata before the pooled figures".into(),
        );
    }
    (!said.is_empty()).then(|| format!("{}: {}.", who(cohort), said.join("; ")))
}

#[cfg(test)]
mod tests;
