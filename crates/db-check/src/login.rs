//! Proves that a new login still works.

use deadpool_postgres::Pool;
use tria_check::{Check, CheckContext, CheckMeta, Cost, Criticality, Finding, Group, Outcome};

use crate::{
    CODES, Target,
    database::TIMEOUT,
    source::{Source, Taken},
};

/// Proves with a connection of its own that a login still works: a pooled connection stays
/// logged in when the password is changed, so that the change is only noticed at the next
/// restart (n8n-io/n8n#15480).
///
/// It needs a pool of its own, of size 1, and keeps no connection open between two runs. It is
/// optional: as long as the sessions last that are there, the database is as good as ever, and
/// when they end, [`crate::DatabaseCheck`] fails. Nor does it run more than once a minute, also
/// while it fails: a directory behind the server may lock a role after so many wrong passwords.
pub struct LoginCheck {
    meta: CheckMeta,
    source: Source,
}

// === impl LoginCheck ===

impl LoginCheck {
    /// An optional check named `database.login` of readiness and diagnostics, over a pool that
    /// nothing else uses.
    pub fn new(pool: Pool) -> Self {
        Self {
            meta: CheckMeta::new("database.login")
                .groups([Group::Readiness, Group::Diagnostics])
                .criticality(Criticality::Optional)
                .timeout(TIMEOUT)
                .cost(Cost::Metered)
                .period(Cost::Metered.min_period())
                .codes(CODES),
            source: Source::new(pool),
        }
    }

    /// Changes name, groups, timeout, period and so on.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta);
        self
    }

    /// Tells it where the pool leads, for the private detail of failures.
    pub fn target(mut self, target: Target) -> Self {
        self.source.target = Some(target);
        self
    }
}

impl Check for LoginCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let answer_by = Source::answer_by(cx);
        self.source.pool.retain(|_, _| false);
        let Taken { lease, busy } = self.source.take(answer_by).await;
        let busy = busy.then(|| self.source.busy());
        let mut lease = match lease {
            Ok(lease) => lease,
            Err(failed) => return Outcome::new(failed.into_iter().chain(busy)),
        };
        let answer = lease.ask("SELECT 1", answer_by).await;
        lease.close();
        match answer {
            Ok(_one) => Finding::pass("A new login to the database works").into(),
            Err(unanswered) => self.source.unanswered(&unanswered).into(),
        }
    }
}
