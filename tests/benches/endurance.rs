//! What a service costs that has nothing to do but to watch its dependencies: its time on a
//! processor and its memory, first while nobody asks, then during ten minutes of probing.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tria_tests::{Fixture, Footprint, get_text};

/// How long nobody asks, after a start has settled.
const IDLE: Duration = Duration::from_secs(60);
const SETTLES: Duration = Duration::from_secs(10);

const PROBING: Duration = Duration::from_secs(600);
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Each of these once every 100 ms: some orchestrators, a balancer and a scraper together.
const PATHS: [&str; 4] = ["/livez", "/readyz", "/health", "/metrics"];
const EVERY: Duration = Duration::from_millis(100);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let fixture = Fixture::migrated().await;
    let running = fixture.serve();
    let (url, pid) = (running.ready(), running.pid());
    sleep(SETTLES).await;

    let start = Footprint::of(pid);
    sleep(IDLE).await;
    let idle = Footprint::of(pid);
    tell("idle", IDLE, start, idle);

    // The first answer installs what the client needs.
    get_text(&format!("{url}/metrics")).await;
    let client = Client::builder().no_proxy().build().expect("a client");
    let (begun, mut ticks, mut probes) = (Instant::now(), interval(EVERY), 0_u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut last, mut told) = (Footprint::of(pid), Instant::now());
    while begun.elapsed() < PROBING {
        ticks.tick().await;
        for path in PATHS {
            let answer = client.get(format!("{url}{path}")).send().await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            answer.bytes().await.expect("a body");
            probes += 1;
        }
        if told.elapsed() >= TOLD_EVERY {
            let now = Footprint::of(pid);
            tell("probed", told.elapsed(), last, now);
            (last, told) = (now, Instant::now());
        }
    }
    println!("{probes} probes in {:.0?}", begun.elapsed());
}

fn tell(what: &str, time: Duration, before: Footprint, after: Footprint) {
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / time.as_secs_f64();
    println!(
        "{what:<8} {:>4.0} s  {:.2} % of a core  {:.2} MB resident  {} files, {} sockets",
        time.as_secs_f64(),
        cpu * 100.0,
        after.resident_mb(),
        after.open_files,
        after.sockets
    );
}
