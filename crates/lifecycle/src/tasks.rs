//! Background work that a lifecycle starts, watches and stops.

mod context;
mod error;
mod spec;
mod supervisor;

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;
use tria_check::Heartbeats;

pub use self::{
    context::TaskContext,
    error::TaskError,
    spec::{OnEnd, TaskSpec},
};
use self::{
    error::StopProblems,
    supervisor::{Supervisor, TaskEnd},
};
use crate::{Hook, HookContext, HookError, supervise::ABORT_GRACE};

/// Background work of a process, as one hook: started together, stopped together.
///
/// Each task runs as a task of the runtime, under a name and with a heartbeat. One that panics,
/// fails or ends by itself is started anew or ends the process, as its [`TaskSpec`] says. When the
/// hook stops, the token of each was cancelled already; a task that does not end within its stop
/// timeout is aborted and named.
///
/// ```
/// use tokio::sync::mpsc;
/// use tria_check::{Backoff, Heartbeats};
/// use tria_lifecycle::{OnEnd, TaskSpec, Tasks};
///
/// let heartbeats = Heartbeats::default();
/// let (mails, queue) = mpsc::channel::<String>(16);
/// let queue = std::sync::Arc::new(tokio::sync::Mutex::new(queue));
/// let mailer = TaskSpec::new("mailer", move |cx| {
///     let queue = queue.clone();
///     async move {
///         while let Some(mail) = cx.wait_for(queue.lock().await.recv()).await? {
///             println!("sending {mail}");
///         }
///         Ok(())
///     }
/// });
/// let hook = Tasks::new("workers", &heartbeats)
///     .task(mailer.on_end(OnEnd::Restart(Backoff::default())))
///     .into_hook()
///     .after(["database"]);
/// assert_eq!(hook.name(), "workers");
/// ```
#[derive(Debug)]
#[must_use = "tasks are nothing until they are a hook of a lifecycle"]
pub struct Tasks {
    hook: String,
    heartbeats: Heartbeats,
    specs: Vec<TaskSpec>,
}

/// Two tasks of one hook have the same name.
#[derive(Debug, thiserror::Error)]
#[error("two tasks are called `{0}`")]
struct Duplicate(Arc<str>);

type Supervised = AbortOnDropHandle<TaskEnd>;

/// What the hook's stop waits for beyond the tasks' own limits.
const MARGIN: Duration = ABORT_GRACE.saturating_mul(2);

// === impl Tasks ===

impl Tasks {
    /// No tasks yet, for a hook of this name. Their heartbeats are added to `heartbeats`, under
    /// the tasks' names.
    pub fn new(hook: impl Into<String>, heartbeats: &Heartbeats) -> Self {
        Self {
            hook: hook.into(),
            heartbeats: heartbeats.clone(),
            specs: Vec::new(),
        }
    }

    /// Adds a task. Its name is unique among those that share the heartbeats.
    pub fn task(mut self, spec: TaskSpec) -> Self {
        self.specs.push(spec);
        self
    }

    /// The hook that starts and stops them. Its stop timeout is a little more than the longest of
    /// theirs.
    pub fn into_hook(self) -> Hook {
        let Self {
            hook,
            heartbeats,
            specs,
        } = self;
        let longest = specs.iter().map(|spec| spec.stop_timeout).max();
        let (give, take) = oneshot::channel();
        Hook::new(hook)
            .stop_timeout(longest.unwrap_or_default().saturating_add(MARGIN))
            .on_start(async move |cx| {
                // Only a lifecycle that is gone does not take them, and then they are aborted.
                let _ = give.send(start(&cx, &heartbeats, specs)?);
                Ok(())
            })
            .on_stop(async move |_| match take.await {
                Ok(tasks) => stopped(tasks).await,
                Err(_) => Ok(()),
            })
    }
}

fn start(
    cx: &HookContext,
    heartbeats: &Heartbeats,
    specs: Vec<TaskSpec>,
) -> Result<Vec<Supervised>, HookError> {
    let mut names = HashSet::new();
    if let Some(twice) = specs.iter().find(|spec| !names.insert(&spec.name)) {
        return Err(Duplicate(Arc::clone(&twice.name)).into());
    }
    let supervise = |spec| {
        let supervisor = Supervisor::new(spec, cx, heartbeats);
        AbortOnDropHandle::new(tokio::spawn(supervisor.run()))
    };
    Ok(specs.into_iter().map(supervise).collect())
}

/// Waits until all have stopped.
async fn stopped(tasks: Vec<Supervised>) -> Result<(), HookError> {
    let mut problems = StopProblems::default();
    // A supervisor neither panics nor is it aborted while it is waited for.
    for end in join_all(tasks).await.into_iter().flatten() {
        problems.add(end);
    }
    problems.into_result()
}
