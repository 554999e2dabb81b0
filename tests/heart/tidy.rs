//! The structure of the source tree, kept by a test: who imports whom, where a crate may appear, headings, lengths, names, words.
//!
//! Checked are `src`, `tests`, `templates`, `locales` and the texts at the top. Test modules and tables of constants do not count in
//! lengths, and test modules may import what they like. [`violations`] takes the root, so that planted violations prove it sees them.

use std::fs;
use std::path::{Path, PathBuf};

const NOUNS: [&str; 14] = [
    "audit",
    "budget",
    "cohort",
    "demand",
    "estimate",
    "evidence",
    "finding",
    "metric",
    "model",
    "scalar",
    "scan",
    "schedule",
    "schema",
    "statistic",
];

/// What a part of the crate may import besides itself; `nouns` stands for all of them.
const IMPORTS: [(&str, &[&str]); 16] = [
    ("world", &[]),
    ("plan", &["nouns", "plan"]),
    ("ingest", &["nouns", "plan", "engine"]),
    ("engine", &["nouns", "plan", "ingest"]),
    ("deidentify", &["nouns", "plan", "world"]),
    ("privatize", &["nouns", "plan"]),
    ("train", &["nouns", "plan"]),
    ("measure", &["nouns", "plan"]),
    ("judge", &["nouns", "plan"]),
    ("demo", &["nouns", "plan"]),
    ("report", &["nouns", "plan"]),
    ("store", &["nouns", "plan", "world"]),
    ("attest", &["nouns", "plan", "world"]),
    ("deliver", &["nouns", "plan", "world", "store"]),
    (
        "run",
        &[
            "nouns",
            "plan",
            "world",
            "ingest",
            "engine",
            "deidentify",
            "privatize",
            "train",
            "measure",
            "judge",
            "report",
            "store",
            "attest",
            "deliver",
        ],
    ),
    (
        "cli",
        &[
            "nouns",
            "plan",
            "world",
            "ingest",
            "engine",
            "deidentify",
            "privatize",
            "train",
            "measure",
            "judge",
            "report",
            "store",
            "attest",
            "deliver",
            "demo",
            "run",
        ],
    ),
];

/// Imports that a row above would allow and that are forbidden all the same.
const NEVER: [(&str, &str); 3] = [("report", "evidence"), ("report", "statistic"), ("report", "demand")];

/// What may be written only in some places: the text, and the beginnings of the paths.
const PLACES: [(&str, &[&str]); 23] = [
    ("croner::", &["src/schedule.rs"]),
    ("fluent_bundle::", &["src/report/language.rs"]),
    ("lettre::", &["src/deliver/"]),
    ("resvg::", &["src/deliver/"]),
    ("ureq::", &["src/deliver/"]),
    ("ed25519_dalek::", &["src/attest/"]),
    ("polars::", &["src/engine/polars"]),
    ("matrixmultiply::", &["src/engine/"]),
    ("linfa", &["src/train/"]),
    ("tera::", &["src/report/html"]),
    ("sqlx::", &["src/store/"]),
    ("tokio::", &["src/store/"]),
    ("clap::", &["src/cli/", "src/main.rs"]),
    ("indicatif::", &["src/cli/"]),
    ("sqlparser::", &["src/plan/"]),
    ("std::fs", &["src/world", "src/ingest/", "src/cli/", "src/store/", "src/engine/polars"]),
    ("std::env", &["src/world", "src/cli/", "src/main.rs"]),
    ("Instant::now", &["src/world"]),
    ("Timestamp::now", &["src/world.rs"]),
    ("SystemTime", &["src/world.rs"]),
    ("Guarded::open", &["src/privatize/"]),
    (".open()", &["src/privatize/"]),
    (".look()", &["src/privatize/"]),
];

const DRAWERS: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Claims that no number proves. A sentence that denies them is allowed.
const CLAIMS: [&str; 12] = [
    "unbiased",
    "debias",
    "is fair",
    "are fair",
    "is anonymous",
    "are anonymous",
    "is compliant",
    "are compliant",
    "guarantees fairness",
    "guarantees privacy",
    "fully anonymous",
    "gdpr-compliant",
];

/// Words about the workplace, written in two pieces so that this file has none of them.
const WORKPLACE: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/tmp/bash_", "jobs"),
    concat!("/fa", "rm/"),
    concat!("farm", "-studio"),
    concat!("farm", "-bench"),
];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Everything that is wrong below a root, one line each.
fn violations(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(root) {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let mut say = |what: String| found.push(format!("{name}: {what}"));
        WORKPLACE.iter().filter(|word| text.contains(**word)).for_each(|word| say(format!("workplace word {word}")));
        if name.split(['/', '.']).any(|part| DRAWERS.contains(&part)) {
            say("a drawer, not a noun".into());
        }
        if name.ends_with(".rs") {
            if !text.starts_with("//! ") {
                say("no //! heading".into());
            }
            // The rule on lengths is for the code, not for its tests.
            let is_test = name.ends_with("/tests.rs") || name.starts_with("tests/") || name.contains("/tests/");
            let code = if is_test { Vec::new() } else { code(&text) };
            lengths(&code, &mut say);
            if name.starts_with("src/") {
                imports(&name, &code, &mut say);
                places(&name, &code, &mut say);
            }
        }
        if name.starts_with("templates/") {
            arithmetic(&text, &mut say);
        }
        if name.starts_with("templates/") || name.starts_with("locales/") || name == "README.md" {
            claims(&text, &mut say);
        }
    }
    found.sort();
    found
}

/// The files that are looked at.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["src", "tests", "templates", "locales", "pipelines", "schema", "docs", "benches", ".ci"]
            .map(|name| root.join(name))
            .into();
    let entries = |folder: &Path| {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    found.extend(entries(root).into_iter().filter(|path| path.is_file() && !path.ends_with(".git")));
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Lines outside the test module, with their numbers; comments are kept for the length, and emptied for the rest.
fn code(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let test = |i: usize| {
        lines[i].trim() == "#[cfg(test)]" && lines.get(i + 1).is_some_and(|next| next.trim_start().starts_with("mod "))
    };
    let mut kept = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        if test(i) {
            // `mod tests;` is one line; a module in braces ends where a line closes it.
            i += 1;
            if !lines[i].ends_with(';') {
                while i < lines.len() && lines[i] != "}" {
                    i += 1;
                }
            }
        } else {
            kept.push((i + 1, lines[i]));
        }
        i += 1;
    }
    kept
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Lines of the file without tables of constants, and lines of every function.
fn lengths(code: &[(usize, &str)], say: &mut impl FnMut(String)) {
    let (mut lines, mut table) = (0, false);
    for (_, line) in code {
        let starts = |word: &str| {
            line.starts_with(word)
                || line.starts_with(&format!("pub {word}"))
                || line.starts_with(&format!("pub(crate) {word}"))
        };
        table |= (starts("const ") || starts("static ")) && line.trim_end().ends_with('[');
        lines += usize::from(!table);
        table &= !line.starts_with("];");
    }
    if lines > FILE_LINES_MAX {
        say(format!("{lines} lines of code, more than {FILE_LINES_MAX}"));
    }
    let mut open: Vec<(usize, usize, &str)> = Vec::new();
    for (at, line) in code {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start().split(['(', '<']).next().unwrap_or("");
        if !is_comment(line)
            && words.split(' ').rev().nth(1) == Some("fn")
            && !line.trim_end().ends_with(';')
            && !line.trim_end().ends_with('}')
        {
            open.push((indent, *at, words));
        }
        let closes = line.trim_end() == format!("{}}}", " ".repeat(indent));
        if let Some((_, from, name)) = open.pop_if(|(other, ..)| closes && *other == indent) {
            let lines = at - from + 1;
            if lines > FUNCTION_LINES_MAX {
                say(format!("line {from}: {name} has {lines} lines, more than {FUNCTION_LINES_MAX}"));
            }
        }
    }
}

/// The part of the crate a file belongs to.
fn part(name: &str) -> &str {
    name.trim_start_matches("src/").split(['/', '.']).next().unwrap_or("")
}

/// The parts named after `crate::`, alone or in braces.
fn imported(line: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let word = |text: &str| {
            text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect::<String>()
        };
        match rest.strip_prefix('{') {
            Some(list) => parts.extend(list.split(',').map(word)),
            None => parts.push(word(rest)),
        }
    }
    parts.retain(|part| part.chars().next().is_some_and(char::is_lowercase));
    parts
}

fn imports(name: &str, code: &[(usize, &str)], say: &mut impl FnMut(String)) {
    let from = part(name);
    if from == "lib" || from == "main" {
        return;
    }
    let Some(allowed) = allowed(from) else { return say(format!("the part {from} is not in the import table")) };
    for (at, line) in code.iter().filter(|(_, line)| !is_comment(line)) {
        for path in imported(line) {
            let to = path.split(':').next().unwrap_or("");
            let vocabulary = path.starts_with("plan::spec");
            let known = to == from || allowed.contains(&to) || (allowed.contains(&"nouns") && NOUNS.contains(&to));
            let shared = (NOUNS.contains(&from) && vocabulary) || (from == "audit" && to == "world");
            if (!known && !shared) || NEVER.contains(&(from, to)) {
                say(format!("line {at}: {from} imports {to}"));
            }
        }
    }
}

fn allowed(from: &str) -> Option<&'static [&'static str]> {
    if NOUNS.contains(&from) {
        return Some(&["nouns"]);
    }
    IMPORTS.iter().find(|(part, _)| *part == from).map(|(_, allowed)| *allowed)
}

fn places(name: &str, code: &[(usize, &str)], say: &mut impl FnMut(String)) {
    for (at, line) in code.iter().filter(|(_, line)| !is_comment(line)) {
        for (text, places) in PLACES {
            // The crate's own module of the same name (`engine::polars::`) is not the crate.
            let own = ["engine::", "crate::engine::", "super::"]
                .iter()
                .any(|prefix| line.contains(&format!("{prefix}{text}")));
            if line.contains(text) && !own && !places.iter().any(|place| name.starts_with(place)) {
                say(format!("line {at}: {text} does not belong here"));
            }
        }
    }
}

/// Operators and roundings inside the marks of a template; texts in quotes are no operators.
fn arithmetic(text: &str, say: &mut impl FnMut(String)) {
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        for inside in text.split(open).skip(1).filter_map(|rest| rest.split_once(close)).map(|(inside, _)| inside) {
            let bare: String = inside.split('"').step_by(2).collect::<Vec<_>>().join("");
            let bare: String = bare.split('\'').step_by(2).collect::<Vec<_>>().join("");
            // `<card finding={x} />` calls a component.
            let bare = bare.trim_matches('-').replace("/>", "").replace("</", "");
            if bare.contains(['+', '*', '/', '%']) || bare.contains(" - ") || bare.contains("round") {
                say(format!("arithmetic in {open}{inside}{close}"));
            }
        }
    }
}

fn claims(text: &str, say: &mut impl FnMut(String)) {
    let lower = text.to_lowercase().replace('*', "").replace('\n', " ");
    for sentence in lower.split(['.', '!', '?', '|']) {
        let denied = ["no ", "not ", "never ", "nor ", "n't "].iter().any(|word| sentence.contains(word));
        for claim in CLAIMS.iter().filter(|claim| sentence.contains(**claim) && !denied) {
            say(format!("claims {claim:?}"));
        }
    }
}

#[test]
fn the_tree_is_tidy() {
    let found = violations(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// A tree of one file, and what is found there.
fn planted(name: &str, text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    violations(folder.path())
}

#[test]
fn planted_violations_are_found() {
    let long = format!("//! h\nfn long() {{\n{}}}\n", "    1;\n".repeat(69));
    let file = format!("//! h\n{}", "use a;\n".repeat(500));
    let workplace = format!("see {}x\n", WORKPLACE[0]);
    for (name, text, expected) in [
        ("src/scalar.rs", "//! h\nuse crate::plan::Plan;\n", "scalar imports plan"),
        ("src/estimate/a.rs", "//! h\nuse crate::{metric::Card, run::x};\n", "estimate imports run"),
        ("src/measure/a.rs", "//! h\nuse crate::engine::Engine;\n", "measure imports engine"),
        ("src/train/a.rs", "//! h\nfn f() { crate::judge::judge() }\n", "train imports judge"),
        ("src/judge/a.rs", "//! h\nuse crate::measure::Cohorts;\n", "judge imports measure"),
        ("src/report/a.rs", "//! h\nuse crate::evidence::Released;\n", "report imports evidence"),
        ("src/misfit.rs", "//! h\n", "the part misfit is not in the import table"),
        ("src/report/a.rs", "//! h\nuse tera::Tera;\n", "tera:: does not belong here"),
        ("src/measure/a.rs", "//! h\nuse polars::prelude::*;\n", "polars:: does not belong here"),
        ("src/judge/a.rs", "//! h\nuse linfa_linear::X;\n", "linfa does not belong here"),
        ("src/run.rs", "//! h\nuse sqlx::Row;\n", "sqlx:: does not belong here"),
        ("src/plan/a.rs", "//! h\nuse clap::Parser;\n", "clap:: does not belong here"),
        ("src/train/a.rs", "//! h\nfn f() { std::fs::read(p) }\n", "std::fs does not belong here"),
        ("src/run.rs", "//! h\nlet t = Instant::now();\n", "Instant::now does not belong here"),
        ("src/judge/a.rs", "//! h\nlet t = jiff::Timestamp::now();\n", "Timestamp::now does not belong here"),
        ("src/run.rs", "//! h\nuse std::time::SystemTime;\n", "SystemTime does not belong here"),
        ("src/run.rs", "//! h\nlet e = guarded.open();\n", ".open() does not belong here"),
        ("src/run.rs", "use x;\n", "no //! heading"),
        ("src/run.rs", &long, "fn long has 71 lines"),
        ("src/run.rs", &file, "501 lines of code"),
        ("src/helpers.rs", "//! h\n", "a drawer"),
        ("tests/it/common/mod.rs", "//! h\n", "a drawer"),
        ("templates/a.html", "<p>{{ a + b }}</p>", "arithmetic in {{ a + b }}"),
        ("templates/a.html", "{% if a * 2 > b %}", "arithmetic in {% if a * 2 > b %}"),
        ("templates/a.html", "{{ share | round(precision=2) }}", "arithmetic"),
        ("templates/a.html", "The model is fair.", "claims \"is fair\""),
        ("templates/a.html", "{{<bar width={ a / b } />}}", "arithmetic"),
        ("README.md", "An *unbiased* model.", "claims \"unbiased\""),
        ("docs/a.md", &workplace, "workplace word"),
    ] {
        let found = planted(name, text);
        assert!(found.iter().any(|line| line.contains(expected)), "{name}: {expected}: {found:?}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let table = format!("//! h\npub const TABLE: [u32; 600] = [\n{}];\n", "    1,\n".repeat(600));
    let module =
        format!("//! h\n#[cfg(test)]\nmod tests {{\n    use crate::run::x;\n{}}}\n", "    fn f() {}\n".repeat(600));
    let short = format!("//! h\nfn short() {{\n{}}}\n", "    1;\n".repeat(68));
    for (name, text) in [
        (
            "src/scalar.rs",
            "//! h\nuse crate::statistic::Cell;\nuse crate::plan::spec::Level;\n// crate::run::x and tera::Tera\n",
        ),
        ("src/run.rs", "//! h\nuse crate::engine::polars::Polars;\nuse crate::judge::judge;\n"),
        ("src/store/mod.rs", "//! h\nuse sqlx::Row;\nuse std::fs;\n"),
        ("src/privatize/mod.rs", "//! h\nlet e = guarded.open();\n"),
        ("src/run.rs", &table),
        ("src/scalar.rs", &module),
        ("src/run.rs", &short),
        ("templates/a.html", "{%- if a == \"x - y / z\" -%}{{ width }}% {{- name -}}{{<card of={a} />}}"),
        ("src/report/tests/page.rs", "//! h\nuse crate::engine::Engine;\n"),
        ("README.md", "No number proves that a model is fair.\n"),
    ] {
        assert_eq!(planted(name, text), Vec::<String>::new(), "{name}");
    }
}
