//! Turns: all of it or nothing, and once for each key.

use std::collections::BTreeSet;

use serde_json::json;
use tria_chatbot::{
    sessions::Session,
    turns::{Done, Kept, TurnError, answered},
};
use uuid::Uuid;

use crate::{
    said::{Said, complaint, hello, order},
    shop::Shop,
};

#[tokio::test]
async fn a_message_its_answer_and_all_around_it_are_kept_together() {
    let shop = Shop::open(&[]).await;
    let citations = json!([{"source": "returns", "section": "How long", "score": 0.8}]);
    let said = Said {
        citations,
        ..hello("k")
    };
    let kept = shop.keep(&said).await.unwrap();
    assert_eq!(kept.done, Some(Done::Nothing));
    let text: serde_json::Value = serde_json::from_slice(&kept.answer.body).unwrap();
    let text = text["message"].as_str().unwrap();
    let told = format!(
        "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY id) AS at, *
                                 FROM conversation_messages) AS told
          WHERE (at = 1 AND role = 'user' AND content = 'hello, my number is [phone]'
                 AND intent = 'greeting' AND confidence = 0.93::real AND masked_items = 1
                 AND citations = '[]')
             OR (at = 2 AND role = 'assistant' AND content = '{text}' AND intent IS NULL
                 AND masked_items = 0 AND citations -> 0 ->> 'source' = 'returns')"
    );
    assert_eq!(shop.count(&told).await, 2);
    shop.keep(&said.then(hello("k-2"))).await.unwrap();
    let known = format!(
        "SELECT count(*) FROM user_interaction_summaries
          WHERE sessions = 1 AND messages = 2 AND orders = 0 AND spent = 0
            AND last_session_id = '{}' AND last_outlet_id = 1 AND last_intent = 'greeting'
            AND language = 'de'",
        said.session
    );
    assert_eq!(shop.count(&known).await, 1);
    assert_eq!(shop.sum().await, "1/2/0 4 1/2/0/0.00 0 0 0 0 0 2");
}

#[tokio::test]
async fn what_is_left_to_ask_is_there_at_the_next_turn() {
    let shop = Shop::open(&[]).await;
    let pending = json!({"lines": [{"phrase": "large boxes", "quantity": 50}], "ask": "outlet"});
    let said = Said {
        pending: Some(pending.clone()),
        outlet: None,
        ..hello("k")
    };
    shop.keep(&said).await.unwrap();
    let resume = async || {
        let session = Session::resume(&shop.pool, said.session, "u-1").await;
        session.unwrap()
    };
    let expected = Session {
        id: said.session,
        user_id: "u-1".to_owned(),
        outlet_id: None,
        language: "de".to_owned(),
        turns: 1,
        pending: Some(pending),
    };
    assert_eq!(resume().await, expected);
    shop.keep(&said.then(hello("k-2"))).await.unwrap();
    let expected = Session {
        outlet_id: Some(1),
        turns: 2,
        pending: None,
        ..expected
    };
    assert_eq!(resume().await, expected);
}

#[tokio::test]
async fn a_complaint_gets_a_number_and_may_name_an_order_of_its_user() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let ordered = shop.keep(&order("k", &[(1, 1)])).await.unwrap();
    let Some(Done::Order(placed)) = ordered.done else {
        panic!("{ordered:?}");
    };
    let said = complaint("c", Some(placed.id));
    let kept = shop.keep(&said).await.unwrap();
    let Some(Done::Complaint(made)) = kept.done else {
        panic!("{kept:?}");
    };
    let written = format!(
        "SELECT count(*) FROM complaints
          WHERE id = '{}' AND number = {} AND user_id = 'u-1' AND session_id = '{}'
            AND outlet_id = 1 AND order_id = '{}' AND status = 'open'
            AND idempotency_key = 'c' AND text = 'the boxes were crushed'",
        made.id, made.number, said.session, placed.id
    );
    assert_eq!(shop.count(&written).await, 1);
    let next = said.then(complaint("c-2", None));
    let next = shop.keep(&next).await.unwrap();
    let Some(Done::Complaint(next)) = next.done else {
        panic!("{next:?}");
    };
    assert!(next.number > made.number);

    let before = shop.sum().await;
    let foreign = Said {
        user: "u-2".to_owned(),
        ..complaint("c", Some(placed.id))
    };
    let refused = shop.keep(&foreign).await;
    assert!(
        matches!(refused, Err(TurnError::Database(_))),
        "{refused:?}"
    );
    assert_eq!(shop.sum().await, before);
}

/// As from fifty processes that do not know of each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_comes_fifty_times_at_once_makes_one_turn() {
    let shop = Shop::open(&[("10.00", 1, 5)]).await;
    let opening = (0..50).map(|_| order("k", &[(1, 5)]));
    let answer = one_answer(shop.race(opening).await);
    assert_eq!(shop.sum().await, "1/1/1 2 1/1/1/53.00 1 1 1 1 0 0 1");
    let found = answered(&shop.pool, "u-1", &hello("k").key, &[7; 32]).await;
    assert_eq!(found.unwrap().unwrap().body, answer);

    let session = shop.count("SELECT count(*) FROM conversation_sessions");
    assert_eq!(session.await, 1);
    let opened = hello("k-2");
    shop.keep(&opened).await.unwrap();
    let going_on = (0..50).map(|_| opened.then(complaint("k-3", None)));
    one_answer(shop.race(going_on).await);
    let talking = (0..50).map(|_| opened.then(opened.then(hello("k-4"))));
    let talking = talking.map(|said| Said {
        at: Some(2),
        ..said
    });
    one_answer(shop.race(talking).await);
    assert_eq!(shop.sum().await, "2/4/1 8 2/4/1/53.00 1 1 1 1 0 1 4");
}

/// All the same, and one of them made it.
fn one_answer(outcomes: Vec<Result<Kept, TurnError>>) -> Vec<u8> {
    assert_eq!(outcomes.len(), 50);
    let kept: Vec<Kept> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(kept.iter().filter(|kept| !kept.was_there()).count(), 1);
    let answers = kept.into_iter().map(|kept| kept.answer.body);
    let mut answers: BTreeSet<Vec<u8>> = answers.collect();
    assert_eq!(answers.len(), 1);
    answers.pop_first().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_turns_that_go_on_from_the_same_point_one_is_written() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let opened = hello("k");
    shop.keep(&opened).await.unwrap();
    let turns = (0..20).map(|number| opened.then(order(&format!("k-{number}"), &[(1, 1)])));
    let outcomes = shop.race(turns).await;
    let moved = |outcome: &Result<Kept, TurnError>| matches!(outcome, Err(TurnError::Moved));
    assert_eq!(outcomes.iter().filter(|outcome| moved(outcome)).count(), 19);
    assert_eq!(shop.sum().await, "1/2/1 4 1/2/1/10.60 1 1 1 1 49 0 2");
    // Whoever reads it again can go on.
    let session = Session::resume(&shop.pool, opened.session, "u-1").await;
    let next = Said {
        at: Some(session.unwrap().turns),
        ..opened.then(hello("k-next"))
    };
    shop.keep(&next).await.unwrap();
}

#[tokio::test]
async fn nobody_goes_on_with_a_conversation_that_is_not_theirs_or_is_over() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let opened = hello("k");
    shop.keep(&opened).await.unwrap();
    let before = shop.sum().await;
    let foreign = |next: Said| Said {
        user: "u-2".to_owned(),
        ..opened.then(next)
    };
    let unknown = Said {
        session: Uuid::new_v4(),
        ..opened.then(hello("k-2"))
    };
    let foreign = [
        foreign(hello("k-2")),
        foreign(order("k-2", &[(1, 1)])),
        foreign(complaint("k-2", None)),
        unknown,
    ];
    for said in &foreign {
        let refused = shop.keep(said).await;
        assert!(matches!(refused, Err(TurnError::NoSession)), "{refused:?}");
    }
    // Nor does anybody open one that is there.
    let taken = |user: &str| Said {
        user: user.to_owned(),
        session: opened.session,
        ..hello("k-2")
    };
    let refused = shop.keep(&taken("u-2")).await;
    assert!(matches!(refused, Err(TurnError::NoSession)), "{refused:?}");
    let refused = shop.keep(&taken("u-1")).await;
    assert!(matches!(refused, Err(TurnError::Moved)), "{refused:?}");
    shop.execute("UPDATE conversation_sessions SET closed_at = now()")
        .await;
    let closed = shop.keep(&opened.then(hello("k-2"))).await;
    assert!(matches!(closed, Err(TurnError::NoSession)), "{closed:?}");
    assert_eq!(shop.sum().await, before);
}

#[tokio::test]
async fn a_conversation_is_about_an_outlet_that_exists() {
    let shop = Shop::open(&[]).await;
    shop.execute(
        "INSERT INTO outlets (name, address_line, city, country, active)
         VALUES ('Closed', '2 Harbour Road', 'Porto', 'PT', false)",
    )
    .await;
    let opened = Said {
        outlet: None,
        ..hello("k")
    };
    for outlet in [2, 99] {
        let nowhere = Said {
            outlet: Some(outlet),
            ..hello("k")
        };
        let refused = shop.keep(&nowhere).await;
        assert!(
            matches!(refused, Err(TurnError::NoSuchOutlet)),
            "{refused:?}"
        );
    }
    shop.keep(&opened).await.unwrap();
    for outlet in [2, 99] {
        let nowhere = Said {
            outlet: Some(outlet),
            ..opened.then(complaint("k-2", None))
        };
        let refused = shop.keep(&nowhere).await;
        assert!(
            matches!(refused, Err(TurnError::NoSuchOutlet)),
            "{refused:?}"
        );
    }
    let at_one = opened.then(hello("k-2"));
    shop.keep(&at_one).await.unwrap();
    // What a conversation is about may close, and the conversation goes on.
    shop.execute("UPDATE outlets SET active = false").await;
    shop.keep(&at_one.then(hello("k-3"))).await.unwrap();
    let elsewhere = Said {
        outlet: Some(2),
        ..at_one.then(at_one.then(hello("k-4")))
    };
    let elsewhere = Said {
        at: Some(3),
        ..elsewhere
    };
    let refused = shop.keep(&elsewhere).await;
    assert!(
        matches!(refused, Err(TurnError::NoSuchOutlet)),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_of_one_user_at_once_are_all_counted() {
    let shop = Shop::open(&[]).await;
    let all = (0..20).map(|number| hello(&format!("k-{number}")));
    for kept in shop.race(all).await {
        kept.unwrap();
    }
    assert_eq!(shop.sum().await, "20/20/0 40 20/20/0/0.00 0 0 0 0 0 20");
}

/// A transaction that began first may come second, and clocks are set back.
#[tokio::test]
async fn a_turn_does_not_date_back_what_it_finds() {
    let shop = Shop::open(&[]).await;
    let opened = hello("k");
    shop.keep(&opened).await.unwrap();
    shop.execute(
        "UPDATE conversation_sessions SET created_at = now() + interval '1 hour',
                last_active_at = now() + interval '1 hour';
         UPDATE user_interaction_summaries SET first_seen_at = now() + interval '1 hour',
                last_seen_at = now() + interval '1 hour'",
    )
    .await;
    shop.keep(&opened.then(hello("k-2"))).await.unwrap();
    shop.keep(&hello("k-3")).await.unwrap();
    let later = "SELECT count(*) FROM user_interaction_summaries WHERE last_seen_at > now()";
    assert_eq!(shop.count(later).await, 1);
}
