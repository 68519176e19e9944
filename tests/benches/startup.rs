//! How long a start takes, against the slowest single dependency's probe in the same run, and
//! what the running service weighs.
//!
//! Each round starts the service (from its spawn to the line that says that the start is
//! complete), and proves each dependency alone (`tria-server check --only`, the time of its
//! checks as the program measured them). The medians over all rounds are compared.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{fs, time::Instant};

use serde_json::Value;
use tria_tests::{Fixture, Footprint, Running, Spread, command, program};

const ROUNDS: usize = 15;
const DEPENDENCIES: [&str; 4] = ["database", "redis", "openai", "chromadb"];

#[tokio::main]
async fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let fixture = Fixture::migrated().await;
    let mut ready_ms = Vec::new();
    let mut resident_mb = Vec::new();
    let mut alone_ms = vec![Vec::new(); DEPENDENCIES.len()];
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let running = fixture.serve();
        running.ready();
        ready_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        resident_mb.push(Footprint::of(running.pid()).resident_mb());
        drop(running);
        for (times, dependency) in alone_ms.iter_mut().zip(DEPENDENCIES) {
            times.push(probe_alone(&fixture, dependency));
        }
    }

    println!("{ROUNDS} rounds, medians (min to max)");
    let ready = Spread::of(ready_ms);
    println!("start to ready            {ready:8.1} ms");
    let mut slowest: f64 = 0.0;
    for (times, dependency) in alone_ms.into_iter().zip(DEPENDENCIES) {
        let alone = Spread::of(times);
        slowest = slowest.max(alone.median);
        println!("{dependency:<9} proven alone    {alone:8.1} ms");
    }
    println!(
        "start / slowest probe     {:.2} ({:+.1} ms; goal: at most +25 ms)",
        ready.median / slowest,
        ready.median - slowest
    );
    let resident = Spread::of(resident_mb);
    println!("resident when ready       {resident:8.1} MB (goal: under 25 MB)");
    let kilobytes = fs::metadata(program()).map_or(0, |file| file.len()) / 1000;
    println!("size of the program       {kilobytes} kB (goal: under 25000 kB)");
}

/// The time of all checks of one dependency, proven alone, in milliseconds.
fn probe_alone(fixture: &Fixture, dependency: &str) -> f64 {
    let arguments = ["check", "--json", "--only", dependency];
    let ended = Running::start(command(&arguments, &fixture.keys)).ended();
    let report: Value = serde_json::from_str(&ended.stdout).expect("one JSON document");
    let phases = report["phases"].as_array().expect("the phases");
    let phase = phases
        .iter()
        .find(|phase| phase["name"] == dependency)
        .expect("the phase");
    assert_eq!(phase["state"], "passed", "{phase:#}");
    phase["elapsed_ms"].as_f64().expect("a number")
}
