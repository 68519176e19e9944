//! The tokio runtime that answers.

use tokio::runtime::Handle;

use super::page::Page;

/// Nothing outside a runtime.
pub(super) fn write(page: &mut Page) {
    let Ok(runtime) = Handle::try_current().map(|runtime| runtime.metrics()) else {
        return;
    };
    let workers = runtime.num_workers();
    let help = "Threads that run the tasks of the runtime.";
    page.gauge("tokio_workers", help).only(Some(workers));
    page.gauge("tokio_alive_tasks", "Tasks that have not ended.")
        .only(Some(runtime.num_alive_tasks()));
    let help = "Tasks that wait in the runtime's common queue.";
    page.gauge("tokio_global_queue_depth", help)
        .only(Some(runtime.global_queue_depth()));
    let help = "How long a worker thread has been running tasks.";
    let mut family = page.counter("tokio_worker_busy_seconds_total", help);
    for worker in 0..workers {
        let busy = runtime.worker_total_busy_duration(worker).as_secs_f64();
        family.sample(&[("worker", &worker.to_string())], busy);
    }
}
