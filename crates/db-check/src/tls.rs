//! What `sslmode` and `sslrootcert` ask for, as libpq means them
//! (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use crate::pool::PoolBuildError;

/// How much of the server is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TlsPolicy {
    /// No TLS at all.
    Disable,
    /// Encrypted where the server offers it, nothing verified.
    Prefer,
    /// Encrypted, nothing verified.
    Require,
    /// Encrypted, and the certificate comes from a trusted authority.
    VerifyCa(Roots),
    /// As before, and the certificate is made out to the host.
    VerifyFull(Roots),
}

/// The authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those of the operating system.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// The client's side of TLS for a policy; `None` where there is none.
pub(crate) fn client_config(
    policy: &TlsPolicy,
    direct: bool,
) -> Result<Option<ClientConfig>, PoolBuildError> {
    let provider = Arc::new(ring::default_provider());
    let trust = match policy {
        TlsPolicy::Disable => return Ok(None),
        TlsPolicy::Prefer | TlsPolicy::Require => Trust::Anything,
        TlsPolicy::VerifyCa(roots) => Trust::Authority(Anchors::load(roots)?),
        TlsPolicy::VerifyFull(roots) => Trust::AuthorityAndName(Anchors::load(roots)?),
    };
    let verifier = Verifier {
        trust,
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = builder(provider)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    if direct {
        // Without the PostgreSQL request first, the server insists on its ALPN name.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(Some(config))
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn builder(provider: Arc<CryptoProvider>) -> Result<Builder, PoolBuildError> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(PoolBuildError::Tls)
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Trust {
    Anything,
    Authority(Anchors),
    AuthorityAndName(Anchors),
}

#[derive(Debug)]
struct Anchors {
    store: RootCertStore,
    /// The certificates as they are: a server's own self-signed certificate given as root is
    /// trusted as such. Webpki alone refuses it where it is marked as an authority, which is
    /// what `openssl req -x509` makes by default.
    given: Vec<CertificateDer<'static>>,
}

// === impl Anchors ===

impl Anchors {
    fn load(roots: &Roots) -> Result<Self, PoolBuildError> {
        match roots {
            Roots::System => Self::system(),
            Roots::File(path) => Self::file(path),
        }
    }

    fn system() -> Result<Self, PoolBuildError> {
        let loaded = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        let (added, _ignored) = store.add_parsable_certificates(loaded.certs);
        if added == 0 {
            return Err(PoolBuildError::NoSystemRoots);
        }
        let given = Vec::new();
        Ok(Self { store, given })
    }

    fn file(path: &PathBuf) -> Result<Self, PoolBuildError> {
        let unreadable = |source| PoolBuildError::RootCertUnreadable {
            path: path.clone(),
            source,
        };
        let given: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(unreadable)?;
        let mut store = RootCertStore::empty();
        for certificate in &given {
            let added = store.add(certificate.clone());
            added.map_err(|source| PoolBuildError::RootCertInvalid {
                path: path.clone(),
                source,
            })?;
        }
        if given.is_empty() {
            return Err(PoolBuildError::RootCertEmpty { path: path.clone() });
        }
        Ok(Self { store, given })
    }
}

// === impl Verifier ===

impl Verifier {
    fn verify_chain(
        &self,
        anchors: &Anchors,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if anchors.given.iter().any(|given| given == leaf) {
            return Ok(());
        }
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(leaf)?,
            &anchors.store,
            intermediates,
            now,
            self.algorithms.all,
        )
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.trust {
            Trust::Anything => {}
            Trust::Authority(anchors) => self.verify_chain(anchors, leaf, intermediates, now)?,
            Trust::AuthorityAndName(anchors) => {
                self.verify_chain(anchors, leaf, intermediates, now)?;
                verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, leaf, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, leaf, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
