//! Writes a turn: all of it or nothing, and once for each key.

use deadpool_postgres::{ClientWrapper, Pool};
use tokio_postgres::{Error, error::DbError};

use super::{
    Composed, Done, Kept, SessionRef, Turn, TurnError, Work, answers,
    statements::{Begun, Statements, turns_of},
    transaction::Transaction,
};
use crate::{
    idempotency::MOST_BYTES,
    orders::{Limits, Problem, check_form},
};

/// Writes the turn, or finds the answer of the one that was written under its key before.
///
/// `compose` is asked within the transaction, when everything is known that the answer may tell.
/// It takes two round trips to PostgreSQL, for an order three, on a connection that knows the
/// statements already, and waits for nothing else. Until it ends nobody else gets any of the goods
/// of an order.
///
/// # Errors
/// [`TurnError`]. Dropping the future before its end writes nothing, unless the commit is with the
/// server already; then the key finds the answer.
pub async fn keep<F>(
    pool: &Pool,
    turn: &Turn<'_>,
    limits: &Limits,
    compose: F,
) -> Result<Kept, TurnError>
where
    F: FnOnce(&Done) -> Composed,
{
    let transaction = Transaction::on(pool.get().await?);
    // What travels together is awaited together, which is large; whoever awaits this is not to be.
    let written = Box::pin(write(&transaction, turn, limits, compose)).await;
    let kept = match written {
        Ok(kept) => Ok(kept),
        Err(halt) => explain(&transaction, turn, halt).await,
    };
    transaction.over();
    kept
}

/// Why a turn was given up, as far as its statements tell.
enum Halt {
    Refused(Vec<Problem>),
    /// The conversation is not there to go on with as meant.
    NoRow,
    AnswerTooLarge,
    Database(Error),
}

async fn write<F>(
    transaction: &Transaction,
    turn: &Turn<'_>,
    limits: &Limits,
    compose: F,
) -> Result<Kept, Halt>
where
    F: FnOnce(&Done) -> Composed,
{
    if let Work::Order { lines, .. } = turn.work {
        check_form(lines, limits)?;
    }
    let statements = Statements::prepare(transaction, turn).await?;
    let (session, begun) = transaction.begin(statements.first()).await?;
    if session? == 0 {
        return Err(Halt::NoRow);
    }
    let done = match begun? {
        Begun::Done(done) => done,
        Begun::Order(placing, asked, goods) => {
            let priced = goods.price(asked.lines, limits)?;
            Done::Order(placing.write(transaction, asked, priced).await?)
        }
    };
    let composed = compose(&done);
    if composed.answer.body.len() > MOST_BYTES {
        return Err(Halt::AnswerTooLarge);
    }
    transaction.end(statements.close(&done, &composed)).await?;
    Ok(Kept {
        answer: composed.answer,
        done: Some(done),
    })
}

/// Rolls back, and finds out what the turn met: whatever it was may come of itself, written by
/// somebody who was quicker with the same key.
async fn explain(
    transaction: &Transaction,
    turn: &Turn<'_>,
    halt: Halt,
) -> Result<Kept, TurnError> {
    let found = match transaction.roll_back().await {
        Ok(()) => answers::find(transaction, turn.user_id, turn.key, &turn.request_hash).await,
        Err(error) => Err(TurnError::Database(error)),
    };
    match (found, halt) {
        (Ok(Some(answer)), _) => Ok(Kept { answer, done: None }),
        (Err(TurnError::KeyTaken), _) => Err(TurnError::KeyTaken),
        (Ok(None), Halt::Database(error)) => Err(refused(transaction, turn, error).await?),
        // What failed first says more than what came of it.
        (Err(_), Halt::Database(error)) => Err(TurnError::Database(error)),
        (Err(error), _) => Err(error),
        (Ok(None), Halt::Refused(problems)) => Err(TurnError::Refused(problems)),
        (Ok(None), Halt::AnswerTooLarge) => Err(TurnError::AnswerTooLarge),
        (Ok(None), Halt::NoRow) => Err(missing(transaction, turn).await?),
    }
}

/// What of the conversation is not there.
async fn missing(client: &ClientWrapper, turn: &Turn<'_>) -> Result<TurnError, Error> {
    let SessionRef::At { id, turns } = turn.session else {
        return Ok(TurnError::NoSuchOutlet);
    };
    let now = turns_of(client, id, turn.user_id).await?;
    Ok(match now {
        None => TurnError::NoSession,
        Some(now) if now == turns => TurnError::NoSuchOutlet,
        Some(_) => TurnError::Moved,
    })
}

/// What a statement met, where no answer stands under the key.
async fn refused(
    client: &ClientWrapper,
    turn: &Turn<'_>,
    error: Error,
) -> Result<TurnError, Error> {
    let constraint = error.as_db_error().and_then(DbError::constraint);
    Ok(match constraint {
        Some("orders_idempotency" | "complaints_idempotency") => TurnError::KeyTaken,
        // Somebody opened it meanwhile.
        Some("conversation_sessions_pkey") => {
            match turns_of(client, turn.session.id(), turn.user_id).await? {
                Some(_) => TurnError::Moved,
                None => TurnError::NoSession,
            }
        }
        _ => TurnError::Database(error),
    })
}

// === impl Halt ===

impl From<Vec<Problem>> for Halt {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Refused(problems)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}
