//! A mail says the same in both forms, in both languages, in one screen; nothing from outside ends a line or opens a tag.

use std::collections::BTreeSet;

use super::*;
use crate::audit::{Audit, LedgerState, Previous, Record};
use crate::plan::spec::{Language, On};
use crate::report::tests::sample::{PLAIN, Words, sample};
use crate::report::{files, run_json};

const HOSTILE: &str = "</title><script>alert(1)</script>\"'&\r\nBcc: x@example.org\r\n\r\n*_[a](http://b)_*\u{202e}\u{2028}\u{0}{{ 7 }}<!channel>";

const ON: &[On] = &[On::Fail, On::Changed];

fn frame(notice: Notice) -> Frame<'static> {
    Frame { notice, on: ON, link: Some("https://audit.example.org/reports/"), pdf: Some(true) }
}

fn documents(audit: &Audit, record: &Record) -> Documents {
    let report = files(audit, None).unwrap().remove(0).1;
    Documents::read(&report, &run_json(record).unwrap()).unwrap()
}

fn ledger() -> LedgerState {
    LedgerState {
        population: "applicants".into(),
        sequence: 3,
        head: "0b".repeat(32),
        epsilon_spent: 3.668_762_634,
        epsilon_granted: 10.0,
        delta_granted: 1e-6,
        window_days: None,
        window_epsilon_spent: None,
        window_epsilon_granted: None,
    }
}

fn made(language: Language) -> (Audit, Record) {
    let (mut audit, mut record) = sample(&PLAIN, 12);
    audit.pipeline.language = language;
    record.ledger = Some(ledger());
    (audit, record)
}

/// Digits of a text with what groups and divides them.
fn numbers(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let of = text.split(|c| !part(c)).map(|number| number.trim_matches(['.', ',']).to_string());
    of.filter(|number| !number.is_empty()).collect()
}

/// What a reader of the HTML sees, with the words in place of the picture and the address behind the button.
fn visible(html: &str) -> String {
    let body = html.split_once("</head>").unwrap().1;
    let mut text = String::new();
    for piece in body.split('<') {
        let Some((tag, rest)) = piece.split_once('>') else { continue };
        for mark in ["alt=\"", "href=\""] {
            if let Some((_, value)) = tag.split_once(mark) {
                text.push_str(value.split('"').next().unwrap());
                text.push(' ');
            }
        }
        text.push_str(rest);
        text.push(' ');
    }
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&#x2F;", "/"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (from, to)| text.replace(from, to))
}

fn notices() -> Vec<Notice> {
    let past = |run_id: &str, outcome, day: &str| Past { run_id: run_id.into(), outcome, day: day.into() };
    vec![
        Notice::Run,
        Notice::Digest {
            runs: (1..25).map(|day| past(&format!("run-{day}"), Outcome::Fail, &format!("2026-11-{day:02}"))).collect(),
        },
        Notice::Quiet { since: Some("2026-11-18".into()) },
        Notice::Quiet { since: None },
    ]
}

#[test]
fn both_forms_say_the_same_numbers_and_words() {
    for language in [Language::En, Language::ZhCn] {
        let (audit, record) = made(language);
        let documents = documents(&audit, &record);
        for notice in notices() {
            let frame = frame(notice);
            let mail = documents.mail(&frame).unwrap();
            let seen = visible(&mail.html);
            assert_eq!(numbers(&seen), numbers(&mail.text), "{language:?}\n{}", mail.text);
            let view = documents.within(|| documents.view(&frame));
            let sentences = [&view.sentence, &view.changed, &view.alt, &view.why, &view.stop, &view.quiet, &view.pdf];
            let lines = view.findings.iter().chain(&view.runs).map(|line| &line.text);
            let tiles = view.tiles.iter().flat_map(|tile| [&tile.value, &tile.label]);
            for said in sentences.into_iter().chain(lines).chain(tiles) {
                assert!(seen.contains(said) && mail.text.contains(said), "{said}\n{seen}\n{}", mail.text);
            }
            assert!(mail.html.len() < BYTES_MAX, "{}", mail.html.len());
            assert_eq!(mail, documents.mail(&frame).unwrap());
        }
    }
}

#[test]
fn the_subject_begins_with_the_verdict_and_the_figures_are_those_of_the_report() {
    let (audit, record) = made(Language::En);
    let english = documents(&audit, &record);
    let mail = english.mail(&frame(Notice::Run)).unwrap();
    assert_eq!(mail.subject, "[FAIL] lending: 3 blocking, 1 warning - 2026-11-25");
    for said in [
        "Run before (20261118T013000Z-99aabbcc)",
        "WARN",
        "6.3312  epsilon left of 10 granted",
        "https://audit.example.org/reports/lending/20261125T013000Z-1a2b3c4d/report.html",
        &format!("SHA-256 of report.json {}", english.sha256),
        "on: fail, changed.",
        "ask risk@example.org",
    ] {
        assert!(mail.text.to_lowercase().contains(&said.to_lowercase()), "{said}\n{}", mail.text);
    }
    assert_eq!(english.view(&frame(Notice::Run)).findings.len(), 3);
    let (audit, record) = made(Language::ZhCn);
    let mail = documents(&audit, &record).mail(&frame(Notice::Run)).unwrap();
    assert_eq!(mail.subject, "[FAIL] lending：3 项阻断，1 项警告 - 2026-11-25");
    assert!(mail.html.contains("<html lang=\"zh-Hans\">") && mail.text.contains("不通过（FAIL）"), "{}", mail.text);
}

#[test]
fn nothing_from_outside_ends_a_line_or_opens_a_tag() {
    // A file of data with this in it is refused.
    let data = HOSTILE.replace('\0', "");
    let words = Words { title: HOSTILE, column: &data, level: &data };
    let (mut audit, mut record) = sample(&words, 0);
    let plain = {
        let (audit, record) = sample(&PLAIN, 0);
        documents(&audit, &record).mail(&frame(Notice::Run)).unwrap()
    };
    for finding in &mut audit.findings {
        (finding.code, finding.reason) = (HOSTILE.repeat(100).into(), HOSTILE.repeat(100).into());
    }
    audit.pipeline.owner = HOSTILE.into();
    audit.pipeline.name = HOSTILE.into();
    (record.pipeline, record.run_id, record.finished_at) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
    record.previous = Some(Previous { run_id: HOSTILE.repeat(200), outcome: Outcome::Pass });
    let documents = documents(&audit, &record);
    let mail = documents.mail(&frame(Notice::Run)).unwrap();
    assert_eq!(mail.text.lines().count(), plain.text.lines().count(), "{}", mail.text);
    for text in [&mail.subject, &mail.text, &mail.html] {
        assert!(!text.contains(['\r', '\0', '\u{2028}', '\u{202e}']));
    }
    assert!(!mail.subject.contains('\n'));
    for forbidden in ["<script", "</title><", "<!channel"] {
        assert!(!mail.html.contains(forbidden), "{forbidden}");
    }
    assert!(mail.html.len() < BYTES_MAX, "{}", mail.html.len());
    for body in [Body::Json, Body::Slack, Body::Teams] {
        let bytes = documents.hook(body, &frame(Notice::Run)).unwrap();
        assert!(bytes.len() < 20_000, "{body:?} has {} bytes", bytes.len());
        let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let texts = texts(&said);
        assert!(texts.iter().all(|text| !text.contains(['\r', '\0', '\u{202e}'])));
        match body {
            Body::Json => {}
            Body::Slack => assert!(texts.iter().all(|text| !text.contains("<!") && !text.contains("<s"))),
            Body::Teams => assert!(texts.iter().all(|text| !text.contains("[a]("))),
        }
    }
}

#[test]
fn a_link_is_of_the_web_or_none() {
    let (audit, record) = sample(&PLAIN, 0);
    let documents = documents(&audit, &record);
    let link = |base| documents.view(&Frame { link: Some(base), ..frame(Notice::Run) }).link;
    assert_eq!(link("javascript:alert(1)//"), "");
    assert_eq!(link("file:///reports"), "");
    assert!(link("http://audit.example.org").starts_with("http://audit.example.org/lending/2026"));
}

#[test]
fn slack_has_its_blocks_and_teams_its_card() {
    let (audit, record) = made(Language::En);
    let documents = documents(&audit, &record);
    let said = |body| -> serde_json::Value {
        serde_json::from_slice(&documents.hook(body, &frame(Notice::Run)).unwrap()).unwrap()
    };
    let slack = said(Body::Slack);
    let kinds: Vec<&str> = slack["blocks"].as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["header", "section", "section", "section", "section", "context"]);
    assert_eq!(slack["blocks"][0]["text"]["type"], "plain_text");
    assert!(slack["blocks"][0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
    assert_eq!(slack["blocks"][2]["fields"].as_array().unwrap().len(), 3);
    let link = slack["blocks"][4]["text"]["text"].as_str().unwrap();
    assert!(link.starts_with("<https://audit.example.org/") && link.ends_with("|Open the report>"), "{link}");
    let teams = said(Body::Teams);
    let attached = &teams["attachments"][0];
    assert_eq!((&teams["type"], &attached["content"]["version"]), (&"message".into(), &"1.4".into()));
    assert_eq!(attached["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(attached["content"]["actions"][0]["type"], "Action.OpenUrl");
    let own = said(Body::Json);
    assert_eq!((&own["message_version"], &own["outcome"], &own["notice"]), (&1.into(), &"FAIL".into(), &"run".into()));
    assert_eq!(own["criteria"]["blocking"], 3);
    let finding = &own["findings"][0];
    let (point, lower, upper) = (&finding["point"], &finding["lower"], &finding["upper"]);
    assert!(lower.as_f64() < point.as_f64() && point.as_f64() < upper.as_f64(), "{finding}");
    assert_eq!((&finding["at_least"], &finding["verdict"]), (&0.8.into(), &"breached".into()));
}

#[test]
fn the_picture_has_a_mark_for_each_criterion_and_no_text() {
    let svg = marks::marks(&["breached", "undetermined", "not-measured", "met", "waived"]);
    assert_eq!(svg.matches("<g ").count(), 5);
    assert!(!svg.contains("<text") && svg.starts_with("<svg ") && svg.ends_with("</svg>"));
    assert_eq!(marks::marks(&[]), "");
    assert_eq!(marks::marks(&["met"; 5000]).matches("<g ").count(), 100);
}

fn texts(value: &serde_json::Value) -> Vec<&str> {
    match value {
        serde_json::Value::String(text) => vec![text],
        serde_json::Value::Array(all) => all.iter().flat_map(texts).collect(),
        serde_json::Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
