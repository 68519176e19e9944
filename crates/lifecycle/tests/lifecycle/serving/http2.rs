//! The end on HTTP/2: GOAWAY instead of `Connection: close`.

use std::future::poll_fn;

use axum::body::Bytes;
use h2::client::SendRequest;
use hyper::Request;
use tokio::{
    net::TcpStream,
    task::{JoinHandle, yield_now},
    time::{sleep, timeout},
};

use super::{
    client::PATIENCE,
    rig::{Rig, ms},
};

/// A connection; it ends by itself when the server says GOAWAY and the last answer is here.
struct Http2 {
    requests: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    async fn connect(rig: &Rig) -> Self {
        let tcp = TcpStream::connect(rig.address).await.unwrap();
        let (requests, connection) = h2::client::handshake(tcp).await.unwrap();
        Self {
            requests,
            connection: tokio::spawn(connection),
        }
    }

    /// The body of the answer.
    async fn ask(&mut self, path: &str) -> Result<String, h2::Error> {
        let uri = format!("http://test{path}");
        let request = Request::get(uri).body(()).unwrap();
        poll_fn(|cx| self.requests.poll_ready(cx)).await?;
        let (answer, _) = self.requests.send_request(request, true)?;
        let mut body = answer.await?.into_body();
        let mut text = String::new();
        while let Some(bytes) = body.data().await {
            let bytes = bytes?;
            let _ = body.flow_control().release_capacity(bytes.len());
            text += std::str::from_utf8(&bytes).unwrap();
        }
        Ok(text)
    }

    /// Waits until the server has ended it without an error.
    async fn end(self) {
        let Self {
            requests,
            connection,
        } = self;
        let end = timeout(PATIENCE, connection).await.expect("it hangs");
        drop(requests);
        end.unwrap().unwrap();
    }
}

#[tokio::test]
async fn in_the_pre_drain_a_client_is_told_to_go_away_with_its_answer() {
    let rig = Rig::start();
    let mut idle = Http2::connect(&rig).await;
    assert_eq!(idle.ask("/").await.unwrap(), "ok");
    let mut busy = Http2::connect(&rig).await;
    let asked = tokio::spawn(async move { (busy.ask("/gate").await.unwrap(), busy) });
    rig.gate.until_entered(1).await;
    let mut fresh = Http2::connect(&rig).await;

    rig.handle.pre_drain();
    idle.end().await;
    assert_eq!(fresh.ask("/").await.unwrap(), "ok", "it may ask first");
    fresh.end().await;
    let mut new = Http2::connect(&rig).await;
    assert_eq!(new.ask("/").await.unwrap(), "ok");
    new.end().await;

    rig.gate.open();
    let (answer, busy) = asked.await.unwrap();
    assert_eq!(answer, "done");
    busy.end().await;
    assert_eq!(rig.handle.load().connections, 0);
}

#[tokio::test]
async fn at_the_close_streams_in_flight_are_finished() {
    let rig = Rig::start();
    let mut idle = Http2::connect(&rig).await;
    assert_eq!(idle.ask("/").await.unwrap(), "ok");
    let mut busy = Http2::connect(&rig).await;
    assert_eq!(busy.ask("/large").await.unwrap().len(), 300_000);
    let asked = tokio::spawn(async move { (busy.ask("/half").await.unwrap(), busy) });
    rig.gate.until_entered(1).await;
    let clients = async {
        idle.end().await;
        yield_now().await;
        rig.gate.open();
        let (answer, busy) = asked.await.unwrap();
        assert_eq!(answer, "half done");
        busy.end().await;
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert_eq!((report.in_flight_at_start, report.finished), (1, 1));
    assert!(report.is_clean(), "{report:?}");
}

/// A client that answers no ping must not hold up the end.
#[tokio::test]
async fn a_client_that_does_not_react_is_waited_for_no_longer_than_a_moment() {
    let rig = Rig::start();
    let mut client = Http2::connect(&rig).await;
    assert_eq!(client.ask("/").await.unwrap(), "ok");
    // Nobody reads any more, and the socket stays open.
    let socket = {
        let tcp = TcpStream::connect(rig.address).await.unwrap();
        let (mut requests, mut connection) = h2::client::handshake::<_>(tcp).await.unwrap();
        let request = Request::get("http://test/").body(()).unwrap();
        let (answer, _) = requests.send_request(request, true).unwrap();
        tokio::select! {
            answer = answer => assert_eq!(answer.unwrap().status(), 200),
            end = &mut connection => panic!("{end:?}"),
        }
        (requests, connection)
    };
    let report = rig.handle.drain().await;
    assert!(report.is_clean(), "{report:?}");
    assert!((ms(400)..ms(5000)).contains(&report.elapsed), "{report:?}");
    drop(socket);
    client.end().await;
}

#[tokio::test]
async fn at_the_deadline_streams_are_cut_off() {
    let rig = Rig::with(|server| server.drain_timeout(ms(100)));
    let mut client = Http2::connect(&rig).await;
    let asked = tokio::spawn(async move { client.ask("/gate").await });
    rig.gate.until_entered(1).await;
    let report = rig.handle.drain().await;
    assert_eq!(
        (report.aborted_requests, report.aborted_connections),
        (1, 1)
    );
    asked.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_for_on_http2_too() {
    let rig = Rig::start();
    let mut client = Http2::connect(&rig).await;
    assert_eq!(client.ask("/panic").await.unwrap(), "");
    client.ask("/panic-later").await.unwrap_err();
    assert_eq!(client.ask("/").await.unwrap(), "ok");
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go_away_in_the_end() {
    let rig = Rig::with(|server| server.idle_timeout(ms(800)).header_read_timeout(ms(50)));
    let mut client = Http2::connect(&rig).await;
    sleep(ms(200)).await;
    assert_eq!(client.ask("/").await.unwrap(), "ok", "it was kept");
    client.end().await;
}
