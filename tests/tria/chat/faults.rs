//! What a customer meets while something that the service needs is away.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;
use tria_devstack::{FaultProxy, Mode};
use tria_tests::{
    Call, Conduct, Dependency, Door, Post, Prober, Shop, Sight, get, get_text, get_with_token,
};

const ORDER: &str = "5 packs of pizza savers for Napoli Express";
const QUESTION: &str = "How long can I return unopened packs?";

/// Longer than anything may take here.
const LONG: Duration = Duration::from_secs(60);

/// Sends a request until it is answered with 200, as the documents tell clients to.
async fn until_answered(door: &Door, post: &Post) -> tria_tests::Reply {
    let begun = Instant::now();
    loop {
        let said = door.ask(post).await;
        if said.status == 200 {
            return said;
        }
        assert!(begun.elapsed() < LONG, "{}", said.body);
        let pause: u64 = said.header("retry-after").parse().expect("a time to wait");
        sleep(Duration::from_secs(pause)).await;
    }
}

async fn expect_nothing_written(shop: &Shop) {
    for table in ["orders", "conversation_messages", "chat_answers"] {
        assert_eq!(shop.count(table).await, 0, "{table}");
    }
}

/// One server, and each of its stores away for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_named_and_the_request_is_done_when_it_is_back() {
    let mut shop = Shop::new().await;
    let fixture = &mut shop.fixture;
    let mut redis = fixture.put_proxy_before(Dependency::Redis).await;
    let mut chroma = fixture.put_proxy_before(Dependency::Chroma).await;
    let mut postgres = fixture.put_proxy_before(Dependency::Postgres).await;
    // What hangs is given up then.
    fixture.set("CHAT_BUDGET", "5s");
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    // The fixture itself looks past the proxy.
    let direct = format!("127.0.0.1:{}", shop.fixture.stack.postgres_port());
    let database = shop.fixture.keys["DATABASE_URL"].replace(&postgres.address(), &direct);
    shop.fixture.set("DATABASE_URL", database);

    for mode in [Mode::Refuse, Mode::BlackHole] {
        redis.set(mode).await;
        let ordering = Post::of("ann", ORDER);
        door.ask(&ordering).await.expect_problem(503, "redis");
        let stream = door.listen(&ordering).await;
        assert_eq!(stream.status, 503);
        redis.set(Mode::Pass).await;
        expect_nothing_written(&shop).await;
    }

    chroma.set(Mode::Refuse).await;
    let asking = Post::of("ann", QUESTION);
    door.ask(&asking).await.expect_problem(503, "vector-store");
    expect_nothing_written(&shop).await;
    let ordered = door.ask(&Post::of("ann", ORDER)).await;
    assert!(ordered.order().is_some(), "{}", ordered.body);
    chroma.set(Mode::BlackHole).await;
    let hung = door.ask(&asking).await;
    assert_eq!(hung.status, 503, "{}", hung.body);
    chroma.set(Mode::Pass).await;
    let answered = until_answered(&door, &asking).await;
    assert!(
        answered.message().contains("14 days"),
        "{}",
        answered.message()
    );

    for (number, mode) in [Mode::Refuse, Mode::BlackHole].into_iter().enumerate() {
        postgres.set(mode).await;
        let ordering = Post::of("bob", ORDER);
        let said = door.ask(&ordering).await;
        match mode {
            Mode::Refuse => said.expect_problem(503, "database"),
            // Either its pool loses patience or the request.
            _ => assert_eq!(said.status, 503, "{}", said.body),
        }
        postgres.set(Mode::Pass).await;
        let said = until_answered(&door, &ordering).await;
        assert!(said.order().is_some(), "{}", said.body);
        let orders = shop.count("orders WHERE user_id = 'bob'").await;
        assert_eq!(orders, i64::try_from(number).unwrap() + 1);
    }
    assert_eq!(shop.count("conversation_messages").await, 8);
}

/// What is told of the circuit for embeddings: by the metrics and by the diagnostics.
async fn circuit(url: &str, shop: &Shop) -> (Option<f64>, Value, Value) {
    let open = shop
        .metric("tria_model_circuit_open{circuit=\"embeddings\"}", url)
        .await;
    let path = format!("{url}/api/v1/health/diagnostics");
    let told = get_with_token(&path, &shop.fixture.keys["DIAGNOSTICS_TOKEN"]).await;
    let told = told.expect("an answer").body;
    let checks = told["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["name"] == "openai.circuit");
    let code = check.expect("the check")["code"].clone();
    (
        open,
        told["chat"]["model"]["embeddings"]["state"].clone(),
        code,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_fails_is_left_alone_for_a_while_and_found_again() {
    let mut shop = Shop::new().await;
    let front = shop.fixture.keys["OPENAI_BASE_URL"].clone();
    let front = front.trim_start_matches("http://").trim_end_matches("/v1");
    let mut proxy = FaultProxy::start(front).await.unwrap();
    let through = format!("http://{}/v1", proxy.address());
    shop.fixture.set("OPENAI_BASE_URL", through);
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let prober = Prober::start(&url).await;

    // Away, and back before it is given up.
    proxy.set(Mode::Refuse).await;
    let ordering = Post::of("ann", ORDER);
    door.ask(&ordering).await.expect_problem(503, "model");
    proxy.set(Mode::Pass).await;
    let said = door.ask(&ordering).await;
    assert!(said.order().is_some(), "{}", said.body);
    let (open, state, _) = circuit(&url, &shop).await;
    assert_eq!((open, state), (Some(0.0), "closed".into()));

    // It lists its models and answers nothing.
    shop.model.set(Call::Embedding, Conduct::Fail);
    let failing = Post::of("bob", ORDER);
    for _ in 0..5 {
        door.ask(&failing).await.expect_problem(503, "model");
    }
    let sent = shop.model.asked().len();
    let said = door.ask(&failing).await;
    said.expect_problem(503, "model");
    let pause: u64 = said.header("retry-after").parse().unwrap();
    assert!((1..=11).contains(&pause), "{pause}");
    assert_eq!(shop.model.asked().len(), sent, "it is not left alone");
    let degraded = prober
        .until(LONG, |sight| sight.code("openai") == Some("circuit_open"))
        .await
        .unwrap_or_else(|| panic!("{}", prober.last().told()));
    assert_eq!((degraded.status, degraded.verdict()), (200, "degraded"));
    let (open, state, code) = circuit(&url, &shop).await;
    assert_eq!(open, Some(1.0));
    assert_eq!((state, code), ("open".into(), "circuit_open".into()));
    let ready = get(&format!("{url}/readyz")).await.expect("an answer");
    assert_eq!(
        (ready.status, &ready.body["status"]),
        (200, &"degraded".into())
    );
    let told = ready.body["services"].to_string();
    assert!(told.contains("circuit_open"), "{told}");

    let page = get_text(&format!("{url}/status")).await;
    assert!(page.contains("openai.circuit"), "{page}");

    // Nobody does anything but the model.
    shop.model.set(Call::Embedding, Conduct::Pass);
    let said = until_answered(&door, &failing).await;
    assert!(said.order().is_some(), "{}", said.body);
    let (open, state, _) = circuit(&url, &shop).await;
    assert_eq!((open, state), (Some(0.0), "closed".into()));
    let well = prober.until(LONG, Sight::is_well).await;
    assert!(well.is_some(), "{}", prober.last().told());
    assert_eq!(shop.count("orders").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_at_once_is_sent_away_at_once() {
    let mut shop = Shop::new().await;
    shop.fixture
        .set("CHAT_CONCURRENCY", "1")
        .set("CHAT_WARM_UP", "false");
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    shop.model.set(Call::Embedding, Conduct::Hang);
    let first = {
        let door = door.clone();
        tokio::spawn(async move { door.ask(&Post::of("ann", ORDER)).await })
    };
    shop.model.is_asked(Call::Embedding, 0).await;
    let second = Post::of("bob", ORDER);
    door.ask(&second).await.expect_problem(503, "overloaded");
    assert!(
        !first.is_finished(),
        "the first was over before the second came"
    );
    let stream = door.listen(&second).await;
    assert_eq!(stream.status, 503);
    let alive = get(&format!("{url}/livez")).await.expect("an answer");
    assert_eq!(alive.status, 200);

    // The place is free when the first is given up.
    first.await.unwrap().expect_problem(503, "model");
    shop.model.set(Call::Embedding, Conduct::Pass);
    let said = until_answered(&door, &second).await;
    assert!(said.order().is_some(), "{}", said.body);
    assert_eq!(shop.count("orders").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let mut shop = Shop::new().await;
    shop.fixture
        .set("RATE_LIMIT_PER_USER", "3")
        .set("RATE_LIMIT_PER_ADDRESS", "12");
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let first = Post::of("ann", "hello");
    for left in ["2", "1", "0"] {
        let post = if left == "2" {
            first.clone()
        } else {
            Post::of("ann", "hello")
        };
        let said = door.ask(&post).await;
        assert_eq!(said.status, 200, "{}", said.body);
        assert_eq!(said.header("ratelimit-limit"), "3");
        assert_eq!(said.header("ratelimit-remaining"), left);
    }
    let fourth = Post::of("ann", "hello");
    let said = door.ask(&fourth).await;
    said.expect_problem(429, "rate-limit");
    assert_eq!(said.header("ratelimit-remaining"), "0");
    let pause: u64 = said.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&pause), "{pause}");
    assert_eq!(door.listen(&fourth).await.status, 429);
    // A repetition is no new request, and others are not held up.
    let again = door.ask(&first).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = door.ask(&Post::of("bob", "hello")).await;
    assert_eq!(other.status, 200, "{}", other.body);
    assert_eq!(shop.count("conversation_messages").await, 8);

    // Whoever it says it is, and whatever it says of its address.
    let mut statuses = Vec::new();
    for number in 0..12 {
        let said = door
            .ask(&Post::of(&format!("user-{number}"), "hello"))
            .await;
        statuses.push(said.status);
    }
    let taken = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(taken + refused, 12, "{statuses:?}");
    assert!(refused > 0 && taken > 0, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_too_long_is_given_up_in_time() {
    let mut shop = Shop::new().await;
    shop.fixture
        .set("CHAT_BUDGET", "1s")
        .set("CHAT_WARM_UP", "false");
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    shop.model.set(Call::Embedding, Conduct::Hang);
    let begun = Instant::now();
    let ordering = Post::of("ann", ORDER);
    door.ask(&ordering).await.expect_problem(503, "timeout");
    let elapsed = begun.elapsed();
    assert!(elapsed >= Duration::from_secs(1), "{elapsed:?}");
    // Below what one request to the model may take.
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
    expect_nothing_written(&shop).await;
}
