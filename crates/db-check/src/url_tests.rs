use super::*;
use tokio_postgres::config::SslMode;

fn parse(url: &str) -> Result<DatabaseUrl, UrlError> {
    DatabaseUrl::parse(&url.into())
}

fn policy_of(parameters: &str) -> TlsPolicy {
    parse(&format!("postgres://u:p@h/d{parameters}"))
        .unwrap()
        .tls
}

fn file() -> Roots {
    Roots::File("/etc/roots.pem".into())
}

#[test]
fn both_schemes_are_read() {
    for scheme in ["postgres", "postgresql"] {
        let url = parse(&format!("{scheme}://app:s%40crt@db.test:5433/shop")).unwrap();
        assert_eq!(
            url.target().to_string(),
            "db.test:5433 database shop as app"
        );
        assert_eq!(url.config.get_password(), Some(b"s@crt".as_slice()));
    }
    for bad in ["mysql://h/d", "h:5432/d", "", "host=h dbname=d"] {
        assert!(matches!(parse(bad), Err(UrlError::Scheme)), "{bad}");
    }
}

#[test]
fn modes_mean_what_they_mean_in_libpq() {
    assert_eq!(policy_of(""), TlsPolicy::Prefer);
    assert_eq!(policy_of("?sslmode=disable"), TlsPolicy::Disable);
    assert_eq!(policy_of("?sslmode=prefer"), TlsPolicy::Prefer);
    assert_eq!(policy_of("?sslmode=require"), TlsPolicy::Require);
    let system = TlsPolicy::VerifyCa(Roots::System);
    assert_eq!(policy_of("?sslmode=verify-ca"), system);
    let system = TlsPolicy::VerifyFull(Roots::System);
    assert_eq!(policy_of("?sslmode=verify-full"), system);
    assert_eq!(policy_of("?sslrootcert=system"), system);

    let with_root = |mode| policy_of(&format!("?sslrootcert=%2Fetc/roots.pem&sslmode={mode}"));
    assert_eq!(with_root("prefer"), TlsPolicy::Prefer);
    assert_eq!(with_root("require"), TlsPolicy::VerifyCa(file()));
    assert_eq!(with_root("verify-ca"), TlsPolicy::VerifyCa(file()));
    assert_eq!(with_root("verify-full"), TlsPolicy::VerifyFull(file()));
}

#[test]
fn contradictions_are_refused() {
    let refused = |parameters: &str| parse(&format!("postgres://h/d?{parameters}")).unwrap_err();
    for mode in ["allow", "on", "VERIFY-FULL", ""] {
        let error = refused(&format!("sslmode={mode}"));
        assert!(matches!(error, UrlError::SslMode), "{mode}: {error}");
    }
    assert!(matches!(
        refused("sslrootcert=system&sslmode=require"),
        UrlError::SystemRootsNeedVerifyFull
    ));
    assert!(matches!(
        refused("sslnegotiation=direct"),
        UrlError::DirectNeedsTls
    ));
    assert!(matches!(
        refused("sslcert=/x"),
        UrlError::Unsupported("sslcert")
    ));
    assert!(matches!(refused("port=x"), UrlError::Invalid(_)));
    assert!(matches!(
        refused("dbname=a&pgbouncer=true"),
        UrlError::Unknown(2)
    ));
}

#[test]
fn a_host_is_needed() {
    for bad in ["postgres:///d", "postgres://u:p@/d", "postgres://u@,h/d"] {
        assert!(matches!(parse(bad), Err(UrlError::NoHost)), "{bad}");
    }
}

#[test]
fn a_unix_socket_has_no_tls() {
    let url = parse("postgres://u@%2Frun%2Fpostgresql/d?sslmode=require").unwrap();
    assert_eq!(url.tls, TlsPolicy::Disable);
    assert_eq!(url.config.get_ssl_mode(), SslMode::Disable);
    assert_eq!(
        url.target().to_string(),
        "/run/postgresql:5432 database d as u"
    );
}

#[test]
fn several_hosts_are_one_target() {
    let url = parse("postgres://u@a:1,b:2/d").unwrap();
    assert_eq!(url.target().to_string(), "a:1,b:2 database d as u");
}

/// A password that was not encoded would end up in the host, the path or the parameters, which
/// are shown: no error, target or debug text may hold a piece of it.
#[test]
fn an_unencoded_password_is_refused_without_showing_it() {
    for bad in [
        "postgres://u:Pl4n@ted@h/d",
        "postgres://u:Pl4n/ted@h/d",
        "postgres://u:Pl4n?ted@h/d",
        "postgres://u:p@h/d?user=x&password=Pl4n@ted",
    ] {
        let error = parse(bad).unwrap_err();
        assert!(matches!(error, UrlError::BareCredentials), "{bad}: {error}");
    }
    for bad in [
        "postgres://h/d?password=Pl4n&ted=1",
        "postgres://h/d?password=x&Pl4nted",
        "postgres://h:Pl4nted/d",
        "postgres://h/d?sslmode=Pl4nted",
    ] {
        let error = parse(bad).unwrap_err();
        let shown = format!("{error:?} {error} {:?}", std::error::Error::source(&error));
        assert!(
            !shown.contains("Pl4n") && !shown.contains("ted=1"),
            "{shown}"
        );
    }
}

#[test]
fn the_password_is_in_no_text() {
    let url = parse("postgres://app:Pl4nted@h/d?password=Pl4nted").unwrap();
    let shown = format!("{url:?} {}", url.target());
    assert!(!shown.contains("Pl4nted"), "{shown}");
}

#[test]
fn only_a_password_can_be_changed_while_it_is_in_use() {
    let url = "postgres://app:first@h:5432/d?sslmode=require&connect_timeout=3";
    let used = parse(url).unwrap();
    let clone = used.clone();
    let rotate = |to: &str| used.rotate(&parse(to).unwrap());
    assert_eq!(rotate(url), Ok(false));
    assert_eq!(rotate(&url.replace("first", "s%40cond")), Ok(true));
    assert!(clone.password.is(Some(b"s@cond")));
    assert_eq!(rotate(&url.replace("first", "s%40cond")), Ok(false));
    for elsewhere in [
        url.replace("app", "other"),
        url.replace("@h", "@g"),
        url.replace("5432", "5433"),
        url.replace("/d", "/e"),
        url.replace("require", "disable"),
        url.replace("require", "verify-full"),
        url.replace("=3", "=4"),
        url.replace(":first", ""),
    ] {
        assert_eq!(rotate(&elsewhere), Err(LeadsElsewhere), "{elsewhere}");
    }
    assert!(used.password.is(Some(b"s@cond")), "nothing was changed");

    let without = parse("postgres://app@h/d").unwrap();
    assert_eq!(without.rotate(&without.clone()), Ok(false));
    assert_eq!(without.rotate(&used), Err(LeadsElsewhere));
}
