//! What it costs to keep a turn of a conversation, against a bare `BEGIN; INSERT; COMMIT` in turn
//! and in the same run: one client, one connection, statements prepared.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::Instant;

use deadpool_postgres::{Manager, Pool};
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use tria_chatbot::{
    idempotency::{Key, StoredAnswer},
    intent::Intent,
    orders::{DraftLine, Limits},
    schema::{MigrateOptions, migrate},
    turns::{Composed, Done, SessionRef, Turn, Work, answered, keep},
};
use uuid::Uuid;

const WARM_UP: usize = 200;
const ROUNDS: usize = 2_000;

const SHOP: &str = "
CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
INSERT INTO outlets (name, address_line, postal_code, city, country)
VALUES ('Vesuvio', '1 Harbour Road', '10001', 'Porto', 'PT');
INSERT INTO products (sku, name, category, unit_price, stock)
SELECT 'P-' || at, 'product ' || at, 'boxes', 12.35, 100000000 FROM generate_series(1, 40) AS at";

#[tokio::main]
async fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let stack = tria_devstack::shared().await.expect("the servers run");
    let database = stack.fresh_database().await.expect("a database");
    let manager = Manager::new(database.url().parse().expect("a URL"), NoTls);
    let pool = Pool::builder(manager).max_size(1).build().expect("a pool");
    let migrated = migrate(&pool, MigrateOptions::default()).await;
    migrated.expect("the schema");
    let client = pool.get().await.expect("a connection");
    client.batch_execute(SHOP).await.expect("a shop");
    drop(client);

    let session = opened(&pool).await;
    let mut times: [Vec<f64>; 6] = Default::default();
    for round in 0..WARM_UP + ROUNDS {
        let turns = i32::try_from(round).expect("few rounds") * 2 + 1;
        let at = |turns| SessionRef::At { id: session, turns };
        let complaint = Work::Complaint {
            order_id: None,
            text: "the boxes were crushed",
        };
        let each = [
            timed(bare(&pool)).await,
            timed(look(&pool)).await,
            timed(said(&pool, another(), Work::Nothing)).await,
            timed(said(&pool, at(turns), Work::Nothing)).await,
            timed(said(&pool, at(turns + 1), order())).await,
            timed(said(&pool, another(), complaint)).await,
        ];
        if round >= WARM_UP {
            for (times, time) in times.iter_mut().zip(each) {
                times.push(time);
            }
        }
    }

    println!("{ROUNDS} rounds, each in turn, milliseconds");
    let medians = times.each_mut().map(|times| median(times));
    for ((name, times), median) in NAMES.iter().zip(&times).zip(medians) {
        let slow = times[times.len() * 99 / 100];
        let ratio = median / medians[0];
        println!("{name:<36} median {median:6.3}  p99 {slow:6.3}  {ratio:5.2} x bare");
    }
}

const NAMES: [&str; 6] = [
    "bare BEGIN; INSERT; COMMIT",
    "an answer looked for and not found",
    "a greeting that opens a conversation",
    "a greeting that goes on",
    "an order of three lines that goes on",
    "a complaint that opens one",
];

/// Milliseconds.
async fn timed(work: impl Future<Output = ()>) -> f64 {
    let begun = Instant::now();
    work.await;
    begun.elapsed().as_secs_f64() * 1e3
}

async fn bare(pool: &Pool) {
    let client = pool.get().await.expect("a connection");
    let insert = "INSERT INTO bare (body) VALUES ($1)";
    let insert = client.prepare_cached(insert).await.expect("a statement");
    client.batch_execute("BEGIN").await.expect("a transaction");
    let inserted = client.execute(&insert, &[&"hello"]).await;
    inserted.expect("a row");
    client.batch_execute("COMMIT").await.expect("a commit");
}

async fn look(pool: &Pool) {
    let found = answered(pool, "u-1", &key(), &[7; 32]).await;
    assert!(found.expect("a look").is_none());
}

/// A conversation that goes on for the whole run.
async fn opened(pool: &Pool) -> Uuid {
    let id = Uuid::new_v4();
    let session = SessionRef::New { id, language: "en" };
    said(pool, session, Work::Nothing).await;
    id
}

fn another() -> SessionRef<'static> {
    SessionRef::New {
        id: Uuid::new_v4(),
        language: "en",
    }
}

fn order() -> Work<'static> {
    const LINES: [DraftLine; 3] = [line(7), line(31), line(12)];
    Work::Order {
        outlet_id: 1,
        lines: &LINES,
    }
}

const fn line(product_id: i64) -> DraftLine {
    DraftLine {
        product_id,
        quantity: 2,
    }
}

fn key() -> Key {
    Key::parse(&Uuid::new_v4().to_string()).expect("a key")
}

async fn said(pool: &Pool, session: SessionRef<'_>, work: Work<'_>) {
    let (key, citations) = (key(), Value::Array(Vec::new()));
    let turn = Turn {
        user_id: "u-1",
        key: &key,
        request_hash: [7; 32],
        session,
        message: "hello there, how are you today?",
        masked_items: 0,
        intent: Intent::Greeting,
        confidence: 0.9,
        citations: &citations,
        outlet_id: Some(1),
        pending: None,
        work,
    };
    let limits = Limits {
        max_quantity_per_item: 1_000,
        max_line_items: 100,
        min_total: 0.into(),
        max_total: 100_000.into(),
        tax_rate: 0.into(),
    };
    let kept = keep(pool, &turn, &limits, compose).await;
    assert!(!kept.expect("a turn").was_there());
}

/// About as long as an answer is.
fn compose(done: &Done) -> Composed {
    let text = format!("{done:?}");
    let body = json!({ "success": true, "message": text, "filler": "x".repeat(500) });
    Composed {
        answer: StoredAnswer {
            status: 200,
            content_type: "application/json".to_owned(),
            body: body.to_string().into_bytes(),
        },
        text,
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
