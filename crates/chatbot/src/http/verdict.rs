//! What the rate limits say, in headers.

use axum::http::{HeaderMap, HeaderName};

use super::problem::whole_seconds;
use crate::rate_limit::Verdict;

/// Writes `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (in seconds), as in the
/// drafts of the IETF's HTTPAPI group up to the sixth, which clients know.
pub(super) fn write(verdict: &Verdict, headers: &mut HeaderMap) {
    let mut set = |name: &'static str, value: u64| {
        headers.insert(HeaderName::from_static(name), value.into());
    };
    set("ratelimit-limit", verdict.limit.into());
    set("ratelimit-remaining", verdict.remaining.into());
    set("ratelimit-reset", whole_seconds(verdict.reset_after));
}
