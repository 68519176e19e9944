//! A PostgreSQL that is broken itself.

use tokio_postgres::Client;
use tria_devstack::{Postgres, PostgresOptions};
use tria_tests::{Dependency::Postgres as POSTGRES, Fixture, connect};

use super::{
    bounds::Manner::{Loud, Silent},
    table::Row,
    trial::{Case, Trial, outlives_a_rotation, paused, restarted},
    watched::{Watched, migrate},
};

/// The sessions of the service.
const OURS: &str = "FROM pg_stat_activity WHERE application_name LIKE 'tria-server%'";

/// A service on a PostgreSQL of its own, with an own connection to the latter.
async fn on(postgres: &Postgres) -> (Watched, Fixture, Client) {
    let mut fixture = Fixture::empty().await;
    let url = postgres.create_database("app").await.expect("a database");
    fixture.set("DATABASE_URL", url);
    migrate(&mut fixture).await;
    let watched = Watched::start(&mut fixture).await;
    let admin = connect(&postgres.url("postgres")).await;
    let admin = admin.expect("a connection");
    (watched, fixture, admin)
}

async fn run(admin: &Client, statements: &[&str]) {
    // One by one: some of them refuse to be part of a transaction.
    for statement in statements {
        admin.batch_execute(statement).await.expect(statement);
    }
}

/// The rows that break a server of their own, one after the other.
pub(super) async fn on_its_own() -> Vec<Row> {
    let options = PostgresOptions::default();
    let mut postgres = Postgres::start(options).await.expect("a PostgreSQL");
    let (watched, _fixture, admin) = on(&postgres).await;
    let silence = &["connect_timeout", "query_timeout"];
    let case = Case::of(POSTGRES, "paused", Silent, silence);
    let mut rows = vec![
        read_only(&watched, &admin).await,
        rotated(&watched, &admin, &postgres).await,
        paused(&watched, case, &postgres).await,
    ];
    let codes = &[
        "connect_refused",
        "connection_lost",
        "server_shutdown",
        "starting_up",
    ];
    let case = Case::of(POSTGRES, "restarted", Loud, codes);
    rows.push(restarted(&watched, case, &mut postgres).await);
    rows
}

async fn read_only(watched: &Watched, admin: &Client) -> Row {
    let case = Case::of(POSTGRES, "read-only", Loud, &["read_only"]);
    let mut trial = Trial::begin(watched, case);
    let set = "ALTER SYSTEM SET default_transaction_read_only = on";
    run(admin, &[set, "SELECT pg_reload_conf()"]).await;
    trial.shows().await;
    let reset = "ALTER SYSTEM RESET default_transaction_read_only";
    run(admin, &[reset, "SELECT pg_reload_conf()"]).await;
    trial.mended();
    trial.recovers().await;
    trial.end().await
}

async fn rotated(watched: &Watched, admin: &Client, postgres: &Postgres) -> Row {
    let set = |password: &str| format!("ALTER USER {} PASSWORD '{password}'", Postgres::USER);
    run(admin, &[&set("Zk4vQ9tLw2Xs")]).await;
    let outlived = outlives_a_rotation(watched, POSTGRES).await;
    let case = Case::of(POSTGRES, "password rotated", Loud, &["auth_failed"]);
    let mut trial = Trial::begin(watched, case);
    run(
        admin,
        &[&format!("SELECT pg_terminate_backend(pid) {OURS}")],
    )
    .await;
    trial.shows().await;
    run(admin, &[&set(postgres.password())]).await;
    trial.mended();
    trial.recovers().await;
    trial.expects(outlived, "open connections were not left alone");
    trial.end().await
}

/// Others hold every connection that the server has.
pub(super) async fn too_many_connections() -> Row {
    let settings = [
        ("max_connections", "10"),
        ("superuser_reserved_connections", "0"),
        ("max_wal_senders", "0"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = PostgresOptions {
        settings: settings.to_vec(),
        ..PostgresOptions::default()
    };
    let postgres = Postgres::start(options).await.expect("a PostgreSQL");
    let (watched, _fixture, admin) = on(&postgres).await;
    let codes = &["too_many_connections", "connections_low"];
    let case = Case::of(POSTGRES, "too many connections", Loud, codes);
    let mut trial = Trial::begin(&watched, case);
    let end_ours = format!("SELECT pg_terminate_backend(pid) {OURS}");
    let url = postgres.url("postgres");
    let mut held = Vec::new();
    loop {
        while let Ok(client) = connect(&url).await {
            held.push(client);
        }
        let ours = admin.query(&end_ours, &[]).await;
        if ours.expect("it is asked").is_empty() {
            break;
        }
    }
    trial.shows().await;
    drop(held);
    trial.mended();
    trial.recovers().await;
    trial.end().await
}
