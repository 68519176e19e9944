//! What is to be done with a connection, as a function of what happens on it. Nothing here waits
//! or touches a socket.
//!
//! hyper's own header timeout also bounds how long a connection may be idle between two requests,
//! and none covers the first bytes of a connection. Here each has its limit.

use std::time::Duration;

use tokio::time::Instant;

/// How long a connection without a request in flight may live on once the server closes: long
/// enough for a request on its way, too short to hold up the end.
pub(super) const MOMENT: Duration = Duration::from_millis(500);

/// What happens on one connection.
#[derive(Debug)]
pub(super) struct Manners {
    accepted: Instant,
    http2: bool,
    /// When each request in flight began, with its number.
    requests: Vec<(u64, Instant)>,
    /// How many requests this connection has had.
    count: u64,
    /// Answers whose last byte the kernel does not have yet.
    unflushed: usize,
    /// Since when a part of a request's head is here.
    reading: Option<Instant>,
    /// Since when no request is in flight.
    idle: Instant,
    /// When the client was told to go away, on HTTP/2.
    told: Option<Instant>,
    /// Whether its socket is gone.
    closed: bool,
}

/// How patient the server is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) header_read: Duration,
    pub(super) idle: Duration,
}

/// How far the server is with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Serving,
    /// A stop was asked for; clients are sent away as they come.
    PreDrain,
    /// The listener is being closed, since then.
    Closing(Instant),
}

/// What is to be done with a connection now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Nothing, until something happens on it.
    Wait,
    /// Nothing, until something happens on it or this moment has come.
    WaitUntil(Instant),
    /// Tell the client to go away (HTTP/2).
    GoAway,
    /// Close it; no request is lost by that.
    Close,
}

// === impl Manners ===

impl Manners {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            accepted: now,
            http2: false,
            requests: Vec::new(),
            count: 0,
            unflushed: 0,
            reading: None,
            idle: now,
            told: None,
            closed: false,
        }
    }

    /// Bytes came in; `first` if none came before.
    pub(super) fn read(&mut self, bytes: &[u8], first: bool, now: Instant) {
        if first && bytes.starts_with(b"PRI") {
            self.http2 = true;
        }
        if !self.is_busy() && self.reading.is_none() {
            self.reading = Some(now);
        }
    }

    /// The head of a request is complete. Gives the request's number.
    pub(super) fn begin(&mut self, http2: bool, now: Instant) -> u64 {
        self.http2 = http2;
        self.reading = None;
        self.count += 1;
        self.requests.push((self.count, now));
        self.count
    }

    /// A request ended, `answered` if all of its answer is with hyper. Gives whether it is
    /// abandoned with that.
    pub(super) fn end(&mut self, number: u64, answered: bool, now: Instant) -> bool {
        if self.closed {
            return false;
        }
        self.requests.retain(|(other, _)| *other != number);
        self.unflushed += usize::from(answered);
        self.idle = now;
        !answered
    }

    /// The socket is gone. Gives the number of requests that are abandoned with that.
    pub(super) fn close(&mut self) -> usize {
        let abandoned = self.in_flight();
        self.requests.clear();
        self.unflushed = 0;
        self.closed = true;
        abandoned
    }

    /// All that hyper had to write is with the kernel. Gives the number of answers that are
    /// complete with that.
    pub(super) fn flushed(&mut self, now: Instant) -> usize {
        if self.unflushed > 0 {
            self.idle = now;
        }
        std::mem::take(&mut self.unflushed)
    }

    /// The client was told to go away.
    pub(super) fn told(&mut self, now: Instant) {
        self.told = Some(now);
    }

    pub(super) fn was_told(&self) -> bool {
        self.told.is_some()
    }

    pub(super) fn is_http2(&self) -> bool {
        self.http2
    }

    /// The requests that are not answered to the last byte.
    pub(super) fn in_flight(&self) -> usize {
        self.requests.len() + self.unflushed
    }

    /// When the oldest request in flight began.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.requests.iter().map(|(_, begun)| *begun).min()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Since when it is kept alive for a next request that has not begun to come.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_reading = self.reading.is_some() && !self.http2;
        let is_idle = self.count > 0 && !self.is_busy() && !is_reading;
        is_idle.then_some(self.idle)
    }

    /// What is to be done. `unread` says whether bytes wait in the socket; it is asked only where
    /// it matters.
    pub(super) fn advice(
        &self,
        stage: Stage,
        limits: Limits,
        now: Instant,
        unread: impl FnOnce() -> bool,
    ) -> Advice {
        if self.is_busy() && !self.must_be_told(stage, now) {
            return Advice::Wait;
        }
        if self.http2 {
            self.advice_http2(stage, limits, now)
        } else {
            self.advice_http1(stage, limits, now, unread)
        }
    }

    fn advice_http1(
        &self,
        stage: Stage,
        limits: Limits,
        now: Instant,
        unread: impl FnOnce() -> bool,
    ) -> Advice {
        let patience = match self.reading {
            Some(since) => since + limits.header_read,
            None if self.count == 0 => self.accepted + limits.header_read,
            None => self.idle + limits.idle,
        };
        let Stage::Closing(closing) = stage else {
            return until(patience, now);
        };
        let moment = match self.reading {
            Some(since) => since.max(closing) + MOMENT,
            // A client that has just connected is about to ask.
            None if self.count == 0 && self.accepted + MOMENT > closing => {
                self.accepted.max(closing) + MOMENT
            }
            None if unread() => self.idle.max(closing) + MOMENT,
            None => return Advice::Close,
        };
        until(patience.min(moment), now)
    }

    fn advice_http2(&self, stage: Stage, limits: Limits, now: Instant) -> Advice {
        if self.must_be_told(stage, now) {
            return Advice::GoAway;
        }
        match (stage, self.told) {
            // Nobody who lives takes so long to say that he has heard it.
            (Stage::Closing(since), Some(told)) => {
                until(self.idle.max(since).max(told) + MOMENT, now)
            }
            (_, Some(told)) => until(self.idle.max(told) + limits.idle, now),
            (Stage::Serving, None) if now >= self.idle + limits.idle => Advice::GoAway,
            (Stage::Serving, None) => Advice::WaitUntil(self.idle + limits.idle),
            // A client that has just connected is about to ask.
            (_, None) => Advice::WaitUntil(self.accepted + MOMENT),
        }
    }

    /// Whether an HTTP/2 client must learn now that the server ends. One that has just connected
    /// is told once it has asked: told before, it would come again and again.
    fn must_be_told(&self, stage: Stage, now: Instant) -> bool {
        let may_be_told = self.http2 && self.told.is_none() && stage != Stage::Serving;
        may_be_told && (self.count > 0 || now >= self.accepted + MOMENT)
    }

    fn is_busy(&self) -> bool {
        self.in_flight() > 0
    }
}

fn until(end: Instant, now: Instant) -> Advice {
    if now >= end {
        Advice::Close
    } else {
        Advice::WaitUntil(end)
    }
}

#[cfg(test)]
mod tests;
