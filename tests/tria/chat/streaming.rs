//! Answers as they come about.

use std::time::Duration;

use serde_json::{Value, json};
use tria_tests::{Call, Conduct, Door, Ended, Event, Events, Post, Shop};

const ORDER: &str = "5 packs of pizza savers for Napoli Express";
const QUESTION: &str = "How long can I return unopened packs?";

fn named<'a>(events: &'a [Event], name: &str) -> Vec<&'a Event> {
    events.iter().filter(|event| event.name == name).collect()
}

/// The data of the last event, which is the answer.
#[track_caller]
fn done(events: &[Event]) -> &Value {
    let last = events.last().expect("an event");
    assert_eq!(last.name, "done", "{events:?}");
    &last.data
}

/// Everything that goes for the events of a whole answer of which the client had `known`
/// characters.
#[track_caller]
fn expect_whole(events: &[Event], known: usize) {
    let names: Vec<&str> = events.iter().map(|event| &event.name[..]).collect();
    let mut order = names.clone();
    order.dedup();
    let answer = done(events);
    let message = answer["message"].as_str().unwrap();
    if message.chars().count() > known {
        assert_eq!(order, ["step", "token", "citations", "done"]);
    } else {
        assert_eq!(order, ["step", "citations", "done"]);
    }
    let mut said = message.chars().take(known).collect::<String>();
    for token in named(events, "token") {
        said.push_str(token.data["text"].as_str().unwrap());
        let id = token.id.as_deref().unwrap();
        assert_eq!(id, said.chars().count().to_string(), "{token:?}");
    }
    assert_eq!(said, message);
    assert_eq!(named(events, "citations")[0].data, answer["citations"]);
    let steps = named(events, "step").into_iter().map(|step| &step.data);
    let timeline = answer["agent_timeline"].as_array().unwrap();
    assert!(steps.eq(timeline), "{events:?}");
}

/// The one test in which pieces come from the model itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_events_of_an_answer_tell_all_of_it_in_their_order() {
    let mut shop = Shop::new().await;
    shop.fixture.set("CHAT_GENERATE", "true");
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let question = Post::of("ann", QUESTION);
    let stream = door.listen(&question).await;
    assert_eq!(stream.status, 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("ratelimit-remaining", "59"),
    ] {
        assert_eq!(stream.headers[name], value, "{name}");
    }
    assert!(stream.headers.contains_key("x-request-id"));
    assert!(!stream.headers.contains_key("idempotent-replayed"));
    let events = stream.rest().await;
    expect_whole(&events, 0);
    let answer = done(&events);
    let modes = [json!("generated"), json!("quoted")];
    assert!(modes.contains(&answer["mode"]), "{answer}");
    assert_ne!(answer["citations"], json!([]));

    let events = door.listen(&Post::of("ann", ORDER)).await.rest().await;
    expect_whole(&events, 0);
    assert!(done(&events)["order_id"].is_string(), "{events:?}");
    assert_eq!(shop.count("orders").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_comes_again_goes_on_where_the_client_was() {
    let open = Shop::shared().await;
    let door = Door::of(&open.url);
    // What is asked back quotes it, so that bytes and characters differ.
    let mut post = Post::of("ann-streams", "I want to order 5 packs of würstel für Käse");
    let first = door.listen(&post).await.rest().await;
    expect_whole(&first, 0);
    let answer = done(&first);
    let message = answer["message"].as_str().unwrap();
    let length = message.chars().count();
    assert!(message.len() > length, "{message}");

    for known in [0, 1, length / 2, length - 1, length, length + 7] {
        post.last_event = Some(known);
        let again = door.listen(&post).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let again = again.rest().await;
        expect_whole(&again, known.min(length));
        assert_eq!(done(&again), answer);
    }
    // The plain answer is of the same request, and the other way round.
    let plain = door.ask(&post).await;
    assert_eq!(plain.header("idempotent-replayed"), "true");
    assert_eq!(&plain.body, answer);
    let post = Post::of("ann-streams", "hello");
    let plain = door.ask(&post).await;
    let stream = door.listen(&post).await;
    assert_eq!(stream.headers["idempotent-replayed"], "true");
    assert_eq!(done(&stream.rest().await), &plain.body);
    let turns =
        "SELECT sum(turns)::bigint FROM conversation_sessions WHERE user_id = 'ann-streams'";
    assert_eq!(open.shop.fixture.count(turns).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_work_goes_on_for_a_client_that_left_and_its_retry_gets_the_answer() {
    let shop = Shop::new().await;
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    shop.model
        .set(Call::Embedding, Conduct::Slow(Duration::from_secs(1)));
    let post = Post::of("ann", ORDER);
    let mut stream = door.listen(&post).await;
    stream.until("step").await;
    drop(stream);
    let retry = door.ask(&post).await;
    assert_eq!(
        retry.header("idempotent-replayed"),
        "true",
        "{}",
        retry.body
    );
    assert!(retry.order().is_some(), "{}", retry.body);

    // The same of a plain answer.
    let post = Post::of("bob", ORDER);
    let before = shop.model.times(Call::Embedding);
    let left = {
        let (door, post) = (door.clone(), post.clone());
        tokio::spawn(async move { door.try_ask(&post).await })
    };
    shop.model.is_asked(Call::Embedding, before).await;
    left.abort();
    let retry = door.ask(&post).await;
    assert_eq!(
        retry.header("idempotent-replayed"),
        "true",
        "{}",
        retry.body
    );
    assert_eq!(shop.count("orders").await, 2);
    assert_eq!(shop.count("conversation_messages").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_told_as_a_problem_before_the_stream_or_in_it() {
    let shop = Shop::new().await;
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let refused = door.listen(&Post::raw("{}")).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.headers["content-type"], "application/problem+json");

    shop.model.set(Call::Embedding, Conduct::Fail);
    let post = Post::of("ann", ORDER);
    let stream = door.listen(&post).await;
    assert_eq!(stream.status, 200);
    let request_id = stream.headers["x-request-id"].clone();
    let events = stream.rest().await;
    let last = events.last().unwrap();
    assert_eq!(last.name, "error", "{events:?}");
    assert_eq!(last.data["type"], "urn:tria:problem:model");
    assert_eq!(last.data["status"], 503);
    assert_eq!(last.data["request_id"], request_id.to_str().unwrap());
    assert!(named(&events, "token").is_empty(), "{events:?}");

    shop.model.set(Call::Embedding, Conduct::Pass);
    let events = door.listen(&post).await.rest().await;
    assert!(done(&events)["order_id"].is_string(), "{events:?}");
}

/// A stream that is in the middle of its answer when the signal comes, as its events up to then
/// show.
async fn interrupted(shop: &Shop, door: &Door, post: &Post) -> (Vec<Event>, Events) {
    let mut stream = door.listen(post).await;
    let mut events = Vec::new();
    while events
        .last()
        .is_none_or(|event: &Event| event.data["step"] != "retrieve")
    {
        events.extend(stream.until("step").await);
    }
    shop.model.is_asked(Call::Completion, 0).await;
    (events, stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_open_at_the_end_is_told_to_its_end() {
    let mut shop = Shop::new().await;
    shop.fixture.set("CHAT_GENERATE", "true");
    let (running, url) = shop.open();
    let door = Door::of(&url);
    shop.model
        .set(Call::Completion, Conduct::Slow(Duration::from_secs(2)));
    let (mut events, stream) = interrupted(&shop, &door, &Post::of("ann", QUESTION)).await;
    running.signal("TERM");
    running.wait_for("Stopping: SIGTERM");
    events.extend(stream.rest().await);
    expect_whole(&events, 0);
    running.ended().expect(0, &["STOPPED (SIGTERM"]);
    assert_eq!(shop.count("conversation_messages").await, 2);
}

/// A stream whose answer does not come, to the end of its server.
async fn outlasting(shop: &mut Shop, post: &Post) -> (Vec<Event>, Ended) {
    // A second of it is left for last words.
    shop.fixture.set("CHAT_GENERATE", "true").set("DRAIN", "3s");
    let (running, url) = shop.open();
    shop.model.set(Call::Completion, Conduct::Hang);
    let (_, stream) = interrupted(shop, &Door::of(&url), post).await;
    running.signal("TERM");
    (stream.rest().await, running.ended())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_would_outlast_the_end_says_so() {
    let mut shop = Shop::new().await;
    let (events, _) = outlasting(&mut shop, &Post::of("ann", QUESTION)).await;
    let last = events.last().unwrap();
    assert_eq!(last.name, "shutdown", "{events:?}");
    assert!(last.data["detail"].as_str().unwrap().contains("same key"));
    assert_eq!(shop.count("conversation_messages").await, 0);
}

/// What is given up at the end is no failure of the stop, and its key is not left to expire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_outlasts_a_clean_stop_is_done_elsewhere_at_once() {
    let mut shop = Shop::new().await;
    let post = Post::of("ann", QUESTION);
    let (_, ended) = outlasting(&mut shop, &post).await;
    shop.model.set(Call::Completion, Conduct::Pass);
    let (_running, url) = shop.open();
    let retry = Door::of(&url).ask(&post).await;
    let text = ended.text();
    assert_eq!(
        (retry.status, ended.code),
        (200, Some(0)),
        "{}\n{text}",
        retry.body
    );
    assert_eq!(shop.count("conversation_messages").await, 2);
}
