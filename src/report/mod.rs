//! A run as files: `report.json`, `run.json`, tables for a spreadsheet, the model, and one page of HTML.
//!
//! `report.json` is a pure function of pipeline file, data and seed; `report.html` is a pure function of the bytes of `report.json` and
//! `run.json` ([`html`]), so a stored run can be rendered again. Keys stand in the order of the types in `audit`; a number is the
//! shortest text that reads back to the same bits.

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::audit::{Audit, FileDigest, Record};
use crate::model::Model;

#[cfg(feature = "html")]
pub mod changes;
#[cfg(feature = "html")]
mod document;
#[cfg(feature = "html")]
mod formats;
#[cfg(feature = "html")]
mod html;
#[cfg(feature = "html")]
pub(crate) mod language;
#[cfg(feature = "html")]
pub mod mail;
#[cfg(feature = "html")]
mod svg;
mod tables;
mod textfile;
#[cfg(feature = "html")]
mod view;

#[cfg(feature = "html")]
pub use formats::{Form, form};
#[cfg(feature = "html")]
pub use html::{FOLDER as TEMPLATES_FOLDER, Own, check as check_templates, html, html_with, own as own_templates};
pub use textfile::{textfile, textfile_unfinished};

/// Version of the layout of `model.json`.
pub const MODEL_VERSION: u32 = 1;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{file} cannot be read: {why}; it is damaged, or none of a run")]
    Unreadable { file: &'static str, why: String },
    #[error("{file} has no {key}; it is none of a run")]
    NoVersion { file: &'static str, key: &'static str },
    #[error(
        "{file} has {key} {found}, this program knows up to {known}; render it with the evenhand that made it, or a later one"
    )]
    Later { file: &'static str, key: &'static str, found: u64, known: u32 },
    #[error(
        "report.json and run.json are not of one run: pipeline, outcome or SHA-256 differ; take both from one run folder"
    )]
    Apart,
    #[error("{file} cannot be written as JSON: {why}")]
    Unwritable { file: &'static str, why: String },
    #[error(
        "templates/{name}: it is not the one this run was rendered with; take the whole run folder as it was written"
    )]
    OtherTemplate { name: String },
    #[error("the template cannot be filled in: {0}")]
    Template(String),
}

/// Every file of a run that is a function of the audit: name within the run folder, content.
pub fn files(audit: &Audit, model: Option<&Model>) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let mut files = vec![("report.json".to_string(), pretty("report.json", audit)?)];
    files.extend(tables::all(audit));
    if let Some(model) = model {
        files.push(("model.json".to_string(), pretty("model.json", &model_json(model))?));
    }
    Ok(files)
}

/// The content of `run.json`.
pub fn run_json(record: &Record) -> Result<Vec<u8>, ReportError> {
    pretty("run.json", record)
}

/// Size and SHA-256 of every file, for the record of the run.
pub fn digests(files: &[(String, Vec<u8>)]) -> Vec<FileDigest> {
    let digest = |(name, bytes): &(String, Vec<u8>)| FileDigest {
        name: name.clone(),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    };
    files.iter().map(digest).collect()
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value as the content of a JSON file.
pub(crate) fn pretty(file: &'static str, value: &impl Serialize) -> Result<Vec<u8>, ReportError> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|e| ReportError::Unwritable { file, why: e.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A model as anybody can score it: eta = intercept + sum of coefficient x q(input), in units of 2^-bits, with q the input on its
/// interval in steps of 2^-20 (`demand::Fixed`).
fn model_json(model: &Model) -> serde_json::Value {
    let predictor = &model.predictor;
    let terms: Vec<serde_json::Value> = predictor
        .coefficients
        .iter()
        .zip(&predictor.bounds)
        .zip(&model.inputs)
        .map(|((coefficient, (lower, upper)), input)| {
            json!({ "input": input.to_string(), "lower": lower, "upper": upper, "coefficient": coefficient })
        })
        .collect();
    json!({
        "model_version": MODEL_VERSION,
        "kind": model.kind,
        "bits": predictor.bits,
        "intercept": predictor.intercept,
        "threshold": model.threshold,
        "terms": terms,
        "card": model.card,
    })
}

#[cfg(test)]
pub(crate) mod tests;
