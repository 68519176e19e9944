//! Exchanges that break, with and without a server at the other end.

use tokio::{net::TcpSocket, time::timeout};
use tria_check::{Check, Phase, Registry, Runner};
use tria_llm_check::codes;

use super::{
    raw_server::{RawServer, Then},
    *,
};

const SOON: Duration = Duration::from_millis(300);

async fn outcome_of(then: Then) -> Outcome {
    let server = RawServer::start(then).await;
    let check = LlmCheck::new(&endpoint(&server.base()), MODEL);
    verified(&check.timeout(Duration::from_secs(2))).await
}

#[tokio::test]
async fn a_refused_port_is_waited_for() {
    // Bound, so that nobody else takes it, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let check = LlmCheck::new(&endpoint(&format!("http://{address}/v1")), MODEL);
    let outcome = verified(&check).await;
    assert_transient(&outcome, codes::CONNECT_REFUSED, None);
    assert!(
        detail(&outcome).contains(&address.to_string()),
        "{}",
        detail(&outcome)
    );
    assert!(!outcome.text().as_str().contains("127.0.0.1"));
}

#[tokio::test]
async fn a_name_without_an_address_is_waited_for() {
    let check = LlmCheck::new(&endpoint("http://no-such-host.invalid/v1"), MODEL);
    let outcome = verified(&check).await;
    assert_transient(&outcome, codes::DNS_FAILED, None);
}

#[tokio::test]
async fn a_hanging_server_is_left_before_the_deadline() {
    let mut server = RawServer::start(Then::Hang).await;
    let check = LlmCheck::new(&endpoint(&server.base()), MODEL).timeout(SOON);
    let outcome = verified(&check).await;
    assert_transient(&outcome, codes::RESPONSE_TIMEOUT, None);
    assert!(
        outcome.text().as_str().contains("no answer within"),
        "{outcome:?}"
    );
    let clients = server.requests();
    assert!(clients >= 1);
    timeout(Duration::from_secs(5), server.until_left(clients))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dropped_check_leaves_the_server() {
    let mut server = RawServer::start(Then::Hang).await;
    let check = LlmCheck::new(&endpoint(&server.base()), MODEL).timeout(Duration::from_secs(60));
    let registry = Registry::builder().register(check).build().unwrap();
    let (_phase, phases) = tokio::sync::watch::channel(Phase::Starting);
    let runner = Runner::new(registry, phases);
    let run = tokio::spawn({
        let runner = runner.clone();
        async move { runner.run("openai").await.unwrap() }
    });
    timeout(Duration::from_secs(5), async {
        while server.requests() == 0 {
            tokio::task::yield_now().await;
        }
        runner.cancel();
        server.until_left(1).await;
    })
    .await
    .unwrap();
    assert_eq!(run.await.unwrap().outcome.code(), Code::CANCELLED);
}

#[tokio::test]
async fn a_drip_of_bytes_does_not_keep_the_check_alive() {
    let server = RawServer::start(Then::Drip).await;
    let check = LlmCheck::new(&endpoint(&server.base()), MODEL).timeout(SOON / 3);
    assert_transient(&verified(&check).await, codes::RESPONSE_TIMEOUT, None);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_waited_for() {
    for answer in [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":\"gpt",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
    ] {
        let outcome = outcome_of(Then::Send(answer.into())).await;
        assert_transient(&outcome, codes::CONNECTION_LOST, None);
    }
}

#[tokio::test]
async fn an_error_that_breaks_off_still_has_its_status() {
    let answer = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 1000\r\n\r\n{\"err";
    let outcome = outcome_of(Then::Send(answer.into())).await;
    assert_permanent(&outcome, codes::AUTH_FAILED);
}

#[tokio::test]
async fn another_protocol_is_named() {
    for greeting in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "-ERR unknown command\r\n",
        "\u{16}\u{3}\u{1}\u{0}\r\n\r\n",
    ] {
        let outcome = outcome_of(Then::Send(greeting.into())).await;
        assert_permanent(&outcome, codes::NOT_OPENAI_API);
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000)).into_bytes();
    let outcome = outcome_of(Then::SendForEver(head, chunk.clone())).await;
    assert_permanent(&outcome, codes::BODY_TOO_LARGE);
    let head = b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let outcome = outcome_of(Then::SendForEver(head, chunk)).await;
    assert_transient(&outcome, codes::SERVER_ERROR, None);
}

#[tokio::test]
async fn a_large_list_is_read_and_a_huge_one_is_not() {
    let ids: Vec<String> = (0..2000)
        .map(|n| format!("model-{n}-{}", "x".repeat(200)))
        .collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.push(MODEL);
    let server = MockServer::start().await;
    on(&server, "GET", "/v1/models", list(&ids)).await;
    assert_passed(&verified(&check_of(&server)).await);
    let server = answering(json(200, &" ".repeat(5 * 1024 * 1024))).await;
    assert_permanent(&verified(&check_of(&server)).await, codes::BODY_TOO_LARGE);
}

#[tokio::test]
async fn the_meta_of_the_check_is_what_was_asked_for() {
    let endpoint = endpoint("http://127.0.0.1:1/v1");
    let check = LlmCheck::new(&endpoint, MODEL);
    assert_eq!(check.meta().name(), "openai");
    assert!(check.meta().is_critical());
    let check = check
        .criticality(tria_check::Criticality::Optional)
        .groups([tria_check::Group::Startup])
        .timeout(SOON)
        .name("llm");
    let meta = check.meta();
    assert!(!meta.is_critical() && !meta.is_in(tria_check::Group::Readiness));
    assert_eq!((meta.name(), meta.get_timeout()), ("llm", SOON));
    assert!(meta.validate().is_ok() && meta.declared_codes() == codes::ALL);
}
