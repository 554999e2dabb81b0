//! The forms hold what the documents hold, whatever the names, and are what their readers take them for.

use super::*;
use crate::finding::Verdict;
use crate::report::tests::sample::{PLAIN, Words, sample};
use crate::report::{files, run_json};

const HOSTILE: &str = "<script>alert(1)</script>|`x`\"'&\u{202e}\u{1}\u{fffe} [a](javascript:b) @admin #1\r\n# head";

fn documents(words: &Words) -> (Vec<u8>, Vec<u8>) {
    let (audit, record) = sample(words, 0);
    (files(&audit, None).unwrap().remove(0).1, run_json(&record).unwrap())
}

fn made(of: Form, words: &Words) -> String {
    let (report, run) = documents(words);
    form(of, (&report, &run), &[]).unwrap()
}

fn hostile() -> Words<'static> {
    Words { title: HOSTILE, column: HOSTILE, level: HOSTILE }
}

#[test]
fn sarif_has_a_result_for_every_finding() {
    let (audit, _) = sample(&PLAIN, 0);
    let log: serde_json::Value = serde_json::from_str(&made(Form::Sarif, &PLAIN)).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), audit.findings.len());
    for (finding, result) in audit.findings.iter().zip(results) {
        assert_eq!(result["ruleId"], *finding.code);
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], *finding.code);
        assert_eq!(result["kind"] == "fail", finding.verdict == Verdict::Breached, "{result}");
        assert_eq!(result["level"] == "none", finding.verdict != Verdict::Breached, "{result}");
        assert_eq!(result["suppressions"].is_array(), finding.waiver.is_some());
    }
    let prints: std::collections::BTreeSet<&str> =
        results.iter().map(|result| result["partialFingerprints"]["evenhand/v1"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), results.len());
    let other: serde_json::Value = serde_json::from_str(&made(Form::Sarif, &hostile())).unwrap();
    assert_eq!(other["runs"][0]["results"].as_array().unwrap().len(), audit.findings.len());
}

/// The validator of the format's authors, installed by `make test`: no error; a warning is only that no address of the tool is given.
#[test]
fn sarif_passes_the_validator() {
    let home = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| format!("{}/.cache", std::env::var("HOME").unwrap()));
    let tool = format!("{home}/evenhand/node/node_modules/@microsoft/sarif-multitool-linux");
    let schema = std::fs::read(format!("{tool}/sarif-2.1.0.json")).expect(
        "the validator is missing: npm install --prefix ~/.cache/evenhand/node @microsoft/sarif-multitool@5.7.0",
    );
    let schema = jsonschema::draft4::new(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [("plain", PLAIN), ("hostile", hostile())] {
        let text = made(Form::Sarif, &words);
        let log = serde_json::from_str(&text).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let file = folder.path().join(format!("{name}.sarif"));
        std::fs::write(&file, text).unwrap();
        let said = std::process::Command::new(format!("{tool}/Sarif.Multitool"))
            .args(["validate"])
            .arg(&file)
            .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(text.contains("Analysis completed successfully") && !text.contains(": error "), "{text}");
        let others: Vec<&str> =
            text.lines().filter(|line| line.contains(": warning ") && !line.contains("'informationUri'")).collect();
        assert!(others.is_empty(), "{others:?}");
    }
}

#[test]
fn junit_counts_its_cases() {
    for words in [PLAIN, hostile()] {
        let (audit, _) = sample(&words, 0);
        let text = made(Form::Junit, &words);
        let xml = roxmltree::Document::parse(&text).unwrap();
        let suite = xml.root_element().first_element_child().unwrap();
        let number = |name: &str| suite.attribute(name).unwrap().parse::<usize>().unwrap();
        let cases = suite.children().filter(|node| node.has_tag_name("testcase")).collect::<Vec<_>>();
        assert_eq!((number("tests"), cases.len()), (audit.findings.len(), audit.findings.len()));
        for (name, tag) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            let there = cases.iter().filter(|case| case.children().any(|node| node.has_tag_name(tag))).count();
            assert_eq!(number(name), there, "{name}");
        }
        let names: std::collections::BTreeSet<_> =
            cases.iter().map(|case| (case.attribute("classname"), case.attribute("name"))).collect();
        assert_eq!(names.len(), cases.len(), "two cases have one name");
    }
}

#[test]
fn markdown_is_a_table_of_what_is_not_met() {
    let text = made(Form::Markdown, &PLAIN);
    assert!(text.starts_with("## FAIL: Lending, yearly audit\n"), "{text}");
    let (audit, record) = sample(&PLAIN, 0);
    assert!(text.contains(&record.run_id), "{text}");
    let open = audit.findings.iter().filter(|finding| finding.verdict != Verdict::Met && finding.waiver.is_none());
    assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 1 + open.count().min(20), "{text}");
}

#[test]
fn no_name_becomes_markup() {
    let text = made(Form::Markdown, &hostile());
    assert!(!text.contains("<script") && !text.replace("\\]", "").contains("](") && !text.contains("@admin"), "{text}");
    assert!(text.lines().filter(|line| line.starts_with('#')).count() == 1, "{text}");
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 5, "{line}");
    }
    assert!(!made(Form::Junit, &hostile()).contains("<script"));
}
