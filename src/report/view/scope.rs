//! Which rows and columns were audited, and what of them was not; what the audit was of, and by which rules.

use serde::Serialize;

use super::said::{HOLE, Said, said};
use super::words;
use super::{Caps, Fact, fact};
use crate::audit::Edition;
use crate::report::document::{Column, Domain, Origin, Report, Run};
use crate::report::language::text;
use crate::report::sha256;
use crate::schema::Role;

#[derive(Debug, Clone, Serialize)]
pub struct Scope {
    /// The card: source, period, protected columns, model, use, policy.
    pub card: Vec<Fact>,
    /// From the rows of the source to those measured.
    pub rows: Vec<Fact>,
    /// What the counts of the columns are.
    pub columns_caption: String,
    pub columns: Vec<Row>,
    pub columns_more: String,
    /// How promises are judged; empty without noise.
    pub promises_note: String,
    pub promises: Vec<Promise>,
    pub promises_more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub name: String,
    pub roles: String,
    pub domain: String,
    pub origin: String,
    pub derived: String,
    pub missing: String,
    pub outside: String,
    pub malformed: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Promise {
    pub text: Said,
    pub kept: bool,
    /// `kept`, `broken`.
    pub word: String,
}

pub fn scope(report: &Report, run: &Run, caps: &Caps) -> Scope {
    let data = &report.data;
    let private = report.privacy.is_some();
    let columns = data.columns.iter().take(caps.columns).map(|column| row(column, data.rows_kept, private)).collect();
    let promise = |promise: &crate::report::document::Promise| Promise {
        text: Said::around(&text!("scope-promise", name = HOLE), &[said(&promise.text)]),
        kept: promise.kept,
        word: if promise.kept { text!("scope-kept") } else { text!("scope-broken") },
    };
    Scope {
        card: card(report, run),
        rows: rows(report),
        columns_caption: if private { text!("scope-columns-caption-noise") } else { text!("scope-columns-caption") },
        columns,
        columns_more: words::more(data.columns.len(), caps.columns, "columns", "evidence/columns.csv"),
        promises_note: if private { text!("scope-promises-noise") } else { String::new() },
        promises: data.promises.iter().take(caps.texts).map(promise).collect(),
        promises_more: words::more(data.promises.len(), caps.texts, "clauses", "report.json"),
    }
}

fn card(report: &Report, run: &Run) -> Vec<Fact> {
    let identity = &report.pipeline;
    let policy = match &identity.stated.policy {
        Some(policy) => words::name(policy),
        None => text!("scope-no-policy"),
    };
    vec![
        fact(&text!("scope-source"), source(run)),
        fact(&text!("scope-model"), model(report, run)),
        fact(&text!("scope-period"), period(report)),
        fact(&text!("scope-protected"), protected(report)),
        fact(&text!("scope-use"), words::or_words(&identity.purpose, &text!("strip-no-purpose"))),
        fact(&text!("scope-policy"), policy),
    ]
}

/// The digest of the source file; of several, that of their digests one after the other.
fn source(run: &Run) -> String {
    match (run.inputs.as_slice(), &run.commitment_sha256, run.edition) {
        ([], Some(commitment), _) => text!("scope-source-committed", sha256 = words::sentence(commitment)),
        ([], None, Some(Edition::Public)) => text!("not-told-public"),
        ([], None, _) => text!("scope-source-unknown"),
        ([file], _, _) => {
            text!("scope-source-file", name = words::name(&file.name), sha256 = words::sentence(&file.sha256))
        }
        (files, _, _) => {
            let digests: String = files.iter().map(|file| file.sha256.as_str()).collect();
            text!("scope-source-files", n = files.len(), sha256 = sha256(digests.as_bytes()))
        }
    }
}

fn named(columns: &[&Column], most: usize) -> String {
    let shown: Vec<String> = columns.iter().take(most).map(|column| words::name(&column.name)).collect();
    let shown = shown.join(&text!("list-comma"));
    match columns.len().saturating_sub(most) {
        0 => shown,
        left => text!("scope-and-more", shown = shown, n = left),
    }
}

fn with_role(report: &Report, role: Role) -> Vec<&Column> {
    report.data.columns.iter().filter(|column| column.roles.contains(&role)).collect()
}

/// Columns a list on the card names.
const NAMED: usize = 8;

fn model(report: &Report, run: &Run) -> String {
    if let Some(model) = &report.model {
        let digest = run.files.iter().find(|file| file.name == "model.json");
        let kind = words::name(&model.kind);
        return match digest {
            Some(file) => text!("scope-model-trained", kind = kind, sha256 = words::sentence(&file.sha256)),
            None => text!("scope-model-trained-no-file", kind = kind),
        };
    }
    let given: Vec<&Column> =
        [Role::Prediction, Role::Score].into_iter().flat_map(|role| with_role(report, role)).collect();
    match given.is_empty() {
        true => text!("scope-model-none"),
        false => text!("scope-model-given", columns = named(&given, NAMED)),
    }
}

fn period(report: &Report) -> String {
    let times = with_role(report, Role::Time);
    let Some(column) = times.first() else { return text!("scope-no-period") };
    let name = words::name(&column.name);
    match (&column.domain, column.origin) {
        (Domain::Bounds { lower, upper }, Origin::Declared) => {
            text!("scope-period-declared", name = name, from = words::tick(*lower), to = words::tick(*upper))
        }
        (Domain::Levels(levels), Origin::Declared) if !levels.is_empty() => text!(
            "scope-period-declared",
            name = name,
            from = words::name(levels.first().map_or("", String::as_str)),
            to = words::name(levels.last().map_or("", String::as_str))
        ),
        _ => text!("scope-period-column", name = name),
    }
}

fn protected(report: &Report) -> String {
    let columns = with_role(report, Role::Protected);
    if columns.is_empty() {
        return text!("scope-protected-none");
    }
    let references = &report.pipeline.stated.references;
    let shown: Vec<String> = columns
        .iter()
        .take(NAMED)
        .map(|column| match references.get(&column.name) {
            Some(level) => {
                text!("scope-protected-reference", name = words::name(&column.name), level = words::name(level))
            }
            None => words::name(&column.name),
        })
        .collect();
    let shown = shown.join(&text!("list-comma"));
    match columns.len().saturating_sub(NAMED) {
        0 => shown,
        left => text!("scope-and-more", shown = shown, n = left),
    }
}

fn rows(report: &Report) -> Vec<Fact> {
    let data = &report.data;
    let filter = match &data.filter {
        Some(filter) => fact(&text!("scope-filter"), words::sentence(filter)),
        None => fact(&text!("scope-filter"), text!("scope-no-filter")),
    };
    if report.privacy.is_some() {
        return vec![
            fact(&text!("scope-rows-kept-noise"), words::count(data.rows_kept)),
            fact(&text!("scope-rows-measured-noise"), words::count(data.rows_measured)),
            filter,
        ];
    }
    let (kept, measured) = (data.rows_kept, data.rows_measured);
    let of_read = words::percent(kept, data.rows_read);
    let of_kept = words::percent(measured, kept);
    let filtered = data.rows_read.saturating_sub(kept).max(0);
    let held = kept.saturating_sub(measured).max(0);
    let left = match (filtered, held) {
        (0, 0) => text!("scope-left-none"),
        (filtered, 0) => text!("scope-left-filter", n = filtered),
        (0, held) => text!("scope-left-training", n = held),
        (filtered, held) => text!("scope-left-both", n = filtered, held = held),
    };
    vec![
        fact(&text!("scope-rows-read"), words::count(data.rows_read)),
        fact(&text!("scope-rows-kept"), text!("scope-of-read", n = kept, share = of_read)),
        fact(&text!("scope-rows-measured"), text!("scope-of-kept", n = measured, share = of_kept)),
        fact(&text!("scope-left"), left),
        filter,
    ]
}

fn row(column: &Column, kept: i64, private: bool) -> Row {
    let share = |n: Option<i64>| match n {
        None if private => text!("scope-not-published"),
        None => text!("scope-withheld"),
        Some(0) => "0".into(),
        Some(n) => text!("scope-share", n = n, share = words::percent(n, kept)),
    };
    let roles: Vec<String> = column.roles.iter().map(|role| text!(&format!("role-{}", role.name()))).collect();
    Row {
        name: words::name(&column.name),
        roles: if roles.is_empty() { text!("scope-no-role") } else { roles.join(&text!("list-comma")) },
        domain: domain(&column.domain),
        origin: match (&column.domain, column.origin) {
            (Domain::Open, Origin::Learned) => text!("scope-learned-untold"),
            (Domain::Open, Origin::Declared) => text!("scope-undeclared"),
            (_, Origin::Declared) => text!("scope-declared"),
            (_, Origin::Learned) => text!("scope-learned"),
        },
        derived: column.derived.as_deref().map(words::sentence).unwrap_or_default(),
        missing: share(column.missing),
        outside: share(column.outside),
        malformed: share(column.malformed),
    }
}

fn domain(domain: &Domain) -> String {
    match domain {
        Domain::Open => text!("scope-open"),
        Domain::Bounds { lower, upper } => {
            text!("scope-bounds", lower = words::tick(*lower), upper = words::tick(*upper))
        }
        Domain::Levels(levels) => {
            let shown: Vec<String> = levels.iter().take(NAMED).map(|level| words::name(level)).collect();
            let shown = shown.join(&text!("list-comma"));
            match levels.len().saturating_sub(NAMED) {
                0 => shown,
                left => text!("scope-and-more", shown = shown, n = left),
            }
        }
    }
}
