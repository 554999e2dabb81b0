//! The two files of minisign. That the real minisign reads them is tested with the whole program.

use super::*;
use crate::world::Entropy;

#[test]
fn a_signature_holds_for_its_file_its_comment_and_its_key_only() {
    let key = PrivateKey::generate(Entropy::Fixed(1)).unwrap();
    let other = PrivateKey::generate(Entropy::Fixed(2)).unwrap();
    let signature = sign(b"file", "run 1 of hiring", &key);
    assert_eq!(verified(b"file", &signature, &key.public()), Some("run 1 of hiring"));
    assert_eq!(verified(b"fila", &signature, &key.public()), None);
    assert_eq!(verified(b"file", &signature, &other.public()), None);
    for i in 0..signature.len() {
        let mut flipped = signature.clone().into_bytes();
        flipped[i] ^= 1;
        let flipped = String::from_utf8(flipped).unwrap();
        assert_eq!(verified(b"file", &flipped, &key.public()), None, "byte {i}");
    }
    for other in ["", "\n\n\n\n", &signature[..signature.len() - 1], &format!("{signature}\n"), &"\n".repeat(10_000)] {
        assert_eq!(verified(b"file", other, &key.public()), None);
    }
}

#[test]
fn the_number_of_a_key_is_shown_as_minisign_shows_it() {
    let key = PrivateKey::generate(Entropy::Fixed(1)).unwrap().public();
    let file = public_key(&key);
    let bytes = STANDARD.decode(file.lines().nth(1).unwrap()).unwrap();
    assert_eq!((bytes.len(), &bytes[..2]), (42, &b"Ed"[..]));
    let id = key.id();
    let reversed: String = (0..8).rev().map(|i| id.as_str()[2 * i..2 * i + 2].to_uppercase()).collect();
    assert!(file.starts_with(&format!("untrusted comment: minisign public key {reversed}\n")));
}
