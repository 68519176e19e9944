//! Requests just before and just after each step of the end, on connections that are new, idle
//! and busy. The tests have one thread: nothing happens between two lines without an `await`.

use tokio::task::yield_now;

use super::{
    client::{Client, get, is_refused},
    rig::{Rig, ms},
};

#[tokio::test]
async fn while_it_serves_connections_are_kept() {
    let rig = Rig::start();
    let mut client = rig.idle().await;
    let answer = client.ask("/").await;
    assert_eq!((answer.status, answer.closes), (200, false));
    let peer = client.ask("/peer").await.body;
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    assert_eq!(client.ask("/nothing").await.status, 404);
    let load = rig.handle.load();
    assert_eq!((load.connections, load.requests), (1, 0));
}

/// hyperium/hyper#3792: closing idle connections races with requests on their way. In the pre-drain
/// they stay open, and their clients are asked to leave with their next answer.
#[tokio::test]
async fn in_the_pre_drain_everybody_is_served_and_sent_away() {
    let rig = Rig::start();
    let mut idle = rig.idle().await;
    let mut untouched = rig.idle().await;
    let mut just_before = Client::connect_at_once(rig.address, &get("/"));
    let mut just_before_reused = rig.idle().await;
    just_before_reused.send_at_once(&get("/"));
    let mut busy = rig.busy().await;

    rig.handle.pre_drain();
    let mut just_after = Client::connect_at_once(rig.address, &get("/"));
    for client in [&mut just_before, &mut just_before_reused, &mut just_after] {
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
    let mut long_after = rig.connect().await;
    for client in [&mut idle, &mut long_after] {
        assert!(client.ask("/").await.closes);
        client.end().await.unwrap();
    }
    assert!(!rig.handle.drain_signal().is_sent(), "streams may go on");
    rig.gate.open();
    assert!(busy.answer().await.closes);
    busy.end().await.unwrap();
    assert!(untouched.ask("/").await.closes, "it was left alone");
}

#[tokio::test]
async fn an_answer_under_way_at_the_pre_drain_is_followed_by_one_that_closes() {
    let rig = Rig::start();
    let mut client = rig.connect().await;
    client.send(&get("/half")).await;
    rig.gate.until_entered(1).await;
    rig.handle.pre_drain();
    rig.gate.open();
    let answer = client.answer().await;
    assert_eq!((answer.body.as_str(), answer.closes), ("half done", false));
    assert!(client.ask("/").await.closes);
    client.end().await.unwrap();
}

/// The kernel has accepted them; with the listener they would be reset.
#[tokio::test]
async fn connections_in_the_kernels_queue_are_served_at_the_close() {
    let rig = Rig::start();
    yield_now().await;
    let mut waiting: Vec<_> = (0..100)
        .map(|_| Client::connect_at_once(rig.address, &get("/")))
        .collect();
    let mut silent = Client::connect_at_once(rig.address, "");
    let drained = rig.handle.drain();
    let clients = async {
        for client in &mut waiting {
            let answer = client.answer().await;
            assert_eq!((answer.body.as_str(), answer.closes), ("ok", true));
            client.end().await.unwrap();
        }
        assert!(is_refused(rig.address));
        // Its request was on its way.
        assert!(silent.ask("/").await.closes);
        silent.end().await.unwrap();
    };
    let (report, ()) = tokio::join!(drained, clients);
    assert_eq!((report.arrived, report.finished), (101, 101));
    assert_eq!(report.in_flight_at_start, 0);
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_request_that_the_runtime_has_not_seen_yet_is_served_at_the_close() {
    let rig = Rig::start();
    let mut just_before = rig.idle().await;
    let mut idle = rig.idle().await;
    just_before.send_at_once(&get("/"));
    let clients = async {
        let answer = just_before.answer().await;
        assert_eq!((answer.body.as_str(), answer.closes), ("ok", true));
        just_before.end().await.unwrap();
        idle.end().await.unwrap();
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert_eq!((report.arrived, report.finished), (1, 1));
    assert_eq!(report.connections_at_start, 2);
}

#[tokio::test]
async fn what_is_in_flight_at_the_close_is_finished() {
    let rig = Rig::start();
    let mut busy = rig.busy().await;
    let mut half = rig.connect().await;
    half.send(&get("/half")).await;
    rig.gate.until_entered(2).await;
    let clients = async {
        yield_now().await;
        while !is_refused(rig.address) {
            yield_now().await;
        }
        let load = rig.handle.load();
        assert_eq!((load.connections, load.requests), (2, 2));
        rig.gate.open();
        let answer = busy.answer().await;
        assert_eq!((answer.body.as_str(), answer.closes), ("done", true));
        assert_eq!(half.answer().await.body, "half done");
        busy.end().await.unwrap();
        half.end().await.unwrap();
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert_eq!((report.in_flight_at_start, report.finished), (2, 2));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(rig.handle.drain_report(), Some(report));
    assert_eq!(rig.handle.load(), tria_lifecycle::serve::Load::default());
}

/// A client may put its next request behind one that is in flight.
#[tokio::test]
async fn a_request_behind_one_in_flight_is_answered_where_the_head_promised_it() {
    let rig = Rig::start();
    let mut client = rig.connect().await;
    client.send(&get("/half")).await;
    rig.gate.until_entered(1).await;
    let clients = async {
        while rig.handle.load().requests == 0 || !is_refused(rig.address) {
            yield_now().await;
        }
        client.send_at_once(&get("/"));
        rig.gate.open();
        assert_eq!(client.answer().await.body, "half done");
        assert!(client.answer().await.closes);
        client.end().await.unwrap();
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert_eq!((report.arrived, report.finished), (1, 2));
}

#[tokio::test]
async fn a_body_that_is_still_coming_in_is_read_to_its_end() {
    let rig = Rig::start();
    let mut client = rig.connect().await;
    client
        .send("POST /gate HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nfour")
        .await;
    rig.gate.until_entered(1).await;
    let clients = async {
        yield_now().await;
        client.send("more").await;
        rig.gate.open();
        assert_eq!(client.answer().await.body, "done");
        client.end().await.unwrap();
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_drain_that_is_asked_for_twice_takes_the_shorter_patience() {
    let rig = Rig::start();
    let _busy = rig.busy().await;
    let short = async {
        yield_now().await;
        let deadline = tokio::time::Instant::now() + ms(50);
        rig.handle.drain_until(deadline).await
    };
    let (long, short) = tokio::join!(rig.handle.drain(), short);
    assert_eq!(long, short);
    assert_eq!((long.aborted_requests, long.aborted_connections), (1, 1));
    assert!(long.elapsed < ms(5000), "{long:?}");
    assert_eq!(rig.handle.drain().await, long);
    let error = long.clean().unwrap_err().to_string();
    assert!(
        error.starts_with("1 requests and 1 connections were cut off"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_that_goes_away_is_abandoned_and_holds_up_nothing() {
    let rig = Rig::start();
    let busy = rig.busy().await;
    let clients = async {
        yield_now().await;
        drop(busy);
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert_eq!((report.in_flight_at_start, report.abandoned), (1, 1));
    assert_eq!(report.finished, 0);
    assert!(report.is_clean(), "{report:?}");
}
