//! What no dependency is to blame for: probers that leave, and a wall clock that is set.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::{JoinSet, block_in_place},
    time::sleep,
};
use tria_tests::{Dependency, get};

use super::{
    bounds::{BUSY, Manner, Pace},
    table::Row,
    trial::{Case, Trial},
    watched::{Watched, migrated},
};

/// How many probers come at once.
const PROBERS: usize = 200;

/// How often they come.
const ROUNDS: u32 = 20;

/// How long they stay away in between.
const PAUSE: Duration = Duration::from_millis(300);

/// How long they wait for an answer.
const PATIENCE: Duration = Duration::from_millis(1);

/// The check by which the rows see whether checks are asked.
const WITNESS: &str = "redis";

/// Shifts the wall clock of the program that it is loaded into, and no other clock.
const SHIFT: &str = include_str!("shift_wall_clock.c");

const DAY: i64 = 24 * 60 * 60;

/// Probers that do not wait for their answer cost no run of a check and leave nothing behind
/// (alexliesenfeld/health: a client's disconnect was recorded as a check's timeout; gears-rust: an
/// impatient prober restarts the fan-out at every probe).
pub(super) async fn impatient_probers() -> Row {
    let mut fixture = migrated().await;
    let watched = Watched::start(&mut fixture).await;
    let address = watched.url.trim_start_matches("http://").to_owned();

    let mut trial = Trial::begin(
        &watched,
        nothing_changes("200 probers that hang up after 1 ms"),
    );
    let before = watched.prober.runs(WITNESS);
    for _ in 0..ROUNDS {
        let leave = |_| ask_and_leave(address.clone());
        (0..PROBERS)
            .map(leave)
            .collect::<JoinSet<()>>()
            .join_all()
            .await;
        sleep(PAUSE).await;
    }
    let runs = watched.prober.runs(WITNESS) - before;
    let lasted = trial.lasts();
    let most = Pace::USUAL.runs_within(lasted);
    trial.expects(runs <= most, "probers made checks run");
    trial.expects(trial.changes().is_empty(), "something changed");
    let mut row = trial.end().await;
    let probes = PROBERS * ROUNDS as usize;
    row.note = format!(
        "{probes} probes in {:.0} s, runs: {runs}",
        lasted.as_secs_f64()
    );
    row
}

async fn ask_and_leave(address: String) {
    // Whoever is turned away has left too.
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return;
    };
    let request = b"GET /health HTTP/1.1\r\nHost: it\r\n\r\n";
    let _ = stream.write_all(request).await;
    sleep(PATIENCE).await;
}

/// Ages and periods go by the monotonic clock: an administrator or NTP may set the other one.
pub(super) async fn the_wall_clock_is_set() -> Row {
    let folder = tempfile::tempdir().expect("a folder");
    let library = block_in_place(|| compiled(folder.path()));
    let shift = folder.path().join("shift");
    let set = |seconds: i64| fs::write(&shift, seconds.to_string()).expect("it is written");
    set(0);
    let mut fixture = migrated().await;
    fixture
        .set("LD_PRELOAD", library.to_string_lossy())
        .set("WALL_CLOCK_SHIFT", shift.to_string_lossy());
    let watched = Watched::start(&mut fixture).await;
    let (uptime, today) = (uptime(&watched).await, date(&watched));

    let case = nothing_changes("the wall clock is set forward and back by a day");
    let mut trial = Trial::begin(&watched, case);
    for seconds in [DAY, -DAY] {
        set(seconds);
        for _ in 0..2 {
            // A run is known by its time, and now and then one takes as long as the one before.
            let limit = Pace::USUAL.asked_within() * 3 + BUSY;
            let anew = watched.asked_anew(WITNESS, limit).await;
            trial.expects(anew.is_some(), "checks are not asked any more");
        }
        trial.expects(date(&watched) != today, "the clock was not set");
    }
    trial.expects(trial.changes().is_empty(), "something changed");
    let elapsed = self::uptime(&watched).await - uptime;
    let off = (elapsed - trial.lasts().as_secs_f64()).abs();
    trial.expects(off < 1.0, "the uptime went by the wall clock");
    trial.end().await
}

/// Makes the library that shifts the clock. Building this workspace takes a C compiler anyhow.
fn compiled(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("shift.c"), folder.join("shift.so"));
    fs::write(&source, SHIFT).expect("it is written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
    let ended = compiler.args([&library, &source]).status();
    assert!(ended.expect("there is a C compiler").success());
    library
}

/// The day that the service takes for today.
fn date(watched: &Watched) -> String {
    let sight = watched.prober.last();
    let timestamp = sight.body["timestamp"].as_str().unwrap_or_default();
    timestamp.chars().take(10).collect()
}

async fn uptime(watched: &Watched) -> f64 {
    let answer = get(&format!("{}/livez", watched.url)).await;
    let body = answer.expect("liveness answers").body;
    body["uptime_seconds"].as_f64().expect("it is a number")
}

/// A case in which nothing may be told of anything.
fn nothing_changes(title: &str) -> Case {
    Case::of_check(Dependency::Redis.service(), title, Manner::Loud, &[])
}
