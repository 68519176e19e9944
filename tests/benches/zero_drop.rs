//! What a restart costs: requests that are lost while two servers behind a balancer are restarted
//! in turn, and how long a server takes from SIGTERM to its end.
//!
//! The balancer asks each server for its readiness every 100 ms and never asks for anything
//! twice. The control is a bare axum server with graceful shutdown, on the same machine in the
//! same run. `cargo bench --bench zero_drop -- 5` restarts 5 times instead of 20.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;
use tria_tests::{
    Balancer, Candidate, ClosedPort, Connection, DeafClient, Fixture, Plan, Programs, Running,
    Spread, Style, Tally,
};

const RESTARTS: usize = 20;
const CLIENTS: [u32; 2] = [64, 200];
const PER_SECOND: u32 = 1000;
/// Stops of each kind.
const STOPS: usize = 7;
const IDLE_CONNECTIONS: usize = 500;
/// How long the control is waited for where it has no deadline.
const GIVE_UP: Duration = Duration::from_secs(5);

/// What is to be stopped, and by what names the tables call it.
const PATIENT: Candidate = Candidate::Tria { pre_drain: "3s" };
const AT_ONCE: Candidate = Candidate::Tria { pre_drain: "0s" };
const BARE: Candidate = Candidate::BareAxum;

/// What a server is at when it is told to stop.
#[derive(Clone, Copy)]
enum Scene {
    Idle,
    IdleConnections,
    Load,
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let restarts = std::env::args().find_map(|argument| argument.parse().ok());
    let mut fixture = Fixture::migrated().await;
    fixture.set("DRAIN", "1s");
    let programs = Programs {
        fixture: &fixture,
        bare_axum: env!("CARGO_BIN_EXE_bare-axum"),
    };
    let begun = Instant::now();
    println!("load average {}", load_average());
    lost_requests(&programs, restarts.unwrap_or(RESTARTS)).await;
    time_to_end(&programs).await;
    overrun(&programs).await;
    println!(
        "took {:.0} s; load average {}",
        begun.elapsed().as_secs_f64(),
        load_average()
    );
}

async fn lost_requests(programs: &Programs<'_>, restarts: usize) {
    println!(
        "\n{restarts} restarts of two servers in turn, about {PER_SECOND} requests a second\n\
         server                  clients  connections   requests   failed  refused  cut  truncated  wrong"
    );
    for (name, candidate) in [
        ("tria, PRE_DRAIN=3s", PATIENT),
        ("bare axum (control)", BARE),
    ] {
        for clients in CLIENTS {
            let plan = Plan {
                clients,
                restarts,
                per_second: PER_SECOND,
            };
            let [kept, connected] = programs.roll(candidate, plan).await;
            for (style, tally) in [("kept", kept), ("one each", connected)] {
                let failed = tally.failed();
                let Tally {
                    requests,
                    refused,
                    cut,
                    truncated,
                    wrong,
                    ..
                } = tally;
                println!(
                    "{name:<22} {clients:>8}  {style:<11} {requests:>10} {failed:>8} {refused:>8} {cut:>4} {truncated:>10} {wrong:>6}"
                );
            }
        }
    }
}

async fn time_to_end(programs: &Programs<'_>) {
    println!("\nSIGTERM to the end without a pre-drain, {STOPS} stops, medians (min to max) in ms");
    for (name, scene) in [
        ("idle", Scene::Idle),
        ("500 idle connections", Scene::IdleConnections),
        ("under load", Scene::Load),
    ] {
        let mut lines = Vec::new();
        for candidate in [AT_ONCE, BARE] {
            let mut times = Vec::new();
            for _ in 0..STOPS {
                times.push(stop(programs, candidate, scene).await);
            }
            lines.push(Spread::of(times));
        }
        println!(
            "{name:<22} tria {:7.1}   bare axum {:7.1}",
            lines[0], lines[1]
        );
    }
}

/// Starts a server, brings it into the scene and stops it. Gives the milliseconds to its end.
async fn stop(programs: &Programs<'_>, candidate: Candidate, scene: Scene) -> f64 {
    let port = ClosedPort::take();
    let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
    let running = programs.start(candidate, port.number());
    let mut idle = Vec::new();
    let mut load = None;
    match scene {
        Scene::Idle => {}
        Scene::IdleConnections => {
            for _ in 0..IDLE_CONNECTIONS {
                let mut connection = Connection::open(address).await.expect("a connection");
                connection.get("/livez").await.expect("an answer");
                idle.push(connection);
            }
        }
        Scene::Load => {
            let balancer = Balancer::start(&[address]);
            balancer.until_in(0).await;
            let clients = balancer.load(Style::KeepAlive, CLIENTS[0], PER_SECOND);
            sleep(Duration::from_millis(300)).await;
            load = Some((balancer, clients));
        }
    }
    let elapsed = terminate(running);
    if let Some((_balancer, clients)) = load {
        clients.stop().await;
    }
    drop(idle);
    elapsed.as_secs_f64() * 1e3
}

/// How long beyond `DRAIN` a client can hold up the end that never takes its answer.
async fn overrun(programs: &Programs<'_>) {
    let mut times = Vec::new();
    for _ in 0..STOPS {
        let port = ClosedPort::take();
        let running = programs.start(AT_ONCE, port.number());
        let _client = DeafClient::ask(([127, 0, 0, 1], port.number()).into()).await;
        let elapsed = terminate(running);
        times.push((elapsed.as_secs_f64() - 1.0) * 1e3);
    }
    println!(
        "\na client that never takes its answer, DRAIN=1s: over the deadline by {:7.1} ms",
        Spread::of(times)
    );
    let port = ClosedPort::take();
    let running = programs.start(BARE, port.number());
    let _client = DeafClient::ask(([127, 0, 0, 1], port.number()).into()).await;
    send_terminate(&running);
    sleep(GIVE_UP).await;
    let ended = fs::metadata(format!("/proc/{}/exe", running.pid())).is_err();
    let word = if ended { "ended" } else { "did not end" };
    println!("the bare axum server {word} within {GIVE_UP:?}");
}

/// Sends SIGTERM and waits for the end.
fn terminate(running: Running) -> Duration {
    let begun = Instant::now();
    send_terminate(&running);
    drop(running.ended());
    begun.elapsed()
}

fn send_terminate(running: &Running) {
    let pid = i32::try_from(running.pid()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), Signal::TERM).expect("it can be signalled");
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
