//! Answers, for requests that come again.

use std::time::Duration;

use tria_chatbot::turns::{TurnError, answered, keep, prune};

use crate::{
    said::{Said, complaint, compose, hello, limits, order},
    shop::Shop,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn an_answer_is_found_by_its_user_for_its_request() {
    let shop = Shop::open(&[]).await;
    let said = hello("k");
    let kept = shop.keep(&said).await.unwrap();
    let find = async |user: &str, key: &str, hash: u8| {
        answered(&shop.pool, user, &hello(key).key, &[hash; 32]).await
    };
    assert_eq!(find("u-1", "k", 7).await.unwrap(), Some(kept.answer));
    assert_eq!(find("u-2", "k", 7).await.unwrap(), None);
    assert_eq!(find("u-1", "K", 7).await.unwrap(), None);
    let other = find("u-1", "k", 8).await;
    assert!(matches!(other, Err(TurnError::KeyTaken)), "{other:?}");
}

#[tokio::test]
async fn any_bytes_are_given_again_and_too_many_are_not_kept() {
    let shop = Shop::open(&[]).await;
    let bytes = |length: usize| -> Vec<u8> {
        let byte = |at: usize| u8::try_from(at % 251).unwrap();
        (0..length).map(byte).collect()
    };
    let with = |body: Vec<u8>| {
        move |done: &_| {
            let mut composed = compose(done);
            composed.answer.status = 422;
            composed.answer.body = body;
            composed
        }
    };
    let said = hello("k");
    let before = shop.sum().await;
    let large = with(bytes(64 * 1024 + 1));
    let large = keep(&shop.pool, &said.turn(), &limits(), large).await;
    assert!(matches!(large, Err(TurnError::AnswerTooLarge)), "{large:?}");
    assert_eq!(shop.sum().await, before);
    let most = with(bytes(64 * 1024));
    let most = keep(&shop.pool, &said.turn(), &limits(), most).await;
    assert_eq!(most.unwrap().answer.body, bytes(64 * 1024));
    let again = shop.keep(&said).await.unwrap().answer;
    assert_eq!((again.status, again.body), (422, bytes(64 * 1024)));
}

#[tokio::test]
async fn old_answers_are_pruned_a_few_at_a_time_and_the_oldest_first() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    for number in 0..10 {
        shop.keep(&hello(&format!("k-{number}"))).await.unwrap();
    }
    shop.execute(
        "UPDATE chat_answers
            SET created_at = now() - make_interval(days => right(idempotency_key, 1)::int)",
    )
    .await;
    let pruned = async |days: u32, most: u32| {
        let pruned = prune(&shop.pool, DAY * days, most).await;
        pruned.unwrap()
    };
    assert_eq!(pruned(5, 3).await, 3);
    let left = "SELECT count(*) FROM chat_answers WHERE idempotency_key >= 'k-7'";
    assert_eq!(shop.count(left).await, 0);
    assert_eq!(pruned(5, 3).await, 2, "one is exactly as old");
    assert_eq!(pruned(5, 3).await, 0);
    assert_eq!(pruned(0, 0).await, 0);
    assert_eq!(prune(&shop.pool, Duration::MAX, 9).await.unwrap(), 0);
    assert_eq!(pruned(0, u32::MAX).await, 5);
}

/// Two servers that prune at once do not wait for each other.
#[tokio::test]
async fn answers_that_somebody_else_deletes_are_left_to_them() {
    let shop = Shop::open(&[]).await;
    for key in ["k-1", "k-2"] {
        shop.keep(&hello(key)).await.unwrap();
    }
    shop.execute("UPDATE chat_answers SET created_at = now() - interval '2 days'")
        .await;
    let other = shop.pool.get().await.unwrap();
    let held = "BEGIN; DELETE FROM chat_answers WHERE idempotency_key = 'k-1'";
    other.batch_execute(held).await.unwrap();
    let pruned = prune(&shop.pool, DAY, 9);
    let pruned = tokio::time::timeout(Duration::from_secs(30), pruned).await;
    assert_eq!(pruned.expect("it waits for nobody").unwrap(), 1);
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(prune(&shop.pool, DAY, 9).await.unwrap(), 1);
}

/// Without its answer a key is free again, but nothing is ever ordered twice under it.
#[tokio::test]
async fn a_key_without_its_answer_makes_no_second_order() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let said = [hello("h"), order("o", &[(1, 1)]), complaint("c", None)];
    for said in &said {
        shop.keep(said).await.unwrap();
    }
    assert_eq!(prune(&shop.pool, Duration::ZERO, 9).await.unwrap(), 3);
    let before = shop.sum().await;
    for again in [order("o", &[(1, 1)]), complaint("c", None)] {
        let refused = shop.keep(&again).await;
        assert!(matches!(refused, Err(TurnError::KeyTaken)), "{refused:?}");
    }
    assert_eq!(shop.sum().await, before);
    let again = shop.keep(&hello("h")).await.unwrap();
    assert!(!again.was_there());
    let other = Said {
        hash: [8; 32],
        ..hello("h")
    };
    assert!(matches!(shop.keep(&other).await, Err(TurnError::KeyTaken)));
}
