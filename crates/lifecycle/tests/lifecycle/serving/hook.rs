//! The server as a part of a process.

use tokio::{task::yield_now, time::sleep};
use tria_check::Phase;
use tria_lifecycle::{Lifecycle, StepOutcome};

use super::{
    client::{Client, get, is_refused},
    rig::{Rig, ms},
};

#[tokio::test]
async fn the_hook_does_all_the_steps_in_their_order() {
    let rig = Rig::start();
    let lifecycle = Lifecycle::builder()
        .hook(rig.handle.hook("http"))
        .pre_drain(ms(1500))
        .build()
        .unwrap();
    let (stop, mut phase) = (lifecycle.shutdown_handle(), lifecycle.phase());
    let run = tokio::spawn(lifecycle.run());
    phase.wait_for(|phase| phase.is_ready()).await.unwrap();
    let mut idle = rig.idle().await;
    let mut busy = rig.busy().await;

    stop.shutdown("done");
    // The request is on its way before anybody knows; its answer is made later.
    let mut new = Client::connect_at_once(rig.address, &get("/"));
    phase
        .wait_for(|phase| *phase == Phase::Draining)
        .await
        .unwrap();
    assert_eq!(new.answer().await.status, 200);
    assert!(idle.ask("/").await.closes);
    assert!(rig.connect().await.ask("/").await.closes);

    phase
        .wait_for(|phase| *phase == Phase::Stopping)
        .await
        .unwrap();
    while !is_refused(rig.address) {
        yield_now().await;
    }
    rig.gate.open();
    assert!(busy.answer().await.closes);
    let report = run.await.unwrap();
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
    let lifecycle = Lifecycle::builder()
        .hook(rig.handle.hook("http"))
        .build()
        .unwrap();
    let (stop, mut phase) = (lifecycle.shutdown_handle(), lifecycle.phase());
    let run = tokio::spawn(lifecycle.run());
    phase.wait_for(|phase| phase.is_ready()).await.unwrap();
    let _busy = rig.busy().await;
    stop.shutdown("done");
    let report = run.await.unwrap();
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
    let lifecycle = Lifecycle::builder()
        .hook(rig.handle.hook("http"))
        .stop_deadline(ms(800))
        .build()
        .unwrap();
    let (stop, mut phase) = (lifecycle.shutdown_handle(), lifecycle.phase());
    let run = tokio::spawn(lifecycle.run());
    phase.wait_for(|phase| phase.is_ready()).await.unwrap();
    let _busy = rig.busy().await;
    stop.shutdown("done");
    let report = run.await.unwrap();
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
    let lifecycle = Lifecycle::builder()
        .hook(rig.handle.hook("http"))
        .build()
        .unwrap();
    let (stop, mut phase) = (lifecycle.shutdown_handle(), lifecycle.phase());
    let run = tokio::spawn(lifecycle.run());
    phase.wait_for(|phase| phase.is_ready()).await.unwrap();
    rig.handle.drain().await;
    sleep(ms(10)).await;
    stop.shutdown("done");
    assert!(run.await.unwrap().is_clean());
}
