//! The body of a request, bounded in size and time.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::{HeaderMap, header},
};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{problem::Problem, request::MOST_BYTES};

/// How much of a body that is too large is taken in and thrown away, in bytes, and how long that
/// may take. A server that closes while the client still sends resets the connection, and the
/// client may lose the answer that says why (RFC 9112, section 9.6).
const THROWN_AWAY: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads it.
///
/// # Errors
/// It is too large, or does not arrive in time.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    within: Duration,
) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > MOST_BYTES as u64) {
        throw_away(stream);
        return Err(Problem::too_large());
    }
    match timeout(within, whole(&mut stream)).await {
        Ok(Some(body)) => Ok(body),
        Ok(None) => {
            throw_away(stream);
            Err(Problem::too_large())
        }
        Err(_) => Err(Problem::slow_body()),
    }
}

/// None if it is too large, or the client broke it off and hears nothing any more.
async fn whole(stream: &mut BodyDataStream) -> Option<Bytes> {
    let mut whole = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.ok()?;
        if whole.len() + chunk.len() > MOST_BYTES {
            return None;
        }
        whole.extend_from_slice(&chunk);
    }
    Some(whole.into())
}

/// Takes in what still comes, beside the answer.
fn throw_away(mut stream: BodyDataStream) {
    let mut left = THROWN_AWAY;
    let rest = async move {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    tokio::spawn(timeout(PATIENCE, rest));
}
