//! Keys against the vectors of RFC 8032 and RFC 8410, and texts that are none.

use super::*;

/// RFC 8410, section 10.3 and 10.1.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn the_keys_of_rfc_8410_read_back_to_their_own_bytes() {
    let key = PrivateKey::of_pem(PRIVATE).unwrap();
    assert_eq!(key.pem().as_str(), PRIVATE);
    assert_eq!(key.public().pem(), PUBLIC);
    assert_eq!(PublicKey::of_pem(PUBLIC).unwrap(), key.public());
    let with_windows_lines = PUBLIC.replace('\n', "\r\n");
    assert_eq!(PublicKey::of_pem(&with_windows_lines).unwrap(), key.public());
}

#[test]
fn a_signature_is_the_one_of_rfc_8032() {
    // Section 7.1, test 3.
    let secret = bytes("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    let der = [&PRIVATE_HEAD[..], &secret].concat();
    let key = PrivateKey::of_pem(&pem(PRIVATE_LABEL, &der)).unwrap();
    let public = bytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    assert_eq!(key.public().bytes().to_vec(), public);
    let signature = key.sign(&[0xaf, 0x82]);
    let expected = bytes(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    );
    assert_eq!(signature.to_vec(), expected);
    assert!(key.public().verifies(&[0xaf, 0x82], &signature));
    assert!(!key.public().verifies(&[0xaf, 0x83], &signature));
}

#[test]
fn an_id_is_the_digest_of_the_whole_key_file() {
    let key = PublicKey::of_pem(PUBLIC).unwrap();
    let der = STANDARD.decode("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
    assert_eq!(key.id().as_str(), super::super::hex(&Sha256::digest(der)));
    assert_eq!(key.id().short().len(), 16);
}

#[test]
fn what_is_no_key_is_refused_by_kind_and_not_repeated() {
    for (text, expected) in [
        ("", KeyError::NotPem),
        ("secret text", KeyError::NotPem),
        ("-----BEGIN ", KeyError::NotPem),
        ("-----BEGIN PRIVATE KEY-----", KeyError::NotPem),
        (&PRIVATE.replace("MC4", "M=4"), KeyError::NotPem),
        (&PRIVATE.replace("-----END PRIVATE", "-----END PUBLIC"), KeyError::NotPem),
        (PUBLIC, KeyError::Public),
        (&PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE"), KeyError::NotPrivate),
        (&PRIVATE.replace("MC4CAQAwBQYDK2VwBCIEI", "MC4CAQAwBQYDK2VuBCIEI"), KeyError::NotPrivate),
        (&pem(PRIVATE_LABEL, &[0; 48]), KeyError::NotPrivate),
        (&pem(PRIVATE_LABEL, &PRIVATE_HEAD), KeyError::NotPrivate),
    ] {
        assert_eq!(PrivateKey::of_pem(text).unwrap_err(), expected, "{text}");
    }
    assert_eq!(PublicKey::of_pem(PRIVATE).unwrap_err(), KeyError::Private);
    assert_eq!(PublicKey::of_pem(&PUBLIC.replace("PUBLIC", "RSA PUBLIC")).unwrap_err(), KeyError::NotPublic);
    let key = PrivateKey::of_pem(PRIVATE).unwrap();
    assert_eq!(format!("{key:?}"), format!("PrivateKey({})", key.public().id().short()));
}

#[test]
fn points_of_small_order_and_other_spellings_of_a_point_are_no_keys() {
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        // y = 1 and y = 3 written as p + 1 and p + 3.
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in small {
        let der = [&PUBLIC_HEAD[..], &bytes(point)].concat();
        let refused = PublicKey::of_der(&der).unwrap_err();
        assert!(matches!(refused, KeyError::Weak | KeyError::NotPublic), "{point}");
    }
    // Under the neutral point this signature is good for every message, without the strict check.
    let neutral = bytes(small[0]).try_into().unwrap();
    let key = VerifyingKey::from_bytes(&neutral).unwrap();
    let mut signature = [0u8; 64];
    signature[..32].copy_from_slice(&neutral);
    assert!(ed25519_dalek::Verifier::verify(&key, b"anything", &Signature::from_bytes(&signature)).is_ok());
    assert!(!PublicKey(key).verifies(b"anything", &signature));
}
