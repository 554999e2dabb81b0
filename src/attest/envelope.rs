//! The DSSE envelope (Dead Simple Signing Envelope, protocol 1.0.2): a payload, its type, signatures over both.
//!
//! An envelope is read in the one form it is written in: keys in this order, two blanks of indent, a line feed at the end. The
//! signature does not cover what is around the payload; that there is one form does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::PrivateKey;

/// What is signed: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Signatures of an envelope at most.
const SIGNATURES_MAX: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signed>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    keyid: String,
    sig: String,
}

/// An envelope that was read. Nothing is known of its signatures yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub payload: Vec<u8>,
    /// Key ids as written, and signatures.
    pub signatures: Vec<(String, [u8; 64])>,
}

/// Why bytes are no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("is no DSSE envelope: {0}")]
    NotJson(String),
    #[error("its payload is of another type than {PAYLOAD_TYPE}")]
    OtherPayload,
    #[error("its base64 is not the one form RFC 4648 has for these bytes")]
    NotBase64,
    #[error("it has no signature, or more than {SIGNATURES_MAX}, or one that is not 64 bytes long")]
    Signatures,
    #[error("it is not in the form it was written in: blanks, order of keys or escapes differ")]
    NotAsWritten,
}

/// What is signed for a payload: pre-authentication encoding. Lengths are in bytes, so no type and payload run into another.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The file of an envelope with one signature.
pub fn seal(payload: &[u8], key: &PrivateKey) -> Result<Vec<u8>, serde_json::Error> {
    let signature = key.sign(&pae(PAYLOAD_TYPE, payload));
    written(&Envelope {
        payload: STANDARD.encode(payload),
        payload_type: PAYLOAD_TYPE.into(),
        signatures: vec![Signed { keyid: key.public().id().to_string(), sig: STANDARD.encode(signature) }],
    })
}

fn written(envelope: &Envelope) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(envelope)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads the file of an envelope.
pub fn open(bytes: &[u8]) -> Result<Opened, EnvelopeError> {
    // A key that comes twice or is not known is an error of serde.
    let not_json = |e: serde_json::Error| EnvelopeError::NotJson(place(&e));
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(not_json)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(EnvelopeError::OtherPayload);
    }
    if written(&envelope).map_err(not_json)? != bytes {
        return Err(EnvelopeError::NotAsWritten);
    }
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| EnvelopeError::NotBase64);
    let mut signatures = Vec::new();
    for signed in envelope.signatures {
        let signature = decode(&signed.sig)?.try_into().map_err(|_| EnvelopeError::Signatures)?;
        signatures.push((signed.keyid, signature));
    }
    match (1..=SIGNATURES_MAX).contains(&signatures.len()) {
        true => Ok(Opened { payload: decode(&envelope.payload)?, signatures }),
        false => Err(EnvelopeError::Signatures),
    }
}

/// Where JSON is wrong and how, without its words: they may be anything.
pub fn place(e: &serde_json::Error) -> String {
    let what = match e.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => "it is not JSON",
        _ => "a key is missing, unknown, twice there or of another type",
    };
    format!("{what}, at line {} column {}", e.line(), e.column())
}

#[cfg(test)]
mod tests;
