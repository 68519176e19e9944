//! Restarts under load: nothing is lost. The bench `zero_drop` does the same for longer.

use tria_tests::{Candidate, Fixture, Plan, Programs};

const BARE_AXUM: &str = env!("CARGO_BIN_EXE_bare-axum");

const PLAN: Plan = Plan {
    clients: 32,
    restarts: 3,
    per_second: 400,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_under_load_lose_no_request() {
    let programs = Programs {
        fixture: &Fixture::migrated().await,
        bare_axum: BARE_AXUM,
    };
    let candidate = Candidate::Tria { pre_drain: "3s" };
    for tally in programs.roll(candidate, PLAN).await {
        assert!(tally.requests > 500, "too few to tell: {tally:?}");
        assert_eq!(tally.failed(), 0, "{tally:?}");
    }
}

/// The control: if it lost nothing either, the test above would prove nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_restarts_without_a_pre_drain_lose_some() {
    let programs = Programs {
        fixture: &Fixture::empty().await,
        bare_axum: BARE_AXUM,
    };
    let [kept, connected] = programs.roll(Candidate::BareAxum, PLAN).await;
    assert!(
        kept.failed() + connected.failed() > 0,
        "{kept:?} {connected:?}"
    );
}
