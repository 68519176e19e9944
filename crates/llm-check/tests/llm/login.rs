//! A new connection beside those that are kept.

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tria_check::{Cost, Criticality, Group};
use tria_devstack::{FaultProxy, Mode, SharedStack};
use tria_llm_check::{LoginCheck, codes};

use super::{raw_server::read_head, *};

fn login(options: &EndpointOptions, model: &str) -> LoginCheck {
    let endpoint = options.clone().keep_connections(false).build().unwrap();
    LoginCheck::new(&endpoint, model).configure(|meta| meta.timeout(Duration::from_secs(2)))
}

async fn conforms(login: &LoginCheck) -> Outcome {
    Kit::new().secret(KEY).verify(login).await.unwrap()
}

fn at(key: &str, proxy: &FaultProxy) -> EndpointOptions {
    EndpointOptions::new(key)
        .base_url(format!("http://{}/v1", proxy.address()))
        .connect_timeout(Duration::from_secs(1))
}

async fn proxy(stack: &SharedStack) -> FaultProxy {
    let upstream = format!("127.0.0.1:{}", stack.model_port());
    FaultProxy::start(upstream).await.unwrap()
}

#[tokio::test]
async fn it_degrades_readiness_and_is_asked_once_a_minute_at_most() {
    let login = login(&options("http://127.0.0.1:1/v1"), MODEL);
    let meta = login.meta();
    assert_eq!(meta.name(), "openai.login");
    assert!(meta.is_in(Group::Readiness) && meta.is_in(Group::Diagnostics));
    assert!(!meta.is_in(Group::Startup) && !meta.is_in(Group::Liveness));
    assert_eq!(meta.get_criticality(), Criticality::Optional);
    assert_eq!(meta.get_cost(), Cost::Metered);
    assert_eq!(meta.effective_period(), Duration::from_secs(60));
}

#[tokio::test]
async fn every_run_opens_a_connection_and_keeps_none() {
    let stack = tria_devstack::shared().await.unwrap();
    let mut proxy = proxy(&stack).await;
    let options = at(stack.model_key(), &proxy);
    let login = login(&options, stack.chat_model());
    for opened in 1..4 {
        let outcome = once(&login).await;
        assert_passed(&outcome);
        assert_eq!(
            texts(&outcome),
            ["A new connection to the OpenAI-compatible API works, and the key is not refused"]
        );
        assert_eq!(proxy.accepted(), opened);
    }

    let kit = Kit::new().secret(stack.model_key());
    for (mode, code) in [
        (Mode::Pass, Code::OK),
        (Mode::Refuse, codes::CONNECT_REFUSED),
        (Mode::ResetMidReply, codes::CONNECTION_LOST),
        (Mode::Garbage, codes::NOT_OPENAI_API),
    ] {
        proxy.set(mode).await;
        let outcome = kit.verify(&login).await.unwrap();
        assert_eq!(outcome.code(), code, "{mode:?}: {}", detail(&outcome));
    }
    let hasty = login.configure(|meta| meta.timeout(Duration::from_millis(300)));
    proxy.set(Mode::BlackHole).await;
    let outcome = kit.verify(&hasty).await.unwrap();
    assert_transient(&outcome, codes::RESPONSE_TIMEOUT, None);
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_a_real_server() {
    let stack = tria_devstack::shared().await.unwrap();
    let proxy = proxy(&stack).await;
    let outcome = conforms(&login(&at(KEY, &proxy), stack.chat_model())).await;
    assert_permanent(&outcome, codes::AUTH_FAILED);
}

#[tokio::test]
async fn what_is_said_of_the_key_is_true() {
    let accepted = "and the key is accepted";
    let missing = r#"{"error":{"message":"no","code":"model_not_found"}}"#;
    for (answer, told) in [
        (model(MODEL), accepted),
        (json(404, missing), accepted),
        (json(404, "{}"), "and the key is not refused"),
    ] {
        let server = answering(answer).await;
        let base = format!("{}/v1", server.uri());
        let outcome = conforms(&login(&options(&base), MODEL)).await;
        assert_passed(&outcome);
        assert!(outcome.text().as_str().ends_with(told), "{outcome:?}");
        let keyless = EndpointOptions::new("").base_url(base);
        let outcome = conforms(&login(&keyless, MODEL)).await;
        assert!(outcome.text().as_str().ends_with("without a key"));
    }
}

/// A server whose door can be shut while those inside are served on.
struct Inside {
    base: String,
    door: JoinHandle<()>,
}

impl Inside {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let door = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { base, door }
    }

    async fn shut(self) {
        self.door.abort();
        assert!(self.door.await.unwrap_err().is_cancelled());
    }
}

async fn serve(mut stream: TcpStream) {
    let body = format!(r#"{{"id":"{MODEL}"}}"#);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    while read_head(&mut stream).await {
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// n8n-io/n8n#15480: what is open stays good, and hides that nothing new can be opened.
#[tokio::test]
async fn a_connection_that_is_kept_hides_what_a_new_one_finds() {
    let server = Inside::start().await;
    let options = options(&server.base);
    let pooled = LlmCheck::new(&options.build().unwrap(), MODEL);
    let login = login(&options, MODEL);
    assert_passed(&once(&pooled).await);
    assert_passed(&conforms(&login).await);
    server.shut().await;
    assert_passed(&once(&pooled).await);
    assert_transient(&conforms(&login).await, codes::CONNECT_REFUSED, None);
}
