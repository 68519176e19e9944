//! Accepting, also when there is no room.

use std::{
    env,
    process::{Command, Stdio},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;
use tria_lifecycle::serve::{ServeError, Server};

use super::{
    client::{Client, PATIENCE, get},
    rig::{Rig, ms},
};

const CHILD: &str = "serving::accepting::child_with_few_descriptors";

#[tokio::test]
async fn a_port_that_somebody_else_has() {
    let rig = Rig::start();
    let error = Server::bind(rig.address).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", rig.address)
    );
    assert!(matches!(error, ServeError::Bind { .. }));
}

#[tokio::test]
async fn a_listener_of_somebody_else() {
    let listener = tokio::net::TcpListener::bind("[::1]:0").await.unwrap();
    let server = Server::from_listener(listener).unwrap();
    let address = server.local_addr();
    let signal = server.drain_signal();
    let handle = server.serve(axum::Router::new());
    assert_eq!(handle.local_addr(), address);
    let mut client = Client::connect(address).await.unwrap();
    assert_eq!(client.ask("/").await.status, 404);
    handle.drain().await;
    assert!(signal.is_sent());
}

#[tokio::test]
async fn when_all_connections_are_taken_idle_ones_make_room() {
    let rig = Rig::with(|server| server.max_connections(3));
    let mut idlest = rig.idle().await;
    let mut idle = rig.idle().await;
    let mut busy = rig.busy().await;
    let mut fourth = rig.connect().await;
    let answer = fourth.ask("/").await;
    assert_eq!(answer.status, 200);
    idlest.end().await.unwrap();
    let answer = idle.ask("/").await;
    assert_eq!(answer.status, 200, "it was left alone");
    rig.gate.open();
    assert_eq!(busy.answer().await.body, "done");
}

#[tokio::test]
async fn when_all_connections_are_busy_the_next_one_waits() {
    let rig = Rig::with(|server| server.max_connections(1));
    let mut busy = rig.busy().await;
    let mut waiting = rig.connect().await;
    waiting.send(&get("/")).await;
    assert!(
        timeout(ms(100), waiting.sip(1)).await.is_err(),
        "there is no room yet"
    );
    assert_eq!(rig.handle.load().connections, 1);
    rig.gate.open();
    let answer = busy.answer().await;
    assert!(answer.closes, "it makes room with its answer");
    assert_eq!(waiting.answer().await.body, "ok");
    // With room for all connections are kept again.
    assert!(!waiting.ask("/").await.closes);
}

#[tokio::test]
async fn who_waits_for_room_at_the_close_is_served() {
    let rig = Rig::with(|server| server.max_connections(1));
    let mut busy = rig.busy().await;
    let mut first = rig.connect().await;
    let mut second = rig.connect().await;
    for client in [&mut first, &mut second] {
        client.send(&get("/")).await;
    }
    assert!(timeout(ms(50), first.sip(1)).await.is_err(), "it waits");
    let clients = async {
        for client in [&mut first, &mut second] {
            assert_eq!(client.answer().await.body, "ok");
        }
        rig.gate.open();
        assert_eq!(busy.answer().await.body, "done");
    };
    let (report, ()) = tokio::join!(rig.handle.drain(), clients);
    assert_eq!((report.in_flight_at_start, report.arrived), (1, 2));
    assert_eq!(report.finished, 3);
}

#[tokio::test]
async fn no_descriptors_left_does_not_end_accepting() {
    let child = Command::new(env::current_exe().unwrap())
        .args([CHILD, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}");
    assert!(said.contains("all were served"), "{said}");
}

/// Runs as a process of its own: the limit is the whole process's.
#[tokio::test]
#[ignore = "the child of the test above"]
async fn child_with_few_descriptors() {
    let rig = Rig::start();
    let mut client = rig.idle().await;
    let hard = getrlimit(Resource::Nofile).maximum;
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    // Room for the clients' ends, and for a few of the server's.
    let limit = |current| Rlimit {
        current: Some(current),
        maximum: hard,
    };
    let clients = 20;
    setrlimit(Resource::Nofile, limit(open + clients + 5)).unwrap();
    let waiting: Vec<_> = (0..clients)
        .map(|_| Client::connect_at_once(rig.address, &get("/gate")))
        .collect();
    while rig.gate.entered() < 3 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(ms(100)).await;
    let accepted = rig.gate.entered();
    assert!(accepted < 20, "{accepted} accepted: the limit does nothing");
    // Whoever is connected is served all the same, unless it made room.
    client.send_if_open(&get("/")).await;
    rig.gate.open();
    for mut client in waiting {
        let answer = timeout(PATIENCE, client.answer()).await.unwrap();
        assert_eq!(answer.body, "done");
        // With it its descriptors go, and make room for the next.
    }
    println!("all were served, {accepted} at first");
    let report = rig.handle.drain().await;
    assert!(report.is_clean(), "{report:?}");
}
