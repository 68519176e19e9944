//! What can go wrong in a run.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use tria_check::PrivateText;

use crate::exit_code;

/// Why a hook failed: any error, and the exit code the hook asks for, if any.
///
/// Every error becomes one with `?`:
///
/// ```
/// use tria_lifecycle::HookError;
///
/// fn port(text: &str) -> Result<u16, HookError> {
///     if text.is_empty() {
///         return Err(HookError::new("no port is set").with_exit_code(78));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(port("").unwrap_err().exit_code(), Some(78));
/// assert_eq!(port("x").unwrap_err().exit_code(), None);
/// ```
///
/// Like `anyhow::Error` it is not itself an [`Error`]; that is what makes `?` work for all others.
pub struct HookError {
    source: Arc<dyn Error + Send + Sync>,
    exit_code: Option<u8>,
    interrupted: bool,
}

/// What a hook was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It was being started.
    Start,
    /// It had started, and reported a failure by itself.
    Run,
    /// It was being stopped.
    Stop,
}

/// One thing that went wrong in a run.
///
/// `Display` and `Serialize` tell which hook, what it was doing and how it ended, in words of this
/// crate only. What the hook said is in the [`source`](Error::source) and in
/// [`detail`](LifecycleError::detail), for operators only.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// A hook returned an error.
    #[error("hook `{hook}` failed to {step}")]
    Failed {
        /// The hook's name.
        hook: String,
        /// What it was doing.
        step: Step,
        /// The exit code it asked for.
        exit_code: Option<u8>,
        /// What it returned.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A hook panicked.
    #[error("hook `{hook}` panicked in its {step}")]
    Panicked {
        /// The hook's name.
        hook: String,
        /// What it was doing.
        step: Step,
        /// What the panic said.
        #[source]
        panic: PanicMessage,
    },
    /// A hook did not end within its own limit, and was given up.
    #[error("hook `{hook}` did not {step} within {limit:?}")]
    TimedOut {
        /// The hook's name.
        hook: String,
        /// What it was doing.
        step: Step,
        /// The hook's limit.
        limit: Duration,
    },
    /// The start as a whole took too long.
    #[error("not started within {limit:?}, still pending: {}", pending.join(", "))]
    StartDeadline {
        /// The limit for the whole start.
        limit: Duration,
        /// The hooks that were being started.
        pending: Vec<String>,
    },
    /// The stop as a whole took too long.
    #[error("not stopped within {limit:?}, still pending: {}", pending.join(", "))]
    StopDeadline {
        /// The limit for the whole stop.
        limit: Duration,
        /// The hooks that were being stopped, and those that waited for them.
        pending: Vec<String>,
    },
}

/// What a panic said, as an error.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PanicMessage(String);

// === impl HookError ===

impl HookError {
    /// An error that asks for no exit code.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Arc::from(source.into()),
            exit_code: None,
            interrupted: false,
        }
    }

    /// What a hook returns that stopped starting because its token was cancelled. It is not
    /// counted as a failure if the token was cancelled indeed.
    pub fn interrupted() -> Self {
        Self {
            interrupted: true,
            ..Self::new("interrupted")
        }
    }

    /// Asks that the process ends with `exit_code`. 0 is no request: an error never passes for a
    /// clean stop.
    pub fn with_exit_code(mut self, exit_code: u8) -> Self {
        self.exit_code = (exit_code != exit_code::CLEAN).then_some(exit_code);
        self
    }

    /// The exit code it asks for.
    pub fn exit_code(&self) -> Option<u8> {
        self.exit_code
    }

    /// Whether it was made by [`HookError::interrupted`].
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    pub(crate) fn into_source(self) -> Arc<dyn Error + Send + Sync> {
        self.source
    }

    /// The error itself.
    pub fn source(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.source
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for HookError {
    fn from(source: E) -> Self {
        Self::new(source)
    }
}

impl fmt::Debug for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookError")
            .field("source", &self.source)
            .field("exit_code", &self.exit_code)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

// === impl Step ===

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Run => "run",
            Self::Stop => "stop",
        })
    }
}

// === impl LifecycleError ===

impl LifecycleError {
    pub(crate) fn failed(hook: impl Into<String>, step: Step, error: HookError) -> Self {
        let HookError {
            source, exit_code, ..
        } = error;
        Self::Failed {
            hook: hook.into(),
            step,
            exit_code,
            source,
        }
    }

    /// What was being done when it happened.
    pub fn step(&self) -> Step {
        match self {
            Self::Failed { step, .. }
            | Self::Panicked { step, .. }
            | Self::TimedOut { step, .. } => *step,
            Self::StartDeadline { .. } => Step::Start,
            Self::StopDeadline { .. } => Step::Stop,
        }
    }

    /// The hook it happened to; none for the deadlines of the whole.
    pub fn hook(&self) -> Option<&str> {
        match self {
            Self::Failed { hook, .. }
            | Self::Panicked { hook, .. }
            | Self::TimedOut { hook, .. } => Some(hook),
            Self::StartDeadline { .. } | Self::StopDeadline { .. } => None,
        }
    }

    /// A stable word for the kind of the error: `failed`, `panic`, `timeout`, `start_deadline` or
    /// `stop_deadline`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "failed",
            Self::Panicked { .. } => "panic",
            Self::TimedOut { .. } => "timeout",
            Self::StartDeadline { .. } => "start_deadline",
            Self::StopDeadline { .. } => "stop_deadline",
        }
    }

    /// The exit code that this error alone leads to.
    pub fn exit_code(&self) -> u8 {
        self.own_exit_code().unwrap_or(match (self, self.step()) {
            (_, Step::Stop) => exit_code::UNCLEAN_STOP,
            (Self::TimedOut { .. } | Self::StartDeadline { .. }, _) => exit_code::TEMPORARY,
            _ => exit_code::SOFTWARE,
        })
    }

    /// The error with all its sources in one line: for logs and authorised diagnostics.
    pub fn detail(&self) -> PrivateText {
        PrivateText::from_error(self)
    }

    /// The exit code, if it is a matter of the error itself and not only of when it happened.
    pub(crate) fn own_exit_code(&self) -> Option<u8> {
        match self {
            Self::Failed { exit_code, .. } => *exit_code,
            Self::Panicked { .. } => Some(exit_code::SOFTWARE),
            _ => None,
        }
    }
}

impl Serialize for LifecycleError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("LifecycleError", 5)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("step", &self.step())?;
        fields.serialize_field("hook", &self.hook())?;
        fields.serialize_field("exit_code", &self.exit_code())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}

// === impl PanicMessage ===

impl PanicMessage {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Reads what `panic!` leaves behind; other payloads have no text.
    pub(crate) fn from_payload(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(text.unwrap_or("a panic without a message"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hook_said_is_in_the_source_and_not_in_the_text() {
        let error = HookError::new("password=hunter2").with_exit_code(69);
        let error = LifecycleError::failed("database", Step::Start, error);
        assert_eq!(error.to_string(), "hook `database` failed to start");
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "code": "failed", "step": "start", "hook": "database", "exit_code": 69,
                "message": "hook `database` failed to start",
            })
        );
        assert_eq!(
            error.detail().expose(),
            "hook `database` failed to start: password=hunter2"
        );
    }

    #[test]
    fn a_panic_says_what_it_said() {
        let payloads: [(Box<dyn std::any::Any + Send>, &str); 3] = [
            (Box::new("fixed"), "fixed"),
            (Box::new(String::from("formatted")), "formatted"),
            (Box::new(7_u8), "a panic without a message"),
        ];
        for (payload, text) in payloads {
            assert_eq!(PanicMessage::from_payload(&*payload).to_string(), text);
        }
    }
}
