use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::Notify;

use super::*;
use crate::{Check, CheckMeta, Criticality, Status};

const BROKEN: Code = Code::new("broken");

/// A check made of a closure that gets the number of the run (the first is 0).
struct Scripted<F> {
    meta: CheckMeta,
    runs: Arc<AtomicU32>,
    script: F,
}

impl<F, R> Check for Scripted<F>
where
    F: Fn(u32) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }
    async fn check(&self, _cx: &CheckContext) -> Outcome {
        (self.script)(self.runs.fetch_add(1, Ordering::SeqCst)).await
    }
}

fn runner_of<F, R>(meta: CheckMeta, script: F) -> (Runner, Arc<AtomicU32>)
where
    F: Fn(u32) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let runs = Arc::new(AtomicU32::new(0));
    let check = Scripted {
        meta,
        runs: Arc::clone(&runs),
        script,
    };
    let registry = Registry::builder().register(check).build().unwrap();
    // The sender may go: the receiver keeps the last phase.
    let (_phase, phase) = watch::channel(Phase::Starting);
    (Runner::new(registry, phase), runs)
}

fn meta() -> CheckMeta {
    CheckMeta::new("it").timeout(Duration::from_secs(2))
}

fn waiting(deadline: Duration) -> Waiting {
    Waiting::until(Instant::now() + deadline)
}

struct DropFlag(Arc<AtomicBool>);

impl Drop for DropFlag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// hellofresh/health-go#224: a goroutine leaked per timeout.
#[tokio::test(start_paused = true)]
async fn at_its_timeout_the_future_is_dropped() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let (runner, _) = runner_of(meta(), move |_| {
        let guard = DropFlag(Arc::clone(&flag));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
            Finding::pass("never").into()
        }
    });
    let report = runner.run("it").await.unwrap();
    assert_eq!(report.outcome.code(), Code::TIMEOUT);
    assert_eq!(report.duration, Duration::from_secs(2));
    assert!(
        dropped.load(Ordering::SeqCst),
        "the future outlived its timeout"
    );
}

#[tokio::test]
async fn a_panic_is_an_outcome_and_the_runner_goes_on() {
    let (runner, runs) = runner_of(meta(), |_| async { panic!("boom {}", 7) });
    for _ in 0..3 {
        let report = runner.run("it").await.unwrap();
        assert_eq!(
            (report.outcome.status(), report.outcome.code()),
            (Status::Fail, Code::PANIC)
        );
        assert_eq!(
            report.outcome.decisive().get_detail().unwrap().expose(),
            "boom 7"
        );
        assert!(!report.outcome.text().as_str().contains("boom"));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

/// goss-org/goss#1110: a thundering herd.
#[tokio::test]
async fn a_thousand_callers_make_one_run() {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let (runner, runs) = runner_of(meta(), move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.notified().await;
            Finding::pass("fine").into()
        }
    });
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let runner = runner.clone();
            tokio::spawn(async move { runner.run("it").await.unwrap().outcome.status() })
        })
        .collect();
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    gate.notify_one();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Status::Pass);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// alexliesenfeld/health: a client's disconnect was recorded as a check's timeout.
#[tokio::test]
async fn a_caller_that_leaves_does_not_cancel_the_run() {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let (runner, runs) = runner_of(meta(), move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.notified().await;
            Finding::pass("fine").into()
        }
    });
    let leaver = tokio::spawn({
        let runner = runner.clone();
        async move { runner.run("it").await }
    });
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    leaver.abort();
    let _ = leaver.await;
    let stayer = tokio::spawn({
        let runner = runner.clone();
        async move { runner.run("it").await.unwrap() }
    });
    tokio::task::yield_now().await;
    gate.notify_one();
    assert_eq!(stayer.await.unwrap().outcome.status(), Status::Pass);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// dotnet/aspnetcore#2580: the opposite of the herd, a convoy behind one stuck probe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_blocks_its_thread_does_not_hold_its_callers() {
    let release = Arc::new(AtomicBool::new(false));
    let released = Arc::clone(&release);
    let quick = meta().timeout(Duration::from_millis(50));
    let (runner, runs) = runner_of(quick, move |_| {
        let released = Arc::clone(&released);
        async move {
            while !released.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
            Finding::pass("late").into()
        }
    });
    let caller = tokio::spawn({
        let runner = runner.clone();
        async move { runner.run("it").await.unwrap() }
    });
    assert_eq!(caller.await.unwrap().outcome.code(), Code::TIMEOUT);
    release.store(true, Ordering::SeqCst);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// tokio-rs/tokio#4730: what waits for a timer or a socket waits for ever when the worker that
/// watches them was woken to poll what blocks it.
#[test]
fn a_check_that_blocks_its_thread_holds_up_no_other_worker() {
    const MOMENT: Duration = Duration::from_millis(20);
    for (before, within) in [(MOMENT, Duration::ZERO), (Duration::ZERO, MOMENT)] {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        let release = Arc::new(AtomicBool::new(false));
        let released = Arc::clone(&release);
        let (runner, runs) = runner_of(meta(), move |_| {
            let released = Arc::clone(&released);
            async move {
                tokio::time::sleep(within).await;
                while !released.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Finding::pass("late").into()
            }
        });
        let (tell, told) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            tokio::time::sleep(before).await;
            runner.run("it").await
        });
        runtime.spawn(async move {
            tokio::time::sleep(MOMENT * 3).await;
            tell.send(()).unwrap();
        });
        let told = told.recv_timeout(Duration::from_secs(5));
        assert_eq!(runs.load(Ordering::SeqCst), 1, "it did not block yet");
        release.store(true, Ordering::SeqCst);
        runtime.shutdown_background();
        assert!(told.is_ok(), "timers stand still: {before:?}, {within:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_retried_until_it_passes() {
    let (runner, runs) = runner_of(meta(), |run| async move {
        if run < 4 {
            Finding::fail(BROKEN, "not yet").transient(None).into()
        } else {
            Finding::pass("fine").into()
        }
    });
    let told = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&told);
    let waiting = Waiting {
        on_retry: Arc::new(move |failed| {
            assert_eq!(failed.outcome.code(), BROKEN);
            count.fetch_add(1, Ordering::SeqCst);
        }),
        ..waiting(Duration::from_secs(60))
    };
    let report = runner.wait_for("it", &waiting).await.unwrap();
    assert_eq!(
        (report.outcome.status(), report.attempts),
        (Status::Pass, 5)
    );
    assert_eq!(told.load(Ordering::SeqCst), 4);
    assert_eq!(runs.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_not_retried() {
    let (runner, runs) = runner_of(meta(), |_| async { Finding::fail(BROKEN, "no").into() });
    let begun = Instant::now();
    let report = runner
        .wait_for("it", &waiting(Duration::from_secs(60)))
        .await
        .unwrap();
    assert!(report.outcome.is_permanent_failure());
    assert_eq!(
        (runs.load(Ordering::SeqCst), begun.elapsed()),
        (1, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_at_the_deadline_with_the_last_outcome() {
    let (runner, runs) = runner_of(meta(), |_| async {
        Finding::fail(BROKEN, "no").transient(None).into()
    });
    let begun = Instant::now();
    let report = runner
        .wait_for("it", &waiting(Duration::from_secs(10)))
        .await
        .unwrap();
    assert_eq!(report.outcome.code(), BROKEN);
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
    assert_eq!(report.attempts, runs.load(Ordering::SeqCst));
    assert!(
        (7..=20).contains(&report.attempts),
        "{} attempts",
        report.attempts
    );
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_that_takes_longer_than_the_deadline_is_told() {
    let (runner, _) = runner_of(meta(), |_| std::future::pending());
    let begun = Instant::now();
    let report = runner
        .wait_for("it", &waiting(Duration::from_millis(300)))
        .await
        .unwrap();
    assert_eq!(report.outcome.code(), Code::TIMEOUT);
    assert_eq!(begun.elapsed(), Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn giving_up_ends_the_waiting_but_not_the_first_answer() {
    let (runner, runs) = runner_of(meta(), |_| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Finding::fail(BROKEN, "no").transient(None).into()
    });
    let waiting = waiting(Duration::from_secs(60));
    waiting.give_up.cancel();
    let begun = Instant::now();
    let report = runner.wait_for("it", &waiting).await.unwrap();
    assert_eq!(report.outcome.code(), BROKEN);
    assert_eq!(
        (runs.load(Ordering::SeqCst), begun.elapsed()),
        (1, Duration::from_secs(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_names_a_time_is_left_alone_until_then() {
    let (runner, _) = runner_of(meta(), |run| async move {
        if run == 0 {
            Finding::fail(BROKEN, "busy")
                .transient(Some(Duration::from_secs(7)))
                .into()
        } else {
            Finding::pass("fine").into()
        }
    });
    let begun = Instant::now();
    runner
        .wait_for("it", &waiting(Duration::from_secs(60)))
        .await
        .unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn an_optional_check_is_asked_once() {
    let optional = meta().criticality(Criticality::Optional);
    let (runner, runs) = runner_of(optional, |_| async {
        Finding::fail(BROKEN, "no").transient(None).into()
    });
    runner
        .wait_for("it", &waiting(Duration::from_secs(60)))
        .await
        .unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn cancelling_the_runner_ends_every_run() {
    let (runner, runs) = runner_of(meta(), |_| std::future::pending());
    let caller = tokio::spawn({
        let runner = runner.clone();
        async move { runner.run("it").await.unwrap() }
    });
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    runner.cancel();
    assert_eq!(caller.await.unwrap().outcome.code(), Code::CANCELLED);
    assert_eq!(
        runner.run("it").await.unwrap().outcome.code(),
        Code::CANCELLED
    );
}

#[tokio::test(start_paused = true)]
async fn independent_checks_run_concurrently() {
    struct Slow(CheckMeta);
    impl Check for Slow {
        fn meta(&self) -> &CheckMeta {
            &self.0
        }
        async fn check(&self, _cx: &CheckContext) -> Outcome {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Finding::pass("fine").into()
        }
    }
    let names = ["a", "b", "c", "d"];
    let registry = names
        .into_iter()
        .fold(Registry::builder(), |builder, name| {
            builder.register(Slow(CheckMeta::new(name)))
        });
    let (_phase, phase) = watch::channel(Phase::Ready);
    let runner = Runner::new(registry.build().unwrap(), phase);
    let begun = Instant::now();
    let report = runner.run_all(names).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
    assert_eq!(
        report
            .checks
            .iter()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>(),
        names
    );
}

#[derive(Default)]
struct Tally {
    ended: AtomicU32,
    joined: AtomicU32,
}

impl RunObserver for Tally {
    fn ended(&self, report: &CheckReport) {
        assert_eq!(report.name, "it");
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
    fn joined(&self, check: &str) {
        assert_eq!(check, "it");
        self.joined.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_every_run_and_of_everybody_who_joined_one() {
    let check = Scripted {
        meta: meta(),
        runs: Arc::default(),
        script: |_| async {
            sleep_until(Instant::now() + Duration::from_secs(1)).await;
            Finding::pass("fine").into()
        },
    };
    let registry = Registry::builder().register(check).build().unwrap();
    let (_phase, phase) = watch::channel(Phase::Ready);
    let tally = Arc::new(Tally::default());
    let runner = Runner::observed(registry, phase, Arc::clone(&tally));
    let told = || {
        (
            tally.ended.load(Ordering::SeqCst),
            tally.joined.load(Ordering::SeqCst),
        )
    };
    runner.run_all(["it"; 5]).await;
    assert_eq!(told(), (1, 4));
    runner.run("it").await.unwrap();
    assert_eq!(told(), (2, 4));
}
