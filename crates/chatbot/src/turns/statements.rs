//! The statements of a turn, prepared for one connection. Each is sent when its future is first
//! polled.

use deadpool_postgres::ClientWrapper;
use rust_decimal::Decimal;
use tokio_postgres::{Error, Statement};
use uuid::Uuid;

use super::{Composed, Done, SessionRef, Turn, Work};
use crate::{
    complaints::{Complaining, Made},
    orders::{Asked, Goods, Placing},
};

/// No row where the outlet is not delivered to.
const OPEN: &str = "
INSERT INTO conversation_sessions (id, user_id, outlet_id, language, turns, orders, pending)
SELECT $1::uuid, $2::text, $3::bigint, $4::text, 1, $5::integer, $6::jsonb
 WHERE $3 IS NULL OR EXISTS (SELECT FROM outlets WHERE id = $3 AND active)";

/// No row where there is nothing to go on with from there. An outlet that is delivered to no more
/// does not end the conversations about it. A transaction that began earlier may come later, and
/// must not date back what it finds; so below.
const GO_ON: &str = "
UPDATE conversation_sessions SET
    turns = turns + 1, orders = orders + $5, outlet_id = $3, pending = $6,
    last_active_at = greatest(last_active_at, now())
 WHERE id = $1 AND user_id = $2 AND turns = $4 AND closed_at IS NULL
   AND ($3::bigint IS NULL OR outlet_id = $3
        OR EXISTS (SELECT FROM outlets WHERE id = $3 AND active))";

const TURNS: &str = "
SELECT turns FROM conversation_sessions WHERE id = $1 AND user_id = $2 AND closed_at IS NULL";

const CLOSE: &str = "
WITH said AS (
    INSERT INTO conversation_messages
           (session_id, role, content, masked_items, intent, confidence, citations)
    VALUES ($1, 'user', $2, $3, $4, $5, '[]'), ($1, 'assistant', $6, 0, NULL, NULL, $7)
), known AS (
    INSERT INTO user_interaction_summaries AS known
           (user_id, sessions, messages, orders, spent, last_session_id, last_outlet_id,
            last_intent, language)
    VALUES ($8, $9, 1, $10, $11, $1, $12, $4, $13)
    ON CONFLICT (user_id) DO UPDATE SET
        sessions = known.sessions + excluded.sessions,
        messages = known.messages + excluded.messages,
        orders = known.orders + excluded.orders,
        spent = known.spent + excluded.spent,
        last_session_id = excluded.last_session_id,
        last_outlet_id = coalesce(excluded.last_outlet_id, known.last_outlet_id),
        last_intent = excluded.last_intent,
        language = coalesce(excluded.language, known.language),
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
)
INSERT INTO chat_answers
       (user_id, idempotency_key, request_hash, session_id, status, content_type, body)
VALUES ($8, $14, $15, $1, $16, $17, $18)";

/// What a turn says to PostgreSQL, but for its beginning and its end.
pub(super) struct Statements<'a> {
    client: &'a ClientWrapper,
    turn: &'a Turn<'a>,
    session: Statement,
    work: Working<'a>,
    close: Statement,
}

enum Working<'a> {
    Nothing,
    Order(Placing, Asked<'a>),
    Complaint(Complaining, Made<'a>),
}

/// How far the first statements of the work have come.
pub(super) enum Begun<'a> {
    /// To its end.
    Done(Done),
    /// To the goods of an order, which are locked.
    Order(&'a Placing, &'a Asked<'a>, Goods),
}

/// How many turns a conversation of a user has; `None` where it is not to go on with.
pub(super) async fn turns_of(
    client: &ClientWrapper,
    id: Uuid,
    user_id: &str,
) -> Result<Option<i32>, Error> {
    let turns = client.prepare_cached(TURNS).await?;
    let row = client.query_opt(&turns, &[&id, &user_id]).await?;
    Ok(row.map(|row| row.get(0)))
}

// === impl Statements ===

impl<'a> Statements<'a> {
    pub(super) async fn prepare(
        client: &'a ClientWrapper,
        turn: &'a Turn<'a>,
    ) -> Result<Self, Error> {
        let session = match turn.session {
            SessionRef::New { .. } => OPEN,
            SessionRef::At { .. } => GO_ON,
        };
        Ok(Self {
            client,
            turn,
            session: client.prepare_cached(session).await?,
            work: Working::prepare(client, turn).await?,
            close: client.prepare_cached(CLOSE).await?,
        })
    }

    /// Writes the conversation, as far as it is there to go on with, and begins the work. Gives
    /// both, the first to be looked at first.
    pub(super) async fn first(&self) -> (Result<u64, Error>, Result<Begun<'_>, Error>) {
        tokio::join!(biased; self.session(), self.work.begin(self.client))
    }

    async fn session(&self) -> Result<u64, Error> {
        let turn = self.turn;
        let (user_id, outlet_id, pending) = (turn.user_id, turn.outlet_id, turn.pending);
        let orders = i32::from(matches!(turn.work, Work::Order { .. }));
        let (client, session) = (self.client, &self.session);
        match turn.session {
            SessionRef::New { id, language } => {
                let values: Values<'_, 6> =
                    [&id, &user_id, &outlet_id, &language, &orders, &pending];
                client.execute(session, &values).await
            }
            SessionRef::At { id, turns } => {
                let values: Values<'_, 6> = [&id, &user_id, &outlet_id, &turns, &orders, &pending];
                client.execute(session, &values).await
            }
        }
    }

    /// Writes the messages, what is known of the user, and the answer.
    pub(super) async fn close(&self, done: &Done, composed: &Composed) -> Result<u64, Error> {
        let turn = self.turn;
        let (opened, language) = match turn.session {
            SessionRef::New { language, .. } => (1_i32, Some(language)),
            SessionRef::At { .. } => (0, None),
        };
        let (orders, spent) = match done {
            Done::Order(placed) => (1_i32, placed.total),
            Done::Nothing | Done::Complaint(_) => (0, Decimal::ZERO),
        };
        let masked = i32::try_from(turn.masked_items).unwrap_or(i32::MAX);
        let status = i16::try_from(composed.answer.status).unwrap_or(i16::MAX);
        let values: Values<'_, 18> = [
            &turn.session.id(),
            &turn.message,
            &masked,
            &turn.intent.name(),
            &turn.confidence,
            &composed.text,
            &turn.citations,
            &turn.user_id,
            &opened,
            &orders,
            &spent,
            &turn.outlet_id,
            &language,
            &turn.key.as_str(),
            &turn.request_hash.as_slice(),
            &status,
            &composed.answer.content_type,
            &composed.answer.body,
        ];
        self.client.execute(&self.close, &values).await
    }
}

type Values<'a, const N: usize> = [&'a (dyn tokio_postgres::types::ToSql + Sync); N];

// === impl Working ===

impl<'a> Working<'a> {
    async fn prepare(client: &ClientWrapper, turn: &'a Turn<'a>) -> Result<Self, Error> {
        let (user_id, session_id) = (turn.user_id, turn.session.id());
        let idempotency_key = turn.key.as_str();
        Ok(match turn.work {
            Work::Nothing => Self::Nothing,
            Work::Order { outlet_id, lines } => {
                let asked = Asked {
                    user_id,
                    session_id,
                    idempotency_key,
                    request_hash: &turn.request_hash,
                    outlet_id,
                    lines,
                };
                Self::Order(Placing::prepare(client).await?, asked)
            }
            Work::Complaint { order_id, text } => {
                let made = Made {
                    user_id,
                    session_id,
                    idempotency_key,
                    outlet_id: turn.outlet_id,
                    order_id,
                    text,
                };
                Self::Complaint(Complaining::prepare(client).await?, made)
            }
        })
    }

    async fn begin(&self, client: &ClientWrapper) -> Result<Begun<'_>, Error> {
        Ok(match self {
            Self::Nothing => Begun::Done(Done::Nothing),
            Self::Order(placing, asked) => {
                let goods = placing.lock(client, asked).await?;
                Begun::Order(placing, asked, goods)
            }
            Self::Complaint(complaining, made) => {
                Begun::Done(Done::Complaint(complaining.write(client, made).await?))
            }
        })
    }
}
