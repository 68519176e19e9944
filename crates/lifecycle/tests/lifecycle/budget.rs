//! Whether the limits of the parts fit the whole.

use std::{future::pending, time::Duration};

use proptest::prelude::*;
use tria_check::Phase;
use tria_lifecycle::{GraphProblem, Hook, HookError, Lifecycle, LifecycleBuilder};

use crate::journal::ms;

const SECOND: Duration = Duration::from_secs(1);

fn stops<const N: usize>(name: &str, after: [&str; N], limit: Duration) -> Hook {
    let hook = Hook::new(name).after(after).stop_timeout(limit);
    hook.on_stop(|_| pending())
}

fn service() -> LifecycleBuilder {
    Lifecycle::builder()
        .hook(Hook::new("environment").stop_timeout(100 * SECOND))
        .hook(stops("database", ["environment"], 3 * SECOND))
        .hook(stops("redis", ["environment"], 4 * SECOND))
        .hook(stops("monitor", ["database"], 2 * SECOND))
        .hook(stops("http", ["monitor", "redis"], 15 * SECOND))
        .pre_drain(3 * SECOND)
}

#[test]
fn the_longest_way_of_the_stop_must_fit_the_grace() {
    // akka/akka#32487: the phases' timeouts summed up to more than the platform's 30 s.
    let fits = service().reserve(SECOND).grace(24 * SECOND);
    assert!(fits.build().is_ok());
    let error = service()
        .reserve(2 * SECOND)
        .grace(24 * SECOND)
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the hooks do not fit together: stopping may take 25s, more than the grace of 24s: \
         pre-drain 3s + `http` 15s + `monitor` 2s + `database` 3s + after the run 2s"
    );
    let [GraphProblem::OverGrace { needed, .. }] = error.problems() else {
        panic!("{error:?}");
    };
    assert_eq!(*needed, 25 * SECOND);
    assert!(
        service().build().is_ok(),
        "without a grace nothing is judged"
    );
}

#[tokio::test(start_paused = true)]
async fn the_stop_gets_what_is_left_of_the_grace() {
    let lifecycle = Lifecycle::builder()
        .hook(stops("stuck", [], SECOND))
        .hook(stops("after", ["stuck"], SECOND))
        .pre_drain(SECOND)
        .reserve(SECOND)
        .grace(4 * SECOND)
        .build()
        .unwrap();
    lifecycle.shutdown_handle().shutdown("before it began");
    assert!(lifecycle.run().await.is_clean());

    let hung = Lifecycle::builder().hook(stops("stuck", [], SECOND));
    let lifecycle = hung.reserve(ms(500)).grace(ms(1500)).build().unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    tokio::time::sleep(SECOND).await;
    handle.shutdown("done");
    let report = run.await.unwrap();
    assert_eq!(report.stopped_after, Some(SECOND));
    assert_eq!(report.phase, Phase::Stopped(1));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_fits_the_grace_too() {
    let lifecycle = Lifecycle::builder()
        .hook(stops("stuck", [], 2 * SECOND))
        .hook(Hook::new("deaf").on_start(|_| pending()))
        .hook(
            Hook::new("broken")
                .after(["stuck"])
                .on_start(async |_| Err(HookError::new("no").with_exit_code(69))),
        )
        .reserve(ms(500))
        .grace(ms(2500))
        .build()
        .unwrap();
    let report = lifecycle.run().await;
    assert_eq!(report.phase, Phase::Failed(69));
    // To settle it has half of what there is.
    assert_eq!(report.stopped_after, Some(ms(2000)));
    assert_eq!(report.pending, ["stuck"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where every stop takes all of its time, the whole takes as long as the way that was found.
    #[test]
    fn no_stop_takes_longer_than_was_reckoned(
        hooks in prop::collection::vec(
            (prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..50_u64, any::<bool>()),
            1..12,
        ),
        pre_drain in 0..30_u64,
    ) {
        let builder = |grace: u64| {
            let hooks = hooks.iter().enumerate().map(|(number, (after, limit, has_stop))| {
                let after = after.iter().filter(|_| number > 0);
                let after = after.map(|earlier| earlier.index(number).to_string());
                let hook = Hook::new(number.to_string()).after(after).stop_timeout(ms(*limit));
                if *has_stop { hook.on_stop(|_| pending()) } else { hook }
            });
            let all = Lifecycle::builder().hooks(hooks).pre_drain(ms(pre_drain));
            all.reserve(Duration::ZERO).grace(ms(grace))
        };
        let needed = match builder(0).build() {
            Ok(_) => Duration::ZERO,
            Err(error) => match error.problems() {
                [GraphProblem::OverGrace { needed, .. }] => *needed,
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            },
        };
        let grace = u64::try_from(needed.as_millis()).unwrap();
        // A little more, so that the hooks' own limits end them, and not the whole's.
        let lifecycle = builder(grace + 5).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let report = runtime.block_on(async {
            let handle = lifecycle.shutdown_handle();
            let mut phase = lifecycle.phase();
            let run = tokio::spawn(lifecycle.run());
            phase.wait_for(|phase| phase.is_ready()).await.unwrap();
            handle.shutdown("done");
            run.await.unwrap()
        });
        prop_assert_eq!(report.stopped_after, Some(needed));
        prop_assert!(report.pending.is_empty());
    }
}
