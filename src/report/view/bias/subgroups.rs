//! Search for combinations of columns where a model does worst.

use serde::Serialize;

use crate::audit::bias::subgroups as audit;
use crate::report::document::Report;
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub facts: Vec<Fact>,
    pub searches: Vec<Search>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Search {
    pub id: String,
    pub name: String,
    /// Why nothing was searched; empty where it was.
    pub not_searched: String,
    pub facts: Vec<Fact>,
    pub value: &'static str,
    pub found: Vec<Line>,
    pub more: String,
    /// What was tested and did not hold.
    pub said: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub name: String,
    pub inside: Shown,
    pub outside: Shown,
    pub difference: Shown,
    pub p: String,
    pub ratio: String,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let of = report.bias.subgroups.as_ref()?;
    let columns: Vec<String> = of.columns.iter().take(caps.columns).map(|name| words::name(name)).collect();
    let left = words::more(of.columns.len(), caps.columns, "columns", "report.json");
    Some(Section {
        facts: vec![
            fact("Columns combined", format!("{}. {left}", columns.join(", ")).trim().to_owned()),
            fact("Conditions of a subgroup", format!("at most {}", of.depth_max)),
            fact("Weight of the loss against the size", words::figure(of.alpha)),
            fact(
                "Chance of a false alarm",
                format!(
                    "at most {} a search, if no subgroup is worse than the rest",
                    words::confidence(1.0 - of.confidence)
                ),
            ),
        ],
        searches: of.searches.iter().map(|of| search(of, caps)).collect(),
        notes: words::list(&of.notes, caps.texts, "report.json"),
    })
}

fn rows(n: Option<i64>) -> String {
    n.map_or_else(|| "withheld".into(), words::count)
}

fn search(of: &audit::Search, caps: &Caps) -> Search {
    let overall = of.overall.as_ref().map(Shown::figure);
    let kept = of.found.len();
    let failed = (of.tested as usize).saturating_sub(kept);
    let said = match (kept, failed) {
        (0, 0) => "No combination of enough rows is worse than the rest of the searched half.".into(),
        (0, failed) => {
            format!("{} tested, none held on the other half.", words::many(failed, "subgroup was", "subgroups were"))
        }
        (_, 0) => String::new(),
        (_, failed) => {
            format!("{} tested and did not hold on the other half.", words::many(failed, "more was", "more were"))
        }
    };
    Search {
        id: format!("subgroups-{}", of.of),
        name: words::capitalised(&words::sentence(&of.what)),
        not_searched: of.not_searched.as_deref().map(words::sentence).unwrap_or_default(),
        facts: vec![
            fact("Rows searched", rows(of.rows_searched)),
            fact("Rows tested on", rows(of.rows_tested)),
            fact("Fewest rows of a subgroup", words::count(of.rows_min)),
            fact("Combinations counted", words::count(i64::try_from(of.counted).unwrap_or(i64::MAX))),
            fact(
                "Of all rows tested on",
                overall
                    .map_or_else(|| "withheld".into(), |of| format!("{} {}", of.point, of.interval).trim().to_owned()),
            ),
        ],
        value: if of.numeric { "Mean" } else { "Share" },
        found: of.found.iter().take(caps.cohorts).map(line).collect(),
        more: words::more(kept, caps.cohorts, "subgroups", "report.json"),
        said,
    }
}

fn line(of: &audit::Found) -> Line {
    let number = |value: Option<f64>| value.map_or_else(|| "withheld".into(), words::figure);
    Line {
        name: words::sentence(&of.conditions.join(" and ")),
        inside: Shown::figure(&of.inside),
        outside: Shown::figure(&of.outside),
        difference: Shown::figure(&of.difference),
        p: number(of.p_adjusted),
        ratio: of.likelihood_ratio.map_or_else(|| "none".into(), words::figure),
    }
}
