//! Planted columns are found in a run, columns without identifiers are not, and no text of a cell gets out.

use proptest::prelude::*;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::audit::Audit;
use crate::engine::reference::Reference;
use crate::finding::Outcome;
use crate::plan::spec::Spec;
use crate::run::{Audited, Paying, Pipeline, Progress, audit};
use crate::world::Meter;

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

fn luhn(digits: &str) -> u32 {
    let doubled = |(i, c): (usize, char)| {
        let digit = c.to_digit(10).unwrap() * if i % 2 == 0 { 2 } else { 1 };
        digit / 10 + digit % 10
    };
    (10 - digits.chars().rev().enumerate().map(doubled).sum::<u32>() % 10) % 10
}

/// ISO 7064 mod 97, of an account number with the country behind it.
fn iban(account: u64) -> String {
    let bban = format!("370400440{account:09}");
    let rest = format!("{bban}131400").bytes().fold(0u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{bban}", 98 - rest)
}

/// GB 11643 with its check character.
fn resident(serial: u32) -> String {
    let body = format!("110105{}{:02}{:02}{:03}", 1950 + serial % 50, 1 + serial % 12, 1 + serial % 28, serial % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = body.bytes().zip(weights).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    format!("{body}{}", &"10X98765432"[sum % 11..][..1])
}

/// Columns with identifiers: name, detector, text of a row.
type Planted = (&'static str, Detector, fn(u32) -> String);

const PLANTED: [Planted; 7] = [
    ("contact", Detector::Email, |i| format!("marker{i}@mail{}.example.com", i % 7)),
    ("line", Detector::Phone, |i| format!("+49 30 55{:05}", 7 * i)),
    ("paid_by", Detector::PaymentCard, |i| {
        let body = format!("411111{:09}", 7919 * u64::from(i));
        format!("{body}{}", luhn(&body))
    }),
    ("account", Detector::Iban, |i| iban(13 * u64::from(i))),
    ("proof", Detector::ChineseResident, resident),
    ("source", Detector::Ipv4, |i| format!("203.0.{}.{}", i / 256 % 256, i % 256)),
    ("page", Detector::Url, |i| format!("https://marker.example.org/u/{i}")),
];

/// Columns without: name, text of a row.
type Clean = (&'static str, fn(u32) -> String);

const CLEAN: [Clean; 6] = [
    ("city", |i| ["Oslo", "Berlin", "São Paulo", "北京", ""][(i % 5) as usize].into()),
    ("amount", |i| format!("{}.{:02}", 1000 + 37 * i, i % 100)),
    ("day", |i| format!("2024-{:02}-{:02}", 1 + i % 12, 1 + i % 28)),
    ("product", |i| format!("SKU-{:06}", 31 * i)),
    ("remark", |i| format!("called twice, order {i}; write to the office")),
    ("code", |i| format!("{:08}", 12_345_679u64 * u64::from(i) % 100_000_000)),
];

fn header() -> String {
    let names = PLANTED.iter().map(|(name, ..)| *name).chain(CLEAN.iter().map(|(name, _)| *name));
    format!("{},ok,e-mail address,unread\n", names.collect::<Vec<_>>().join(","))
}

fn line(i: u32) -> String {
    let texts = PLANTED.iter().map(|(_, _, text)| text(i)).chain(CLEAN.iter().map(|(_, text)| text(i)));
    let quoted = texts.map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",");
    format!("{quoted},{},,\n", ["yes", "no"][(i % 2) as usize])
}

/// Runs a pipeline over files with these rows. `roles` is written for every column but the decision; `more` follows.
fn run(files: &[&[u32]], schema: &str, more: &str, mut paying: Paying) -> Audited {
    let folder = tempfile::tempdir().unwrap();
    for (at, rows) in files.iter().enumerate() {
        let text = header() + &rows.iter().map(|&i| line(i)).collect::<String>();
        std::fs::write(folder.path().join(format!("{at}.csv")), text).unwrap();
    }
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"*.csv\"\n{more}\n[[judge]]\nmetric = \"selection-rate\"\nacross = []\nat_least = 0.01\n\
         [schema]\nok = {{ roles = [\"prediction\"], levels = [\"no\", \"yes\"], positive = \"yes\" }}\n{schema}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |_: &str| Err("no expressions here".into());
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse };
    audit(&pipeline, &Reference, jiff::civil::date(2026, 1, 1), &mut Meter::start(), &Silent, &mut paying).unwrap()
}

fn rows(n: u32) -> Vec<u32> {
    (0..n).collect()
}

/// All columns without a role.
fn no_roles() -> String {
    let names = PLANTED.iter().map(|(name, ..)| *name).chain(CLEAN.iter().map(|(name, _)| *name));
    names.map(|name| format!("{name} = {{}}\n")).collect()
}

fn about_columns(audit: &Audit) -> Vec<&Finding> {
    audit.findings.iter().filter(|finding| finding.code.starts_with("undeclared-identifier/")).collect()
}

#[test]
fn planted_identifiers_are_found_and_nothing_else() {
    let audited = run(&[&rows(3000)], &no_roles(), "", Paying::nobody());
    let found = about_columns(&audited.audit);
    let mut columns: Vec<&str> = found.iter().filter_map(|finding| finding.code.split('/').nth(1)).collect();
    columns.sort_unstable();
    assert_eq!(columns, ["account", "contact", "line", "page", "paid_by", "proof", "source"]);
    for (name, detector, _) in PLANTED {
        let finding = found.iter().find(|finding| finding.code.ends_with(name)).unwrap();
        assert!(finding.reason.contains(detector.name()), "{name}: {}", finding.reason);
        let estimate = finding.measured.as_ref().and_then(Measured::estimate).unwrap();
        assert!(estimate.point > 0.95 && estimate.interval.lower.unwrap() > 0.9, "{name}: {}", finding.reason);
        // 3,000 rows of the others, but few different residents.
        assert!(estimate.support.n == TEXTS_MAX as i64 || name == "proof", "{name}: {}", estimate.support.n);
        assert_eq!((finding.level, finding.verdict), (Level::Warn, Verdict::Breached));
    }
    assert_eq!(audited.audit.outcome, Outcome::Warn, "a warning, never a failure");
}

#[test]
fn no_text_of_a_cell_gets_out() {
    let audited = run(&[&rows(400)], &no_roles(), "", Paying::nobody());
    assert_eq!(about_columns(&audited.audit).len(), 7);
    let files = crate::report::files(&audited.audit, None).unwrap();
    let mut whole: String = files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect();
    whole += &format!("{:?}", audited.audit);
    #[cfg(feature = "html")]
    {
        let run = serde_json::json!({
            "run_version": 1, "run_id": "r", "pipeline": "p", "generator": "evenhand", "outcome": "WARN", "exits": [],
            "started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z", "engine": "reference", "threads": 1,
            "passes_planned": 1, "passes_run": 1, "usage": [], "inputs": [], "files": []
        });
        let page = crate::report::html(&files[0].1, run.to_string().as_bytes()).unwrap();
        assert!(page.contains("e-mail address") && page.contains("undeclared-identifier/contact"));
        whole += &page;
    }
    for i in 0..400 {
        for (name, _, text) in PLANTED {
            assert!(!whole.contains(&text(i)), "{name}: a cell of row {i} is in the report");
        }
    }
}

#[test]
fn what_is_accounted_for_is_not_looked_at() {
    let declared = "contact = { roles = [\"identifier\"] }\nline = { roles = [\"ignored\"] }\nsource = { levels = [\"203.0.0.1\"] }\n\
         account = {}\nproof = { roles = [\"quasi-identifier\"] }\npage = { roles = [\"privacy-unit\"] }\n";
    let more = "[deidentify]\noutput = \"d.csv\"\n[deidentify.columns]\naccount = { do = \"drop\" }\nproof = { do = \"keep\" }\n";
    let audited = run(&[&rows(500)], declared, more, Paying::nobody());
    let codes: Vec<&str> = about_columns(&audited.audit).iter().map(|finding| &*finding.code).collect();
    assert_eq!(codes, ["undeclared-identifier/proof"], "kept as it is, it is not transformed");
    let looked: Vec<&str> = audited
        .audit
        .receipts
        .iter()
        .map(|receipt| &*receipt.statistic)
        .filter(|name| name.contains("texts"))
        .collect();
    assert_eq!(looked, ["privacy/texts/proof"]);
    let without = run(&[&rows(500)], "city = {}\n", "", Paying::nobody());
    assert_eq!((about_columns(&without.audit).len(), without.audit.outcome), (0, Outcome::Pass));
}

#[test]
fn a_header_alone_is_a_note() {
    let audited = run(&[&rows(100)], "\"e-mail address\" = {}\n", "", Paying::nobody());
    assert!(about_columns(&audited.audit).is_empty());
    let notes = audited.audit.method.notes.join("\n");
    assert!(notes.contains("though their texts are not known as such: e-mail address (e-mail address)"), "{notes}");
    let unread = run(&[&rows(100)], "city = {}\n", "", Paying::nobody()).audit.method.notes.join("\n");
    assert!(unread.contains("does not name: e-mail address (e-mail address). They were not read."), "{unread}");
    assert_eq!(audited.audit.outcome, Outcome::Pass);
}

#[test]
fn small_counts_are_withheld() {
    let few = run(&[&rows(8)], "contact = {}\n", "measure.suppress_below = 10", Paying::nobody());
    let found = about_columns(&few.audit);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].measured, Some(Measured::Suppressed));
    assert!(found[0].reason.contains("withheld") && !found[0].reason.contains('%'), "{}", found[0].reason);
    let more = run(&[&rows(10)], "contact = {}\n", "measure.suppress_below = 10", Paying::nobody());
    assert!(about_columns(&more.audit)[0].reason.contains("100.0 % of the 10 different texts"));
}

#[test]
fn under_differential_privacy_nothing_is_looked_at() {
    let paying =
        Paying { charge: Box::new(|_, _, _| Ok(Default::default())), entropy: crate::world::Entropy::Fixed(3) };
    let more = "privacy.population = \"people\"\nprivacy.epsilon = 10.0\n";
    let audited = run(&[&rows(400)], &no_roles(), more, paying);
    assert!(about_columns(&audited.audit).is_empty());
    assert!(audited.audit.receipts.iter().all(|receipt| !receipt.statistic.contains("texts")));
    let notes = audited.audit.method.notes.join("\n");
    assert!(notes.contains("were not searched for undeclared identifiers") && !notes.contains("e-mail"), "{notes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Neither the order of rows nor their division into files shows, above and below the number of texts that are looked at.
    #[test]
    fn the_order_of_rows_and_files_does_not_show(seed in any::<u64>(), n in prop::sample::select(vec![60u32, 2500]), parts in 1usize..5) {
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let mut shuffled = rows(n);
        // Some rows twice: an equal text counts once.
        shuffled.extend(0..n / 10);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.random_range(0..=at));
        }
        let schema = "contact = {}\nremark = {}\ncity = {}\n";
        let whole = run(&[&rows(n)], schema, "", Paying::nobody()).audit;
        let files: Vec<&[u32]> = shuffled.chunks(shuffled.len().div_ceil(parts)).collect();
        let divided = run(&files, schema, "", Paying::nobody()).audit;
        prop_assert_eq!(about_columns(&whole), about_columns(&divided));
        prop_assert_eq!(about_columns(&whole).len(), 1);
    }
}
