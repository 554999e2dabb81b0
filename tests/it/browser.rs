//! Is every page that ships usable by everybody? Each pipeline's page, in both languages, and one of hostile names, in a real browser: light,
//! dark and print, axe-core (WCAG 2.2 AA and best practice), no request, no complaint of its policy, no sideways scroll at 320 px.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{House, text};

const PIPELINES: [&str; 7] = ["TEMPLATE", "clinic-deid", "hiring", "hiring-nyc", "lending", "lending-dp", "premium"];

/// Names that a page, a table or a terminal could take for something else.
fn hostile_levels() -> Vec<String> {
    vec![
        "<script>alert(1)</script>".into(),
        "\"'><img src=x onerror=alert(1)>".into(),
        "\u{202e}desrever\u{202c} \u{200f}עברית".into(),
        format!("long {}", "x".repeat(10_000)),
        "👩🏽‍⚖️ judge".into(),
        "nul \u{0} and \u{7} bell".into(),
        "=cmd|' /C calc'!A0".into(),
        "../../etc/passwd".into(),
        "{{ view }} {% raw %} ${x}".into(),
    ]
}

/// A pipeline whose columns and levels are named like that.
fn hostile(house: &House) -> String {
    let levels = hostile_levels();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let column = "<b>who</b> & \"what\"";
    let mut csv = format!("{},hired,fit\n", quoted(column));
    for i in 0..1800usize {
        let (level, hired, fit) =
            (&levels[i % levels.len()], (i * 7 + i / 9) % 10 < 3 + i % 4, (i * 3 + i / 9) % 10 < 5);
        csv += &format!("{},{},{}\n", quoted(level), u8::from(hired), u8::from(fit));
    }
    fs::write(house.path().join("pipelines/data/hostile.csv"), csv).unwrap();
    let toml = |text: &str| serde_json::Value::from(text).to_string();
    let listed: Vec<String> = levels.iter().map(|level| toml(level)).collect();
    let title = toml("</title><script>alert(1)</script>\r\nBcc: x@example.test");
    let spec = format!(
        "[pipeline]\nname = \"hostile\"\nowner = {title}\n[ingest]\npath = \"data/hostile.csv\"\n[schema]\n\
         {} = {{ roles = [\"protected\"], levels = [{}] }}\n\
         hired = {{ roles = [\"prediction\"], levels = [\"0\", \"1\"], positive = \"1\" }}\n\
         fit = {{ roles = [\"target\"], levels = [\"0\", \"1\"], positive = \"1\" }}\n\
         [measure]\nmetrics = [\"all\"]\n[[judge]]\nmetric = \"selection-rate\"\ncompare = \"ratio\"\nagainst = \"highest\"\n\
         at_least = 0.8\nwaive = [{{ cohort = {{ {} = {} }}, reason = {title}, until = \"2099-01-01\" }}]\n\
         [report]\ntitle = {title}\n",
        toml(column),
        listed.join(", "),
        toml(column),
        listed[0],
    );
    fs::write(house.path().join("pipelines/hostile.toml"), spec).unwrap();
    "pipelines/hostile.toml".into()
}

/// The pipeline file in Chinese.
fn in_chinese(house: &House, name: &str) {
    let file = house.path().join(format!("pipelines/{name}.toml"));
    let text = fs::read_to_string(&file).unwrap();
    let language = "\nlanguage = \"zh-CN\"\n";
    let text = match text.contains("\n[report]\n") {
        true => text.replacen("\n[report]\n", &format!("\n[report]{language}"), 1),
        false => text + "\n[report]" + language,
    };
    fs::write(file, text).unwrap();
}

fn run(house: &House, name: &str) {
    let done = house.evenhand(&["run", &format!("pipelines/{name}.toml")]);
    assert!(matches!(done.status.code(), Some(0 | 1 | 4)), "{name}: {}", text(&done.stderr));
}

#[test]
fn every_page_is_usable_in_a_browser() {
    let house = House::new();
    let grant = ["budget", "grant", "pipelines/lending-dp.toml", "--epsilon", "12", "--delta", "1e-5"];
    assert_eq!(house.evenhand(&grant).status.code(), Some(0));
    hostile(&house);
    let names: Vec<&str> = PIPELINES.iter().copied().chain(["hostile"]).collect();
    for name in &names {
        run(&house, name);
    }
    for name in &names {
        in_chinese(&house, name);
        run(&house, name);
    }
    let pages = tempfile::tempdir().unwrap();
    let mut files: Vec<PathBuf> = Vec::new();
    let folders = fs::read_dir(house.path().join("reports")).unwrap().flatten().map(|entry| entry.path());
    for folder in folders.filter(|path| path.is_dir()) {
        let pipeline = folder.file_name().unwrap().to_str().unwrap().to_string();
        for run in house.runs(&pipeline) {
            let page = fs::read_to_string(run.join("report.html")).unwrap();
            let language = if page.contains("<html lang=\"zh-Hans\"") { "zh" } else { "en" };
            let file = pages.path().join(format!("{pipeline}.{language}.html"));
            fs::write(&file, page).unwrap();
            files.push(file);
        }
    }
    // Both editions under differential privacy.
    assert!(files.len() >= 2 * (PIPELINES.len() + 2), "{files:?}");
    let said =
        Command::new("node").arg(checker()).arg(node_folder()).args(&files).output().expect("make test installs node");
    assert!(said.status.success(), "{}", text(&said.stdout));
}

fn checker() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/check.mjs")
}

/// Where `make test` puts programs of npm.
fn node_folder() -> PathBuf {
    let home = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| format!("{}/.cache", std::env::var("HOME").unwrap()));
    Path::new(&home).join("evenhand/node")
}
