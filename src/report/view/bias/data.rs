//! The data themselves: representation, missing values, proxies of protected columns.

use serde::Serialize;

use crate::audit::bias::Figure;
use crate::audit::bias::data::{DataBias, Fit, MissingValues, Proxies, Proxy, Representation, Represented};
use crate::report::document::Report;
use crate::report::view::words::{self, Shown};
use crate::report::view::{Caps, Fact, fact};

/// Most sentences about each protected column, set or list.
const SENTENCES: usize = 5;
const FILE: &str = "report.json";

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub confidence: String,
    pub representation: Vec<Shares>,
    pub representation_more: String,
    pub missing: Vec<Missing>,
    pub missing_more: String,
    /// How many columns have no missing value.
    pub complete: String,
    pub missing_sentences: Vec<String>,
    pub proxies: Vec<ProxySet>,
    pub proxies_more: String,
    pub left_out: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shares {
    pub across: String,
    pub unknown: Shown,
    /// A population is given.
    pub population: bool,
    pub product: bool,
    pub rows: Vec<Share>,
    pub more: String,
    pub facts: Vec<Fact>,
    pub sentences: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub cohort: String,
    pub share: Shown,
    pub expected: String,
    pub difference: Shown,
    pub ratio: Shown,
    pub p: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    pub column: String,
    pub across: String,
    pub everyone: Shown,
    pub worst_pair: Shown,
    pub most: String,
    pub least: String,
    pub p: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ProxySet {
    pub attribute: String,
    pub columns: Vec<Column>,
    pub more: String,
    pub sentences: Vec<String>,
    pub levels_left_out: String,
    /// Why there is no figure of all columns together.
    pub reason: String,
    pub together: String,
    pub r_squared: Shown,
    pub levels: Vec<Level>,
    pub levels_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Column {
    pub name: String,
    pub level: String,
    pub auc: Shown,
    pub r_squared: String,
    pub cramers_v: String,
    pub uncertainty: String,
    pub p: String,
    pub found: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub struct Level {
    pub name: String,
    pub auc: Shown,
    pub r_squared: Shown,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let data = report.bias.data.as_ref()?;
    let error = 1.0 - report.method.confidence;
    let representation = data.representation.iter().take(caps.sets).map(|set| shares(set, error, caps));
    Some(Section {
        confidence: words::confidence(report.method.confidence),
        representation: representation.collect(),
        representation_more: words::more(data.representation.len(), caps.sets, SETS, FILE),
        missing: data.missing.iter().take(caps.columns).map(missing).collect(),
        missing_more: words::more(data.missing.len(), caps.columns, "lines", FILE),
        complete: complete(data),
        missing_sentences: missing_sentences(data, error),
        proxies: data.proxies.iter().take(caps.sets).map(|proxies| proxy_set(proxies, caps)).collect(),
        proxies_more: words::more(data.proxies.len(), caps.sets, "protected-columns", FILE),
        left_out: words::list(&data.left_out, caps.texts, FILE),
    })
}

const SETS: &str = "sets-of-attributes";

fn p(value: Option<f64>) -> String {
    match value {
        None => "not computed".into(),
        Some(p) if p < 0.0001 => "below 0.0001".into(),
        Some(p) => words::figure(p),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or("none".into(), words::figure)
}

/// `0.300 [0.219, 0.396]`; the words where there is no number.
fn text(of: &Figure) -> String {
    let shown = Shown::figure(of);
    match shown.estimated {
        true => format!("{} {}", shown.point, shown.interval),
        false => shown.point,
    }
}

fn across(names: &[std::sync::Arc<str>]) -> String {
    words::across(&names.iter().map(|name| name.to_string()).collect::<Vec<_>>())
}

/// How far the shares are from those of the population.
fn distances(fit: &Fit) -> Vec<Fact> {
    let chance = if fit.drawn { ", by tables drawn at random" } else { "" };
    let divergence = format!(
        "{}; {} on average when nothing differs",
        number(fit.kullback_leibler),
        number(fit.kullback_leibler_at_equality)
    );
    let test = format!(
        "chi-squared {} with {} degrees of freedom, p {}{chance}",
        number(fit.chi_squared),
        fit.degrees,
        p(fit.p)
    );
    vec![
        fact("Total variation distance", text(&fit.total_variation)),
        fact("Greatest difference", text(&fit.infinity_norm)),
        fact("Kullback-Leibler divergence, nats", divergence),
        fact("Jensen-Shannon divergence, nats", number(fit.jensen_shannon)),
        fact("Goodness of fit", test),
    ]
}

fn shares(set: &Representation, error: f64, caps: &Caps) -> Shares {
    let name = across(&set.across);
    let told = |line: &&Represented| line.against.as_ref().and_then(|of| of.p_holm).is_some_and(|p| p <= error);
    let sentence = |line: &Represented| {
        let against = line.against.as_ref()?;
        let more = against.ratio.point().is_some_and(|ratio| ratio > 1.0);
        Some(format!(
            "{}: {} of the rows of known {name}, {} of the population given; ratio {}, p {} after Holm. {}",
            words::name(&line.cohort),
            text(&line.share),
            words::figure(against.expected),
            text(&against.ratio),
            p(against.p_holm),
            match more {
                true =>
                    "See whom the source reaches more often, and whether the population given is the one the rows are meant for.",
                false =>
                    "See whom the source does not reach, and whether the population given is the one the rows are meant for; weights restore a share, not what is unknown about those who are not there.",
            }
        ))
    };
    let told: Vec<String> = set.cohorts.iter().filter(told).filter_map(sentence).collect();
    let row = |line: &Represented| {
        let none = || Shown::words("", "");
        let against = line.against.as_ref();
        Share {
            cohort: words::name(&line.cohort),
            share: Shown::figure(&line.share),
            expected: against.map_or(String::new(), |of| words::figure(of.expected)),
            difference: against.map_or_else(none, |of| Shown::figure(&of.difference)),
            ratio: against.map_or_else(none, |of| Shown::figure(&of.ratio)),
            p: against.map_or(String::new(), |of| p(of.p_holm)),
        }
    };
    Shares {
        across: name.clone(),
        unknown: Shown::figure(&set.unknown),
        population: set.cohorts.iter().any(|line| line.against.is_some()),
        product: set.product,
        rows: set.cohorts.iter().take(caps.cohorts).map(row).collect(),
        more: words::more(set.cohorts.len(), caps.cohorts, "cohorts", FILE),
        facts: set.fit.as_ref().map(distances).unwrap_or_default(),
        sentences: words::list(&told, SENTENCES, FILE),
    }
}

fn missing(values: &MissingValues) -> Missing {
    let name = |cohort: &Option<String>| cohort.as_ref().map_or("none".into(), |cohort| words::name(cohort));
    Missing {
        column: words::name(&values.column),
        across: across(&values.across),
        everyone: Shown::figure(&values.everyone),
        worst_pair: Shown::figure(&values.worst_pair),
        most: name(&values.most),
        least: name(&values.least),
        p: p(values.p_adjusted),
    }
}

fn complete(data: &DataBias) -> String {
    let complete = words::many(data.complete as usize, "column", "columns");
    match (data.missing.is_empty(), data.complete) {
        (true, _) => "No column that was counted lacks a value.".into(),
        (false, 1) => "1 column more lacks no value.".into(),
        (false, _) => format!("{complete} more lack no value."),
    }
}

fn missing_sentences(data: &DataBias, error: f64) -> Vec<String> {
    let told = |values: &&MissingValues| values.p_adjusted.is_some_and(|p| p <= error);
    let sentence = |values: &MissingValues| {
        let (most, least) = values.most.as_ref().zip(values.least.as_ref())?;
        Some(format!(
            "{} lacks values more often in {} than in {}, by {} of the rows, p {}. Find out why before rows without it are left out or filled in.",
            words::name(&values.column),
            words::name(most),
            words::name(least),
            text(&values.worst_pair),
            p(values.p_adjusted)
        ))
    };
    let told: Vec<String> = data.missing.iter().filter(told).filter_map(sentence).collect();
    words::list(&told, SENTENCES, FILE)
}

fn proxy_set(proxies: &Proxies, caps: &Caps) -> ProxySet {
    let attribute = words::name(&proxies.attribute);
    let found: Vec<String> =
        proxies.columns.iter().filter(|column| column.found).map(|column| sentence(&attribute, column)).collect();
    let mut sentences = words::list(&found, SENTENCES, FILE);
    if found.is_empty() && proxies.columns.iter().any(|column| column.p.is_some()) {
        sentences.push(format!(
            "No single column tells {attribute} more than chance would in so many columns. Columns together, or relations that these figures do not see, may."
        ));
    }
    let together = &proxies.together;
    let levels = |level: &crate::audit::bias::data::Told| Level {
        name: words::name(&level.level),
        auc: Shown::figure(&level.auc),
        r_squared: Shown::figure(&level.r_squared),
    };
    let names: Vec<String> = together.columns.iter().map(|name| words::name(name)).collect();
    ProxySet {
        columns: proxies.columns.iter().take(caps.columns).map(column).collect(),
        more: words::more(proxies.columns.len(), caps.columns, "columns", FILE),
        sentences,
        levels_left_out: match proxies.levels_left_out {
            0 => String::new(),
            1 => "1 level has too few rows to be told from the others.".into(),
            left => format!(
                "{left} levels have too few rows to be told from the others, or are beyond the 20 most frequent."
            ),
        },
        reason: together.reason.as_ref().map_or(String::new(), |reason| words::prose(reason)),
        together: words::sentence(&names.join(", ")),
        r_squared: Shown::figure(&together.r_squared),
        levels: together.levels.iter().take(caps.cohorts).map(levels).collect(),
        levels_more: words::more(together.levels.len(), caps.cohorts, "levels", FILE),
        attribute,
    }
}

fn column(column: &Proxy) -> Column {
    Column {
        name: words::name(&column.column),
        level: match (&column.level, column.greater) {
            (None, _) => "none".into(),
            (Some(level), None) => words::name(level),
            (Some(level), Some(greater)) => {
                format!("{} ({} values)", words::name(level), if greater { "greater" } else { "smaller" })
            }
        },
        auc: Shown::figure(&column.auc),
        r_squared: number(column.r_squared),
        cramers_v: number(column.cramers_v),
        uncertainty: number(column.uncertainty),
        p: p(column.p_adjusted),
        found: match (column.computed, column.found) {
            (true, _) => "computed from one another",
            (false, true) => "told from chance",
            (false, false) => "not told from chance",
        },
    }
}

fn sentence(attribute: &str, column: &Proxy) -> String {
    let name = words::name(&column.column);
    let level = column.level.as_ref().map_or(String::new(), |level| format!(" = {}", words::name(level)));
    let bins = match column.binning > 0.0005 {
        true => format!(" (in 200 bins; without them at most {} away)", words::figure(column.binning)),
        false => String::new(),
    };
    let next = match column.computed {
        true => "One is computed from the other: as an input it is the protected column by another name.",
        false => "Take it out and compare, or say what it is needed for.",
    };
    format!("{name} tells {attribute}{level} with AUC {}{bins}. {next}", text(&column.auc))
}
