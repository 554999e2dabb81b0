//! The page of a run under differential privacy: what it says is true of noisy numbers, whole, and no more than was shown.

use std::path::Path;

use super::page::{around, page, private};
use super::sample::{PLAIN, sample};
use crate::audit::{Audit, Contrast, Edition, Promise, Reading, Record, Rehearsal};
use crate::budget::Charge;
use crate::cohort::Cohort;
use crate::estimate::{Measured, Why};
use crate::metric::{Against, Comparison};
use crate::plan::spec::Neighbours;
use crate::report::view::{Caps, view};
use crate::report::{document, files, html, run_json};

/// The texts of a page: without its style and its tags.
fn texts(page: &str) -> String {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| format!("{text}\n")).collect()
}

fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.split(&format!("<section id=\"{id}\"")).nth(1).unwrap();
    from.split("<section id=\"").next().unwrap()
}

/// The cells of the row of a table with this heading and, where it has a second cell, this.
fn row<'a>(page: &'a str, heading: &str, second: &str) -> Vec<&'a str> {
    let mut rows = page.split("<tr>").filter_map(|row| row.split("</tr>").next());
    let found = rows.find(|row| row.contains(heading) && row.contains(&format!("<td>{second}</td>")));
    found.unwrap_or_else(|| panic!("no row {heading}, {second}")).split("<td>").skip(1).collect()
}

#[test]
fn a_promise_says_that_it_was_judged_on_noisy_counts() {
    let note = "Promises are judged on counts with noise.";
    let (mut audit, record) = private("people", Edition::Public);
    let text = "contract.rows_min: -3 rows are kept; promised: at least 5; a count with noise, judged with a slack of 9 rows (4 standard deviations of its noise)";
    audit.data.promises = vec![Promise { text: text.into(), kept: true }];
    let shown = page(&audit, &record);
    assert!(shown.contains(note) && shown.contains(&text.replace("-3", "−3")), "{}", section(&shown, "scope"));
    for words in
        ["Missing, outside and malformed count rows kept, with noise", "counted with noise: a count may be below 0"]
    {
        assert!(shown.contains(words), "{words}");
    }
    audit.data.columns[0].missing = None;
    assert!(section(&page(&audit, &record), "scope").contains("not published"));
    let (audit, record) = sample(&PLAIN, 0);
    let shown = page(&audit, &record);
    assert!(!shown.contains(note) && !shown.contains("with noise"), "{}", around(&shown, "with noise"));
}

#[test]
fn source_files_of_the_public_edition_are_left_out_and_not_said_to_be_none() {
    let (audit, mut record) = private("people", Edition::Public);
    record.inputs = Vec::new();
    let shown = page(&audit, &record);
    let provenance = section(&shown, "provenance");
    assert!(provenance.contains("Digests are left out of the public edition"), "{provenance}");
    assert!(provenance.contains("The salted commitment in the section on privacy stands for them"));
    assert!(section(&shown, "privacy").contains("Commitment to the source files"));
    assert!(!provenance.contains("none is recorded"));
    record.commitment_sha256 = None;
    let shown = page(&audit, &record);
    assert!(section(&shown, "provenance").contains("left out of the public edition"));
    assert!(!shown.contains("commitment"), "{}", around(&shown, "commitment"));
    let (audit, mut record) = sample(&PLAIN, 0);
    record.inputs = Vec::new();
    assert!(section(&page(&audit, &record), "provenance").contains("none is recorded"));
}

#[test]
fn limitations_follow_the_statement_of_privacy() {
    let limitations = |audit: &Audit, record: &Record| texts(section(&page(audit, record), "limitations").trim());
    let remains = "may still single out, link or infer";
    let with_noise = "They cover chance in sampling and the noise of the release. They do not cover bias";
    let (mut audit, record) = private("people", Edition::Public);
    let said = limitations(&audit, &record);
    for words in [
        "protects all rows of one people, against readers of what is published",
        "is not covered by a claim of differential privacy",
        remains,
        with_noise,
        "Claims add up",
        "rows at most 2 are used: the figures describe the rows that were used",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("Differential privacy is off") && !said.contains("internal edition"), "{said}");
    // A statement without noise is still a statement: mechanisms do not decide.
    let exact = sample(&PLAIN, 0).0.receipts;
    let noisy = std::mem::replace(&mut audit.receipts, exact);
    assert!(!limitations(&audit, &record).contains("Differential privacy is off"));
    audit.privacy = None;
    audit.receipts = noisy;
    let said = limitations(&audit, &record);
    assert!(said.contains("this report states no claim of differential privacy: none holds for it"), "{said}");
    let (audit, mut record) = sample(&PLAIN, 0);
    let said = limitations(&audit, &record);
    assert!(said.contains("No differential-privacy claim holds for this report."), "{said}");
    assert!(said.contains("They cover chance in sampling. They do not cover bias") && said.contains(remains), "{said}");
    record.files[0].name = "codebook.json".into();
    assert!(limitations(&audit, &record).contains("The de-identified dataset of this run is not covered by a claim"));
    let (audit, record) = private("people", Edition::Internal);
    assert!(limitations(&audit, &record).contains("no claim holds for whoever reads it"));
}

#[test]
fn the_glossary_speaks_of_noise_where_there_is_noise() {
    let (audit, record) = private("people", Edition::Public);
    let shown = page(&audit, &record);
    let noisy = section(&shown, "glossary");
    let (audit, record) = sample(&PLAIN, 0);
    let shown = page(&audit, &record);
    let exact = section(&shown, "glossary");
    for words in
        ["the noise of the release", "Discrete Laplace and discrete Gaussian", "Epsilon and delta", ">Rho<", ">Ledger<"]
    {
        assert!(noisy.contains(words) && !exact.contains(words), "{words}");
    }
    assert!(exact.contains("It covers chance in sampling;") && exact.contains("Exact: as counted, without noise"));
}

#[test]
fn a_pure_claim_has_no_delta_anywhere() {
    let (mut audit, mut record) = private("people", Edition::Public);
    let charge = Charge::pure(1_000_000_000_000);
    if let Some(statement) = &mut audit.privacy {
        (statement.delta, statement.charge) = (0.0, charge);
        statement.rehearsals.iter_mut().for_each(|rehearsal| rehearsal.delta = 0.0);
    }
    audit.receipts.iter_mut().filter_map(|receipt| receipt.noise.as_mut()).for_each(|noise| noise.charge = charge);
    if let Some(ledger) = &mut record.ledger {
        ledger.delta_granted = 0.0;
    }
    let shown = page(&audit, &record);
    for words in ["epsilon 1, pure (delta 0)", "epsilon 1 (pure)", "epsilon 2.5 of 10, at delta 0"] {
        assert!(shown.contains(words), "{words}: {}", section(&shown, "privacy"));
    }
    let privacy = texts(section(&shown, "privacy").trim());
    for odd in ["0e0", "1e-", "1e−", "rho "] {
        assert!(!privacy.contains(odd), "{odd}: {}", around(&privacy, odd));
    }
    assert!(!section(&shown, "glossary").contains(">Rho<"));
}

#[test]
fn one_changed_unit_is_said_in_those_words() {
    let (mut audit, record) = private("people", Edition::Public);
    if let Some(statement) = &mut audit.privacy {
        statement.neighbours = Neighbours::ChangeOne;
    }
    let shown = page(&audit, &record);
    assert!(shown.contains("the rows of one unit are replaced by others"));
    assert!(shown.contains("rows is there, is right with a chance of at most"));
    assert!(section(&shown, "glossary").contains("rows and with another, no outcome is more than"));
    assert!(!shown.contains("one unit is there, or is not") && !shown.contains("whether a unit is in the rows"));
}

#[test]
fn every_minus_is_one_sign() {
    let (mut audit, record) = private("people", Edition::Internal);
    let column = &mut audit.data.columns[0];
    (column.missing, column.outside) = (Some(-40), Some(-1));
    audit.cohorts.iter_mut().flat_map(|table| &mut table.rows).for_each(|row| row.n = Some(-25));
    audit.findings[0].reason = "-0.1 is below -0.05 at delta 1e-9".into();
    let shown = texts(&page(&audit, &record));
    assert!(
        shown.contains("−40 (−2.5 %)")
            && shown.contains("−25")
            && shown.contains("1e−9")
            && shown.contains("−0.1 is below −0.05")
    );
    let chars: Vec<char> = shown.chars().collect();
    for (i, _) in chars.iter().enumerate().filter(|(_, c)| matches!(c, '-' | '–' | '‐' | '‑')) {
        let before = chars[i - 1];
        let number = chars[i + 1].is_ascii_digit() && !before.is_alphanumeric()
            || chars[i - 2].is_ascii_digit() && before == 'e';
        assert!(!number, "{}", chars[i.saturating_sub(30)..i + 9].iter().collect::<String>());
    }
}

/// A reading of the internal edition, at another value.
fn moved(reading: &Reading, by: f64) -> Reading {
    let mut reading = reading.clone();
    if let Measured::Estimated(estimate) = &mut reading.measured {
        estimate.point += by;
    }
    reading
}

#[test]
fn the_price_holds_values_and_comparisons_with_and_without_noise() {
    let (mut audit, mut record) = private("people", Edition::Internal);
    record.price = audit.readings.iter().map(|reading| moved(reading, 0.001)).collect();
    // Without noise another pair is the worst, and one value has a reason of its own.
    let contrast = |reading: &Reading, against| {
        let of = reading.contrast.as_ref().map(|contrast| (contrast.compare, contrast.against));
        *reading.across == [std::sync::Arc::from("race")] && of == Some((Comparison::Difference, against))
    };
    let level = |level: &str| Cohort { pairs: vec![("race".into(), level.into())] };
    for reading in record.price.iter_mut().filter(|reading| contrast(reading, Against::WorstPair)) {
        reading.cohort = level("asian");
        reading.contrast =
            reading.contrast.take().map(|contrast| Contrast { with: Some(level("islander")), ..contrast });
    }
    let metric = audit.readings[0].metric.clone();
    let of_black = |reading: &&mut Reading| {
        reading.metric == metric && reading.contrast.is_none() && reading.cohort == level("black")
    };
    let undefined = |why| Measured::Undefined { why };
    audit.readings.iter_mut().find(of_black).unwrap().measured = undefined(Why::NoiseExceedsCohort);
    record.price.iter_mut().find(of_black).unwrap().measured = undefined(Why::EmptyDenominator);
    let shown = page(&audit, &record);
    let price = shown.split("Price of privacy").nth(1).unwrap().split("</section>").next().unwrap();
    let black = row(price, "race = black</th>", "value");
    assert!(
        black[1].contains("the noise exceeds the cohort") && black[2].contains("no row is in the denominator"),
        "{black:?}"
    );
    for what in [
        "difference of the worst pair",
        "ratio of the worst pair",
        "difference to everyone",
        "ratio to the reference cohort",
    ] {
        assert!(price.contains(&format!("<td>{what}</td>")), "{what}");
    }
    assert!(price.contains("; without noise asian and islander"), "{}", around(price, "without noise"));
    // The judged values come first, and every row has a figure or a reason on both sides.
    let judged = price.split("What the criteria judge").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(judged.contains("ratio to the highest cohort") && judged.contains("Brier score"), "{judged}");
    assert!(!price.contains("not compared"), "{}", around(price, "not compared"));
    record.price.retain(|reading| reading.contrast.is_some() || reading.cohort != level("islander"));
    let shown = page(&audit, &record);
    assert!(row(&shown, "race = islander</th>", "value")[2].contains("undefined: no row is in this cohort"));
    record.price.retain(|reading| !contrast(reading, Against::Overall));
    assert!(page(&audit, &record).contains("not compared: without noise this cohort is the one compared with"));
}

#[test]
fn no_list_is_cut_without_a_word() {
    let (mut audit, record) = private("people", Edition::Internal);
    let receipt = audit.receipts[0].clone();
    audit.receipts =
        (0..2_000).map(|i| crate::budget::Receipt { statistic: format!("r{i}").into(), ..receipt.clone() }).collect();
    if let Some(statement) = &mut audit.privacy {
        let (held, broken) = (statement.rehearsals[0].clone(), statement.rehearsals[1].clone());
        statement.rehearsals =
            (0..1_999).map(|i| Rehearsal { statistic: format!("a{i}").into(), ..held.clone() }).collect();
        statement.rehearsals.push(Rehearsal { statistic: "the broken one".into(), ..broken });
        let line = statement.checklist[0].clone();
        statement.checklist = (0..150).map(|number| crate::audit::ChecklistLine { number, ..line.clone() }).collect();
    }
    let shown = page(&audit, &record);
    assert!(shown.len() < 1_000_000, "{} bytes", shown.len());
    for words in [
        "And 1,800 more releases, in report.json.",
        "And 1,800 more tests, in report.json.",
        "And 50 more lines, in report.json.",
        "And 1,900 more receipts, in report.json.",
        "the broken one",
    ] {
        assert!(shown.contains(words), "{words}");
    }
    // With room for one of each, whatever a table leaves out is told beside it.
    let one = Caps {
        findings: 1,
        gates: 1,
        sets: 1,
        cohorts: 1,
        values: 2,
        charts: 1,
        chart_rows: 1,
        columns: 1,
        coefficients: 1,
        files: 1,
        releases: 1,
        texts: 2,
    };
    let report = files(&audit, None).unwrap().remove(0).1;
    let (report, run) = document::pair(&report, &run_json(&record).unwrap()).unwrap();
    let view = serde_json::to_value(view(&report, &run, &one)).unwrap();
    let told = |path: &str| view.pointer(path).unwrap_or_else(|| panic!("no {path}")).as_str().unwrap().to_string();
    for path in [
        "/cards_more",
        "/findings/more",
        "/gates/more",
        "/scope/columns_more",
        "/measures/everyone_more",
        "/measures/more",
        "/measures/sets/0/counts_more",
        "/measures/sets/0/charts_more",
        "/measures/sets/0/judged_more",
        "/measures/sets/0/metrics_more",
        "/model/coefficients_more",
        "/privacy/releases_more",
        "/privacy/attacks_more",
        "/privacy/checklist_more",
        "/privacy/price/more",
        "/provenance/receipts_more",
        "/resources/stages_more",
    ] {
        assert!(told(path).contains("more"), "{path}: {}", told(path));
    }
}

#[test]
fn documents_of_earlier_versions_still_render() {
    const LATER: [&str; 9] =
        ["privacy", "noise", "too_few", "path", "edition", "commitment_sha256", "commitment_salt", "ledger", "price"];
    fn strip(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                map.retain(|key, _| !LATER.contains(&key.as_str()));
                map.values_mut().for_each(strip);
            }
            serde_json::Value::Array(all) => all.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let (audit, record) = private("people", Edition::Internal);
    let (mut report, mut run) = (serde_json::to_value(&audit).unwrap(), serde_json::to_value(&record).unwrap());
    strip(&mut report);
    strip(&mut run);
    let shown = html(&serde_json::to_vec(&report).unwrap(), &serde_json::to_vec(&run).unwrap()).unwrap();
    assert!(!shown.contains("href=\"#privacy\"") && !shown.contains("class=\"edition\""));
    assert!(shown.contains("this report states no claim of differential privacy"));
    let (audit, record) = sample(&PLAIN, 0);
    let mut report = serde_json::to_value(&audit).unwrap();
    strip(&mut report);
    let shown = html(&serde_json::to_vec(&report).unwrap(), &run_json(&record).unwrap()).unwrap();
    assert!(shown.contains("No differential-privacy claim holds for this report."));
}

/// What no text may say of a model or a dataset.
const CLAIMS: [&str; 14] = [
    "unbiased",
    "debias",
    "bias-free",
    "free of bias",
    "is fair",
    "are fair",
    "anonymous",
    "anonymized",
    "anonymised",
    "compliant",
    "complies",
    "guarantee",
    "proves",
    "no risk",
];

/// The first claim in a text. The title of a standard is none.
fn claimed(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase().replace("guidelines for evaluating differential privacy guarantees", "");
    CLAIMS.into_iter().find(|claim| text.contains(claim))
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn no_text_claims_more_than_was_measured() {
    assert_eq!(claimed("The dataset is Anonymous."), Some("anonymous"));
    for (name, text) in crate::report::html::TEMPLATES {
        assert_eq!(claimed(text), None, "{name}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/view");
    let (mut sources, mut folders) = (0, vec![folder]);
    while let Some(folder) = folders.pop() {
        folders.extend(entries(&folder).into_iter().filter(|path| path.is_dir()));
        for path in entries(&folder).into_iter().filter(|path| path.is_file()) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(claimed(&text), None, "{}", path.display());
            sources += 1;
        }
    }
    assert!(sources > 10, "{sources} files");
    for edition in [Edition::Public, Edition::Internal] {
        let (audit, record) = private("people", edition);
        let shown = page(&audit, &record);
        assert_eq!(claimed(&shown), None);
    }
}
