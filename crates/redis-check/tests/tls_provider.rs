//! Alone in its process: rustls' provider is one for the whole process.
#![allow(clippy::unwrap_used)]

use rustls::crypto::CryptoProvider;
use tokio::net::TcpListener;
use tria_check::{Status, conformance::Kit};
use tria_redis_check::{RedisCheck, RedisOptions, build_pool, codes};

#[tokio::test]
async fn a_pool_with_tls_needs_nobody_to_have_installed_a_provider() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let closer = tokio::spawn(async move { while listener.accept().await.is_ok() {} });

    build_pool(&RedisOptions::new("127.0.0.1", port)).unwrap();
    assert!(
        CryptoProvider::get_default().is_none(),
        "without TLS nothing is installed"
    );

    let options = RedisOptions {
        tls: true,
        ..RedisOptions::new("127.0.0.1", port)
    };
    let check = RedisCheck::new(build_pool(&options).unwrap());
    assert!(CryptoProvider::get_default().is_some());
    // The handshake begins, where the driver would panic, and is cut by the other side.
    let outcome = Kit::new().verify(&check).await.unwrap();
    assert_eq!(
        (outcome.status(), outcome.code()),
        (Status::Fail, codes::CONNECTION_CLOSED)
    );
    closer.abort();
}
