//! Cleaning up after a test.

use crate::Result;

/// Runs `work` to its end on a thread and a runtime of its own, since the test's own runtime may
/// be ending. A failure leaves `what` behind, and is logged.
pub(crate) fn run(what: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
    let cleaner = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime.map(|runtime| runtime.block_on(work)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "{what} stays behind"),
            Err(error) => tracing::warn!(%error, "{what} stays behind"),
        }
    });
    let _ = cleaner.join();
}
