//! What can be done about a difference: candidates with their measured effect, who gains and who loses.

use serde::Serialize;

use crate::audit::bias::Figure;
use crate::audit::bias::mitigation::{Effect, Mitigation, Outcome, Tried};
use crate::report::document::Report;
use crate::report::svg::Scale;
use crate::report::svg::frontier::{Ends, Frontier, Point, draw};
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

/// The file with every row.
const FILE: &str = "report.json";

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub facts: Vec<Fact>,
    pub summary: Vec<String>,
    pub warnings: Vec<Warning>,
    pub charts: Vec<Drawn>,
    /// Headings of the columns of gaps.
    pub gaps: Vec<String>,
    pub quality: String,
    pub lines: Vec<Line>,
    pub lines_more: String,
    /// Heading of the column of changes.
    pub level: &'static str,
    /// Decisions, not numbers.
    pub decisions: bool,
    pub effects: Vec<Changed>,
    pub effects_more: String,
    pub made: Vec<Made>,
    pub not_tried: Vec<Fact>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Warning {
    pub place: String,
    pub text: String,
    pub source: String,
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
    pub reads: &'static str,
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
    pub texts: Vec<String>,
    pub settings: Vec<Fact>,
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
        |not: &crate::audit::bias::mitigation::NotTried| fact(&words::name(&not.remedy), words::prose(&not.why));
    Some(Section {
        facts: facts(found),
        summary: found.summary.iter().take(caps.texts).map(|text| long(text)).collect(),
        warnings: found.warnings.iter().map(warning).collect(),
        charts: charts(found),
        gaps: found.parities.iter().map(|parity| words::capitalised(&words::name(spoken(parity)))).collect(),
        quality: words::capitalised(&words::name(&found.quality.replace('-', " "))),
        lines: lines(found, caps),
        lines_more: words::more(found.candidates.len(), caps.cohorts, "candidates", FILE),
        level: if decisions { "Selection rate" } else { "Mean prediction" },
        decisions,
        effects_more: words::more(all.len(), caps.cohorts, "lines", FILE),
        effects: all.into_iter().take(caps.cohorts).collect(),
        made: found.candidates.iter().enumerate().take(caps.cohorts).map(|(i, tried)| made(i, tried, caps)).collect(),
        not_tried: found.not_tried.iter().take(caps.texts).map(not_tried).collect(),
        notes: words::list(&found.notes, caps.texts, FILE),
    })
}

/// Sentences that this program wrote, each cut where names in it are too long.
fn long(text: &str) -> String {
    text.split(". ").map(words::prose).collect::<Vec<_>>().join(". ")
}

fn spoken(parity: &str) -> &str {
    match parity {
        "selection-rate" => "difference in selection rates",
        "true-positive-rate" => "difference in true positive rates",
        "equalized-odds" => "difference in equalized odds",
        "mean-prediction" => "difference in mean predictions",
        other => other,
    }
}

fn number(i: usize) -> String {
    words::count(i as i64 + 1)
}

fn facts(found: &Mitigation) -> Vec<Fact> {
    let mut facts = vec![
        fact("Cohorts of", words::across(&found.across)),
        fact("Chosen on", format!("{} rows", words::count(found.rows_chosen_on))),
        fact(
            "Measured on",
            match found.candidates.is_empty() {
                true => "nothing: nothing was tried".to_string(),
                false => format!("{} other rows", words::count(found.rows_held_out)),
            },
        ),
        fact("Confidence", words::confidence(found.confidence)),
    ];
    let used = found.used.as_ref().map_or("none; the audit is of the decisions as they were".into(), |id| {
        format!("{}; the rest of this audit is of it", words::name(id))
    });
    facts.push(fact("In use", used));
    facts
}

fn warning(statement: &crate::audit::bias::mitigation::Statement) -> Warning {
    Warning {
        place: words::name(&statement.place),
        text: long(&statement.text),
        source: format!("{}; as of {}", words::sentence(&statement.source), words::name(&statement.as_of)),
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
    let before = line("0".into(), "as it was".into(), "no", nothing, &found.before);
    let tried = found.candidates.iter().take(caps.cohorts).enumerate().map(|(i, tried)| {
        let reads = if tried.reads_protected { "yes" } else { "no" };
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
        heading: format!("{} {}", number(i), words::name(&tried.id)),
        texts: texts.map(|text| long(text)).collect(),
        settings: tried
            .settings
            .iter()
            .take(caps.cohorts)
            .map(|(cohort, rule)| fact(&words::name(cohort), words::prose(rule)))
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
    let quality = words::capitalised(&found.quality.replace('-', " "));
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
        let said = |point: &Point| {
            format!("{}: {} at {}", point.number, words::figure(point.x.point), words::figure(point.y.point))
        };
        let description =
            format!("{} by {}. {}.", spoken(parity), quality, points.iter().map(said).collect::<Vec<_>>().join("; "));
        let title = format!("{} against {}", quality, spoken(parity));
        let (x_name, y_name) = (words::capitalised(spoken(parity)), quality.clone());
        let id = format!("frontier-{at}");
        let svg = draw(&Frontier { id, title: title.clone(), description, x_name, y_name, x, y, points });
        Some(Drawn { heading: title, svg })
    };
    found.parities.iter().enumerate().filter_map(chart).collect()
}
