//! Starts and stops the parts of a process in the order they need each other, and stops them
//! cleanly whatever happens in between.
//!
//! A process is a graph of [`Hook`]s. Independent hooks start in parallel, each as soon as those
//! it comes `after` are up; stopping walks the edges backwards. A failed or interrupted start is
//! rolled back. Nothing waits without a limit, and nothing that started is left running in
//! silence: what could not be stopped in time is named in the [`RunReport`].
//!
//! ```
//! use std::time::Duration;
//! use tria_lifecycle::{Hook, Lifecycle};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let lifecycle = Lifecycle::builder()
//!     .hook(Hook::new("environment").on_start(|_| async { Ok(()) }))
//!     .hook(
//!         Hook::new("database")
//!             .after(["environment"])
//!             .start_timeout(Duration::from_secs(5))
//!             .on_start(|cx| async move {
//!                 let port: u16 = cx.interruptible(async { "5432" }).await?.parse()?;
//!                 assert_eq!(port, 5432);
//!                 Ok(())
//!             }),
//!     )
//!     .build()?;
//!
//! lifecycle.shutdown_handle().shutdown("the example is over");
//! let report = lifecycle.run().await;
//! assert_eq!(report.exit_code, 0);
//! # Ok(())
//! # }
//! ```
//!
//! In a `main`, [`Signals::install`] comes first of all, before the settings are read and before
//! the runtime is built, so that no signal is ever lost.

mod board;
mod context;
mod error;
pub mod exit_code;
mod graph;
mod hook;
mod lifecycle;
mod report;
mod run;
pub mod serve;
mod shutdown;
mod signals;
mod supervise;

pub use context::{HookContext, StopContext};
pub use error::{HookError, LifecycleError, PanicMessage, Step};
pub use graph::{BuildError, GraphProblem};
pub use hook::Hook;
pub use lifecycle::{Lifecycle, LifecycleBuilder};
pub use report::{HookReport, RunReport, StepOutcome, StepReport};
pub use shutdown::{ShutdownHandle, ShutdownReason};
pub use signals::{Signal, Signals};
