//! Whom TLS trusts: the authorities of one file, or those of the system. Ring as the provider, TLS 1.2 and 1.3, the name always checked.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::failure::{Failure, Stage, Why};
use crate::world;

pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Certificates of the authorities that are trusted. A file that is named is trusted alone.
pub fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let unreadable = Failure::at(Stage::Settings, Why::CaUnreadable);
    let certificates = match file {
        Some(file) => {
            let text = world::read(file).ok().flatten().ok_or(unreadable)?;
            CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().map_err(|_| unreadable)?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    if certificates.is_empty() { Err(unreadable) } else { Ok(certificates) }
}

/// How TLS is spoken by a client.
pub fn client(file: Option<&Path>) -> Result<Arc<ClientConfig>, Failure> {
    let unreadable = Failure::at(Stage::Settings, Why::CaUnreadable);
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(authorities(file)?);
    if added == 0 {
        return Err(unreadable);
    }
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(|_| Failure::at(Stage::Settings, Why::TlsFailed))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
