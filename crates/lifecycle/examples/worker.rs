//! A foreign service: three hooks in order, and a worker that finishes the job it is at before the
//! queue closes. `cargo run -p tria-lifecycle --example worker`, then Ctrl-C or SIGTERM.

use std::{error::Error, process::ExitCode, sync::Arc, time::Duration};

use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;
use tria_check::{Backoff, Heartbeats};
use tria_lifecycle::{HardStop, Hook, Lifecycle, OnEnd, Signals, TaskSpec, Tasks};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (signals, grace) = (Signals::install()?, Duration::from_secs(30));
    let hard_stop = HardStop::start(&signals, grace)?;
    tracing_subscriber::fmt().init();
    tokio::runtime::Runtime::new()?.block_on(async {
        let (jobs, queue) = mpsc::channel::<u32>(16);
        let queue = Arc::new(Mutex::new(queue));
        let worker = TaskSpec::new("worker", move |cx| {
            let queue = Arc::clone(&queue);
            async move {
                while let Some(job) = cx.wait_for(queue.lock().await.recv()).await? {
                    sleep(Duration::from_millis(100)).await;
                    tracing::info!(job, "done");
                }
                Ok(())
            }
        });
        let producer = TaskSpec::new("producer", move |cx| {
            let jobs = jobs.clone();
            async move {
                for job in 1.. {
                    cx.interruptible(sleep(Duration::from_millis(150))).await?;
                    cx.interruptible(jobs.send(job)).await??;
                }
                Ok(())
            }
        });
        let workers = Tasks::new("workers", &Heartbeats::default())
            .task(worker.on_end(OnEnd::Restart(Backoff::default())))
            .task(producer);
        let lifecycle = Lifecycle::builder()
            .signals(&signals)
            .hard_stop(&hard_stop)
            .hook(closing("database"))
            .hook(closing("queue").after(["database"]))
            .hook(workers.into_hook().after(["queue"]))
            .grace(grace)
            .build()?;
        Ok(ExitCode::from(&lifecycle.run().await))
    })
}

fn closing(name: &'static str) -> Hook {
    Hook::new(name).on_stop(async move |_| {
        tracing::info!(name, "closed");
        Ok(())
    })
}
