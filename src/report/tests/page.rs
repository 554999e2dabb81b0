//! The page: what is on it, and what must never be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::sample::{PLAIN, Words, sample};
use crate::audit::{
    AttacksOnRows, Attempt, AttributeGuessed, Audit, ChecklistLine, CohortRow, CohortTable, ColumnFate,
    DatasetAttacked, Edition, Exposed, FileDigest, Guessed, LedgerState, ModelAttacked, PrivacyStatement, Recognised,
    Record, Rehearsal, RiskFound, Share, Standing,
};
use crate::budget::{Charge, Mechanism, Noise};
use crate::cohort::Cohort;
use crate::estimate::Measured;
use crate::finding::{Outcome, Verdict};
use crate::plan::spec::Neighbours;
use crate::report::{ReportError, digests, files, html, run_json};

/// Everything a browser or a spreadsheet could take for something else.
const HOSTILE: &str = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&`{{ 7 }}";

pub fn page(audit: &Audit, record: &Record) -> String {
    let report = files(audit, None).unwrap().remove(0).1;
    html(&report, &run_json(record).unwrap()).unwrap()
}

fn rendered(words: &Words, suppress_below: u64) -> String {
    let (audit, record) = sample(words, suppress_below);
    page(&audit, &record)
}

/// Every text of both documents replaced by a hostile one, but for the words of closed lists.
fn poisoned() -> (Vec<u8>, Vec<u8>) {
    let words = Words { title: HOSTILE, column: HOSTILE, level: HOSTILE };
    let (audit, record) = sample(&words, 0);
    let mut report = serde_json::to_value(&audit).unwrap();
    let mut run = serde_json::to_value(&record).unwrap();
    poison(&mut report, "");
    poison(&mut run, "");
    (serde_json::to_vec(&report).unwrap(), serde_json::to_vec(&run).unwrap())
}

fn poison(value: &mut serde_json::Value, key: &str) {
    const CLOSED: [&str; 12] = [
        "outcome",
        "verdict",
        "level",
        "compare",
        "against",
        "method",
        "why",
        "status",
        "roles",
        "origin",
        "mechanism",
        "domain",
    ];
    if CLOSED.contains(&key) && !value.is_object() {
        return;
    }
    match value {
        serde_json::Value::String(text) => *text = HOSTILE.into(),
        serde_json::Value::Array(all) => all.iter_mut().for_each(|value| poison(value, key)),
        serde_json::Value::Object(map) => map.iter_mut().for_each(|(key, value)| poison(value, key)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

#[test]
fn same_documents_same_bytes() {
    assert_eq!(rendered(&PLAIN, 0), rendered(&PLAIN, 0));
}

#[test]
fn hostile_names_come_out_escaped_everywhere() {
    let (report, run) = poisoned();
    let page = html(&report, &run).unwrap();
    let style = (page.find("<style>").unwrap(), page.find("</style>").unwrap());
    let rest = [&page[..style.0], &page[style.1 + 8..]].concat();
    for forbidden in ["<script", "<img", "</title></style>", "onerror=alert(1)>", "\"'&`", "'&`"] {
        assert!(!rest.contains(forbidden), "{forbidden} in {}", around(&rest, forbidden));
    }
    let of_cut_labels = rest.matches("\"><title>").count();
    assert_eq!(rest.matches("<title>").count() - of_cut_labels, 1);
    let body = rest.split("<body>").nth(1).unwrap();
    let parts: Vec<&str> = body.split("<section ").collect();
    for id in [
        "verdict",
        "findings",
        "criteria",
        "scope",
        "measurements",
        "model",
        "limitations",
        "method",
        "metrics",
        "resources",
        "provenance",
    ] {
        let part = parts.iter().find(|part| part.contains(&format!("id=\"h-{id}\""))).unwrap();
        assert!(part.contains("&lt;script&gt;"), "{id} shows a name from outside, escaped");
    }
    assert!(parts[0].contains("&lt;script&gt;") && rest.matches("&lt;script&gt;").count() > 200);
    assert!(!rest.contains(" 7 &") && rest.contains("{{ 7 }}"), "a name is no template");
}

pub fn around<'a>(text: &'a str, part: &str) -> &'a str {
    let at = text.find(part).unwrap_or(0);
    let start = (0..=at.saturating_sub(120)).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let end = (at + 120..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
    &text[start..end]
}

#[test]
fn the_page_is_one_file_and_asks_for_nothing() {
    let page = rendered(&PLAIN, 0);
    for forbidden in
        ["<script", " style=\"", "http:", "https:", "//", "@import", "url(", "<link", "<iframe", " src=", "javascript:"]
    {
        assert!(!page.contains(forbidden), "{forbidden}: {}", around(&page, forbidden));
    }
    let handler = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_lowercase()).starts_with('=');
    assert!(!page.split(" on").skip(1).any(handler), "no event handler");
    assert!(page.split("href=\"").skip(1).all(|rest| rest.starts_with('#')), "every link stays on the page");
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "every id occurs once");
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "a link leads to {target}");
    }
    for svg in page.split("<svg role=\"img\"").skip(1) {
        let label = svg.split("aria-labelledby=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert!(label.split(' ').all(|id| ids.contains(&id)), "a chart is named by its title and description");
    }
}

#[test]
fn the_policy_allows_the_one_style_by_its_digest() {
    use sha2::{Digest, Sha256};
    let page = rendered(&PLAIN, 0);
    let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
    let allowed = page.split("style-src 'sha256-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    assert_eq!(allowed, crate::report::html::base64(&Sha256::digest(style.as_bytes())));
    assert_eq!(crate::report::html::base64(b"Man"), "TWFu");
    assert_eq!(crate::report::html::base64(b"Ma"), "TWE=");
    assert_eq!(crate::report::html::base64(b"M"), "TQ==");
}

#[test]
fn a_page_stays_small_whatever_the_size_of_the_run() {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    let pattern = audit
        .readings
        .iter()
        .filter(|reading| &*reading.across == [Arc::from("sex")].as_slice())
        .cloned()
        .collect::<Vec<_>>();
    let cohort = |i: usize| Cohort { pairs: vec![("sex".into(), format!("level {i} {HOSTILE}").into())] };
    audit.cohorts = vec![CohortTable {
        across: vec!["sex".into()],
        rows: (0..10_000)
            .map(|i| CohortRow {
                cohort: cohort(i),
                compared: true,
                n: Some(i as i64 * 7919 % 5000),
                labels: Some([1, 2, 3]),
                decisions: None,
                joint: None,
            })
            .collect(),
    }];
    audit.readings = pattern
        .iter()
        .filter(|reading| reading.contrast.is_none())
        .step_by(6)
        .flat_map(|reading| {
            (0..10_000).map(|i| crate::audit::Reading { cohort: cohort(i), ..reading.clone() }).collect::<Vec<_>>()
        })
        .collect();
    let finding = audit.findings[0].clone();
    audit.findings = (0..5_000)
        .map(|i| crate::finding::Finding {
            cohort: cohort(i),
            code: format!("{i} {HOSTILE}").into(),
            ..finding.clone()
        })
        .collect();
    let column = audit.data.columns[0].clone();
    audit.data.columns =
        (0..3_000).map(|i| ColumnFate { name: format!("{i} {HOSTILE}").into(), ..column.clone() }).collect();
    audit.limitations = vec![HOSTILE.repeat(500); 3_000];
    record.inputs = (0..3_000)
        .map(|i| FileDigest { name: format!("{HOSTILE}{i}").repeat(9), bytes: 1, sha256: "0".repeat(64) })
        .collect();
    let page = page(&audit, &record);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("more in evidence/findings.csv"), "what is left out is counted");
    assert!(page.contains("cohorts of most rows shown"), "the cohorts too");
}

#[test]
fn every_finding_and_criterion_is_shown() {
    let (audit, record) = sample(&PLAIN, 0);
    let page = page(&audit, &record);
    for finding in &audit.findings {
        match finding.verdict {
            Verdict::Met => assert!(page.contains("Values whose whole interval is within the limit")),
            Verdict::Breached | Verdict::Undetermined | Verdict::NotMeasured => {
                assert!(page.contains(&*finding.code), "{}", finding.code)
            }
        }
    }
    let cards = page.matches("<article").count()
        + page
            .split("Findings that are met")
            .nth(1)
            .unwrap()
            .split("</table>")
            .next()
            .unwrap()
            .matches("scope=\"row\"")
            .count();
    assert_eq!(cards, audit.findings.len());
    let matrix = page.split("Criteria and their verdicts").nth(1).unwrap().split("</table>").next().unwrap();
    assert_eq!(matrix.matches("scope=\"row\"").count(), 6);
    assert!(page.contains("3 of 6 criteria evaluated"), "{}", around(&page, "evaluated"));
    assert!(page.contains("<title>FAIL: Lending, yearly audit"));
}

#[test]
fn an_interval_stands_beside_every_point() {
    for suppress_below in [0, 12] {
        let page = rendered(&PLAIN, suppress_below);
        let points: Vec<&str> = page.split("<span class=\"v\">").skip(1).collect();
        assert!(points.len() > 100);
        for point in points {
            let cell = point.split("</span></span>").next().unwrap();
            assert!(
                cell.starts_with("<b>") && cell.contains("</b> <span class=\"ci\">[") && cell.ends_with(']'),
                "{cell}"
            );
        }
        assert!(!page.contains("NaN") && !page.contains("null"));
        for tag in ["td", "th", "dd", "dt", "p", "li", "small", "span"] {
            let before: Vec<&str> = page.split(&format!("></{tag}>")).collect();
            let blank = before[..before.len() - 1].iter().any(|text| text.rsplit('<').next().unwrap().starts_with(tag));
            assert!(!blank, "no {tag} is blank");
        }
    }
}

#[test]
fn undefined_and_suppressed_are_words() {
    let (audit, record) = sample(&PLAIN, 12);
    let suppressed = audit.readings.iter().filter(|reading| reading.measured == Measured::Suppressed).count();
    assert!(suppressed > 0, "the sample suppresses something");
    let page = page(&audit, &record);
    assert!(page.contains("<span class=\"none\">suppressed</span>") && page.contains("Suppressed: withheld, because"));
    assert!(page.contains("<span class=\"none\">undefined</span>") && page.contains("Undefined: "));
    assert!(page.contains("is the reference") && page.contains("not compared"));
}

#[test]
fn documents_of_another_run_or_a_later_program_are_refused() {
    let (audit, record) = sample(&PLAIN, 0);
    let report = files(&audit, None).unwrap().remove(0).1;
    let run = run_json(&record).unwrap();
    let later =
        String::from_utf8(report.clone()).unwrap().replacen("\"report_version\": 1", "\"report_version\": 2", 1);
    let message = html(later.as_bytes(), &run).unwrap_err().to_string();
    assert!(message.contains("report_version 2, this program knows up to 1"), "{message}");
    assert!(matches!(html(b"{}", &run), Err(ReportError::NoVersion { .. })));
    assert!(matches!(html(b"\xff", &run), Err(ReportError::Unreadable { .. })));
    assert!(matches!(html(&report, b"{\"run_version\": 1}"), Err(ReportError::Unreadable { .. })));
    let other = Record { outcome: Outcome::Pass, ..record.clone() };
    assert!(matches!(html(&report, &run_json(&other).unwrap()), Err(ReportError::Apart)));
    let signed =
        |report: &[u8]| Record { files: digests(&[("report.json".to_string(), report.to_vec())]), ..record.clone() };
    assert!(html(&report, &run_json(&signed(&report)).unwrap()).is_ok());
    assert!(matches!(html(&report, &run_json(&signed(b"{}")).unwrap()), Err(ReportError::Apart)));
}

#[test]
fn a_number_that_is_none_is_said_and_does_not_stop_the_page() {
    let (audit, record) = sample(&PLAIN, 0);
    let mut report = serde_json::to_value(&audit).unwrap();
    for reading in report["readings"].as_array_mut().unwrap() {
        if reading["measured"]["point"].is_number() {
            reading["measured"]["point"] = serde_json::Value::Null;
        }
    }
    report["model"]["coefficients"][0]["value"] = serde_json::Value::Null;
    let page = html(&serde_json::to_vec(&report).unwrap(), &run_json(&record).unwrap()).unwrap();
    assert!(page.contains("undefined: the value is no finite number") && !page.contains("NaN"));
}

#[test]
fn a_run_that_judged_nothing_says_so() {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    (audit.findings, audit.outcome, audit.model) = (Vec::new(), Outcome::Inconclusive, None);
    (record.outcome, record.previous, record.files) = (Outcome::Inconclusive, None, Vec::new());
    let page = page(&audit, &record);
    assert!(page.contains("No criterion was judged, so nothing was tested against a limit."));
    assert!(page.contains("0 of 0 criteria evaluated") && !page.contains("href=\"#model\""));
}

/// The sample with a statement of privacy.
pub fn private(name: &str, edition: Edition) -> (Audit, Record) {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    let line = |number, standing| ChecklistLine { number, topic: name.into(), standing, value: name.into() };
    let rehearsal = |falsified| Rehearsal {
        statistic: name.into(),
        draws: 50_000,
        epsilon: 1.0,
        delta: 1e-9,
        epsilon_lower: 0.9,
        epsilon_ceiling: 9.3,
        confidence: 0.999,
        falsified,
        not_tested: None,
    };
    let charge = Charge::concentrated(25_000_000_000);
    audit.privacy = Some(PrivacyStatement {
        population: name.into(),
        unit: Some(name.into()),
        rows_per_unit_max: 2,
        neighbours: Neighbours::AddRemove,
        epsilon: 1.0,
        delta: 1e-9,
        charge,
        parallel: true,
        guess_right_max: 0.731_058_578_630_004_9,
        rehearsals: vec![rehearsal(false), rehearsal(true)],
        checklist: vec![line(1, Standing::Pass), line(2, Standing::Warn), line(3, Standing::Unknown)],
    });
    for receipt in &mut audit.receipts {
        receipt.mechanism = Mechanism::DiscreteGaussian;
        receipt.noise = Some(Noise {
            parameter: "sigma^2 20/1".into(),
            variance: 20.0,
            sensitivity: "L2 sqrt(1)".into(),
            numbers: 36,
            charge,
        });
    }
    record.edition = Some(edition);
    record.commitment_sha256 = Some("c0ffee".into());
    record.ledger = Some(LedgerState {
        population: name.into(),
        sequence: 7,
        head: "7:beef".into(),
        epsilon_spent: 2.5,
        epsilon_granted: 10.0,
        delta_granted: 1e-6,
        window_days: Some(30),
        window_epsilon_spent: Some(1.25),
        window_epsilon_granted: Some(2.0),
    });
    if edition == Edition::Internal {
        record.commitment_salt = Some("5a17".into());
        record.price = audit.readings.clone();
    }
    (audit, record)
}

#[test]
fn the_claim_its_cost_and_the_attacks_are_on_the_page() {
    let (audit, record) = private("people", Edition::Public);
    let page = page(&audit, &record);
    for words in [
        "href=\"#privacy\"",
        "Public edition: covered by the differential-privacy claim.",
        "people, of whose rows at most 2 are used",
        "whether a unit is in the rows, is right with a chance of at most 73.106 %",
        "epsilon 2.5 of 10, at delta 1e−6",
        "epsilon 1.25 of 2 in 30 days",
        "7:beef",
        "c0ffee",
        "Not falsified",
        "Claim falsified",
        "Unknown",
        "not told in the public edition",
        "Rows kept, with noise",
    ] {
        assert!(page.contains(words), "{words:?} is not on the page");
    }
    for absent in ["Price of privacy", "Salt of the commitment", "Differential privacy is off", "Rows read"] {
        assert!(!page.contains(absent), "{absent:?} is on the page");
    }
}

#[test]
fn the_internal_edition_says_what_it_is_and_shows_the_price() {
    let (audit, record) = private("people", Edition::Internal);
    let page = page(&audit, &record);
    for words in ["Internal edition: not covered by the differential-privacy claim.", "Price of privacy", "5a17"] {
        assert!(page.contains(words), "{words:?} is not on the page");
    }
}

#[test]
fn hostile_names_of_populations_come_out_escaped() {
    let (audit, record) = private(HOSTILE, Edition::Internal);
    let page = page(&audit, &record);
    for forbidden in ["<script", "<img", "onerror=alert(1)>"] {
        assert!(!page.contains(forbidden), "{forbidden} in {}", around(&page, forbidden));
    }
}

#[test]
fn cohorts_left_out_of_a_worst_pair_are_counted() {
    let (mut audit, record) = sample(&PLAIN, 0);
    for (n, shown) in
        [(0, None), (1, Some("; 1 cohort of too few rows left out")), (2, Some("; 2 cohorts of too few rows left out"))]
    {
        audit
            .readings
            .iter_mut()
            .filter_map(|reading| reading.contrast.as_mut())
            .for_each(|contrast| contrast.too_few = n);
        let page = page(&audit, &record);
        assert_eq!(page.contains("of too few rows left out"), shown.is_some(), "{n}");
        assert!(shown.is_none_or(|shown| page.contains(shown)), "{n}");
    }
}

#[test]
fn numbers_are_not_counted_as_labels() {
    let (mut audit, record) = sample(&PLAIN, 0);
    assert!(!page(&audit, &record).contains(">numbers<"));
    for column in audit.data.columns.iter_mut().filter(|column| column.roles.contains(&crate::schema::Role::Target)) {
        column.domain = crate::schema::Domain::Bounds { lower: 0.0, upper: 9.0 };
    }
    assert!(page(&audit, &record).contains(">numbers<"));
}

#[test]
fn nothing_of_level_deny_is_not_called_met() {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    for finding in &mut audit.findings {
        finding.level = crate::plan::spec::Level::Warn;
        if let Some(gate) = &mut finding.gate {
            gate.level = crate::plan::spec::Level::Warn;
        }
    }
    (audit.outcome, record.outcome) = (Outcome::Warn, Outcome::Warn);
    let page = page(&audit, &record);
    assert!(page.contains("not met; there is no criterion of level deny."));
}

#[test]
fn a_finding_without_a_criterion_is_a_note() {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    let note = crate::finding::Finding {
        code: "judge/waiver/ended/brier-score".into(),
        gate: None,
        cohort: Cohort::everyone(),
        measured: None,
        judged_interval: None,
        verdict: Verdict::NotMeasured,
        level: crate::plan::spec::Level::Warn,
        reason: "The waiver ended on 2026-01-31.".into(),
        waiver: None,
    };
    audit.findings.retain(|finding| finding.verdict == Verdict::Met);
    audit.findings.push(note);
    (audit.outcome, record.outcome) = (Outcome::Warn, Outcome::Warn);
    let page = page(&audit, &record);
    assert!(page.contains("1 note is below to read; every criterion of level deny is met or waived."));
    let card = page.split("<article").nth(1).unwrap().split("</article>").next().unwrap();
    assert!(
        card.contains("Note") && card.contains("The waiver ended on 2026-01-31.") && !card.contains("not measured"),
        "{card}"
    );
    assert!(page.contains("1 of 1 criterion evaluated"));
}

#[test]
fn the_page_claims_no_more_than_it_measured() {
    let page = rendered(&PLAIN, 0).to_lowercase();
    for claim in ["unbiased", "is fair", "is anonymous", "compliant", "guarantee", "proves", "debias"] {
        assert!(!page.contains(claim), "{}", around(&page, claim));
    }
}

#[test]
fn templates_place_and_do_not_compute() {
    for (name, text) in crate::report::html::TEMPLATES {
        assert!(name.ends_with(".html"), "tera escapes by the extension");
        for inside in text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            let call = inside.trim_start().starts_with('<');
            let words = if call { inside.replace("/>", "") } else { inside.to_string() };
            assert!(
                !words.contains(['+', '*', '/', '%', '~']) && !words.contains("round") && !words.contains(" - "),
                "{name}: {inside}"
            );
        }
        let allowed = ["style", "chart.svg", "view.model.chart", "view.model.path_chart", "view.privacy.gauge"];
        let raw = text
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split("| safe }}").next().filter(|inside| !inside.contains("}}")));
        for inside in raw.filter(|_| text.contains("| safe")) {
            assert!(allowed.contains(&inside.trim()), "{name}: {inside} is not escaped");
        }
    }
}

/// WCAG 2.2, 1.4.3: at least 4.5 between text and what is behind it, in the light, dark and printed palette.
#[test]
fn every_text_colour_stands_out_from_every_background() {
    const STYLE: &str = include_str!("../../../templates/style.css");
    let luminance = |hex: &str| {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    };
    let mut palettes = 0;
    for block in STYLE.split(":root {").skip(1).filter_map(|rest| rest.split('}').next()) {
        let colours = block.split("--").skip(1).filter_map(|rest| {
            let (name, value) = rest.split_once(": #")?;
            let digits: String = value.chars().take_while(char::is_ascii_hexdigit).collect();
            let wide = digits.chars().flat_map(|c| [c, c]).collect();
            Some((name, if digits.len() == 3 { wide } else { digits }))
        });
        let of: std::collections::BTreeMap<&str, String> = colours.collect();
        for text in ["ink", "soft", "link", "pass", "warn", "fail", "open", "waived"] {
            for behind in ["paper", "sheet", "tint"] {
                let (a, b) = (luminance(&of[text]), luminance(&of[behind]));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{text} on {behind}: {contrast:.2}");
            }
        }
        palettes += 1;
    }
    assert_eq!(palettes, 3);
}

fn risk(risk: Option<Share>) -> RiskFound {
    RiskFound {
        attack: "Linking".into(),
        guesses: 9,
        right: 5,
        control_guesses: 9,
        right_control: 4,
        risk,
        warnings: vec![HOSTILE.into()],
    }
}

/// Every attack that can be told of.
pub fn attacked() -> AttacksOnRows {
    let share = |value: f64| Share { value, lower: value - 0.1, upper: value + 0.1 };
    let guessed = Guessed { rows: 40, right_with: 30, right_without: 20, gain: share(0.25) };
    let exposed = |i: u32| Exposed {
        attribute: "sex".into(),
        level: format!("{HOSTILE}{i}").into(),
        rows: 20,
        exposed: 1,
        share_of_exposed: 0.5,
        share_of_cohort: share(0.15),
    };
    AttacksOnRows {
        confidence: 0.95,
        model: Some(Attempt::Attacked(ModelAttacked {
            rows_trained: 4000,
            rows_attacked: 1234,
            undetermined: 3,
            auc: share(0.731),
            at: vec![Recognised { false_positives_max: 0.01, false_positives: 12, true_positive_rate: share(0.345) }],
            exposure: (0..300).map(exposed).collect(),
            attribute: Some(Attempt::Attacked(AttributeGuessed {
                column: HOSTILE.into(),
                levels: 2,
                rows_known: 100,
                members: guessed.clone(),
                others: Some(guessed),
            })),
            notes: vec![HOSTILE.into()],
        })),
        dataset: Some(Attempt::Attacked(DatasetAttacked {
            rows_original: 500,
            rows_control: 500,
            risks: vec![risk(Some(share(0.222))), risk(None)],
            notes: vec!["as written".into()],
        })),
    }
}

#[test]
fn attacks_are_shown_with_their_intervals_and_hostile_names_escaped() {
    let (audit, mut record) = sample(&PLAIN, 0);
    record.files = Vec::new();
    record.attacks = Some(attacked());
    let page = page(&audit, &record);
    for part in [
        "0.731",
        "[0.631, 0.831]",
        "0.345",
        "1,234",
        "30 of 40 right",
        "0.250",
        "0.222",
        "200 cohorts more in run.json",
        "href=\"#attacks\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && page.contains("&lt;script"));
    record.attacks = Some(AttacksOnRows {
        confidence: 0.95,
        model: Some(Attempt::NotAttacked { reason: HOSTILE.into() }),
        dataset: None,
    });
    let page = self::page(&audit, &record);
    assert!(page.contains("Not attacked: ") && !page.contains("<script"));
    let nan = Share { value: f64::NAN, lower: f64::NEG_INFINITY, upper: f64::INFINITY };
    let dataset =
        DatasetAttacked { rows_original: 1, rows_control: 1, risks: vec![risk(Some(nan))], notes: Vec::new() };
    record.attacks =
        Some(AttacksOnRows { confidence: f64::NAN, model: None, dataset: Some(Attempt::Attacked(dataset)) });
    assert!(self::page(&audit, &record).contains("undefined"), "what is no number does not stop the page");
    record.attacks = None;
    assert!(!self::page(&audit, &record).contains("Attacks on real rows"));
}

#[test]
fn tests_of_equality_are_shown_with_both_p_values_and_cut() {
    let (mut audit, record) = sample(&PLAIN, 0);
    let page = page(&audit, &record);
    let tests = audit.bias.tests.clone().unwrap();
    for part in [
        "href=\"#tests\"",
        "Permutation p",
        "Adjusted p (Holm; Benjamini-Hochberg)",
        "(reference)",
        "Fisher: p ",
        "z test: p ",
        "points is excluded at 95 %",
        "Insufficient evidence: ",
        "A large p-value is no evidence of equality",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains(&format!("<dt>Comparisons of cohorts</dt><dd>{}</dd>", tests.family)));
    let set = &mut audit.bias.tests.as_mut().unwrap().sets[1];
    let before: usize = set.rates.iter().map(|rate| rate.pairs.len()).sum();
    let pair = set.rates[0].pairs[0].clone();
    set.rates[0].pairs.extend(std::iter::repeat_n(pair, 200));
    let page = self::page(&audit, &record);
    assert!(page.contains(&format!("And {} more comparisons, in report.json.", before + 100)), "{before}");
    audit.bias.tests = None;
    assert!(!self::page(&audit, &record).contains("id=\"tests\""));
    let (audit, record) = sample(&PLAIN, 1000);
    assert!(self::page(&audit, &record).contains("withheld, because a count"));
}
