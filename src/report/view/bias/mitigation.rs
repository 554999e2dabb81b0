//! What can be done about a difference: candidates with their measured effect, who gains and who loses.

use serde::Serialize;

use crate::audit::bias::Figure;
use crate::audit::bias::mitigation::{Effect, Mitigation, Outcome, Tried};
use crate::report::document::Report;
use crate::report::language::{known, text};
use crate::report::svg::Scale;
use crate::report::svg::frontier::{Ends, Frontier, Point, draw};
use crate::report::view::said::{self, HOLE, Said, Told, said, told};
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

/// The file with every row.
const FILE: &str = "report.json";

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub facts: Vec<Fact>,
    pub summary: Vec<Said>,
    pub warnings: Vec<Warning>,
    pub charts: Vec<Drawn>,
    /// Headings of the columns of gaps.
    pub gaps: Vec<String>,
    pub quality: String,
    /// Something was tried.
    pub tried: bool,
    pub lines: Vec<Line>,
    pub lines_more: String,
    /// Heading of the column of changes.
    pub level: String,
    /// Decisions, not numbers.
    pub decisions: bool,
    pub effects: Vec<Changed>,
    pub effects_more: String,
    pub made: Vec<Made>,
    pub not_tried: Vec<Told>,
    pub not_tried_more: String,
    pub notes: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Warning {
    pub place: String,
    pub text: Said,
    pub source: Said,
}

#[derive(Debug, Clone, Serialize)]
pub struct Drawn {
    pub heading: String,
    pub svg: String,
}

/// One candidate, or what it is held against.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub number: String,
    pub name: String,
    pub reads: String,
    pub quality: Shown,
    pub price: Shown,
    pub gaps: Vec<Shown>,
}

/// What a candidate changes for a cohort.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    pub number: String,
    pub cohort: String,
    pub rows: String,
    pub gain: String,
    pub lose: String,
    pub level: Shown,
    pub true_positive: Shown,
    pub false_positive: Shown,
}

/// How a candidate was made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    pub heading: String,
    pub texts: Vec<Said>,
    pub settings: Vec<Told>,
    pub settings_more: String,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let found = report.bias.mitigation.as_ref()?;
    let decisions = found.quality == "accuracy";
    let all: Vec<Changed> = found
        .candidates
        .iter()
        .enumerate()
        .flat_map(|(i, tried)| tried.cohorts.iter().map(move |effect| changed(number(i), effect)))
        .collect();
    let not_tried =
        |not: &crate::audit::bias::mitigation::NotTried| told(Said::own(words::name(&not.remedy)), said(&not.why));
    Some(Section {
        facts: facts(found),
        summary: said::long_list(&found.summary, caps.texts, FILE),
        warnings: found.warnings.iter().map(warning).collect(),
        charts: charts(found),
        gaps: found.parities.iter().map(|parity| words::capitalised(&gap(parity))).collect(),
        quality: quality(found),
        tried: !found.candidates.is_empty(),
        lines: lines(found, caps),
        lines_more: words::more(found.candidates.len(), caps.cohorts, "candidates", FILE),
        level: if decisions { text!("mitigation-level-selection") } else { text!("mitigation-level-mean") },
        decisions,
        effects_more: words::more(all.len(), caps.cohorts, "lines", FILE),
        effects: all.into_iter().take(caps.cohorts).collect(),
        made: found.candidates.iter().enumerate().take(caps.cohorts).map(|(i, tried)| made(i, tried, caps)).collect(),
        not_tried: found.not_tried.iter().take(caps.texts).map(not_tried).collect(),
        not_tried_more: words::more(found.not_tried.len(), caps.texts, "candidates", FILE),
        notes: said::list(&found.notes, caps.texts, FILE),
    })
}

fn gap(parity: &str) -> String {
    known(&format!("mitigation-gap-{parity}")).unwrap_or_else(|| words::name(parity))
}

fn quality(found: &Mitigation) -> String {
    let written = || words::capitalised(&words::name(&found.quality.replace('-', " ")));
    known(&format!("mitigation-quality-{}", found.quality)).unwrap_or_else(written)
}

fn number(i: usize) -> String {
    words::count(i as i64 + 1)
}

fn facts(found: &Mitigation) -> Vec<Fact> {
    let mut facts = vec![
        fact(&text!("mitigation-cohorts-of"), words::across(&found.across)),
        fact(&text!("mitigation-chosen-on"), text!("mitigation-chosen-on-rows", n = found.rows_chosen_on)),
        fact(
            &text!("mitigation-measured-on"),
            match found.candidates.is_empty() {
                true => text!("mitigation-measured-on-nothing"),
                false => text!("mitigation-measured-on-rows", n = found.rows_held_out),
            },
        ),
        fact(&text!("mitigation-confidence"), words::confidence(found.confidence)),
    ];
    let used = match &found.used {
        Some(id) => text!("mitigation-in-use-of", name = words::name(id)),
        None => text!("mitigation-in-use-none"),
    };
    facts.push(fact(&text!("mitigation-in-use"), used));
    facts
}

fn warning(statement: &crate::audit::bias::mitigation::Statement) -> Warning {
    Warning {
        place: said::term(&statement.place),
        text: said::long(&statement.text),
        source: Said::around(
            &text!("mitigation-source", from = HOLE, day = words::name(&statement.as_of)),
            &[said(&statement.source)],
        ),
    }
}

fn lines(found: &Mitigation, caps: &Caps) -> Vec<Line> {
    let line = |number: String, name: String, reads, price, outcome: &Outcome| Line {
        number,
        name,
        reads,
        quality: Shown::figure(&outcome.quality),
        price,
        gaps: outcome.gaps.iter().map(Shown::figure).collect(),
    };
    let nothing = Shown::words("", "");
    let before = line("0".into(), text!("mitigation-as-it-was"), text!("no"), nothing, &found.before);
    let tried = found.candidates.iter().take(caps.cohorts).enumerate().map(|(i, tried)| {
        let reads = if tried.reads_protected { text!("yes") } else { text!("no") };
        line(number(i), words::name(&tried.id), reads, Shown::figure(&tried.price), &tried.outcome)
    });
    std::iter::once(before).chain(tried).collect()
}

fn changed(number: String, effect: &Effect) -> Changed {
    let count = |n: Option<i64>| n.map_or("".into(), words::count);
    Changed {
        number,
        cohort: words::name(&effect.cohort),
        rows: count(effect.rows),
        gain: count(effect.gain),
        lose: count(effect.lose),
        level: Shown::figure(&effect.level),
        true_positive: Shown::figure(&effect.true_positive),
        false_positive: Shown::figure(&effect.false_positive),
    }
}

fn made(i: usize, tried: &Tried, caps: &Caps) -> Made {
    let texts = tried.levelling_down.iter().chain(&tried.made);
    Made {
        heading: text!("mitigation-made", number = number(i), name = words::name(&tried.id)),
        texts: texts.map(|text| said::long(text)).collect(),
        settings: tried
            .settings
            .iter()
            .take(caps.cohorts)
            .map(|(cohort, rule)| told(Said::own(words::name(cohort)), said(rule)))
            .collect(),
        settings_more: words::more(tried.settings.len(), caps.cohorts, "cohorts", FILE),
    }
}

fn ends(figure: &Figure) -> Option<Ends> {
    match figure {
        Figure::Estimated { point, lower, upper, .. } => Some(Ends { point: *point, lower: *lower, upper: *upper }),
        Figure::Undefined { .. } | Figure::Suppressed => None,
    }
}

/// One chart for each parity with a figure.
fn charts(found: &Mitigation) -> Vec<Drawn> {
    let quality = quality(found);
    let chart = |(at, parity): (usize, &String)| {
        let point = |number: String, outcome: &Outcome, before: bool| {
            let (x, y) = (ends(outcome.gaps.get(at)?)?, ends(&outcome.quality)?);
            Some(Point { number, x, y, before })
        };
        let tried =
            found.candidates.iter().enumerate().filter_map(|(i, tried)| point(number(i), &tried.outcome, false));
        let points: Vec<Point> = point("0".into(), &found.before, true).into_iter().chain(tried).collect();
        if points.len() < 2 {
            return None;
        }
        let numbers = |of: fn(&Point) -> Ends| {
            points.iter().flat_map(move |point| {
                let Ends { point, lower, upper } = of(point);
                [Some(point), lower, upper].into_iter().flatten()
            })
        };
        let x = Scale::over(numbers(|point| point.x).chain([0.0]), &words::tick);
        let y = Scale::over(numbers(|point| point.y), &words::tick);
        let spoken = |point: &Point| {
            let (x, y) = (words::figure(point.x.point), words::figure(point.y.point));
            text!("mitigation-chart-point", number = &point.number, x = x, y = y)
        };
        let listed = points.iter().map(spoken).collect::<Vec<_>>().join(&text!("clauses-between"));
        let description = text!("mitigation-chart-described", gap = gap(parity), quality = &quality, said = listed);
        let title = text!("mitigation-chart-title", quality = &quality, gap = gap(parity));
        let (x_name, y_name) = (words::capitalised(&gap(parity)), quality.clone());
        let id = format!("frontier-{at}");
        let svg = draw(&Frontier { id, title: title.clone(), description, x_name, y_name, x, y, points });
        Some(Drawn { heading: title, svg })
    };
    found.parities.iter().enumerate().filter_map(chart).collect()
}
