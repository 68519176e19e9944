//! `sslmode` and `sslrootcert` against a server with TLS, and one without.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tria_check::{PublicValue, Retry};
use tria_db_check::pool::{PoolBuildError, PoolOptions};
use tria_devstack::{Postgres, PostgresOptions, Tls};

use crate::support::*;

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The parameters that trust this authority alone.
    fn trusted(&self) -> String {
        let path = self.folder.path().join("root.pem");
        std::fs::write(&path, self.issuer.pem()).unwrap();
        format!("sslrootcert={}", path.display())
    }

    fn certify(&self, name: &str, valid: bool) -> Tls {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if !valid {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        Tls {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
            required: true,
        }
    }
}

async fn serve(tls: Tls) -> Postgres {
    let options = PostgresOptions {
        tls: Some(tls),
        ..PostgresOptions::default()
    };
    Postgres::start(options).await.unwrap()
}

async fn connects(server: &Postgres, parameters: &str) {
    let url = format!("{}?{parameters}", server.url("postgres"));
    let outcome = conforms(&check(&url), &url).await;
    assert_eq!(codes(&outcome), ["ok"], "{parameters}: {outcome:?}");
    let tls = outcome.observed_value("tls");
    assert_eq!(tls, Some(&PublicValue::Bool(true)), "{parameters}");
}

async fn refused(server: &Postgres, parameters: &str, code: &str) {
    let url = format!("{}?{parameters}", server.url("postgres"));
    let outcome = conforms(&check(&url), &url).await;
    assert_refused(&outcome, code, Retry::Permanent);
}

#[tokio::test]
async fn a_certificate_for_the_host_passes_every_mode() {
    let authority = Authority::new();
    let server = serve(authority.certify("127.0.0.1", true)).await;
    let root = authority.trusted();
    refused(&server, "sslmode=disable", "tls_required_by_server").await;
    connects(&server, "").await;
    connects(&server, "sslmode=prefer").await;
    connects(&server, "sslmode=require").await;
    for mode in ["require", "verify-ca", "verify-full"] {
        connects(&server, &format!("sslmode={mode}&{root}")).await;
    }
    let other = Authority::new();
    let stranger = other.trusted();
    for mode in ["require", "verify-ca", "verify-full"] {
        refused(
            &server,
            &format!("sslmode={mode}&{stranger}"),
            "tls_certificate",
        )
        .await;
    }
    for parameters in [
        "sslmode=verify-ca",
        "sslmode=verify-full",
        "sslrootcert=system",
    ] {
        refused(&server, parameters, "tls_certificate").await;
    }
}

#[tokio::test]
async fn only_verify_full_looks_at_the_name() {
    let authority = Authority::new();
    let server = serve(authority.certify("elsewhere.test", true)).await;
    let root = authority.trusted();
    connects(&server, &format!("sslmode=verify-ca&{root}")).await;
    refused(
        &server,
        &format!("sslmode=verify-full&{root}"),
        "tls_certificate",
    )
    .await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused_where_it_is_looked_at() {
    let authority = Authority::new();
    let server = serve(authority.certify("127.0.0.1", false)).await;
    connects(&server, "sslmode=require").await;
    refused(
        &server,
        &format!("sslmode=verify-ca&{}", authority.trusted()),
        "tls_certificate",
    )
    .await;
}

/// What `openssl req -x509` makes: signed by itself and marked as an authority. Given as root it
/// is trusted, as libpq does.
#[tokio::test]
async fn a_self_signed_certificate_is_its_own_root() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let path = folder.path().join("server.pem");
    std::fs::write(&path, &certificate).unwrap();
    let server = serve(Tls {
        certificate,
        key: key.serialize_pem(),
        required: false,
    })
    .await;
    let root = format!("sslrootcert={}", path.display());
    connects(&server, &format!("sslmode=verify-full&{root}")).await;
    let other = Authority::new();
    let stranger = other.trusted();
    refused(
        &server,
        &format!("sslmode=verify-full&{stranger}"),
        "tls_certificate",
    )
    .await;
}

#[tokio::test]
async fn a_server_without_tls_serves_only_those_who_do_without() {
    let server = Postgres::start(PostgresOptions::default()).await.unwrap();
    for parameters in ["", "sslmode=prefer", "sslmode=disable"] {
        let url = format!("{}?{parameters}", server.url("postgres"));
        let outcome = run(&check(&url)).await;
        assert_eq!(codes(&outcome), ["ok"], "{parameters}");
        assert_eq!(
            outcome.observed_value("tls"),
            Some(&PublicValue::Bool(false))
        );
    }
    let authority = Authority::new();
    let root = authority.trusted();
    for parameters in [
        "sslmode=require".to_owned(),
        format!("sslmode=verify-full&{root}"),
    ] {
        refused(&server, &parameters, "tls_unsupported_by_server").await;
    }
}

#[test]
fn bad_roots_are_refused_when_the_pool_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let build = |path: &std::path::Path| {
        let text = format!(
            "postgres://h/d?sslmode=verify-full&sslrootcert={}",
            path.display()
        );
        url(&text).pool(&PoolOptions::default()).unwrap_err()
    };
    let missing = folder.path().join("missing.pem");
    let error = build(&missing);
    assert!(matches!(error, PoolBuildError::RootCertUnreadable { .. }));
    assert!(error.to_string().contains("missing.pem"));
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    assert!(matches!(
        build(&empty),
        PoolBuildError::RootCertEmpty { .. }
    ));
    let broken = folder.path().join("broken.pem");
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&broken, text).unwrap();
    assert!(matches!(
        build(&broken),
        PoolBuildError::RootCertInvalid { .. }
    ));
}
