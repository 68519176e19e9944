//! Commands that end by themselves, or by a signal.

use tria_lifecycle::Signals;

use crate::{environment::Environment, refusal::interrupted, telemetry};

/// Does the work of a command in a runtime of its own, and gives the exit code. At a signal the work
/// is dropped where it is.
pub(crate) fn until_a_signal(
    environment: &Environment,
    signals: &Signals,
    work: impl Future<Output = anyhow::Result<u8>>,
) -> anyhow::Result<u8> {
    telemetry::install(environment.log_format(), environment.log_level());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let stop = signals.shutdown_requested();
    let ended = runtime.block_on(stop.run_until_cancelled(work));
    let code = match (ended, *signals.first().borrow()) {
        (Some(ended), _) => ended,
        (None, signal) => Ok(signal.map_or(0, interrupted)),
    };
    runtime.shutdown_background();
    code
}
