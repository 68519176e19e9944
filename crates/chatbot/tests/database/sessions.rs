//! Conversations: whose they are, and what was said.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tria_chatbot::sessions::{Exchange, Session, SessionError};
use uuid::Uuid;

use crate::shop::Shop;

fn exchange(citations: &Value, ordered: Option<Decimal>) -> Exchange<'_> {
    Exchange {
        message: "how long may I return boxes? my number is [phone]",
        masked_items: 1,
        intent: "policy_question",
        confidence: 0.93,
        answer: "Within 14 days.",
        citations,
        ordered,
    }
}

#[tokio::test]
async fn a_conversation_goes_on_for_its_user_and_for_nobody_else() {
    let shop = Shop::open(&[]).await;
    let opened = Session::open(&shop.pool, "u-1", Some(1), None)
        .await
        .unwrap();
    assert_eq!(opened.language, "en", "that of the outlet");
    let resumed = Session::resume(&shop.pool, opened.id, "u-1").await.unwrap();
    assert_eq!(resumed, opened);
    for (id, user) in [(opened.id, "u-2"), (Uuid::new_v4(), "u-1")] {
        let none = Session::resume(&shop.pool, id, user).await;
        assert!(matches!(none, Err(SessionError::NotFound)), "{none:?}");
    }
    shop.execute("UPDATE conversation_sessions SET closed_at = now()")
        .await;
    let closed = Session::resume(&shop.pool, opened.id, "u-1").await;
    assert!(matches!(closed, Err(SessionError::NotFound)));
}

#[tokio::test]
async fn the_outlet_may_be_named_later_and_must_exist() {
    let shop = Shop::open(&[]).await;
    let nowhere = Session::open(&shop.pool, "u-1", Some(99), None).await;
    assert!(matches!(nowhere, Err(SessionError::NoSuchOutlet)));
    assert_eq!(
        shop.count("SELECT count(*) FROM user_interaction_summaries")
            .await,
        0
    );
    let mut session = Session::open(&shop.pool, "u-1", None, Some("de"))
        .await
        .unwrap();
    assert_eq!(session.language, "de");
    let nowhere = session.set_outlet(&shop.pool, 99).await;
    assert!(matches!(nowhere, Err(SessionError::NoSuchOutlet)));
    session.set_outlet(&shop.pool, 1).await.unwrap();
    let resumed = Session::resume(&shop.pool, session.id, "u-1").await;
    assert_eq!(resumed.unwrap().outlet_id, Some(1));
}

#[tokio::test]
async fn a_message_its_answer_and_the_summary_are_kept_together() {
    let shop = Shop::open(&[]).await;
    let session = Session::open(&shop.pool, "u-1", None, None).await.unwrap();
    let citations = json!([{"source": "returns", "section": "How long", "score": 0.8}]);
    let total = Decimal::from_str("29.33").unwrap();
    session
        .record(&shop.pool, &exchange(&citations, None))
        .await
        .unwrap();
    session
        .record(&shop.pool, &exchange(&json!([]), Some(total)))
        .await
        .unwrap();
    let told = "SELECT count(*) FROM conversation_messages
                 WHERE (role = 'user' AND intent = 'policy_question' AND masked_items = 1)
                    OR (role = 'assistant' AND intent IS NULL)";
    assert_eq!(shop.count(told).await, 4);
    let cited = "SELECT count(*) FROM conversation_messages
                  WHERE role = 'assistant' AND citations -> 0 ->> 'source' = 'returns'";
    assert_eq!(shop.count(cited).await, 1);
    let known = "SELECT count(*) FROM user_interaction_summaries
                  WHERE sessions = 1 AND messages = 2 AND orders = 1 AND spent = 29.33
                    AND last_intent = 'policy_question'";
    assert_eq!(shop.count(known).await, 1);

    // What cannot be kept as a whole is not kept in part.
    let broken = json!({"not": "an array"});
    let refused = session.record(&shop.pool, &exchange(&broken, None)).await;
    assert!(matches!(refused, Err(SessionError::Database(_))));
    assert_eq!(shop.count(told).await, 4);
    assert_eq!(shop.count(known).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_of_one_user_at_once_are_all_counted() {
    let shop = Shop::open(&[]).await;
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let pool = shop.pool.clone();
        opening.spawn(async move {
            let session = Session::open(&pool, "u-1", None, None).await.unwrap();
            let none = json!([]);
            session.record(&pool, &exchange(&none, None)).await.unwrap();
        });
    }
    opening.join_all().await;
    let known = "SELECT count(*) FROM user_interaction_summaries
                  WHERE sessions = 20 AND messages = 20";
    assert_eq!(shop.count(known).await, 1);
}
