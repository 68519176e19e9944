//! Conversations: whose they are, and what was said.

use deadpool_postgres::Pool;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio_postgres::Row;
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
}

/// A message and its answer.
#[derive(Clone, Debug)]
pub struct Exchange<'a> {
    /// What the user said, personal data masked.
    pub message: &'a str,
    /// How many pieces of personal data were masked in it.
    pub masked_items: u32,
    /// What it was taken for, as in `order_placement`.
    pub intent: &'a str,
    /// How sure that was, from 0 to 1.
    pub confidence: f32,
    /// What was answered.
    pub answer: &'a str,
    /// The passages that the answer rests on; an array.
    pub citations: &'a Value,
    /// The total of the order that came of it, tax included.
    pub ordered: Option<Decimal>,
}

/// Why there is no conversation to go on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There is none, or it is somebody else's: whoever asks learns no more than that.
    #[error("no such conversation")]
    NotFound,
    /// The outlet that it is to be about does not exist.
    #[error("no such outlet")]
    NoSuchOutlet,
    /// PostgreSQL did not answer, or no connection to it was free.
    #[error("no connection to the database")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("the database refused")]
    Database(#[source] tokio_postgres::Error),
}

const COLUMNS: &str = "id, user_id, outlet_id, language";

/// The summary of a user is there from the first conversation on.
const OPEN_SUMMARY: &str = "
INSERT INTO user_interaction_summaries (user_id, sessions, last_session_id, last_outlet_id, language)
VALUES ($1, 1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE SET
    sessions = user_interaction_summaries.sessions + 1,
    last_session_id = excluded.last_session_id,
    last_outlet_id = coalesce(excluded.last_outlet_id, user_interaction_summaries.last_outlet_id),
    language = excluded.language,
    last_seen_at = now()";

const MESSAGE: &str = "
INSERT INTO conversation_messages (session_id, role, content, masked_items, intent, confidence, citations)
VALUES ($1, $2, $3, $4, $5, $6, $7)";

const SUMMARY: &str = "
UPDATE user_interaction_summaries SET
    messages = messages + 1,
    orders = orders + $2,
    spent = spent + $3,
    last_session_id = $4,
    last_intent = $5,
    last_seen_at = now()
 WHERE user_id = $1";

// === impl Session ===

impl Session {
    /// Begins a conversation. The language is that of the outlet, or English, where it is not said.
    ///
    /// # Errors
    /// [`SessionError`]; nothing is written then.
    pub async fn open(
        pool: &Pool,
        user_id: &str,
        outlet_id: Option<i64>,
        language: Option<&str>,
    ) -> Result<Self, SessionError> {
        let mut client = pool.get().await?;
        let transaction = client.transaction().await?;
        let spoken = "SELECT language FROM outlets WHERE id = $1 AND active";
        let spoken = match outlet_id {
            None => None,
            Some(id) => {
                let outlet = transaction.query_opt(spoken, &[&id]).await?;
                let outlet = outlet.ok_or(SessionError::NoSuchOutlet)?;
                Some(outlet.get::<_, String>(0))
            }
        };
        let spoken = spoken.unwrap_or_else(|| "en".to_owned());
        let language = language.unwrap_or(&spoken);
        let new = format!(
            "INSERT INTO conversation_sessions (user_id, outlet_id, language)
             VALUES ($1, $2, $3) RETURNING {COLUMNS}"
        );
        let row = transaction
            .query_one(&new, &[&user_id, &outlet_id, &language])
            .await?;
        let session = Self::of(&row);
        let id = session.id;
        transaction
            .execute(OPEN_SUMMARY, &[&user_id, &id, &outlet_id, &language])
            .await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// A conversation of this user, to go on with.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn resume(pool: &Pool, id: Uuid, user_id: &str) -> Result<Self, SessionError> {
        let client = pool.get().await?;
        let open = format!(
            "UPDATE conversation_sessions SET last_active_at = now()
              WHERE id = $1 AND user_id = $2 AND closed_at IS NULL RETURNING {COLUMNS}"
        );
        let row = client.query_opt(&open, &[&id, &user_id]).await?;
        row.map(|row| Self::of(&row)).ok_or(SessionError::NotFound)
    }

    /// Says which outlet the conversation is about.
    ///
    /// # Errors
    /// [`SessionError`]; it stays as it was then.
    pub async fn set_outlet(&mut self, pool: &Pool, outlet_id: i64) -> Result<(), SessionError> {
        let client = pool.get().await?;
        let set = "UPDATE conversation_sessions SET outlet_id = outlets.id FROM outlets
                    WHERE conversation_sessions.id = $1 AND outlets.id = $2 AND outlets.active";
        if client.execute(set, &[&self.id, &outlet_id]).await? == 0 {
            return Err(SessionError::NoSuchOutlet);
        }
        self.outlet_id = Some(outlet_id);
        Ok(())
    }

    /// Keeps a message with its answer, and what is known of the user: all of it or nothing.
    ///
    /// # Errors
    /// [`SessionError`]; nothing is written then.
    pub async fn record(&self, pool: &Pool, exchange: &Exchange<'_>) -> Result<(), SessionError> {
        let mut client = pool.get().await?;
        let transaction = client.transaction().await?;
        let (intent, confidence) = (Some(exchange.intent), Some(exchange.confidence));
        let masked = i32::try_from(exchange.masked_items).unwrap_or(i32::MAX);
        let none = Value::Array(Vec::new());
        transaction
            .execute(
                MESSAGE,
                &[
                    &self.id,
                    &"user",
                    &exchange.message,
                    &masked,
                    &intent,
                    &confidence,
                    &none,
                ],
            )
            .await?;
        let (intent, confidence) = (None::<&str>, None::<f32>);
        transaction
            .execute(
                MESSAGE,
                &[
                    &self.id,
                    &"assistant",
                    &exchange.answer,
                    &0_i32,
                    &intent,
                    &confidence,
                    &exchange.citations,
                ],
            )
            .await?;
        let active = "UPDATE conversation_sessions SET last_active_at = now() WHERE id = $1";
        transaction.execute(active, &[&self.id]).await?;
        let orders = i32::from(exchange.ordered.is_some());
        let spent = exchange.ordered.unwrap_or_default();
        transaction
            .execute(
                SUMMARY,
                &[&self.user_id, &orders, &spent, &self.id, &exchange.intent],
            )
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    fn of(row: &Row) -> Self {
        Self {
            id: row.get(0),
            user_id: row.get(1),
            outlet_id: row.get(2),
            language: row.get(3),
        }
    }
}

// === impl SessionError ===

impl From<tokio_postgres::Error> for SessionError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}
