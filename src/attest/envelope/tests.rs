//! The encoding of the protocol's own example, and envelopes that are not what they seem.

use super::*;
use crate::world::Entropy;

fn key() -> PrivateKey {
    PrivateKey::generate(Entropy::Fixed(1)).unwrap()
}

#[test]
fn the_encoding_is_the_one_of_the_protocol() {
    // Example of the DSSE protocol.
    assert_eq!(
        pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    // Lengths are those of bytes.
    assert_eq!(pae("é", b""), "DSSEv1 2 é 0 ".as_bytes());
}

#[test]
fn an_envelope_reads_back() {
    let sealed = seal(b"{}", &key()).unwrap();
    let opened = open(&sealed).unwrap();
    assert_eq!(opened.payload, b"{}");
    let (id, signature) = &opened.signatures[0];
    assert_eq!(id, key().public().id().as_str());
    assert!(key().public().verifies(&pae(PAYLOAD_TYPE, b"{}"), signature));
    assert!(!key().public().verifies(&pae("application/json", b"{}"), signature));
}

#[test]
fn what_is_not_as_it_was_written_is_refused() {
    let sealed = String::from_utf8(seal(b"{\"a\": 1}", &key()).unwrap()).unwrap();
    let base64 = STANDARD.encode(b"{\"a\": 1}");
    assert!(base64.ends_with("MX0=") && sealed.contains(&base64));
    let signatures = sealed.split_once("\"signatures\"").unwrap().1.to_string();
    let swap = |from: &str, to: &str| open(sealed.replacen(from, to, 1).as_bytes()).unwrap_err();
    assert_eq!(swap("vnd.in-toto+json", "json"), EnvelopeError::OtherPayload);
    assert_eq!(swap("MX0=", "MX1="), EnvelopeError::NotBase64);
    assert_eq!(swap("MX0=", "MX0"), EnvelopeError::NotBase64);
    assert_eq!(swap("MX0=", "MX-_"), EnvelopeError::NotBase64);
    assert_eq!(swap("MX0=", "MX0=\\n"), EnvelopeError::NotBase64);
    assert_eq!(swap("  \"payload\"", "\t\"payload\""), EnvelopeError::NotAsWritten);
    assert_eq!(swap("vnd.in", "vnd\\u002ein"), EnvelopeError::NotAsWritten);
    assert_eq!(open(sealed.trim_end().as_bytes()).unwrap_err(), EnvelopeError::NotAsWritten);
    let twice =
        sealed.replacen("\"signatures\"", "\"payloadType\": \"application/vnd.in-toto+json\",\n  \"signatures\"", 1);
    assert!(matches!(open(twice.as_bytes()).unwrap_err(), EnvelopeError::NotJson(_)));
    for other in [
        "",
        "[]",
        "{}",
        "null",
        "{\"payload\": \"",
        &"[".repeat(100_000),
        &sealed.replace("\"sig\"", "\"more\": 1, \"sig\""),
    ] {
        assert!(matches!(open(other.as_bytes()).unwrap_err(), EnvelopeError::NotJson(_)), "{other:.40}");
    }
    let none = sealed.replace(&signatures, ": []\n}\n");
    assert_eq!(open(none.as_bytes()).unwrap_err(), EnvelopeError::Signatures);
    let many: Vec<Signed> =
        (0..=SIGNATURES_MAX).map(|_| Signed { keyid: "k".into(), sig: STANDARD.encode([0; 64]) }).collect();
    let many = Envelope { payload: base64, payload_type: PAYLOAD_TYPE.into(), signatures: many };
    assert_eq!(open(&written(&many).unwrap()).unwrap_err(), EnvelopeError::Signatures);
    let short = Envelope { signatures: vec![Signed { keyid: "k".into(), sig: STANDARD.encode([0; 63]) }], ..many };
    assert_eq!(open(&written(&short).unwrap()).unwrap_err(), EnvelopeError::Signatures);
}

#[test]
fn a_complaint_repeats_no_word_of_the_file() {
    let refused = open(b"{\"payload\": \"x\", \"hostile\\u001b[2J\": 1}").unwrap_err().to_string();
    assert!(!refused.contains("hostile") && refused.contains("line 1"), "{refused}");
}
