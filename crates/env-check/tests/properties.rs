//! What holds for any settings at all.
#![allow(clippy::unwrap_used)]

use std::{borrow::Cow, collections::BTreeSet, io, time::Duration};

use proptest::{collection, option, prelude::*, sample};
use tria_check::{PrivateText, conformance::Kit};
use tria_env_check::{
    Complaint, EnvCheck, Key, Level, Report, Rule, Rules, Severity, Source, WELL_KNOWN_DEFAULTS,
    estimated_bits,
};

/// A secret key with every rule that there is, each of which may be broken.
fn harsh_secret(name: impl Into<Cow<'static, str>>) -> Key {
    Key::new(name)
        .required()
        .secret()
        .integer(1..=2)
        .float(0.0..=1.0)
        .decimal(2, 0.0..=1.0)
        .boolean()
        .duration(Duration::ZERO..=Duration::from_secs(1))
        .one_of(["on"])
        .names()
        .host()
        .host_and_port()
        .url(["postgres"])
        .prefix("sk-")
        .visible_ascii()
        .min_length(200)
        .min_entropy(5000, Level::Always)
        .no_well_known_default(Level::Always)
        .rule(Rule::url_password(WELL_KNOWN_DEFAULTS.iter().copied()))
        .rule(Rule::custom("is wrong", "right it", |_| false))
}

/// Each rule alone, so that none is covered by another.
fn soft_secrets() -> Vec<Key> {
    vec![
        Key::new("S_INTEGER").secret().integer(1..=2),
        Key::new("S_DURATION")
            .secret()
            .duration(Duration::ZERO..=Duration::ZERO),
        Key::new("S_ONE_OF").secret().one_of(["on"]),
        Key::new("S_NAMES").secret().names(),
        Key::new("S_HOST").secret().host(),
        Key::new("S_URL").secret().url(["postgres"]),
        Key::new("S_PREFIX").secret().prefix("sk-"),
        Key::new("S_LENGTH").secret().min_length(200),
        Key::new("S_ENTROPY")
            .secret()
            .min_entropy(5000, Level::Strict),
        Key::new("S_PASSWORD")
            .secret()
            .rule(Rule::url_password(["*"])),
    ]
}

/// All that a report shows anywhere, private details included.
fn everything(report: &Report) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let check = EnvCheck::new(report);
    let outcome = runtime.block_on(Kit::new().verify(&check)).unwrap();
    let details: Vec<&str> = outcome
        .findings()
        .iter()
        .filter_map(|finding| finding.get_detail())
        .map(PrivateText::expose)
        .collect();
    format!("{report} {report:?} {outcome:?} {details:?} {check:?}")
}

/// A secret in the shapes in which people set one.
fn planted() -> impl Strategy<Value = (String, String)> {
    let secret = prop_oneof![
        "[A-Za-z0-9!#$%&*+_~^-]{8,48}",
        "[0-9]{9,40}",
        "[äöüßéÅ漢字かな🦉a-z]{8,20}",
        r#"[\\"'a-z0-9]{9,20}"#,
    ];
    let dress = sample::select(vec![
        "{}",
        " {}",
        "{}\r",
        "\"{}\"",
        "sk-{}",
        "postgres://user:{}@host/db",
        "postgres://{}:{}@host",
        "mysql://user:{}@host",
        "postgres://user:{}/x@host:y",
        "https://{}@sentry.example.org/1",
        "tcp://{}",
        "change_this_{}",
        "{}\u{1b}[0m",
        "host:{}",
        "{}{}{}{}{}{}",
    ]);
    (secret, dress).prop_map(|(secret, dress)| (dress.replace("{}", &secret), secret))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_secret_is_ever_shown((value, secret) in planted(), strict: bool, file in 0..4_u8, misplaced: bool) {
        let rules = Rules::builder()
            .key(harsh_secret("HARSH"))
            .keys(soft_secrets())
            .key(Key::new("PORT").integer(1..=65_535))
            .key(Key::new("URL").url(["http"]))
            .known_prefixes(["S_"])
            .strict_when(move |_| strict)
            .build()
            .unwrap();
        let mut pairs: Vec<(String, String)> = soft_secrets()
            .iter()
            .map(|key| (key.name().to_owned(), value.clone()))
            .collect();
        pairs.push(("S_UNKNOWN".into(), value.clone()));
        // The secret of one key, set by mistake as the value of another, is hidden there too.
        if misplaced {
            pairs.push(("PORT".into(), value.clone()));
            pairs.push(("URL".into(), format!("ftp://host/{value}")));
        }
        // Four ways to hold it: in the key, in a file, in both, and where the file's path belongs.
        match file {
            0 => pairs.push(("HARSH".into(), value.clone())),
            2 => pairs.extend([("HARSH".into(), value.clone()), ("HARSH_FILE".into(), "/run/s".into())]),
            3 => pairs.push(("HARSH_FILE".into(), value.clone())),
            _ => pairs.push(("HARSH_FILE".into(), "/run/s".into())),
        }
        let content = value.clone();
        let source = Source::from_pairs(pairs).files(move |path| {
            if path.to_str() == Some("/run/s") { Ok(content.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
        });
        let (values, report) = rules.read(&source);
        prop_assert!(!report.is_valid());
        let shown = everything(&report) + &format!("{values:?} {source:?} {rules:?}");
        // What the rules themselves say, they say without any secret.
        let silent = rules.validate(&Source::from_pairs::<String, String>([]));
        prop_assume!(!format!("{silent:?}{rules:?}").contains(&secret));
        prop_assert!(!shown.contains(&secret), "{shown}");
        // Nor as Rust's escapes would write it.
        let escaped = secret.escape_debug().to_string();
        prop_assert!(!shown.contains(&escaped), "{shown}");
    }

    #[test]
    fn nothing_panics(
        keys in collection::vec((".{0,30}", option::of(".{0,60}"), any::<bool>(), any::<bool>()), 0..12),
        strangers in collection::vec((".{0,30}", ".{0,30}"), 0..6),
    ) {
        let specs = keys.iter().map(|(name, _, secret, required)| {
            let key = if *secret {
                harsh_secret(name.clone())
            } else {
                Key::new(name.clone()).url(["a"]).host().min_entropy(3, Level::Always)
            };
            if *required { key.required() } else { key }
        });
        let Ok(rules) = Rules::builder().keys(specs).known_prefixes(["", "é"]).build() else {
            return Ok(());
        };
        let pairs = keys.iter().filter_map(|(name, value, ..)| Some((name.clone(), value.clone()?)));
        let source = Source::from_pairs(pairs.chain(strangers.clone())).files(|_| Ok("x".into()));
        let report = rules.validate(&source);
        let shown = everything(&report) + &rules.template().to_string();
        // Lines stay lines: nothing from outside can forge one or move the cursor.
        let lines = report.to_string();
        prop_assert_eq!(lines.lines().count(), report.iter().count());
        prop_assert!(!lines.replace('\n', "").contains(char::is_control));
        prop_assert!(!shown.is_empty());
    }

    #[test]
    fn every_violated_key_is_named_and_no_other(
        broken in collection::btree_set(0..30_usize, 0..30),
        how in 0..3_u8,
    ) {
        let name = |index: usize| format!("KEY_NUMBER_{index}_{}", "ABCDEFGHIJ".repeat(index % 3));
        let rules = Rules::builder()
            .keys((0..30).map(|index| Key::new(name(index)).required().integer(0..=9)))
            .build()
            .unwrap();
        let source = Source::from_pairs((0..30).filter_map(|index| match (broken.contains(&index), how) {
            (false, _) => Some((name(index), "7")),
            (true, 0) => None,
            (true, 1) => Some((name(index), "")),
            (true, _) => Some((name(index), "10")),
        }));
        let report = rules.validate(&source);
        let named: BTreeSet<String> = report.violations().map(|c| c.key().to_owned()).collect();
        let expected: BTreeSet<String> = broken.iter().map(|index| name(*index)).collect();
        prop_assert_eq!(&named, &expected);
        let shown = report.to_string();
        for key in expected {
            prop_assert!(shown.lines().any(|line| line.starts_with(&format!("{key}: "))), "{shown}");
        }
        prop_assert_eq!(report.is_valid(), broken.is_empty());
    }

    #[test]
    fn integer_ranges_include_their_bounds(low in -1000..1000_i64, width in 0..1000_i64, value in -2500..2500_i64) {
        let range = low..=low + width;
        for value in [value, low, low + width] {
            let report = judge(Key::new("K").integer(range.clone()), &value.to_string());
            prop_assert_eq!(report.is_valid(), range.contains(&value));
        }
        for outside in [low - 1, low + width + 1] {
            prop_assert!(!judge(Key::new("K").integer(range.clone()), &outside.to_string()).is_valid());
        }
    }

    #[test]
    fn float_ranges_include_their_bounds(low in -1e6..1e6_f64, width in 0.0..1e6_f64, value in -3e6..3e6_f64) {
        let range = low..=low + width;
        for value in [value, low, low + width] {
            let report = judge(Key::new("K").float(range.clone()), &value.to_string());
            prop_assert_eq!(report.is_valid(), range.contains(&value));
        }
    }

    #[test]
    fn only_close_keys_are_suggested(typed in "[A-Z_]{1,24}") {
        let known = ["REDIS_PASSWORD", "REDIS_HOST", "DATABASE_URL", "OPENAI_API_KEY", "PORT"];
        let rules = Rules::builder()
            .keys(known.map(Key::new))
            .known_prefixes([""])
            .build()
            .unwrap();
        let report = rules.validate(&Source::from_pairs([(typed.clone(), "x")]));
        for complaint in &report {
            prop_assert_eq!(complaint.severity(), Severity::Warning);
            for key in known {
                let suggested = complaint.problem().as_str().contains(&format!("mean {key}?"));
                let distance = strsim::osa_distance(&typed, key);
                prop_assert!(!suggested || distance <= (typed.len().max(key.len()) / 5).max(1));
            }
        }
    }

    #[test]
    fn one_typing_error_is_found(at in 0..14_usize, letter in "[A-Z]", kind in 0..4_u8) {
        let key = "REDIS_PASSWORD";
        let mut typed: Vec<char> = key.chars().collect();
        match kind {
            0 => { typed.remove(at); }
            1 => typed.insert(at, letter.chars().next().unwrap()),
            2 => typed[at] = letter.chars().next().unwrap(),
            _ => typed.swap(at, (at + 1) % 14),
        }
        let typed: String = typed.into_iter().collect();
        prop_assume!(typed != key && (kind != 3 || at != 13));
        let rules = Rules::builder().key(Key::new(key).required()).build().unwrap();
        let report = rules.validate(&Source::from_pairs([(typed.clone(), "x")]));
        let problems: Vec<&Complaint> = report.iter().collect();
        prop_assert!(problems[0].problem().as_str().contains(&typed));
    }

    #[test]
    fn entropy_is_finite_and_bounded(value in ".{0,200}") {
        let bits = estimated_bits(&value);
        // 195 is the size of the largest alphabet that it knows.
        prop_assert!(bits >= 0.0 && bits <= value.chars().map(|_| 1.0).sum::<f64>() * 195_f64.log2());
    }
}

fn judge(key: Key, value: &str) -> Report {
    let name = key.name().to_owned();
    let rules = Rules::builder().key(key).build().unwrap();
    rules.validate(&Source::from_pairs([(name, value)]))
}
