//! super-productivity#9599, n8n-hosting#124: hours of outage with a pool of dead connections
//! after a restart of the database.

use std::time::Duration;

use deadpool_postgres::Pool;
use tria_check::Status;
use tria_db_check::{DatabaseCheck, LoginCheck, pool::PoolOptions};
use tria_devstack::{FaultProxy, Mode, Postgres, PostgresOptions};

use crate::support::*;

async fn pid(pool: &Pool) -> i32 {
    let client = pool.get().await.unwrap();
    let row = client.query_one("SELECT pg_backend_pid()", &[]).await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn a_restart_of_the_server_heals_at_the_next_use() {
    let mut server = Postgres::start(PostgresOptions::default()).await.unwrap();
    let url = server.url("postgres");
    let pool = pool(&url, 4);
    let check = DatabaseCheck::new(pool.clone());
    let filled = tokio::join!(pool.get(), pool.get(), pool.get(), pool.get());
    drop(filled);
    assert_eq!(number(&run(&check).await, "pool_size"), 4);

    server.restart().await.unwrap();
    assert_eq!(run(&check).await.status(), Status::Pass);
    for _ in 0..4 {
        pid(&pool).await;
    }
}

#[tokio::test]
async fn a_poisoned_connection_is_replaced() {
    let (_stack, database) = database().await;
    let pool = pool(database.url(), 1);
    for poison in ["BEGIN", "BEGIN; CREATE TABLE left_open (id int)"] {
        let before = pid(&pool).await;
        assert_eq!(pid(&pool).await, before, "a good one is kept");
        pool.get()
            .await
            .unwrap()
            .batch_execute(poison)
            .await
            .unwrap();
        assert_ne!(pid(&pool).await, before, "{poison}");
    }
    let before = pid(&pool).await;
    let failed = pool
        .get()
        .await
        .unwrap()
        .batch_execute("BEGIN; SELECT 1/0")
        .await;
    assert!(failed.is_err());
    assert_ne!(pid(&pool).await, before, "an aborted transaction");
}

#[tokio::test]
async fn a_session_that_was_ended_is_replaced() {
    let (_stack, database) = database().await;
    let admin = client(database.url()).await;
    let pool = pool(database.url(), 1);
    let check = DatabaseCheck::new(pool.clone());
    let before = pid(&pool).await;
    let ended = admin
        .query_one("SELECT pg_terminate_backend($1, 5000)", &[&before])
        .await;
    assert!(ended.unwrap().get::<_, bool>(0));
    assert_eq!(run(&check).await.status(), Status::Pass);
    assert_ne!(pid(&pool).await, before);
}

/// A connection that is dead without anybody having said so: nothing is answered on it.
#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let (stack, database) = database().await;
    let upstream = format!("127.0.0.1:{}", stack.postgres_port());
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    let port = stack.postgres_port().to_string();
    let through = database.url().replace(&port, &proxy.port().to_string());
    let pool = pool(&through, 1);
    let check = DatabaseCheck::new(pool.clone())
        .configure(|meta| meta.timeout(Duration::from_millis(1200)));
    assert_eq!(run(&check).await.status(), Status::Pass);

    proxy.set(Mode::BlackHole).await;
    assert_refused(&run(&check).await, "connect_timeout", TRANSIENT);
    assert_eq!(pool.status().size, 0, "the silent one is gone");
    proxy.set(Mode::Pass).await;
    assert_eq!(run(&check).await.status(), Status::Pass);
}

/// n8n-io/n8n#15480: the pooled probe stayed green after the password was changed.
#[tokio::test]
async fn a_changed_password_is_found_by_a_new_login() {
    let (stack, database) = database().await;
    let admin = client(database.url()).await;
    let (role, port) = (
        format!("rotated_{}", database.name()),
        stack.postgres_port(),
    );
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'f1rst-pw'");
    admin.batch_execute(&create).await.unwrap();
    let url = format!(
        "postgres://{role}:f1rst-pw@127.0.0.1:{port}/{}",
        database.name()
    );
    let pooled = check(&url);
    let login = LoginCheck::new(pool(&url, 1));
    assert_eq!(run(&pooled).await.status(), Status::Pass);
    let outcome = conforms(&login, &url).await;
    assert_eq!(texts(&outcome), ["A new login to the database works"]);
    let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    until(&admin, &sessions, 1).await;

    let rotate = format!("ALTER ROLE {role} PASSWORD 's3cond-pw'");
    admin.batch_execute(&rotate).await.unwrap();
    assert_eq!(
        run(&pooled).await.status(),
        Status::Pass,
        "it is still logged in"
    );
    let outcome = conforms(&login, &url).await;
    assert_refused(&outcome, "auth_failed", tria_check::Retry::Permanent);

    let changed = self::url(&url.replace("f1rst-pw", "s3cond-pw"));
    assert_eq!(used.rotate(&changed), Ok(true));
    let outcome = conforms(&login, &url).await;
    assert_eq!(outcome.status(), Status::Pass, "it logs in anew");
    drop(pooled);
    until(&admin, &sessions, 0).await;
    admin
        .batch_execute(&format!("DROP ROLE {role}"))
        .await
        .unwrap();
}

/// How many sessions of that name there are.
async fn sessions(admin: &Pool, name: &str) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let client = admin.get().await.unwrap();
    client.query_one(query, &[&name]).await.unwrap().get(0)
}

/// Without being told to, a server that works on a statement does not look at its client.
#[tokio::test]
async fn what_a_process_leaves_behind_is_soon_ended() {
    let (_stack, database) = database().await;
    let admin = pool(database.url(), 1);
    let name = format!("left by {}", database.name());
    let options = PoolOptions {
        application_name: Some(name.clone()),
        ..PoolOptions::default()
    };
    let pool = url(database.url()).pool(&options).unwrap();
    let mut leaving = tokio::spawn(async move {
        let client = pool.get().await.unwrap();
        let work = "BEGIN; CREATE TABLE held (id int); SELECT pg_sleep(600)";
        client.batch_execute(work).await
    });
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                  AND application_name = $1";
    loop {
        let client = admin.get().await.unwrap();
        let row = client.query_one(asleep, &[&name]).await.unwrap();
        if row.get::<_, i64>(0) == 1 {
            break;
        }
        assert!(!leaving.is_finished(), "{:?}", leaving.await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    leaving.abort();
    assert!((&mut leaving).await.unwrap_err().is_cancelled());
    let begun = std::time::Instant::now();
    while sessions(&admin, &name).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it hangs open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
