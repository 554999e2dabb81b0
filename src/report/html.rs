//! The page: texts of the view put in their places by the templates, in one file that asks nothing of the network.
//!
//! The templates are in `templates/`, all of them named `*.html` so that tera escapes what they place; only the style sheet and the charts,
//! which escape their own texts, are placed as they are. The style sheet is the one inline style the page's content security policy
//! allows, by its SHA-256.

use sha2::{Digest, Sha256};
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

use super::document::{Report, Run};
use super::view::{Caps, view};
use super::{ReportError, document, language};

/// Largest page.
pub const BYTES_MAX: usize = 1_000_000;

const STYLE: &str = include_str!("../../templates/style.css");

/// Every template by its name.
pub(super) const TEMPLATES: [(&str, &str); 25] = [
    ("components.html", include_str!("../../templates/components.html")),
    ("report.html", include_str!("../../templates/report.html")),
    ("icons.html", include_str!("../../templates/icons.html")),
    ("verdict.html", include_str!("../../templates/verdict.html")),
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

/// Renders `report.html` from the bytes of `report.json` and `run.json`.
pub fn html(report_json: &[u8], run_json: &[u8]) -> Result<String, ReportError> {
    let (report, run) = document::pair(report_json, run_json)?;
    language::within(report.pipeline.language, || page(&report, &run))
}

fn page(report: &Report, run: &Run) -> Result<String, ReportError> {
    let tera = templates()?;
    let mut caps = Caps::FULL;
    loop {
        let mut context = Context::new();
        context.insert("view", &view(report, run, &caps));
        context.insert("style", STYLE);
        context.insert("style_sha256", &base64(&Sha256::digest(STYLE.as_bytes())));
        let page = tera.render("report.html", &context).map_err(template)?;
        match caps.halved() {
            Some(halved) if page.len() >= BYTES_MAX => caps = halved,
            _ => return Ok(page),
        }
    }
}

fn templates() -> Result<Tera, ReportError> {
    let mut tera = Tera::new();
    tera.autoescape_on(vec![".html", ".svg", ".xml"]);
    tera.register_function("text", text);
    tera.add_raw_templates(TEMPLATES).map_err(template)?;
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

fn template(e: tera::Error) -> ReportError {
    ReportError::Template(e.to_string())
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
