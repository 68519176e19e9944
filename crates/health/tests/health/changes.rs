//! Who is told when a verdict changes.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::MakeWriter;
use tria_check::{Code, Finding, Outcome, PrivateText, Registry};
use tria_health::{Monitor, Snapshot, StateChange, Turn};

use crate::rig::{BROKEN, Rig, fail, meta, pass, scripted};

/// What a log has written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Page {
    /// All that is logged on this thread until the guard is dropped.
    fn open() -> (Self, tracing::subscriber::DefaultGuard) {
        // Another thread that comes by a place for the first time, and has no log, may otherwise
        // settle that nobody listens there, just while this one is opened.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let page = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(page.clone())
            .finish();
        (page, tracing::subscriber::set_default(subscriber))
    }

    fn count(&self, needle: &str) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.matches(needle).count()
    }
}

fn other() -> Outcome {
    Finding::fail(Code::new("other"), "another thing is broken")
        .transient(None)
        .detail(PrivateText::new("10.0.0.7 says no"))
        .into()
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_once_and_logged_once() {
    let (page, _log) = Page::open();

    let stage = Arc::new(AtomicU32::new(0));
    let now = Arc::clone(&stage);
    let (check, _) = scripted(meta("it"), move |_| {
        let outcome = match now.load(Ordering::SeqCst) {
            0 | 4 => pass(),
            1 => fail(),
            2 => other(),
            _ => Finding::warn(BROKEN, "look").into(),
        };
        async { outcome }
    });
    let registry = Registry::builder().register(check).build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let snapshot = Snapshot::new(&registry).on_change(move |change: &StateChange| {
        let code = change.report.outcome.code().as_str();
        tell.lock().unwrap().push((change.turn, code));
    });
    let rig = Rig::over_snapshot(registry, snapshot);
    // What comes before the monitor is told by the start.
    rig.record("it", fail());
    rig.record("it", pass());
    let token = CancellationToken::new();
    let _monitor = Monitor::start(&rig.runner, &rig.snapshot, &rig.heartbeats, &token);
    for next in 0..5 {
        stage.store(next, Ordering::SeqCst);
        sleep(Duration::from_secs(30)).await;
    }
    let expected = [
        (Turn::Failed, "broken"),
        (Turn::OtherCause, "other"),
        (Turn::Recovered, "broken"),
        (Turn::Cleared, "ok"),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
    for (message, times) in [
        ("a check has failed: it is broken", 1),
        (
            "a check fails for another cause: another thing is broken",
            1,
        ),
        // The log is for operators.
        ("10.0.0.7 says no", 1),
        ("a check has recovered", 1),
        ("a check warns no more", 1),
        ("half of its timeout", 0),
    ] {
        assert_eq!(page.count(message), times, "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_comes_near_its_timeout_is_told_once_until_it_is_quick_again() {
    let (page, _log) = Page::open();

    // Its timeout is 2 s.
    let took = [0, 1_001, 1_500, 1_001, 1_000, 5_000, 0];
    let (check, runs) = scripted(meta("it"), move |run| async move {
        let took = took.get(run as usize).copied().unwrap_or(0);
        sleep(Duration::from_millis(took)).await;
        pass()
    });
    let rig = Rig::over(Registry::builder().register(check).build().unwrap());
    let token = CancellationToken::new();
    let _monitor = Monitor::start(&rig.runner, &rig.snapshot, &rig.heartbeats, &token);
    while runs.count() < 10 {
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(page.count("took more than half of its timeout"), 1);
    assert_eq!(page.count("is quick again"), 1);
}
