//! TLS that is not there, and certificates that are not to be trusted.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{io::AsyncWriteExt, net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tria_llm_check::{EndpointError, TlsError, codes};

use super::{
    raw_server::{RawServer, Then, read_head},
    *,
};

/// A server that answers every request over TLS with the model, until it is dropped.
struct TlsServer {
    port: u16,
    certificate_pem: String,
    task: JoinHandle<()>,
}

impl TlsServer {
    async fn start(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    while read_head(&mut stream).await {
                        let body = format!(r#"{{"id":"{MODEL}"}}"#);
                        let head =
                            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                        let _ = stream.write_all((head + &body).as_bytes()).await;
                    }
                });
            }
        });
        Self {
            port,
            certificate_pem: certificate.pem(),
            task,
        }
    }

    fn base(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/v1", self.port)
    }

    fn trusted(&self) -> LlmCheck {
        let options = options(&self.base("https")).extra_roots_pem(self.certificate_pem.as_str());
        LlmCheck::new(&options.build().unwrap(), MODEL)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn certificate_for(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

#[tokio::test]
async fn a_trusted_certificate_passes_and_a_stranger_does_not() {
    let server = TlsServer::start(certificate_for("127.0.0.1")).await;
    assert_passed(&verified(&server.trusted()).await);
    let outcome = verified(&LlmCheck::new(&endpoint(&server.base("https")), MODEL)).await;
    assert_permanent(&outcome, codes::TLS_FAILED);
    assert!(
        outcome.text().as_str().contains("not trusted"),
        "{outcome:?}"
    );
    assert!(
        detail(&outcome).contains("UnknownIssuer"),
        "{}",
        detail(&outcome)
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told() {
    let server = TlsServer::start(certificate_for("models.example")).await;
    let outcome = verified(&server.trusted()).await;
    assert_permanent(&outcome, codes::TLS_FAILED);
    assert!(
        outcome.text().as_str().contains("another host"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told() {
    for (from, to, text) in [
        (
            date_time_ymd(2001, 1, 1),
            date_time_ymd(2002, 1, 1),
            "expired",
        ),
        (
            date_time_ymd(2120, 1, 1),
            date_time_ymd(2121, 1, 1),
            "not valid yet",
        ),
    ] {
        let mut params = certificate_for("127.0.0.1");
        (params.not_before, params.not_after) = (from, to);
        let server = TlsServer::start(params).await;
        let outcome = verified(&server.trusted()).await;
        assert_permanent(&outcome, codes::TLS_FAILED);
        assert!(outcome.text().as_str().contains(text), "{outcome:?}");
    }
}

#[tokio::test]
async fn tls_to_a_plain_port_is_told() {
    let server = answering(model(MODEL)).await;
    let base = format!("https://{}/v1", server.address());
    let outcome = verified(&LlmCheck::new(&endpoint(&base), MODEL)).await;
    assert_permanent(&outcome, codes::TLS_FAILED);
    assert!(remedy(&outcome).contains("http://"), "{outcome:?}");
}

#[tokio::test]
async fn plain_http_to_a_tls_port_is_told() {
    let server = TlsServer::start(certificate_for("127.0.0.1")).await;
    let outcome = verified(&LlmCheck::new(&endpoint(&server.base("http")), MODEL)).await;
    assert_permanent(&outcome, codes::NOT_OPENAI_API);
    assert!(remedy(&outcome).contains("http or https"), "{outcome:?}");
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_connect_timeout() {
    let server = RawServer::start(Then::Hang).await;
    let base = format!("https://127.0.0.1:{}/v1", server.port());
    let options = options(&base).connect_timeout(Duration::from_millis(100));
    let check = LlmCheck::new(&options.build().unwrap(), MODEL);
    let outcome = verified(&check).await;
    assert_transient(&outcome, codes::CONNECT_TIMEOUT, None);
    assert!(
        outcome.text().as_str().contains("No connection"),
        "{outcome:?}"
    );
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    let built = options("https://127.0.0.1/v1")
        .extra_roots_pem("no pem")
        .build();
    assert!(matches!(
        built,
        Err(EndpointError::Tls(TlsError::ExtraRoots))
    ));
}
