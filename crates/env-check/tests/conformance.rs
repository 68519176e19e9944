//! The adapter, through the kit of the contract.
#![allow(clippy::unwrap_used)]

use tria_check::{Check, Cost, Group, Outcome, PrivateText, Status, conformance::Kit};
use tria_env_check::{EnvCheck, Key, Level, Rules, Source};

const SECRET: &str = "hunter2-hunter2";

async fn outcome(pairs: &[(&'static str, &'static str)]) -> Outcome {
    let rules = Rules::builder()
        .key(Key::new("TOKEN").required().secret().min_length(20))
        .key(Key::new("PORT").integer(1..=65_535))
        .key(Key::new("NOTE").required_at(Level::Strict))
        .build()
        .unwrap();
    let report = rules.validate(&Source::from_pairs(pairs.iter().copied()));
    let check = EnvCheck::new(&report);
    assert_eq!(check.meta().name(), "environment");
    assert_eq!(check.meta().get_cost(), Cost::Local);
    assert!(check.meta().is_in(Group::Startup) && check.meta().is_in(Group::Diagnostics));
    assert!(!check.meta().is_in(Group::Readiness) && check.meta().is_critical());
    Kit::new().secret(SECRET).verify(&check).await.unwrap()
}

#[tokio::test]
async fn a_valid_environment_passes_with_a_count() {
    let outcome = outcome(&[("TOKEN", "kX2vQ9mZ7pLr4TnB8cWj5HsD"), ("NOTE", "x")]).await;
    assert_eq!(outcome.status(), Status::Pass);
    assert_eq!(
        outcome.text().as_str(),
        "Environment validation passed (2 keys set)"
    );
    assert_eq!(outcome.observed_value("keys_known"), Some(&3.into()));
}

#[tokio::test]
async fn warnings_stand_beside_the_pass() {
    let outcome = outcome(&[("TOKEN", "kX2vQ9mZ7pLr4TnB8cWj5HsD")]).await;
    assert_eq!(outcome.status(), Status::Warn);
    let codes: Vec<&str> = outcome
        .findings()
        .iter()
        .map(|f| f.code().as_str())
        .collect();
    assert_eq!(codes, ["ok", "missing"]);
}

#[tokio::test]
async fn each_violation_is_a_permanent_failure_of_its_own() {
    let outcome = outcome(&[("TOKEN", SECRET), ("PORT", "99999")]).await;
    assert!(outcome.is_permanent_failure());
    let texts: Vec<&str> = outcome
        .findings()
        .iter()
        .map(|f| f.text().as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "TOKEN has fewer than 20 characters",
            "PORT lies outside 1 to 65535",
            "NOTE is not set"
        ]
    );
    let details: Vec<Option<&str>> = outcome
        .findings()
        .iter()
        .map(|f| f.get_detail().map(PrivateText::expose))
        .collect();
    assert_eq!(details, [None, Some("found \"99999\""), None]);
}
