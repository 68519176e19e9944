use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use tokio::sync::watch;
use tria_check::{Check, CheckContext, CheckMeta, Registry};
use tria_lifecycle::Lifecycle;

use super::*;
use crate::{Banner, Wording};

const BROKEN: Code = Code::new("broken");

/// What a scripted check does when it is run.
#[derive(Clone, Copy)]
enum Act {
    Pass,
    Refuse,
    Flap { until: u32 },
    Slow(Duration),
    SlowFlap(Duration),
    Panic,
    Hang,
}

struct Scripted {
    meta: CheckMeta,
    act: Act,
    runs: Arc<AtomicU32>,
}

impl Check for Scripted {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }
    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        let transient = || {
            Finding::fail(BROKEN, "not up")
                .remedy("start it")
                .transient(None)
        };
        match self.act {
            Act::Pass => Finding::pass("fine").into(),
            Act::Refuse => Finding::fail(BROKEN, "refused").remedy("mend it").into(),
            Act::Flap { until } if run >= until => Finding::pass("up").into(),
            Act::Flap { .. } => transient().into(),
            Act::Slow(time) => {
                tokio::time::sleep(time).await;
                Finding::pass("slow").into()
            }
            Act::SlowFlap(time) => {
                tokio::time::sleep(time).await;
                transient().into()
            }
            Act::Panic => panic!("a bug"),
            Act::Hang => std::future::pending().await,
        }
    }
}

/// Where the banner writes, so that a test can read it.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Scene {
    startup: Startup,
    paper: Paper,
    runs: Vec<Arc<AtomicU32>>,
}

/// A start of an environment phase and one phase for each further act.
fn scene(environment: Act, acts: &[Act], patience: Patience) -> Scene {
    let mut builder = Registry::builder();
    let mut runs = Vec::new();
    let names: Vec<String> = (0..=acts.len())
        .map(|index| format!("check{index}"))
        .collect();
    for (name, act) in names.iter().zip(std::iter::once(&environment).chain(acts)) {
        let count = Arc::new(AtomicU32::new(0));
        let meta = CheckMeta::new(name.clone()).timeout(Duration::from_secs(5));
        builder = builder.register(Scripted {
            meta,
            act: *act,
            runs: Arc::clone(&count),
        });
        runs.push(count);
    }
    let (_phase, phase) = watch::channel(tria_check::Phase::Starting);
    let runner = Runner::new(builder.build().unwrap(), phase);
    let paper = Paper::default();
    let mut startup = Startup::builder(runner)
        .patience(patience)
        .observer(Banner::new(
            Wording::default(),
            paper.clone(),
            paper.clone(),
        ));
    for (index, name) in names.into_iter().enumerate() {
        let phase = Phase::new(format!("phase{index}"), format!("Title {index}"))
            .check(name)
            .keys(["SOME_KEY"]);
        startup = startup.phase(if index == 0 {
            phase.configuration()
        } else {
            phase
        });
    }
    Scene {
        startup: startup.build(),
        paper,
        runs,
    }
}

const MINUTE: Patience = Patience::For(Duration::from_secs(60));

#[tokio::test(start_paused = true)]
async fn a_good_start_is_told_in_order_whatever_order_it_ran_in() {
    let acts = [
        Act::Slow(Duration::from_secs(3)),
        Act::Pass,
        Act::Slow(Duration::from_secs(1)),
    ];
    let scene = scene(Act::Pass, &acts, MINUTE);
    let begun = Instant::now();
    let verdict = scene.startup.prove().await;
    assert!(verdict.may_serve());
    assert_eq!(
        begun.elapsed(),
        Duration::from_secs(3),
        "independent phases run concurrently"
    );
    assert_eq!(
        scene.paper.text(),
        "STARTUP\n\
         PHASE 1: Title 0\n  ✅ fine\n\
         PHASE 2: Title 1\n  ✅ slow\n\
         PHASE 3: Title 2\n  ✅ fine\n\
         PHASE 4: Title 3\n  ✅ slow\n\
         ✅ STARTUP COMPLETE - ALL CRITICAL SERVICES OPERATIONAL (3000 ms)\n"
    );
}

#[tokio::test(start_paused = true)]
async fn an_invalid_configuration_ends_it_before_anything_else_is_tried() {
    let scene = scene(Act::Refuse, &[Act::Pass, Act::Hang], MINUTE);
    let verdict = scene.startup.prove().await;
    assert_eq!(verdict.exit_code(), Some(exit_code::CONFIG));
    let runs: Vec<u32> = scene
        .runs
        .iter()
        .map(|runs| runs.load(Ordering::SeqCst))
        .collect();
    assert_eq!(runs, [1, 0, 0]);
    let text = scene.paper.text();
    assert!(text.contains("PHASE 3: Title 2\n  ⏭️  not tried"), "{text}");
    assert!(
        text.contains("remedy: mend it\n     keys:   SOME_KEY"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_ends_the_waiting_and_all_failures_are_told() {
    let late = Act::SlowFlap(Duration::from_secs(2));
    let scene = scene(
        Act::Pass,
        &[Act::Flap { until: 1000 }, Act::Refuse, late],
        MINUTE,
    );
    let begun = Instant::now();
    let verdict = scene.startup.prove().await;
    assert_eq!(
        verdict.exit_code(),
        Some(exit_code::UNAVAILABLE),
        "permanent wins"
    );
    assert_eq!(
        begun.elapsed(),
        Duration::from_secs(2),
        "the slow one still gets its first answer"
    );
    assert_eq!(scene.runs[3].load(Ordering::SeqCst), 1);
    assert_eq!(verdict.problems(), 3);
    let text = scene.paper.text();
    for needle in [
        "1. check1: not up [broken]",
        "2. check2: refused",
        "3. check3: not up",
    ] {
        assert!(text.contains(needle), "{needle} is not in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_waited_for_until_the_deadline() {
    let scene = scene(Act::Pass, &[Act::Flap { until: 1000 }, Act::Pass], MINUTE);
    let begun = Instant::now();
    let verdict = scene.startup.prove().await;
    assert_eq!(verdict.exit_code(), Some(exit_code::TEMPORARY));
    assert_eq!(begun.elapsed(), Duration::from_secs(60));
    assert!(
        scene
            .paper
            .text()
            .contains("⏳ check1: not up [broken], retrying for 60 s")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_comes_up_late_is_waited_for() {
    let scene = scene(Act::Pass, &[Act::Flap { until: 4 }], MINUTE);
    assert!(scene.startup.prove().await.may_serve());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_bug() {
    let verdict = scene(Act::Pass, &[Act::Panic, Act::Refuse], MINUTE)
        .startup
        .prove()
        .await;
    assert_eq!(verdict.exit_code(), Some(exit_code::SOFTWARE));
}

#[tokio::test(start_paused = true)]
async fn without_patience_everything_is_asked_once() {
    let scene = scene(
        Act::Pass,
        &[Act::Flap { until: 1 }, Act::Hang],
        Patience::Once,
    );
    let begun = Instant::now();
    let verdict = scene.startup.prove().await;
    assert_eq!(verdict.exit_code(), Some(exit_code::TEMPORARY));
    assert_eq!(
        begun.elapsed(),
        Duration::from_secs(5),
        "the timeout of the one that hangs"
    );
    assert_eq!(scene.runs[1].load(Ordering::SeqCst), 1);
    assert_eq!(verdict.problems(), 2);
}

#[tokio::test(start_paused = true)]
async fn as_hooks_it_tells_the_same_and_gives_the_exit_code() {
    let late = Act::SlowFlap(Duration::from_secs(2));
    let scene = scene(Act::Pass, &[Act::Refuse, late, Act::Pass], MINUTE);
    let hooks = scene.startup.hooks();
    let lifecycle = hooks
        .into_iter()
        .fold(Lifecycle::builder(), tria_lifecycle::LifecycleBuilder::hook);
    let report = lifecycle.build().unwrap().run().await;
    assert_eq!(report.exit_code, exit_code::UNAVAILABLE);
    assert_eq!(
        scene.startup.verdict().problems(),
        2,
        "the rollback cut nobody short"
    );
    assert!(
        scene
            .paper
            .text()
            .contains("❌ STARTUP REFUSED - 2 PROBLEMS (exit code 69, 2000 ms)")
    );
}

#[tokio::test(start_paused = true)]
async fn a_phase_that_names_no_check_is_a_bug_and_told() {
    let (_phase, phase) = watch::channel(tria_check::Phase::Starting);
    let runner = Runner::new(Registry::builder().build().unwrap(), phase);
    let startup = Startup::builder(runner)
        .phase(Phase::new("a", "A").check("nobody"))
        .build();
    assert_eq!(startup.prove().await.exit_code(), Some(exit_code::SOFTWARE));
}
