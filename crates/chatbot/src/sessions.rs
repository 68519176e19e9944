//! Conversations: whose they are, and where they stand. They are opened and go on by
//! [turns](crate::turns).

use deadpool_postgres::Pool;
use serde_json::Value;
use uuid::Uuid;

/// A conversation of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The conversation.
    pub id: Uuid,
    /// Whose it is, for good.
    pub user_id: String,
    /// The outlet that it is about, once that is known.
    pub outlet_id: Option<i64>,
    /// In which it is answered; BCP 47.
    pub language: String,
    /// How many messages were answered in it: the number at which the next turn begins.
    pub turns: i32,
    /// What is left to ask; an object.
    pub pending: Option<Value>,
}

/// Why there is no conversation to go on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There is none, it is closed, or it is somebody else's: whoever asks learns no more than
    /// that.
    #[error("no such conversation")]
    NotFound,
    /// PostgreSQL did not answer, or no connection to it was free.
    #[error("no connection to the database")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("the database refused")]
    Database(#[from] tokio_postgres::Error),
}

const RESUME: &str = "
SELECT id, user_id, outlet_id, language, turns, pending FROM conversation_sessions
 WHERE id = $1 AND user_id = $2 AND closed_at IS NULL";

// === impl Session ===

impl Session {
    /// A conversation of this user, to go on with. Nothing is written: the turn does that.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn resume(pool: &Pool, id: Uuid, user_id: &str) -> Result<Self, SessionError> {
        let client = pool.get().await?;
        let resume = client.prepare_cached(RESUME).await?;
        let row = client.query_opt(&resume, &[&id, &user_id]).await?;
        let row = row.ok_or(SessionError::NotFound)?;
        Ok(Self {
            id: row.get(0),
            user_id: row.get(1),
            outlet_id: row.get(2),
            language: row.get(3),
            turns: row.get(4),
            pending: row.get(5),
        })
    }
}
