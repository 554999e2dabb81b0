//! The page: texts of the view put in their places by the templates, in one file that asks nothing of the network.
//!
//! The templates are in `templates/`, all of them named `*.html` so that tera escapes what they place; only the style sheet and the charts,
//! which escape their own texts, are placed as they are. A pipeline may replace any of them and add two (`own`). The style sheet is the one inline style the page's content security policy
//! allows, by its SHA-256.

use sha2::{Digest, Sha256};
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

use super::document::{Report, Run};
use super::view::{Caps, view};
use super::{ReportError, document, language};
use crate::report::language::text;

mod brand;
mod own;

pub use own::{check, own};

/// Largest page.
pub const BYTES_MAX: usize = 1_000_000;

const STYLE: &str = include_str!("../../templates/style.css");

/// Characters of a run's name in the margin.
const MARGIN_CHARS: usize = 60;

/// Every template by its name.
pub(super) const TEMPLATES: [(&str, &str); 26] = [
    ("components.html", include_str!("../../templates/components.html")),
    ("report.html", include_str!("../../templates/report.html")),
    ("icons.html", include_str!("../../templates/icons.html")),
    ("verdict.html", include_str!("../../templates/verdict.html")),
    ("changes.html", include_str!("../../templates/changes.html")),
    ("findings.html", include_str!("../../templates/findings.html")),
    ("scope.html", include_str!("../../templates/scope.html")),
    ("measurements.html", include_str!("../../templates/measurements.html")),
    ("strata.html", include_str!("../../templates/strata.html")),
    ("tests.html", include_str!("../../templates/tests.html")),
    ("sweep.html", include_str!("../../templates/sweep.html")),
    ("data.html", include_str!("../../templates/data.html")),
    ("ranking.html", include_str!("../../templates/ranking.html")),
    ("classes.html", include_str!("../../templates/classes.html")),
    ("subgroups.html", include_str!("../../templates/subgroups.html")),
    ("individual.html", include_str!("../../templates/individual.html")),
    ("inferred.html", include_str!("../../templates/inferred.html")),
    ("regulation.html", include_str!("../../templates/regulation.html")),
    ("mitigation.html", include_str!("../../templates/mitigation.html")),
    ("model.html", include_str!("../../templates/model.html")),
    ("attacks.html", include_str!("../../templates/attacks.html")),
    ("privacy.html", include_str!("../../templates/privacy.html")),
    ("coarsening.html", include_str!("../../templates/coarsening.html")),
    ("method.html", include_str!("../../templates/method.html")),
    ("provenance.html", include_str!("../../templates/provenance.html")),
    ("extra.html", include_str!("../../templates/extra.html")),
];

/// Templates of a pipeline's own: the name of the file, its text.
pub type Own = [(String, String)];
/// Templates of mails. Those of text are not escaped: what the view gives them is of one line and has no control characters.
const MAILS: [(&str, &str); 2] =
    [("mail.html", include_str!("../../templates/mail.html")), ("mail.txt", include_str!("../../templates/mail.txt"))];

/// Fills in a template of a mail.
pub(super) fn mail(name: &str, view: &impl serde::Serialize) -> Result<String, ReportError> {
    let mut tera = Tera::new();
    tera.autoescape_on(vec![".html"]);
    tera.register_function("text", text);
    tera.add_raw_templates(MAILS).map_err(|e| ReportError::Template(e.to_string()))?;
    let mut context = Context::new();
    context.insert("view", view);
    tera.render(name, &context).map_err(|e| ReportError::Template(e.to_string()))
}

/// Renders `report.html` from the bytes of `report.json` and `run.json`.
pub fn html(report_json: &[u8], run_json: &[u8]) -> Result<String, ReportError> {
    html_with(report_json, run_json, &[])
}

/// The same by the templates of the pipeline's own that the run folder holds. Where they cannot be filled in, which `check` finds before the
/// run, the page is made by the templates of the program and says so.
pub fn html_with(report_json: &[u8], run_json: &[u8], own: &Own) -> Result<String, ReportError> {
    let (report, run) = document::pair(report_json, run_json)?;
    of_run(&run, own)?;
    language::within(report.pipeline.language, || match page(&report, &run, own) {
        Err(Unfilled::Template(_)) if !own.is_empty() => {
            let notice = text!("own-templates-failed");
            unfilled(filled(&report, &run, &[], &notice))
        }
        page => unfilled(page),
    })
}

/// The templates are those of the run: no other, none missing.
fn of_run(run: &Run, own: &Own) -> Result<(), ReportError> {
    let listed = |name: &str| run.files.iter().find(|file| file.name.strip_prefix(FOLDER) == Some(name));
    for (name, text) in own {
        if listed(name).is_none_or(|file| file.sha256 != super::sha256(text.as_bytes())) {
            return Err(ReportError::OtherTemplate { name: name.clone() });
        }
    }
    let names = run.files.iter().filter_map(|file| file.name.strip_prefix(FOLDER));
    match names.into_iter().find(|name| own.iter().all(|(own, _)| own != name)) {
        Some(missing) => Err(ReportError::OtherTemplate { name: missing.into() }),
        None => Ok(()),
    }
}

/// Where a run folder holds the templates of the pipeline's own.
pub const FOLDER: &str = "templates/";

/// Why a template was not filled in.
#[derive(Debug)]
enum Unfilled {
    Template(tera::Error),
}

fn unfilled(page: Result<String, Unfilled>) -> Result<String, ReportError> {
    page.map_err(|Unfilled::Template(e)| ReportError::Template(e.to_string()))
}

fn page(report: &Report, run: &Run, own: &Own) -> Result<String, Unfilled> {
    filled(report, run, own, "")
}

fn filled(report: &Report, run: &Run, own: &Own, notice: &str) -> Result<String, Unfilled> {
    let tera = templates(own).map_err(Unfilled::Template)?;
    let style = style(own, &run.run_id);
    let mut caps = Caps::FULL;
    loop {
        let mut context = Context::new();
        context.insert("view", &view(report, run, &caps));
        context.insert("notice", notice);
        context.insert("style", &style);
        context.insert("style_sha256", &base64(&Sha256::digest(style.as_bytes())));
        let page = tera.render("report.html", &context).map_err(Unfilled::Template)?;
        match caps.halved() {
            Some(halved) if page.len() >= BYTES_MAX => caps = halved,
            _ => return Ok(page),
        }
    }
}

/// The style of the page, the run in the margin of its printed pages, the brand's after it.
fn style(own: &Own, run_id: &str) -> String {
    // What has a meaning in a style sheet is no part of a run's name.
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let id: String = run_id.chars().filter(plain).take(MARGIN_CHARS).collect();
    let margin = format!("@page {{ @bottom-left {{ content: \"{id}\"; font: 8pt sans-serif; color: #444; }} }}\n");
    match own.iter().find(|(name, _)| name == brand::FILE) {
        Some((_, css)) => format!("{STYLE}{margin}{}", brand::style(css)),
        None => format!("{STYLE}{margin}"),
    }
}

fn templates(own: &Own) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    tera.autoescape_on(vec![".html", ".svg", ".xml"]);
    tera.register_function("text", text);
    let of = |name: &str, text| own.iter().find(|(own, _)| own == name).map_or(text, |(_, own)| own.as_str());
    tera.add_raw_templates(TEMPLATES.map(|(name, text)| (name, of(name, text))))?;
    Ok(tera)
}

/// A sentence of the catalogue, by its key and variables.
fn text(given: Kwargs, _: &State) -> TeraResult<String> {
    let key: String = given.must_get("key")?;
    let mut of = Vec::new();
    // The variables templates may place.
    for name in ["n", "of", "name", "value"] {
        if let Some(value) = given.get::<Value>(name)? {
            of.push((name, language::Value::Text(value.to_string())));
        }
    }
    Ok(language::say(&key, &of))
}

/// Base 64 with padding (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let of = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = of(0) << 16 | of(1) << 8 | of(2);
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize % 64] as char;
            text.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    text
}
