//! How patient the server is while it serves.

use std::{convert::Infallible, time::Instant};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{net::TcpListener, time::sleep};

use super::{
    client::Client,
    rig::{Rig, ms},
};

#[tokio::test]
async fn the_head_of_a_request_must_come_in_time() {
    let rig = Rig::with(|server| server.header_read_timeout(ms(200)));
    let begun = Instant::now();
    let mut silent = rig.connect().await;
    let mut half = rig.connect().await;
    half.send("GET / HTT").await;
    let mut trickles = rig.idle().await;
    sleep(ms(150)).await;
    trickles.send("GET").await;
    let clients = async {
        silent.end().await.unwrap();
        half.end().await.unwrap();
    };
    let trickle = async {
        // Each byte is in time, all of them are not.
        while trickles.send_if_open(" ").await {
            sleep(ms(20)).await;
        }
        begun.elapsed()
    };
    let ((), elapsed) = tokio::join!(clients, trickle);
    assert!((ms(350)..ms(3000)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test]
async fn an_idle_connection_has_a_limit_of_its_own() {
    let rig = Rig::with(|server| {
        server
            .header_read_timeout(ms(100))
            .idle_timeout(ms(1000))
            .nodelay(false)
    });
    let mut client = rig.idle().await;
    sleep(ms(400)).await;
    assert_eq!(client.ask("/").await.status, 200, "it was kept");
    let begun = Instant::now();
    client.end().await.unwrap();
    let elapsed = begun.elapsed();
    assert!((ms(800)..ms(5000)).contains(&elapsed), "{elapsed:?}");
}

/// Why the limits are our own: hyper's header timeout also ends idle connections, and with the
/// builder that tells the protocols apart a connection that sends nothing is under no limit.
#[tokio::test]
async fn hyper_alone_has_one_limit_for_both_and_none_for_the_first_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder
                    .http1()
                    .timer(TokioTimer::new())
                    .header_read_timeout(ms(100));
                let service = service_fn(async |_: Request<Incoming>| {
                    Ok::<_, Infallible>(Response::new(String::from("ok")))
                });
                let _ = builder.serve_connection(TokioIo::new(tcp), service).await;
            });
        }
    });
    let mut idle = Client::connect(address).await.unwrap();
    assert_eq!(idle.ask("/").await.body, "ok");
    idle.end().await.unwrap();
    let mut silent = Client::connect(address).await.unwrap();
    sleep(ms(300)).await;
    assert_eq!(silent.ask("/").await.body, "ok", "it is still there");
}

#[tokio::test]
async fn limits_beyond_the_clock_are_no_limits() {
    let forever = std::time::Duration::MAX;
    let rig = Rig::with(|server| {
        server
            .header_read_timeout(forever)
            .idle_timeout(forever)
            .drain_timeout(forever)
            .http2_ping(forever, forever)
    });
    let mut client = rig.idle().await;
    let report = rig.handle.drain().await;
    assert!(report.is_clean(), "{report:?}");
    client.end().await.unwrap();
    drop(rig.handle.hook("http"));
}
