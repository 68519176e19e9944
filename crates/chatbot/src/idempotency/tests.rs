//! The gate against a real Redis.

use std::{sync::Arc, time::Duration};

use deadpool_redis::{Hook, Manager, Pool, redis::cmd};
use futures_util::future::join_all;
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use tria_devstack::{FaultProxy, Mode};

use super::*;
use crate::store::{StoreError, away, name, of_a_test, pool_to, run, url_of_a_test};

const SAME: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

async fn gate(change: impl FnOnce(&mut GateOptions)) -> (Gate, Pool) {
    let (pool, prefix) = of_a_test().await;
    let mut options = GateOptions {
        prefix,
        ..GateOptions::default()
    };
    change(&mut options);
    (Gate::new(pool.clone(), options), pool)
}

fn key() -> Key {
    Key::parse("test-1732").unwrap()
}

fn answer(body: &[u8]) -> StoredAnswer {
    StoredAnswer {
        status: 200,
        content_type: "application/json".into(),
        body: body.to_vec(),
    }
}

async fn first(gate: &Gate, user: &str) -> Claim {
    match gate.enter(user, &key(), &SAME).await.unwrap() {
        Entry::First(claim) => claim,
        other => panic!("{other:?}"),
    }
}

/// Waits until the background has made the key free, within the test's patience.
async fn until_free(gate: &Gate) -> Claim {
    timeout(Duration::from_secs(10), first(gate, "ann"))
        .await
        .unwrap()
}

/// Looking first and acting then lets all through that look at the same time
/// (mastodon/mastodon#37879, jcagarcia/grape-idempotency#10), as the origin of this service did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_at_once_one_works_and_all_get_the_same_bytes() {
    let (gate, _) = gate(|options| options.wait = Duration::from_secs(60)).await;
    let body: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let requests = (0..200).map(|_| {
        let (gate, body) = (gate.clone(), body.clone());
        tokio::spawn(async move {
            match gate.enter("ann", &key(), &SAME).await.unwrap() {
                Entry::First(mut claim) => {
                    // The others come while the work is done.
                    sleep(Duration::from_millis(200)).await;
                    claim.complete(&answer(&body)).await.unwrap();
                    None
                }
                Entry::Replay(answer) => Some(answer),
                other => panic!("{other:?}"),
            }
        })
    });
    let replays: Vec<StoredAnswer> = join_all(requests)
        .await
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
    assert_eq!(replays.len(), 199);
    assert!(replays.iter().all(|replay| *replay == answer(&body)));
}

/// A key that is used for two things must not give the one the answer of the other
/// (jcagarcia/grape-idempotency#3).
#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let (gate, _) = gate(|_| {}).await;
    let mut claim = first(&gate, "ann").await;
    let entry = gate.enter("ann", &key(), &OTHER).await.unwrap();
    assert!(matches!(entry, Entry::Mismatch), "{entry:?}");
    claim.complete(&answer(b"1")).await.unwrap();
    let entry = gate.enter("ann", &key(), &OTHER).await.unwrap();
    assert!(matches!(entry, Entry::Mismatch), "{entry:?}");
}

#[tokio::test]
async fn users_do_not_share_keys() {
    let (gate, _) = gate(|_| {}).await;
    let mut claim = first(&gate, "ann").await;
    claim.complete(&answer(b"ann's")).await.unwrap();
    let _bobs = first(&gate, "bob").await;
}

#[tokio::test]
async fn no_text_of_a_user_is_in_redis() {
    let (gate, pool) = gate(|_| {}).await;
    let _claim = first(&gate, "ann@example.com").await;
    let mut connection = pool.get().await.unwrap();
    let keys = cmd("KEYS").arg("*").query_async(&mut connection).await;
    let keys: Vec<String> = keys.unwrap();
    assert_eq!(keys.len(), 1);
    assert!(
        !keys[0].contains("ann") && !keys[0].contains("1732"),
        "{keys:?}"
    );
}

#[tokio::test]
async fn who_has_waited_long_enough_is_told_to_come_again() {
    let (gate, _) = gate(|options| options.wait = Duration::from_millis(50)).await;
    let _claim = first(&gate, "ann").await;
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    let Entry::Busy { retry_after } = entry else {
        panic!("{entry:?}");
    };
    assert!((1..=5).contains(&retry_after.as_secs()));
}

#[tokio::test]
async fn an_answer_outlives_its_claim_and_its_lease() {
    let lease = Duration::from_millis(500);
    let (gate, pool) = gate(|options| options.lease = lease).await;
    let mut claim = first(&gate, "ann").await;
    claim.complete(&answer(b"")).await.unwrap();
    drop(claim);
    sleep(lease * 2).await;
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(
        matches!(&entry, Entry::Replay(replay) if *replay == answer(b"")),
        "{entry:?}"
    );
    let mut connection = pool.get().await.unwrap();
    let keys = cmd("KEYS").arg("*").query_async(&mut connection).await;
    let keys: Vec<String> = keys.unwrap();
    let left = cmd("TTL").arg(&keys[0]).query_async(&mut connection).await;
    let left: u64 = left.unwrap();
    assert!((86_000..=86_400).contains(&left), "{left}");
}

#[tokio::test]
async fn an_answer_is_forgotten_after_its_time() {
    let keep = Duration::from_millis(50);
    let (gate, _) = gate(|options| options.keep = keep).await;
    let mut claim = first(&gate, "ann").await;
    claim.complete(&answer(b"1")).await.unwrap();
    sleep(keep * 2).await;
    let _again = first(&gate, "ann").await;
}

#[tokio::test]
async fn a_claim_is_held_for_longer_than_its_lease_as_long_as_it_lives() {
    let lease = Duration::from_millis(900);
    let (gate, _) = gate(|options| {
        options.lease = lease;
        options.wait = lease * 3;
    })
    .await;
    let mut claim = first(&gate, "ann").await;
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(matches!(entry, Entry::Busy { .. }), "{entry:?}");
    claim.complete(&answer(b"1")).await.unwrap();
}

/// One whose lease ran out must not take the key from the next (KanishJebaMathewM/Truxify#4634),
/// nor overwrite its answer.
#[tokio::test]
async fn one_that_lost_its_lease_is_refused_and_does_no_harm() {
    let lease = Duration::from_millis(50);
    let (short, pool) = gate(|options| options.lease = lease).await;
    let mut late = first(&short, "ann").await;
    late.stop_renewing();
    sleep(lease * 2).await;
    let error = late.complete(&answer(b"late")).await.unwrap_err();
    assert!(matches!(error, GateError::Lost), "{error:?}");

    let mut late = first(&short, "ann").await;
    late.stop_renewing();
    let stale = first(&short, "bob").await;
    stale.stop_renewing();
    let options = GateOptions {
        prefix: short.prefix().to_owned(),
        wait: Duration::from_secs(1),
        ..GateOptions::default()
    };
    let gate = Gate::new(pool, options);
    // Entering waits for the lease to run out.
    let mut next = first(&gate, "ann").await;
    let _bobs = first(&gate, "bob").await;
    let error = late.complete(&answer(b"late")).await.unwrap_err();
    assert!(matches!(error, GateError::Lost), "{error:?}");
    stale.release().await.unwrap();
    let entry = gate.enter("bob", &key(), &SAME).await.unwrap();
    assert!(matches!(entry, Entry::Busy { .. }), "{entry:?}");
    next.complete(&answer(b"next")).await.unwrap();
    let error = late.complete(&answer(b"late")).await.unwrap_err();
    assert!(matches!(error, GateError::Lost), "{error:?}");
    drop(late);
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(
        matches!(&entry, Entry::Replay(replay) if *replay == answer(b"next")),
        "{entry:?}"
    );
}

#[tokio::test]
async fn a_claim_that_is_released_or_dropped_lets_the_next_one_in() {
    let (gate, _) = gate(|_| {}).await;
    first(&gate, "ann").await.release().await.unwrap();
    drop(first(&gate, "ann").await);
    // Far within the lease of 30 s.
    let _next = until_free(&gate).await;
}

#[tokio::test]
async fn one_of_those_who_wait_takes_over_from_one_that_failed() {
    let (gate, _) = gate(|_| {}).await;
    let failed = first(&gate, "ann").await;
    let (next, ()) = tokio::join!(until_free(&gate), async {
        sleep(Duration::from_millis(50)).await;
        failed.release().await.unwrap();
    });
    drop(next);
}

#[tokio::test]
async fn one_who_stops_entering_leaves_no_claim() {
    let (gate, _) = gate(|_| {}).await;
    let key = key();
    for steps in 0..40_u32 {
        let mut entering = Box::pin(gate.enter("ann", &key, &SAME));
        for _ in 0..steps {
            if futures_util::poll!(&mut entering).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(entering);
    }
    let _next = until_free(&gate).await;
}

/// The key was taken, and we were not told.
#[tokio::test]
async fn an_entry_whose_answer_was_lost_leaves_no_claim() {
    let (url, prefix) = url_of_a_test().await;
    let options = GateOptions {
        prefix,
        ..GateOptions::default()
    };
    let gate = Gate::new(pool_to(&url), options.clone());
    let stack = tria_devstack::shared().await.unwrap();
    let redis = format!("127.0.0.1:{}", stack.redis_port());
    let proxy = FaultProxy::start(redis.clone()).await.unwrap();
    let url = url.replace(&redis, &proxy.address());
    let proxy = Arc::new(Mutex::new(proxy));
    // The pool tests a connection before it hands it out again; the next answer is that of the
    // script.
    let breaking = Arc::clone(&proxy);
    let break_it = Hook::async_fn(move |_, _| {
        let proxy = Arc::clone(&breaking);
        Box::pin(async move {
            proxy.lock().await.set(Mode::ResetMidReply).await;
            Ok(())
        })
    });
    let manager = Manager::new(url).unwrap();
    let pool = Pool::builder(manager).post_recycle(break_it);
    let pool = pool.build().unwrap();
    drop(pool.get().await.unwrap());
    let broken = Gate::new(pool, options);
    let error = broken.enter("ann", &key(), &SAME).await.unwrap_err();
    proxy.lock().await.set(Mode::Pass).await;
    assert!(
        matches!(error, GateError::Store(StoreError::Script(_))),
        "{error:?}"
    );
    let _next = until_free(&gate).await;
}

/// A renewal that comes late must not give an answer the short life of a lease.
#[tokio::test]
async fn an_answer_is_not_renewed() {
    let (gate, pool) = gate(|_| {}).await;
    let mut claim = first(&gate, "ann").await;
    let renew = claim.renewal_script(Duration::from_millis(1));
    claim.complete(&answer(b"1")).await.unwrap();
    assert_eq!(run::<u8>(&pool, &renew, None).await.unwrap(), 0);
    sleep(Duration::from_millis(10)).await;
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(matches!(entry, Entry::Replay(_)), "{entry:?}");
}

#[tokio::test]
async fn an_answer_is_stored_also_if_nobody_waits_for_that() {
    let (gate, _) = gate(|_| {}).await;
    let mut claim = first(&gate, "ann").await;
    {
        let stored = answer(b"1");
        let mut storing = Box::pin(claim.complete(&stored));
        assert!(futures_util::poll!(&mut storing).is_pending());
    }
    drop(claim);
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(matches!(entry, Entry::Replay(_)), "{entry:?}");
}

#[tokio::test]
async fn an_answer_may_be_stored_twice_and_the_first_one_stays() {
    let (gate, _) = gate(|_| {}).await;
    let mut claim = first(&gate, "ann").await;
    claim.complete(&answer(b"1")).await.unwrap();
    claim.complete(&answer(b"2")).await.unwrap();
    claim.release().await.unwrap();
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(
        matches!(&entry, Entry::Replay(replay) if *replay == answer(b"1")),
        "{entry:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_and_another_may_take_its_place() {
    let (gate, _) = gate(|_| {}).await;
    let mut claim = first(&gate, "ann").await;
    let error = claim
        .complete(&answer(&vec![0; 64 * 1024 + 1]))
        .await
        .unwrap_err();
    assert!(matches!(error, GateError::AnswerTooLarge), "{error:?}");
    claim.complete(&answer(&vec![0; 64 * 1024])).await.unwrap();
    let entry = gate.enter("ann", &key(), &SAME).await.unwrap();
    assert!(
        matches!(&entry, Entry::Replay(replay) if replay.body.len() == 65536),
        "{entry:?}"
    );
}

#[tokio::test]
async fn without_redis_nobody_passes() {
    let gate = Gate::new(away(), GateOptions::default());
    let error = gate.enter("ann", &key(), &SAME).await.unwrap_err();
    assert!(matches!(error, GateError::Store(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the idempotency gate has no answer of redis"
    );
}

#[tokio::test]
async fn what_is_no_answer_of_ours_is_an_error() {
    let (gate, pool) = gate(|_| {}).await;
    let strange = name(gate.prefix(), &["ann", "test-1732"]);
    let mut connection = pool.get().await.unwrap();
    let set = cmd("SET")
        .arg(strange)
        .arg("x")
        .exec_async(&mut connection)
        .await;
    set.unwrap();
    let error = gate.enter("ann", &key(), &SAME).await.unwrap_err();
    assert!(matches!(error, GateError::Store(_)), "{error:?}");
}

#[test]
fn bodies_are_not_shown() {
    let text = format!("{:?}", Entry::Replay(answer(b"secret")));
    assert!(
        text.contains("body_bytes: 6") && !text.contains("secret"),
        "{text}"
    );
}
