//! What the tests share.

use std::time::Duration;

use deadpool_postgres::Pool;
use tokio_util::sync::CancellationToken;
use tria_check::{
    Check, CheckContext, Finding, Outcome, Phase, PublicValue, Retry, conformance::Kit,
};
use tria_db_check::{
    DatabaseCheck,
    pool::{DatabaseUrl, PoolOptions},
};
use tria_devstack::{SharedStack, TestDatabase};

/// The shared servers and an own, empty database.
pub(crate) async fn database() -> (SharedStack, TestDatabase) {
    let stack = tria_devstack::shared().await.unwrap();
    let database = stack.fresh_database().await.unwrap();
    (stack, database)
}

pub(crate) fn url(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(&url.into()).unwrap()
}

/// A pool with limits that suit tests.
pub(crate) fn pool(text: &str, max_size: usize) -> Pool {
    let options = PoolOptions {
        max_size,
        connect_timeout: Duration::from_secs(2),
        recycle_timeout: Duration::from_millis(500),
        ..PoolOptions::default()
    };
    url(text).pool(&options).unwrap()
}

/// A check over a pool of its own to a URL.
pub(crate) fn check(text: &str) -> DatabaseCheck {
    DatabaseCheck::new(pool(text, 2)).target(url(text).target())
}

/// Runs a check through the conformance kit, with the password in its URL as a planted secret.
pub(crate) async fn conforms(check: &impl Check, url: &str) -> Outcome {
    let password = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
        .and_then(|(credentials, _)| credentials.split_once(':'));
    let kit = match password {
        Some((_, password)) => Kit::new().secret(password),
        None => Kit::new(),
    };
    kit.verify(check).await.unwrap()
}

/// What the runner would tell it.
pub(crate) fn context(check: &impl Check) -> CheckContext {
    let deadline = tokio::time::Instant::now() + check.meta().get_timeout();
    CheckContext::new(deadline, CancellationToken::new(), Phase::Ready)
}

/// Runs a check once, with the time that it asks for.
pub(crate) async fn run(check: &impl Check) -> Outcome {
    let cx = context(check);
    tokio::time::timeout_at(cx.deadline(), check.check(&cx))
        .await
        .expect("no answer in time")
}

/// The codes of all findings.
pub(crate) fn codes(outcome: &Outcome) -> Vec<&'static str> {
    let codes = outcome.findings().iter().map(Finding::code);
    codes.map(tria_check::Code::as_str).collect()
}

pub(crate) fn texts(outcome: &Outcome) -> Vec<&str> {
    let texts = outcome.findings().iter().map(Finding::text);
    texts.map(tria_check::PublicText::as_str).collect()
}

pub(crate) fn number(outcome: &Outcome, name: &str) -> i64 {
    match outcome.observed_value(name) {
        Some(PublicValue::Int(number)) => *number,
        other => panic!("{name} is {other:?}"),
    }
}

/// Asserts the decisive code and its class, and that no text for the public says more than the
/// list of faults does: no host, no user, nothing of what a driver or server said.
pub(crate) fn assert_refused(outcome: &Outcome, code: &str, retry: Retry) {
    assert_eq!(outcome.code().as_str(), code, "{outcome:?}");
    assert!(outcome.is_failure());
    assert_eq!(outcome.retry(), retry, "{code}");
    for finding in outcome.findings() {
        let remedy = finding.get_remedy().map_or("", |remedy| remedy.as_str());
        for text in [finding.text().as_str(), remedy] {
            for foreign in [
                "127.0.0.1",
                "FATAL",
                "db error",
                "error connecting",
                "os error",
            ] {
                assert!(!text.contains(foreign), "{text}");
            }
        }
    }
}

/// What operators read of the decisive finding.
pub(crate) fn detail(outcome: &Outcome) -> &str {
    outcome.decisive().get_detail().unwrap().expose()
}

/// A connection that is none of the pool's, for watching and for trouble.
pub(crate) async fn client(text: &str) -> deadpool_postgres::Object {
    pool(text, 1).get().await.unwrap()
}

/// Waits until a query gives `wanted`.
pub(crate) async fn until(client: &tokio_postgres::Client, query: &str, wanted: i64) {
    let mut seen = -1;
    for _ in 0..200 {
        seen = client.query_one(query, &[]).await.unwrap().get(0);
        if seen == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{query} gives {seen}, not {wanted}");
}

pub(crate) const TRANSIENT: Retry = Retry::Transient(None);
