//! Statements as they are written, and statements that nobody should believe.

use serde_json::{Value, json};

use super::*;
use crate::attest::PrivateKey;
use crate::world::Entropy;

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn run() -> Run {
    Run {
        pipeline: "hiring".into(),
        run_id: "r2".into(),
        generator: "evenhand".into(),
        outcome: Outcome::Pass,
        spec_sha256: DIGEST.into(),
        report_version: 1,
        edition: None,
        ledger: None,
        previous: Previous { state: PreviousState::First, run_id: None, sha256: None },
        minisign: true,
        signed_by: SignedBy::of(&PrivateKey::generate(Entropy::Fixed(1)).unwrap().public()),
    }
}

fn written(names: &[&str]) -> Value {
    let subjects = names.iter().map(|name| Subject::of(name, DIGEST)).collect();
    serde_json::from_slice(&payload(RUN, subjects, run()).unwrap()).unwrap()
}

fn refused(value: &Value) -> StatementError {
    read(&serde_json::to_vec(value).unwrap()).unwrap_err()
}

#[test]
fn a_statement_is_one_of_in_toto_with_sorted_subjects() {
    let value = written(&["run.json", "evidence/b.csv", "evidence/a.csv"]);
    assert_eq!(value["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(value["predicateType"], RUN);
    let names: Vec<&str> = value["subject"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["evidence/a.csv", "evidence/b.csv", "run.json"]);
    assert_eq!(value["subject"][0]["digest"], json!({ "sha256": DIGEST }));
    let (subjects, fact) = read(&serde_json::to_vec(&value).unwrap()).unwrap();
    assert_eq!((subjects.len(), fact), (3, Fact::Run(run())));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let long = "x".repeat(256);
    for name in [
        "",
        ".",
        "..",
        "../run.json",
        "a/../../b",
        "/etc/passwd",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "C:\\x",
        "a\0b",
        &long,
        "attestation.dsse.json",
        "signoff-0001.dsse.json",
        "x.dsse.json.minisig",
    ] {
        assert_eq!(refused(&written(&[name])), StatementError::Name, "{name:.20}");
    }
    assert_eq!(refused(&written(&["a", "a"])), StatementError::Order);
    let mut turned = written(&["a", "b"]);
    turned["subject"].as_array_mut().unwrap().reverse();
    assert_eq!(refused(&turned), StatementError::Order);
}

#[test]
fn what_is_not_known_not_whole_or_twice_there_is_refused() {
    let clean = written(&["a"]);
    let with = |path: &str, value: Value| {
        let mut changed = clean.clone();
        *changed.pointer_mut(path).unwrap() = value;
        refused(&changed)
    };
    assert_eq!(with("/_type", "https://in-toto.io/Statement/v2".into()), StatementError::NotStatement);
    assert_eq!(with("/predicateType", format!("{RUN}.1").into()), StatementError::NotKnown);
    assert!(matches!(with("/predicateType", FILE.into()), StatementError::NotJson(_)));
    assert!(matches!(with("/predicate", json!({})), StatementError::NotJson(_)));
    assert!(matches!(with("/predicate/outcome", "GREAT".into()), StatementError::NotJson(_)));
    for digest in ["", "E3B0", &DIGEST.to_uppercase(), &DIGEST[1..], &format!("{DIGEST}0")] {
        assert_eq!(with("/subject/0/digest/sha256", (*digest).into()), StatementError::Digest);
    }
    for previous in [
        json!({ "state": "signed" }),
        json!({ "state": "signed", "run_id": "../x", "sha256": DIGEST }),
        json!({ "state": "signed", "run_id": "r1", "sha256": "0" }),
        json!({ "state": "missing" }),
        json!({ "state": "first", "run_id": "r1" }),
    ] {
        assert_eq!(with("/predicate/previous", previous), StatementError::Previous);
    }
    let text = clean.to_string();
    for (from, to) in [
        ("\"run_id\":", "\"run_id\":\"r1\",\"run_id\":"),
        ("\"subject\":", "\"subject\":[],\"subject\":"),
        ("\"sha256\":", "\"sha256\":\"\",\"sha256\":"),
        ("\"digest\":{", "\"digest\":{\"sha1\":\"\","),
        ("\"minisign\":", "\"more\":1,\"minisign\":"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(matches!(read(changed.as_bytes()), Err(StatementError::NotJson(_))), "{to}");
    }
    let deep = text.replacen("\"predicate\":{", &format!("\"predicate\":{}", "{\"a\":".repeat(100_000)), 1);
    assert!(matches!(read(deep.as_bytes()), Err(StatementError::NotJson(_))));
}
