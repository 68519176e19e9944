use std::time::Duration;

use super::*;

fn verdicts(judge: impl Fn(&str) -> Shape, good: &[&str], bad: &[&str]) {
    for value in good {
        assert_eq!(judge(value), Ok(()), "{value:?} is refused");
    }
    for value in bad {
        assert!(
            matches!(judge(value), Err(Misshape::Malformed(_))),
            "{value:?} is {:?}",
            judge(value)
        );
    }
}

#[test]
fn numbers() {
    let any = i64::MIN..=i64::MAX;
    verdicts(
        |value| integer(value, &any),
        &["0", "-1", "+7", "007", "9223372036854775807"],
        &["", "-", "1.0", "1e3", "0x10", "1 0", "１", "eight", "1_000"],
    );
    assert_eq!(
        integer("99999999999999999999", &any),
        Err(Misshape::OutOfRange)
    );
    assert_eq!(integer("65536", &(1..=65_535)), Err(Misshape::OutOfRange));
    verdicts(
        |value| float(value, &(-1e9..=1e9)),
        &["0", "1", "0.0", "1.", ".5", "1e-1", "-0"],
        &["", "NaN", "inf", "-infinity", "0,08", "8%", "1.2.3"],
    );
    let comma = float("0,08", &(0.0..=1.0));
    assert_eq!(comma, Err(Misshape::Malformed("has a decimal comma")));
    verdicts(
        |value| decimal(value, 2, &(0.01..=1e9)),
        &["0.01", "100000.00", "5", "5.0"],
        &["0.011", "1e3", "5.", "NaN", "1,00"],
    );
    assert_eq!(decimal("0.00", 2, &(0.01..=1.0)), Err(Misshape::OutOfRange));
}

#[test]
fn flags_and_durations() {
    verdicts(
        boolean,
        &["true", "FALSE", "1", "0", "yes", "Off"],
        &["", "2", "y", "enabled"],
    );
    let hour = Duration::ZERO..=Duration::from_secs(3600);
    verdicts(
        |value| duration(value, &hour),
        &["500ms", "3s", "2m", "0s", "1h", "1m 30s"],
        &["", "3", "1.5", "3 sekunden", "s", "-3s", "∞"],
    );
    assert_eq!(duration("61m", &hour), Err(Misshape::OutOfRange));
    let bare = duration("30", &hour);
    assert_eq!(
        bare,
        Err(Misshape::Malformed("is a duration without a unit"))
    );
}

#[test]
fn hosts() {
    let long = "a".repeat(64);
    verdicts(
        host,
        &[
            "localhost",
            "redis",
            "redis_1",
            "db.internal.",
            "10.0.0.7",
            "::1",
            "::",
            "0.0.0.0",
            "a-b.example.org",
        ],
        &[
            "",
            " ",
            "redis:6379",
            "redis://redis",
            "6379",
            "256.1.1.1",
            "a..b",
            "-a",
            "a-",
            "höst",
            "a b",
            "[::1]",
            "/run/redis.sock",
            &long,
        ],
    );
    verdicts(
        host_and_port,
        &[
            "localhost:1",
            "10.0.0.7:65535",
            "[::1]:8000",
            "redis_1:6379",
        ],
        &[
            "",
            "localhost",
            "localhost:",
            ":80",
            "localhost:0",
            "localhost:65536",
            "localhost:+80",
            "::1:80",
            "http://a:80",
            "[10.0.0.7]:80",
        ],
    );
}

#[test]
fn addresses() {
    verdicts(
        ip_address,
        &["127.0.0.1", "0.0.0.0", "::", "fe80::1"],
        &[
            "",
            "localhost",
            "127.0.0.1:80",
            "[::1]",
            "256.0.0.1",
            "127.1",
        ],
    );
}

#[test]
fn lists_and_tokens() {
    verdicts(
        names,
        &[
            "a",
            "database,redis",
            "database, redis",
            "redis, openai ,",
            "db.pool-1",
        ],
        &["", ",", "A", "a b", "a;b"],
    );
    verdicts(visible_ascii, &["sk-a!~"], &["a b", "é", "a\n", "\u{7f}"]);
}

#[test]
fn edges_that_nobody_sees() {
    for bad in [" a", "a ", "a\r", "a\n", "\u{a0}a", "\"a\"", "'a'", "a\0"] {
        assert!(edges(bad).is_some(), "{bad:?}");
    }
    for good in ["a", "a b", "\"", "it's", "\"a'"] {
        assert!(edges(good).is_none(), "{good:?}");
    }
}
