//! Signatures that `minisign -V` accepts: prehashed (`ED`), over BLAKE2b-512 of the file, with a signed comment.
//!
//! Format: <https://jedisct1.github.io/minisign/>. A signature file is read in the one form it is written in here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest};
use sha2::Sha256;

use super::key::{PrivateKey, PublicKey};

/// What follows the name of a signed file.
pub const SUFFIX: &str = ".minisig";
const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";
/// Bytes of a signature file at most.
pub const BYTES_MAX: u64 = 16_384;

/// The file of a public key.
pub fn public_key(key: &PublicKey) -> String {
    let bytes = [&b"Ed"[..], &number(key), &key.bytes()].concat();
    format!("{UNTRUSTED}minisign public key {}\n{}\n", shown(key), STANDARD.encode(bytes))
}

/// The signature file of a file. The comment is signed too; it is one line.
pub fn sign(file: &[u8], comment: &str, key: &PrivateKey) -> String {
    let signature = key.sign(&Blake2b512::digest(file));
    let global = key.sign(&[&signature[..], comment.as_bytes()].concat());
    written(&key.public(), &signature, comment, &global)
}

/// The comment of a signature that holds for a file; none for any other bytes.
pub fn verified<'s>(file: &[u8], signature: &'s str, key: &PublicKey) -> Option<&'s str> {
    let mut lines = signature.split('\n');
    let (_, first) = (lines.next()?, STANDARD.decode(lines.next()?).ok()?);
    let comment = lines.next()?.strip_prefix(TRUSTED)?;
    let global: [u8; 64] = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
    let own: [u8; 64] = first.get(10..)?.try_into().ok()?;
    let holds = key.verifies(&Blake2b512::digest(file), &own)
        && key.verifies(&[&own[..], comment.as_bytes()].concat(), &global);
    (holds && written(key, &own, comment, &global) == signature).then_some(comment)
}

fn written(key: &PublicKey, signature: &[u8; 64], comment: &str, global: &[u8; 64]) -> String {
    let own = STANDARD.encode([&b"ED"[..], &number(key), signature].concat());
    let by = format!("{UNTRUSTED}signature of evenhand, minisign public key {}", shown(key));
    format!("{by}\n{own}\n{TRUSTED}{comment}\n{}\n", STANDARD.encode(global))
}

/// The number minisign knows a key by: here the first bytes of its id.
fn number(key: &PublicKey) -> [u8; 8] {
    let mut number = [0u8; 8];
    number.copy_from_slice(&Sha256::digest(key.der())[..8]);
    number
}

/// The number as minisign shows it: the last byte first.
fn shown(key: &PublicKey) -> String {
    format!("{:016X}", u64::from_le_bytes(number(key)))
}

#[cfg(test)]
mod tests;
