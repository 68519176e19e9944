//! A wrong environment: refused with 78 before any connection is tried.

use std::time::Duration;

use tria_tests::{Keys, run};

/// Points at ports where nobody listens: a connection that was tried would be told.
fn keys() -> Keys {
    let keys = [
        (
            "DATABASE_URL",
            "postgres://app:Zk4vQ9tLw2Xs@127.0.0.1:1/app",
        ),
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", "1"),
        ("OPENAI_API_KEY", "sk-Zk4vQ9tLw2XsRb7nMq3Y"),
        ("SECRET_KEY", "k7Qw2Zt9Lx4Vb8Nm1Rc6Yp3Hd5Jf0GsA"),
        ("TAX_RATE", "0.06"),
        ("CHROMA_URL", "http://127.0.0.1:1"),
        ("PORT", "0"),
    ];
    keys.into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

const REQUIRED: [&str; 7] = [
    "DATABASE_URL",
    "REDIS_HOST",
    "REDIS_PORT",
    "OPENAI_API_KEY",
    "SECRET_KEY",
    "TAX_RATE",
    "CHROMA_URL",
];

/// Runs `serve`, expects to be refused for `key`, and that nothing else was tried.
#[track_caller]
fn refused(keys: &Keys, key: &str, problem: &str) {
    let ended = run(&["serve"], keys);
    ended.expect(
        78,
        &[
            key,
            problem,
            "remedy:",
            "not tried",
            "STARTUP REFUSED - 1 PROBLEM",
        ],
    );
    ended.within(Duration::from_secs(1));
    assert!(
        !ended.text().contains("refused ["),
        "a connection was tried:\n{}",
        ended.text()
    );
}

#[test]
fn each_required_key_is_missed() {
    for key in REQUIRED {
        let mut keys = keys();
        keys.remove(key);
        refused(&keys, key, "not set");
    }
}

#[test]
fn an_empty_key_is_told_apart_from_a_missing_one() {
    for key in REQUIRED {
        for empty in ["", "   "] {
            let mut keys = keys();
            keys.insert(key.to_owned(), empty.to_owned());
            refused(&keys, key, "empty");
        }
    }
}

#[test]
fn a_malformed_key_is_told_with_what_is_wrong() {
    let table = [
        ("DATABASE_URL", "mysql://app:pw@localhost/app", "postgres"),
        ("DATABASE_URL", "not a url", "postgres"),
        ("REDIS_PORT", "65536", "65535"),
        ("REDIS_PORT", "six", "number"),
        ("REDIS_HOST", "two words", "host"),
        ("OPENAI_API_KEY", "pk-00000000000000000000", "sk-"),
        ("OPENAI_API_KEY", "sk-short", "20"),
        ("SECRET_KEY", "tooshort", "32"),
        ("TAX_RATE", "6", "1"),
        ("TAX_RATE", "-0.1", "0"),
        ("TAX_RATE", "six percent", "number"),
        ("CHROMA_URL", "localhost:8000", "http"),
        ("ENVIRONMENT", "prod", "production"),
        ("PORT", "70000", "65535"),
        ("STARTUP_DEADLINE", "60", "without a unit"),
        ("LOG_FORMAT", "xml", "json"),
        ("REDIS_TLS", "perhaps", "true"),
        ("DB_POOL_SIZE", "0", "1"),
        ("OPTIONAL_CHECKS", "redis,nobody", "nobody"),
    ];
    for (key, value, problem) in table {
        let mut keys = keys();
        keys.insert(key.to_owned(), value.to_owned());
        refused(&keys, key, problem);
    }
}

#[test]
fn three_that_are_wrong_are_told_at_once() {
    let mut keys = keys();
    keys.remove("SECRET_KEY");
    keys.insert("REDIS_PORT".into(), "nine".into());
    keys.insert("TAX_RATE".into(), "9".into());
    let ended = run(&["serve"], &keys);
    ended.expect(
        78,
        &[
            "SECRET_KEY",
            "REDIS_PORT",
            "TAX_RATE",
            "STARTUP REFUSED - 3 PROBLEMS",
        ],
    );
}

#[test]
fn a_secret_is_never_shown_whatever_is_wrong_with_it() {
    let planted = [
        (
            "DATABASE_URL",
            "postgres://app:planted-Xy7@[broken/app",
            "planted-Xy7",
        ),
        ("OPENAI_API_KEY", "planted-Qw8-not-a-key", "planted-Qw8"),
        ("SECRET_KEY", "planted-Zz9", "planted-Zz9"),
        ("REDIS_PASSWORD", "planted-Aa1\u{7}", "planted-Aa1"),
    ];
    for command in [
        &["serve"][..],
        &["check"],
        &["check", "--json"],
        &["config"],
        &["migrate"],
    ] {
        let mut keys = keys();
        for (key, value, _) in planted {
            keys.insert(key.to_owned(), value.to_owned());
        }
        let text = run(command, &keys).text();
        for (key, _, secret) in planted {
            assert!(!text.contains(secret), "{command:?} shows {key}:\n{text}");
        }
    }
}

#[test]
fn production_is_strict() {
    let mut keys = keys();
    keys.insert("ENVIRONMENT".into(), "production".into());
    keys.insert(
        "SECRET_KEY".into(),
        "change_this_secret_key_in_production".into(),
    );
    keys.insert(
        "DATABASE_URL".into(),
        "postgres://postgres:postgres@127.0.0.1:1/app".into(),
    );
    let ended = run(&["serve"], &keys);
    ended.expect(
        78,
        &[
            "SECRET_KEY",
            "DATABASE_URL",
            "REDIS_PASSWORD",
            "DIAGNOSTICS_TOKEN",
        ],
    );
    keys.insert("ENVIRONMENT".into(), "development".into());
    keys.insert("STARTUP_DEADLINE".into(), "100ms".into());
    // The same values only warn here, and the start goes on to the connections.
    let ended = run(&["serve"], &keys);
    ended.expect(75, &["SECRET_KEY", "DATABASE_URL"]);
}

#[test]
fn a_misspelt_key_is_told_with_its_neighbour() {
    let mut keys = keys();
    keys.remove("REDIS_HOST");
    keys.insert("REDIS_HSOT".into(), "127.0.0.1".into());
    refused(&keys, "REDIS_HOST", "REDIS_HSOT");
}

#[test]
fn a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret-key");
    let mut keys = keys();
    let secret = keys.remove("SECRET_KEY").unwrap();
    keys.insert("SECRET_KEY_FILE".into(), file.display().to_string());
    refused(&keys, "SECRET_KEY", "secret-key");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    keys.insert("STARTUP_DEADLINE".into(), "100ms".into());
    run(&["serve"], &keys).expect(75, &["Environment validation passed"]);
}
