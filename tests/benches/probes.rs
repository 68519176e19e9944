//! What a probe costs: `/livez` and `/readyz` of the built service under 64 connections, against
//! a bare axum handler that returns the same bytes, in turn and in the same run; what a thousand
//! callers of `?fresh=1` at once cause; and what 100,000 readiness requests cause in PostgreSQL
//! and Redis, counted by these servers themselves.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::task::JoinSet;
use tria_devstack::{Redis, RedisOptions};
use tria_tests::{Fixture, Footprint, Limit, Running, Saturation, Spread, get_text};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(2);
const PROBES: usize = 100_000;
const CALLERS: usize = 1_000;
/// How long the dependencies' own statistics are watched; a login a minute is within it.
const WATCHED: Duration = Duration::from_secs(60);

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    // One thread makes the load, so that a core is left for who bears it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(measure());
}

async fn measure() {
    let redis = Redis::start(RedisOptions::default())
        .await
        .expect("a Redis");
    let fixture = Fixture::migrated().await.on_redis(&redis);
    let running = fixture.serve();
    let url = running.ready();
    let address: SocketAddr = url
        .trim_start_matches("http://")
        .parse()
        .expect("an address");

    println!(
        "{ROUNDS} rounds of {ROUND:?} each in turn, {CONNECTIONS} connections, medians (min to max)"
    );
    for path in ["/livez", "/readyz"] {
        against_bare(address, path).await;
    }
    fresh(&url).await;
    dependency_traffic(&fixture, &redis, address).await;
    let resident = Footprint::of(running.pid()).resident_mb();
    println!("resident afterwards  {resident:.1} MB");
}

// === the same bytes from a bare handler ===

/// The same runtime and the same axum as the service has, and nothing else. It answers every path
/// with `body`.
fn bare(body: &str) -> (Running, SocketAddr) {
    const MARK: &str = "listening on ";
    let mut command = Command::new(env!("CARGO_BIN_EXE_bare-axum"));
    command.args(["0", body]);
    let running = Running::start(command);
    let line = running.wait_for(MARK);
    let address = line.trim_start_matches(MARK).trim();
    (running, address.parse().expect("an address"))
}

async fn against_bare(address: SocketAddr, path: &str) {
    let body = get_text(&format!("http://{address}{path}")).await;
    let (_bare, bare) = bare(&body);
    let mut rows: Vec<[f64; 6]> = Vec::new();
    // The first round warms both up.
    for round in 0..=ROUNDS {
        let ours = Saturation::run(address, path, CONNECTIONS, Limit::Time(ROUND)).await;
        let theirs = Saturation::run(bare, path, CONNECTIONS, Limit::Time(ROUND)).await;
        assert_eq!((ours.failures, theirs.failures), (0, 0));
        if round > 0 {
            let millis = |load: &Saturation, share| load.percentile(share).as_secs_f64() * 1e3;
            rows.push([
                ours.rate(),
                theirs.rate(),
                ours.rate() / theirs.rate(),
                millis(&ours, 0.5),
                millis(&ours, 0.99),
                millis(&ours, 0.99) / millis(&theirs, 0.99),
            ]);
        }
    }
    let told = |column: usize| Spread::of(rows.iter().map(|row| row[column]));
    println!("{path} ({} bytes)", body.len());
    println!("  requests/s          {:9.0}", told(0));
    println!("  bare axum           {:9.0}", told(1));
    println!("  ratio               {:9.2} (goal: 0.9 or more)", told(2));
    println!("  p50 ms              {:9.2}", told(3));
    println!("  p99 ms              {:9.2}", told(4));
    println!("  p99 / bare's p99    {:9.2} (goal: 2 or less)", told(5));
}

// === what is caused behind the service ===

/// How often each check of the readiness group has run, by the service's own diagnostics.
async fn runs_of_readiness(url: &str) -> Vec<(String, u64)> {
    runs(url, |check| {
        let groups = check["groups"].as_array().expect("the groups");
        groups.iter().any(|group| group == "readiness")
    })
    .await
}

async fn runs(url: &str, wanted: impl Fn(&Value) -> bool) -> Vec<(String, u64)> {
    let answer = tria_tests::get(&format!("{url}/api/v1/health/diagnostics")).await;
    let told = answer.expect("an answer").body;
    let checks = told["checks"].as_array().expect("the checks").iter();
    checks
        .filter(|check| wanted(check))
        .map(|check| {
            let name = check["name"].as_str().expect("a name").to_owned();
            (name, check["runs"].as_u64().expect("a number"))
        })
        .collect()
}

async fn fresh(url: &str) {
    let client = reqwest::Client::new();
    // Longer than a result is fresh by, so that each caller finds it cold.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let before = runs_of_readiness(url).await;
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let request = client.get(format!("{url}/readyz?fresh=1"));
        callers.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    let mut answered = 0;
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.expect("no panic").expect("an answer"), 200);
        answered += 1;
    }
    let elapsed = begun.elapsed();
    let after = runs_of_readiness(url).await;
    println!(
        "{answered} callers of /readyz?fresh=1 at once, all answered 200 in {elapsed:.0?}; runs caused:"
    );
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        println!("  {name:<24} {}", after - before);
    }
}

/// What PostgreSQL and Redis counted, and how often checks asked them, in some time.
struct Traffic {
    transactions: i64,
    commands: i64,
    runs: [u64; 2],
}

impl Traffic {
    async fn now(fixture: &Fixture, redis: &Redis, url: &str) -> Self {
        let asks = async |dependency: &str| {
            let of = |check: &Value| {
                let name = check["name"].as_str().unwrap_or_default();
                // Pools are looked at without asking anybody.
                let pool = format!("{dependency}.pool");
                name.starts_with(dependency) && name != pool
            };
            let runs = runs(url, of).await;
            runs.iter().map(|(_, runs)| runs).sum()
        };
        Self {
            runs: [asks("database").await, asks("redis").await],
            transactions: transactions(fixture).await,
            commands: redis_commands(redis).await,
        }
    }

    fn tell(&self, what: &str, before: &Self) {
        let [database, redis] = [0, 1].map(|at| self.runs[at] - before.runs[at]);
        println!(
            "  {what} {:>3} transactions by {database} runs of checks, {:>3} Redis commands by {redis} runs",
            self.transactions - before.transactions,
            self.commands - before.commands
        );
    }
}

async fn dependency_traffic(fixture: &Fixture, redis: &Redis, address: SocketAddr) {
    let url = format!("http://{address}");
    let before = Traffic::now(fixture, redis, &url).await;
    tokio::time::sleep(WATCHED).await;
    let quiet = Traffic::now(fixture, redis, &url).await;
    let busy = Instant::now();
    let load = Saturation::run(address, "/readyz", CONNECTIONS, Limit::Requests(PROBES)).await;
    // As long as the quiet time, so that the refreshers do the same in both.
    tokio::time::sleep(WATCHED.saturating_sub(busy.elapsed())).await;
    let probed = Traffic::now(fixture, redis, &url).await;
    assert_eq!(load.failures, 0);
    println!(
        "{} readiness requests in {:.1?}; within {WATCHED:?}, asking included:",
        load.latencies.len(),
        load.elapsed
    );
    quiet.tell("quiet: ", &before);
    probed.tell("probed:", &quiet);
}

/// Transactions of the fixture's own database, by PostgreSQL's statistics. Asking counts as one.
async fn transactions(fixture: &Fixture) -> i64 {
    fixture
        .count(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database \
             WHERE datname = current_database()",
        )
        .await
}

/// Commands that Redis has processed; asking counts as some.
async fn redis_commands(redis: &Redis) -> i64 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", redis.port()))
        .await
        .expect("Redis answers");
    stream
        .write_all(b"INFO stats\r\nQUIT\r\n")
        .await
        .expect("it is sent");
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .await
        .expect("it is answered");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("total_commands_processed:"));
    line.expect("the statistics")
        .trim()
        .parse()
        .expect("a number")
}
