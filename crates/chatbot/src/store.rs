//! What the modules over Redis share: one script at a time, within a limit, under names that tell
//! nothing.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use deadpool_redis::{
    Pool, PoolError,
    redis::{Cmd, FromRedisValue, RedisError, cmd},
};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

/// A pool may have no limits of its own; no request waits longer than this for Redis.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Why Redis gave no answer. Nothing is known then, and nothing may be let pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No connection.
    #[error("no connection to redis")]
    Pool(#[source] PoolError),
    /// Redis refused, or the connection broke.
    #[error("redis refused a script, or did not answer it")]
    Script(#[source] RedisError),
    /// It took too long.
    #[error("redis took too long")]
    Timeout,
    /// The runtime ended before the answer came.
    #[error("a request to redis was interrupted")]
    Interrupted,
}

/// Does something to its end, also if whoever wants it goes away meanwhile.
pub(crate) async fn in_full<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::spawn(work).await;
    done.map_err(|_| StoreError::Interrupted)
}

/// Runs a script. A `sent` that is given is set just before something is sent.
pub(crate) async fn run<T: FromRedisValue>(
    pool: &Pool,
    script: &Cmd,
    sent: Option<&mut bool>,
) -> Result<T, StoreError> {
    let answer = async {
        let mut connection = pool.get().await.map_err(StoreError::Pool)?;
        if let Some(sent) = sent {
            *sent = true;
        }
        let answer = script.query_async(&mut connection).await;
        answer.map_err(StoreError::Script)
    };
    let answer = timeout(ANSWER_WITHIN, answer).await;
    answer.unwrap_or(Err(StoreError::Timeout))
}

/// A script over one key. Its text goes along each time, so that a server that was restarted, or
/// that forgot its scripts, needs no second round.
pub(crate) fn script(text: &str, key: &str) -> Cmd {
    let mut script = cmd("EVAL");
    script.arg(text).arg(1).arg(key);
    script
}

/// The prefix, and a hash of the parts: no text of a user is a key, and no two lists of parts have
/// the same one.
pub(crate) fn name(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// Whole milliseconds, at least one: Redis takes zero for "at once".
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, MOST_MILLISECONDS)
}

/// Redis counts from 1970 in 63 bits; this leaves room for it.
const MOST_MILLISECONDS: u64 = 1 << 50;

/// A database of the shared Redis that is this test's own, and a prefix for its keys.
#[cfg(test)]
pub(crate) async fn url_of_a_test() -> (String, String) {
    let stack = tria_devstack::shared().await.unwrap();
    let space = stack.redis_space().await.unwrap();
    let url = format!("{}?protocol=resp3", stack.redis_url(space.database));
    (url, space.prefix)
}

/// A pool over such a database.
#[cfg(test)]
pub(crate) async fn of_a_test() -> (Pool, String) {
    let (url, prefix) = url_of_a_test().await;
    (pool_to(&url), prefix)
}

/// A pool that leads to where nobody listens.
#[cfg(test)]
pub(crate) fn away() -> Pool {
    pool_to("redis://127.0.0.1:1/")
}

/// A pool without limits of its own.
#[cfg(test)]
pub(crate) fn pool_to(url: &str) -> Pool {
    let connecting = deadpool_redis::redis::AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let manager = deadpool_redis::Manager::new_with_config(url, connecting).unwrap();
    Pool::builder(manager).max_size(8).build().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_redis_that_is_silent_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let pool = pool_to(&format!("redis://{}/", silent.local_addr().unwrap()));
        let answer = run::<u8>(&pool, &script("return 1", "k"), None).await;
        assert!(matches!(answer, Err(StoreError::Timeout)), "{answer:?}");
    }

    #[test]
    fn a_name_tells_nothing_and_no_two_lists_share_one() {
        let names = [
            name("p:", &["ann", "b"]),
            name("p:", &["an", "nb"]),
            name("p:", &["annb"]),
            name("p:", &["annb", ""]),
        ];
        for (index, name) in names.iter().enumerate() {
            assert_eq!(name.len(), 2 + 43);
            assert!(!name.contains("ann"));
            assert!(!names[..index].contains(name));
        }
    }

    #[test]
    fn no_duration_is_zero_or_beyond_what_redis_counts() {
        assert_eq!(milliseconds(Duration::ZERO), 1);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000);
        assert_eq!(milliseconds(Duration::MAX), MOST_MILLISECONDS);
    }
}
