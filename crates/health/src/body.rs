//! Answers that are written once and sent many times.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::time::Instant;
use tria_check::Phase;

use crate::{negotiation::Shape, sampler::Sample, timestamp};

/// Stands for the time in a body until it is sent: no check can bring it in, since public text
/// has no such characters.
pub(crate) const TIME: &str = "@@@@@@@@@@@@@@@@@@@@@@@@";

/// The body of an answer, and whether it is good news.
pub(crate) struct Verdict<B> {
    pub(crate) body: B,
    /// After how long to ask again; `None` when all is well.
    pub(crate) retry_after: Option<Duration>,
    /// Until when it stays true if nothing new comes; `None`: for ever.
    pub(crate) holds_until: Option<Instant>,
}

/// An answer with a gap for the time.
struct Written {
    status: StatusCode,
    content_type: HeaderValue,
    retry_after: Option<HeaderValue>,
    before: Vec<u8>,
    after: Option<Vec<u8>>,
}

/// The last answer of one kind, for as long as it is true.
#[derive(Default)]
pub(crate) struct Cache {
    kept: ArcSwapOption<Kept>,
}

/// What an answer was made of.
pub(crate) struct Ground {
    pub(crate) generation: u64,
    pub(crate) phase: Phase,
    pub(crate) sample: Option<Arc<Sample>>,
}

struct Kept {
    ground: Ground,
    holds_until: Option<Instant>,
    written: Written,
}

// === impl Verdict ===

impl<B> Verdict<B> {
    /// The same verdict in another body.
    pub(crate) fn map<C>(self, change: impl FnOnce(B) -> C) -> Verdict<C> {
        Verdict {
            body: change(self.body),
            retry_after: self.retry_after,
            holds_until: self.holds_until,
        }
    }
}

impl<B: Serialize> Verdict<B> {
    /// The answer in this shape.
    pub(crate) fn to_response(&self, shape: Shape) -> Response {
        Written::of(self, shape).to_response()
    }
}

// === impl Cache ===

impl Cache {
    /// The answer on this ground; written by `write` where there is none.
    pub(crate) fn answer<B: Serialize>(
        &self,
        ground: Ground,
        shape: Shape,
        write: impl FnOnce(&Ground) -> Verdict<B>,
    ) -> Response {
        let kept = self.kept.load();
        if let Some(kept) = kept.as_deref().filter(|kept| kept.is_true_on(&ground)) {
            return kept.written.to_response();
        }
        let verdict = write(&ground);
        let kept = Arc::new(Kept {
            ground,
            holds_until: verdict.holds_until,
            written: Written::of(&verdict, shape),
        });
        let response = kept.written.to_response();
        self.kept.store(Some(kept));
        response
    }
}

// === impl Kept ===

impl Kept {
    fn is_true_on(&self, ground: &Ground) -> bool {
        self.ground.generation == ground.generation
            && self.ground.phase == ground.phase
            && same(self.ground.sample.as_ref(), ground.sample.as_ref())
            && self.holds_until.is_none_or(|until| Instant::now() <= until)
    }
}

/// Whether it is the very same sample; the one that is kept is alive, so its address is its own.
fn same(one: Option<&Arc<Sample>>, other: Option<&Arc<Sample>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

// === impl Written ===

impl Written {
    fn of<B: Serialize>(verdict: &Verdict<B>, shape: Shape) -> Self {
        // Our bodies have string keys and finite numbers only.
        let mut before = serde_json::to_vec(&verdict.body).unwrap_or_default();
        let gap = before
            .windows(TIME.len())
            .position(|window| window == TIME.as_bytes());
        let after = gap.map(|gap| {
            let after = before.split_off(gap + TIME.len());
            before.truncate(gap);
            after
        });
        Self {
            status: match verdict.retry_after {
                None => StatusCode::OK,
                Some(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
            content_type: HeaderValue::from_static(shape.content_type()),
            retry_after: verdict.retry_after.map(in_seconds),
            before,
            after,
        }
    }

    fn to_response(&self) -> Response {
        let after = self.after.as_deref().unwrap_or_default();
        let mut body = Vec::with_capacity(self.before.len() + TIME.len() + after.len());
        body.extend_from_slice(&self.before);
        if self.after.is_some() {
            timestamp::write(SystemTime::now(), &mut body);
        }
        body.extend_from_slice(after);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        if let Some(after) = &self.retry_after {
            headers.insert(header::RETRY_AFTER, after.clone());
        }
        response
    }
}

impl<B: Serialize> IntoResponse for Verdict<B> {
    fn into_response(self) -> Response {
        self.to_response(Shape::Json)
    }
}

/// Whole seconds, rounded up; at least one, or a client would hammer.
fn in_seconds(after: Duration) -> HeaderValue {
    let seconds = after.as_millis().div_ceil(1_000).max(1);
    HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX))
}
