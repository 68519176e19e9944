//! A process in which nobody installed a rustls crypto provider; so it is a binary of its own.
#![allow(clippy::unwrap_used)]

mod support;

use tria_chroma::{ChromaClient, Error};

#[tokio::test]
async fn http_needs_no_provider() {
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    let chroma = ChromaClient::new(&support::server().await).unwrap();
    chroma.heartbeat().await.unwrap();
}

#[tokio::test]
async fn https_without_a_provider_is_an_error_and_no_panic() {
    let error = ChromaClient::new("https://127.0.0.1:1").unwrap_err();
    assert!(matches!(error, Error::NoCryptoProvider), "{error:?}");
}
