//! Migrations and tables: complete, missing, too old, too new.

use tria_check::{Outcome, Retry, Status};
use tria_db_check::{SchemaCheck, SchemaSpec, TableSpec};
use tria_devstack::TestDatabase;

use crate::support::*;

const HISTORY: &str = "CREATE TABLE refinery_schema_history (
    version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255))";

fn spec() -> SchemaSpec {
    SchemaSpec::new(
        2,
        [
            TableSpec::new("orders", ["id", "total"]),
            TableSpec::new("outlets", ["id", "name"]),
            TableSpec::new("order_lines", ["order_id"]).detail_of("orders"),
        ],
    )
    .unwrap()
}

async fn prepared(statements: &[&str]) -> TestDatabase {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    for statement in statements {
        admin.batch_execute(statement).await.unwrap();
    }
    database
}

async fn complete(applied: &str) -> TestDatabase {
    prepared(&[
        HISTORY,
        &format!("INSERT INTO refinery_schema_history (version, name) VALUES {applied}"),
        "CREATE TABLE orders (id int, total numeric, note text)",
        "CREATE TABLE outlets (id int, name text)",
        "CREATE TABLE order_lines (order_id int)",
    ])
    .await
}

async fn judge(database: &TestDatabase) -> Outcome {
    let check = SchemaCheck::new(pool(database.url(), 1), spec())
        .target(url(database.url()).target())
        .migrate_remedy("run `shop migrate`");
    conforms(&check, database.url()).await
}

#[tokio::test]
async fn a_complete_schema_is_proven() {
    let database = complete("(1, 'expand_orders'), (2, 'expand_outlets')").await;
    let outcome = judge(&database).await;
    assert_eq!(
        texts(&outcome),
        [
            "Schema up to date (migration 2)",
            "All 2 required tables exist"
        ]
    );
    assert_eq!(outcome.status(), Status::Pass);
    assert_eq!(number(&outcome, "migration"), 2);
    assert_eq!(number(&outcome, "tables_required"), 2);
    assert_eq!(number(&outcome, "tables_checked"), 3);
    assert_eq!(number(&outcome, "pool_size"), 1);
}

#[tokio::test]
async fn an_empty_database_has_no_schema() {
    let outcome = judge(&prepared(&[]).await).await;
    assert_refused(&outcome, "schema_missing", Retry::Permanent);
    assert_eq!(codes(&outcome), ["schema_missing", "table_missing"]);
    assert_eq!(
        texts(&outcome)[1],
        "missing tables: orders, outlets, order_lines"
    );
    for finding in outcome.findings() {
        assert_eq!(finding.get_remedy().unwrap().as_str(), "run `shop migrate`");
    }
    let outcome = judge(&prepared(&[HISTORY]).await).await;
    assert_refused(&outcome, "schema_missing", Retry::Permanent);
}

#[tokio::test]
async fn an_older_schema_is_refused() {
    let database = complete("(1, 'expand_orders')").await;
    let outcome = judge(&database).await;
    assert_refused(&outcome, "schema_outdated", Retry::Permanent);
    assert_eq!(outcome.text().as_str(), "the schema is at migration 1 of 2");
}

/// deis/controller#1027: during a rollout the old version must run on the new schema.
#[tokio::test]
async fn a_newer_schema_that_only_expands_is_a_warning() {
    let applied = "(1, 'a'), (2, 'b'), (3, 'expand_prices'), (4, 'expand_more')";
    let outcome = judge(&complete(applied).await).await;
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (Status::Warn, "schema_newer")
    );
    assert_eq!(number(&outcome, "migration"), 4);
    assert_eq!(texts(&outcome)[1], "All 2 required tables exist");
}

#[tokio::test]
async fn any_other_newer_schema_is_refused() {
    for name in ["contract_prices", "prices", "expandprices"] {
        let applied = format!("(2, 'b'), (3, 'expand_a'), (4, '{name}'), (5, 'expand_c')");
        let outcome = judge(&complete(&applied).await).await;
        assert_refused(&outcome, "schema_incompatible", Retry::Permanent);
        let named = format!("cannot run with V4__{name}");
        assert!(
            outcome.text().as_str().ends_with(&named),
            "{}",
            outcome.text()
        );
    }
}

#[tokio::test]
async fn everything_that_is_missing_is_named() {
    let database = complete("(2, 'expand_outlets')").await;
    let admin = client(database.url()).await;
    let change = "DROP TABLE order_lines; ALTER TABLE orders DROP COLUMN total;
                  ALTER TABLE outlets RENAME COLUMN name TO title;
                  ALTER TABLE outlets DROP COLUMN id;";
    admin.batch_execute(change).await.unwrap();
    let outcome = judge(&database).await;
    assert_eq!(codes(&outcome), ["ok", "table_missing", "column_missing"]);
    assert_eq!(
        texts(&outcome)[1..],
        [
            "missing tables: order_lines",
            "missing columns: orders.total, outlets.id, outlets.name"
        ]
    );
}

/// An index or a sequence of the right name is no table; a view is.
#[tokio::test]
async fn only_what_can_be_read_like_a_table_counts() {
    let database = complete("(2, 'expand_outlets')").await;
    let admin = client(database.url()).await;
    let change = "ALTER TABLE outlets RENAME TO shops;
                  CREATE VIEW outlets AS SELECT * FROM shops;
                  DROP TABLE order_lines; CREATE SEQUENCE order_lines;";
    admin.batch_execute(change).await.unwrap();
    let outcome = judge(&database).await;
    assert_eq!(texts(&outcome)[1], "missing tables: order_lines");
}

#[tokio::test]
async fn a_schema_that_may_not_be_read_is_told() {
    let (stack, database) = database().await;
    let admin = client(database.url()).await;
    admin.batch_execute(HISTORY).await.unwrap();
    let role = format!("reader_{}", database.name());
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'r3ader-pw'");
    admin.batch_execute(&create).await.unwrap();
    let (port, name) = (stack.postgres_port(), database.name());
    let url = format!("postgres://{role}:r3ader-pw@127.0.0.1:{port}/{name}");
    let check = SchemaCheck::new(pool(&url, 1), spec());
    let outcome = conforms(&check, &url).await;
    assert_refused(&outcome, "permission_denied", Retry::Permanent);
    drop(check);
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    until(&admin, &gone, 0).await;
    admin
        .batch_execute(&format!("DROP ROLE {role}"))
        .await
        .unwrap();
}
