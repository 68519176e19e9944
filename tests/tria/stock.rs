//! Filling the stores: `seed` and `ingest`.

use std::fs;

use tempfile::TempDir;
use tria_tests::{ClosedPort, Fixture, Running, command};

const PRODUCTS: &str =
    "sku,name,description,category,size,material,unit_price,pack_quantity,minimum_order,stock
BOX-33,Pizza box,Brown box,boxes,33 cm,kraft,12.50,100,2,40
CUP-2,Paper cup,,cups,200 ml,paper,4.20,50,1,9
";
const OUTLETS: &str = "name,address_line,postal_code,city,country,language
Napoli,Via Roma 1,80100,Napoli,IT,it
";

/// A data folder of the test's own.
struct Data(TempDir);

impl Data {
    fn good() -> Self {
        let data = Self(TempDir::new().unwrap());
        for folder in ["catalogue", "knowledge"] {
            fs::create_dir(data.0.path().join(folder)).unwrap();
        }
        data.write("catalogue/products.csv", PRODUCTS);
        data.write("catalogue/outlets.csv", OUTLETS);
        data.write(
            "knowledge/delivery.md",
            "# Delivery\n## Days\nMonday to Friday.\n",
        );
        data
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// The command line that reads it.
    fn of<'a>(&'a self, command: &'a str) -> [&'a str; 3] {
        [command, "--data", self.0.path().to_str().unwrap()]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_is_filled_and_a_second_run_has_nothing_to_do() {
    let (fixture, data) = (Fixture::migrated().await, Data::good());
    let seeded = fixture.run(&data.of("seed"));
    seeded.expect(0, &["✅ 2 products: 2 added", "✅ 1 outlet: 1 added"]);
    let ingested = fixture.run(&data.of("ingest"));
    ingested.expect(
        0,
        &["✅ 1 passage: 1 embedded", "✅ 2 products: 2 embedded"],
    );

    let again = fixture.run(&data.of("seed"));
    again.expect(0, &["✅ 2 products: nothing to do"]);
    let mut fixture = fixture;
    fixture.set("LOG_FORMAT", "json");
    let again = fixture.run(&data.of("ingest"));
    again.expect(
        0,
        &[
            "\"message\":\"ingested\"",
            "\"embedded\":0",
            "\"unchanged\":2",
        ],
    );
    for line in again.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_files_are_65_before_any_connection_is_tried() {
    let (mut fixture, data) = (Fixture::empty().await, Data::good());
    let port = ClosedPort::take();
    fixture.set(
        "DATABASE_URL",
        format!("postgres://a:b@127.0.0.1:{}/c", port.number()),
    );
    data.write(
        "catalogue/products.csv",
        &PRODUCTS.replace("12.50", "cheap"),
    );
    data.write("knowledge/delivery.md", "## Days\n");
    let seeded = fixture.run(&data.of("seed"));
    seeded.expect(
        65,
        &["products.csv:2: unit_price: \"cheap\" is not a price; write"],
    );
    let ingested = fixture.run(&data.of("ingest"));
    ingested.expect(
        65,
        &["delivery.md:1: it does not begin with a title; begin"],
    );

    // The environment is judged first.
    fixture.unset("REDIS_HOST");
    fixture.run(&data.of("seed")).expect(78, &["REDIS_HOST"]);
    fixture.run(&data.of("ingest")).expect(78, &["REDIS_HOST"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_schema_nothing_is_written_and_the_remedy_is_named() {
    let (fixture, data) = (Fixture::empty().await, Data::good());
    for command in ["seed", "ingest"] {
        let ended = fixture.run(&data.of(command));
        ended.expect(69, &["tria-server migrate", "REFUSED"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collections_of_another_model_are_left_alone_until_they_are_rebuilt() {
    let (mut fixture, data) = (Fixture::migrated().await, Data::good());
    fixture.run(&data.of("seed")).expect(0, &[]);
    fixture.run(&data.of("ingest")).expect(0, &[]);
    let before = fixture.keys["OPENAI_EMBEDDING_MODEL"].clone();
    // Another model that the API offers too.
    let other = fixture.keys["OPENAI_MODEL"].clone();
    fixture.set("OPENAI_EMBEDDING_MODEL", other.clone());
    let refused = fixture.run(&data.of("ingest"));
    refused.expect(69, &[&before, &other, "tria-server ingest --rebuild"]);
    fixture.set("OPENAI_EMBEDDING_MODEL", before);
    let arguments = [&data.of("ingest")[..], &["--rebuild"]].concat();
    let rebuilt = fixture.run(&arguments);
    rebuilt.expect(
        0,
        &["✅ 1 passage: 1 embedded", "✅ 2 products: 2 embedded"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_it_with_its_code() {
    let (mut fixture, data) = (Fixture::migrated().await, Data::good());
    let port = ClosedPort::take();
    fixture.set(
        "DATABASE_URL",
        format!("postgres://a:b@127.0.0.1:{}/c", port.number()),
    );
    fixture.set("STARTUP_DEADLINE", "60s");
    for name in ["seed", "ingest"] {
        let running = Running::start(command(&data.of(name), &fixture.keys));
        running.wait_for("⏳ database:");
        running.signal("TERM");
        running.ended().expect(143, &["interrupted by SIGTERM"]);
    }
}
