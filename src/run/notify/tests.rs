//! Rules as tables, and the parcels of a run.

use mail_parser::MessageParser;

use super::*;
use crate::finding::Verdict;
use crate::plan::spec::Body;
use crate::report::tests::sample::{PLAIN, sample};
use crate::report::{files, run_json};

use Outcome::{Fail, Inconclusive, Pass, Warn};

fn rule(text: &str) -> Notify {
    toml::from_str(text).unwrap()
}

fn standing(outcome: Outcome, before: Option<Outcome>, changed: bool) -> Standing {
    Standing { outcome, before, changed }
}

#[test]
fn words_are_true_of_runs() {
    let default = rule("mail = [\"a@b\"]").on;
    assert_eq!(default, [On::Fail, On::Inconclusive, On::Recovered, On::Changed]);
    let cases: [(&[On], Standing, bool); 19] = [
        (&default, standing(Pass, None, false), false),
        (&default, standing(Pass, Some(Pass), false), false),
        (&default, standing(Warn, Some(Warn), false), false),
        (&default, standing(Warn, None, false), false),
        (&default, standing(Fail, None, false), true),
        (&default, standing(Fail, Some(Fail), false), true),
        (&default, standing(Inconclusive, Some(Inconclusive), false), true),
        (&default, standing(Pass, Some(Fail), true), true),
        (&default, standing(Pass, Some(Pass), true), true),
        (&[On::Recovered], standing(Pass, Some(Fail), true), true),
        (&[On::Recovered], standing(Warn, Some(Inconclusive), true), true),
        (&[On::Recovered], standing(Inconclusive, Some(Fail), true), false),
        (&[On::Recovered], standing(Pass, Some(Warn), true), false),
        (&[On::Recovered], standing(Pass, None, false), false),
        (&[On::Changed], standing(Fail, Some(Fail), false), false),
        (&[On::Warn], standing(Warn, None, false), true),
        (&[On::Pass], standing(Pass, None, false), true),
        (&[On::Always], standing(Warn, Some(Warn), false), true),
        (&[], standing(Fail, None, true), false),
    ];
    for (on, run, expected) in cases {
        assert_eq!(run.is(on), expected, "{on:?} {run:?}");
    }
}

#[test]
fn rules_tell_at_once_together_or_that_all_is_quiet() {
    let day = |text: &str| text.parse::<Date>().unwrap();
    let (quiet, fail) = (standing(Pass, Some(Pass), false), standing(Fail, Some(Fail), false));
    // 2026-11-25 is a Wednesday.
    let today = day("2026-11-25");
    let none = Last::default();
    let any = |text: &str| Last { any: Some(day(text)), digest: None };
    let digest = |text: &str| Last { any: Some(day(text)), digest: Some(day(text)) };
    let cases: [(&str, &[Standing], Last, Told); 17] = [
        ("", &[fail], none, Told::Run),
        ("", &[quiet], none, Told::Nothing),
        ("", &[quiet, fail], none, Told::Nothing),
        ("heartbeat_days = 7", &[quiet], none, Told::Quiet),
        ("heartbeat_days = 7", &[quiet], any("2026-11-18"), Told::Quiet),
        ("heartbeat_days = 7", &[quiet], any("2026-11-19"), Told::Nothing),
        ("heartbeat_days = 7", &[quiet], any("2026-11-26"), Told::Nothing),
        ("heartbeat_days = 7", &[fail], any("2026-11-01"), Told::Run),
        ("digest = \"daily\"", &[fail], none, Told::Digest),
        ("digest = \"daily\"", &[fail], digest("2026-11-25"), Told::Nothing),
        ("digest = \"daily\"", &[quiet, fail], digest("2026-11-24"), Told::Digest),
        ("digest = \"daily\"", &[quiet], digest("2026-11-24"), Told::Nothing),
        ("digest = \"weekly\"", &[fail], digest("2026-11-23"), Told::Nothing),
        ("digest = \"weekly\"", &[fail], digest("2026-11-22"), Told::Digest),
        ("digest = \"weekly\"", &[fail], digest("2026-11-26"), Told::Nothing),
        ("digest = \"weekly\"\nheartbeat_days = 1", &[fail], digest("2026-11-23"), Told::Nothing),
        ("digest = \"weekly\"\nheartbeat_days = 2", &[quiet], digest("2026-11-23"), Told::Quiet),
    ];
    for (keys, runs, last, expected) in cases {
        assert_eq!(told(&rule(&format!("mail = [\"a@b\"]\n{keys}")), runs, last, today), expected, "{keys} {last:?}");
    }
}

/// The two documents of a run.
fn documents() -> (Vec<u8>, Vec<u8>) {
    let (audit, record) = sample(&PLAIN, 12);
    (files(&audit, None).unwrap().remove(0).1, run_json(&record).unwrap())
}

fn finished<'a>(documents: &'a (Vec<u8>, Vec<u8>), pdf: Option<&'a [u8]>) -> Finished<'a> {
    Finished {
        report_json: &documents.0,
        run_json: &documents.1,
        internal_run_json: None,
        pdf,
        internal_pdf: None,
        from: "Audits <audit@example.org>",
        link: Some("https://audit.example.org"),
    }
}

fn earlier(run_id: &str, outcome: Outcome, day: &str, judged: BTreeSet<Judged>) -> Earlier {
    Earlier { run: Past { run_id: run_id.into(), outcome, day: day.into() }, judged }
}

#[test]
fn every_recipient_has_one_parcel_and_the_same_each_time() {
    let documents = documents();
    let rules = [
        rule("mail = [\"a@example.org\", \"b@example.org\", \"A@example.org\"]\nattach = \"pdf\""),
        rule("mail = [\"b@example.org\", \"c@example.org\"]"),
        rule("mail = [\"d@example.org\"]\non = [\"pass\"]"),
        rule("webhook_env = \"HOOK\"\nsecret_env = \"HOOK_SECRET\"\nbody = \"slack\""),
    ];
    let finished = finished(&documents, Some(b"%PDF"));
    let made = parcels(&rules, &finished, &History::default()).unwrap();
    assert_eq!(made, parcels(&rules, &finished, &History::default()).unwrap());
    assert_eq!(made.failed, [""; 0]);
    let made = made.made;
    let to: Vec<(&str, Kind)> = made.iter().map(|parcel| (parcel.to.as_str(), parcel.kind)).collect();
    let mail = Kind::Mail;
    assert_eq!(
        to,
        [("a@example.org", mail), ("b@example.org", mail), ("c@example.org", mail), ("HOOK", Kind::Webhook)]
    );
    let keys: BTreeSet<&str> = made.iter().map(|parcel| parcel.key.as_str()).collect();
    assert_eq!(keys.len(), made.len());
    let read = MessageParser::default().parse(&made[0].body).unwrap();
    assert_eq!(read.message_id(), Some(made[0].key.as_str()));
    assert_eq!(read.to().unwrap().first().unwrap().address(), Some("a@example.org"));
    let attached: Vec<&[u8]> = read.attachments().map(|part| part.contents()).collect();
    assert!(attached[0].starts_with(b"\x89PNG") && attached[1] == b"%PDF" && attached.len() == 2);
    let read = MessageParser::default().parse(&made[2].body).unwrap();
    assert_eq!(read.attachments().count(), 1);
    let hook = &made[3];
    assert_eq!(hook.secret.as_deref(), Some("HOOK_SECRET"));
    let said: serde_json::Value = serde_json::from_slice(&hook.body).unwrap();
    assert!(said["text"].as_str().unwrap().starts_with("[FAIL] lending"));
    assert_eq!(rules[3].body, Body::Slack);
}

#[test]
fn a_pdf_that_is_not_there_is_said() {
    let documents = documents();
    let rules = [rule("mail = [\"a@example.org\"]\nattach = \"pdf\"")];
    let made = parcels(&rules, &finished(&documents, None), &History::default()).unwrap().made;
    let read = MessageParser::default().parse(&made[0].body).unwrap();
    assert!(read.body_text(0).unwrap().contains("there is none of this run"));
}

#[test]
fn what_changed_is_told_and_what_did_not_is_not() {
    let documents = documents();
    let judged = Documents::read(&documents.0, &documents.1).unwrap().judged();
    let rules = [rule("mail = [\"a@example.org\"]\non = [\"changed\"]")];
    let told = |runs: Vec<Earlier>| {
        parcels(&rules, &finished(&documents, None), &History { runs, sent: Vec::new() }).unwrap().made.len()
    };
    assert_eq!(told(vec![]), 0);
    assert_eq!(told(vec![earlier("r", Fail, "2026-11-18", judged.clone())]), 0);
    assert_eq!(told(vec![earlier("r", Warn, "2026-11-18", judged.clone())]), 1);
    let mut other = judged.clone();
    let mut one = other.pop_first().unwrap();
    one.verdict = if one.verdict == Verdict::Met { Verdict::Breached } else { Verdict::Met };
    other.insert(one);
    assert_eq!(told(vec![earlier("r", Fail, "2026-11-18", other)]), 1);
}

#[test]
fn a_digest_tells_of_the_runs_since_the_last_one() {
    let documents = documents();
    let day = |text: &str| text.parse::<Date>().unwrap();
    let rules = [rule("mail = [\"a@example.org\"]\ndigest = \"weekly\"\non = [\"fail\"]")];
    let runs: Vec<Earlier> = (1..=6)
        .map(|back| earlier(&format!("run-{back}"), Pass, &format!("2026-11-{}", 25 - back), BTreeSet::new()))
        .collect();
    let sent =
        Sent { key: "run-3.digest-weekly.00@example.org".into(), to: "A@example.org".into(), day: day("2026-11-22") };
    let made = parcels(&rules, &finished(&documents, None), &History { runs: runs.clone(), sent: vec![sent.clone()] });
    let made = made.unwrap().made;
    assert!(made[0].key.contains(".digest-weekly."));
    let read = MessageParser::default().parse(&made[0].body).unwrap();
    let text = read.body_text(0).unwrap();
    assert!(text.contains("run-2") && !text.contains("run-3"), "{text}");
    assert!(read.subject().unwrap().contains("3 runs since the last digest, FAIL or INCONCLUSIVE: 1"));
    let this_week = Sent { day: day("2026-11-23"), ..sent };
    let history = History { runs, sent: vec![this_week] };
    assert_eq!(parcels(&rules, &finished(&documents, None), &history).unwrap(), Parcels::default());
}

#[test]
fn a_parcel_that_cannot_be_made_keeps_no_other_back() {
    let documents = documents();
    let rules =
        [rule("mail = [\"marker\", \"b@example.org\"]"), rule("webhook_env = \"HOOK\"\nsecret_env = \"HOOK_SECRET\"")];
    let told = parcels(&rules, &finished(&documents, None), &History::default()).unwrap();
    let to: Vec<&str> = told.made.iter().map(|parcel| parcel.to.as_str()).collect();
    assert_eq!(to, ["b@example.org", "HOOK"]);
    assert!(told.failed.len() == 1 && told.failed[0].starts_with("notify[0]: "), "{:?}", told.failed);
    assert!(!told.failed[0].contains("marker"));
}

#[test]
fn two_rules_for_one_address_do_not_swallow_each_other() {
    let (audit, record) = sample(&PLAIN, 12);
    let report = files(&audit, None).unwrap().remove(0).1;
    let edition = |of| run_json(&crate::audit::Record { edition: Some(of), ..record.clone() }).unwrap();
    let documents = (report, edition(Edition::Public));
    let inside = edition(Edition::Internal);
    let finished = Finished { internal_run_json: Some(&inside), ..finished(&documents, None) };
    let to = "mail = [\"a@example.org\"]";
    let rules: Vec<Notify> = ["daily", "weekly"]
        .iter()
        .flat_map(|period| ["", "edition = \"internal\""].map(|of| format!("{to}\ndigest = \"{period}\"\n{of}")))
        .map(|text| rule(&text))
        .collect();
    let about = |history: &History, rules: &[Notify]| -> Vec<String> {
        let made = parcels(rules, &finished, history).unwrap().made;
        made.iter().map(|parcel| message::about(&parcel.key).to_string()).collect()
    };
    let all = ["digest-daily", "digest-daily-internal", "digest-weekly", "digest-weekly-internal"];
    assert_eq!(about(&History::default(), &rules), all);
    // What one sent today is no digest of another.
    let today: Date = Documents::read(&documents.0, &documents.1).unwrap().finished_at()[..10].parse().unwrap();
    for (n, word) in all.iter().enumerate() {
        let key = format!("r.{word}.00@x.digest-weekly.y");
        let sent = vec![Sent { key, to: "a@example.org".into(), day: today }];
        let mut left = all.to_vec();
        left.remove(n);
        assert_eq!(about(&History { runs: Vec::new(), sent }, &rules), left);
    }
    let quiet: Vec<Notify> = ["7", "30", "30\nedition = \"internal\""]
        .iter()
        .map(|days| rule(&format!("{to}\non = [\"recovered\"]\nheartbeat_days = {days}")))
        .collect();
    assert_eq!(about(&History::default(), &quiet), ["quiet-7", "quiet-30", "quiet-30-internal"]);
    let sent = vec![Sent { key: "r.quiet-7.00@x".into(), to: "a@example.org".into(), day: today }];
    assert_eq!(about(&History { runs: Vec::new(), sent }, &quiet), ["quiet-30", "quiet-30-internal"]);
}
