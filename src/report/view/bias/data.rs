//! The data themselves: representation, missing values, proxies of protected columns.

use serde::Serialize;

use crate::audit::bias::Figure;
use crate::audit::bias::data::{DataBias, Fit, MissingValues, Proxies, Proxy, Representation, Represented};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::said::{self, HOLE, Said, said};
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
    pub left_out: Vec<Said>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shares {
    pub across: String,
    pub unknown: Shown,
    pub caption: String,
    /// A population is given.
    pub population: bool,
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
    pub reason: Said,
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
    pub found: String,
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
        left_out: said::list(&data.left_out, caps.texts, FILE),
    })
}

const SETS: &str = "sets-of-attributes";

fn p(value: Option<f64>) -> String {
    value.map_or_else(|| text!("data-not-computed"), words::p_value)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| text!("none"), words::figure)
}

/// `0.300 [0.219, 0.396]`; the words where there is no number.
fn written(of: &Figure) -> String {
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
    let divergence = text!(
        "data-divergence-equality",
        value = number(fit.kullback_leibler),
        expected = number(fit.kullback_leibler_at_equality)
    );
    let (value, p) = (number(fit.chi_squared), p(fit.p));
    let test = match fit.drawn {
        true => text!("data-fit-drawn", value = value, degrees = fit.degrees, p = p),
        false => text!("data-fit", value = value, degrees = fit.degrees, p = p),
    };
    vec![
        fact(&text!("data-total-variation"), written(&fit.total_variation)),
        fact(&text!("data-greatest-difference"), written(&fit.infinity_norm)),
        fact(&text!("data-kullback-leibler"), divergence),
        fact(&text!("data-jensen-shannon"), number(fit.jensen_shannon)),
        fact(&text!("data-goodness-of-fit"), test),
    ]
}

/// Whose share is not that of the population, and what to look at next.
fn share_sentence(line: &Represented, across: &str) -> Option<String> {
    let against = line.against.as_ref()?;
    let (name, share, ratio) = (words::name(&line.cohort), written(&line.share), written(&against.ratio));
    let (expected, p) = (words::figure(against.expected), p(against.p_holm));
    Some(match against.ratio.point().is_some_and(|ratio| ratio > 1.0) {
        true => text!(
            "data-told-more",
            name = name,
            share = share,
            across = across,
            expected = expected,
            ratio = ratio,
            p = p
        ),
        false => text!(
            "data-told-less",
            name = name,
            share = share,
            across = across,
            expected = expected,
            ratio = ratio,
            p = p
        ),
    })
}

fn shares(set: &Representation, error: f64, caps: &Caps) -> Shares {
    let name = across(&set.across);
    let told = |line: &&Represented| line.against.as_ref().and_then(|of| of.p_holm).is_some_and(|p| p <= error);
    let population = set.cohorts.iter().any(|line| line.against.is_some());
    let caption = match (population, set.product) {
        (false, _) => text!("data-shares-caption", name = &name),
        (true, false) => text!("data-shares-caption-population", name = &name),
        (true, true) => text!("data-shares-caption-product", name = &name),
    };
    let told: Vec<String> = set.cohorts.iter().filter(told).filter_map(|line| share_sentence(line, &name)).collect();
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
        across: name,
        unknown: Shown::figure(&set.unknown),
        caption,
        population,
        rows: set.cohorts.iter().take(caps.cohorts).map(row).collect(),
        more: words::more(set.cohorts.len(), caps.cohorts, "cohorts", FILE),
        facts: set.fit.as_ref().map(distances).unwrap_or_default(),
        sentences: said::own(told, SENTENCES, FILE),
    }
}

fn missing(values: &MissingValues) -> Missing {
    let name = |cohort: &Option<String>| cohort.as_ref().map_or_else(|| text!("none"), |cohort| words::name(cohort));
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
    match data.missing.is_empty() {
        true => text!("data-complete-all"),
        false => text!("data-complete", n = data.complete),
    }
}

fn missing_sentences(data: &DataBias, error: f64) -> Vec<String> {
    let told = |values: &&MissingValues| values.p_adjusted.is_some_and(|p| p <= error);
    let sentence = |values: &MissingValues| {
        let (most, least) = values.most.as_ref().zip(values.least.as_ref())?;
        Some(text!(
            "data-missing-more-often",
            column = words::name(&values.column),
            most = words::name(most),
            least = words::name(least),
            gap = written(&values.worst_pair),
            p = p(values.p_adjusted)
        ))
    };
    let told: Vec<String> = data.missing.iter().filter(told).filter_map(sentence).collect();
    said::own(told, SENTENCES, FILE)
}

fn proxy_set(proxies: &Proxies, caps: &Caps) -> ProxySet {
    let attribute = words::name(&proxies.attribute);
    let found: Vec<String> =
        proxies.columns.iter().filter(|column| column.found).map(|column| sentence(&attribute, column)).collect();
    let none_found = found.is_empty();
    let mut sentences = said::own(found, SENTENCES, FILE);
    if none_found && proxies.columns.iter().any(|column| column.p.is_some()) {
        sentences.push(text!("data-no-proxy", name = &attribute));
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
            left => text!("data-levels-left-out", n = left),
        },
        reason: together.reason.as_deref().map(not_computed).unwrap_or_default(),
        together: words::sentence(&said::names(&names)),
        r_squared: Shown::figure(&together.r_squared),
        levels: together.levels.iter().take(caps.cohorts).map(levels).collect(),
        levels_more: words::more(together.levels.len(), caps.cohorts, "levels", FILE),
        attribute,
    }
}

fn not_computed(why: &str) -> Said {
    Said::around(&text!("data-together-not-computed", why = HOLE), &[said(why)])
}

fn column(column: &Proxy) -> Column {
    Column {
        name: words::name(&column.column),
        level: match (&column.level, column.greater) {
            (None, _) => text!("none"),
            (Some(level), None) => words::name(level),
            (Some(level), Some(true)) => text!("data-level-greater", name = words::name(level)),
            (Some(level), Some(false)) => text!("data-level-smaller", name = words::name(level)),
        },
        auc: Shown::figure(&column.auc),
        r_squared: number(column.r_squared),
        cramers_v: number(column.cramers_v),
        uncertainty: number(column.uncertainty),
        p: p(column.p_adjusted),
        found: match (column.computed, column.found) {
            (true, _) => text!("data-standing-computed"),
            (false, true) => text!("data-standing-found"),
            (false, false) => text!("data-standing-not-found"),
        },
    }
}

fn sentence(attribute: &str, column: &Proxy) -> String {
    let name = match &column.level {
        Some(level) => format!("{attribute} = {}", words::name(level)),
        None => attribute.into(),
    };
    let (of, auc) = (words::name(&column.column), written(&column.auc));
    let told = match column.binning > 0.0005 {
        true => {
            text!("data-tells-binned", column = of, name = name, auc = auc, binning = words::figure(column.binning))
        }
        false => text!("data-tells", column = of, name = name, auc = auc),
    };
    let next = match column.computed {
        true => text!("data-next-computed"),
        false => text!("data-next-out"),
    };
    [told, next].join(&text!("sentences-between"))
}
