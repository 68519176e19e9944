//! The same request again: done once, answered the same.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use tokio::task::JoinSet;
use tria_tests::{Call, Conduct, Door, Post, Reply, Shop};

const ORDER: &str = "5 packs of pizza savers for Napoli Express";

#[track_caller]
fn expect_again(first: &Reply, again: &Reply) {
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    expect_same(first, again);
}

#[track_caller]
fn expect_same(first: &Reply, again: &Reply) {
    let text = |said: &Reply| String::from_utf8_lossy(&said.bytes).into_owned();
    assert_eq!(text(again), text(first));
    assert_eq!(again.header("content-type"), first.header("content-type"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_key_nothing_is_done() {
    let open = Shop::shared().await;
    let door = Door::of(&open.url);
    let long = "k".repeat(256);
    for (keys, part) in [
        (vec![], "1 to 255 visible ASCII"),
        (vec![""], "empty"),
        (vec!["two words"], "visible ASCII"),
        (vec!["schlüssel"], "visible ASCII"),
        (vec![&long[..]], "255"),
        (vec!["one", "two"], "more than once"),
    ] {
        let mut post = Post::of("ann-keys", ORDER);
        post.keys = keys.iter().map(ToString::to_string).collect();
        let said = door.ask(&post).await;
        said.expect_problem(400, "idempotency-key");
        let detail = said.body["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{keys:?}: {detail}");
    }
    let sessions = open
        .shop
        .count("conversation_sessions WHERE user_id = 'ann-keys'");
    assert_eq!(sessions.await, 0);
    for key in [
        "k".repeat(255),
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".to_owned(),
    ] {
        let said = door.ask(&Post::of("ann-keys", "hello").key(key)).await;
        assert_eq!(said.status, 200, "{}", said.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_comes_again_is_answered_the_same_and_done_once() {
    let mut shop = Shop::new().await;
    let (running, url) = shop.open();
    let door = Door::of(&url);
    let post = Post::of("ann", ORDER).key("monday");
    let first = door.ask(&post).await;
    assert!(first.order().is_some(), "{}", first.body);
    assert_eq!(first.header("idempotent-replayed"), "");

    let again = door.ask(&post).await;
    expect_again(&first, &again);
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(again.header("cache-control"), "no-store");
    // Written otherwise it asks for the same.
    let spaced = format!("{{ \"user_id\": \"ann\",\n \"message\": \"{ORDER}\" }}");
    expect_again(&first, &door.ask(&Post::raw(spaced).key("monday")).await);
    // Another request is none of its repetitions, and changes nothing.
    let other = Post::of("ann", "6 packs of pizza savers for Napoli Express").key("monday");
    door.ask(&other)
        .await
        .expect_problem(422, "idempotency-key-reused");
    expect_again(&first, &door.ask(&post).await);
    assert_eq!(shop.count("orders").await, 1);

    // The key belongs to the user.
    let bobs = door.ask(&Post::of("bob", ORDER).key("monday")).await;
    assert_eq!(bobs.header("idempotent-replayed"), "");
    assert!(
        bobs.order()
            .is_some_and(|order| Some(order) != first.order())
    );
    assert_eq!(shop.count("orders").await, 2);

    // Another process knows it as well, before it has learnt anything.
    running.signal("TERM");
    running.ended().expect(0, &[]);
    shop.fixture.set("CHAT_WARM_UP", "false");
    let (_running, url) = shop.open();
    expect_again(&first, &Door::of(&url).ask(&post).await);
    assert_eq!(shop.count("orders").await, 2);
    assert_eq!(shop.count("conversation_messages").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_forgot_the_database_knows() {
    let shop = Shop::new().await;
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let post = Post::of("ann", ORDER).key("monday");
    let first = door.ask(&post).await;
    assert!(first.order().is_some(), "{}", first.body);

    shop.empty_redis().await;
    let other = Post::of("ann", "hello").key("monday");
    door.ask(&other)
        .await
        .expect_problem(422, "idempotency-key-reused");
    let again = door.ask(&post).await;
    expect_same(&first, &again);
    // Redis has learnt it from the database.
    expect_again(&first, &door.ask(&post).await);
    assert_eq!(shop.count("orders").await, 1);
    assert_eq!(shop.count("conversation_messages").await, 2);
    let turns = "SELECT turns::bigint FROM conversation_sessions";
    assert_eq!(shop.fixture.count(turns).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_is_told_to_be_one_wherever_its_answer_comes_from() {
    let shop = Shop::new().await;
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let post = Post::of("ann", "hello");
    let first = door.ask(&post).await;
    shop.empty_redis().await;
    expect_again(&first, &door.ask(&post).await);
}

/// Through two servers, as behind a balancer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_at_once_one_is_done_and_all_are_answered() {
    let shop = Shop::new().await;
    let ((_one, one), (_other, other)) = (shop.open(), shop.open());
    let doors = [Door::of(&one), Door::of(&other)];
    let post = Post::of("ann", ORDER).key("monday");
    let mut asking = JoinSet::new();
    for number in 0..200 {
        let (door, post) = (doors[number % 2].clone(), post.clone());
        asking.spawn(async move { door.ask(&post).await });
    }
    let said = asking.join_all().await;
    let statuses: BTreeSet<u16> = said.iter().map(|said| said.status).collect();
    assert_eq!(statuses, BTreeSet::from([200]));
    let answers: BTreeSet<&[u8]> = said.iter().map(|said| &said.bytes[..]).collect();
    assert_eq!((said.len(), answers.len()), (200, 1));
    let first = said
        .iter()
        .filter(|said| said.header("idempotent-replayed").is_empty());
    assert_eq!(first.count(), 1);
    for table in [
        "orders",
        "delivery_orders",
        "invoices",
        "conversation_sessions",
    ] {
        assert_eq!(shop.count(table).await, 1, "{table}");
    }
    assert_eq!(shop.count("conversation_messages").await, 2);
    let stock = "SELECT stock::bigint FROM products WHERE sku = 'PS-WH'";
    assert_eq!(shop.fixture.count(stock).await, 695);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_known_by_the_session_alone() {
    let open = Shop::shared().await;
    let door = Door::of(&open.url);
    let says = |key: &str, message: &str, session: Option<&str>| {
        let body = json!({ "message": message, "session_id": session });
        let (door, post) = (door.clone(), Post::new(&body).key(key));
        async move { door.ask(&post).await }
    };
    let first = says("guest-one", ORDER, None).await;
    let order = first.order().expect("an order");
    expect_again(&first, &says("guest-one", ORDER, None).await);
    let session = first.body["session_id"].as_str().unwrap();
    let status = says("guest-two", "Where is my order?", Some(session)).await;
    assert_eq!(status.body["metadata"]["orders"][0]["order_id"], order);
    assert_eq!(status.body["session_id"], session);

    // Somebody else, who comes from the same address.
    let other = says("guest-three", "Where is my order?", None).await;
    assert_ne!(other.body["session_id"], session);
    assert!(other.body["metadata"]["orders"].is_null(), "{}", other.body);
    // A session of a guest is nobody's who has a name, and the other way round.
    let body = json!({ "message": "hello", "user_id": "ann-named", "session_id": session });
    door.ask(&Post::new(&body))
        .await
        .expect_problem(403, "session");
    let anns = door.ask(&Post::of("ann-named", "hello")).await;
    let refused = says("guest-four", "hello", anns.body["session_id"].as_str()).await;
    refused.expect_problem(403, "session");

    let kept = format!(
        "orders o JOIN conversation_sessions s ON s.id = o.session_id
          WHERE o.id = '{order}' AND o.user_id = 'guest-' || s.id AND s.turns = 2"
    );
    assert_eq!(open.shop.count(&kept).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_leaves_its_key_free() {
    let shop = Shop::new().await;
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let post = Post::of("ann", ORDER).key("monday");
    shop.model.set(Call::Embedding, Conduct::Fail);
    door.ask(&post).await.expect_problem(503, "model");
    for table in [
        "orders",
        "conversation_sessions",
        "conversation_messages",
        "chat_answers",
    ] {
        assert_eq!(shop.count(table).await, 0, "{table}");
    }
    shop.model.set(Call::Embedding, Conduct::Pass);
    let first = door.ask(&post).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    assert!(first.order().is_some(), "{}", first.body);
    expect_again(&first, &door.ask(&post).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_too_soon_waits_or_is_told_when_to_come() {
    let mut shop = Shop::new().await;
    shop.fixture.set("CHAT_GENERATE", "true");
    let (_patient, patient) = shop.open();
    // Whoever waits for another's answer waits no longer than an answer may take.
    shop.fixture
        .set("CHAT_BUDGET", "1s")
        .set("CHAT_WARM_UP", "false");
    let (_hasty, hasty) = shop.open();
    let slow = Conduct::Slow(Duration::from_secs(4));
    shop.model.set(Call::Completion, slow);
    let post = Post::of("ann", "How long can I return unopened packs?").key("monday");
    let begun = {
        let (door, post) = (Door::of(&patient), post.clone());
        tokio::spawn(async move { door.listen(&post).await.rest().await })
    };
    shop.model.is_asked(Call::Completion, 0).await;
    let again = Door::of(&hasty).ask(&post).await;
    again.expect_problem(409, "in-progress");
    let waited = Door::of(&patient).ask(&post).await;
    assert_eq!(
        waited.header("idempotent-replayed"),
        "true",
        "{}",
        waited.body
    );
    let events = begun.await.unwrap();
    assert_eq!(events.last().unwrap().data, waited.body);
    assert_eq!(shop.count("conversation_messages").await, 2);
}
