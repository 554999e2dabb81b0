//! The published schemas of `report.json` and `run.json`: what is written is of them, every key of it is described, and what a reader needs is
//! required.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::sample::{PLAIN, sample, sample_of};
use super::{alike, data, mitigation, page, rules};
use crate::audit::bias::strata::{
    Adjusted, ByStratum, Disparity, Homogeneity, PooledTests, RateWithin, Strata, Stratum, Widest,
};
use crate::audit::bias::{DataBias, Figure};
use crate::audit::{Attempt, Audit, ClassCriterion, ClassRisk, Coarsening, Edition, QuasiIdentifier, Record};
use crate::estimate::{Interval, Measured};
use crate::plan::spec::{Language, SearchBy};
use crate::report::{document, files, run_json};

const REPORT: &str = include_str!("../../../schema/report.schema.json");
const RUN: &str = include_str!("../../../schema/run.schema.json");

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn validator(schema: &Value) -> Validator {
    assert!(jsonschema::draft202012::meta::is_valid(schema));
    jsonschema::draft202012::new(schema).unwrap()
}

fn complaints(validator: &Validator, document: &Value) -> Vec<String> {
    let short = |text: String| text.chars().take(200).collect::<String>();
    validator.iter_errors(document).map(|e| format!("{}: {}", e.instance_path(), short(e.to_string()))).collect()
}

/// The schema with no room for keys that it does not describe. The key that tells the cases of a choice apart stands beside the case, so a
/// choice is closed as a whole, and a type that is used beside such a key where it is used.
fn closed(schema: &Value) -> Value {
    let mut beside = BTreeSet::new();
    each(schema, &mut |map| {
        if let (Some(Value::String(name)), true) = (map.get("$ref"), map.contains_key("properties")) {
            beside.insert(name.trim_start_matches("#/$defs/").to_string());
        }
    });
    close(schema, false, &beside)
}

fn each(value: &Value, visit: &mut dyn FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            visit(map);
            map.values().for_each(|value| each(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| each(value, visit)),
        _ => (),
    }
}

fn close(value: &Value, open: bool, beside: &BTreeSet<String>) -> Value {
    match value {
        Value::Object(map) => {
            let of = |(key, value): (&String, &Value)| {
                let value = match (key.as_str(), value) {
                    ("$defs", Value::Object(types)) => types
                        .iter()
                        .map(|(name, of)| (name.clone(), close(of, beside.contains(name), beside)))
                        .collect(),
                    ("oneOf", Value::Array(cases)) => cases.iter().map(|case| close(case, true, beside)).collect(),
                    // A name of a key may be that of a word of schemas.
                    ("properties", Value::Object(keys)) => {
                        keys.iter().map(|(name, of)| (name.clone(), close(of, false, beside))).collect()
                    }
                    _ => close(value, false, beside),
                };
                (key.clone(), value)
            };
            let mut made: Map<String, Value> = map.iter().map(of).collect();
            let choice = map.get("oneOf").is_some_and(|cases| cases.to_string().contains("\"properties\""));
            if !open && (map.get("properties").is_some_and(Value::is_object) && map.contains_key("type") || choice) {
                made.insert("unevaluatedProperties".into(), false.into());
            }
            Value::Object(made)
        }
        Value::Array(items) => items.iter().map(|value| close(value, false, beside)).collect(),
        other => other.clone(),
    }
}

fn figure(point: f64) -> Figure {
    Figure::new(point, Interval::new(point - 0.05, point + 0.05), 120)
}

fn strata() -> Strata {
    let by = ByStratum { stratum: 0, value: figure(0.3), other: figure(0.4), difference: figure(-0.1) };
    let homogeneity = Homogeneity { chi2: 1.5, p: 0.22, chi2_tarone: 1.4, p_tarone: 0.24, df: 1 };
    let tests =
        PooledTests { chi2: 9.0, p: 0.003, chi2_corrected: 8.5, p_corrected: 0.004, homogeneity: Some(homogeneity) };
    let adjusted = Adjusted {
        cohort: "female".into(),
        with: Some("male".into()),
        strata_used: 2,
        strata_left_out: 1,
        rows_left_out: 7,
        crude: figure(-0.12),
        value: figure(0.3),
        other: figure(0.4),
        difference: figure(-0.1),
        odds_ratio: figure(0.7),
        rate_ratio: figure(0.75),
        rate_difference: figure(-0.1),
        tests: Some(tests),
        no_tests: Some("rows share units".into()),
        by_stratum: vec![by],
    };
    let widest =
        Widest { metric: "selection-rate".into(), stratum: 0, too_few: 0, difference: figure(0.1), ratio: figure(0.8) };
    Strata {
        across: vec!["sex".into()],
        given: vec!["region".into()],
        withheld: Some("counts are few".into()),
        strata: vec![Stratum { levels: "region = north".into(), rows: 812 }],
        rows_unknown: 3,
        rates: vec![RateWithin { metric: "selection-rate".into(), cohorts: vec![adjusted] }],
        within: vec![widest],
        disparities: vec![Disparity {
            outcome: "decision".into(),
            cohort: "female".into(),
            strata_left_out: 0,
            value: figure(0.02),
        }],
    }
}

fn coarsening() -> Coarsening {
    let risk = ClassRisk {
        rows: 1600,
        classes: 90,
        class_min: Some(5),
        class_max: None,
        prosecutor_max: Some(0.2),
        marketer: 0.05,
        at_risk: vec![Some(0.1), None],
        uniques: Some(0.0),
        journalist_max: Some(0.01),
        journalist_mean: Some(0.002),
    };
    Coarsening {
        search: SearchBy::Lattice,
        quasi_identifiers: vec![QuasiIdentifier { name: "sex".into(), level: Some(0), levels: 2 }],
        sensitive: Some("race".into()),
        criteria: vec![ClassCriterion { name: "k".into(), asked: "5".into(), attained: None, holds: true }],
        rows: 1600,
        rows_suppressed: 12,
        suppression_max: 0.05,
        objective: "loss".into(),
        loss: 0.31,
        combinations: 40,
        evaluated: 11,
        risk_at: vec![0.05, 0.2],
        before: Some(risk),
        after: None,
    }
}

/// An audit with every part there is.
fn whole() -> (Audit, Record) {
    let (mut audit, mut record) = page::private("people", Edition::Internal);
    audit.pipeline.language = Language::ZhCn;
    audit.data.columns[0].derived = Some("age / 10".into());
    audit.coarsening = Some(coarsening());
    for reading in &mut audit.readings {
        reading.contrast.iter_mut().for_each(|contrast| contrast.too_few = 2);
    }
    for rehearsal in audit.privacy.iter_mut().flat_map(|privacy| &mut privacy.rehearsals) {
        rehearsal.not_tested = Some("no neighbours".into());
    }
    let bias = &mut audit.bias;
    bias.strata = vec![strata()];
    bias.sweep.as_mut().unwrap().decided_at = Some(0.5);
    let rate = &mut bias.tests.as_mut().unwrap().sets[0].rates[0];
    rate.not_tested = Some("withheld".into());
    rate.pairs[0].margin = Some(0.04);
    rate.pairs[0].reason = Some("too few rows".into());
    bias.data = Some(DataBias {
        representation: vec![data::representation()],
        missing: vec![data::missing()],
        complete: 3,
        proxies: vec![data::proxies()],
        left_out: vec!["x1".into()],
    });
    bias.ranking = Some(data::ranking());
    bias.classes = Some(data::classes());
    bias.subgroups = Some(alike::subgroups(2));
    bias.individual = Some(alike::individual());
    bias.inferred = vec![rules::inferred()];
    bias.regulation = vec![rules::regulation(1)];
    let mut tried = mitigation::found(1);
    tried.used = Some("remedy-0".into());
    tried.candidates[0].levelling_down = vec!["The gap closed because male was lowered.".into()];
    bias.mitigation = Some(tried);
    record.attacks = Some(page::attacked());
    audit.pipeline.stated = serde_json::from_value(json!({
        "brand": "House", "decider": "Head", "decide_by": "2026-12-31", "prepared_by": "Office", "reviewed_by": "Audit",
        "limitations": ["By telephone: not there."], "policy": "policy.toml", "references": { "sex": "male" }
    }))
    .unwrap();
    record.signed_by = Some("ab".repeat(32));
    record.changes = Some(serde_json::from_value(changes()).unwrap());
    let seen = json!({ "run_id": "r1", "started_at": "2026-11-24T00:00:00Z" });
    let since = json!([{ "code": "judge/x", "cohort": { "sex": "female" }, "level": "deny", "standing": "still",
        "first_seen": seen, "open_since": seen }]);
    record.since = serde_json::from_value(since).unwrap();
    let past = json!({ "run_id": "r1", "started_at": "2026-11-24T00:00:00Z", "verdict": "breached", "point": 0.2,
        "lower": 0.1, "upper": 0.3, "at_most": 0.1, "at_least": 0.0 });
    let series =
        json!([{ "code": "judge/x", "cohort": { "sex": "female" }, "metric": "selection-rate", "points": [past] }]);
    record.history = serde_json::from_value(series).unwrap();
    (audit, record)
}

/// What differs from the run before, with every part.
fn changes() -> Value {
    let run = json!({ "run_id": "r1", "pipeline": "lending", "started_at": "2026-11-24T00:00:00Z", "outcome": "PASS",
        "signed": true, "generator": "evenhand 0.1.0", "report_version": 1 });
    let limit = json!({ "level": "deny", "at_most": 0.1, "at_least": 0.0 });
    let value = json!({ "status": "estimated", "point": 0.2, "lower": 0.1, "upper": 0.3, "n": 100 });
    let state = json!({ "cohort": { "sex": "female" }, "verdict": "breached", "waived": false, "limit": limit, "value": value });
    let what = json!({ "metric": "selection-rate", "compare": "ratio", "against": "highest", "across": ["sex"] });
    let finding = json!({ "code": "judge/x", "what": what, "before": state, "after": state });
    let moved = |difference: Value| {
        json!({ "metric": "selection-rate", "compare": "ratio", "against": "highest", "across": ["sex"],
            "cohort": { "sex": "female" }, "judged": true, "before": value, "after": value, "movement": "beyond",
            "difference": difference })
    };
    let number = json!({ "before": 1.0, "after": 2.0 });
    json!({
        "changes_version": 1, "before": run, "after": run, "unread": "damaged",
        "counts": { "new": 1, "fixed": 0, "new_by_limit": 1, "fixed_by_limit": 0, "still": 0, "gone": 0, "waivers_gained": 0, "waivers_ended": 0, "same": 0,
            "within": 0, "beyond": 2, "unsaid": 0 },
        "findings": { "new": [finding], "fixed": [], "gone": [], "still": [], "waivers_gained": [], "waivers_ended": [] },
        "values": [
            moved(json!({ "status": "estimated", "point": 0.1, "lower": 0.0, "upper": 0.2 })),
            moved(json!({ "status": "unsaid", "why": "chosen" })),
        ],
        "criteria": [{ "metric": "selection-rate", "compare": "ratio", "against": "highest", "across": ["sex"],
            "before": limit, "after": limit }],
        "spec_sha256": { "before": "a", "after": "b" },
        "settings": [{ "name": "report.title", "before": "a", "after": "b" }],
        "columns": [{ "name": "sex", "there": { "before": true, "after": true },
            "roles": { "before": ["protected"], "after": ["feature"] }, "levels_added": ["x"], "levels_removed": ["y"],
            "domain": { "before": "a", "after": "b" }, "origin": { "before": "declared", "after": "learned" },
            "derived": { "before": null, "after": "age / 10" } }],
        "model": { "facts": [{ "name": "penalty", "before": "ridge", "after": "lasso" }],
            "coefficients": [{ "feature": "age", "before": 1.0, "after": 2.0 }], "coefficients_same": 0 },
        "data": { "rows_read": { "before": 1, "after": 2 }, "rows_kept": { "before": 1, "after": 2 },
            "rows_measured": { "before": 1, "after": 2 }, "files": [{ "name": "a.csv", "before": "a", "after": "b" }],
            "files_told": true },
        "budget": { "population": { "before": "people", "after": "people" }, "epsilon": number, "delta": number,
            "spent": number, "left": number },
    })
}

fn documents((audit, record): &(Audit, Record)) -> (Value, Value) {
    let report = files(audit, None).unwrap().remove(0).1;
    let run = run_json(record).unwrap();
    (serde_json::from_slice(&report).unwrap(), serde_json::from_slice(&run).unwrap())
}

/// The kind of a value: the names of its keys, its type, and the words that choose between cases.
fn kind(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let of = |(key, value): (&String, &Value)| match (key.as_str(), value) {
                ("status" | "is", Value::String(word)) => word.clone(),
                _ => format!("{key}:{}", kind(value)),
            };
            format!("{{{}}}", map.iter().map(of).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.first().map(kind).unwrap_or_default()),
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
    }
}

/// A document with at most four items in a list, no two of one kind.
fn short(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), short(value))).collect(),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let mut kinds = BTreeSet::new();
            items.iter().filter(|item| kinds.insert(kind(item))).take(4).map(short).collect()
        }
        other => other.clone(),
    }
}

/// Where the keys of a document are: the pointer of the object, and the key; one of each kind of place.
fn places(value: &Value) -> Vec<(String, String)> {
    fn walk(value: &Value, at: &str, general: &str, seen: &mut BTreeSet<String>, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => {
                let case = ["status", "is"].iter().find_map(|key| map.get(*key)?.as_str()).unwrap_or_default();
                for (key, value) in map {
                    let name = format!("{general}{case}/{key}");
                    if seen.insert(name.clone()) {
                        found.push((at.into(), key.clone()));
                    }
                    walk(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), &name, seen, found);
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(item, &format!("{at}/{i}"), &format!("{general}/*"), seen, found);
                }
            }
            _ => (),
        }
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    walk(value, "", "", &mut seen, &mut found);
    found
}

/// The document with this change to one object.
fn changed(document: &Value, at: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = document.clone();
    change(document.pointer_mut(at).unwrap().as_object_mut().unwrap());
    document
}

/// Attributes and levels: the keys are names from outside.
fn is_of_names(at: &str) -> bool {
    ["/cohort", "/with"].iter().any(|name| at.ends_with(name))
}

fn reads(report: &Value, run: &Value) -> bool {
    document::pair(report.to_string().as_bytes(), run.to_string().as_bytes()).is_ok()
}

#[test]
fn what_is_written_is_of_the_schema_and_every_key_is_described() {
    let example = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/example").join(name);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let metrics = r#"["equalized-odds", "treatment-equality", "demographic-disparity-mean", "class-imbalance"]"#;
    let written = [
        ("whole", documents(&whole())),
        ("sample", documents(&sample(&PLAIN, 0))),
        ("withheld", documents(&sample(&PLAIN, 12))),
        ("figures of sets", documents(&sample_of(&PLAIN, 0, metrics))),
        ("public", documents(&page::private("people", Edition::Public))),
        ("example", (example("report.json"), example("run.json"))),
    ];
    for (text, run) in [(REPORT, false), (RUN, true)] {
        let schema = schema(text);
        let (open, closed) = (validator(&schema), validator(&closed(&schema)));
        for (name, (report, record)) in &written {
            let document = if run { record } else { report };
            assert_eq!(complaints(&open, document), [""; 0], "{name}");
            assert_eq!(complaints(&closed, document), [""; 0], "{name}");
        }
    }
}

/// Every key that is described occurs in the audit with every part, so none is left of what is no longer written.
#[test]
fn every_key_that_is_described_is_written() {
    let mut whole = whole();
    let (report, run) = documents(&whole);
    whole.1.attacks.as_mut().unwrap().model = Some(Attempt::NotAttacked { reason: "nothing was trained".into() });
    let (_, another) = documents(&whole);
    for (text, documents) in [(REPORT, [&report, &report]), (RUN, [&run, &another])] {
        let (mut described, mut written) = (BTreeSet::new(), BTreeSet::new());
        each(&schema(text), &mut |map| {
            if let (Some(Value::Object(keys)), true) = (map.get("properties"), map.contains_key("type")) {
                described.extend(keys.keys().cloned());
            }
        });
        documents.iter().for_each(|document| each(document, &mut |map| written.extend(map.keys().cloned())));
        let missing: Vec<&String> = described.difference(&written).collect();
        assert!(missing.is_empty() && described.len() > 50, "{missing:?}");
    }
}

/// Keys of later programs are let through, and seen by the schema without room for them, whatever place they are in.
#[test]
fn a_key_that_is_not_described_is_let_through_and_seen() {
    let (report, run) = documents(&whole());
    for (text, document) in [(REPORT, short(&report)), (RUN, short(&run))] {
        let schema = schema(text);
        let (open, closed) = (validator(&schema), validator(&closed(&schema)));
        let objects: BTreeSet<String> = places(&document).into_iter().map(|(at, _)| at).collect();
        let free = |at: &str| is_of_names(at) || ["/domain", "/references"].iter().any(|end| at.ends_with(end));
        let mut tried = 0;
        for at in objects.iter().filter(|at| !free(at)) {
            let later = changed(&document, at, |map| drop(map.insert("later_key".into(), json!({ "a": 1 }))));
            assert!(open.is_valid(&later), "{at}: {:?}", complaints(&open, &later));
            assert!(!closed.is_valid(&later), "{at} has room for a key that is not described");
            tried += 1;
        }
        assert!(tried > 15, "{tried}");
    }
}

/// A document that the page cannot be made of is not of the schema; nor is one with a value of another type.
#[test]
fn a_damaged_document_is_refused() {
    let (report, run) = documents(&whole());
    let (report, run) = (short(&report), short(&run));
    assert!(reads(&report, &run));
    for (text, document, is_run) in [(REPORT, &report, false), (RUN, &run, true)] {
        let validator = validator(&schema(text));
        let readable = |changed: &Value| if is_run { reads(&report, changed) } else { reads(changed, &run) };
        let places = places(document);
        let mut needed = 0;
        for (at, key) in &places {
            let without = changed(document, at, |map| drop(map.remove(key)));
            if !readable(&without) {
                needed += 1;
                assert!(!validator.is_valid(&without), "{at}/{key} is needed and not required");
            }
            let value = document.pointer(at).map(|map| &map[key.as_str()]);
            let other = if value.is_some_and(Value::is_array) { json!({ "x": true }) } else { json!([[true]]) };
            let another = changed(document, at, |map| drop(map.insert(key.clone(), other)));
            assert!(!validator.is_valid(&another), "{at}/{key} may be anything");
            let null = changed(document, at, |map| drop(map.insert(key.clone(), Value::Null)));
            assert!(readable(&null) || !validator.is_valid(&null), "{at}/{key} may be null and is not read then");
        }
        assert!(needed > 40 && places.len() > needed, "{needed} of {}", places.len());
    }
    let validator = validator(&schema(REPORT));
    let later = changed(&report, "", |map| drop(map.insert("report_version".into(), 2.into())));
    assert!(!validator.is_valid(&later), "a later version is not of this schema");
    assert!(!validator.is_valid(&json!({})) && !validator.is_valid(&json!([])));
}

/// JSON writes null for what is no finite number; the schema says where that happens.
#[test]
fn numbers_that_are_none_are_null() {
    let (mut audit, mut record) = whole();
    for reading in &mut audit.readings {
        if let Measured::Estimated(estimate) = &mut reading.measured {
            (estimate.point, estimate.support.n_effective) = (f64::NAN, f64::INFINITY);
        }
    }
    let model = audit.model.as_mut().unwrap();
    (model.strength, model.intercept, model.integer_gap_max) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
    model.coefficients[0].value = f64::NAN;
    model.path[0].loss_mean = f64::NAN;
    for rehearsal in audit.privacy.iter_mut().flat_map(|privacy| &mut privacy.rehearsals) {
        (rehearsal.epsilon, rehearsal.epsilon_lower, rehearsal.epsilon_ceiling) = (f64::NAN, f64::NAN, f64::INFINITY);
    }
    if let Some(attacks) = &mut record.attacks {
        attacks.confidence = f64::NAN;
        if let Some(Attempt::Attacked(model)) = &mut attacks.model {
            model.auc.value = f64::NAN;
        }
    }
    record.price = audit.readings.clone();
    let (report, run) = documents(&(audit, record));
    assert!(report.pointer("/model/intercept").is_some_and(Value::is_null));
    assert_eq!(complaints(&validator(&schema(REPORT)), &report), [""; 0]);
    assert_eq!(complaints(&validator(&schema(RUN)), &run), [""; 0]);
    assert!(reads(&report, &run));
}
