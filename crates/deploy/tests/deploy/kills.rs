//! `kill -9` at every call and every line of the journal, and then again.

use tria_deploy::Outcome;

use crate::{
    harness::{assert_at_rest, deployed, desired, serving, state, try_deploy, try_rollback},
    memory::{Behaviour, Cut, Memory, Trip},
};

/// Where a deployment of `tree` over `trees` can be killed.
async fn calls(trees: &[&str], tree: &str, prepare: &dyn Fn(&Memory)) -> Vec<String> {
    let memory = deployed(trees).await;
    prepare(&memory);
    try_deploy(&memory, &desired(tree)).await.unwrap();
    memory.fuse().log()
}

/// The world right after the kill: who was served is served, and before the switch by the very
/// container that was never touched.
fn assert_still_served(memory: &Memory, before: Option<&crate::memory::Running>, told: &str) {
    let inner = memory.lock();
    assert_eq!(inner.violations, [""; 0], "{told}");
    let Some(before) = before else { return };
    let name = &before.spec.name;
    if inner.target.as_ref() == Some(name) {
        assert_eq!(inner.containers.get(name), Some(before), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_killed_anywhere_is_finished_or_undone_by_the_next() {
    let calls = calls(&["t1"], "t2", &|_| {}).await;
    assert!(calls.len() > 60, "{calls:?}");
    for (at, call) in calls.iter().enumerate() {
        for cut in Cut::ALL {
            let told = format!("killed {cut:?} of call {at}, {call}");
            let memory = deployed(&["t1"]).await;
            let before = serving(&memory);
            memory.fuse().trip_at(at, Trip::Kill(cut));
            let killed = try_deploy(&memory, &desired("t2")).await;
            assert_eq!(killed, None, "{told}");
            assert_still_served(&memory, Some(&before), &told);

            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{told}: {outcome:?}");
            assert_at_rest(&memory, &told).await;
            let state = state(&memory).await;
            assert_eq!(state.current.unwrap().fingerprint.tree, "t2", "{told}");
            assert_eq!(state.previous.unwrap().number, 1, "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_killed_anywhere_is_done_by_the_next() {
    let calls = calls(&[], "t1", &|_| {}).await;
    for (at, call) in calls.iter().enumerate() {
        for cut in Cut::ALL {
            let told = format!("killed {cut:?} of call {at}, {call}");
            let memory = Memory::new();
            memory.fuse().trip_at(at, Trip::Kill(cut));
            assert_eq!(try_deploy(&memory, &desired("t1")).await, None, "{told}");
            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t1")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{told}: {outcome:?}");
            assert_at_rest(&memory, &told).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn going_back_killed_anywhere_ends_at_the_old_release() {
    let bad = |memory: &Memory| {
        let behaviour = Behaviour::FailsBehindTheDoor;
        memory.lock().behaviours.insert("t2".into(), behaviour);
    };
    let calls = calls(&["t1"], "t2", &bad).await;
    for (at, call) in calls.iter().enumerate() {
        for cut in Cut::ALL {
            let told = format!("killed {cut:?} of call {at}, {call}");
            let memory = deployed(&["t1"]).await;
            bad(&memory);
            let before = serving(&memory);
            memory.fuse().trip_at(at, Trip::Kill(cut));
            assert_eq!(try_deploy(&memory, &desired("t2")).await, None, "{told}");
            assert_still_served(&memory, Some(&before), &told);

            // What serves is wanted again: nothing to do but to settle.
            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t1")).await.unwrap();
            assert_eq!(outcome, Outcome::Unchanged, "{told}");
            assert_eq!(serving(&memory), before, "{told}");
            assert_at_rest(&memory, &told).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_killed_anywhere_leaves_one_that_serves() {
    let rehearsal = deployed(&["t1", "t2"]).await;
    let outcome = try_rollback(&rehearsal, &desired("t2"), false).await;
    assert_eq!(outcome, Some(Outcome::Done { release: Some(1) }));
    for (at, call) in rehearsal.fuse().log().iter().enumerate() {
        for cut in Cut::ALL {
            let told = format!("killed {cut:?} of call {at}, {call}");
            let memory = deployed(&["t1", "t2"]).await;
            memory.fuse().trip_at(at, Trip::Kill(cut));
            let killed = try_rollback(&memory, &desired("t2"), false).await;
            assert_eq!(killed, None, "{told}");
            assert_still_served(&memory, None, &told);
            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t3")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{told}: {outcome:?}");
            assert_at_rest(&memory, &told).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_with_a_restore_killed_anywhere_serves_again_after_the_next() {
    let rehearsal = deployed(&["t1", "t2"]).await;
    rehearsal.lock().must_serve = false;
    let outcome = try_rollback(&rehearsal, &desired("t2"), true).await;
    assert_eq!(outcome, Some(Outcome::Done { release: Some(1) }));
    for (at, call) in rehearsal.fuse().log().iter().enumerate() {
        for cut in Cut::ALL {
            let told = format!("killed {cut:?} of call {at}, {call}");
            let memory = deployed(&["t1", "t2"]).await;
            memory.lock().must_serve = false;
            memory.fuse().trip_at(at, Trip::Kill(cut));
            let killed = try_rollback(&memory, &desired("t2"), true).await;
            assert_eq!(killed, None, "{told}");
            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{told}: {outcome:?}");
            assert_at_rest(&memory, &told).await;
        }
    }
}

/// The recovery itself is killed, at each of its calls, after a kill at the calls around the
/// switch, where most can be lost.
#[tokio::test(start_paused = true)]
async fn a_recovery_killed_anywhere_is_recovered_from() {
    let log = calls(&["t1"], "t2", &|_| {}).await;
    let created = log
        .iter()
        .position(|call| call == "create tria-server-2")
        .unwrap();
    for (first, call) in log.iter().enumerate().skip(created) {
        let kill_first = async || {
            let memory = deployed(&["t1"]).await;
            memory.fuse().trip_at(first, Trip::Kill(Cut::After));
            assert_eq!(try_deploy(&memory, &desired("t2")).await, None);
            memory.next_process()
        };
        let rehearsal = kill_first().await;
        try_deploy(&rehearsal, &desired("t2")).await.unwrap();
        let count = rehearsal.fuse().calls();
        for second in 0..count {
            let told = format!("killed at {first} ({call}), then at {second}");
            let memory = kill_first().await;
            memory.fuse().trip_at(second, Trip::Kill(Cut::After));
            assert_eq!(try_deploy(&memory, &desired("t2")).await, None, "{told}");
            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{told}: {outcome:?}");
            assert_at_rest(&memory, &told).await;
        }
    }
}
