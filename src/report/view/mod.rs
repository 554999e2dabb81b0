//! The report as finished texts: everything is counted, rounded, worded and sorted here, so the templates only place it.
//!
//! One struct per section, in the order of the page. [`Caps`] keep the page small whatever the size of the run; what is not shown is counted
//! and its file named.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::document::{Cohort, Gate, Reading, Report, Run};
use super::language::text;
use crate::audit::Edition;
use crate::metric::{Against, Comparison};

mod attacks;
mod bias;
mod changes;
mod charts;
mod coarsening;
mod findings;
mod gates;
mod glossary;
mod limitations;
pub mod mail;
mod measures;
mod method;
mod model;
mod price;
mod privacy;
mod reasons;
mod said;
mod scope;
mod scores;
mod words;

pub use findings::{Beside, findings};
pub use gates::verdict;
pub use words::count;

/// Version of what templates may use; grows when a key changes its meaning or goes away.
pub const VIEW_VERSION: u32 = 1;

/// Most rows of each kind that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    pub findings: usize,
    pub gates: usize,
    pub sets: usize,
    /// Cohorts of one set in its table of counts.
    pub cohorts: usize,
    /// Rows of all tables of values together.
    pub values: usize,
    /// Charts of all sets together.
    pub charts: usize,
    pub chart_rows: usize,
    pub columns: usize,
    pub coefficients: usize,
    pub files: usize,
    /// Releases under differential privacy, and attacks on them.
    pub releases: usize,
    pub texts: usize,
}

impl Caps {
    pub const FULL: Caps = Caps {
        findings: 200,
        gates: 200,
        sets: 24,
        cohorts: 100,
        values: 1500,
        charts: 60,
        chart_rows: 20,
        columns: 200,
        coefficients: 100,
        files: 100,
        releases: 200,
        texts: 100,
    };

    /// Half of each, for a page that came out too large; none when nothing is left to halve.
    pub fn halved(self) -> Option<Caps> {
        let half = |n: usize| n.div_ceil(2);
        let halved = Caps {
            findings: half(self.findings),
            gates: half(self.gates),
            sets: half(self.sets),
            cohorts: half(self.cohorts),
            values: half(self.values),
            charts: half(self.charts),
            chart_rows: half(self.chart_rows),
            columns: half(self.columns),
            coefficients: half(self.coefficients),
            files: half(self.files),
            releases: half(self.releases),
            texts: half(self.texts),
        };
        (halved != self).then_some(halved)
    }
}

/// A term and what it is.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    pub term: String,
    pub text: String,
    /// Takes the width of the page.
    pub long: bool,
}

/// Characters beyond which a text takes the width of the page.
const LONG_CHARS: usize = 48;

pub fn fact(term: &str, text: impl Into<String>) -> Fact {
    let text = text.into();
    Fact { term: term.into(), long: text.chars().count() > LONG_CHARS, text }
}

/// An entry of the table of contents.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub id: &'static str,
    pub name: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// Version of this list of keys.
    pub view_version: u32,
    /// Of the page, as HTML has it: `en`, `zh-Hans`.
    pub lang: String,
    pub title: String,
    /// Name of the house; empty where the pipeline file names none.
    pub brand: String,
    pub generator: String,
    pub run_id: String,
    /// Who may read this edition; none without differential privacy.
    pub edition: Option<String>,
    pub sections: Vec<Section>,
    /// Sets of attributes, below the section of measurements.
    pub sets: Vec<Link>,
    pub strip: Vec<Fact>,
    pub verdict: gates::Verdict,
    /// What differs from the last signed run, or from the run before; its `line` is for the verdict.
    pub changes: Option<changes::Section>,
    /// Judged values over the last runs.
    pub history: Vec<changes::History>,
    pub scope: scope::Scope,
    pub findings: findings::Findings,
    pub gates: gates::Matrix,
    pub measures: measures::Measures,
    pub strata: Option<bias::strata::Section>,
    pub tests: Option<bias::tests::Section>,
    pub sweep: Option<bias::sweep::Section>,
    pub data: Option<bias::data::Section>,
    pub ranking: Option<bias::ranking::Section>,
    pub classes: Option<bias::classes::Section>,
    pub subgroups: Option<bias::subgroups::Section>,
    pub individual: Option<bias::individual::Section>,
    pub inferred: Option<bias::inferred::Section>,
    pub regulation: Option<bias::regulation::Section>,
    pub mitigation: Option<bias::mitigation::Section>,
    pub privacy: Option<privacy::Privacy>,
    pub coarsening: Option<coarsening::Coarsening>,
    pub model: Option<model::Model>,
    /// How far attacks on the real rows got.
    pub attacks: Option<attacks::Attacks>,
    pub method: method::Method,
    pub cards: Vec<method::Card>,
    pub cards_more: String,
    /// From the run itself, and from the author of the pipeline file.
    pub limitations: Vec<said::Said>,
    pub limitations_authored: Vec<String>,
    pub resources: method::Resources,
    pub provenance: method::Provenance,
    pub sign_off: method::SignOff,
    pub glossary: Vec<Fact>,
}

/// Says everything the page says.
pub fn view(report: &Report, run: &Run, caps: &Caps) -> View {
    let names = Names::of(report);
    let measures = measures::measures(report, &names, caps);
    let sets: Vec<Link> =
        measures.sets.iter().map(|set| Link { id: set.id.clone(), name: set.across.clone() }).collect();
    View {
        view_version: VIEW_VERSION,
        lang: text!("page-lang"),
        brand: report.pipeline.stated.brand.as_deref().map(words::name).unwrap_or_default(),
        title: title(report),
        generator: words::name(&report.generator),
        run_id: words::name(&run.run_id),
        edition: privacy::banner(run),
        sections: sections(report, run),
        strip: strip(report, run),
        verdict: gates::verdict(report, run, &names),
        changes: changes::section(run, &names, caps),
        history: changes::history(run, &names, caps),
        scope: scope::scope(report, run, caps),
        findings: findings::findings(report, &findings::Beside { names: &names, report, run, sets: &sets }, caps),
        gates: gates::matrix(report, &names, caps),
        sets,
        measures,
        strata: bias::strata::section(report, caps),
        tests: bias::tests::section(report, caps),
        sweep: bias::sweep::section(report, caps),
        data: bias::data::section(report, caps),
        ranking: bias::ranking::section(report, caps),
        classes: bias::classes::section(report, caps),
        subgroups: bias::subgroups::section(report, caps),
        individual: bias::individual::section(report, caps),
        inferred: bias::inferred::section(report, caps),
        regulation: bias::regulation::section(report, caps),
        mitigation: bias::mitigation::section(report, caps),
        privacy: privacy::privacy(report, run, &names, caps),
        coarsening: report.coarsening.as_ref().map(coarsening::coarsening),
        model: report.model.as_ref().map(|model| model::model(model, report, caps)),
        attacks: attacks::attacks(run, caps),
        method: method::method(report, run, caps),
        cards: method::cards(report, caps),
        cards_more: words::more(report.metrics.len(), caps.texts, "metrics", "report.json"),
        limitations: limitations::limitations(report, run, caps),
        limitations_authored: limitations::authored(report, caps),
        resources: method::resources(run, caps),
        provenance: method::provenance(report, run, caps),
        sign_off: method::sign_off(report),
        glossary: glossary::glossary(report),
    }
}

/// The heading: the name of the pipeline where it has none.
pub fn title(report: &Report) -> String {
    let titled = !report.pipeline.title.trim().is_empty();
    words::sentence(if titled { &report.pipeline.title } else { &report.pipeline.name })
}

fn sections(report: &Report, run: &Run) -> Vec<Section> {
    let all = [
        "verdict",
        "findings",
        "criteria",
        "scope",
        "privacy",
        "de-identification",
        "measurements",
        "within-strata",
        "tests",
        "thresholds",
        "data",
        "ranking",
        "classes",
        "subgroups",
        "individual",
        "inferred",
        "regulation",
        "mitigation",
        "model",
        "attacks",
        "changes",
        "limitations",
        "method",
        "metrics",
        "resources",
        "provenance",
        "sign-off",
        "glossary",
    ];
    let shown = |id: &&str| match *id {
        "model" => report.model.is_some(),
        "privacy" => report.privacy.is_some(),
        "de-identification" => report.coarsening.is_some(),
        "attacks" => run.attacks.is_some(),
        "changes" => run.changes.is_some(),
        "within-strata" => !report.bias.strata.is_empty(),
        "tests" => report.bias.tests.is_some(),
        "thresholds" => report.bias.sweep.is_some(),
        "data" => report.bias.data.is_some(),
        "ranking" => report.bias.ranking.is_some(),
        "classes" => report.bias.classes.is_some(),
        "subgroups" => report.bias.subgroups.is_some(),
        "individual" => report.bias.individual.is_some(),
        "inferred" => !report.bias.inferred.is_empty(),
        "regulation" => !report.bias.regulation.is_empty(),
        "mitigation" => report.bias.mitigation.is_some(),
        _ => true,
    };
    all.into_iter().filter(shown).map(|id| Section { id, name: text!(&format!("section-{id}")) }).collect()
}

fn strip(report: &Report, run: &Run) -> Vec<Fact> {
    let finished = match run.edition {
        Some(Edition::Public) => text!("not-told-public"),
        _ => words::instant(&run.finished_at),
    };
    // The page cannot check its own signature: it names the key and what checks it.
    let key = |id: &String| words::name(&id.chars().take(16).collect::<String>());
    let signature = match &run.signed_by {
        Some(id) => text!("strip-signed-by", key = key(id)),
        None => text!("strip-not-signed"),
    };
    vec![
        fact(&text!("strip-pipeline"), words::name(&report.pipeline.name)),
        fact(&text!("strip-answerable"), words::or_words(&report.pipeline.owner, &text!("strip-no-owner"))),
        fact(&text!("strip-run"), words::name(&run.run_id)),
        fact(&text!("strip-finished"), finished),
        fact(&text!("strip-tool"), words::name(&report.generator)),
        fact(&text!("strip-language"), text!("page-language")),
        fact(&text!("strip-signature"), signature),
    ]
}

/// What a finding does not say itself: the name of its metric, and the cohort its own was compared with.
pub struct Names<'a> {
    metrics: BTreeMap<&'a str, String>,
    others: HashMap<(&'a str, &'a [String], Comparison, Against, &'a Cohort), &'a Cohort>,
}

impl<'a> Names<'a> {
    pub fn of(report: &'a Report) -> Names<'a> {
        let other = |reading: &'a Reading| {
            let contrast = reading.contrast.as_ref()?;
            let key = (
                reading.metric.as_str(),
                reading.across.as_slice(),
                contrast.compare,
                contrast.against,
                &reading.cohort,
            );
            Some((key, contrast.with.as_ref()?))
        };
        Names {
            metrics: report.metrics.iter().map(|card| (card.id.as_str(), reasons::card(card).0)).collect(),
            others: report.readings.iter().filter_map(other).collect(),
        }
    }

    /// The name on the card; the identifier where the report has none.
    pub fn metric(&self, id: &str) -> String {
        words::name(self.metrics.get(id).map_or(id, String::as_str))
    }

    /// The cohort that the gate's cohort was compared with.
    pub fn other(&self, gate: &Gate, cohort: &Cohort) -> Option<&'a Cohort> {
        let key = (
            gate.metric.as_str(),
            gate.across.as_slice(),
            gate.compare?,
            gate.against.unwrap_or(Against::WorstPair),
            cohort,
        );
        self.others.get(&key).copied()
    }
}
