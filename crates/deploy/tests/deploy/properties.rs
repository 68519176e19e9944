//! Calls that fail: each alone, and in every combination that chance finds.

use proptest::prelude::*;

use crate::{
    harness::{assert_at_rest, deployed, desired, state, try_deploy},
    memory::{Behaviour, Cut, Trip},
};

#[derive(Clone, Debug)]
struct Chaos {
    behaviour: Behaviour,
    trips: Vec<(usize, bool, Cut)>,
    breaks_at: Option<usize>,
    again: Vec<(usize, bool, Cut)>,
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![Just(Cut::Before), Just(Cut::Half), Just(Cut::After)]
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        4 => Just(Behaviour::Good),
        1 => Just(Behaviour::Crashes),
        1 => Just(Behaviour::NeverHealthy),
        1 => Just(Behaviour::HangsStarting),
        1 => Just(Behaviour::MigrationFails),
        1 => Just(Behaviour::FailsTests),
        3 => Just(Behaviour::FailsBehindTheDoor),
    ]
}

fn chaos() -> impl Strategy<Value = Chaos> {
    let trips = || prop::collection::vec((0..140_usize, any::<bool>(), cut()), 0..5);
    (
        behaviour(),
        trips(),
        prop::option::weighted(0.2, 0..140_usize),
        trips(),
    )
        .prop_map(|(behaviour, trips, breaks_at, again)| Chaos {
            behaviour,
            trips,
            breaks_at,
            again,
        })
}

fn set(memory: &crate::memory::Memory, trips: &[(usize, bool, Cut)]) {
    for (at, kills, cut) in trips {
        let trip = if *kills {
            Trip::Kill(*cut)
        } else {
            Trip::Fail(*cut)
        };
        memory.fuse().trip_at(*at, trip);
    }
}

/// One call that fails, before it does anything, half way, or after it did all of it: an answer
/// that was lost, a disk that was full.
#[tokio::test(start_paused = true)]
async fn a_call_that_fails_anywhere_ends_well() {
    let rehearsal = deployed(&["t1"]).await;
    try_deploy(&rehearsal, &desired("t2")).await.unwrap();
    for (at, call) in rehearsal.fuse().log().iter().enumerate() {
        for cut in Cut::ALL {
            let told = format!("failed {cut:?} of call {at}, {call}");
            let memory = deployed(&["t1"]).await;
            memory.fuse().trip_at(at, Trip::Fail(cut));
            let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
            assert_eq!(memory.lock().violations, [""; 0], "{told}: {outcome:?}");
            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{told}: {outcome:?}");
            assert_at_rest(&memory, &told).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever fails, whoever is killed, and however the release behaves: somebody is served all
    /// the time, and a deployment after it that is let alone sets everything right.
    #[test]
    fn every_way_of_failing_ends_well(chaos in chaos()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let memory = deployed(&["t1"]).await;
            memory.lock().behaviours.insert("t2".into(), chaos.behaviour);
            set(&memory, &chaos.trips);
            if let Some(at) = chaos.breaks_at {
                memory.fuse().break_from(at);
            }
            let _ = try_deploy(&memory, &desired("t2")).await;
            assert_eq!(memory.lock().violations, [""; 0]);

            let memory = memory.next_process();
            set(&memory, &chaos.again);
            let _ = try_deploy(&memory, &desired("t2")).await;
            assert_eq!(memory.lock().violations, [""; 0]);

            let memory = memory.next_process();
            let outcome = try_deploy(&memory, &desired("t3")).await.unwrap();
            assert_eq!(outcome.exit_code().get(), 0, "{outcome:?}");
            assert_at_rest(&memory, "at the end").await;
            assert_eq!(state(&memory).await.current.unwrap().fingerprint.tree, "t3");
        });
    }
}
