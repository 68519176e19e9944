//! Ctrl-C, once and twice, everywhere.

use tria_deploy::{Options, Outcome, Stop};

use crate::harness::{
    Collector, assert_at_rest, deploy_with, deployed, desired, serving, try_deploy,
};

#[tokio::test(start_paused = true)]
async fn asked_to_stop_before_the_switch_all_is_undone_and_after_it_all_is_finished() {
    let rehearsal = deployed(&["t1"]).await;
    try_deploy(&rehearsal, &desired("t2")).await.unwrap();
    let log = rehearsal.fuse().log();
    let switch = log
        .iter()
        .position(|call| call == "point to tria-server-2")
        .unwrap();
    let (mut undone, mut finished) = (0, 0);
    for (at, call) in log.iter().enumerate() {
        let told = format!("asked at call {at}, {call}");
        let memory = deployed(&["t1"]).await;
        let before = serving(&memory);
        let stop = Stop::new();
        memory.ask_to_stop_at(at, &stop);
        let options = Options::default();
        let collector = Collector::default();
        let next = desired("t2");
        let outcome = deploy_with(&memory, &next, &options, &stop, &collector).await;
        assert_at_rest(&memory, &told).await;
        match outcome.unwrap() {
            Outcome::Interrupted { undone: true } => {
                undone += 1;
                assert!(at < switch, "{told}");
                assert_eq!(serving(&memory), before, "{told}");
            }
            Outcome::Done { release: Some(2) } => {
                finished += 1;
                // The journal's line about the switch is the last chance.
                assert!(at + 1 >= switch, "{told}");
            }
            other => panic!("{told}: {other:?}"),
        }
    }
    assert!(undone > 50 && finished > 10, "{undone} {finished}");
}

#[tokio::test(start_paused = true)]
async fn asked_twice_it_stops_at_once_and_the_next_run_settles() {
    let memory = deployed(&["t1"]).await;
    let stop = Stop::new();
    stop.ask();
    stop.ask();
    let options = Options::default();
    let collector = Collector::default();
    let next = desired("t2");
    let outcome = deploy_with(&memory, &next, &options, &stop, &collector).await;
    assert_eq!(outcome, Some(Outcome::Interrupted { undone: false }));
    assert_eq!(outcome.unwrap().exit_code().get(), 130);
    let memory = memory.next_process();
    let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
    assert_eq!(outcome.exit_code().get(), 0);
    assert_at_rest(&memory, "settled").await;
}
