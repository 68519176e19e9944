use std::{io, sync::Arc};

use tria_check::{Status, conformance::Kit};

use super::*;

/// Two clocks that only the test moves.
#[derive(Clone)]
struct Clocks {
    at: Arc<Mutex<Moment>>,
}

impl Clocks {
    fn new() -> Self {
        Self {
            at: Arc::new(Mutex::new(Moment::now())),
        }
    }

    fn now(&self) -> Moment {
        *self.at.lock().unwrap()
    }

    /// Time passes, by both clocks.
    fn advance(&self, seconds: f64) {
        let mut at = self.at.lock().unwrap();
        at.wall += Duration::from_secs_f64(seconds);
        at.monotonic += Duration::from_secs_f64(seconds);
    }

    /// Somebody sets the wall clock.
    fn set(&self, seconds: f64) {
        self.at.lock().unwrap().wall = shifted(self.now().wall, seconds);
    }

    /// A check by these clocks, against one that is `behind` this one and takes `round_trip` to
    /// be asked.
    fn check(&self, behind: f64, round_trip: f64) -> ClockCheck {
        let (clocks, asked) = (self.clone(), self.clone());
        let ask = move || {
            asked.advance(round_trip / 2.0);
            let told = shifted(asked.now().wall, -behind);
            asked.advance(round_trip / 2.0);
            async move { io::Result::Ok(told) }
        };
        let mut check = ClockCheck::new("PostgreSQL", ask);
        check.now = Box::new(move || clocks.now());
        check
    }
}

fn shifted(time: SystemTime, seconds: f64) -> SystemTime {
    let by = Duration::from_secs_f64(seconds.abs());
    if seconds < 0.0 { time - by } else { time + by }
}

async fn verified(check: &ClockCheck) -> Outcome {
    Kit::new().verify(check).await.unwrap()
}

fn number(outcome: &Outcome, name: &str) -> f64 {
    match outcome.observed_value(name) {
        Some(PublicValue::Float(number)) => *number,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn a_difference_counts_beyond_what_the_round_trip_may_hide() {
    let table = [
        // behind, round trip, status, code, text
        (
            0.0,
            0.0,
            Status::Pass,
            "ok",
            "the clock is within 0 ms of that of PostgreSQL",
        ),
        (1.9, 0.0, Status::Pass, "ok", "within 1900 ms"),
        (
            2.1,
            0.0,
            Status::Warn,
            "clock_skewed",
            "the clock is 2.1 s ahead of that of PostgreSQL",
        ),
        (
            -2.1,
            0.0,
            Status::Warn,
            "clock_skewed",
            "the clock is 2.1 s behind that of PostgreSQL",
        ),
        (2.1, 1.0, Status::Pass, "ok", "within 2600 ms"),
        (-4.0, 3.0, Status::Warn, "clock_skewed", "4 s behind"),
        (30.4, 1.0, Status::Warn, "clock_skewed", "30.4 s ahead"),
        (30.6, 1.0, Status::Fail, "clock_wrong", "30.6 s ahead"),
        (-7200.0, 0.1, Status::Fail, "clock_wrong", "7200 s behind"),
    ];
    for (behind, round_trip, status, code, text) in table {
        let outcome = verified(&Clocks::new().check(behind, round_trip)).await;
        let case = format!("{behind} {round_trip}: {outcome:?}");
        assert_eq!(outcome.status(), status, "{case}");
        assert_eq!(outcome.code().as_str(), code, "{case}");
        assert!(outcome.text().as_str().contains(text), "{case}");
        let skew = number(&outcome, "clock_skew_ms");
        assert!((skew - behind * 1000.0).abs() < 0.2, "{case}");
        let half = number(&outcome, "clock_uncertainty_ms");
        assert!((half - round_trip * 500.0).abs() < 0.2, "{case}");
    }
}

#[tokio::test]
async fn the_limits_can_be_set() {
    let clocks = Clocks::new();
    let check = clocks.check(5.0, 0.0);
    let check = check
        .warn_above(Duration::from_secs(6))
        .fail_above(Duration::from_secs(7));
    assert_eq!(verified(&check).await.status(), Status::Pass);
    let check = check.fail_above(Duration::from_secs(4));
    assert_eq!(verified(&check).await.status(), Status::Fail);
}

#[tokio::test]
async fn a_clock_that_was_set_is_told_once() {
    for (set, text) in [
        (
            90.0,
            "the clock was set forward by 90 s while the process ran",
        ),
        (
            -1.5,
            "the clock was set back by 1.5 s while the process ran",
        ),
    ] {
        let clocks = Clocks::new();
        // The reference is set by the same hand, so that nothing but the step is to be seen.
        let check = clocks.check(0.0, 0.01);
        assert_eq!(verified(&check).await.status(), Status::Pass, "first run");
        clocks.advance(30.0);
        assert_eq!(
            verified(&check).await.status(),
            Status::Pass,
            "nothing happened"
        );
        clocks.advance(10.0);
        clocks.set(set);
        clocks.advance(20.0);
        let outcome = verified(&check).await;
        let told = (outcome.status(), outcome.code(), outcome.text().as_str());
        assert_eq!(told, (Status::Warn, codes::CLOCK_STEPPED, text));
        assert_eq!(verified(&check).await.status(), Status::Pass, "told twice");
    }
}

#[tokio::test]
async fn a_clock_that_is_slewed_was_not_stepped() {
    let clocks = Clocks::new();
    let check = clocks.check(0.0, 0.01);
    for _ in 0..10 {
        clocks.advance(30.0);
        clocks.set(0.015);
        assert_eq!(verified(&check).await.status(), Status::Pass);
    }
}

#[tokio::test]
async fn a_run_that_was_dropped_swallows_no_step() {
    let clocks = Clocks::new();
    let check = clocks.check(0.0, 0.0);
    verified(&check).await;
    clocks.set(60.0);
    let cx = CheckContext::new(
        tokio::time::Instant::now() + Duration::from_secs(5),
        tokio_util::sync::CancellationToken::new(),
        tria_check::Phase::Ready,
    );
    drop(check.check(&cx));
    let mut silent = ClockCheck::new("PostgreSQL", std::future::pending::<io::Result<_>>);
    silent.now = {
        let clocks = clocks.clone();
        Box::new(move || clocks.now())
    };
    *silent.before.lock().unwrap() = *check.before.lock().unwrap();
    let cut = tokio::time::timeout(Duration::from_millis(5), silent.check(&cx)).await;
    assert!(cut.is_err());
    silent.ask = Box::new(|| Box::pin(async { Err("away".into()) }));
    assert_eq!(verified(&silent).await.code(), codes::CLOCK_STEPPED);
    assert_eq!(verified(&check).await.code(), codes::CLOCK_STEPPED);
}

/// One cause is to give one alarm: the reference has a check of its own.
#[tokio::test]
async fn a_reference_that_does_not_answer_is_no_warning() {
    let refused = ClockCheck::new("PostgreSQL", || async {
        Err::<SystemTime, _>(io::Error::other("db.internal refused"))
    });
    let silent = ClockCheck::new("PostgreSQL", std::future::pending::<io::Result<_>>)
        .configure(|meta| meta.timeout(Duration::from_millis(100)));
    for (check, why) in [
        (refused, "db.internal refused"),
        (silent, "deadline has elapsed"),
    ] {
        let outcome = verified(&check).await;
        assert_eq!(outcome.status(), Status::Pass);
        assert_eq!(
            outcome.observed_value("clock_compared"),
            Some(&false.into())
        );
        assert!(outcome.observed_value("clock_skew_ms").is_none());
        assert!(!outcome.text().as_str().contains("db.internal"));
        let detail = outcome.decisive().get_detail().unwrap();
        assert_eq!(detail.expose(), why);
    }
}

#[tokio::test]
async fn this_machine_agrees_with_itself() {
    let check = ClockCheck::new("this machine", || async {
        io::Result::Ok(SystemTime::now())
    });
    assert_eq!(check.meta().name(), "system.clock");
    let outcome = verified(&check).await;
    assert_eq!(outcome.status(), Status::Pass, "{outcome:?}");
    assert!(number(&outcome, "clock_skew_ms").abs() < 1000.0);
}
