//! The answers that were given, for requests that come again.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Pool};

use super::TurnError;
use crate::{
    DatabaseError,
    idempotency::{Key, StoredAnswer},
};

/// The longest time by which PostgreSQL counts back without leaving its calendar.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

const ANSWERED: &str = "
SELECT request_hash, status, content_type, body FROM chat_answers
 WHERE user_id = $1 AND idempotency_key = $2";

/// Those that somebody else is deleting are left to them.
const PRUNE: &str = "
DELETE FROM chat_answers WHERE (user_id, idempotency_key) IN (
    SELECT user_id, idempotency_key FROM chat_answers
     WHERE created_at < now() - make_interval(secs => $1)
     ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// The answer that was given under a key; asked for before work begins, since Redis may have lost
/// it.
///
/// # Errors
/// - [`TurnError::KeyTaken`]: the key stands for another request.
/// - [`TurnError::Pool`] and [`TurnError::Database`].
pub async fn answered(
    pool: &Pool,
    user_id: &str,
    key: &Key,
    request_hash: &[u8; 32],
) -> Result<Option<StoredAnswer>, TurnError> {
    find(&*pool.get().await?, user_id, key, request_hash).await
}

/// Deletes answers that are older than `older_than`, the oldest first and at most `most` of them.
/// Gives how many; with as many as `most` there may be more. A key whose answer is gone is free
/// again, unless an order or a complaint was made under it.
///
/// # Errors
/// [`DatabaseError`]; nothing is deleted then.
pub async fn prune(pool: &Pool, older_than: Duration, most: u32) -> Result<u64, DatabaseError> {
    let client = pool.get().await?;
    let seconds = older_than.min(LONGEST).as_secs_f64();
    let deleted = client.execute(PRUNE, &[&seconds, &i64::from(most)]).await?;
    Ok(deleted)
}

/// As [`answered`], on a connection.
pub(super) async fn find(
    client: &ClientWrapper,
    user_id: &str,
    key: &Key,
    request_hash: &[u8; 32],
) -> Result<Option<StoredAnswer>, TurnError> {
    let answered = client.prepare_cached(ANSWERED).await?;
    let found = client
        .query_opt(&answered, &[&user_id, &key.as_str()])
        .await?;
    let Some(row) = found else { return Ok(None) };
    if row.get::<_, &[u8]>(0) != request_hash {
        return Err(TurnError::KeyTaken);
    }
    Ok(Some(StoredAnswer {
        status: u16::try_from(row.get::<_, i16>(1)).unwrap_or_default(),
        content_type: row.get(2),
        body: row.get(3),
    }))
}
