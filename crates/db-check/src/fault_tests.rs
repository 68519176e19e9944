use std::collections::BTreeSet;

use super::*;

#[test]
fn every_code_is_declared_once() {
    let unique: BTreeSet<&str> = CODES.iter().map(|code| code.as_str()).collect();
    assert_eq!(unique.len(), CODES.len());
    for fault in ALL {
        assert!(CODES.contains(&fault.code()));
    }
}

#[test]
fn every_fault_says_what_is_wrong_and_what_to_do() {
    for fault in ALL {
        let finding = fault.finding(PrivateText::new("x"));
        assert!(
            fault.text().len() > 10 && fault.remedy().len() > 3,
            "{fault:?}"
        );
        assert!(!fault.text().ends_with('.'), "{fault:?}");
        let transient = finding.retry() != tria_check::Retry::Permanent;
        assert_eq!(transient, fault.is_transient());
    }
}

#[test]
fn causes_are_found_through_whatever_wraps_them() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(of_io(&refused), Some(&CONNECT_REFUSED));
    let wrapped = io::Error::other(io::Error::other(rustls::Error::NoCertificatesPresented));
    assert_eq!(of_io(&wrapped), Some(&TLS_CERTIFICATE));
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
    assert_eq!(of_io(&io::Error::other(alert)), Some(&TLS_HANDSHAKE));
    assert_eq!(of_io(&io::Error::other("anything")), None);
}

/// The texts are those of `ClientAuthentication` in `auth.c` of PostgreSQL 15 and 12.
#[test]
fn a_rule_of_pg_hba_is_told_from_a_login() {
    let by = |routine: Option<&str>, message: &str| of_authorization(routine, message).code();
    let no_entry = "no pg_hba.conf entry for host \"::1\", user \"u\", database \"d\", ";
    assert_eq!(
        by(None, &format!("{no_entry}no encryption")),
        TLS_REQUIRED.code()
    );
    assert_eq!(by(None, &format!("{no_entry}SSL off")), TLS_REQUIRED.code());
    assert_eq!(
        by(None, &format!("{no_entry}SSL encryption")),
        NOT_ALLOWED.code()
    );
    let localised = by(Some("ClientAuthentication"), "kein Eintrag");
    assert_eq!(localised, NOT_ALLOWED.code());
    let login = by(Some("InitializeSessionUserId"), "role \"u\" does not exist");
    assert_eq!(login, AUTH_FAILED.code());
}

#[test]
fn an_error_is_found_in_a_chain() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] PoolError);
    assert_eq!(
        Fault::in_chain(&Outer(PoolError::Closed)),
        Some(&POOL_CLOSED)
    );
    assert_eq!(Fault::in_chain(&io::Error::other("else")), None);
}
