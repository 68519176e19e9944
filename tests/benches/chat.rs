//! What a chat costs: what Tria adds to the time of the model for a greeting, an order and a
//! question; how fast an answer is given again, against a bare axum handler with the same bytes;
//! how many chats there are a second over 1 to 256 connections; and how fast probes are answered
//! meanwhile.
//!
//! The model is a stub that takes 50 ms for each answer, embeds as the real one does, and counts
//! what it is asked for. Its timer is late by up to a millisecond, which is why its own time is
//! told apart, too. All else is real. The load, the stub and the stores share the machine with the
//! server, so that throughput is what all of them together reach. Goals: less than 5 ms added, an
//! answer again in less than 2 ms, and a p99 of probes below 10 ms at 256 connections.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]
#![allow(clippy::cast_precision_loss, reason = "counts of requests")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, http::header, routing::any};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tria_devstack::{Redis, RedisOptions};
use tria_tests::{Fixture, Footprint, Paced, Probed, StubModel, Talker};

/// What the model takes for each answer.
const DELAY: Duration = Duration::from_millis(50);
/// What it says: it is written in `data/knowledge`.
const SENTENCE: &str =
    "Unopened packs of standard products can be returned within 14 days of their delivery.";

const CHATS: usize = 60;
const REPLAYS: usize = 500;
const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];
/// As long as 1,000 probes of each kind take.
const LEVEL: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_millis(10);

/// What is said, in turn, and what it is to be taken for.
const KINDS: [(&str, &[&str]); 3] = [
    ("greeting", &["hello"]),
    (
        "order_placement",
        &[
            "20 packs of 12 inch kraft pizza boxes for Napoli Express",
            "10 packs of 10 inch white pizza boxes for Vesuvio Harbour",
            "12 packs of 14 inch printed pizza boxes for Forno Nord",
            "8 packs of 16 inch kraft pizza boxes for La Piazzetta",
            "5 packs of large foil trays for Bella Mole",
            "6 packs of 18 inch white pizza boxes for Casa Pizza",
        ],
    ),
    (
        "policy_question",
        &[
            "How long can I return unused boxes?",
            "When do I get my money back after a return?",
            "How much does a delivery cost?",
        ],
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--bare") {
        return bare(arguments[at + 1].clone());
    }
    // `cargo test --benches` only wants to see that it builds.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    // One thread makes the load, so that a core is left for who bears it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(measure());
}

async fn measure() {
    let begun = Instant::now();
    tell_load("before");
    let redis = Redis::start(RedisOptions::default())
        .await
        .expect("a Redis");
    let mut fixture = Fixture::migrated().await.on_redis(&redis);
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");
    fixture.run(&["seed", "--data", data]).expect(0, &[]);
    fixture.run(&["ingest", "--data", data]).expect(0, &[]);
    fixture
        .execute("UPDATE products SET stock = 1000000000")
        .await;
    let model = StubModel::start(&fixture.stack, DELAY, SENTENCE);
    fixture
        .set("OPENAI_BASE_URL", model.base_url())
        .set("RATE_LIMIT_PER_USER", "0")
        .set("RATE_LIMIT_PER_ADDRESS", "0")
        .set("LOG_LEVEL", "warn")
        .set("STARTUP_DEADLINE", "60s");
    let running = fixture.serve();
    let address: SocketAddr = running
        .ready()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");

    let numbers = Arc::new(AtomicUsize::new(0));
    println!("one after the other, {CHATS} of each, ms: medians (min to max)");
    for (kind, messages) in KINDS {
        alone(address, &model, &numbers, kind, messages).await;
    }
    replays(address, &numbers).await;

    println!("all kinds in turn, {LEVEL:?} at each number of connections, and probes, ms");
    // An idle server beside it shows what of a probe's delay is the machine's.
    let bare = Bare::start("alive");
    let probes = [
        ("/livez", address),
        ("/readyz", address),
        ("/bare-axum", bare.address),
    ];
    for connections in CONNECTIONS {
        let paced = Paced::start(&probes, PROBE_EVERY);
        let load = Load::run(address, connections, LEVEL, &numbers);
        let load = load_of(load, running.pid(), &model).await;
        under(&load, &paced.end());
    }
    println!(
        "resident afterwards  {:.1} MB; the whole took {:.0?}",
        Footprint::of(running.pid()).resident_mb(),
        begun.elapsed()
    );
    tell_load("after");
}

/// The load of the machine, which is a part of each number.
fn tell_load(when: &str) {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let three: Vec<&str> = load.split(' ').take(3).collect();
    println!("load average {when}: {}", three.join(" "));
}

fn body(message: &str, number: usize) -> String {
    json!({ "message": message, "user_id": format!("bench-{number}") }).to_string()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

// === one after the other ===

async fn alone(
    address: SocketAddr,
    model: &StubModel,
    numbers: &AtomicUsize,
    kind: &str,
    messages: &[&str],
) {
    let mut talker = Talker::open(address).await.expect("a connection");
    let (mut totals, mut calls, mut by_count, mut by_clock) = (vec![], vec![], vec![], vec![]);
    let mut steps: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut made_by: BTreeMap<String, usize> = BTreeMap::new();
    // The first ones warm up, and each text is embedded by the real model once.
    let warm_up = 2 * messages.len().max(3);
    for (at, message) in messages.iter().cycle().take(warm_up + CHATS).enumerate() {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        model.take();
        let said = talker
            .say(&format!("alone-{number}"), &body(message, number))
            .await
            .expect("an answer");
        let asked = model.take();
        let answer: Value = serde_json::from_slice(&said.body).expect("JSON");
        assert_eq!(
            (said.status, &answer["intent"]),
            (200, &json!(kind)),
            "{answer}"
        );
        assert!(asked.at_once <= 1, "calls at once cannot be told apart");
        if kind == "order_placement" {
            assert!(answer["order_id"].is_string(), "{answer}");
        }
        if at < warm_up {
            continue;
        }
        totals.push(millis(said.took));
        calls.push(asked.calls as f64);
        by_count.push(millis(said.took) - millis(DELAY) * asked.calls as f64);
        by_clock.push(millis(said.took.saturating_sub(asked.busy)));
        let mode = answer["mode"].as_str().unwrap_or_default();
        *made_by.entry(mode.to_owned()).or_default() += 1;
        for step in answer["agent_timeline"].as_array().into_iter().flatten() {
            let name = step["step"].as_str().unwrap_or_default().to_owned();
            let took = step["duration_ms"].as_f64().unwrap_or_default();
            steps.entry(name).or_default().push(took);
        }
    }
    println!("{kind} ({made_by:?})");
    println!("  total                 {}", summary(totals, 2));
    println!("  calls of the model    {}", summary(calls, 0));
    println!("  less 50 a call        {}", summary(by_count, 2));
    println!("  less what they took   {}", summary(by_clock, 2));
    for (name, took) in steps {
        println!("    {name:<20}{}", summary(took, 2));
    }
}

// === the same answer again ===

async fn replays(address: SocketAddr, numbers: &AtomicUsize) {
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let (key, body) = (format!("again-{number}"), body("hello", number));
    let mut ours = Talker::open(address).await.expect("a connection");
    let first = ours.say(&key, &body).await.expect("an answer");
    let bare = Bare::start(&String::from_utf8_lossy(&first.body));
    let mut theirs = Talker::open(bare.address).await.expect("a connection");
    let (mut again, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..REPLAYS {
        let said = ours.say(&key, &body).await.expect("an answer");
        assert_eq!((said.status, &said.body), (200, &first.body));
        again.push(millis(said.took));
        let said = theirs.say(&key, &body).await.expect("an answer");
        bare.push(millis(said.took));
    }
    println!(
        "the same again, {REPLAYS} times ({} bytes)",
        first.body.len()
    );
    println!("  total                 {}", summary(again, 3));
    println!("  bare axum             {}", summary(bare, 3));
}

/// A child of this bench that answers everything with `body`.
struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    fn start(body: &str) -> Self {
        let program = std::env::current_exe().expect("a bench has a path");
        let mut child = Command::new(program)
            .args(["--bare", body])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bare server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("it tells its address");
        let address = line.trim().parse().expect("an address");
        Self { child, address }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same runtime and the same axum as the service has, and nothing else.
#[tokio::main]
async fn bare(body: String) {
    let handler = any(async move |_: axum::body::Bytes| {
        ([(header::CONTENT_TYPE, "application/json")], body.clone())
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    let router = Router::new().fallback_service(handler);
    let _ = axum::serve(listener, router).await;
}

// === many at once ===

/// What came of a load.
#[derive(Default)]
struct Load {
    connections: usize,
    /// By kind, in milliseconds.
    took: [Vec<f64>; KINDS.len()],
    /// How often there was which status; 0 is a connection that broke off.
    statuses: BTreeMap<u16, usize>,
    elapsed: Duration,
    /// What the server used of a processor.
    cpu: Duration,
    calls: usize,
}

impl Load {
    async fn run(
        address: SocketAddr,
        connections: usize,
        time: Duration,
        numbers: &Arc<AtomicUsize>,
    ) -> Self {
        let begun = Instant::now();
        let mut talkers = JoinSet::new();
        for _ in 0..connections {
            let numbers = Arc::clone(numbers);
            talkers.spawn(async move { Self::talk(address, begun + time, &numbers).await });
        }
        let mut whole = Self {
            connections,
            ..Self::default()
        };
        while let Some(Ok(part)) = talkers.join_next().await {
            for (all, some) in whole.took.iter_mut().zip(part.took) {
                all.extend(some);
            }
            for (status, count) in part.statuses {
                *whole.statuses.entry(status).or_default() += count;
            }
        }
        whole.elapsed = begun.elapsed();
        whole
    }

    async fn talk(address: SocketAddr, until: Instant, numbers: &AtomicUsize) -> Self {
        let mut load = Self::default();
        let mut talker = None;
        while Instant::now() < until {
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            let kind = number % KINDS.len();
            let messages = KINDS[kind].1;
            let message = messages[number / KINDS.len() % messages.len()];
            let open = match talker.take() {
                Some(open) => Ok(open),
                None => Talker::open(address).await,
            };
            let Ok(mut open) = open else {
                *load.statuses.entry(0).or_default() += 1;
                continue;
            };
            let said = open
                .say(&format!("load-{number}"), &body(message, number))
                .await;
            let status = said.as_ref().map_or(0, |said| said.status);
            *load.statuses.entry(status).or_default() += 1;
            if let Ok(said) = said {
                load.took[kind].push(millis(said.took));
                talker = Some(open);
            }
        }
        load
    }
}

/// A load, with what it took of the server and of the model.
async fn load_of(load: impl Future<Output = Load>, pid: u32, model: &StubModel) -> Load {
    model.take();
    let before = Footprint::of(pid).cpu;
    let mut load = load.await;
    load.cpu = Footprint::of(pid).cpu.saturating_sub(before);
    load.calls = model.take().calls;
    load
}

fn under(load: &Load, probes: &[Probed]) {
    let mut all: Vec<f64> = load.took.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let chats = all.len().max(1) as f64;
    println!(
        "  {:3} connections  {:6.0} chats/s  p50 {:7.1}  p99 {:7.1}  calls/chat {:.2}  \
         CPU/chat {:.2}  statuses {:?}",
        load.connections,
        all.len() as f64 / load.elapsed.as_secs_f64(),
        rank(&all, 0.5),
        rank(&all, 0.99),
        load.calls as f64 / chats,
        millis(load.cpu) / chats,
        load.statuses,
    );
    let of_kind = KINDS.iter().zip(&load.took).map(|((kind, _), took)| {
        let mut took = took.clone();
        took.sort_by(f64::total_cmp);
        format!("{kind} {:.1}", rank(&took, 0.5))
    });
    println!("    p50 of {}", of_kind.collect::<Vec<_>>().join(", "));
    for probe in probes {
        let took: Vec<f64> = probe.took.iter().copied().map(millis).collect();
        println!(
            "    {:<12} p50 {:.2}  p99 {:.2}  most {:.2}  of {}, {} not 200",
            probe.path,
            rank(&took, 0.5),
            rank(&took, 0.99),
            rank(&took, 1.0),
            took.len(),
            probe.failures,
        );
    }
}

/// What share (0 to 1) of the sorted values is at most this.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank among the values"
)]
fn rank(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// The median with the spread.
fn summary(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (median, least, most) = (rank(&values, 0.5), rank(&values, 0.0), rank(&values, 1.0));
    format!("{median:9.digits$} ({least:.digits$} to {most:.digits$})")
}
