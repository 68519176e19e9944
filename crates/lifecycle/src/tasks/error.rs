//! How a task ends when it does not end well.

use std::{error::Error, sync::Arc};

use super::supervisor::TaskEnd;
use crate::{HookError, PanicMessage, exit_code};

/// How a task ended that should not have.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It returned an error.
    #[error("task `{task}` failed")]
    Failed {
        /// Its name.
        task: Arc<str>,
        /// What it returned.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// It panicked.
    #[error("task `{task}` panicked")]
    Panicked {
        /// Its name.
        task: Arc<str>,
        /// What the panic said.
        #[source]
        panic: PanicMessage,
    },
    /// Its work ended although nobody asked it to.
    #[error("task `{task}` ended by itself")]
    EndedEarly {
        /// Its name.
        task: Arc<str>,
    },
    /// It did not end in time when it was asked to.
    #[error("task `{task}` did not stop in time and was aborted")]
    Aborted {
        /// Its name.
        task: Arc<str>,
    },
}

/// Everything that went wrong when tasks were stopped.
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", .0.iter().map(|(error, _)| told(error)).collect::<Vec<_>>().join("; "))]
pub(super) struct StopProblems(Vec<(TaskError, Option<u8>)>);

/// The error with its source: where several are told at once, there is no chain to follow.
fn told(error: &TaskError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

// === impl TaskError ===

impl TaskError {
    /// The task's name.
    pub fn task(&self) -> &str {
        match self {
            Self::Failed { task, .. }
            | Self::Panicked { task, .. }
            | Self::EndedEarly { task }
            | Self::Aborted { task } => task,
        }
    }

    pub(super) fn failed(task: &Arc<str>, error: HookError) -> (Self, Option<u8>) {
        let code = error.exit_code();
        let (task, source) = (Arc::clone(task), error.into_source());
        (Self::Failed { task, source }, code)
    }

    pub(super) fn panicked(task: &Arc<str>, panic: PanicMessage) -> (Self, Option<u8>) {
        let task = Arc::clone(task);
        (Self::Panicked { task, panic }, Some(exit_code::SOFTWARE))
    }
}

// === impl StopProblems ===

impl StopProblems {
    pub(super) fn add(&mut self, end: TaskEnd) {
        if let TaskEnd::Badly(error, code) = end {
            self.0.push((error, code));
        }
    }

    pub(super) fn into_result(self) -> Result<(), HookError> {
        let code = self.0.iter().find_map(|(_, code)| *code);
        if self.0.is_empty() {
            return Ok(());
        }
        let error = HookError::new(self);
        Err(match code {
            Some(code) => error.with_exit_code(code),
            None => error,
        })
    }
}
