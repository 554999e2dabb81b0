//! Search for combinations of columns where a model does worst.

use serde::Serialize;

use crate::audit::bias::subgroups as audit;
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::said::{self, HOLE, Said, said};
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub facts: Vec<Fact>,
    pub searches: Vec<Search>,
    pub notes: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Search {
    pub id: String,
    pub name: String,
    /// Why nothing was searched; empty where it was.
    pub not_searched: Said,
    pub facts: Vec<Fact>,
    /// Headings of the columns of values in the subgroup and elsewhere.
    pub inside: String,
    pub outside: String,
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
    let combined = text!("subgroups-columns-of", names = said::names(&columns), more = left);
    Some(Section {
        facts: vec![
            fact(&text!("subgroups-columns"), combined.trim()),
            fact(&text!("subgroups-conditions"), text!("subgroups-at-most", n = of.depth_max)),
            fact(&text!("subgroups-weight"), words::figure(of.alpha)),
            fact(
                &text!("subgroups-false-alarm"),
                text!("subgroups-false-alarm-of", value = words::confidence(1.0 - of.confidence)),
            ),
        ],
        searches: of.searches.iter().map(|search| search_of(search, of, caps)).collect(),
        notes: said::list(&of.notes, caps.texts, "report.json"),
    })
}

fn rows(n: Option<i64>) -> String {
    n.map_or_else(|| text!("withheld"), words::count)
}

fn search_of(of: &audit::Search, all: &audit::Subgroups, caps: &Caps) -> Search {
    let overall = of.overall.as_ref().map(Shown::figure);
    let kept = of.found.len();
    let failed = (of.tested as usize).saturating_sub(kept);
    let said = match (kept, failed) {
        (0, 0) => text!("subgroups-none"),
        (0, failed) => text!("subgroups-none-held", n = failed),
        (_, 0) => String::new(),
        (_, failed) => text!("subgroups-more-failed", n = failed),
    };
    Search {
        id: format!("subgroups-{}", of.of),
        name: words::capitalised(&said::term(&of.what)),
        not_searched: of.not_searched.as_deref().map(not_searched).unwrap_or_default(),
        facts: vec![
            fact(&text!("subgroups-rows-searched"), rows(of.rows_searched)),
            fact(&text!("subgroups-rows-tested"), rows(of.rows_tested)),
            fact(&text!("subgroups-rows-min"), words::count(of.rows_min)),
            fact(&text!("subgroups-counted"), words::count(i64::try_from(of.counted).unwrap_or(i64::MAX))),
            fact(
                &text!("subgroups-overall"),
                overall
                    .map_or_else(|| text!("withheld"), |of| format!("{} {}", of.point, of.interval).trim().to_owned()),
            ),
        ],
        inside: if of.numeric { text!("subgroups-mean-in") } else { text!("subgroups-share-in") },
        outside: if of.numeric { text!("subgroups-mean-elsewhere") } else { text!("subgroups-share-elsewhere") },
        found: of.found.iter().take(caps.cohorts).map(|found| line(found, all)).collect(),
        more: words::more(kept, caps.cohorts, "subgroups", "report.json"),
        said,
    }
}

fn not_searched(why: &str) -> Said {
    Said::around(&text!("subgroups-not-searched", why = HOLE), &[said(why)])
}

/// A condition in one of the forms it has: `age from 25 to below 34`. That of a level is the same in every language.
fn condition(text: &str, columns: &[String]) -> String {
    let rest =
        |column: &String| Some((column.clone(), text.strip_prefix(column.as_str())?.strip_prefix(' ')?.to_owned()));
    let Some((column, rest)) = columns.iter().filter_map(rest).max_by_key(|(column, _)| column.len()) else {
        return text.into();
    };
    let name = words::name(&column);
    if let Some(upper) = rest.strip_prefix("below ") {
        return text!("subgroups-below", name = name, upper = upper);
    }
    if let Some((lower, upper)) = rest.strip_prefix("from ").and_then(|ends| ends.split_once(" to below ")) {
        return text!("subgroups-from-to", name = name, lower = lower, upper = upper);
    }
    match (rest.strip_suffix(" or more"), rest.as_str()) {
        (_, "known") => text!("subgroups-known", name = name),
        (_, "unknown") => text!("subgroups-unknown", name = name),
        (Some(lower), _) if !rest.starts_with('=') => text!("subgroups-or-more", name = name, lower = lower),
        _ => text.into(),
    }
}

fn line(of: &audit::Found, all: &audit::Subgroups) -> Line {
    let conditions: Vec<String> = of.conditions.iter().map(|text| condition(text, &all.columns)).collect();
    Line {
        name: words::sentence(&conditions.join(&text!("subgroups-and"))),
        inside: Shown::figure(&of.inside),
        outside: Shown::figure(&of.outside),
        difference: Shown::figure(&of.difference),
        p: of.p_adjusted.map_or_else(|| text!("withheld"), words::p_value),
        ratio: of.likelihood_ratio.map_or_else(|| text!("none"), words::figure),
    }
}
