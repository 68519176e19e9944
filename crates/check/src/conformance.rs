//! A kit that any check, ours or a stranger's, is run through.
//!
//! ```
//! use tria_check::{Check, CheckContext, CheckMeta, Code, Finding, Outcome, conformance::Kit};
//!
//! struct Always(CheckMeta);
//! impl Check for Always {
//!     fn meta(&self) -> &CheckMeta { &self.0 }
//!     async fn check(&self, _cx: &CheckContext) -> Outcome { Finding::pass("fine").into() }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(async {
//! const CODES: &[Code] = &[Code::new("never")];
//! let outcome = Kit::new().secret("hunter2").verify(&Always(CheckMeta::new("always").codes(CODES))).await;
//! assert!(outcome.is_ok());
//! # });
//! ```

use std::{
    fmt,
    panic::AssertUnwindSafe,
    pin::pin,
    task::{Poll, ready},
    time::{Duration, Instant as WallInstant},
};

use futures_util::{FutureExt, future::poll_fn};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{Check, CheckContext, CheckMeta, Code, Finding, InvalidMeta, Outcome, Phase};

/// What a check is held to. Run it once against a dependency that works, and once for each way
/// in which it can be broken.
#[derive(Debug)]
pub struct Kit {
    secrets: Vec<String>,
    longest_poll: Duration,
    most_cancellations: usize,
}

/// One way in which a check breaks the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Breach {
    /// Its meta would be refused by a registry.
    Meta(InvalidMeta),
    /// Its meta differs from call to call.
    MetaChanges,
    /// It declares no codes, so that nobody can know what to expect.
    NoCodesDeclared,
    /// It gave a code that it does not declare.
    UndeclaredCode(Code),
    /// It panicked, with the message.
    Panicked(String),
    /// It gave no answer within its own timeout; a driver's timeout must be shorter.
    MissedDeadline(Duration),
    /// One poll held the thread for this long: it blocks.
    BlocksThread(Duration),
    /// A failure does not say what to do about it.
    NoRemedy(Code),
    /// The named part of a finding holds the n-th planted secret.
    LeaksSecret(&'static str, usize),
    /// Dropped at the n-th poll, its next run did not come to the same verdict.
    NotCancellable(usize),
}

/// All the ways in which a check breaks the contract.
#[derive(Clone, PartialEq, Eq)]
pub struct Breaches {
    name: String,
    breaches: Vec<Breach>,
}

// === impl Kit ===

impl Kit {
    /// The contract, with no secret planted yet.
    pub fn new() -> Self {
        Self {
            secrets: Vec::new(),
            longest_poll: Duration::from_millis(500),
            most_cancellations: 24,
        }
    }

    /// Plants a secret: a password, key or token that the check under test was given. No text of
    /// an outcome, public or private, may hold it.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// The longest that one poll may hold its thread (500 ms: the machines that run tests are
    /// busy, and a blocking driver blocks for longer).
    pub fn longest_poll(mut self, longest: Duration) -> Self {
        self.longest_poll = longest;
        self
    }

    /// Runs the check through the kit, and gives the outcome of its first complete run, so that
    /// a test can go on to judge what it found.
    ///
    /// # Errors
    /// Every breach found.
    pub async fn verify(&self, check: &impl Check) -> Result<Outcome, Breaches> {
        let mut breaches = meta_breaches(check);
        let outcome = match self.complete_run(check, &mut breaches).await {
            Some((outcome, polls)) => {
                self.judge(check.meta(), &outcome, &mut breaches);
                self.cancel_at_every_poll(check, &outcome, polls, &mut breaches)
                    .await;
                Some(outcome)
            }
            None => None,
        };
        match outcome {
            Some(outcome) if breaches.is_empty() => Ok(outcome),
            _ => Err(Breaches {
                name: check.meta().name().to_owned(),
                breaches,
            }),
        }
    }

    /// One run as the runner would make it; its outcome and the number of its polls.
    async fn complete_run(
        &self,
        check: &impl Check,
        breaches: &mut Vec<Breach>,
    ) -> Option<(Outcome, usize)> {
        let cx = context(check.meta());
        let mut longest = Duration::ZERO;
        let mut polls = 0;
        let run = AssertUnwindSafe(async { check.check(&cx).await }).catch_unwind();
        let mut run = pin!(run);
        let timed = poll_fn(|task| {
            let begun = WallInstant::now();
            let poll = run.as_mut().poll(task);
            // A panic's message with its backtrace takes time that is not the check's.
            if !matches!(poll, Poll::Ready(Err(_))) {
                longest = longest.max(begun.elapsed());
            }
            polls += 1;
            poll
        });
        let answer = timeout_at(cx.deadline(), timed).await;
        if longest > self.longest_poll {
            breaches.push(Breach::BlocksThread(longest));
        }
        match answer {
            Ok(Ok(outcome)) => Some((outcome, polls)),
            Ok(Err(panic)) => {
                let message = crate::runner::panic_message(panic.as_ref());
                breaches.push(Breach::Panicked(message));
                None
            }
            Err(_elapsed) => {
                breaches.push(Breach::MissedDeadline(check.meta().get_timeout()));
                None
            }
        }
    }

    fn judge(&self, meta: &CheckMeta, outcome: &Outcome, breaches: &mut Vec<Breach>) {
        for finding in outcome.findings() {
            let code = finding.code();
            let known = code == Code::OK
                || Code::RUNNER.contains(&code)
                || meta.declared_codes().contains(&code);
            if !known {
                breaches.push(Breach::UndeclaredCode(code));
            }
            if finding.is_failure() && finding.get_remedy().is_none() {
                breaches.push(Breach::NoRemedy(code));
            }
            for (place, text) in texts(finding) {
                self.search(place, text, breaches);
            }
        }
        for observed in outcome.observed() {
            self.search("observed", &observed.value.to_string(), breaches);
        }
    }

    fn search(&self, place: &'static str, text: &str, breaches: &mut Vec<Breach>) {
        for (index, secret) in self.secrets.iter().enumerate() {
            if !secret.is_empty() && text.contains(secret.as_str()) {
                breaches.push(Breach::LeaksSecret(place, index));
            }
        }
    }

    /// Drops the future after its first poll, its second and so on, and sees each time that a
    /// complete run still comes to the verdict of before.
    async fn cancel_at_every_poll(
        &self,
        check: &impl Check,
        expected: &Outcome,
        polls: usize,
        breaches: &mut Vec<Breach>,
    ) {
        for stop_after in 1..polls.min(self.most_cancellations + 1) {
            let cx = context(check.meta());
            {
                let mut run = pin!(AssertUnwindSafe(check.check(&cx)).catch_unwind());
                let mut seen = 0;
                let cut = poll_fn(|task| {
                    seen += 1;
                    let answered = run.as_mut().poll(task);
                    if seen >= stop_after {
                        return Poll::Ready(());
                    }
                    let _outcome = ready!(answered);
                    Poll::Ready(())
                });
                let _ = timeout_at(cx.deadline(), cut).await;
            }
            let mut ignored = Vec::new();
            let after = self.complete_run(check, &mut ignored).await;
            if after.is_none_or(|(after, _)| after.status() != expected.status()) {
                breaches.push(Breach::NotCancellable(stop_after));
                return;
            }
        }
    }
}

impl Default for Kit {
    fn default() -> Self {
        Self::new()
    }
}

fn meta_breaches(check: &impl Check) -> Vec<Breach> {
    let meta = check.meta();
    let mut breaches = Vec::new();
    if let Err(invalid) = meta.validate() {
        breaches.push(Breach::Meta(invalid));
    }
    if meta.declared_codes().is_empty() {
        breaches.push(Breach::NoCodesDeclared);
    }
    if format!("{meta:?}") != format!("{:?}", check.meta()) {
        breaches.push(Breach::MetaChanges);
    }
    breaches
}

fn context(meta: &CheckMeta) -> CheckContext {
    let deadline = Instant::now() + meta.get_timeout();
    CheckContext::new(deadline, CancellationToken::new(), Phase::Starting)
}

fn texts(finding: &Finding) -> impl Iterator<Item = (&'static str, &str)> {
    let remedy = finding
        .get_remedy()
        .map(|remedy| ("remedy", remedy.as_str()));
    let detail = finding
        .get_detail()
        .map(|detail| ("private detail", detail.expose()));
    [
        Some(("public text", finding.text().as_str())),
        remedy,
        detail,
    ]
    .into_iter()
    .flatten()
}

// === impl Breaches ===

impl Breaches {
    /// The breaches.
    pub fn list(&self) -> &[Breach] {
        &self.breaches
    }
}

impl fmt::Debug for Breaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the check {:?} breaks the contract: {:?}",
            self.name, self.breaches
        )
    }
}

impl fmt::Display for Breaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Breaches {}

#[cfg(test)]
#[path = "conformance_tests.rs"]
mod tests;
