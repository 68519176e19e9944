//! Starts and stops the parts of a process in the order they need each other, and stops them
//! cleanly whatever happens in between.
//!
//! A process is a graph of [`Hook`]s. Independent hooks start in parallel, each as soon as those
//! it comes `after` are up; stopping walks the edges backwards. A failed or interrupted start is
//! rolled back. Nothing waits without a limit, and nothing that started is left running in
//! silence: what could not be stopped in time is named in the [`RunReport`].
//!
//! In a `main`, [`Signals::install`] comes first of all, before the settings are read and before
//! the runtime is built, so that no signal is ever lost.

mod board;
mod bounded;
mod builder;
mod context;
mod disposal;
mod error;
pub mod exit_code;
mod finale;
mod graph;
mod hard_stop;
mod hook;
mod lifecycle;
mod limits;
mod report;
mod requests;
mod run;
pub mod serve;
mod service_manager;
mod shutdown;
mod signals;
mod supervise;
mod tasks;

pub use builder::LifecycleBuilder;
pub use context::{HookContext, StopContext};
pub use disposal::{Disposal, StillInUse};
pub use error::{HookError, LifecycleError, PanicMessage, Step};
pub use finale::{Finale, FinaleError};
pub use graph::{BuildError, GraphProblem};
pub use hard_stop::HardStop;
pub use hook::Hook;
pub use lifecycle::Lifecycle;
pub use report::{HookReport, RunReport, StepOutcome, StepReport, TaskReport, TaskState};
pub use requests::Requests;
pub use service_manager::{Reloading, ServiceManager};
pub use shutdown::{ShutdownHandle, ShutdownReason};
pub use signals::{Signal, Signals};
pub use tasks::{OnEnd, TaskContext, TaskError, TaskSpec, Tasks};
