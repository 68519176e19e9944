//! The check of a pool.

use std::{borrow::Cow, time::Duration};

use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, PublicText};

use super::{codes, optional};
use crate::Pool;

/// Says whether requests wait for a pool that is all in use: Warn `pool_busy`. It never fails:
/// that our own connections are taken is no proof against the server behind them
/// (PostHog/posthog#46457), and replicas that leave the traffic for it load the others the more.
///
/// Requests that wait while connections could still be opened are no such thing: then the server
/// is slow or away, which the check of the server tells.
///
/// Observed are `pool_size`, `pool_checked_in`, `pool_checked_out`, `pool_waiting` and `pool_max`.
#[derive(Debug)]
pub struct PoolCheck {
    meta: CheckMeta,
    pool: Pool,
}

// === impl PoolCheck ===

impl PoolCheck {
    /// A check of `pool`, named as in `database.pool`.
    pub fn new(name: impl Into<Cow<'static, str>>, pool: Pool) -> Self {
        let period = Duration::from_secs(5);
        Self {
            meta: optional(CheckMeta::new(name), period, codes::POOL),
            pool,
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::POOL);
        self
    }
}

impl Check for PoolCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let status = self.pool.status();
        let out = status.size.saturating_sub(status.available);
        let numbers = [out.into(), status.max.into(), status.waiting.into()];
        let is_full = status.available == 0 && status.size >= status.max;
        let finding = if is_full && status.waiting > 0 {
            let told = "{} of {} connections of the pool are in use, and {} requests wait for one";
            Finding::warn(codes::POOL_BUSY, PublicText::filled(told, &numbers))
                .remedy("raise the size of the pool, or look for what holds its connections")
        } else {
            let told = "{} of {} connections of the pool are in use";
            Finding::pass(PublicText::filled(told, &numbers))
        };
        Outcome::from(finding)
            .observe("pool_size", status.size, "connections")
            .observe("pool_checked_in", status.available, "connections")
            .observe("pool_checked_out", out, "connections")
            .observe("pool_waiting", status.waiting, "requests")
            .observe("pool_max", status.max, "connections")
    }
}
