//! The server as a part of a process.

use tokio::{
    sync::watch,
    task::{JoinHandle, yield_now},
    time::{sleep, timeout},
};
use tria_check::Phase;
use tria_lifecycle::{Hook, Lifecycle, LifecycleBuilder, RunReport, ShutdownHandle, StepOutcome};

use super::{
    client::{Client, PATIENCE, get, is_refused},
    rig::{Rig, ms},
};
use crate::journal::Journal;

/// A run that is ready, of a lifecycle whose only hook is a server.
struct Ready {
    stop: ShutdownHandle,
    phase: watch::Receiver<Phase>,
    run: JoinHandle<RunReport>,
}

impl Ready {
    async fn with(rig: &Rig, limits: impl FnOnce(LifecycleBuilder) -> LifecycleBuilder) -> Self {
        let builder = limits(Lifecycle::builder());
        let lifecycle = builder.hook(rig.handle.hook("http")).build().unwrap();
        let (stop, mut phase) = (lifecycle.shutdown_handle(), lifecycle.phase());
        let run = tokio::spawn(lifecycle.run());
        phase.wait_for(|phase| phase.is_ready()).await.unwrap();
        Self { stop, phase, run }
    }

    async fn of(rig: &Rig) -> Self {
        Self::with(rig, |limits| limits).await
    }

    async fn until(&self, wanted: Phase) {
        let mut phase = self.phase.clone();
        phase.wait_for(|phase| *phase == wanted).await.unwrap();
    }

    /// Tells it to stop, and waits until it has.
    async fn stopped(self) -> RunReport {
        self.stop.shutdown("done");
        self.run.await.unwrap()
    }
}

#[tokio::test]
async fn the_hook_does_all_the_steps_in_their_order() {
    let rig = Rig::start();
    let ready = Ready::with(&rig, |limits| limits.pre_drain(ms(1500))).await;
    let mut idle = rig.idle().await;
    let mut busy = rig.busy().await;

    ready.stop.shutdown("done");
    // The request is on its way before anybody knows; its answer is made later.
    let mut new = Client::connect_at_once(rig.address, &get("/"));
    ready.until(Phase::Draining).await;
    assert_eq!(new.answer().await.status, 200);
    assert!(idle.ask("/").await.closes);
    assert!(rig.connect().await.ask("/").await.closes);

    ready.until(Phase::Stopping).await;
    while !is_refused(rig.address) {
        yield_now().await;
    }
    rig.gate.open();
    assert!(busy.answer().await.closes);
    let report = ready.run.await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    let drain = rig.handle.drain_report().unwrap();
    assert_eq!((drain.in_flight_at_start, drain.finished), (1, 1));
    let json = serde_json::to_value(drain).unwrap();
    assert_eq!(json["aborted_requests"], 0);
    assert!(json["elapsed_ms"].is_number());
}

#[tokio::test]
async fn what_is_cut_off_makes_the_stop_unclean() {
    let rig = Rig::with(|server| server.drain_timeout(ms(100)));
    let ready = Ready::of(&rig).await;
    let _busy = rig.busy().await;
    let report = ready.stopped().await;
    assert_eq!(report.phase, Phase::Stopped(1));
    let told = report.errors[0].detail().expose().to_owned();
    assert!(
        told.starts_with("hook `http` failed to stop: 1 requests and 1 connections were cut off"),
        "{told}"
    );
}

/// The stop of the whole has less patience than the drain: what is cut off is still told.
#[tokio::test]
async fn the_stop_deadline_cuts_the_drain_short() {
    let rig = Rig::start();
    let ready = Ready::with(&rig, |limits| limits.stop_deadline(ms(800))).await;
    let _busy = rig.busy().await;
    let report = ready.stopped().await;
    assert!(report.pending.is_empty(), "{report:?}");
    assert_eq!(
        report.hook("http").unwrap().stop.outcome,
        StepOutcome::Failed
    );
    assert_eq!(rig.handle.drain_report().unwrap().aborted_requests, 1);
}

#[tokio::test]
async fn a_server_that_was_drained_by_hand_stops_at_once() {
    let rig = Rig::start();
    let ready = Ready::of(&rig).await;
    rig.handle.drain().await;
    sleep(ms(10)).await;
    assert!(ready.stopped().await.is_clean());
}

/// It serves before the lifecycle runs, and a stop may come in between.
#[tokio::test]
async fn a_stop_before_the_start_says_goodbye_to_a_stream() {
    let rig = Rig::start();
    let mut stream = rig.connect().await;
    stream.send(&get("/events")).await;
    stream.until("data: hello\n\n\r\n").await;
    let lifecycle = Lifecycle::builder()
        .hook(rig.handle.hook("http"))
        .build()
        .unwrap();
    lifecycle.shutdown_handle().shutdown("before it began");
    let report = lifecycle.run().await;
    // Nothing runs between the end of the run and that of the process.
    let drain = rig.handle.drain_report().expect("it was drained");
    assert_eq!((drain.in_flight_at_start, drain.finished), (1, 1));
    assert!(report.is_clean(), "{report:?}");
    let http = report.hook("http").unwrap();
    let outcomes = (http.start.outcome, http.stop.outcome);
    assert_eq!(outcomes, (StepOutcome::Waiting, StepOutcome::Done));
    stream.until("event: shutdown").await;
    stream.until("0\r\n\r\n").await;
    stream.end().await.unwrap();
}

/// A start that fails takes back what it has started, and only then what requests may be using.
#[tokio::test]
async fn a_start_that_fails_finishes_what_is_served_already() {
    let rig = Rig::start();
    let journal: Journal = Journal::open();
    let mut busy = rig.busy().await;
    let lifecycle = Lifecycle::builder()
        .hook(journal.hook("pool", [], 0, 0))
        .hook(
            Hook::new("broken")
                .after(["pool"])
                .on_start(async |_| Err("no such role".into())),
        )
        .hook(rig.handle.hook("http").after(["broken"]))
        .build()
        .unwrap();
    let run = tokio::spawn(lifecycle.run());
    let signal = rig.handle.drain_signal();
    let sent = timeout(PATIENCE, signal.sent()).await;
    sent.expect("it is not drained");
    while !is_refused(rig.address) {
        yield_now().await;
    }
    assert_eq!(journal.entries(), ["+pool"], "the request may be using it");
    rig.gate.open();
    assert_eq!(busy.answer().await.body, "done");
    busy.end().await.unwrap();
    let report = run.await.unwrap();
    assert_eq!(report.phase, Phase::Failed(70));
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert_eq!(journal.entries(), ["+pool", "-pool"]);
    assert_eq!(rig.handle.drain_report().unwrap().finished, 1);
}
