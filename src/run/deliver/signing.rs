//! `[sign]`: the key of a run, and the attestation that is put into its folder before anybody sees it.

use std::path::Path;

#[cfg(feature = "sign")]
use crate::attest::{self, Signer};
use crate::audit::{FileDigest, Record};
use crate::run::Pipeline;

/// Why a run could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[cfg(not(feature = "sign"))]
    #[error("sign: this evenhand was built without signatures; build it with the feature sign, or take [sign] out")]
    Unable,
    #[cfg(feature = "sign")]
    #[error("sign: {0}")]
    Key(String),
    #[cfg(feature = "sign")]
    #[error("sign: {0}")]
    Attest(#[from] attest::AttestError),
}

/// How the folders of a run are signed; not at all without `[sign]`.
pub struct Signing<'a> {
    #[cfg(feature = "sign")]
    signer: Option<Signer>,
    #[cfg_attr(not(feature = "sign"), expect(dead_code, reason = "nothing is signed"))]
    spec_sha256: &'a str,
}

#[cfg(feature = "sign")]
impl<'a> Signing<'a> {
    /// Reads the key. One that cannot be read ends the run before anything is charged or read.
    pub fn open(pipeline: &Pipeline<'a>) -> Result<Signing<'a>, SignError> {
        let signer = pipeline.spec.sign.as_ref().map(|sign| -> Result<Signer, SignError> {
            let key = match (&sign.key_file, &sign.key_env) {
                (Some(file), None) => attest::private_key(&pipeline.folder.join(file)),
                (None, Some(name)) => attest::private_key_of(name),
                _ => Err("exactly one of key_file and key_env names the key".into()),
            };
            Ok(Signer { key: key.map_err(SignError::Key)?, minisign: sign.minisign })
        });
        Ok(Signing { signer: signer.transpose()?, spec_sha256: pipeline.spec_sha256 })
    }

    /// The id of the key that signs.
    pub fn key_id(&self) -> Option<String> {
        self.signer.as_ref().map(|signer| signer.key.public().id().to_string())
    }

    /// The attestation of a run, for its folder, in which `files` are all others. It names the run before, whose folder is beside.
    pub fn attest(
        &self,
        runs: &Path,
        record: &Record,
        files: Vec<FileDigest>,
    ) -> Result<Vec<(String, Vec<u8>)>, SignError> {
        let Some(signer) = &self.signer else { return Ok(Vec::new()) };
        let before = record.previous.as_ref().map(|previous| previous.run_id.as_str());
        let previous = attest::previous(runs, before);
        let of = (self.spec_sha256, crate::audit::REPORT_VERSION);
        Ok(attest::run(signer, record, of, previous, &files)?)
    }
}

#[cfg(not(feature = "sign"))]
impl<'a> Signing<'a> {
    pub fn open(pipeline: &Pipeline<'a>) -> Result<Signing<'a>, SignError> {
        match pipeline.spec.sign {
            Some(_) => Err(SignError::Unable),
            None => Ok(Signing { spec_sha256: pipeline.spec_sha256 }),
        }
    }

    pub fn key_id(&self) -> Option<String> {
        None
    }

    pub fn attest(&self, _: &Path, _: &Record, _: Vec<FileDigest>) -> Result<Vec<(String, Vec<u8>)>, SignError> {
        Ok(Vec::new())
    }
}
