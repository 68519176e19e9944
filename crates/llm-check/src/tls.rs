//! TLS that nobody has to set up first.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Why no TLS configuration could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The system trusts no certificate authority, as in an image without `ca-certificates`.
    #[error(
        "no trusted root certificates were found; install ca-certificates or point SSL_CERT_FILE at a PEM file"
    )]
    NoRoots,
    /// The additional root certificates are no PEM certificates.
    #[error("the additional root certificates are not valid PEM certificates")]
    ExtraRoots,
    /// The cryptography provider and the TLS versions do not fit.
    #[error("the TLS versions are not supported")]
    Versions(#[source] rustls::Error),
}

/// A TLS client configuration with an explicit provider (ring), the system's root certificates
/// and those of `extra_roots` (PEM; may be empty), for
/// `reqwest::ClientBuilder::tls_backend_preconfigured`.
///
/// Without it reqwest 0.13, built as `rustls-no-provider`, **panics** when it makes a client in a
/// process that has installed no default provider, be the URL `http` or `https`. The configuration
/// offers HTTP/1.1 only, as reqwest is built without HTTP/2 here.
///
/// The system's certificates are those that `rustls-native-certs` finds; it follows
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`.
///
/// # Errors
/// When there is no root certificate at all, or `extra_roots` holds something else.
pub fn client_config(extra_roots: &[u8]) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    add_extra(&mut roots, extra_roots)?;
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    configure(roots)
}

/// A configuration that trusts nobody: reqwest wants one even where no TLS is ever spoken, and
/// reading the system's certificates costs milliseconds.
pub(crate) fn unused_config() -> Result<ClientConfig, TlsError> {
    configure(RootCertStore::empty())
}

fn add_extra(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TlsError> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| TlsError::ExtraRoots)?;
        roots.add(certificate).map_err(|_| TlsError::ExtraRoots)?;
        found += 1;
    }
    if found == 0 && !pem.is_empty() {
        return Err(TlsError::ExtraRoots);
    }
    Ok(())
}

fn configure(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        for pem in [
            "hello",
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
        ] {
            let mut roots = RootCertStore::empty();
            let refused = add_extra(&mut roots, pem.as_bytes());
            assert!(matches!(refused, Err(TlsError::ExtraRoots)), "{pem}");
        }
    }
}
