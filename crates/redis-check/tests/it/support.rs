//! Servers, pools and verdicts.

use std::time::Duration;

use deadpool_redis::{
    Pool,
    redis::{
        Client, Cmd, FromRedisValue,
        aio::{ConnectionLike, MultiplexedConnection},
    },
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tria_check::{Check, CheckContext, Code, Outcome, Phase, Retry, Status, conformance::Kit};
use tria_devstack::Redis;
use tria_redis_check::{RedisCheck, RedisOptions, build_pool};

/// The password that every server with a password has; no text of any outcome may hold it.
pub(crate) const PASSWORD: &str = "s3cr3t-planted-pw";
/// A wrong one, which must not be seen either.
pub(crate) const WRONG: &str = "wr0ng-planted-pw";

/// A server without a password and with these lines of configuration.
pub(crate) async fn server(config: &[&str]) -> Redis {
    let config = config.iter().map(|line| (*line).to_owned()).collect();
    Redis::start(tria_devstack::RedisOptions {
        config,
        ..Default::default()
    })
    .await
    .unwrap()
}

/// A server with [`PASSWORD`].
pub(crate) async fn server_with_password() -> Redis {
    Redis::start(tria_devstack::RedisOptions {
        password: Some(PASSWORD.to_owned()),
        ..Default::default()
    })
    .await
    .unwrap()
}

pub(crate) fn options(port: u16) -> RedisOptions {
    RedisOptions {
        max_size: 4,
        ..RedisOptions::new("127.0.0.1", port)
    }
}

/// Options of the user `limited` with [`PASSWORD`].
pub(crate) fn limited(port: u16) -> RedisOptions {
    RedisOptions {
        username: Some("limited".to_owned()),
        password: Some(PASSWORD.into()),
        ..options(port)
    }
}

/// Options that give up soon, for servers that never answer.
pub(crate) fn hasty(port: u16) -> RedisOptions {
    RedisOptions {
        connect_timeout: Duration::from_millis(250),
        response_timeout: Duration::from_millis(250),
        ..options(port)
    }
}

pub(crate) fn pool(options: &RedisOptions) -> Pool {
    build_pool(options).unwrap()
}

pub(crate) fn check(options: &RedisOptions) -> RedisCheck {
    RedisCheck::new(pool(options)).endpoint(options)
}

/// The contract, with both passwords planted.
pub(crate) fn kit() -> Kit {
    Kit::new().secret(PASSWORD).secret(WRONG)
}

/// Holds the check to the contract, and gives what it found.
pub(crate) async fn verify(check: &RedisCheck) -> Outcome {
    kit().verify(check).await.unwrap()
}

/// One run, without more ado.
pub(crate) async fn probe(check: &RedisCheck) -> Outcome {
    once(check).await
}

/// One run of any check.
pub(crate) async fn once(check: &impl Check) -> Outcome {
    let deadline = Instant::now() + check.meta().get_timeout();
    let cx = CheckContext::new(deadline, CancellationToken::new(), Phase::Ready);
    check.check(&cx).await
}

/// A connection of the test's own, beside those of the pool.
pub(crate) async fn admin(redis: &Redis) -> MultiplexedConnection {
    admin_at(&format!("redis://127.0.0.1:{}", redis.port())).await
}

pub(crate) async fn admin_at(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Runs `words` as a command.
pub(crate) async fn run<T: FromRedisValue>(admin: &mut impl ConnectionLike, words: &[&str]) -> T {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word);
    }
    command.query_async(admin).await.unwrap()
}

/// One number of INFO.
pub(crate) async fn info(admin: &mut MultiplexedConnection, key: &str) -> String {
    let info: String = run(admin, &["INFO"]).await;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("INFO has no {key}"))
        .to_owned()
}

/// Asks every 10 ms until `probe` says yes, for at most 20 s.
pub(crate) async fn until(what: &str, mut probe: impl AsyncFnMut() -> bool) {
    for _ in 0..2000 {
        if probe().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came about: {what}");
}

#[track_caller]
pub(crate) fn assert_fails(outcome: &Outcome, code: Code, permanent: bool) {
    let failures: Vec<_> = outcome
        .findings()
        .iter()
        .filter(|it| it.is_failure())
        .collect();
    assert_eq!(failures.len(), 1, "exactly one failure: {outcome:?}");
    assert_eq!(
        (outcome.status(), outcome.code()),
        (Status::Fail, code),
        "{outcome:?}"
    );
    assert_eq!(
        outcome.retry() == Retry::Permanent,
        permanent,
        "{outcome:?}"
    );
}

pub(crate) fn codes(outcome: &Outcome) -> Vec<&'static str> {
    outcome
        .findings()
        .iter()
        .map(|it| it.code().as_str())
        .collect()
}

/// The private detail of the decisive finding.
pub(crate) fn detail(outcome: &Outcome) -> &str {
    outcome.decisive().get_detail().unwrap().expose()
}
