use std::collections::BTreeMap;

use tria_env_check::{Complaint, Report, Source};

use super::*;
use crate::settings::Settings;

const STRONG: &str = "8f14e45fceea167a5a36dedd4bea2543";

fn sound() -> BTreeMap<String, String> {
    [
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
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

fn judged(changes: &[(&str, &str)]) -> Report {
    let mut values = sound();
    values.extend(
        changes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
    );
    rules().unwrap().validate(&Source::from_pairs(values))
}

fn violated(report: &Report) -> Vec<(&str, &str)> {
    report
        .violations()
        .map(|complaint| (complaint.key(), complaint.code().as_str()))
        .collect()
}

#[test]
fn a_sound_production_has_nothing_to_complain_about() {
    let report = judged(&[]);
    assert!(
        report.is_strict() && report.iter().next().is_none(),
        "{report}"
    );
}

#[test]
fn every_required_key_is_demanded() {
    let report = rules()
        .unwrap()
        .validate(&Source::from_pairs::<String, String>([]));
    let expected = [
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_HOST",
        "REDIS_PORT",
        "OPENAI_API_KEY",
        "CHROMA_URL",
        "TAX_RATE",
    ];
    assert_eq!(violated(&report), expected.map(|key| (key, "missing")));
    let warned: Vec<&str> = report.warnings().map(Complaint::key).collect();
    assert_eq!(warned, ["DIAGNOSTICS_TOKEN", "REDIS_PASSWORD"]);
}

#[test]
fn production_takes_no_default_and_development_warns_of_it() {
    for (key, value, code) in [
        (
            "SECRET_KEY",
            "change_this_to_32_or_more_random_characters",
            "forbidden_default",
        ),
        (
            "SECRET_KEY",
            "abababababababababababababababababab",
            "too_weak",
        ),
        ("DIAGNOSTICS_TOKEN", "", "empty"),
        ("DIAGNOSTICS_TOKEN", "kX2vQ9", "too_short"),
        ("REDIS_PASSWORD", "", "empty"),
        ("REDIS_PASSWORD", "password", "forbidden_default"),
        (
            "OPENAI_API_KEY",
            "sk-your-api-key-goes-here",
            "forbidden_default",
        ),
        ("OPENAI_API_KEY", "sk-aaaaaaaaaaaaaaaaaaaaaaaa", "too_weak"),
        (
            "DATABASE_URL",
            "postgres://tria:postgres@db/tria",
            "forbidden_default",
        ),
        (
            "DATABASE_URL",
            "postgres://tria:tria@db/tria",
            "forbidden_default",
        ),
        (
            "DATABASE_URL",
            "postgres://tria:@db/tria",
            "forbidden_default",
        ),
    ] {
        assert_eq!(
            violated(&judged(&[(key, value)])),
            [(key, code)],
            "{value:?}"
        );
        let report = judged(&[(key, value), ("ENVIRONMENT", "development")]);
        assert!(report.is_valid(), "{report}");
        assert!(
            report.warnings().any(|warning| warning.key() == key),
            "{report}"
        );
    }
}

#[test]
fn keys_of_compatible_servers_may_have_any_form() {
    let key = ("OPENAI_API_KEY", "local-7Zk3b");
    for (base, valid) in [
        ("http://localhost:8080/v1", true),
        ("https://openai.com.evil.example/v1", true),
        ("https://notopenai.com/v1", true),
        ("https://api.openai.com/v1", false),
        ("https://EU.api.openai.com:443/v1", false),
        ("", false),
    ] {
        let report = judged(&[key, ("OPENAI_BASE_URL", base)]);
        assert_eq!(report.is_valid(), valid, "{base:?}: {report}");
    }
}

#[test]
fn totals_must_not_contradict_each_other() {
    assert_eq!(
        violated(&judged(&[("MIN_ORDER_TOTAL", "100000.01")])),
        [("MIN_ORDER_TOTAL", "conflicting")]
    );
}

/// The platform kills at the end of its grace, so what a stop may take must fit into it
/// (akka/akka#32487).
#[test]
fn what_a_stop_may_take_must_fit_the_grace() {
    let development = ("ENVIRONMENT", "development");
    for (changes, fits) in [
        (&[][..], true),
        (&[("SHUTDOWN_GRACE", "26s")], true),
        (&[("SHUTDOWN_GRACE", "25999ms")], false),
        (&[("SHUTDOWN_GRACE", "23s"), development], true),
        (&[("SHUTDOWN_GRACE", "22s"), development], false),
        (&[("SHUTDOWN_GRACE", "23s"), ("PRE_DRAIN", "0s")], true),
        (&[("DRAIN", "19s")], true),
        (&[("DRAIN", "20s")], false),
        (&[("DRAIN", "0s"), ("SHUTDOWN_GRACE", "11s")], true),
        (&[("PRE_DRAIN", "7s")], true),
        (&[("PRE_DRAIN", "8s")], false),
    ] {
        let report = judged(changes);
        let expected: &[_] = if fits {
            &[]
        } else {
            &[("SHUTDOWN_GRACE", "conflicting")]
        };
        assert_eq!(violated(&report), expected, "{changes:?}");
    }
    let told = judged(&[("DRAIN", "20s")]).to_string();
    let words = [
        "SHUTDOWN_GRACE: is less than PRE_DRAIN, DRAIN",
        "Remedy: raise SHUTDOWN_GRACE",
    ];
    for word in words {
        assert!(told.contains(word), "{told}");
    }
    // One that is no duration is told once.
    let report = judged(&[("DRAIN", "20"), ("SHUTDOWN_GRACE", "1s")]);
    assert_eq!(violated(&report), [("DRAIN", "malformed")]);
}

#[test]
fn the_template_names_every_key_and_is_an_env_file() {
    let rules = rules().unwrap();
    let template = rules.template().to_string();
    // What is commented out is `#KEY=`, and sentences are `# Words`.
    let uncommented: String = template
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let named: BTreeMap<String, String> = dotenvy::from_read_iter(uncommented.as_bytes())
        .map(Result::unwrap)
        .collect();
    for key in rules.keys() {
        assert!(
            !key.get_about().is_empty() && !key.get_group().is_empty(),
            "{}",
            key.name()
        );
        let expected = key.get_example().or(key.get_default()).unwrap_or_default();
        assert_eq!(
            named.get(key.name()).map(String::as_str),
            Some(expected),
            "{}",
            key.name()
        );
    }
}

#[test]
fn the_template_as_it_stands_starts_a_development_and_no_production() {
    let rules = rules().unwrap();
    let template = rules.template().to_string();
    let mut values: BTreeMap<String, String> = dotenvy::from_read_iter(template.as_bytes())
        .map(Result::unwrap)
        .collect();
    let report = rules.validate(&Source::from_pairs(values.clone()));
    assert!(report.is_valid(), "{report}");
    values.insert("ENVIRONMENT".into(), "production".into());
    assert!(!rules.validate(&Source::from_pairs(values)).is_valid());
}

#[test]
fn the_defaults_are_those_that_the_settings_apply() {
    let without = sound();
    let mut with = sound();
    for key in rules().unwrap().keys() {
        // The settings leave these to the clients, which have the same defaults.
        let is_the_clients =
            ["OPENAI_BASE_URL", "CHROMA_TENANT", "CHROMA_DATABASE"].contains(&key.name());
        if let Some(default) = key.get_default().filter(|_| !is_the_clients) {
            with.entry(key.name().to_owned())
                .or_insert_with(|| default.to_owned());
        }
    }
    let shown = |values| format!("{:?}", Settings::load(values).unwrap());
    assert_eq!(shown(&with), shown(&without));
}
