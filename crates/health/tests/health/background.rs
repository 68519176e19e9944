//! The monitor, run over checks that obey a script.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tria_check::{Check, CheckMeta, Cost, Group, Outcome, Registry};
use tria_health::{Monitor, MonitorHandle, Sampler};

use crate::rig::{Rig, Runs, fail, meta, pass, scripted};

struct Watched {
    rig: Rig,
    runs: Runs,
    token: CancellationToken,
    monitor: MonitorHandle,
}

fn over(check: impl Check) -> Rig {
    Rig::over(Registry::builder().register(check).build().unwrap())
}

/// A service with one check, watched.
fn watch<F, R>(meta: CheckMeta, script: F) -> Watched
where
    F: Fn(u32) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let (check, runs) = scripted(meta, script);
    let (rig, token) = (over(check), CancellationToken::new());
    let monitor = Monitor::start(&rig.runner, &rig.snapshot, &rig.heartbeats, &token);
    Watched {
        rig,
        runs,
        token,
        monitor,
    }
}

async fn seconds(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds)).await;
}

fn assert_within(gaps: &[f64], shortest: f64, longest: f64) {
    let close = |gap: &f64| (shortest - 0.002..=longest + 0.002).contains(gap);
    assert!(gaps.len() > 5 && gaps.iter().all(close), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_passes_is_asked_every_period_with_jitter() {
    let watched = watch(meta("it"), |_| async { pass() });
    seconds(0.01).await;
    assert_eq!(
        watched.rig.readyz().await,
        200,
        "one that never ran is asked at once"
    );
    for _ in 0..120 {
        seconds(1.0).await;
        assert_eq!(watched.rig.readyz().await, 200);
    }
    let gaps = watched.runs.gaps();
    assert_within(&gaps, 4.0, 6.0);
    assert!(
        gaps.iter().any(|gap| (gap - gaps[0]).abs() > 0.1),
        "no jitter"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_shows_after_three_in_a_row_and_a_recovery_at_once() {
    let broken = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&broken);
    let watched = watch(meta("it"), move |_| {
        let outcome = if seen.load(Ordering::SeqCst) {
            fail()
        } else {
            pass()
        };
        async { outcome }
    });
    seconds(20.0).await;
    assert_eq!(watched.rig.readyz().await, 200);

    broken.store(true, Ordering::SeqCst);
    let (begun, runs) = (Instant::now(), watched.runs.count());
    while watched.rig.readyz().await == 200 {
        seconds(0.01).await;
    }
    assert_eq!(watched.runs.count() - runs, 3);
    // The first question comes within a jittered period, the next two a second apart each.
    assert!(begun.elapsed() <= Duration::from_millis(6_000 + 2 * 1_200 + 50));
    assert_eq!(watched.rig.service("it").await["code"], json!("broken"));
    let before = watched.runs.gaps().len();
    seconds(30.0).await;
    assert_within(&watched.runs.gaps()[before..], 1.0, 1.2);

    broken.store(false, Ordering::SeqCst);
    let begun = Instant::now();
    while watched.rig.readyz().await == 503 {
        seconds(0.01).await;
    }
    assert!(begun.elapsed() <= Duration::from_millis(1_250));
}

/// dropwizard `State`: a success in between must reset the count.
#[tokio::test(start_paused = true)]
async fn a_check_that_flaps_below_the_threshold_stays_in_service() {
    let watched = watch(meta("it"), |run| async move {
        if run % 3 == 0 { pass() } else { fail() }
    });
    for _ in 0..300 {
        seconds(0.2).await;
        assert_eq!(watched.rig.readyz().await, 200);
    }
    assert!(watched.runs.count() > 15);
}

#[tokio::test(start_paused = true)]
async fn a_metered_check_is_asked_at_most_once_a_minute() {
    for script in [pass as fn() -> Outcome, fail] {
        let metered = meta("it").cost(Cost::Metered).period(Duration::ZERO);
        let (check, runs) = scripted(metered, move |_| async move { script() });
        let rig = over(check);
        let begun = Instant::now();
        rig.record("it", script());
        let _monitor = Monitor::start(
            &rig.runner,
            &rig.snapshot,
            &rig.heartbeats,
            &CancellationToken::new(),
        );
        seconds(900.0).await;
        let first = runs.first_after(begun);
        assert!(
            (60.0..72.1).contains(&first),
            "the start had just asked: {first}"
        );
        assert_within(&runs.gaps(), 60.0, 72.0);
    }
}

#[tokio::test(start_paused = true)]
async fn startup_outcomes_are_the_first_content() {
    let (check, runs) = scripted(meta("it"), |_| async { pass() });
    let rig = over(check);
    assert_eq!(rig.readyz().await, 503);
    let report = rig.runner.run("it").await.unwrap();
    rig.snapshot.record(report);
    assert_eq!(rig.readyz().await, 200);
    let token = CancellationToken::new();
    let _monitor = Monitor::start(&rig.runner, &rig.snapshot, &rig.heartbeats, &token);
    seconds(3.9).await;
    assert_eq!((runs.count(), rig.readyz().await), (1, 200));
}

#[tokio::test(start_paused = true)]
async fn what_only_a_start_asks_is_not_watched_and_all_else_is() {
    for group in [Group::Readiness, Group::Liveness, Group::Diagnostics] {
        let watched = watch(meta("it").groups([group]), |_| async { pass() });
        seconds(60.0).await;
        assert!(watched.runs.count() >= 10, "{group:?}");
    }
    let only = meta("it").groups([Group::Startup]);
    let watched = watch(only, |_| async { pass() });
    seconds(60.0).await;
    assert_eq!(watched.runs.count(), 0);
    timeout(Duration::from_secs(1), watched.monitor.stopped())
        .await
        .expect("a monitor of nothing has nothing to wait for");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_never_returns_is_a_timeout_and_holds_up_no_other() {
    let (stuck, _) = scripted(meta("stuck"), |_| std::future::pending());
    let (brisk, runs) = scripted(meta("brisk"), |_| async { pass() });
    let registry = Registry::builder().register(stuck).register(brisk);
    let rig = Rig::over(registry.build().unwrap());
    let token = CancellationToken::new();
    let monitor = Monitor::start(&rig.runner, &rig.snapshot, &rig.heartbeats, &token);
    seconds(60.0).await;
    assert_eq!(rig.readyz().await, 503);
    assert_eq!(rig.service("stuck").await["code"], json!("timeout"));
    assert_eq!(rig.service("brisk").await["healthy"], json!(true));
    assert!(runs.count() >= 10);
    token.cancel();
    let begun = Instant::now();
    monitor.stopped().await;
    assert!(
        begun.elapsed() < Duration::from_millis(10),
        "it waits for nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_a_failure_and_is_asked_again() {
    let watched = watch(meta("it"), |run| async move {
        assert!(run >= 5, "planted: the first five runs panic");
        pass()
    });
    seconds(0.1).await;
    let told = watched.rig.service("it").await;
    assert_eq!(
        (&told["healthy"], &told["code"]),
        (&json!(false), &json!("panic"))
    );
    assert!(!watched.rig.get("/health").await.text.contains("planted"));
    seconds(8.0).await;
    assert_eq!(watched.rig.readyz().await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_dead_refresher_never_looks_healthy() {
    let watched = watch(meta("it"), |_| async { pass() });
    seconds(30.0).await;
    watched.token.cancel();
    watched.monitor.stopped().await;
    let runs = watched.runs.count();
    assert_eq!(watched.rig.readyz().await, 200);
    seconds(15.0).await;
    assert_eq!(watched.rig.readyz().await, 503);
    assert_eq!(watched.rig.service("it").await["code"], json!("stale"));
    seconds(3600.0).await;
    assert_eq!(
        (watched.rig.readyz().await, watched.runs.count()),
        (503, runs)
    );
}

/// gears-rust: an impatient prober restarts the fan-out at every probe.
#[tokio::test(start_paused = true)]
async fn probes_run_no_check() {
    let watched = watch(meta("it"), |_| async { pass() });
    seconds(0.01).await;
    for _ in 0..2_000 {
        assert_eq!(watched.rig.readyz().await, 200);
    }
    assert_eq!(watched.runs.count(), 1);
}

/// quarkusio/quarkus#35099: liveness queued behind a blocking pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn liveness_answers_while_a_check_blocks_its_thread() {
    let release = Arc::new(AtomicBool::new(false));
    let (entered, released) = (Arc::new(AtomicBool::new(false)), Arc::clone(&release));
    let seen = Arc::clone(&entered);
    let watched = watch(meta("it"), move |_| {
        seen.store(true, Ordering::SeqCst);
        while !released.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        async { pass() }
    });
    while !entered.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(watched.rig.readyz().await, 503);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    release.store(true, Ordering::SeqCst);
}

#[tokio::test]
async fn the_machines_numbers_are_sampled_apart_from_requests() {
    let token = CancellationToken::new();
    let sampler = Sampler::start("/", token.clone());
    let rig = Rig::of([meta("it")]);
    let router = rig.router_of(|state| state.sampler(sampler.clone()));
    let metrics = loop {
        let answer = crate::rig::ask(&router, axum::http::Method::GET, "/readyz").await;
        match answer.json().get("metrics") {
            Some(metrics) => break metrics.clone(),
            None => tokio::task::yield_now().await,
        }
    };
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(&metrics), ["cpu", "disk", "memory", "sampled_at"]);
    assert_eq!(keys(&metrics["cpu"]), ["used_percent"]);
    for room in ["memory", "disk"] {
        let expected = ["available_bytes", "total_bytes", "used_percent"];
        assert_eq!(keys(&metrics[room]), expected, "{metrics}");
    }
    // The next sample is seconds away: whoever asks now gets the same.
    let answer = crate::rig::ask(&router, axum::http::Method::GET, "/readyz").await;
    assert_eq!(answer.json()["metrics"], metrics);
    token.cancel();
    sampler.stopped().await;
}
