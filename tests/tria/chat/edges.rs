//! Requests that are none, or hardly.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tria_tests::{Door, OpenShop, Post, Reply, Shop, get};

/// The longest body, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// Longer than anything may take here.
const LONG: Duration = Duration::from_secs(60);

/// Sends what is refused, and sees that nothing was written under its key.
async fn refused(open: &OpenShop, post: &Post, status: u16, kind: &str) -> Reply {
    let said = Door::of(&open.url).ask(post).await;
    said.expect_problem(status, kind);
    for table in ["chat_answers", "orders"] {
        let written = format!("{table} WHERE idempotency_key = '{}'", post.keys[0]);
        assert_eq!(open.shop.count(written).await, 0, "{table}");
    }
    said
}

/// Sends bytes as they are, and gives status and body of the answer.
async fn send(url: &str, parts: &[&[u8]]) -> (u16, Value) {
    let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    for part in parts {
        // A server that has seen enough need not read the rest.
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    // It may be reset after the answer, since not all was read.
    let _ = timeout(LONG, stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    let answer = String::from_utf8_lossy(&answer);
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let status = status.unwrap_or_else(|| panic!("no answer: {answer:?}"));
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn head(fields: &str) -> String {
    format!(
        "POST /api/chatbot HTTP/1.1\r\nHost: tria\r\nConnection: close\r\n\
         Content-Type: application/json\r\nIdempotency-Key: raw\r\n{fields}\r\n\r\n"
    )
}

fn kind(body: &Value) -> &str {
    body["type"].as_str().unwrap_or("")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_bounded_in_size_and_time() {
    let open = Shop::shared().await;
    let url = &open.url;
    let door = Door::of(url);
    // As large as may be: white space costs nothing.
    let whole = |length: usize| {
        let body = r#"{"message":"hello"}"#;
        Post::raw(format!("{body}{}", " ".repeat(length - body.len())))
    };
    door.ask(&whole(MOST_BYTES + 1))
        .await
        .expect_problem(413, "body-too-large");

    // Who announces too much is not listened to; nobody waits for the rest.
    let announced = head(&format!("Content-Length: {}", MOST_BYTES + 1));
    let (status, body) = send(url, &[announced.as_bytes(), b"{"]).await;
    assert_eq!(
        (status, kind(&body)),
        (413, "urn:tria:problem:body-too-large")
    );
    // Who announces nothing is stopped where it is too much.
    let chunked = head("Transfer-Encoding: chunked");
    let chunk = [&b"1000\r\n"[..], &[b' '; 0x1000], b"\r\n"].concat();
    let mut parts = vec![chunked.as_bytes()];
    parts.extend(vec![&chunk[..]; MOST_BYTES / 0x1000 + 1]);
    let (status, body) = send(url, &parts).await;
    assert_eq!(
        (status, kind(&body)),
        (413, "urn:tria:problem:body-too-large")
    );
    let said = door.ask(&whole(MOST_BYTES)).await;
    assert_eq!(said.status, 200, "{}", said.body);

    // Who begins and never ends is sent away.
    let begun = head("Content-Length: 100");
    let (status, body) = send(url, &[begun.as_bytes(), b"{\"message\":"]).await;
    assert_eq!((status, kind(&body)), (408, "urn:tria:problem:slow-body"));
    let alive = get(&format!("{url}/livez")).await.expect("an answer");
    assert_eq!(alive.status, 200);
}

/// A server that closes while somebody still sends takes back its own answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_far_too_much_still_learns_why() {
    let open = Shop::shared().await;
    let door = Door::of(&open.url);
    for _ in 0..100 {
        let said = door.ask(&Post::raw(vec![b' '; 512 * 1024])).await;
        said.expect_problem(413, "body-too-large");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_is_told_by_name_and_leaves_nothing() {
    let open = Shop::shared().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
    ] {
        let mut post = Post::of("ann", "hello");
        post.content_type = content_type.to_owned();
        refused(&open, &post, 415, "content-type").await;
    }
    let deep = format!(
        "{{\"message\":{}{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    for body in [
        &b""[..],
        b"hello",
        b"{\"message\":\"hello\"",
        b"[\"hello\"]",
        b"null",
        b"{\"message\":\"\xff\xfe\"}",
        b"{\"message\":\"\\ud800\"}",
        b"{\"message\":\"hello\",\"message\":\"goodbye\"}",
        b"{\"message\":\"hello\"} trailing",
        deep.as_bytes(),
    ] {
        let said = refused(&open, &Post::raw(body), 400, "malformed-body").await;
        // The parser's words hold nothing of what was sent.
        assert!(
            !said.body["detail"].as_str().unwrap().contains("goodbye"),
            "{}",
            said.body
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_field_that_does_not_fit_is_named_and_nothing_is_written() {
    let open = Shop::shared().await;
    for (body, pointer, part) in [
        (json!({}), "/message", "missing"),
        (json!({ "message": null }), "/message", "missing"),
        (json!({ "message": 7 }), "/message", "a number, not a text"),
        (json!({ "message": " \t\n" }), "/message", "empty"),
        (
            json!({ "message": "x".repeat(4_001) }),
            "/message",
            "4001 characters",
        ),
        (json!({ "message": "a\u{0}b" }), "/message", "character 2"),
        (
            json!({ "message": "a\u{1b}[31m" }),
            "/message",
            "control character",
        ),
        (
            json!({ "message": "hello", "mesage": "hello" }),
            "/mesage",
            "did you mean `message`",
        ),
        (
            json!({ "message": "hello", "userid": "ann" }),
            "/userid",
            "did you mean `user_id`",
        ),
        (
            json!({ "message": "hello", "user_id": "guest-1" }),
            "/user_id",
            "guest-",
        ),
        (
            json!({ "message": "hello", "user_id": "u".repeat(256) }),
            "/user_id",
            "256 characters",
        ),
        (
            json!({ "message": "hello", "outlet_id": -1 }),
            "/outlet_id",
            "below 1",
        ),
        (
            json!({ "message": "hello", "outlet_id": 1.5 }),
            "/outlet_id",
            "whole number",
        ),
        (
            json!({ "message": "hello", "outlet_id": 9_999 }),
            "/outlet_id",
            "no outlet",
        ),
        (
            json!({ "message": "hello", "outlet_name": "Trattoria Nowhere" }),
            "/outlet_name",
            "no outlet",
        ),
        (
            json!({ "message": "hello", "language": "English" }),
            "/language",
            "no language tag",
        ),
    ] {
        let said = refused(&open, &Post::new(&body), 422, "invalid-request").await;
        let errors = said.body["errors"].as_array().unwrap();
        let told = errors.iter().find(|it| it["pointer"] == pointer);
        let told = told.unwrap_or_else(|| panic!("{pointer}: {}", said.body));
        assert!(told["detail"].as_str().unwrap().contains(part), "{told}");
    }
    // Everything that is wrong is told at once.
    let body = json!({ "user_id": 7, "outlet_id": "x", "colour": "red" });
    let said = refused(&open, &Post::new(&body), 422, "invalid-request").await;
    assert_eq!(
        said.body["errors"].as_array().unwrap().len(),
        4,
        "{}",
        said.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_just_not_too_much_is_answered() {
    let open = Shop::shared().await;
    let door = Door::of(&open.url);
    let said = door.ask(&Post::of(&"ü".repeat(255), "hello")).await;
    assert_eq!(said.status, 200, "{}", said.body);
    let odd = "hello\tthere,\r\nTria \u{1f355}\u{200d}";
    let said = door.ask(&Post::of("ann", odd)).await;
    assert_eq!(said.status, 200, "{}", said.body);
}

/// Longer than a model for embeddings takes in, which must not count against the model.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_as_long_as_may_be_is_answered_and_harms_nobody_else() {
    let shop = Shop::new().await;
    let (_running, url) = shop.open();
    let door = Door::of(&url);
    let order = "5 packs of pizza savers for Napoli Express. ";
    let thanks = "Thank you for all that you do for us, and for the quick delivery. ";
    let long = format!("{order}{}", thanks.repeat(60))[..4_000].to_owned();
    let mut statuses = Vec::new();
    for message in [long, "ß".repeat(4_000)] {
        statuses.push(door.ask(&Post::of("ann", &message)).await.status);
    }
    let other = door.ask(&Post::of("bob", "hello")).await;
    assert_eq!(other.status, 200, "{}", other.body);
    assert_eq!(statuses, [200, 200]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_methods_and_paths_are_problems_too() {
    let open = Shop::shared().await;
    let url = &open.url;
    for (path, status) in [
        ("/api/chatbot", 405),
        ("/api/chatbot/stream", 405),
        ("/api/chatbots", 404),
    ] {
        let said = get(&format!("{url}{path}")).await.expect("an answer");
        assert_eq!(said.status, status, "{path}");
        assert_eq!(said.headers["content-type"], "application/problem+json");
        assert_eq!(said.body["status"], status, "{}", said.body);
        assert!(said.body["request_id"].is_string(), "{}", said.body);
        if status == 405 {
            assert_eq!(said.headers["allow"], "POST", "{path}");
        }
    }
    for path in ["/", "/docs/", "/openapi.json", "/chat.js", "/chat.css"] {
        let said = get(&format!("{url}{path}")).await.expect("an answer");
        assert_eq!(said.status, 200, "{path}");
    }
}
