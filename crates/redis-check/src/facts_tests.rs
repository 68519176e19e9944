use deadpool_redis::redis::parse_redis_value;

use super::*;

const VALKEY_INFO: &str = "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\n\
    valkey_version:9.1.2\r\nserver_mode:standalone\r\n# Clients\r\nconnected_clients:3\r\n\
    maxclients:10000\r\n# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\n\
    maxmemory_policy:noeviction\r\n";

fn hello(server: &str, version: &str, mode: &str) -> Value {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let pairs = [("server", server), ("version", version), ("mode", mode)];
    let body: String = pairs
        .iter()
        .map(|(key, value)| bulk(key) + &bulk(value))
        .collect();
    parse_redis_value(format!("*6\r\n{body}").as_bytes()).unwrap()
}

fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

fn memory(used: u64, most: u64, policy: &str) -> Facts {
    let info = format!("used_memory:{used}\r\nmaxmemory:{most}\r\nmaxmemory_policy:{policy}\r\n");
    Facts::read(&Value::Nil, &bulk(&info))
}

fn codes_of(facts: &Facts) -> Vec<&'static str> {
    let warnings = facts.warnings();
    warnings.iter().map(|it| it.code().as_str()).collect()
}

#[test]
fn the_name_comes_from_what_the_server_says() {
    let cases = [
        (
            hello("redis", "7.0.15", "standalone"),
            Value::Nil,
            "Connected to Redis 7.0.15",
        ),
        (
            hello("valkey", "8.0.1", "standalone"),
            Value::Nil,
            "Connected to Valkey 8.0.1",
        ),
        // A Valkey that introduces itself as the Redis it is compatible with.
        (
            hello("redis", "7.2.4", "standalone"),
            bulk(VALKEY_INFO),
            "Connected to Valkey 9.1.2",
        ),
        (
            Value::Nil,
            bulk("redis_version:6.0.16\r\n"),
            "Connected to Redis 6.0.16",
        ),
        (
            Value::Nil,
            Value::Nil,
            "Connected to Redis, version unknown",
        ),
        (
            hello("<b>", "1;2", "standalone"),
            Value::Nil,
            "Connected to ?b? 1?2",
        ),
    ];
    for (hello, info, text) in cases {
        assert_eq!(Facts::read(&hello, &info).connected().text().as_str(), text);
    }
}

#[test]
fn versions_before_six_are_too_old() {
    for (version, too_old) in [
        ("5.0.14", true),
        ("2.8", true),
        ("6.0.0-rc1", false),
        ("10.1", false),
        ("unstable", false),
    ] {
        let facts = Facts::read(&hello("redis", version, "standalone"), &Value::Nil);
        assert_eq!(facts.too_old().is_some(), too_old, "{version}");
    }
}

#[test]
fn all_policies_but_noeviction_drop_keys_once_there_is_a_limit() {
    for policy in [
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ] {
        assert_eq!(
            codes_of(&memory(10, 1000, policy)),
            ["eviction_policy"],
            "{policy}"
        );
        assert_eq!(
            codes_of(&memory(10, 0, policy)),
            [""; 0],
            "{policy} without a limit"
        );
    }
    assert_eq!(codes_of(&memory(10, 1000, "noeviction")), [""; 0]);
}

#[test]
fn memory_is_high_above_ninety_percent() {
    assert_eq!(codes_of(&memory(900, 1000, "noeviction")), [""; 0]);
    assert_eq!(codes_of(&memory(901, 1000, "noeviction")), ["memory_high"]);
    assert_eq!(
        codes_of(&memory(u64::MAX, u64::MAX, "noeviction")),
        ["memory_high"]
    );
    assert_eq!(codes_of(&memory(1000, 0, "noeviction")), [""; 0]);
}

#[test]
fn a_server_that_tells_nothing_is_unknown_and_not_warned_about() {
    let facts = Facts::read(&Value::Nil, &Value::Nil);
    assert!(!facts.is_known() && facts.warnings().is_empty() && facts.too_old().is_none());
    let outcome = facts.observe(facts.connected().into());
    assert_eq!(outcome.observed_value("version"), Some(&"unknown".into()));
}

#[test]
fn the_mode_is_read() {
    let sentinel = Facts::read(&hello("redis", "7.0.15", "sentinel"), &Value::Nil);
    assert!(sentinel.is_sentinel() && !sentinel.is_cluster());
    let cluster = Facts::read(&hello("redis", "7.0.15", "cluster"), &Value::Nil);
    assert!(cluster.is_cluster() && !cluster.is_sentinel());
}

#[test]
fn keys_that_were_dropped_are_counted_as_long_as_the_policy_drops_some() {
    let evicted = |count: u64, policy: &str| {
        let info = format!("maxmemory:9\r\nmaxmemory_policy:{policy}\r\nevicted_keys:{count}\r\n");
        Facts::read(&Value::Nil, &bulk(&info))
    };
    assert_eq!(codes_of(&evicted(0, "allkeys-lru")), ["eviction_policy"]);
    assert_eq!(codes_of(&evicted(7, "allkeys-lru")), ["evicting"]);
    let text = evicted(7, "allkeys-lru").warnings()[0].text().to_string();
    assert!(
        text.contains("7 keys") && text.contains("allkeys-lru"),
        "{text}"
    );
    assert_eq!(codes_of(&evicted(7, "noeviction")), [""; 0], "long ago");
}

#[test]
fn a_save_that_failed_is_warned_about_where_the_server_goes_on() {
    let saving = |rdb: &str, enabled: &str, aof: &str| {
        let info = format!(
            "rdb_last_bgsave_status:{rdb}\r\naof_enabled:{enabled}\r\naof_last_write_status:{aof}\r\n"
        );
        Facts::read(&Value::Nil, &bulk(&info))
    };
    assert_eq!(codes_of(&saving("ok", "0", "ok")), [""; 0]);
    assert_eq!(codes_of(&saving("err", "0", "ok")), ["save_failed"]);
    assert_eq!(codes_of(&saving("ok", "1", "err")), ["save_failed"]);
    assert_eq!(codes_of(&saving("ok", "0", "err")), [""; 0], "it is off");
}

#[test]
fn a_role_is_told_in_the_words_of_today() {
    for (role, told) in [("master", "master"), ("slave", "replica")] {
        let facts = Facts::read(&Value::Nil, &bulk(&format!("role:{role}\r\n")));
        let outcome = facts.observe(facts.connected().into());
        assert_eq!(outcome.observed_value("role"), Some(&told.into()));
    }
}
