//! Each kind of rule, seen from outside.
#![allow(clippy::unwrap_used)]

mod secret_files;

use std::{io, time::Duration};

use tria_env_check::{
    Complaint, Key, Level, Report, Rule, Rules, RulesProblem, Severity, Source, code,
};

fn rules(keys: impl IntoIterator<Item = Key>) -> Rules {
    Rules::builder().keys(keys).build().unwrap()
}

fn judge(key: Key, value: &str) -> Report {
    let name = key.name().to_owned();
    rules([key]).validate(&Source::from_pairs([(name, value)]))
}

/// The codes of all complaints, with whether each is a violation.
fn codes(report: &Report) -> Vec<(&'static str, bool)> {
    report
        .iter()
        .map(|complaint| {
            (
                complaint.code().as_str(),
                complaint.severity() == Severity::Violation,
            )
        })
        .collect()
}

fn only(report: &Report) -> &Complaint {
    let complaints: Vec<&Complaint> = report.iter().collect();
    assert_eq!(complaints.len(), 1, "{report}");
    complaints[0]
}

#[test]
fn missing_empty_and_malformed_are_told_apart() {
    let key = || {
        Key::new("TAX_RATE")
            .required()
            .float(0.0..=1.0)
            .example("0.09")
    };
    let missing = rules([key()]).validate(&Source::from_pairs::<String, String>([]));
    assert_eq!(codes(&missing), [("missing", true)]);
    for blank in ["", " ", "\t\r\n", "\u{a0}"] {
        assert_eq!(codes(&judge(key(), blank)), [("empty", true)], "{blank:?}");
    }
    assert_eq!(codes(&judge(key(), "much")), [("malformed", true)]);
    assert_eq!(codes(&judge(key(), "1.1")), [("out_of_range", true)]);
    assert_eq!(codes(&judge(key(), "1.0")), []);
    assert_eq!(
        judge(key(), "8%").to_string(),
        "TAX_RATE: is not a number (found \"8%\"). Remedy: set it to a number from 0 to 1, as in 0.09.\n"
    );
}

#[test]
fn an_optional_key_may_be_empty() {
    assert!(
        judge(Key::new("PORT").integer(1..=65_535), "")
            .iter()
            .next()
            .is_none()
    );
}

#[test]
fn every_violation_is_in_one_report() {
    let rules = rules([
        Key::new("A").required(),
        Key::new("B").integer(1..=2),
        Key::new("C").required().secret().min_length(20),
        Key::new("D").boolean(),
    ]);
    let report = rules.validate(&Source::from_pairs([
        ("B", "3"),
        ("C", "short"),
        ("D", "maybe"),
    ]));
    let named: Vec<&str> = report.violations().map(Complaint::key).collect();
    assert_eq!(named, ["A", "B", "C", "D"]);
    assert_eq!(report.to_string().lines().count(), 4);
}

#[test]
fn the_kinds_of_values_are_judged() {
    let kinds: [(Key, &str, &str); 12] = [
        (Key::new("K").integer(1..=5), "5", "five"),
        (Key::new("K").decimal(2, 0.01..=9.0), "0.01", "1e0"),
        (Key::new("K").boolean(), "Yes", "ja"),
        (
            Key::new("K").duration(Duration::ZERO..=Duration::from_secs(60)),
            "500ms",
            "500",
        ),
        (Key::new("K").one_of(["json", "pretty"]), "json", "JSON"),
        (
            Key::new("K").rule(Rule::one_of_any_case(["info"])),
            "INFO",
            "inform",
        ),
        (Key::new("K").names(), "redis,openai", "Redis"),
        (Key::new("K").host(), "redis", "redis:6379"),
        (Key::new("K").host_and_port(), "redis:6379", "redis"),
        (
            Key::new("K").url(["http", "https"]),
            "https://api.example.org/v1",
            "api.example.org",
        ),
        (Key::new("K").prefix("sk-"), "sk-x", "SK-x"),
        (
            Key::new("K").rule(Rule::custom("is odd", "make it even", |value| {
                value.len() % 2 == 0
            })),
            "ab",
            "abc",
        ),
    ];
    for (key, good, bad) in kinds {
        assert_eq!(codes(&judge(key.clone(), good)), [], "{key:?}");
        let report = judge(key.clone(), bad);
        assert_eq!(codes(&report), [("malformed", true)], "{key:?}");
        assert!(only(&report).found().unwrap().contains(bad));
    }
    assert_eq!(
        judge(Key::new("K").visible_ascii(), "a b")
            .violations()
            .count(),
        1
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    let key = || Key::new("K").min_length(3);
    assert_eq!(codes(&judge(key(), "äöü")), []);
    assert_eq!(codes(&judge(key(), "äö")), [("too_short", true)]);
    assert_eq!(codes(&judge(Key::new("K").min_length(0), "a")), []);
}

#[test]
fn levels_follow_strictness() {
    let rules = |level| {
        Rules::builder()
            .key(Key::new("ENVIRONMENT"))
            .key(Key::new("TOKEN").required_at(level))
            .key(Key::new("SECRET").secret().no_well_known_default(level))
            .strict_when(|values| values.get("ENVIRONMENT") == Some("production"))
            .build()
            .unwrap()
    };
    let report = |level, environment| {
        rules(level).validate(&Source::from_pairs([
            ("ENVIRONMENT", environment),
            ("SECRET", "changeme"),
        ]))
    };
    let both = |severity| vec![("missing", severity), ("forbidden_default", severity)];
    assert_eq!(codes(&report(Level::Strict, "production")), both(true));
    assert_eq!(codes(&report(Level::Strict, "development")), both(false));
    assert_eq!(codes(&report(Level::StrictOnly, "production")), both(true));
    assert_eq!(codes(&report(Level::StrictOnly, "development")), []);
    assert_eq!(codes(&report(Level::Advice, "production")), both(false));
    assert!(report(Level::Strict, "development").is_valid());
    let shown = report(Level::Strict, "development").to_string();
    assert!(shown.starts_with("warning: TOKEN: is not set."), "{shown}");
}

#[test]
fn conditions_see_all_values_secrets_from_files_included() {
    let rules = Rules::builder()
        .key(Key::new("ID"))
        .key(Key::new("TOKEN").secret())
        .key(Key::new("URL").required_when(Level::Always, |values| values.is_set("TOKEN")))
        .key(Key::new("KEY").rule(Rule::prefix("sk-").when(|values| !values.is_set("ID"))))
        .build()
        .unwrap();
    let source = Source::from_pairs([("TOKEN_FILE", "/run/t"), ("KEY", "x"), ("ID", "1")])
        .files(|_| Ok("token\n".to_owned()));
    assert_eq!(only(&rules.validate(&source)).key(), "URL");
    let source = Source::from_pairs([("KEY", "x"), ("ID", "")]);
    assert_eq!(only(&rules.validate(&source)).key(), "KEY");
}

#[test]
fn unknown_keys_of_known_families_are_warned_of() {
    let rules = Rules::builder()
        .key(Key::new("REDIS_PASSWORD").secret())
        .key(Key::new("REDIS_HOST"))
        .known_prefixes(["REDIS_"])
        .build()
        .unwrap();
    let report = rules.validate(&Source::from_pairs([
        ("REDIS_PASWORD", "x"),
        ("REDIS_PASSWORD_FIEL", "x"),
        ("REDIS_SENTINEL", "x"),
        ("REDIS_NOTHING", ""),
        ("REDIS_SERVICE_HOST", "10.0.0.1"),
        ("REDISHOST", "x"),
        ("PATH", "/bin"),
    ]));
    assert!(report.is_valid());
    assert_eq!(
        report.to_string(),
        "warning: REDIS_PASSWORD_FIEL: is no known key; did you mean REDIS_PASSWORD_FILE? Remedy: rename it to REDIS_PASSWORD_FILE, or remove it.\n\
         warning: REDIS_PASWORD: is no known key; did you mean REDIS_PASSWORD? Remedy: rename it to REDIS_PASSWORD, or remove it.\n\
         warning: REDIS_SENTINEL: is no known key. Remedy: remove it, or look for a misspelling.\n"
    );
}

#[test]
fn a_missing_key_mentions_its_misspelling() {
    let rules = rules([
        Key::new("DATABASE_URL").required().secret(),
        Key::new("TAX_RATE").required(),
    ]);
    let report = rules.validate(&Source::from_pairs([
        ("DATABSE_URL", "x"),
        ("TAX_RATE", "1"),
    ]));
    let line = report.to_string();
    assert!(
        line.contains(
            "DATABASE_URL: is not set, while DATABSE_URL is, which may be a misspelling of it."
        ),
        "{line}"
    );
    let report = rules.validate(&Source::from_pairs([
        ("DATABASE_URL_FLE", "x"),
        ("TAX_RATE", "1"),
    ]));
    assert!(
        report.to_string().contains("while DATABASE_URL_FLE is"),
        "{report}"
    );
}

#[test]
fn service_links_are_named() {
    let report = judge(
        Key::new("REDIS_PORT").integer(1..=65_535),
        "tcp://10.0.0.1:6379",
    );
    let line = report.to_string();
    assert!(
        line.contains("service link of Kubernetes") && line.contains("enableServiceLinks"),
        "{line}"
    );
}

#[test]
fn edges_explain_what_is_malformed_and_warn_of_the_rest() {
    let number = |value| codes(&judge(Key::new("K").integer(1..=9), value));
    assert_eq!(number(" 5"), [("malformed", true)]);
    assert_eq!(number("\"5\""), [("malformed", true)]);
    let line = judge(Key::new("K").integer(1..=9), "5\r").to_string();
    assert!(
        line.contains("white space") && line.contains(r"5\r"),
        "{line}"
    );
    assert_eq!(
        codes(&judge(Key::new("K").secret(), "secret ")),
        [("malformed", false)]
    );
    assert_eq!(
        codes(&judge(Key::new("K").secret().prefix("sk-"), "\"sk-x\"")),
        [("malformed", true)]
    );
}

#[test]
fn a_known_default_is_not_also_called_short_and_weak() {
    let key = |level| {
        Key::new("K")
            .secret()
            .min_length(32)
            .min_entropy(64, Level::Strict)
            .no_well_known_default(level)
    };
    assert_eq!(
        codes(&judge(key(Level::Always), "password")),
        [("forbidden_default", true)]
    );
    // A warning must not hide a violation.
    let expected = [("forbidden_default", false), ("too_short", true)];
    assert_eq!(codes(&judge(key(Level::Strict), "password")), expected);
    assert_eq!(
        codes(&judge(key(Level::Strict), &"ab".repeat(20))),
        [("too_weak", false)]
    );
}

#[test]
fn the_example_of_a_secret_is_no_secret() {
    let key = Key::new("K").secret().example("a7e0c9d251f84b36");
    assert_eq!(
        codes(&judge(key, "a7e0c9d251f84b36")),
        [("forbidden_default", false)]
    );
}

#[test]
fn relations_are_judged_where_their_keys_are_sound() {
    let rules = Rules::builder()
        .key(Key::new("MIN").integer(0..=100).default("1"))
        .key(Key::new("MAX").integer(0..=100).default("50"))
        .relation(
            ["MIN", "MAX"],
            "is greater than MAX",
            "lower MIN or raise MAX",
            |values| {
                let number = |key| {
                    values
                        .get_or_default(key)
                        .and_then(|v| v.parse::<i64>().ok())
                };
                number("MIN") <= number("MAX")
            },
        )
        .build()
        .unwrap();
    let report =
        |pairs: &[(&str, &str)]| codes(&rules.validate(&Source::from_pairs(pairs.iter().copied())));
    assert_eq!(report(&[]), []);
    assert_eq!(report(&[("MIN", "50")]), []);
    assert_eq!(report(&[("MIN", "51")]), [("conflicting", true)]);
    assert_eq!(
        report(&[("MIN", "51"), ("MAX", "x")]),
        [("malformed", true)]
    );
}

#[test]
fn values_with_credentials_or_secrets_are_not_quoted() {
    let rules = rules([
        Key::new("TOKEN").secret(),
        Key::new("URL").url(["https"]),
        Key::new("PORT").integer(1..=2),
    ]);
    let source = Source::from_pairs([
        ("TOKEN", "kX2vQ9mZ"),
        ("URL", "http://me:pw@host"),
        ("PORT", "kX2vQ9mZ"),
    ]);
    let report = rules.validate(&source);
    assert_eq!(report.violations().count(), 2);
    assert!(report.iter().all(|complaint| complaint.found().is_none()));
    // The password inside a secret URL is a secret as well, however it is written.
    for misplaced in ["pa$$w0rd", "pa%24%24w0rd"] {
        let source = Source::from_pairs([
            ("TOKEN", "postgres://me:pa%24%24w0rd@db/x"),
            ("PORT", misplaced),
        ]);
        let report = rules.validate(&source);
        assert_eq!(only(&report).found(), None, "{report}");
    }
}

#[test]
fn not_even_a_short_secret_is_quoted() {
    let report = judge(Key::new("K").secret().prefix("sk-"), "ab");
    assert_eq!(only(&report).found(), None);
    let line = report.to_string();
    assert_eq!(
        line,
        "K: does not begin with sk-. Remedy: set it to a secret that begins with sk-.\n"
    );
}

#[test]
fn rules_are_judged_themselves() {
    let error = Rules::builder()
        .key(Key::new(""))
        .key(Key::new("A=B"))
        .key(Key::new("C").secret())
        .key(Key::new("C_FILE"))
        .key(Key::new("D").secret().default("x"))
        .key(Key::new("E").integer(1..=2).default("3"))
        .key(Key::new("F").boolean().example("perhaps"))
        .relation(["NONE"], "", "", |_| true)
        .build()
        .unwrap_err();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        error.0,
        [
            RulesProblem::InvalidKey(text("")),
            RulesProblem::InvalidKey(text("A=B")),
            RulesProblem::Duplicate(text("C_FILE")),
            RulesProblem::SecretDefault(text("D")),
            RulesProblem::BadDefault {
                key: text("E"),
                problem: text("lies outside 1 to 2")
            },
            RulesProblem::BadExample {
                key: text("F"),
                problem: text("is neither true nor false")
            },
            RulesProblem::UnknownInRelation(text("NONE")),
        ]
    );
    assert!(error.to_string().starts_with("invalid rules: "));
}

#[test]
fn a_closure_is_a_source() {
    let source = Source::new(|key| (key == "PORT").then(|| "80".to_owned()));
    let report = rules([Key::new("PORT").integer(1..=65_535)]).validate(&source);
    assert!(report.is_valid());
    assert_eq!((report.keys_set(), report.keys_known()), (1, 1));
}

#[test]
fn every_code_is_declared_once() {
    let mut codes: Vec<&str> = code::ALL.iter().map(|code| code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), code::ALL.len());
}
