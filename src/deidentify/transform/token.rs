//! Random tokens, kept in a table that is encrypted with a passphrase (age, scrypt). Feature `seal`.
//!
//! A token is 128 random bits: it is not derived from the value, as 45 CFR 164.514(c) demands. A value that has a token keeps it from run
//! to run. The table is in memory while a run works: its size is that of the distinct values. age authenticates the file: one that was changed
//! or cut short is refused. A file put back to an older state opens; values that came since then get other tokens.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use rand::Rng;
use rand::rngs::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::key::hex;
use crate::world;

/// Bytes a passphrase has at least.
pub const PASSPHRASE_BYTES_MIN: usize = 12;

/// Greatest scrypt work factor of a table that is opened: 2^22 blocks, about 4 GiB.
const WORK_FACTOR_MAX: u8 = 22;

/// Why a table cannot be used. No message holds a value or a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error(
        "{}: the token table cannot be opened: the passphrase is another, or the file was changed or cut short; put a copy back, or the right passphrase",
        .0.display()
    )]
    Sealed(PathBuf),
    #[error("{}: the token table is of another form; a newer evenhand may have written it", .0.display())]
    Form(PathBuf),
    #[error("{}: another run changed the token table meanwhile; run again", .0.display())]
    Changed(PathBuf),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    version: u32,
    /// Token of every value, by domain.
    domains: BTreeMap<String, HashMap<String, String>>,
}

/// A table in use.
pub struct Tokens {
    path: PathBuf,
    passphrase: SecretString,
    /// Base-2 logarithm of the scrypt cost; about a second of this machine when absent.
    work_factor: Option<u8>,
    table: Table,
    /// SHA-256 of the file as it was opened.
    opened: Option<[u8; 32]>,
    changed: bool,
    generator: ChaCha20Rng,
}

impl Tokens {
    /// Opens a table; one that is not there begins empty.
    pub fn open(
        path: &Path,
        passphrase: String,
        work_factor: Option<u8>,
        generator: ChaCha20Rng,
    ) -> Result<Tokens, TokenError> {
        let passphrase = SecretString::from(passphrase);
        // A table that cannot be written is known before a row is read.
        world::try_beside(path)?;
        let file = world::read(path)?;
        let opened = file.as_ref().map(|bytes| Sha256::digest(bytes).into());
        let table = match &file {
            None => Table { version: 1, domains: BTreeMap::new() },
            Some(bytes) => {
                let mut identity = age::scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(WORK_FACTOR_MAX);
                let plain = age::decrypt(&identity, bytes).map_err(|_| TokenError::Sealed(path.into()))?;
                let plain = Zeroizing::new(plain);
                serde_json::from_slice(&plain).map_err(|_| TokenError::Form(path.into()))?
            }
        };
        if table.version != 1 {
            return Err(TokenError::Form(path.into()));
        }
        Ok(Tokens { path: path.into(), passphrase, work_factor, table, opened, changed: false, generator })
    }

    /// The token of a value, drawn when it has none.
    pub fn of(&mut self, domain: &str, text: &str) -> String {
        if let Some(token) = self.table.domains.get(domain).and_then(|values| values.get(text)) {
            return token.clone();
        }
        let mut drawn = [0; 16];
        self.generator.fill_bytes(&mut drawn);
        let token = hex(&drawn);
        self.table.domains.entry(domain.into()).or_default().insert(text.into(), token.clone());
        self.changed = true;
        token
    }

    /// Writes the table when it has new tokens: beside, then renamed over. Before the dataset is put in place: a token without its value
    /// in the table could never be resolved.
    pub fn save(&mut self) -> Result<(), TokenError> {
        if !self.changed {
            return Ok(());
        }
        let there = world::read(&self.path)?.map(|bytes| Sha256::digest(bytes).into());
        if there != self.opened {
            return Err(TokenError::Changed(self.path.clone()));
        }
        let form = |_| TokenError::Form(self.path.clone());
        let plain = Zeroizing::new(serde_json::to_vec(&self.table).map_err(form)?);
        let mut recipient = age::scrypt::Recipient::new(self.passphrase.clone());
        if let Some(work_factor) = self.work_factor.filter(|work| (1..=WORK_FACTOR_MAX).contains(work)) {
            recipient.set_work_factor(work_factor);
        }
        let sealed = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(|_| TokenError::Form(self.path.clone()))?;
        let mut bytes = Vec::new();
        let mut writer = sealed.wrap_output(&mut bytes)?;
        writer.write_all(&plain)?;
        writer.finish()?;
        world::replace(&self.path, &bytes)?;
        (self.opened, self.changed) = (Some(Sha256::digest(&bytes).into()), false);
        Ok(())
    }
}

impl Drop for Tokens {
    /// Values are wiped; what the allocator copied before is out of reach.
    fn drop(&mut self) {
        for values in std::mem::take(&mut self.table.domains).into_values() {
            for (mut value, mut token) in values {
                value.zeroize();
                token.zeroize();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const PASSPHRASE: &str = "correct horse battery";

    fn open(path: &Path, passphrase: &str, seed: u64) -> Result<Tokens, TokenError> {
        Tokens::open(path, passphrase.into(), Some(2), ChaCha20Rng::seed_from_u64(seed))
    }

    #[test]
    fn tokens_stay_from_run_to_run_and_say_nothing_of_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.age");
        let mut first = open(&path, PASSPHRASE, 1).unwrap();
        let ann = first.of("patient", "Ann Lee");
        assert_eq!((ann.len(), first.of("patient", "Ann Lee")), (32, ann.clone()));
        assert!(first.of("doctor", "Ann Lee") != ann && first.of("patient", "Bob Ray") != ann);
        first.save().unwrap();
        let mut second = open(&path, PASSPHRASE, 2).unwrap();
        assert_eq!(second.of("patient", "Ann Lee"), ann);
        assert_ne!(open(&folder.path().join("other.age"), PASSPHRASE, 3).unwrap().of("patient", "Ann Lee"), ann);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"Ann Lee"));
    }

    /// Every byte changed, every length cut, another passphrase: refused, and nothing of the table is in the message.
    #[test]
    fn a_tampered_table_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.age");
        let mut tokens = open(&path, PASSPHRASE, 1).unwrap();
        tokens.of("patient", "Ann Lee");
        tokens.save().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let refused = |bytes: &[u8], passphrase: &str| {
            std::fs::write(&path, bytes).unwrap();
            let error = open(&path, passphrase, 1).err().expect("an error").to_string();
            assert!(
                error.contains("cannot be opened") && !error.contains("Ann") && !error.contains(PASSPHRASE),
                "{error}"
            );
        };
        refused(&whole, "another passphrase");
        for at in (0..whole.len()).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            refused(&changed, PASSPHRASE);
            refused(&whole[..at], PASSPHRASE);
        }
    }

    #[test]
    fn a_table_that_another_run_changed_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.age");
        let (mut one, mut two) = (open(&path, PASSPHRASE, 1).unwrap(), open(&path, PASSPHRASE, 2).unwrap());
        one.of("a", "x");
        two.of("a", "x");
        one.save().unwrap();
        assert!(matches!(two.save(), Err(TokenError::Changed(_))));
    }
}
