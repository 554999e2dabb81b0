//! The list a score makes: who is at its top, and how visible.

use serde::Serialize;

use crate::audit::bias::ranking::{Ranked, RankedSet, Ranking, Top};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

const FILE: &str = "report.json";

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub confidence: String,
    pub facts: Vec<Fact>,
    pub sets: Vec<Set>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Set {
    pub across: String,
    pub tops: Vec<Headings>,
    pub rows: Vec<Row>,
    pub more: String,
    pub facts: Vec<Fact>,
}

/// Of a size of the top: `In the first 10`, `Ratio, the first 10`.
#[derive(Debug, Clone, Serialize)]
pub struct Headings {
    pub selected: String,
    pub ratio: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub cohort: String,
    /// Share selected and ratio, one pair for each size of the top.
    pub tops: Vec<Pair>,
    pub exposure: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    pub selected: Shown,
    pub ratio: Shown,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let ranking = report.bias.ranking.as_ref()?;
    let mut facts = vec![fact(&text!("ranking-rows"), ranking.rows.map_or_else(|| text!("withheld"), words::count))];
    facts.extend(ranking.tops.iter().filter_map(|top| {
        let [equal, left] = top.at_cut?;
        (left < equal).then(|| {
            let text = text!("ranking-ties", equal = equal, places = left);
            fact(&text!("ranking-at-cut", value = top.k), text)
        })
    }));
    facts.extend(ranking.bins.map(|bins| fact(&text!("ranking-scores"), text!("ranking-binned", n = bins))));
    Some(Section {
        confidence: words::confidence(report.method.confidence),
        facts,
        sets: ranking.sets.iter().take(caps.sets).map(|of| set(ranking, of, caps)).collect(),
        more: words::more(ranking.sets.len(), caps.sets, "sets-of-attributes", FILE),
    })
}

fn set(ranking: &Ranking, set: &RankedSet, caps: &Caps) -> Set {
    let row = |of: &Ranked| Row {
        cohort: words::name(&of.cohort),
        tops: of
            .selected
            .iter()
            .zip(&of.ratio)
            .map(|(selected, ratio)| Pair { selected: Shown::figure(selected), ratio: Shown::figure(ratio) })
            .collect(),
        exposure: Shown::figure(&of.exposure),
    };
    let none = || text!("ranking-none");
    let headings = |top: &Top| Headings {
        selected: text!("ranking-col-in", value = top.k),
        ratio: text!("ranking-col-ratio", value = top.k),
    };
    Set {
        across: words::across(&set.across.iter().map(|name| name.to_string()).collect::<Vec<_>>()),
        tops: ranking.tops.iter().map(headings).collect(),
        rows: set.cohorts.iter().take(caps.cohorts).map(row).collect(),
        more: words::more(set.cohorts.len(), caps.cohorts, "cohorts", FILE),
        facts: vec![
            fact("NDKL", set.ndkl.map_or_else(none, words::figure)),
            fact(
                &text!("ranking-infeasible"),
                set.infeasible
                    .as_ref()
                    .map_or_else(none, |of| text!("ranking-infeasible-of", ranks = of.ranks, of = of.of)),
            ),
        ],
    }
}
