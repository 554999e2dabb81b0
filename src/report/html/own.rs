//! Templates of a pipeline's own: which files may be there, what they must not hold, and whether they can be filled in.
//!
//! Any template of the program may be replaced by a file of its name; `extra.html` is a section before the sign-off, `brand.css` has the
//! house's colours and fonts. They are rendered with a sample run that has every section, and with one that has none, in both
//! languages. docs/templates.md lists what they may use.

use std::ops::Range;

use tera::ErrorKind;

use super::{Own, TEMPLATES, brand};
use crate::plan::check::Complaint;
use crate::plan::spec::Language;
use crate::report::document::{self, Report, Run};
use crate::report::language;
use crate::report::view::{Caps, view};

/// Largest file, in bytes.
const BYTES_MAX: usize = 262_144;

/// The files that are templates, as text; what is wrong with the others is said by [`check`].
pub fn own(files: &[(String, Vec<u8>)]) -> Vec<(String, String)> {
    let text = |(name, bytes): &(String, Vec<u8>)| {
        let text = String::from_utf8(bytes.clone()).ok()?;
        (known(name) && bytes.len() <= BYTES_MAX).then(|| (name.clone(), text))
    };
    files.iter().filter_map(text).collect()
}

fn known(name: &str) -> bool {
    name == brand::FILE || TEMPLATES.iter().any(|(template, _)| *template == name)
}

/// Everything that is wrong with the files of a folder of templates. Files are named with the folder before them.
pub fn check(folder: &str, files: &[(String, Vec<u8>)]) -> Vec<Complaint> {
    let shown = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
    let mut complaints = Vec::new();
    for (name, bytes) in files {
        let complain =
            |code, message: String, remedy: String| Complaint::error(code, &shown(name), 0..0, message, Some(remedy));
        if !known(name) {
            complaints.push(complain("unknown-template", format!("the page has no template {name}"), names(name)));
        } else if bytes.len() > BYTES_MAX {
            let message = format!("{name} has {} bytes, and a template has at most {BYTES_MAX}", bytes.len());
            complaints.push(complain("long-template", message, "shorten it".into()));
        } else if std::str::from_utf8(bytes).is_err() {
            complaints.push(complain("not-utf-8", format!("{name} is no text"), "save it as UTF-8".into()));
        }
    }
    let own = own(files);
    for (name, text) in &own {
        let fault =
            |fault: Fault| Complaint::error(fault.code, &shown(name), fault.at, fault.message, Some(fault.remedy));
        complaints.extend(forbidden(name, text).into_iter().map(fault));
    }
    if complaints.is_empty() {
        complaints.extend(own.iter().filter_map(|one| {
            let fault = rendered(one)?;
            Some(Complaint::error(fault.code, &shown(&one.0), fault.at, fault.message, Some(fault.remedy)))
        }));
    }
    complaints
}

fn names(name: &str) -> String {
    let names = TEMPLATES.iter().map(|(name, _)| *name).chain([brand::FILE]);
    match nearest(name, names.clone()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("possible: {}", names.collect::<Vec<_>>().join(", ")),
    }
}

fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let short: String = name.chars().take(60).collect();
    let scored = known.map(|known| (strsim::jaro_winkler(&short, known), known));
    scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

struct Fault {
    code: &'static str,
    at: Range<usize>,
    message: String,
    remedy: String,
}

/// Tags that load, run or change what the page may do.
const TAGS: [&str; 9] = ["<script", "<iframe", "<object", "<embed", "<link", "<base", "<form", "<img", "<video"];

/// Scripts, references to elsewhere, styles the page's policy refuses, texts that are not escaped.
fn forbidden(name: &str, text: &str) -> Vec<Fault> {
    if name == brand::FILE {
        let fault = |of: brand::Fault| Fault { code: "brand", at: of.at, message: of.message, remedy: of.remedy };
        return brand::faults(text).into_iter().map(fault).collect();
    }
    let lower = text.to_ascii_lowercase();
    let mut faults = Vec::new();
    let mut found = |code, at: Range<usize>, message: String, remedy: &str| {
        faults.push(Fault { code, at, message, remedy: remedy.into() });
    };
    for tag in TAGS {
        for (at, _) in lower.match_indices(tag) {
            let message = format!("{tag}> is not of this page: it has no script and asks nothing of the network");
            found("script-or-remote", at..at + tag.len(), message, "leave it out; draw with inline SVG");
        }
    }
    let page = name == "report.html";
    for tag in ["<style", "<meta"].iter().filter(|_| !page) {
        for (at, _) in lower.match_indices(tag) {
            let message = format!("{tag}> stands in report.html only");
            found("style", at..at + tag.len(), message, "put colours and fonts into brand.css");
        }
    }
    if page && !(text.contains("Content-Security-Policy") && text.contains("style_sha256")) {
        let message = "the page has no policy that forbids scripts and the network".to_string();
        found("no-policy", 0..0, message, "keep the line <meta http-equiv=\"Content-Security-Policy\" ...>");
    }
    for words in ["javascript:", "@import", "http-equiv=\"refresh\"", "{% autoescape", "url("] {
        for (at, _) in lower.match_indices(words) {
            let message = format!("{words} is not of this page");
            found("script-or-remote", at..at + words.len(), message, "leave it out");
        }
    }
    for (at, attribute) in attributes(&lower) {
        let span = at..at + attribute.len();
        if attribute.starts_with("on") {
            let message = format!("{attribute} is a script, and the page has none");
            found("script-or-remote", span, message, "leave it out");
        } else if attribute == "style" {
            found("style", span, "the page's policy refuses style=".into(), "use the classes of the page");
        } else if matches!(attribute, "src" | "srcset" | "action" | "poster" | "data" | "background") {
            let message = format!("{attribute}= asks for something of elsewhere");
            found("script-or-remote", span, message, "draw with inline SVG");
        }
    }
    for (at, inside) in placed(text) {
        let raw = inside.trim().trim_start_matches('-').trim_end_matches('-').trim();
        if let Some(of) = raw.split('|').map(str::trim).any(|filter| filter == "safe").then_some(raw)
            && !allowed().any(|allowed| allowed == of)
        {
            let message = format!("{{{{ {of} }}}} is placed without being escaped");
            found("unescaped", at..at + inside.len(), message, "leave out the filter safe");
        }
    }
    faults
}

/// What the program's own templates place as it is: the style sheet, and charts, which escape their texts.
fn allowed() -> impl Iterator<Item = &'static str> {
    TEMPLATES
        .iter()
        .flat_map(|(_, text)| placed(text))
        .map(|(_, inside)| inside.trim())
        .filter(|of| of.ends_with("| safe"))
}

/// What stands in double braces, and where.
fn placed(text: &str) -> Vec<(usize, &str)> {
    let starts = text.match_indices("{{").map(|(at, _)| at + 2);
    starts.filter_map(|at| text.get(at..)?.split_once("}}").map(|(inside, _)| (at, inside))).collect()
}

/// Names of attributes: what stands before an equals sign within a tag.
fn attributes(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (equals, _) in text.match_indices('=') {
        let before = text.get(..equals).unwrap_or_default().trim_end();
        let letters = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
        let start = before.len() - letters;
        let (head, name) = before.split_at(start);
        // The last bracket opens a tag; braces of the template language do not count.
        let inside = head.rfind('<').is_some_and(|open| head.rfind('>').is_none_or(|close| close < open));
        let braces = head.rfind("{{").max(head.rfind("{%"));
        let outside =
            braces.is_none_or(|open| head.rfind("}}").max(head.rfind("%}")).is_some_and(|close| close > open));
        if inside && outside && letters > 0 && head.ends_with([' ', '\n', '\t', '\r', '"', '\'', '/']) {
            found.push((start, name));
        }
    }
    found
}

const SAMPLE_REPORT: &str = include_str!("../../../templates/sample/report.json");
const SAMPLE_RUN: &str = include_str!("../../../templates/sample/run.json");

/// A run that has every section, and one that has none.
pub(in crate::report) fn samples() -> Vec<(Report, Run)> {
    let Ok(full) = document::pair(SAMPLE_REPORT.as_bytes(), SAMPLE_RUN.as_bytes()) else { return Vec::new() };
    let (report, run) = full.clone();
    let bare = Report {
        privacy: None,
        coarsening: None,
        model: None,
        cohorts: Vec::new(),
        readings: Vec::new(),
        bias: Default::default(),
        findings: Vec::new(),
        metrics: Vec::new(),
        limitations: Vec::new(),
        receipts: Vec::new(),
        pipeline: document::Identity { stated: Default::default(), ..report.pipeline },
        ..report
    };
    let nothing = Run {
        previous: None,
        edition: None,
        commitment_sha256: None,
        commitment_salt: None,
        ledger: None,
        price: Vec::new(),
        attacks: None,
        signed_by: None,
        since: Default::default(),
        inputs: Vec::new(),
        files: Vec::new(),
        exits: Vec::new(),
        usage: Vec::new(),
        ..run
    };
    vec![full, (bare, nothing)]
}

/// Why a template cannot be filled in, at the first place.
fn rendered(one: &(String, String)) -> Option<Fault> {
    let own: &Own = std::slice::from_ref(one);
    for language in [Language::En, Language::ZhCn] {
        for (report, run) in samples() {
            match language::within(language, || super::page(&report, &run, own)) {
                Ok(_) => {}
                Err(super::Unfilled::Template(e)) => return Some(fault(&e, one, &report, &run)),
            }
        }
    }
    None
}

fn fault(e: &tera::Error, (name, text): &(String, String), report: &Report, run: &Run) -> Fault {
    let at_start = |message: String| Fault {
        code: "template",
        at: 0..0,
        message,
        remedy: "docs/templates.md says what each template is given".into(),
    };
    let (code, of) = match e.kind() {
        ErrorKind::SyntaxError(of) => ("template-syntax", of),
        ErrorKind::RenderingError(of) => ("template", of),
        other => return at_start(format!("{name} cannot be filled in: {other}")),
    };
    if of.filename() != name {
        return at_start(format!("{name} makes {} fail: {}", of.filename(), of.message()));
    }
    let range = of.span().range.clone();
    let at = range.start.min(text.len())..range.end.min(text.len());
    let written = text.get(at.clone()).unwrap_or_default().trim();
    let keys = keys(report, run);
    let remedy = match code {
        "template-syntax" => "docs/templates.md shows the form of templates".to_string(),
        _ => match nearest(written, keys.iter().map(String::as_str)) {
            Some(meant) if meant != written => format!("did you mean {meant}? docs/templates.md lists every key"),
            _ => format!(
                "docs/templates.md lists every key of version {}; what not every run has stands within {{% if %}}",
                crate::report::view::VIEW_VERSION
            ),
        },
    };
    Fault { code, at, message: of.message().to_string(), remedy }
}

/// Paths of the keys of a view.
fn keys(report: &Report, run: &Run) -> Vec<String> {
    let view = serde_json::to_value(view(report, run, &Caps::FULL)).unwrap_or_default();
    let mut keys = Vec::new();
    walk("view", &view, &mut |path, _| keys.push(path.to_string()));
    keys
}

/// Tells every key of a value, with the first item of every list for all of them.
pub(in crate::report) fn walk(path: &str, value: &serde_json::Value, tell: &mut dyn FnMut(&str, &serde_json::Value)) {
    tell(path, value);
    match value {
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, value)| walk(&format!("{path}.{key}"), value, tell))
        }
        serde_json::Value::Array(items) => items.iter().take(1).for_each(|item| walk(&format!("{path}[]"), item, tell)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
