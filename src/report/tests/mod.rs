//! The page: what is shown, escaped, bounded; and that its figures are those of the documents.

use std::collections::BTreeMap;

use super::*;
use crate::estimate::Measured;

pub(crate) mod sample;

#[cfg(feature = "html")]
mod alike;
#[cfg(feature = "html")]
mod charts;
#[cfg(feature = "html")]
pub(crate) mod chinese;
#[cfg(feature = "html")]
mod data;
#[cfg(feature = "html")]
mod front;
#[cfg(feature = "html")]
mod mitigation;
#[cfg(feature = "html")]
mod page;
#[cfg(feature = "html")]
mod parity;
#[cfg(feature = "html")]
mod private;
#[cfg(feature = "html")]
mod rules;
#[cfg(feature = "html")]
mod schemas;
#[cfg(feature = "html")]
mod sweep;

use sample::{PLAIN, Words, sample};

#[test]
fn documents_are_the_same_each_time_and_read_back_to_the_bit() {
    let (audit, record) = sample(&PLAIN, 0);
    let once = files(&audit, None).unwrap();
    assert_eq!(once, files(&sample(&PLAIN, 0).0, None).unwrap());
    let names: Vec<&str> = once.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "report.json",
            "evidence/readings.csv",
            "evidence/findings.csv",
            "evidence/cohorts.csv",
            "evidence/columns.csv"
        ]
    );
    let report: serde_json::Value = serde_json::from_slice(&once[0].1).unwrap();
    assert!(once[0].1.ends_with(b"}\n"));
    for (reading, written) in audit.readings.iter().zip(report["readings"].as_array().unwrap()) {
        if let Measured::Estimated(estimate) = &reading.measured {
            assert_eq!(written["measured"]["point"].as_f64().map(f64::to_bits), Some(estimate.point.to_bits()));
        }
    }
    let digest = &digests(&once)[0];
    assert_eq!((digest.bytes, digest.sha256.len()), (once[0].1.len() as u64, 64));
    assert!(run_json(&record).unwrap().ends_with(b"}\n"));
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn tables_hold_every_row_and_no_formula() {
    let words = Words { title: "=1+1", column: "=cmd|' /C calc'!A0", level: "@SUM(1;2)\n\"x\"" };
    let (audit, _) = sample(&words, 12);
    let tables: BTreeMap<String, Vec<u8>> = files(&audit, None).unwrap().into_iter().skip(1).collect();
    for (name, bytes) in &tables {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        let expected = match name.as_str() {
            "evidence/readings.csv" => audit.readings.len(),
            "evidence/findings.csv" => audit.findings.len(),
            "evidence/cohorts.csv" => audit.cohorts.iter().map(|table| table.rows.len()).sum(),
            _ => audit.data.columns.len(),
        };
        assert_eq!(rows.len(), expected + 1, "{name}");
        assert!(bytes.ends_with(b"\r\n"), "{name} ends its lines as RFC 4180 says");
        for field in rows.iter().flatten() {
            let number = field.parse::<f64>().is_ok();
            assert!(number || !field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{name}: {field}");
        }
    }
    let readings = String::from_utf8(tables["evidence/readings.csv"].clone()).unwrap();
    assert!(readings.contains("suppressed") && readings.contains("undefined") && readings.contains("'=cmd"));
}

#[test]
fn the_model_is_written_in_integers() {
    use crate::plan::spec::ModelKind;
    use crate::scalar::{Predictor, Scalar};
    let card = sample(&PLAIN, 0).0.model.unwrap();
    let predictor = Predictor { bounds: vec![(0.0, 10.0)], coefficients: vec![-12_345], intercept: 678, bits: 20 };
    let model = Model {
        kind: ModelKind::Logistic,
        predictor: predictor.into(),
        inputs: vec![Scalar::column("income")],
        threshold: 9,
        card,
    };
    let (name, bytes) = files(&sample(&PLAIN, 0).0, Some(&model)).unwrap().pop().unwrap();
    let written: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(name, "model.json");
    assert_eq!((&written["intercept"], &written["bits"], &written["threshold"]), (&678.into(), &20.into(), &9.into()));
    assert_eq!(written["terms"][0]["coefficient"], -12_345);
    assert_eq!(written["card"]["kind"], "logistic");
}
