use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::{Group, Groups, PrivateText, PublicText, PublicValue};

const BROKEN: Code = Code::new("broken");
const CODES: &[Code] = &[BROKEN];

struct Made<F> {
    meta: CheckMeta,
    make: F,
}

impl<F, R> Check for Made<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }
    async fn check(&self, _cx: &CheckContext) -> Outcome {
        (self.make)().await
    }
}

async fn breaches<F, R>(meta: CheckMeta, make: F) -> Vec<Breach>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    let kit = Kit::new().secret("s3cr3t-planted");
    match kit.verify(&Made { meta, make }).await {
        Ok(_) => Vec::new(),
        Err(breaches) => breaches.list().to_vec(),
    }
}

fn meta() -> CheckMeta {
    CheckMeta::new("it")
        .codes(CODES)
        .timeout(Duration::from_secs(1))
}

#[tokio::test]
async fn a_good_check_conforms() {
    let found = breaches(meta(), || async {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        Finding::fail(BROKEN, "it is broken")
            .remedy("mend it")
            .into()
    });
    assert_eq!(found.await, []);
}

#[tokio::test]
async fn bad_meta_is_found() {
    let bad = CheckMeta::new("Bad").groups(Groups::NONE.with(Group::Startup));
    let found = breaches(bad, || async { Finding::pass("fine").into() }).await;
    assert_eq!(
        found,
        [
            Breach::Meta(InvalidMeta::Name("Bad".into())),
            Breach::NoCodesDeclared
        ]
    );
}

#[tokio::test]
async fn an_undeclared_code_and_a_missing_remedy_are_found() {
    const OTHER: Code = Code::new("other");
    let found = breaches(meta(), || async { Finding::fail(OTHER, "no").into() }).await;
    assert_eq!(
        found,
        [Breach::UndeclaredCode(OTHER), Breach::NoRemedy(OTHER)]
    );
}

#[tokio::test]
async fn a_secret_is_found_wherever_it_hides() {
    let found = breaches(meta(), || async {
        let leak = PublicValue::word("s3cr3t-planted");
        let finding = Finding::warn(
            BROKEN,
            PublicText::filled("{}", std::slice::from_ref(&leak)),
        )
        .remedy(PublicText::filled("use {}", std::slice::from_ref(&leak)))
        .detail(PrivateText::new("url postgres://u:s3cr3t-planted@h"));
        Outcome::from(finding).observe("leak", leak, "")
    });
    let places = ["public text", "remedy", "private detail", "observed"];
    assert_eq!(
        found.await,
        places.map(|place| Breach::LeaksSecret(place, 0))
    );
}

#[tokio::test]
async fn a_panic_is_found() {
    let found = breaches(meta(), || async { panic!("boom") }).await;
    assert_eq!(found, [Breach::Panicked("boom".into())]);
}

/// Writing a panic's backtrace took half a second on a busy machine, and counted as blocking.
#[tokio::test]
async fn the_time_of_a_panic_is_not_the_checks() {
    let slow_to_panic = Made {
        meta: meta(),
        make: || async {
            let begun = WallInstant::now();
            while begun.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            panic!("boom")
        },
    };
    let kit = Kit::new().longest_poll(Duration::from_millis(10));
    let Err(breaches) = kit.verify(&slow_to_panic).await else {
        panic!("not found")
    };
    assert_eq!(breaches.list(), [Breach::Panicked("boom".into())]);
}

#[tokio::test(start_paused = true)]
async fn a_missed_deadline_is_found() {
    let found = breaches(meta(), std::future::pending).await;
    assert_eq!(found, [Breach::MissedDeadline(Duration::from_secs(1))]);
}

#[tokio::test]
async fn a_blocked_thread_is_found() {
    let blocking = Made {
        meta: meta(),
        make: || async {
            let begun = WallInstant::now();
            while begun.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            Finding::pass("late").into()
        },
    };
    let kit = Kit::new().longest_poll(Duration::from_millis(10));
    let Err(breaches) = kit.verify(&blocking).await else {
        panic!("not found")
    };
    assert!(
        matches!(breaches.list(), [Breach::BlocksThread(_)]),
        "{breaches:?}"
    );
}

/// A check that takes something, yields, and gives it back is broken by a cancellation between.
#[tokio::test]
async fn what_a_cancellation_breaks_is_found() {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let found = breaches(meta(), || async {
        RUNS.fetch_add(1, Ordering::SeqCst);
        if TAKEN.swap(true, Ordering::SeqCst) {
            return Finding::fail(BROKEN, "taken").remedy("wait").into();
        }
        tokio::task::yield_now().await;
        TAKEN.store(false, Ordering::SeqCst);
        Finding::pass("fine").into()
    });
    assert_eq!(found.await, [Breach::NotCancellable(1)]);
    assert!(RUNS.load(Ordering::SeqCst) >= 3);
}
