//! Ed25519 keys (RFC 8032) as files: PKCS#8 and SubjectPublicKeyInfo (RFC 8410) in PEM, as `openssl pkey` reads and writes them.

use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand::Rng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::world::Entropy;

/// What stands before the 32 secret bytes of a PKCS#8 file: version 0, Ed25519, an octet string in an octet string.
const PRIVATE_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// What stands before the 32 bytes of a public key: Ed25519, a bit string.
const PUBLIC_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// A key that signs. Forgotten from memory when dropped, shown nowhere.
pub struct PrivateKey(SigningKey);

/// A key that signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// SHA-256 of a public key's SubjectPublicKeyInfo, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

/// Why a text is no key. Nothing of the text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("is no PEM file; a key begins with a line -----BEGIN ... KEY-----")]
    NotPem,
    #[error(
        "is no private Ed25519 key in PKCS#8; make one with: evenhand keygen, or openssl genpkey -algorithm ed25519"
    )]
    NotPrivate,
    #[error("is no public Ed25519 key; take the file that ends in .pub.pem, or write one with: openssl pkey -pubout")]
    NotPublic,
    #[error("is a private key where a public one belongs; take the file that ends in .pub.pem")]
    Private,
    #[error("is a public key where a private one belongs; take the file that ends in .key.pem")]
    Public,
    #[error("is a public key under which a signature proves nothing")]
    Weak,
}

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn generate(entropy: Entropy) -> io::Result<PrivateKey> {
        let mut secret = Zeroizing::new([0u8; 32]);
        entropy.generator()?.fill_bytes(&mut *secret);
        Ok(PrivateKey(SigningKey::from_bytes(&secret)))
    }

    /// Reads a PEM file.
    pub fn of_pem(text: &str) -> Result<PrivateKey, KeyError> {
        let (label, der) = of_pem(text)?;
        match label {
            PRIVATE_LABEL => {}
            PUBLIC_LABEL => return Err(KeyError::Public),
            _ => return Err(KeyError::NotPrivate),
        }
        let secret = der.strip_prefix(&PRIVATE_HEAD).and_then(|secret| <&[u8; 32]>::try_from(secret).ok());
        Ok(PrivateKey(SigningKey::from_bytes(secret.ok_or(KeyError::NotPrivate)?)))
    }

    /// The content of a PEM file.
    pub fn pem(&self) -> Zeroizing<String> {
        let mut der = Zeroizing::new([0u8; 48]);
        der[..16].copy_from_slice(&PRIVATE_HEAD);
        der[16..].copy_from_slice(self.0.as_bytes());
        pem(PRIVATE_LABEL, &*der)
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().id().short())
    }
}

impl PublicKey {
    /// Reads a PEM file.
    pub fn of_pem(text: &str) -> Result<PublicKey, KeyError> {
        let (label, der) = of_pem(text)?;
        match label {
            PUBLIC_LABEL => PublicKey::of_der(&der),
            PRIVATE_LABEL => Err(KeyError::Private),
            _ => Err(KeyError::NotPublic),
        }
    }

    /// Reads a SubjectPublicKeyInfo. Points of small order, and points written otherwise than RFC 8032 has them, are no keys.
    pub fn of_der(der: &[u8]) -> Result<PublicKey, KeyError> {
        let bytes = der.strip_prefix(&PUBLIC_HEAD).and_then(|bytes| <&[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes.ok_or(KeyError::NotPublic)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotPublic)?;
        let canonical = key.to_edwards().compress().to_bytes() == *bytes;
        if canonical && !key.is_weak() { Ok(PublicKey(key)) } else { Err(KeyError::Weak) }
    }

    /// SubjectPublicKeyInfo of RFC 8410.
    pub fn der(&self) -> [u8; 44] {
        let mut der = [0u8; 44];
        der[..12].copy_from_slice(&PUBLIC_HEAD);
        der[12..].copy_from_slice(self.0.as_bytes());
        der
    }

    /// The content of a PEM file.
    pub fn pem(&self) -> String {
        pem(PUBLIC_LABEL, &self.der()).to_string()
    }

    /// The 32 bytes of RFC 8032.
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub fn id(&self) -> KeyId {
        KeyId(super::hex(&Sha256::digest(self.der())))
    }

    /// The check of RFC 8032 without its leniences: one signature of a message has one form.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id().short())
    }
}

impl KeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 16 digits, as they are shown.
    pub fn short(&self) -> &str {
        &self.0[..16]
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64.as_str()))
}

/// Label and content of a PEM file (RFC 7468) with one object in it.
fn of_pem(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), KeyError> {
    let body = text.trim().strip_prefix("-----BEGIN ").ok_or(KeyError::NotPem)?;
    let (label, body) = body.split_once("-----").ok_or(KeyError::NotPem)?;
    let base64 = body.strip_suffix(&format!("-----END {label}-----")).ok_or(KeyError::NotPem)?;
    let base64 = Zeroizing::new(base64.split_ascii_whitespace().collect::<String>());
    let der = STANDARD.decode(base64.as_bytes()).map_err(|_| KeyError::NotPem)?;
    Ok((label, Zeroizing::new(der)))
}

#[cfg(test)]
mod tests;
