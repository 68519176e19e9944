//! TLS, through a front that ends it before a real server, so that it is tested with servers
//! that were built without; and with the server's own where it has it.

use std::{fs, net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use tria_check::Status;
use tria_devstack::Redis;
use tria_redis_check::{RedisCheck, RedisOptions, codes};

use crate::support::{
    assert_fails, check, detail, hasty, options, pool, probe, server, server_with_password, verify,
};

/// An authority, with its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// A port where TLS ends; what is inside goes on to a server. Closed when dropped.
struct Front {
    port: u16,
    task: JoinHandle<()>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn certify(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { certificate, key }
    }

    fn options(&self, port: u16) -> RedisOptions {
        RedisOptions {
            tls: true,
            ca_file: Some(self.file()),
            ..options(port)
        }
    }
}

impl Front {
    /// Tells a client that does not speak TLS so with an alert.
    async fn start(redis: &Redis, leaf: &Leaf, clients: Option<&Authority>) -> Self {
        Self::serve(redis, leaf, clients, false).await
    }

    /// Closes the connection of a client that does not speak TLS, as Redis' own TLS does.
    async fn start_silent(redis: &Redis, leaf: &Leaf) -> Self {
        Self::serve(redis, leaf, None, true).await
    }

    async fn serve(redis: &Redis, leaf: &Leaf, clients: Option<&Authority>, silent: bool) -> Self {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain: Vec<CertificateDer<'static>> = vec![leaf.certificate.der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
        let config = config.with_single_cert(chain, key).unwrap();
        let (acceptor, behind) = (TlsAcceptor::from(Arc::new(config)), redis.port());

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut first = [0];
                    stream.peek(&mut first).await?;
                    if silent && first != [22] {
                        return Ok(());
                    }
                    if let Ok(mut inside) = acceptor.accept(stream).await {
                        let mut outside = TcpStream::connect((Ipv4Addr::LOCALHOST, behind)).await?;
                        copy_bidirectional(&mut inside, &mut outside).await?;
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        Self { port, task }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const NAMES: &[&str] = &["localhost", "127.0.0.1"];

#[tokio::test]
async fn a_server_behind_tls_is_proven_by_address_and_by_name() {
    let (redis, authority) = (server(&[]).await, Authority::new());
    let front = Front::start(&redis, &authority.certify(NAMES, |_| ()), None).await;
    let outcome = verify(&check(&authority.options(front.port))).await;
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");

    let by_name = RedisOptions {
        host: "localhost".to_owned(),
        ..authority.options(front.port)
    };
    assert_eq!(verify(&check(&by_name)).await.status(), Status::Pass);
}

#[tokio::test]
async fn a_certificate_of_a_strange_authority_is_refused() {
    let (redis, authority) = (server(&[]).await, Authority::new());
    let front = Front::start(&redis, &authority.certify(NAMES, |_| ()), None).await;
    let of_another = Authority::new();
    let of_the_system = RedisOptions {
        ca_file: None,
        ..authority.options(front.port)
    };
    for options in [of_another.options(front.port), of_the_system] {
        let outcome = verify(&check(&options)).await;
        assert_fails(&outcome, codes::TLS_FAILED, true);
        assert!(
            outcome.text().as_str().contains("certificate"),
            "{outcome:?}"
        );
        let detail = detail(&outcome);
        assert!(detail.contains("invalid peer certificate"), "{detail}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_or_another_time_is_refused() {
    let (redis, authority) = (server(&[]).await, Authority::new());
    let strange = authority.certify(&["redis.example"], |_| ());
    let expired = authority.certify(NAMES, |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    for leaf in [strange, expired] {
        let front = Front::start(&redis, &leaf, None).await;
        let outcome = verify(&check(&authority.options(front.port))).await;
        assert_fails(&outcome, codes::TLS_FAILED, true);
        assert!(
            outcome.text().as_str().contains("certificate"),
            "{outcome:?}"
        );
    }
}

/// A server that waits for a line's end, where a zero byte hides it: nobody ever answers.
#[tokio::test]
async fn tls_spoken_to_a_plain_server_is_told() {
    let authority = Authority::new();
    for redis in [server(&[]).await, server_with_password().await] {
        let options = RedisOptions {
            tls: true,
            ca_file: Some(authority.file()),
            connect_timeout: Duration::from_millis(50),
            ..options(redis.port())
        };
        let outcome = verify(&check(&options)).await;
        assert_fails(&outcome, codes::TLS_FAILED, true);
        let text = outcome.text().as_str();
        assert!(text.contains("does not speak TLS"), "{text}");

        let blind = RedisCheck::new(pool(&options));
        assert_fails(&probe(&blind).await, codes::CONNECT_TIMEOUT, false);
        // A server that hangs is still told from it.
        redis.pause();
        assert_fails(
            &verify(&check(&options)).await,
            codes::CONNECT_TIMEOUT,
            false,
        );
        redis.resume();
    }
}

#[tokio::test]
async fn plain_text_spoken_to_a_tls_server_is_told() {
    let (redis, authority) = (server(&[]).await, Authority::new());
    let leaf = authority.certify(NAMES, |_| ());
    let polite = Front::start(&redis, &leaf, None).await;
    let silent = Front::start_silent(&redis, &leaf).await;
    for front in [&polite, &silent] {
        let outcome = verify(&check(&hasty(front.port))).await;
        assert_fails(&outcome, codes::TLS_FAILED, true);
        let text = outcome.text().as_str();
        assert!(text.contains("speaks TLS"), "{text}");
    }
    let blind = RedisCheck::new(pool(&hasty(polite.port)));
    assert_fails(&probe(&blind).await, codes::TLS_FAILED, true);
    let blind = RedisCheck::new(pool(&hasty(silent.port)));
    assert_fails(&probe(&blind).await, codes::CONNECTION_CLOSED, false);
}

#[tokio::test]
async fn a_server_that_asks_for_a_client_certificate_is_told() {
    let (redis, authority) = (server(&[]).await, Authority::new());
    let leaf = authority.certify(NAMES, |_| ());
    let front = Front::start(&redis, &leaf, Some(&authority)).await;
    let outcome = verify(&check(&authority.options(front.port))).await;
    assert_fails(&outcome, codes::TLS_FAILED, true);
    assert!(
        detail(&outcome).contains("CertificateRequired"),
        "{}",
        detail(&outcome)
    );
}

/// The server's own TLS. The server that comes as a wheel was built without; then the test says
/// so, and the front above stands for it.
#[tokio::test]
async fn a_server_with_tls_of_its_own_is_proven() {
    let authority = Authority::new();
    let leaf = authority.certify(NAMES, |_| ());
    let file = |name: &str, pem: String| {
        let path = authority.folder.path().join(name);
        fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = vec![
        format!("tls-port {port}"),
        format!(
            "tls-cert-file \"{}\"",
            file("leaf.pem", leaf.certificate.pem())
        ),
        format!(
            "tls-key-file \"{}\"",
            file("leaf.key", leaf.key.serialize_pem())
        ),
        format!("tls-ca-cert-file \"{}\"", authority.file().display()),
        "tls-auth-clients no".to_owned(),
    ];
    let started = Redis::start(tria_devstack::RedisOptions {
        config,
        ..Default::default()
    });
    let redis = match started.await {
        Ok(redis) => redis,
        Err(error) => {
            let reason = format!("{error:?}").to_ascii_lowercase();
            assert!(reason.contains("tls"), "{reason}");
            eprintln!("NOT TESTED: this Redis was built without TLS; see the tests with a front");
            return;
        }
    };
    let outcome = verify(&check(&authority.options(port))).await;
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");
    let outcome = verify(&check(&hasty(port))).await;
    assert_fails(&outcome, codes::TLS_FAILED, true);
    let outcome = verify(&check(&RedisOptions {
        ca_file: Some(authority.file()),
        tls: true,
        ..hasty(redis.port())
    }))
    .await;
    assert_fails(&outcome, codes::TLS_FAILED, true);
}
