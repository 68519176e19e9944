//! Two at once.

use std::time::Duration;

use tokio::time::sleep;
use tria_deploy::{
    Outcome,
    lease::{Lease, LeaseError},
};

use crate::{
    harness::{assert_at_rest, deployed, desired, try_deploy},
    memory::{Cut, Memory, Trip},
};

#[tokio::test(start_paused = true)]
async fn of_two_deployments_at_once_one_wins_and_the_other_says_so() {
    let one = deployed(&["t1"]).await;
    let other = one.another_process();
    let (mine, theirs) = (desired("t2"), desired("t3"));
    let (first, second) = tokio::join!(try_deploy(&one, &mine), try_deploy(&other, &theirs));
    let mut codes = [first, second].map(|outcome| outcome.unwrap().exit_code().get());
    codes.sort_unstable();
    assert_eq!(codes, [0, 30]);
    assert_at_rest(&one, "two at once").await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_held_until_the_old_release_has_stopped() {
    let one = deployed(&["t1"]).await;
    one.lock().in_flight = 1;
    let late = async {
        // The switch is over, the old one drains.
        while one.lock().target.as_deref() != Some("tria-server-2") {
            sleep(Duration::from_secs(1)).await;
        }
        sleep(Duration::from_secs(70)).await;
        try_deploy(&one.another_process(), &desired("t3")).await
    };
    let next = desired("t2");
    let (first, second) = tokio::join!(try_deploy(&one, &next), late);
    assert_eq!(first, Some(Outcome::Done { release: Some(2) }));
    assert!(
        matches!(second, Some(Outcome::Locked { owner: Some(_) })),
        "{second:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_died_elsewhere_holds_the_lease_until_it_runs_out() {
    let term = Duration::from_secs(60);
    let dead = Memory::new();
    drop(Lease::take(&dead, &dead, &dead, term).await.unwrap());
    // Nobody can see whether it still lives.
    let other = dead.another_process();
    sleep(term.checked_sub(Duration::from_secs(1)).unwrap()).await;
    let locked = Lease::take(&other, &other, &other, term).await;
    assert!(matches!(locked, Err(LeaseError::Locked { .. })));
    sleep(Duration::from_secs(1)).await;
    assert!(Lease::take(&other, &other, &other, term).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_that_was_seen_to_die_holds_it_no_longer() {
    let dead = Memory::new();
    let term = Duration::from_secs(60);
    drop(Lease::take(&dead, &dead, &dead, term).await.unwrap());
    let next = dead.next_process();
    assert!(Lease::take(&next, &next, &next, term).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_and_its_loss_is_noticed() {
    let term = Duration::from_secs(60);
    let memory = Memory::new();
    let lease = Lease::take(&memory, &memory, &memory, term).await.unwrap();
    let kept = tokio::time::timeout(10 * term, lease.keep()).await;
    assert!(kept.is_err() && lease.is_held());
    // Somebody removed it by hand.
    memory.lock().documents.remove("lease.json");
    assert!(matches!(lease.keep().await, LeaseError::Lost));
}

#[tokio::test(start_paused = true)]
async fn whoever_lost_the_lease_touches_nothing_any_more() {
    let memory = deployed(&["t1"]).await;
    let thief = async {
        while memory.lock().images.len() < 2 {
            sleep(Duration::from_secs(1)).await;
        }
        memory
            .lock()
            .documents
            .insert("lease.json".into(), b"{}".to_vec());
    };
    // A start that takes its time, so that the loss is noticed within it.
    let behaviour = crate::memory::Behaviour::HangsStarting;
    memory.lock().behaviours.insert("t2".into(), behaviour);
    let next = desired("t2");
    let (outcome, ()) = tokio::join!(try_deploy(&memory, &next), thief);
    assert_eq!(outcome, Some(Outcome::Locked { owner: None }));
    // It is the thief's to undo.
    assert!(memory.lock().containers.contains_key("tria-server-2"));
    assert_eq!(memory.lock().documents["lease.json"], b"{}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_one_does_not_lock_out_the_next() {
    let memory = deployed(&["t1"]).await;
    memory.fuse().trip_at(40, Trip::Kill(Cut::After));
    assert_eq!(try_deploy(&memory, &desired("t2")).await, None);
    let others = memory.another_process();
    let locked = try_deploy(&others, &desired("t2")).await.unwrap();
    assert_eq!(locked.exit_code().get(), 30, "it was not seen to die");
    let memory = others.next_process();
    // Now both are seen to be dead.
    memory.lock().violations.clear();
    let next = memory.next_process();
    drop(memory);
    sleep(Duration::from_secs(61)).await;
    let outcome = try_deploy(&next, &desired("t2")).await.unwrap();
    assert_eq!(outcome.exit_code().get(), 0);
}
