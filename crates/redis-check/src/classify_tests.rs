use deadpool_redis::redis::Value;

use super::*;

fn server_error(line: &str) -> ServerError {
    let reply = deadpool_redis::redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
    match reply.unwrap() {
        Value::ServerError(error) => error,
        other => panic!("no error: {other:?}"),
    }
}

/// Errors of servers in states that the tests against real servers do not reach, and texts of
/// versions that are not at hand; the others are proven there.
#[test]
fn errors_are_told_apart() {
    let table = [
        (
            "NOPERM this user has no permissions to access one of the keys used as arguments",
            Fault::KEY_DENIED,
        ),
        ("NOPERM No permissions to access a key", Fault::KEY_DENIED),
        (
            "NOPERM this user has no permissions to run the 'get' command or its subcommand",
            Fault::COMMAND_DENIED,
        ),
        (
            "DENIED Redis is running in protected mode because protected mode is enabled",
            Fault::PROTECTED_MODE,
        ),
        ("ASK 3999 127.0.0.1:6381", Fault::CLUSTER),
        ("MOVED 3999 127.0.0.1:6381", Fault::CLUSTER),
        ("ERR SELECT is not allowed in cluster mode", Fault::CLUSTER),
        ("ERR invalid DB index", Fault::DB_OUT_OF_RANGE),
        ("ERR max number of clients reached", Fault::MAX_CLIENTS),
        (
            "ERR max number of clients + cluster connections reached",
            Fault::MAX_CLIENTS,
        ),
        ("ERR something new", Fault::SERVER_ERROR),
        ("STRANGE", Fault::SERVER_ERROR),
    ];
    for (line, fault) in table {
        let diagnosis = Diagnosis::of_server(&server_error(line));
        assert_eq!(diagnosis.fault, fault, "{line}");
        let driver = Diagnosis::of_redis(&server_error(line).into(), Stage::Connecting);
        assert_eq!(driver.fault, fault, "{line} as the driver's error");
    }
}

#[test]
fn quoted_arguments_are_cut_off() {
    for line in [
        "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `s3cr3t`",
        "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 's3cr3t'",
        "ERR unknown command \"HELLO 3 AUTH default s3cr3t\"",
        "ERR bad request: HELLO 3 AUTH default s3cr3t",
    ] {
        let diagnosis = Diagnosis::of_server(&server_error(line));
        let detail = diagnosis.detail.expose();
        assert!(!detail.contains("s3cr3t"), "{detail}");
        assert!(detail.starts_with("ERR "), "{detail}");
    }
}

#[test]
fn a_timeout_means_what_was_under_way() {
    let error = RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
    let fault = |stage| Diagnosis::of_redis(&error, stage).fault;
    assert_eq!(fault(Stage::Connecting), Fault::CONNECT_TIMEOUT);
    assert_eq!(fault(Stage::Asking), Fault::RESPONSE_TIMEOUT);
}

#[test]
fn what_is_filed_under_io_and_is_not_is_of_tls() {
    let name = rustls::pki_types::ServerName::try_from("no host").unwrap_err();
    let diagnosis = Diagnosis::of_redis(&RedisError::from(name), Stage::Connecting);
    assert_eq!(diagnosis.fault, Fault::TLS_SETUP);
}
