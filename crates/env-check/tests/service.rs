//! The rules of a whole service, as one would write them: every kind of demand, level and
//! condition together.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, time::Duration};

use tria_env_check::{
    Complaint, Key, Level, Report, Rule, Rules, Source, Values, WELL_KNOWN_DEFAULTS,
};

const STRONG: &str = "8f14e45fceea167a5a36dedd4bea2543";

fn is_openai(values: &Values) -> bool {
    values
        .get("OPENAI_BASE_URL")
        .is_none_or(|url| url.starts_with("https://api.openai.com"))
}

fn service() -> Rules {
    let minute = Duration::ZERO..=Duration::from_secs(60);
    let secret = |name: &'static str| Key::new(name).secret().no_well_known_default(Level::Strict);
    Rules::builder()
        .keys([
            Key::new("DATABASE_URL")
                .required()
                .secret()
                .url(["postgres", "postgresql"])
                .rule(Rule::url_password(WELL_KNOWN_DEFAULTS.iter().copied()).at(Level::Strict)),
            Key::new("REDIS_HOST").required().host(),
            Key::new("REDIS_PORT").required().integer(1..=65_535),
            secret("OPENAI_API_KEY")
                .required()
                .rule(Rule::prefix("sk-").when(is_openai))
                .rule(Rule::min_length(20).when(is_openai)),
            secret("SECRET_KEY")
                .required()
                .min_length(32)
                .min_entropy(64, Level::Strict),
            Key::new("TAX_RATE")
                .required()
                .float(0.0..=1.0)
                .example("0.09"),
            Key::new("CHROMA_URL").required().url(["http", "https"]),
            secret("REDIS_PASSWORD")
                .required_at(Level::Strict)
                .min_entropy(40, Level::Strict),
            secret("DIAGNOSTICS_TOKEN")
                .required_at(Level::Strict)
                .visible_ascii(),
            Key::new("REDIS_DB").integer(0..=65_535).default("0"),
            Key::new("REDIS_TLS").boolean().default("false"),
            Key::new("OPENAI_BASE_URL").url(["http", "https"]),
            Key::new("OPENAI_MODEL"),
            Key::new("OPENAI_EMBEDDING_MODEL"),
            Key::new("SENTRY_DSN").secret().url(["https"]),
            Key::new("ENVIRONMENT").one_of(["development", "staging", "production"]),
            Key::new("HOST").ip_address().default("127.0.0.1"),
            Key::new("PORT").integer(1..=65_535).default("8003"),
            Key::new("LOG_LEVEL").rule(Rule::one_of_any_case(["error", "warn", "info", "debug"])),
            Key::new("LOG_FORMAT").one_of(["json", "pretty"]),
            Key::new("DB_POOL_SIZE").integer(1..=1000),
            Key::new("REDIS_POOL_SIZE").integer(1..=1000),
            Key::new("STARTUP_DEADLINE")
                .duration(minute.clone())
                .default("60s"),
            Key::new("SHUTDOWN_GRACE").duration(minute.clone()),
            Key::new("PRE_DRAIN").duration(minute.clone()),
            Key::new("DRAIN").duration(minute),
            Key::new("OPTIONAL_CHECKS").names(),
            Key::new("MAX_QUANTITY_PER_ITEM")
                .integer(1..=1_000_000)
                .default("10000"),
            Key::new("MAX_LINE_ITEMS")
                .integer(1..=10_000)
                .default("100"),
            Key::new("MIN_ORDER_TOTAL")
                .decimal(2, 0.01..=1e9)
                .default("0.01"),
            Key::new("MAX_ORDER_TOTAL")
                .decimal(2, 0.01..=1e9)
                .default("100000.00"),
            Key::new("XERO_CLIENT_ID"),
            secret("XERO_CLIENT_SECRET")
                .required_when(Level::Advice, |values| values.is_set("XERO_CLIENT_ID")),
        ])
        .known_prefixes(["DATABASE_", "REDIS_", "OPENAI_", "CHROMA_"])
        .strict_when(|values| values.get("ENVIRONMENT") == Some("production"))
        .build()
        .unwrap()
}

fn sound() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("ENVIRONMENT", "production"),
        ("DATABASE_URL", "postgres://tria:kX2vQ9mZ7pLr@db:5432/tria"),
        ("REDIS_HOST", "redis"),
        ("REDIS_PORT", "6379"),
        ("REDIS_PASSWORD", STRONG),
        ("OPENAI_API_KEY", "sk-proj-Zk3bV9xQ2mLr7TnB"),
        ("SECRET_KEY", STRONG),
        ("DIAGNOSTICS_TOKEN", STRONG),
        ("TAX_RATE", "0.09"),
        ("CHROMA_URL", "http://chroma:8000"),
    ])
}

fn judged(changes: &[(&'static str, &'static str)]) -> Report {
    let mut values = sound();
    values.extend(changes.iter().copied());
    service().validate(&Source::from_pairs(values))
}

fn violated(report: &Report) -> Vec<(&str, &str)> {
    report
        .violations()
        .map(|complaint| (complaint.key(), complaint.code().as_str()))
        .collect()
}

#[test]
fn a_sound_service_has_no_complaint() {
    assert_eq!(judged(&[]).to_string(), "");
    assert!(judged(&[]).is_strict());
}

#[test]
fn each_required_key_is_told_missing_empty_and_malformed() {
    for (key, malformed) in [
        ("DATABASE_URL", "db:5432/tria"),
        ("REDIS_HOST", "redis:6379"),
        ("REDIS_PORT", "port"),
        ("OPENAI_API_KEY", "pk-0a9s8d7f6g5h4j3k2l1"),
        ("TAX_RATE", "8%"),
        ("CHROMA_URL", "chroma:8000"),
    ] {
        let mut values = sound();
        values.remove(key);
        let missing = service().validate(&Source::from_pairs(values));
        assert_eq!(violated(&missing), [(key, "missing")]);
        assert_eq!(violated(&judged(&[(key, "  ")])), [(key, "empty")]);
        let report = judged(&[(key, malformed)]);
        assert_eq!(violated(&report), [(key, "malformed")], "{report}");
    }
}

#[test]
fn production_refuses_what_development_warns_of() {
    let weak = [
        ("SECRET_KEY", "change_this_in_production_please_now"),
        ("REDIS_PASSWORD", ""),
        ("DIAGNOSTICS_TOKEN", ""),
        ("DATABASE_URL", "postgres://postgres:postgres@db/tria"),
    ];
    let report = judged(&weak);
    assert_eq!(
        violated(&report),
        [
            ("DATABASE_URL", "forbidden_default"),
            ("SECRET_KEY", "forbidden_default"),
            ("REDIS_PASSWORD", "empty"),
            ("DIAGNOSTICS_TOKEN", "empty"),
        ]
    );
    let mut changes = weak.to_vec();
    changes.push(("ENVIRONMENT", "development"));
    let report = judged(&changes);
    assert!(report.is_valid(), "{report}");
    let warned: Vec<&str> = report.warnings().map(Complaint::key).collect();
    assert_eq!(
        warned,
        [
            "DATABASE_URL",
            "SECRET_KEY",
            "REDIS_PASSWORD",
            "DIAGNOSTICS_TOKEN"
        ]
    );
}

#[test]
fn three_wrong_at_once_are_all_named() {
    let report = judged(&[
        ("TAX_RATE", "1.5"),
        ("REDIS_PORT", "0"),
        ("OPENAI_API_KEY", "sk-short"),
    ]);
    assert_eq!(
        report.to_string(),
        "REDIS_PORT: lies outside 1 to 65535 (found \"0\"). Remedy: set it to a whole number from 1 to 65535.\n\
         OPENAI_API_KEY: has fewer than 20 characters. Remedy: set it to a secret that begins with sk-, of at least 20 characters.\n\
         TAX_RATE: lies outside 0 to 1 (found \"1.5\"). Remedy: set it to a number from 0 to 1, as in 0.09.\n"
    );
}

#[test]
fn a_misspelt_optional_key_is_warned_of() {
    let mut values = sound();
    let password = values.remove("REDIS_PASSWORD").unwrap();
    values.insert("REDIS_PASWORD", password);
    let report = service().validate(&Source::from_pairs(values));
    assert_eq!(violated(&report), [("REDIS_PASSWORD", "missing")]);
    let shown = report.to_string();
    assert!(shown.contains("while REDIS_PASWORD is"), "{shown}");
    assert!(
        shown.contains("REDIS_PASWORD: is no known key; did you mean REDIS_PASSWORD?"),
        "{shown}"
    );
    assert!(!shown.contains(password), "{shown}");
}

#[test]
fn a_half_configured_integration_is_advised_of() {
    let report = judged(&[("XERO_CLIENT_ID", "abc")]);
    assert!(report.is_valid());
    assert_eq!(
        report.warnings().map(Complaint::key).collect::<Vec<_>>(),
        ["XERO_CLIENT_SECRET"]
    );
}
