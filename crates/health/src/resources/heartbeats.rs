//! The check of the process's own tasks.

use std::time::Duration;

use tria_check::{
    Check, CheckContext, CheckMeta, Criticality, Finding, Group, Heartbeats, Outcome, PrivateText,
    PublicText, PublicValue,
};

use super::{codes, optional};

/// Says whether the tasks of the process are still at work: Fail `task_stuck` names those that
/// have not been heard of in time. It waits for nothing and asks nobody, so that it may decide
/// over liveness.
///
/// Observed are `tasks_expected` and `tasks_overdue`.
#[derive(Debug)]
pub struct HeartbeatCheck {
    meta: CheckMeta,
    heartbeats: Heartbeats,
}

// === impl HeartbeatCheck ===

impl HeartbeatCheck {
    /// A critical check of liveness and diagnostics named `process.heartbeats`.
    pub fn new(heartbeats: Heartbeats) -> Self {
        let meta = CheckMeta::new("process.heartbeats");
        Self {
            meta: optional(meta, Duration::from_secs(5), codes::HEARTBEATS)
                .groups([Group::Liveness, Group::Diagnostics])
                .criticality(Criticality::Critical),
            heartbeats,
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::HEARTBEATS);
        self
    }
}

impl Check for HeartbeatCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let overdue = self.heartbeats.overdue();
        let expected = self.heartbeats.expected();
        let finding = if overdue.is_empty() {
            let told = PublicText::filled("{} tasks are at work", &[expected.into()]);
            Finding::pass(told)
        } else {
            let names = PublicValue::words(overdue.iter().map(|late| &late.task));
            let since = overdue.iter().map(|late| {
                let seconds = late.since.as_secs_f64();
                format!("{} is {seconds:.1} s late", late.task)
            });
            let since = since.collect::<Vec<_>>().join(", ");
            Finding::fail(
                codes::TASK_STUCK,
                PublicText::filled("not heard of in time: {}", &[names]),
            )
            .transient(None)
            .remedy(
                "restart the process; if it happens again on a machine that is not starved of \
                 CPU, report a bug with the log",
            )
            .detail(PrivateText::new(since))
        };
        Outcome::from(finding)
            .observe("tasks_expected", expected, "tasks")
            .observe("tasks_overdue", overdue.len(), "tasks")
    }
}
