//! The matrix of faults: whatever breaks while the service serves, it is told in time and with a
//! name, liveness stays out of it, and when it has passed nothing is left of it.
//!
//! `cargo test -p tria-tests -- --nocapture faults` shows the table.

mod bounds;
mod chroma;
mod in_process;
mod model;
mod on_the_way;
mod postgres;
mod redis;
mod strangers;
mod table;
mod trial;
mod watched;

use std::{fs, sync::Arc};

use tokio::{sync::Semaphore, task::JoinSet};
use tria_tests::Dependency;

use self::{
    bounds::BATCH,
    table::{Row, deviations, table},
};

/// Where the codes are explained.
const FAILURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/failures.md");

/// The one whose check is asked most rarely comes first: its rows take longest.
const DEPENDENCIES: [Dependency; 4] = [
    Dependency::Model,
    Dependency::Postgres,
    Dependency::Redis,
    Dependency::Chroma,
];

/// Rows that are made concurrently, a batch at a time.
struct Batch {
    rows: JoinSet<(usize, Vec<Row>)>,
    places: Arc<Semaphore>,
}

// === impl Batch ===

impl Batch {
    fn new() -> Self {
        Self {
            rows: JoinSet::new(),
            places: Arc::new(Semaphore::new(BATCH)),
        }
    }

    /// Makes a row that does not touch those of the others.
    fn add(&mut self, name: impl Into<String>, row: impl Future<Output = Row> + Send + 'static) {
        self.add_all(name, async { vec![row.await] });
    }

    /// Makes several rows, one after the other. A panic is a row too.
    fn add_all(
        &mut self,
        name: impl Into<String>,
        rows: impl Future<Output = Vec<Row>> + Send + 'static,
    ) {
        let (number, name) = (self.rows.len(), name.into());
        let places = Arc::clone(&self.places);
        self.rows.spawn(async move {
            let _place = places.acquire().await;
            let made = tokio::spawn(rows).await;
            let broken = |panic| vec![Row::broken(name, format!("{panic:?}"))];
            (number, made.unwrap_or_else(broken))
        });
    }

    /// All rows, in the order in which they were added.
    async fn made(self) -> Vec<Row> {
        let mut made = self.rows.join_all().await;
        made.sort_by_key(|(number, _)| *number);
        made.into_iter().flat_map(|(_, rows)| rows).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_is_told_in_time_and_leaves_nothing_behind() {
    let mut batch = Batch::new();
    // What takes longest comes first.
    batch.add_all("model API", model::on_its_own());
    batch.add_all("Redis refusing writes", redis::refusing_writes());
    batch.add_all("PostgreSQL", postgres::on_its_own());
    batch.add_all("Redis", redis::on_its_own());
    batch.add_all("ChromaDB", chroma::on_its_own());
    for refusal in model::REFUSALS {
        batch.add(refusal.fault, refusal.row());
    }
    for dependency in DEPENDENCIES {
        for fault in on_the_way::FAULTS {
            batch.add(fault.case(dependency).title, fault.row(dependency));
        }
    }
    batch.add("too many connections", postgres::too_many_connections());
    batch.add("pool busy", in_process::the_pool_is_busy());
    batch.add("panics", in_process::a_check_that_panics());
    batch.add("never returns", in_process::a_check_that_never_returns());
    batch.add("blocks", in_process::a_check_that_blocks_its_thread());
    batch.add("refresher", in_process::the_refresher_is_killed());
    batch.add("probers", strangers::impatient_probers());
    batch.add("wall clock", strangers::the_wall_clock_is_set());
    let mut rows = batch.made().await;
    expect_explanations(&mut rows);
    println!("\n{}", table(&rows));
    let deviations = deviations(&rows);
    assert!(deviations.is_empty(), "\n{}\n{deviations}", table(&rows));
}

/// Whoever reads a code finds it explained.
fn expect_explanations(rows: &mut [Row]) {
    let explained = fs::read_to_string(FAILURES).unwrap();
    for row in rows {
        let is_unknown = |code: &&String| !explained.contains(&format!("| `{code}` |"));
        let unknown = row.codes.iter().filter(is_unknown);
        let told = unknown.map(|code| format!("{code} is not in docs/failures.md"));
        row.deviations.extend(told);
    }
}
